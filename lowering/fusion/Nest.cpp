// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lowering/fusion/Nest.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using weft::Access;
using weft::Nest;
using weft::Panels;

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

/// Those of an array that is part of another one, which buffers are views of,
/// dimensions of one element put in or left out.
static SmallVector<int64_t> stridesOf(Value array, int64_t &offset) {
  auto type = cast<ShapedType>(array.getType());
  Operation *op = array.getDefiningOp();
  auto slice = dyn_cast_or_null<tensor::ExtractSliceOp>(op);
  if (!slice &&
      !isa_and_nonnull<tensor::CollapseShapeOp, tensor::ExpandShapeOp>(op))
    return stridesOf(type, offset);
  Value source = op->getOperand(0);
  SmallVector<int64_t> strides = stridesOf(source, offset);
  SmallVector<int64_t> sizes(cast<ShapedType>(source.getType()).getShape());
  if (slice) {
    sizes.assign(slice.getStaticSizes().begin(), slice.getStaticSizes().end());
    for (auto [stride, step] :
         llvm::zip_equal(strides, slice.getStaticStrides()))
      stride = ShapedType::isDynamic(step) ? step : stride * step;
  }
  SmallVector<int64_t> result(type.getRank(), 1);
  size_t from = 0;
  for (auto [stride, size] : llvm::zip_equal(result, type.getShape())) {
    if (size == 1)
      continue;
    while (from < sizes.size() && sizes[from] == 1)
      ++from;
    if (from == sizes.size() || sizes[from] != size)
      return stridesOf(type, offset);
    stride = strides[from++];
  }
  return result;
}

/// Adds `scale` times a sum of loops times constants to the strides and what is
/// constant to the offset; false where the expression is another one.
static bool addLinear(SmallVectorImpl<int64_t> &strides, int64_t &offset,
                      AffineExpr expr, int64_t scale) {
  if (auto constant = dyn_cast<AffineConstantExpr>(expr)) {
    offset += scale * constant.getValue();
    return true;
  }
  if (auto dim = dyn_cast<AffineDimExpr>(expr)) {
    strides[dim.getPosition()] += scale;
    return true;
  }
  auto binary = dyn_cast<AffineBinaryOpExpr>(expr);
  if (!binary)
    return false;
  AffineExpr left = binary.getLHS(), right = binary.getRHS();
  if (binary.getKind() == AffineExprKind::Add)
    return addLinear(strides, offset, left, scale) &&
           addLinear(strides, offset, right, scale);
  auto constant = dyn_cast<AffineConstantExpr>(right);
  return constant && binary.getKind() == AffineExprKind::Mul &&
         addLinear(strides, offset, left, scale * constant.getValue());
}

/// Adds `scale` times the number of a panel, e floordiv width, or a place in
/// it, e mod width.
static bool addPanels(Access &access, AffineBinaryOpExpr expr, int64_t scale) {
  auto width = dyn_cast<AffineConstantExpr>(expr.getRHS());
  Panels found;
  found.strides.resize(access.strides.size());
  int64_t offset = 0;
  if (!width || expr.getKind() == AffineExprKind::CeilDiv ||
      !addLinear(found.strides, offset, expr.getLHS(), 1) || offset != 0)
    return false;
  found.width = width.getValue();
  auto isAlike = [&](const Panels &each) {
    return each.strides == found.strides && each.width == found.width;
  };
  auto known = llvm::find_if(access.panels, isAlike);
  if (known == access.panels.end()) {
    // A loop that passes through panels of two kinds has no steps of one size.
    for (auto [loop, stride] : llvm::enumerate(found.strides))
      if (stride != 0 && access.panelsAlong(loop))
        return false;
    access.panels.push_back(found);
    known = std::prev(access.panels.end());
  }
  if (expr.getKind() == AffineExprKind::FloorDiv) {
    known->stride += scale;
    return true;
  }
  for (auto [stride, inner] : llvm::zip_equal(access.strides, known->strides))
    stride += scale * inner;
  return true;
}

/// Adds `scale` times an expression; false where it is neither linear nor of
/// panels.
static bool addExpr(Access &access, AffineExpr expr, int64_t scale) {
  auto binary = dyn_cast<AffineBinaryOpExpr>(expr);
  if (!binary || binary.getKind() == AffineExprKind::Mul)
    return addLinear(access.strides, access.offset, expr, scale);
  if (binary.getKind() == AffineExprKind::Add)
    return addExpr(access, binary.getLHS(), scale) &&
           addExpr(access, binary.getRHS(), scale);
  return addPanels(access, binary, scale);
}

static std::optional<Access> accessOf(Value array, AffineMap map) {
  Access access;
  access.strides.resize(map.getNumDims());
  SmallVector<int64_t> strides = stridesOf(array, access.offset);
  if (llvm::any_of(strides, ShapedType::isDynamic))
    return std::nullopt;
  for (auto [expr, stride] : llvm::zip_equal(map.getResults(), strides))
    if (!addExpr(access, expr, stride))
      return std::nullopt;
  return access;
}

bool weft::isTransposition(linalg::GenericOp op) {
  if (!op.hasPureTensorSemantics() || op.getNumDpsInputs() != 1 ||
      op.getNumDpsInits() != 1 || op.getNumParallelLoops() != op.getNumLoops())
    return false;
  Block &body = *op.getBody();
  SmallVector<AffineMap> maps = op.getIndexingMapsArray();
  return body.getOperations().size() == 1 &&
         body.getTerminator()->getOperand(0) == body.getArgument(0) &&
         maps[0].isPermutation() && maps[1].isPermutation();
}

