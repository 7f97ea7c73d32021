// RUN: weft-opt --weft-lower-to-linalg --canonicalize --cse %s | FileCheck %s

// CHECK-DAG: #[[X:.+]] = affine_map<(d0, d1, d2, d3, d4, d5, d6) -> (d0, d1 + d3, d2 + d4, d5)>
// CHECK-DAG: #[[W:.+]] = affine_map<(d0, d1, d2, d3, d4, d5, d6) -> (d3, d4, d5, d6)>
// CHECK-DAG: #[[R:.+]] = affine_map<(d0, d1, d2, d3, d4, d5, d6) -> (d0, d1, d2, d6)>
// CHECK-DAG: #[[XC:.+]] = affine_map<(d0, d1, d2, d3, d4, d5, d6) -> (d0, d3, d2 * 2 + d4, d6 * 2 + d5)>
// CHECK-DAG: #[[WC:.+]] = affine_map<(d0, d1, d2, d3, d4, d5, d6) -> (d1, d3, d4, d5)>

// The output features are innermost: they lie together in kernel and result.
// CHECK-LABEL: func.func @nhwc(
// CHECK: %[[P:.+]] = tensor.insert_slice %{{.+}} into %{{.+}}[0, 1, 1, 0] [2, 9, 9, 3] [1, 1, 1, 1]
// CHECK: linalg.generic {indexing_maps = [#[[X]], #[[W]], #[[R]]], iterator_types = ["parallel", "parallel", "parallel", "reduction", "reduction", "reduction", "parallel"]} ins(%[[P]], %{{.+}}
// CHECK: arith.addf %{{.+}}, %{{.+}} fastmath<reassoc,contract> : f32
func.func @nhwc(%x: tensor<2x9x9x3xf32>, %w: tensor<3x3x3x8xf32>) -> tensor<2x9x9x8xf32> {
  %0 = weft.convolution %x, %w batch [] x [] contract [3] x [2] spatial [1, 2] x [0, 1] order [0, 1, 2, 3] strides [1, 1] low [1, 1] high [1, 1] base_dilation [1, 1] window_dilation [1, 1] : (tensor<2x9x9x3xf32>, tensor<3x3x3x8xf32>) -> tensor<2x9x9x8xf32>
  return %0 : tensor<2x9x9x8xf32>
}

// Without padding nothing is copied; the columns of the result are innermost.
// CHECK-LABEL: func.func @nchw(
// CHECK-NOT: tensor.insert_slice
// CHECK: linalg.generic {indexing_maps = [#[[XC]], #[[WC]], #[[R]]]{{.*}} ins(%arg0, %arg1
// CHECK: arith.extsi %{{.+}} : i8 to i32
// CHECK: arith.muli %{{.+}}, %{{.+}} : i32
func.func @nchw(%x: tensor<2x3x9x9xi8>, %w: tensor<8x3x3x3xi8>) -> tensor<2x8x4x4xi32> {
  %0 = weft.convolution %x, %w batch [] x [] contract [1] x [1] spatial [2, 3] x [2, 3] order [0, 3, 1, 2] strides [2, 2] low [0, 0] high [0, 0] base_dilation [1, 1] window_dilation [1, 1] : (tensor<2x3x9x9xi8>, tensor<8x3x3x3xi8>) -> tensor<2x8x4x4xi32>
  return %0 : tensor<2x8x4x4xi32>
}

// Padding that is negative cuts off, after what is dilated has been laid out.
// CHECK-LABEL: func.func @cut(
// CHECK: %[[D:.+]] = tensor.insert_slice %arg0 into %{{.+}}[0] [4] [2] : tensor<4xf32> into tensor<8xf32>
// CHECK: tensor.extract_slice %[[D]][1] [7] [1] : tensor<8xf32> to tensor<7xf32>
func.func @cut(%x: tensor<4xf32>, %w: tensor<2xf32>) -> tensor<6xf32> {
  %0 = weft.convolution %x, %w batch [] x [] contract [] x [] spatial [0] x [0] order [0] strides [1] low [-1] high [1] base_dilation [2] window_dilation [1] : (tensor<4xf32>, tensor<2xf32>) -> tensor<6xf32>
  return %0 : tensor<6xf32>
}

