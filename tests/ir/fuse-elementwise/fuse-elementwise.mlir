// RUN: weft-opt --weft-lower-to-linalg --canonicalize --weft-fuse-elementwise --canonicalize --cse %s | FileCheck %s

// CHECK-LABEL: func.func @chain(
// CHECK: linalg.generic
// CHECK: math.sin
// CHECK-NEXT: math.exp
// CHECK-NOT: linalg.generic
// CHECK: return
func.func @chain(%x: tensor<4x5xf32>) -> tensor<4x5xf32> {
  %0 = weft.sin %x : tensor<4x5xf32>
  %1 = weft.exp %0 : tensor<4x5xf32>
  return %1 : tensor<4x5xf32>
}

// A constant becomes part of the body; bools stay bits between two ops.
// CHECK-LABEL: func.func @constant(
// CHECK-NOT: tensor<4xi8>
// CHECK: %[[BIT:.+]] = arith.cmpf {{.*}} : f32
// CHECK: arith.select %[[BIT]]
func.func @constant(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = weft.constant dense<0.0> : tensor<4xf32>
  %1 = weft.greater %x, %0 : tensor<4xf32>
  %2 = weft.select %1, %x, %0 : tensor<4xf32>
  return %2 : tensor<4xf32>
}

// A producer is not computed again for each row that its result is repeated in.
// CHECK-LABEL: func.func @repeated(
// CHECK: linalg.generic
// CHECK: math.exp
// CHECK: linalg.generic
// CHECK-NOT: math.exp
// CHECK: return
func.func @repeated(%x: tensor<4x5xf32>, %b: tensor<5xf32>) -> tensor<4x5xf32> {
  %0 = weft.exp %b : tensor<5xf32>
  %1 = weft.broadcast %0 dims [1] : tensor<5xf32> to tensor<4x5xf32>
  %2 = weft.add %x, %1 : tensor<4x5xf32>
  return %2 : tensor<4x5xf32>
}

// CHECK-LABEL: func.func @into_reduction(
// CHECK: linalg.generic {{.*}}"reduction"
// CHECK: arith.mulf
// CHECK-NEXT: arith.addf
func.func @into_reduction(%x: tensor<4x5xf32>) -> tensor<4xf32> {
  %0 = weft.square %x : tensor<4x5xf32>
  %1 = weft.sum %0 axes [1] : tensor<4x5xf32> to tensor<4xf32>
  return %1 : tensor<4xf32>
}

// A contraction reads its operands many times: nothing moves into it.
// CHECK-LABEL: func.func @not_into_contraction(
// CHECK: linalg.generic
// CHECK: math.sin
// CHECK: linalg.generic
// CHECK: arith.mulf
func.func @not_into_contraction(%x: tensor<4x5xf32>, %y: tensor<5x6xf32>) -> tensor<4x6xf32> {
  %0 = weft.sin %x : tensor<4x5xf32>
  %1 = weft.dot_general %0, %y batch [] x [] contract [1] x [0] : (tensor<4x5xf32>, tensor<5x6xf32>) -> tensor<4x6xf32>
  return %1 : tensor<4x6xf32>
}

// A splat that no body takes in is a fill.
// CHECK-LABEL: func.func @splat(
// CHECK: %[[ONE:.+]] = arith.constant 1.000000e+00 : f32
// CHECK: linalg.fill ins(%[[ONE]] : f32)
func.func @splat() -> tensor<4xf32> {
  %0 = weft.constant dense<1.0> : tensor<4xf32>
  return %0 : tensor<4xf32>
}

