// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft-pad-blocks: an array is padded only to be read through windows -> both
// in one loop over blocks of the result, each of which pads no more than it
// reads.

#include "lowering/OptimizationLevel.h"
#include "lowering/Passes.h"
#include "lowering/fusion/ContractionPlan.h"
#include "lowering/fusion/RowGroup.h"
#include "lowering/fusion/Slicer.h"
#include "lowering/memory/Buffers.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

namespace weft {
#define GEN_PASS_DEF_PADBLOCKS
#include "lowering/Passes.h.inc"
} // namespace weft

using namespace mlir;
using linalg::GenericOp;
using weft::Machine;
using weft::Ranges;
using weft::Slicer;

namespace {

/// Places of the result along the blocked loop that are computed at once.
constexpr int64_t mostPlaces = 16;
/// Bytes of the padded block that a thread keeps on its stack.
constexpr int64_t mostPrivateBytes = 256 << 10;
/// Bytes of a block's sums there, if they are only converted.
constexpr int64_t mostSumBytes = 512 << 10;

/// Whether an expression is a sum of loops times positive constants.
bool isLinear(AffineExpr expr) {
  if (isa<AffineDimExpr>(expr))
    return true;
  if (auto constant = dyn_cast<AffineConstantExpr>(expr))
    return constant.getValue() == 0;
  auto binary = dyn_cast<AffineBinaryOpExpr>(expr);
  if (!binary)
    return false;
  if (binary.getKind() == AffineExprKind::Add)
    return isLinear(binary.getLHS()) && isLinear(binary.getRHS());
  auto constant = dyn_cast<AffineConstantExpr>(binary.getRHS());
  return binary.getKind() == AffineExprKind::Mul && constant &&
         constant.getValue() > 0 && isa<AffineDimExpr>(binary.getLHS());
}

/// Whether a place is a sum of loops times constants, whichever they are.
bool isSum(AffineExpr expr) {
  bool found = true;
  expr.walk([&](AffineExpr inner) {
    found &= isa<AffineDimExpr, AffineConstantExpr>(inner) ||
             inner.getKind() == AffineExprKind::Add ||
             inner.getKind() == AffineExprKind::Mul;
  });
  return found;
}

/// A padded array and the op that reads it through windows.
class PaddedWindows {
public:
  PaddedWindows(memref::AllocOp padded, const Machine &machine)
      : padded(padded), machine(machine) {}

  bool match() {
    return findUsers() && findLoops() && findEnds() && choosePlaces();
  }

  void build() {
    Operation *end = epilogue ? epilogue : windows;
    ImplicitLocOpBuilder b(windows.getLoc(), end);
    auto index = [&](int64_t value) -> Value {
      return arith::ConstantIndexOp::create(b, value);
    };
    SmallVector<int64_t> extents = windows.getStaticLoopRanges(), counts;
    for (unsigned loop : outer)
      counts.push_back(extents[loop]);
    counts.push_back(extents[blocked] / places);
    auto loop = scf::ForOp::create(b, index(0), index(llvm::product_of(counts)),
                                   index(1));
    loop->setAttr(weft::rowsAttr, b.getUnitAttr());
    if (weft::workOf(windows, *weft::Nest::of(windows)) >= machine.shareFrom)
      loop->setAttr(weft::parallelAttr, b.getUnitAttr());
    b.setInsertionPointToStart(loop.getBody());
    SmallVector<Value> at =
        weft::splitDigits(b, loop.getInductionVar(), counts);
    Ranges ranges;
    for (auto [number, first] : llvm::zip(outer, at))
      ranges[number] = {first, 1};
    ranges[blocked] = {arith::MulIOp::create(b, at.back(), index(places)),
                       places};
    buildBlock(b, ranges);
    for (Operation *op :
         {static_cast<Operation *>(epilogue), static_cast<Operation *>(windows),
          static_cast<Operation *>(start), inside,
          static_cast<Operation *>(view), static_cast<Operation *>(margin)})
      if (op)
        op->erase();
  }

private:
  // ---- matching ----

