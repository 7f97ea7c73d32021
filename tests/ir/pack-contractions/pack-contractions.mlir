// RUN: weft-opt --weft-pack-contractions --split-input-file %s | FileCheck %s

#a = affine_map<(m, k, n) -> (m, k)>
#b = affine_map<(m, k, n) -> (k, n)>
#c = affine_map<(m, k, n) -> (m, n)>

// Panels of four vectors of eight lanes, and a last one that is not full.
// CHECK-DAG: #[[FROM:.+]] = affine_map<(d0, d1, d2) -> (d0, d1 * [[WIDTH:[0-9]+]] + d2)>
// CHECK-DAG: #[[TO:.+]] = affine_map<(d0, d1, d2) -> (d1, d0, d2)>
// CHECK-DAG: #[[PANELS:.+]] = affine_map<(d0, d1, d2) -> (d2 floordiv [[WIDTH]], d1, d2 mod [[WIDTH]])>
// CHECK-LABEL: func.func @product(
// CHECK-SAME: %[[A:.+]]: tensor<64x128xf32>, %[[B:.+]]: tensor<128x250xf32>,
// CHECK: %[[SPACE:.+]] = tensor.empty() : tensor<{{.+}}x128x[[WIDTH]]xf32>
// CHECK: %[[WHOLE:.+]] = linalg.generic {indexing_maps = [#[[FROM]], #[[TO]]], {{.*}}} ins(%[[B]] :
// CHECK: %[[MOST:.+]] = tensor.insert_slice %[[WHOLE]] into %[[SPACE]]
// CHECK: %[[REST:.+]] = linalg.generic {{.*}} ins(%[[B]] :
// CHECK: %[[ALL:.+]] = tensor.insert_slice %[[REST]] into %[[MOST]]
// CHECK: linalg.generic {indexing_maps = [#{{.+}}, #[[PANELS]], #{{.+}}], {{.*}}} ins(%[[A]], %[[ALL]] :
module attributes {weft.machine = {fma = true, l1_bytes = 32768 : i64, l2_bytes = 1048576 : i64, vector_bytes = 32 : i64, vector_registers = 16 : i64}} {
  func.func @product(%a: tensor<64x128xf32>, %b: tensor<128x250xf32>, %c: tensor<64x250xf32>) -> tensor<64x250xf32> {
    %0 = linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "reduction", "parallel"]}
        ins(%a, %b : tensor<64x128xf32>, tensor<128x250xf32>) outs(%c : tensor<64x250xf32>) {
    ^bb0(%x: f32, %y: f32, %s: f32):
      %p = arith.mulf %x, %y fastmath<reassoc,contract> : f32
      %t = arith.addf %s, %p fastmath<reassoc,contract> : f32
      linalg.yield %t : f32
    } -> tensor<64x250xf32>
    return %0 : tensor<64x250xf32>
  }
}

// -----

#a = affine_map<(m, k, n) -> (m, k)>
#b = affine_map<(m, k, n) -> (k, n)>
#c = affine_map<(m, k, n) -> (m, n)>

// Few rows read each element too seldom.
// CHECK-LABEL: func.func @few_rows(
// CHECK-NOT: tensor.empty
module attributes {weft.machine = {fma = true, l1_bytes = 32768 : i64, vector_bytes = 32 : i64, vector_registers = 16 : i64}} {
  func.func @few_rows(%a: tensor<8x128xf32>, %b: tensor<128x256xf32>, %c: tensor<8x256xf32>) -> tensor<8x256xf32> {
    %0 = linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "reduction", "parallel"]}
        ins(%a, %b : tensor<8x128xf32>, tensor<128x256xf32>) outs(%c : tensor<8x256xf32>) {
    ^bb0(%x: f32, %y: f32, %s: f32):
      %p = arith.mulf %x, %y fastmath<reassoc,contract> : f32
      %t = arith.addf %s, %p fastmath<reassoc,contract> : f32
      linalg.yield %t : f32
    } -> tensor<8x256xf32>
    return %0 : tensor<8x256xf32>
  }
}
