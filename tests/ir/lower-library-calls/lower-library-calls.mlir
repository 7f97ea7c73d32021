// RUN: weft-opt --weft-lower-library-calls %s | FileCheck %s

// CHECK-DAG: llvm.mlir.global private constant @[[PLACE:weft_place.*]]("f.py:7\00")
// CHECK-DAG: llvm.func @weft_cholesky_f64(!llvm.ptr, !llvm.ptr, !llvm.ptr, i64, i64)

// CHECK-LABEL: func.func @direct(
// CHECK-SAME: %[[X:.+]]: memref<3x3xf64>, %[[Y:.+]]: memref<3x3xf64>)
// CHECK: %[[AT:.+]] = llvm.mlir.addressof @[[PLACE]]
// CHECK: memref.extract_aligned_pointer_as_index %[[X]]
// CHECK: %[[P:.+]] = llvm.inttoptr
// CHECK: memref.extract_aligned_pointer_as_index %[[Y]]
// CHECK: %[[Q:.+]] = llvm.inttoptr
// CHECK: llvm.call @weft_cholesky_f64(%[[AT]], %[[P]], %[[Q]], %{{.+}}, %{{.+}})
func.func @direct(%x: memref<3x3xf64>, %y: memref<3x3xf64>) {
  weft.library_call "cholesky_f64" [1, 3] (%x) into(%y) : (memref<3x3xf64>, memref<3x3xf64>) -> () loc("f.py":7:3)
  return
}

// CHECK-LABEL: func.func @shifted(
// CHECK-SAME: %[[X:.+]]: memref<3x3xf64, strided<[3, 1], offset: ?>>
// CHECK: llvm.mlir.zero
// CHECK: %[[START:.+]] = memref.extract_aligned_pointer_as_index %[[X]]
// CHECK: %{{.+}}, %[[OFFSET:.+]], %{{.+}}:2, %{{.+}}:2 = memref.extract_strided_metadata %[[X]]
// CHECK: %[[EIGHT:.+]] = arith.constant 8 : index
// CHECK: %[[BYTES:.+]] = arith.muli %[[OFFSET]], %[[EIGHT]]
// CHECK: arith.addi %[[START]], %[[BYTES]]
func.func @shifted(%x: memref<3x3xf64, strided<[3, 1], offset: ?>>, %y: memref<3x3xf64>) {
  weft.library_call "cholesky_f64" [1, 3] (%x) into(%y) : (memref<3x3xf64, strided<[3, 1], offset: ?>>, memref<3x3xf64>) -> ()  loc(unknown)
  return
}
