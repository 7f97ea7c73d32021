// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lowering/gpu/ProductPlan.h"
#include "lowering/Passes.h"
#include "lowering/gpu/Alignment.h"
#include "lowering/gpu/ProductKernel.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using weft::BlockTile;
using weft::FactorTile;
using weft::Gpu;
using weft::LoopGroup;
using weft::MatrixElement;
using weft::MultiplyAdd;
using weft::ProductPlan;

//===----------------------------------------------------------------------===//
// Operands and types
//===----------------------------------------------------------------------===//

bool ProductPlan::addOperands(const ProductKernel &kernel) {
  linalg::GenericOp op = kernel.sum;
  std::optional<Nest> all = Nest::of(op);
  if (!all || llvm::is_contained(all->extents, 0) || all->hasPanels() ||
      !kernel.sumMap().isProjectedPermutation() ||
      !llvm::all_of(op->getOperandTypes(), llvm::IsaPred<ShapedType>))
    return false;
  nest = std::move(*all);
  for (Value operand : op->getOperands())
    multiples.push_back(weft::multipleOf(operand));
  result = sum;
  for (const ProductEpilogue &epilogue : kernel.epilogues) {
    linalg::GenericOp each = epilogue.op;
    SmallVector<unsigned> &numbers = epilogueOperands.emplace_back();
    for (OpOperand &operand : each->getOpOperands()) {
      bool isOut = operand.getOperandNumber() >= each.getNumDpsInputs();
      bool isSum = isOut ? !epilogue.input
                         : epilogue.input == operand.getOperandNumber();
      numbers.push_back(nest.accesses.size());
      if (isSum) {
        numbers.back() = result;
        continue;
      }
      multiples.push_back(weft::multipleOf(operand.get()));
      if (!nest.add(
              operand.get(),
              each.getMatchingIndexingMap(&operand).compose(epilogue.loops)))
        return false;
    }
    result = numbers.back();
  }
  nest.simplify();
  return !nest.hasPanels();
}

bool ProductPlan::chooseTypes(const ProductKernel &kernel) {
  std::optional<MultiplyAdd> body = MultiplyAdd::match(kernel.sum);
  if (!body || !body->mayReorder())
    return false;
  linalg::GenericOp op = kernel.sum;
  element = getElementTypeOrSelf(op.getDpsInits()[0].getType());
  compute = element;
  if (isa<IntegerType>(element)) {
    unsigned bits = element.getIntOrFloatBitWidth();
    if (bits < 8 || bits > 64)
      return false;
    // Sums of more bits are the same in the ones that count.
    if (bits < 32)
      compute = IntegerType::get(element.getContext(), 32);
    return true;
  }
  return element.isF32() || element.isF64();
}

/// A number as large as any index into an operand.
bool ProductPlan::fitsWords() const {
  constexpr double most = 1u << 30;
  double elements = 1, steps = summed.extent;
  for (size_t loop = 0; loop < nest.depth(); ++loop)
    if (nest.isParallel(loop))
      elements *= nest.extents[loop];
  if (elements >= most || steps >= most)
    return false;
  return llvm::all_of(nest.accesses, [&](const Access &access) {
    double reach = std::abs(access.offset);
    for (auto [stride, extent] : llvm::zip_equal(access.strides, nest.extents))
      reach += std::abs(static_cast<double>(stride)) * extent;
    return reach < most;
  });
}

//===----------------------------------------------------------------------===//
// Groups of loops
//===----------------------------------------------------------------------===//

/// In the order of the first operand that has neighbours in this group.
void ProductPlan::sortGroup(LoopGroup &group, ArrayRef<unsigned> operands) {
  unsigned guide = operands.front();
  for (unsigned operand : operands)
    if (llvm::any_of(group.loops, [&](unsigned loop) {
          return nest.stride(operand, loop) == 1;
        })) {
      guide = operand;
      break;
    }
  auto rank = [&](unsigned loop) {
    int64_t stride = std::abs(nest.stride(guide, loop));
    return std::pair(stride == 0 ? std::numeric_limits<int64_t>::max() : stride,
                     -int(loop));
  };
  llvm::sort(group.loops,
             [&](unsigned x, unsigned y) { return rank(x) > rank(y); });
  group.extent = 1;
  for (unsigned loop : group.loops)
    group.extent *= nest.extents[loop];
}

