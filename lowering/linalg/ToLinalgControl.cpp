// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Ops with bodies -> scf on tensors. Arrays of rank 0 are carried as scalars,
// slices are read where they lie, and ys are written slice by slice into one
// array that the loop carries.

#include "dialects/Weft.h"
#include "lowering/Passes.h"
#include "lowering/gpu/Device.h"
#include "lowering/linalg/ToLinalg.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;

namespace {

bool isScalar(Type array) {
  return cast<RankedTensorType>(array).getRank() == 0;
}

bool hasNoElements(Type array) {
  auto type = cast<RankedTensorType>(array);
  return type.hasStaticShape() && type.getNumElements() == 0;
}

/// The element of an array of rank 0.
Value extractScalar(OpBuilder &b, Location loc, Value array) {
  return tensor::ExtractOp::create(b, loc, array, ValueRange{});
}

Value indexOf(OpBuilder &b, Location loc, Value number) {
  return arith::IndexCastOp::create(b, loc, b.getIndexType(),
                                    extractScalar(b, loc, number));
}

Value constantIndex(OpBuilder &b, Location loc, int64_t value) {
  return arith::ConstantIndexOp::create(b, loc, value);
}

//===----------------------------------------------------------------------===//
// What is carried
//===----------------------------------------------------------------------===//

/// How the arrays that a loop carries or a choice returns are passed: as a
/// scalar, as a tensor, or, if there is nothing to pass, not at all.
class Passing {
public:
  Passing(OpBuilder &b, Location loc, TypeRange arrays) : b(b), loc(loc) {
    for (Type array : arrays)
      stored.push_back(weft::storedType(array));
  }

  SmallVector<Type> types() const {
    SmallVector<Type> passed;
    for (RankedTensorType type : stored)
      if (!hasNoElements(type))
        passed.push_back(isScalar(type) ? type.getElementType() : type);
    return passed;
  }

  /// What stands for arrays of stored type.
  SmallVector<Value> pack(ValueRange arrays) const {
    SmallVector<Value> passed;
    for (auto [array, type] : llvm::zip_equal(arrays, stored))
      if (!hasNoElements(type))
        passed.push_back(isScalar(type) ? extractScalar(b, loc, array) : array);
    return passed;
  }

  /// The arrays for which these stand.
  SmallVector<Value> unpack(ValueRange passed) const {
    SmallVector<Value> arrays;
    auto next = passed.begin();
    for (RankedTensorType type : stored) {
      if (hasNoElements(type))
        arrays.push_back(weft::buildEmpty(b, loc, type));
      else if (isScalar(type))
        arrays.push_back(weft::buildFilled(b, loc, type, *next++));
      else
        arrays.push_back(*next++);
    }
    return arrays;
  }

private:
  OpBuilder &b;
  Location loc;
  SmallVector<RankedTensorType> stored;
};

/// Moves a body to where the rewriter stands, and returns what it yields, as
/// stored arrays. `arguments` are stored arrays too.
SmallVector<Value> inlineBody(ConversionPatternRewriter &rewriter,
                              Region &region, ValueRange arguments) {
  Block &body = region.front();
  Operation *yield = body.getTerminator();
  Location loc = yield->getLoc();
  auto convert = [&](Value value, Type type) -> Value {
    if (value.getType() == type)
      return value;
    return UnrealizedConversionCastOp::create(rewriter, loc, type, value)
        .getResult(0);
  };
  SmallVector<Value> given;
  for (auto [argument, old] : llvm::zip_equal(arguments, body.getArguments()))
    given.push_back(convert(argument, old.getType()));
  Block *block = rewriter.getInsertionBlock();
  rewriter.inlineBlockBefore(&body, block, rewriter.getInsertionPoint(), given);
  rewriter.setInsertionPoint(yield);
  SmallVector<Value> yielded;
  for (Value value : yield->getOperands())
    yielded.push_back(convert(value, weft::storedType(value.getType())));
  rewriter.setInsertionPointAfter(yield);
  rewriter.eraseOp(yield);
  return yielded;
}

//===----------------------------------------------------------------------===//
// Slices
//===----------------------------------------------------------------------===//

/// Where slice number `index` of an array is.
struct Slice {
  Slice(OpBuilder &b, RankedTensorType array, Value index)
      : offsets(array.getRank(), b.getIndexAttr(0)),
        sizes(getAsIndexOpFoldResult(b.getContext(), array.getShape())),
        strides(array.getRank(), b.getIndexAttr(1)) {
    offsets.front() = index;
    sizes.front() = b.getIndexAttr(1);
  }

