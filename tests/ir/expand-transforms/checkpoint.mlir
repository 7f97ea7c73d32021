// A checkpointed function computes again what its backward pass needs.
// RUN: weft-opt --weft-expand-transforms %s | FileCheck %s
// RUN: weft-opt --weft-expand-transforms --mlir-print-ir-before=weft-inline-calls -o /dev/null %s 2>&1 | FileCheck %s --check-prefix=SPLIT
// RUN: %weft-run < %s | FileCheck %s --check-prefix=RESULT

func.func private @f(%x: tensor<f64>) -> tensor<f64> attributes {weft.checkpoint = "nothing_saveable"} {
  %0 = weft.sin %x : tensor<f64>
  %1 = weft.exp %0 : tensor<f64>
  return %1 : tensor<f64>
}
// SPLIT: func.func private @f.fwd(%[[X:.+]]: tensor<f64>)
// SPLIT: return %{{.+}}, %[[X]] : tensor<f64>, tensor<f64>
// SPLIT: func.func private @f.bwd(%[[X:.+]]: tensor<f64>, %[[CT:.+]]: tensor<f64>)
// SPLIT-NEXT: %[[BOTH:.+]]:2 = weft.barrier %[[X]], %[[CT]]
// SPLIT: weft.sin %[[BOTH]]#0

// CHECK-LABEL: func.func @nothing(
// CHECK-SAME: %[[X:.+]]: tensor<f64>, %[[CT:.+]]: tensor<f64>)
// CHECK-NEXT: %[[SIN:.+]] = weft.sin %[[X]]
// CHECK-NEXT: %[[Y:.+]] = weft.exp %[[SIN]]
// CHECK-NEXT: %[[BOTH:.+]]:2 = weft.barrier %[[X]], %[[CT]]
// CHECK-NEXT: %[[AGAIN:.+]] = weft.sin %[[BOTH]]#0
// CHECK-NEXT: %[[EXP:.+]] = weft.exp %[[AGAIN]]
// CHECK-NEXT: weft.multiply %[[BOTH]]#1, %[[EXP]]
// CHECK: weft.cos %[[BOTH]]#0
func.func @nothing(%x: tensor<f64>, %ct: tensor<f64>) -> (tensor<f64>, tensor<f64>) {
  %y, %r = weft.linearize @f(%x) wrt [0] : (tensor<f64>) -> (tensor<f64>, !weft.residuals<@f, [0]>)
  %dx = weft.pullback %r(%ct) : (!weft.residuals<@f, [0]>, tensor<f64>) -> tensor<f64>
  return %y, %dx : tensor<f64>, tensor<f64>
}

// What a product gives is kept, also in a function that is called.
func.func private @product(%x: tensor<2x2xf64>) -> tensor<2x2xf64> {
  %0 = weft.sin %x : tensor<2x2xf64>
  %1 = weft.dot_general %0, %x batch [] x [] contract [1] x [0] : (tensor<2x2xf64>, tensor<2x2xf64>) -> tensor<2x2xf64>
  return %1 : tensor<2x2xf64>
}
func.func private @g(%x: tensor<2x2xf64>) -> tensor<2x2xf64> attributes {weft.checkpoint = "dots_saveable"} {
  %0 = call @product(%x) : (tensor<2x2xf64>) -> tensor<2x2xf64>
  %1 = weft.exp %0 : tensor<2x2xf64>
  %2 = weft.sin %1 : tensor<2x2xf64>
  return %2 : tensor<2x2xf64>
}
// CHECK-LABEL: func.func @dots(
// CHECK-SAME: %[[X:.+]]: tensor<2x2xf64>, %[[CT:.+]]: tensor<2x2xf64>)
// CHECK: %[[DOT:.+]] = weft.dot_general
// CHECK: %[[KEPT:.+]]:3 = weft.barrier %[[X]], %[[DOT]], %[[CT]]
// CHECK-DAG: weft.sin %[[KEPT]]#0
// CHECK-DAG: weft.exp %[[KEPT]]#1
func.func @dots(%x: tensor<2x2xf64>, %ct: tensor<2x2xf64>) -> (tensor<2x2xf64>, tensor<2x2xf64>) {
  %y, %r = weft.linearize @g(%x) wrt [0] : (tensor<2x2xf64>) -> (tensor<2x2xf64>, !weft.residuals<@g, [0]>)
  %dx = weft.pullback %r(%ct) : (!weft.residuals<@g, [0]>, tensor<2x2xf64>) -> tensor<2x2xf64>
  return %y, %dx : tensor<2x2xf64>, tensor<2x2xf64>
}

