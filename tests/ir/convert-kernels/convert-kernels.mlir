// RUN: weft-opt --pass-pipeline='builtin.module(gpu.module(weft-convert-kernels))' %s | FileCheck %s

gpu.module @kernels {
  // Bare pointers, and LLVM's own square root: nothing is to be linked.
  // CHECK-LABEL: llvm.func @k(
  // CHECK-SAME: %[[X:[^:]+]]: !llvm.ptr
  // CHECK-SAME: nvvm.kernel
  // CHECK: nvvm.read.ptx.sreg.tid.x
  // CHECK: llvm.intr.sqrt
  // CHECK: nvvm.barrier
  // CHECK-NOT: __nv_
  gpu.func @k(%x: memref<64xf32>) kernel {
    %t = gpu.thread_id x
    %a = memref.load %x[%t] : memref<64xf32>
    %b = math.sqrt %a : f32
    gpu.barrier
    memref.store %b, %x[%t] : memref<64xf32>
    gpu.return
  }
}
