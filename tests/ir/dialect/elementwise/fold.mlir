// What holds for every value folds; what fails for NaN, an infinity or a zero's
// sign does not.
// RUN: weft-opt --canonicalize %s | FileCheck %s

// CHECK-LABEL: func.func @identities(
// CHECK-SAME: %[[X:.+]]: tensor<4xf32>)
// CHECK-NEXT: return %[[X]], %[[X]], %[[X]], %[[X]], %[[X]], %[[X]], %[[X]]
func.func @identities(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) {
  %one = weft.constant dense<1.0> : tensor<4xf32>
  %zero = weft.constant dense<0.0> : tensor<4xf32>
  %minus_zero = weft.constant dense<-0.0> : tensor<4xf32>
  %add = weft.add %x, %minus_zero : tensor<4xf32>
  %subtract = weft.subtract %x, %zero : tensor<4xf32>
  %multiply = weft.multiply %one, %x : tensor<4xf32>
  %divide = weft.divide %x, %one : tensor<4xf32>
  %pow = weft.pow %x, %one : tensor<4xf32>
  %maximum = weft.maximum %x, %x : tensor<4xf32>
  %minimum = weft.minimum %x, %x : tensor<4xf32>
  return %add, %subtract, %multiply, %divide, %pow, %maximum, %minimum : tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>
}

// CHECK-LABEL: func.func @integer_identities(
// CHECK-SAME: %[[X:.+]]: tensor<4xui8>)
// CHECK-NEXT: return %[[X]], %[[X]], %[[X]], %[[X]], %[[X]], %[[X]], %[[X]]
func.func @integer_identities(%x: tensor<4xui8>) -> (tensor<4xui8>, tensor<4xui8>, tensor<4xui8>, tensor<4xui8>, tensor<4xui8>, tensor<4xui8>, tensor<4xui8>) {
  %one = weft.constant dense<1> : tensor<4xui8>
  %zero = weft.constant dense<0> : tensor<4xui8>
  %add = weft.add %zero, %x : tensor<4xui8>
  %subtract = weft.subtract %x, %zero : tensor<4xui8>
  %multiply = weft.multiply %x, %one : tensor<4xui8>
  %quotient = weft.floor_divide %x, %one : tensor<4xui8>
  %pow = weft.pow %x, %one : tensor<4xui8>
  %left = weft.bitwise_left_shift %x, %zero : tensor<4xui8>
  %right = weft.bitwise_right_shift %x, %zero : tensor<4xui8>
  return %add, %subtract, %multiply, %quotient, %pow, %left, %right : tensor<4xui8>, tensor<4xui8>, tensor<4xui8>, tensor<4xui8>, tensor<4xui8>, tensor<4xui8>, tensor<4xui8>
}

// -0.0 + 0.0 is 0.0, and 0.0 - -0.0 is 0.0.
// CHECK-LABEL: func.func @zeros_have_signs(
// CHECK: weft.add
// CHECK: weft.subtract
func.func @zeros_have_signs(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  %zero = weft.constant dense<0.0> : tensor<4xf32>
  %minus_zero = weft.constant dense<-0.0> : tensor<4xf32>
  %add = weft.add %x, %zero : tensor<4xf32>
  %subtract = weft.subtract %x, %minus_zero : tensor<4xf32>
  return %add, %subtract : tensor<4xf32>, tensor<4xf32>
}

// None of these is a constant where x is NaN or infinite.
// CHECK-LABEL: func.func @nan_and_infinity(
// CHECK: weft.multiply
// CHECK: weft.subtract
// CHECK: weft.divide
// CHECK: weft.remainder
// CHECK: weft.add
func.func @nan_and_infinity(%x: tensor<4xf64>) -> (tensor<4xf64>, tensor<4xf64>, tensor<4xf64>, tensor<4xf64>, tensor<4xf64>) {
  %zero = weft.constant dense<0.0> : tensor<4xf64>
  %multiply = weft.multiply %x, %zero : tensor<4xf64>
  %subtract = weft.subtract %x, %x : tensor<4xf64>
  %divide = weft.divide %x, %x : tensor<4xf64>
  %remainder = weft.remainder %x, %x : tensor<4xf64>
  %negative = weft.negative %x : tensor<4xf64>
  %add = weft.add %negative, %x : tensor<4xf64>
  return %multiply, %subtract, %divide, %remainder, %add : tensor<4xf64>, tensor<4xf64>, tensor<4xf64>, tensor<4xf64>, tensor<4xf64>
}

// floor_divide by one rounds, so it is no identity of floats.
// CHECK-LABEL: func.func @floor_divide_by_one(
// CHECK: weft.floor_divide
func.func @floor_divide_by_one(%x: tensor<4xf32>) -> tensor<4xf32> {
  %one = weft.constant dense<1.0> : tensor<4xf32>
  %0 = weft.floor_divide %x, %one : tensor<4xf32>
  return %0 : tensor<4xf32>
}

