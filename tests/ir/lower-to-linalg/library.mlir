// RUN: weft-opt --weft-lower-to-linalg %s | FileCheck %s

// CHECK-LABEL: func.func @lu(
// CHECK-SAME: %[[X:.+]]: tensor<2x4x3xf32>)
// CHECK: %[[LU:.+]] = tensor.empty() : tensor<2x4x3xf32>
// CHECK: %[[PIVOTS:.+]] = tensor.empty() : tensor<2x3xi64>
// CHECK: %[[ORDER:.+]] = tensor.empty() : tensor<2x4xi64>
// CHECK: %[[CALL:.+]]:3 = weft.library_call "lu_f32" [2, 4, 3, 1](%[[X]]) into(%[[LU]], %[[PIVOTS]], %[[ORDER]])
// CHECK: return %[[CALL]]#0, %[[CALL]]#2
func.func @lu(%x: tensor<2x4x3xf32>) -> (tensor<2x4x3xf32>, tensor<2x4xi64>) {
  %lu, %pivots, %order = weft.lu %x nonsingular : (tensor<2x4x3xf32>) -> (tensor<2x4x3xf32>, tensor<2x3xi64>, tensor<2x4xi64>)
  return %lu, %order : tensor<2x4x3xf32>, tensor<2x4xi64>
}

// What is not read is not passed.
// CHECK-LABEL: func.func @solve(
// CHECK-SAME: %{{.+}}: tensor<3x3xf64>, %[[LU:.+]]: tensor<3x3xf64>, %[[ORDER:.+]]: tensor<3xi64>, %[[B:.+]]: tensor<3x1xf64>)
// CHECK: weft.library_call "solve_f64" [1, 3, 1, 0](%[[LU]], %[[ORDER]], %[[B]])
func.func @solve(%a: tensor<3x3xf64>, %lu: tensor<3x3xf64>, %order: tensor<3xi64>, %b: tensor<3x1xf64>) -> tensor<3x1xf64> {
  %y = weft.solve %a factored %lu, %order by %b : (tensor<3x3xf64>, tensor<3x3xf64>, tensor<3xi64>, tensor<3x1xf64>) -> tensor<3x1xf64>
  return %y : tensor<3x1xf64>
}

// CHECK-LABEL: func.func @no_elements(
// CHECK-NOT: weft.library_call
func.func @no_elements(%x: tensor<0x3xf32>) -> (tensor<0x0xf32>, tensor<0x3xf32>) {
  %q, %r = weft.qr %x : (tensor<0x3xf32>) -> (tensor<0x0xf32>, tensor<0x3xf32>)
  return %q, %r : tensor<0x0xf32>, tensor<0x3xf32>
}
