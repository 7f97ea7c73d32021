// RUN: weft-opt --weft-expand-transforms -verify-diagnostics -split-input-file %s

func.func private @f(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @+1 {{'math.sin' op cannot be batched: give it the interface Batchable, or ControlFlow if it has bodies}}
  %0 = math.sin %x : tensor<4xf32>
  return %0 : tensor<4xf32>
}
func.func @missing_rule(%x: tensor<7x4xf32>) -> tensor<7x4xf32> {
  // expected-error @+1 {{cannot batch @f}}
  %0 = weft.vmap @f(%x) size 7 in [0] out [0] : (tensor<7x4xf32>) -> tensor<7x4xf32>
  return %0 : tensor<7x4xf32>
}

// -----

// Where the op reads no stack it needs no rule.
func.func private @f(%x: tensor<4xf32>, %y: tensor<4xf32>) -> tensor<4xf32> {
  %0 = math.sin %x : tensor<4xf32>
  %1 = weft.add %0, %y : tensor<4xf32>
  return %1 : tensor<4xf32>
}
func.func @needed_by_none(%x: tensor<4xf32>, %y: tensor<7x4xf32>) -> tensor<7x4xf32> {
  %0 = weft.vmap @f(%x, %y) size 7 in [-1, 0] out [0] : (tensor<4xf32>, tensor<7x4xf32>) -> tensor<7x4xf32>
  return %0 : tensor<7x4xf32>
}

// -----

// expected-error @+1 {{has no body to batch: give a declaration a definition}}
func.func private @f(tensor<4xf32>) -> tensor<4xf32>
func.func @no_body(%x: tensor<7x4xf32>) -> tensor<7x4xf32> {
  // expected-error @+1 {{cannot batch @f}}
  %0 = weft.vmap @f(%x) size 7 in [0] out [0] : (tensor<7x4xf32>) -> tensor<7x4xf32>
  return %0 : tensor<7x4xf32>
}
