// RUN: weft-opt --pass-pipeline='builtin.module(func.func(weft-lower-matrix-tiles))' --split-input-file %s | FileCheck %s

// Both factors are packed: columns once for all rows of a block, pairs of their
// rows side by side. Four tiles of sums pass through the loop.
#a = affine_map<(m, k, n) -> (m, k)>
#b = affine_map<(m, k, n) -> (k, n)>
#c = affine_map<(m, k, n) -> (m, n)>
// CHECK-LABEL: func.func @brain_floats(
// CHECK-NOT: linalg.generic
// CHECK-DAG: %[[ROWS:.+]] = memref.alloca() {alignment = 64 : i64} : memref<2048xi32>
// CHECK-DAG: %[[COLUMNS:.+]] = memref.alloca() {alignment = 64 : i64} : memref<8192xi32>
// CHECK-DAG: %[[SUMS:.+]] = memref.alloca() {alignment = 64 : i64} : memref<1024xf32>
// CHECK-COUNT-2: vector.maskedload {{.*}} vector<32xbf16>
// CHECK: vector.interleave {{.*}} : vector<32xi16> -> vector<64xi16>
// CHECK-COUNT-2: vector.store %{{.+}}, %[[COLUMNS]]{{.*}} vector<16xi32>
// CHECK: vector.load {{.*}} vector<32xbf16>
// CHECK: vector.store %{{.+}}, %[[ROWS]]
// What is whole is added to in its place, and what is not by way of the stack.
// CHECK-COUNT-4: amx.tile_load {{.*}} into !amx.tile<16x16xf32>
// CHECK: scf.for {{.*}} iter_args
// CHECK-COUNT-4: amx.tile_mulf
// CHECK-COUNT-4: amx.tile_store
// CHECK-COUNT-4: amx.tile_zero : !amx.tile<16x16xf32>
// CHECK: scf.for {{.*}} iter_args
// CHECK-COUNT-4: amx.tile_load {{.*}} into !amx.tile<16x32xbf16>
// CHECK-COUNT-4: amx.tile_mulf {{.*}} !amx.tile<16x32xbf16>, !amx.tile<16x32xbf16>, !amx.tile<16x16xf32>
// CHECK-COUNT-4: amx.tile_store %[[SUMS]]
// CHECK: arith.addf
// CHECK: vector.maskedstore
module attributes {weft.machine = {l1_bytes = 49152 : i64, l2_bytes = 2097152 : i64, matrix_tiles = true}} {
  func.func @brain_floats(%a: memref<48x128xbf16>, %b: memref<128x100xbf16>, %c: memref<48x100xf32>) {
    linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "reduction", "parallel"]}
        ins(%a, %b : memref<48x128xbf16>, memref<128x100xbf16>) outs(%c : memref<48x100xf32>) {
    ^bb0(%x: bf16, %y: bf16, %s: f32):
      %u = arith.extf %x : bf16 to f32
      %v = arith.extf %y : bf16 to f32
      %p = arith.mulf %u, %v fastmath<reassoc,contract> : f32
      %t = arith.addf %s, %p fastmath<reassoc,contract> : f32
      linalg.yield %t : f32
    }
    return
  }
}

// -----

// Bytes with a sign by bytes without one; columns that are consecutive along
// what is summed over are transposed.
#a = affine_map<(m, n, k) -> (m, k)>
#b = affine_map<(m, n, k) -> (n, k)>
#c = affine_map<(m, n, k) -> (m, n)>
// CHECK-LABEL: func.func @bytes(
// CHECK: vector.load {{.*}} vector<64xi8>
// CHECK: vector.bitcast %{{.+}} : vector<64xi8> to vector<16xi32>
// CHECK: vector.shuffle
// CHECK: amx.tile_muli %{{.+}}, %{{.+}} zext, %{{.+}} : !amx.tile<16x64xi8>, !amx.tile<16x64xi8>, !amx.tile<16x16xi32>
module attributes {weft.machine = {matrix_tiles = true}} {
  func.func @bytes(%a: memref<64x64xi8>, %b: memref<64x64xi8>, %c: memref<64x64xi32>) {
    linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction"]}
        ins(%a, %b : memref<64x64xi8>, memref<64x64xi8>) outs(%c : memref<64x64xi32>) {
    ^bb0(%x: i8, %y: i8, %s: i32):
      %u = arith.extsi %x : i8 to i32
      %v = arith.extui %y : i8 to i32
      %p = arith.muli %u, %v : i32
      %t = arith.addi %s, %p : i32
      linalg.yield %t : i32
    }
    return
  }
}