  SmallVector<OpFoldResult> offsets, sizes, strides;
};

Value readSlice(OpBuilder &b, Location loc, Value array, Value index) {
  auto type = cast<RankedTensorType>(array.getType());
  auto part = RankedTensorType::get(type.getShape().drop_front(),
                                    type.getElementType());
  if (hasNoElements(part))
    return weft::buildEmpty(b, loc, part);
  if (isScalar(part))
    return weft::buildFilled(b, loc, part,
                             tensor::ExtractOp::create(b, loc, array, index));
  Slice slice(b, type, index);
  return tensor::ExtractSliceOp::create(b, loc, part, array, slice.offsets,
                                        slice.sizes, slice.strides);
}

Value writeSlice(OpBuilder &b, Location loc, Value part, Value array,
                 Value index) {
  if (isScalar(part.getType()))
    return tensor::InsertOp::create(b, loc, extractScalar(b, loc, part), array,
                                    index);
  Slice slice(b, cast<RankedTensorType>(array.getType()), index);
  return tensor::InsertSliceOp::create(b, loc, part, array, slice.offsets,
                                       slice.sizes, slice.strides);
}

//===----------------------------------------------------------------------===//
// Patterns
//===----------------------------------------------------------------------===//

// Pattern: weft.scan carry(%c) over(%xs) { %y } -> scf.for iter_args(%c, %ys) {
//   tensor.extract_slice %xs[%i] ... tensor.insert_slice %y into %ys[%i] }
struct LowerScan final : OpConversionPattern<weft::ScanOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult
  matchAndRewrite(weft::ScanOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Passing ys(rewriter, loc, op.getYs().getTypes());
    if (op.getLength() == 0) {
      SmallVector<Value> results(adaptor.getInits());
      llvm::append_range(results, ys.unpack({}));
      rewriter.replaceOp(op, results);
      return success();
    }
    Value zero = constantIndex(rewriter, loc, 0);
    Value one = constantIndex(rewriter, loc, 1);
    Value length = buildLength(op, adaptor, rewriter);
    Passing carries(rewriter, loc, op.getInits().getTypes());
    SmallVector<Value> starts = carries.pack(adaptor.getInits());
    unsigned numCarries = starts.size();
    llvm::append_range(starts, ys.pack(buildArrays(op, length, rewriter)));

    auto loop = scf::ForOp::create(rewriter, loc, zero, length, one, starts);
    if (int64_t steps = stepsAtATime(op); steps > 1)
      loop->setAttr(weft::unrollAttr, rewriter.getI64IntegerAttr(steps));
    Block *body = loop.getBody();
    if (!body->empty()) // what the builder writes for a loop without carries
      rewriter.eraseOp(body->getTerminator());
    rewriter.setInsertionPointToEnd(body);
    Value index = loop.getInductionVar();
    if (op.getReverse()) {
      Value last = arith::SubIOp::create(rewriter, loc, length, one);
      index = arith::SubIOp::create(rewriter, loc, last, index);
    }
    ValueRange passed = loop.getRegionIterArgs();
    SmallVector<Value> arguments =
        carries.unpack(passed.take_front(numCarries));
    for (Value x : adaptor.getXs())
      arguments.push_back(readSlice(rewriter, loc, x, index));
    llvm::append_range(arguments, adaptor.getConsts());

    SmallVector<Value> yielded = inlineBody(rewriter, op.getBody(), arguments);
    ValueRange all(yielded);
    SmallVector<Value> next =
        carries.pack(all.take_front(op.getInits().size()));
    auto array = passed.drop_front(numCarries).begin();
    for (auto [part, y] :
         llvm::zip_equal(all.drop_front(op.getInits().size()), op.getYs()))
      if (!hasNoElements(y.getType()))
        next.push_back(writeSlice(rewriter, loc, part, *array++, index));
    scf::YieldOp::create(rewriter, loc, next);

    rewriter.setInsertionPointAfter(loop);
    ValueRange results = loop.getResults();
    SmallVector<Value> replacements =
        carries.unpack(results.take_front(numCarries));
    llvm::append_range(replacements, ys.unpack(results.drop_front(numCarries)));
    rewriter.replaceOp(op, replacements);
    return success();
  }

private:
  static int64_t stepsAtATime(weft::ScanOp op) {
    uint64_t steps = op.getUnroll();
    return std::min(steps, op.getLength().value_or(steps));
  }