// CHECK-LABEL: func.func @compare_with_itself(
// CHECK-DAG: %[[TRUE:.+]] = weft.constant dense<true> : tensor<4xi1>
// CHECK-DAG: %[[FALSE:.+]] = weft.constant dense<false> : tensor<4xi1>
// CHECK: return %[[TRUE]], %[[FALSE]], %[[FALSE]], %[[TRUE]], %[[FALSE]], %[[TRUE]]
func.func @compare_with_itself(%x: tensor<4xi32>) -> (tensor<4xi1>, tensor<4xi1>, tensor<4xi1>, tensor<4xi1>, tensor<4xi1>, tensor<4xi1>) {
  %equal = weft.equal %x, %x : tensor<4xi32>
  %not_equal = weft.not_equal %x, %x : tensor<4xi32>
  %less = weft.less %x, %x : tensor<4xi32>
  %less_equal = weft.less_equal %x, %x : tensor<4xi32>
  %greater = weft.greater %x, %x : tensor<4xi32>
  %greater_equal = weft.greater_equal %x, %x : tensor<4xi32>
  return %equal, %not_equal, %less, %less_equal, %greater, %greater_equal : tensor<4xi1>, tensor<4xi1>, tensor<4xi1>, tensor<4xi1>, tensor<4xi1>, tensor<4xi1>
}

// NaN differs from itself.
// CHECK-LABEL: func.func @compare_floats_with_themselves(
// CHECK: weft.equal
// CHECK: weft.not_equal
// CHECK: weft.less_equal
func.func @compare_floats_with_themselves(%x: tensor<4xf32>) -> (tensor<4xi1>, tensor<4xi1>, tensor<4xi1>) {
  %equal = weft.equal %x, %x : tensor<4xf32>
  %not_equal = weft.not_equal %x, %x : tensor<4xf32>
  %less_equal = weft.less_equal %x, %x : tensor<4xf32>
  return %equal, %not_equal, %less_equal : tensor<4xi1>, tensor<4xi1>, tensor<4xi1>
}

// CHECK-LABEL: func.func @twice(
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<4xf32>, %[[I:[a-z0-9]+]]: tensor<4xi32>, %[[C:[a-z0-9]+]]: tensor<4xi1>)
// CHECK-DAG: %[[FLOOR:.+]] = weft.floor %[[X]]
// CHECK-DAG: %[[ABS:.+]] = weft.abs %[[X]]
// CHECK: return %[[FLOOR]], %[[ABS]], %[[X]], %[[I]], %[[C]], %[[I]], %[[C]]
func.func @twice(%x: tensor<4xf32>, %i: tensor<4xi32>, %c: tensor<4xi1>) -> (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xi32>, tensor<4xi1>, tensor<4xi32>, tensor<4xi1>) {
  %floor = weft.floor %x : tensor<4xf32>
  %floor_floor = weft.floor %floor : tensor<4xf32>
  %abs = weft.abs %x : tensor<4xf32>
  %abs_abs = weft.abs %abs : tensor<4xf32>
  %negative = weft.negative %x : tensor<4xf32>
  %negative_negative = weft.negative %negative : tensor<4xf32>
  %invert = weft.bitwise_invert %i : tensor<4xi32>
  %invert_invert = weft.bitwise_invert %invert : tensor<4xi32>
  %not = weft.logical_not %c : tensor<4xi1>
  %not_not = weft.logical_not %not : tensor<4xi1>
  %and = weft.bitwise_and %i, %i : tensor<4xi32>
  %or = weft.logical_or %c, %c : tensor<4xi1>
  return %floor_floor, %abs_abs, %negative_negative, %invert_invert, %not_not, %and, %or : tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xi32>, tensor<4xi1>, tensor<4xi32>, tensor<4xi1>
}

// CHECK-LABEL: func.func @select(
// CHECK-SAME: %[[C:[a-z0-9]+]]: tensor<4xi1>, %[[X:[a-z0-9]+]]: tensor<4xf32>, %[[Y:[a-z0-9]+]]: tensor<4xf32>)
// CHECK-NEXT: return %[[X]], %[[Y]], %[[X]]
func.func @select(%c: tensor<4xi1>, %x: tensor<4xf32>, %y: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) {
  %true = weft.constant dense<true> : tensor<4xi1>
  %false = weft.constant dense<false> : tensor<4xi1>
  %0 = weft.select %true, %x, %y : tensor<4xf32>
  %1 = weft.select %false, %x, %y : tensor<4xf32>
  %2 = weft.select %c, %x, %x : tensor<4xf32>
  return %0, %1, %2 : tensor<4xf32>, tensor<4xf32>, tensor<4xf32>
}

