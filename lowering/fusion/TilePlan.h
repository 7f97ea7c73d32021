// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How a sum of products of narrow numbers is computed in the CPU's matrix
// tiles: what its rows and columns are, and the size of the blocks. All of it
// is numbers; nothing is built here.

#ifndef WEFT_LOWERING_FUSION_TILEPLAN_H
#define WEFT_LOWERING_FUSION_TILEPLAN_H

#include "lowering/Machine.h"
#include "lowering/fusion/Nest.h"

namespace weft {

/// One instruction multiplies a tile of 16 rows by one of 16 columns, along 64
/// bytes of each, and adds to 16 x 16 sums of 32 bits. Two by two tiles of sums
/// are computed at once: a panel is what is read of a factor for them. Dot
/// products in the lanes of vectors do the same from the same panels.
///
/// Columns that many blocks read are copied into panels once, as an array: of
/// each panel, line by line, 32 groups of steps that fill 32 bits each.
struct TilePlan {
  /// The result's number among the operands.
  static constexpr unsigned sum = 2;
  /// Rows of a tile, bytes of each, and rows or columns of a panel.
  static constexpr int64_t tileRows = 16, lineBytes = 64, panel = 32;

  /// Its operands are those of the sum, and then those of the epilogue.
  Nest nest;
  /// Of the two factors, the one that is the same for all rows.
  unsigned columnFactor;
  /// A row and a column of the result for each step of these two loops, and
  /// the one of the loops summed over along which tiles lie.
  unsigned rowLoop, columnLoop, sumLoop;
  /// Of packed sums, a loop each step of which passes over `span` rows, those
  /// that are no row of the result included.
  std::optional<unsigned> spanLoop;
  int64_t span = 0;
  llvm::SmallVector<unsigned> outer, summed;

  /// Whether the columns are in panels, copied before: then four tiles of sums
  /// stay in registers over all that is summed over.
  bool isPacked = false;
  /// Whether tiles have rows of their factor as they lie; of packed sums.
  bool readsRows = false;

  /// Bytes of a factor's element, and whether it has no sign.
  int64_t factorBytes;
  bool isUnsigned[2] = {false, false};
  /// Whether instructions on vectors do what one on tiles would.
  bool byDots = false;
  /// Steps of each of the three loops in one block.
  int64_t rowBlock, columnBlock, sumBlock;
  /// The sums of a block where they are no part of an array, but converted.
  int64_t ownSums = 0;

  /// Nothing where the machine has no tiles for a sum, or the sum is too small
  /// to fill them.
  static std::optional<TilePlan> make(mlir::linalg::GenericOp op,
                                      const Machine &machine,
                                      mlir::linalg::GenericOp epilogue = {});
  /// The plan as it would be were the columns in panels; nothing where it is
  /// not worth it to copy them there.
  static std::optional<TilePlan> toPack(mlir::linalg::GenericOp op,
                                        const Machine &machine);

  unsigned rowFactor() const { return 1 - columnFactor; }
  int64_t rows() const {
    int64_t all = nest.extents[rowLoop];
    return spanLoop ? (nest.extents[*spanLoop] - 1) * span + all : all;
  }
  int64_t columns() const { return nest.extents[columnLoop]; }
  int64_t steps() const { return nest.extents[sumLoop]; }
  /// Steps along a tile.
  int64_t tileSteps() const { return lineBytes / factorBytes; }
  /// Elements that fill 32 bits.
  int64_t group() const { return 4 / factorBytes; }
  /// Dot products are of a factor without a sign by one with: what has both
  /// signs is 128 too large in the rows, and 128 of each column is taken off.
  bool isShifted() const {
    return byDots && factorBytes == 1 && !isUnsigned[0] && !isUnsigned[1];
  }
  /// Whether rows need not be changed, and can be read as they lie.
  bool mayBePacked() const { return !byDots || factorBytes == 2; }
  /// How many tiles all that is summed over fills.
  int64_t sumTiles() const;
  /// How many blocks of the result there are.
  int64_t numTasks() const;

private:
  static std::optional<TilePlan> begin(mlir::linalg::GenericOp op,
                                       const Machine &machine,
                                       mlir::linalg::GenericOp epilogue);
  bool chooseLoops(unsigned columnFactor);
  bool findPanels();
  bool chooseColumns();
  bool chooseRows();
  void splitLoops();
  bool isWorthIt(bool packs) const;
  bool isWorthPacking() const;
  void chooseBlocks(const Machine &machine);
  void choosePackedBlocks(const Machine &machine);
  void splitForThreads(bool rowsFirst);
  void keepSums();
};

/// Whether the op is a sum of products that is computed block by block, in
/// matrix tiles or in vector registers.
bool isBlockedSum(mlir::linalg::GenericOp op, const Machine &machine);

} // namespace weft

#endif // WEFT_LOWERING_FUSION_TILEPLAN_H
