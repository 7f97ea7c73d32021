// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Derivatives and batching of switch.

#include "dialects/Calculus.h"
#include "dialects/ControlRules.h"

using namespace mlir;
using namespace weft;

/// A switch whose body number k is `build(k, arguments)`.
static SwitchOp buildSwitch(
    OpBuilder &b, Location loc, Value index, ValueRange inputs, TypeRange types,
    unsigned count,
    llvm::function_ref<SmallVector<Value>(unsigned, ValueRange)> build) {
  auto op = SwitchOp::create(b, loc, types, index, inputs, count);
  for (unsigned k = 0; k < count; ++k)
    fill(op.getBodies()[k], b, loc, inputs.getTypes(),
         [&](ValueRange arguments) { return build(k, arguments); });
  return op;
}

static SmallVector<func::FuncOp> outline(SwitchOp op,
                                         Transformer &transformer) {
  SmallVector<func::FuncOp> bodies;
  for (Region &body : op.getBodies())
    bodies.push_back(transformer.outline(body));
  return bodies;
}

llvm::SmallBitVector
SwitchOp::dependentResults(Transformer &transformer,
                           const llvm::SmallBitVector &operands) {
  llvm::SmallBitVector inputs = subset(operands, 1, operands.size());
  llvm::SmallBitVector results(getNumResults());
  for (func::FuncOp body : outline(*this, transformer))
    results |= transformer.dependentResults(body, inputs);
  return results;
}

//===----------------------------------------------------------------------===//
// Forward mode
//===----------------------------------------------------------------------===//

/// The results of a call of a function with tangents, and zeros for those
/// tangents which are wanted, but do not move.
static SmallVector<Value> callForwarded(OpBuilder &b, Location loc,
                                        const Forwarded &body,
                                        ValueRange arguments,
                                        const llvm::SmallBitVector &wanted) {
  Parts parts(call(b, loc, body.function, arguments));
  SmallVector<Value> values(parts.take(wanted.size()));
  SmallVector<Type> types =
      llvm::map_to_vector(values, [](Value value) { return value.getType(); });
  for (unsigned result : wanted.set_bits())
    values.push_back(llvm::is_contained(body.results, int64_t(result))
                         ? parts.take(1).front()
                         : zeros(b, loc, types[result]));
  return values;
}

FailureOr<ForwardedOp> SwitchOp::buildForward(Transformer &transformer,
                                              OpBuilder &b, Location loc,
                                              ValueRange tangents) {
  ValueRange moved = tangents.drop_front();
  SmallVector<Forwarded> bodies;
  llvm::SmallBitVector moving(getNumResults());
  for (func::FuncOp body : outline(*this, transformer)) {
    FailureOr<Forwarded> forwarded =
        transformer.forward(*this, body, numbers(presence(moved)));
    if (failed(forwarded))
      return failure();
    for (int64_t result : forwarded->results)
      moving.set(result);
    bodies.push_back(*forwarded);
  }
  SmallVector<Type> types(getResultTypes());
  for (unsigned result : moving.set_bits())
    types.push_back(types[result]);
  SwitchOp op =
      buildSwitch(b, loc, getIndex(), joined({getInputs(), present(moved)}),
                  types, bodies.size(), [&](unsigned k, ValueRange arguments) {
                    return callForwarded(b, loc, bodies[k], arguments, moving);
                  });
  Parts parts(op.getResults());
  ForwardedOp built{SmallVector<Value>(parts.take(getNumResults())),
                    SmallVector<Value>(getNumResults())};
  for (unsigned result : moving.set_bits())
    built.tangents[result] = parts.take(1).front();
  return built;
}

//===----------------------------------------------------------------------===//
// Reverse mode
//===----------------------------------------------------------------------===//

namespace {

/// Where the backward bodies find their residuals: among the inputs, or in
/// slots that the forward switch yields. Bodies share slots of one type.
class Slots {
public:
  /// Plans for one more body; its residuals are the results from `first` on.
  void add(func::FuncOp forward, unsigned first);
  /// The types of the slots, in their order.
  ArrayRef<Type> types() const { return slotTypes; }
  /// What a body yields into the slots: residuals, elsewhere zeros.
  SmallVector<Value> store(unsigned body, ValueRange residuals, OpBuilder &b,
                           Location loc) const;
  /// The residuals of a body, from inputs and slots.
  SmallVector<Value> load(unsigned body, ValueRange inputs,
                          ValueRange slots) const;

private:
  struct Place {
    bool isInput;
    unsigned number;
  };
  SmallVector<SmallVector<Place>> places;
  SmallVector<Type> slotTypes;
  DenseMap<Type, SmallVector<unsigned>> slotsOf;
};

} // namespace

