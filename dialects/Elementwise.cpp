// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Elementwise ops: folding by running the scalar body on constants, and the
// conversions, whose rules do not fit a record.

#include "dialects/Calculus.h"
#include "dialects/Folding.h"
#include "dialects/Scalar.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Complex/IR/Complex.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace weft;

//===----------------------------------------------------------------------===//
// Constants that repeat one value
//===----------------------------------------------------------------------===//

/// The repeated value, as an attribute of signless type; of complex numbers the
/// array of the parts.
static Attribute splatValue(Attribute attr) {
  auto elements = dyn_cast_if_present<DenseElementsAttr>(attr);
  if (!elements || !elements.isSplat())
    return {};
  Type type = elements.getElementType();
  if (isFloat8(type))
    return IntegerAttr::get(signless(type),
                            elements.getSplatValue<APFloat>().bitcastToAPInt());
  if (auto numbers = dyn_cast<ComplexType>(type)) {
    auto value = elements.getSplatValue<std::complex<APFloat>>();
    Type part = numbers.getElementType();
    return ArrayAttr::get(type.getContext(),
                          {FloatAttr::get(part, value.real()),
                           FloatAttr::get(part, value.imag())});
  }
  if (isa<FloatType>(type))
    return FloatAttr::get(type, elements.getSplatValue<APFloat>());
  if (!isa<IntegerType>(type))
    return {};
  return IntegerAttr::get(signless(type), elements.getSplatValue<APInt>());
}

static DenseElementsAttr complexSplat(RankedTensorType type, APFloat real,
                                      APFloat imag) {
  return DenseElementsAttr::get(
      type, std::complex<APFloat>(std::move(real), std::move(imag)));
}

static DenseElementsAttr splatFrom(RankedTensorType type, Attribute value) {
  if (auto floating = dyn_cast<FloatAttr>(value))
    return DenseElementsAttr::get(type, floating.getValue());
  if (auto parts = dyn_cast<ArrayAttr>(value))
    return complexSplat(type, cast<FloatAttr>(parts[0]).getValue(),
                        cast<FloatAttr>(parts[1]).getValue());
  auto integer = dyn_cast<IntegerAttr>(value);
  if (!integer)
    return {};
  if (auto floating = dyn_cast<FloatType>(type.getElementType()))
    return DenseElementsAttr::get(
        type, APFloat(floating.getFloatSemantics(), integer.getValue()));
  return DenseElementsAttr::get(type, integer.getValue());
}

/// Whether a number, or both parts of a complex one, fulfil a condition.
static bool holds(Attribute value, function_ref<bool(const APFloat &)> ofFloat,
                  function_ref<bool(const APInt &)> ofInteger) {
  if (auto floating = dyn_cast_if_present<FloatAttr>(value))
    return ofFloat(floating.getValue());
  if (auto integer = dyn_cast_if_present<IntegerAttr>(value))
    return ofInteger(integer.getValue());
  auto parts = dyn_cast_if_present<ArrayAttr>(value);
  return parts && llvm::all_of(parts, [&](Attribute part) {
           return holds(part, ofFloat, ofInteger);
         });
}
static bool isIntegerZero(const APInt &value) { return value.isZero(); }

bool weft::isPositiveZero(Attribute attr) {
  return holds(
      splatValue(attr), [](const APFloat &x) { return x.isPosZero(); },
      isIntegerZero);
}
bool weft::isNegativeZero(Attribute attr) {
  return holds(
      splatValue(attr), [](const APFloat &x) { return x.isNegZero(); },
      isIntegerZero);
}
bool weft::isZero(Attribute attr) {
  return holds(
      splatValue(attr), [](const APFloat &x) { return x.isZero(); },
      isIntegerZero);
}
bool weft::isOne(Attribute attr) {
  if (auto floating = dyn_cast_if_present<FloatAttr>(splatValue(attr)))
    return floating.getValue().isExactlyValue(1.0);
  return isIntegerOne(attr);
}
bool weft::isIntegerOne(Attribute attr) {
  auto value = dyn_cast_if_present<IntegerAttr>(splatValue(attr));
  return value && value.getValue().isOne();
}
std::optional<bool> weft::splatBool(Attribute attr) {
  auto value = dyn_cast_if_present<IntegerAttr>(splatValue(attr));
  if (!value)
    return std::nullopt;
  return !value.getValue().isZero();
}

DenseElementsAttr weft::resplat(Attribute attr, Type type) {
  Attribute value = splatValue(attr);
  return value ? splatFrom(cast<RankedTensorType>(type), value)
               : DenseElementsAttr();
}

static APFloat floatOf(FloatType type, double value) {
  APFloat number(value);
  bool inexact;
  number.convert(type.getFloatSemantics(), APFloat::rmNearestTiesToEven,
                 &inexact);
  return number;
}

DenseElementsAttr weft::splatOf(RankedTensorType type, double value) {
  Type element = type.getElementType();
  if (auto floating = dyn_cast<FloatType>(element))
    return DenseElementsAttr::get(type, floatOf(floating, value));
  if (auto numbers = dyn_cast<ComplexType>(element)) {
    auto part = cast<FloatType>(numbers.getElementType());
    return complexSplat(type, floatOf(part, value), floatOf(part, 0.0));
  }
  return DenseElementsAttr::get(
      type, APInt(element.getIntOrFloatBitWidth(), static_cast<int64_t>(value),
                  /*isSigned=*/true, /*implicitTrunc=*/true));
}

