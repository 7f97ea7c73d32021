// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft-outline-launches: a program on buffers -> kernels, and a host function
// that launches them. What is large runs on the whole device, an op or a loop
// over rows a kernel; what is small joins what stands beside it, loops and
// branches with it, in a kernel of one block. Numbers that one kernel leaves to
// another, or to the host's loops and branches, are left in the arena.

#include "lowering/Alike.h"
#include "lowering/ContractionPlan.h"
#include "lowering/Passes.h"
#include "lowering/RowGroup.h"
#include "lowering/gpu/Device.h"
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

/// The work of an op with what is in it, in simple operations; a loop of which
/// nobody knows how often it runs counts once.
double workOf(Operation *op) {
  if (auto linalgOp = dyn_cast<LinalgOp>(op)) {
    double work = 1 + linalgOp.getBlock()->getOperations().size();
    for (int64_t extent : linalgOp.getStaticLoopRanges())
      work *= ShapedType::isDynamic(extent) ? 1 << 20 : extent;
    return work;
  }
  double work = 0;
  for (Region &region : op->getRegions())
    for (Operation &inner : region.getOps())
      work += workOf(&inner);
  auto loop = dyn_cast<scf::ForOp>(op);
  std::optional<llvm::APInt> steps =
      loop ? loop.getStaticTripCount() : std::nullopt;
  return steps ? work * steps->getSExtValue() : work + 1;
}

/// Whether a loop has steps that may run at once.
bool isParallelLoop(Operation *op) {
  return isa<scf::ForOp>(op) && op->hasAttr(weft::parallelAttr);
}

/// Only the host can do it.
bool isForHost(Operation *op) {
  return op->getName().getStringRef() == "weft.library_call" ||
         isa<memref::AllocOp, memref::DeallocOp, gpu::LaunchFuncOp>(op);
}

/// A view, or arithmetic on what the host knows: whoever needs it computes it.
bool isView(Operation *op) { return isa<ViewLikeOpInterface>(op); }

bool isScalar(Type type) { return !isa<BaseMemRefType>(type); }

class Classifier {
public:
  explicit Classifier(const weft::Gpu &gpu) : gpu(gpu) {}

  bool isLarge(Operation *op) const {
    return (isa<LinalgOp>(op) || isParallelLoop(op)) &&
           workOf(op) > gpu.blockWork;
  }

  /// Whether one block can do it, with all that is in it.
  bool fitsBlock(Operation *op) const {
    return !op->walk<WalkOrder::PreOrder>([&](Operation *inner) {
                if (isForHost(inner) || isLarge(inner))
                  return WalkResult::interrupt();
                return isa<LinalgOp>(inner) ? WalkResult::skip()
                                            : WalkResult::advance();
              }).wasInterrupted();
  }

private:
  const weft::Gpu &gpu;
};

StringRef classOf(Operation *op) {
  auto linalgOp = dyn_cast<LinalgOp>(op);
  if (!linalgOp)
    return op->hasAttr(weft::rowsAttr) ? "rows" : "loop";
  if (weft::isSumOfProducts(op))
    return "product";
  return linalgOp.getNumReductionLoops() == 0 ? "elementwise" : "reduction";
}

//===----------------------------------------------------------------------===//
// Numbers in memory
//===----------------------------------------------------------------------===//

/// Places of numbers at the end of the arena.
class Slots {
public:
  Slots(func::FuncOp func) : func(func) {
    arena = func.getArguments().back();
    bytes = cast<MemRefType>(arena.getType()).getDimSize(0);
  }

  /// A place for a number of a type; it holds an index as i64, and a bool as
  /// i8.
  Value make(Type type, Location loc) {
    OpBuilder b = OpBuilder::atBlockBegin(&func.front());
    Value offset = arith::ConstantIndexOp::create(b, loc, bytes);
    bytes += 64;
    return memref::ViewOp::create(b, loc, MemRefType::get({}, stored(type)),
                                  arena, offset, ValueRange{});
  }

  static Type stored(Type type) {
    Builder b(type.getContext());
    if (type.isIndex())
      return b.getI64Type();
    return type.isInteger(1) ? b.getI8Type() : type;
  }

  static Operation *store(OpBuilder &b, Location loc, Value value, Value slot) {
    if (value.getType().isIndex())
      value = arith::IndexCastOp::create(b, loc, b.getI64Type(), value);
    else if (value.getType().isInteger(1))
      value = arith::ExtUIOp::create(b, loc, b.getI8Type(), value);
    return memref::StoreOp::create(b, loc, value, slot);
  }

