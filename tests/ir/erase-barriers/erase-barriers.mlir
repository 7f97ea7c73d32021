// RUN: weft-opt --weft-to-linalg --weft-to-fused --cse %s | FileCheck %s --check-prefix=BEFORE
// RUN: weft-opt --weft-to-linalg --weft-to-fused --weft-to-memref %s | FileCheck %s

// What was computed again behind the barrier stays, through buffers too.
// BEFORE-LABEL: func.func @twice(
// BEFORE: math.sin
// BEFORE: weft.barrier
// BEFORE: math.sin
// CHECK-LABEL: func.func @twice(
// CHECK-NOT: weft.barrier
// CHECK: math.sin
// CHECK: math.sin
// CHECK-NOT: memref.copy
func.func @twice(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  %a = weft.sin %x : tensor<4xf32>
  %y = weft.barrier %x : tensor<4xf32> to tensor<4xf32>
  %b = weft.sin %y : tensor<4xf32>
  return %a, %b : tensor<4xf32>, tensor<4xf32>
}
