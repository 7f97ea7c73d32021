// RUN: weft-opt --weft-lower-to-linalg --canonicalize --cse %s | FileCheck %s

// On a GPU, rows are walked at once, and long ones in steps of many threads.
module attributes {weft.gpu = {}} {

// CHECK-LABEL: func.func @columns(
// CHECK: scf.for %[[C:.+]] = %c0 to %c500 step %c1
// CHECK: scf.for %[[I:.+]] = %c1 to %c9 step %c1 iter_args(%{{.+}}, %[[LAST:.+]] = %{{.+}})
// CHECK: %[[X:.+]] = tensor.extract %{{.+}}[%[[I]], %[[C]]]
// CHECK: arith.addf %[[LAST]], %[[X]]
// CHECK: } {weft.parallel}
func.func @columns(%x: tensor<9x500xf32>) -> tensor<9x500xf32> {
  %0 = weft.cumsum %x axis 0 : tensor<9x500xf32>
  return %0 : tensor<9x500xf32>
}

// CHECK-LABEL: func.func @row(
// CHECK: weft.library_call "scan_tiles_cumprod_ui32" [1, 2000, 1, 1](%{{.+}}) into
func.func @row(%x: tensor<2000xui32>) -> tensor<2000xui32> {
  %0 = weft.cumprod %x axis 0 reverse : tensor<2000xui32>
  return %0 : tensor<2000xui32>
}

// What tiles come to is in the type that elements are computed in.
// CHECK-LABEL: func.func @rows(
// CHECK: %[[T:.+]] = weft.library_call "scan_totals_cumsum_bf16" [4, 5000, 1, 0](%[[X:.+]]) into(%{{.+}}) : (tensor<4x5000xbf16>, tensor<4x2xf32>)
// CHECK: %[[B:.+]] = weft.library_call "scan_tiles_cumsum_f32" [4, 2, 1, 0](%[[T]])
// CHECK: weft.library_call "scan_tiles_cumsum_bf16" [4, 5000, 1, 0](%[[X]], %[[B]])
func.func @rows(%x: tensor<4x5000xbf16>) -> tensor<4x5000xbf16> {
  %0 = weft.cumsum %x axis 1 : tensor<4x5000xbf16>
  return %0 : tensor<4x5000xbf16>
}

// A recurrence is walked along: two of its parts together could overflow.
// CHECK-LABEL: func.func @recurrence(
// CHECK-NOT: library_call
func.func @recurrence(%a: tensor<5000xf32>, %b: tensor<5000xf32>) -> tensor<5000xf32> {
  %0 = weft.linear_recurrence %a, %b axis 0 : (tensor<5000xf32>, tensor<5000xf32>) -> tensor<5000xf32>
  return %0 : tensor<5000xf32>
}

}
