// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// LLVM dialect -> LLVM IR -> optimised for this CPU -> an object -> linked into
// the process by ORC. Every compilation has its own LLVM context; no state is
// shared between two but LLVM's registries, which are filled once.

#include "lowering/Jit.h"
#include "lowering/Passes.h"
#include "lowering/runtime/Kernels.h"
#include "lowering/runtime/Threads.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/ADT/APFloat.h"
#include "llvm/ADT/SmallPtrSet.h"
#include "llvm/ADT/bit.h"
#include "llvm/ExecutionEngine/Orc/AbsoluteSymbols.h"
#include "llvm/ExecutionEngine/Orc/ExecutionUtils.h"
#include "llvm/ExecutionEngine/Orc/LLJIT.h"
#include "llvm/ExecutionEngine/Orc/SelfExecutorProcessControl.h"
#include "llvm/ExecutionEngine/Orc/TaskDispatch.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/ErrorHandling.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/SubtargetFeature.h"
#include <csetjmp>
#include <cstdlib>
#include <mutex>
#include <new>
#include <utility>

using namespace mlir;
using llvm::Expected;
namespace orc = llvm::orc;

//===----------------------------------------------------------------------===//
// Fatal errors
//===----------------------------------------------------------------------===//

namespace {

/// How many guarded calls this thread is in.
thread_local int guardDepth = 0;

struct FatalErrorGuard {
  FatalErrorGuard() { ++guardDepth; }
  ~FatalErrorGuard() { --guardDepth; }
};

void onFatalError(void *, const char *reason, bool) {
  if (guardDepth > 0)
    throw std::runtime_error(std::string("LLVM: ") + reason);
  // Not ours: say so, and let LLVM end the process.
  llvm::errs() << "LLVM: " << reason << "\n";
}

llvm::Error errorOf(const llvm::Twine &message) {
  return llvm::createStringError(llvm::inconvertibleErrorCode(), message);
}

//===----------------------------------------------------------------------===//
// LLVM IR
//===----------------------------------------------------------------------===//

void registerTarget() {
  static std::once_flag once;
  std::call_once(once, [] {
    llvm::InitializeNativeTarget();
    llvm::InitializeNativeTargetAsmPrinter();
  });
}

Expected<std::unique_ptr<llvm::TargetMachine>> createTargetMachine() {
  registerTarget();
  llvm::Triple triple(llvm::sys::getProcessTriple());
  std::string error;
  const llvm::Target *target =
      llvm::TargetRegistry::lookupTarget(triple, error);
  if (!target)
    return errorOf("LLVM cannot compile for this CPU: " + error);
  const weft::HostCpu &cpu = weft::hostCpu();
  return std::unique_ptr<llvm::TargetMachine>(target->createTargetMachine(
      triple, cpu.name, cpu.features, llvm::TargetOptions(), llvm::Reloc::PIC_,
      std::nullopt, llvm::CodeGenOptLevel::Default, /*JIT=*/true));
}

Expected<std::unique_ptr<llvm::Module>>
translate(ModuleOp module, llvm::LLVMContext &context,
          const llvm::TargetMachine &machine) {
  registerBuiltinDialectTranslation(*module.getContext());
  registerLLVMDialectTranslation(*module.getContext());
  auto translated = translateModuleToLLVMIR(module, context, "weft");
  if (!translated)
    return errorOf("the module cannot be translated to LLVM IR: it is not at "
                   "stage 'llvm'");
  translated->setTargetTriple(machine.getTargetTriple());
  translated->setDataLayout(machine.createDataLayout());
  for (llvm::Function &function : *translated) {
    function.addFnAttr("target-cpu", machine.getTargetCPU());
    function.addFnAttr("target-features", machine.getTargetFeatureString());
  }
  return translated;
}

void optimize(llvm::Module &module, llvm::TargetMachine &machine) {
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager sccs;
  llvm::ModuleAnalysisManager modules;
  llvm::PipelineTuningOptions options;
  options.LoopVectorization = true;
  options.SLPVectorization = true;
  llvm::PassBuilder builder(&machine, options);
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(sccs);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, sccs, modules);
  builder.buildPerModuleDefaultPipeline(llvm::OptimizationLevel::O2)
      .run(module, modules);
}

