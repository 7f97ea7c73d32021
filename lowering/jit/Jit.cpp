// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Object files -> linked into the process by ORC, and called. Every function
// has a JIT of its own.

#include "lowering/jit/Jit.h"
#include "lowering/Passes.h"
#include "lowering/jit/EmitCode.h"
#include "lowering/runtime/Kernels.h"
#include "lowering/runtime/Signals.h"
#include "lowering/runtime/Threads.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "llvm/ADT/APFloat.h"
#include "llvm/ADT/SmallPtrSet.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/bit.h"
#include "llvm/ExecutionEngine/Orc/AbsoluteSymbols.h"
#include "llvm/ExecutionEngine/Orc/ExecutionUtils.h"
#include "llvm/ExecutionEngine/Orc/LLJIT.h"
#include "llvm/ExecutionEngine/Orc/SelfExecutorProcessControl.h"
#include "llvm/ExecutionEngine/Orc/TaskDispatch.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/SubtargetFeature.h"
#include <csetjmp>
#include <cstdlib>
#include <new>
#include <sys/syscall.h>
#include <unistd.h>
#include <utility>

using namespace mlir;
using llvm::Expected;
namespace orc = llvm::orc;

namespace {

llvm::Error errorOf(const llvm::Twine &message) {
  return llvm::createStringError(llvm::inconvertibleErrorCode(), message);
}

//===----------------------------------------------------------------------===//
// Calls
//===----------------------------------------------------------------------===//

// What finalize-memref-to-llvm calls.
constexpr llvm::StringLiteral allocateName = "_mlir_memref_to_llvm_alloc";
constexpr llvm::StringLiteral releaseName = "_mlir_memref_to_llvm_free";

/// One call of code that may stop before its end. Compiled code has nothing to
/// destroy but tapes, so that a jump leads out of it.
struct Frame {
  Frame() : outer(current) { current = this; }
  ~Frame() {
    current = outer;
    for (void *tape : tapes)
      std::free(tape);
  }

  enum Reason { OutOfMemory = 1, Stopped };
  [[noreturn]] void leave(Reason reason) { std::longjmp(exit, reason); }

