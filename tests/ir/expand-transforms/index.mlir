// Slices at computed indices and running values: their derivatives are ops of the
// same families.
// RUN: weft-opt --weft-expand-transforms %s | FileCheck %s
// RUN: weft-opt --weft-expand-transforms %s | weft-opt --weft-expand-transforms | FileCheck %s
// RUN: weft-opt --weft-to-expanded --weft-to-linalg %s -o /dev/null

func.func private @dynamic_slice(%x: tensor<8xf32>, %i: tensor<i64>) -> tensor<3xf32> {
  %0 = weft.dynamic_slice %x[%i] sizes [3] : (tensor<8xf32>, tensor<i64>) -> tensor<3xf32>
  return %0 : tensor<3xf32>
}
// Into zeros, at the same place.
// CHECK-LABEL: func.func @dynamic_slice_vjp(
// CHECK-SAME: %{{.+}}: tensor<8xf32>, %[[I:[a-z0-9]+]]: tensor<i64>, %[[CT:[a-z0-9]+]]: tensor<3xf32>)
// CHECK: %[[ZERO:.+]] = weft.constant dense<0.000000e+00> : tensor<8xf32>
// CHECK-NEXT: %[[DX:.+]] = weft.dynamic_update_slice %[[ZERO]], %[[CT]]{{[[]}}%[[I]]]
// CHECK-NEXT: return %[[DX]]
func.func @dynamic_slice_vjp(%x: tensor<8xf32>, %i: tensor<i64>, %ct: tensor<3xf32>) -> tensor<8xf32> {
  %primal, %r = weft.linearize @dynamic_slice(%x, %i) wrt [0]
      : (tensor<8xf32>, tensor<i64>) -> (tensor<3xf32>, !weft.residuals<@dynamic_slice, [0]>)
  %g = weft.pullback %r(%ct)
      : (!weft.residuals<@dynamic_slice, [0]>, tensor<3xf32>) -> tensor<8xf32>
  return %g : tensor<8xf32>
}

func.func private @gather(%x: tensor<8x4xf32>, %i: tensor<5xi64>) -> tensor<5x4xf32> {
  %0 = weft.gather %x[%i] dims [0] sizes [1, 4] collapsed [0] batch [] clip : (tensor<8x4xf32>, tensor<5xi64>) -> tensor<5x4xf32>
  return %0 : tensor<5x4xf32>
}
// What is read twice has two cotangents.
// CHECK-LABEL: func.func @gather_vjp(
// CHECK-SAME: %{{.+}}: tensor<8x4xf32>, %[[I:[a-z0-9]+]]: tensor<5xi64>, %[[CT:[a-z0-9]+]]: tensor<5x4xf32>)
// CHECK: %[[DX:.+]] = weft.scatter_add %{{.+}}, %[[CT]]{{[[]}}%[[I]]] dims [0] collapsed [0] batch [] clip
// CHECK-NEXT: return %[[DX]]
func.func @gather_vjp(%x: tensor<8x4xf32>, %i: tensor<5xi64>, %ct: tensor<5x4xf32>) -> tensor<8x4xf32> {
  %primal, %r = weft.linearize @gather(%x, %i) wrt [0]
      : (tensor<8x4xf32>, tensor<5xi64>) -> (tensor<5x4xf32>, !weft.residuals<@gather, [0]>)
  %g = weft.pullback %r(%ct)
      : (!weft.residuals<@gather, [0]>, tensor<5x4xf32>) -> tensor<8x4xf32>
  return %g : tensor<8x4xf32>
}

