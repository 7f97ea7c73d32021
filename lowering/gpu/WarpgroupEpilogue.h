// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a warpgroup does with the sums in its registers: the epilogues, element
// by element, and the store, straight to memory or by the copy engine.

#ifndef WEFT_LOWERING_GPU_WARPGROUPEPILOGUE_H
#define WEFT_LOWERING_GPU_WARPGROUPEPILOGUE_H

#include "lowering/gpu/NvvmBuilder.h"
#include "lowering/gpu/WarpgroupPlan.h"

namespace weft {

/// A warpgroup that computes, as each of its 128 threads sees it.
struct Warpgroup {
  mlir::Value shared, number, thread, isFirstThread;
  /// The block's number in its cluster, if several share a tile.
  mlir::Value rank;
};

/// A tile's first row and column, and the step of each outer loop.
struct TilePlace {
  mlir::Value row, column;
  llvm::SmallVector<mlir::Value> outer;

  /// The steps of the loops that a map follows.
  llvm::SmallVector<mlir::Value> coordinates(const WarpgroupPlan &plan,
                                             const TensorMap &map,
                                             mlir::Value summed = {}) const;
};

class WarpgroupEpilogue {
public:
  using Value = mlir::Value;

  /// `resultMaps` holds the tensor map of each result, or null.
  WarpgroupEpilogue(NvvmBuilder &b, const WarpgroupPlan &plan,
                    const Warpgroup &group, llvm::ArrayRef<Value> resultMaps);

  /// `sums` holds a struct for each 64 rows.
  void run(const TilePlace &tile, llvm::ArrayRef<Value> sums);
  /// Waits until the engine has read what was last gathered.
  void finish();

private:
  /// A buffer as the thread walks through it.
  struct Operand {
    Value pointer;
    mlir::Type element;
    int64_t rowStride, columnStride;
    /// Whether two columns are one access.
    bool inPairs;
  };
  using Pair = std::array<Value, 2>;
  /// 64 rows by 64 columns of a warpgroup's, of which a thread has 2 x 8 pairs.
  struct Chunk {
    int64_t rowBlock, column;
    llvm::SmallVector<Value> sums;
  };
  /// Which pair of a chunk, and in which half of its rows.
  struct Cell {
    int64_t pair, half;
  };
  using Pairs = std::array<std::array<Pair, 2>, 8>;

  void noteAccess(Value buffer, unsigned access, bool isRead);
  Operand operandOf(unsigned access, const TilePlace &tile);
  Value isInside(const Operand &to, const Chunk &chunk, Cell cell,
                 int64_t side);
  Value place(const Operand &operand, const Chunk &chunk, Cell cell,
              int64_t side);
  Value read(mlir::Type type, Value place, Value isInside);
  Pair load(const Operand &from, const Chunk &chunk, Cell cell);
  Value pack(Pair values, mlir::Type element);
  void store(const Operand &to, Pair values, const Chunk &chunk, Cell cell);
  void loadOperands(const Chunk &chunk);
  Value loadedAt(unsigned access, Cell cell, int64_t side);
  Value sumAt(const Chunk &chunk, Cell cell, int64_t side);
  void compute(const Chunk &chunk, Cell cell, int64_t side);
  void storeResults(const TilePlace &tile, const Chunk &chunk);
  void gather(const TilePlace &tile, const Chunk &chunk, unsigned result);
  int64_t chunkNumber(const Chunk &chunk) const;
  int64_t ownNumber(const Chunk &chunk) const;
  Value sharePlace(const Chunk &chunk);
  void share(llvm::ArrayRef<Value> sums);
  llvm::SmallVector<Value> addShared(const Chunk &chunk);
  llvm::SmallVector<Value> sumsOf(Value sums, int64_t column);
  void forChunks(llvm::function_ref<void(Chunk)> body);
  void finishChunk(const TilePlace &tile, Chunk chunk);
  mlir::Type elementOf(unsigned result) const;
  int64_t gathersOfChunk(unsigned result) const;
  Value gatherPlace(int64_t gather);
  void gatherMatrices(Value place, unsigned result);
  void gatherFloats(Value place, unsigned result, int64_t first, int64_t count);
  void storeGathered(const TilePlace &tile, const Chunk &chunk, unsigned result,
                     Value place, int64_t column);
  void waitForGatherPlace(int64_t gather);
  int64_t numChunks() const;

  NvvmBuilder &b;
  const WarpgroupPlan &plan;
  const Warpgroup &group;
  llvm::ArrayRef<Value> resultMaps;
  Value threadRow, threadColumn, rowsLeft, columnsLeft;
  /// Of each access that memory is touched by, the buffer and its beginning.
  llvm::MapVector<unsigned, std::pair<Value, Value>> buffers;
  llvm::SmallVector<unsigned> readAccesses;
  llvm::DenseMap<unsigned, Operand> operands;
  llvm::DenseMap<unsigned, Pairs> loaded;
  /// Of each result, the pairs of a chunk.
  llvm::SmallVector<Pairs> computed;
};

} // namespace weft

#endif // WEFT_LOWERING_GPU_WARPGROUPEPILOGUE_H
