// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Derivatives and batching of while.

#include "dialects/ControlRules.h"

using namespace mlir;
using namespace weft;

using BuildLoopBody = llvm::function_ref<SmallVector<Value>(ValueRange carries,
                                                            ValueRange consts)>;

static WhileOp buildWhile(OpBuilder &b, Location loc, ValueRange inits,
                          ValueRange consts, BuildLoopBody cond,
                          BuildLoopBody body) {
  auto op = WhileOp::create(b, loc, inits.getTypes(), inits, consts);
  SmallVector<Type> arguments(op->getOperandTypes());
  auto fillWith = [&](Region &region, BuildLoopBody build) {
    fill(region, b, loc, arguments, [&](ValueRange values) {
      return build(values.take_front(inits.size()),
                   values.drop_front(inits.size()));
    });
  };
  fillWith(op.getCond(), cond);
  fillWith(op.getBody(), body);
  return op;
}

llvm::SmallBitVector
WhileOp::dependentResults(Transformer &transformer,
                          const llvm::SmallBitVector &operands) {
  llvm::SmallBitVector active = operands;
  followCarries(transformer, transformer.outline(getBody()), getInits().size(),
                active);
  return subset(active, 0, getInits().size());
}

//===----------------------------------------------------------------------===//
// Forward mode
//===----------------------------------------------------------------------===//

FailureOr<ForwardedOp> WhileOp::buildForward(Transformer &transformer,
                                             OpBuilder &b, Location loc,
                                             ValueRange tangents) {
  func::FuncOp body = transformer.outline(getBody());
  func::FuncOp cond = transformer.outline(getCond());
  unsigned numCarries = getInits().size(), numConsts = getConsts().size();
  llvm::SmallBitVector moving = presence(tangents);
  followCarries(transformer, body, numCarries, moving);
  FailureOr<Forwarded> forwarded =
      transformer.forward(*this, body, numbers(moving));
  if (failed(forwarded))
    return failure();

  llvm::SmallBitVector carries = subset(moving, 0, numCarries);
  SmallVector<Value> inits(getInits());
  for (unsigned carry : carries.set_bits())
    inits.push_back(tangents[carry]
                        ? tangents[carry]
                        : zeros(b, loc, getInits()[carry].getType()));
  WhileOp op = buildWhile(
      b, loc, inits,
      joined({getConsts(), present(tangents.drop_front(numCarries))}),
      [&](ValueRange carried, ValueRange consts) {
        return SmallVector<Value>(call(b, loc, cond,
                                       joined({carried.take_front(numCarries),
                                               consts.take_front(numConsts)})));
      },
      [&](ValueRange carried, ValueRange consts) {
        Parts results(call(b, loc, forwarded->function,
                           joined({carried.take_front(numCarries),
                                   consts.take_front(numConsts),
                                   carried.drop_front(numCarries),
                                   consts.drop_front(numConsts)})));
        SmallVector<Value> yields(results.take(numCarries));
        SmallVector<Value> moved(numCarries);
        for (int64_t carry : forwarded->results)
          moved[carry] = results.take(1).front();
        for (unsigned carry : carries.set_bits())
          yields.push_back(moved[carry]
                               ? moved[carry]
                               : zeros(b, loc, yields[carry].getType()));
        return yields;
      });
  Parts parts(op.getResults());
  ForwardedOp built{SmallVector<Value>(parts.take(numCarries)),
                    SmallVector<Value>(numCarries)};
  for (unsigned carry : carries.set_bits())
    built.tangents[carry] = parts.take(1).front();
  return built;
}

//===----------------------------------------------------------------------===//
// Reverse mode
//===----------------------------------------------------------------------===//

/// The loop, and behind its carries how often the body ran.
static WhileOp buildCounting(OpBuilder &b, Location loc, WhileOp op,
                             func::FuncOp cond, func::FuncOp body) {
  return buildWhile(
      b, loc, joined({op.getInits(), number(b, loc, 0)}), op.getConsts(),
      [&](ValueRange carried, ValueRange consts) {
        return SmallVector<Value>(
            call(b, loc, cond, joined({carried.drop_back(), consts})));
      },
      [&](ValueRange carried, ValueRange consts) {
        SmallVector<Value> yields(
            call(b, loc, body, joined({carried.drop_back(), consts})));
        yields.push_back(
            AddOp::create(b, loc, carried.back(), number(b, loc, 1)));
        return yields;
      });
}

/// Once the trips are counted, the loop is a scan of that many steps. It runs
/// in the backward pass, recording what its own backward pass needs.
FailureOr<ReversedOp> WhileOp::buildReverse(Transformer &transformer,
                                            OpBuilder &forward,
                                            OpBuilder &backward, Location loc,
                                            const llvm::SmallBitVector &active,
                                            ValueRange cotangents) {
  func::FuncOp body = transformer.outline(getBody());
  WhileOp counting = buildCounting(forward, getLoc(), *this,
                                   transformer.outline(getCond()), body);
  Steps steps{*this,
              body,
              /*length=*/nullptr,
              /*reverse=*/false,
              /*unroll=*/1,
              /*trips=*/counting.getResults().back(),
              getInits(),
              /*xs=*/{},
              getConsts()};
  FailureOr<ReversedOp> reversed = reverseSteps(
      transformer, steps, backward, backward, loc, active, cotangents);
  if (failed(reversed))
    return failure();
  reversed->results.assign(counting.getResults().begin(),
                           std::prev(counting.getResults().end()));
  return reversed;
}

