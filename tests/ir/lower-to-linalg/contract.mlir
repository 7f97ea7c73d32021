// RUN: weft-opt --weft-lower-to-linalg --canonicalize %s | FileCheck %s

// CHECK-DAG: #[[MK:.+]] = affine_map<(d0, d1, d2) -> (d0, d1)>
// CHECK-DAG: #[[KN:.+]] = affine_map<(d0, d1, d2) -> (d1, d2)>
// CHECK-DAG: #[[MN:.+]] = affine_map<(d0, d1, d2) -> (d0, d2)>
// CHECK-DAG: #[[SWAP:.+]] = affine_map<(d0, d1) -> (d1, d0)>

// Loops m, k, n; a product may be added without rounding it first.
// CHECK-LABEL: func.func @matmul(
// CHECK: linalg.generic {indexing_maps = [#[[MK]], #[[KN]], #[[MN]]], iterator_types = ["parallel", "reduction", "parallel"]}
// CHECK: %[[P:.+]] = arith.mulf %{{.+}}, %{{.+}} fastmath<reassoc,contract> : f32
// CHECK: arith.addf %{{.+}}, %[[P]] fastmath<reassoc,contract> : f32
func.func @matmul(%x: tensor<8x4xf32>, %y: tensor<4x6xf32>) -> tensor<8x6xf32> {
  %0 = weft.dot_general %x, %y batch [] x [] contract [1] x [0] : (tensor<8x4xf32>, tensor<4x6xf32>) -> tensor<8x6xf32>
  return %0 : tensor<8x6xf32>
}

// The product says what its factors may be rounded to.
// CHECK-LABEL: func.func @rounded(
// CHECK: arith.mulf %{{.+}}, %{{.+}} fastmath<reassoc,contract> {weft.precision = "tf32"} : f32
func.func @rounded(%x: tensor<8x4xf32>, %y: tensor<4x6xf32>) -> tensor<8x6xf32> {
  %0 = weft.dot_general %x, %y batch [] x [] contract [1] x [0] {precision = "tf32"} : (tensor<8x4xf32>, tensor<4x6xf32>) -> tensor<8x6xf32>
  return %0 : tensor<8x6xf32>
}

// The right operand is transposed first, because each element is used 8 times.
// CHECK-LABEL: func.func @matmul_transposed(
// CHECK-SAME: %{{.+}}: tensor<8x4xf32>, %[[Y:.+]]: tensor<6x4xf32>
// CHECK: %[[T:.+]] = linalg.generic {indexing_maps = [#[[SWAP]], #{{.+}}]{{.*}} ins(%[[Y]]
// CHECK: linalg.generic {{.*}} iterator_types = ["parallel", "reduction", "parallel"]} ins(%{{.+}}, %[[T]]
func.func @matmul_transposed(%x: tensor<8x4xf32>, %y: tensor<6x4xf32>) -> tensor<8x6xf32> {
  %0 = weft.dot_general %x, %y batch [] x [] contract [1] x [1] : (tensor<8x4xf32>, tensor<6x4xf32>) -> tensor<8x6xf32>
  return %0 : tensor<8x6xf32>
}

// Without n, k is innermost, and its sum is a reduction.
// CHECK-LABEL: func.func @matvec(
// CHECK: iterator_types = ["parallel", "reduction"]
// CHECK: arith.addf %{{.+}}, %{{.+}} fastmath<reassoc,contract> : f32
func.func @matvec(%x: tensor<8x4xf32>, %y: tensor<4xf32>) -> tensor<8xf32> {
  %0 = weft.dot_general %x, %y batch [] x [] contract [1] x [0] : (tensor<8x4xf32>, tensor<4xf32>) -> tensor<8xf32>
  return %0 : tensor<8xf32>
}

// CHECK-LABEL: func.func @vecmat(
// CHECK: iterator_types = ["reduction", "parallel"]
// CHECK: arith.addf %{{.+}}, %{{.+}} fastmath<reassoc,contract> : f32
func.func @vecmat(%x: tensor<4x8xf32>, %y: tensor<4xf32>) -> tensor<8xf32> {
  %0 = weft.dot_general %x, %y batch [] x [] contract [0] x [0] : (tensor<4x8xf32>, tensor<4xf32>) -> tensor<8xf32>
  return %0 : tensor<8xf32>
}

