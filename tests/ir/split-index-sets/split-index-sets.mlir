// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: weft-opt %s --weft-split-index-sets --canonicalize --cse | FileCheck %s
//
// Loops are split where the arrays that they read are put together.

#id = affine_map<(d0) -> (d0)>
#rows = affine_map<(d0, d1) -> (d0)>
#both = affine_map<(d0, d1) -> (d0, d1)>
#turned = affine_map<(d0, d1) -> (d1, d0)>

// CHECK-LABEL: func.func @rolled
// CHECK-SAME:      %[[X:.+]]: tensor<4096xf32>
func.func @rolled(%x: tensor<4096xf32>) -> tensor<4096xf32> {
  // CHECK: %[[TO:.+]] = tensor.empty() : tensor<4096xf32>
  // CHECK: %[[HERE:.+]] = tensor.extract_slice %[[X]][0] [4095] [1]
  // CHECK: %[[NEXT:.+]] = tensor.extract_slice %[[X]][1] [4095] [1]
  // CHECK: %[[P:.+]] = linalg.generic
  // CHECK-SAME: ins(%[[HERE]], %[[NEXT]] : tensor<4095xf32>, tensor<4095xf32>)
  // CHECK: %[[A:.+]] = tensor.insert_slice %[[P]] into %[[TO]][0] [4095] [1]
  // CHECK: %[[LAST:.+]] = tensor.extract_slice %[[X]][4095] [1] [1]
  // CHECK: %[[FIRST:.+]] = tensor.extract_slice %[[X]][0] [1] [1]
  // CHECK: %[[Q:.+]] = linalg.generic
  // CHECK-SAME: ins(%[[LAST]], %[[FIRST]] : tensor<1xf32>, tensor<1xf32>)
  // CHECK: %[[B:.+]] = tensor.insert_slice %[[Q]] into %[[A]][4095] [1] [1]
  // CHECK-NOT: insert_slice
  // CHECK: return %[[B]]
  %e = tensor.empty() : tensor<4096xf32>
  %0 = tensor.extract_slice %x[1] [4095] [1] : tensor<4096xf32> to tensor<4095xf32>
  %1 = tensor.extract_slice %x[0] [1] [1] : tensor<4096xf32> to tensor<1xf32>
  %2 = tensor.insert_slice %0 into %e[0] [4095] [1] : tensor<4095xf32> into tensor<4096xf32>
  %3 = tensor.insert_slice %1 into %2[4095] [1] [1] : tensor<1xf32> into tensor<4096xf32>
  %4 = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel"]}
      ins(%x, %3 : tensor<4096xf32>, tensor<4096xf32>) outs(%e : tensor<4096xf32>) {
  ^bb0(%a: f32, %b: f32, %out: f32):
    %5 = arith.addf %a, %b : f32
    linalg.yield %5 : f32
  } -> tensor<4096xf32>
  return %4 : tensor<4096xf32>
}

