// RUN: weft-opt --weft-lower-to-linalg --canonicalize --cse %s | FileCheck %s

// Windows of three elements over every second one: those that begin at an even
// place meet two, the others one, and no zeros are between.
// CHECK-LABEL: func.func @sums(
// CHECK: %[[PADDED:.+]] = tensor.insert_slice %arg0 into %{{.+}}[0, 1, 0] [16, 40, 64] [1, 1, 1]
// CHECK: %[[EVEN:.+]] = linalg.generic {{.*}} ins(%{{.+}}, %{{.+}} : tensor<16x{{[0-9]+}}x64xf32>, tensor<1x2x1xi8>)
// CHECK: %[[SOME:.+]] = tensor.insert_slice %[[EVEN]] into %{{.+}}[0, 0, 0] [16, {{[0-9]+}}, 64] [1, 2, 1]
// CHECK: %[[ODD:.+]] = linalg.generic {{.*}} ins(%{{.+}}, %{{.+}} : tensor<16x{{[0-9]+}}x64xf32>, tensor<1x1x1xi8>)
// CHECK: %[[ALL:.+]] = tensor.insert_slice %[[ODD]] into %[[SOME]][0, 1, 0] [16, {{[0-9]+}}, 64] [1, 2, 1]
// CHECK: return %[[ALL]]
func.func @sums(%x: tensor<16x40x64xf32>) -> tensor<16x81x64xf32> {
  %0 = weft.reduce_window_sum %x window [1, 3, 1] strides [1, 1, 1] low [0, 2, 0] high [0, 2, 0] base_dilation [1, 2, 1] window_dilation [1, 1, 1] : (tensor<16x40x64xf32>) -> tensor<16x81x64xf32>
  return %0 : tensor<16x81x64xf32>
}

// The key has an element for each window: every second one belongs to a phase.
// CHECK-LABEL: func.func @chosen(
// CHECK: tensor.extract_slice %arg2[0, 0, 0] [16, 41, 64] [1, 2, 1] : tensor<16x81x64xf32> to tensor<16x41x64xf32>
// CHECK: tensor.extract_slice %arg2[0, 1, 0] [16, 40, 64] [1, 2, 1] : tensor<16x81x64xf32> to tensor<16x40x64xf32>
func.func @chosen(%x: tensor<16x40x64xf32>, %w: tensor<16x40x64xf32>, %k: tensor<16x81x64xf32>) -> tensor<16x81x64xf32> {
  %0 = weft.sum_where_equal %x, %w, %k window [1, 3, 1] strides [1, 1, 1] low [0, 2, 0] high [0, 2, 0] base_dilation [1, 2, 1] window_dilation [1, 1, 1] : (tensor<16x40x64xf32>, tensor<16x40x64xf32>, tensor<16x81x64xf32>) -> tensor<16x81x64xf32>
  return %0 : tensor<16x81x64xf32>
}

// A window that is shorter than the distance meets nothing in one phase.
// CHECK-LABEL: func.func @gaps(
// CHECK: %[[NONE:.+]] = linalg.fill ins(%cst{{.*}} : f32) outs(%{{.+}} : tensor<16x238x64xf32>)
// CHECK: tensor.insert_slice %{{.+}} into %[[NONE]][0, 0, 0] [16, 80, 64] [1, 3, 1]
func.func @gaps(%x: tensor<16x80x64xf32>) -> tensor<16x238x64xf32> {
  %0 = weft.reduce_window_sum %x window [1, 1, 1] strides [1, 1, 1] low [0, 0, 0] high [0, 0, 0] base_dilation [1, 3, 1] window_dilation [1, 1, 1] : (tensor<16x80x64xf32>) -> tensor<16x238x64xf32>
  return %0 : tensor<16x238x64xf32>
}

// Rows of a few elements fill no vectors.
// CHECK-LABEL: func.func @short(
// CHECK-COUNT-1: linalg.generic
// CHECK-NOT: linalg.generic
func.func @short(%x: tensor<64x400x3xf32>) -> tensor<64x801x3xf32> {
  %0 = weft.reduce_window_sum %x window [1, 3, 1] strides [1, 1, 1] low [0, 2, 0] high [0, 2, 0] base_dilation [1, 2, 1] window_dilation [1, 1, 1] : (tensor<64x400x3xf32>) -> tensor<64x801x3xf32>
  return %0 : tensor<64x801x3xf32>
}
