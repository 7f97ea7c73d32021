// RUN: weft-opt --split-input-file --weft-lower-foralls %s -verify-diagnostics

func.func @unknown(%x: memref<4xf32>, %s: f32, %n: index) {
  // expected-error @+1 {{the bounds of this scf.forall are not known when it is compiled}}
  scf.forall (%i) in (%n) {
    memref.store %s, %x[%i] : memref<4xf32>
  }
  return
}

// -----

func.func @many(%x: memref<4xf32>, %s: f32) {
  // expected-error @+1 {{this scf.forall has more steps than can be counted}}
  scf.forall (%i, %j) in (9223372036854775807, 4) {
    memref.store %s, %x[%i] : memref<4xf32>
  }
  return
}
