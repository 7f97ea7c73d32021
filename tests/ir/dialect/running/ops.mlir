// RUN: weft-opt %s | weft-opt | FileCheck %s
// RUN: weft-opt --mlir-print-op-generic %s | weft-opt | FileCheck %s

// CHECK-LABEL: func.func @sorting(
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<4x5xi1>)
func.func @sorting(%x: tensor<4x5xi1>) {
  // CHECK-NEXT: weft.sort %[[X]] axis 0 : tensor<4x5xi1> to tensor<4x5xi1>
  %r0 = weft.sort %x axis 0 : tensor<4x5xi1> to tensor<4x5xi1>
  // CHECK-NEXT: weft.sort %[[X]] axis 1 descending : tensor<4x5xi1> to tensor<4x5xi1>
  %r1 = weft.sort %x axis 1 descending : tensor<4x5xi1> to tensor<4x5xi1>
  // CHECK-NEXT: weft.argsort %[[X]] axis 1 : tensor<4x5xi1> to tensor<4x5xi64>
  %r2 = weft.argsort %x axis 1 : tensor<4x5xi1> to tensor<4x5xi64>
  // CHECK-NEXT: weft.argsort %[[X]] axis 1 descending : tensor<4x5xi1> to tensor<4x5xi64>
  %r3 = weft.argsort %x axis 1 descending : tensor<4x5xi1> to tensor<4x5xi64>
  return
}

// CHECK-LABEL: func.func @keys(
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<4x5xi1>, %[[Y:[a-z0-9]+]]: tensor<4x5xf32>)
func.func @keys(%x: tensor<4x5xi1>, %y: tensor<4x5xf32>) {
  // CHECK-NEXT: weft.argsort %[[X]], %[[Y]] axis 1 descending : tensor<4x5xi1>, tensor<4x5xf32> to tensor<4x5xi64>
  %r0 = weft.argsort %x, %y axis 1 descending : tensor<4x5xi1>, tensor<4x5xf32> to tensor<4x5xi64>
  return
}

// CHECK-LABEL: func.func @searching(
// CHECK-SAME: %[[ROWS:[a-z0-9]+]]: tensor<4x5xui8>, %[[X:[a-z0-9]+]]: tensor<4x2x3xui8>)
func.func @searching(%rows: tensor<4x5xui8>, %x: tensor<4x2x3xui8>) {
  // CHECK-NEXT: weft.searchsorted %[[ROWS]], %[[X]] : (tensor<4x5xui8>, tensor<4x2x3xui8>) -> tensor<4x2x3xi64>
  %r0 = weft.searchsorted %rows, %x : (tensor<4x5xui8>, tensor<4x2x3xui8>) -> tensor<4x2x3xi64>
  // CHECK-NEXT: weft.searchsorted %[[ROWS]], %[[X]] right : (tensor<4x5xui8>, tensor<4x2x3xui8>) -> tensor<4x2x3xi64>
  %r1 = weft.searchsorted %rows, %x right : (tensor<4x5xui8>, tensor<4x2x3xui8>) -> tensor<4x2x3xi64>
  return
}

// CHECK-LABEL: func.func @running(
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<4x5xui8>)
func.func @running(%x: tensor<4x5xui8>) {
  // CHECK-NEXT: weft.cumsum %[[X]] axis 0 : tensor<4x5xui8>
  %r0 = weft.cumsum %x axis 0 : tensor<4x5xui8>
  // CHECK-NEXT: weft.cumsum %[[X]] axis 1 reverse : tensor<4x5xui8>
  %r1 = weft.cumsum %x axis 1 reverse : tensor<4x5xui8>
  // CHECK-NEXT: weft.cumprod %[[X]] axis 1 : tensor<4x5xui8>
  %r2 = weft.cumprod %x axis 1 : tensor<4x5xui8>
  // CHECK-NEXT: weft.cummax %[[X]] axis 1 : tensor<4x5xui8>
  %r3 = weft.cummax %x axis 1 : tensor<4x5xui8>
  // CHECK-NEXT: weft.cummin %[[X]] axis 1 : tensor<4x5xui8>
  %r4 = weft.cummin %x axis 1 : tensor<4x5xui8>
  // CHECK-NEXT: weft.linear_recurrence %[[X]], %[[X]] axis 1 reverse : (tensor<4x5xui8>, tensor<4x5xui8>) -> tensor<4x5xui8>
  %r5 = weft.linear_recurrence %x, %x axis 1 reverse : (tensor<4x5xui8>, tensor<4x5xui8>) -> tensor<4x5xui8>
  return
}

// CHECK-LABEL: func.func @running_floats(
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<4x5xf64>)
func.func @running_floats(%x: tensor<4x5xf64>) {
  // CHECK-NEXT: weft.cumlogsumexp %[[X]] axis 0 : tensor<4x5xf64>
  %r0 = weft.cumlogsumexp %x axis 0 : tensor<4x5xf64>
  // CHECK-NEXT: weft.cumlogsumexp %[[X]] axis 1 reverse : tensor<4x5xf64>
  %r1 = weft.cumlogsumexp %x axis 1 reverse : tensor<4x5xf64>
  return
}
