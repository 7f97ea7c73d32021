// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lowering/cpu/PackedTiles.h"
#include "lowering/cpu/TileEmitter.h"

using namespace mlir;
using weft::Machine;
using weft::TilePlan;

namespace {

class Emitter : weft::TileEmitter {
public:
  using TileEmitter::TileEmitter;

  void emit() {
    if (!plan.readsRows)
      rowPanel =
          weft::scratch(b, plan.sumTiles() * 2 * tileWords, b.getI32Type());
    if (!plan.ownSums)
      sums = weft::scratch(b, panel * panel, sumType);
    auto block = operands.forBlocks(
        plan.outer, llvm::divideCeil(plan.rows(), plan.rowBlock),
        llvm::divideCeil(plan.columns(), plan.columnBlock), productsAtOnce(),
        machine, /*columnsFirst=*/true);
    Bounds rows = boundsOf(block.row, plan.rowBlock, plan.rows());
    Bounds columns = boundsOf(block.column, plan.columnBlock, plan.columns());
    operands.beginBlock(block.bases, rows.first, plan.rowLoop, columns.first,
                        plan.columnLoop);
    if (plan.readsRows)
      n.loop(columns.first, columns.last, panel, [&](Value column) {
        n.loop(rows.first, rows.last, panel,
               [&](Value row) { emitPanels(block.bases, row, column); });
      });
    else
      n.loop(rows.first, rows.last, panel, [&](Value row) {
        packRows(block.bases, row);
        n.loop(columns.first, columns.last, panel,
               [&](Value column) { emitPanels(block.bases, row, column); });
      });
    if (epilogue)
      emitEpilogue(block.bases, rows, columns);
    op.erase();
  }

private:
  // ---- rows ----

  int64_t tilesAlong() const {
    return llvm::divideCeil(plan.steps(), plan.tileSteps());
  }

  /// Copies the rows of two tiles, along all that is summed over.
  void packRows(ArrayRef<Value> bases, Value row) {
    SmallVector<int64_t> counts;
    for (unsigned loop : plan.summed)
      counts.push_back(plan.nest.extents[loop]);
    SmallVector<Value> atRow = operands.moved(bases, row, plan.rowLoop);
    Value numRows = n.subtract(n.index(plan.rows()), row);
    n.loop(n.index(0), n.index(llvm::product_of(counts)), 1, [&](Value number) {
      SmallVector<Value> at = atRow;
      if (!counts.empty())
        for (auto [loop, digit] :
             llvm::zip(plan.summed, weft::splitDigits(b, number, counts)))
          at = operands.moved(at, digit, loop);
      Value place = n.multiply(number, tilesAlong() * 2 * tileWords);
      copies.forTiles(n.index(plan.steps()), [&](Value tile, Value left) {
        copies.packTiles({plan.rowFactor(), plan.rowLoop, numRows,
                          at[plan.rowFactor()], left},
                         tile, rowPanel, place);
      });
    });
  }

  // ---- products ----

  /// So many tiles of sums, and in which rows they begin. The last ones begin
  /// so early that all their rows are there.
  struct Part {
    int64_t rowTiles, columnTiles;
    Value row, column;
    Value firsts[2];
    int64_t size() const { return rowTiles * columnTiles; }
  };

  /// What is left over at the end has tiles of its own if they are fewer.
  void emitPanels(ArrayRef<Value> bases, Value row, Value column) {
    auto choose = [&](Value first, int64_t extent,
                      llvm::function_ref<void(int64_t)> build) {
      int64_t rest = extent % panel;
      if (rest == 0 || rest > tileRows)
        return build(2);
      if (extent < panel)
        return build(1);
      n.either(
          n.isAtLeast(first, extent - panel + 1), [&] { build(1); },
          [&] { build(2); });
    };
    choose(row, plan.rows(), [&](int64_t rowTiles) {
      choose(column, plan.columns(), [&](int64_t columnTiles) {
        Part part{rowTiles, columnTiles, row, column, {}};
        for (int64_t i = 0; i < rowTiles; ++i) {
          part.firsts[i] = n.add(row, i * tileRows);
          if (plan.readsRows && plan.rows() % tileRows)
            part.firsts[i] =
                n.least(part.firsts[i], n.index(plan.rows() - tileRows));
        }
        emitPart(operands.moved(bases, column, plan.columnLoop), part);
      });
    });
  }

