// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A scatter for a GPU: elements that are apart from each other whatever the
// indices are, at once; or the updates sorted by where they go, so that all
// elements of the result are computed at once. Each takes its updates in their
// order, so every bit is that of one thread that walks over them; where
// hundreds go to one place, parts of them are combined first.

#include "dialects/Scalar.h"
#include "lowering/Passes.h"
#include "lowering/fusion/Nest.h"
#include "lowering/gpu/ScatterPlan.h"
#include "lowering/gpu/ToLinalgLaunches.h"
#include "lowering/linalg/Slices.h"
#include "lowering/linalg/ToLinalg.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using weft::ScatterPlan;
using weft::Slices;

namespace {

using Values = SmallVector<Value>;

/// What both ways to scatter begin with.
class Scattering {
public:
  Scattering(weft::Scatter op, ArrayRef<Value> operands,
             const ScatterPlan &plan)
      : op(op), plan(plan), x(operands[0]), updates(operands[1]),
        indices(operands.drop_front(2)),
        shape(cast<RankedTensorType>(x.getType()).getShape()),
        element(getElementTypeOrSelf(op->getOperand(0).getType())),
        accumulates(op.accumulates() && llvm::product_of(plan.batches) *
                                                llvm::product_of(plan.walked) >
                                            1) {
    sizes.assign(shape.size(), 1);
    for (auto [dim, size] :
         llvm::zip_equal(op.getPlaces().windowDims(shape.size()), plan.window))
      sizes[dim] = size;
  }

protected:
  /// The slice that begins where the indices at a place say.
  Slices sliceAt(OpBuilder &b, Location loc, ValueRange starts,
                 ValueRange walked) const {
    Slices slices(op.getPlaces(), shape, sizes);
    slices.start(b, loc, starts, walked);
    return slices;
  }

  /// The place in a slice: along its keyed dimensions some offsets, along the
  /// free ones the place in the array.
  Values placeInSlice(ValueRange keyed, ValueRange place) const {
    Values window;
    for (int64_t dim : op.getPlaces().windowDims(shape.size())) {
      if (llvm::is_contained(plan.free, dim)) {
        window.push_back(place[dim]);
        continue;
      }
      window.push_back(keyed.front());
      keyed = keyed.drop_front();
    }
    return window;
  }

  Value zero(OpBuilder &b, Location loc) const {
    return arith::ConstantIndexOp::create(b, loc, 0);
  }

  mutable weft::Scatter op;
  const ScatterPlan &plan;
  Value x, updates;
  ArrayRef<Value> indices;
  ArrayRef<int64_t> shape;
  SmallVector<int64_t> sizes;
  Type element;
  /// Whether sums are kept in the type that elements are computed in.
  bool accumulates;
};

/// For each element that is apart from others a loop over its updates.
class InTurn final : Scattering {
public:
  using Scattering::Scattering;

  Value build(OpBuilder &b, Location loc) const {
    Type result = op->getResult(0).getType();
    Value array = accumulates ? weft::buildAccumulator(b, loc, x, result) : x;
    SmallVector<int64_t> apart(plan.batches), inTurn(plan.walked);
    for (int64_t dim : plan.free)
      apart.push_back(shape[dim]);
    // Elements of one slice meet nowhere.
    llvm::append_range(plan.hasOneSlice() ? apart : inTurn, plan.keyedWindow);
    auto each = [&](OpBuilder &outer, ValueRange number, ValueRange arrays) {
      ImplicitLocOpBuilder at(loc, outer);
      Values digits = weft::splitDigits(at, number[0], apart);
      return weft::buildLoops(
          outer, loc, inTurn, arrays,
          [&](OpBuilder &inner, ValueRange step, ValueRange arrays) {
            ArrayRef<Value> apart(digits);
            Values all(step);
            if (plan.hasOneSlice()) {
              llvm::append_range(all, apart.take_back(plan.keyedWindow.size()));
              apart = apart.drop_back(plan.keyedWindow.size());
            }
            return Values{put(inner, loc, apart, all, arrays[0])};
          });
    };
    Value all = weft::buildLoops(b, loc, plan.apart, array, each).front();
    all.getDefiningOp()->setAttr(weft::parallelAttr, b.getUnitAttr());
    return weft::buildRounded(b, loc, all, result);
  }

private:
  Value put(OpBuilder &b, Location loc, ValueRange apart, ValueRange step,
            Value array) const {
    size_t batches = plan.batches.size(), turns = plan.walked.size();
    Values from(apart.take_front(batches));
    llvm::append_range(from, step.take_front(turns));
    Values starts;
    for (Value index : indices)
      starts.push_back(tensor::ExtractOp::create(b, loc, index, from));
    Slices slices = sliceAt(b, loc, starts, from);
    Values place(shape.size());
    for (auto [dim, digit] :
         llvm::zip_equal(plan.free, apart.drop_front(batches)))
      place[dim] = digit;
    Values window = placeInSlice(step.drop_front(turns), place);
    Values to = slices.at(b, loc, window);
    llvm::append_range(from, window);
    Value update = tensor::ExtractOp::create(b, loc, updates, from);
    return slices.combine(b, loc, op, array, update, to);
  }
};

/// Keys say where updates go. Where those have been sorted, each place along
/// the keyed dimensions has a run of them. Of a long run, parts are put
/// together before.
class Sorted final : Scattering {
public:
  Sorted(weft::Scatter op, ArrayRef<Value> operands, const ScatterPlan &plan,
         OpBuilder &b, Location loc)
      : Scattering(op, operands, plan), b(b), loc(loc),
        keyType(typeFor(plan.places)), stepType(typeFor(plan.steps)),
        batches(llvm::product_of(plan.batches)) {
    combined = accumulates ? weft::computedElement(element) : element;
  }

