// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lowering/memory/WriteIntoSlices.h"
#include "lowering/memory/Buffers.h"
#include "lowering/memory/Destinations.h"
#include "lowering/memory/InPlace.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Bufferization/Transforms/OneShotAnalysis.h"
#include "mlir/Dialect/Bufferization/Transforms/Transforms.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using bufferization::ToTensorOp;

/// Whether an op, or one within it, uses a buffer by another tensor than
/// `start`, which no analysis of tensors knows to be the same.
static bool usesBuffer(Operation *op, ToTensorOp start) {
  Value base = weft::baseOf(start.getBuffer());
  auto isOther = [&](Value operand) {
    if (isa<MemRefType>(operand.getType()))
      return weft::baseOf(operand) == base;
    if (!isa<RankedTensorType>(operand.getType()))
      return false;
    ToTensorOp other = weft::startOf(operand, /*followsUpdates=*/true);
    return other && other != start && weft::baseOf(other.getBuffer()) == base;
  };
  return op
      ->walk([&](Operation *inner) {
        // What stands for a buffer reads nothing, nor does a part of it.
        bool isView =
            isa<ToTensorOp, tensor::ExtractSliceOp, ViewLikeOpInterface,
                tensor::ExpandShapeOp, tensor::CollapseShapeOp>(inner);
        return !isView && llvm::any_of(inner->getOperands(), isOther)
                   ? WalkResult::interrupt()
                   : WalkResult::advance();
      })
      .wasInterrupted();
}

/// Whether a loop takes a buffer, which may be another one to it from then on.
static bool isHandedOn(Value buffer) {
  return llvm::any_of(buffer.getUsers(), [](Operation *user) {
    if (isa<ViewLikeOpInterface>(user) && user->getNumResults() == 1)
      return isHandedOn(user->getResult(0));
    return user->getNumRegions() > 0;
  });
}

/// The last op of a block that reads a tensor or a part of it; null if one does
/// elsewhere.
static Operation *lastReader(Value tensor, Operation *last) {
  for (Operation *user : tensor.getUsers()) {
    Operation *op = last->getBlock()->findAncestorOpInBlock(*user);
    if (op && isa<tensor::ExtractSliceOp, tensor::ExpandShapeOp,
                  tensor::CollapseShapeOp>(user))
      op = lastReader(user->getResult(0), last);
    if (!op)
      return nullptr;
    if (last->isBeforeInBlock(op))
      last = op;
  }
  return last;
}

/// Whether what an insertion gives is changed further.
static bool isUpdated(tensor::InsertSliceOp insert) {
  return llvm::any_of(insert.getResult().getUses(), [](OpOperand &use) {
    return llvm::any_of(use.getOwner()->getResults(), [&](OpResult result) {
      return weft::findInit(result) == &use;
    });
  });
}

/// Has an insertion stand behind an op, if nothing needs it before.
static bool moveBehind(tensor::InsertSliceOp insert, Operation *last) {
  bool isFree = !insert->use_empty() &&
                llvm::all_of(insert->getUsers(), [&](Operation *user) {
                  Operation *op =
                      insert->getBlock()->findAncestorOpInBlock(*user);
                  return op && last->isBeforeInBlock(op);
                });
  if (isFree && insert->isBeforeInBlock(last))
    insert->moveAfter(last);
  return isFree;
}

/// Has what inserts the array further, of which an insertion makes a part,
/// stand behind the last op that reads the part.
static bool moveFurtherBehind(tensor::InsertSliceOp insert, Operation *last) {
  return llvm::all_of(llvm::to_vector(insert->getUsers()),
                      [&](Operation *user) {
                        auto other = dyn_cast<tensor::InsertSliceOp>(user);
                        if (!other || other->getBlock() != insert->getBlock() ||
                            !other->isBeforeInBlock(last))
                          return true;
                        return other.getDest() == insert.getResult()
                                   ? moveFurtherBehind(other, last)
                                   : moveBehind(other, last);
                      });
}

/// Has insertions stand behind what reads parts of what is inserted: the
/// analysis takes these for other elements, which an insertion would change.
/// Whether nothing reads any after it.
static bool moveBehindReaders(tensor::InsertSliceOp insert) {
  Operation *last = lastReader(insert.getSource(), insert);
  bool readsParts =
      llvm::any_of(insert.getSource().getUsers(), [](Operation *user) {
        return isa<tensor::ExtractSliceOp, tensor::ExpandShapeOp,
                   tensor::CollapseShapeOp>(user);
      });
  return last == insert || ((!readsParts || moveBehind(insert, last)) &&
                            moveFurtherBehind(insert, last));
}

