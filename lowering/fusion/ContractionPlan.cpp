// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lowering/fusion/ContractionPlan.h"
#include "lowering/Passes.h"
#include "lowering/gpu/Device.h"
#include "lowering/memory/Buffers.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Interfaces/CastInterfaces.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

using namespace mlir;
using weft::ContractionPlan;
using weft::Machine;
using weft::MultiplyAdd;

//===----------------------------------------------------------------------===//
// The body
//===----------------------------------------------------------------------===//

/// The conversions from argument `number` to `value`, first to last. That of a
/// bfloat16 is a shift of its bits.
static bool findCasts(Value value, BlockArgument argument,
                      SmallVectorImpl<Operation *> &casts) {
  for (; value != argument; value = casts.front()->getOperand(0)) {
    Operation *op = value.getDefiningOp();
    if (!op || !isa<arith::ArithDialect>(op->getDialect()))
      return false;
    bool isShift =
        isa<arith::ShLIOp>(op) && matchPattern(op->getOperand(1), m_Constant());
    if (!isShift && !(isa<CastOpInterface>(op) && op->getNumOperands() == 1))
      return false;
    casts.insert(casts.begin(), op);
  }
  return true;
}

std::optional<MultiplyAdd> MultiplyAdd::match(linalg::GenericOp op) {
  if (op.getNumDpsInputs() != 2 || op.getNumDpsInits() != 1)
    return std::nullopt;
  Block &body = *op.getBody();
  MultiplyAdd result;
  result.add = body.getTerminator()->getOperand(0).getDefiningOp();
  if (!result.add || !isa<arith::AddFOp, arith::AddIOp>(result.add))
    return std::nullopt;
  for (unsigned i : {0, 1}) {
    if (result.add->getOperand(i) != body.getArgument(2))
      continue;
    result.multiply = result.add->getOperand(1 - i).getDefiningOp();
    if (!result.multiply || !isa<arith::MulFOp, arith::MulIOp>(result.multiply))
      return std::nullopt;
    for (bool swapped : {false, true}) {
      result.casts[0].clear();
      result.casts[1].clear();
      if (findCasts(result.multiply->getOperand(swapped), body.getArgument(0),
                    result.casts[0]) &&
          findCasts(result.multiply->getOperand(!swapped), body.getArgument(1),
                    result.casts[1]))
        return result;
    }
  }
  return std::nullopt;
}

bool MultiplyAdd::mayReorder() const {
  auto sum = dyn_cast<arith::AddFOp>(add);
  return !sum || bitEnumContainsAll(sum.getFastmath(),
                                    arith::FastMathFlags::contract |
                                        arith::FastMathFlags::reassoc);
}

bool weft::isSumOfProducts(Operation *op) {
  auto generic = dyn_cast_or_null<linalg::GenericOp>(op);
  return generic && generic.getNumReductionLoops() > 0 &&
         MultiplyAdd::match(generic);
}

//===----------------------------------------------------------------------===//
// The plan
//===----------------------------------------------------------------------===//

bool ContractionPlan::chooseLanes() {
  std::optional<unsigned> best;
  for (unsigned loop = 0; loop < nest.depth(); ++loop) {
    int64_t x = nest.stride(0, loop), y = nest.stride(1, loop);
    bool inSteps = (x == 0 || x == 1) && (y == 0 || y == 1) && x + y > 0;
    if (nest.isParallel(loop) && nest.stride(sum, loop) == 1 && inSteps &&
        (!best || nest.extents[*best] < nest.extents[loop]))
      best = loop;
  }
  if (!best)
    return false;
  laneLoop = *best;
  bothWide = nest.stride(0, laneLoop) == 1 && nest.stride(1, laneLoop) == 1;
  wide = nest.stride(1, laneLoop) == 1 ? 1 : 0;
  return true;
}

/// Rows that are few enough to be a tile's columns where lanes are summed over:
/// they read the other factor once. Where that comes from memory, which is what
/// takes the time, they need not be two.
static int64_t fewRows(double bytes, const Machine &machine) {
  return bytes > machine.l2Bytes ? 7 : 2;
}

