// RUN: weft-opt --weft-place-locations --mlir-print-debuginfo --mlir-print-local-scope %s | FileCheck %s

// Of a fused op the first line, and of a stack of calls those in a file.
// CHECK-LABEL: llvm.func @f
// CHECK: llvm.mlir.constant(1 : i32) : i32 loc("f.py":1:1)
// CHECK: llvm.mlir.constant(2 : i32) : i32 loc("f.py":3:1)
llvm.func @f() {
  %0 = llvm.mlir.constant(1 : i32) : i32 loc(fused["f.py":1:1, "f.py":2:1])
  %1 = llvm.mlir.constant(2 : i32) : i32 loc(callsite(unknown at "f.py":3:1))
  llvm.return
}
