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
// Four rows are added at once, in their order; those that are left over, one by one.
// CHECK-LABEL: func.func @four_rows(
// CHECK-DAG: %[[WHOLE:.+]] = arith.constant 8 : index
// CHECK-DAG: %[[M:.+]] = arith.constant 10 : index
// CHECK-DAG: %[[FOUR:.+]] = arith.constant 4 : index
// CHECK-DAG: %[[SUMS:.+]] = memref.reinterpret_cast %arg1
// CHECK: scf.for %{{.+}} = %{{.+}} to %[[WHOLE]] step %[[FOUR]]
// CHECK: scf.for
// CHECK: %[[SUM:.+]] = memref.load %[[SUMS]]
// CHECK: %[[ONE:.+]] = arith.maximumf %[[SUM]]
// CHECK-NOT: memref.load %[[SUMS]]
// CHECK: %[[TWO:.+]] = arith.maximumf %[[ONE]]
// CHECK: %[[THREE:.+]] = arith.maximumf %[[TWO]]
// CHECK: %[[ALL:.+]] = arith.maximumf %[[THREE]]
// CHECK: memref.store %[[ALL]], %[[SUMS]]
// CHECK: scf.for %{{.+}} = %[[WHOLE]] to %[[M]] step
// CHECK: arith.maximumf
// CHECK-NOT: arith.maximumf
func.func @four_rows(%a: memref<10x67xf32>, %b: memref<67xf32>) {
  linalg.generic {indexing_maps = [#id, #column], iterator_types = ["reduction", "parallel"]}
      ins(%a : memref<10x67xf32>) outs(%b : memref<67xf32>) {
  ^bb0(%x: f32, %y: f32):
    %m = arith.maximumf %y, %x : f32
    linalg.yield %m : f32
  }
  return
}

// -----

#id = affine_map<(d0, d1) -> (d0, d1)>
#row = affine_map<(d0, d1) -> (d0)>
// A short row is a few whole vectors, of fewer lanes than there could be: three of
// four lanes. Eight numbers are half a vector: LLVM finds those of several rows.
// CHECK-LABEL: func.func @short_sum(
// CHECK-COUNT-3: vector.load {{.*}}, vector<4xf32>
// CHECK-NOT: vector.load
// CHECK-LABEL: func.func @shorter_sum(
// CHECK-NOT: vector.load
// CHECK: return
module attributes {weft.machine = {l1_bytes = 32768 : i64, l2_bytes = 1048576 : i64, vector_bytes = 64 : i64, vector_registers = 32 : i64}} {
func.func @short_sum(%a: memref<99x12xf32>, %b: memref<99xf32>) {
  linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]}
      ins(%a : memref<99x12xf32>) outs(%b : memref<99xf32>) {
  ^bb0(%x: f32, %y: f32):
    %m = arith.addf %y, %x fastmath<reassoc> : f32
    linalg.yield %m : f32
  }
  return
}
func.func @shorter_sum(%a: memref<99x8xf32>, %b: memref<99xf32>) {
  linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]}
      ins(%a : memref<99x8xf32>) outs(%b : memref<99xf32>) {
  ^bb0(%x: f32, %y: f32):
    %m = arith.addf %y, %x fastmath<reassoc> : f32
    linalg.yield %m : f32
  }
  return
}
}

// -----

