// RUN: weft-opt --weft-outline-kernels %s | FileCheck %s

// Constants move with the op; other scalars are passed.
// CHECK-LABEL: func.func private @f_kernel(
// CHECK-SAME: %[[A:.+]]: memref<4xf32>)
// CHECK: %[[ZERO:.+]] = arith.constant 0.000000e+00 : f32
// CHECK: linalg.fill ins(%[[ZERO]] : f32) outs(%[[A]] :

// CHECK-LABEL: func.func private @f_kernel_0(
// CHECK-SAME: %[[X:.+]]: f32, %[[B:.+]]: memref<4xf32>)
// CHECK: linalg.fill ins(%[[X]] : f32) outs(%[[B]] :

// CHECK-LABEL: func.func @f.body(
// CHECK-NOT: linalg
// CHECK: call @f_kernel(%{{.+}})
// CHECK: call @f_kernel_0(%{{.+}}, %{{.+}})
// CHECK: return
func.func @f(%x: f32, %a: memref<4xf32>) attributes {weft.arena_bytes = 0 : i64} {
  %zero = arith.constant 0.0 : f32
  linalg.fill ins(%zero : f32) outs(%a : memref<4xf32>)
  linalg.fill ins(%x : f32) outs(%a : memref<4xf32>)
  return
}

// An op in a loop, on a slice at a place that the loop computes.
// CHECK-LABEL: func.func private @loop_kernel(
// CHECK-SAME: %[[BASE:.+]]: memref<f32>, %[[OFFSET:.+]]: index)
// CHECK: %[[SLICE:.+]] = memref.reinterpret_cast %[[BASE]] to offset: [%[[OFFSET]]], sizes: [4], strides: [1]
// CHECK: linalg.fill ins(%{{.+}}) outs(%[[SLICE]] :
// CHECK-LABEL: func.func @loop.body(
// CHECK: scf.for
// CHECK: %[[BASE:.+]], %[[OFFSET:.+]], %{{.+}}, %{{.+}} = memref.extract_strided_metadata
// CHECK: call @loop_kernel(%[[BASE]], %[[OFFSET]])
func.func @loop(%a: memref<10x4xf32>) attributes {weft.arena_bytes = 0 : i64} {
  %zero = arith.constant 0.0 : f32
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c10 = arith.constant 10 : index
  scf.for %i = %c0 to %c10 step %c1 {
    %slice = memref.subview %a[%i, 0] [1, 4] [1, 1] : memref<10x4xf32> to memref<4xf32, strided<[1], offset: ?>>
    linalg.fill ins(%zero : f32) outs(%slice : memref<4xf32, strided<[1], offset: ?>>)
  }
  return
}

// Ops that are alike share a kernel.
// CHECK-LABEL: func.func private @alike_kernel(
// CHECK-NOT: func.func private
// CHECK-LABEL: func.func @alike.body(
// CHECK-SAME: %[[A:.+]]: memref<4xf32>, %[[B:.+]]: memref<4xf32>)
// CHECK: call @alike_kernel(%[[A]])
// CHECK: call @alike_kernel(%[[B]])
func.func @alike(%a: memref<4xf32>, %b: memref<4xf32>) attributes {weft.arena_bytes = 0 : i64} {
  %zero = arith.constant 0.0 : f32
  linalg.fill ins(%zero : f32) outs(%a : memref<4xf32>)
  linalg.fill ins(%zero : f32) outs(%b : memref<4xf32>)
  return
}

// A loop that only computes is a kernel as a whole; one that knows a buffer by
// two names is not.
// CHECK-LABEL: func.func private @loops_kernel(
// CHECK: scf.for
// CHECK: memref.store
// CHECK-LABEL: func.func @loops.body(
// CHECK: call @loops_kernel(
// CHECK: scf.for
func.func @loops(%a: memref<8xf32>, %b: memref<8xf32>) attributes {weft.arena_bytes = 0 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  scf.for %i = %c0 to %c4 step %c1 {
    %x = memref.load %a[%i] : memref<8xf32>
    memref.store %x, %b[%i] : memref<8xf32>
  }
  %first = memref.subview %a[0] [4] [1] : memref<8xf32> to memref<4xf32, strided<[1]>>
  %last = memref.subview %a[4] [4] [1] : memref<8xf32> to memref<4xf32, strided<[1], offset: 4>>
  scf.for %i = %c0 to %c4 step %c1 {
    %x = memref.load %first[%i] : memref<4xf32, strided<[1]>>
    memref.store %x, %last[%i] : memref<4xf32, strided<[1], offset: 4>>
  }
  return
}

#a = affine_map<(m, k, n) -> (m, k)>
#b = affine_map<(m, k, n) -> (k, n)>
#c = affine_map<(m, k, n) -> (m, n)>
// What a sum of products is added to is filled by the same kernel, also if
// something else is computed in between.
// CHECK-LABEL: func.func private @product_kernel(
// CHECK: linalg.fill {{.*}} : memref<4xf32>
// CHECK-LABEL: func.func private @product_kernel_{{[0-9]+}}(
// CHECK: linalg.fill {{.*}} outs(%[[C:.+]] : memref<4x4xf32>)
// CHECK: linalg.generic {{.*}} outs(%[[C]] : memref<4x4xf32>)
func.func @product(%a: memref<4x4xf32>, %b: memref<4x4xf32>, %c: memref<4x4xf32>, %d: memref<4xf32>) attributes {weft.arena_bytes = 0 : i64} {
  %zero = arith.constant 0.0 : f32
  linalg.fill ins(%zero : f32) outs(%c : memref<4x4xf32>)
  linalg.fill ins(%zero : f32) outs(%d : memref<4xf32>)
  linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "reduction", "parallel"]}
      ins(%a, %b : memref<4x4xf32>, memref<4x4xf32>) outs(%c : memref<4x4xf32>) {
  ^bb0(%x: f32, %y: f32, %s: f32):
    %p = arith.mulf %x, %y fastmath<reassoc,contract> : f32
    %t = arith.addf %s, %p fastmath<reassoc,contract> : f32
    linalg.yield %t : f32
  }
  return
}

