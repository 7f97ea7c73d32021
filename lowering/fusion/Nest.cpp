// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lowering/fusion/Nest.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using weft::Access;
using weft::Nest;

/// The strides of a buffer, or of an array in row-major order.
static SmallVector<int64_t> stridesOf(ShapedType type, int64_t &offset) {
  SmallVector<int64_t> strides;
  if (auto memref = dyn_cast<MemRefType>(type)) {
    if (failed(memref.getStridesAndOffset(strides, offset)))
      return {ShapedType::kDynamic};
    if (ShapedType::isDynamic(offset))
      offset = 0;
    return strides;
  }
  strides.resize(type.getRank());
  int64_t stride = 1;
  for (int64_t dim = type.getRank(); dim-- > 0;) {
    strides[dim] = stride;
    stride *= type.getDimSize(dim);
  }
  return strides;
}

/// Adds `scale` times an expression; false where it is not linear.
static bool addExpr(Access &access, AffineExpr expr, int64_t scale) {
  if (auto constant = dyn_cast<AffineConstantExpr>(expr)) {
    access.offset += scale * constant.getValue();
    return true;
  }
  if (auto dim = dyn_cast<AffineDimExpr>(expr)) {
    access.strides[dim.getPosition()] += scale;
    return true;
  }
  auto binary = dyn_cast<AffineBinaryOpExpr>(expr);
  if (!binary)
    return false;
  AffineExpr left = binary.getLHS(), right = binary.getRHS();
  if (binary.getKind() == AffineExprKind::Add)
    return addExpr(access, left, scale) && addExpr(access, right, scale);
  auto constant = dyn_cast<AffineConstantExpr>(right);
  if (!constant)
    return false;
  if (binary.getKind() == AffineExprKind::Mul)
    return addExpr(access, left, scale * constant.getValue());
  // Panels: d floordiv width and d mod width.
  auto dim = dyn_cast<AffineDimExpr>(left);
  if (!dim || binary.getKind() == AffineExprKind::CeilDiv)
    return false;
  unsigned loop = dim.getPosition();
  if (access.panelLoop &&
      (*access.panelLoop != loop || access.panelWidth != constant.getValue()))
    return false;
  access.panelLoop = loop;
  access.panelWidth = constant.getValue();
  if (binary.getKind() == AffineExprKind::FloorDiv)
    access.panelStride += scale;
  else
    access.strides[loop] += scale;
  return true;
}

static std::optional<Access> accessOf(ShapedType type, AffineMap map) {
  Access access;
  access.strides.resize(map.getNumDims());
  SmallVector<int64_t> strides = stridesOf(type, access.offset);
  if (llvm::any_of(strides, ShapedType::isDynamic))
    return std::nullopt;
  for (auto [expr, stride] : llvm::zip_equal(map.getResults(), strides))
    if (!addExpr(access, expr, stride))
      return std::nullopt;
  return access;
}

std::optional<Nest> Nest::of(linalg::LinalgOp op) {
  Nest nest;
  nest.extents = op.getStaticLoopRanges();
  if (llvm::any_of(nest.extents, ShapedType::isDynamic))
    return std::nullopt;
  nest.kinds = op.getIteratorTypesArray();
  nest.origins.assign(llvm::seq<unsigned>(nest.depth()).begin(),
                      llvm::seq<unsigned>(nest.depth()).end());
  for (OpOperand &operand : op->getOpOperands())
    if (!nest.add(operand.get().getType(), op.getMatchingIndexingMap(&operand)))
      return std::nullopt;
  return nest;
}

bool Nest::add(Type type, AffineMap map) {
  auto shaped = dyn_cast<ShapedType>(type);
  if (!shaped) {
    accesses.emplace_back().strides.resize(depth());
    return true;
  }
  std::optional<Access> access = accessOf(shaped, map);
  if (access)
    accesses.push_back(*access);
  return access.has_value();
}

void Nest::placeInBlock(unsigned operand, std::optional<unsigned> rowLoop,
                        int64_t rowStride, std::optional<unsigned> laneLoop) {
  accesses[operand] = Access();
  accesses[operand].strides.resize(depth());
  if (rowLoop)
    accesses[operand].strides[*rowLoop] = rowStride;
  if (laneLoop)
    accesses[operand].strides[*laneLoop] = 1;
}