int64_t countInstructions(const llvm::Module &module) {
  int64_t count = 0;
  for (const llvm::Function &function : module)
    count += function.getInstructionCount();
  return count;
}

/// Translates, optimises and emits `module`. What the steps count are LLVM's
/// instructions, and last bytes.
llvm::Error emit(ModuleOp module, llvm::CodeGenFileType kind,
                 SmallVectorImpl<char> &output, weft::CompileSteps &steps) {
  weft::Stopwatch watch;
  auto machine = createTargetMachine();
  if (!machine)
    return machine.takeError();
  llvm::LLVMContext context;
  auto translated = translate(module, context, **machine);
  if (!translated)
    return translated.takeError();
  llvm::Module &code = **translated;
  int64_t ops = 0, given = countInstructions(code);
  module.walk([&](Operation *) { ++ops; });
  steps.push_back({"translate", watch.milliseconds(), ops - 1, given});

  watch = weft::Stopwatch();
  optimize(code, **machine);
  int64_t left = countInstructions(code);
  steps.push_back({"optimize", watch.milliseconds(), given, left});

  watch = weft::Stopwatch();
  llvm::raw_svector_ostream stream(output);
  llvm::legacy::PassManager passes;
  if ((*machine)->addPassesToEmitFile(passes, stream, nullptr, kind))
    return errorOf("LLVM cannot emit this kind of file");
  passes.run(code);
  auto bytes = static_cast<int64_t>(output.size());
  steps.push_back({"generate", watch.milliseconds(), left, bytes});
  return llvm::Error::success();
}

//===----------------------------------------------------------------------===//
// The heap
//===----------------------------------------------------------------------===//

// What finalize-memref-to-llvm calls.
constexpr llvm::StringLiteral allocateName = "_mlir_memref_to_llvm_alloc";
constexpr llvm::StringLiteral releaseName = "_mlir_memref_to_llvm_free";

/// The tapes of one call. Compiled code has nothing to destroy, so that where
/// memory is wanting, a jump leads out of it.
struct Heap {
  Heap() : outer(current) { current = this; }
  ~Heap() {
    current = outer;
    for (void *tape : tapes)
      std::free(tape);
  }

  Heap *outer;
  llvm::SmallPtrSet<void *, 8> tapes;
  std::jmp_buf wanting;
  static thread_local Heap *current;
};
thread_local Heap *Heap::current = nullptr;

void *allocate(size_t size) {
  void *tape = std::malloc(std::max<size_t>(size, 1));
  if (!tape)
    std::longjmp(Heap::current->wanting, 1);
  Heap::current->tapes.insert(tape);
  return tape;
}

void release(void *tape) {
  Heap::current->tapes.erase(tape);
  std::free(tape);
}

//===----------------------------------------------------------------------===//
// Halves
//===----------------------------------------------------------------------===//

// What LLVM calls on CPUs without an instruction for it, and libgcc has from
// version 12 on. A half is passed as a float is, in the lower bits.

float extendHalf(float passed) {
  uint16_t bits = llvm::bit_cast<uint32_t>(passed);
  llvm::APFloat half(llvm::APFloat::IEEEhalf(), llvm::APInt(16, bits));
  return half.convertToFloat();
}

template <typename Float> float truncateToHalf(Float x) {
  llvm::APFloat half(x);
  bool inexact;
  half.convert(llvm::APFloat::IEEEhalf(), llvm::APFloat::rmNearestTiesToEven,
               &inexact);
  uint32_t bits = half.bitcastToAPInt().getZExtValue();
  return llvm::bit_cast<float>(bits);
}

//===----------------------------------------------------------------------===//
// ORC
//===----------------------------------------------------------------------===//