//===----------------------------------------------------------------------===//
// Folding
//===----------------------------------------------------------------------===//

/// Folds the ops of a block one after the other; the value of `result`, or
/// null if one of them has no constant result.
static Attribute evaluate(Block &block, Value result) {
  DenseMap<Value, Attribute> known;
  for (Operation &op : block) {
    Attribute constant;
    if (matchPattern(&op, m_Constant(&constant))) {
      known[op.getResult(0)] = constant;
      continue;
    }
    SmallVector<Attribute> operands;
    for (Value operand : op.getOperands())
      operands.push_back(known.lookup(operand));
    // Upstream has no folder for the number of two constants.
    if (isa<mlir::complex::CreateOp>(op)) {
      if (llvm::is_contained(operands, Attribute()))
        return {};
      known[op.getResult(0)] = ArrayAttr::get(op.getContext(), operands);
      continue;
    }
    SmallVector<OpFoldResult> results;
    if (op.getNumRegions() || failed(op.fold(operands, results)) ||
        results.size() != op.getNumResults())
      return {};
    for (auto [value, folded] : llvm::zip_equal(op.getResults(), results)) {
      auto attr = dyn_cast<Attribute>(folded);
      known[value] = attr ? attr : known.lookup(cast<Value>(folded));
    }
  }
  return known.lookup(result);
}

OpFoldResult weft::foldElementwise(ScalarBody op,
                                   ArrayRef<Attribute> operands) {
  SmallVector<Attribute> values;
  for (Attribute operand : operands)
    if (Attribute value = splatValue(operand))
      values.push_back(value);
    else
      return {};
  Location loc = op.getLoc();
  // A block in no region: `atBlockBegin` would ask the region for the context.
  Block block;
  OpBuilder b(loc.getContext());
  b.setInsertionPointToStart(&block);
  SmallVector<Value> args;
  for (auto [value, operand] : llvm::zip_equal(values, op->getOperands()))
    args.push_back(scalar::buildConstant(
        b, loc, signless(getElementTypeOrSelf(operand.getType())), value));
  Attribute value = evaluate(block, op.buildScalarBody(b, loc, args));
  if (!value)
    return {};
  return splatFrom(cast<RankedTensorType>(op->getResult(0).getType()), value);
}

DenseElementsAttr weft::foldSelfComparison(Operation *op, bool onSelf) {
  if (op->getOperand(0) != op->getOperand(1) ||
      isa<FloatType, ComplexType>(
          getElementTypeOrSelf(op->getOperand(0).getType())))
    return {};
  return DenseElementsAttr::get(
      cast<RankedTensorType>(op->getResult(0).getType()), APInt(1, onSelf));
}

//===----------------------------------------------------------------------===//
// Conversions
//===----------------------------------------------------------------------===//

Value ConvertOp::buildScalarBody(OpBuilder &b, Location loc, ValueRange args) {
  scalar::ScalarOperands operand(*this, b, loc);
  return scalar::convert(operand(args, 0), getType().getElementType()).value;
}

LogicalResult ConvertOp::verify() {
  // convert_c1: no imaginary part is lost.
  if (isComplexArray(getX().getType()) && isRealArray(getType()))
    return emitOpError() << "cannot make " << getType().getElementType()
                         << " of " << getX().getType().getElementType()
                         << ": take weft.real, weft.imag or weft.abs first";
  return success();
}

OpFoldResult ConvertOp::fold(FoldAdaptor adaptor) {
  if (getType() == getX().getType())
    return getX();
  return foldElementwise(*this, adaptor.getOperands());
}

SmallVector<Value> ConvertOp::buildPullback(OpBuilder &b, Location loc,
                                            ValueRange cotangents) {
  if (!isInexactArray(getX().getType()) || !isInexactArray(getType()))
    return {Value()};
  calculus::Tensor ct = calculus::TensorOperands(b, loc)(cotangents[0]);
  return {calculus::convert(ct, getX().getType().getElementType()).value};
}

Value BitcastOp::buildScalarBody(OpBuilder &b, Location loc, ValueRange args) {
  Type to = signless(getType().getElementType());
  if (args[0].getType() == to)
    return args[0];
  return arith::BitcastOp::create(b, loc, to, args[0]);
}

LogicalResult BitcastOp::verify() {
  // bitcast_c1: the widths are equal.
  unsigned from = getX().getType().getElementTypeBitWidth(),
           to = getType().getElementTypeBitWidth();
  if (from != to)
    return emitOpError() << "needs element types of one width, got "
                         << getX().getType().getElementType() << " (" << from
                         << " bits) and " << getType().getElementType() << " ("
                         << to << " bits)";
  return success();
}

OpFoldResult BitcastOp::fold(FoldAdaptor adaptor) {
  if (getType() == getX().getType())
    return getX();
  return foldElementwise(*this, adaptor.getOperands());
}
