// RUN: weft-opt %s -verify-diagnostics -split-input-file

func.func @broadcast(%x: tensor<4xf8E4M3>) {
  // expected-error @+1 {{'weft.broadcast' op operand #0 must be array of bool, integers, floats or complex}}
  %0 = weft.broadcast %x dims [0] : tensor<4xf8E4M3> to tensor<4x3xf8E4M3>
  return
}

// -----

func.func @broadcast_c1(%x: tensor<4xf32>) {
  // expected-error @+1 {{'weft.broadcast' op needs a result of element type 'f32', got 'f64'}}
  %0 = weft.broadcast %x dims [0] : tensor<4xf32> to tensor<4x3xf64>
  return
}

// -----

func.func @broadcast_c2(%x: tensor<4xf32>) {
  // expected-error @+1 {{broadcast: dims needs one entry for each of 1 dimensions, got 0}}
  %0 = weft.broadcast %x dims [] : tensor<4xf32> to tensor<4x3xf32>
  return
}

// -----

func.func @broadcast_c3(%x: tensor<4x3xf32>) {
  // expected-error @+1 {{broadcast: dims must ascend within rank 2, got array<i64: 1, 0>}}
  %0 = weft.broadcast %x dims [1, 0] : tensor<4x3xf32> to tensor<3x4xf32>
  return
}

// -----

func.func @broadcast_c3_beyond(%x: tensor<4xf32>) {
  // expected-error @+1 {{broadcast: dims must ascend within rank 2, got array<i64: 2>}}
  %0 = weft.broadcast %x dims [2] : tensor<4xf32> to tensor<3x4xf32>
  return
}

// -----

func.func @broadcast_c4(%x: tensor<4xf32>) {
  // expected-error @+1 {{'weft.broadcast' op cannot repeat dimension 0 of 'tensor<4xf32>' to the 3 of dimension 1 of 'tensor<2x3xf32>'}}
  %0 = weft.broadcast %x dims [1] : tensor<4xf32> to tensor<2x3xf32>
  return
}

// -----

func.func @reshape(%x: tensor<?xf32>) {
  // expected-error @+1 {{'weft.reshape' op operand #0 must be array of bool, integers, floats or complex}}
  %0 = weft.reshape %x : tensor<?xf32> to tensor<4xf32>
  return
}

// -----

func.func @reshape_c1(%x: tensor<4xf32>) {
  // expected-error @+1 {{'weft.reshape' op needs a result of element type 'f32', got 'i32'}}
  %0 = weft.reshape %x : tensor<4xf32> to tensor<2x2xi32>
  return
}

// -----

func.func @reshape_c2(%x: tensor<4xf32>) {
  // expected-error @+1 {{'weft.reshape' op needs a shape of 4 elements for 'tensor<4xf32>', got 'tensor<2x3xf32>'}}
  %0 = weft.reshape %x : tensor<4xf32> to tensor<2x3xf32>
  return
}

// -----

func.func @transpose(%x: tensor<2x3xf8E4M3>) {
  // expected-error @+1 {{'weft.transpose' op operand #0 must be array of bool, integers, floats or complex}}
  %0 = weft.transpose %x perm [1, 0] : tensor<2x3xf8E4M3> to tensor<3x2xf8E4M3>
  return
}

// -----

func.func @transpose_c1(%x: tensor<2x3xf32>) {
  // expected-error @+2 {{transpose: perm needs one entry for each of 2 dimensions, got 1}}
  // expected-error @+1 {{'weft.transpose' op failed to infer returned types}}
  %0 = weft.transpose %x perm [0] : tensor<2x3xf32> to tensor<2x3xf32>
  return
}

// -----

func.func @transpose_c2(%x: tensor<2x3xf32>) {
  // expected-error @+2 {{transpose: perm array<i64: 1, 1> is no permutation of the 2 dimensions of 'tensor<2x3xf32>'}}
  // expected-error @+1 {{'weft.transpose' op failed to infer returned types}}
  %0 = weft.transpose %x perm [1, 1] : tensor<2x3xf32> to tensor<3x3xf32>
  return
}

