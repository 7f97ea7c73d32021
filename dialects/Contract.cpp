// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// dot_general: its shape, and its two derivatives, which are dot_generals.

#include "dialects/Contract.h"
#include "dialects/Calculus.h"
#include "dialects/Folding.h"

using namespace mlir;
using namespace weft;

//===----------------------------------------------------------------------===//
// Sums of products
//===----------------------------------------------------------------------===//

SmallVector<int64_t> weft::dimsWithout(int64_t rank,
                                       ArrayRef<ArrayRef<int64_t>> lists) {
  SmallVector<int64_t> others;
  for (int64_t dim = 0; dim < rank; ++dim)
    if (llvm::none_of(lists, [&](ArrayRef<int64_t> dims) {
          return llvm::is_contained(dims, dim);
        }))
      others.push_back(dim);
  return others;
}

SmallVector<int64_t> weft::sizesOf(Value x, ArrayRef<int64_t> dims) {
  auto type = cast<RankedTensorType>(x.getType());
  return llvm::map_to_vector(dims,
                             [&](int64_t dim) { return type.getDimSize(dim); });
}

static StringRef sideOf(unsigned operand) { return operand ? "rhs" : "lhs"; }

LogicalResult weft::verifyDimsOnce(Operation *op, unsigned operand,
                                   ArrayRef<ArrayRef<int64_t>> lists) {
  auto type = cast<RankedTensorType>(op->getOperand(operand).getType());
  // sum_of_products_c1: dimensions exist and are named once.
  llvm::SmallBitVector seen(type.getRank());
  for (ArrayRef<int64_t> dims : lists)
    for (int64_t dim : dims) {
      if (dim < 0 || dim >= type.getRank())
        return op->emitOpError()
               << sideOf(operand) << " " << type << " has no dimension " << dim;
      if (seen.test(dim))
        return op->emitOpError() << "dimension " << dim << " of "
                                 << sideOf(operand) << " is named twice";
      seen.set(dim);
    }
  return success();
}

LogicalResult weft::verifyPairs(Operation *op, StringRef kind,
                                PairedDims dims) {
  // sum_of_products_c2: dimensions come in pairs of equal size.
  if (dims.lhs.size() != dims.rhs.size())
    return op->emitOpError()
           << dims.lhs.size() << " " << kind << " dimensions of lhs, but "
           << dims.rhs.size() << " of rhs";
  auto lhs = cast<RankedTensorType>(op->getOperand(0).getType()),
       rhs = cast<RankedTensorType>(op->getOperand(1).getType());
  for (auto [l, r] : llvm::zip_equal(dims.lhs, dims.rhs))
    if (lhs.getDimSize(l) != rhs.getDimSize(r))
      return op->emitOpError() << kind << " dimension " << l << " of lhs "
                               << lhs << " and " << r << " of rhs " << rhs
                               << " have different sizes: " << lhs.getDimSize(l)
                               << " and " << rhs.getDimSize(r);
  return success();
}

/// Whether sums of products of elements `from` may be accumulated in `to`.
static bool canAccumulate(Type from, Type to) {
  if (from == to)
    return true;
  if (auto pair = dyn_cast<ComplexType>(to)) {
    auto own = dyn_cast<ComplexType>(from);
    return canAccumulate(own ? own.getElementType() : from,
                         pair.getElementType());
  }
  if (isa<ComplexType>(from))
    return false;
  if (isa<IntegerType>(from) && isa<FloatType>(to))
    return true;
  bool isWider = from.getIntOrFloatBitWidth() < to.getIntOrFloatBitWidth();
  if (isa<FloatType>(from))
    return isa<FloatType>(to) && isWider;
  return isWider && (from.isUnsignedInteger() || !to.isUnsignedInteger());
}

LogicalResult weft::verifySumOfProducts(Operation *op,
                                        ArrayRef<int64_t> shape) {
  auto lhs = cast<RankedTensorType>(op->getOperand(0).getType()),
       rhs = cast<RankedTensorType>(op->getOperand(1).getType()),
       result = cast<RankedTensorType>(op->getResult(0).getType());
  Type from = lhs.getElementType(), to = result.getElementType();
  // sum_of_products_c3: one element type of the operands.
  if (from != rhs.getElementType())
    return op->emitOpError() << "element types differ: " << from << " and "
                             << rhs.getElementType();
  // sum_of_products_c4: the result's can hold it.
  if (!canAccumulate(from, to))
    return op->emitOpError()
           << "cannot accumulate products of " << from << " in " << to
           << ": that must be a wider type of the kind, or a float";
  // sum_of_products_c5: the result's shape follows.
  if (result.getShape() != shape)
    return op->emitOpError() << "needs a result of type " << result.clone(shape)
                             << ", got " << result;
  // sum_of_products_c6: there is one other precision, of one type.
  auto precision = op->getAttrOfType<StringAttr>("precision");
  if (precision && (precision != "tf32" || !to.isF32()))
    return op->emitOpError() << "has the precision " << precision
                             << ", which can only be \"tf32\", of sums of f32";
  return success();
}

