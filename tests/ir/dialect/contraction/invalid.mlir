// RUN: weft-opt %s -verify-diagnostics -split-input-file

func.func @dot_general(%x: tensor<4xi1>) {
  // expected-error @+1 {{'weft.dot_general' op operand #0 must be array of integers or floats (not bool), but got 'tensor<4xi1>'}}
  %0 = weft.dot_general %x, %x batch [] x [] contract [0] x [0] : (tensor<4xi1>, tensor<4xi1>) -> tensor<i1>
  return
}

// -----

func.func @dot_general_c1(%l: tensor<2x3xf32>, %r: tensor<2x3xf32>) {
  // expected-error @+2 {{dot_general: lhs 'tensor<2x3xf32>' has no dimension 2}}
  // expected-error @+1 {{'weft.dot_general' op failed to infer returned types}}
  %0 = weft.dot_general %l, %r batch [] x [] contract [2] x [0] : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @dot_general_c1_negative(%l: tensor<2x3xf32>, %r: tensor<2x3xf32>) {
  // expected-error @+2 {{dot_general: rhs 'tensor<2x3xf32>' has no dimension -1}}
  // expected-error @+1 {{'weft.dot_general' op failed to infer returned types}}
  %0 = weft.dot_general %l, %r batch [] x [] contract [0] x [-1] : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<3x2xf32>
  return
}

// -----

func.func @dot_general_c1_twice(%l: tensor<2x3xf32>, %r: tensor<2x3xf32>) {
  // expected-error @+2 {{dot_general: dimension 0 of lhs is named twice}}
  // expected-error @+1 {{'weft.dot_general' op failed to infer returned types}}
  %0 = weft.dot_general %l, %r batch [0] x [0] contract [0] x [1] : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @dot_general_c2(%l: tensor<2x3xf32>, %r: tensor<2x3xf32>) {
  // expected-error @+2 {{dot_general: 2 contracted dimensions of lhs, but 1 of rhs}}
  // expected-error @+1 {{'weft.dot_general' op failed to infer returned types}}
  %0 = weft.dot_general %l, %r batch [] x [] contract [0, 1] x [0] : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<3xf32>
  return
}

// -----

func.func @dot_general_c2_sizes(%l: tensor<2x3xf32>, %r: tensor<2x3xf32>) {
  // expected-error @+2 {{dot_general: contracted dimension 0 of lhs 'tensor<2x3xf32>' and 1 of rhs 'tensor<2x3xf32>' have different sizes: 2 and 3}}
  // expected-error @+1 {{'weft.dot_general' op failed to infer returned types}}
  %0 = weft.dot_general %l, %r batch [] x [] contract [0] x [1] : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<3x2xf32>
  return
}

// -----

func.func @dot_general_c2_batch(%l: tensor<2x3xf32>, %r: tensor<2x3xf32>) {
  // expected-error @+2 {{dot_general: batch dimension 1 of lhs 'tensor<2x3xf32>' and 0 of rhs 'tensor<2x3xf32>' have different sizes: 3 and 2}}
  // expected-error @+1 {{'weft.dot_general' op failed to infer returned types}}
  %0 = weft.dot_general %l, %r batch [1] x [0] contract [] x [] : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<3x2x3xf32>
  return
}

// -----

func.func @dot_general_c3(%l: tensor<2x3xf32>, %r: tensor<3x2xf64>) {
  // expected-error @+2 {{dot_general: element types differ: 'f32' and 'f64'}}
  // expected-error @+1 {{'weft.dot_general' op failed to infer returned types}}
  %0 = weft.dot_general %l, %r batch [] x [] contract [1] x [0] : (tensor<2x3xf32>, tensor<3x2xf64>) -> tensor<2x2xf32>
  return
}

// -----

func.func @result(%x: tensor<2x3xf32>) {
  // expected-error @+2 {{'weft.dot_general' op failed to infer returned types}}
  // expected-error @+1 {{'weft.dot_general' op inferred type(s) 'tensor<2x2xf32>' are incompatible with return type(s) of operation 'tensor<3x3xf32>'}}
  %0 = weft.dot_general %x, %x batch [] x [] contract [1] x [1] : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<3x3xf32>
  return
}
