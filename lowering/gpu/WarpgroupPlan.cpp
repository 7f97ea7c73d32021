// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lowering/gpu/WarpgroupPlan.h"
#include "lowering/Passes.h"
#include "lowering/fusion/ContractionPlan.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using linalg::GenericOp;
using weft::ContractionPlan;
using weft::EpilogueOperand;
using weft::Factor;
using weft::Nest;
using weft::ProductOps;
using weft::StoredResult;
using weft::TensorMap;
using weft::WarpgroupChoice;
using weft::WarpgroupPlan;
using weft::WarpgroupTile;

//===----------------------------------------------------------------------===//
// The kernel
//===----------------------------------------------------------------------===//

/// Whether an op computes each element of one buffer from its operands alone.
static bool isElementwise(GenericOp op) {
  return op->getNumResults() == 0 && op.getNumDpsInits() == 1 &&
         op.getNumParallelLoops() == op.getNumLoops() &&
         op.getMatchingIndexingMap(&op.getDpsInitsMutable()[0])
             .isPermutation() &&
         op.getBody()->getOps<linalg::IndexOp>().empty();
}

std::optional<ProductOps> ProductOps::of(gpu::GPUFuncOp func) {
  ProductOps kernel;
  if (!func.getBody().hasOneBlock())
    return std::nullopt;
  for (Operation &op : func.getBody().front().without_terminator()) {
    if (auto fill = dyn_cast<linalg::FillOp>(op);
        fill && !kernel.fill && !kernel.sum) {
      kernel.fill = fill;
      continue;
    }
    auto generic = dyn_cast<GenericOp>(op);
    if (generic && !kernel.sum && isSumOfProducts(generic))
      kernel.sum = generic;
    else if (generic && kernel.sum && generic->hasAttr(epilogueAttr) &&
             isElementwise(generic))
      kernel.epilogues.push_back(generic);
    else if (!isa<memref::AllocaOp>(op) && !isMemoryEffectFree(&op))
      return std::nullopt;
  }
  if (!kernel.sum)
    return std::nullopt;
  kernel.sums = kernel.sum.getDpsInits()[0];
  for (unsigned i : {0, 1})
    kernel.factors[i] = kernel.sum.getDpsInputs()[i];
  if (kernel.fill) {
    if (kernel.fill.getOutputs()[0] != kernel.sums)
      return std::nullopt;
    kernel.start = kernel.fill.getInputs()[0];
  }
  return kernel;
}

/// Whether conversions are one from a 16-bit float to f32. That of a bfloat16
/// may be a shift of its bits.
static bool widenFloats(ArrayRef<Operation *> casts) {
  APInt bits;
  if (casts.size() == 1)
    return isa<arith::ExtFOp>(casts[0]);
  return casts.size() == 4 && isa<arith::BitcastOp>(casts[0]) &&
         casts[0]->getOperand(0).getType().isBF16() &&
         isa<arith::ExtUIOp>(casts[1]) && isa<arith::ShLIOp>(casts[2]) &&
         matchPattern(casts[2]->getOperand(1), m_ConstantInt(&bits)) &&
         bits == 16 && isa<arith::BitcastOp>(casts[3]);
}

/// The bytes of a factor's element, where warpgroups have an instruction for
/// the sum.
static std::optional<int64_t> findInstruction(GenericOp sum) {
  std::optional<weft::MultiplyAdd> body = weft::MultiplyAdd::match(sum);
  Type left = getElementTypeOrSelf(sum.getDpsInputs()[0].getType());
  Type right = getElementTypeOrSelf(sum.getDpsInputs()[1].getType());
  if (!body || !body->mayReorder() || left != right ||
      !getElementTypeOrSelf(sum.getDpsInits()[0].getType()).isF32())
    return std::nullopt;
  if ((left.isBF16() || left.isF16()) && widenFloats(body->casts[0]) &&
      widenFloats(body->casts[1]))
    return 2;
  auto precision =
      body->multiply->getAttrOfType<StringAttr>(weft::precisionAttr);
  if (left.isF32() && precision && precision == "tf32")
    return 4;
  return std::nullopt;
}

//===----------------------------------------------------------------------===//
// The plan
//===----------------------------------------------------------------------===//

/// Whether a buffer is an argument, or a view of one at a place in it that is
/// always the same.
static bool isKnownAtLaunch(Value buffer) {
  Operation *view = buffer.getDefiningOp();
  if (!view)
    return true;
  return isa<ViewLikeOpInterface>(view) && view->getNumOperands() == 1 &&
         isKnownAtLaunch(view->getOperand(0));
}