  /// A fill, a copy into a part of it, and one op that reads it.
  bool findUsers() {
    for (Operation *user : padded->getUsers()) {
      if (auto fill = dyn_cast<linalg::FillOp>(user); fill && !margin)
        margin = fill;
      else if (auto part = dyn_cast<memref::SubViewOp>(user); part && !view)
        view = part;
      else if (auto op = dyn_cast<GenericOp>(user); op && !windows)
        windows = op;
      else
        return false;
    }
    if (!margin || !view || !windows || !view->hasOneUse() ||
        view.getType().getRank() != padded.getType().getRank() ||
        !view.getOffsets().empty() || !view.getSizes().empty() ||
        !llvm::all_equal(view.getStaticStrides()) ||
        view.getStaticStrides().front() != 1 ||
        windows.getNumReductionLoops() == 0 || windows.getNumDpsInits() != 1 ||
        windows.hasDynamicShape() || !windows.hasPureBufferSemantics())
      return false;
    inside = *view->getUsers().begin();
    Block *block = windows->getBlock();
    auto stands = [&](Operation *op) { return op->getBlock() == block; };
    return stands(padded) && stands(margin) && stands(view) && stands(inside) &&
           isCopy() && canWait();
  }

  /// Whether nothing changes what the inside is copied from before it is read.
  bool canWait() {
    for (Operation *op = inside->getNextNode(); op != windows;
         op = op->getNextNode()) {
      if (!op)
        return false;
      if (isMemoryEffectFree(op) || isa<memref::AllocOp>(op))
        continue;
      auto other = dyn_cast<linalg::LinalgOp>(op);
      if (!other && !isa<memref::CopyOp>(op))
        return false;
      auto written = other ? SmallVector<Value>(other.getDpsInits())
                           : SmallVector<Value>{op->getOperand(1)};
      for (Value buffer : written)
        if (weft::touches(inside, weft::baseOf(buffer)))
          return false;
    }
    return true;
  }

  /// Whether the inside of the padded array is written element by element.
  bool isCopy() {
    if (auto copy = dyn_cast<memref::CopyOp>(inside))
      return copy.getTarget() == view;
    auto op = dyn_cast<GenericOp>(inside);
    if (!op || op.getNumDpsInits() != 1 || op.getDpsInits()[0] != view ||
        op.getNumParallelLoops() != op.getNumLoops() ||
        !op.getIndexingMapsArray().back().isIdentity())
      return false;
    return llvm::all_of(op.getIndexingMapsArray(), [](AffineMap map) {
      return llvm::all_of(map.getResults(), isLinear);
    });
  }

  /// The loops that are run in parts: one that moves a window along, and those
  /// before it along which whole parts of the padded array lie, without
  /// margins.
  bool findLoops() {
    for (OpOperand *input : windows.getDpsInputOperands())
      if (input->get() == padded)
        source = input;
    if (!source)
      return false;
    AffineMap map = windows.getMatchingIndexingMap(source);
    auto kinds = windows.getIteratorTypesArray();
    for (auto [dim, expr] : llvm::enumerate(map.getResults())) {
      if (!isLinear(expr))
        return false;
      SmallVector<unsigned> moved, within;
      for (unsigned loop = 0; loop < map.getNumDims(); ++loop)
        if (expr.isFunctionOfDim(loop))
          (kinds[loop] == utils::IteratorType::parallel ? moved : within)
              .push_back(loop);
      if (found)
        continue;
      if (moved.size() == 1 && !within.empty()) {
        blocked = moved.front();
        blockedDim = dim;
        found = true;
      } else if (moved.size() == 1 && isa<AffineDimExpr>(expr) &&
                 isWhole(dim)) {
        outer.push_back(moved.front());
        outerDims.push_back(dim);
      }
    }
    return found && map.getNumResults() == padded.getType().getRank();
  }

