// Every elementwise op on an element type that it does not take.
// RUN: weft-opt %s -verify-diagnostics -split-input-file

func.func @add(%x: tensor<4xi1>) {
  // expected-error @+1 {{'weft.add' op operand #0 must be array of integers, floats or complex (not bool), but got 'tensor<4xi1>'}}
  %0 = weft.add %x, %x : tensor<4xi1>
  return
}

// -----

func.func @subtract(%x: tensor<4xi1>) {
  // expected-error @+1 {{'weft.subtract' op operand #0 must be array of integers, floats or complex (not bool), but got 'tensor<4xi1>'}}
  %0 = weft.subtract %x, %x : tensor<4xi1>
  return
}

// -----

func.func @multiply(%x: tensor<4xi1>) {
  // expected-error @+1 {{'weft.multiply' op operand #0 must be array of integers, floats or complex (not bool), but got 'tensor<4xi1>'}}
  %0 = weft.multiply %x, %x : tensor<4xi1>
  return
}

// -----

func.func @divide(%x: tensor<4xi32>) {
  // expected-error @+1 {{'weft.divide' op operand #0 must be array of floats or complex, but got 'tensor<4xi32>'}}
  %0 = weft.divide %x, %x : tensor<4xi32>
  return
}

// -----

func.func @floor_divide(%x: tensor<4xi1>) {
  // expected-error @+1 {{'weft.floor_divide' op operand #0 must be array of integers or floats (not bool), but got 'tensor<4xi1>'}}
  %0 = weft.floor_divide %x, %x : tensor<4xi1>
  return
}

// -----

func.func @remainder(%x: tensor<4xi1>) {
  // expected-error @+1 {{'weft.remainder' op operand #0 must be array of integers or floats (not bool), but got 'tensor<4xi1>'}}
  %0 = weft.remainder %x, %x : tensor<4xi1>
  return
}

// -----

func.func @pow(%x: tensor<4xi1>) {
  // expected-error @+1 {{'weft.pow' op operand #0 must be array of integers, floats or complex (not bool), but got 'tensor<4xi1>'}}
  %0 = weft.pow %x, %x : tensor<4xi1>
  return
}

// -----

func.func @maximum(%x: tensor<4xi1>) {
  // expected-error @+1 {{'weft.maximum' op operand #0 must be array of integers or floats (not bool), but got 'tensor<4xi1>'}}
  %0 = weft.maximum %x, %x : tensor<4xi1>
  return
}

// -----

func.func @minimum(%x: tensor<4xi1>) {
  // expected-error @+1 {{'weft.minimum' op operand #0 must be array of integers or floats (not bool), but got 'tensor<4xi1>'}}
  %0 = weft.minimum %x, %x : tensor<4xi1>
  return
}

// -----

func.func @negative(%x: tensor<4xi1>) {
  // expected-error @+1 {{'weft.negative' op operand #0 must be array of integers, floats or complex (not bool), but got 'tensor<4xi1>'}}
  %0 = weft.negative %x : tensor<4xi1>
  return
}

// -----

func.func @abs(%x: tensor<4xi1>) {
  // expected-error @+1 {{custom op 'weft.abs' 'x' must be array of integers, floats or complex (not bool), but got 'tensor<4xi1>'}}
  %0 = weft.abs %x : tensor<4xi1>
  return
}

// -----

func.func @sign(%x: tensor<4xi1>) {
  // expected-error @+1 {{'weft.sign' op operand #0 must be array of integers, floats or complex (not bool), but got 'tensor<4xi1>'}}
  %0 = weft.sign %x : tensor<4xi1>
  return
}

// -----

func.func @square(%x: tensor<4xi1>) {
  // expected-error @+1 {{'weft.square' op operand #0 must be array of integers, floats or complex (not bool), but got 'tensor<4xi1>'}}
  %0 = weft.square %x : tensor<4xi1>
  return
}

// -----

func.func @reciprocal(%x: tensor<4xi32>) {
  // expected-error @+1 {{'weft.reciprocal' op operand #0 must be array of floats or complex, but got 'tensor<4xi32>'}}
  %0 = weft.reciprocal %x : tensor<4xi32>
  return
}

// -----