/// Whether a factor is the same in each step of a loop around.
static bool isRepeated(linalg::GenericOp op, unsigned factor) {
  auto loop = op->getParentOfType<LoopLikeOpInterface>();
  return loop && loop.isDefinedOutsideOfLoop(op.getDpsInputs()[factor]);
}

bool ContractionPlan::chooseTurnedLanes(linalg::GenericOp op,
                                        const Machine &machine) {
  if (onGpu || nest.hasPanels() ||
      llvm::count(nest.kinds, utils::IteratorType::reduction) != 1)
    return false;
  unsigned step = llvm::find(nest.kinds, utils::IteratorType::reduction) -
                  nest.kinds.begin();
  for (unsigned factor : {0, 1}) {
    if (nest.stride(factor, step) != 1 || nest.extents[step] < lanes ||
        ::isRepeated(op, factor))
      continue;
    std::optional<unsigned> lane, row;
    bool isReadOnce = true;
    for (unsigned each = 0; each < nest.depth(); ++each) {
      if (each == step)
        continue;
      int64_t own = nest.stride(factor, each);
      if (nest.stride(sum, each) == 1 && nest.extents[each] >= lanes &&
          nest.stride(1 - factor, each) == 0)
        lane = each;
      else if (own == 0 && !row)
        row = each;
      else if (own == 0)
        isReadOnce = false;
    }
    if (lane && row && isReadOnce &&
        nest.extents[*row] >
            fewRows(elementsOf(factor) * elementBytes, machine)) {
      wide = factor, laneLoop = *lane;
      return lanesAreTurned = true;
    }
  }
  return false;
}

bool ContractionPlan::chooseSummedLanes() {
  std::optional<unsigned> best;
  for (unsigned loop = 0; loop < nest.depth(); ++loop)
    if (!nest.isParallel(loop) && nest.stride(0, loop) == 1 &&
        nest.stride(1, loop) == 1 &&
        (!best || nest.extents[*best] < nest.extents[loop]))
      best = loop;
  if (!best)
    return false;
  laneLoop = *best;
  lanesAreSummed = bothWide = true;
  wide = 1;
  return true;
}

/// Rows share what is read in vectors, so that they do not walk through it. Of
/// loops with enough of them to hide how long a multiply-add takes, those are
/// best that are nearest: such as images of a batch are in many pages, and fall
/// into few sets of the first cache.
void ContractionPlan::chooseRows() {
  constexpr int64_t enoughRows = 8;
  auto choose = [&](unsigned shared) {
    auto rank = [&](unsigned loop) {
      int64_t extent = nest.extents[loop];
      bool isEnough = extent >= enoughRows;
      int64_t distance = std::max(std::abs(nest.stride(1 - shared, loop)),
                                  std::abs(nest.stride(sum, loop)));
      return std::pair(isEnough, isEnough ? -distance : extent);
    };
    for (unsigned loop = 0; loop < nest.depth(); ++loop)
      if (loop != laneLoop && nest.isParallel(loop) &&
          nest.stride(shared, loop) == 0 &&
          (!rowLoop || rank(*rowLoop) < rank(loop)))
        rowLoop = loop, wide = shared;
  };
  choose(wide);
  if (bothWide)
    choose(1 - wide);
}

/// Whether what is in panels is read in vectors along them.
bool ContractionPlan::hasOnlyPanelsOfLanes() const {
  for (auto [operand, access] : llvm::enumerate(nest.accesses)) {
    if (access.panels.empty())
      continue;
    ArrayRef<int64_t> strides = access.panels.front().strides;
    if (operand != wide || access.panels.size() != 1 ||
        strides[laneLoop] != 1 ||
        llvm::count(strides, 0) + 1 != int64_t(strides.size()))
      return false;
  }
  return true;
}

