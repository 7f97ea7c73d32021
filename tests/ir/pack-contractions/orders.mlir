// RUN: weft-opt --weft-pack-contractions --split-input-file %s | FileCheck %s

#x = affine_map<(a, b, c) -> (c, b)>
#y = affine_map<(a, b, c) -> (a, b, c)>
#r = affine_map<(a, b, c) -> (a)>
// What is summed up lies in another order in the one factor: the smaller one is
// copied.
// CHECK-DAG: #[[TURNED:.+]] = affine_map<(d0, d1) -> (d1, d0)>
// CHECK-DAG: #[[X:.+]] = affine_map<(d0, d1, d2) -> (d1, d2)>
// CHECK-DAG: #[[Y:.+]] = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
// CHECK-LABEL: func.func @sums(
// CHECK-SAME: %[[A:.+]]: tensor<32x256xf32>, %[[B:.+]]: tensor<128x256x32xf32>
// CHECK: %[[COPY:.+]] = linalg.generic {indexing_maps = [#[[TURNED]], #{{.+}}], iterator_types = ["parallel", "parallel"]} ins(%[[A]] : {{.*}}) outs(%{{.+}} : tensor<256x32xf32>)
// CHECK: linalg.generic {indexing_maps = [#[[X]], #[[Y]], #{{.+}}], {{.*}}} ins(%[[COPY]], %[[B]] :
module attributes {weft.machine = {fma = true, l1_bytes = 32768 : i64, l2_bytes = 1048576 : i64, vector_bytes = 64 : i64, vector_registers = 32 : i64}} {
  func.func @sums(%x: tensor<32x256xf32>, %y: tensor<128x256x32xf32>, %s: tensor<128xf32>) -> tensor<128xf32> {
    %0 = linalg.generic {indexing_maps = [#x, #y, #r], iterator_types = ["parallel", "reduction", "reduction"]}
        ins(%x, %y : tensor<32x256xf32>, tensor<128x256x32xf32>) outs(%s : tensor<128xf32>) {
    ^bb0(%a: f32, %b: f32, %c: f32):
      %p = arith.mulf %a, %b fastmath<reassoc,contract> : f32
      %t = arith.addf %c, %p fastmath<reassoc,contract> : f32
      linalg.yield %t : f32
    } -> tensor<128xf32>
    return %0 : tensor<128xf32>
  }
}

// -----

#x = affine_map<(a, b, c, d) -> (b, d, a)>
#y = affine_map<(a, b, c, d) -> (c, d)>
#r = affine_map<(a, b, c, d) -> (a, b, c)>
// Vectors along the last dimension of the result, which lies apart in its factor.
// CHECK-DAG: #[[TURNED:.+]] = affine_map<(d0, d1) -> (d1, d0)>
// CHECK-DAG: #[[Y:.+]] = affine_map<(d0, d1, d2, d3) -> (d3, d2)>
// CHECK-LABEL: func.func @results(
// CHECK-SAME: %[[A:.+]]: tensor<5x256x12xf32>, %[[B:.+]]: tensor<64x256xf32>
// CHECK: %[[COPY:.+]] = linalg.generic {indexing_maps = [#[[TURNED]], #{{.+}}], {{.*}}} ins(%[[B]] : {{.*}}) outs(%{{.+}} : tensor<256x64xf32>)
// CHECK: linalg.generic {indexing_maps = [#{{.+}}, #[[Y]], #{{.+}}], {{.*}}} ins(%[[A]], %[[COPY]] :
module attributes {weft.machine = {fma = true, l1_bytes = 32768 : i64, l2_bytes = 1048576 : i64, vector_bytes = 64 : i64, vector_registers = 32 : i64}} {
  func.func @results(%x: tensor<5x256x12xf32>, %y: tensor<64x256xf32>, %s: tensor<12x5x64xf32>) -> tensor<12x5x64xf32> {
    %0 = linalg.generic {indexing_maps = [#x, #y, #r], iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
        ins(%x, %y : tensor<5x256x12xf32>, tensor<64x256xf32>) outs(%s : tensor<12x5x64xf32>) {
    ^bb0(%a: f32, %b: f32, %c: f32):
      %p = arith.mulf %a, %b fastmath<reassoc,contract> : f32
      %t = arith.addf %c, %p fastmath<reassoc,contract> : f32
      linalg.yield %t : f32
    } -> tensor<12x5x64xf32>
    return %0 : tensor<12x5x64xf32>
  }
}

// -----

#x = affine_map<(a, b, c, k) -> (a, b, k)>
#y = affine_map<(a, b, c, k) -> (a, c, k)>
#r = affine_map<(a, b, c, k) -> (b, c, a)>
// The last dimension of the result is short and one of both factors: the result is
// computed in another order, too.
// CHECK-DAG: #[[C:.+]] = affine_map<(d0, d1, d2, d3) -> (d2, d0, d1)>
// CHECK-DAG: #[[BACK:.+]] = affine_map<(d0, d1, d2) -> (d1, d2, d0)>
// CHECK-LABEL: func.func @batch(
// CHECK: %[[ZERO:.+]] = linalg.fill {{.*}} -> tensor<50x3x40xf32>
// CHECK: %[[SUM:.+]] = linalg.generic {indexing_maps = [#{{.+}}, #{{.+}}, #[[C]]], {{.*}}} {{.*}} outs(%[[ZERO]] : tensor<50x3x40xf32>)
// CHECK: linalg.generic {indexing_maps = [#[[BACK]], #{{.+}}], {{.*}}} ins(%[[SUM]] : {{.*}}) outs(%{{.+}} : tensor<40x50x3xf32>)
module attributes {weft.machine = {fma = true, l1_bytes = 32768 : i64, l2_bytes = 1048576 : i64, vector_bytes = 64 : i64, vector_registers = 32 : i64}} {
  func.func @batch(%x: tensor<3x40x4xf32>, %y: tensor<3x50x4xf32>) -> tensor<40x50x3xf32> {
    %zero = arith.constant 0.0 : f32
    %empty = tensor.empty() : tensor<40x50x3xf32>
    %s = linalg.fill ins(%zero : f32) outs(%empty : tensor<40x50x3xf32>) -> tensor<40x50x3xf32>
    %0 = linalg.generic {indexing_maps = [#x, #y, #r], iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
        ins(%x, %y : tensor<3x40x4xf32>, tensor<3x50x4xf32>) outs(%s : tensor<40x50x3xf32>) {
    ^bb0(%a: f32, %b: f32, %c: f32):
      %p = arith.mulf %a, %b fastmath<reassoc,contract> : f32
      %t = arith.addf %c, %p fastmath<reassoc,contract> : f32
      linalg.yield %t : f32
    } -> tensor<40x50x3xf32>
    return %0 : tensor<40x50x3xf32>
  }
}

// -----

#m = affine_map<(a, b, k) -> (a, k)>
#n = affine_map<(a, b, k) -> (k, b)>
#p = affine_map<(a, b, k) -> (a, b)>
// What is read once is not copied to be read in vectors; nor are factors that lie
// well, or few products.
// CHECK-LABEL: func.func @others(
// CHECK-COUNT-2: linalg.generic {{.*}}"reduction"
// CHECK-NOT: linalg.generic
module attributes {weft.machine = {fma = true, l1_bytes = 32768 : i64, l2_bytes = 1048576 : i64, vector_bytes = 64 : i64, vector_registers = 32 : i64}} {
  func.func @others(%x: tensor<300x200xf32>, %y: tensor<200x300xf32>, %s: tensor<f32>, %a: tensor<30x40xf32>, %b: tensor<40x50xf32>, %c: tensor<30x50xf32>) -> (tensor<f32>, tensor<30x50xf32>) {
    %0 = linalg.generic {indexing_maps = [affine_map<(c, d) -> (c, d)>, affine_map<(c, d) -> (d, c)>, affine_map<(c, d) -> ()>], iterator_types = ["reduction", "reduction"]}
        ins(%x, %y : tensor<300x200xf32>, tensor<200x300xf32>) outs(%s : tensor<f32>) {
    ^bb0(%e: f32, %f: f32, %g: f32):
      %p = arith.mulf %e, %f fastmath<reassoc,contract> : f32
      %t = arith.addf %g, %p fastmath<reassoc,contract> : f32
      linalg.yield %t : f32
    } -> tensor<f32>
    %1 = linalg.generic {indexing_maps = [#m, #n, #p], iterator_types = ["parallel", "parallel", "reduction"]}
        ins(%a, %b : tensor<30x40xf32>, tensor<40x50xf32>) outs(%c : tensor<30x50xf32>) {
    ^bb0(%e: f32, %f: f32, %g: f32):
      %p = arith.mulf %e, %f fastmath<reassoc,contract> : f32
      %t = arith.addf %g, %p fastmath<reassoc,contract> : f32
      linalg.yield %t : f32
    } -> tensor<30x50xf32>
    return %0, %1 : tensor<f32>, tensor<30x50xf32>
  }
}

// -----

#x = affine_map<(a, b, c) -> (a, b)>
#y = affine_map<(a, b, c) -> (b, c)>
#r = affine_map<(a, b, c) -> (a, c)>
// No vectors can be read of every second element, nor of one of three channels,
// which are together in a copy: not of the factor that is read one at a time.
// CHECK-LABEL: func.func @gaps(
// CHECK-SAME: %[[A:.+]]: tensor<64x128xf32>, %[[B:.+]]: tensor<64x128xf32>, %[[C:.+]]: tensor<64x64x3xf32>
// CHECK-DAG: %[[X:.+]] = tensor.extract_slice %[[A]]
// CHECK-DAG: %[[Y:.+]] = tensor.extract_slice %[[B]]
// CHECK-DAG: %[[COPY:.+]] = bufferization.alloc_tensor() copy(%[[Y]]) : tensor<64x64xf32>
// CHECK: linalg.generic {{.*}} ins(%[[X]], %[[COPY]] :
// CHECK: %[[CHANNEL:.+]] = tensor.extract_slice %[[C]]
// CHECK: %[[TOGETHER:.+]] = bufferization.alloc_tensor() copy(%[[CHANNEL]]) : tensor<64x64xf32>
// CHECK: linalg.generic {{.*}} ins(%{{.+}}, %[[TOGETHER]] :
module attributes {weft.machine = {fma = true, l1_bytes = 32768 : i64, l2_bytes = 1048576 : i64, share_from = 262144 : i64, vector_bytes = 64 : i64, vector_registers = 32 : i64}} {
  func.func @gaps(%a: tensor<64x128xf32>, %b: tensor<64x128xf32>, %c: tensor<64x64x3xf32>, %s: tensor<64x64xf32>) -> tensor<64x64xf32> {
    %x = tensor.extract_slice %a[0, 0] [64, 64] [1, 2] : tensor<64x128xf32> to tensor<64x64xf32>
    %y = tensor.extract_slice %b[0, 1] [64, 64] [1, 2] : tensor<64x128xf32> to tensor<64x64xf32>
    %0 = linalg.generic {indexing_maps = [#x, #y, #r], iterator_types = ["parallel", "reduction", "parallel"]}
        ins(%x, %y : tensor<64x64xf32>, tensor<64x64xf32>) outs(%s : tensor<64x64xf32>) {
    ^bb0(%p: f32, %q: f32, %out: f32):
      %m = arith.mulf %p, %q fastmath<reassoc,contract> : f32
      %t = arith.addf %out, %m fastmath<reassoc,contract> : f32
      linalg.yield %t : f32
    } -> tensor<64x64xf32>
    %z = tensor.extract_slice %c[0, 0, 2] [64, 64, 1] [1, 1, 1] : tensor<64x64x3xf32> to tensor<64x64xf32>
    %1 = linalg.generic {indexing_maps = [#x, #y, #r], iterator_types = ["parallel", "reduction", "parallel"]}
        ins(%0, %z : tensor<64x64xf32>, tensor<64x64xf32>) outs(%s : tensor<64x64xf32>) {
    ^bb0(%p: f32, %q: f32, %out: f32):
      %m = arith.mulf %p, %q fastmath<reassoc,contract> : f32
      %t = arith.addf %out, %m fastmath<reassoc,contract> : f32
      linalg.yield %t : f32
    } -> tensor<64x64xf32>
    return %1 : tensor<64x64xf32>
  }
}
