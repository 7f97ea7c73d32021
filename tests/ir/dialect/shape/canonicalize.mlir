// RUN: weft-opt --canonicalize %s | FileCheck %s

// CHECK-LABEL: func.func @reshape(
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<2x6xf32>)
// CHECK-NEXT: weft.reshape %[[X]] : tensor<2x6xf32> to tensor<4x3xf32>
// CHECK-NEXT: return
func.func @reshape(%x: tensor<2x6xf32>) -> tensor<4x3xf32> {
  %0 = weft.reshape %x : tensor<2x6xf32> to tensor<12xf32>
  %1 = weft.reshape %0 : tensor<12xf32> to tensor<4x3xf32>
  return %1 : tensor<4x3xf32>
}

// CHECK-LABEL: func.func @reshape_back(
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<2x6xf32>)
// CHECK-NEXT: return %[[X]]
func.func @reshape_back(%x: tensor<2x6xf32>) -> tensor<2x6xf32> {
  %0 = weft.reshape %x : tensor<2x6xf32> to tensor<12xf32>
  %1 = weft.reshape %0 : tensor<12xf32> to tensor<2x6xf32>
  return %1 : tensor<2x6xf32>
}

// Result dimension i is p[q[i]].
// CHECK-LABEL: func.func @transpose(
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<2x3x4x5xf32>)
// CHECK-NEXT: weft.transpose %[[X]] perm [3, 1, 2, 0] : tensor<2x3x4x5xf32> to tensor<5x3x4x2xf32>
// CHECK-NEXT: return
func.func @transpose(%x: tensor<2x3x4x5xf32>) -> tensor<5x3x4x2xf32> {
  %0 = weft.transpose %x perm [1, 2, 3, 0] : tensor<2x3x4x5xf32> to tensor<3x4x5x2xf32>
  %1 = weft.transpose %0 perm [2, 0, 1, 3] : tensor<3x4x5x2xf32> to tensor<5x3x4x2xf32>
  return %1 : tensor<5x3x4x2xf32>
}

// CHECK-LABEL: func.func @transpose_back(
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<2x3x4xf32>)
// CHECK-NEXT: return %[[X]]
func.func @transpose_back(%x: tensor<2x3x4xf32>) -> tensor<2x3x4xf32> {
  %0 = weft.transpose %x perm [1, 2, 0] : tensor<2x3x4xf32> to tensor<3x4x2xf32>
  %1 = weft.transpose %0 perm [2, 0, 1] : tensor<3x4x2xf32> to tensor<2x3x4xf32>
  return %1 : tensor<2x3x4xf32>
}

// CHECK-LABEL: func.func @broadcast(
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<3x1xf32>)
// CHECK-NEXT: weft.broadcast %[[X]] dims [1, 3] : tensor<3x1xf32> to tensor<2x3x4x5xf32>
// CHECK-NEXT: return
func.func @broadcast(%x: tensor<3x1xf32>) -> tensor<2x3x4x5xf32> {
  %0 = weft.broadcast %x dims [0, 2] : tensor<3x1xf32> to tensor<3x4x5xf32>
  %1 = weft.broadcast %0 dims [1, 2, 3] : tensor<3x4x5xf32> to tensor<2x3x4x5xf32>
  return %1 : tensor<2x3x4x5xf32>
}
