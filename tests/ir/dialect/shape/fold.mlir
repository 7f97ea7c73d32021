// RUN: weft-opt --canonicalize %s | FileCheck %s

// CHECK-LABEL: func.func @identities(
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<4x5xf32>, %[[V:[a-z0-9]+]]: tensor<f32>)
// CHECK-NEXT: return %[[X]], %[[X]], %[[X]], %[[X]], %[[X]], %[[X]], %[[X]]
func.func @identities(%x: tensor<4x5xf32>, %v: tensor<f32>) -> (tensor<4x5xf32>, tensor<4x5xf32>, tensor<4x5xf32>, tensor<4x5xf32>, tensor<4x5xf32>, tensor<4x5xf32>, tensor<4x5xf32>) {
  %broadcast = weft.broadcast %x dims [0, 1] : tensor<4x5xf32> to tensor<4x5xf32>
  %reshape = weft.reshape %x : tensor<4x5xf32> to tensor<4x5xf32>
  %transpose = weft.transpose %x perm [0, 1] : tensor<4x5xf32> to tensor<4x5xf32>
  %slice = weft.slice %x from [0, 0] to [4, 5] by [1, 1] : tensor<4x5xf32> to tensor<4x5xf32>
  %pad = weft.pad %x with %v low [0, 0] high [0, 0] interior [0, 0] : tensor<4x5xf32>, tensor<f32> to tensor<4x5xf32>
  %concatenate = weft.concatenate %x dim 1 : tensor<4x5xf32> to tensor<4x5xf32>
  %reverse = weft.reverse %x dims [] : tensor<4x5xf32> to tensor<4x5xf32>
  return %broadcast, %reshape, %transpose, %slice, %pad, %concatenate, %reverse : tensor<4x5xf32>, tensor<4x5xf32>, tensor<4x5xf32>, tensor<4x5xf32>, tensor<4x5xf32>, tensor<4x5xf32>, tensor<4x5xf32>
}

// The operand's type alone does not make these identities.
// CHECK-LABEL: func.func @same_type(
// CHECK: weft.transpose
// CHECK: weft.reverse
func.func @same_type(%x: tensor<4x4xf32>) -> (tensor<4x4xf32>, tensor<4x4xf32>) {
  %transpose = weft.transpose %x perm [1, 0] : tensor<4x4xf32> to tensor<4x4xf32>
  %reverse = weft.reverse %x dims [0] : tensor<4x4xf32> to tensor<4x4xf32>
  return %transpose, %reverse : tensor<4x4xf32>, tensor<4x4xf32>
}

// CHECK-LABEL: func.func @reverse(
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<4x1xf32>)
// CHECK-NEXT: return %[[X]], %[[X]]
func.func @reverse(%x: tensor<4x1xf32>) -> (tensor<4x1xf32>, tensor<4x1xf32>) {
  %once = weft.reverse %x dims [0] : tensor<4x1xf32> to tensor<4x1xf32>
  %twice = weft.reverse %once dims [0] : tensor<4x1xf32> to tensor<4x1xf32>
  %single = weft.reverse %x dims [1] : tensor<4x1xf32> to tensor<4x1xf32>
  return %twice, %single : tensor<4x1xf32>, tensor<4x1xf32>
}

// A repeated value stays one, wherever it is moved.
// CHECK-LABEL: func.func @splat()
// CHECK-DAG: %[[BROADCAST:.+]] = weft.constant dense<true> : tensor<2x3xi1>
// CHECK-DAG: %[[RESHAPE:.+]] = weft.constant dense<7> : tensor<6xui8>
// CHECK-DAG: %[[TRANSPOSE:.+]] = weft.constant dense<7> : tensor<3x2xui8>
// CHECK-DAG: %[[SLICE:.+]] = weft.constant dense<7> : tensor<1x2xui8>
// CHECK: return %[[BROADCAST]], %[[RESHAPE]], %[[TRANSPOSE]], %[[SLICE]]
func.func @splat() -> (tensor<2x3xi1>, tensor<6xui8>, tensor<3x2xui8>, tensor<1x2xui8>) {
  %true = weft.constant dense<true> : tensor<i1>
  %x = weft.constant dense<7> : tensor<2x3xui8>
  %broadcast = weft.broadcast %true dims [] : tensor<i1> to tensor<2x3xi1>
  %reshape = weft.reshape %x : tensor<2x3xui8> to tensor<6xui8>
  %transpose = weft.transpose %x perm [1, 0] : tensor<2x3xui8> to tensor<3x2xui8>
  %slice = weft.slice %x from [1, 0] to [2, 3] by [1, 2] : tensor<2x3xui8> to tensor<1x2xui8>
  return %broadcast, %reshape, %transpose, %slice : tensor<2x3xi1>, tensor<6xui8>, tensor<3x2xui8>, tensor<1x2xui8>
}
