// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft-lower-loops: a linalg op on buffers -> loops in an order in which memory
// is walked through, in blocks that stay in a cache, and one loop outermost
// that threads can share. LLVM computes the innermost loop in vectors. What is
// read from memory while much is computed is asked for ahead.

#include "lowering/Machine.h"
#include "lowering/OptimizationLevel.h"
#include "lowering/Passes.h"
#include "lowering/fusion/LaneReduction.h"
#include "lowering/fusion/Nest.h"
#include "lowering/memory/Buffers.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace weft {
#define GEN_PASS_DEF_LOWERLOOPS
#include "lowering/Passes.h.inc"
} // namespace weft

using namespace mlir;
using linalg::LinalgOp;
using weft::LaneReduction;
using weft::Machine;
using weft::Nest;

namespace {

/// The bytes of a line of the caches.
constexpr int64_t line = 64;

/// A loop of the nest as it is run: over blocks of `step`, or within one.
struct Level {
  unsigned loop;
  int64_t step = 1;
};

/// A square of a nest, `side` steps of two loops, and the operands that are
/// consecutive along the one that is not innermost.
struct Square {
  unsigned loop, innermost;
  int64_t side;
  SmallVector<unsigned> turned;
};

/// The buffer that an operand is a part of, or is.
Value wholeOf(Value operand) {
  auto view = operand.getDefiningOp<memref::SubViewOp>();
  return view ? view.getSource() : operand;
}

/// The order in which a nest is run.
class Schedule {
public:
  SmallVector<Level> levels;
  /// How many of the first levels are one loop, which threads may share.
  unsigned shared = 0;
  /// What the last two levels run through, if it is done by squares.
  std::optional<Square> square;
  /// An operand of which a chunk is asked for in each step of the last level
  /// but one: the chunk so many elements later.
  struct Fetched {
    unsigned operand;
    int64_t ahead;
  };
  SmallVector<Fetched> fetched;
  /// How near to the processor chunks are to be: 3 is the first cache, 2 the
  /// second.
  unsigned locality = 3;

  Schedule(LinalgOp op, const Nest &nest, const Machine &machine)
      : op(op), nest(nest), machine(machine) {
    side = std::clamp<int64_t>(machine.l1Bytes >> 10, 2, 32);
    lanesInCache = std::clamp<int64_t>(machine.l1Bytes >> 5, 4, 1024);
    if (nest.depth() == 0)
      return;
    chooseInnermost();
    SmallVector<unsigned> outer, summed;
    for (unsigned loop = 0; loop < nest.depth(); ++loop)
      if (loop != innermost)
        (nest.isParallel(loop) ? outer : summed).push_back(loop);
    addBlocks(outer, summed);
    for (unsigned loop : outer)
      if (!square || loop != square->loop)
        levels.push_back({loop});
    if (square) {
      unsigned loop = square->loop;
      // Along rows of what is read, which the hardware fetches ahead.
      levels.append({{innermost, side}, {loop, side}, {loop}});
    }
    if (isShared)
      chooseShared();
    for (unsigned loop : summed)
      levels.push_back({loop});
    if (!fetched.empty())
      levels.push_back({innermost, chunk});
    levels.push_back({innermost});
  }

private:
  /// How dear it is to walk through all operands along a loop.
  int64_t costOf(unsigned loop) {
    int64_t cost = 0;
    for (auto [number, access] : llvm::enumerate(nest.accesses)) {
      int64_t stride = access.strides[loop];
      bool isResult = number >= static_cast<size_t>(op.getNumDpsInputs());
      int64_t own = stride == 0 ? 0 : stride == 1 ? 1 : 8;
      cost += isResult ? 2 * own : own;
    }
    return cost;
  }

  void chooseInnermost() {
    // What is summed over keeps its order, so that only the last can be inside.
    std::optional<unsigned> lastSummed;
    for (unsigned loop = 0; loop < nest.depth(); ++loop)
      if (!nest.isParallel(loop))
        lastSummed = loop;
    std::optional<int64_t> least;
    for (unsigned loop = nest.depth(); loop-- > 0;) {
      if (!nest.isParallel(loop) && loop != lastSummed)
        continue;
      // A short loop is not worth being inside.
      int64_t cost = costOf(loop) + (nest.extents[loop] < 8 ? 8 : 0);
      if (!least || cost < *least)
        least = cost, innermost = loop;
    }
  }

