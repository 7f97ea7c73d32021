// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft-merge-loops: two loops over dimensions that follow each other in every
// array are one, so that short rows are no obstacle to vectors.

#include "lowering/OptimizationLevel.h"
#include "lowering/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

namespace weft {
#define GEN_PASS_DEF_MERGELOOPS
#include "lowering/Passes.h.inc"
} // namespace weft

using namespace mlir;

namespace {

/// The number of steps of a loop from 0 that carries nothing and that nobody
/// has said anything about, or nothing.
std::optional<int64_t> stepsOf(scf::ForOp loop) {
  if (loop->getNumResults() != 0 || !loop->getDiscardableAttrs().empty() ||
      getConstantIntValue(loop.getLowerBound()) != 0 ||
      getConstantIntValue(loop.getStep()) != 1)
    return std::nullopt;
  return getConstantIntValue(loop.getUpperBound());
}

/// A loop and the one that is all of its body.
class Loops {
public:
  static std::optional<Loops> match(scf::ForOp outer) {
    Block &body = *outer.getBody();
    auto inner = dyn_cast<scf::ForOp>(body.front());
    if (!inner || body.getOperations().size() != 2)
      return std::nullopt;
    auto rows = stepsOf(outer), steps = stepsOf(inner);
    if (!rows || !steps)
      return std::nullopt;
    Loops loops{outer, inner, *rows, *steps};
    if (!loops.findAccesses(outer.getInductionVar()) ||
        !loops.findAccesses(inner.getInductionVar()))
      return std::nullopt;
    return loops;
  }

  /// Puts nothing before the loop, which may be all of another loop's body. The
  /// views are within it: what is outlined has one name for an array.
  void merge(RewriterBase &rewriter) {
    Location loc = inner.getLoc();
    rewriter.setInsertionPointToStart(
        &outer->getParentOfType<func::FuncOp>().getBody().front());
    Value end = arith::ConstantIndexOp::create(rewriter, loc, rows * steps);
    rewriter.setInsertionPoint(outer);
    auto merged = scf::ForOp::create(rewriter, loc, outer.getLowerBound(), end,
                                     outer.getStep());
    for (auto [op, dim] : accesses) {
      auto isLoad = isa<memref::LoadOp>(op);
      OpOperand &array = op->getOpOperand(isLoad ? 0 : 1);
      unsigned index = array.getOperandNumber() + 1 + dim;
      if (isOutside(array.get()))
        rewriter.setInsertionPointToStart(inner.getBody());
      else
        rewriter.setInsertionPointAfterValue(array.get());
      Value collapsed = memref::CollapseShapeOp::create(
          rewriter, loc, array.get(), groupsOf(array.get(), dim));
      rewriter.modifyOpInPlace(op, [&] {
        array.set(collapsed);
        op->setOperand(index, merged.getInductionVar());
        op->eraseOperand(index + 1);
      });
    }
    rewriter.eraseOp(inner.getBody()->getTerminator());
    rewriter.inlineBlockBefore(inner.getBody(),
                               merged.getBody()->getTerminator(),
                               merged.getInductionVar());
    rewriter.eraseOp(outer);
  }

private:
  Loops(scf::ForOp outer, scf::ForOp inner, int64_t rows, int64_t steps)
      : outer(outer), inner(inner), rows(rows), steps(steps) {}

  static SmallVector<ReassociationIndices> groupsOf(Value array, unsigned dim) {
    SmallVector<ReassociationIndices> groups;
    int64_t rank = cast<MemRefType>(array.getType()).getRank();
    for (int64_t i = 0; i < rank; ++i) {
      if (i != dim + 1)
        groups.emplace_back();
      groups.back().push_back(i);
    }
    return groups;
  }

  bool isOutside(Value array) {
    return !outer->isAncestor(array.getParentBlock()->getParentOp());
  }

  /// Whether inner loops have been merged before.
  bool isMerged(Value array) {
    auto view = array.getDefiningOp<memref::CollapseShapeOp>();
    return view && (isOutside(view.getSrc()) || isMerged(view.getSrc()));
  }

  /// Finds the loads and stores that a loop's index is for, and whether there
  /// is nothing else.
  bool findAccesses(Value index) {
    return llvm::all_of(index.getUses(), [&](OpOperand &use) {
      Operation *op = use.getOwner();
      if (isa<memref::LoadOp>(op))
        return addAccess(op, cast<memref::LoadOp>(op).getMemRef(),
                         cast<memref::LoadOp>(op).getIndices());
      auto store = dyn_cast<memref::StoreOp>(op);
      return store && use.getOperandNumber() > 0 &&
             addAccess(op, store.getMemRef(), store.getIndices());
    });
  }

  /// Whether the loops walk along all of a dimension and the one before it.
  bool addAccess(Operation *op, Value array, OperandRange indices) {
    Value row = outer.getInductionVar(), step = inner.getInductionVar();
    auto type = cast<MemRefType>(array.getType());
    unsigned dim = llvm::find(indices, row) - indices.begin();
    if (dim + 1 >= indices.size() || indices[dim + 1] != step ||
        llvm::count(indices, row) != 1 || llvm::count(indices, step) != 1 ||
        type.getDimSize(dim) != rows || type.getDimSize(dim + 1) != steps ||
        !(isOutside(array) || isMerged(array)) ||
        !memref::CollapseShapeOp::isGuaranteedCollapsible(type,
                                                          groupsOf(array, dim)))
      return false;
    accesses.insert({op, dim});
    return true;
  }

  scf::ForOp outer, inner;
  int64_t rows, steps;
  /// What is loaded and stored at the loops' place, and along which dimensions.
  llvm::SetVector<std::pair<Operation *, unsigned>> accesses;
};

class MergeLoops final : public weft::impl::MergeLoopsBase<MergeLoops> {
  void runOnOperation() override {
    if (!weft::isOptimized(getOperation()))
      return;
    IRRewriter rewriter(&getContext());
    // Inner loops come first: what they become may be one with those around it.
    getOperation().walk([&](scf::ForOp outer) {
      if (std::optional<Loops> loops = Loops::match(outer))
        loops->merge(rewriter);
    });
  }
};

} // namespace
