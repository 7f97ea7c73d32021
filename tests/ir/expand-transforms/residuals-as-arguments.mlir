// A pullback may be handed to another function: it takes the arrays that the
// residuals are.
// RUN: weft-opt --weft-expand-transforms %s | FileCheck %s
// RUN: weft-opt --weft-expand-transforms --mlir-print-ir-before=weft-inline-calls -o /dev/null %s 2>&1 | FileCheck %s --check-prefix=SPLIT
// RUN: %weft-run < %s | FileCheck %s --check-prefix=RESULT

func.func private @f(%x: tensor<2xf64>, %y: tensor<2xf64>) -> tensor<2xf64> {
  %0 = weft.sin %x : tensor<2xf64>
  %1 = weft.multiply %0, %y : tensor<2xf64>
  return %1 : tensor<2xf64>
}

// SPLIT: func.func private @pull(%{{.+}}: tensor<2xf64>, %[[Y:.+]]: tensor<2xf64>, %[[X:.+]]: tensor<2xf64>, %[[A:.+]]: tensor<2xf64>)
// SPLIT: call @f.bwd(%[[Y]], %[[X]], %[[A]])
func.func private @pull(%c: tensor<2xf64>, %r: !weft.residuals<@f, [0]>, %a: tensor<2xf64>) -> tensor<2xf64> {
  %0 = weft.pullback %r(%a) : (!weft.residuals<@f, [0]>, tensor<2xf64>) -> tensor<2xf64>
  %1 = weft.multiply %0, %c : tensor<2xf64>
  return %1 : tensor<2xf64>
}

// The pullback is called twice, batched, differentiated and handed on; the sine is
// taken once, the cosine in the backward part.
// CHECK-LABEL: func.func @everything(
// CHECK: %[[SIN:.+]] = weft.sin
// CHECK-NOT: weft.sin
// CHECK: return %[[SIN]]
func.func @everything(%x: tensor<2xf64>, %y: tensor<2xf64>, %cts: tensor<3x2xf64>)
    -> (tensor<2xf64>, tensor<2xf64>, tensor<3x2xf64>, tensor<2xf64>, tensor<2xf64>, tensor<2xf64>) {
  %ones = weft.constant dense<1.0> : tensor<2xf64>
  %p, %r = weft.linearize @f(%x, %ones) wrt [0] : (tensor<2xf64>, tensor<2xf64>) -> (tensor<2xf64>, !weft.residuals<@f, [0]>)
  %0 = call @pull(%ones, %r, %y) : (tensor<2xf64>, !weft.residuals<@f, [0]>, tensor<2xf64>) -> tensor<2xf64>
  %1 = weft.vmap @pull(%ones, %r, %cts) size 3 in [-1, -1, 0] out [0]
      : (tensor<2xf64>, !weft.residuals<@f, [0]>, tensor<3x2xf64>) -> tensor<3x2xf64>
  %2:2 = weft.jvp @pull(%y, %r, %ones) along(%y) wrt [2]
      : (tensor<2xf64>, !weft.residuals<@f, [0]>, tensor<2xf64>, tensor<2xf64>) -> (tensor<2xf64>, tensor<2xf64>)
  %q, %s = weft.linearize @pull(%ones, %r, %y) wrt [0, 2]
      : (tensor<2xf64>, !weft.residuals<@f, [0]>, tensor<2xf64>) -> (tensor<2xf64>, !weft.residuals<@pull, [0, 2]>)
  %3:2 = call @pull_pull(%s, %y) : (!weft.residuals<@pull, [0, 2]>, tensor<2xf64>) -> (tensor<2xf64>, tensor<2xf64>)
  return %p, %0, %1, %2#1, %3#0, %3#1
      : tensor<2xf64>, tensor<2xf64>, tensor<3x2xf64>, tensor<2xf64>, tensor<2xf64>, tensor<2xf64>
}
func.func private @pull_pull(%s: !weft.residuals<@pull, [0, 2]>, %ct: tensor<2xf64>) -> (tensor<2xf64>, tensor<2xf64>) {
  %0:2 = weft.pullback %s(%ct) : (!weft.residuals<@pull, [0, 2]>, tensor<2xf64>) -> (tensor<2xf64>, tensor<2xf64>)
  return %0#0, %0#1 : tensor<2xf64>, tensor<2xf64>
}

