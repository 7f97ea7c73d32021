// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lowering/gpu/ProductKernel.h"
#include "lowering/Passes.h"
#include "lowering/gpu/Device.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;
using weft::ProductEpilogue;
using weft::ProductKernel;

/// How an epilogue finds the sums, which are in `buffer`.
static std::optional<ProductEpilogue>
matchEpilogue(linalg::GenericOp op, Value buffer, AffineMap sumMap) {
  if (!op.hasPureBufferSemantics() || op.getNumDpsInits() != 1 ||
      op.getNumParallelLoops() != op.getNumLoops())
    return std::nullopt;
  AffineMap map = op.getMatchingIndexingMap(&op.getDpsInitsMutable()[0]);
  ProductEpilogue epilogue{op, {}, std::nullopt};
  if (op.getDpsInits()[0] != buffer) {
    for (OpOperand *input : op.getDpsInputOperands())
      if (input->get() == buffer)
        epilogue.input = input->getOperandNumber();
    if (!epilogue.input || !op.getRegionOutputArgs()[0].use_empty())
      return std::nullopt;
    OpOperand &input = op->getOpOperand(*epilogue.input);
    if (op.getMatchingIndexingMap(&input) != map)
      return std::nullopt;
  }
  if (!map.isPermutation() || map.getNumResults() != sumMap.getNumResults())
    return std::nullopt;
  epilogue.loops = inversePermutation(map).compose(sumMap);
  return epilogue;
}

FailureOr<ProductKernel> ProductKernel::of(gpu::GPUFuncOp func) {
  ProductKernel kernel{func, {}, {}, {}};
  Value buffer;
  for (Operation &op : func.getBody().front()) {
    auto step = dyn_cast<linalg::LinalgOp>(op);
    if (!step)
      continue;
    if (failed(verifyKnownShape(step)))
      return failure();
    auto generic = dyn_cast<linalg::GenericOp>(op);
    if (kernel.sum && generic && generic->hasAttr(epilogueAttr)) {
      auto epilogue = matchEpilogue(generic, buffer, kernel.sumMap());
      if (!epilogue)
        return op.emitOpError("is no epilogue of the sums before it"),
               failure();
      kernel.epilogues.push_back(*epilogue);
      buffer = generic.getDpsInits()[0];
    } else if (auto fill = dyn_cast<linalg::FillOp>(op);
               fill && !kernel.fill && !kernel.sum) {
      kernel.fill = fill;
    } else if (generic && !kernel.sum && generic.hasPureBufferSemantics() &&
               generic.getNumDpsInits() == 1) {
      kernel.sum = generic;
      buffer = generic.getDpsInits()[0];
    } else {
      return op.emitOpError("cannot stand in a kernel of products"), failure();
    }
  }
  if (!kernel.sum)
    return func.emitOpError("holds no sum of products"), failure();
  if (kernel.fill && kernel.fill.getOutputs()[0] != kernel.sum.getDpsInits()[0])
    return kernel.fill.emitOpError("fills what nothing is added to"), failure();
  return kernel;
}

Operation *ProductKernel::last() const {
  return epilogues.empty() ? sum : epilogues.back().op;
}

Value ProductKernel::start() const {
  linalg::FillOp op = fill;
  return op ? op.getInputs()[0] : Value();
}

Value ProductKernel::result() const {
  return epilogues.empty()
             ? Value(linalg::GenericOp(sum).getDpsInits()[0])
             : Value(linalg::GenericOp(epilogues.back().op).getDpsInits()[0]);
}

AffineMap ProductKernel::sumMap() const {
  linalg::GenericOp op = sum;
  return op.getMatchingIndexingMap(&op.getDpsInitsMutable()[0]);
}

Value ProductKernel::change(
    ImplicitLocOpBuilder &b, Value value,
    llvm::function_ref<Value(unsigned, unsigned)> read) const {
  for (auto [number, epilogue] : llvm::enumerate(epilogues)) {
    linalg::GenericOp op = epilogue.op;
    IRMapping mapping;
    for (auto [i, argument] : llvm::enumerate(op.getRegionInputArgs())) {
      if (epilogue.input == i)
        mapping.map(argument, value);
      else if (!argument.use_empty())
        mapping.map(argument, read(number, i));
    }
    mapping.map(op.getRegionOutputArgs()[0], value);
    for (Operation &inner : op.getBody()->without_terminator())
      b.clone(inner, mapping);
    value =
        mapping.lookupOrDefault(op.getBody()->getTerminator()->getOperand(0));
  }
  return value;
}

void ProductKernel::erase() const {
  for (const ProductEpilogue &epilogue : epilogues)
    epilogue.op->erase();
  sum->erase();
  if (fill)
    fill->erase();
}