/// Whether what is inserted may be computed in the slice from `first` on: until
/// all has read it, nothing changes it, or uses the buffer by another name.
static bool mayBeComputedThere(tensor::InsertSliceOp insert, Operation *first) {
  if (!insert.getSource().hasOneUse() && isUpdated(insert))
    return false;
  Operation *last = lastReader(insert.getSource(), insert);
  if (!last)
    return false;
  ToTensorOp start = weft::startOf(insert.getDest(), /*followsUpdates=*/true);
  if (!start)
    return true;
  Value base = weft::baseOf(start.getBuffer());
  if (weft::numTensorsOf(base) <= 1 && !isHandedOn(base))
    return true;
  Operation *op = insert->getBlock()->findAncestorOpInBlock(*first);
  for (; op != last->getNextNode(); op = op->getNextNode())
    if (!op || (op != insert && usesBuffer(op, start)))
      return false;
  return true;
}

/// How far apart the elements of a part are that are next to each other.
static int64_t distanceInside(tensor::InsertSliceOp insert) {
  int64_t distance = 1;
  for (auto [step, size, whole] : llvm::reverse(
           llvm::zip_equal(insert.getStaticStrides(), insert.getStaticSizes(),
                           insert.getDestType().getShape()))) {
    if (size != 1)
      return distance * step;
    distance *= whole;
  }
  return 1;
}

/// Whether an op would add to elements that lie apart, one at a time: of its
/// own buffer, vectors of them are added to.
static bool addsToScattered(tensor::InsertSliceOp insert) {
  auto op = insert.getSource().getDefiningOp<linalg::LinalgOp>();
  // An epilogue changes sums where they are.
  while (op && op.getNumReductionLoops() == 0 && op.getNumDpsInits() == 1)
    op = op.getDpsInits()[0].getDefiningOp<linalg::LinalgOp>();
  return op && op.getNumReductionLoops() > 0 && distanceInside(insert) != 1;
}

/// Has a part of a stack along the last axis be inserted without that
/// dimension: an op that computes it may write there.
static void dropDimensionOfParts(tensor::InsertSliceOp insert) {
  auto expand = insert.getSource().getDefiningOp<tensor::ExpandShapeOp>();
  RankedTensorType part = insert.getSourceType();
  int64_t rank = part.getRank();
  // Which of several dimensions of one element is left out cannot be told from
  // the strides of a view, where parts are steps apart.
  bool isClear = llvm::count(part.getShape(), 1) == 1 ||
                 llvm::all_of(insert.getStaticStrides(),
                              [](int64_t step) { return step == 1; });
  if (expand && isClear && rank == insert.getDestType().getRank() && rank > 0 &&
      part.getDimSize(rank - 1) == 1 &&
      insert.getDestType().getDimSize(rank - 1) != 1 &&
      isRankReducedType(part, expand.getSrcType()) ==
          SliceVerificationResult::Success) {
    insert.getSourceMutable().assign(expand.getSrc());
    if (expand->use_empty())
      expand.erase();
  }
}

// Upstream's pass would do the same for the buffers of results, but takes one
// that two ops write into for the destination of both.
LogicalResult weft::writeIntoSlices(func::FuncOp func) {
  WalkResult inserts =
      func.walk([](tensor::InsertSliceOp) { return WalkResult::interrupt(); });
  if (!inserts.wasInterrupted())
    return success();
  func.walk(dropDimensionOfParts);
  bufferization::OneShotBufferizationOptions options;
  bufferization::OneShotAnalysisState state(func, options);
  if (failed(bufferization::analyzeOp(func, state)))
    return failure();
  IRRewriter rewriter(func.getContext());
  return bufferization::eliminateEmptyTensors(
      rewriter, func, state,
      [](RewriterBase &rewriter, SubsetInsertionOpInterface op,
         tensor::EmptyOp empty, Operation *user) {
        auto insert = dyn_cast<tensor::InsertSliceOp>(op.getOperation());
        if (!insert || addsToScattered(insert) ||
            !mayBeComputedThere(insert, user) || !moveBehindReaders(insert))
          return Value();
        return bufferization::buildSubsetExtraction(rewriter, op, empty, user);
      });
}
