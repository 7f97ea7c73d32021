// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft-lower-contractions: a sum of products -> loops over tiles of the result
// that are kept in vector registers. See Goto and van de Geijn, "Anatomy of
// High-Performance Matrix Multiplication", ACM TOMS 34(3), 2008.

#include "lowering/OptimizationLevel.h"
#include "lowering/Passes.h"
#include "lowering/cpu/LoopHints.h"
#include "lowering/cpu/SumOperands.h"
#include "lowering/cpu/TurnedSquares.h"
#include "lowering/fusion/ContractionPlan.h"
#include "lowering/fusion/Lanes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Matchers.h"

namespace weft {
#define GEN_PASS_DEF_LOWERCONTRACTIONS
#include "lowering/Passes.h.inc"
} // namespace weft

using namespace mlir;
using weft::ContractionPlan;
using weft::Machine;
using weft::MultiplyAdd;

namespace {

constexpr unsigned sum = ContractionPlan::sum;
/// Products that take as long as one simple operation does, or less, and those
/// of which memory is the bound.
constexpr double productsAtOnce = 4, productsFromMemory = 1;
/// Elements that are used less often are read from memory for longer than they
/// are multiplied.
constexpr double leastUses = 4;
/// Ops of an epilogue that are written out for each vector of a tile.
constexpr int64_t mostChanges = 8;

class Emitter {
public:
  Emitter(linalg::GenericOp op, linalg::GenericOp epilogue,
          const ContractionPlan &plan, const MultiplyAdd &body,
          const Machine &machine, bool fromZero)
      : op(op), epilogue(epilogue), plan(plan), body(body), machine(machine),
        fromZero(fromZero), b(op.getLoc(), op),
        element(getElementTypeOrSelf(op.getDpsInits()[0].getType())) {}

  void emit() {
    zero = index(0);
    one = index(1);
    operands.emplace(b, op, epilogue, plan.nest, plan.ownSums, plan.copied,
                     plan.copies());
    int64_t rowBlocks = llvm::divideCeil(plan.rowExtent(), plan.rowBlock);
    int64_t laneBlocks = llvm::divideCeil(plan.laneExtent(), plan.laneBlock);
    auto block = operands->forBlocks(plan.outer, rowBlocks, laneBlocks,
                                     plan.productsPerElement() < leastUses
                                         ? productsFromMemory
                                         : productsAtOnce,
                                     machine, plan.lanesFirst());
    operands->beginBlock(
        block.bases, arith::MulIOp::create(b, block.row, index(plan.rowBlock)),
        plan.rowLoop,
        arith::MulIOp::create(b, block.column, index(plan.laneBlock)),
        plan.laneLoop);
    changesTiles = mayChangeTiles();
    emitBlock(block.bases, block.row, rowBlocks, block.column, laneBlocks);
    if (epilogue && !changesTiles)
      emitEpilogue(block.bases, block.row, block.column);
    op.erase();
  }

private:
  // ---- numbers ----

  Value index(int64_t value) {
    return arith::ConstantIndexOp::create(b, value);
  }
  Value advance(Value base, Value steps, int64_t stride) {
    return weft::advance(b, base, steps, stride);
  }
  Value advance(Value base, int64_t by) {
    return by == 0 ? base
                   : arith::AddIOp::create(b, base, index(by)).getResult();
  }

  // ---- memory ----

  /// The mask of the last register of an edge, or null for a whole one.
  Value maskOf(int64_t valid) {
    if (valid >= plan.lanes)
      return {};
    return vector::ConstantMaskOp::create(
        b, VectorType::get({plan.lanes}, b.getI1Type()),
        b.getDenseI64ArrayAttr({valid}));
  }
  Value loadVector(unsigned operand, Value at, Value mask) {
    Value row = operands->row(operand);
    auto type =
        VectorType::get({plan.lanes}, getElementTypeOrSelf(row.getType()));
    if (!mask)
      return vector::LoadOp::create(b, type, row, ValueRange{at});
    Value nothing = arith::ConstantOp::create(b, b.getZeroAttr(type));
    return vector::MaskedLoadOp::create(b, type, row, ValueRange{at}, mask,
                                        nothing);
  }
  void storeVector(unsigned operand, Value value, Value at, Value mask) {
    Value row = operands->row(operand);
    if (mask)
      vector::MaskedStoreOp::create(b, row, ValueRange{at}, mask, value);
    else
      vector::StoreOp::create(b, value, row, ValueRange{at});
  }

