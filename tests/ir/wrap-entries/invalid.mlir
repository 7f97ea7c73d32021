// RUN: weft-opt --weft-wrap-entries %s -verify-diagnostics

// expected-error @+1 {{entry 'f' has an argument of type 'f32' where only pointers can be passed}}
llvm.func @f(%x: f32, %arena: !llvm.ptr) attributes {weft.arena_bytes = 0 : i64} {
  llvm.return
}
