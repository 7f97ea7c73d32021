// RUN: weft-opt --weft-wrap-entries %s -split-input-file | FileCheck %s

// CHECK: llvm.func internal @f(%{{.+}}: !llvm.ptr {llvm.noalias}, %{{.+}}: !llvm.ptr {llvm.noalias})
// CHECK: llvm.func @weft_entry_f(%[[ARGS:.+]]: !llvm.ptr)
// CHECK: %[[SLOT0:.+]] = llvm.getelementptr %[[ARGS]][0]
// CHECK: %[[P0:.+]] = llvm.load %[[SLOT0]]
// CHECK: %[[SLOT1:.+]] = llvm.getelementptr %[[ARGS]][1]
// CHECK: %[[P1:.+]] = llvm.load %[[SLOT1]]
// CHECK: llvm.call @f(%[[P0]], %[[P1]])
llvm.func @f(%out: !llvm.ptr, %arena: !llvm.ptr) attributes {weft.arena_bytes = 0 : i64} {
  llvm.return
}

// -----

// What has no arena is called from inside only.
// CHECK: llvm.func internal @g(%{{.+}}: f32, %{{.+}}: !llvm.ptr {llvm.noalias}) attributes {no_inline}
// CHECK-NOT: weft_entry
llvm.func @g(%x: f32, %y: !llvm.ptr) {
  llvm.return
}
