// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// MLIR text -> the gpu.module as a module of its own, each op at a line that
// says which of the user's places it is from -> LLVM IR -> instrumented ->
// object code -> linked.

#include "lowering/emulator/Program.h"
#include "dialects/Weft.h"
#include "lowering/Passes.h"
#include "lowering/emulator/Instrument.h"
#include "lowering/jit/EmitCode.h"
#include "lowering/jit/Jit.h"
#include "mlir/Conversion/NVVMToLLVM/NVVMToLLVM.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/Transforms/Passes.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/ExecutionEngine/Orc/LLJIT.h"
#include "llvm/IR/DebugInfo.h"
#include "llvm/IR/DiagnosticInfo.h"
#include "llvm/IR/DiagnosticPrinter.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/IR/PassManager.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/Transforms/InstCombine/InstCombine.h"
#include "llvm/Transforms/Scalar/EarlyCSE.h"
#include "llvm/Transforms/Scalar/SROA.h"
#include "llvm/Transforms/Scalar/ScalarizeMaskedMemIntrin.h"
#include "llvm/Transforms/Scalar/SimplifyCFG.h"
#include <stdexcept>
#include <sys/mman.h>

using namespace mlir;
using llvm::Expected;

char *weft::emulator::sharedWindow() {
  static char *window = []() -> char * {
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
#ifdef MAP_32BIT
    flags |= MAP_32BIT;
#endif
    void *memory = mmap(nullptr, 2 * sharedWindowBytes, PROT_READ | PROT_WRITE,
                        flags, -1, 0);
    if (memory == MAP_FAILED)
      return nullptr;
    auto start = reinterpret_cast<uintptr_t>(memory);
    return reinterpret_cast<char *>(llvm::alignTo(start, sharedWindowBytes));
  }();
  return window;
}

weft::emulator::Program::Program() = default;
weft::emulator::Program::~Program() = default;

namespace weft::emulator {

static llvm::Error errorOf(const llvm::Twine &message) {
  return llvm::createStringError(llvm::inconvertibleErrorCode(), message);
}

/// The parser takes a location after `nvvm.barrier` for the attribute that may
/// stand there. In the generic form of the op it does not:
///   nvvm.barrier id = %0 number_of_threads = %1 loc(#loc)
///   -> "nvvm.barrier"(%0, %1) <{...}> : (i32, i32) -> () loc(#loc)
static std::string spellBarriers(llvm::StringRef text) {
  std::string result;
  result.reserve(text.size());
  while (!text.empty()) {
    auto [line, rest] = text.split('\n');
    text = rest;
    llvm::StringRef op = line.trim();
    if (!op.consume_front("nvvm.barrier ") || !op.contains(" = %") ||
        !op.contains("loc(")) {
      result += line;
      result += '\n';
      continue;
    }
    auto [operands, location] = op.split("loc(");
    llvm::SmallVector<llvm::StringRef> words;
    operands.split(words, ' ', -1, false);
    bool hasId = op.starts_with("id = ");
    std::string values, types;
    for (llvm::StringRef word : words)
      if (word.starts_with("%")) {
        values += (values.empty() ? "" : ", ") + word.str();
        types += types.empty() ? "i32" : ", i32";
      }
    bool hasCount = op.contains("number_of_threads");
    result += "\"nvvm.barrier\"(" + values +
              ") <{operandSegmentSizes = array<i32: " + (hasId ? "1" : "0") +
              ", " + (hasCount ? "1" : "0") + ", 0>}> : (" + types +
              ") -> () loc(" + location.str() + "\n";
  }
  return result;
}

/// One program's way; its contexts go when it is done.
class Compiler {
public:
  Compiler()
      : context(makeRegistry(), MLIRContext::Threading::DISABLED),
        handler(&context, [this](Diagnostic &diagnostic) {
          if (diagnostic.getSeverity() == DiagnosticSeverity::Error &&
              errors.empty())
            errors = diagnostic.str();
        }) {
    context.allowUnregisteredDialects();
  }

  Expected<std::unique_ptr<Program>> compile(llvm::StringRef text) {
    if (!sharedWindow())
      return errorOf("there is no memory for shared memory");
    if (llvm::Error error = parse(text))
      return error;
    placeOps();
    if (llvm::Error error = translate())
      return error;
    instrument(*code, places, *program);
    exposeConstants();
    if (llvm::Error error = link())
      return error;
    return std::move(program);
  }

private:
  static const DialectRegistry &makeRegistry() {
    static const DialectRegistry registry = [] {
      DialectRegistry all;
      registerLoweringDialects(all);
      registerWeftDialect(all);
      return all;
    }();
    return registry;
  }

