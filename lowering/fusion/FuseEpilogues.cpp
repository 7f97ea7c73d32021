// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft-fuse-epilogues: an elementwise op on a sum of products, and on other
// operands, is marked to be computed in the loops of the sums, which it changes
// in place unless its results are of another type.

#include "lowering/OptimizationLevel.h"
#include "lowering/Passes.h"
#include "lowering/fusion/ContractionPlan.h"
#include "lowering/fusion/TilePlan.h"
#include "lowering/gpu/Device.h"
#include "lowering/schedule/Schedule.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace weft {
#define GEN_PASS_DEF_FUSEEPILOGUES
#include "lowering/Passes.h.inc"
} // namespace weft

using namespace mlir;
using linalg::GenericOp;
using weft::Machine;

namespace {

/// Whether the op computes each element of its one result from the elements of
/// its operands alone.
bool isElementwise(GenericOp op) {
  if (!op.hasPureTensorSemantics() || op->getNumResults() != 1 ||
      op.getNumParallelLoops() != op.getNumLoops() ||
      !op.getRegionOutputArgs()[0].use_empty())
    return false;
  AffineMap map = op.getMatchingIndexingMap(&op.getDpsInitsMutable()[0]);
  return map.isPermutation() &&
         llvm::none_of(op.getBody()->getOperations(), [](Operation &inner) {
           return isa<linalg::IndexOp>(inner);
         });
}

/// Whether the result can be computed in the place of one of the operands,
/// which goes on to the next step of a loop or to the caller.
bool overwritesOperand(GenericOp op) {
  AffineMap map = op.getMatchingIndexingMap(&op.getDpsInitsMutable()[0]);
  return llvm::any_of(op.getDpsInputOperands(), [&](OpOperand *input) {
    auto argument = dyn_cast<BlockArgument>(input->get());
    if (!argument || argument.getType() != op->getResultTypes()[0] ||
        op.getMatchingIndexingMap(input) != map)
      return false;
    Operation *owner = argument.getOwner()->getParentOp();
    auto func = dyn_cast<func::FuncOp>(owner);
    return !func || func.getArgAttr(argument.getArgNumber(), weft::donatedAttr);
  });
}

/// Whether sums are at hand when they are complete: a GPU's kernels of products
/// have them in registers, whatever the order of their loops.
bool takesEpilogue(GenericOp sum, const Machine &machine) {
  if (weft::isForGpu(sum) && weft::isSumOfProducts(sum))
    return true;
  return weft::isBlockedSum(sum, machine);
}

class FuseEpilogues final
    : public weft::impl::FuseEpiloguesBase<FuseEpilogues> {
  void runOnOperation() override {
    if (!weft::isOptimized(getOperation()))
      return;
    Machine machine = Machine::of(getOperation());
    if (failed(readInShapeOfSums()))
      return signalPassFailure();
    SmallVector<GenericOp> ops;
    getOperation().walk([&](GenericOp op) {
      if (isElementwise(op) && !overwritesOperand(op) &&
          !op->hasAttr(weft::keepAttr))
        ops.push_back(op);
    });
    for (GenericOp op : ops)
      if (OpOperand *sum = findSum(op, machine))
        fuse(op, *sum);
  }

  /// What reads the groups of a grouped convolution as one dimension is
  /// computed in the shape of the groups, and reshaped after.
  LogicalResult readInShapeOfSums() {
    RewritePatternSet patterns(&getContext());
    linalg::populateFoldReshapeOpsByExpansionPatterns(
        patterns, [](OpOperand *operand) {
          auto reshape =
              operand->get().getDefiningOp<tensor::CollapseShapeOp>();
          auto reader = dyn_cast<GenericOp>(operand->getOwner());
          if (!reshape || !reader || !isElementwise(reader))
            return false;
          auto sum = reshape.getSrc().getDefiningOp<GenericOp>();
          return sum && reshape->hasOneUse() && sum->hasOneUse() &&
                 weft::isSumOfProducts(sum);
        });
    return applyPatternsGreedily(getOperation(), std::move(patterns));
  }

  /// The operand whose sum of products nothing else reads: of several the last
  /// one that is computed.
  OpOperand *findSum(GenericOp op, const Machine &machine) {
    AffineMap map = op.getMatchingIndexingMap(&op.getDpsInitsMutable()[0]);
    OpOperand *best = nullptr;
    for (OpOperand *input : op.getDpsInputOperands()) {
      auto sum = input->get().getDefiningOp<GenericOp>();
      if (!sum || sum->hasAttr(weft::keepAttr) || !input->get().hasOneUse() ||
          sum->getBlock() != op->getBlock() ||
          op.getMatchingIndexingMap(input) != map ||
          !takesEpilogue(sum, machine))
        continue;
      if (!best || best->get().getDefiningOp()->isBeforeInBlock(sum))
        best = input;
    }
    return best;
  }

  static void fuse(GenericOp op, OpOperand &sum) {
    unsigned number = sum.getOperandNumber();
    auto producer = sum.get().getDefiningOp<GenericOp>();
    SmallVector<Value> inputs(op.getDpsInputs());
    SmallVector<AffineMap> maps = op.getIndexingMapsArray();
    inputs.erase(inputs.begin() + number);
    maps.erase(maps.begin() + number);
    producer->moveBefore(op);
    OpBuilder b(op);
    if (sum.get().getType() != op->getResultTypes()[0]) {
      op->setAttr(weft::epilogueAttr, b.getUnitAttr());
      return;
    }
    auto epilogue = GenericOp::create(
        b, op.getLoc(), op->getResultTypes(), inputs, sum.get(), maps,
        op.getIteratorTypesArray(),
        [&](OpBuilder &inner, Location, ValueRange arguments) {
          SmallVector<Value> given(arguments.drop_back());
          given.insert(given.begin() + number, arguments.back());
          IRMapping mapping;
          mapping.map(op.getRegionInputArgs(), given);
          for (Operation &each : *op.getBody())
            inner.clone(each, mapping);
        });
    epilogue->setAttr(weft::epilogueAttr, b.getUnitAttr());
    op->replaceAllUsesWith(epilogue);
    op->erase();
  }
};

} // namespace