func.func private @scatter(%x: tensor<8xf32>, %u: tensor<5xf32>, %i: tensor<5xi64>) -> tensor<8xf32> {
  %0 = weft.scatter %x, %u[%i] dims [0] collapsed [0] batch [] : (tensor<8xf32>, tensor<5xf32>, tensor<5xi64>) -> tensor<8xf32>
  return %0 : tensor<8xf32>
}
// Of updates to one place only the one that stays has a cotangent.
// CHECK-LABEL: func.func @scatter_vjp(
// CHECK-SAME: %{{.+}}: tensor<8xf32>, %{{.+}}: tensor<5xf32>, %[[I:[a-z0-9]+]]: tensor<5xi64>, %[[CT:[a-z0-9]+]]: tensor<8xf32>)
// CHECK-DAG: %[[NUMBERS:.+]] = weft.iota dim 0 : tensor<5xi64>
// CHECK-DAG: %[[LAST:.+]] = weft.scatter %{{.+}}, %[[NUMBERS]]{{[[]}}%[[I]]]
// CHECK-DAG: %[[HERE:.+]] = weft.gather %[[LAST]]{{[[]}}%[[I]]]
// CHECK-DAG: %[[STAYS:.+]] = weft.equal %[[HERE]], %[[NUMBERS]]
// CHECK-DAG: %[[SLICES:.+]] = weft.gather %[[CT]]{{[[]}}%[[I]]]
// CHECK: weft.select %[[STAYS]], %[[SLICES]]
func.func @scatter_vjp(%x: tensor<8xf32>, %u: tensor<5xf32>, %i: tensor<5xi64>, %ct: tensor<8xf32>) -> (tensor<8xf32>, tensor<5xf32>) {
  %primal, %r = weft.linearize @scatter(%x, %u, %i) wrt [0, 1]
      : (tensor<8xf32>, tensor<5xf32>, tensor<5xi64>) -> (tensor<8xf32>, !weft.residuals<@scatter, [0, 1]>)
  %g:2 = weft.pullback %r(%ct)
      : (!weft.residuals<@scatter, [0, 1]>, tensor<8xf32>) -> (tensor<8xf32>, tensor<5xf32>)
  return %g#0, %g#1 : tensor<8xf32>, tensor<5xf32>
}

func.func private @cumsum(%x: tensor<8xf32>) -> tensor<8xf32> {
  %0 = weft.cumsum %x axis 0 : tensor<8xf32>
  return %0 : tensor<8xf32>
}
// An element is part of the sums from it on.
// CHECK-LABEL: func.func @cumsum_vjp(
// CHECK-SAME: %{{.+}}: tensor<8xf32>, %[[CT:[a-z0-9]+]]: tensor<8xf32>)
// CHECK-NEXT: %[[DX:.+]] = weft.cumsum %[[CT]] axis 0 reverse
// CHECK-NEXT: return %[[DX]]
func.func @cumsum_vjp(%x: tensor<8xf32>, %ct: tensor<8xf32>) -> tensor<8xf32> {
  %primal, %r = weft.linearize @cumsum(%x) wrt [0]
      : (tensor<8xf32>) -> (tensor<8xf32>, !weft.residuals<@cumsum, [0]>)
  %g = weft.pullback %r(%ct)
      : (!weft.residuals<@cumsum, [0]>, tensor<8xf32>) -> tensor<8xf32>
  return %g : tensor<8xf32>
}

func.func private @cumprod(%x: tensor<8xf32>) -> tensor<8xf32> {
  %0 = weft.cumprod %x axis 0 : tensor<8xf32>
  return %0 : tensor<8xf32>
}
// No division: it is right where elements are zero.
// CHECK-LABEL: func.func @cumprod_vjp(
// CHECK-NOT: weft.divide
// CHECK: weft.linear_recurrence %{{.+}}, %{{.+}} axis 0 reverse
// CHECK-NOT: weft.divide
// CHECK: return
func.func @cumprod_vjp(%x: tensor<8xf32>, %ct: tensor<8xf32>) -> tensor<8xf32> {
  %primal, %r = weft.linearize @cumprod(%x) wrt [0]
      : (tensor<8xf32>) -> (tensor<8xf32>, !weft.residuals<@cumprod, [0]>)
  %g = weft.pullback %r(%ct)
      : (!weft.residuals<@cumprod, [0]>, tensor<8xf32>) -> tensor<8xf32>
  return %g : tensor<8xf32>
}

func.func private @sort(%x: tensor<8xf32>) -> tensor<8xf32> {
  %0 = weft.sort %x axis 0 : tensor<8xf32> to tensor<8xf32>
  return %0 : tensor<8xf32>
}
// The cotangents go back to where the elements came from.
// CHECK-LABEL: func.func @sort_vjp(
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<8xf32>, %[[CT:[a-z0-9]+]]: tensor<8xf32>)
// CHECK: %[[ORDER:.+]] = weft.argsort %[[X]] axis 0
// CHECK-NEXT: %[[DX:.+]] = weft.scatter_add %{{.+}}, %[[CT]]{{[[]}}%[[ORDER]]]
// CHECK-NEXT: return %[[DX]]
func.func @sort_vjp(%x: tensor<8xf32>, %ct: tensor<8xf32>) -> tensor<8xf32> {
  %primal, %r = weft.linearize @sort(%x) wrt [0]
      : (tensor<8xf32>) -> (tensor<8xf32>, !weft.residuals<@sort, [0]>)
  %g = weft.pullback %r(%ct)
      : (!weft.residuals<@sort, [0]>, tensor<8xf32>) -> tensor<8xf32>
  return %g : tensor<8xf32>
}
