// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lowering/fusion/TilePlan.h"
#include "lowering/fusion/ContractionPlan.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using weft::Machine;
using weft::MultiplyAdd;
using weft::Panels;
using weft::TilePlan;

/// Into so many blocks a sum is split, if each has so many products: some tens
/// of microseconds.
static constexpr int64_t mostTasks = 8;
static constexpr double leastProducts = 1 << 25, leastInDots = 1 << 22;
/// Bytes of the rows that a thread copies at once for packed columns.
static constexpr int64_t mostRowBytes = 512 << 10;

//===----------------------------------------------------------------------===//
// What tiles multiply
//===----------------------------------------------------------------------===//

/// Whether the conversions are of a bfloat16 to the float of the same value:
/// its bits become the upper ones.
static bool widenBFloat16(ArrayRef<Operation *> casts) {
  if (casts.size() == 1)
    return isa<arith::ExtFOp>(casts[0]);
  llvm::APInt distance;
  return casts.size() == 4 && isa<arith::BitcastOp>(casts[0]) &&
         isa<arith::ExtUIOp>(casts[1]) && isa<arith::ShLIOp>(casts[2]) &&
         matchPattern(casts[2]->getOperand(1), m_ConstantInt(&distance)) &&
         distance == 16 && isa<arith::BitcastOp>(casts[3]);
}

/// Whether the conversions are of a byte to a wider integer, or none.
static bool widenByte(ArrayRef<Operation *> casts) {
  return casts.empty() || (casts.size() == 1 &&
                           isa<arith::ExtSIOp, arith::ExtUIOp>(casts.front()));
}

/// Whether tiles multiply such factors and add the products in such numbers.
/// Sums of integers are right modulo 2 to the 32.
static bool areInTiles(linalg::GenericOp op, const MultiplyAdd &body) {
  Type x = getElementTypeOrSelf(op.getDpsInputs()[0].getType());
  Type y = getElementTypeOrSelf(op.getDpsInputs()[1].getType());
  Type sum = getElementTypeOrSelf(op.getDpsInits()[0].getType());
  if (x != y)
    return false;
  if (x.isBF16())
    return sum.isF32() && widenBFloat16(body.casts[0]) &&
           widenBFloat16(body.casts[1]);
  return x.isInteger(8) && sum.isInteger() &&
         sum.getIntOrFloatBitWidth() >= 8 &&
         sum.getIntOrFloatBitWidth() <= 32 && widenByte(body.casts[0]) &&
         widenByte(body.casts[1]);
}

/// Whether vectors have dot products of such factors: of bfloat16, or of bytes
/// that are not both without a sign.
static bool areInDots(linalg::GenericOp op, const MultiplyAdd &body,
                      const Machine &machine) {
  if (machine.vectorBytes < 16 || machine.vectorBytes > 64)
    return false;
  if (getElementTypeOrSelf(op.getDpsInputs()[0].getType()).isBF16())
    return machine.hasBFloat16Dots;
  auto isUnsigned = [](ArrayRef<Operation *> casts) {
    return !casts.empty() && isa<arith::ExtUIOp>(casts.front());
  };
  return machine.hasDots &&
         !(isUnsigned(body.casts[0]) && isUnsigned(body.casts[1]));
}

//===----------------------------------------------------------------------===//
// The plan
//===----------------------------------------------------------------------===//

bool TilePlan::chooseLoops(unsigned factor) {
  columnFactor = factor;
  std::optional<unsigned> row, column, along;
  auto prefer = [&](std::optional<unsigned> &best, unsigned loop) {
    if (!best || nest.extents[*best] < nest.extents[loop])
      best = loop;
  };
  for (unsigned loop = 0; loop < nest.depth(); ++loop) {
    int64_t ofRow = nest.stride(rowFactor(), loop);
    int64_t ofColumn = nest.stride(columnFactor, loop);
    if (!nest.isParallel(loop)) {
      if (ofRow && ofColumn)
        prefer(along, loop);
    } else if (ofRow && !ofColumn) {
      prefer(row, loop);
    } else if (!ofRow && ofColumn && nest.stride(sum, loop) == 1) {
      prefer(column, loop);
    }
  }
  if (!row || !column || !along)
    return false;
  rowLoop = *row, columnLoop = *column, sumLoop = *along;
  // A factor is read in vectors.
  auto isConsecutive = [&](unsigned operand, unsigned loop) {
    return nest.stride(operand, loop) == 1 ||
           nest.stride(operand, sumLoop) == 1;
  };
  return isConsecutive(rowFactor(), rowLoop) &&
         isConsecutive(columnFactor, columnLoop);
}

