// RUN: weft-opt %s | weft-opt | FileCheck %s
// RUN: weft-opt --mlir-print-op-generic %s | weft-opt | FileCheck %s
// RUN: weft-opt --mlir-print-op-generic %s | FileCheck %s --check-prefix=GENERIC

// CHECK-LABEL: func.func @arithmetic(
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<2x3xf32>, %[[Y:[a-z0-9]+]]: tensor<2x3xf32>
func.func @arithmetic(%x: tensor<2x3xf32>, %y: tensor<2x3xf32>) {
  // CHECK-NEXT: %{{.+}} = weft.add %[[X]], %[[Y]] : tensor<2x3xf32>
  %add = weft.add %x, %y : tensor<2x3xf32>
  // CHECK-NEXT: %{{.+}} = weft.subtract %[[X]], %[[Y]] : tensor<2x3xf32>
  %subtract = weft.subtract %x, %y : tensor<2x3xf32>
  // CHECK-NEXT: %{{.+}} = weft.multiply %[[X]], %[[Y]] : tensor<2x3xf32>
  %multiply = weft.multiply %x, %y : tensor<2x3xf32>
  // CHECK-NEXT: %{{.+}} = weft.divide %[[X]], %[[Y]] : tensor<2x3xf32>
  %divide = weft.divide %x, %y : tensor<2x3xf32>
  // CHECK-NEXT: %{{.+}} = weft.floor_divide %[[X]], %[[Y]] : tensor<2x3xf32>
  %floor_divide = weft.floor_divide %x, %y : tensor<2x3xf32>
  // CHECK-NEXT: %{{.+}} = weft.remainder %[[X]], %[[Y]] : tensor<2x3xf32>
  %remainder = weft.remainder %x, %y : tensor<2x3xf32>
  // CHECK-NEXT: %{{.+}} = weft.pow %[[X]], %[[Y]] : tensor<2x3xf32>
  %pow = weft.pow %x, %y : tensor<2x3xf32>
  // CHECK-NEXT: %{{.+}} = weft.maximum %[[X]], %[[Y]] : tensor<2x3xf32>
  %maximum = weft.maximum %x, %y : tensor<2x3xf32>
  // CHECK-NEXT: %{{.+}} = weft.minimum %[[X]], %[[Y]] : tensor<2x3xf32>
  %minimum = weft.minimum %x, %y : tensor<2x3xf32>
  // CHECK-NEXT: %{{.+}} = weft.negative %[[X]] : tensor<2x3xf32>
  %negative = weft.negative %x : tensor<2x3xf32>
  // CHECK-NEXT: %{{.+}} = weft.abs %[[X]] : tensor<2x3xf32>
  %abs = weft.abs %x : tensor<2x3xf32>
  // CHECK-NEXT: %{{.+}} = weft.sign %[[X]] : tensor<2x3xf32>
  %sign = weft.sign %x : tensor<2x3xf32>
  // CHECK-NEXT: %{{.+}} = weft.square %[[X]] : tensor<2x3xf32>
  %square = weft.square %x : tensor<2x3xf32>
  // CHECK-NEXT: %{{.+}} = weft.reciprocal %[[X]] : tensor<2x3xf32>
  %reciprocal = weft.reciprocal %x : tensor<2x3xf32>
  // CHECK-NEXT: %{{.+}} = weft.hypot %[[X]], %[[Y]] : tensor<2x3xf32>
  %hypot = weft.hypot %x, %y : tensor<2x3xf32>
  // CHECK-NEXT: %{{.+}} = weft.copysign %[[X]], %[[Y]] : tensor<2x3xf32>
  %copysign = weft.copysign %x, %y : tensor<2x3xf32>
  return
}

