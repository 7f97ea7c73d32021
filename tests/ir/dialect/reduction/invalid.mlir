// RUN: weft-opt %s -verify-diagnostics -split-input-file

func.func @sum(%x: tensor<4xi1>) {
  // expected-error @+1 {{'weft.sum' op operand #0 must be array of integers, floats or complex (not bool), but got 'tensor<4xi1>'}}
  %0 = weft.sum %x axes [0] : tensor<4xi1> to tensor<i1>
  return
}

// -----

func.func @prod(%x: tensor<4xi1>) {
  // expected-error @+1 {{'weft.prod' op operand #0 must be array of integers, floats or complex (not bool), but got 'tensor<4xi1>'}}
  %0 = weft.prod %x axes [0] : tensor<4xi1> to tensor<i1>
  return
}

// -----

func.func @max(%x: tensor<4xi1>) {
  // expected-error @+1 {{'weft.max' op operand #0 must be array of integers or floats (not bool), but got 'tensor<4xi1>'}}
  %0 = weft.max %x axes [0] : tensor<4xi1> to tensor<i1>
  return
}

// -----

func.func @min(%x: tensor<4xi1>) {
  // expected-error @+1 {{'weft.min' op operand #0 must be array of integers or floats (not bool), but got 'tensor<4xi1>'}}
  %0 = weft.min %x axes [0] : tensor<4xi1> to tensor<i1>
  return
}

// -----

func.func @any(%x: tensor<4xi8>) {
  // expected-error @+1 {{'weft.any' op operand #0 must be array of bool (i1), but got 'tensor<4xi8>'}}
  %0 = weft.any %x axes [0] : tensor<4xi8> to tensor<i8>
  return
}

// -----

func.func @all(%x: tensor<4xi8>) {
  // expected-error @+1 {{'weft.all' op operand #0 must be array of bool (i1), but got 'tensor<4xi8>'}}
  %0 = weft.all %x axes [0] : tensor<4xi8> to tensor<i8>
  return
}

// -----

func.func @argmax(%x: tensor<4xi1>) {
  // expected-error @+1 {{'weft.argmax' op operand #0 must be array of integers or floats (not bool), but got 'tensor<4xi1>'}}
  %0 = weft.argmax %x axis 0 : tensor<4xi1> to tensor<i64>
  return
}

// -----

func.func @argmin(%x: tensor<4xi1>) {
  // expected-error @+1 {{'weft.argmin' op operand #0 must be array of integers or floats (not bool), but got 'tensor<4xi1>'}}
  %0 = weft.argmin %x axis 0 : tensor<4xi1> to tensor<i64>
  return
}

// -----

func.func @reduction_c1(%x: tensor<4x5xf32>) {
  // expected-error @+2 {{axes must ascend within rank 2, got array<i64: 1, 0>}}
  // expected-error @+1 {{'weft.sum' op failed to infer returned types}}
  %0 = weft.sum %x axes [1, 0] : tensor<4x5xf32> to tensor<f32>
  return
}

// -----

func.func @reduction_c1_twice(%x: tensor<4x5xi1>) {
  // expected-error @+2 {{axes must ascend within rank 2, got array<i64: 1, 1>}}
  // expected-error @+1 {{'weft.any' op failed to infer returned types}}
  %0 = weft.any %x axes [1, 1] : tensor<4x5xi1> to tensor<4xi1>
  return
}

// -----

func.func @reduction_c1_beyond(%x: tensor<4x5xf32>) {
  // expected-error @+2 {{axes must ascend within rank 2, got array<i64: 2>}}
  // expected-error @+1 {{'weft.prod' op failed to infer returned types}}
  %0 = weft.prod %x axes [2] : tensor<4x5xf32> to tensor<4xf32>
  return
}

// -----

func.func @reduction_c1_negative(%x: tensor<4x5xf32>) {
  // expected-error @+2 {{axes must ascend within rank 2, got array<i64: -1>}}
  // expected-error @+1 {{'weft.max' op failed to infer returned types}}
  %0 = weft.max %x axes [-1] : tensor<4x5xf32> to tensor<4xf32>
  return
}

// -----

func.func @reduction_c2(%x: tensor<4x0xf32>) {
  // expected-error @+2 {{has no maximum or minimum over axes array<i64: 1> of 'tensor<4x0xf32>', which hold no elements}}
  // expected-error @+1 {{'weft.max' op failed to infer returned types}}
  %0 = weft.max %x axes [1] : tensor<4x0xf32> to tensor<4xf32>
  return
}

// -----

func.func @arg_reduction_c1(%x: tensor<4x5xf32>) {
  // expected-error @+2 {{axis 2 does not exist in 'tensor<4x5xf32>'}}
  // expected-error @+1 {{'weft.argmax' op failed to infer returned types}}
  %0 = weft.argmax %x axis 2 : tensor<4x5xf32> to tensor<4xi64>
  return
}

// -----

func.func @arg_reduction_c1_scalar(%x: tensor<f32>) {
  // expected-error @+2 {{axis 0 does not exist in 'tensor<f32>'}}
  // expected-error @+1 {{'weft.argmin' op failed to infer returned types}}
  %0 = weft.argmin %x axis 0 : tensor<f32> to tensor<i64>
  return
}

// -----

func.func @arg_reduction_c2(%x: tensor<0x5xf32>) {
  // expected-error @+2 {{has no maximum or minimum over axis 0 of 'tensor<0x5xf32>', which holds no elements}}
  // expected-error @+1 {{'weft.argmin' op failed to infer returned types}}
  %0 = weft.argmin %x axis 0 : tensor<0x5xf32> to tensor<5xi64>
  return
}

// -----

func.func @result_shape(%x: tensor<4x5xf32>) {
  // expected-error @+2 {{'weft.sum' op failed to infer returned types}}
  // expected-error @+1 {{'weft.sum' op inferred type(s) 'tensor<5xf32>' are incompatible with return type(s) of operation 'tensor<4xf32>'}}
  %0 = weft.sum %x axes [0] : tensor<4x5xf32> to tensor<4xf32>
  return
}

// -----

func.func @index_type(%x: tensor<4xf32>) {
  // expected-error @+2 {{'weft.argmax' op failed to infer returned types}}
  // expected-error @+1 {{'weft.argmax' op inferred type(s) 'tensor<i64>' are incompatible with return type(s) of operation 'tensor<i32>'}}
  %0 = weft.argmax %x axis 0 : tensor<4xf32> to tensor<i32>
  return
}