  void emitPart(ArrayRef<Value> at, const Part &part) {
    bool isWide = element == sumType;
    if (plan.ownSums)
      return emitInPlace(at, part, plan.columnBlock, /*adds=*/false);
    Value numRows = n.subtract(n.index(plan.rows()), part.row);
    Value numColumns = n.subtract(n.index(plan.columns()), part.column);
    auto throughScratch = [&] {
      SmallVector<Value> places;
      for (int64_t i = 0; i < part.size(); ++i)
        places.push_back(n.index(offsetOf(i, part, panel)));
      compute(at, part, {sums, places, panel}, /*adds=*/false);
      storeSums(at[sum], part, numColumns);
    };
    if (!isWide || plan.spanLoop || !isInRows())
      return throughScratch();
    // What is added to is added to once.
    Value isWhole = n.isAtLeast(numColumns, part.columnTiles * tileRows);
    if (!fromZero || !plan.readsRows)
      isWhole = arith::AndIOp::create(
          b, isWhole, n.isAtLeast(numRows, part.rowTiles * tileRows));
    n.either(
        isWhole,
        [&] {
          emitInPlace(at, part, plan.nest.stride(sum, plan.rowLoop), !fromZero);
        },
        throughScratch);
  }

  /// Whether the result is consecutive along columns.
  bool isInRows() const { return plan.nest.stride(sum, plan.columnLoop) == 1; }

  /// Of a tile of sums, the place among those of its part.
  static int64_t offsetOf(int64_t tile, const Part &part, int64_t stride) {
    return (tile / part.columnTiles * stride + tile % part.columnTiles) *
           tileRows;
  }

  void emitInPlace(ArrayRef<Value> at, const Part &part, int64_t stride,
                   bool adds) {
    SmallVector<Value> places;
    for (int64_t i = 0; i < part.size(); ++i) {
      Value place =
          weft::advance(b, at[sum], part.firsts[i / part.columnTiles], stride);
      places.push_back(n.add(place, i % part.columnTiles * tileRows));
    }
    compute(at, part, {operands.row(sum), places, stride}, adds);
  }

  /// Where the tiles of a part are, and how far their rows are apart.
  struct Target {
    Value row;
    ArrayRef<Value> places;
    int64_t stride;
  };

  /// Writes the sums of a part there, or adds them to what is there.
  void compute(ArrayRef<Value> at, const Part &part, Target to, bool adds) {
    if (plan.byDots)
      return computeByDots(at, part, to, adds);
    SmallVector<Value> start;
    if (adds)
      for (Value place : to.places)
        start.push_back(amx::TileLoadOp::create(
            b, sumTile(), to.row, ValueRange{place}, n.index(to.stride)));
    else
      start = zeros(part.size());
    SmallVector<Value> tiles = multiply(at, part, start);
    for (auto [place, tile] : llvm::zip_equal(to.places, tiles))
      store(to.row, place, tile, to.stride);
  }

  void store(Value row, Value at, Value tile, int64_t stride) {
    amx::TileStoreOp::create(b, row, ValueRange{at}, tile, n.index(stride));
  }

  /// Adds all products to tiles of sums.
  SmallVector<Value> multiply(ArrayRef<Value> at, const Part &part,
                              ArrayRef<Value> start) {
    return sumOver(plan.summed, at, n.index(0), part,
                   SmallVector<Value>(start));
  }

  /// Loops over what is summed over; `number` counts the steps of the loops
  /// around.
  SmallVector<Value> sumOver(ArrayRef<unsigned> loops, ArrayRef<Value> at,
                             Value number, const Part &part,
                             SmallVector<Value> acc) {
    bool isLast = loops.empty();
    int64_t count = isLast ? tilesAlong() : plan.nest.extents[loops.front()];
    auto loop =
        scf::ForOp::create(b, n.index(0), n.index(count), n.index(1), acc);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    Value step = loop.getInductionVar();
    number = n.add(n.multiply(number, count), step);
    SmallVector<Value> inner(loop.getRegionIterArgs());
    if (isLast) {
      Value steps = n.multiply(step, plan.tileSteps());
      inner = multiplyStep(operands.moved(at, steps, plan.sumLoop), number,
                           part, inner);
    } else {
      inner =
          sumOver(loops.drop_front(), operands.moved(at, step, loops.front()),
                  number, part, inner);
    }
    scf::YieldOp::create(b, inner);
    return SmallVector<Value>(loop.getResults());
  }

  SmallVector<Value> multiplyStep(ArrayRef<Value> at, Value number,
                                  const Part &part, ArrayRef<Value> acc) {
    auto type = amx::TileType::get({tileRows, plan.tileSteps()}, factor);
    Value columns[2], rows[2];
    for (int64_t j = 0; j < part.columnTiles; ++j)
      columns[j] = amx::TileLoadOp::create(
          b, type, operands.row(plan.columnFactor),
          ValueRange{n.add(at[plan.columnFactor], j * tileRows * plan.group())},
          n.index(panel * plan.group()));
    int64_t stride = plan.nest.stride(plan.rowFactor(), plan.rowLoop);
    for (int64_t i = 0; i < part.rowTiles; ++i) {
      if (plan.readsRows) {
        Value place =
            weft::advance(b, at[plan.rowFactor()], part.firsts[i], stride);
        rows[i] =
            amx::TileLoadOp::create(b, type, operands.row(plan.rowFactor()),
                                    ValueRange{place}, n.index(stride));
      } else {
        Value place = n.add(n.multiply(number, 2 * tileWords), i * tileWords);
        rows[i] = amx::TileLoadOp::create(b, type, rowPanel, ValueRange{place},
                                          n.index(lineWords));
      }
    }
    SmallVector<Value> next;
    for (auto [i, tile] : llvm::enumerate(acc))
      next.push_back(multiplyTiles(rows[i / part.columnTiles],
                                   columns[i % part.columnTiles], tile));
    return next;
  }