// Within a loop too, where ops on numbers become scalar code.
// CHECK-LABEL: func.func @in_a_loop(
// CHECK: scf.for
// CHECK: %[[T:.+]] = math.sin %{{.+}} : f32
// CHECK: linalg.generic
// CHECK: math.exp
// CHECK-NEXT: arith.mulf %{{.+}}, %[[T]]
// CHECK-NOT: linalg.generic
// CHECK: return
func.func @in_a_loop(%x: tensor<4xf32>, %n: index, %t: f32) -> (tensor<4xf32>, f32) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %e = tensor.empty() : tensor<4xf32>
  %e0 = tensor.empty() : tensor<f32>
  %r:2 = scf.for %i = %c0 to %n step %c1 iter_args(%c = %x, %s = %t) -> (tensor<4xf32>, f32) {
    %0 = linalg.fill ins(%s : f32) outs(%e0 : tensor<f32>) -> tensor<f32>
    %1 = linalg.generic {indexing_maps = [affine_map<() -> ()>, affine_map<() -> ()>], iterator_types = []}
        ins(%0 : tensor<f32>) outs(%e0 : tensor<f32>) {
    ^bb0(%a: f32, %o: f32):
      %v = math.sin %a : f32
      linalg.yield %v : f32
    } -> tensor<f32>
    %2 = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]}
        ins(%c : tensor<4xf32>) outs(%e : tensor<4xf32>) {
    ^bb0(%a: f32, %o: f32):
      %v = math.exp %a : f32
      linalg.yield %v : f32
    } -> tensor<4xf32>
    %3 = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> ()>, affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]}
        ins(%2, %1 : tensor<4xf32>, tensor<f32>) outs(%e : tensor<4xf32>) {
    ^bb0(%a: f32, %b: f32, %o: f32):
      %v = arith.mulf %a, %b : f32
      linalg.yield %v : f32
    } -> tensor<4xf32>
    %next = tensor.extract %1[] : tensor<f32>
    scf.yield %3, %next : tensor<4xf32>, f32
  }
  return %r#0, %r#1 : tensor<4xf32>, f32
}

// What takes one step is computed by each of its readers, and by those alone; what
// takes longer is not.
// CHECK-LABEL: func.func @cheap(
// CHECK: linalg.generic
// CHECK: arith.extf
// CHECK-NEXT: math.exp
// CHECK: linalg.generic
// CHECK: arith.extf
// CHECK-NEXT: math.sin
// CHECK-NOT: linalg.generic
// CHECK: return
func.func @cheap(%x: tensor<40xf32>) -> (tensor<40xf64>, tensor<40xf64>) {
  %0 = weft.convert %x : tensor<40xf32> to tensor<40xf64>
  %1 = weft.exp %0 : tensor<40xf64>
  %2 = weft.sin %0 : tensor<40xf64>
  return %1, %2 : tensor<40xf64>, tensor<40xf64>
}
// CHECK-LABEL: func.func @dear(
// CHECK-COUNT-1: math.sqrt
// CHECK-NOT: math.sqrt
// CHECK: return
func.func @dear(%x: tensor<40xf64>) -> (tensor<40xf64>, tensor<40xf64>) {
  %0 = weft.sqrt %x : tensor<40xf64>
  %1 = weft.exp %0 : tensor<40xf64>
  %2 = weft.sin %0 : tensor<40xf64>
  return %1, %2 : tensor<40xf64>, tensor<40xf64>
}

// What is read in other dimensions is computed in those: the gradient of pooling,
// the activation before it and what follows are one op. The activation is computed
// where windows that do not overlap read it, and the ones that they add are scalars.
// CHECK-LABEL: func.func @pooled(
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<6x8xf32>
// CHECK: linalg.generic {{.*}} ins(%{{.+}}, %[[X]] : tensor<2x1xi8>, tensor<6x8xf32>) outs(%{{.+}} : tensor<3x8xf32>)
// CHECK: arith.maximumf
// CHECK-NEXT: arith.maximumf
// CHECK: linalg.generic {{.*}}, tensor<2x1xi8>, tensor<6x8xf32>) outs(%{{.+}} : tensor<3x8xf32>)
// CHECK: %[[TILES:.+]] = tensor.expand_shape %[[X]]
// CHECK: linalg.generic {{.*}} ins(%[[TILES]], %{{.+}}, %{{.+}} : tensor<3x2x8xf32>, tensor<3x8xf32>, tensor<3x8xf32>)
// CHECK: arith.maximumf
// CHECK: arith.select
// CHECK: arith.mulf
// CHECK-NOT: linalg.generic
// CHECK: tensor.collapse_shape
// CHECK: return
func.func @pooled(%x: tensor<6x8xf32>, %ct: tensor<3x8xf32>) -> (tensor<6x8xf32>, tensor<3x8xf32>) {
  %zero = weft.constant dense<0.0> : tensor<6x8xf32>
  %ones = weft.constant dense<1.0> : tensor<6x8xf32>
  %none = weft.constant dense<0.0> : tensor<3x2x8xf32>
  %a = weft.maximum %x, %zero : tensor<6x8xf32>
  %y = weft.reduce_window_max %a window [2, 1] strides [2, 1] low [0, 0] high [0, 0] base_dilation [1, 1] window_dilation [1, 1] : (tensor<6x8xf32>) -> tensor<3x8xf32>
  %count = weft.sum_where_equal %a, %ones, %y window [2, 1] strides [2, 1] low [0, 0] high [0, 0] base_dilation [1, 1] window_dilation [1, 1] : (tensor<6x8xf32>, tensor<6x8xf32>, tensor<3x8xf32>) -> tensor<3x8xf32>
  %part = weft.divide %ct, %count : tensor<3x8xf32>
  %each = weft.broadcast %part dims [0, 2] : tensor<3x8xf32> to tensor<3x2x8xf32>
  %tiles = weft.reshape %a : tensor<6x8xf32> to tensor<3x2x8xf32>
  %key = weft.broadcast %y dims [0, 2] : tensor<3x8xf32> to tensor<3x2x8xf32>
  %equal = weft.equal %tiles, %key : tensor<3x2x8xf32>
  %chosen = weft.select %equal, %each, %none : tensor<3x2x8xf32>
  %da = weft.reshape %chosen : tensor<3x2x8xf32> to tensor<6x8xf32>
  %dx = weft.multiply %da, %x : tensor<6x8xf32>
  return %dx, %y : tensor<6x8xf32>, tensor<3x8xf32>
}

