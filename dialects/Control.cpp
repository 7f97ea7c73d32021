// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Ops with bodies: what they demand of those, and what can be dropped from
// them. ControlRules.cpp has their derivatives and batched versions.

#include "dialects/Control.h"
#include "dialects/Folding.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace weft;

//===----------------------------------------------------------------------===//
// Verifiers
//===----------------------------------------------------------------------===//

static LogicalResult verifyTypes(Operation *op, const Twine &what,
                                 TypeRange got, TypeRange wanted) {
  if (got == wanted)
    return success();
  InFlightDiagnostic diag = op->emitOpError()
                            << "needs " << what << " of types (";
  llvm::interleaveComma(wanted, diag);
  diag << "), got (";
  llvm::interleaveComma(got, diag);
  return diag << ")";
}

static Type boolOf(MLIRContext *context) {
  return RankedTensorType::get({}, IntegerType::get(context, 1));
}

/// A body takes `arguments`.
static LogicalResult verifyArguments(Operation *op, StringRef name,
                                     Region &body, TypeRange arguments) {
  return verifyTypes(op, name + " with arguments", body.getArgumentTypes(),
                     arguments);
}

/// A body yields `yields`.
static LogicalResult verifyYields(Operation *op, StringRef name, Region &body,
                                  TypeRange yields) {
  auto yield = dyn_cast<YieldOp>(body.front().back());
  if (!yield)
    return op->emitOpError() << "needs " << name << " that ends in weft.yield";
  return verifyTypes(op, name + " with yields", yield.getOperandTypes(),
                     yields);
}

static SmallVector<Type> joined(ArrayRef<TypeRange> lists) {
  SmallVector<Type> types;
  for (TypeRange list : lists)
    llvm::append_range(types, list);
  return types;
}

LogicalResult SwitchOp::verify() {
  // switch_c1: the index is one number or bool.
  Type type = getIndex().getType();
  if (!isIndexArray(type) && type != boolOf(getContext()))
    return emitOpError() << "needs an index of type tensor<i64> or tensor<i1>, "
                         << "got " << type;
  // switch_c2: there is a body to choose; a bool chooses one of two.
  unsigned count = getBodies().size();
  if (count == 0)
    return emitOpError() << "needs a body to choose";
  if (!isIndexArray(type) && count != 2)
    return emitOpError() << "needs two bodies for a bool, got " << count;
  return success();
}

LogicalResult SwitchOp::verifyRegions() {
  for (Region &body : getBodies()) {
    // switch_c3: each body takes the inputs.
    if (failed(verifyArguments(*this, "bodies", body, getInputs().getTypes())))
      return failure();
    // switch_c4: each body yields the results.
    if (failed(verifyYields(*this, "bodies", body, getResultTypes())))
      return failure();
  }
  return success();
}

LogicalResult WhileOp::verify() {
  // while_c1: the results are carries.
  return verifyTypes(*this, "results", getResultTypes(), getInits().getTypes());
}

LogicalResult WhileOp::verifyRegions() {
  SmallVector<Type> arguments =
      joined({getInits().getTypes(), getConsts().getTypes()});
  // while_c2: the condition takes carries and constants.
  if (failed(verifyArguments(*this, "a condition", getCond(), arguments)))
    return failure();
  // while_c3: the condition yields one bool.
  if (failed(
          verifyYields(*this, "a condition", getCond(), boolOf(getContext()))))
    return failure();
  // while_c4: the body takes carries and constants.
  if (failed(verifyArguments(*this, "a body", getBody(), arguments)))
    return failure();
  // while_c5: the body yields carries.
  return verifyYields(*this, "a body", getBody(), getInits().getTypes());
}

/// The types of slices of `arrays`, which lie along a leading dimension of
/// `length`, dynamic ones in tapes; else a diagnostic.
static FailureOr<SmallVector<Type>> slicesOf(ScanOp op, StringRef what,
                                             TypeRange arrays) {
  int64_t length = op.getLength().value_or(ShapedType::kDynamic);
  SmallVector<Type> slices;
  for (Type type : arrays) {
    auto array = cast<RankedTensorType>(type);
    if (array.getRank() == 0 || array.getDimSize(0) != length) {
      InFlightDiagnostic diag = op.emitOpError() << "needs " << what;
      if (op.isDynamic())
        return diag << " that are tapes, as its length is known at run time "
                    << "only, got " << array;
      return diag << " with a leading dimension of " << length << ", got "
                  << array;
    }
    slices.push_back(RankedTensorType::get(array.getShape().drop_front(),
                                           array.getElementType()));
  }
  return slices;
}

