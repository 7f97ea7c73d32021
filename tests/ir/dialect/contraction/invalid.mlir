// RUN: weft-opt %s -verify-diagnostics -split-input-file

func.func @dot_general(%x: tensor<4xi1>) {
  // expected-error @+1 {{'weft.dot_general' op operand #0 must be array of integers, floats or complex (not bool), but got 'tensor<4xi1>'}}
  %0 = weft.dot_general %x, %x batch [] x [] contract [0] x [0] : (tensor<4xi1>, tensor<4xi1>) -> tensor<i1>
  return
}

// -----

func.func @sum_of_products_c1(%l: tensor<2x3xf32>, %r: tensor<2x3xf32>) {
  // expected-error @+1 {{'weft.dot_general' op lhs 'tensor<2x3xf32>' has no dimension 2}}
  %0 = weft.dot_general %l, %r batch [] x [] contract [2] x [0] : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @sum_of_products_c1_negative(%l: tensor<2x3xf32>, %r: tensor<2x3xf32>) {
  // expected-error @+1 {{'weft.dot_general' op rhs 'tensor<2x3xf32>' has no dimension -1}}
  %0 = weft.dot_general %l, %r batch [] x [] contract [0] x [-1] : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<3x2xf32>
  return
}

// -----

func.func @sum_of_products_c1_twice(%l: tensor<2x3xf32>, %r: tensor<2x3xf32>) {
  // expected-error @+1 {{'weft.dot_general' op dimension 0 of lhs is named twice}}
  %0 = weft.dot_general %l, %r batch [0] x [0] contract [0] x [1] : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @sum_of_products_c2(%l: tensor<2x3xf32>, %r: tensor<2x3xf32>) {
  // expected-error @+1 {{'weft.dot_general' op 2 contracted dimensions of lhs, but 1 of rhs}}
  %0 = weft.dot_general %l, %r batch [] x [] contract [0, 1] x [0] : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<3xf32>
  return
}

// -----

func.func @sum_of_products_c2_sizes(%l: tensor<2x3xf32>, %r: tensor<2x3xf32>) {
  // expected-error @+1 {{'weft.dot_general' op contracted dimension 0 of lhs 'tensor<2x3xf32>' and 1 of rhs 'tensor<2x3xf32>' have different sizes: 2 and 3}}
  %0 = weft.dot_general %l, %r batch [] x [] contract [0] x [1] : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<3x2xf32>
  return
}

// -----

func.func @sum_of_products_c2_batch(%l: tensor<2x3xf32>, %r: tensor<2x3xf32>) {
  // expected-error @+1 {{'weft.dot_general' op batch dimension 1 of lhs 'tensor<2x3xf32>' and 0 of rhs 'tensor<2x3xf32>' have different sizes: 3 and 2}}
  %0 = weft.dot_general %l, %r batch [1] x [0] contract [] x [] : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<3x2x3xf32>
  return
}

// -----

func.func @sum_of_products_c3(%l: tensor<2x3xf32>, %r: tensor<3x2xf64>) {
  // expected-error @+1 {{'weft.dot_general' op element types differ: 'f32' and 'f64'}}
  %0 = weft.dot_general %l, %r batch [] x [] contract [1] x [0] : (tensor<2x3xf32>, tensor<3x2xf64>) -> tensor<2x2xf32>
  return
}

// -----

func.func @sum_of_products_c4(%x: tensor<2x3xf32>) {
  // expected-error @+1 {{'weft.dot_general' op cannot accumulate products of 'f32' in 'i64': that must be a wider type of the kind, or a float}}
  %0 = weft.dot_general %x, %x batch [] x [] contract [1] x [1] : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x2xi64>
  return
}

// -----

func.func @sum_of_products_c4_narrower(%x: tensor<2x3xi32>) {
  // expected-error @+1 {{'weft.dot_general' op cannot accumulate products of 'i32' in 'i8'}}
  %0 = weft.dot_general %x, %x batch [] x [] contract [1] x [1] : (tensor<2x3xi32>, tensor<2x3xi32>) -> tensor<2x2xi8>
  return
}

// -----

func.func @sum_of_products_c4_sign(%x: tensor<2x3xi8>) {
  // expected-error @+1 {{'weft.dot_general' op cannot accumulate products of 'i8' in 'ui32'}}
  %0 = weft.dot_general %x, %x batch [] x [] contract [1] x [1] : (tensor<2x3xi8>, tensor<2x3xi8>) -> tensor<2x2xui32>
  return
}

// -----

func.func @sum_of_products_c5(%x: tensor<2x3xf32>) {
  // expected-error @+1 {{'weft.dot_general' op needs a result of type 'tensor<2x2xf32>', got 'tensor<3x3xf32>'}}
  %0 = weft.dot_general %x, %x batch [] x [] contract [1] x [1] : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<3x3xf32>
  return
}

// -----

func.func @sum_of_products_c6(%x: tensor<2x3xf32>) {
  // expected-error @+1 {{'weft.dot_general' op has the precision "bf16", which can only be "tf32", of sums of f32}}
  %0 = weft.dot_general %x, %x batch [] x [] contract [1] x [1] {precision = "bf16"} : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x2xf32>
  return
}

// -----

func.func @sum_of_products_c6_type(%x: tensor<4xf64>, %w: tensor<2xf64>) {
  // expected-error @+1 {{'weft.convolution' op has the precision "tf32"}}
  %0 = weft.convolution %x, %w batch [] x [] contract [] x [] spatial [0] x [0] order [0] strides [1] low [0] high [0] base_dilation [1] window_dilation [1] {precision = "tf32"} : (tensor<4xf64>, tensor<2xf64>) -> tensor<3xf64>
  return
}

// -----

func.func @convolution_c1(%x: tensor<4xf32>, %w: tensor<2xf32>) {
  // expected-error @+1 {{'weft.convolution' op order array<i64: 1> is no permutation of the result's 1 dimensions}}
  %0 = weft.convolution %x, %w batch [] x [] contract [] x [] spatial [0] x [0] order [1] strides [1] low [0] high [0] base_dilation [1] window_dilation [1] : (tensor<4xf32>, tensor<2xf32>) -> tensor<3xf32>
  return
}

// -----

func.func @convolution_c1_twice(%x: tensor<4x5xf32>, %w: tensor<2x2xf32>) {
  // expected-error @+1 {{'weft.convolution' op order array<i64: 0, 0, 1> is no permutation of the result's 3 dimensions}}
  %0 = weft.convolution %x, %w batch [] x [] contract [] x [] spatial [1] x [1] order [0, 0, 1] strides [1] low [0] high [0] base_dilation [1] window_dilation [1] : (tensor<4x5xf32>, tensor<2x2xf32>) -> tensor<4x4x2xf32>
  return
}

// -----

func.func @convolution_c1_missing(%x: tensor<4xf32>, %w: tensor<2xf32>) {
  // expected-error @+1 {{'weft.convolution' op order needs one entry for each of 1 dimensions, got 0}}
  %0 = weft.convolution %x, %w batch [] x [] contract [] x [] spatial [0] x [0] order [] strides [1] low [0] high [0] base_dilation [1] window_dilation [1] : (tensor<4xf32>, tensor<2xf32>) -> tensor<3xf32>
  return
}

// -----

func.func @convolution_c2(%x: tensor<4xf32>, %w: tensor<2xf32>) {
  // expected-error @+1 {{'weft.convolution' op 1 spatial dimensions of lhs, but 0 of rhs}}
  %0 = weft.convolution %x, %w batch [] x [] contract [] x [] spatial [0] x [] order [0] strides [1] low [0] high [0] base_dilation [1] window_dilation [1] : (tensor<4xf32>, tensor<2xf32>) -> tensor<3xf32>
  return
}

// -----

func.func @convolution_twice(%x: tensor<4xf32>, %w: tensor<2xf32>) {
  // expected-error @+1 {{'weft.convolution' op dimension 0 of lhs is named twice}}
  %0 = weft.convolution %x, %w batch [] x [] contract [0] x [0] spatial [0] x [0] order [0] strides [1] low [0] high [0] base_dilation [1] window_dilation [1] : (tensor<4xf32>, tensor<2xf32>) -> tensor<3xf32>
  return
}

// -----

func.func @convolution_result(%x: tensor<4xf32>, %w: tensor<2xf32>) {
  // expected-error @+1 {{'weft.convolution' op needs a result of type 'tensor<3xf32>', got 'tensor<4xf32>'}}
  %0 = weft.convolution %x, %w batch [] x [] contract [] x [] spatial [0] x [0] order [0] strides [1] low [0] high [0] base_dilation [1] window_dilation [1] : (tensor<4xf32>, tensor<2xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @convolution_no_window(%x: tensor<4xf32>, %w: tensor<0xf32>) {
  // expected-error @+1 {{window must be positive, got 0 along dimension 0}}
  %0 = weft.convolution %x, %w batch [] x [] contract [] x [] spatial [0] x [0] order [0] strides [1] low [0] high [0] base_dilation [1] window_dilation [1] : (tensor<4xf32>, tensor<0xf32>) -> tensor<4xf32>
  return
}
