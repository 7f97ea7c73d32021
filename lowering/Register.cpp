// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a tool registers to run the lowering.

#include "lowering/Cpu.h"
#include "lowering/Gpu.h"
#include "lowering/Passes.h"
#include "mlir/Conversion/ConvertToLLVM/ToLLVMInterface.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlow.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/Target/LLVMIR/Dialect/All.h"

using namespace mlir;

namespace weft {
#define GEN_PASS_REGISTRATION
#include "lowering/Passes.h.inc"
} // namespace weft

void weft::registerLoweringPasses() {
  registerWeftLoweringPasses();
  registerCpuPipelines();
  registerGpuPipelines();
}

void weft::registerLoweringDialects(DialectRegistry &registry) {
  registerAllDialects(registry);
  registerAllExtensions(registry);
  registerAllToLLVMIRTranslations(registry);
  registerLibraryCallBufferization(registry);
}
