// Bodies take the arrays that residuals are, as functions do.
// RUN: weft-opt --weft-expand-transforms %s | FileCheck %s

func.func private @f(%x: tensor<2xf64>, %y: tensor<2xf64>) -> tensor<2xf64> {
  %0 = weft.sin %x : tensor<2xf64>
  %1 = weft.multiply %0, %y : tensor<2xf64>
  return %1 : tensor<2xf64>
}

// CHECK-LABEL: func.func @in_bodies(
// CHECK: weft.switch
// CHECK: weft.multiply
func.func @in_bodies(%p: tensor<i1>, %x: tensor<2xf64>) -> tensor<2xf64> {
  %y, %r = weft.linearize @f(%x, %x) wrt [0] : (tensor<2xf64>, tensor<2xf64>) -> (tensor<2xf64>, !weft.residuals<@f, [0]>)
  %0 = weft.switch %p(%x, %r, %y) : (tensor<i1>, tensor<2xf64>, !weft.residuals<@f, [0]>, tensor<2xf64>) -> tensor<2xf64> {
  ^bb0(%a: tensor<2xf64>, %s: !weft.residuals<@f, [0]>, %b: tensor<2xf64>):
    %1 = weft.pullback %s(%b) : (!weft.residuals<@f, [0]>, tensor<2xf64>) -> tensor<2xf64>
    weft.yield %1 : tensor<2xf64>
  }, {
  ^bb0(%a: tensor<2xf64>, %s: !weft.residuals<@f, [0]>, %b: tensor<2xf64>):
    weft.yield %a : tensor<2xf64>
  }
  return %0 : tensor<2xf64>
}

// Behind carries and slices, from within a loop.
// CHECK-LABEL: func.func @in_a_loop(
// CHECK: weft.scan length 3 carry(%{{.+}}) over(%{{.+}}) with(%{{.+}}) :
// CHECK: weft.cos
func.func @in_a_loop(%x: tensor<2xf64>, %cts: tensor<3x2xf64>) -> tensor<2xf64> {
  %y, %r = weft.linearize @f(%x, %x) wrt [0] : (tensor<2xf64>, tensor<2xf64>) -> (tensor<2xf64>, !weft.residuals<@f, [0]>)
  %0 = weft.scan length 3 carry(%y) over(%cts) with(%r)
      : (tensor<2xf64>, tensor<3x2xf64>, !weft.residuals<@f, [0]>) -> tensor<2xf64> {
  ^bb0(%sum: tensor<2xf64>, %ct: tensor<2xf64>, %s: !weft.residuals<@f, [0]>):
    %1 = weft.pullback %s(%ct) : (!weft.residuals<@f, [0]>, tensor<2xf64>) -> tensor<2xf64>
    %2 = weft.add %sum, %1 : tensor<2xf64>
    weft.yield %2 : tensor<2xf64>
  }
  return %0 : tensor<2xf64>
}
