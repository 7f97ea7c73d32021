// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Sums of products in tiles. Both factors' tiles pass by in shared memory,
// some of them on their way while others are multiplied.

#include "lowering/gpu/ProductOperands.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using weft::FactorTile;
using weft::KernelBuilder;
using weft::LoopGroup;
using weft::ProductKernel;
using weft::ProductOperands;
using weft::ProductPlan;
using weft::SumGrid;

namespace {

using Values = SmallVector<Value>;

//===----------------------------------------------------------------------===//
// Factors
//===----------------------------------------------------------------------===//

/// Brings the tiles of one factor to shared memory.
class Loader {
public:
  Loader(KernelBuilder &k, ProductOperands &operands, const ProductPlan &plan,
         const FactorTile &tile, Value thread, Value firstLine)
      : k(k), operands(operands), plan(plan), tile(tile) {
    const LoopGroup &group =
        tile.operand == plan.rowFactor ? plan.rows : plan.columns;
    int64_t pieces = tile.lines * tile.steps / tile.vector;
    int64_t perLine = (tile.alongSum ? tile.steps : tile.lines) / tile.vector;
    int64_t threads = plan.threads();
    for (int64_t first = 0; first < pieces; first += threads) {
      Piece piece;
      auto [outer, inner] = split(thread, first, perLine);
      inner = k.multiply(inner, tile.vector);
      piece.line = tile.alongSum ? outer : inner;
      piece.step = tile.alongSum ? inner : outer;
      if (first + threads > pieces)
        piece.exists = k.isLess(thread, pieces - first);
      Value line = k.add(firstLine, piece.line);
      // Rows beyond the last are whatever is there: they are not stored.
      if (group.extent % tile.lines != 0 || piece.exists)
        line = k.least(line, group.extent - (tile.alongSum ? 1 : tile.vector));
      piece.offset = operands.offset(tile.operand, group, line);
      piece.place = place(piece.line, piece.step);
      this->pieces.push_back(piece);
    }
  }

  /// What stands for what is not read.
  Values nothing() const {
    Type type = operands.element(tile.operand);
    if (tile.vector > 1)
      type = VectorType::get({tile.vector}, type);
    return Values(pieces.size(), k.zero(type));
  }

  /// Reads a thread's part of the tile whose first step is given.
  Values read(Value firstStep) {
    Values result;
    for (const Piece &piece : pieces) {
      auto [pointer, exists] = source(piece, firstStep);
      Type type = operands.element(tile.operand);
      Value value = k.load(pointer, type, tile.vector);
      if (exists)
        value = k.select(exists, value, k.zero(value.getType()));
      result.push_back(value);
    }
    return result;
  }

  /// Stores what was read.
  void write(ArrayRef<Value> values, Value memory) {
    for (auto [piece, value] : llvm::zip_equal(pieces, values))
      k.onlyIf(piece.exists, [&, &piece = piece, value = value] {
        writePiece(piece, value, memory);
      });
  }

private:
  /// So many elements that a thread moves at once.
  struct Piece {
    Value line, step, offset, place, exists;
  };

  /// Number `first + thread` of pieces, in lines of `perLine`.
  std::pair<Value, Value> split(Value thread, int64_t first, int64_t perLine) {
    if (first % perLine == 0)
      return {k.add(k.divide(thread, perLine), first / perLine),
              k.remainder(thread, perLine)};
    Value number = k.add(thread, first);
    return {k.divide(number, perLine), k.remainder(number, perLine)};
  }

  std::pair<Value, Value> source(const Piece &piece, Value firstStep) {
    Value step = k.add(firstStep, piece.step), exists;
    if (plan.sumIsRagged()) {
      exists = k.isLess(step, plan.summed.extent);
      step =
          k.least(step, plan.summed.extent - (tile.alongSum ? tile.vector : 1));
    }
    Value offset =
        k.add(piece.offset, operands.offset(tile.operand, plan.summed, step));
    return {k.at(operands.pointer(tile.operand), operands.element(tile.operand),
                 offset),
            exists};
  }

  /// Elements of a step follow one another.
  Value place(Value line, Value step) {
    int64_t pitch = plan.tileBytes(tile) / plan.storedBytes() / tile.steps;
    return k.add(k.multiply(step, pitch), line);
  }

  void writePiece(const Piece &piece, Value value, Value memory) {
    Values elements = llvm::map_to_vector(k.unpack(value), [&](Value element) {
      return operands.convert(tile.operand, element);
    });
    Value begin = k.at(memory, plan.compute, piece.place);
    int64_t pitch = plan.tileBytes(tile) / plan.storedBytes() / tile.steps;
    if (tile.alongSum) {
      for (auto [step, element] : llvm::enumerate(elements))
        k.store(element, k.at(begin, plan.compute, step * pitch));
      return;
    }
    int64_t width = std::min<int64_t>(elements.size(), 16 / plan.storedBytes());
    for (int64_t i = 0; i < static_cast<int64_t>(elements.size()); i += width)
      k.store(k.pack(ArrayRef<Value>(elements).slice(i, width)),
              k.at(begin, plan.compute, i));
  }

