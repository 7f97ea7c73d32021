// Rules that a function brings along. SPLIT shows who calls whom before all is
// inlined.
// RUN: weft-opt --weft-expand-transforms %s | FileCheck %s
// RUN: weft-opt --weft-expand-transforms --mlir-print-ir-before=weft-inline-calls -o /dev/null %s 2>&1 | FileCheck %s --check-prefix=SPLIT
// RUN: %weft-run < %s | FileCheck %s --check-prefix=RESULT

// x y, whose rule says that it varies ten times as much with x, and not with y.
func.func private @f(%x: tensor<f64>, %y: tensor<f64>) -> tensor<f64>
    attributes {weft.custom_vjp = [@f_fwd, @f_bwd]} {
  %0 = weft.multiply %x, %y : tensor<f64>
  return %0 : tensor<f64>
}
// The rule calls the function itself.
func.func private @f_fwd(%x: tensor<f64>, %y: tensor<f64>) -> (tensor<f64>, tensor<f64>) {
  %0 = call @f(%x, %y) : (tensor<f64>, tensor<f64>) -> tensor<f64>
  return %0, %y : tensor<f64>, tensor<f64>
}
func.func private @f_bwd(%y: tensor<f64>, %ct: tensor<f64>) -> (tensor<f64>, tensor<f64>) {
  %ten = weft.constant dense<10.0> : tensor<f64>
  %zero = weft.constant dense<0.0> : tensor<f64>
  %0 = weft.multiply %y, %ten : tensor<f64>
  %1 = weft.multiply %0, %ct : tensor<f64>
  return %1, %zero : tensor<f64>, tensor<f64>
}
func.func private @uses_f(%x: tensor<f64>, %y: tensor<f64>) -> tensor<f64> {
  %0 = call @f(%x, %y) : (tensor<f64>, tensor<f64>) -> tensor<f64>
  return %0 : tensor<f64>
}
func.func private @df(%x: tensor<f64>, %y: tensor<f64>) -> (tensor<f64>, tensor<f64>) {
  %one = weft.constant dense<1.0> : tensor<f64>
  %z, %r = weft.linearize @uses_f(%x, %y) wrt [0, 1] : (tensor<f64>, tensor<f64>) -> (tensor<f64>, !weft.residuals<@uses_f, [0, 1]>)
  %d:2 = weft.pullback %r(%one) : (!weft.residuals<@uses_f, [0, 1]>, tensor<f64>) -> (tensor<f64>, tensor<f64>)
  return %d#0, %d#1 : tensor<f64>, tensor<f64>
}
// SPLIT: func.func private @uses_f.vmap.fwd(
// SPLIT: call @f_fwd.vmap(
// SPLIT: func.func private @uses_f.vmap.bwd(
// SPLIT: call @f_bwd.vmap

// Only one of the operands, twice: the rule of y alone gives zero, and the
// derivative of the rule of x by y is ten.
// CHECK-LABEL: func.func @parts(
// CHECK-DAG: %[[ZERO:.+]] = weft.constant dense<0.000000e+00>
// CHECK-DAG: %[[TEN:.+]] = weft.constant dense<1.000000e+01>
// CHECK: return %[[ZERO]], %[[TEN]]
func.func @parts(%x: tensor<f64>, %y: tensor<f64>) -> (tensor<f64>, tensor<f64>) {
  %one = weft.constant dense<1.0> : tensor<f64>
  %z, %r = weft.linearize @f(%x, %y) wrt [1] : (tensor<f64>, tensor<f64>) -> (tensor<f64>, !weft.residuals<@f, [1]>)
  %dy = weft.pullback %r(%one) : (!weft.residuals<@f, [1]>, tensor<f64>) -> tensor<f64>
  %d:2, %s = weft.linearize @df(%x, %y) wrt [1] : (tensor<f64>, tensor<f64>) -> (tensor<f64>, tensor<f64>, !weft.residuals<@df, [1]>)
  %zero = weft.constant dense<0.0> : tensor<f64>
  %dd = weft.pullback %s(%one, %zero) : (!weft.residuals<@df, [1]>, tensor<f64>, tensor<f64>) -> tensor<f64>
  return %dy, %dd : tensor<f64>, tensor<f64>
}

// Batched, the rule is batched too; the gradient of what all share is summed.
func.func private @batched(%x: tensor<f64>, %y: tensor<2xf64>) -> tensor<2xf64> {
  %0 = weft.vmap @uses_f(%x, %y) size 2 in [-1, 0] out [0] : (tensor<f64>, tensor<2xf64>) -> tensor<2xf64>
  return %0 : tensor<2xf64>
}

