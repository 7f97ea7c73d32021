// RUN: weft-opt --weft-lower-vectors %s | FileCheck %s

// CHECK-LABEL: func.func @product
// CHECK-NOT: vector.contract
// CHECK-COUNT-8: vector.fma {{.*}} : vector<16xf32>
// CHECK-NOT: vector.fma
func.func @product(%a: vector<4x2xf32>, %b: vector<2x16xf32>, %c: vector<4x16xf32>)
    -> vector<4x16xf32> {
  %y = vector.contract {
      indexing_maps = [affine_map<(i, j, k) -> (i, k)>, affine_map<(i, j, k) -> (k, j)>,
                       affine_map<(i, j, k) -> (i, j)>],
      iterator_types = ["parallel", "parallel", "reduction"], kind = #vector.kind<add>}
      %a, %b, %c : vector<4x2xf32>, vector<2x16xf32> into vector<4x16xf32>
  return %y : vector<4x16xf32>
}

// CHECK-LABEL: func.func @transfer
// CHECK-COUNT-2: vector.transfer_read {{.*}} vector<8xf32>
// CHECK-COUNT-2: vector.transfer_write {{.*}} vector<8xf32>
func.func @transfer(%x: memref<2x8xf32>, %y: memref<2x8xf32>) {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  %v = vector.transfer_read %x[%c0, %c0], %zero {in_bounds = [true, true]}
      : memref<2x8xf32>, vector<2x8xf32>
  vector.transfer_write %v, %y[%c0, %c0] {in_bounds = [true, true]}
      : vector<2x8xf32>, memref<2x8xf32>
  return
}

// CHECK-LABEL: func.func @sum
// CHECK-NOT: vector.multi_reduction
// CHECK: arith.addf {{.*}} : vector<8xf32>
func.func @sum(%x: vector<2x8xf32>, %y: vector<8xf32>) -> vector<8xf32> {
  %s = vector.multi_reduction <add>, %x, %y [0] : vector<2x8xf32> to vector<8xf32>
  return %s : vector<8xf32>
}
