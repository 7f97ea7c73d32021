// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lowering/gpu/KernelBuilder.h"
#include "lowering/gpu/Device.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using weft::KernelBuilder;

/// Every device gives a block as much.
static constexpr int64_t staticSharedBytes = 48 << 10;
/// Address spaces of NVPTX.
static constexpr unsigned globalSpace = 1, sharedSpace = 3;
static constexpr auto inRange = arith::IntegerOverflowFlags::nsw;

KernelBuilder::KernelBuilder(gpu::GPUFuncOp func, Operation *before,
                             bool isWide)
    : b(before->getLoc(), before), word(b.getIntegerType(isWide ? 64 : 32)),
      func(func) {}

//===----------------------------------------------------------------------===//
// Numbers
//===----------------------------------------------------------------------===//

Value KernelBuilder::number(int64_t value) {
  return arith::ConstantOp::create(b, b.getIntegerAttr(word, value));
}

Value KernelBuilder::thread() {
  Value id = gpu::ThreadIdOp::create(b, gpu::Dimension::x);
  return arith::IndexCastOp::create(b, word, id);
}

Value KernelBuilder::block() {
  Value id = gpu::BlockIdOp::create(b, gpu::Dimension::x);
  return arith::IndexCastOp::create(b, word, id);
}

Value KernelBuilder::add(Value x, Value y) {
  return b.createOrFold<arith::AddIOp>(x, y, inRange);
}
Value KernelBuilder::add(Value x, int64_t y) {
  return y == 0 ? x : add(x, number(y));
}
Value KernelBuilder::multiply(Value x, int64_t y) {
  return y == 1 ? x : b.createOrFold<arith::MulIOp>(x, number(y), inRange);
}
Value KernelBuilder::divide(Value x, int64_t y) {
  return y == 1 ? x : b.createOrFold<arith::DivUIOp>(x, number(y));
}
Value KernelBuilder::remainder(Value x, int64_t y) {
  return y == 1 ? number(0) : b.createOrFold<arith::RemUIOp>(x, number(y));
}
Value KernelBuilder::exclusiveOr(Value x, Value y) {
  return b.createOrFold<arith::XOrIOp>(x, y);
}
Value KernelBuilder::least(Value x, int64_t y) {
  return b.createOrFold<arith::MinSIOp>(x, number(y));
}
Value KernelBuilder::isLess(Value x, int64_t y) {
  return arith::CmpIOp::create(b, arith::CmpIPredicate::slt, x, number(y));
}
Value KernelBuilder::isEqual(Value x, int64_t y) {
  return arith::CmpIOp::create(b, arith::CmpIPredicate::eq, x, number(y));
}
Value KernelBuilder::both(Value x, Value y) {
  if (!x || !y)
    return x ? x : y;
  return arith::AndIOp::create(b, x, y);
}
Value KernelBuilder::select(Value condition, Value x, Value y) {
  return condition ? arith::SelectOp::create(b, condition, x, y).getResult()
                   : x;
}
Value KernelBuilder::zero(Type type) {
  return arith::ConstantOp::create(b, b.getZeroAttr(type));
}

Value KernelBuilder::multiplyAdd(Value x, Value y, Value sum) {
  if (isa<FloatType>(sum.getType()))
    return LLVM::FMAOp::create(b, x, y, sum);
  return arith::AddIOp::create(b, sum, arith::MulIOp::create(b, x, y));
}

Value KernelBuilder::sum(Value x, Value y) {
  if (isa<FloatType>(x.getType()))
    return arith::AddFOp::create(b, x, y);
  return arith::AddIOp::create(b, x, y);
}

//===----------------------------------------------------------------------===//
// Vectors
//===----------------------------------------------------------------------===//

Value KernelBuilder::extract(Value vector, int64_t lane) {
  Value place = arith::ConstantOp::create(b, b.getI32IntegerAttr(lane));
  return LLVM::ExtractElementOp::create(b, vector, place);
}

Value KernelBuilder::pack(ArrayRef<Value> elements) {
  if (elements.size() == 1)
    return elements.front();
  auto type = VectorType::get(elements.size(), elements.front().getType());
  Value result = LLVM::PoisonOp::create(b, type);
  for (auto [lane, element] : llvm::enumerate(elements)) {
    Value place = arith::ConstantOp::create(b, b.getI32IntegerAttr(lane));
    result = LLVM::InsertElementOp::create(b, result, element, place);
  }
  return result;
}

