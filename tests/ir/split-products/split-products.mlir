// RUN: weft-opt --pass-pipeline='builtin.module(func.func(weft-split-products))' --split-input-file %s | FileCheck %s

#a = affine_map<(m, k, n) -> (m, k)>
#b = affine_map<(m, k, n) -> (k, n)>
#c = affine_map<(m, k, n) -> (m, n)>

// CHECK-LABEL: func.func @few_tiles(
// CHECK: tensor.expand_shape %{{.+}} {{\[\[}}0], [1, 2]] output_shape [64, [[PARTS:.+]], [[STEPS:.+]]]
// CHECK: tensor.expand_shape %{{.+}} {{\[\[}}0, 1], [2]] output_shape [[[PARTS]], [[STEPS]], 64]
// CHECK: linalg.generic {{.*}} iterator_types = ["parallel", "parallel", "reduction", "parallel"]
// CHECK: linalg.generic {{.*}} iterator_types = ["reduction", "parallel", "parallel"]
// CHECK: arith.addf
module attributes {weft.gpu = {chip = "sm_90a", multiprocessors = 132 : i64}} {
  func.func @few_tiles(%a: tensor<64x65536xf32>, %b: tensor<65536x64xf32>) -> tensor<64x64xf32> {
    %zero = arith.constant 0.0 : f32
    %empty = tensor.empty() : tensor<64x64xf32>
    %zeros = linalg.fill ins(%zero : f32) outs(%empty : tensor<64x64xf32>) -> tensor<64x64xf32>
    %c = linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "reduction", "parallel"]}
        ins(%a, %b : tensor<64x65536xf32>, tensor<65536x64xf32>) outs(%zeros : tensor<64x64xf32>) {
    ^bb0(%x: f32, %y: f32, %s: f32):
      %p = arith.mulf %x, %y fastmath<reassoc,contract> : f32
      %t = arith.addf %s, %p fastmath<reassoc,contract> : f32
      linalg.yield %t : f32
    } -> tensor<64x64xf32>
    return %c : tensor<64x64xf32>
  }
}

// -----

#x = affine_map<(k) -> (k)>
#s = affine_map<(k) -> ()>

// CHECK-LABEL: func.func @dot(
// CHECK: linalg.generic {{.*}} iterator_types = ["parallel", "reduction"]
// CHECK: linalg.generic {{.*}} iterator_types = ["reduction"]
module {
  func.func @dot(%a: tensor<4194304xf32>, %b: tensor<4194304xf32>) -> tensor<f32> {
    %zero = arith.constant 0.0 : f32
    %empty = tensor.empty() : tensor<f32>
    %zeros = linalg.fill ins(%zero : f32) outs(%empty : tensor<f32>) -> tensor<f32>
    %c = linalg.generic {indexing_maps = [#x, #x, #s], iterator_types = ["reduction"]}
        ins(%a, %b : tensor<4194304xf32>, tensor<4194304xf32>) outs(%zeros : tensor<f32>) {
    ^bb0(%x: f32, %y: f32, %s: f32):
      %p = arith.mulf %x, %y fastmath<reassoc,contract> : f32
      %t = arith.addf %s, %p fastmath<reassoc,contract> : f32
      linalg.yield %t : f32
    } -> tensor<f32>
    return %c : tensor<f32>
  }
}

// -----

#a = affine_map<(m, k, n) -> (m, k)>
#b = affine_map<(m, k, n) -> (k, n)>
#c = affine_map<(m, k, n) -> (m, n)>

// Blocks enough, and sums whose order matters.
// CHECK-LABEL: func.func @many_tiles(
// CHECK-NOT: expand_shape
// CHECK-LABEL: func.func @in_order(
// CHECK-NOT: expand_shape
module {
  func.func @many_tiles(%a: tensor<2048x512xf32>, %b: tensor<512x2048xf32>) -> tensor<2048x2048xf32> {
    %zero = arith.constant 0.0 : f32
    %empty = tensor.empty() : tensor<2048x2048xf32>
    %zeros = linalg.fill ins(%zero : f32) outs(%empty : tensor<2048x2048xf32>) -> tensor<2048x2048xf32>
    %c = linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "reduction", "parallel"]}
        ins(%a, %b : tensor<2048x512xf32>, tensor<512x2048xf32>) outs(%zeros : tensor<2048x2048xf32>) {
    ^bb0(%x: f32, %y: f32, %s: f32):
      %p = arith.mulf %x, %y fastmath<reassoc,contract> : f32
      %t = arith.addf %s, %p fastmath<reassoc,contract> : f32
      linalg.yield %t : f32
    } -> tensor<2048x2048xf32>
    return %c : tensor<2048x2048xf32>
  }
  func.func @in_order(%a: tensor<64x65536xf32>, %b: tensor<65536x64xf32>) -> tensor<64x64xf32> {
    %zero = arith.constant 0.0 : f32
    %empty = tensor.empty() : tensor<64x64xf32>
    %zeros = linalg.fill ins(%zero : f32) outs(%empty : tensor<64x64xf32>) -> tensor<64x64xf32>
    %c = linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "reduction", "parallel"]}
        ins(%a, %b : tensor<64x65536xf32>, tensor<65536x64xf32>) outs(%zeros : tensor<64x64xf32>) {
    ^bb0(%x: f32, %y: f32, %s: f32):
      %p = arith.mulf %x, %y : f32
      %t = arith.addf %s, %p : f32
      linalg.yield %t : f32
    } -> tensor<64x64xf32>
    return %c : tensor<64x64xf32>
  }
}
