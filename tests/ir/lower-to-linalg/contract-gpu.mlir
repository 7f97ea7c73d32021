// RUN: weft-opt --weft-lower-to-linalg --canonicalize %s | FileCheck %s

// What tensor cores multiply is read where it lies.
// CHECK-DAG: #[[MK:.+]] = affine_map<(d0, d1, d2) -> (d0, d2)>
// CHECK-DAG: #[[NK:.+]] = affine_map<(d0, d1, d2) -> (d1, d2)>
// CHECK-DAG: #[[MN:.+]] = affine_map<(d0, d1, d2) -> (d0, d1)>
module attributes {weft.gpu = {chip = "sm_90a"}} {
  // CHECK-LABEL: func.func @matmul_transposed(
  // CHECK-SAME: %[[X:.+]]: tensor<16x8xbf16>, %[[Y:.+]]: tensor<24x8xbf16>
  // CHECK: linalg.generic {indexing_maps = [#[[MK]], #[[NK]], #[[MN]]]{{.*}} ins(%[[X]], %[[Y]]
  func.func @matmul_transposed(%x: tensor<16x8xbf16>, %y: tensor<24x8xbf16>) -> tensor<16x24xf32> {
    %0 = weft.transpose %y perm [1, 0] : tensor<24x8xbf16> to tensor<8x24xbf16>
    %1 = weft.dot_general %x, %0 batch [] x [] contract [1] x [0] : (tensor<16x8xbf16>, tensor<8x24xbf16>) -> tensor<16x24xf32>
    return %1 : tensor<16x24xf32>
  }

  // Of f32, the right operand is still moved.
  // CHECK-LABEL: func.func @in_threads(
  // CHECK-COUNT-2: linalg.generic
  func.func @in_threads(%x: tensor<16x8xf32>, %y: tensor<24x8xf32>) -> tensor<16x24xf32> {
    %1 = weft.dot_general %x, %y batch [] x [] contract [1] x [1] : (tensor<16x8xf32>, tensor<24x8xf32>) -> tensor<16x24xf32>
    return %1 : tensor<16x24xf32>
  }

  // CHECK-LABEL: func.func @doubles(
  // CHECK: linalg.generic {indexing_maps = [#[[MK]], #[[NK]], #[[MN]]]
  func.func @doubles(%x: tensor<16x8xf64>, %y: tensor<24x8xf64>) -> tensor<16x24xf64> {
    %1 = weft.dot_general %x, %y batch [] x [] contract [1] x [1] : (tensor<16x8xf64>, tensor<24x8xf64>) -> tensor<16x24xf64>
    return %1 : tensor<16x24xf64>
  }

  // Lines of 6 bytes would be worse ones.
  // CHECK-LABEL: func.func @unaligned(
  // CHECK-COUNT-2: linalg.generic
  func.func @unaligned(%x: tensor<16x3xbf16>, %y: tensor<24x3xbf16>) -> tensor<16x24xf32> {
    %0 = weft.transpose %y perm [1, 0] : tensor<24x3xbf16> to tensor<3x24xbf16>
    %1 = weft.dot_general %x, %0 batch [] x [] contract [1] x [0] : (tensor<16x3xbf16>, tensor<3x24xbf16>) -> tensor<16x24xf32>
    return %1 : tensor<16x24xf32>
  }
}
