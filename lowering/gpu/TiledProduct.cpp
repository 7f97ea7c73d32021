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

/// Where an element of a tile is in shared memory. Swizzled rows of matrices
/// are in pieces of 16 bytes, in another order in each of eight rows: those
/// that a warp reads at once, a piece of each row, are in different banks.
Value placeInTile(KernelBuilder &k, const ProductPlan &plan,
                  const FactorTile &tile, Value line, Value step) {
  Value row = tile.stepsAdjoin ? line : step;
  Value column = tile.stepsAdjoin ? step : line;
  Value begin = k.multiply(row, plan.pitch(tile));
  if (!plan.isSwizzled(tile))
    return k.add(begin, column);
  int64_t piece = 16 / plan.storedBytes();
  int64_t pieces = plan.rowOf(tile) / piece;
  Value order = k.remainder(k.divide(row, std::max<int64_t>(8 / pieces, 1)),
                            std::min<int64_t>(pieces, 8));
  Value number = k.exclusiveOr(k.divide(column, piece), order);
  return k.add(k.add(begin, k.multiply(number, piece)),
               k.remainder(column, piece));
}

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
      piece.place = placeInTile(k, plan, tile, piece.line, piece.step);
      this->pieces.push_back(piece);
    }
  }

  /// What stands for what is not read.
  Values nothing() const {
    Type type = operands.element(tile.operand);
    if (tile.vector > 1)
      type = VectorType::get({tile.vector}, type);
    return Values(tile.isAsync ? 0 : pieces.size(), k.zero(type));
  }

  /// Reads a thread's part of the tile whose first step is given; what needs no
  /// registers is on its way to memory then.
  Values read(Value firstStep, Value memory) {
    Values result;
    if (tile.isAsync) {
      for (const Piece &piece : pieces)
        k.onlyIf(piece.exists, [&] {
          auto [pointer, exists] = source(piece, firstStep);
          k.copyAsync(k.at(memory, plan.stored, piece.place), pointer,
                      tile.vector * plan.storedBytes(), exists);
        });
      return result;
    }
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
    if (tile.isAsync)
      return;
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
    if (plan.sumIsRagged())
      exists = k.isLess(step, plan.summed.extent);
    // A thread that has no piece reads one there is.
    if (plan.sumIsRagged() || piece.exists)
      step =
          k.least(step, plan.summed.extent - (tile.alongSum ? tile.vector : 1));
    Value offset =
        k.add(piece.offset, operands.offset(tile.operand, plan.summed, step));
    return {k.at(operands.pointer(tile.operand), operands.element(tile.operand),
                 offset),
            exists};
  }

  void writePiece(const Piece &piece, Value value, Value memory) {
    Values elements = k.unpack(value);
    if (plan.convertsEarly())
      for (Value &element : elements)
        element = operands.convert(tile.operand, element);
    if (tile.alongSum != tile.stepsAdjoin) {
      for (auto [i, element] : llvm::enumerate(elements)) {
        Value line = tile.alongSum ? piece.line : k.add(piece.line, i);
        Value step = tile.alongSum ? k.add(piece.step, i) : piece.step;
        k.store(element, k.at(memory, plan.stored,
                              placeInTile(k, plan, tile, line, step)));
      }
      return;
    }
    Value begin = k.at(memory, plan.stored, piece.place);
    int64_t width = std::min<int64_t>(elements.size(), 16 / plan.storedBytes());
    for (int64_t i = 0; i < static_cast<int64_t>(elements.size()); i += width)
      k.store(k.pack(ArrayRef<Value>(elements).slice(i, width)),
              k.at(begin, plan.stored, i));
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
  Value begin(Value memory, const FactorTile &tile, Value line) {
    return k.at(memory, plan.compute,
                k.add(k.multiply(step, plan.pitch(tile)), line));
  }
  Values load(Value memory, const FactorTile &tile, int64_t s, int64_t count,
              int64_t apart) {
    Values result;
    for (int64_t i = 0; i < count; i += width)
      result.append(k.unpack(
          k.load(k.at(memory, plan.compute, s * plan.pitch(tile) + i * apart),
                 plan.compute, width)));
    return result;
  }

  KernelBuilder &k;
  const ProductPlan &plan;
  int64_t width;
  Value firstRow, firstColumn, step;
};

//===----------------------------------------------------------------------===//
// Sums in warps
//===----------------------------------------------------------------------===//