// CHECK-LABEL: func.func @same_type(
// CHECK-SAME: %[[X:.+]]: tensor<4xf32>)
// CHECK-NEXT: return %[[X]], %[[X]]
func.func @same_type(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  %convert = weft.convert %x : tensor<4xf32> to tensor<4xf32>
  %bitcast = weft.bitcast %x : tensor<4xf32> to tensor<4xf32>
  return %convert, %bitcast : tensor<4xf32>, tensor<4xf32>
}

// A conversion there and back may lose digits.
// CHECK-LABEL: func.func @there_and_back(
// CHECK-COUNT-2: weft.convert
func.func @there_and_back(%x: tensor<4xf64>) -> tensor<4xf64> {
  %0 = weft.convert %x : tensor<4xf64> to tensor<4xf32>
  %1 = weft.convert %0 : tensor<4xf32> to tensor<4xf64>
  return %1 : tensor<4xf64>
}

// Constants that repeat one value are computed by the op's own body.
// CHECK-LABEL: func.func @constants(
// CHECK-DAG: %[[SUM:.+]] = weft.constant dense<5.000000e+00> : tensor<4xf32>
// CHECK-DAG: %[[WRAP:.+]] = weft.constant dense<4> : tensor<4xui8>
// CHECK-DAG: %[[LESS:.+]] = weft.constant dense<true> : tensor<4xi1>
// CHECK-DAG: %[[SHIFT:.+]] = weft.constant dense<-1> : tensor<4xi32>
// CHECK-DAG: %[[SATURATED:.+]] = weft.constant dense<127> : tensor<4xi8>
// CHECK-DAG: %[[BITS:.+]] = weft.constant dense<1073741824> : tensor<4xi32>
// CHECK: return %[[SUM]], %[[WRAP]], %[[LESS]], %[[SHIFT]], %[[SATURATED]], %[[BITS]]
func.func @constants() -> (tensor<4xf32>, tensor<4xui8>, tensor<4xi1>, tensor<4xi32>, tensor<4xi8>, tensor<4xi32>) {
  %two = weft.constant dense<2.0> : tensor<4xf32>
  %three = weft.constant dense<3.0> : tensor<4xf32>
  %sum = weft.add %two, %three : tensor<4xf32>
  %large = weft.constant dense<250> : tensor<4xui8>
  %ten = weft.constant dense<10> : tensor<4xui8>
  %wrapped = weft.add %large, %ten : tensor<4xui8>
  %less = weft.less %ten, %large : tensor<4xui8>
  %minus = weft.constant dense<-8> : tensor<4xi32>
  %far = weft.constant dense<99> : tensor<4xi32>
  %shifted = weft.bitwise_right_shift %minus, %far : tensor<4xi32>
  %huge = weft.constant dense<1.0e30> : tensor<4xf32>
  %saturated = weft.convert %huge : tensor<4xf32> to tensor<4xi8>
  %bits = weft.bitcast %two : tensor<4xf32> to tensor<4xi32>
  return %sum, %wrapped, %less, %shifted, %saturated, %bits : tensor<4xf32>, tensor<4xui8>, tensor<4xi1>, tensor<4xi32>, tensor<4xi8>, tensor<4xi32>
}

// Integers that division leaves undefined are defined here as well.
// CHECK-LABEL: func.func @constant_quotients(
// CHECK-DAG: %[[ZERO:.+]] = weft.constant dense<0> : tensor<i32>
// CHECK-DAG: %[[MIN:.+]] = weft.constant dense<-2147483648> : tensor<i32>
// CHECK-DAG: %[[FLOOR:.+]] = weft.constant dense<-3> : tensor<i32>
// CHECK-DAG: %[[REST:.+]] = weft.constant dense<2> : tensor<i32>
// CHECK: return %[[ZERO]], %[[ZERO]], %[[MIN]], %[[ZERO]], %[[FLOOR]], %[[REST]]
func.func @constant_quotients() -> (tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) {
  %zero = weft.constant dense<0> : tensor<i32>
  %three = weft.constant dense<3> : tensor<i32>
  %minus = weft.constant dense<-1> : tensor<i32>
  %min = weft.constant dense<-2147483648> : tensor<i32>
  %seven = weft.constant dense<-7> : tensor<i32>
  %0 = weft.floor_divide %seven, %zero : tensor<i32>
  %1 = weft.remainder %seven, %zero : tensor<i32>
  %2 = weft.floor_divide %min, %minus : tensor<i32>
  %3 = weft.remainder %min, %minus : tensor<i32>
  %4 = weft.floor_divide %seven, %three : tensor<i32>
  %5 = weft.remainder %seven, %three : tensor<i32>
  return %0, %1, %2, %3, %4, %5 : tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>
}

// Other constants stay: their elements are computed where the program runs.
// CHECK-LABEL: func.func @no_splat(
// CHECK: weft.add
func.func @no_splat() -> tensor<2xf32> {
  %0 = weft.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %1 = weft.add %0, %0 : tensor<2xf32>
  return %1 : tensor<2xf32>
}
