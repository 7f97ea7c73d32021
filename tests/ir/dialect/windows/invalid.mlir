// RUN: weft-opt %s -verify-diagnostics -split-input-file

func.func @windows_c1(%x: tensor<4xf32>) {
  // expected-error @+2 {{window needs one entry for each of 1 dimensions, got 2}}
  // expected-error @+1 {{'weft.reduce_window_sum' op failed to infer returned types}}
  %0 = weft.reduce_window_sum %x window [2, 2] strides [1] low [0] high [0] base_dilation [1] window_dilation [1] : (tensor<4xf32>) -> tensor<3xf32>
  return
}

// -----

func.func @windows_c1_low(%x: tensor<4xf32>) {
  // expected-error @+2 {{low needs one entry for each of 1 dimensions, got 0}}
  // expected-error @+1 {{'weft.reduce_window_max' op failed to infer returned types}}
  %0 = weft.reduce_window_max %x window [2] strides [1] low [] high [0] base_dilation [1] window_dilation [1] : (tensor<4xf32>) -> tensor<3xf32>
  return
}

// -----

func.func @windows_c2(%x: tensor<4xf32>) {
  // expected-error @+2 {{strides must be positive, got 0 along dimension 0}}
  // expected-error @+1 {{'weft.reduce_window_sum' op failed to infer returned types}}
  %0 = weft.reduce_window_sum %x window [2] strides [0] low [0] high [0] base_dilation [1] window_dilation [1] : (tensor<4xf32>) -> tensor<3xf32>
  return
}

// -----

func.func @windows_c2_window(%x: tensor<4xf32>) {
  // expected-error @+2 {{window must be positive, got -1 along dimension 0}}
  // expected-error @+1 {{'weft.reduce_window_min' op failed to infer returned types}}
  %0 = weft.reduce_window_min %x window [-1] strides [1] low [0] high [0] base_dilation [1] window_dilation [1] : (tensor<4xf32>) -> tensor<3xf32>
  return
}

// -----

func.func @windows_c3(%x: tensor<4xf32>) {
  // expected-error @+2 {{dimension 0 of 'tensor<4xf32>' with its padding becomes too large}}
  // expected-error @+1 {{'weft.reduce_window_sum' op failed to infer returned types}}
  %0 = weft.reduce_window_sum %x window [2] strides [1] low [9223372036854775807] high [1] base_dilation [1] window_dilation [1] : (tensor<4xf32>) -> tensor<3xf32>
  return
}

// -----

func.func @windows_c3_bytes(%x: tensor<4xf32>) {
  // expected-error @+2 {{'tensor<4xf32>' with its padding becomes too large}}
  // expected-error @+1 {{'weft.reduce_window_sum' op failed to infer returned types}}
  %0 = weft.reduce_window_sum %x window [2] strides [1] low [9223372036854775800] high [0] base_dilation [1] window_dilation [1] : (tensor<4xf32>) -> tensor<3xf32>
  return
}

// -----

func.func @windows_c4(%x: tensor<4xf32>) {
  // expected-error @+2 {{needs weights of type 'tensor<4xf32>' and keys of type 'tensor<3xf32>', got 'tensor<4xf32>' and 'tensor<4xf32>'}}
  // expected-error @+1 {{'weft.sum_where_equal' op failed to infer returned types}}
  %0 = weft.sum_where_equal %x, %x, %x window [2] strides [1] low [0] high [0] base_dilation [1] window_dilation [1] : (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<3xf32>
  return
}

// -----

func.func @reduce_window_max(%x: tensor<4xi1>) {
  // expected-error @+1 {{'weft.reduce_window_max' op operand #0 must be array of integers or floats (not bool), but got 'tensor<4xi1>'}}
  %0 = weft.reduce_window_max %x window [2] strides [1] low [0] high [0] base_dilation [1] window_dilation [1] : (tensor<4xi1>) -> tensor<3xi1>
  return
}

// -----

func.func @result(%x: tensor<4xf32>) {
  // expected-error @+2 {{'weft.reduce_window_sum' op failed to infer returned types}}
  // expected-error @+1 {{'weft.reduce_window_sum' op inferred type(s) 'tensor<3xf32>' are incompatible with return type(s) of operation 'tensor<4xf32>'}}
  %0 = weft.reduce_window_sum %x window [2] strides [1] low [0] high [0] base_dilation [1] window_dilation [1] : (tensor<4xf32>) -> tensor<4xf32>
  return
}