void ProductPlan::groupLoops() {
  LoopGroup own[2];
  std::optional<unsigned> ofNeighbours;
  for (unsigned loop = 0; loop < nest.depth(); ++loop) {
    bool inFirst = nest.stride(0, loop) != 0, inSecond = nest.stride(1, loop);
    if (!nest.isParallel(loop)) {
      summed.loops.push_back(loop);
    } else if (inFirst == inSecond) {
      batch.loops.push_back(loop);
    } else {
      own[inSecond].loops.push_back(loop);
      own[inSecond].extent *= nest.extents[loop];
      if (nest.stride(result, loop) == 1)
        ofNeighbours = inSecond;
    }
  }
  // Columns are neighbours in the result.
  columnFactor = ofNeighbours ? *ofNeighbours : own[1].extent >= own[0].extent;
  rowFactor = 1 - columnFactor;
  rows = own[rowFactor];
  columns = own[columnFactor];
  sortGroup(batch, {result});
  sortGroup(rows, {rowFactor, result});
  sortGroup(columns, {result, columnFactor});
  sortGroup(summed, {rowFactor, columnFactor});
}

int64_t ProductPlan::consecutive(unsigned operand, const LoopGroup &group,
                                 int64_t most) const {
  if (group.loops.empty() || step(operand, group) != 1)
    return 1;
  unsigned fastest = group.loops.back();
  int64_t common = std::gcd(nest.extents[fastest], most);
  common = std::gcd(common, std::abs(nest.accesses[operand].offset));
  common = std::gcd(common, multiples[operand]);
  for (unsigned loop = 0; loop < nest.depth(); ++loop)
    if (loop != fastest)
      common = std::gcd(common, std::abs(nest.stride(operand, loop)));
  return common;
}

//===----------------------------------------------------------------------===//
// Lanes
//===----------------------------------------------------------------------===//

bool ProductPlan::suitsLanes() const {
  // A tile would be mostly empty.
  return std::min(rows.extent, columns.extent) <= 4 || summed.extent <= 2;
}

void ProductPlan::chooseLanes(const Gpu &gpu, ArrayRef<Type> factorTypes) {
  kind = Kind::Lanes;
  for (LoopGroup *group : {&batch, &rows}) {
    columns.loops.append(group->loops);
    *group = {};
  }
  sortGroup(columns, {result});
  // The larger factor is read but once, or nearly so.
  auto size = [&](unsigned operand) {
    int64_t product = 1;
    for (unsigned loop = 0; loop < nest.depth(); ++loop)
      if (nest.stride(operand, loop) != 0)
        product *= nest.extents[loop];
    return product;
  };
  unsigned larger = size(0) >= size(1) ? 0 : 1;
  sortGroup(summed, {larger, 1 - larger});
  sumFastest = step(larger, columns) != 1 && step(larger, summed) == 1;
  if (sumFastest) {
    int64_t bytes = factorTypes[larger].getIntOrFloatBitWidth() / 8;
    stepVector =
        consecutive(larger, summed, std::clamp<int64_t>(16 / bytes, 1, 8));
    if (summed.extent >= 32)
      sumLanes = 32;
  }
  constexpr int64_t blockThreads = 256, mostThreads = 1024;
  int64_t neighbours =
      sumFastest
          ? 1
          : std::min<int64_t>(32, llvm::bit_ceil<uint64_t>(columns.extent));
  auto suffices = [&] {
    return columns.extent * sumLanes >= gpu.multiprocessors * mostThreads ||
           sumLanes * stepVector * 4 > summed.extent ||
           sumLanes * 2 * neighbours > mostThreads;
  };
  while (!suffices())
    sumLanes *= 2;
  elements = std::max(blockThreads / sumLanes, neighbours);
}

//===----------------------------------------------------------------------===//
// Tiles
//===----------------------------------------------------------------------===//

