// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How a GPU computes running values: blocks walk tiles of rows at once. Where a
// row has several, what each of them comes to is computed before, and running
// values of that are what tiles begin with. Each step is a weft.library_call,
// so that what it leaves to the next has room in the arena.

#ifndef WEFT_LOWERING_GPU_SCANSTEP_H
#define WEFT_LOWERING_GPU_SCANSTEP_H

#include "dialects/Scalar.h"
#include "lowering/gpu/Device.h"

namespace weft {

/// The threads of a block at most, and the elements of each: an odd number, so
/// that threads that walk through their own meet no other in a bank of shared
/// memory.
inline constexpr int64_t scanThreads = 256, scannedPerThread = 9;

/// A step, as a call spells it: `weft.library_call "scan_tiles_cumsum_f32"
/// [outer, length, inner, reverse]`. Rows go along the second dimension.
struct ScanStep {
  enum class Kind {
    /// Running values of each tile; a second input has, for each row, those of
    /// what all tiles but the last come to.
    Tiles,
    /// What each tile of a row but the last comes to.
    Totals,
  };
  Kind kind;
  /// The op of weft that combines elements, without `weft.`.
  std::string name;
  /// As `weft` has them: unsigned where they are.
  mlir::Type element;
  int64_t outer, length, inner;
  bool reverse;

  static std::optional<ScanStep> of(mlir::Operation *op);
  /// The steps that an op begins with, if some combine any two of its running
  /// values.
  static std::optional<ScanStep> first(Cumulative op);

  mlir::Value build(mlir::OpBuilder &b, mlir::Location loc,
                    mlir::ValueRange inputs,
                    mlir::RankedTensorType result) const;

  /// What the elements of two neighbouring parts come to together.
  scalar::Scalar combine(scalar::Scalar left, scalar::Scalar right) const;

  int64_t rows() const { return outer * inner; }
  /// Neighbouring threads read elements of neighbouring rows where those of one
  /// row are apart, so that a block has several short tiles.
  int64_t tile() const {
    return scannedPerThread * (inner == 1 ? scanThreads : 32);
  }
  int64_t tiles() const { return llvm::divideCeil(length, tile()); }
  /// Whether it is sooner done than a thread walks along a row of `op`.
  bool isFaster(Cumulative op, const Gpu &gpu) const;
};

} // namespace weft

#endif // WEFT_LOWERING_GPU_SCANSTEP_H
