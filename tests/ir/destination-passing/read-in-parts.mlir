// RUN: weft-opt --weft-destination-passing --one-shot-bufferize --canonicalize --cse --canonicalize %s | FileCheck %s

// What a step stacks is computed in the stack, though parts of it are read for
// another: the whole is there before, and nothing is copied to it.
// CHECK-LABEL: func.func @read_in_parts(
// CHECK-SAME: %[[X:.+]]: memref<5xf32>, %[[A:.+]]: memref<3x6xf32>, %[[B:.+]]: memref<3x2xf32>)
// CHECK: scf.for
// CHECK:   %[[Y:.+]] = memref.subview %[[A]]
// CHECK:   %[[FIRST:.+]] = memref.subview %[[Y]][0] [1] [1]
// CHECK:   memref.copy %{{.+}}, %[[FIRST]]
// CHECK:   %[[REST:.+]] = memref.subview %[[Y]][1] [5] [1]
// CHECK:   memref.copy %[[X]], %[[REST]]
// CHECK:   %[[PART:.+]] = memref.subview %[[Y]][2] [2] [1]
// CHECK:   %[[TO:.+]] = memref.subview %[[B]]
// CHECK:   memref.copy %[[PART]], %[[TO]]
// CHECK-NOT: memref.copy
// CHECK: return
func.func @read_in_parts(%x: tensor<5xf32>) -> (tensor<3x6xf32>, tensor<3x2xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %a = tensor.empty() : tensor<3x6xf32>
  %b = tensor.empty() : tensor<3x2xf32>
  %r:2 = scf.for %i = %c0 to %c3 step %c1 iter_args(%as = %a, %bs = %b) -> (tensor<3x6xf32>, tensor<3x2xf32>) {
    %e = tensor.empty() : tensor<6xf32>
    %first = tensor.extract_slice %x[4] [1] [1] : tensor<5xf32> to tensor<1xf32>
    %p = tensor.insert_slice %first into %e[0] [1] [1] : tensor<1xf32> into tensor<6xf32>
    %y = tensor.insert_slice %x into %p[1] [5] [1] : tensor<5xf32> into tensor<6xf32>
    %part = tensor.extract_slice %y[2] [2] [1] : tensor<6xf32> to tensor<2xf32>
    %an = tensor.insert_slice %y into %as[%i, 0] [1, 6] [1, 1] : tensor<6xf32> into tensor<3x6xf32>
    %bn = tensor.insert_slice %part into %bs[%i, 0] [1, 2] [1, 1] : tensor<2xf32> into tensor<3x2xf32>
    scf.yield %an, %bn : tensor<3x6xf32>, tensor<3x2xf32>
  }
  return %r#0, %r#1 : tensor<3x6xf32>, tensor<3x2xf32>
}

// A part of it that is stacked by itself is computed in one of the two stacks.
// CHECK-LABEL: func.func @parts_read(
// CHECK-SAME: %[[X:.+]]: memref<5xf32>, %[[A:.+]]: memref<3x10xf32>, %[[B:.+]]: memref<3x5xf32>)
// CHECK: scf.for
// CHECK:   %[[Y:.+]] = memref.subview %[[A]]
// CHECK:   %[[REST:.+]] = memref.subview %[[Y]][0] [5] [1]
// CHECK:   memref.copy %[[X]], %[[REST]]
// CHECK:   %[[PART:.+]] = memref.subview %[[Y]][5] [5] [1]
// CHECK:   linalg.generic {{.*}} ins(%[[X]] : {{.*}}) outs(%[[PART]] :
// CHECK:   %[[TO:.+]] = memref.subview %[[B]]
// CHECK:   memref.copy %[[PART]], %[[TO]]
// CHECK-NOT: memref.copy
// CHECK: return
func.func @parts_read(%x: tensor<5xf32>) -> (tensor<3x10xf32>, tensor<3x5xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %a = tensor.empty() : tensor<3x10xf32>
  %b = tensor.empty() : tensor<3x5xf32>
  %r:2 = scf.for %i = %c0 to %c3 step %c1 iter_args(%as = %a, %bs = %b) -> (tensor<3x10xf32>, tensor<3x5xf32>) {
    %t = tensor.empty() : tensor<5xf32>
    %z = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]}
        ins(%x : tensor<5xf32>) outs(%t : tensor<5xf32>) {
    ^bb0(%in: f32, %out: f32):
      %0 = math.exp %in : f32
      linalg.yield %0 : f32
    } -> tensor<5xf32>
    %e = tensor.empty() : tensor<10xf32>
    %p = tensor.insert_slice %x into %e[0] [5] [1] : tensor<5xf32> into tensor<10xf32>
    %y = tensor.insert_slice %z into %p[5] [5] [1] : tensor<5xf32> into tensor<10xf32>
    %an = tensor.insert_slice %y into %as[%i, 0] [1, 10] [1, 1] : tensor<10xf32> into tensor<3x10xf32>
    %bn = tensor.insert_slice %z into %bs[%i, 0] [1, 5] [1, 1] : tensor<5xf32> into tensor<3x5xf32>
    scf.yield %an, %bn : tensor<3x10xf32>, tensor<3x5xf32>
  }
  return %r#0, %r#1 : tensor<3x10xf32>, tensor<3x5xf32>
}
