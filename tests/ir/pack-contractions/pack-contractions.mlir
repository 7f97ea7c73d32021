// RUN: weft-opt --weft-pack-contractions --split-input-file %s | FileCheck %s

#a = affine_map<(m, k, n) -> (m, k)>
#b = affine_map<(m, k, n) -> (k, n)>
#c = affine_map<(m, k, n) -> (m, n)>

// Panels of four vectors of eight lanes, and a last one that is not full.
// CHECK-DAG: #[[FROM:.+]] = affine_map<(d0, d1, d2) -> (d0, d1 * [[WIDTH:[0-9]+]] + d2)>
// CHECK-DAG: #[[TO:.+]] = affine_map<(d0, d1, d2) -> (d1, d0, d2)>
// CHECK-DAG: #[[PANELS:.+]] = affine_map<(d0, d1, d2) -> (d2 floordiv [[WIDTH]], d1, d2 mod [[WIDTH]])>
// CHECK-LABEL: func.func @product(
// CHECK-SAME: %[[A:.+]]: tensor<1024x128xf32>, %[[B:.+]]: tensor<128x250xf32>,
// CHECK: %[[SPACE:.+]] = tensor.empty() : tensor<{{.+}}x128x[[WIDTH]]xf32>
// CHECK: %[[WHOLE:.+]] = linalg.generic {indexing_maps = [#[[FROM]], #[[TO]]], {{.*}}} ins(%[[B]] :
// CHECK: %[[MOST:.+]] = tensor.insert_slice %[[WHOLE]] into %[[SPACE]]
// CHECK: %[[REST:.+]] = linalg.generic {{.*}} ins(%[[B]] :
// CHECK: %[[ALL:.+]] = tensor.insert_slice %[[REST]] into %[[MOST]]
// CHECK: linalg.generic {indexing_maps = [#{{.+}}, #[[PANELS]], #{{.+}}], {{.*}}} ins(%[[A]], %[[ALL]] :
module attributes {weft.machine = {fma = true, l1_bytes = 32768 : i64, l2_bytes = 1048576 : i64, vector_bytes = 32 : i64, vector_registers = 16 : i64}} {
  func.func @product(%a: tensor<1024x128xf32>, %b: tensor<128x250xf32>, %c: tensor<1024x250xf32>) -> tensor<1024x250xf32> {
    %0 = linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "reduction", "parallel"]}
        ins(%a, %b : tensor<1024x128xf32>, tensor<128x250xf32>) outs(%c : tensor<1024x250xf32>) {
    ^bb0(%x: f32, %y: f32, %s: f32):
      %p = arith.mulf %x, %y fastmath<reassoc,contract> : f32
      %t = arith.addf %s, %p fastmath<reassoc,contract> : f32
      linalg.yield %t : f32
    } -> tensor<1024x250xf32>
    return %0 : tensor<1024x250xf32>
  }
}

// -----

#a = affine_map<(m, k, n) -> (m, k)>
#b = affine_map<(m, k, n) -> (k, n)>
#c = affine_map<(m, k, n) -> (m, n)>

// Blocks are copied where they are read unless very many rows read them.
// CHECK-LABEL: func.func @in_blocks(
// CHECK-NOT: tensor.empty
// The same factor in each step of a loop is copied once.
// CHECK-LABEL: func.func @in_a_loop(
// CHECK: scf.for
// CHECK: tensor.empty
module attributes {weft.machine = {fma = true, l1_bytes = 32768 : i64, l2_bytes = 1048576 : i64, vector_bytes = 32 : i64, vector_registers = 16 : i64}} {
  func.func @in_blocks(%a: tensor<64x128xf32>, %b: tensor<128x250xf32>, %c: tensor<64x250xf32>) -> tensor<64x250xf32> {
    %0 = linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "reduction", "parallel"]}
        ins(%a, %b : tensor<64x128xf32>, tensor<128x250xf32>) outs(%c : tensor<64x250xf32>) {
    ^bb0(%x: f32, %y: f32, %s: f32):
      %p = arith.mulf %x, %y fastmath<reassoc,contract> : f32
      %t = arith.addf %s, %p fastmath<reassoc,contract> : f32
      linalg.yield %t : f32
    } -> tensor<64x250xf32>
    return %0 : tensor<64x250xf32>
  }
  func.func @in_a_loop(%b: tensor<250x250xf32>, %c: tensor<64x250xf32>, %zeros: tensor<64x250xf32>) -> tensor<64x250xf32> {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c9 = arith.constant 9 : index
    %r = scf.for %i = %c0 to %c9 step %c1 iter_args(%a = %c) -> tensor<64x250xf32> {
      %0 = linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "reduction", "parallel"]}
          ins(%a, %b : tensor<64x250xf32>, tensor<250x250xf32>) outs(%zeros : tensor<64x250xf32>) {
      ^bb0(%x: f32, %y: f32, %s: f32):
        %p = arith.mulf %x, %y fastmath<reassoc,contract> : f32
        %t = arith.addf %s, %p fastmath<reassoc,contract> : f32
        linalg.yield %t : f32
      } -> tensor<64x250xf32>
      scf.yield %0 : tensor<64x250xf32>
    }
    return %r : tensor<64x250xf32>
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

