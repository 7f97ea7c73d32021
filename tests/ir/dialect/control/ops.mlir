// RUN: weft-opt %s | weft-opt | FileCheck %s
// RUN: weft-opt --mlir-print-op-generic %s | weft-opt | FileCheck %s
// RUN: weft-opt --mlir-print-op-generic %s | FileCheck %s --check-prefix=GENERIC

// CHECK-LABEL: func.func @switch_bool(
// CHECK-SAME: %[[P:[a-z0-9]+]]: tensor<i1>, %[[X:[a-z0-9]+]]: tensor<f32>)
func.func @switch_bool(%p: tensor<i1>, %x: tensor<f32>) {
  // CHECK-NEXT: weft.switch %[[P]](%[[X]]) : (tensor<i1>, tensor<f32>) -> tensor<f32> {
  // CHECK-NEXT: ^bb0(%[[A:.+]]: tensor<f32>):
  // CHECK-NEXT:   weft.yield %[[A]] : tensor<f32>
  // CHECK-NEXT: }, {
  // CHECK-NEXT: ^bb0(%[[B:.+]]: tensor<f32>):
  // CHECK-NEXT:   %[[SIN:.+]] = weft.sin %[[B]]
  // CHECK-NEXT:   weft.yield %[[SIN]] : tensor<f32>
  // CHECK-NEXT: }
  // GENERIC: "weft.switch"(%{{.+}}, %{{.+}}) ({
  %r = weft.switch %p(%x) : (tensor<i1>, tensor<f32>) -> tensor<f32> {
  ^bb0(%a: tensor<f32>):
    weft.yield %a : tensor<f32>
  }, {
  ^bb0(%a: tensor<f32>):
    %y = weft.sin %a : tensor<f32>
    weft.yield %y : tensor<f32>
  }
  return
}

// CHECK-LABEL: func.func @switch_number(
func.func @switch_number(%i: tensor<i64>) {
  // CHECK-NEXT: weft.switch %{{.+}}() : (tensor<i64>) -> () {
  // CHECK-NEXT:   weft.yield
  // CHECK-NEXT: }, {
  // CHECK-NEXT:   weft.yield
  // CHECK-NEXT: }, {
  // CHECK-NEXT:   weft.yield
  // CHECK-NEXT: }
  weft.switch %i() : (tensor<i64>) -> () {
    weft.yield
  }, {
    weft.yield
  }, {
    weft.yield
  }
  return
}

// CHECK-LABEL: func.func @while(
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<f32>, %[[BOUND:[a-z0-9]+]]: tensor<f32>)
func.func @while(%x: tensor<f32>, %bound: tensor<f32>) {
  // CHECK-NEXT: weft.while carry(%[[X]]) with(%[[BOUND]]) : (tensor<f32>, tensor<f32>) -> tensor<f32> cond {
  // CHECK-NEXT: ^bb0(%[[A:.+]]: tensor<f32>, %[[B:.+]]: tensor<f32>):
  // CHECK-NEXT:   %[[P:.+]] = weft.less %[[A]], %[[B]]
  // CHECK-NEXT:   weft.yield %[[P]] : tensor<i1>
  // CHECK-NEXT: } do {
  // CHECK-NEXT: ^bb0(%[[A:.+]]: tensor<f32>, %[[B:.+]]: tensor<f32>):
  // CHECK-NEXT:   %[[NEXT:.+]] = weft.add %[[A]], %[[A]]
  // CHECK-NEXT:   weft.yield %[[NEXT]] : tensor<f32>
  // CHECK-NEXT: }
  // GENERIC: "weft.while"(%{{.+}}, %{{.+}}) <{operandSegmentSizes = array<i32: 1, 1>}> ({
  %r = weft.while carry(%x) with(%bound) : (tensor<f32>, tensor<f32>) -> tensor<f32> cond {
  ^bb0(%a: tensor<f32>, %b: tensor<f32>):
    %p = weft.less %a, %b : tensor<f32>
    weft.yield %p : tensor<i1>
  } do {
  ^bb0(%a: tensor<f32>, %b: tensor<f32>):
    %next = weft.add %a, %a : tensor<f32>
    weft.yield %next : tensor<f32>
  }
  return
}

// CHECK-LABEL: func.func @while_of_nothing(
func.func @while_of_nothing() {
  // CHECK-NEXT: weft.while : () -> () cond {
  weft.while : () -> () cond {
    %p = weft.constant dense<false> : tensor<i1>
    weft.yield %p : tensor<i1>
  } do {
    weft.yield
  }
  return
}

