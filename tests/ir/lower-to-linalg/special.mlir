// Special functions compute in f64. What has no bound in advance is a loop; the
// others have no branches, so that elements are computed in vectors.
// RUN: weft-opt --weft-lower-to-linalg --canonicalize %s | FileCheck %s

// CHECK-LABEL: func.func @lgamma(
// CHECK: ^bb0(%[[X:.+]]: f32, %{{.+}}: f32):
// CHECK: arith.extf %[[X]] : f32 to f64
// CHECK-NOT: scf
// CHECK: arith.truncf %{{.+}} : f64 to f32
func.func @lgamma(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = weft.lgamma %x : tensor<4xf32>
  return %0 : tensor<4xf32>
}

// CHECK-LABEL: func.func @ndtr(
// CHECK-NOT: scf
// CHECK: math.exp %{{.+}} : f64
// CHECK-NOT: scf
// CHECK: linalg.yield
func.func @ndtr(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = weft.ndtr %x : tensor<4xf32>
  return %0 : tensor<4xf32>
}

// A power series carries its sum, its term and their number.
// CHECK-LABEL: func.func @gammainc(
// CHECK: scf.while ({{.+}}) : (f64, f64, f64) -> (f64, f64, f64)
// CHECK-NOT: arith.truncf
// CHECK: linalg.yield %{{.+}} : f64
func.func @gammainc(%a: tensor<4xf64>, %x: tensor<4xf64>) -> tensor<4xf64> {
  %0 = weft.gammainc %a, %x by [0, 0] : tensor<4xf64>
  return %0 : tensor<4xf64>
}

// Its derivative by `a` carries the derivatives of both as well.
// CHECK-LABEL: func.func @gammainc_by_a(
// CHECK: scf.while ({{.+}}) : (f64, f64, f64, f64, f64) -> (f64, f64, f64, f64, f64)
func.func @gammainc_by_a(%a: tensor<4xf64>, %x: tensor<4xf64>) -> tensor<4xf64> {
  %0 = weft.gammainc %a, %x by [1, 0] : tensor<4xf64>
  return %0 : tensor<4xf64>
}

// No loop where a formula will do.
// CHECK-LABEL: func.func @nextafter(
// CHECK-NOT: scf
// CHECK: arith.bitcast %{{.+}} : f32 to i32
// CHECK-NOT: scf
// CHECK: linalg.yield %{{.+}} : f32
func.func @nextafter(%x: tensor<4xf32>, %y: tensor<4xf32>) -> tensor<4xf32> {
  %0 = weft.nextafter %x, %y : tensor<4xf32>
  return %0 : tensor<4xf32>
}
