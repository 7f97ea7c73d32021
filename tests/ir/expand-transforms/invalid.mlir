// RUN: weft-opt --weft-expand-transforms -verify-diagnostics -split-input-file %s

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
func.func @escape(%x: tensor<4xf32>) -> !weft.residuals<@f, [0]> {
  // expected-error @+1 {{'weft.linearize' op residuals of @f go to 'func.return': only weft.pullback in the same function can take them}}
  %y, %r = weft.linearize @f(%x) wrt [0] : (tensor<4xf32>) -> (tensor<4xf32>, !weft.residuals<@f, [0]>)
  return %r : !weft.residuals<@f, [0]>
}

// -----

func.func private @f(%x: tensor<4xf32>) -> tensor<4xf32> {
  return %x : tensor<4xf32>
}
func.func @from_elsewhere(%r: !weft.residuals<@f, [0]>, %ct: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @+1 {{'weft.pullback' op takes residuals that no weft.linearize of the same function gives}}
  %dx = weft.pullback %r(%ct) : (!weft.residuals<@f, [0]>, tensor<4xf32>) -> tensor<4xf32>
  return %dx : tensor<4xf32>
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
