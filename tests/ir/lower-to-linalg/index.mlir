// RUN: weft-opt --weft-lower-to-linalg --canonicalize %s | FileCheck %s

// One slice is a view at a computed place.
// CHECK-LABEL: func.func @dynamic_slice(
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<8x4xf32>, %[[I:[a-z0-9]+]]: tensor<i64>)
// CHECK-DAG: %[[LAST:.+]] = arith.constant 6 : i64
// CHECK-DAG: %[[ZERO:.+]] = arith.constant 0 : i64
// CHECK: %[[S:.+]] = tensor.extract %[[I]][]
// CHECK: %[[LOW:.+]] = arith.maxsi %[[S]], %[[ZERO]]
// CHECK: %[[HELD:.+]] = arith.minsi %[[LOW]], %[[LAST]]
// CHECK: %[[AT:.+]] = arith.index_cast %[[HELD]]
// CHECK: tensor.extract_slice %[[X]][%[[AT]], 0] [2, 4] [1, 1]
func.func @dynamic_slice(%x: tensor<8x4xf32>, %i: tensor<i64>) -> tensor<2x4xf32> {
  %0 = weft.dynamic_slice %x[%i, %i] sizes [2, 4] : (tensor<8x4xf32>, tensor<i64>, tensor<i64>) -> tensor<2x4xf32>
  return %0 : tensor<2x4xf32>
}

// CHECK-LABEL: func.func @dynamic_update_slice(
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<8xf32>, %[[U:[a-z0-9]+]]: tensor<2xf32>
// CHECK: tensor.insert_slice %[[U]] into %[[X]][%{{.+}}] [2] [1]
func.func @dynamic_update_slice(%x: tensor<8xf32>, %u: tensor<2xf32>, %i: tensor<i64>) -> tensor<8xf32> {
  %0 = weft.dynamic_update_slice %x, %u[%i] : (tensor<8xf32>, tensor<2xf32>, tensor<i64>) -> tensor<8xf32>
  return %0 : tensor<8xf32>
}

// Reading at indices is one parallel loop nest; what lies outside is zero.
// CHECK-LABEL: func.func @gather(
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<8x4xf32>, %[[I:[a-z0-9]+]]: tensor<5xi64>)
// CHECK: linalg.generic {{.*}} iterator_types = ["parallel", "parallel"]} ins(%[[I]]
// CHECK: arith.cmpi ule
// CHECK: %[[E:.+]] = tensor.extract %[[X]]
// CHECK: arith.select %{{.+}}, %[[E]]
func.func @gather(%x: tensor<8x4xf32>, %i: tensor<5xi64>) -> tensor<5x4xf32> {
  %0 = weft.gather %x[%i] dims [0] sizes [1, 4] collapsed [0] batch [] : (tensor<8x4xf32>, tensor<5xi64>) -> tensor<5x4xf32>
  return %0 : tensor<5x4xf32>
}

// Updates are taken one after the other, in the order of the indices.
// CHECK-LABEL: func.func @scatter_add(
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<8xf32>, %[[U:[a-z0-9]+]]: tensor<5xf32>, %[[I:[a-z0-9]+]]: tensor<5xi64>)
// CHECK: scf.for %[[K:.+]] = %{{.+}} to %{{.+}} step %{{.+}} iter_args(%[[A:.+]] = %[[X]])
// CHECK: tensor.extract %[[I]][%[[K]]]
// CHECK: %[[V:.+]] = tensor.extract %[[U]][%[[K]]]
// CHECK: %[[OLD:.+]] = tensor.extract %[[A]]
// CHECK: %[[SUM:.+]] = arith.addf %[[OLD]], %[[V]]
// CHECK: %[[NEW:.+]] = tensor.insert %[[SUM]] into %[[A]]
// CHECK: scf.yield %[[NEW]]
func.func @scatter_add(%x: tensor<8xf32>, %u: tensor<5xf32>, %i: tensor<5xi64>) -> tensor<8xf32> {
  %0 = weft.scatter_add %x, %u[%i] dims [0] collapsed [0] batch [] clip : (tensor<8xf32>, tensor<5xf32>, tensor<5xi64>) -> tensor<8xf32>
  return %0 : tensor<8xf32>
}
