// RUN: weft-opt --pass-pipeline='builtin.module(func.func(weft-lower-contractions))' --split-input-file %s | FileCheck %s

#a = affine_map<(m, k, n) -> (m, k)>
#b = affine_map<(m, k, n) -> (k, n)>
#c = affine_map<(m, k, n) -> (m, n)>

// Four rows of two vectors stay in registers, twice over.
// CHECK-LABEL: func.func @product(
// CHECK-NOT: linalg.generic
// CHECK: scf.for
// CHECK: %{{.+}}:8 = scf.for {{.*}} iter_args
// CHECK-COUNT-2: vector.load {{.*}} vector<8xf32>
// CHECK: memref.load
// CHECK: vector.broadcast
// CHECK-COUNT-2: vector.fma
// CHECK-COUNT-8: vector.store
module attributes {weft.machine = {fma = true, vector_bytes = 32 : i64, vector_registers = 16 : i64}} {
  func.func @product(%a: memref<8x20xf32>, %b: memref<20x16xf32>, %c: memref<8x16xf32>) {
    linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "reduction", "parallel"]}
        ins(%a, %b : memref<8x20xf32>, memref<20x16xf32>) outs(%c : memref<8x16xf32>) {
    ^bb0(%x: f32, %y: f32, %s: f32):
      %p = arith.mulf %x, %y fastmath<reassoc,contract> : f32
      %t = arith.addf %s, %p fastmath<reassoc,contract> : f32
      linalg.yield %t : f32
    }
    return
  }
}

// -----

// The lanes are summed over, and what does not fill a vector is masked.
#a = affine_map<(m, k) -> (m, k)>
#x = affine_map<(m, k) -> (k)>
#y = affine_map<(m, k) -> (m)>
// CHECK-LABEL: func.func @matrix_by_vector(
// CHECK: vector.load {{.*}} vector<8xf32>
// CHECK: vector.maskedload
// CHECK: vector.extract_strided_slice
// CHECK: memref.store
module attributes {weft.machine = {fma = true, vector_bytes = 32 : i64, vector_registers = 16 : i64}} {
  func.func @matrix_by_vector(%a: memref<4x100xf32>, %x: memref<100xf32>, %y: memref<4xf32>) {
    linalg.generic {indexing_maps = [#a, #x, #y], iterator_types = ["parallel", "reduction"]}
        ins(%a, %x : memref<4x100xf32>, memref<100xf32>) outs(%y : memref<4xf32>) {
    ^bb0(%p: f32, %q: f32, %s: f32):
      %r = arith.mulf %p, %q fastmath<reassoc,contract> : f32
      %t = arith.addf %s, %r fastmath<reassoc,contract> : f32
      linalg.yield %t : f32
    }
    return
  }
}

// -----

// Without an instruction that does both, a product and a sum; half floats are
// widened in vectors.
#a = affine_map<(m, k, n) -> (m, k)>
#b = affine_map<(m, k, n) -> (k, n)>
#c = affine_map<(m, k, n) -> (m, n)>
// CHECK-LABEL: func.func @halves(
// CHECK: arith.extf %{{.+}} : vector<4xf16> to vector<4xf32>
// CHECK-NOT: vector.fma
// CHECK: arith.mulf %{{.+}} : vector<4xf32>
module attributes {weft.machine = {fma = false, vector_bytes = 16 : i64, vector_registers = 16 : i64}} {
  func.func @halves(%a: memref<8x20xf16>, %b: memref<20x16xf16>, %c: memref<8x16xf32>) {
    linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "reduction", "parallel"]}
        ins(%a, %b : memref<8x20xf16>, memref<20x16xf16>) outs(%c : memref<8x16xf32>) {
    ^bb0(%x: f16, %y: f16, %s: f32):
      %u = arith.extf %x : f16 to f32
      %v = arith.extf %y : f16 to f32
      %p = arith.mulf %u, %v fastmath<reassoc,contract> : f32
      %t = arith.addf %s, %p fastmath<reassoc,contract> : f32
      linalg.yield %t : f32
    }
    return
  }
}

// -----

// No other order than its own without permission.
#a = affine_map<(m, k, n) -> (m, k)>
#b = affine_map<(m, k, n) -> (k, n)>
#c = affine_map<(m, k, n) -> (m, n)>
// CHECK-LABEL: func.func @in_order(
// CHECK: linalg.generic
module {
  func.func @in_order(%a: memref<8x20xf32>, %b: memref<20x16xf32>, %c: memref<8x16xf32>) {
    linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "reduction", "parallel"]}
        ins(%a, %b : memref<8x20xf32>, memref<20x16xf32>) outs(%c : memref<8x16xf32>) {
    ^bb0(%x: f32, %y: f32, %s: f32):
      %p = arith.mulf %x, %y : f32
      %t = arith.addf %s, %p : f32
      linalg.yield %t : f32
    }
    return
  }
}

// -----

