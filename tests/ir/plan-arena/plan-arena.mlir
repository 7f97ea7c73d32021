// RUN: weft-opt --weft-plan-arena --canonicalize --cse %s | FileCheck %s

// %b is needed while %a is, %c only after %a: it takes the place of %a.
// CHECK-LABEL: func.func @reuse(
// CHECK-SAME: %[[X:.+]]: memref<16xf32>, %[[ARENA:.+]]: memref<128xi8>) attributes {weft.arena_bytes = 128 : i64}
// CHECK-DAG: %[[C0:.+]] = arith.constant 0 : index
// CHECK-DAG: %[[C64:.+]] = arith.constant 64 : index
// CHECK: %[[A:.+]] = memref.view %[[ARENA]][%[[C0]]][]
// CHECK: memref.copy %[[X]], %[[A]]
// CHECK: %[[B:.+]] = memref.view %[[ARENA]][%[[C64]]][]
// CHECK: memref.copy %[[A]], %[[B]]
// CHECK: memref.copy %[[B]], %[[A]]
// CHECK: memref.copy %[[A]], %[[X]]
func.func @reuse(%x: memref<16xf32>) {
  %a = memref.alloc() : memref<16xf32>
  memref.copy %x, %a : memref<16xf32> to memref<16xf32>
  %b = memref.alloc() : memref<16xf32>
  memref.copy %a, %b : memref<16xf32> to memref<16xf32>
  %c = memref.alloc() : memref<16xf32>
  memref.copy %b, %c : memref<16xf32> to memref<16xf32>
  memref.copy %c, %x : memref<16xf32> to memref<16xf32>
  return
}

// A view keeps its buffer alive, and offsets are multiples of 64.
// CHECK-LABEL: func.func @views(
// CHECK-SAME: %[[ARENA:[a-z0-9]+]]: memref<128xi8>) attributes
// CHECK-DAG: %[[C64:.+]] = arith.constant 64 : index
// CHECK-DAG: memref.view %[[ARENA]][%[[C64]]][] : memref<128xi8> to memref<2x2xi8>
func.func @views(%x: memref<4xi8>) {
  %a = memref.alloc() : memref<2x2xi8>
  %flat = memref.collapse_shape %a [[0, 1]] : memref<2x2xi8> into memref<4xi8>
  memref.copy %x, %flat : memref<4xi8> to memref<4xi8>
  %b = memref.alloc() : memref<2x2xi8>
  %z = arith.constant 0 : i8
  linalg.fill ins(%z : i8) outs(%b : memref<2x2xi8>)
  memref.copy %flat, %x : memref<4xi8> to memref<4xi8>
  return
}

// CHECK-LABEL: func.func @no_temporaries(
// CHECK-SAME: memref<0xi8>) attributes {weft.arena_bytes = 0 : i64}
func.func @no_temporaries() {
  return
}

// What a loop uses is needed while it runs; what each step allocates, only from
// there to its last use. So %step and %more share bytes, but not with %kept.
// CHECK-LABEL: func.func @loop(
// CHECK-SAME: %[[ARENA:[a-z0-9]+]]: memref<128xi8>) attributes
// CHECK-DAG: %[[C0:.+]] = arith.constant 0 : index
// CHECK-DAG: %[[C64:.+]] = arith.constant 64 : index
// CHECK: %[[KEPT:.+]] = memref.view %[[ARENA]][%[[C0]]][]
// CHECK: scf.for
// CHECK: %[[STEP:.+]] = memref.view %[[ARENA]][%[[C64]]][]
// CHECK: memref.copy %[[KEPT]], %[[STEP]]
// CHECK: memref.copy %[[STEP]], %{{.+}}
// CHECK: memref.copy %{{.+}}, %[[STEP]]
func.func @loop(%x: memref<16xf32>, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %kept = memref.alloc() : memref<16xf32>
  memref.copy %x, %kept : memref<16xf32> to memref<16xf32>
  scf.for %i = %c0 to %n step %c1 {
    %step = memref.alloc() : memref<16xf32>
    memref.copy %kept, %step : memref<16xf32> to memref<16xf32>
    memref.copy %step, %x : memref<16xf32> to memref<16xf32>
    %more = memref.alloc() : memref<16xf32>
    memref.copy %x, %more : memref<16xf32> to memref<16xf32>
    memref.copy %more, %x : memref<16xf32> to memref<16xf32>
  }
  return
}

// Buffers that change places in a loop are both needed as long as either is.
// CHECK-LABEL: func.func @swap(
// CHECK-SAME: memref<192xi8>) attributes
func.func @swap(%x: memref<16xf32>, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %a = memref.alloc() : memref<16xf32>
  %b = memref.alloc() : memref<16xf32>
  memref.copy %x, %a : memref<16xf32> to memref<16xf32>
  %r:2 = scf.for %i = %c0 to %n step %c1 iter_args(%now = %a, %next = %b) -> (memref<16xf32>, memref<16xf32>) {
    memref.copy %now, %next : memref<16xf32> to memref<16xf32>
    scf.yield %next, %now : memref<16xf32>, memref<16xf32>
  }
  %c = memref.alloc() : memref<16xf32>
  memref.copy %x, %c : memref<16xf32> to memref<16xf32>
  memref.copy %c, %x : memref<16xf32> to memref<16xf32>
  memref.copy %r#0, %x : memref<16xf32> to memref<16xf32>
  return
}

