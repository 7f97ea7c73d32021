// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft-lower-matrix-tiles: a sum of products of bfloat16 or of bytes -> loops
// over blocks of two by two tiles of the CPU's matrix unit. Where it has none,
// vectors of dot products take the place of tiles.

#include "lowering/OptimizationLevel.h"
#include "lowering/Passes.h"
#include "lowering/cpu/PackedTiles.h"
#include "lowering/cpu/TileEmitter.h"
#include "lowering/fusion/ContractionPlan.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

namespace weft {
#define GEN_PASS_DEF_LOWERMATRIXTILES
#include "lowering/Passes.h.inc"
} // namespace weft

using namespace mlir;
using weft::Machine;
using weft::TilePlan;

namespace {

class Emitter : weft::TileEmitter {
public:
  using TileEmitter::TileEmitter;

  void emit() {
    mostTiles = llvm::divideCeil(plan.sumBlock, plan.tileSteps());
    rowPanel = weft::scratch(b, 2 * mostTiles * tileWords, b.getI32Type());
    columnPanels = weft::scratch(b, plan.columnBlock / panel * panelWords(),
                                 b.getI32Type());
    sums = weft::scratch(b, panel * panel, sumType);
    if (plan.isShifted())
      shifts = weft::scratch(b, plan.columnBlock, sumType);
    auto block = operands.forBlocks(
        plan.outer, llvm::divideCeil(plan.rows(), plan.rowBlock),
        llvm::divideCeil(plan.columns(), plan.columnBlock), productsAtOnce(),
        machine);
    Bounds rows = boundsOf(block.row, plan.rowBlock, plan.rows());
    Bounds columns = boundsOf(block.column, plan.columnBlock, plan.columns());
    operands.beginBlock(block.bases, rows.first, plan.rowLoop, columns.first,
                        plan.columnLoop);
    forSums(block.bases, [&](ArrayRef<Value> at, Value steps, Value isFirst) {
      emitBlock(at, rows, columns, steps, isFirst);
    });
    if (epilogue)
      change(block.bases, rows, columns);
    op.erase();
  }

private:
  int64_t panelWords() const { return 2 * mostTiles * tileWords; }

  /// Loops over blocks of all that is summed over. `build` gets where the
  /// operands are, the steps of this block and whether it is the first one.
  void forSums(ArrayRef<Value> bases,
               llvm::function_ref<void(ArrayRef<Value>, Value, Value)> build) {
    SmallVector<int64_t> counts;
    for (unsigned loop : plan.summed)
      counts.push_back(plan.nest.extents[loop]);
    counts.push_back(llvm::divideCeil(plan.steps(), plan.sumBlock));
    n.loop(n.index(0), n.index(llvm::product_of(counts)), 1, [&](Value number) {
      SmallVector<Value> digits = weft::splitDigits(b, number, counts);
      SmallVector<Value> at(bases);
      for (auto [loop, digit] : llvm::zip(plan.summed, digits))
        at = operands.moved(at, digit, loop);
      Bounds block = boundsOf(digits.back(), plan.sumBlock, plan.steps());
      at = operands.moved(at, block.first, plan.sumLoop);
      Value isFirst = arith::CmpIOp::create(b, arith::CmpIPredicate::eq, number,
                                            n.index(0));
      build(at, n.subtract(block.last, block.first), isFirst);
    });
  }

