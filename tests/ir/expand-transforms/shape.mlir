// The derivatives of what moves elements: each op gives its transpose.
// RUN: weft-opt --weft-expand-transforms %s | FileCheck %s
// RUN: weft-opt --weft-expand-transforms %s | weft-opt --weft-expand-transforms | FileCheck %s
// RUN: weft-opt --weft-to-expanded --weft-to-linalg %s -o /dev/null
// RUN: %weft-run < %s | FileCheck %s --check-prefix=RESULT

func.func private @broadcast(%x: tensor<3x1xf32>) -> tensor<2x3x5xf32> {
  %0 = weft.broadcast %x dims [1, 2] : tensor<3x1xf32> to tensor<2x3x5xf32>
  return %0 : tensor<2x3x5xf32>
}
// What was repeated is summed.
// CHECK-LABEL: func.func @broadcast_vjp(
// CHECK-SAME: %{{.+}}: tensor<3x1xf32>, %[[CT:[a-z0-9]+]]: tensor<2x3x5xf32>)
// CHECK: %[[SUM:.+]] = weft.sum %[[CT]] axes [0, 2]
// CHECK-NEXT: %[[DX:.+]] = weft.reshape %[[SUM]] : tensor<3xf32> to tensor<3x1xf32>
// CHECK-NEXT: return %[[DX]]
func.func @broadcast_vjp(%x: tensor<3x1xf32>, %ct: tensor<2x3x5xf32>) -> tensor<3x1xf32> {
  %primal, %r = weft.linearize @broadcast(%x) wrt [0]
      : (tensor<3x1xf32>) -> (tensor<2x3x5xf32>, !weft.residuals<@broadcast, [0]>)
  %g = weft.pullback %r(%ct)
      : (!weft.residuals<@broadcast, [0]>, tensor<2x3x5xf32>) -> tensor<3x1xf32>
  return %g : tensor<3x1xf32>
}

func.func private @reshape(%x: tensor<2x3xf32>) -> tensor<6xf32> {
  %0 = weft.reshape %x : tensor<2x3xf32> to tensor<6xf32>
  return %0 : tensor<6xf32>
}
// CHECK-LABEL: func.func @reshape_vjp(
// CHECK-SAME: %{{.+}}: tensor<2x3xf32>, %[[CT:[a-z0-9]+]]: tensor<6xf32>)
// CHECK: %[[DX:.+]] = weft.reshape %[[CT]] : tensor<6xf32> to tensor<2x3xf32>
// CHECK-NEXT: return %[[DX]]
func.func @reshape_vjp(%x: tensor<2x3xf32>, %ct: tensor<6xf32>) -> tensor<2x3xf32> {
  %primal, %r = weft.linearize @reshape(%x) wrt [0]
      : (tensor<2x3xf32>) -> (tensor<6xf32>, !weft.residuals<@reshape, [0]>)
  %g = weft.pullback %r(%ct)
      : (!weft.residuals<@reshape, [0]>, tensor<6xf32>) -> tensor<2x3xf32>
  return %g : tensor<2x3xf32>
}

func.func private @transpose(%x: tensor<2x3x4xf32>) -> tensor<4x2x3xf32> {
  %0 = weft.transpose %x perm [2, 0, 1] : tensor<2x3x4xf32> to tensor<4x2x3xf32>
  return %0 : tensor<4x2x3xf32>
}
// The inverse permutation.
// CHECK-LABEL: func.func @transpose_vjp(
// CHECK-SAME: %{{.+}}: tensor<2x3x4xf32>, %[[CT:[a-z0-9]+]]: tensor<4x2x3xf32>)
// CHECK: %[[DX:.+]] = weft.transpose %[[CT]] perm [1, 2, 0]
// CHECK-NEXT: return %[[DX]]
func.func @transpose_vjp(%x: tensor<2x3x4xf32>, %ct: tensor<4x2x3xf32>) -> tensor<2x3x4xf32> {
  %primal, %r = weft.linearize @transpose(%x) wrt [0]
      : (tensor<2x3x4xf32>) -> (tensor<4x2x3xf32>, !weft.residuals<@transpose, [0]>)
  %g = weft.pullback %r(%ct)
      : (!weft.residuals<@transpose, [0]>, tensor<4x2x3xf32>) -> tensor<2x3x4xf32>
  return %g : tensor<2x3x4xf32>
}

func.func private @slice(%x: tensor<9xf32>) -> tensor<3xf32> {
  %0 = weft.slice %x from [1] to [8] by [3] : tensor<9xf32> to tensor<3xf32>
  return %0 : tensor<3xf32>
}
// 1 + 3 + 2 * 2 + 1 elements.
// CHECK-LABEL: func.func @slice_vjp(
// CHECK-SAME: %{{.+}}: tensor<9xf32>, %[[CT:[a-z0-9]+]]: tensor<3xf32>)
// CHECK: %[[ZERO:.+]] = weft.constant dense<0.000000e+00> : tensor<f32>
// CHECK-NEXT: %[[DX:.+]] = weft.pad %[[CT]] with %[[ZERO]] low [1] high [1] interior [2]
// CHECK-NEXT: return %[[DX]]
func.func @slice_vjp(%x: tensor<9xf32>, %ct: tensor<3xf32>) -> tensor<9xf32> {
  %primal, %r = weft.linearize @slice(%x) wrt [0]
      : (tensor<9xf32>) -> (tensor<3xf32>, !weft.residuals<@slice, [0]>)
  %g = weft.pullback %r(%ct)
      : (!weft.residuals<@slice, [0]>, tensor<3xf32>) -> tensor<9xf32>
  return %g : tensor<9xf32>
}

