// Special functions count how often they are differentiated.
// RUN: weft-opt --weft-expand-transforms %s | FileCheck %s

func.func private @gammainc(%a: tensor<4xf32>, %x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = weft.gammainc %a, %x by [0, 1] : tensor<4xf32>
  return %0 : tensor<4xf32>
}

// CHECK-LABEL: func.func @slopes(
// CHECK-SAME: %[[A:.+]]: tensor<4xf32>, %[[X:.+]]: tensor<4xf32>, %[[CT:.+]]: tensor<4xf32>)
// CHECK-DAG: %[[BY_A:.+]] = weft.gammainc %[[A]], %[[X]] by [1, 1]
// CHECK-DAG: %[[BY_X:.+]] = weft.gammainc %[[A]], %[[X]] by [0, 2]
// CHECK-DAG: weft.multiply %[[CT]], %[[BY_A]]
// CHECK-DAG: weft.multiply %[[CT]], %[[BY_X]]
func.func @slopes(%a: tensor<4xf32>, %x: tensor<4xf32>, %ct: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  %0, %res = weft.linearize @gammainc(%a, %x) wrt [0, 1] : (tensor<4xf32>, tensor<4xf32>) -> (tensor<4xf32>, !weft.residuals<@gammainc, [0, 1]>)
  %1:2 = weft.pullback %res(%ct) : (!weft.residuals<@gammainc, [0, 1]>, tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>)
  return %1#0, %1#1 : tensor<4xf32>, tensor<4xf32>
}
