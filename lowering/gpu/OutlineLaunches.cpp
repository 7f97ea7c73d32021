// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft-outline-launches: a program on buffers -> kernels, and a host function
// that launches them. What is large runs on the whole device, an op or a loop
// over rows a kernel; what is small joins what stands beside it, loops and
// branches with it, in a kernel of one block. Numbers that one kernel leaves to
// another, or to the host's loops and branches, are left in the arena.

#include "dialects/Weft.h"
#include "lowering/Alike.h"
#include "lowering/Passes.h"
#include "lowering/fusion/ContractionPlan.h"
#include "lowering/fusion/RowGroup.h"
#include "lowering/gpu/Demotion.h"
#include "lowering/gpu/Device.h"
#include "lowering/gpu/ScanStep.h"
#include "lowering/gpu/SortStep.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Interfaces/ViewLikeInterface.h"
#include "mlir/Transforms/RegionUtils.h"

namespace weft {
#define GEN_PASS_DEF_OUTLINELAUNCHES
#include "lowering/Passes.h.inc"
} // namespace weft

using namespace mlir;
using linalg::LinalgOp;

namespace {

//===----------------------------------------------------------------------===//
// What runs where
//===----------------------------------------------------------------------===//

/// Whether a loop has steps that may run at once.
bool isParallelLoop(Operation *op) {
  return isa<scf::ForOp>(op) && op->hasAttr(weft::parallelAttr);
}

/// Whether a call is a step that blocks of the device do.
bool isStep(Operation *op) {
  return weft::SortStep::of(op) || weft::ScanStep::of(op);
}

/// Only the host can do it.
bool isForHost(Operation *op) {
  return isa<memref::AllocOp, memref::DeallocOp, gpu::LaunchFuncOp>(op) ||
         (isa<weft::LibraryCallOp>(op) && !isStep(op));
}

/// A view, or arithmetic on what the host knows: whoever needs it computes it.
bool isView(Operation *op) { return isa<ViewLikeOpInterface>(op); }

class Classifier {
public:
  explicit Classifier(const weft::Gpu &gpu) : gpu(gpu) {}

  /// Steps of sorting and of scans are kernels of their own, however short.
  bool isLarge(Operation *op) const {
    return isStep(op) || ((isa<LinalgOp>(op) || isParallelLoop(op)) &&
                          weft::workOf(op) > gpu.blockWork);
  }

  /// Whether one block can do it, with all that is in it.
  bool fitsBlock(Operation *op) const {
    return !op->walk<WalkOrder::PreOrder>([&](Operation *inner) {
                if (isForHost(inner) || isLarge(inner))
                  return WalkResult::interrupt();
                // Rows that are few stay together, whatever a block is for.
                bool isOne =
                    isa<LinalgOp>(inner) || inner->hasAttr(weft::rowsAttr);
                return isOne ? WalkResult::skip() : WalkResult::advance();
              }).wasInterrupted();
  }

private:
  const weft::Gpu &gpu;
};

StringRef classOf(Operation *op) {
  if (weft::SortStep::of(op))
    return "sort";
  if (weft::ScanStep::of(op))
    return "scan";
  auto linalgOp = dyn_cast<LinalgOp>(op);
  if (!linalgOp)
    return op->hasAttr(weft::rowsAttr) ? "rows" : "loop";
  if (weft::isSumOfProducts(op))
    return "product";
  return linalgOp.getNumReductionLoops() == 0 ? "elementwise" : "reduction";
}

//===----------------------------------------------------------------------===//
// Kernels
//===----------------------------------------------------------------------===//

class Outliner {
public:
  Outliner(func::FuncOp func, gpu::GPUModuleOp module)
      : func(func), module(module), symbols(module), gpu(weft::Gpu::of(func)),
        classifier(gpu), slots(func), demotion(slots) {}

  void run() {
    visit(func.front());
    slots.close();
  }

private:
  using Group = SmallVector<Operation *>;

