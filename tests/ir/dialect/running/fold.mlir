// RUN: weft-opt --canonicalize %s | FileCheck %s

// What there is one of is sorted, and is its own sum.
// CHECK-LABEL: func.func @single(
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<3x1xf32>, %[[Y:[a-z0-9]+]]: tensor<3x1xf32>)
// CHECK: %[[ZERO:.+]] = weft.constant dense<0> : tensor<3x1xi64>
// CHECK: return %[[X]], %[[ZERO]], %[[X]], %[[Y]]
func.func @single(%x: tensor<3x1xf32>, %y: tensor<3x1xf32>) -> (tensor<3x1xf32>, tensor<3x1xi64>, tensor<3x1xf32>, tensor<3x1xf32>) {
  %0 = weft.sort %x axis 1 descending : tensor<3x1xf32> to tensor<3x1xf32>
  %1 = weft.argsort %x axis 1 : tensor<3x1xf32> to tensor<3x1xi64>
  %2 = weft.cumsum %x axis 1 : tensor<3x1xf32>
  %3 = weft.linear_recurrence %x, %y axis 1 : (tensor<3x1xf32>, tensor<3x1xf32>) -> tensor<3x1xf32>
  return %0, %1, %2, %3 : tensor<3x1xf32>, tensor<3x1xi64>, tensor<3x1xf32>, tensor<3x1xf32>
}