LogicalResult ScanOp::verify() {
  // scan_c1: the length comes from one place.
  if (getLength() && getTrips())
    return emitOpError() << "has both a length and trips: give one of them";
  if (!getLength() && !getTrips() && getXs().empty())
    return emitOpError() << "needs a length, or trips, or tapes to run over";
  // scan_c2: it is a number of steps.
  if (getLength() && int64_t(*getLength()) < 0)
    return emitOpError() << "cannot have a length of " << int64_t(*getLength());
  // scan_c3: so is the number of steps at a time.
  if (int64_t(getUnroll()) < 1)
    return emitOpError() << "cannot unroll " << int64_t(getUnroll())
                         << " steps";
  // scan_c4: xs are arrays of that many slices.
  if (failed(slicesOf(*this, "xs", getXs().getTypes())))
    return failure();
  // scan_c5: the first results are carries.
  unsigned numCarries = getInits().size();
  if (getNumResults() < numCarries)
    return emitOpError() << "needs a result for each of " << numCarries
                         << " carries, got " << getNumResults();
  if (failed(verifyTypes(*this, "carries", getCarries().getTypes(),
                         getInits().getTypes())))
    return failure();
  // scan_c6: the others are arrays of that many slices.
  return failure(failed(slicesOf(*this, "ys", getYs().getTypes())));
}

LogicalResult ScanOp::verifyRegions() {
  TypeRange carries = getInits().getTypes();
  SmallVector<Type> xs = *slicesOf(*this, "xs", getXs().getTypes());
  SmallVector<Type> ys = *slicesOf(*this, "ys", getYs().getTypes());
  // scan_c7: the body takes carries, slices of xs, and constants.
  if (failed(verifyArguments(*this, "a body", getBody(),
                             joined({carries, xs, getConsts().getTypes()}))))
    return failure();
  // scan_c8: the body yields carries and slices of ys.
  return verifyYields(*this, "a body", getBody(), joined({carries, ys}));
}

//===----------------------------------------------------------------------===//
// Bodies, pruned
//===----------------------------------------------------------------------===//

static YieldOp yieldOf(Region &body) {
  return cast<YieldOp>(body.front().getTerminator());
}

namespace {

/// The part of a body that some of its yields depend on.
class Slice {
public:
  explicit Slice(Region &body)
      : block(body.front()), arguments(block.getNumArguments()) {}

  /// Adds what `value` depends on; returns the arguments that are new.
  SmallVector<unsigned> add(Value value);
  bool needs(unsigned argument) const { return arguments[argument]; }
  /// Erases the ops that are not in it. All ops are pure, calls too.
  void eraseOthers(PatternRewriter &rewriter);

private:
  Block &block;
  llvm::SmallBitVector arguments;
  llvm::DenseSet<Operation *> ops;
};

/// What becomes of a body's arguments, which are numbered as they were.
struct Arguments {
  SmallVector<unsigned> carries, xs, consts;
  /// One that has the value of another one.
  SmallVector<std::pair<unsigned, unsigned>> merged;
  /// One whose value is a constant.
  SmallVector<std::pair<unsigned, Operation *>> constants;

  unsigned size() const { return carries.size() + xs.size() + consts.size(); }
  /// Sorts in arguments with these operands, as slices or whole.
  void add(ArrayRef<unsigned> numbers, ValueRange operands, bool slices);
  void applyTo(Region &body, PatternRewriter &rewriter) const;
};

} // namespace

SmallVector<unsigned> Slice::add(Value value) {
  SmallVector<unsigned> found;
  SmallVector<Value> pending{value};
  while (!pending.empty()) {
    Value next = pending.pop_back_val();
    if (auto argument = dyn_cast<BlockArgument>(next)) {
      unsigned number = argument.getArgNumber();
      if (!arguments[number])
        found.push_back(number);
      arguments.set(number);
    } else if (ops.insert(next.getDefiningOp()).second) {
      llvm::append_range(pending, next.getDefiningOp()->getOperands());
    }
  }
  return found;
}

