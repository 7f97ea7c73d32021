// RUN: weft-opt --pass-pipeline="builtin.module(func.func(weft-unroll-loops))" --split-input-file --verify-diagnostics %s | FileCheck %s

// Four steps at a time, then the two that are left over.
// CHECK-LABEL: func.func @some(
// CHECK: scf.for
// CHECK-COUNT-4: memref.store
// CHECK-NOT: memref.store
// CHECK: }
// CHECK-NOT: weft.unroll
// CHECK: scf.for
// CHECK: memref.store
// CHECK-NOT: memref.store
// CHECK: return
func.func @some(%m: memref<10xindex>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c10 = arith.constant 10 : index
  scf.for %i = %c0 to %c10 step %c1 {
    memref.store %i, %m[%i] : memref<10xindex>
  } {weft.unroll = 4 : i64}
  return
}

// -----

// CHECK-LABEL: func.func @all(
// CHECK-NOT: scf.for
// CHECK-COUNT-6: memref.store
// CHECK-NOT: memref.store
// CHECK: return
func.func @all(%m: memref<2x3xindex>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c3 = arith.constant 3 : index
  scf.for %i = %c0 to %c2 step %c1 {
    scf.for %j = %c0 to %c3 step %c1 {
      memref.store %j, %m[%i, %j] : memref<2x3xindex>
    } {weft.unroll = 3 : i64}
  } {weft.unroll = 2 : i64}
  return
}

// -----

func.func @none(%m: memref<10xindex>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c10 = arith.constant 10 : index
  // expected-error @+1 {{cannot take this many steps at a time}}
  scf.for %i = %c0 to %c10 step %c1 {
    memref.store %i, %m[%i] : memref<10xindex>
  } {weft.unroll = 0 : i64}
  return
}