  Value build() {
    keys = buildKeys();
    Type order = rows(plan.steps, stepType);
    std::string kernel = "argsort_";
    llvm::raw_string_ostream(kernel) << keyType;
    auto sorted = weft::LibraryCallOp::create(
        b, loc, TypeRange{keys.getType(), order}, kernel,
        {batches, plan.steps, 0}, keys,
        {weft::buildEmpty(b, loc, cast<RankedTensorType>(keys.getType())),
         weft::buildEmpty(b, loc, cast<RankedTensorType>(order))});
    keys = sorted.getResult(0);
    Value found = sorted.getResult(1);
    if (plan.free.empty()) {
      // An element's updates are then neighbours, for the one thread that
      // reads them.
      Value gathered = gather(found);
      return buildResult(
          [&](OpBuilder &inner, Value batch, Value at, ValueRange) -> Value {
            return tensor::ExtractOp::create(inner, loc, gathered,
                                             ValueRange{batch, at});
          });
    }
    return buildResult([&](OpBuilder &inner, Value batch, Value at,
                           ValueRange place) {
      Value step =
          tensor::ExtractOp::create(inner, loc, found, ValueRange{batch, at});
      return updateOf(inner, batch, step, place);
    });
  }

private:
  /// For numbers up to a limit.
  Type typeFor(int64_t limit) {
    return b.getIntegerType(limit < INT32_MAX ? 32 : 64);
  }

  RankedTensorType rows(int64_t length, Type type) {
    return RankedTensorType::get({batches, length}, type);
  }

  Value constant(OpBuilder &b, int64_t value) {
    return arith::ConstantIndexOp::create(b, loc, value);
  }

  Value asIndex(OpBuilder &b, Value number) {
    return arith::IndexCastOp::create(b, loc, b.getIndexType(), number);
  }

  Value indexOf(OpBuilder &b, int64_t loop) {
    return linalg::IndexOp::create(b, loc, loop);
  }

  Values split(OpBuilder &b, Value number, ArrayRef<int64_t> counts) {
    ImplicitLocOpBuilder at(loc, b);
    return counts.empty() ? Values() : weft::splitDigits(at, number, counts);
  }

  /// The place of an update among the indices, and in its slice.
  std::pair<Values, Values> locate(OpBuilder &b, Value batch, Value step) {
    SmallVector<int64_t> counts(plan.walked);
    llvm::append_range(counts, plan.keyedWindow);
    Values walked = split(b, batch, plan.batches),
           inTurn = split(b, step, counts);
    llvm::append_range(walked, ArrayRef(inTurn).take_front(plan.walked.size()));
    return {walked, Values(ArrayRef(inTurn).drop_front(plan.walked.size()))};
  }

