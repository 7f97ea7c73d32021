// RUN: weft-opt --weft-lower-to-linalg %s | FileCheck %s

// Arithmetic is that of the parts; only they are joined and split.
// CHECK-LABEL: func.func @multiply(
// CHECK: linalg.generic
// CHECK: ^bb0(%[[X:.+]]: complex<f32>, %[[Y:.+]]: complex<f32>, %{{.+}}: complex<f32>):
// CHECK-DAG: %[[A:.+]] = complex.re %[[X]]
// CHECK-DAG: %[[B:.+]] = complex.im %[[X]]
// CHECK-DAG: %[[C:.+]] = complex.re %[[Y]]
// CHECK-DAG: %[[D:.+]] = complex.im %[[Y]]
// CHECK-DAG: %[[AC:.+]] = arith.mulf %[[A]], %[[C]] : f32
// CHECK-DAG: %[[BD:.+]] = arith.mulf %[[B]], %[[D]] : f32
// CHECK-DAG: %[[RE:.+]] = arith.subf %[[AC]], %[[BD]] : f32
// CHECK-DAG: %[[AD:.+]] = arith.mulf %[[A]], %[[D]] : f32
// CHECK-DAG: %[[BC:.+]] = arith.mulf %[[B]], %[[C]] : f32
// CHECK-DAG: %[[IM:.+]] = arith.addf %[[AD]], %[[BC]] : f32
// CHECK: %[[R:.+]] = complex.create %[[RE]], %[[IM]]
// CHECK: linalg.yield %[[R]]
func.func @multiply(%x: tensor<4xcomplex<f32>>, %y: tensor<4xcomplex<f32>>)
    -> tensor<4xcomplex<f32>> {
  %0 = weft.multiply %x, %y : tensor<4xcomplex<f32>>
  return %0 : tensor<4xcomplex<f32>>
}

// CHECK-LABEL: func.func @abs(
// CHECK-SAME: -> tensor<4xf64>
// CHECK-NOT: complex.abs
// CHECK: math.sqrt
func.func @abs(%x: tensor<4xcomplex<f64>>) -> tensor<4xf64> {
  %0 = weft.abs %x : tensor<4xcomplex<f64>>
  return %0 : tensor<4xf64>
}

// Sums of products are accumulated by parts, which may be contracted.
// CHECK-LABEL: func.func @dot(
// CHECK: %[[ZERO:.+]] = complex.constant [0.000000e+00 : f32, 0.000000e+00 : f32]
// CHECK: linalg.fill ins(%[[ZERO]]
// CHECK: arith.mulf %{{.+}}, %{{.+}} fastmath<{{.*}}contract> : f32
// CHECK: arith.subf %{{.+}}, %{{.+}} fastmath<{{.*}}contract> : f32
func.func @dot(%x: tensor<4xcomplex<f32>>) -> tensor<complex<f32>> {
  %0 = weft.dot_general %x, %x batch [] x [] contract [0] x [0]
      : (tensor<4xcomplex<f32>>, tensor<4xcomplex<f32>>) -> tensor<complex<f32>>
  return %0 : tensor<complex<f32>>
}

// CHECK-LABEL: func.func @iota(
// CHECK: %[[I:.+]] = arith.sitofp %{{.+}} : i64 to f32
// CHECK: complex.create %[[I]], %{{.+}} : complex<f32>
func.func @iota() -> tensor<4xcomplex<f32>> {
  %0 = weft.iota dim 0 : tensor<4xcomplex<f32>>
  return %0 : tensor<4xcomplex<f32>>
}