// What has been filled with zeros need not be read.
#a = affine_map<(m, k, n) -> (m, k)>
#b = affine_map<(m, k, n) -> (k, n)>
#c = affine_map<(m, k, n) -> (m, n)>
// CHECK-LABEL: func.func @from_zero(
// CHECK-SAME: %{{.+}}: memref<8x20xf32>, %{{.+}}: memref<20x8xf32>, %[[C:.+]]: memref<8x8xf32>)
// CHECK-NOT: linalg.fill
// CHECK: %[[BASE:[a-z0-9_]+]], %{{.+}} = memref.extract_strided_metadata %[[C]]
// CHECK: %[[ROW:.+]] = memref.reinterpret_cast %[[BASE]]
// CHECK-NOT: vector.load %[[ROW]]
// CHECK: vector.store %{{.+}}, %[[ROW]]
module attributes {weft.machine = {fma = true, vector_bytes = 32 : i64, vector_registers = 16 : i64}} {
  func.func @from_zero(%a: memref<8x20xf32>, %b: memref<20x8xf32>, %c: memref<8x8xf32>) {
    %zero = arith.constant 0.0 : f32
    linalg.fill ins(%zero : f32) outs(%c : memref<8x8xf32>)
    linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "reduction", "parallel"]}
        ins(%a, %b : memref<8x20xf32>, memref<20x8xf32>) outs(%c : memref<8x8xf32>) {
    ^bb0(%x: f32, %y: f32, %s: f32):
      %p = arith.mulf %x, %y fastmath<reassoc,contract> : f32
      %t = arith.addf %s, %p fastmath<reassoc,contract> : f32
      linalg.yield %t : f32
    }
    return
  }
}

// -----

// Rows of a transposed factor are neighbours, and its steps far apart: those of
// a block are copied together, in vectors and one by one at the end, and read
// from there.
#a = affine_map<(m, k, n) -> (k, m)>
#b = affine_map<(m, k, n) -> (k, n)>
#c = affine_map<(m, k, n) -> (m, n)>
// CHECK-LABEL: func.func @transposed(
// CHECK-SAME: %[[A:.+]]: memref<300x1001xf32>, %{{.+}}: memref<300x64xf32>,
// CHECK: %[[COPY:.+]] = memref.alloca() {alignment = 64 : i64} : memref<38304xf32>
// CHECK: %[[BASE:[a-z0-9_]+]], %{{.+}} = memref.extract_strided_metadata %[[A]]
// CHECK: %[[FAR:.+]] = memref.reinterpret_cast %[[BASE]]
// CHECK: %[[EIGHT:.+]] = vector.load %[[FAR]]
// CHECK: vector.store %[[EIGHT]], %[[COPY]]
// CHECK: %[[ONE:.+]] = memref.load %[[FAR]]
// CHECK: memref.store %[[ONE]], %[[COPY]]
// CHECK-NOT: memref.load %[[FAR]]
// CHECK: scf.for {{.*}} iter_args
// CHECK: memref.load %[[COPY]]
// CHECK: vector.fma
module attributes {weft.machine = {fma = true, vector_bytes = 32 : i64, vector_registers = 16 : i64}} {
  func.func @transposed(%a: memref<300x1001xf32>, %b: memref<300x64xf32>, %c: memref<1001x64xf32>) {
    linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "reduction", "parallel"]}
        ins(%a, %b : memref<300x1001xf32>, memref<300x64xf32>) outs(%c : memref<1001x64xf32>) {
    ^bb0(%x: f32, %y: f32, %s: f32):
      %p = arith.mulf %x, %y fastmath<reassoc,contract> : f32
      %t = arith.addf %s, %p fastmath<reassoc,contract> : f32
      linalg.yield %t : f32
    }
    return
  }
}

// -----

// What a block reads in vectors is copied into panels of a tile's lanes, for a part
// of its steps at a time; the last panel is not full.
#a = affine_map<(m, k, n) -> (m, k)>
#b = affine_map<(m, k, n) -> (k, n)>
#c = affine_map<(m, k, n) -> (m, n)>
// CHECK-LABEL: func.func @in_blocks(
// CHECK-SAME: %{{.+}}: memref<60x300xf32>, %[[B:.+]]: memref<300x300xf32>,
// CHECK: %[[COPY:.+]] = memref.alloca() {alignment = 64 : i64} : memref<7296xf32>
// CHECK: %[[BASE:[a-z0-9_]+]], %{{.+}} = memref.extract_strided_metadata %[[B]]
// CHECK: %[[FAR:.+]] = memref.reinterpret_cast %[[BASE]]
// CHECK: scf.for %[[BEGIN:.+]] = %{{.+}} to %[[K:c300.*]] step %[[STEPS:c152.*]] {
// CHECK: scf.for %{{.+}} = %[[BEGIN]] to
// CHECK-COUNT-3: vector.load %[[FAR]]
// CHECK: scf.if
// CHECK: vector.load %[[FAR]]
// CHECK: vector.maskedload %[[FAR]]
// CHECK: vector.maskedstore %[[COPY]]
// CHECK-NOT: vector.load %[[FAR]]
// CHECK: scf.for {{.*}} iter_args
// CHECK-COUNT-3: vector.load %[[COPY]]
// CHECK: vector.fma
module attributes {weft.machine = {fma = true, l1_bytes = 32768 : i64, l2_bytes = 1048576 : i64, vector_bytes = 32 : i64, vector_registers = 16 : i64}} {
  func.func @in_blocks(%a: memref<60x300xf32>, %b: memref<300x300xf32>, %c: memref<60x300xf32>) {
    linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "reduction", "parallel"]}
        ins(%a, %b : memref<60x300xf32>, memref<300x300xf32>) outs(%c : memref<60x300xf32>) {
    ^bb0(%x: f32, %y: f32, %s: f32):
      %p = arith.mulf %x, %y fastmath<reassoc,contract> : f32
      %t = arith.addf %s, %p fastmath<reassoc,contract> : f32
      linalg.yield %t : f32
    }
    return
  }
}

