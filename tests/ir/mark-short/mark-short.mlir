// RUN: weft-opt %s -pass-pipeline='builtin.module(func.func(weft-mark-short))' | FileCheck %s

#id = affine_map<(i) -> (i)>

// 1000 additions and their loop.
// CHECK: func.func @add({{.*}}) attributes {weft.short} {
func.func @add(%x: memref<1000xf32>, %y: memref<1000xf32>) {
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%x : memref<1000xf32>) outs(%y : memref<1000xf32>) {
  ^bb0(%a: f32, %out: f32):
    %s = arith.addf %a, %a : f32
    linalg.yield %s : f32
  }
  return
}

// As many exponentials are not short.
// CHECK: func.func @exp({{[^{]*}}) {
func.func @exp(%x: memref<1000xf32>, %y: memref<1000xf32>) {
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%x : memref<1000xf32>) outs(%y : memref<1000xf32>) {
  ^bb0(%a: f32, %out: f32):
    %s = math.exp %a : f32
    linalg.yield %s : f32
  }
  return
}

// Nobody knows how long this takes.
// CHECK: func.func @until({{[^{]*}}) {
func.func @until(%n: index, %x: memref<f32>) {
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  scf.for %i = %zero to %n step %one {
    %a = memref.load %x[] : memref<f32>
    %s = arith.addf %a, %a : f32
    memref.store %s, %x[] : memref<f32>
  }
  return
}

// Ten steps are short, a loop of a thousand times ten is not.
// CHECK: func.func @steps({{.*}}) attributes {weft.short} {
func.func @steps(%x: memref<f32>) {
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  %n = arith.constant 10 : index
  scf.for %i = %zero to %n step %one {
    %a = memref.load %x[] : memref<f32>
    %s = arith.addf %a, %a : f32
    memref.store %s, %x[] : memref<f32>
  }
  return
}
// CHECK: func.func @nested({{[^{]*}}) {
func.func @nested(%x: memref<f32>) {
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  %n = arith.constant 10 : index
  %m = arith.constant 1000 : index
  scf.for %i = %zero to %m step %one {
    scf.for %j = %zero to %n step %one {
      %a = memref.load %x[] : memref<f32>
      %s = arith.addf %a, %a : f32
      memref.store %s, %x[] : memref<f32>
    }
  }
  return
}

// A copy takes as long as it is.
// CHECK: func.func @copy({{[^{]*}}) {
func.func @copy(%x: memref<100x100xf32>, %y: memref<100x100xf32>) {
  memref.copy %x, %y : memref<100x100xf32> to memref<100x100xf32>
  return
}
