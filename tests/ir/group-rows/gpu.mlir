// RUN: weft-opt --pass-pipeline='builtin.module(func.func(weft-group-rows))' --split-input-file %s | FileCheck %s

#id = affine_map<(d0) -> (d0)>

// On a GPU elementwise ops are one op of several results: what both read is
// read once, what one computes the next has as a value, and what nothing else
// reads is no array.
// CHECK-LABEL: func.func @steps(
// CHECK-SAME: %[[X:.+]]: memref<100000xf32>, %[[Y:.+]]: memref<100000xf32>, %[[A:[^:]+]]: memref<100000xf32>, %[[B:[^:]+]]: memref<100000xf32>
// CHECK-NOT: memref.alloc
// CHECK: linalg.generic {{.*}} ins(%[[X]], %[[Y]] : {{.*}}) outs(%[[A]], %[[B]] :
// CHECK-NEXT: ^bb0(%[[XS:.+]]: f32, %[[YS:.+]]: f32, %{{.+}}: f32, %{{.+}}: f32):
// CHECK-NEXT: %[[T:.+]] = math.exp %[[XS]]
// CHECK-NEXT: %[[AS:.+]] = arith.addf %[[T]], %[[YS]]
// CHECK-NEXT: %[[BS:.+]] = arith.mulf %[[AS]], %[[T]]
// CHECK-NEXT: linalg.yield %[[AS]], %[[BS]]
// CHECK-NOT: linalg.generic
module attributes {weft.gpu = {block_work = 32768 : i64, chip = "sm_80", multiprocessors = 108 : i64, shared_bytes = 166912 : i64}} {
  func.func @steps(%x: memref<100000xf32>, %y: memref<100000xf32>, %a: memref<100000xf32>, %b: memref<100000xf32>) {
    %t = memref.alloc() : memref<100000xf32>
    linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
        ins(%x : memref<100000xf32>) outs(%t : memref<100000xf32>) {
    ^bb0(%xs: f32, %out: f32):
      %0 = math.exp %xs : f32
      linalg.yield %0 : f32
    }
    linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel"]}
        ins(%t, %y : memref<100000xf32>, memref<100000xf32>) outs(%a : memref<100000xf32>) {
    ^bb0(%ts: f32, %ys: f32, %out: f32):
      %0 = arith.addf %ts, %ys : f32
      linalg.yield %0 : f32
    }
    linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel"]}
        ins(%a, %t : memref<100000xf32>, memref<100000xf32>) outs(%b : memref<100000xf32>) {
    ^bb0(%as: f32, %ts: f32, %out: f32):
      %0 = arith.mulf %as, %ts : f32
      linalg.yield %0 : f32
    }
    return
  }
}

// -----

#id = affine_map<(d0, d1) -> (d0, d1)>
#row = affine_map<(d0, d1) -> (d1)>
#none = affine_map<(d0, d1) -> ()>

