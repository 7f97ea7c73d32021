// RUN: weft-opt --pass-pipeline='builtin.module(gpu.module(weft-lower-transposes, canonicalize, cse))' --split-input-file %s | FileCheck %s

#turned = affine_map<(d0, d1) -> (d1, d0)>
#straight = affine_map<(d0, d1) -> (d0, d1)>

// Tiles of 64 by 64, four elements at once on both ways. Lines of a tile are 65
// elements apart.
// CHECK-LABEL: gpu.func @turn(
// CHECK-SAME: known_block_size = array<i32: 256, 1, 1>, known_grid_size = array<i32: 4096, 1, 1>
// CHECK-SAME: weft.shared_bytes = 16640 : i64
// CHECK-NOT: linalg
// CHECK: memref.view {{.+}} to memref<4160xf32, #gpu.address_space<workgroup>>
// CHECK-COUNT-4: vector.load {{.+}} {alignment = 16 : i64} : {{.+}}, vector<4xf32>
// CHECK-COUNT-16: memref.store {{.+}} #gpu.address_space<workgroup>>
// CHECK-NOT: memref.store
// CHECK: gpu.barrier
// CHECK-COUNT-4: memref.load {{.+}} #gpu.address_space<workgroup>>
// CHECK: vector.store {{.+}} {alignment = 16 : i64} : {{.+}}, vector<4xf32>
// CHECK-NOT: scf.if
module attributes {weft.gpu = {chip = "sm_90a", multiprocessors = 132 : i64}} {
  gpu.module @kernels {
    gpu.func @turn(%x: memref<4096x4096xf32>, %y: memref<4096x4096xf32>) kernel attributes {weft.class = "elementwise"} {
      linalg.generic {indexing_maps = [#turned, #straight], iterator_types = ["parallel", "parallel"]}
          ins(%x : memref<4096x4096xf32>) outs(%y : memref<4096x4096xf32>) {
      ^bb0(%a: f32, %r: f32):
        linalg.yield %a : f32
      }
      gpu.return
    }
  }
}

// -----

#turned = affine_map<(d0, d1, d2) -> (d0, d2, d1)>
#straight = affine_map<(d0, d1, d2) -> (d0, d1, d2)>

// Of stacks, with what is not turned, and edges: nothing beyond them is read.
// CHECK-LABEL: gpu.func @edges(
// CHECK-SAME: known_grid_size = array<i32: 210, 1, 1>
// CHECK: arith.minui
// CHECK: memref.load
// CHECK: gpu.barrier
// CHECK: scf.if
// CHECK: memref.load {{.+}} #gpu.address_space<workgroup>>
// CHECK: memref.load
// CHECK: arith.addf
// CHECK: memref.store
module attributes {weft.gpu = {chip = "sm_90a", multiprocessors = 132 : i64}} {
  gpu.module @kernels {
    gpu.func @edges(%x: memref<5x201x179xf32>, %z: memref<5x179x201xf32>, %y: memref<5x179x201xf32>) kernel attributes {weft.class = "elementwise"} {
      linalg.generic {indexing_maps = [#turned, #straight, #straight], iterator_types = ["parallel", "parallel", "parallel"]}
          ins(%x, %z : memref<5x201x179xf32>, memref<5x179x201xf32>) outs(%y : memref<5x179x201xf32>) {
      ^bb0(%a: f32, %b: f32, %r: f32):
        %s = arith.addf %a, %b : f32
        linalg.yield %s : f32
      }
      gpu.return
    }
  }
}

// -----

#heads = affine_map<(d0, d1, d2) -> (d1, d0, d2)>
#short = affine_map<(d0, d1) -> (d1, d0)>
#straight = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
#plane = affine_map<(d0, d1) -> (d0, d1)>

// Lines stay lines, or are short: left to others.
// CHECK-LABEL: gpu.func @in_order(
// CHECK: linalg.generic
// CHECK-LABEL: gpu.func @short(
// CHECK: linalg.generic
module attributes {weft.gpu = {chip = "sm_90a", multiprocessors = 132 : i64}} {
  gpu.module @kernels {
    gpu.func @in_order(%x: memref<64x96x32xf32>, %y: memref<96x64x32xf32>) kernel attributes {weft.class = "elementwise"} {
      linalg.generic {indexing_maps = [#heads, #straight], iterator_types = ["parallel", "parallel", "parallel"]}
          ins(%x : memref<64x96x32xf32>) outs(%y : memref<96x64x32xf32>) {
      ^bb0(%a: f32, %r: f32):
        linalg.yield %a : f32
      }
      gpu.return
    }
    gpu.func @short(%x: memref<4096x3xf32>, %y: memref<3x4096xf32>) kernel attributes {weft.class = "elementwise"} {
      linalg.generic {indexing_maps = [#short, #plane], iterator_types = ["parallel", "parallel"]}
          ins(%x : memref<4096x3xf32>) outs(%y : memref<3x4096xf32>) {
      ^bb0(%a: f32, %r: f32):
        linalg.yield %a : f32
      }
      gpu.return
    }
  }
}