// Of an array with margins the inside is read itself, and the margins are
// filled. Two results, and an operand that is walked through the other way.
// CHECK-LABEL: func.func @padded
// CHECK-SAME:      %[[X:.+]]: tensor<64x64xf32>, %[[Y:.+]]: tensor<64x64xf32>
func.func @padded(%x: tensor<64x64xf32>, %y: tensor<64x64xf32>)
    -> (tensor<64x64xf32>, tensor<64x64xf16>) {
  // CHECK: %[[FILLED:.+]] = linalg.fill {{.*}} outs(%{{.+}} : tensor<1x64xf32>)
  // CHECK: %[[COLUMN:.+]] = tensor.extract_slice %[[Y]][0, 0] [64, 1] [1, 1]
  // CHECK: %[[P:.+]]:2 = linalg.generic
  // CHECK-SAME: ins(%[[FILLED]], %[[COLUMN]] : tensor<1x64xf32>, tensor<64x1xf32>)
  // CHECK: %[[ABOVE:.+]] = tensor.extract_slice %[[X]][0, 0] [63, 64] [1, 1]
  // CHECK: %[[OTHERS:.+]] = tensor.extract_slice %[[Y]][0, 1] [64, 63] [1, 1]
  // CHECK: %[[Q:.+]]:2 = linalg.generic
  // CHECK-SAME: ins(%[[ABOVE]], %[[OTHERS]] : tensor<63x64xf32>, tensor<64x63xf32>)
  // CHECK: %[[S:.+]] = tensor.insert_slice %[[Q]]#0 into %{{.+}}[1, 0] [63, 64] [1, 1]
  // CHECK: %[[T:.+]] = tensor.insert_slice %[[Q]]#1 into %{{.+}}[1, 0] [63, 64] [1, 1]
  // CHECK: return %[[S]], %[[T]]
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<66x66xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<66x66xf32>) -> tensor<66x66xf32>
  %p = tensor.insert_slice %x into %f[1, 1] [64, 64] [1, 1] : tensor<64x64xf32> into tensor<66x66xf32>
  %0 = tensor.extract_slice %p[0, 1] [64, 64] [1, 1] : tensor<66x66xf32> to tensor<64x64xf32>
  %e0 = tensor.empty() : tensor<64x64xf32>
  %e1 = tensor.empty() : tensor<64x64xf16>
  %1:2 = linalg.generic {indexing_maps = [#both, #turned, #both, #both], iterator_types = ["parallel", "parallel"]}
      ins(%0, %y : tensor<64x64xf32>, tensor<64x64xf32>) outs(%e0, %e1 : tensor<64x64xf32>, tensor<64x64xf16>) {
  ^bb0(%a: f32, %b: f32, %out0: f32, %out1: f16):
    %2 = arith.addf %a, %b : f32
    %3 = arith.truncf %2 : f32 to f16
    linalg.yield %2, %3 : f32, f16
  } -> (tensor<64x64xf32>, tensor<64x64xf16>)
  return %1#0, %1#1 : tensor<64x64xf32>, tensor<64x64xf16>
}

// What is put together for something else too is read as it is.
// CHECK-LABEL: func.func @shared
func.func @shared(%x: tensor<4096xf32>) -> (tensor<4096xf32>, tensor<4096xf32>) {
  // CHECK: tensor.insert_slice
  // CHECK: %[[R:.+]] = tensor.insert_slice
  // CHECK: linalg.generic {{.+}} ins(%{{.+}}, %[[R]] : tensor<4096xf32>, tensor<4096xf32>)
  // CHECK-NOT: linalg.generic
  %e = tensor.empty() : tensor<4096xf32>
  %0 = tensor.extract_slice %x[1] [4095] [1] : tensor<4096xf32> to tensor<4095xf32>
  %1 = tensor.extract_slice %x[0] [1] [1] : tensor<4096xf32> to tensor<1xf32>
  %2 = tensor.insert_slice %0 into %e[0] [4095] [1] : tensor<4095xf32> into tensor<4096xf32>
  %3 = tensor.insert_slice %1 into %2[4095] [1] [1] : tensor<1xf32> into tensor<4096xf32>
  %4 = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel"]}
      ins(%x, %3 : tensor<4096xf32>, tensor<4096xf32>) outs(%e : tensor<4096xf32>) {
  ^bb0(%a: f32, %b: f32, %out: f32):
    %5 = arith.addf %a, %b : f32
    linalg.yield %5 : f32
  } -> tensor<4096xf32>
  return %3, %4 : tensor<4096xf32>, tensor<4096xf32>
}

// Sums, ops that ask where they are, and few elements are left alone.
// CHECK-LABEL: func.func @others
func.func @others(%x: tensor<64x64xf32>, %y: tensor<8xf32>)
    -> (tensor<64xf32>, tensor<64x64xf32>, tensor<8xf32>) {
  // CHECK-COUNT-3: = linalg.generic
  // CHECK-NOT: linalg.generic
  %e = tensor.empty() : tensor<64x64xf32>
  %0 = tensor.extract_slice %x[1, 0] [63, 64] [1, 1] : tensor<64x64xf32> to tensor<63x64xf32>
  %1 = tensor.extract_slice %x[0, 0] [1, 64] [1, 1] : tensor<64x64xf32> to tensor<1x64xf32>
  %2 = tensor.insert_slice %0 into %e[0, 0] [63, 64] [1, 1] : tensor<63x64xf32> into tensor<64x64xf32>
  %3 = tensor.insert_slice %1 into %2[63, 0] [1, 64] [1, 1] : tensor<1x64xf32> into tensor<64x64xf32>
  %e1 = tensor.empty() : tensor<64xf32>
  %4 = linalg.generic {indexing_maps = [#both, #rows], iterator_types = ["parallel", "reduction"]}
      ins(%3 : tensor<64x64xf32>) outs(%e1 : tensor<64xf32>) {
  ^bb0(%a: f32, %out: f32):
    %5 = arith.addf %a, %out : f32
    linalg.yield %5 : f32
  } -> tensor<64xf32>
  %6 = tensor.insert_slice %0 into %e[1, 0] [63, 64] [1, 1] : tensor<63x64xf32> into tensor<64x64xf32>
  %7 = tensor.insert_slice %1 into %6[0, 0] [1, 64] [1, 1] : tensor<1x64xf32> into tensor<64x64xf32>
  %8 = linalg.generic {indexing_maps = [#both, #both], iterator_types = ["parallel", "parallel"]}
      ins(%7 : tensor<64x64xf32>) outs(%e : tensor<64x64xf32>) {
  ^bb0(%a: f32, %out: f32):
    %i = linalg.index 0 : index
    %j = arith.index_cast %i : index to i32
    %k = arith.sitofp %j : i32 to f32
    %l = arith.addf %a, %k : f32
    linalg.yield %l : f32
  } -> tensor<64x64xf32>
  %e8 = tensor.empty() : tensor<8xf32>
  %9 = tensor.extract_slice %y[1] [7] [1] : tensor<8xf32> to tensor<7xf32>
  %10 = tensor.extract_slice %y[0] [1] [1] : tensor<8xf32> to tensor<1xf32>
  %11 = tensor.insert_slice %9 into %e8[0] [7] [1] : tensor<7xf32> into tensor<8xf32>
  %12 = tensor.insert_slice %10 into %11[7] [1] [1] : tensor<1xf32> into tensor<8xf32>
  %13 = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel"]}
      ins(%y, %12 : tensor<8xf32>, tensor<8xf32>) outs(%e8 : tensor<8xf32>) {
  ^bb0(%a: f32, %b: f32, %out: f32):
    %14 = arith.addf %a, %b : f32
    linalg.yield %14 : f32
  } -> tensor<8xf32>
  return %4, %8, %13 : tensor<64xf32>, tensor<64x64xf32>, tensor<8xf32>
}
