// RUN: weft-opt %s -pass-pipeline='builtin.module(func.func(weft-transpose-sums))' | FileCheck %s

#a = affine_map<(b, m, n, k) -> (b, m, k)>
#b = affine_map<(b, m, n, k) -> (b, k, n)>
#c = affine_map<(b, m, n, k) -> (b, m, n)>
#in = affine_map<(x, y, z) -> (y, z, x)>
#id = affine_map<(x, y, z) -> (x, y, z)>

#swap = affine_map<(x, y, z) -> (y, x, z)>

// CHECK-DAG: #[[SUM:.*]] = affine_map<(d0, d1, d2, d3) -> (d1, d0, d2)>

// CHECK-LABEL: func.func @product(
// CHECK: %[[ZEROS:.*]] = linalg.fill {{.*}} -> tensor<4x2x6xf32>
// CHECK: %[[SUMS:.*]] = linalg.generic {indexing_maps = [#{{.*}}, #{{.*}}, #[[SUM]]]{{.*}} outs(%[[ZEROS]] : tensor<4x2x6xf32>)
// CHECK-NOT: linalg.generic
// CHECK: return %[[SUMS]]
func.func @product(%x: tensor<2x4x5xf32>, %y: tensor<2x5x6xf32>) -> tensor<4x2x6xf32> {
  %zero = arith.constant 0.0 : f32
  %0 = tensor.empty() : tensor<2x4x6xf32>
  %1 = linalg.fill ins(%zero : f32) outs(%0 : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %sums = linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
      ins(%x, %y : tensor<2x4x5xf32>, tensor<2x5x6xf32>) outs(%1 : tensor<2x4x6xf32>) {
  ^bb0(%p: f32, %q: f32, %out: f32):
    %m = arith.mulf %p, %q fastmath<reassoc,contract> : f32
    %s = arith.addf %out, %m fastmath<reassoc,contract> : f32
    linalg.yield %s : f32
  } -> tensor<2x4x6xf32>
  %2 = tensor.empty() : tensor<4x2x6xf32>
  %t = linalg.generic {indexing_maps = [#swap, #id], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%sums : tensor<2x4x6xf32>) outs(%2 : tensor<4x2x6xf32>) {
  ^bb0(%p: f32, %out: f32):
    linalg.yield %p : f32
  } -> tensor<4x2x6xf32>
  return %t : tensor<4x2x6xf32>
}

// Where neither factor is consecutive along the result, to transpose is faster.

// CHECK-LABEL: func.func @neither_factor_in_order(
// CHECK: linalg.generic {{.*}}"reduction"
// CHECK: linalg.generic {{.*}}["parallel", "parallel", "parallel"]
func.func @neither_factor_in_order(%x: tensor<2x4x5xf32>, %y: tensor<2x5x6xf32>) -> tensor<6x2x4xf32> {
  %zero = arith.constant 0.0 : f32
  %0 = tensor.empty() : tensor<2x4x6xf32>
  %1 = linalg.fill ins(%zero : f32) outs(%0 : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %sums = linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
      ins(%x, %y : tensor<2x4x5xf32>, tensor<2x5x6xf32>) outs(%1 : tensor<2x4x6xf32>) {
  ^bb0(%p: f32, %q: f32, %out: f32):
    %m = arith.mulf %p, %q fastmath<reassoc,contract> : f32
    %s = arith.addf %out, %m fastmath<reassoc,contract> : f32
    linalg.yield %s : f32
  } -> tensor<2x4x6xf32>
  %2 = tensor.empty() : tensor<6x2x4xf32>
  %t = linalg.generic {indexing_maps = [#in, #id], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%sums : tensor<2x4x6xf32>) outs(%2 : tensor<6x2x4xf32>) {
  ^bb0(%p: f32, %out: f32):
    linalg.yield %p : f32
  } -> tensor<6x2x4xf32>
  return %t : tensor<6x2x4xf32>
}

// What else reads the sums wants them as they are.

// CHECK-LABEL: func.func @both(
// CHECK-COUNT-2: linalg.generic
func.func @both(%x: tensor<2x4x5xf32>, %y: tensor<2x5x6xf32>) -> (tensor<6x2x4xf32>, tensor<2x4x6xf32>) {
  %zero = arith.constant 0.0 : f32
  %0 = tensor.empty() : tensor<2x4x6xf32>
  %1 = linalg.fill ins(%zero : f32) outs(%0 : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %sums = linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
      ins(%x, %y : tensor<2x4x5xf32>, tensor<2x5x6xf32>) outs(%1 : tensor<2x4x6xf32>) {
  ^bb0(%p: f32, %q: f32, %out: f32):
    %m = arith.mulf %p, %q fastmath<reassoc,contract> : f32
    %s = arith.addf %out, %m fastmath<reassoc,contract> : f32
    linalg.yield %s : f32
  } -> tensor<2x4x6xf32>
  %2 = tensor.empty() : tensor<6x2x4xf32>
  %t = linalg.generic {indexing_maps = [#in, #id], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%sums : tensor<2x4x6xf32>) outs(%2 : tensor<6x2x4xf32>) {
  ^bb0(%p: f32, %out: f32):
    linalg.yield %p : f32
  } -> tensor<6x2x4xf32>
  return %t, %sums : tensor<6x2x4xf32>, tensor<2x4x6xf32>
}

// What is transposed twice is transposed once, or not at all.

// CHECK-LABEL: func.func @twice(
// CHECK-SAME: %[[X:.*]]: tensor<2x4x5xf32>, %[[Y:.*]]: tensor<4x5x6xf32>
// CHECK: %[[ONCE:.*]] = linalg.generic {{.*}} ins(%[[X]] : tensor<2x4x5xf32>) outs(%{{.*}} : tensor<5x2x4xf32>)
// CHECK: return %[[ONCE]], %[[Y]]
func.func @twice(%x: tensor<2x4x5xf32>, %y: tensor<4x5x6xf32>) -> (tensor<5x2x4xf32>, tensor<4x5x6xf32>) {
  %0 = tensor.empty() : tensor<4x5x2xf32>
  %1 = linalg.generic {indexing_maps = [affine_map<(a, b, c) -> (c, a, b)>, #id], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%x : tensor<2x4x5xf32>) outs(%0 : tensor<4x5x2xf32>) {
  ^bb0(%p: f32, %out: f32):
    linalg.yield %p : f32
  } -> tensor<4x5x2xf32>
  %2 = tensor.empty() : tensor<5x2x4xf32>
  %3 = linalg.generic {indexing_maps = [affine_map<(a, b, c) -> (c, a, b)>, #id], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%1 : tensor<4x5x2xf32>) outs(%2 : tensor<5x2x4xf32>) {
  ^bb0(%p: f32, %out: f32):
    linalg.yield %p : f32
  } -> tensor<5x2x4xf32>
  %4 = tensor.empty() : tensor<5x4x6xf32>
  %5 = linalg.generic {indexing_maps = [#swap, #id], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%y : tensor<4x5x6xf32>) outs(%4 : tensor<5x4x6xf32>) {
  ^bb0(%p: f32, %out: f32):
    linalg.yield %p : f32
  } -> tensor<5x4x6xf32>
  %6 = tensor.empty() : tensor<4x5x6xf32>
  %7 = linalg.generic {indexing_maps = [#swap, #id], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%5 : tensor<5x4x6xf32>) outs(%6 : tensor<4x5x6xf32>) {
  ^bb0(%p: f32, %out: f32):
    linalg.yield %p : f32
  } -> tensor<4x5x6xf32>
  return %3, %7 : tensor<5x2x4xf32>, tensor<4x5x6xf32>
}
