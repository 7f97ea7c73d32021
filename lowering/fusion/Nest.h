// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A linalg op as a loop nest in which each operand is walked through in steps
// of fixed size: what can be decided by numbers alone.

#ifndef WEFT_LOWERING_FUSION_NEST_H
#define WEFT_LOWERING_FUSION_NEST_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include <numeric>

namespace weft {

/// A dimension that an operand has in pieces: of the sum of each loop's index
/// times its stride here, every `width` steps are one panel, and the next one
/// is `stride` further. Within a panel, the operand's own strides count.
struct Panels {
  llvm::SmallVector<int64_t> strides;
  int64_t width = 0, stride = 0;
};

/// Where an operand is read: `offset` plus the sum of each loop's index times
/// its stride, in elements.
struct Access {
  llvm::SmallVector<int64_t> strides;
  int64_t offset = 0;
  llvm::SmallVector<Panels, 2> panels;

  /// The panels through which a loop passes, or null.
  const Panels *panelsAlong(unsigned loop) const {
    auto found = llvm::find_if(
        panels, [&](const Panels &each) { return each.strides[loop] != 0; });
    return found == panels.end() ? nullptr : found;
  }
};

struct Nest {
  llvm::SmallVector<int64_t> extents;
  llvm::SmallVector<mlir::utils::IteratorType> kinds;
  /// For each, by what the op's loops are multiplied to have its steps as their
  /// sum.
  llvm::SmallVector<llvm::SmallVector<int64_t>> origins;
  /// One for each operand of the op.
  llvm::SmallVector<Access> accesses;

  /// The nest of an op of static shape, or nothing if an operand is walked
  /// through in another way. The offset of a buffer that begins at a place that
  /// only the running program knows counts as 0.
  static std::optional<Nest> of(mlir::linalg::LinalgOp op);

  /// Adds an operand that is read by a map from the loops of the op, before
  /// they are simplified; false if it is walked through in another way.
  bool add(mlir::Value operand, mlir::AffineMap map);

  /// Has an operand lie in a block, whose rows are so far apart.
  void placeInBlock(unsigned operand, std::optional<unsigned> rowLoop,
                    int64_t rowStride, std::optional<unsigned> laneLoop);

  /// Leaves out loops of one step, and makes one loop of two wherever every
  /// operand is walked through as by one.
  void simplify();

  /// The loop of the op that one is, if it is no more.
  std::optional<unsigned> originOf(unsigned loop) const;
  /// The steps of a loop, from those of the op.
  mlir::AffineExpr exprOf(unsigned loop, mlir::MLIRContext *context) const;

  /// Whether some operand is in panels.
  bool hasPanels() const {
    return llvm::any_of(
        accesses, [](const Access &access) { return !access.panels.empty(); });
  }

  size_t depth() const { return extents.size(); }
  /// How many times the body runs.
  double steps() const {
    return std::accumulate(extents.begin(), extents.end(), 1.0,
                           std::multiplies<double>());
  }
  bool isParallel(unsigned loop) const {
    return kinds[loop] == mlir::utils::IteratorType::parallel;
  }
  int64_t stride(unsigned operand, unsigned loop) const {
    return accesses[operand].strides[loop];
  }

private:
  bool canMerge(unsigned outer, unsigned inner) const;
  void erase(unsigned loop);
};

/// A buffer as one row of elements, of no stated length, and the place in it of
/// the buffer's beginning, `offset` added, which counts a fixed one already.
std::pair<mlir::Value, mlir::Value> flatten(mlir::ImplicitLocOpBuilder &b,
                                            mlir::Value buffer, int64_t offset);

/// base + steps * stride
mlir::Value advance(mlir::ImplicitLocOpBuilder &b, mlir::Value base,
                    mlir::Value steps, int64_t stride);

/// The digits of a number whose places count so far, the last running fastest.
llvm::SmallVector<mlir::Value> splitDigits(mlir::ImplicitLocOpBuilder &b,
                                           mlir::Value number,
                                           llvm::ArrayRef<int64_t> counts);

/// The work of an op, in simple operations.
double workOf(mlir::linalg::LinalgOp op, const Nest &nest);
/// The work of an op with what is in it; a loop of which nobody knows how often
/// it runs counts once.
double workOf(mlir::Operation *op);

/// Whether an op copies an array with its dimensions in another order.
bool isTransposition(mlir::linalg::GenericOp op);

/// Whether the elements of an array that are next to each other along its last
/// dimension of more than one are not in memory: of every second one, say.
bool hasGaps(mlir::Value array);

/// Whether an array is in memory as its shape says: no part of another one with
/// others' elements in between.
bool isContiguous(mlir::Value array);

} // namespace weft

#endif // WEFT_LOWERING_FUSION_NEST_H