  // ---- arithmetic ----

  /// A factor, converted as the body does.
  Value convert(Value value, unsigned operand) {
    IRMapping mapping;
    for (Operation *cast : body.casts[operand]) {
      mapping.map(cast->getOperand(0), value);
      value = weft::cloneInLanes(b, *cast, mapping, plan.lanes);
    }
    return value;
  }
  Value factor(unsigned operand, Value at, Value mask) {
    return convert(loadVector(operand, at, mask), operand);
  }
  Value splat(unsigned operand, Value at) {
    Value scalar = convert(
        memref::LoadOp::create(b, operands->row(operand), ValueRange{at}),
        operand);
    return weft::splatLanes(b, scalar, plan.lanes);
  }
  Value multiplyAdd(Value x, Value y, Value acc) {
    if (isa<IntegerType>(element))
      return arith::AddIOp::create(b, acc, arith::MulIOp::create(b, x, y));
    if (machine.hasFma)
      return vector::FMAOp::create(b, x, y, acc);
    return arith::AddFOp::create(b, acc, arith::MulFOp::create(b, x, y));
  }

  // ---- blocks and tiles ----

  /// Builds a loop from `first` to `last` in steps of `step`.
  void loop(Value first, Value last, int64_t step,
            llvm::function_ref<void(Value)> build) {
    auto loop = scf::ForOp::create(b, first, last, index(step));
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    build(loop.getInductionVar());
  }
  void onlyIf(Value condition, llvm::function_ref<void()> build) {
    auto branch = scf::IfOp::create(b, condition, /*withElseRegion=*/false);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(branch.thenBlock());
    build();
  }

  /// Calls `build(first, count)` for the tiles of `size` between the bounds of
  /// one block, and for what is left over at the end of all blocks.
  void forTiles(Value block, int64_t blocks, int64_t blockSize, int64_t extent,
                int64_t size, llvm::function_ref<void(Value, int64_t)> build) {
    int64_t whole = extent / size * size;
    Value first = arith::MulIOp::create(b, block, index(blockSize));
    if (whole > 0) {
      Value last = advance(first, blockSize);
      last = arith::MinUIOp::create(b, last, index(whole));
      loop(first, last, size, [&](Value at) { build(at, size); });
    }
    if (whole == extent)
      return;
    Value isLast = arith::CmpIOp::create(b, arith::CmpIPredicate::eq, block,
                                         index(blocks - 1));
    onlyIf(isLast, [&] { build(index(whole), extent - whole); });
  }

  void emitBlock(ArrayRef<Value> ofBlock, Value rowBlock, int64_t rowBlocks,
                 Value laneBlock, int64_t laneBlocks) {
    if (plan.lanesAreSummed) {
      forTiles(rowBlock, rowBlocks, plan.rowBlock, plan.rowExtent(), plan.rows,
               [&](Value row, int64_t rows) {
                 emitDots(moved(ofBlock, row, plan.rowLoop), rows);
               });
      return;
    }
    if (plan.cutLoop > 0 && fromZero)
      forBlockTiles(ofBlock, rowBlock, rowBlocks, laneBlock, laneBlocks,
                    [&](const Tile &tile) { emitZeros(tile); });
    forSteps(ArrayRef(plan.summed).take_front(plan.cutLoop), ofBlock,
             [&](ArrayRef<Value> bases) {
               emitSumBlocks(bases, rowBlock, rowBlocks, laneBlock, laneBlocks);
             });
  }

  /// Loops over all steps of loops that no tile spans.
  void forSteps(ArrayRef<unsigned> loops, ArrayRef<Value> bases,
                llvm::function_ref<void(ArrayRef<Value>)> build) {
    if (loops.empty())
      return build(bases);
    loop(zero, index(plan.nest.extents[loops.front()]), 1, [&](Value step) {
      forSteps(loops.drop_front(), moved(bases, step, loops.front()), build);
    });
  }

