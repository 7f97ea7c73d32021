// RUN: weft-opt %s -split-input-file -pass-pipeline='builtin.module(func.func(weft-block-sums,weft-plan-arena))' | FileCheck %s
// RUN: weft-opt %s -split-input-file -pass-pipeline='builtin.module(func.func(weft-block-sums,weft-plan-arena),weft-outline-kernels,func.func(weft-lower-contractions))' | FileCheck %s --check-prefix=LOOPS

// What is only converted has no place in the arena, and is a block on the stack of
// the kernel.

#a = affine_map<(m, n, k) -> (m, k)>
#b = affine_map<(m, n, k) -> (k, n)>
#c = affine_map<(m, n, k) -> (m, n)>
#id = affine_map<(m, n) -> (m, n)>

// CHECK-LABEL: func.func @converted(
// CHECK-SAME: weft.arena_bytes = 0
// CHECK: %[[SUMS:.*]] = memref.alloc()
// CHECK: linalg.generic {{.*}} ins(%[[SUMS]] : memref<64x48xi32>) {{.*}} attrs = {weft.epilogue}
// CHECK: memref.dealloc %[[SUMS]]
// LOOPS-LABEL: func.func private @converted_kernel(
// LOOPS: memref.alloca() {{.*}} : memref<{{[0-9]+}}xi32>
// LOOPS-NOT: memref.alloc()
// LOOPS: arith.sitofp
// LOOPS-NOT: memref.dealloc
module attributes {weft.machine = {bfloat16_dots = false, matrix_tiles = false, vector_dots = false}} {
func.func @converted(%x: memref<64x32xi8>, %w: memref<32x48xi8>, %y: memref<64x48xf32>) {
  %zero = arith.constant 0 : i32
  %sums = memref.alloc() : memref<64x48xi32>
  linalg.fill ins(%zero : i32) outs(%sums : memref<64x48xi32>)
  linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : memref<64x32xi8>, memref<32x48xi8>) outs(%sums : memref<64x48xi32>) {
  ^bb0(%p: i8, %q: i8, %out: i32):
    %u = arith.extsi %p : i8 to i32
    %v = arith.extsi %q : i8 to i32
    %m = arith.muli %u, %v : i32
    %s = arith.addi %out, %m : i32
    linalg.yield %s : i32
  }
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%sums : memref<64x48xi32>) outs(%y : memref<64x48xf32>) attrs = {weft.epilogue} {
  ^bb0(%p: i32, %out: f32):
    %f = arith.sitofp %p : i32 to f32
    linalg.yield %f : f32
  }
  return
}
}

// -----

#a = affine_map<(m, n, k) -> (m, k)>
#b = affine_map<(m, n, k) -> (k, n)>
#c = affine_map<(m, n, k) -> (m, n)>
#id = affine_map<(m, n) -> (m, n)>

// What something else reads is in the arena, whole.

// CHECK-LABEL: func.func @read_again(
// CHECK-SAME: weft.arena_bytes = 12288
// CHECK-NOT: memref.alloc()
// CHECK-NOT: memref.dealloc
// LOOPS-LABEL: func.func private @read_again_kernel(
// LOOPS-NOT: memref.alloc()
func.func @read_again(%x: memref<64x32xi8>, %w: memref<32x48xi8>, %y: memref<64x48xf32>, %z: memref<64x48xi32>) {
  %zero = arith.constant 0 : i32
  %sums = memref.alloc() : memref<64x48xi32>
  linalg.fill ins(%zero : i32) outs(%sums : memref<64x48xi32>)
  linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : memref<64x32xi8>, memref<32x48xi8>) outs(%sums : memref<64x48xi32>) {
  ^bb0(%p: i8, %q: i8, %out: i32):
    %u = arith.extsi %p : i8 to i32
    %v = arith.extsi %q : i8 to i32
    %m = arith.muli %u, %v : i32
    %s = arith.addi %out, %m : i32
    linalg.yield %s : i32
  }
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%sums : memref<64x48xi32>) outs(%y : memref<64x48xf32>) attrs = {weft.epilogue} {
  ^bb0(%p: i32, %out: f32):
    %f = arith.sitofp %p : i32 to f32
    linalg.yield %f : f32
  }
  memref.copy %sums, %z : memref<64x48xi32> to memref<64x48xi32>
  return
}

// -----

#a = affine_map<(m, n, k) -> (m, k)>
#b = affine_map<(m, n, k) -> (k, n)>
#c = affine_map<(m, n, k) -> (m, n)>
#id = affine_map<(m, n) -> (m, n)>

// The sums begin in the kernel that they end in, whatever the host does before.

// CHECK-LABEL: func.func @load_between(
// CHECK: memref.load
// CHECK-NEXT: memref.subview
// CHECK-NEXT: linalg.fill
// CHECK-NEXT: linalg.generic
// LOOPS-LABEL: func.func private @load_between_kernel(
// LOOPS-SAME: index
// LOOPS: memref.alloca()
// LOOPS-LABEL: func.func @load_between.body(
// LOOPS-NOT: memref.alloc
// LOOPS-COUNT-1: call @load_between_kernel
// LOOPS-NOT: call
module attributes {weft.machine = {bfloat16_dots = false, matrix_tiles = false, vector_dots = false}} {
func.func @load_between(%x: memref<64x32xi8>, %w: memref<32x48xi8>, %y: memref<128x48xf32>, %i: memref<index>) {
  %zero = arith.constant 0 : i32
  %sums = memref.alloc() : memref<64x48xi32>
  linalg.fill ins(%zero : i32) outs(%sums : memref<64x48xi32>)
  %at = memref.load %i[] : memref<index>
  %part = memref.subview %y[%at, 0] [64, 48] [1, 1] : memref<128x48xf32> to memref<64x48xf32, strided<[48, 1], offset: ?>>
  linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : memref<64x32xi8>, memref<32x48xi8>) outs(%sums : memref<64x48xi32>) {
  ^bb0(%p: i8, %q: i8, %out: i32):
    %u = arith.extsi %p : i8 to i32
    %v = arith.extsi %q : i8 to i32
    %m = arith.muli %u, %v : i32
    %s = arith.addi %out, %m : i32
    linalg.yield %s : i32
  }
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%sums : memref<64x48xi32>) outs(%part : memref<64x48xf32, strided<[48, 1], offset: ?>>) attrs = {weft.epilogue} {
  ^bb0(%p: i32, %out: f32):
    %f = arith.sitofp %p : i32 to f32
    linalg.yield %f : f32
  }
  return
}
}