/// The loops by which panels of columns were made, which nothing else is in.
bool TilePlan::findPanels() {
  for (unsigned operand = 0; operand < nest.accesses.size(); ++operand)
    if (operand != columnFactor && !nest.accesses[operand].panels.empty())
      return false;
  ArrayRef<Panels> panels = nest.accesses[columnFactor].panels;
  std::optional<unsigned> column, along;
  for (const Panels &each : panels) {
    const int64_t *step = llvm::find(each.strides, 1);
    if (step == each.strides.end() ||
        llvm::count(each.strides, 0) + 1 != int64_t(nest.depth()))
      return false;
    unsigned loop = step - each.strides.begin();
    bool isColumn = nest.isParallel(loop);
    (isColumn ? column : along) = loop;
    if (each.width != (isColumn ? panel : group()))
      return false;
  }
  if (panels.size() != 2 || !column || !along)
    return false;
  columnLoop = *column, sumLoop = *along;
  return nest.stride(columnFactor, columnLoop) == group() &&
         nest.stride(columnFactor, sumLoop) == 1 &&
         nest.accesses[columnFactor].panelsAlong(sumLoop)->stride ==
             panel * group() &&
         nest.stride(rowFactor(), sumLoop) != 0 &&
         nest.stride(rowFactor(), columnLoop) == 0;
}

/// The loops for panels of columns that are yet to be made: along a row of its
/// factor and of the result, if they have such.
bool TilePlan::chooseColumns() {
  std::optional<unsigned> column, along;
  auto prefer = [&](std::optional<unsigned> &best, unsigned loop,
                    unsigned operand) {
    auto valueOf = [&](unsigned loop) {
      return nest.extents[loop] * (nest.stride(operand, loop) == 1 ? 4 : 1);
    };
    if (!best || valueOf(*best) < valueOf(loop))
      best = loop;
  };
  for (unsigned loop = 0; loop < nest.depth(); ++loop) {
    int64_t ofRow = nest.stride(rowFactor(), loop);
    int64_t ofColumn = nest.stride(columnFactor, loop);
    if (nest.isParallel(loop) && !ofRow && ofColumn && nest.stride(sum, loop))
      prefer(column, loop, sum);
    if (!nest.isParallel(loop) && ofRow && ofColumn)
      prefer(along, loop, rowFactor());
  }
  if (!column || !along)
    return false;
  columnLoop = *column, sumLoop = *along;
  return true;
}

/// Rows, and perhaps another loop whose steps go over whole rows of theirs: all
/// of them are rows then, and what lies between as well, of which the sums are
/// left alone. An image in a margin is such, of which windows are read. Those
/// with which tiles are filled best.
bool TilePlan::chooseRows() {
  std::optional<unsigned> bestRow, bestSpan;
  double best = 0;
  auto isRow = [&](unsigned loop) {
    return nest.isParallel(loop) && nest.stride(rowFactor(), loop) > 0 &&
           nest.stride(columnFactor, loop) == 0 && loop != columnLoop;
  };
  // Rows far apart are read, and written, from pages far apart.
  int64_t nearest = std::numeric_limits<int64_t>::max();
  for (unsigned loop = 0; loop < nest.depth(); ++loop)
    if (isRow(loop))
      nearest = std::min(nearest, nest.stride(rowFactor(), loop));
  auto spanOf = [&](unsigned row, unsigned by) {
    return nest.stride(rowFactor(), by) / nest.stride(rowFactor(), row);
  };
  auto consider = [&](unsigned row, std::optional<unsigned> by) {
    rowLoop = row, spanLoop = by;
    span = by ? spanOf(row, *by) : 0;
    int64_t wanted = nest.extents[row] * (by ? nest.extents[*by] : 1);
    double filled = double(wanted) / llvm::alignTo(rows(), tileRows);
    // Many rows are as good as whole tiles.
    double value = filled * rows() / (rows() + tileRows);
    if (nest.stride(rowFactor(), row) != nearest)
      value /= 2;
    if (rows() >= tileRows && value > best)
      best = value, bestRow = row, bestSpan = by;
  };
  for (unsigned row = 0; row < nest.depth(); ++row) {
    if (!isRow(row) || (nest.stride(rowFactor(), row) != 1 &&
                        nest.stride(rowFactor(), sumLoop) != 1))
      continue;
    consider(row, std::nullopt);
    for (unsigned by = 0; by < nest.depth(); ++by)
      if (by != row && isRow(by) && spanOf(row, by) >= nest.extents[row] &&
          spanOf(row, by) * nest.stride(rowFactor(), row) ==
              nest.stride(rowFactor(), by))
        consider(row, by);
  }
  if (!bestRow)
    return false;
  rowLoop = *bestRow, spanLoop = bestSpan;
  span = spanLoop ? spanOf(rowLoop, *spanLoop) : 0;
  readsRows = nest.stride(rowFactor(), sumLoop) == 1 &&
              steps() % (byDots ? group() : tileSteps()) == 0;
  return true;
}

