// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How a GPU sorts rows: blocks sort tiles of them, and launch by launch runs of
// sorted elements that follow each other are merged, two by two. Each step is a
// weft.library_call, so that what it leaves to the next has room in the arena.

#ifndef WEFT_LOWERING_GPU_SORTSTEP_H
#define WEFT_LOWERING_GPU_SORTSTEP_H

#include "dialects/Weft.h"

namespace weft {

/// What a block sorts, or merges, at once. The elements of a thread are an odd
/// number, so that threads that walk through their own meet no other in a bank
/// of shared memory.
inline constexpr int64_t sortThreads = 256, sortedPerThread = 9;
inline constexpr int64_t sortTile = sortThreads * sortedPerThread;

/// A step of sorting rows, as a call spells it: `weft.library_call
/// "argsort_tiles_f32" [rows, size, descending, run]`.
struct SortStep {
  enum class Kind {
    /// Sorts each run of so many elements.
    Tiles,
    /// The same, with the places that elements come from; a second input has
    /// an order that the elements are taken in.
    TilesWithPlaces,
    /// Merges two runs each, of elements or of elements and places.
    Merge,
  };
  Kind kind;
  /// Of the keys, as `weft` has them: unsigned where they are.
  mlir::Type element;
  int64_t rows, size;
  bool descending;
  int64_t run;

  static std::optional<SortStep> of(mlir::Operation *op);

  /// The call for operands: `outputs` are elements, places, or both.
  mlir::ValueRange build(mlir::OpBuilder &b, mlir::Location loc,
                         mlir::ValueRange inputs,
                         mlir::ValueRange outputs) const;
  /// Tiles of a row.
  int64_t tiles() const { return llvm::divideCeil(size, sortTile); }
};

} // namespace weft

#endif // WEFT_LOWERING_GPU_SORTSTEP_H
