// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lowering/gpu/WarpgroupEpilogue.h"
#include "lowering/fusion/ContractionPlan.h"
#include "lowering/gpu/Alignment.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using linalg::GenericOp;
using weft::ContractionPlan;
using weft::EpilogueOperand;
using weft::StoredResult;
using weft::TilePlace;
using weft::WarpgroupEpilogue;

/// Columns that a thread's pairs are apart, of a chunk, and pairs of a row.
static constexpr int64_t pairStep = 8, chunkColumns = 64, pairs = 8;
/// Rows that a thread's two halves of a chunk are apart.
static constexpr int64_t halfStep = 8;

static int64_t bytesOf(Type element) {
  return element.getIntOrFloatBitWidth() / 8;
}

SmallVector<Value> TilePlace::coordinates(const WarpgroupPlan &plan,
                                          const TensorMap &map,
                                          Value summed) const {
  SmallVector<Value> result;
  for (unsigned loop : map.loops) {
    if (loop == plan.left.loop)
      result.push_back(row);
    else if (loop == plan.right.loop)
      result.push_back(column);
    else if (loop == plan.sumLoop)
      result.push_back(summed);
    else
      result.push_back(
          outer[llvm::find(plan.outer, loop) - plan.outer.begin()]);
  }
  return result;
}

//===----------------------------------------------------------------------===//
// Where a thread's elements are
//===----------------------------------------------------------------------===//

WarpgroupEpilogue::WarpgroupEpilogue(NvvmBuilder &b, const WarpgroupPlan &plan,
                                     const Warpgroup &group,
                                     ArrayRef<Value> resultMaps)
    : b(b), plan(plan), group(group), resultMaps(resultMaps) {
  Value lane = b.modulo(group.thread, 32);
  threadRow = b.plus(b.times(b.over(group.thread, 32), 16), b.over(lane, 4));
  threadColumn = b.times(b.modulo(lane, 4), 2);
  if (plan.tile.splitsRows())
    threadRow = b.plus(threadRow, b.times(group.number, plan.tile.groupRows()));
  else
    threadColumn =
        b.plus(threadColumn, b.times(group.number, plan.tile.groupColumns()));
  if (plan.addsToMemory())
    noteAccess(plan.kernel.sums, ContractionPlan::sum, true);
  for (const EpilogueOperand &operand : plan.epilogueOperands)
    if (operand.isRead && !operand.isComputed)
      noteAccess(operand.value, operand.access, true);
  for (const StoredResult &result : plan.results)
    if (!result.map)
      noteAccess(result.buffer, result.access, false);
}

void WarpgroupEpilogue::noteAccess(Value buffer, unsigned access, bool isRead) {
  if (!isa<MemRefType>(buffer.getType()))
    return;
  if (isRead)
    readAccesses.push_back(access);
  if (!buffers.contains(access))
    buffers.insert({access, {buffer, b.globalPointer(buffer)}});
}

WarpgroupEpilogue::Operand WarpgroupEpilogue::operandOf(unsigned access,
                                                        const TilePlace &tile) {
  auto [buffer, pointer] = buffers.lookup(access);
  const Access &walk = plan.nest.accesses[access];
  Operand operand;
  operand.element = getElementTypeOrSelf(buffer.getType());
  operand.rowStride = walk.strides[plan.left.loop];
  operand.columnStride = walk.strides[plan.right.loop];
  auto isEven = [](int64_t x) { return x % 2 == 0; };
  operand.inPairs = operand.columnStride == 1 && isEven(walk.offset) &&
                    isEven(weft::multipleOf(buffer)) &&
                    isEven(operand.rowStride) && isEven(plan.columns()) &&
                    llvm::all_of(plan.outer, [&](unsigned loop) {
                      return isEven(walk.strides[loop]);
                    });
  Value offset = b.number(walk.offset, 64);
  auto add = [&](Value steps, int64_t stride) {
    if (stride)
      offset = b.plus(offset, b.times(b.widen(steps), stride));
  };
  add(b.plus(tile.row, threadRow), operand.rowStride);
  add(b.plus(tile.column, threadColumn), operand.columnStride);
  for (auto [loop, step] : llvm::zip(plan.outer, tile.outer))
    add(step, walk.strides[loop]);
  operand.pointer = b.at(pointer, b.times(offset, bytesOf(operand.element)));
  return operand;
}

