// RUN: weft-opt %s | weft-opt | FileCheck %s
// RUN: weft-opt --mlir-print-op-generic %s | weft-opt | FileCheck %s
// RUN: weft-opt --mlir-print-op-generic %s | FileCheck %s --check-prefix=GENERIC

// CHECK-LABEL: func.func @dot_general(
// CHECK-SAME: %[[L:[a-z0-9]+]]: tensor<2x3x4xf32>, %[[R:[a-z0-9]+]]: tensor<4x2x5xf32>, %[[S:[a-z0-9]+]]: tensor<f32>)
func.func @dot_general(%l: tensor<2x3x4xf32>, %r: tensor<4x2x5xf32>, %s: tensor<f32>) {
  // CHECK-NEXT: weft.dot_general %[[L]], %[[R]] batch [0] x [1] contract [2] x [0] : (tensor<2x3x4xf32>, tensor<4x2x5xf32>) -> tensor<2x3x5xf32>
  // GENERIC: "weft.dot_general"(%{{.+}}) <{lhs_batch = array<i64: 0>, lhs_contract = array<i64: 2>, rhs_batch = array<i64: 1>, rhs_contract = array<i64: 0>}>
  %0 = weft.dot_general %l, %r batch [0] x [1] contract [2] x [0] : (tensor<2x3x4xf32>, tensor<4x2x5xf32>) -> tensor<2x3x5xf32>
  // CHECK-NEXT: weft.dot_general %[[L]], %[[R]] {{.+}} contract [2] x [0] {precision = "tf32"} : (tensor<2x3x4xf32>,
  %2 = weft.dot_general %l, %r batch [0] x [1] contract [2] x [0] {precision = "tf32"} : (tensor<2x3x4xf32>, tensor<4x2x5xf32>) -> tensor<2x3x5xf32>
  // CHECK-NEXT: weft.dot_general %[[L]], %[[S]] batch [] x [] contract [] x [] : (tensor<2x3x4xf32>, tensor<f32>) -> tensor<2x3x4xf32>
  %1 = weft.dot_general %l, %s batch [] x [] contract [] x [] : (tensor<2x3x4xf32>, tensor<f32>) -> tensor<2x3x4xf32>
  return
}

// The sum of products may be of a wider type than they are.
// CHECK-LABEL: func.func @accumulated(
func.func @accumulated(%x: tensor<2x3xi8>, %y: tensor<2x3xf32>) {
  // CHECK-NEXT: weft.dot_general {{.+}} : (tensor<2x3xi8>, tensor<2x3xi8>) -> tensor<2x2xi32>
  %0 = weft.dot_general %x, %x batch [] x [] contract [1] x [1] : (tensor<2x3xi8>, tensor<2x3xi8>) -> tensor<2x2xi32>
  // CHECK-NEXT: weft.dot_general {{.+}} : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x2xf64>
  %1 = weft.dot_general %y, %y batch [] x [] contract [1] x [1] : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x2xf64>
  return
}

// CHECK-LABEL: func.func @convolution(
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<2x9x9x3xf32>, %[[W:[a-z0-9]+]]: tensor<3x3x3x8xf32>)
func.func @convolution(%x: tensor<2x9x9x3xf32>, %w: tensor<3x3x3x8xf32>) {
  // CHECK-NEXT: weft.convolution %[[X]], %[[W]] batch [] x [] contract [3] x [2] spatial [1, 2] x [0, 1] order [0, 1, 2, 3] strides [1, 1] low [1, 1] high [1, 1] base_dilation [1, 1] window_dilation [1, 1] : (tensor<2x9x9x3xf32>, tensor<3x3x3x8xf32>) -> tensor<2x9x9x8xf32>
  %0 = weft.convolution %x, %w batch [] x [] contract [3] x [2] spatial [1, 2] x [0, 1] order [0, 1, 2, 3] strides [1, 1] low [1, 1] high [1, 1] base_dilation [1, 1] window_dilation [1, 1] : (tensor<2x9x9x3xf32>, tensor<3x3x3x8xf32>) -> tensor<2x9x9x8xf32>
  return
}