// -----

// Where lanes are far apart and steps lie side by side, squares of the block are turned
// round in registers; what is left of both goes one by one. In a loop that does not
// change the factor each step would turn the same: there the lanes are summed over.
#a = affine_map<(m, n, k) -> (m, k)>
#b = affine_map<(m, n, k) -> (n, k)>
#c = affine_map<(m, n, k) -> (m, n)>
// CHECK-LABEL: func.func @turned(
// CHECK-SAME: %{{.+}}: memref<20x43xf32>, %[[B:.+]]: memref<30x43xf32>,
// CHECK: %[[COPY:.+]] = memref.alloca() {alignment = 64 : i64} : memref<{{.+}}xf32>
// CHECK: %[[BASE:[a-z0-9_]+]], %{{.+}} = memref.extract_strided_metadata %[[B]]
// CHECK: %[[FAR:.+]] = memref.reinterpret_cast %[[BASE]]
// CHECK-COUNT-8: vector.load %[[FAR]]
// CHECK-COUNT-24: vector.shuffle
// CHECK-COUNT-8: vector.store %{{.+}}, %[[COPY]]
// CHECK: memref.load %[[FAR]]
// CHECK: memref.store %{{.+}}, %[[COPY]]
// CHECK: scf.for {{.*}} iter_args
// CHECK: vector.load %[[COPY]]
// CHECK: vector.fma
// CHECK-LABEL: func.func @repeated(
// CHECK-NOT: vector.shuffle
// CHECK: vector.extract_strided_slice
module attributes {weft.machine = {fma = true, l1_bytes = 32768 : i64, l2_bytes = 1048576 : i64, vector_bytes = 32 : i64, vector_registers = 16 : i64}} {
  func.func @turned(%a: memref<20x43xf32>, %b: memref<30x43xf32>, %c: memref<20x30xf32>) {
    linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction"]}
        ins(%a, %b : memref<20x43xf32>, memref<30x43xf32>) outs(%c : memref<20x30xf32>) {
    ^bb0(%x: f32, %y: f32, %s: f32):
      %p = arith.mulf %x, %y fastmath<reassoc,contract> : f32
      %t = arith.addf %s, %p fastmath<reassoc,contract> : f32
      linalg.yield %t : f32
    }
    return
  }
  func.func @repeated(%a: memref<20x43xf32>, %b: memref<30x43xf32>, %c: memref<20x30xf32>) {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c9 = arith.constant 9 : index
    scf.for %i = %c0 to %c9 step %c1 {
      linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction"]}
          ins(%a, %b : memref<20x43xf32>, memref<30x43xf32>) outs(%c : memref<20x30xf32>) {
      ^bb0(%x: f32, %y: f32, %s: f32):
        %p = arith.mulf %x, %y fastmath<reassoc,contract> : f32
        %t = arith.addf %s, %p fastmath<reassoc,contract> : f32
        linalg.yield %t : f32
      }
    }
    return
  }
}

// -----