  /// A tile of a block: where its operands are, its size, and the first of the
  /// block's rows and its own.
  struct Tile {
    ArrayRef<Value> bases;
    int64_t rows, lanes;
    Value firstRow, row;
  };

  /// Calls `build` for each tile of a block.
  void forBlockTiles(ArrayRef<Value> bases, Value rowBlock, int64_t rowBlocks,
                     Value laneBlock, int64_t laneBlocks,
                     llvm::function_ref<void(const Tile &)> build) {
    Value firstRow;
    if (plan.fetchedOfNext > 0)
      firstRow = arith::MulIOp::create(b, rowBlock, index(plan.rowBlock));
    forTiles(laneBlock, laneBlocks, plan.laneBlock, plan.laneExtent(),
             plan.tileLanes(), [&](Value lane, int64_t lanes) {
               forSteps(plan.inner, moved(bases, lane, plan.laneLoop),
                        [&](ArrayRef<Value> at) {
                          forTiles(rowBlock, rowBlocks, plan.rowBlock,
                                   plan.rowExtent(), plan.rows,
                                   [&](Value row, int64_t rows) {
                                     build({moved(at, row, plan.rowLoop), rows,
                                            lanes, firstRow, row});
                                   });
                        });
             });
  }

  /// Steps of the loop that is cut into blocks of a sum.
  int64_t stepsOfCut() const {
    return plan.summed.empty() ? 1
                               : plan.nest.extents[plan.summed[plan.cutLoop]];
  }

  /// Adds block after block of what is left to sum.
  void emitSumBlocks(ArrayRef<Value> ofBlock, Value rowBlock, int64_t rowBlocks,
                     Value laneBlock, int64_t laneBlocks) {
    bool mayStart = fromZero && plan.cutLoop == 0;
    // Blocks have `count` steps, or as many as there are up to `end`.
    auto tiles = [&](Value begin, Value end, bool isFirst, int64_t count) {
      SmallVector<Value> bases(ofBlock);
      if (plan.copied == plan.wide)
        copyLanes(bases, laneBlock, begin, end);
      else if (plan.copied)
        copyRows(bases, rowBlock, begin, end);
      forBlockTiles(bases, rowBlock, rowBlocks, laneBlock, laneBlocks,
                    [&](const Tile &tile) {
                      emitTile(tile, begin, end, isFirst && mayStart, count);
                    });
    };
    int64_t steps = stepsOfCut(), first = 0;
    if (mayStart || plan.sumBlock >= steps) {
      first = std::min(plan.sumBlock, steps);
      tiles(zero, index(first), /*isFirst=*/true, first);
    }
    int64_t rest = plan.stepsAreWritten ? (steps - first) % plan.sumBlock : 0;
    if (first < steps - rest)
      loop(index(first), index(steps - rest), plan.sumBlock, [&](Value begin) {
        Value end = arith::MinUIOp::create(b, advance(begin, plan.sumBlock),
                                           index(steps));
        tiles(begin, end, /*isFirst=*/false, plan.sumBlock);
      });
    if (rest > 0)
      tiles(index(steps - rest), index(steps), /*isFirst=*/false, rest);
  }

  /// Copies the rows of a block for the steps from `begin` to `end`, and has
  /// places among them count from the beginning of the copy.
  void copyRows(SmallVectorImpl<Value> &bases, Value rowBlock, Value begin,
                Value end) {
    unsigned summed = plan.summed.front();
    Value first, last;
    std::tie(first, last) = bounds(rowBlock, plan.rowBlock, plan.rowExtent());
    countFrom(bases, begin, summed, first, *plan.rowLoop);
    Value whole = wholeVectors(first, last);
    loop(begin, end, 1, [&](Value step) {
      SmallVector<Value> at = moved(bases, step, summed);
      loop(first, whole, plan.lanes, [&](Value row) {
        copyVector(moved(at, row, plan.rowLoop), plan.lanes);
      });
      loop(whole, last, 1,
           [&](Value row) { copyVector(moved(at, row, plan.rowLoop), 1); });
    });
  }

