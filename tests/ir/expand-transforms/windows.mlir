// The derivatives of convolutions are convolutions; those of the extremes of windows
// compare the same pairs of windows and elements, from the other side.
// RUN: weft-opt --weft-expand-transforms %s | FileCheck %s
// RUN: weft-opt --weft-expand-transforms %s | weft-opt --weft-expand-transforms | FileCheck %s
// RUN: weft-opt --weft-to-expanded --weft-to-linalg %s -o /dev/null
// RUN: %weft-run < %s | FileCheck %s --check-prefix=RESULT

func.func private @f(%x: tensor<2x7x3xf32>, %w: tensor<3x3x8xf32>) -> tensor<2x4x8xf32> {
  %0 = weft.convolution %x, %w batch [] x [] contract [2] x [1] spatial [1] x [0] order [0, 1, 2] strides [2] low [1] high [1] base_dilation [1] window_dilation [1] : (tensor<2x7x3xf32>, tensor<3x3x8xf32>) -> tensor<2x4x8xf32>
  return %0 : tensor<2x4x8xf32>
}
// CHECK-LABEL: func.func @vjp(
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<2x7x3xf32>, %[[W:[a-z0-9]+]]: tensor<3x3x8xf32>, %[[CT:[a-z0-9]+]]: tensor<2x4x8xf32>)
// CHECK-NEXT: %[[T:.+]] = weft.reverse %[[W]] dims [0]
// CHECK-NEXT: %[[DX:.+]] = weft.convolution %[[CT]], %[[T]] batch [] x [] contract [2] x [2] spatial [1] x [0] order [0, 1, 2] strides [1] low [1] high [1] base_dilation [2] window_dilation [1]
// CHECK-NEXT: %[[DW:.+]] = weft.convolution %[[X]], %[[CT]] batch [] x [] contract [0] x [0] spatial [1] x [1] order [1, 0, 2] strides [1] low [1] high [1] base_dilation [1] window_dilation [2]
// CHECK-NEXT: return %[[DX]], %[[DW]]
func.func @vjp(%x: tensor<2x7x3xf32>, %w: tensor<3x3x8xf32>, %ct: tensor<2x4x8xf32>) -> (tensor<2x7x3xf32>, tensor<3x3x8xf32>) {
  %primal, %r = weft.linearize @f(%x, %w) wrt [0, 1] : (tensor<2x7x3xf32>, tensor<3x3x8xf32>) -> (tensor<2x4x8xf32>, !weft.residuals<@f, [0, 1]>)
  %g:2 = weft.pullback %r(%ct) : (!weft.residuals<@f, [0, 1]>, tensor<2x4x8xf32>) -> (tensor<2x7x3xf32>, tensor<3x3x8xf32>)
  return %g#0, %g#1 : tensor<2x7x3xf32>, tensor<3x3x8xf32>
}

func.func private @m(%x: tensor<7xf32>) -> tensor<3xf32> {
  %0 = weft.reduce_window_max %x window [3] strides [2] low [0] high [0] base_dilation [1] window_dilation [1] : (tensor<7xf32>) -> tensor<3xf32>
  return %0 : tensor<3xf32>
}
// CHECK-LABEL: func.func @max_vjp(
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<7xf32>, %[[CT:[a-z0-9]+]]: tensor<3xf32>)
// CHECK: %[[ONES:.+]] = weft.constant dense<1.000000e+00> : tensor<7xf32>
// CHECK: %[[Y:.+]] = weft.reduce_window_max %[[X]] window [3] strides [2]
// CHECK-NEXT: %[[COUNT:.+]] = weft.sum_where_equal %[[X]], %[[ONES]], %[[Y]] window [3] strides [2]
// CHECK-NEXT: %[[PART:.+]] = weft.divide %[[CT]], %[[COUNT]]
// CHECK-NEXT: %[[DX:.+]] = weft.sum_where_equal %[[Y]], %[[PART]], %[[X]] window [3] strides [1] low [2] high [2] base_dilation [2]
// CHECK-NEXT: return %[[DX]]
func.func @max_vjp(%x: tensor<7xf32>, %ct: tensor<3xf32>) -> tensor<7xf32> {
  %primal, %r = weft.linearize @m(%x) wrt [0] : (tensor<7xf32>) -> (tensor<3xf32>, !weft.residuals<@m, [0]>)
  %g = weft.pullback %r(%ct) : (!weft.residuals<@m, [0]>, tensor<3xf32>) -> tensor<7xf32>
  return %g : tensor<7xf32>
}

