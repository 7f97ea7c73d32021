// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft-lower-matrix-tiles: a sum of products of bfloat16 or of bytes -> loops
// over blocks of two by two tiles of the CPU's matrix unit. Where it has none,
// vectors of dot products of bytes take the place of tiles.

#include "lowering/OptimizationLevel.h"
#include "lowering/Passes.h"
#include "lowering/cpu/SumOperands.h"
#include "lowering/fusion/ContractionPlan.h"
#include "lowering/fusion/TilePlan.h"
#include "mlir/Dialect/AMX/AMXDialect.h"
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

constexpr unsigned sum = TilePlan::sum;
/// Products that take as long as one simple operation does, or less.
constexpr double productsAtOnce = 32, productsOfDots = 16;
constexpr int64_t tileRows = TilePlan::tileRows, panel = TilePlan::panel;
/// A tile, and a line of it, in numbers of 32 bits.
constexpr int64_t lineWords = TilePlan::lineBytes / 4;
constexpr int64_t tileWords = tileRows * lineWords;

class Emitter {
public:
  Emitter(linalg::GenericOp op, linalg::GenericOp epilogue,
          const TilePlan &plan, const Machine &machine, bool fromZero)
      : op(op), epilogue(epilogue), plan(plan), machine(machine),
        fromZero(fromZero), b(op.getLoc(), op),
        factor(getElementTypeOrSelf(op.getDpsInputs()[0].getType())),
        element(getElementTypeOrSelf(op.getDpsInits()[0].getType())),
        sumType(factor.isBF16() ? Type(b.getF32Type()) : b.getI32Type()),
        line(VectorType::get({lineWords}, b.getI32Type())),
        operands(b, op, epilogue, plan.nest, plan.ownSums) {}

  void emit() {
    mostTiles = llvm::divideCeil(plan.sumBlock, plan.tileSteps());
    rowPanel = weft::scratch(b, 2 * mostTiles * tileWords, b.getI32Type());
    columnPanels = weft::scratch(b, plan.columnBlock / panel * panelWords(),
                                 b.getI32Type());
    sums = weft::scratch(b, panel * panel, sumType);
    auto block = operands.forBlocks(
        plan.outer, llvm::divideCeil(plan.rows(), plan.rowBlock),
        llvm::divideCeil(plan.columns(), plan.columnBlock),
        plan.byDots ? productsOfDots : productsAtOnce, machine);
    Bounds rows = boundsOf(block.row, plan.rowBlock, plan.rows());
    Bounds columns = boundsOf(block.column, plan.columnBlock, plan.columns());
    operands.beginBlock(block.bases, rows.first, plan.rowLoop, columns.first,
                        plan.columnLoop);
    forSums(block.bases, [&](ArrayRef<Value> at, Value steps, Value isFirst) {
      emitBlock(at, rows, columns, steps, isFirst);
    });
    if (epilogue)
      emitEpilogue(block.bases, rows, columns);
    op.erase();
  }

private:
  struct Bounds {
    Value first, last;
  };

  // ---- numbers ----

  Value index(int64_t value) {
    return arith::ConstantIndexOp::create(b, value);
  }
  Value add(Value x, Value y) { return arith::AddIOp::create(b, x, y); }
  Value add(Value x, int64_t y) { return y == 0 ? x : add(x, index(y)); }
  Value subtract(Value x, Value y) { return arith::SubIOp::create(b, x, y); }
  Value multiply(Value x, int64_t y) {
    return arith::MulIOp::create(b, x, index(y));
  }
  Value isAtLeast(Value x, int64_t y) {
    return arith::CmpIOp::create(b, arith::CmpIPredicate::sge, x, index(y));
  }
  Value least(Value x, Value y) { return arith::MinSIOp::create(b, x, y); }

  Bounds boundsOf(Value block, int64_t size, int64_t extent) {
    Value first = multiply(block, size);
    return {first, least(add(first, size), index(extent))};
  }
  int64_t panelWords() const { return 2 * mostTiles * tileWords; }

  // ---- memory ----

