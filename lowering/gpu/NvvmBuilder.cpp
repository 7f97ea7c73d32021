// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lowering/gpu/NvvmBuilder.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using weft::NvvmBuilder;

//===----------------------------------------------------------------------===//
// Numbers
//===----------------------------------------------------------------------===//

Value NvvmBuilder::number(int64_t value, unsigned bits) {
  return arith::ConstantOp::create(*this,
                                   getIntegerAttr(getIntegerType(bits), value));
}

Value NvvmBuilder::plus(Value x, Value y) {
  return arith::AddIOp::create(*this, x, y);
}

Value NvvmBuilder::plus(Value x, int64_t y) {
  return y ? plus(x, number(y, x.getType().getIntOrFloatBitWidth())) : x;
}

Value NvvmBuilder::times(Value x, int64_t y) {
  if (y == 1)
    return x;
  return arith::MulIOp::create(*this, x,
                               number(y, x.getType().getIntOrFloatBitWidth()));
}

Value NvvmBuilder::over(Value x, int64_t y) {
  return y == 1 ? x : arith::DivUIOp::create(*this, x, number(y)).getResult();
}

Value NvvmBuilder::modulo(Value x, int64_t y) {
  return y == 1 ? number(0)
                : arith::RemUIOp::create(*this, x, number(y)).getResult();
}

Value NvvmBuilder::isEqual(Value x, int64_t y) {
  return arith::CmpIOp::create(*this, arith::CmpIPredicate::eq, x, number(y));
}

Value NvvmBuilder::isLess(Value x, int64_t y) {
  return arith::CmpIOp::create(*this, arith::CmpIPredicate::ult, x, number(y));
}

Value NvvmBuilder::widen(Value x) {
  return arith::ExtUIOp::create(*this, getI64Type(), x);
}

//===----------------------------------------------------------------------===//
// Places
//===----------------------------------------------------------------------===//

Value NvvmBuilder::at(Value pointer, Value bytes) {
  return LLVM::GEPOp::create(*this, pointer.getType(), getI8Type(), pointer,
                             ArrayRef<LLVM::GEPArg>{bytes});
}

Value NvvmBuilder::at(Value pointer, int64_t bytes) {
  if (!bytes)
    return pointer;
  if (!llvm::isInt<32>(bytes))
    return at(pointer, number(bytes, 64));
  return LLVM::GEPOp::create(
      *this, pointer.getType(), getI8Type(), pointer,
      ArrayRef<LLVM::GEPArg>{static_cast<int32_t>(bytes)});
}

Value NvvmBuilder::globalPointer(Value buffer) {
  Value place = memref::ExtractAlignedPointerAsIndexOp::create(*this, buffer);
  Value bits = arith::IndexCastOp::create(*this, getI64Type(), place);
  Value pointer = LLVM::IntToPtrOp::create(
      *this, LLVM::LLVMPointerType::get(getContext(), 1), bits);
  auto type = cast<MemRefType>(buffer.getType());
  if (!ShapedType::isDynamic(type.getStridesAndOffset().second))
    return pointer;
  Value offset =
      memref::ExtractStridedMetadataOp::create(*this, buffer).getOffset();
  offset = arith::IndexCastOp::create(*this, getI64Type(), offset);
  int64_t bytes = type.getElementTypeBitWidth() / 8;
  return at(pointer, arith::MulIOp::create(*this, offset, number(bytes, 64)));
}

//===----------------------------------------------------------------------===//
// Control
//===----------------------------------------------------------------------===//

void NvvmBuilder::when(Value condition, function_ref<void()> body) {
  auto op = scf::IfOp::create(*this, condition, /*withElseRegion=*/false);
  InsertionGuard guard(*this);
  setInsertionPointToStart(op.thenBlock());
  body();
}

ValueRange
NvvmBuilder::loop(Value from, Value to, Value step, ValueRange passed,
                  function_ref<SmallVector<Value>(Value, ValueRange)> body) {
  auto op = scf::ForOp::create(*this, from, to, step, passed);
  InsertionGuard guard(*this);
  if (passed.empty()) {
    setInsertionPointToStart(op.getBody());
    body(op.getInductionVar(), {});
  } else {
    setInsertionPointToEnd(op.getBody());
    scf::YieldOp::create(*this,
                         body(op.getInductionVar(), op.getRegionIterArgs()));
  }
  return op.getResults();
}

