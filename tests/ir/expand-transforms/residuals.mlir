// What the backward part of a function keeps of the forward part.
// RUN: weft-opt --weft-expand-transforms %s | FileCheck %s
// RUN: weft-opt --weft-expand-transforms --mlir-print-ir-before=weft-inline-calls -o /dev/null %s 2>&1 | FileCheck %s --check-prefix=SPLIT

// Constants are repeated, not kept: only cos's argument is.
func.func private @scaled(%x: tensor<4xf32>) -> tensor<4xf32> {
  %two = weft.constant dense<2.0> : tensor<4xf32>
  %0 = weft.multiply %x, %two : tensor<4xf32>
  %1 = weft.sin %0 : tensor<4xf32>
  return %1 : tensor<4xf32>
}
// SPLIT-LABEL: func.func private @scaled.fwd(
// SPLIT: return %{{.+}}, %[[KEPT:.+]] : tensor<4xf32>, tensor<4xf32>
// SPLIT-LABEL: func.func private @scaled.bwd(
// SPLIT-SAME: %[[KEPT:[a-z0-9]+]]: tensor<4xf32>, %[[CT:[a-z0-9]+]]: tensor<4xf32>)
// SPLIT: weft.constant
// SPLIT: weft.cos %[[KEPT]]

// A pullback may be taken as often as one likes.
// CHECK-LABEL: func.func @twice(
// CHECK-SAME: %[[X:.+]]: tensor<4xf32>, %[[A:.+]]: tensor<4xf32>, %[[B:.+]]: tensor<4xf32>)
// CHECK: %[[COS:.+]] = weft.cos
// CHECK-DAG: weft.multiply %[[A]], %[[COS]]
// CHECK-DAG: weft.multiply %[[B]], %[[COS]]
func.func @twice(%x: tensor<4xf32>, %a: tensor<4xf32>, %b: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  %y, %r = weft.linearize @scaled(%x) wrt [0] : (tensor<4xf32>) -> (tensor<4xf32>, !weft.residuals<@scaled, [0]>)
  %da = weft.pullback %r(%a) : (!weft.residuals<@scaled, [0]>, tensor<4xf32>) -> tensor<4xf32>
  %db = weft.pullback %r(%b) : (!weft.residuals<@scaled, [0]>, tensor<4xf32>) -> tensor<4xf32>
  return %da, %db : tensor<4xf32>, tensor<4xf32>
}

// Nobody asks for the gradient.
// CHECK-LABEL: func.func @unused(
// CHECK-NOT: weft.cos
// CHECK: weft.sin
func.func @unused(%x: tensor<4xf32>) -> tensor<4xf32> {
  %y, %r = weft.linearize @scaled(%x) wrt [0] : (tensor<4xf32>) -> (tensor<4xf32>, !weft.residuals<@scaled, [0]>)
  return %y : tensor<4xf32>
}

// An argument that is returned hands its cotangent through.
func.func private @identity(%x: tensor<4xf32>, %y: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  return %x, %x : tensor<4xf32>, tensor<4xf32>
}
// CHECK-LABEL: func.func @returned(
// CHECK-SAME: %{{.+}}: tensor<4xf32>, %[[A:.+]]: tensor<4xf32>, %[[B:.+]]: tensor<4xf32>)
// CHECK-DAG: %[[ZERO:.+]] = weft.constant dense<0.000000e+00>
// CHECK-DAG: %[[SUM:.+]] = weft.add %[[A]], %[[B]]
// CHECK: return %[[SUM]], %[[ZERO]]
func.func @returned(%x: tensor<4xf32>, %a: tensor<4xf32>, %b: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  %y:2, %r = weft.linearize @identity(%x, %x) wrt [0, 1] : (tensor<4xf32>, tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>, !weft.residuals<@identity, [0, 1]>)
  %d:2 = weft.pullback %r(%a, %b) : (!weft.residuals<@identity, [0, 1]>, tensor<4xf32>, tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>)
  return %d#0, %d#1 : tensor<4xf32>, tensor<4xf32>
}

// Integer results have no cotangents.
func.func private @mixed(%x: tensor<4xf32>, %n: tensor<i64>) -> (tensor<i64>, tensor<4xf32>, tensor<4xi1>) {
  %0 = weft.exp %x : tensor<4xf32>
  %1 = weft.less %0, %x : tensor<4xf32>
  return %n, %0, %1 : tensor<i64>, tensor<4xf32>, tensor<4xi1>
}
// CHECK-LABEL: func.func @integer_results(
// CHECK-SAME: %[[X:.+]]: tensor<4xf32>, %{{.+}}: tensor<i64>, %[[CT:.+]]: tensor<4xf32>)
// CHECK-NEXT: %[[EXP:.+]] = weft.exp %[[X]]
// CHECK-NEXT: %[[DX:.+]] = weft.multiply %[[CT]], %[[EXP]]
// CHECK-NEXT: return %[[DX]]
func.func @integer_results(%x: tensor<4xf32>, %n: tensor<i64>, %ct: tensor<4xf32>) -> tensor<4xf32> {
  %y:3, %r = weft.linearize @mixed(%x, %n) wrt [0] : (tensor<4xf32>, tensor<i64>) -> (tensor<i64>, tensor<4xf32>, tensor<4xi1>, !weft.residuals<@mixed, [0]>)
  %dx = weft.pullback %r(%ct) : (!weft.residuals<@mixed, [0]>, tensor<4xf32>) -> tensor<4xf32>
  return %dx : tensor<4xf32>
}

// An operand that is not asked for gets no derivative built.
func.func private @product(%x: tensor<4xf32>, %y: tensor<4xf32>) -> tensor<4xf32> {
  %0 = weft.cos %y : tensor<4xf32>
  %1 = weft.multiply %x, %0 : tensor<4xf32>
  return %1 : tensor<4xf32>
}
// CHECK-LABEL: func.func @one_operand(
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<4xf32>, %[[Y:[a-z0-9]+]]: tensor<4xf32>, %[[CT:[a-z0-9]+]]: tensor<4xf32>)
// CHECK-NEXT: %[[COS:.+]] = weft.cos %[[Y]]
// CHECK-NEXT: %[[DX:.+]] = weft.multiply %[[CT]], %[[COS]]
// CHECK-NEXT: return %[[DX]]
func.func @one_operand(%x: tensor<4xf32>, %y: tensor<4xf32>, %ct: tensor<4xf32>) -> tensor<4xf32> {
  %p, %r = weft.linearize @product(%x, %y) wrt [0] : (tensor<4xf32>, tensor<4xf32>) -> (tensor<4xf32>, !weft.residuals<@product, [0]>)
  %dx = weft.pullback %r(%ct) : (!weft.residuals<@product, [0]>, tensor<4xf32>) -> tensor<4xf32>
  return %dx : tensor<4xf32>
}
