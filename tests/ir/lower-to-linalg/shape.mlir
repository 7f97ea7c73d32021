// RUN: weft-opt --weft-lower-to-linalg --canonicalize %s | FileCheck %s

// CHECK-DAG: #[[SECOND:.+]] = affine_map<(d0, d1) -> (d1)>
// CHECK-DAG: #[[FIRST_ROW:.+]] = affine_map<(d0, d1) -> (0, d1)>
// CHECK-DAG: #[[SWAP:.+]] = affine_map<(d0, d1) -> (d1, d0)>
// CHECK-DAG: #[[TURN:.+]] = affine_map<(d0, d1) -> (d0, -d1 + 2)>

// CHECK-LABEL: func.func @broadcast(
// CHECK: linalg.generic {indexing_maps = [#[[SECOND]], #{{.+}}]
func.func @broadcast(%x: tensor<3xf32>) -> tensor<2x3xf32> {
  %0 = weft.broadcast %x dims [1] : tensor<3xf32> to tensor<2x3xf32>
  return %0 : tensor<2x3xf32>
}

// CHECK-LABEL: func.func @stretch(
// CHECK: linalg.generic {indexing_maps = [#[[FIRST_ROW]], #{{.+}}]
func.func @stretch(%x: tensor<1x3xf32>) -> tensor<2x3xf32> {
  %0 = weft.broadcast %x dims [0, 1] : tensor<1x3xf32> to tensor<2x3xf32>
  return %0 : tensor<2x3xf32>
}

// CHECK-LABEL: func.func @transpose(
// CHECK: linalg.generic {indexing_maps = [#[[SWAP]], #{{.+}}]
func.func @transpose(%x: tensor<3x2xf32>) -> tensor<2x3xf32> {
  %0 = weft.transpose %x perm [1, 0] : tensor<3x2xf32> to tensor<2x3xf32>
  return %0 : tensor<2x3xf32>
}

// CHECK-LABEL: func.func @reverse(
// CHECK: linalg.generic {indexing_maps = [#[[TURN]], #{{.+}}]
func.func @reverse(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
  %0 = weft.reverse %x dims [1] : tensor<2x3xf32> to tensor<2x3xf32>
  return %0 : tensor<2x3xf32>
}

// CHECK-LABEL: func.func @reshape(
// CHECK: %[[FLAT:.+]] = tensor.collapse_shape %{{.+}} {{\[\[}}0, 1]] : tensor<4x3xf32> into tensor<12xf32>
// CHECK: tensor.expand_shape %[[FLAT]] {{\[\[}}0, 1]] output_shape [2, 6]
func.func @reshape(%x: tensor<4x3xf32>) -> tensor<2x6xf32> {
  %0 = weft.reshape %x : tensor<4x3xf32> to tensor<2x6xf32>
  return %0 : tensor<2x6xf32>
}

// CHECK-LABEL: func.func @slice(
// CHECK: tensor.extract_slice %{{.+}}[1, 0] [2, 2] [1, 2] : tensor<4x3xf32> to tensor<2x2xf32>
func.func @slice(%x: tensor<4x3xf32>) -> tensor<2x2xf32> {
  %0 = weft.slice %x from [1, 0] to [3, 3] by [1, 2] : tensor<4x3xf32> to tensor<2x2xf32>
  return %0 : tensor<2x2xf32>
}

// CHECK-LABEL: func.func @pad(
// CHECK: %[[V:.+]] = tensor.extract
// CHECK: %[[FILL:.+]] = linalg.fill ins(%[[V]] : f32)
// CHECK: tensor.insert_slice %{{.+}} into %[[FILL]][1] [3] [2] : tensor<3xf32> into tensor<8xf32>
func.func @pad(%x: tensor<3xf32>, %v: tensor<f32>) -> tensor<8xf32> {
  %0 = weft.pad %x with %v low [1] high [2] interior [1] : tensor<3xf32>, tensor<f32> to tensor<8xf32>
  return %0 : tensor<8xf32>
}

