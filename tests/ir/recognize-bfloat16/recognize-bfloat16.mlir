// RUN: weft-opt --pass-pipeline='builtin.module(func.func(weft-recognize-bfloat16,canonicalize))' %s | FileCheck %s

// CHECK-LABEL: func.func @widen(
// CHECK-SAME: %[[X:.+]]: bf16
// CHECK: %[[Y:.+]] = arith.extf %[[X]] : bf16 to f32
// CHECK: return %[[Y]]
func.func @widen(%x: bf16) -> f32 {
  %c16 = arith.constant 16 : i32
  %0 = arith.bitcast %x : bf16 to i16
  %1 = arith.extui %0 : i16 to i32
  %2 = arith.shli %1, %c16 : i32
  %3 = arith.bitcast %2 : i32 to f32
  return %3 : f32
}

// CHECK-LABEL: func.func @round(
// CHECK-SAME: %[[X:.+]]: f32
// CHECK: %[[Y:.+]] = arith.truncf %[[X]] : f32 to bf16
// CHECK: return %[[Y]]
func.func @round(%x: f32) -> bf16 {
  %c16 = arith.constant 16 : i32
  %c64 = arith.constant 64 : i32
  %c1 = arith.constant 1 : i32
  %c32767 = arith.constant 32767 : i32
  %0 = arith.bitcast %x : f32 to i32
  %1 = arith.shrui %0, %c16 : i32
  %2 = arith.ori %1, %c64 : i32
  %3 = arith.cmpf une, %x, %x : f32
  %4 = arith.andi %1, %c1 : i32
  %5 = arith.addi %0, %c32767 : i32
  %6 = arith.addi %5, %4 : i32
  %7 = arith.shrui %6, %c16 : i32
  %8 = arith.select %3, %2, %7 : i32
  %9 = arith.trunci %8 : i32 to i16
  %10 = arith.bitcast %9 : i16 to bf16
  return %10 : bf16
}

// Another shift is another number.
// CHECK-LABEL: func.func @other(
// CHECK: arith.shli
func.func @other(%x: i16) -> f32 {
  %c8 = arith.constant 8 : i32
  %0 = arith.extui %x : i16 to i32
  %1 = arith.shli %0, %c8 : i32
  %2 = arith.bitcast %1 : i32 to f32
  return %2 : f32
}
