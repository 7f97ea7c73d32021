// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft-lower-to-linalg: weft ops on arrays -> linalg.generic on tensors whose
// elements have no sign and are no bools. One pattern serves every elementwise
// op; the structured families are in the files beside this one.

#include "lowering/linalg/ToLinalg.h"
#include "dialects/Scalar.h"
#include "lowering/Passes.h"
#include "lowering/gpu/ToLinalgLaunches.h"
#include "lowering/schedule/Schedule.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Complex/IR/Complex.h"
#include "mlir/Dialect/Func/Transforms/FuncConversions.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace weft {
#define GEN_PASS_DEF_LOWERTOLINALG
#include "lowering/Passes.h.inc"
} // namespace weft

using namespace mlir;

//===----------------------------------------------------------------------===//
// Types and builders
//===----------------------------------------------------------------------===//

Type weft::storedElement(Type element) {
  if (element.isInteger(1))
    return IntegerType::get(element.getContext(), 8);
  return signless(element);
}

RankedTensorType weft::storedType(Type array) {
  auto type = cast<RankedTensorType>(array);
  return type.clone(storedElement(type.getElementType()));
}

Value weft::loadScalar(OpBuilder &b, Location loc, Value stored, Type element) {
  if (!element.isInteger(1))
    return stored;
  Value zero = arith::ConstantIntOp::create(b, loc, stored.getType(), 0);
  return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne, stored, zero);
}

Value weft::storeScalar(OpBuilder &b, Location loc, Value scalar) {
  if (!scalar.getType().isInteger(1))
    return scalar;
  return arith::ExtUIOp::create(b, loc, b.getI8Type(), scalar);
}

Attribute weft::zeroOf(Type stored) {
  if (isa<ComplexType>(stored))
    return neutral::zero(RankedTensorType::get({}, stored));
  return Builder(stored.getContext()).getZeroAttr(stored);
}

Value weft::buildZero(OpBuilder &b, Location loc, Type stored) {
  return scalar::buildConstant(b, loc, stored, zeroOf(stored));
}

Value weft::buildEmpty(OpBuilder &b, Location loc, RankedTensorType type) {
  return tensor::EmptyOp::create(b, loc, type.getShape(),
                                 type.getElementType());
}

Value weft::buildFilled(OpBuilder &b, Location loc, RankedTensorType type,
                        Value scalar) {
  Value empty = buildEmpty(b, loc, type);
  return linalg::FillOp::create(b, loc, scalar, empty).getResult(0);
}

Value weft::buildParallel(OpBuilder &b, Location loc, RankedTensorType type,
                          ValueRange inputs, ArrayRef<AffineMap> maps,
                          ScalarBodyFn body) {
  SmallVector<AffineMap> allMaps(maps);
  allMaps.push_back(b.getMultiDimIdentityMap(type.getRank()));
  SmallVector<utils::IteratorType> loops(type.getRank(),
                                         utils::IteratorType::parallel);
  auto op = linalg::GenericOp::create(
      b, loc, TypeRange{type}, inputs, ValueRange{buildEmpty(b, loc, type)},
      allMaps, loops, [&](OpBuilder &inner, Location loc, ValueRange args) {
        linalg::YieldOp::create(inner, loc, body(inner, loc, args.drop_back()));
      });
  return op.getResult(0);
}

RankedTensorType weft::accumulatorType(Type array) {
  auto type = cast<RankedTensorType>(array);
  return type.clone(storedElement(computedElement(type.getElementType())));
}

static Value convertEach(
    OpBuilder &b, Location loc, RankedTensorType type, Value x,
    function_ref<weft::scalar::Scalar(OpBuilder &, Location, Value)> convert) {
  if (x.getType() == type)
    return x;
  return weft::buildParallel(
      b, loc, type, x, b.getMultiDimIdentityMap(type.getRank()),
      [&](OpBuilder &inner, Location loc, ValueRange args) {
        return SmallVector<Value>{convert(inner, loc, args[0]).value};
      });
}

Value weft::buildRounded(OpBuilder &b, Location loc, Value x, Type array) {
  Type element = getElementTypeOrSelf(array);
  return convertEach(b, loc, storedType(array), x,
                     [&](OpBuilder &inner, Location loc, Value x) {
                       return scalar::narrow({x, x.getType(), &inner, loc},
                                             element);
                     });
}