// CHECK-LABEL: func.func @rounding(
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<2x3xf32>, %[[Y:[a-z0-9]+]]: tensor<2x3xf32>
func.func @rounding(%x: tensor<2x3xf32>, %y: tensor<2x3xf32>) {
  // CHECK-NEXT: %{{.+}} = weft.ceil %[[X]] : tensor<2x3xf32>
  %ceil = weft.ceil %x : tensor<2x3xf32>
  // CHECK-NEXT: %{{.+}} = weft.floor %[[X]] : tensor<2x3xf32>
  %floor = weft.floor %x : tensor<2x3xf32>
  // CHECK-NEXT: %{{.+}} = weft.trunc %[[X]] : tensor<2x3xf32>
  %trunc = weft.trunc %x : tensor<2x3xf32>
  // CHECK-NEXT: %{{.+}} = weft.round %[[X]] : tensor<2x3xf32>
  %round = weft.round %x : tensor<2x3xf32>
  return
}

// CHECK-LABEL: func.func @exponential(
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<2x3xf32>, %[[Y:[a-z0-9]+]]: tensor<2x3xf32>
func.func @exponential(%x: tensor<2x3xf32>, %y: tensor<2x3xf32>) {
  // CHECK-NEXT: %{{.+}} = weft.exp %[[X]] : tensor<2x3xf32>
  %exp = weft.exp %x : tensor<2x3xf32>
  // CHECK-NEXT: %{{.+}} = weft.exp2 %[[X]] : tensor<2x3xf32>
  %exp2 = weft.exp2 %x : tensor<2x3xf32>
  // CHECK-NEXT: %{{.+}} = weft.expm1 %[[X]] : tensor<2x3xf32>
  %expm1 = weft.expm1 %x : tensor<2x3xf32>
  // CHECK-NEXT: %{{.+}} = weft.log %[[X]] : tensor<2x3xf32>
  %log = weft.log %x : tensor<2x3xf32>
  // CHECK-NEXT: %{{.+}} = weft.log2 %[[X]] : tensor<2x3xf32>
  %log2 = weft.log2 %x : tensor<2x3xf32>
  // CHECK-NEXT: %{{.+}} = weft.log10 %[[X]] : tensor<2x3xf32>
  %log10 = weft.log10 %x : tensor<2x3xf32>
  // CHECK-NEXT: %{{.+}} = weft.log1p %[[X]] : tensor<2x3xf32>
  %log1p = weft.log1p %x : tensor<2x3xf32>
  // CHECK-NEXT: %{{.+}} = weft.logaddexp %[[X]], %[[Y]] : tensor<2x3xf32>
  %logaddexp = weft.logaddexp %x, %y : tensor<2x3xf32>
  // CHECK-NEXT: %{{.+}} = weft.sqrt %[[X]] : tensor<2x3xf32>
  %sqrt = weft.sqrt %x : tensor<2x3xf32>
  // CHECK-NEXT: %{{.+}} = weft.rsqrt %[[X]] : tensor<2x3xf32>
  %rsqrt = weft.rsqrt %x : tensor<2x3xf32>
  // CHECK-NEXT: %{{.+}} = weft.cbrt %[[X]] : tensor<2x3xf32>
  %cbrt = weft.cbrt %x : tensor<2x3xf32>
  return
}

