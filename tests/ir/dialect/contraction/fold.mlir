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