void Slots::add(func::FuncOp forward, unsigned first) {
  SmallVector<Place> &own = places.emplace_back();
  DenseMap<Type, unsigned> taken;
  for (unsigned i = first; i < forward.getNumResults(); ++i) {
    if (std::optional<unsigned> input = operandAsResult(forward, i)) {
      own.push_back({true, *input});
      continue;
    }
    Type type = forward.getResultTypes()[i];
    SmallVector<unsigned> &sameType = slotsOf[type];
    unsigned number = taken[type]++;
    if (number == sameType.size()) {
      sameType.push_back(slotTypes.size());
      slotTypes.push_back(type);
    }
    own.push_back({false, sameType[number]});
  }
}

SmallVector<Value> Slots::store(unsigned body, ValueRange residuals,
                                OpBuilder &b, Location loc) const {
  SmallVector<Value> slots(slotTypes.size());
  for (auto [place, residual] : llvm::zip_equal(places[body], residuals))
    if (!place.isInput)
      slots[place.number] = residual;
  for (auto [slot, type] : llvm::zip_equal(slots, slotTypes))
    if (!slot)
      slot = zeros(b, loc, type);
  return slots;
}

SmallVector<Value> Slots::load(unsigned body, ValueRange inputs,
                               ValueRange slots) const {
  return llvm::map_to_vector(places[body], [&](Place place) {
    return (place.isInput ? inputs : slots)[place.number];
  });
}

FailureOr<ReversedOp> SwitchOp::buildReverse(Transformer &transformer,
                                             OpBuilder &forward,
                                             OpBuilder &backward, Location loc,
                                             const llvm::SmallBitVector &active,
                                             ValueRange cotangents) {
  Selection selection{numbers(subset(active, 1, active.size())),
                      numbers(presence(cotangents))};
  unsigned numResults = getNumResults();
  SmallVector<Reversed> bodies;
  Slots slots;
  for (func::FuncOp body : outline(*this, transformer)) {
    FailureOr<Reversed> parts =
        reverseBody(transformer, *this, body, selection);
    if (failed(parts))
      return failure();
    slots.add(parts->forward, numResults);
    bodies.push_back(*parts);
  }

  SmallVector<Type> types(getResultTypes());
  llvm::append_range(types, slots.types());
  SwitchOp primal = buildSwitch(
      forward, getLoc(), getIndex(), getInputs(), types, bodies.size(),
      [&](unsigned k, ValueRange arguments) {
        Parts parts(call(forward, getLoc(), bodies[k].forward, arguments));
        SmallVector<Value> values(parts.take(numResults));
        llvm::append_range(values,
                           slots.store(k, parts.rest(), forward, getLoc()));
        return values;
      });

  Parts results(primal.getResults());
  ReversedOp built{SmallVector<Value>(results.take(numResults)),
                   SmallVector<Value>(getNumOperands())};
  SmallVector<Type> gradients = llvm::map_to_vector(
      selection.operands, [&](int64_t i) { return getInputs()[i].getType(); });
  SwitchOp derivative = buildSwitch(
      backward, loc, getIndex(),
      joined({getInputs(), results.rest(), present(cotangents)}), gradients,
      bodies.size(), [&](unsigned k, ValueRange arguments) {
        Parts parts(arguments);
        ValueRange inputs = parts.take(getInputs().size());
        ValueRange kept = parts.take(slots.types().size());
        return SmallVector<Value>(
            call(backward, loc, bodies[k].backward,
                 joined({slots.load(k, inputs, kept), parts.rest()})));
      });
  for (auto [operand, gradient] :
       llvm::zip_equal(selection.operands, derivative.getResults()))
    built.cotangents[1 + operand] = gradient;
  return built;
}

//===----------------------------------------------------------------------===//
// Batching
//===----------------------------------------------------------------------===//

