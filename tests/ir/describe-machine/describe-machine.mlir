// RUN: weft-opt --weft-describe-machine --split-input-file %s | FileCheck %s

// CHECK: module attributes {weft.machine = {bfloat16_dots = {{true|false}}, fma = {{true|false}}, l1_bytes = {{[0-9]+}} : i64,
// CHECK-SAME: l2_bytes = {{[0-9]+}} : i64, matrix_tiles = {{true|false}}, share_from = {{[0-9]+}} : i64, vector_bytes = {{[0-9]+}} : i64, vector_dots = {{true|false}}, vector_registers = {{[0-9]+}} : i64}}
module {
}

// -----

// What is stated stays.
// CHECK: module attributes {weft.machine = {vector_bytes = 16 : i64}}
module attributes {weft.machine = {vector_bytes = 16 : i64}} {
}
