// RUN: weft-opt --pass-pipeline='builtin.module(weft-lower-steps,canonicalize,cse)' %s | FileCheck %s

#row = affine_map<(i) -> (i)>
#one = affine_map<(i) -> ()>

module attributes {gpu.container_module, weft.gpu = {chip = "sm_90a", multiprocessors = 132 : i64}} {
  gpu.module @kernels {
    // A warp a row: what the first op leaves to the second is in no memory.
    // CHECK-LABEL: gpu.func @warps(
    // CHECK-SAME: known_block_size = array<i32: 128, 1, 1>, known_grid_size = array<i32: 16, 1, 1>
    // CHECK-NOT: memref.alloca
    // CHECK-COUNT-2: vector.load {{.*}} vector<4xf32>
    // CHECK-NOT: vector.load
    // CHECK-COUNT-5: nvvm.shfl.sync bfly
    // CHECK-NOT: gpu.barrier
    // CHECK-COUNT-2: vector.store {{.*}} vector<4xf32>
    gpu.func @warps(%x: memref<64x256xf32>, %y: memref<64x256xf32>) kernel attributes {weft.class = "rows"} {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %c64 = arith.constant 64 : index
      %zero = arith.constant 0.0 : f32
      scf.for %i = %c0 to %c64 step %c1 {
        %row = memref.subview %x[%i, 0] [1, 256] [1, 1] : memref<64x256xf32> to memref<256xf32, strided<[1], offset: ?>>
        %sum = memref.alloca() : memref<f32>
        linalg.fill ins(%zero : f32) outs(%sum : memref<f32>)
        linalg.generic {indexing_maps = [#row, #one], iterator_types = ["reduction"]}
            ins(%row : memref<256xf32, strided<[1], offset: ?>>) outs(%sum : memref<f32>) {
        ^bb0(%a: f32, %s: f32):
          %t = arith.addf %s, %a fastmath<reassoc,contract> : f32
          linalg.yield %t : f32
        }
        %result = memref.subview %y[%i, 0] [1, 256] [1, 1] : memref<64x256xf32> to memref<256xf32, strided<[1], offset: ?>>
        linalg.generic {indexing_maps = [#row, #one, #row], iterator_types = ["parallel"]}
            ins(%row, %sum : memref<256xf32, strided<[1], offset: ?>>, memref<f32>) outs(%result : memref<256xf32, strided<[1], offset: ?>>) {
        ^bb0(%a: f32, %s: f32, %r: f32):
          %t = arith.divf %a, %s : f32
          linalg.yield %t : f32
        }
      } {weft.parallel, weft.rows}
      gpu.return
    }

    // A block a row: warps exchange their parts at one barrier, and a value of
    // the row is written when nobody reads what was there.
    // CHECK-LABEL: gpu.func @block(
    // CHECK-SAME: known_block_size = array<i32: 256, 1, 1>, known_grid_size = array<i32: 64, 1, 1>
    // CHECK-COUNT-5: nvvm.shfl.sync bfly
    // CHECK: gpu.barrier
    // CHECK-COUNT-3: nvvm.shfl.sync bfly
    // CHECK-NOT: nvvm.shfl.sync
    // CHECK: gpu.barrier
    // CHECK: memref.store
    gpu.func @block(%x: memref<64x4096xf32>, %y: memref<64xf32>) kernel attributes {weft.class = "rows"} {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %c64 = arith.constant 64 : index
      scf.for %i = %c0 to %c64 step %c1 {
        %row = memref.subview %x[%i, 0] [1, 4096] [1, 1] : memref<64x4096xf32> to memref<4096xf32, strided<[1], offset: ?>>
        %sum = memref.subview %y[%i] [1] [1] : memref<64xf32> to memref<f32, strided<[], offset: ?>>
        linalg.generic {indexing_maps = [#row, #one], iterator_types = ["reduction"]}
            ins(%row : memref<4096xf32, strided<[1], offset: ?>>) outs(%sum : memref<f32, strided<[], offset: ?>>) {
        ^bb0(%a: f32, %s: f32):
          %t = arith.addf %s, %a fastmath<reassoc,contract> : f32
          linalg.yield %t : f32
        }
      } {weft.parallel, weft.rows}
      gpu.return
    }
  }
}
