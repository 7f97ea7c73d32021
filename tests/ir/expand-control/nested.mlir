// Loops in loops, to the second derivative. The inner one is run again from what
// its carries were: no tape leaves a step.
// RUN: weft-opt --weft-expand-transforms %s | FileCheck %s

func.func private @newton(%x: tensor<f64>, %ws: tensor<5xf64>) -> tensor<f64> {
  %y = weft.scan length 5 carry(%x) over(%ws) : (tensor<f64>, tensor<5xf64>) -> tensor<f64> {
  ^bb0(%a: tensor<f64>, %w: tensor<f64>):
    %r = weft.while carry(%a) with(%w) : (tensor<f64>, tensor<f64>) -> tensor<f64> cond {
    ^bb0(%c: tensor<f64>, %k: tensor<f64>):
      %ten = weft.constant dense<10.0> : tensor<f64>
      %p = weft.less %c, %ten : tensor<f64>
      weft.yield %p : tensor<i1>
    } do {
    ^bb0(%c: tensor<f64>, %k: tensor<f64>):
      %0 = weft.multiply %c, %k : tensor<f64>
      weft.yield %0 : tensor<f64>
    }
    %tenth = weft.constant dense<0.1> : tensor<f64>
    %t = weft.multiply %r, %tenth : tensor<f64>
    %s = weft.sin %t : tensor<f64>
    %e = weft.exp %s : tensor<f64>
    weft.yield %e : tensor<f64>
  }
  return %y : tensor<f64>
}
func.func private @grad(%x: tensor<f64>, %ws: tensor<5xf64>) -> (tensor<f64>, tensor<5xf64>) {
  %one = weft.constant dense<1.0> : tensor<f64>
  %y, %r = weft.linearize @newton(%x, %ws) wrt [0, 1] : (tensor<f64>, tensor<5xf64>) -> (tensor<f64>, !weft.residuals<@newton, [0, 1]>)
  %g:2 = weft.pullback %r(%one) : (!weft.residuals<@newton, [0, 1]>, tensor<f64>) -> (tensor<f64>, tensor<5xf64>)
  return %g#0, %g#1 : tensor<f64>, tensor<5xf64>
}
// CHECK-LABEL: func.func @first(
// CHECK: %[[FWD:.+]]:5 = weft.scan length 5 {{.*}} -> (tensor<f64>, tensor<5xf64>, tensor<5xf64>, tensor<5xi64>, tensor<5xf64>)
// CHECK:   weft.while
// CHECK: weft.scan length 5 reverse {{.*}} over(%[[FWD]]#1, %[[FWD]]#2, %[[FWD]]#3, %[[FWD]]#4,
// CHECK:   %[[TAPE:.+]]:2 = weft.scan trips
// CHECK:   weft.scan trips %{{.+}} reverse {{.*}} over(%[[TAPE]]#1)
func.func @first(%x: tensor<f64>, %ws: tensor<5xf64>) -> (tensor<f64>, tensor<5xf64>) {
  %g:2 = call @grad(%x, %ws) : (tensor<f64>, tensor<5xf64>) -> (tensor<f64>, tensor<5xf64>)
  return %g#0, %g#1 : tensor<f64>, tensor<5xf64>
}
// CHECK-LABEL: func.func @forward_over_reverse(
// CHECK: weft.scan length 5 carry
// CHECK:   weft.while
// CHECK: weft.scan length 5 reverse
// CHECK:   %[[TAPE:.+]]:4 = weft.scan trips {{.*}} -> (tensor<f64>, tensor<f64>, tensor<?xf64>, tensor<?xf64>)
// CHECK:   weft.scan trips {{.*}} over(%[[TAPE]]#2, %[[TAPE]]#3)
func.func @forward_over_reverse(%x: tensor<f64>, %ws: tensor<5xf64>, %t: tensor<f64>) -> (tensor<f64>, tensor<5xf64>) {
  %g:4 = weft.jvp @grad(%x, %ws) along(%t) wrt [0] : (tensor<f64>, tensor<5xf64>, tensor<f64>) -> (tensor<f64>, tensor<5xf64>, tensor<f64>, tensor<5xf64>)
  return %g#2, %g#3 : tensor<f64>, tensor<5xf64>
}
// The cotangent of a tape is a tape.
// CHECK-LABEL: func.func @reverse_over_reverse(
// CHECK: weft.scan length 5 reverse
// CHECK: %[[CT:.+]]:{{[0-9]+}} = weft.scan trips %{{.+}} carry({{.+}}) over({{.+}}) {{.*}} -> (tensor<f64>, {{.*}}tensor<?xf64>)
// CHECK: weft.scan trips %{{.+}} reverse {{.*}} over({{.*}}%[[CT]]#
func.func @reverse_over_reverse(%x: tensor<f64>, %ws: tensor<5xf64>, %ct: tensor<f64>, %cts: tensor<5xf64>) -> (tensor<f64>, tensor<5xf64>) {
  %y:2, %r = weft.linearize @grad(%x, %ws) wrt [0, 1] : (tensor<f64>, tensor<5xf64>) -> (tensor<f64>, tensor<5xf64>, !weft.residuals<@grad, [0, 1]>)
  %g:2 = weft.pullback %r(%ct, %cts) : (!weft.residuals<@grad, [0, 1]>, tensor<f64>, tensor<5xf64>) -> (tensor<f64>, tensor<5xf64>)
  return %g#0, %g#1 : tensor<f64>, tensor<5xf64>
}
// CHECK-LABEL: func.func @batched(
// CHECK: weft.scan length 5 {{.*}} -> (tensor<3xf64>, tensor<5x3xf64>, tensor<5x3xf64>, tensor<5x3xi64>, tensor<5x3xf64>)
// CHECK: weft.scan length 5 reverse
// CHECK: tensor<?x3xf64>
func.func @batched(%x: tensor<3xf64>, %ws: tensor<5xf64>) -> (tensor<3xf64>, tensor<3x5xf64>) {
  %g:2 = weft.vmap @grad(%x, %ws) size 3 in [0, -1] out [0, 0] : (tensor<3xf64>, tensor<5xf64>) -> (tensor<3xf64>, tensor<3x5xf64>)
  return %g#0, %g#1 : tensor<3xf64>, tensor<3x5xf64>
}