  /// Whether the inside is as long as the padded array.
  bool isWhole(unsigned dim) {
    return view.getStaticSizes()[dim] == padded.getType().getDimSize(dim);
  }

  /// The fill that the result begins with, and what changes it at the end.
  bool findEnds() {
    AffineMap results = windows.getIndexingMapsArray().back();
    if (!results.isProjectedPermutation(/*allowZeroInResults=*/true))
      return false;
    for (AffineMap map : windows.getIndexingMapsArray())
      if (!llvm::all_of(map.getResults(), [&](AffineExpr expr) {
            return isLinear(expr) || !isSliced(expr);
          }))
        return false;
    auto has = [&](unsigned loop) {
      return llvm::any_of(results.getResults(), [&](AffineExpr expr) {
        return expr.isFunctionOfDim(loop);
      });
    };
    if (!has(blocked) || !llvm::all_of(outer, has))
      return false;
    start = weft::moveFillTo(windows);
    epilogue = weft::findEpilogue(windows);
    if (epilogue)
      for (AffineMap map : epilogue.getIndexingMapsArray())
        if (!llvm::all_of(map.getResults(), isSum))
          return false;
    own = dyn_cast_or_null<memref::AllocOp>(weft::findConvertedSums(windows));
    return start && !overwritesInside();
  }

  /// Whether a block of results stands where the next block is copied from.
  bool overwritesInside() {
    auto isRead = [&](Value buffer) {
      return weft::touches(inside, weft::baseOf(buffer));
    };
    return isRead(windows.getDpsInits()[0]) ||
           (epilogue && isRead(epilogue.getDpsInits()[0]));
  }

  /// Whether a place depends on a loop that is run in parts.
  bool isSliced(AffineExpr expr) const {
    return expr.isFunctionOfDim(blocked) ||
           llvm::any_of(outer, [&](unsigned loop) {
             return expr.isFunctionOfDim(loop);
           });
  }

  bool choosePlaces() {
    int64_t bytes = weft::bytesOf(padded.getType().getElementType());
    if (padded.getType().getNumElements() * bytes <= machine.l2Bytes)
      return false;
    SmallVector<int64_t> extents = windows.getStaticLoopRanges();
    for (places = std::min(mostPlaces, extents[blocked]); places > 0; --places)
      if (extents[blocked] % places == 0 &&
          llvm::product_of(blockShape()) * bytes <= mostPrivateBytes)
        break;
    if (own && llvm::product_of(sumsShape()) *
                       weft::bytesOf(own.getType().getElementType()) >
                   mostSumBytes)
      own = {};
    // A short block reads most of what it pads once more.
    AffineExpr expr =
        windows.getMatchingIndexingMap(source).getResult(blockedDim);
    int64_t step = Slicer::coefficient(expr, blocked);
    return places > 1 && blockShape()[blockedDim] <= 3 * step * places;
  }

  /// The sums of a block.
  SmallVector<int64_t> sumsShape() {
    SmallVector<int64_t> shape(own.getType().getShape());
    AffineMap results = windows.getIndexingMapsArray().back();
    for (auto [dim, expr] : llvm::enumerate(results.getResults())) {
      if (expr.isFunctionOfDim(blocked))
        shape[dim] = places;
      for (unsigned loop : outer)
        if (expr.isFunctionOfDim(loop))
          shape[dim] = 1;
    }
    return shape;
  }

  /// The part of the padded array that a block reads.
  SmallVector<int64_t> blockShape() {
    SmallVector<int64_t> shape(padded.getType().getShape());
    SmallVector<int64_t> extents = windows.getStaticLoopRanges();
    for (unsigned dim : outerDims)
      shape[dim] = 1;
    AffineExpr expr =
        windows.getMatchingIndexingMap(source).getResult(blockedDim);
    int64_t reach = 0;
    for (unsigned loop = 0; loop < extents.size(); ++loop)
      reach += Slicer::coefficient(expr, loop) *
               ((loop == blocked ? places : extents[loop]) - 1);
    shape[blockedDim] = reach + 1;
    return shape;
  }

