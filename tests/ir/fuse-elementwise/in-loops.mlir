// RUN: weft-opt --weft-fuse-elementwise --split-input-file %s | FileCheck %s

#one = affine_map<(d0) -> (d0)>
#rows = affine_map<(d0, d1) -> (d0)>
#all = affine_map<(d0, d1) -> (d0, d1)>

// The steps of an index are taken for each row anew.
// CHECK-LABEL: func.func @gather(
// CHECK-SAME: %{{.+}}: tensor<9x4xf32>, %[[I:.+]]: tensor<5xi32>)
// CHECK-NOT: tensor<5xi64>
// CHECK: linalg.generic {{.*}} ins(%[[I]] : tensor<5xi32>)
// CHECK: arith.extsi
// CHECK: tensor.extract
func.func @gather(%x: tensor<9x4xf32>, %i: tensor<5xi32>) -> tensor<5x4xf32> {
  %e = tensor.empty() : tensor<5xi64>
  %wide = linalg.generic {indexing_maps = [#one, #one], iterator_types = ["parallel"]}
      ins(%i : tensor<5xi32>) outs(%e : tensor<5xi64>) {
  ^bb0(%in: i32, %out: i64):
    %0 = arith.extsi %in : i32 to i64
    linalg.yield %0 : i64
  } -> tensor<5xi64>
  %r = tensor.empty() : tensor<5x4xf32>
  %y = linalg.generic {indexing_maps = [#rows, #all], iterator_types = ["parallel", "parallel"]}
      ins(%wide : tensor<5xi64>) outs(%r : tensor<5x4xf32>) {
  ^bb0(%in: i64, %out: f32):
    %0 = arith.index_cast %in : i64 to index
    %1 = linalg.index 1 : index
    %2 = tensor.extract %x[%0, %1] : tensor<9x4xf32>
    linalg.yield %2 : f32
  } -> tensor<5x4xf32>
  return %y : tensor<5x4xf32>
}

// -----

#one = affine_map<(d0) -> (d0)>

// Updates are computed where they are added.
// CHECK-LABEL: func.func @scatter(
// CHECK-SAME: %{{.+}}: tensor<9xf32>, %[[U:.+]]: tensor<5xf32>)
// CHECK-NOT: linalg.generic
// CHECK: scf.for %[[AT:.+]] = {{.*}} iter_args(%[[SUMS:.+]] =
// CHECK: %[[ONE:.+]] = tensor.extract %[[U]][%[[AT]]]
// CHECK: arith.mulf %[[ONE]]
// CHECK: tensor.insert %{{.+}} into %[[SUMS]]
func.func @scatter(%x: tensor<9xf32>, %u: tensor<5xf32>) -> tensor<9xf32> {
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  %five = arith.constant 5 : index
  %two = arith.constant 2.0 : f32
  %e = tensor.empty() : tensor<5xf32>
  %v = linalg.generic {indexing_maps = [#one, #one], iterator_types = ["parallel"]}
      ins(%u : tensor<5xf32>) outs(%e : tensor<5xf32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = arith.mulf %in, %two : f32
    linalg.yield %0 : f32
  } -> tensor<5xf32>
  %y = scf.for %i = %zero to %five step %one iter_args(%sums = %x) -> tensor<9xf32> {
    %0 = tensor.extract %v[%i] : tensor<5xf32>
    %1 = tensor.extract %sums[%i] : tensor<9xf32>
    %2 = arith.addf %1, %0 : f32
    %3 = tensor.insert %2 into %sums[%i] : tensor<9xf32>
    scf.yield %3 : tensor<9xf32>
  }
  return %y : tensor<9xf32>
}

// -----

#one = affine_map<(d0) -> (d0)>

// Not where it reads what is written, which would have to be copied.
// CHECK-LABEL: func.func @of_itself(
// CHECK: linalg.generic
// CHECK: scf.for
func.func @of_itself(%x: tensor<9xf32>) -> tensor<9xf32> {
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  %nine = arith.constant 9 : index
  %eight = arith.constant 8 : index
  %two = arith.constant 2.0 : f32
  %e = tensor.empty() : tensor<9xf32>
  %v = linalg.generic {indexing_maps = [#one, #one], iterator_types = ["parallel"]}
      ins(%x : tensor<9xf32>) outs(%e : tensor<9xf32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = arith.mulf %in, %two : f32
    linalg.yield %0 : f32
  } -> tensor<9xf32>
  %y = scf.for %i = %zero to %nine step %one iter_args(%sums = %x) -> tensor<9xf32> {
    %0 = tensor.extract %v[%i] : tensor<9xf32>
    %back = arith.subi %eight, %i : index
    %1 = tensor.insert %0 into %sums[%back] : tensor<9xf32>
    scf.yield %1 : tensor<9xf32>
  }
  return %y : tensor<9xf32>
}

// -----

#one = affine_map<(d0) -> (d0)>

// Not where each element is read by each step of another loop, nor what takes
// long, which is done in vectors before.
// CHECK-LABEL: func.func @often(
// CHECK: linalg.generic
// CHECK: linalg.generic
// CHECK: scf.for
func.func @often(%x: tensor<9xf32>, %u: tensor<5xf32>, %w: tensor<5xf32>) -> tensor<9xf32> {
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  %five = arith.constant 5 : index
  %two = arith.constant 2.0 : f32
  %e = tensor.empty() : tensor<5xf32>
  %v = linalg.generic {indexing_maps = [#one, #one], iterator_types = ["parallel"]}
      ins(%u : tensor<5xf32>) outs(%e : tensor<5xf32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = arith.mulf %in, %two : f32
    linalg.yield %0 : f32
  } -> tensor<5xf32>
  %t = linalg.generic {indexing_maps = [#one, #one], iterator_types = ["parallel"]}
      ins(%w : tensor<5xf32>) outs(%e : tensor<5xf32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = math.tanh %in : f32
    linalg.yield %0 : f32
  } -> tensor<5xf32>
  %y = scf.for %i = %zero to %five step %one iter_args(%sums = %x) -> tensor<9xf32> {
    %0 = tensor.extract %t[%i] : tensor<5xf32>
    %z = scf.for %j = %zero to %five step %one iter_args(%inner = %sums) -> tensor<9xf32> {
      %1 = tensor.extract %v[%j] : tensor<5xf32>
      %2 = arith.addf %1, %0 : f32
      %3 = tensor.insert %2 into %inner[%j] : tensor<9xf32>
      scf.yield %3 : tensor<9xf32>
    }
    scf.yield %z : tensor<9xf32>
  }
  return %y : tensor<9xf32>
}