  /// As `copyRows`, what a block reads in vectors.
  void copyLanes(SmallVectorImpl<Value> &bases, Value laneBlock, Value begin,
                 Value end) {
    unsigned summed = plan.summed.front();
    Value first = arith::MulIOp::create(b, laneBlock, index(plan.laneBlock));
    countFrom(bases, begin, summed, first, plan.laneLoop);
    if (plan.lanesAreTurned)
      return turnLanes(bases, laneBlock, begin, end);
    loop(begin, end, 1, [&](Value step) {
      forTiles(laneBlock, llvm::divideCeil(plan.laneExtent(), plan.laneBlock),
               plan.laneBlock, plan.laneExtent(), plan.tileLanes(),
               [&](Value lane, int64_t lanes) {
                 SmallVector<Value> at = moved(bases, step, summed);
                 at = moved(at, lane, plan.laneLoop);
                 for (int64_t done = 0; done < lanes; done += plan.lanes)
                   copyVector(at, std::min(plan.lanes, lanes - done), done);
               });
    });
  }

  /// As `copyLanes`, where steps lie side by side and lanes do not: squares of
  /// as many steps as vectors have lanes, and one by one what is left.
  void turnLanes(ArrayRef<Value> bases, Value laneBlock, Value begin,
                 Value end) {
    unsigned summed = plan.summed.front(), original = operands->original();
    Value whole = wholeVectors(begin, end);
    auto turn = [&](ArrayRef<Value> at, int64_t lanes) {
      if (lanes == plan.lanes)
        loop(begin, whole, plan.lanes,
             [&](Value step) { turnSquare(moved(at, step, summed)); });
      loop(lanes == plan.lanes ? whole : begin, end, 1, [&](Value step) {
        SmallVector<Value> there = moved(at, step, summed);
        loop(zero, index(lanes), 1, [&](Value lane) {
          SmallVector<Value> each(there);
          each[original] = advance(each[original], lane,
                                   plan.nest.stride(original, plan.laneLoop));
          each[*plan.copied] = advance(each[*plan.copied], lane, 1);
          copyVector(each, 1);
        });
      });
    };
    forTiles(laneBlock, llvm::divideCeil(plan.laneExtent(), plan.laneBlock),
             plan.laneBlock, plan.laneExtent(), plan.tileLanes(),
             [&](Value lane, int64_t lanes) {
               SmallVector<Value> at = moved(bases, lane, plan.laneLoop);
               auto of = [&](Value first) {
                 SmallVector<Value> there(at);
                 there[original] =
                     advance(at[original], first,
                             plan.nest.stride(original, plan.laneLoop));
                 there[*plan.copied] = advance(at[*plan.copied], first, 1);
                 return there;
               };
               int64_t vectors = lanes / plan.lanes * plan.lanes;
               loop(zero, index(vectors), plan.lanes,
                    [&](Value first) { turn(of(first), plan.lanes); });
               if (vectors < lanes)
                 turn(of(index(vectors)), lanes - vectors);
             });
  }
  void turnSquare(ArrayRef<Value> at) {
    unsigned original = operands->original();
    int64_t apart = plan.nest.stride(original, plan.laneLoop);
    SmallVector<Value> lanes;
    for (int64_t lane = 0; lane < plan.lanes; ++lane)
      lanes.push_back(
          loadVector(original, advance(at[original], lane * apart), {}));
    for (auto [step, vector] : llvm::enumerate(weft::turnVectors(b, lanes)))
      storeVector(*plan.copied, vector,
                  advance(at[*plan.copied], step * plan.tileLanes()), {});
  }