Value weft::buildAccumulator(OpBuilder &b, Location loc, Value x, Type array) {
  Type element = getElementTypeOrSelf(array);
  return convertEach(b, loc, accumulatorType(array), x,
                     [&](OpBuilder &inner, Location loc, Value x) {
                       return scalar::widen({x, element, &inner, loc});
                     });
}

Value weft::buildRemapped(OpBuilder &b, Location loc, RankedTensorType type,
                          Value x, AffineMap map) {
  return buildParallel(b, loc, type, x, map,
                       [](OpBuilder &, Location, ValueRange args) {
                         return SmallVector<Value>(args);
                       });
}

SmallVector<Value> weft::buildLoop(
    OpBuilder &b, Location loc, Value lower, Value upper, Value step,
    ValueRange arrays,
    function_ref<SmallVector<Value>(OpBuilder &, Value, ValueRange)> body) {
  auto loop = scf::ForOp::create(
      b, loc, lower, upper, step, arrays,
      [&](OpBuilder &inner, Location loc, Value index, ValueRange carried) {
        scf::YieldOp::create(inner, loc, body(inner, index, carried));
      });
  return SmallVector<Value>(loop.getResults());
}

SmallVector<Value> weft::buildLoops(OpBuilder &b, Location loc,
                                    ArrayRef<int64_t> bounds, ValueRange arrays,
                                    LoopBodyFn body) {
  if (bounds.empty())
    return body(b, {}, arrays);
  auto index = [&](int64_t value) -> Value {
    return arith::ConstantIndexOp::create(b, loc, value);
  };
  return buildLoop(b, loc, index(0), index(bounds.front()), index(1), arrays,
                   [&](OpBuilder &outer, Value first, ValueRange carried) {
                     return buildLoops(outer, loc, bounds.drop_front(), carried,
                                       [&](OpBuilder &inner, ValueRange rest,
                                           ValueRange carried) {
                                         SmallVector<Value> indices{first};
                                         llvm::append_range(indices, rest);
                                         return body(inner, indices, carried);
                                       });
                   });
}

namespace {

class StoredTypes final : public TypeConverter {
public:
  StoredTypes() {
    addConversion([](Type type) { return type; });
    addConversion(
        [](RankedTensorType type) -> Type { return weft::storedType(type); });
    auto cast = [](OpBuilder &b, Type type, ValueRange inputs, Location loc) {
      return UnrealizedConversionCastOp::create(b, loc, type, inputs)
          .getResult(0);
    };
    addSourceMaterialization(cast);
    addTargetMaterialization(cast);
  }
};

//===----------------------------------------------------------------------===//
// Patterns
//===----------------------------------------------------------------------===//

// Pattern: op(x, y) -> linalg.generic ins(x, y) { the op's own scalar body }
struct LowerElementwise final : OpInterfaceConversionPattern<weft::ScalarBody> {
  using OpInterfaceConversionPattern::OpInterfaceConversionPattern;

  LogicalResult
  matchAndRewrite(weft::ScalarBody op, ArrayRef<Value> operands,
                  ConversionPatternRewriter &rewriter) const override {
    RankedTensorType type = weft::storedType(op->getResult(0).getType());
    auto body = [&](OpBuilder &b, Location loc, ValueRange args) {
      SmallVector<Value> scalars;
      for (auto [arg, operand] : llvm::zip_equal(args, op->getOperands()))
        scalars.push_back(weft::loadScalar(
            b, loc, arg, getElementTypeOrSelf(operand.getType())));
      Value result = op.buildScalarBody(b, loc, scalars);
      return SmallVector<Value>{weft::storeScalar(b, loc, result)};
    };
    SmallVector<AffineMap> maps(
        operands.size(), rewriter.getMultiDimIdentityMap(type.getRank()));
    rewriter.replaceOp(op, weft::buildParallel(rewriter, op.getLoc(), type,
                                               operands, maps, body));
    return success();
  }
};

// Pattern: any weft op whose results have no elements -> tensor.empty
struct LowerNoElements final : ConversionPattern {
  LowerNoElements(const TypeConverter &types, MLIRContext *context)
      : ConversionPattern(types, MatchAnyOpTypeTag(), /*benefit=*/10, context) {
  }