  KernelBuilder &k;
  ProductOperands &operands;
  const ProductPlan &plan;
  const FactorTile &tile;
  SmallVector<Piece> pieces;
};

//===----------------------------------------------------------------------===//
// Sums in threads
//===----------------------------------------------------------------------===//

/// The sums of a thread, in pieces of 16 bytes of a row. A warp has four by
/// eight threads, whose pieces alternate, so that what they read at once lies
/// in different banks.
class ThreadSums {
public:
  ThreadSums(KernelBuilder &k, const ProductPlan &plan, Value thread)
      : k(k), plan(plan), width(16 / plan.storedBytes()) {
    Value warp = k.divide(thread, 32), lane = k.remainder(thread, 32);
    Value column = k.remainder(warp, plan.warpColumns);
    warp = k.divide(warp, plan.warpColumns);
    Value row = k.remainder(warp, plan.warpRows);
    step = k.multiply(k.divide(warp, plan.warpRows),
                      plan.tileSteps / plan.warpSteps);
    firstRow = k.add(k.multiply(row, 4 * plan.threadRows),
                     k.multiply(k.divide(lane, 8), width));
    firstColumn = k.add(k.multiply(column, 8 * plan.threadColumns),
                        k.multiply(k.remainder(lane, 8), width));
  }

  Values zeros() {
    return Values(plan.threadRows * plan.threadColumns, k.zero(plan.compute));
  }

  Values multiply(Value rows, Value columns, Values sums) {
    const FactorTile &rowTile = plan.factors[plan.rowFactor];
    const FactorTile &columnTile = plan.factors[plan.columnFactor];
    rows = begin(rows, rowTile, firstRow);
    columns = begin(columns, columnTile, firstColumn);
    for (int64_t s = 0; s < plan.tileSteps / plan.warpSteps; ++s) {
      Values x = load(rows, rowTile, s, plan.threadRows, 4);
      Values y = load(columns, columnTile, s, plan.threadColumns, 8);
      for (int64_t i = 0; i < plan.threadRows; ++i)
        for (int64_t j = 0; j < plan.threadColumns; ++j) {
          Value &sum = sums[i * plan.threadColumns + j];
          sum = k.multiplyAdd(x[i], y[j], sum);
        }
    }
    return sums;
  }

  SumGrid grid(Value tileRow, Value tileColumn, ArrayRef<Value> sums) {
    SumGrid grid{{}, {}, width, Values(sums)};
    for (int64_t i = 0; i < plan.threadRows; ++i)
      grid.rows.push_back(
          k.add(k.add(tileRow, firstRow), i / width * 4 * width + i % width));
    for (int64_t j = 0; j < plan.threadColumns; j += width)
      grid.columns.push_back(k.add(k.add(tileColumn, firstColumn), j * 8));
    return grid;
  }

private:
  int64_t pitch(const FactorTile &tile) {
    return plan.tileBytes(tile) / plan.storedBytes() / tile.steps;
  }
  Value begin(Value memory, const FactorTile &tile, Value line) {
    return k.at(memory, plan.compute,
                k.add(k.multiply(step, pitch(tile)), line));
  }
  Values load(Value memory, const FactorTile &tile, int64_t s, int64_t count,
              int64_t apart) {
    Values result;
    for (int64_t i = 0; i < count; i += width)
      result.append(k.unpack(
          k.load(k.at(memory, plan.compute, s * pitch(tile) + i * apart),
                 plan.compute, width)));
    return result;
  }

  KernelBuilder &k;
  const ProductPlan &plan;
  int64_t width;
  Value firstRow, firstColumn, step;
};

//===----------------------------------------------------------------------===//
// A block
//===----------------------------------------------------------------------===//

class Emitter {
public:
  Emitter(const ProductKernel &kernel, const ProductPlan &plan)
      : kernel(kernel), plan(plan), k(kernel.func, kernel.last(), plan.isWide),
        operands(k, kernel, plan) {}