  /// The first step of a block, and the one after its last.
  std::pair<Value, Value> bounds(Value block, int64_t size, int64_t extent) {
    Value first = arith::MulIOp::create(b, block, index(size));
    return {first,
            arith::MinUIOp::create(b, advance(first, size), index(extent))};
  }
  /// The end of the whole vectors between two steps.
  Value wholeVectors(Value first, Value last) {
    Value count = arith::SubIOp::create(b, last, first);
    Value rest = arith::RemUIOp::create(b, count, index(plan.lanes));
    return arith::SubIOp::create(b, last, rest);
  }
  /// Has places in the copy count from these steps of two loops.
  void countFrom(SmallVectorImpl<Value> &bases, Value step, unsigned summed,
                 Value first, unsigned across) {
    SmallVector<Value> there = moved(moved(bases, step, summed), first, across);
    Value before =
        arith::SubIOp::create(b, there[*plan.copied], bases[*plan.copied]);
    bases[*plan.copied] = arith::SubIOp::create(b, bases[*plan.copied], before);
  }
  /// Copies so many elements, up to a vector of them, `further` on.
  void copyVector(ArrayRef<Value> at, int64_t count, int64_t further = 0) {
    unsigned original = operands->original(), copy = *plan.copied;
    Value source = advance(at[original], further);
    Value target = advance(at[copy], further);
    if (count == 1) {
      Value element = memref::LoadOp::create(b, operands->row(original),
                                             ValueRange{source});
      memref::StoreOp::create(b, element, operands->row(copy),
                              ValueRange{target});
      return;
    }
    Value mask = maskOf(count);
    storeVector(copy, loadVector(original, source, mask), target, mask);
  }

  /// Changes the elements of a block, whose sums are complete.
  void emitEpilogue(ArrayRef<Value> bases, Value rowBlock, Value laneBlock) {
    bool isShort = weft::isShortRow(plan.laneBlock, plan.elementBytes,
                                    machine.vectorBytes);
    forSteps(plan.inner, bases, [&](ArrayRef<Value> ofBlock) {
      auto [first, last] = bounds(rowBlock, plan.rowBlock, plan.rowExtent());
      loop(first, last, 1, [&](Value row) {
        SmallVector<Value> at = moved(ofBlock, row, plan.rowLoop);
        if (plan.lanesAreSummed)
          return operands->change(at);
        auto [begin, end] =
            bounds(laneBlock, plan.laneBlock, plan.laneExtent());
        auto lanes = scf::ForOp::create(b, begin, end, one);
        if (isShort)
          weft::keepRolled(lanes);
        OpBuilder::InsertionGuard guard(b);
        b.setInsertionPointToStart(lanes.getBody());
        operands->change(moved(at, lanes.getInductionVar(), plan.laneLoop));
      });
    });
  }

  /// Whether the epilogue can change the sums of a tile while these are in
  /// registers: they are complete, and it is short and computed in vectors.
  bool mayChangeTiles() {
    if (!epilogue || plan.lanesAreSummed || plan.cutLoop > 0 ||
        plan.sumBlock < stepsOfCut() ||
        operands->numberOf(epilogue.getNumOperands() - 1) != sum)
      return false;
    Block *changes = epilogue.getBody();
    auto ops = changes->without_terminator();
    if (llvm::range_size(ops) > mostChanges ||
        !llvm::all_of(ops, [](Operation &op) {
          return weft::worksInLanes(&op) && isPure(&op);
        }))
      return false;
    return llvm::all_of(changes->getArguments(), [&](BlockArgument argument) {
      unsigned operand = operands->numberOf(argument.getArgNumber());
      if (argument.use_empty() || operand == sum ||
          !isa<MemRefType>(operands->row(operand).getType()))
        return true;
      const weft::Access &access = plan.nest.accesses[operand];
      int64_t stride = access.strides[plan.laneLoop];
      // Vectors of truth values are bits, arrays of them bytes.
      return !argument.getType().isInteger(1) && access.panels.empty() &&
             (stride == 0 || stride == 1);
    });
  }

