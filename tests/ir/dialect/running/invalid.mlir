// RUN: weft-opt %s -verify-diagnostics -split-input-file

func.func @along_axis_c1(%x: tensor<4xf32>, %y: tensor<3xf32>) {
  // expected-error @+2 {{needs operands of one type, got 'tensor<4xf32>' and 'tensor<3xf32>'}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = weft.linear_recurrence %x, %y axis 0 : (tensor<4xf32>, tensor<3xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @along_axis_c2(%x: tensor<4xf32>) {
  // expected-error @+1 {{axis 1 does not exist in 'tensor<4xf32>'}}
  %0 = weft.cumsum %x axis 1 : tensor<4xf32>
  return
}

// -----

func.func @sort(%x: tensor<4xf32>) {
  // expected-error @+2 {{axis 1 does not exist in 'tensor<4xf32>'}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = weft.sort %x axis 1 : tensor<4xf32> to tensor<4xf32>
  return
}

// -----

func.func @argsort(%x: tensor<4xf32>) {
  // expected-error @+2 {{axis 1 does not exist in 'tensor<4xf32>'}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = weft.argsort %x axis 1 : tensor<4xf32> to tensor<4xi64>
  return
}

// -----

func.func @cumprod(%x: tensor<4xi1>) {
  // expected-error @+1 {{'weft.cumprod' op operand #0 must be array of integers, floats or complex (not bool), but got 'tensor<4xi1>'}}
  %0 = weft.cumprod %x axis 0 : tensor<4xi1>
  return
}

// -----

func.func @cummax(%x: tensor<4xi1>) {
  // expected-error @+1 {{'weft.cummax' op operand #0 must be array of integers or floats (not bool), but got 'tensor<4xi1>'}}
  %0 = weft.cummax %x axis 0 : tensor<4xi1>
  return
}

// -----

func.func @cummin(%x: tensor<4xi1>) {
  // expected-error @+1 {{'weft.cummin' op operand #0 must be array of integers or floats (not bool), but got 'tensor<4xi1>'}}
  %0 = weft.cummin %x axis 0 : tensor<4xi1>
  return
}

// -----

func.func @cumlogsumexp(%x: tensor<4xi32>) {
  // expected-error @+1 {{'weft.cumlogsumexp' op operand #0 must be array of f16, bf16, f32 or f64, but got 'tensor<4xi32>'}}
  %0 = weft.cumlogsumexp %x axis 0 : tensor<4xi32>
  return
}

// -----

func.func @argsort_c1(%x: tensor<4xf32>, %y: tensor<3xi8>) {
  // expected-error @+2 {{needs keys of one shape, got 'tensor<4xf32>' and 'tensor<3xi8>'}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = weft.argsort %x, %y axis 0 : tensor<4xf32>, tensor<3xi8> to tensor<4xi64>
  return
}

// -----

func.func @no_keys() {
  // expected-error @+2 {{needs 1 operands, got 0}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = "weft.argsort"() {axis = 0 : i64} : () -> tensor<4xi64>
  return
}

// -----

func.func @searchsorted_c1(%x: tensor<4xf32>, %y: tensor<3xi8>) {
  // expected-error @+2 {{needs elements of one type, got 'tensor<4xf32>' and 'tensor<3xi8>'}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = weft.searchsorted %x, %y : (tensor<4xf32>, tensor<3xi8>) -> tensor<3xi64>
  return
}

// -----

func.func @searchsorted_c2(%x: tensor<f32>, %y: tensor<3xf32>) {
  // expected-error @+2 {{needs rows that are sorted, got 'tensor<f32>'}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = weft.searchsorted %x, %y : (tensor<f32>, tensor<3xf32>) -> tensor<3xi64>
  return
}

// -----

func.func @searchsorted_c3(%x: tensor<2x4xf32>, %y: tensor<3xf32>) {
  // expected-error @+2 {{needs values for each row of 'tensor<2x4xf32>', got 'tensor<3xf32>'}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = weft.searchsorted %x, %y : (tensor<2x4xf32>, tensor<3xf32>) -> tensor<3xi64>
  return
}
