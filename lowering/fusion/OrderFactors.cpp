// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A sum of products whose factors lie so that no vector can be read of them, or
// but a short one -> copies in another order, or with no gaps between elements,
// and a sum of these, which may be in another order, too, and is copied back,
// where that is sooner done.

#include "lowering/fusion/Packing.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using linalg::GenericOp;
using utils::IteratorType;
using weft::ContractionPlan;
using weft::Machine;

namespace {

/// Sums of fewer products take no longer than a call.
constexpr int64_t leastSteps = 1 << 14;
/// About how many cycles it takes to copy an element, and a step of a sum that
/// is in no vectors, and to add up the lanes of one; and how many steps of
/// vectors a cycle has, where lanes are of results, where these fill a part of
/// one, and where lanes are summed over.
constexpr double cyclesOfCopy = 2, cyclesOfScalar = 1.5, cyclesOfTotal = 5;
constexpr double stepsOfResults = 1.3, stepsOfPart = 1, stepsOfSums = 0.8;
/// What must be gained for copies to be made: the estimates are rough.
constexpr double leastGain = 1.7;

/// The loops along the dimensions of an array; those of the factors and of the
/// result.
using Order = SmallVector<unsigned>;
using Orders = std::array<Order, 3>;
using Copied = std::array<bool, 3>;
constexpr unsigned resultNumber = ContractionPlan::sum;

/// Whether a part is what an order ends with.
bool endsWith(const Order &order, const Order &part) {
  return part.size() <= order.size() &&
         ArrayRef(order).take_back(part.size()) == ArrayRef(part);
}

class FactorOrder {
public:
  static std::optional<FactorOrder> match(GenericOp op,
                                          const Machine &machine) {
    auto body = weft::MultiplyAdd::match(op);
    if (!body || !body->mayReorder() || op.hasIndexSemantics() ||
        op.hasDynamicShape())
      return std::nullopt;
    FactorOrder result(op, machine);
    for (auto [order, map] :
         llvm::zip_equal(result.orders, op.getIndexingMapsArray())) {
      if (!map.isProjectedPermutation())
        return std::nullopt;
      for (AffineExpr expr : map.getResults())
        order.push_back(cast<AffineDimExpr>(expr).getPosition());
    }
    // What one factor alone is summed up along is no product.
    for (unsigned loop = 0; loop < result.extents.size(); ++loop)
      if (llvm::count_if(result.orders, [&](const Order &order) {
            return llvm::is_contained(order, loop);
          }) < 2)
        return std::nullopt;
    if (llvm::product_of(result.extents) < leastSteps)
      return std::nullopt;
    return result;
  }

  /// Finds the copies with which the sum is had soonest; false if without any.
  bool choose() {
    for (unsigned factor : {0, 1})
      haveGaps[factor] = weft::hasGaps(op.getDpsInputs()[factor]);
    best = costNow() / leastGain;
    for (unsigned factor : {0, 1}) {
      considerLanesOfResult(factor);
      considerLanesOfSum(factor);
      considerOtherResult(factor);
    }
    return llvm::is_contained(copied, true);
  }

  GenericOp build() {
    OpBuilder b(op);
    SmallVector<Value> inputs(op.getDpsInputs());
    Value init = op.getDpsInits()[0];
    for (unsigned factor : {0, 1})
      if (copied[factor])
        inputs[factor] =
            copy(b, inputs[factor], orders[factor], wanted[factor]);
    const Order &order = wanted[resultNumber];
    if (copied[resultNumber]) {
      auto fill = init.getDefiningOp<linalg::FillOp>();
      Value empty = emptyOf(b, init, order);
      init = linalg::FillOp::create(b, op.getLoc(), fill.getInputs()[0], empty)
                 .getResult(0);
    }
    auto maps = llvm::map_to_vector(wanted, [&](const Order &loops) {
      return AffineMap::getMultiDimMapWithTargets(extents.size(), loops,
                                                  b.getContext());
    });
    auto sum = GenericOp::create(b, op.getLoc(), init.getType(), inputs, init,
                                 maps, op.getIteratorTypesArray());
    sum.getRegion().takeBody(op.getRegion());
    Value result = sum.getResult(0);
    if (copied[resultNumber])
      result = copy(b, result, order, orders[resultNumber]);
    op->getResult(0).replaceAllUsesWith(result);
    op.erase();
    return sum;
  }

private:
  FactorOrder(GenericOp op, const Machine &machine)
      : op(op), machine(machine), extents(op.getStaticLoopRanges()),
        numLanes(
            machine.lanes(getElementTypeOrSelf(op.getResult(0).getType()))) {}

