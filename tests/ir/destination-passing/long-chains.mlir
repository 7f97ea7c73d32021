// RUN: weft-opt --weft-destination-passing %s | FileCheck %s
// RUN: weft-opt --weft-to-memref %s | FileCheck --check-prefix=MEMREF %s

// A long chain of updates is several to the analysis, and one buffer.
// CHECK-LABEL: func.func @chain(
// CHECK-COUNT-16: tensor.insert %
// CHECK-NEXT: %[[BUFFER:.+]] = bufferization.to_buffer
// CHECK-NEXT: bufferization.to_tensor %[[BUFFER]] restrict writable
// CHECK-COUNT-4: tensor.insert %
// CHECK-NOT: to_buffer
// CHECK: return{{$}}
// MEMREF-LABEL: func.func @chain(
// MEMREF: memref.copy %{{.+}}, %arg1
// MEMREF-NOT: memref.copy
// MEMREF-COUNT-20: memref.store {{.*}}, %arg1
// MEMREF-NOT: memref.copy
// MEMREF: return{{$}}
func.func @chain(%x0: tensor<4xf32>) -> tensor<4xf32> {
  %i = arith.constant 1 : index
  %v = arith.constant 2.0 : f32
  %x1 = tensor.insert %v into %x0[%i] : tensor<4xf32>
  %x2 = tensor.insert %v into %x1[%i] : tensor<4xf32>
  %x3 = tensor.insert %v into %x2[%i] : tensor<4xf32>
  %x4 = tensor.insert %v into %x3[%i] : tensor<4xf32>
  %x5 = tensor.insert %v into %x4[%i] : tensor<4xf32>
  %x6 = tensor.insert %v into %x5[%i] : tensor<4xf32>
  %x7 = tensor.insert %v into %x6[%i] : tensor<4xf32>
  %x8 = tensor.insert %v into %x7[%i] : tensor<4xf32>
  %x9 = tensor.insert %v into %x8[%i] : tensor<4xf32>
  %x10 = tensor.insert %v into %x9[%i] : tensor<4xf32>
  %x11 = tensor.insert %v into %x10[%i] : tensor<4xf32>
  %x12 = tensor.insert %v into %x11[%i] : tensor<4xf32>
  %x13 = tensor.insert %v into %x12[%i] : tensor<4xf32>
  %x14 = tensor.insert %v into %x13[%i] : tensor<4xf32>
  %x15 = tensor.insert %v into %x14[%i] : tensor<4xf32>
  %x16 = tensor.insert %v into %x15[%i] : tensor<4xf32>
  %x17 = tensor.insert %v into %x16[%i] : tensor<4xf32>
  %x18 = tensor.insert %v into %x17[%i] : tensor<4xf32>
  %x19 = tensor.insert %v into %x18[%i] : tensor<4xf32>
  %x20 = tensor.insert %v into %x19[%i] : tensor<4xf32>
  return %x20 : tensor<4xf32>
}

