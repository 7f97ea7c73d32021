// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lowering/gpu/StepOperands.h"
#include "lowering/gpu/Alignment.h"
#include "lowering/memory/Buffers.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;
using linalg::LinalgOp;
using weft::StepOperands;

StepOperands::StepOperands(LinalgOp op, bool mayMerge) : op(op) {
  nest = Nest::of(op);
  // Those that read it ask for the index of a loop of the op.
  if (nest && mayMerge && !op.hasIndexSemantics())
    nest->simplify();
  if (nest && nest->hasPanels())
    nest = std::nullopt;
  if (nest) {
    extents = nest->extents;
    for (auto kind : nest->kinds)
      isParallel.push_back(kind == utils::IteratorType::parallel);
  } else {
    extents = op.getStaticLoopRanges();
    for (auto kind : op.getIteratorTypesArray())
      isParallel.push_back(kind == utils::IteratorType::parallel);
  }
}

SmallVector<unsigned> StepOperands::loops(bool parallel) const {
  SmallVector<unsigned> found;
  for (unsigned loop = 0; loop < extents.size(); ++loop)
    if (isParallel[loop] == parallel)
      found.push_back(loop);
  return found;
}

int64_t StepOperands::count(bool parallel) const {
  int64_t product = 1;
  for (unsigned loop : loops(parallel))
    product *= extents[loop];
  return product;
}

bool StepOperands::isAligned(OpOperand &operand, unsigned loop,
                             int64_t width) const {
  const Access &at = nest->accesses[operand.getOperandNumber()];
  bool all = at.strides[loop] == 1 && at.offset % width == 0 &&
             multipleOf(operand.get()) % width == 0;
  for (auto [other, stride] : llvm::enumerate(at.strides))
    all &= other == loop || stride % width == 0;
  return all;
}

void StepOperands::begin(ImplicitLocOpBuilder &b) {
  if (!nest)
    return;
  for (OpOperand &operand : op->getOpOperands())
    rows.push_back(flatten(b, operand.get(),
                           nest->accesses[operand.getOperandNumber()].offset));
}

Value StepOperands::load(ImplicitLocOpBuilder &b, OpOperand &operand,
                         ArrayRef<Value> steps) const {
  if (!isa<MemRefType>(operand.get().getType()))
    return operand.get();
  auto [buffer, places] = placesOf(b, operand, steps);
  return memref::LoadOp::create(b, buffer, places);
}

static llvm::MaybeAlign alignmentOf(VectorType type) {
  return llvm::Align(type.getNumElements() *
                     weft::bytesOf(type.getElementType()));
}

SmallVector<Value> StepOperands::loadWide(ImplicitLocOpBuilder &b,
                                          OpOperand &operand,
                                          ArrayRef<Value> steps,
                                          int64_t width) const {
  auto [buffer, places] = placesOf(b, operand, steps);
  auto type = VectorType::get(
      {width}, cast<MemRefType>(buffer.getType()).getElementType());
  Value all = vector::LoadOp::create(b, type, buffer, places,
                                     /*nontemporal=*/false, alignmentOf(type));
  SmallVector<Value> elements;
  for (int64_t i = 0; i < width; ++i)
    elements.push_back(vector::ExtractOp::create(b, all, ArrayRef<int64_t>{i}));
  return elements;
}

void StepOperands::store(ImplicitLocOpBuilder &b, Value value,
                         OpOperand &operand, ArrayRef<Value> steps) const {
  auto [buffer, places] = placesOf(b, operand, steps);
  memref::StoreOp::create(b, value, buffer, places);
}

void StepOperands::storeWide(ImplicitLocOpBuilder &b, ArrayRef<Value> values,
                             OpOperand &operand, ArrayRef<Value> steps) const {
  auto [buffer, places] = placesOf(b, operand, steps);
  auto type = VectorType::get({static_cast<int64_t>(values.size())},
                              values[0].getType());
  Value all = vector::FromElementsOp::create(b, type, values);
  vector::StoreOp::create(b, all, buffer, places, /*nontemporal=*/false,
                          alignmentOf(type));
}

SmallVector<Value> StepOperands::compute(ImplicitLocOpBuilder &b,
                                         ArrayRef<Value> arguments,
                                         ArrayRef<Value> steps) const {
  IRMapping mapping;
  mapping.map(op.getBlock()->getArguments(), arguments);
  for (Operation &inner : op.getBlock()->without_terminator())
    if (auto asked = dyn_cast<linalg::IndexOp>(inner))
      mapping.map(asked.getResult(), steps[asked.getDim()]);
    else
      b.clone(inner, mapping);
  SmallVector<Value> results;
  for (Value yielded : op.getBlock()->getTerminator()->getOperands())
    results.push_back(mapping.lookupOrDefault(yielded));
  return results;
}

std::pair<Value, SmallVector<Value>>
StepOperands::placesOf(ImplicitLocOpBuilder &b, OpOperand &operand,
                       ArrayRef<Value> steps) const {
  if (!nest) {
    AffineMap map = op.getMatchingIndexingMap(&operand);
    SmallVector<Value> places;
    for (unsigned i = 0; i < map.getNumResults(); ++i)
      places.push_back(
          affine::AffineApplyOp::create(b, map.getSubMap({i}), steps));
    return {operand.get(), places};
  }
  unsigned number = operand.getOperandNumber();
  auto [row, place] = rows[number];
  for (unsigned loop = 0; loop < steps.size(); ++loop)
    place = advance(b, place, steps[loop], nest->stride(number, loop));
  return {row, {place}};
}