  /// Changes complete sums of a tile.
  void changeTile(const Tile &tile, ArrayRef<Value> masks,
                  MutableArrayRef<Value> sums) {
    int64_t vectors = masks.size();
    Block *changes = epilogue.getBody();
    for (int64_t v = 0; v < vectors; ++v) {
      IRMapping ofRows;
      for (int64_t row = 0; row < tile.rows; ++row) {
        Value &own = sums[row * vectors + v];
        IRMapping mapping = ofRows;
        for (BlockArgument argument : changes->getArguments()) {
          unsigned operand = operands->numberOf(argument.getArgNumber());
          if (operand == sum) {
            mapping.map(argument, own);
            continue;
          }
          if (argument.use_empty() || mapping.contains(argument))
            continue;
          Value read = operands->row(operand);
          bool isSame = true;
          if (Value base = tile.bases[operand]) {
            isSame = strideOfRows(operand) == 0;
            base = advance(base, row * strideOfRows(operand));
            bool isAlong = plan.nest.stride(operand, plan.laneLoop) != 0;
            read = isAlong ? loadVector(operand, advance(base, v * plan.lanes),
                                        masks[v])
                           : memref::LoadOp::create(b, read, ValueRange{base});
          }
          mapping.map(argument, read);
          if (isSame)
            ofRows.map(argument, read);
        }
        for (Operation &inner : changes->without_terminator())
          weft::cloneInLanes(b, inner, mapping, plan.lanes);
        own = weft::splatLanes(
            b, mapping.lookupOrDefault(changes->getTerminator()->getOperand(0)),
            plan.lanes);
      }
    }
  }

  SmallVector<Value> moved(ArrayRef<Value> bases, Value steps,
                           std::optional<unsigned> loop) {
    return operands->moved(bases, steps, loop);
  }

  using Sums = SmallVector<Value>;

  /// Loops over what is summed in a tile, the first from `begin` to `end`.
  Sums sumOver(ArrayRef<unsigned> loops, ArrayRef<Value> bases, Value begin,
               Value end, Sums sums,
               llvm::function_ref<Sums(ArrayRef<Value>, Sums)> step) {
    if (loops.empty())
      return step(bases, std::move(sums));
    auto loop = scf::ForOp::create(b, begin, end, one, sums);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    ArrayRef<unsigned> rest = loops.drop_front();
    Value restEnd =
        rest.empty() ? Value() : index(plan.nest.extents[rest.front()]);
    Sums inner =
        sumOver(rest, moved(bases, loop.getInductionVar(), loops.front()), zero,
                restEnd, Sums(loop.getRegionIterArgs()), step);
    scf::YieldOp::create(b, inner);
    return Sums(loop.getResults());
  }

  /// Where the sums of a tile are, row by row, vector by vector.
  SmallVector<Value> placesOf(ArrayRef<Value> bases, int64_t rows,
                              int64_t vectors) {
    SmallVector<Value> places;
    for (int64_t row = 0; row < rows; ++row)
      for (int64_t v = 0; v < vectors; ++v)
        places.push_back(
            advance(bases[sum], row * strideOfRows(sum) + v * plan.lanes));
    return places;
  }

  void emitZeros(const Tile &tile) {
    int64_t lanes = tile.lanes, vectors = llvm::divideCeil(lanes, plan.lanes);
    Value nothing = arith::ConstantOp::create(
        b, b.getZeroAttr(VectorType::get({plan.lanes}, element)));
    for (auto [i, place] :
         llvm::enumerate(placesOf(tile.bases, tile.rows, vectors)))
      storeVector(sum, nothing, place,
                  maskOf(lanes - int64_t(i) % vectors * plan.lanes));
  }

