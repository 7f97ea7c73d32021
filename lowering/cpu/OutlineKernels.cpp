// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft-outline-kernels: each linalg op on buffers -> a function of its own and
// a call; the same one for ops that are alike. LLVM's time grows faster than
// the size of a function, and it knows more of arguments that do not alias than
// of places in an arena.

#include "lowering/Alike.h"
#include "lowering/Passes.h"
#include "lowering/fusion/ContractionPlan.h"
#include "lowering/fusion/TilePlan.h"
#include "lowering/memory/Buffers.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Interfaces/ViewLikeInterface.h"
#include "mlir/Transforms/RegionUtils.h"

namespace weft {
#define GEN_PASS_DEF_OUTLINEKERNELS
#include "lowering/Passes.h.inc"
} // namespace weft

using namespace mlir;
using weft::Machine;

namespace {

class OutlineKernels final
    : public weft::impl::OutlineKernelsBase<OutlineKernels> {
  void runOnOperation() override {
    SymbolTable symbols(getOperation());
    Machine machine = Machine::of(getOperation());
    auto funcs = llvm::to_vector(getOperation().getOps<func::FuncOp>());
    for (func::FuncOp func : funcs) {
      if (!func->hasAttr(weft::arenaBytesAttr))
        continue;
      kernels.clear();
      SmallVector<Kernel> found;
      func.walk<WalkOrder::PreOrder>([&](Operation *op) {
        bool isKernel = isa<linalg::LinalgOp>(op) || isKernelLoop(op);
        if (!isKernel || takesTape(op))
          return WalkResult::advance();
        if (op->hasAttr(weft::rowsAttr) && !knowsByOneName(op))
          sinkViews(op);
        Kernel kernel{op};
        auto generic = dyn_cast<linalg::GenericOp>(op);
        if (generic && !found.empty() && isEpilogueOf(generic, found.back())) {
          addEpilogue(generic, found.back());
          return WalkResult::skip();
        }
        if (generic)
          makePartsWithin(generic, kernel);
        if (linalg::FillOp fill = findFill(op, machine)) {
          llvm::erase_if(found, [&](const Kernel &other) {
            return other.front() == fill;
          });
          kernel.insert(kernel.begin(), fill);
        }
        if (!op->hasAttr(weft::rowsAttr) &&
            weft::workOf(op) < machine.shareFrom)
          op->removeAttr(weft::parallelAttr);
        found.push_back(kernel);
        return WalkResult::skip();
      });
      for (const Kernel &kernel : found)
        outline(kernel, func, symbols);
      (void)symbols.rename(func, (func.getSymName() + weft::bodySuffix).str());
    }
  }

  /// Ops that are computed one after the other by one function.
  using Kernel = SmallVector<Operation *, 2>;

  /// The fill with what a sum of products is added to, if nothing sees it
  /// before.
  static linalg::FillOp findFill(Operation *op, const Machine &machine) {
    auto generic = dyn_cast<linalg::GenericOp>(op);
    if (!generic || !weft::isBlockedSum(generic, machine))
      return {};
    Value sums = generic.getDpsInits()[0];
    for (Operation *before = op->getPrevNode(); before;
         before = before->getPrevNode()) {
      auto fill = dyn_cast<linalg::FillOp>(before);
      if (fill && fill.getOutputs()[0] == sums)
        return fill;
      bool isOther = isa<linalg::LinalgOp>(before) &&
                     !weft::touchesOwn(before, weft::ownBufferOf(sums));
      if (!isOther && !isMemoryEffectFree(before))
        return {};
    }
    return {};
  }

  static bool isEpilogueOf(linalg::GenericOp op, const Kernel &kernel) {
    auto sum = dyn_cast<linalg::GenericOp>(kernel.back());
    return sum && weft::findEpilogue(sum) == op;
  }

  /// With the sums, if they are freed when the epilogue has read them, and no
  /// other op has.
  static void addEpilogue(linalg::GenericOp op, Kernel &kernel) {
    auto sum = cast<linalg::GenericOp>(kernel.back());
    kernel.push_back(op);
    auto sums = dyn_cast_or_null<memref::AllocOp>(weft::findConvertedSums(sum));
    if (!sums)
      return;
    Operation *end = nullptr;
    for (Operation *user : sums->getUsers())
      if (isa<memref::DeallocOp>(user))
        end = user;
      else if (!llvm::is_contained(kernel, user))
        return;
    if (!end)
      return;
    kernel.insert(kernel.begin(), sums);
    kernel.push_back(end);
  }

  /// Whether it is a loop over rows, or one that only computes and has effects
  /// on nothing but buffers, each of which it knows by one name.
  static bool isKernelLoop(Operation *op) {
    if (!isa<scf::ForOp>(op) || op->getNumResults() != 0)
      return false;
    if (op->hasAttr(weft::rowsAttr))
      return true;
    bool onlyComputes =
        !op->walk([](Operation *inner) {
             bool isFree = isMemoryEffectFree(inner) ||
                           isa<memref::LoadOp, memref::StoreOp, scf::ForOp,
                               scf::IfOp, scf::YieldOp>(inner) ||
                           isa<vector::VectorDialect>(inner->getDialect());
             return isFree ? WalkResult::advance() : WalkResult::interrupt();
           }).wasInterrupted();
    return onlyComputes && knowsByOneName(op);
  }

  /// Whether an op uses each buffer by one name, and knows its size.
  static bool knowsByOneName(Operation *op) {
    llvm::SetVector<Value> used(op->operand_begin(), op->operand_end());
    getUsedValuesDefinedAbove(op->getRegions(), used);
    llvm::SmallDenseSet<Value> bases;
    return llvm::all_of(used, [&](Value value) {
      auto memref = dyn_cast<MemRefType>(value.getType());
      return !memref || (memref.hasStaticShape() &&
                         bases.insert(weft::ownBufferOf(value)).second);
    });
  }

  /// Has a loop make the views that it uses itself, so that it knows each
  /// buffer by one name.
  static void sinkViews(Operation *loop) {
    Region &region = loop->getRegion(0);
    OpBuilder b = OpBuilder::atBlockBegin(&region.front());
    llvm::SetVector<Value> used;
    getUsedValuesDefinedAbove(region, used);
    SmallVector<Value> above = used.takeVector();
    while (!above.empty()) {
      Value value = above.pop_back_val();
      auto view = value.getDefiningOp<ViewLikeOpInterface>();
      if (!view || isa<memref::ViewOp>(view) || view->getNumResults() != 1)
        continue;
      Operation *own = b.clone(*view);
      b.setInsertionPoint(own);
      replaceAllUsesInRegionWith(value, own->getResult(0), region);
      llvm::append_range(above, own->getOperands());
    }
  }

  /// Has the kernel of an op make the results that are parts of one array, and
  /// what it reads of that, so that it knows the array by one name.
  static void makePartsWithin(linalg::GenericOp op, Kernel &kernel) {
    llvm::SmallDenseMap<Value, int64_t> parts;
    for (Value init : op.getDpsInits())
      ++parts[weft::ownBufferOf(init)];
    OpBuilder b(op);
    IRMapping mapping;
    for (OpOperand &operand : op->getOpOperands()) {
      if (!isa<MemRefType>(operand.get().getType()))
        continue;
      Value own = weft::ownBufferOf(operand.get());
      if (parts.lookup(own) < 2)
        continue;
      SmallVector<Operation *> views;
      for (Value part = operand.get(); part != own;
           part = views.back()->getOperand(0))
        views.push_back(part.getDefiningOp());
      for (Operation *view : llvm::reverse(views))
        if (!mapping.contains(view->getResult(0)))
          kernel.insert(std::prev(kernel.end()), b.clone(*view, mapping));
      operand.set(mapping.lookupOrDefault(operand.get()));
    }
  }

  /// Whether the op is on a whole tape, for which no bare pointer can stand.
  static bool takesTape(Operation *op) {
    return llvm::any_of(op->getOperandTypes(), [](Type type) {
      auto memref = dyn_cast<MemRefType>(type);
      return memref && !memref.hasStaticShape();
    });
  }

  /// Whether a buffer begins at a place that is known only when it runs, so
  /// that no bare pointer can stand for it.
  static bool isShifted(Type type) {
    auto memref = dyn_cast<MemRefType>(type);
    return memref && ShapedType::isDynamic(memref.getStridesAndOffset().second);
  }

  /// The arguments by which a value is passed: of a shifted buffer, the one
  /// that it is part of, and where it begins there.
  static SmallVector<Value> pass(OpBuilder &b, Location loc, Value value) {
    if (!isShifted(value.getType()))
      return {value};
    auto parts = memref::ExtractStridedMetadataOp::create(b, loc, value);
    return {parts.getBaseBuffer(), parts.getOffset()};
  }

  /// What `pass` passed, within the kernel.
  static Value receive(OpBuilder &b, Location loc, Type type,
                       Block::args_iterator &arguments) {
    Value first = *arguments++;
    if (!isShifted(type))
      return first;
    auto memref = cast<MemRefType>(type);
    OpFoldResult offset = Value(*arguments++);
    auto indices = [&](ArrayRef<int64_t> values) {
      return getAsIndexOpFoldResult(b.getContext(), values);
    };
    return memref::ReinterpretCastOp::create(
        b, loc, memref, first, offset, indices(memref.getShape()),
        indices(memref.getStridesAndOffset().first));
  }

  void outline(const Kernel &ops, func::FuncOp func, SymbolTable &symbols) {
    Operation *op = ops.back();
    llvm::SetVector<Value> used;
    for (Operation *each : ops) {
      used.insert(each->operand_begin(), each->operand_end());
      getUsedValuesDefinedAbove(each->getRegions(), used);
    }
    for (Operation *each : ops)
      used.set_subtract(SmallVector<Value>(each->getResults()));
    SmallVector<Value> arguments, constants;
    for (Value value : used)
      (matchPattern(value, m_Constant()) ? constants : arguments)
          .push_back(value);

    // LLVM wants a call from a function with lines to have one.
    Location loc = op->getLoc();
    if (!loc->findInstanceOf<FileLineColLoc>())
      loc = func.getLoc();
    OpBuilder b(op);
    SmallVector<Value> passed;
    for (Value argument : arguments)
      llvm::append_range(passed, pass(b, loc, argument));
    auto kernel = func::FuncOp::create(
        b, loc, (func.getSymName() + "_kernel").str(),
        b.getFunctionType(ValueRange(passed).getTypes(), {}));
    kernel->remove();
    kernel.setPrivate();
    b.setInsertionPointToStart(kernel.addEntryBlock());
    IRMapping mapping;
    auto received = kernel.getArguments().begin();
    for (Value argument : arguments)
      mapping.map(argument, receive(b, loc, argument.getType(), received));
    for (Value constant : constants)
      b.clone(*constant.getDefiningOp(), mapping);
    for (Operation *each : ops)
      // Rows are on the stack of whoever calls, once.
      b.clone(*each, mapping)->walk([&](memref::AllocaOp row) {
        row->moveBefore(&kernel.front(), kernel.front().begin());
      });
    func::ReturnOp::create(b, loc);

    auto known = cast<func::FuncOp>(kernels.findAlike(kernel).getOperation());
    if (known != kernel)
      kernel->erase();
    else
      symbols.insert(kernel, func->getIterator());
    b.setInsertionPoint(op);
    func::CallOp::create(b, loc, known, passed);
    for (Operation *each : llvm::reverse(ops))
      each->erase();
  }

  /// Of the function that is looked at.
  weft::KnownKernels kernels;
};

} // namespace
