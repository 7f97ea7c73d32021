// RUN: weft-opt --weft-describe-gpu=chip=sm_80 --split-input-file %s | FileCheck %s

// CHECK: module attributes {weft.gpu = {block_work = {{[0-9]+}} : i64, chip = "sm_80",
// CHECK-SAME: multiprocessors = {{[0-9]+}} : i64, shared_bytes = {{[0-9]+}} : i64},
// CHECK-SAME: weft.machine = {bfloat16_dots = false, fma = true, {{.*}} matrix_tiles = false,
module {
}

// -----

// What is stated stays.
// CHECK: weft.gpu = {block_work = 7 : i64, chip = "sm_90a", multiprocessors = 4 : i64,
// CHECK-SAME: weft.machine = {vector_bytes = 16 : i64}
module attributes {weft.gpu = {block_work = 7 : i64, chip = "sm_90a", multiprocessors = 4 : i64},
                   weft.machine = {vector_bytes = 16 : i64}} {
}
