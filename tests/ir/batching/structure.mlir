// Structured ops widen themselves: their attributes say of the new leading axis that
// nothing happens along it.
// RUN: weft-opt --weft-expand-transforms %s | FileCheck %s

func.func private @move(%x: tensor<3x4xf32>) -> (tensor<2x3x4xf32>, tensor<12xf32>, tensor<4x3xf32>, tensor<2x2xf32>, tensor<3x4xf32>) {
  %0 = weft.broadcast %x dims [1, 2] : tensor<3x4xf32> to tensor<2x3x4xf32>
  %1 = weft.reshape %x : tensor<3x4xf32> to tensor<12xf32>
  %2 = weft.transpose %x perm [1, 0] : tensor<3x4xf32> to tensor<4x3xf32>
  %3 = weft.slice %x from [1, 0] to [3, 4] by [1, 2] : tensor<3x4xf32> to tensor<2x2xf32>
  %4 = weft.reverse %x dims [1] : tensor<3x4xf32> to tensor<3x4xf32>
  return %0, %1, %2, %3, %4 : tensor<2x3x4xf32>, tensor<12xf32>, tensor<4x3xf32>, tensor<2x2xf32>, tensor<3x4xf32>
}
// CHECK-LABEL: func.func @moved(
// CHECK-NEXT: weft.broadcast %arg0 dims [0, 2, 3] : tensor<7x3x4xf32> to tensor<7x2x3x4xf32>
// CHECK-NEXT: weft.reshape %arg0 : tensor<7x3x4xf32> to tensor<7x12xf32>
// CHECK-NEXT: weft.transpose %arg0 perm [0, 2, 1]
// CHECK-NEXT: weft.slice %arg0 from [0, 1, 0] to [7, 3, 4] by [1, 1, 2]
// CHECK-NEXT: weft.reverse %arg0 dims [2]
// CHECK-NEXT: return
func.func @moved(%x: tensor<7x3x4xf32>) -> (tensor<7x2x3x4xf32>, tensor<7x12xf32>, tensor<7x4x3xf32>, tensor<7x2x2xf32>, tensor<7x3x4xf32>) {
  %0:5 = weft.vmap @move(%x) size 7 in [0] out [0, 0, 0, 0, 0] : (tensor<7x3x4xf32>) -> (tensor<7x2x3x4xf32>, tensor<7x12xf32>, tensor<7x4x3xf32>, tensor<7x2x2xf32>, tensor<7x3x4xf32>)
  return %0#0, %0#1, %0#2, %0#3, %0#4 : tensor<7x2x3x4xf32>, tensor<7x12xf32>, tensor<7x4x3xf32>, tensor<7x2x2xf32>, tensor<7x3x4xf32>
}

func.func private @reduce(%x: tensor<3x4xf32>) -> (tensor<4xf32>, tensor<f32>, tensor<3xi64>) {
  %0 = weft.sum %x axes [0] : tensor<3x4xf32> to tensor<4xf32>
  %1 = weft.max %x axes [0, 1] : tensor<3x4xf32> to tensor<f32>
  %2 = weft.argmin %x axis 1 : tensor<3x4xf32> to tensor<3xi64>
  return %0, %1, %2 : tensor<4xf32>, tensor<f32>, tensor<3xi64>
}
// CHECK-LABEL: func.func @reduced(
// CHECK-NEXT: weft.sum %arg0 axes [1]
// CHECK-NEXT: weft.max %arg0 axes [1, 2]
// CHECK-NEXT: weft.argmin %arg0 axis 2
// CHECK-NEXT: return
func.func @reduced(%x: tensor<7x3x4xf32>) -> (tensor<7x4xf32>, tensor<7xf32>, tensor<7x3xi64>) {
  %0:3 = weft.vmap @reduce(%x) size 7 in [0] out [0, 0, 0] : (tensor<7x3x4xf32>) -> (tensor<7x4xf32>, tensor<7xf32>, tensor<7x3xi64>)
  return %0#0, %0#1, %0#2 : tensor<7x4xf32>, tensor<7xf32>, tensor<7x3xi64>
}

func.func private @join(%x: tensor<3xf32>, %y: tensor<2xf32>) -> tensor<5xf32> {
  %0 = weft.concatenate %x, %y dim 0 : tensor<3xf32>, tensor<2xf32> to tensor<5xf32>
  return %0 : tensor<5xf32>
}
// What is joined to each input is repeated.
// CHECK-LABEL: func.func @joined(
// CHECK-NEXT: %[[Y:.+]] = weft.broadcast %arg1 dims [1] : tensor<2xf32> to tensor<7x2xf32>
// CHECK-NEXT: weft.concatenate %arg0, %[[Y]] dim 1
// CHECK-NEXT: return
func.func @joined(%x: tensor<7x3xf32>, %y: tensor<2xf32>) -> tensor<7x5xf32> {
  %0 = weft.vmap @join(%x, %y) size 7 in [0, -1] out [0] : (tensor<7x3xf32>, tensor<2xf32>) -> tensor<7x5xf32>
  return %0 : tensor<7x5xf32>
}

func.func private @pad(%x: tensor<3xf32>, %v: tensor<f32>) -> tensor<6xf32> {
  %0 = weft.pad %x with %v low [1] high [0] interior [1] : tensor<3xf32>, tensor<f32> to tensor<6xf32>
  return %0 : tensor<6xf32>
}
// CHECK-LABEL: func.func @padded(
// CHECK-NEXT: weft.pad %arg0 with %arg1 low [0, 1] high [0, 0] interior [0, 1]
// CHECK-NEXT: return
func.func @padded(%x: tensor<7x3xf32>, %v: tensor<f32>) -> tensor<7x6xf32> {
  %0 = weft.vmap @pad(%x, %v) size 7 in [0, -1] out [0] : (tensor<7x3xf32>, tensor<f32>) -> tensor<7x6xf32>
  return %0 : tensor<7x6xf32>
}
// A value for each input is chosen where the operand is not.
// CHECK-LABEL: func.func @padded_with_each(
// CHECK-DAG: %[[PADDED:.+]] = weft.pad %arg0 {{.*}} : tensor<7x3xf32>, tensor<f32> to tensor<7x6xf32>
// CHECK-DAG: %[[VALUES:.+]] = weft.broadcast %arg1 dims [0] : tensor<7xf32> to tensor<7x6xf32>
// CHECK-DAG: %[[MASK:.+]] = weft.pad {{.*}} : tensor<3xi1>, tensor<i1> to tensor<6xi1>
// CHECK-DAG: %[[MASKS:.+]] = weft.broadcast %[[MASK]] dims [1]
// CHECK: weft.select %[[MASKS]], %[[PADDED]], %[[VALUES]]
func.func @padded_with_each(%x: tensor<7x3xf32>, %v: tensor<7xf32>) -> tensor<7x6xf32> {
  %0 = weft.vmap @pad(%x, %v) size 7 in [0, 0] out [0] : (tensor<7x3xf32>, tensor<7xf32>) -> tensor<7x6xf32>
  return %0 : tensor<7x6xf32>
}