// sin(x) times n, whose rule for forward mode serves reverse mode as well.
func.func private @g(%x: tensor<f64>, %n: tensor<i64>, %y: tensor<f64>) -> (tensor<i64>, tensor<f64>)
    attributes {weft.custom_jvp = @g_jvp} {
  %0 = weft.sin %x : tensor<f64>
  %1 = weft.multiply %0, %y : tensor<f64>
  return %n, %1 : tensor<i64>, tensor<f64>
}
func.func private @g_jvp(%x: tensor<f64>, %n: tensor<i64>, %y: tensor<f64>, %tx: tensor<f64>, %ty: tensor<f64>) -> (tensor<i64>, tensor<f64>, tensor<f64>) {
  %0:2 = call @g(%x, %n, %y) : (tensor<f64>, tensor<i64>, tensor<f64>) -> (tensor<i64>, tensor<f64>)
  %1 = weft.convert %n : tensor<i64> to tensor<f64>
  %2 = weft.multiply %1, %tx : tensor<f64>
  %3 = weft.add %2, %ty : tensor<f64>
  return %0#0, %0#1, %3 : tensor<i64>, tensor<f64>, tensor<f64>
}
// CHECK-LABEL: func.func @by_jvp(
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<f64>, %[[N:[a-z0-9]+]]: tensor<i64>, %[[T:[a-z0-9]+]]: tensor<f64>)
// CHECK: %[[FACTOR:.+]] = weft.convert %[[N]]
// CHECK-NOT: weft.cos
// CHECK: weft.multiply %[[FACTOR]], %[[T]]
func.func @by_jvp(%x: tensor<f64>, %n: tensor<i64>, %t: tensor<f64>) -> (tensor<f64>, tensor<f64>, tensor<f64>, tensor<f64>) {
  %0:3 = weft.jvp @g(%x, %n, %x) along(%t) wrt [0] : (tensor<f64>, tensor<i64>, tensor<f64>, tensor<f64>) -> (tensor<i64>, tensor<f64>, tensor<f64>)
  %1:3 = weft.jvp @g(%x, %n, %x) along(%t, %t) wrt [0, 2] : (tensor<f64>, tensor<i64>, tensor<f64>, tensor<f64>, tensor<f64>) -> (tensor<i64>, tensor<f64>, tensor<f64>)
  %z:2, %r = weft.linearize @g(%x, %n, %x) wrt [0] : (tensor<f64>, tensor<i64>, tensor<f64>) -> (tensor<i64>, tensor<f64>, !weft.residuals<@g, [0]>)
  %dx = weft.pullback %r(%t) : (!weft.residuals<@g, [0]>, tensor<f64>) -> tensor<f64>
  return %0#2, %1#2, %z#1, %dx : tensor<f64>, tensor<f64>, tensor<f64>, tensor<f64>
}
func.func private @g_of(%x: tensor<f64>, %n: tensor<i64>) -> tensor<f64> {
  %0:2 = call @g(%x, %n, %x) : (tensor<f64>, tensor<i64>, tensor<f64>) -> (tensor<i64>, tensor<f64>)
  return %0#1 : tensor<f64>
}
func.func private @g_batched(%x: tensor<2xf64>, %n: tensor<i64>) -> tensor<2xf64> {
  %0 = weft.vmap @g_of(%x, %n) size 2 in [0, -1] out [0] : (tensor<2xf64>, tensor<i64>) -> tensor<2xf64>
  return %0 : tensor<2xf64>
}

func.func @main() -> (tensor<f64>, tensor<2xf64>, tensor<2xf64>, tensor<2xf64>, tensor<f64>, tensor<f64>, tensor<f64>) {
  %x = weft.constant dense<3.0> : tensor<f64>
  %xs = weft.constant dense<[3.0, 4.0]> : tensor<2xf64>
  %ones = weft.constant dense<1.0> : tensor<2xf64>
  %n = weft.constant dense<7> : tensor<i64>
  %y, %r = weft.linearize @batched(%x, %xs) wrt [0, 1] : (tensor<f64>, tensor<2xf64>) -> (tensor<2xf64>, !weft.residuals<@batched, [0, 1]>)
  %d:2 = weft.pullback %r(%ones) : (!weft.residuals<@batched, [0, 1]>, tensor<2xf64>) -> (tensor<f64>, tensor<2xf64>)
  %z, %s = weft.linearize @g_batched(%xs, %n) wrt [0] : (tensor<2xf64>, tensor<i64>) -> (tensor<2xf64>, !weft.residuals<@g_batched, [0]>)
  %e = weft.pullback %s(%ones) : (!weft.residuals<@g_batched, [0]>, tensor<2xf64>) -> tensor<2xf64>
  %0:2 = weft.jvp @g_batched(%xs, %n) along(%ones) wrt [0] : (tensor<2xf64>, tensor<i64>, tensor<2xf64>) -> (tensor<2xf64>, tensor<2xf64>)
  %zero = weft.constant dense<0.0> : tensor<f64>
  %1:4 = call @by_jvp(%zero, %n, %x) : (tensor<f64>, tensor<i64>, tensor<f64>) -> (tensor<f64>, tensor<f64>, tensor<f64>, tensor<f64>)
  return %d#0, %d#1, %e, %0#1, %1#0, %1#1, %1#3 : tensor<f64>, tensor<2xf64>, tensor<2xf64>, tensor<2xf64>, tensor<f64>, tensor<f64>, tensor<f64>
}
// RESULT: float64 70.0
// RESULT-NEXT: float64 [0.0, 0.0]
// RESULT-NEXT: float64 [8.0, 8.0]
// RESULT-NEXT: float64 [8.0, 8.0]
// RESULT-NEXT: float64 21.0
// RESULT-NEXT: float64 24.0
// RESULT-NEXT: float64 21.0