  // ---- building ----

  void buildBlock(ImplicitLocOpBuilder &b, const Ranges &ranges) {
    Slicer slicer(b);
    Value block = weft::onStack(
        b, MemRefType::get(blockShape(), padded.getType().getElementType()));
    AffineMap map = windows.getMatchingIndexingMap(source);
    SmallVector<int64_t> extents = windows.getStaticLoopRanges();
    Value first = getValueOrCreateConstantIndexOp(
        b, b.getLoc(),
        slicer.slice(map.getResult(blockedDim), ranges, extents).first);
    fillBlock(b, block, first, ranges);

    Ranges results;
    AffineMap sums = windows.getIndexingMapsArray().back();
    for (auto [dim, expr] : llvm::enumerate(sums.getResults()))
      if (auto loop = dyn_cast<AffineDimExpr>(expr))
        if (auto range = ranges.find(loop.getPosition()); range != ranges.end())
          results[dim] = range->second;
    DenseMap<Value, Value> parts{{source->get(), block}};
    if (own)
      parts[own] = weft::onStack(
          b, MemRefType::get(sumsShape(), own.getType().getElementType()));
    slicer.build(start, results, parts);
    slicer.build(windows, ranges, parts);
    if (!epilogue)
      return;
    Ranges changed;
    AffineMap places =
        epilogue.getMatchingIndexingMap(&epilogue.getDpsInitsMutable()[0]);
    for (auto &[dim, range] : results)
      changed[cast<AffineDimExpr>(places.getResult(dim)).getPosition()] = range;
    slicer.build(epilogue, changed, parts);
  }

  /// Writes the part of the padded array from `first` on along the blocked
  /// dimension, one place after the other.
  void fillBlock(ImplicitLocOpBuilder &b, Value block, Value first,
                 const Ranges &ranges) {
    auto index = [&](int64_t value) -> Value {
      return arith::ConstantIndexOp::create(b, value);
    };
    ArrayRef<int64_t> lows = view.getStaticOffsets(),
                      sizes = view.getStaticSizes();
    ArrayRef<int64_t> shape = cast<MemRefType>(block.getType()).getShape();
    auto loop =
        scf::ForOp::create(b, index(0), index(shape[blockedDim]), index(1));
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    Value place = loop.getInductionVar();
    Value from = arith::SubIOp::create(
        b, arith::AddIOp::create(b, first, place), index(lows[blockedDim]));
    Value isInside = arith::CmpIOp::create(b, arith::CmpIPredicate::ult, from,
                                           index(sizes[blockedDim]));
    auto choice = scf::IfOp::create(b, isInside, /*withElseRegion=*/true);
    b.setInsertionPointToStart(choice.elseBlock());
    fillPart(b, block, place, blockedDim, 0, shape[blockedDim]);
    b.setInsertionPointToStart(choice.thenBlock());
    for (unsigned dim = 0; dim < shape.size(); ++dim) {
      bool isSliced = dim == blockedDim || llvm::is_contained(outerDims, dim);
      if (isSliced)
        continue;
      int64_t end = lows[dim] + sizes[dim];
      if (lows[dim] > 0)
        fillPart(b, block, place, dim, 0, lows[dim]);
      if (end < shape[dim])
        fillPart(b, block, place, dim, end, shape[dim] - end);
    }
    copyInside(b, block, place, from, ranges);
  }

  /// The part of a block at one place along the blocked dimension.
  Value partOf(ImplicitLocOpBuilder &b, Value block, Value place, unsigned dim,
               int64_t low, int64_t size) {
    ArrayRef<int64_t> shape = cast<MemRefType>(block.getType()).getShape();
    SmallVector<OpFoldResult> offsets(shape.size(), b.getIndexAttr(0)),
        sizes = getAsIndexOpFoldResult(b.getContext(), shape),
        steps(shape.size(), b.getIndexAttr(1));
    if (dim != blockedDim) {
      offsets[dim] = b.getIndexAttr(low);
      sizes[dim] = b.getIndexAttr(size);
    }
    offsets[blockedDim] = place;
    sizes[blockedDim] = b.getIndexAttr(1);
    return memref::SubViewOp::create(b, block, offsets, sizes, steps);
  }