  // ---- dot products ----

  /// A few rows of a tile, and one or two vectors of columns.
  struct Strip {
    int64_t rowTile;
    Value first, row;
    int64_t rows, column, vectors;
  };

  /// As with tiles, strip by strip.
  void computeByDots(ArrayRef<Value> at, const Part &part, Target to,
                     bool adds) {
    int64_t lanes = lanesOfDots(), rows = rowsOfDots();
    int64_t columns = part.columnTiles * tileRows;
    // As many sums of one vector as of two.
    if (columns == lanes)
      rows = std::min(2 * rows, tileRows);
    for (int64_t tile = 0; tile < part.rowTiles; ++tile)
      n.loop(n.index(0), n.index(tileRows), rows, [&](Value row) {
        for (int64_t column = 0; column < columns; column += 2 * lanes) {
          Strip strip{tile,   part.firsts[tile],
                      row,    rows,
                      column, std::min<int64_t>(2, (columns - column) / lanes)};
          SmallVector<Value> places, start;
          for (int64_t i = 0; i < rows * strip.vectors; ++i) {
            int64_t from = column + i % strip.vectors * lanes;
            Value begin = to.places[tile * part.columnTiles + from / tileRows];
            Value place = weft::advance(b, begin, n.add(row, i / strip.vectors),
                                        to.stride);
            places.push_back(n.add(place, from % tileRows));
            start.push_back(adds ? n.load(to.row, lanes, places.back(), {})
                                 : zeroSums());
          }
          SmallVector<Value> sums =
              sumDots(plan.summed, at, n.index(0), strip, start);
          for (auto [sum, place] : llvm::zip_equal(sums, places))
            vector::StoreOp::create(b, sum, to.row, place);
        }
      });
  }

  /// Loops over what is summed over, and over groups of steps within.
  SmallVector<Value> sumDots(ArrayRef<unsigned> loops, ArrayRef<Value> at,
                             Value number, const Strip &strip,
                             SmallVector<Value> acc) {
    bool isLast = loops.empty();
    int64_t count = isLast ? llvm::divideCeil(plan.steps(), plan.group())
                           : plan.nest.extents[loops.front()];
    auto loop = isLast ? notUnrolled(count, acc)
                       : scf::ForOp::create(b, n.index(0), n.index(count),
                                            n.index(1), acc);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    Value step = loop.getInductionVar();
    SmallVector<Value> inner(loop.getRegionIterArgs());
    if (isLast) {
      Value steps = n.multiply(step, plan.group());
      inner = addGroup(operands.moved(at, steps, plan.sumLoop), number, step,
                       strip, inner);
    } else {
      inner =
          sumDots(loops.drop_front(), operands.moved(at, step, loops.front()),
                  n.add(n.multiply(number, count), step), strip, inner);
    }
    scf::YieldOp::create(b, inner);
    return SmallVector<Value>(loop.getResults());
  }

  SmallVector<Value> addGroup(ArrayRef<Value> at, Value number, Value group,
                              const Strip &strip, ArrayRef<Value> acc) {
    int64_t lanes = lanesOfDots();
    SmallVector<Value> columns, next;
    for (int64_t v = 0; v < strip.vectors; ++v)
      columns.push_back(n.load(operands.row(plan.columnFactor),
                               lanes * plan.group(),
                               n.add(at[plan.columnFactor],
                                     (strip.column + v * lanes) * plan.group()),
                               {}));
    auto words = VectorType::get({lanes}, b.getI32Type());
    for (int64_t i = 0; i < strip.rows; ++i) {
      Value word = wordOf(at, number, group, n.add(strip.row, i), strip);
      Value row = vector::BroadcastOp::create(b, words, word);
      for (int64_t v = 0; v < strip.vectors; ++v)
        next.push_back(addDot(acc[i * strip.vectors + v], row, columns[v]));
    }
    return next;
  }

