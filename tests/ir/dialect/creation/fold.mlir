// RUN: weft-opt --canonicalize %s | FileCheck %s

// Counting along a dimension of size one is zero.
// CHECK-LABEL: func.func @iota()
// CHECK-DAG: %[[ZERO:.+]] = weft.constant dense<0> : tensor<3x1xi32>
// CHECK-DAG: %[[IOTA:.+]] = weft.iota dim 0 : tensor<3x1xi32>
// CHECK: return %[[ZERO]], %[[IOTA]]
func.func @iota() -> (tensor<3x1xi32>, tensor<3x1xi32>) {
  %0 = weft.iota dim 1 : tensor<3x1xi32>
  %1 = weft.iota dim 0 : tensor<3x1xi32>
  return %0, %1 : tensor<3x1xi32>, tensor<3x1xi32>
}

// Equal constants become one; the signs of zeros tell constants apart.
// CHECK-LABEL: func.func @constants()
// CHECK-DAG: %[[ZERO:.+]] = weft.constant dense<0.000000e+00> : tensor<f32>
// CHECK-DAG: %[[MINUS:.+]] = weft.constant dense<-0.000000e+00> : tensor<f32>
// CHECK: return %[[ZERO]], %[[ZERO]], %[[MINUS]]
func.func @constants() -> (tensor<f32>, tensor<f32>, tensor<f32>) {
  %0 = weft.constant dense<0.0> : tensor<f32>
  %1 = weft.constant dense<0.0> : tensor<f32>
  %2 = weft.constant dense<-0.0> : tensor<f32>
  return %0, %1, %2 : tensor<f32>, tensor<f32>, tensor<f32>
}
