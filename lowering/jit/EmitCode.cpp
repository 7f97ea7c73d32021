// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// LLVM dialect -> LLVM IR -> optimised for this CPU -> object files. Every part
// of a module has its own LLVM context and its own thread; no state is shared
// between two but LLVM's registries, which are filled once.

#include "lowering/jit/EmitCode.h"
#include "lowering/Machine.h"
#include "lowering/OptimizationLevel.h"
#include "lowering/jit/Jit.h"
#include "lowering/jit/SplitCode.h"
#include "lowering/runtime/Threads.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/Bitcode/BitcodeReader.h"
#include "llvm/Bitcode/BitcodeWriter.h"
#include "llvm/IR/DiagnosticInfo.h"
#include "llvm/IR/DiagnosticPrinter.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/IntrinsicInst.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/ErrorHandling.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/Transforms/InstCombine/InstCombine.h"
#include <atomic>
#include <mutex>
#include <system_error>
#include <thread>

using namespace mlir;
using llvm::Expected;
using weft::OptimizationLevel;

//===----------------------------------------------------------------------===//
// Fatal errors
//===----------------------------------------------------------------------===//

/// How many guarded calls this thread is in.
static thread_local int guardDepth = 0;

weft::FatalErrorGuard::FatalErrorGuard() { ++guardDepth; }
weft::FatalErrorGuard::~FatalErrorGuard() { --guardDepth; }

static void onFatalError(void *, const char *reason, bool) {
  if (guardDepth > 0)
    throw std::runtime_error(std::string("LLVM: ") + reason);
  // Not ours: say so, and let LLVM end the process.
  llvm::errs() << "LLVM: " << reason << "\n";
}

void weft::installFatalErrorHandler() {
  static std::once_flag once;
  std::call_once(once, [] { llvm::install_fatal_error_handler(onFatalError); });
}

//===----------------------------------------------------------------------===//
// LLVM IR
//===----------------------------------------------------------------------===//

static llvm::Error errorOf(const llvm::Twine &message) {
  return llvm::createStringError(llvm::inconvertibleErrorCode(), message);
}

void weft::registerTarget() {
  static std::once_flag once;
  std::call_once(once, [] {
    llvm::InitializeNativeTarget();
    llvm::InitializeNativeTargetAsmPrinter();
  });
}

Expected<std::unique_ptr<llvm::TargetMachine>>
weft::createTargetMachine(llvm::CodeGenOptLevel level) {
  registerTarget();
  llvm::Triple triple(llvm::sys::getProcessTriple());
  std::string error;
  const llvm::Target *target =
      llvm::TargetRegistry::lookupTarget(triple, error);
  if (!target)
    return errorOf("LLVM cannot compile for this CPU: " + error);
  const HostCpu &cpu = hostCpu();
  std::unique_ptr<llvm::MCSubtargetInfo> known(
      target->createMCSubtargetInfo(triple, "", ""));
  if (!known || !known->isCPUStringValid(cpu.name))
    return errorOf("WEFT_CPU is '" + llvm::Twine(cpu.name) +
                   "', a CPU that LLVM does not know; its names are like "
                   "x86-64-v3, skylake-avx512, znver4");
  // The linker keeps a file together, and reaches others by tables.
  return std::unique_ptr<llvm::TargetMachine>(target->createTargetMachine(
      triple, cpu.name, cpu.features, llvm::TargetOptions(), llvm::Reloc::PIC_,
      llvm::CodeModel::Small, level, /*JIT=*/true));
}

/// Lets functions that use dot products of bfloat16 have them, if the CPU does:
/// they are off elsewhere, as `hostCpu` says. A text for another machine then
/// meets LLVM's error, and no instruction that ends the process.
static void allowBFloat16Dots(llvm::Module &module) {
  if (!weft::Machine::host().hasBFloat16Dots)
    return;
  for (llvm::Function &intrinsic : module) {
    if (!intrinsic.getName().starts_with("llvm.x86.avx512bf16.dpbf16ps."))
      continue;
    for (llvm::User *user : intrinsic.users()) {
      auto *call = llvm::dyn_cast<llvm::Instruction>(user);
      if (!call)
        continue;
      llvm::Function *function = call->getFunction();
      StringRef features =
          function->getFnAttribute("target-features").getValueAsString();
      if (!features.ends_with(",+avx512bf16"))
        function->addFnAttr("target-features",
                            (features + ",+avx512bf16").str());
    }
  }
}

static Expected<std::unique_ptr<llvm::Module>>
translate(ModuleOp module, llvm::LLVMContext &context) {
  auto machine = weft::createTargetMachine(llvm::CodeGenOptLevel::Default);
  if (!machine)
    return machine.takeError();
  registerBuiltinDialectTranslation(*module.getContext());
  registerLLVMDialectTranslation(*module.getContext());
  auto translated = translateModuleToLLVMIR(module, context, "weft");
  if (!translated)
    return errorOf("the module cannot be translated to LLVM IR: it is not at "
                   "stage 'llvm'");
  translated->setTargetTriple((*machine)->getTargetTriple());
  translated->setDataLayout((*machine)->createDataLayout());
  for (llvm::Function &function : *translated) {
    function.addFnAttr("target-cpu", (*machine)->getTargetCPU());
    function.addFnAttr("target-features", (*machine)->getTargetFeatureString());
  }
  allowBFloat16Dots(*translated);
  return translated;
}