// A pushforward is the pullback pulled back.
// CHECK-LABEL: func.func @pushforward(
// CHECK-SAME: %[[X:.+]]: tensor<2xf64>, %[[Y:.+]]: tensor<2xf64>, %[[T:.+]]: tensor<2xf64>)
// CHECK-DAG: %[[COS:.+]] = weft.cos %[[X]]
// CHECK-DAG: %[[TSIN:.+]] = weft.multiply %[[T]], %[[COS]]
// CHECK-DAG: weft.multiply %[[TSIN]], %[[Y]]
func.func @pushforward(%x: tensor<2xf64>, %y: tensor<2xf64>, %t: tensor<2xf64>) -> tensor<2xf64> {
  %p, %r = weft.linearize @f(%x, %y) wrt [0] : (tensor<2xf64>, tensor<2xf64>) -> (tensor<2xf64>, !weft.residuals<@f, [0]>)
  %0 = weft.pushforward %r(%t) : (!weft.residuals<@f, [0]>, tensor<2xf64>) -> tensor<2xf64>
  return %0 : tensor<2xf64>
}

// A rule that is expanded while its user is.
// CHECK-LABEL: func.func @rule_comes_later(
// CHECK-SAME: %[[X:.+]]: tensor<2xf64>)
// CHECK-DAG: %[[COS:.+]] = weft.cos %[[X]]
// CHECK: return
func.func @rule_comes_later(%x: tensor<2xf64>) -> tensor<2xf64> {
  %p, %r = weft.linearize @f(%x, %x) wrt [0] : (tensor<2xf64>, tensor<2xf64>) -> (tensor<2xf64>, !weft.residuals<@f, [0]>)
  %q, %s = weft.linearize @ruled(%x) wrt [0] : (tensor<2xf64>) -> (tensor<2xf64>, !weft.residuals<@ruled, [0]>)
  %0 = weft.pullback %s(%p) : (!weft.residuals<@ruled, [0]>, tensor<2xf64>) -> tensor<2xf64>
  %1 = weft.pullback %r(%0) : (!weft.residuals<@f, [0]>, tensor<2xf64>) -> tensor<2xf64>
  return %1 : tensor<2xf64>
}
func.func private @ruled(%x: tensor<2xf64>) -> tensor<2xf64> attributes {weft.custom_vjp = [@ruled_fwd, @ruled_bwd]} {
  return %x : tensor<2xf64>
}
func.func private @ruled_fwd(%x: tensor<2xf64>) -> (tensor<2xf64>, tensor<2xf64>) {
  %p, %r = weft.linearize @f(%x, %x) wrt [0] : (tensor<2xf64>, tensor<2xf64>) -> (tensor<2xf64>, !weft.residuals<@f, [0]>)
  %0 = weft.pullback %r(%p) : (!weft.residuals<@f, [0]>, tensor<2xf64>) -> tensor<2xf64>
  return %x, %0 : tensor<2xf64>, tensor<2xf64>
}
func.func private @ruled_bwd(%kept: tensor<2xf64>, %ct: tensor<2xf64>) -> tensor<2xf64> {
  %0 = weft.multiply %kept, %ct : tensor<2xf64>
  return %0 : tensor<2xf64>
}

func.func @main() -> (tensor<2xf64>, tensor<3x2xf64>, tensor<2xf64>, tensor<2xf64>, tensor<2xf64>, tensor<2xf64>) {
  %x = weft.constant dense<0.0> : tensor<2xf64>
  %y = weft.constant dense<[2.0, 3.0]> : tensor<2xf64>
  %cts = weft.constant dense<[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]> : tensor<3x2xf64>
  %0:6 = call @everything(%x, %y, %cts) : (tensor<2xf64>, tensor<2xf64>, tensor<3x2xf64>)
      -> (tensor<2xf64>, tensor<2xf64>, tensor<3x2xf64>, tensor<2xf64>, tensor<2xf64>, tensor<2xf64>)
  %1 = call @pushforward(%x, %y, %y) : (tensor<2xf64>, tensor<2xf64>, tensor<2xf64>) -> tensor<2xf64>
  return %0#1, %0#2, %0#3, %0#4, %0#5, %1 : tensor<2xf64>, tensor<3x2xf64>, tensor<2xf64>, tensor<2xf64>, tensor<2xf64>, tensor<2xf64>
}
// RESULT: float64 [2.0, 3.0]
// RESULT-NEXT: float64 {{\[\[}}1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]
// RESULT-NEXT: float64 [4.0, 9.0]
// RESULT-NEXT: float64 [4.0, 9.0]
// RESULT-NEXT: float64 [2.0, 3.0]
// RESULT-NEXT: float64 [4.0, 9.0]
