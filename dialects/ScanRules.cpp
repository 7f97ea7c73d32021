// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Derivatives and batching of scan.

#include "dialects/Calculus.h"
#include "dialects/ControlRules.h"
#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace weft;

static Steps stepsOf(ScanOp op, Transformer &transformer) {
  return {op,
          transformer.outline(op.getBody()),
          op.getLengthAttr(),
          op.getReverse(),
          int64_t(op.getUnroll()),
          op.getTrips(),
          op.getInits(),
          op.getXs(),
          op.getConsts()};
}

/// The operands of the body among those of the op.
static llvm::SmallBitVector ofBody(ScanOp op,
                                   const llvm::SmallBitVector &operands) {
  return subset(operands, op.getTrips() ? 1 : 0, operands.size());
}

/// The type of `slice` once for each step.
static Type alongSteps(const Steps &steps, Type slice) {
  auto array = cast<RankedTensorType>(slice);
  SmallVector<int64_t> shape(array.getShape());
  shape.insert(shape.begin(),
               steps.length ? steps.length.getInt() : ShapedType::kDynamic);
  return RankedTensorType::get(shape, array.getElementType());
}

using BuildStep = llvm::function_ref<SmallVector<Value>(
    ValueRange carries, ValueRange xs, ValueRange consts)>;

/// A scan as long as another one, whose body is what `build` builds.
static ScanOp buildScan(OpBuilder &b, Location loc, const Steps &steps,
                        ValueRange inits, ValueRange xs, ValueRange consts,
                        BuildStep build) {
  SmallVector<Type> arguments(inits.getTypes());
  for (Value x : xs) {
    auto array = cast<RankedTensorType>(x.getType());
    arguments.push_back(RankedTensorType::get(array.getShape().drop_front(),
                                              array.getElementType()));
  }
  llvm::append_range(arguments, consts.getTypes());
  Region body;
  fill(body, b, loc, arguments, [&](ValueRange values) {
    Parts parts(values);
    ValueRange carries = parts.take(inits.size()),
               slices = parts.take(xs.size());
    return build(carries, slices, parts.rest());
  });
  SmallVector<Type> results(inits.getTypes());
  for (Type slice : TypeRange(body.front().getTerminator()->getOperandTypes())
                        .drop_front(inits.size()))
    results.push_back(alongSteps(steps, slice));
  auto op = ScanOp::create(b, loc, results, steps.length,
                           steps.reverse ? b.getUnitAttr() : UnitAttr(),
                           b.getI64IntegerAttr(steps.unroll), steps.trips,
                           inits, xs, consts);
  op.getBody().takeBody(body);
  return op;
}

/// What `build` makes of each step of tapes that are equally long.
static Value mapTapes(OpBuilder &b, Location loc, ValueRange tapes,
                      llvm::function_ref<Value(ValueRange)> build) {
  Steps steps;
  return buildScan(b, loc, steps, {}, tapes, {},
                   [&](ValueRange, ValueRange slices, ValueRange) {
                     return SmallVector<Value>{build(slices)};
                   })
      .getResult(0);
}

Value weft::sumOf(OpBuilder &b, Location loc, Value x, Value y) {
  if (!isTape(x.getType()))
    return AddOp::create(b, loc, x, y);
  return mapTapes(b, loc, {x, y}, [&](ValueRange steps) -> Value {
    return AddOp::create(b, loc, steps[0], steps[1]);
  });
}

Value weft::zerosLike(OpBuilder &b, Location loc, Value x) {
  if (!isTape(x.getType()))
    return zeros(b, loc, x.getType());
  return mapTapes(b, loc, x, [&](ValueRange steps) {
    return zeros(b, loc, steps[0].getType());
  });
}

llvm::SmallBitVector
ScanOp::dependentResults(Transformer &transformer,
                         const llvm::SmallBitVector &operands) {
  llvm::SmallBitVector inBody = ofBody(*this, operands);
  unsigned numCarries = getInits().size();
  llvm::SmallBitVector results = followCarries(
      transformer, transformer.outline(getBody()), numCarries, inBody);
  // Without a step the result is what it starts with.
  for (unsigned carry = 0; carry < numCarries; ++carry)
    if (inBody[carry])
      results.set(carry);
  return results;
}

//===----------------------------------------------------------------------===//
// Forward mode
//===----------------------------------------------------------------------===//

