// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft-fuse-elementwise: chains of elementwise linalg.generic -> one each, so
// that an intermediate array is never written to memory.

#include "dialects/Scalar.h"
#include "lowering/OptimizationLevel.h"
#include "lowering/Passes.h"
#include "lowering/fusion/ComputeInLoops.h"
#include "lowering/fusion/ContractionPlan.h"
#include "lowering/fusion/FusionPlan.h"
#include "lowering/fusion/ReduceParts.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Tensor/Transforms/Transforms.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Transforms/CSE.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace weft {
#define GEN_PASS_DEF_FUSEELEMENTWISE
#include "lowering/Passes.h.inc"
} // namespace weft

using namespace mlir;
using linalg::GenericOp;
using weft::FusionGroup;
using weft::Read;

namespace {

/// Builds the one op that a group becomes.
class GroupBuilder {
public:
  GroupBuilder(FusionGroup &group, OpBuilder &b) : group(group), b(b) {}

  GenericOp build() {
    GenericOp root = group.root;
    b.setInsertionPoint(root);
    SmallVector<Value> inputs;
    SmallVector<AffineMap> maps;
    SmallVector<Location> lines{root.getLoc()};
    for (auto [value, map] : group.inputs) {
      inputs.push_back(value);
      maps.push_back(map);
    }
    for (OpOperand &init : root.getDpsInitsMutable())
      maps.push_back(root.getMatchingIndexingMap(&init));
    for (const Read &read : group.absorbed)
      lines.push_back(read.first.getLoc());
    return GenericOp::create(
        b, b.getFusedLoc(lines), root->getResultTypes(), inputs,
        root.getOutputs(), maps, root.getIteratorTypesArray(),
        [&](OpBuilder &inner, Location loc, ValueRange args) {
          for (auto [read, arg] : llvm::zip(group.inputs, args))
            elements[read] = arg;
          auto outputs = args.drop_front(group.inputs.size());
          auto identity = AffineMap::getMultiDimIdentityMap(root.getNumLoops(),
                                                            root.getContext());
          linalg::YieldOp::create(inner, root.getBody()->back().getLoc(),
                                  inlineBody(inner, root, identity, outputs));
        });
  }

private:
  /// The element of a read: a scalar, an argument, or computed on the spot.
  Value element(OpBuilder &inner, const Read &read) {
    if (Value known = elements.lookup(read))
      return known;
    if (group.absorbed.contains(read)) {
      auto producer = read.first.getDefiningOp<GenericOp>();
      return elements[read] =
                 inlineBody(inner, producer, read.second, {}).front();
    }
    OpFoldResult scalar = weft::splatOf(read.first);
    if (auto value = dyn_cast<Value>(scalar))
      return value;
    // Outside, where canonicalization would move it.
    return weft::scalar::buildConstant(b, read.first.getLoc(),
                                       getElementTypeOrSelf(read.first),
                                       cast<Attribute>(scalar));
  }

  /// Clones a body and returns what it yields. `loops` are the op's own loops
  /// as functions of the root's.
  SmallVector<Value> inlineBody(OpBuilder &inner, GenericOp op, AffineMap loops,
                                ValueRange outputs) {
    IRMapping mapping;
    for (OpOperand *input : op.getDpsInputOperands()) {
      Read read(input->get(), op.getMatchingIndexingMap(input).compose(loops));
      mapping.map(op.getMatchingBlockArgument(input), element(inner, read));
    }
    for (auto [arg, output] : llvm::zip(op.getRegionOutputArgs(), outputs))
      mapping.map(arg, output);
    for (Operation &bodyOp : op.getBody()->without_terminator()) {
      if (auto index = dyn_cast<linalg::IndexOp>(bodyOp))
        mapping.map(index.getResult(),
                    indexOf(inner, index, loops.getResult(index.getDim())));
      else
        inner.clone(bodyOp, mapping);
    }
    return llvm::map_to_vector(
        op.getBody()->getTerminator()->getOperands(),
        [&](Value value) { return mapping.lookupOrDefault(value); });
  }

  Value indexOf(OpBuilder &inner, linalg::IndexOp index, AffineExpr expr) {
    Location loc = index.getLoc();
    if (auto dim = dyn_cast<AffineDimExpr>(expr))
      return linalg::IndexOp::create(inner, loc, dim.getPosition());
    SmallVector<Value> loops;
    for (unsigned dim = 0; dim < group.root.getNumLoops(); ++dim)
      loops.push_back(linalg::IndexOp::create(inner, loc, dim));
    return affine::AffineApplyOp::create(
        inner, loc, AffineMap::get(loops.size(), 0, expr), loops);
  }

