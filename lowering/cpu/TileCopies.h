// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Copies the factors of a sum of products into panels, in the order in which
// tiles have them.

#ifndef WEFT_LOWERING_CPU_TILECOPIES_H
#define WEFT_LOWERING_CPU_TILECOPIES_H

#include "lowering/cpu/IndexBuilder.h"
#include "lowering/cpu/SumOperands.h"
#include "lowering/fusion/TilePlan.h"

namespace weft {

class TileCopies {
public:
  /// A line of a tile, and a tile, in numbers of 32 bits.
  static constexpr int64_t lineWords = TilePlan::lineBytes / 4;
  static constexpr int64_t tileWords = TilePlan::tileRows * lineWords;

  TileCopies(mlir::ImplicitLocOpBuilder &b, const TilePlan &plan,
             SumOperands &operands)
      : b(b), plan(plan), operands(operands), n(b),
        line(mlir::VectorType::get({lineWords}, b.getI32Type())) {}

  /// Of what two tiles are made: `points` rows or columns from `begin` on, and
  /// `left` steps of what is summed over; without it, as many as fill a tile.
  struct Source {
    unsigned operand, pointLoop;
    mlir::Value points, begin, left;
  };

  /// Loops over the tiles that so many steps fill. `build` gets the steps of
  /// one that is not filled.
  void forTiles(mlir::Value steps,
                llvm::function_ref<void(mlir::Value, mlir::Value)> build);

  /// Copies two tiles of a panel, given where the panel begins. In those of the
  /// rows a line is a row, along what is summed over; in those of the columns a
  /// line has a group of steps of all columns.
  void packTiles(Source source, mlir::Value tile, mlir::Value into,
                 mlir::Value at);

  /// What is added to rows of bytes with a sign: see `TilePlan::isShifted`.
  mlir::Value shift(int64_t lanes);

private:
  bool isRagged(unsigned pointLoop) const;
  mlir::Value lineAlong(const Source &source, mlir::Value point);
  mlir::Value wordsAcross(const Source &source, mlir::Value point,
                          mlir::Value number, int64_t count);

  mlir::ImplicitLocOpBuilder &b;
  const TilePlan &plan;
  SumOperands &operands;
  IndexBuilder n;
  mlir::VectorType line;
};

/// Exchanges 16 lines and their 16 words.
llvm::SmallVector<mlir::Value>
transposeLines(mlir::ImplicitLocOpBuilder &b,
               llvm::SmallVector<mlir::Value> lines);

} // namespace weft

#endif // WEFT_LOWERING_CPU_TILECOPIES_H