/// The sums of a warp, in matrices of 16 by 8, of which a lane has two
/// neighbours in each of two rows. See the PTX ISA, "Matrix fragments for
/// mma.m16n8k16".
class MatrixSums {
public:
  MatrixSums(KernelBuilder &k, const ProductPlan &plan, Value thread)
      : k(k), plan(plan), rowCount(plan.tileRows / plan.warpRows / 16),
        columnCount(plan.tileColumns / plan.warpColumns / 8),
        depth(32 / plan.storedBytes()),
        types{typeOf(plan.matrices[plan.rowFactor]),
              typeOf(plan.matrices[plan.columnFactor])} {
    Value warp = k.divide(thread, 32);
    lane = k.remainder(thread, 32);
    Value column = k.remainder(warp, plan.warpColumns);
    warp = k.divide(warp, plan.warpColumns);
    firstStep = k.multiply(k.divide(warp, plan.warpRows),
                           plan.tileSteps / plan.warpSteps);
    firstRow = k.multiply(k.remainder(warp, plan.warpRows), rowCount * 16);
    firstColumn = k.multiply(column, columnCount * 8);
  }

  Values zeros() {
    return Values(rowCount * columnCount * 4, k.zero(plan.compute));
  }

  Values multiply(Value rows, Value columns, Values sums) {
    for (int64_t s = 0; s < plan.tileSteps / plan.warpSteps; s += depth) {
      SmallVector<Values> x, y;
      for (int64_t i = 0; i < rowCount; ++i)
        x.push_back(loadRows(rows, i * 16, s));
      for (int64_t j = 0; j < columnCount; j += 2) {
        Values both = loadColumns(columns, j * 8, s);
        size_t each = both.size() / 2;
        y.emplace_back(ArrayRef<Value>(both).take_front(each));
        y.emplace_back(ArrayRef<Value>(both).drop_front(each));
      }
      for (int64_t i = 0; i < rowCount; ++i)
        for (int64_t j = 0; j < columnCount; ++j)
          multiplyAdd(
              x[i], y[j],
              MutableArrayRef<Value>(sums).slice((i * columnCount + j) * 4, 4));
    }
    return sums;
  }

  SumGrid grid(Value tileRow, Value tileColumn, ArrayRef<Value> sums) {
    SumGrid grid{{}, {}, 2, {}};
    Value row = k.add(k.add(tileRow, firstRow), k.divide(lane, 4));
    Value column = k.add(k.add(tileColumn, firstColumn),
                         k.multiply(k.remainder(lane, 4), 2));
    for (int64_t i = 0; i < 2 * rowCount; ++i) {
      grid.rows.push_back(k.add(row, i * 8));
      for (int64_t j = 0; j < columnCount; ++j)
        llvm::append_range(
            grid.sums,
            sums.slice((i / 2 * columnCount + j) * 4 + i % 2 * 2, 2));
    }
    for (int64_t j = 0; j < columnCount; ++j)
      grid.columns.push_back(k.add(column, j * 8));
    return grid;
  }

private:
  static NVVM::MMATypes typeOf(weft::MatrixElement element) {
    switch (element) {
    case weft::MatrixElement::f16:
      return NVVM::MMATypes::f16;
    case weft::MatrixElement::bf16:
      return NVVM::MMATypes::bf16;
    case weft::MatrixElement::tf32:
      return NVVM::MMATypes::tf32;
    case weft::MatrixElement::f64:
      return NVVM::MMATypes::f64;
    case weft::MatrixElement::u8:
      return NVVM::MMATypes::u8;
    default:
      return NVVM::MMATypes::s8;
    }
  }

  /// Four matrices: the lower and upper half of 16 rows' first steps, then of
  /// the others.
  Values loadRows(Value memory, int64_t row, int64_t s) {
    const FactorTile &tile = plan.factors[plan.rowFactor];
    if (isDouble())
      return loadElements(memory, tile, firstRow, row, s, {0, 8}, {0, 0});
    if (!plan.isSwizzled(tile))
      return loadElements(memory, tile, firstRow, row, s, {0, 8, 0, 8},
                          {0, 0, 4, 4});
    return loadMatrices(memory, tile, firstRow, row, s, k.remainder(lane, 16),
                        k.divide(lane, 16));
  }

  /// Four matrices: the first and the other steps of eight columns, then of the
  /// next eight.
  Values loadColumns(Value memory, int64_t column, int64_t s) {
    const FactorTile &tile = plan.factors[plan.columnFactor];
    if (isDouble())
      return loadElements(memory, tile, firstColumn, column, s, {0, 8}, {0, 0});
    if (!plan.isSwizzled(tile))
      return loadElements(memory, tile, firstColumn, column, s, {0, 0, 8, 8},
                          {0, 4, 0, 4});
    return loadMatrices(
        memory, tile, firstColumn, column, s,
        k.add(k.multiply(k.divide(lane, 16), 8), k.remainder(lane, 8)),
        k.remainder(k.divide(lane, 8), 2));
  }

