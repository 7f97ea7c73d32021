// RUN: weft-opt --split-input-file --weft-apply-schedule="stage=linalg later=fused" %s | FileCheck %s

// Named ops and packed arrays become what later passes know.
// CHECK-LABEL: func.func @named
// CHECK-NOT: linalg.pack
// CHECK-NOT: linalg.matmul
// CHECK-NOT: linalg.transpose
// CHECK: linalg.generic
// CHECK-NOT: linalg.unpack
func.func @named(%a: tensor<16x16xf32>, %b: tensor<16x16xf32>, %c: tensor<16x16xf32>)
    -> tensor<16x16xf32> {
  %y = linalg.matmul ins(%a, %b : tensor<16x16xf32>, tensor<16x16xf32>)
      outs(%c : tensor<16x16xf32>) -> tensor<16x16xf32>
  return %y : tensor<16x16xf32>
}
module @schedule attributes {transform.with_named_sequence} {
  transform.named_sequence @linalg(%program: !transform.any_op {transform.readonly}) {
    %op = transform.structured.match ops{["linalg.matmul"]} in %program
        : (!transform.any_op) -> !transform.any_op
    %packed = transform.structured.pack %op packed_sizes = [8, 8, 8]
        : (!transform.any_op) -> !transform.any_op
    transform.yield
  }
}

// -----

// Nothing is done to a program whose schedule has nothing for the stage.
// CHECK-LABEL: func.func @later
// CHECK-NEXT: linalg.matmul
func.func @later(%a: tensor<16x16xf32>, %c: tensor<16x16xf32>) -> tensor<16x16xf32> {
  %y = linalg.matmul ins(%a, %a : tensor<16x16xf32>, tensor<16x16xf32>)
      outs(%c : tensor<16x16xf32>) -> tensor<16x16xf32>
  return %y : tensor<16x16xf32>
}
module @schedule attributes {transform.with_named_sequence} {
  transform.named_sequence @fused(%program: !transform.any_op {transform.readonly}) {
    transform.yield
  }
}
