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
/// op all lines but the first: LLVM would merge them into none. Ops share the
/// stacks of the calls that they are there by, so each is looked at once.
class Placer {
public:
  Location placed(Location loc) {
    if (auto found = known.find(loc); found != known.end())
      return found->second;
    Location result = compute(loc);
    known.try_emplace(loc, result);
    return result;
  }

private:
  Location compute(Location loc) {
    if (auto fused = dyn_cast<FusedLoc>(loc); fused && !fused.getMetadata())
      return placed(fused.getLocations().front());
    auto call = dyn_cast<CallSiteLoc>(loc);
    if (!call)
      return loc;
    Location callee = placed(call.getCallee());
    Location caller = placed(call.getCaller());
    if (!hasPlace(callee))
      return caller;
    if (!hasPlace(caller))
      return callee;
    return CallSiteLoc::get(callee, caller);
  }

  /// Asked of what was placed: a call that is left has its places.
  static bool hasPlace(Location loc) {
    return isa<CallSiteLoc>(loc) || findPlace(loc);
  }

  DenseMap<Location, Location> known;
};

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
    Placer placer;
    module.walk(
        [&](Operation *op) { op->setLoc(placer.placed(op->getLoc())); });
  }
};

} // namespace