  /// The number in a slot; `mark` says who reads it.
  static Value load(OpBuilder &b, Location loc, Type type, Value slot,
                    StringRef mark) {
    auto op = memref::LoadOp::create(b, loc, slot);
    op->setAttr(mark, b.getUnitAttr());
    if (type.isIndex())
      return arith::IndexCastOp::create(b, loc, type, op);
    if (type.isInteger(1))
      return arith::TruncIOp::create(b, loc, type, op);
    return op;
  }

  /// Has the arena grown by what was made.
  void close() {
    auto type =
        MemRefType::get({bytes}, IntegerType::get(func.getContext(), 8));
    arena.setType(type);
    SmallVector<Type> inputs(func.getArgumentTypes());
    inputs.back() = type;
    func.setType(FunctionType::get(func.getContext(), inputs, {}));
    func->setAttr(weft::arenaBytesAttr,
                  Builder(func.getContext()).getI64IntegerAttr(bytes));
  }

private:
  func::FuncOp func;
  BlockArgument arena;
  int64_t bytes;
};

/// Has the host's loops and branches carry buffers alone, and decide by what
/// they read: what they carry otherwise is in slots.
class Demotion {
public:
  explicit Demotion(Slots &slots) : slots(slots) {}

  void demote(scf::ForOp op) {
    OpBuilder b(op);
    Location loc = op.getLoc();
    for (auto [number, argument] : llvm::enumerate(op.getRegionIterArgs())) {
      if (!isScalar(argument.getType()))
        continue;
      Type type = argument.getType();
      Value slot = slots.make(type, loc);
      b.setInsertionPoint(op);
      Slots::store(b, loc, op.getInitArgs()[number], slot);
      b.setInsertionPointToStart(op.getBody());
      argument.replaceAllUsesWith(
          Slots::load(b, loc, type, slot, weft::slotAttr));
      Operation *yield = op.getBody()->getTerminator();
      b.setInsertionPoint(yield);
      Slots::store(b, loc, yield->getOperand(number), slot);
      b.setInsertionPointAfter(op);
      op.getResult(number).replaceAllUsesWith(
          Slots::load(b, loc, type, slot, weft::slotAttr));
    }
    for (OpOperand &bound : op->getOpOperands().take_front(3))
      readOnHost(bound);
    dropScalars(op);
  }

  void demote(scf::WhileOp op) {
    Location loc = op.getLoc();
    OpBuilder b(op);
    Block *before = op.getBeforeBody(), *after = op.getAfterBody();
    scf::YieldOp yield = op.getYieldOp();
    scf::ConditionOp condition = op.getConditionOp();
    for (auto [number, argument] : llvm::enumerate(before->getArguments())) {
      if (!isScalar(argument.getType()))
        continue;
      Type type = argument.getType();
      Value slot = slots.make(type, loc);
      b.setInsertionPoint(op);
      Slots::store(b, loc, op.getInits()[number], slot);
      b.setInsertionPointToStart(before);
      argument.replaceAllUsesWith(
          Slots::load(b, loc, type, slot, weft::slotAttr));
      b.setInsertionPoint(yield);
      Slots::store(b, loc, yield.getOperand(number), slot);
    }
    for (auto [number, argument] : llvm::enumerate(after->getArguments())) {
      if (!isScalar(argument.getType()))
        continue;
      Type type = argument.getType();
      Value slot = slots.make(type, loc);
      b.setInsertionPoint(condition);
      Slots::store(b, loc, condition.getArgs()[number], slot);
      b.setInsertionPointToStart(after);
      argument.replaceAllUsesWith(
          Slots::load(b, loc, type, slot, weft::slotAttr));
      b.setInsertionPointAfter(op);
      op.getResult(number).replaceAllUsesWith(
          Slots::load(b, loc, type, slot, weft::slotAttr));
    }
    readOnHost(condition.getConditionMutable());
    dropScalars(op);
  }