void Slice::eraseOthers(PatternRewriter &rewriter) {
  SmallVector<Operation *> others;
  for (Operation &op : block.without_terminator())
    if (!ops.contains(&op))
      others.push_back(&op);
  for (Operation *op : llvm::reverse(others))
    rewriter.eraseOp(op);
}

void Arguments::add(ArrayRef<unsigned> numbers, ValueRange operands,
                    bool slices) {
  DenseMap<Value, unsigned> known;
  for (auto [number, operand] : llvm::zip_equal(numbers, operands)) {
    auto [other, isNew] = known.try_emplace(operand, number);
    Operation *source = operand.getDefiningOp();
    if (!isNew)
      merged.push_back({number, other->second});
    else if (!slices && source && source->hasTrait<OpTrait::ConstantLike>())
      constants.push_back({number, source});
    else
      (slices ? xs : consts).push_back(number);
  }
}

void Arguments::applyTo(Region &body, PatternRewriter &rewriter) const {
  OpBuilder::InsertionGuard guard(rewriter);
  Block &block = body.front();
  unsigned numOld = block.getNumArguments();
  SmallVector<Value> replacements(numOld);
  for (const auto &kept : {carries, xs, consts})
    for (unsigned number : kept) {
      BlockArgument old = block.getArgument(number);
      replacements[number] = block.addArgument(old.getType(), old.getLoc());
    }
  rewriter.setInsertionPointToStart(&block);
  for (auto [number, source] : constants)
    replacements[number] = rewriter.clone(*source)->getResult(0);
  for (auto [number, other] : merged)
    replacements[number] = replacements[other];
  for (auto [number, replacement] : llvm::enumerate(replacements))
    if (replacement)
      rewriter.replaceAllUsesWith(block.getArgument(number), replacement);
  block.eraseArguments(0, numOld);
}

/// Leaves only some of the values that a body yields.
static void keepYields(Region &body, ArrayRef<unsigned> numbers,
                       PatternRewriter &rewriter) {
  YieldOp yield = yieldOf(body);
  SmallVector<Value> kept;
  for (unsigned number : numbers)
    kept.push_back(yield.getOperand(number));
  rewriter.modifyOpInPlace(yield, [&] { yield->setOperands(kept); });
}

static SmallVector<Value> pick(ValueRange values, ArrayRef<unsigned> numbers) {
  return llvm::map_to_vector(numbers, [&](unsigned i) { return values[i]; });
}
static SmallVector<Type> pick(TypeRange types, ArrayRef<unsigned> numbers) {
  return llvm::map_to_vector(numbers, [&](unsigned i) { return types[i]; });
}

/// The results that are used.
static SmallVector<unsigned> used(Operation *op) {
  SmallVector<unsigned> numbers;
  for (OpResult result : op->getResults())
    if (!result.use_empty())
      numbers.push_back(result.getResultNumber());
  return numbers;
}

//===----------------------------------------------------------------------===//
// switch
//===----------------------------------------------------------------------===//

/// The body that runs, if that is known.
static Region *chosenBody(SwitchOp op) {
  int64_t last = op.getBodies().size() - 1;
  DenseElementsAttr index;
  if (last == 0)
    return &op.getBodies().front();
  if (!matchPattern(op.getIndex(), m_Constant(&index)))
    return nullptr;
  // A bool is zero-extended.
  APInt value = *index.value_begin<APInt>();
  int64_t number =
      value.getBitWidth() == 1 ? value.getZExtValue() : value.getSExtValue();
  return &op.getBodies()[std::clamp<int64_t>(number, 0, last)];
}

/// The input that all bodies yield as this result, else null.
static Value forwardedInput(SwitchOp op, unsigned result) {
  Value input;
  for (Region &body : op.getBodies()) {
    auto argument = dyn_cast<BlockArgument>(yieldOf(body).getOperand(result));
    Value own = argument ? op.getInputs()[argument.getArgNumber()] : Value();
    if (!own || (input && input != own))
      return {};
    input = own;
  }
  return input;
}

namespace {

/// Pattern: switch of a known index -> the body.
struct InlineChosenBody final : OpRewritePattern<SwitchOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(SwitchOp op,
                                PatternRewriter &rewriter) const final {
    Region *body = chosenBody(op);
    if (!body)
      return rewriter.notifyMatchFailure(op, "the index is not known");
    YieldOp yield = yieldOf(*body);
    rewriter.inlineBlockBefore(&body->front(), op, op.getInputs());
    rewriter.replaceOp(op, yield.getOperands());
    rewriter.eraseOp(yield);
    return success();
  }
};

} // namespace

