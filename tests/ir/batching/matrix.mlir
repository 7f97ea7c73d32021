// RUN: weft-opt --weft-expand-transforms %s | FileCheck %s

func.func private @solve(%a: tensor<3x3xf64>, %b: tensor<3x1xf64>) -> tensor<3x1xf64> {
  %lu, %pivots, %order = weft.lu %a : (tensor<3x3xf64>) -> (tensor<3x3xf64>, tensor<3xi64>, tensor<3xi64>)
  %y = weft.solve %a factored %lu, %order by %b : (tensor<3x3xf64>, tensor<3x3xf64>, tensor<3xi64>, tensor<3x1xf64>) -> tensor<3x1xf64>
  return %y : tensor<3x1xf64>
}

// Right sides of one matrix become its columns.
// CHECK-LABEL: func.func @right_sides(
// CHECK: weft.lu %{{.+}} : (tensor<3x3xf64>)
// CHECK: weft.solve {{.*}} : (tensor<3x3xf64>, tensor<3x3xf64>, tensor<3xi64>, tensor<3x5xf64>) -> tensor<3x5xf64>
func.func @right_sides(%a: tensor<3x3xf64>, %b: tensor<5x3x1xf64>) -> tensor<5x3x1xf64> {
  %y = weft.vmap @solve(%a, %b) size 5 in [-1, 0] out [0] : (tensor<3x3xf64>, tensor<5x3x1xf64>) -> tensor<5x3x1xf64>
  return %y : tensor<5x3x1xf64>
}

// CHECK-LABEL: func.func @matrices(
// CHECK: weft.lu %{{.+}} : (tensor<5x3x3xf64>)
// CHECK: weft.solve {{.*}} : (tensor<5x3x3xf64>, tensor<5x3x3xf64>, tensor<5x3xi64>, tensor<5x3x1xf64>) -> tensor<5x3x1xf64>
func.func @matrices(%a: tensor<5x3x3xf64>, %b: tensor<3x1xf64>) -> tensor<5x3x1xf64> {
  %y = weft.vmap @solve(%a, %b) size 5 in [0, -1] out [0] : (tensor<5x3x3xf64>, tensor<3x1xf64>) -> tensor<5x3x1xf64>
  return %y : tensor<5x3x1xf64>
}