/// About how many cycles a step takes of a tile: two multiply-adds a cycle with
/// a latency of four, and two loads, of which vectors come from further away.
static double stepCost(int64_t rows, int64_t vectors, bool bothWide) {
  double multiplies = rows * vectors / 2.0;
  double loads = (bothWide ? rows * vectors + vectors : rows + vectors) / 2.0;
  return std::max({multiplies, loads, 4.0}) + 0.25 * (loads + vectors / 4.0);
}

/// What the hardware reads ahead in.
constexpr int64_t pageBytes = 4096;

void ContractionPlan::chooseTile(const Machine &machine) {
  int64_t columns = llvm::divideCeil(laneExtent(), lanes);
  if (lanesAreSummed)
    columns = inner.empty() ? 1 : nest.extents[inner.front()];
  int64_t mostVectors = std::min<int64_t>(columns, 8);
  bool readsEach = bothWide && !lanesAreSummed;
  // Rows that are each read along are read ahead by the hardware if they are
  // few, and fall into one set of the first cache if they are 4096 bytes apart.
  int64_t mostRows = lanesAreSummed ? 8 : 24;
  // Several of one page would not be: those that come from memory are read one
  // after the other.
  if (lanesAreSummed && laneExtent() * elementBytes < pageBytes &&
      elementsOf(narrow()) * elementBytes > machine.l2Bytes)
    mostRows = 1;
  int64_t panel = panelWidth();
  double least = std::numeric_limits<double>::infinity();
  for (int64_t v = 1; v <= mostVectors; ++v)
    for (int64_t r = 1; r <= std::min(rowExtent(), mostRows); ++r) {
      // The sums, a row of vectors, and a factor.
      bool fits = r * v + v + 1 <= machine.vectorRegisters;
      if ((!fits && (r > 1 || v > 1)) || (panel && panel != v * lanes) ||
          (lanesAreSummed && v != columns))
        continue;
      auto cost = [&](int64_t rows) {
        double all = columns / v * stepCost(rows, v, readsEach);
        if (columns % v)
          all += stepCost(rows, columns % v, readsEach);
        return all;
      };
      double total = rowExtent() / r * cost(r);
      if (rowExtent() % r)
        total += cost(rowExtent() % r);
      if (total < least)
        least = total, rows = r, vectors = v;
    }
}

/// Blocks of a result that there should be, so that threads have equal shares,
/// and the products of one that some microseconds are spent on.
constexpr int64_t leastTasks = 8;
constexpr double leastProducts = 1 << 18;

/// `extent` in equal blocks of about `size`, each a multiple of `step`.
static int64_t equalBlocks(int64_t extent, int64_t size, int64_t step) {
  int64_t blocks = std::max<int64_t>(1, (extent + size / 2) / size);
  return llvm::alignTo(llvm::divideCeil(extent, blocks), step);
}

/// What of a cache, but no more than has been found to be of use.
static int64_t portion(int64_t bytes, int64_t most) {
  return std::clamp<int64_t>(bytes, 16, most);
}

int64_t ContractionPlan::innerRows() const {
  int64_t all = rowExtent();
  for (unsigned loop : inner)
    all *= nest.extents[loop];
  return all;
}

int64_t ContractionPlan::numSteps() const {
  int64_t steps = 1;
  for (unsigned loop : summed)
    steps *= nest.extents[loop];
  return steps;
}

/// Where lanes are summed over, a few steps of a loop that walks past a tile's
/// rows are its columns.
void ContractionPlan::takeFew(const Machine &machine) {
  double bytes = elementsOf(narrow()) * elementBytes;
  for (unsigned loop : llvm::to_vector(outer))
    if (lanesAreSummed && inner.empty() && nest.stride(narrow(), loop) == 0 &&
        nest.stride(wide, loop) != 0 &&
        nest.extents[loop] <= fewRows(bytes, machine) &&
        2 * nest.extents[loop] + 1 <= machine.vectorRegisters) {
      inner.push_back(loop);
      llvm::erase(outer, loop);
    }
}

