// RUN: weft-opt --canonicalize %s | FileCheck %s

// CHECK-LABEL: func.func @no_axes(
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<2x3xf32>, %[[C:[a-z0-9]+]]: tensor<i1>)
// CHECK-NEXT: return %[[X]], %[[X]], %[[X]], %[[X]], %[[C]], %[[C]]
func.func @no_axes(%x: tensor<2x3xf32>, %c: tensor<i1>) -> (tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>, tensor<i1>, tensor<i1>) {
  %sum = weft.sum %x axes [] : tensor<2x3xf32> to tensor<2x3xf32>
  %prod = weft.prod %x axes [] : tensor<2x3xf32> to tensor<2x3xf32>
  %max = weft.max %x axes [] : tensor<2x3xf32> to tensor<2x3xf32>
  %min = weft.min %x axes [] : tensor<2x3xf32> to tensor<2x3xf32>
  %any = weft.any %c axes [] : tensor<i1> to tensor<i1>
  %all = weft.all %c axes [] : tensor<i1> to tensor<i1>
  return %sum, %prod, %max, %min, %any, %all : tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>, tensor<i1>, tensor<i1>
}

// The first of one element is it, be it NaN.
// CHECK-LABEL: func.func @single(
// CHECK: %[[ZERO:.+]] = weft.constant dense<0> : tensor<3xi64>
// CHECK: return %[[ZERO]], %[[ZERO]]
func.func @single(%x: tensor<3x1xf32>) -> (tensor<3xi64>, tensor<3xi64>) {
  %argmax = weft.argmax %x axis 1 : tensor<3x1xf32> to tensor<3xi64>
  %argmin = weft.argmin %x axis 1 : tensor<3x1xf32> to tensor<3xi64>
  return %argmax, %argmin : tensor<3xi64>, tensor<3xi64>
}