// -----

// A kernel for matrix tiles: pairs of channels side by side, in panels of 32 columns.
// CHECK-DAG: #[[COPY:.+]] = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0 * 32 + d1 * 12288 + d2 * 4096 + d3 * 128 + d4 + d5 * 64)>
// CHECK-DAG: #[[PANELS:.+]] = affine_map<(d0, d1, d2, d3, d4, d5, d6) -> (d6 floordiv 32, d3, d4, d5 floordiv 2, d6 mod 32, d5 mod 2)>
#x = affine_map<(n, y, x, i, j, c, o) -> (n, y + i, x + j, c)>
#w = affine_map<(n, y, x, i, j, c, o) -> (i, j, c, o)>
#s = affine_map<(n, y, x, i, j, c, o) -> (n, y, x, o)>
#convolution = {indexing_maps = [#x, #w, #s], iterator_types = ["parallel", "parallel", "parallel", "reduction", "reduction", "reduction", "parallel"]}
// CHECK-LABEL: func.func @kernel(
// CHECK: %[[ROW:.+]] = tensor.collapse_shape %arg1 {{.*}} into tensor<36864xbf16>
// CHECK: %[[COPIED:.+]] = linalg.generic {indexing_maps = [#[[COPY]], #{{.+}}], {{.*}} ins(%[[ROW]] : {{.*}} outs({{.*}} : tensor<2x3x3x32x32x2xbf16>)
// CHECK: linalg.generic {indexing_maps = [#{{.+}}, #[[PANELS]], #{{.+}}], {{.*}} ins(%arg0, %[[COPIED]] :
// Rows of the window with six channels end in zeros, to fill a tile with 18 steps, and
// so do columns.
// CHECK-LABEL: func.func @not_whole(
// CHECK: linalg.fill {{.*}} tensor<3x6x6x64xbf16>
// CHECK: tensor.insert_slice {{.*}} tensor<3x3x6x40xbf16> into tensor<3x6x6x64xbf16>
// CHECK: %[[ALL:.+]] = linalg.generic {{.*}} outs({{.*}} : tensor<2x3x6x3x32x2xbf16>)
// CHECK: %[[READ:.+]] = tensor.extract_slice %[[ALL]]{{.*}} to tensor<2x3x3x3x32x2xbf16>
// CHECK: linalg.generic {{.*}} ins(%arg0, %[[READ]] :
// Three channels become four, of which pairs are side by side.
// CHECK-LABEL: func.func @odd(
// CHECK: %[[FOUR:.+]] = tensor.insert_slice %arg0 into {{.*}} tensor<2x58x58x3xbf16> into tensor<2x58x58x4xbf16>
// CHECK: linalg.generic {{.*}} outs({{.*}} : tensor<2x7x8x2x32x2xbf16>)
// CHECK: linalg.generic {{.*}} ins(%[[FOUR]], %{{.+}} : tensor<2x58x58x4xbf16>, tensor<2x7x7x2x32x2xbf16>
module attributes {weft.machine = {matrix_tiles = true}} {
  func.func @kernel(%x: tensor<2x58x58x64xbf16>, %w: tensor<3x3x64x64xbf16>, %s: tensor<2x56x56x64xf32>) -> tensor<2x56x56x64xf32> {
    %r = linalg.generic #convolution ins(%x, %w : tensor<2x58x58x64xbf16>, tensor<3x3x64x64xbf16>) outs(%s : tensor<2x56x56x64xf32>) {
    ^bb0(%a: bf16, %b: bf16, %t: f32):
      %u = arith.extf %a : bf16 to f32
      %v = arith.extf %b : bf16 to f32
      %p = arith.mulf %u, %v fastmath<reassoc,contract> : f32
      %q = arith.addf %t, %p fastmath<reassoc,contract> : f32
      linalg.yield %q : f32
    } -> tensor<2x56x56x64xf32>
    return %r : tensor<2x56x56x64xf32>
  }
  func.func @not_whole(%x: tensor<2x58x58x6xbf16>, %w: tensor<3x3x6x40xbf16>, %s: tensor<2x56x56x40xf32>) -> tensor<2x56x56x40xf32> {
    %r = linalg.generic #convolution ins(%x, %w : tensor<2x58x58x6xbf16>, tensor<3x3x6x40xbf16>) outs(%s : tensor<2x56x56x40xf32>) {
    ^bb0(%a: bf16, %b: bf16, %t: f32):
      %u = arith.extf %a : bf16 to f32
      %v = arith.extf %b : bf16 to f32
      %p = arith.mulf %u, %v fastmath<reassoc,contract> : f32
      %q = arith.addf %t, %p fastmath<reassoc,contract> : f32
      linalg.yield %q : f32
    } -> tensor<2x56x56x40xf32>
    return %r : tensor<2x56x56x40xf32>
  }
  func.func @odd(%x: tensor<2x58x58x3xbf16>, %w: tensor<7x7x3x64xbf16>, %s: tensor<2x52x52x64xf32>) -> tensor<2x52x52x64xf32> {
    %r = linalg.generic #convolution ins(%x, %w : tensor<2x58x58x3xbf16>, tensor<7x7x3x64xbf16>) outs(%s : tensor<2x52x52x64xf32>) {
    ^bb0(%a: bf16, %b: bf16, %t: f32):
      %u = arith.extf %a : bf16 to f32
      %v = arith.extf %b : bf16 to f32
      %p = arith.mulf %u, %v fastmath<reassoc,contract> : f32
      %q = arith.addf %t, %p fastmath<reassoc,contract> : f32
      linalg.yield %q : f32
    } -> tensor<2x52x52x64xf32>
    return %r : tensor<2x52x52x64xf32>
  }
}