  /// The number of the place that each update goes to; one beyond the last
  /// place for what is left out.
  Value buildKeys() {
    SmallVector<int64_t> counts(plan.batches);
    llvm::append_range(counts, plan.walked);
    int64_t walked = counts.size();
    llvm::append_range(counts, plan.keyedWindow);
    auto type = RankedTensorType::get(counts, keyType);
    SmallVector<AffineExpr> leading(walked);
    bindDimsList(b.getContext(), MutableArrayRef(leading));
    SmallVector<AffineMap> maps(
        indices.size(),
        AffineMap::get(type.getRank(), 0, leading, b.getContext()));
    Value keys = weft::buildParallel(
        b, loc, type, indices, maps,
        [&](OpBuilder &inner, Location, ValueRange starts) {
          Values step;
          for (int64_t dim = 0; dim < type.getRank(); ++dim)
            step.push_back(indexOf(inner, dim));
          Values nowhere(shape.size(), zero(inner, loc));
          ValueRange all(step);
          Slices slices = sliceAt(inner, loc, starts, all.take_front(walked));
          Values window = placeInSlice(all.drop_front(walked), nowhere);
          Values place = slices.at(inner, loc, window);
          Value key = slices.ifInside(inner, loc, linearKey(inner, place),
                                      constant(inner, plan.places));
          return Values{arith::IndexCastOp::create(inner, loc, keyType, key)};
        });
    return asRows(keys);
  }

  /// An array as rows of the updates of a batch each.
  Value asRows(Value array) {
    auto type = cast<RankedTensorType>(array.getType());
    auto loops = llvm::to_vector<2>(llvm::seq<int64_t>(0, type.getRank()));
    if (type.getRank() > 1)
      array = tensor::CollapseShapeOp::create(
          b, loc, array, ArrayRef<ReassociationIndices>{loops});
    return tensor::ExpandShapeOp::create(
        b, loc, type.clone({batches, plan.steps}), array,
        ArrayRef<ReassociationIndices>{{0, 1}});
  }

  Value linearKey(OpBuilder &b, ValueRange place) {
    Value key = zero(b, loc);
    for (int64_t dim : plan.keyed) {
      key = arith::MulIOp::create(b, loc, key, constant(b, shape[dim]));
      key = arith::AddIOp::create(b, loc, key, place[dim]);
    }
    return key;
  }

  /// For each place the first of the sorted updates that goes there or beyond:
  /// how many have a smaller key.
  Value buildBegins() {
    return weft::buildParallel(b, loc, rows(plan.places + 1, stepType), {}, {},
                               [&](OpBuilder &inner, Location, ValueRange) {
                                 Value batch = indexOf(inner, 0);
                                 Value key = arith::IndexCastOp::create(
                                     inner, loc, keyType, indexOf(inner, 1));
                                 Value count = countBelow(inner, batch, key);
                                 return Values{arith::IndexCastOp::create(
                                     inner, loc, stepType, count)};
                               });
  }

  Value countBelow(OpBuilder &b, Value batch, Value key) {
    int64_t bits = llvm::Log2_64(plan.steps) + 1;
    Values state{constant(b, 0), constant(b, int64_t(1) << (bits - 1))};
    return weft::buildLoops(
        b, loc, bits, state,
        [&](OpBuilder &inner, ValueRange, ValueRange state) {
          Value one = constant(inner, 1), all = constant(inner, plan.steps);
          Value more = arith::AddIOp::create(inner, loc, state[0], state[1]);
          Value some = arith::MinUIOp::create(inner, loc, more, all);
          Value last = arith::SubIOp::create(inner, loc, some, one);
          Value found = tensor::ExtractOp::create(inner, loc, keys,
                                                  ValueRange{batch, last});
          Value goes = arith::AndIOp::create(
              inner, loc,
              arith::CmpIOp::create(inner, loc, arith::CmpIPredicate::slt,
                                    found, key),
              arith::CmpIOp::create(inner, loc, arith::CmpIPredicate::ule, more,
                                    all));
          return Values{
              arith::SelectOp::create(inner, loc, goes, more, state[0]),
              arith::ShRUIOp::create(inner, loc, state[1], one)};
        })[0];
  }

  /// The element of an update that goes to a place.
  Value updateOf(OpBuilder &b, Value batch, Value step, ValueRange place) {
    auto [from, keyed] = locate(b, batch, asIndex(b, step));
    llvm::append_range(from, placeInSlice(keyed, place));
    return tensor::ExtractOp::create(b, loc, updates, from);
  }