// Numbers of 16 bits are turned as integers.
#a = affine_map<(m, n, k) -> (m, k)>
#b = affine_map<(m, n, k) -> (n, k)>
#c = affine_map<(m, n, k) -> (m, n)>
// CHECK-LABEL: func.func @turned_halves(
// CHECK: %[[COPY:.+]] = memref.alloca() {alignment = 64 : i64} : memref<{{.+}}xf16>
// CHECK: vector.bitcast %{{.+}} : vector<8xf16> to vector<8xi16>
// CHECK-COUNT-24: vector.shuffle %{{.+}} : vector<8xi16>, vector<8xi16>
// CHECK: vector.store %{{.+}}, %[[COPY]]
// CHECK: arith.extf %{{.+}} : vector<8xf16> to vector<8xf32>
// CHECK: vector.fma
module attributes {weft.machine = {fma = true, l1_bytes = 32768 : i64, l2_bytes = 1048576 : i64, vector_bytes = 32 : i64, vector_registers = 16 : i64}} {
  func.func @turned_halves(%a: memref<20x43xf16>, %b: memref<30x43xf16>, %c: memref<20x30xf32>) {
    linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction"]}
        ins(%a, %b : memref<20x43xf16>, memref<30x43xf16>) outs(%c : memref<20x30xf32>) {
    ^bb0(%x: f16, %y: f16, %s: f32):
      %u = arith.extf %x : f16 to f32
      %v = arith.extf %y : f16 to f32
      %p = arith.mulf %u, %v fastmath<reassoc,contract> : f32
      %t = arith.addf %s, %p fastmath<reassoc,contract> : f32
      linalg.yield %t : f32
    }
    return
  }
}

// -----

// Three rows are columns of tiles that sum along lanes: of 300 others, each is read
// once. There are three times as many sums, of which each one has eight lanes.
#a = affine_map<(m, n, k) -> (m, k)>
#b = affine_map<(m, n, k) -> (n, k)>
#c = affine_map<(m, n, k) -> (m, n)>
// CHECK-LABEL: func.func @few(
// CHECK-SAME: %[[A:.+]]: memref<3x1024xf32>, %[[B:.+]]: memref<300x1024xf32>,
// CHECK-DAG: %[[MANY:[a-z0-9_]+]], %{{.+}} = memref.extract_strided_metadata %[[B]]
// CHECK-DAG: %[[BS:.+]] = memref.reinterpret_cast %[[MANY]]
// CHECK-DAG: %[[FEW:[a-z0-9_]+]], %{{.+}} = memref.extract_strided_metadata %[[A]]
// CHECK-DAG: %[[AS:.+]] = memref.reinterpret_cast %[[FEW]]
// CHECK: scf.for %{{.+}} step %{{c4.*}} {
// CHECK: %{{.+}}:12 = scf.for {{.*}} iter_args
// CHECK-COUNT-3: vector.load %[[AS]]
// CHECK: vector.load %[[BS]]
// CHECK-COUNT-3: vector.fma
// CHECK: vector.load %[[BS]]
module attributes {weft.machine = {fma = true, l1_bytes = 32768 : i64, l2_bytes = 1048576 : i64, vector_bytes = 32 : i64, vector_registers = 16 : i64}} {
  func.func @few(%a: memref<3x1024xf32>, %b: memref<300x1024xf32>, %c: memref<3x300xf32>) {
    linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction"]}
        ins(%a, %b : memref<3x1024xf32>, memref<300x1024xf32>) outs(%c : memref<3x300xf32>) {
    ^bb0(%x: f32, %y: f32, %s: f32):
      %p = arith.mulf %x, %y fastmath<reassoc,contract> : f32
      %t = arith.addf %s, %p fastmath<reassoc,contract> : f32
      linalg.yield %t : f32
    }
    return
  }
}

// -----

// A single row: a few rows of what it is multiplied with are read side by side, each
// from end to end.
#a = affine_map<(m, k, n) -> (m, k)>
#b = affine_map<(m, k, n) -> (k, n)>
#c = affine_map<(m, k, n) -> (m, n)>
// CHECK-LABEL: func.func @row(
// CHECK: scf.for %[[BEGIN:.+]] = %{{.+}} to %{{c600.*}} step %{{c8.*}} {
// CHECK: scf.for %{{.+}} = %{{.+}} to %{{.+}} step %{{c56.*}} {
// CHECK: scf.for %{{.+}} = %[[BEGIN]] to %{{.+}} iter_args
module attributes {weft.machine = {fma = true, l1_bytes = 32768 : i64, l2_bytes = 1048576 : i64, vector_bytes = 32 : i64, vector_registers = 16 : i64}} {
  func.func @row(%a: memref<1x600xf32>, %b: memref<600x4096xf32>, %c: memref<1x4096xf32>) {
    linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "reduction", "parallel"]}
        ins(%a, %b : memref<1x600xf32>, memref<600x4096xf32>) outs(%c : memref<1x4096xf32>) {
    ^bb0(%x: f32, %y: f32, %s: f32):
      %p = arith.mulf %x, %y fastmath<reassoc,contract> : f32
      %t = arith.addf %s, %p fastmath<reassoc,contract> : f32
      linalg.yield %t : f32
    }
    return
  }
}

// -----

