// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How a GPU computes a sum of products: which of its loops are rows, columns
// and so on, and the sizes of its tiles. All of it is numbers.

#ifndef WEFT_LOWERING_GPU_PRODUCTPLAN_H
#define WEFT_LOWERING_GPU_PRODUCTPLAN_H

#include "lowering/fusion/ContractionPlan.h"
#include "lowering/fusion/Nest.h"
#include "lowering/gpu/Device.h"

namespace weft {

struct BlockTile;
struct ProductKernel;

/// What is multiplied by `mma.sync`.
enum class MatrixElement { none, f16, bf16, tf32, f64, s8, u8 };

/// Loops that are counted as one, the last running fastest.
struct LoopGroup {
  llvm::SmallVector<unsigned> loops;
  int64_t extent = 1;
};

/// How a tile of a factor comes to shared memory.
struct FactorTile {
  unsigned operand;
  /// Its rows or columns in a tile, and the steps of the sum.
  int64_t lines, steps;
  /// Whether neighbouring threads read neighbouring steps, not lines.
  bool alongSum;
  /// How many elements are read at once.
  int64_t vector;
  /// Whether they are copied past the registers.
  bool isAsync;
  /// Whether steps, not lines, are neighbours in shared memory.
  bool stepsAdjoin;
};

struct ProductPlan {
  /// The sums' number among the operands of the nest.
  static constexpr unsigned sum = 2;

  enum class Kind {
    /// Threads keep tiles of sums; multiply-adds of scalars.
    Threads,
    /// Warps do; products of matrices by `mma.sync`.
    Warps,
    /// Threads share the steps of a sum, or compute one each.
    Lanes,
  };
  Kind kind;

  /// The operands of the sum, the inputs of its epilogues that are not the
  /// sums, and where the result goes.
  Nest nest;
  /// For each of them, what a part of its offset is a multiple of that only the
  /// running program knows; 0 where there is none.
  llvm::SmallVector<int64_t> multiples;
  /// The operand of the nest for each input of each epilogue.
  llvm::SmallVector<llvm::SmallVector<unsigned>> epilogueOperands;
  unsigned result;
  /// Parallel loops of both factors, of one each, and what is summed over.
  LoopGroup batch, rows, columns, summed;
  unsigned rowFactor = 0, columnFactor = 1;
  /// Whether indices need more than 32 bits.
  bool isWide;
  /// The type that is summed in, the sum's in memory, and the factors' in
  /// shared memory.
  mlir::Type compute, element, stored;
  /// What matrices are of, for Kind::Warps.
  MatrixElement matrices[2] = {MatrixElement::none, MatrixElement::none};

  // ---- tiles ----

  /// The tile of a block, and the steps of the sum that it has at a time.
  int64_t tileRows = 0, tileColumns = 0, tileSteps = 0;
  /// Warps along each of them.
  int64_t warpRows = 1, warpColumns = 1, warpSteps = 1;
  /// Tiles of the factors that are in shared memory at once.
  int64_t stages = 2;
  /// Sums of a thread: `threadRows` by `threadColumns`, for Kind::Threads.
  int64_t threadRows = 0, threadColumns = 0;
  FactorTile factors[2];

  // ---- lanes ----

  /// Threads that share a sum, elements of a block, and steps read at once.
  int64_t sumLanes = 1, elements = 1, stepVector = 1;
  /// Whether neighbouring threads share a sum, or have neighbouring sums.
  bool sumFastest = false;

  /// Nothing where an element is best computed by a thread on its own.
  static std::optional<ProductPlan> make(const ProductKernel &kernel,
                                         const Gpu &gpu);

  /// About how long it takes in so many parts of the sum, and to add those up.
  double microseconds(const Gpu &gpu, int64_t parts) const;

  int64_t threads() const {
    return kind == Kind::Lanes ? sumLanes * elements
                               : 32 * warpRows * warpColumns * warpSteps;
  }
  int64_t rowTiles() const { return llvm::divideCeil(rows.extent, tileRows); }
  int64_t columnTiles() const {
    return llvm::divideCeil(columns.extent, tileColumns);
  }
  int64_t blocks() const {
    return kind == Kind::Lanes ? llvm::divideCeil(columns.extent, elements)
                               : batch.extent * rowTiles() * columnTiles();
  }
  int64_t sumTiles() const {
    return llvm::divideCeil(summed.extent, tileSteps);
  }
  bool sumIsRagged() const { return summed.extent % tileSteps != 0; }

  /// The neighbours that a tile in shared memory consists of, and how far the
  /// next ones are from them, in elements.
  static int64_t rowOf(const FactorTile &tile) {
    return tile.stepsAdjoin ? tile.steps : tile.lines;
  }
  int64_t pitch(const FactorTile &tile) const;
  /// Whether a tile is of matrices whose rows are swizzled, for `ldmatrix`;
  /// else they are apart.
  bool isSwizzled(const FactorTile &tile) const {
    return kind == Kind::Warps && storedBytes() <= 4 &&
           (tile.stepsAdjoin || storedBytes() < 4);
  }
  /// Whether factors are converted before they are in shared memory.
  bool convertsEarly() const {
    return kind == Kind::Threads || matrices[0] == MatrixElement::tf32;
  }
  int64_t tileBytes(const FactorTile &tile) const {
    return tile.lines * tile.steps / rowOf(tile) * pitch(tile) * storedBytes();
  }
  int64_t storedBytes() const { return stored.getIntOrFloatBitWidth() / 8; }
  int64_t computeBytes() const { return compute.getIntOrFloatBitWidth() / 8; }
  /// Sums of a thread.
  int64_t sumsOfThread() const {
    return tileRows * tileColumns * warpSteps / threads();
  }
  int64_t stageBytes() const {
    return tileBytes(factors[0]) + tileBytes(factors[1]);
  }

  /// How often a thread reads of a factor for a tile.
  int64_t piecesOfThread(const FactorTile &tile) const;

  /// How many neighbours along a group an operand has at consecutive places,
  /// so aligned that as many can be read at once; at most `most`.
  int64_t consecutive(unsigned operand, const LoopGroup &group,
                      int64_t most) const;
  /// The stride of the fastest loop of a group.
  int64_t step(unsigned operand, const LoopGroup &group) const {
    return group.loops.empty() ? 0 : nest.stride(operand, group.loops.back());
  }
  bool isFixed(unsigned operand, const LoopGroup &group) const {
    return llvm::all_of(group.loops, [&](unsigned loop) {
      return nest.stride(operand, loop) == 0;
    });
  }

private:
  bool addOperands(const ProductKernel &kernel);
  bool chooseTypes(const ProductKernel &kernel);
  void groupLoops();
  bool fitsWords() const;
  void sortGroup(LoopGroup &group, llvm::ArrayRef<unsigned> operands);
  bool suitsLanes() const;
  void chooseLanes(const Gpu &gpu, llvm::ArrayRef<mlir::Type> factorTypes);
  bool chooseMatrices(const ProductKernel &kernel, const Gpu &gpu);
  BlockTile chooseTile(llvm::ArrayRef<BlockTile> candidates, const Gpu &gpu);
  void chooseWarpTiles(const Gpu &gpu, llvm::ArrayRef<mlir::Type> factorTypes);
  void chooseThreadTiles(const Gpu &gpu,
                         llvm::ArrayRef<mlir::Type> factorTypes);
  FactorTile describeTile(unsigned operand, mlir::Type type) const;
};

} // namespace weft

#endif // WEFT_LOWERING_GPU_PRODUCTPLAN_H
