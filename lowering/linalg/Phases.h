// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Windows over an array with zeros between its elements. Of the results that
// are a certain number of steps after a multiple of the dilation, each meets
// every so many elements of the window alone: these results are of windows over
// the array as it is.

#ifndef WEFT_LOWERING_LINALG_PHASES_H
#define WEFT_LOWERING_LINALG_PHASES_H

#include "dialects/Windows.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace weft {

/// Along one dimension: the first result, and how many there are, the first
/// element of the window, and how many, and what is put around the array.
struct Phase {
  int64_t first, count, window, taps, low, high;
};

/// Whether there are elements between, which phases leave out.
bool havePhases(const Windows &windows);

class Phases {
public:
  /// Of windows over an array of the sizes `operand`, with so many `results`.
  Phases(const Windows &windows, llvm::ArrayRef<int64_t> operand,
         llvm::ArrayRef<int64_t> results);

  /// Whether each result is in a phase: of others, the window meets what is
  /// between elements only.
  bool haveAll(llvm::ArrayRef<int64_t> results) const;
  /// The windows for which the array is padded, enough for every phase.
  const Windows &around() const { return padded; }
  /// Visits each combination of the dimensions' phases.
  using VisitFn = llvm::function_ref<void(llvm::ArrayRef<Phase>)>;
  void visit(VisitFn visit) const;

  int64_t dilation(size_t dim) const { return windows.baseDilation[dim]; }
  /// Where a phase begins in the padded array, and how much of it it reads.
  int64_t start(const Phase &phase, size_t dim) const {
    return padded.low[dim] - phase.low;
  }
  static int64_t length(const Phase &phase) {
    return phase.count - 1 + phase.taps;
  }

private:
  Windows windows, padded;
  llvm::SmallVector<llvm::SmallVector<Phase>> phases;
};

/// A part of an array: all of it, cut along some dimensions.
class Part {
public:
  explicit Part(mlir::Value array);
  /// `count` elements from `first` on, each `step` after the last.
  void cut(int64_t dim, int64_t first, int64_t count, int64_t step);
  mlir::Value read(mlir::OpBuilder &b, mlir::Location loc) const;
  mlir::Value replaced(mlir::OpBuilder &b, mlir::Location loc,
                       mlir::Value part) const;

private:
  mlir::Value array;
  llvm::SmallVector<int64_t> offsets, sizes, steps;
};

} // namespace weft

#endif // WEFT_LOWERING_LINALG_PHASES_H
