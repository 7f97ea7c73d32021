// RUN: weft-opt %s | weft-opt | FileCheck %s
// RUN: weft-opt --mlir-print-op-generic %s | weft-opt | FileCheck %s

// CHECK-LABEL: func.func @slices(
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<4x5xf32>, %[[U:[a-z0-9]+]]: tensor<2x5xf32>, %[[I:[a-z0-9]+]]: tensor<i64>)
func.func @slices(%x: tensor<4x5xf32>, %u: tensor<2x5xf32>, %i: tensor<i64>) {
  // CHECK-NEXT: weft.dynamic_slice %[[X]]{{[[]}}%[[I]], %[[I]]] sizes [2, 5] : (tensor<4x5xf32>, tensor<i64>, tensor<i64>) -> tensor<2x5xf32>
  %r0 = weft.dynamic_slice %x[%i, %i] sizes [2, 5] : (tensor<4x5xf32>, tensor<i64>, tensor<i64>) -> tensor<2x5xf32>
  // CHECK-NEXT: weft.dynamic_update_slice %[[X]], %[[U]]{{[[]}}%[[I]], %[[I]]] : (tensor<4x5xf32>, tensor<2x5xf32>, tensor<i64>, tensor<i64>) -> tensor<4x5xf32>
  %r1 = weft.dynamic_update_slice %x, %u[%i, %i] : (tensor<4x5xf32>, tensor<2x5xf32>, tensor<i64>, tensor<i64>) -> tensor<4x5xf32>
  return
}

// CHECK-LABEL: func.func @gathers(
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<4x5xi8>, %[[I:[a-z0-9]+]]: tensor<3x2xi64>, %[[B:[a-z0-9]+]]: tensor<5x2xi64>)
func.func @gathers(%x: tensor<4x5xi8>, %i: tensor<3x2xi64>, %b: tensor<5x2xi64>) {
  // CHECK-NEXT: weft.gather %[[X]]{{[[]}}%[[I]]] dims [0] sizes [1, 5] collapsed [0] batch [] clip : (tensor<4x5xi8>, tensor<3x2xi64>) -> tensor<3x2x5xi8>
  %r0 = weft.gather %x[%i] dims [0] sizes [1, 5] collapsed [0] batch [] clip : (tensor<4x5xi8>, tensor<3x2xi64>) -> tensor<3x2x5xi8>
  // CHECK-NEXT: weft.gather %[[X]]{{[[]}}%[[I]], %[[I]]] dims [1, 0] sizes [2, 1] collapsed [1] batch [] : (tensor<4x5xi8>, tensor<3x2xi64>, tensor<3x2xi64>) -> tensor<3x2x2xi8>
  %r1 = weft.gather %x[%i, %i] dims [1, 0] sizes [2, 1] collapsed [1] batch [] : (tensor<4x5xi8>, tensor<3x2xi64>, tensor<3x2xi64>) -> tensor<3x2x2xi8>
  // CHECK-NEXT: weft.gather %[[X]]{{[[]}}%[[B]]] dims [0] sizes [1, 1] collapsed [0] batch [1] : (tensor<4x5xi8>, tensor<5x2xi64>) -> tensor<5x2xi8>
  %r2 = weft.gather %x[%b] dims [0] sizes [1, 1] collapsed [0] batch [1] : (tensor<4x5xi8>, tensor<5x2xi64>) -> tensor<5x2xi8>
  return
}

// CHECK-LABEL: func.func @scatters(
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<4x5xf32>, %[[U:[a-z0-9]+]]: tensor<3x5xf32>, %[[I:[a-z0-9]+]]: tensor<3xi64>)
func.func @scatters(%x: tensor<4x5xf32>, %u: tensor<3x5xf32>, %i: tensor<3xi64>) {
  // CHECK-NEXT: weft.scatter %[[X]], %[[U]]{{[[]}}%[[I]]] dims [0] collapsed [0] batch [] : (tensor<4x5xf32>, tensor<3x5xf32>, tensor<3xi64>) -> tensor<4x5xf32>
  %r0 = weft.scatter %x, %u[%i] dims [0] collapsed [0] batch [] : (tensor<4x5xf32>, tensor<3x5xf32>, tensor<3xi64>) -> tensor<4x5xf32>
  // CHECK-NEXT: weft.scatter_add %[[X]], %[[U]]{{[[]}}%[[I]]] dims [0] collapsed [0] batch [] clip : (tensor<4x5xf32>, tensor<3x5xf32>, tensor<3xi64>) -> tensor<4x5xf32>
  %r1 = weft.scatter_add %x, %u[%i] dims [0] collapsed [0] batch [] clip : (tensor<4x5xf32>, tensor<3x5xf32>, tensor<3xi64>) -> tensor<4x5xf32>
  // CHECK-NEXT: weft.scatter_multiply %[[X]], %[[U]]{{[[]}}%[[I]]] dims [0] collapsed [0] batch [] : (tensor<4x5xf32>, tensor<3x5xf32>, tensor<3xi64>) -> tensor<4x5xf32>
  %r2 = weft.scatter_multiply %x, %u[%i] dims [0] collapsed [0] batch [] : (tensor<4x5xf32>, tensor<3x5xf32>, tensor<3xi64>) -> tensor<4x5xf32>
  // CHECK-NEXT: weft.scatter_maximum %[[X]], %[[U]]{{[[]}}%[[I]]] dims [0] collapsed [0] batch [] : (tensor<4x5xf32>, tensor<3x5xf32>, tensor<3xi64>) -> tensor<4x5xf32>
  %r3 = weft.scatter_maximum %x, %u[%i] dims [0] collapsed [0] batch [] : (tensor<4x5xf32>, tensor<3x5xf32>, tensor<3xi64>) -> tensor<4x5xf32>
  // CHECK-NEXT: weft.scatter_minimum %[[X]], %[[U]]{{[[]}}%[[I]]] dims [0] collapsed [0] batch [] : (tensor<4x5xf32>, tensor<3x5xf32>, tensor<3xi64>) -> tensor<4x5xf32>
  %r4 = weft.scatter_minimum %x, %u[%i] dims [0] collapsed [0] batch [] : (tensor<4x5xf32>, tensor<3x5xf32>, tensor<3xi64>) -> tensor<4x5xf32>
  return
}
