// A while moves along tangents, backwards, and for a stack of inputs.
// RUN: weft-opt --weft-expand-transforms %s | FileCheck %s
// RUN: %weft-run < %s | FileCheck %s --check-prefix=RESULT

func.func private @f(%x: tensor<f64>, %c: tensor<f64>) -> tensor<f64> {
  %r:2 = weft.while carry(%x, %c) with(%c) : (tensor<f64>, tensor<f64>, tensor<f64>) -> (tensor<f64>, tensor<f64>) cond {
  ^bb0(%a: tensor<f64>, %b: tensor<f64>, %k: tensor<f64>):
    %hundred = weft.constant dense<100.0> : tensor<f64>
    %p = weft.less %a, %hundred : tensor<f64>
    weft.yield %p : tensor<i1>
  } do {
  ^bb0(%a: tensor<f64>, %b: tensor<f64>, %k: tensor<f64>):
    %0 = weft.multiply %a, %a : tensor<f64>
    %1 = weft.add %0, %k : tensor<f64>
    %2 = weft.sin %b : tensor<f64>
    %3 = weft.add %2, %a : tensor<f64>
    weft.yield %1, %3 : tensor<f64>, tensor<f64>
  }
  %s = weft.multiply %r#0, %r#1 : tensor<f64>
  return %s : tensor<f64>
}
// The condition is that of the primals.
// CHECK-LABEL: func.func @jvp(
// CHECK: weft.while carry(%{{.+}}, %{{.+}}, %{{.+}}, %{{.+}}) with(
// CHECK-NEXT: ^bb0(%[[A:[a-z0-9]+]]: tensor<f64>,
// CHECK-NEXT:   %[[HUNDRED:.+]] = weft.constant
// CHECK-NEXT:   %[[P:.+]] = weft.less %[[A]], %[[HUNDRED]]
// CHECK-NEXT:   weft.yield %[[P]]
// CHECK: } do {
// CHECK-NOT: weft.while
func.func @jvp(%x: tensor<f64>, %c: tensor<f64>, %tx: tensor<f64>) -> (tensor<f64>, tensor<f64>) {
  %y:2 = weft.jvp @f(%x, %c) along(%tx) wrt [1] : (tensor<f64>, tensor<f64>, tensor<f64>) -> (tensor<f64>, tensor<f64>)
  return %y#0, %y#1 : tensor<f64>, tensor<f64>
}
// The loop counts its trips; then a scan records them, and another one runs back.
// CHECK-LABEL: func.func @vjp(
// CHECK-SAME: %[[X:.+]]: tensor<f64>, %[[C:.+]]: tensor<f64>, %[[CT:.+]]: tensor<f64>)
// CHECK-DAG: %[[ZERO:.+]] = weft.constant dense<0> : tensor<i64>
// CHECK: %[[R:.+]]:3 = weft.while carry(%[[X]], %[[C]], %[[ZERO]]) with(%[[C]])
// CHECK: %[[TAPE:.+]]:4 = weft.scan trips %[[R]]#2 carry(%[[X]], %[[C]]) with(%[[C]]) : {{.*}} -> (tensor<f64>, tensor<f64>, tensor<?xf64>, tensor<?xf64>)
// CHECK: weft.scan trips %[[R]]#2 reverse carry({{.+}}) over(%[[TAPE]]#2, %[[TAPE]]#3)
func.func @vjp(%x: tensor<f64>, %c: tensor<f64>, %ct: tensor<f64>) -> (tensor<f64>, tensor<f64>) {
  %y, %r = weft.linearize @f(%x, %c) wrt [0, 1] : (tensor<f64>, tensor<f64>) -> (tensor<f64>, !weft.residuals<@f, [0, 1]>)
  %g:2 = weft.pullback %r(%ct) : (!weft.residuals<@f, [0, 1]>, tensor<f64>) -> (tensor<f64>, tensor<f64>)
  return %g#0, %g#1 : tensor<f64>, tensor<f64>
}
// It runs until all are done.
// CHECK-LABEL: func.func @vmap(
// CHECK: %[[RUNNING:.+]] = weft.less
// CHECK: weft.while carry(%{{.+}}, %{{.+}}, %[[RUNNING]])
// CHECK-NEXT: ^bb0(%{{.+}}, %{{.+}}, %[[P:.+]]: tensor<3xi1>, %{{.+}}):
// CHECK-NEXT:   %[[ANY:.+]] = weft.any %[[P]] axes [0]
// CHECK-NEXT:   weft.yield %[[ANY]]
// CHECK: } do {
// CHECK-NEXT: ^bb0(%[[A:.+]]: tensor<3xf64>, %{{.+}}, %[[P:.+]]: tensor<3xi1>, %{{.+}}):
// CHECK:   %[[NEXT:.+]] = weft.select %[[P]], %{{.+}}, %[[A]]
// CHECK:   %[[STILL:.+]] = weft.less %[[NEXT]]
// CHECK:   weft.yield %[[NEXT]], %{{.+}}, %[[STILL]]
func.func @vmap(%x: tensor<3xf64>, %c: tensor<f64>) -> tensor<3xf64> {
  %y = weft.vmap @f(%x, %c) size 3 in [0, -1] out [0] : (tensor<3xf64>, tensor<f64>) -> tensor<3xf64>
  return %y : tensor<3xf64>
}
// Tapes are as long as the longest loop, and hold stacks.
// CHECK-LABEL: func.func @vmapvjp(
// CHECK: %[[R:.+]]:4 = weft.while
// CHECK: %[[MAX:.+]] = weft.max %[[R]]#2 axes [0] : tensor<3xi64> to tensor<i64>
// CHECK: %[[TAPE:.+]]:5 = weft.scan trips %[[MAX]] carry({{.*}}) with(%{{.+}}, %[[R]]#2) : {{.*}} -> (tensor<3xf64>, tensor<3xf64>, tensor<i64>, tensor<?x3xf64>, tensor<?x3xf64>)
// CHECK: %[[LAST:.+]] = weft.add %[[MAX]]
// CHECK: weft.scan trips %[[MAX]] reverse carry({{.+}}, %[[LAST]]) over(%[[TAPE]]#3, %[[TAPE]]#4) with(%[[R]]#2)
func.func @vmapvjp(%x: tensor<3xf64>, %c: tensor<f64>, %ct: tensor<f64>) -> (tensor<3xf64>, tensor<3xf64>) {
  %y:2 = weft.vmap @vjp(%x, %c, %ct) size 3 in [0, -1, -1] out [0, 0] : (tensor<3xf64>, tensor<f64>, tensor<f64>) -> (tensor<3xf64>, tensor<3xf64>)
  return %y#0, %y#1 : tensor<3xf64>, tensor<3xf64>
}

// As differences give them; the last input takes no trip.
func.func @main() -> (tensor<3xf64>, tensor<3xf64>) {
  %x = weft.constant dense<[0.3, 1.5, 200.0]> : tensor<3xf64>
  %c = weft.constant dense<0.9> : tensor<f64>
  %ct = weft.constant dense<1.0> : tensor<f64>
  %g:2 = call @vmapvjp(%x, %c, %ct) : (tensor<3xf64>, tensor<f64>, tensor<f64>) -> (tensor<3xf64>, tensor<3xf64>)
  return %g#0, %g#1 : tensor<3xf64>, tensor<3xf64>
}
// RESULT: float64 [48725.02557{{.*}}, 6174.99556{{.*}}, 0.9]
// RESULT-NEXT: float64 [134376.3965{{.*}}, 2421.79365{{.*}}, 200.0]
