// A function that is not called may return residuals, and another take them:
// a program's forward and backward pass.
// RUN: weft-opt --weft-expand-transforms %s | FileCheck %s

// CHECK-LABEL: func.func @forward(
// CHECK-SAME: %[[X:.+]]: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
// CHECK: %[[Y:.+]] = weft.exp %[[X]]
// CHECK: return %[[Y]], %[[Y]]
// CHECK-LABEL: func.func @backward(
// CHECK-SAME: %[[R:.+]]: tensor<4xf32>, %[[CT:.+]]: tensor<4xf32>) -> tensor<4xf32> {
// CHECK: %[[DX:.+]] = weft.multiply %[[CT]], %[[R]]
// CHECK: return %[[DX]]
func.func private @f(%x: tensor<4xf32>) -> tensor<4xf32> {
  %y = weft.exp %x : tensor<4xf32>
  return %y : tensor<4xf32>
}
func.func @forward(%x: tensor<4xf32>) -> (tensor<4xf32>, !weft.residuals<@f, [0]>) {
  %y, %r = weft.linearize @f(%x) wrt [0] : (tensor<4xf32>) -> (tensor<4xf32>, !weft.residuals<@f, [0]>)
  return %y, %r : tensor<4xf32>, !weft.residuals<@f, [0]>
}
func.func @backward(%r: !weft.residuals<@f, [0]>, %ct: tensor<4xf32>) -> tensor<4xf32> {
  %dx = weft.pullback %r(%ct) : (!weft.residuals<@f, [0]>, tensor<4xf32>) -> tensor<4xf32>
  return %dx : tensor<4xf32>
}