std::optional<TensorMap> TensorMap::make(const Nest &nest, unsigned operand,
                                         Value buffer, unsigned inner,
                                         unsigned outer) {
  constexpr int64_t lineBytes = 16, maxRank = 5;
  TensorMap map;
  const weft::Access &access = nest.accesses[operand];
  int64_t elementBytes =
      getElementTypeOrSelf(buffer.getType()).getIntOrFloatBitWidth() / 8;
  if (!access.panels.empty() || access.strides[inner] != 1 ||
      access.offset * elementBytes % lineBytes || !isKnownAtLaunch(buffer))
    return std::nullopt;
  map.loops = {inner, outer};
  for (unsigned loop = 0; loop < nest.depth(); ++loop)
    if (loop != inner && loop != outer && access.strides[loop])
      map.loops.push_back(loop);
  for (unsigned loop : map.loops) {
    map.dims.push_back(nest.extents[loop]);
    int64_t bytes = access.strides[loop] * elementBytes;
    if (loop == inner)
      continue;
    if (bytes <= 0 || bytes % lineBytes)
      return std::nullopt;
    map.strides.push_back(bytes);
  }
  if (map.loops.size() > maxRank)
    return std::nullopt;
  map.box.assign(map.dims.size(), 1);
  return map;
}

/// The rows are the loop of the left factor alone, the columns that of the
/// right one alone, the longest of several; what is left is gone through tile
/// by tile.
bool WarpgroupPlan::findLoops() {
  std::optional<unsigned> rows, columns, summed;
  auto longer = [&](std::optional<unsigned> best, unsigned loop) {
    return best && nest.extents[*best] >= nest.extents[loop] ? best : loop;
  };
  for (unsigned loop = 0; loop < nest.depth(); ++loop) {
    bool inLeft = nest.stride(0, loop), inRight = nest.stride(1, loop);
    if (!nest.isParallel(loop)) {
      if (summed || !inLeft || !inRight)
        return false;
      summed = loop;
    } else if (inLeft && !inRight) {
      rows = longer(rows, loop);
    } else if (inRight && !inLeft) {
      columns = longer(columns, loop);
    }
  }
  if (!rows || !columns || !summed)
    return false;
  left.operand = 0, left.loop = *rows;
  right.operand = 1, right.loop = *columns;
  sumLoop = *summed;
  for (unsigned loop = 0; loop < nest.depth(); ++loop)
    if (loop != *rows && loop != *columns && loop != *summed)
      outer.push_back(loop);
  // Columns are what is consecutive in the result.
  if (nest.stride(results.front().access, left.loop) == 1)
    std::swap(left, right);
  return true;
}

bool WarpgroupPlan::findFactors() {
  for (Factor *factor : {&left, &right}) {
    factor->summedInside = nest.stride(factor->operand, sumLoop) == 1;
    unsigned inner = factor->summedInside ? sumLoop : factor->loop;
    unsigned lines = factor->summedInside ? factor->loop : sumLoop;
    // There are no transposed matrices of tf32.
    if (multipliesTf32() && !factor->summedInside)
      return false;
    std::optional<TensorMap> map = TensorMap::make(
        nest, factor->operand, kernel.factors[factor->operand], inner, lines);
    if (!map)
      return false;
    factor->map = *map;
    factor->map.rounds = multipliesTf32();
  }
  return true;
}

/// Addresses an epilogue's operands by the loops of the sum. The sums are
/// scratch where an epilogue has left them for another buffer: it is the only
/// one to read them.
bool WarpgroupPlan::addEpilogue(GenericOp epilogue) {
  AffineMap sums = kernel.sum.getIndexingMapsArray()[ContractionPlan::sum];
  AffineMap changed =
      epilogue.getMatchingIndexingMap(&epilogue.getDpsInitsMutable()[0]);
  if (!sums.isProjectedPermutation())
    return false;
  AffineMap loops = inversePermutation(changed).compose(sums);
  auto isComputed = [&](Value value) {
    if (value == kernel.sums)
      return true;
    for (GenericOp earlier : kernel.epilogues) {
      if (earlier == epilogue)
        return false;
      if (earlier.getDpsInits()[0] == value)
        return true;
    }
    return false;
  };
  unsigned access = nest.accesses.size();
  for (OpOperand &operand : epilogue->getOpOperands()) {
    Value value = operand.get();
    if (!getElementTypeOrSelf(value.getType()).isIntOrFloat() ||
        !nest.add(value,
                  epilogue.getMatchingIndexingMap(&operand).compose(loops)))
      return false;
    epilogueOperands.push_back({value, access++,
                                epilogue.payloadUsesValueFromOperand(&operand),
                                isComputed(value)});
  }
  Value buffer = epilogue.getDpsInits()[0];
  llvm::erase_if(results, [&](const StoredResult &each) {
    return each.buffer == buffer ||
           llvm::is_contained(epilogue.getDpsInputs(), each.buffer);
  });
  results.push_back({buffer, access - 1, std::nullopt});
  return true;
}

