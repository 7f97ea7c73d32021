// RUN: weft-opt --split-input-file --weft-apply-schedule="stage=linalg later=fused" %s -verify-diagnostics

module {
  module @schedule attributes {transform.with_named_sequence} {
    // expected-error @+1 {{the sequence @loop would never run: of stages to come there are 'linalg', 'fused'; name it for one of them, or make it private if others call it}}
    transform.named_sequence @loop(%program: !transform.any_op {transform.readonly}) {
      transform.yield
    }
  }
}

// -----

module {
  module @schedule attributes {transform.with_named_sequence} {
    // expected-error @+1 {{the sequence @fused must have a body, one argument of type !transform.any_op, which is the program, and no results}}
    transform.named_sequence @fused() {
      transform.yield
    }
  }
}

// -----

module {
  module @schedule attributes {transform.with_named_sequence} {
    // expected-error @+1 {{a schedule consists of named sequences; this is 'func.func'}}
    func.func private @fused()
  }
}

// -----

// What fails is told at the schedule's line.
module {
  func.func @f() {
    return
  }
  module @schedule attributes {transform.with_named_sequence} {
    transform.named_sequence @linalg(%program: !transform.any_op {transform.readonly}) {
      %f = transform.structured.match ops{["func.func"]} in %program
          : (!transform.any_op) -> !transform.any_op
      // expected-error @+1 {{the schedule's sequence @linalg failed: only ops implementing TilingInterface are supported}}
      %t, %l = transform.structured.tile_using_for %f tile_sizes [4]
          : (!transform.any_op) -> (!transform.any_op, !transform.any_op)
      transform.yield
    }
  }
}

// -----

// An op that is gone is no crash.
#id = affine_map<(i) -> (i)>
module {
  func.func @f(%x: tensor<16xf32>) -> tensor<16xf32> {
    %y = linalg.generic {indexing_maps = [#id], iterator_types = ["parallel"]}
        outs(%x : tensor<16xf32>) {
    ^bb0(%out: f32):
      linalg.yield %out : f32
    } -> tensor<16xf32>
    return %y : tensor<16xf32>
  }
  module @schedule attributes {transform.with_named_sequence} {
    transform.named_sequence @linalg(%program: !transform.any_op {transform.readonly}) {
      %op = transform.structured.match ops{["linalg.generic"]} in %program
          : (!transform.any_op) -> !transform.any_op
      %t, %l = transform.structured.tile_using_for %op tile_sizes [4]
          : (!transform.any_op) -> (!transform.any_op, !transform.any_op)
      // expected-error @+1 {{the schedule's sequence @linalg failed: op uses a handle invalidated by a previously executed transform op}}
      transform.annotate %op "weft.keep" : !transform.any_op
      transform.yield
    }
  }
}
