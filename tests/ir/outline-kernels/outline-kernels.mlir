// RUN: weft-opt --weft-outline-kernels %s | FileCheck %s

// Constants move with the op; other scalars are passed.
// CHECK-LABEL: func.func private @f_kernel(
// CHECK-SAME: %[[A:.+]]: memref<4xf32>)
// CHECK: %[[ZERO:.+]] = arith.constant 0.000000e+00 : f32
// CHECK: linalg.fill ins(%[[ZERO]] : f32) outs(%[[A]] :

// CHECK-LABEL: func.func private @f_kernel_0(
// CHECK-SAME: %[[X:.+]]: f32, %[[B:.+]]: memref<4xf32>)
// CHECK: linalg.fill ins(%[[X]] : f32) outs(%[[B]] :

// CHECK-LABEL: func.func @f(
// CHECK-NOT: linalg
// CHECK: call @f_kernel(%{{.+}})
// CHECK: call @f_kernel_0(%{{.+}}, %{{.+}})
// CHECK: return
func.func @f(%x: f32, %a: memref<4xf32>) attributes {weft.arena_bytes = 0 : i64} {
  %zero = arith.constant 0.0 : f32
  linalg.fill ins(%zero : f32) outs(%a : memref<4xf32>)
  linalg.fill ins(%x : f32) outs(%a : memref<4xf32>)
  return
}
