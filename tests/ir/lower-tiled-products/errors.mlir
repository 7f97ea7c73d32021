// RUN: not weft-opt --pass-pipeline='builtin.module(gpu.module(weft-lower-tiled-products))' --split-input-file %s 2>&1 | FileCheck %s

// CHECK: error: 'gpu.func' op holds no sum of products
gpu.module @kernels {
  gpu.func @nothing() kernel attributes {weft.class = "product"} {
    gpu.return
  }
}

// -----

// CHECK: error: 'linalg.copy' op cannot stand in a kernel of products
gpu.module @kernels {
  gpu.func @copy(%a: memref<4xf32>, %b: memref<4xf32>) kernel attributes {weft.class = "product"} {
    linalg.copy ins(%a : memref<4xf32>) outs(%b : memref<4xf32>)
    gpu.return
  }
}

// -----

#id = affine_map<(i) -> (i)>
#scalar = affine_map<(i) -> ()>
// CHECK: error: 'linalg.generic' op is no epilogue of the sums before it
gpu.module @kernels {
  gpu.func @epilogue(%a: memref<4xf32>, %s: memref<f32>, %b: memref<4xf32>) kernel attributes {weft.class = "product"} {
    linalg.generic {indexing_maps = [#id, #id, #scalar], iterator_types = ["reduction"]}
        ins(%a, %a : memref<4xf32>, memref<4xf32>) outs(%s : memref<f32>) {
    ^bb0(%x: f32, %y: f32, %acc: f32):
      %p = arith.mulf %x, %y : f32
      %t = arith.addf %acc, %p : f32
      linalg.yield %t : f32
    }
    linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
        ins(%a : memref<4xf32>) outs(%b : memref<4xf32>) attrs = {weft.epilogue} {
    ^bb0(%x: f32, %y: f32):
      linalg.yield %x : f32
    }
    gpu.return
  }
}