FailureOr<ForwardedOp> ScanOp::buildForward(Transformer &transformer,
                                            OpBuilder &b, Location loc,
                                            ValueRange tangents) {
  Steps steps = stepsOf(*this, transformer);
  unsigned numCarries = getInits().size(), numXs = getXs().size();
  ValueRange given = tangents.drop_front(getTrips() ? 1 : 0);
  llvm::SmallBitVector moving = presence(given);
  followCarries(transformer, steps.body, numCarries, moving);
  FailureOr<Forwarded> forwarded =
      transformer.forward(*this, steps.body, numbers(moving));
  if (failed(forwarded))
    return failure();

  llvm::SmallBitVector carries = subset(moving, 0, numCarries);
  SmallVector<Value> inits(getInits());
  for (unsigned carry : carries.set_bits())
    inits.push_back(given[carry] ? given[carry]
                                 : zeros(b, loc, getInits()[carry].getType()));
  SmallVector<Value> xs =
      joined({getXs(), present(given.slice(numCarries, numXs))});
  SmallVector<Value> consts =
      joined({getConsts(), present(given.drop_front(numCarries + numXs))});
  llvm::SmallBitVector movingYs(steps.numYs());
  ScanOp op = buildScan(
      b, loc, steps, inits, xs, consts,
      [&](ValueRange carried, ValueRange slices, ValueRange constants) {
        Parts results(call(
            b, loc, forwarded->function,
            joined({carried.take_front(numCarries), slices.take_front(numXs),
                    constants.take_front(getConsts().size()),
                    carried.drop_front(numCarries), slices.drop_front(numXs),
                    constants.drop_front(getConsts().size())})));
        SmallVector<Value> yields(results.take(numCarries));
        SmallVector<Value> ys(results.take(steps.numYs()));
        SmallVector<Value> moved(steps.body.getNumResults());
        for (int64_t result : forwarded->results)
          moved[result] = results.take(1).front();
        for (unsigned carry : carries.set_bits())
          yields.push_back(moved[carry]
                               ? moved[carry]
                               : zeros(b, loc, yields[carry].getType()));
        ValueRange movedYs = ValueRange(moved).drop_front(numCarries);
        movingYs = presence(movedYs);
        return joined({yields, ys, present(movedYs)});
      });

  Parts parts(op.getResults());
  SmallVector<Value> last(parts.take(numCarries));
  ForwardedOp built{{}, SmallVector<Value>(getNumResults())};
  for (unsigned carry : carries.set_bits())
    built.tangents[carry] = parts.take(1).front();
  built.results = joined({last, parts.take(steps.numYs())});
  for (unsigned y : movingYs.set_bits())
    built.tangents[numCarries + y] = parts.take(1).front();
  return built;
}

//===----------------------------------------------------------------------===//
// Reverse mode
//===----------------------------------------------------------------------===//

namespace {

/// A loop that keeps its residuals, and one in the other direction which takes
/// them.
class StepReverser {
public:
  StepReverser(Transformer &transformer, const Steps &steps, Location loc,
               const llvm::SmallBitVector &active, ValueRange cotangents)
      : transformer(transformer), steps(steps), loc(loc), active(active),
        cotangents(cotangents), numCarries(steps.inits.size()),
        numXs(steps.xs.size()) {}

  LogicalResult plan();
  SmallVector<Value> buildForward(OpBuilder &b);
  SmallVector<Value> buildBackward(OpBuilder &b);

private:
  /// Where the backward body finds a residual: it is one of its slices, or a
  /// constant.
  struct Place {
    bool isSlice;
    unsigned number;
  };
  void placeResiduals();
  void computeInvariants(OpBuilder &b);
  SmallVector<Value> buildStep(OpBuilder &b, ValueRange carried,
                               ValueRange slices, ValueRange constants);

  Transformer &transformer;
  Steps steps;
  Location loc;
  llvm::SmallBitVector active;
  ValueRange cotangents;
  unsigned numCarries, numXs;

  Reversed parts;
  /// The carries, slices and constants that get cotangents; the ys that have
  /// some.
  llvm::SmallBitVector carries, xs, consts, ys;
  SmallVector<Place> places;
  /// The residuals that the forward loop stacks, by their numbers.
  SmallVector<unsigned> stackedResiduals;
  /// The ops of the forward body that compute the same in each step, and the
  /// residuals of that kind: which of the constants, and the value in the body.
  SetVector<Operation *> invariantOps;
  SmallVector<std::pair<unsigned, Value>> invariants;
  /// The arrays whose slices, and the constants which, the backward body reads.
  SmallVector<Value> arrays, constants;
};

} // namespace

/// Whether a value of a function is one of its arguments from number `first`
/// on, or a result of `ops`.
static bool isOf(Value value, unsigned first,
                 const SetVector<Operation *> &ops) {
  if (auto argument = dyn_cast<BlockArgument>(value))
    return argument.getArgNumber() >= first;
  return ops.contains(value.getDefiningOp());
}

