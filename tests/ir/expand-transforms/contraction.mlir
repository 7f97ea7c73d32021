// The derivatives of dot_general are dot_generals.
// RUN: weft-opt --weft-expand-transforms %s | FileCheck %s
// RUN: weft-opt --weft-expand-transforms %s | weft-opt --weft-expand-transforms | FileCheck %s
// RUN: weft-opt --weft-to-expanded --weft-to-linalg %s -o /dev/null
// RUN: %weft-run < %s | FileCheck %s --check-prefix=RESULT

func.func private @matmul(%x: tensor<2x3xf32>, %y: tensor<3x4xf32>) -> tensor<2x4xf32> {
  %0 = weft.dot_general %x, %y batch [] x [] contract [1] x [0] : (tensor<2x3xf32>, tensor<3x4xf32>) -> tensor<2x4xf32>
  return %0 : tensor<2x4xf32>
}
// dX = ct Y^T, dY = X^T ct.
// CHECK-LABEL: func.func @matmul_vjp(
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<2x3xf32>, %[[Y:[a-z0-9]+]]: tensor<3x4xf32>, %[[CT:[a-z0-9]+]]: tensor<2x4xf32>)
// CHECK: %[[DX:.+]] = weft.dot_general %[[CT]], %[[Y]] batch [] x [] contract [1] x [1]
// CHECK-NEXT: %[[DYT:.+]] = weft.dot_general %[[CT]], %[[X]] batch [] x [] contract [0] x [0]
// CHECK-NEXT: %[[DY:.+]] = weft.transpose %[[DYT]] perm [1, 0]
// CHECK-NEXT: return %[[DX]], %[[DY]]
func.func @matmul_vjp(%x: tensor<2x3xf32>, %y: tensor<3x4xf32>, %ct: tensor<2x4xf32>) -> (tensor<2x3xf32>, tensor<3x4xf32>) {
  %primal, %r = weft.linearize @matmul(%x, %y) wrt [0, 1]
      : (tensor<2x3xf32>, tensor<3x4xf32>) -> (tensor<2x4xf32>, !weft.residuals<@matmul, [0, 1]>)
  %g:2 = weft.pullback %r(%ct)
      : (!weft.residuals<@matmul, [0, 1]>, tensor<2x4xf32>) -> (tensor<2x3xf32>, tensor<3x4xf32>)
  return %g#0, %g#1 : tensor<2x3xf32>, tensor<3x4xf32>
}

func.func private @batched(%x: tensor<2x3x5xf32>, %y: tensor<5x2x4xf32>) -> tensor<2x3x4xf32> {
  %0 = weft.dot_general %x, %y batch [0] x [1] contract [2] x [0] : (tensor<2x3x5xf32>, tensor<5x2x4xf32>) -> tensor<2x3x4xf32>
  return %0 : tensor<2x3x4xf32>
}
// CHECK-LABEL: func.func @batched_vjp(
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<2x3x5xf32>, %[[Y:[a-z0-9]+]]: tensor<5x2x4xf32>, %[[CT:[a-z0-9]+]]: tensor<2x3x4xf32>)
// CHECK: %[[DX:.+]] = weft.dot_general %[[CT]], %[[Y]] batch [0] x [1] contract [2] x [2]
// CHECK-NEXT: %[[DYT:.+]] = weft.dot_general %[[CT]], %[[X]] batch [0] x [0] contract [1] x [1]
// CHECK-NEXT: %[[DY:.+]] = weft.transpose %[[DYT]] perm [2, 0, 1]
// CHECK-NEXT: return %[[DX]], %[[DY]]
func.func @batched_vjp(%x: tensor<2x3x5xf32>, %y: tensor<5x2x4xf32>, %ct: tensor<2x3x4xf32>) -> (tensor<2x3x5xf32>, tensor<5x2x4xf32>) {
  %primal, %r = weft.linearize @batched(%x, %y) wrt [0, 1]
      : (tensor<2x3x5xf32>, tensor<5x2x4xf32>) -> (tensor<2x3x4xf32>, !weft.residuals<@batched, [0, 1]>)
  %g:2 = weft.pullback %r(%ct)
      : (!weft.residuals<@batched, [0, 1]>, tensor<2x3x4xf32>) -> (tensor<2x3x5xf32>, tensor<5x2x4xf32>)
  return %g#0, %g#1 : tensor<2x3x5xf32>, tensor<5x2x4xf32>
}

func.func @main() -> (tensor<2x3xf32>, tensor<3x4xf32>) {
  %x = weft.constant dense<[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]> : tensor<2x3xf32>
  %y = weft.constant dense<1.0> : tensor<3x4xf32>
  %ct = weft.constant dense<[[1.0, 1.0, 1.0, 1.0], [2.0, 2.0, 2.0, 2.0]]> : tensor<2x4xf32>
  %0:2 = call @matmul_vjp(%x, %y, %ct) : (tensor<2x3xf32>, tensor<3x4xf32>, tensor<2x4xf32>) -> (tensor<2x3xf32>, tensor<3x4xf32>)
  return %0#0, %0#1 : tensor<2x3xf32>, tensor<3x4xf32>
}
// RESULT: float32 {{\[}}[4.0, 4.0, 4.0], [8.0, 8.0, 8.0]]
// RESULT-NEXT: float32 {{\[}}[9.0, 9.0, 9.0, 9.0], [12.0, 12.0, 12.0, 12.0], [15.0, 15.0, 15.0, 15.0]]
