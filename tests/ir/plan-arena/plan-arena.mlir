// RUN: weft-opt --weft-plan-arena --canonicalize --cse %s | FileCheck %s

// %b is needed while %a is, %c only after %a: it takes the place of %a.
// CHECK-LABEL: func.func @reuse(
// CHECK-SAME: %[[X:.+]]: memref<16xf32>, %[[ARENA:.+]]: memref<128xi8>) attributes {weft.arena_bytes = 128 : i64}
// CHECK-DAG: %[[C0:.+]] = arith.constant 0 : index
// CHECK-DAG: %[[C64:.+]] = arith.constant 64 : index
// CHECK: %[[A:.+]] = memref.view %[[ARENA]][%[[C0]]][]
// CHECK: memref.copy %[[X]], %[[A]]
// CHECK: %[[B:.+]] = memref.view %[[ARENA]][%[[C64]]][]
// CHECK: memref.copy %[[A]], %[[B]]
// CHECK: memref.copy %[[B]], %[[A]]
// CHECK: memref.copy %[[A]], %[[X]]
func.func @reuse(%x: memref<16xf32>) {
  %a = memref.alloc() : memref<16xf32>
  memref.copy %x, %a : memref<16xf32> to memref<16xf32>
  %b = memref.alloc() : memref<16xf32>
  memref.copy %a, %b : memref<16xf32> to memref<16xf32>
  %c = memref.alloc() : memref<16xf32>
  memref.copy %b, %c : memref<16xf32> to memref<16xf32>
  memref.copy %c, %x : memref<16xf32> to memref<16xf32>
  return
}

// A view keeps its buffer alive, and offsets are multiples of 64.
// CHECK-LABEL: func.func @views(
// CHECK-SAME: %[[ARENA:[a-z0-9]+]]: memref<128xi8>) attributes
// CHECK-DAG: %[[C64:.+]] = arith.constant 64 : index
// CHECK-DAG: memref.view %[[ARENA]][%[[C64]]][] : memref<128xi8> to memref<2x2xi8>
func.func @views(%x: memref<4xi8>) {
  %a = memref.alloc() : memref<2x2xi8>
  %flat = memref.collapse_shape %a [[0, 1]] : memref<2x2xi8> into memref<4xi8>
  memref.copy %x, %flat : memref<4xi8> to memref<4xi8>
  %b = memref.alloc() : memref<2x2xi8>
  %z = arith.constant 0 : i8
  linalg.fill ins(%z : i8) outs(%b : memref<2x2xi8>)
  memref.copy %flat, %x : memref<4xi8> to memref<4xi8>
  return
}

// CHECK-LABEL: func.func @no_temporaries(
// CHECK-SAME: memref<0xi8>) attributes {weft.arena_bytes = 0 : i64}
func.func @no_temporaries() {
  return
}