Value NvvmBuilder::threadInBlock(int64_t threads) {
  auto range = LLVM::ConstantRangeAttr::get(getContext(), 32, 0, threads);
  return NVVM::ThreadIdXOp::create(*this, getI32Type(), range);
}

Value NvvmBuilder::block() {
  return NVVM::BlockIdXOp::create(*this, getI32Type());
}

Value NvvmBuilder::uniform(Value x) {
  return NVVM::ShflOp::create(*this, getI32Type(), number(-1), x, number(0),
                              number(31), NVVM::ShflKind::idx, UnitAttr());
}

//===----------------------------------------------------------------------===//
// Barriers and copies
//===----------------------------------------------------------------------===//

void NvvmBuilder::initBarrier(Value barrier, int64_t arrivals) {
  NVVM::MBarrierInitOp::create(*this, barrier, number(arrivals), Value());
}

void NvvmBuilder::waitBarrier(Value barrier, Value parity) {
  // The time in ns after which the chip looks again.
  constexpr int64_t patience = 10'000'000;
  NVVM::MBarrierTryWaitParityOp::create(*this, barrier, parity,
                                        number(patience));
}

void NvvmBuilder::arrive(Value barrier) {
  NVVM::MBarrierArriveOp::create(*this, getI64Type(), barrier, Value());
}

void NvvmBuilder::expectBytes(Value barrier, int64_t bytes) {
  NVVM::MBarrierArriveExpectTxOp::create(
      *this, /*res=*/Type(), barrier, number(bytes), NVVM::MemScopeKind::CTA,
      /*relaxed=*/false, /*predicate=*/Value());
}

// Not nvvm.barrier: with a number and a location its text cannot be read.
void NvvmBuilder::sync(Value id, int64_t threads) {
  LLVM::CallIntrinsicOp::create(
      *this, getStringAttr("llvm.nvvm.barrier.cta.sync.aligned.count"),
      ValueRange{id, number(threads)});
}

void NvvmBuilder::syncCluster(bool publishes) {
  if (publishes)
    NVVM::ClusterArriveOp::create(*this, UnitAttr());
  else
    NVVM::ClusterArriveRelaxedOp::create(*this, UnitAttr());
  NVVM::ClusterWaitOp::create(*this, UnitAttr());
}

Value NvvmBuilder::inBlock(Value place, Value rank) {
  auto type = LLVM::LLVMPointerType::get(getContext(), 7);
  return NVVM::MapaOp::create(*this, type, place, rank);
}

void NvvmBuilder::arriveInCluster(Value barrier) {
  // In the scope of a cluster it would wait for all memory to be consistent.
  NVVM::MBarrierArriveOp::create(*this, TypeRange(), barrier, Value(),
                                 NVVM::MemScopeKind::CTA);
}

SmallVector<Value> NvvmBuilder::pin(ArrayRef<Value> floats) {
  std::string outputs, inputs;
  for (size_t i = 0; i < floats.size(); ++i) {
    outputs += "=f,";
    inputs += (i ? "," : "") + std::to_string(i);
  }
  SmallVector<Type> types(floats.size(), getF32Type());
  auto type = LLVM::LLVMStructType::getLiteral(getContext(), types);
  auto pinned = LLVM::InlineAsmOp::create(
      *this, type, floats, "// the sums are complete", outputs + inputs,
      /*has_side_effects=*/true, /*is_align_stack=*/false,
      LLVM::TailCallKind::None, LLVM::AsmDialectAttr(), ArrayAttr());
  SmallVector<Value> results;
  for (size_t i = 0; i < floats.size(); ++i)
    results.push_back(
        LLVM::ExtractValueOp::create(*this, pinned.getResult(0), i));
  return results;
}

void NvvmBuilder::copyBox(Value to, Value map, ValueRange coordinates,
                          Value barrier, int64_t blocks) {
  Value inCluster = LLVM::AddrSpaceCastOp::create(
      *this, LLVM::LLVMPointerType::get(getContext(), 7), to);
  NVVM::CpAsyncBulkTensorGlobalToSharedClusterOp::create(
      *this, inCluster, map, coordinates, barrier, ValueRange(),
      blocks ? number(blocks, 16) : Value(), Value(), NVVM::TMALoadMode::TILE,
      false, NVVM::CTAGroupKindAttr(), Value());
}

void NvvmBuilder::storeBox(Value map, Value from, ValueRange coordinates) {
  NVVM::CpAsyncBulkTensorSharedCTAToGlobalOp::create(
      *this, map, from, coordinates, Value(), NVVM::TMAStoreMode::TILE,
      Value());
}