// Windows that overlap read an element many times.
// CHECK-LABEL: func.func @overlapping(
// CHECK: math.exp
// CHECK: linalg.generic {{.*}}"reduction"
// CHECK-NOT: math.exp
// CHECK: return
func.func @overlapping(%x: tensor<7xf32>) -> tensor<3xf32> {
  %a = weft.exp %x : tensor<7xf32>
  %y = weft.reduce_window_max %a window [3] strides [2] low [0] high [0] base_dilation [1] window_dilation [1] : (tensor<7xf32>) -> tensor<3xf32>
  return %y : tensor<3xf32>
}

// What reads elements apart in a fill has the dimension along which they are a part.
// CHECK-LABEL: func.func @apart(
// CHECK: %[[JOINED:.+]] = tensor.insert_slice
// CHECK: linalg.generic {{.*}} iterator_types = ["parallel", "parallel"]} ins(%[[JOINED]], {{.*}} : tensor<512x2xf32>
// CHECK: tensor.collapse_shape
func.func @apart(%x: tensor<512xf32>, %y: tensor<1024xf32>) -> tensor<1024xf32> {
  %zero = weft.constant dense<0.0> : tensor<f32>
  %0 = weft.pad %x with %zero low [0] high [1] interior [1] : tensor<512xf32>, tensor<f32> to tensor<1024xf32>
  %1 = weft.add %0, %y : tensor<1024xf32>
  return %1 : tensor<1024xf32>
}

// A few arrays that are stacked for it are combined, element by element.
// CHECK-LABEL: func.func @reduced_stack(
// CHECK-SAME: %[[X:[^:]+]]: tensor<64xf32>, %[[Y:[^:]+]]: tensor<64xf32>
// CHECK-NOT: tensor.insert_slice
// CHECK: linalg.generic {{.*}} iterator_types = ["parallel"]} ins(%[[Y]], %[[X]] :
// CHECK: %[[SQUARE:.+]] = arith.mulf
// CHECK: %[[ONE:.+]] = arith.addf %[[SQUARE]], %{{.+}} : f32
// CHECK: arith.addf %[[ONE]],
// CHECK-NOT: linalg.generic
// CHECK: return
func.func @reduced_stack(%x: tensor<64xf32>, %y: tensor<64xf32>) -> tensor<64xf32> {
  %0 = weft.multiply %x, %x : tensor<64xf32>
  %1 = weft.reshape %0 : tensor<64xf32> to tensor<1x64xf32>
  %2 = weft.reshape %y : tensor<64xf32> to tensor<1x64xf32>
  %3 = weft.concatenate %1, %2 dim 0 : tensor<1x64xf32>, tensor<1x64xf32> to tensor<2x64xf32>
  %4 = weft.sum %3 axes [0] : tensor<2x64xf32> to tensor<64xf32>
  return %4 : tensor<64xf32>
}