void TilePlan::splitLoops() {
  for (unsigned loop = 0; loop < nest.depth(); ++loop)
    if (loop != rowLoop && loop != columnLoop && loop != sumLoop &&
        spanLoop != loop)
      (nest.isParallel(loop) ? outer : summed).push_back(loop);
}

int64_t TilePlan::sumTiles() const {
  int64_t tiles = llvm::divideCeil(steps(), tileSteps());
  for (unsigned loop : summed)
    tiles *= nest.extents[loop];
  return tiles;
}

/// Whether tiles are filled well enough. Smaller sums take the microseconds of
/// a call either way, and are not for a loss of what is close to zero.
bool TilePlan::isWorthIt(bool packs) const {
  constexpr int64_t least = 16, leastOfTurned = 8, leastColumns = 24;
  // Dot products have columns of a panel that are none, and of float32 there
  // are half as many at once.
  if (byDots && factorBytes == 2 && !packs && columns() < leastColumns)
    return false;
  // Columns whose steps lie side by side would be turned for vectors too.
  bool isTurned = !isPacked && nest.stride(columnFactor, sumLoop) == 1;
  return rows() >= (isTurned ? leastOfTurned : least) && columns() >= least &&
         steps() >= least && nest.steps() >= 1 << 17;
}

/// `extent` in equal blocks of about `size`, each a multiple of `step`.
static int64_t equalBlocks(int64_t extent, int64_t size, int64_t step) {
  int64_t blocks = std::max<int64_t>(1, (extent + size / 2) / size);
  return llvm::alignTo(llvm::divideCeil(extent, blocks), step);
}

void TilePlan::chooseBlocks(const Machine &machine) {
  // What is packed of the rows leaves room in the first cache for the columns
  // that pass by; these are in the second, with the sums.
  int64_t lineBlock = std::clamp<int64_t>(machine.l1Bytes >> 6, lineBytes, 512);
  sumBlock = equalBlocks(steps(), lineBlock / factorBytes, tileSteps());
  int64_t columnBytes = std::min<int64_t>(machine.l2Bytes >> 3, 256 << 10);
  int64_t most = std::max(columnBytes / (sumBlock * factorBytes), panel);
  columnBlock = equalBlocks(columns(), most, panel);
  rowBlock = equalBlocks(rows(), 512, panel);
  // Every block packs what it reads, so that they are as large as leaves
  // threads with work.
  splitForThreads(/*rowsFirst=*/false);
}

int64_t TilePlan::numTasks() const {
  int64_t count = llvm::divideCeil(rows(), rowBlock) *
                  llvm::divideCeil(columns(), columnBlock);
  for (unsigned loop : outer)
    count *= nest.extents[loop];
  return count;
}

void TilePlan::splitForThreads(bool rowsFirst) {
  double least = byDots ? leastInDots : leastProducts;
  while (numTasks() < mostTasks && nest.steps() > numTasks() * least &&
         std::max(rowBlock, columnBlock) > 2 * panel) {
    bool splitsRows =
        rowsFirst ? rowBlock > 2 * panel : rowBlock >= columnBlock;
    int64_t &larger = splitsRows ? rowBlock : columnBlock;
    // Smaller in any case: halves of 70 are no equal blocks of whole panels.
    larger = std::min(
        equalBlocks(splitsRows ? rows() : columns(), larger / 2, panel),
        larger - panel);
  }
}

/// Nothing is summed up in parts, so that a block may be small: its sums and
/// its columns stay in the second cache.
void TilePlan::choosePackedBlocks(const Machine &machine) {
  sumBlock = steps();
  int64_t columnBytes = std::max<int64_t>(machine.l2Bytes >> 2, 64 << 10);
  int64_t most =
      std::clamp<int64_t>(columnBytes / (sumTiles() * lineBytes), panel, 512);
  columnBlock = equalBlocks(columns(), most, panel);
  rowBlock = equalBlocks(rows(), 512, panel);
  splitForThreads(/*rowsFirst=*/true);
  // The last tile ends with the last row, and begins within the last block: the
  // one before may have changed its sums already.
  while (rows() > rowBlock && rows() % rowBlock > 0 &&
         rows() % rowBlock < tileRows)
    rowBlock += panel;
}