func.func @hypot(%x: tensor<4xi32>) {
  // expected-error @+1 {{'weft.hypot' op operand #0 must be array of f16, bf16, f32 or f64, but got 'tensor<4xi32>'}}
  %0 = weft.hypot %x, %x : tensor<4xi32>
  return
}

// -----

func.func @copysign(%x: tensor<4xi32>) {
  // expected-error @+1 {{'weft.copysign' op operand #0 must be array of f16, bf16, f32 or f64, but got 'tensor<4xi32>'}}
  %0 = weft.copysign %x, %x : tensor<4xi32>
  return
}

// -----

func.func @ceil(%x: tensor<4xi32>) {
  // expected-error @+1 {{'weft.ceil' op operand #0 must be array of f16, bf16, f32 or f64, but got 'tensor<4xi32>'}}
  %0 = weft.ceil %x : tensor<4xi32>
  return
}

// -----

func.func @floor(%x: tensor<4xi32>) {
  // expected-error @+1 {{'weft.floor' op operand #0 must be array of f16, bf16, f32 or f64, but got 'tensor<4xi32>'}}
  %0 = weft.floor %x : tensor<4xi32>
  return
}

// -----

func.func @trunc(%x: tensor<4xi32>) {
  // expected-error @+1 {{'weft.trunc' op operand #0 must be array of f16, bf16, f32 or f64, but got 'tensor<4xi32>'}}
  %0 = weft.trunc %x : tensor<4xi32>
  return
}

// -----

func.func @round(%x: tensor<4xi32>) {
  // expected-error @+1 {{'weft.round' op operand #0 must be array of f16, bf16, f32 or f64, but got 'tensor<4xi32>'}}
  %0 = weft.round %x : tensor<4xi32>
  return
}

// -----

func.func @exp(%x: tensor<4xi32>) {
  // expected-error @+1 {{'weft.exp' op operand #0 must be array of floats or complex, but got 'tensor<4xi32>'}}
  %0 = weft.exp %x : tensor<4xi32>
  return
}

// -----

func.func @exp2(%x: tensor<4xi32>) {
  // expected-error @+1 {{'weft.exp2' op operand #0 must be array of floats or complex, but got 'tensor<4xi32>'}}
  %0 = weft.exp2 %x : tensor<4xi32>
  return
}

// -----

func.func @expm1(%x: tensor<4xi32>) {
  // expected-error @+1 {{'weft.expm1' op operand #0 must be array of floats or complex, but got 'tensor<4xi32>'}}
  %0 = weft.expm1 %x : tensor<4xi32>
  return
}

// -----

func.func @log(%x: tensor<4xi32>) {
  // expected-error @+1 {{'weft.log' op operand #0 must be array of floats or complex, but got 'tensor<4xi32>'}}
  %0 = weft.log %x : tensor<4xi32>
  return
}

// -----

func.func @log2(%x: tensor<4xi32>) {
  // expected-error @+1 {{'weft.log2' op operand #0 must be array of floats or complex, but got 'tensor<4xi32>'}}
  %0 = weft.log2 %x : tensor<4xi32>
  return
}

// -----

func.func @log10(%x: tensor<4xi32>) {
  // expected-error @+1 {{'weft.log10' op operand #0 must be array of floats or complex, but got 'tensor<4xi32>'}}
  %0 = weft.log10 %x : tensor<4xi32>
  return
}

// -----

func.func @log1p(%x: tensor<4xi32>) {
  // expected-error @+1 {{'weft.log1p' op operand #0 must be array of floats or complex, but got 'tensor<4xi32>'}}
  %0 = weft.log1p %x : tensor<4xi32>
  return
}

// -----

func.func @logaddexp(%x: tensor<4xi32>) {
  // expected-error @+1 {{'weft.logaddexp' op operand #0 must be array of f16, bf16, f32 or f64, but got 'tensor<4xi32>'}}
  %0 = weft.logaddexp %x, %x : tensor<4xi32>
  return
}

// -----

func.func @sqrt(%x: tensor<4xi32>) {
  // expected-error @+1 {{'weft.sqrt' op operand #0 must be array of floats or complex, but got 'tensor<4xi32>'}}
  %0 = weft.sqrt %x : tensor<4xi32>
  return
}

// -----

func.func @rsqrt(%x: tensor<4xi32>) {
  // expected-error @+1 {{'weft.rsqrt' op operand #0 must be array of floats or complex, but got 'tensor<4xi32>'}}
  %0 = weft.rsqrt %x : tensor<4xi32>
  return
}

