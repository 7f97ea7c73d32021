// What is printed with its locations is read again.
// RUN: weft-opt --weft-lower-warpgroup-products --mlir-print-debuginfo %S/clusters.mlir | weft-opt --mlir-print-debuginfo | FileCheck %s
// RUN: weft-opt --weft-lower-warpgroup-products='splits=1' --mlir-print-debuginfo %S/clusters.mlir | weft-opt --mlir-print-debuginfo | FileCheck %s
// CHECK: gpu.func @product
// CHECK: "llvm.nvvm.barrier.cta.sync.aligned.count"
// CHECK: loc(