  bool isDouble() const { return types[0] == NVVM::MMATypes::f64; }

  /// What `ldmatrix` cannot transpose, of 32 bits, or cannot load, of 64: of
  /// each matrix the element in the lane's line and step.
  Values loadElements(Value memory, const FactorTile &tile, Value first,
                      int64_t line, int64_t s, ArrayRef<int64_t> lines,
                      ArrayRef<int64_t> steps) {
    Value begin =
        k.at(memory, plan.stored,
             placeInTile(k, plan, tile, k.add(first, k.divide(lane, 4)),
                         k.add(firstStep, k.remainder(lane, 4))));
    int64_t perLine = tile.stepsAdjoin ? plan.pitch(tile) : 1;
    int64_t perStep = tile.stepsAdjoin ? 1 : plan.pitch(tile);
    Values result;
    for (auto [ofLine, ofStep] : llvm::zip_equal(lines, steps)) {
      int64_t place = (line + ofLine) * perLine + (s + ofStep) * perStep;
      Value element = k.load(k.at(begin, plan.stored, place), plan.stored);
      result.push_back(isDouble() ? element : rounded(element));
    }
    return result;
  }

  /// To the nearest, ties away from zero: by itself the product would cut bits
  /// off.
  Value rounded(Value element) {
    return NVVM::ConvertFloatToTF32Op::create(
        k.b, k.b.getI32Type(), element, NVVM::FPRoundingMode::RNA,
        NVVM::SaturationMode::NONE, /*relu=*/false);
  }

  /// Loads 16 lines by `depth` steps. The lane gives the address of one row of
  /// eight of one of the four matrices: `line` of 16, and of the steps the
  /// lower or upper `half`.
  Values loadMatrices(Value memory, const FactorTile &tile, Value first,
                      int64_t line16, int64_t s, Value line, Value half) {
    Type word = k.b.getI32Type();
    auto type = LLVM::LLVMStructType::getLiteral(k.b.getContext(),
                                                 SmallVector<Type>(4, word));
    Value pointer;
    if (tile.stepsAdjoin) {
      Value column = k.multiply(half, depth / 2);
      pointer = k.at(memory, plan.stored,
                     placeInTile(k, plan, tile, k.add(first, line),
                                 k.add(k.add(firstStep, s), column)));
      pointer = k.at(pointer, plan.stored, line16 * plan.pitch(tile));
    } else {
      // Rows of steps: eight of them, of eight lines.
      Value step =
          k.add(firstStep, k.add(k.multiply(half, 8), k.remainder(line, 8)));
      Value column =
          k.add(k.add(first, line16), k.multiply(k.divide(line, 8), 8));
      pointer =
          k.at(memory, plan.stored, placeInTile(k, plan, tile, column, step));
      pointer = k.at(pointer, plan.stored, s * plan.pitch(tile));
    }
    Value matrices = NVVM::LdMatrixOp::create(
        k.b, type, pointer, 4,
        tile.stepsAdjoin ? NVVM::MMALayout::row : NVVM::MMALayout::col,
        NVVM::LdStMatrixShapeAttr::get(k.b.getContext(), 8, 8),
        NVVM::LdStMatrixEltType::B16);
    Values result;
    for (int64_t i = 0; i < 4; ++i) {
      Value row = LLVM::ExtractValueOp::create(k.b, matrices, i);
      if (types[0] == NVVM::MMATypes::tf32)
        row = rounded(LLVM::BitcastOp::create(k.b, plan.stored, row));
      result.push_back(row);
    }
    return result;
  }

  /// Of doubles the instruction has eight rows, of all others 16.
  void multiplyAdd(ArrayRef<Value> x, ArrayRef<Value> y,
                   MutableArrayRef<Value> sums) {
    if (!isDouble())
      return multiplyAdd(x, y, sums, 16);
    for (int64_t half : {0, 1})
      multiplyAdd(x.slice(half, 1), y, sums.slice(2 * half, 2), 8);
  }