// CHECK-LABEL: func.func @batched_integers(
// CHECK: iterator_types = ["parallel", "parallel", "reduction", "parallel"]
// CHECK: arith.muli %{{.+}}, %{{.+}} : i32
func.func @batched_integers(%x: tensor<2x8x4xi32>, %y: tensor<2x4x6xi32>) -> tensor<2x8x6xi32> {
  %0 = weft.dot_general %x, %y batch [0] x [0] contract [2] x [1] : (tensor<2x8x4xi32>, tensor<2x4x6xi32>) -> tensor<2x8x6xi32>
  return %0 : tensor<2x8x6xi32>
}

// A transposed factor is read where it lies if each element is used but once.
// CHECK-LABEL: func.func @row_by_transposed(
// CHECK-SAME: %[[X:.+]]: tensor<1x4xf32>, %[[Y:.+]]: tensor<6x4xf32>
// CHECK-NOT: linalg.generic
// CHECK: linalg.fill
// CHECK: linalg.generic {{.*}} ins(%[[X]], %[[Y]] :
func.func @row_by_transposed(%x: tensor<1x4xf32>, %y: tensor<6x4xf32>) -> tensor<1x6xf32> {
  %0 = weft.transpose %y perm [1, 0] : tensor<6x4xf32> to tensor<4x6xf32>
  %1 = weft.dot_general %x, %0 batch [] x [] contract [1] x [0] : (tensor<1x4xf32>, tensor<4x6xf32>) -> tensor<1x6xf32>
  return %1 : tensor<1x6xf32>
}

// CHECK-LABEL: func.func @transposed_by_vector(
// CHECK-SAME: %[[X:.+]]: tensor<6x4xf32>, %[[Y:.+]]: tensor<6xf32>
// CHECK-NOT: linalg.generic
// CHECK: linalg.fill
// CHECK: linalg.generic {{.*}} ins(%[[X]], %[[Y]] :
func.func @transposed_by_vector(%x: tensor<6x4xf32>, %y: tensor<6xf32>) -> tensor<4xf32> {
  %0 = weft.transpose %x perm [1, 0] : tensor<6x4xf32> to tensor<4x6xf32>
  %1 = weft.dot_general %0, %y batch [] x [] contract [1] x [0] : (tensor<4x6xf32>, tensor<6xf32>) -> tensor<4xf32>
  return %1 : tensor<4xf32>
}

// Nor is one copied whose blocks some rows read. Those of a batch with many rows are
// often read by rows that exist in blocks only.
// CHECK-LABEL: func.func @rows_by_transposed(
// CHECK-SAME: %[[X:.+]]: tensor<32x40xf32>, %[[Y:.+]]: tensor<24x40xf32>
// CHECK-NOT: linalg.generic
// CHECK: linalg.fill
// CHECK: linalg.generic {{.*}} ins(%[[X]], %[[Y]] :
func.func @rows_by_transposed(%x: tensor<32x40xf32>, %y: tensor<24x40xf32>) -> tensor<32x24xf32> {
  %0 = weft.transpose %y perm [1, 0] : tensor<24x40xf32> to tensor<40x24xf32>
  %1 = weft.dot_general %x, %0 batch [] x [] contract [1] x [0] : (tensor<32x40xf32>, tensor<40x24xf32>) -> tensor<32x24xf32>
  return %1 : tensor<32x24xf32>
}

// CHECK-LABEL: func.func @scores(
// CHECK-SAME: %{{.+}}: tensor<2x100x40xf32>, %[[Y:.+]]: tensor<2x24x40xf32>
// CHECK: linalg.generic {{.*}} ins(%[[Y]] :
func.func @scores(%x: tensor<2x100x40xf32>, %y: tensor<2x24x40xf32>) -> tensor<2x100x24xf32> {
  %0 = weft.dot_general %x, %y batch [0] x [0] contract [2] x [2] : (tensor<2x100x40xf32>, tensor<2x24x40xf32>) -> tensor<2x100x24xf32>
  return %0 : tensor<2x100x24xf32>
}

// Sums of one product each are products: nothing is read back to be added to.
// CHECK-LABEL: func.func @outer(
// CHECK-NOT: linalg.fill
// CHECK: linalg.generic {{.*}} iterator_types = ["parallel", "parallel"]} ins(%arg0, %arg1 : tensor<8x1xf32>, tensor<1x6xf32>)
// CHECK: arith.mulf
// CHECK: return
func.func @outer(%x: tensor<8x1xf32>, %y: tensor<1x6xf32>) -> tensor<8x6xf32> {
  %0 = weft.dot_general %x, %y batch [] x [] contract [1] x [0] : (tensor<8x1xf32>, tensor<1x6xf32>) -> tensor<8x6xf32>
  return %0 : tensor<8x6xf32>
}
