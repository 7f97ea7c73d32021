// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Discrete Fourier transforms: types, kernels, batching, derivatives. They are
// linear; cotangents are transposed, not conjugated.

#include "dialects/Calculus.h"
#include "dialects/Folding.h"

using namespace mlir;
using namespace weft;
using namespace weft::calculus;

//===----------------------------------------------------------------------===//
// Types
//===----------------------------------------------------------------------===//

/// The type of the operand, if it has the axis, and elements along it.
static RankedTensorType inferTransformed(std::optional<Location> loc,
                                         ValueRange operands, IntegerAttr axis,
                                         bool isComplex) {
  RankedTensorType type = firstOperandType(loc, operands, 1);
  if (!type)
    return {};
  // fourier_c1: elements of the right kind.
  if (isComplex ? !isComplexArray(type) : !isPartArray(type)) {
    (void)emitOptionalError(loc, "does not transform ", type);
    return {};
  }
  int64_t dim = axis ? axis.getInt() : -1;
  // fourier_c2: the axis exists, and has an element.
  if (dim < 0 || dim >= type.getRank() || type.getDimSize(dim) == 0) {
    (void)emitOptionalError(loc, "axis ", dim, " of ", type,
                            " does not exist or has no elements");
    return {};
  }
  return type;
}

static RankedTensorType resized(RankedTensorType type, int64_t axis,
                                int64_t size, Type element) {
  SmallVector<int64_t> shape(type.getShape());
  shape[axis] = size;
  return RankedTensorType::get(shape, element);
}

LogicalResult FftOp::inferReturnTypes(MLIRContext *,
                                      std::optional<Location> loc,
                                      ValueRange operands, DictionaryAttr,
                                      OpaqueProperties properties, RegionRange,
                                      SmallVectorImpl<Type> &types) {
  auto *given = properties.as<Properties *>();
  RankedTensorType type = inferTransformed(
      loc, operands, given ? given->axis : nullptr, /*isComplex=*/true);
  if (!type)
    return failure();
  types.push_back(type);
  return success();
}

LogicalResult RfftOp::inferReturnTypes(MLIRContext *,
                                       std::optional<Location> loc,
                                       ValueRange operands, DictionaryAttr,
                                       OpaqueProperties properties, RegionRange,
                                       SmallVectorImpl<Type> &types) {
  auto *given = properties.as<Properties *>();
  RankedTensorType type = inferTransformed(
      loc, operands, given ? given->axis : nullptr, /*isComplex=*/false);
  if (!type)
    return failure();
  int64_t axis = given->axis.getInt();
  types.push_back(resized(type, axis, type.getDimSize(axis) / 2 + 1,
                          ComplexType::get(type.getElementType())));
  return success();
}

LogicalResult IrfftOp::inferReturnTypes(MLIRContext *,
                                        std::optional<Location> loc,
                                        ValueRange operands, DictionaryAttr,
                                        OpaqueProperties properties,
                                        RegionRange,
                                        SmallVectorImpl<Type> &types) {
  auto *given = properties.as<Properties *>();
  RankedTensorType type = inferTransformed(
      loc, operands, given ? given->axis : nullptr, /*isComplex=*/true);
  if (!type)
    return failure();
  int64_t axis = given->axis.getInt();
  int64_t length = given->length ? given->length.getInt() : 0;
  // irfft_c1: half of the elements, and the one in the middle.
  if (length < 1 || length / 2 + 1 != type.getDimSize(axis))
    return emitOptionalError(loc, "length ", length, " needs ", length / 2 + 1,
                             " elements along axis ", axis, " of ", type);
  types.push_back(
      resized(type, axis, length,
              cast<ComplexType>(type.getElementType()).getElementType()));
  return success();
}

//===----------------------------------------------------------------------===//
// Kernels
//===----------------------------------------------------------------------===//