  void demote(scf::IfOp op) {
    Location loc = op.getLoc();
    OpBuilder b(op);
    for (OpResult result : op.getResults()) {
      if (!isScalar(result.getType()))
        continue;
      Value slot = slots.make(result.getType(), loc);
      for (Block *block : {op.thenBlock(), op.elseBlock()}) {
        Operation *yield = block->getTerminator();
        b.setInsertionPoint(yield);
        Slots::store(b, loc, yield->getOperand(result.getResultNumber()), slot);
      }
      b.setInsertionPointAfter(op);
      result.replaceAllUsesWith(
          Slots::load(b, loc, result.getType(), slot, weft::slotAttr));
    }
    readOnHost(op.getConditionMutable());
    dropScalars(op);
  }

  /// Has the host read a number that kernels compute, before the op with the
  /// operand.
  void readOnHost(OpOperand &operand) {
    Value value = operand.get();
    if (isKnownToHost(value))
      return;
    Operation *user = operand.getOwner();
    OpBuilder b(user);
    Value slot = slots.make(value.getType(), user->getLoc());
    Slots::store(b, user->getLoc(), value, slot);
    operand.set(
        Slots::load(b, user->getLoc(), value.getType(), slot, weft::hostAttr));
  }

  /// Whether the host knows a number: a constant, where its loops are, what it
  /// reads, and arithmetic with those.
  static bool isKnownToHost(Value value) {
    Operation *op = value.getDefiningOp();
    if (!op)
      return !isa<LinalgOp>(value.getParentBlock()->getParentOp());
    if (op->hasAttr(weft::hostAttr) || op->hasTrait<OpTrait::ConstantLike>())
      return true;
    return isMemoryEffectFree(op) && op->getNumRegions() == 0 &&
           llvm::all_of(op->getOperands(), isKnownToHost);
  }

private:
  static SmallVector<Value> buffersOf(ValueRange values) {
    return llvm::to_vector(llvm::make_filter_range(
        values, [](Value value) { return !isScalar(value.getType()); }));
  }

  static SmallVector<Type> bufferTypesOf(Operation *op) {
    SmallVector<Type> types;
    for (Type type : op->getResultTypes())
      if (!isScalar(type))
        types.push_back(type);
    return types;
  }

  static void keepBuffers(Operation *yield) {
    yield->setOperands(buffersOf(yield->getOperands()));
  }

  /// Replaces an op by one that has its buffers alone for results.
  static void replaceBuffers(Operation *op, Operation *smaller) {
    auto left = smaller->getResults().begin();
    for (OpResult result : op->getResults())
      if (!isScalar(result.getType()))
        result.replaceAllUsesWith(*left++);
    op->erase();
  }

  /// The op without the numbers that nobody asks it for any longer.
  void dropScalars(scf::ForOp op) {
    OpBuilder b(op);
    auto smaller = scf::ForOp::create(b, op.getLoc(), op.getLowerBound(),
                                      op.getUpperBound(), op.getStep(),
                                      buffersOf(op.getInitArgs()));
    smaller.getRegion().takeBody(op.getRegion());
    Block *body = smaller.getBody();
    body->eraseArguments([&](BlockArgument argument) {
      return argument.getArgNumber() > 0 && isScalar(argument.getType());
    });
    keepBuffers(body->getTerminator());
    replaceBuffers(op, smaller);
  }

  void dropScalars(scf::IfOp op) {
    OpBuilder b(op);
    auto smaller = scf::IfOp::create(b, op.getLoc(), bufferTypesOf(op),
                                     op.getCondition(), op.elseBlock());
    smaller.getThenRegion().takeBody(op.getThenRegion());
    keepBuffers(smaller.thenBlock()->getTerminator());
    if (op.elseBlock()) {
      smaller.getElseRegion().takeBody(op.getElseRegion());
      keepBuffers(smaller.elseBlock()->getTerminator());
    }
    replaceBuffers(op, smaller);
  }

  void dropScalars(scf::WhileOp op) {
    OpBuilder b(op);
    auto smaller = scf::WhileOp::create(b, op.getLoc(), bufferTypesOf(op),
                                        buffersOf(op.getInits()));
    smaller.getBefore().takeBody(op.getBefore());
    smaller.getAfter().takeBody(op.getAfter());
    for (Block *block : {smaller.getBeforeBody(), smaller.getAfterBody()})
      block->eraseArguments(
          [](BlockArgument argument) { return isScalar(argument.getType()); });
    scf::ConditionOp condition = smaller.getConditionOp();
    condition.getArgsMutable().assign(buffersOf(condition.getArgs()));
    keepBuffers(smaller.getAfterBody()->getTerminator());
    replaceBuffers(op, smaller);
  }

