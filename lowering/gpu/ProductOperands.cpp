// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lowering/gpu/ProductOperands.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using weft::KernelBuilder;
using weft::LoopGroup;
using weft::ProductKernel;
using weft::ProductOperands;
using weft::ProductPlan;
using weft::SumGrid;

ProductOperands::ProductOperands(KernelBuilder &k, const ProductKernel &kernel,
                                 const ProductPlan &plan)
    : k(k), kernel(kernel), plan(plan), body(*MultiplyAdd::match(kernel.sum)) {
  linalg::GenericOp sum = kernel.sum;
  SmallVector<Value> operands(sum->getOperands());
  operands.resize(plan.nest.accesses.size());
  for (auto [epilogue, numbers] :
       llvm::zip_equal(kernel.epilogues, plan.epilogueOperands))
    for (auto [number, operand] :
         llvm::zip_equal(numbers, epilogue.op->getOperands()))
      if (!operands[number])
        operands[number] = operand;
  for (auto [operand, access] : llvm::zip_equal(operands, plan.nest.accesses)) {
    elements.push_back(getElementTypeOrSelf(operand.getType()));
    bool isBuffer = isa<MemRefType>(operand.getType());
    pointers.push_back(
        isBuffer ? k.at(k.pointer(operand), elements.back(), access.offset)
                 : operand);
  }
}

void ProductOperands::enterBatch(Value batch) {
  for (unsigned operand = 0; operand < pointers.size(); ++operand)
    if (isa<LLVM::LLVMPointerType>(pointers[operand].getType()) &&
        !plan.isFixed(operand, plan.batch))
      pointers[operand] = k.at(pointers[operand], elements[operand],
                               offset(operand, plan.batch, batch));
}

/// Neighbouring loops that the operand walks through as one are not taken
/// apart.
Value ProductOperands::offset(unsigned operand, const LoopGroup &group,
                              Value steps) {
  struct Run {
    int64_t extent, stride;
  };
  SmallVector<Run> runs;
  for (unsigned loop : llvm::reverse(group.loops)) {
    Run run{plan.nest.extents[loop], plan.nest.stride(operand, loop)};
    if (!runs.empty() && run.stride == runs.back().stride * runs.back().extent)
      runs.back().extent *= run.extent;
    else
      runs.push_back(run);
  }
  while (!runs.empty() && runs.back().stride == 0)
    runs.pop_back();
  int64_t covered = 1;
  for (const Run &run : runs)
    covered *= run.extent;
  bool wraps = covered < group.extent;
  Value result;
  for (auto [number, run] : llvm::enumerate(runs)) {
    bool isLast = number + 1 == runs.size() && !wraps;
    Value digit = isLast ? steps : k.remainder(steps, run.extent);
    if (!isLast)
      steps = k.divide(steps, run.extent);
    if (run.stride == 0)
      continue;
    Value part = k.multiply(digit, run.stride);
    result = result ? k.add(result, part) : part;
  }
  return result ? result : k.number(0);
}

Value ProductOperands::convert(unsigned operand, Value value) {
  IRMapping mapping;
  for (Operation *cast : body.casts[operand]) {
    mapping.map(cast->getOperand(0), value);
    value = k.b.clone(*cast, mapping)->getResult(0);
  }
  if (value.getType() != plan.compute)
    value = arith::ExtSIOp::create(k.b, plan.compute, value);
  return value;
}

SmallVector<Value> ProductOperands::places(unsigned operand, Value row,
                                           Value column, int64_t width) {
  Value begin = offset(operand, plan.rows, row);
  const LoopGroup &columns = plan.columns;
  bool inSteps = width == 1 || columns.loops.empty() ||
                 plan.nest.extents[columns.loops.back()] % width == 0;
  Value pointer = pointers[operand];
  Type type = elements[operand];
  SmallVector<Value> result;
  for (int64_t lane = 0; lane < width; ++lane) {
    if (lane > 0 && inSteps) {
      result.push_back(
          k.at(result.front(), type, lane * plan.step(operand, columns)));
      continue;
    }
    Value number = k.add(column, lane);
    // Nothing is read beyond the last one.
    if (lane > 0)
      number = k.least(number, columns.extent - 1);
    result.push_back(
        k.at(pointer, type, k.add(begin, offset(operand, columns, number))));
  }
  return result;
}

