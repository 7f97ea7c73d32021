// RUN: weft-opt --pass-pipeline='builtin.module(func.func(weft-lower-loops,canonicalize))' --split-input-file %s | FileCheck %s

#id = affine_map<(d0, d1) -> (d0, d1)>
#row = affine_map<(d0, d1) -> (d0)>
#column = affine_map<(d0, d1) -> (d1)>
#swapped = affine_map<(d0, d1) -> (d1, d0)>

// What is consecutive is one loop.
// CHECK-LABEL: func.func @elementwise(
// CHECK-DAG: %[[ALL:.+]] = arith.constant 48 : index
// CHECK: scf.for %{{.+}} = %{{.+}} to %[[ALL]] step
// CHECK-NOT: scf.for
// CHECK: memref.store
func.func @elementwise(%a: memref<6x8xf32>, %b: memref<6x8xf32>) {
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%a : memref<6x8xf32>) outs(%b : memref<6x8xf32>) {
  ^bb0(%x: f32, %y: f32):
    %n = arith.negf %x : f32
    linalg.yield %n : f32
  }
  return
}

// -----

#id = affine_map<(d0, d1) -> (d0, d1)>
#row = affine_map<(d0, d1) -> (d0)>
// A row is reduced in lanes, several vectors at once, and then the lanes are.
// CHECK-LABEL: func.func @rows(
// CHECK: scf.for
// CHECK: %{{.+}}:4 = scf.for {{.*}} -> (vector<4xf32>, vector<4xf32>, vector<4xf32>, vector<4xf32>)
// CHECK: arith.maximumf %{{.+}}, %{{.+}} : vector<4xf32>
// CHECK: vector.extract_strided_slice
// CHECK: scf.for {{.*}} -> (f32)
module attributes {weft.machine = {vector_bytes = 16 : i64}} {
  func.func @rows(%a: memref<6x67xf32>, %b: memref<6xf32>) {
    linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]}
        ins(%a : memref<6x67xf32>) outs(%b : memref<6xf32>) {
    ^bb0(%x: f32, %y: f32):
      %m = arith.maximumf %y, %x : f32
      linalg.yield %m : f32
    }
    return
  }
}

// -----

#id = affine_map<(d0, d1) -> (d0, d1)>
#column = affine_map<(d0, d1) -> (d1)>
// A sum of columns walks along the rows, and adds whole rows.
// CHECK-LABEL: func.func @columns(
// CHECK-DAG: %[[M:.+]] = arith.constant 6 : index
// CHECK-DAG: %[[N:.+]] = arith.constant 67 : index
// CHECK: scf.for %{{.+}} = %{{.+}} to %[[M]] step
// CHECK: scf.for %{{.+}} = %{{.+}} to %[[N]] step
func.func @columns(%a: memref<6x67xf32>, %b: memref<67xf32>) {
  linalg.generic {indexing_maps = [#id, #column], iterator_types = ["reduction", "parallel"]}
      ins(%a : memref<6x67xf32>) outs(%b : memref<67xf32>) {
  ^bb0(%x: f32, %y: f32):
    %m = arith.addf %y, %x : f32
    linalg.yield %m : f32
  }
  return
}

// -----

#id = affine_map<(d0, d1) -> (d0, d1)>
#swapped = affine_map<(d0, d1) -> (d1, d0)>
// A large transposition goes by squares, and may be shared among threads. Lines
// are read, turned round by shuffles, and written past the caches, if the result
// begins with one.
// CHECK-LABEL: func.func @transpose(
// CHECK-COUNT-3: scf.for
// CHECK-COUNT-16: vector.load {{.*}} vector<16xf32>
// CHECK-COUNT-64: vector.shuffle
// CHECK: scf.if
// CHECK-COUNT-16: vector.store {{.*}} {alignment = 64 : i64, nontemporal = true}
// CHECK: else
// CHECK-COUNT-16: vector.store %{{[a-z0-9_]+}}, %{{[a-z0-9_]+}}[%{{[a-z0-9_]+}}] :
// CHECK: } {weft.parallel}
module attributes {weft.machine = {l1_bytes = 32768 : i64, l2_bytes = 1048576 : i64, vector_bytes = 64 : i64, vector_registers = 32 : i64}} {
func.func @transpose(%a: memref<1024x1024xf32>, %b: memref<1024x1024xf32>) {
  linalg.generic {indexing_maps = [#swapped, #id], iterator_types = ["parallel", "parallel"]}
      ins(%a : memref<1024x1024xf32>) outs(%b : memref<1024x1024xf32>) {
  ^bb0(%x: f32, %y: f32):
    linalg.yield %x : f32
  }
  return
}
}

// -----

#id = affine_map<(d0, d1) -> (d0, d1)>
#swapped = affine_map<(d0, d1) -> (d1, d0)>
// Where more is done, squares are turned round on the stack. Rows that begin
// within lines are turned by half lines, and one by one at their ends.
// CHECK-LABEL: func.func @transposed_sum(
// CHECK: %[[SQUARE:.+]] = memref.alloca() {alignment = 64 : i64} : memref<1024xf32>
// CHECK: scf.for
// CHECK-COUNT-8: vector.store {{.*}}, %[[SQUARE]]
// CHECK: memref.store {{.*}}, %[[SQUARE]]
// CHECK: memref.store {{.*}}, %[[SQUARE]]
// CHECK: scf.if
// CHECK: memref.load %[[SQUARE]]
module attributes {weft.machine = {l1_bytes = 32768 : i64, l2_bytes = 1048576 : i64, vector_bytes = 64 : i64, vector_registers = 32 : i64}} {
func.func @transposed_sum(%a: memref<1001x77xf32>, %b: memref<77x1001xf32>) {
  linalg.generic {indexing_maps = [#swapped, #id], iterator_types = ["parallel", "parallel"]}
      ins(%a : memref<1001x77xf32>) outs(%b : memref<77x1001xf32>) {
  ^bb0(%x: f32, %y: f32):
    %z = arith.addf %x, %x : f32
    linalg.yield %z : f32
  }
  return
}
}

// -----

#id = affine_map<(d0, d1) -> (d0, d1)>
// Of an op that asks for its indices, no loops are merged.
// CHECK-LABEL: func.func @indices(
// CHECK: scf.for %[[I:.+]] =
// CHECK: scf.for %[[J:.+]] =
// CHECK: arith.addi %[[I]], %[[J]]
func.func @indices(%b: memref<6x8xindex>) {
  linalg.generic {indexing_maps = [#id], iterator_types = ["parallel", "parallel"]}
      outs(%b : memref<6x8xindex>) {
  ^bb0(%y: index):
    %i = linalg.index 0 : index
    %j = linalg.index 1 : index
    %s = arith.addi %i, %j : index
    linalg.yield %s : index
  }
  return
}