// Where those rows come from memory, a vector of each is read in turn, of as many as are
// written out.
#a = affine_map<(m, k, n) -> (m, k)>
#b = affine_map<(m, k, n) -> (k, n)>
#c = affine_map<(m, k, n) -> (m, n)>
// CHECK-LABEL: func.func @row_from_memory(
// CHECK: scf.for %[[BEGIN:.+]] = %{{.+}} to %{{c594.*}} step %{{c9.*}} {
// CHECK: scf.for %{{.+}} = %{{.+}} to %{{.+}} step %{{c8.*}} {
// CHECK: vector.load
// CHECK-NOT: scf.for
// CHECK-COUNT-9: vector.fma
// CHECK-NOT: vector.fma
// CHECK: vector.store
// CHECK: scf.for %{{.+}} = %{{.+}} to %{{.+}} step %{{c8.*}} {
// CHECK-COUNT-8: vector.fma
// CHECK-NOT: vector.fma
// CHECK: return
module attributes {weft.machine = {fma = true, l1_bytes = 32768 : i64, l2_bytes = 131072 : i64, vector_bytes = 32 : i64, vector_registers = 16 : i64}} {
  func.func @row_from_memory(%a: memref<1x602xf32>, %b: memref<602x4096xf32>, %c: memref<1x4096xf32>) {
    linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "reduction", "parallel"]}
        ins(%a, %b : memref<1x602xf32>, memref<602x4096xf32>) outs(%c : memref<1x4096xf32>) {
    ^bb0(%x: f32, %y: f32, %s: f32):
      %p = arith.mulf %x, %y fastmath<reassoc,contract> : f32
      %t = arith.addf %s, %p fastmath<reassoc,contract> : f32
      linalg.yield %t : f32
    }
    return
  }
}

// -----

