// RUN: weft-opt --pass-pipeline='builtin.module(gpu.module(weft-lower-sorts, canonicalize, cse))' --split-input-file %s | FileCheck %s

// 128 threads sort a row, two rows a block. What is read beyond a row is NaN.
// CHECK: llvm.mlir.global internal @rows_shared() {addr_space = 3 : i32, alignment = 16 : i64} : !llvm.array<9216 x i8>
// CHECK-LABEL: gpu.func @rows(
// CHECK-SAME: known_block_size = array<i32: 256, 1, 1>, known_grid_size = array<i32: 4, 1, 1>
// CHECK-DAG: arith.constant 2143289344 : i32
// CHECK: gpu.barrier
// CHECK-COUNT-36: arith.cmpf ult
// CHECK: gpu.barrier
// CHECK: scf.for
// CHECK: scf.while
// CHECK-COUNT-10: arith.cmpf ult
// CHECK: gpu.barrier
// CHECK: gpu.barrier
// CHECK: llvm.store {{.*}} : i32, !llvm.ptr<1>
// CHECK-NOT: library_call
gpu.module @kernels {
  gpu.func @rows(%x: memref<8x1000xf32>, %y: memref<8x1000xf32>) kernel attributes {weft.class = "sort"} {
    weft.library_call "sort_tiles_f32" [8, 1000, 0, 2304] (%x) into(%y)
        : (memref<8x1000xf32>, memref<8x1000xf32>) -> ()
    gpu.return
  }
}

// -----

// Two threads find what each block merges; places alone are written.
// CHECK-LABEL: gpu.func @merge(
// CHECK-SAME: known_block_size = array<i32: 256, 1, 1>, known_grid_size = array<i32: 4, 1, 1>
// CHECK: scf.if
// CHECK: scf.while
// CHECK: arith.cmpi ult, %{{.+}}, %{{.+}} : i8
// CHECK: gpu.barrier
// CHECK: scf.while
// CHECK-NOT: llvm.store {{.*}} : i8, !llvm.ptr<1>
// CHECK: arith.extui %{{.+}} : i32 to i64
// CHECK: llvm.store {{.*}} : i64, !llvm.ptr<1>
gpu.module @kernels {
  gpu.func @merge(%x: memref<2x4000xi8>, %p: memref<2x4000xi32>, %y: memref<2x4000xi64>) kernel attributes {weft.class = "sort"} {
    weft.library_call "merge_ui8" [2, 4000, 1, 2304] (%x, %p) into(%y)
        : (memref<2x4000xi8>, memref<2x4000xi32>, memref<2x4000xi64>) -> ()
    gpu.return
  }
}
