// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lowering/gpu/Alignment.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "llvm/ADT/STLExtras.h"
#include <numeric>

using namespace mlir;

int64_t weft::multipleOf(Value buffer) {
  auto type = dyn_cast<MemRefType>(buffer.getType());
  if (!type || !ShapedType::isDynamic(type.getStridesAndOffset().second))
    return 0;
  Operation *op = buffer.getDefiningOp();
  if (isa_and_nonnull<memref::CastOp, memref::CollapseShapeOp,
                      memref::ExpandShapeOp>(op))
    return multipleOf(op->getOperand(0));
  auto view = dyn_cast_or_null<memref::SubViewOp>(op);
  if (!view)
    return 1;
  auto [strides, offset] = view.getSourceType().getStridesAndOffset();
  int64_t multiple =
      ShapedType::isDynamic(offset) ? multipleOf(view.getSource()) : offset;
  for (auto [start, stride] : llvm::zip_equal(view.getStaticOffsets(), strides))
    multiple = std::gcd(multiple, ShapedType::isDynamic(start)
                                      ? std::abs(stride)
                                      : std::abs(start * stride));
  return multiple;
}