func.func private @pad(%x: tensor<3xf32>, %y: tensor<f32>) -> tensor<8xf32> {
  %0 = weft.pad %x with %y low [1] high [2] interior [1] : tensor<3xf32>, tensor<f32> to tensor<8xf32>
  return %0 : tensor<8xf32>
}
// The value gets the sum of what the operand does not cover.
// CHECK-LABEL: func.func @pad_vjp(
// CHECK-SAME: %{{.+}}: tensor<3xf32>, %{{.+}}: tensor<f32>, %[[CT:[a-z0-9]+]]: tensor<8xf32>)
// CHECK: %[[DX:.+]] = weft.slice %[[CT]] from [1] to [6] by [2]
// CHECK: %[[COVERED:.+]] = weft.pad %{{.+}} low [1] high [2] interior [1]
// CHECK-NEXT: %[[REST:.+]] = weft.select %[[COVERED]], %{{.+}}, %[[CT]]
// CHECK-NEXT: %[[DY:.+]] = weft.sum %[[REST]] axes [0]
// CHECK-NEXT: return %[[DX]], %[[DY]]
func.func @pad_vjp(%x: tensor<3xf32>, %y: tensor<f32>, %ct: tensor<8xf32>) -> (tensor<3xf32>, tensor<f32>) {
  %primal, %r = weft.linearize @pad(%x, %y) wrt [0, 1]
      : (tensor<3xf32>, tensor<f32>) -> (tensor<8xf32>, !weft.residuals<@pad, [0, 1]>)
  %g:2 = weft.pullback %r(%ct)
      : (!weft.residuals<@pad, [0, 1]>, tensor<8xf32>) -> (tensor<3xf32>, tensor<f32>)
  return %g#0, %g#1 : tensor<3xf32>, tensor<f32>
}

func.func private @concatenate(%x: tensor<2xf32>, %y: tensor<3xf32>) -> tensor<5xf32> {
  %0 = weft.concatenate %x, %y dim 0 : tensor<2xf32>, tensor<3xf32> to tensor<5xf32>
  return %0 : tensor<5xf32>
}
// CHECK-LABEL: func.func @concatenate_vjp(
// CHECK-SAME: %{{.+}}: tensor<2xf32>, %{{.+}}: tensor<3xf32>, %[[CT:[a-z0-9]+]]: tensor<5xf32>)
// CHECK: %[[DX:.+]] = weft.slice %[[CT]] from [0] to [2] by [1]
// CHECK-NEXT: %[[DY:.+]] = weft.slice %[[CT]] from [2] to [5] by [1]
// CHECK-NEXT: return %[[DX]], %[[DY]]
func.func @concatenate_vjp(%x: tensor<2xf32>, %y: tensor<3xf32>, %ct: tensor<5xf32>) -> (tensor<2xf32>, tensor<3xf32>) {
  %primal, %r = weft.linearize @concatenate(%x, %y) wrt [0, 1]
      : (tensor<2xf32>, tensor<3xf32>) -> (tensor<5xf32>, !weft.residuals<@concatenate, [0, 1]>)
  %g:2 = weft.pullback %r(%ct)
      : (!weft.residuals<@concatenate, [0, 1]>, tensor<5xf32>) -> (tensor<2xf32>, tensor<3xf32>)
  return %g#0, %g#1 : tensor<2xf32>, tensor<3xf32>
}

func.func private @reverse(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
  %0 = weft.reverse %x dims [1] : tensor<2x3xf32> to tensor<2x3xf32>
  return %0 : tensor<2x3xf32>
}
// CHECK-LABEL: func.func @reverse_vjp(
// CHECK-SAME: %{{.+}}: tensor<2x3xf32>, %[[CT:[a-z0-9]+]]: tensor<2x3xf32>)
// CHECK: %[[DX:.+]] = weft.reverse %[[CT]] dims [1]
// CHECK-NEXT: return %[[DX]]
func.func @reverse_vjp(%x: tensor<2x3xf32>, %ct: tensor<2x3xf32>) -> tensor<2x3xf32> {
  %primal, %r = weft.linearize @reverse(%x) wrt [0]
      : (tensor<2x3xf32>) -> (tensor<2x3xf32>, !weft.residuals<@reverse, [0]>)
  %g = weft.pullback %r(%ct)
      : (!weft.residuals<@reverse, [0]>, tensor<2x3xf32>) -> tensor<2x3xf32>
  return %g : tensor<2x3xf32>
}

func.func @main() -> (tensor<9xf32>, tensor<3xf32>, tensor<f32>) {
  %x = weft.constant dense<0.0> : tensor<9xf32>
  %ct = weft.constant dense<[1.0, 2.0, 3.0]> : tensor<3xf32>
  %0 = call @slice_vjp(%x, %ct) : (tensor<9xf32>, tensor<3xf32>) -> tensor<9xf32>
  %v = weft.constant dense<0.0> : tensor<f32>
  %padded = weft.constant dense<[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]> : tensor<8xf32>
  %1:2 = call @pad_vjp(%ct, %v, %padded) : (tensor<3xf32>, tensor<f32>, tensor<8xf32>) -> (tensor<3xf32>, tensor<f32>)
  return %0, %1#0, %1#1 : tensor<9xf32>, tensor<3xf32>, tensor<f32>
}
// RESULT: float32 [0.0, 1.0, 0.0, 0.0, 2.0, 0.0, 0.0, 3.0, 0.0]
// RESULT-NEXT: float32 [2.0, 4.0, 6.0]
// RESULT-NEXT: float32 24.0
