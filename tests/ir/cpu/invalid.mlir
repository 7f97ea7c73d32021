// RUN: not weft-opt %s 2>&1 | FileCheck %s
// RUN: not weft-opt --weft-cpu %s 2>&1 | FileCheck %s
// RUN: not weft-opt --weft-no-such-pass %s 2>&1 | FileCheck %s --check-prefix=OPTION

// CHECK: invalid.mlir:[[@LINE+4]]:8: error:
// CHECK-NOT: Stack dump
// OPTION: Unknown command line argument '--weft-no-such-pass'
func.func @f(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = weft.sine %x : tensor<4xf32>
  return %0 : tensor<4xf32>
}
