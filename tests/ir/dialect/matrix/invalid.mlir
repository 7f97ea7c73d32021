// RUN: weft-opt %s -verify-diagnostics -split-input-file

func.func @cholesky(%x: tensor<3x3xi32>) {
  // expected-error @+1 {{needs matrices of f32, f64 or complex of those, got 'tensor<3x3xi32>'}}
  %0 = weft.cholesky %x : tensor<3x3xi32>
  return
}

// -----

func.func @matrix_c1(%x: tensor<3xf32>) {
  // expected-error @+2 {{needs matrices of f32, f64 or complex of those, got 'tensor<3xf32>'}}
  // expected-error @+1 {{'weft.svdvals' op failed to infer returned types}}
  %0 = weft.svdvals %x : tensor<3xf32> to tensor<3xf32>
  return
}

// -----

func.func @matrix_c2(%x: tensor<3x2xf32>) {
  // expected-error @+2 {{needs square matrices, got 'tensor<3x2xf32>'}}
  // expected-error @+1 {{'weft.eigh' op failed to infer returned types}}
  %0, %1 = weft.eigh %x : (tensor<3x2xf32>) -> (tensor<3xf32>, tensor<3x3xf32>)
  return
}

// -----

func.func @eigvalsh(%x: tensor<3x2xf32>) {
  // expected-error @+2 {{needs square matrices, got 'tensor<3x2xf32>'}}
  // expected-error @+1 {{'weft.eigvalsh' op failed to infer returned types}}
  %0 = weft.eigvalsh %x : tensor<3x2xf32> to tensor<3xf32>
  return
}

// -----

func.func @solve_c1(%x: tensor<3x3xf32>, %b: tensor<2x3x1xf32>) {
  // expected-error @+2 {{needs stacks of one shape and element type, got 'tensor<3x3xf32>' and 'tensor<2x3x1xf32>'}}
  // expected-error @+1 {{'weft.triangular_solve' op failed to infer returned types}}
  %0 = weft.triangular_solve %x, %b : (tensor<3x3xf32>, tensor<2x3x1xf32>) -> tensor<2x3x1xf32>
  return
}

// -----

func.func @solve_c1_element(%x: tensor<3x3xf32>, %b: tensor<3x1xf64>) {
  // expected-error @+2 {{needs stacks of one shape and element type, got 'tensor<3x3xf32>' and 'tensor<3x1xf64>'}}
  // expected-error @+1 {{'weft.triangular_solve' op failed to infer returned types}}
  %0 = weft.triangular_solve %x, %b : (tensor<3x3xf32>, tensor<3x1xf64>) -> tensor<3x1xf64>
  return
}

// -----

func.func @solve_c2(%x: tensor<3x3xf32>, %b: tensor<4x1xf32>) {
  // expected-error @+2 {{has rows of 'tensor<4x1xf32>' that do not match 'tensor<3x3xf32>'}}
  // expected-error @+1 {{'weft.triangular_solve' op failed to infer returned types}}
  %0 = weft.triangular_solve %x, %b : (tensor<3x3xf32>, tensor<4x1xf32>) -> tensor<4x1xf32>
  return
}

// -----

func.func @solve_c2_right(%x: tensor<3x3xf32>, %b: tensor<3x1xf32>) {
  // expected-error @+2 {{has columns of 'tensor<3x1xf32>' that do not match 'tensor<3x3xf32>'}}
  // expected-error @+1 {{'weft.triangular_solve' op failed to infer returned types}}
  %0 = weft.triangular_solve %x, %b right : (tensor<3x3xf32>, tensor<3x1xf32>) -> tensor<3x1xf32>
  return
}

// -----

func.func @solve_c3(%x: tensor<3x3xf32>, %p: tensor<2xi64>, %b: tensor<3x1xf32>) {
  // expected-error @+2 {{needs the factors of 'tensor<3x3xf32>', got 'tensor<3x3xf32>' and 'tensor<2xi64>'}}
  // expected-error @+1 {{'weft.solve' op failed to infer returned types}}
  %0 = weft.solve %x factored %x, %p by %b : (tensor<3x3xf32>, tensor<3x3xf32>, tensor<2xi64>, tensor<3x1xf32>) -> tensor<3x1xf32>
  return
}

