// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft-inline-calls: each function once, those that it calls first, so that no
// body is looked through twice. The last call of a private function takes its
// ops, the others get copies: the work is that of writing down the result. A
// function that is called once is moved before what it calls is, so that the
// stacks of calls in the locations share their ends.

#include "dialects/transforms/Inlining.h"
#include "dialects/transforms/Passes.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;

namespace weft {
#define GEN_PASS_DEF_INLINECALLS
#include "dialects/transforms/Passes.h.inc"
} // namespace weft

using namespace weft;

/// Says of an op and all within it that it is there by a call.
static void addCallSite(Operation *op, Location caller,
                        DenseMap<Location, Location> &known) {
  op->walk([&](Operation *nested) {
    auto [entry, isNew] = known.try_emplace(nested->getLoc(), caller);
    if (isNew)
      entry->second = CallSiteLoc::get(nested->getLoc(), caller);
    nested->setLoc(entry->second);
  });
}

/// Puts the body of `callee` in the place of `call`: itself, or a copy.
static void inlineCall(func::CallOp call, func::FuncOp callee, bool isLast) {
  Block &body = callee.getBody().front();
  Operation *end = body.getTerminator();
  DenseMap<Location, Location> known;
  if (isLast) {
    for (auto [argument, operand] :
         llvm::zip_equal(body.getArguments(), call.getOperands()))
      argument.replaceAllUsesWith(operand);
    for (Operation &op : body.without_terminator())
      addCallSite(&op, call.getLoc(), known);
    call.replaceAllUsesWith(end->getOperands());
    call->getBlock()->getOperations().splice(Block::iterator(call),
                                             body.getOperations(), body.begin(),
                                             Block::iterator(end));
    call.erase();
    return;
  }
  IRMapping mapping;
  mapping.map(body.getArguments(), call.getOperands());
  OpBuilder b(call);
  for (Operation &op : body.without_terminator())
    addCallSite(b.clone(op, mapping), call.getLoc(), known);
  for (auto [result, value] :
       llvm::zip_equal(call.getResults(), end->getOperands()))
    result.replaceAllUsesWith(mapping.lookup(value));
  call.erase();
}

static bool hasOneBlock(func::FuncOp function) {
  return function && llvm::hasSingleElement(function.getBody());
}

void weft::inlineCalls(func::FuncOp function, SymbolTable &symbols,
                       llvm::function_ref<bool(func::FuncOp)> mayInline) {
  Block &body = function.getBody().front();
  for (auto it = body.begin(); it != body.end();) {
    auto call = dyn_cast<func::CallOp>(*it);
    auto callee =
        call ? symbols.lookup<func::FuncOp>(call.getCallee()) : func::FuncOp();
    if (!hasOneBlock(callee) || !mayInline(callee)) {
      ++it;
      continue;
    }
    // The ops of the callee come next.
    auto before = it == body.begin() ? body.end() : std::prev(it);
    inlineCall(call, callee, false);
    it = before == body.end() ? body.begin() : std::next(before);
  }
}

/// The calls in a function, the last one first.
static SmallVector<func::CallOp> callsIn(func::FuncOp function) {
  SmallVector<func::CallOp> calls;
  function.walk([&](func::CallOp call) { calls.push_back(call); });
  std::reverse(calls.begin(), calls.end());
  return calls;
}

namespace {

struct InlineCalls final : weft::impl::InlineCallsBase<InlineCalls> {
  void runOnOperation() final {
    SymbolTable symbols(getOperation());
    this->symbols = &symbols;
    inProgress.clear();
    done.clear();
    uses.clear();
    if (auto found =
            SymbolTable::getSymbolUses(&getOperation().getBodyRegion()))
      for (SymbolTable::SymbolUse use : *found)
        ++uses[use.getSymbolRef().getRootReference()];
    // A function may be gone when its turn comes.
    auto names = llvm::map_to_vector(
        getOperation().getOps<func::FuncOp>(),
        [](func::FuncOp function) { return function.getSymNameAttr(); });
    for (StringAttr name : names)
      if (auto function = symbols.lookup<func::FuncOp>(name))
        visit(function);
  }

private:
  void visit(func::FuncOp function);

  SymbolTable *symbols = nullptr;
  llvm::DenseSet<Operation *> inProgress, done;
  DenseMap<StringAttr, unsigned> uses;
};

} // namespace

void InlineCalls::visit(func::FuncOp function) {
  if (done.contains(function))
    return;
  inProgress.insert(function);
  SmallVector<func::CallOp> calls = callsIn(function);
  while (!calls.empty()) {
    func::CallOp call = calls.pop_back_val();
    auto callee = symbols->lookup<func::FuncOp>(call.getCallee());
    if (!hasOneBlock(callee) || inProgress.contains(callee))
      continue;
    unsigned &left = uses[callee.getSymNameAttr()];
    if (left == 1 && callee.isPrivate()) {
      // Moved before its own calls are looked at, no op moves twice.
      if (!done.contains(callee))
        llvm::append_range(calls, callsIn(callee));
      inlineCall(call, callee, /*isLast=*/true);
      symbols->erase(callee);
      continue;
    }
    --left;
    visit(callee);
    inlineCall(call, callee, /*isLast=*/false);
  }
  inProgress.erase(function);
  done.insert(function);
}
