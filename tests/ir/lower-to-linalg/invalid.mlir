// RUN: weft-opt --weft-lower-to-linalg %s -verify-diagnostics -split-input-file

// A derivative must have been expanded before.
func.func private @f(%x: tensor<4xf32>) -> tensor<4xf32> {
  return %x : tensor<4xf32>
}
func.func @linearize(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @+1 {{failed to legalize operation 'weft.linearize'}}
  %y, %r = weft.linearize @f(%x) wrt [0] : (tensor<4xf32>) -> (tensor<4xf32>, !weft.residuals<@f, [0]>)
  return %y : tensor<4xf32>
}