SmallVector<Value> ProductOperands::read(unsigned operand, Value row,
                                         Value column, int64_t width) {
  Type type = elements[operand];
  if (!isa<LLVM::LLVMPointerType>(pointers[operand].getType()))
    return SmallVector<Value>(width, pointers[operand]);
  if (plan.isFixed(operand, plan.columns)) {
    Value place = places(operand, row, column, 1).front();
    return SmallVector<Value>(width, k.load(place, type));
  }
  SmallVector<Value> at = places(operand, row, column, width);
  if (plan.consecutive(operand, plan.columns, width) == width)
    return k.unpack(k.load(at.front(), type, width));
  return llvm::map_to_vector(at,
                             [&](Value place) { return k.load(place, type); });
}

void ProductOperands::storeWidth(const SumGrid &grid, Value row, Value column,
                                 ArrayRef<Value> sums) {
  int64_t width = grid.width;
  Value start = kernel.start();
  SmallVector<Value> before;
  if (!start)
    before = read(ProductPlan::sum, row, column, width);
  else if (!matchPattern(start, m_Zero()) &&
           !matchPattern(start, m_PosZeroFloat()))
    before.assign(width, start);
  DenseMap<unsigned, SmallVector<Value>> inputs;
  for (auto [epilogue, numbers] :
       llvm::zip_equal(kernel.epilogues, plan.epilogueOperands))
    for (auto [i, argument] :
         llvm::enumerate(linalg::GenericOp(epilogue.op).getRegionInputArgs()))
      if (epilogue.input != i && !argument.use_empty())
        inputs[numbers[i]] = read(numbers[i], row, column, width);
  SmallVector<Value> results;
  for (int64_t lane = 0; lane < width; ++lane) {
    Value value = sums[lane];
    if (value.getType() != plan.element)
      value = arith::TruncIOp::create(k.b, plan.element, value);
    if (!before.empty())
      value = k.sum(before[lane], value);
    results.push_back(
        kernel.change(k.b, value, [&](unsigned number, unsigned input) {
          return inputs[plan.epilogueOperands[number][input]][lane];
        }));
  }
  SmallVector<Value> at = places(plan.result, row, column, width);
  if (plan.consecutive(plan.result, plan.columns, width) == width)
    return k.store(k.pack(results), at.front());
  for (auto [lane, value] : llvm::enumerate(results)) {
    // The columns end with a place of many, or anywhere.
    bool mayEnd = lane > 0 && plan.columns.extent % width != 0;
    Value isWithin =
        mayEnd ? k.isLess(k.add(column, lane), plan.columns.extent) : Value();
    k.onlyIf(isWithin,
             [&, value = value, place = at[lane]] { k.store(value, place); });
  }
}

void ProductOperands::store(const SumGrid &grid) {
  bool isTiled = plan.kind != ProductPlan::Kind::Lanes;
  int64_t tileRows = isTiled ? plan.tileRows : 1;
  int64_t tileColumns = isTiled ? plan.tileColumns : plan.elements;
  for (auto [i, row] : llvm::enumerate(grid.rows)) {
    Value rowIsWithin =
        plan.rows.extent % tileRows ? k.isLess(row, plan.rows.extent) : Value();
    for (auto [j, column] : llvm::enumerate(grid.columns)) {
      Value isWithin = plan.columns.extent % tileColumns
                           ? k.isLess(column, plan.columns.extent)
                           : Value();
      ArrayRef<Value> sums(grid.sums);
      sums = sums.slice((i * grid.columns.size() + j) * grid.width, grid.width);
      k.onlyIf(k.both(rowIsWithin, isWithin), [&, row = row, column = column] {
        storeWidth(grid, row, column, sums);
      });
    }
  }
}
