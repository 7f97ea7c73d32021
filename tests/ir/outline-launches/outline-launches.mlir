// RUN: weft-opt --weft-outline-launches --canonicalize --cse --split-input-file %s | FileCheck %s

#x = affine_map<(i) -> (i)>

// What is large is a kernel, and what is small joins what stands beside it.
// CHECK-LABEL: func.func @f(
// CHECK-SAME: %[[X:[^:]+]]: memref<1048576xf32>, %[[S:[^:]+]]: memref<8xf32>
// CHECK: gpu.launch_func @kernels::@[[LARGE:.+]] blocks {{.*}} args(%[[X]] : memref<1048576xf32>)
// CHECK-NEXT: gpu.launch_func @kernels::@[[SMALL:.+]] blocks {{.*}} args(%[[S]] : memref<8xf32>)
// CHECK-NEXT: return
// CHECK: gpu.func @[[LARGE]]({{.*}}) kernel attributes {weft.class = "elementwise"}
// CHECK: gpu.func @[[SMALL]]({{.*}}) kernel attributes {weft.class = "block"}
// CHECK: linalg.generic
// CHECK: scf.for
// CHECK: linalg.generic
func.func @f(%x: memref<1048576xf32>, %s: memref<8xf32>, %arena: memref<0xi8>) attributes {weft.arena_bytes = 0 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c9 = arith.constant 9 : index
  linalg.generic {indexing_maps = [#x], iterator_types = ["parallel"]} outs(%x : memref<1048576xf32>) {
  ^bb0(%a: f32):
    %b = arith.addf %a, %a : f32
    linalg.yield %b : f32
  }
  linalg.generic {indexing_maps = [#x], iterator_types = ["parallel"]} outs(%s : memref<8xf32>) {
  ^bb0(%a: f32):
    %b = arith.addf %a, %a : f32
    linalg.yield %b : f32
  }
  scf.for %i = %c0 to %c9 step %c1 {
    linalg.generic {indexing_maps = [#x], iterator_types = ["parallel"]} outs(%s : memref<8xf32>) {
    ^bb0(%a: f32):
      %b = arith.mulf %a, %a : f32
      linalg.yield %b : f32
    }
  }
  return
}

// -----

#x = affine_map<(i) -> (i)>

// A loop around what is large is the host's: its number is in a slot at the end
// of the arena, and the host reads whether it goes on.
// CHECK-LABEL: func.func @counted(
// CHECK-SAME: %[[ARENA:[^:]+]]: memref<{{[0-9]+}}xi8>) attributes {weft.arena_bytes = {{[1-9][0-9]*}} : i64}
// CHECK: scf.while : () -> ()
// CHECK: gpu.launch_func
// CHECK: %[[FLAG:.+]] = memref.load {{.*}} {weft.host} : memref<i8>
// CHECK: %[[ON:.+]] = arith.trunci %[[FLAG]] : i8 to i1
// CHECK: scf.condition(%[[ON]])
// CHECK: gpu.launch_func
func.func @counted(%x: memref<1048576xf32>, %n: memref<i64>, %arena: memref<0xi8>) attributes {weft.arena_bytes = 0 : i64} {
  %zero = arith.constant 0 : i64
  %one = arith.constant 1 : i64
  %last = scf.while (%i = %zero) : (i64) -> i64 {
    %end = memref.load %n[] : memref<i64>
    %goes = arith.cmpi slt, %i, %end : i64
    scf.condition(%goes) %i : i64
  } do {
  ^bb0(%i: i64):
    linalg.generic {indexing_maps = [#x], iterator_types = ["parallel"]} outs(%x : memref<1048576xf32>) {
    ^bb0(%a: f32):
      %b = arith.addf %a, %a : f32
      linalg.yield %b : f32
    }
    %next = arith.addi %i, %one : i64
    scf.yield %next : i64
  }
  memref.store %last, %n[] : memref<i64>
  return
}

// -----

#a = affine_map<(i, j, k) -> (i, k)>
#b = affine_map<(i, j, k) -> (k, j)>
#c = affine_map<(i, j, k) -> (i, j)>
#r = affine_map<(i, j) -> (i, j)>

// The second product's sums are read by the epilogue of the first, which is not
// its own.
// CHECK-LABEL: func.func @two_products(
// CHECK: gpu.func @[[FIRST:.+]]({{.*}}) kernel attributes {weft.class = "product"}
// CHECK-NEXT: linalg.generic
// CHECK-NOT: weft.epilogue
// CHECK: gpu.return
// CHECK: gpu.func @{{.+}}({{.*}}) kernel attributes {weft.class = "elementwise"}
// CHECK: weft.epilogue
func.func @two_products(%x: memref<128x128xf32>, %p: memref<128x128xf32>, %q: memref<128x128xf32>, %arena: memref<0xi8>) attributes {weft.arena_bytes = 0 : i64} {
  linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction"]} ins(%x, %x : memref<128x128xf32>, memref<128x128xf32>) outs(%p : memref<128x128xf32>) {
  ^bb0(%a: f32, %b: f32, %s: f32):
    %0 = arith.mulf %a, %b fastmath<reassoc,contract> : f32
    %1 = arith.addf %s, %0 fastmath<reassoc,contract> : f32
    linalg.yield %1 : f32
  }
  linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction"]} ins(%x, %x : memref<128x128xf32>, memref<128x128xf32>) outs(%q : memref<128x128xf32>) {
  ^bb0(%a: f32, %b: f32, %s: f32):
    %0 = arith.mulf %a, %b fastmath<reassoc,contract> : f32
    %1 = arith.addf %s, %0 fastmath<reassoc,contract> : f32
    linalg.yield %1 : f32
  }
  linalg.generic {indexing_maps = [#r, #r], iterator_types = ["parallel", "parallel"]} ins(%q : memref<128x128xf32>) outs(%p : memref<128x128xf32>) attrs = {weft.epilogue} {
  ^bb0(%a: f32, %s: f32):
    %0 = arith.addf %s, %a : f32
    linalg.yield %0 : f32
  }
  return
}

// -----

#a = affine_map<(i, j, k) -> (i, k)>
#b = affine_map<(i, j, k) -> (k, j)>
#c = affine_map<(i, j, k) -> (i, j)>
#r = affine_map<(i, j) -> (i, j)>

// Blocks may still read the factor that this epilogue would overwrite.
// CHECK-LABEL: func.func @overwrites(
// CHECK-COUNT-2: gpu.launch_func
// CHECK: gpu.func @{{.+}}({{.*}}) kernel attributes {weft.class = "product"}
// CHECK-NOT: weft.epilogue
// CHECK: gpu.return
func.func @overwrites(%x: memref<128x128xbf16>, %p: memref<128x128xf32>, %arena: memref<0xi8>) attributes {weft.arena_bytes = 0 : i64} {
  linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction"]} ins(%x, %x : memref<128x128xbf16>, memref<128x128xbf16>) outs(%p : memref<128x128xf32>) {
  ^bb0(%a: bf16, %b: bf16, %s: f32):
    %u = arith.extf %a : bf16 to f32
    %v = arith.extf %b : bf16 to f32
    %0 = arith.mulf %u, %v fastmath<reassoc,contract> : f32
    %1 = arith.addf %s, %0 fastmath<reassoc,contract> : f32
    linalg.yield %1 : f32
  }
  linalg.generic {indexing_maps = [#r, #r], iterator_types = ["parallel", "parallel"]} ins(%p : memref<128x128xf32>) outs(%x : memref<128x128xbf16>) attrs = {weft.epilogue} {
  ^bb0(%s: f32, %r: bf16):
    %0 = arith.truncf %s : f32 to bf16
    linalg.yield %0 : bf16
  }
  return
}

// -----

// A step of sorting is a kernel of its own; other routines are left to the host.
// CHECK-LABEL: func.func @sorts(
// CHECK: gpu.launch_func
// CHECK-NEXT: weft.library_call "cholesky_f32"
// CHECK: gpu.func @{{.+}}({{.*}}) kernel attributes {weft.class = "sort"}
// CHECK-NEXT: weft.library_call "sort_tiles_f32"
func.func @sorts(%x: memref<3x3xf32>, %y: memref<3x3xf32>, %arena: memref<0xi8>) attributes {weft.arena_bytes = 0 : i64} {
  weft.library_call "sort_tiles_f32" [3, 3, 0, 2304] (%x) into(%y) : (memref<3x3xf32>, memref<3x3xf32>) -> ()
  weft.library_call "cholesky_f32" [1, 3] (%x) into(%y) : (memref<3x3xf32>, memref<3x3xf32>) -> ()
  return
}

// -----

// So is a step of running values.
// CHECK-LABEL: func.func @scans(
// CHECK: gpu.launch_func
// CHECK: gpu.func @{{.+}}({{.*}}) kernel attributes {weft.class = "scan"}
// CHECK-NEXT: weft.library_call "scan_tiles_cumsum_f32"
func.func @scans(%x: memref<90xf32>, %y: memref<90xf32>, %arena: memref<0xi8>) attributes {weft.arena_bytes = 0 : i64} {
  weft.library_call "scan_tiles_cumsum_f32" [1, 90, 1, 0] (%x) into(%y) : (memref<90xf32>, memref<90xf32>) -> ()
  return
}

// -----

#xy = affine_map<(i, j) -> (i, j)>
#column = affine_map<(i, j) -> (j)>

// A large reduction begins with what a fill before it says, in the same kernel; the
// fill is found before a loop that has nothing to do with it, too.
// CHECK-LABEL: func.func @filled(
// CHECK-COUNT-2: gpu.launch_func
// CHECK-NOT: gpu.launch_func
// CHECK: gpu.func @{{.+}}({{.*}}) kernel attributes {weft.class = "rows"}
// CHECK: gpu.func @{{.+}}({{.*}}) kernel attributes {weft.class = "reduction"}
// CHECK: linalg.fill
// CHECK-NEXT: linalg.generic
func.func @filled(%x: memref<1024x1024xf32>, %y: memref<1024xf32>, %arena: memref<0xi8>) attributes {weft.arena_bytes = 0 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c1024 = arith.constant 1024 : index
  %zero = arith.constant 0.0 : f32
  linalg.fill ins(%zero : f32) outs(%y : memref<1024xf32>)
  scf.for %i = %c0 to %c1024 step %c1 {
    %row = memref.subview %x[%i, 0] [1, 1024] [1, 1] : memref<1024x1024xf32> to memref<1024xf32, strided<[1], offset: ?>>
    linalg.generic {indexing_maps = [affine_map<(i) -> (i)>], iterator_types = ["parallel"]} outs(%row : memref<1024xf32, strided<[1], offset: ?>>) {
    ^bb0(%a: f32):
      %b = arith.mulf %a, %a : f32
      linalg.yield %b : f32
    }
  } {weft.parallel, weft.rows}
  linalg.generic {indexing_maps = [#xy, #column], iterator_types = ["reduction", "parallel"]} ins(%x : memref<1024x1024xf32>) outs(%y : memref<1024xf32>) {
  ^bb0(%a: f32, %s: f32):
    %t = arith.addf %s, %a fastmath<reassoc,contract> : f32
    linalg.yield %t : f32
  }
  return
}
