// RUN: weft-opt %s -pass-pipeline='builtin.module(func.func(weft-group-blocks))' -split-input-file | FileCheck %s
// RUN: weft-opt %s -pass-pipeline='builtin.module(func.func(weft-group-blocks,canonicalize,cse,weft-group-rows))' -split-input-file | FileCheck %s --check-prefix=ROWS

#qa = affine_map<(h, i, d, j) -> (h, i, d)>
#ka = affine_map<(h, i, d, j) -> (h, d, j)>
#sa = affine_map<(h, i, d, j) -> (h, i, j)>
#wa = affine_map<(h, i, j, d) -> (h, i, j)>
#va = affine_map<(h, i, j, d) -> (h, j, d)>
#ya = affine_map<(h, i, j, d) -> (h, i, d)>
#id = affine_map<(h, i, j) -> (h, i, j)>
#row = affine_map<(h, i, j) -> (h, i)>

module attributes {weft.machine = {fma = true, l1_bytes = 1024 : i64, l2_bytes = 16384 : i64, share_from = 1000 : i64, vector_bytes = 32 : i64, vector_registers = 16 : i64}} {
// Blocks of 16 of the 32 rows: scores and weights are never whole. An op that has
// nothing to do with them, %other, is done before.

// CHECK-LABEL: func.func @attention(
// CHECK-SAME: %[[Q:.*]]: memref<4x32x8xf32>, %[[K:.*]]: memref<4x8x64xf32>, %[[V:.*]]: memref<4x64x8xf32>, %[[Y:.*]]: memref<4x32x8xf32>, %[[OTHER:.*]]: memref<4x64x8xf32>)
// CHECK-NOT: memref.alloc()
// CHECK: linalg.generic {{.*}} outs(%[[OTHER]]
// CHECK: scf.for %[[STEP:.*]] = %{{.*}} to %{{.*}} step
// CHECK: %[[BLOCK:.*]] = arith.remui %[[STEP]],
// CHECK: %[[HEAD:.*]] = arith.divui %[[STEP]],
// CHECK: %[[I:.*]] = arith.muli %[[BLOCK]], %{{.*}}
// CHECK: %[[SCORES:.*]] = memref.alloca() {alignment = 64 : i64} : memref<16x64xf32>
// CHECK: linalg.fill {{.*}} outs(%[[SCORES]]
// CHECK: %[[QROWS:.*]] = memref.subview %[[Q]][%[[HEAD]], %[[I]], 0] [1, 16, 8]
// CHECK: %[[KHEAD:.*]] = memref.subview %[[K]][%[[HEAD]], 0, 0] [1, 8, 64]
// CHECK: linalg.generic {{.*}} ins(%[[QROWS]], %[[KHEAD]] : {{.*}} outs(%[[SCORES]]
// CHECK: %[[WEIGHTS:.*]] = memref.alloca() {alignment = 64 : i64} : memref<16x64xf32>
// CHECK: linalg.generic {{.*}} ins(%[[SCORES]] {{.*}} outs(%[[WEIGHTS]]
// CHECK-NEXT: ^bb0
// CHECK-NEXT: %[[LOCAL:.*]] = linalg.index 0
// CHECK-NEXT: arith.addi %[[LOCAL]], %[[I]]
// CHECK: linalg.generic {{.*}} ins(%[[WEIGHTS]],
// CHECK: } {weft.parallel, weft.rows}
// ROWS-LABEL: func.func @attention(
// ROWS: weft.rows
func.func @attention(%q: memref<4x32x8xf32>, %k: memref<4x8x64xf32>, %v: memref<4x64x8xf32>, %y: memref<4x32x8xf32>, %other: memref<4x64x8xf32>) {
  %zero = arith.constant 0.0 : f32
  %scores = memref.alloc() : memref<4x32x64xf32>
  linalg.fill ins(%zero : f32) outs(%scores : memref<4x32x64xf32>)
  linalg.generic {indexing_maps = [#qa, #ka, #sa], iterator_types = ["parallel", "parallel", "reduction", "parallel"]}
      ins(%q, %k : memref<4x32x8xf32>, memref<4x8x64xf32>) outs(%scores : memref<4x32x64xf32>) {
  ^bb0(%a: f32, %b: f32, %out: f32):
    %m = arith.mulf %a, %b fastmath<reassoc,contract> : f32
    %s = arith.addf %out, %m fastmath<reassoc,contract> : f32
    linalg.yield %s : f32
  }
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%v : memref<4x64x8xf32>) outs(%other : memref<4x64x8xf32>) {
  ^bb0(%a: f32, %out: f32):
    %n = arith.negf %a : f32
    linalg.yield %n : f32
  }
  %weights = memref.alloc() : memref<4x32x64xf32>
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%scores : memref<4x32x64xf32>) outs(%weights : memref<4x32x64xf32>) {
  ^bb0(%a: f32, %out: f32):
    %i = linalg.index 1 : index
    %j = linalg.index 2 : index
    %c = arith.cmpi sge, %i, %j : index
    %w = arith.select %c, %a, %zero : f32
    linalg.yield %w : f32
  }
  linalg.fill ins(%zero : f32) outs(%y : memref<4x32x8xf32>)
  linalg.generic {indexing_maps = [#wa, #va, #ya], iterator_types = ["parallel", "parallel", "reduction", "parallel"]}
      ins(%weights, %v : memref<4x32x64xf32>, memref<4x64x8xf32>) outs(%y : memref<4x32x8xf32>) {
  ^bb0(%a: f32, %b: f32, %out: f32):
    %m = arith.mulf %a, %b fastmath<reassoc,contract> : f32
    %s = arith.addf %out, %m fastmath<reassoc,contract> : f32
    linalg.yield %s : f32
  }
  return
}

// Scores that somebody else reads stay whole, and nothing is gained.

// CHECK-LABEL: func.func @kept(
// CHECK-NOT: scf.for
// CHECK: return
func.func @kept(%q: memref<4x32x8xf32>, %k: memref<4x8x64xf32>, %scores: memref<4x32x64xf32>, %y: memref<4x32x64xf32>) {
  %zero = arith.constant 0.0 : f32
  linalg.fill ins(%zero : f32) outs(%scores : memref<4x32x64xf32>)
  linalg.generic {indexing_maps = [#qa, #ka, #sa], iterator_types = ["parallel", "parallel", "reduction", "parallel"]}
      ins(%q, %k : memref<4x32x8xf32>, memref<4x8x64xf32>) outs(%scores : memref<4x32x64xf32>) {
  ^bb0(%a: f32, %b: f32, %out: f32):
    %m = arith.mulf %a, %b fastmath<reassoc,contract> : f32
    %s = arith.addf %out, %m fastmath<reassoc,contract> : f32
    linalg.yield %s : f32
  }
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%scores : memref<4x32x64xf32>) outs(%y : memref<4x32x64xf32>) {
  ^bb0(%a: f32, %out: f32):
    %n = arith.negf %a : f32
    linalg.yield %n : f32
  }
  return
}
}

// -----

#qa = affine_map<(h, i, d, j) -> (h, i, d)>
#ka = affine_map<(h, i, d, j) -> (h, d, j)>
#sa = affine_map<(h, i, d, j) -> (h, i, j)>
#wa = affine_map<(h, i, j, d) -> (h, i, j)>
#va = affine_map<(h, i, j, d) -> (h, j, d)>
#ya = affine_map<(h, i, j, d) -> (h, i, d)>
#id = affine_map<(h, i, j) -> (h, i, j)>
#row = affine_map<(h, i, j) -> (h, i)>
#first = affine_map<(h, i, j) -> (0, i)>
#turned = affine_map<(h, j, i) -> (h, i, j)>
#turned_row = affine_map<(h, j, i) -> (h, i)>

module attributes {weft.machine = {fma = true, l1_bytes = 1024 : i64, l2_bytes = 4096 : i64, share_from = 1000 : i64, vector_bytes = 32 : i64, vector_registers = 16 : i64}} {
// What is kept for later, as derivatives do, is written whole, and read again block by
// block. Rows of an array are one value, whether a loop walks along its one head or
// not, so that they become one loop of rows in turn.

// CHECK-LABEL: func.func @saved(
// CHECK-DAG: %[[S:.*]] = memref.alloc() : memref<1x32x64xf32>
// CHECK-DAG: %[[M:.*]] = memref.alloc() : memref<1x32xf32>
// CHECK-DAG: %[[W:.*]] = memref.alloc() : memref<1x32x64xf32>
// CHECK: scf.for
// CHECK: %[[SROWS:.*]] = memref.subview %{{.*}}[0, %[[I:.*]], 0] [1, 16, 64] {{.*}} memref<1x32x64xf32>
// CHECK: linalg.fill {{.*}} outs(%[[SROWS]]
// CHECK: linalg.generic {{.*}} outs(%[[SROWS]]
// CHECK: %[[MROWS:.*]] = memref.subview %{{.*}}[0, %[[I]]] [1, 16]
// CHECK: linalg.fill {{.*}} outs(%[[MROWS]]
// CHECK: linalg.generic {{.*}} ins(%[[SROWS]] {{.*}} outs(%[[MROWS]]
// CHECK: %[[WROWS:.*]] = memref.subview %{{.*}}[0, %[[I]], 0] [1, 16, 64]
// CHECK: linalg.generic {{.*}} ins(%[[SROWS]], %[[MROWS]] {{.*}} outs(%[[WROWS]]
// CHECK: linalg.generic {{.*}} ins(%[[WROWS]],
// CHECK: } {weft.parallel, weft.rows}
// CHECK: linalg.generic
// CHECK: return
// ROWS-LABEL: func.func @saved(
// ROWS-COUNT-2: scf.for
// ROWS: linalg.fill
// ROWS: arith.maximumf
// ROWS: math.exp
// ROWS: } {weft.parallel, weft.rows}
// ROWS: arith.mulf
// ROWS: } {weft.parallel, weft.rows}
func.func @saved(%q: memref<1x32x8xf32>, %k: memref<1x8x64xf32>, %v: memref<1x64x8xf32>, %y: memref<1x32x8xf32>, %z: memref<1x64x32xf32>) {
  %zero = arith.constant 0.0 : f32
  %least = arith.constant 0xFF800000 : f32
  %scores = memref.alloc() : memref<1x32x64xf32>
  linalg.fill ins(%zero : f32) outs(%scores : memref<1x32x64xf32>)
  linalg.generic {indexing_maps = [#qa, #ka, #sa], iterator_types = ["parallel", "parallel", "reduction", "parallel"]}
      ins(%q, %k : memref<1x32x8xf32>, memref<1x8x64xf32>) outs(%scores : memref<1x32x64xf32>) {
  ^bb0(%a: f32, %b: f32, %out: f32):
    %m = arith.mulf %a, %b fastmath<reassoc,contract> : f32
    %s = arith.addf %out, %m fastmath<reassoc,contract> : f32
    linalg.yield %s : f32
  }
  %most = memref.alloc() : memref<1x32xf32>
  linalg.fill ins(%least : f32) outs(%most : memref<1x32xf32>)
  linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%scores : memref<1x32x64xf32>) outs(%most : memref<1x32xf32>) {
  ^bb0(%a: f32, %out: f32):
    %m = arith.maximumf %out, %a : f32
    linalg.yield %m : f32
  }
  %weights = memref.alloc() : memref<1x32x64xf32>
  linalg.generic {indexing_maps = [#id, #first, #id], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%scores, %most : memref<1x32x64xf32>, memref<1x32xf32>) outs(%weights : memref<1x32x64xf32>) {
  ^bb0(%a: f32, %m: f32, %out: f32):
    %d = arith.subf %a, %m : f32
    %e = math.exp %d : f32
    linalg.yield %e : f32
  }
  linalg.fill ins(%zero : f32) outs(%y : memref<1x32x8xf32>)
  linalg.generic {indexing_maps = [#wa, #va, #ya], iterator_types = ["parallel", "parallel", "reduction", "parallel"]}
      ins(%weights, %v : memref<1x32x64xf32>, memref<1x64x8xf32>) outs(%y : memref<1x32x8xf32>) {
  ^bb0(%a: f32, %b: f32, %out: f32):
    %m = arith.mulf %a, %b fastmath<reassoc,contract> : f32
    %s = arith.addf %out, %m fastmath<reassoc,contract> : f32
    linalg.yield %s : f32
  }
  linalg.generic {indexing_maps = [#turned, #turned, #turned_row, #id], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%scores, %weights, %most : memref<1x32x64xf32>, memref<1x32x64xf32>, memref<1x32xf32>) outs(%z : memref<1x64x32xf32>) {
  ^bb0(%a: f32, %w: f32, %m: f32, %out: f32):
    %s = arith.addf %a, %w : f32
    %t = arith.addf %s, %m : f32
    linalg.yield %t : f32
  }
  return
}
}
