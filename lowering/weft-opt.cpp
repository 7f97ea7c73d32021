// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// mlir-opt with Weft's dialect, passes and pipelines.

#include "dialects/Weft.h"
#include "dialects/transforms/Passes.h"
#include "lowering/Cpu.h"
#include "lowering/Passes.h"
#include "mlir/InitAllPasses.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "llvm/Support/ErrorHandling.h"
#include "llvm/Support/FormatVariadic.h"

namespace {

/// A bug in LLVM or a limit of it: said in one line, without a stack dump.
[[noreturn]] void onFatalError(void *, const char *reason, bool) {
  llvm::errs() << "weft-opt: error: " << reason << "\n";
  exit(1);
}

std::string overview() {
  std::string text = "runs passes over array programs written in MLIR.\n\n"
                     "A program passes through these stages:\n";
  for (const weft::Stage &stage : weft::cpuStages())
    text += llvm::formatv("  {0,-9} {1}\n", stage.name.str(), stage.doc.str());
  return text + R"(
--weft-to-STAGE goes from the stage before to STAGE, --weft-cpu from weft to
llvm; weft-opt itself cannot print llvmir and asm. For example:
  weft-opt --weft-to-expanded grad.mlir
  weft-opt --weft-to-expanded --weft-to-linalg --weft-to-fused f.mlir
  weft-opt --weft-cpu --mlir-print-ir-after=weft-plan-arena f.mlir -o f.llvm.mlir

All of mlir-opt's passes are here too; --help-list lists the options plainly.
)";
}

} // namespace

int main(int argc, char **argv) {
  llvm::install_fatal_error_handler(onFatalError);
  mlir::registerAllPasses();
  weft::registerTransformPasses();
  weft::registerLoweringPasses();
  mlir::DialectRegistry registry;
  weft::registerLoweringDialects(registry);
  weft::registerWeftDialect(registry);
  return mlir::asMainReturnCode(
      mlir::MlirOptMain(argc, argv, overview(), registry));
}
