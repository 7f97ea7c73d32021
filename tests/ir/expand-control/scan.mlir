// A scan moves along tangents, backwards, and for a stack of inputs.
// RUN: weft-opt --weft-expand-transforms %s | FileCheck %s

func.func private @f(%x: tensor<f64>, %ws: tensor<5xf64>, %c: tensor<f64>) -> tensor<f64> {
  %y, %ys = weft.scan length 5 carry(%x) over(%ws) with(%c) : (tensor<f64>, tensor<5xf64>, tensor<f64>) -> (tensor<f64>, tensor<5xf64>) {
  ^bb0(%a: tensor<f64>, %w: tensor<f64>, %k: tensor<f64>):
    %0 = weft.multiply %a, %w : tensor<f64>
    %1 = weft.sin %0 : tensor<f64>
    %2 = weft.multiply %1, %k : tensor<f64>
    weft.yield %2, %1 : tensor<f64>, tensor<f64>
  }
  %s = weft.sum %ys axes [0] : tensor<5xf64> to tensor<f64>
  %r = weft.add %s, %y : tensor<f64>
  return %r : tensor<f64>
}
// CHECK-LABEL: func.func @jvp(
// CHECK-SAME: %[[X:.+]]: tensor<f64>, %[[WS:.+]]: tensor<5xf64>, %[[C:.+]]: tensor<f64>, %[[T:.+]]: tensor<f64>)
// CHECK: %[[R:.+]]:4 = weft.scan length 5 carry(%[[X]], %[[T]]) over(%[[WS]]) with(%[[C]])
// CHECK-NEXT: ^bb0(%[[A:.+]]: tensor<f64>, %[[DA:.+]]: tensor<f64>, %[[W:.+]]: tensor<f64>, %[[K:.+]]: tensor<f64>):
// CHECK:   weft.multiply %[[DA]], %[[W]]
// CHECK:   weft.yield
// CHECK-NOT: weft.scan
func.func @jvp(%x: tensor<f64>, %ws: tensor<5xf64>, %c: tensor<f64>, %tx: tensor<f64>) -> (tensor<f64>, tensor<f64>) {
  %y:2 = weft.jvp @f(%x, %ws, %c) along(%tx) wrt [0] : (tensor<f64>, tensor<5xf64>, tensor<f64>, tensor<f64>) -> (tensor<f64>, tensor<f64>)
  return %y#0, %y#1 : tensor<f64>, tensor<f64>
}
// What the steps keep are their own values; slices of %ws are there already, and
// the constant is read by each step back.
// CHECK-LABEL: func.func @vjp(
// CHECK-SAME: %[[X:.+]]: tensor<f64>, %[[WS:.+]]: tensor<5xf64>, %[[C:.+]]: tensor<f64>, %[[CT:.+]]: tensor<f64>)
// CHECK: %[[FWD:.+]]:4 = weft.scan length 5 carry(%[[X]]) over(%[[WS]]) with(%[[C]])
// CHECK: %[[BWD:.+]]:3 = weft.scan length 5 reverse carry(%[[CT]], %{{.+}}) over(%[[FWD]]#1, %[[FWD]]#2, %[[WS]], %[[FWD]]#3) with(%[[CT]], %[[C]])
// CHECK-NOT: weft.scan
// CHECK: return %[[BWD]]#0, %[[BWD]]#2, %[[BWD]]#1
func.func @vjp(%x: tensor<f64>, %ws: tensor<5xf64>, %c: tensor<f64>, %ct: tensor<f64>) -> (tensor<f64>, tensor<5xf64>, tensor<f64>) {
  %y, %r = weft.linearize @f(%x, %ws, %c) wrt [0, 1, 2] : (tensor<f64>, tensor<5xf64>, tensor<f64>) -> (tensor<f64>, !weft.residuals<@f, [0, 1, 2]>)
  %g:3 = weft.pullback %r(%ct) : (!weft.residuals<@f, [0, 1, 2]>, tensor<f64>) -> (tensor<f64>, tensor<5xf64>, tensor<f64>)
  return %g#0, %g#1, %g#2 : tensor<f64>, tensor<5xf64>, tensor<f64>
}
// Steps stay steps: the stack is the second axis of slices.
// CHECK-LABEL: func.func @vmap(
// CHECK-SAME: %[[X:.+]]: tensor<f64>, %[[WS:.+]]: tensor<3x5xf64>, %[[C:.+]]: tensor<f64>)
// CHECK-DAG: %[[XS:.+]] = weft.broadcast %[[X]] dims [] : tensor<f64> to tensor<3xf64>
// CHECK-DAG: %[[SW:.+]] = weft.transpose %[[WS]] perm [1, 0]
// CHECK: %[[R:.+]]:2 = weft.scan length 5 carry(%[[XS]]) over(%[[SW]]) with(%[[C]]) : (tensor<3xf64>, tensor<5x3xf64>, tensor<f64>) -> (tensor<3xf64>, tensor<5x3xf64>)
// CHECK: weft.transpose %[[R]]#1 perm [1, 0] : tensor<5x3xf64> to tensor<3x5xf64>
func.func @vmap(%x: tensor<f64>, %ws: tensor<3x5xf64>, %c: tensor<f64>) -> tensor<3xf64> {
  %y = weft.vmap @f(%x, %ws, %c) size 3 in [-1, 0, -1] out [0] : (tensor<f64>, tensor<3x5xf64>, tensor<f64>) -> tensor<3xf64>
  return %y : tensor<3xf64>
}