/// The nearest bfloat16, ties to even: of what was one, the same. NaN stays.
__bf16 truncateToBFloat16(float x) {
  uint32_t bits = llvm::bit_cast<uint32_t>(x);
  uint32_t rounded = (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16;
  auto upper = static_cast<uint16_t>(x != x ? (bits >> 16) | 0x40 : rounded);
  return llvm::bit_cast<__bf16>(upper);
}

/// A JIT that links in the calling thread (a forked child has no other) and
/// looks for libm's functions whether or not the process exports them.
Expected<std::unique_ptr<orc::LLJIT>> createJit() {
  registerTarget();
  auto control = orc::SelfExecutorProcessControl::Create(
      nullptr, std::make_unique<orc::InPlaceTaskDispatcher>());
  if (!control)
    return control.takeError();
  auto jit = orc::LLJITBuilder()
                 .setExecutorProcessControl(std::move(*control))
                 .setPlatformSetUp(orc::setUpInactivePlatform)
                 .create();
  if (!jit)
    return jit.takeError();
  char prefix = (*jit)->getDataLayout().getGlobalPrefix();
  auto libm = orc::DynamicLibrarySearchGenerator::Load("libm.so.6", prefix);
  if (!libm)
    return libm.takeError();
  orc::JITDylib &library = (*jit)->getMainJITDylib();
  library.addGenerator(std::move(*libm));
  auto symbol = [](auto *function) {
    return orc::ExecutorSymbolDef(orc::ExecutorAddr::fromPtr(function),
                                  llvm::JITSymbolFlags::Exported);
  };
  orc::SymbolMap symbols{
      {(*jit)->mangleAndIntern(allocateName), symbol(&allocate)},
      {(*jit)->mangleAndIntern(releaseName), symbol(&release)},
      {(*jit)->mangleAndIntern("__extendhfsf2"), symbol(&extendHalf)},
      {(*jit)->mangleAndIntern("__truncsfhf2"), symbol(&truncateToHalf<float>)},
      {(*jit)->mangleAndIntern("__truncdfhf2"),
       symbol(&truncateToHalf<double>)},
      {(*jit)->mangleAndIntern("__truncsfbf2"), symbol(&truncateToBFloat16)},
      {(*jit)->mangleAndIntern(weft::runInParallelName),
       symbol(&weft::runtime::runInParallel)}};
  for (const weft::runtime::Kernel &kernel : weft::runtime::kernels())
    symbols[(*jit)->mangleAndIntern(kernel.symbol)] =
        orc::ExecutorSymbolDef(orc::ExecutorAddr::fromPtr(kernel.address),
                               llvm::JITSymbolFlags::Exported);
  if (llvm::Error error =
          library.define(orc::absoluteSymbols(std::move(symbols))))
    return error;
  return jit;
}

} // namespace

//===----------------------------------------------------------------------===//
// The public functions
//===----------------------------------------------------------------------===//

void weft::installFatalErrorHandler() {
  static std::once_flag once;
  std::call_once(once, [] { llvm::install_fatal_error_handler(onFatalError); });
}

const weft::HostCpu &weft::hostCpu() {
  static const HostCpu cpu = [] {
    if (const char *name = std::getenv("WEFT_CPU"))
      return HostCpu{name, ""};
    llvm::SubtargetFeatures features;
    for (const auto &[name, present] : llvm::sys::getHostCPUFeatures())
      features.AddFeature(name, present);
    // These instructions take subnormal numbers for zeros, and LLVM uses them
    // where it only moves a bfloat16.
    for (const char *feature : {"avx512bf16", "avxneconvert"})
      features.AddFeature(feature, false);
    // LLVM keeps to half the vector width on CPUs that once slowed down.
    if (llvm::sys::getHostCPUFeatures().lookup("avx512f"))
      features.AddFeature("prefer-256-bit", false);
    return HostCpu{llvm::sys::getHostCPUName().str(), features.getString()};
  }();
  return cpu;
}

