// RUN: weft-opt --weft-to-expanded --weft-to-linalg --weft-to-fused --weft-to-memref --weft-to-loops --split-input-file %s | FileCheck %s

// At level 0 each op is a loop nest of scalars, which reads constants from no
// array; at the others what can be computed together is.

// CHECK: weft.optimization_level = 0
// CHECK-LABEL: func.func private @apart_kernel(
// CHECK: math.sin %{{.*}} : f32
// CHECK-LABEL: func.func private @apart_kernel_0(
// CHECK: %[[TWO:.*]] = arith.constant 2.0
// CHECK: arith.mulf %{{.*}} : f32
// CHECK-LABEL: func.func @apart.body(
module attributes {weft.optimization_level = 0 : i64} {
  func.func @apart(%x: tensor<64x64xf32>) -> tensor<64x64xf32> {
    %0 = weft.sin %x : tensor<64x64xf32>
    %two = weft.constant dense<2.0> : tensor<64x64xf32>
    %1 = weft.multiply %0, %two : tensor<64x64xf32>
    return %1 : tensor<64x64xf32>
  }
}

// -----

// CHECK: weft.optimization_level = 1
// CHECK-LABEL: func.func private @together_kernel(
// CHECK: %[[SIN:.*]] = math.sin %{{.*}} : f32
// CHECK-NEXT: arith.mulf %[[SIN]], %{{.*}} : f32
// CHECK-LABEL: func.func @together.body(
module attributes {weft.optimization_level = 1 : i64} {
  func.func @together(%x: tensor<64x64xf32>) -> tensor<64x64xf32> {
    %0 = weft.sin %x : tensor<64x64xf32>
    %two = weft.constant dense<2.0> : tensor<64x64xf32>
    %1 = weft.multiply %0, %two : tensor<64x64xf32>
    return %1 : tensor<64x64xf32>
  }
}