/// switch -> switch without results that nothing uses or that are
/// inputs, and without inputs that no body needs, repeat others or are
/// constants.
static Operation *pruneSwitch(SwitchOp op, PatternRewriter &rewriter) {
  SmallVector<unsigned> results;
  for (unsigned result : used(op)) {
    if (Value input = forwardedInput(op, result))
      rewriter.replaceAllUsesWith(op.getResult(result), input);
    else
      results.push_back(result);
  }
  llvm::SmallBitVector needed(op.getInputs().size());
  SmallVector<Slice> slices;
  for (Region &body : op.getBodies()) {
    Slice &slice = slices.emplace_back(body);
    for (unsigned result : results)
      for (unsigned input : slice.add(yieldOf(body).getOperand(result)))
        needed.set(input);
  }
  SmallVector<unsigned> inputs(needed.set_bits());
  Arguments arguments;
  arguments.add(inputs, pick(op.getInputs(), inputs), /*slices=*/false);
  if (results.size() == op.getNumResults() && arguments.size() == needed.size())
    return op;

  auto pruned = SwitchOp::create(
      rewriter, op.getLoc(), pick(op.getResultTypes(), results), op.getIndex(),
      pick(op.getInputs(), arguments.consts), op.getBodies().size());
  for (auto [slice, from, to] :
       llvm::zip_equal(slices, op.getBodies(), pruned.getBodies())) {
    keepYields(from, results, rewriter);
    slice.eraseOthers(rewriter);
    arguments.applyTo(from, rewriter);
    rewriter.inlineRegionBefore(from, to, to.end());
  }
  for (auto [i, result] : llvm::enumerate(results))
    rewriter.replaceAllUsesWith(op.getResult(result), pruned.getResult(i));
  rewriter.eraseOp(op);
  return pruned;
}

void SwitchOp::getCanonicalizationPatterns(RewritePatternSet &patterns,
                                           MLIRContext *context) {
  patterns.add<InlineChosenBody>(context);
}

//===----------------------------------------------------------------------===//
// Loops
//===----------------------------------------------------------------------===//

namespace {

/// Finds what of a loop can be dropped: carries that never change are
/// constants; carries, results, slices and constants that nothing needs go.
class LoopPruner {
public:
  /// `operands` are those of the body; of the ones in `slices` it takes slices.
  LoopPruner(Operation *loop, Region &body, Region *cond, ValueRange operands,
             unsigned numCarries, const llvm::SmallBitVector &slices)
      : loop(loop), body(body), cond(cond), operands(operands),
        numCarries(numCarries), slices(slices), slice(body),
        yields(loop->getNumResults()) {}

  /// Whether there is anything to drop.
  bool run(PatternRewriter &rewriter);
  /// Keeps slices `number` of an array, needed or not.
  void keepX(unsigned number) { arguments.xs.push_back(number); }
  /// Changes the regions, which then fit a loop of `results`.
  void apply(PatternRewriter &rewriter);

  Arguments arguments;
  /// The results that are left.
  SmallVector<unsigned> results;

private:
  bool isInvariant(unsigned carry) {
    return yieldOf(body).getOperand(carry) == body.front().getArgument(carry);
  }
  void need(unsigned yield);
  Value knownResult(unsigned result, PatternRewriter &rewriter);

  Operation *loop;
  Region &body, *cond;
  ValueRange operands;
  unsigned numCarries;
  const llvm::SmallBitVector &slices;
  Slice slice;
  llvm::SmallBitVector yields;
};

} // namespace

/// Adds what a yield depends on, through the carries too.
void LoopPruner::need(unsigned yield) {
  SmallVector<unsigned> pending{yield};
  while (!pending.empty()) {
    unsigned next = pending.pop_back_val();
    if (yields[next])
      continue;
    yields.set(next);
    for (unsigned argument : slice.add(yieldOf(body).getOperand(next)))
      if (argument < numCarries)
        pending.push_back(argument);
  }
}

