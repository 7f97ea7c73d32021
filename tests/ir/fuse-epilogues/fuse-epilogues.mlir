// RUN: weft-opt %s -split-input-file -pass-pipeline='builtin.module(func.func(weft-fuse-epilogues))' | FileCheck %s

#a = affine_map<(m, n, k) -> (m, k)>
#b = affine_map<(m, n, k) -> (k, n)>
#c = affine_map<(m, n, k) -> (m, n)>
#id = affine_map<(m, n) -> (m, n)>
#row = affine_map<(m, n) -> (n)>

// The bias and the activation change the sums in place, which move to them.

// CHECK-LABEL: func.func @dense(
// CHECK-SAME: %[[X:.*]]: tensor<64x32xf32>, %[[W:.*]]: tensor<32x48xf32>, %[[BIAS:.*]]: tensor<48xf32>
// CHECK: %[[SUMS:.*]] = linalg.generic {{.*}} ins(%[[X]], %[[W]] :
// CHECK: %[[Y:.*]] = linalg.generic {{.*}} ins(%[[BIAS]] : tensor<48xf32>) outs(%[[SUMS]] : tensor<64x48xf32>) attrs = {weft.epilogue}
// CHECK-NEXT: ^bb0(%[[B:.*]]: f32, %[[SUM:.*]]: f32):
// CHECK-NEXT: arith.addf %[[SUM]], %[[B]]
// CHECK: return %[[Y]]
func.func @dense(%x: tensor<64x32xf32>, %w: tensor<32x48xf32>, %bias: tensor<48xf32>) -> tensor<64x48xf32> {
  %zero = arith.constant 0.0 : f32
  %0 = tensor.empty() : tensor<64x48xf32>
  %1 = linalg.fill ins(%zero : f32) outs(%0 : tensor<64x48xf32>) -> tensor<64x48xf32>
  %sums = linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : tensor<64x32xf32>, tensor<32x48xf32>) outs(%1 : tensor<64x48xf32>) {
  ^bb0(%p: f32, %q: f32, %out: f32):
    %m = arith.mulf %p, %q fastmath<reassoc,contract> : f32
    %s = arith.addf %out, %m fastmath<reassoc,contract> : f32
    linalg.yield %s : f32
  } -> tensor<64x48xf32>
  %y = linalg.generic {indexing_maps = [#id, #row, #id], iterator_types = ["parallel", "parallel"]}
      ins(%sums, %bias : tensor<64x48xf32>, tensor<48xf32>) outs(%0 : tensor<64x48xf32>) {
  ^bb0(%p: f32, %q: f32, %out: f32):
    %s = arith.addf %p, %q : f32
    %r = arith.maximumf %s, %zero : f32
    linalg.yield %r : f32
  } -> tensor<64x48xf32>
  return %y : tensor<64x48xf32>
}

// -----

#a = affine_map<(m, n, k) -> (m, k)>
#b = affine_map<(m, n, k) -> (k, n)>
#c = affine_map<(m, n, k) -> (m, n)>
#id = affine_map<(m, n) -> (m, n)>

// Sums that something else reads stay as they are; and where the result belongs
// in the place of the donated %w, the sums do not.

// CHECK-LABEL: func.func @others(
// CHECK-NOT: weft.epilogue
func.func @others(%x: tensor<64x32xf32>, %g: tensor<32x48xf32>, %w: tensor<64x48xf32> {weft.donated})
    -> (tensor<64x48xf32>, tensor<64x48xf32>, tensor<64x48xf32>) {
  %zero = arith.constant 0.0 : f32
  %0 = tensor.empty() : tensor<64x48xf32>
  %1 = linalg.fill ins(%zero : f32) outs(%0 : tensor<64x48xf32>) -> tensor<64x48xf32>
  %sums = linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %g : tensor<64x32xf32>, tensor<32x48xf32>) outs(%1 : tensor<64x48xf32>) {
  ^bb0(%p: f32, %q: f32, %out: f32):
    %m = arith.mulf %p, %q fastmath<reassoc,contract> : f32
    %s = arith.addf %out, %m fastmath<reassoc,contract> : f32
    linalg.yield %s : f32
  } -> tensor<64x48xf32>
  %seen = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%sums : tensor<64x48xf32>) outs(%0 : tensor<64x48xf32>) {
  ^bb0(%p: f32, %out: f32):
    %n = arith.negf %p : f32
    linalg.yield %n : f32
  } -> tensor<64x48xf32>
  %other = linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %g : tensor<64x32xf32>, tensor<32x48xf32>) outs(%1 : tensor<64x48xf32>) {
  ^bb0(%p: f32, %q: f32, %out: f32):
    %m = arith.mulf %p, %q fastmath<reassoc,contract> : f32
    %s = arith.addf %out, %m fastmath<reassoc,contract> : f32
    linalg.yield %s : f32
  } -> tensor<64x48xf32>
  %step = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%w, %other : tensor<64x48xf32>, tensor<64x48xf32>) outs(%0 : tensor<64x48xf32>) {
  ^bb0(%p: f32, %q: f32, %out: f32):
    %d = arith.subf %p, %q : f32
    linalg.yield %d : f32
  } -> tensor<64x48xf32>
  return %sums, %seen, %step : tensor<64x48xf32>, tensor<64x48xf32>, tensor<64x48xf32>
}