  void addBlocks(ArrayRef<unsigned> outer, ArrayRef<unsigned> summed) {
    int64_t outerSteps = 1;
    for (unsigned loop : outer)
      outerSteps *= nest.extents[loop];
    // Rows are shared already.
    isShared = !op->getParentOfType<scf::ForOp>() &&
               weft::workOf(op, nest) >= machine.shareFrom;
    if (!nest.isParallel(innermost)) {
      // Of what LLVM puts into vectors itself.
      if (LaneReduction::match(op, /*inVectors=*/false) &&
          !LaneReduction::match(op))
        chooseFetched({});
      return;
    }
    int64_t extent = nest.extents[innermost];
    if (summed.empty() && chooseSquare(outer))
      return;
    chooseFetched(summed);
    // Sums that stay in the first cache, and enough blocks for all threads.
    int64_t block = extent;
    if (!summed.empty())
      block = std::min(block, lanesInCache);
    if (isShared && outerSteps < manyTasks)
      block = std::min<int64_t>(
          block,
          llvm::alignTo(std::max(lanesInCache, extent * outerSteps / manyTasks),
                        chunk));
    // Chunks end where blocks do.
    if (!fetched.empty())
      block = llvm::alignTo(block, chunk);
    if (block < extent)
      levels = {{innermost, block}};
  }

  /// While much is computed of an element, the hardware looks too little ahead
  /// to find the next ones in memory: they are asked for, a chunk of some lines
  /// at a time. Of a row that is in the cache already it is the next row, and
  /// of columns that are summed the next step of the sum.
  void chooseFetched(ArrayRef<unsigned> summed) {
    bool isRow = op->getParentOfType<scf::ForOp>();
    int64_t extent = nest.extents[innermost], bytes = 0, widest = 1;
    for (auto [number, access] : llvm::enumerate(nest.accesses)) {
      auto type = dyn_cast<MemRefType>(op->getOperand(number).getType());
      if (!type || access.strides[innermost] != 1)
        continue;
      int64_t each = weft::bytesOf(type.getElementType());
      bytes += each * type.getNumElements();
      widest = std::max(widest, each);
    }
    double elements = llvm::product_of(nest.extents);
    int64_t wanted = chunkBytes / widest, far = chunksAhead * wanted;
    bool pays = isRow ? nest.depth() == 1 && extent * widest >= line &&
                            bytes <= machine.l2Bytes / 8
                      : extent >= (summed.empty() ? 4 : 1) * wanted;
    if (!pays || weft::workOf(op, nest) < muchWork * elements)
      return;
    for (OpOperand *input : op.getDpsInputOperands()) {
      unsigned number = input->getOperandNumber();
      if (!isInMemory(input->get()) || nest.stride(number, innermost) != 1)
        continue;
      int64_t ahead = far;
      if (isRow && wasRead(input->get()))
        ahead = std::max(ahead, extent);
      else if (!summed.empty())
        ahead = nest.stride(number, summed.back());
      if (ahead > 0)
        fetched.push_back({number, ahead});
    }
    if (fetched.empty())
      return;
    chunk = std::min(wanted, extent);
    if (isRow && bytes > 2 * machine.l1Bytes)
      locality = 2;
  }

  /// Whether an operand is an array that no cache holds, or a part of one.
  bool isInMemory(Value operand) const {
    Value whole = wholeOf(operand);
    auto type = dyn_cast<MemRefType>(whole.getType());
    return type && type.getLayout().isIdentity() && type.hasStaticShape() &&
           !whole.getDefiningOp<memref::AllocaOp>() &&
           type.getNumElements() * weft::bytesOf(type.getElementType()) >
               machine.l2Bytes;
  }

  /// Whether loops that stand before the op read the same row.
  static bool wasRead(Value row) {
    return !llvm::all_of(row.getUsers(), llvm::IsaPred<LinalgOp>);
  }

