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

// A recurrence in parts: what they do to the value before, which one thread
// follows, then all of them again.
// CHECK-LABEL: func.func @recurrence(
// CHECK-SAME: %[[FACTORS:.+]]: tensor<5000xf32>, %{{.+}}: tensor<5000xf32>)
// CHECK: %[[EFFECTS:.+]]:2 = scf.for %[[P:.+]] = %c0 to %c71
// CHECK: %[[BEGIN:.+]] = arith.muli %[[P]], %c70
// CHECK: %[[WALKED:.+]]:3 = scf.for %[[K:.+]] = %c0 to %c70 step %c1 iter_args(%[[A:.+]] = %{{.+}}, %[[B:.+]] = %{{.+}}, %[[MOST:.+]] = %{{.+}})
// CHECK: %[[I:.+]] = arith.addi %[[BEGIN]], %[[K]]
// CHECK: tensor.extract %[[FACTORS]][%[[I]]]
// CHECK: %[[IS_GOOD:.+]] = arith.andi
// CHECK: %[[KNOWN:.+]] = arith.select %[[IS_GOOD]], %[[WALKED]]#0, %{{.+}}
// CHECK: tensor.insert %[[KNOWN]] into %{{.+}}[%[[P]]]
// CHECK: } {weft.parallel}
// CHECK: %[[BEFORE:.+]]:2 = scf.for %[[P:.+]] = %c0 to %c71 {{.+}}, %[[Y:.+]] = %cst
// CHECK: %[[A:.+]] = tensor.extract %[[EFFECTS]]#0[%[[P]]]
// CHECK: arith.mulf %[[A]], %[[Y]]
// CHECK: %[[COUNT:.+]] = arith.select %[[UNSAFE:.+]], %c70, %c0
// CHECK: %[[STEPS:.+]] = scf.for %{{.+}} = %c0 to %[[COUNT]]
// CHECK: arith.select %[[UNSAFE]], %[[STEPS]], %{{.+}} : f32
// CHECK: scf.for %[[P:.+]] = %c0 to %c72
// CHECK: tensor.extract %[[BEFORE]]#0
// CHECK: } {weft.parallel}
func.func @recurrence(%a: tensor<5000xf32>, %b: tensor<5000xf32>) -> tensor<5000xf32> {
  %0 = weft.linear_recurrence %a, %b axis 0 : (tensor<5000xf32>, tensor<5000xf32>) -> tensor<5000xf32>
  return %0 : tensor<5000xf32>
}

// Of integers, parts together are exact.
// CHECK-LABEL: func.func @integers(
// CHECK-COUNT-2: {weft.parallel}
// CHECK-NOT: arith.cmpf
func.func @integers(%a: tensor<5000xi32>, %b: tensor<5000xi32>) -> tensor<5000xi32> {
  %0 = weft.linear_recurrence %a, %b axis 0 : (tensor<5000xi32>, tensor<5000xi32>) -> tensor<5000xi32>
  return %0 : tensor<5000xi32>
}

}
