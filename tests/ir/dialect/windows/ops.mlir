// RUN: weft-opt %s | weft-opt | FileCheck %s
// RUN: weft-opt --mlir-print-op-generic %s | weft-opt | FileCheck %s

// CHECK-LABEL: func.func @reductions(
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<4x5xf32>)
func.func @reductions(%x: tensor<4x5xf32>) {
  // CHECK-NEXT: weft.reduce_window_sum %[[X]] window [2, 3] strides [1, 2] low [0, 1] high [0, 1] base_dilation [1, 1] window_dilation [1, 1] : (tensor<4x5xf32>) -> tensor<3x3xf32>
  %0 = weft.reduce_window_sum %x window [2, 3] strides [1, 2] low [0, 1] high [0, 1] base_dilation [1, 1] window_dilation [1, 1] : (tensor<4x5xf32>) -> tensor<3x3xf32>
  // CHECK-NEXT: weft.reduce_window_max %[[X]] window [2, 3] strides [1, 2] low [0, 1] high [0, 1] base_dilation [1, 1] window_dilation [1, 1] : (tensor<4x5xf32>) -> tensor<3x3xf32>
  %1 = weft.reduce_window_max %x window [2, 3] strides [1, 2] low [0, 1] high [0, 1] base_dilation [1, 1] window_dilation [1, 1] : (tensor<4x5xf32>) -> tensor<3x3xf32>
  // CHECK-NEXT: weft.reduce_window_min %[[X]] window [2, 3] strides [1, 2] low [0, 1] high [0, 1] base_dilation [1, 1] window_dilation [1, 1] : (tensor<4x5xf32>) -> tensor<3x3xf32>
  %2 = weft.reduce_window_min %x window [2, 3] strides [1, 2] low [0, 1] high [0, 1] base_dilation [1, 1] window_dilation [1, 1] : (tensor<4x5xf32>) -> tensor<3x3xf32>
  return
}

// CHECK-LABEL: func.func @chosen(
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<4x5xf32>, %[[K:[a-z0-9]+]]: tensor<3x3xf32>)
func.func @chosen(%x: tensor<4x5xf32>, %k: tensor<3x3xf32>) {
  // CHECK-NEXT: weft.sum_where_equal %[[X]], %[[X]], %[[K]] window [2, 3] strides [1, 2] low [0, 1] high [0, 1] base_dilation [1, 1] window_dilation [1, 1] : (tensor<4x5xf32>, tensor<4x5xf32>, tensor<3x3xf32>) -> tensor<3x3xf32>
  %0 = weft.sum_where_equal %x, %x, %k window [2, 3] strides [1, 2] low [0, 1] high [0, 1] base_dilation [1, 1] window_dilation [1, 1] : (tensor<4x5xf32>, tensor<4x5xf32>, tensor<3x3xf32>) -> tensor<3x3xf32>
  return
}
