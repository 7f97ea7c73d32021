// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How a GPU scatters: which of the dimensions can be gone along at once, and
// whether what meets at one place is better found first.

#ifndef WEFT_LOWERING_GPU_SCATTERPLAN_H
#define WEFT_LOWERING_GPU_SCATTERPLAN_H

#include "dialects/Weft.h"
#include "lowering/gpu/Device.h"

namespace weft {

/// The dimensions of a scatter's array. Along some, updates stay apart whatever
/// the indices are: `batch`, and the `free` ones, of which a slice has all.
/// Along the others, `keyed`, an update is put at a place that is computed.
struct ScatterPlan {
  ScatterPlan(Scatter op, const Gpu &gpu);

  llvm::SmallVector<int64_t> batch, free, keyed;
  /// Updates, by their dimensions: what is walked in batches, then one after
  /// the other, and the extents of a slice, with those of the keyed dimensions
  /// alone.
  llvm::SmallVector<int64_t> batches, walked, window, keyedWindow;
  /// Elements that are apart from each other, and the updates in each of them.
  int64_t apart, steps;
  /// Places along the keyed dimensions.
  int64_t places;
  /// Whether updates are sorted by their places, so that each element of the
  /// result finds its own; else each of the elements that are apart takes all
  /// of its updates in turn.
  bool sorts;

  /// Whether there is one slice in each batch.
  bool hasOneSlice() const { return llvm::product_of(walked) == 1; }

private:
  bool isFaster(Scatter op, const Gpu &gpu) const;
};

} // namespace weft

#endif // WEFT_LOWERING_GPU_SCATTERPLAN_H
