// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft-share-kernels: a kernel whose loop may run in any order gets the steps
// that it is to run as arguments.

#include "lowering/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

namespace weft {
#define GEN_PASS_DEF_SHAREKERNELS
#include "lowering/Passes.h.inc"
} // namespace weft

using namespace mlir;

namespace {

class ShareKernels final : public weft::impl::ShareKernelsBase<ShareKernels> {
  void runOnOperation() override {
    SymbolTableCollection symbols;
    SymbolUserMap users(symbols, getOperation());
    for (auto func : getOperation().getOps<func::FuncOp>()) {
      std::optional<int64_t> steps;
      if (scf::ForOp loop = loopOf(func, steps))
        share(func, loop, *steps, users.getUsers(func));
    }
  }

  /// The loop of a kernel that does nothing else, and its length.
  static scf::ForOp loopOf(func::FuncOp func, std::optional<int64_t> &steps) {
    if (func.isExternal() || !func.isPrivate() ||
        func->hasAttr(weft::tasksAttr))
      return {};
    scf::ForOp found;
    for (Operation &op : func.getBody().front().without_terminator()) {
      auto loop = dyn_cast<scf::ForOp>(op);
      if (loop && loop->hasAttr(weft::parallelAttr) && !found &&
          loop.getNumResults() == 0)
        found = loop;
      else if (!isMemoryEffectFree(&op) && !isa<memref::AllocaOp>(op))
        // Each thread would do it, while others are further on.
        return {};
    }
    llvm::APInt steppedBy, last;
    if (!found || !matchPattern(found.getLowerBound(), m_Zero()) ||
        !matchPattern(found.getStep(), m_ConstantInt(&steppedBy)) ||
        !matchPattern(found.getUpperBound(), m_ConstantInt(&last)) ||
        steppedBy != 1)
      return {};
    steps = last.getSExtValue();
    return found;
  }

  static void share(func::FuncOp func, scf::ForOp loop, int64_t steps,
                    ArrayRef<Operation *> users) {
    if (!llvm::all_of(users, llvm::IsaPred<func::CallOp>))
      return;
    OpBuilder b(func);
    Type index = b.getIndexType();
    unsigned first = func.getNumArguments();
    for (unsigned i : {0u, 1u})
      (void)func.insertArgument(first + i, index, b.getDictionaryAttr({}),
                                func.getLoc());
    loop.setLowerBound(func.getArgument(first));
    loop.setUpperBound(func.getArgument(first + 1));
    loop->removeAttr(weft::parallelAttr);
    func->setAttr(weft::tasksAttr, b.getI64IntegerAttr(steps));
    for (Operation *user : users) {
      auto call = cast<func::CallOp>(user);
      b.setInsertionPoint(call);
      SmallVector<Value> arguments(call.getOperands());
      for (int64_t bound : {int64_t(0), steps})
        arguments.push_back(
            arith::ConstantIndexOp::create(b, call.getLoc(), bound));
      func::CallOp::create(b, call.getLoc(), func, arguments);
      call.erase();
    }
  }
};

} // namespace
