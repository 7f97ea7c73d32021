// RUN: weft-opt --canonicalize %s | FileCheck %s

// A sum of no products is zero.
// CHECK-LABEL: func.func @nothing_to_sum(
// CHECK-NEXT: %[[ZERO:.+]] = weft.constant dense<0.000000e+00> : tensor<2x3xf32>
// CHECK-NEXT: return %[[ZERO]]
func.func @nothing_to_sum(%l: tensor<2x0xf32>, %r: tensor<0x3xf32>) -> tensor<2x3xf32> {
  %0 = weft.dot_general %l, %r batch [] x [] contract [1] x [0] : (tensor<2x0xf32>, tensor<0x3xf32>) -> tensor<2x3xf32>
  return %0 : tensor<2x3xf32>
}

// Zeros do not absorb: the other operand may hold NaN.
// CHECK-LABEL: func.func @zeros(
// CHECK: weft.dot_general
func.func @zeros(%l: tensor<2x4xf32>) -> tensor<2x3xf32> {
  %zero = weft.constant dense<0.0> : tensor<4x3xf32>
  %0 = weft.dot_general %l, %zero batch [] x [] contract [1] x [0] : (tensor<2x4xf32>, tensor<4x3xf32>) -> tensor<2x3xf32>
  return %0 : tensor<2x3xf32>
}

// CHECK-LABEL: func.func @no_features(
// CHECK-NEXT: weft.constant dense<0.000000e+00> : tensor<2x3xf32>
func.func @no_features(%x: tensor<2x4x0xf32>, %w: tensor<2x0xf32>) -> tensor<2x3xf32> {
  %0 = weft.convolution %x, %w batch [] x [] contract [2] x [1] spatial [1] x [0] order [0, 1] strides [1] low [0] high [0] base_dilation [1] window_dilation [1] : (tensor<2x4x0xf32>, tensor<2x0xf32>) -> tensor<2x3xf32>
  return %0 : tensor<2x3xf32>
}

// Padding is multiplied: the window may hold infinities.
// CHECK-LABEL: func.func @padding_alone(
// CHECK: weft.convolution
func.func @padding_alone(%x: tensor<0xf32>, %w: tensor<2xf32>) -> tensor<3xf32> {
  %0 = weft.convolution %x, %w batch [] x [] contract [] x [] spatial [0] x [0] order [0] strides [1] low [4] high [0] base_dilation [1] window_dilation [1] : (tensor<0xf32>, tensor<2xf32>) -> tensor<3xf32>
  return %0 : tensor<3xf32>
}
