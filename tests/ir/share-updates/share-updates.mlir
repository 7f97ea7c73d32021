// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: weft-opt %s --weft-share-updates --split-input-file | FileCheck %s
//
// Which row a step updates is known when it runs, but not which column.

// CHECK-LABEL: func.func @columns
// CHECK: scf.for %[[BLOCK:.+]] = %c0{{.*}} to %c8{{.*}} step %c1
// CHECK: %[[FIRST:.+]] = arith.muli %[[BLOCK]], %c192
// CHECK: %[[END:.+]] = arith.addi %[[FIRST]], %c192
// CHECK: scf.for %[[I:.+]] = %c0{{.*}} to %c1000
// CHECK: %[[ROW:.+]] = memref.load %{{.+}}[%[[I]]] : memref<1000xindex>
// CHECK: scf.for %[[J:.+]] = %[[FIRST]] to %[[END]]
// CHECK: memref.store %{{.+}}, %{{.+}}[%[[ROW]], %[[J]]]
// CHECK: } {weft.parallel}
module attributes {weft.machine = {share_from = 262144 : i64}} {
  func.func @columns(%rows: memref<1000xindex>, %y: memref<1000x1536xf32>, %x: memref<256x1536xf32>) {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c1000 = arith.constant 1000 : index
    %c1536 = arith.constant 1536 : index
    scf.for %i = %c0 to %c1000 step %c1 {
      %row = memref.load %rows[%i] : memref<1000xindex>
      scf.for %j = %c0 to %c1536 step %c1 {
        %0 = memref.load %y[%i, %j] : memref<1000x1536xf32>
        %1 = memref.load %x[%row, %j] : memref<256x1536xf32>
        %2 = arith.addf %0, %1 : f32
        memref.store %2, %x[%row, %j] : memref<256x1536xf32>
      }
    }
    return
  }
}

// -----

// Blocks of whole lines do not always make up a row.
// CHECK-LABEL: func.func @rest
// CHECK: scf.for %{{.+}} = %c0{{.*}} to %c8{{.*}} step %c1
// CHECK: %[[END:.+]] = arith.addi %{{.+}}, %c128
// CHECK: %[[LEAST:.+]] = arith.minui %[[END]], %c1000
// CHECK: scf.for %{{.+}} = %{{.+}} to %[[LEAST]]
// CHECK: } {weft.parallel}
// Each step updates a row of its own.
// CHECK-LABEL: func.func @rows
// CHECK: scf.for %[[I:.+]] = %c0{{.*}} to %c1000
// CHECK: memref.store %{{.+}}, %{{.+}}[%[[I]], %{{.+}}]
// CHECK: } {weft.parallel}
// CHECK-NOT: weft.parallel
module attributes {weft.machine = {share_from = 262144 : i64}} {
  func.func @rest(%rows: memref<1000xindex>, %y: memref<1000x1000xf32>, %x: memref<256x1000xf32>) {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c1000 = arith.constant 1000 : index
    scf.for %i = %c0 to %c1000 step %c1 {
      %row = memref.load %rows[%i] : memref<1000xindex>
      scf.for %j = %c0 to %c1000 step %c1 {
        %0 = memref.load %y[%i, %j] : memref<1000x1000xf32>
        memref.store %0, %x[%row, %j] : memref<256x1000xf32>
      }
    }
    return
  }
  func.func @rows(%places: memref<1000x512xindex>, %y: memref<1000x512xf32>, %x: memref<1000x512xf32>) {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c1000 = arith.constant 1000 : index
    %c512 = arith.constant 512 : index
    scf.for %i = %c0 to %c1000 step %c1 {
      scf.for %j = %c0 to %c512 step %c1 {
        %place = memref.load %places[%i, %j] : memref<1000x512xindex>
        %0 = memref.load %y[%i, %j] : memref<1000x512xf32>
        %1 = memref.load %x[%i, %place] : memref<1000x512xf32>
        %2 = arith.addf %0, %1 : f32
        memref.store %2, %x[%i, %place] : memref<1000x512xf32>
      }
    }
    return
  }
}

// -----

