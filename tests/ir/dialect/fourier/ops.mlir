// RUN: weft-opt %s | weft-opt | FileCheck %s
// RUN: weft-opt --mlir-print-op-generic %s | weft-opt | FileCheck %s

// CHECK-LABEL: func.func @transforms(
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<3x8xcomplex<f32>>, %[[R:[a-z0-9]+]]: tensor<3x8xf64>)
func.func @transforms(%x: tensor<3x8xcomplex<f32>>, %r: tensor<3x8xf64>) {
  // CHECK-NEXT: weft.fft %[[X]] axis 1 : tensor<3x8xcomplex<f32>>
  %0 = weft.fft %x axis 1 : tensor<3x8xcomplex<f32>>
  // CHECK-NEXT: weft.fft %[[X]] axis 0 inverse : tensor<3x8xcomplex<f32>>
  %1 = weft.fft %x axis 0 inverse : tensor<3x8xcomplex<f32>>
  // CHECK-NEXT: weft.rfft %[[R]] axis 1 : tensor<3x8xf64> to tensor<3x5xcomplex<f64>>
  %2 = weft.rfft %r axis 1 : tensor<3x8xf64> to tensor<3x5xcomplex<f64>>
  // CHECK-NEXT: weft.irfft %[[X]] axis 1 length 15 : tensor<3x8xcomplex<f32>> to tensor<3x15xf32>
  %3 = weft.irfft %x axis 1 length 15 : tensor<3x8xcomplex<f32>> to tensor<3x15xf32>
  return
}