func.func private @pool(%x: tensor<7xf32>) -> tensor<3xf32> {
  %0 = weft.reduce_window_max %x window [2] strides [2] low [0] high [0] base_dilation [1] window_dilation [1] : (tensor<7xf32>) -> tensor<3xf32>
  return %0 : tensor<3xf32>
}
// Windows side by side are tiles of the array, and what is left over has no gradient.
// CHECK-LABEL: func.func @pool_vjp(
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<7xf32>, %[[CT:[a-z0-9]+]]: tensor<3xf32>)
// CHECK: %[[Y:.+]] = weft.reduce_window_max %[[X]] window [2] strides [2]
// CHECK-NEXT: %[[COUNT:.+]] = weft.sum_where_equal %[[X]], %{{.+}}, %[[Y]] window [2] strides [2]
// CHECK-NEXT: %[[PART:.+]] = weft.divide %[[CT]], %[[COUNT]]
// CHECK-NEXT: %[[EACH:.+]] = weft.broadcast %[[PART]] dims [0] : tensor<3xf32> to tensor<3x2xf32>
// CHECK-NEXT: %[[COVERED:.+]] = weft.slice %[[X]] {{.*}} to tensor<6xf32>
// CHECK-NEXT: %[[TILES:.+]] = weft.reshape %[[COVERED]] : tensor<6xf32> to tensor<3x2xf32>
// CHECK-NEXT: %[[KEY:.+]] = weft.broadcast %[[Y]] dims [0] : tensor<3xf32> to tensor<3x2xf32>
// CHECK-NEXT: %[[EQUAL:.+]] = weft.equal %[[TILES]], %[[KEY]]
// CHECK-NEXT: %[[DX:.+]] = weft.select %[[EQUAL]], %[[EACH]]
// CHECK-NEXT: %[[JOINED:.+]] = weft.reshape %[[DX]] : tensor<3x2xf32> to tensor<6xf32>
// CHECK-NEXT: %[[PADDED:.+]] = weft.pad %[[JOINED]]{{.*}} to tensor<7xf32>
// CHECK-NEXT: return %[[PADDED]]
func.func @pool_vjp(%x: tensor<7xf32>, %ct: tensor<3xf32>) -> tensor<7xf32> {
  %primal, %r = weft.linearize @pool(%x) wrt [0] : (tensor<7xf32>) -> (tensor<3xf32>, !weft.residuals<@pool, [0]>)
  %g = weft.pullback %r(%ct) : (!weft.residuals<@pool, [0]>, tensor<3xf32>) -> tensor<7xf32>
  return %g : tensor<7xf32>
}

func.func @main() -> tensor<7xf32> {
  %x = weft.constant dense<[1.0, 3.0, 3.0, 0.0, 2.0, 5.0, 4.0]> : tensor<7xf32>
  %ct = weft.constant dense<[1.0, 10.0, 100.0]> : tensor<3xf32>
  %0 = call @max_vjp(%x, %ct) : (tensor<7xf32>, tensor<3xf32>) -> tensor<7xf32>
  return %0 : tensor<7xf32>
}
// The first window has two largest elements, which share its cotangent.
// RESULT: float32 [0.0, 0.5, 10.5, 0.0, 0.0, 100.0, 0.0]
