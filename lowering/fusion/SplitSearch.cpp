// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lowering/fusion/SplitSearch.h"
#include "lowering/fusion/ReductionSplitter.h"
#include "lowering/schedule/Schedule.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using linalg::GenericOp;
using weft::ReductionSplitter;

namespace {

/// Vectors that could be searched while one block's best element is had from
/// the lanes of a vector.
constexpr int64_t vectorsOfBlock = 4;

/// The input that a value of an op's body is, with the map by which it is read.
std::optional<std::pair<Value, AffineMap>> inputOf(GenericOp op, Value value) {
  auto argument = dyn_cast<BlockArgument>(value);
  if (!argument || argument.getOwner() != op.getBody() ||
      argument.getArgNumber() >= op.getNumDpsInputs())
    return std::nullopt;
  OpOperand *operand = op.getDpsInputOperand(argument.getArgNumber());
  return std::pair(operand->get(), op.getMatchingIndexingMap(operand));
}

/// Whether two bodies compute the same of the same elements. What has been
/// found to be is `known`, so that each value is looked at once.
bool isSame(GenericOp op, Value value, GenericOp otherOp, Value other,
            DenseMap<Value, Value> &known) {
  if (value == other)
    return true;
  if (Value found = known.lookup(value))
    return found == other;
  if (auto input = inputOf(op, value))
    return input == inputOf(otherOp, other);
  Operation *a = value.getDefiningOp(), *b = other.getDefiningOp();
  if (!a || !b || a->getName() != b->getName() || a->getNumResults() != 1 ||
      a->getNumRegions() != 0 || !isPure(a) ||
      a->getAttrDictionary() != b->getAttrDictionary() ||
      value.getType() != other.getType() ||
      a->getNumOperands() != b->getNumOperands())
    return false;
  for (auto [x, y] : llvm::zip_equal(a->getOperands(), b->getOperands()))
    if (!isSame(op, x, otherOp, y, known))
      return false;
  known[value] = other;
  return true;
}

/// Clones ops of a body up to a value, of which others are known.
Value cloneUpTo(OpBuilder &b, Value value, IRMapping &mapping) {
  Operation *op = value.getDefiningOp();
  if (mapping.contains(value) || !op)
    return mapping.lookupOrDefault(value);
  for (Value operand : op->getOperands())
    cloneUpTo(b, operand, mapping);
  b.clone(*op, mapping);
  return mapping.lookup(value);
}

/// An op that finds the first index at which an element is the best one, and
/// the op that has found the best elements.
class Search {
public:
  static std::optional<Search> match(GenericOp find);

  /// In how many blocks to search; 0 if not in blocks.
  int64_t numBlocks(const weft::Machine &machine) const;
  void split(int64_t blocks);

private:
  explicit Search(GenericOp find) : find(find), b(find) {}

  bool matchFind();
  bool matchCondition(Value condition);
  bool matchBest();
  Value findBlocks(Value bests, int64_t blocks);
  void findWithin(Value block, int64_t size);

