// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft-check-stage: changes nothing; an op of a dialect that the stage does not
// declare is an error at the op's own location, and so is a level of
// optimisation that is none.

#include "lowering/OptimizationLevel.h"
#include "lowering/Passes.h"
#include "lowering/schedule/Schedule.h"
#include "llvm/ADT/StringExtras.h"

namespace weft {
#define GEN_PASS_DEF_CHECKSTAGE
#include "lowering/Passes.h.inc"
} // namespace weft

using namespace mlir;

namespace {

class CheckStage final : public weft::impl::CheckStageBase<CheckStage> {
public:
  using CheckStageBase::CheckStageBase;

private:
  void runOnOperation() override {
    if (failed(weft::verifyOptimizationLevel(getOperation())))
      return signalPassFailure();
    WalkResult walk =
        getOperation().walk<WalkOrder::PreOrder>([&](Operation *op) {
          if (weft::isSchedule(op)) // what later stages will run
            return WalkResult::skip();
          StringRef dialect = op->getName().getDialectNamespace();
          if (dialect == "builtin" || llvm::is_contained(legal, dialect) ||
              llvm::is_contained(legal, op->getName().getStringRef()))
            return WalkResult::advance();
          op->emitError("'")
              << op->getName() << "' is left at stage '" << stage
              << "', which consists of " << llvm::join(legal, ", ");
          return WalkResult::interrupt();
        });
    if (walk.wasInterrupted())
      signalPassFailure();
    markAllAnalysesPreserved();
  }
};

} // namespace