// -----

func.func @transpose_result(%x: tensor<2x3xf32>) {
  // expected-error @+2 {{'weft.transpose' op failed to infer returned types}}
  // expected-error @+1 {{'weft.transpose' op inferred type(s) 'tensor<3x2xf32>' are incompatible with return type(s) of operation 'tensor<2x3xf32>'}}
  %0 = weft.transpose %x perm [1, 0] : tensor<2x3xf32> to tensor<2x3xf32>
  return
}

// -----

func.func @slice(%x: tensor<4xindex>) {
  // expected-error @+1 {{'weft.slice' op operand #0 must be array of bool, integers, floats or complex}}
  %0 = weft.slice %x from [0] to [2] by [1] : tensor<4xindex> to tensor<2xindex>
  return
}

// -----

func.func @slice_c1(%x: tensor<4x5xf32>) {
  // expected-error @+2 {{slice: to needs one entry for each of 2 dimensions, got 1}}
  // expected-error @+1 {{'weft.slice' op failed to infer returned types}}
  %0 = weft.slice %x from [0, 0] to [2] by [1, 1] : tensor<4x5xf32> to tensor<2x5xf32>
  return
}

// -----

func.func @slice_c2(%x: tensor<4xf32>) {
  // expected-error @+2 {{slice: from 1 to 5 leaves dimension 0 of 'tensor<4xf32>'}}
  // expected-error @+1 {{'weft.slice' op failed to infer returned types}}
  %0 = weft.slice %x from [1] to [5] by [1] : tensor<4xf32> to tensor<4xf32>
  return
}

// -----

func.func @slice_c2_negative(%x: tensor<4xf32>) {
  // expected-error @+2 {{slice: from -1 to 2 leaves dimension 0 of 'tensor<4xf32>'}}
  // expected-error @+1 {{'weft.slice' op failed to infer returned types}}
  %0 = weft.slice %x from [-1] to [2] by [1] : tensor<4xf32> to tensor<3xf32>
  return
}

// -----

func.func @slice_c2_backwards(%x: tensor<4xf32>) {
  // expected-error @+2 {{slice: from 3 to 2 leaves dimension 0 of 'tensor<4xf32>'}}
  // expected-error @+1 {{'weft.slice' op failed to infer returned types}}
  %0 = weft.slice %x from [3] to [2] by [1] : tensor<4xf32> to tensor<0xf32>
  return
}

// -----

func.func @slice_c3(%x: tensor<4xf32>) {
  // expected-error @+2 {{slice: needs a positive stride along dimension 0, got 0}}
  // expected-error @+1 {{'weft.slice' op failed to infer returned types}}
  %0 = weft.slice %x from [0] to [4] by [0] : tensor<4xf32> to tensor<4xf32>
  return
}

// -----

func.func @pad(%x: tensor<4xf32>, %v: tensor<f8E4M3>) {
  // expected-error @+1 {{'weft.pad' op operand #1 must be array of bool, integers, floats or complex}}
  %0 = weft.pad %x with %v low [1] high [1] interior [0] : tensor<4xf32>, tensor<f8E4M3> to tensor<6xf32>
  return
}

// -----

func.func @pad_c1(%x: tensor<4xf32>, %v: tensor<1xf32>) {
  // expected-error @+2 {{pad: needs a value of type 'tensor<f32>', got 'tensor<1xf32>'}}
  // expected-error @+1 {{'weft.pad' op failed to infer returned types}}
  %0 = weft.pad %x with %v low [1] high [1] interior [0] : tensor<4xf32>, tensor<1xf32> to tensor<6xf32>
  return
}

// -----