// What an op reads before another writes it is what was there before; of what
// is written twice, the last counts.
// CHECK-LABEL: func.func @in_place(
// CHECK-SAME: %[[X:.+]]: memref<300x400xf32>, %[[BIAS:.+]]: memref<400xf32>, %[[Y:[^:]+]]: memref<300x400xf32>
// CHECK: linalg.generic {{.*}} ins(%[[X]], %[[BIAS]], %{{.+}} : memref<300x400xf32>, memref<400xf32>, f32) outs(%[[Y]], %[[X]] :
// CHECK-NEXT: ^bb0(%[[XS:.+]]: f32, %[[BIASES:.+]]: f32, %[[C:.+]]: f32, %{{.+}}: f32, %{{.+}}: f32):
// CHECK-NEXT: %[[SUM:.+]] = arith.addf %[[XS]], %[[BIASES]]
// CHECK-NEXT: %[[LAST:.+]] = arith.addf %[[C]], %[[C]]
// CHECK-NEXT: linalg.yield %[[SUM]], %[[LAST]]
module attributes {weft.gpu = {block_work = 32768 : i64, chip = "sm_80", multiprocessors = 108 : i64, shared_bytes = 166912 : i64}} {
  func.func @in_place(%x: memref<300x400xf32>, %bias: memref<400xf32>, %y: memref<300x400xf32>) {
    %c = arith.constant 2.0 : f32
    linalg.generic {indexing_maps = [#id, #row, #id], iterator_types = ["parallel", "parallel"]}
        ins(%x, %bias : memref<300x400xf32>, memref<400xf32>) outs(%y : memref<300x400xf32>) {
    ^bb0(%xs: f32, %bs: f32, %out: f32):
      %0 = arith.addf %xs, %bs : f32
      linalg.yield %0 : f32
    }
    linalg.fill ins(%c : f32) outs(%x : memref<300x400xf32>)
    linalg.generic {indexing_maps = [#none, #id], iterator_types = ["parallel", "parallel"]}
        ins(%c : f32) outs(%x : memref<300x400xf32>) {
    ^bb0(%cs: f32, %xs: f32):
      %0 = arith.addf %xs, %cs : f32
      linalg.yield %0 : f32
    }
    return
  }
}

// -----

#id = affine_map<(d0, d1) -> (d0, d1)>
#turned = affine_map<(d0, d1) -> (d1, d0)>

// What is turned is read so.
// CHECK: #[[TURNED:.+]] = affine_map<(d0, d1) -> (d1, d0)>
// CHECK: #[[ID:.+]] = affine_map<(d0, d1) -> (d0, d1)>
// CHECK-LABEL: func.func @turned(
// CHECK-SAME: %[[X:.+]]: memref<300x400xf32>, %[[A:.+]]: memref<400x300xf32>, %[[B:[^:]+]]: memref<400x300xf32>
// CHECK: linalg.generic {indexing_maps = [#[[TURNED]], #[[ID]], #[[ID]]], {{.*}} ins(%[[X]] : {{.*}}) outs(%[[A]], %[[B]] :
// CHECK-NOT: linalg.generic
module attributes {weft.gpu = {block_work = 32768 : i64, chip = "sm_80", multiprocessors = 108 : i64, shared_bytes = 166912 : i64}} {
  func.func @turned(%x: memref<300x400xf32>, %a: memref<400x300xf32>, %b: memref<400x300xf32>) {
    linalg.generic {indexing_maps = [#turned, #id], iterator_types = ["parallel", "parallel"]}
        ins(%x : memref<300x400xf32>) outs(%a : memref<400x300xf32>) {
    ^bb0(%xs: f32, %out: f32):
      linalg.yield %xs : f32
    }
    linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
        ins(%a : memref<400x300xf32>) outs(%b : memref<400x300xf32>) {
    ^bb0(%as: f32, %out: f32):
      %0 = arith.negf %as : f32
      linalg.yield %0 : f32
    }
    return
  }
}

// -----

#even = affine_map<(d0) -> (d0 * 2)>
#odd = affine_map<(d0) -> (d0 * 2 + 1)>
#id = affine_map<(d0) -> (d0)>

// Another element than the one that is written.
// CHECK-LABEL: func.func @beside(
// CHECK-COUNT-2: linalg.generic
module attributes {weft.gpu = {block_work = 32768 : i64, chip = "sm_80", multiprocessors = 108 : i64, shared_bytes = 166912 : i64}} {
  func.func @beside(%x: memref<50000xf32>, %a: memref<100000xf32>, %b: memref<50000xf32>) {
    linalg.generic {indexing_maps = [#id, #even], iterator_types = ["parallel"]}
        ins(%x : memref<50000xf32>) outs(%a : memref<100000xf32>) {
    ^bb0(%xs: f32, %out: f32):
      linalg.yield %xs : f32
    }
    linalg.generic {indexing_maps = [#odd, #id], iterator_types = ["parallel"]}
        ins(%a : memref<100000xf32>) outs(%b : memref<50000xf32>) {
    ^bb0(%as: f32, %out: f32):
      %0 = arith.negf %as : f32
      linalg.yield %0 : f32
    }
    return
  }
}