/// Whether what is computed is read where it was computed.
bool WarpgroupPlan::readsAsComputed() const {
  return llvm::all_of(epilogueOperands, [&](const EpilogueOperand &operand) {
    return !operand.isComputed ||
           nest.accesses[operand.access].strides ==
               nest.accesses[ContractionPlan::sum].strides;
  });
}

/// The copy engine stores at most one result: it is gathered in shared memory.
void WarpgroupPlan::mapResults() {
  StoredResult &result = results.back();
  Type element = getElementTypeOrSelf(result.buffer.getType());
  int64_t bytes = element.getIntOrFloatBitWidth() / 8;
  if (element.isF32() || bytes == 2)
    result.map = TensorMap::make(nest, result.access, result.buffer, right.loop,
                                 left.loop);
}

bool WarpgroupPlan::copiesResults() const {
  return llvm::any_of(results,
                      [](const StoredResult &each) { return each.map; });
}

int64_t WarpgroupPlan::barrierOffset() const {
  int64_t gathered =
      copiesResults() ? 2 * WarpgroupTile::warpgroups * storeBytes : 0;
  return storeOffset() + gathered;
}

int64_t WarpgroupPlan::numTiles() const {
  int64_t tiles = tileRows() * tileColumns();
  for (unsigned loop : outer)
    tiles *= nest.extents[loop];
  return tiles;
}

int64_t WarpgroupPlan::numUnits() const {
  return numTiles() / tileRows() * unitRows();
}

/// Of clusters that share tiles, each has one.
int64_t WarpgroupPlan::blocks() const {
  int64_t clusters = numUnits();
  if (splits == 1)
    clusters = std::min(clusters, multiprocessors / neighbours);
  return clusters * clusterBlocks();
}

namespace {

/// The tiles there are, the most work per byte first.
constexpr WarpgroupTile tiles[] = {{128, 256}, {256, 128}, {128, 192},
                                   {128, 128}, {64, 256},  {64, 128},
                                   {128, 64}};

/// Rates of a multiprocessor per cycle, as measured on an H200: products of a
/// pair of 16-bit elements, bytes from the cache whose lines are whole or not,
/// results stored, and bytes between blocks and within one.
constexpr double productsPerCycle = 2048, bytesPerCycle = 68,
                 unalignedPerCycle = 30, storedPerCycle = 16,
                 exchangedPerCycle = 64, sharedPerCycle = 128;
/// Cycles that no other work hides: those of a tile, and of a cluster that
/// meets twice; and what it costs that neighbours wait for each other.
constexpr double cyclesOfTile = 3000, cyclesOfMeeting = 5000,
                 delayByNeighbours = 1.02;
/// How many blocks may share a tile or stand together, and how few steps are
/// worth a block.
constexpr int64_t splitCounts[] = {1, 2, 4, 8}, neighbourCounts[] = {1, 2},
                  fewestSteps = 4;
/// Clusters of more than two do not fill the chip: each is in one part of it.
constexpr double filledByClusters = 0.91;
/// Emulators have fewer multiprocessors, and no clusters.
constexpr int64_t fewestForClusters = 16;

} // namespace

/// Cycles to bring a factor's part of a step, which so many blocks ask for
/// together. Lines that are not whole take more requests than bytes.
static double loadCycles(const weft::Factor &factor, double bytes,
                         int64_t blocks) {
  constexpr int64_t lineBytes = 128;
  double arrival = bytes / bytesPerCycle;
  bool isAligned = llvm::all_of(factor.map.strides, [](int64_t stride) {
    return stride % lineBytes == 0;
  });
  return isAligned ? arrival
                   : std::max(arrival, bytes / blocks / unalignedPerCycle);
}

/// Cycles in which the blocks of a cluster add their sums up: each writes all
/// of its own, and reads some of all blocks'.
static double exchangeCycles(const WarpgroupPlan &plan) {
  constexpr int64_t chunk = 64 * 64;
  int64_t chunks = plan.tile.rows * plan.tile.columns / chunk;
  int64_t ofGroup = chunks / WarpgroupTile::warpgroups;
  int64_t own = llvm::divideCeil(ofGroup, plan.splits);
  return cyclesOfMeeting + chunks * chunk * 4 / sharedPerCycle +
         WarpgroupTile::warpgroups * own * plan.splits * chunk * 4 /
             exchangedPerCycle;
}

/// Cycles that the chip takes.
static double cost(const WarpgroupPlan &plan) {
  double elements = plan.tile.rows * plan.tile.columns;
  double load = loadCycles(plan.left, plan.leftBytes(), 1) +
                loadCycles(plan.right, plan.rightBytes(), plan.neighbours);
  // As many bytes of tf32 take as long.
  constexpr double products = WarpgroupPlan::lineBytes / 2;
  double step = std::max(elements * products / productsPerCycle, load);
  double cycles =
      cyclesOfTile + step * plan.blockSteps() + elements / storedPerCycle;
  if (plan.splits > 1)
    cycles += exchangeCycles(plan);
  if (plan.neighbours > 1)
    cycles *= delayByNeighbours;
  return cycles * llvm::divideCeil(plan.numUnits() * plan.clusterBlocks(),
                                   plan.multiprocessors);
}

