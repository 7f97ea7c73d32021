// RUN: weft-opt --weft-lower-to-linalg --canonicalize %s | FileCheck %s
// RUN: %weft-run < %s | FileCheck %s --check-prefix=NUMBER

// A pair of words is taken apart, and its rounds are a straight line.
// CHECK-LABEL: func.func @threefry(
// CHECK: linalg.generic
// CHECK: arith.shrui %{{.+}}, %{{.+}} : i64
// CHECK: arith.trunci %{{.+}} : i64 to i32
// CHECK-COUNT-20: arith.shli %{{.+}}, %{{.+}} : i32
// CHECK-NOT: arith.shli %{{.+}}, %{{.+}} : i32
// CHECK: arith.extui %{{.+}} : i32 to i64
// CHECK-NOT: scf
// CHECK: linalg.yield %{{.+}} : i64
func.func @threefry(%key: tensor<3xui64>, %counter: tensor<3xui64>) -> tensor<3xui64> {
  %0 = weft.threefry %key, %counter : tensor<3xui64>
  return %0 : tensor<3xui64>
}

// No function of libm takes part, which may differ from target to target.
// CHECK-LABEL: func.func @erfinv(
// CHECK: math.sqrt
// CHECK-NOT: math.log
// CHECK: math.copysign
func.func @erfinv(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = weft.erfinv %x : tensor<4xf32>
  return %0 : tensor<4xf32>
}

// Random123's known answers: keys, counters and results are pairs of words.
// NUMBER: uint64 [7719171245655871230, 2069851515966729191, 14164448220934961056]
func.func @main() -> tensor<3xui64> {
  %key = weft.constant dense<[0x0, 0xFFFFFFFFFFFFFFFF, 0x13198A2E03707344]> : tensor<3xui64>
  %counter = weft.constant dense<[0x0, 0xFFFFFFFFFFFFFFFF, 0x243F6A8885A308D3]> : tensor<3xui64>
  %0 = func.call @threefry(%key, %counter) : (tensor<3xui64>, tensor<3xui64>) -> tensor<3xui64>
  return %0 : tensor<3xui64>
}
