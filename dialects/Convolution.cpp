// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// convolution: its shape, and its two derivatives, which are convolutions with
// the roles of operands and result exchanged.

#include "dialects/Calculus.h"
#include "dialects/Contract.h"
#include "dialects/Folding.h"

using namespace mlir;
using namespace weft;
using namespace weft::calculus;

using Dims = SmallVector<int64_t>;

static ArrayRef<int64_t> shapeOf(Value x) {
  return cast<RankedTensorType>(x.getType()).getShape();
}

Windows ConvolutionOp::getWindows() {
  return {sizesOf(getRhs(), getRhsSpatial()),
          getStrides(),
          getLow(),
          getHigh(),
          getBaseDilation(),
          getWindowDilation()};
}

//===----------------------------------------------------------------------===//
// Roles
//===----------------------------------------------------------------------===//

namespace {
/// A label for each dimension of each array; dimensions of one label are walked
/// together, and those of spatial labels as windows.
struct Roles {
  Dims lhs, rhs, result, spatial;

  explicit Roles(ConvolutionOp op)
      : lhs(shapeOf(op.getLhs()).size(), unlabelled),
        rhs(shapeOf(op.getRhs()).size(), unlabelled) {
    Dims natural = labelPairs(op.getLhsBatch(), op.getRhsBatch());
    spatial = labelPairs(op.getLhsSpatial(), op.getRhsSpatial());
    labelPairs(op.getLhsContract(), op.getRhsContract());
    llvm::append_range(natural, labelRest(lhs));
    llvm::append_range(natural, spatial);
    llvm::append_range(natural, labelRest(rhs));
    for (int64_t place : op.getOrder())
      result.push_back(natural[place]);
  }

  Roles(const Dims &lhs, const Dims &rhs, const Dims &result,
        const Dims &spatial)
      : lhs(lhs), rhs(rhs), result(result), spatial(spatial) {}

  int64_t newLabel() const { return next; }

private:
  static constexpr int64_t unlabelled = -1;
  int64_t next = 0;

  Dims labelPairs(ArrayRef<int64_t> left, ArrayRef<int64_t> right) {
    Dims labels;
    for (auto [l, r] : llvm::zip_equal(left, right)) {
      lhs[l] = rhs[r] = next;
      labels.push_back(next++);
    }
    return labels;
  }
  Dims labelRest(Dims &dims) {
    Dims labels;
    for (int64_t &label : dims)
      if (label == unlabelled)
        labels.push_back(label = next++);
    return labels;
  }
};

int64_t placeOf(int64_t label, const Dims &dims) {
  return llvm::find(dims, label) - dims.begin();
}

/// What the op says of its dimensions, from their labels.
struct Attributes {
  Dims lhsBatch, rhsBatch, lhsContract, rhsContract, lhsSpatial, rhsSpatial,
      order;

  explicit Attributes(const Roles &roles) {
    Dims natural, freeOfLhs;
    for (auto [l, label] : llvm::enumerate(roles.lhs)) {
      if (llvm::is_contained(roles.spatial, label))
        continue;
      bool isPair = llvm::is_contained(roles.rhs, label);
      bool stays = llvm::is_contained(roles.result, label);
      if (!isPair) {
        freeOfLhs.push_back(label);
        continue;
      }
      (stays ? lhsBatch : lhsContract).push_back(l);
      (stays ? rhsBatch : rhsContract).push_back(placeOf(label, roles.rhs));
      if (stays)
        natural.push_back(label);
    }
    llvm::append_range(natural, freeOfLhs);
    for (int64_t label : roles.spatial) {
      lhsSpatial.push_back(placeOf(label, roles.lhs));
      rhsSpatial.push_back(placeOf(label, roles.rhs));
      natural.push_back(label);
    }
    for (int64_t label : roles.rhs)
      if (!llvm::is_contained(roles.lhs, label))
        natural.push_back(label);
    for (int64_t label : roles.result)
      order.push_back(placeOf(label, natural));
  }
};
} // namespace

static Tensor buildConvolution(Tensor lhs, Tensor rhs, RankedTensorType type,
                               const Roles &roles, const Windows &windows,
                               StringAttr precision) {
  Attributes dims(roles);
  return lhs.with(lhs.b->createOrFold<ConvolutionOp>(
      lhs.loc, type, lhs.value, rhs.value, dims.lhsBatch, dims.rhsBatch,
      dims.lhsContract, dims.rhsContract, dims.lhsSpatial, dims.rhsSpatial,
      dims.order, windows.strides, windows.low, windows.high,
      windows.baseDilation, windows.windowDilation, precision));
}

//===----------------------------------------------------------------------===//
// Type
//===----------------------------------------------------------------------===//

static LogicalResult verifyOrder(ConvolutionOp op, int64_t rank) {
  // convolution_c1: each dimension of the result once.
  llvm::SmallBitVector seen(rank);
  for (int64_t place : op.getOrder())
    if (place < 0 || place >= rank || seen.test(place))
      return op.emitOpError()
             << "order " << op.getOrderAttr()
             << " is no permutation of the result's " << rank << " dimensions";
    else
      seen.set(place);
  if (static_cast<int64_t>(op.getOrder().size()) != rank)
    return op.emitOpError() << "order needs one entry for each of " << rank
                            << " dimensions, got " << op.getOrder().size();
  return success();
}