  void emit() {
    kernel.setLaunch(plan.blocks(), plan.threads());
    thread = k.thread();
    placeBlock();
    memory = k.shared(std::max(plan.stages * plan.stageBytes(),
                               plan.warpSteps > 1 ? reductionBytes() : 0));
    ThreadSums sums(k, plan, thread);
    Values values = sumUp(sums);
    Value isFirst;
    if (plan.warpSteps > 1) {
      values = reduce(values);
      isFirst = k.isLess(thread, plan.threads() / plan.warpSteps);
    }
    k.onlyIf(isFirst,
             [&] { operands.store(sums.grid(tileRow, tileColumn, values)); });
  }

private:
  /// Blocks that run at once are near one another, so that what one reads
  /// another finds in the cache.
  void placeBlock() {
    int64_t rows = plan.rowTiles(), columns = plan.columnTiles();
    Value number = k.block();
    Value within = k.remainder(number, rows * columns);
    if (plan.batch.extent > 1)
      operands.enterBatch(k.divide(number, rows * columns));
    int64_t band = 1;
    for (int64_t size : {8, 7, 6, 5, 4, 3, 2})
      if (rows % size == 0) {
        band = size;
        break;
      }
    Value inBand = k.remainder(within, band * columns);
    Value row = k.add(k.multiply(k.divide(within, band * columns), band),
                      k.remainder(inBand, band));
    tileRow = k.multiply(row, plan.tileRows);
    tileColumn = k.multiply(k.divide(inBand, band), plan.tileColumns);
  }

  /// Where a factor's tile of a stage is.
  Value tileAt(Value stage, unsigned operand) {
    Value begin =
        k.at(memory, k.b.getI8Type(), k.multiply(stage, plan.stageBytes()));
    return operand == 0
               ? begin
               : k.at(begin, k.b.getI8Type(), plan.tileBytes(plan.factors[0]));
  }

  Values sumUp(ThreadSums &sums) {
    auto lineOf = [&](unsigned operand) {
      return operand == plan.rowFactor ? tileRow : tileColumn;
    };
    SmallVector<Loader, 2> loaders;
    for (unsigned operand : {0, 1})
      loaders.emplace_back(k, operands, plan, plan.factors[operand], thread,
                           lineOf(operand));
    for (unsigned operand : {0, 1})
      loaders[operand].write(loaders[operand].read(k.number(0)),
                             tileAt(k.number(0), operand));
    Values nothing = loaders[0].nothing();
    int64_t parted = nothing.size();
    nothing.append(loaders[1].nothing());
    int64_t count = plan.sumTiles();
    return k.loop(count, sums.zeros(), [&](Value number, ArrayRef<Value> acc) {
      Value next = k.add(number, 1);
      Value stage = k.remainder(number, plan.stages);
      Value nextStage = k.remainder(next, plan.stages);
      k.barrier();
      Value hasNext = k.isLess(next, count);
      Values read = k.onlyIf(hasNext, nothing, [&] {
        Value step = k.multiply(next, plan.tileSteps);
        Values values = loaders[0].read(step);
        values.append(loaders[1].read(step));
        return values;
      });
      Values result =
          sums.multiply(tileAt(stage, plan.rowFactor),
                        tileAt(stage, plan.columnFactor), Values(acc));
      k.onlyIf(hasNext, [&] {
        ArrayRef<Value> values(read);
        loaders[0].write(values.take_front(parted), tileAt(nextStage, 0));
        loaders[1].write(values.drop_front(parted), tileAt(nextStage, 1));
      });
      return result;
    });
  }

  int64_t sumsOfThread() const { return plan.threadRows * plan.threadColumns; }
  int64_t reductionBytes() const {
    return sumsOfThread() * plan.storedBytes() * plan.threads() /
           plan.warpSteps;
  }

  /// Adds up what the warps have that share a tile, one after the other.
  Values reduce(Values sums) {
    int64_t threads = plan.threads() / plan.warpSteps;
    Value part = k.divide(thread, threads);
    Value own = k.at(memory, plan.compute, k.remainder(thread, threads));
    for (int64_t step = 1; step < plan.warpSteps; ++step) {
      k.barrier();
      k.onlyIf(k.isEqual(part, step), [&] {
        for (auto [i, sum] : llvm::enumerate(sums))
          k.store(sum, k.at(own, plan.compute, i * threads));
      });
      k.barrier();
      sums = k.onlyIf(k.isEqual(part, 0), sums, [&] {
        Values all;
        for (auto [i, sum] : llvm::enumerate(sums))
          all.push_back(k.sum(
              sum, k.load(k.at(own, plan.compute, i * threads), plan.compute)));
        return all;
      });
    }
    return sums;
  }

  const ProductKernel &kernel;
  const ProductPlan &plan;
  KernelBuilder k;
  ProductOperands operands;
  Value thread, memory, tileRow, tileColumn;
};

} // namespace

void weft::emitTiledProduct(const ProductKernel &kernel,
                            const ProductPlan &plan) {
  Emitter(kernel, plan).emit();
  kernel.erase();
}