/// A tile is shared where that many blocks run at once, each with some steps.
bool WarpgroupPlan::maySplit() const {
  double most = multiprocessors * (splits > 2 ? filledByClusters : 1);
  return multiprocessors >= fewestForClusters && blocks() <= most &&
         steps() >= fewestSteps * splits &&
         (splits - 1) * blockSteps() < steps();
}

/// Neighbours need another row of tiles, and parts of columns in whole boxes.
bool WarpgroupPlan::mayHaveNeighbours() const {
  constexpr int64_t boxColumns = 64;
  return multiprocessors >= fewestForClusters && splits == 1 &&
         tileRows() >= neighbours &&
         tile.columns % (boxColumns * neighbours) == 0;
}

void WarpgroupPlan::chooseTile(const WarpgroupChoice &choice) {
  auto isChosen = [](int64_t wanted, int64_t given) {
    return !wanted || wanted == given;
  };
  double best = std::numeric_limits<double>::infinity();
  std::tuple<WarpgroupTile, int64_t, int64_t> bestShape{tiles[0], 1, 1};
  for (const WarpgroupTile &each : tiles)
    for (int64_t splitCount : splitCounts)
      for (int64_t neighbourCount : neighbourCounts) {
        tile = each;
        splits = splitCount;
        neighbours = neighbourCount;
        if (!isChosen(choice.rows, tile.rows) ||
            !isChosen(choice.columns, tile.columns) ||
            !isChosen(choice.splits, splits) ||
            !isChosen(choice.neighbours, neighbours) ||
            (splits > 1 && !maySplit()) ||
            (neighbours > 1 && !mayHaveNeighbours()))
          continue;
        if (double cycles = cost(*this); cycles < best) {
          best = cycles;
          bestShape = {tile, splits, neighbours};
        }
      }
  std::tie(tile, splits, neighbours) = bestShape;
  chooseRing(choice);
}

void WarpgroupPlan::chooseRing(const WarpgroupChoice &choice) {
  constexpr int64_t mostStages = 8;
  stages = 1;
  while (stages < mostStages && usedBytes() + stageBytes() + 16 <= sharedBytes)
    ++stages;
  if (choice.stages)
    stages = choice.stages;
  // What runs at once is a square of elements, more or less.
  raster = 8 * (tile.columns > tile.rows ? 2 : 1);
  if (choice.raster)
    raster = choice.raster;
  raster = std::min<int64_t>(llvm::divideCeil(raster, neighbours), unitRows());
}

/// 128 bytes wide, and as many lines as the tile has or a step sums over.
void WarpgroupPlan::setBoxes() {
  for (Factor *factor : {&left, &right}) {
    int64_t lines = factor == &left ? tile.rows : tile.columns / neighbours;
    factor->map.box[0] = lineBytes / elementBytes;
    factor->map.box[1] = factor->summedInside ? lines : sumStep();
  }
  for (StoredResult &result : results)
    if (result.map) {
      Type element = getElementTypeOrSelf(result.buffer.getType());
      result.map->box[0] = 128 / (element.getIntOrFloatBitWidth() / 8);
      result.map->box[1] = 64;
    }
}

std::optional<WarpgroupPlan>
WarpgroupPlan::make(gpu::GPUFuncOp func, int64_t multiprocessors,
                    const WarpgroupChoice &choice) {
  std::optional<ProductOps> kernel = ProductOps::of(func);
  auto elementBytes = kernel ? findInstruction(kernel->sum) : std::nullopt;
  if (!elementBytes)
    return std::nullopt;
  std::optional<Nest> nest = Nest::of(kernel->sum);
  if (!nest || llvm::is_contained(nest->extents, 0))
    return std::nullopt;
  WarpgroupPlan plan;
  plan.kernel = *kernel;
  plan.elementBytes = *elementBytes;
  plan.nest = std::move(*nest);
  plan.multiprocessors = multiprocessors;
  plan.results.push_back({kernel->sums, ContractionPlan::sum, std::nullopt});
  for (GenericOp epilogue : kernel->epilogues)
    if (!plan.addEpilogue(epilogue))
      return std::nullopt;
  plan.nest.simplify();
  if (plan.nest.hasPanels() || !plan.readsAsComputed() || !plan.findLoops() ||
      !plan.findFactors())
    return std::nullopt;
  if (choice.copyResults)
    plan.mapResults();
  plan.chooseTile(choice);
  plan.setBoxes();
  return plan;
}