//===----------------------------------------------------------------------===//
// Type
//===----------------------------------------------------------------------===//

/// Batch dimensions, then what is left of lhs, then of rhs.
static SmallVector<int64_t> productShape(Value lhs, Value rhs, PairedDims batch,
                                         PairedDims contract) {
  auto free = [](Value x, ArrayRef<int64_t> batch, ArrayRef<int64_t> contract) {
    int64_t rank = cast<RankedTensorType>(x.getType()).getRank();
    return sizesOf(x, dimsWithout(rank, {batch, contract}));
  };
  SmallVector<int64_t> shape = sizesOf(lhs, batch.lhs);
  llvm::append_range(shape, free(lhs, batch.lhs, contract.lhs));
  llvm::append_range(shape, free(rhs, batch.rhs, contract.rhs));
  return shape;
}

void DotGeneralOp::build(OpBuilder &b, OperationState &state, Value lhs,
                         Value rhs, ArrayRef<int64_t> lhsBatch,
                         ArrayRef<int64_t> rhsBatch,
                         ArrayRef<int64_t> lhsContract,
                         ArrayRef<int64_t> rhsContract, StringAttr precision) {
  auto type = cast<RankedTensorType>(lhs.getType());
  SmallVector<int64_t> shape =
      productShape(lhs, rhs, {lhsBatch, rhsBatch}, {lhsContract, rhsContract});
  build(b, state, type.clone(shape), lhs, rhs, lhsBatch, rhsBatch, lhsContract,
        rhsContract, precision);
}

LogicalResult DotGeneralOp::verify() {
  PairedDims batch{getLhsBatch(), getRhsBatch()},
      contract{getLhsContract(), getRhsContract()};
  if (failed(verifyDimsOnce(*this, 0, {batch.lhs, contract.lhs})) ||
      failed(verifyDimsOnce(*this, 1, {batch.rhs, contract.rhs})) ||
      failed(verifyPairs(*this, "batch", batch)) ||
      failed(verifyPairs(*this, "contracted", contract)))
    return failure();
  return verifySumOfProducts(*this,
                             productShape(getLhs(), getRhs(), batch, contract));
}

OpFoldResult DotGeneralOp::fold(FoldAdaptor adaptor) {
  // A sum of no products is zero.
  for (int64_t dim : getLhsContract())
    if (getLhs().getType().getDimSize(dim) == 0)
      return splatOf(getType(), 0.0);
  return {};
}

//===----------------------------------------------------------------------===//
// Derivatives
//===----------------------------------------------------------------------===//

namespace {
/// One operand and the roles of its dimensions.
struct Side {
  Value value;
  ArrayRef<int64_t> batch, contract;
  SmallVector<int64_t> free;

  Side(Value value, ArrayRef<int64_t> batch, ArrayRef<int64_t> contract)
      : value(value), batch(batch), contract(contract),
        free(dimsWithout(cast<RankedTensorType>(value.getType()).getRank(),
                         {batch, contract})) {}
};
} // namespace