/// That of one factor of a product.
static MatrixElement matrixElement(const MultiplyAdd &body, unsigned factor,
                                   Type element) {
  ArrayRef<Operation *> casts = body.casts[factor];
  Type type = body.multiply->getResult(0).getType();
  if (type.isF64() && element.isF64())
    return MatrixElement::f64;
  bool isExtended = casts.size() == 1 && isa<arith::ExtFOp>(casts[0]);
  if (type.isF32() && element.isF16() && isExtended)
    return MatrixElement::f16;
  auto isShift = [](Operation *op) {
    APInt bits;
    return isa<arith::ShLIOp>(op) &&
           matchPattern(op->getOperand(1), m_ConstantInt(&bits)) && bits == 16;
  };
  bool isShifted = casts.size() == 4 && isa<arith::BitcastOp>(casts[0]) &&
                   isa<arith::ExtUIOp>(casts[1]) && isShift(casts[2]) &&
                   isa<arith::BitcastOp>(casts[3]);
  if (type.isF32() && element.isBF16() && (isExtended || isShifted))
    return MatrixElement::bf16;
  if (type.isInteger(32) && element.isInteger(8) && casts.size() == 1) {
    if (isa<arith::ExtSIOp>(casts[0]))
      return MatrixElement::s8;
    if (isa<arith::ExtUIOp>(casts[0]))
      return MatrixElement::u8;
  }
  return MatrixElement::none;
}

int64_t ProductPlan::pitch(const FactorTile &tile) const {
  if (isSwizzled(tile))
    return rowOf(tile);
  // Of matrices that are read by elements, four steps of eight lines at once
  // (of four, where an element has two banks), these are to be in different
  // banks; elsewhere the steps of a line, which are stored one by one.
  return rowOf(tile) + (kind == Kind::Warps ? 32 : 16) / storedBytes();
}

bool ProductPlan::chooseMatrices(const ProductKernel &kernel, const Gpu &gpu) {
  MultiplyAdd body = *MultiplyAdd::match(kernel.sum);
  linalg::GenericOp op = kernel.sum;
  for (unsigned factor : {0, 1})
    matrices[factor] = matrixElement(
        body, factor,
        getElementTypeOrSelf(op.getDpsInputs()[factor].getType()));
  auto isByte = [](MatrixElement kind) {
    return kind == MatrixElement::s8 || kind == MatrixElement::u8;
  };
  bool isExact = matrices[0] != MatrixElement::none &&
                 (matrices[0] == matrices[1] ||
                  (isByte(matrices[0]) && isByte(matrices[1])));
  auto precision = body.multiply->getAttrOfType<StringAttr>(precisionAttr);
  bool mayRound = precision && precision == "tf32" && compute.isF32();
  if (!isExact)
    matrices[0] = matrices[1] =
        mayRound ? MatrixElement::tf32 : MatrixElement::none;
  return gpu.capability() >= 80 && (isExact || mayRound);
}

namespace weft {

/// A tile of a block: that of a warp, and how many warps there are along rows,
/// columns and the steps of the sum.
struct BlockTile {
  int64_t rows, columns, warpRows, warpColumns, warpSteps;
  /// How much of the multipliers' rate its loads from shared memory allow.
  double efficiency;
  /// How many warps have their registers on a multiprocessor.
  int64_t mostWarps;

  int64_t tileRows() const { return rows * warpRows; }
  int64_t tileColumns() const { return columns * warpColumns; }
  int64_t warps() const { return warpRows * warpColumns * warpSteps; }
};

} // namespace weft

/// Threads of eight by eight sums, and of four by four.
static constexpr BlockTile threadTiles[] = {
    {32, 64, 4, 2, 1, 1.0, 16}, {32, 64, 2, 2, 1, 1.0, 16},
    {32, 64, 4, 1, 1, 1.0, 16}, {32, 64, 2, 2, 2, 1.0, 16},
    {32, 64, 2, 1, 4, 1.0, 16}, {32, 64, 1, 2, 4, 1.0, 16},
    {32, 64, 1, 1, 8, 1.0, 16}, {16, 32, 4, 2, 1, 0.6, 32},
    {16, 32, 2, 2, 2, 0.6, 32}, {16, 32, 2, 1, 4, 0.6, 32},
    {16, 32, 1, 1, 8, 0.6, 32},
};

static constexpr BlockTile warpTiles[] = {
    {64, 64, 4, 2, 1, 1.00, 8},  {64, 64, 2, 2, 1, 0.85, 8},
    {64, 32, 2, 2, 1, 0.65, 16}, {32, 64, 2, 2, 1, 0.65, 16},
    {32, 32, 2, 2, 1, 0.50, 24}, {32, 32, 2, 2, 2, 0.50, 24},
    {32, 32, 2, 1, 4, 0.40, 24}, {32, 32, 1, 2, 4, 0.40, 24},
    {32, 32, 1, 1, 8, 0.30, 24}, {16, 32, 1, 2, 4, 0.30, 24},
    {16, 16, 1, 1, 8, 0.15, 24},
};