  /// An operand that is consecutive along another loop: small squares.
  bool chooseSquare(ArrayRef<unsigned> outer) {
    for (unsigned loop : outer) {
      if (nest.extents[innermost] <= side || nest.extents[loop] <= side)
        continue;
      SmallVector<unsigned> turned;
      for (auto [number, access] : llvm::enumerate(nest.accesses))
        if (access.strides[loop] == 1 && access.strides[innermost] > 1)
          turned.push_back(number);
      if (turned.empty())
        continue;
      square = Square{loop, innermost, side, turned};
      return true;
    }
    return false;
  }

  /// As many of the outer levels as give each thread enough to choose from. The
  /// steps within a block are no level of their own.
  void chooseShared() {
    int64_t tasks = 1;
    llvm::SmallDenseSet<unsigned> seen;
    while (shared < levels.size() && tasks < manyTasks) {
      const Level &level = levels[shared];
      if (!seen.insert(level.loop).second)
        return;
      ++shared;
      tasks *= llvm::divideCeil(nest.extents[level.loop], level.step);
    }
  }

  static constexpr int64_t manyTasks = 64;
  /// The bytes that are fetched of an operand at once, how many such chunks
  /// ahead, and from what work for an element on it pays.
  static constexpr int64_t chunkBytes = 1024, chunksAhead = 2;
  static constexpr double muchWork = 9;
  /// The side of a square that is read by rows and written by columns, and the
  /// elements of a block that stay in the first cache.
  int64_t side, lanesInCache;
  /// The elements of a chunk; what blocks are multiples of.
  int64_t chunk = 64;
  LinalgOp op;
  const Nest &nest;
  const Machine &machine;
  unsigned innermost = 0;
  bool isShared = false;
};

class Emitter {
public:
  Emitter(LinalgOp op, const Nest &nest, const Schedule &schedule,
          const Machine &machine)
      : op(op), nest(nest), schedule(schedule), machine(machine),
        b(op.getLoc(), op) {
    auto reduction = LaneReduction::match(op);
    if (reduction && canReduceInLanes()) {
      inLanes = reduction;
      lanes = machine.vectorBytes * 8 / reduction->width();
    }
  }

  void emit() {
    for (OpOperand &operand : op->getOpOperands())
      rows.push_back(rowOf(operand));
    begins.assign(nest.depth(), index(0));
    for (int64_t extent : nest.extents)
      ends.push_back(index(extent));
    makeRoomForSquares();
    if (schedule.shared > 0)
      emitShared();
    else
      emitLevels(schedule.levels);
    op->erase();
  }

private:
  Value index(int64_t value) {
    return arith::ConstantIndexOp::create(b, value);
  }
  Value advance(Value base, Value steps, int64_t stride) {
    return weft::advance(b, base, steps, stride);
  }

  /// A buffer as one row of elements, and where the operand begins there.
  std::pair<Value, Value> rowOf(OpOperand &operand) {
    return weft::flatten(b, operand.get(),
                         nest.accesses[operand.getOperandNumber()].offset);
  }

  /// Enters a level: from `at` on, for a step of it.
  void enter(const Level &level, Value at) {
    begins[level.loop] = at;
    Value end = at;
    if (level.step > 1) {
      end = arith::AddIOp::create(b, at, index(level.step));
      if (nest.extents[level.loop] % level.step)
        end = arith::MinUIOp::create(b, end, index(nest.extents[level.loop]));
    }
    ends[level.loop] = end;
  }

  /// The first levels as one loop, whose steps are told apart by division.
  void emitShared() {
    ArrayRef<Level> levels = schedule.levels;
    ArrayRef<Level> outside = levels.take_front(schedule.shared);
    SmallVector<int64_t> counts;
    for (const Level &level : outside)
      counts.push_back(llvm::divideCeil(nest.extents[level.loop], level.step));
    auto loop = scf::ForOp::create(b, index(0), index(llvm::product_of(counts)),
                                   index(1));
    loop->setAttr(weft::parallelAttr, b.getUnitAttr());
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    auto digits = weft::splitDigits(b, loop.getInductionVar(), counts);
    for (auto [level, digit] : llvm::zip_equal(outside, digits)) {
      Value at = digit;
      if (level.step > 1)
        at = arith::MulIOp::create(b, at, index(level.step));
      enter(level, at);
    }
    emitLevels(levels.drop_front(schedule.shared));
  }