// Of columns, a step updates one of each row: rows come first.
// CHECK-LABEL: func.func @one_of_each
// CHECK: scf.for %[[FIRST:.+]] = %c0{{.*}} to %c512{{.*}} step %c1
// CHECK: %[[END:.+]] = arith.addi %{{.+}}, %c1
// CHECK: scf.for %[[I:.+]] = %c0{{.*}} to %c1000
// CHECK: %[[COLUMN:.+]] = memref.load
// CHECK: scf.for %[[ROW:.+]] = %{{.+}} to %[[END]]
// CHECK: memref.store %{{.+}}, %{{.+}}[%[[ROW]], %[[COLUMN]]]
// CHECK: } {weft.parallel}
module attributes {weft.machine = {share_from = 262144 : i64}} {
  func.func @one_of_each(%columns: memref<1000xindex>, %y: memref<512x1000xf32>, %x: memref<512x256xf32>) {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c1000 = arith.constant 1000 : index
    %c512 = arith.constant 512 : index
    scf.for %i = %c0 to %c1000 step %c1 {
      %column = memref.load %columns[%i] : memref<1000xindex>
      scf.for %j = %c0 to %c512 step %c1 {
        %0 = memref.load %y[%j, %i] : memref<512x1000xf32>
        %1 = memref.load %x[%j, %column] : memref<512x256xf32>
        %2 = arith.addf %0, %1 : f32
        memref.store %2, %x[%j, %column] : memref<512x256xf32>
      }
    }
    return
  }
}

// -----

// What another step may write is read; the place depends on more, or what it is a
// place of does; few updates.
// CHECK-NOT: weft.parallel
module attributes {weft.machine = {share_from = 262144 : i64}} {
  func.func @neighbours(%rows: memref<1000xindex>, %x: memref<256x1536xf32>) {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c1000 = arith.constant 1000 : index
    %c1536 = arith.constant 1536 : index
    scf.for %i = %c0 to %c1000 step %c1 {
      %row = memref.load %rows[%i] : memref<1000xindex>
      scf.for %j = %c0 to %c1536 step %c1 {
        %0 = memref.load %x[%row, %row] : memref<256x1536xf32>
        memref.store %0, %x[%row, %j] : memref<256x1536xf32>
      }
    }
    return
  }
  func.func @moved(%rows: memref<1000xindex>, %y: memref<1000x512xf32>, %x: memref<256x1536xf32>) {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c1000 = arith.constant 1000 : index
    %c512 = arith.constant 512 : index
    scf.for %i = %c0 to %c1000 step %c1 {
      %row = memref.load %rows[%i] : memref<1000xindex>
      scf.for %j = %c0 to %c512 step %c1 {
        %0 = memref.load %y[%i, %j] : memref<1000x512xf32>
        %place = arith.addi %row, %j : index
        memref.store %0, %x[%row, %place] : memref<256x1536xf32>
      }
    }
    return
  }
  func.func @views(%y: memref<1000x512xf32>, %x: memref<1000x512xf32>) {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c999 = arith.constant 999 : index
    %c1000 = arith.constant 1000 : index
    %c512 = arith.constant 512 : index
    scf.for %i = %c0 to %c1000 step %c1 {
      %row = arith.subi %c999, %i : index
      %view = memref.subview %x[%row, 0] [1, 512] [1, 1] : memref<1000x512xf32> to memref<1x512xf32, strided<[512, 1], offset: ?>>
      scf.for %j = %c0 to %c512 step %c1 {
        %0 = memref.load %y[%i, %j] : memref<1000x512xf32>
        memref.store %0, %view[%i, %j] : memref<1x512xf32, strided<[512, 1], offset: ?>>
      }
    }
    return
  }
  func.func @few(%rows: memref<10xindex>, %y: memref<10x512xf32>, %x: memref<256x512xf32>) {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c10 = arith.constant 10 : index
    %c512 = arith.constant 512 : index
    scf.for %i = %c0 to %c10 step %c1 {
      %row = memref.load %rows[%i] : memref<10xindex>
      scf.for %j = %c0 to %c512 step %c1 {
        %0 = memref.load %y[%i, %j] : memref<10x512xf32>
        memref.store %0, %x[%row, %j] : memref<256x512xf32>
      }
    }
    return
  }
}
