// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lowering/memory/LoopAccesses.h"
#include "lowering/memory/Buffers.h"

using namespace mlir;
using weft::LoopAccesses;

std::optional<int64_t> weft::stepsFromZero(scf::ForOp loop) {
  if (getConstantIntValue(loop.getLowerBound()) != 0 ||
      getConstantIntValue(loop.getStep()) != 1)
    return std::nullopt;
  return getConstantIntValue(loop.getUpperBound());
}

bool LoopAccesses::add(Operation &op) {
  if (auto load = dyn_cast<memref::LoadOp>(op))
    loads.push_back({load.getMemRef(), load.getIndices()});
  else if (auto store = dyn_cast<memref::StoreOp>(op))
    stores.push_back({store.getMemRef(), store.getIndices()});
  else
    return op.getNumRegions() == 0 && isMemoryEffectFree(&op);
  return true;
}

bool LoopAccesses::readsWritten() const {
  return llvm::any_of(stores, [&](const Access &store) {
    Value own = ownBufferOf(store.array);
    return llvm::any_of(loads, [&](const Access &load) {
      return ownBufferOf(load.array) == own;
    });
  });
}

int64_t LoopAccesses::distanceOfSteps(scf::ForOp loop) const {
  auto type = cast<MemRefType>(stores.front().array.getType());
  SmallVector<int64_t> strides;
  int64_t offset;
  auto place = llvm::find(stores.front().indices, loop.getInductionVar());
  if (place == stores.front().indices.end() ||
      failed(type.getStridesAndOffset(strides, offset)))
    return 0;
  int64_t stride = strides[place - stores.front().indices.begin()];
  return ShapedType::isDynamic(stride)
             ? 0
             : stride * bytesOf(type.getElementType());
}

/// Whether a view is of the same elements in each step of a loop.
static bool isSameInSteps(Value array, scf::ForOp loop) {
  Operation *view = array.getDefiningOp();
  if (!view || loop.isDefinedOutsideOfLoop(array))
    return true;
  return isa<ViewLikeOpInterface>(view) &&
         isSameInSteps(view->getOperand(0), loop) &&
         llvm::all_of(llvm::drop_begin(view->getOperands()),
                      [&](Value operand) {
                        return loop.isDefinedOutsideOfLoop(operand);
                      });
}

bool LoopAccesses::areApart(scf::ForOp loop) const {
  Value index = loop.getInductionVar();
  scf::ForOp outermost = loop;
  while (auto around = dyn_cast<scf::ForOp>(outermost->getParentOp()))
    outermost = around;
  return llvm::all_of(stores, [&](const Access &store) {
    auto place = llvm::find(store.indices, index);
    if (place == store.indices.end() || !isSameInSteps(store.array, outermost))
      return false;
    size_t dim = place - store.indices.begin();
    Value own = ownBufferOf(store.array);
    auto isThere = [&](const Access &other) {
      return ownBufferOf(other.array) != own ||
             (isSameBuffer(other.array, store.array) &&
              other.indices[dim] == index);
    };
    return llvm::all_of(stores, isThere) && llvm::all_of(loads, isThere);
  });
}