  void emitBlock(ArrayRef<Value> bases, Bounds rows, Bounds columns,
                 Value steps, Value isFirst) {
    Value tiles =
        arith::CeilDivUIOp::create(b, steps, n.index(plan.tileSteps()));
    auto place = [&](Value column) {
      Value number = arith::DivUIOp::create(
          b, n.subtract(column, columns.first), n.index(panel));
      return n.multiply(number, panelWords());
    };
    auto pack = [&](Value column, Value tile, Value left) {
      Value at =
          operands.moved(bases, column, plan.columnLoop)[plan.columnFactor];
      Value numColumns = n.subtract(n.index(plan.columns()), column);
      copies.packTiles(
          {plan.columnFactor, plan.columnLoop, numColumns, at, left}, tile,
          columnPanels, place(column));
    };
    // Along what is consecutive in memory, which the CPU then reads ahead.
    if (plan.nest.stride(plan.columnFactor, plan.sumLoop) == 1)
      n.loop(columns.first, columns.last, panel, [&](Value column) {
        copies.forTiles(
            steps, [&](Value tile, Value left) { pack(column, tile, left); });
      });
    else
      copies.forTiles(steps, [&](Value tile, Value left) {
        n.loop(columns.first, columns.last, panel,
               [&](Value column) { pack(column, tile, left); });
      });
    if (plan.isShifted())
      n.loop(columns.first, columns.last, panel, [&](Value column) {
        findShifts({place(column), n.subtract(column, columns.first)}, tiles);
      });
    n.loop(rows.first, rows.last, panel, [&](Value row) {
      SmallVector<Value> at = operands.moved(bases, row, plan.rowLoop);
      Value numRows = n.subtract(n.index(plan.rows()), row);
      copies.forTiles(steps, [&](Value tile, Value left) {
        copies.packTiles({plan.rowFactor(), plan.rowLoop, numRows,
                          at[plan.rowFactor()], left},
                         tile, rowPanel, n.index(0));
      });
      n.loop(columns.first, columns.last, panel, [&](Value column) {
        Value sumsAt = operands.moved(at, column, plan.columnLoop)[sum];
        emitSums({place(column), n.subtract(column, columns.first)}, tiles,
                 sumsAt, numRows, n.subtract(n.index(plan.columns()), column),
                 isFirst);
      });
    });
  }

  // ---- products ----

  Value loadTile(Value panel, Value at) {
    auto type = amx::TileType::get({tileRows, plan.tileSteps()}, factor);
    return amx::TileLoadOp::create(b, type, panel, ValueRange{at},
                                   n.index(lineWords));
  }

  /// Where a panel of columns is, and how far its first one is from the first
  /// of the block.
  struct Columns {
    Value panelAt, first;
  };
  /// Where the sums of a panel of rows, of which there are `numRows`, and one
  /// of columns are.
  struct Target {
    Value row, base, numRows;
    int64_t stride;
  };

  /// Adds the products of the packed rows and a panel of columns to what is
  /// there, or to zeros.
  void addPanels(Columns columns, Value tiles, Target to, bool fromZero) {
    if (plan.byDots)
      return addDots(columns, tiles, to, fromZero);
    SmallVector<Value> start =
        fromZero ? zeros(4) : loadTiles(to.row, to.base, to.stride);
    storeTiles(multiplyPanels(columns.panelAt, tiles, start), to.row, to.base,
               to.stride);
  }

  /// Adds the products of the packed rows and a panel of columns to four tiles.
  SmallVector<Value> multiplyPanels(Value columnsAt, Value tiles,
                                    ArrayRef<Value> start) {
    auto loop = scf::ForOp::create(b, n.index(0), tiles, n.index(1), start);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    Value at = n.multiply(loop.getInductionVar(), 2 * tileWords);
    Value columns[2], rows[2];
    for (int64_t i : {0, 1}) {
      columns[i] =
          loadTile(columnPanels, n.add(n.add(columnsAt, at), i * tileWords));
      rows[i] = loadTile(rowPanel, n.add(at, i * tileWords));
    }
    SmallVector<Value> next;
    for (auto [i, acc] : llvm::enumerate(loop.getRegionIterArgs()))
      next.push_back(multiplyTiles(rows[i / 2], columns[i % 2], acc));
    scf::YieldOp::create(b, next);
    return loop.getResults();
  }

  // ---- dot products ----

  /// As tiles do, strip by strip: a few rows of two vectors stay in registers.
  void addDots(Columns columns, Value tiles, Target to, bool fromZero) {
    int64_t lanes = lanesOfDots(), rows = rowsOfDots();
    Value last = n.least(to.numRows, n.index(panel));
    n.loop(n.index(0), n.index(panel), 2 * lanes, [&](Value column) {
      n.loop(n.index(0), last, rows, [&](Value row) {
        SmallVector<Value> places, start;
        for (int64_t i = 0; i < 2 * rows; ++i) {
          Value at = weft::advance(b, n.add(to.base, column), n.add(row, i / 2),
                                   to.stride);
          places.push_back(n.add(at, i % 2 * lanes));
          start.push_back(startOf(columns, n.add(column, i % 2 * lanes),
                                  fromZero ? Value() : to.row, places.back()));
        }
        SmallVector<Value> sums =
            sumStrip(columns.panelAt, tiles, column, row, rows, start);
        for (auto [sum, place] : llvm::zip_equal(sums, places))
          vector::StoreOp::create(b, sum, to.row, place);
      });
    });
  }