/// Few rows use the vectors that they read too seldom where those are many, as
/// in a convolution of a small image. Other rows must be left for threads, of
/// which `shared` have blocks of their own already.
void ContractionPlan::takeInner(int64_t shared, const Machine &machine) {
  constexpr int64_t enoughRows = 32;
  if (lanesAreSummed || bothWide || !rowLoop || rows == 1 ||
      summed.size() < 2 ||
      numSteps() * tileLanes() * elementBytes <= machine.l2Bytes / 5)
    return;
  int64_t tasks =
      shared * llvm::divideCeil(laneExtent(), tileLanes()) * outerSteps();
  for (unsigned loop : llvm::to_vector(llvm::reverse(outer))) {
    int64_t extent = nest.extents[loop];
    bool fits = innerRows() * extent * tileLanes() * elementBytes <=
                machine.l2Bytes / 4;
    if (nest.stride(wide, loop) != 0 || innerRows() >= enoughRows || !fits ||
        tasks / extent < leastTasks)
      continue;
    inner.insert(inner.begin(), loop);
    llvm::erase(outer, loop);
    tasks /= extent;
  }
}

int64_t ContractionPlan::outerSteps() const {
  int64_t steps = 1;
  for (unsigned loop : outer)
    steps *= nest.extents[loop];
  return steps;
}

double ContractionPlan::elementsOf(unsigned factor) const {
  double elements = 1;
  for (unsigned loop = 0; loop < nest.depth(); ++loop)
    elements *= nest.stride(factor, loop) == 0 ? 1 : nest.extents[loop];
  return elements;
}

/// So many tiles of rows pay for a copy of what they read in vectors, which is
/// of so many steps: more where these are what lies side by side.
constexpr int64_t tilesOfCopy = 4, stepsOfCopy = 128, stepsOfTurn = 512;
/// Rows that read panels of all of it sooner than copies of blocks: panels that
/// are in memory are fetched ahead.
constexpr int64_t mostRowsOfFar = 160, mostRowsOfNear = 300;

bool ContractionPlan::readsRowsAlong(const Machine &machine) const {
  if (onGpu || summed.size() != 1 || lanesAreSummed || lanesAreTurned ||
      panelWidth() || laneExtent() <= tileLanes())
    return false;
  return rowExtent() == 1 ||
         (!bothWide && rowExtent() < tilesOfCopy * rows &&
          elementsOf(wide) * elementBytes > machine.l2Bytes);
}

/// Whether what a block reads in vectors is copied for its rows alone: there
/// are too few rows to copy all of it to memory first.
bool ContractionPlan::mayCopyLanes(const Machine &machine) const {
  if (lanesAreTurned)
    return true;
  double bytes = elementsOf(wide) * elementBytes;
  int64_t most = bytes > machine.l2Bytes ? mostRowsOfFar : mostRowsOfNear;
  return !isRepeated && !onGpu && rowLoop &&
         rowExtent() >= tilesOfCopy * rows && rowExtent() <= most &&
         !lanesAreSummed && !bothWide && summed.size() == 1 &&
         laneExtent() > tileLanes() && bytes > machine.l1Bytes &&
         ownSums == 0 && nest.stride(wide, laneLoop) == 1 &&
         !nest.hasPanels() && llvm::none_of(outer, [&](unsigned loop) {
           return nest.stride(wide, loop) == 0;
         });
}

/// Rows of a block that panels pass by.
constexpr int64_t rowsOfFarPanels = 96;

/// Of rows that are read along: some pages from end to end, for which sums are
/// in the first cache or not far away.
constexpr int64_t rowBytes = 16384;

/// What is larger than so many second caches is in none that follows.
constexpr double cachesOfL2 = 32;

/// Steps of a block's sum, which is then added to what is in memory.
static int64_t mostSteps(const Machine &machine) {
  return portion(machine.l1Bytes / 64, 512);
}

