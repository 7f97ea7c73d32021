// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One linalg op, shared among threads: those of a block, or of all blocks.

#ifndef WEFT_LOWERING_GPU_STEP_H
#define WEFT_LOWERING_GPU_STEP_H

#include "lowering/fusion/LaneReduction.h"
#include "lowering/fusion/Nest.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"

namespace weft {

/// Shared memory of a block, given out in turn; what one step used the next
/// may use again.
class SharedMemory {
public:
  explicit SharedMemory(mlir::gpu::GPUFuncOp kernel) : kernel(kernel) {}

  /// Memory that is in use until the kernel ends.
  mlir::Value keep(mlir::OpBuilder &b, mlir::Location loc,
                   mlir::MemRefType type);
  /// Memory for a step.
  mlir::Value borrow(mlir::OpBuilder &b, mlir::Location loc,
                     mlir::MemRefType type);
  /// What the kernel needs in all.
  int64_t bytes() const { return kept + borrowed; }
  /// Says so on the kernel.
  void close();

private:
  mlir::Value place(mlir::OpBuilder &b, mlir::Location loc,
                    mlir::MemRefType type, bool isBorrowed);

  mlir::gpu::GPUFuncOp kernel;
  int64_t kept = 0, borrowed = 0;
  /// Offsets of what is borrowed begin where all that is kept ends, which is
  /// known at the end.
  llvm::SmallVector<mlir::Operation *> borrowedOffsets;
};

/// The threads that share a step.
struct Team {
  /// Numbers of the thread in its block, and of the block.
  mlir::Value thread, block;
  int64_t threads = 1, blocks = 1;
};

/// How a reduction is shared: `columns` at a time in a block, and `slices`
/// threads for each of them.
struct Slicing {
  int64_t columns = 1, slices = 1;
  /// The elements that a thread reads at once: of what is reduced if
  /// `slicesFirst`; else of results, and a column is so many of these.
  int64_t width = 1;
  /// The columns in all.
  int64_t numColumns = 1;
  /// Whether threads that follow each other reduce one result together; else
  /// they have neighbouring results.
  bool slicesFirst = false;

  /// For `threads` threads of each of `blocks` blocks.
  static Slicing choose(mlir::linalg::LinalgOp op, int64_t threads,
                        int64_t blocks);
  int64_t threads() const { return columns * slices; }
};

/// How many threads have something to do in an elementwise op.
int64_t numGroups(mlir::linalg::LinalgOp op);

/// Replaces an op by what each thread of a team does of it, and a fill of what
/// it reduces into, if there is one.
void lowerElementwise(mlir::linalg::LinalgOp op, const Team &team);
void lowerReduction(mlir::linalg::LinalgOp op, mlir::linalg::FillOp fill,
                    const Team &team, const Slicing &slicing,
                    SharedMemory &shared);

} // namespace weft

#endif // WEFT_LOWERING_GPU_STEP_H