  Frame *outer;
  llvm::SmallPtrSet<void *, 8> tapes;
  weft::runtime::Polls polls;
  std::jmp_buf exit;
  static thread_local Frame *current;
};
thread_local Frame *Frame::current = nullptr;

void *allocate(size_t size) {
  void *tape = std::malloc(std::max<size_t>(size, 1));
  if (!tape)
    Frame::current->leave(Frame::OutOfMemory);
  Frame::current->tapes.insert(tape);
  return tape;
}

void release(void *tape) {
  Frame::current->tapes.erase(tape);
  std::free(tape);
}

/// After how many steps to call it again.
int32_t poll() {
  auto now = weft::runtime::Clock::now();
  if (weft::runtime::shouldStop(now))
    Frame::current->leave(Frame::Stopped);
  return Frame::current->polls.next(now);
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

} // namespace

// In the calling thread, since a forked child has no other; libm's functions
// are found whether or not the process exports them.
Expected<std::unique_ptr<orc::LLJIT>> weft::createJit() {
  weft::registerTarget();
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
      {(*jit)->mangleAndIntern(weft::pollName), symbol(&poll)},
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

//===----------------------------------------------------------------------===//
// The public functions
//===----------------------------------------------------------------------===//

/// Asks for the 8 KiB of state of the matrix tiles, which a thread does not
/// have at first: without, their first use ends the process.
static bool requestTiles() {
#if defined(__x86_64__) && defined(__linux__)
  constexpr long request = 0x1023; // ARCH_REQ_XCOMP_PERM
  constexpr long tiles = 18;       // XFEATURE_XTILEDATA
  return syscall(SYS_arch_prctl, request, tiles) == 0;
#else
  return false;
#endif
}

const weft::HostCpu &weft::hostCpu() {
  static const HostCpu cpu = [] {
    // All code is compiled for what this describes, and so runs later.
    bool mayUseTiles = requestTiles();
    if (const char *name = std::getenv("WEFT_CPU"))
      return HostCpu{name, "", mayUseTiles};
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
    return HostCpu{llvm::sys::getHostCPUName().str(), features.getString(),
                   mayUseTiles};
  }();
  return cpu;
}

Expected<std::string> weft::emitAssembly(ModuleOp module) {
  CompileSteps steps;
  auto parts = emitCode(module, llvm::CodeGenFileType::AssemblyFile, steps);
  if (!parts)
    return parts.takeError();
  return llvm::join(*parts, "");
}

weft::Executable::Executable(std::unique_ptr<orc::LLJIT> jit, ObjectCode object)
    : jit(std::move(jit)), object(std::move(object)) {}

weft::Executable::~Executable() = default;

void weft::Executable::operator()(void *const *pointers) const {
  if (!object.mayStop && !object.usesKernels)
    return function(pointers);
  Frame frame;
  runtime::CallReport report;
  switch (setjmp(frame.exit)) {
  case 0:
    break;
  case Frame::Stopped:
    throw runtime::Stopped();
  default:
    throw std::bad_alloc();
  }
  function(pointers);
  report.check();
}

/// The kernels that a module calls.
static SmallVector<const weft::runtime::Kernel *> kernelsOf(ModuleOp module) {
  SmallVector<const weft::runtime::Kernel *> called;
  for (const weft::runtime::Kernel &kernel : weft::runtime::kernels())
    if (module.lookupSymbol(kernel.symbol))
      called.push_back(&kernel);
  return called;
}

Expected<weft::ObjectCode> weft::ObjectCode::compile(ModuleOp module,
                                                     StringRef entry,
                                                     CompileSteps *steps) {
  auto func = module.lookupSymbol<LLVM::LLVMFuncOp>((entry + bodySuffix).str());
  if (!func || !func->hasAttr(arenaBytesAttr))
    return errorOf("the module has no function '" + entry +
                   "' at stage 'llvm'");
  CompileSteps own;
  auto code =
      emitCode(module, llvm::CodeGenFileType::ObjectFile, steps ? *steps : own);
  if (!code)
    return code.takeError();
  ObjectCode object;
  object.entry = entry.str();
  object.files = std::move(*code);
  object.pointerCount = func.getNumArguments();
  object.arenaBytes = func->getAttrOfType<IntegerAttr>(arenaBytesAttr).getInt();
  object.isShort = func->hasAttr(shortAttr);
  object.mayStop =
      module.lookupSymbol(allocateName) || module.lookupSymbol(pollName);
  auto kernels = kernelsOf(module);
  object.usesKernels = !kernels.empty();
  object.usesRoutines = llvm::any_of(
      kernels, [](const auto *kernel) { return kernel->callsRoutines; });
  if (auto reuses = func->getAttrOfType<DenseI64ArrayAttr>(reusesAttr))
    object.reuses = reuses.asArrayRef();
  return object;
}

Expected<std::unique_ptr<weft::Executable>>
weft::Executable::link(ObjectCode object) {
  weft::FatalErrorGuard guard;
  auto jit = createJit();
  if (!jit)
    return jit.takeError();
  // ORC would print the details and return "failed to materialize".
  auto details = std::make_shared<std::string>();
  (*jit)->getExecutionSession().setErrorReporter([details](llvm::Error error) {
    *details += llvm::toString(std::move(error));
  });
  // The linker keeps no part of them.
  for (const std::string &file : std::exchange(object.files, {}))
    if (llvm::Error error = (*jit)->addObjectFile(
            llvm::MemoryBuffer::getMemBufferCopy(file, object.entry)))
      return error;
  auto address = (*jit)->lookup((entryPrefix + object.entry).str());
  if (!address)
    return llvm::joinErrors(errorOf(*details), address.takeError());

  std::unique_ptr<Executable> executable(
      new Executable(std::move(*jit), std::move(object)));
  executable->function = address->toPtr<void (*)(void *const *)>();
  return executable;
}
