// RUN: weft-opt --weft-check-types --split-input-file --verify-diagnostics %s
// RUN: not weft-opt --weft-to-fused --split-input-file %s 2>&1 | FileCheck %s

// CHECK: error: arrays have integers, floats or complex numbers for elements, not those of 'tensor<4x!llvm.ptr>'
// expected-error @+1 {{arrays have integers, floats or complex numbers for elements, not those of 'tensor<4x!llvm.ptr>'}}
func.func @pointers(%x: tensor<4x!llvm.ptr>) -> tensor<4x!llvm.ptr> {
  return %x : tensor<4x!llvm.ptr>
}

// -----

func.func @vectors() {
  // expected-error @+1 {{not those of 'memref<4xvector<2xf32>>'}}
  %x = memref.alloc() : memref<4xvector<2xf32>>
  return
}

// -----

// expected-error @+1 {{'weft.arena_bytes' must be the size of the last argument, an array of bytes; it is 32 : i64}}
func.func @small(%x: memref<4xf32>, %arena: memref<64xi8>) attributes {weft.arena_bytes = 32 : i64} {
  return
}

// -----

// expected-error @+1 {{'weft.arena_bytes' must be the size of the last argument}}
func.func @none() attributes {weft.arena_bytes = 0 : i64} {
  return
}

// -----

func.func @arena(%x: memref<4xf32>, %arena: memref<64xi8>) attributes {weft.arena_bytes = 64 : i64} {
  return
}

// -----

func.func @numbers(%x: tensor<4xi3>, %y: memref<2xcomplex<f64>>, %z: tensor<4xindex>, %p: !llvm.ptr) {
  return
}
