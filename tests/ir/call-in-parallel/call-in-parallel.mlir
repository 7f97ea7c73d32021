// RUN: weft-opt --weft-call-in-parallel %s | FileCheck %s

// CHECK: llvm.func @_weft_run_in_parallel(!llvm.ptr, !llvm.ptr, i64)

// CHECK-LABEL: llvm.func @kernel_task(
// CHECK-SAME: %[[SHARED:.+]]: !llvm.ptr, %[[BEGIN:.+]]: i64, %[[END:.+]]: i64)
// CHECK: %[[SLOT:.+]] = llvm.getelementptr %[[SHARED]][0, 0]
// CHECK: %[[A:.+]] = llvm.load %[[SLOT]]
// CHECK: llvm.call @kernel(%[[A]], %[[BEGIN]], %[[END]])
llvm.func @kernel(%a: !llvm.ptr, %begin: i64, %end: i64) attributes {weft.tasks = 64 : i64} {
  llvm.return
}

// What the threads share is on the stack once, also for calls in loops.
// CHECK-LABEL: llvm.func @f(
// CHECK-SAME: %[[A:.+]]: !llvm.ptr)
// CHECK: %[[SHARED:.+]] = llvm.alloca
// CHECK: ^bb1:
// CHECK: llvm.store %[[A]]
// CHECK: %[[TASK:.+]] = llvm.mlir.addressof @kernel_task
// CHECK: llvm.call @_weft_run_in_parallel(%[[TASK]], %[[SHARED]], %{{.+}})
llvm.func @f(%a: !llvm.ptr) {
  %c0 = llvm.mlir.constant(0 : i64) : i64
  %c64 = llvm.mlir.constant(64 : i64) : i64
  llvm.br ^bb1
^bb1:
  llvm.call @kernel(%a, %c0, %c64) : (!llvm.ptr, i64, i64) -> ()
  llvm.return
}
