// The derivatives of elementwise ops: one expression of the record an operand.
// RUN: weft-opt --weft-expand-transforms %s | FileCheck %s
// RUN: weft-opt --weft-expand-transforms %s | weft-opt --weft-expand-transforms | FileCheck %s
// RUN: weft-opt --weft-to-expanded --weft-to-linalg %s -o /dev/null
// RUN: %weft-run < %s | FileCheck %s --check-prefix=RESULT

func.func private @sin(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = weft.sin %x : tensor<4xf32>
  return %0 : tensor<4xf32>
}
// CHECK-LABEL: func.func @sin_vjp(
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<4xf32>, %[[CT:[a-z0-9]+]]: tensor<4xf32>)
// CHECK: %[[COS:.+]] = weft.cos %[[X]]
// CHECK-NEXT: %[[DX:.+]] = weft.multiply %[[CT]], %[[COS]]
// CHECK-NEXT: return %[[DX]]
func.func @sin_vjp(%x: tensor<4xf32>, %ct: tensor<4xf32>) -> tensor<4xf32> {
  %primal, %r = weft.linearize @sin(%x) wrt [0]
      : (tensor<4xf32>) -> (tensor<4xf32>, !weft.residuals<@sin, [0]>)
  %g = weft.pullback %r(%ct)
      : (!weft.residuals<@sin, [0]>, tensor<4xf32>) -> tensor<4xf32>
  return %g : tensor<4xf32>
}

func.func private @exp(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = weft.exp %x : tensor<4xf32>
  return %0 : tensor<4xf32>
}
// The result serves its own derivative.
// CHECK-LABEL: func.func @exp_vjp(
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<4xf32>, %[[CT:[a-z0-9]+]]: tensor<4xf32>)
// CHECK: %[[EXP:.+]] = weft.exp %[[X]]
// CHECK-NEXT: weft.multiply %[[CT]], %[[EXP]]
func.func @exp_vjp(%x: tensor<4xf32>, %ct: tensor<4xf32>) -> tensor<4xf32> {
  %primal, %r = weft.linearize @exp(%x) wrt [0]
      : (tensor<4xf32>) -> (tensor<4xf32>, !weft.residuals<@exp, [0]>)
  %g = weft.pullback %r(%ct)
      : (!weft.residuals<@exp, [0]>, tensor<4xf32>) -> tensor<4xf32>
  return %g : tensor<4xf32>
}

func.func private @divide(%x: tensor<4xf32>, %y: tensor<4xf32>) -> tensor<4xf32> {
  %0 = weft.divide %x, %y : tensor<4xf32>
  return %0 : tensor<4xf32>
}
// CHECK-LABEL: func.func @divide_vjp(
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<4xf32>, %[[Y:[a-z0-9]+]]: tensor<4xf32>, %[[CT:[a-z0-9]+]]: tensor<4xf32>)
// CHECK: %[[Q:.+]] = weft.divide %[[X]], %[[Y]]
// CHECK-NEXT: %[[DX:.+]] = weft.divide %[[CT]], %[[Y]]
// CHECK-NEXT: %[[SLOPE:.+]] = weft.divide %[[Q]], %[[Y]]
// CHECK-NEXT: %[[SCALED:.+]] = weft.multiply %[[CT]], %[[SLOPE]]
// CHECK-NEXT: %[[DY:.+]] = weft.negative %[[SCALED]]
// CHECK-NEXT: return %[[DX]], %[[DY]]
func.func @divide_vjp(%x: tensor<4xf32>, %y: tensor<4xf32>, %ct: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  %primal, %r = weft.linearize @divide(%x, %y) wrt [0, 1]
      : (tensor<4xf32>, tensor<4xf32>) -> (tensor<4xf32>, !weft.residuals<@divide, [0, 1]>)
  %g:2 = weft.pullback %r(%ct)
      : (!weft.residuals<@divide, [0, 1]>, tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>)
  return %g#0, %g#1 : tensor<4xf32>, tensor<4xf32>
}

func.func private @maximum(%x: tensor<4xf32>, %y: tensor<4xf32>) -> tensor<4xf32> {
  %0 = weft.maximum %x, %y : tensor<4xf32>
  return %0 : tensor<4xf32>
}
// Where both are equal, each gets half.
// CHECK-LABEL: func.func @maximum_vjp(
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<4xf32>, %[[Y:[a-z0-9]+]]: tensor<4xf32>, %[[CT:[a-z0-9]+]]: tensor<4xf32>)
// CHECK-DAG: %[[HALF:.+]] = weft.constant dense<5.000000e-01>
// CHECK: %[[TIE:.+]] = weft.equal %[[X]], %[[Y]]
// CHECK: %[[SHARE:.+]] = weft.select %[[TIE]], %[[HALF]]
// CHECK: %[[MORE:.+]] = weft.greater %[[X]], %[[Y]]
// CHECK: %[[PART:.+]] = weft.select %[[MORE]], %{{.+}}, %[[SHARE]]
// CHECK: weft.multiply %[[CT]], %[[PART]]
func.func @maximum_vjp(%x: tensor<4xf32>, %y: tensor<4xf32>, %ct: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  %primal, %r = weft.linearize @maximum(%x, %y) wrt [0, 1]
      : (tensor<4xf32>, tensor<4xf32>) -> (tensor<4xf32>, !weft.residuals<@maximum, [0, 1]>)
  %g:2 = weft.pullback %r(%ct)
      : (!weft.residuals<@maximum, [0, 1]>, tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>)
  return %g#0, %g#1 : tensor<4xf32>, tensor<4xf32>
}