// CHECK-LABEL: func.func @trigonometric(
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<2x3xf32>, %[[Y:[a-z0-9]+]]: tensor<2x3xf32>
func.func @trigonometric(%x: tensor<2x3xf32>, %y: tensor<2x3xf32>) {
  // CHECK-NEXT: %{{.+}} = weft.sin %[[X]] : tensor<2x3xf32>
  %sin = weft.sin %x : tensor<2x3xf32>
  // CHECK-NEXT: %{{.+}} = weft.cos %[[X]] : tensor<2x3xf32>
  %cos = weft.cos %x : tensor<2x3xf32>
  // CHECK-NEXT: %{{.+}} = weft.tan %[[X]] : tensor<2x3xf32>
  %tan = weft.tan %x : tensor<2x3xf32>
  // CHECK-NEXT: %{{.+}} = weft.asin %[[X]] : tensor<2x3xf32>
  %asin = weft.asin %x : tensor<2x3xf32>
  // CHECK-NEXT: %{{.+}} = weft.acos %[[X]] : tensor<2x3xf32>
  %acos = weft.acos %x : tensor<2x3xf32>
  // CHECK-NEXT: %{{.+}} = weft.atan %[[X]] : tensor<2x3xf32>
  %atan = weft.atan %x : tensor<2x3xf32>
  // CHECK-NEXT: %{{.+}} = weft.atan2 %[[X]], %[[Y]] : tensor<2x3xf32>
  %atan2 = weft.atan2 %x, %y : tensor<2x3xf32>
  // CHECK-NEXT: %{{.+}} = weft.sinh %[[X]] : tensor<2x3xf32>
  %sinh = weft.sinh %x : tensor<2x3xf32>
  // CHECK-NEXT: %{{.+}} = weft.cosh %[[X]] : tensor<2x3xf32>
  %cosh = weft.cosh %x : tensor<2x3xf32>
  // CHECK-NEXT: %{{.+}} = weft.tanh %[[X]] : tensor<2x3xf32>
  %tanh = weft.tanh %x : tensor<2x3xf32>
  // CHECK-NEXT: %{{.+}} = weft.asinh %[[X]] : tensor<2x3xf32>
  %asinh = weft.asinh %x : tensor<2x3xf32>
  // CHECK-NEXT: %{{.+}} = weft.acosh %[[X]] : tensor<2x3xf32>
  %acosh = weft.acosh %x : tensor<2x3xf32>
  // CHECK-NEXT: %{{.+}} = weft.atanh %[[X]] : tensor<2x3xf32>
  %atanh = weft.atanh %x : tensor<2x3xf32>
  // CHECK-NEXT: %{{.+}} = weft.erf %[[X]] : tensor<2x3xf32>
  %erf = weft.erf %x : tensor<2x3xf32>
  // CHECK-NEXT: %{{.+}} = weft.erfc %[[X]] : tensor<2x3xf32>
  %erfc = weft.erfc %x : tensor<2x3xf32>
  // CHECK-NEXT: %{{.+}} = weft.erfinv %[[X]] : tensor<2x3xf32>
  %erfinv = weft.erfinv %x : tensor<2x3xf32>
  // CHECK-NEXT: %{{.+}} = weft.logistic %[[X]] : tensor<2x3xf32>
  %logistic = weft.logistic %x : tensor<2x3xf32>
  return
}

// CHECK-LABEL: func.func @comparison(
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<2x3xf32>, %[[Y:[a-z0-9]+]]: tensor<2x3xf32>
func.func @comparison(%x: tensor<2x3xf32>, %y: tensor<2x3xf32>) {
  // CHECK-NEXT: %{{.+}} = weft.isnan %[[X]] : tensor<2x3xf32>
  %isnan = weft.isnan %x : tensor<2x3xf32>
  // CHECK-NEXT: %{{.+}} = weft.isinf %[[X]] : tensor<2x3xf32>
  %isinf = weft.isinf %x : tensor<2x3xf32>
  // CHECK-NEXT: %{{.+}} = weft.isfinite %[[X]] : tensor<2x3xf32>
  %isfinite = weft.isfinite %x : tensor<2x3xf32>
  // CHECK-NEXT: %{{.+}} = weft.signbit %[[X]] : tensor<2x3xf32>
  %signbit = weft.signbit %x : tensor<2x3xf32>
  // CHECK-NEXT: %{{.+}} = weft.equal %[[X]], %[[Y]] : tensor<2x3xf32>
  %equal = weft.equal %x, %y : tensor<2x3xf32>
  // CHECK-NEXT: %{{.+}} = weft.not_equal %[[X]], %[[Y]] : tensor<2x3xf32>
  %not_equal = weft.not_equal %x, %y : tensor<2x3xf32>
  // CHECK-NEXT: %{{.+}} = weft.less %[[X]], %[[Y]] : tensor<2x3xf32>
  %less = weft.less %x, %y : tensor<2x3xf32>
  // CHECK-NEXT: %{{.+}} = weft.less_equal %[[X]], %[[Y]] : tensor<2x3xf32>
  %less_equal = weft.less_equal %x, %y : tensor<2x3xf32>
  // CHECK-NEXT: %{{.+}} = weft.greater %[[X]], %[[Y]] : tensor<2x3xf32>
  %greater = weft.greater %x, %y : tensor<2x3xf32>
  // CHECK-NEXT: %{{.+}} = weft.greater_equal %[[X]], %[[Y]] : tensor<2x3xf32>
  %greater_equal = weft.greater_equal %x, %y : tensor<2x3xf32>
  return
}

