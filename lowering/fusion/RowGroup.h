// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Linalg ops on buffers that follow each other, and of which each computes a
// row from rows of the ones before it: which they are, and the loop that they
// become over rows or blocks of rows.

#ifndef WEFT_LOWERING_FUSION_ROWGROUP_H
#define WEFT_LOWERING_FUSION_ROWGROUP_H

#include "lowering/Machine.h"
#include "lowering/fusion/Nest.h"
#include "lowering/memory/Buffers.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/SmallBitVector.h"

namespace weft {

/// The sum of products that begins with what the op fills, and follows it, if
/// that is what the op does.
mlir::linalg::GenericOp sumAfter(mlir::linalg::LinalgOp op);

/// The fill with what a sum begins with, moved to just before it if it can
/// stand there; or null.
mlir::linalg::FillOp moveFillTo(mlir::linalg::GenericOp sum);

class RowGroup {
public:
  struct Member {
    mlir::linalg::LinalgOp op;
    Nest nest;

    /// The leading loops that are parallel.
    unsigned numLeading() const;
  };

  explicit RowGroup(const Machine &machine) : machine(&machine) {}

  /// Whether the op can join so that from `least` to `most` of the leading
  /// loops tell rows apart; if so, it has.
  bool add(mlir::linalg::LinalgOp op, unsigned least = 1, unsigned most = -1);

  llvm::ArrayRef<Member> members() const { return ops; }
  /// How many of the leading loops tell rows apart.
  unsigned numLoops() const { return loops; }
  /// Leaves out the last member.
  void pop() { ops.pop_back(); }
  /// Has rows told apart by fewer loops, so that they are longer.
  bool widen();
  int64_t numRows() const;
  /// The steps of the longest row.
  int64_t stepsPerRow() const;

  /// Whether rows can be taken in blocks: all that the last loop that tells
  /// them apart walks along, it does step by step from the first on.
  bool canBlock() const;

  /// The temporaries that the group alone uses, and the bytes of a row of each.
  llvm::MapVector<mlir::Value, int64_t> findPrivate() const;

  /// Replaces the members by a loop in whose steps each of them does one row,
  /// or, if that can be, `block` rows that the last of the loops tells apart.
  /// Of the temporaries `own` there is one row, or one block, on the stack.
  void wrap(int64_t block, llvm::ArrayRef<mlir::Value> own);

private:
  bool keepsToRows(unsigned count) const;
  bool readsNoneOf(const llvm::SmallDenseSet<mlir::Value> &written) const;
  unsigned sharedLoops() const;

  const Machine *machine;
  llvm::SmallVector<Member, 4> ops;
  unsigned loops = 0;
};

} // namespace weft

#endif // WEFT_LOWERING_FUSION_ROWGROUP_H
