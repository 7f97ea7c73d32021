// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lowering/memory/Buffers.h"
#include "lowering/Machine.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"

using namespace mlir;

Value weft::baseOf(Value buffer) {
  while (auto view = buffer.getDefiningOp<ViewLikeOpInterface>())
    buffer = view.getViewSource();
  return buffer;
}

Value weft::ownBufferOf(Value buffer) {
  while (auto view = buffer.getDefiningOp<ViewLikeOpInterface>()) {
    if (isa<memref::ViewOp>(view))
      break;
    buffer = view.getViewSource();
  }
  return buffer;
}

/// Whether an op, or one within it, uses a buffer that `known` says yes to.
static bool usesBuffer(Operation *op, function_ref<bool(Value)> known) {
  return op
      ->walk([&](Operation *inner) {
        bool isUsed = llvm::any_of(inner->getOperands(), [&](Value operand) {
          return isa<MemRefType>(operand.getType()) && known(operand);
        });
        return isUsed ? WalkResult::interrupt() : WalkResult::advance();
      })
      .wasInterrupted();
}

bool weft::touches(Operation *op, Value base) {
  return usesBuffer(op, [&](Value used) { return baseOf(used) == base; });
}

bool weft::touchesOwn(Operation *op, Value own) {
  return usesBuffer(op, [&](Value used) { return ownBufferOf(used) == own; });
}

bool weft::isSameBuffer(Value a, Value b) {
  Operation *one = a.getDefiningOp(), *other = b.getDefiningOp();
  auto areSame = [](Value x, Value y) { return success(isSameBuffer(x, y)); };
  return a == b || (one && other && isa<ViewLikeOpInterface>(one) &&
                    OperationEquivalence::isEquivalentTo(
                        one, other, areSame, /*markEquivalent=*/nullptr,
                        OperationEquivalence::IgnoreLocations));
}

Value weft::onStack(ImplicitLocOpBuilder &b, MemRefType type) {
  bool hasLine = type.getNumElements() * bytesOf(type.getElementType()) >=
                 Machine::lineBytes;
  return memref::AllocaOp::create(
      b, type, hasLine ? b.getI64IntegerAttr(Machine::lineBytes) : nullptr);
}

void weft::copyInLoops(memref::CopyOp op) {
  OpBuilder b(op);
  int64_t rank = cast<MemRefType>(op.getTarget().getType()).getRank();
  SmallVector<AffineMap> maps(2, b.getMultiDimIdentityMap(rank));
  SmallVector<utils::IteratorType> loops(rank, utils::IteratorType::parallel);
  linalg::GenericOp::create(
      b, op.getLoc(), TypeRange{}, op.getSource(), op.getTarget(), maps, loops,
      [](OpBuilder &inner, Location loc, ValueRange args) {
        linalg::YieldOp::create(inner, loc, args.front());
      });
  op.erase();
}

int64_t weft::bytesOf(Type element) {
  if (auto type = dyn_cast<ComplexType>(element))
    return 2 * bytesOf(type.getElementType());
  return element.isIndex() ? 8
                           : std::max(1u, element.getIntOrFloatBitWidth() / 8);
}
