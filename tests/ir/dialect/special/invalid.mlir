// Every special function on an element type that it does not take, and wrong orders.
// RUN: weft-opt %s -verify-diagnostics -split-input-file

func.func @logit(%x: tensor<4xi32>) {
  // expected-error @+1 {{'weft.logit' op operand #0 must be array of f16, bf16, f32 or f64, but got 'tensor<4xi32>'}}
  %0 = weft.logit %x : tensor<4xi32>
  return
}

// -----

func.func @gamma(%x: tensor<4xi32>) {
  // expected-error @+1 {{'weft.gamma' op operand #0 must be array of f16, bf16, f32 or f64, but got 'tensor<4xi32>'}}
  %0 = weft.gamma %x : tensor<4xi32>
  return
}

// -----

func.func @lgamma(%x: tensor<4xi32>) {
  // expected-error @+1 {{'weft.lgamma' op operand #0 must be array of f16, bf16, f32 or f64, but got 'tensor<4xi32>'}}
  %0 = weft.lgamma %x : tensor<4xi32>
  return
}

// -----

func.func @digamma(%x: tensor<4xi32>) {
  // expected-error @+1 {{'weft.digamma' op operand #0 must be array of f16, bf16, f32 or f64, but got 'tensor<4xi32>'}}
  %0 = weft.digamma %x : tensor<4xi32>
  return
}

// -----

func.func @ndtr(%x: tensor<4xi32>) {
  // expected-error @+1 {{'weft.ndtr' op operand #0 must be array of f16, bf16, f32 or f64, but got 'tensor<4xi32>'}}
  %0 = weft.ndtr %x : tensor<4xi32>
  return
}

// -----

func.func @ndtri(%x: tensor<4xi32>) {
  // expected-error @+1 {{'weft.ndtri' op operand #0 must be array of f16, bf16, f32 or f64, but got 'tensor<4xi32>'}}
  %0 = weft.ndtri %x : tensor<4xi32>
  return
}

// -----

func.func @xlogy(%x: tensor<4xi32>) {
  // expected-error @+1 {{'weft.xlogy' op operand #0 must be array of f16, bf16, f32 or f64, but got 'tensor<4xi32>'}}
  %0 = weft.xlogy %x, %x : tensor<4xi32>
  return
}

// -----

func.func @xlog1py(%x: tensor<4xi32>) {
  // expected-error @+1 {{'weft.xlog1py' op operand #0 must be array of f16, bf16, f32 or f64, but got 'tensor<4xi32>'}}
  %0 = weft.xlog1py %x, %x : tensor<4xi32>
  return
}

// -----

func.func @nextafter(%x: tensor<4xi32>) {
  // expected-error @+1 {{'weft.nextafter' op operand #0 must be array of f16, bf16, f32 or f64, but got 'tensor<4xi32>'}}
  %0 = weft.nextafter %x, %x : tensor<4xi32>
  return
}

// -----

func.func @polygamma(%x: tensor<4xi32>) {
  // expected-error @+1 {{'weft.polygamma' op operand #0 must be array of f16, bf16, f32 or f64, but got 'tensor<4xi32>'}}
  %0 = weft.polygamma %x, %x : tensor<4xi32>
  return
}

// -----

func.func @betaln(%x: tensor<4xi32>) {
  // expected-error @+1 {{'weft.betaln' op operand #0 must be array of f16, bf16, f32 or f64, but got 'tensor<4xi32>'}}
  %0 = weft.betaln %x, %x : tensor<4xi32>
  return
}

// -----

func.func @gammaincc(%x: tensor<4xi32>) {
  // expected-error @+1 {{'weft.gammaincc' op operand #0 must be array of f16, bf16, f32 or f64, but got 'tensor<4xi32>'}}
  %0 = weft.gammaincc %x, %x : tensor<4xi32>
  return
}

// -----

func.func @sinc(%x: tensor<4xi32>) {
  // expected-error @+1 {{'weft.sinc' op operand #0 must be array of f16, bf16, f32 or f64, but got 'tensor<4xi32>'}}
  %0 = weft.sinc %x by [0] : tensor<4xi32>
  return
}

// -----

func.func @erfcx(%x: tensor<4xi32>) {
  // expected-error @+1 {{'weft.erfcx' op operand #0 must be array of f16, bf16, f32 or f64, but got 'tensor<4xi32>'}}
  %0 = weft.erfcx %x by [0] : tensor<4xi32>
  return
}

// -----

func.func @zeta(%x: tensor<4xi32>) {
  // expected-error @+1 {{'weft.zeta' op operand #0 must be array of f16, bf16, f32 or f64, but got 'tensor<4xi32>'}}
  %0 = weft.zeta %x, %x by [0, 0] : tensor<4xi32>
  return
}

// -----

func.func @gammainc(%x: tensor<4xi32>) {
  // expected-error @+1 {{'weft.gammainc' op operand #0 must be array of f16, bf16, f32 or f64, but got 'tensor<4xi32>'}}
  %0 = weft.gammainc %x, %x by [0, 0] : tensor<4xi32>
  return
}

// -----

func.func @betainc(%x: tensor<4xi32>) {
  // expected-error @+1 {{'weft.betainc' op operand #0 must be array of f16, bf16, f32 or f64, but got 'tensor<4xi32>'}}
  %0 = weft.betainc %x, %x, %x by [0, 0, 0] : tensor<4xi32>
  return
}

// -----

func.func @bessel_i(%x: tensor<4xi32>) {
  // expected-error @+1 {{'weft.bessel_i' op operand #0 must be array of f16, bf16, f32 or f64, but got 'tensor<4xi32>'}}
  %0 = weft.bessel_i %x order 0 : tensor<4xi32>
  return
}

// -----

func.func @special_c1(%x: tensor<4xf32>) {
  // expected-error @+1 {{needs an order of differentiation for each of 2 operands, got 1}}
  %0 = weft.gammainc %x, %x by [0] : tensor<4xf32>
  return
}

// -----

func.func @special_c2(%x: tensor<4xf32>) {
  // expected-error @+1 {{needs orders of differentiation from 0 to 8, got -1}}
  %0 = weft.sinc %x by [-1] : tensor<4xf32>
  return
}

// -----

func.func @special_c3(%x: tensor<4xf32>) {
  // expected-error @+1 {{is differentiated 9 times, more often than 8}}
  %0 = weft.zeta %x, %x by [4, 5] : tensor<4xf32>
  return
}

// -----

func.func @bessel_i_c1(%x: tensor<4xf32>) {
  // expected-error @+1 {{needs an order from 0 to 8, got 9}}
  %0 = weft.bessel_i %x order 9 : tensor<4xf32>
  return
}
