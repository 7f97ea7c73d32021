// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft-expand-transforms: replaces every op that transforms a function by calls
// of the transformed function, innermost first, and cleans up.

#include "dialects/Calculus.h"
#include "dialects/transforms/Derivatives.h"
#include "dialects/transforms/FunctionTransformer.h"
#include "dialects/transforms/Passes.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"
#include "llvm/ADT/TypeSwitch.h"
#include <numeric>

using namespace mlir;

namespace weft {
#define GEN_PASS_DEF_EXPANDTRANSFORMS
#include "dialects/transforms/Passes.h.inc"
} // namespace weft

using namespace weft;

namespace {

class Expander {
public:
  explicit Expander(ModuleOp module)
      : module(module), symbols(module),
        expandNamed([this](Operation *user, func::FuncOp function) {
          return expandUsed(user, function);
        }),
        transformer(symbols, expandNamed) {}

  LogicalResult run() {
    // New functions are made on the way; those need no expansion.
    for (auto function : llvm::to_vector(module.getOps<func::FuncOp>()))
      if (failed(expand(function)))
        return failure();
    return success();
  }

private:
  LogicalResult expand(func::FuncOp function);
  LogicalResult expandUsed(Operation *user, func::FuncOp function);
  LogicalResult expandNamedBy(Operation *user, Attribute attribute);
  LogicalResult expandBody(func::FuncOp function);
  LogicalResult expandOp(Operation *op);
  LogicalResult expandLinearize(LinearizeOp op);
  LogicalResult expandPullback(PullbackOp op);
  LogicalResult expandPushforward(PushforwardOp op);
  LogicalResult expandJvp(JvpOp op);
  LogicalResult expandVmap(VmapOp op);

  FailureOr<Reversed> reversed(Operation *user, func::FuncOp function,
                               ArrayRef<int64_t> wrt);
  LogicalResult expandArguments(func::FuncOp function);
  LogicalResult splitArguments(Block &block);
  LogicalResult passResiduals(Operation *op);
  LogicalResult returnResiduals(Operation *op);
  bool isOfLinearization(ResidualsType residuals);
  FailureOr<SmallVector<Type>> typesOf(Location loc, ResidualsType residuals);
  FailureOr<SmallVector<Value>> arraysOf(Operation *user, ValueRange values);
  SmallVector<int64_t> positionsOf(func::FuncOp function,
                                   ArrayRef<int64_t> operands);
  void replace(Operation *op, ValueRange results) {
    op->replaceAllUsesWith(results);
    op->erase();
  }

