// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How a window moves over dimensions of an array.

#ifndef WEFT_DIALECTS_WINDOWS_H
#define WEFT_DIALECTS_WINDOWS_H

#include "llvm/ADT/SmallVector.h"

namespace weft {

/// One entry for each dimension that the window moves over: the window's
/// elements, by how much it moves, and what is put around and between the
/// elements of the array (negative: cut off) and between those of the window.
struct Windows {
  llvm::SmallVector<int64_t> window, strides, low, high, baseDilation,
      windowDilation;

  Windows(llvm::ArrayRef<int64_t> window, llvm::ArrayRef<int64_t> strides,
          llvm::ArrayRef<int64_t> low, llvm::ArrayRef<int64_t> high,
          llvm::ArrayRef<int64_t> baseDilation,
          llvm::ArrayRef<int64_t> windowDilation)
      : window(window), strides(strides), low(low), high(high),
        baseDilation(baseDilation), windowDilation(windowDilation) {}

  size_t rank() const { return window.size(); }
  /// The size of `count` elements of which each is `dilation` after the last.
  static int64_t dilated(int64_t count, int64_t dilation) {
    return count ? (count - 1) * dilation + 1 : 0;
  }
  /// From the first element of the window to its last.
  int64_t extent(size_t dim) const {
    return dilated(window[dim], windowDilation[dim]);
  }

  /// The windows of the transpose: which windows of an array of the sizes
  /// `result` each element of one of the sizes `operand` is in.
  Windows transposed(llvm::ArrayRef<int64_t> operand,
                     llvm::ArrayRef<int64_t> result) const;
  /// With each window and the array of results in each other's place: at which
  /// elements a certain element of each window is.
  Windows exchanged(llvm::ArrayRef<int64_t> operand,
                    llvm::ArrayRef<int64_t> result) const;
};

} // namespace weft

#endif // WEFT_DIALECTS_WINDOWS_H