  Value gather(Value order) {
    auto type = cast<RankedTensorType>(order.getType())
                    .clone(getElementTypeOrSelf(updates));
    Values nowhere(shape.size());
    return weft::buildParallel(
        b, loc, type, order, b.getMultiDimIdentityMap(2),
        [&](OpBuilder &inner, Location, ValueRange step) {
          return Values{updateOf(inner, indexOf(inner, 0), step[0], nowhere)};
        });
  }

  using UpdateFn =
      llvm::function_ref<Value(OpBuilder &, Value batch, Value, ValueRange)>;

  /// The sum, or what else it is, of updates that follow each other from
  /// `begin` to below `end`, and of `first` before them.
  Value combine(OpBuilder &b, Value first, Value begin, Value end,
                llvm::function_ref<Value(OpBuilder &, Value)> read) {
    return weft::buildLoop(b, loc, begin, end, constant(b, 1), first,
                           [&](OpBuilder &inner, Value at, ValueRange before) {
                             return Values{op.buildCombiner(
                                 inner, loc, before[0], read(inner, at))};
                           })[0];
  }

  Value updateAs(OpBuilder &b, UpdateFn updateAt, Value batch, Value at,
                 ValueRange place) {
    return weft::loadScalar(b, loc, updateAt(b, batch, at, place), element);
  }

  /// How many updates are in a part, if there are parts: so many that neither
  /// one of them nor all of them take one thread long. Of the updates that
  /// replace each other only the last counts.
  int64_t stepsOfPart() {
    constexpr int64_t fewest = 256;
    if (isa<weft::ScatterOp>(op.getOperation()) || plan.steps < 8 * fewest)
      return 0;
    auto balanced = static_cast<uint64_t>(std::sqrt(double(plan.steps) / 3));
    return std::max<int64_t>(fewest, llvm::bit_floor(balanced));
  }

  /// What the updates of each part are together that go to one place all; of
  /// other parts, the first one.
  Value buildParts(int64_t steps, UpdateFn updateAt) {
    SmallVector<int64_t> extents{batches, plan.steps / steps};
    for (int64_t dim : plan.free)
      extents.push_back(shape[dim]);
    auto type = RankedTensorType::get(extents, weft::storedElement(combined));
    return weft::buildParallel(
        b, loc, type, {}, {}, [&](OpBuilder &inner, Location, ValueRange) {
          Value batch = indexOf(inner, 0), one = constant(inner, 1);
          Value begin = arith::MulIOp::create(inner, loc, indexOf(inner, 1),
                                              constant(inner, steps));
          Values place(shape.size());
          for (auto [loop, dim] : llvm::enumerate(plan.free))
            place[dim] = indexOf(inner, 2 + loop);
          auto keyAt = [&](Value at) -> Value {
            return tensor::ExtractOp::create(inner, loc, keys,
                                             ValueRange{batch, at});
          };
          Value last = arith::AddIOp::create(inner, loc, begin,
                                             constant(inner, steps - 1));
          Value isOne = arith::CmpIOp::create(
              inner, loc, arith::CmpIPredicate::eq, keyAt(begin), keyAt(last));
          Value second = arith::AddIOp::create(inner, loc, begin, one);
          Value end = arith::AddIOp::create(inner, loc, last, one);
          end = arith::SelectOp::create(inner, loc, isOne, end, second);
          Value all = combine(
              inner, loaded(inner, updateAt(inner, batch, begin, place)),
              second, end, [&](OpBuilder &loop, Value at) {
                return updateAs(loop, updateAt, batch, at, place);
              });
          return Values{weft::storeScalar(inner, loc, all)};
        });
  }

