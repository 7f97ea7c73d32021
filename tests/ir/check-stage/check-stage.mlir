// RUN: weft-opt --weft-check-stage="stage=linalg legal=func,arith" %s -verify-diagnostics

func.func @f(%x: f32) -> f32 {
  %0 = arith.addf %x, %x : f32
  // expected-error @+1 {{'math.sin' is left at stage 'linalg', which consists of func, arith}}
  %1 = math.sin %0 : f32
  return %1 : f32
}
