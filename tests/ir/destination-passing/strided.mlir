// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: weft-opt %s --weft-destination-passing --one-shot-bufferize | FileCheck %s
//
// Sums are not added up in elements that lie apart: each phase of a strided
// convolution's gradient has a buffer of its own, which is copied to its places.

#rows = affine_map<(d0, d1) -> (d0)>
#both = affine_map<(d0, d1) -> (d0, d1)>
#rows1 = affine_map<(d0) -> (d0)>

// CHECK-LABEL: func.func @sums
// CHECK-SAME:      %{{.+}}: memref<8x4xf32>, %[[OUT:.+]]: memref<16xf32>
func.func @sums(%x: tensor<8x4xf32>) -> tensor<16xf32> {
  // CHECK: %[[OWN:.+]] = memref.alloc() {{.*}}: memref<8xf32>
  // CHECK: linalg.generic {{.*}} outs(%[[OWN]] : memref<8xf32>)
  // CHECK: %[[EVEN:.+]] = memref.subview %[[OUT]][0] [8] [2]
  // CHECK: memref.copy %[[OWN]], %[[EVEN]]
  %zero = arith.constant 0.0 : f32
  %whole = tensor.empty() : tensor<16xf32>
  %part = tensor.empty() : tensor<8xf32>
  %none = linalg.fill ins(%zero : f32) outs(%part : tensor<8xf32>) -> tensor<8xf32>
  %sums = linalg.generic {indexing_maps = [#both, #rows], iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<8x4xf32>) outs(%none : tensor<8xf32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = arith.addf %in, %out : f32
    linalg.yield %0 : f32
  } -> tensor<8xf32>
  %even = tensor.insert_slice %sums into %whole[0] [8] [2] : tensor<8xf32> into tensor<16xf32>
  %odd = tensor.insert_slice %sums into %even[1] [8] [2] : tensor<8xf32> into tensor<16xf32>
  return %odd : tensor<16xf32>
}

// What computes a part of a stack writes there.
// CHECK-LABEL: func.func @stacked
// CHECK-SAME:      %[[X:.+]]: memref<8x4xf32>, %[[OUT:.+]]: memref<8x4x2xf32>
// CHECK-NOT: memref.alloc
// CHECK: %[[EVEN:.+]] = memref.subview %[[OUT]][0, 0, 0] [8, 4, 1] [1, 1, 1] : memref<8x4x2xf32> to memref<8x4xf32,
// CHECK: linalg.generic {{.*}} outs(%[[EVEN]] :
// CHECK: %[[ODD:.+]] = memref.subview %[[OUT]][0, 0, 1] [8, 4, 1] [1, 1, 1]
// CHECK: linalg.generic {{.*}} outs(%[[ODD]] :
func.func @stacked(%x: tensor<8x4xf32>) -> tensor<8x4x2xf32> {
  %whole = tensor.empty() : tensor<8x4x2xf32>
  %part = tensor.empty() : tensor<8x4xf32>
  %one = linalg.generic {indexing_maps = [#both, #both], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<8x4xf32>) outs(%part : tensor<8x4xf32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = arith.addf %in, %in : f32
    linalg.yield %0 : f32
  } -> tensor<8x4xf32>
  %two = linalg.generic {indexing_maps = [#both, #both], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<8x4xf32>) outs(%part : tensor<8x4xf32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = arith.mulf %in, %in : f32
    linalg.yield %0 : f32
  } -> tensor<8x4xf32>
  %1 = tensor.expand_shape %one [[0], [1, 2]] output_shape [8, 4, 1] : tensor<8x4xf32> into tensor<8x4x1xf32>
  %2 = tensor.expand_shape %two [[0], [1, 2]] output_shape [8, 4, 1] : tensor<8x4xf32> into tensor<8x4x1xf32>
  %even = tensor.insert_slice %1 into %whole[0, 0, 0] [8, 4, 1] [1, 1, 1] : tensor<8x4x1xf32> into tensor<8x4x2xf32>
  %odd = tensor.insert_slice %2 into %even[0, 0, 1] [8, 4, 1] [1, 1, 1] : tensor<8x4x1xf32> into tensor<8x4x2xf32>
  return %odd : tensor<8x4x2xf32>
}

// Nor in one channel of two, which an epilogue changes first.
// CHECK-LABEL: func.func @channel
// CHECK-SAME:      %{{.+}}: memref<8x4xf32>, %[[OUT:.+]]: memref<8x2xf32>
func.func @channel(%x: tensor<8x4xf32>) -> tensor<8x2xf32> {
  // CHECK: %[[OWN:.+]] = memref.alloc() {{.*}}: memref<8xf32>
  // CHECK: linalg.generic {{.*}} outs(%[[OWN]] : memref<8xf32>)
  // CHECK: linalg.generic {{.*}} outs(%[[OWN]] : memref<8xf32>)
  // CHECK: %[[CHANNEL:.+]] = memref.subview %[[OUT]][0, 1] [8, 1] [1, 1]
  // CHECK: memref.copy %[[OWN]], %[[CHANNEL]]
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<8x2xf32>
  %whole = linalg.fill ins(%zero : f32) outs(%empty : tensor<8x2xf32>) -> tensor<8x2xf32>
  %part = tensor.empty() : tensor<8xf32>
  %none = linalg.fill ins(%zero : f32) outs(%part : tensor<8xf32>) -> tensor<8xf32>
  %sums = linalg.generic {indexing_maps = [#both, #rows], iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<8x4xf32>) outs(%none : tensor<8xf32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = arith.addf %in, %out : f32
    linalg.yield %0 : f32
  } -> tensor<8xf32>
  %twice = linalg.generic {indexing_maps = [#rows1], iterator_types = ["parallel"]} outs(%sums : tensor<8xf32>) {
  ^bb0(%out: f32):
    %0 = arith.addf %out, %out : f32
    linalg.yield %0 : f32
  } -> tensor<8xf32>
  %result = tensor.insert_slice %twice into %whole[0, 1] [8, 1] [1, 1] : tensor<8xf32> into tensor<8x2xf32>
  return %result : tensor<8x2xf32>
}
