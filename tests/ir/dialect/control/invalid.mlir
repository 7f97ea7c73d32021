// RUN: weft-opt %s -verify-diagnostics -split-input-file

func.func @switch_c1(%i: tensor<2xi64>) {
  // expected-error @+1 {{'weft.switch' op needs an index of type tensor<i64> or tensor<i1>, got 'tensor<2xi64>'}}
  weft.switch %i() : (tensor<2xi64>) -> () {
    weft.yield
  }
  return
}

// -----

func.func @switch_c2(%i: tensor<i64>) {
  // expected-error @+1 {{'weft.switch' op needs a body to choose}}
  "weft.switch"(%i) : (tensor<i64>) -> ()
  return
}

// -----

func.func @switch_c2_bool(%p: tensor<i1>) {
  // expected-error @+1 {{'weft.switch' op needs two bodies for a bool, got 1}}
  weft.switch %p() : (tensor<i1>) -> () {
    weft.yield
  }
  return
}

// -----

func.func @switch_c3(%i: tensor<i64>, %x: tensor<f32>) {
  // expected-error @+1 {{'weft.switch' op needs bodies with arguments of types ('tensor<f32>'), got ('tensor<f64>')}}
  weft.switch %i(%x) : (tensor<i64>, tensor<f32>) -> () {
  ^bb0(%a: tensor<f64>):
    weft.yield
  }
  return
}

// -----

func.func @switch_c4(%i: tensor<i64>, %x: tensor<f32>) {
  // expected-error @+1 {{'weft.switch' op needs bodies with yields of types ('tensor<f32>'), got ()}}
  %r = weft.switch %i(%x) : (tensor<i64>, tensor<f32>) -> tensor<f32> {
  ^bb0(%a: tensor<f32>):
    weft.yield %a : tensor<f32>
  }, {
  ^bb0(%a: tensor<f32>):
    weft.yield
  }
  return
}

// -----

func.func @switch_captures(%i: tensor<i64>, %x: tensor<f32>) {
  // expected-note @+1 {{required by region isolation constraints}}
  %r = weft.switch %i() : (tensor<i64>) -> tensor<f32> {
    // expected-error @+1 {{'weft.yield' op using value defined outside the region}}
    weft.yield %x : tensor<f32>
  }
  return
}

// -----

func.func @switch_empty_body(%i: tensor<i64>) {
  // expected-error @+1 {{'weft.switch' op expects a non-empty block}}
  "weft.switch"(%i) ({^bb0:}) : (tensor<i64>) -> ()
  return
}

// -----

func.func @switch_no_block(%i: tensor<i64>) {
  // expected-error @+1 {{'weft.switch' op region #0 ('bodies') failed to verify constraint: region with 1 blocks}}
  "weft.switch"(%i) ({}) : (tensor<i64>) -> ()
  return
}

// -----

func.func @while_c1(%x: tensor<f32>) {
  // expected-error @+1 {{'weft.while' op needs results of types ('tensor<f32>'), got ('tensor<f64>')}}
  %r = weft.while carry(%x) : (tensor<f32>) -> tensor<f64> cond {
  ^bb0(%a: tensor<f32>):
    %p = weft.constant dense<true> : tensor<i1>
    weft.yield %p : tensor<i1>
  } do {
  ^bb0(%a: tensor<f32>):
    weft.yield %a : tensor<f32>
  }
  return
}

// -----

func.func @while_c2(%x: tensor<f32>, %c: tensor<f64>) {
  // expected-error @+1 {{'weft.while' op needs a condition with arguments of types ('tensor<f32>', 'tensor<f64>'), got ('tensor<f32>')}}
  %r = weft.while carry(%x) with(%c) : (tensor<f32>, tensor<f64>) -> tensor<f32> cond {
  ^bb0(%a: tensor<f32>):
    %p = weft.constant dense<true> : tensor<i1>
    weft.yield %p : tensor<i1>
  } do {
  ^bb0(%a: tensor<f32>, %b: tensor<f64>):
    weft.yield %a : tensor<f32>
  }
  return
}

// -----

func.func @while_c3(%x: tensor<f32>) {
  // expected-error @+1 {{'weft.while' op needs a condition with yields of types ('tensor<i1>'), got ('tensor<f32>')}}
  %r = weft.while carry(%x) : (tensor<f32>) -> tensor<f32> cond {
  ^bb0(%a: tensor<f32>):
    weft.yield %a : tensor<f32>
  } do {
  ^bb0(%a: tensor<f32>):
    weft.yield %a : tensor<f32>
  }
  return
}

// -----

func.func @while_c4(%x: tensor<f32>) {
  // expected-error @+1 {{'weft.while' op needs a body with arguments of types ('tensor<f32>'), got ()}}
  %r = weft.while carry(%x) : (tensor<f32>) -> tensor<f32> cond {
  ^bb0(%a: tensor<f32>):
    %p = weft.constant dense<true> : tensor<i1>
    weft.yield %p : tensor<i1>
  } do {
    %a = weft.constant dense<0.0> : tensor<f32>
    weft.yield %a : tensor<f32>
  }
  return
}

// -----

func.func @while_c5(%x: tensor<f32>) {
  // expected-error @+1 {{'weft.while' op needs a body with yields of types ('tensor<f32>'), got ('tensor<f32>', 'tensor<f32>')}}
  %r = weft.while carry(%x) : (tensor<f32>) -> tensor<f32> cond {
  ^bb0(%a: tensor<f32>):
    %p = weft.constant dense<true> : tensor<i1>
    weft.yield %p : tensor<i1>
  } do {
  ^bb0(%a: tensor<f32>):
    weft.yield %a, %a : tensor<f32>, tensor<f32>
  }
  return
}

