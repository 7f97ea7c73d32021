// RUN: weft-opt --weft-prune-bodies --canonicalize %s | FileCheck %s

// CHECK-LABEL: func.func @known_index(
// CHECK-SAME: %[[X:.+]]: tensor<f32>)
// CHECK-NEXT: %[[COS:.+]] = weft.cos %[[X]]
// CHECK-NEXT: return %[[COS]]
func.func @known_index(%x: tensor<f32>) -> tensor<f32> {
  %i = weft.constant dense<7> : tensor<i64>
  %r = weft.switch %i(%x) : (tensor<i64>, tensor<f32>) -> tensor<f32> {
  ^bb0(%a: tensor<f32>):
    %0 = weft.sin %a : tensor<f32>
    weft.yield %0 : tensor<f32>
  }, {
  ^bb0(%a: tensor<f32>):
    %0 = weft.cos %a : tensor<f32>
    weft.yield %0 : tensor<f32>
  }
  return %r : tensor<f32>
}

// True is the second one.
// CHECK-LABEL: func.func @known_bool(
// CHECK-NEXT: weft.cos
// CHECK-NEXT: return
func.func @known_bool(%x: tensor<f32>) -> tensor<f32> {
  %i = weft.constant dense<true> : tensor<i1>
  %r = weft.switch %i(%x) : (tensor<i1>, tensor<f32>) -> tensor<f32> {
  ^bb0(%a: tensor<f32>):
    weft.yield %a : tensor<f32>
  }, {
  ^bb0(%a: tensor<f32>):
    %0 = weft.cos %a : tensor<f32>
    weft.yield %0 : tensor<f32>
  }
  return %r : tensor<f32>
}

// What no body needs goes, constants move in, an input that all bodies yield is
// known outside.
// CHECK-LABEL: func.func @prune_switch(
// CHECK-SAME: %[[P:.+]]: tensor<i1>, %[[X:.+]]: tensor<f32>, %[[Y:.+]]: tensor<f32>)
// CHECK-NEXT: %[[R:.+]] = weft.switch %[[P]](%[[X]]) : (tensor<i1>, tensor<f32>) -> tensor<f32> {
// CHECK-NEXT: ^bb0(%[[A:.+]]: tensor<f32>):
// CHECK-NEXT:   %[[TWO:.+]] = weft.constant dense<2.0{{.*}}> : tensor<f32>
// CHECK-NEXT:   %[[TWICE:.+]] = weft.multiply %[[A]], %[[TWO]]
// CHECK-NEXT:   weft.yield %[[TWICE]]
// CHECK-NEXT: }, {
// CHECK-NEXT: ^bb0(%[[A:.+]]: tensor<f32>):
// CHECK-NEXT:   %[[SQUARE:.+]] = weft.multiply %[[A]], %[[A]]
// CHECK-NEXT:   weft.yield %[[SQUARE]]
// CHECK-NEXT: }
// CHECK-NEXT: return %[[R]], %[[Y]]
func.func @prune_switch(%p: tensor<i1>, %x: tensor<f32>, %y: tensor<f32>) -> (tensor<f32>, tensor<f32>) {
  %two = weft.constant dense<2.0> : tensor<f32>
  %r:3 = weft.switch %p(%x, %two, %y, %x)
      : (tensor<i1>, tensor<f32>, tensor<f32>, tensor<f32>, tensor<f32>)
        -> (tensor<f32>, tensor<f32>, tensor<f32>) {
  ^bb0(%a: tensor<f32>, %b: tensor<f32>, %c: tensor<f32>, %d: tensor<f32>):
    %0 = weft.multiply %a, %b : tensor<f32>
    %1 = weft.sin %c : tensor<f32>
    weft.yield %0, %1, %c : tensor<f32>, tensor<f32>, tensor<f32>
  }, {
  ^bb0(%a: tensor<f32>, %b: tensor<f32>, %c: tensor<f32>, %d: tensor<f32>):
    %0 = weft.multiply %a, %d : tensor<f32>
    weft.yield %0, %0, %c : tensor<f32>, tensor<f32>, tensor<f32>
  }
  return %r#0, %r#2 : tensor<f32>, tensor<f32>
}

