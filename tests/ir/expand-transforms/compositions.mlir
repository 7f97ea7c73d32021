// Everything at once: a loop of a checkpointed function that has a rule of its own;
// its gradient, Hessian and pushforward, batched.
// RUN: %weft-run < %s | FileCheck %s

// sin, with a rule.
func.func private @f(%x: tensor<f64>) -> tensor<f64> attributes {weft.custom_vjp = [@f_fwd, @f_bwd]} {
  %0 = weft.sin %x : tensor<f64>
  return %0 : tensor<f64>
}
func.func private @f_fwd(%x: tensor<f64>) -> (tensor<f64>, tensor<f64>) {
  %0 = call @f(%x) : (tensor<f64>) -> tensor<f64>
  return %0, %x : tensor<f64>, tensor<f64>
}
func.func private @f_bwd(%x: tensor<f64>, %ct: tensor<f64>) -> tensor<f64> {
  %0 = weft.cos %x : tensor<f64>
  %1 = weft.multiply %0, %ct : tensor<f64>
  return %1 : tensor<f64>
}
func.func private @step(%c: tensor<f64>, %x: tensor<f64>) -> tensor<f64> attributes {weft.checkpoint = "nothing_saveable"} {
  %0 = call @f(%c) : (tensor<f64>) -> tensor<f64>
  %1 = weft.multiply %0, %x : tensor<f64>
  %2 = weft.exp %1 : tensor<f64>
  return %2 : tensor<f64>
}
// a -> exp(sin(a) x), for each x.
func.func private @loop(%c: tensor<f64>, %xs: tensor<5xf64>) -> tensor<f64> {
  %0 = weft.scan length 5 carry(%c) over(%xs) : (tensor<f64>, tensor<5xf64>) -> tensor<f64> {
  ^bb0(%a: tensor<f64>, %x: tensor<f64>):
    %1 = func.call @step(%a, %x) : (tensor<f64>, tensor<f64>) -> tensor<f64>
    weft.yield %1 : tensor<f64>
  }
  return %0 : tensor<f64>
}
func.func private @grad(%c: tensor<f64>, %xs: tensor<5xf64>) -> tensor<5xf64> {
  %one = weft.constant dense<1.0> : tensor<f64>
  %y, %r = weft.linearize @loop(%c, %xs) wrt [1] : (tensor<f64>, tensor<5xf64>) -> (tensor<f64>, !weft.residuals<@loop, [1]>)
  %d = weft.pullback %r(%one) : (!weft.residuals<@loop, [1]>, tensor<f64>) -> tensor<5xf64>
  return %d : tensor<5xf64>
}
func.func private @hess(%c: tensor<f64>, %xs: tensor<5xf64>, %t: tensor<5xf64>) -> tensor<5xf64> {
  %y, %r = weft.linearize @grad(%c, %xs) wrt [1] : (tensor<f64>, tensor<5xf64>) -> (tensor<5xf64>, !weft.residuals<@grad, [1]>)
  %d = weft.pullback %r(%t) : (!weft.residuals<@grad, [1]>, tensor<5xf64>) -> tensor<5xf64>
  return %d : tensor<5xf64>
}
func.func private @lin(%c: tensor<f64>, %xs: tensor<5xf64>, %t: tensor<5xf64>) -> tensor<f64> {
  %y, %r = weft.linearize @loop(%c, %xs) wrt [1] : (tensor<f64>, tensor<5xf64>) -> (tensor<f64>, !weft.residuals<@loop, [1]>)
  %d = weft.pushforward %r(%t) : (!weft.residuals<@loop, [1]>, tensor<5xf64>) -> tensor<f64>
  return %d : tensor<f64>
}
func.func @batched(%c: tensor<f64>, %cs: tensor<3xf64>, %xs: tensor<5xf64>, %I: tensor<5x5xf64>) -> (tensor<3x5xf64>, tensor<5x5xf64>, tensor<5xf64>) {
  %0 = weft.vmap @grad(%cs, %xs) size 3 in [0, -1] out [0] : (tensor<3xf64>, tensor<5xf64>) -> tensor<3x5xf64>
  %1 = weft.vmap @hess(%c, %xs, %I) size 5 in [-1, -1, 0] out [0] : (tensor<f64>, tensor<5xf64>, tensor<5x5xf64>) -> tensor<5x5xf64>
  %2 = weft.vmap @lin(%c, %xs, %I) size 5 in [-1, -1, 0] out [0] : (tensor<f64>, tensor<5xf64>, tensor<5x5xf64>) -> tensor<5xf64>
  return %0, %1, %2 : tensor<3x5xf64>, tensor<5x5xf64>, tensor<5xf64>
}
func.func @main() -> (tensor<3x5xf64>, tensor<5x5xf64>, tensor<5xf64>, tensor<5xf64>) {
  %c = weft.constant dense<0.3> : tensor<f64>
  %cs = weft.constant dense<0.3> : tensor<3xf64>
  %xs = weft.constant dense<[0.1, 0.2, 0.3, 0.4, 0.5]> : tensor<5xf64>
  %i = weft.iota dim 0 : tensor<5x5xi64>
  %j = weft.iota dim 1 : tensor<5x5xi64>
  %e = weft.equal %i, %j : tensor<5x5xi64>
  %I = weft.convert %e : tensor<5x5xi1> to tensor<5x5xf64>
  %0:3 = call @batched(%c, %cs, %xs, %I) : (tensor<f64>, tensor<3xf64>, tensor<5xf64>, tensor<5x5xf64>) -> (tensor<3x5xf64>, tensor<5x5xf64>, tensor<5xf64>)
  %1 = call @grad(%c, %xs) : (tensor<f64>, tensor<5xf64>) -> tensor<5xf64>
  return %0#0, %0#1, %0#2, %1 : tensor<3x5xf64>, tensor<5x5xf64>, tensor<5xf64>, tensor<5xf64>
}
// The same gradient for each of a stack; the last entries of the Hessian, which is
// symmetric; and the gradient again, along the unit vectors.
// CHECK: float64 {{\[\[}}6.4387747{{.*}}, 0.00176125{{.*}}, 0.0142877{{.*}}, 0.1141910{{.*}}, 1.6370184{{.*}}], [6.4387747
// CHECK-NEXT: float64 {{.*}}, -1.5494660{{[0-9]*}}, 0.3420317{{[0-9]*}}], [{{.*}}, 0.3420317{{[0-9]*}}, 1.6292566{{[0-9]*}}]]
// CHECK-NEXT: float64 [6.4387747{{.*}}, 1.6370184
// CHECK-NEXT: float64 [6.4387747{{.*}}, 1.6370184
