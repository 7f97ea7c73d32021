// RUN: weft-opt --pass-pipeline='builtin.module(func.func(weft-merge-loops,cse))' --split-input-file %s | FileCheck %s

// The three last dimensions are one row: of what is read elsewhere, too.
// CHECK-LABEL: func.func @rows(
// CHECK-SAME: %[[X:.+]]: memref<56x4x196x10xf32>, %[[Y:.+]]: memref<4x196x10xf32>, %[[K:.+]]: index
// CHECK-DAG: %[[ALL:.+]] = arith.constant 7840 : index
// CHECK: scf.for %[[I:.+]] = %{{.+}} to %[[ALL]] step
// CHECK-DAG: %[[Y2:.+]] = memref.collapse_shape %{{.+}} {{\[\[}}0, 1]] : memref<4x1960xf32> into memref<7840xf32>
// CHECK-DAG: %[[X2:.+]] = memref.collapse_shape %{{.+}} {{\[\[}}0], [1, 2]] : memref<56x4x1960xf32> into memref<56x7840xf32>
// CHECK-NEXT: %[[A:.+]] = memref.load %[[X2]][%[[K]], %[[I]]]
// CHECK-NEXT: %[[B:.+]] = memref.load %[[Y2]][%[[I]]]
// CHECK-NEXT: %[[C:.+]] = arith.addf %[[A]], %[[B]]
// CHECK-NEXT: memref.store %[[C]], %[[X2]][%[[K]], %[[I]]]
// CHECK-NOT: scf.for
func.func @rows(%x: memref<56x4x196x10xf32>, %y: memref<4x196x10xf32>, %k: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %c10 = arith.constant 10 : index
  %c196 = arith.constant 196 : index
  scf.for %h = %c0 to %c4 step %c1 {
    scf.for %i = %c0 to %c196 step %c1 {
      scf.for %j = %c0 to %c10 step %c1 {
        %a = memref.load %x[%k, %h, %i, %j] : memref<56x4x196x10xf32>
        %b = memref.load %y[%h, %i, %j] : memref<4x196x10xf32>
        %c = arith.addf %a, %b : f32
        memref.store %c, %x[%k, %h, %i, %j] : memref<56x4x196x10xf32>
      }
    }
  }
  return
}

// Rows of part of an array do not follow each other, nor do those with gaps between
// them; a transposed array is walked along otherwise; an index may be a number; and
// what carries something, or is to be unrolled, is left alone.
// CHECK-LABEL: func.func @others(
// CHECK-NOT: memref.collapse_shape
func.func @others(%x: memref<196x10xf32>, %gaps: memref<196x10xf32, strided<[16, 1]>>, %t: memref<10x196xf32>, %n: memref<196x10xindex>, %y: memref<196x10xf32>) -> f32 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %c10 = arith.constant 10 : index
  %c196 = arith.constant 196 : index
  %zero = arith.constant 0.0 : f32
  scf.for %i = %c0 to %c196 step %c1 {
    scf.for %j = %c0 to %c8 step %c1 {
      memref.store %zero, %x[%i, %j] : memref<196x10xf32>
    }
  }
  scf.for %i = %c0 to %c196 step %c1 {
    scf.for %j = %c0 to %c10 step %c1 {
      memref.store %zero, %gaps[%i, %j] : memref<196x10xf32, strided<[16, 1]>>
    }
  }
  scf.for %i = %c0 to %c196 step %c1 {
    scf.for %j = %c0 to %c10 step %c1 {
      %a = memref.load %t[%j, %i] : memref<10x196xf32>
      memref.store %a, %x[%i, %j] : memref<196x10xf32>
    }
  }
  scf.for %i = %c0 to %c196 step %c1 {
    scf.for %j = %c0 to %c10 step %c1 {
      memref.store %j, %n[%i, %j] : memref<196x10xindex>
    }
  }
  scf.for %i = %c0 to %c196 step %c1 {
    scf.for %j = %c0 to %c10 step %c1 {
      memref.store %zero, %x[%i, %j] : memref<196x10xf32>
    } {weft.unroll = 2 : i64}
  }
  %sum = scf.for %i = %c0 to %c196 step %c1 iter_args(%all = %zero) -> f32 {
    %row = scf.for %j = %c0 to %c10 step %c1 iter_args(%sum = %all) -> f32 {
      %a = memref.load %y[%i, %j] : memref<196x10xf32>
      %next = arith.addf %sum, %a : f32
      scf.yield %next : f32
    }
    scf.yield %row : f32
  }
  return %sum : f32
}

// -----

