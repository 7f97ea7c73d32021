// RUN: weft-opt --pass-pipeline='builtin.module(weft-lower-steps,canonicalize,cse)' %s | FileCheck %s

#x = affine_map<(i) -> (i)>
#one = affine_map<(i) -> ()>
#xy = affine_map<(i, j) -> (i, j)>
#column = affine_map<(i, j) -> (j)>

module attributes {gpu.container_module, weft.gpu = {chip = "sm_90a", multiprocessors = 132 : i64}} {
  gpu.module @kernels {
    // Four elements a thread, and what is read in every row is read so too.
    // CHECK-LABEL: gpu.func @elementwise(
    // CHECK-SAME: known_block_size = array<i32: 256, 1, 1>, known_grid_size = array<i32: 1024, 1, 1>
    // CHECK-COUNT-2: vector.load {{.*}} {alignment = 16 : i64} {{.*}} vector<4xf32>
    // CHECK-COUNT-4: arith.addf
    // CHECK: vector.store {{.*}} {alignment = 16 : i64} {{.*}} vector<4xf32>
    // CHECK-NOT: scf.for
    // CHECK: gpu.return
    gpu.func @elementwise(%x: memref<1024x1024xf32>, %b: memref<1024xf32>, %y: memref<1024x1024xf32>) kernel attributes {weft.class = "elementwise"} {
      linalg.generic {indexing_maps = [#xy, #column, #xy], iterator_types = ["parallel", "parallel"]}
          ins(%x, %b : memref<1024x1024xf32>, memref<1024xf32>) outs(%y : memref<1024x1024xf32>) {
      ^bb0(%a: f32, %c: f32, %r: f32):
        %s = arith.addf %a, %c : f32
        linalg.yield %s : f32
      }
      gpu.return
    }

    // What the second op reads, other threads have written.
    // CHECK-LABEL: gpu.func @block(
    // CHECK-SAME: known_grid_size = array<i32: 1, 1, 1>
    // CHECK: vector.store
    // CHECK: gpu.barrier
    // CHECK: memref.load
    // One thread goes through a loop that only computes, and all have its result.
    // CHECK: gpu.barrier
    // CHECK: scf.if
    // CHECK: scf.for
    // CHECK: gpu.barrier
    // CHECK: memref.load {{.*}} #gpu.address_space<workgroup>
    gpu.func @block(%x: memref<64xf32>, %y: memref<64xf32>, %z: memref<f32>) kernel attributes {weft.class = "block"} {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %c64 = arith.constant 64 : index
      %zero = arith.constant 0.0 : f32
      linalg.generic {indexing_maps = [#x, #x], iterator_types = ["parallel"]} ins(%x : memref<64xf32>) outs(%y : memref<64xf32>) {
      ^bb0(%a: f32, %r: f32):
        %s = arith.addf %a, %a : f32
        linalg.yield %s : f32
      }
      linalg.generic {indexing_maps = [affine_map<(i) -> (63 - i)>, #x], iterator_types = ["parallel"]} ins(%y : memref<64xf32>) outs(%x : memref<64xf32>) {
      ^bb0(%a: f32, %r: f32):
        linalg.yield %a : f32
      }
      %sum = scf.for %i = %c0 to %c64 step %c1 iter_args(%s = %zero) -> (f32) {
        %a = memref.load %x[%i] : memref<64xf32>
        %t = arith.addf %s, %a : f32
        scf.yield %t : f32
      }
      memref.store %sum, %z[] : memref<f32>
      gpu.return
    }

    // Threads share a long sum, whatever its elements are computed by.
    // CHECK-LABEL: gpu.func @sum_of_exponentials(
    // CHECK-SAME: weft.shared_bytes
    // CHECK: scf.for
    // CHECK: math.exp
    // CHECK: gpu.barrier
    gpu.func @sum_of_exponentials(%x: memref<1048576xf32>, %z: memref<f32>) kernel attributes {weft.class = "reduction"} {
      linalg.generic {indexing_maps = [#x, #one], iterator_types = ["reduction"]} ins(%x : memref<1048576xf32>) outs(%z : memref<f32>) {
      ^bb0(%a: f32, %s: f32):
        %e = math.exp %a : f32
        %t = arith.addf %s, %e fastmath<reassoc,contract> : f32
        linalg.yield %t : f32
      }
      gpu.return
    }

    // Sums of columns: a thread reads four side by side, begins with what the fill
    // says, and leaves four parts for those that add them up.
    // CHECK-LABEL: gpu.func @columns(
    // CHECK-SAME: known_block_size = array<i32: 256, 1, 1>
    // CHECK: %[[SUMS:.+]]:4 = scf.for
    // CHECK: vector.load {{.*}} {alignment = 16 : i64} {{.*}} vector<4xf32>
    // CHECK-COUNT-4: arith.addf
    // CHECK: scf.yield
    // CHECK-COUNT-4: memref.store %[[SUMS]]#{{[0-3]}}
    // CHECK: gpu.barrier
    // CHECK: vector.store {{.*}} {alignment = 16 : i64} {{.*}} vector<4xf32>
    gpu.func @columns(%x: memref<8192x4096xf32>, %y: memref<4096xf32>) kernel attributes {weft.class = "reduction"} {
      %zero = arith.constant 0.0 : f32
      linalg.fill ins(%zero : f32) outs(%y : memref<4096xf32>)
      linalg.generic {indexing_maps = [#xy, #column], iterator_types = ["reduction", "parallel"]} ins(%x : memref<8192x4096xf32>) outs(%y : memref<4096xf32>) {
      ^bb0(%a: f32, %s: f32):
        %t = arith.addf %s, %a fastmath<reassoc,contract> : f32
        linalg.yield %t : f32
      }
      gpu.return
    }

    // Along what is reduced too, into one sum.
    // CHECK-LABEL: gpu.func @along(
    // CHECK: scf.for {{.*}} iter_args(%[[SUM:.+]] = %{{.+}}) -> (f32)
    // CHECK: %[[ALL:.+]] = vector.load {{.*}} {alignment = 16 : i64} {{.*}} vector<4xf32>
    // CHECK: %[[FIRST:.+]] = vector.extract %[[ALL]][0]
    // CHECK: arith.addf %[[SUM]], %[[FIRST]]
    // CHECK-COUNT-3: arith.addf
    // CHECK: scf.yield
    // CHECK: gpu.return
    gpu.func @along(%x: memref<1048576xf32>, %y: memref<f32>) kernel attributes {weft.class = "reduction"} {
      linalg.generic {indexing_maps = [#x, #one], iterator_types = ["reduction"]} ins(%x : memref<1048576xf32>) outs(%y : memref<f32>) {
      ^bb0(%a: f32, %s: f32):
        %t = arith.addf %s, %a fastmath<reassoc,contract> : f32
        linalg.yield %t : f32
      }
      gpu.return
    }

    // Rows of 4095 numbers begin anywhere.
    // CHECK-LABEL: gpu.func @odd_columns(
    // CHECK-NOT: vector.load
    // CHECK: gpu.return
    gpu.func @odd_columns(%x: memref<8192x4095xf32>, %y: memref<4095xf32>) kernel attributes {weft.class = "reduction"} {
      linalg.generic {indexing_maps = [#xy, #column], iterator_types = ["reduction", "parallel"]} ins(%x : memref<8192x4095xf32>) outs(%y : memref<4095xf32>) {
      ^bb0(%a: f32, %s: f32):
        %t = arith.addf %s, %a fastmath<reassoc,contract> : f32
        linalg.yield %t : f32
      }
      gpu.return
    }
  }
}