/// A transform of `size` elements along an axis, for all indices before it and
/// behind it.
static Kernel kernelOf(StringRef name, Value x, int64_t axis, int64_t size) {
  ArrayRef<int64_t> shape = cast<RankedTensorType>(x.getType()).getShape();
  return {name,
          {x},
          {ShapedType::getNumElements(shape.take_front(axis)), size,
           ShapedType::getNumElements(shape.drop_front(axis + 1))}};
}

Kernel FftOp::getKernel() {
  Kernel kernel = kernelOf("fft", getX(), getAxis(),
                           getX().getType().getDimSize(getAxis()));
  kernel.sizes.push_back(getInverse());
  return kernel;
}

Kernel RfftOp::getKernel() {
  return kernelOf("rfft", getX(), getAxis(),
                  getX().getType().getDimSize(getAxis()));
}

Kernel IrfftOp::getKernel() {
  return kernelOf("irfft", getX(), getAxis(), getLength());
}

//===----------------------------------------------------------------------===//
// Batching
//===----------------------------------------------------------------------===//

SmallVector<Value> FftOp::buildBatched(OpBuilder &b, Location loc,
                                       ValueRange operands,
                                       const llvm::SmallBitVector &batched,
                                       int64_t size) {
  return batchAlongAxis(*this, b, loc, operands, batched, size);
}
SmallVector<Value> RfftOp::buildBatched(OpBuilder &b, Location loc,
                                        ValueRange operands,
                                        const llvm::SmallBitVector &batched,
                                        int64_t size) {
  return batchAlongAxis(*this, b, loc, operands, batched, size);
}
SmallVector<Value> IrfftOp::buildBatched(OpBuilder &b, Location loc,
                                         ValueRange operands,
                                         const llvm::SmallBitVector &batched,
                                         int64_t size) {
  return batchAlongAxis(*this, b, loc, operands, batched, size);
}

//===----------------------------------------------------------------------===//
// Derivatives
//===----------------------------------------------------------------------===//

/// `x` times `factor` at the frequencies that stand for two of a real signal of
/// `length` elements, for themselves and for their opposites.
static Tensor scalePairs(Tensor x, int64_t axis, int64_t length,
                         double factor) {
  auto type = x.type().clone(IntegerType::get(x.value.getContext(), 64));
  Tensor k = x.with(IotaOp::create(*x.b, x.loc, type, axis));
  Tensor middle = constant(k, (length + 1) / 2);
  Tensor isPair = select(greater(k, zeros(k)), greater(middle, k),
                         greater(zeros(k), zeros(k)));
  return x * select(isPair, constant(x, factor), constant(x, 1.0));
}

// The matrix of the transform is symmetric.
SmallVector<Value> FftOp::buildPullback(OpBuilder &b, Location loc,
                                        ValueRange cotangents) {
  return {b.createOrFold<FftOp>(loc, cotangents[0], getAxis(), getInverse())};
}

// x'[j] = Re sum y'[k] exp(-2 pi i j k / n) over half of the frequencies, each
// pair of which irfft counts twice.
SmallVector<Value> RfftOp::buildPullback(OpBuilder &b, Location loc,
                                         ValueRange cotangents) {
  Tensor ct = TensorOperands(b, loc)(cotangents[0]);
  int64_t length = getX().getType().getDimSize(getAxis());
  Tensor half = scalePairs(conj(ct), getAxis(), length, 0.5);
  return {b.createOrFold<IrfftOp>(loc, half.value, getAxis(), length)};
}

// y[j] = Re sum x[k] exp(2 pi i j k / n), each pair of frequencies twice.
SmallVector<Value> IrfftOp::buildPullback(OpBuilder &b, Location loc,
                                          ValueRange cotangents) {
  Tensor ct = TensorOperands(b, loc)(cotangents[0]);
  Tensor whole = ct.with(b.createOrFold<RfftOp>(loc, cotangents[0], getAxis()));
  return {scalePairs(conj(whole), getAxis(), getLength(), 2.0).value};
}