// CHECK-LABEL: func.func @logic(
// CHECK-SAME: %[[X_I1:[a-z0-9]+]]: tensor<2x3xi1>
// CHECK-SAME: %[[Y_I1:[a-z0-9]+]]: tensor<2x3xi1>
// CHECK-SAME: %[[X_I32:[a-z0-9]+]]: tensor<2x3xi32>
// CHECK-SAME: %[[Y_I32:[a-z0-9]+]]: tensor<2x3xi32>
func.func @logic(%x_i1: tensor<2x3xi1>, %y_i1: tensor<2x3xi1>,
                 %x_i32: tensor<2x3xi32>, %y_i32: tensor<2x3xi32>) {
  // CHECK-NEXT: %{{.+}} = weft.logical_and %[[X_I1]], %[[Y_I1]] : tensor<2x3xi1>
  %logical_and = weft.logical_and %x_i1, %y_i1 : tensor<2x3xi1>
  // CHECK-NEXT: %{{.+}} = weft.logical_or %[[X_I1]], %[[Y_I1]] : tensor<2x3xi1>
  %logical_or = weft.logical_or %x_i1, %y_i1 : tensor<2x3xi1>
  // CHECK-NEXT: %{{.+}} = weft.logical_xor %[[X_I1]], %[[Y_I1]] : tensor<2x3xi1>
  %logical_xor = weft.logical_xor %x_i1, %y_i1 : tensor<2x3xi1>
  // CHECK-NEXT: %{{.+}} = weft.logical_not %[[X_I1]] : tensor<2x3xi1>
  %logical_not = weft.logical_not %x_i1 : tensor<2x3xi1>
  // CHECK-NEXT: %{{.+}} = weft.bitwise_and %[[X_I32]], %[[Y_I32]] : tensor<2x3xi32>
  %bitwise_and = weft.bitwise_and %x_i32, %y_i32 : tensor<2x3xi32>
  // CHECK-NEXT: %{{.+}} = weft.bitwise_or %[[X_I32]], %[[Y_I32]] : tensor<2x3xi32>
  %bitwise_or = weft.bitwise_or %x_i32, %y_i32 : tensor<2x3xi32>
  // CHECK-NEXT: %{{.+}} = weft.bitwise_xor %[[X_I32]], %[[Y_I32]] : tensor<2x3xi32>
  %bitwise_xor = weft.bitwise_xor %x_i32, %y_i32 : tensor<2x3xi32>
  // CHECK-NEXT: %{{.+}} = weft.bitwise_invert %[[X_I32]] : tensor<2x3xi32>
  %bitwise_invert = weft.bitwise_invert %x_i32 : tensor<2x3xi32>
  // CHECK-NEXT: %{{.+}} = weft.population_count %[[X_I32]] : tensor<2x3xi32>
  %population_count = weft.population_count %x_i32 : tensor<2x3xi32>
  // CHECK-NEXT: %{{.+}} = weft.bitwise_left_shift %[[X_I32]], %[[Y_I32]] : tensor<2x3xi32>
  %bitwise_left_shift = weft.bitwise_left_shift %x_i32, %y_i32 : tensor<2x3xi32>
  // CHECK-NEXT: %{{.+}} = weft.bitwise_right_shift %[[X_I32]], %[[Y_I32]] : tensor<2x3xi32>
  %bitwise_right_shift = weft.bitwise_right_shift %x_i32, %y_i32 : tensor<2x3xi32>
  return
}

