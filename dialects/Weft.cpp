// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The dialect itself: types, array predicates, constants, inlining.

#include "dialects/Weft.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Complex/IR/Complex.h"
#include "mlir/Dialect/Func/Extensions/InlinerExtension.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/DialectImplementation.h"
#include "mlir/Transforms/InliningUtils.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

//===----------------------------------------------------------------------===//
// Array types
//===----------------------------------------------------------------------===//

/// Sizes are counted in signed 64-bit bytes everywhere, with room to spare for
/// sums of several arrays.
static bool isCountable(ArrayRef<int64_t> shape) {
  // An empty array is countable only if its other sizes are: reshape and
  // broadcast multiply them.
  int64_t bytes = 16;
  for (int64_t size : shape)
    if (llvm::MulOverflow(bytes, std::max<int64_t>(size, 1), bytes))
      return false;
  return bytes < (int64_t(1) << 56);
}

static Type elementOf(Type type) {
  auto array = dyn_cast<RankedTensorType>(type);
  if (!array || array.getEncoding() || !array.hasStaticShape() ||
      !isCountable(array.getShape()))
    return {};
  return array.getElementType();
}
/// The type of one step's record on a tape, else null.
static Type recordOf(Type type) {
  auto tape = dyn_cast<RankedTensorType>(type);
  if (!tape || tape.getEncoding() || tape.getRank() == 0 ||
      !tape.isDynamicDim(0))
    return {};
  return RankedTensorType::get(tape.getShape().drop_front(),
                               tape.getElementType());
}
static bool isBool(Type type) { return type && type.isSignlessInteger(1); }
static bool isInt(Type type) {
  auto integer = dyn_cast_if_present<IntegerType>(type);
  if (!integer || integer.isSigned())
    return false;
  return llvm::is_contained({8u, 16u, 32u, 64u}, integer.getWidth());
}
static bool isFloat(Type type) {
  return type &&
         (type.isF16() || type.isBF16() || type.isF32() || type.isF64());
}
static bool isComplex(Type type) {
  auto numbers = dyn_cast_if_present<ComplexType>(type);
  if (!numbers)
    return false;
  Type part = numbers.getElementType();
  return part.isF32() || part.isF64();
}

bool weft::isBoolArray(Type type) { return isBool(elementOf(type)); }
bool weft::isIntArray(Type type) { return isInt(elementOf(type)); }
bool weft::isIndicesArray(Type type) {
  Type element = elementOf(type);
  return element && element.isSignlessInteger(64);
}
bool weft::isFloatArray(Type type) { return isFloat(elementOf(type)); }
bool weft::isComplexArray(Type type) { return isComplex(elementOf(type)); }
bool weft::isPartArray(Type type) {
  Type element = elementOf(type);
  return element && (element.isF32() || element.isF64());
}
bool weft::isLibraryArray(Type type) {
  return isPartArray(type) || isComplexArray(type);
}
bool weft::isInexactArray(Type type) {
  return isFloatArray(type) || isComplexArray(type);
}
bool weft::isRealArray(Type type) {
  return isIntArray(type) || isFloatArray(type);
}
bool weft::isOrderedArray(Type type) {
  return isBoolArray(type) || isRealArray(type) || isFloat8(elementOf(type));
}
bool weft::isUI64Array(Type type) {
  Type element = elementOf(type);
  return element && element.isUnsignedInteger(64);
}
bool weft::isBoolOrIntArray(Type type) {
  return isBoolArray(type) || isIntArray(type);
}
bool weft::isNumericArray(Type type) {
  return isRealArray(type) || isComplexArray(type);
}
bool weft::isArray(Type type) {
  return isBoolArray(type) || isNumericArray(type) || isFloat8(elementOf(type));
}
bool weft::isIndexArray(Type type) {
  Type element = elementOf(type);
  return element && element.isSignlessInteger(64) &&
         cast<RankedTensorType>(type).getRank() == 0;
}

bool weft::isTape(Type type) {
  Type record = recordOf(type);
  return record && isArray(record);
}
bool weft::hasTangent(Type type) {
  Type record = recordOf(type);
  return isInexactArray(type) || (record && isInexactArray(record));
}

Type weft::boolLike(Type type) {
  auto array = dyn_cast<RankedTensorType>(type);
  if (!array)
    return type;
  return RankedTensorType::get(array.getShape(),
                               IntegerType::get(type.getContext(), 1));
}

Type weft::realLike(Type type) {
  auto array = dyn_cast<RankedTensorType>(type);
  auto numbers =
      array ? dyn_cast<ComplexType>(array.getElementType()) : ComplexType();
  return numbers ? array.clone(numbers.getElementType()) : type;
}

Type weft::complexLike(Type type) {
  auto array = dyn_cast<RankedTensorType>(type);
  if (!array || !isa<FloatType>(array.getElementType()))
    return type;
  return array.clone(ComplexType::get(array.getElementType()));
}

Type weft::signless(Type elementType) {
  if (auto integer = dyn_cast<IntegerType>(elementType))
    return IntegerType::get(integer.getContext(), integer.getWidth());
  if (isFloat8(elementType))
    return IntegerType::get(elementType.getContext(), 8);
  return elementType;
}

bool weft::isFloat8(Type elementType) {
  return isa_and_present<Float8E4M3FNType, Float8E5M2Type>(elementType);
}

Type weft::computedElement(Type elementType) {
  if (isFloat8(elementType) || elementType.isF16() || elementType.isBF16())
    return Float32Type::get(elementType.getContext());
  return elementType;
}

//===----------------------------------------------------------------------===//
// The dialect
//===----------------------------------------------------------------------===//

namespace {
/// Every op may be inlined anywhere.
struct Inliner final : DialectInlinerInterface {
  using DialectInlinerInterface::DialectInlinerInterface;
  bool isLegalToInline(Operation *, Region *, bool, IRMapping &) const final {
    return true;
  }
  bool isLegalToInline(Region *, Region *, bool, IRMapping &) const final {
    return true;
  }
};
} // namespace

#include "dialects/WeftDialect.cpp.inc"

#define GET_TYPEDEF_CLASSES
#include "dialects/WeftTypes.cpp.inc"

#include "dialects/Interfaces.cpp.inc"

void weft::WeftDialect::initialize() {
  addTypes<
#define GET_TYPEDEF_LIST
#include "dialects/WeftTypes.cpp.inc"
      >();
  registerWeftDialectOperations(this);
  addInterfaces<Inliner>();
}

Operation *weft::WeftDialect::materializeConstant(OpBuilder &b, Attribute value,
                                                  Type type, Location loc) {
  auto elements = dyn_cast<DenseElementsAttr>(value);
  if (!elements || elements.getType() != type)
    return nullptr;
  return ConstantOp::create(b, loc, elements);
}

void weft::registerWeftDialect(DialectRegistry &registry) {
  registry.insert<WeftDialect, func::FuncDialect>();
  func::registerInlinerExtension(registry);
}
