// RUN: weft-opt --pass-pipeline='builtin.module(func.func(weft-split-reductions))' --split-input-file %s | FileCheck %s

#x = affine_map<(d0) -> (d0)>
#s = affine_map<(d0) -> ()>

// CHECK-DAG: #[[PARTS:.+]] = affine_map<(d0, d1) -> (d0, d1)>
// CHECK-DAG: #[[PART:.+]] = affine_map<(d0, d1) -> (d0)>
// CHECK-LABEL: func.func @sum(
// CHECK: %[[INIT:.+]] = linalg.fill {{.*}} -> tensor<f32>
// CHECK: %[[X:.+]] = tensor.expand_shape {{.*}} into tensor<64x16384xf32>
// CHECK: %[[ZEROS:.+]] = linalg.fill {{.*}} -> tensor<64xf32>
// CHECK: %[[SUMS:.+]] = linalg.generic {indexing_maps = [#[[PARTS]], #[[PART]]], iterator_types = ["parallel", "reduction"]} ins(%[[X]] : {{.*}}) outs(%[[ZEROS]] :
// CHECK: linalg.generic {{.*}} iterator_types = ["reduction"]} ins(%[[SUMS]] : {{.*}}) outs(%[[INIT]] :
func.func @sum(%x: tensor<1048576xf32>) -> tensor<f32> {
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<f32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<f32>) -> tensor<f32>
  %0 = linalg.generic {indexing_maps = [#x, #s], iterator_types = ["reduction"]}
      ins(%x : tensor<1048576xf32>) outs(%init : tensor<f32>) {
  ^bb0(%a: f32, %b: f32):
    %c = arith.addf %b, %a fastmath<reassoc> : f32
    linalg.yield %c : f32
  } -> tensor<f32>
  return %0 : tensor<f32>
}

// -----

#x = affine_map<(d0) -> (d0)>
#s = affine_map<(d0) -> ()>

// What a sum begins with counts once only; a sum in order is one; and a prime
// number has no parts.
// CHECK-LABEL: func.func @whole(
// CHECK-NOT: tensor.expand_shape
func.func @whole(%x: tensor<1048576xf32>, %y: tensor<1048583xf32>) -> (tensor<f32>, tensor<f32>, tensor<f32>) {
  %zero = arith.constant 0.0 : f32
  %five = arith.constant 5.0 : f32
  %empty = tensor.empty() : tensor<f32>
  %from_five = linalg.fill ins(%five : f32) outs(%empty : tensor<f32>) -> tensor<f32>
  %0 = linalg.generic {indexing_maps = [#x, #s], iterator_types = ["reduction"]}
      ins(%x : tensor<1048576xf32>) outs(%from_five : tensor<f32>) {
  ^bb0(%a: f32, %b: f32):
    %c = arith.addf %b, %a fastmath<reassoc> : f32
    linalg.yield %c : f32
  } -> tensor<f32>
  %from_zero = linalg.fill ins(%zero : f32) outs(%empty : tensor<f32>) -> tensor<f32>
  %1 = linalg.generic {indexing_maps = [#x, #s], iterator_types = ["reduction"]}
      ins(%x : tensor<1048576xf32>) outs(%from_zero : tensor<f32>) {
  ^bb0(%a: f32, %b: f32):
    %c = arith.addf %b, %a : f32
    linalg.yield %c : f32
  } -> tensor<f32>
  %2 = linalg.generic {indexing_maps = [#x, #s], iterator_types = ["reduction"]}
      ins(%y : tensor<1048583xf32>) outs(%from_zero : tensor<f32>) {
  ^bb0(%a: f32, %b: f32):
    %c = arith.addf %b, %a fastmath<reassoc> : f32
    linalg.yield %c : f32
  } -> tensor<f32>
  return %0, %1, %2 : tensor<f32>, tensor<f32>, tensor<f32>
}

// -----

// A product of few results and many steps: sixteen products, and their sum.

#a = affine_map<(m, n, k) -> (m, k)>
#b = affine_map<(m, n, k) -> (k, n)>
#c = affine_map<(m, n, k) -> (m, n)>

// CHECK-LABEL: func.func @product(
// CHECK: %[[PARTS:.+]] = linalg.generic {{.*}} outs(%{{.+}} : tensor<16x64x64xf32>)
// CHECK: linalg.generic {{.*}} ins(%[[PARTS]] : tensor<16x64x64xf32>) outs(%{{.+}} : tensor<64x64xf32>)
func.func @product(%x: tensor<64x4096xf32>, %y: tensor<4096x64xf32>) -> tensor<64x64xf32> {
  %zero = arith.constant 0.0 : f32
  %0 = tensor.empty() : tensor<64x64xf32>
  %1 = linalg.fill ins(%zero : f32) outs(%0 : tensor<64x64xf32>) -> tensor<64x64xf32>
  %2 = linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %y : tensor<64x4096xf32>, tensor<4096x64xf32>) outs(%1 : tensor<64x64xf32>) {
  ^bb0(%p: f32, %q: f32, %out: f32):
    %m = arith.mulf %p, %q fastmath<reassoc,contract> : f32
    %s = arith.addf %out, %m fastmath<reassoc,contract> : f32
    linalg.yield %s : f32
  } -> tensor<64x64xf32>
  return %2 : tensor<64x64xf32>
}

// -----

// A row by a matrix, whose rows are read from end to end: parts of the rows.

#a = affine_map<(m, n, k) -> (m, k)>
#b = affine_map<(m, n, k) -> (k, n)>
#c = affine_map<(m, n, k) -> (m, n)>

// CHECK-LABEL: func.func @row(
// CHECK: %[[PARTS:.+]] = linalg.generic {{.*}} outs(%{{.+}} : tensor<15x1x3000xf32>)
// CHECK: linalg.generic {{.*}} ins(%[[PARTS]] : tensor<15x1x3000xf32>) outs(%{{.+}} : tensor<1x3000xf32>)
func.func @row(%x: tensor<1x300xf32>, %y: tensor<300x3000xf32>) -> tensor<1x3000xf32> {
  %zero = arith.constant 0.0 : f32
  %0 = tensor.empty() : tensor<1x3000xf32>
  %1 = linalg.fill ins(%zero : f32) outs(%0 : tensor<1x3000xf32>) -> tensor<1x3000xf32>
  %2 = linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %y : tensor<1x300xf32>, tensor<300x3000xf32>) outs(%1 : tensor<1x3000xf32>) {
  ^bb0(%p: f32, %q: f32, %out: f32):
    %m = arith.mulf %p, %q fastmath<reassoc,contract> : f32
    %s = arith.addf %out, %m fastmath<reassoc,contract> : f32
    linalg.yield %s : f32
  } -> tensor<1x3000xf32>
  return %2 : tensor<1x3000xf32>
}

// -----

// The place of an element, of which the parts before count too.

#x = affine_map<(m, n) -> (m, n)>
#r = affine_map<(m, n) -> (m)>

// CHECK-LABEL: func.func @place(
// CHECK: %[[PARTS:.+]] = linalg.generic {{.*}} outs(%{{.+}} : tensor<[[PARTS_:[0-9]+]]x2xi64>)
// CHECK-DAG: %[[STEP:.+]] = linalg.index 2
// CHECK-DAG: %[[PART:.+]] = linalg.index 0
// CHECK: %[[BEFORE:.+]] = arith.muli %[[PART]], %{{.+}}
// CHECK: %[[PLACE:.+]] = arith.addi %[[BEFORE]], %[[STEP]]
// CHECK: arith.index_cast %[[PLACE]]
// CHECK: linalg.generic {{.*}} ins(%[[PARTS]] : tensor<[[PARTS_]]x2xi64>) outs(%{{.+}} : tensor<2xi64>)
func.func @place(%x: tensor<2x1048576xf32>) -> tensor<2xi64> {
  %zero = arith.constant 0.0 : f32
  %most = arith.constant 1048576 : i64
  %0 = tensor.empty() : tensor<2xi64>
  %1 = linalg.fill ins(%most : i64) outs(%0 : tensor<2xi64>) -> tensor<2xi64>
  %2 = linalg.generic {indexing_maps = [#x, #r], iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<2x1048576xf32>) outs(%1 : tensor<2xi64>) {
  ^bb0(%in: f32, %out: i64):
    %n = linalg.index 1 : index
    %place = arith.index_cast %n : index to i64
    %found = arith.cmpf ogt, %in, %zero : f32
    %this = arith.select %found, %place, %most : i64
    %first = arith.minsi %out, %this : i64
    linalg.yield %first : i64
  } -> tensor<2xi64>
  return %2 : tensor<2xi64>
}

// -----

#x = affine_map<(m, n) -> (m, n)>
#r = affine_map<(m, n) -> (m)>
// What each row is compared with lies along the results, but is not reduced: as many
// tasks as there are rows.
// CHECK-LABEL: func.func @compared_rows(
// CHECK: linalg.generic {{.*}} iterator_types = ["parallel", "reduction"]}
// CHECK-NOT: linalg.generic
func.func @compared_rows(%x: tensor<128x131072xf32>, %best: tensor<128xf32>) -> tensor<128xi32> {
  %end = arith.constant 131072 : i32
  %0 = tensor.empty() : tensor<128xi32>
  %1 = linalg.fill ins(%end : i32) outs(%0 : tensor<128xi32>) -> tensor<128xi32>
  %2 = linalg.generic {indexing_maps = [#x, #r, #r], iterator_types = ["parallel", "reduction"]}
      ins(%x, %best : tensor<128x131072xf32>, tensor<128xf32>) outs(%1 : tensor<128xi32>) {
  ^bb0(%a: f32, %b: f32, %out: i32):
    %n = linalg.index 1 : index
    %place = arith.index_cast %n : index to i32
    %equal = arith.cmpf oeq, %a, %b : f32
    %index = arith.select %equal, %place, %end : i32
    %least = arith.minsi %out, %index : i32
    linalg.yield %least : i32
  } -> tensor<128xi32>
  return %2 : tensor<128xi32>
}

// -----

#x = affine_map<(n, m) -> (m, n)>
#s = affine_map<(n, m) -> ()>
// Parts that lie together in memory: of rows, though there are more columns.
// CHECK-LABEL: func.func @whole(
// CHECK: tensor.expand_shape %{{.+}} {{\[\[}}0, 1], [2]] output_shape [64, 2, 131072]
func.func @whole(%x: tensor<128x131072xf32>) -> tensor<f32> {
  %zero = arith.constant 0.0 : f32
  %0 = tensor.empty() : tensor<f32>
  %1 = linalg.fill ins(%zero : f32) outs(%0 : tensor<f32>) -> tensor<f32>
  %2 = linalg.generic {indexing_maps = [#x, #s], iterator_types = ["reduction", "reduction"]}
      ins(%x : tensor<128x131072xf32>) outs(%1 : tensor<f32>) {
  ^bb0(%a: f32, %out: f32):
    %t = arith.addf %out, %a fastmath<reassoc> : f32
    linalg.yield %t : f32
  } -> tensor<f32>
  return %2 : tensor<f32>
}

// -----

#x = affine_map<(n, h, w, c) -> (n, h, w, c)>
#c = affine_map<(n, h, w, c) -> (c)>
// Dimensions that follow each other are one to cut, where none of them has parts
// enough for a GPU.
// CHECK-LABEL: func.func @channels(
// CHECK: tensor.collapse_shape %{{.+}} {{\[\[}}0, 1, 2], [3]] : tensor<32x56x56x64xf32> into tensor<100352x64xf32>
// CHECK: tensor.expand_shape %{{.+}} {{\[\[}}0, 1], [2]] output_shape [1024, 98, 64]
// CHECK: iterator_types = ["parallel", "reduction", "parallel"]
// CHECK: iterator_types = ["reduction", "parallel"]
module attributes {weft.gpu = {block_work = 32768 : i64, chip = "sm_90a", multiprocessors = 132 : i64, shared_bytes = 232448 : i64}} {
  func.func @channels(%x: tensor<32x56x56x64xf32>) -> tensor<64xf32> {
    %zero = arith.constant 0.0 : f32
    %0 = tensor.empty() : tensor<64xf32>
    %1 = linalg.fill ins(%zero : f32) outs(%0 : tensor<64xf32>) -> tensor<64xf32>
    %2 = linalg.generic {indexing_maps = [#x, #c], iterator_types = ["reduction", "reduction", "reduction", "parallel"]}
        ins(%x : tensor<32x56x56x64xf32>) outs(%1 : tensor<64xf32>) {
    ^bb0(%a: f32, %out: f32):
      %t = arith.addf %out, %a fastmath<reassoc> : f32
      linalg.yield %t : f32
    } -> tensor<64xf32>
    return %2 : tensor<64xf32>
  }
}

// -----

#x = affine_map<(n, m, c) -> (n, m, c)>
#r = affine_map<(n, m, c) -> (n, c)>
// Rows of 12 are too short for vectors of 16: eight of them are one of 96, in whose
// elements every eighth is added up.
// CHECK-DAG: #[[IN:.+]] = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>
// CHECK-DAG: #[[PARTS:.+]] = affine_map<(d0, d1, d2, d3) -> (d0, d2, d3)>
// CHECK-LABEL: func.func @short_rows(
// CHECK: %[[X:.+]] = tensor.expand_shape %{{.+}} {{\[\[}}0], [1, 2], [3]] output_shape [30, 50, 8, 12]
// CHECK: %[[PART:.+]] = linalg.generic {indexing_maps = [#[[IN]], #[[PARTS]]], iterator_types = ["parallel", "reduction", "parallel", "parallel"]} ins(%[[X]]
// CHECK: linalg.generic {{.*}} iterator_types = ["parallel", "reduction", "parallel"]} ins(%[[PART]] : tensor<30x8x12xf32>)
module attributes {weft.machine = {l1_bytes = 32768 : i64, l2_bytes = 1048576 : i64, share_from = 262144 : i64, vector_bytes = 64 : i64, vector_registers = 32 : i64}} {
  func.func @short_rows(%x: tensor<30x400x12xf32>) -> tensor<30x12xf32> {
    %zero = arith.constant 0.0 : f32
    %0 = tensor.empty() : tensor<30x12xf32>
    %1 = linalg.fill ins(%zero : f32) outs(%0 : tensor<30x12xf32>) -> tensor<30x12xf32>
    %2 = linalg.generic {indexing_maps = [#x, #r], iterator_types = ["parallel", "reduction", "parallel"]}
        ins(%x : tensor<30x400x12xf32>) outs(%1 : tensor<30x12xf32>) {
    ^bb0(%a: f32, %out: f32):
      %t = arith.addf %out, %a fastmath<reassoc> : f32
      linalg.yield %t : f32
    } -> tensor<30x12xf32>
    return %2 : tensor<30x12xf32>
  }
}

// -----

#x = affine_map<(i, j) -> (i, j)>
#r = affine_map<(i, j) -> (i)>
// The largest elements of eight blocks of each row, the first of these that has the
// row's, and its place in that.
// CHECK-LABEL: func.func @search(
// CHECK-SAME: %[[X:.+]]: tensor<30x4096xf32>
// CHECK: %[[BLOCKS:.+]] = tensor.expand_shape %[[X]] {{\[\[}}0], [1, 2]] output_shape [30, 8, 512]
// CHECK: %[[BESTS:.+]] = linalg.generic {{.*}} iterator_types = ["parallel", "parallel", "reduction"]} ins(%[[BLOCKS]]
// CHECK: arith.negf
// CHECK: arith.maximumf
// CHECK: %[[BEST:.+]] = linalg.generic {{.*}} iterator_types = ["parallel", "reduction"]} ins(%[[BESTS]]
// CHECK: %[[FIRST:.+]] = linalg.generic {{.*}} ins(%[[BESTS]], %[[BEST]] : tensor<30x8xf32>, tensor<30xf32>)
// CHECK-NOT: arith.negf
// CHECK: arith.minsi
// CHECK: linalg.generic {{.*}} ins(%[[FIRST]], %{{.+}}, %[[BEST]] : tensor<30xi32>, tensor<512xi8>, tensor<30xf32>)
// CHECK: %[[AT:.+]] = arith.addi
// CHECK: tensor.extract %[[X]][%{{.+}}, %[[AT]]]
// CHECK: arith.negf
// CHECK: arith.minsi
// What is compared is not what the best was had from.
// CHECK-LABEL: func.func @other(
// CHECK-NOT: expand_shape
module attributes {weft.machine = {l1_bytes = 32768 : i64, l2_bytes = 1048576 : i64, share_from = 262144 : i64, vector_bytes = 64 : i64, vector_registers = 32 : i64}} {
  func.func @search(%x: tensor<30x4096xf32>) -> tensor<30xi32> {
    %least = arith.constant 0xFF800000 : f32
    %end = arith.constant 4096 : i32
    %0 = tensor.empty() : tensor<30xf32>
    %1 = linalg.fill ins(%least : f32) outs(%0 : tensor<30xf32>) -> tensor<30xf32>
    %2 = linalg.generic {indexing_maps = [#x, #r], iterator_types = ["parallel", "reduction"]}
        ins(%x : tensor<30x4096xf32>) outs(%1 : tensor<30xf32>) {
    ^bb0(%a: f32, %out: f32):
      %n = arith.negf %a : f32
      %t = arith.maximumf %out, %n : f32
      linalg.yield %t : f32
    } -> tensor<30xf32>
    %3 = tensor.empty() : tensor<30xi32>
    %4 = linalg.fill ins(%end : i32) outs(%3 : tensor<30xi32>) -> tensor<30xi32>
    %5 = linalg.generic {indexing_maps = [#x, #r, #r], iterator_types = ["parallel", "reduction"]}
        ins(%x, %2 : tensor<30x4096xf32>, tensor<30xf32>) outs(%4 : tensor<30xi32>) {
    ^bb0(%a: f32, %best: f32, %out: i32):
      %n = arith.negf %a : f32
      %i = linalg.index 1 : index
      %j = arith.index_cast %i : index to i32
      %e = arith.cmpf oeq, %n, %best : f32
      %u = arith.cmpf uno, %n, %n : f32
      %o = arith.ori %e, %u : i1
      %s = arith.select %o, %j, %end : i32
      %t = arith.minsi %out, %s : i32
      linalg.yield %t : i32
    } -> tensor<30xi32>
    return %5 : tensor<30xi32>
  }
  func.func @other(%x: tensor<30x4096xf32>, %y: tensor<30x4096xf32>) -> tensor<30xi32> {
    %least = arith.constant 0xFF800000 : f32
    %end = arith.constant 4096 : i32
    %0 = tensor.empty() : tensor<30xf32>
    %1 = linalg.fill ins(%least : f32) outs(%0 : tensor<30xf32>) -> tensor<30xf32>
    %2 = linalg.generic {indexing_maps = [#x, #r], iterator_types = ["parallel", "reduction"]}
        ins(%y : tensor<30x4096xf32>) outs(%1 : tensor<30xf32>) {
    ^bb0(%a: f32, %out: f32):
      %t = arith.maximumf %out, %a : f32
      linalg.yield %t : f32
    } -> tensor<30xf32>
    %3 = tensor.empty() : tensor<30xi32>
    %4 = linalg.fill ins(%end : i32) outs(%3 : tensor<30xi32>) -> tensor<30xi32>
    %5 = linalg.generic {indexing_maps = [#x, #r, #r], iterator_types = ["parallel", "reduction"]}
        ins(%x, %2 : tensor<30x4096xf32>, tensor<30xf32>) outs(%4 : tensor<30xi32>) {
    ^bb0(%a: f32, %best: f32, %out: i32):
      %i = linalg.index 1 : index
      %j = arith.index_cast %i : index to i32
      %e = arith.cmpf oeq, %a, %best : f32
      %s = arith.select %e, %j, %end : i32
      %t = arith.minsi %out, %s : i32
      linalg.yield %t : i32
    } -> tensor<30xi32>
    return %5 : tensor<30xi32>
  }
}

// -----

#x = affine_map<(i, j) -> (i, j)>
#r = affine_map<(i, j) -> (i)>
// An element's own number counts from the beginning of its row. Squares of squares are
// compared once each.
// CHECK-LABEL: func.func @numbered(
// CHECK: %[[AT:.+]] = arith.addi
// CHECK: %[[OWN:.+]] = tensor.extract %{{.+}}[%{{.+}}, %[[AT]]]
// CHECK: %[[NUMBER:.+]] = arith.index_cast %[[AT]] : index to i32
// CHECK: %[[FLOAT:.+]] = arith.sitofp %[[NUMBER]]
// CHECK: arith.addf %[[OWN]], %[[FLOAT]]
module attributes {weft.machine = {l1_bytes = 32768 : i64, l2_bytes = 1048576 : i64, share_from = 262144 : i64, vector_bytes = 64 : i64, vector_registers = 32 : i64}} {
  func.func @numbered(%x: tensor<30x4096xf32>) -> tensor<30xi32> {
    %least = arith.constant 0xFF800000 : f32
    %end = arith.constant 4096 : i32
    %0 = tensor.empty() : tensor<30xf32>
    %1 = linalg.fill ins(%least : f32) outs(%0 : tensor<30xf32>) -> tensor<30xf32>
    %2 = linalg.generic {indexing_maps = [#x, #r], iterator_types = ["parallel", "reduction"]}
        ins(%x : tensor<30x4096xf32>) outs(%1 : tensor<30xf32>) {
    ^bb0(%a: f32, %out: f32):
      %k = linalg.index 1 : index
      %c = arith.index_cast %k : index to i32
      %f = arith.sitofp %c : i32 to f32
      %p0 = arith.addf %a, %f : f32
      %p1 = arith.mulf %p0, %p0 : f32
      %p2 = arith.mulf %p1, %p1 : f32
      %p3 = arith.mulf %p2, %p2 : f32
      %p4 = arith.mulf %p3, %p3 : f32
      %p5 = arith.mulf %p4, %p4 : f32
      %p6 = arith.mulf %p5, %p5 : f32
      %p7 = arith.mulf %p6, %p6 : f32
      %p8 = arith.mulf %p7, %p7 : f32
      %p9 = arith.mulf %p8, %p8 : f32
      %p10 = arith.mulf %p9, %p9 : f32
      %p11 = arith.mulf %p10, %p10 : f32
      %p12 = arith.mulf %p11, %p11 : f32
      %p13 = arith.mulf %p12, %p12 : f32
      %p14 = arith.mulf %p13, %p13 : f32
      %p15 = arith.mulf %p14, %p14 : f32
      %p16 = arith.mulf %p15, %p15 : f32
      %p17 = arith.mulf %p16, %p16 : f32
      %p18 = arith.mulf %p17, %p17 : f32
      %p19 = arith.mulf %p18, %p18 : f32
      %p20 = arith.mulf %p19, %p19 : f32
      %p21 = arith.mulf %p20, %p20 : f32
      %p22 = arith.mulf %p21, %p21 : f32
      %p23 = arith.mulf %p22, %p22 : f32
      %p24 = arith.mulf %p23, %p23 : f32
      %p25 = arith.mulf %p24, %p24 : f32
      %p26 = arith.mulf %p25, %p25 : f32
      %p27 = arith.mulf %p26, %p26 : f32
      %p28 = arith.mulf %p27, %p27 : f32
      %p29 = arith.mulf %p28, %p28 : f32
      %p30 = arith.mulf %p29, %p29 : f32
      %p31 = arith.mulf %p30, %p30 : f32
      %p32 = arith.mulf %p31, %p31 : f32
      %p33 = arith.mulf %p32, %p32 : f32
      %p34 = arith.mulf %p33, %p33 : f32
      %p35 = arith.mulf %p34, %p34 : f32
      %p36 = arith.mulf %p35, %p35 : f32
      %p37 = arith.mulf %p36, %p36 : f32
      %p38 = arith.mulf %p37, %p37 : f32
      %p39 = arith.mulf %p38, %p38 : f32
      %p40 = arith.mulf %p39, %p39 : f32
      %n = arith.negf %p40 : f32
      %t = arith.maximumf %out, %n : f32
      linalg.yield %t : f32
    } -> tensor<30xf32>
    %3 = tensor.empty() : tensor<30xi32>
    %4 = linalg.fill ins(%end : i32) outs(%3 : tensor<30xi32>) -> tensor<30xi32>
    %5 = linalg.generic {indexing_maps = [#x, #r, #r], iterator_types = ["parallel", "reduction"]}
        ins(%x, %2 : tensor<30x4096xf32>, tensor<30xf32>) outs(%4 : tensor<30xi32>) {
    ^bb0(%a: f32, %best: f32, %out: i32):
      %k = linalg.index 1 : index
      %c = arith.index_cast %k : index to i32
      %f = arith.sitofp %c : i32 to f32
      %p0 = arith.addf %a, %f : f32
      %p1 = arith.mulf %p0, %p0 : f32
      %p2 = arith.mulf %p1, %p1 : f32
      %p3 = arith.mulf %p2, %p2 : f32
      %p4 = arith.mulf %p3, %p3 : f32
      %p5 = arith.mulf %p4, %p4 : f32
      %p6 = arith.mulf %p5, %p5 : f32
      %p7 = arith.mulf %p6, %p6 : f32
      %p8 = arith.mulf %p7, %p7 : f32
      %p9 = arith.mulf %p8, %p8 : f32
      %p10 = arith.mulf %p9, %p9 : f32
      %p11 = arith.mulf %p10, %p10 : f32
      %p12 = arith.mulf %p11, %p11 : f32
      %p13 = arith.mulf %p12, %p12 : f32
      %p14 = arith.mulf %p13, %p13 : f32
      %p15 = arith.mulf %p14, %p14 : f32
      %p16 = arith.mulf %p15, %p15 : f32
      %p17 = arith.mulf %p16, %p16 : f32
      %p18 = arith.mulf %p17, %p17 : f32
      %p19 = arith.mulf %p18, %p18 : f32
      %p20 = arith.mulf %p19, %p19 : f32
      %p21 = arith.mulf %p20, %p20 : f32
      %p22 = arith.mulf %p21, %p21 : f32
      %p23 = arith.mulf %p22, %p22 : f32
      %p24 = arith.mulf %p23, %p23 : f32
      %p25 = arith.mulf %p24, %p24 : f32
      %p26 = arith.mulf %p25, %p25 : f32
      %p27 = arith.mulf %p26, %p26 : f32
      %p28 = arith.mulf %p27, %p27 : f32
      %p29 = arith.mulf %p28, %p28 : f32
      %p30 = arith.mulf %p29, %p29 : f32
      %p31 = arith.mulf %p30, %p30 : f32
      %p32 = arith.mulf %p31, %p31 : f32
      %p33 = arith.mulf %p32, %p32 : f32
      %p34 = arith.mulf %p33, %p33 : f32
      %p35 = arith.mulf %p34, %p34 : f32
      %p36 = arith.mulf %p35, %p35 : f32
      %p37 = arith.mulf %p36, %p36 : f32
      %p38 = arith.mulf %p37, %p37 : f32
      %p39 = arith.mulf %p38, %p38 : f32
      %p40 = arith.mulf %p39, %p39 : f32
      %n = arith.negf %p40 : f32
      %i = linalg.index 1 : index
      %j = arith.index_cast %i : index to i32
      %e = arith.cmpf oeq, %n, %best : f32
      %u = arith.cmpf uno, %n, %n : f32
      %o = arith.ori %e, %u : i1
      %s = arith.select %o, %j, %end : i32
      %t = arith.minsi %out, %s : i32
      linalg.yield %t : i32
    } -> tensor<30xi32>
    return %5 : tensor<30xi32>
  }
}

// -----

#x = affine_map<(n, h, w, c) -> (n, h, w, c)>
#m = affine_map<(n, h, w, c) -> (0, 0, 0, 0)>
#s = affine_map<(n, h, w, c) -> ()>
// Eight images are too few to share, and parts of their channels far apart: all
// that is reduced is one loop. A number is no array of several dimensions.
// CHECK-LABEL: func.func @variance(
// CHECK: %[[MEAN:.+]] = tensor.collapse_shape %{{.+}} [] : tensor<1x1x1x1xf32> into tensor<f32>
// CHECK: %[[X:.+]] = tensor.collapse_shape %{{.+}} {{\[\[}}0, 1, 2, 3]] : tensor<8x28x28x64xf32> into tensor<401408xf32>
// CHECK: %[[PARTS:.+]] = tensor.expand_shape %[[X]] {{\[\[}}0, 1]] output_shape [64, 6272]
// CHECK: linalg.generic {{.*}} iterator_types = ["parallel", "reduction"]} ins(%[[PARTS]], %[[MEAN]] :
func.func @variance(%x: tensor<8x28x28x64xf32>, %mean: tensor<1x1x1x1xf32>) -> tensor<f32> {
  %zero = arith.constant 0.0 : f32
  %0 = tensor.empty() : tensor<f32>
  %1 = linalg.fill ins(%zero : f32) outs(%0 : tensor<f32>) -> tensor<f32>
  %2 = linalg.generic {indexing_maps = [#x, #m, #s], iterator_types = ["reduction", "reduction", "reduction", "reduction"]}
      ins(%x, %mean : tensor<8x28x28x64xf32>, tensor<1x1x1x1xf32>) outs(%1 : tensor<f32>) {
  ^bb0(%a: f32, %b: f32, %out: f32):
    %d = arith.subf %a, %b : f32
    %p = arith.mulf %d, %d : f32
    %t = arith.addf %out, %p fastmath<reassoc> : f32
    linalg.yield %t : f32
  } -> tensor<f32>
  return %2 : tensor<f32>
}

// -----

#x = affine_map<(c, n, m) -> (m, n, c)>
#s = affine_map<(c, n, m) -> ()>
// Where loops do not follow each other as elements do, the longest of those along
// which elements are far apart.
// CHECK-LABEL: func.func @turned(
// CHECK: tensor.expand_shape %{{.+}} {{\[\[}}0], [1, 2], [3]] output_shape [8, 50, 2, 512]
func.func @turned(%x: tensor<8x100x512xf32>) -> tensor<f32> {
  %zero = arith.constant 0.0 : f32
  %0 = tensor.empty() : tensor<f32>
  %1 = linalg.fill ins(%zero : f32) outs(%0 : tensor<f32>) -> tensor<f32>
  %2 = linalg.generic {indexing_maps = [#x, #s], iterator_types = ["reduction", "reduction", "reduction"]}
      ins(%x : tensor<8x100x512xf32>) outs(%1 : tensor<f32>) {
  ^bb0(%a: f32, %out: f32):
    %t = arith.addf %out, %a fastmath<reassoc> : f32
    linalg.yield %t : f32
  } -> tensor<f32>
  return %2 : tensor<f32>
}

// -----

#x = affine_map<(n, c, w) -> (n, c, w)>
#c = affine_map<(n, c, w) -> (c)>
// Short rows, and arrays of them, are reduced with others between them: the arrays
// first, in vectors. Longer rows are reduced where they are.
// CHECK-DAG: #[[IN:.+]] = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
// CHECK-DAG: #[[ROWS:.+]] = affine_map<(d0, d1, d2) -> (d1, d2)>
// CHECK-LABEL: func.func @arrays(
// CHECK: %[[ARRAY:.+]] = linalg.generic {indexing_maps = [#[[IN]], #[[ROWS]]], iterator_types = ["reduction", "parallel", "parallel"]}
// CHECK: linalg.generic {{.*}} iterator_types = ["parallel", "reduction"]} ins(%[[ARRAY]] : tensor<1000x30xf32>)
// CHECK-LABEL: func.func @rows(
// CHECK: linalg.generic {{.*}} iterator_types = ["reduction", "parallel", "reduction"]
// CHECK-NOT: linalg.generic
module attributes {weft.machine = {l1_bytes = 32768 : i64, l2_bytes = 1048576 : i64, share_from = 262144 : i64, vector_bytes = 64 : i64, vector_registers = 32 : i64}} {
  func.func @arrays(%x: tensor<128x1000x30xf32>) -> tensor<1000xf32> {
    %zero = arith.constant 0.0 : f32
    %0 = tensor.empty() : tensor<1000xf32>
    %1 = linalg.fill ins(%zero : f32) outs(%0 : tensor<1000xf32>) -> tensor<1000xf32>
    %2 = linalg.generic {indexing_maps = [#x, #c], iterator_types = ["reduction", "parallel", "reduction"]}
        ins(%x : tensor<128x1000x30xf32>) outs(%1 : tensor<1000xf32>) {
    ^bb0(%a: f32, %out: f32):
      %t = arith.addf %out, %a fastmath<reassoc> : f32
      linalg.yield %t : f32
    } -> tensor<1000xf32>
    return %2 : tensor<1000xf32>
  }
  func.func @rows(%x: tensor<128x1000x300xf32>) -> tensor<1000xf32> {
    %zero = arith.constant 0.0 : f32
    %0 = tensor.empty() : tensor<1000xf32>
    %1 = linalg.fill ins(%zero : f32) outs(%0 : tensor<1000xf32>) -> tensor<1000xf32>
    %2 = linalg.generic {indexing_maps = [#x, #c], iterator_types = ["reduction", "parallel", "reduction"]}
        ins(%x : tensor<128x1000x300xf32>) outs(%1 : tensor<1000xf32>) {
    ^bb0(%a: f32, %out: f32):
      %t = arith.addf %out, %a fastmath<reassoc> : f32
      linalg.yield %t : f32
    } -> tensor<1000xf32>
    return %2 : tensor<1000xf32>
  }
}

// -----

#x = affine_map<(b, c, d, a) -> (a, c, d)>
#y = affine_map<(b, c, d, a) -> (c, d, b)>
#r = affine_map<(b, c, d, a) -> (b, a)>
// Vectors of what lies the other way round are turned along one loop: the two that
// are summed over are one before they are cut.
// CHECK-LABEL: func.func @turned_lanes(
// CHECK: tensor.collapse_shape %{{.+}} {{\[\[}}0], [1, 2]] : tensor<32x5x256xf32> into tensor<32x1280xf32>
// CHECK: tensor.expand_shape %{{.+}} {{\[\[}}0], [1, 2]] output_shape [32, 10, 128]
module attributes {weft.machine = {fma = true, l1_bytes = 32768 : i64, l2_bytes = 1048576 : i64, share_from = 262144 : i64, vector_bytes = 64 : i64, vector_registers = 32 : i64}} {
  func.func @turned_lanes(%x: tensor<32x5x256xf32>, %y: tensor<5x256x128xf32>) -> tensor<128x32xf32> {
    %zero = arith.constant 0.0 : f32
    %0 = tensor.empty() : tensor<128x32xf32>
    %1 = linalg.fill ins(%zero : f32) outs(%0 : tensor<128x32xf32>) -> tensor<128x32xf32>
    %2 = linalg.generic {indexing_maps = [#x, #y, #r], iterator_types = ["parallel", "reduction", "reduction", "parallel"]}
        ins(%x, %y : tensor<32x5x256xf32>, tensor<5x256x128xf32>) outs(%1 : tensor<128x32xf32>) {
    ^bb0(%a: f32, %b: f32, %out: f32):
      %p = arith.mulf %a, %b fastmath<reassoc,contract> : f32
      %t = arith.addf %out, %p fastmath<reassoc,contract> : f32
      linalg.yield %t : f32
    } -> tensor<128x32xf32>
    return %2 : tensor<128x32xf32>
  }
}

// -----

#x = affine_map<(c, a, b, d) -> (a, c, b, d)>
#r = affine_map<(c, a, b, d) -> (c)>
// 59 arrays have no smaller number of equal parts that is enough: each is one.
// CHECK-LABEL: func.func @arrays(
// CHECK: linalg.generic {{.*}} ins(%{{.+}} : tensor<59x1x5x12x128xf32>) outs(%{{.+}} : tensor<59x5xf32>)
// CHECK: linalg.generic {{.*}} ins(%{{.+}} : tensor<59x5xf32>) outs(%{{.+}} : tensor<5xf32>)
module attributes {weft.machine = {fma = true, l1_bytes = 32768 : i64, l2_bytes = 1048576 : i64, share_from = 262144 : i64, vector_bytes = 64 : i64, vector_registers = 32 : i64}} {
  func.func @arrays(%x: tensor<59x5x12x128xf32>) -> tensor<5xf32> {
    %zero = arith.constant 0.0 : f32
    %0 = tensor.empty() : tensor<5xf32>
    %1 = linalg.fill ins(%zero : f32) outs(%0 : tensor<5xf32>) -> tensor<5xf32>
    %2 = linalg.generic {indexing_maps = [#x, #r], iterator_types = ["parallel", "reduction", "reduction", "reduction"]}
        ins(%x : tensor<59x5x12x128xf32>) outs(%1 : tensor<5xf32>) {
    ^bb0(%a: f32, %out: f32):
      %t = arith.addf %out, %a fastmath<reassoc> : f32
      linalg.yield %t : f32
    } -> tensor<5xf32>
    return %2 : tensor<5xf32>
  }
}

// -----

#x = affine_map<(a, b, c) -> (a, b, c)>
#r = affine_map<(a, b, c) -> (c)>
// Rows that several dimensions are reduced of are those of one before some of
// them make one that fills vectors.
// CHECK-LABEL: func.func @short_rows_of_two(
// CHECK: tensor.collapse_shape %{{.+}} {{\[\[}}0, 1], [2]] : tensor<100x300x4xf32> into tensor<30000x4xf32>
// CHECK: tensor.expand_shape {{.*}} : tensor<30000x4xf32> into tensor<{{[0-9]+}}x{{[0-9]+}}x4xf32>
module attributes {weft.machine = {fma = true, l1_bytes = 32768 : i64, l2_bytes = 1048576 : i64, share_from = 262144 : i64, vector_bytes = 64 : i64, vector_registers = 32 : i64}} {
  func.func @short_rows_of_two(%x: tensor<100x300x4xf32>) -> tensor<4xf32> {
    %zero = arith.constant 0.0 : f32
    %0 = tensor.empty() : tensor<4xf32>
    %1 = linalg.fill ins(%zero : f32) outs(%0 : tensor<4xf32>) -> tensor<4xf32>
    %2 = linalg.generic {indexing_maps = [#x, #r], iterator_types = ["reduction", "reduction", "parallel"]}
        ins(%x : tensor<100x300x4xf32>) outs(%1 : tensor<4xf32>) {
    ^bb0(%a: f32, %out: f32):
      %t = arith.addf %out, %a fastmath<reassoc> : f32
      linalg.yield %t : f32
    } -> tensor<4xf32>
    return %2 : tensor<4xf32>
  }
}
