// RUN: weft-opt --weft-to-expanded --weft-to-linalg --weft-to-fused --weft-to-memref %s | FileCheck %s

// An elementwise chain: one loop nest, nothing allocated and nothing copied.
// CHECK-LABEL: func.func @chain(
// CHECK-SAME: %[[X:.+]]: memref<8x4xf32>, %[[B:.+]]: memref<4xf32>, %[[OUT:.+]]: memref<8x4xf32>, %{{.+}}: memref<0xi8>)
// CHECK-NOT: memref.copy
// CHECK-NOT: memref.view
// CHECK: linalg.generic {{.*}} ins(%[[X]], %[[B]] : {{.*}}) outs(%[[OUT]] :
// CHECK-NOT: memref.copy
// CHECK-NOT: linalg.generic
// CHECK: return
func.func @chain(%x: tensor<8x4xf32>, %b: tensor<4xf32>) -> tensor<8x4xf32> {
  %0 = weft.broadcast %b dims [1] : tensor<4xf32> to tensor<8x4xf32>
  %1 = weft.add %x, %0 : tensor<8x4xf32>
  %2 = weft.tanh %1 : tensor<8x4xf32>
  %3 = weft.multiply %2, %x : tensor<8x4xf32>
  return %3 : tensor<8x4xf32>
}

// Only what is not computed here is copied.
// CHECK-LABEL: func.func @copies(
// CHECK-SAME: %[[X:[a-z0-9]+]]: memref<4xf32>, %[[A:[a-z0-9]+]]: memref<4xf32>, %[[B:[a-z0-9]+]]: memref<4xf32>, %[[C:[a-z0-9]+]]: memref<4xf32>, %[[D:[a-z0-9]+]]: memref<3xi64>, %{{.+}}: memref<0xi8>)
// CHECK-DAG: linalg.generic {{.*}} outs(%[[A]] :
// CHECK-DAG: memref.copy %[[A]], %[[B]]
// CHECK-DAG: memref.copy %[[X]], %[[C]]
// CHECK-DAG: memref.copy %{{.+}}, %[[D]]
func.func @copies(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<3xi64>) {
  %0 = weft.sin %x : tensor<4xf32>
  %1 = weft.constant dense<[1, 2, 3]> : tensor<3xi64>
  return %0, %0, %x, %1 : tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<3xi64>
}

// Two reductions that begin alike do not share a buffer.
// CHECK-LABEL: func.func @both(
// CHECK-SAME: %{{.+}}: memref<9x3xi64>, %[[A:.+]]: memref<3xi64>, %[[B:.+]]: memref<3xi64>,
// CHECK-NOT: memref.copy
// CHECK-DAG: linalg.generic {{.*}} outs(%[[A]] :
// CHECK-DAG: linalg.generic {{.*}} outs(%[[B]] :
func.func @both(%x: tensor<9x3xi64>) -> (tensor<3xi64>, tensor<3xi64>) {
  %0 = weft.argmax %x axis 0 : tensor<9x3xi64> to tensor<3xi64>
  %1 = weft.argmin %x axis 0 : tensor<9x3xi64> to tensor<3xi64>
  return %0, %1 : tensor<3xi64>, tensor<3xi64>
}

// So do two loops whose arrays begin with one element alike: what else there
// is of them is not copied.
// CHECK-LABEL: func.func @running(
// CHECK-SAME: %{{.+}}: memref<9xf32>, %[[A:.+]]: memref<9xf32>, %[[B:.+]]: memref<9xf32>,
// CHECK-NOT: memref.copy
// CHECK: memref.store %{{.+}}, %[[A]][%c0]
// CHECK-NOT: memref.copy
// CHECK: memref.store %{{.+}}, %[[B]][%c0]
// CHECK-NOT: memref.copy
// CHECK: return
func.func @running(%x: tensor<9xf32>) -> (tensor<9xf32>, tensor<9xf32>) {
  %0 = weft.cumsum %x axis 0 : tensor<9xf32>
  %1 = weft.cummax %x axis 0 : tensor<9xf32>
  return %0, %1 : tensor<9xf32>, tensor<9xf32>
}

// Parts are computed where they belong in the whole.
// CHECK-LABEL: func.func @parts(
// CHECK-SAME: %{{.+}}: memref<4xf32>, %[[OUT:.+]]: memref<8xf32>
// CHECK-DAG: %[[LEFT:.+]] = memref.subview %[[OUT]][0] [4] [1]
// CHECK-DAG: %[[RIGHT:.+]] = memref.subview %[[OUT]][4] [4] [1]
// CHECK-DAG: linalg.generic {{.*}} outs(%[[LEFT]]
// CHECK-DAG: linalg.generic {{.*}} outs(%[[RIGHT]]
// CHECK-NOT: memref.copy
func.func @parts(%x: tensor<4xf32>) -> tensor<8xf32> {
  %0 = weft.sin %x : tensor<4xf32>
  %1 = weft.cos %x : tensor<4xf32>
  %2 = weft.concatenate %0, %1 dim 0 : tensor<4xf32>, tensor<4xf32> to tensor<8xf32>
  return %2 : tensor<8xf32>
}