// CHECK-LABEL: func.func @threefry(
// CHECK-SAME: %[[KEY:.+]]: tensor<4xui64>, %[[COUNTER:.+]]: tensor<4xui64>)
func.func @threefry(%key: tensor<4xui64>, %counter: tensor<4xui64>) {
  // CHECK-NEXT: %{{.+}} = weft.threefry %[[KEY]], %[[COUNTER]] : tensor<4xui64>
  %threefry = weft.threefry %key, %counter : tensor<4xui64>
  return
}

// CHECK-LABEL: func.func @choice(
// CHECK-SAME: %[[C:[a-z0-9]+]]: tensor<4xi1>, %[[X:[a-z0-9]+]]: tensor<4xui8>, %[[Y:[a-z0-9]+]]: tensor<4xui8>)
func.func @choice(%c: tensor<4xi1>, %x: tensor<4xui8>, %y: tensor<4xui8>) {
  // CHECK-NEXT: %{{.+}} = weft.select %[[C]], %[[X]], %[[Y]] : tensor<4xui8>
  // GENERIC: "weft.select"(%{{.+}}) : (tensor<4xi1>, tensor<4xui8>, tensor<4xui8>) -> tensor<4xui8>
  %select = weft.select %c, %x, %y : tensor<4xui8>
  // CHECK-NEXT: %{{.+}} = weft.clamp %[[X]], %[[Y]], %[[X]] : tensor<4xui8>
  %clamp = weft.clamp %x, %y, %x : tensor<4xui8>
  return
}

// CHECK-LABEL: func.func @conversion(
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<4xf32>)
func.func @conversion(%x: tensor<4xf32>) {
  // CHECK-NEXT: %{{.+}} = weft.convert %[[X]] : tensor<4xf32> to tensor<4xui16>
  // GENERIC: "weft.convert"(%{{.+}}) : (tensor<4xf32>) -> tensor<4xui16>
  %convert = weft.convert %x : tensor<4xf32> to tensor<4xui16>
  // CHECK-NEXT: %{{.+}} = weft.bitcast %[[X]] : tensor<4xf32> to tensor<4xi32>
  %bitcast = weft.bitcast %x : tensor<4xf32> to tensor<4xi32>
  return
}

// The generic form names both types, and the comparison's is bool.
// CHECK-LABEL: func.func @generic(
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<ui64>)
func.func @generic(%x: tensor<ui64>) {
  // CHECK-NEXT: %[[LESS:.+]] = weft.less %[[X]], %[[X]] : tensor<ui64>
  // GENERIC: "weft.less"(%{{.+}}) : (tensor<ui64>, tensor<ui64>) -> tensor<i1>
  %less = "weft.less"(%x, %x) : (tensor<ui64>, tensor<ui64>) -> tensor<i1>
  // CHECK-NEXT: %{{.+}} = weft.logical_not %[[LESS]] : tensor<i1>
  %not = "weft.logical_not"(%less) : (tensor<i1>) -> tensor<i1>
  return
}