LogicalResult ConvolutionOp::verify() {
  RankedTensorType lhs = getLhs().getType(), rhs = getRhs().getType();
  PairedDims batch{getLhsBatch(), getRhsBatch()},
      contract{getLhsContract(), getRhsContract()},
      spatial{getLhsSpatial(), getRhsSpatial()};
  if (failed(
          verifyDimsOnce(*this, 0, {batch.lhs, contract.lhs, spatial.lhs})) ||
      failed(
          verifyDimsOnce(*this, 1, {batch.rhs, contract.rhs, spatial.rhs})) ||
      failed(verifyPairs(*this, "batch", batch)) ||
      failed(verifyPairs(*this, "contracted", contract)))
    return failure();
  // convolution_c2: spatial dimensions come in pairs.
  if (spatial.lhs.size() != spatial.rhs.size())
    return emitOpError() << spatial.lhs.size()
                         << " spatial dimensions of lhs, but "
                         << spatial.rhs.size() << " of rhs";
  FailureOr<Dims> counts =
      inferWindowCounts(getLoc(), lhs, spatial.lhs, getWindows());
  if (failed(counts))
    return failure();

  Dims natural = sizesOf(getLhs(), batch.lhs);
  llvm::append_range(
      natural,
      sizesOf(getLhs(), dimsWithout(lhs.getRank(),
                                    {batch.lhs, contract.lhs, spatial.lhs})));
  llvm::append_range(natural, *counts);
  llvm::append_range(
      natural,
      sizesOf(getRhs(), dimsWithout(rhs.getRank(),
                                    {batch.rhs, contract.rhs, spatial.rhs})));
  if (failed(verifyOrder(*this, natural.size())))
    return failure();
  Dims shape = llvm::map_to_vector(
      getOrder(), [&](int64_t place) { return natural[place]; });
  return verifySumOfProducts(*this, shape);
}

OpFoldResult ConvolutionOp::fold(FoldAdaptor) {
  // A sum of no products is zero.
  if (llvm::is_contained(sizesOf(getLhs(), getLhsContract()), 0))
    return splatOf(getType(), 0.0);
  return {};
}

//===----------------------------------------------------------------------===//
// Derivatives and batching
//===----------------------------------------------------------------------===//

/// A cotangent of an operand, in the operand's element type.
static Tensor inTypeOf(Value operand, Tensor ct) {
  return convert(ct, getElementTypeOrSelf(operand.getType()));
}

SmallVector<Value> ConvolutionOp::buildPullback(OpBuilder &b, Location loc,
                                                ValueRange cotangents) {
  Tensor ct = TensorOperands(b, loc)(cotangents[0]);
  Roles roles(*this);
  Dims sizes = sizesOf(getLhs(), getLhsSpatial()), counts;
  for (int64_t label : roles.spatial)
    counts.push_back(getType().getDimSize(placeOf(label, roles.result)));
  // The sums are accumulated as those of the result were.
  Type element = getType().getElementType();
  auto accumulated = [&](Value x) { return convert(ct.with(x), element); };

  return eachOperand(*this, [&](unsigned operand) -> Tensor {
    for (Value array : {getLhs(), getRhs(), getResult()})
      if (llvm::is_contained(shapeOf(array), 0))
        return none;
    if (operand == 0) {
      // An element meets the windows it is in, with the window turned around.
      Dims turned(getRhsSpatial());
      llvm::sort(turned);
      Tensor rhs = reverse(accumulated(getRhs()), turned);
      Roles exchanged(roles.result, roles.rhs, roles.lhs, roles.spatial);
      return inTypeOf(
          getLhs(),
          buildConvolution(ct, rhs, getLhs().getType().clone(element),
                           exchanged, getWindows().transposed(sizes, counts),
                           getPrecisionAttr()));
    }
    Roles exchanged(roles.lhs, roles.result, roles.rhs, roles.spatial);
    return inTypeOf(
        getRhs(), buildConvolution(accumulated(getLhs()), ct,
                                   getRhs().getType().clone(element), exchanged,
                                   getWindows().exchanged(sizes, counts),
                                   getPrecisionAttr()));
  });
}

SmallVector<Value> ConvolutionOp::buildTangents(OpBuilder &b, Location loc,
                                                ValueRange tangents) {
  // A product varies with each of its factors.
  return sumOfTangents(*this, b, loc, tangents,
                       [&](unsigned operand, Tensor t) {
                         Operation *term = b.clone(*getOperation());
                         term->setOperand(operand, t.value);
                         term->setLoc(loc);
                         return t.with(term->getResult(0));
                       });
}

/// Two stacks have a batch dimension more, one stack a free dimension; the
/// result has it in front either way.
SmallVector<Value>
ConvolutionOp::buildBatched(OpBuilder &b, Location loc, ValueRange operands,
                            const llvm::SmallBitVector &batched, int64_t size) {
  Roles roles(*this);
  int64_t label = roles.newLabel();
  auto labels = [&](bool isStack, const Dims &own) {
    return isStack ? behind(label, own) : own;
  };
  Roles wide(labels(batched[0], roles.lhs), labels(batched[1], roles.rhs),
             behind(label, roles.result), roles.spatial);
  TensorOperands tensor(b, loc);
  return {buildConvolution(tensor(operands[0]), tensor(operands[1]),
                           stacked(getType(), size), wide, getWindows(),
                           getPrecisionAttr())
              .value};
}
