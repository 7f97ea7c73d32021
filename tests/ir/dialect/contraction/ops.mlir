// RUN: weft-opt %s | weft-opt | FileCheck %s
// RUN: weft-opt --mlir-print-op-generic %s | weft-opt | FileCheck %s
// RUN: weft-opt --mlir-print-op-generic %s | FileCheck %s --check-prefix=GENERIC

// CHECK-LABEL: func.func @dot_general(
// CHECK-SAME: %[[L:[a-z0-9]+]]: tensor<2x3x4xf32>, %[[R:[a-z0-9]+]]: tensor<4x2x5xf32>, %[[S:[a-z0-9]+]]: tensor<f32>)
func.func @dot_general(%l: tensor<2x3x4xf32>, %r: tensor<4x2x5xf32>, %s: tensor<f32>) {
  // CHECK-NEXT: weft.dot_general %[[L]], %[[R]] batch [0] x [1] contract [2] x [0] : (tensor<2x3x4xf32>, tensor<4x2x5xf32>) -> tensor<2x3x5xf32>
  // GENERIC: "weft.dot_general"(%{{.+}}) <{lhs_batch = array<i64: 0>, lhs_contract = array<i64: 2>, rhs_batch = array<i64: 1>, rhs_contract = array<i64: 0>}>
  %0 = weft.dot_general %l, %r batch [0] x [1] contract [2] x [0] : (tensor<2x3x4xf32>, tensor<4x2x5xf32>) -> tensor<2x3x5xf32>
  // CHECK-NEXT: weft.dot_general %[[L]], %[[S]] batch [] x [] contract [] x [] : (tensor<2x3x4xf32>, tensor<f32>) -> tensor<2x3x4xf32>
  %1 = weft.dot_general %l, %s batch [] x [] contract [] x [] : (tensor<2x3x4xf32>, tensor<f32>) -> tensor<2x3x4xf32>
  return
}
