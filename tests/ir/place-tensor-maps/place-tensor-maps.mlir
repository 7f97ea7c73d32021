// RUN: weft-opt --pass-pipeline='builtin.module(gpu.module(weft-place-tensor-maps))' %s | FileCheck %s

gpu.module @kernels {
  // CHECK: llvm.func @k(%{{.+}}: !llvm.ptr,
  // CHECK-SAME: llvm.byval = !llvm.array<128 x i8>
  // CHECK-SAME: nvvm.grid_constant
  // CHECK-SAME: weft.tensor_map = {box = array<i64: 64, 64>}
  llvm.func @k(%x: !llvm.ptr, %map: !llvm.ptr) attributes {nvvm.kernel, weft.tensor_maps = [{box = array<i64: 64, 64>}]} {
    llvm.return
  }
}