/// About how long the device takes, in multiply-adds of a lane.
static double costOf(const ProductPlan &plan, const BlockTile &tile,
                     const Gpu &gpu) {
  double blocks = static_cast<double>(plan.batch.extent) *
                  llvm::divideCeil(plan.rows.extent, tile.tileRows()) *
                  llvm::divideCeil(plan.columns.extent, tile.tileColumns());
  double perMultiprocessor = std::ceil(blocks / gpu.multiprocessors);
  double warps = std::min<double>(
      perMultiprocessor * tile.warps(),
      std::max(tile.mostWarps / tile.warps(), int64_t(1)) * tile.warps());
  // A few warps do not hide how long memory takes.
  double busy = std::min(1.0, (warps + 2) / (tile.mostWarps + 2));
  // Warps that share a sum add up what they have.
  double steps = plan.summed.extent + 24.0 + 24.0 * (tile.warpSteps - 1);
  return perMultiprocessor * tile.tileRows() * tile.tileColumns() * steps /
         (tile.efficiency * busy);
}

BlockTile ProductPlan::chooseTile(ArrayRef<BlockTile> candidates,
                                  const Gpu &gpu) {
  const BlockTile *best = llvm::min_element(
      candidates, [&](const BlockTile &x, const BlockTile &y) {
        return costOf(*this, x, gpu) < costOf(*this, y, gpu);
      });
  warpRows = best->warpRows, warpColumns = best->warpColumns;
  warpSteps = best->warpSteps;
  tileRows = best->tileRows(), tileColumns = best->tileColumns();
  return *best;
}

void ProductPlan::chooseThreadTiles(const Gpu &gpu,
                                    ArrayRef<Type> factorTypes) {
  kind = Kind::Threads;
  stored = compute;
  bool isDouble = storedBytes() == 8;
  // Registers hold half as many sums of 64 bits.
  ArrayRef<BlockTile> candidates(threadTiles);
  if (isDouble)
    candidates = candidates.drop_while(
        [](const BlockTile &tile) { return tile.rows > 16; });
  BlockTile tile = chooseTile(candidates, gpu);
  threadRows = tile.rows / 4, threadColumns = tile.columns / 8;
  // Warps that share a sum have more to read for each of its tiles, and many
  // sums leave them few registers.
  bool hasFewRegisters = isDouble || (threadRows == 8 && warpSteps > 1);
  tileSteps = (hasFewRegisters ? 4 : 8) * warpSteps;
  for (unsigned operand : {0, 1})
    factors[operand] = describeTile(operand, factorTypes[operand]);
}

FactorTile ProductPlan::describeTile(unsigned operand, Type type) const {
  bool isRows = operand == rowFactor;
  const LoopGroup &lines = isRows ? rows : columns;
  FactorTile tile;
  tile.operand = operand;
  tile.lines = isRows ? tileRows : tileColumns;
  tile.steps = tileSteps;
  int64_t bytes = std::max<int64_t>(type.getIntOrFloatBitWidth() / 8, 1);
  // What is swizzled has no more than 16 bytes in one place.
  bool isMatrix = kind == Kind::Warps;
  int64_t most = 16 / (isMatrix ? std::max(bytes, storedBytes()) : bytes);
  int64_t alongSum = consecutive(operand, summed, std::min(most, tileSteps));
  int64_t alongLines = consecutive(operand, lines, std::min(most, tile.lines));
  tile.alongSum = alongSum > alongLines ||
                  (alongSum == alongLines && step(operand, lines) != 1 &&
                   step(operand, summed) == 1);
  tile.vector = tile.alongSum ? alongSum : alongLines;
  // Bytes cannot be transposed on their way to registers.
  tile.stepsAdjoin = isMatrix && (tile.alongSum || bytes == 1);
  bool isTurned = tile.alongSum != tile.stepsAdjoin;
  // What is stored one by one is read so that few threads meet.
  if (isTurned)
    tile.vector = std::min<int64_t>(tile.vector, 4);
  tile.isAsync =
      isMatrix && !isTurned && type == stored && tile.vector * bytes >= 4;
  return tile;
}

int64_t ProductPlan::piecesOfThread(const FactorTile &tile) const {
  return llvm::divideCeil(tile.lines * tile.steps / tile.vector, threads());
}

