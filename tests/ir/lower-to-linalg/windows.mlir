// RUN: weft-opt --weft-lower-to-linalg --canonicalize --cse %s | FileCheck %s

// CHECK-DAG: #[[X:.+]] = affine_map<(d0, d1, d2, d3, d4, d5, d6, d7) -> (d0 + d3, d1 * 2 + d4, d2 * 2 + d5, d6 + d7)>
// CHECK-DAG: #[[W:.+]] = affine_map<(d0, d1, d2, d3, d4, d5, d6, d7) -> (d3, d4, d5, d6)>
// CHECK-DAG: #[[R:.+]] = affine_map<(d0, d1, d2, d3, d4, d5, d6, d7) -> (d0, d1, d2, d7)>

// The empty array only says how large the window is. Features are innermost.
// CHECK-LABEL: func.func @pool(
// CHECK: %[[SIZE:.+]] = tensor.empty() : tensor<1x3x3x1xi8>
// CHECK: linalg.generic {indexing_maps = [#[[X]], #[[W]], #[[R]]], iterator_types = ["parallel", "parallel", "parallel", "reduction", "reduction", "reduction", "reduction", "parallel"]} ins(%arg0, %[[SIZE]]
// CHECK: arith.maximumf
func.func @pool(%x: tensor<2x9x9x3xf32>) -> tensor<2x4x4x3xf32> {
  %0 = weft.reduce_window_max %x window [1, 3, 3, 1] strides [1, 2, 2, 1] low [0, 0, 0, 0] high [0, 0, 0, 0] base_dilation [1, 1, 1, 1] window_dilation [1, 1, 1, 1] : (tensor<2x9x9x3xf32>) -> tensor<2x4x4x3xf32>
  return %0 : tensor<2x4x4x3xf32>
}

// Padding is the neutral element.
// CHECK-LABEL: func.func @padded(
// CHECK: %[[LOWEST:.+]] = arith.constant -128 : i8
// CHECK: linalg.fill ins(%[[LOWEST]] : i8)
// CHECK: arith.maxsi
func.func @padded(%x: tensor<4xi8>) -> tensor<4xi8> {
  %0 = weft.reduce_window_max %x window [3] strides [1] low [1] high [1] base_dilation [1] window_dilation [1] : (tensor<4xi8>) -> tensor<4xi8>
  return %0 : tensor<4xi8>
}

// The third operand is read once for each window.
// CHECK-LABEL: func.func @chosen(
// CHECK: ins(%arg0, %arg1, %arg2, %{{.+}} : tensor<4xf32>, tensor<4xf32>, tensor<3xf32>, tensor<2xi8>)
// CHECK: %[[IS:.+]] = arith.cmpf oeq, %in, %[[KEY:.+]] {{.*}}: f32
// CHECK: arith.select %[[IS]]
func.func @chosen(%x: tensor<4xf32>, %w: tensor<4xf32>, %k: tensor<3xf32>) -> tensor<3xf32> {
  %0 = weft.sum_where_equal %x, %w, %k window [2] strides [1] low [0] high [0] base_dilation [1] window_dilation [1] : (tensor<4xf32>, tensor<4xf32>, tensor<3xf32>) -> tensor<3xf32>
  return %0 : tensor<3xf32>
}