Expected<std::string> weft::translateToLLVMIR(ModuleOp module) {
  FatalErrorGuard guard;
  llvm::LLVMContext context;
  auto translated = translate(module, context);
  if (!translated)
    return translated.takeError();
  std::string text;
  llvm::raw_string_ostream(text) << **translated;
  return text;
}

//===----------------------------------------------------------------------===//
// One part
//===----------------------------------------------------------------------===//

void weft::collectErrors(const llvm::DiagnosticInfo *info, void *text) {
  if (info->getSeverity() != llvm::DS_Error)
    return;
  auto &errors = *static_cast<std::string *>(text);
  llvm::raw_string_ostream stream(errors);
  llvm::DiagnosticPrinterRawOStream printer(stream);
  stream << (errors.empty() ? "LLVM: " : "; LLVM: ");
  info->print(printer);
}

namespace {

int64_t countInstructions(const llvm::Module &module) {
  int64_t count = 0;
  for (const llvm::Function &function : module)
    count += function.getInstructionCount();
  return count;
}

/// How LLVM is asked to treat a part.
struct Effort {
  llvm::OptimizationLevel passes = llvm::OptimizationLevel::O2;
  llvm::CodeGenOptLevel generation = llvm::CodeGenOptLevel::Default;
  bool vectorizes = true;

  static Effort of(OptimizationLevel level, bool runsOnce) {
    switch (level) {
    case OptimizationLevel::None:
      return {llvm::OptimizationLevel::O0, llvm::CodeGenOptLevel::None, false};
    case OptimizationLevel::Less:
      return {llvm::OptimizationLevel::O1, llvm::CodeGenOptLevel::Less, false};
    case OptimizationLevel::Aggressive:
      return {llvm::OptimizationLevel::O3, llvm::CodeGenOptLevel::Aggressive,
              true};
    case OptimizationLevel::Default:
      break;
    }
    // Without loops, all code is as fast as it can be read.
    if (runsOnce)
      return {llvm::OptimizationLevel::O1, llvm::CodeGenOptLevel::None, false};
    return {};
  }
};

/// The lane that a masked store writes, if its mask is known and has one only.
std::optional<unsigned> singleLaneOf(const llvm::IntrinsicInst &store) {
  auto *mask = llvm::dyn_cast<llvm::Constant>(store.getArgOperand(2));
  auto *type =
      llvm::dyn_cast<llvm::FixedVectorType>(store.getArgOperand(2)->getType());
  std::optional<unsigned> lane;
  for (unsigned i = 0; mask && type && i < type->getNumElements(); ++i) {
    llvm::Constant *element = mask->getAggregateElement(i);
    if (element && (element->isZeroValue() || isa<llvm::UndefValue>(element)))
      continue;
    if (lane || !element || !element->isOneValue())
      return std::nullopt;
    lane = i;
  }
  return lane;
}

/// Stores single lanes as the numbers that they are: of a masked store of
/// numbers that were truncated, LLVM's x86 code stores a single lane as wide as
/// it was before (llvm-project issue 179489, in LLVM 22).
void storeSingleLanes(llvm::Module &module) {
  for (llvm::Function &function : module)
    for (llvm::Instruction &each :
         llvm::make_early_inc_range(llvm::instructions(function))) {
      auto *store = llvm::dyn_cast<llvm::IntrinsicInst>(&each);
      if (!store || store->getIntrinsicID() != llvm::Intrinsic::masked_store)
        continue;
      std::optional<unsigned> lane = singleLaneOf(*store);
      if (!lane)
        continue;
      llvm::IRBuilder<> b(store);
      llvm::Value *value = store->getArgOperand(0);
      llvm::Type *element = value->getType()->getScalarType();
      llvm::Value *to =
          b.CreateConstGEP1_32(element, store->getArgOperand(1), *lane);
      b.CreateAlignedStore(b.CreateExtractElement(value, *lane), to,
                           llvm::Align(1));
      store->eraseFromParent();
    }
}

void optimize(llvm::Module &module, llvm::TargetMachine &machine,
              const Effort &effort) {
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager sccs;
  llvm::ModuleAnalysisManager modules;
  llvm::PipelineTuningOptions options;
  options.LoopVectorization = effort.vectorizes;
  options.SLPVectorization = effort.vectorizes;
  llvm::PassBuilder builder(&machine, options);
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(sccs);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, sccs, modules);
  if (effort.passes != llvm::OptimizationLevel::O0) {
    builder.buildPerModuleDefaultPipeline(effort.passes).run(module, modules);
    return;
  }
  llvm::ModulePassManager passes =
      builder.buildO0DefaultPipeline(llvm::OptimizationLevel::O0);
  // What loads a bfloat16 and widens its bits loses the sign in the code that
  // LLVM makes of it, unless the bits are what is loaded.
  passes.addPass(
      llvm::createModuleToFunctionPassAdaptor(llvm::InstCombinePass()));
  passes.run(module, modules);
}

