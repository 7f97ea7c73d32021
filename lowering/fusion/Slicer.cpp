// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lowering/fusion/Slicer.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;
using weft::Range;
using weft::Ranges;
using weft::Slicer;

std::pair<OpFoldResult, int64_t> Slicer::slice(AffineExpr expr,
                                               const Ranges &ranges,
                                               ArrayRef<int64_t> extents) {
  SmallVector<AffineExpr> zeros(extents.size(), b.getAffineConstantExpr(0));
  auto constant = dyn_cast<AffineConstantExpr>(expr.replaceDims(zeros));
  int64_t last = constant ? constant.getValue() : 0;
  SmallVector<Value> firsts;
  SmallVector<AffineExpr> terms;
  for (unsigned loop = 0; loop < extents.size(); ++loop) {
    int64_t scale = coefficient(expr, loop);
    auto range = ranges.find(loop);
    bool isPart = range != ranges.end();
    // A loop that walks backwards is at the last place in its first step.
    last += std::max<int64_t>(scale, 0) *
            ((isPart ? range->second.size : extents[loop]) - 1);
    if (!isPart || scale == 0)
      continue;
    terms.push_back(b.getAffineDimExpr(firsts.size()) * scale);
    firsts.push_back(range->second.first);
  }
  if (firsts.empty())
    return {b.getIndexAttr(0), last + 1};
  AffineExpr sum = terms.front();
  for (AffineExpr term : ArrayRef(terms).drop_front())
    sum = sum + term;
  Value place = affine::AffineApplyOp::create(
      b, AffineMap::get(firsts.size(), 0, sum), firsts);
  return {place, last + 1};
}

Value Slicer::viewOf(Value buffer, AffineMap map, const Ranges &ranges,
                     ArrayRef<int64_t> extents) {
  auto type = dyn_cast<MemRefType>(buffer.getType());
  if (!type)
    return buffer;
  SmallVector<OpFoldResult> offsets, sizes,
      steps(type.getRank(), b.getIndexAttr(1));
  bool isWhole = true;
  for (auto [expr, extent] :
       llvm::zip_equal(map.getResults(), type.getShape())) {
    auto constant = dyn_cast<AffineConstantExpr>(expr);
    auto [offset, size] = slice(expr, ranges, extents);
    bool isPart = isa<Value>(offset);
    isWhole &= !isPart;
    offsets.push_back(offset);
    sizes.push_back(b.getIndexAttr(isPart && !constant ? size : extent));
  }
  return isWhole ? buffer
                 : memref::SubViewOp::create(b, buffer, offsets, sizes, steps)
                       .getResult();
}

void Slicer::build(linalg::LinalgOp op, const Ranges &ranges,
                   const DenseMap<Value, Value> &replaced) {
  SmallVector<int64_t> extents = op.getStaticLoopRanges();
  SmallVector<Value> views;
  for (OpOperand &operand : op->getOpOperands()) {
    Value part = replaced.lookup(operand.get());
    views.push_back(part ? part
                         : viewOf(operand.get(),
                                  op.getMatchingIndexingMap(&operand), ranges,
                                  extents));
  }
  Operation *part = op.getOperation()->clone();
  part->setOperands(views);
  b.insert(part);
  SmallVector<linalg::IndexOp> indices;
  part->walk([&](linalg::IndexOp number) { indices.push_back(number); });
  for (linalg::IndexOp number : indices) {
    auto range = ranges.find(number.getDim());
    if (range == ranges.end())
      continue;
    OpBuilder inner(number->getContext());
    inner.setInsertionPointAfter(number);
    auto sum = arith::AddIOp::create(inner, number.getLoc(), number,
                                     range->second.first);
    number.getResult().replaceAllUsesExcept(sum, sum);
  }
}

int64_t Slicer::coefficient(AffineExpr expr, unsigned loop) {
  if (auto dim = dyn_cast<AffineDimExpr>(expr))
    return dim.getPosition() == loop;
  auto binary = dyn_cast<AffineBinaryOpExpr>(expr);
  if (!binary)
    return 0;
  if (binary.getKind() == AffineExprKind::Add)
    return coefficient(binary.getLHS(), loop) +
           coefficient(binary.getRHS(), loop);
  auto constant = dyn_cast<AffineConstantExpr>(binary.getRHS());
  return constant ? constant.getValue() * coefficient(binary.getLHS(), loop)
                  : 0;
}
