// RUN: weft-opt --weft-expand-math --split-input-file %s | FileCheck %s

// One function for all places, with neither branches nor calls.
// CHECK-LABEL: func.func @twice(
// CHECK-SAME: %[[X:.+]]: f32
// CHECK: %[[Y:.+]] = call @weft_exp_f32(%[[X]]) : (f32) -> f32
// CHECK: call @weft_exp_f32(%[[Y]]) : (f32) -> f32
// CHECK: func.func private @weft_exp_f32(%{{.+}}: f32) -> f32
// CHECK-SAME: always_inline
// CHECK-NOT: call
// CHECK-NOT: cf.
// CHECK: math.fma
// CHECK: return

module attributes {weft.machine = {fma = true}} {
func.func @twice(%x: f32) -> f32 {
  %0 = math.exp %x : f32
  %1 = math.exp %0 : f32
  return %1 : f32
}
}

// -----

// The widths are two functions.
// CHECK-LABEL: func.func @widths(
// CHECK: call @weft_log_f32(
// CHECK: call @weft_log_f64(
module attributes {weft.machine = {fma = true}} {
func.func @widths(%x: f32, %y: f64) -> (f32, f64) {
  %0 = math.log %x : f32
  %1 = math.log %y : f64
  return %0, %1 : f32, f64
}
}

// -----

// CHECK-LABEL: func.func @left(
// CHECK: math.exp %{{.+}} : f16
// CHECK: math.sqrt
// CHECK-NOT: weft_
module attributes {weft.machine = {fma = true}} {
func.func @left(%x: f16, %y: f32) -> (f16, f32) {
  %0 = math.exp %x : f16
  %1 = math.sqrt %y : f32
  return %0, %1 : f16, f32
}
}

// -----

// One table for all that reduces angles of f64, read without a branch.
// CHECK: memref.global "private" constant @weft_two_over_pi : memref<65x4xf64>
// CHECK-NOT: memref.global
// CHECK-LABEL: func.func @angles(
// CHECK: call @weft_sin_f64(
// CHECK: call @weft_cos_f64(
// CHECK: func.func private @weft_sin_f64(
// CHECK: memref.load
// CHECK-NOT: cf.
// CHECK: return
module attributes {weft.machine = {fma = true}} {
func.func @angles(%x: f64) -> (f64, f64) {
  %0 = math.sin %x : f64
  %1 = math.cos %x : f64
  return %0, %1 : f64, f64
}
}

// -----

// Powers that need no logarithm.
// CHECK-LABEL: func.func @powers(
// CHECK-SAME: %[[X:.+]]: f32, %[[Y:.+]]: f32
// CHECK: arith.mulf %[[X]], %[[X]] : f32
// CHECK: arith.mulf %{{.+}}, %{{.+}} : f64
// CHECK: arith.truncf
// CHECK: arith.divf
// CHECK: %[[WIDE:.+]] = arith.extf %[[X]] : f32 to f64
// CHECK: %[[SQUARE:.+]] = arith.mulf %[[WIDE]], %[[WIDE]] : f64
// CHECK: %[[FOURTH:.+]] = arith.mulf %[[SQUARE]], %[[SQUARE]] : f64
// CHECK: arith.mulf %[[WIDE]], %[[FOURTH]] : f64
// CHECK: arith.divf
// CHECK: arith.truncf
// CHECK: math.sqrt
// CHECK: call @weft_powf_f32(%[[X]], %[[Y]])
// CHECK-NOT: call
// CHECK: return
module attributes {weft.machine = {fma = true}} {
func.func @powers(%x: f32, %y: f32) -> (f32, f32, f32, f32, f32, f32) {
  %m5 = arith.constant -5.0 : f32
  %half = arith.constant 0.5 : f32
  %m1 = arith.constant -1.0 : f32
  %c2 = arith.constant 2.0 : f32
  %c3 = arith.constant 3.0 : f32
  %0 = math.powf %x, %c2 : f32
  %1 = math.powf %x, %c3 : f32
  %2 = math.powf %x, %m1 : f32
  %3 = math.powf %x, %m5 : f32
  %4 = math.powf %x, %half : f32
  %5 = math.powf %x, %y : f32
  return %0, %1, %2, %3, %4, %5 : f32, f32, f32, f32, f32, f32
}
}

// -----

// Products and sums would be rounded differently without FMA.
// CHECK-LABEL: func.func @without(
// CHECK: math.exp
// CHECK-NOT: weft_exp
module attributes {weft.machine = {fma = false}} {
func.func @without(%x: f32) -> f32 {
  %0 = math.exp %x : f32
  return %0 : f32
}
}

// -----

// A remainder of f32 is computed in f64, without a branch; one of f64 is left.
// CHECK-LABEL: func.func @remainders(
// CHECK: call @weft_remf_f32(
// CHECK: arith.remf %{{.+}} : f64
// CHECK: func.func private @weft_remf_f32(
// CHECK-COUNT-6: math.fma %{{.+}} : f64
// CHECK-NOT: math.fma
// CHECK-NOT: call
// CHECK: math.copysign
// CHECK: return
module attributes {weft.machine = {fma = true}} {
func.func @remainders(%x: f32, %y: f64) -> (f32, f64) {
  %0 = arith.remf %x, %x : f32
  %1 = arith.remf %y, %y : f64
  return %0, %1 : f32, f64
}
}
