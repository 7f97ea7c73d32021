// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: weft-opt %s --weft-copy-margins | FileCheck %s
//
// An update of an array's inside, computed of neighbours, is a new array.

#both = affine_map<(d0, d1) -> (d0, d1)>

// CHECK-LABEL: func.func @steps
func.func @steps(%x: tensor<64x66xf32>) -> tensor<64x66xf32> {
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  %ten = arith.constant 10 : index
  // CHECK: scf.for {{.*}} iter_args(%[[X:.+]] = %{{.+}}) -> (tensor<64x66xf32>)
  %r = scf.for %i = %zero to %ten step %one iter_args(%now = %x) -> (tensor<64x66xf32>) {
    // CHECK: %[[INSIDE:.+]] = linalg.generic
    %0 = tensor.extract_slice %now[0, 1] [62, 64] [1, 1] : tensor<64x66xf32> to tensor<62x64xf32>
    %1 = tensor.extract_slice %now[2, 1] [62, 64] [1, 1] : tensor<64x66xf32> to tensor<62x64xf32>
    %e = tensor.empty() : tensor<62x64xf32>
    %2 = linalg.generic {indexing_maps = [#both, #both, #both], iterator_types = ["parallel", "parallel"]}
        ins(%0, %1 : tensor<62x64xf32>, tensor<62x64xf32>) outs(%e : tensor<62x64xf32>) {
    ^bb0(%a: f32, %b: f32, %out: f32):
      %3 = arith.addf %a, %b : f32
      linalg.yield %3 : f32
    } -> tensor<62x64xf32>
    // CHECK: %[[E:.+]] = tensor.empty() : tensor<64x66xf32>
    // CHECK: %[[A:.+]] = tensor.extract_slice %[[X]][0, 0] [1, 66] [1, 1]
    // CHECK: %[[TO_A:.+]] = tensor.insert_slice %[[A]] into %[[E]][0, 0] [1, 66] [1, 1]
    // CHECK: %[[B:.+]] = tensor.extract_slice %[[X]][63, 0] [1, 66] [1, 1]
    // CHECK: %[[TO_B:.+]] = tensor.insert_slice %[[B]] into %[[TO_A]][63, 0] [1, 66] [1, 1]
    // CHECK: %[[C:.+]] = tensor.extract_slice %[[X]][1, 0] [62, 1] [1, 1]
    // CHECK: %[[TO_C:.+]] = tensor.insert_slice %[[C]] into %[[TO_B]][1, 0] [62, 1] [1, 1]
    // CHECK: %[[D:.+]] = tensor.extract_slice %[[X]][1, 65] [62, 1] [1, 1]
    // CHECK: %[[TO_D:.+]] = tensor.insert_slice %[[D]] into %[[TO_C]][1, 65] [62, 1] [1, 1]
    // CHECK: %[[ALL:.+]] = tensor.insert_slice %[[INSIDE]] into %[[TO_D]][1, 1] [62, 64] [1, 1]
    // CHECK: scf.yield %[[ALL]]
    %4 = tensor.insert_slice %2 into %now[1, 1] [62, 64] [1, 1] : tensor<62x64xf32> into tensor<64x66xf32>
    scf.yield %4 : tensor<64x66xf32>
  }
  return %r : tensor<64x66xf32>
}

// What is computed of the same elements is written over them. So is what is
// donated, and half of an array.
// CHECK-LABEL: func.func @in_place
// CHECK-SAME:      %[[X:.+]]: tensor<64x66xf32>, %[[Y:.+]]: tensor<64x66xf32> {weft.donated}
func.func @in_place(%x: tensor<64x66xf32>, %y: tensor<64x66xf32> {weft.donated})
    -> (tensor<64x66xf32>, tensor<64x66xf32>, tensor<64x66xf32>) {
  // CHECK: tensor.insert_slice %{{.+}} into %[[X]][1, 1]
  // CHECK: tensor.insert_slice %{{.+}} into %[[Y]][1, 1]
  // CHECK: tensor.insert_slice %{{.+}} into %[[X]][1, 1]
  %0 = tensor.extract_slice %x[1, 1] [62, 64] [1, 1] : tensor<64x66xf32> to tensor<62x64xf32>
  %e = tensor.empty() : tensor<62x64xf32>
  %1 = linalg.generic {indexing_maps = [#both, #both], iterator_types = ["parallel", "parallel"]}
      ins(%0 : tensor<62x64xf32>) outs(%e : tensor<62x64xf32>) {
  ^bb0(%a: f32, %out: f32):
    %2 = arith.addf %a, %a : f32
    linalg.yield %2 : f32
  } -> tensor<62x64xf32>
  %3 = tensor.insert_slice %1 into %x[1, 1] [62, 64] [1, 1] : tensor<62x64xf32> into tensor<64x66xf32>
  %4 = tensor.extract_slice %y[0, 0] [62, 64] [1, 1] : tensor<64x66xf32> to tensor<62x64xf32>
  %5 = linalg.generic {indexing_maps = [#both, #both], iterator_types = ["parallel", "parallel"]}
      ins(%4 : tensor<62x64xf32>) outs(%e : tensor<62x64xf32>) {
  ^bb0(%a: f32, %out: f32):
    %6 = arith.addf %a, %a : f32
    linalg.yield %6 : f32
  } -> tensor<62x64xf32>
  %7 = tensor.insert_slice %5 into %y[1, 1] [62, 64] [1, 1] : tensor<62x64xf32> into tensor<64x66xf32>
  %8 = tensor.extract_slice %x[0, 0] [32, 64] [1, 1] : tensor<64x66xf32> to tensor<32x64xf32>
  %e9 = tensor.empty() : tensor<32x64xf32>
  %9 = linalg.generic {indexing_maps = [#both, #both], iterator_types = ["parallel", "parallel"]}
      ins(%8 : tensor<32x64xf32>) outs(%e9 : tensor<32x64xf32>) {
  ^bb0(%a: f32, %out: f32):
    %10 = arith.addf %a, %a : f32
    linalg.yield %10 : f32
  } -> tensor<32x64xf32>
  %11 = tensor.insert_slice %9 into %x[1, 1] [32, 64] [1, 1] : tensor<32x64xf32> into tensor<64x66xf32>
  return %3, %7, %11 : tensor<64x66xf32>, tensor<64x66xf32>, tensor<64x66xf32>
}
