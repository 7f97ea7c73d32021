// RUN: weft-opt --weft-lower-warpgroup-products %s | FileCheck %s --check-prefix=SPLIT
// RUN: weft-opt --weft-lower-warpgroup-products='rows=128 columns=256 splits=1 neighbours=2' %s | FileCheck %s --check-prefix=NEIGHBOURS
// RUN: weft-opt --weft-lower-warpgroup-products=splits=1 %s | FileCheck %s --check-prefix=ALONE

// Few tiles and many steps: the blocks of a cluster share the steps, leave their
// sums in shared memory, and each adds some of them up, in the same order.
// SPLIT: gpu.func @product
// SPLIT-SAME: nvvm.cluster_dim = array<i32: [[BLOCKS:[248]]], 1, 1>
// SPLIT: nvvm.wgmma.wait.group.sync.aligned 0
// SPLIT: llvm.call_intrinsic "llvm.nvvm.barrier.cta.sync.aligned.count"
// SPLIT: llvm.store %{{.+}} {alignment = 16 : i64} : vector<4xf32>, !llvm.ptr<3>
// SPLIT: nvvm.cluster.arrive
// SPLIT: nvvm.cluster.wait
// SPLIT: scf.if
// SPLIT: nvvm.mapa %{{.+}} : !llvm.ptr<3> -> !llvm.ptr<7>
// SPLIT: llvm.load %{{.+}} {alignment = 16 : i64} : !llvm.ptr<7> -> vector<4xf32>
// SPLIT: nvvm.mapa
// SPLIT: arith.addf
// SPLIT: nvvm.cluster.arrive
// SPLIT: nvvm.cluster.wait

// Each of two blocks copies half of the columns to both, and is told by both
// when a stage is empty.
// NEIGHBOURS: gpu.func @product
// NEIGHBOURS-SAME: known_grid_size = array<i32: 16, 1, 1>
// NEIGHBOURS-SAME: nvvm.cluster_dim = array<i32: 2, 1, 1>
// NEIGHBOURS: nvvm.cluster.arrive
// NEIGHBOURS: nvvm.cluster.wait
// NEIGHBOURS: nvvm.cp.async.bulk.tensor.shared.cluster.global
// NEIGHBOURS-NOT: multicast_mask
// NEIGHBOURS-COUNT-2: nvvm.cp.async.bulk.tensor.shared.cluster.global {{.*}} multicast_mask
// NEIGHBOURS-NOT: nvvm.cp.async.bulk.tensor.shared.cluster.global
// NEIGHBOURS: nvvm.mapa
// NEIGHBOURS: nvvm.mbarrier.arrive %{{.+}} : !llvm.ptr<7>
// NEIGHBOURS: nvvm.cluster.arrive
// NEIGHBOURS: nvvm.cluster.wait
// NEIGHBOURS: gpu.return

// ALONE: gpu.func @product
// ALONE-NOT: cluster_dim
// ALONE-NOT: nvvm.mapa
// ALONE: gpu.return
#a = affine_map<(m, n, k) -> (m, k)>
#b = affine_map<(m, n, k) -> (k, n)>
#c = affine_map<(m, n, k) -> (m, n)>
module attributes {weft.gpu = {chip = "sm_90a", multiprocessors = 132 : i64}} {
  gpu.module @kernels {
    gpu.func @product(%a: memref<1024x4096xbf16>, %b: memref<4096x512xbf16>, %c: memref<1024x512xf32>) kernel attributes {weft.class = "product"} {
      %zero = arith.constant 0.0 : f32
      linalg.fill ins(%zero : f32) outs(%c : memref<1024x512xf32>)
      linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction"]}
          ins(%a, %b : memref<1024x4096xbf16>, memref<4096x512xbf16>) outs(%c : memref<1024x512xf32>) {
      ^bb0(%x: bf16, %y: bf16, %s: f32):
        %u = arith.extf %x : bf16 to f32
        %v = arith.extf %y : bf16 to f32
        %p = arith.mulf %u, %v fastmath<reassoc,contract> : f32
        %t = arith.addf %s, %p fastmath<reassoc,contract> : f32
        linalg.yield %t : f32
      }
      gpu.return
    }
  }
}