// -----

func.func @while_segments(%x: tensor<f32>) {
  // expected-error @+1 {{operand count (1) does not match with the total size (2) specified in attribute 'operandSegmentSizes'}}
  "weft.while"(%x) <{operandSegmentSizes = array<i32: 1, 1>}> ({
    weft.yield
  }, {
    weft.yield
  }) : (tensor<f32>) -> ()
  return
}

// -----

func.func @while_regions(%x: tensor<f32>) {
  // expected-error @+1 {{'weft.while' op expected 2 regions}}
  %r = "weft.while"(%x) <{operandSegmentSizes = array<i32: 1, 0>}> : (tensor<f32>) -> tensor<f32>
  return
}

// -----

func.func @scan_c1(%n: tensor<i64>) {
  // expected-error @+1 {{'weft.scan' op has both a length and trips: give one of them}}
  weft.scan length 2 trips %n : (tensor<i64>) -> () {
    weft.yield
  }
  return
}

// -----

func.func @scan_c1_neither() {
  // expected-error @+1 {{'weft.scan' op needs a length, or trips, or tapes to run over}}
  weft.scan : () -> () {
    weft.yield
  }
  return
}

// -----

func.func @scan_c2() {
  // expected-error @+1 {{'weft.scan' op cannot have a length of -1}}
  weft.scan length -1 : () -> () {
    weft.yield
  }
  return
}

// -----

func.func @scan_c3() {
  // expected-error @+1 {{'weft.scan' op cannot unroll 0 steps}}
  weft.scan length 1 unroll 0 : () -> () {
    weft.yield
  }
  return
}

// -----

func.func @scan_c4(%x: tensor<3xf32>) {
  // expected-error @+1 {{'weft.scan' op needs xs with a leading dimension of 2, got 'tensor<3xf32>'}}
  weft.scan length 2 over(%x) : (tensor<3xf32>) -> () {
  ^bb0(%a: tensor<f32>):
    weft.yield
  }
  return
}

// -----

func.func @scan_c4_scalar(%x: tensor<f32>) {
  // expected-error @+1 {{'weft.scan' op needs xs with a leading dimension of 2, got 'tensor<f32>'}}
  weft.scan length 2 over(%x) : (tensor<f32>) -> () {
  ^bb0(%a: tensor<f32>):
    weft.yield
  }
  return
}

// -----

func.func @scan_c4_tape(%n: tensor<i64>, %x: tensor<3xf32>) {
  // expected-error @+1 {{'weft.scan' op needs xs that are tapes, as its length is known at run time only, got 'tensor<3xf32>'}}
  weft.scan trips %n over(%x) : (tensor<i64>, tensor<3xf32>) -> () {
  ^bb0(%a: tensor<f32>):
    weft.yield
  }
  return
}

// -----

func.func @scan_c5(%x: tensor<f32>) {
  // expected-error @+1 {{'weft.scan' op needs a result for each of 1 carries, got 0}}
  weft.scan length 2 carry(%x) : (tensor<f32>) -> () {
  ^bb0(%a: tensor<f32>):
    weft.yield %a : tensor<f32>
  }
  return
}

// -----

func.func @scan_c5_types(%x: tensor<f32>) {
  // expected-error @+1 {{'weft.scan' op needs carries of types ('tensor<f32>'), got ('tensor<f64>')}}
  %r = weft.scan length 2 carry(%x) : (tensor<f32>) -> tensor<f64> {
  ^bb0(%a: tensor<f32>):
    weft.yield %a : tensor<f32>
  }
  return
}

// -----

func.func @scan_c6(%x: tensor<f32>) {
  // expected-error @+1 {{'weft.scan' op needs ys with a leading dimension of 2, got 'tensor<?xf32>'}}
  %r = weft.scan length 2 with(%x) : (tensor<f32>) -> tensor<?xf32> {
  ^bb0(%a: tensor<f32>):
    weft.yield %a : tensor<f32>
  }
  return
}

// -----

func.func @scan_c7(%x: tensor<f32>, %xs: tensor<2xf32>) {
  // expected-error @+1 {{'weft.scan' op needs a body with arguments of types ('tensor<f32>', 'tensor<f32>'), got ('tensor<f32>', 'tensor<2xf32>')}}
  %r = weft.scan length 2 carry(%x) over(%xs) : (tensor<f32>, tensor<2xf32>) -> tensor<f32> {
  ^bb0(%a: tensor<f32>, %b: tensor<2xf32>):
    weft.yield %a : tensor<f32>
  }
  return
}

// -----

func.func @scan_c8(%x: tensor<f32>) {
  // expected-error @+1 {{'weft.scan' op needs a body with yields of types ('tensor<f32>', 'tensor<3xf32>'), got ('tensor<f32>', 'tensor<f32>')}}
  %r:2 = weft.scan length 2 carry(%x) : (tensor<f32>) -> (tensor<f32>, tensor<2x3xf32>) {
  ^bb0(%a: tensor<f32>):
    weft.yield %a, %a : tensor<f32>, tensor<f32>
  }
  return
}

// -----

func.func @scan_terminator() {
  // expected-error @+1 {{'weft.scan' op needs a body that ends in weft.yield}}
  weft.scan length 2 : () -> () {
    llvm.unreachable
  }
  return
}

// -----

func.func @yield() {
  // expected-error @+1 {{'weft.yield' op expects parent op to be one of 'weft.switch, weft.while, weft.scan'}}
  weft.yield
}
