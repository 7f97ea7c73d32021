// RUN: weft-opt --weft-destination-passing %s -verify-diagnostics -split-input-file

// expected-error @+1 {{function 'outside' has no body to lower}}
func.func private @outside(tensor<4xf32>)

// -----

// expected-error @+1 {{function 'unknown' has a 'tensor<?xf32>' in its signature; only tensors of static shape can be passed}}
func.func @unknown(%x: tensor<?xf32>) {
  return
}

// -----

func.func @recursive(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @+1 {{call of 'recursive' was not inlined; is it recursive?}}
  %0 = func.call @recursive(%x) : (tensor<4xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----

// expected-error @+1 {{function 'blocks' has several blocks}}
func.func @blocks(%x: tensor<4xf32>) {
  cf.br ^bb1
^bb1:
  return
}
