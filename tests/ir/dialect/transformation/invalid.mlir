// RUN: weft-opt %s -verify-diagnostics -split-input-file

func.func private @f(tensor<4xf8E4M3>) -> tensor<f32>
func.func @linearize(%x: tensor<4xf8E4M3>) {
  // expected-error @+1 {{'weft.linearize' op operand #0 must be variadic of array of bool, integers, floats or complex}}
  %y, %r = weft.linearize @f(%x) wrt [] : (tensor<4xf8E4M3>) -> (tensor<f32>, !weft.residuals<@f, []>)
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
  // expected-error @+1 {{'weft.linearize' op cannot differentiate by operand 1 of type 'tensor<i32>': it is neither floating point nor complex}}
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
  // expected-error @+1 {{'weft.pullback' op operand #1 must be variadic of array of floats or complex, but got 'tensor<i32>'}}
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
  // expected-error @+1 {{'weft.pullback' op cannot differentiate by operand 0 of type 'tensor<4xi32>': it is neither floating point nor complex}}
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

// -----

func.func @pushforward_c1(%r: !weft.residuals<@f, [0]>, %t: tensor<4xf32>) {
  // expected-error @+1 {{'weft.pushforward' op names @f, but there is no such function}}
  %0 = weft.pushforward %r(%t) : (!weft.residuals<@f, [0]>, tensor<4xf32>) -> tensor<f32>
  return
}

// -----

func.func private @f(tensor<4xf32>, tensor<i32>) -> (tensor<f32>, tensor<i32>)
func.func @pushforward_wrt(%r: !weft.residuals<@f, [1]>, %t: tensor<4xf32>) {
  // expected-error @+1 {{'weft.pushforward' op cannot differentiate by operand 1 of type 'tensor<i32>': it is neither floating point nor complex}}
  %0 = weft.pushforward %r(%t) : (!weft.residuals<@f, [1]>, tensor<4xf32>) -> tensor<f32>
  return
}

// -----

func.func private @f(tensor<4xf32>, tensor<i32>) -> (tensor<f32>, tensor<i32>)
func.func @pushforward_c2(%r: !weft.residuals<@f, [0]>, %t: tensor<f32>) {
  // expected-error @+1 {{'weft.pushforward' op needs tangents of types ('tensor<4xf32>'), got ('tensor<f32>')}}
  %0 = weft.pushforward %r(%t) : (!weft.residuals<@f, [0]>, tensor<f32>) -> tensor<f32>
  return
}

// -----

func.func private @f(tensor<4xf32>, tensor<i32>) -> (tensor<f32>, tensor<i32>)
func.func @pushforward_c3(%r: !weft.residuals<@f, [0]>, %t: tensor<4xf32>) {
  // expected-error @+1 {{'weft.pushforward' op needs results of types ('tensor<f32>'), got ('tensor<4xf32>')}}
  %0 = weft.pushforward %r(%t) : (!weft.residuals<@f, [0]>, tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @jvp_c1(%x: tensor<4xf32>) {
  // expected-error @+1 {{'weft.jvp' op names @f, but there is no such function}}
  %0:2 = weft.jvp @f(%x) along(%x) wrt [0] : (tensor<4xf32>, tensor<4xf32>) -> (tensor<f32>, tensor<f32>)
  return
}

// -----

func.func private @f(tensor<4xf32>, tensor<i32>) -> (tensor<f32>, tensor<i32>)
func.func @jvp_c2(%x: tensor<4xf32>) {
  // expected-error @+1 {{'weft.jvp' op needs operands of types ('tensor<4xf32>', 'tensor<i32>'), got ('tensor<4xf32>')}}
  %0:3 = weft.jvp @f(%x) along(%x) wrt [0] : (tensor<4xf32>, tensor<4xf32>) -> (tensor<f32>, tensor<i32>, tensor<f32>)
  return
}

// -----

func.func private @f(tensor<4xf32>, tensor<i32>) -> (tensor<f32>, tensor<i32>)
func.func @jvp_c3(%x: tensor<4xf32>, %n: tensor<i32>) {
  // expected-error @+1 {{'weft.jvp' op wrt must ascend within 2 operands, got array<i64: 2>}}
  %0:3 = weft.jvp @f(%x, %n) along(%x) wrt [2] : (tensor<4xf32>, tensor<i32>, tensor<4xf32>) -> (tensor<f32>, tensor<i32>, tensor<f32>)
  return
}

// -----

func.func private @f(tensor<4xf32>, tensor<i32>) -> (tensor<f32>, tensor<i32>)
func.func @jvp_c4(%x: tensor<4xf32>, %n: tensor<i32>) {
  // expected-error @+1 {{'weft.jvp' op needs tangents of types ('tensor<4xf32>'), got ()}}
  %0:3 = weft.jvp @f(%x, %n) along() wrt [0] : (tensor<4xf32>, tensor<i32>) -> (tensor<f32>, tensor<i32>, tensor<f32>)
  return
}

// -----

func.func private @f(tensor<4xf32>, tensor<i32>) -> (tensor<f32>, tensor<i32>)
func.func @jvp_c5(%x: tensor<4xf32>, %n: tensor<i32>) {
  // expected-error @+1 {{'weft.jvp' op needs results of types ('tensor<f32>', 'tensor<i32>', 'tensor<f32>'), got ('tensor<f32>', 'tensor<i32>')}}
  %0:2 = weft.jvp @f(%x, %n) along(%x) wrt [0] : (tensor<4xf32>, tensor<i32>, tensor<4xf32>) -> (tensor<f32>, tensor<i32>)
  return
}

// -----

func.func @vmap_c1(%x: tensor<8x4xf32>) {
  // expected-error @+1 {{'weft.vmap' op names @f, but there is no such function}}
  %0 = weft.vmap @f(%x) size 8 in [0] out [0] : (tensor<8x4xf32>) -> tensor<8xf32>
  return
}

// -----

func.func private @f(tensor<4xf32>, tensor<i32>) -> (tensor<f32>, tensor<i32>)
func.func @vmap_c2(%x: tensor<4xf32>, %n: tensor<i32>) {
  // expected-error @+1 {{'weft.vmap' op cannot have a size of -1}}
  %0:2 = weft.vmap @f(%x, %n) size -1 in [-1, -1] out [-1, -1] : (tensor<4xf32>, tensor<i32>) -> (tensor<f32>, tensor<i32>)
  return
}

// -----

func.func private @f(tensor<4xf32>, tensor<i32>) -> (tensor<f32>, tensor<i32>)
func.func @vmap_c3(%x: tensor<8x4xf32>, %n: tensor<i32>) {
  // expected-error @+1 {{'weft.vmap' op needs 'tensor<4x8xf32>' for 8 operands of type 'tensor<4xf32>' along axis 1, got 'tensor<8x4xf32>'}}
  %0:2 = weft.vmap @f(%x, %n) size 8 in [1, -1] out [0, 0] : (tensor<8x4xf32>, tensor<i32>) -> (tensor<8xf32>, tensor<8xi32>)
  return
}

// -----

func.func private @f(tensor<4xf32>, tensor<i32>) -> (tensor<f32>, tensor<i32>)
func.func @vmap_c3_count(%x: tensor<8x4xf32>, %n: tensor<i32>) {
  // expected-error @+1 {{'weft.vmap' op needs one axis and one type for each of 2 operands, got 1 and 2}}
  %0:2 = weft.vmap @f(%x, %n) size 8 in [0] out [0, 0] : (tensor<8x4xf32>, tensor<i32>) -> (tensor<8xf32>, tensor<8xi32>)
  return
}

// -----

func.func private @f(tensor<4xf32>, tensor<i32>) -> (tensor<f32>, tensor<i32>)
func.func @vmap_c3_beyond(%x: tensor<8x4xf32>, %n: tensor<i32>) {
  // expected-error @+1 {{'weft.vmap' op cannot have axis 2 of operands of type 'tensor<4xf32>' stacked as 'tensor<8x4xf32>'}}
  %0:2 = weft.vmap @f(%x, %n) size 8 in [2, -1] out [0, 0] : (tensor<8x4xf32>, tensor<i32>) -> (tensor<8xf32>, tensor<8xi32>)
  return
}

// -----

func.func private @f(tensor<4xf32>, tensor<i32>) -> (tensor<f32>, tensor<i32>)
func.func @vmap_c4(%x: tensor<8x4xf32>, %n: tensor<i32>) {
  // expected-error @+1 {{'weft.vmap' op cannot have axis -1 of results of type 'tensor<f32>' stacked as 'tensor<8xf32>'}}
  %0:2 = weft.vmap @f(%x, %n) size 8 in [0, -1] out [-1, 0] : (tensor<8x4xf32>, tensor<i32>) -> (tensor<8xf32>, tensor<8xi32>)
  return
}

// -----

func.func @barrier_c1(%x: tensor<4xf32>) {
  // expected-error @+1 {{'weft.barrier' op needs results of types ('tensor<4xf32>'), got ('tensor<4xf64>')}}
  %0 = weft.barrier %x : tensor<4xf32> to tensor<4xf64>
  return
}
