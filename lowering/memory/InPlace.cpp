// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A loop's body may overwrite a tensor that it was given when everything that
// reads it has been computed, or reads each element just before that element is
// written. What cannot be computed in place goes to a second buffer, and the
// two change places: no tensor is ever copied only to be carried on.

#include "lowering/memory/InPlace.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "mlir/Interfaces/LoopLikeInterface.h"
#include "llvm/ADT/SmallPtrSet.h"

using namespace mlir;

namespace {

/// How a value of a block comes about: `first` is the earliest op that writes
/// its elements and `init` what that op updates (null for a choice).
struct Origin {
  Operation *first = nullptr;
  OpOperand *init = nullptr;

  Value begins() const { return init ? init->get() : Value(); }
};

bool isChoice(Operation *op) { return isa<scf::IfOp, scf::IndexSwitchOp>(op); }

Origin originOf(Value value, Block &block) {
  Origin origin;
  while (auto result = dyn_cast<OpResult>(value)) {
    Operation *op = result.getOwner();
    if (op->getBlock() != &block)
      return origin;
    if (Value reshaped = weft::reshapedValue(value)) {
      value = reshaped;
      continue;
    }
    if (isChoice(op))
      return {op, nullptr};
    OpOperand *init = weft::findInit(result);
    if (!init)
      return origin;
    origin = {op, init};
    value = init->get();
    if (value.getDefiningOp() && !value.hasOneUse())
      return origin;
  }
  return origin;
}

/// Whether the op reads each element of `use` only to write the one of `init`
/// that is at the same place.
bool readsAligned(OpOperand &use, OpOperand *init) {
  auto op = dyn_cast<linalg::GenericOp>(use.getOwner());
  if (!op || !init || init->getOwner() != op || !op.isDpsInput(&use))
    return false;
  AffineMap map = op.getMatchingIndexingMap(&use);
  return op.getNumParallelLoops() == op.getNumLoops() && map.isPermutation() &&
         map == op.getMatchingIndexingMap(init);
}

/// Whether a value is `tensor`, or what updates of it have made.
bool becomes(Value tensor, Value value) {
  while (value != tensor) {
    if (Value reshaped = weft::reshapedValue(value)) {
      value = reshaped;
      continue;
    }
    auto result = dyn_cast<OpResult>(value);
    OpOperand *init = result ? weft::findInit(result) : nullptr;
    if (!init)
      return false;
    value = init->get();
  }
  return true;
}

/// Whether the op puts a part of `carried`, and what has become of it, back
/// where it was. Into another array's elements it cannot: these would be copied
/// to the buffer before.
bool putsBack(OpOperand &use, Value carried) {
  auto insert = dyn_cast<tensor::InsertSliceOp>(use.getOwner());
  if (!insert || &use != &insert.getSourceMutable())
    return false;
  if (!insert.getDest().getDefiningOp<tensor::EmptyOp>() &&
      !becomes(carried, insert.getDest()))
    return false;
  Value part = insert.getSource();
  while (auto result = dyn_cast<OpResult>(part)) {
    if (auto slice = result.getDefiningOp<tensor::ExtractSliceOp>())
      return slice.getSource() == carried &&
             cast<OffsetSizeAndStrideOpInterface>(slice.getOperation())
                 .isSameAs(insert, isEqualConstantIntOrValue);
    OpOperand *init = weft::findInit(result);
    if (!init)
      return false;
    part = init->get();
  }
  return false;
}

/// What shares memory with an operand of its op, or may. Loops and choices have
/// buffers of their own for what they return.
SmallVector<Value> aliasesThrough(OpOperand &use) {
  Operation *op = use.getOwner();
  if (auto writer = dyn_cast<DestinationStyleOpInterface>(op)) {
    if (!writer.isDpsInit(&use))
      return {};
    return SmallVector<Value>{writer.getTiedOpResult(&use)};
  }
  if (isChoice(op) ||
      isa<LoopLikeOpInterface, bufferization::AllocTensorOp>(op))
    return {};
  SmallVector<Value> results;
  for (Value result : op->getResults())
    if (isa<TensorType>(result.getType()))
      results.push_back(result);
  return results;
}

bool mayReplace(Value carried, Value yielded, Origin origin, Block &body);

/// Whether a branch that yields `value` may do so into the buffer of `carried`.
bool mayYieldInto(Value carried, Value value, Block &branch) {
  if (value == carried)
    return llvm::count(branch.getTerminator()->getOperands(), carried) == 1;
  if (llvm::is_contained(branch.getTerminator()->getOperands(), carried))
    return false;
  Origin origin = originOf(value, branch);
  if (origin.first)
    return mayReplace(carried, value, origin, branch);
  Operation *source = value.getDefiningOp();
  return source && (source->hasTrait<OpTrait::ConstantLike>() ||
                    isa<tensor::EmptyOp>(source));
}

/// Whether all that a choice does with `carried` is done before its result
/// number `index` is written.
bool mayChooseInto(Value carried, Operation *choice, unsigned index) {
  return llvm::all_of(choice->getRegions(), [&](Region &region) {
    if (region.empty())
      return false;
    Block &branch = region.front();
    return mayYieldInto(carried, branch.getTerminator()->getOperand(index),
                        branch);
  });
}

bool mayOverwrite(Value carried, Origin origin, Block &block) {
  SmallVector<Value> aliases{carried};
  while (!aliases.empty()) {
    Value alias = aliases.pop_back_val();
    for (OpOperand &use : alias.getUses()) {
      Operation *user = use.getOwner();
      Operation *ancestor = block.findAncestorOpInBlock(*user);
      if (!ancestor || &use == origin.init)
        continue;
      if (ancestor == origin.first) {
        if (putsBack(use, carried))
          continue;
        // What a choice does within is asked of its branches.
        bool within = user != ancestor && isChoice(ancestor);
        if (alias != carried || !(within || readsAligned(use, origin.init)))
          return false;
      } else if (!ancestor->isBeforeInBlock(origin.first)) {
        return false;
      }
      llvm::append_range(aliases, aliasesThrough(use));
    }
  }
  return true;
}

bool mayReplace(Value carried, Value yielded, Origin origin, Block &body) {
  if (!origin.first || !mayOverwrite(carried, origin, body))
    return false;
  if (!isChoice(origin.first))
    return true;
  auto result = dyn_cast<OpResult>(weft::throughReshapes(yielded));
  return result && result.getOwner() == origin.first &&
         mayChooseInto(carried, origin.first, result.getResultNumber());
}

/// Whether parts of what a loop yields are computed of `carried` by ops, which
/// could not write over it while others read it: into other buffers, to be
/// copied. Of a donated argument that is done, as its memory is to be used.
bool isPutTogetherFrom(Value carried, const Origin &origin) {
  auto insert = dyn_cast_or_null<tensor::InsertSliceOp>(origin.first);
  if (!insert || isa<FunctionOpInterface>(insert->getParentOp()) ||
      !insert.getDest().getDefiningOp<tensor::EmptyOp>())
    return false;
  auto op = insert.getSource().getDefiningOp<linalg::LinalgOp>();
  return op && llvm::any_of(op.getDpsInputs(), [&](Value input) {
           auto slice = input.getDefiningOp<tensor::ExtractSliceOp>();
           return slice && becomes(carried, slice.getSource());
         });
}

class Planner {
public:
  Planner(Block &body, ArrayRef<Value> carried, ArrayRef<Value> yielded)
      : body(body), carried(carried), yielded(yielded),
        source(carried.size(), none), taken(carried.size(), false),
        written(carried.size(), true) {
    for (Value value : yielded)
      origins.push_back(originOf(value, body));
  }