bool Nest::canMerge(unsigned outer, unsigned inner) const {
  // What is summed over keeps its order.
  return outer != inner && kinds[outer] == kinds[inner] &&
         (isParallel(outer) || outer < inner) &&
         llvm::all_of(accesses, [&](const Access &access) {
           return access.panelLoop != outer && access.panelLoop != inner &&
                  access.strides[outer] ==
                      extents[inner] * access.strides[inner];
         });
}

void Nest::erase(unsigned loop) {
  extents.erase(extents.begin() + loop);
  kinds.erase(kinds.begin() + loop);
  origins.erase(origins.begin() + loop);
  for (Access &access : accesses) {
    access.strides.erase(access.strides.begin() + loop);
    if (access.panelLoop && *access.panelLoop > loop)
      --*access.panelLoop;
  }
}

void Nest::simplify() {
  for (unsigned loop = depth(); loop-- > 0;)
    if (extents[loop] == 1 &&
        llvm::none_of(accesses, [&](const Access &access) {
          return access.panelLoop == loop;
        }))
      erase(loop);
  for (unsigned outer = 0; outer < depth(); ++outer)
    for (unsigned inner = 0; inner < depth(); ++inner)
      if (canMerge(outer, inner)) {
        extents[inner] *= extents[outer];
        origins[inner] = std::nullopt;
        erase(outer);
        outer = -1;
        break;
      }
}

std::pair<Value, Value> weft::flatten(ImplicitLocOpBuilder &b, Value buffer,
                                      int64_t offset) {
  auto type = dyn_cast<MemRefType>(buffer.getType());
  if (!type)
    return {buffer, Value()};
  auto parts = memref::ExtractStridedMetadataOp::create(b, buffer);
  Value begin = arith::ConstantIndexOp::create(b, offset);
  if (ShapedType::isDynamic(type.getStridesAndOffset().second))
    begin = arith::AddIOp::create(b, parts.getOffset(), begin);
  auto rowType =
      MemRefType::get({ShapedType::kDynamic}, type.getElementType(),
                      MemRefLayoutAttrInterface(), type.getMemorySpace());
  Value length =
      arith::ConstantIndexOp::create(b, std::numeric_limits<int64_t>::max());
  Value row = memref::ReinterpretCastOp::create(
      b, rowType, parts.getBaseBuffer(), b.getIndexAttr(0),
      ArrayRef<OpFoldResult>{OpFoldResult(length)},
      ArrayRef<OpFoldResult>{OpFoldResult(b.getIndexAttr(1))});
  return {row, begin};
}

Value weft::advance(ImplicitLocOpBuilder &b, Value base, Value steps,
                    int64_t stride) {
  if (stride == 0)
    return base;
  if (stride != 1)
    steps = arith::MulIOp::create(b, steps,
                                  arith::ConstantIndexOp::create(b, stride));
  return arith::AddIOp::create(b, base, steps);
}

SmallVector<Value> weft::splitDigits(ImplicitLocOpBuilder &b, Value number,
                                     ArrayRef<int64_t> counts) {
  SmallVector<Value> digits(counts.size(), number);
  for (size_t i = counts.size(); i-- > 1;) {
    Value count = arith::ConstantIndexOp::create(b, counts[i]);
    digits[i] = arith::RemUIOp::create(b, number, count);
    number = arith::DivUIOp::create(b, number, count);
    digits[0] = number;
  }
  return digits;
}

double weft::workOf(linalg::LinalgOp op, const Nest &nest) {
  double cost = 1;
  op.getBlock()->walk([&](Operation *inner) {
    cost += isa_and_nonnull<math::MathDialect>(inner->getDialect()) ? 8 : 1;
  });
  for (int64_t extent : nest.extents)
    cost *= extent;
  return cost;
}

double weft::workOf(Operation *op) {
  if (auto linalgOp = dyn_cast<linalg::LinalgOp>(op)) {
    double work = 1 + linalgOp.getBlock()->getOperations().size();
    for (int64_t extent : linalgOp.getStaticLoopRanges())
      work *= ShapedType::isDynamic(extent) ? 1 << 20 : extent;
    return work;
  }
  double work = 0;
  for (Region &region : op->getRegions())
    for (Operation &inner : region.getOps())
      work += workOf(&inner);
  auto loop = dyn_cast<scf::ForOp>(op);
  std::optional<llvm::APInt> steps =
      loop ? loop.getStaticTripCount() : std::nullopt;
  return steps ? work * steps->getSExtValue() : work + 1;
}