/// The ops of a function, none of which has effects, that compute from nothing
/// but its arguments from number `first` on.
static SetVector<Operation *> opsOn(func::FuncOp function, unsigned first) {
  SetVector<Operation *> ops;
  for (Operation &op : function.getBody().front().without_terminator())
    if (llvm::all_of(op.getOperands(),
                     [&](Value operand) { return isOf(operand, first, ops); }))
      ops.insert(&op);
  return ops;
}

LogicalResult StepReverser::plan() {
  llvm::SmallBitVector results =
      followCarries(transformer, steps.body, numCarries, active);
  carries = subset(active, 0, numCarries);
  xs = subset(active, numCarries, numCarries + numXs);
  consts = subset(active, numCarries + numXs, active.size());
  ys = presence(cotangents.drop_front(numCarries));
  ys &= subset(results, numCarries, results.size());

  Selection selection{numbers(active), numbers(carries)};
  for (unsigned y : ys.set_bits())
    selection.results.push_back(numCarries + y);
  FailureOr<Reversed> reversed =
      reverseBody(transformer, steps.op, steps.body, selection);
  if (failed(reversed))
    return failure();
  parts = *reversed;
  placeResiduals();
  return success();
}

/// Slices of arrays and constants are there already, and what is computed from
/// constants alone becomes one; all else is stacked.
void StepReverser::placeResiduals() {
  unsigned numResults = steps.body.getNumResults();
  Operation *end = parts.forward.getBody().front().getTerminator();
  // Without a step nothing may be computed that could fail.
  if (steps.length && steps.length.getInt() > 0)
    invariantOps = opsOn(parts.forward, numCarries + numXs);
  unsigned numResiduals = parts.forward.getNumResults() - numResults;
  for (unsigned i = 0; i < numResiduals; ++i) {
    std::optional<unsigned> operand =
        operandAsResult(parts.forward, numResults + i);
    if (operand && *operand >= numCarries + numXs) {
      places.push_back({false, unsigned(constants.size())});
      constants.push_back(steps.consts[*operand - numCarries - numXs]);
      continue;
    }
    Value residual = end->getOperand(numResults + i);
    if (!operand && invariantOps.contains(residual.getDefiningOp())) {
      invariants.push_back({constants.size(), residual});
      places.push_back({false, unsigned(constants.size())});
      constants.push_back({});
      continue;
    }
    places.push_back({true, unsigned(arrays.size())});
    if (operand && *operand >= numCarries) {
      arrays.push_back(steps.xs[*operand - numCarries]);
    } else {
      stackedResiduals.push_back(i);
      arrays.push_back({});
    }
  }
}

/// Computes what is the same in each step once more, before the loop.
void StepReverser::computeInvariants(OpBuilder &b) {
  IRMapping mapping;
  ArrayRef<BlockArgument> arguments = parts.forward.getArguments();
  mapping.map(arguments.drop_front(numCarries + numXs), steps.consts);
  SetVector<Operation *> needed;
  for (auto [number, residual] : invariants)
    needed.insert(residual.getDefiningOp());
  for (Operation *op : llvm::reverse(invariantOps))
    if (needed.contains(op))
      for (Value operand : op->getOperands())
        if (Operation *source = operand.getDefiningOp())
          needed.insert(source);
  for (Operation *op : invariantOps)
    if (needed.contains(op))
      b.clone(*op, mapping);
  for (auto [number, residual] : invariants)
    constants[number] = mapping.lookup(residual);
}

SmallVector<Value> StepReverser::buildForward(OpBuilder &b) {
  computeInvariants(b);
  Location primalLoc = steps.op->getLoc();
  unsigned numResults = steps.body.getNumResults();
  ScanOp op = buildScan(
      b, primalLoc, steps, steps.inits, steps.xs, steps.consts,
      [&](ValueRange carried, ValueRange slices, ValueRange constants) {
        Parts results(call(b, primalLoc, parts.forward,
                           joined({carried, slices, constants})));
        SmallVector<Value> yields(results.take(numResults));
        for (unsigned residual : stackedResiduals)
          yields.push_back(results.rest()[residual]);
        return yields;
      });
  Parts results(op.getResults());
  SmallVector<Value> primals(results.take(numResults));
  for (Value &array : arrays)
    if (!array)
      array = results.take(1).front();
  return primals;
}