// CHECK-LABEL: func.func @scan(
// CHECK-SAME: %[[SUM:[a-z0-9]+]]: tensor<f32>, %[[XS:[a-z0-9]+]]: tensor<10x2xf32>, %[[W:[a-z0-9]+]]: tensor<2xf32>)
func.func @scan(%sum: tensor<f32>, %xs: tensor<10x2xf32>, %w: tensor<2xf32>) {
  // CHECK-NEXT: weft.scan length 10 reverse unroll 4 carry(%[[SUM]]) over(%[[XS]]) with(%[[W]]) : (tensor<f32>, tensor<10x2xf32>, tensor<2xf32>) -> (tensor<f32>, tensor<10xf32>) {
  // CHECK-NEXT: ^bb0(%[[A:.+]]: tensor<f32>, %[[X:.+]]: tensor<2xf32>, %[[B:.+]]: tensor<2xf32>):
  // CHECK: weft.yield %[[NEXT:.+]], %[[NEXT]] : tensor<f32>, tensor<f32>
  // GENERIC: "weft.scan"(%{{.+}}, %{{.+}}, %{{.+}}) <{length = 10 : i64, operandSegmentSizes = array<i32: 0, 1, 1, 1>, reverse, unroll = 4 : i64}> ({
  %last, %sums = weft.scan length 10 reverse unroll 4 carry(%sum) over(%xs) with(%w)
      : (tensor<f32>, tensor<10x2xf32>, tensor<2xf32>) -> (tensor<f32>, tensor<10xf32>) {
  ^bb0(%a: tensor<f32>, %x: tensor<2xf32>, %b: tensor<2xf32>):
    %wx = weft.multiply %x, %b : tensor<2xf32>
    %s = weft.sum %wx axes [0] : tensor<2xf32> to tensor<f32>
    %next = weft.add %a, %s : tensor<f32>
    weft.yield %next, %next : tensor<f32>, tensor<f32>
  }
  return
}

// CHECK-LABEL: func.func @scan_of_nothing(
func.func @scan_of_nothing() {
  // CHECK-NEXT: weft.scan length 0 : () -> () {
  // CHECK-NEXT:   weft.yield
  // CHECK-NEXT: }
  weft.scan length 0 : () -> () {
    weft.yield
  }
  return
}

// A scan of a length known at run time only makes tapes, and takes them.
// CHECK-LABEL: func.func @tape(
// CHECK-SAME: %[[N:[a-z0-9]+]]: tensor<i64>, %[[X:[a-z0-9]+]]: tensor<f32>)
func.func @tape(%n: tensor<i64>, %x: tensor<f32>) {
  // CHECK-NEXT: %[[TAPE:.+]]:2 = weft.scan trips %[[N]] carry(%[[X]]) : (tensor<i64>, tensor<f32>) -> (tensor<f32>, tensor<?xf32>) {
  %last, %tape = weft.scan trips %n carry(%x) : (tensor<i64>, tensor<f32>) -> (tensor<f32>, tensor<?xf32>) {
  ^bb0(%a: tensor<f32>):
    %next = weft.sin %a : tensor<f32>
    weft.yield %next, %a : tensor<f32>, tensor<f32>
  }
  // CHECK: weft.scan trips %[[N]] reverse carry(%[[X]]) over(%[[TAPE]]#1) : (tensor<i64>, tensor<f32>, tensor<?xf32>) -> tensor<f32> {
  %r = weft.scan trips %n reverse carry(%x) over(%tape) : (tensor<i64>, tensor<f32>, tensor<?xf32>) -> tensor<f32> {
  ^bb0(%a: tensor<f32>, %t: tensor<f32>):
    %next = weft.multiply %a, %t : tensor<f32>
    weft.yield %next : tensor<f32>
  }
  // CHECK: weft.scan over(%[[TAPE]]#1) : (tensor<?xf32>) -> tensor<?xf32> {
  %copy = weft.scan over(%tape) : (tensor<?xf32>) -> tensor<?xf32> {
  ^bb0(%t: tensor<f32>):
    weft.yield %t : tensor<f32>
  }
  return
}

// Bodies may hold residuals, until they are expanded.
func.func private @f(tensor<4xf32>) -> tensor<f32>
// CHECK-LABEL: func.func @residuals(
func.func @residuals(%x: tensor<4xf32>) {
  %y, %r = weft.linearize @f(%x) wrt [0] : (tensor<4xf32>) -> (tensor<f32>, !weft.residuals<@f, [0]>)
  // CHECK: weft.scan length 3 with(%{{.+}}, %{{.+}}) : (!weft.residuals<@f, [0]>, tensor<f32>) -> tensor<3x4xf32> {
  // CHECK-NEXT: ^bb0(%[[R:.+]]: !weft.residuals<@f, [0]>, %[[CT:.+]]: tensor<f32>):
  // CHECK-NEXT: weft.pullback %[[R]](%[[CT]])
  %dx = weft.scan length 3 with(%r, %y) : (!weft.residuals<@f, [0]>, tensor<f32>) -> tensor<3x4xf32> {
  ^bb0(%a: !weft.residuals<@f, [0]>, %ct: tensor<f32>):
    %g = weft.pullback %a(%ct) : (!weft.residuals<@f, [0]>, tensor<f32>) -> tensor<4xf32>
    weft.yield %g : tensor<4xf32>
  }
  return
}
