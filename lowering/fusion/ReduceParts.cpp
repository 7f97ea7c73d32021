// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lowering/fusion/ReduceParts.h"
#include "lowering/fusion/Boxes.h"
#include "lowering/fusion/ContractionPlan.h"
#include "lowering/schedule/Schedule.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;
using linalg::GenericOp;
using tensor::InsertSliceOp;
using weft::Box;

namespace {

/// Parts beyond this are better added by a loop.
constexpr int64_t mostParts = 16;

/// The arrays of which one is put together, nothing else reading it, each of
/// one element along a dimension; none if it is no such array.
SmallVector<Value> partsOf(Value joined, unsigned dim) {
  auto shape = cast<RankedTensorType>(joined.getType()).getShape();
  SmallVector<Value> parts(shape[dim]);
  for (int64_t missing = shape[dim]; missing > 0;) {
    auto insert = joined.getDefiningOp<InsertSliceOp>();
    std::optional<Box> box = insert ? weft::boxOf(insert) : std::nullopt;
    if (!box || !insert->hasOneUse())
      return {};
    int64_t place = box->offsets[dim];
    Box expected = Box::whole(shape);
    expected.offsets[dim] = place;
    expected.sizes[dim] = 1;
    if (!(*box == expected))
      return {};
    if (!parts[place]) {
      parts[place] = insert.getSource();
      --missing;
    }
    joined = insert.getDest();
  }
  return parts;
}

// Pattern: reduce (stack %x, %y) -> combine %x, %y
struct ReduceParts final : OpRewritePattern<GenericOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(GenericOp op,
                                PatternRewriter &rewriter) const override {
    if (!op.hasPureTensorSemantics() || op.getNumReductionLoops() != 1 ||
        op.getNumDpsInits() != 1 || op.hasIndexSemantics() ||
        op->hasAttr(weft::keepAttr) || weft::isSumOfProducts(op))
      return rewriter.notifyMatchFailure(op, "another kind of op");
    SmallVector<unsigned> reduced;
    op.getReductionDims(reduced);
    int64_t count = op.getStaticLoopRanges()[reduced.front()];
    if (ShapedType::isDynamic(count) || count > mostParts)
      return rewriter.notifyMatchFailure(op, "many parts");
    SmallVector<Operand> operands;
    for (OpOperand *input : op.getDpsInputOperands())
      if (failed(take(op, *input, reduced.front(), operands)))
        return rewriter.notifyMatchFailure(op, "reads what is in memory");
    build(op, reduced.front(), count, operands, rewriter);
    return success();
  }

private:
  /// What each of the reduced steps reads: its part, or all the same.
  struct Operand {
    SmallVector<Value> parts;
    AffineMap map;
  };

  /// A map without a loop, which counts as 0.
  static AffineMap without(AffineMap map, unsigned loop) {
    SmallVector<AffineExpr> dims;
    for (unsigned dim = 0; dim < map.getNumDims(); ++dim)
      dims.push_back(
          dim == loop ? getAffineConstantExpr(0, map.getContext())
                      : getAffineDimExpr(dim - (dim > loop), map.getContext()));
    return map.replaceDimsAndSymbols(dims, {}, map.getNumDims() - 1, 0);
  }

  static LogicalResult take(GenericOp op, OpOperand &input, unsigned loop,
                            SmallVectorImpl<Operand> &operands) {
    AffineMap map = op.getMatchingIndexingMap(&input);
    SmallVector<Value> parts{input.get()};
    for (auto [dim, expr] : llvm::enumerate(map.getResults())) {
      if (!expr.isFunctionOfDim(loop))
        continue;
      if (parts.size() > 1 || !isa<AffineDimExpr>(expr))
        return failure();
      parts = partsOf(input.get(), dim);
      if (parts.empty())
        return failure();
    }
    operands.push_back({parts, without(map, loop)});
    return success();
  }

  static void build(GenericOp op, unsigned loop, int64_t count,
                    ArrayRef<Operand> operands, PatternRewriter &rewriter) {
    SmallVector<Value> inputs;
    SmallVector<AffineMap> maps;
    for (const Operand &operand : operands) {
      llvm::append_range(inputs, operand.parts);
      maps.append(operand.parts.size(), operand.map);
    }
    AffineMap result = without(op.getIndexingMapsArray().back(), loop);
    Value init = op.getDpsInits()[0];
    auto fill = init.getDefiningOp<linalg::FillOp>();
    if (!fill) {
      inputs.push_back(init);
      maps.push_back(result);
    }
    maps.push_back(result);
    auto type = cast<RankedTensorType>(init.getType());
    Value empty = tensor::EmptyOp::create(
        rewriter, op.getLoc(), type.getShape(), type.getElementType());
    SmallVector<utils::IteratorType> loops(op.getNumLoops() - 1,
                                           utils::IteratorType::parallel);
    rewriter.replaceOpWithNewOp<GenericOp>(
        op, op->getResultTypes(), inputs, empty, maps, loops,
        [&](OpBuilder &inner, Location loc, ValueRange args) {
          Value all = fill ? fill.getInputs()[0] : args[inputs.size() - 1];
          for (int64_t step = 0; step < count; ++step)
            all = combine(inner, op, operands, args, step, all);
          linalg::YieldOp::create(inner, loc, all);
        });
  }

  static Value combine(OpBuilder &inner, GenericOp op,
                       ArrayRef<Operand> operands, ValueRange args,
                       int64_t step, Value before) {
    IRMapping mapping;
    size_t first = 0;
    for (auto [operand, argument] :
         llvm::zip_equal(operands, op.getRegionInputArgs())) {
      size_t size = operand.parts.size();
      mapping.map(argument, args[first + (size > 1 ? step : 0)]);
      first += size;
    }
    mapping.map(op.getRegionOutputArgs()[0], before);
    for (Operation &each : op.getBody()->without_terminator())
      inner.clone(each, mapping);
    return mapping.lookupOrDefault(
        op.getBody()->getTerminator()->getOperand(0));
  }
};

} // namespace

void weft::populateReduceParts(RewritePatternSet &patterns) {
  patterns.add<ReduceParts>(patterns.getContext());
}