/// The cotangent of `self`: ct, which has dimensions batch, lhs free, rhs free,
/// times `other` over the free dimensions of `other`. The product has the
/// dimensions batch, self's free, and other's contracted ones in the order of
/// other's dimensions; a transposition brings them home.
static Value pullbackOf(const Side &self, const Side &other, bool selfIsLhs,
                        calculus::Tensor ct, StringAttr precision) {
  int64_t batch = self.batch.size();
  int64_t selfFree = self.free.size(), otherFree = other.free.size();
  auto range = [](int64_t start, int64_t size) {
    return llvm::to_vector(llvm::seq<int64_t>(start, start + size));
  };
  SmallVector<int64_t> ctBatch = range(0, batch);
  SmallVector<int64_t> ctContract =
      range(batch + (selfIsLhs ? selfFree : 0), otherFree);
  // The sum is accumulated as that of the result was.
  Type element = ct.type().getElementType();
  calculus::Tensor factor = calculus::convert(ct.with(other.value), element);
  Value product = ct.b->createOrFold<DotGeneralOp>(
      ct.loc, ct.value, factor.value, ctBatch, other.batch, ctContract,
      other.free, precision);

  // Where each dimension of the product belongs in self.
  SmallVector<int64_t> home(self.batch);
  llvm::append_range(home, self.free);
  SmallVector<int64_t> sorted(other.contract);
  llvm::sort(sorted);
  for (int64_t dim : sorted)
    home.push_back(self.contract[llvm::find(other.contract, dim) -
                                 other.contract.begin()]);
  SmallVector<int64_t> permutation(home.size());
  for (auto [from, to] : llvm::enumerate(home))
    permutation[to] = from;
  return calculus::convert(calculus::transpose(ct.with(product), permutation),
                           getElementTypeOrSelf(self.value.getType()))
      .value;
}

SmallVector<Value> DotGeneralOp::buildPullback(OpBuilder &b, Location loc,
                                               ValueRange cotangents) {
  calculus::Tensor ct = calculus::TensorOperands(b, loc)(cotangents[0]);
  Side lhs(getLhs(), getLhsBatch(), getLhsContract());
  Side rhs(getRhs(), getRhsBatch(), getRhsContract());
  return eachOperand(*this, [&](unsigned operand) {
    return ct.with(operand == 0
                       ? pullbackOf(lhs, rhs, true, ct, getPrecisionAttr())
                       : pullbackOf(rhs, lhs, false, ct, getPrecisionAttr()));
  });
}

SmallVector<Value> DotGeneralOp::buildTangents(OpBuilder &b, Location loc,
                                               ValueRange tangents) {
  // A product varies with each of its factors.
  return sumOfTangents(*this, b, loc, tangents,
                       [&](unsigned operand, calculus::Tensor t) {
                         Operation *term = b.clone(*getOperation());
                         term->setOperand(operand, t.value);
                         term->setLoc(loc);
                         return t.with(term->getResult(0));
                       });
}

//===----------------------------------------------------------------------===//
// Batching
//===----------------------------------------------------------------------===//

/// The permutation that brings dimension `dim` of `rank` to the front.
static SmallVector<int64_t> toFront(int64_t dim, int64_t rank) {
  SmallVector<int64_t> permutation{dim};
  for (int64_t other = 0; other < rank; ++other)
    if (other != dim)
      permutation.push_back(other);
  return permutation;
}

/// Two stacks have one batch dimension more. One stack has one free dimension
/// more, so that a product of matrices stays one; it comes behind the batch
/// dimensions and, in a stack of right operands, behind the left free ones.
SmallVector<Value>
DotGeneralOp::buildBatched(OpBuilder &b, Location loc, ValueRange operands,
                           const llvm::SmallBitVector &batched, int64_t) {
  Side lhs(getLhs(), getLhsBatch(), getLhsContract());
  Side rhs(getRhs(), getRhsBatch(), getRhsContract());
  auto dims = [](bool isStack, ArrayRef<int64_t> own) {
    return isStack ? dimsInStack(own) : SmallVector<int64_t>(own);
  };
  SmallVector<int64_t> lhsBatch = dims(batched[0], lhs.batch),
                       rhsBatch = dims(batched[1], rhs.batch),
                       lhsContract = dims(batched[0], lhs.contract),
                       rhsContract = dims(batched[1], rhs.contract);
  int64_t front = lhs.batch.size();
  Value left = operands[0], right = operands[1];
  if (batched.all()) {
    lhsBatch = behind(0, lhsBatch);
    rhsBatch = behind(0, rhsBatch);
    front = 0;
  } else if (batched[1] && rhs.free.empty()) {
    // Of a stack of vectors the rows of the result are the stack's.
    std::swap(left, right);
    std::swap(lhsBatch, rhsBatch);
    std::swap(lhsContract, rhsContract);
  } else if (batched[1]) {
    front += lhs.free.size();
  }
  RankedTensorType type = getType().clone(productShape(
      left, right, {lhsBatch, rhsBatch}, {lhsContract, rhsContract}));
  Value product = b.createOrFold<DotGeneralOp>(loc, type, left, right, lhsBatch,
                                               rhsBatch, lhsContract,
                                               rhsContract, getPrecisionAttr());
  int64_t rank = type.getRank();
  return {b.createOrFold<TransposeOp>(loc, product, toFront(front, rank))};
}