func.func private @abs(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = weft.abs %x : tensor<4xf32>
  return %0 : tensor<4xf32>
}
// CHECK-LABEL: func.func @abs_vjp(
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<4xf32>, %[[CT:[a-z0-9]+]]: tensor<4xf32>)
// CHECK: %[[SIGN:.+]] = weft.sign %[[X]]
// CHECK-NEXT: weft.multiply %[[CT]], %[[SIGN]]
func.func @abs_vjp(%x: tensor<4xf32>, %ct: tensor<4xf32>) -> tensor<4xf32> {
  %primal, %r = weft.linearize @abs(%x) wrt [0]
      : (tensor<4xf32>) -> (tensor<4xf32>, !weft.residuals<@abs, [0]>)
  %g = weft.pullback %r(%ct)
      : (!weft.residuals<@abs, [0]>, tensor<4xf32>) -> tensor<4xf32>
  return %g : tensor<4xf32>
}

func.func private @pow(%x: tensor<4xf32>, %y: tensor<4xf32>) -> tensor<4xf32> {
  %0 = weft.pow %x, %y : tensor<4xf32>
  return %0 : tensor<4xf32>
}
// At exponent 0 and at base 0 the derivatives are 0, not 0 * inf.
// CHECK-LABEL: func.func @pow_vjp(
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<4xf32>, %[[Y:[a-z0-9]+]]: tensor<4xf32>, %{{.+}}: tensor<4xf32>)
// CHECK-DAG: %[[ZERO:.+]] = weft.constant dense<0.000000e+00>
// CHECK: %[[FLAT:.+]] = weft.equal %[[Y]], %[[ZERO]]
// CHECK: weft.select %[[FLAT]], %[[ZERO]]
// CHECK: %[[NONE:.+]] = weft.equal %[[X]], %[[ZERO]]
// CHECK: %[[SAFE:.+]] = weft.select %[[NONE]], %{{.+}}, %[[X]]
// CHECK: weft.log %[[SAFE]]
func.func @pow_vjp(%x: tensor<4xf32>, %y: tensor<4xf32>, %ct: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  %primal, %r = weft.linearize @pow(%x, %y) wrt [0, 1]
      : (tensor<4xf32>, tensor<4xf32>) -> (tensor<4xf32>, !weft.residuals<@pow, [0, 1]>)
  %g:2 = weft.pullback %r(%ct)
      : (!weft.residuals<@pow, [0, 1]>, tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>)
  return %g#0, %g#1 : tensor<4xf32>, tensor<4xf32>
}

func.func private @select(%x: tensor<4xi1>, %y: tensor<4xf32>, %z: tensor<4xf32>) -> tensor<4xf32> {
  %0 = weft.select %x, %y, %z : tensor<4xf32>
  return %0 : tensor<4xf32>
}
// CHECK-LABEL: func.func @select_vjp(
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<4xi1>, %{{.+}}: tensor<4xf32>, %{{.+}}: tensor<4xf32>, %[[CT:[a-z0-9]+]]: tensor<4xf32>)
// CHECK: %[[ZERO:.+]] = weft.constant dense<0.000000e+00>
// CHECK-NEXT: %[[DY:.+]] = weft.select %[[X]], %[[CT]], %[[ZERO]]
// CHECK-NEXT: %[[DZ:.+]] = weft.select %[[X]], %[[ZERO]], %[[CT]]
// CHECK-NEXT: return %[[DY]], %[[DZ]]
func.func @select_vjp(%x: tensor<4xi1>, %y: tensor<4xf32>, %z: tensor<4xf32>, %ct: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  %primal, %r = weft.linearize @select(%x, %y, %z) wrt [1, 2]
      : (tensor<4xi1>, tensor<4xf32>, tensor<4xf32>) -> (tensor<4xf32>, !weft.residuals<@select, [1, 2]>)
  %g:2 = weft.pullback %r(%ct)
      : (!weft.residuals<@select, [1, 2]>, tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>)
  return %g#0, %g#1 : tensor<4xf32>, tensor<4xf32>
}

func.func private @copysign(%x: tensor<4xf32>, %y: tensor<4xf32>) -> tensor<4xf32> {
  %0 = weft.copysign %x, %y : tensor<4xf32>
  return %0 : tensor<4xf32>
}
// The sign of y does not depend on y, almost everywhere.
// CHECK-LABEL: func.func @copysign_vjp(
// CHECK-SAME: %{{.+}}: tensor<4xf32>, %{{.+}}: tensor<4xf32>, %{{.+}}: tensor<4xf32>)
// CHECK-DAG: %[[ZERO:.+]] = weft.constant dense<0.000000e+00>
// CHECK: return %{{.+}}, %[[ZERO]]
func.func @copysign_vjp(%x: tensor<4xf32>, %y: tensor<4xf32>, %ct: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  %primal, %r = weft.linearize @copysign(%x, %y) wrt [0, 1]
      : (tensor<4xf32>, tensor<4xf32>) -> (tensor<4xf32>, !weft.residuals<@copysign, [0, 1]>)
  %g:2 = weft.pullback %r(%ct)
      : (!weft.residuals<@copysign, [0, 1]>, tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>)
  return %g#0, %g#1 : tensor<4xf32>, tensor<4xf32>
}

