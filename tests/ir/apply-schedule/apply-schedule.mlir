// RUN: weft-opt --weft-apply-schedule="stage=linalg later=fused" %s | FileCheck %s
// RUN: weft-opt --weft-apply-schedule="stage=linalg later=fused" --weft-apply-schedule="stage=fused" %s | FileCheck %s --check-prefix=LAST
// RUN: weft-opt --weft-apply-schedule="stage=linalg later=fused" --weft-check-stage="stage=linalg legal=func,linalg,tensor,arith,scf" %s

// The sequence for the stage runs, and goes; the later one and what it calls
// stay.
// CHECK-LABEL: func.func @f
// CHECK: scf.for
// CHECK: linalg.generic {{.*}} ins(%{{.*}} : tensor<4x6xf32>)
// CHECK-LABEL: module @schedule
// CHECK-NOT: @linalg
// CHECK: transform.named_sequence @fused
// CHECK: transform.named_sequence private @unroll

// LAST-LABEL: func.func @f
// LAST: scf.for
// LAST: linalg.generic
// LAST: linalg.generic
// LAST-NOT: transform
#id = affine_map<(i, j) -> (i, j)>
func.func @f(%x: tensor<16x6xf32>) -> tensor<16x6xf32> {
  %e = tensor.empty() : tensor<16x6xf32>
  %y = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<16x6xf32>) outs(%e : tensor<16x6xf32>) {
  ^bb0(%in: f32, %out: f32):
    %s = arith.addf %in, %in : f32
    linalg.yield %s : f32
  } -> tensor<16x6xf32>
  return %y : tensor<16x6xf32>
}
module @schedule attributes {transform.with_named_sequence} {
  transform.named_sequence @linalg(%program: !transform.any_op {transform.readonly}) {
    %op = transform.structured.match ops{["linalg.generic"]} in %program
        : (!transform.any_op) -> !transform.any_op
    %tiled, %loop = transform.structured.tile_using_for %op tile_sizes [4]
        : (!transform.any_op) -> (!transform.any_op, !transform.any_op)
    transform.yield
  }
  transform.named_sequence @fused(%program: !transform.any_op {transform.readonly}) {
    %loop = transform.structured.match ops{["scf.for"]} in %program
        : (!transform.any_op) -> !transform.any_op
    transform.include @unroll failures(propagate) (%loop) : (!transform.any_op) -> ()
    transform.yield
  }
  transform.named_sequence private @unroll(%loop: !transform.any_op {transform.consumed}) {
    transform.loop.unroll %loop {factor = 2} : !transform.any_op
    transform.yield
  }
}