  void visit(Block &block) {
    // Others' fills come to stand in the group that needs them.
    for (auto sum :
         llvm::make_early_inc_range(block.getOps<linalg::GenericOp>()))
      if (sum.getNumReductionLoops() > 0 && sum.getNumDpsInits() == 1)
        if (linalg::FillOp fill = weft::moveFillTo(sum);
            fill && classifier.isLarge(sum)) {
          fills.insert(fill);
          fillOf[sum] = fill;
        }
    Group group;
    auto flush = [&] {
      if (!group.empty())
        outline(group, "block");
      group.clear();
    };
    for (Operation *op = &block.front(); op;) {
      Operation *next = op->getNextNode();
      if (op->hasTrait<OpTrait::IsTerminator>() || isLeftToUsers(op) ||
          fills.contains(op)) {
      } else if (classifier.isLarge(op)) {
        flush();
        Group kernel = withEpilogue(op);
        next = kernel.back()->getNextNode();
        outline(kernel, classOf(op));
      } else if (isForHost(op)) {
        flush();
        if (auto alloc = dyn_cast<memref::AllocOp>(op))
          for (OpOperand &size : alloc->getOpOperands())
            readOnHost(size);
      } else if (classifier.fitsBlock(op)) {
        group.push_back(op);
      } else {
        // Its numbers go to slots by ops before it, which join the group.
        Operation *before = op->getPrevNode();
        Operation *after = demoteOp(op);
        llvm::append_range(group, addedBetween(before, after));
        flush();
        for (Region &region : after->getRegions())
          for (Block &inner : region)
            visit(inner);
        next = after->getNextNode();
      }
      op = next;
    }
    flush();
  }

  /// A tape whose length kernels compute: the host reads it.
  void readOnHost(OpOperand &size) {
    Operation *user = size.getOwner(), *before = user->getPrevNode();
    demotion.readOnHost(size);
    Group group = addedBetween(before, user);
    if (!group.empty())
      outline(group, "block");
  }

  /// The ops after one, or from the beginning of the block, that a kernel does.
  static Group addedBetween(Operation *before, Operation *end) {
    Group group;
    Operation *op = before ? before->getNextNode() : &end->getBlock()->front();
    for (; op != end; op = op->getNextNode())
      if (!isLeftToUsers(op))
        group.push_back(op);
    return group;
  }

  Operation *demoteOp(Operation *op) {
    Block *block = op->getBlock();
    Operation *following = op->getNextNode();
    if (auto loop = dyn_cast<scf::ForOp>(op))
      demotion.demote(loop);
    else if (auto loop = dyn_cast<scf::WhileOp>(op))
      demotion.demote(loop);
    else if (auto branch = dyn_cast<scf::IfOp>(op))
      demotion.demote(branch);
    // What follows begins with loads of slots; the op itself is the last one
    // with regions before them.
    Operation *last = following ? following->getPrevNode() : &block->back();
    while (last->getNumRegions() == 0)
      last = last->getPrevNode();
    return last;
  }

  /// Views, constants, arithmetic on what the host knows, and reads of slots:
  /// each user has its own.
  static bool isLeftToUsers(Operation *op) {
    if (op->hasAttr(weft::slotAttr) || op->hasAttr(weft::hostAttr))
      return true;
    if (!isMemoryEffectFree(op) || op->getNumRegions() > 0)
      return false;
    return llvm::all_of(op->getResults(), isSinkable);
  }

  /// Whether a number can be had anywhere again: of constants, loops' indices
  /// and slots.
  static bool isSinkable(Value value) {
    Operation *op = value.getDefiningOp();
    if (!op || op->hasAttr(weft::slotAttr) || op->hasAttr(weft::hostAttr) ||
        (isa<MemRefType>(value.getType()) && !isView(op)))
      return true;
    return isMemoryEffectFree(op) && op->getNumRegions() == 0 &&
           llvm::all_of(op->getOperands(), isSinkable);
  }

  //===--------------------------------------------------------------------===//
  // Products and what is done with their sums
  //===--------------------------------------------------------------------===//

