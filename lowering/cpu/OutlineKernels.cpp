// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft-outline-kernels: each linalg op on buffers -> a function of its own and
// a call. LLVM's time grows faster than the size of a function, and it knows
// more of arguments that do not alias than of places in an arena.

#include "lowering/Passes.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Transforms/RegionUtils.h"

namespace weft {
#define GEN_PASS_DEF_OUTLINEKERNELS
#include "lowering/Passes.h.inc"
} // namespace weft

using namespace mlir;

namespace {

class OutlineKernels final
    : public weft::impl::OutlineKernelsBase<OutlineKernels> {
  void runOnOperation() override {
    SymbolTable symbols(getOperation());
    auto funcs = llvm::to_vector(getOperation().getOps<func::FuncOp>());
    for (func::FuncOp func : funcs) {
      if (!func->hasAttr(weft::arenaBytesAttr))
        continue;
      auto ops = llvm::to_vector(func.getBody().getOps<linalg::LinalgOp>());
      for (linalg::LinalgOp op : ops)
        outline(op, func, symbols);
    }
  }

  static void outline(Operation *op, func::FuncOp func, SymbolTable &symbols) {
    llvm::SetVector<Value> used(op->operand_begin(), op->operand_end());
    getUsedValuesDefinedAbove(op->getRegions(), used);
    SmallVector<Value> arguments, constants;
    for (Value value : used)
      (matchPattern(value, m_Constant()) ? constants : arguments)
          .push_back(value);

    // LLVM wants a call from a function with lines to have one.
    Location loc = op->getLoc();
    if (!loc->findInstanceOf<FileLineColLoc>())
      loc = func.getLoc();
    OpBuilder b(func.getContext());
    auto kernel = func::FuncOp::create(
        b, loc, (func.getSymName() + "_kernel").str(),
        b.getFunctionType(ValueRange(arguments).getTypes(), {}));
    kernel.setPrivate();
    symbols.insert(kernel, func->getIterator());
    b.setInsertionPointToStart(kernel.addEntryBlock());
    IRMapping mapping;
    mapping.map(arguments, kernel.getArguments());
    for (Value constant : constants)
      b.clone(*constant.getDefiningOp(), mapping);
    b.clone(*op, mapping);
    func::ReturnOp::create(b, loc);

    b.setInsertionPoint(op);
    func::CallOp::create(b, loc, kernel, arguments);
    op->erase();
  }
};

} // namespace