// -----

#a = affine_map<(m, k, n) -> (m, k)>
#b = affine_map<(m, k, n) -> (k, n)>
#c = affine_map<(m, k, n) -> (m, n)>

// Halves that are read often are widened once: rows as they lie, columns on their
// way into panels.
// CHECK-LABEL: func.func @halves(
// CHECK-SAME: %[[A:.+]]: tensor<256x256xf16>, %[[B:.+]]: tensor<256x256xf16>,
// CHECK: %[[ROWS:.+]] = linalg.generic {{.*}} ins(%[[A]] : tensor<256x256xf16>) outs(%{{.+}} : tensor<256x256xf32>)
// CHECK: arith.extf
// CHECK: %[[COLUMNS:.+]] = linalg.generic {{.*}} ins(%[[B]] : tensor<256x256xf16>) outs(%{{.+}} : tensor<[[SIZE:.+]]xf32>)
// CHECK: arith.extf
// CHECK: linalg.generic {{.*}} ins(%[[ROWS]], %{{.+}} : tensor<256x256xf32>, tensor<{{.+}}xf32>)
// CHECK-NOT: arith.extf
// Those that are read seldom are not.
// CHECK-LABEL: func.func @few(
// CHECK: linalg.generic {{.*}}"reduction"{{.*}} ins(%{{.+}}, %{{.+}} : tensor<64x256xf16>, tensor<{{.+}}xf16>)
module attributes {weft.machine = {fma = true, l1_bytes = 32768 : i64, matrix_tiles = false, vector_bytes = 32 : i64, vector_registers = 16 : i64}} {
  func.func @halves(%a: tensor<256x256xf16>, %b: tensor<256x256xf16>, %c: tensor<256x256xf32>) -> tensor<256x256xf32> {
    %0 = linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "reduction", "parallel"]}
        ins(%a, %b : tensor<256x256xf16>, tensor<256x256xf16>) outs(%c : tensor<256x256xf32>) {
    ^bb0(%x: f16, %y: f16, %s: f32):
      %u = arith.extf %x : f16 to f32
      %v = arith.extf %y : f16 to f32
      %p = arith.mulf %u, %v fastmath<reassoc,contract> : f32
      %t = arith.addf %s, %p fastmath<reassoc,contract> : f32
      linalg.yield %t : f32
    } -> tensor<256x256xf32>
    return %0 : tensor<256x256xf32>
  }
  func.func @few(%a: tensor<64x256xf16>, %b: tensor<256x64xf16>, %c: tensor<64x64xf32>) -> tensor<64x64xf32> {
    %0 = linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "reduction", "parallel"]}
        ins(%a, %b : tensor<64x256xf16>, tensor<256x64xf16>) outs(%c : tensor<64x64xf32>) {
    ^bb0(%x: f16, %y: f16, %s: f32):
      %u = arith.extf %x : f16 to f32
      %v = arith.extf %y : f16 to f32
      %p = arith.mulf %u, %v fastmath<reassoc,contract> : f32
      %t = arith.addf %s, %p fastmath<reassoc,contract> : f32
      linalg.yield %t : f32
    } -> tensor<64x64xf32>
    return %0 : tensor<64x64xf32>
  }
}
