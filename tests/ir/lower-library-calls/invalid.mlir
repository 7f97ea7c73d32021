// RUN: weft-opt --weft-lower-library-calls --split-input-file --verify-diagnostics %s

func.func @early(%x: tensor<9xf32>) -> tensor<9xf32> {
  %empty = tensor.empty() : tensor<9xf32>
  // expected-error @+1 {{operands of a kernel are buffers by now, not 'tensor<9xf32>'}}
  %0 = weft.library_call "sort_f32" [1, 9, 0](%x) into(%empty) : (tensor<9xf32>, tensor<9xf32>) -> tensor<9xf32>
  return %0 : tensor<9xf32>
}
