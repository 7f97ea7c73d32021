// RUN: weft-opt --weft-lower-to-linalg --canonicalize --weft-fuse-elementwise --canonicalize --cse %s | FileCheck %s

// CHECK-LABEL: func.func @chain(
// CHECK: linalg.generic
// CHECK: math.sin
// CHECK-NEXT: math.exp
// CHECK-NOT: linalg.generic
// CHECK: return
func.func @chain(%x: tensor<4x5xf32>) -> tensor<4x5xf32> {
  %0 = weft.sin %x : tensor<4x5xf32>
  %1 = weft.exp %0 : tensor<4x5xf32>
  return %1 : tensor<4x5xf32>
}

// A constant becomes part of the body; bools stay bits between two ops.
// CHECK-LABEL: func.func @constant(
// CHECK-NOT: tensor<4xi8>
// CHECK: %[[BIT:.+]] = arith.cmpf {{.*}} : f32
// CHECK: arith.select %[[BIT]]
func.func @constant(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = weft.constant dense<0.0> : tensor<4xf32>
  %1 = weft.greater %x, %0 : tensor<4xf32>
  %2 = weft.select %1, %x, %0 : tensor<4xf32>
  return %2 : tensor<4xf32>
}

// A producer is not computed again for each row that its result is repeated in.
// CHECK-LABEL: func.func @repeated(
// CHECK: linalg.generic
// CHECK: math.exp
// CHECK: linalg.generic
// CHECK-NOT: math.exp
// CHECK: return
func.func @repeated(%x: tensor<4x5xf32>, %b: tensor<5xf32>) -> tensor<4x5xf32> {
  %0 = weft.exp %b : tensor<5xf32>
  %1 = weft.broadcast %0 dims [1] : tensor<5xf32> to tensor<4x5xf32>
  %2 = weft.add %x, %1 : tensor<4x5xf32>
  return %2 : tensor<4x5xf32>
}

// CHECK-LABEL: func.func @into_reduction(
// CHECK: linalg.generic {{.*}}"reduction"
// CHECK: arith.mulf
// CHECK-NEXT: arith.addf
func.func @into_reduction(%x: tensor<4x5xf32>) -> tensor<4xf32> {
  %0 = weft.square %x : tensor<4x5xf32>
  %1 = weft.sum %0 axes [1] : tensor<4x5xf32> to tensor<4xf32>
  return %1 : tensor<4xf32>
}

// A contraction reads its operands many times: nothing moves into it.
// CHECK-LABEL: func.func @not_into_contraction(
// CHECK: linalg.generic
// CHECK: math.sin
// CHECK: linalg.generic
// CHECK: arith.mulf
func.func @not_into_contraction(%x: tensor<4x5xf32>, %y: tensor<5x6xf32>) -> tensor<4x6xf32> {
  %0 = weft.sin %x : tensor<4x5xf32>
  %1 = weft.dot_general %0, %y batch [] x [] contract [1] x [0] : (tensor<4x5xf32>, tensor<5x6xf32>) -> tensor<4x6xf32>
  return %1 : tensor<4x6xf32>
}

// A splat that no body takes in is a fill.
// CHECK-LABEL: func.func @splat(
// CHECK: %[[ONE:.+]] = arith.constant 1.000000e+00 : f32
// CHECK: linalg.fill ins(%[[ONE]] : f32)
func.func @splat() -> tensor<4xf32> {
  %0 = weft.constant dense<1.0> : tensor<4xf32>
  return %0 : tensor<4xf32>
}
