// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lowering/gpu/EmitPtx.h"
#include "lowering/OptimizationLevel.h"
#include "lowering/gpu/Device.h"
#include "lowering/jit/EmitCode.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Target/LLVMIR/Dialect/All.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"
#include <mutex>

using namespace mlir;
using llvm::Expected;

static llvm::Error errorOf(const Twine &message) {
  return llvm::createStringError(llvm::inconvertibleErrorCode(), message);
}

static Expected<std::unique_ptr<llvm::TargetMachine>>
createPtxMachine(const weft::Gpu &gpu) {
  static std::once_flag once;
  std::call_once(once, [] {
    LLVMInitializeNVPTXTargetInfo();
    LLVMInitializeNVPTXTarget();
    LLVMInitializeNVPTXTargetMC();
    LLVMInitializeNVPTXAsmPrinter();
  });
  llvm::Triple triple("nvptx64-nvidia-cuda");
  std::string error;
  const llvm::Target *target =
      llvm::TargetRegistry::lookupTarget(triple, error);
  if (!target)
    return errorOf("LLVM cannot compile for NVIDIA GPUs: " + error);
  std::unique_ptr<llvm::MCSubtargetInfo> chips(
      target->createMCSubtargetInfo(triple, "", ""));
  if (!chips || !chips->isCPUStringValid(gpu.chip))
    return errorOf("LLVM knows no NVIDIA GPU '" + gpu.chip +
                   "'; its names are like sm_80, sm_90a, sm_120");
  // Newer chips name the least version of PTX that has their instructions.
  StringRef features = gpu.capability() >= 100 ? "" : "+ptx80";
  return std::unique_ptr<llvm::TargetMachine>(target->createTargetMachine(
      triple, gpu.chip, features, llvm::TargetOptions(), std::nullopt,
      std::nullopt, llvm::CodeGenOptLevel::Aggressive));
}

static void optimize(llvm::Module &module, llvm::TargetMachine &machine,
                     weft::OptimizationLevel level) {
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager sccs;
  llvm::ModuleAnalysisManager modules;
  llvm::PipelineTuningOptions options;
  options.LoopVectorization = false;
  options.SLPVectorization = false;
  llvm::PassBuilder builder(&machine, options);
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(sccs);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, sccs, modules);
  // Kernels count on values being in registers, which O0 does without.
  builder
      .buildPerModuleDefaultPipeline(level < weft::OptimizationLevel::Default
                                         ? llvm::OptimizationLevel::O1
                                         : llvm::OptimizationLevel::O3)
      .run(module, modules);
}

/// The kernels alone, as a module.
static OwningOpRef<ModuleOp> extractKernels(ModuleOp module) {
  OwningOpRef<ModuleOp> kernels = ModuleOp::create(module.getLoc());
  for (auto own : module.getOps<gpu::GPUModuleOp>())
    for (Operation &op : own.getOps())
      kernels->getBody()->push_back(op.clone());
  return kernels;
}

Expected<std::string> weft::emitPtx(ModuleOp module) {
  FatalErrorGuard guard;
  auto machine = createPtxMachine(Gpu::of(module));
  if (!machine)
    return machine.takeError();
  registerBuiltinDialectTranslation(*module.getContext());
  registerLLVMDialectTranslation(*module.getContext());
  registerNVVMDialectTranslation(*module.getContext());
  llvm::LLVMContext context;
  std::string error;
  context.setDiagnosticHandlerCallBack(collectErrors, &error);
  OwningOpRef<ModuleOp> kernels = extractKernels(module);
  auto translated = translateModuleToLLVMIR(*kernels, context, "kernels");
  if (!translated)
    return errorOf("the module cannot be translated to LLVM IR: it is not at "
                   "stage 'nvvm'");
  translated->setTargetTriple((*machine)->getTargetTriple());
  translated->setDataLayout((*machine)->createDataLayout());
  optimize(*translated, **machine, optimizationLevelOf(module));
  llvm::SmallVector<char, 0> text;
  llvm::raw_svector_ostream stream(text);
  llvm::legacy::PassManager passes;
  if ((*machine)->addPassesToEmitFile(passes, stream, nullptr,
                                      llvm::CodeGenFileType::AssemblyFile))
    return errorOf("LLVM cannot write PTX");
  passes.run(*translated);
  if (!error.empty())
    return errorOf(error);
  return std::string(text.begin(), text.end());
}
