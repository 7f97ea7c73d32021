// RUN: weft-opt --weft-to-memref %s | FileCheck %s
#id = affine_map<(d0) -> (d0)>
#back = affine_map<(d0) -> (999 - d0)>

// Each element is read before it is written: one buffer, which is the result's.
// CHECK-LABEL: func.func @in_place(
// CHECK-SAME: %[[X:[a-z0-9]+]]: memref<1000xf32>, %[[OUT:[a-z0-9]+]]: memref<1000xf32>, %{{.+}}: memref<0xi8>)
// CHECK: memref.copy %[[X]], %[[OUT]]
// CHECK: scf.for %{{.+}} = %{{.+}} to %{{.+}} step %{{[a-z0-9]+}} {
// CHECK-NEXT: linalg.generic {{.*}} ins(%[[OUT]] : {{.*}}) outs(%[[OUT]] :
// CHECK-NOT: memref.copy
func.func @in_place(%x: tensor<1000xf32>) -> tensor<1000xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %n = arith.constant 10000 : index
  %r = scf.for %i = %c0 to %n step %c1 iter_args(%c = %x) -> tensor<1000xf32> {
    %e = tensor.empty() : tensor<1000xf32>
    %y = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
        ins(%c : tensor<1000xf32>) outs(%e : tensor<1000xf32>) {
    ^bb0(%a: f32, %o: f32):
      %m = arith.mulf %a, %a : f32
      linalg.yield %m : f32
    } -> tensor<1000xf32>
    scf.yield %y : tensor<1000xf32>
  }
  return %r : tensor<1000xf32>
}

// Read backwards: two buffers that change places. After 10001 steps it is the
// second that holds the result.
// CHECK-LABEL: func.func @two_buffers(
// CHECK-SAME: %[[X:[a-z0-9]+]]: memref<1000xf32>, %[[OUT:[a-z0-9]+]]: memref<1000xf32>, %{{.+}}: memref<4032xi8>)
// CHECK: %[[OTHER:.+]] = memref.view
// CHECK: memref.copy %[[X]], %[[OTHER]]
// CHECK: scf.for {{.*}} iter_args(%[[NOW:.+]] = %[[OTHER]], %[[NEXT:.+]] = %[[OUT]])
// CHECK: linalg.generic {{.*}} ins(%[[NOW]] : {{.*}}) outs(%[[NEXT]] :
// CHECK: scf.yield %[[NEXT]], %[[NOW]]
// CHECK-NOT: memref.copy
func.func @two_buffers(%x: tensor<1000xf32>) -> tensor<1000xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %n = arith.constant 10001 : index
  %r = scf.for %i = %c0 to %n step %c1 iter_args(%c = %x) -> tensor<1000xf32> {
    %e = tensor.empty() : tensor<1000xf32>
    %y = linalg.generic {indexing_maps = [#back, #id], iterator_types = ["parallel"]}
        ins(%c : tensor<1000xf32>) outs(%e : tensor<1000xf32>) {
    ^bb0(%a: f32, %o: f32):
      linalg.yield %a : f32
    } -> tensor<1000xf32>
    scf.yield %y : tensor<1000xf32>
  }
  return %r : tensor<1000xf32>
}

// A slice is written where it belongs; of a carry, only the part that changes.
// CHECK-LABEL: func.func @slices(
// CHECK-SAME: %[[X:[a-z0-9]+]]: memref<8xf32>, %[[LAST:[a-z0-9]+]]: memref<8xf32>, %[[YS:[a-z0-9]+]]: memref<10x4xf32>,
// CHECK: memref.copy %[[X]], %[[LAST]]
// CHECK: scf.for %[[I:[a-z0-9]+]] =
// CHECK-DAG: %[[PART:.+]] = memref.subview %[[LAST]][2] [4] [1]
// CHECK-DAG: %[[Y:.+]] = memref.subview %[[YS]][%[[I]], 0] [1, 4] [1, 1]
// CHECK-DAG: linalg.generic {{.*}} outs(%[[Y]] :
// CHECK-NOT: memref.copy {{.*}}memref<8xf32>
func.func @slices(%x: tensor<8xf32>) -> (tensor<8xf32>, tensor<10x4xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %n = arith.constant 10 : index
  %ys = tensor.empty() : tensor<10x4xf32>
  %r:2 = scf.for %i = %c0 to %n step %c1 iter_args(%c = %x, %y = %ys) -> (tensor<8xf32>, tensor<10x4xf32>) {
    %part = tensor.extract_slice %c[2] [4] [1] : tensor<8xf32> to tensor<4xf32>
    %e = tensor.empty() : tensor<4xf32>
    %1 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
        ins(%part : tensor<4xf32>) outs(%e : tensor<4xf32>) {
    ^bb0(%a: f32, %o: f32):
      %s = math.sin %a : f32
      linalg.yield %s : f32
    } -> tensor<4xf32>
    %2 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
        ins(%part : tensor<4xf32>) outs(%e : tensor<4xf32>) {
    ^bb0(%a: f32, %o: f32):
      %m = arith.mulf %a, %a : f32
      linalg.yield %m : f32
    } -> tensor<4xf32>
    %ys2 = tensor.insert_slice %1 into %y[%i, 0] [1, 4] [1, 1] : tensor<4xf32> into tensor<10x4xf32>
    %next = tensor.insert_slice %2 into %c[2] [4] [1] : tensor<4xf32> into tensor<8xf32>
    scf.yield %next, %ys2 : tensor<8xf32>, tensor<10x4xf32>
  }
  return %r#0, %r#1 : tensor<8xf32>, tensor<10x4xf32>
}

// A choice writes into the buffer of the carry, or leaves it as it is.
// CHECK-LABEL: func.func @while(
// CHECK-SAME: %[[X:[a-z0-9]+]]: memref<10xf32>, %[[OUT:[a-z0-9]+]]: memref<10xf32>, %{{.+}}: memref<0xi8>)
// CHECK: memref.copy %[[X]], %[[OUT]]
// CHECK: scf.while : () -> () {
// CHECK: memref.load %[[OUT]]
// CHECK: scf.condition
// CHECK: scf.if
// CHECK: linalg.generic {{.*}} ins(%[[OUT]] : {{.*}}) outs(%[[OUT]] :
// CHECK-NOT: else
// CHECK-NOT: memref.copy
func.func @while(%x: tensor<10xf32>) -> tensor<10xf32> {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  %one = arith.constant 1.0 : f32
  %r = scf.while (%c = %x) : (tensor<10xf32>) -> tensor<10xf32> {
    %v = tensor.extract %c[%c0] : tensor<10xf32>
    %k = arith.cmpf olt, %v, %zero : f32
    scf.condition(%k) %c : tensor<10xf32>
  } do {
  ^bb0(%c: tensor<10xf32>):
    %v = tensor.extract %c[%c0] : tensor<10xf32>
    %k = arith.cmpf olt, %v, %one : f32
    %y = scf.if %k -> tensor<10xf32> {
      %e = tensor.empty() : tensor<10xf32>
      %z = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
          ins(%c : tensor<10xf32>) outs(%e : tensor<10xf32>) {
      ^bb0(%a: f32, %o: f32):
        %m = arith.mulf %a, %a : f32
        linalg.yield %m : f32
      } -> tensor<10xf32>
      scf.yield %z : tensor<10xf32>
    } else {
      scf.yield %c : tensor<10xf32>
    }
    scf.yield %y : tensor<10xf32>
  }
  return %r : tensor<10xf32>
}
