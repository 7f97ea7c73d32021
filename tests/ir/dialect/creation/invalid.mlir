// RUN: weft-opt %s -verify-diagnostics -split-input-file

func.func @constant() {
  // expected-error @+1 {{'weft.constant' op result #0 must be array of bool, integers, floats or complex (static shape, no encoding), but got 'tensor<4xf8E4M3>'}}
  %0 = weft.constant dense<1.0> : tensor<4xf8E4M3>
  return
}

// -----

func.func @constant_type() {
  // expected-error @+1 {{'weft.constant' op failed to verify that all of {value, result} have same type}}
  %0 = "weft.constant"() <{value = dense<1.0> : tensor<4xf32>}> : () -> tensor<5xf32>
  return
}

// -----

func.func @constant_elements() {
  // expected-error @+1 {{Invalid attribute `value` in property conversion: 1.000000e+00 : f32}}
  %0 = "weft.constant"() <{value = 1.0 : f32}> : () -> tensor<f32>
  return
}

// -----

func.func @constant_missing() {
  // expected-error @+1 {{'weft.constant' op requires attribute 'value'}}
  %0 = "weft.constant"() : () -> tensor<f32>
  return
}

// -----

func.func @iota() {
  // expected-error @+1 {{'weft.iota' op result #0 must be array of integers, floats or complex (not bool), but got 'tensor<4xi1>'}}
  %0 = weft.iota dim 0 : tensor<4xi1>
  return
}

// -----

func.func @iota_c1() {
  // expected-error @+1 {{'weft.iota' op counts along dimension 1, but the result has rank 1}}
  %0 = weft.iota dim 1 : tensor<4xi32>
  return
}

// -----

func.func @iota_c1_negative() {
  // expected-error @+1 {{'weft.iota' op counts along dimension -1, but the result has rank 1}}
  %0 = weft.iota dim -1 : tensor<4xi32>
  return
}

// -----

func.func @iota_c1_scalar() {
  // expected-error @+1 {{'weft.iota' op counts along dimension 0, but the result has rank 0}}
  %0 = weft.iota dim 0 : tensor<i32>
  return
}
