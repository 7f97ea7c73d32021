// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lowering/cpu/SumOperands.h"
#include "lowering/Passes.h"
#include "lowering/fusion/ContractionPlan.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

using namespace mlir;
using weft::SumOperands;

SumOperands::SumOperands(ImplicitLocOpBuilder &b, linalg::GenericOp op,
                         linalg::GenericOp epilogue, const Nest &nest)
    : b(b), epilogue(epilogue), nest(nest) {
  SmallVector<Value> operands(op->getOperands());
  if (epilogue)
    llvm::append_range(operands, epilogue.getDpsInputs());
  for (auto [operand, access] : llvm::zip_equal(operands, nest.accesses))
    flats.push_back(flatten(b, operand, access.offset));
}

SumOperands::Block SumOperands::forBlocks(ArrayRef<unsigned> outer,
                                          int64_t rowBlocks,
                                          int64_t columnBlocks,
                                          double productsAtOnce,
                                          const Machine &machine) {
  auto index = [&](int64_t value) {
    return arith::ConstantIndexOp::create(b, value);
  };
  SmallVector<int64_t> counts;
  for (unsigned loop : outer)
    counts.push_back(nest.extents[loop]);
  counts.append({rowBlocks, columnBlocks});
  int64_t tasks = llvm::product_of(counts);
  auto loop = scf::ForOp::create(b, index(0), index(tasks), index(1));
  double products = 1;
  for (int64_t extent : nest.extents)
    products *= extent;
  if (tasks > 1 && products >= productsAtOnce * machine.shareFrom)
    loop->setAttr(parallelAttr, b.getUnitAttr());
  b.setInsertionPointToStart(loop.getBody());
  SmallVector<Value> at = splitDigits(b, loop.getInductionVar(), counts);
  Block block{{}, at[outer.size()], at.back()};
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
    if (access.panelLoop == *loop) {
      // Tiles are as wide as panels: only whole panels are passed.
      Value width = arith::ConstantIndexOp::create(b, access.panelWidth);
      Value panel = arith::DivUIOp::create(b, steps, width);
      base = advance(b, base, panel, access.panelStride);
    } else {
      base = advance(b, base, steps, access.strides[*loop]);
    }
  }
  return result;
}

void SumOperands::change(ArrayRef<Value> at) {
  constexpr unsigned sum = ContractionPlan::sum;
  IRMapping mapping;
  auto read = [&](unsigned operand) -> Value {
    return at[operand] ? memref::LoadOp::create(b, row(operand), at[operand])
                       : row(operand);
  };
  for (auto [i, input] : llvm::enumerate(epilogue.getRegionInputArgs()))
    mapping.map(input, read(sum + 1 + i));
  mapping.map(epilogue.getRegionOutputArgs()[0], read(sum));
  for (Operation &inner : epilogue.getBody()->without_terminator())
    b.clone(inner, mapping);
  Value changed = mapping.lookupOrDefault(
      epilogue.getBody()->getTerminator()->getOperand(0));
  memref::StoreOp::create(b, changed, row(sum), at[sum]);
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
