// Calls become what they call, everywhere, and private functions disappear.
// RUN: weft-opt --weft-inline-calls %s | FileCheck %s
// RUN: weft-opt --weft-inline-calls --mlir-print-debuginfo %s | FileCheck %s --check-prefix=LOC

// CHECK-NOT: @square
func.func private @square(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  %0 = weft.multiply %x, %x : tensor<4xf32> loc("inner":1:1)
  return %0, %x : tensor<4xf32>, tensor<4xf32>
}

// CHECK-LABEL: func.func @twice(
// CHECK-SAME: %[[X:.+]]: tensor<4xf32>)
// CHECK-NEXT: %[[A:.+]] = weft.multiply %[[X]], %[[X]]
// CHECK-NEXT: %[[B:.+]] = weft.multiply %[[A]], %[[A]]
// CHECK-NEXT: return %[[B]], %[[A]]
// LOC: %{{.+}} = weft.multiply %{{.+}} loc(#[[LOC:.+]])
// LOC: #[[INNER:.+]] = loc("inner":1:1)
// LOC: #[[OUTER:.+]] = loc("outer":2:2)
// LOC: #[[LOC]] = loc(callsite(#[[INNER]] at #[[OUTER]]))
func.func @twice(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  %0:2 = call @square(%x) : (tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) loc("outer":2:2)
  %1:2 = call @square(%0#0) : (tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>)
  return %1#0, %1#1 : tensor<4xf32>, tensor<4xf32>
}

// Within bodies, and of public functions, which stay.
// CHECK-LABEL: func.func @in_a_body(
// CHECK: weft.switch
// CHECK: %[[A:.+]] = weft.multiply
// CHECK-NEXT: %[[B:.+]] = weft.multiply %[[A]], %[[A]]
// CHECK-NEXT: weft.yield %[[B]]
func.func @in_a_body(%p: tensor<i1>, %x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = weft.switch %p(%x) : (tensor<i1>, tensor<4xf32>) -> tensor<4xf32> {
  ^bb0(%a: tensor<4xf32>):
    %1:2 = func.call @twice(%a) : (tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>)
    weft.yield %1#0 : tensor<4xf32>
  }, {
  ^bb0(%a: tensor<4xf32>):
    weft.yield %a : tensor<4xf32>
  }
  return %0 : tensor<4xf32>
}

// What cannot be put in place is called as before.
// CHECK: func.func private @declared
func.func private @declared(tensor<4xf32>) -> tensor<4xf32>
// CHECK: func.func private @recursive
func.func private @recursive(%x: tensor<4xf32>) -> tensor<4xf32> {
  // CHECK-NEXT: call @recursive
  %0 = call @recursive(%x) : (tensor<4xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}
// CHECK: func.func private @branches
func.func private @branches(%x: tensor<4xf32>) -> tensor<4xf32> {
  cf.br ^next
^next:
  return %x : tensor<4xf32>
}
// CHECK-LABEL: func.func @calls(
// CHECK-NEXT: call @declared
// CHECK-NEXT: call @branches
// CHECK-NEXT: call @recursive
func.func @calls(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = call @declared(%x) : (tensor<4xf32>) -> tensor<4xf32>
  %1 = call @branches(%0) : (tensor<4xf32>) -> tensor<4xf32>
  %2 = call @recursive(%1) : (tensor<4xf32>) -> tensor<4xf32>
  return %2 : tensor<4xf32>
}