void ContractionPlan::cutSum(const Machine &machine) {
  auto extentOf = [&](unsigned loop) { return nest.extents[loop]; };
  int64_t steps = numSteps();
  sumBlock = summed.empty() ? 1 : extentOf(summed.front());
  if (lanesAreSummed || summed.empty())
    return;
  int64_t most = mostSteps(machine);
  if (summed.size() == 1) {
    bool isAlong = readsRowsAlong(machine);
    if (isAlong)
      most = rowExtent() == 1 ? 8 : 16;
    else if (mayCopyLanes(machine))
      most = lanesAreTurned ? stepsOfTurn : stepsOfCopy;

    if (steps > most * 3 / 2)
      sumBlock = equalBlocks(steps, most, isAlong ? 1 : 8);
    if (isAlong && rowExtent() == 1 && sumBlock <= most * 3 / 2 &&
        elementsOf(wide) * elementBytes > cachesOfL2 * machine.l2Bytes)
      vectors = 1, stepsAreWritten = true;
    return;
  }
  // Tiles one after the other read the same vectors, and rows that are
  // neighbours the same lines: from the first cache, of which these vectors
  // fill half.
  bool isLong = steps * tileLanes() * elementBytes > machine.l2Bytes / 2 ||
                !inner.empty() ||
                (rowLoop && nest.stride(narrow(), *rowLoop) == 1);
  most = std::clamp<int64_t>(machine.l1Bytes / 2 / (tileLanes() * elementBytes),
                             64, most);
  if (innerRows() < 4 * rows || steps <= most * 3 / 2 || !isLong)
    return;
  llvm::sort(summed, [&](unsigned a, unsigned b) {
    return std::pair(-nest.stride(wide, a), a) <
           std::pair(-nest.stride(wide, b), b);
  });
  while (cutLoop + 1 < summed.size() && steps > most &&
         steps / extentOf(summed[cutLoop]) >= most / 4)
    steps /= extentOf(summed[cutLoop++]);
  int64_t extent = extentOf(summed[cutLoop]);
  sumBlock = extent;
  if (steps > most * 3 / 2)
    sumBlock =
        equalBlocks(extent, std::max<int64_t>(most / (steps / extent), 1), 1);
}

/// Whether panels come from beyond the second cache, one block after the other.
bool ContractionPlan::hasFarPanels(const Machine &machine) const {
  return !onGpu && summed.size() == 1 && panelWidth() > 0 && rows > 1 &&
         elementsOf(wide) * elementBytes > machine.l2Bytes;
}

/// Lanes of a block, of each of which so many steps are read.
int64_t ContractionPlan::mostLanes(int64_t steps,
                                   const Machine &machine) const {
  // Copies go to the second cache, and come from some lines side by side.
  constexpr int64_t leastBytes = 2048, mostBytes = 4096;
  if (readsRowsAlong(machine))
    return rowBytes / elementBytes;
  if (lanesAreTurned)
    return tileLanes();
  // Sums stay in the second cache from one block of steps to the next, with the
  // rows; the panels pass by.
  if (hasFarPanels(machine))
    return std::max(machine.l2Bytes / 4 / (rowsOfFarPanels * elementBytes),
                    tileLanes());
  if (mayCopyLanes(machine))
    return std::clamp<int64_t>(laneExtent() * outerSteps() / leastTasks,
                               std::max(leastBytes / elementBytes, tileLanes()),
                               std::max(mostBytes / elementBytes, tileLanes()));
  int64_t most =
      std::min(portion(machine.l2Bytes >> 11, 320),
               machine.l2Bytes / 2 / std::max(steps * elementBytes, 1l));
  return std::max(most, tileLanes());
}

