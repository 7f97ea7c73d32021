// RUN: weft-opt %s | weft-opt | FileCheck %s
// RUN: weft-opt --mlir-print-op-generic %s | weft-opt | FileCheck %s

// CHECK-LABEL: func.func @special(
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<2x3xf32>, %[[Y:[a-z0-9]+]]: tensor<2x3xf32>
func.func @special(%x: tensor<2x3xf32>, %y: tensor<2x3xf32>) {
  // CHECK-NEXT: %{{.+}} = weft.logit %[[X]] : tensor<2x3xf32>
  %logit = weft.logit %x : tensor<2x3xf32>
  // CHECK-NEXT: %{{.+}} = weft.gamma %[[X]] : tensor<2x3xf32>
  %gamma = weft.gamma %x : tensor<2x3xf32>
  // CHECK-NEXT: %{{.+}} = weft.lgamma %[[X]] : tensor<2x3xf32>
  %lgamma = weft.lgamma %x : tensor<2x3xf32>
  // CHECK-NEXT: %{{.+}} = weft.digamma %[[X]] : tensor<2x3xf32>
  %digamma = weft.digamma %x : tensor<2x3xf32>
  // CHECK-NEXT: %{{.+}} = weft.ndtr %[[X]] : tensor<2x3xf32>
  %ndtr = weft.ndtr %x : tensor<2x3xf32>
  // CHECK-NEXT: %{{.+}} = weft.ndtri %[[X]] : tensor<2x3xf32>
  %ndtri = weft.ndtri %x : tensor<2x3xf32>
  // CHECK-NEXT: %{{.+}} = weft.xlogy %[[X]], %[[Y]] : tensor<2x3xf32>
  %xlogy = weft.xlogy %x, %y : tensor<2x3xf32>
  // CHECK-NEXT: %{{.+}} = weft.xlog1py %[[X]], %[[Y]] : tensor<2x3xf32>
  %xlog1py = weft.xlog1py %x, %y : tensor<2x3xf32>
  // CHECK-NEXT: %{{.+}} = weft.nextafter %[[X]], %[[Y]] : tensor<2x3xf32>
  %nextafter = weft.nextafter %x, %y : tensor<2x3xf32>
  // CHECK-NEXT: %{{.+}} = weft.polygamma %[[X]], %[[Y]] : tensor<2x3xf32>
  %polygamma = weft.polygamma %x, %y : tensor<2x3xf32>
  // CHECK-NEXT: %{{.+}} = weft.betaln %[[X]], %[[Y]] : tensor<2x3xf32>
  %betaln = weft.betaln %x, %y : tensor<2x3xf32>
  // CHECK-NEXT: %{{.+}} = weft.gammaincc %[[X]], %[[Y]] : tensor<2x3xf32>
  %gammaincc = weft.gammaincc %x, %y : tensor<2x3xf32>
  // CHECK-NEXT: %{{.+}} = weft.sinc %[[X]] by [0] : tensor<2x3xf32>
  %sinc = weft.sinc %x by [0] : tensor<2x3xf32>
  // CHECK-NEXT: %{{.+}} = weft.erfcx %[[X]] by [2] : tensor<2x3xf32>
  %erfcx = weft.erfcx %x by [2] : tensor<2x3xf32>
  // CHECK-NEXT: %{{.+}} = weft.zeta %[[X]], %[[Y]] by [0, 1] : tensor<2x3xf32>
  %zeta = weft.zeta %x, %y by [0, 1] : tensor<2x3xf32>
  // CHECK-NEXT: %{{.+}} = weft.gammainc %[[X]], %[[Y]] by [1, 2] : tensor<2x3xf32>
  %gammainc = weft.gammainc %x, %y by [1, 2] : tensor<2x3xf32>
  // CHECK-NEXT: %{{.+}} = weft.betainc %[[X]], %[[Y]], %[[X]] by [0, 0, 3] : tensor<2x3xf32>
  %betainc = weft.betainc %x, %y, %x by [0, 0, 3] : tensor<2x3xf32>
  // CHECK-NEXT: %{{.+}} = weft.bessel_i %[[X]] order 0 : tensor<2x3xf32>
  %bessel_i = weft.bessel_i %x order 0 : tensor<2x3xf32>
  // CHECK-NEXT: %{{.+}} = weft.bessel_i %[[X]] order 2 scaled : tensor<2x3xf32>
  %scaled = weft.bessel_i %x order 2 scaled : tensor<2x3xf32>
  return
}
