// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lowering/fusion/PartReads.h"

#include "lowering/fusion/Boxes.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using linalg::GenericOp;
using tensor::ExtractOp;
using tensor::ExtractSliceOp;
using tensor::InsertSliceOp;

bool weft::isPart(InsertSliceOp insert) {
  return isBox(insert) && insert.getType().hasStaticShape() &&
         insert.getSourceType().getNumElements() > 0;
}

SmallVector<InsertSliceOp> weft::insertsOf(Value array, Value &base) {
  SmallVector<InsertSliceOp> inserts;
  base = array;
  for (auto insert = array.getDefiningOp<InsertSliceOp>();
       insert && isPart(insert) && insert->getBlock() == array.getParentBlock();
       insert = base.getDefiningOp<InsertSliceOp>()) {
    // What is put over part of an array that is needed as it was is no copy.
    if (!inserts.empty() && !insert->hasOneUse())
      break;
    inserts.push_back(insert);
    base = insert.getDest();
  }
  return inserts;
}

ExtractOp weft::readAt(OpBuilder &b, GenericOp op, OpOperand &operand) {
  Location loc = operand.get().getLoc();
  SmallVector<OpFoldResult> loops;
  for (unsigned dim = 0; dim < op.getNumLoops(); ++dim)
    loops.push_back(linalg::IndexOp::create(b, loc, dim).getResult());
  AffineMap map = op.getMatchingIndexingMap(&operand);
  SmallVector<Value> at =
      llvm::map_to_vector(map.getResults(), [&](AffineExpr expr) {
        return getValueOrCreateConstantIndexOp(
            b, loc,
            affine::makeComposedFoldedAffineApply(
                b, loc, AffineMap::get(map.getNumDims(), 0, expr), loops));
      });
  return ExtractOp::create(b, loc, operand.get(), at);
}

static Value moved(OpBuilder &b, Location loc, Value index, int64_t offset) {
  if (offset == 0)
    return index;
  Value by = arith::ConstantIndexOp::create(b, loc, offset);
  return arith::AddIOp::create(b, loc, index, by);
}

/// Whether a place is within a part, nothing if it is so everywhere, and
/// where there.
static std::pair<Value, SmallVector<Value>>
placeIn(ExtractOp read, InsertSliceOp insert, OpBuilder &b) {
  Location loc = read.getLoc();
  llvm::SmallBitVector dropped = insert.getDroppedDims();
  ArrayRef<int64_t> whole = insert.getType().getShape();
  Value isThere;
  SmallVector<Value> at;
  for (auto [dim, index] : llvm::enumerate(read.getIndices())) {
    int64_t offset = insert.getStaticOffset(dim),
            size = insert.getStaticSize(dim);
    Value place = index;
    if (size != whole[dim]) {
      auto number = [&](int64_t value) -> Value {
        return arith::ConstantIndexOp::create(b, loc, value);
      };
      auto is = [&](arith::CmpIPredicate what, Value x, int64_t y) -> Value {
        return arith::CmpIOp::create(b, loc, what, x, number(y));
      };
      place = moved(b, loc, index, -offset);
      Value isAlong = size == 1 ? is(arith::CmpIPredicate::eq, index, offset)
                                : is(arith::CmpIPredicate::ult, place, size);
      place = size == 1
                  ? number(0)
                  : arith::SelectOp::create(b, loc, isAlong, place, number(0))
                        .getResult();
      isThere =
          isThere ? arith::AndIOp::create(b, loc, isThere, isAlong).getResult()
                  : isAlong;
    }
    if (!dropped.test(dim))
      at.push_back(place);
  }
  return {isThere, at};
}

ExtractOp weft::readWhole(ExtractOp read, RewriterBase &rewriter) {
  auto slice = read.getTensor().getDefiningOp<ExtractSliceOp>();
  Location loc = read.getLoc();
  llvm::SmallBitVector dropped = slice.getDroppedDims();
  SmallVector<Value> at;
  unsigned next = 0;
  for (auto [dim, offset] : llvm::enumerate(slice.getStaticOffsets()))
    at.push_back(
        dropped.test(dim)
            ? arith::ConstantIndexOp::create(rewriter, loc, offset).getResult()
            : moved(rewriter, loc, read.getIndices()[next++], offset));
  return rewriter.replaceOpWithNewOp<ExtractOp>(read, slice.getSource(), at);
}

void weft::readParts(ExtractOp read, RewriterBase &rewriter,
                     SmallVectorImpl<ExtractOp> &reads) {
  Value base, element;
  SmallVector<InsertSliceOp> inserts = insertsOf(read.getTensor(), base);
  Location loc = read.getLoc();
  auto push = [&](ExtractOp part) {
    reads.push_back(part);
    return part.getResult();
  };
  if (!base.getDefiningOp<tensor::EmptyOp>())
    element = push(ExtractOp::create(rewriter, loc, base, read.getIndices()));
  for (InsertSliceOp insert : llvm::reverse(inserts)) {
    auto [isThere, at] = placeIn(read, insert, rewriter);
    Value part = push(ExtractOp::create(rewriter, loc, insert.getSource(), at));
    element =
        element && isThere
            ? arith::SelectOp::create(rewriter, loc, isThere, part, element)
            : part;
  }
  rewriter.replaceOp(read, element);
}
