// RUN: weft-opt --weft-finish-kernels %s | FileCheck %s

gpu.module @kernels {
  // CHECK: llvm.mlir.global external @shared() {addr_space = 3 : i32, alignment = 1024 : i64}
  llvm.mlir.global internal @shared() {addr_space = 3 : i32} : !llvm.array<0 x i8>

  // CHECK: llvm.func @apart(%{{.+}}: !llvm.ptr {llvm.align = 16 : i64, llvm.noalias}, %{{.+}}: i64)
  llvm.func @apart(%x: !llvm.ptr, %n: i64) attributes {nvvm.kernel} {
    llvm.return
  }

  // What others write is seen after a barrier, of whatever kind.
  // CHECK: llvm.func @meets(%{{.+}}: !llvm.ptr {llvm.align = 16 : i64})
  llvm.func @meets(%x: !llvm.ptr) attributes {nvvm.kernel} {
    nvvm.barrier0
    llvm.return
  }
  // CHECK: llvm.func @meets_in_warps(%{{.+}}: !llvm.ptr {llvm.align = 16 : i64})
  llvm.func @meets_in_warps(%x: !llvm.ptr) attributes {nvvm.kernel} {
    %all = llvm.mlir.constant(-1 : i32) : i32
    nvvm.bar.warp.sync %all : i32
    llvm.return
  }
  // CHECK: llvm.func @meets_by_name(%{{.+}}: !llvm.ptr {llvm.align = 16 : i64})
  llvm.func @meets_by_name(%x: !llvm.ptr) attributes {nvvm.kernel} {
    %id = llvm.mlir.constant(0 : i32) : i32
    llvm.call_intrinsic "llvm.nvvm.barrier.cta.sync.aligned.all"(%id) : (i32) -> ()
    llvm.return
  }

  // CHECK: llvm.func internal @part()
  llvm.func @part() {
    llvm.return
  }
}
