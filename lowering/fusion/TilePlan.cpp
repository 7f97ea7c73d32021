// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lowering/fusion/TilePlan.h"
#include "lowering/fusion/ContractionPlan.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using weft::Machine;
using weft::MultiplyAdd;
using weft::TilePlan;

/// Into so many blocks a sum is split, if each has so many products.
static constexpr int64_t mostTasks = 8;
static constexpr double leastProducts = 1 << 25;

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

/// Whether vectors have dot products of such factors: of bytes, and not both
/// without a sign.
static bool areInDots(linalg::GenericOp op, const MultiplyAdd &body,
                      const Machine &machine) {
  auto isUnsigned = [](ArrayRef<Operation *> casts) {
    return !casts.empty() && isa<arith::ExtUIOp>(casts.front());
  };
  return machine.hasDots && machine.vectorBytes >= 16 &&
         machine.vectorBytes <= 64 &&
         getElementTypeOrSelf(op.getDpsInputs()[0].getType()).isInteger(8) &&
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

double TilePlan::products() const {
  double count = 1;
  for (int64_t extent : nest.extents)
    count *= extent;
  return count;
}

/// Whether tiles are filled well enough. Smaller sums take the microseconds of
/// a call either way, and are not for a loss of what is close to zero.
bool TilePlan::isWorthIt() const {
  constexpr int64_t least = 16;
  return rows() >= least && columns() >= least && steps() >= least &&
         products() >= 1 << 17;
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
  auto tasks = [&] {
    int64_t count = llvm::divideCeil(rows(), rowBlock) *
                    llvm::divideCeil(columns(), columnBlock);
    for (unsigned loop : outer)
      count *= nest.extents[loop];
    return count;
  };
  while (tasks() < mostTasks && products() > tasks() * leastProducts &&
         std::max(rowBlock, columnBlock) > 2 * panel) {
    bool splitsRows = rowBlock >= columnBlock;
    int64_t &larger = splitsRows ? rowBlock : columnBlock;
    larger = equalBlocks(splitsRows ? rows() : columns(), larger / 2, panel);
  }
}

std::optional<TilePlan> TilePlan::make(linalg::GenericOp op,
                                       const Machine &machine,
                                       linalg::GenericOp epilogue) {
  if (!machine.hasTiles && !machine.hasDots)
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
  if (plan.nest.hasPanels())
    return std::nullopt;
  plan.nest.simplify();
  Type factor = getElementTypeOrSelf(op.getDpsInputs()[0].getType());
  plan.factorBytes = factor.getIntOrFloatBitWidth() / 8;
  if (!plan.chooseLoops(/*factor=*/1) && !plan.chooseLoops(/*factor=*/0))
    return std::nullopt;
  if (!plan.isWorthIt())
    return std::nullopt;
  for (unsigned loop = 0; loop < plan.nest.depth(); ++loop) {
    if (loop == plan.rowLoop || loop == plan.columnLoop || loop == plan.sumLoop)
      continue;
    (plan.nest.isParallel(loop) ? plan.outer : plan.summed).push_back(loop);
  }
  for (unsigned i : {0, 1})
    plan.isUnsigned[i] =
        !body->casts[i].empty() && isa<arith::ExtUIOp>(body->casts[i].front());
  plan.chooseBlocks(machine);
  if (epilogue && findConvertedSums(op)) {
    plan.nest.placeInBlock(sum, plan.rowLoop, plan.columnBlock,
                           plan.columnLoop);
    plan.ownSums = plan.rowBlock * plan.columnBlock;
  }
  return plan;
}

bool weft::isBlockedSum(linalg::GenericOp op, const Machine &machine) {
  return op.getNumReductionLoops() > 0 &&
         (TilePlan::make(op, machine) || ContractionPlan::make(op, machine));
}
