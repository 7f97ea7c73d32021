// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: weft-opt %s --weft-read-joined --canonicalize --cse | FileCheck %s
//
// Arrays that are put together are read where they come from.

#id = affine_map<(d0) -> (d0)>
#both = affine_map<(d0, d1) -> (d0, d1)>
#turned = affine_map<(d0, d1) -> (d1, d0)>
#left = affine_map<(d0, d1, d2) -> (d0, d2)>
#right = affine_map<(d0, d1, d2) -> (d2, d1)>
#sum = affine_map<(d0, d1, d2) -> (d0, d1)>

// What is put into a fill is read there, and outside of it nothing.
// CHECK-LABEL: func.func @padded
// CHECK-SAME:      %[[X:.+]]: tensor<4x6xf32>
func.func @padded(%x: tensor<4x6xf32>) -> tensor<4x8xf32> {
  // CHECK-DAG: %[[ZERO:.+]] = arith.constant 0 : index
  // CHECK-DAG: %[[BACK:.+]] = arith.constant -1 : index
  // CHECK-DAG: %[[SIZE:.+]] = arith.constant 6 : index
  // CHECK-DAG: %[[FILL:.+]] = arith.constant 2.000000e+00 : f32
  // CHECK-NOT: insert_slice
  // CHECK: linalg.generic {{.*}} outs(%{{.+}} : tensor<4x8xf32>)
  // CHECK-DAG:   %[[I:.+]] = linalg.index 0
  // CHECK-DAG:   %[[J:.+]] = linalg.index 1
  // CHECK:       %[[K:.+]] = arith.addi %[[J]], %[[BACK]]
  // CHECK:       %[[IS:.+]] = arith.cmpi ult, %[[K]], %[[SIZE]]
  // CHECK:       %[[AT:.+]] = arith.select %[[IS]], %[[K]], %[[ZERO]]
  // CHECK:       %[[E:.+]] = tensor.extract %[[X]][%[[I]], %[[AT]]]
  // CHECK:       %[[V:.+]] = arith.select %[[IS]], %[[E]], %[[FILL]]
  // CHECK:       math.exp %[[V]]
  %c = arith.constant 2.0 : f32
  %e = tensor.empty() : tensor<4x8xf32>
  %f = linalg.fill ins(%c : f32) outs(%e : tensor<4x8xf32>) -> tensor<4x8xf32>
  %p = tensor.insert_slice %x into %f[0, 1] [4, 6] [1, 1] : tensor<4x6xf32> into tensor<4x8xf32>
  %y = linalg.generic {indexing_maps = [#both, #both], iterator_types = ["parallel", "parallel"]}
      ins(%p : tensor<4x8xf32>) outs(%e : tensor<4x8xf32>) {
  ^bb0(%a: f32, %out: f32):
    %0 = math.exp %a : f32
    linalg.yield %0 : f32
  } -> tensor<4x8xf32>
  return %y : tensor<4x8xf32>
}

// The part that was put there last counts; its dimension of one element is not
// the array's, and what nothing else needs is computed on the way.
// CHECK-LABEL: func.func @put_over
// CHECK-SAME:      %[[X:.+]]: tensor<4x6xf32>, %[[ROW:.+]]: tensor<6xf32>
func.func @put_over(%x: tensor<4x6xf32>, %row: tensor<6xf32>) -> tensor<4x6xf32> {
  // CHECK: %[[TWO:.+]] = arith.constant 2 : index
  // CHECK-NOT: insert_slice
  // CHECK: linalg.generic
  // CHECK-NOT: linalg.generic
  // CHECK:   %[[OLD:.+]] = tensor.extract %[[X]][%[[I:.+]], %[[J:.+]]]
  // CHECK:   %[[IS:.+]] = arith.cmpi eq, %[[I]], %[[TWO]]
  // CHECK:   %[[NEW:.+]] = tensor.extract %[[ROW]][%[[J]]]
  // CHECK:   %[[EXP:.+]] = math.exp %[[NEW]]
  // CHECK:   %[[V:.+]] = arith.select %{{.+}}, %[[EXP]], %[[OLD]]
  // CHECK:   arith.negf %[[V]]
  %r = tensor.empty() : tensor<6xf32>
  %part = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%row : tensor<6xf32>) outs(%r : tensor<6xf32>) {
  ^bb0(%a: f32, %out: f32):
    %0 = math.exp %a : f32
    linalg.yield %0 : f32
  } -> tensor<6xf32>
  %p = tensor.insert_slice %part into %x[2, 0] [1, 6] [1, 1] : tensor<6xf32> into tensor<4x6xf32>
  %e = tensor.empty() : tensor<4x6xf32>
  %y = linalg.generic {indexing_maps = [#both, #both], iterator_types = ["parallel", "parallel"]}
      ins(%p : tensor<4x6xf32>) outs(%e : tensor<4x6xf32>) {
  ^bb0(%a: f32, %out: f32):
    %0 = arith.negf %a : f32
    linalg.yield %0 : f32
  } -> tensor<4x6xf32>
  return %y : tensor<4x6xf32>
}

// What others read, too, is an array, made by one op.
// CHECK-LABEL: func.func @product
// CHECK-SAME:      %[[X:.+]]: tensor<4x6xf32>
func.func @product(%x: tensor<4x6xf32>, %w: tensor<8x3xf32>, %to: tensor<4x3xf32>) -> tensor<4x3xf32> {
  // CHECK-NOT: insert_slice
  // CHECK: %[[P:.+]] = linalg.generic {{.*}} outs(%{{.+}} : tensor<4x8xf32>)
  // CHECK:   tensor.extract %[[X]]
  // CHECK:   arith.select
  // CHECK: linalg.generic {{.*}} ins(%[[P]], %{{.+}} : tensor<4x8xf32>, tensor<8x3xf32>)
  %c = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<4x8xf32>
  %f = linalg.fill ins(%c : f32) outs(%e : tensor<4x8xf32>) -> tensor<4x8xf32>
  %p = tensor.insert_slice %x into %f[0, 1] [4, 6] [1, 1] : tensor<4x6xf32> into tensor<4x8xf32>
  %y = linalg.generic {indexing_maps = [#left, #right, #sum], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%p, %w : tensor<4x8xf32>, tensor<8x3xf32>) outs(%to : tensor<4x3xf32>) {
  ^bb0(%a: f32, %b: f32, %out: f32):
    %0 = arith.mulf %a, %b : f32
    %1 = arith.addf %out, %0 : f32
    linalg.yield %1 : f32
  } -> tensor<4x3xf32>
  return %y : tensor<4x3xf32>
}

// A sum of products is computed in its place, and what lies around it filled.
// CHECK-LABEL: func.func @in_place
func.func @in_place(%x: tensor<4x6xf32>, %w: tensor<6x3xf32>, %to: tensor<4x3xf32>) -> tensor<4x5xf32> {
  // CHECK: linalg.fill
  // CHECK: %[[P:.+]] = linalg.generic
  // CHECK: %[[R:.+]] = tensor.insert_slice %[[P]]
  // CHECK: return %[[R]]
  %c = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<4x5xf32>
  %f = linalg.fill ins(%c : f32) outs(%e : tensor<4x5xf32>) -> tensor<4x5xf32>
  %y = linalg.generic {indexing_maps = [#left, #right, #sum], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : tensor<4x6xf32>, tensor<6x3xf32>) outs(%to : tensor<4x3xf32>) {
  ^bb0(%a: f32, %b: f32, %out: f32):
    %0 = arith.mulf %a, %b : f32
    %1 = arith.addf %out, %0 : f32
    linalg.yield %1 : f32
  } -> tensor<4x3xf32>
  %p = tensor.insert_slice %y into %f[0, 1] [4, 3] [1, 1] : tensor<4x3xf32> into tensor<4x5xf32>
  return %p : tensor<4x5xf32>
}

// Threads next to each other would read elements that are far apart: such an
// array is made in its own order.
// CHECK-LABEL: func.func @turned
func.func @turned(%x: tensor<4x6xf32>, %y: tensor<8x4xf32>) -> tensor<8x4xf32> {
  // CHECK: %[[P:.+]] = linalg.generic {{.*}} outs(%{{.+}} : tensor<4x8xf32>)
  // CHECK:   tensor.extract
  // CHECK: linalg.generic {{.*}} ins(%[[P]], %{{.+}} : tensor<4x8xf32>, tensor<8x4xf32>)
  %c = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<4x8xf32>
  %f = linalg.fill ins(%c : f32) outs(%e : tensor<4x8xf32>) -> tensor<4x8xf32>
  %p = tensor.insert_slice %x into %f[0, 1] [4, 6] [1, 1] : tensor<4x6xf32> into tensor<4x8xf32>
  %to = tensor.empty() : tensor<8x4xf32>
  %z = linalg.generic {indexing_maps = [#turned, #both, #both], iterator_types = ["parallel", "parallel"]}
      ins(%p, %y : tensor<4x8xf32>, tensor<8x4xf32>) outs(%to : tensor<8x4xf32>) {
  ^bb0(%a: f32, %b: f32, %out: f32):
    %0 = arith.addf %a, %b : f32
    linalg.yield %0 : f32
  } -> tensor<8x4xf32>
  return %z : tensor<8x4xf32>
}

// Of five arrays an element is not looked for.
// CHECK-LABEL: func.func @many
// CHECK-COUNT-5: tensor.insert_slice
// CHECK: linalg.generic {{.*}} ins(
func.func @many(%x: tensor<2xf32>, %y: tensor<10xf32>) -> tensor<10xf32> {
  %e = tensor.empty() : tensor<10xf32>
  %0 = tensor.insert_slice %x into %e[0] [2] [1] : tensor<2xf32> into tensor<10xf32>
  %1 = tensor.insert_slice %x into %0[2] [2] [1] : tensor<2xf32> into tensor<10xf32>
  %2 = tensor.insert_slice %x into %1[4] [2] [1] : tensor<2xf32> into tensor<10xf32>
  %3 = tensor.insert_slice %x into %2[6] [2] [1] : tensor<2xf32> into tensor<10xf32>
  %4 = tensor.insert_slice %x into %3[8] [2] [1] : tensor<2xf32> into tensor<10xf32>
  %z = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel"]}
      ins(%4, %y : tensor<10xf32>, tensor<10xf32>) outs(%e : tensor<10xf32>) {
  ^bb0(%a: f32, %b: f32, %out: f32):
    %5 = arith.addf %a, %b : f32
    linalg.yield %5 : f32
  } -> tensor<10xf32>
  return %z : tensor<10xf32>
}

// What is needed before all of its elements are there is not read where it has
// none.
// CHECK-LABEL: func.func @unfinished
// CHECK: %[[HALF:.+]] = tensor.insert_slice
// CHECK: %[[WHOLE:.+]] = tensor.insert_slice %{{.+}} into %[[HALF]]
// CHECK: linalg.generic {{.*}} ins(%[[WHOLE]], %{{.+}} :
func.func @unfinished(%x: tensor<5xf32>, %y: tensor<10xf32>) -> (tensor<10xf32>, tensor<10xf32>) {
  %e = tensor.empty() : tensor<10xf32>
  %0 = tensor.insert_slice %x into %e[0] [5] [1] : tensor<5xf32> into tensor<10xf32>
  %1 = tensor.insert_slice %x into %0[5] [5] [1] : tensor<5xf32> into tensor<10xf32>
  %z = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel"]}
      ins(%1, %y : tensor<10xf32>, tensor<10xf32>) outs(%e : tensor<10xf32>) {
  ^bb0(%a: f32, %b: f32, %out: f32):
    %2 = arith.addf %a, %b : f32
    linalg.yield %2 : f32
  } -> tensor<10xf32>
  return %z, %0 : tensor<10xf32>, tensor<10xf32>
}
