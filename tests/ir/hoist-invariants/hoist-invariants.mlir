// RUN: weft-opt --weft-hoist-invariants %s | FileCheck %s

// CHECK-LABEL: func.func @steps
// CHECK: weft.library_call "cholesky_f64"
// CHECK: weft.library_call "solve_f64"
// CHECK: scf.for
// CHECK: scf.for
// CHECK-NOT: cholesky
// CHECK: weft.library_call "solve_f64"
func.func @steps(%a: tensor<3x3xf64>, %x: tensor<3x3xf64>) -> tensor<3x3xf64> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c10 = arith.constant 10 : index
  %r = scf.for %i = %c0 to %c10 step %c1 iter_args(%y = %x) -> tensor<3x3xf64> {
    %s = scf.for %j = %c0 to %c10 step %c1 iter_args(%z = %y) -> tensor<3x3xf64> {
      %e = tensor.empty() : tensor<3x3xf64>
      %l = weft.library_call "cholesky_f64" [1, 3] (%a) into(%e) : (tensor<3x3xf64>, tensor<3x3xf64>) -> tensor<3x3xf64>
      %m = weft.library_call "solve_f64" [1, 3] (%l, %x) into(%e) : (tensor<3x3xf64>, tensor<3x3xf64>, tensor<3x3xf64>) -> tensor<3x3xf64>
      %n = weft.library_call "solve_f64" [1, 3] (%m, %z) into(%e) : (tensor<3x3xf64>, tensor<3x3xf64>, tensor<3x3xf64>) -> tensor<3x3xf64>
      scf.yield %n : tensor<3x3xf64>
    }
    scf.yield %s : tensor<3x3xf64>
  }
  return %r : tensor<3x3xf64>
}

// A kernel may fail, so it stays where no step may be taken, or not this one;
// arithmetic does not.
// CHECK-LABEL: func.func @perhaps
// CHECK: math.sin
// CHECK-NOT: library_call
// CHECK: scf.for
// CHECK: weft.library_call "cholesky_f64"
// CHECK: scf.for
// CHECK: scf.if
// CHECK: weft.library_call "cholesky_f64"
func.func @perhaps(%a: tensor<3x3xf64>, %u: f64, %n: index, %p: i1) -> (tensor<3x3xf64>, f64) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c10 = arith.constant 10 : index
  %r:2 = scf.for %i = %c0 to %n step %c1 iter_args(%y = %a, %v = %u) -> (tensor<3x3xf64>, f64) {
    %e = tensor.empty() : tensor<3x3xf64>
    %l = weft.library_call "cholesky_f64" [1, 3] (%a) into(%e) : (tensor<3x3xf64>, tensor<3x3xf64>) -> tensor<3x3xf64>
    %s = math.sin %u : f64
    %w = arith.addf %v, %s : f64
    scf.yield %l, %w : tensor<3x3xf64>, f64
  }
  %t = scf.for %i = %c0 to %c10 step %c1 iter_args(%y = %r#0) -> tensor<3x3xf64> {
    %q = scf.if %p -> tensor<3x3xf64> {
      %e = tensor.empty() : tensor<3x3xf64>
      %l = weft.library_call "cholesky_f64" [1, 3] (%a) into(%e) : (tensor<3x3xf64>, tensor<3x3xf64>) -> tensor<3x3xf64>
      scf.yield %l : tensor<3x3xf64>
    } else {
      scf.yield %y : tensor<3x3xf64>
    }
    scf.yield %q : tensor<3x3xf64>
  }
  return %t, %r#1 : tensor<3x3xf64>, f64
}
