// RUN: weft-opt --pass-pipeline='builtin.module(gpu.module(weft-lower-tiled-products, canonicalize, cse))' --split-input-file %s | FileCheck %s

#a = affine_map<(m, k, n) -> (m, k)>
#b = affine_map<(m, k, n) -> (k, n)>
#c = affine_map<(m, k, n) -> (m, n)>
#all = affine_map<(m, n) -> (m, n)>
#bias = affine_map<(m, n) -> (n)>

// Tiles of 128 by 128, 8 by 8 sums a thread; the epilogue changes them before
// they are stored, four at a time.
// CHECK: llvm.mlir.global internal @product_shared() {addr_space = 3 : i32, alignment = 16 : i64} : !llvm.array<16896 x i8>
// CHECK-LABEL: gpu.func @product(
// CHECK-SAME: known_block_size = array<i32: 256, 1, 1>, known_grid_size = array<i32: 64, 1, 1>
// CHECK-NOT: linalg
// CHECK: %{{.+}}:64 = scf.for
// CHECK: gpu.barrier
// CHECK: scf.if
// CHECK: llvm.load {{.*}} !llvm.ptr<1> -> vector<4xf32>
// CHECK: llvm.load {{.*}} {alignment = 16 : i64} : !llvm.ptr<3> -> vector<4xf32>
// CHECK-COUNT-512: llvm.intr.fma
// CHECK-NOT: llvm.intr.fma
// CHECK: arith.addf
// CHECK: llvm.store {{.*}} vector<4xf32>, !llvm.ptr<1>
module attributes {weft.gpu = {chip = "sm_90a", multiprocessors = 16 : i64}} {
  gpu.module @kernels {
    gpu.func @product(%a: memref<1024x512xf32>, %b: memref<512x1024xf32>, %c: memref<1024x1024xf32>, %bias: memref<1024xf32>) kernel attributes {weft.class = "product"} {
      %zero = arith.constant 0.0 : f32
      linalg.fill ins(%zero : f32) outs(%c : memref<1024x1024xf32>)
      linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "reduction", "parallel"]}
          ins(%a, %b : memref<1024x512xf32>, memref<512x1024xf32>) outs(%c : memref<1024x1024xf32>) {
      ^bb0(%x: f32, %y: f32, %s: f32):
        %p = arith.mulf %x, %y fastmath<reassoc,contract> : f32
        %t = arith.addf %s, %p fastmath<reassoc,contract> : f32
        linalg.yield %t : f32
      }
      linalg.generic {indexing_maps = [#bias, #all], iterator_types = ["parallel", "parallel"]}
          ins(%bias : memref<1024xf32>) outs(%c : memref<1024x1024xf32>) attrs = {weft.epilogue} {
      ^bb0(%x: f32, %s: f32):
        %t = arith.addf %s, %x : f32
        linalg.yield %t : f32
      }
      gpu.return
    }
  }
}

// -----

#a = affine_map<(m, k, n) -> (m, k)>
#b = affine_map<(m, k, n) -> (k, n)>
#c = affine_map<(m, k, n) -> (m, n)>
#all = affine_map<(m, n) -> (m, n)>

// Four tiles of each factor are in dynamic shared memory or on their way; the
// sums go to a buffer of another type, and not to their own.
// CHECK: llvm.mlir.global external @matrices_shared() {{.*}} !llvm.array<0 x i8>
// CHECK-LABEL: gpu.func @matrices(
// CHECK-SAME: %{{.+}}: memref<1024x512xbf16>, %{{.+}}: memref<512x1024xbf16>, %[[SUMS:.+]]: memref<1024x1024xf32>,
// CHECK-SAME: weft.shared_bytes = 98304 : i64
// CHECK-NOT: extract_aligned_pointer_as_index %[[SUMS]]
// CHECK-COUNT-3: nvvm.cp.async.commit.group
// CHECK: scf.for
// CHECK: nvvm.cp.async.wait.group 2
// CHECK: gpu.barrier
// CHECK: nvvm.cp.async.shared.global {{.*}}, 16, cache = cg
// CHECK: nvvm.ldmatrix {{.*}} layout = #nvvm.mma_layout<row>
// CHECK: nvvm.ldmatrix {{.*}} layout = #nvvm.mma_layout<col>
// CHECK-COUNT-64: nvvm.mma.sync
// CHECK: arith.truncf
// CHECK: llvm.store {{.*}} vector<2xbf16>, !llvm.ptr<1>
module attributes {weft.gpu = {chip = "sm_80", multiprocessors = 16 : i64}} {
  gpu.module @kernels {
    gpu.func @matrices(%a: memref<1024x512xbf16>, %b: memref<512x1024xbf16>, %c: memref<1024x1024xf32>, %r: memref<1024x1024xbf16>) kernel attributes {weft.class = "product"} {
      %zero = arith.constant 0.0 : f32
      linalg.fill ins(%zero : f32) outs(%c : memref<1024x1024xf32>)
      linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "reduction", "parallel"]}
          ins(%a, %b : memref<1024x512xbf16>, memref<512x1024xbf16>) outs(%c : memref<1024x1024xf32>) {
      ^bb0(%x: bf16, %y: bf16, %s: f32):
        %u = arith.extf %x : bf16 to f32
        %v = arith.extf %y : bf16 to f32
        %p = arith.mulf %u, %v fastmath<reassoc,contract> : f32
        %t = arith.addf %s, %p fastmath<reassoc,contract> : f32
        linalg.yield %t : f32
      }
      linalg.generic {indexing_maps = [#all, #all], iterator_types = ["parallel", "parallel"]}
          ins(%c : memref<1024x1024xf32>) outs(%r : memref<1024x1024xbf16>) attrs = {weft.epilogue} {
      ^bb0(%s: f32, %o: bf16):
        %t = arith.truncf %s : f32 to bf16
        linalg.yield %t : bf16
      }
      gpu.return
    }
  }
}

