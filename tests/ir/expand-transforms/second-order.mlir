// The second derivative is the first one, differentiated: linearize of a function
// that itself linearizes.
// RUN: weft-opt --weft-expand-transforms %s | FileCheck %s
// RUN: weft-opt --weft-to-expanded --weft-to-linalg %s | FileCheck %s --check-prefix=LINALG
// RUN: %weft-run < %s | FileCheck %s --check-prefix=RESULT

func.func private @f(%x: tensor<f64>) -> tensor<f64> {
  %0 = weft.sin %x : tensor<f64>
  return %0 : tensor<f64>
}
func.func private @df(%x: tensor<f64>) -> tensor<f64> {
  %one = weft.constant dense<1.0> : tensor<f64>
  %y, %r = weft.linearize @f(%x) wrt [0] : (tensor<f64>) -> (tensor<f64>, !weft.residuals<@f, [0]>)
  %dx = weft.pullback %r(%one) : (!weft.residuals<@f, [0]>, tensor<f64>) -> tensor<f64>
  return %dx : tensor<f64>
}
// CHECK-LABEL: func.func @second(
// CHECK-SAME: %[[X:.+]]: tensor<f64>, %[[CT:.+]]: tensor<f64>)
// CHECK-NEXT: %[[SIN:.+]] = weft.sin %[[X]]
// CHECK-NEXT: %[[CT_SIN:.+]] = weft.multiply %[[CT]], %[[SIN]]
// CHECK-NEXT: %[[DDX:.+]] = weft.negative %[[CT_SIN]]
// CHECK-NEXT: return %[[DDX]]
// LINALG-LABEL: func.func @second(
// LINALG: math.sin
// LINALG: arith.mulf
// LINALG: arith.negf
func.func @second(%x: tensor<f64>, %ct: tensor<f64>) -> tensor<f64> {
  %y, %r = weft.linearize @df(%x) wrt [0] : (tensor<f64>) -> (tensor<f64>, !weft.residuals<@df, [0]>)
  %ddx = weft.pullback %r(%ct) : (!weft.residuals<@df, [0]>, tensor<f64>) -> tensor<f64>
  return %ddx : tensor<f64>
}

func.func private @ddf(%x: tensor<f64>) -> tensor<f64> {
  %one = weft.constant dense<1.0> : tensor<f64>
  %y, %r = weft.linearize @df(%x) wrt [0] : (tensor<f64>) -> (tensor<f64>, !weft.residuals<@df, [0]>)
  %ddx = weft.pullback %r(%one) : (!weft.residuals<@df, [0]>, tensor<f64>) -> tensor<f64>
  return %ddx : tensor<f64>
}
// CHECK-LABEL: func.func @third(
// CHECK-SAME: %[[X:.+]]: tensor<f64>, %[[CT:.+]]: tensor<f64>)
// CHECK: %[[COS:.+]] = weft.cos %[[X]]
// CHECK: weft.multiply %{{.+}}, %[[COS]]
func.func @third(%x: tensor<f64>, %ct: tensor<f64>) -> tensor<f64> {
  %y, %r = weft.linearize @ddf(%x) wrt [0] : (tensor<f64>) -> (tensor<f64>, !weft.residuals<@ddf, [0]>)
  %dddx = weft.pullback %r(%ct) : (!weft.residuals<@ddf, [0]>, tensor<f64>) -> tensor<f64>
  return %dddx : tensor<f64>
}

func.func @main() -> (tensor<f64>, tensor<f64>) {
  %half_pi = weft.constant dense<1.5707963267948966> : tensor<f64>
  %zero = weft.constant dense<0.0> : tensor<f64>
  %two = weft.constant dense<2.0> : tensor<f64>
  %0 = call @second(%half_pi, %two) : (tensor<f64>, tensor<f64>) -> tensor<f64>
  %1 = call @third(%zero, %two) : (tensor<f64>, tensor<f64>) -> tensor<f64>
  return %0, %1 : tensor<f64>, tensor<f64>
}
// RESULT: float64 -2.0
// RESULT-NEXT: float64 -2.0
