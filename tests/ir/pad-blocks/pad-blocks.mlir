// RUN: weft-opt %s -pass-pipeline='builtin.module(func.func(weft-pad-blocks))' | FileCheck %s

#window = affine_map<(n, h, w, p, q, c) -> (n, h * 2 + p, w * 2 + q, c)>
#near = affine_map<(n, h, w, p, q, c) -> (n, h + p, w + q, c)>
#reverse = affine_map<(n, h, w, c) -> (n, -h + 61, w, c)>
#kernel = affine_map<(n, h, w, p, q, c) -> (p, q, c)>
#result = affine_map<(n, h, w, p, q, c) -> (n, h, w, c)>
#id = affine_map<(n, h, w, c) -> (n, h, w, c)>
#bias = affine_map<(n, h, w, c) -> (c)>

module attributes {weft.machine = {fma = true, l1_bytes = 1024 : i64, l2_bytes = 8192 : i64, share_from = 1000 : i64, vector_bytes = 32 : i64, vector_registers = 16 : i64}} {
// 16 rows of the result are one block, which reads 33 of the padded array; the
// bias is added in the same block.

// CHECK-LABEL: func.func @depthwise(
// CHECK-SAME: %[[X:.*]]: memref<2x62x20x8xf32>, %[[K:.*]]: memref<3x3x8xf32>, %[[B:.*]]: memref<8xf32>, %[[Y:.*]]: memref<2x32x10x8xf32>)
// CHECK-NOT: memref.alloc()
// CHECK: scf.for %[[STEP:.*]] =
// CHECK: %[[BLOCK:.*]] = arith.remui %[[STEP]],
// CHECK: %[[N:.*]] = arith.divui %[[STEP]],
// CHECK: %[[H:.*]] = arith.muli %[[BLOCK]],
// CHECK: %[[PART:.*]] = memref.alloca() {alignment = 64 : i64} : memref<1x33x22x8xf32>
// CHECK: %[[FIRST:.*]] = affine.apply #{{.*}}(%[[H]])
// CHECK: scf.for %[[PLACE:.*]] = %{{.*}} to %{{.*}} step
// CHECK: %[[AT:.*]] = arith.addi %[[FIRST]], %[[PLACE]]
// CHECK: %[[FROM:.*]] = arith.subi %[[AT]],
// CHECK: arith.cmpi ult, %[[FROM]],
// CHECK: scf.if
// CHECK: memref.subview %[[PART]][0, %[[PLACE]], 0, 0] [1, 1, 1, 8]
// CHECK: memref.subview %[[PART]][0, %[[PLACE]], 21, 0] [1, 1, 1, 8]
// CHECK: memref.subview %[[PART]][0, %[[PLACE]], 1, 0] [1, 1, 20, 8]
// CHECK: memref.subview %[[X]][{{.*}}] [1, 1, 20, 8]
// CHECK: } else {
// CHECK: memref.subview %[[PART]][0, %[[PLACE]], 0, 0] [1, 1, 22, 8]
// CHECK: linalg.fill {{.*}} outs(%[[ROWS:.*]] : memref<1x16x10x8xf32,
// CHECK: linalg.generic {{.*}} ins(%[[PART]], %[[K]] :
// CHECK: linalg.generic {{.*}} ins(%[[B]] : {{.*}} attrs = {weft.epilogue}
// CHECK: } {weft.parallel, weft.rows}
func.func @depthwise(%x: memref<2x62x20x8xf32>, %k: memref<3x3x8xf32>, %b: memref<8xf32>, %y: memref<2x32x10x8xf32>) {
  %zero = arith.constant 0.0 : f32
  %padded = memref.alloc() : memref<2x65x22x8xf32>
  linalg.fill ins(%zero : f32) outs(%padded : memref<2x65x22x8xf32>)
  %inside = memref.subview %padded[0, 1, 1, 0] [2, 62, 20, 8] [1, 1, 1, 1]
      : memref<2x65x22x8xf32> to memref<2x62x20x8xf32, strided<[11440, 176, 8, 1], offset: 184>>
  memref.copy %x, %inside : memref<2x62x20x8xf32> to memref<2x62x20x8xf32, strided<[11440, 176, 8, 1], offset: 184>>
  linalg.fill ins(%zero : f32) outs(%y : memref<2x32x10x8xf32>)
  linalg.generic {indexing_maps = [#window, #kernel, #result],
      iterator_types = ["parallel", "parallel", "parallel", "reduction", "reduction", "parallel"]}
      ins(%padded, %k : memref<2x65x22x8xf32>, memref<3x3x8xf32>) outs(%y : memref<2x32x10x8xf32>) {
  ^bb0(%a: f32, %w: f32, %out: f32):
    %m = arith.mulf %a, %w fastmath<reassoc,contract> : f32
    %s = arith.addf %out, %m fastmath<reassoc,contract> : f32
    linalg.yield %s : f32
  }
  linalg.generic {indexing_maps = [#bias, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%b : memref<8xf32>) outs(%y : memref<2x32x10x8xf32>) attrs = {weft.epilogue} {
  ^bb0(%a: f32, %out: f32):
    %s = arith.addf %out, %a : f32
    linalg.yield %s : f32
  }
  return
}

// What changes in between is padded before.

// CHECK-LABEL: func.func @changed(
// CHECK: memref.copy
// CHECK-NOT: scf.for
// CHECK: return
func.func @changed(%x: memref<2x62x20x8xf32>, %k: memref<3x3x8xf32>, %y: memref<2x32x10x8xf32>) {
  %zero = arith.constant 0.0 : f32
  %padded = memref.alloc() : memref<2x65x22x8xf32>
  linalg.fill ins(%zero : f32) outs(%padded : memref<2x65x22x8xf32>)
  %inside = memref.subview %padded[0, 1, 1, 0] [2, 62, 20, 8] [1, 1, 1, 1]
      : memref<2x65x22x8xf32> to memref<2x62x20x8xf32, strided<[11440, 176, 8, 1], offset: 184>>
  memref.copy %x, %inside : memref<2x62x20x8xf32> to memref<2x62x20x8xf32, strided<[11440, 176, 8, 1], offset: 184>>
  linalg.fill ins(%zero : f32) outs(%x : memref<2x62x20x8xf32>)
  linalg.fill ins(%zero : f32) outs(%y : memref<2x32x10x8xf32>)
  linalg.generic {indexing_maps = [#window, #kernel, #result],
      iterator_types = ["parallel", "parallel", "parallel", "reduction", "reduction", "parallel"]}
      ins(%padded, %k : memref<2x65x22x8xf32>, memref<3x3x8xf32>) outs(%y : memref<2x32x10x8xf32>) {
  ^bb0(%a: f32, %w: f32, %out: f32):
    %m = arith.mulf %a, %w fastmath<reassoc,contract> : f32
    %s = arith.addf %out, %m fastmath<reassoc,contract> : f32
    linalg.yield %s : f32
  }
  return
}

// The results of a block stand where the next one would be copied from.

// CHECK-LABEL: func.func @overwritten(
// CHECK: memref.copy
// CHECK-NOT: scf.for
// CHECK: return
func.func @overwritten(%x: memref<2x62x20x8xf32>, %k: memref<3x3x8xf32>) {
  %zero = arith.constant 0.0 : f32
  %padded = memref.alloc() : memref<2x64x22x8xf32>
  linalg.fill ins(%zero : f32) outs(%padded : memref<2x64x22x8xf32>)
  %inside = memref.subview %padded[0, 1, 1, 0] [2, 62, 20, 8] [1, 1, 1, 1]
      : memref<2x64x22x8xf32> to memref<2x62x20x8xf32, strided<[11264, 176, 8, 1], offset: 184>>
  memref.copy %x, %inside : memref<2x62x20x8xf32> to memref<2x62x20x8xf32, strided<[11264, 176, 8, 1], offset: 184>>
  linalg.fill ins(%zero : f32) outs(%x : memref<2x62x20x8xf32>)
  linalg.generic {indexing_maps = [#near, #kernel, #result],
      iterator_types = ["parallel", "parallel", "parallel", "reduction", "reduction", "parallel"]}
      ins(%padded, %k : memref<2x64x22x8xf32>, memref<3x3x8xf32>) outs(%x : memref<2x62x20x8xf32>) {
  ^bb0(%a: f32, %w: f32, %out: f32):
    %m = arith.mulf %a, %w fastmath<reassoc,contract> : f32
    %s = arith.addf %out, %m fastmath<reassoc,contract> : f32
    linalg.yield %s : f32
  }
  return
}

// What is added backwards has its parts, too: the last block adds the first.

// CHECK-LABEL: func.func @backwards(
// CHECK-SAME: %[[R:[^:]*]]: memref<2x62x20x8xf32>, %[[Y:[^:]*]]: memref<2x62x20x8xf32>)
// CHECK: scf.for
// CHECK: memref.subview %[[R]][%{{.*}}, %{{.*}}, 0, 0] [1, 62, 20, 8]
// CHECK: } {weft.parallel, weft.rows}
func.func @backwards(%x: memref<2x62x20x8xf32>, %k: memref<3x3x8xf32>, %r: memref<2x62x20x8xf32>, %y: memref<2x62x20x8xf32>) {
  %zero = arith.constant 0.0 : f32
  %padded = memref.alloc() : memref<2x64x22x8xf32>
  linalg.fill ins(%zero : f32) outs(%padded : memref<2x64x22x8xf32>)
  %inside = memref.subview %padded[0, 1, 1, 0] [2, 62, 20, 8] [1, 1, 1, 1]
      : memref<2x64x22x8xf32> to memref<2x62x20x8xf32, strided<[11264, 176, 8, 1], offset: 184>>
  memref.copy %x, %inside : memref<2x62x20x8xf32> to memref<2x62x20x8xf32, strided<[11264, 176, 8, 1], offset: 184>>
  linalg.fill ins(%zero : f32) outs(%y : memref<2x62x20x8xf32>)
  linalg.generic {indexing_maps = [#near, #kernel, #result],
      iterator_types = ["parallel", "parallel", "parallel", "reduction", "reduction", "parallel"]}
      ins(%padded, %k : memref<2x64x22x8xf32>, memref<3x3x8xf32>) outs(%y : memref<2x62x20x8xf32>) {
  ^bb0(%a: f32, %w: f32, %out: f32):
    %m = arith.mulf %a, %w fastmath<reassoc,contract> : f32
    %s = arith.addf %out, %m fastmath<reassoc,contract> : f32
    linalg.yield %s : f32
  }
  linalg.generic {indexing_maps = [#reverse, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%r : memref<2x62x20x8xf32>) outs(%y : memref<2x62x20x8xf32>) attrs = {weft.epilogue} {
  ^bb0(%a: f32, %out: f32):
    %s = arith.addf %out, %a : f32
    linalg.yield %s : f32
  }
  return
}
}