  /// The number of steps.
  static Value buildLength(weft::ScanOp op, OpAdaptor adaptor, OpBuilder &b) {
    Location loc = op.getLoc();
    if (std::optional<uint64_t> length = op.getLength())
      return constantIndex(b, loc, *length);
    if (!op.getTrips())
      return tensor::DimOp::create(b, loc, adaptor.getXs().front(), 0);
    Value trips = indexOf(b, loc, adaptor.getTrips());
    return arith::MaxSIOp::create(b, loc, trips, constantIndex(b, loc, 0));
  }

  /// The arrays that ys are written into; tapes are as long as the loop.
  static SmallVector<Value> buildArrays(weft::ScanOp op, Value length,
                                        OpBuilder &b) {
    SmallVector<Value> arrays;
    for (Value y : op.getYs()) {
      RankedTensorType type = weft::storedType(y.getType());
      SmallVector<Value> sizes;
      if (!type.hasStaticShape())
        sizes.push_back(length);
      arrays.push_back(tensor::EmptyOp::create(b, op.getLoc(), type, sizes));
    }
    return arrays;
  }
};

// Pattern: weft.while carry(%c) -> scf.while (%c)
struct LowerWhile final : OpConversionPattern<weft::WhileOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult
  matchAndRewrite(weft::WhileOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Passing carries(rewriter, loc, op.getInits().getTypes());
    SmallVector<Type> passed = carries.types();
    auto loop = scf::WhileOp::create(rewriter, loc, passed,
                                     carries.pack(adaptor.getInits()));
    SmallVector<Location> places(passed.size(), loc);
    auto inlineInto = [&](Region &into, Region &from) {
      Block *block = rewriter.createBlock(&into, {}, passed, places);
      SmallVector<Value> arguments = carries.unpack(block->getArguments());
      llvm::append_range(arguments, adaptor.getConsts());
      return inlineBody(rewriter, from, arguments);
    };
    SmallVector<Value> holds = inlineInto(loop.getBefore(), op.getCond());
    Value bit = weft::loadScalar(rewriter, loc,
                                 extractScalar(rewriter, loc, holds.front()),
                                 rewriter.getI1Type());
    scf::ConditionOp::create(rewriter, loc, bit,
                             loop.getBefore().front().getArguments());
    SmallVector<Value> next = inlineInto(loop.getAfter(), op.getBody());
    scf::YieldOp::create(rewriter, loc, carries.pack(next));

    rewriter.setInsertionPointAfter(loop);
    rewriter.replaceOp(op, carries.unpack(loop.getResults()));
    return success();
  }
};

