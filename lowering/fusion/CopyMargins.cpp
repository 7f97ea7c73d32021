// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft-copy-margins: an update of nearly all of an array, computed of what is
// around each element, makes a new array of what is computed and the margins.

#include "lowering/OptimizationLevel.h"
#include "lowering/Passes.h"
#include "lowering/fusion/Boxes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace weft {
#define GEN_PASS_DEF_COPYMARGINS
#include "lowering/Passes.h.inc"
} // namespace weft

using namespace mlir;
using tensor::InsertSliceOp;
using weft::Box;

namespace {

/// Elements of an array below which its copy costs less than the calls of
/// kernels for its margins.
constexpr int64_t minElements = 1 << 10;
/// How many times as large as its margins an array is at least.
constexpr int64_t minRatio = 8;

/// Whether an array comes from outside of the block, whose buffer what is
/// computed of it cannot be written to at once.
bool isGiven(Value array) {
  auto argument = dyn_cast<BlockArgument>(array);
  if (!argument)
    return false;
  auto func = dyn_cast<func::FuncOp>(argument.getOwner()->getParentOp());
  return !func || !func.getArgAttr(argument.getArgNumber(), weft::donatedAttr);
}

/// Whether what is inserted is computed for that alone, of other elements of
/// the array than those that it takes the places of.
bool isComputedOfOthers(InsertSliceOp insert, const Box &inside) {
  auto op = insert.getSource().getDefiningOp<linalg::LinalgOp>();
  return op && op.hasPureTensorSemantics() && insert.getSource().hasOneUse() &&
         op->getBlock() == insert->getBlock() &&
         llvm::any_of(op.getDpsInputs(), [&](Value input) {
           auto slice = input.getDefiningOp<tensor::ExtractSliceOp>();
           if (!slice || slice.getSource() != insert.getDest())
             return false;
           std::optional<Box> read = weft::boxOf(slice);
           return !read || !(*read == inside);
         });
}

class CopyMargins final : public weft::impl::CopyMarginsBase<CopyMargins> {
  void runOnOperation() override {
    if (!weft::isOptimized(getOperation()))
      return;
    getOperation().walk([](InsertSliceOp insert) {
      std::optional<Box> inside = weft::boxOf(insert);
      int64_t size = insert.getType().getNumElements();
      if (inside && isGiven(insert.getDest()) && size >= minElements &&
          (size - inside->numElements()) * minRatio <= size &&
          isComputedOfOthers(insert, *inside))
        copyMargins(insert, *inside);
    });
  }

  static void copyMargins(InsertSliceOp insert, const Box &inside) {
    OpBuilder b(insert);
    Location loc = insert.getLoc();
    Value array = insert.getDest(),
          result = tensor::EmptyOp::create(b, loc, insert.getType().getShape(),
                                           insert.getType().getElementType());
    auto copy = [&](const Box &box) {
      if (box.numElements() > 0)
        result = weft::insertBox(b, loc, weft::extractBox(b, loc, array, box),
                                 result, box);
    };
    // Along each dimension what is before and after the inside, of what is in
    // it along those before.
    Box rest = Box::whole(insert.getType().getShape());
    for (unsigned dim = 0; dim < rest.sizes.size(); ++dim) {
      Box before = rest, after = rest;
      before.sizes[dim] = inside.offsets[dim];
      after.offsets[dim] = inside.end(dim);
      after.sizes[dim] = rest.sizes[dim] - inside.end(dim);
      copy(before);
      copy(after);
      rest.offsets[dim] = inside.offsets[dim];
      rest.sizes[dim] = inside.sizes[dim];
    }
    insert.getDestMutable().assign(result);
  }
};

} // namespace
