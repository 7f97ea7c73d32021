// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft-split-products: a product of too few blocks for a GPU -> one of several
// times as many, each a part of the sums, and the sums of those.

#include "lowering/OptimizationLevel.h"
#include "lowering/Passes.h"
#include "lowering/fusion/ReductionSplitter.h"
#include "lowering/gpu/ProductKernel.h"

namespace weft {
#define GEN_PASS_DEF_SPLITPRODUCTS
#include "lowering/Passes.h.inc"
} // namespace weft

using namespace mlir;
using weft::ProductKernel;
using weft::ProductPlan;
using weft::ReductionSplitter;

namespace {

constexpr int64_t mostParts = 128;

class SplitProducts final
    : public weft::impl::SplitProductsBase<SplitProducts> {
  void runOnOperation() override {
    if (!weft::isOptimized(getOperation()))
      return;
    weft::Gpu gpu = weft::Gpu::of(getOperation());
    SmallVector<linalg::GenericOp> sums;
    getOperation().walk([&](linalg::GenericOp op) {
      if (weft::isSumOfProducts(op))
        sums.push_back(op);
    });
    for (linalg::GenericOp sum : sums)
      split(sum, gpu);
  }

  /// Cuts the loop of which the parts take the least time, if they take less.
  static void split(linalg::GenericOp op, const weft::Gpu &gpu) {
    auto splitter = ReductionSplitter::match(op);
    ProductKernel kernel{
        {}, op.getDpsInits()[0].getDefiningOp<linalg::FillOp>(), op, {}};
    auto plan = splitter ? ProductPlan::make(kernel, gpu) : std::nullopt;
    if (!plan)
      return;
    SmallVector<unsigned> reduced;
    op.getReductionDims(reduced);
    SmallVector<int64_t> extents = op.getStaticLoopRanges();
    // What is saved is to be worth the memory.
    double least = 0.8 * plan->microseconds(gpu, 1);
    std::optional<std::pair<unsigned, int64_t>> best;
    for (unsigned loop : reduced)
      for (int64_t parts = 2; parts <= std::min(extents[loop], mostParts);
           ++parts) {
        if (extents[loop] % parts != 0 || !splitter->canSplit(loop))
          continue;
        double time = plan->microseconds(gpu, parts);
        if (time < least)
          least = time, best = {loop, parts};
      }
    if (best)
      splitter->split(best->first, best->second);
  }
};

} // namespace
