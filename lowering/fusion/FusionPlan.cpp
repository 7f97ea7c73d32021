// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Walks a block backwards, so that an op is placed when all that read it have
// been. An op moves into its readers' group if they are one group, which needs
// each of its elements once; an op that only moves elements, into every group
// that reads it. Each op is looked at once.

#include "lowering/fusion/FusionPlan.h"
#include "lowering/Passes.h"
#include "lowering/fusion/ContractionPlan.h"
#include "lowering/memory/Buffers.h"
#include "lowering/schedule/Schedule.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using linalg::GenericOp;
using weft::FusionGroup;
using weft::Read;

namespace {

/// Bodies beyond this spill registers and compile slowly.
constexpr size_t maxSize = 200;
constexpr size_t maxInputs = 24;

/// Whether no two steps of the loops reach the same element, as those of
/// windows side by side do not.
bool isInjective(const weft::Access &access, ArrayRef<int64_t> extents) {
  // By how much each loop moves, and how far it comes.
  SmallVector<std::pair<int64_t, int64_t>> moves;
  for (auto [stride, extent] : llvm::zip_equal(access.strides, extents))
    if (extent > 1)
      moves.emplace_back(std::abs(stride), std::abs(stride) * (extent - 1));
  llvm::sort(moves);
  int64_t reach = 0;
  for (auto [by, distance] : moves) {
    if (by <= reach)
      return false;
    reach += distance;
  }
  return access.panels.empty();
}

/// A contraction reads its operands many times, so that they must be in memory,
/// and so do windows that overlap.
bool readsRepeatedly(GenericOp op, Value array, AffineMap map) {
  if (op.getNumReductionLoops() == 0 || op.getNumDpsInputs() == 1)
    return false;
  weft::Nest nest;
  nest.extents = op.getStaticLoopRanges();
  return weft::isSumOfProducts(op) || !nest.add(array, map) ||
         !isInjective(nest.accesses.back(), nest.extents);
}

/// A loop around the reader would read many times, too.
bool readsElementwise(OpOperand &use) {
  auto reader = dyn_cast<GenericOp>(use.getOwner());
  return reader && reader->getBlock() == use.get().getParentBlock() &&
         reader.isDpsInput(&use) && !reader->hasAttr(weft::keepAttr) &&
         !readsRepeatedly(reader, use.get(),
                          reader.getMatchingIndexingMap(&use));
}

/// Whether the op only moves elements: to do it again costs a load.
bool computesNothing(GenericOp op) {
  return llvm::all_of(op.getBody()->without_terminator(), [](Operation &inner) {
    return isa<linalg::IndexOp, arith::IndexCastOp>(inner) ||
           inner.hasTrait<OpTrait::ConstantLike>();
  });
}

/// Whether the map is of the first loops, so that those within repeat it.
bool isOfOuterLoops(AffineMap map) {
  return map.getNumResults() < map.getNumDims() &&
         llvm::all_of(
             llvm::enumerate(map.getResults()),
             [](auto each) {
               auto dim = dyn_cast<AffineDimExpr>(each.value());
               return dim && dim.getPosition() == each.index();
             });
}

/// Whether loops of these extents reach each element exactly once, backwards
/// perhaps.
bool reachesOnce(AffineMap map, ArrayRef<int64_t> extents) {
  llvm::SmallBitVector seen(map.getNumDims());
  for (AffineExpr expr : map.getResults()) {
    // size - 1 - d
    if (auto sum = dyn_cast<AffineBinaryOpExpr>(expr);
        sum && sum.getKind() == AffineExprKind::Add &&
        isa<AffineConstantExpr>(sum.getRHS()))
      expr = sum.getLHS();
    if (auto product = dyn_cast<AffineBinaryOpExpr>(expr);
        product && product.getKind() == AffineExprKind::Mul &&
        product.getRHS() == getAffineConstantExpr(-1, map.getContext()))
      expr = product.getLHS();
    auto dim = dyn_cast<AffineDimExpr>(expr);
    if (!dim || seen.test(dim.getPosition()))
      return false;
    seen.set(dim.getPosition());
  }
  for (auto [loop, extent] : llvm::enumerate(extents))
    if (!seen.test(loop) && extent != 1)
      return false;
  return true;
}

/// Whether the extent of every loop of `root` can be told from what is left.
template <typename Reads>
bool knowsExtents(GenericOp root, const Reads &reads) {
  llvm::SmallBitVector known(root.getNumLoops());
  auto mark = [&](AffineMap map) {
    for (AffineExpr expr : map.getResults())
      if (auto dim = dyn_cast<AffineDimExpr>(expr))
        known.set(dim.getPosition());
  };
  for (const Read &read : reads)
    mark(read.second);
  for (OpOperand &init : root.getDpsInitsMutable())
    mark(root.getMatchingIndexingMap(&init));
  return known.all();
}

class Planner {
public:
  explicit Planner(bool absorbs) : absorbs(absorbs) {}