  Value maskOf(Value valid, int64_t lanes) {
    return vector::CreateMaskOp::create(
        b, VectorType::get({lanes}, b.getI1Type()), valid);
  }
  Value load(Value row, int64_t lanes, Value at, Value mask) {
    auto type = VectorType::get({lanes}, getElementTypeOrSelf(row.getType()));
    if (!mask)
      return vector::LoadOp::create(b, type, row, at);
    Value nothing = arith::ConstantOp::create(b, b.getZeroAttr(type));
    return vector::MaskedLoadOp::create(b, type, row, at, mask, nothing);
  }

  // ---- loops ----

  void loop(Value first, Value last, int64_t step,
            llvm::function_ref<void(Value)> build) {
    auto loop = scf::ForOp::create(b, first, last, index(step));
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    build(loop.getInductionVar());
  }
  void either(Value condition, llvm::function_ref<void()> then,
              llvm::function_ref<void()> otherwise) {
    auto branch = scf::IfOp::create(b, condition, /*withElseRegion=*/true);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(branch.thenBlock());
    then();
    b.setInsertionPointToStart(branch.elseBlock());
    otherwise();
  }

  /// Loops over blocks of all that is summed over. `build` gets where the
  /// operands are, the steps of this block and whether it is the first one.
  void forSums(ArrayRef<Value> bases,
               llvm::function_ref<void(ArrayRef<Value>, Value, Value)> build) {
    SmallVector<int64_t> counts;
    for (unsigned loop : plan.summed)
      counts.push_back(plan.nest.extents[loop]);
    counts.push_back(llvm::divideCeil(plan.steps(), plan.sumBlock));
    loop(index(0), index(llvm::product_of(counts)), 1, [&](Value number) {
      SmallVector<Value> digits = weft::splitDigits(b, number, counts);
      SmallVector<Value> at(bases);
      for (auto [loop, digit] : llvm::zip(plan.summed, digits))
        at = operands.moved(at, digit, loop);
      Bounds block = boundsOf(digits.back(), plan.sumBlock, plan.steps());
      at = operands.moved(at, block.first, plan.sumLoop);
      Value isFirst =
          arith::CmpIOp::create(b, arith::CmpIPredicate::eq, number, index(0));
      build(at, subtract(block.last, block.first), isFirst);
    });
  }

  void emitBlock(ArrayRef<Value> bases, Bounds rows, Bounds columns,
                 Value steps, Value isFirst) {
    Value tiles = arith::CeilDivUIOp::create(b, steps, index(plan.tileSteps()));
    auto place = [&](Value column) {
      Value number = arith::DivUIOp::create(b, subtract(column, columns.first),
                                            index(panel));
      return multiply(number, panelWords());
    };
    // Along what is consecutive in memory, which the CPU then reads ahead.
    forTiles(steps, [&](Value tile, Value left) {
      loop(columns.first, columns.last, panel, [&](Value column) {
        Value at =
            operands.moved(bases, column, plan.columnLoop)[plan.columnFactor];
        Value numColumns = subtract(index(plan.columns()), column);
        packTiles({plan.columnFactor, plan.columnLoop, numColumns, at, left},
                  tile, columnPanels, place(column));
      });
    });
    loop(rows.first, rows.last, panel, [&](Value row) {
      SmallVector<Value> at = operands.moved(bases, row, plan.rowLoop);
      Value numRows = subtract(index(plan.rows()), row);
      forTiles(steps, [&](Value tile, Value left) {
        packTiles({plan.rowFactor(), plan.rowLoop, numRows,
                   at[plan.rowFactor()], left},
                  tile, rowPanel, index(0));
      });
      loop(columns.first, columns.last, panel, [&](Value column) {
        Value sumsAt = operands.moved(at, column, plan.columnLoop)[sum];
        emitSums(place(column), tiles, sumsAt, numRows,
                 subtract(index(plan.columns()), column), isFirst);
      });
    });
  }

  // ---- packing ----

  /// Of what two tiles are made: `points` rows or columns from `begin` on, and
  /// `left` steps of what is summed over; without it, as many as fill a tile.
  struct Source {
    unsigned operand, pointLoop;
    Value points, begin, left;
  };