std::optional<TilePlan> TilePlan::begin(linalg::GenericOp op,
                                        const Machine &machine,
                                        linalg::GenericOp epilogue) {
  if (!machine.hasTiles && !machine.hasDots && !machine.hasBFloat16Dots)
    return std::nullopt;
  std::optional<MultiplyAdd> body = MultiplyAdd::match(op);
  std::optional<Nest> nest = Nest::of(op);
  if (!body || !nest || !areInTiles(op, *body) || !body->mayReorder() ||
      llvm::is_contained(nest->extents, 0) ||
      !(machine.hasTiles || areInDots(op, *body, machine)))
    return std::nullopt;
  TilePlan plan;
  plan.byDots = !machine.hasTiles;
  plan.nest = std::move(*nest);
  if (epilogue && !addEpilogue(plan.nest, op, epilogue))
    return std::nullopt;
  plan.nest.simplify();
  Type factor = getElementTypeOrSelf(op.getDpsInputs()[0].getType());
  plan.factorBytes = factor.getIntOrFloatBitWidth() / 8;
  for (unsigned i : {0, 1})
    plan.isUnsigned[i] =
        !body->casts[i].empty() && isa<arith::ExtUIOp>(body->casts[i].front());
  return plan;
}

std::optional<TilePlan> TilePlan::make(linalg::GenericOp op,
                                       const Machine &machine,
                                       linalg::GenericOp epilogue) {
  std::optional<TilePlan> plan = begin(op, machine, epilogue);
  if (!plan)
    return std::nullopt;
  if (plan->nest.hasPanels()) {
    plan->isPacked = true;
    plan->columnFactor = plan->nest.accesses[1].panels.empty() ? 0 : 1;
    if (!plan->mayBePacked() || !plan->findPanels() || !plan->chooseRows())
      return std::nullopt;
  } else if ((!plan->chooseLoops(/*factor=*/1) &&
              !plan->chooseLoops(/*factor=*/0)) ||
             !plan->isWorthIt(/*packs=*/false)) {
    return std::nullopt;
  }
  plan->splitLoops();
  if (plan->isPacked)
    plan->choosePackedBlocks(machine);
  else
    plan->chooseBlocks(machine);
  if (epilogue && findConvertedSums(op))
    plan->keepSums();
  return plan;
}

std::optional<TilePlan> TilePlan::toPack(linalg::GenericOp op,
                                         const Machine &machine) {
  std::optional<TilePlan> plan = begin(op, machine, /*epilogue=*/{});
  if (!plan || !plan->mayBePacked() || plan->nest.hasPanels())
    return std::nullopt;
  for (unsigned factor : {1, 0}) {
    plan->columnFactor = factor;
    if (!plan->chooseColumns() || !plan->chooseRows())
      continue;
    plan->splitLoops();
    if (plan->isWorthIt(/*packs=*/true) && plan->isWorthPacking())
      return plan;
    plan->outer.clear();
    plan->summed.clear();
  }
  return std::nullopt;
}

/// Whether what is copied is read often enough, and does not pass by in one go.
bool TilePlan::isWorthPacking() const {
  int64_t timesRead = rows();
  for (unsigned loop : outer)
    if (nest.stride(columnFactor, loop) == 0)
      timesRead *= nest.extents[loop];
  bool fits =
      readsRows || sumTiles() * 2 * tileRows * lineBytes <= mostRowBytes;
  // Of short sums, dot products read rows as they lie: their copies would take
  // as long as the sums.
  bool isShort = byDots && readsRows && steps() <= 128;
  return (isShort || !summed.empty()) && timesRead >= 4 * panel && fits;
}

void TilePlan::keepSums() {
  nest.placeInBlock(sum, rowLoop, columnBlock, columnLoop);
  if (spanLoop)
    nest.accesses[sum].strides[*spanLoop] = span * columnBlock;
  ownSums = rowBlock * columnBlock;
}

bool weft::isBlockedSum(linalg::GenericOp op, const Machine &machine) {
  return op.getNumReductionLoops() > 0 &&
         (TilePlan::make(op, machine) || ContractionPlan::make(op, machine));
}