  Slots &slots;
};

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
    for (auto sum :
         llvm::make_early_inc_range(block.getOps<linalg::GenericOp>()))
      if (weft::isSumOfProducts(sum) && classifier.isLarge(sum))
        if (linalg::FillOp fill = weft::moveFillTo(sum))
          fills[fill] = sum;
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
            demoteAndContinue(size, next);
      } else if (classifier.fitsBlock(op)) {
        group.push_back(op);
      } else {
        // Its numbers go to slots by ops before it, which join the group.
        Operation *before = op->getPrevNode();
        Operation *after = demoteOp(op);
        for (Operation *added = before ? before->getNextNode() : &block.front();
             added != after; added = added->getNextNode())
          if (!isLeftToUsers(added))
            group.push_back(added);
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
  void demoteAndContinue(OpOperand &size, Operation *&) {
    Operation *user = size.getOwner();
    Operation *before = user->getPrevNode();
    demotion.readOnHost(size);
    Group group;
    for (Operation *added = before->getNextNode(); added != user;
         added = added->getNextNode())
      if (!isLeftToUsers(added))
        group.push_back(added);
    if (!group.empty())
      outline(group, "block");
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

  /// A sum of products with the fill before it and the ops that change each of
  /// its elements; another op alone.
  Group withEpilogue(Operation *op) {
    auto generic = dyn_cast<linalg::GenericOp>(op);
    if (!generic)
      return {op};
    if (!weft::isSumOfProducts(op))
      return {op};
    Group kernel;
    auto fill = op->getPrevNode();
    if (fill && fills.lookup(fill) == op)
      kernel.push_back(fill);
    kernel.push_back(op);
    linalg::GenericOp epilogue = weft::findEpilogue(generic);
    if (epilogue && !overwritesFactor(epilogue, generic))
      kernel.push_back(epilogue);
    return kernel;
  }

  /// Whether an epilogue writes where blocks may still read factors, as it may
  /// if a loop carries them.
  static bool overwritesFactor(linalg::GenericOp epilogue,
                               linalg::GenericOp sum) {
    Value result = rootOf(epilogue.getDpsInits()[0]);
    return llvm::any_of(sum.getDpsInputs(), [&](Value factor) {
      return rootOf(factor) == result;
    });
  }

  /// The buffer that a value is a view of; parts of the arena are apart.
  static Value rootOf(Value buffer) {
    while (auto view = buffer.getDefiningOp<ViewLikeOpInterface>()) {
      if (isa<memref::ViewOp>(view))
        break;
      buffer = view.getViewSource();
    }
    return buffer;
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
    leaveNumbers(ops);
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

  /// Numbers of a group that anything else needs are stored when they are
  /// computed, and loaded where they are needed.
  void leaveNumbers(Group &ops) {
    llvm::SmallPtrSet<Operation *, 16> members(ops.begin(), ops.end());
    // A view of a place that the group computes is made again outside.
    for (Operation *op : llvm::reverse(ops)) {
      if (!isView(op))
        continue;
      for (OpOperand &use : llvm::make_early_inc_range(op->getUses()))
        if (!members.contains(memberOf(use.getOwner(), op->getBlock())))
          use.set(OpBuilder(use.getOwner()).clone(*op)->getResult(0));
    }
    Group all;
    for (Operation *op : ops) {
      all.push_back(op);
      for (OpResult result : op->getResults()) {
        if (!isScalar(result.getType()))
          continue;
        SmallVector<OpOperand *> outside;
        for (OpOperand &use : result.getUses())
          if (!members.contains(memberOf(use.getOwner(), op->getBlock())))
            outside.push_back(&use);
        if (outside.empty())
          continue;
        Value slot = slots.make(result.getType(), op->getLoc());
        OpBuilder b(op->getContext());
        b.setInsertionPointAfter(op);
        Operation *store = Slots::store(b, op->getLoc(), result, slot);
        for (Operation *added = op->getNextNode(); added != store;
             added = added->getNextNode())
          all.push_back(added);
        all.push_back(store);
        for (OpOperand *use : outside) {
          b.setInsertionPoint(use->getOwner());
          use->set(Slots::load(b, op->getLoc(), result.getType(), slot,
                               weft::slotAttr));
        }
      }
    }
    ops = all;
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
  Slots slots;
  Demotion demotion;
  weft::KnownKernels kernels;
  /// What sums of products begin with, each just before its sum.
  DenseMap<Operation *, Operation *> fills;
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
