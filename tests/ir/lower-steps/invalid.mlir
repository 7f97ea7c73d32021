// RUN: weft-opt --weft-lower-steps --split-input-file --verify-diagnostics %s

module attributes {gpu.container_module, weft.gpu = {chip = "sm_80"}} {
  gpu.module @kernels {
    // expected-error @+1 {{a kernel has a body, and a text for its 'weft.class'}}
    gpu.func @k(%a: memref<4xf32>) kernel attributes {weft.class = 5} {
      gpu.return
    }
  }
}

// -----

module attributes {gpu.container_module, weft.gpu = {chip = "sm_80"}} {
  gpu.module @kernels {
    // expected-error @+1 {{a kernel of class "rows" is a loop of known length}}
    gpu.func @k(%a: memref<4xf32>) kernel attributes {weft.class = "rows"} {
      gpu.return
    }
  }
}

// -----

module attributes {gpu.container_module, weft.gpu = {chip = "sm_80"}} {
  gpu.module @kernels {
    // expected-error @+1 {{a kernel of class "loop" is a loop of known length}}
    gpu.func @k(%a: memref<4xf32>, %n: index) kernel attributes {weft.class = "loop"} {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      scf.for %i = %c0 to %n step %c1 {
        %x = memref.load %a[%i] : memref<4xf32>
        memref.store %x, %a[%i] : memref<4xf32>
      }
      gpu.return
    }
  }
}

// -----

module attributes {gpu.container_module, weft.gpu = {chip = "sm_80"}} {
  gpu.module @kernels {
    // expected-error @+1 {{a kernel of class "elementwise" is one linalg op}}
    gpu.func @k(%a: memref<4xf32>) kernel attributes {weft.class = "elementwise"} {
      gpu.return
    }
  }
}

// -----

module attributes {gpu.container_module, weft.gpu = {chip = "sm_80"}} {
  gpu.module @kernels {
    gpu.func @k(%a: memref<?xf32>, %x: f32) kernel attributes {weft.class = "elementwise"} {
      // expected-error @+1 {{the shapes of a kernel's ops must be known}}
      linalg.fill ins(%x : f32) outs(%a : memref<?xf32>)
      gpu.return
    }
  }
}