/// One step back: cotangents of the carries and those of constants so far, then
/// slices of cotangents and of kept arrays, and kept constants.
SmallVector<Value> StepReverser::buildStep(OpBuilder &b, ValueRange carried,
                                           ValueRange slices, ValueRange kept) {
  Parts given(slices);
  ValueRange ctYs = given.take(ys.count());
  SmallVector<Value> operands;
  for (Place place : places)
    operands.push_back((place.isSlice ? given.rest() : kept)[place.number]);
  Parts sums(carried);
  llvm::append_range(operands, sums.take(carries.count()));
  llvm::append_range(operands, ctYs);

  Parts results(call(b, loc, parts.backward, operands));
  SmallVector<Value> yields(results.take(carries.count()));
  ValueRange ctXs = results.take(xs.count());
  for (auto [sum, term] : llvm::zip_equal(sums.rest(), results.rest()))
    yields.push_back(AddOp::create(b, loc, sum, term));
  llvm::append_range(yields, ctXs);
  return yields;
}

SmallVector<Value> StepReverser::buildBackward(OpBuilder &b) {
  SmallVector<Value> inits;
  for (unsigned carry : carries.set_bits())
    inits.push_back(cotangents[carry]
                        ? cotangents[carry]
                        : zeros(b, loc, steps.inits[carry].getType()));
  for (unsigned constant : consts.set_bits())
    inits.push_back(zeros(b, loc, steps.consts[constant].getType()));
  SmallVector<Value> slices =
      joined({pick(cotangents.drop_front(numCarries), ys), arrays});
  // A loop that has its length from a tape needs one.
  if (!steps.length && !steps.trips && slices.empty())
    slices.push_back(steps.xs.front());

  Steps back = steps;
  back.reverse = !steps.reverse;
  ScanOp op = buildScan(
      b, loc, back, inits, slices, constants,
      [&](ValueRange carried, ValueRange slices, ValueRange constants) {
        return buildStep(b, carried, slices, constants);
      });
  Parts results(op.getResults());
  SmallVector<Value> gradients(active.size());
  for (unsigned carry : carries.set_bits())
    gradients[carry] = results.take(1).front();
  for (unsigned constant : consts.set_bits())
    gradients[numCarries + numXs + constant] = results.take(1).front();
  for (unsigned x : xs.set_bits())
    gradients[numCarries + x] = results.take(1).front();
  return gradients;
}

FailureOr<ReversedOp> weft::reverseSteps(Transformer &transformer,
                                         const Steps &steps, OpBuilder &forward,
                                         OpBuilder &backward, Location loc,
                                         llvm::SmallBitVector active,
                                         ValueRange cotangents) {
  StepReverser reverser(transformer, steps, loc, active, cotangents);
  if (failed(reverser.plan()))
    return failure();
  SmallVector<Value> results = reverser.buildForward(forward);
  return ReversedOp{results, reverser.buildBackward(backward)};
}

FailureOr<ReversedOp> ScanOp::buildReverse(Transformer &transformer,
                                           OpBuilder &forward,
                                           OpBuilder &backward, Location loc,
                                           const llvm::SmallBitVector &active,
                                           ValueRange cotangents) {
  FailureOr<ReversedOp> built =
      reverseSteps(transformer, stepsOf(*this, transformer), forward, backward,
                   loc, ofBody(*this, active), cotangents);
  if (succeeded(built) && getTrips())
    built->cotangents.insert(built->cotangents.begin(), Value());
  return built;
}

//===----------------------------------------------------------------------===//
// Batching
//===----------------------------------------------------------------------===//

namespace {

/// A scan for a stack of inputs. If these differ in their lengths it is as long
/// as the longest, and counts its steps: carries of those that are done stay.
class StepBatcher {
public:
  StepBatcher(Transformer &transformer, OpBuilder &b, Location loc,
              const Steps &steps, llvm::SmallBitVector stacks, int64_t size)
      : transformer(transformer), b(b), loc(loc), steps(steps), stacks(stacks),
        wereStacks(stacks), size(size), numCarries(steps.inits.size()),
        numXs(steps.xs.size()) {}

  /// `trips` are a stack.
  void differInLength(Value trips);
  LogicalResult batchBody();
  BatchedOp build();

private:
  SmallVector<Value> buildStep(ValueRange carried, ValueRange slices,
                               ValueRange constants);

  Transformer &transformer;
  OpBuilder &b;
  Location loc;
  Steps steps;
  /// Which operands of the body are, and which of them are given as such.
  llvm::SmallBitVector stacks, wereStacks;
  int64_t size;
  unsigned numCarries, numXs;
  Batched body;
  /// How many steps each input takes, if they differ.
  Value lengths;
  /// Whether they do, and each input's derivatives end when it is done.
  bool isReversed = false;
};

} // namespace