/// Null where every tile is whole.
Value WarpgroupEpilogue::isInside(const Operand &to, const Chunk &chunk,
                                  Cell cell, int64_t side) {
  Value inside;
  auto require = [&](int64_t position, Value left) {
    Value less = arith::CmpIOp::create(b, arith::CmpIPredicate::slt,
                                       b.number(position), left);
    inside = inside ? arith::AndIOp::create(b, inside, less).getResult() : less;
  };
  if (to.rowStride && !plan.hasWholeRows())
    require(chunk.rowBlock * 64 + cell.half * halfStep, rowsLeft);
  if (to.columnStride && !plan.hasWholeColumns())
    require(chunk.column + cell.pair * pairStep + side, columnsLeft);
  return inside;
}

Value WarpgroupEpilogue::place(const Operand &operand, const Chunk &chunk,
                               Cell cell, int64_t side) {
  int64_t row = chunk.rowBlock * 64 + cell.half * halfStep;
  int64_t column = chunk.column + cell.pair * pairStep + side;
  return b.at(operand.pointer,
              (row * operand.rowStride + column * operand.columnStride) *
                  bytesOf(operand.element));
}

//===----------------------------------------------------------------------===//
// Loads and stores
//===----------------------------------------------------------------------===//

/// A value in memory, or 0 outside the buffer.
Value WarpgroupEpilogue::read(Type type, Value place, Value isInside) {
  int64_t bytes = bytesOf(getElementTypeOrSelf(type));
  if (isa<VectorType>(type))
    bytes *= 2;
  if (!isInside)
    return LLVM::LoadOp::create(b, type, place, bytes);
  auto op = scf::IfOp::create(b, type, isInside, /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(op.thenBlock());
  Value value = LLVM::LoadOp::create(b, type, place, bytes);
  scf::YieldOp::create(b, value);
  b.setInsertionPointToStart(op.elseBlock());
  Value zero =
      arith::ConstantOp::create(b, cast<TypedAttr>(b.getZeroAttr(type)));
  scf::YieldOp::create(b, zero);
  return op.getResult(0);
}

WarpgroupEpilogue::Pair WarpgroupEpilogue::load(const Operand &from,
                                                const Chunk &chunk, Cell cell) {
  auto readAt = [&](Type type, int64_t side) {
    return read(type, place(from, chunk, cell, side),
                isInside(from, chunk, cell, side));
  };
  if (!from.columnStride) {
    Value one = readAt(from.element, 0);
    return {one, one};
  }
  if (!from.inPairs)
    return {readAt(from.element, 0), readAt(from.element, 1)};
  Value both = readAt(VectorType::get({2}, from.element), 0);
  return {LLVM::ExtractElementOp::create(b, both, b.number(0)),
          LLVM::ExtractElementOp::create(b, both, b.number(1))};
}

/// Two elements as one vector.
Value WarpgroupEpilogue::pack(Pair values, Type element) {
  Value vector = LLVM::PoisonOp::create(b, VectorType::get({2}, element));
  for (int64_t side : {0, 1})
    vector =
        LLVM::InsertElementOp::create(b, vector, values[side], b.number(side));
  return vector;
}

void WarpgroupEpilogue::store(const Operand &to, Pair values,
                              const Chunk &chunk, Cell cell) {
  auto put = [&](Value value, int64_t side, int64_t alignment) {
    auto write = [&] {
      LLVM::StoreOp::create(b, value, place(to, chunk, cell, side), alignment);
    };
    Value inside = isInside(to, chunk, cell, side);
    inside ? b.when(inside, write) : write();
  };
  int64_t bytes = bytesOf(to.element);
  if (to.inPairs)
    return put(pack(values, to.element), 0, 2 * bytes);
  put(values[0], 0, bytes);
  put(values[1], 1, bytes);
}

//===----------------------------------------------------------------------===//
// The epilogues
//===----------------------------------------------------------------------===//

/// All that a chunk needs of memory, before any of it is stored: a result may
/// be left where an operand was.
void WarpgroupEpilogue::loadOperands(const Chunk &chunk) {
  loaded.clear();
  for (unsigned access : readAccesses) {
    const Operand &from = operands[access];
    for (int64_t pair = 0; pair < (from.columnStride ? pairs : 1); ++pair)
      for (int64_t half = 0; half < (from.rowStride ? 2 : 1); ++half)
        loaded[access][pair][half] = load(from, chunk, {pair, half});
  }
}

Value WarpgroupEpilogue::loadedAt(unsigned access, Cell cell, int64_t side) {
  const Operand &from = operands[access];
  return loaded[access][from.columnStride ? cell.pair : 0]
               [from.rowStride ? cell.half : 0][side];
}

Value WarpgroupEpilogue::sumAt(const Chunk &chunk, Cell cell, int64_t side) {
  Value sum = chunk.sums[4 * cell.pair + 2 * cell.half + side];
  if (plan.addsToMemory())
    return arith::AddFOp::create(b, loadedAt(ContractionPlan::sum, cell, side),
                                 sum);
  Value start = plan.kernel.start;
  if (matchPattern(start, m_AnyZeroFloat()))
    return sum;
  return arith::AddFOp::create(b, start, sum);
}

/// One element of each result.
void WarpgroupEpilogue::compute(const Chunk &chunk, Cell cell, int64_t side) {
  llvm::SmallDenseMap<Value, Value> current;
  current[plan.kernel.sums] = sumAt(chunk, cell, side);
  ArrayRef<EpilogueOperand> operandsLeft = plan.epilogueOperands;
  for (GenericOp epilogue : plan.kernel.epilogues) {
    IRMapping mapping;
    for (BlockArgument argument : epilogue.getBody()->getArguments()) {
      const EpilogueOperand &operand = operandsLeft.front();
      operandsLeft = operandsLeft.drop_front();
      if (operand.isComputed)
        mapping.map(argument, current.lookup(operand.value));
      else if (!isa<MemRefType>(operand.value.getType()))
        mapping.map(argument, operand.value);
      else if (operand.isRead)
        mapping.map(argument, loadedAt(operand.access, cell, side));
    }
    for (Operation &op : epilogue.getBody()->without_terminator())
      b.clone(op, mapping);
    current[epilogue.getDpsInits()[0]] = mapping.lookupOrDefault(
        epilogue.getBody()->getTerminator()->getOperand(0));
  }
  for (auto [number, result] : llvm::enumerate(plan.results))
    computed[number][cell.pair][cell.half][side] =
        current.lookup(result.buffer);
}

int64_t WarpgroupEpilogue::numChunks() const {
  return plan.tile.groupRows() / 64 * plan.tile.groupColumns() / chunkColumns;
}

/// A chunk is the work of one block where several share a tile.
void WarpgroupEpilogue::run(const TilePlace &tile, ArrayRef<Value> sums) {
  auto left = [&](int64_t extent, Value first, Value ofThread) -> Value {
    return arith::SubIOp::create(b, b.number(extent), b.plus(first, ofThread));
  };
  rowsLeft = left(plan.rows(), tile.row, threadRow);
  columnsLeft = left(plan.columns(), tile.column, threadColumn);
  operands.clear();
  for (auto &[access, buffer] : buffers)
    operands[access] = operandOf(access, tile);
  computed.resize(plan.results.size());
  if (group.rank)
    share(sums);
  forChunks([&](Chunk chunk) {
    if (!group.rank) {
      chunk.sums = sumsOf(sums[chunk.rowBlock], chunk.column);
      return finishChunk(tile, chunk);
    }
    b.when(b.isEqual(group.rank, chunkNumber(chunk) % plan.splits),
           [&] { finishChunk(tile, chunk); });
  });
  // Others read this block's memory until here.
  if (group.rank)
    b.syncCluster(/*publishes=*/false);
}

void WarpgroupEpilogue::forChunks(function_ref<void(Chunk)> body) {
  for (int64_t rowBlock = 0; rowBlock < plan.tile.groupRows() / 64; ++rowBlock)
    for (int64_t column = 0; column < plan.tile.groupColumns();
         column += chunkColumns)
      body({rowBlock, column, {}});
}

SmallVector<Value> WarpgroupEpilogue::sumsOf(Value sums, int64_t column) {
  SmallVector<Value> result;
  for (int64_t i = 0; i < 4 * pairs; ++i)
    result.push_back(LLVM::ExtractValueOp::create(b, sums, column / 2 + i));
  return result;
}

void WarpgroupEpilogue::finishChunk(const TilePlace &tile, Chunk chunk) {
  loadOperands(chunk);
  // The assembler moves what reads sums up to the products, and then lets
  // none of these overlap; but not over the barrier of a gather.
  if (plan.copiesResults())
    waitForGatherPlace(ownNumber(chunk));
  chunk.sums = group.rank ? addShared(chunk) : b.pin(chunk.sums);
  for (int64_t pair = 0; pair < pairs; ++pair)
    for (int64_t half : {0, 1})
      for (int64_t side : {0, 1})
        compute(chunk, {pair, half}, side);
  storeResults(tile, chunk);
}

//===----------------------------------------------------------------------===//
// Tiles that several blocks share
//===----------------------------------------------------------------------===//

/// Four floats, and those of all threads.
static constexpr int64_t quadBytes = 16, quadsBytes = 128 * quadBytes;

int64_t WarpgroupEpilogue::chunkNumber(const Chunk &chunk) const {
  return (chunk.rowBlock * plan.tile.groupColumns() + chunk.column) /
         chunkColumns;
}

/// Of a shared tile's chunks, a block has one in so many.
int64_t WarpgroupEpilogue::ownNumber(const Chunk &chunk) const {
  return chunkNumber(chunk) / plan.splits;
}

/// Where a thread leaves its sums of a chunk: in the place of the stages.
Value WarpgroupEpilogue::sharePlace(const Chunk &chunk) {
  constexpr int64_t bytes = pairs * quadsBytes;
  Value ofThread = b.plus(b.times(group.number, numChunks() * bytes),
                          b.times(group.thread, quadBytes));
  return b.at(b.at(group.shared, ofThread), chunkNumber(chunk) * bytes);
}

void WarpgroupEpilogue::share(ArrayRef<Value> sums) {
  // The other warpgroup may still read the stages.
  constexpr int64_t barrier = 3;
  b.sync(b.number(barrier), 128 * WarpgroupTile::warpgroups);
  auto quad = VectorType::get({4}, b.getF32Type());
  forChunks([&](Chunk chunk) {
    SmallVector<Value> floats =
        b.pin(sumsOf(sums[chunk.rowBlock], chunk.column));
    Value place = sharePlace(chunk);
    for (int64_t i = 0; i < pairs; ++i) {
      Value vector = LLVM::PoisonOp::create(b, quad);
      for (int64_t j = 0; j < 4; ++j)
        vector = LLVM::InsertElementOp::create(b, vector, floats[4 * i + j],
                                               b.number(j));
      LLVM::StoreOp::create(b, vector, b.at(place, i * quadsBytes), quadBytes);
    }
  });
  b.syncCluster(/*publishes=*/true);
}

/// The blocks' sums are added in the order of their numbers.
SmallVector<Value> WarpgroupEpilogue::addShared(const Chunk &chunk) {
  auto quad = VectorType::get({4}, b.getF32Type());
  SmallVector<Value> result;
  for (int64_t rank = 0; rank < plan.splits; ++rank) {
    Value place = b.inBlock(sharePlace(chunk), b.number(rank));
    for (int64_t i = 0; i < pairs; ++i) {
      Value vector =
          LLVM::LoadOp::create(b, quad, b.at(place, i * quadsBytes), quadBytes);
      for (int64_t j = 0; j < 4; ++j) {
        Value part = LLVM::ExtractElementOp::create(b, vector, b.number(j));
        if (!rank)
          result.push_back(part);
        else
          result[4 * i + j] = arith::AddFOp::create(b, result[4 * i + j], part);
      }
    }
  }
  return result;
}

void WarpgroupEpilogue::storeResults(const TilePlace &tile,
                                     const Chunk &chunk) {
  for (auto [number, result] : llvm::enumerate(plan.results)) {
    if (result.map) {
      gather(tile, chunk, number);
      continue;
    }
    for (int64_t pair = 0; pair < pairs; ++pair)
      for (int64_t half : {0, 1})
        store(operands[result.access], computed[number][pair][half], chunk,
              {pair, half});
  }
}

//===----------------------------------------------------------------------===//
// Stores by the copy engine
//===----------------------------------------------------------------------===//

/// A gather has lines of 128 bytes: of a chunk, all columns or half of them.
int64_t WarpgroupEpilogue::gathersOfChunk(unsigned result) const {
  return bytesOf(elementOf(result)) / 2;
}

Type WarpgroupEpilogue::elementOf(unsigned result) const {
  return getElementTypeOrSelf(plan.results[result].buffer.getType());
}

/// There are two places, taken in turn: the engine still reads the other one.
Value WarpgroupEpilogue::gatherPlace(int64_t gather) {
  Value begin =
      b.at(group.shared, b.times(group.number, 2 * WarpgroupPlan::storeBytes));
  return b.at(begin,
              plan.storeOffset() + gather % 2 * WarpgroupPlan::storeBytes);
}

/// Until the engine has read the place of a gather, which is the one before
/// the last, or, of an odd number of gathers, the last one of the tile before.
void WarpgroupEpilogue::waitForGatherPlace(int64_t gather) {
  unsigned copied = plan.results.size() - 1;
  int64_t gathers =
      llvm::divideCeil(numChunks(), plan.splits) * gathersOfChunk(copied);
  int64_t inFlight = gather == 0 && gathers % 2 ? 0 : 1;
  b.when(group.isFirstThread, [&] {
    NVVM::CpAsyncBulkWaitGroupOp::create(b, inFlight, b.getUnitAttr());
  });
  b.sync(b.plus(group.number, 1), 128);
}

void WarpgroupEpilogue::gather(const TilePlace &tile, const Chunk &chunk,
                               unsigned result) {
  int64_t parts = gathersOfChunk(result);
  for (int64_t part = 0; part < parts; ++part) {
    int64_t number = ownNumber(chunk) * parts + part;
    if (part)
      waitForGatherPlace(number);
    Value place = gatherPlace(number);
    if (parts == 1)
      gatherMatrices(place, result);
    else
      gatherFloats(place, result, part * pairs / parts, pairs / parts);
    storeGathered(tile, chunk, result, place, part * chunkColumns / parts);
  }
}

/// 16-bit elements, swizzled as the engine reads them.
void WarpgroupEpilogue::gatherMatrices(Value place, unsigned result) {
  // Lane 8 i + j states the place of line j of matrix i: of 16 rows and 16
  // columns, the matrices are upper left, lower left, upper right, lower right.
  Value lane = b.modulo(group.thread, 32), line = b.modulo(lane, 8);
  Value row = b.plus(b.times(b.over(group.thread, 32), 16), b.modulo(lane, 16));
  Value unit = arith::XOrIOp::create(b, b.over(lane, 16), line);
  Value begin = b.at(place, b.times(row, 128));
  for (int64_t pair = 0; pair < pairs; pair += 2) {
    Value swizzled = arith::XOrIOp::create(b, unit, b.number(pair));
    SmallVector<Value> words;
    for (int64_t side : {0, 1})
      for (int64_t half : {0, 1})
        words.push_back(LLVM::BitcastOp::create(
            b, b.getI32Type(),
            pack(computed[result][pair + side][half], elementOf(result))));
    NVVM::StMatrixOp::create(
        b, b.at(begin, b.times(swizzled, 16)), words, NVVM::MMALayout::row,
        NVVM::LdStMatrixShapeAttr::get(b.getContext(), 8, 8),
        NVVM::LdStMatrixEltType::B16);
  }
}

/// 32-bit elements: a pair is half of a unit of the swizzle.
void WarpgroupEpilogue::gatherFloats(Value place, unsigned result,
                                     int64_t first, int64_t count) {
  Value lane = b.modulo(group.thread, 32), line = b.over(lane, 4);
  Value row = b.plus(b.times(b.over(group.thread, 32), 16), line);
  Value unit = arith::XOrIOp::create(b, b.over(b.modulo(lane, 4), 2), line);
  Value begin =
      b.at(b.at(place, b.times(row, 128)), b.times(b.modulo(lane, 2), 8));
  for (int64_t pair = 0; pair < count; ++pair) {
    Value swizzled = arith::XOrIOp::create(b, unit, b.number(2 * pair));
    Value to = b.at(begin, b.times(swizzled, 16));
    for (int64_t half : {0, 1})
      LLVM::StoreOp::create(
          b, pack(computed[result][first + pair][half], elementOf(result)),
          b.at(to, half * halfStep * 128), /*alignment=*/8);
  }
}

/// Has the engine store what all threads have gathered.
void WarpgroupEpilogue::storeGathered(const TilePlace &tile, const Chunk &chunk,
                                      unsigned result, Value place,
                                      int64_t column) {
  NVVM::FenceProxyOp::create(
      b, NVVM::ProxyKind::async_shared,
      NVVM::SharedSpaceAttr::get(b.getContext(),
                                 NVVM::SharedSpace::shared_cta));
  b.sync(b.plus(group.number, 1), 128);
  b.when(group.isFirstThread, [&] {
    TilePlace there = tile;
    const WarpgroupTile &sizes = plan.tile;
    there.row = b.plus(tile.row, 64 * chunk.rowBlock);
    there.column = b.plus(tile.column, chunk.column + column);
    Value &moved = sizes.splitsRows() ? there.row : there.column;
    moved = b.plus(moved, b.times(group.number, sizes.splitsRows()
                                                    ? sizes.groupRows()
                                                    : sizes.groupColumns()));
    b.storeBox(resultMaps[result], place,
               there.coordinates(plan, *plan.results[result].map));
    NVVM::CpAsyncBulkCommitGroupOp::create(b);
  });
}

void WarpgroupEpilogue::finish() {
  if (plan.copiesResults())
    b.when(group.isFirstThread, [&] {
      NVVM::CpAsyncBulkWaitGroupOp::create(b, 0, b.getUnitAttr());
    });
}