// -----

func.func @cbrt(%x: tensor<4xi32>) {
  // expected-error @+1 {{'weft.cbrt' op operand #0 must be array of f16, bf16, f32 or f64, but got 'tensor<4xi32>'}}
  %0 = weft.cbrt %x : tensor<4xi32>
  return
}

// -----

func.func @sin(%x: tensor<4xi32>) {
  // expected-error @+1 {{'weft.sin' op operand #0 must be array of floats or complex, but got 'tensor<4xi32>'}}
  %0 = weft.sin %x : tensor<4xi32>
  return
}

// -----

func.func @cos(%x: tensor<4xi32>) {
  // expected-error @+1 {{'weft.cos' op operand #0 must be array of floats or complex, but got 'tensor<4xi32>'}}
  %0 = weft.cos %x : tensor<4xi32>
  return
}

// -----

func.func @tan(%x: tensor<4xi32>) {
  // expected-error @+1 {{'weft.tan' op operand #0 must be array of floats or complex, but got 'tensor<4xi32>'}}
  %0 = weft.tan %x : tensor<4xi32>
  return
}

// -----

func.func @asin(%x: tensor<4xi32>) {
  // expected-error @+1 {{'weft.asin' op operand #0 must be array of floats or complex, but got 'tensor<4xi32>'}}
  %0 = weft.asin %x : tensor<4xi32>
  return
}

// -----

func.func @acos(%x: tensor<4xi32>) {
  // expected-error @+1 {{'weft.acos' op operand #0 must be array of floats or complex, but got 'tensor<4xi32>'}}
  %0 = weft.acos %x : tensor<4xi32>
  return
}

// -----

func.func @atan(%x: tensor<4xi32>) {
  // expected-error @+1 {{'weft.atan' op operand #0 must be array of floats or complex, but got 'tensor<4xi32>'}}
  %0 = weft.atan %x : tensor<4xi32>
  return
}

// -----

func.func @atan2(%x: tensor<4xi32>) {
  // expected-error @+1 {{'weft.atan2' op operand #0 must be array of f16, bf16, f32 or f64, but got 'tensor<4xi32>'}}
  %0 = weft.atan2 %x, %x : tensor<4xi32>
  return
}

// -----

func.func @sinh(%x: tensor<4xi32>) {
  // expected-error @+1 {{'weft.sinh' op operand #0 must be array of floats or complex, but got 'tensor<4xi32>'}}
  %0 = weft.sinh %x : tensor<4xi32>
  return
}

// -----

func.func @cosh(%x: tensor<4xi32>) {
  // expected-error @+1 {{'weft.cosh' op operand #0 must be array of floats or complex, but got 'tensor<4xi32>'}}
  %0 = weft.cosh %x : tensor<4xi32>
  return
}

// -----

func.func @tanh(%x: tensor<4xi32>) {
  // expected-error @+1 {{'weft.tanh' op operand #0 must be array of floats or complex, but got 'tensor<4xi32>'}}
  %0 = weft.tanh %x : tensor<4xi32>
  return
}

// -----

func.func @asinh(%x: tensor<4xi32>) {
  // expected-error @+1 {{'weft.asinh' op operand #0 must be array of floats or complex, but got 'tensor<4xi32>'}}
  %0 = weft.asinh %x : tensor<4xi32>
  return
}

// -----

func.func @acosh(%x: tensor<4xi32>) {
  // expected-error @+1 {{'weft.acosh' op operand #0 must be array of floats or complex, but got 'tensor<4xi32>'}}
  %0 = weft.acosh %x : tensor<4xi32>
  return
}

// -----

func.func @atanh(%x: tensor<4xi32>) {
  // expected-error @+1 {{'weft.atanh' op operand #0 must be array of floats or complex, but got 'tensor<4xi32>'}}
  %0 = weft.atanh %x : tensor<4xi32>
  return
}

// -----

func.func @erf(%x: tensor<4xi32>) {
  // expected-error @+1 {{'weft.erf' op operand #0 must be array of f16, bf16, f32 or f64, but got 'tensor<4xi32>'}}
  %0 = weft.erf %x : tensor<4xi32>
  return
}

// -----

