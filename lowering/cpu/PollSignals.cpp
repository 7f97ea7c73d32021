// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft-poll-signals: a loop of a program that may take long -> the same, which
// lets the runtime look for signals now and then. Without, Ctrl-C would wait
// for a loop that has no end.

#include "lowering/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

namespace weft {
#define GEN_PASS_DEF_POLLSIGNALS
#include "lowering/Passes.h.inc"
} // namespace weft

using namespace mlir;

namespace {

/// Loops of fewer steps are left alone. Those of kernels are, too: they are as
/// long as arrays are.
constexpr int64_t fewestSteps = 1000;

bool mayTakeLong(Operation *op) {
  if (auto loop = dyn_cast<scf::ForOp>(op)) {
    std::optional<APInt> steps = loop.getStaticTripCount();
    return !steps || steps->uge(fewestSteps);
  }
  return isa<scf::WhileOp>(op);
}

class PollSignals final : public weft::impl::PollSignalsBase<PollSignals> {
  void runOnOperation() override {
    for (auto func : getOperation().getOps<func::FuncOp>()) {
      if (!func->hasAttr(weft::arenaBytesAttr) || func.isExternal())
        continue;
      SmallVector<Operation *> loops;
      func.walk([&](Operation *op) {
        if (mayTakeLong(op))
          loops.push_back(op);
      });
      if (loops.empty())
        continue;
      OpBuilder b = OpBuilder::atBlockBegin(&func.getBody().front());
      Location loc = func.getLoc();
      // The address goes nowhere, so that LLVM keeps the number in a register.
      auto type = MemRefType::get({}, b.getI32Type());
      Value left = memref::AllocaOp::create(b, loc, type);
      Value one = arith::ConstantIntOp::create(b, loc, 1, 32);
      memref::StoreOp::create(b, loc, one, left);
      LLVM::LLVMFuncOp poll = declare();
      for (Operation *loop : loops)
        pollIn(loop, left, poll);
    }
  }

  LLVM::LLVMFuncOp declare() {
    ModuleOp module = getOperation();
    if (auto known = module.lookupSymbol<LLVM::LLVMFuncOp>(weft::pollName))
      return known;
    OpBuilder b = OpBuilder::atBlockBegin(module.getBody());
    auto poll = LLVM::LLVMFuncOp::create(
        b, module.getLoc(), weft::pollName,
        LLVM::LLVMFunctionType::get(b.getI32Type(), {}));
    poll.setPassthroughAttr(b.getStrArrayAttr({"cold", "nounwind"}));
    // It changes no array, so that LLVM moves loads across it.
    using LLVM::ModRefInfo;
    poll.setMemoryEffectsAttr(LLVM::MemoryEffectsAttr::get(
        b.getContext(),
        {ModRefInfo::NoModRef, ModRefInfo::NoModRef, ModRefInfo::ModRef,
         ModRefInfo::NoModRef, ModRefInfo::NoModRef, ModRefInfo::NoModRef}));
    return poll;
  }

  static void pollIn(Operation *loop, Value left, LLVM::LLVMFuncOp poll) {
    // LLVM wants a call from a function with lines to have one.
    Location loc = loop->getLoc();
    if (!loc->findInstanceOf<FileLineColLoc>())
      loc = loop->getParentOfType<func::FuncOp>().getLoc();
    OpBuilder b = OpBuilder::atBlockBegin(&loop->getRegion(0).front());
    Value one = arith::ConstantIntOp::create(b, loc, 1, 32);
    Value zero = arith::ConstantIntOp::create(b, loc, 0, 32);
    Value before = memref::LoadOp::create(b, loc, left);
    Value now = arith::SubIOp::create(b, loc, before, one);
    memref::StoreOp::create(b, loc, now, left);
    Value isOver =
        arith::CmpIOp::create(b, loc, arith::CmpIPredicate::sle, now, zero);
    scf::IfOp::create(b, loc, isOver, [&](OpBuilder &b, Location loc) {
      Value next = LLVM::CallOp::create(b, loc, poll, ValueRange{}).getResult();
      memref::StoreOp::create(b, loc, next, left);
      scf::YieldOp::create(b, loc);
    });
  }
};

} // namespace