// -----

// Not what is too small, nor what no tile multiplies, nor without tiles.
#a = affine_map<(m, k, n) -> (m, k)>
#b = affine_map<(m, k, n) -> (k, n)>
#c = affine_map<(m, k, n) -> (m, n)>
#product = {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "reduction", "parallel"]}
// CHECK-LABEL: func.func @small(
// CHECK: linalg.generic
// CHECK-LABEL: func.func @mixed(
// CHECK: linalg.generic
// CHECK-NOT: amx
module attributes {weft.machine = {matrix_tiles = true}} {
  func.func @small(%a: memref<32x32xi8>, %b: memref<32x32xi8>, %c: memref<32x32xi8>) {
    linalg.generic #product
        ins(%a, %b : memref<32x32xi8>, memref<32x32xi8>) outs(%c : memref<32x32xi8>) {
    ^bb0(%x: i8, %y: i8, %s: i8):
      %p = arith.muli %x, %y : i8
      %t = arith.addi %s, %p : i8
      linalg.yield %t : i8
    }
    return
  }
  func.func @mixed(%a: memref<64x64xbf16>, %b: memref<64x64xf32>, %c: memref<64x64xf32>) {
    linalg.generic #product
        ins(%a, %b : memref<64x64xbf16>, memref<64x64xf32>) outs(%c : memref<64x64xf32>) {
    ^bb0(%x: bf16, %y: f32, %s: f32):
      %u = arith.extf %x : bf16 to f32
      %p = arith.mulf %u, %y fastmath<reassoc,contract> : f32
      %t = arith.addf %s, %p fastmath<reassoc,contract> : f32
      linalg.yield %t : f32
    }
    return
  }
}

// -----

#a = affine_map<(m, k, n) -> (m, k)>
#b = affine_map<(m, k, n) -> (k, n)>
#c = affine_map<(m, k, n) -> (m, n)>
// CHECK-LABEL: func.func @without_tiles(
// CHECK: linalg.generic
// CHECK-NOT: amx
module attributes {weft.machine = {bfloat16_dots = false, matrix_tiles = false, vector_dots = false}} {
  func.func @without_tiles(%a: memref<64x64xi8>, %b: memref<64x64xi8>, %c: memref<64x64xi8>) {
    linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "reduction", "parallel"]}
        ins(%a, %b : memref<64x64xi8>, memref<64x64xi8>) outs(%c : memref<64x64xi8>) {
    ^bb0(%x: i8, %y: i8, %s: i8):
      %p = arith.muli %x, %y : i8
      %t = arith.addi %s, %p : i8
      linalg.yield %t : i8
    }
    return
  }
}

// -----

