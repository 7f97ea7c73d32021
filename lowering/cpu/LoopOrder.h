// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The order in which the CPU runs a nest: which loop is innermost, in which
// blocks the others run, which of them threads share, and what is asked for
// ahead.

#ifndef WEFT_LOWERING_CPU_LOOPORDER_H
#define WEFT_LOWERING_CPU_LOOPORDER_H

#include "lowering/Machine.h"
#include "lowering/fusion/Nest.h"

namespace weft {

/// The buffer that an operand is a part of, or is.
mlir::Value wholeOf(mlir::Value operand);

class LoopOrder {
public:
  /// A loop of the nest as it is run: over blocks of `step`, or within one; or
  /// `jammed`: that many steps of a sum are done one after the other for each
  /// element of the loops within.
  struct Level {
    unsigned loop;
    int64_t step = 1;
    bool jammed = false;
  };
  /// A square of a nest, `side` steps of two loops, and the operands that are
  /// consecutive along the one that is not innermost.
  struct Square {
    unsigned loop, innermost;
    int64_t side;
    llvm::SmallVector<unsigned> turned;
  };
  /// An operand of which a chunk is asked for in each step of the last level
  /// but one: the chunk so many elements later.
  struct Fetched {
    unsigned operand;
    int64_t ahead;
  };
  llvm::SmallVector<Level> levels;
  /// How many of the first levels are one loop, which threads may share.
  unsigned shared = 0;
  /// What the last two levels run through, if it is done by squares.
  std::optional<Square> square;
  llvm::SmallVector<Fetched> fetched;
  /// How near to the processor chunks are to be: 3 is the first cache, 2 the
  /// second.
  unsigned locality = 3;

  LoopOrder(mlir::linalg::LinalgOp op, const Nest &nest,
            const Machine &machine);

private:
  /// The most elements from one to the next that are still read in turn.
  static constexpr int64_t near = 64;
  /// How dear it is to walk through all operands along a loop.
  int64_t costOf(unsigned loop);
  void chooseInnermost();
  void addBlocks(llvm::ArrayRef<unsigned> outer,
                 llvm::ArrayRef<unsigned> summed);
  /// While much is computed of an element, the hardware looks too little ahead
  /// to find the next ones in memory: they are asked for, a chunk of some lines
  /// at a time. Of a row that is in the cache already it is the next row, and
  /// of columns that are summed the next step of the sum.
  void chooseFetched(llvm::ArrayRef<unsigned> summed);
  /// Several rows that are added to one are read side by side, so that the
  /// processor waits for several at once, and the sums are loaded and stored
  /// once for all.
  bool canJam(unsigned loop);
  /// Whether an operand is an array that no cache holds, or a part of one.
  bool isInMemory(mlir::Value operand) const;
  /// Whether loops that stand before the op read the same row.
  static bool wasRead(mlir::Value row);
  /// An operand that is consecutive along another loop: small squares.
  bool chooseSquare(llvm::ArrayRef<unsigned> outer);
  /// As many of the outer levels as give each thread enough to choose from. The
  /// steps within a block are no level of their own.
  void chooseShared();

  static constexpr int64_t manyTasks = 64;
  /// The bytes that are fetched of an operand at once, how many such chunks
  /// ahead, and from what work for an element on it pays.
  static constexpr int64_t chunkBytes = 1024, chunksAhead = 2;
  static constexpr double muchWork = 9;
  /// The rows that are added at once, if they have so many elements, of which
  /// so little is computed.
  static constexpr int64_t stepsJammed = 4, leastLanes = 16;
  /// Smaller squares are no vectors.
  static constexpr int64_t leastSide = 8;
  static constexpr size_t mostJammedOps = 12;
  /// The side of a square that is read by rows and written by columns, and the
  /// elements of a block that stay in the first cache.
  int64_t side, lanesInCache;
  /// The elements of a chunk; what blocks are multiples of.
  int64_t chunk = 64;
  mlir::linalg::LinalgOp op;
  const Nest &nest;
  const Machine &machine;
  unsigned innermost = 0;
  bool isShared = false;
};

} // namespace weft

#endif // WEFT_LOWERING_CPU_LOOPORDER_H
