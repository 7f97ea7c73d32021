// RUN: weft-opt --pass-pipeline='builtin.module(gpu.module(weft-expand-remainders))' %s | FileCheck %s

// CHECK-LABEL: gpu.module @kernels
gpu.module @kernels {
  // CHECK: gpu.func @k(%[[X:.+]]: f32, %[[Y:.+]]: f32, %[[Z:.+]]: f64,
  gpu.func @k(%x: f32, %y: f32, %z: f64, %p: memref<f32>, %q: memref<f64>) kernel {
    // CHECK: %[[A:.+]] = func.call @weft_fmod_f32(%[[X]], %[[Y]]) : (f32, f32) -> f32
    // CHECK: func.call @weft_fmod_f32(%[[A]], %[[Y]])
    // CHECK: func.call @weft_fmod_f64(%[[Z]], %[[Z]])
    %0 = arith.remf %x, %y : f32
    %1 = arith.remf %0, %y : f32
    %2 = arith.remf %z, %z : f64
    memref.store %1, %p[] : memref<f32>
    memref.store %2, %q[] : memref<f64>
    gpu.return
  }
  // One function for each type.
  // CHECK-DAG: func.func private @weft_fmod_f32(%{{.+}}: f32, %{{.+}}: f32) -> f32 {
  // CHECK-DAG: func.func private @weft_fmod_f64(%{{.+}}: f64, %{{.+}}: f64) -> f64 {
  // CHECK-NOT: arith.remf
}