// Pattern: weft.switch %p { a }, { b } -> scf.if %p { b } else { a }, and of a
// number scf.index_switch, whose default is the last body; for a GPU, of which
// the host may have to choose, scf.if %i == 0 { a } else { scf.if %i == 1 ... }
struct LowerSwitch final : OpConversionPattern<weft::SwitchOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult
  matchAndRewrite(weft::SwitchOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Passing results(rewriter, loc, op.getResultTypes());
    auto inlineInto = [&](Region &into, Region &from) {
      if (into.empty())
        rewriter.createBlock(&into);
      else
        into.front().clear();
      rewriter.setInsertionPointToEnd(&into.front());
      SmallVector<Value> yielded =
          inlineBody(rewriter, from, adaptor.getInputs());
      scf::YieldOp::create(rewriter, loc, results.pack(yielded));
    };
    Type element = getElementTypeOrSelf(op.getIndex().getType());
    Value index = extractScalar(rewriter, loc, adaptor.getIndex());
    Operation *choice;
    if (element.isInteger(1)) {
      index = weft::loadScalar(rewriter, loc, index, element);
      auto built = scf::IfOp::create(rewriter, loc, results.types(), index,
                                     /*addThenBlock=*/false,
                                     /*addElseBlock=*/false);
      inlineInto(built.getThenRegion(), op.getBodies()[1]);
      inlineInto(built.getElseRegion(), op.getBodies()[0]);
      choice = built;
    } else {
      index = clampBelow(op, index, rewriter);
      bool isForGpu = weft::isForGpu(op) && op.getBodies().size() > 1;
      choice = isForGpu
                   ? buildBranches(op, index, 0, results, inlineInto, rewriter)
                   : buildSwitch(op, index, results, inlineInto, rewriter);
    }
    rewriter.setInsertionPointAfter(choice);
    rewriter.replaceOp(op, results.unpack(choice->getResults()));
    return success();
  }

private:
  using InlineFn = llvm::function_ref<void(Region &, Region &)>;

  /// What lies above is the default.
  static Value clampBelow(weft::SwitchOp op, Value index, OpBuilder &b) {
    index = arith::IndexCastOp::create(b, op.getLoc(), b.getIndexType(), index);
    return arith::MaxSIOp::create(b, op.getLoc(), index,
                                  constantIndex(b, op.getLoc(), 0));
  }

  /// The bodies from one on.
  static Operation *buildBranches(weft::SwitchOp op, Value index, unsigned body,
                                  const Passing &results, InlineFn inlineInto,
                                  ConversionPatternRewriter &rewriter) {
    Location loc = op.getLoc();
    Value isThis =
        arith::CmpIOp::create(rewriter, loc, arith::CmpIPredicate::eq, index,
                              constantIndex(rewriter, loc, body));
    auto built = scf::IfOp::create(rewriter, loc, results.types(), isThis,
                                   /*addThenBlock=*/false,
                                   /*addElseBlock=*/false);
    inlineInto(built.getThenRegion(), op.getBodies()[body]);
    Region &others = built.getElseRegion();
    if (body + 2 == op.getBodies().size()) {
      inlineInto(others, op.getBodies()[body + 1]);
      return built;
    }
    rewriter.createBlock(&others);
    Operation *rest =
        buildBranches(op, index, body + 1, results, inlineInto, rewriter);
    rewriter.setInsertionPointAfter(rest);
    scf::YieldOp::create(rewriter, loc, rest->getResults());
    return built;
  }

  static Operation *buildSwitch(weft::SwitchOp op, Value index,
                                const Passing &results, InlineFn inlineInto,
                                ConversionPatternRewriter &rewriter) {
    Location loc = op.getLoc();
    int64_t last = op.getBodies().size() - 1;
    auto cases = llvm::to_vector(llvm::seq<int64_t>(0, last));
    auto built = scf::IndexSwitchOp::create(rewriter, loc, results.types(),
                                            index, cases, cases.size());
    for (int64_t body = 0; body < last; ++body)
      inlineInto(built.getCaseRegions()[body], op.getBodies()[body]);
    inlineInto(built.getDefaultRegion(), op.getBodies()[last]);
    return built;
  }
};

// Pattern: weft.barrier on bools -> weft.barrier on bytes
struct ConvertBarrier final : OpConversionPattern<weft::BarrierOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult
  matchAndRewrite(weft::BarrierOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    ValueRange inputs = adaptor.getInputs();
    rewriter.replaceOpWithNewOp<weft::BarrierOp>(op, inputs.getTypes(), inputs);
    return success();
  }
};

} // namespace

void weft::populateControlToLinalg(const TypeConverter &types,
                                   RewritePatternSet &patterns) {
  patterns.add<LowerScan, LowerWhile, LowerSwitch, ConvertBarrier>(
      types, patterns.getContext());
}
