// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft-expand-transforms: replaces every linearize by a call of the forward
// part of its function, every pullback by one of the backward part, innermost
// first, and cleans up.

#include "dialects/transforms/Passes.h"
#include "dialects/transforms/ReverseMode.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

namespace weft {
#define GEN_PASS_DEF_EXPANDTRANSFORMS
#include "dialects/transforms/Passes.h.inc"
} // namespace weft

using namespace weft;

namespace {

class Expander {
public:
  explicit Expander(ModuleOp module) : module(module), symbols(module) {}

  LogicalResult run() {
    // New functions are made on the way; those need no expansion.
    for (auto function : llvm::to_vector(module.getOps<func::FuncOp>()))
      if (failed(expand(function)))
        return failure();
    return success();
  }

private:
  LogicalResult expand(func::FuncOp function);
  LogicalResult expandCallees(func::FuncOp function);
  LogicalResult expandLinearize(LinearizeOp op);
  FailureOr<Reversed> reversed(Operation *user, func::FuncOp function,
                               const Selection &selection);

  ModuleOp module;
  SymbolTable symbols;
  llvm::DenseSet<Operation *> inProgress, done;
  DenseMap<std::pair<Operation *, Attribute>, Reversed> memo;
};

/// func.func @f { weft.linearize @g } -> func.func @f { call @g.fwd }, @g's own
/// transformations first.
LogicalResult Expander::expand(func::FuncOp function) {
  if (done.contains(function))
    return success();
  inProgress.insert(function);
  if (failed(expandCallees(function)))
    return failure();
  SmallVector<LinearizeOp> transforms;
  function.walk([&](LinearizeOp op) { transforms.push_back(op); });
  for (LinearizeOp op : transforms)
    if (failed(expandLinearize(op)))
      return failure();
  inProgress.erase(function);
  done.insert(function);
  return success();
}

LogicalResult Expander::expandCallees(func::FuncOp function) {
  WalkResult result = function.walk([&](Operation *op) {
    FlatSymbolRefAttr name;
    if (auto call = dyn_cast<func::CallOp>(op))
      name = call.getCalleeAttr();
    else if (auto linearize = dyn_cast<LinearizeOp>(op))
      name = linearize.getCalleeAttr();
    if (!name)
      return WalkResult::advance();
    auto callee = symbols.lookup<func::FuncOp>(name.getAttr());
    if (!callee) {
      op->emitError() << "names " << name << ", but there is no such function";
      return WalkResult::interrupt();
    }
    if (inProgress.contains(callee)) {
      op->emitError() << name << " calls itself: a program has no recursion; "
                      << "write a loop";
      return WalkResult::interrupt();
    }
    return failed(expand(callee)) ? WalkResult::interrupt()
                                  : WalkResult::advance();
  });
  return failure(result.wasInterrupted());
}

FailureOr<Reversed> Expander::reversed(Operation *user, func::FuncOp function,
                                       const Selection &selection) {
  Builder b(function.getContext());
  Attribute key = b.getArrayAttr({b.getDenseI64ArrayAttr(selection.operands),
                                  b.getDenseI64ArrayAttr(selection.results)});
  auto known = memo.find({function, key});
  if (known != memo.end())
    return known->second;
  FailureOr<Reversed> parts = reverse(
      function, selection, symbols,
      [&](Operation *call, func::FuncOp callee, const Selection &needed) {
        return reversed(call, callee, needed);
      });
  if (failed(parts))
    return emitError(user->getLoc())
           << "cannot differentiate @" << function.getName();
  memo[{function, key}] = *parts;
  return parts;
}

/// %y, %r = linearize @f(%x) -> %y, %saved... = call @f.fwd(%x)
/// pullback %r(%ct)          -> call @f.bwd(%saved..., %ct)
LogicalResult Expander::expandLinearize(LinearizeOp op) {
  for (Operation *user : op.getResiduals().getUsers())
    if (!isa<PullbackOp>(user))
      return op.emitOpError()
             << "residuals of " << op.getCalleeAttr() << " go to '"
             << user->getName() << "': only weft.pullback in the same function "
             << "can take them";
  auto function = symbols.lookup<func::FuncOp>(op.getCallee());
  Selection selection{SmallVector<int64_t>(op.getWrt()), {}};
  for (auto [i, type] : llvm::enumerate(function.getResultTypes()))
    if (isFloatArray(type))
      selection.results.push_back(i);
  FailureOr<Reversed> parts = reversed(op, function, selection);
  if (failed(parts))
    return failure();

  OpBuilder b(op);
  auto forward =
      func::CallOp::create(b, op.getLoc(), parts->forward, op.getInputs());
  unsigned numPrimals = op.getPrimals().size();
  ValueRange saved = forward.getResults().drop_front(numPrimals);
  for (Operation *user :
       llvm::make_early_inc_range(op.getResiduals().getUsers())) {
    auto pullback = cast<PullbackOp>(user);
    SmallVector<Value> args(saved);
    llvm::append_range(args, pullback.getCotangents());
    b.setInsertionPoint(pullback);
    auto backward =
        func::CallOp::create(b, pullback.getLoc(), parts->backward, args);
    pullback->replaceAllUsesWith(backward);
    pullback.erase();
  }
  for (auto [old, primal] :
       llvm::zip(op.getPrimals(), forward.getResults().take_front(numPrimals)))
    old.replaceAllUsesWith(primal);
  op.erase();
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
    OpPassManager pipeline = cleanUp(ModuleOp::getOperationName());
    if (failed(runPipeline(pipeline, module)))
      signalPassFailure();
  }

private:
  static OpPassManager cleanUp(StringRef anchor) {
    OpPassManager pipeline(anchor);
    pipeline.addPass(createInlinerPass());
    pipeline.addPass(createSymbolDCEPass());
    pipeline.addPass(createCanonicalizerPass());
    pipeline.addPass(createCSEPass());
    return pipeline;
  }

  /// A pullback is left over where its residuals come from elsewhere, a
  /// linearize where it stands in no function of this module.
  static LogicalResult verifyExpanded(ModuleOp module) {
    WalkResult result = module.walk([](Operation *op) {
      if (isa<PullbackOp>(op)) {
        op->emitOpError() << "takes residuals that no weft.linearize of the "
                             "same function gives";
        return WalkResult::interrupt();
      }
      if (isa<LinearizeOp>(op)) {
        op->emitOpError() << "must stand in a function of the outermost module";
        return WalkResult::interrupt();
      }
      return WalkResult::advance();
    });
    return failure(result.wasInterrupted());
  }
};

} // namespace
