// RUN: weft-opt --weft-lower-to-linalg --canonicalize --cse %s | FileCheck %s

// On a GPU, what is apart from each other is scattered at once.
module attributes {weft.gpu = {}} {

// The columns of a few rows: a loop over the updates for each.
// CHECK-LABEL: func.func @columns(
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<8x4xf32>, %[[U:[a-z0-9]+]]: tensor<5x4xf32>, %[[I:[a-z0-9]+]]: tensor<5xi64>)
// CHECK: scf.for %[[C:.+]] = %c0 to %c4 step %c1 iter_args(%{{.+}} = %[[X]])
// CHECK: scf.for %[[K:.+]] = %c0 to %c5 step %c1
// CHECK: tensor.extract %[[I]][%[[K]]]
// CHECK: tensor.extract %[[U]][%[[K]], %[[C]]]
// CHECK: tensor.insert %{{.+}} into %{{.+}}[%{{.+}}, %[[C]]]
// CHECK: } {weft.parallel}
func.func @columns(%x: tensor<8x4xf32>, %u: tensor<5x4xf32>, %i: tensor<5xi64>) -> tensor<8x4xf32> {
  %0 = weft.scatter_add %x, %u[%i] dims [0] collapsed [0] batch [] clip : (tensor<8x4xf32>, tensor<5x4xf32>, tensor<5xi64>) -> tensor<8x4xf32>
  return %0 : tensor<8x4xf32>
}

// Many: they are sorted by their places, and each element adds its own.
// CHECK-LABEL: func.func @sorted(
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<8x4xf32>, %[[U:[a-z0-9]+]]: tensor<5000x4xf32>, %[[I:[a-z0-9]+]]: tensor<5000xi64>)
// CHECK: linalg.generic {{.*}} ins(%[[I]]
// CHECK: arith.select %{{.+}}, %{{.+}}, %c8 : index
// CHECK: %[[KEYS:.+]] = tensor.expand_shape
// CHECK: %[[SORTED:.+]]:2 = weft.library_call "argsort_i32" [1, 5000, 0](%[[KEYS]])
// CHECK: %[[BEGINS:.+]] = linalg.generic {{.*}} outs(%{{.+}} : tensor<1x9xi32>)
// CHECK: tensor.extract %[[SORTED]]#0
// CHECK: linalg.generic {{.*}} ins(%[[X]]
// CHECK: ^bb0(%[[OLD:.+]]: f32, %{{.+}}: f32):
// CHECK-COUNT-2: tensor.extract %[[BEGINS]]
// CHECK: scf.for {{.*}} iter_args(%[[SUM:.+]] = %[[OLD]])
// CHECK: tensor.extract %[[SORTED]]#1
// CHECK: %[[V:.+]] = tensor.extract %[[U]]
// CHECK: arith.addf %[[SUM]], %[[V]]
func.func @sorted(%x: tensor<8x4xf32>, %u: tensor<5000x4xf32>, %i: tensor<5000xi64>) -> tensor<8x4xf32> {
  %0 = weft.scatter_add %x, %u[%i] dims [0] collapsed [0] batch [] : (tensor<8x4xf32>, tensor<5000x4xf32>, tensor<5000xi64>) -> tensor<8x4xf32>
  return %0 : tensor<8x4xf32>
}

// One slice alone: its elements meet nowhere.
// CHECK-LABEL: func.func @slice(
// CHECK: scf.for %{{.+}} = %c0 to %c12 step %c1
// CHECK-NOT: scf.for
// CHECK: } {weft.parallel}
func.func @slice(%x: tensor<8x4xf32>, %u: tensor<3x4xf32>, %i: tensor<i64>) -> tensor<8x4xf32> {
  %0 = weft.scatter_add %x, %u[%i] dims [0] collapsed [] batch [] : (tensor<8x4xf32>, tensor<3x4xf32>, tensor<i64>) -> tensor<8x4xf32>
  return %0 : tensor<8x4xf32>
}

}