// -----

#a = affine_map<(m, k) -> (m, k)>
#x = affine_map<(m, k) -> (k)>
#y = affine_map<(m, k) -> (m)>

// Lanes of a warp share a sum, and read four steps of it at once.
// CHECK-LABEL: gpu.func @matrix_by_vector(
// CHECK: scf.for
// CHECK: llvm.load {{.*}} !llvm.ptr<1> -> vector<4xf32>
// CHECK-COUNT-5: gpu.shuffle xor
// CHECK-NOT: gpu.barrier
// CHECK: llvm.store
module attributes {weft.gpu = {multiprocessors = 64 : i64}} {
  gpu.module @kernels {
    gpu.func @matrix_by_vector(%a: memref<4096x1024xf32>, %x: memref<1024xf32>, %y: memref<4096xf32>) kernel attributes {weft.class = "product"} {
      %zero = arith.constant 0.0 : f32
      linalg.fill ins(%zero : f32) outs(%y : memref<4096xf32>)
      linalg.generic {indexing_maps = [#a, #x, #y], iterator_types = ["parallel", "reduction"]}
          ins(%a, %x : memref<4096x1024xf32>, memref<1024xf32>) outs(%y : memref<4096xf32>) {
      ^bb0(%p: f32, %q: f32, %s: f32):
        %r = arith.mulf %p, %q fastmath<reassoc,contract> : f32
        %t = arith.addf %s, %r fastmath<reassoc,contract> : f32
        linalg.yield %t : f32
      }
      gpu.return
    }
  }
}

// -----

#a = affine_map<(m, k, n) -> (m, k)>
#b = affine_map<(m, k, n) -> (k, n)>
#c = affine_map<(m, k, n) -> (m, n)>

// A sum whose order matters: a thread for each element.
// CHECK-LABEL: gpu.func @in_order(
// CHECK: scf.if
// CHECK: scf.for
// CHECK: arith.mulf
// CHECK: arith.addf
// CHECK: memref.store
module {
  gpu.module @kernels {
    gpu.func @in_order(%a: memref<64x64xf32>, %b: memref<64x64xf32>, %c: memref<64x64xf32>) kernel attributes {weft.class = "product"} {
      linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "reduction", "parallel"]}
          ins(%a, %b : memref<64x64xf32>, memref<64x64xf32>) outs(%c : memref<64x64xf32>) {
      ^bb0(%x: f32, %y: f32, %s: f32):
        %p = arith.mulf %x, %y : f32
        %t = arith.addf %s, %p : f32
        linalg.yield %t : f32
      }
      gpu.return
    }
  }
}

// -----

#a = affine_map<(m, k, n) -> (m, k)>
#b = affine_map<(m, k, n) -> (k, n)>
#c = affine_map<(m, k, n) -> (m, n)>

// Where factors may be rounded: those of rows are read as matrices, those of
// columns, which would have to be transposed, by elements.
// CHECK-LABEL: gpu.func @rounded(
// CHECK-SAME: known_block_size = array<i32: 256, 1, 1>, known_grid_size = array<i32: 32, 1, 1>
// CHECK: nvvm.cp.async.shared.global
// CHECK: scf.for
// CHECK: nvvm.ldmatrix
// CHECK: nvvm.convert.float.to.tf32 %{{.+}} {rnd = #nvvm.fp_rnd_mode<rna>}
// CHECK: llvm.load {{.*}} : !llvm.ptr<3> -> f32
// CHECK: nvvm.mma.sync {{.*}} multiplicandAPtxType = #nvvm.mma_type<tf32>
module attributes {weft.gpu = {chip = "sm_80", multiprocessors = 16 : i64}} {
  gpu.module @kernels {
    gpu.func @rounded(%a: memref<1024x512xf32>, %b: memref<512x1024xf32>, %c: memref<1024x1024xf32>) kernel attributes {weft.class = "product"} {
      %zero = arith.constant 0.0 : f32
      linalg.fill ins(%zero : f32) outs(%c : memref<1024x1024xf32>)
      linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "reduction", "parallel"]}
          ins(%a, %b : memref<1024x512xf32>, memref<512x1024xf32>) outs(%c : memref<1024x1024xf32>) {
      ^bb0(%x: f32, %y: f32, %s: f32):
        %p = arith.mulf %x, %y fastmath<reassoc,contract> {weft.precision = "tf32"} : f32
        %t = arith.addf %s, %p fastmath<reassoc,contract> : f32
        linalg.yield %t : f32
      }
      gpu.return
    }
  }
}