  /// A reduction with the fill before it, and a sum of products with the ops
  /// that change each of its elements, too; another op alone.
  Group withEpilogue(Operation *op) {
    Group kernel;
    if (Operation *fill = fillOf.lookup(op))
      kernel.push_back(fill);
    kernel.push_back(op);
    if (!weft::isSumOfProducts(op))
      return kernel;
    auto generic = cast<linalg::GenericOp>(op);
    linalg::GenericOp epilogue = weft::findEpilogue(generic);
    if (epilogue && !overwritesFactor(epilogue, generic))
      kernel.push_back(epilogue);
    return kernel;
  }

  /// Whether an epilogue writes where blocks may still read factors, as it may
  /// if a loop carries them.
  static bool overwritesFactor(linalg::GenericOp epilogue,
                               linalg::GenericOp sum) {
    Value result = weft::ownBufferOf(epilogue.getDpsInits()[0]);
    return llvm::any_of(sum.getDpsInputs(), [&](Value factor) {
      return weft::ownBufferOf(factor) == result;
    });
  }

  //===--------------------------------------------------------------------===//
  // Moving ops into kernels
  //===--------------------------------------------------------------------===//

  /// What a kernel is given, and how it has what it needs by it.
  class Receiver {
  public:
    Receiver(OpBuilder &b, Block &entry) : b(b), entry(entry) {}

    SmallVector<Value> passed;

    /// What stands for a value of the host in the kernel.
    Value receive(Value value, IRMapping &mapping) {
      if (Value known = mapping.lookupOrNull(value))
        return known;
      Value own = isPassed(value) ? pass(value) : recompute(value, mapping);
      mapping.map(value, own);
      return own;
    }

  private:
    static bool isPassed(Value value) {
      Operation *op = value.getDefiningOp();
      auto memref = dyn_cast<MemRefType>(value.getType());
      if (!op || op->hasAttr(weft::hostAttr))
        return true;
      if (!memref)
        return op->getNumRegions() > 0;
      if (isa<memref::AllocOp>(op) || op->getNumRegions() > 0)
        return true;
      // Where in the arena or an argument, the host can say.
      return isa<memref::ViewOp>(op);
    }

    Value pass(Value value) {
      passed.push_back(value);
      auto memref = dyn_cast<MemRefType>(value.getType());
      if (!memref || memref.hasStaticShape())
        return entry.addArgument(value.getType(), value.getLoc());
      return passTape(value, memref);
    }

    /// A tape's rows are counted at run time: a pointer and a number.
    Value passTape(Value value, MemRefType type) {
      SmallVector<int64_t> shape(type.getShape());
      shape[0] = 1;
      Value base = entry.addArgument(
          MemRefType::get(shape, type.getElementType()), value.getLoc());
      auto alloc = value.getDefiningOp<memref::AllocOp>();
      SmallVector<OpFoldResult> sizes, strides;
      Value count;
      if (alloc) {
        passed.push_back(alloc.getDynamicSizes()[0]);
        count = entry.addArgument(b.getIndexType(), value.getLoc());
      } else {
        count = arith::ConstantIndexOp::create(b, value.getLoc(), 1);
      }
      sizes.push_back(count);
      int64_t stride = 1;
      for (int64_t size : llvm::reverse(ArrayRef(shape))) {
        strides.push_back(b.getIndexAttr(stride));
        stride *= size;
      }
      std::reverse(strides.begin(), strides.end());
      for (int64_t size : ArrayRef(shape).drop_front())
        sizes.push_back(b.getIndexAttr(size));
      return memref::ReinterpretCastOp::create(b, value.getLoc(), type, base,
                                               OpFoldResult(b.getIndexAttr(0)),
                                               sizes, strides);
    }

    Value recompute(Value value, IRMapping &mapping) {
      Operation *op = value.getDefiningOp();
      for (Value operand : op->getOperands())
        receive(operand, mapping);
      Operation *copy = b.clone(*op, mapping);
      copy->removeAttr(weft::slotAttr);
      return mapping.lookup(value);
    }

    OpBuilder &b;
    Block &entry;
  };

