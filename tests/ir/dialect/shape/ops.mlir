// RUN: weft-opt %s | weft-opt | FileCheck %s
// RUN: weft-opt --mlir-print-op-generic %s | weft-opt | FileCheck %s
// RUN: weft-opt --mlir-print-op-generic %s | FileCheck %s --check-prefix=GENERIC

// CHECK-LABEL: func.func @broadcast(
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<4x1xf32>, %[[S:[a-z0-9]+]]: tensor<i1>)
func.func @broadcast(%x: tensor<4x1xf32>, %s: tensor<i1>) {
  // CHECK-NEXT: weft.broadcast %[[X]] dims [1, 2] : tensor<4x1xf32> to tensor<2x4x3xf32>
  // GENERIC: "weft.broadcast"(%{{.+}}) <{dimensions = array<i64: 1, 2>}> : (tensor<4x1xf32>) -> tensor<2x4x3xf32>
  %0 = weft.broadcast %x dims [1, 2] : tensor<4x1xf32> to tensor<2x4x3xf32>
  // CHECK-NEXT: weft.broadcast %[[S]] dims [] : tensor<i1> to tensor<0x5xi1>
  %1 = weft.broadcast %s dims [] : tensor<i1> to tensor<0x5xi1>
  return
}

// CHECK-LABEL: func.func @reshape(
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<2x6xui8>)
func.func @reshape(%x: tensor<2x6xui8>) {
  // CHECK-NEXT: weft.reshape %[[X]] : tensor<2x6xui8> to tensor<3x1x4xui8>
  // GENERIC: "weft.reshape"(%{{.+}}) : (tensor<2x6xui8>) -> tensor<3x1x4xui8>
  %0 = weft.reshape %x : tensor<2x6xui8> to tensor<3x1x4xui8>
  return
}

// CHECK-LABEL: func.func @transpose(
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<2x3x4xi1>, %[[S:[a-z0-9]+]]: tensor<f64>)
func.func @transpose(%x: tensor<2x3x4xi1>, %s: tensor<f64>) {
  // CHECK-NEXT: weft.transpose %[[X]] perm [2, 0, 1] : tensor<2x3x4xi1> to tensor<4x2x3xi1>
  // GENERIC: "weft.transpose"(%{{.+}}) <{permutation = array<i64: 2, 0, 1>}>
  %0 = weft.transpose %x perm [2, 0, 1] : tensor<2x3x4xi1> to tensor<4x2x3xi1>
  // CHECK-NEXT: weft.transpose %[[S]] perm [] : tensor<f64> to tensor<f64>
  %1 = weft.transpose %s perm [] : tensor<f64> to tensor<f64>
  return
}

// CHECK-LABEL: func.func @slice(
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<9x4xf32>)
func.func @slice(%x: tensor<9x4xf32>) {
  // CHECK-NEXT: weft.slice %[[X]] from [1, 4] to [8, 4] by [3, 1] : tensor<9x4xf32> to tensor<3x0xf32>
  // GENERIC: "weft.slice"(%{{.+}}) <{limit = array<i64: 8, 4>, start = array<i64: 1, 4>, stride = array<i64: 3, 1>}>
  %0 = weft.slice %x from [1, 4] to [8, 4] by [3, 1] : tensor<9x4xf32> to tensor<3x0xf32>
  return
}

// CHECK-LABEL: func.func @pad(
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<3xi64>, %[[V:[a-z0-9]+]]: tensor<i64>)
func.func @pad(%x: tensor<3xi64>, %v: tensor<i64>) {
  // CHECK-NEXT: weft.pad %[[X]] with %[[V]] low [1] high [2] interior [4] : tensor<3xi64>, tensor<i64> to tensor<14xi64>
  // GENERIC: "weft.pad"(%{{.+}}) <{high = array<i64: 2>, interior = array<i64: 4>, low = array<i64: 1>}>
  %0 = weft.pad %x with %v low [1] high [2] interior [4] : tensor<3xi64>, tensor<i64> to tensor<14xi64>
  return
}

// CHECK-LABEL: func.func @concatenate(
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<2x3xf32>, %[[Y:[a-z0-9]+]]: tensor<2x0xf32>)
func.func @concatenate(%x: tensor<2x3xf32>, %y: tensor<2x0xf32>) {
  // CHECK-NEXT: weft.concatenate %[[X]], %[[Y]], %[[X]] dim 1 : tensor<2x3xf32>, tensor<2x0xf32>, tensor<2x3xf32> to tensor<2x6xf32>
  // GENERIC: "weft.concatenate"(%{{.+}}, %{{.+}}, %{{.+}}) <{dimension = 1 : i64}>
  %0 = weft.concatenate %x, %y, %x dim 1 : tensor<2x3xf32>, tensor<2x0xf32>, tensor<2x3xf32> to tensor<2x6xf32>
  return
}

// CHECK-LABEL: func.func @reverse(
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<2x3xui32>)
func.func @reverse(%x: tensor<2x3xui32>) {
  // CHECK-NEXT: weft.reverse %[[X]] dims [0, 1] : tensor<2x3xui32> to tensor<2x3xui32>
  // GENERIC: "weft.reverse"(%{{.+}}) <{dimensions = array<i64: 0, 1>}>
  %0 = weft.reverse %x dims [0, 1] : tensor<2x3xui32> to tensor<2x3xui32>
  // CHECK-NEXT: weft.reverse %[[X]] dims [] : tensor<2x3xui32> to tensor<2x3xui32>
  %1 = "weft.reverse"(%x) {dimensions = array<i64>} : (tensor<2x3xui32>) -> tensor<2x3xui32>
  return
}