void StepBatcher::differInLength(Value trips) {
  lengths = trips;
  // No input is as long as it gets.
  steps.trips = size == 0 ? number(b, loc, 0)
                          : MaxOp::create(b, loc, trips, ArrayRef<int64_t>{0});
  stacks.set(0, numCarries);
  isReversed = isToBeReversed(steps.op);
  SmallVector<Value> operands = joined({steps.inits, steps.xs, steps.consts});
  if (isReversed)
    for (auto [i, operand] : llvm::enumerate(operands))
      if (isInexactArray(operand.getType()))
        stacks.set(i);
}

LogicalResult StepBatcher::batchBody() {
  while (true) {
    llvm::SmallBitVector required = stacks;
    required.resize(numCarries);
    required.resize(steps.body.getNumResults());
    FailureOr<Batched> batched =
        transformer.batch(steps.op, steps.body, stacks, size, required);
    if (failed(batched))
      return failure();
    body = *batched;
    llvm::SmallBitVector carries = body.results;
    carries.resize(numCarries);
    carries.resize(stacks.size());
    if (!carries.test(stacks))
      return success();
    stacks |= carries;
  }
}

SmallVector<Value> StepBatcher::buildStep(ValueRange carried, ValueRange slices,
                                          ValueRange constants) {
  Parts given(carried);
  ValueRange carries = given.take(numCarries);
  if (!lengths)
    return SmallVector<Value>(
        call(b, loc, body.function, joined({carries, slices, constants})));
  Value step = given.rest().front();
  Value isRunning =
      LessOp::create(b, loc, stack(b, loc, step, size), constants.back());
  SmallVector<Value> inputs = joined({carries, slices, constants.drop_back()});
  if (isReversed)
    inputs = differentiateWhere(b, loc, isRunning, inputs);
  Parts results(call(b, loc, body.function, inputs));
  SmallVector<Value> yields;
  for (auto [next, last] : llvm::zip_equal(results.take(numCarries), carries))
    yields.push_back(selectInStack(b, loc, isRunning, next, last));
  yields.push_back(
      AddOp::create(b, loc, step, number(b, loc, steps.reverse ? -1 : 1)));
  llvm::append_range(yields, results.rest());
  return yields;
}

BatchedOp StepBatcher::build() {
  auto isStack = [&](unsigned operand) { return stacks[operand]; };
  SmallVector<Value> inits(steps.inits), xs(steps.xs), consts(steps.consts);
  for (auto [i, init] : llvm::enumerate(inits))
    if (isStack(i) && !wereStacks[i])
      init = stack(b, loc, init, size);
  for (auto [i, x] : llvm::enumerate(xs)) {
    if (!isStack(numCarries + i))
      continue;
    if (!wereStacks[numCarries + i])
      x = stack(b, loc, x, size);
    x = swapAxes(b, loc, x);
  }
  for (auto [i, constant] : llvm::enumerate(consts))
    if (isStack(numCarries + numXs + i) && !wereStacks[numCarries + numXs + i])
      constant = stack(b, loc, constant, size);
  if (lengths) {
    Value first = number(b, loc, 0);
    if (steps.reverse)
      first = AddOp::create(b, loc, steps.trips, number(b, loc, -1));
    inits.push_back(first);
    consts.push_back(lengths);
  }
  ScanOp op = buildScan(
      b, loc, steps, inits, xs, consts,
      [&](ValueRange carried, ValueRange slices, ValueRange constants) {
        return buildStep(carried, slices, constants);
      });
  Parts parts(op.getResults());
  BatchedOp built{SmallVector<Value>(parts.take(numCarries)), body.results};
  parts.take(lengths ? 1 : 0);
  for (auto [i, y] : llvm::enumerate(parts.rest()))
    built.results.push_back(body.results[numCarries + i] ? swapAxes(b, loc, y)
                                                         : y);
  return built;
}

FailureOr<BatchedOp> ScanOp::buildBatched(Transformer &transformer,
                                          OpBuilder &b, Location loc,
                                          ValueRange operands,
                                          const llvm::SmallBitVector &batched,
                                          int64_t size) {
  Steps steps = stepsOf(*this, transformer);
  Parts parts(operands.drop_front(getTrips() ? 1 : 0));
  if (getTrips())
    steps.trips = operands.front();
  steps.inits = parts.take(getInits().size());
  steps.xs = parts.take(getXs().size());
  steps.consts = parts.rest();
  StepBatcher batcher(transformer, b, loc, steps, ofBody(*this, batched), size);
  if (getTrips() && batched[0])
    batcher.differInLength(operands.front());
  if (failed(batcher.batchBody()))
    return failure();
  return batcher.build();
}