func.func @pad_c2(%x: tensor<4xf32>, %v: tensor<f32>) {
  // expected-error @+2 {{pad: interior needs one entry for each of 1 dimensions, got 2}}
  // expected-error @+1 {{'weft.pad' op failed to infer returned types}}
  %0 = weft.pad %x with %v low [1] high [1] interior [0, 0] : tensor<4xf32>, tensor<f32> to tensor<6xf32>
  return
}

// -----

func.func @pad_c3(%x: tensor<4xf32>, %v: tensor<f32>) {
  // expected-error @+2 {{pad: negative padding along dimension 0: low -1, high 1, interior 0}}
  // expected-error @+1 {{'weft.pad' op failed to infer returned types}}
  %0 = weft.pad %x with %v low [-1] high [1] interior [0] : tensor<4xf32>, tensor<f32> to tensor<4xf32>
  return
}

// -----

func.func @pad_c4(%x: tensor<4xf32>, %v: tensor<f32>) {
  // expected-error @+2 {{pad: dimension 0 becomes too large}}
  // expected-error @+1 {{'weft.pad' op failed to infer returned types}}
  %0 = weft.pad %x with %v low [1] high [1] interior [9223372036854775807] : tensor<4xf32>, tensor<f32> to tensor<4xf32>
  return
}

// -----

func.func @concatenate(%x: tensor<4xf8E4M3>) {
  // expected-error @+1 {{'weft.concatenate' op operand #0 must be variadic of array of bool, integers, floats or complex}}
  %0 = weft.concatenate %x, %x dim 0 : tensor<4xf8E4M3>, tensor<4xf8E4M3> to tensor<8xf8E4M3>
  return
}

// -----

func.func @concatenate_c1() {
  // expected-error @+2 {{concatenate: needs an operand}}
  // expected-error @+1 {{'weft.concatenate' op failed to infer returned types}}
  %0 = "weft.concatenate"() <{dimension = 0 : i64}> : () -> tensor<8xf32>
  return
}

// -----

func.func @concatenate_c2(%x: tensor<4xf32>) {
  // expected-error @+2 {{concatenate: dimension 1 does not exist in 'tensor<4xf32>'}}
  // expected-error @+1 {{'weft.concatenate' op failed to infer returned types}}
  %0 = weft.concatenate %x, %x dim 1 : tensor<4xf32>, tensor<4xf32> to tensor<8xf32>
  return
}

// -----

func.func @concatenate_c3(%x: tensor<2x3xf32>, %y: tensor<3x3xf32>) {
  // expected-error @+2 {{concatenate: 'tensor<2x3xf32>' and 'tensor<3x3xf32>' differ in more than dimension 1}}
  // expected-error @+1 {{'weft.concatenate' op failed to infer returned types}}
  %0 = weft.concatenate %x, %y dim 1 : tensor<2x3xf32>, tensor<3x3xf32> to tensor<2x6xf32>
  return
}

// -----

func.func @concatenate_c3_elements(%x: tensor<2xf32>, %y: tensor<2xi32>) {
  // expected-error @+2 {{concatenate: 'tensor<2xf32>' and 'tensor<2xi32>' differ in more than dimension 0}}
  // expected-error @+1 {{'weft.concatenate' op failed to infer returned types}}
  %0 = weft.concatenate %x, %y dim 0 : tensor<2xf32>, tensor<2xi32> to tensor<4xf32>
  return
}

// -----

func.func @reverse(%x: tensor<4xf8E4M3>) {
  // expected-error @+1 {{'weft.reverse' op operand #0 must be array of bool, integers, floats or complex}}
  %0 = weft.reverse %x dims [0] : tensor<4xf8E4M3> to tensor<4xf8E4M3>
  return
}

// -----

func.func @reverse_c1(%x: tensor<4x5xf32>) {
  // expected-error @+2 {{reverse: dims must ascend within rank 2, got array<i64: 1, 1>}}
  // expected-error @+1 {{'weft.reverse' op failed to infer returned types}}
  %0 = weft.reverse %x dims [1, 1] : tensor<4x5xf32> to tensor<4x5xf32>
  return
}
