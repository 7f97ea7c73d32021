// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The passes from the weft dialect to itself.

#ifndef WEFT_TRANSFORMS_PASSES_TD
#define WEFT_TRANSFORMS_PASSES_TD

include "mlir/Pass/PassBase.td"

def ExpandTransforms : Pass<"weft-expand-transforms", "::mlir::ModuleOp"> {
  let summary = "Replaces transformations of functions by what computes them";
  let description = [{
    The innermost transformation is expanded first, so that derivatives of any
    order are the same pass at work. Forward mode (`weft.jvp`) of `@f` makes
    `@f.jvp`, which interleaves tangents; batching (`weft.vmap`) makes
    `@f.vmap`, whose ops are wider. Reverse mode of `@f` makes two functions:
    `@f.fwd`, which also returns the values that the derivative needs, and
    `@f.bwd`, which maps those and the cotangents of the results to the
    cotangents of the operands. They are made once for each `@f` and `wrt`.
    Residuals that are handed to another function, or to the body of an op,
    become the arrays that they are.

    Attributes of a function say how it is transformed:
    - `weft.custom_vjp = [@fwd, @bwd]`: `@fwd` maps the operands to the results
      and residuals, `@bwd` those and one cotangent for each floating result to
      one for each floating operand;
    - `weft.custom_jvp = @jvp`: it maps the operands and one tangent for each
      floating operand to the results and one tangent for each floating result;
    - `weft.checkpoint = "nothing_saveable"`, `"dots_saveable"` or
      `"everything_saveable"`: which values `@f.fwd` may return beside its
      operands. `@f.bwd` computes the others again, from operands that come
      through a `weft.barrier`.

    The pass ends with its clean-up: calls of private functions are inlined,
    then equations are applied, equal values merged, and unused ones removed.

    ```mlir
    func.func private @f(%x: tensor<4xf32>) -> tensor<4xf32> {
      %y = weft.sin %x : tensor<4xf32>
      return %y : tensor<4xf32>
    }
    func.func @main(%x: tensor<4xf32>, %ct: tensor<4xf32>) -> tensor<4xf32> {
      %y, %res = weft.linearize @f(%x) wrt [0]
          : (tensor<4xf32>) -> (tensor<4xf32>, !weft.residuals<@f, [0]>)
      %dx = weft.pullback %res(%ct)
          : (!weft.residuals<@f, [0]>, tensor<4xf32>) -> tensor<4xf32>
      return %dx : tensor<4xf32>
    }
    ```
    ==>
    ```mlir
    func.func @main(%x: tensor<4xf32>, %ct: tensor<4xf32>) -> tensor<4xf32> {
      %0 = weft.cos %x : tensor<4xf32>
      %1 = weft.multiply %ct, %0 : tensor<4xf32>
      return %1 : tensor<4xf32>
    }
    ```
  }];
  let dependentDialects = ["::weft::WeftDialect", "::mlir::func::FuncDialect"];
}

def InlineCalls : Pass<"weft-inline-calls", "::mlir::ModuleOp"> {
  let summary = "Replaces calls by the bodies of the functions that they call";
  let description = [{
    Upstream's inliner simplifies every function that it visits; this one only
    puts bodies in place, in time proportional to the result. Functions of
    several blocks, and those that call themselves, are called as before.

    ```mlir
    func.func private @f(%x: tensor<4xf32>) -> tensor<4xf32> {
      %y = weft.sin %x : tensor<4xf32>
      return %y : tensor<4xf32>
    }
    func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
      %y = call @f(%x) : (tensor<4xf32>) -> tensor<4xf32>
      return %y : tensor<4xf32>
    }
    ```
    ==>
    ```mlir
    func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
      %y = weft.sin %x : tensor<4xf32>
      return %y : tensor<4xf32>
    }
    ```
  }];
}

def PruneBodies : Pass<"weft-prune-bodies"> {
  let summary = "Drops what nothing needs from loops and choices";
  let description = [{
    Results that nothing uses go, with the carries that only feed themselves,
    the slices and the constants which only they needed. A carry that never
    changes and an array of equal slices become constants of the loop, and
    constants move into the bodies. This looks at each body as a whole, so it is
    a pass of its own and not a canonicalization.

    ```mlir
    %r:2 = weft.scan length 3 carry(%x, %n) : ... {
    ^bb0(%a: tensor<f32>, %i: tensor<i64>):
      %0 = weft.sin %a : tensor<f32>
      %1 = weft.add %i, %i : tensor<i64>
      weft.yield %0, %1 : tensor<f32>, tensor<i64>
    }  // %r#1 is not used
    ```
    ==>
    ```mlir
    %r = weft.scan length 3 carry(%x) : ... {
    ^bb0(%a: tensor<f32>):
      %0 = weft.sin %a : tensor<f32>
      weft.yield %0 : tensor<f32>
    }
    ```
  }];
  let dependentDialects = ["::weft::WeftDialect"];
}

#endif // WEFT_TRANSFORMS_PASSES_TD