// -----

func.func @lu(%x: tensor<3x2xf32>) {
  // expected-error @+2 {{'weft.lu' op inferred type(s) 'tensor<3x2xf32>', 'tensor<2xi64>', 'tensor<3xi64>' are incompatible with return type(s) of operation 'tensor<3x2xf32>', 'tensor<3xi64>', 'tensor<3xi64>'}}
  // expected-error @+1 {{'weft.lu' op failed to infer returned types}}
  %0, %1, %2 = weft.lu %x : (tensor<3x2xf32>) -> (tensor<3x2xf32>, tensor<3xi64>, tensor<3xi64>)
  return
}

// -----

func.func @qr(%x: tensor<3x2xf32>) {
  // expected-error @+2 {{'weft.qr' op inferred type(s) 'tensor<3x3xf32>', 'tensor<3x2xf32>' are incompatible with return type(s) of operation 'tensor<3x2xf32>', 'tensor<2x2xf32>'}}
  // expected-error @+1 {{'weft.qr' op failed to infer returned types}}
  %0, %1 = weft.qr %x full : (tensor<3x2xf32>) -> (tensor<3x2xf32>, tensor<2x2xf32>)
  return
}

// -----

func.func @svd(%x: tensor<3x2xf32>) {
  // expected-error @+2 {{'weft.svd' op inferred type(s) 'tensor<3x2xf32>', 'tensor<2xf32>', 'tensor<2x2xf32>' are incompatible with return type(s) of operation 'tensor<3x3xf32>', 'tensor<2xf32>', 'tensor<2x2xf32>'}}
  // expected-error @+1 {{'weft.svd' op failed to infer returned types}}
  %0, %1, %2 = weft.svd %x : (tensor<3x2xf32>) -> (tensor<3x3xf32>, tensor<2xf32>, tensor<2x2xf32>)
  return
}

// -----

func.func @pinv_c1(%x: tensor<2x3x2xf32>, %c: tensor<f32>) {
  // expected-error @+2 {{needs a cutoff of type 'tensor<2xf32>', got 'tensor<f32>'}}
  // expected-error @+1 {{'weft.pinv' op failed to infer returned types}}
  %0 = weft.pinv %x, %c : (tensor<2x3x2xf32>, tensor<f32>) -> tensor<2x2x3xf32>
  return
}

// -----

func.func @library_call_c1(%x: tensor<3xf32>, %y: memref<3xf32>) {
  // expected-error @+1 {{takes either tensors or buffers, got 'tensor<3xf32>'}}
  %0 = weft.library_call "none_f32" [3] (%y) into(%x) : (memref<3xf32>, tensor<3xf32>) -> tensor<3xf32>
  return
}

// -----

func.func @library_call_c2(%x: tensor<?xf32>) {
  // expected-error @+1 {{needs a static shape, got 'tensor<?xf32>'}}
  %0 = weft.library_call "none_f32" [3] (%x) into(%x) : (tensor<?xf32>, tensor<?xf32>) -> tensor<?xf32>
  return
}

// -----

func.func @eig(%x: tensor<3x3xf32>) {
  // expected-error @+2 {{'weft.eig' op inferred type(s) 'tensor<3xcomplex<f32>>', 'tensor<3x3xcomplex<f32>>' are incompatible with return type(s) of operation 'tensor<3xcomplex<f64>>', 'tensor<3x3xcomplex<f64>>'}}
  // expected-error @+1 {{'weft.eig' op failed to infer returned types}}
  %0, %1 = weft.eig %x : (tensor<3x3xf32>) -> (tensor<3xcomplex<f64>>, tensor<3x3xcomplex<f64>>)
  return
}

// -----

func.func @eigvals(%x: tensor<3x2xf32>) {
  // expected-error @+2 {{needs square matrices, got 'tensor<3x2xf32>'}}
  // expected-error @+1 {{'weft.eigvals' op failed to infer returned types}}
  %0 = weft.eigvals %x : tensor<3x2xf32> to tensor<3xcomplex<f32>>
  return
}
