// RUN: weft-opt %s | weft-opt | FileCheck %s
// RUN: weft-opt --mlir-print-op-generic %s | weft-opt | FileCheck %s
// RUN: weft-opt --mlir-print-op-generic %s | FileCheck %s --check-prefix=GENERIC

// CHECK-LABEL: func.func @factors(
// CHECK-SAME: %[[A:[a-z0-9]+]]: tensor<2x3x3xf64>, %[[X:[a-z0-9]+]]: tensor<4x3xf32>, %[[B:[a-z0-9]+]]: tensor<2x3x5xf64>)
func.func @factors(%a: tensor<2x3x3xf64>, %x: tensor<4x3xf32>, %b: tensor<2x3x5xf64>) {
  // CHECK-NEXT: weft.cholesky %[[A]] : tensor<2x3x3xf64>
  %l = weft.cholesky %a : tensor<2x3x3xf64>
  // CHECK-NEXT: weft.triangular_solve %[[A]], %[[B]] upper transpose unit : (tensor<2x3x3xf64>, tensor<2x3x5xf64>) -> tensor<2x3x5xf64>
  // GENERIC: "weft.triangular_solve"(%{{.+}}) <{transpose, unit, upper}>
  %t = weft.triangular_solve %a, %b upper transpose unit : (tensor<2x3x3xf64>, tensor<2x3x5xf64>) -> tensor<2x3x5xf64>
  // CHECK-NEXT: %[[LU:.+]], %{{.+}}, %[[P:.+]] = weft.lu %[[A]] nonsingular : (tensor<2x3x3xf64>) -> (tensor<2x3x3xf64>, tensor<2x3xi64>, tensor<2x3xi64>)
  %lu, %pivots, %p = weft.lu %a nonsingular : (tensor<2x3x3xf64>) -> (tensor<2x3x3xf64>, tensor<2x3xi64>, tensor<2x3xi64>)
  // CHECK-NEXT: weft.solve %[[A]] factored %[[LU]], %[[P]] by %[[B]] transpose : (tensor<2x3x3xf64>, tensor<2x3x3xf64>, tensor<2x3xi64>, tensor<2x3x5xf64>) -> tensor<2x3x5xf64>
  %y = weft.solve %a factored %lu, %p by %b transpose : (tensor<2x3x3xf64>, tensor<2x3x3xf64>, tensor<2x3xi64>, tensor<2x3x5xf64>) -> tensor<2x3x5xf64>
  // CHECK-NEXT: weft.qr %[[X]] full : (tensor<4x3xf32>) -> (tensor<4x4xf32>, tensor<4x3xf32>)
  %q, %r = weft.qr %x full : (tensor<4x3xf32>) -> (tensor<4x4xf32>, tensor<4x3xf32>)
  return
}

// CHECK-LABEL: func.func @spectra(
// CHECK-SAME: %[[A:[a-z0-9]+]]: tensor<2x3x3xf64>, %[[X:[a-z0-9]+]]: tensor<4x3xf32>, %[[C:[a-z0-9]+]]: tensor<f32>)
func.func @spectra(%a: tensor<2x3x3xf64>, %x: tensor<4x3xf32>, %c: tensor<f32>) {
  // CHECK-NEXT: weft.svd %[[X]] : (tensor<4x3xf32>) -> (tensor<4x3xf32>, tensor<3xf32>, tensor<3x3xf32>)
  %u, %s, %vh = weft.svd %x : (tensor<4x3xf32>) -> (tensor<4x3xf32>, tensor<3xf32>, tensor<3x3xf32>)
  // CHECK-NEXT: weft.svdvals %[[X]] : tensor<4x3xf32> to tensor<3xf32>
  %values = weft.svdvals %x : tensor<4x3xf32> to tensor<3xf32>
  // CHECK-NEXT: weft.eigh %[[A]] : (tensor<2x3x3xf64>) -> (tensor<2x3xf64>, tensor<2x3x3xf64>)
  %w, %v = weft.eigh %a : (tensor<2x3x3xf64>) -> (tensor<2x3xf64>, tensor<2x3x3xf64>)
  // CHECK-NEXT: weft.eigvalsh %[[A]] : tensor<2x3x3xf64> to tensor<2x3xf64>
  %eigenvalues = weft.eigvalsh %a : tensor<2x3x3xf64> to tensor<2x3xf64>
  // CHECK-NEXT: weft.eig %[[A]] : (tensor<2x3x3xf64>) -> (tensor<2x3xcomplex<f64>>, tensor<2x3x3xcomplex<f64>>)
  %ws, %vs = weft.eig %a : (tensor<2x3x3xf64>) -> (tensor<2x3xcomplex<f64>>, tensor<2x3x3xcomplex<f64>>)
  // CHECK-NEXT: weft.eigvals %[[A]] : tensor<2x3x3xf64> to tensor<2x3xcomplex<f64>>
  %wv = weft.eigvals %a : tensor<2x3x3xf64> to tensor<2x3xcomplex<f64>>
  // CHECK-NEXT: weft.pinv %[[X]], %[[C]] : (tensor<4x3xf32>, tensor<f32>) -> tensor<3x4xf32>
  %i = weft.pinv %x, %c : (tensor<4x3xf32>, tensor<f32>) -> tensor<3x4xf32>
  return
}

// CHECK-LABEL: func.func @library_call(
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<3x3xf64>, %[[Y:[a-z0-9]+]]: tensor<3x3xf64>, %[[M:[a-z0-9]+]]: memref<3x3xf64>)
func.func @library_call(%x: tensor<3x3xf64>, %y: tensor<3x3xf64>, %m: memref<3x3xf64>) {
  // CHECK-NEXT: weft.library_call "cholesky_f64" [1, 3](%[[X]]) into(%[[Y]]) : (tensor<3x3xf64>, tensor<3x3xf64>) -> tensor<3x3xf64>
  %0 = weft.library_call "cholesky_f64" [1, 3] (%x) into(%y) : (tensor<3x3xf64>, tensor<3x3xf64>) -> tensor<3x3xf64>
  // CHECK-NEXT: weft.library_call "cholesky_f64" [1, 3](%[[M]]) into(%[[M]]) : (memref<3x3xf64>, memref<3x3xf64>) -> ()
  weft.library_call "cholesky_f64" [1, 3] (%m) into(%m) : (memref<3x3xf64>, memref<3x3xf64>) -> ()
  return
}