  GenericOp find, best;
  OpBuilder b;
  unsigned loop = 0;
  /// In `find`: the element that is compared, what with, whether it is best,
  /// and the index if it is.
  Value element, compared, isBest;
  arith::IndexCastOp cast;
};

std::optional<Search> Search::match(GenericOp find) {
  Search search(find);
  if (!search.matchFind() || !search.matchCondition(search.isBest) ||
      !search.element || !search.compared || !search.matchBest())
    return std::nullopt;
  return search;
}

bool Search::matchFind() {
  auto splitter = ReductionSplitter::match(find);
  if (!splitter || find.getNumReductionLoops() != 1 ||
      find.getNumDpsInits() != 1 || find->hasAttr(weft::keepAttr) ||
      !isa<arith::MinSIOp>(splitter->combiner()))
    return false;
  SmallVector<unsigned> reduced;
  find.getReductionDims(reduced);
  loop = reduced.front();
  if (loop + 1 != find.getNumLoops())
    return false;
  for (OpOperand *input : find.getDpsInputOperands()) {
    AffineMap map = find.getMatchingIndexingMap(input);
    if (map.isFunctionOfDim(loop) &&
        (!map.isProjectedPermutation() ||
         !map.getResults().back().isFunctionOfDim(loop)))
      return false;
  }
  arith::SelectOp choice;
  for (Value operand : splitter->combiner()->getOperands())
    if (auto select = operand.getDefiningOp<arith::SelectOp>())
      choice = select;
  if (!choice)
    return false;
  cast = choice.getTrueValue().getDefiningOp<arith::IndexCastOp>();
  auto index = cast ? cast.getIn().getDefiningOp<linalg::IndexOp>() : nullptr;
  isBest = choice.getCondition();
  APInt end;
  return index && index.getDim() == loop && index->hasOneUse() &&
         cast->hasOneUse() && cast.getType().isSignlessInteger() &&
         matchPattern(choice.getFalseValue(), m_ConstantInt(&end)) &&
         end == find.getStaticLoopRanges()[loop];
}

/// Whether an element is chosen for what it is: one that equals the best, or a
/// NaN.
bool Search::matchCondition(Value condition) {
  if (auto either = condition.getDefiningOp<arith::OrIOp>())
    return matchCondition(either.getLhs()) && matchCondition(either.getRhs());
  Operation *compare = condition.getDefiningOp();
  if (!compare || compare->getNumOperands() != 2)
    return false;
  Value x = compare->getOperand(0), y = compare->getOperand(1);
  auto floating = dyn_cast<arith::CmpFOp>(compare);
  bool isNaN = floating && x == y &&
               floating.getPredicate() == arith::CmpFPredicate::UNO;
  auto integer = dyn_cast<arith::CmpIOp>(compare);
  bool isEqual =
      (floating && floating.getPredicate() == arith::CmpFPredicate::OEQ) ||
      (integer && integer.getPredicate() == arith::CmpIPredicate::eq);
  if (!isNaN && !isEqual)
    return false;
  auto isKnown = [&](Value value) {
    auto input = inputOf(find, value);
    return input && input->first.getDefiningOp<GenericOp>() &&
           !input->second.isFunctionOfDim(loop);
  };
  if (isEqual) {
    if (isKnown(x))
      std::swap(x, y);
    if (!isKnown(y) || (compared && compared != y))
      return false;
    compared = y;
  }
  if (element && element != x)
    return false;
  element = x;
  return true;
}

/// Whether what elements are compared with is the best one of the same loop.
bool Search::matchBest() {
  auto [result, map] = *inputOf(find, compared);
  best = result.getDefiningOp<GenericOp>();
  auto splitter = ReductionSplitter::match(best);
  if (!splitter || best->hasAttr(weft::keepAttr) ||
      best.getIteratorTypesArray() != find.getIteratorTypesArray() ||
      best.getStaticLoopRanges() != find.getStaticLoopRanges() ||
      best.getIndexingMapsArray().back() != map ||
      find.getIndexingMapsArray().back() != map || !splitter->canSplit(loop))
    return false;
  Operation *combine = splitter->combiner();
  if (!isa<arith::MaximumFOp, arith::MinimumFOp, arith::MaxSIOp, arith::MinSIOp,
           arith::MaxUIOp, arith::MinUIOp>(combine))
    return false;
  DenseMap<Value, Value> known;
  return llvm::any_of(combine->getOperands(), [&](Value operand) {
    return isSame(best, operand, find, element, known);
  });
}

int64_t Search::numBlocks(const weft::Machine &machine) const {
  GenericOp op = find;
  int64_t extent = op.getStaticLoopRanges()[loop], blocks = 0;
  int64_t block = vectorsOfBlock * machine.lanes(element.getType());
  // Elements that are searched: all, or as many as the blocks take, and one.
  int64_t least = extent / 2;
  for (int64_t count = 2; count * block < least; ++count)
    if (extent % count == 0 && count * block + extent / count < least) {
      least = count * block + extent / count;
      blocks = count;
    }
  return blocks;
}

void Search::split(int64_t blocks) {
  int64_t size = find.getStaticLoopRanges()[loop] / blocks;
  b.setInsertionPoint(find);
  Value bests = ReductionSplitter::match(best)->split(
      loop, blocks, ReductionSplitter::Order::within);
  findWithin(findBlocks(bests, blocks), size);
}

/// The first block of each row that has a best element.
Value Search::findBlocks(Value bests, int64_t blocks) {
  Location loc = find.getLoc();
  auto type = mlir::cast<RankedTensorType>(find.getResult(0).getType());
  AffineMap kept = find.getIndexingMapsArray().back();
  SmallVector<AffineExpr> exprs = llvm::to_vector(kept.getResults());
  exprs.push_back(b.getAffineDimExpr(loop));
  AffineMap all = AffineMap::get(loop + 1, 0, exprs, b.getContext());
  Value last =
      arith::ConstantIntOp::create(b, loc, type.getElementType(), blocks - 1);
  Value empty =
      tensor::EmptyOp::create(b, loc, type.getShape(), type.getElementType());
  Value start = linalg::FillOp::create(b, loc, last, empty).getResult(0);
  auto [rowBests, map] = *inputOf(find, compared);
  auto generic = GenericOp::create(
      b, loc, type, ValueRange{bests, rowBests}, start,
      ArrayRef<AffineMap>{all, map, kept}, find.getIteratorTypesArray(),
      [&](OpBuilder &inner, Location loc, ValueRange args) {
        IRMapping mapping;
        mapping.map(element, args[0]);
        mapping.map(compared, args[1]);
        Value condition = cloneUpTo(inner, isBest, mapping);
        Value here = linalg::IndexOp::create(inner, loc, loop);
        here =
            arith::IndexCastOp::create(inner, loc, type.getElementType(), here);
        here = arith::SelectOp::create(inner, loc, condition, here, last);
        linalg::YieldOp::create(
            inner, loc,
            arith::MinSIOp::create(inner, loc, args[2], here).getResult());
      });
  return generic.getResult(0);
}

/// Has `find` look at one block of each row: what it reads along rows, it reads
/// where that block is.
void Search::findWithin(Value block, int64_t size) {
  Location loc = find.getLoc();
  AffineMap kept = find.getIndexingMapsArray().back();
  SmallVector<Value> inputs{
      block, tensor::EmptyOp::create(b, loc, {size}, b.getI8Type())};
  SmallVector<AffineMap> maps{
      kept, AffineMap::get(loop + 1, 0, b.getAffineDimExpr(loop))};
  SmallVector<OpOperand *> along;
  SmallVector<BlockArgument> beside;
  for (OpOperand *input : find.getDpsInputOperands()) {
    AffineMap map = find.getMatchingIndexingMap(input);
    if (map.isFunctionOfDim(loop)) {
      along.push_back(input);
      continue;
    }
    inputs.push_back(input->get());
    maps.push_back(map);
    beside.push_back(find.getMatchingBlockArgument(input));
  }
  maps.push_back(kept);
  auto within = GenericOp::create(
      b, loc, find.getResultTypes(), inputs, find.getDpsInits(), maps,
      find.getIteratorTypesArray(),
      [&](OpBuilder &inner, Location loc, ValueRange args) {
        Value first = arith::IndexCastOp::create(inner, loc,
                                                 inner.getIndexType(), args[0]);
        first = arith::MulIOp::create(
            inner, loc, first,
            arith::ConstantIndexOp::create(inner, loc, size));
        Value step = linalg::IndexOp::create(inner, loc, loop);
        Value place = arith::AddIOp::create(inner, loc, first, step);
        auto indexOf = [&](unsigned dim) -> Value {
          return dim == loop ? place : linalg::IndexOp::create(inner, loc, dim);
        };
        IRMapping mapping;
        for (OpOperand *input : along) {
          SmallVector<Value> at;
          for (AffineExpr expr :
               find.getMatchingIndexingMap(input).getResults())
            at.push_back(
                indexOf(mlir::cast<AffineDimExpr>(expr).getPosition()));
          mapping.map(find.getMatchingBlockArgument(input),
                      tensor::ExtractOp::create(inner, loc, input->get(), at)
                          .getResult());
        }
        for (auto [before, now] :
             llvm::zip_equal(beside, args.slice(2, beside.size())))
          mapping.map(before, now);
        mapping.map(find.getBody()->getArguments().back(), args.back());
        // Of the results' type all the way, so that it is in fewer vectors.
        Type type = args[0].getType();
        Value number = arith::ConstantIntOp::create(inner, loc, type, size);
        number = arith::MulIOp::create(inner, loc, args[0], number);
        number = arith::AddIOp::create(
            inner, loc, number,
            arith::IndexCastOp::create(inner, loc, type, step));
        mapping.map(cast.getResult(), number);
        for (Operation &op : find.getBody()->without_terminator()) {
          if (auto index = dyn_cast<linalg::IndexOp>(op))
            mapping.map(index.getResult(), indexOf(index.getDim()));
          else if (&op != cast)
            inner.clone(op, mapping);
        }
        linalg::YieldOp::create(
            inner, loc,
            mapping.lookup(find.getBody()->getTerminator()->getOperand(0)));
      });
  find->replaceAllUsesWith(within);
  find.erase();
}

} // namespace

void weft::splitSearch(GenericOp find, const Machine &machine) {
  if (auto search = Search::match(find))
    if (int64_t blocks = search->numBlocks(machine))
      search->split(blocks);
}
