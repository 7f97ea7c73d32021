// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft-plan-arena: memref.alloc -> memref.view of one arena at a fixed offset.
// Buffers whose lives do not overlap may share bytes; the largest are placed
// first, each at the lowest offset where it fits. Tapes, whose size is known
// when they are made, stay on the heap, and are freed after their last use, as
// does what is freed already.

#include "lowering/Passes.h"
#include "lowering/fusion/ContractionPlan.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Bufferization/Transforms/BufferViewFlowAnalysis.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Interfaces/ValueBoundsOpInterface.h"
#include "llvm/Support/CheckedArithmetic.h"

namespace weft {
#define GEN_PASS_DEF_PLANARENA
#include "lowering/Passes.h.inc"
} // namespace weft

using namespace mlir;

namespace {

constexpr int64_t alignment = 64;

/// A temporary: alive from op number `first` to op number `last` of the block.
struct Temporary {
  memref::AllocOp alloc;
  int64_t bytes = 0;
  size_t first = 0, last = 0;
  int64_t offset = 0;

  bool overlapsInTime(const Temporary &other) const {
    return first <= other.last && other.first <= last;
  }
};

int64_t elementBytes(MemRefType type) {
  Type element = type.getElementType();
  if (auto numbers = dyn_cast<ComplexType>(element))
    return 2 * numbers.getElementType().getIntOrFloatBitWidth() / 8;
  return llvm::divideCeil(element.getIntOrFloatBitWidth(), 8);
}

/// The size of a buffer rounded up to the alignment, or nothing on overflow.
std::optional<int64_t> alignedBytes(MemRefType type) {
  std::optional<int64_t> bytes = elementBytes(type);
  for (int64_t size : type.getShape())
    if (!(bytes = llvm::checkedMul(*bytes, size)))
      return std::nullopt;
  bytes = llvm::checkedAdd(*bytes, alignment - 1);
  if (!bytes)
    return std::nullopt;
  return *bytes / alignment * alignment;
}

/// The ops of a function in the order in which they are written, those within
/// another after it: what is alive from one number to another is alive in
/// between, whatever is a loop there.
class Order {
public:
  explicit Order(func::FuncOp func) {
    func.walk<WalkOrder::PreOrder>([&](Operation *op) { first[op] = next++; });
    // Operations within others end last.
    func.walk([&](Operation *op) {
      size_t end = first[op];
      for (Region &region : op->getRegions())
        for (Block &block : region)
          if (!block.empty())
            end = std::max(end, last[&block.back()]);
      last[op] = end;
    });
    // One kernel may do both: what the second op writes must not lie where the
    // first one reads.
    func.walk([&](linalg::GenericOp sum) {
      if (!weft::isSumOfProducts(sum))
        return;
      if (linalg::GenericOp epilogue = weft::findEpilogue(sum))
        first[epilogue] = first[sum];
    });
  }