  /// Whether the innermost loop is summed over, whole, and every operand is
  /// consecutive there, or the same.
  bool canReduceInLanes() const {
    if (schedule.levels.empty())
      return false;
    unsigned loop = schedule.levels.back().loop;
    unsigned result = nest.accesses.size() - 1;
    return !nest.isParallel(loop) && nest.stride(result, loop) == 0 &&
           llvm::all_of(nest.accesses, [&](const weft::Access &access) {
             return access.strides[loop] == 0 || access.strides[loop] == 1;
           });
  }

  /// Where an operand is at the steps that the loops have come to.
  Value placeOf(unsigned operand) {
    Value place = rows[operand].second;
    if (place)
      for (unsigned loop = 0; loop < nest.depth(); ++loop)
        place = advance(place, begins[loop], nest.stride(operand, loop));
    return place;
  }

  void emitReduction(unsigned loop) {
    unsigned result = nest.accesses.size() - 1;
    SmallVector<Value> places;
    for (unsigned operand = 0; operand <= result; ++operand)
      places.push_back(placeOf(operand));
    auto load = [&](unsigned operand, Value step, bool asVector) -> Value {
      Value row = rows[operand].first;
      if (!isa<MemRefType>(row.getType()))
        return row;
      int64_t stride = nest.stride(operand, loop);
      Value place = advance(places[operand], step, stride);
      if (!asVector || stride == 0)
        return memref::LoadOp::create(b, row, ValueRange{place});
      auto type = VectorType::get({lanes}, getElementTypeOrSelf(row.getType()));
      return vector::LoadOp::create(b, type, row, ValueRange{place});
    };
    auto index = [&](unsigned number) {
      return number == loop ? Value() : begins[number];
    };
    Value accumulated = load(result, {}, /*asVector=*/false);
    accumulated =
        inLanes->build(b, accumulated, nest.extents[loop], lanes, load, index);
    memref::StoreOp::create(b, accumulated, rows[result].first,
                            ValueRange{places[result]});
  }

  void emitLevels(ArrayRef<Level> levels) {
    if (levels.empty())
      return emitBody();
    if (levels.size() == 1 && inLanes)
      return emitReduction(levels.front().loop);
    if (levels.size() == 2 && !tiles.empty())
      return emitSquare(levels);
    emitLevel(levels);
  }

  void emitLevel(ArrayRef<Level> levels) {
    const Level &level = levels.front();
    auto loop = scf::ForOp::create(b, begins[level.loop], ends[level.loop],
                                   index(level.step));
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    auto outside = std::pair(begins[level.loop], ends[level.loop]);
    enter(level, loop.getInductionVar());
    if (levels.size() == 2 && !schedule.fetched.empty())
      fetchAhead(level);
    emitLevels(levels.drop_front());
    std::tie(begins[level.loop], ends[level.loop]) = outside;
  }

  /// Asks for the chunks of operands that are needed some time later. At the
  /// end of an array those are its last ones.
  void fetchAhead(const Level &level) {
    for (auto [operand, ahead] : schedule.fetched) {
      Value row = rows[operand].first;
      auto whole = cast<MemRefType>(wholeOf(op->getOperand(operand)).getType());
      Value place =
          arith::MinUIOp::create(b, advance(placeOf(operand), index(ahead), 1),
                                 index(whole.getNumElements() - level.step));
      int64_t apart = line / weft::bytesOf(whole.getElementType());
      for (int64_t step = 0; step < level.step; step += apart)
        memref::PrefetchOp::create(
            b, row, ValueRange{advance(place, index(step), 1)},
            /*isWrite=*/false, schedule.locality, /*isDataCache=*/true);
    }
  }

  //===--------------------------------------------------------------------===//
  // Squares
  //===--------------------------------------------------------------------===//

  /// An operand of which a square at a time is turned round, `lanes` times as
  /// many elements in vectors, into a buffer that stays in the first cache.
  /// Each line of the operand is then read once, where rows whose distance is a
  /// power of two would drive each other out of the cache.
  struct Tile {
    unsigned operand;
    Value buffer;
    int64_t lanes;
  };
  /// Steps of a square's two loops.
  struct Part {
    Value begin, end, innerBegin, innerEnd;
  };

