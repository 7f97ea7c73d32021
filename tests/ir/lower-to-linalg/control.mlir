// RUN: weft-opt --weft-to-linalg %s | FileCheck %s

// Numbers are carried as scalars; a slice is read where it lies.
// CHECK-LABEL: func.func @scan(
// CHECK-SAME: %[[INIT:[a-z0-9]+]]: tensor<f32>, %[[XS:[a-z0-9]+]]: tensor<10x4xf32>)
// CHECK: %[[START:.+]] = tensor.extract %[[INIT]][] : tensor<f32>
// CHECK: %[[YS:.+]] = tensor.empty() : tensor<10x4xf32>
// CHECK: scf.for %[[I:[a-z0-9]+]] = %{{.+}} to %{{.+}} step %{{.+}} iter_args(%[[C:.+]] = %[[START]], %[[Y:.+]] = %[[YS]]) -> (f32, tensor<10x4xf32>)
// CHECK: %[[X:.+]] = tensor.extract_slice %[[XS]][%[[I]], 0] [1, 4] [1, 1] : tensor<10x4xf32> to tensor<4xf32>
// CHECK: tensor.insert_slice %{{.+}} into %[[Y]][%[[I]], 0] [1, 4] [1, 1]
// CHECK: scf.yield %{{.+}}, %{{.+}} : f32, tensor<10x4xf32>
func.func @scan(%init: tensor<f32>, %xs: tensor<10x4xf32>) -> (tensor<f32>, tensor<10x4xf32>) {
  %c, %ys = weft.scan length 10 carry(%init) over(%xs)
      : (tensor<f32>, tensor<10x4xf32>) -> (tensor<f32>, tensor<10x4xf32>) {
  ^bb0(%a: tensor<f32>, %x: tensor<4xf32>):
    %d = weft.sin %a : tensor<f32>
    %y = weft.cos %x : tensor<4xf32>
    weft.yield %d, %y : tensor<f32>, tensor<4xf32>
  }
  return %c, %ys : tensor<f32>, tensor<10x4xf32>
}

// Backwards, slice 9 - i. Bools are bytes, single ones are inserted as such.
// CHECK-LABEL: func.func @reverse(
// CHECK: scf.for %[[I:[a-z0-9]+]] =
// CHECK: %[[AT:.+]] = arith.subi %{{.+}}, %[[I]] : index
// CHECK: tensor.insert %{{.+}} into %{{.+}}[%[[AT]]] : tensor<10xi8>
func.func @reverse(%xs: tensor<10xi1>) -> tensor<10xi1> {
  %ys = weft.scan length 10 reverse over(%xs) : (tensor<10xi1>) -> tensor<10xi1> {
  ^bb0(%x: tensor<i1>):
    %y = weft.bitwise_invert %x : tensor<i1>
    weft.yield %y : tensor<i1>
  }
  return %ys : tensor<10xi1>
}

// Loops are unrolled later; never by more steps than they have.
// CHECK-LABEL: func.func @unroll(
// CHECK: } {weft.unroll = 3 : i64}
// CHECK: } {weft.unroll = 10 : i64}
func.func @unroll(%x: tensor<4xf32>) -> tensor<4xf32> {
  %c = weft.scan length 10 unroll 3 carry(%x) : (tensor<4xf32>) -> tensor<4xf32> {
  ^bb0(%a: tensor<4xf32>):
    %d = weft.sin %a : tensor<4xf32>
    weft.yield %d : tensor<4xf32>
  }
  %d = weft.scan length 10 unroll 100 carry(%c) : (tensor<4xf32>) -> tensor<4xf32> {
  ^bb0(%a: tensor<4xf32>):
    %d = weft.cos %a : tensor<4xf32>
    weft.yield %d : tensor<4xf32>
  }
  return %d : tensor<4xf32>
}

