// RUN: weft-opt --pass-pipeline='builtin.module(func.func(weft-group-rows))' --split-input-file %s | FileCheck %s

#id = affine_map<(d0, d1) -> (d0, d1)>
#row = affine_map<(d0, d1) -> (d0)>

// The maximum is one number of a row's own; the result is written in place.
// CHECK-LABEL: func.func @shifted(
// CHECK-SAME: %[[X:.+]]: memref<64x512xf32>, %[[Y:.+]]: memref<64x512xf32>
// CHECK-NOT: memref.alloc()
// CHECK: scf.for %[[I:.+]] =
// CHECK: %[[MAX:.+]] = memref.alloca() : memref<f32>
// CHECK: linalg.fill {{.*}} outs(%[[MAX]] :
// CHECK: %[[FROM:.+]] = memref.subview %[[X]][%[[I]], 0] [1, 512] [1, 1]
// CHECK: linalg.generic {{.*}} iterator_types = ["reduction"]} ins(%[[FROM]] : {{.*}}) outs(%[[MAX]] :
// CHECK: %[[TO:.+]] = memref.subview %[[Y]][%[[I]], 0] [1, 512] [1, 1]
// CHECK: linalg.generic {{.*}} ins(%{{.+}}, %[[MAX]] : {{.*}}) outs(%[[TO]] :
// CHECK: } {weft.rows}
func.func @shifted(%x: memref<64x512xf32>, %y: memref<64x512xf32>) {
  %least = arith.constant 0xFF800000 : f32
  %max = memref.alloc() : memref<64xf32>
  linalg.fill ins(%least : f32) outs(%max : memref<64xf32>)
  linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]}
      ins(%x : memref<64x512xf32>) outs(%max : memref<64xf32>) {
  ^bb0(%a: f32, %m: f32):
    %0 = arith.maximumf %m, %a : f32
    linalg.yield %0 : f32
  }
  linalg.generic {indexing_maps = [#id, #row, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x, %max : memref<64x512xf32>, memref<64xf32>) outs(%y : memref<64x512xf32>) {
  ^bb0(%a: f32, %m: f32, %out: f32):
    %0 = arith.subf %a, %m : f32
    linalg.yield %0 : f32
  }
  return
}

// -----

