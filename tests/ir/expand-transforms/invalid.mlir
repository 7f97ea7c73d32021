// RUN: weft-opt --weft-expand-transforms --allow-unregistered-dialect -verify-diagnostics -split-input-file %s

func.func private @f(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @+1 {{@f calls itself: a program has no recursion; write a loop}}
  %0 = call @f(%x) : (tensor<4xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}
func.func @recursion(%x: tensor<4xf32>) -> tensor<4xf32> {
  %y, %r = weft.linearize @f(%x) wrt [0] : (tensor<4xf32>) -> (tensor<4xf32>, !weft.residuals<@f, [0]>)
  %dx = weft.pullback %r(%x) : (!weft.residuals<@f, [0]>, tensor<4xf32>) -> tensor<4xf32>
  return %dx : tensor<4xf32>
}

// -----

// Also where it takes two functions and a derivative.
func.func private @f(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = call @g(%x) : (tensor<4xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}
func.func private @g(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @+1 {{@f calls itself}}
  %y, %r = weft.linearize @f(%x) wrt [0] : (tensor<4xf32>) -> (tensor<4xf32>, !weft.residuals<@f, [0]>)
  %dx = weft.pullback %r(%x) : (!weft.residuals<@f, [0]>, tensor<4xf32>) -> tensor<4xf32>
  return %dx : tensor<4xf32>
}

// -----

func.func private @f(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @+1 {{'math.sin' op has no derivative rule: give it the interface Differentiable, or the trait NotDifferentiable if it has no derivative}}
  %0 = math.sin %x : tensor<4xf32>
  return %0 : tensor<4xf32>
}
func.func @missing_rule(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @+1 {{cannot differentiate @f}}
  %y, %r = weft.linearize @f(%x) wrt [0] : (tensor<4xf32>) -> (tensor<4xf32>, !weft.residuals<@f, [0]>)
  %dx = weft.pullback %r(%x) : (!weft.residuals<@f, [0]>, tensor<4xf32>) -> tensor<4xf32>
  return %dx : tensor<4xf32>
}

// -----

// An op without a rule is no obstacle where no derivative passes it.
func.func private @f(%x: tensor<4xf32>, %y: tensor<4xf32>) -> tensor<4xf32> {
  %0 = math.sin %y : tensor<4xf32>
  %1 = weft.multiply %x, %0 : tensor<4xf32>
  return %1 : tensor<4xf32>
}
func.func @missing_rule_elsewhere(%x: tensor<4xf32>) -> tensor<4xf32> {
  %y, %r = weft.linearize @f(%x, %x) wrt [0] : (tensor<4xf32>, tensor<4xf32>) -> (tensor<4xf32>, !weft.residuals<@f, [0]>)
  %dx = weft.pullback %r(%x) : (!weft.residuals<@f, [0]>, tensor<4xf32>) -> tensor<4xf32>
  return %dx : tensor<4xf32>
}

// -----

func.func private @f(%x: tensor<4xf32>) -> tensor<4xf32> {
  return %x : tensor<4xf32>
}
func.func private @escape(%x: tensor<4xf32>) -> !weft.residuals<@f, [0]> {
  // expected-error @+1 {{a pullback cannot be returned from a traced function: return what it gives instead}}
  %y, %r = weft.linearize @f(%x) wrt [0] : (tensor<4xf32>) -> (tensor<4xf32>, !weft.residuals<@f, [0]>)
  return %r : !weft.residuals<@f, [0]>
}

// -----

func.func private @f(%x: tensor<4xf32>) -> tensor<4xf32> {
  return %x : tensor<4xf32>
}
func.func @from_elsewhere(%ct: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @+1 {{'test.residuals' op returns residuals: only weft.linearize can}}
  %r = "test.residuals"() : () -> !weft.residuals<@f, [0]>
  %dx = weft.pullback %r(%ct) : (!weft.residuals<@f, [0]>, tensor<4xf32>) -> tensor<4xf32>
  return %dx : tensor<4xf32>
}

// -----

func.func private @f(%x: tensor<4xi32>) -> tensor<4xi32> {
  return %x : tensor<4xi32>
}
// expected-error @+1 {{residuals of the type '!weft.residuals<@f, [0]>' come from no linearization}}
func.func @integer_residuals(%r: !weft.residuals<@f, [0]>) {
  return
}

// -----

func.func private @f(%x: tensor<4xf32>) -> tensor<4xf32> {
  return %x : tensor<4xf32>
}
// expected-error @+1 {{'func.func' op has no body to take residuals: give it a definition}}
func.func private @declared(%r: !weft.residuals<@f, [0]>)

// -----

// A function cannot take its own pullback.
// expected-error @+1 {{@f calls itself}}
func.func private @f(%r: !weft.residuals<@f, [1]>, %x: tensor<f32>) -> tensor<f32> {
  return %x : tensor<f32>
}

// -----

func.func private @f(%x: tensor<4xf32>) -> tensor<4xf32> {
  return %x : tensor<4xf32>
}
func.func @other_op(%x: tensor<4xf32>) {
  %y, %r = weft.linearize @f(%x) wrt [0] : (tensor<4xf32>) -> (tensor<4xf32>, !weft.residuals<@f, [0]>)
  // expected-error @+1 {{'test.take' op takes residuals: only weft.pullback, weft.pushforward, calls and ops with bodies can}}
  "test.take"(%r) : (!weft.residuals<@f, [0]>) -> ()
  return
}

// -----

func.func private @f(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @+1 {{'math.sin' op has no derivative rule: give it the interface Differentiable}}
  %0 = math.sin %x : tensor<4xf32>
  return %0 : tensor<4xf32>
}
func.func @missing_forward_rule(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @+1 {{cannot differentiate @f}}
  %y:2 = weft.jvp @f(%x) along(%x) wrt [0] : (tensor<4xf32>, tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>)
  return %y#1 : tensor<4xf32>
}

// -----

func.func private @f(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @+1 {{'math.sin' op cannot be batched: give it the interface Batchable, or ControlFlow if it has bodies}}
  %0 = math.sin %x : tensor<4xf32>
  return %0 : tensor<4xf32>
}
func.func @missing_batching_rule(%x: tensor<8x4xf32>) -> tensor<8x4xf32> {
  // expected-error @+1 {{cannot batch @f}}
  %y = weft.vmap @f(%x) size 8 in [0] out [0] : (tensor<8x4xf32>) -> tensor<8x4xf32>
  return %y : tensor<8x4xf32>
}

// -----

func.func private @f(%x: tensor<4xf32>, %y: tensor<f32>) -> (tensor<f32>, tensor<4xf32>) {
  return %y, %x : tensor<f32>, tensor<4xf32>
}
func.func @axis_of_nothing(%x: tensor<8x4xf32>, %y: tensor<f32>) -> (tensor<8xf32>, tensor<4xf32>) {
  // expected-error @+1 {{'weft.vmap' op cannot leave result 1 of @f without an axis: it depends on a stacked operand}}
  %r:2 = weft.vmap @f(%x, %y) size 8 in [0, -1] out [0, -1] : (tensor<8x4xf32>, tensor<f32>) -> (tensor<8xf32>, tensor<4xf32>)
  return %r#0, %r#1 : tensor<8xf32>, tensor<4xf32>
}

// -----

// expected-error @+1 {{'func.func' op has no body to differentiate: give a declaration a definition}}
func.func private @f(tensor<4xf32>) -> tensor<4xf32>
func.func @declaration(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @+1 {{cannot differentiate @f}}
  %y, %r = weft.linearize @f(%x) wrt [0] : (tensor<4xf32>) -> (tensor<4xf32>, !weft.residuals<@f, [0]>)
  %dx = weft.pullback %r(%x) : (!weft.residuals<@f, [0]>, tensor<4xf32>) -> tensor<4xf32>
  return %dx : tensor<4xf32>
}

// -----

// expected-error @+1 {{'func.func' op cannot be differentiated: its body has branches between blocks}}
func.func private @f(%x: tensor<4xf32>) -> tensor<4xf32> {
  cf.br ^next
^next:
  return %x : tensor<4xf32>
}
func.func @branches(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @+1 {{cannot differentiate @f}}
  %y, %r = weft.linearize @f(%x) wrt [0] : (tensor<4xf32>) -> (tensor<4xf32>, !weft.residuals<@f, [0]>)
  %dx = weft.pullback %r(%x) : (!weft.residuals<@f, [0]>, tensor<4xf32>) -> tensor<4xf32>
  return %dx : tensor<4xf32>
}

// -----

func.func private @outermost()
module @nested {
  func.func private @f(%x: tensor<4xf32>) -> tensor<4xf32> {
    return %x : tensor<4xf32>
  }
  func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
    // expected-error @+1 {{'weft.linearize' op must stand in a function of the outermost module}}
    %y, %r = weft.linearize @f(%x) wrt [0] : (tensor<4xf32>) -> (tensor<4xf32>, !weft.residuals<@f, [0]>)
    return %y : tensor<4xf32>
  }
}
