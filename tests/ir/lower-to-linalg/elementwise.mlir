// RUN: weft-opt --weft-lower-to-linalg --canonicalize %s | FileCheck %s

// One element becomes the body.
// CHECK-LABEL: func.func @sin(
// CHECK-SAME: %[[X:.+]]: tensor<2x3xf32>
// CHECK: linalg.generic {{.*}} iterator_types = ["parallel", "parallel"]} ins(%[[X]]
// CHECK: %[[Y:.+]] = math.sin %{{.+}} : f32
// CHECK: linalg.yield %[[Y]]
func.func @sin(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
  %0 = weft.sin %x : tensor<2x3xf32>
  return %0 : tensor<2x3xf32>
}

// A bool is a byte in a tensor and a bit in a body.
// CHECK-LABEL: func.func @bool(
// CHECK-SAME: %[[C:.+]]: tensor<4xi8>, %{{.+}}: tensor<4xf64>) -> tensor<4xf64>
// CHECK: ^bb0(%[[BYTE:.+]]: i8, %[[X:.+]]: f64, %[[Y:.+]]: f64, %{{.+}}: f64):
// CHECK: %[[BIT:.+]] = arith.cmpi ne, %[[BYTE]], %{{.+}} : i8
// CHECK: arith.select %[[BIT]], %[[X]], %[[Y]] : f64
func.func @bool(%c: tensor<4xi1>, %x: tensor<4xf64>) -> tensor<4xf64> {
  %0 = weft.select %c, %x, %x : tensor<4xf64>
  %1 = weft.sin %x : tensor<4xf64>
  %2 = weft.select %c, %x, %1 : tensor<4xf64>
  return %2 : tensor<4xf64>
}

// CHECK-LABEL: func.func @less(
// CHECK: %[[BIT:.+]] = arith.cmpi ult, %{{.+}}, %{{.+}} : i16
// CHECK: %[[BYTE:.+]] = arith.extui %[[BIT]] : i1 to i8
// CHECK: linalg.yield %[[BYTE]] : i8
func.func @less(%x: tensor<4xui16>, %y: tensor<4xui16>) -> tensor<4xi1> {
  %0 = weft.less %x, %y : tensor<4xui16>
  return %0 : tensor<4xi1>
}

// What has no elements is not computed.
// CHECK-LABEL: func.func @nothing(
// CHECK-NOT: linalg
// CHECK: return
func.func @nothing(%x: tensor<0x4xf32>) -> tensor<0x4xf32> {
  %0 = weft.sin %x : tensor<0x4xf32>
  return %0 : tensor<0x4xf32>
}

// CHECK-LABEL: func.func @call(
// CHECK: call @less(%{{.+}}, %{{.+}}) : (tensor<4xi16>, tensor<4xi16>) -> tensor<4xi8>
func.func @call(%x: tensor<4xui16>) -> tensor<4xi1> {
  %0 = func.call @less(%x, %x) : (tensor<4xui16>, tensor<4xui16>) -> tensor<4xi1>
  return %0 : tensor<4xi1>
}