  bool has(unsigned operand, unsigned loop) const {
    return llvm::is_contained(orders[operand], loop);
  }
  bool isSummed(unsigned loop) const { return !has(resultNumber, loop); }
  /// Whether a loop is of one factor and the result.
  bool isOf(unsigned factor, unsigned loop) const {
    return has(factor, loop) && !has(1 - factor, loop);
  }

  int64_t sizeOf(const Order &order) const {
    int64_t size = 1;
    for (unsigned loop : order)
      size *= extents[loop];
    return size;
  }

  /// The loops of an operand that a predicate holds for.
  template <typename Predicate>
  Order loopsOf(unsigned operand, Predicate holds) const {
    Order loops;
    llvm::copy_if(orders[operand], std::back_inserter(loops), holds);
    return loops;
  }

  /// The last ones of an operand, for as long as a predicate holds.
  template <typename Predicate>
  Order lastOf(unsigned operand, Predicate holds) const {
    const Order &all = orders[operand];
    auto end = llvm::find_if_not(llvm::reverse(all), holds).base();
    return Order(end, all.end());
  }

  /// Lanes that are of use, of vectors along so many elements.
  double lanesOf(int64_t extent) const {
    int64_t vectors = llvm::divideCeil(extent, numLanes);
    return double(extent) / vectors;
  }

  double costOfResults(int64_t extent) const {
    double steps = extent < numLanes ? stepsOfPart : stepsOfResults;
    return llvm::product_of(extents) / (lanesOf(extent) * steps);
  }
  double costOfSums(int64_t extent) const {
    return llvm::product_of(extents) / (lanesOf(extent) * stepsOfSums) +
           sizeOf(orders[resultNumber]) * cyclesOfTotal;
  }

  double costNow() {
    auto plan = ContractionPlan::make(op, machine);
    if (!plan)
      return llvm::product_of(extents) * cyclesOfScalar;
    return plan->lanesAreSummed ? costOfSums(plan->laneExtent())
                                : costOfResults(plan->laneExtent());
  }

  /// What a sum takes, with copies of what is in another order than it was, or
  /// has gaps and is one of the factors read in vectors.
  void consider(double cost, const Orders &changed,
                ArrayRef<unsigned> inVectors) {
    Copied other;
    for (unsigned operand = 0; operand < orders.size(); ++operand) {
      other[operand] =
          orders[operand] != changed[operand] ||
          (llvm::is_contained(inVectors, operand) && haveGaps[operand]);
      if (other[operand])
        cost += cyclesOfCopy * sizeOf(orders[operand]);
    }
    if (cost < best && llvm::is_contained(other, true))
      best = cost, wanted = changed, copied = other;
  }

  Orders with(unsigned operand, Order order) const {
    Orders changed = orders;
    changed[operand] = std::move(order);
    return changed;
  }

  /// A factor whose last dimensions are `last`: before them, unless they are
  /// already, what both factors and the result have, what is summed up, and its
  /// other dimensions.
  Order endingWith(unsigned factor, const Order &last) const {
    if (endsWith(orders[factor], last))
      return orders[factor];
    Order order = loopsOf(factor, [&](unsigned loop) {
      return has(1 - factor, loop) && !isSummed(loop);
    });
    llvm::append_range(
        order, loopsOf(1 - factor, [&](unsigned l) { return isSummed(l); }));
    llvm::append_range(order, loopsOf(factor, [&](unsigned loop) {
                         return isOf(factor, loop) &&
                                !llvm::is_contained(last, loop);
                       }));
    llvm::append_range(order, last);
    return order;
  }

