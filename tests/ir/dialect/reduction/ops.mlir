// RUN: weft-opt %s | weft-opt | FileCheck %s
// RUN: weft-opt --mlir-print-op-generic %s | weft-opt | FileCheck %s
// RUN: weft-opt --mlir-print-op-generic %s | FileCheck %s --check-prefix=GENERIC

// CHECK-LABEL: func.func @numbers(
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<2x3x4xf32>, %[[E:[a-z0-9]+]]: tensor<0x3xui8>)
func.func @numbers(%x: tensor<2x3x4xf32>, %empty: tensor<0x3xui8>) {
  // CHECK-NEXT: weft.sum %[[X]] axes [0, 2] : tensor<2x3x4xf32> to tensor<3xf32>
  // GENERIC: "weft.sum"(%{{.+}}) <{axes = array<i64: 0, 2>}> : (tensor<2x3x4xf32>) -> tensor<3xf32>
  %sum = weft.sum %x axes [0, 2] : tensor<2x3x4xf32> to tensor<3xf32>
  // CHECK-NEXT: weft.prod %[[X]] axes [] : tensor<2x3x4xf32> to tensor<2x3x4xf32>
  %prod = weft.prod %x axes [] : tensor<2x3x4xf32> to tensor<2x3x4xf32>
  // CHECK-NEXT: weft.max %[[X]] axes [0, 1, 2] : tensor<2x3x4xf32> to tensor<f32>
  %max = weft.max %x axes [0, 1, 2] : tensor<2x3x4xf32> to tensor<f32>
  // CHECK-NEXT: weft.min %[[X]] axes [1] : tensor<2x3x4xf32> to tensor<2x4xf32>
  %min = weft.min %x axes [1] : tensor<2x3x4xf32> to tensor<2x4xf32>
  // CHECK-NEXT: weft.sum %[[E]] axes [0] : tensor<0x3xui8> to tensor<3xui8>
  %none = weft.sum %empty axes [0] : tensor<0x3xui8> to tensor<3xui8>
  return
}

// CHECK-LABEL: func.func @bools(
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<2x3xi1>)
func.func @bools(%x: tensor<2x3xi1>) {
  // CHECK-NEXT: weft.any %[[X]] axes [0] : tensor<2x3xi1> to tensor<3xi1>
  %any = weft.any %x axes [0] : tensor<2x3xi1> to tensor<3xi1>
  // CHECK-NEXT: weft.all %[[X]] axes [1] : tensor<2x3xi1> to tensor<2xi1>
  %all = weft.all %x axes [1] : tensor<2x3xi1> to tensor<2xi1>
  return
}

// CHECK-LABEL: func.func @indices(
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<2x3xui16>)
func.func @indices(%x: tensor<2x3xui16>) {
  // CHECK-NEXT: weft.argmax %[[X]] axis 0 : tensor<2x3xui16> to tensor<3xi64>
  // GENERIC: "weft.argmax"(%{{.+}}) <{axis = 0 : i64}> : (tensor<2x3xui16>) -> tensor<3xi64>
  %argmax = weft.argmax %x axis 0 : tensor<2x3xui16> to tensor<3xi64>
  // CHECK-NEXT: weft.argmin %[[X]] axis 1 : tensor<2x3xui16> to tensor<2xi64>
  %argmin = weft.argmin %x axis 1 : tensor<2x3xui16> to tensor<2xi64>
  return
}
