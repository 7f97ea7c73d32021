// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A loop over rows whose ops all walk through one row: which values of a row
// each reads and writes, and which threads have which of its elements.

#ifndef WEFT_LOWERING_GPU_ROWPLAN_H
#define WEFT_LOWERING_GPU_ROWPLAN_H

#include "lowering/fusion/Nest.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

namespace weft {

/// What is read or written of a buffer for one row: its elements, or one value.
/// Equal places are one memory; others overlap only if neither is written.
struct RowPlace {
  mlir::Value base;
  /// The part of the base that it begins at, if not at the base itself.
  mlir::memref::SubViewOp view;
  int64_t offset = 0;
  /// From one element to the next; 0 for one value.
  int64_t stride = 0;
  /// An operand that is this place.
  mlir::OpOperand *operand = nullptr;
  /// The ops of the row that use it first and last, and write it last.
  unsigned firstUse = 0, lastUse = 0;
  std::optional<unsigned> lastWriter;

  bool isSame(const RowPlace &other) const;
  /// Whether the row alone sees it.
  bool isPrivate() const {
    return base.getDefiningOp<mlir::memref::AllocaOp>() != nullptr;
  }
  mlir::Type element() const;
};

class RowPlan {
public:
  /// Nothing if some op is of another kind, or a row is too long.
  static std::optional<RowPlan> of(mlir::scf::ForOp loop);

  int64_t rows = 0, length = 1;
  /// Element (slot * threads + thread) * width + i of a row is number
  /// slot * width + i of the thread's.
  int64_t threads = 32, width = 1, slots = 1;

  llvm::SmallVector<RowPlace> places;
  /// By operand, and in the order of the row.
  llvm::DenseMap<mlir::OpOperand *, unsigned> placeOf;
  llvm::SmallVector<mlir::linalg::LinalgOp> ops;

  /// Elements that a thread has of a row.
  int64_t each() const { return slots * width; }
  /// Vectors of `width` elements in a row.
  int64_t vectors() const { return length / width; }
  /// Whether the threads' elements of this slot all exist.
  bool isWhole(int64_t slot) const { return (slot + 1) * threads <= vectors(); }
  int64_t rowsPerBlock() const;

private:
  bool add(mlir::linalg::LinalgOp op);
  bool addOperand(mlir::OpOperand &operand, const Access &access);
  bool isConsistent() const;
  int64_t chooseWidth() const;
  bool chooseThreads();
  bool fitsRegisters() const;
  int64_t mostLive() const;
};

} // namespace weft

#endif // WEFT_LOWERING_GPU_ROWPLAN_H