  void multiplyAdd(ArrayRef<Value> x, ArrayRef<Value> y,
                   MutableArrayRef<Value> sums, int64_t rows) {
    auto pairs = [&](ArrayRef<Value> words) {
      Values result(words);
      if (types[0] == NVVM::MMATypes::f16)
        for (Value &value : result)
          value = LLVM::BitcastOp::create(
              k.b, VectorType::get({2}, k.b.getF16Type()), value);
      return result;
    };
    auto type = LLVM::LLVMStructType::getLiteral(
        k.b.getContext(), SmallVector<Type>(sums.size(), plan.compute));
    bool isInteger = isa<IntegerType>(plan.compute);
    Value result = NVVM::MmaOp::create(
        k.b, type, pairs(x), pairs(y), sums, ArrayRef<int64_t>{rows, 8, depth},
        std::nullopt,
        isInteger ? std::optional(NVVM::MMAIntOverflow::wrapped) : std::nullopt,
        types, std::array{NVVM::MMALayout::row, NVVM::MMALayout::col});
    for (auto [i, sum] : llvm::enumerate(sums))
      sum = LLVM::ExtractValueOp::create(k.b, result, i);
  }

  KernelBuilder &k;
  const ProductPlan &plan;
  /// Matrices of the warp, and the steps of one.
  int64_t rowCount, columnCount, depth;
  std::array<NVVM::MMATypes, 2> types;
  Value lane, firstRow, firstColumn, firstStep;
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
    weft::stateSize(kernel.func, plan.blocks(), plan.threads());
    if (plan.kind == ProductPlan::Kind::Threads)
      limitRegisters();
    thread = k.thread();
    placeBlock();
    memory = k.shared(std::max(plan.stages * plan.stageBytes(),
                               plan.warpSteps > 1 ? reductionBytes() : 0));
    if (plan.kind == ProductPlan::Kind::Threads)
      emitTile(ThreadSums(k, plan, thread));
    else
      emitTile(MatrixSums(k, plan, thread));
  }

private:
  /// While one block waits for its tiles, another is to have its registers.
  void limitRegisters() {
    int64_t threads = plan.threads() <= 128 ? 384 : 512;
    gpu::GPUFuncOp func = kernel.func;
    func->setAttr(NVVM::NVVMDialect::getMinctasmAttrName(),
                  k.b.getI32IntegerAttr(threads / plan.threads()));
  }

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

  template <typename Sums> void emitTile(Sums sums) {
    Values values = sumUp(sums);
    Value isFirst;
    if (plan.warpSteps > 1) {
      values = reduce(values);
      isFirst = k.isLess(thread, plan.threads() / plan.warpSteps);
    }
    k.onlyIf(isFirst,
             [&] { operands.store(sums.grid(tileRow, tileColumn, values)); });
  }

  /// So many tiles are on their way.
  int64_t ahead() const { return plan.stages - 1; }

  template <typename Sums> Values sumUp(Sums &sums) {
    auto lineOf = [&](unsigned operand) {
      return operand == plan.rowFactor ? tileRow : tileColumn;
    };
    SmallVector<Loader, 2> loaders;
    for (unsigned operand : {0, 1})
      loaders.emplace_back(k, operands, plan, plan.factors[operand], thread,
                           lineOf(operand));
    Values nothing = loaders[0].nothing();
    int64_t parted = nothing.size();
    nothing.append(loaders[1].nothing());
    auto read = [&](Value number, Value stage) {
      Value step = k.multiply(number, plan.tileSteps);
      Values values = loaders[0].read(step, tileAt(stage, 0));
      values.append(loaders[1].read(step, tileAt(stage, 1)));
      return values;
    };
    auto write = [&](ArrayRef<Value> values, Value stage) {
      loaders[0].write(values.take_front(parted), tileAt(stage, 0));
      loaders[1].write(values.drop_front(parted), tileAt(stage, 1));
    };
    bool isAsync = plan.factors[0].isAsync || plan.factors[1].isAsync;
    int64_t count = plan.sumTiles();
    for (int64_t number = 0; number < ahead(); ++number) {
      if (number < count)
        write(read(k.number(number), k.number(number)), k.number(number));
      if (isAsync)
        k.commitCopies();
    }
    return k.loop(count, sums.zeros(), [&](Value number, ArrayRef<Value> acc) {
      Value next = k.add(number, ahead());
      Value stage = k.remainder(number, plan.stages);
      Value nextStage = k.remainder(next, plan.stages);
      if (isAsync)
        k.awaitCopies(ahead() - 1);
      // What was read of the stage that is written next has been multiplied.
      k.barrier();
      Value hasNext = k.isLess(next, count);
      Values values =
          k.onlyIf(hasNext, nothing, [&] { return read(next, nextStage); });
      if (isAsync)
        k.commitCopies();
      Values result =
          sums.multiply(tileAt(stage, plan.rowFactor),
                        tileAt(stage, plan.columnFactor), Values(acc));
      if (!values.empty())
        k.onlyIf(hasNext, [&] { write(values, nextStage); });
      return result;
    });
  }

  int64_t reductionBytes() const {
    return plan.sumsOfThread() * plan.computeBytes() * plan.threads() /
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