// Dot products of bytes in the lanes of vectors: of a factor without a sign by one
// with. What has both signs is shifted in the rows, and the sums begin with -128 of
// each column; of what has none there is no such product.
#a = affine_map<(m, k, n) -> (m, k)>
#b = affine_map<(m, k, n) -> (k, n)>
#c = affine_map<(m, k, n) -> (m, n)>
#product = {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "reduction", "parallel"]}
// CHECK-LABEL: func.func @signed(
// CHECK-DAG: %[[SHIFTS:.+]] = memref.alloca() {{.*}} : memref<64xi32>
// CHECK: scf.for {{.*}} iter_args
// CHECK-COUNT-2: llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"({{.*}}) : (vector<16xi32>, vector<64xi8>, vector<64xi8>) -> vector<16xi32>
// CHECK-NOT: vpdpbusd
// CHECK: arith.subi %{{.+}} : vector<16xi32>
// CHECK: vector.store %{{.+}}, %[[SHIFTS]]
// CHECK: %[[SHIFT:.+]] = arith.constant dense<-2139062144> : vector<16xi32>
// CHECK: arith.xori %{{.+}}, %[[SHIFT]]
// CHECK: vector.load %[[SHIFTS]]
// CHECK: scf.for {{.*}} iter_args
// CHECK-COUNT-16: llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"
// CHECK: loop_annotation = #[[ANNOTATION:.+]]}
// CHECK-LABEL: func.func @one_signed(
// CHECK-NOT: arith.xori
// CHECK-COUNT-16: llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"
// CHECK-LABEL: func.func @unsigned(
// CHECK: linalg.generic
module attributes {weft.machine = {matrix_tiles = false, vector_dots = true, vector_bytes = 64 : i64, vector_registers = 32 : i64}} {
  func.func @signed(%a: memref<64x64xi8>, %b: memref<64x64xi8>, %c: memref<64x64xi32>) {
    linalg.generic #product
        ins(%a, %b : memref<64x64xi8>, memref<64x64xi8>) outs(%c : memref<64x64xi32>) {
    ^bb0(%x: i8, %y: i8, %s: i32):
      %u = arith.extsi %x : i8 to i32
      %v = arith.extsi %y : i8 to i32
      %p = arith.muli %u, %v : i32
      %t = arith.addi %s, %p : i32
      linalg.yield %t : i32
    }
    return
  }
  func.func @one_signed(%a: memref<64x64xi8>, %b: memref<64x64xi8>, %c: memref<64x64xi32>) {
    linalg.generic #product
        ins(%a, %b : memref<64x64xi8>, memref<64x64xi8>) outs(%c : memref<64x64xi32>) {
    ^bb0(%x: i8, %y: i8, %s: i32):
      %u = arith.extsi %x : i8 to i32
      %v = arith.extui %y : i8 to i32
      %p = arith.muli %u, %v : i32
      %t = arith.addi %s, %p : i32
      linalg.yield %t : i32
    }
    return
  }
  func.func @unsigned(%a: memref<64x64xi8>, %b: memref<64x64xi8>, %c: memref<64x64xi32>) {
    linalg.generic #product
        ins(%a, %b : memref<64x64xi8>, memref<64x64xi8>) outs(%c : memref<64x64xi32>) {
    ^bb0(%x: i8, %y: i8, %s: i32):
      %u = arith.extui %x : i8 to i32
      %v = arith.extui %y : i8 to i32
      %p = arith.muli %u, %v : i32
      %t = arith.addi %s, %p : i32
      linalg.yield %t : i32
    }
    return
  }
}

// -----

// Of bfloat16: two to a lane. Only rows that are there are computed.
#a = affine_map<(m, k, n) -> (m, k)>
#b = affine_map<(m, k, n) -> (k, n)>
#c = affine_map<(m, k, n) -> (m, n)>
// CHECK-LABEL: func.func @dots_of_bfloat16(
// CHECK: %[[LAST:.+]] = arith.minsi %{{.+}}, %c32
// CHECK-NEXT: %c0
// CHECK: scf.for %{{.+}} = %{{.+}} to %[[LAST]] step %c8
// CHECK: scf.for {{.*}} iter_args
// CHECK-COUNT-16: llvm.call_intrinsic "llvm.x86.avx512bf16.dpbf16ps.512"({{.*}}) : (vector<16xf32>, vector<32xbf16>, vector<32xbf16>) -> vector<16xf32>
// CHECK-NOT: dpbf16ps
// CHECK: scf.yield
module attributes {weft.machine = {bfloat16_dots = true, matrix_tiles = false, vector_bytes = 64 : i64, vector_registers = 32 : i64}} {
  func.func @dots_of_bfloat16(%a: memref<20x256xbf16>, %b: memref<256x64xbf16>, %c: memref<20x64xf32>) {
    linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "reduction", "parallel"]}
        ins(%a, %b : memref<20x256xbf16>, memref<256x64xbf16>) outs(%c : memref<20x64xf32>) {
    ^bb0(%x: bf16, %y: bf16, %s: f32):
      %u = arith.extf %x : bf16 to f32
      %v = arith.extf %y : bf16 to f32
      %p = arith.mulf %u, %v fastmath<reassoc,contract> : f32
      %t = arith.addf %s, %p fastmath<reassoc,contract> : f32
      linalg.yield %t : f32
    }
    return
  }
}