  /// Adds to one tile what the steps of the cut loop from `begin` to `end`
  /// give, and all of the loops that are summed over within it; `count` steps
  /// if they are written out.
  void emitTile(const Tile &tile, Value begin, Value end, bool startsAtZero,
                int64_t count) {
    ArrayRef<Value> bases = tile.bases;
    int64_t rows = tile.rows, lanes = tile.lanes;
    int64_t vectors = llvm::divideCeil(lanes, plan.lanes);
    Value nothing;
    if (startsAtZero)
      nothing = arith::ConstantOp::create(
          b, b.getZeroAttr(VectorType::get({plan.lanes}, element)));
    SmallVector<Value> masks(vectors);
    masks.back() = maskOf(lanes - (vectors - 1) * plan.lanes);
    SmallVector<Value> places = placesOf(bases, rows, vectors);
    Sums sums;
    for (auto [i, place] : llvm::enumerate(places))
      sums.push_back(startsAtZero ? nothing
                                  : loadVector(sum, place, masks[i % vectors]));
    unsigned narrow = plan.narrow();
    auto add = [&](ArrayRef<Value> at, Sums acc) {
      if (plan.fetchesAhead && rows == plan.rows && vectors == plan.vectors)
        fetchAhead(tile, at, begin);
      SmallVector<Value> wide;
      for (int64_t v = 0; v < vectors; ++v)
        wide.push_back(factor(plan.wide, advance(at[plan.wide], v * plan.lanes),
                              masks[v]));
      for (int64_t row = 0; row < rows; ++row) {
        Value begins = advance(at[narrow], row * strideOfRows(narrow));
        Value shared = plan.bothWide ? Value() : splat(narrow, begins);
        for (int64_t v = 0; v < vectors; ++v) {
          Value other = shared ? shared
                               : factor(narrow, advance(begins, v * plan.lanes),
                                        masks[v]);
          Value &own = acc[row * vectors + v];
          own = multiplyAdd(other, wide[v], own);
        }
      }
      return acc;
    };
    ArrayRef<unsigned> summed = ArrayRef(plan.summed).drop_front(plan.cutLoop);
    if (plan.stepsAreWritten)
      for (int64_t step = 0; step < count; ++step)
        sums = add(moved(bases, advance(begin, step), summed.front()), sums);
    else
      sums = sumOver(summed, bases, begin, end, std::move(sums), add);
    if (changesTiles)
      changeTile(tile, masks, sums);
    for (auto [place, value, i] :
         llvm::zip(places, sums, llvm::seq<int64_t>(places.size())))
      storeVector(sum, value, place, masks[i % vectors]);
  }

  void fetch(Value at, unsigned level) {
    memref::PrefetchOp::create(b, operands->row(plan.wide), ValueRange{at},
                               /*isWrite=*/false, /*localityHint=*/4 - level,
                               /*isDataCache=*/true);
  }
  /// Fetches the vectors of a later step into the first cache, and into the
  /// second one this step's share of the next panel.
  void fetchAhead(const Tile &tile, ArrayRef<Value> at, Value begin) {
    constexpr int64_t ahead = 4;
    Value here = at[plan.wide];
    int64_t stride = plan.nest.stride(plan.wide, plan.summed.back());
    for (int64_t v = 0; v < plan.vectors; ++v)
      fetch(advance(here, ahead * stride + v * plan.lanes), 1);
    if (plan.fetchedOfNext == 0)
      return;
    Value first = advance(tile.bases[plan.wide], begin, stride);
    Value next = advance(
        first,
        plan.nest.accesses[plan.wide].panelsAlong(plan.laneLoop)->stride);
    Value steps = arith::DivUIOp::create(
        b, arith::SubIOp::create(b, here, first), index(stride));
    Value number = arith::DivUIOp::create(
        b, arith::SubIOp::create(b, tile.row, tile.firstRow), index(plan.rows));
    next = advance(next, number, plan.fetchedOfNext * plan.sumBlock);
    fetch(advance(next, steps, plan.fetchedOfNext), 2);
  }