void ContractionPlan::chooseBlocks(int64_t shared, const Machine &machine) {
  // The last loop summed over is that with the longest way through the vectors.
  if (!summed.empty()) {
    auto longest = llvm::max_element(summed, [&](unsigned a, unsigned b) {
      return nest.extents[a] < nest.extents[b];
    });
    std::rotate(longest, longest + 1, summed.end());
  }
  takeInner(shared, machine);
  cutSum(machine);
  // What is read in vectors stays in the second cache from tile to tile, and
  // all of it from one to the next of a few rows' blocks.
  int64_t wideSteps = numSteps();
  if (inner.empty()) {
    wideSteps = sumBlock;
    for (unsigned loop : ArrayRef(summed).drop_front(
             std::min<size_t>(cutLoop + 1, summed.size())))
      wideSteps *= nest.extents[loop];
  }
  laneBlock = lanesAreSummed
                  ? laneExtent()
                  : equalBlocks(laneExtent(), mostLanes(wideSteps, machine),
                                tileLanes());
  // A block of both factors is about as long as it is wide, so that each number
  // that comes from beyond the second cache is used often; threads want
  // several.
  bool isFar = hasFarPanels(machine);
  for (int64_t most : {256, 128}) {
    most = isFar ? rowsOfFarPanels : most;
    rowBlock =
        equalBlocks(rowExtent(), portion(machine.l2Bytes >> 13, most), rows);
    if (numTasks() >= leastTasks)
      break;
  }
  bool mayShare = !lanesAreSummed && !onGpu && !readsRowsAlong(machine);
  if (mayShare)
    share(laneBlock, laneExtent(), tileLanes(), leastTasks, leastProducts);
  tasksOfSum = numTasks();
  // Blocks of other rows read the same vectors again: half as many.
  if (mayShare)
    share(rowBlock, rowExtent(), rows, leastTasks / 2, 4 * leastProducts);
}

/// Smaller blocks, where there are too few for threads to have equal shares and
/// what remains of each is worth a task.
void ContractionPlan::share(int64_t &block, int64_t extent, int64_t tile,
                            int64_t most, double least) const {
  int64_t wanted = std::min<double>(most, nest.steps() / least);
  int64_t now = llvm::divideCeil(extent, block);
  int64_t blocks = llvm::divideCeil(wanted, numTasks() / now);
  if (blocks > now)
    block = llvm::alignTo(llvm::divideCeil(extent, blocks), tile);
}

double ContractionPlan::productsPerElement() const {
  return nest.steps() / (elementsOf(wide) + elementsOf(narrow()));
}

void ContractionPlan::keepSums() {
  int64_t width = lanesAreSummed ? 1 : laneBlock;
  nest.placeInBlock(sum, rowLoop, width,
                    lanesAreSummed ? std::nullopt : std::optional(laneLoop));
  ownSums = rowBlock * width;
  for (unsigned loop : llvm::reverse(inner)) {
    nest.accesses[sum].strides[loop] = ownSums;
    ownSums *= nest.extents[loop];
  }
}

/// Rows that are neighbours, each step of what is summed far away from the last
/// one, as in the product with a transposed matrix: no two steps are in one
/// page, most are in one set of the first cache, and each tile of rows would
/// read them anew. Only where copies are used often.
void ContractionPlan::copyRows(const Machine &machine) {
  constexpr int64_t nearSteps = 2048, mostRows = 128, mostSteps = 256;
  if (lanesAreSummed || lanesAreTurned || bothWide || !rowLoop ||
      summed.size() != 1 || ownSums > 0)
    return;
  unsigned loop = summed.front();
  const Access &far = nest.accesses[narrow()];
  if (!far.panels.empty() || far.strides[*rowLoop] != 1 ||
      far.strides[loop] * elementBytes < nearSteps ||
      laneExtent() < 2 * lanes || rowExtent() < 2 * rows ||
      rowExtent() * nest.extents[loop] * elementBytes <= machine.l1Bytes)
    return;
  copied = narrow();
  rowBlock = equalBlocks(rowExtent(), std::min(rowBlock, mostRows), rows);
  sumBlock = equalBlocks(nest.extents[loop], std::min(sumBlock, mostSteps), 8);
  nest.accesses.push_back(far);
  nest.placeInBlock(narrow(), loop, rowBlock, rowLoop);
}

/// A block of what is read in vectors, in panels one after the other.
void ContractionPlan::copyLanes(const Machine &machine) {
  if (copied || !mayCopyLanes(machine))
    return;
  copied = wide;
  nest.accesses.push_back(nest.accesses[wide]);
  nest.placeInBlock(wide, summed.front(), tileLanes(), laneLoop);
  Panels &panels = nest.accesses[wide].panels.emplace_back();
  panels.strides.resize(nest.depth());
  panels.strides[laneLoop] = 1;
  panels.width = tileLanes();
  panels.stride = tileLanes() * sumBlock;
}