  /// A group of steps of one row.
  Value wordOf(ArrayRef<Value> at, Value number, Value group, Value row,
               const Strip &strip) {
    if (plan.readsRows) {
      int64_t stride = plan.nest.stride(plan.rowFactor(), plan.rowLoop);
      Value place = weft::advance(b, at[plan.rowFactor()],
                                  n.add(strip.first, row), stride);
      Value steps =
          n.load(operands.row(plan.rowFactor()), plan.group(), place, {});
      Value word = vector::BitCastOp::create(
          b, VectorType::get({1}, b.getI32Type()), steps);
      return vector::ExtractOp::create(b, word, ArrayRef<int64_t>{0});
    }
    Value tile = arith::DivUIOp::create(b, group, n.index(lineWords));
    Value line = arith::RemUIOp::create(b, group, n.index(lineWords));
    tile = n.add(n.multiply(number, tilesAlong()), tile);
    Value place = n.add(n.multiply(tile, 2 * tileWords), line);
    place = n.add(place, strip.rowTile * tileWords);
    return memref::LoadOp::create(b, rowPanel,
                                  n.add(place, n.multiply(row, lineWords)));
  }

  // ---- sums ----

  /// Writes the sums of a part to their places, or adds them to what is there.
  void storeSums(Value base, const Part &part, Value numColumns) {
    SmallVector<Value> masks;
    for (int64_t j = 0; j < part.columnTiles; ++j)
      masks.push_back(
          n.maskOf(n.subtract(numColumns, n.index(j * tileRows)), tileRows));
    auto storeRow = [&](Value from, Value to) {
      if (!isInRows())
        return storeOneByOne(from, to, numColumns, part);
      for (int64_t j = 0; j < part.columnTiles; ++j) {
        Value value =
            narrowed(n.load(sums, tileRows, n.add(from, j * tileRows), {}));
        Value place = n.add(to, j * tileRows);
        if (!fromZero)
          value = addUp(n.load(operands.row(sum), tileRows, place, masks[j]),
                        value);
        vector::MaskedStoreOp::create(b, operands.row(sum), place, masks[j],
                                      value);
      }
    };
    for (int64_t i = 0; i < part.rowTiles; ++i) {
      Value first = n.add(part.row, i * tileRows);
      Value last = n.least(n.add(first, tileRows), n.index(plan.rows()));
      n.loop(first, last, 1, [&](Value row) {
        Value from = n.subtract(n.add(row, i * tileRows), part.firsts[i]);
        placeOf(base, row,
                [&](Value to) { storeRow(n.multiply(from, panel), to); });
      });
    }
  }

  void storeOneByOne(Value from, Value to, Value numColumns, const Part &part) {
    Value last = n.least(numColumns, n.index(part.columnTiles * tileRows));
    n.loop(n.index(0), last, 1, [&](Value column) {
      Value value =
          narrowed(memref::LoadOp::create(b, sums, n.add(from, column)));
      Value place =
          weft::advance(b, to, column, plan.nest.stride(sum, plan.columnLoop));
      if (!fromZero)
        value =
            addUp(memref::LoadOp::create(b, operands.row(sum), place), value);
      memref::StoreOp::create(b, value, operands.row(sum), place);
    });
  }

  /// Where a row's sums are, if it is one of the result.
  void placeOf(Value base, Value row, llvm::function_ref<void(Value)> build) {
    int64_t stride = plan.nest.stride(sum, plan.rowLoop);
    if (!plan.spanLoop)
      return build(weft::advance(b, base, row, stride));
    Value step = arith::DivUIOp::create(b, row, n.index(plan.span));
    Value rest = arith::RemUIOp::create(b, row, n.index(plan.span));
    int64_t most = plan.nest.extents[plan.rowLoop];
    n.either(
        n.isAtLeast(rest, most), [] {},
        [&] {
          Value to = weft::advance(b, base, rest, stride);
          build(weft::advance(b, to, step,
                              plan.nest.stride(sum, *plan.spanLoop)));
        });
  }

  void emitEpilogue(ArrayRef<Value> bases, Bounds rows, Bounds columns) {
    if (!plan.spanLoop)
      return change(bases, rows, columns);
    Value span = n.index(plan.span);
    Value first = arith::DivUIOp::create(b, rows.first, span);
    Value last = arith::CeilDivUIOp::create(b, rows.last, span);
    n.loop(first, last, 1, [&](Value step) {
      Value before = n.multiply(step, plan.span);
      Value most = n.index(plan.nest.extents[plan.rowLoop]);
      Bounds within{n.most(n.subtract(rows.first, before), n.index(0)),
                    n.least(n.subtract(rows.last, before), most)};
      change(operands.moved(bases, step, plan.spanLoop), within, columns);
    });
  }

  /// What is copied, in numbers of 32 bits, and two by two tiles of sums.
  Value rowPanel, sums;
};

} // namespace

void weft::emitPackedTiles(linalg::GenericOp op, linalg::GenericOp epilogue,
                           const TilePlan &plan, const Machine &machine,
                           bool fromZero) {
  Emitter(op, epilogue, plan, machine, fromZero).emit();
}
