// RUN: weft-opt --weft-lower-branches --split-input-file %s | FileCheck %s

// A loop carries a tile.
// CHECK-LABEL: func.func @carried(
// CHECK: %[[ZERO:.+]] = llvm.call_intrinsic "llvm.x86.tilezero.internal"
// CHECK: llvm.br ^[[LOOP:.+]](%[[ZERO]] : !llvm.x86_amx)
// CHECK: ^[[LOOP]](%[[TILE:.+]]: !llvm.x86_amx):
// CHECK: llvm.cond_br %{{.+}}, ^[[LOOP]](%[[TILE]] : !llvm.x86_amx), ^[[END:.+]]
// CHECK: llvm.call_intrinsic "llvm.x86.tilestored64.internal"
// CHECK-NOT: amx.tile
func.func @carried(%again: i1, %sums: memref<256xf32>) {
  %first = arith.constant 0 : index
  %stride = arith.constant 16 : index
  %zero = amx.tile_zero : !amx.tile<16x16xf32>
  cf.br ^loop(%zero : !amx.tile<16x16xf32>)
^loop(%tile: !amx.tile<16x16xf32>):
  cf.cond_br %again, ^loop(%tile : !amx.tile<16x16xf32>), ^end
^end:
  amx.tile_store %sums[%first], %tile, %stride : memref<256xf32>, !amx.tile<16x16xf32>
  return
}