/// A result that is known without the loop: a carry that never changes, the
/// slices of an array, a constant repeated.
Value LoopPruner::knownResult(unsigned result, PatternRewriter &rewriter) {
  if (result < numCarries)
    return isInvariant(result) ? operands[result] : Value();
  auto yielded = dyn_cast<BlockArgument>(yieldOf(body).getOperand(result));
  if (!yielded)
    return {};
  unsigned argument = yielded.getArgNumber();
  if (slices[argument])
    return operands[argument];
  Type type = loop->getResult(result).getType();
  if ((argument < numCarries && !isInvariant(argument)) || isTape(type))
    return {};
  return stack(rewriter, loop->getLoc(), operands[argument],
               cast<RankedTensorType>(type).getDimSize(0));
}

bool LoopPruner::run(PatternRewriter &rewriter) {
  for (unsigned result : used(loop)) {
    if (Value known = knownResult(result, rewriter))
      rewriter.replaceAllUsesWith(loop->getResult(result), known);
    else
      need(result);
  }
  auto isNeeded = [&](unsigned argument) {
    return slice.needs(argument) ||
           (cond && !cond->getArgument(argument).use_empty());
  };
  // The condition needs carries whatever the results are.
  if (cond)
    for (unsigned carry = 0; carry < numCarries; ++carry)
      if (isNeeded(carry) && !isInvariant(carry))
        need(carry);

  SmallVector<unsigned> xs, consts;
  for (unsigned i = 0; i < operands.size(); ++i) {
    if (i < numCarries && !isInvariant(i)) {
      if (yields[i])
        arguments.carries.push_back(i);
    } else if (isNeeded(i)) {
      (slices[i] ? xs : consts).push_back(i);
    }
  }
  arguments.add(xs, pick(operands, xs), /*slices=*/true);
  arguments.add(consts, pick(operands, consts), /*slices=*/false);
  results = arguments.carries;
  for (unsigned y = numCarries; y < loop->getNumResults(); ++y)
    if (yields[y])
      results.push_back(y);
  return results.size() < loop->getNumResults() ||
         arguments.size() < operands.size();
}

void LoopPruner::apply(PatternRewriter &rewriter) {
  keepYields(body, results, rewriter);
  slice.eraseOthers(rewriter);
  arguments.applyTo(body, rewriter);
  if (cond)
    arguments.applyTo(*cond, rewriter);
}

/// Puts `pruned` in the place of `loop`.
static void replaceLoop(Operation *loop, Operation *pruned,
                        ArrayRef<unsigned> results, PatternRewriter &rewriter) {
  for (auto [from, to] :
       llvm::zip_equal(loop->getRegions(), pruned->getRegions()))
    rewriter.inlineRegionBefore(from, to, to.end());
  for (auto [i, result] : llvm::enumerate(results))
    rewriter.replaceAllUsesWith(loop->getResult(result), pruned->getResult(i));
  rewriter.eraseOp(loop);
}

/// The slice that all slices of an array are, if that is seen, else null.
static Value equalSlices(Value x, PatternRewriter &rewriter) {
  auto type = cast<RankedTensorType>(x.getType());
  auto slice = RankedTensorType::get(type.getShape().drop_front(),
                                     type.getElementType());
  DenseElementsAttr value;
  if (matchPattern(x, m_Constant(&value)) && value.isSplat())
    return ConstantOp::create(rewriter, x.getLoc(), value.resizeSplat(slice));
  auto broadcast = x.getDefiningOp<BroadcastOp>();
  if (broadcast && broadcast.getX().getType() == slice &&
      llvm::equal(broadcast.getDimensions(),
                  llvm::seq<int64_t>(1, type.getRank())))
    return broadcast.getX();
  return {};
}

/// while -> while without what is not needed.
static Operation *pruneWhile(WhileOp op, PatternRewriter &rewriter) {
  llvm::SmallBitVector slices(op->getNumOperands());
  LoopPruner pruner(op, op.getBody(), &op.getCond(), op.getOperands(),
                    op.getInits().size(), slices);
  if (!pruner.run(rewriter))
    return op;
  pruner.apply(rewriter);
  auto pruned = WhileOp::create(
      rewriter, op.getLoc(), pick(op.getResultTypes(), pruner.results),
      pick(op.getOperands(), pruner.arguments.carries),
      pick(op.getOperands(), pruner.arguments.consts));
  replaceLoop(op, pruned, pruner.results, rewriter);
  return pruned;
}

