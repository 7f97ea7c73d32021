// RUN: weft-opt %s -verify-diagnostics -split-input-file

func.func @starts_c1(%x: tensor<4x5xf32>, %i: tensor<i64>) {
  // expected-error @+2 {{needs one scalar start for each of the 2 dimensions of 'tensor<4x5xf32>', got 1}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = weft.dynamic_slice %x[%i] sizes [1, 1] : (tensor<4x5xf32>, tensor<i64>) -> tensor<1x1xf32>
  return
}

// -----

func.func @dynamic_slice_c1(%x: tensor<4x5xf32>, %i: tensor<i64>) {
  // expected-error @+2 {{dynamic_slice: sizes [5, 1] do not fit 'tensor<4x5xf32>'}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = weft.dynamic_slice %x[%i, %i] sizes [5, 1] : (tensor<4x5xf32>, tensor<i64>, tensor<i64>) -> tensor<5x1xf32>
  return
}

// -----

func.func @dynamic_update_slice_c1(%x: tensor<4x5xf32>, %i: tensor<i64>, %u: tensor<5x1xf32>) {
  // expected-error @+2 {{dynamic_update_slice: an update of type 'tensor<5x1xf32>' does not fit 'tensor<4x5xf32>'}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = weft.dynamic_update_slice %x, %u[%i, %i] : (tensor<4x5xf32>, tensor<5x1xf32>, tensor<i64>, tensor<i64>) -> tensor<4x5xf32>
  return
}

// -----

func.func @places_c1(%x: tensor<4x5xf32>, %i: tensor<3xi64>, %j: tensor<2xi64>) {
  // expected-error @+2 {{needs indices of one shape, got 'tensor<2xi64>' and 'tensor<3xi64>'}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = weft.gather %x[%i, %j] dims [0, 1] sizes [1, 1] collapsed [0, 1] batch [] : (tensor<4x5xf32>, tensor<3xi64>, tensor<2xi64>) -> tensor<3xf32>
  return
}

// -----

func.func @places_c2(%x: tensor<4x5xf32>, %u: tensor<3x5xf32>, %i: tensor<3xi64>) {
  // expected-error @+2 {{dimension 2 of 'tensor<4x5xf32>' does not exist or is named twice}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = weft.gather %x[%i] dims [2] sizes [1, 5] collapsed [0] batch [] : (tensor<4x5xf32>, tensor<3xi64>) -> tensor<3x5xf32>
  return
}

// -----

func.func @places_c3(%x: tensor<4x5xf32>, %u: tensor<3x5xf32>, %i: tensor<3xi64>) {
  // expected-error @+2 {{batch dimensions [1] of 'tensor<4x5xf32>' do not lead the indices' 'tensor<3xi64>'}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = weft.gather %x[%i] dims [0] sizes [1, 1] collapsed [0] batch [1] : (tensor<4x5xf32>, tensor<3xi64>) -> tensor<3xf32>
  return
}

// -----

func.func @places_c4(%x: tensor<4x3xf32>, %i: tensor<3xi64>) {
  // expected-error @+2 {{dimension 1 is collapsed and a batch dimension}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = weft.gather %x[%i] dims [0] sizes [1, 1] collapsed [0, 1] batch [1] : (tensor<4x3xf32>, tensor<3xi64>) -> tensor<3xf32>
  return
}

// -----

func.func @gather_c1(%x: tensor<4x5xf32>, %u: tensor<3x5xf32>, %i: tensor<3xi64>) {
  // expected-error @+2 {{gather: needs one size for each of the 2 dimensions of 'tensor<4x5xf32>'}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = weft.gather %x[%i] dims [0] sizes [1] collapsed [0] batch [] : (tensor<4x5xf32>, tensor<3xi64>) -> tensor<3x5xf32>
  return
}

// -----

func.func @gather_c2(%x: tensor<4x5xf32>, %u: tensor<3x5xf32>, %i: tensor<3xi64>) {
  // expected-error @+2 {{gather: size 2 along dimension 0 does not fit 'tensor<4x5xf32>', or is not 1 where it is dropped}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = weft.gather %x[%i] dims [0] sizes [2, 5] collapsed [0] batch [] : (tensor<4x5xf32>, tensor<3xi64>) -> tensor<3x5xf32>
  return
}

// -----

func.func @scatter_c1(%x: tensor<4x5xf32>, %u: tensor<3x5xf32>, %i: tensor<3xi64>) {
  // expected-error @+2 {{scatter: updates of type 'tensor<3x5xf32>' do not fit slices of 'tensor<4x5xf32>' at indices 'tensor<3xi64>'}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = weft.scatter %x, %u[%i] dims [0] collapsed [] batch [] : (tensor<4x5xf32>, tensor<3x5xf32>, tensor<3xi64>) -> tensor<4x5xf32>
  return
}

// -----

func.func @scatter_c2(%x: tensor<0x5xf32>, %u: tensor<3x5xf32>, %i: tensor<3xi64>) {
  // expected-error @+2 {{scatter: collapsed dimension 0 of 'tensor<0x5xf32>' has no elements}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = weft.scatter %x, %u[%i] dims [0] collapsed [0] batch [] : (tensor<0x5xf32>, tensor<3x5xf32>, tensor<3xi64>) -> tensor<0x5xf32>
  return
}

// -----

func.func @scatter_add(%x: tensor<4xi1>, %u: tensor<3xi1>, %i: tensor<3xi64>) {
  // expected-error @+1 {{'weft.scatter_add' op operand #0 must be array of integers, floats or complex (not bool), but got 'tensor<4xi1>'}}
  %0 = weft.scatter_add %x, %u[%i] dims [0] collapsed [0] batch [] : (tensor<4xi1>, tensor<3xi1>, tensor<3xi64>) -> tensor<4xi1>
  return
}

// -----

func.func @scatter_multiply(%x: tensor<4xi1>, %u: tensor<3xi1>, %i: tensor<3xi64>) {
  // expected-error @+1 {{'weft.scatter_multiply' op operand #0 must be array of integers, floats or complex (not bool), but got 'tensor<4xi1>'}}
  %0 = weft.scatter_multiply %x, %u[%i] dims [0] collapsed [0] batch [] : (tensor<4xi1>, tensor<3xi1>, tensor<3xi64>) -> tensor<4xi1>
  return
}

// -----

func.func @scatter_maximum(%x: tensor<4xi1>, %u: tensor<3xi1>, %i: tensor<3xi64>) {
  // expected-error @+1 {{'weft.scatter_maximum' op operand #0 must be array of integers or floats (not bool), but got 'tensor<4xi1>'}}
  %0 = weft.scatter_maximum %x, %u[%i] dims [0] collapsed [0] batch [] : (tensor<4xi1>, tensor<3xi1>, tensor<3xi64>) -> tensor<4xi1>
  return
}

// -----

func.func @scatter_minimum(%x: tensor<4xi1>, %u: tensor<3xi1>, %i: tensor<3xi64>) {
  // expected-error @+1 {{'weft.scatter_minimum' op operand #0 must be array of integers or floats (not bool), but got 'tensor<4xi1>'}}
  %0 = weft.scatter_minimum %x, %u[%i] dims [0] collapsed [0] batch [] : (tensor<4xi1>, tensor<3xi1>, tensor<3xi64>) -> tensor<4xi1>
  return
}
