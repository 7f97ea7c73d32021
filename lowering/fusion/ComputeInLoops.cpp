// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A part of weft-fuse-elementwise: what the loops of a scatter read, element by
// element, is computed where it is read.

#include "lowering/fusion/ComputeInLoops.h"
#include "lowering/Passes.h"
#include "lowering/fusion/FusionPlan.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;
using linalg::GenericOp;
using weft::Computed;

/// Whether the body takes a few steps. Loops of a scatter compute one element
/// after the other, so that what takes many is better done in vectors before.
static bool isCheap(GenericOp op) {
  constexpr size_t fewSteps = 24;
  Block &body = *op.getBody();
  return body.getOperations().size() <= fewSteps &&
         llvm::all_of(body.without_terminator(), [](Operation &inner) {
           return weft::takesOneStep(inner) ||
                  isa<linalg::IndexOp, tensor::ExtractOp>(inner);
         });
}

/// The array of which a value is a part, or what a loop begins with that
/// changes it.
static Value wholeOf(Value value) {
  while (Operation *op = value.getDefiningOp()) {
    if (!isa<tensor::ExtractSliceOp, tensor::ExpandShapeOp,
             tensor::CollapseShapeOp, tensor::CastOp>(op))
      return value;
    value = op->getOperand(0);
  }
  return value;
}

/// An argument of the function that nothing writes to.
static bool isConstantArgument(Value value, func::FuncOp func) {
  auto argument = dyn_cast<BlockArgument>(value);
  return argument && argument.getOwner() == &func.getBody().front() &&
         !func.getArgAttr(argument.getArgNumber(), weft::donatedAttr);
}

/// The loops between an op and the block of another, which must be all there
/// is.
static bool findLoops(Operation *inner, Block *outer,
                      SmallVectorImpl<scf::ForOp> &loops) {
  for (Operation *op = inner; op->getBlock() != outer;) {
    op = op->getParentOp();
    auto loop = dyn_cast_or_null<scf::ForOp>(op);
    if (!loop)
      return false;
    loops.push_back(loop);
  }
  return !loops.empty();
}

/// Whether the loops read each element once at most.
static bool readsOnce(tensor::ExtractOp read, ArrayRef<scf::ForOp> loops) {
  return loops.size() == read.getIndices().size() &&
         llvm::all_of(loops, [&](scf::ForOp loop) {
           return llvm::is_contained(read.getIndices(), loop.getInductionVar());
         });
}

/// Whether what the producer reads stays as it is while the loops write: if
/// not, an array would have to be copied.
static bool readsNothingWritten(GenericOp producer, func::FuncOp func,
                                ArrayRef<scf::ForOp> loops) {
  SmallVector<Value> written;
  for (scf::ForOp loop : loops)
    for (Value init : loop.getInits())
      written.push_back(wholeOf(init));
  for (Value input : producer.getDpsInputs())
    if (llvm::is_contained(written, wholeOf(input)))
      return false;
  for (Operation &inner : producer.getBody()->without_terminator())
    if (auto gather = dyn_cast<tensor::ExtractOp>(inner);
        gather && !isConstantArgument(wholeOf(gather.getTensor()), func))
      return false;
  return true;
}

static bool canCompute(tensor::ExtractOp read, func::FuncOp func,
                       Computed which) {
  auto producer = read.getTensor().getDefiningOp<GenericOp>();
  if (!producer || !weft::canMove(producer))
    return false;
  bool isChosen = which == Computed::Indices
                      ? weft::computesIndex(producer)
                      : producer->hasOneUse() && isCheap(producer);
  SmallVector<scf::ForOp> loops;
  return isChosen && findLoops(read, producer->getBlock(), loops) &&
         readsOnce(read, loops) && readsNothingWritten(producer, func, loops);
}

void weft::computeElement(tensor::ExtractOp read, RewriterBase &rewriter,
                          SmallVectorImpl<tensor::ExtractOp> &reads) {
  auto producer = read.getTensor().getDefiningOp<GenericOp>();
  rewriter.setInsertionPoint(read);
  IRMapping mapping;
  for (OpOperand *input : producer.getDpsInputOperands()) {
    BlockArgument argument = producer.getMatchingBlockArgument(input);
    if (!isa<RankedTensorType>(input->get().getType())) {
      mapping.map(argument, input->get());
      continue;
    }
    AffineMap map = producer.getMatchingIndexingMap(input);
    SmallVector<OpFoldResult> loops = getAsOpFoldResult(read.getIndices());
    SmallVector<Value> at =
        llvm::map_to_vector(map.getResults(), [&](AffineExpr expr) -> Value {
          if (auto dim = dyn_cast<AffineDimExpr>(expr))
            return read.getIndices()[dim.getPosition()];
          OpFoldResult place = affine::makeComposedFoldedAffineApply(
              rewriter, read.getLoc(),
              AffineMap::get(map.getNumDims(), 0, expr), loops);
          return getValueOrCreateConstantIndexOp(rewriter, read.getLoc(),
                                                 place);
        });
    reads.push_back(
        tensor::ExtractOp::create(rewriter, read.getLoc(), input->get(), at));
    mapping.map(argument, reads.back());
  }
  for (Operation &inner : producer.getBody()->without_terminator()) {
    if (auto index = dyn_cast<linalg::IndexOp>(inner))
      mapping.map(index.getResult(), read.getIndices()[index.getDim()]);
    else
      rewriter.clone(inner, mapping);
  }
  Value result = mapping.lookupOrDefault(
      producer.getBody()->getTerminator()->getOperand(0));
  rewriter.replaceOp(read, result);
  if (producer->use_empty())
    rewriter.eraseOp(producer);
}

void weft::computeInLoops(func::FuncOp func, RewriterBase &rewriter,
                          Computed which) {
  SmallVector<tensor::ExtractOp> reads;
  func.walk([&](tensor::ExtractOp read) { reads.push_back(read); });
  while (!reads.empty())
    if (tensor::ExtractOp read = reads.pop_back_val();
        canCompute(read, func, which))
      computeElement(read, rewriter, reads);
}
