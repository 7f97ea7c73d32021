// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft-mark-short: a function that is over in about a microsecond says so, and
// is called without giving the interpreter's lock away, which takes a tenth of
// that.

#include "dialects/Weft.h"
#include "lowering/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

namespace weft {
#define GEN_PASS_DEF_MARKSHORT
#include "lowering/Passes.h.inc"
} // namespace weft

using namespace mlir;

namespace {

/// Operations on one element that take about a microsecond, and what one of the
/// math dialect counts for.
constexpr double mostWork = 4096, mathWork = 16;

double workOf(Block &block);

/// Infinite where it is not known.
double workOf(Operation &op) {
  constexpr double unknown = std::numeric_limits<double>::infinity();
  if (isa<scf::WhileOp, memref::AllocOp, CallOpInterface, weft::LibraryCallOp>(
          op))
    return unknown;
  double times = 1;
  auto count = [&](ArrayRef<int64_t> extents) {
    for (int64_t extent : extents)
      times *= ShapedType::isDynamic(extent) ? unknown : extent;
  };
  if (auto loop = dyn_cast<scf::ForOp>(op)) {
    auto steps = loop.getStaticTripCount();
    times = steps ? steps->getSExtValue() : unknown;
  } else if (auto linalgOp = dyn_cast<linalg::LinalgOp>(op)) {
    count(linalgOp.getStaticLoopRanges());
  } else if (auto copy = dyn_cast<memref::CopyOp>(op)) {
    count(cast<MemRefType>(copy.getTarget().getType()).getShape());
  }
  double work = isa<math::MathDialect>(op.getDialect()) ? mathWork : 1;
  for (Region &region : op.getRegions())
    for (Block &block : region)
      work += workOf(block);
  return times == 0 ? 0 : times * work;
}

double workOf(Block &block) {
  double work = 0;
  for (Operation &op : block)
    work += workOf(op);
  return work;
}

class MarkShort final : public weft::impl::MarkShortBase<MarkShort> {
  void runOnOperation() override {
    func::FuncOp func = getOperation();
    if (!func.isExternal() && workOf(func.getBody().front()) <= mostWork)
      func->setAttr(weft::shortAttr, UnitAttr::get(func.getContext()));
  }
};

} // namespace
