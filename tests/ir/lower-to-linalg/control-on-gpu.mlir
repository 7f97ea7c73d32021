// RUN: weft-opt --weft-lower-to-linalg --canonicalize --cse %s | FileCheck %s

// The host of a GPU knows branches of two, so a choice among several is a chain;
// what lies above is the last body, what lies below the first.
module attributes {weft.gpu = {}} {

// CHECK-LABEL: func.func @choose(
// CHECK-SAME: %[[I:.+]]: tensor<i64>, %[[X:.+]]: tensor<3xf32>)
// CHECK: %[[AT:.+]] = arith.maxsi
// CHECK: %[[FIRST:.+]] = arith.cmpi eq, %[[AT]], %c0
// CHECK: scf.if %[[FIRST]]
// CHECK: math.sin
// CHECK: } else {
// CHECK: %[[SECOND:.+]] = arith.cmpi eq, %[[AT]], %c1
// CHECK: scf.if %[[SECOND]]
// CHECK: math.cos
// CHECK: } else {
// CHECK: math.tan
// CHECK-NOT: scf.index_switch
func.func @choose(%i: tensor<i64>, %x: tensor<3xf32>) -> tensor<3xf32> {
  %0 = weft.switch %i(%x) : (tensor<i64>, tensor<3xf32>) -> tensor<3xf32> {
  ^bb0(%y: tensor<3xf32>):
    %1 = weft.sin %y : tensor<3xf32>
    weft.yield %1 : tensor<3xf32>
  }, {
  ^bb0(%y: tensor<3xf32>):
    %1 = weft.cos %y : tensor<3xf32>
    weft.yield %1 : tensor<3xf32>
  }, {
  ^bb0(%y: tensor<3xf32>):
    %1 = weft.tan %y : tensor<3xf32>
    weft.yield %1 : tensor<3xf32>
  }
  return %0 : tensor<3xf32>
}

}