void ProductPlan::chooseWarpTiles(const Gpu &gpu, ArrayRef<Type> factorTypes) {
  kind = Kind::Warps;
  stored = matrices[0] == MatrixElement::tf32 ? compute : factorTypes[0];
  // What does not go past the registers takes some.
  constexpr int64_t mostRegisters = 190;
  ArrayRef<BlockTile> candidates(warpTiles);
  int64_t registers = std::numeric_limits<int64_t>::max();
  for (; !candidates.empty() && registers > mostRegisters;
       candidates = candidates.drop_front()) {
    BlockTile tile = chooseTile(candidates, gpu);
    tileSteps = 64 / storedBytes() * warpSteps;
    registers =
        sumsOfThread() * computeBytes() / 4 + (tile.rows + tile.columns) / 4;
    for (unsigned operand : {0, 1}) {
      factors[operand] = describeTile(operand, factorTypes[operand]);
      registers +=
          piecesOfThread(factors[operand]) * (factors[operand].isAsync ? 1 : 2);
    }
  }
  // Some devices give a block no more.
  constexpr int64_t most = 99 << 10;
  stages = std::clamp<int64_t>(most / stageBytes(), 2, 4);
}

//===----------------------------------------------------------------------===//
// Time
//===----------------------------------------------------------------------===//

/// Of the devices that programs are tuned for; what counts is how they compare.
static constexpr double cyclesPerMicrosecond = 1700;
static constexpr double bytesPerMicrosecond = 3e6;
static constexpr double launchMicroseconds = 4;

double ProductPlan::microseconds(const Gpu &gpu, int64_t parts) const {
  ProductPlan plan = *this;
  plan.batch.extent *= parts;
  plan.summed.extent /= parts;
  double results =
      static_cast<double>(parts) * batch.extent * rows.extent * columns.extent;
  double adding = 0;
  if (parts > 1)
    adding =
        launchMicroseconds + 2 * results * computeBytes() / bytesPerMicrosecond;
  if (kind != Kind::Lanes) {
    bool isMatrix = kind == Kind::Warps;
    ArrayRef<BlockTile> candidates(threadTiles);
    if (isMatrix)
      candidates = warpTiles;
    double least = std::numeric_limits<double>::infinity();
    for (const BlockTile &tile : candidates)
      least = std::min(least, costOf(plan, tile, gpu));
    double ofMatrices =
        plan.computeBytes() == 8 ? 128 : 4096.0 / plan.storedBytes();
    double perCycle = isMatrix ? ofMatrices : 512.0 / plan.computeBytes();
    return adding + least / (perCycle * cyclesPerMicrosecond);
  }
  // The memory is as fast as there are threads that wait for it.
  constexpr double threadsOfMultiprocessor = 1024;
  double bytes = 0, ofSum = plan.sumFastest ? 1024 : 32;
  for (unsigned factor : {0, 1}) {
    double size = computeBytes();
    for (size_t loop = 0; loop < nest.depth(); ++loop)
      if (nest.stride(factor, loop) != 0)
        size *= nest.extents[loop];
    bytes += size;
  }
  ofSum = std::clamp(plan.summed.extent / 4.0, 1.0, ofSum);
  double busy = std::min(
      1.0, results * ofSum / (gpu.multiprocessors * threadsOfMultiprocessor));
  return adding + bytes / (bytesPerMicrosecond * busy);
}

//===----------------------------------------------------------------------===//
// The plan
//===----------------------------------------------------------------------===//

std::optional<ProductPlan> ProductPlan::make(const ProductKernel &kernel,
                                             const Gpu &gpu) {
  ProductPlan plan;
  if (!plan.chooseTypes(kernel) || !plan.addOperands(kernel))
    return std::nullopt;
  plan.groupLoops();
  plan.isWide = !plan.fitsWords();
  linalg::GenericOp op = kernel.sum;
  auto elementOf = [&](unsigned operand) {
    return getElementTypeOrSelf(op.getDpsInputs()[operand].getType());
  };
  SmallVector<Type> types{elementOf(0), elementOf(1)};
  if (plan.suitsLanes()) {
    plan.chooseLanes(gpu, types);
    return plan;
  }
  if (plan.chooseMatrices(kernel, gpu))
    plan.chooseWarpTiles(gpu, types);
  else
    plan.chooseThreadTiles(gpu, types);
  return plan;
}