  /// Adds to a tile's elements the sums whose steps are lanes.
  void emitDots(ArrayRef<Value> bases, int64_t rows) {
    auto type = VectorType::get({plan.lanes}, element);
    Value nothing = arith::ConstantOp::create(b, b.getZeroAttr(type));
    // Enough sums that one need not wait for another.
    int64_t columns = plan.vectors, results = rows * columns;
    int64_t chains = llvm::divideCeil(8, results);
    int64_t extent = plan.laneExtent(), width = plan.lanes * chains;
    int64_t whole = extent / width * width;
    unsigned narrow = plan.narrow();
    Value end = plan.summed.empty()
                    ? one
                    : index(plan.nest.extents[plan.summed.front()]);
    Sums start(results * chains, nothing);
    Sums sums = sumOver(
        plan.summed, bases, zero, end, start,
        [&](ArrayRef<Value> at, Sums acc) {
          auto add = [&](Sums acc, Value lane, int64_t valid) {
            int64_t vectors = llvm::divideCeil(valid, plan.lanes);
            for (int64_t v = 0; v < vectors; ++v) {
              Value mask = maskOf(valid - v * plan.lanes);
              auto steps = [&](unsigned operand, int64_t from) {
                Value first = advance(at[operand], lane, 1);
                return factor(operand, advance(first, from + v * plan.lanes),
                              mask);
              };
              SmallVector<Value> shared;
              for (int64_t column = 0; column < columns; ++column)
                shared.push_back(
                    steps(plan.wide, column * strideOfColumns(plan.wide)));
              for (int64_t i = 0; i < results; i += columns) {
                Value own = steps(narrow, i / columns * strideOfRows(narrow));
                for (int64_t column = 0; column < columns; ++column) {
                  Value &all = acc[(i + column) * chains + v];
                  all = multiplyAdd(own, shared[column], all);
                }
              }
            }
            return acc;
          };
          if (whole > 0) {
            auto loop =
                scf::ForOp::create(b, zero, index(whole), index(width), acc);
            {
              OpBuilder::InsertionGuard guard(b);
              b.setInsertionPointToStart(loop.getBody());
              scf::YieldOp::create(b, add(Sums(loop.getRegionIterArgs()),
                                          loop.getInductionVar(), width));
            }
            acc = Sums(loop.getResults());
          }
          if (whole < extent)
            acc = add(acc, index(whole), extent - whole);
          return acc;
        });
    for (int64_t i = 0; i < results; ++i) {
      Value all = sums[i * chains];
      for (int64_t chain = 1; chain < chains; ++chain)
        all = add(all, sums[i * chains + chain]);
      for (int64_t half = plan.lanes / 2; half > 0; half /= 2)
        all = add(slice(all, 0, half), slice(all, half, half));
      Value total = vector::ExtractOp::create(b, all, ArrayRef<int64_t>{0});
      Value at = advance(bases[sum], i / columns * strideOfRows(sum) +
                                         i % columns * strideOfColumns(sum));
      if (!fromZero)
        total =
            add(memref::LoadOp::create(b, operands->row(sum), ValueRange{at}),
                total);
      memref::StoreOp::create(b, total, operands->row(sum), ValueRange{at});
    }
  }

  Value add(Value x, Value y) {
    if (isa<IntegerType>(element))
      return arith::AddIOp::create(b, x, y);
    return arith::AddFOp::create(b, x, y);
  }
  Value slice(Value x, int64_t first, int64_t count) {
    return vector::ExtractStridedSliceOp::create(b, x, ArrayRef<int64_t>{first},
                                                 ArrayRef<int64_t>{count},
                                                 ArrayRef<int64_t>{1});
  }

  int64_t strideOfRows(unsigned operand) const {
    return plan.rowLoop ? plan.nest.stride(operand, *plan.rowLoop) : 0;
  }
  /// Of dot products.
  int64_t strideOfColumns(unsigned operand) const {
    return plan.inner.empty() ? 0
                              : plan.nest.stride(operand, plan.inner.front());
  }

  linalg::GenericOp op, epilogue;
  const ContractionPlan &plan;
  const MultiplyAdd &body;
  const Machine &machine;
  bool fromZero, changesTiles = false;
  ImplicitLocOpBuilder b;
  Type element;
  Value zero, one;
  std::optional<weft::SumOperands> operands;
};

class LowerContractions final
    : public weft::impl::LowerContractionsBase<LowerContractions> {
  void runOnOperation() override {
    if (!weft::isOptimized(getOperation()))
      return;
    Machine machine = Machine::of(getOperation());
    weft::lowerSums<ContractionPlan>(
        getOperation(), machine,
        [&](linalg::GenericOp sum, linalg::GenericOp epilogue,
            const ContractionPlan &plan, linalg::FillOp fill) {
          Emitter(sum, epilogue, plan, *MultiplyAdd::match(sum), machine,
                  static_cast<bool>(fill))
              .emit();
        });
  }
};

} // namespace
