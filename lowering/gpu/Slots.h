// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Numbers in memory: those that one kernel leaves to others or to the host, and
// those that one thread leaves to its block.

#ifndef WEFT_LOWERING_GPU_SLOTS_H
#define WEFT_LOWERING_GPU_SLOTS_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"

namespace weft {

/// Whether a value of a type is a number, and no buffer.
bool isNumber(mlir::Type type);

/// What is in memory for a number of a type: i64 for an index, i8 for a bool.
mlir::Type typeInMemory(mlir::Type type);
mlir::Operation *storeNumber(mlir::OpBuilder &b, mlir::Location loc,
                             mlir::Value value, mlir::Value place);
/// The number of a type that was stored; `mark` is an attribute for the load.
mlir::Value loadNumber(mlir::OpBuilder &b, mlir::Location loc, mlir::Type type,
                       mlir::Value place, llvm::StringRef mark = "");

/// Places of numbers, and of arrays, at the end of a function's arena.
class Slots {
public:
  explicit Slots(mlir::func::FuncOp func);

  /// A place for a number of a type.
  mlir::Value make(mlir::Type type, mlir::Location loc);
  /// One for an array.
  mlir::Value makeBuffer(mlir::MemRefType type, mlir::Location loc);
  /// Has the arena grown by what was made.
  void close();

private:
  void retype(mlir::gpu::LaunchFuncOp launch, unsigned number);

  mlir::func::FuncOp func;
  mlir::BlockArgument arena;
  int64_t bytes;
};

} // namespace weft

#endif // WEFT_LOWERING_GPU_SLOTS_H
