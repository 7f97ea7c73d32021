// RUN: weft-opt %s --weft-lower-to-linalg --canonicalize --cse | FileCheck %s
// RUN: weft-opt %s --weft-cpu | FileCheck %s --check-prefix=LLVM

// What has no instruction, or one that flushes subnormals, is integers by then.
// LLVM-NOT: fptrunc{{.*}}bf16
// LLVM-NOT: fpext{{.*}}bf16
// LLVM-NOT: f8

// One element is computed in f32 and rounded once.
// CHECK-LABEL: func.func @chain
func.func @chain(%x: tensor<4xf16>, %y: tensor<4xf16>) -> tensor<4xf16> {
  // CHECK: linalg.generic
  // CHECK: ^bb0(%[[X:.+]]: f16, %[[Y:.+]]: f16, %{{.+}}: f16):
  // CHECK-NEXT: %[[WX:.+]] = arith.extf %[[X]] : f16 to f32
  // CHECK-NEXT: %[[WY:.+]] = arith.extf %[[Y]] : f16 to f32
  // CHECK-NEXT: %[[R:.+]] = arith.divf %[[WX]], %[[WY]] : f32
  // CHECK-NEXT: %[[N:.+]] = arith.truncf %[[R]] : f32 to f16
  // CHECK-NEXT: linalg.yield %[[N]] : f16
  %0 = weft.divide %x, %y : tensor<4xf16>
  return %0 : tensor<4xf16>
}

// Elements that are moved keep their bits.
// CHECK-LABEL: func.func @moved
func.func @moved(%c: tensor<4xi1>, %x: tensor<4xbf16>, %y: tensor<4xbf16>)
    -> tensor<4xbf16> {
  // CHECK: ^bb0(%[[C:.+]]: i8, %[[X:.+]]: bf16, %[[Y:.+]]: bf16, %{{.+}}: bf16):
  // CHECK: %[[R:.+]] = arith.select %{{.+}}, %[[X]], %[[Y]] : bf16
  // CHECK-NEXT: linalg.yield %[[R]] : bf16
  %0 = weft.select %c, %x, %y : tensor<4xbf16>
  return %0 : tensor<4xbf16>
}

// A bf16 is the upper half of an f32.
// CHECK-LABEL: func.func @widened
func.func @widened(%x: tensor<4xbf16>) -> tensor<4xf32> {
  // CHECK: ^bb0(%[[X:.+]]: bf16, %{{.+}}: f32):
  // CHECK: %[[B:.+]] = arith.bitcast %[[X]] : bf16 to i16
  // CHECK: %[[W:.+]] = arith.extui %[[B]] : i16 to i32
  // CHECK: %[[U:.+]] = arith.shli %[[W]], %{{.+}} : i32
  // CHECK: arith.bitcast %[[U]] : i32 to f32
  %0 = weft.convert %x : tensor<4xbf16> to tensor<4xf32>
  return %0 : tensor<4xf32>
}

// Sums are f32 until the end.
// CHECK-LABEL: func.func @accumulated
func.func @accumulated(%x: tensor<4x8xf16>) -> tensor<4xf16> {
  // CHECK: %[[ZERO:.+]] = arith.constant 0.000000e+00 : f32
  // CHECK: %[[INIT:.+]] = linalg.fill ins(%[[ZERO]] : f32) {{.*}} -> tensor<4xf32>
  // CHECK: %[[SUM:.+]] = linalg.generic {{.*}} outs(%[[INIT]] : tensor<4xf32>)
  // CHECK: linalg.generic {{.*}} ins(%[[SUM]] : tensor<4xf32>)
  // CHECK: arith.truncf %{{.+}} : f32 to f16
  %0 = weft.sum %x axes [1] : tensor<4x8xf16> to tensor<4xf16>
  return %0 : tensor<4xf16>
}

// CHECK-LABEL: func.func @contracted
func.func @contracted(%x: tensor<4x8xbf16>, %y: tensor<8x2xbf16>)
    -> tensor<4x2xbf16> {
  // CHECK: linalg.generic {{.*}} ins(%{{.+}}, %{{.+}} : tensor<4x8xbf16>, tensor<8x2xbf16>) outs(%{{.+}} : tensor<4x2xf32>)
  // CHECK: arith.mulf %{{.+}}, %{{.+}} fastmath<reassoc,contract> : f32
  %0 = weft.dot_general %x, %y batch [] x [] contract [1] x [0]
      : (tensor<4x8xbf16>, tensor<8x2xbf16>) -> tensor<4x2xbf16>
  return %0 : tensor<4x2xbf16>
}

// Floats of 8 bits are bits.
// CHECK-LABEL: func.func @stored
// CHECK-SAME: (%{{.+}}: tensor<4xi8>) -> tensor<2xi8>
func.func @stored(%x: tensor<4xf8E5M2>) -> tensor<2xf8E5M2> {
  // CHECK: tensor.extract_slice {{.*}} tensor<4xi8> to tensor<2xi8>
  %0 = weft.slice %x from [0] to [4] by [2]
      : tensor<4xf8E5M2> to tensor<2xf8E5M2>
  return %0 : tensor<2xf8E5M2>
}

// CHECK-LABEL: func.func @constant
func.func @constant() -> tensor<2xf8E4M3FN> {
  // CHECK: arith.constant dense<[60, -64]> : tensor<2xi8>
  %0 = weft.constant dense<[1.5, -2.0]> : tensor<2xf8E4M3FN>
  return %0 : tensor<2xf8E4M3FN>
}

// A sign is a bit: nothing is widened and rounded for it.
// CHECK-LABEL: func.func @signs
func.func @signs(%x: tensor<4xbf16>) -> (tensor<4xbf16>, tensor<4xbf16>) {
  // CHECK: %[[A:.+]] = arith.bitcast %{{.+}} : bf16 to i16
  // CHECK-NEXT: %[[N:.+]] = arith.xori %[[A]], %{{.+}} : i16
  // CHECK-NEXT: %[[R:.+]] = arith.bitcast %[[N]] : i16 to bf16
  // CHECK-NEXT: linalg.yield %[[R]] : bf16
  %0 = weft.negative %x : tensor<4xbf16>
  // CHECK: %[[B:.+]] = arith.bitcast %{{.+}} : bf16 to i16
  // CHECK-NEXT: %[[M:.+]] = arith.andi %[[B]], %{{.+}} : i16
  // CHECK-NEXT: %[[S:.+]] = arith.bitcast %[[M]] : i16 to bf16
  // CHECK-NEXT: linalg.yield %[[S]] : bf16
  %1 = weft.abs %x : tensor<4xbf16>
  return %0, %1 : tensor<4xbf16>, tensor<4xbf16>
}
