// RUN: weft-opt --weft-lower-to-linalg --canonicalize %s | FileCheck %s

// Each element is had from the one before it, which is carried along: the time is
// linear.
// CHECK-LABEL: func.func @cumsum(
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<8xf32>)
// CHECK-DAG: %[[ZERO:.+]] = arith.constant 0 : index
// CHECK-DAG: %[[ONE:.+]] = arith.constant 1 : index
// CHECK: %[[E:.+]] = tensor.extract %[[X]][%[[ZERO]]]
// CHECK: %[[FIRST:.+]] = tensor.insert %[[E]] into %{{.+}}[%[[ZERO]]]
// CHECK: scf.for %[[I:.+]] = %[[ONE]] to %{{.+}} step %[[ONE]] iter_args(%[[Y:.+]] = %[[FIRST]], %[[BEFORE:.+]] = %[[E]])
// CHECK: %[[HERE:.+]] = tensor.extract %[[X]][%[[I]]]
// CHECK: %[[SUM:.+]] = arith.addf %[[BEFORE]], %[[HERE]] : f32
// CHECK: %[[NEW:.+]] = tensor.insert %[[SUM]] into %[[Y]][%[[I]]]
// CHECK: scf.yield %[[NEW]], %[[SUM]]
// CHECK-NOT: weft.parallel
func.func @cumsum(%x: tensor<8xf32>) -> tensor<8xf32> {
  %0 = weft.cumsum %x axis 0 : tensor<8xf32>
  return %0 : tensor<8xf32>
}

// Rows do not wait for each other.
// CHECK-LABEL: func.func @rows(
// CHECK: scf.for
// CHECK: scf.for
// CHECK: } {weft.parallel}
func.func @rows(%x: tensor<5x8xf32>) -> tensor<5x8xf32> {
  %0 = weft.cumsum %x axis 1 : tensor<5x8xf32>
  return %0 : tensor<5x8xf32>
}

// A row of nine is bisected in four steps: of eight, four, two and one. Each value
// is sought by itself, among threads.
// CHECK-LABEL: func.func @searchsorted(
// CHECK-SAME: %[[ROW:[a-z0-9]+]]: tensor<9xi32>, %[[X:[a-z0-9]+]]: tensor<5xi32>)
// CHECK-DAG: %[[FOUR:.+]] = arith.constant 4 : index
// CHECK-DAG: %[[EIGHT:.+]] = arith.constant 8 : index
// CHECK-DAG: %[[NINE:.+]] = arith.constant 9 : index
// CHECK: linalg.generic {{.+}}"parallel"{{.+}} ins(%[[X]] : tensor<5xi32>)
// CHECK: ^bb0(%[[VALUE:.+]]: i32,
// CHECK: scf.for %{{.+}} to %[[FOUR]] {{.+}}(%[[COUNT:.+]] = %{{.+}}, %[[STEP:.+]] = %[[EIGHT]])
// CHECK: %[[MORE:.+]] = arith.addi %[[COUNT]], %[[STEP]]
// CHECK: %[[ELEMENT:.+]] = tensor.extract %[[ROW]]
// CHECK-DAG: %[[BEFORE:.+]] = arith.cmpi slt, %[[ELEMENT]], %[[VALUE]]
// CHECK-DAG: %[[EXISTS:.+]] = arith.cmpi ule, %[[MORE]], %[[NINE]]
// CHECK: %[[GOES:.+]] = arith.andi %[[BEFORE]], %[[EXISTS]]
// CHECK: arith.select %[[GOES]], %[[MORE]], %[[COUNT]]
func.func @searchsorted(%row: tensor<9xi32>, %x: tensor<5xi32>) -> tensor<5xi64> {
  %0 = weft.searchsorted %row, %x : (tensor<9xi32>, tensor<5xi32>) -> tensor<5xi64>
  return %0 : tensor<5xi64>
}