// A tape stays on the heap until it has been read; a size that no machine has
// is not let to overflow.
// CHECK-LABEL: func.func @tape(
// CHECK-SAME: memref<0xi8>) attributes
// CHECK: %[[MOST:.+]] = arith.constant 8796093022208 : index
// CHECK: %[[N:.+]] = arith.minui %{{.+}}, %[[MOST]] : index
// CHECK: %[[TAPE:.+]] = memref.alloc(%[[N]]) : memref<?x4xf32>
// CHECK: memref.load %[[TAPE]]
// CHECK-NEXT: memref.dealloc %[[TAPE]]
func.func @tape(%x: memref<f32>, %n: index) {
  %c0 = arith.constant 0 : index
  %tape = memref.alloc(%n) : memref<?x4xf32>
  %0 = memref.load %tape[%c0, %c0] : memref<?x4xf32>
  memref.store %0, %x[] : memref<f32>
  return
}

// What each step of a shared loop keeps is on the stack of its thread; the size
// of the last tile is at most that of the others.
// CHECK-LABEL: func.func @shared(
// CHECK-SAME: memref<0xi8>) attributes
// CHECK: scf.for
// CHECK: memref.alloca() {alignment = 64 : i64} : memref<8xf32>
// CHECK: %[[BYTES:.+]] = memref.alloca() {alignment = 64 : i64} : memref<64xi8>
// CHECK: memref.view %[[BYTES]][%{{.+}}][%{{.+}}] : memref<64xi8> to memref<?xf32>
// CHECK-NOT: memref.dealloc
func.func @shared(%x: memref<8xf32>, %f: f32) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  scf.for %i = %c0 to %c4 step %c1 {
    %a = memref.alloc() : memref<8xf32>
    memref.copy %x, %a : memref<8xf32> to memref<8xf32>
    memref.copy %a, %x : memref<8xf32> to memref<8xf32>
    %n = affine.min affine_map<(d0) -> (d0 * -3 + 10, 3)>(%i)
    %b = memref.alloc(%n) : memref<?xf32>
    linalg.fill ins(%f : f32) outs(%b : memref<?xf32>)
    memref.dealloc %a : memref<8xf32>
  } {weft.parallel, weft.rows}
  return
}

// One kernel computes the sums and what comes of them, so this is in no place of
// a factor, though the buffer is made after the sums.
#x = affine_map<(m, n, k) -> (m, k)>
#y = affine_map<(m, n, k) -> (k, n)>
#z = affine_map<(m, n, k) -> (m, n)>
#same = affine_map<(m, n) -> (m, n)>
// CHECK-LABEL: func.func @epilogue(
// CHECK-SAME: weft.arena_bytes = 512 : i64
// CHECK-DAG: %[[C0:.+]] = arith.constant 0 : index
// CHECK-DAG: %[[C256:.+]] = arith.constant 256 : index
// CHECK-DAG: %[[C384:.+]] = arith.constant 384 : index
// CHECK-DAG: memref.view %{{.+}}[%[[C0]]][] : memref<512xi8> to memref<8x8xf32>
// CHECK-DAG: memref.view %{{.+}}[%[[C256]]][] : memref<512xi8> to memref<8x8xf16>
// CHECK-DAG: memref.view %{{.+}}[%[[C384]]][] : memref<512xi8> to memref<8x8xf16>
func.func @epilogue(%a: memref<8x8xf16>, %out: memref<8x8xf16>) {
  %zero = arith.constant 0.0 : f32
  %b = memref.alloc() : memref<8x8xf16>
  memref.copy %a, %b : memref<8x8xf16> to memref<8x8xf16>
  %sums = memref.alloc() : memref<8x8xf32>
  linalg.fill ins(%zero : f32) outs(%sums : memref<8x8xf32>)
  linalg.generic {indexing_maps = [#x, #y, #z], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %b : memref<8x8xf16>, memref<8x8xf16>) outs(%sums : memref<8x8xf32>) {
  ^bb0(%p: f16, %q: f16, %s: f32):
    %u = arith.extf %p : f16 to f32
    %v = arith.extf %q : f16 to f32
    %m = arith.mulf %u, %v fastmath<reassoc,contract> : f32
    %t = arith.addf %s, %m fastmath<reassoc,contract> : f32
    linalg.yield %t : f32
  }
  %c = memref.alloc() : memref<8x8xf16>
  linalg.generic {indexing_maps = [#same, #same], iterator_types = ["parallel", "parallel"]}
      ins(%sums : memref<8x8xf32>) outs(%c : memref<8x8xf16>) attrs = {weft.epilogue} {
  ^bb0(%s: f32, %old: f16):
    %t = arith.truncf %s : f32 to f16
    linalg.yield %t : f16
  }
  memref.copy %c, %out : memref<8x8xf16> to memref<8x8xf16>
  return
}
