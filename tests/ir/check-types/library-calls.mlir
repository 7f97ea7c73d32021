// RUN: weft-opt --weft-check-types --split-input-file --verify-diagnostics %s

// A library's kernel reads and writes as much as it is told to.
func.func @right(%x: tensor<4x3xf32>, %a: tensor<2x5x3xcomplex<f64>>) {
  %e = tensor.empty() : tensor<4x3xi64>
  %0 = weft.library_call "argsort_f32" [4, 3, 0] (%x) into(%e) : (tensor<4x3xf32>, tensor<4x3xi64>) -> tensor<4x3xi64>
  %u = tensor.empty() : tensor<2x5x5xcomplex<f64>>
  %s = tensor.empty() : tensor<2x3xf64>
  %v = tensor.empty() : tensor<2x3x3xcomplex<f64>>
  %1:3 = weft.library_call "svd_c128" [2, 5, 3, 1] (%a) into(%u, %s, %v)
      : (tensor<2x5x3xcomplex<f64>>, tensor<2x5x5xcomplex<f64>>, tensor<2x3xf64>, tensor<2x3x3xcomplex<f64>>)
      -> (tensor<2x5x5xcomplex<f64>>, tensor<2x3xf64>, tensor<2x3x3xcomplex<f64>>)
  return
}

// -----

func.func @sizes(%x: tensor<4x3xf32>) -> tensor<4x3xf32> {
  %e = tensor.empty() : tensor<4x3xf32>
  // expected-error @+1 {{kernel 'sort_f32' takes operands of 84000, 84000 bytes with sizes [7000, 3, 0], not of 48, 48}}
  %0 = weft.library_call "sort_f32" [7000, 3, 0] (%x) into(%e) : (tensor<4x3xf32>, tensor<4x3xf32>) -> tensor<4x3xf32>
  return %0 : tensor<4x3xf32>
}

// -----

func.func @elements(%x: memref<4x3xf32>, %y: memref<4x3xf32>) {
  // expected-error @+1 {{kernel 'sort_f64' takes operands of 96, 96 bytes}}
  weft.library_call "sort_f64" [4, 3, 0] (%x) into(%y) : (memref<4x3xf32>, memref<4x3xf32>) -> ()
  return
}

// -----

func.func @operands(%x: memref<4x3xf32>, %y: memref<4x3xf32>) {
  // expected-error @+1 {{kernel 'argsort_again_f32' takes operands of 48, 96, 96 bytes with sizes [4, 3, 0], not of 48, 48}}
  weft.library_call "argsort_again_f32" [4, 3, 0] (%x) into(%y) : (memref<4x3xf32>, memref<4x3xf32>) -> ()
  return
}

// -----

func.func @few(%x: memref<4x3xf32>, %y: memref<4x3xf32>) {
  // expected-error @+1 {{kernel 'sort_f32' takes no sizes like [4, 3]}}
  weft.library_call "sort_f32" [4, 3] (%x) into(%y) : (memref<4x3xf32>, memref<4x3xf32>) -> ()
  return
}

// -----

func.func @negative(%x: memref<4x3xf32>, %y: memref<4x3xf32>) {
  // expected-error @+1 {{kernel 'sort_f32' takes no sizes like [-4, -3, 0]}}
  weft.library_call "sort_f32" [-4, -3, 0] (%x) into(%y) : (memref<4x3xf32>, memref<4x3xf32>) -> ()
  return
}

// -----

func.func @unknown(%x: memref<4x3xf32>, %y: memref<4x3xf32>) {
  // expected-error @+1 {{there is no kernel 'fft_f32'}}
  weft.library_call "fft_f32" [4, 3, 1, 0] (%x) into(%y) : (memref<4x3xf32>, memref<4x3xf32>) -> ()
  return
}
