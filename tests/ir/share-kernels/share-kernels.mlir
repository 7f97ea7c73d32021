// RUN: weft-opt --weft-share-kernels %s | FileCheck %s

// CHECK-LABEL: func.func private @kernel(
// CHECK-SAME: %[[A:.+]]: memref<64xf32>, %[[BEGIN:.+]]: index, %[[END:.+]]: index) attributes {weft.tasks = 64 : i64}
// CHECK: scf.for %{{.+}} = %[[BEGIN]] to %[[END]]
func.func private @kernel(%a: memref<64xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %zero = arith.constant 0.0 : f32
  scf.for %i = %c0 to %c64 step %c1 {
    memref.store %zero, %a[%i] : memref<64xf32>
  } {weft.parallel}
  return
}

// A loop without the mark keeps its order.
// CHECK-LABEL: func.func private @serial(
// CHECK-SAME: %{{.+}}: memref<64xf32>) {
func.func private @serial(%a: memref<64xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %zero = arith.constant 0.0 : f32
  scf.for %i = %c0 to %c64 step %c1 {
    memref.store %zero, %a[%i] : memref<64xf32>
  }
  return
}

// Nor can one be shared that follows something else: each thread would do that.
// CHECK-LABEL: func.func private @after(
// CHECK-SAME: %{{.+}}: memref<64xf32>) {
func.func private @after(%a: memref<64xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %zero = arith.constant 0.0 : f32
  memref.store %zero, %a[%c0] : memref<64xf32>
  scf.for %i = %c0 to %c64 step %c1 {
    memref.store %zero, %a[%i] : memref<64xf32>
  } {weft.parallel}
  return
}

// CHECK-LABEL: func.func @f(
// CHECK: call @kernel(%{{.+}}, %c0{{.*}}, %c64{{.*}}) :
// CHECK: call @serial(%{{.+}}) :
func.func @f(%a: memref<64xf32>) {
  call @kernel(%a) : (memref<64xf32>) -> ()
  call @serial(%a) : (memref<64xf32>) -> ()
  return
}
