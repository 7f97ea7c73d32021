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

// One number among others stays where it is read, which can be split there.
// CHECK-LABEL: func.func @splats
// CHECK: linalg.fill
// CHECK: scf.for
// CHECK: tensor.insert_slice
func.func @splats(%x: tensor<8x2xf32>) -> tensor<8x2xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c10 = arith.constant 10 : index
  %zero = arith.constant 0.0 : f32
  %ones = arith.constant dense<1.0> : tensor<8x1xf32>
  %r = scf.for %i = %c0 to %c10 step %c1 iter_args(%y = %x) -> tensor<8x2xf32> {
    %e = tensor.empty() : tensor<8x2xf32>
    %f = linalg.fill ins(%zero : f32) outs(%e : tensor<8x2xf32>) -> tensor<8x2xf32>
    %j = tensor.insert_slice %ones into %f[0, 1] [8, 1] [1, 1] : tensor<8x1xf32> into tensor<8x2xf32>
    %s = linalg.add ins(%y, %j : tensor<8x2xf32>, tensor<8x2xf32>) outs(%e : tensor<8x2xf32>) -> tensor<8x2xf32>
    scf.yield %s : tensor<8x2xf32>
  }
  return %r : tensor<8x2xf32>
}