  ModuleOp module;
  SymbolTable symbols;
  std::function<LogicalResult(Operation *, func::FuncOp)> expandNamed;
  FunctionTransformer transformer;
  llvm::DenseSet<Operation *> inProgress, done;
  /// The arrays that residuals are, in functions that are being expanded.
  DenseMap<Value, SmallVector<Value>> arrays;
  /// Where the operands of functions have got to that took residuals.
  DenseMap<Operation *, SmallVector<int64_t>> moved;
};

//===----------------------------------------------------------------------===//
// Innermost first
//===----------------------------------------------------------------------===//

/// func.func @f { weft.linearize @g } -> func.func @f { call @g.fwd }, @g's own
/// transformations first.
LogicalResult Expander::expand(func::FuncOp function) {
  if (done.contains(function))
    return success();
  inProgress.insert(function);
  if (failed(expandNamedBy(function, function.getFunctionTypeAttr())))
    return failure();
  WalkResult result = function.walk([&](SymbolUserOpInterface op) {
    return WalkResult(expandNamedBy(op, op->getAttrDictionary()));
  });
  if (result.wasInterrupted() || failed(expandBody(function)))
    return failure();
  inProgress.erase(function);
  done.insert(function);
  return success();
}

/// Expands the functions that an attribute names.
LogicalResult Expander::expandNamedBy(Operation *user, Attribute attribute) {
  WalkResult result = attribute.walk([&](FlatSymbolRefAttr name) {
    auto function = symbols.lookup<func::FuncOp>(name.getAttr());
    if (!function) {
      user->emitError() << "names " << name
                        << ", but there is no such function";
      return WalkResult::interrupt();
    }
    return WalkResult(expandUsed(user, function));
  });
  return failure(result.wasInterrupted());
}

LogicalResult Expander::expandUsed(Operation *user, func::FuncOp function) {
  if (inProgress.contains(function))
    return user->emitError()
           << FlatSymbolRefAttr::get(function)
           << " calls itself: a program has no recursion; write a loop";
  return expand(function);
}

LogicalResult Expander::expandBody(func::FuncOp function) {
  auto isResiduals = [](Type type) { return isa<ResidualsType>(type); };
  SmallVector<Operation *> ops;
  SmallVector<LinearizeOp> sources;
  function.getBody().walk<WalkOrder::PreOrder>([&](Operation *op) {
    if (isa<LinearizeOp, PullbackOp, PushforwardOp, JvpOp, VmapOp>(op) ||
        llvm::any_of(op->getOperandTypes(), isResiduals) ||
        llvm::any_of(op->getResultTypes(), isResiduals))
      ops.push_back(op);
    if (auto linearize = dyn_cast<LinearizeOp>(op))
      sources.push_back(linearize);
  });
  if (failed(expandArguments(function)))
    return failure();
  for (Operation *op : ops)
    if (failed(expandOp(op)))
      return failure();
  // Only now has nothing any use for the residuals themselves.
  for (LinearizeOp op : llvm::reverse(sources)) {
    arrays.erase(op.getResiduals());
    op.erase();
  }
  function.getBody().walk([&](Block *block) {
    for (BlockArgument argument : block->getArguments())
      arrays.erase(argument);
    block->eraseArguments([&](BlockArgument argument) {
      return isResiduals(argument.getType());
    });
  });
  if (!function.isExternal())
    function.setFunctionType(FunctionType::get(
        function.getContext(), function.getBody().getArgumentTypes(),
        function.getResultTypes()));
  return success();
}

LogicalResult Expander::expandOp(Operation *op) {
  return llvm::TypeSwitch<Operation *, LogicalResult>(op)
      .Case([&](LinearizeOp op) { return expandLinearize(op); })
      .Case([&](PullbackOp op) { return expandPullback(op); })
      .Case([&](PushforwardOp op) { return expandPushforward(op); })
      .Case([&](JvpOp op) { return expandJvp(op); })
      .Case([&](VmapOp op) { return expandVmap(op); })
      .Default([&](Operation *op) { return passResiduals(op); });
}

//===----------------------------------------------------------------------===//
// Residuals
//===----------------------------------------------------------------------===//

/// Operands by their positions before residuals became arrays.
SmallVector<int64_t> Expander::positionsOf(func::FuncOp function,
                                           ArrayRef<int64_t> operands) {
  auto found = moved.find(function);
  if (found == moved.end())
    return SmallVector<int64_t>(operands);
  return llvm::map_to_vector(
      operands, [&](int64_t operand) { return found->second[operand]; });
}

FailureOr<Reversed> Expander::reversed(Operation *user, func::FuncOp function,
                                       ArrayRef<int64_t> wrt) {
  Selection selection{positionsOf(function, wrt), {}};
  for (auto [i, type] : llvm::enumerate(function.getResultTypes()))
    if (isInexactArray(type))
      selection.results.push_back(i);
  return transformer.reverse(user, function, selection);
}

/// The function that residuals come from, taken apart.
static func::FuncOp functionOf(ResidualsType residuals, SymbolTable &symbols) {
  return symbols.lookup<func::FuncOp>(residuals.getCallee().getAttr());
}

/// Whether some linearization could give residuals of this type.
bool Expander::isOfLinearization(ResidualsType residuals) {
  func::FuncOp function = functionOf(residuals, symbols);
  if (!function)
    return false;
  auto found = moved.find(function);
  int64_t numInputs =
      found == moved.end() ? function.getNumArguments() : found->second.size();
  int64_t previous = -1;
  for (int64_t operand : residuals.getWrt().asArrayRef()) {
    if (operand <= previous || operand >= numInputs)
      return false;
    previous = operand;
  }
  return llvm::all_of(positionsOf(function, residuals.getWrt().asArrayRef()),
                      [&](int64_t position) {
                        return isInexactArray(
                            function.getArgumentTypes()[position]);
                      });
}

FailureOr<SmallVector<Type>> Expander::typesOf(Location loc,
                                               ResidualsType residuals) {
  if (!isOfLinearization(residuals))
    return emitError(loc) << "residuals of the type " << residuals
                          << " come from no linearization";
  func::FuncOp function = functionOf(residuals, symbols);
  FailureOr<Reversed> parts =
      reversed(function, function, residuals.getWrt().asArrayRef());
  if (failed(parts))
    return failure();
  return SmallVector<Type>(
      parts->forward.getResultTypes().drop_front(function.getNumResults()));
}

/// Adds the arrays that residuals are behind each argument which is such.
LogicalResult Expander::splitArguments(Block &block) {
  for (BlockArgument argument : llvm::to_vector(block.getArguments())) {
    auto residuals = dyn_cast<ResidualsType>(argument.getType());
    if (!residuals)
      continue;
    FailureOr<SmallVector<Type>> types = typesOf(argument.getLoc(), residuals);
    if (failed(types))
      return failure();
    SmallVector<Value> &values = arrays[argument];
    unsigned position = argument.getArgNumber();
    for (Type type : *types)
      values.push_back(
          block.insertArgument(++position, type, argument.getLoc()));
  }
  return success();
}

/// func.func @f(%r: residuals) -> func.func @f(%saved...)
LogicalResult Expander::expandArguments(func::FuncOp function) {
  if (!llvm::any_of(function.getArgumentTypes(),
                    [](Type type) { return isa<ResidualsType>(type); }))
    return success();
  if (function.isExternal())
    return function.emitOpError()
           << "has no body to take residuals: give it a definition";
  Block &entry = function.getBody().front();
  SmallVector<BlockArgument> arguments(entry.getArguments());
  if (failed(splitArguments(entry)))
    return failure();
  function.removeArgAttrsAttr();
  SmallVector<int64_t> &positions = moved[function];
  int64_t next = 0;
  for (BlockArgument argument : arguments) {
    positions.push_back(next);
    next +=
        isa<ResidualsType>(argument.getType()) ? arrays[argument].size() : 1;
  }
  return success();
}

/// `values` with the arrays that residuals are in the place of those.
FailureOr<SmallVector<Value>> Expander::arraysOf(Operation *user,
                                                 ValueRange values) {
  SmallVector<Value> flat;
  for (Value value : values) {
    if (!isa<ResidualsType>(value.getType())) {
      flat.push_back(value);
      continue;
    }
    auto found = arrays.find(value);
    if (found == arrays.end())
      return user->emitOpError()
             << "takes residuals that no weft.linearize gives";
    llvm::append_range(flat, found->second);
  }
  return flat;
}

/// The segments of the operands of `op`, each of which becomes `counts` ones.
static void growSegments(Operation *op, ArrayRef<int32_t> counts) {
  StringRef name = "operandSegmentSizes";
  auto sizes = op->getAttrOfType<DenseI32ArrayAttr>(name);
  if (!sizes)
    return;
  SmallVector<int32_t> grown;
  for (int32_t size : sizes.asArrayRef()) {
    ArrayRef<int32_t> segment = counts.take_front(size);
    grown.push_back(std::accumulate(segment.begin(), segment.end(), 0));
    counts = counts.drop_front(size);
  }
  op->setAttr(name, DenseI32ArrayAttr::get(op->getContext(), grown));
}

/// A function that is not called may return residuals: as those arrays.
LogicalResult Expander::returnResiduals(Operation *op) {
  auto function = dyn_cast<func::FuncOp>(op->getParentOp());
  if (!function || function.isPrivate()) {
    Value residuals = *llvm::find_if(op->getOperands(), [](Value value) {
      return isa<ResidualsType>(value.getType());
    });
    return emitError(residuals.getLoc())
           << "a pullback cannot be returned from a traced function: return "
              "what it gives instead";
  }
  FailureOr<SmallVector<Value>> flat = arraysOf(op, op->getOperands());
  if (failed(flat))
    return failure();
  op->setOperands(*flat);
  function.removeResAttrsAttr();
  function.setFunctionType(FunctionType::get(
      op->getContext(), function.getArgumentTypes(), op->getOperandTypes()));
  return success();
}

/// Hands arrays in the place of residuals to a call and to an op with bodies,
/// whose bodies then take them.
LogicalResult Expander::passResiduals(Operation *op) {
  if (op->hasTrait<OpTrait::ReturnLike>())
    return returnResiduals(op);
  if (llvm::any_of(op->getResultTypes(), llvm::IsaPred<ResidualsType>))
    return op->emitOpError() << "returns residuals: only weft.linearize can";
  if (!isa<func::CallOp, ControlFlow>(op))
    return op->emitOpError()
           << "takes residuals: only weft.pullback, weft.pushforward, calls "
              "and ops with bodies can";
  SmallVector<Value> operands;
  SmallVector<int32_t> counts;
  for (Value operand : op->getOperands()) {
    FailureOr<SmallVector<Value>> flat = arraysOf(op, operand);
    if (failed(flat))
      return failure();
    counts.push_back(flat->size());
    llvm::append_range(operands, *flat);
  }
  for (Region &region : op->getRegions())
    for (Block &block : region)
      if (failed(splitArguments(block)))
        return failure();
  op->setOperands(operands);
  growSegments(op, counts);
  return success();
}

//===----------------------------------------------------------------------===//
// Derivatives
//===----------------------------------------------------------------------===//

/// %y, %r = linearize @f(%x) -> %y, %saved... = call @f.fwd(%x)
LogicalResult Expander::expandLinearize(LinearizeOp op) {
  auto function = symbols.lookup<func::FuncOp>(op.getCallee());
  FailureOr<SmallVector<Value>> inputs = arraysOf(op, op.getInputs());
  if (failed(inputs))
    return failure();
  FailureOr<Reversed> parts = reversed(op, function, op.getWrt());
  if (failed(parts))
    return failure();
  OpBuilder b(op);
  auto forward = func::CallOp::create(b, op.getLoc(), parts->forward, *inputs);
  unsigned numPrimals = op.getPrimals().size();
  arrays[op.getResiduals()] =
      SmallVector<Value>(forward.getResults().drop_front(numPrimals));
  for (auto [old, primal] : llvm::zip_equal(
           op.getPrimals(), forward.getResults().take_front(numPrimals)))
    old.replaceAllUsesWith(primal);
  return success();
}

/// pullback %r(%ct) -> call @f.bwd(%saved..., %ct)
LogicalResult Expander::expandPullback(PullbackOp op) {
  FailureOr<SmallVector<Value>> operands = arraysOf(op, op->getOperands());
  if (failed(operands))
    return failure();
  ResidualsType residuals = op.getResiduals().getType();
  FailureOr<Reversed> parts = reversed(op, functionOf(residuals, symbols),
                                       residuals.getWrt().asArrayRef());
  if (failed(parts))
    return failure();
  OpBuilder b(op);
  replace(op, func::CallOp::create(b, op.getLoc(), parts->backward, *operands)
                  .getResults());
  return success();
}

/// pushforward %r(%t) -> call @f.bwd.bwd(%saved..., %t): the pullback, which is
/// linear in the cotangents, pulled back.
LogicalResult Expander::expandPushforward(PushforwardOp op) {
  FailureOr<SmallVector<Value>> saved = arraysOf(op, op.getResiduals());
  if (failed(saved))
    return failure();
  ResidualsType residuals = op.getResiduals().getType();
  FailureOr<Reversed> parts = reversed(op, functionOf(residuals, symbols),
                                       residuals.getWrt().asArrayRef());
  if (failed(parts))
    return failure();
  func::FuncOp backward = parts->backward;
  OpBuilder b(op);
  Selection ofCotangents;
  for (unsigned i = saved->size(); i < backward.getNumArguments(); ++i) {
    ofCotangents.operands.push_back(i);
    saved->push_back(zeroOf(b, op.getLoc(), backward.getArgumentTypes()[i]));
  }
  for (unsigned i = 0; i < backward.getNumResults(); ++i)
    ofCotangents.results.push_back(i);
  FailureOr<Reversed> twice = transformer.reverse(op, backward, ofCotangents);
  if (failed(twice))
    return failure();
  auto forward = func::CallOp::create(b, op.getLoc(), twice->forward, *saved);
  SmallVector<Value> operands(
      forward.getResults().drop_front(backward.getNumResults()));
  llvm::append_range(operands, op.getTangents());
  replace(op, func::CallOp::create(b, op.getLoc(), twice->backward, operands)
                  .getResults());
  return success();
}

/// jvp @f(%x) along(%t) -> call @f.jvp(%x, %t), zeros for what does not move
LogicalResult Expander::expandJvp(JvpOp op) {
  auto function = symbols.lookup<func::FuncOp>(op.getCallee());
  FailureOr<SmallVector<Value>> operands = arraysOf(op, op->getOperands());
  if (failed(operands))
    return failure();
  FailureOr<Forwarded> made =
      transformer.forward(op, function, positionsOf(function, op.getWrt()));
  if (failed(made))
    return failure();
  OpBuilder b(op);
  auto call = func::CallOp::create(b, op.getLoc(), made->function, *operands);
  unsigned numResults = function.getNumResults(), next = numResults;
  SmallVector<Value> results(call.getResults().take_front(numResults));
  for (auto [i, type] : llvm::enumerate(function.getResultTypes()))
    if (isInexactArray(type))
      results.push_back(llvm::is_contained(made->results, int64_t(i))
                            ? call.getResult(next++)
                            : zeroOf(b, op.getLoc(), type));
  replace(op, results);
  return success();
}

//===----------------------------------------------------------------------===//
// Batching
//===----------------------------------------------------------------------===//

/// Moves one axis of an array.
static Value moveAxis(OpBuilder &b, Location loc, Value x, int64_t from,
                      int64_t to) {
  if (from == to)
    return x;
  int64_t rank = cast<RankedTensorType>(x.getType()).getRank();
  auto order = llvm::to_vector(llvm::seq<int64_t>(rank));
  order.erase(order.begin() + from);
  order.insert(order.begin() + to, from);
  return calculus::transpose(calculus::TensorOperands(b, loc)(x), order).value;
}

/// vmap @f(%x) -> call @f.vmap(%x), stacks along the leading axes of arrays
LogicalResult Expander::expandVmap(VmapOp op) {
  auto function = symbols.lookup<func::FuncOp>(op.getCallee());
  OpBuilder b(op);
  Location loc = op.getLoc();
  SmallVector<Value> operands;
  llvm::SmallBitVector stacks;
  for (auto [input, axis] : llvm::zip_equal(op.getInputs(), op.getInAxes())) {
    FailureOr<SmallVector<Value>> flat = arraysOf(op, input);
    if (failed(flat))
      return failure();
    for (Value array : *flat)
      operands.push_back(axis > 0 ? moveAxis(b, loc, array, axis, 0) : array);
    stacks.resize(operands.size(), axis >= 0);
  }
  FailureOr<Batched> made =
      transformer.batch(op, function, stacks, op.getSize(),
                        llvm::SmallBitVector(function.getNumResults()));
  if (failed(made))
    return failure();
  auto call = func::CallOp::create(b, loc, made->function, operands);
  SmallVector<Value> results;
  for (auto [i, axis] : llvm::enumerate(op.getOutAxes())) {
    Value result = call.getResult(i);
    if (axis < 0 && made->results[i])
      return op.emitOpError()
             << "cannot leave result " << i << " of @" << function.getName()
             << " without an axis: it depends on a stacked operand";
    if (axis >= 0 && !made->results[i])
      result = stack(b, loc, result, op.getSize());
    results.push_back(axis > 0 ? moveAxis(b, loc, result, 0, axis) : result);
  }
  replace(op, results);
  return success();
}

struct ExpandTransforms final
    : weft::impl::ExpandTransformsBase<ExpandTransforms> {
  void getDependentDialects(DialectRegistry &registry) const final {
    ExpandTransformsBase::getDependentDialects(registry);
    cleanUp(ModuleOp::getOperationName()).getDependentDialects(registry);
  }

  void runOnOperation() final {
    ModuleOp module = getOperation();
    if (failed(Expander(module).run()))
      return signalPassFailure();
    if (failed(verifyExpanded(module)))
      return signalPassFailure();
    removeTransformationAttributes(module);
    OpPassManager pipeline = cleanUp(ModuleOp::getOperationName());
    if (failed(runPipeline(pipeline, module)))
      signalPassFailure();
  }

private:
  static OpPassManager cleanUp(StringRef anchor) {
    OpPassManager pipeline(anchor);
    // Functions that have been transformed would be inlined in vain.
    pipeline.addPass(createSymbolDCEPass());
    pipeline.addPass(createInlineCalls());
    pipeline.addPass(createSymbolDCEPass());
    // Before, for smaller bodies; after, for what their equations set free.
    pipeline.addPass(createPruneBodies());
    pipeline.addPass(createCanonicalizerPass());
    pipeline.addPass(createPruneBodies());
    pipeline.addPass(createCSEPass());
    return pipeline;
  }

  /// A transformation is left over where it stands in no function of this
  /// module.
  static LogicalResult verifyExpanded(ModuleOp module) {
    WalkResult result = module.walk([](Operation *op) {
      if (!isa<LinearizeOp, PullbackOp, PushforwardOp, JvpOp, VmapOp>(op))
        return WalkResult::advance();
      op->emitOpError() << "must stand in a function of the outermost module";
      return WalkResult::interrupt();
    });
    return failure(result.wasInterrupted());
  }
};

} // namespace