func.func @erfc(%x: tensor<4xi32>) {
  // expected-error @+1 {{'weft.erfc' op operand #0 must be array of f16, bf16, f32 or f64, but got 'tensor<4xi32>'}}
  %0 = weft.erfc %x : tensor<4xi32>
  return
}

// -----

func.func @erfinv(%x: tensor<4xi32>) {
  // expected-error @+1 {{'weft.erfinv' op operand #0 must be array of f16, bf16, f32 or f64, but got 'tensor<4xi32>'}}
  %0 = weft.erfinv %x : tensor<4xi32>
  return
}

// -----

func.func @logistic(%x: tensor<4xi32>) {
  // expected-error @+1 {{'weft.logistic' op operand #0 must be array of floats or complex, but got 'tensor<4xi32>'}}
  %0 = weft.logistic %x : tensor<4xi32>
  return
}

// -----

func.func @isnan(%x: tensor<4xi32>) {
  // expected-error @+1 {{custom op 'weft.isnan' 'x' must be array of floats or complex, but got 'tensor<4xi32>'}}
  %0 = weft.isnan %x : tensor<4xi32>
  return
}

// -----

func.func @isinf(%x: tensor<4xi32>) {
  // expected-error @+1 {{custom op 'weft.isinf' 'x' must be array of floats or complex, but got 'tensor<4xi32>'}}
  %0 = weft.isinf %x : tensor<4xi32>
  return
}

// -----

func.func @isfinite(%x: tensor<4xi32>) {
  // expected-error @+1 {{custom op 'weft.isfinite' 'x' must be array of floats or complex, but got 'tensor<4xi32>'}}
  %0 = weft.isfinite %x : tensor<4xi32>
  return
}

// -----

func.func @signbit(%x: tensor<4xi32>) {
  // expected-error @+1 {{custom op 'weft.signbit' 'x' must be array of f16, bf16, f32 or f64, but got 'tensor<4xi32>'}}
  %0 = weft.signbit %x : tensor<4xi32>
  return
}

// -----

func.func @equal(%x: tensor<4xf8E4M3>) {
  // expected-error @+1 {{custom op 'weft.equal' 'x' must be array of bool, integers, floats or complex (static shape, no encoding), but got 'tensor<4xf8E4M3>'}}
  %0 = weft.equal %x, %x : tensor<4xf8E4M3>
  return
}

// -----

func.func @not_equal(%x: tensor<4xf8E4M3>) {
  // expected-error @+1 {{custom op 'weft.not_equal' 'x' must be array of bool, integers, floats or complex (static shape, no encoding), but got 'tensor<4xf8E4M3>'}}
  %0 = weft.not_equal %x, %x : tensor<4xf8E4M3>
  return
}

// -----

func.func @less(%x: tensor<4xi1>) {
  // expected-error @+1 {{custom op 'weft.less' 'x' must be array of integers or floats (not bool), but got 'tensor<4xi1>'}}
  %0 = weft.less %x, %x : tensor<4xi1>
  return
}

// -----

func.func @less_equal(%x: tensor<4xi1>) {
  // expected-error @+1 {{custom op 'weft.less_equal' 'x' must be array of integers or floats (not bool), but got 'tensor<4xi1>'}}
  %0 = weft.less_equal %x, %x : tensor<4xi1>
  return
}

// -----

func.func @greater(%x: tensor<4xi1>) {
  // expected-error @+1 {{custom op 'weft.greater' 'x' must be array of integers or floats (not bool), but got 'tensor<4xi1>'}}
  %0 = weft.greater %x, %x : tensor<4xi1>
  return
}

// -----

func.func @greater_equal(%x: tensor<4xi1>) {
  // expected-error @+1 {{custom op 'weft.greater_equal' 'x' must be array of integers or floats (not bool), but got 'tensor<4xi1>'}}
  %0 = weft.greater_equal %x, %x : tensor<4xi1>
  return
}

// -----

func.func @logical_and(%x: tensor<4xf32>) {
  // expected-error @+1 {{'weft.logical_and' op operand #0 must be array of bool (i1), but got 'tensor<4xf32>'}}
  %0 = weft.logical_and %x, %x : tensor<4xf32>
  return
}

// -----

func.func @logical_or(%x: tensor<4xf32>) {
  // expected-error @+1 {{'weft.logical_or' op operand #0 must be array of bool (i1), but got 'tensor<4xf32>'}}
  %0 = weft.logical_or %x, %x : tensor<4xf32>
  return
}

