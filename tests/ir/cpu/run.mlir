// RUN: %weft-run < %s | FileCheck %s
// RUN: weft-opt --weft-cpu %s | FileCheck %s --check-prefix=LLVM

// The whole way to the machine and back.

// LLVM: llvm.func internal @main.body(
// LLVM: llvm.func @weft_entry_main(

func.func @main() -> (tensor<2x2xf32>, tensor<3xi64>, tensor<2xi1>, tensor<3xui8>) {
  // CHECK: float32 {{\[\[}}10.0, 13.0], {{\[}}28.0, 40.0]]
  %i = weft.iota dim 1 : tensor<2x3xf32>
  %j = weft.iota dim 0 : tensor<2x3xf32>
  %three = weft.constant dense<3.0> : tensor<2x3xf32>
  %0 = weft.multiply %j, %three : tensor<2x3xf32>
  %x = weft.add %i, %0 : tensor<2x3xf32>
  %r = weft.reshape %x : tensor<2x3xf32> to tensor<3x2xf32>
  %y = weft.dot_general %x, %r batch [] x [] contract [1] x [0] : (tensor<2x3xf32>, tensor<3x2xf32>) -> tensor<2x2xf32>

  // CHECK: int64 [1, 1, 1]
  %k = weft.argmax %x axis 0 : tensor<2x3xf32> to tensor<3xi64>

  // CHECK: bool [False, True]
  %sum = weft.sum %x axes [1] : tensor<2x3xf32> to tensor<2xf32>
  %ten = weft.constant dense<10.0> : tensor<2xf32>
  %b = weft.greater %sum, %ten : tensor<2xf32>

  // CHECK: uint8 [250, 251, 252]
  %u = weft.iota dim 0 : tensor<3xui8>
  %c = weft.constant dense<250> : tensor<3xui8>
  %v = weft.add %u, %c : tensor<3xui8>
  return %y, %k, %b, %v : tensor<2x2xf32>, tensor<3xi64>, tensor<2xi1>, tensor<3xui8>
}
