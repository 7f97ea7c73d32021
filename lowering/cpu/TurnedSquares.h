// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Operands that are consecutive along a loop that is not innermost, as
// transposed ones are: a square at a time is turned round, in vectors, into a
// buffer that stays in the first cache. Each line of the operand is then read
// once, where rows whose distance is a power of two would drive each other out
// of the cache.

#ifndef WEFT_LOWERING_CPU_TURNEDSQUARES_H
#define WEFT_LOWERING_CPU_TURNEDSQUARES_H

#include "lowering/cpu/LoopOrder.h"
#include "lowering/cpu/NestBuilder.h"

namespace weft {

/// As many vectors as each has lanes, turned round: zipping those of the first
/// half with those of the second rotates the bits of a vector's number and a
/// lane's by one.
llvm::SmallVector<mlir::Value>
turnVectors(mlir::ImplicitLocOpBuilder &b,
            llvm::SmallVector<mlir::Value> vectors);

class TurnedSquares {
public:
  /// Makes room for the squares of what `order` turns.
  TurnedSquares(NestBuilder &at, const LoopOrder &order,
                const Machine &machine);

  bool empty() const { return tiles.empty(); }

  /// A square, at the steps that the loops have come to, whose loops `emit`
  /// makes; it finds the turned operands in `at`. What only copies an operand
  /// is written as it is turned.
  void emitSquare(llvm::function_ref<void()> emit);

private:
  /// An operand, `lanes` times as many elements of which are turned in vectors,
  /// and the buffer they are written to; none, if that is the result.
  struct Tile {
    unsigned operand;
    mlir::Value buffer;
    int64_t lanes;
  };
  /// Steps of a square's two loops.
  struct Part {
    mlir::Value begin, end, innerBegin, innerEnd;
  };

  /// Vectors are lines, or half of them where rows begin within lines.
  int64_t lanesOf(mlir::Type element) const;
  /// Whether all rows of the result are whole lines, if it begins with one.
  bool rowsAreLines(int64_t bytes) const;
  /// Whether the result is an operand as it is, in another order.
  bool isCopyOf(unsigned operand);
  /// Runs the last levels with the turned squares for their operands.
  void emitTurned(llvm::function_ref<void()> emit);
  /// In vectors, and one by one what is left at the ends.
  void turnSquare(const Tile &tile);
  /// The end of the last whole step of `lanes` in a square's part of a loop.
  mlir::Value wholeUntil(unsigned loop, int64_t lanes);
  void turnPart(const Tile &tile, const Part &part, int64_t lanes);
  /// `lanes` rows of as many elements, at the steps that loops have come to.
  void turnLanes(const Tile &tile, int64_t lanes,
                 llvm::ArrayRef<mlir::Value> origin);
  /// Whether lines of a result go straight to memory, which then need not be
  /// read before: it fills more than the second cache. What tells other threads
  /// that a task is done is an instruction that waits for such lines.
  bool isLarge(mlir::VectorType vector) const;
  /// Whether an element begins a line: memory that is not ours may not.
  mlir::Value beginsLine(mlir::Value row, mlir::Value place);

  static constexpr int64_t line = Machine::lineBytes;
  /// The vectors that are turned at once.
  static constexpr int64_t mostLanes = 32;
  NestBuilder &at;
  const LoopOrder::Square square;
  const Machine &machine;
  llvm::SmallVector<Tile> tiles;
};

} // namespace weft

#endif // WEFT_LOWERING_CPU_TURNEDSQUARES_H