void ContractionPlan::fetchAhead(const Machine &machine) {
  // A copy has just been written.
  if (onGpu || summed.empty() || lanesAreSummed || bothWide || copied == wide ||
      panelWidth() == 0 || rowBlock <= rows)
    return;
  int64_t steps = sumBlock;
  for (unsigned loop : ArrayRef(summed).drop_front(cutLoop + 1))
    steps *= nest.extents[loop];
  fetchesAhead = steps * tileLanes() * elementBytes > machine.l1Bytes;
  // Tiles of fewer rows would wait for more than they compute.
  constexpr int64_t leastTiles = 4;
  int64_t tiles = rowBlock / rows;
  if (fetchesAhead && hasFarPanels(machine) && tiles >= leastTiles)
    fetchedOfNext = llvm::divideCeil(tileLanes(), tiles);
}

int64_t ContractionPlan::copies() const {
  if (!copied)
    return 0;
  return sumBlock *
         (copied == wide ? llvm::alignTo(laneBlock, tileLanes()) : rowBlock);
}

bool weft::addEpilogue(Nest &nest, linalg::GenericOp op,
                       linalg::GenericOp epilogue) {
  AffineMap sums = op.getIndexingMapsArray()[ContractionPlan::sum];
  AffineMap changed =
      epilogue.getMatchingIndexingMap(&epilogue.getDpsInitsMutable()[0]);
  if (!sums.isProjectedPermutation() || !changed.isPermutation())
    return false;
  // The loop of the epilogue for each dimension is that of the sum for it.
  AffineMap loops = inversePermutation(changed).compose(sums);
  return llvm::all_of(epilogue->getOpOperands(), [&](OpOperand &operand) {
    return nest.add(operand.get(),
                    epilogue.getMatchingIndexingMap(&operand).compose(loops));
  });
}

/// Whether an epilogue writes where other blocks may still read factors.
static bool overwritesFactor(linalg::GenericOp epilogue,
                             linalg::GenericOp sum) {
  Value result = weft::ownBufferOf(epilogue.getDpsInits()[0]);
  return llvm::any_of(sum.getDpsInputs(), [&](Value factor) {
    return weft::ownBufferOf(factor) == result;
  });
}

linalg::GenericOp weft::findEpilogue(linalg::GenericOp op) {
  // Also past buffers that have no place yet: once they have one, nothing is
  // between the two, and it must be known before that they are computed as one.
  Operation *next = op->getNextNode();
  while (next && !isa<linalg::LinalgOp>(next) &&
         (isMemoryEffectFree(next) ||
          isa<memref::AllocOp, memref::AllocaOp>(next)))
    next = next->getNextNode();
  auto epilogue = dyn_cast_or_null<linalg::GenericOp>(next);
  if (!epilogue || !epilogue->hasAttr(epilogueAttr))
    return {};
  // In place, or from these sums to another type. An epilogue of other sums may
  // read these.
  Value sums = op.getDpsInits()[0], result = epilogue.getDpsInits()[0];
  bool converts = getElementTypeOrSelf(result) != getElementTypeOrSelf(sums) &&
                  llvm::is_contained(epilogue.getDpsInputs(), sums);
  bool follows = result == sums || converts;
  return follows && !overwritesFactor(epilogue, op) ? epilogue
                                                    : linalg::GenericOp();
}

Operation *weft::findConvertedSums(linalg::GenericOp op) {
  Value sums = op.getDpsInits()[0];
  Operation *alloc = sums.getDefiningOp();
  if (!isa_and_nonnull<memref::AllocOp, memref::AllocaOp>(alloc))
    return {};
  linalg::GenericOp epilogue = findEpilogue(op);
  // What is on the stack is there for the whole kernel.
  if (!epilogue || epilogue.getDpsInits()[0] == sums ||
      (isa<memref::AllocOp>(alloc) && alloc->getBlock() != op->getBlock()))
    return {};
  bool startsAtZero = false;
  for (Operation *user : alloc->getUsers()) {
    auto fill = dyn_cast<linalg::FillOp>(user);
    if (fill && fill->getBlock() == op->getBlock() &&
        (matchPattern(fill.getInputs()[0], m_Zero()) ||
         matchPattern(fill.getInputs()[0], m_PosZeroFloat())))
      startsAtZero = true;
    else if (user != op && user != epilogue && !isa<memref::DeallocOp>(user))
      return {};
  }
  return startsAtZero ? alloc : nullptr;
}

