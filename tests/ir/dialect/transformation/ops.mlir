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
