// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lowering/gpu/Slots.h"
#include "lowering/Passes.h"
#include "lowering/memory/Buffers.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;
using weft::Slots;

/// Of each place, so that no two are in one line of a cache.
static constexpr int64_t slotBytes = 64;

bool weft::isNumber(Type type) { return !isa<BaseMemRefType>(type); }

Type weft::typeInMemory(Type type) {
  Builder b(type.getContext());
  if (type.isIndex())
    return b.getI64Type();
  return type.isInteger(1) ? b.getI8Type() : type;
}

Operation *weft::storeNumber(OpBuilder &b, Location loc, Value value,
                             Value place) {
  if (value.getType().isIndex())
    value = arith::IndexCastOp::create(b, loc, b.getI64Type(), value);
  else if (value.getType().isInteger(1))
    value = arith::ExtUIOp::create(b, loc, b.getI8Type(), value);
  return memref::StoreOp::create(b, loc, value, place);
}

Value weft::loadNumber(OpBuilder &b, Location loc, Type type, Value place,
                       StringRef mark) {
  auto op = memref::LoadOp::create(b, loc, place);
  if (!mark.empty())
    op->setAttr(mark, b.getUnitAttr());
  if (type.isIndex())
    return arith::IndexCastOp::create(b, loc, type, op);
  if (type.isInteger(1))
    return arith::TruncIOp::create(b, loc, type, op);
  return op;
}

Slots::Slots(func::FuncOp func)
    : func(func), arena(func.getArguments().back()),
      bytes(cast<MemRefType>(arena.getType()).getDimSize(0)) {}

Value Slots::make(Type type, Location loc) {
  return makeBuffer(MemRefType::get({}, typeInMemory(type)), loc);
}

Value Slots::makeBuffer(MemRefType type, Location loc) {
  OpBuilder b = OpBuilder::atBlockBegin(&func.front());
  Value offset = arith::ConstantIndexOp::create(b, loc, bytes);
  int64_t size = type.getNumElements() * weft::bytesOf(type.getElementType());
  bytes += llvm::alignTo(std::max<int64_t>(size, 1), slotBytes);
  return memref::ViewOp::create(b, loc, type, arena, offset, ValueRange{});
}

void Slots::close() {
  Builder b(func.getContext());
  auto type = MemRefType::get({bytes}, b.getI8Type());
  arena.setType(type);
  SmallVector<Type> inputs(func.getArgumentTypes());
  inputs.back() = type;
  func.setType(b.getFunctionType(inputs, {}));
  func->setAttr(weft::arenaBytesAttr, b.getI64IntegerAttr(bytes));
  // Kernels of which a loop has temporaries take the whole of it.
  for (OpOperand &use : arena.getUses())
    if (auto launch = dyn_cast<gpu::LaunchFuncOp>(use.getOwner()))
      retype(launch, use.getOperandNumber() -
                         launch.getKernelOperands().getBeginOperandIndex());
}

void Slots::retype(gpu::LaunchFuncOp launch, unsigned number) {
  auto kernel = SymbolTable::lookupNearestSymbolFrom<gpu::GPUFuncOp>(
      launch, launch.getKernel());
  kernel.getArgument(number).setType(arena.getType());
  kernel.setFunctionType(FunctionType::get(
      func.getContext(), kernel.front().getArgumentTypes(), {}));
}
