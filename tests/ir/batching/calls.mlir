// Batching of a function that calls others: each callee is batched once for each set of
// operands that are stacked. SPLIT shows the functions before they are inlined.
// RUN: weft-opt --weft-expand-transforms %s | FileCheck %s
// RUN: weft-opt --weft-expand-transforms --mlir-print-ir-before=weft-inline-calls -o /dev/null %s 2>&1 | FileCheck %s --check-prefix=SPLIT

func.func private @g(%x: tensor<4xf32>, %y: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  %0 = weft.multiply %x, %y : tensor<4xf32>
  %1 = weft.exp %y : tensor<4xf32>
  return %0, %1 : tensor<4xf32>, tensor<4xf32>
}
func.func private @f(%x: tensor<4xf32>, %w: tensor<4xf32>) -> tensor<4xf32> {
  %0:2 = call @g(%x, %w) : (tensor<4xf32>, tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>)
  %1:2 = call @g(%0#0, %0#1) : (tensor<4xf32>, tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>)
  %2:2 = call @g(%w, %w) : (tensor<4xf32>, tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>)
  %3 = weft.add %1#0, %2#0 : tensor<4xf32>
  return %3 : tensor<4xf32>
}

// The second result of @g does not depend on its first operand, so it stays single.
// SPLIT: func.func private @g.vmap(%{{.+}}: tensor<7x4xf32>, %{{.+}}: tensor<4xf32>) -> (tensor<7x4xf32>, tensor<4xf32>)
// SPLIT-NOT: func.func private @g.vmap
// SPLIT: func.func private @f.vmap(
// SPLIT-COUNT-2: call @g.vmap(
// SPLIT: call @g(
// SPLIT-NOT: func.func private @g.vmap

// CHECK-LABEL: func.func @calls(
// CHECK-NOT: call
// CHECK: weft.exp %arg1 : tensor<4xf32>
// CHECK: return
func.func @calls(%x: tensor<7x4xf32>, %w: tensor<4xf32>) -> tensor<7x4xf32> {
  %0 = weft.vmap @f(%x, %w) size 7 in [0, -1] out [0] : (tensor<7x4xf32>, tensor<4xf32>) -> tensor<7x4xf32>
  return %0 : tensor<7x4xf32>
}

// A function that itself batches, and one of a derivative.
func.func private @outer(%x: tensor<4xf32>, %ws: tensor<5x4xf32>) -> tensor<5xf32> {
  %0 = weft.vmap @f(%x, %ws) size 5 in [-1, 0] out [0] : (tensor<4xf32>, tensor<5x4xf32>) -> tensor<5x4xf32>
  %1 = weft.sum %0 axes [1] : tensor<5x4xf32> to tensor<5xf32>
  return %1 : tensor<5xf32>
}
// CHECK-LABEL: func.func @nested(
// CHECK: weft.sum %{{.+}} axes [2] : tensor<7x5x4xf32> to tensor<7x5xf32>
func.func @nested(%x: tensor<7x4xf32>, %ws: tensor<5x4xf32>) -> tensor<7x5xf32> {
  %0 = weft.vmap @outer(%x, %ws) size 7 in [0, -1] out [0] : (tensor<7x4xf32>, tensor<5x4xf32>) -> tensor<7x5xf32>
  return %0 : tensor<7x5xf32>
}
func.func private @gradient(%x: tensor<4xf32>, %ct: tensor<4xf32>) -> tensor<4xf32> {
  %y, %r = weft.linearize @f(%x, %x) wrt [0] : (tensor<4xf32>, tensor<4xf32>) -> (tensor<4xf32>, !weft.residuals<@f, [0]>)
  %dx = weft.pullback %r(%ct) : (!weft.residuals<@f, [0]>, tensor<4xf32>) -> tensor<4xf32>
  return %dx : tensor<4xf32>
}
// CHECK-LABEL: func.func @gradients(
// CHECK: weft.multiply {{.+}} : tensor<7x4xf32>
func.func @gradients(%x: tensor<7x4xf32>, %ct: tensor<4xf32>) -> tensor<7x4xf32> {
  %0 = weft.vmap @gradient(%x, %ct) size 7 in [0, -1] out [0] : (tensor<7x4xf32>, tensor<4xf32>) -> tensor<7x4xf32>
  return %0 : tensor<7x4xf32>
}
