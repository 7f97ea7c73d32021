// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft-lower-foralls: scf.forall, over tensors or over buffers -> one scf.for
// whose steps threads share: a kernel.

#include "lowering/Passes.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Affine/Utils.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "llvm/Support/CheckedArithmetic.h"

namespace weft {
#define GEN_PASS_DEF_LOWERFORALLS
#include "lowering/Passes.h.inc"
} // namespace weft

using namespace mlir;

namespace {

class LowerForalls final : public weft::impl::LowerForallsBase<LowerForalls> {
  void runOnOperation() override {
    SmallVector<scf::ForallOp> loops;
    // Those within others come first, and are loops of one thread.
    getOperation().walk([&](scf::ForallOp op) { loops.push_back(op); });
    for (scf::ForallOp op : loops)
      if (failed(lower(op)))
        return signalPassFailure();
  }

  /// How many steps each dimension has.
  static FailureOr<SmallVector<int64_t>> countsOf(scf::ForallOp op) {
    SmallVector<int64_t> counts;
    int64_t all = 1;
    for (auto [lower, upper, step] :
         llvm::zip_equal(op.getMixedLowerBound(), op.getMixedUpperBound(),
                         op.getMixedStep())) {
      auto first = getConstantIntValue(lower), end = getConstantIntValue(upper),
           by = getConstantIntValue(step);
      if (!first || !end || !by || *by < 1)
        return op.emitError("the bounds of this scf.forall are not known when "
                            "it is compiled");
      counts.push_back(*end > *first ? llvm::divideCeil(*end - *first, *by)
                                     : 0);
      std::optional<int64_t> product = llvm::checkedMul(all, counts.back());
      if (!product)
        return op.emitError("this scf.forall has more steps than can be "
                            "counted");
      all = *product;
    }
    return counts;
  }

  static LogicalResult lower(scf::ForallOp op) {
    FailureOr<SmallVector<int64_t>> counts = countsOf(op);
    if (failed(counts))
      return failure();
    OpBuilder b(op);
    Location loc = op.getLoc();
    auto index = [&](int64_t value) -> Value {
      return arith::ConstantIndexOp::create(b, loc, value);
    };
    auto loop =
        scf::ForOp::create(b, loc, index(0), index(llvm::product_of(*counts)),
                           index(1), op.getOutputs());
    loop->setDiscardableAttrs(op->getDiscardableAttrDictionary());
    loop->setAttr(weft::rowsAttr, b.getUnitAttr());
    loop->setAttr(weft::parallelAttr, b.getUnitAttr());
    if (Operation *end =
            loop.getBody()->empty() ? nullptr : &loop.getBody()->back())
      end->erase();
    b.setInsertionPointToStart(loop.getBody());
    SmallVector<Value> places = placesOf(b, op, *counts, loop);
    llvm::append_range(places, loop.getRegionIterArgs());
    loop.getBody()->getOperations().splice(loop.getBody()->end(),
                                           op.getBody()->getOperations());
    for (auto [old, place] :
         llvm::zip_equal(op.getBody()->getArguments(), places))
      old.replaceAllUsesWith(place);
    yieldParts(loop, cast<scf::InParallelOp>(loop.getBody()->back()));
    op.replaceAllUsesWith(loop.getResults());
    op.erase();
    return success();
  }

  /// What the induction variables of the op are in a step of the loop.
  static SmallVector<Value> placesOf(OpBuilder &b, scf::ForallOp op,
                                     ArrayRef<int64_t> counts,
                                     scf::ForOp loop) {
    SmallVector<Value> places;
    if (counts.empty())
      return places;
    auto split = affine::AffineDelinearizeIndexOp::create(
        b, op.getLoc(), loop.getInductionVar(), counts);
    AffineExpr d0 = b.getAffineDimExpr(0);
    for (auto [count, lower, step] : llvm::zip_equal(
             split.getResults(), op.getMixedLowerBound(), op.getMixedStep())) {
      AffineExpr place =
          d0 * *getConstantIntValue(step) + *getConstantIntValue(lower);
      places.push_back(
          affine::AffineApplyOp::create(b, op.getLoc(), place, count));
    }
    return places;
  }

  /// What each step inserts becomes what the next one finds.
  static void yieldParts(scf::ForOp loop, scf::InParallelOp parts) {
    OpBuilder b(parts);
    SmallVector<Value> carried(loop.getRegionIterArgs());
    for (Operation &op : *parts.getBody()) {
      auto insert = cast<tensor::ParallelInsertSliceOp>(op);
      auto number = cast<BlockArgument>(insert.getDest()).getArgNumber() -
                    loop.getNumInductionVars();
      carried[number] = tensor::InsertSliceOp::create(
          b, op.getLoc(), insert.getSource(), carried[number],
          insert.getMixedOffsets(), insert.getMixedSizes(),
          insert.getMixedStrides());
    }
    scf::YieldOp::create(b, parts.getLoc(), carried);
    parts.erase();
  }
};

} // namespace
