// RUN: weft-opt --split-input-file --weft-lower-to-linalg %s | FileCheck %s

// Where there is a schedule, which may look for them, ops say what they are
// made of.
// CHECK-LABEL: func.func @scheduled(
// CHECK: linalg.fill {weft.op = "dot_general"}
// CHECK: linalg.generic {{.*}} attrs = {weft.op = "dot_general"}
// CHECK: linalg.generic {{.*}} attrs = {weft.op = "tanh"}
func.func @scheduled(%x: tensor<8x4xf32>, %y: tensor<4x6xf32>) -> tensor<8x6xf32> {
  %0 = weft.dot_general %x, %y batch [] x [] contract [1] x [0] : (tensor<8x4xf32>, tensor<4x6xf32>) -> tensor<8x6xf32>
  %1 = weft.tanh %0 : tensor<8x6xf32>
  return %1 : tensor<8x6xf32>
}
module @schedule attributes {transform.with_named_sequence} {
}

// -----

// CHECK-LABEL: func.func @plain(
// CHECK-NOT: weft.op
func.func @plain(%x: tensor<8xf32>) -> tensor<8xf32> {
  %0 = weft.tanh %x : tensor<8xf32>
  return %0 : tensor<8xf32>
}
