// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lowering/memory/CutUpdates.h"
#include "lowering/memory/Destinations.h"
#include "lowering/memory/InPlace.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using bufferization::ToBufferOp;
using bufferization::ToTensorOp;

namespace {

/// More than a program writes out by hand, so that what is printed of one has
/// no cuts; the analysis takes the fourth power of it.
constexpr unsigned maxUpdates = 16;

/// Some updates of one tensor, each of the one before.
struct Chain {
  unsigned numUpdates = 0;
  /// Whether the tensor is one of its own, with a buffer without gaps.
  bool isOwn = false;
  /// The last op known to read a tensor of the chain; null if none does.
  Operation *lastReader = nullptr;
};

bool isView(Operation *op) {
  return isa<tensor::ExtractSliceOp, tensor::ExpandShapeOp,
             tensor::CollapseShapeOp>(op);
}

void addLater(Operation *&last, Operation *op) {
  if (!last || last->isBeforeInBlock(op))
    last = op;
}

/// Who reads a tensor, and the views of it, other than by one use.
class Readers {
public:
  Readers(Value tensor, OpOperand &update) : update(update) {
    add(tensor, /*isPart=*/false);
  }

  /// The last of all.
  Operation *last = nullptr;
  /// Whether the whole tensor is read after it was updated, so that the update
  /// begins with a copy.
  bool isKept = false;

private:
  void add(Value tensor, bool isPart) {
    Operation *updater = update.getOwner();
    for (OpOperand &use : tensor.getUses()) {
      if (&use == &update)
        continue;
      Operation *user = use.getOwner();
      Operation *reader = updater->getBlock()->findAncestorOpInBlock(*user);
      if (reader == user && isView(user)) {
        add(user->getResult(0), isPart || isa<tensor::ExtractSliceOp>(user));
        continue;
      }
      if (!isPart && (!reader || updater->isBeforeInBlock(reader)))
        isKept = true;
      if (reader)
        addLater(last, reader);
    }
  }

  OpOperand &update;
};

Chain startChain(Value tensor) {
  return {.isOwn = !tensor.getDefiningOp<tensor::ExtractSliceOp>()};
}

/// Whether the first update of a tensor has to copy it in any case.
bool isReadOnly(Value tensor) {
  Operation *op = tensor.getDefiningOp();
  while (op && isView(op)) {
    tensor = op->getOperand(0);
    op = tensor.getDefiningOp();
  }
  auto start = dyn_cast_or_null<ToTensorOp>(op);
  return op && ((start && !start.getWritable()) ||
                op->hasTrait<OpTrait::ConstantLike>());
}

bool mayCut(const Chain &chain, OpOperand &update) {
  // The buffer of a part has gaps, for which the cut is a copy.
  unsigned enough = chain.isOwn ? maxUpdates : 2 * maxUpdates;
  return chain.numUpdates >= enough &&
         update.get().getParentBlock() == update.getOwner()->getBlock() &&
         cast<RankedTensorType>(update.get().getType()).hasStaticShape() &&
         (!chain.lastReader ||
          chain.lastReader->isBeforeInBlock(update.getOwner()));
}

/// Cuts as early as may be, so that what is inserted afterwards can be computed
/// in its place.
void cut(const Chain &chain, OpOperand &update) {
  Value tensor = update.get();
  Operation *after = tensor.getDefiningOp();
  if (chain.lastReader)
    addLater(after, chain.lastReader);
  OpBuilder b(tensor.getContext());
  b.setInsertionPointAfter(after);
  Location loc = tensor.getLoc();
  Value buffer =
      ToBufferOp::create(b, loc, weft::bufferType(tensor.getType()), tensor);
  update.set(ToTensorOp::create(b, loc, tensor.getType(), buffer,
                                /*restrict=*/true, /*writable=*/true));
}

/// Cuts chains by what each of them has come to.
class Cutter {
public:
  void visit(OpResult result) {
    OpOperand *update = isa<RankedTensorType>(result.getType())
                            ? weft::findInit(result)
                            : nullptr;
    if (!update)
      return;
    Chain chain = follow(*update);
    ++chain.numUpdates;
    chains[result] = chain;
  }

private:
  /// The chain that an update goes on with.
  Chain follow(OpOperand &update) {
    Value tensor = weft::throughReshapes(update.get());
    if (isReadOnly(tensor))
      return {.isOwn = true};
    Readers readers(tensor, update);
    if (readers.isKept)
      return {.isOwn = true};
    auto found = chains.find(tensor);
    Chain chain = found != chains.end() ? found->second : startChain(tensor);
    if (readers.last)
      addLater(chain.lastReader, readers.last);
    if (!mayCut(chain, update))
      return chain;
    cut(chain, update);
    return {.isOwn = true};
  }

  llvm::DenseMap<Value, Chain> chains;
};

} // namespace

void weft::cutUpdates(Block &block) {
  Cutter cutter;
  for (Operation &op : block) {
    if (!isa<linalg::LinalgOp>(op))
      for (Region &region : op.getRegions())
        for (Block &inner : region)
          cutUpdates(inner);
    for (OpResult result : op.getResults())
      cutter.visit(result);
  }
}

Value weft::beforeCut(Value tensor) {
  auto start = tensor.getDefiningOp<ToTensorOp>();
  auto buffer =
      start ? start.getBuffer().getDefiningOp<ToBufferOp>() : ToBufferOp();
  return buffer ? buffer.getTensor() : Value();
}
