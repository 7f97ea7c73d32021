// RUN: weft-opt --weft-lower-copies %s | FileCheck %s

// CHECK-LABEL: func.func @strided(
// CHECK-SAME: %[[X:.+]]: memref<2x3xf32, strided<[6, 2]>>, %[[Y:.+]]: memref<2x3xf32>
// CHECK: linalg.generic {{.*}} ins(%[[X]] : {{.*}}) outs(%[[Y]] :
// CHECK-NEXT: ^bb0(%[[IN:.+]]: f32, %{{.+}}: f32):
// CHECK-NEXT: linalg.yield %[[IN]]
func.func @strided(%x: memref<2x3xf32, strided<[6, 2]>>, %y: memref<2x3xf32>) {
  memref.copy %x, %y : memref<2x3xf32, strided<[6, 2]>> to memref<2x3xf32>
  return
}

// CHECK-LABEL: func.func @itself(
// CHECK-NEXT: return
func.func @itself(%x: memref<4xf32>) {
  memref.copy %x, %x : memref<4xf32> to memref<4xf32>
  return
}
