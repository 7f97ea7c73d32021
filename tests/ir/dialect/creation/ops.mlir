// RUN: weft-opt %s | weft-opt | FileCheck %s
// RUN: weft-opt --mlir-print-op-generic %s | weft-opt | FileCheck %s
// RUN: weft-opt --mlir-print-op-generic %s | FileCheck %s --check-prefix=GENERIC

// CHECK-LABEL: func.func @constant()
func.func @constant() {
  // CHECK-NEXT: weft.constant dense<1.000000e+00> : tensor<4xf32>
  // GENERIC: "weft.constant"() <{value = dense<1.000000e+00> : tensor<4xf32>}> : () -> tensor<4xf32>
  %splat = weft.constant dense<1.0> : tensor<4xf32>
  // CHECK-NEXT: weft.constant dense<[true, false]> : tensor<2xi1>
  %bools = weft.constant dense<[true, false]> : tensor<2xi1>
  // CHECK-NEXT: weft.constant dense<255> : tensor<ui8>
  %scalar = weft.constant dense<255> : tensor<ui8>
  // CHECK-NEXT: weft.constant dense<> : tensor<0x3xi64>
  %empty = weft.constant dense<> : tensor<0x3xi64>
  // CHECK-NEXT: weft.constant dense<0xFFF0000000000000> : tensor<f64>
  %infinity = weft.constant dense<0xFFF0000000000000> : tensor<f64>
  return
}

// CHECK-LABEL: func.func @iota()
func.func @iota() {
  // CHECK-NEXT: weft.iota dim 1 : tensor<2x3xi32>
  // GENERIC: "weft.iota"() <{dimension = 1 : i64}> : () -> tensor<2x3xi32>
  %0 = weft.iota dim 1 : tensor<2x3xi32>
  // CHECK-NEXT: weft.iota dim 0 : tensor<0xf64>
  %1 = weft.iota dim 0 : tensor<0xf64>
  return
}