// A carry that never changes is a constant, one that only feeds itself goes, the
// condition's stay.
// CHECK-LABEL: func.func @prune_while(
// CHECK-SAME: %[[X:.+]]: tensor<f32>, %[[BOUND:.+]]: tensor<f32>, %[[N:.+]]: tensor<i64>)
// CHECK-NEXT: %[[R:.+]] = weft.while carry(%[[X]]) with(%[[BOUND]]) : (tensor<f32>, tensor<f32>) -> tensor<f32> cond {
// CHECK-NEXT: ^bb0(%[[A:.+]]: tensor<f32>, %[[B:.+]]: tensor<f32>):
// CHECK-NEXT:   weft.less %[[A]], %[[B]]
// CHECK:      } do {
// CHECK-NEXT: ^bb0(%[[A:.+]]: tensor<f32>, %[[B:.+]]: tensor<f32>):
// CHECK-NEXT:   %[[NEXT:.+]] = weft.add %[[A]], %[[B]]
// CHECK-NEXT:   weft.yield %[[NEXT]]
// CHECK-NEXT: }
// CHECK-NEXT: return %[[BOUND]]
func.func @prune_while(%x: tensor<f32>, %bound: tensor<f32>, %n: tensor<i64>) -> (tensor<f32>, tensor<f32>) {
  %r:3 = weft.while carry(%x, %bound, %n) with(%x)
      : (tensor<f32>, tensor<f32>, tensor<i64>, tensor<f32>)
        -> (tensor<f32>, tensor<f32>, tensor<i64>) cond {
  ^bb0(%a: tensor<f32>, %b: tensor<f32>, %c: tensor<i64>, %d: tensor<f32>):
    %p = weft.less %a, %b : tensor<f32>
    weft.yield %p : tensor<i1>
  } do {
  ^bb0(%a: tensor<f32>, %b: tensor<f32>, %c: tensor<i64>, %d: tensor<f32>):
    %0 = weft.add %a, %b : tensor<f32>
    %1 = weft.add %c, %c : tensor<i64>
    weft.yield %0, %b, %1 : tensor<f32>, tensor<f32>, tensor<i64>
  }
  return %r#1, %r#0 : tensor<f32>, tensor<f32>
}

// CHECK-LABEL: func.func @prune_scan(
// CHECK-SAME: %[[X:.+]]: tensor<f32>, %[[XS:.+]]: tensor<3xf32>, %[[C:.+]]: tensor<f32>)
// CHECK-DAG: %[[CS:.+]] = weft.broadcast %[[C]] dims [] : tensor<f32> to tensor<3xf32>
// CHECK-DAG: %[[R:.+]] = weft.scan length 3 reverse carry(%[[X]]) over(%[[XS]]) : (tensor<f32>, tensor<3xf32>) -> tensor<f32> {
// CHECK-NEXT: ^bb0(%[[A:.+]]: tensor<f32>, %[[S:.+]]: tensor<f32>):
// CHECK-NEXT:   %[[NEXT:.+]] = weft.multiply %[[A]], %[[S]]
// CHECK-NEXT:   weft.yield %[[NEXT]]
// CHECK-NEXT: }
// CHECK-NEXT: return %[[R]], %[[XS]], %[[CS]]
func.func @prune_scan(%x: tensor<f32>, %xs: tensor<3xf32>, %c: tensor<f32>) -> (tensor<f32>, tensor<3xf32>, tensor<3xf32>) {
  %r:5 = weft.scan length 3 reverse carry(%x, %x) over(%xs, %xs) with(%c)
      : (tensor<f32>, tensor<f32>, tensor<3xf32>, tensor<3xf32>, tensor<f32>)
        -> (tensor<f32>, tensor<f32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>) {
  ^bb0(%a: tensor<f32>, %b: tensor<f32>, %s: tensor<f32>, %t: tensor<f32>, %d: tensor<f32>):
    %0 = weft.multiply %a, %t : tensor<f32>
    %1 = weft.add %b, %s : tensor<f32>
    weft.yield %0, %1, %s, %1, %d : tensor<f32>, tensor<f32>, tensor<f32>, tensor<f32>, tensor<f32>
  }
  return %r#0, %r#2, %r#4 : tensor<f32>, tensor<3xf32>, tensor<3xf32>
}

// A call that nothing needs goes too: every function is pure.
func.func private @f(tensor<f32>) -> tensor<f32>
// CHECK-LABEL: func.func @prune_call(
// CHECK-NOT: call @f
// CHECK: return
func.func @prune_call(%x: tensor<f32>) -> tensor<f32> {
  %r:2 = weft.scan length 3 carry(%x, %x) : (tensor<f32>, tensor<f32>) -> (tensor<f32>, tensor<f32>) {
  ^bb0(%a: tensor<f32>, %b: tensor<f32>):
    %0 = weft.add %a, %a : tensor<f32>
    %1 = func.call @f(%b) : (tensor<f32>) -> tensor<f32>
    weft.yield %0, %1 : tensor<f32>, tensor<f32>
  }
  return %r#0 : tensor<f32>
}

