// RUN: weft-opt --weft-to-memref %s | FileCheck %s

// The kernel writes into the result itself.
// CHECK-LABEL: func.func @direct(
// CHECK-SAME: %[[X:.+]]: memref<3x3xf64>, %[[Y:.+]]: memref<3x3xf64>, %{{.+}}: memref<0xi8>)
// CHECK-NEXT: weft.library_call "cholesky_f64" [1, 3](%[[X]]) into(%[[Y]])
// CHECK-NEXT: return
func.func @direct(%x: tensor<3x3xf64>) -> tensor<3x3xf64> {
  %e = tensor.empty() : tensor<3x3xf64>
  %y = weft.library_call "cholesky_f64" [1, 3] (%x) into(%e) : (tensor<3x3xf64>, tensor<3x3xf64>) -> tensor<3x3xf64>
  return %y : tensor<3x3xf64>
}

// What has gaps is copied.
// CHECK-LABEL: func.func @strided(
// CHECK-SAME: %[[X:.+]]: memref<3x6xf64>, %[[Y:.+]]: memref<3x3xf64>, %[[ARENA:.+]]: memref<128xi8>)
// CHECK: %[[COPY:.+]] = memref.view %[[ARENA]]
// CHECK: memref.copy %{{.+}}, %[[COPY]]
// CHECK: weft.library_call "cholesky_f64" [1, 3](%[[COPY]]) into(%[[Y]])
func.func @strided(%x: tensor<3x6xf64>) -> tensor<3x3xf64> {
  %part = tensor.extract_slice %x[0, 0] [3, 3] [1, 2] : tensor<3x6xf64> to tensor<3x3xf64>
  %e = tensor.empty() : tensor<3x3xf64>
  %y = weft.library_call "cholesky_f64" [1, 3] (%part) into(%e) : (tensor<3x3xf64>, tensor<3x3xf64>) -> tensor<3x3xf64>
  return %y : tensor<3x3xf64>
}

// A carried matrix is not overwritten while it is read.
// CHECK-LABEL: func.func @carried(
// CHECK: scf.for
// CHECK: weft.library_call "cholesky_f64" [1, 3](%[[FROM:.+]]) into(%[[TO:.+]]) :
// CHECK-NOT: into(%[[FROM]])
func.func @carried(%x: tensor<3x3xf64>) -> tensor<3x3xf64> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c5 = arith.constant 5 : index
  %y = scf.for %i = %c0 to %c5 step %c1 iter_args(%now = %x) -> tensor<3x3xf64> {
    %e = tensor.empty() : tensor<3x3xf64>
    %next = weft.library_call "cholesky_f64" [1, 3] (%now) into(%e) : (tensor<3x3xf64>, tensor<3x3xf64>) -> tensor<3x3xf64>
    scf.yield %next : tensor<3x3xf64>
  }
  return %y : tensor<3x3xf64>
}
