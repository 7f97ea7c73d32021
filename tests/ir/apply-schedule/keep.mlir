// RUN: weft-opt --weft-to-fused %s | FileCheck %s

// What is marked is neither packed, fused nor split.
#machine = {fma = true, l1_bytes = 49152 : i64, l2_bytes = 2097152 : i64,
            share_from = 262144 : i64, vector_bytes = 64 : i64,
            vector_registers = 32 : i64}
#mk = affine_map<(m, k, n) -> (m, k)>
#kn = affine_map<(m, k, n) -> (k, n)>
#mn = affine_map<(m, k, n) -> (m, n)>
#id = affine_map<(m, n) -> (m, n)>
module attributes {weft.machine = #machine} {
  // CHECK-LABEL: func.func @kept(
  // CHECK: linalg.fill
  // CHECK-NEXT: linalg.generic {{.*}} ins(%{{.*}}, %{{.*}} : tensor<512x512xf32>, tensor<512x512xf32>) {{.*}} attrs = {weft.keep}
  // CHECK: math.exp
  // CHECK: linalg.yield
  // CHECK-NOT: weft.epilogue
  // CHECK: math.sin
  func.func @kept(%a: tensor<512x512xf32>, %b: tensor<512x512xf32>) -> tensor<512x512xf32> {
    %zero = arith.constant 0.0 : f32
    %e = tensor.empty() : tensor<512x512xf32>
    %f = linalg.fill ins(%zero : f32) outs(%e : tensor<512x512xf32>) -> tensor<512x512xf32>
    %c = linalg.generic {indexing_maps = [#mk, #kn, #mn],
                         iterator_types = ["parallel", "reduction", "parallel"]}
        ins(%a, %b : tensor<512x512xf32>, tensor<512x512xf32>)
        outs(%f : tensor<512x512xf32>) attrs = {weft.keep} {
    ^bb0(%x: f32, %y: f32, %s: f32):
      %0 = arith.mulf %x, %y fastmath<reassoc,contract> : f32
      %1 = arith.addf %s, %0 fastmath<reassoc,contract> : f32
      linalg.yield %1 : f32
    } -> tensor<512x512xf32>
    %d = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
        ins(%c : tensor<512x512xf32>) outs(%e : tensor<512x512xf32>) attrs = {weft.keep} {
    ^bb0(%x: f32, %o: f32):
      %0 = math.exp %x : f32
      linalg.yield %0 : f32
    } -> tensor<512x512xf32>
    %g = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
        ins(%d : tensor<512x512xf32>) outs(%e : tensor<512x512xf32>) {
    ^bb0(%x: f32, %o: f32):
      %0 = math.sin %x : f32
      linalg.yield %0 : f32
    } -> tensor<512x512xf32>
    return %g : tensor<512x512xf32>
  }
}
