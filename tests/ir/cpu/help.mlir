// RUN: weft-opt --help | FileCheck %s

// CHECK: OVERVIEW: runs passes over array programs written in MLIR.
// CHECK: A program passes through these stages:
// CHECK-NEXT: weft
// CHECK-NEXT: expanded
// CHECK: asm
// CHECK: weft-opt --weft-to-expanded