  /// Loops over the tiles that so many steps fill. `build` gets the steps of
  /// one that is not filled.
  void forTiles(Value steps, llvm::function_ref<void(Value, Value)> build) {
    Value tiles = arith::CeilDivUIOp::create(b, steps, index(plan.tileSteps()));
    loop(index(0), tiles, 1, [&](Value tile) {
      Value left = subtract(steps, multiply(tile, plan.tileSteps()));
      either(
          isAtLeast(left, plan.tileSteps()), [&] { build(tile, {}); },
          [&] { build(tile, left); });
    });
  }

  /// Copies two tiles of a panel, given where the panel begins. In those of the
  /// rows a line is a row, along what is summed over; in those of the columns a
  /// line has a group of steps of all columns.
  void packTiles(Source source, Value tile, Value into, Value at) {
    source.begin =
        weft::advance(b, source.begin, multiply(tile, plan.tileSteps()),
                      plan.nest.stride(source.operand, plan.sumLoop));
    at = add(at, multiply(tile, 2 * tileWords));
    bool isAlong = plan.nest.stride(source.operand, plan.sumLoop) == 1;
    bool wantsAlong = source.operand == plan.rowFactor();
    loop(index(0), index(panel), tileRows, [&](Value point) {
      Value place = add(at, multiply(point, lineWords));
      auto lineOf = [&](Value line) {
        return isAlong ? lineAlong(source, add(point, line))
                       : lineAcross(source, point, line);
      };
      auto store = [&](Value words, Value line) {
        if (wantsAlong && isShifted())
          words = arith::XOrIOp::create(b, words, shift(lineWords));
        vector::StoreOp::create(b, words, into,
                                add(place, multiply(line, lineWords)));
      };
      if (isAlong == wantsAlong)
        return loop(index(0), index(tileRows), 1,
                    [&](Value line) { store(lineOf(line), line); });
      SmallVector<Value> lines;
      for (int64_t i = 0; i < tileRows; ++i)
        lines.push_back(lineOf(index(i)));
      for (auto [i, words] : llvm::enumerate(transposed(lines)))
        store(words, index(i));
    });
  }

  /// Whether some panel of rows or columns has less than it could.
  bool isRagged(unsigned pointLoop) const {
    return plan.nest.extents[pointLoop] % panel != 0;
  }

  /// The steps of one row or column. The last one stands for those that are
  /// missing, whose sums nobody sees.
  Value lineAlong(const Source &source, Value point) {
    if (isRagged(source.pointLoop))
      point = least(point, subtract(source.points, index(1)));
    Value at =
        weft::advance(b, source.begin, point,
                      plan.nest.stride(source.operand, source.pointLoop));
    Value mask = source.left ? maskOf(source.left, plan.tileSteps()) : Value();
    Value steps =
        load(operands.row(source.operand), plan.tileSteps(), at, mask);
    return vector::BitCastOp::create(b, line, steps);
  }

  /// A group of steps of the rows or columns from `point` on.
  Value lineAcross(const Source &source, Value point, Value number) {
    int64_t bits = 8 * plan.factorBytes;
    auto narrow = VectorType::get({tileRows}, b.getIntegerType(bits));
    Value words;
    for (int64_t i = 0; i < plan.group(); ++i) {
      Value step = add(multiply(number, plan.group()), i);
      Value valid = isRagged(source.pointLoop) ? subtract(source.points, point)
                                               : index(tileRows);
      if (source.left) {
        Value isThere = arith::CmpIOp::create(b, arith::CmpIPredicate::slt,
                                              step, source.left);
        valid = arith::SelectOp::create(b, isThere, valid, index(0));
      }
      Value at = weft::advance(b, add(source.begin, point), step,
                               plan.nest.stride(source.operand, plan.sumLoop));
      Value x = load(operands.row(source.operand), tileRows, at,
                     maskOf(valid, tileRows));
      if (x.getType() != narrow)
        x = arith::BitcastOp::create(b, narrow, x);
      x = arith::ExtUIOp::create(b, line, x);
      if (i > 0) {
        Value distance = arith::ConstantOp::create(
            b, DenseElementsAttr::get(line, APInt(32, i * bits)));
        x = arith::ShLIOp::create(b, x, distance);
      }
      words = words ? arith::OrIOp::create(b, words, x).getResult() : x;
    }
    return words;
  }