  /// Lanes along the last dimensions of the result that are of one factor.
  void considerLanesOfResult(unsigned factor) {
    Order last =
        lastOf(resultNumber, [&](unsigned l) { return isOf(factor, l); });
    if (!last.empty())
      consider(costOfResults(sizeOf(last)),
               with(factor, endingWith(factor, last)), factor);
  }

  /// Lanes along the last dimensions of a factor that are summed up: those of
  /// the other one come to lie in their order.
  void considerLanesOfSum(unsigned factor) {
    Order last = lastOf(factor, [&](unsigned l) { return isSummed(l); });
    if (last.empty())
      return;
    Order order = orders[1 - factor];
    if (!endsWith(order, last)) {
      order = loopsOf(1 - factor, [&](unsigned l) { return !isSummed(l); });
      llvm::append_range(
          order, loopsOf(factor, [&](unsigned l) { return isSummed(l); }));
    }
    consider(costOfSums(sizeOf(last)), with(1 - factor, order), {0, 1});
  }

  /// Lanes along all that is of one factor alone, for which the result is
  /// transposed once it is there.
  void considerOtherResult(unsigned factor) {
    Order last = loopsOf(factor, [&](unsigned l) { return isOf(factor, l); });
    if (last.empty() || !op.getDpsInits()[0].getDefiningOp<linalg::FillOp>())
      return;
    Order result =
        loopsOf(resultNumber, [&](unsigned l) { return !isOf(factor, l); });
    llvm::append_range(result, last);
    Orders changed = with(factor, endingWith(factor, last));
    changed[resultNumber] = result;
    consider(costOfResults(sizeOf(last)), changed, factor);
  }

  /// Room for an array with its dimensions in another order.
  Value emptyOf(OpBuilder &b, Value array, const Order &order) const {
    return tensor::EmptyOp::create(
        b, array.getLoc(),
        llvm::map_to_vector(order, [&](unsigned l) { return extents[l]; }),
        getElementTypeOrSelf(array.getType()));
  }

  /// An array with its dimensions in another order, or with no gaps.
  Value copy(OpBuilder &b, Value array, Order from, const Order &to) {
    auto first = array.getDefiningOp<GenericOp>();
    if (first && weft::isTransposition(first)) {
      SmallVector<AffineMap> maps = first.getIndexingMapsArray();
      AffineMap places = maps[0].compose(inversePermutation(maps[1]));
      array = first.getDpsInputs()[0];
      from = llvm::map_to_vector(places.getResults(), [&](AffineExpr expr) {
        return from[cast<AffineDimExpr>(expr).getPosition()];
      });
      if (from == to && !weft::hasGaps(array))
        return array;
    }
    if (from == to)
      return weft::copyTogether(b, op.getLoc(), array);
    Value empty = emptyOf(b, array, to);
    SmallVector<unsigned> places =
        llvm::map_to_vector(from, [&](unsigned l) -> unsigned {
          return llvm::find(to, l) - to.begin();
        });
    SmallVector<IteratorType> loops(to.size(), IteratorType::parallel);
    AffineMap maps[] = {
        AffineMap::getMultiDimMapWithTargets(to.size(), places, b.getContext()),
        b.getMultiDimIdentityMap(to.size())};
    return GenericOp::create(
               b, op.getLoc(), empty.getType(), array, empty, maps, loops,
               [](OpBuilder &inner, Location loc, ValueRange args) {
                 linalg::YieldOp::create(inner, loc, args.front());
               })
        .getResult(0);
  }

  GenericOp op;
  const Machine &machine;
  SmallVector<int64_t> extents;
  int64_t numLanes;
  /// Those that there are and those that are to be, and which factors, and
  /// whether the result, are copied.
  Orders orders, wanted;
  Copied copied = {};
  std::array<bool, 2> haveGaps = {};
  double best = 0;
};

} // namespace

// A generic that changes nothing would be folded.
Value weft::copyTogether(OpBuilder &b, Location loc, Value part) {
  return bufferization::AllocTensorOp::create(
      b, loc, cast<RankedTensorType>(part.getType()),
      /*dynamicSizes=*/ValueRange(), part);
}

GenericOp weft::orderFactors(GenericOp op, const Machine &machine) {
  auto order = FactorOrder::match(op, machine);
  return order && order->choose() ? order->build() : op;
}