  FusionGroup &group;
  OpBuilder &b;
  DenseMap<Read, Value> elements;
};

bool readsSplat(FusionGroup &group) {
  return group.takesSplats &&
         llvm::any_of(group.root.getDpsInputs(), [](Value input) {
           return static_cast<bool>(weft::splatOf(input));
         });
}

/// What an array is with dimensions of one element put in or left out, and for
/// each of its dimensions the one of `reshaped`, if there is one.
Value withoutUnits(Value reshaped, SmallVectorImpl<int64_t> &dims) {
  Operation *op = reshaped.getDefiningOp();
  if (!isa_and_nonnull<tensor::ExpandShapeOp, tensor::CollapseShapeOp>(op))
    return {};
  Value source = op->getOperand(0);
  auto from = cast<RankedTensorType>(source.getType()),
       to = cast<RankedTensorType>(reshaped.getType());
  auto isUnit = [](int64_t size) { return size == 1; };
  if (!llvm::equal(
          llvm::make_filter_range(from.getShape(), std::not_fn(isUnit)),
          llvm::make_filter_range(to.getShape(), std::not_fn(isUnit))))
    return {};
  int64_t next = 0;
  for (int64_t size : from.getShape()) {
    if (size == 1) {
      dims.push_back(-1);
      continue;
    }
    while (to.getDimSize(next) == 1)
      ++next;
    dims.push_back(next++);
  }
  return source;
}

// Pattern: generic ins(expand_shape %x : tensor<4xf32> into tensor<4x1xf32>) ->
// generic ins(%x), its map without the dimensions of one element
struct ReadThroughReshape final : OpRewritePattern<GenericOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(GenericOp op,
                                PatternRewriter &rewriter) const override {
    for (OpOperand *input : op.getDpsInputOperands()) {
      SmallVector<int64_t> dims;
      Value source = withoutUnits(input->get(), dims);
      // The epilogue of a sum is computed in its shape.
      if (!source || weft::isSumOfProducts(source.getDefiningOp()))
        continue;
      AffineMap map = op.getMatchingIndexingMap(input);
      auto exprs = llvm::map_to_vector(dims, [&](int64_t dim) {
        return dim < 0 ? rewriter.getAffineConstantExpr(0) : map.getResult(dim);
      });
      SmallVector<AffineMap> maps = op.getIndexingMapsArray();
      maps[input->getOperandNumber()] =
          AffineMap::get(map.getNumDims(), 0, exprs, op.getContext());
      // Some operand must still tell the extent of every loop.
      if (!inversePermutation(concatAffineMaps(maps, op.getContext())))
        continue;
      rewriter.modifyOpInPlace(op, [&] {
        input->set(source);
        op.setIndexingMapsAttr(rewriter.getAffineMapArrayAttr(maps));
      });
      return success();
    }
    return rewriter.notifyMatchFailure(op, "reads no such reshape");
  }
};

/// The elementwise op that computes a value, if it could do so in other
/// dimensions; an epilogue is computed in the shape of its sum.
GenericOp reshapeable(Value value) {
  auto op = value.getDefiningOp<GenericOp>();
  bool isEpilogue = op && llvm::any_of(op.getDpsInputs(), [](Value input) {
                      return weft::isSumOfProducts(input.getDefiningOp());
                    });
  return op && weft::canMove(op) && !isEpilogue ? op : GenericOp();
}

bool isElementwise(Operation *op) {
  auto generic = dyn_cast<GenericOp>(op);
  return generic && weft::canMove(generic);
}

/// Whether an elementwise op whose result is read in other dimensions, by
/// elementwise ops alone, had better have these itself: it can be computed
/// where it is read then.
bool isReadReshaped(OpOperand *use) {
  if (auto expand = dyn_cast<tensor::ExpandShapeOp>(use->getOwner()))
    return expand.getSrc().hasOneUse() && reshapeable(expand.getSrc()) &&
           llvm::all_of(expand->getUsers(), isElementwise);
  auto collapse = use->get().getDefiningOp<tensor::CollapseShapeOp>();
  if (!collapse || !collapse->hasOneUse() || !isElementwise(use->getOwner()))
    return false;
  // What lies between elements of a fill is a part of it in these dimensions.
  if (auto insert = collapse.getSrc().getDefiningOp<tensor::InsertSliceOp>())
    return insert.getDest().getDefiningOp<linalg::FillOp>() != nullptr;
  return collapse.getSrc().hasOneUse() && reshapeable(collapse.getSrc());
}

// Pattern: expand_shape of a generic that others read, too -> of one of its
// own, if that costs no more than to read it
struct ComputeReshaped final : OpRewritePattern<tensor::ExpandShapeOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(tensor::ExpandShapeOp op,
                                PatternRewriter &rewriter) const override {
    GenericOp producer = reshapeable(op.getSrc());
    if (!producer || producer->hasOneUse() || !weft::costsARead(producer) ||
        !llvm::all_of(op->getUsers(), isElementwise))
      return rewriter.notifyMatchFailure(op, "reads what had better be kept");
    Operation *own = rewriter.clone(*producer);
    rewriter.modifyOpInPlace(
        op, [&] { op.getSrcMutable().assign(own->getResult(0)); });
    return success();
  }
};