  void outline(Group &ops, StringRef kind) {
    takeViews(ops);
    leaveResults(ops);
    Location loc = locationOf(ops);
    OpBuilder b(func.getContext());
    auto kernel =
        gpu::GPUFuncOp::create(b, loc, (func.getSymName() + "_kernel").str(),
                               b.getFunctionType({}, {}));
    kernel->setAttr(gpu::GPUDialect::getKernelFuncAttrName(), b.getUnitAttr());
    kernel->setAttr(weft::classAttr, b.getStringAttr(kind));
    Block &entry = kernel.front();
    b.setInsertionPointToStart(&entry);

    Receiver receiver(b, entry);
    IRMapping mapping;
    llvm::SetVector<Value> used;
    for (Operation *op : ops) {
      used.insert(op->operand_begin(), op->operand_end());
      getUsedValuesDefinedAbove(op->getRegions(), used);
    }
    llvm::SmallPtrSet<Operation *, 16> members(ops.begin(), ops.end());
    for (Value value : used)
      if (!members.contains(value.getDefiningOp()))
        receiver.receive(value, mapping);
    for (Operation *op : ops)
      b.clone(*op, mapping);
    gpu::ReturnOp::create(b, loc);
    kernel.setFunctionType(b.getFunctionType(entry.getArgumentTypes(), {}));

    auto known = cast<gpu::GPUFuncOp>(kernels.findAlike(kernel).getOperation());
    if (known != kernel)
      kernel->erase();
    else
      symbols.insert(kernel);
    launch(known, ops, receiver.passed, loc);
    for (Operation *op : llvm::reverse(ops))
      op->erase();
  }

  void launch(gpu::GPUFuncOp kernel, const Group &ops,
              SmallVector<Value> &arguments, Location loc) {
    OpBuilder b(ops.back());
    // A tape is passed as if it had one row.
    for (auto [argument, type] :
         llvm::zip_equal(arguments, kernel.getArgumentTypes()))
      if (argument.getType() != type)
        argument = memref::CastOp::create(b, loc, type, argument);
    Value one = arith::ConstantIndexOp::create(b, loc, 1);
    gpu::KernelDim3 ones{one, one, one};
    auto name = SymbolRefAttr::get(module.getSymNameAttr(),
                                   {SymbolRefAttr::get(kernel.getNameAttr())});
    gpu::LaunchFuncOp::create(b, loc, name, ones, ones, Value(), arguments,
                              Type(), ValueRange());
  }

  /// Has a group make the views of buffers of which only its loops know where
  /// they are.
  static void takeViews(Group &ops) {
    Operation *last = ops.back();
    for (size_t i = 0; i < ops.size(); ++i) {
      if (ops[i]->getNumRegions() == 0 && !isView(ops[i]))
        continue;
      for (OpResult result : ops[i]->getResults()) {
        if (weft::isNumber(result.getType()))
          continue;
        for (Operation *user : result.getUsers())
          if (isView(user) && user->getBlock() == last->getBlock() &&
              user->isBeforeInBlock(last) && !llvm::is_contained(ops, user))
            ops.push_back(user);
      }
    }
    llvm::sort(
        ops, [](Operation *a, Operation *b) { return a->isBeforeInBlock(b); });
  }

