// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How a sum of products is computed in vector registers: which loops its tile
// spans, and the tile's size. All of it is numbers; nothing is built here.

#ifndef WEFT_LOWERING_FUSION_CONTRACTIONPLAN_H
#define WEFT_LOWERING_FUSION_CONTRACTIONPLAN_H

#include "lowering/Machine.h"
#include "lowering/fusion/Nest.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

namespace weft {

/// The body `acc + convert(x) * convert(y)` of a linalg.generic.
struct MultiplyAdd {
  /// The conversions of each factor, from the argument on.
  llvm::SmallVector<mlir::Operation *> casts[2];
  mlir::Operation *multiply, *add;

  static std::optional<MultiplyAdd> match(mlir::linalg::GenericOp op);

  /// Whether the sum may be computed in another order than the op's own.
  bool mayReorder() const;
};

/// Whether an op is a linalg.generic that sums products up.
bool isSumOfProducts(mlir::Operation *op);

/// A tile of the result stays in registers while the loops that are summed over
/// run: `rows` steps of one loop times `vectors` registers of another.
struct ContractionPlan {
  /// The result's number among the operands.
  static constexpr unsigned sum = 2;

  /// Its operands are those of the sum, and then those of the epilogue.
  Nest nest;
  /// Of the two inputs, the one that is read in vectors, in all tiles' rows the
  /// same; the other one is read an element at a time, or, if `bothWide`, in
  /// vectors too.
  unsigned wide;
  bool bothWide = false;
  /// Whether the threads of a GPU share the blocks, whose caches and registers
  /// are others'.
  bool onGpu = false;
  /// Whether the factor `wide` is the same in each step of a loop around.
  bool isRepeated = false;
  /// The loop whose steps are the lanes: a parallel one, or, if
  /// `lanesAreSummed`, one that is summed over.
  unsigned laneLoop;
  bool lanesAreSummed = false;
  /// Whether what is read in vectors lies the other way round, lanes far apart
  /// and the steps of the sum side by side: blocks of it are turned as they are
  /// copied.
  bool lanesAreTurned = false;
  /// The loop whose steps are the rows, if there is one.
  std::optional<unsigned> rowLoop;
  llvm::SmallVector<unsigned> outer, summed;
  /// Parallel loops that a block has whole, around its rows: where these are
  /// few, what is read in vectors is used again in their steps. If
  /// `lanesAreSummed`, the one whose steps are the tile's columns.
  llvm::SmallVector<unsigned> inner;

  /// Lanes of a register, and the size of the tile. Its vectors are its columns
  /// if `lanesAreSummed`.
  int64_t lanes, rows = 1, vectors = 1;
  /// A block of a sum is `sumBlock` steps of one of the loops that are summed
  /// over, within a step of each one before it and with all of those after it.
  unsigned cutLoop = 0;
  int64_t sumBlock;
  /// Whether the steps of a block are written out: a single row reads one
  /// vector of each in turn, so that all of them come from memory at a time.
  bool stepsAreWritten = false;
  /// Steps of rows, and of lanes, in one block.
  int64_t rowBlock, laneBlock;
  /// The blocks that there would be if rows were in no smaller ones for threads
  /// alone, to which parts of the sum are better.
  int64_t tasksOfSum = 1;
  int64_t elementBytes;
  /// The sums of a block where they are no part of an array, but converted.
  int64_t ownSums = 0;
  /// A factor of which a block is copied before it is read: the one that is
  /// read an element at a time, rows side by side, or the one that is read in
  /// vectors, in panels of a tile's lanes. Where it is in the array stands last
  /// in the nest.
  std::optional<unsigned> copied;
  /// Whether tiles fetch what they read in vectors some steps ahead: panels
  /// that the first cache has no room for. Where those are in memory, the tiles
  /// of a block's rows fetch the panel that is next, each step so many
  /// elements.
  bool fetchesAhead = false;
  int64_t fetchedOfNext = 0;

  /// Nothing where a sum is better left to plain loops. An epilogue changes
  /// each element of the result once it is computed, in the same loops.
  static std::optional<ContractionPlan>
  make(mlir::linalg::GenericOp op, const Machine &machine,
       mlir::linalg::GenericOp epilogue = {});

  /// Whether to copy first what is read in vectors, in the order of reading.
  bool isWorthPacking(const Machine &machine) const;

  unsigned narrow() const { return 1 - wide; }
  int64_t rowExtent() const { return rowLoop ? nest.extents[*rowLoop] : 1; }
  /// Rows of a block, in all steps of its inner loops.
  int64_t innerRows() const;
  int64_t laneExtent() const { return nest.extents[laneLoop]; }
  int64_t tileLanes() const { return vectors * lanes; }
  /// The lanes of a panel of what is read in vectors; 0 if it is in none.
  int64_t panelWidth() const {
    const Panels *panels = nest.accesses[wide].panelsAlong(laneLoop);
    return panels ? panels->width : 0;
  }
  /// Steps of all that is summed over.
  int64_t numSteps() const;
  /// Steps of the loops around blocks.
  int64_t outerSteps() const;
  /// Whether each row of what is read in vectors is read along, a few of them
  /// side by side: where a single row leaves no sums to keep in registers for
  /// long, or a few rows do not pay for copies of what comes from memory.
  bool readsRowsAlong(const Machine &machine) const;
  /// Elements of a block that is copied.
  int64_t copies() const;
  /// How often an element of a factor is used, on average.
  double productsPerElement() const;
  /// How many blocks of the result there are.
  int64_t numTasks() const;
  /// Whether all that a block of lanes is needed for is done before the next:
  /// where the outer loops walk past what is read in vectors.
  bool lanesFirst() const;

private:
  bool chooseLanes();
  bool chooseTurnedLanes(mlir::linalg::GenericOp op, const Machine &machine);
  bool chooseSummedLanes();
  void chooseRows();
  bool hasOnlyPanelsOfLanes() const;
  void chooseTile(const Machine &machine);
  void takeFew(const Machine &machine);
  void takeInner(int64_t shared, const Machine &machine);
  void cutSum(const Machine &machine);
  void chooseBlocks(int64_t shared, const Machine &machine);
  int64_t mostLanes(int64_t steps, const Machine &machine) const;
  void share(int64_t &block, int64_t extent, int64_t tile, int64_t most,
             double least) const;
  void keepSums();
  void copyRows(const Machine &machine);
  void copyLanes(const Machine &machine);
  bool mayCopyLanes(const Machine &machine) const;
  bool hasFarPanels(const Machine &machine) const;
  void fetchAhead(const Machine &machine);
  double elementsOf(unsigned factor) const;
};

/// Adds an epilogue's operands to the nest of a sum, in terms of the sum's
/// loops; false if they are walked through in another way.
bool addEpilogue(Nest &nest, mlir::linalg::GenericOp op,
                 mlir::linalg::GenericOp epilogue);

/// The op that changes or converts each element of what `op` sums up, marked as
/// its epilogue and with nothing between that has an effect on memory, or null.
mlir::linalg::GenericOp findEpilogue(mlir::linalg::GenericOp op);

/// The allocation of sums that begin with a fill and that nothing reads but an
/// epilogue with results elsewhere, or null: no more of it is needed at once
/// than a block.
mlir::Operation *findConvertedSums(mlir::linalg::GenericOp op);

} // namespace weft

#endif // WEFT_LOWERING_FUSION_CONTRACTIONPLAN_H