// -----

// Blocks for threads where rows and columns are no multiples of panels.
#a = affine_map<(m, k, n) -> (m, k)>
#b = affine_map<(m, k, n) -> (k, n)>
#c = affine_map<(m, k, n) -> (m, n)>
// CHECK-LABEL: func.func @uneven(
// CHECK: scf.for %{{.+}} = %{{.+}} to %c4 step
// CHECK: vpdpbusd
// CHECK: weft.parallel
module attributes {weft.machine = {matrix_tiles = false, vector_bytes = 64 : i64, vector_dots = true, vector_registers = 32 : i64}} {
  func.func @uneven(%a: memref<70x1500xi8>, %b: memref<1500x90xi8>, %c: memref<70x90xi32>) {
    linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "reduction", "parallel"]}
        ins(%a, %b : memref<70x1500xi8>, memref<1500x90xi8>) outs(%c : memref<70x90xi32>) {
    ^bb0(%x: i8, %y: i8, %s: i32):
      %u = arith.extsi %x : i8 to i32
      %v = arith.extsi %y : i8 to i32
      %p = arith.muli %u, %v : i32
      %t = arith.addi %s, %p : i32
      linalg.yield %t : i32
    }
    return
  }
}

// -----

// Columns in panels: tiles have rows as they lie, 128 bytes apart, and the sums stay in
// registers over the window and the channels. The images are walked through as one.
#x = affine_map<(n, y, x, i, j, c, o) -> (n, y + i, x + j, c)>
#w = affine_map<(n, y, x, i, j, c, o) -> (o floordiv 32, i, j, c floordiv 2, o mod 32, c mod 2)>
#s = affine_map<(n, y, x, i, j, c, o) -> (n, y, x, o)>
// CHECK-LABEL: func.func @packed(
// CHECK-SAME: %[[X:.+]]: memref<2x58x58x64xbf16>, %[[W:.+]]: memref<2x3x3x32x32x2xbf16>
// CHECK-NOT: linalg.generic
// CHECK-DAG: %[[STRIDE:.+]] = arith.constant 64 : index
// CHECK-COUNT-4: amx.tile_zero
// CHECK: scf.for {{.*}} iter_args
// CHECK: scf.for {{.*}} iter_args
// CHECK-COUNT-4: amx.tile_load {{.*}} into !amx.tile<16x32xbf16>
// CHECK-COUNT-4: amx.tile_mulf
// CHECK-COUNT-4: amx.tile_store
// Nothing is written between the rows of an image.
// CHECK: arith.remui
// CHECK: scf.if
// CHECK: vector.maskedstore
module attributes {weft.machine = {l1_bytes = 49152 : i64, l2_bytes = 2097152 : i64, matrix_tiles = true}} {
  func.func @packed(%x: memref<2x58x58x64xbf16>, %w: memref<2x3x3x32x32x2xbf16>, %s: memref<2x56x56x64xf32>) {
    linalg.generic {indexing_maps = [#x, #w, #s], iterator_types = ["parallel", "parallel", "parallel", "reduction", "reduction", "reduction", "parallel"]}
        ins(%x, %w : memref<2x58x58x64xbf16>, memref<2x3x3x32x32x2xbf16>) outs(%s : memref<2x56x56x64xf32>) {
    ^bb0(%a: bf16, %b: bf16, %t: f32):
      %u = arith.extf %a : bf16 to f32
      %v = arith.extf %b : bf16 to f32
      %p = arith.mulf %u, %v fastmath<reassoc,contract> : f32
      %q = arith.addf %t, %p fastmath<reassoc,contract> : f32
      linalg.yield %q : f32
    }
    return
  }
}

// -----

// Dot products of the same panels: words of rows are read where they lie.
#x = affine_map<(n, y, x, i, j, c, o) -> (n, y + i, x + j, c)>
#w = affine_map<(n, y, x, i, j, c, o) -> (o floordiv 32, i, j, c floordiv 2, o mod 32, c mod 2)>
#s = affine_map<(n, y, x, i, j, c, o) -> (n, y, x, o)>
// CHECK-LABEL: func.func @packed_dots(
// CHECK-NOT: linalg.generic
// CHECK: scf.for {{.*}} iter_args
// CHECK: scf.for {{.*}} iter_args
// CHECK: scf.for {{.*}} iter_args
// CHECK-COUNT-2: vector.load {{.*}} vector<32xbf16>
// CHECK: vector.load {{.*}} vector<2xbf16>
// CHECK: vector.bitcast {{.*}} : vector<2xbf16> to vector<1xi32>
// CHECK-COUNT-2: llvm.call_intrinsic "llvm.x86.avx512bf16.dpbf16ps.512"
// CHECK: loop_annotation =
// CHECK: vector.store
module attributes {weft.machine = {bfloat16_dots = true, matrix_tiles = false, vector_bytes = 64 : i64, vector_registers = 32 : i64}} {
  func.func @packed_dots(%x: memref<2x58x58x64xbf16>, %w: memref<2x3x3x32x32x2xbf16>, %s: memref<2x56x56x64xf32>) {
    linalg.generic {indexing_maps = [#x, #w, #s], iterator_types = ["parallel", "parallel", "parallel", "reduction", "reduction", "reduction", "parallel"]}
        ins(%x, %w : memref<2x58x58x64xbf16>, memref<2x3x3x32x32x2xbf16>) outs(%s : memref<2x56x56x64xf32>) {
    ^bb0(%a: bf16, %b: bf16, %t: f32):
      %u = arith.extf %a : bf16 to f32
      %v = arith.extf %b : bf16 to f32
      %p = arith.mulf %u, %v fastmath<reassoc,contract> : f32
      %q = arith.addf %t, %p fastmath<reassoc,contract> : f32
      linalg.yield %q : f32
    }
    return
  }
}

// -----

// Copies into panels: of rows, steps are put side by side; columns that are
// consecutive along their steps are transposed.
#across = affine_map<(p, i, l, o, g) -> (p * 32 + i * 4096 + l * 128 + o + g * 64)>
#along = affine_map<(p, i, l, o, g) -> (p * 4096 + i * 64 + l * 4 + o * 128 + g)>
#panels = affine_map<(p, i, l, o, g) -> (p, i, l, o, g)>
// CHECK-LABEL: func.func @across(
// CHECK-COUNT-2: vector.load {{.*}} vector<32xbf16>
// CHECK: vector.interleave {{.*}} : vector<32xbf16> -> vector<64xbf16>
// CHECK: vector.store
// CHECK-LABEL: func.func @along(
// CHECK-COUNT-16: vector.load {{.*}} vector<64xi8>
// CHECK: vector.shuffle
// CHECK-COUNT-16: vector.store {{.*}} vector<64xi8>
module attributes {weft.machine = {matrix_tiles = true}} {
  func.func @across(%x: memref<12288xbf16>, %y: memref<2x3x32x32x2xbf16>) {
    linalg.generic {indexing_maps = [#across, #panels], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]}
        ins(%x : memref<12288xbf16>) outs(%y : memref<2x3x32x32x2xbf16>) {
    ^bb0(%a: bf16, %b: bf16):
      linalg.yield %a : bf16
    }
    return
  }
  func.func @along(%x: memref<8192xi8>, %y: memref<2x2x16x32x4xi8>) {
    linalg.generic {indexing_maps = [#along, #panels], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]}
        ins(%x : memref<8192xi8>) outs(%y : memref<2x2x16x32x4xi8>) {
    ^bb0(%a: i8, %b: i8):
      linalg.yield %a : i8
    }
    return
  }
}