  void makeRoomForSquares() {
    if (!schedule.square)
      return;
    const Square &square = *schedule.square;
    OpBuilder::InsertionGuard guard(b);
    for (unsigned operand : square.turned) {
      Type element = getElementTypeOrSelf(rows[operand].first.getType());
      if (!element.isIntOrFloat() || operand >= op.getNumDpsInputs())
        continue;
      int64_t lanes = lanesOf(element);
      if (lanes < 2)
        continue;
      Value buffer;
      if (!isCopyOf(operand)) {
        auto func = op->getParentOfType<func::FuncOp>();
        b.setInsertionPointToStart(&func.getBody().front());
        auto type = MemRefType::get({square.side * square.side}, element);
        buffer = memref::AllocaOp::create(b, type, b.getI64IntegerAttr(line));
      }
      tiles.push_back({operand, buffer, lanes});
    }
  }

  /// Vectors are lines, or half of them where rows begin within lines.
  int64_t lanesOf(Type element) const {
    int64_t bytes = llvm::divideCeil(element.getIntOrFloatBitWidth(), 8);
    int64_t most = std::min<int64_t>(machine.lanes(element), mostLanes);
    if (!rowsAreLines(bytes))
      most = std::min(most, line / 2 / bytes);
    return llvm::bit_floor<uint64_t>(std::min(most, schedule.square->side));
  }

  /// Whether all rows of the result are whole lines, if it begins with one.
  bool rowsAreLines(int64_t bytes) const {
    const weft::Access &result = nest.accesses.back();
    return result.offset * bytes % line == 0 &&
           llvm::all_of(llvm::enumerate(result.strides), [&](auto stride) {
             return stride.index() == schedule.square->innermost ||
                    stride.value() * bytes % line == 0;
           });
  }

  /// Whether the result is an operand as it is, in another order.
  bool isCopyOf(unsigned operand) {
    unsigned result = nest.accesses.size() - 1;
    Operation *terminator = op.getBlock()->getTerminator();
    return op.getNumDpsInits() == 1 &&
           terminator->getOperand(0) == op.getBlock()->getArgument(operand) &&
           nest.stride(result, schedule.square->innermost) == 1;
  }

  void emitSquare(ArrayRef<Level> levels) {
    for (const Tile &tile : tiles)
      turnSquare(tile);
    if (!tiles.front().buffer)
      return;
    // Loops of a known length, as far as there are whole squares.
    const Square &square = *schedule.square;
    Value isWhole;
    for (unsigned loop : {square.loop, square.innermost})
      if (nest.extents[loop] % square.side) {
        Value steps = arith::SubIOp::create(b, ends[loop], begins[loop]);
        Value whole = arith::CmpIOp::create(b, arith::CmpIPredicate::eq, steps,
                                            index(square.side));
        isWhole = isWhole ? arith::AndIOp::create(b, isWhole, whole) : whole;
      }
    if (!isWhole)
      return emitTurned(levels);
    auto either = scf::IfOp::create(b, isWhole, /*withElseRegion=*/true);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(either.elseBlock());
    emitTurned(levels);
    b.setInsertionPointToStart(either.thenBlock());
    auto outside = ends;
    for (unsigned loop : {square.loop, square.innermost})
      ends[loop] = arith::AddIOp::create(b, begins[loop], index(square.side));
    emitTurned(levels);
    ends = outside;
  }

  /// Runs the last levels with the turned squares for their operands.
  void emitTurned(ArrayRef<Level> levels) {
    const Square &square = *schedule.square;
    auto outside = std::pair(rows, nest.accesses);
    Value begin =
        advance(begins[square.innermost], begins[square.loop], square.side);
    Value offset = arith::SubIOp::create(b, index(0), begin);
    for (const Tile &tile : tiles) {
      rows[tile.operand] = {tile.buffer, offset};
      SmallVector<int64_t> &strides = nest.accesses[tile.operand].strides;
      strides.assign(nest.depth(), 0);
      strides[square.loop] = square.side;
      strides[square.innermost] = 1;
    }
    emitLevel(levels);
    std::tie(rows, nest.accesses) = outside;
  }