func.func private @h(%x: tensor<f64>) -> tensor<f64> attributes {weft.checkpoint = "everything_saveable"} {
  %0 = weft.sin %x : tensor<f64>
  return %0 : tensor<f64>
}
// CHECK-LABEL: func.func @everything(
// CHECK-NOT: weft.barrier
// CHECK: return
func.func @everything(%x: tensor<f64>) -> tensor<f64> {
  %y, %r = weft.linearize @h(%x) wrt [0] : (tensor<f64>) -> (tensor<f64>, !weft.residuals<@h, [0]>)
  %dx = weft.pullback %r(%y) : (!weft.residuals<@h, [0]>, tensor<f64>) -> tensor<f64>
  return %dx : tensor<f64>
}

// A batched or moved function is checkpointed like itself.
// CHECK-LABEL: func.func @wide(
// CHECK: weft.barrier %{{.+}}, %{{.+}} : tensor<3xf64>, tensor<3xf64>
// CHECK: return
func.func private @stack_of_f(%x: tensor<3xf64>) -> tensor<3xf64> {
  %0 = weft.vmap @f(%x) size 3 in [0] out [0] : (tensor<3xf64>) -> tensor<3xf64>
  return %0 : tensor<3xf64>
}
func.func @wide(%x: tensor<3xf64>, %ct: tensor<3xf64>) -> tensor<3xf64> {
  %y, %r = weft.linearize @stack_of_f(%x) wrt [0] : (tensor<3xf64>) -> (tensor<3xf64>, !weft.residuals<@stack_of_f, [0]>)
  %dx = weft.pullback %r(%ct) : (!weft.residuals<@stack_of_f, [0]>, tensor<3xf64>) -> tensor<3xf64>
  return %dx : tensor<3xf64>
}

// Derivatives of derivatives of exp(sin(x)) at 0: 1, 1, 0.
func.func private @d(%x: tensor<f64>) -> tensor<f64> {
  %one = weft.constant dense<1.0> : tensor<f64>
  %y, %r = weft.linearize @f(%x) wrt [0] : (tensor<f64>) -> (tensor<f64>, !weft.residuals<@f, [0]>)
  %dx = weft.pullback %r(%one) : (!weft.residuals<@f, [0]>, tensor<f64>) -> tensor<f64>
  return %dx : tensor<f64>
}
func.func private @dd(%x: tensor<f64>) -> tensor<f64> {
  %one = weft.constant dense<1.0> : tensor<f64>
  %y, %r = weft.linearize @d(%x) wrt [0] : (tensor<f64>) -> (tensor<f64>, !weft.residuals<@d, [0]>)
  %dx = weft.pullback %r(%one) : (!weft.residuals<@d, [0]>, tensor<f64>) -> tensor<f64>
  return %dx : tensor<f64>
}
func.func private @df(%x: tensor<f64>) -> tensor<f64> {
  %one = weft.constant dense<1.0> : tensor<f64>
  %0:2 = weft.jvp @f(%x) along(%one) wrt [0] : (tensor<f64>, tensor<f64>) -> (tensor<f64>, tensor<f64>)
  return %0#1 : tensor<f64>
}
func.func @main() -> (tensor<f64>, tensor<f64>, tensor<f64>, tensor<f64>) {
  %x = weft.constant dense<0.0> : tensor<f64>
  %one = weft.constant dense<1.0> : tensor<f64>
  %0 = call @d(%x) : (tensor<f64>) -> tensor<f64>
  %1 = call @dd(%x) : (tensor<f64>) -> tensor<f64>
  %2:2 = weft.jvp @dd(%x) along(%one) wrt [0] : (tensor<f64>, tensor<f64>) -> (tensor<f64>, tensor<f64>)
  %y, %r = weft.linearize @df(%x) wrt [0] : (tensor<f64>) -> (tensor<f64>, !weft.residuals<@df, [0]>)
  %3 = weft.pullback %r(%one) : (!weft.residuals<@df, [0]>, tensor<f64>) -> tensor<f64>
  return %0, %1, %2#1, %3 : tensor<f64>, tensor<f64>, tensor<f64>, tensor<f64>
}
// RESULT: float64 1.0
// RESULT-NEXT: float64 1.0
// RESULT-NEXT: float64 0.0
// RESULT-NEXT: float64 1.0