// Every element type, and shapes of rank 0 and of no elements.
// CHECK-LABEL: func.func @types(
func.func @types(%i1: tensor<i1>, %i8: tensor<0xi8>, %i16: tensor<2x0xi16>,
                 %i32: tensor<1xi32>, %i64: tensor<1x1xi64>, %ui8: tensor<2xui8>,
                 %ui16: tensor<2xui16>, %ui32: tensor<2xui32>,
                 %ui64: tensor<2xui64>, %f32: tensor<f32>, %f64: tensor<f64>) {

  // CHECK: weft.equal %{{.+}}, %{{.+}} : tensor<i1>
  %eq_i1 = weft.equal %i1, %i1 : tensor<i1>
  // CHECK: weft.equal %{{.+}}, %{{.+}} : tensor<0xi8>
  %eq_i8 = weft.equal %i8, %i8 : tensor<0xi8>
  // CHECK: weft.equal %{{.+}}, %{{.+}} : tensor<2x0xi16>
  %eq_i16 = weft.equal %i16, %i16 : tensor<2x0xi16>
  // CHECK: weft.equal %{{.+}}, %{{.+}} : tensor<1xi32>
  %eq_i32 = weft.equal %i32, %i32 : tensor<1xi32>
  // CHECK: weft.equal %{{.+}}, %{{.+}} : tensor<1x1xi64>
  %eq_i64 = weft.equal %i64, %i64 : tensor<1x1xi64>
  // CHECK: weft.equal %{{.+}}, %{{.+}} : tensor<2xui8>
  %eq_ui8 = weft.equal %ui8, %ui8 : tensor<2xui8>
  // CHECK: weft.equal %{{.+}}, %{{.+}} : tensor<2xui16>
  %eq_ui16 = weft.equal %ui16, %ui16 : tensor<2xui16>
  // CHECK: weft.equal %{{.+}}, %{{.+}} : tensor<2xui32>
  %eq_ui32 = weft.equal %ui32, %ui32 : tensor<2xui32>
  // CHECK: weft.equal %{{.+}}, %{{.+}} : tensor<2xui64>
  %eq_ui64 = weft.equal %ui64, %ui64 : tensor<2xui64>
  // CHECK: weft.equal %{{.+}}, %{{.+}} : tensor<f32>
  %eq_f32 = weft.equal %f32, %f32 : tensor<f32>
  // CHECK: weft.equal %{{.+}}, %{{.+}} : tensor<f64>
  %eq_f64 = weft.equal %f64, %f64 : tensor<f64>
  return
}

// CHECK-LABEL: func.func @stop_gradient(
func.func @stop_gradient(%x: tensor<2xi1>, %y: tensor<f64>) {
  // CHECK-NEXT: weft.stop_gradient %{{.+}} : tensor<2xi1>
  %0 = weft.stop_gradient %x : tensor<2xi1>
  // CHECK-NEXT: weft.stop_gradient %{{.+}} : tensor<f64>
  %1 = weft.stop_gradient %y : tensor<f64>
  return
}

// CHECK-LABEL: func.func @complex_numbers(
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<4xf32>
func.func @complex_numbers(%x: tensor<4xf32>) {
  // CHECK-NEXT: %[[Z:.+]] = weft.complex %[[X]], %[[X]] : tensor<4xf32>
  %complex = weft.complex %x, %x : tensor<4xf32>
  // CHECK-NEXT: %{{.+}} = weft.real %[[Z]] : tensor<4xcomplex<f32>>
  %real = weft.real %complex : tensor<4xcomplex<f32>>
  // CHECK-NEXT: %{{.+}} = weft.imag %[[Z]] : tensor<4xcomplex<f32>>
  %imag = weft.imag %complex : tensor<4xcomplex<f32>>
  // CHECK-NEXT: %{{.+}} = weft.conj %[[Z]] : tensor<4xcomplex<f32>>
  %conj = weft.conj %complex : tensor<4xcomplex<f32>>
  // CHECK-NEXT: %{{.+}} = weft.abs %[[Z]] : tensor<4xcomplex<f32>>
  %abs = weft.abs %complex : tensor<4xcomplex<f32>>
  // CHECK-NEXT: %{{.+}} = weft.convert %[[Z]] : tensor<4xcomplex<f32>> to tensor<4xcomplex<f64>>
  %convert = weft.convert %complex : tensor<4xcomplex<f32>> to tensor<4xcomplex<f64>>
  return
}
