// RUN: weft-opt %s | weft-opt | FileCheck %s
// RUN: weft-opt --mlir-print-op-generic %s | weft-opt | FileCheck %s
// RUN: weft-opt --mlir-print-op-generic %s | FileCheck %s --check-prefix=GENERIC

func.func private @f(tensor<4xf32>, tensor<i64>) -> (tensor<f32>, tensor<4xi1>)

// CHECK-LABEL: func.func @reverse_mode(
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<4xf32>, %[[N:[a-z0-9]+]]: tensor<i64>, %[[CT:[a-z0-9]+]]: tensor<f32>)
func.func @reverse_mode(%x: tensor<4xf32>, %n: tensor<i64>, %ct: tensor<f32>) {
  // CHECK-NEXT: %[[PRIMALS:.+]]:2, %[[RES:.+]] = weft.linearize @f(%[[X]], %[[N]]) wrt [0] : (tensor<4xf32>, tensor<i64>) -> (tensor<f32>, tensor<4xi1>, !weft.residuals<@f, [0]>)
  // GENERIC: "weft.linearize"(%{{.+}}) <{callee = @f, wrt = array<i64: 0>}>
  %y:2, %residuals = weft.linearize @f(%x, %n) wrt [0]
      : (tensor<4xf32>, tensor<i64>) -> (tensor<f32>, tensor<4xi1>, !weft.residuals<@f, [0]>)
  // CHECK-NEXT: weft.pullback %[[RES]](%[[CT]]) : (!weft.residuals<@f, [0]>, tensor<f32>) -> tensor<4xf32>
  // GENERIC: "weft.pullback"(%{{.+}}, %{{.+}}) : (!weft.residuals<@f, [0]>, tensor<f32>) -> tensor<4xf32>
  %dx = weft.pullback %residuals(%ct) : (!weft.residuals<@f, [0]>, tensor<f32>) -> tensor<4xf32>
  return
}

// With respect to nothing there are no gradients.
// CHECK-LABEL: func.func @no_operand(
func.func @no_operand(%x: tensor<4xf32>, %n: tensor<i64>, %ct: tensor<f32>) {
  // CHECK: weft.linearize @f({{.+}}) wrt []
  %y:2, %residuals = weft.linearize @f(%x, %n) wrt []
      : (tensor<4xf32>, tensor<i64>) -> (tensor<f32>, tensor<4xi1>, !weft.residuals<@f, []>)
  // CHECK-NEXT: weft.pullback %{{.+}}(%{{.+}}) : (!weft.residuals<@f, []>, tensor<f32>) -> ()
  weft.pullback %residuals(%ct) : (!weft.residuals<@f, []>, tensor<f32>) -> ()
  return
}

// CHECK-LABEL: func.func @forward_mode(
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<4xf32>, %[[N:[a-z0-9]+]]: tensor<i64>, %[[T:[a-z0-9]+]]: tensor<4xf32>)
func.func @forward_mode(%x: tensor<4xf32>, %n: tensor<i64>, %t: tensor<4xf32>) {
  // CHECK-NEXT: weft.jvp @f(%[[X]], %[[N]]) along(%[[T]]) wrt [0] : (tensor<4xf32>, tensor<i64>, tensor<4xf32>) -> (tensor<f32>, tensor<4xi1>, tensor<f32>)
  // GENERIC: "weft.jvp"(%{{.+}}, %{{.+}}, %{{.+}}) <{callee = @f, operandSegmentSizes = array<i32: 2, 1>, wrt = array<i64: 0>}>
  %y:3 = weft.jvp @f(%x, %n) along(%t) wrt [0]
      : (tensor<4xf32>, tensor<i64>, tensor<4xf32>) -> (tensor<f32>, tensor<4xi1>, tensor<f32>)
  // CHECK-NEXT: %{{.+}}, %[[RES:.+]] = weft.linearize
  %p:2, %residuals = weft.linearize @f(%x, %n) wrt [0]
      : (tensor<4xf32>, tensor<i64>) -> (tensor<f32>, tensor<4xi1>, !weft.residuals<@f, [0]>)
  // CHECK-NEXT: weft.pushforward %[[RES]](%[[T]]) : (!weft.residuals<@f, [0]>, tensor<4xf32>) -> tensor<f32>
  // GENERIC: "weft.pushforward"(%{{.+}}, %{{.+}}) : (!weft.residuals<@f, [0]>, tensor<4xf32>) -> tensor<f32>
  %ty = weft.pushforward %residuals(%t) : (!weft.residuals<@f, [0]>, tensor<4xf32>) -> tensor<f32>
  return
}

// CHECK-LABEL: func.func @batching(
func.func @batching(%x: tensor<4x8xf32>, %n: tensor<i64>) {
  // CHECK-NEXT: weft.vmap @f(%{{.+}}, %{{.+}}) size 8 in [1, -1] out [0, 1] : (tensor<4x8xf32>, tensor<i64>) -> (tensor<8xf32>, tensor<4x8xi1>)
  // GENERIC: "weft.vmap"(%{{.+}}, %{{.+}}) <{callee = @f, in_axes = array<i64: 1, -1>, out_axes = array<i64: 0, 1>, size = 8 : i64}>
  %y:2 = weft.vmap @f(%x, %n) size 8 in [1, -1] out [0, 1]
      : (tensor<4x8xf32>, tensor<i64>) -> (tensor<8xf32>, tensor<4x8xi1>)
  return
}

// CHECK-LABEL: func.func @rematerialization(
func.func @rematerialization(%x: tensor<4xf32>, %n: tensor<i64>) {
  // CHECK-NEXT: weft.barrier %{{.+}}, %{{.+}} : tensor<4xf32>, tensor<i64> to tensor<4xf32>, tensor<i64>
  // GENERIC: "weft.barrier"(%{{.+}}, %{{.+}}) : (tensor<4xf32>, tensor<i64>) -> (tensor<4xf32>, tensor<i64>)
  %0:2 = weft.barrier %x, %n : tensor<4xf32>, tensor<i64> to tensor<4xf32>, tensor<i64>
  return
}