  /// In vectors, and one by one what is left at the ends.
  void turnSquare(const Tile &tile) {
    const Square &square = *schedule.square;
    Part all{begins[square.loop], ends[square.loop], begins[square.innermost],
             ends[square.innermost]};
    Part whole = all;
    whole.end = wholeUntil(square.loop, tile.lanes);
    whole.innerEnd = wholeUntil(square.innermost, tile.lanes);
    turnPart(tile, whole, tile.lanes);
    if (whole.innerEnd != all.innerEnd)
      turnPart(tile, {all.begin, all.end, whole.innerEnd, all.innerEnd}, 1);
    if (whole.end != all.end)
      turnPart(tile, {whole.end, all.end, all.innerBegin, whole.innerEnd}, 1);
  }

  /// The end of the last whole step of `lanes` in a square's part of a loop.
  Value wholeUntil(unsigned loop, int64_t lanes) {
    if (nest.extents[loop] % lanes == 0)
      return ends[loop];
    Value rest = arith::RemUIOp::create(b, ends[loop], index(lanes));
    return arith::SubIOp::create(b, ends[loop], rest);
  }

  void turnPart(const Tile &tile, const Part &part, int64_t lanes) {
    const Square &square = *schedule.square;
    OpBuilder::InsertionGuard guard(b);
    auto outer = scf::ForOp::create(b, part.begin, part.end, index(lanes));
    b.setInsertionPointToStart(outer.getBody());
    auto inner =
        scf::ForOp::create(b, part.innerBegin, part.innerEnd, index(lanes));
    b.setInsertionPointToStart(inner.getBody());

    SmallVector<Value> outside(begins);
    begins[square.loop] = outer.getInductionVar();
    begins[square.innermost] = inner.getInductionVar();
    turnLanes(tile, lanes, outside);
    begins = outside;
  }

  /// `lanes` rows of as many elements, at the steps that loops have come to.
  void turnLanes(const Tile &tile, int64_t lanes, ArrayRef<Value> origin) {
    const Square &square = *schedule.square;
    unsigned result = nest.accesses.size() - 1;
    Value source = rows[tile.operand].first, from = placeOf(tile.operand);
    Value target = tile.buffer, to;
    int64_t stride = square.side;
    if (tile.buffer) {
      auto stepsOf = [&](unsigned loop) -> Value {
        return arith::SubIOp::create(b, begins[loop], origin[loop]);
      };
      to = advance(stepsOf(square.innermost), stepsOf(square.loop), stride);
    } else {
      target = rows[result].first, to = placeOf(result);
      stride = nest.stride(result, square.loop);
    }
    if (lanes == 1) {
      Value element = memref::LoadOp::create(b, source, ValueRange{from});
      memref::StoreOp::create(b, element, target, ValueRange{to});
      return;
    }
    auto type =
        VectorType::get({lanes}, getElementTypeOrSelf(source.getType()));
    SmallVector<Value> vectors;
    int64_t apart = nest.stride(tile.operand, square.innermost);
    for (int64_t k = 0; k < lanes; ++k)
      vectors.push_back(vector::LoadOp::create(
          b, type, source, ValueRange{advance(from, index(k), apart)}));
    auto store = [&, rows = turned(vectors)](bool pastCaches) {
      for (auto [k, vector] : llvm::enumerate(rows))
        vector::StoreOp::create(
            b, vector, target, ValueRange{advance(to, index(k), stride)},
            /*nontemporal=*/pastCaches,
            pastCaches ? llvm::MaybeAlign(line) : llvm::MaybeAlign());
    };
    if (tile.buffer || !isLarge(type))
      return store(false);
    auto either = scf::IfOp::create(b, beginsLine(target, to),
                                    /*withElseRegion=*/true);
    b.setInsertionPointToStart(either.thenBlock());
    store(true);
    b.setInsertionPointToStart(either.elseBlock());
    store(false);
  }

  /// Whether lines of a result go straight to memory, which then need not be
  /// read before: it fills more than the second cache. What tells other threads
  /// that a task is done is an instruction that waits for such lines.
  bool isLarge(VectorType vector) const {
    int64_t bytes = llvm::divideCeil(vector.getElementTypeBitWidth(), 8);
    int64_t elements = llvm::product_of(nest.extents);
    return vector.getNumElements() * bytes == line && rowsAreLines(bytes) &&
           elements * bytes > 2 * machine.l2Bytes;
  }