  size_t begin(Operation *op) const { return first.at(op); }
  size_t end(Operation *op) const { return last.at(op); }

private:
  size_t next = 0;
  DenseMap<Operation *, size_t> first, last;
};

/// Beyond what any machine has, so that asking for it fails.
constexpr int64_t tooManyBytes = int64_t(1) << 47;

/// Frees a tape after its last use, and has a size that would overflow be one
/// that cannot be had.
LogicalResult placeOnHeap(memref::AllocOp alloc,
                          BufferViewFlowAnalysis &views) {
  MemRefType type = alloc.getType();
  int64_t row = elementBytes(type);
  for (int64_t size : type.getShape().drop_front())
    row *= std::max<int64_t>(size, 1);
  Operation *last = alloc;
  for (Value view : views.resolve(alloc))
    for (Operation *user : view.getUsers()) {
      Operation *op = alloc->getBlock()->findAncestorOpInBlock(*user);
      if (!op || op->hasTrait<OpTrait::IsTerminator>())
        return alloc.emitError("a tape leaves the block that it is made in");
      if (last->isBeforeInBlock(op))
        last = op;
    }
  OpBuilder b(alloc);
  Location loc = alloc.getLoc();
  OpOperand &length = alloc.getDynamicSizesMutable()[0];
  Value most = arith::ConstantIndexOp::create(b, loc, tooManyBytes / row);
  length.set(arith::MinUIOp::create(b, loc, length.get(), most));
  b.setInsertionPointAfter(last);
  memref::DeallocOp::create(b, loc, alloc);
  return success();
}

/// The type of an alloc, but for sizes that are only bounded the most they can
/// be; null if there are others.
MemRefType largestType(memref::AllocOp alloc) {
  MemRefType type = alloc.getType();
  SmallVector<int64_t> shape(type.getShape());
  auto sizes = alloc.getDynamicSizes().begin();
  for (int64_t &size : shape) {
    if (!ShapedType::isDynamic(size))
      continue;
    FailureOr<int64_t> most = ValueBoundsConstraintSet::computeConstantBound(
        presburger::BoundType::UB,
        ValueBoundsConstraintSet::Variable(Value(*sizes++)),
        /*stopCondition=*/nullptr, /*closedUB=*/true);
    if (failed(most) || *most < 0)
      return {};
    size = *most;
  }
  return MemRefType::get(shape, type.getElementType());
}

/// Bytes of the temporaries that a thread keeps on its stack.
constexpr int64_t mostPrivateBytes = 512 << 10;

/// The loop around an op whose steps threads share, or null.
scf::ForOp sharedLoopAround(Operation *op) {
  scf::ForOp loop = op->getParentOfType<scf::ForOp>();
  while (loop &&
         !(loop->hasAttr(weft::rowsAttr) && loop->hasAttr(weft::parallelAttr)))
    loop = loop->getParentOfType<scf::ForOp>();
  return loop;
}

/// Puts the temporaries of steps that threads share on their stacks.
LogicalResult keepOnStacks(func::FuncOp func) {
  SmallVector<memref::AllocOp> allocs;
  func.walk([&](memref::AllocOp alloc) {
    if (sharedLoopAround(alloc))
      allocs.push_back(alloc);
  });
  DenseMap<Operation *, int64_t> kept;
  for (memref::AllocOp alloc : allocs) {
    scf::ForOp loop = sharedLoopAround(alloc);
    MemRefType type = largestType(alloc);
    std::optional<int64_t> bytes =
        type ? alignedBytes(type) : std::optional<int64_t>();
    std::optional<int64_t> all =
        bytes ? llvm::checkedAdd(kept[loop], *bytes) : std::nullopt;
    if (!all || *all > mostPrivateBytes ||
        !alloc.getType().getLayout().isIdentity())
      return loop.emitError("a step of this loop, which threads share, has "
                            "temporaries of more than ")
             << mostPrivateBytes << " bytes, such as one of type "
             << alloc.getType() << "; have it compute smaller tiles";
    kept[loop] = *all;
    for (Operation *user : llvm::make_early_inc_range(alloc->getUsers()))
      if (isa<memref::DeallocOp>(user))
        user->erase();
    OpBuilder b(alloc);
    Location loc = alloc.getLoc();
    IntegerAttr aligned = b.getI64IntegerAttr(alignment);
    Value buffer;
    if (alloc.getType().hasStaticShape()) {
      buffer = memref::AllocaOp::create(b, loc, type, aligned);
    } else {
      buffer = memref::AllocaOp::create(
          b, loc, MemRefType::get({*bytes}, b.getI8Type()), aligned);
      Value zero = arith::ConstantIndexOp::create(b, loc, 0);
      buffer = memref::ViewOp::create(b, loc, alloc.getType(), buffer, zero,
                                      alloc.getDynamicSizes());
    }
    alloc.replaceAllUsesWith(buffer);
    alloc.erase();
  }
  return success();
}

/// Whether it is an array of rows whose number is known at run time only.
bool isTape(MemRefType type) {
  return type.getLayout().isIdentity() && type.getNumDynamicDims() == 1 &&
         type.isDynamicDim(0) && type.getRank() > 0;
}

/// Sets when a buffer is alive: while any op of its block, or a loop there that
/// has one within, uses it or a view of it.
LogicalResult findLife(Temporary &temporary, const Order &order,
                       BufferViewFlowAnalysis &views) {
  memref::AllocOp alloc = temporary.alloc;
  Block *block = alloc->getBlock();
  temporary.first = std::numeric_limits<size_t>::max();
  for (Value view : views.resolve(alloc))
    for (Operation *user : view.getUsers()) {
      Operation *op = block->findAncestorOpInBlock(*user);
      if (!op)
        return alloc.emitError("this temporary is used where the block that it "
                               "is in has ended");
      // A view by itself reads nothing.
      if (op != user || !isa<ViewLikeOpInterface>(user))
        temporary.first = std::min(temporary.first, order.begin(op));
      temporary.last = std::max(temporary.last, order.end(op));
    }
  temporary.first = std::min(temporary.first, temporary.last);
  return success();
}

FailureOr<SmallVector<Temporary>> findTemporaries(func::FuncOp func) {
  Order order(func);
  BufferViewFlowAnalysis views(func);
  SmallVector<Temporary> temporaries;
  SmallVector<memref::AllocOp> tapes;
  WalkResult walk = func.walk([&](memref::AllocOp alloc) {
    if (llvm::any_of(alloc->getUsers(), llvm::IsaPred<memref::DeallocOp>))
      return WalkResult::advance();
    MemRefType type = largestType(alloc);
    if (!type && isTape(alloc.getType())) {
      tapes.push_back(alloc);
      return WalkResult::advance();
    }
    if (!type || !alloc.getType().getLayout().isIdentity()) {
      alloc.emitError("the size of this temporary is not known");
      return WalkResult::interrupt();
    }
    std::optional<int64_t> bytes = alignedBytes(type);
    if (!bytes) {
      alloc.emitError("a temporary of type ")
          << type << " has more bytes than an address can name";
      return WalkResult::interrupt();
    }
    Temporary temporary{alloc, *bytes};
    if (failed(findLife(temporary, order, views)))
      return WalkResult::interrupt();
    temporaries.push_back(temporary);
    return WalkResult::advance();
  });
  if (walk.wasInterrupted())
    return failure();
  for (memref::AllocOp tape : tapes)
    if (failed(placeOnHeap(tape, views)))
      return failure();
  return temporaries;
}

/// Sets every offset and returns the size of the arena, or nothing on overflow.
std::optional<int64_t> place(MutableArrayRef<Temporary> temporaries) {
  SmallVector<Temporary *> bySize;
  for (Temporary &temporary : temporaries)
    bySize.push_back(&temporary);
  llvm::sort(bySize, [](const Temporary *a, const Temporary *b) {
    return std::tie(b->bytes, a->first) < std::tie(a->bytes, b->first);
  });

  int64_t arena = 0;
  SmallVector<Temporary *> placed; // ascending by offset
  for (Temporary *temporary : bySize) {
    int64_t offset = 0;
    for (const Temporary *other : placed) {
      if (!temporary->overlapsInTime(*other))
        continue;
      // Differences of known sums: these cannot overflow.
      if (other->offset - offset >= temporary->bytes)
        break;
      offset = std::max(offset, other->offset + other->bytes);
    }
    std::optional<int64_t> end = llvm::checkedAdd(offset, temporary->bytes);
    if (!end)
      return std::nullopt;
    temporary->offset = offset;
    arena = std::max(arena, *end);
    placed.insert(llvm::upper_bound(placed, temporary,
                                    [](const Temporary *a, const Temporary *b) {
                                      return a->offset < b->offset;
                                    }),
                  temporary);
  }
  return arena;
}

class PlanArena final : public weft::impl::PlanArenaBase<PlanArena> {
  void runOnOperation() override {
    func::FuncOp func = getOperation();
    if (func.isExternal() || func->hasAttr(weft::arenaBytesAttr))
      return;
    if (failed(keepOnStacks(func)))
      return signalPassFailure();
    FailureOr<SmallVector<Temporary>> temporaries = findTemporaries(func);
    if (failed(temporaries))
      return signalPassFailure();
    std::optional<int64_t> bytes = place(*temporaries);
    if (!bytes) {
      func.emitError("the temporaries of function '")
          << func.getSymName() << "' have more bytes than an address can name";
      return signalPassFailure();
    }
    replaceAllocs(func, *temporaries, *bytes);
  }

  void replaceAllocs(func::FuncOp func, ArrayRef<Temporary> temporaries,
                     int64_t bytes) {
    OpBuilder b(func);
    auto arenaType = MemRefType::get({bytes}, b.getI8Type());
    unsigned index = func.getNumArguments();
    (void)func.insertArgument(index, arenaType, b.getDictionaryAttr({}),
                              func.getLoc());
    func->setAttr(weft::arenaBytesAttr, b.getI64IntegerAttr(bytes));
    Value arena = func.getArgument(index);
    for (const Temporary &temporary : temporaries) {
      memref::AllocOp alloc = temporary.alloc;
      b.setInsertionPoint(alloc);
      Value offset =
          arith::ConstantIndexOp::create(b, alloc.getLoc(), temporary.offset);
      Value view =
          memref::ViewOp::create(b, alloc.getLoc(), alloc.getType(), arena,
                                 offset, alloc.getDynamicSizes());
      alloc.replaceAllUsesWith(view);
      alloc.erase();
    }
  }
};

} // namespace