/// Steps of the loop that an op stands in, if threads share them.
static int64_t stepsAround(Operation *op) {
  auto loop = dyn_cast<scf::ForOp>(op->getParentOp());
  if (!loop || !loop->hasAttr(weft::rowsAttr))
    return 1;
  std::optional<APInt> steps = loop.getStaticTripCount();
  return steps ? steps->getSExtValue() : 1;
}

std::optional<ContractionPlan>
ContractionPlan::make(linalg::GenericOp op, const Machine &machine,
                      linalg::GenericOp epilogue) {
  std::optional<MultiplyAdd> body = MultiplyAdd::match(op);
  std::optional<Nest> nest = Nest::of(op);
  Type element = getElementTypeOrSelf(op.getDpsInits()[0].getType());
  if (!body || !nest || !body->mayReorder() || !element.isIntOrFloat() ||
      element.getIntOrFloatBitWidth() < 8 ||
      llvm::is_contained(nest->extents, 0) ||
      !llvm::all_of(op->getOperandTypes(), llvm::IsaPred<ShapedType>))
    return std::nullopt;
  ContractionPlan plan;
  plan.onGpu = isForGpu(op);
  plan.nest = std::move(*nest);
  if (epilogue && !addEpilogue(plan.nest, op, epilogue))
    return std::nullopt;
  plan.nest.simplify();
  plan.lanes = machine.lanes(element);
  plan.elementBytes = element.getIntOrFloatBitWidth() / 8;
  if (!plan.chooseLanes() && !plan.chooseTurnedLanes(op, machine) &&
      !plan.chooseSummedLanes())
    return std::nullopt;
  plan.chooseRows();
  plan.isRepeated = ::isRepeated(op, plan.wide);
  if (!plan.hasOnlyPanelsOfLanes())
    return std::nullopt;
  for (unsigned loop = 0; loop < plan.nest.depth(); ++loop) {
    if (loop == plan.laneLoop || plan.rowLoop == loop)
      continue;
    (plan.nest.isParallel(loop) ? plan.outer : plan.summed).push_back(loop);
  }
  plan.takeFew(machine);
  plan.chooseTile(machine);
  // Panels were made for the sum alone.
  if (int64_t panel = plan.panelWidth();
      epilogue && panel && panel != plan.tileLanes())
    return std::nullopt;
  plan.chooseBlocks(stepsAround(op), machine);
  if (epilogue && findConvertedSums(op))
    plan.keepSums();
  plan.copyRows(machine);
  plan.copyLanes(machine);
  plan.fetchAhead(machine);
  return plan;
}

bool ContractionPlan::lanesFirst() const {
  return !outer.empty() && laneBlock < laneExtent() &&
         llvm::all_of(
             outer,
             [&](unsigned loop) { return nest.stride(wide, loop) == 0; });
}

int64_t ContractionPlan::numTasks() const {
  int64_t tasks = llvm::divideCeil(rowExtent(), rowBlock) *
                  llvm::divideCeil(laneExtent(), laneBlock);
  return tasks * outerSteps();
}

bool ContractionPlan::isWorthPacking(const Machine &machine) const {
  if (lanesAreSummed || bothWide || panelWidth() || laneExtent() <= tileLanes())
    return false;
  int64_t timesRead = innerRows();
  for (unsigned loop : outer)
    if (nest.stride(wide, loop) == 0)
      timesRead *= nest.extents[loop];
  // Each element must be read often, and be far from the next one that is read.
  return timesRead >= 4 * rows &&
         laneExtent() * numSteps() * elementBytes > machine.l1Bytes;
}