  /// What dot products are added to in a vector of columns: what is in `row`,
  /// if anything, less what is too much in them.
  Value startOf(Columns columns, Value column, Value row, Value place) {
    int64_t lanes = lanesOfDots();
    Value start;
    if (plan.isShifted())
      start = n.load(shifts, lanes, n.add(columns.first, column), {});
    if (row) {
      Value given = n.load(row, lanes, place, {});
      return start ? addUp(start, given) : given;
    }
    return start ? start : zeroSums();
  }

  /// What is added to the sums of a panel of columns because the rows are
  /// shifted: -128 of each column.
  void findShifts(Columns columns, Value tiles) {
    int64_t lanes = lanesOfDots();
    n.loop(n.index(0), n.index(panel), 2 * lanes, [&](Value column) {
      SmallVector<Value> taken =
          forGroups(columns.panelAt, tiles, column, {zeroSums(), zeroSums()},
                    [&](ArrayRef<Value> words, Value, ValueRange sums) {
                      SmallVector<Value> next;
                      for (auto [word, sum] : llvm::zip_equal(words, sums))
                        next.push_back(addDot(sum, copies.shift(lanes), word));
                      return next;
                    });
      for (auto [i, each] : llvm::enumerate(taken)) {
        Value shift = arith::SubIOp::create(b, zeroSums(), each);
        Value at = n.add(columns.first, n.add(column, i * lanes));
        vector::StoreOp::create(b, shift, shifts, at);
      }
    });
  }

  /// Sums up over all groups of steps in the panels.
  SmallVector<Value> sumStrip(Value columnsAt, Value tiles, Value column,
                              Value row, int64_t rows, ValueRange start) {
    int64_t lanes = lanesOfDots();
    auto type = VectorType::get({lanes}, b.getI32Type());
    return forGroups(
        columnsAt, tiles, column, start,
        [&](ArrayRef<Value> columns, Value rowsAt, ValueRange sums) {
          SmallVector<Value> next;
          for (int64_t i = 0; i < 2 * rows; ++i) {
            Value from =
                n.add(rowsAt, n.multiply(n.add(row, i / 2), lineWords));
            Value word = memref::LoadOp::create(b, rowPanel, from);
            Value words = vector::BroadcastOp::create(b, type, word);
            next.push_back(addDot(sums[i], words, columns[i % 2]));
          }
          return next;
        });
  }

  /// Loops over the groups of steps in a panel of columns. `build` gets the
  /// words of two vectors of columns, and where the first row's word is.
  SmallVector<Value> forGroups(
      Value columnsAt, Value tiles, Value column, ValueRange start,
      llvm::function_ref<SmallVector<Value>(ArrayRef<Value>, Value, ValueRange)>
          build) {
    int64_t lanes = lanesOfDots();
    auto groups = notUnrolled(n.multiply(tiles, lineWords), start);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(groups.getBody());
    Value tile =
        arith::DivUIOp::create(b, groups.getInductionVar(), n.index(lineWords));
    Value line =
        arith::RemUIOp::create(b, groups.getInductionVar(), n.index(lineWords));
    Value at = n.multiply(tile, 2 * tileWords);
    SmallVector<Value> columns;
    for (int64_t v : {0, 1}) {
      Value place = n.add(column, v * lanes);
      Value half = arith::DivUIOp::create(b, place, n.index(tileRows));
      Value rest = arith::RemUIOp::create(b, place, n.index(tileRows));
      Value from = n.add(n.add(columnsAt, at), n.multiply(half, tileWords));
      from = n.add(n.add(from, n.multiply(line, lineWords)), rest);
      columns.push_back(n.load(columnPanels, lanes, from, {}));
    }
    scf::YieldOp::create(
        b, build(columns, n.add(at, line), groups.getRegionIterArgs()));
    return groups.getResults();
  }

  // ---- sums ----