// A tape is as long as its loop runs.
// CHECK-LABEL: func.func @tape(
// CHECK: %[[N:.+]] = arith.maxsi
// CHECK: %[[TAPE:.+]] = tensor.empty(%[[N]]) : tensor<?x4xf32>
// CHECK: scf.for {{.*}} to %[[N]]
func.func @tape(%n: tensor<i64>, %x: tensor<4xf32>) -> tensor<4xf32> {
  %c, %tape = weft.scan trips %n carry(%x) : (tensor<i64>, tensor<4xf32>) -> (tensor<4xf32>, tensor<?x4xf32>) {
  ^bb0(%a: tensor<4xf32>):
    %d = weft.sin %a : tensor<4xf32>
    weft.yield %d, %a : tensor<4xf32>, tensor<4xf32>
  }
  %sum = weft.scan carry(%c) over(%tape) : (tensor<4xf32>, tensor<?x4xf32>) -> tensor<4xf32> {
  ^bb0(%s: tensor<4xf32>, %t: tensor<4xf32>):
    %d = weft.add %s, %t : tensor<4xf32>
    weft.yield %d : tensor<4xf32>
  }
  return %sum : tensor<4xf32>
}

// CHECK-LABEL: func.func @while(
// CHECK: scf.while (%[[C:.+]] = %{{.+}}) : (tensor<4xf32>) -> tensor<4xf32>
// CHECK: %[[BYTE:.+]] = tensor.extract
// CHECK: %[[BIT:.+]] = arith.cmpi ne, %[[BYTE]]
// CHECK: scf.condition(%[[BIT]]) %[[C]] : tensor<4xf32>
// CHECK: scf.yield %{{.+}} : tensor<4xf32>
func.func @while(%x: tensor<4xf32>, %p: tensor<i1>) -> tensor<4xf32> {
  %r = weft.while carry(%x) with(%p) : (tensor<4xf32>, tensor<i1>) -> tensor<4xf32> cond {
  ^bb0(%c: tensor<4xf32>, %q: tensor<i1>):
    weft.yield %q : tensor<i1>
  } do {
  ^bb0(%c: tensor<4xf32>, %q: tensor<i1>):
    %d = weft.sin %c : tensor<4xf32>
    weft.yield %d : tensor<4xf32>
  }
  return %r : tensor<4xf32>
}

// CHECK-LABEL: func.func @if(
// CHECK: scf.if %{{.+}} -> (tensor<4xf32>)
// CHECK: math.sin
// CHECK: } else {
// CHECK: math.cos
func.func @if(%p: tensor<i1>, %x: tensor<4xf32>) -> tensor<4xf32> {
  %r = weft.switch %p(%x) : (tensor<i1>, tensor<4xf32>) -> tensor<4xf32> {
  ^bb0(%a: tensor<4xf32>):
    %y = weft.cos %a : tensor<4xf32>
    weft.yield %y : tensor<4xf32>
  }, {
  ^bb0(%a: tensor<4xf32>):
    %y = weft.sin %a : tensor<4xf32>
    weft.yield %y : tensor<4xf32>
  }
  return %r : tensor<4xf32>
}

// What lies above the last body is the last body too.
// CHECK-LABEL: func.func @switch(
// CHECK: arith.maxsi
// CHECK: scf.index_switch %{{.+}} -> f32
// CHECK-NEXT: case 0 {
// CHECK: math.cos
// CHECK: case 1 {
// CHECK: math.sin
// CHECK: default {
// CHECK: math.tanh
func.func @switch(%i: tensor<i64>, %x: tensor<f32>) -> tensor<f32> {
  %r = weft.switch %i(%x) : (tensor<i64>, tensor<f32>) -> tensor<f32> {
  ^bb0(%a: tensor<f32>):
    %y = weft.cos %a : tensor<f32>
    weft.yield %y : tensor<f32>
  }, {
  ^bb0(%a: tensor<f32>):
    %y = weft.sin %a : tensor<f32>
    weft.yield %y : tensor<f32>
  }, {
  ^bb0(%a: tensor<f32>):
    %y = weft.tanh %a : tensor<f32>
    weft.yield %y : tensor<f32>
  }
  return %r : tensor<f32>
}

// A barrier stays, between bytes.
// CHECK-LABEL: func.func @barrier(
// CHECK: weft.barrier %{{.+}} : tensor<4xi8> to tensor<4xi8>
func.func @barrier(%x: tensor<4xi1>) -> tensor<4xi1> {
  %y = weft.barrier %x : tensor<4xi1> to tensor<4xi1>
  return %y : tensor<4xi1>
}
