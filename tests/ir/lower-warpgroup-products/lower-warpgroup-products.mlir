// RUN: weft-opt --weft-lower-warpgroup-products --split-input-file %s | FileCheck %s
// RUN: weft-opt --pass-pipeline='builtin.module(weft-lower-warpgroup-products,gpu.module(convert-scf-to-cf,canonicalize,cse,convert-gpu-to-nvvm{use-bare-ptr-memref-call-conv=1},convert-nvvm-to-llvm,convert-arith-to-llvm,reconcile-unrealized-casts,weft-place-tensor-maps))' --split-input-file %s | FileCheck %s --check-prefix=NVVM

// One warpgroup copies and two multiply: four products for each 64 steps, of
// which the last group stays in flight while the next one starts.
#a = affine_map<(m, n, k) -> (m, k)>
#b = affine_map<(m, n, k) -> (k, n)>
#c = affine_map<(m, n, k) -> (m, n)>
// CHECK-LABEL: module attributes {gpu.container_module, weft.gpu
// CHECK: llvm.mlir.global external @weft_shared() {addr_space = 3 : i32, alignment = 1024 : i64} : !llvm.array<0 x i8>
// CHECK: gpu.func @product(%{{.+}}: memref<4096x4096xbf16>, %{{.+}}: memref<4096x4096xbf16>, %{{.+}}: memref<4096x4096xf32>
// CHECK-SAME: %[[LEFT:[a-z0-9]+]]: !llvm.ptr {llvm.align = 64 : i64, llvm.byval = !llvm.array<128 x i8>, weft.tensor_map = {box = array<i64: 64, 128>, dims = array<i64: 4096, 4096>, strides = array<i64: 8192>, swizzle = 128 : i64, type = "bf16"}}
// CHECK-SAME: %[[RIGHT:[a-z0-9]+]]: !llvm.ptr {{{.*}}weft.tensor_map = {box = array<i64: 64, 64>
// CHECK-SAME: known_block_size = array<i32: 384, 1, 1>, known_grid_size = array<i32: 132, 1, 1>
// CHECK-SAME: nvvm.minctasm = 1 : i32
// CHECK-SAME: weft.shared_bytes = 229440 : i64
// CHECK-NOT: linalg
// CHECK-COUNT-8: nvvm.mbarrier.init
// CHECK: nvvm.barrier0
// CHECK: scf.if
// CHECK: nvvm.setmaxregister decrease 56
// CHECK: nvvm.mbarrier.try_wait.parity
// CHECK: nvvm.mbarrier.arrive.expect_tx
// CHECK: nvvm.cp.async.bulk.tensor.shared.cluster.global %{{.+}}, %[[LEFT]]
// CHECK-COUNT-4: nvvm.cp.async.bulk.tensor.shared.cluster.global %{{.+}}, %[[RIGHT]]
// CHECK: } else {
// CHECK: nvvm.setmaxregister increase 224
// CHECK: nvvm.wgmma.fence.aligned
// CHECK-COUNT-4: nvvm.wgmma.mma_async {{.*}}<m = 64, n = 256, k = 16>{{.*}}A[<bf16>, {{.*}}, <row>], B[<bf16>, {{.*}}, <row>]
// CHECK: nvvm.wgmma.commit.group.sync.aligned
// CHECK: nvvm.wgmma.wait.group.sync.aligned 1
// CHECK: nvvm.mbarrier.arrive
// CHECK: nvvm.wgmma.wait.group.sync.aligned 0
// CHECK-COUNT-64: llvm.store %{{.+}} {alignment = 8 : i64} : vector<2xf32>, !llvm.ptr<3>
// CHECK-NOT: llvm.store
// A launch passes the buffers that the maps are of.
// CHECK: func.func @main(%[[A:.+]]: memref<4096x4096xbf16>, %[[B:.+]]: memref<4096x4096xbf16>
// CHECK: memref.extract_aligned_pointer_as_index %[[A]]
// CHECK: %[[P:.+]] = llvm.inttoptr
// CHECK: memref.extract_aligned_pointer_as_index %[[B]]
// CHECK: %[[Q:.+]] = llvm.inttoptr
// CHECK: gpu.launch_func {{.*}} %[[P]] : !llvm.ptr, %[[Q]] : !llvm.ptr, %{{.+}} : !llvm.ptr)
// NVVM: llvm.func @product({{.*}}llvm.byval = !llvm.array<128 x i8>, nvvm.grid_constant, weft.tensor_map
// NVVM-SAME: nvvm.maxntid = array<i32: 384, 1, 1>, nvvm.minctasm = 1 : i32
// NVVM: wgmma.mma_async.sync.aligned.m64n256k16.f32.bf16.bf16
module attributes {gpu.container_module, weft.gpu = {chip = "sm_90a", multiprocessors = 132 : i64}} {
  gpu.module @kernels {
    gpu.func @product(%a: memref<4096x4096xbf16>, %b: memref<4096x4096xbf16>, %c: memref<4096x4096xf32>) kernel attributes {weft.class = "product"} {
      %zero = arith.constant 0.0 : f32
      linalg.fill ins(%zero : f32) outs(%c : memref<4096x4096xf32>)
      linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction"]}
          ins(%a, %b : memref<4096x4096xbf16>, memref<4096x4096xbf16>) outs(%c : memref<4096x4096xf32>) {
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
  func.func @main(%a: memref<4096x4096xbf16>, %b: memref<4096x4096xbf16>, %c: memref<4096x4096xf32>) {
    %one = arith.constant 1 : index
    gpu.launch_func @kernels::@product blocks in (%one, %one, %one) threads in (%one, %one, %one)
        args(%a : memref<4096x4096xbf16>, %b : memref<4096x4096xbf16>, %c : memref<4096x4096xf32>)
    return
  }
}

// -----

// Batches of ragged size, with an epilogue that leaves what it computes for
// another buffer: the engine stores it, and clips it. Its operand is read where
// it is inside, two columns at a time. Both factors are summed along lines that
// are not consecutive or along such that are, as their maps say.
#a = affine_map<(b, m, n, k) -> (b, k, m)>
#b = affine_map<(b, m, n, k) -> (b, n, k)>
#c = affine_map<(b, m, n, k) -> (b, m, n)>
#i = affine_map<(b, m, n) -> (b, m, n)>
#n = affine_map<(b, m, n) -> (n)>
// CHECK-LABEL: gpu.func @batch
// CHECK-SAME: weft.tensor_map = {box = array<i64: 64, 64, 1>, dims = array<i64: 200, 104, 3>, strides = array<i64: 400, 41600>
// CHECK-SAME: weft.tensor_map = {box = array<i64: 64, 64, 1>, dims = array<i64: 104, 328, 3>, strides = array<i64: 208, 68224>
// CHECK-SAME: %[[OUT:[a-z0-9]+]]: !llvm.ptr {{{.*}}weft.tensor_map = {box = array<i64: 64, 64, 1>, dims = array<i64: 328, 200, 3>, strides = array<i64: 656, 131200>, swizzle = 128 : i64, type = "f16"}}
// CHECK: nvvm.wgmma.mma_async {{.*}}A[<f16>, {{.*}}, <col>], B[<f16>, {{.*}}, <col>]
// CHECK: scf.if {{.*}} -> (vector<2xf32>)
// CHECK: llvm.load %{{.+}} {alignment = 8 : i64} : !llvm.ptr<1> -> vector<2xf32>
// CHECK: nvvm.cp.async.bulk.wait_group {{.*}} {read}
// CHECK: llvm.call_intrinsic "llvm.nvvm.barrier.cta.sync.aligned.count"
// CHECK: arith.addf
// CHECK: arith.truncf
// CHECK-COUNT-4: nvvm.stmatrix
// CHECK: nvvm.fence.proxy {kind = #nvvm.proxy_kind<async.shared>
// CHECK: llvm.call_intrinsic "llvm.nvvm.barrier.cta.sync.aligned.count"
// CHECK: nvvm.cp.async.bulk.tensor.global.shared.cta %[[OUT]]
// CHECK-NOT: llvm.store
// CHECK-NOT: memref.alloca
// CHECK: gpu.return
module attributes {weft.gpu = {chip = "sm_90a", multiprocessors = 132 : i64}} {
  gpu.module @kernels {
    gpu.func @batch(%a: memref<3x104x200xf16>, %b: memref<3x328x104xf16>, %bias: memref<328xf32>, %out: memref<3x200x328xf16>) kernel attributes {weft.class = "product"} {
      %zero = arith.constant 0.0 : f32
      %c = memref.alloca() : memref<3x200x328xf32>
      linalg.fill ins(%zero : f32) outs(%c : memref<3x200x328xf32>)
      linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
          ins(%a, %b : memref<3x104x200xf16>, memref<3x328x104xf16>) outs(%c : memref<3x200x328xf32>) {
      ^bb0(%x: f16, %y: f16, %s: f32):
        %u = arith.extf %x : f16 to f32
        %v = arith.extf %y : f16 to f32
        %p = arith.mulf %u, %v fastmath<reassoc,contract> : f32
        %t = arith.addf %s, %p fastmath<reassoc,contract> : f32
        linalg.yield %t : f32
      }
      linalg.generic {indexing_maps = [#i, #n, #i], iterator_types = ["parallel", "parallel", "parallel"]}
          ins(%c, %bias : memref<3x200x328xf32>, memref<328xf32>) outs(%out : memref<3x200x328xf16>) attrs = {weft.epilogue} {
      ^bb0(%x: f32, %y: f32, %old: f16):
        %t = arith.addf %x, %y : f32
        %h = arith.truncf %t : f32 to f16
        linalg.yield %h : f16
      }
      gpu.return
    }
  }
}

// -----

// Lines of 102 elements are no multiple of 16 bytes.
#a = affine_map<(m, n, k) -> (m, k)>
#b = affine_map<(m, n, k) -> (k, n)>
#c = affine_map<(m, n, k) -> (m, n)>
// CHECK-LABEL: gpu.func @lines
// CHECK: linalg.generic
module attributes {weft.gpu = {chip = "sm_90a", multiprocessors = 132 : i64}} {
  gpu.module @kernels {
    gpu.func @lines(%a: memref<128x102xbf16>, %b: memref<102x128xbf16>, %c: memref<128x128xf32>) kernel attributes {weft.class = "product"} {
      linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction"]}
          ins(%a, %b : memref<128x102xbf16>, memref<102x128xbf16>) outs(%c : memref<128x128xf32>) {
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

// -----

// Other floats, and other chips, are left alone.
#a = affine_map<(m, n, k) -> (m, k)>
#b = affine_map<(m, n, k) -> (k, n)>
#c = affine_map<(m, n, k) -> (m, n)>
// CHECK-LABEL: gpu.func @floats
// CHECK: linalg.generic
module attributes {weft.gpu = {chip = "sm_90a", multiprocessors = 132 : i64}} {
  gpu.module @kernels {
    gpu.func @floats(%a: memref<128x128xf32>, %b: memref<128x128xf32>, %c: memref<128x128xf32>) kernel attributes {weft.class = "product"} {
      linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction"]}
          ins(%a, %b : memref<128x128xf32>, memref<128x128xf32>) outs(%c : memref<128x128xf32>) {
      ^bb0(%x: f32, %y: f32, %s: f32):
        %p = arith.mulf %x, %y fastmath<reassoc,contract> : f32
        %t = arith.addf %s, %p fastmath<reassoc,contract> : f32
        linalg.yield %t : f32
      }
      gpu.return
    }
  }
}
