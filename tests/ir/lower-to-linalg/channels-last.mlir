// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: weft-opt %s --weft-lower-to-linalg | FileCheck %s
//
// Where rows of places would be read with gaps, or fill vectors worse than
// channels do, channels come last.

module attributes {weft.machine = {fma = true, l1_bytes = 32768 : i64, l2_bytes = 1048576 : i64, vector_bytes = 64 : i64, vector_registers = 32 : i64}} {
// CHECK: #[[MOVED:.+]] = affine_map<(d0, d1, d2, d3) -> (d0, d3, d1, d2)>
// CHECK-LABEL: func.func @strided
// CHECK-SAME:      %[[X:.+]]: tensor<2x16x33x33xf32>, %[[W:.+]]: tensor<32x16x3x3xf32>
func.func @strided(%x: tensor<2x16x33x33xf32>, %w: tensor<32x16x3x3xf32>)
    -> tensor<2x32x16x16xf32> {
  // CHECK: %[[LEFT:.+]] = linalg.generic {{.*}} ins(%[[X]] : tensor<2x16x33x33xf32>) outs(%{{.+}} : tensor<2x33x33x16xf32>)
  // CHECK: %[[RIGHT:.+]] = linalg.generic {{.*}} ins(%[[W]] : tensor<32x16x3x3xf32>) outs(%{{.+}} : tensor<3x3x16x32xf32>)
  // CHECK: %[[SUMS:.+]] = linalg.generic {{.*}} ins(%[[LEFT]], %[[RIGHT]] : {{.*}}) outs(%{{.+}} : tensor<2x16x16x32xf32>)
  // CHECK: linalg.generic {{.*}} ins(%[[SUMS]] : tensor<2x16x16x32xf32>) outs(%{{.+}} : tensor<2x32x16x16xf32>)
  %0 = weft.convolution %x, %w batch [] x [] contract [1] x [1]
      spatial [2, 3] x [2, 3] order [0, 3, 1, 2] strides [2, 2] low [0, 0]
      high [0, 0] base_dilation [1, 1] window_dilation [1, 1]
      : (tensor<2x16x33x33xf32>, tensor<32x16x3x3xf32>) -> tensor<2x32x16x16xf32>
  return %0 : tensor<2x32x16x16xf32>
}

// A gradient by the window, of groups: each of them is together.
// CHECK-LABEL: func.func @groups
func.func @groups(%x: tensor<2x16x16x2x16xf32>, %y: tensor<2x14x14x2x16xf32>)
    -> tensor<3x3x16x2x16xf32> {
  // CHECK: linalg.generic {{.*}} outs(%{{.+}} : tensor<2x2x16x16x16xf32>)
  // CHECK: linalg.generic {{.*}} outs(%{{.+}} : tensor<2x2x14x14x16xf32>)
  // CHECK: %[[SUMS:.+]] = linalg.generic {{.*}} outs(%{{.+}} : tensor<2x3x3x16x16xf32>)
  // CHECK: linalg.generic {{.*}} ins(%[[SUMS]] : tensor<2x3x3x16x16xf32>) outs(%{{.+}} : tensor<3x3x16x2x16xf32>)
  %0 = weft.convolution %x, %y batch [3] x [3] contract [0] x [0]
      spatial [1, 2] x [1, 2] order [2, 3, 1, 0, 4] strides [1, 1] low [0, 0]
      high [0, 0] base_dilation [1, 1] window_dilation [1, 1]
      : (tensor<2x16x16x2x16xf32>, tensor<2x14x14x2x16xf32>) -> tensor<3x3x16x2x16xf32>
  return %0 : tensor<3x3x16x2x16xf32>
}

// Ten places fill 10 of 16 lanes, 32 channels all of them.
// CHECK-LABEL: func.func @short_rows
func.func @short_rows(%x: tensor<4x16x12x12xf32>, %w: tensor<32x16x3x3xf32>)
    -> tensor<4x32x10x10xf32> {
  // CHECK: linalg.generic {{.*}} outs(%{{.+}} : tensor<4x12x12x16xf32>)
  // CHECK: linalg.generic {{.*}} outs(%{{.+}} : tensor<3x3x16x32xf32>)
  // CHECK: %[[SUMS:.+]] = linalg.generic {{.*}} outs(%{{.+}} : tensor<4x10x10x32xf32>)
  // CHECK: linalg.generic {{.*}} ins(%[[SUMS]] : tensor<4x10x10x32xf32>) outs(%{{.+}} : tensor<4x32x10x10xf32>)
  %0 = weft.convolution %x, %w batch [] x [] contract [1] x [1]
      spatial [2, 3] x [2, 3] order [0, 3, 1, 2] strides [1, 1] low [0, 0]
      high [0, 0] base_dilation [1, 1] window_dilation [1, 1]
      : (tensor<4x16x12x12xf32>, tensor<32x16x3x3xf32>) -> tensor<4x32x10x10xf32>
  return %0 : tensor<4x32x10x10xf32>
}

// Steps of one, and few products, are computed as they are.
// CHECK-LABEL: func.func @as_it_is
func.func @as_it_is(%x: tensor<2x16x33x33xf32>, %w: tensor<32x16x3x3xf32>,
                    %small: tensor<1x2x9x9xf32>, %few: tensor<2x2x3x3xf32>)
    -> (tensor<2x32x31x31xf32>, tensor<1x2x4x4xf32>) {
  // CHECK-COUNT-2: = linalg.generic
  // CHECK-NOT: = linalg.generic
  %0 = weft.convolution %x, %w batch [] x [] contract [1] x [1]
      spatial [2, 3] x [2, 3] order [0, 3, 1, 2] strides [1, 1] low [0, 0]
      high [0, 0] base_dilation [1, 1] window_dilation [1, 1]
      : (tensor<2x16x33x33xf32>, tensor<32x16x3x3xf32>) -> tensor<2x32x31x31xf32>
  %1 = weft.convolution %small, %few batch [] x [] contract [1] x [1]
      spatial [2, 3] x [2, 3] order [0, 3, 1, 2] strides [2, 2] low [0, 0]
      high [0, 0] base_dilation [1, 1] window_dilation [1, 1]
      : (tensor<1x2x9x9xf32>, tensor<2x2x3x3xf32>) -> tensor<1x2x4x4xf32>
  return %0, %1 : tensor<2x32x31x31xf32>, tensor<1x2x4x4xf32>
}
}
