// The derivatives of reductions.
// RUN: weft-opt --weft-expand-transforms %s | FileCheck %s
// RUN: weft-opt --weft-expand-transforms %s | weft-opt --weft-expand-transforms | FileCheck %s
// RUN: weft-opt --weft-to-expanded --weft-to-linalg %s -o /dev/null
// RUN: %weft-run < %s | FileCheck %s --check-prefix=RESULT

func.func private @sum(%x: tensor<2x3xf32>) -> tensor<3xf32> {
  %0 = weft.sum %x axes [0] : tensor<2x3xf32> to tensor<3xf32>
  return %0 : tensor<3xf32>
}
// CHECK-LABEL: func.func @sum_vjp(
// CHECK-SAME: %{{.+}}: tensor<2x3xf32>, %[[CT:[a-z0-9]+]]: tensor<3xf32>)
// CHECK: %[[DX:.+]] = weft.broadcast %[[CT]] dims [1] : tensor<3xf32> to tensor<2x3xf32>
// CHECK-NEXT: return %[[DX]]
func.func @sum_vjp(%x: tensor<2x3xf32>, %ct: tensor<3xf32>) -> tensor<2x3xf32> {
  %primal, %r = weft.linearize @sum(%x) wrt [0]
      : (tensor<2x3xf32>) -> (tensor<3xf32>, !weft.residuals<@sum, [0]>)
  %g = weft.pullback %r(%ct)
      : (!weft.residuals<@sum, [0]>, tensor<3xf32>) -> tensor<2x3xf32>
  return %g : tensor<2x3xf32>
}

func.func private @max(%x: tensor<2x3xf32>) -> tensor<3xf32> {
  %0 = weft.max %x axes [0] : tensor<2x3xf32> to tensor<3xf32>
  return %0 : tensor<3xf32>
}
// All elements that equal the maximum share its cotangent.
// CHECK-LABEL: func.func @max_vjp(
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<2x3xf32>, %[[CT:[a-z0-9]+]]: tensor<3xf32>)
// CHECK: %[[MAX:.+]] = weft.max %[[X]] axes [0]
// CHECK: %[[HIT:.+]] = weft.equal %[[X]], %{{.+}}
// CHECK: %[[FLOAT:.+]] = weft.convert %[[HIT]]
// CHECK: %[[COUNT:.+]] = weft.sum %[[FLOAT]] axes [0]
// CHECK: %[[PART:.+]] = weft.divide %[[CT]], %[[COUNT]]
// CHECK: %[[ALL:.+]] = weft.broadcast %[[PART]] dims [1]
// CHECK: weft.select %[[HIT]], %[[ALL]]
func.func @max_vjp(%x: tensor<2x3xf32>, %ct: tensor<3xf32>) -> tensor<2x3xf32> {
  %primal, %r = weft.linearize @max(%x) wrt [0]
      : (tensor<2x3xf32>) -> (tensor<3xf32>, !weft.residuals<@max, [0]>)
  %g = weft.pullback %r(%ct)
      : (!weft.residuals<@max, [0]>, tensor<3xf32>) -> tensor<2x3xf32>
  return %g : tensor<2x3xf32>
}

func.func private @prod(%x: tensor<2xf32>) -> tensor<f32> {
  %0 = weft.prod %x axes [0] : tensor<2xf32> to tensor<f32>
  return %0 : tensor<f32>
}
// The product of the others, without a division.
// CHECK-LABEL: func.func @prod_vjp(
// CHECK-SAME: %{{.+}}: tensor<2xf32>, %{{.+}}: tensor<f32>)
// CHECK-NOT: weft.divide
// CHECK: %[[OTHERS:.+]] = weft.concatenate %{{.+}}, %{{.+}} dim 1
// CHECK-NOT: weft.divide
// CHECK: return
func.func @prod_vjp(%x: tensor<2xf32>, %ct: tensor<f32>) -> tensor<2xf32> {
  %primal, %r = weft.linearize @prod(%x) wrt [0]
      : (tensor<2xf32>) -> (tensor<f32>, !weft.residuals<@prod, [0]>)
  %g = weft.pullback %r(%ct)
      : (!weft.residuals<@prod, [0]>, tensor<f32>) -> tensor<2xf32>
  return %g : tensor<2xf32>
}

func.func private @argmax(%x: tensor<2x3xf32>) -> tensor<3xf32> {
  %0 = weft.argmax %x axis 0 : tensor<2x3xf32> to tensor<3xi64>
  %1 = weft.convert %0 : tensor<3xi64> to tensor<3xf32>
  return %1 : tensor<3xf32>
}
// An index does not depend on the elements, almost everywhere.
// CHECK-LABEL: func.func @argmax_vjp(
// CHECK-SAME: %{{.+}}: tensor<2x3xf32>, %{{.+}}: tensor<3xf32>)
// CHECK: %[[ZERO:.+]] = weft.constant dense<0.000000e+00> : tensor<2x3xf32>
// CHECK-NEXT: return %[[ZERO]]
func.func @argmax_vjp(%x: tensor<2x3xf32>, %ct: tensor<3xf32>) -> tensor<2x3xf32> {
  %primal, %r = weft.linearize @argmax(%x) wrt [0]
      : (tensor<2x3xf32>) -> (tensor<3xf32>, !weft.residuals<@argmax, [0]>)
  %g = weft.pullback %r(%ct)
      : (!weft.residuals<@argmax, [0]>, tensor<3xf32>) -> tensor<2x3xf32>
  return %g : tensor<2x3xf32>
}

func.func @main() -> (tensor<2x3xf32>, tensor<2xf32>) {
  %x = weft.constant dense<[[1.0, 5.0, 2.0], [3.0, 5.0, 1.0]]> : tensor<2x3xf32>
  %ct = weft.constant dense<1.0> : tensor<3xf32>
  %0 = call @max_vjp(%x, %ct) : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  %p = weft.constant dense<[0.0, 3.0]> : tensor<2xf32>
  %one = weft.constant dense<1.0> : tensor<f32>
  %1 = call @prod_vjp(%p, %one) : (tensor<2xf32>, tensor<f32>) -> tensor<2xf32>
  return %0, %1 : tensor<2x3xf32>, tensor<2xf32>
}
// RESULT: float32 {{\[}}[0.0, 0.5, 1.0], [1.0, 0.5, 0.0]]
// RESULT-NEXT: float32 [3.0, 0.0]
