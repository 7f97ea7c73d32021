// RUN: weft-opt %s -weft-destination-passing -split-input-file | FileCheck %s
// RUN: weft-opt %s -weft-destination-passing -one-shot-bufferize -canonicalize \
// RUN:   -split-input-file | FileCheck %s --check-prefix=BUFFERS

#id = affine_map<(d0) -> (d0)>
#zero = affine_map<(d0) -> ()>

// What reads the argument comes before what overwrites it.

// CHECK-LABEL: func.func @update(
// CHECK-SAME: %[[X:.*]]: memref<8xf32>, %[[G:.*]]: memref<8xf32>, %[[SUM:.*]]: memref<f32>)
// CHECK-SAME: weft.reuses = array<i64: 0, -1>
// BUFFERS-LABEL: func.func @update(
// BUFFERS-SAME: %[[X:.*]]: memref<8xf32>, %[[G:.*]]: memref<8xf32>, %[[SUM:.*]]: memref<f32>)
// BUFFERS-NOT: memref.alloc
// BUFFERS: linalg.generic {{.*}} ins(%[[X]] : memref<8xf32>) outs(%[[SUM]] : memref<f32>)
// BUFFERS: linalg.generic {{.*}} ins(%[[X]], %[[G]] : memref<8xf32>, memref<8xf32>) outs(%[[X]] : memref<8xf32>)
// BUFFERS-NOT: memref.copy
func.func @update(%x: tensor<8xf32> {weft.donated}, %g: tensor<8xf32>)
    -> (tensor<8xf32>, tensor<f32>) {
  %0 = tensor.empty() : tensor<8xf32>
  %new = linalg.generic {indexing_maps = [#id, #id, #id],
                         iterator_types = ["parallel"]}
      ins(%x, %g : tensor<8xf32>, tensor<8xf32>) outs(%0 : tensor<8xf32>) {
  ^bb0(%a: f32, %b: f32, %out: f32):
    %d = arith.subf %a, %b : f32
    linalg.yield %d : f32
  } -> tensor<8xf32>
  %1 = tensor.empty() : tensor<f32>
  %zero = arith.constant 0.0 : f32
  %2 = linalg.fill ins(%zero : f32) outs(%1 : tensor<f32>) -> tensor<f32>
  %sum = linalg.generic {indexing_maps = [#id, #zero],
                         iterator_types = ["reduction"]}
      ins(%x : tensor<8xf32>) outs(%2 : tensor<f32>) {
  ^bb0(%a: f32, %out: f32):
    %s = arith.addf %out, %a : f32
    linalg.yield %s : f32
  } -> tensor<f32>
  return %new, %sum : tensor<8xf32>, tensor<f32>
}

// -----

// Each element is read from where another one is written: no.

#id = affine_map<(d0) -> (d0)>
#back = affine_map<(d0) -> (7 - d0)>

// CHECK-LABEL: func.func @reversed(
// CHECK-SAME: %{{.*}}: memref<8xf32>, %{{.*}}: memref<8xf32>) {
func.func @reversed(%x: tensor<8xf32> {weft.donated}) -> tensor<8xf32> {
  %0 = tensor.empty() : tensor<8xf32>
  %r = linalg.generic {indexing_maps = [#back, #id],
                       iterator_types = ["parallel"]}
      ins(%x : tensor<8xf32>) outs(%0 : tensor<8xf32>) {
  ^bb0(%a: f32, %out: f32):
    linalg.yield %a : f32
  } -> tensor<8xf32>
  return %r : tensor<8xf32>
}

// -----

// An argument that is returned stays where it is; the other has no result.

// CHECK-LABEL: func.func @kept(
// CHECK-SAME: %{{.*}}: memref<4xf32>, %{{.*}}: memref<2xf32>)
// CHECK-SAME: weft.reuses = array<i64: 0>
func.func @kept(%x: tensor<4xf32> {weft.donated}, %y: tensor<2xf32> {weft.donated})
    -> tensor<4xf32> {
  return %x : tensor<4xf32>
}