Expected<std::string> weft::translateToLLVMIR(ModuleOp module) {
  FatalErrorGuard guard;
  auto machine = createTargetMachine();
  if (!machine)
    return machine.takeError();
  llvm::LLVMContext context;
  auto translated = translate(module, context, **machine);
  if (!translated)
    return translated.takeError();
  std::string text;
  llvm::raw_string_ostream(text) << **translated;
  return text;
}

Expected<std::string> weft::emitAssembly(ModuleOp module) {
  FatalErrorGuard guard;
  SmallVector<char, 0> text;
  CompileSteps steps;
  if (llvm::Error error =
          emit(module, llvm::CodeGenFileType::AssemblyFile, text, steps))
    return error;
  return std::string(text.begin(), text.end());
}

weft::Executable::Executable(std::unique_ptr<orc::LLJIT> jit, ObjectCode object)
    : jit(std::move(jit)), object(std::move(object)) {}

weft::Executable::~Executable() = default;

void weft::Executable::operator()(void *const *pointers) const {
  if (!object.usesHeap && !object.usesKernels)
    return function(pointers);
  Heap heap;
  runtime::CallReport report;
  if (setjmp(heap.wanting) != 0)
    throw std::bad_alloc();
  function(pointers);
  report.check();
}

/// Whether a module calls kernels of a numerical library.
static bool callsKernels(ModuleOp module) {
  return llvm::any_of(module.getOps<LLVM::LLVMFuncOp>(),
                      [](LLVM::LLVMFuncOp func) {
                        return func.isExternal() &&
                               func.getName().starts_with(weft::kernelPrefix);
                      });
}

Expected<weft::ObjectCode> weft::ObjectCode::compile(ModuleOp module,
                                                     StringRef entry,
                                                     CompileSteps *steps) {
  FatalErrorGuard guard;
  auto func = module.lookupSymbol<LLVM::LLVMFuncOp>((entry + bodySuffix).str());
  if (!func || !func->hasAttr(arenaBytesAttr))
    return errorOf("the module has no function '" + entry +
                   "' at stage 'llvm'");
  SmallVector<char, 0> code;
  CompileSteps own;
  if (llvm::Error error = emit(module, llvm::CodeGenFileType::ObjectFile, code,
                               steps ? *steps : own))
    return error;
  ObjectCode object;
  object.entry = entry.str();
  object.code.assign(code.begin(), code.end());
  object.pointerCount = func.getNumArguments();
  object.arenaBytes = func->getAttrOfType<IntegerAttr>(arenaBytesAttr).getInt();
  object.usesHeap = module.lookupSymbol(allocateName) != nullptr;
  object.usesKernels = ::callsKernels(module);
  if (auto reuses = func->getAttrOfType<DenseI64ArrayAttr>(reusesAttr))
    object.reuses = reuses.asArrayRef();
  return object;
}

Expected<std::unique_ptr<weft::Executable>>
weft::Executable::link(ObjectCode object) {
  FatalErrorGuard guard;
  auto jit = createJit();
  if (!jit)
    return jit.takeError();
  // ORC would print the details and return "failed to materialize".
  auto details = std::make_shared<std::string>();
  (*jit)->getExecutionSession().setErrorReporter([details](llvm::Error error) {
    *details += llvm::toString(std::move(error));
  });
  // The linker keeps no part of it.
  std::string code = std::exchange(object.code, {});
  if (llvm::Error error = (*jit)->addObjectFile(
          llvm::MemoryBuffer::getMemBufferCopy(code, object.entry)))
    return error;
  auto address = (*jit)->lookup((entryPrefix + object.entry).str());
  if (!address)
    return llvm::joinErrors(errorOf(*details), address.takeError());

  std::unique_ptr<Executable> executable(
      new Executable(std::move(*jit), std::move(object)));
  executable->function = address->toPtr<void (*)(void *const *)>();
  return executable;
}
