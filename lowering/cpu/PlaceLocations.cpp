// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft-place-locations: loc(callsite(unknown at "f.py":1:1)) ->
// loc("f.py":1:1), loc(fused["f.py":1:1, "f.py":2:1]) -> loc("f.py":1:1), and a
// global's loc(callsite("f.py":2:3 at ...)) -> loc("f.py":2:3).

#include "lowering/Passes.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

namespace weft {
#define GEN_PASS_DEF_PLACELOCATIONS
#include "lowering/Passes.h.inc"
} // namespace weft

using namespace mlir;

namespace {

FileLineColLoc findPlace(Location loc) {
  return loc->findInstanceOf<FileLineColLoc>();
}

/// Leaves out of a stack of calls each one that is in no file, and of a fused
/// op all lines but the first: LLVM would merge them into none.
Location placed(Location loc) {
  if (auto fused = dyn_cast<FusedLoc>(loc); fused && !fused.getMetadata())
    return placed(fused.getLocations().front());
  auto call = dyn_cast<CallSiteLoc>(loc);
  if (!call)
    return loc;
  Location callee = placed(call.getCallee());
  Location caller = placed(call.getCaller());
  if (!findPlace(callee))
    return caller;
  if (!findPlace(caller))
    return callee;
  return CallSiteLoc::get(callee, caller);
}

class PlaceLocations final
    : public weft::impl::PlaceLocationsBase<PlaceLocations> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    for (Operation &global : module.getOps()) {
      if (isa<LLVM::LLVMFuncOp>(global))
        continue;
      if (FileLineColLoc place = findPlace(global.getLoc()))
        global.setLoc(place);
    }
    module.walk([](Operation *op) { op->setLoc(placed(op->getLoc())); });
  }
};

} // namespace
