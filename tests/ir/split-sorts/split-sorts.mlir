// RUN: weft-opt --pass-pipeline='builtin.module(func.func(weft-split-sorts))' %s | FileCheck %s

// A row of one tile is one step.
// CHECK-LABEL: func.func @short(
// CHECK: %[[Y:.+]] = weft.library_call "sort_tiles_bf16" [8, 1000, 1, 2304](%{{.+}}) into(%{{.+}}) : (tensor<8x1000xbf16>, tensor<8x1000xbf16>)
// CHECK: return %[[Y]]
func.func @short(%x: tensor<8x1000xbf16>) -> tensor<8x1000xbf16> {
  %e = tensor.empty() : tensor<8x1000xbf16>
  %y = weft.library_call "sort_bf16" [8, 1000, 1] (%x) into(%e)
      : (tensor<8x1000xbf16>, tensor<8x1000xbf16>) -> tensor<8x1000xbf16>
  return %y : tensor<8x1000xbf16>
}

// CHECK-LABEL: func.func @long(
// CHECK: %[[A:.+]] = weft.library_call "sort_tiles_f32" [1, 7000, 0, 2304](%{{.+}})
// CHECK: %[[B:.+]] = weft.library_call "merge_f32" [1, 7000, 0, 2304](%[[A]])
// CHECK: %[[C:.+]] = weft.library_call "merge_f32" [1, 7000, 0, 4608](%[[B]])
// CHECK: return %[[C]]
func.func @long(%x: tensor<7000xf32>) -> tensor<7000xf32> {
  %e = tensor.empty() : tensor<7000xf32>
  %y = weft.library_call "sort_f32" [1, 7000, 0] (%x) into(%e)
      : (tensor<7000xf32>, tensor<7000xf32>) -> tensor<7000xf32>
  return %y : tensor<7000xf32>
}

// Places go along, and are all that is left in the end.
// CHECK-LABEL: func.func @places(
// CHECK: %[[A:.+]]:2 = weft.library_call "argsort_tiles_ui8" [1, 4000, 0, 2304](%{{.+}}, %{{.+}}) into({{.+}}) : (tensor<4000xi8>, tensor<4000xi64>, tensor<4000xi8>, tensor<4000xi32>)
// CHECK: %[[B:.+]] = weft.library_call "merge_ui8" [1, 4000, 0, 2304](%[[A]]#0, %[[A]]#1) into(%{{.+}}) : (tensor<4000xi8>, tensor<4000xi32>, tensor<4000xi64>)
// CHECK: return %[[B]]
func.func @places(%x: tensor<4000xi8>, %before: tensor<4000xi64>) -> tensor<4000xi64> {
  %e = tensor.empty() : tensor<4000xi64>
  %y = weft.library_call "argsort_again_ui8" [1, 4000, 0] (%x, %before) into(%e)
      : (tensor<4000xi8>, tensor<4000xi64>, tensor<4000xi64>) -> tensor<4000xi64>
  return %y : tensor<4000xi64>
}

// CHECK-LABEL: func.func @other(
// CHECK: weft.library_call "cholesky_f32" [1, 3]
func.func @other(%x: tensor<3x3xf32>) -> tensor<3x3xf32> {
  %e = tensor.empty() : tensor<3x3xf32>
  %y = weft.library_call "cholesky_f32" [1, 3] (%x) into(%e)
      : (tensor<3x3xf32>, tensor<3x3xf32>) -> tensor<3x3xf32>
  return %y : tensor<3x3xf32>
}
