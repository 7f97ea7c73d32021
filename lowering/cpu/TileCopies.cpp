// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lowering/cpu/TileCopies.h"

using namespace mlir;
using weft::TileCopies;

static constexpr int64_t tileRows = weft::TilePlan::tileRows;
static constexpr int64_t panel = weft::TilePlan::panel;

void TileCopies::forTiles(Value steps,
                          llvm::function_ref<void(Value, Value)> build) {
  Value tiles = arith::CeilDivUIOp::create(b, steps, n.index(plan.tileSteps()));
  n.loop(n.index(0), tiles, 1, [&](Value tile) {
    Value left = n.subtract(steps, n.multiply(tile, plan.tileSteps()));
    n.either(
        n.isAtLeast(left, plan.tileSteps()), [&] { build(tile, {}); },
        [&] { build(tile, left); });
  });
}

void TileCopies::packTiles(Source source, Value tile, Value into, Value at) {
  source.begin =
      weft::advance(b, source.begin, n.multiply(tile, plan.tileSteps()),
                    plan.nest.stride(source.operand, plan.sumLoop));
  at = n.add(at, n.multiply(tile, 2 * tileWords));
  bool isAlong = plan.nest.stride(source.operand, plan.sumLoop) == 1;
  bool wantsAlong = source.operand == plan.rowFactor();
  if (!isAlong && !wantsAlong)
    return n.loop(n.index(0), n.index(tileRows), 1, [&](Value line) {
      Value words = wordsAcross(source, n.index(0), line, panel);
      Value place = n.add(at, n.multiply(line, lineWords));
      for (int64_t half : {0, 1}) {
        Value part = vector::ExtractStridedSliceOp::create(
            b, words, ArrayRef(half * lineWords), ArrayRef(lineWords),
            ArrayRef<int64_t>(1));
        vector::StoreOp::create(b, part, into, n.add(place, half * tileWords));
      }
    });
  n.loop(n.index(0), n.index(panel), tileRows, [&](Value point) {
    Value place = n.add(at, n.multiply(point, lineWords));
    auto lineOf = [&](Value line) {
      return isAlong ? lineAlong(source, n.add(point, line))
                     : wordsAcross(source, point, line, lineWords);
    };
    auto store = [&](Value words, Value line) {
      if (wantsAlong && plan.isShifted())
        words = arith::XOrIOp::create(b, words, shift(lineWords));
      vector::StoreOp::create(b, words, into,
                              n.add(place, n.multiply(line, lineWords)));
    };
    if (isAlong == wantsAlong)
      return n.loop(n.index(0), n.index(tileRows), 1,
                    [&](Value line) { store(lineOf(line), line); });
    SmallVector<Value> lines;
    for (int64_t i = 0; i < tileRows; ++i)
      lines.push_back(lineOf(n.index(i)));
    for (auto [i, words] : llvm::enumerate(weft::transposeLines(b, lines)))
      store(words, n.index(i));
  });
}

Value TileCopies::shift(int64_t lanes) {
  return arith::ConstantOp::create(
      b, DenseElementsAttr::get(VectorType::get({lanes}, b.getI32Type()),
                                APInt(32, 0x80808080)));
}

/// Whether some panel of rows or columns has less than it could.
bool TileCopies::isRagged(unsigned pointLoop) const {
  return (pointLoop == plan.rowLoop ? plan.rows() : plan.columns()) % panel !=
         0;
}

/// The steps of one row or column. The last one stands for those that are
/// missing, whose sums nobody sees.
Value TileCopies::lineAlong(const Source &source, Value point) {
  if (isRagged(source.pointLoop))
    point = n.least(point, n.subtract(source.points, n.index(1)));
  Value at = weft::advance(b, source.begin, point,
                           plan.nest.stride(source.operand, source.pointLoop));
  Value mask = source.left ? n.maskOf(source.left, plan.tileSteps()) : Value();
  Value steps =
      n.load(operands.row(source.operand), plan.tileSteps(), at, mask);
  return vector::BitCastOp::create(b, line, steps);
}

/// A group of steps of each of so many rows or columns from `point` on.
Value TileCopies::wordsAcross(const Source &source, Value point, Value number,
                              int64_t count) {
  int64_t bits = 8 * plan.factorBytes;
  SmallVector<Value> steps;
  for (int64_t i = 0; i < plan.group(); ++i) {
    Value step = n.add(n.multiply(number, plan.group()), i);
    Value valid = isRagged(source.pointLoop) ? n.subtract(source.points, point)
                                             : n.index(count);
    if (source.left) {
      Value isThere = arith::CmpIOp::create(b, arith::CmpIPredicate::slt, step,
                                            source.left);
      valid = arith::SelectOp::create(b, isThere, valid, n.index(0));
    }
    Value at = weft::advance(b, n.add(source.begin, point), step,
                             plan.nest.stride(source.operand, plan.sumLoop));
    Value x =
        n.load(operands.row(source.operand), count, at, n.maskOf(valid, count));
    auto type = VectorType::get({count}, b.getIntegerType(bits));
    steps.push_back(x.getType() == type ? x
                                        : arith::BitcastOp::create(b, type, x));
  }
  // Two by two, until 32 bits are full.
  for (; steps.size() > 1; bits *= 2) {
    SmallVector<Value> pairs;
    auto type = VectorType::get({count}, b.getIntegerType(2 * bits));
    for (size_t i = 0; i < steps.size(); i += 2)
      pairs.push_back(vector::BitCastOp::create(
          b, type, vector::InterleaveOp::create(b, steps[i], steps[i + 1])));
    steps = pairs;
  }
  return steps.front();
}

/// Squares of 1, 2, 4 and 8 words change places with those on the other side of
/// the diagonal.
SmallVector<Value> weft::transposeLines(ImplicitLocOpBuilder &b,
                                        SmallVector<Value> lines) {
  constexpr int64_t words = TileCopies::lineWords;
  for (int64_t size = 1; size < tileRows; size *= 2) {
    SmallVector<int64_t> upper, lower;
    for (int64_t word = 0; word < words; ++word) {
      bool isRight = word & size;
      upper.push_back(isRight ? words + word - size : word);
      lower.push_back(isRight ? words + word : word + size);
    }
    for (int64_t i = 0; i < tileRows; ++i) {
      if (i & size)
        continue;
      Value x = lines[i], y = lines[i + size];
      lines[i] = vector::ShuffleOp::create(b, x, y, upper);
      lines[i + size] = vector::ShuffleOp::create(b, x, y, lower);
    }
  }
  return lines;
}