  LogicalResult
  matchAndRewrite(Operation *op, ArrayRef<Value> operands,
                  ConversionPatternRewriter &rewriter) const override {
    if (op->getNumResults() == 0 || !isa<weft::WeftDialect>(op->getDialect()))
      return rewriter.notifyMatchFailure(op, "not a weft op with results");
    SmallVector<Value> results;
    for (Type type : op->getResultTypes()) {
      auto tensor = dyn_cast<RankedTensorType>(type);
      if (!tensor || !tensor.hasStaticShape() || tensor.getNumElements() != 0)
        return rewriter.notifyMatchFailure(op, "has elements");
    }
    for (Type type : op->getResultTypes())
      results.push_back(
          weft::buildEmpty(rewriter, op->getLoc(), weft::storedType(type)));
    rewriter.replaceOp(op, results);
    return success();
  }
};

//===----------------------------------------------------------------------===//
// The pass
//===----------------------------------------------------------------------===//

using OriginLoc = FusedLocWith<StringAttr>;

/// Writes the name of each op into its location, which is that of what it
/// becomes.
void nameOrigins(ModuleOp module) {
  module.walk([](Operation *op) {
    if (!isa_and_nonnull<weft::WeftDialect>(op->getDialect()))
      return;
    auto name = StringAttr::get(op->getContext(), op->getName().stripDialect());
    op->setLoc(FusedLoc::get({op->getLoc()}, name, op->getContext()));
  });
}

/// Has each op say which op of the program it is made of, so that a schedule
/// can find it.
void markOrigins(ModuleOp module) {
  module.walk([](Operation *op) {
    for (Region &region : op->getRegions())
      for (BlockArgument argument : region.getArguments())
        if (auto loc = dyn_cast<OriginLoc>(argument.getLoc()))
          argument.setLoc(loc.getLocations().front());
    auto loc = dyn_cast<OriginLoc>(op->getLoc());
    if (!loc)
      return;
    op->setLoc(loc.getLocations().front());
    if (isa<linalg::LinalgOp>(op))
      op->setAttr(weft::originAttr, loc.getMetadata());
  });
}

class LowerToLinalg final
    : public weft::impl::LowerToLinalgBase<LowerToLinalg> {
  void runOnOperation() override {
    MLIRContext &context = getContext();
    StoredTypes types;
    RewritePatternSet patterns(&context);
    patterns.add<LowerElementwise, LowerNoElements>(types, &context);
    weft::populateCumulativeToLinalg(types, patterns);
    weft::populateIndexToLinalg(types, patterns);
    weft::populateLibraryToLinalg(types, patterns);
    weft::populateShapeToLinalg(types, patterns);
    weft::populateSortToLinalg(types, patterns);
    weft::populateReductionsToLinalg(types, patterns);
    weft::populateContractionsToLinalg(types, patterns);
    weft::populatePointConvolutions(types, patterns);
    weft::populateChannelsLast(types, patterns);
    weft::populateConvolutionToLinalg(types, patterns);
    weft::populateWindowsToLinalg(types, patterns);
    weft::populateControlToLinalg(types, patterns);
    if (weft::isForGpu(getOperation())) {
      auto gpu = weft::Gpu::of(getOperation());
      weft::populateScansToLaunches(types, patterns, gpu);
      weft::populateScatterToLaunches(types, patterns, gpu);
    }
    populateFunctionOpInterfaceTypeConversionPattern<func::FuncOp>(patterns,
                                                                   types);
    populateCallOpTypeConversionPattern(patterns, types);
    populateReturnOpTypeConversionPattern(patterns, types);

    ConversionTarget target(context);
    target.addIllegalDialect<weft::WeftDialect>();
    target.addDynamicallyLegalOp<weft::BarrierOp, weft::LibraryCallOp>(
        [&](Operation *op) { return types.isLegal(op); });
    target.addDynamicallyLegalOp<func::FuncOp>([&](func::FuncOp op) {
      return types.isSignatureLegal(op.getFunctionType()) &&
             types.isLegal(&op.getBody());
    });
    target.addDynamicallyLegalOp<func::CallOp, func::ReturnOp>(
        [&](Operation *op) { return types.isLegal(op); });
    target.markUnknownOpDynamicallyLegal([](Operation *) { return true; });
    bool hasSchedule = weft::findSchedule(getOperation()) != nullptr;
    if (hasSchedule)
      nameOrigins(getOperation());
    if (failed(applyPartialConversion(getOperation(), target,
                                      std::move(patterns))))
      return signalPassFailure();
    if (hasSchedule)
      markOrigins(getOperation());
  }
};

} // namespace
