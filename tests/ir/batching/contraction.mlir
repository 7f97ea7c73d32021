// Two stacks have a batch dimension more. One stack has a free dimension more, so that
// a product of matrices stays one.
// RUN: weft-opt --weft-expand-transforms %s | FileCheck %s

func.func private @matmul(%x: tensor<2x3xf32>, %y: tensor<3x4xf32>) -> tensor<2x4xf32> {
  %0 = weft.dot_general %x, %y batch [] x [] contract [1] x [0] : (tensor<2x3xf32>, tensor<3x4xf32>) -> tensor<2x4xf32>
  return %0 : tensor<2x4xf32>
}
// CHECK-LABEL: func.func @both(
// CHECK-NEXT: weft.dot_general %arg0, %arg1 batch [0] x [0] contract [2] x [1]
// CHECK-NEXT: return
func.func @both(%x: tensor<7x2x3xf32>, %y: tensor<7x3x4xf32>) -> tensor<7x2x4xf32> {
  %0 = weft.vmap @matmul(%x, %y) size 7 in [0, 0] out [0] : (tensor<7x2x3xf32>, tensor<7x3x4xf32>) -> tensor<7x2x4xf32>
  return %0 : tensor<7x2x4xf32>
}
// CHECK-LABEL: func.func @left(
// CHECK-NEXT: weft.dot_general %arg0, %arg1 batch [] x [] contract [2] x [0] : {{.+}} -> tensor<7x2x4xf32>
// CHECK-NEXT: return
func.func @left(%x: tensor<7x2x3xf32>, %y: tensor<3x4xf32>) -> tensor<7x2x4xf32> {
  %0 = weft.vmap @matmul(%x, %y) size 7 in [0, -1] out [0] : (tensor<7x2x3xf32>, tensor<3x4xf32>) -> tensor<7x2x4xf32>
  return %0 : tensor<7x2x4xf32>
}
// CHECK-LABEL: func.func @right(
// CHECK-NEXT: %[[P:.+]] = weft.dot_general %arg0, %arg1 batch [] x [] contract [1] x [1] : {{.+}} -> tensor<2x7x4xf32>
// CHECK-NEXT: weft.transpose %[[P]] perm [1, 0, 2]
// CHECK-NEXT: return
func.func @right(%x: tensor<2x3xf32>, %y: tensor<7x3x4xf32>) -> tensor<7x2x4xf32> {
  %0 = weft.vmap @matmul(%x, %y) size 7 in [-1, 0] out [0] : (tensor<2x3xf32>, tensor<7x3x4xf32>) -> tensor<7x2x4xf32>
  return %0 : tensor<7x2x4xf32>
}

// A matrix times each of a stack of vectors: the stack times the matrix.
func.func private @matvec(%w: tensor<2x3xf32>, %x: tensor<3xf32>) -> tensor<2xf32> {
  %0 = weft.dot_general %w, %x batch [] x [] contract [1] x [0] : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<2xf32>
  return %0 : tensor<2xf32>
}
// CHECK-LABEL: func.func @vectors(
// CHECK-NEXT: weft.dot_general %arg1, %arg0 batch [] x [] contract [1] x [1] : {{.+}} -> tensor<7x2xf32>
// CHECK-NEXT: return
func.func @vectors(%w: tensor<2x3xf32>, %x: tensor<7x3xf32>) -> tensor<7x2xf32> {
  %0 = weft.vmap @matvec(%w, %x) size 7 in [-1, 0] out [0] : (tensor<2x3xf32>, tensor<7x3xf32>) -> tensor<7x2xf32>
  return %0 : tensor<7x2xf32>
}

// The new free dimension comes behind batch dimensions.
func.func private @batched(%x: tensor<5x2x3xf32>, %y: tensor<5x3x4xf32>) -> tensor<5x2x4xf32> {
  %0 = weft.dot_general %x, %y batch [0] x [0] contract [2] x [1] : (tensor<5x2x3xf32>, tensor<5x3x4xf32>) -> tensor<5x2x4xf32>
  return %0 : tensor<5x2x4xf32>
}
// CHECK-LABEL: func.func @batch(
// CHECK-NEXT: %[[P:.+]] = weft.dot_general %arg0, %arg1 batch [1] x [0] contract [3] x [1] : {{.+}} -> tensor<5x7x2x4xf32>
// CHECK-NEXT: weft.transpose %[[P]] perm [1, 0, 2, 3]
func.func @batch(%x: tensor<7x5x2x3xf32>, %y: tensor<5x3x4xf32>) -> tensor<7x5x2x4xf32> {
  %0 = weft.vmap @batched(%x, %y) size 7 in [0, -1] out [0] : (tensor<7x5x2x3xf32>, tensor<5x3x4xf32>) -> tensor<7x5x2x4xf32>
  return %0 : tensor<7x5x2x4xf32>
}
