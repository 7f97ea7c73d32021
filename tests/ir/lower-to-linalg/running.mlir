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

// A short row is one run: neighbours are exchanged, nothing is merged.
// CHECK-LABEL: func.func @short(
// CHECK: %[[LESS:.+]] = arith.cmpf ult
// CHECK: %[[NUMBER:.+]] = arith.cmpf ord
// CHECK: arith.andi %[[LESS]], %[[NUMBER]]
// CHECK-NOT: arith.cmpf
// CHECK: return
func.func @short(%x: tensor<8xf32>) -> tensor<8xf32> {
  %0 = weft.sort %x axis 0 : tensor<8xf32> to tensor<8xf32>
  return %0 : tensor<8xf32>
}

// A long one is merged from both ends, twice: two comparisons a step.
// CHECK-LABEL: func.func @long(
// CHECK-COUNT-5: arith.cmpi ult
// CHECK-NOT: arith.cmpi ult
// CHECK: return
func.func @long(%x: tensor<32xui8>) -> tensor<32xi64> {
  %0 = weft.argsort %x axis 0 : tensor<32xui8> to tensor<32xi64>
  return %0 : tensor<32xi64>
}

// The second key decides where the first one does not.
// CHECK-LABEL: func.func @keys(
// CHECK: %[[LESS2:.+]] = arith.cmpi slt, %[[Y:.+]], %[[X:.+]] : i32
// CHECK: %[[LESS:.+]] = arith.cmpi ult, %[[B:.+]], %[[A:.+]] : i8
// CHECK: %[[MORE:.+]] = arith.cmpi ult, %[[A]], %[[B]] : i8
// CHECK: %[[DIFFERS:.+]] = arith.ori %[[LESS]], %[[MORE]]
// CHECK: arith.select %[[DIFFERS]], %[[LESS]], %[[LESS2]]
func.func @keys(%x: tensor<8xui8>, %y: tensor<8xi32>) -> tensor<8xi64> {
  %0 = weft.argsort %x, %y axis 0 : tensor<8xui8>, tensor<8xi32> to tensor<8xi64>
  return %0 : tensor<8xi64>
}

// A row of nine is bisected in four steps: of eight, four, two and one.
// CHECK-LABEL: func.func @searchsorted(
// CHECK-SAME: %[[ROW:[a-z0-9]+]]: tensor<9xi32>, %[[X:[a-z0-9]+]]: tensor<5xi32>)
// CHECK-DAG: %[[FOUR:.+]] = arith.constant 4 : index
// CHECK-DAG: %[[EIGHT:.+]] = arith.constant 8 : index
// CHECK-DAG: %[[NINE:.+]] = arith.constant 9 : index
// CHECK: %[[VALUE:.+]] = tensor.extract %[[X]]
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
