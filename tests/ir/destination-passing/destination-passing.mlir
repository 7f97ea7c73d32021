// RUN: weft-opt --weft-destination-passing %s | FileCheck %s

// The op that makes the result writes into the caller's buffer.
// CHECK-LABEL: func.func @sum(
// CHECK-SAME: %[[IN:.+]]: memref<4xf32>, %[[OUT:.+]]: memref<4xf32>) {
// CHECK-DAG: %[[X:.+]] = bufferization.to_tensor %[[IN]] restrict :
// CHECK-DAG: %[[Y:.+]] = bufferization.to_tensor %[[OUT]] restrict writable :
// CHECK: %[[SUM:.+]] = linalg.add ins(%[[X]], %[[X]] : {{.*}}) outs(%[[Y]] :
// CHECK: bufferization.materialize_in_destination %[[SUM]] in restrict writable %[[OUT]]
// CHECK: return{{$}}
func.func @sum(%x: tensor<4xf32>) -> tensor<4xf32> {
  %e = tensor.empty() : tensor<4xf32>
  %0 = linalg.add ins(%x, %x : tensor<4xf32>, tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// An empty tensor that two ops write into serves one of them only.
// CHECK-LABEL: func.func @two(
// CHECK-SAME: %{{.+}}: memref<4xf32>, %[[A:.+]]: memref<4xf32>, %[[B:.+]]: memref<4xf32>)
// CHECK-DAG: %[[TA:.+]] = bufferization.to_tensor %[[A]] restrict writable
// CHECK-DAG: %[[TB:.+]] = bufferization.to_tensor %[[B]] restrict writable
// CHECK: linalg.add {{.*}} outs(%[[TA]] :
// CHECK: linalg.mul {{.*}} outs(%[[TB]] :
func.func @two(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  %e = tensor.empty() : tensor<4xf32>
  %0 = linalg.add ins(%x, %x : tensor<4xf32>, tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  %1 = linalg.mul ins(%x, %x : tensor<4xf32>, tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  return %0, %1 : tensor<4xf32>, tensor<4xf32>
}

// A shared fill is repeated: otherwise one of the two would copy it.
// CHECK-LABEL: func.func @shared_fill(
// CHECK: %[[A:.+]] = linalg.fill
// CHECK: linalg.add {{.*}} outs(%[[A]] :
// CHECK: %[[B:.+]] = linalg.fill
// CHECK: linalg.mul {{.*}} outs(%[[B]] :
func.func @shared_fill(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  %z = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<4xf32>
  %f = linalg.fill ins(%z : f32) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  %0 = linalg.add ins(%x, %x : tensor<4xf32>, tensor<4xf32>) outs(%f : tensor<4xf32>) -> tensor<4xf32>
  %1 = linalg.mul ins(%x, %x : tensor<4xf32>, tensor<4xf32>) outs(%f : tensor<4xf32>) -> tensor<4xf32>
  return %0, %1 : tensor<4xf32>, tensor<4xf32>
}

// Of a reshape, the operand is written, into a view of the buffer.
// CHECK-LABEL: func.func @reshape(
// CHECK-SAME: %[[OUT:[a-z0-9]+]]: memref<2x2xf32>)
// CHECK: %[[VIEW:.+]] = memref.collapse_shape %[[OUT]] {{\[\[}}0, 1]] : memref<2x2xf32> into memref<4xf32>
// CHECK: %[[SUM:.+]] = linalg.add
// CHECK: bufferization.materialize_in_destination %[[SUM]] in restrict writable %[[VIEW]]
func.func @reshape(%x: tensor<4xf32>) -> tensor<2x2xf32> {
  %e = tensor.empty() : tensor<4xf32>
  %0 = linalg.add ins(%x, %x : tensor<4xf32>, tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  %1 = tensor.expand_shape %0 [[0, 1]] output_shape [2, 2] : tensor<4xf32> into tensor<2x2xf32>
  return %1 : tensor<2x2xf32>
}

// Whatever its shape, a buffer without elements is a memref<0xf32>.
// CHECK-LABEL: func.func @nothing(
// CHECK-SAME: memref<0xf32>, %{{.+}}: memref<0xf32>) {
// CHECK-NOT: materialize
func.func @nothing(%x: tensor<3x0xf32>) -> tensor<3x0xf32> {
  return %x : tensor<3x0xf32>
}