  /// Numbers of a group that anything else needs are stored when they are
  /// computed, and loaded where they are needed. What a loop leaves in one of
  /// several buffers is copied to where all can find it.
  void leaveResults(Group &ops) {
    llvm::SmallPtrSet<Operation *, 16> members(ops.begin(), ops.end());
    // A view of a place that the group computes is made again outside.
    for (Operation *op : llvm::reverse(ops)) {
      if (!isView(op))
        continue;
      for (OpOperand &use : llvm::make_early_inc_range(op->getUses()))
        if (!members.contains(memberOf(use.getOwner(), op->getBlock())))
          use.set(OpBuilder(use.getOwner()).clone(*op)->getResult(0));
    }
    Group all, copies;
    Operation *last = ops.back();
    for (Operation *op : ops) {
      all.push_back(op);
      for (OpResult result : op->getResults()) {
        bool isNumber = weft::isNumber(result.getType());
        if (!isNumber && op->getNumRegions() == 0)
          continue;
        SmallVector<OpOperand *> outside;
        for (OpOperand &use : result.getUses())
          if (!members.contains(memberOf(use.getOwner(), op->getBlock())))
            outside.push_back(&use);
        if (outside.empty())
          continue;
        if (!isNumber) {
          copies.push_back(leaveBuffer(result, outside, last));
          continue;
        }
        Value slot = slots.make(result.getType(), op->getLoc());
        OpBuilder b(op->getContext());
        b.setInsertionPointAfter(op);
        Operation *store = weft::storeNumber(b, op->getLoc(), result, slot);
        for (Operation *added = op->getNextNode(); added != store;
             added = added->getNextNode())
          all.push_back(added);
        all.push_back(store);
        for (OpOperand *use : outside) {
          b.setInsertionPoint(use->getOwner());
          use->set(weft::loadNumber(b, op->getLoc(), result.getType(), slot,
                                    weft::slotAttr));
        }
      }
    }
    llvm::append_range(all, copies);
    ops = all;
  }

  /// A copy after the last op that may write to a buffer, for those uses.
  Operation *leaveBuffer(OpResult buffer, ArrayRef<OpOperand *> uses,
                         Operation *last) {
    Location loc = buffer.getLoc();
    auto type = cast<MemRefType>(buffer.getType());
    Value place = slots.makeBuffer(type, loc);
    for (OpOperand *use : uses)
      use->set(place);
    OpBuilder b(buffer.getContext());
    b.setInsertionPointAfter(last);
    AffineMap map = b.getMultiDimIdentityMap(type.getRank());
    return linalg::GenericOp::create(
        b, loc, buffer, place, {map, map},
        SmallVector(type.getRank(), utils::IteratorType::parallel),
        [](OpBuilder &inner, Location loc, ValueRange args) {
          linalg::YieldOp::create(inner, loc, args[0]);
        });
  }

  /// The op of a block that an op is, or is in.
  static Operation *memberOf(Operation *op, Block *block) {
    return block->findAncestorOpInBlock(*op);
  }

  Location locationOf(const Group &ops) {
    for (Operation *op : llvm::reverse(ops))
      if (op->getLoc()->findInstanceOf<FileLineColLoc>())
        return op->getLoc();
    return func.getLoc();
  }

  func::FuncOp func;
  gpu::GPUModuleOp module;
  SymbolTable symbols;
  weft::Gpu gpu;
  Classifier classifier;
  weft::Slots slots;
  weft::Demotion demotion;
  weft::KnownKernels kernels;
  /// What large reductions begin with, which their kernels do.
  DenseMap<Operation *, Operation *> fillOf;
  llvm::SmallPtrSet<Operation *, 8> fills;
};

class OutlineLaunches final
    : public weft::impl::OutlineLaunchesBase<OutlineLaunches> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    SmallVector<func::FuncOp> funcs;
    for (auto func : module.getOps<func::FuncOp>())
      if (func->hasAttr(weft::arenaBytesAttr))
        funcs.push_back(func);
    OpBuilder b = OpBuilder::atBlockEnd(module.getBody());
    auto kernels = gpu::GPUModuleOp::create(b, module.getLoc(), "kernels");
    module->setAttr(gpu::GPUDialect::getContainerModuleAttrName(),
                    b.getUnitAttr());
    for (func::FuncOp func : funcs)
      Outliner(func, kernels).run();
    copyGlobals(module, kernels);
  }

  /// Arrays that are constants are the device's own.
  static void copyGlobals(ModuleOp module, gpu::GPUModuleOp kernels) {
    llvm::SmallSetVector<StringRef, 8> names;
    kernels.walk([&](memref::GetGlobalOp op) { names.insert(op.getName()); });
    OpBuilder b = OpBuilder::atBlockBegin(kernels.getBody());
    for (StringRef name : names)
      if (auto global = module.lookupSymbol<memref::GlobalOp>(name))
        b.clone(*global);
  }
};

} // namespace
