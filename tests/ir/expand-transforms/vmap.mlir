// Batching widens the ops; axes are moved around it.
// RUN: weft-opt --weft-expand-transforms %s | FileCheck %s
// RUN: weft-opt --weft-expand-transforms --mlir-print-ir-before=weft-inline-calls -o /dev/null %s 2>&1 | FileCheck %s --check-prefix=SPLIT
// RUN: %weft-run < %s | FileCheck %s --check-prefix=RESULT

func.func private @f(%x: tensor<2xf64>, %w: tensor<f64>) -> (tensor<2xf64>, tensor<f64>) {
  %0 = weft.sin %x : tensor<2xf64>
  %1 = weft.cos %w : tensor<f64>
  return %0, %1 : tensor<2xf64>, tensor<f64>
}
// SPLIT-COUNT-1: func.func private @f.vmap(
// SPLIT-NOT: func.func private @f.vmap

// Results that do not depend on a stack are repeated, if at all.
// CHECK-LABEL: func.func @axes(
// CHECK-SAME: %[[X:.+]]: tensor<2x3xf64>, %[[W:.+]]: tensor<f64>)
// CHECK-DAG: %[[MOVED:.+]] = weft.transpose %[[X]]
// CHECK-DAG: %[[SIN:.+]] = weft.sin %[[MOVED]] : tensor<3x2xf64>
// CHECK-DAG: %[[COS:.+]] = weft.cos %[[W]] : tensor<f64>
// CHECK-DAG: %[[REPEATED:.+]] = weft.broadcast %[[COS]]
// CHECK-DAG: %[[BACK:.+]] = weft.transpose %[[SIN]]
// CHECK: return %[[BACK]], %[[REPEATED]], %[[COS]]
func.func @axes(%x: tensor<2x3xf64>, %w: tensor<f64>) -> (tensor<2x3xf64>, tensor<3xf64>, tensor<f64>) {
  %y:2 = weft.vmap @f(%x, %w) size 3 in [1, -1] out [1, 0] : (tensor<2x3xf64>, tensor<f64>) -> (tensor<2x3xf64>, tensor<3xf64>)
  %z:2 = weft.vmap @f(%x, %w) size 3 in [1, -1] out [1, -1] : (tensor<2x3xf64>, tensor<f64>) -> (tensor<2x3xf64>, tensor<f64>)
  return %y#0, %y#1, %z#1 : tensor<2x3xf64>, tensor<3xf64>, tensor<f64>
}

// The Hessian of a sum of products: vmap of jvp of a gradient.
func.func private @loss(%x: tensor<2xf64>) -> tensor<f64> {
  %0 = weft.reverse %x dims [0] : tensor<2xf64> to tensor<2xf64>
  %1 = weft.multiply %x, %0 : tensor<2xf64>
  %2 = weft.multiply %1, %x : tensor<2xf64>
  %3 = weft.sum %2 axes [0] : tensor<2xf64> to tensor<f64>
  return %3 : tensor<f64>
}
func.func private @gradient(%x: tensor<2xf64>) -> tensor<2xf64> {
  %one = weft.constant dense<1.0> : tensor<f64>
  %y, %r = weft.linearize @loss(%x) wrt [0] : (tensor<2xf64>) -> (tensor<f64>, !weft.residuals<@loss, [0]>)
  %dx = weft.pullback %r(%one) : (!weft.residuals<@loss, [0]>, tensor<f64>) -> tensor<2xf64>
  return %dx : tensor<2xf64>
}
func.func private @row(%x: tensor<2xf64>, %t: tensor<2xf64>) -> tensor<2xf64> {
  %0:2 = weft.jvp @gradient(%x) along(%t) wrt [0] : (tensor<2xf64>, tensor<2xf64>) -> (tensor<2xf64>, tensor<2xf64>)
  return %0#1 : tensor<2xf64>
}
func.func @main() -> (tensor<2x2xf64>, tensor<2x2xf64>) {
  %x = weft.constant dense<[3.0, 5.0]> : tensor<2xf64>
  %basis = weft.constant dense<[[1.0, 0.0], [0.0, 1.0]]> : tensor<2x2xf64>
  %0 = weft.vmap @row(%x, %basis) size 2 in [-1, 0] out [1] : (tensor<2xf64>, tensor<2x2xf64>) -> tensor<2x2xf64>
  %1 = weft.vmap @row_of_vmap(%x, %basis) size 2 in [-1, 0] out [0] : (tensor<2xf64>, tensor<2x2xf64>) -> tensor<2x2xf64>
  return %0, %1 : tensor<2x2xf64>, tensor<2x2xf64>
}
// A vmap within a vmap.
func.func private @add(%x: tensor<f64>, %y: tensor<f64>) -> tensor<f64> {
  %0 = weft.add %x, %y : tensor<f64>
  return %0 : tensor<f64>
}
func.func private @row_of_vmap(%x: tensor<2xf64>, %t: tensor<2xf64>) -> tensor<2xf64> {
  %0 = weft.vmap @add(%x, %t) size 2 in [0, 0] out [0] : (tensor<2xf64>, tensor<2xf64>) -> tensor<2xf64>
  return %0 : tensor<2xf64>
}
// x^2 y + y^2 x at (3, 5)
// RESULT: {{\[\[}}10.0, 16.0], [16.0, 6.0]]
// RESULT: {{\[\[}}4.0, 5.0], [3.0, 6.0]]
