// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which parts of an array gather and scatter are about.

#ifndef WEFT_DIALECTS_PLACES_H
#define WEFT_DIALECTS_PLACES_H

#include "llvm/ADT/ArrayRef.h"

namespace weft {

/// How indices address the slices of an array: one array of indices for each of
/// `dims`. Of a slice the dimensions in `collapsed` are dropped; those in
/// `batch` are walked together with the leading dimensions of the indices.
struct Places {
  llvm::ArrayRef<int64_t> dims, collapsed, batch;
  /// Slices that leave the array are moved into it; else they are left out.
  bool clip;

  /// The dimensions of the array that a slice keeps, ascending.
  llvm::SmallVector<int64_t> windowDims(int64_t rank) const;
};

} // namespace weft

#endif // WEFT_DIALECTS_PLACES_H
