// RUN: weft-opt --split-input-file --weft-lower-foralls --canonicalize %s | FileCheck %s

// CHECK-LABEL: func.func @tensors
// CHECK-SAME: %[[X:.*]]: tensor<10x12xf32>
// CHECK: %[[E:.*]] = tensor.empty
// CHECK: %[[Y:.*]] = scf.for %[[STEP:.*]] = %c0 to %c15 step %c1 iter_args(%[[OLD:.*]] = %[[E]])
// CHECK: %[[PLACE:.*]]:2 = affine.delinearize_index %[[STEP]] into (5, 3)
// CHECK: %[[PART:.*]] = tensor.extract_slice %[[X]]
// CHECK: %[[NEW:.*]] = tensor.insert_slice %[[PART]] into %[[OLD]]
// CHECK: scf.yield %[[NEW]]
// CHECK: {keep, weft.parallel, weft.rows}
// CHECK: return %[[Y]]
func.func @tensors(%x: tensor<10x12xf32>) -> tensor<10x12xf32> {
  %e = tensor.empty() : tensor<10x12xf32>
  %y = scf.forall (%i, %j) = (0, 0) to (10, 12) step (2, 4) shared_outs(%o = %e)
      -> (tensor<10x12xf32>) {
    %part = tensor.extract_slice %x[%i, %j] [2, 4] [1, 1] : tensor<10x12xf32> to tensor<2x4xf32>
    scf.forall.in_parallel {
      tensor.parallel_insert_slice %part into %o[%i, %j] [2, 4] [1, 1]
          : tensor<2x4xf32> into tensor<10x12xf32>
    }
  } {keep}
  return %y : tensor<10x12xf32>
}

// -----

// CHECK-LABEL: func.func @buffers
// CHECK: scf.for %[[STEP:.*]] = %c0 to %c4 step %c1 {
// CHECK: memref.store %{{.*}}, %{{.*}}[%[[STEP]]]
// CHECK: } {weft.parallel, weft.rows}
func.func @buffers(%x: memref<4xf32>, %s: f32) {
  scf.forall (%i) in (4) {
    memref.store %s, %x[%i] : memref<4xf32>
  }
  return
}
