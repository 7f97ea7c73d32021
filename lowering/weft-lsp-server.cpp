// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The language server for .mlir files with Weft's ops in them.

#include "dialects/Weft.h"
#include "lowering/Passes.h"
#include "mlir/Tools/mlir-lsp-server/MlirLspServerMain.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  weft::registerLoweringDialects(registry);
  weft::registerWeftDialect(registry);
  return mlir::failed(mlir::MlirLspServerMain(argc, argv, registry));
}