  /// Each element with the updates of its place; `updateAt` reads one of them.
  Value buildResult(UpdateFn updateAt) {
    Value begins = buildBegins();
    int64_t steps = stepsOfPart();
    Value parts = steps > 0 ? buildParts(steps, updateAt) : Value();
    auto type = cast<RankedTensorType>(x.getType());
    AffineMap identity = b.getMultiDimIdentityMap(type.getRank());
    return weft::buildParallel(
        b, loc, type, x, identity,
        [&](OpBuilder &inner, Location, ValueRange old) {
          Values place;
          for (int64_t dim = 0; dim < type.getRank(); ++dim)
            place.push_back(indexOf(inner, dim));
          Value batch = zero(inner, loc);
          for (auto [dim, size] : llvm::zip_equal(plan.batch, plan.batches)) {
            batch =
                arith::MulIOp::create(inner, loc, batch, constant(inner, size));
            batch = arith::AddIOp::create(inner, loc, batch, place[dim]);
          }
          Value key = linearKey(inner, place), one = constant(inner, 1);
          Value next = arith::AddIOp::create(inner, loc, key, one);
          auto bound = [&](Value at) {
            return asIndex(inner,
                           tensor::ExtractOp::create(inner, loc, begins,
                                                     ValueRange{batch, at}));
          };
          Value begin = bound(key), end = bound(next);
          if (isa<weft::ScatterOp>(op.getOperation())) {
            // The last one stays, whatever was before it.
            Value last = arith::SubIOp::create(inner, loc, end, one);
            begin = arith::MaxSIOp::create(inner, loc, begin, last);
          }
          auto read = [&](OpBuilder &loop, Value at) {
            return updateAs(loop, updateAt, batch, at, place);
          };
          Value first = loaded(inner, old[0]);
          if (!parts)
            return Values{
                stored(inner, combine(inner, first, begin, end, read))};
          // Parts that are whole in the run, and what is before and after them.
          Value size = constant(inner, steps);
          Value firstPart = arith::CeilDivUIOp::create(inner, loc, begin, size);
          Value lastPart = arith::MaxUIOp::create(
              inner, loc, firstPart,
              arith::DivUIOp::create(inner, loc, end, size));
          auto beginOf = [&](Value part) -> Value {
            Value at = arith::MulIOp::create(inner, loc, part, size);
            return arith::MinUIOp::create(inner, loc, at, end);
          };
          Value all = combine(inner, first, begin, beginOf(firstPart), read);
          all = combine(
              inner, all, firstPart, lastPart, [&](OpBuilder &loop, Value at) {
                Values from{batch, at};
                for (int64_t dim : plan.free)
                  from.push_back(place[dim]);
                Value part = tensor::ExtractOp::create(loop, loc, parts, from);
                return weft::loadScalar(loop, loc, part, combined);
              });
          all = combine(inner, all, beginOf(lastPart), end, read);
          return Values{stored(inner, all)};
        });
  }

  Value loaded(OpBuilder &b, Value old) {
    if (accumulates)
      return weft::scalar::widen({old, element, &b, loc}).value;
    return weft::loadScalar(b, loc, old, element);
  }

  Value stored(OpBuilder &b, Value all) {
    if (accumulates && weft::computedElement(element) != element)
      return weft::scalar::narrow({all, all.getType(), &b, loc}, element).value;
    return weft::storeScalar(b, loc, all);
  }

  OpBuilder &b;
  Location loc;
  Type keyType, stepType;
  int64_t batches;
  /// What updates are combined in.
  Type combined;
  /// The keys in order, once they are sorted.
  Value keys;
};

// Pattern: scatter(x, y)[i] -> scf.for over what is apart { scf.for over i {
//   tensor.insert combine(x, y) into x[clamp(i)] } } {weft.parallel}
// or: keys = i, places = argsort(keys),
//   linalg.generic ins(x) { scf.for over updates of the place { combine } }
struct SpreadScatter final : OpInterfaceConversionPattern<weft::Scatter> {
  SpreadScatter(const TypeConverter &types, MLIRContext *context,
                const weft::Gpu &gpu)
      : OpInterfaceConversionPattern(types, context, /*benefit=*/2), gpu(gpu) {}

  LogicalResult
  matchAndRewrite(weft::Scatter op, ArrayRef<Value> operands,
                  ConversionPatternRewriter &rewriter) const override {
    auto updates = cast<RankedTensorType>(operands[1].getType());
    if (updates.getNumElements() == 0)
      return rewriter.notifyMatchFailure(op, "has no updates");
    ScatterPlan plan(op, gpu);
    Location loc = op.getLoc();
    if (plan.sorts)
      rewriter.replaceOp(op, Sorted(op, operands, plan, rewriter, loc).build());
    else if (plan.apart > 1)
      rewriter.replaceOp(op, InTurn(op, operands, plan).build(rewriter, loc));
    else
      return rewriter.notifyMatchFailure(op, "has few updates of one element");
    return success();
  }

  weft::Gpu gpu;
};

} // namespace

void weft::populateScatterToLaunches(const TypeConverter &types,
                                     RewritePatternSet &patterns,
                                     const Gpu &gpu) {
  patterns.add<SpreadScatter>(types, patterns.getContext(), gpu);
}
