// Reverse mode of a function that calls others: each callee is taken apart once for
// each set of operands and results that matter. SPLIT shows the parts before they
// are inlined.
// RUN: weft-opt --weft-expand-transforms %s | FileCheck %s
// RUN: weft-opt --weft-expand-transforms --mlir-print-ir-before=weft-inline-calls -o /dev/null %s 2>&1 | FileCheck %s --check-prefix=SPLIT

func.func private @g(%x: tensor<4xf32>, %y: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xi1>) {
  %0 = weft.multiply %x, %y : tensor<4xf32>
  %1 = weft.less %x, %y : tensor<4xf32>
  return %0, %1 : tensor<4xf32>, tensor<4xi1>
}

// The calls of @g agree in what they need, so they share one pair of parts.
func.func private @f(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0:2 = call @g(%x, %x) : (tensor<4xf32>, tensor<4xf32>) -> (tensor<4xf32>, tensor<4xi1>)
  %1:2 = call @g(%0#0, %x) : (tensor<4xf32>, tensor<4xf32>) -> (tensor<4xf32>, tensor<4xi1>)
  return %1#0 : tensor<4xf32>
}

// SPLIT: func.func private @g.fwd({{.+}}) -> (tensor<4xf32>, tensor<4xi1>, tensor<4xf32>, tensor<4xf32>)
// SPLIT: func.func private @g.bwd({{.+}}) -> (tensor<4xf32>, tensor<4xf32>)
// SPLIT-NOT: func.func private @g
// SPLIT: func.func private @f.fwd(
// SPLIT-COUNT-2: call @g.fwd(
// SPLIT: func.func private @f.bwd(
// SPLIT-COUNT-2: call @g.bwd(

// CHECK-NOT: func.func private
// CHECK-LABEL: func.func @cube(
// CHECK-SAME: %[[X:.+]]: tensor<4xf32>, %[[CT:.+]]: tensor<4xf32>)
// CHECK-NEXT: %[[SQUARE:.+]] = weft.multiply %[[X]], %[[X]]
// CHECK-NEXT: %[[INNER:.+]] = weft.multiply %[[CT]], %[[X]]
// CHECK-NEXT: %[[OUTER:.+]] = weft.multiply %[[CT]], %[[SQUARE]]
// CHECK-NOT: weft.less
// CHECK: return
func.func @cube(%x: tensor<4xf32>, %ct: tensor<4xf32>) -> tensor<4xf32> {
  %y, %r = weft.linearize @f(%x) wrt [0] : (tensor<4xf32>) -> (tensor<4xf32>, !weft.residuals<@f, [0]>)
  %dx = weft.pullback %r(%ct) : (!weft.residuals<@f, [0]>, tensor<4xf32>) -> tensor<4xf32>
  return %dx : tensor<4xf32>
}

// The same function again: nothing new is made for it.
// CHECK-LABEL: func.func @again(
// SPLIT-LABEL: func.func @again(
// SPLIT: call @f.fwd(
// SPLIT: call @f.bwd(
func.func @again(%x: tensor<4xf32>, %ct: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  %y, %r = weft.linearize @f(%x) wrt [0] : (tensor<4xf32>) -> (tensor<4xf32>, !weft.residuals<@f, [0]>)
  %dx = weft.pullback %r(%ct) : (!weft.residuals<@f, [0]>, tensor<4xf32>) -> tensor<4xf32>
  return %y, %dx : tensor<4xf32>, tensor<4xf32>
}

// A call whose result has no cotangent stays a call of the function itself.
func.func private @h(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0:2 = call @g(%x, %x) : (tensor<4xf32>, tensor<4xf32>) -> (tensor<4xf32>, tensor<4xi1>)
  %1 = weft.select %0#1, %x, %x : tensor<4xf32>
  return %1 : tensor<4xf32>
}
// SPLIT-LABEL: func.func private @h.fwd(
// SPLIT: call @g(
// CHECK-LABEL: func.func @only_the_bool(
// CHECK-NOT: weft.multiply %{{.+}}
func.func @only_the_bool(%x: tensor<4xf32>, %ct: tensor<4xf32>) -> tensor<4xf32> {
  %y, %r = weft.linearize @h(%x) wrt [0] : (tensor<4xf32>) -> (tensor<4xf32>, !weft.residuals<@h, [0]>)
  %dx = weft.pullback %r(%ct) : (!weft.residuals<@h, [0]>, tensor<4xf32>) -> tensor<4xf32>
  return %dx : tensor<4xf32>
}