// Of a sum over many steps of several loops, rows of which are neighbours, the first
// ones are outside of the tiles: sums begin with zeros in memory, and each block is
// added to them.
#x = affine_map<(i, c, n, y, o) -> (n, y + i, c)>
#g = affine_map<(i, c, n, y, o) -> (n, y, o)>
#w = affine_map<(i, c, n, y, o) -> (i, c, o)>
// CHECK-LABEL: func.func @several_loops(
// CHECK: %[[ZERO:.+]] = arith.constant dense<0.000000e+00> : vector<8xf32>
// CHECK: vector.store %[[ZERO]]
// CHECK: scf.for %{{.+}} = %{{.+}} to %[[N:c16.*]] step
// CHECK-NOT: iter_args
// CHECK: scf.for %[[BEGIN:.+]] = %{{.+}} to %[[Y:c200.*]] step %[[BLOCK:.+]] {
// CHECK: %[[AFTER:.+]] = arith.addi %[[BEGIN]], %[[BLOCK]]
// CHECK: %[[END:.+]] = arith.minui %[[AFTER]], %[[Y]]
// CHECK: vector.load
// CHECK: scf.for %{{.+}} = %[[BEGIN]] to %[[END]] step %{{.+}} iter_args
// CHECK: vector.fma
module attributes {weft.machine = {fma = true, l1_bytes = 8192 : i64, l2_bytes = 1048576 : i64, vector_bytes = 32 : i64, vector_registers = 16 : i64}} {
  func.func @several_loops(%x: memref<16x202x64xf32>, %g: memref<16x200x32xf32>, %w: memref<3x64x32xf32>) {
    %zero = arith.constant 0.0 : f32
    linalg.fill ins(%zero : f32) outs(%w : memref<3x64x32xf32>)
    linalg.generic {indexing_maps = [#x, #g, #w], iterator_types = ["parallel", "parallel", "reduction", "reduction", "parallel"]}
        ins(%x, %g : memref<16x202x64xf32>, memref<16x200x32xf32>) outs(%w : memref<3x64x32xf32>) {
    ^bb0(%a: f32, %b: f32, %s: f32):
      %p = arith.mulf %a, %b fastmath<reassoc,contract> : f32
      %t = arith.addf %s, %p fastmath<reassoc,contract> : f32
      linalg.yield %t : f32
    }
    return
  }
}

// -----

// Where rows are few and what is read in vectors is much, a block has the rows of
// another loop too: each step of the sums is added to all of them, and reads a
// part of the vectors from the first cache.

#x = affine_map<(n, h, w, ky, kx, c, o) -> (n, h + ky, w + kx, c)>
#k = affine_map<(n, h, w, ky, kx, c, o) -> (ky, kx, c, o)>
#y = affine_map<(n, h, w, ky, kx, c, o) -> (n, h, w, o)>

// CHECK-LABEL: func.func @few_rows(
// CHECK: scf.for %{{.+}} = %{{.+}} to %c9{{.*}} step
// CHECK: %[[W:c17.*]] = arith.constant 17
// CHECK: scf.for %{{.+}} = %{{.+}} to %[[W]] step
// CHECK: vector.store %{{.*}}
// CHECK: scf.for %{{.+}} = %{{.+}} to %[[KY:c3.*]] step
// CHECK: scf.for %[[BEGIN:.+]] = %{{.+}} to %[[SUM:c288.*]] step
// CHECK: %[[END:.+]] = arith.minui %{{.+}}, %[[SUM]]
// CHECK: %[[W2:c17.*]] = arith.constant 17
// CHECK: scf.for %{{.+}} = %{{.+}} to %[[W2]] step
// CHECK: scf.for %{{.+}} = %[[BEGIN]] to %[[END]] step %{{.+}} iter_args
// CHECK: vector.fma
// CHECK: } {weft.parallel}
module attributes {weft.machine = {fma = true, l1_bytes = 32768 : i64, l2_bytes = 524288 : i64, vector_bytes = 64 : i64, vector_registers = 32 : i64}} {
  func.func @few_rows(%x: memref<9x19x19x96xf32>, %k: memref<3x3x96x64xf32>, %y: memref<9x17x17x64xf32>) {
    %zero = arith.constant 0.0 : f32
    linalg.fill ins(%zero : f32) outs(%y : memref<9x17x17x64xf32>)
    linalg.generic {indexing_maps = [#x, #k, #y], iterator_types = ["parallel", "parallel", "parallel", "reduction", "reduction", "reduction", "parallel"]}
        ins(%x, %k : memref<9x19x19x96xf32>, memref<3x3x96x64xf32>) outs(%y : memref<9x17x17x64xf32>) {
    ^bb0(%a: f32, %b: f32, %s: f32):
      %p = arith.mulf %a, %b fastmath<reassoc,contract> : f32
      %t = arith.addf %s, %p fastmath<reassoc,contract> : f32
      linalg.yield %t : f32
    }
    return
  }
}

// -----

// Rows are what is nearest, if that is enough of it: neighbours in an image, and not
// the images, which are 32768 bytes apart.

#x = affine_map<(n, h, w, ky, kx, c, o) -> (n, h + ky, w + kx, c)>
#k = affine_map<(n, h, w, ky, kx, c, o) -> (ky, kx, c, o)>
#y = affine_map<(n, h, w, ky, kx, c, o) -> (n, h, w, o)>

// CHECK-LABEL: func.func @near_rows(
// CHECK: %[[W:.+]] = arith.constant 14 : index
// CHECK: iter_args
// CHECK: memref.load
// CHECK: %[[NEXT:.+]] = arith.constant 32 : index
// CHECK: arith.addi %{{.+}}, %[[NEXT]]
// CHECK-NEXT: memref.load
module attributes {weft.machine = {fma = true, l1_bytes = 32768 : i64, l2_bytes = 524288 : i64, vector_bytes = 64 : i64, vector_registers = 32 : i64}} {
  func.func @near_rows(%x: memref<32x16x16x32xf32>, %k: memref<3x3x32x16xf32>, %y: memref<32x14x14x16xf32>) {
    linalg.generic {indexing_maps = [#x, #k, #y], iterator_types = ["parallel", "parallel", "parallel", "reduction", "reduction", "reduction", "parallel"]}
        ins(%x, %k : memref<32x16x16x32xf32>, memref<3x3x32x16xf32>) outs(%y : memref<32x14x14x16xf32>) {
    ^bb0(%a: f32, %b: f32, %s: f32):
      %p = arith.mulf %a, %b fastmath<reassoc,contract> : f32
      %t = arith.addf %s, %p fastmath<reassoc,contract> : f32
      linalg.yield %t : f32
    }
    return
  }
}

// -----

// LLVM is told to keep the loop over a short row of sums that a long epilogue changes,
// which it would unroll, and then find vectors down the columns.

#a = affine_map<(m, k, n) -> (m, k)>
#b = affine_map<(m, k, n) -> (k, n)>
#c = affine_map<(m, k, n) -> (m, n)>
#id = affine_map<(m, n) -> (m, n)>
#row = affine_map<(m, n) -> (n)>

// CHECK: #loop_unroll = #llvm.loop_unroll<disable = true>
// CHECK-LABEL: func.func @short_epilogue(
// CHECK: vector.fma
// CHECK: math.exp %{{.+}} : f32
// CHECK: } {loop_annotation = #loop_annotation}
// CHECK: return
module attributes {weft.machine = {fma = true, l1_bytes = 32768 : i64, l2_bytes = 524288 : i64, vector_bytes = 64 : i64, vector_registers = 32 : i64}} {
  func.func @short_epilogue(%a: memref<64x20xf32>, %b: memref<20x16xf32>, %bias: memref<16xf32>, %c: memref<64x16xf32>) {
    linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "reduction", "parallel"]}
        ins(%a, %b : memref<64x20xf32>, memref<20x16xf32>) outs(%c : memref<64x16xf32>) {
    ^bb0(%x: f32, %y: f32, %s: f32):
      %p = arith.mulf %x, %y fastmath<reassoc,contract> : f32
      %t = arith.addf %s, %p fastmath<reassoc,contract> : f32
      linalg.yield %t : f32
    }
    linalg.generic {indexing_maps = [#row, #id], iterator_types = ["parallel", "parallel"]}
        ins(%bias : memref<16xf32>) outs(%c : memref<64x16xf32>) attrs = {weft.epilogue} {
    ^bb0(%x: f32, %s: f32):
      %t = arith.addf %s, %x : f32
      %e = math.exp %t : f32
      linalg.yield %e : f32
    }
    return
  }
}

// -----

// One block is no share for threads: 144 rows are in four, each of three tiles.

#x = affine_map<(i, c, n, y, o) -> (n, y + i, c)>
#g = affine_map<(i, c, n, y, o) -> (n, y, o)>
#w = affine_map<(i, c, n, y, o) -> (i, c, o)>

// CHECK-LABEL: func.func @shared_rows(
// CHECK: scf.for %{{.+}} = %{{.+}} to %c4{{.*}} step
// CHECK: vector.fma
// CHECK: } {weft.parallel}
module attributes {weft.machine = {fma = true, l1_bytes = 32768 : i64, l2_bytes = 1048576 : i64, vector_bytes = 64 : i64, vector_registers = 32 : i64}} {
  func.func @shared_rows(%x: memref<32x202x48xf32>, %g: memref<32x200x32xf32>, %w: memref<3x48x32xf32>) {
    linalg.generic {indexing_maps = [#x, #g, #w], iterator_types = ["parallel", "parallel", "reduction", "reduction", "parallel"]}
        ins(%x, %g : memref<32x202x48xf32>, memref<32x200x32xf32>) outs(%w : memref<3x48x32xf32>) {
    ^bb0(%a: f32, %b: f32, %s: f32):
      %p = arith.mulf %a, %b fastmath<reassoc,contract> : f32
      %t = arith.addf %s, %p fastmath<reassoc,contract> : f32
      linalg.yield %t : f32
    }
    return
  }
}

// -----

// Of panels that the first cache has no room for, tiles fetch the vectors of the fourth
// step from theirs; and each step a part of the next panel, where all of them are in
// memory: 64 lanes of it a step by 17 tiles of rows.
#a = affine_map<(m, k, n) -> (m, k)>
#b = affine_map<(m, k, n) -> (n floordiv 64, k, n mod 64)>
#c = affine_map<(m, k, n) -> (m, n)>
// CHECK-LABEL: func.func @panels(
// CHECK-SAME: memref<200x1500xf32>, %[[B:.+]]: memref<4x1500x64xf32>,
// CHECK: %[[BASE:[a-z0-9_]+]], %{{.+}} = memref.extract_strided_metadata %[[B]]
// CHECK: %[[PANELS:.+]] = memref.reinterpret_cast %[[BASE]]
// CHECK: %{{.+}}:24 = scf.for {{.*}} iter_args
// CHECK: %[[LATER:.+]] = arith.addi %[[HERE:.+]], %{{c256.*}}
// CHECK-NEXT: memref.prefetch %[[PANELS]][%[[LATER]]], read, locality<3>, data
// CHECK-COUNT-3: memref.prefetch %[[PANELS]]{{.*}}, read, locality<3>, data
// CHECK: arith.addi %{{.+}}, %{{c96000.*}}
// CHECK: %[[SHARE:.+]] = arith.muli %{{.+}}, %{{c4.*}}
// CHECK-NEXT: %[[NEXT:.+]] = arith.addi %{{.+}}, %[[SHARE]]
// CHECK-NEXT: memref.prefetch %[[PANELS]][%[[NEXT]]], read, locality<2>, data
// CHECK: vector.load %[[PANELS]][%[[HERE]]]
// CHECK-LABEL: func.func @near_panels(
// CHECK-COUNT-4: memref.prefetch %{{.*}}, read, locality<3>, data
// CHECK-NOT: locality<2>
module attributes {weft.machine = {fma = true, l1_bytes = 49152 : i64, l2_bytes = 1048576 : i64, vector_bytes = 64 : i64, vector_registers = 32 : i64}} {
  func.func @panels(%a: memref<200x1500xf32>, %b: memref<4x1500x64xf32>, %c: memref<200x256xf32>) {
    linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "reduction", "parallel"]}
        ins(%a, %b : memref<200x1500xf32>, memref<4x1500x64xf32>) outs(%c : memref<200x256xf32>) {
    ^bb0(%x: f32, %y: f32, %s: f32):
      %p = arith.mulf %x, %y fastmath<reassoc,contract> : f32
      %t = arith.addf %s, %p fastmath<reassoc,contract> : f32
      linalg.yield %t : f32
    }
    return
  }
  func.func @near_panels(%a: memref<200x500xf32>, %b: memref<4x500x64xf32>, %c: memref<200x256xf32>) {
    linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "reduction", "parallel"]}
        ins(%a, %b : memref<200x500xf32>, memref<4x500x64xf32>) outs(%c : memref<200x256xf32>) {
    ^bb0(%x: f32, %y: f32, %s: f32):
      %p = arith.mulf %x, %y fastmath<reassoc,contract> : f32
      %t = arith.addf %s, %p fastmath<reassoc,contract> : f32
      linalg.yield %t : f32
    }
    return
  }
}

// -----

// A short epilogue changes complete sums of a tile in registers: what belongs to the
// lanes is read once for all rows, what belongs to a row is put in all lanes.

#a = affine_map<(m, k, n) -> (m, k)>
#b = affine_map<(m, k, n) -> (k, n)>
#c = affine_map<(m, k, n) -> (m, n)>
#id = affine_map<(m, n) -> (m, n)>
#column = affine_map<(m, n) -> (m)>
#row = affine_map<(m, n) -> (n)>

// CHECK-LABEL: func.func @changed_in_registers(
// CHECK: vector.fma
// CHECK: scf.yield
// CHECK: %[[BIAS:.+]] = vector.maskedload %{{.+}}, %{{.*}}vector<16xf32>
// CHECK: %[[SCALE:.+]] = memref.load
// CHECK: vector.maskedload
// CHECK: %[[SCALES:.+]] = vector.broadcast %[[SCALE]]
// CHECK: arith.mulf %{{.+}}, %[[SCALES]] : vector<16xf32>
// CHECK: arith.addf %{{.+}}, %[[BIAS]] : vector<16xf32>
// CHECK: arith.maximumf %{{.+}} : vector<16xf32>
// CHECK: arith.addf %{{.+}}, %[[BIAS]] : vector<16xf32>
// CHECK: vector.maskedstore
// CHECK-NOT: memref.store
// CHECK: return
module attributes {weft.machine = {fma = true, l1_bytes = 32768 : i64, l2_bytes = 524288 : i64, vector_bytes = 64 : i64, vector_registers = 32 : i64}} {
  func.func @changed_in_registers(%a: memref<64x20xf32>, %b: memref<20x12xf32>, %bias: memref<12xf32>, %scale: memref<64xf32>, %rest: memref<64x12xf32>, %c: memref<64x12xf32>) {
    %zero = arith.constant 0.0 : f32
    linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "reduction", "parallel"]}
        ins(%a, %b : memref<64x20xf32>, memref<20x12xf32>) outs(%c : memref<64x12xf32>) {
    ^bb0(%x: f32, %y: f32, %s: f32):
      %p = arith.mulf %x, %y fastmath<reassoc,contract> : f32
      %t = arith.addf %s, %p fastmath<reassoc,contract> : f32
      linalg.yield %t : f32
    }
    linalg.generic {indexing_maps = [#row, #column, #id, #id], iterator_types = ["parallel", "parallel"]}
        ins(%bias, %scale, %rest : memref<12xf32>, memref<64xf32>, memref<64x12xf32>) outs(%c : memref<64x12xf32>) attrs = {weft.epilogue} {
    ^bb0(%x: f32, %f: f32, %r: f32, %s: f32):
      %t = arith.mulf %s, %f : f32
      %u = arith.addf %t, %x : f32
      %v = arith.maximumf %u, %zero : f32
      %w = arith.addf %v, %r : f32
      linalg.yield %w : f32
    }
    return
  }
}

// -----

// Rows of a page are read one after the other where they come from memory.
#a = affine_map<(m, n, k) -> (m, k)>
#b = affine_map<(m, n, k) -> (n, k)>
#c = affine_map<(m, n, k) -> (m, n)>
// CHECK-LABEL: func.func @short_rows(
// CHECK: %{{.+}}:9 = scf.for %{{.+}} = %c0 to %c120 step %c24 iter_args
// CHECK: vector.fma
// CHECK-LABEL: func.func @cached(
// CHECK: %{{.+}}:12 = scf.for {{.*}} iter_args
// CHECK: vector.fma
module attributes {weft.machine = {fma = true, l1_bytes = 32768 : i64, l2_bytes = 1048576 : i64, vector_bytes = 32 : i64, vector_registers = 16 : i64}} {
  func.func @short_rows(%a: memref<3x128xf32>, %b: memref<30000x128xf32>, %c: memref<3x30000xf32>) {
    linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction"]}
        ins(%a, %b : memref<3x128xf32>, memref<30000x128xf32>) outs(%c : memref<3x30000xf32>) {
    ^bb0(%x: f32, %y: f32, %s: f32):
      %p = arith.mulf %x, %y fastmath<reassoc,contract> : f32
      %t = arith.addf %s, %p fastmath<reassoc,contract> : f32
      linalg.yield %t : f32
    }
    return
  }
  func.func @cached(%a: memref<2x128xf32>, %b: memref<1000x128xf32>, %c: memref<2x1000xf32>) {
    linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction"]}
        ins(%a, %b : memref<2x128xf32>, memref<1000x128xf32>) outs(%c : memref<2x1000xf32>) {
    ^bb0(%x: f32, %y: f32, %s: f32):
      %p = arith.mulf %x, %y fastmath<reassoc,contract> : f32
      %t = arith.addf %s, %p fastmath<reassoc,contract> : f32
      linalg.yield %t : f32
    }
    return
  }
}
