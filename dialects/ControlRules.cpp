// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the rules of the ops with bodies share.

#include "dialects/ControlRules.h"
#include "dialects/Calculus.h"
#include "dialects/Folding.h"

using namespace mlir;

namespace weft {

SmallVector<Value> joined(ArrayRef<ValueRange> lists) {
  SmallVector<Value> values;
  for (ValueRange list : lists)
    llvm::append_range(values, list);
  return values;
}

SmallVector<Value> pick(ValueRange values, const llvm::SmallBitVector &which) {
  SmallVector<Value> picked;
  for (unsigned i : which.set_bits())
    picked.push_back(values[i]);
  return picked;
}

llvm::SmallBitVector presence(ValueRange values) {
  llvm::SmallBitVector bits(values.size());
  for (auto [i, value] : llvm::enumerate(values))
    if (value)
      bits.set(i);
  return bits;
}

SmallVector<Value> present(ValueRange values) {
  return pick(values, presence(values));
}

llvm::SmallBitVector subset(const llvm::SmallBitVector &bits, unsigned begin,
                            unsigned end) {
  llvm::SmallBitVector part(end - begin);
  for (unsigned i : bits.set_bits())
    if (i >= begin && i < end)
      part.set(i - begin);
  return part;
}

SmallVector<int64_t> numbers(const llvm::SmallBitVector &bits) {
  return SmallVector<int64_t>(bits.set_bits());
}

ValueRange call(OpBuilder &b, Location loc, func::FuncOp function,
                ValueRange operands) {
  return func::CallOp::create(b, loc, function, operands).getResults();
}

Value zeros(OpBuilder &b, Location loc, Type type) {
  return ConstantOp::create(b, loc, splatOf(cast<RankedTensorType>(type), 0.0));
}

Value number(OpBuilder &b, Location loc, int64_t value) {
  auto type = RankedTensorType::get({}, b.getI64Type());
  return ConstantOp::create(b, loc, DenseElementsAttr::get(type, value));
}

Value swapAxes(OpBuilder &b, Location loc, Value x) {
  if (isTape(x.getType()))
    return x;
  auto order = llvm::to_vector(
      llvm::seq<int64_t>(cast<RankedTensorType>(x.getType()).getRank()));
  std::swap(order[0], order[1]);
  return calculus::transpose(calculus::TensorOperands(b, loc)(x), order).value;
}

Value selectInStack(OpBuilder &b, Location loc, Value condition, Value x,
                    Value y) {
  Type shape = boolLike(x.getType());
  Value everywhere =
      b.createOrFold<BroadcastOp>(loc, shape, condition, ArrayRef<int64_t>{0});
  return b.createOrFold<SelectOp>(loc, everywhere, x, y);
}

bool isToBeReversed(Operation *op) {
  auto isReverse = [](LinearizeOp) { return WalkResult::interrupt(); };
  return op->getParentOfType<ModuleOp>().walk(isReverse).wasInterrupted();
}

SmallVector<Value> differentiateWhere(OpBuilder &b, Location loc,
                                      Value condition, ValueRange arrays) {
  return llvm::map_to_vector(arrays, [&](Value x) {
    if (!isInexactArray(x.getType()))
      return x;
    Value constant = StopGradientOp::create(b, loc, x);
    return selectInStack(b, loc, condition, x, constant);
  });
}

void fill(Region &region, OpBuilder &b, Location loc, TypeRange arguments,
          BuildBody build) {
  OpBuilder::InsertionGuard guard(b);
  SmallVector<Location> locs(arguments.size(), loc);
  Block *block = b.createBlock(&region, region.end(), arguments, locs);
  YieldOp::create(b, loc, build(block->getArguments()));
}

std::optional<unsigned> operandAsResult(func::FuncOp function,
                                        unsigned result) {
  Operation *terminator = function.getBody().front().getTerminator();
  auto argument = dyn_cast<BlockArgument>(terminator->getOperand(result));
  if (!argument)
    return std::nullopt;
  return argument.getArgNumber();
}

FailureOr<Reversed> reverseBody(Transformer &transformer, Operation *user,
                                func::FuncOp function,
                                const Selection &selection) {
  FailureOr<Reversed> parts = transformer.reverse(user, function, selection);
  if (failed(parts))
    return failure();
  func::FuncOp forward = parts->forward;
  if (llvm::none_of(forward.getResultTypes(), isTape))
    return parts;
  return transformer.reverseCheckpointed(user, function, selection);
}

llvm::SmallBitVector followCarries(Transformer &transformer, func::FuncOp body,
                                   unsigned numCarries,
                                   llvm::SmallBitVector &operands) {
  while (true) {
    llvm::SmallBitVector results = transformer.dependentResults(body, operands);
    llvm::SmallBitVector carries = results;
    carries.resize(numCarries);
    carries.resize(operands.size());
    if (!carries.test(operands))
      return results;
    operands |= carries;
  }
}

} // namespace weft
