// RUN: weft-opt --weft-expand-transforms -verify-diagnostics -split-input-file %s

func.func private @f(%x: tensor<f32>) -> tensor<f32> attributes {weft.custom_vjp = [@fwd, @bwd]} {
  return %x : tensor<f32>
}
func.func private @fwd(%x: tensor<f32>) -> tensor<f32> {
  return %x : tensor<f32>
}
func.func private @bwd(%ct: tensor<f32>) -> tensor<f32> {
  return %ct : tensor<f32>
}
func.func private @g(%x: tensor<f32>) -> tensor<f32> {
  // expected-error @+2 {{@f has a custom_vjp rule and no custom_jvp; give one with defjvp, or use reverse mode}}
  // expected-error @+1 {{cannot differentiate @f}}
  %0 = call @f(%x) : (tensor<f32>) -> tensor<f32>
  return %0 : tensor<f32>
}
func.func @no_jvp(%x: tensor<f32>) -> tensor<f32> {
  // expected-error @+1 {{cannot differentiate @g}}
  %0:2 = weft.jvp @g(%x) along(%x) wrt [0] : (tensor<f32>, tensor<f32>) -> (tensor<f32>, tensor<f32>)
  return %0#1 : tensor<f32>
}

// -----

// expected-error @+1 {{'func.func' op needs two functions for weft.custom_vjp, got @fwd}}
func.func private @f(%x: tensor<f32>) -> tensor<f32> attributes {weft.custom_vjp = @fwd} {
  return %x : tensor<f32>
}
func.func @no_pair(%x: tensor<f32>) -> tensor<f32> {
  // expected-error @+1 {{cannot differentiate @f}}
  %y, %r = weft.linearize @f(%x) wrt [0] : (tensor<f32>) -> (tensor<f32>, !weft.residuals<@f, [0]>)
  return %y : tensor<f32>
}

// -----

// expected-error @+1 {{'func.func' op needs functions of this module for weft.custom_vjp, got [@fwd, 3]}}
func.func private @f(%x: tensor<f32>) -> tensor<f32> attributes {weft.custom_vjp = [@fwd, 3]} {
  return %x : tensor<f32>
}
func.func private @fwd(%x: tensor<f32>) -> tensor<f32> {
  return %x : tensor<f32>
}
func.func @no_symbol(%x: tensor<f32>) -> tensor<f32> {
  // expected-error @+1 {{cannot differentiate @f}}
  %y, %r = weft.linearize @f(%x) wrt [0] : (tensor<f32>) -> (tensor<f32>, !weft.residuals<@f, [0]>)
  return %y : tensor<f32>
}

// -----

// expected-error @+1 {{'func.func' op needs functions of this module for weft.custom_jvp, got @nowhere}}
func.func private @f(%x: tensor<f32>) -> tensor<f32> attributes {weft.custom_jvp = @nowhere} {
  return %x : tensor<f32>
}
func.func @no_function(%x: tensor<2xf32>) -> tensor<2xf32> {
  %0 = weft.vmap @f(%x) size 2 in [0] out [0] : (tensor<2xf32>) -> tensor<2xf32>
  return %0 : tensor<2xf32>
}

// -----

// expected-error @+1 {{'func.func' op needs a weft.custom_vjp whose @fwd first returns ('tensor<f32>'), got ()}}
func.func private @f(%x: tensor<f32>) -> tensor<f32> attributes {weft.custom_vjp = [@fwd, @bwd]} {
  return %x : tensor<f32>
}
func.func private @fwd(%x: tensor<f32>) {
  return
}
func.func private @bwd(%ct: tensor<f32>) -> tensor<f32> {
  return %ct : tensor<f32>
}
func.func @too_few_results(%x: tensor<f32>) -> tensor<f32> {
  // expected-error @+1 {{cannot differentiate @f}}
  %y, %r = weft.linearize @f(%x) wrt [0] : (tensor<f32>) -> (tensor<f32>, !weft.residuals<@f, [0]>)
  return %y : tensor<f32>
}

// -----

// expected-error @+1 {{'func.func' op needs a weft.custom_vjp whose @bwd takes ('tensor<i32>', 'tensor<f32>'), got ('tensor<f32>')}}
func.func private @f(%x: tensor<f32>, %n: tensor<i32>) -> tensor<f32> attributes {weft.custom_vjp = [@fwd, @bwd]} {
  return %x : tensor<f32>
}
func.func private @fwd(%x: tensor<f32>, %n: tensor<i32>) -> (tensor<f32>, tensor<i32>) {
  return %x, %n : tensor<f32>, tensor<i32>
}
func.func private @bwd(%ct: tensor<f32>) -> tensor<f32> {
  return %ct : tensor<f32>
}
func.func @wrong_backward(%x: tensor<f32>, %n: tensor<i32>) -> tensor<f32> {
  // expected-error @+1 {{cannot differentiate @f}}
  %y, %r = weft.linearize @f(%x, %n) wrt [0] : (tensor<f32>, tensor<i32>) -> (tensor<f32>, !weft.residuals<@f, [0]>)
  return %y : tensor<f32>
}

// -----

// expected-error @+1 {{'func.func' op needs a weft.custom_jvp whose @jvp returns ('tensor<f32>', 'tensor<f32>'), got ('tensor<f32>')}}
func.func private @f(%x: tensor<f32>) -> tensor<f32> attributes {weft.custom_jvp = @jvp} {
  return %x : tensor<f32>
}
func.func private @jvp(%x: tensor<f32>, %t: tensor<f32>) -> tensor<f32> {
  return %t : tensor<f32>
}
func.func @wrong_jvp(%x: tensor<f32>) -> tensor<f32> {
  // expected-error @+1 {{cannot differentiate @f}}
  %0:2 = weft.jvp @f(%x) along(%x) wrt [0] : (tensor<f32>, tensor<f32>) -> (tensor<f32>, tensor<f32>)
  return %0#1 : tensor<f32>
}

// -----

// A rule that needs itself.
// expected-error @+1 {{cannot differentiate @jvp}}
func.func private @f(%x: tensor<f32>) -> tensor<f32> attributes {weft.custom_jvp = @jvp} {
  return %x : tensor<f32>
}
func.func private @jvp(%x: tensor<f32>, %t: tensor<f32>) -> (tensor<f32>, tensor<f32>) {
  // expected-error @+1 {{the derivative rule of @f needs the derivative of @f itself}}
  %0 = call @f(%t) : (tensor<f32>) -> tensor<f32>
  return %x, %0 : tensor<f32>, tensor<f32>
}
func.func @circular(%x: tensor<f32>) -> tensor<f32> {
  // expected-error @+1 {{cannot differentiate @f}}
  %y, %r = weft.linearize @f(%x) wrt [0] : (tensor<f32>) -> (tensor<f32>, !weft.residuals<@f, [0]>)
  return %y : tensor<f32>
}

// -----

// expected-error @+1 {{'func.func' op has the checkpoint policy "dots": there are "nothing_saveable", "dots_saveable" and "everything_saveable"}}
func.func private @f(%x: tensor<f32>) -> tensor<f32> attributes {weft.checkpoint = "dots"} {
  return %x : tensor<f32>
}
func.func @policy(%x: tensor<f32>) -> tensor<f32> {
  %y, %r = weft.linearize @f(%x) wrt [0] : (tensor<f32>) -> (tensor<f32>, !weft.residuals<@f, [0]>)
  return %y : tensor<f32>
}