#rows = affine_map<(n, h, w, c) -> (n)>
#all = affine_map<(n, h, w, c) -> (n, h, w, c)>
#hw = affine_map<(n, h, w, c) -> (h, w)>
// A gather of slices of two whole dimensions, which another operand is walked along
// with, and a third one that it does not know.
// CHECK-DAG: #[[N:.+]] = affine_map<(d0, d1, d2) -> (d0)>
// CHECK-DAG: #[[HW:.+]] = affine_map<(d0, d1, d2) -> (d1)>
// CHECK-DAG: #[[ALL:.+]] = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
// CHECK-LABEL: func.func @gather(
// CHECK-SAME: %[[X:.+]]: memref<16x20x30x3xf32>, %[[I:.+]]: memref<32xindex>, %[[Y:.+]]: memref<20x30xf32>, %[[OUT:.+]]: memref<32x20x30x3xf32>
// CHECK-DAG: %[[X2:.+]] = memref.collapse_shape %[[X]] {{\[\[}}0], [1, 2], [3]] : memref<16x20x30x3xf32> into memref<16x600x3xf32>
// CHECK-DAG: %[[Y2:.+]] = memref.collapse_shape %[[Y]] {{\[\[}}0, 1]]
// CHECK-DAG: %[[OUT2:.+]] = memref.collapse_shape %[[OUT]] {{\[\[}}0], [1, 2], [3]]
// CHECK: linalg.generic {indexing_maps = [#[[N]], #[[HW]], #[[ALL]]], iterator_types = ["parallel", "parallel", "parallel"]} ins(%[[I]], %[[Y2]] : {{.*}}) outs(%[[OUT2]] :
// CHECK-DAG: %[[H:.+]] = linalg.index 1
// CHECK-DAG: %[[C:.+]] = linalg.index 2
// CHECK: memref.load %[[X2]][%{{.+}}, %[[H]], %[[C]]]
func.func @gather(%x: memref<16x20x30x3xf32>, %i: memref<32xindex>, %y: memref<20x30xf32>, %out: memref<32x20x30x3xf32>) {
  linalg.generic {indexing_maps = [#rows, #hw, #all], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%i, %y : memref<32xindex>, memref<20x30xf32>) outs(%out : memref<32x20x30x3xf32>) {
  ^bb0(%k: index, %a: f32, %o: f32):
    %h = linalg.index 1 : index
    %w = linalg.index 2 : index
    %c = linalg.index 3 : index
    %b = memref.load %x[%k, %h, %w, %c] : memref<16x20x30x3xf32>
    %p = arith.mulf %a, %b : f32
    linalg.yield %p : f32
  }
  return
}

#i = affine_map<(n, h, w) -> (n)>
#o = affine_map<(n, h, w) -> (n, h, w)>
#t = affine_map<(n, h, w) -> (h, n, w)>
// Slices of parts of dimensions, results that lie in another order, and an index that
// is a number.
// CHECK-LABEL: func.func @other_gathers(
// CHECK-NOT: memref.collapse_shape
func.func @other_gathers(%x: memref<16x40x3xf32>, %y: memref<16x20x3xf32>, %i: memref<32xindex>, %out: memref<32x20x3xf32>, %turned: memref<20x32x3xf32>, %n: memref<32x20x3xindex>) {
  linalg.generic {indexing_maps = [#i, #o], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%i : memref<32xindex>) outs(%out : memref<32x20x3xf32>) {
  ^bb0(%k: index, %o: f32):
    %h = linalg.index 1 : index
    %w = linalg.index 2 : index
    %b = memref.load %x[%k, %h, %w] : memref<16x40x3xf32>
    linalg.yield %b : f32
  }
  linalg.generic {indexing_maps = [#i, #t], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%i : memref<32xindex>) outs(%turned : memref<20x32x3xf32>) {
  ^bb0(%k: index, %o: f32):
    %h = linalg.index 1 : index
    %w = linalg.index 2 : index
    %b = memref.load %y[%k, %h, %w] : memref<16x20x3xf32>
    linalg.yield %b : f32
  }
  linalg.generic {indexing_maps = [#o], iterator_types = ["parallel", "parallel", "parallel"]}
      outs(%n : memref<32x20x3xindex>) {
  ^bb0(%o: index):
    %w = linalg.index 2 : index
    linalg.yield %w : index
  }
  return
}

// -----

#i = affine_map<(n, h, w) -> (n)>
#o = affine_map<(n, h, w) -> (n, h, w)>
// What is read is written, or made, by the op itself.
// CHECK-LABEL: func.func @own(
// CHECK-NOT: memref.collapse_shape
func.func @own(%x: memref<32x20x3xf32>, %i: memref<32xindex>) {
  linalg.generic {indexing_maps = [#i, #o], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%i : memref<32xindex>) outs(%x : memref<32x20x3xf32>) {
  ^bb0(%k: index, %o: f32):
    %h = linalg.index 1 : index
    %w = linalg.index 2 : index
    %b = memref.load %x[%k, %h, %w] : memref<32x20x3xf32>
    linalg.yield %b : f32
  }
  %y = memref.alloc() : memref<32x20x3xf32>
  linalg.generic {indexing_maps = [#i, #o], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%i : memref<32xindex>) outs(%y : memref<32x20x3xf32>) {
  ^bb0(%k: index, %o: f32):
    %own = memref.alloca() : memref<32x20x3xf32>
    %h = linalg.index 1 : index
    %w = linalg.index 2 : index
    %b = memref.load %own[%k, %h, %w] : memref<32x20x3xf32>
    linalg.yield %b : f32
  }
  return
}
