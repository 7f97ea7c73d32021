// RUN: weft-opt --weft-lower-math %s | FileCheck %s

// CHECK-DAG: func.func private @expm1f(f32) -> f32
// CHECK-DAG: func.func private @erfc(f64) -> f64

// CHECK-LABEL: func.func @calls(
// CHECK: call @expm1f(%{{.+}}) : (f32) -> f32
// CHECK: call @erfc(%{{.+}}) : (f64) -> f64
func.func @calls(%x: f32, %y: f64) -> (f32, f64) {
  %0 = math.expm1 %x : f32
  %1 = math.erfc %y : f64
  return %0, %1 : f32, f64
}

// What LLVM can do itself, and in vectors, stays.
// CHECK-LABEL: func.func @intrinsics(
// CHECK: math.sqrt
// CHECK: math.floor
func.func @intrinsics(%x: f32) -> f32 {
  %0 = math.sqrt %x : f32
  %1 = math.floor %0 : f32
  return %1 : f32
}

// LLVM does not know that this is the same, and so does not round in 16 bits.
// CHECK-LABEL: func.func @halves(
// CHECK: %[[X:.+]] = arith.extf
// CHECK: %[[ROUNDED:.+]] = math.floor %[[X]]
// CHECK: %[[SAME:.+]] = math.copysign %[[ROUNDED]], %[[X]]
// CHECK: arith.truncf %[[SAME]]
func.func @halves(%x: f16) -> f16 {
  %0 = arith.extf %x : f16 to f32
  %1 = math.floor %0 : f32
  %2 = arith.truncf %1 : f32 to f16
  return %2 : f16
}
