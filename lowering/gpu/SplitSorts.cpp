// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft-split-sorts: the kernels of the CPU's runtime that sort rows -> the
// steps of sorting on a GPU, a launch each.

#include "lowering/Passes.h"
#include "lowering/gpu/SortStep.h"
#include "mlir/AsmParser/AsmParser.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace weft {
#define GEN_PASS_DEF_SPLITSORTS
#include "lowering/Passes.h.inc"
} // namespace weft

using namespace mlir;
using weft::SortStep;

namespace {

class SplitSorts final : public weft::impl::SplitSortsBase<SplitSorts> {
  void runOnOperation() override {
    getOperation().walk([](weft::LibraryCallOp call) {
      StringRef name = call.getKernel();
      if (name.consume_front("argsort_again_") ||
          name.consume_front("argsort_"))
        split(call, name, /*wantsPlaces=*/true);
      else if (name.consume_front("sort_"))
        split(call, name, /*wantsPlaces=*/false);
    });
  }

  static void split(weft::LibraryCallOp call, StringRef element,
                    bool wantsPlaces) {
    ArrayRef<int64_t> sizes = call.getSizes();
    SortStep step{wantsPlaces ? SortStep::Kind::TilesWithPlaces
                              : SortStep::Kind::Tiles,
                  parseType(element, call.getContext()),
                  sizes[0],
                  sizes[1],
                  sizes[2] != 0,
                  weft::sortTile};
    OpBuilder b(call);
    Location loc = call.getLoc();
    auto keys = cast<RankedTensorType>(call.getInputs()[0].getType());
    Type place = b.getIntegerType(step.size > INT32_MAX ? 64 : 32);
    SmallVector<Value> sorted(call.getInputs());
    while (true) {
      bool isMerge = sorted.front() != call.getInputs()[0];
      int64_t reached = isMerge ? 2 * step.run : step.run;
      bool isLast = reached >= step.size;
      SmallVector<Value> outputs(call.getOutputs());
      if (!isLast) {
        outputs = {empty(b, loc, keys)};
        if (wantsPlaces)
          outputs.push_back(empty(b, loc, keys.clone(place)));
      }
      if (isMerge)
        step.kind = SortStep::Kind::Merge;
      sorted = llvm::to_vector(step.build(b, loc, sorted, outputs));
      if (isLast)
        break;
      step.run = reached;
    }
    call.replaceAllUsesWith(sorted);
    call.erase();
  }

  static Value empty(OpBuilder &b, Location loc, RankedTensorType type) {
    return tensor::EmptyOp::create(b, loc, type.getShape(),
                                   type.getElementType());
  }
};

} // namespace
