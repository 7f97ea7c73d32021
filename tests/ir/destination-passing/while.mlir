// RUN: weft-opt --weft-to-memref %s | FileCheck %s

#id = affine_map<(d0) -> (d0)>

// What a step carries for the condition alone has no name in the body.
// CHECK-LABEL: func.func @until_it_settles(
// CHECK: scf.while
// CHECK-NOT: tensor<
// CHECK: return
func.func @until_it_settles(%x: tensor<3xf32>, %before: tensor<3xf32>) -> tensor<3xf32> {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  %0 = scf.while (%now = %x, %last = %before) : (tensor<3xf32>, tensor<3xf32>) -> tensor<3xf32> {
    %e = tensor.extract %last[%c0] : tensor<3xf32>
    %more = arith.cmpf olt, %zero, %e : f32
    scf.condition(%more) %now : tensor<3xf32>
  } do {
  ^bb0(%now: tensor<3xf32>):
    %empty = tensor.empty() : tensor<3xf32>
    %next = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
        ins(%now : tensor<3xf32>) outs(%empty : tensor<3xf32>) {
    ^bb0(%in: f32, %out: f32):
      %y = arith.addf %in, %in : f32
      linalg.yield %y : f32
    } -> tensor<3xf32>
    scf.yield %next, %now : tensor<3xf32>, tensor<3xf32>
  }
  return %0 : tensor<3xf32>
}