#id = affine_map<(d0, d1) -> (d0, d1)>
#column = affine_map<(d0, d1) -> (d1)>
// Three rows, as of a window, are added at once as well.
// CHECK-LABEL: func.func @three_rows(
// CHECK: %[[N:.+]] = arith.constant 67 : index
// CHECK: scf.for %{{.+}} = %{{.+}} to %[[N]] step
// CHECK-COUNT-3: arith.maximumf
// CHECK-NOT: arith.maximumf
// CHECK-NOT: scf.for
// CHECK: return
func.func @three_rows(%a: memref<3x67xf32>, %b: memref<67xf32>) {
  linalg.generic {indexing_maps = [#id, #column], iterator_types = ["reduction", "parallel"]}
      ins(%a : memref<3x67xf32>) outs(%b : memref<67xf32>) {
  ^bb0(%x: f32, %y: f32):
    %m = arith.maximumf %y, %x : f32
    linalg.yield %m : f32
  }
  return
}

// -----

#id = affine_map<(d0, d1) -> (d0, d1)>
#column = affine_map<(d0, d1) -> (d1)>
// LLVM would make a straight line of a short row before it looks for vectors, and
// find them in columns: the loop stays one. Of longer rows it makes none, and of much
// shorter ones there is no vector.
// CHECK: #loop_unroll = #llvm.loop_unroll<disable = true>
// CHECK: #loop_annotation = #llvm.loop_annotation<unroll = #loop_unroll>
// CHECK-LABEL: func.func @short_row(
// CHECK: memref.store
// CHECK-NEXT: } {loop_annotation = #loop_annotation}
// CHECK-NOT: loop_annotation
// CHECK-LABEL: func.func @long_row(
// CHECK-NOT: loop_annotation
// CHECK-LABEL: func.func @a_quarter(
// CHECK-NOT: loop_annotation
module attributes {weft.machine = {l1_bytes = 32768 : i64, l2_bytes = 1048576 : i64, vector_bytes = 64 : i64, vector_registers = 32 : i64}} {
func.func @short_row(%a: memref<99x20xf32>, %s: memref<20xf32>, %b: memref<99x20xf32>) {
  linalg.generic {indexing_maps = [#id, #column, #id], iterator_types = ["parallel", "parallel"]}
      ins(%a, %s : memref<99x20xf32>, memref<20xf32>) outs(%b : memref<99x20xf32>) {
  ^bb0(%x: f32, %y: f32, %o: f32):
    %m = arith.addf %x, %y : f32
    linalg.yield %m : f32
  }
  return
}
func.func @long_row(%a: memref<99x32xf32>, %s: memref<32xf32>, %b: memref<99x32xf32>) {
  linalg.generic {indexing_maps = [#id, #column, #id], iterator_types = ["parallel", "parallel"]}
      ins(%a, %s : memref<99x32xf32>, memref<32xf32>) outs(%b : memref<99x32xf32>) {
  ^bb0(%x: f32, %y: f32, %o: f32):
    %m = arith.addf %x, %y : f32
    linalg.yield %m : f32
  }
  return
}
func.func @a_quarter(%a: memref<99x4xf32>, %s: memref<4xf32>, %b: memref<99x4xf32>) {
  linalg.generic {indexing_maps = [#id, #column, #id], iterator_types = ["parallel", "parallel"]}
      ins(%a, %s : memref<99x4xf32>, memref<4xf32>) outs(%b : memref<99x4xf32>) {
  ^bb0(%x: f32, %y: f32, %o: f32):
    %m = arith.addf %x, %y : f32
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

#id = affine_map<(n, i, j) -> (n, i, j)>
#swapped = affine_map<(n, i, j) -> (n, j, i)>
// Small matrices are smaller squares: vectors of twelve by twenty are 8 by 8.
// CHECK-LABEL: func.func @small_transposes(
// CHECK: %[[SIDE:.+]] = arith.constant 8 : index
// CHECK: scf.for %{{.+}} step %[[SIDE]]
// CHECK-COUNT-8: vector.load {{.*}} vector<8xf32>
// CHECK: vector.shuffle
// CHECK-LABEL: func.func @smaller_transposes(
// CHECK-NOT: vector.shuffle
// CHECK: return
module attributes {weft.machine = {l1_bytes = 32768 : i64, l2_bytes = 1048576 : i64, vector_bytes = 64 : i64, vector_registers = 32 : i64}} {
func.func @small_transposes(%a: memref<99x12x20xf32>, %b: memref<99x20x12xf32>) {
  linalg.generic {indexing_maps = [#swapped, #id], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%a : memref<99x12x20xf32>) outs(%b : memref<99x20x12xf32>) {
  ^bb0(%x: f32, %y: f32):
    linalg.yield %x : f32
  }
  return
}
func.func @smaller_transposes(%a: memref<99x4x20xf32>, %b: memref<99x20x4xf32>) {
  linalg.generic {indexing_maps = [#swapped, #id], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%a : memref<99x4x20xf32>) outs(%b : memref<99x20x4xf32>) {
  ^bb0(%x: f32, %y: f32):
    linalg.yield %x : f32
  }
  return
}
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

// -----

#id = affine_map<(d0) -> (d0)>
#one = affine_map<(d0) -> (0)>
// Chunks of 128 doubles, the widest: of the floats eight lines are asked for two
// chunks ahead, of the doubles 16, of what is the same for all nothing. The last
// chunks ask for the last one.
// CHECK-LABEL: func.func @ahead(
// CHECK-DAG: %[[CHUNK:.+]] = arith.constant 128 : index
// CHECK-DAG: %[[AHEAD:.+]] = arith.constant 256 : index
// CHECK-DAG: %[[LAST:.+]] = arith.constant 99872 : index
// CHECK: scf.for %[[I:.+]] = %{{.+}} to %{{.+}} step %[[CHUNK]]
// CHECK: %[[SUM:.+]] = arith.addi %[[I]], %[[AHEAD]]
// CHECK: %[[AT:.+]] = arith.minui %[[SUM]], %[[LAST]]
// CHECK: memref.prefetch %[[X:.+]][%[[AT]]], read, locality<3>, data
// CHECK-COUNT-7: memref.prefetch %[[X]]
// CHECK: %[[BESIDE:.+]] = arith.minui
// CHECK: memref.prefetch %[[Y:.+]][%[[BESIDE]]], read, locality<3>, data
// CHECK-COUNT-15: memref.prefetch %[[Y]]
// CHECK-NOT: memref.prefetch
// CHECK: scf.for
// CHECK: math.tanh
module attributes {weft.machine = {l2_bytes = 100000 : i64}} {
  func.func @ahead(%x: memref<100000xf32>, %y: memref<100000xf64>, %s: memref<1xf64>, %z: memref<100000xf64>) {
    linalg.generic {indexing_maps = [#id, #id, #one, #id], iterator_types = ["parallel"]}
        ins(%x, %y, %s : memref<100000xf32>, memref<100000xf64>, memref<1xf64>) outs(%z : memref<100000xf64>) {
    ^bb0(%a: f32, %b: f64, %c: f64, %out: f64):
      %w = arith.extf %a : f32 to f64
      %t = math.tanh %w : f64
      %m = arith.mulf %t, %b : f64
      %r = arith.addf %m, %c : f64
      linalg.yield %r : f64
    }
    return
  }
}

// -----

#id = affine_map<(d0) -> (d0)>
// The hardware keeps up with an addition.
// CHECK-LABEL: func.func @light(
// CHECK-NOT: memref.prefetch
// CHECK: return
module attributes {weft.machine = {l2_bytes = 100000 : i64}} {
  func.func @light(%x: memref<100000xf32>, %z: memref<100000xf32>) {
    linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
        ins(%x : memref<100000xf32>) outs(%z : memref<100000xf32>) {
    ^bb0(%a: f32, %out: f32):
      %r = arith.addf %a, %a : f32
      linalg.yield %r : f32
    }
    return
  }
}

// -----

#id = affine_map<(d0) -> (d0)>
// In a row that was read before it is the same chunk of the next row.
// CHECK-LABEL: func.func @next_row(
// CHECK-DAG: %[[CHUNK:.+]] = arith.constant 256 : index
// CHECK-DAG: %[[ROW:.+]] = arith.constant 1024 : index
// CHECK-DAG: %[[LAST:.+]] = arith.constant 65280 : index
// CHECK: scf.for %{{.+}} =
// CHECK: arith.negf
// CHECK: scf.for %[[I:.+]] = %{{.+}} to %[[ROW]] step %[[CHUNK]]
// CHECK: %[[OWN:.+]] = arith.addi %{{.+}}, %[[I]]
// CHECK: %[[NEXT:.+]] = arith.addi %[[OWN]], %[[ROW]]
// CHECK: %[[AT:.+]] = arith.minui %[[NEXT]], %[[LAST]]
// CHECK: memref.prefetch %{{.+}}[%[[AT]]], read, locality<3>, data
// CHECK-COUNT-15: memref.prefetch
// CHECK-NOT: memref.prefetch
// CHECK: math.exp
module attributes {weft.machine = {l1_bytes = 32768 : i64, l2_bytes = 100000 : i64}} {
  func.func @next_row(%x: memref<64x1024xf32>, %y: memref<64x1024xf32>, %z: memref<64x1024xf32>) {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c64 = arith.constant 64 : index
    scf.for %i = %c0 to %c64 step %c1 {
      %from = memref.subview %x[%i, 0] [1, 1024] [1, 1] : memref<64x1024xf32> to memref<1024xf32, strided<[1], offset: ?>>
      %to = memref.subview %y[%i, 0] [1, 1024] [1, 1] : memref<64x1024xf32> to memref<1024xf32, strided<[1], offset: ?>>
      %other = memref.subview %z[%i, 0] [1, 1024] [1, 1] : memref<64x1024xf32> to memref<1024xf32, strided<[1], offset: ?>>
      linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
          ins(%from : memref<1024xf32, strided<[1], offset: ?>>) outs(%other : memref<1024xf32, strided<[1], offset: ?>>) {
      ^bb0(%a: f32, %out: f32):
        %n = arith.negf %a : f32
        linalg.yield %n : f32
      }
      linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
          ins(%from : memref<1024xf32, strided<[1], offset: ?>>) outs(%to : memref<1024xf32, strided<[1], offset: ?>>) {
      ^bb0(%a: f32, %out: f32):
        %e = math.exp %a : f32
        linalg.yield %e : f32
      }
    }
    return
  }
}

// -----

#id = affine_map<(d0, d1) -> (d0, d1)>
#column = affine_map<(d0, d1) -> (d1)>
#row = affine_map<(d0, d1) -> (d0)>
// Of columns that are summed the next row's part; of a sum along a row what comes
// two chunks later.
// CHECK-LABEL: func.func @column_sums(
// CHECK: scf.for
// CHECK: scf.for %[[R:.+]] = %{{.+}} to %{{.+}} step
// CHECK: arith.minui
// CHECK: memref.prefetch
// CHECK: math.exp
// CHECK-LABEL: func.func @row_sums(
// CHECK: scf.for
// CHECK: arith.minui
// CHECK-COUNT-16: memref.prefetch
// CHECK-NOT: memref.prefetch
// CHECK: math.exp
module attributes {weft.machine = {l1_bytes = 32768 : i64, l2_bytes = 100000 : i64}} {
  func.func @column_sums(%x: memref<64x1024xf32>, %y: memref<1024xf32>) {
    linalg.generic {indexing_maps = [#id, #column], iterator_types = ["reduction", "parallel"]}
        ins(%x : memref<64x1024xf32>) outs(%y : memref<1024xf32>) {
    ^bb0(%a: f32, %out: f32):
      %e = math.exp %a : f32
      %s = arith.addf %out, %e fastmath<reassoc> : f32
      linalg.yield %s : f32
    }
    return
  }
  func.func @row_sums(%x: memref<64x1024xf32>, %y: memref<64xf32>) {
    linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]}
        ins(%x : memref<64x1024xf32>) outs(%y : memref<64xf32>) {
    ^bb0(%a: f32, %out: f32):
      %e = math.exp %a : f32
      %s = arith.addf %out, %e fastmath<reassoc> : f32
      linalg.yield %s : f32
    }
    return
  }
}

// -----

#all = affine_map<(i, j, k) -> (i, j, k)>
#row = affine_map<(i, j, k) -> (j, k)>

// Results that lie in turn are walked along, though what all share is not.
// CHECK-LABEL: func.func @in_turn(
// CHECK: scf.for
// CHECK: scf.for %[[I:.+]] =
// CHECK: memref.load %{{.+}}[%[[I]]]
// CHECK: memref.store
// CHECK: memref.store
module attributes {weft.machine = {l1_bytes = 32768 : i64, share_from = 262144 : i64, vector_bytes = 64 : i64, vector_registers = 32 : i64}} {
  func.func @in_turn(%x: memref<16x512x32xf32>, %c: memref<512x32xf32>, %y: memref<16x512x32x2xf32>) {
    %even = memref.subview %y[0, 0, 0, 0] [16, 512, 32, 1] [1, 1, 1, 1] : memref<16x512x32x2xf32> to memref<16x512x32xf32, strided<[32768, 64, 2]>>
    %odd = memref.subview %y[0, 0, 0, 1] [16, 512, 32, 1] [1, 1, 1, 1] : memref<16x512x32x2xf32> to memref<16x512x32xf32, strided<[32768, 64, 2], offset: 1>>
    linalg.generic {indexing_maps = [#all, #row, #all, #all], iterator_types = ["parallel", "parallel", "parallel"]}
        ins(%x, %c : memref<16x512x32xf32>, memref<512x32xf32>)
        outs(%even, %odd : memref<16x512x32xf32, strided<[32768, 64, 2]>>, memref<16x512x32xf32, strided<[32768, 64, 2], offset: 1>>) {
    ^bb0(%a: f32, %b: f32, %one: f32, %two: f32):
      %0 = arith.mulf %a, %b : f32
      %1 = arith.addf %a, %b : f32
      linalg.yield %0, %1 : f32, f32
    }
    return
  }
}

// -----

#id = affine_map<(d0, d1) -> (d0, d1)>
#column = affine_map<(d0, d1) -> (d1)>
// Sums of every second column walk along rows, although vectors have gaps.
// CHECK-LABEL: func.func @second_columns(
// CHECK: scf.for %{{.+}} = %{{.+}} to %c128 step %c4
// CHECK: scf.for %[[C:.+]] = %{{.+}} to %c64 step %c1
// CHECK: memref.load %{{.+}}[%[[C]]]
// CHECK: memref.store %{{.+}}, %{{.+}}[%[[C]]]
module attributes {weft.machine = {l1_bytes = 32768 : i64, l2_bytes = 100000 : i64}} {
  func.func @second_columns(%x: memref<128x64xf32, strided<[128, 2]>>, %y: memref<64xf32>) {
    linalg.generic {indexing_maps = [#id, #column], iterator_types = ["reduction", "parallel"]}
        ins(%x : memref<128x64xf32, strided<[128, 2]>>) outs(%y : memref<64xf32>) {
    ^bb0(%a: f32, %out: f32):
      %s = arith.addf %out, %a fastmath<reassoc> : f32
      linalg.yield %s : f32
    }
    return
  }
}

// -----

#in = affine_map<(d0, d1, d2) -> (d0, d2, d1)>
#out = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
// So are those of squares that are turned before they are computed with.
// CHECK-LABEL: func.func @turned(
// CHECK: scf.if
// CHECK: memref.store
// CHECK-NEXT: } {loop_annotation = #loop_annotation}
// CHECK: else
// CHECK: memref.store
// CHECK-NEXT: } {loop_annotation = #loop_annotation}
module attributes {weft.machine = {l1_bytes = 32768 : i64, l2_bytes = 1048576 : i64, vector_bytes = 64 : i64, vector_registers = 32 : i64}} {
func.func @turned(%a: memref<64x100x16xf32>, %b: memref<64x16x100xf32>) {
  linalg.generic {indexing_maps = [#in, #out], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%a : memref<64x100x16xf32>) outs(%b : memref<64x16x100xf32>) {
  ^bb0(%x: f32, %y: f32):
    %m = arith.addf %x, %x : f32
    linalg.yield %m : f32
  }
  return
}
}
