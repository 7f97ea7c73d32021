// RUN: weft-opt --pass-pipeline='builtin.module(gpu.module(weft-expand-math))' %s | FileCheck %s

// GPUs have instructions for 2^x and 1 / x of f32, and none of f64.
module attributes {weft.machine = {fma = true}} {
  gpu.module @kernels {
    // CHECK: func.func private @weft_exp_f32(%[[X:.+]]: f32) -> f32
    // CHECK-NOT: return
    // CHECK: llvm.call_intrinsic "llvm.nvvm.ex2.approx.ftz.f32"(%{{.+}}) : (f32) -> f32
    // CHECK-NOT: math.fma
    // CHECK: return
    // CHECK: func.func private @weft_tanh_f32(
    // CHECK: nvvm.rcp.approx.ftz.f
    // CHECK: return
    // CHECK: func.func private @weft_exp_f64(
    // CHECK-NOT: approx
    // CHECK: return
    func.func @functions(%x: f32, %y: f64) -> (f32, f32, f64) {
      %0 = math.exp %x : f32
      %1 = math.tanh %x : f32
      %2 = math.exp %y : f64
      return %0, %1, %2 : f32, f32, f64
    }
  }
}

// CHECK-NOT: approx
