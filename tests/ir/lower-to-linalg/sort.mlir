// RUN: weft-opt --weft-lower-to-linalg %s | FileCheck %s

// Rows along the last dimension: 3 of 8 elements.
// CHECK-LABEL: func.func @sort(
// CHECK-SAME: %[[X:.+]]: tensor<3x8xf32>)
// CHECK: %[[TO:.+]] = tensor.empty() : tensor<3x8xf32>
// CHECK: %[[SORTED:.+]] = weft.library_call "sort_f32" [3, 8, 1](%[[X]]) into(%[[TO]])
// CHECK: return %[[SORTED]]
func.func @sort(%x: tensor<3x8xf32>) -> tensor<3x8xf32> {
  %y = weft.sort %x axis 1 descending : tensor<3x8xf32> to tensor<3x8xf32>
  return %y : tensor<3x8xf32>
}

// The last key is sorted by first, and a bool is a byte.
// CHECK-LABEL: func.func @argsort(
// CHECK-SAME: %[[X:.+]]: tensor<8xi8>, %[[Y:.+]]: tensor<8xbf16>)
// CHECK: %[[LAST:.+]] = weft.library_call "argsort_bf16" [1, 8, 0](%[[Y]])
// CHECK: %[[ORDER:.+]] = weft.library_call "argsort_again_ui8" [1, 8, 0](%[[X]], %[[LAST]])
// CHECK: return %[[ORDER]]
func.func @argsort(%x: tensor<8xi1>, %y: tensor<8xbf16>) -> tensor<8xi64> {
  %z = weft.argsort %x, %y axis 0 : tensor<8xi1>, tensor<8xbf16> to tensor<8xi64>
  return %z : tensor<8xi64>
}

// Complex numbers have three keys, and are taken in their order.
// CHECK-LABEL: func.func @complex(
// CHECK: %[[IM:.+]] = weft.library_call "argsort_f32"
// CHECK: %[[RE:.+]] = weft.library_call "argsort_again_f32" [1, 8, 0](%{{.+}}, %[[IM]])
// CHECK: %[[NAN:.+]] = weft.library_call "argsort_again_i8" [1, 8, 0](%{{.+}}, %[[RE]])
// CHECK: linalg.generic {{.*}} ins(%[[NAN]] : tensor<8xi64>)
func.func @complex(%x: tensor<8xcomplex<f32>>) -> tensor<8xcomplex<f32>> {
  %y = weft.sort %x axis 0 : tensor<8xcomplex<f32>> to tensor<8xcomplex<f32>>
  return %y : tensor<8xcomplex<f32>>
}