// What is read of a tensor after an update is read before the cut.
// CHECK-LABEL: func.func @read(
// CHECK-COUNT-16: tensor.insert %
// CHECK-NEXT: tensor.extract %
// CHECK-NEXT: bufferization.to_buffer
// CHECK-NEXT: bufferization.to_tensor
// CHECK-NEXT: tensor.insert %
// CHECK: return{{$}}
func.func @read(%x0: tensor<4xf32>) -> tensor<4xf32> {
  %i = arith.constant 1 : index
  %v = arith.constant 2.0 : f32
  %x1 = tensor.insert %v into %x0[%i] : tensor<4xf32>
  %x2 = tensor.insert %v into %x1[%i] : tensor<4xf32>
  %x3 = tensor.insert %v into %x2[%i] : tensor<4xf32>
  %x4 = tensor.insert %v into %x3[%i] : tensor<4xf32>
  %x5 = tensor.insert %v into %x4[%i] : tensor<4xf32>
  %x6 = tensor.insert %v into %x5[%i] : tensor<4xf32>
  %x7 = tensor.insert %v into %x6[%i] : tensor<4xf32>
  %x8 = tensor.insert %v into %x7[%i] : tensor<4xf32>
  %x9 = tensor.insert %v into %x8[%i] : tensor<4xf32>
  %x10 = tensor.insert %v into %x9[%i] : tensor<4xf32>
  %x11 = tensor.insert %v into %x10[%i] : tensor<4xf32>
  %x12 = tensor.insert %v into %x11[%i] : tensor<4xf32>
  %x13 = tensor.insert %v into %x12[%i] : tensor<4xf32>
  %x14 = tensor.insert %v into %x13[%i] : tensor<4xf32>
  %x15 = tensor.insert %v into %x14[%i] : tensor<4xf32>
  %x16 = tensor.insert %v into %x15[%i] : tensor<4xf32>
  %y = tensor.extract %x16[%i] : tensor<4xf32>
  %x17 = tensor.insert %y into %x16[%i] : tensor<4xf32>
  %e = tensor.empty() : tensor<4xf32>
  %z = linalg.exp ins(%x17 : tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  return %z : tensor<4xf32>
}

// There is no cut before a part of what the chain began with is read: it would
// be a copy.
// CHECK-LABEL: func.func @part(
// CHECK-NOT: to_buffer
// CHECK: tensor.extract %
// CHECK-NEXT: bufferization.to_buffer
// CHECK-NEXT: bufferization.to_tensor
// CHECK-NEXT: tensor.insert %
// CHECK-NOT: to_buffer
// CHECK: return{{$}}
func.func @part(%x: tensor<4xf32>) -> tensor<4xf32> {
  %i = arith.constant 1 : index
  %v = arith.constant 2.0 : f32
  %e = tensor.empty() : tensor<4xf32>
  %x0 = linalg.exp ins(%x : tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  %part = tensor.extract_slice %x0[3] [1] [1] : tensor<4xf32> to tensor<1xf32>
  %x1 = tensor.insert %v into %x0[%i] : tensor<4xf32>
  %x2 = tensor.insert %v into %x1[%i] : tensor<4xf32>
  %x3 = tensor.insert %v into %x2[%i] : tensor<4xf32>
  %x4 = tensor.insert %v into %x3[%i] : tensor<4xf32>
  %x5 = tensor.insert %v into %x4[%i] : tensor<4xf32>
  %x6 = tensor.insert %v into %x5[%i] : tensor<4xf32>
  %x7 = tensor.insert %v into %x6[%i] : tensor<4xf32>
  %x8 = tensor.insert %v into %x7[%i] : tensor<4xf32>
  %x9 = tensor.insert %v into %x8[%i] : tensor<4xf32>
  %x10 = tensor.insert %v into %x9[%i] : tensor<4xf32>
  %x11 = tensor.insert %v into %x10[%i] : tensor<4xf32>
  %x12 = tensor.insert %v into %x11[%i] : tensor<4xf32>
  %x13 = tensor.insert %v into %x12[%i] : tensor<4xf32>
  %x14 = tensor.insert %v into %x13[%i] : tensor<4xf32>
  %x15 = tensor.insert %v into %x14[%i] : tensor<4xf32>
  %x16 = tensor.insert %v into %x15[%i] : tensor<4xf32>
  %x17 = tensor.insert %v into %x16[%i] : tensor<4xf32>
  %x18 = tensor.insert %v into %x17[%i] : tensor<4xf32>
  %c0 = arith.constant 0 : index
  %y = tensor.extract %part[%c0] : tensor<1xf32>
  %x19 = tensor.insert %y into %x18[%i] : tensor<4xf32>
  %z = linalg.exp ins(%x19 : tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  return %z : tensor<4xf32>
}

// Where an update begins with a copy, a chain begins.
// CHECK-LABEL: func.func @kept(
// CHECK-NOT: to_buffer
// CHECK: return{{$}}
func.func @kept(%x0: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  %i = arith.constant 1 : index
  %v = arith.constant 2.0 : f32
  %x1 = tensor.insert %v into %x0[%i] : tensor<4xf32>
  %x2 = tensor.insert %v into %x1[%i] : tensor<4xf32>
  %x3 = tensor.insert %v into %x2[%i] : tensor<4xf32>
  %x4 = tensor.insert %v into %x3[%i] : tensor<4xf32>
  %x5 = tensor.insert %v into %x4[%i] : tensor<4xf32>
  %x6 = tensor.insert %v into %x5[%i] : tensor<4xf32>
  %x7 = tensor.insert %v into %x6[%i] : tensor<4xf32>
  %x8 = tensor.insert %v into %x7[%i] : tensor<4xf32>
  %x9 = tensor.insert %v into %x8[%i] : tensor<4xf32>
  %x10 = tensor.insert %v into %x9[%i] : tensor<4xf32>
  %x11 = tensor.insert %v into %x10[%i] : tensor<4xf32>
  %x12 = tensor.insert %v into %x11[%i] : tensor<4xf32>
  %x13 = tensor.insert %v into %x12[%i] : tensor<4xf32>
  %x14 = tensor.insert %v into %x13[%i] : tensor<4xf32>
  %x15 = tensor.insert %v into %x14[%i] : tensor<4xf32>
  %x16 = tensor.insert %v into %x15[%i] : tensor<4xf32>
  %x17 = tensor.insert %v into %x16[%i] : tensor<4xf32>
  %x18 = tensor.insert %v into %x17[%i] : tensor<4xf32>
  %x19 = tensor.insert %v into %x18[%i] : tensor<4xf32>
  %x20 = tensor.insert %v into %x19[%i] : tensor<4xf32>
  return %x20, %x10 : tensor<4xf32>, tensor<4xf32>
}

// The buffer of a part of an array has gaps: its chain is cut later.
// CHECK-LABEL: func.func @row(
// CHECK-NOT: to_buffer
// CHECK: return{{$}}
func.func @row(%a: tensor<2x4xf32>) -> tensor<2x4xf32> {
  %i = arith.constant 1 : index
  %v = arith.constant 2.0 : f32
  %e = tensor.empty() : tensor<2x4xf32>
  %b = linalg.exp ins(%a : tensor<2x4xf32>) outs(%e : tensor<2x4xf32>) -> tensor<2x4xf32>
  %x0 = tensor.extract_slice %b[1, 0] [1, 4] [1, 1] : tensor<2x4xf32> to tensor<4xf32>
  %x1 = tensor.insert %v into %x0[%i] : tensor<4xf32>
  %x2 = tensor.insert %v into %x1[%i] : tensor<4xf32>
  %x3 = tensor.insert %v into %x2[%i] : tensor<4xf32>
  %x4 = tensor.insert %v into %x3[%i] : tensor<4xf32>
  %x5 = tensor.insert %v into %x4[%i] : tensor<4xf32>
  %x6 = tensor.insert %v into %x5[%i] : tensor<4xf32>
  %x7 = tensor.insert %v into %x6[%i] : tensor<4xf32>
  %x8 = tensor.insert %v into %x7[%i] : tensor<4xf32>
  %x9 = tensor.insert %v into %x8[%i] : tensor<4xf32>
  %x10 = tensor.insert %v into %x9[%i] : tensor<4xf32>
  %x11 = tensor.insert %v into %x10[%i] : tensor<4xf32>
  %x12 = tensor.insert %v into %x11[%i] : tensor<4xf32>
  %x13 = tensor.insert %v into %x12[%i] : tensor<4xf32>
  %x14 = tensor.insert %v into %x13[%i] : tensor<4xf32>
  %x15 = tensor.insert %v into %x14[%i] : tensor<4xf32>
  %x16 = tensor.insert %v into %x15[%i] : tensor<4xf32>
  %x17 = tensor.insert %v into %x16[%i] : tensor<4xf32>
  %x18 = tensor.insert %v into %x17[%i] : tensor<4xf32>
  %x19 = tensor.insert %v into %x18[%i] : tensor<4xf32>
  %x20 = tensor.insert %v into %x19[%i] : tensor<4xf32>
  %c = tensor.insert_slice %x20 into %b[1, 0] [1, 4] [1, 1] : tensor<4xf32> into tensor<2x4xf32>
  return %c : tensor<2x4xf32>
}