// Pattern: arith.constant dense<1.0> : tensor<4xf32> -> linalg.fill of 1.0
//
// For the splats that no body has taken in: a fill is smaller than an array in
// the object file, and can write straight into its destination.
struct FillSplat final : OpRewritePattern<arith::ConstantOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(arith::ConstantOp op,
                                PatternRewriter &rewriter) const override {
    auto splat = dyn_cast<SplatElementsAttr>(op.getValue());
    if (!splat)
      return rewriter.notifyMatchFailure(op, "not a splat");
    auto type = dyn_cast<RankedTensorType>(op.getType());
    if (!type)
      return rewriter.notifyMatchFailure(op, "not a tensor");
    Value scalar = weft::scalar::buildConstant(
        rewriter, op.getLoc(), type.getElementType(),
        splat.getSplatValue<Attribute>());
    Value empty = tensor::EmptyOp::create(
        rewriter, op.getLoc(), type.getShape(), type.getElementType());
    rewriter.replaceOpWithNewOp<linalg::FillOp>(op, scalar, empty);
    return success();
  }
};

/// Calls `visit` for each block of ops on tensors, those within loops and
/// branches included.
void forEachBlock(Region &region, llvm::function_ref<void(Block &)> visit) {
  for (Block &block : region) {
    for (Operation &op : block)
      if (!isa<linalg::LinalgOp>(op))
        for (Region &inner : op.getRegions())
          forEachBlock(inner, visit);
    visit(block);
  }
}

/// Whether the op is elementwise on arrays of rank 0.
bool isScalar(GenericOp op) {
  auto isRank0 = [](Type type) {
    auto tensor = dyn_cast<RankedTensorType>(type);
    return tensor && tensor.getRank() == 0;
  };
  return op.getNumLoops() == 0 && op.hasPureTensorSemantics() &&
         llvm::all_of(op->getOperandTypes(), isRank0);
}

// linalg.generic ins(%x : tensor<f32>) { math.sin } ->
//   %s = math.sin (tensor.extract %x), linalg.fill ins(%s)
void inlineScalar(GenericOp op, RewriterBase &rewriter) {
  rewriter.setInsertionPoint(op);
  IRMapping mapping;
  for (OpOperand &operand : op->getOpOperands()) {
    BlockArgument argument = op.getMatchingBlockArgument(&operand);
    if (!argument.use_empty())
      mapping.map(argument,
                  tensor::ExtractOp::create(rewriter, op.getLoc(),
                                            operand.get(), ValueRange{}));
  }
  for (Operation &inner : op.getBody()->without_terminator())
    rewriter.clone(inner, mapping);
  SmallVector<Value> results;
  for (auto [scalar, init] : llvm::zip_equal(
           op.getBody()->getTerminator()->getOperands(), op.getOutputs()))
    results.push_back(linalg::FillOp::create(rewriter, op.getLoc(),
                                             mapping.lookupOrDefault(scalar),
                                             init)
                          .getResult(0));
  rewriter.replaceOp(op, results);
}

class FuseElementwise final
    : public weft::impl::FuseElementwiseBase<FuseElementwise> {
  void runOnOperation() override {
    bool absorbs = weft::isOptimized(getOperation());
    MLIRContext *context = &getContext();
    IRRewriter rewriter(context);
    inlineScalars(rewriter);
    readThroughReshapes(absorbs);
    if (absorbs)
      weft::computeInLoops(getOperation(), rewriter, weft::Computed::Indices);
    forEachBlock(getOperation().getBody(), [&](Block &block) {
      // Consumers first: what they read is then still what was planned with.
      for (auto &group : weft::planFusion(block, absorbs))
        if (!group->absorbed.empty() || readsSplat(*group))
          rewriter.replaceOp(group->root,
                             GroupBuilder(*group, rewriter).build());
      for (Operation &op : llvm::make_early_inc_range(llvm::reverse(block)))
        if (isOpTriviallyDead(&op))
          rewriter.eraseOp(&op);
    });

    if (absorbs)
      weft::computeInLoops(getOperation(), rewriter, weft::Computed::All);
    RewritePatternSet fills(context);
    fills.add<FillSplat>(context);
    if (failed(applyPatternsGreedily(getOperation(), std::move(fills))))
      signalPassFailure();
  }

  void readThroughReshapes(bool absorbs) {
    RewritePatternSet patterns(&getContext());
    patterns.add<ReadThroughReshape>(&getContext());
    if (absorbs) {
      patterns.add<ComputeReshaped>(&getContext());
      tensor::populateFoldTensorEmptyPatterns(patterns);
      weft::populateReduceParts(patterns);
      linalg::populateFoldReshapeOpsByExpansionPatterns(patterns,
                                                        isReadReshaped);
    }
    bool hasChanged = false;
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns), {},
                                     &hasChanged)))
      return signalPassFailure();
    // Each operand was given a reshape of its own.
    IRRewriter rewriter(&getContext());
    DominanceInfo dominance;
    if (hasChanged)
      eliminateCommonSubExpressions(rewriter, dominance, getOperation());
  }

  /// Each step of a loop would call a kernel for each scalar op.
  void inlineScalars(RewriterBase &rewriter) {
    SmallVector<GenericOp> scalars;
    getOperation().walk([&](GenericOp op) {
      if (op->getParentOp() != getOperation() && isScalar(op))
        scalars.push_back(op);
    });
    for (GenericOp op : scalars)
      inlineScalar(op, rewriter);
  }
};

} // namespace