  weft::BufferPlan plan() {
    forEachOpen([&](unsigned i, unsigned from) { return keep(i, from); });
    forEachOpen([&](unsigned i, unsigned from) {
      return weft::throughReshapes(origins[i].begins()) == carried[from] &&
             mayReplace(carried[from], yielded[i], origins[i], body);
    });
    forEachOpen([&](unsigned i, unsigned from) {
      return beginsAnew(origins[i]) &&
             !isPutTogetherFrom(carried[from], origins[i]) &&
             mayReplace(carried[from], yielded[i], origins[i], body);
    });
    return addSpares();
  }

private:
  static constexpr unsigned none = -1;

  /// Whether nothing is copied for the first op that writes: such a copy would
  /// come before what that op reads.
  static bool beginsAnew(const Origin &origin) {
    return !origin.init || !isa<linalg::LinalgOp>(origin.first) ||
           origin.begins().getDefiningOp<tensor::EmptyOp>();
  }

  bool keep(unsigned i, unsigned from) {
    if (yielded[i] != carried[from])
      return false;
    written[i] = false;
    return true;
  }

  /// Gives those that have no buffer yet one for which `fits` holds, their own
  /// first.
  template <typename Fits> void forEachOpen(Fits fits) {
    unsigned count = carried.size();
    for (unsigned i = 0; i < count; ++i)
      tryTake(i, i, fits);
    for (unsigned i = 0; i < count; ++i)
      for (unsigned from = 0; from < count; ++from)
        tryTake(i, from, fits);
  }

  template <typename Fits> void tryTake(unsigned i, unsigned from, Fits fits) {
    if (source[i] != none || taken[from] ||
        carried[i].getType() != carried[from].getType() || !fits(i, from))
      return;
    source[i] = from;
    taken[from] = true;
  }

