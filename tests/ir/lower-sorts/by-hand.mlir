// RUN: weft-opt --pass-pipeline='builtin.module(gpu.module(weft-lower-sorts))' %s | FileCheck %s

// Calls that no step is: too few sizes, and elements that are no type. They stay
// as they are.
// CHECK-LABEL: gpu.func @few
// CHECK: weft.library_call "sort_tiles_f32" [1, 8](
// CHECK-LABEL: gpu.func @unknown
// CHECK: weft.library_call "sort_tiles_nothing" [1, 8, 0, 2304]
gpu.module @kernels {
  gpu.func @few(%x: memref<8xf32>, %y: memref<8xf32>) kernel {
    weft.library_call "sort_tiles_f32" [1, 8] (%x) into(%y)
        : (memref<8xf32>, memref<8xf32>) -> ()
    gpu.return
  }
  gpu.func @unknown(%x: memref<8xf32>, %y: memref<8xf32>) kernel {
    weft.library_call "sort_tiles_nothing" [1, 8, 0, 2304] (%x) into(%y)
        : (memref<8xf32>, memref<8xf32>) -> ()
    gpu.return
  }
}
