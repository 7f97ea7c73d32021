// RUN: weft-opt --weft-lower-to-linalg --canonicalize %s | FileCheck %s

// A sum may be taken in any order; nothing else about it is relaxed.
// CHECK-LABEL: func.func @sum(
// CHECK: %[[ZERO:.+]] = arith.constant 0.000000e+00 : f32
// CHECK: %[[INIT:.+]] = linalg.fill ins(%[[ZERO]] : f32)
// CHECK: linalg.generic {{.*}} iterator_types = ["parallel", "reduction"]} {{.*}} outs(%[[INIT]]
// CHECK: arith.addf %{{.+}}, %{{.+}} fastmath<reassoc,contract> : f32
func.func @sum(%x: tensor<4x5xf32>) -> tensor<4xf32> {
  %0 = weft.sum %x axes [1] : tensor<4x5xf32> to tensor<4xf32>
  return %0 : tensor<4xf32>
}

// Bytes of 0 or 1 are combined as such.
// CHECK-LABEL: func.func @any(
// CHECK: ^bb0(%[[X:.+]]: i8, %[[SEEN:.+]]: i8):
// CHECK: %[[TRUE:.+]] = arith.cmpi ne, %[[X]]
// CHECK: %[[BYTE:.+]] = arith.extui %[[TRUE]] : i1 to i8
// CHECK: %[[BOTH:.+]] = arith.ori %[[SEEN]], %[[BYTE]] : i8
// CHECK: linalg.yield %[[BOTH]] : i8
func.func @any(%x: tensor<4x5xi1>) -> tensor<5xi1> {
  %0 = weft.any %x axes [0] : tensor<4x5xi1> to tensor<5xi1>
  return %0 : tensor<5xi1>
}

// Over no elements it is the neutral element.
// CHECK-LABEL: func.func @empty_sum(
// CHECK: linalg.fill
// CHECK-NOT: linalg.generic
// CHECK: return
func.func @empty_sum(%x: tensor<0x5xf32>) -> tensor<5xf32> {
  %0 = weft.sum %x axes [0] : tensor<0x5xf32> to tensor<5xf32>
  return %0 : tensor<5xf32>
}

// The best element first, then the least index of one that is as good: of a NaN
// where there is one. Either can be reduced in any order.
// CHECK-LABEL: func.func @argmax(
// CHECK: ^bb0(%[[X:.+]]: f32, %[[BEST:.+]]: f32):
// CHECK: arith.maximumf %[[BEST]], %[[X]] : f32
// Indices of 32 bits while they are sought.
// CHECK: ^bb0(%[[X:.+]]: f32, %[[BEST:.+]]: f32, %[[LEAST:.+]]: i32):
// CHECK-DAG: %[[EQUAL:.+]] = arith.cmpf oeq, %[[X]], %[[BEST]] : f32
// CHECK-DAG: %[[NAN:.+]] = arith.cmpf uno, %[[X]], %[[X]] : f32
// CHECK: %[[FOUND:.+]] = arith.ori %[[EQUAL]], %[[NAN]]
// CHECK: %[[INDEX:.+]] = arith.select %[[FOUND]], %{{.+}}, %{{.+}} : i32
// CHECK: arith.minsi %[[LEAST]], %[[INDEX]] : i32
// CHECK: arith.extsi %{{.+}} : i32 to i64
func.func @argmax(%x: tensor<4x5xf32>) -> tensor<5xi64> {
  %0 = weft.argmax %x axis 0 : tensor<4x5xf32> to tensor<5xi64>
  return %0 : tensor<5xi64>
}

// CHECK-LABEL: func.func @argmin_unsigned(
// CHECK: %[[MOST:.+]] = arith.constant -1 : i8
// CHECK: linalg.fill ins(%[[MOST]] : i8)
// CHECK: arith.minui
// CHECK: arith.cmpi eq
func.func @argmin_unsigned(%x: tensor<5xui8>) -> tensor<i64> {
  %0 = weft.argmin %x axis 0 : tensor<5xui8> to tensor<i64>
  return %0 : tensor<i64>
}