// -----

func.func @logical_xor(%x: tensor<4xf32>) {
  // expected-error @+1 {{'weft.logical_xor' op operand #0 must be array of bool (i1), but got 'tensor<4xf32>'}}
  %0 = weft.logical_xor %x, %x : tensor<4xf32>
  return
}

// -----

func.func @logical_not(%x: tensor<4xf32>) {
  // expected-error @+1 {{'weft.logical_not' op operand #0 must be array of bool (i1), but got 'tensor<4xf32>'}}
  %0 = weft.logical_not %x : tensor<4xf32>
  return
}

// -----

func.func @bitwise_and(%x: tensor<4xf64>) {
  // expected-error @+1 {{'weft.bitwise_and' op operand #0 must be array of bool, i8..i64 or ui8..ui64, but got 'tensor<4xf64>'}}
  %0 = weft.bitwise_and %x, %x : tensor<4xf64>
  return
}

// -----

func.func @bitwise_or(%x: tensor<4xf64>) {
  // expected-error @+1 {{'weft.bitwise_or' op operand #0 must be array of bool, i8..i64 or ui8..ui64, but got 'tensor<4xf64>'}}
  %0 = weft.bitwise_or %x, %x : tensor<4xf64>
  return
}

// -----

func.func @bitwise_xor(%x: tensor<4xf64>) {
  // expected-error @+1 {{'weft.bitwise_xor' op operand #0 must be array of bool, i8..i64 or ui8..ui64, but got 'tensor<4xf64>'}}
  %0 = weft.bitwise_xor %x, %x : tensor<4xf64>
  return
}

// -----

func.func @bitwise_invert(%x: tensor<4xf64>) {
  // expected-error @+1 {{'weft.bitwise_invert' op operand #0 must be array of bool, i8..i64 or ui8..ui64, but got 'tensor<4xf64>'}}
  %0 = weft.bitwise_invert %x : tensor<4xf64>
  return
}

// -----

func.func @population_count(%x: tensor<4xf32>) {
  // expected-error @+1 {{'weft.population_count' op operand #0 must be array of i8..i64 or ui8..ui64, but got 'tensor<4xf32>'}}
  %0 = weft.population_count %x : tensor<4xf32>
  return
}

// -----

func.func @bitwise_left_shift(%x: tensor<4xf32>) {
  // expected-error @+1 {{'weft.bitwise_left_shift' op operand #0 must be array of i8..i64 or ui8..ui64, but got 'tensor<4xf32>'}}
  %0 = weft.bitwise_left_shift %x, %x : tensor<4xf32>
  return
}

// -----

func.func @bitwise_right_shift(%x: tensor<4xf32>) {
  // expected-error @+1 {{'weft.bitwise_right_shift' op operand #0 must be array of i8..i64 or ui8..ui64, but got 'tensor<4xf32>'}}
  %0 = weft.bitwise_right_shift %x, %x : tensor<4xf32>
  return
}

// -----

func.func @threefry(%x: tensor<4xi64>) {
  // expected-error @+1 {{'weft.threefry' op operand #0 must be array of ui64, but got 'tensor<4xi64>'}}
  %0 = weft.threefry %x, %x : tensor<4xi64>
  return
}

// -----

func.func @select(%c: tensor<4xi1>, %x: tensor<4xf8E4M3>) {
  // expected-error @+1 {{custom op 'weft.select' 'x' must be array of bool, integers, floats or complex (static shape, no encoding), but got 'tensor<4xf8E4M3>'}}
  %0 = weft.select %c, %x, %x : tensor<4xf8E4M3>
  return
}

// -----

