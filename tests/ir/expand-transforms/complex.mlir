// Cotangents of complex numbers are transposed, not conjugated; ops that are linear
// over the reals only have a rule for each mode.
// RUN: weft-opt --weft-expand-transforms %s | FileCheck %s
// RUN: weft-opt --weft-to-expanded --weft-to-linalg %s -o /dev/null

func.func private @square(%z: tensor<complex<f32>>) -> tensor<complex<f32>> {
  %0 = weft.multiply %z, %z : tensor<complex<f32>>
  return %0 : tensor<complex<f32>>
}
// CHECK-LABEL: func.func @square_vjp(
// CHECK-SAME: %[[Z:[a-z0-9]+]]: tensor<complex<f32>>, %[[CT:[a-z0-9]+]]: tensor<complex<f32>>)
// CHECK-NOT: weft.conj
// CHECK: %[[P:.+]] = weft.multiply %[[CT]], %[[Z]]
// CHECK: return
func.func @square_vjp(%z: tensor<complex<f32>>, %ct: tensor<complex<f32>>) -> tensor<complex<f32>> {
  %y, %r = weft.linearize @square(%z) wrt [0]
      : (tensor<complex<f32>>) -> (tensor<complex<f32>>, !weft.residuals<@square, [0]>)
  %g = weft.pullback %r(%ct)
      : (!weft.residuals<@square, [0]>, tensor<complex<f32>>) -> tensor<complex<f32>>
  return %g : tensor<complex<f32>>
}

func.func private @conj(%z: tensor<complex<f32>>) -> tensor<complex<f32>> {
  %0 = weft.conj %z : tensor<complex<f32>>
  return %0 : tensor<complex<f32>>
}
// CHECK-LABEL: func.func @conj_vjp(
// CHECK-SAME: %[[Z:[a-z0-9]+]]: tensor<complex<f32>>, %[[CT:[a-z0-9]+]]: tensor<complex<f32>>)
// CHECK-NEXT: %[[R:.+]] = weft.conj %[[CT]]
// CHECK-NEXT: return %[[R]]
func.func @conj_vjp(%z: tensor<complex<f32>>, %ct: tensor<complex<f32>>) -> tensor<complex<f32>> {
  %y, %r = weft.linearize @conj(%z) wrt [0]
      : (tensor<complex<f32>>) -> (tensor<complex<f32>>, !weft.residuals<@conj, [0]>)
  %g = weft.pullback %r(%ct)
      : (!weft.residuals<@conj, [0]>, tensor<complex<f32>>) -> tensor<complex<f32>>
  return %g : tensor<complex<f32>>
}

func.func private @imag(%z: tensor<complex<f32>>) -> tensor<f32> {
  %0 = weft.imag %z : tensor<complex<f32>>
  return %0 : tensor<f32>
}
// CHECK-LABEL: func.func @imag_vjp(
// CHECK-SAME: %[[Z:[a-z0-9]+]]: tensor<complex<f32>>, %[[CT:[a-z0-9]+]]: tensor<f32>)
// CHECK-DAG: %[[ZERO:.+]] = weft.constant dense<0.000000e+00>
// CHECK-DAG: %[[MINUS:.+]] = weft.negative %[[CT]]
// CHECK: %[[R:.+]] = weft.complex %[[ZERO]], %[[MINUS]]
// CHECK-NEXT: return %[[R]]
func.func @imag_vjp(%z: tensor<complex<f32>>, %ct: tensor<f32>) -> tensor<complex<f32>> {
  %y, %r = weft.linearize @imag(%z) wrt [0]
      : (tensor<complex<f32>>) -> (tensor<f32>, !weft.residuals<@imag, [0]>)
  %g = weft.pullback %r(%ct)
      : (!weft.residuals<@imag, [0]>, tensor<f32>) -> tensor<complex<f32>>
  return %g : tensor<complex<f32>>
}

func.func private @widen(%z: tensor<f32>) -> tensor<complex<f32>> {
  %0 = weft.convert %z : tensor<f32> to tensor<complex<f32>>
  return %0 : tensor<complex<f32>>
}
// CHECK-LABEL: func.func @widen_vjp(
// CHECK-SAME: %[[Z:[a-z0-9]+]]: tensor<f32>, %[[CT:[a-z0-9]+]]: tensor<complex<f32>>)
// CHECK-NEXT: %[[R:.+]] = weft.real %[[CT]]
// CHECK-NEXT: return %[[R]]
func.func @widen_vjp(%z: tensor<f32>, %ct: tensor<complex<f32>>) -> tensor<f32> {
  %y, %r = weft.linearize @widen(%z) wrt [0]
      : (tensor<f32>) -> (tensor<complex<f32>>, !weft.residuals<@widen, [0]>)
  %g = weft.pullback %r(%ct)
      : (!weft.residuals<@widen, [0]>, tensor<complex<f32>>) -> tensor<f32>
  return %g : tensor<f32>
}