  /// Exchanges lines and their words: squares of 1, 2, 4 and 8 words change
  /// places with those on the other side of the diagonal.
  SmallVector<Value> transposed(SmallVector<Value> lines) {
    for (int64_t size = 1; size < tileRows; size *= 2) {
      SmallVector<int64_t> upper, lower;
      for (int64_t word = 0; word < lineWords; ++word) {
        bool isRight = word & size;
        upper.push_back(isRight ? lineWords + word - size : word);
        lower.push_back(isRight ? lineWords + word : word + size);
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

  // ---- products ----

  Value loadTile(Value panel, Value at) {
    auto type = amx::TileType::get({tileRows, plan.tileSteps()}, factor);
    return amx::TileLoadOp::create(b, type, panel, ValueRange{at},
                                   index(lineWords));
  }

  Value multiplyTiles(Value row, Value column, Value acc) {
    if (factor.isBF16())
      return amx::TileMulFOp::create(b, acc.getType(), row, column, acc);
    return amx::TileMulIOp::create(b, acc.getType(), row, column, acc,
                                   plan.isUnsigned[plan.rowFactor()],
                                   plan.isUnsigned[plan.columnFactor]);
  }

  /// Where the sums of a panel of rows and one of columns are.
  struct Target {
    Value row, base;
    int64_t stride;
  };

  /// Adds the products of the packed rows and a panel of columns to what is
  /// there, or to zeros.
  void addPanels(Value columnsAt, Value tiles, Target to, bool fromZero) {
    if (plan.byDots)
      return addDots(columnsAt, tiles, to, fromZero);
    SmallVector<Value> start =
        fromZero ? zeros() : loadTiles(to.row, to.base, to.stride);
    storeTiles(multiplyPanels(columnsAt, tiles, start), to.row, to.base,
               to.stride);
  }

  /// Adds the products of the packed rows and a panel of columns to four tiles.
  SmallVector<Value> multiplyPanels(Value columnsAt, Value tiles,
                                    ArrayRef<Value> start) {
    auto loop = scf::ForOp::create(b, index(0), tiles, index(1), start);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    Value at = multiply(loop.getInductionVar(), 2 * tileWords);
    Value columns[2], rows[2];
    for (int64_t i : {0, 1}) {
      columns[i] =
          loadTile(columnPanels, add(add(columnsAt, at), i * tileWords));
      rows[i] = loadTile(rowPanel, add(at, i * tileWords));
    }
    SmallVector<Value> next;
    for (auto [i, acc] : llvm::enumerate(loop.getRegionIterArgs()))
      next.push_back(multiplyTiles(rows[i / 2], columns[i % 2], acc));
    scf::YieldOp::create(b, next);
    return loop.getResults();
  }

  // ---- dot products ----

  /// The dot products are of a factor without a sign by one with: what has both
  /// signs is 128 too large in the rows, and 128 of each column is taken off.
  bool isShifted() const {
    return plan.byDots && !plan.isUnsigned[0] && !plan.isUnsigned[1];
  }
  Value shift(int64_t lanes) {
    return arith::ConstantOp::create(
        b, DenseElementsAttr::get(VectorType::get({lanes}, b.getI32Type()),
                                  APInt(32, 0x80808080)));
  }

  /// Adds to each lane the products of the four bytes in the lanes of a row's
  /// and a column's words.
  Value addDot(Value sums, Value row, Value column) {
    auto type = cast<VectorType>(sums.getType());
    int64_t lanes = type.getNumElements();
    auto bytes = VectorType::get({4 * lanes}, b.getI8Type());
    Value factors[] = {vector::BitCastOp::create(b, bytes, row),
                       vector::BitCastOp::create(b, bytes, column)};
    if (plan.isUnsigned[plan.columnFactor])
      std::swap(factors[0], factors[1]);
    std::string name = "llvm.x86.avx512.vpdpbusd." + std::to_string(32 * lanes);
    return LLVM::CallIntrinsicOp::create(
               b, type, b.getStringAttr(name),
               ValueRange{sums, factors[0], factors[1]})
        .getResults();
  }

  /// As tiles do, strip by strip: a few rows of two vectors stay in registers.
  void addDots(Value columnsAt, Value tiles, Target to, bool fromZero) {
    int64_t lanes = machine.vectorBytes / 4;
    auto type = VectorType::get({lanes}, b.getI32Type());
    // The sums of the rows, two vectors of columns and what is taken off of
    // each, and a row's bytes.
    int64_t rows = std::clamp<int64_t>(
        llvm::bit_floor<uint64_t>((machine.vectorRegisters - 4) / 2), 1,
        tileRows);
    loop(index(0), index(panel), 2 * lanes, [&](Value column) {
      loop(index(0), index(panel), rows, [&](Value row) {
        SmallVector<Value> places, start;
        Value nothing = arith::ConstantOp::create(b, b.getZeroAttr(type));
        for (int64_t i = 0; i < 2 * rows; ++i) {
          Value at = weft::advance(b, add(to.base, column), add(row, i / 2),
                                   to.stride);
          places.push_back(add(at, i % 2 * lanes));
          start.push_back(fromZero ? nothing
                                   : load(to.row, lanes, places.back(), {}));
        }
        if (isShifted())
          start.append(2, nothing);
        SmallVector<Value> sums =
            sumStrip(columnsAt, tiles, column, row, rows, start);
        for (auto [i, place] : llvm::enumerate(places)) {
          Value value = sums[i];
          if (isShifted())
            value = arith::SubIOp::create(b, value, sums[2 * rows + i % 2]);
          vector::StoreOp::create(b, value, to.row, place);
        }
      });
    });
  }

  /// Sums up over all groups of steps in the panels.
  SmallVector<Value> sumStrip(Value columnsAt, Value tiles, Value column,
                              Value row, int64_t rows, ValueRange start) {
    auto type = cast<VectorType>(start.front().getType());
    int64_t lanes = type.getNumElements();
    auto groups = scf::ForOp::create(b, index(0), multiply(tiles, lineWords),
                                     index(1), start);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(groups.getBody());
    Value tile =
        arith::DivUIOp::create(b, groups.getInductionVar(), index(lineWords));
    Value line =
        arith::RemUIOp::create(b, groups.getInductionVar(), index(lineWords));
    Value at = multiply(tile, 2 * tileWords);
    SmallVector<Value> next(groups.getRegionIterArgs());
    Value columns[2];
    for (int64_t v : {0, 1}) {
      Value place = add(column, v * lanes);
      Value half = arith::DivUIOp::create(b, place, index(tileRows));
      Value rest = arith::RemUIOp::create(b, place, index(tileRows));
      Value from = add(add(columnsAt, at), multiply(half, tileWords));
      from = add(add(from, multiply(line, lineWords)), rest);
      columns[v] = load(columnPanels, lanes, from, {});
      if (Value &taken = next[2 * rows + v]; isShifted())
        taken = addDot(taken, shift(lanes), columns[v]);
    }
    for (int64_t i = 0; i < 2 * rows; ++i) {
      Value from = add(add(at, line), multiply(add(row, i / 2), lineWords));
      Value word = memref::LoadOp::create(b, rowPanel, from);
      Value words = vector::BroadcastOp::create(b, type, word);
      next[i] = addDot(next[i], words, columns[i % 2]);
    }
    scf::YieldOp::create(b, next);
    return groups.getResults();
  }

  // ---- sums ----

  /// Of a panel of rows and one of columns, the sums: what is there is added
  /// to.
  void emitSums(Value columnsAt, Value tiles, Value base, Value numRows,
                Value numColumns, Value isFirst) {
    auto throughScratch = [&] {
      addPanels(columnsAt, tiles, {sums, index(0), panel}, /*fromZero=*/true);
      storeSums(base, numRows, numColumns, isFirst);
    };
    auto inPlace = [&] {
      auto addTo = [&](bool fromZero) {
        addPanels(
            columnsAt, tiles,
            {operands.row(sum), base, plan.nest.stride(sum, plan.rowLoop)},
            fromZero);
      };
      if (fromZero)
        either(isFirst, [&] { addTo(true); }, [&] { addTo(false); });
      else
        addTo(false);
    };
    if (element != sumType)
      return throughScratch();
    // A block of its own has room for whole tiles.
    if (plan.ownSums)
      return inPlace();
    Value isWhole = arith::AndIOp::create(b, isAtLeast(numRows, panel),
                                          isAtLeast(numColumns, panel));
    either(isWhole, inPlace, throughScratch);
  }

  amx::TileType sumTile() const {
    return amx::TileType::get({tileRows, tileRows}, sumType);
  }
  SmallVector<Value> zeros() {
    SmallVector<Value> tiles;
    for (int64_t i = 0; i < 4; ++i)
      tiles.push_back(amx::TileZeroOp::create(b, sumTile()));
    return tiles;
  }
  /// Where the four tiles of sums begin.
  Value placeOf(Value base, int64_t number, int64_t stride) {
    return add(base, (number / 2 * stride + number % 2) * tileRows);
  }
  SmallVector<Value> loadTiles(Value row, Value base, int64_t stride) {
    SmallVector<Value> tiles;
    for (int64_t i = 0; i < 4; ++i)
      tiles.push_back(amx::TileLoadOp::create(
          b, sumTile(), row, ValueRange{placeOf(base, i, stride)},
          index(stride)));
    return tiles;
  }
  void storeTiles(ArrayRef<Value> tiles, Value row, Value base,
                  int64_t stride) {
    for (auto [i, tile] : llvm::enumerate(tiles))
      amx::TileStoreOp::create(b, row, ValueRange{placeOf(base, i, stride)},
                               tile, index(stride));
  }

  /// Writes what is in `sums`, or adds it to what is there.
  void storeSums(Value base, Value numRows, Value numColumns, Value isFirst) {
    Value masks[2];
    for (int64_t half : {0, 1})
      masks[half] =
          maskOf(subtract(numColumns, index(half * tileRows)), tileRows);
    auto store = [&](bool adds) {
      loop(index(0), least(numRows, index(panel)), 1, [&](Value row) {
        Value at =
            weft::advance(b, base, row, plan.nest.stride(sum, plan.rowLoop));
        for (int64_t half : {0, 1}) {
          Value from = add(multiply(row, panel), half * tileRows);
          Value to = add(at, half * tileRows);
          Value value = narrowed(load(sums, tileRows, from, {}));
          if (adds)
            value = addUp(load(operands.row(sum), tileRows, to, masks[half]),
                          value);
          vector::MaskedStoreOp::create(b, operands.row(sum), to, masks[half],
                                        value);
        }
      });
    };
    if (fromZero)
      either(isFirst, [&] { store(false); }, [&] { store(true); });
    else
      store(true);
  }

  Value narrowed(Value value) {
    if (element == sumType)
      return value;
    return arith::TruncIOp::create(b, VectorType::get({tileRows}, element),
                                   value);
  }
  Value addUp(Value x, Value y) {
    if (isa<IntegerType>(element))
      return arith::AddIOp::create(b, x, y);
    return arith::AddFOp::create(b, x, y);
  }

  void emitEpilogue(ArrayRef<Value> bases, Bounds rows, Bounds columns) {
    loop(rows.first, rows.last, 1, [&](Value row) {
      SmallVector<Value> at = operands.moved(bases, row, plan.rowLoop);
      loop(columns.first, columns.last, 1, [&](Value column) {
        operands.change(operands.moved(at, column, plan.columnLoop));
      });
    });
  }

  linalg::GenericOp op, epilogue;
  const TilePlan &plan;
  const Machine &machine;
  bool fromZero;
  ImplicitLocOpBuilder b;
  /// The elements of the factors, of the result, and of tiles of sums.
  Type factor, element, sumType;
  VectorType line;
  weft::SumOperands operands;
  int64_t mostTiles = 0;
  /// What is packed, in numbers of 32 bits, and two by two tiles of sums.
  Value rowPanel, columnPanels, sums;
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
          Emitter(sum, epilogue, plan, machine, static_cast<bool>(fill)).emit();
        });
  }
};

} // namespace
