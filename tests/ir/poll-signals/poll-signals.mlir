// RUN: weft-opt --weft-poll-signals %s | FileCheck %s

// CHECK: llvm.func @_weft_poll() -> i32 attributes {memory_effects = #llvm.memory_effects<other = none, argMem = none, inaccessibleMem = readwrite
// CHECK-SAME: passthrough = ["cold", "nounwind"]

// Of a loop without a known end, the condition asks. The first step does, too.
// CHECK-LABEL: func.func @endless
// CHECK: %[[LEFT:.+]] = memref.alloca() : memref<i32>
// CHECK: %[[ONE:.+]] = arith.constant 1 : i32
// CHECK: memref.store %[[ONE]], %[[LEFT]][] : memref<i32>
// CHECK: scf.while
// CHECK: %[[BEFORE:.+]] = memref.load %[[LEFT]][]
// CHECK: %[[NOW:.+]] = arith.subi %[[BEFORE]], %{{.+}} : i32
// CHECK: memref.store %[[NOW]], %[[LEFT]][]
// CHECK: %[[OVER:.+]] = arith.cmpi sle, %[[NOW]], %{{.+}} : i32
// CHECK: scf.if %[[OVER]] {
// CHECK:   %[[NEXT:.+]] = llvm.call @_weft_poll() : () -> i32
// CHECK:   memref.store %[[NEXT]], %[[LEFT]][]
// CHECK: scf.condition
// CHECK: do
// CHECK-NOT: llvm.call
// CHECK: return
func.func @endless(%x: f32) -> f32 attributes {weft.arena_bytes = 0 : i64} {
  %bound = arith.constant 1.0 : f32
  %r = scf.while (%a = %x) : (f32) -> f32 {
    %go = arith.cmpf olt, %a, %bound : f32
    scf.condition(%go) %a : f32
  } do {
  ^bb0(%a: f32):
    %next = math.sin %a : f32
    scf.yield %next : f32
  }
  return %r : f32
}

// Few steps do not; many do, and so does a number that is not known.
// CHECK-LABEL: func.func @counted
// CHECK: scf.for
// CHECK-NOT: llvm.call
// CHECK: scf.for
// CHECK: llvm.call @_weft_poll
// CHECK: scf.for
// CHECK: llvm.call @_weft_poll
func.func @counted(%y: memref<f32>, %n: index) attributes {weft.arena_bytes = 0 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %few = arith.constant 999 : index
  %many = arith.constant 1000 : index
  scf.for %i = %c0 to %few step %c1 {
    func.call @kernel(%y, %n) : (memref<f32>, index) -> ()
  }
  scf.for %i = %c0 to %many step %c1 {
    func.call @kernel(%y, %n) : (memref<f32>, index) -> ()
  }
  scf.for %i = %c0 to %n step %c1 {
    func.call @kernel(%y, %n) : (memref<f32>, index) -> ()
  }
  return
}

// CHECK-LABEL: func.func private @kernel
// CHECK-NOT: llvm.call
func.func private @kernel(%y: memref<f32>, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %x = arith.constant 1.0 : f32
  scf.for %i = %c0 to %n step %c1 {
    memref.store %x, %y[] : memref<f32>
  }
  return
}
