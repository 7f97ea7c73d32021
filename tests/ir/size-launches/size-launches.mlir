// RUN: weft-opt --weft-size-launches --split-input-file --verify-diagnostics %s | FileCheck %s

module attributes {gpu.container_module} {
  // CHECK-LABEL: func.func @f(
  // CHECK-DAG: %[[C64:.+]] = arith.constant 64 : index
  // CHECK-DAG: %[[C256:.+]] = arith.constant 256 : index
  // CHECK-DAG: %[[BYTES:.+]] = arith.constant 4096 : i32
  // CHECK: gpu.launch_func @kernels::@k blocks in (%[[C64]], %{{.+}}, %{{.+}}) threads in (%[[C256]], %{{.+}}, %{{.+}}) dynamic_shared_memory_size %[[BYTES]]
  func.func @f(%x: memref<4xf32>) {
    %c1 = arith.constant 1 : index
    gpu.launch_func @kernels::@k blocks in (%c1, %c1, %c1) threads in (%c1, %c1, %c1) args(%x : memref<4xf32>)
    return
  }
  gpu.module @kernels {
    gpu.func @k(%x: memref<4xf32>) kernel attributes {known_block_size = array<i32: 256, 1, 1>, known_grid_size = array<i32: 64, 1, 1>, weft.shared_bytes = 4096 : i64} {
      gpu.return
    }
  }
}

// -----

module attributes {gpu.container_module} {
  func.func @f(%x: memref<4xf32>) {
    %c1 = arith.constant 1 : index
    gpu.launch_func @kernels::@k blocks in (%c1, %c1, %c1) threads in (%c1, %c1, %c1) args(%x : memref<4xf32>)
    return
  }
  gpu.module @kernels {
    // expected-error @below {{that no pass has lowered: it states no size}}
    gpu.func @k(%x: memref<4xf32>) kernel attributes {weft.class = "rows"} {
      gpu.return
    }
  }
}

// -----

module attributes {gpu.container_module} {
  func.func @f() {
    %c1 = arith.constant 1 : index
    gpu.launch_func @kernels::@k blocks in (%c1, %c1, %c1) threads in (%c1, %c1, %c1)
    return
  }
  gpu.module @kernels {
    // expected-error @below {{a kernel without a 'weft.class' that no pass has lowered}}
    gpu.func @k() kernel {
      gpu.return
    }
  }
}