//===----------------------------------------------------------------------===//
// Batching
//===----------------------------------------------------------------------===//

namespace {

/// A while for a stack of inputs. If these differ in how long they run, it runs
/// until all are done, carrying which still do: carries of the others stay.
class WhileBatcher {
public:
  WhileBatcher(WhileOp op, Transformer &transformer, OpBuilder &b, Location loc,
               ValueRange operands, llvm::SmallBitVector stacks, int64_t size)
      : op(op), transformer(transformer), b(b), loc(loc), operands(operands),
        stacks(stacks), size(size), numCarries(op.getInits().size()),
        isReversed(isToBeReversed(op)) {}

  LogicalResult batchRegions();
  BatchedOp build();

private:
  bool differs() const { return cond.results[0]; }
  SmallVector<Value> buildStep(ValueRange carried, ValueRange consts);

  WhileOp op;
  Transformer &transformer;
  OpBuilder &b;
  Location loc;
  ValueRange operands;
  llvm::SmallBitVector stacks;
  int64_t size;
  unsigned numCarries;
  bool isReversed;
  Batched cond, body;
};

} // namespace

LogicalResult WhileBatcher::batchRegions() {
  func::FuncOp condition = transformer.outline(op.getCond());
  func::FuncOp step = transformer.outline(op.getBody());
  while (true) {
    llvm::SmallBitVector required = stacks;
    required.resize(numCarries);
    FailureOr<Batched> wideCond =
        transformer.batch(op, condition, stacks, size, llvm::SmallBitVector(1));
    FailureOr<Batched> wideBody =
        transformer.batch(op, step, stacks, size, required);
    if (failed(wideCond) || failed(wideBody))
      return failure();
    cond = *wideCond;
    body = *wideBody;
    llvm::SmallBitVector carries = body.results;
    if (differs())
      carries.set();
    carries.resize(stacks.size());
    // Each input's derivatives by constants end when it is done.
    if (differs() && isReversed)
      for (unsigned i = numCarries; i < stacks.size(); ++i)
        if (isInexactArray(operands[i].getType()))
          carries.set(i);
    if (!carries.test(stacks))
      return success();
    stacks |= carries;
  }
}

SmallVector<Value> WhileBatcher::buildStep(ValueRange carried,
                                           ValueRange consts) {
  if (!differs())
    return SmallVector<Value>(
        call(b, loc, body.function, joined({carried, consts})));
  ValueRange carries = carried.drop_back();
  SmallVector<Value> given = joined({carries, consts});
  if (isReversed)
    given = differentiateWhere(b, loc, carried.back(), given);
  ValueRange next = call(b, loc, body.function, given);
  SmallVector<Value> yields;
  for (auto [x, y] : llvm::zip_equal(next, carries))
    yields.push_back(selectInStack(b, loc, carried.back(), x, y));
  // Those that are done stay so: their carries do not change.
  Value isRunning =
      call(b, loc, cond.function, joined({yields, consts})).front();
  yields.push_back(isRunning);
  return yields;
}

BatchedOp WhileBatcher::build() {
  SmallVector<Value> all(operands);
  for (auto [i, operand] : llvm::enumerate(all))
    if (stacks[i] && operand.getType() == op->getOperand(i).getType())
      operand = stack(b, loc, operand, size);
  SmallVector<Value> inits(ArrayRef(all).take_front(numCarries)),
      consts(ArrayRef(all).drop_front(numCarries));
  if (differs())
    inits.push_back(
        call(b, loc, cond.function, joined({inits, consts})).front());
  WhileOp wide = buildWhile(
      b, loc, inits, consts,
      [&](ValueRange carried, ValueRange constants) -> SmallVector<Value> {
        if (differs())
          return {AnyOp::create(b, loc, carried.back(), ArrayRef<int64_t>{0})};
        return SmallVector<Value>(
            call(b, loc, cond.function, joined({carried, constants})));
      },
      [&](ValueRange carried, ValueRange constants) {
        return buildStep(carried, constants);
      });
  return {SmallVector<Value>(wide.getResults().take_front(numCarries)),
          subset(stacks, 0, numCarries)};
}

FailureOr<BatchedOp> WhileOp::buildBatched(Transformer &transformer,
                                           OpBuilder &b, Location loc,
                                           ValueRange operands,
                                           const llvm::SmallBitVector &batched,
                                           int64_t size) {
  WhileBatcher batcher(*this, transformer, b, loc, operands, batched, size);
  if (failed(batcher.batchRegions()))
    return failure();
  return batcher.build();
}