  llvm::Error refuse(const llvm::Twine &what) {
    return errorOf(errors.empty() ? what : what + ": " + errors);
  }

  /// The insides of all gpu.modules, or of the module itself.
  llvm::Error parse(llvm::StringRef text) {
    auto whole = parseSourceString<ModuleOp>(
        text.contains("nvvm.barrier ") ? spellBarriers(text) : text.str(),
        &context);
    if (!whole)
      return refuse("the code is no module of stage 'nvvm'");
    auto modules = llvm::to_vector(whole->getOps<gpu::GPUModuleOp>());
    if (modules.empty()) {
      module = std::move(whole);
    } else {
      module = ModuleOp::create(whole->getLoc());
      Block &body = *module->getBody();
      for (gpu::GPUModuleOp each : modules)
        body.getOperations().splice(body.end(),
                                    each.getBody()->getOperations());
    }
    // What NVVM itself writes as PTX.
    PassManager passes(&context);
    passes.addPass(createConvertNVVMToLLVMPass());
    if (failed(passes.run(*module)))
      return refuse("the code is not at stage 'nvvm'");
    return llvm::Error::success();
  }

  /// The first place that a location names, as "file:line".
  unsigned indexOf(Location location) {
    auto [known, isNew] = indices.try_emplace(location, 0);
    if (!isNew)
      return known->second;
    auto place = location->findInstanceOf<FileLineColLoc>();
    if (!place)
      return 0;
    std::string text =
        (place.getFilename().getValue() + ":" + llvm::Twine(place.getLine()))
            .str();
    auto [index, isFirst] = ofPlaces.try_emplace(text, places.size() + 1);
    if (isFirst)
      places.push_back(text);
    return indices[location] = index->second;
  }

  void placeOps() {
    auto file = StringAttr::get(&context, "weft");
    module->walk([&](Operation *op) {
      unsigned index = indexOf(op->getLoc());
      op->setLoc(FileLineColLoc::get(file, index, 1));
    });
  }

  llvm::Error translate() {
    PassManager passes(&context);
    LLVM::DIScopeForLLVMFuncOpPassOptions options;
    options.emissionKind = LLVM::DIEmissionKind::LineTablesOnly;
    passes.addPass(LLVM::createDIScopeForLLVMFuncOpPass(options));
    if (failed(passes.run(*module)))
      return refuse("the code is not at stage 'nvvm'");
    code = translateModuleToLLVMIR(*module, llvmContext, "weft");
    if (!code)
      return refuse("the code cannot be translated to LLVM IR");
    // Quickly: a kernel spends its time in the emulator.
    auto created = createTargetMachine(llvm::CodeGenOptLevel::None);
    if (!created)
      return created.takeError();
    machine = std::move(*created);
    code->setTargetTriple(machine->getTargetTriple());
    code->setDataLayout(machine->createDataLayout());
    scalarizeMasks();
    return llvm::Error::success();
  }

  /// Runs passes over functions.
  void runPasses(llvm::FunctionPassManager passes,
                 llvm::TargetMachine *target) {
    llvm::LoopAnalysisManager loops;
    llvm::FunctionAnalysisManager functions;
    llvm::CGSCCAnalysisManager sccs;
    llvm::ModuleAnalysisManager modules;
    llvm::PassBuilder builder(target);
    builder.registerModuleAnalyses(modules);
    builder.registerCGSCCAnalyses(sccs);
    builder.registerFunctionAnalyses(functions);
    builder.registerLoopAnalyses(loops);
    builder.crossRegisterProxies(loops, functions, sccs, modules);
    for (llvm::Function &function : *code)
      if (!function.isDeclaration())
        passes.run(function, functions);
  }

  /// As for a GPU, which has no masked accesses: each is checked by itself.
  void scalarizeMasks() {
    bool isMasked = llvm::any_of(*code, [](const llvm::Function &function) {
      return function.getName().starts_with("llvm.masked.");
    });
    if (!isMasked)
      return;
    llvm::FunctionPassManager passes;
    passes.addPass(llvm::ScalarizeMaskedMemIntrinPass());
    runPasses(std::move(passes), nullptr);
  }

  /// Constants are looked up by name: they are memory that kernels may read.
  void exposeConstants() {
    unsigned count = 0;
    for (llvm::GlobalVariable &global : code->globals()) {
      if (global.isDeclaration() || global.getName().starts_with("llvm."))
        continue;
      llvm::Twine name = "weft.constant." + llvm::Twine(count++);
      std::string shown = global.getName().str();
      global.setName(name);
      global.setLinkage(llvm::GlobalValue::ExternalLinkage);
      globals.push_back(
          {global.getName().str(), shown,
           code->getDataLayout().getTypeAllocSize(global.getValueType())});
    }
  }

