// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// dot_general: its shape, and its two derivatives, which are dot_generals.

#include "dialects/Calculus.h"
#include "dialects/Folding.h"

using namespace mlir;
using namespace weft;

//===----------------------------------------------------------------------===//
// Type
//===----------------------------------------------------------------------===//

/// The dimensions of an operand of rank `rank` that are in neither list.
static SmallVector<int64_t> freeDims(int64_t rank, ArrayRef<int64_t> batch,
                                     ArrayRef<int64_t> contract) {
  SmallVector<int64_t> free;
  for (int64_t dim = 0; dim < rank; ++dim)
    if (!llvm::is_contained(batch, dim) && !llvm::is_contained(contract, dim))
      free.push_back(dim);
  return free;
}

static LogicalResult verifyDims(std::optional<Location> loc, StringRef side,
                                RankedTensorType type, DenseI64ArrayAttr batch,
                                DenseI64ArrayAttr contract) {
  // dot_general_c1: dimensions exist and are named once.
  llvm::SmallBitVector seen(type.getRank());
  for (DenseI64ArrayAttr dims : {batch, contract})
    for (int64_t dim : dims.asArrayRef()) {
      if (dim < 0 || dim >= type.getRank())
        return emitOptionalError(loc, "dot_general: ", side, " ", type,
                                 " has no dimension ", dim);
      if (seen.test(dim))
        return emitOptionalError(loc, "dot_general: dimension ", dim, " of ",
                                 side, " is named twice");
      seen.set(dim);
    }
  return success();
}

static LogicalResult verifyPairs(std::optional<Location> loc, StringRef kind,
                                 RankedTensorType lhs,
                                 DenseI64ArrayAttr lhsDims,
                                 RankedTensorType rhs,
                                 DenseI64ArrayAttr rhsDims) {
  // dot_general_c2: dimensions come in pairs of equal size.
  if (lhsDims.size() != rhsDims.size())
    return emitOptionalError(loc, "dot_general: ", lhsDims.size(), " ", kind,
                             " dimensions of lhs, but ", rhsDims.size(),
                             " of rhs");
  for (auto [l, r] :
       llvm::zip_equal(lhsDims.asArrayRef(), rhsDims.asArrayRef()))
    if (lhs.getDimSize(l) != rhs.getDimSize(r))
      return emitOptionalError(loc, "dot_general: ", kind, " dimension ", l,
                               " of lhs ", lhs, " and ", r, " of rhs ", rhs,
                               " have different sizes: ", lhs.getDimSize(l),
                               " and ", rhs.getDimSize(r));
  return success();
}

LogicalResult
DotGeneralOp::inferReturnTypes(MLIRContext *, std::optional<Location> loc,
                               ValueRange operands, DictionaryAttr,
                               OpaqueProperties properties, RegionRange,
                               SmallVectorImpl<Type> &types) {
  auto *given = properties.as<Properties *>();
  RankedTensorType lhs = firstOperandType(loc, operands, 2);
  if (!lhs)
    return failure();
  auto rhs = cast<RankedTensorType>(operands[1].getType());
  if (!given || !given->lhs_batch || !given->rhs_batch ||
      !given->lhs_contract || !given->rhs_contract)
    return emitOptionalError(loc, "dot_general: needs lhs_batch, rhs_batch, "
                                  "lhs_contract and rhs_contract");
  // dot_general_c3: one element type.
  if (lhs.getElementType() != rhs.getElementType())
    return emitOptionalError(
        loc, "dot_general: element types differ: ", lhs.getElementType(),
        " and ", rhs.getElementType());
  if (failed(
          verifyDims(loc, "lhs", lhs, given->lhs_batch, given->lhs_contract)) ||
      failed(
          verifyDims(loc, "rhs", rhs, given->rhs_batch, given->rhs_contract)) ||
      failed(verifyPairs(loc, "batch", lhs, given->lhs_batch, rhs,
                         given->rhs_batch)) ||
      failed(verifyPairs(loc, "contracted", lhs, given->lhs_contract, rhs,
                         given->rhs_contract)))
    return failure();
  SmallVector<int64_t> shape;
  for (int64_t dim : given->lhs_batch.asArrayRef())
    shape.push_back(lhs.getDimSize(dim));
  for (int64_t dim :
       freeDims(lhs.getRank(), given->lhs_batch, given->lhs_contract))
    shape.push_back(lhs.getDimSize(dim));
  for (int64_t dim :
       freeDims(rhs.getRank(), given->rhs_batch, given->rhs_contract))
    shape.push_back(rhs.getDimSize(dim));
  types.push_back(lhs.clone(shape));
  return success();
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
        free(freeDims(cast<RankedTensorType>(value.getType()).getRank(), batch,
                      contract)) {}
};
} // namespace

/// The cotangent of `self`: ct, which has dimensions batch, lhs free, rhs free,
/// times `other` over the free dimensions of `other`. The product has the
/// dimensions batch, self's free, and other's contracted ones in the order of
/// other's dimensions; a transposition brings them home.
static Value pullbackOf(const Side &self, const Side &other, bool selfIsLhs,
                        calculus::Tensor ct) {
  int64_t batch = self.batch.size();
  int64_t selfFree = self.free.size(), otherFree = other.free.size();
  auto range = [](int64_t start, int64_t size) {
    return llvm::to_vector(llvm::seq<int64_t>(start, start + size));
  };
  SmallVector<int64_t> ctBatch = range(0, batch);
  SmallVector<int64_t> ctContract =
      range(batch + (selfIsLhs ? selfFree : 0), otherFree);
  Value product =
      ct.b->createOrFold<DotGeneralOp>(ct.loc, ct.value, other.value, ctBatch,
                                       other.batch, ctContract, other.free);

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
  return calculus::transpose(ct.with(product), permutation).value;
}

SmallVector<Value> DotGeneralOp::buildPullback(OpBuilder &b, Location loc,
                                               ValueRange cotangents) {
  calculus::Tensor ct = calculus::TensorOperands(b, loc)(cotangents[0]);
  Side lhs(getLhs(), getLhsBatch(), getLhsContract());
  Side rhs(getRhs(), getRhsBatch(), getRhsContract());
  return eachOperand(*this, [&](unsigned operand) {
    return ct.with(operand == 0 ? pullbackOf(lhs, rhs, true, ct)
                                : pullbackOf(rhs, lhs, false, ct));
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
  Value product = b.createOrFold<DotGeneralOp>(
      loc, left, right, lhsBatch, rhsBatch, lhsContract, rhsContract);
  int64_t rank = cast<RankedTensorType>(product.getType()).getRank();
  return {b.createOrFold<TransposeOp>(loc, product, toFront(front, rank))};
}