  void fillPart(ImplicitLocOpBuilder &b, Value block, Value place, unsigned dim,
                int64_t low, int64_t size) {
    linalg::FillOp::create(b, margin.getInputs()[0],
                           partOf(b, block, place, dim, low, size));
  }

  void copyInside(ImplicitLocOpBuilder &b, Value block, Value place, Value from,
                  const Ranges &ranges) {
    // Where the inside lies in the part at this place.
    ArrayRef<int64_t> shape = cast<MemRefType>(block.getType()).getShape();
    SmallVector<OpFoldResult> offsets, sizes,
        steps(shape.size(), b.getIndexAttr(1));
    Ranges loops;
    for (unsigned dim = 0; dim < shape.size(); ++dim) {
      const unsigned *known = llvm::find(outerDims, dim);
      bool isOuter = known != outerDims.end();
      if (dim == blockedDim)
        loops[dim] = {from, 1};
      else if (isOuter)
        loops[dim] = {ranges.lookup(outer[known - outerDims.begin()]).first, 1};
      bool isPart = dim == blockedDim || isOuter;
      offsets.push_back(
          dim == blockedDim
              ? OpFoldResult(place)
              : b.getIndexAttr(isPart ? 0 : view.getStaticOffsets()[dim]));
      sizes.push_back(b.getIndexAttr(isPart ? 1 : view.getStaticSizes()[dim]));
    }
    Value target = memref::SubViewOp::create(b, block, offsets, sizes, steps);
    Slicer slicer(b);
    if (auto op = dyn_cast<GenericOp>(inside)) {
      slicer.build(op, loops,
                   DenseMap<Value, Value>{{op.getDpsInits()[0], target}});
      return;
    }
    Value given = cast<memref::CopyOp>(inside).getSource();
    auto identity = b.getMultiDimIdentityMap(shape.size());
    Value origin = slicer.viewOf(given, identity, loops,
                                 cast<MemRefType>(given.getType()).getShape());
    GenericOp::create(b, origin, target,
                      ArrayRef<AffineMap>{identity, identity},
                      SmallVector<utils::IteratorType>(
                          shape.size(), utils::IteratorType::parallel),
                      [](OpBuilder &inner, Location loc, ValueRange arguments) {
                        linalg::YieldOp::create(inner, loc, arguments.front());
                      });
  }

  memref::AllocOp padded;
  const Machine &machine;
  /// The sums, if no more of them is needed than a block.
  memref::AllocOp own;
  linalg::FillOp margin, start;
  memref::SubViewOp view;
  Operation *inside = nullptr;
  GenericOp windows, epilogue;
  OpOperand *source = nullptr;
  /// The loops of which a block is one step, and the dimensions of the padded
  /// array that they walk along; and the same for the one that is blocked.
  SmallVector<unsigned> outer, outerDims;
  unsigned blocked = 0, blockedDim = 0;
  bool found = false;
  int64_t places = 0;
};

class PadBlocks final : public weft::impl::PadBlocksBase<PadBlocks> {
  void runOnOperation() override {
    if (!weft::isOptimized(getOperation()))
      return;
    Machine machine = Machine::of(getOperation());
    SmallVector<memref::AllocOp> allocs;
    getOperation().walk(
        [&](memref::AllocOp alloc) { allocs.push_back(alloc); });
    for (memref::AllocOp alloc : allocs) {
      PaddedWindows padded(alloc, machine);
      if (alloc.getType().hasStaticShape() && padded.match())
        padded.build();
    }
    for (memref::AllocOp alloc : allocs)
      if (alloc->use_empty())
        alloc.erase();
  }
};

} // namespace
