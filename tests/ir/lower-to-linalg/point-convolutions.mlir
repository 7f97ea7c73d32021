// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: weft-opt %s --weft-lower-to-linalg | FileCheck %s
//
// Convolutions that are products of matrices.

// CHECK: #[[REVERSED:.+]] = affine_map<(d0, d1, d2) -> (-d0 + 4, d1, d2)>

// A window of one place, with steps: of every second element.
// CHECK-LABEL: func.func @steps
func.func @steps(%x: tensor<2x16x9x9xf32>, %w: tensor<8x16x1x1xf32>)
    -> tensor<2x8x4x5xf32> {
  // CHECK: tensor.extract_slice %arg0[0, 0, 1, 0] [2, 16, 4, 5] [1, 1, 2, 2]
  // CHECK: tensor.collapse_shape %arg1 {{.*}} into tensor<8x16xf32>
  // CHECK: %[[SUMS:.+]] = linalg.generic {{.*}}"parallel", "parallel", "parallel", "reduction", "parallel"]} {{.*}} outs(%{{.+}} : tensor<2x4x5x8xf32>)
  // CHECK: linalg.generic {{.*}} ins(%[[SUMS]] : tensor<2x4x5x8xf32>) outs(%{{.+}} : tensor<2x8x4x5xf32>)
  %0 = weft.convolution %x, %w batch [] x [] contract [1] x [1]
      spatial [2, 3] x [2, 3] order [0, 3, 1, 2] strides [2, 2] low [-1, 0]
      high [0, 0] base_dilation [1, 1] window_dilation [1, 1]
      : (tensor<2x16x9x9xf32>, tensor<8x16x1x1xf32>) -> tensor<2x8x4x5xf32>
  return %0 : tensor<2x8x4x5xf32>
}

// A window that moves to one place: its elements are summed over, too.
// CHECK-LABEL: func.func @gradient
func.func @gradient(%x: tensor<2x9x9x16xf32>, %y: tensor<2x5x5x8xf32>)
    -> tensor<1x1x16x8xf32> {
  // CHECK: tensor.extract_slice %arg0[0, 0, 0, 0] [2, 5, 5, 16] [1, 2, 2, 1]
  // CHECK: linalg.generic {{.*}}"reduction", "reduction", "reduction"{{.*}} outs(%{{.+}} : tensor<16x8xf32>)
  // CHECK: tensor.expand_shape {{.*}} : tensor<16x8xf32> into tensor<1x1x16x8xf32>
  %0 = weft.convolution %x, %y batch [] x [] contract [0] x [0]
      spatial [1, 2] x [1, 2] order [1, 2, 0, 3] strides [1, 1] low [0, 0]
      high [0, 0] base_dilation [1, 1] window_dilation [2, 2]
      : (tensor<2x9x9x16xf32>, tensor<2x5x5x8xf32>) -> tensor<1x1x16x8xf32>
  return %0 : tensor<1x1x16x8xf32>
}

// An array of one place, in the middle of zeros: a product with each element of
// the window, the last one first.
// CHECK-LABEL: func.func @spread
func.func @spread(%x: tensor<2x1x16xf32>, %w: tensor<5x16x8xf32>)
    -> tensor<2x5x8xf32> {
  // CHECK-NOT: tensor.insert_slice
  // CHECK: %[[W:.+]] = linalg.generic {indexing_maps = [#[[REVERSED]], {{.*}} ins(%arg1
  // CHECK: tensor.collapse_shape %arg0 {{.*}} into tensor<2x16xf32>
  // CHECK: linalg.generic {{.*}} outs(%{{.+}} : tensor<2x5x8xf32>)
  %0 = weft.convolution %x, %w batch [] x [] contract [2] x [1]
      spatial [1] x [0] order [0, 1, 2] strides [1] low [4] high [4]
      base_dilation [1] window_dilation [1]
      : (tensor<2x1x16xf32>, tensor<5x16x8xf32>) -> tensor<2x5x8xf32>
  return %0 : tensor<2x5x8xf32>
}

// What is put around is no product.
// CHECK-LABEL: func.func @padded
func.func @padded(%x: tensor<2x9x16xf32>, %w: tensor<1x16x8xf32>)
    -> tensor<2x11x8xf32> {
  // CHECK: tensor.insert_slice %arg0 into
  // CHECK: linalg.generic {{.*}} outs(%{{.+}} : tensor<2x11x8xf32>)
  %0 = weft.convolution %x, %w batch [] x [] contract [2] x [1]
      spatial [1] x [0] order [0, 1, 2] strides [1] low [1] high [1]
      base_dilation [1] window_dilation [1]
      : (tensor<2x9x16xf32>, tensor<1x16x8xf32>) -> tensor<2x11x8xf32>
  return %0 : tensor<2x11x8xf32>
}
