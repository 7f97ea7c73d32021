// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How Hopper's warpgroups compute a matrix product: which loop is which side of
// a tile, the tile's size, and the tensor maps. Numbers; nothing is built here.

#ifndef WEFT_LOWERING_GPU_WARPGROUPPLAN_H
#define WEFT_LOWERING_GPU_WARPGROUPPLAN_H

#include "lowering/fusion/Nest.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"

namespace weft {

/// The ops of a kernel of class "product", in their order.
struct ProductOps {
  mlir::linalg::FillOp fill;
  mlir::linalg::GenericOp sum;
  llvm::SmallVector<mlir::linalg::GenericOp> epilogues;
  /// Its buffers, and what the sums begin with, if there is a fill.
  mlir::Value factors[2], sums, start;

  /// Nothing if the body has any other op that touches memory.
  static std::optional<ProductOps> of(mlir::gpu::GPUFuncOp func);
};

/// A box of a buffer as the copy engine takes it, the innermost dimension
/// first.
struct TensorMap {
  /// The loop that each dimension follows.
  llvm::SmallVector<unsigned> loops;
  llvm::SmallVector<int64_t> dims, box;
  /// Bytes from one step to the next, from the second dimension on.
  llvm::SmallVector<int64_t> strides;
  /// Whether the engine rounds f32 to tf32 on its way.
  bool rounds = false;

  /// Nothing if the engine cannot walk through the buffer, an operand of the
  /// nest. `inner` and `outer` are the two loops of a tile.
  static std::optional<TensorMap> make(const Nest &nest, unsigned operand,
                                       mlir::Value buffer, unsigned inner,
                                       unsigned outer);
};

/// A factor of the product in shared memory: boxes of 128 bytes, which the
/// engine swizzles, by as many lines as fit.
struct Factor {
  unsigned operand;
  /// The loop over its rows, if it is the left one, or its columns.
  unsigned loop;
  /// Whether what is summed over is consecutive in memory.
  bool summedInside;
  TensorMap map;
};

/// The sizes of a tile that one block computes, in elements.
struct WarpgroupTile {
  int64_t rows, columns;
  /// Two warpgroups compute a tile, side by side or one above the other.
  static constexpr int64_t warpgroups = 2;
  bool splitsRows() const { return rows >= 128; }
  int64_t groupRows() const { return splitsRows() ? rows / warpgroups : rows; }
  int64_t groupColumns() const {
    return splitsRows() ? columns : columns / warpgroups;
  }
};

/// A buffer that the kernel leaves its results in.
struct StoredResult {
  mlir::Value buffer;
  unsigned access;
  /// The map to store it by, where the engine can.
  std::optional<TensorMap> map;
};

/// An operand of an epilogue: they are listed in order, results included.
struct EpilogueOperand {
  mlir::Value value;
  unsigned access;
  bool isRead;
  /// Whether it is what was computed so far, and not in memory.
  bool isComputed;
};

/// What the user of the pass may fix; zero is a free choice.
struct WarpgroupChoice {
  int64_t rows = 0, columns = 0, stages = 0, raster = 0, splits = 0,
          neighbours = 0;
  bool copyResults = true;
};

struct WarpgroupPlan {
  /// A line of a tile, of what is summed inside.
  static constexpr int64_t lineBytes = 128;
  /// What one instruction sums over.
  static constexpr int64_t partBytes = 32;
  static constexpr int64_t producerThreads = 128;
  static constexpr int64_t sharedBytes = 227 * 1024;
  /// What a warpgroup gathers before the copy engine stores it, twice.
  static constexpr int64_t storeBytes = 64 * 128;

  ProductOps kernel;
  /// The accesses are those of the sum's operands and then of each epilogue's.
  Nest nest;
  llvm::SmallVector<EpilogueOperand> epilogueOperands;
  unsigned sumLoop;
  llvm::SmallVector<unsigned> outer;
  /// Those of an element of a factor: four for tf32.
  int64_t elementBytes = 2;
  Factor left, right;
  WarpgroupTile tile;
  int64_t stages;
  /// Rows of tiles that are gone through together, for the sake of the cache.
  int64_t raster;
  int64_t multiprocessors;
  /// The blocks of a cluster that share what one tile sums over.
  int64_t splits = 1;
  /// The blocks of a cluster whose tiles stand one below the other: each brings
  /// its part of the columns that all of them read.
  int64_t neighbours = 1;
  llvm::SmallVector<StoredResult, 1> results;

  static std::optional<WarpgroupPlan> make(mlir::gpu::GPUFuncOp func,
                                           int64_t multiprocessors,
                                           const WarpgroupChoice &choice);

  int64_t rows() const { return nest.extents[left.loop]; }
  int64_t columns() const { return nest.extents[right.loop]; }
  bool multipliesTf32() const { return elementBytes == 4; }
  int64_t sumStep() const { return lineBytes / elementBytes; }
  int64_t steps() const {
    return llvm::divideCeil(nest.extents[sumLoop], sumStep());
  }
  /// The most steps of one block.
  int64_t blockSteps() const { return llvm::divideCeil(steps(), splits); }
  int64_t tileRows() const { return llvm::divideCeil(rows(), tile.rows); }
  /// Rows of tiles, those of a cluster's neighbours taken as one.
  int64_t unitRows() const { return llvm::divideCeil(tileRows(), neighbours); }
  int64_t tileColumns() const {
    return llvm::divideCeil(columns(), tile.columns);
  }
  int64_t numTiles() const;
  int64_t numUnits() const;
  int64_t clusterBlocks() const { return splits * neighbours; }
  int64_t leftBytes() const { return tile.rows * lineBytes; }
  int64_t rightBytes() const { return tile.columns * lineBytes; }
  int64_t stageBytes() const { return leftBytes() + rightBytes(); }
  bool copiesResults() const;
  /// Whether the sums are added to what the buffer holds.
  bool addsToMemory() const { return !kernel.start; }
  /// Where in shared memory the results are gathered, and the barriers are.
  int64_t storeOffset() const { return stages * stageBytes(); }
  int64_t barrierOffset() const;
  int64_t usedBytes() const { return barrierOffset() + stages * 16; }
  int64_t threads() const {
    return producerThreads + 128 * WarpgroupTile::warpgroups;
  }
  int64_t blocks() const;
  /// Whether every tile is whole.
  bool hasWholeRows() const { return rows() % (tile.rows * neighbours) == 0; }
  bool hasWholeColumns() const { return columns() % tile.columns == 0; }

private:
  bool findLoops();
  bool findFactors();
  bool addEpilogue(mlir::linalg::GenericOp epilogue);
  bool readsAsComputed() const;
  void mapResults();
  bool maySplit() const;
  bool mayHaveNeighbours() const;
  void chooseTile(const WarpgroupChoice &choice);
  void chooseRing(const WarpgroupChoice &choice);
  void setBoxes();
};

} // namespace weft

#endif // WEFT_LOWERING_GPU_WARPGROUPPLAN_H