/// All bodies batched, with the same results stacked.
static FailureOr<SmallVector<Batched>>
batchBodies(SwitchOp op, Transformer &transformer,
            const llvm::SmallBitVector &inputs, int64_t size,
            llvm::SmallBitVector stacks) {
  SmallVector<func::FuncOp> functions = outline(op, transformer);
  while (true) {
    SmallVector<Batched> bodies;
    llvm::SmallBitVector found = stacks;
    for (func::FuncOp function : functions) {
      FailureOr<Batched> batched =
          transformer.batch(op, function, inputs, size, stacks);
      if (failed(batched))
        return failure();
      found |= batched->results;
      bodies.push_back(*batched);
    }
    if (found == stacks)
      return bodies;
    stacks = found;
  }
}

/// Whether each index of a stack chooses body `k` or one before it: all choose
/// the last or one before. An index below the first is the first.
static Value choosesUpTo(OpBuilder &b, Location loc, Value index, int64_t k) {
  if (isBoolArray(index.getType()))
    return b.createOrFold<LogicalNotOp>(loc, index);
  int64_t size = cast<RankedTensorType>(index.getType()).getDimSize(0);
  Value last = stack(b, loc, number(b, loc, k), size);
  return b.createOrFold<LessEqualOp>(loc, index, last);
}

/// What the body chosen by each index of a stack gives: all are computed. If
/// derivatives are to be taken in reverse, each body is to have none by what it
/// was not chosen for: where one is infinite, times zero it would be NaN.
static SmallVector<Value> selectBodies(OpBuilder &b, Location loc,
                                       ArrayRef<Batched> bodies, Value index,
                                       ValueRange inputs, bool isReversed) {
  int64_t last = int64_t(bodies.size()) - 1;
  SmallVector<Value> upTo;
  for (int64_t k = 0; k < last; ++k)
    upTo.push_back(choosesUpTo(b, loc, index, k));
  auto compute = [&](int64_t k) -> SmallVector<Value> {
    if (!isReversed)
      return call(b, loc, bodies[k].function, inputs);
    Value isChosen = k < last ? upTo[k] : Value();
    if (k > 0) {
      Value isLater = b.createOrFold<LogicalNotOp>(loc, upTo[k - 1]);
      isChosen = isChosen ? b.createOrFold<LogicalAndOp>(loc, isChosen, isLater)
                          : isLater;
    }
    return call(b, loc, bodies[k].function,
                differentiateWhere(b, loc, isChosen, inputs));
  };
  SmallVector<Value> results = compute(last);
  for (int64_t k = last - 1; k >= 0; --k)
    for (auto [result, other] : llvm::zip_equal(results, compute(k)))
      result = selectInStack(b, loc, upTo[k], other, result);
  return results;
}

FailureOr<BatchedOp> SwitchOp::buildBatched(Transformer &transformer,
                                            OpBuilder &b, Location loc,
                                            ValueRange operands,
                                            const llvm::SmallBitVector &batched,
                                            int64_t size) {
  bool selects = batched[0] && getBodies().size() > 1,
       isReversed = selects && isToBeReversed(*this);
  Value index = operands.front();
  SmallVector<Value> inputs(operands.drop_front());
  llvm::SmallBitVector inStacks = subset(batched, 1, batched.size());
  if (isReversed)
    for (auto [i, input] : llvm::enumerate(inputs))
      if (!inStacks[i] && isInexactArray(input.getType())) {
        input = stack(b, loc, input, size);
        inStacks.set(i);
      }
  FailureOr<SmallVector<Batched>> bodies =
      batchBodies(*this, transformer, inStacks, size,
                  llvm::SmallBitVector(getNumResults(), selects));
  if (failed(bodies))
    return failure();
  llvm::SmallBitVector stacks = bodies->front().results;
  if (selects)
    return BatchedOp{selectBodies(b, loc, *bodies, index, inputs, isReversed),
                     stacks};
  if (batched[0])
    return BatchedOp{
        SmallVector<Value>(call(b, loc, bodies->front().function, inputs)),
        stacks};
  SwitchOp op = buildSwitch(
      b, loc, index, inputs, bodies->front().function.getResultTypes(),
      bodies->size(), [&](unsigned k, ValueRange arguments) {
        return SmallVector<Value>(
            call(b, loc, (*bodies)[k].function, arguments));
      });
  return BatchedOp{SmallVector<Value>(op.getResults()), stacks};
}
