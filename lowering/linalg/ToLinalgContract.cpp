// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Contractions -> one linalg.generic, its loops ordered so that the innermost
// one walks through memory and can be computed in vectors.

#include "dialects/Scalar.h"
#include "dialects/Weft.h"
#include "lowering/OptimizationLevel.h"
#include "lowering/Passes.h"
#include "lowering/gpu/Device.h"
#include "lowering/linalg/ToLinalg.h"
#include "lowering/schedule/Schedule.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Complex/IR/Complex.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

using namespace mlir;

/// The products are added in whatever order is fast.
constexpr auto flags =
    arith::FastMathFlags::contract | arith::FastMathFlags::reassoc;

/// s + (a + bi) (c + di), each of the four products added to a part of s.
static Value buildComplexMultiplyAdd(OpBuilder &b, Location loc, Value acc,
                                     Value x, Value y) {
  auto real = [&](Value z) -> Value {
    return complex::ReOp::create(b, loc, z);
  };
  auto imag = [&](Value z) -> Value {
    return complex::ImOp::create(b, loc, z);
  };
  auto product = [&](Value p, Value q) -> Value {
    return arith::MulFOp::create(b, loc, p, q, flags);
  };
  Value re = arith::AddFOp::create(b, loc, real(acc), product(real(x), real(y)),
                                   flags);
  re = arith::SubFOp::create(b, loc, re, product(imag(x), imag(y)), flags);
  Value im = arith::AddFOp::create(b, loc, imag(acc), product(real(x), imag(y)),
                                   flags);
  im = arith::AddFOp::create(b, loc, im, product(imag(x), real(y)), flags);
  return complex::CreateOp::create(b, loc, acc.getType(), re, im);
}

/// acc + x * y. The product says itself how precise it must be: wherever its
/// body goes, so does that.
static Value buildMultiplyAdd(OpBuilder &b, Location loc, Value acc, Value x,
                              Value y, StringAttr precision) {
  if (isa<ComplexType>(acc.getType()))
    return buildComplexMultiplyAdd(b, loc, acc, x, y);
  if (isa<FloatType>(acc.getType())) {
    auto product = arith::MulFOp::create(b, loc, x, y, flags);
    if (precision)
      product->setAttr(weft::precisionAttr, precision);
    return arith::AddFOp::create(b, loc, acc, product, flags);
  }
  Value product = arith::MulIOp::create(b, loc, x, y);
  return arith::AddIOp::create(b, loc, acc, product);
}

/// Whether each sum is of one product.
static bool areProducts(const weft::SumOfProducts &sum) {
  return llvm::all_of(llvm::enumerate(sum.loops), [&](auto loop) {
    if (loop.value() == utils::IteratorType::parallel)
      return true;
    return llvm::all_of_zip(
        ValueRange{sum.lhs, sum.rhs}, ArrayRef(sum.maps).drop_back(),
        [&](Value x, AffineMap map) {
          auto place = map.getResultPosition(
              getAffineDimExpr(loop.index(), map.getContext()));
          return place &&
                 cast<RankedTensorType>(x.getType()).getDimSize(*place) == 1;
        });
  });
}

/// The maps of both factors from the dimensions of the result.
static SmallVector<AffineMap> mapsFromResult(const weft::SumOfProducts &sum) {
  AffineMap result = sum.maps.back();
  MLIRContext *context = result.getContext();
  SmallVector<AffineExpr> places(sum.loops.size(),
                                 getAffineConstantExpr(0, context));
  for (auto [dim, expr] : llvm::enumerate(result.getResults()))
    places[cast<AffineDimExpr>(expr).getPosition()] =
        getAffineDimExpr(dim, context);
  return llvm::map_to_vector(
      ArrayRef(sum.maps).drop_back(), [&](AffineMap map) {
        return map.replaceDimsAndSymbols(places, {}, result.getNumResults(), 0);
      });
}

