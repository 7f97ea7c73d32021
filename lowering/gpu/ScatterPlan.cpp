// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lowering/gpu/ScatterPlan.h"
#include "lowering/gpu/SortStep.h"
#include "lowering/linalg/ToLinalg.h"
#include "lowering/memory/Buffers.h"

using namespace mlir;
using weft::ScatterPlan;

ScatterPlan::ScatterPlan(weft::Scatter op, const weft::Gpu &gpu) {
  weft::Places given = op.getPlaces();
  auto shapeOf = [&](unsigned operand) {
    return cast<RankedTensorType>(op->getOperand(operand).getType()).getShape();
  };
  ArrayRef<int64_t> shape = shapeOf(0), indices = shapeOf(2);
  window.assign(shapeOf(1).drop_front(indices.size()));
  llvm::append_range(batch, given.batch);
  llvm::append_range(batches, indices.take_front(batch.size()));
  llvm::append_range(walked, indices.drop_front(batch.size()));

  SmallVector<int64_t> kept = given.windowDims(shape.size());
  for (int64_t dim = 0; dim < static_cast<int64_t>(shape.size()); ++dim) {
    if (llvm::is_contained(batch, dim))
      continue;
    auto found = llvm::find(kept, dim);
    int64_t size = found == kept.end() ? 1 : window[found - kept.begin()];
    bool isFree = found != kept.end() && size == shape[dim] &&
                  !llvm::is_contained(given.dims, dim);
    (isFree ? free : keyed).push_back(dim);
    if (found != kept.end() && !isFree)
      keyedWindow.push_back(size);
  }
  apart = llvm::product_of(batches);
  for (int64_t dim : free)
    apart *= shape[dim];
  int64_t ofSlice = llvm::product_of(keyedWindow);
  steps = llvm::product_of(walked);
  (hasOneSlice() ? apart : steps) *= ofSlice;
  places = 1;
  for (int64_t dim : keyed)
    places *= shape[dim];
  sorts = isFaster(op, gpu);
}

bool ScatterPlan::isFaster(weft::Scatter op, const weft::Gpu &gpu) const {
  // Keys, their order, the places' bounds, and the result, which is read and
  // written as a whole.
  int64_t launches = 4 + llvm::Log2_64_Ceil(llvm::divideCeil(steps, sortTile));
  RankedTensorType type = storedType(op->getResult(0).getType());
  int64_t moved = 2 * type.getNumElements() * bytesOf(type.getElementType());
  return steps > gpu.stepsOf(op, launches, moved);
}
