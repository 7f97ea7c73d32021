// RUN: not weft-opt --weft-describe-machine %s 2>&1 | FileCheck %s

// What was decided for a GPU is no program for this machine.
// CHECK: gpu.mlir:[[#@LINE+1]]:{{.*}}: error: the program is for a GPU, as its attribute 'weft.gpu' says
module attributes {weft.gpu = {chip = "sm_90a"}} {
}