  /// Adds up the frames; LLVM would print its warnings, and end the process
  /// at an error.
  static void onDiagnostic(const llvm::DiagnosticInfo *info, void *compiler) {
    auto &self = *static_cast<Compiler *>(compiler);
    if (auto *frame = llvm::dyn_cast<llvm::DiagnosticInfoResourceLimit>(info))
      self.stackBytes += frame->getResourceSize();
    if (info->getSeverity() != llvm::DS_Error)
      return;
    llvm::raw_string_ostream stream(self.errors);
    llvm::DiagnosticPrinterRawOStream printer(stream);
    info->print(printer);
  }

  Expected<std::string> emit() {
    llvm::StripDebugInfo(*code);
    llvmContext.setDiagnosticHandlerCallBack(onDiagnostic, this);
    for (llvm::Function &function : *code) {
      // Has every function's frame told.
      function.addFnAttr("warn-stack-size", "0");
      function.addFnAttr("target-cpu", machine->getTargetCPU());
      function.addFnAttr("target-features", machine->getTargetFeatureString());
    }
    llvm::FunctionPassManager cleanup;
    cleanup.addPass(llvm::SROAPass(llvm::SROAOptions::ModifyCFG));
    cleanup.addPass(llvm::EarlyCSEPass());
    runPasses(std::move(cleanup), machine.get());
    llvm::SmallVector<char, 0> output;
    llvm::raw_svector_ostream stream(output);
    llvm::legacy::PassManager passes;
    if (machine->addPassesToEmitFile(passes, stream, nullptr,
                                     llvm::CodeGenFileType::ObjectFile))
      return errorOf("LLVM cannot emit code for this CPU");
    passes.run(*code);
    if (!errors.empty())
      return errorOf(errors);
    for (auto &kernel : program->kernels)
      kernel.second.stackBytes = stackBytes;
    return std::string(output.begin(), output.end());
  }

  llvm::Error link() {
    auto object = emit();
    if (!object)
      return object.takeError();
    auto jit = createJit();
    if (!jit)
      return jit.takeError();
    auto details = std::make_shared<std::string>();
    (*jit)->getExecutionSession().setErrorReporter(
        [details](llvm::Error error) {
          *details += llvm::toString(std::move(error));
        });
    if (llvm::Error error = (*jit)->addObjectFile(
            llvm::MemoryBuffer::getMemBufferCopy(*object, "weft")))
      return error;
    auto find = [&](llvm::StringRef name) -> Expected<char *> {
      auto address = (*jit)->lookup(name);
      if (!address)
        return llvm::joinErrors(errorOf(*details), address.takeError());
      return address->toPtr<char *>();
    };
    for (auto &kernel : program->kernels) {
      auto entry = find((entryPrefix + kernel.first()).str());
      if (!entry)
        return entry.takeError();
      kernel.second.entry = reinterpret_cast<void (*)(Slot *)>(*entry);
    }
    for (const Global &global : globals) {
      auto data = find(global.symbol);
      if (!data)
        return data.takeError();
      auto constant = std::make_unique<Allocation>(Allocation::Kind::Constant,
                                                   "constant " + global.name,
                                                   *data, global.bytes);
      constant->setWritten(0, global.bytes);
      program->constants.push_back(std::move(constant));
    }
    program->jit = std::move(*jit);
    return llvm::Error::success();
  }

  struct Global {
    std::string symbol, name;
    size_t bytes;
  };

  MLIRContext context;
  std::string errors;
  ScopedDiagnosticHandler handler;
  OwningOpRef<ModuleOp> module;
  llvm::DenseMap<Location, unsigned> indices;
  llvm::StringMap<unsigned> ofPlaces;
  std::vector<std::string> places;
  llvm::LLVMContext llvmContext;
  std::unique_ptr<llvm::Module> code;
  std::unique_ptr<llvm::TargetMachine> machine;
  std::vector<Global> globals;
  size_t stackBytes = 0;
  std::unique_ptr<Program> program{new Program()};
};

Expected<std::unique_ptr<Program>> Program::compile(llvm::StringRef text) {
  FatalErrorGuard guard;
  try {
    return Compiler().compile(text);
  } catch (const std::runtime_error &error) {
    return errorOf(error.what()); // LLVM's
  }
}

} // namespace weft::emulator
