// RUN: weft-opt --pass-pipeline='builtin.module(gpu.module(weft-lower-scans, canonicalize, cse))' --split-input-file %s | FileCheck %s

// Three tiles of a row: threads walk, lanes exchange, warps leave what theirs
// come to. What is read beyond the row is its last element.
// CHECK: llvm.mlir.global internal @tiles_shared() {addr_space = 3 : i32, alignment = 16 : i64} : !llvm.array<9216 x i8>
// CHECK: llvm.mlir.global internal @tiles_shared_0() {addr_space = 3 : i32, alignment = 16 : i64} : !llvm.array<32 x i8>
// CHECK-LABEL: gpu.func @tiles(
// CHECK-SAME: known_block_size = array<i32: 256, 1, 1>, known_grid_size = array<i32: 3, 1, 1>
// CHECK: arith.minsi
// CHECK: llvm.load {{.*}} : !llvm.ptr<1> -> f32
// CHECK: gpu.barrier
// CHECK-COUNT-8: arith.addf
// CHECK-COUNT-5: nvvm.shfl.sync up
// CHECK: gpu.barrier
// CHECK: scf.for
// CHECK: gpu.barrier
// CHECK: scf.if
// CHECK: llvm.store {{.*}} : f32, !llvm.ptr<1>
// CHECK-NOT: library_call
gpu.module @kernels {
  gpu.func @tiles(%x: memref<5000xf32>, %before: memref<1x2xf32>, %y: memref<5000xf32>) kernel attributes {weft.class = "scan"} {
    weft.library_call "scan_tiles_cumsum_f32" [1, 5000, 1, 0] (%x, %before) into(%y)
        : (memref<5000xf32>, memref<1x2xf32>, memref<5000xf32>) -> ()
    gpu.return
  }
}

// -----

// Of columns, a block has several tiles, whose threads read neighbours. The
// last tile comes to nothing that is asked for.
// CHECK-LABEL: gpu.func @totals(
// CHECK-SAME: known_block_size = array<i32: 256, 1, 1>, known_grid_size = array<i32: 2, 1, 1>
// CHECK: arith.remui %{{.+}}, %c8{{.*}} : i32
// CHECK: gpu.barrier
// CHECK: arith.maxui
// CHECK: nvvm.shfl.sync up
// CHECK: llvm.store {{.*}} : i32, !llvm.ptr<1>
gpu.module @kernels {
  gpu.func @totals(%x: memref<600x7xi32>, %y: memref<7x2xi32>) kernel attributes {weft.class = "scan"} {
    weft.library_call "scan_totals_cummax_ui32" [1, 600, 7, 1] (%x) into(%y)
        : (memref<600x7xi32>, memref<7x2xi32>) -> ()
    gpu.return
  }
}