bool weft::mayRearrange(Operation *op) {
  return isOptimized(op) && !findSchedule(op->getParentOfType<ModuleOp>());
}

Value weft::buildSumOfProducts(OpBuilder &b, Location loc,
                               RankedTensorType type,
                               const SumOfProducts &sum) {
  Type computed = computedElement(type.getElementType());
  RankedTensorType sums = accumulatorType(type);
  Value zero = buildZero(b, loc, sums.getElementType());
  Value init = buildFilled(b, loc, sums, zero);
  auto hasElements = [](Value x) {
    return cast<RankedTensorType>(x.getType()).getNumElements() != 0;
  };
  if (!hasElements(sum.lhs) || !hasElements(sum.rhs))
    return buildRounded(b, loc, init, type);
  auto product = [&](OpBuilder &inner, Location loc, Value acc,
                     ValueRange args) {
    auto factor = [&](Value x, Type element) {
      scalar::Scalar wide = scalar::widen({x, element, &inner, loc});
      return wide.type == computed ? wide.value
                                   : scalar::convert(wide, computed).value;
    };
    Value x = factor(args[0], sum.lhsElement),
          y = factor(args[1], sum.rhsElement);
    return buildMultiplyAdd(inner, loc, acc, x, y, sum.precision);
  };
  Operation *around = b.getInsertionBlock()->getParentOp();
  if (mayRearrange(around) && areProducts(sum))
    return buildRounded(
        b, loc,
        buildParallel(b, loc, sums, {sum.lhs, sum.rhs}, mapsFromResult(sum),
                      [&](OpBuilder &inner, Location loc, ValueRange args) {
                        return SmallVector<Value>{
                            product(inner, loc, zero, args)};
                      }),
        type);
  auto body = [&](OpBuilder &inner, Location loc, ValueRange args) {
    linalg::YieldOp::create(inner, loc,
                            product(inner, loc, args[2], args.take_front(2)));
  };
  auto generic = linalg::GenericOp::create(
      b, loc, TypeRange{sums}, ValueRange{sum.lhs, sum.rhs}, ValueRange{init},
      sum.maps, sum.loops, body);
  return buildRounded(b, loc, generic.getResult(0), type);
}

namespace {

using Dims = SmallVector<int64_t>;

/// Which dimensions of an operand are batch, contracted and free.
struct OperandDims {
  Dims batch, contract, free;
  int64_t rank;

  OperandDims(Value operand, ArrayRef<int64_t> batch,
              ArrayRef<int64_t> contract)
      : batch(batch), contract(contract),
        rank(cast<RankedTensorType>(operand.getType()).getRank()) {
    for (int64_t dim = 0; dim < rank; ++dim)
      if (!llvm::is_contained(batch, dim) && !llvm::is_contained(contract, dim))
        free.push_back(dim);
  }

  bool endsIn(ArrayRef<int64_t> dims) const {
    return llvm::is_contained(dims, rank - 1);
  }
  Dims inOrder() const {
    return llvm::to_vector(llvm::concat<const int64_t>(batch, contract, free));
  }
  /// Dimension `i` is what was number `permutation[i]`.
  void renumber(ArrayRef<int64_t> permutation) {
    for (Dims *group : {&batch, &contract, &free})
      for (int64_t &dim : *group)
        dim = permutation[dim];
  }
};

/// The loop of each dimension, by its place in the nest.
struct Nest {
  Dims lhs, rhs, result;
  Dims reduced;
  int64_t depth = 0;
  bool reductionIsInnermost = false;

