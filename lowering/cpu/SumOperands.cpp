// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lowering/cpu/SumOperands.h"
#include "lowering/Passes.h"
#include "lowering/fusion/ContractionPlan.h"
#include "lowering/memory/Buffers.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

using namespace mlir;
using weft::ContractionPlan;
using weft::SumOperands;

constexpr unsigned sum = ContractionPlan::sum;

Value weft::scratch(ImplicitLocOpBuilder &b, int64_t size, Type type) {
  OpBuilder::InsertionGuard guard(b);
  Operation *op = b.getInsertionBlock()->getParentOp();
  auto func = dyn_cast<FunctionOpInterface>(op);
  if (!func)
    func = op->getParentOfType<FunctionOpInterface>();
  b.setInsertionPointToStart(&func.getFunctionBody().front());
  return weft::onStack(b, MemRefType::get({size}, type));
}

SumOperands::SumOperands(ImplicitLocOpBuilder &b, linalg::GenericOp op,
                         linalg::GenericOp epilogue, const Nest &nest,
                         int64_t ownSums, std::optional<unsigned> copied,
                         int64_t copies)
    : b(b), epilogue(epilogue), nest(nest), ownsSums(ownSums > 0) {
  SmallVector<Value> operands(op->getOperands());
  if (epilogue)
    llvm::append_range(operands, epilogue->getOperands());
  numOperands = operands.size();
  for (auto [i, operand] : llvm::enumerate(operands)) {
    bool isSum = operand == operands[sum];
    if (isSum && i > sum)
      flats.push_back(flats[sum]);
    else if (isSum && ownsSums)
      flats.emplace_back(scratch(b, ownSums, getElementTypeOrSelf(operand)),
                         arith::ConstantIndexOp::create(b, 0));
    else if (copied == i)
      flats.emplace_back(scratch(b, copies, getElementTypeOrSelf(operand)),
                         arith::ConstantIndexOp::create(b, 0));
    else
      flats.push_back(flatten(b, operand, nest.accesses[i].offset));
  }
  if (copied)
    flats.push_back(
        flatten(b, operands[*copied], nest.accesses[numOperands].offset));
}

SumOperands::Block
SumOperands::forBlocks(ArrayRef<unsigned> outer, int64_t rowBlocks,
                       int64_t columnBlocks, double productsAtOnce,
                       const Machine &machine, bool columnsFirst) {
  auto index = [&](int64_t value) {
    return arith::ConstantIndexOp::create(b, value);
  };
  SmallVector<int64_t> counts;
  for (unsigned loop : outer)
    counts.push_back(nest.extents[loop]);
  counts.push_back(rowBlocks);
  counts.insert(columnsFirst ? counts.begin() : counts.end(), columnBlocks);
  int64_t tasks = llvm::product_of(counts);
  auto loop = scf::ForOp::create(b, index(0), index(tasks), index(1));
  if (tasks > 1 && nest.steps() >= productsAtOnce * machine.shareFrom)
    loop->setAttr(parallelAttr, b.getUnitAttr());
  b.setInsertionPointToStart(loop.getBody());
  SmallVector<Value> at = splitDigits(b, loop.getInductionVar(), counts);
  Value column = columnsFirst ? at.front() : at.back();
  at.erase(columnsFirst ? at.begin() : std::prev(at.end()));
  Block block{{}, at.back(), column};
  for (unsigned operand = 0; operand < flats.size(); ++operand) {
    Value base = flats[operand].second;
    if (base) // no scalar
      for (auto [outerLoop, value] : llvm::zip(outer, at))
        base = advance(b, base, value, nest.stride(operand, outerLoop));
    block.bases.push_back(base);
  }
  return block;
}

SmallVector<Value> SumOperands::moved(ArrayRef<Value> bases, Value steps,
                                      std::optional<unsigned> loop) const {
  SmallVector<Value> result(bases);
  if (!loop)
    return result;
  for (auto [base, access] : llvm::zip_equal(result, nest.accesses)) {
    if (!base)
      continue;
    if (const Panels *panels = access.panelsAlong(*loop)) {
      // Tiles are as wide as panels: only whole panels are passed.
      Value width = arith::ConstantIndexOp::create(b, panels->width);
      Value panel = arith::DivUIOp::create(b, steps, width);
      base = advance(b, base, panel, panels->stride);
    } else {
      base = advance(b, base, steps, access.strides[*loop]);
    }
  }
  return result;
}

void SumOperands::beginBlock(SmallVectorImpl<Value> &bases, Value row,
                             std::optional<unsigned> rowLoop, Value lane,
                             unsigned laneLoop) const {
  if (!ownsSums)
    return;
  Value zero = bases[sum], before = zero;
  if (rowLoop)
    before = advance(b, before, row, nest.stride(sum, *rowLoop));
  before = advance(b, before, lane, nest.stride(sum, laneLoop));
  bases[sum] = arith::SubIOp::create(b, zero, before);
}

unsigned SumOperands::numberOf(unsigned argument) const {
  unsigned operand = sum + 1 + argument;
  return row(operand) == row(sum) ? sum : operand;
}

void SumOperands::change(ArrayRef<Value> at) {
  IRMapping mapping;
  auto read = [&](unsigned operand) -> Value {
    return at[operand] ? memref::LoadOp::create(b, row(operand), at[operand])
                       : row(operand);
  };
  for (auto [i, argument] : llvm::enumerate(epilogue.getBody()->getArguments()))
    if (!argument.use_empty())
      mapping.map(argument, read(numberOf(i)));
  for (Operation &inner : epilogue.getBody()->without_terminator())
    b.clone(inner, mapping);
  Value changed = mapping.lookupOrDefault(
      epilogue.getBody()->getTerminator()->getOperand(0));
  unsigned result = numberOf(epilogue.getNumOperands() - 1);
  memref::StoreOp::create(b, changed, row(result), at[result]);
}

void weft::eraseFreed(Operation *alloc) {
  for (Operation *user : llvm::make_early_inc_range(alloc->getUsers()))
    user->erase();
  alloc->erase();
}

linalg::FillOp weft::findZeros(linalg::GenericOp op) {
  Operation *before = op->getPrevNode();
  while (before && !isa<linalg::LinalgOp>(before) && isMemoryEffectFree(before))
    before = before->getPrevNode();
  auto fill = dyn_cast_or_null<linalg::FillOp>(before);
  if (!fill || fill.getOutputs()[0] != op.getDpsInits()[0])
    return {};
  Value value = fill.getInputs()[0];
  return matchPattern(value, m_Zero()) || matchPattern(value, m_PosZeroFloat())
             ? fill
             : linalg::FillOp();
}