  /// Whether an element begins a line: memory that is not ours may not.
  Value beginsLine(Value row, Value place) {
    int64_t bytes = llvm::divideCeil(
        getElementTypeOrSelf(row.getType()).getIntOrFloatBitWidth(), 8);
    Value address = memref::ExtractAlignedPointerAsIndexOp::create(b, row);
    address = advance(address, place, bytes);
    Value rest = arith::RemUIOp::create(b, address, index(line));
    return arith::CmpIOp::create(b, arith::CmpIPredicate::eq, rest, index(0));
  }

  /// As many vectors as each has lanes, turned round: zipping those of the
  /// first half with those of the second rotates the bits of a vector's number
  /// and a lane's by one.
  SmallVector<Value> turned(SmallVector<Value> vectors) {
    int64_t lanes = vectors.size();
    SmallVector<int64_t> low, high;
    for (int64_t i = 0; i < lanes; ++i) {
      low.push_back(i / 2 + i % 2 * lanes);
      high.push_back(lanes / 2 + i / 2 + i % 2 * lanes);
    }
    for (int64_t rounds = lanes; rounds > 1; rounds /= 2) {
      SmallVector<Value> zipped;
      for (int64_t i = 0; i < lanes / 2; ++i)
        for (ArrayRef<int64_t> half : {ArrayRef(low), ArrayRef(high)})
          zipped.push_back(vector::ShuffleOp::create(
              b, vectors[i], vectors[i + lanes / 2], half));
      vectors = zipped;
    }
    return vectors;
  }

  void emitBody() {
    IRMapping mapping;
    SmallVector<Value> places;
    for (OpOperand &operand : op->getOpOperands()) {
      unsigned number = operand.getOperandNumber();
      Value row = rows[number].first, place = placeOf(number);
      places.push_back(place);
      BlockArgument argument = op.getMatchingBlockArgument(&operand);
      if (!isa<MemRefType>(operand.get().getType()))
        mapping.map(argument, operand.get());
      else if (!argument.use_empty())
        mapping.map(
            argument,
            memref::LoadOp::create(b, row, ValueRange{place}).getResult());
    }
    SmallVector<linalg::IndexOp> indices;
    for (Operation &inner : op.getBlock()->without_terminator())
      b.clone(inner, mapping)->walk([&](linalg::IndexOp number) {
        indices.push_back(number);
      });
    for (linalg::IndexOp number : indices)
      number.replaceAllUsesWith(begins[number.getDim()]);
    for (auto [init, value] :
         llvm::zip_equal(op.getDpsInitsMutable(),
                         op.getBlock()->getTerminator()->getOperands())) {
      unsigned number = init.getOperandNumber();
      memref::StoreOp::create(b, mapping.lookupOrDefault(value),
                              rows[number].first, ValueRange{places[number]});
    }
    for (linalg::IndexOp number : indices)
      number.erase();
  }

  /// The vectors that are turned at once.
  static constexpr int64_t mostLanes = 32;
  LinalgOp op;
  Nest nest;
  const Schedule &schedule;
  const Machine &machine;
  ImplicitLocOpBuilder b;
  SmallVector<std::pair<Value, Value>> rows;
  std::optional<LaneReduction> inLanes;
  int64_t lanes = 1;
  SmallVector<Tile> tiles;
  /// The steps that each loop is to run.
  SmallVector<Value> begins, ends;
};

bool usesIndices(LinalgOp op) {
  return op.getBlock()
      ->walk([](linalg::IndexOp) { return WalkResult::interrupt(); })
      .wasInterrupted();
}

class LowerLoops final : public weft::impl::LowerLoopsBase<LowerLoops> {
  void runOnOperation() override {
    if (!weft::isOptimized(getOperation()))
      return;
    Machine machine = Machine::of(getOperation());
    SmallVector<LinalgOp> ops;
    getOperation().walk([&](LinalgOp op) { ops.push_back(op); });
    for (LinalgOp op : ops)
      lower(op, machine);
  }

  static void lower(LinalgOp op, const Machine &machine) {
    std::optional<Nest> nest =
        op.hasPureBufferSemantics() ? Nest::of(op) : std::nullopt;
    if (!nest || nest->hasPanels())
      return;
    if (!usesIndices(op))
      nest->simplify();
    Emitter(op, *nest, Schedule(op, *nest, machine), machine).emit();
  }
};

} // namespace
