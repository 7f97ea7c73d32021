// The equations of elementwise ops.
// RUN: weft-opt --canonicalize %s | FileCheck %s

// CHECK-LABEL: func.func @signs(
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<4xf32>, %[[Y:[a-z0-9]+]]: tensor<4xf32>)
// CHECK-DAG: %[[SUBTRACT:.+]] = weft.subtract %[[X]], %[[Y]]
// CHECK-DAG: %[[ADD:.+]] = weft.add %[[X]], %[[Y]]
// CHECK-DAG: %[[MULTIPLY:.+]] = weft.multiply %[[X]], %[[Y]]
// CHECK-DAG: %[[DIVIDE:.+]] = weft.divide %[[X]], %[[Y]]
// CHECK-DAG: %[[ABS:.+]] = weft.abs %[[X]]
// CHECK-DAG: %[[SQUARE:.+]] = weft.square %[[X]]
// CHECK-DAG: %[[SQUARED_ABS:.+]] = weft.square %[[Y]]
// CHECK: return %[[SUBTRACT]], %[[ADD]], %[[MULTIPLY]], %[[DIVIDE]], %[[ABS]], %[[SQUARE]], %[[SQUARED_ABS]]
func.func @signs(%x: tensor<4xf32>, %y: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) {
  %minus_x = weft.negative %x : tensor<4xf32>
  %minus_y = weft.negative %y : tensor<4xf32>
  %subtract = weft.add %x, %minus_y : tensor<4xf32>
  %add = weft.subtract %x, %minus_y : tensor<4xf32>
  %multiply = weft.multiply %minus_x, %minus_y : tensor<4xf32>
  %divide = weft.divide %minus_x, %minus_y : tensor<4xf32>
  %abs = weft.abs %minus_x : tensor<4xf32>
  %square = weft.square %minus_x : tensor<4xf32>
  %abs_y = weft.abs %y : tensor<4xf32>
  %square_y = weft.square %abs_y : tensor<4xf32>
  return %subtract, %add, %multiply, %divide, %abs, %square, %square_y : tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>
}

// CHECK-LABEL: func.func @choice(
// CHECK-SAME: %[[C:[a-z0-9]+]]: tensor<4xi1>, %[[X:[a-z0-9]+]]: tensor<4xf32>, %[[Y:[a-z0-9]+]]: tensor<4xf32>)
// CHECK-NEXT: weft.select %[[C]], %[[Y]], %[[X]]
func.func @choice(%c: tensor<4xi1>, %x: tensor<4xf32>, %y: tensor<4xf32>) -> tensor<4xf32> {
  %not = weft.logical_not %c : tensor<4xi1>
  %0 = weft.select %not, %x, %y : tensor<4xf32>
  return %0 : tensor<4xf32>
}

// Constants go to the right of what commutes, so that the folds find them.
// CHECK-LABEL: func.func @constant_to_the_right(
// CHECK-SAME: %[[X:.+]]: tensor<4xf32>)
// CHECK: %[[TWO:.+]] = weft.constant
// CHECK: weft.multiply %[[X]], %[[TWO]]
func.func @constant_to_the_right(%x: tensor<4xf32>) -> tensor<4xf32> {
  %two = weft.constant dense<2.0> : tensor<4xf32>
  %0 = weft.multiply %two, %x : tensor<4xf32>
  return %0 : tensor<4xf32>
}

// Sums are not regrouped: that changes how they round.
// CHECK-LABEL: func.func @no_regrouping(
// CHECK-COUNT-2: weft.add
func.func @no_regrouping(%x: tensor<4xf32>) -> tensor<4xf32> {
  %one = weft.constant dense<1.0> : tensor<4xf32>
  %two = weft.constant dense<2.0> : tensor<4xf32>
  %0 = weft.add %x, %one : tensor<4xf32>
  %1 = weft.add %0, %two : tensor<4xf32>
  return %1 : tensor<4xf32>
}

// exp(log(x)) is not x below zero, nor is sqrt(square(x)).
// CHECK-LABEL: func.func @no_inverses(
// CHECK: weft.log
// CHECK: weft.exp
// CHECK: weft.square
// CHECK: weft.sqrt
func.func @no_inverses(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  %log = weft.log %x : tensor<4xf32>
  %exp = weft.exp %log : tensor<4xf32>
  %square = weft.square %x : tensor<4xf32>
  %sqrt = weft.sqrt %square : tensor<4xf32>
  return %exp, %sqrt : tensor<4xf32>, tensor<4xf32>
}

// Of complex numbers abs is real, so that a square of it is one of other types.
// CHECK-LABEL: func.func @square_of_complex_abs(
func.func @square_of_complex_abs(%z: tensor<4xcomplex<f32>>) -> tensor<4xf32> {
  // CHECK-NEXT: %[[A:.+]] = weft.abs
  // CHECK-NEXT: %[[S:.+]] = weft.square %[[A]]
  // CHECK-NEXT: return %[[S]]
  %a = weft.abs %z : tensor<4xcomplex<f32>>
  %s = weft.square %a : tensor<4xf32>
  return %s : tensor<4xf32>
}

// 1 + 0i times infinity + yi is not that number, and -0 has another sign.
// CHECK-LABEL: func.func @complex_neutral_elements(
// CHECK-SAME: %[[Z:[a-z0-9]+]]: tensor<4xcomplex<f32>>
func.func @complex_neutral_elements(%z: tensor<4xcomplex<f32>>)
    -> (tensor<4xcomplex<f32>>, tensor<4xcomplex<f32>>, tensor<4xcomplex<f32>>) {
  %one = weft.constant dense<(1.0, 0.0)> : tensor<4xcomplex<f32>>
  %zero = weft.constant dense<(0.0, 0.0)> : tensor<4xcomplex<f32>>
  %negative = weft.constant dense<(-0.0, -0.0)> : tensor<4xcomplex<f32>>
  // CHECK: %[[P:.+]] = weft.multiply %[[Z]]
  %p = weft.multiply %z, %one : tensor<4xcomplex<f32>>
  %d = weft.subtract %z, %zero : tensor<4xcomplex<f32>>
  %s = weft.add %z, %negative : tensor<4xcomplex<f32>>
  // CHECK-NEXT: return %[[P]], %[[Z]], %[[Z]]
  return %p, %d, %s : tensor<4xcomplex<f32>>, tensor<4xcomplex<f32>>, tensor<4xcomplex<f32>>
}
