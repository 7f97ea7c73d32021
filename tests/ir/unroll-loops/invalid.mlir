// RUN: weft-opt --pass-pipeline='builtin.module(func.func(weft-unroll-loops))' --split-input-file --verify-diagnostics %s

// More steps than there are: all of them.
func.func @all(%a: memref<4xf32>, %x: f32) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  scf.for %i = %c0 to %c4 step %c1 {
    memref.store %x, %a[%i] : memref<4xf32>
  } {weft.unroll = 9223372036854775807 : i64}
  return
}

// -----

func.func @many(%a: memref<?xf32>, %x: f32, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  // expected-error @+1 {{cannot take 5000 steps at a time; at most 4096 are written out}}
  scf.for %i = %c0 to %n step %c1 {
    memref.store %x, %a[%i] : memref<?xf32>
  } {weft.unroll = 5000 : i64}
  return
}

// -----

func.func @none(%a: memref<?xf32>, %x: f32, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  // expected-error @+1 {{cannot take this many steps at a time}}
  scf.for %i = %c0 to %n step %c1 {
    memref.store %x, %a[%i] : memref<?xf32>
  } {weft.unroll = 0 : i64}
  return
}