bool weft::hasGaps(Value array) {
  int64_t offset = 0;
  SmallVector<int64_t> strides = stridesOf(array, offset);
  auto type = cast<ShapedType>(array.getType());
  for (auto [stride, size] :
       llvm::reverse(llvm::zip_equal(strides, type.getShape())))
    if (size != 1)
      return stride != 1;
  return false;
}

bool weft::isContiguous(Value array) {
  int64_t offset = 0;
  auto type = cast<ShapedType>(array.getType());
  return llvm::all_of_zip(stridesOf(array, offset), stridesOf(type, offset),
                          type.getShape(),
                          [](int64_t stride, int64_t own, int64_t size) {
                            return stride == own || size == 1;
                          });
}

std::optional<Nest> Nest::of(linalg::LinalgOp op) {
  Nest nest;
  nest.extents = op.getStaticLoopRanges();
  if (llvm::any_of(nest.extents, ShapedType::isDynamic))
    return std::nullopt;
  nest.kinds = op.getIteratorTypesArray();
  for (unsigned loop = 0; loop < nest.depth(); ++loop) {
    nest.origins.emplace_back(nest.depth());
    nest.origins.back()[loop] = 1;
  }
  for (OpOperand &operand : op->getOpOperands())
    if (!nest.add(operand.get(), op.getMatchingIndexingMap(&operand)))
      return std::nullopt;
  return nest;
}

bool Nest::add(Value operand, AffineMap map) {
  if (!isa<ShapedType>(operand.getType())) {
    accesses.emplace_back().strides.resize(depth());
    return true;
  }
  std::optional<Access> access = accessOf(operand, map);
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

std::optional<unsigned> Nest::originOf(unsigned loop) const {
  std::optional<unsigned> found;
  for (auto [origin, times] : llvm::enumerate(origins[loop])) {
    if (times == 0)
      continue;
    if (found)
      return std::nullopt;
    found = origin;
  }
  return found;
}

AffineExpr Nest::exprOf(unsigned loop, MLIRContext *context) const {
  AffineExpr expr = getAffineConstantExpr(0, context);
  for (auto [origin, times] : llvm::enumerate(origins[loop]))
    expr = expr + getAffineDimExpr(origin, context) * times;
  return expr;
}

/// Whether an operand is walked through by two loops as by one. Whole panels
/// that the inner one passes through are steps of the outer one.
static bool isAsOne(const Access &access, unsigned outer, unsigned inner,
                    int64_t extent) {
  const Panels *panels = access.panelsAlong(inner);
  if (panels && panels->strides[outer] == 0)
    return panels->strides[inner] == 1 && extent % panels->width == 0 &&
           !access.panelsAlong(outer) &&
           access.strides[outer] == extent / panels->width * panels->stride;
  auto follows = [&](ArrayRef<int64_t> strides) {
    return strides[outer] == extent * strides[inner];
  };
  return follows(access.strides) &&
         llvm::all_of(access.panels, [&](const Panels &each) {
           return follows(each.strides);
         });
}

bool Nest::canMerge(unsigned outer, unsigned inner) const {
  // What is summed over keeps its order.
  return outer != inner && kinds[outer] == kinds[inner] &&
         (isParallel(outer) || outer < inner) &&
         llvm::all_of(accesses, [&](const Access &access) {
           return isAsOne(access, outer, inner, extents[inner]);
         });
}

void Nest::erase(unsigned loop) {
  extents.erase(extents.begin() + loop);
  kinds.erase(kinds.begin() + loop);
  origins.erase(origins.begin() + loop);
  for (Access &access : accesses) {
    access.strides.erase(access.strides.begin() + loop);
    for (Panels &panels : access.panels)
      panels.strides.erase(panels.strides.begin() + loop);
  }
}

void Nest::simplify() {
  for (unsigned loop = depth(); loop-- > 0;)
    if (extents[loop] == 1 &&
        llvm::none_of(accesses, [&](const Access &access) {
          return access.panelsAlong(loop);
        }))
      erase(loop);
  for (unsigned outer = 0; outer < depth(); ++outer)
    for (unsigned inner = 0; inner < depth(); ++inner)
      if (canMerge(outer, inner)) {
        for (auto [own, other] : llvm::zip(origins[inner], origins[outer]))
          own += other * extents[inner];
        extents[inner] *= extents[outer];
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
  return cost * nest.steps();
}

/// How many steps a loop has, or has at most, where that is known.
static std::optional<int64_t> stepsOf(scf::ForOp loop) {
  if (auto steps = loop.getStaticTripCount())
    return steps->getSExtValue();
  SmallVector<Value> bounds = {loop.getUpperBound()};
  if (isa_and_nonnull<arith::MinSIOp, arith::MinUIOp>(
          bounds.front().getDefiningOp()))
    bounds.assign(bounds.front().getDefiningOp()->operand_begin(),
                  bounds.front().getDefiningOp()->operand_end());
  for (Value bound : bounds) {
    auto sum = bound.getDefiningOp<arith::AddIOp>();
    if (sum && sum.getLhs() == loop.getLowerBound())
      bound = sum.getRhs();
    else if (!matchPattern(loop.getLowerBound(), m_Zero()))
      continue;
    if (auto steps = getConstantIntValue(bound))
      return *steps;
  }
  return std::nullopt;
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
  std::optional<int64_t> steps = loop ? stepsOf(loop) : std::nullopt;
  return steps ? work * *steps : work + 1;
}