func.func private @convert(%x: tensor<4xf32>) -> tensor<4xf64> {
  %0 = weft.convert %x : tensor<4xf32> to tensor<4xf64>
  return %0 : tensor<4xf64>
}
// A cotangent has the type of what it belongs to.
// CHECK-LABEL: func.func @convert_vjp(
// CHECK-SAME: %{{.+}}: tensor<4xf32>, %[[CT:[a-z0-9]+]]: tensor<4xf64>)
// CHECK: %[[DX:.+]] = weft.convert %[[CT]] : tensor<4xf64> to tensor<4xf32>
// CHECK-NEXT: return %[[DX]]
func.func @convert_vjp(%x: tensor<4xf32>, %ct: tensor<4xf64>) -> tensor<4xf32> {
  %primal, %r = weft.linearize @convert(%x) wrt [0]
      : (tensor<4xf32>) -> (tensor<4xf64>, !weft.residuals<@convert, [0]>)
  %g = weft.pullback %r(%ct)
      : (!weft.residuals<@convert, [0]>, tensor<4xf64>) -> tensor<4xf32>
  return %g : tensor<4xf32>
}

func.func private @through_integers(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = weft.convert %x : tensor<4xf32> to tensor<4xi32>
  %1 = weft.convert %0 : tensor<4xi32> to tensor<4xf32>
  %2 = weft.multiply %1, %x : tensor<4xf32>
  return %2 : tensor<4xf32>
}
// Nothing flows back through integers.
// CHECK-LABEL: func.func @through_integers_vjp(
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<4xf32>, %[[CT:[a-z0-9]+]]: tensor<4xf32>)
// CHECK: %[[INT:.+]] = weft.convert %[[X]] : tensor<4xf32> to tensor<4xi32>
// CHECK-NEXT: %[[FLOAT:.+]] = weft.convert %[[INT]]
// CHECK-NEXT: %[[DX:.+]] = weft.multiply %[[CT]], %[[FLOAT]]
// CHECK-NEXT: return %[[DX]]
func.func @through_integers_vjp(%x: tensor<4xf32>, %ct: tensor<4xf32>) -> tensor<4xf32> {
  %primal, %r = weft.linearize @through_integers(%x) wrt [0]
      : (tensor<4xf32>) -> (tensor<4xf32>, !weft.residuals<@through_integers, [0]>)
  %g = weft.pullback %r(%ct)
      : (!weft.residuals<@through_integers, [0]>, tensor<4xf32>) -> tensor<4xf32>
  return %g : tensor<4xf32>
}

func.func private @floor(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = weft.floor %x : tensor<4xf32>
  %1 = weft.multiply %0, %x : tensor<4xf32>
  return %1 : tensor<4xf32>
}
// Nor through an op that has no derivative.
// CHECK-LABEL: func.func @floor_vjp(
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<4xf32>, %[[CT:[a-z0-9]+]]: tensor<4xf32>)
// CHECK: %[[FLOOR:.+]] = weft.floor %[[X]]
// CHECK-NEXT: %[[DX:.+]] = weft.multiply %[[CT]], %[[FLOOR]]
// CHECK-NEXT: return %[[DX]]
func.func @floor_vjp(%x: tensor<4xf32>, %ct: tensor<4xf32>) -> tensor<4xf32> {
  %primal, %r = weft.linearize @floor(%x) wrt [0]
      : (tensor<4xf32>) -> (tensor<4xf32>, !weft.residuals<@floor, [0]>)
  %g = weft.pullback %r(%ct)
      : (!weft.residuals<@floor, [0]>, tensor<4xf32>) -> tensor<4xf32>
  return %g : tensor<4xf32>
}

func.func @main() -> (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) {
  %x = weft.constant dense<[0.0, 1.0, 2.0, 3.0]> : tensor<4xf32>
  %y = weft.constant dense<[2.0, 1.0, 2.0, 2.0]> : tensor<4xf32>
  %ct = weft.constant dense<1.0> : tensor<4xf32>
  %0:2 = call @maximum_vjp(%x, %y, %ct) : (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>)
  %1:2 = call @divide_vjp(%x, %y, %ct) : (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>)
  return %0#0, %0#1, %1#0, %1#1 : tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>
}
// RESULT: float32 [0.0, 0.5, 0.5, 1.0]
// RESULT-NEXT: float32 [1.0, 0.5, 0.5, 0.0]
// RESULT-NEXT: float32 [0.5, 1.0, 0.5, 0.5]
// RESULT-NEXT: float32 [-0.0, -1.0, -0.5, -0.75]
