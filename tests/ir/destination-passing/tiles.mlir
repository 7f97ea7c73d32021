// RUN: weft-opt --weft-destination-passing --one-shot-bufferize --canonicalize --cse --canonicalize %s | FileCheck %s

// A tile that is changed and put back where it was is computed in place: the
// loop has one buffer, the result.
// CHECK-LABEL: func.func @tiles(
// CHECK-SAME: %[[X:.*]]: memref<16x6xf32>, %[[Y:.*]]: memref<16x6xf32>)
// CHECK-NOT: memref.alloc
// CHECK: scf.for %[[I:.*]] = %{{.*}} to %{{.*}} step %{{.*}} {
// CHECK: memref.subview %[[Y]][%[[I]], 0]
// CHECK: linalg.fill
// CHECK: linalg.generic
// CHECK-NOT: memref.copy
// CHECK: return
#id = affine_map<(i, j) -> (i, j)>
func.func @tiles(%x: tensor<16x6xf32>) -> tensor<16x6xf32> {
  %c0 = arith.constant 0 : index
  %c4 = arith.constant 4 : index
  %c16 = arith.constant 16 : index
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<16x6xf32>
  %y = scf.for %i = %c0 to %c16 step %c4 iter_args(%old = %e) -> (tensor<16x6xf32>) {
    %in = tensor.extract_slice %x[%i, 0] [4, 6] [1, 1] : tensor<16x6xf32> to tensor<4x6xf32>
    %out = tensor.extract_slice %old[%i, 0] [4, 6] [1, 1] : tensor<16x6xf32> to tensor<4x6xf32>
    %f = linalg.fill ins(%zero : f32) outs(%out : tensor<4x6xf32>) -> tensor<4x6xf32>
    %s = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
        ins(%in : tensor<4x6xf32>) outs(%f : tensor<4x6xf32>) {
    ^bb0(%a: f32, %b: f32):
      %0 = arith.addf %a, %b : f32
      linalg.yield %0 : f32
    } -> tensor<4x6xf32>
    %new = tensor.insert_slice %s into %old[%i, 0] [4, 6] [1, 1] : tensor<4x6xf32> into tensor<16x6xf32>
    scf.yield %new : tensor<16x6xf32>
  }
  return %y : tensor<16x6xf32>
}

// What is put elsewhere is not.
// CHECK-LABEL: func.func @shifted(
// CHECK: memref.copy
func.func @shifted(%x: tensor<16xf32>) -> tensor<16xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c15 = arith.constant 15 : index
  %zero = arith.constant 0.0 : f32
  %y = scf.for %i = %c0 to %c15 step %c1 iter_args(%old = %x) -> (tensor<16xf32>) {
    %part = tensor.extract_slice %old[%i] [1] [1] : tensor<16xf32> to tensor<1xf32>
    %f = linalg.fill ins(%zero : f32) outs(%part : tensor<1xf32>) -> tensor<1xf32>
    %next = arith.addi %i, %c1 : index
    %new = tensor.insert_slice %f into %old[%next] [1] [1] : tensor<1xf32> into tensor<16xf32>
    scf.yield %new : tensor<16xf32>
  }
  return %y : tensor<16xf32>
}