func.func @select_condition(%c: tensor<4xi8>, %x: tensor<4xf32>) {
  // expected-error @+1 {{'weft.select' op operand #0 must be array of bool (i1), but got 'tensor<4xi8>'}}
  %0 = "weft.select"(%c, %x, %x) : (tensor<4xi8>, tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @select_shape(%c: tensor<3xi1>, %x: tensor<4xf32>) {
  // expected-error @+1 {{'weft.select' op failed to verify that condition is bool, of the result's shape}}
  %0 = "weft.select"(%c, %x, %x) : (tensor<3xi1>, tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @select_branches(%c: tensor<4xi1>, %x: tensor<4xf32>, %y: tensor<4xi32>) {
  // expected-error @+1 {{'weft.select' op failed to verify that all of {x, y, result} have same type}}
  %0 = "weft.select"(%c, %x, %y) : (tensor<4xi1>, tensor<4xf32>, tensor<4xi32>) -> tensor<4xf32>
  return
}

// -----

func.func @clamp(%x: tensor<4xi1>) {
  // expected-error @+1 {{'weft.clamp' op operand #0 must be array of integers or floats (not bool), but got 'tensor<4xi1>'}}
  %0 = weft.clamp %x, %x, %x : tensor<4xi1>
  return
}

// -----

func.func @clamp_bound(%x: tensor<4xf32>, %lower: tensor<f32>) {
  // expected-error @+1 {{'weft.clamp' op requires the same type for all operands and results}}
  %0 = "weft.clamp"(%x, %lower, %x) : (tensor<4xf32>, tensor<f32>, tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @convert(%x: tensor<4xf32>) {
  // expected-error @+1 {{'weft.convert' op result #0 must be array of bool, integers, floats or complex (static shape, no encoding), but got 'tensor<4xf8E4M3>'}}
  %0 = weft.convert %x : tensor<4xf32> to tensor<4xf8E4M3>
  return
}

// -----

func.func @convert_shape(%x: tensor<4xf32>) {
  // expected-error @+1 {{'weft.convert' op requires the same shape for all operands and results}}
  %0 = weft.convert %x : tensor<4xf32> to tensor<5xf64>
  return
}

// -----

func.func @bitcast(%x: tensor<4xcomplex<f32>>) {
  // expected-error @+1 {{'weft.bitcast' op operand #0 must be array of bool, integers or floats, but got 'tensor<4xcomplex<f32>>'}}
  %0 = weft.bitcast %x : tensor<4xcomplex<f32>> to tensor<4xi64>
  return
}

// -----

func.func @bitcast_c1(%x: tensor<4xf32>) {
  // expected-error @+1 {{'weft.bitcast' op needs element types of one width, got 'f32' (32 bits) and 'i64' (64 bits)}}
  %0 = weft.bitcast %x : tensor<4xf32> to tensor<4xi64>
  return
}

// -----

// Elementwise ops never broadcast.
func.func @no_broadcast(%x: tensor<4xf32>, %y: tensor<1xf32>) {
  // expected-error @+1 {{'weft.add' op requires the same type for all operands and results}}
  %0 = "weft.add"(%x, %y) : (tensor<4xf32>, tensor<1xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @no_promotion(%x: tensor<4xf32>, %y: tensor<4xf64>) {
  // expected-error @+1 {{'weft.less' op requires all operands to have the same type}}
  %0 = "weft.less"(%x, %y) : (tensor<4xf32>, tensor<4xf64>) -> tensor<4xi1>
  return
}

// -----

func.func @comparison_result(%x: tensor<4xf32>) {
  // expected-error @+1 {{'weft.less' op result #0 must be array of bool (i1), but got 'tensor<4xf32>'}}
  %0 = "weft.less"(%x, %x) : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @comparison_shape(%x: tensor<4xf32>) {
  // expected-error @+1 {{'weft.less' op failed to verify that result is bool, of the operand's shape}}
  %0 = "weft.less"(%x, %x) : (tensor<4xf32>, tensor<4xf32>) -> tensor<3xi1>
  return
}

// -----

func.func @dynamic_shape(%x: tensor<?xf32>) {
  // expected-error @+1 {{operand #0 must be array of floats or complex, but got 'tensor<?xf32>'}}
  %0 = weft.sin %x : tensor<?xf32>
  return
}

// -----

func.func @no_rank(%x: tensor<*xf32>) {
  // expected-error @+1 {{operand #0 must be array of floats or complex, but got 'tensor<*xf32>'}}
  %0 = "weft.sin"(%x) : (tensor<*xf32>) -> tensor<*xf32>
  return
}

// -----

func.func @encoding(%x: tensor<4xf32, "sparse">) {
  // expected-error @+1 {{operand #0 must be array of floats or complex, but got 'tensor<4xf32, "sparse">'}}
  %0 = "weft.sin"(%x) : (tensor<4xf32, "sparse">) -> tensor<4xf32, "sparse">
  return
}

// -----

// Sizes are counted in bytes of 64 bits.
func.func @too_large(%x: tensor<4611686018427387904x4xf32>) {
  // expected-error @+1 {{operand #0 must be array of floats or complex}}
  %0 = weft.sin %x : tensor<4611686018427387904x4xf32>
  return
}

// -----

func.func @signed_integers(%x: tensor<4xsi32>) {
  // expected-error @+1 {{operand #0 must be array of integers, floats or complex (not bool), but got 'tensor<4xsi32>'}}
  %0 = weft.negative %x : tensor<4xsi32>
  return
}

// -----

func.func @scalar(%x: f32) {
  // expected-error @+1 {{must be array of floats or complex, but got 'f32'}}
  %0 = "weft.sin"(%x) : (f32) -> f32
  return
}

// -----

func.func @too_few_operands(%x: tensor<4xf32>) {
  // expected-error @+1 {{'weft.add' op expected 2 operands, but found 1}}
  %0 = "weft.add"(%x) : (tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @stop_gradient(%x: tensor<?xf32>) {
  // expected-error @+1 {{'weft.stop_gradient' op operand #0 must be array of bool, integers, floats or complex}}
  %0 = weft.stop_gradient %x : tensor<?xf32>
  return
}

// -----

func.func @complex(%x: tensor<4xi32>) {
  // expected-error @+1 {{'weft.complex' op operand #0 must be array of f32 or f64, but got 'tensor<4xi32>'}}
  %0 = "weft.complex"(%x, %x) : (tensor<4xi32>, tensor<4xi32>) -> tensor<4xcomplex<f32>>
  return
}

// -----

func.func @complex_result(%x: tensor<4xf32>) {
  // expected-error @+1 {{'weft.complex' op failed to verify that result is complex, of the operands' shape}}
  %0 = "weft.complex"(%x, %x) : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xcomplex<f64>>
  return
}

// -----

func.func @real(%x: tensor<4xf32>) {
  // expected-error @+1 {{'weft.real' op operand #0 must be array of complex, but got 'tensor<4xf32>'}}
  %0 = "weft.real"(%x) : (tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @real_result(%x: tensor<4xcomplex<f32>>) {
  // expected-error @+1 {{'weft.real' op failed to verify that result is real, of the operand's shape}}
  %0 = "weft.real"(%x) : (tensor<4xcomplex<f32>>) -> tensor<4xf64>
  return
}

// -----

func.func @imag(%x: tensor<4xi32>) {
  // expected-error @+1 {{'weft.imag' op operand #0 must be array of complex, but got 'tensor<4xi32>'}}
  %0 = "weft.imag"(%x) : (tensor<4xi32>) -> tensor<4xf32>
  return
}

// -----

func.func @conj(%x: tensor<4xf32>) {
  // expected-error @+1 {{'weft.conj' op operand #0 must be array of complex, but got 'tensor<4xf32>'}}
  %0 = weft.conj %x : tensor<4xf32>
  return
}

// -----

func.func @less_complex(%x: tensor<4xcomplex<f32>>) {
  // expected-error @+1 {{'weft.less' op operand #0 must be array of integers or floats (not bool), but got 'tensor<4xcomplex<f32>>'}}
  %0 = "weft.less"(%x, %x) : (tensor<4xcomplex<f32>>, tensor<4xcomplex<f32>>) -> tensor<4xi1>
  return
}

// -----

func.func @abs_result(%x: tensor<4xcomplex<f32>>) {
  // expected-error @+1 {{'weft.abs' op failed to verify that result is real, of the operand's shape}}
  %0 = "weft.abs"(%x) : (tensor<4xcomplex<f32>>) -> tensor<4xf64>
  return
}

// -----

func.func @half_complex(%x: tensor<4xcomplex<f16>>) {
  // expected-error @+1 {{'weft.add' op operand #0 must be array of integers, floats or complex (not bool), but got 'tensor<4xcomplex<f16>>'}}
  %0 = weft.add %x, %x : tensor<4xcomplex<f16>>
  return
}

// -----

func.func @convert_c1(%x: tensor<4xcomplex<f32>>) {
  // expected-error @+1 {{'weft.convert' op cannot make 'f32' of 'complex<f32>': take weft.real, weft.imag or weft.abs first}}
  %0 = weft.convert %x : tensor<4xcomplex<f32>> to tensor<4xf32>
  return
}
