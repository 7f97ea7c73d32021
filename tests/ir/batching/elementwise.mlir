// An elementwise op is widened: what the inputs share is repeated, constants of one
// value become larger ones, and what no stack reaches stays as it was.
// RUN: weft-opt --weft-expand-transforms %s | FileCheck %s
// RUN: weft-opt --weft-expand-transforms -mlir-print-debuginfo %s | FileCheck %s --check-prefix=LOC

func.func private @f(%x: tensor<3xf32>, %w: tensor<3xf32>) -> (tensor<3xf32>, tensor<3xf32>) {
  %two = weft.constant dense<2.0> : tensor<3xf32>
  %0 = weft.multiply %x, %two : tensor<3xf32>
  %1 = weft.sin %w : tensor<3xf32>
  %2 = weft.add %0, %1 : tensor<3xf32>
  return %2, %1 : tensor<3xf32>, tensor<3xf32>
}

// CHECK-LABEL: func.func @shared(
// CHECK-NEXT: %[[TWO:.+]] = weft.constant dense<2.000000e+00> : tensor<7x3xf32>
// CHECK-NEXT: %[[X:.+]] = weft.multiply %arg0, %[[TWO]] : tensor<7x3xf32>
// CHECK-NEXT: %[[SIN:.+]] = weft.sin %arg1 : tensor<3xf32>
// CHECK-NEXT: %[[SINS:.+]] = weft.broadcast %[[SIN]] dims [1]
// CHECK-NEXT: %[[SUM:.+]] = weft.add %[[X]], %[[SINS]] : tensor<7x3xf32>
// CHECK-NEXT: return %[[SUM]], %[[SIN]]
func.func @shared(%x: tensor<7x3xf32>, %w: tensor<3xf32>) -> (tensor<7x3xf32>, tensor<3xf32>) {
  %0:2 = weft.vmap @f(%x, %w) size 7 in [0, -1] out [0, -1] : (tensor<7x3xf32>, tensor<3xf32>) -> (tensor<7x3xf32>, tensor<3xf32>)
  return %0#0, %0#1 : tensor<7x3xf32>, tensor<3xf32>
}

// Stacks along other axes are brought to the front and back again; a result that is
// stacked without need is repeated.
// CHECK-LABEL: func.func @last(
// CHECK-DAG: %[[X:.+]] = weft.transpose %arg0 perm [1, 0] : tensor<3x7xf32> to tensor<7x3xf32>
// CHECK-DAG: weft.multiply %[[X]],
// CHECK-DAG: weft.sin %arg1 : tensor<3xf32>
// CHECK-DAG: weft.transpose %{{.+}} perm [1, 0] : tensor<7x3xf32> to tensor<3x7xf32>
func.func @last(%x: tensor<3x7xf32>, %w: tensor<3xf32>) -> (tensor<3x7xf32>, tensor<7x3xf32>) {
  %0:2 = weft.vmap @f(%x, %w) size 7 in [1, -1] out [1, 0] : (tensor<3x7xf32>, tensor<3xf32>) -> (tensor<3x7xf32>, tensor<7x3xf32>)
  return %0#0, %0#1 : tensor<3x7xf32>, tensor<7x3xf32>
}

// Stacks of nothing and of one input are stacks.
// CHECK-LABEL: func.func @none_and_one(
// CHECK: weft.multiply {{.+}} : tensor<0x3xf32>
// CHECK: weft.multiply {{.+}} : tensor<1x3xf32>
func.func @none_and_one(%x: tensor<0x3xf32>, %y: tensor<1x3xf32>, %w: tensor<3xf32>) -> (tensor<0x3xf32>, tensor<1x3xf32>) {
  %0:2 = weft.vmap @f(%x, %w) size 0 in [0, -1] out [0, -1] : (tensor<0x3xf32>, tensor<3xf32>) -> (tensor<0x3xf32>, tensor<3xf32>)
  %1:2 = weft.vmap @f(%y, %w) size 1 in [0, -1] out [0, -1] : (tensor<1x3xf32>, tensor<3xf32>) -> (tensor<1x3xf32>, tensor<3xf32>)
  return %0#0, %1#0 : tensor<0x3xf32>, tensor<1x3xf32>
}

// The ops keep the lines that they come from.
func.func private @g(%x: tensor<3xf32>) -> tensor<3xf32> {
  %0 = weft.cos %x : tensor<3xf32> loc("model.py":5:3)
  return %0 : tensor<3xf32>
} loc("model.py":4:1)
// LOC-LABEL: func.func @lines(
// LOC: weft.cos
// LOC-DAG: [[LINE:#.+]] = loc("model.py":5:3)
// LOC-DAG: loc("vmap of g"(
// LOC-DAG: loc(callsite([[LINE]] at
func.func @lines(%x: tensor<7x3xf32>) -> tensor<7x3xf32> {
  %0 = weft.vmap @g(%x) size 7 in [0] out [0] : (tensor<7x3xf32>) -> tensor<7x3xf32>
  return %0 : tensor<7x3xf32>
}