// One tape stays, for the length.
// CHECK-LABEL: func.func @tapes(
// CHECK-SAME: %[[X:.+]]: tensor<f32>, %[[S:.+]]: tensor<?xf32>, %[[T:.+]]: tensor<?xf32>)
// CHECK-NEXT: weft.scan carry(%[[X]]) over(%[[S]]) :
func.func @tapes(%x: tensor<f32>, %s: tensor<?xf32>, %t: tensor<?xf32>) -> tensor<f32> {
  %r = weft.scan carry(%x) over(%s, %t) : (tensor<f32>, tensor<?xf32>, tensor<?xf32>) -> tensor<f32> {
  ^bb0(%a: tensor<f32>, %b: tensor<f32>, %c: tensor<f32>):
    %0 = weft.sin %a : tensor<f32>
    weft.yield %0 : tensor<f32>
  }
  return %r : tensor<f32>
}

// CHECK-LABEL: func.func @no_steps(
// CHECK-SAME: %[[X:.+]]: tensor<f32>)
// CHECK-NEXT: %[[YS:.+]] = weft.constant dense<{{.*}}> : tensor<0x2xi32>
// CHECK-NEXT: return %[[X]], %[[YS]]
func.func @no_steps(%x: tensor<f32>) -> (tensor<f32>, tensor<0x2xi32>) {
  %r:2 = weft.scan length 0 carry(%x) : (tensor<f32>) -> (tensor<f32>, tensor<0x2xi32>) {
  ^bb0(%a: tensor<f32>):
    %0 = weft.sin %a : tensor<f32>
    %y = weft.constant dense<1> : tensor<2xi32>
    weft.yield %0, %y : tensor<f32>, tensor<2xi32>
  }
  return %r#0, %r#1 : tensor<f32>, tensor<0x2xi32>
}

// CHECK-LABEL: func.func @known_trips(
// CHECK-NEXT: weft.scan length 5 carry
func.func @known_trips(%x: tensor<f32>) -> tensor<f32> {
  %n = weft.constant dense<5> : tensor<i64>
  %r = weft.scan trips %n carry(%x) : (tensor<i64>, tensor<f32>) -> tensor<f32> {
  ^bb0(%a: tensor<f32>):
    %0 = weft.sin %a : tensor<f32>
    weft.yield %0 : tensor<f32>
  }
  return %r : tensor<f32>
}

// Slices that are all equal are a constant.
// CHECK-LABEL: func.func @equal_slices(
// CHECK-SAME: %[[X:.+]]: tensor<2xf32>)
// CHECK-NEXT: weft.scan length 3 carry(%[[X]]) with(%[[X]]) : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32> {
// CHECK-NEXT: ^bb0(%[[A:.+]]: tensor<2xf32>, %[[B:.+]]: tensor<2xf32>):
// CHECK-NEXT:   %[[ONE:.+]] = weft.constant dense<3.0{{.*}}> : tensor<2xf32>
// CHECK-NEXT:   %[[SUM:.+]] = weft.add %[[A]], %[[B]]
// CHECK-NEXT:   weft.multiply %[[SUM]], %[[ONE]]
func.func @equal_slices(%x: tensor<2xf32>) -> tensor<2xf32> {
  %threes = weft.constant dense<3.0> : tensor<3x2xf32>
  %xs = weft.broadcast %x dims [1] : tensor<2xf32> to tensor<3x2xf32>
  %r = weft.scan length 3 carry(%x) over(%xs, %threes) : (tensor<2xf32>, tensor<3x2xf32>, tensor<3x2xf32>) -> tensor<2xf32> {
  ^bb0(%a: tensor<2xf32>, %b: tensor<2xf32>, %c: tensor<2xf32>):
    %0 = weft.add %a, %b : tensor<2xf32>
    %1 = weft.multiply %0, %c : tensor<2xf32>
    weft.yield %1 : tensor<2xf32>
  }
  return %r : tensor<2xf32>
}

// CHECK-LABEL: func.func @idle_while(
// CHECK-SAME: %[[X:.+]]: tensor<f32>)
// CHECK-NEXT: return %[[X]]
func.func @idle_while(%x: tensor<f32>) -> tensor<f32> {
  %r = weft.while carry(%x) : (tensor<f32>) -> tensor<f32> cond {
  ^bb0(%a: tensor<f32>):
    %p = weft.constant dense<false> : tensor<i1>
    weft.yield %p : tensor<i1>
  } do {
  ^bb0(%a: tensor<f32>):
    %0 = weft.sin %a : tensor<f32>
    weft.yield %0 : tensor<f32>
  }
  return %r : tensor<f32>
}