SmallVector<Value> KernelBuilder::unpack(Value value) {
  auto type = dyn_cast<VectorType>(value.getType());
  if (!type)
    return {value};
  SmallVector<Value> result;
  for (int64_t lane = 0; lane < type.getNumElements(); ++lane)
    result.push_back(extract(value, lane));
  return result;
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

Value KernelBuilder::pointer(Value buffer) {
  auto type = cast<MemRefType>(buffer.getType());
  Value address = memref::ExtractAlignedPointerAsIndexOp::create(b, buffer);
  address = arith::IndexCastOp::create(b, b.getI64Type(), address);
  Value pointer = LLVM::IntToPtrOp::create(
      b, LLVM::LLVMPointerType::get(b.getContext(), globalSpace), address);
  if (!ShapedType::isDynamic(type.getStridesAndOffset().second))
    return pointer;
  Value offset =
      memref::ExtractStridedMetadataOp::create(b, buffer).getOffset();
  return at(pointer, type.getElementType(),
            arith::IndexCastOp::create(b, b.getI64Type(), offset));
}

Value KernelBuilder::at(Value pointer, Type element, Value index) {
  return LLVM::GEPOp::create(b, pointer.getType(), element, pointer,
                             ValueRange{index}, LLVM::GEPNoWrapFlags::inbounds);
}

Value KernelBuilder::at(Value pointer, Type element, int64_t index) {
  if (index == 0)
    return pointer;
  return LLVM::GEPOp::create(
      b, pointer.getType(), element, pointer,
      ArrayRef<LLVM::GEPArg>{static_cast<int32_t>(index)},
      LLVM::GEPNoWrapFlags::inbounds);
}

static unsigned bytesOf(Type type) {
  if (auto vector = dyn_cast<VectorType>(type))
    return vector.getNumElements() * bytesOf(vector.getElementType());
  return type.getIntOrFloatBitWidth() / 8;
}

Value KernelBuilder::load(Value pointer, Type element, int64_t count) {
  Type type = count == 1 ? element : VectorType::get({count}, element);
  return LLVM::LoadOp::create(b, type, pointer, bytesOf(type));
}

void KernelBuilder::store(Value value, Value pointer) {
  LLVM::StoreOp::create(b, value, pointer, bytesOf(value.getType()));
}

Value KernelBuilder::shared(int64_t bytes) {
  bool isStatic = bytes <= staticSharedBytes;
  auto module = func->getParentOfType<gpu::GPUModuleOp>();
  LLVM::GlobalOp global;
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPoint(func);
    auto type = LLVM::LLVMArrayType::get(b.getI8Type(), isStatic ? bytes : 0);
    global = LLVM::GlobalOp::create(b, type, /*isConstant=*/false,
                                    isStatic ? LLVM::Linkage::Internal
                                             : LLVM::Linkage::External,
                                    (func.getName() + "_shared").str(),
                                    Attribute(), /*alignment=*/16, sharedSpace);
  }
  // Names are unique within the module.
  SymbolTable(module).insert(global);
  if (!isStatic)
    func->setAttr(sharedBytesAttr, b.getI64IntegerAttr(bytes));
  return LLVM::AddressOfOp::create(b, global);
}

void KernelBuilder::barrier() { gpu::BarrierOp::create(b); }

void KernelBuilder::copyAsync(Value to, Value from, int64_t bytes,
                              Value exists) {
  auto size = [&](int64_t x) -> Value {
    return arith::ConstantOp::create(b, b.getI32IntegerAttr(x));
  };
  // Only 16 bytes can pass by the first cache.
  auto cache = bytes == 16 ? NVVM::LoadCacheModifierKind::CG
                           : NVVM::LoadCacheModifierKind::CA;
  NVVM::CpAsyncOp::create(b, to, from, bytes, cache,
                          exists ? select(exists, size(bytes), size(0))
                                 : Value());
}

void KernelBuilder::commitCopies() { NVVM::CpAsyncCommitGroupOp::create(b); }

void KernelBuilder::awaitCopies(int64_t groups) {
  NVVM::CpAsyncWaitGroupOp::create(b, groups);
}

//===----------------------------------------------------------------------===//
// Control
//===----------------------------------------------------------------------===//

SmallVector<Value> KernelBuilder::loop(
    int64_t count, ArrayRef<Value> carried,
    llvm::function_ref<SmallVector<Value>(Value, ArrayRef<Value>)> build) {
  auto loop =
      scf::ForOp::create(b, number(0), number(count), number(1), carried);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  SmallVector<Value> values(loop.getRegionIterArgs());
  values = build(loop.getInductionVar(), values);
  if (!values.empty())
    scf::YieldOp::create(b, values);
  return SmallVector<Value>(loop.getResults());
}

void KernelBuilder::onlyIf(Value condition, llvm::function_ref<void()> build) {
  if (!condition)
    return build();
  auto branch = scf::IfOp::create(b, condition, /*withElseRegion=*/false);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(branch.thenBlock());
  build();
}

SmallVector<Value>
KernelBuilder::onlyIf(Value condition, ArrayRef<Value> otherwise,
                      llvm::function_ref<SmallVector<Value>()> build) {
  if (otherwise.empty()) {
    onlyIf(condition, [&] { build(); });
    return {};
  }
  auto branch = scf::IfOp::create(b, ValueRange(otherwise).getTypes(),
                                  condition, /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(branch.thenBlock());
  scf::YieldOp::create(b, build());
  b.setInsertionPointToStart(branch.elseBlock());
  scf::YieldOp::create(b, otherwise);
  return SmallVector<Value>(branch.getResults());
}