#id = affine_map<(d0, d1) -> (d0, d1)>
#down = affine_map<(d0, d1) -> (63 - d0, d1)>
// A row that another row reads cannot be had row by row.
// CHECK-LABEL: func.func @reversed(
// CHECK-NOT: scf.for
func.func @reversed(%x: memref<64x512xf32>, %t: memref<64x512xf32>, %y: memref<64x512xf32>) {
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x : memref<64x512xf32>) outs(%t : memref<64x512xf32>) {
  ^bb0(%a: f32, %out: f32):
    %0 = arith.negf %a : f32
    linalg.yield %0 : f32
  }
  linalg.generic {indexing_maps = [#down, #id], iterator_types = ["parallel", "parallel"]}
      ins(%t : memref<64x512xf32>) outs(%y : memref<64x512xf32>) {
  ^bb0(%a: f32, %out: f32):
    %0 = arith.negf %a : f32
    linalg.yield %0 : f32
  }
  return
}

// -----

#id = affine_map<(d0, d1) -> (d0, d1)>
#column = affine_map<(d0, d1) -> (d1)>
// Nor can a sum of columns be used before all rows are added.
// CHECK-LABEL: func.func @columns(
// CHECK-NOT: scf.for
func.func @columns(%x: memref<64x512xf32>, %s: memref<512xf32>, %y: memref<64x512xf32>) {
  linalg.generic {indexing_maps = [#id, #column], iterator_types = ["reduction", "parallel"]}
      ins(%x : memref<64x512xf32>) outs(%s : memref<512xf32>) {
  ^bb0(%a: f32, %m: f32):
    %0 = arith.addf %m, %a : f32
    linalg.yield %0 : f32
  }
  linalg.generic {indexing_maps = [#id, #column, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x, %s : memref<64x512xf32>, memref<512xf32>) outs(%y : memref<64x512xf32>) {
  ^bb0(%a: f32, %m: f32, %out: f32):
    %0 = arith.subf %a, %m : f32
    linalg.yield %0 : f32
  }
  return
}

// -----

#id = affine_map<(d0, d1) -> (d0, d1)>
// What a loop keeps from step to step stays whole.
// CHECK-LABEL: func.func @kept(
// CHECK: %[[STATE:.+]] = memref.alloc()
// CHECK: scf.for
// CHECK: scf.for %[[I:.+]] =
// CHECK-NOT: memref.alloca
// CHECK: memref.subview %[[STATE]][%[[I]], 0]
func.func @kept(%x: memref<64x512xf32>, %y: memref<64x512xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c9 = arith.constant 9 : index
  %state = memref.alloc() : memref<64x512xf32>
  scf.for %step = %c0 to %c9 step %c1 {
    linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
        ins(%x : memref<64x512xf32>) outs(%state : memref<64x512xf32>) {
    ^bb0(%a: f32, %s: f32):
      %0 = arith.addf %a, %s : f32
      linalg.yield %0 : f32
    }
    linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
        ins(%state : memref<64x512xf32>) outs(%y : memref<64x512xf32>) {
    ^bb0(%a: f32, %out: f32):
      %0 = arith.negf %a : f32
      linalg.yield %0 : f32
    }
  }
  return
}

// -----

// One op walks along the dimension of one element of %m, the others do not: the
// row is the same for all.

#row = affine_map<(i, j) -> (i, j)>
#unit = affine_map<(i, j) -> (i, 0)>

// CHECK-LABEL: func.func @unit(
// CHECK: scf.for
// CHECK: %[[M:.*]] = memref.alloca() : memref<1xf32>
// CHECK: linalg.fill {{.*}} outs(%[[M]] : memref<1xf32>)
// CHECK: linalg.generic {{.*}} outs(%[[M]] : memref<1xf32>)
// CHECK: linalg.generic {{.*}} ins({{.*}}, %[[M]] : {{.*}}, memref<1xf32>)
func.func @unit(%x: memref<64x512xf32>, %y: memref<64x512xf32>) {
  %zero = arith.constant 0.0 : f32
  %m = memref.alloc() : memref<64x1xf32>
  linalg.fill ins(%zero : f32) outs(%m : memref<64x1xf32>)
  linalg.generic {indexing_maps = [#row, #unit], iterator_types = ["parallel", "reduction"]}
      ins(%x : memref<64x512xf32>) outs(%m : memref<64x1xf32>) {
  ^bb0(%a: f32, %out: f32):
    %s = arith.addf %out, %a fastmath<reassoc,contract> : f32
    linalg.yield %s : f32
  }
  linalg.generic {indexing_maps = [#row, #unit, #row], iterator_types = ["parallel", "parallel"]}
      ins(%x, %m : memref<64x512xf32>, memref<64x1xf32>) outs(%y : memref<64x512xf32>) {
  ^bb0(%a: f32, %b: f32, %out: f32):
    %d = arith.subf %a, %b : f32
    linalg.yield %d : f32
  }
  return
}

// -----

// A loop of one step is known by the dimension of one element that it walks along:
// the row keeps it, though other ops are at its place by a constant.

#row = affine_map<(i, j) -> (i, 0, j)>
#factor = affine_map<(i, p, j) -> (i, p, j)>
#sum = affine_map<(i, p, j) -> (i)>

// CHECK-DAG: #[[ROW:.*]] = affine_map<(d0) -> (0, d0)>
// CHECK-DAG: #[[FACTOR:.*]] = affine_map<(d0, d1) -> (d0, d1)>
// CHECK-LABEL: func.func @window(
// CHECK: scf.for
// CHECK: %[[T:.*]] = memref.alloca() {alignment = 64 : i64} : memref<1x512xf32>
// CHECK: linalg.generic {indexing_maps = [#{{.*}}, #[[ROW]]], {{.*}} outs(%[[T]] :
// CHECK: linalg.generic {indexing_maps = [#{{.*}}, #[[FACTOR]], #{{.*}}], {{.*}} ins(%{{.*}}, %[[T]] :
func.func @window(%x: memref<64x512xf32>, %y: memref<64xf32>) {
  %zero = arith.constant 0.0 : f32
  %t = memref.alloc() : memref<64x1x512xf32>
  linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, #row], iterator_types = ["parallel", "parallel"]}
      ins(%x : memref<64x512xf32>) outs(%t : memref<64x1x512xf32>) {
  ^bb0(%a: f32, %out: f32):
    %n = arith.negf %a : f32
    linalg.yield %n : f32
  }
  linalg.fill ins(%zero : f32) outs(%y : memref<64xf32>)
  linalg.generic {indexing_maps = [affine_map<(i, p, j) -> (i, j + p)>, #factor, #sum], iterator_types = ["parallel", "reduction", "reduction"]}
      ins(%x, %t : memref<64x512xf32>, memref<64x1x512xf32>) outs(%y : memref<64xf32>) {
  ^bb0(%a: f32, %b: f32, %out: f32):
    %m = arith.maximumf %a, %b : f32
    %s = arith.addf %out, %m fastmath<reassoc,contract> : f32
    linalg.yield %s : f32
  }
  return
}

// -----

#id = affine_map<(d0, d1) -> (d0, d1)>
#row = affine_map<(d0, d1) -> (d0)>
#one = affine_map<(d0) -> (d0)>

// A function of each row's number is computed of many rows in vectors, once all are
// there; of few of them, in the same loop.
// CHECK-LABEL: func.func @log_of_sums(
// CHECK-SAME: %{{.+}}: memref<1024x64xf32>, %[[SUMS:.+]]: memref<1024xf32>, %[[Y:.+]]: memref<1024xf32>
// CHECK: scf.for
// CHECK: arith.addf
// CHECK: } {weft.rows}
// CHECK-NEXT: linalg.generic {{.*}} ins(%[[SUMS]] : memref<1024xf32>) outs(%[[Y]] : memref<1024xf32>)
// CHECK: math.log
func.func @log_of_sums(%x: memref<1024x64xf32>, %sums: memref<1024xf32>, %y: memref<1024xf32>) {
  %zero = arith.constant 0.0 : f32
  linalg.fill ins(%zero : f32) outs(%sums : memref<1024xf32>)
  linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]}
      ins(%x : memref<1024x64xf32>) outs(%sums : memref<1024xf32>) {
  ^bb0(%a: f32, %s: f32):
    %0 = arith.addf %s, %a : f32
    linalg.yield %0 : f32
  }
  linalg.generic {indexing_maps = [#one, #one], iterator_types = ["parallel"]}
      ins(%sums : memref<1024xf32>) outs(%y : memref<1024xf32>) {
  ^bb0(%s: f32, %out: f32):
    %0 = math.log %s : f32
    linalg.yield %0 : f32
  }
  return
}
// CHECK-LABEL: func.func @of_few(
// CHECK: scf.for
// CHECK: arith.addf
// CHECK: math.log
// CHECK: } {weft.rows}
func.func @of_few(%x: memref<64x1024xf32>, %sums: memref<64xf32>, %y: memref<64xf32>) {
  %zero = arith.constant 0.0 : f32
  linalg.fill ins(%zero : f32) outs(%sums : memref<64xf32>)
  linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]}
      ins(%x : memref<64x1024xf32>) outs(%sums : memref<64xf32>) {
  ^bb0(%a: f32, %s: f32):
    %0 = arith.addf %s, %a : f32
    linalg.yield %0 : f32
  }
  linalg.generic {indexing_maps = [#one, #one], iterator_types = ["parallel"]}
      ins(%sums : memref<64xf32>) outs(%y : memref<64xf32>) {
  ^bb0(%s: f32, %out: f32):
    %0 = math.log %s : f32
    linalg.yield %0 : f32
  }
  return
}

// -----

#id = affine_map<(d0, d1) -> (d0, d1)>

// Parts that lie in turn are results of one op: vectors of both fill lines together.
// A copy is one of them, too.
// CHECK-LABEL: func.func @stacked(
// CHECK-NOT: scf.for
// CHECK: %[[EVEN:.+]] = memref.subview %{{.+}}[0, 0, 0] [64, 512, 1] [1, 1, 1]
// CHECK: %[[ODD:.+]] = memref.subview %{{.+}}[0, 0, 1] [64, 512, 1] [1, 1, 1]
// CHECK: linalg.generic {{.*}} outs(%[[EVEN]], %[[ODD]] :
// CHECK-NOT: linalg.generic
// CHECK-NOT: memref.copy
// CHECK: return
func.func @stacked(%x: memref<64x512xf32>, %y: memref<64x512x2xf32>) {
  %even = memref.subview %y[0, 0, 0] [64, 512, 1] [1, 1, 1] : memref<64x512x2xf32> to memref<64x512xf32, strided<[1024, 2]>>
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x : memref<64x512xf32>) outs(%even : memref<64x512xf32, strided<[1024, 2]>>) {
  ^bb0(%a: f32, %out: f32):
    %0 = arith.mulf %a, %a : f32
    linalg.yield %0 : f32
  }
  %odd = memref.subview %y[0, 0, 1] [64, 512, 1] [1, 1, 1] : memref<64x512x2xf32> to memref<64x512xf32, strided<[1024, 2], offset: 1>>
  memref.copy %x, %odd : memref<64x512xf32> to memref<64x512xf32, strided<[1024, 2], offset: 1>>
  return
}

// -----

#id = affine_map<(d0, d1) -> (d0, d1)>

// These overlap: the second op writes what the first has written.
// CHECK-LABEL: func.func @overlapping(
// CHECK: linalg.generic {{.*}} outs(%{{[^,]+}} :
// CHECK: linalg.generic {{.*}} outs(%{{[^,]+}} :
func.func @overlapping(%x: memref<64x510xf32>, %y: memref<64x512x2xf32>) {
  %one = memref.subview %y[0, 0, 0] [64, 510, 1] [1, 1, 1] : memref<64x512x2xf32> to memref<64x510xf32, strided<[1024, 2]>>
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x : memref<64x510xf32>) outs(%one : memref<64x510xf32, strided<[1024, 2]>>) {
  ^bb0(%a: f32, %out: f32):
    %0 = arith.mulf %a, %a : f32
    linalg.yield %0 : f32
  }
  %two = memref.subview %y[0, 1, 0] [64, 510, 1] [1, 1, 1] : memref<64x512x2xf32> to memref<64x510xf32, strided<[1024, 2], offset: 2>>
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x : memref<64x510xf32>) outs(%two : memref<64x510xf32, strided<[1024, 2], offset: 2>>) {
  ^bb0(%a: f32, %out: f32):
    %0 = arith.addf %a, %a : f32
    linalg.yield %0 : f32
  }
  return
}

// -----

#id = affine_map<(d0, d1) -> (d0, d1)>
#row = affine_map<(d0, d1) -> (d0)>
#col = affine_map<(d0, d1) -> (d1)>
// A body may read whole arrays that no op of the group writes, where its row tells.
// CHECK-LABEL: func.func @looked_up(
// CHECK-SAME: %[[TABLE:[^:]+]]: memref<1000x512xf32>
// CHECK: scf.for %[[I:.+]] =
// CHECK: linalg.generic
// CHECK: memref.load %[[TABLE]][%{{.+}}, %{{.+}}]
// CHECK: linalg.generic
// CHECK: arith.mulf
// CHECK: } {weft.rows}
// CHECK-LABEL: func.func @written(
// CHECK-NOT: weft.rows
func.func @looked_up(%table: memref<1000x512xf32>, %ids: memref<64xindex>, %w: memref<512xf32>, %y: memref<64x512xf32>, %z: memref<64x512xf32>) {
  linalg.generic {indexing_maps = [#row, #id], iterator_types = ["parallel", "parallel"]}
      ins(%ids : memref<64xindex>) outs(%y : memref<64x512xf32>) {
  ^bb0(%a: index, %out: f32):
    %j = linalg.index 1 : index
    %0 = memref.load %table[%a, %j] : memref<1000x512xf32>
    linalg.yield %0 : f32
  }
  linalg.generic {indexing_maps = [#id, #col, #id], iterator_types = ["parallel", "parallel"]}
      ins(%y, %w : memref<64x512xf32>, memref<512xf32>) outs(%z : memref<64x512xf32>) {
  ^bb0(%a: f32, %b: f32, %out: f32):
    %0 = arith.mulf %a, %b : f32
    linalg.yield %0 : f32
  }
  return
}
func.func @written(%table: memref<64x512xf32>, %ids: memref<64xindex>, %w: memref<512xf32>, %y: memref<64x512xf32>) {
  linalg.generic {indexing_maps = [#id, #col, #id], iterator_types = ["parallel", "parallel"]}
      ins(%y, %w : memref<64x512xf32>, memref<512xf32>) outs(%table : memref<64x512xf32>) {
  ^bb0(%a: f32, %b: f32, %out: f32):
    %0 = arith.mulf %a, %b : f32
    linalg.yield %0 : f32
  }
  linalg.generic {indexing_maps = [#row, #id], iterator_types = ["parallel", "parallel"]}
      ins(%ids : memref<64xindex>) outs(%y : memref<64x512xf32>) {
  ^bb0(%a: index, %out: f32):
    %j = linalg.index 1 : index
    %0 = memref.load %table[%a, %j] : memref<64x512xf32>
    linalg.yield %0 : f32
  }
  return
}