// The kernel is turned to end as the result does, because it is read 14 times.
// CHECK-LABEL: func.func @turned(
// CHECK: %[[T:.+]] = linalg.generic {{.*}} ins(%arg1 : tensor<4x3x8xf32>) outs(%{{.+}} : tensor<3x8x4xf32>)
// CHECK: iterator_types = ["parallel", "parallel", "reduction", "reduction", "parallel"]} ins(%arg0, %[[T]]
func.func @turned(%x: tensor<2x9x8xf32>, %w: tensor<4x3x8xf32>) -> tensor<2x7x4xf32> {
  %0 = weft.convolution %x, %w batch [] x [] contract [2] x [2] spatial [1] x [1] order [0, 1, 2] strides [1] low [0] high [0] base_dilation [1] window_dilation [1] : (tensor<2x9x8xf32>, tensor<4x3x8xf32>) -> tensor<2x7x4xf32>
  return %0 : tensor<2x7x4xf32>
}

// Where only what is contracted lies together, its sum is a reduction.
// CHECK-LABEL: func.func @products(
// CHECK: iterator_types = ["parallel", "parallel", "reduction", "reduction"]
// CHECK: arith.addf %{{.+}}, %{{.+}} fastmath<reassoc,contract> : f32
func.func @products(%x: tensor<5x8xf32>, %w: tensor<4x3x8xf32>) -> tensor<3x4xf32> {
  %0 = weft.convolution %x, %w batch [] x [] contract [1] x [2] spatial [0] x [1] order [0, 1] strides [1] low [0] high [0] base_dilation [1] window_dilation [1] : (tensor<5x8xf32>, tensor<4x3x8xf32>) -> tensor<3x4xf32>
  return %0 : tensor<3x4xf32>
}

// Of an array with zeros between its elements, every other result meets every other
// element of the window: four convolutions of the array as it is, and no zeros.
// CHECK-LABEL: func.func @phases(
// CHECK-SAME: %[[X:.+]]: tensor<2x9x9x16xf32>, %[[W:.+]]: tensor<3x3x16x8xf32>)
// CHECK: %[[ONE:.+]] = tensor.extract_slice %[[W]][1, 1, 0, 0] [1, 1, 16, 8] [2, 2, 1, 1]
// CHECK: %[[FIRST:.+]] = linalg.generic
// CHECK: tensor.insert_slice %[[FIRST]] into %{{.+}}[0, 0, 0, 0] [2, 9, 9, 8] [1, 2, 2, 1]
// CHECK: tensor.extract_slice %[[W]][1, 0, 0, 0] [1, 2, 16, 8] [2, 2, 1, 1]
// CHECK: tensor.extract_slice %[[W]][0, 1, 0, 0] [2, 1, 16, 8] [2, 2, 1, 1]
// CHECK: tensor.extract_slice %[[W]][0, 0, 0, 0] [2, 2, 16, 8] [2, 2, 1, 1]
// CHECK: tensor.insert_slice %{{.+}} into %{{.+}}[0, 1, 1, 0] [2, 8, 8, 8] [1, 2, 2, 1]
func.func @phases(%x: tensor<2x9x9x16xf32>, %w: tensor<3x3x16x8xf32>) -> tensor<2x17x17x8xf32> {
  %0 = weft.convolution %x, %w batch [] x [] contract [3] x [2] spatial [1, 2] x [0, 1] order [0, 1, 2, 3] strides [1, 1] low [1, 1] high [1, 1] base_dilation [2, 2] window_dilation [1, 1] : (tensor<2x9x9x16xf32>, tensor<3x3x16x8xf32>) -> tensor<2x17x17x8xf32>
  return %0 : tensor<2x17x17x8xf32>
}
