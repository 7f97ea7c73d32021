// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the loops of a sum in the CPU's matrix tiles consist of, whether its
// columns are in panels before or are packed block by block.

#ifndef WEFT_LOWERING_CPU_TILEEMITTER_H
#define WEFT_LOWERING_CPU_TILEEMITTER_H

#include "lowering/cpu/IndexBuilder.h"
#include "lowering/cpu/SumOperands.h"
#include "lowering/cpu/TileCopies.h"
#include "lowering/fusion/TilePlan.h"
#include "mlir/Dialect/AMX/AMXDialect.h"

namespace weft {

class TileEmitter {
public:
  TileEmitter(mlir::linalg::GenericOp op, mlir::linalg::GenericOp epilogue,
              const TilePlan &plan, const Machine &machine, bool fromZero);

protected:
  static constexpr unsigned sum = TilePlan::sum;
  static constexpr int64_t tileRows = TilePlan::tileRows,
                           panel = TilePlan::panel;
  static constexpr int64_t lineWords = TileCopies::lineWords,
                           tileWords = TileCopies::tileWords;
  /// Products that take as long as one simple operation does, or less.
  double productsAtOnce() const { return plan.byDots ? 16 : 32; }

  /// Steps of a loop of which there are `extent`, in one block.
  struct Bounds {
    mlir::Value first, last;
  };
  Bounds boundsOf(mlir::Value block, int64_t size, int64_t extent);

  mlir::amx::TileType sumTile() const;
  llvm::SmallVector<mlir::Value> zeros(int64_t count);
  mlir::Value multiplyTiles(mlir::Value row, mlir::Value column,
                            mlir::Value acc);

  // Dot products, which take the place of tiles.

  int64_t lanesOfDots() const { return machine.vectorBytes / 4; }
  /// Rows whose sums stay in registers, in two vectors of columns each, with
  /// these and a row's factors.
  int64_t rowsOfDots() const;
  mlir::Value zeroSums();
  /// Adds to each lane the products of the four bytes, or two numbers of 16
  /// bits, in the lanes of a row's and a column's words.
  mlir::Value addDot(mlir::Value sums, mlir::Value row, mlir::Value column);
  /// A loop that LLVM does one step of at a time: with several, there is more
  /// in vectors than there are registers.
  mlir::scf::ForOp notUnrolled(int64_t count, mlir::ValueRange start);
  mlir::scf::ForOp notUnrolled(mlir::Value count, mlir::ValueRange start);

  /// Sums as elements of the result, which bytes are cut to.
  mlir::Value narrowed(mlir::Value sums);
  mlir::Value addUp(mlir::Value x, mlir::Value y);

  /// Changes the elements of a block, whose sums are complete, in the order of
  /// the result.
  void change(llvm::ArrayRef<mlir::Value> bases, Bounds rows, Bounds columns);

  mlir::linalg::GenericOp op, epilogue;
  const TilePlan &plan;
  const Machine &machine;
  bool fromZero;
  mlir::ImplicitLocOpBuilder b;
  /// The elements of the factors, of the result, and of tiles of sums.
  mlir::Type factor, element, sumType;
  SumOperands operands;
  IndexBuilder n;
  TileCopies copies;
};

} // namespace weft

#endif // WEFT_LOWERING_CPU_TILEEMITTER_H
