// RUN: weft-opt --canonicalize %s | FileCheck %s

// The slice that is all of an array has one place only.
// CHECK-LABEL: func.func @whole(
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<4xf32>, %[[U:[a-z0-9]+]]: tensor<4xf32>
// CHECK-NEXT: return %[[X]], %[[U]]
func.func @whole(%x: tensor<4xf32>, %u: tensor<4xf32>, %i: tensor<i64>) -> (tensor<4xf32>, tensor<4xf32>) {
  %0 = weft.dynamic_slice %x[%i] sizes [4] : (tensor<4xf32>, tensor<i64>) -> tensor<4xf32>
  %1 = weft.dynamic_update_slice %x, %u[%i] : (tensor<4xf32>, tensor<4xf32>, tensor<i64>) -> tensor<4xf32>
  return %0, %1 : tensor<4xf32>, tensor<4xf32>
}

// CHECK-LABEL: func.func @nothing(
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<4xf32>
// CHECK-NEXT: return %[[X]], %[[X]]
func.func @nothing(%x: tensor<4xf32>, %u: tensor<0xf32>, %i: tensor<i64>, %j: tensor<0xi64>) -> (tensor<4xf32>, tensor<4xf32>) {
  %0 = weft.dynamic_update_slice %x, %u[%i] : (tensor<4xf32>, tensor<0xf32>, tensor<i64>) -> tensor<4xf32>
  %1 = weft.scatter_add %x, %u[%j] dims [0] collapsed [0] batch [] : (tensor<4xf32>, tensor<0xf32>, tensor<0xi64>) -> tensor<4xf32>
  return %0, %1 : tensor<4xf32>, tensor<4xf32>
}

// One value repeated is the same everywhere in the array, but not outside of it.
// CHECK-LABEL: func.func @splat(
// CHECK: %[[C:.+]] = weft.constant dense<2.000000e+00> : tensor<3xf32>
// CHECK: %[[G:.+]] = weft.gather
// CHECK: return %[[C]], %[[C]], %[[G]]
func.func @splat(%i: tensor<i64>, %j: tensor<3xi64>) -> (tensor<3xf32>, tensor<3xf32>, tensor<3xf32>) {
  %x = weft.constant dense<2.0> : tensor<5xf32>
  %0 = weft.dynamic_slice %x[%i] sizes [3] : (tensor<5xf32>, tensor<i64>) -> tensor<3xf32>
  %1 = weft.gather %x[%j] dims [0] sizes [1] collapsed [0] batch [] clip : (tensor<5xf32>, tensor<3xi64>) -> tensor<3xf32>
  %2 = weft.gather %x[%j] dims [0] sizes [1] collapsed [0] batch [] : (tensor<5xf32>, tensor<3xi64>) -> tensor<3xf32>
  return %0, %1, %2 : tensor<3xf32>, tensor<3xf32>, tensor<3xf32>
}