// What elementwise ops alone read is in parts along a dimension of its own.
// CHECK-LABEL: func.func @pad_read_in_parts(
// CHECK-SAME: %[[X:[^:]+]]: tensor<2x3xf32>
// CHECK: %[[FILL:.+]] = linalg.fill {{.*}} outs(%{{.+}} : tensor<2x4x2xf32>)
// CHECK: %[[PART:.+]] = tensor.expand_shape %[[X]] {{\[\[}}0], [1, 2]] output_shape [2, 3, 1]
// CHECK: %[[ALL:.+]] = tensor.insert_slice %[[PART]] into %[[FILL]][0, 0, 1] [2, 3, 1] [1, 1, 1]
// CHECK: tensor.collapse_shape %[[ALL]] {{\[\[}}0], [1, 2]] : tensor<2x4x2xf32> into tensor<2x8xf32>
func.func @pad_read_in_parts(%x: tensor<2x3xf32>, %v: tensor<f32>, %y: tensor<2x8xf32>) -> tensor<2x8xf32> {
  %0 = weft.pad %x with %v low [0, 1] high [0, 2] interior [0, 1] : tensor<2x3xf32>, tensor<f32> to tensor<2x8xf32>
  %1 = weft.add %0, %y : tensor<2x8xf32>
  return %1 : tensor<2x8xf32>
}

// CHECK-LABEL: func.func @concatenate_many(
// CHECK-NOT: insert_slice
// CHECK: tensor.concat dim(0) %arg0, %arg0{{.*}} -> tensor<34xi8>
func.func @concatenate_many(%x: tensor<2xi8>, %y: tensor<0xi8>) -> tensor<34xi8> {
  %0 = weft.concatenate %x, %y, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x dim 0 : tensor<2xi8>, tensor<0xi8>, tensor<2xi8>, tensor<2xi8>, tensor<2xi8>, tensor<2xi8>, tensor<2xi8>, tensor<2xi8>, tensor<2xi8>, tensor<2xi8>, tensor<2xi8>, tensor<2xi8>, tensor<2xi8>, tensor<2xi8>, tensor<2xi8>, tensor<2xi8>, tensor<2xi8>, tensor<2xi8> to tensor<34xi8>
  return %0 : tensor<34xi8>
}

// CHECK-LABEL: func.func @concatenate(
// CHECK-SAME: %[[X:.+]]: tensor<3xi8>, %[[Y:.+]]: tensor<2xi8>
// CHECK: %[[ONE:.+]] = tensor.insert_slice %[[X]] into %{{.+}}[0] [3] [1]
// CHECK: tensor.insert_slice %[[Y]] into %[[ONE]][3] [2] [1]
func.func @concatenate(%x: tensor<3xi1>, %y: tensor<2xi1>) -> tensor<5xi1> {
  %0 = weft.concatenate %x, %y dim 0 : tensor<3xi1>, tensor<2xi1> to tensor<5xi1>
  return %0 : tensor<5xi1>
}

// CHECK-LABEL: func.func @constants()
// CHECK-DAG: arith.constant dense<[1, 0]> : tensor<2xi8>
// CHECK-DAG: arith.constant dense<[-1, 1]> : tensor<2xi8>
func.func @constants() -> (tensor<2xi1>, tensor<2xui8>) {
  %0 = weft.constant dense<[true, false]> : tensor<2xi1>
  %1 = weft.constant dense<[255, 1]> : tensor<2xui8>
  return %0, %1 : tensor<2xi1>, tensor<2xui8>
}

// CHECK-LABEL: func.func @iota()
// CHECK: %[[I:.+]] = linalg.index 1
// CHECK: %[[J:.+]] = arith.index_cast %[[I]] : index to i64
// CHECK: arith.sitofp %[[J]] : i64 to f32
func.func @iota() -> tensor<2x3xf32> {
  %0 = weft.iota dim 1 : tensor<2x3xf32>
  return %0 : tensor<2x3xf32>
}