  // n is innermost where r has it innermost: it is parallel, and consecutive in
  // r and in the result. Otherwise m or k is.
  Nest(const OperandDims &l, const OperandDims &r) : lhs(l.rank), rhs(r.rank) {
    bool innermostM = r.free.empty() && l.endsIn(l.free);
    reductionIsInnermost = r.free.empty() ? !innermostM : !r.endsIn(r.free);
    addPairs(l.batch, r.batch);
    if (innermostM)
      addReduced(l, r);
    addFree(l.free, lhs);
    if (!innermostM && !reductionIsInnermost)
      addReduced(l, r);
    addFree(r.free, rhs);
    if (reductionIsInnermost)
      addReduced(l, r);
    for (int64_t dim : l.batch)
      result.push_back(lhs[dim]);
    for (int64_t dim : l.free)
      result.push_back(lhs[dim]);
    for (int64_t dim : r.free)
      result.push_back(rhs[dim]);
  }

private:
  void addPairs(ArrayRef<int64_t> left, ArrayRef<int64_t> right) {
    for (auto [l, r] : llvm::zip_equal(left, right))
      lhs[l] = rhs[r] = depth++;
  }
  void addFree(ArrayRef<int64_t> dims, Dims &places) {
    for (int64_t dim : dims)
      places[dim] = depth++;
  }
  void addReduced(const OperandDims &l, const OperandDims &r) {
    int64_t first = depth;
    addPairs(l.contract, r.contract);
    reduced = llvm::to_vector(llvm::seq(first, depth));
  }
};

weft::SumOfProducts describe(Value lhs, Value rhs, Type element,
                             const Nest &nest, StringAttr precision) {
  MLIRContext *context = lhs.getContext();
  auto map = [&](ArrayRef<int64_t> places) {
    auto exprs = llvm::map_to_vector(places, [&](int64_t place) {
      return getAffineDimExpr(place, context);
    });
    return AffineMap::get(nest.depth, 0, exprs, context);
  };
  SmallVector<utils::IteratorType> loops(nest.depth,
                                         utils::IteratorType::parallel);
  for (int64_t place : nest.reduced)
    loops[place] = utils::IteratorType::reduction;
  return {lhs,
          rhs,
          element,
          element,
          {map(nest.lhs), map(nest.rhs), map(nest.result)},
          loops,
          precision};
}

/// Copies `x` into the order batch, contracted, free, and renumbers `dims`.
Value moveDims(OpBuilder &b, Location loc, Value x, OperandDims &dims) {
  auto type = cast<RankedTensorType>(x.getType());
  Dims order = dims.inOrder();
  auto shape = llvm::map_to_vector(
      order, [&](int64_t dim) { return type.getDimSize(dim); });
  int64_t next = 0;
  for (Dims *group : {&dims.batch, &dims.contract, &dims.free})
    for (int64_t &dim : *group)
      dim = next++;
  auto toResult = AffineMap::getPermutationMap(order, b.getContext());
  return weft::buildRemapped(b, loc, type.clone(shape), x,
                             inversePermutation(toResult));
}

int64_t countOf(Value x, ArrayRef<int64_t> dims) {
  auto type = cast<RankedTensorType>(x.getType());
  int64_t count = 1;
  for (int64_t dim : dims)
    count *= type.getDimSize(dim);
  return count;
}

/// Whether tensor cores of a GPU multiply. Lines of their factors may be along
/// what is summed or not.
bool isForTensorCores(weft::DotGeneralOp op) {
  Type element = op.getLhs().getType().getElementType();
  bool isMultiplied = element.isF16() || element.isBF16() || element.isF64() ||
                      element.isInteger(8) || op.getPrecision();
  return isMultiplied && weft::isForGpu(op);
}

/// Whether lines begin at multiples of what is copied at once.
bool hasAlignedLines(Value x) {
  auto type = cast<RankedTensorType>(x.getType());
  constexpr int64_t bits = 128;
  return type.getRank() > 0 &&
         type.getShape().back() * type.getElementTypeBitWidth() % bits == 0;
}

/// What a factor is the transposition of, and its dimensions there: reading it
/// where it lies saves a copy. Not where tensor cores would read worse lines:
/// unaligned, or, of bytes, in need of being turned again.
Value readTransposed(Value x, OperandDims &dims, bool isForCores) {
  while (auto turned = x.getDefiningOp<weft::TransposeOp>()) {
    Value source = turned.getX();
    OperandDims own = dims;
    own.renumber(turned.getPermutation());
    bool isOfBytes = getElementTypeOrSelf(x.getType()).isInteger(8);
    if (isForCores && ((hasAlignedLines(x) && !hasAlignedLines(source)) ||
                       (isOfBytes && !own.endsIn(own.contract))))
      break;
    dims = own;
    x = source;
  }
  return x;
}

/// Whether the right factor of a product on CPUs is left as it lies, the steps
/// of the sum side by side: blocks of it are turned where rows read them. A
/// copy of all of it is worth while where very many rows read it, but for what
/// matrix tiles multiply, which is packed in another order anyway. A loop would
/// turn the same blocks again in each of its steps.
bool isTurnedInBlocks(weft::DotGeneralOp op, const OperandDims &l,
                      const OperandDims &r, Value rhs) {
  // The products of many rows each are often scores, that exist in blocks only.
  constexpr int64_t mostRows = 512, mostRowsOfMany = 64, least = 16;
  int64_t rows = countOf(op.getLhs(), l.free);
  Type element = op.getLhs().getType().getElementType();
  bool isPacked = element.isBF16() || element.isInteger(8);
  bool isFew =
      r.batch.empty() ? isPacked || rows <= mostRows : rows <= mostRowsOfMany;
  return !weft::isForGpu(op) && isa<func::FuncOp>(op->getParentOp()) &&
         (isa<FloatType>(element) || element.isInteger(8)) && isFew &&
         r.free.size() == 1 && r.contract.size() == 1 && r.endsIn(r.contract) &&
         countOf(rhs, r.free) >= least && countOf(rhs, r.contract) >= least;
}

// Pattern: dot_general(l, r) -> generic over batch, m, k, n { s + l * r }
struct LowerContraction final : OpConversionPattern<weft::DotGeneralOp> {
  using OpConversionPattern::OpConversionPattern;