  /// Of a panel of rows and one of columns, the sums: what is there is added
  /// to.
  void emitSums(Columns columns, Value tiles, Value base, Value numRows,
                Value numColumns, Value isFirst) {
    auto throughScratch = [&] {
      addPanels(columns, tiles, {sums, n.index(0), numRows, panel},
                /*fromZero=*/true);
      storeSums(base, numRows, numColumns, isFirst);
    };
    auto inPlace = [&] {
      auto addTo = [&](bool fromZero) {
        addPanels(columns, tiles,
                  {operands.row(sum), base, numRows,
                   plan.nest.stride(sum, plan.rowLoop)},
                  fromZero);
      };
      if (fromZero)
        n.either(isFirst, [&] { addTo(true); }, [&] { addTo(false); });
      else
        addTo(false);
    };
    if (element != sumType)
      return throughScratch();
    // A block of its own has room for whole tiles.
    if (plan.ownSums)
      return inPlace();
    Value isWhole = arith::AndIOp::create(b, n.isAtLeast(numRows, panel),
                                          n.isAtLeast(numColumns, panel));
    n.either(isWhole, inPlace, throughScratch);
  }

  /// Where the four tiles of sums begin.
  Value placeOf(Value base, int64_t number, int64_t stride) {
    return n.add(base, (number / 2 * stride + number % 2) * tileRows);
  }
  SmallVector<Value> loadTiles(Value row, Value base, int64_t stride) {
    SmallVector<Value> tiles;
    for (int64_t i = 0; i < 4; ++i)
      tiles.push_back(amx::TileLoadOp::create(
          b, sumTile(), row, ValueRange{placeOf(base, i, stride)},
          n.index(stride)));
    return tiles;
  }
  void storeTiles(ArrayRef<Value> tiles, Value row, Value base,
                  int64_t stride) {
    for (auto [i, tile] : llvm::enumerate(tiles))
      amx::TileStoreOp::create(b, row, ValueRange{placeOf(base, i, stride)},
                               tile, n.index(stride));
  }

  /// Writes what is in `sums`, or adds it to what is there.
  void storeSums(Value base, Value numRows, Value numColumns, Value isFirst) {
    Value masks[2];
    for (int64_t half : {0, 1})
      masks[half] =
          n.maskOf(n.subtract(numColumns, n.index(half * tileRows)), tileRows);
    auto store = [&](bool adds) {
      n.loop(n.index(0), n.least(numRows, n.index(panel)), 1, [&](Value row) {
        Value at =
            weft::advance(b, base, row, plan.nest.stride(sum, plan.rowLoop));
        for (int64_t half : {0, 1}) {
          Value from = n.add(n.multiply(row, panel), half * tileRows);
          Value to = n.add(at, half * tileRows);
          Value value = narrowed(n.load(sums, tileRows, from, {}));
          if (adds)
            value = addUp(n.load(operands.row(sum), tileRows, to, masks[half]),
                          value);
          vector::MaskedStoreOp::create(b, operands.row(sum), to, masks[half],
                                        value);
        }
      });
    };
    if (fromZero)
      n.either(isFirst, [&] { store(false); }, [&] { store(true); });
    else
      store(true);
  }

  int64_t mostTiles = 0;
  /// What is packed, in numbers of 32 bits, and two by two tiles of sums.
  Value rowPanel, columnPanels, sums;
  /// Of each column of a block, what `findShifts` found.
  Value shifts;
};

class LowerMatrixTiles final
    : public weft::impl::LowerMatrixTilesBase<LowerMatrixTiles> {
  void runOnOperation() override {
    if (!weft::isOptimized(getOperation()))
      return;
    Machine machine = Machine::of(getOperation());
    weft::lowerSums<TilePlan>(
        getOperation(), machine,
        [&](linalg::GenericOp sum, linalg::GenericOp epilogue,
            const TilePlan &plan, linalg::FillOp fill) {
          bool fromZero = static_cast<bool>(fill);
          if (plan.isPacked)
            weft::emitPackedTiles(sum, epilogue, plan, machine, fromZero);
          else
            Emitter(sum, epilogue, plan, machine, fromZero).emit();
        });
    if (!machine.hasTiles && !machine.hasBFloat16Dots)
      return;
    SmallVector<linalg::GenericOp> copies;
    getOperation().walk([&](linalg::GenericOp op) { copies.push_back(op); });
    for (linalg::GenericOp op : copies)
      weft::lowerPanelCopy(op, machine);
  }
};

} // namespace