/// A part on its way: first bitcode, which any context can read, then a file.
struct PartialCode {
  llvm::SmallVector<char, 0> bitcode;
  int64_t given = 0;
  Effort effort;

  std::string file;
  int64_t left = 0;
  double optimizing = 0, generating = 0;
  std::string error;

  void compile(llvm::CodeGenFileType kind) {
    weft::FatalErrorGuard guard;
    try {
      if (llvm::Error failure = emit(kind))
        error += llvm::toString(std::move(failure));
    } catch (const std::exception &failure) {
      error = failure.what();
    }
  }

private:
  llvm::Error emit(llvm::CodeGenFileType kind) {
    weft::Stopwatch watch;
    auto machine = weft::createTargetMachine(effort.generation);
    if (!machine)
      return machine.takeError();
    llvm::LLVMContext context;
    context.setDiagnosticHandlerCallBack(weft::collectErrors, &error);
    auto module = llvm::parseBitcodeFile(
        llvm::MemoryBufferRef(llvm::StringRef(bitcode.data(), bitcode.size()),
                              "weft"),
        context);
    if (!module)
      return module.takeError();
    optimize(**module, **machine, effort);
    storeSingleLanes(**module);
    left = countInstructions(**module);
    optimizing = watch.milliseconds();

    watch = weft::Stopwatch();
    llvm::SmallVector<char, 0> output;
    llvm::raw_svector_ostream stream(output);
    llvm::legacy::PassManager passes;
    if ((*machine)->addPassesToEmitFile(passes, stream, nullptr, kind))
      return errorOf("LLVM cannot emit this kind of file");
    passes.run(**module);
    file.assign(output.begin(), output.end());
    generating = watch.milliseconds();
    return llvm::Error::success();
  }
};

//===----------------------------------------------------------------------===//
// All parts
//===----------------------------------------------------------------------===//

std::vector<PartialCode> splitInto(std::unique_ptr<llvm::Module> module,
                                   OptimizationLevel level) {
  std::vector<PartialCode> parts;
  for (weft::CodePart &part : weft::splitCode(std::move(module))) {
    PartialCode code;
    code.effort = Effort::of(level, part.runsOnce);
    code.given = countInstructions(*part.module);
    llvm::raw_svector_ostream stream(code.bitcode);
    llvm::WriteBitcodeToFile(*part.module, stream);
    parts.push_back(std::move(code));
  }
  return parts;
}

/// In this thread and as many others as compiled code may use.
void compileAll(std::vector<PartialCode> &parts, llvm::CodeGenFileType kind) {
  std::atomic<size_t> next = 0;
  auto work = [&] {
    for (size_t i = next++; i < parts.size(); i = next++)
      parts[i].compile(kind);
  };
  std::vector<std::thread> others;
  auto threads = static_cast<size_t>(weft::runtime::numThreads());
  while (others.size() + 1 < std::min(threads, parts.size())) {
    try {
      others.emplace_back(work);
    } catch (const std::system_error &) {
      break; // with the ones there are
    }
  }
  work();
  for (std::thread &other : others)
    other.join();
}

/// Adds the steps of the time that passed, by what the parts took of it.
void record(const std::vector<PartialCode> &parts, double milliseconds,
            weft::CompileSteps &steps) {
  double optimizing = 0, both = 0;
  int64_t given = 0, left = 0, bytes = 0;
  for (const PartialCode &part : parts) {
    optimizing += part.optimizing;
    both += part.optimizing + part.generating;
    given += part.given;
    left += part.left;
    bytes += part.file.size();
  }
  double share = both > 0 ? optimizing / both : 0;
  steps.push_back({"optimize", milliseconds * share, given, left});
  steps.push_back({"generate", milliseconds * (1 - share), left, bytes});
}

} // namespace

Expected<std::vector<std::string>> weft::emitCode(ModuleOp module,
                                                  llvm::CodeGenFileType kind,
                                                  CompileSteps &steps) {
  FatalErrorGuard guard;
  Stopwatch watch;
  int64_t ops = -1; // The module is none.
  module.walk([&](Operation *) { ++ops; });
  llvm::LLVMContext context;
  auto translated = translate(module, context);
  if (!translated)
    return translated.takeError();
  int64_t instructions = countInstructions(**translated);
  steps.push_back({"translate", watch.milliseconds(), ops, instructions});

  watch = Stopwatch();
  std::vector<PartialCode> parts =
      splitInto(std::move(*translated), optimizationLevelOf(module));
  int64_t given = 0;
  for (const PartialCode &part : parts)
    given += part.given;
  steps.push_back({"split", watch.milliseconds(), instructions, given});

  watch = Stopwatch();
  compileAll(parts, kind);
  std::vector<std::string> files;
  for (PartialCode &part : parts) {
    if (!part.error.empty())
      return errorOf(part.error);
    files.push_back(part.file);
  }
  record(parts, watch.milliseconds(), steps);
  return files;
}
