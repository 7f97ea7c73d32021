// RUN: weft-opt %s -verify-diagnostics -split-input-file

func.func @fourier_c1(%x: tensor<4xf32>) {
  // expected-error @+1 {{does not transform 'tensor<4xf32>'}}
  %0 = weft.fft %x axis 0 : tensor<4xf32>
  return
}

// -----

func.func @fourier_c2(%x: tensor<4xf32>) {
  // expected-error @+2 {{axis 1 of 'tensor<4xf32>' does not exist or has no elements}}
  // expected-error @+1 {{'weft.rfft' op failed to infer returned types}}
  %0 = weft.rfft %x axis 1 : tensor<4xf32> to tensor<3xcomplex<f32>>
  return
}

// -----

func.func @irfft_c1(%x: tensor<4xcomplex<f32>>) {
  // expected-error @+2 {{length 5 needs 3 elements along axis 0 of 'tensor<4xcomplex<f32>>'}}
  // expected-error @+1 {{'weft.irfft' op failed to infer returned types}}
  %0 = weft.irfft %x axis 0 length 5 : tensor<4xcomplex<f32>> to tensor<5xf32>
  return
}