  /// What has no buffer yet gets one of its own, and leaves one of its type to
  /// the next step.
  weft::BufferPlan addSpares() {
    weft::BufferPlan plan;
    unsigned count = carried.size();
    for (unsigned i = 0; i < count; ++i) {
      if (source[i] != none)
        continue;
      source[i] = count + plan.spares.size();
      plan.spares.push_back(i);
    }
    for (unsigned spare : plan.spares)
      for (unsigned left = 0; left < count; ++left)
        if (!taken[left] &&
            carried[left].getType() == carried[spare].getType()) {
          taken[left] = true;
          source.push_back(left);
          break;
        }
    plan.source = std::move(source);
    plan.written = std::move(written);
    return plan;
  }

  Block &body;
  ArrayRef<Value> carried, yielded;
  SmallVector<Origin> origins;
  SmallVector<unsigned> source;
  SmallVector<bool> taken, written;
};

/// What becomes result number `index` of a loop if it ends at once.
OpOperand *findLoopInit(scf::WhileOp loop, unsigned index) {
  Value passed = loop.getConditionOp().getArgs()[index];
  auto argument = dyn_cast<BlockArgument>(passed);
  if (!argument || argument.getOwner() != loop.getBeforeBody())
    return nullptr;
  return &loop.getInitsMutable()[argument.getArgNumber()];
}

} // namespace

OpOperand *weft::findInit(OpResult value) {
  Operation *op = value.getOwner();
  if (auto loop = dyn_cast<scf::ForOp>(op))
    return &loop.getInitArgsMutable()[value.getResultNumber()];
  if (auto loop = dyn_cast<scf::WhileOp>(op))
    return findLoopInit(loop, value.getResultNumber());
  if (auto writer = dyn_cast<DestinationStyleOpInterface>(op))
    return writer.getTiedOpOperand(value);
  return nullptr;
}

Value weft::reshapedValue(Value value) {
  if (!value)
    return {};
  if (auto expand = value.getDefiningOp<tensor::ExpandShapeOp>())
    return expand.getSrc();
  if (auto collapse = value.getDefiningOp<tensor::CollapseShapeOp>())
    return collapse.getSrc();
  return {};
}

Value weft::throughReshapes(Value value) {
  while (Value reshaped = reshapedValue(value))
    value = reshaped;
  return value;
}

/// Copies the parts of `tensor` that an op of its block reads while it updates
/// `tensor`.
static void copyPartsOf(Value tensor, Operation *updater) {
  OpBuilder b(updater);
  updater->walk([&](Operation *op) {
    for (OpOperand &use : op->getOpOperands()) {
      Value part = use.get();
      auto slice =
          weft::throughReshapes(part).getDefiningOp<tensor::ExtractSliceOp>();
      if (!slice || slice.getSource() != tensor ||
          part.getParentBlock() != updater->getBlock())
        continue;
      use.set(bufferization::AllocTensorOp::create(
          b, part.getLoc(), cast<RankedTensorType>(part.getType()),
          /*dynamicSizes=*/ValueRange{}, /*copy=*/part));
    }
  });
}

void weft::copyPartsReadByUpdates(Block &body) {
  for (Operation &op : llvm::make_early_inc_range(body)) {
    if (!isa<tensor::InsertSliceOp, scf::ForOp>(op))
      continue;
    for (OpResult result : op.getResults())
      if (OpOperand *init = findInit(result))
        copyPartsOf(init->get(), &op);
  }
}

void weft::sinkUpdates(Block &body, function_ref<bool(unsigned)> isMoved) {
  Operation *first = body.getTerminator();
  llvm::SmallPtrSet<Operation *, 8> sunk{first};
  auto isUpdated = [&](OpOperand &use) {
    Operation *user = use.getOwner();
    if (user == body.getTerminator())
      return isMoved(use.getOperandNumber());
    return sunk.contains(user) &&
           llvm::any_of(user->getResults(), [&](OpResult result) {
             return findInit(result) == &use;
           });
  };
  for (Operation &op :
       llvm::make_early_inc_range(llvm::reverse(body.without_terminator()))) {
    bool updates =
        !op.use_empty() &&
        (isChoice(&op) || llvm::any_of(op.getResults(), [](OpResult result) {
           return findInit(result) != nullptr;
         }));
    if (!updates || !llvm::all_of(op.getUses(), isUpdated))
      continue;
    op.moveBefore(first);
    first = &op;
    sunk.insert(&op);
  }
}

weft::BufferPlan weft::planBuffers(Block &body, ArrayRef<Value> carried,
                                   ArrayRef<Value> yielded) {
  return Planner(body, carried, yielded).plan();
}
