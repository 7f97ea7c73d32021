// Two stacks have a batch dimension more, one stack a free dimension; the result has
// the stack in front either way, without a transposition.
// RUN: weft-opt --weft-expand-transforms %s | FileCheck %s

func.func private @f(%x: tensor<2x7x3xf32>, %w: tensor<3x3x8xf32>) -> tensor<2x4x8xf32> {
  %0 = weft.convolution %x, %w batch [] x [] contract [2] x [1] spatial [1] x [0] order [0, 1, 2] strides [2] low [1] high [1] base_dilation [1] window_dilation [1] : (tensor<2x7x3xf32>, tensor<3x3x8xf32>) -> tensor<2x4x8xf32>
  return %0 : tensor<2x4x8xf32>
}
// CHECK-LABEL: func.func @both(
// CHECK-NEXT: weft.convolution %arg0, %arg1 batch [0] x [0] contract [3] x [2] spatial [2] x [1] order [0, 1, 2, 3]
// CHECK-NEXT: return
func.func @both(%x: tensor<5x2x7x3xf32>, %w: tensor<5x3x3x8xf32>) -> tensor<5x2x4x8xf32> {
  %0 = weft.vmap @f(%x, %w) size 5 in [0, 0] out [0] : (tensor<5x2x7x3xf32>, tensor<5x3x3x8xf32>) -> tensor<5x2x4x8xf32>
  return %0 : tensor<5x2x4x8xf32>
}
// CHECK-LABEL: func.func @left(
// CHECK-NEXT: weft.convolution %arg0, %arg1 batch [] x [] contract [3] x [1] spatial [2] x [0] order [0, 1, 2, 3]
// CHECK-NEXT: return
func.func @left(%x: tensor<5x2x7x3xf32>, %w: tensor<3x3x8xf32>) -> tensor<5x2x4x8xf32> {
  %0 = weft.vmap @f(%x, %w) size 5 in [0, -1] out [0] : (tensor<5x2x7x3xf32>, tensor<3x3x8xf32>) -> tensor<5x2x4x8xf32>
  return %0 : tensor<5x2x4x8xf32>
}
// CHECK-LABEL: func.func @right(
// CHECK-NEXT: weft.convolution %arg0, %arg1 batch [] x [] contract [2] x [2] spatial [1] x [1] order [2, 0, 1, 3]
// CHECK-NEXT: return
func.func @right(%x: tensor<2x7x3xf32>, %w: tensor<5x3x3x8xf32>) -> tensor<5x2x4x8xf32> {
  %0 = weft.vmap @f(%x, %w) size 5 in [-1, 0] out [0] : (tensor<2x7x3xf32>, tensor<5x3x3x8xf32>) -> tensor<5x2x4x8xf32>
  return %0 : tensor<5x2x4x8xf32>
}

func.func private @m(%x: tensor<7xf32>) -> tensor<3xf32> {
  %0 = weft.reduce_window_max %x window [3] strides [2] low [0] high [0] base_dilation [1] window_dilation [1] : (tensor<7xf32>) -> tensor<3xf32>
  return %0 : tensor<3xf32>
}
// CHECK-LABEL: func.func @windows(
// CHECK-NEXT: weft.reduce_window_max %arg0 window [1, 3] strides [1, 2] low [0, 0] high [0, 0] base_dilation [1, 1] window_dilation [1, 1] : (tensor<5x7xf32>) -> tensor<5x3xf32>
// CHECK-NEXT: return
func.func @windows(%x: tensor<5x7xf32>) -> tensor<5x3xf32> {
  %0 = weft.vmap @m(%x) size 5 in [0] out [0] : (tensor<5x7xf32>) -> tensor<5x3xf32>
  return %0 : tensor<5x3xf32>
}