/// scan -> scan without what is not needed; an array of equal slices
/// is a constant.
static Operation *pruneScan(ScanOp op, PatternRewriter &rewriter) {
  unsigned firstX = op.getInits().size();
  SmallVector<Value> operands(op->getOperands());
  if (op.getTrips())
    operands.erase(operands.begin());
  llvm::SmallBitVector slices(operands.size());
  bool hasEqualSlices = false;
  for (unsigned i = firstX; i < firstX + op.getXs().size(); ++i) {
    Value slice = equalSlices(operands[i], rewriter);
    slices[i] = !slice;
    hasEqualSlices |= bool(slice);
    if (slice)
      operands[i] = slice;
  }
  LoopPruner pruner(op, op.getBody(), nullptr, operands, firstX, slices);
  bool isTooMuch = pruner.run(rewriter) || hasEqualSlices;
  const Arguments &arguments = pruner.arguments;
  // The length of a loop over tapes must be had from one of them.
  if (op.isDynamic() && !op.getTrips() && arguments.xs.empty())
    pruner.keepX(firstX);
  if (!isTooMuch || (!hasEqualSlices && arguments.size() == operands.size() &&
                     pruner.results.size() == op.getNumResults()))
    return op;
  pruner.apply(rewriter);
  auto pruned = ScanOp::create(
      rewriter, op.getLoc(), pick(op.getResultTypes(), pruner.results),
      op.getLengthAttr(), op.getReverseAttr(), op.getUnrollAttr(),
      op.getTrips(), pick(operands, arguments.carries),
      pick(operands, arguments.xs), pick(operands, arguments.consts));
  replaceLoop(op, pruned, pruner.results, rewriter);
  return pruned;
}

Operation *weft::pruneBodies(Operation *op) {
  PatternRewriter rewriter(op->getContext());
  rewriter.setInsertionPoint(op);
  return llvm::TypeSwitch<Operation *, Operation *>(op)
      .Case([&](SwitchOp op) { return pruneSwitch(op, rewriter); })
      .Case([&](WhileOp op) { return pruneWhile(op, rewriter); })
      .Case([&](ScanOp op) { return pruneScan(op, rewriter); })
      .Default(op);
}

namespace {

/// Pattern: while of a condition that never holds -> what it starts with.
struct DropIdleWhile final : OpRewritePattern<WhileOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(WhileOp op,
                                PatternRewriter &rewriter) const final {
    DenseElementsAttr holds;
    if (!matchPattern(yieldOf(op.getCond()).getOperand(0),
                      m_Constant(&holds)) ||
        *holds.value_begin<bool>())
      return rewriter.notifyMatchFailure(op, "the condition may hold");
    rewriter.replaceOp(op, op.getInits());
    return success();
  }
};

/// Pattern: scan of no steps -> what it starts with, and empty arrays.
struct DropEmptyScan final : OpRewritePattern<ScanOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(ScanOp op,
                                PatternRewriter &rewriter) const final {
    if (op.getLength() != 0)
      return rewriter.notifyMatchFailure(op, "there are steps");
    SmallVector<Value> results(op.getInits());
    for (Type type : op.getYs().getTypes())
      results.push_back(ConstantOp::create(
          rewriter, op.getLoc(), splatOf(cast<RankedTensorType>(type), 0.0)));
    rewriter.replaceOp(op, results);
    return success();
  }
};

/// Pattern: scan trips(constant) -> scan length, where there are no tapes.
struct FixLength final : OpRewritePattern<ScanOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(ScanOp op,
                                PatternRewriter &rewriter) const final {
    DenseElementsAttr trips;
    if (!op.getTrips() || !op.getXs().empty() || !op.getYs().empty() ||
        !matchPattern(op.getTrips(), m_Constant(&trips)))
      return rewriter.notifyMatchFailure(op, "the length is not known");
    int64_t length = (*trips.value_begin<APInt>()).getSExtValue();
    rewriter.modifyOpInPlace(op, [&] {
      op.setLength(std::max<int64_t>(length, 0));
      op.getTripsMutable().clear();
    });
    return success();
  }
};

} // namespace

void WhileOp::getCanonicalizationPatterns(RewritePatternSet &patterns,
                                          MLIRContext *context) {
  patterns.add<DropIdleWhile>(context);
}

void ScanOp::getCanonicalizationPatterns(RewritePatternSet &patterns,
                                         MLIRContext *context) {
  patterns.add<DropEmptyScan, FixLength>(context);
}
