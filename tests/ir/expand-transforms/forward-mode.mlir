// Forward mode: behind each op those that move its result. FORWARD shows a function
// before it is inlined, RESULT the numbers.
// RUN: weft-opt --weft-expand-transforms %s | FileCheck %s
// RUN: weft-opt --weft-expand-transforms --mlir-print-ir-before=weft-inline-calls -o /dev/null %s 2>&1 | FileCheck %s --check-prefix=FORWARD
// RUN: %weft-run < %s | FileCheck %s --check-prefix=RESULT

func.func private @g(%x: tensor<f64>, %y: tensor<f64>) -> (tensor<f64>, tensor<i1>) {
  %0 = weft.multiply %x, %y : tensor<f64>
  %1 = weft.less %x, %y : tensor<f64>
  return %0, %1 : tensor<f64>, tensor<i1>
}

// Where nothing moves, nothing is built.
// FORWARD: func.func private @g.jvp(%[[X:.+]]: tensor<f64>, %[[Y:.+]]: tensor<f64>, %[[T:.+]]: tensor<f64>) -> (tensor<f64>, tensor<i1>, tensor<f64>)
// FORWARD-NEXT: %[[Z:.+]] = weft.multiply %[[X]], %[[Y]]
// FORWARD-NEXT: %[[TZ:.+]] = weft.multiply %[[T]], %[[Y]]
// FORWARD-NEXT: %[[P:.+]] = weft.less
// FORWARD-NEXT: return %[[Z]], %[[P]], %[[TZ]]
// FORWARD-LABEL: func.func private @f.jvp(
// FORWARD: call @g.jvp(
// FORWARD-NOT: call @g(
// FORWARD: return
func.func private @f(%x: tensor<f64>, %y: tensor<f64>) -> (tensor<f64>, tensor<f64>, tensor<i1>) {
  %0 = weft.sin %x : tensor<f64>
  %1 = weft.cos %y : tensor<f64>
  %2:2 = call @g(%0, %1) : (tensor<f64>, tensor<f64>) -> (tensor<f64>, tensor<i1>)
  return %2#0, %1, %2#1 : tensor<f64>, tensor<f64>, tensor<i1>
}

// A result that does not move has the tangent zero.
// CHECK-LABEL: func.func @forward(
// CHECK-SAME: %[[X:.+]]: tensor<f64>, %[[Y:.+]]: tensor<f64>, %[[T:.+]]: tensor<f64>)
// CHECK-DAG: %[[ZERO:.+]] = weft.constant dense<0.000000e+00>
// CHECK-DAG: %[[COS:.+]] = weft.cos %[[X]]
// CHECK-DAG: %[[MOVED:.+]] = weft.multiply %[[T]], %[[COS]]
// CHECK-DAG: %[[COSY:.+]] = weft.cos %[[Y]]
// CHECK: %[[T0:.+]] = weft.multiply %[[MOVED]], %[[COSY]]
// CHECK: return %[[T0]], %[[ZERO]]
func.func @forward(%x: tensor<f64>, %y: tensor<f64>, %t: tensor<f64>) -> (tensor<f64>, tensor<f64>) {
  %0:5 = weft.jvp @f(%x, %y) along(%t) wrt [0]
      : (tensor<f64>, tensor<f64>, tensor<f64>) -> (tensor<f64>, tensor<f64>, tensor<i1>, tensor<f64>, tensor<f64>)
  return %0#3, %0#4 : tensor<f64>, tensor<f64>
}

// The same again makes nothing new, and stop_gradient does not move.
func.func private @stopped(%x: tensor<f64>) -> tensor<f64> {
  %0 = weft.stop_gradient %x : tensor<f64>
  %1 = weft.multiply %0, %x : tensor<f64>
  return %1 : tensor<f64>
}
// CHECK-LABEL: func.func @stop(
// CHECK-SAME: %[[X:.+]]: tensor<f64>)
// CHECK: %[[STOP:.+]] = weft.stop_gradient %[[X]]
// CHECK: %[[TX:.+]] = weft.multiply %[[X]], %[[STOP]]
// CHECK: return %[[TX]], %[[STOP]]
func.func @stop(%x: tensor<f64>) -> (tensor<f64>, tensor<f64>) {
  %0:2 = weft.jvp @stopped(%x) along(%x) wrt [0] : (tensor<f64>, tensor<f64>) -> (tensor<f64>, tensor<f64>)
  %one = weft.constant dense<1.0> : tensor<f64>
  %y, %r = weft.linearize @stopped(%x) wrt [0] : (tensor<f64>) -> (tensor<f64>, !weft.residuals<@stopped, [0]>)
  %dx = weft.pullback %r(%one) : (!weft.residuals<@stopped, [0]>, tensor<f64>) -> tensor<f64>
  return %0#1, %dx : tensor<f64>, tensor<f64>
}

// Forward over reverse over forward: the third derivative of sin(x) cos(x).
func.func private @sincos(%x: tensor<f64>) -> tensor<f64> {
  %0:3 = call @f(%x, %x) : (tensor<f64>, tensor<f64>) -> (tensor<f64>, tensor<f64>, tensor<i1>)
  return %0#0 : tensor<f64>
}
func.func private @first(%x: tensor<f64>) -> tensor<f64> {
  %one = weft.constant dense<1.0> : tensor<f64>
  %0:2 = weft.jvp @sincos(%x) along(%one) wrt [0] : (tensor<f64>, tensor<f64>) -> (tensor<f64>, tensor<f64>)
  return %0#1 : tensor<f64>
}
func.func private @second(%x: tensor<f64>) -> tensor<f64> {
  %one = weft.constant dense<1.0> : tensor<f64>
  %y, %r = weft.linearize @first(%x) wrt [0] : (tensor<f64>) -> (tensor<f64>, !weft.residuals<@first, [0]>)
  %dx = weft.pullback %r(%one) : (!weft.residuals<@first, [0]>, tensor<f64>) -> tensor<f64>
  return %dx : tensor<f64>
}
func.func @main() -> (tensor<f64>, tensor<f64>, tensor<f64>, tensor<f64>) {
  %x = weft.constant dense<0.5> : tensor<f64>
  %one = weft.constant dense<1.0> : tensor<f64>
  %0 = call @sincos(%x) : (tensor<f64>) -> tensor<f64>
  %1 = call @first(%x) : (tensor<f64>) -> tensor<f64>
  %2:2 = weft.jvp @second(%x) along(%one) wrt [0] : (tensor<f64>, tensor<f64>) -> (tensor<f64>, tensor<f64>)
  return %0, %1, %2#0, %2#1 : tensor<f64>, tensor<f64>, tensor<f64>, tensor<f64>
}
// sin(1) / 2, cos(1), -2 sin(1), -4 cos(1)
// RESULT: float64 0.42073549240394
// RESULT-NEXT: float64 0.5403023058681
// RESULT-NEXT: float64 -1.682941969615
// RESULT-NEXT: float64 -2.161209223472