  /// An element of a factor that is read this often is worth moving first.
  static constexpr int64_t worthMoving = 4;

  LogicalResult
  matchAndRewrite(weft::DotGeneralOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Value lhs = adaptor.getLhs(), rhs = adaptor.getRhs();
    OperandDims l(lhs, op.getLhsBatch(), op.getLhsContract());
    OperandDims r(rhs, op.getRhsBatch(), op.getRhsContract());
    bool isForCores = isForTensorCores(op);
    int64_t readsOfLhs = countOf(rhs, r.free),
            readsOfRhs = countOf(lhs, l.free);
    if (isForCores || readsOfLhs < worthMoving)
      lhs =
          rewriter.getRemappedValue(readTransposed(op.getLhs(), l, isForCores));
    OperandDims turned = r;
    Value source = readTransposed(op.getRhs(), turned, isForCores);
    bool isTurned = isTurnedInBlocks(op, l, turned, source);
    if (isForCores || isTurned || readsOfRhs < worthMoving)
      rhs =
          rewriter.getRemappedValue(readTransposed(op.getRhs(), r, isForCores));
    if (!lhs || !rhs)
      return rewriter.notifyMatchFailure(op, "a factor is not lowered yet");
    if (!isForCores && !isTurned && readsOfRhs >= worthMoving &&
        !r.free.empty() && !r.endsIn(r.free))
      rhs = moveDims(rewriter, loc, rhs, r);
    Type element = op.getLhs().getType().getElementType();
    rewriter.replaceOp(
        op, weft::buildSumOfProducts(rewriter, loc, op.getType(),
                                     describe(lhs, rhs, element, Nest(l, r),
                                              op.getPrecisionAttr())));
    return success();
  }
};

} // namespace

void weft::populateContractionsToLinalg(const TypeConverter &types,
                                        RewritePatternSet &patterns) {
  patterns.add<LowerContraction>(types, patterns.getContext());
}