// A shared loop that knows a buffer by two names makes the views itself, so
// that its kernel is passed the buffer once.
// CHECK-LABEL: func.func private @views_kernel(
// CHECK-SAME: %[[X:.+]]: memref<8xf32>)
// CHECK: scf.for
// CHECK-DAG: memref.subview %[[X]][0] [4] [1]
// CHECK-DAG: memref.subview %[[X]][4] [4] [1]
// CHECK-LABEL: func.func @views.body(
// CHECK: call @views_kernel(%{{[a-z0-9]+}}) :
func.func @views(%x: memref<8xf32>) attributes {weft.arena_bytes = 0 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %a = memref.subview %x[0] [4] [1] : memref<8xf32> to memref<4xf32, strided<[1]>>
  %b = memref.subview %x[4] [4] [1] : memref<8xf32> to memref<4xf32, strided<[1], offset: 4>>
  scf.for %i = %c0 to %c4 step %c1 {
    %0 = memref.load %a[%i] : memref<4xf32, strided<[1]>>
    memref.store %0, %b[%i] : memref<4xf32, strided<[1], offset: 4>>
  } {weft.parallel, weft.rows}
  return
}

// A loop that computes in vectors is one kernel.
// CHECK-LABEL: func.func private @vectors_kernel(
// CHECK: scf.for
// CHECK: vector.transfer_read
// CHECK: vector.transfer_write
// CHECK-LABEL: func.func @vectors.body(
// CHECK-NOT: scf.for
func.func @vectors(%x: memref<64xf32>, %y: memref<64xf32>) attributes {weft.arena_bytes = 0 : i64} {
  %c0 = arith.constant 0 : index
  %c8 = arith.constant 8 : index
  %c64 = arith.constant 64 : index
  %zero = arith.constant 0.0 : f32
  scf.for %i = %c0 to %c64 step %c8 {
    %v = vector.transfer_read %x[%i], %zero {in_bounds = [true]} : memref<64xf32>, vector<8xf32>
    vector.transfer_write %v, %y[%i] {in_bounds = [true]} : vector<8xf32>, memref<64xf32>
  }
  return
}

// Results that are parts of one array are made within the kernel, which is given that.
// CHECK-LABEL: func.func private @parts_kernel(
// CHECK-SAME: %[[Y:.+]]: memref<8x2xf32>, %[[X:.+]]: memref<8xf32>)
// CHECK: %[[EVEN:.+]] = memref.subview %[[Y]][0, 0] [8, 1] [1, 1]
// CHECK: %[[ODD:.+]] = memref.subview %[[Y]][0, 1] [8, 1] [1, 1]
// CHECK: linalg.generic {{.*}} ins(%[[X]] : {{.*}}) outs(%[[EVEN]], %[[ODD]] :
// CHECK-LABEL: func.func @parts.body(
func.func @parts(%x: memref<8xf32>, %y: memref<8x2xf32>) attributes {weft.arena_bytes = 0 : i64} {
  %even = memref.subview %y[0, 0] [8, 1] [1, 1] : memref<8x2xf32> to memref<8xf32, strided<[2]>>
  %odd = memref.subview %y[0, 1] [8, 1] [1, 1] : memref<8x2xf32> to memref<8xf32, strided<[2], offset: 1>>
  linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      ins(%x : memref<8xf32>) outs(%even, %odd : memref<8xf32, strided<[2]>>, memref<8xf32, strided<[2], offset: 1>>) {
  ^bb0(%a: f32, %out: f32, %other: f32):
    %0 = arith.negf %a : f32
    linalg.yield %a, %0 : f32, f32
  }
  return
}

// So is what is read of that array: two names for one would be taken for two arrays.
// CHECK-LABEL: func.func private @parts_in_place_kernel(
// CHECK-SAME: %[[Y:[^:]+]]: memref<8x2xf32>)
// CHECK: linalg.generic {{.*}} ins(%[[ODD:.+]] : memref<8xf32, strided<[2], offset: 1>>) outs(%{{.+}}, %[[ODD]] :
// CHECK-LABEL: func.func @parts_in_place.body(
func.func @parts_in_place(%y: memref<8x2xf32>) attributes {weft.arena_bytes = 0 : i64} {
  %even = memref.subview %y[0, 0] [8, 1] [1, 1] : memref<8x2xf32> to memref<8xf32, strided<[2]>>
  %odd = memref.subview %y[0, 1] [8, 1] [1, 1] : memref<8x2xf32> to memref<8xf32, strided<[2], offset: 1>>
  linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      ins(%odd : memref<8xf32, strided<[2], offset: 1>>) outs(%even, %odd : memref<8xf32, strided<[2]>>, memref<8xf32, strided<[2], offset: 1>>) {
  ^bb0(%a: f32, %out: f32, %other: f32):
    %0 = arith.negf %a : f32
    linalg.yield %a, %0 : f32, f32
  }
  return
}
