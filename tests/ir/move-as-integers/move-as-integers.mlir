// RUN: weft-opt --weft-move-as-integers %s | FileCheck %s

// CHECK-LABEL: llvm.func @halves(
// CHECK-SAME: %[[P:.+]]: !llvm.ptr, %[[MASK:.+]]: vector<16xi1>, %[[X:.+]]: vector<16xbf16>)
// CHECK: %[[OTHERWISE:.+]] = llvm.bitcast %[[X]] : vector<16xbf16> to vector<16xi16>
// CHECK: %[[BITS:.+]] = llvm.intr.masked.load %[[P]], %[[MASK]], %[[OTHERWISE]] {alignment = 2 : i32}
// CHECK: %[[Y:.+]] = llvm.bitcast %[[BITS]] : vector<16xi16> to vector<16xbf16>
// CHECK: %[[STORED:.+]] = llvm.bitcast %[[Y]] : vector<16xbf16> to vector<16xi16>
// CHECK: llvm.intr.masked.store %[[STORED]], %[[P]], %[[MASK]]
llvm.func @halves(%p: !llvm.ptr, %mask: vector<16xi1>, %x: vector<16xbf16>) {
  %y = llvm.intr.masked.load %p, %mask, %x {alignment = 2 : i32} : (!llvm.ptr, vector<16xi1>, vector<16xbf16>) -> vector<16xbf16>
  llvm.intr.masked.store %y, %p, %mask {alignment = 2 : i32} : vector<16xbf16>, vector<16xi1> into !llvm.ptr
  llvm.return
}

// CHECK-LABEL: llvm.func @floats(
// CHECK: llvm.intr.masked.load {{.*}} -> vector<16xf32>
// CHECK-NOT: llvm.bitcast
llvm.func @floats(%p: !llvm.ptr, %mask: vector<16xi1>, %x: vector<16xf32>) -> vector<16xf32> {
  %y = llvm.intr.masked.load %p, %mask, %x {alignment = 4 : i32} : (!llvm.ptr, vector<16xi1>, vector<16xf32>) -> vector<16xf32>
  llvm.return %y : vector<16xf32>
}

// CHECK-LABEL: llvm.func @chosen(
// CHECK-SAME: %[[C:.+]]: i1, %[[X:.+]]: f16, %[[Y:.+]]: f16)
// CHECK-DAG: %[[XBITS:.+]] = llvm.bitcast %[[X]] : f16 to i16
// CHECK-DAG: %[[YBITS:.+]] = llvm.bitcast %[[Y]] : f16 to i16
// CHECK: %[[BITS:.+]] = llvm.select %[[C]], %[[XBITS]], %[[YBITS]] : i1, i16
// CHECK: llvm.bitcast %[[BITS]] : i16 to f16
llvm.func @chosen(%c: i1, %x: f16, %y: f16) -> f16 {
  %z = llvm.select %c, %x, %y : i1, f16
  llvm.return %z : f16
}

// CHECK-LABEL: llvm.func @chosen_floats(
// CHECK-NOT: llvm.bitcast
llvm.func @chosen_floats(%c: i1, %x: f32, %y: f32) -> f32 {
  %z = llvm.select %c, %x, %y : i1, f32
  llvm.return %z : f32
}

// CHECK-LABEL: llvm.func @moved(
// CHECK: %[[BITS:.+]] = llvm.load %{{.+}} {alignment = 2 : i64} : !llvm.ptr -> i16
// CHECK: %[[X:.+]] = llvm.bitcast %[[BITS]] : i16 to bf16
// CHECK: %[[STORED:.+]] = llvm.bitcast %[[X]] : bf16 to i16
// CHECK: llvm.store %[[STORED]], %{{.+}} {alignment = 2 : i64} : i16, !llvm.ptr
// CHECK: llvm.load %{{.+}} : !llvm.ptr -> f16
llvm.func @moved(%p: !llvm.ptr) -> f16 {
  %x = llvm.load %p {alignment = 2 : i64} : !llvm.ptr -> bf16
  llvm.store %x, %p {alignment = 2 : i64} : bf16, !llvm.ptr
  %y = llvm.load %p : !llvm.ptr -> f16
  llvm.return %y : f16
}
