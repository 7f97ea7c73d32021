// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: weft-opt %s --weft-jam-rows --split-input-file | FileCheck %s
//
// Running sums of rows that have nothing to do with each other.

// CHECK-LABEL: func.func @sums
// CHECK-SAME:      %[[X:.+]]: memref<64x24xf32>, %[[Y:.+]]: memref<64x24xf32>
// CHECK: scf.for %[[BLOCK:.+]] = %c0{{.*}} to %c8{{.*}} step %c1
// CHECK: %[[FIRST:.+]] = arith.muli %[[BLOCK]], %c8
// CHECK: %[[SECOND:.+]] = arith.addi %[[FIRST]], %c1
// CHECK: %[[A:.+]] = memref.load %[[X]][%[[FIRST]], %{{.+}}]
// CHECK: %[[B:.+]] = memref.load %[[X]][%[[SECOND]], %{{.+}}]
// CHECK-COUNT-8: memref.store
// CHECK: scf.for %[[J:.+]] = %c1{{.*}} to %c24{{.*}} iter_args(%[[S:.+]] = %[[A]], %[[T:.+]] = %[[B]], {{.*}}) -> (f32, f32, f32, f32, f32, f32, f32, f32)
// CHECK: %[[P:.+]] = memref.load %[[X]][%[[FIRST]], %[[J]]]
// CHECK: %[[Q:.+]] = memref.load %[[X]][%[[SECOND]], %[[J]]]
// CHECK: arith.addf %[[S]], %[[P]]
// CHECK: arith.addf %[[T]], %[[Q]]
// CHECK: } {weft.parallel}
func.func @sums(%x: memref<64x24xf32>, %y: memref<64x24xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c24 = arith.constant 24 : index
  %c64 = arith.constant 64 : index
  scf.for %i = %c0 to %c64 step %c1 {
    %first = memref.load %x[%i, %c0] : memref<64x24xf32>
    memref.store %first, %y[%i, %c0] : memref<64x24xf32>
    scf.for %j = %c1 to %c24 step %c1 iter_args(%s = %first) -> (f32) {
      %0 = memref.load %x[%i, %j] : memref<64x24xf32>
      %1 = arith.addf %s, %0 : f32
      memref.store %1, %y[%i, %j] : memref<64x24xf32>
      scf.yield %1 : f32
    }
  } {weft.parallel}
  return
}

// -----

// 67 rows are 17 blocks, of which the last begins in the one before it; where a
// row is written to where it is read, each is done once; rows that are 4096 bytes
// apart are three.
// CHECK-LABEL: func.func @rest
// CHECK: scf.for %[[BLOCK:.+]] = %c0{{.*}} to %c17{{.*}} step %c1
// CHECK: %[[NEXT:.+]] = arith.muli %[[BLOCK]], %c4
// CHECK: arith.minui %[[NEXT]], %c63
// CHECK-LABEL: func.func @in_place
// CHECK: scf.for %{{.+}} = %c0{{.*}} to %c13{{.*}} step %c1
// CHECK-LABEL: func.func @in_ways
// CHECK: scf.for %{{.+}} = %c0{{.*}} to %c20{{.*}} step %c1
func.func @rest(%x: memref<67x24xf32>, %y: memref<67x24xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c24 = arith.constant 24 : index
  %c67 = arith.constant 67 : index
  %zero = arith.constant 0.0 : f32
  scf.for %i = %c0 to %c67 step %c1 {
    scf.for %j = %c0 to %c24 step %c1 iter_args(%s = %zero) -> (f32) {
      %0 = memref.load %x[%i, %j] : memref<67x24xf32>
      %1 = arith.addf %s, %0 : f32
      memref.store %1, %y[%i, %j] : memref<67x24xf32>
      scf.yield %1 : f32
    }
  }
  return
}
func.func @in_place(%x: memref<65x24xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c24 = arith.constant 24 : index
  %c65 = arith.constant 65 : index
  %zero = arith.constant 0.0 : f32
  scf.for %i = %c0 to %c65 step %c1 {
    scf.for %j = %c0 to %c24 step %c1 iter_args(%s = %zero) -> (f32) {
      %0 = memref.load %x[%i, %j] : memref<65x24xf32>
      %1 = arith.addf %s, %0 : f32
      memref.store %1, %x[%i, %j] : memref<65x24xf32>
      scf.yield %1 : f32
    }
  }
  return
}
func.func @in_ways(%x: memref<60x1024xf32>, %y: memref<60x1024xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c1024 = arith.constant 1024 : index
  %c60 = arith.constant 60 : index
  %zero = arith.constant 0.0 : f32
  scf.for %i = %c0 to %c60 step %c1 {
    scf.for %j = %c0 to %c1024 step %c1 iter_args(%s = %zero) -> (f32) {
      %0 = memref.load %x[%i, %j] : memref<60x1024xf32>
      %1 = arith.addf %s, %0 : f32
      memref.store %1, %y[%i, %j] : memref<60x1024xf32>
      scf.yield %1 : f32
    }
  }
  return
}

// -----

// A row begins with what the one before it wrote.
// CHECK-LABEL: func.func @not_apart
// CHECK: scf.for %{{.+}} = %c0{{.*}} to %c64
// CHECK: iter_args(%{{.+}} = %{{.+}}) -> (f32)
func.func @not_apart(%x: memref<64x24xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c24 = arith.constant 24 : index
  %c64 = arith.constant 64 : index
  scf.for %i = %c0 to %c64 step %c1 {
    %first = memref.load %x[%c0, %c0] : memref<64x24xf32>
    scf.for %j = %c0 to %c24 step %c1 iter_args(%s = %first) -> (f32) {
      %0 = memref.load %x[%i, %j] : memref<64x24xf32>
      %1 = arith.addf %s, %0 : f32
      memref.store %1, %x[%i, %j] : memref<64x24xf32>
      scf.yield %1 : f32
    }
  }
  return
}