  std::vector<std::unique_ptr<FusionGroup>> groups;

  void place(GenericOp op) {
    if (!absorbs || !weft::canMove(op) || !moveIntoReaders(op))
      startGroup(op);
  }

private:
  using Place = std::pair<FusionGroup *, AffineMap>;

  /// True if `op` need not be computed on its own any more.
  bool moveIntoReaders(GenericOp op) {
    ArrayRef<Place> places = readers[op];
    bool onlyReaders = llvm::all_of(op->getUses(), readsElementwise);
    if (places.empty() || !onlyReaders) {
      if (computesNothing(op))
        for (auto [group, map] : places)
          absorb(*group, op, map);
      return false;
    }
    if (computesNothing(op) || (places.size() > 1 && weft::costsARead(op))) {
      bool everywhere = true;
      for (auto [group, map] : places)
        everywhere &= absorb(*group, op, map);
      return everywhere;
    }
    auto [group, map] = places.front();
    GenericOp root = group->root;
    bool isCheap = reachesOnce(map, root.getStaticLoopRanges()) ||
                   (isOfOuterLoops(map) && weft::computesIndex(op));
    return places.size() == 1 && isCheap && absorb(*group, op, map);
  }

  void startGroup(GenericOp op) {
    FusionGroup &group =
        *groups.emplace_back(std::make_unique<FusionGroup>(op));
    group.size = op.getBody()->getOperations().size();
    if (weft::isSumOfProducts(op) || !op.hasPureTensorSemantics() ||
        op->hasAttr(weft::keepAttr)) {
      group.takesSplats = false;
      return;
    }
    AffineMap identity =
        AffineMap::getMultiDimIdentityMap(op.getNumLoops(), op.getContext());
    SmallVector<Read> reads = readsOf(group, op, identity);
    if (!knowsExtents(op, reads)) {
      group.takesSplats = false;
      reads = readsOf(group, op, identity);
    }
    for (const Read &read : reads)
      if (readsRepeatedly(op, read.first, read.second))
        group.inputs.insert(read);
      else
        addInput(group, read);
  }

  bool absorb(FusionGroup &group, GenericOp op, AffineMap map) {
    Read result(op.getResult(0), map);
    size_t size = op.getBody()->getOperations().size();
    SmallVector<Read> added = readsOf(group, op, map);
    llvm::SmallSetVector<Read, 8> inputs = group.inputs;
    inputs.remove(result);
    inputs.insert(added.begin(), added.end());
    if (inputs.size() > maxInputs || group.size + size > maxSize ||
        !knowsExtents(group.root, inputs))
      return false;
    group.inputs.remove(result);
    group.absorbed.insert(result);
    group.size += size;
    for (const Read &read : added)
      addInput(group, read);
    return true;
  }

  void addInput(FusionGroup &group, const Read &read) {
    if (!group.inputs.insert(read))
      return;
    if (auto producer = read.first.getDefiningOp<GenericOp>())
      readers[producer].emplace_back(&group, read.second);
  }

