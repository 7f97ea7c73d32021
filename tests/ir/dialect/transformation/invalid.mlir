// RUN: weft-opt %s -verify-diagnostics -split-input-file

func.func private @f(tensor<4xf16>) -> tensor<f32>
func.func @linearize(%x: tensor<4xf16>) {
  // expected-error @+1 {{'weft.linearize' op operand #0 must be variadic of array of bool, integers or floats}}
  %y, %r = weft.linearize @f(%x) wrt [] : (tensor<4xf16>) -> (tensor<f32>, !weft.residuals<@f, []>)
  return
}

// -----

func.func @linearize_c1(%x: tensor<4xf32>) {
  // expected-error @+1 {{'weft.linearize' op names @f, but there is no such function}}
  %y, %r = weft.linearize @f(%x) wrt [0] : (tensor<4xf32>) -> (tensor<f32>, !weft.residuals<@f, [0]>)
  return
}

// -----

func.func private @f(tensor<4xf32>) -> tensor<f32>
func.func @linearize_c2(%x: tensor<5xf32>) {
  // expected-error @+1 {{'weft.linearize' op needs operands of types ('tensor<4xf32>'), got ('tensor<5xf32>')}}
  %y, %r = weft.linearize @f(%x) wrt [0] : (tensor<5xf32>) -> (tensor<f32>, !weft.residuals<@f, [0]>)
  return
}

// -----

func.func private @f(tensor<4xf32>) -> tensor<f32>
func.func @linearize_c2_results(%x: tensor<4xf32>) {
  // expected-error @+1 {{'weft.linearize' op needs results of types ('tensor<f32>'), got ('tensor<f32>', 'tensor<f32>')}}
  %y:2, %r = weft.linearize @f(%x) wrt [0] : (tensor<4xf32>) -> (tensor<f32>, tensor<f32>, !weft.residuals<@f, [0]>)
  return
}

// -----

func.func private @f(tensor<4xf32>, tensor<i32>) -> tensor<f32>
func.func @linearize_c3(%x: tensor<4xf32>, %n: tensor<i32>) {
  // expected-error @+1 {{'weft.linearize' op cannot differentiate by operand 1 of type 'tensor<i32>': it is not floating point}}
  %y, %r = weft.linearize @f(%x, %n) wrt [1] : (tensor<4xf32>, tensor<i32>) -> (tensor<f32>, !weft.residuals<@f, [1]>)
  return
}

// -----

func.func private @f(tensor<4xf32>) -> tensor<f32>
func.func @linearize_c3_beyond(%x: tensor<4xf32>) {
  // expected-error @+1 {{'weft.linearize' op wrt must ascend within 1 operands, got array<i64: 1>}}
  %y, %r = weft.linearize @f(%x) wrt [1] : (tensor<4xf32>) -> (tensor<f32>, !weft.residuals<@f, [1]>)
  return
}

// -----

func.func private @f(tensor<4xf32>, tensor<4xf32>) -> tensor<f32>
func.func @linearize_c3_order(%x: tensor<4xf32>) {
  // expected-error @+1 {{'weft.linearize' op wrt must ascend within 2 operands, got array<i64: 1, 0>}}
  %y, %r = weft.linearize @f(%x, %x) wrt [1, 0] : (tensor<4xf32>, tensor<4xf32>) -> (tensor<f32>, !weft.residuals<@f, [1, 0]>)
  return
}

// -----

func.func private @f(tensor<4xf32>) -> tensor<f32>
func.func @linearize_c4(%x: tensor<4xf32>) {
  // expected-error @+1 {{'weft.linearize' op returns residuals of @f wrt array<i64: 0>, but their type is '!weft.residuals<@g, [0]>'}}
  %y, %r = weft.linearize @f(%x) wrt [0] : (tensor<4xf32>) -> (tensor<f32>, !weft.residuals<@g, [0]>)
  return
}

// -----

func.func @pullback(%r: !weft.residuals<@f, [0]>, %ct: tensor<i32>) {
  // expected-error @+1 {{'weft.pullback' op operand #1 must be variadic of array of f32 or f64, but got 'tensor<i32>'}}
  %dx = weft.pullback %r(%ct) : (!weft.residuals<@f, [0]>, tensor<i32>) -> tensor<4xf32>
  return
}

// -----

func.func @pullback_residuals(%r: tensor<f32>, %ct: tensor<f32>) {
  // expected-error @+1 {{'weft.pullback' op operand #0 must be}}
  %dx = weft.pullback %r(%ct) : (tensor<f32>, tensor<f32>) -> tensor<4xf32>
  return
}

// -----

func.func @pullback_c1(%r: !weft.residuals<@f, [0]>, %ct: tensor<f32>) {
  // expected-error @+1 {{'weft.pullback' op names @f, but there is no such function}}
  %dx = weft.pullback %r(%ct) : (!weft.residuals<@f, [0]>, tensor<f32>) -> tensor<4xf32>
  return
}

// -----

// Residuals may come from anywhere, so what they are is checked here too.
func.func private @f(tensor<4xi32>) -> tensor<f32>
func.func @pullback_wrt(%r: !weft.residuals<@f, [0]>, %ct: tensor<f32>) {
  // expected-error @+1 {{'weft.pullback' op cannot differentiate by operand 0 of type 'tensor<4xi32>': it is not floating point}}
  %dx = weft.pullback %r(%ct) : (!weft.residuals<@f, [0]>, tensor<f32>) -> tensor<4xf32>
  return
}

// -----

func.func private @f(tensor<4xf32>) -> (tensor<f32>, tensor<i32>, tensor<2xf32>)
func.func @pullback_c2(%r: !weft.residuals<@f, [0]>, %ct: tensor<f32>) {
  // expected-error @+1 {{'weft.pullback' op needs cotangents of types ('tensor<f32>', 'tensor<2xf32>'), got ('tensor<f32>')}}
  %dx = weft.pullback %r(%ct) : (!weft.residuals<@f, [0]>, tensor<f32>) -> tensor<4xf32>
  return
}

// -----

func.func private @f(tensor<4xf32>, tensor<f32>) -> tensor<f32>
func.func @pullback_c3(%r: !weft.residuals<@f, [0, 1]>, %ct: tensor<f32>) {
  // expected-error @+1 {{'weft.pullback' op needs results of types ('tensor<4xf32>', 'tensor<f32>'), got ('tensor<4xf32>')}}
  %dx = weft.pullback %r(%ct) : (!weft.residuals<@f, [0, 1]>, tensor<f32>) -> tensor<4xf32>
  return
}
