// A switch moves along tangents, backwards, and for a stack of inputs.
// RUN: weft-opt --weft-expand-transforms %s | FileCheck %s

func.func private @f(%i: tensor<i64>, %x: tensor<4xf64>, %y: tensor<4xf64>) -> (tensor<4xf64>, tensor<i64>) {
  %r:2 = weft.switch %i(%x, %y, %i) : (tensor<i64>, tensor<4xf64>, tensor<4xf64>, tensor<i64>) -> (tensor<4xf64>, tensor<i64>) {
  ^bb0(%a: tensor<4xf64>, %b: tensor<4xf64>, %n: tensor<i64>):
    weft.yield %b, %n : tensor<4xf64>, tensor<i64>
  }, {
  ^bb0(%a: tensor<4xf64>, %b: tensor<4xf64>, %n: tensor<i64>):
    %0 = weft.exp %a : tensor<4xf64>
    %1 = weft.multiply %0, %b : tensor<4xf64>
    weft.yield %1, %n : tensor<4xf64>, tensor<i64>
  }, {
  ^bb0(%a: tensor<4xf64>, %b: tensor<4xf64>, %n: tensor<i64>):
    %0 = weft.tanh %a : tensor<4xf64>
    %1 = weft.sin %0 : tensor<4xf64>
    %2 = weft.add %n, %n : tensor<i64>
    weft.yield %1, %2 : tensor<4xf64>, tensor<i64>
  }
  return %r#0, %r#1 : tensor<4xf64>, tensor<i64>
}
// A body that does not move gives a zero.
// CHECK-LABEL: func.func @jvp(
// CHECK: weft.switch
// CHECK-NEXT: ^bb0(%{{.+}}: tensor<4xf64>, %[[Y:.+]]: tensor<4xf64>, %[[N:.+]]: tensor<i64>, %{{.+}}):
// CHECK-NEXT:   %[[ZERO:.+]] = weft.constant dense<0.0{{.*}}> : tensor<4xf64>
// CHECK-NEXT:   weft.yield %[[Y]], %[[N]], %[[ZERO]]
// CHECK-NOT: weft.switch
func.func @jvp(%i: tensor<i64>, %x: tensor<4xf64>, %y: tensor<4xf64>, %t: tensor<4xf64>) -> (tensor<4xf64>, tensor<i64>, tensor<4xf64>) {
  %r:3 = weft.jvp @f(%i, %x, %y) along(%t) wrt [1] : (tensor<i64>, tensor<4xf64>, tensor<4xf64>, tensor<4xf64>) -> (tensor<4xf64>, tensor<i64>, tensor<4xf64>)
  return %r#0, %r#1, %r#2 : tensor<4xf64>, tensor<i64>, tensor<4xf64>
}
// Residuals of one type share a slot.
// CHECK-LABEL: func.func @vjp(
// CHECK-SAME: %[[I:.+]]: tensor<i64>, %[[X:.+]]: tensor<4xf64>, %[[Y:.+]]: tensor<4xf64>, %[[CT:.+]]: tensor<4xf64>)
// CHECK-NEXT: %[[SLOT:.+]] = weft.switch %[[I]](%[[X]]) : (tensor<i64>, tensor<4xf64>) -> tensor<4xf64> {
// CHECK-NEXT: ^bb0
// CHECK-NEXT:   weft.constant dense<0.0
// CHECK:      ^bb0(%[[A:.+]]: tensor<4xf64>):
// CHECK-NEXT:   weft.exp %[[A]]
// CHECK:      ^bb0(%[[A:.+]]: tensor<4xf64>):
// CHECK-NEXT:   weft.tanh %[[A]]
// CHECK: weft.switch %[[I]](%[[Y]], %[[SLOT]], %[[CT]])
// CHECK-NOT: weft.switch
func.func @vjp(%i: tensor<i64>, %x: tensor<4xf64>, %y: tensor<4xf64>, %ct: tensor<4xf64>) -> (tensor<4xf64>, tensor<4xf64>) {
  %r:2, %res = weft.linearize @f(%i, %x, %y) wrt [1, 2] : (tensor<i64>, tensor<4xf64>, tensor<4xf64>) -> (tensor<4xf64>, tensor<i64>, !weft.residuals<@f, [1, 2]>)
  %g:2 = weft.pullback %res(%ct) : (!weft.residuals<@f, [1, 2]>, tensor<4xf64>) -> (tensor<4xf64>, tensor<4xf64>)
  return %g#0, %g#1 : tensor<4xf64>, tensor<4xf64>
}
// CHECK-LABEL: func.func @vmap_input(
// CHECK: weft.switch {{.*}} -> (tensor<3x4xf64>, tensor<i64>) {
// CHECK-NEXT: ^bb0(%{{.+}}: tensor<3x4xf64>, %[[Y:.+]]: tensor<4xf64>, %{{.+}}):
// CHECK-NEXT:   weft.broadcast %[[Y]] dims [1]
func.func @vmap_input(%i: tensor<i64>, %x: tensor<3x4xf64>, %y: tensor<4xf64>) -> (tensor<3x4xf64>, tensor<i64>) {
  %r:2 = weft.vmap @f(%i, %x, %y) size 3 in [-1, 0, -1] out [0, -1] : (tensor<i64>, tensor<3x4xf64>, tensor<4xf64>) -> (tensor<3x4xf64>, tensor<i64>)
  return %r#0, %r#1 : tensor<3x4xf64>, tensor<i64>
}
// All are computed, and selected.
// CHECK-LABEL: func.func @vmap_index(
// CHECK-NOT: weft.switch
// CHECK: weft.tanh
// CHECK: weft.exp
// CHECK: weft.select
// CHECK: weft.select
// CHECK-NOT: weft.switch
// CHECK: return
func.func @vmap_index(%i: tensor<3xi64>, %x: tensor<4xf64>, %y: tensor<4xf64>) -> (tensor<3x4xf64>, tensor<3xi64>) {
  %r:2 = weft.vmap @f(%i, %x, %y) size 3 in [0, -1, -1] out [0, 0] : (tensor<3xi64>, tensor<4xf64>, tensor<4xf64>) -> (tensor<3x4xf64>, tensor<3xi64>)
  return %r#0, %r#1 : tensor<3x4xf64>, tensor<3xi64>
}