  /// What `op` reads if its loops are `map` of the group's, but for splats.
  static SmallVector<Read> readsOf(const FusionGroup &group, GenericOp op,
                                   AffineMap map) {
    SmallVector<Read> reads;
    for (OpOperand *input : op.getDpsInputOperands())
      if (!group.takesSplats || !weft::splatOf(input->get()))
        reads.emplace_back(input->get(),
                           op.getMatchingIndexingMap(input).compose(map));
    return reads;
  }

  bool absorbs;
  DenseMap<Operation *, SmallVector<Place, 2>> readers;
};

} // namespace

bool weft::canMove(GenericOp op) {
  return op.getNumResults() == 1 && op.hasPureTensorSemantics() &&
         !op->hasAttr(keepAttr) &&
         op.getNumParallelLoops() == op.getNumLoops() &&
         op.getIndexingMapsArray().back().isIdentity() &&
         !op.payloadUsesValueFromOperand(op.getDpsInitOperand(0));
}

bool weft::isFreeElementwise(GenericOp op) {
  return op.hasPureTensorSemantics() && op->getNumResults() > 0 &&
         op.getNumParallelLoops() == op.getNumLoops() &&
         !op->hasAttr(epilogueAttr) && !op->hasAttr(keepAttr) &&
         llvm::all_of(op.getDpsInitsMutable(), [&](OpOperand &init) {
           return op.getMatchingIndexingMap(&init).isPermutation() &&
                  op.getMatchingBlockArgument(&init).use_empty();
         });
}

bool weft::costsARead(GenericOp op) {
  SmallVector<Value> inputs = op.getDpsInputs();
  llvm::erase_if(inputs,
                 [](Value input) { return bool(weft::splatOf(input)); });
  if (inputs.size() != 1)
    return false;
  int64_t steps = 0;
  for (Operation &inner : op.getBody()->without_terminator()) {
    if (inner.hasTrait<OpTrait::ConstantLike>())
      continue;
    steps += weft::takesOneStep(inner) ? 1 : 2;
  }
  auto bytes = [](Value value) {
    return weft::bytesOf(getElementTypeOrSelf(value));
  };
  return steps <= 1 && bytes(inputs.front()) <= bytes(op.getResult(0));
}

bool weft::takesOneStep(Operation &op) {
  return isa<arith::ArithDialect>(op.getDialect()) &&
         !isa<arith::DivFOp, arith::RemFOp, arith::DivSIOp, arith::DivUIOp,
              arith::CeilDivSIOp, arith::CeilDivUIOp, arith::FloorDivSIOp,
              arith::RemSIOp, arith::RemUIOp>(op);
}

bool weft::computesIndex(GenericOp op) {
  constexpr size_t fewSteps = 12;
  auto isInteger = [](Type type) { return type.isIntOrIndex(); };
  Block &body = *op.getBody();
  return body.getOperations().size() <= fewSteps &&
         llvm::all_of(body.without_terminator(), [&](Operation &inner) {
           return takesOneStep(inner) &&
                  llvm::all_of(inner.getOperandTypes(), isInteger) &&
                  llvm::all_of(inner.getResultTypes(), isInteger);
         });
}

OpFoldResult weft::splatOf(Value value) {
  if (auto constant = value.getDefiningOp<arith::ConstantOp>())
    if (auto splat = dyn_cast<SplatElementsAttr>(constant.getValue()))
      return splat.getSplatValue<Attribute>();
  if (auto fill = value.getDefiningOp<linalg::FillOp>())
    return fill.getInputs().front();
  return {};
}

std::vector<std::unique_ptr<FusionGroup>> weft::planFusion(Block &block,
                                                           bool absorbs) {
  Planner planner{absorbs};
  for (Operation &op : llvm::reverse(block))
    if (auto generic = dyn_cast<GenericOp>(op))
      planner.place(generic);
  return std::move(planner.groups);
}
