// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft-expand-remainders: arith.remf -> a function of integer arithmetic, exact
// for all arguments, where upstream would call a library's fmod.

#include "lowering/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace weft {
#define GEN_PASS_DEF_EXPANDREMAINDERS
#include "lowering/Passes.h.inc"
} // namespace weft

using namespace mlir;
using arith::CmpIPredicate;

namespace {

/// The body of a function of two floats of a type, on their bits as i64.
class Remainder {
public:
  Remainder(ImplicitLocOpBuilder &b, FloatType type)
      : b(b), type(type), i64(b.getI64Type()),
        digits(type.getFPMantissaWidth() - 1), width(type.getWidth()) {}

  /// Both as mantissas times powers of two, the remainder is that of the
  /// mantissas, of which the first is shifted bit by bit, as many at a time as
  /// fit.
  Value emit(Value x, Value y) {
    Value bitsX = bitsOf(x), bitsY = bitsOf(y);
    Value sign = op<arith::AndIOp>(bitsX, number(int64_t(1) << (width - 1)));
    Value sizeX = op<arith::XOrIOp>(bitsX, sign);
    Value sizeY =
        op<arith::AndIOp>(bitsY, number((uint64_t(1) << (width - 1)) - 1));
    auto [mantissaX, exponentX] = split(sizeX);
    auto [mantissaY, exponentY] = split(sizeY);
    // Something that can be divided by.
    Value divisor = op<arith::MaxUIOp>(mantissaY, number(1));
    Value rest = shiftAndDivide(op<arith::RemUIOp>(mantissaX, divisor), divisor,
                                op<arith::SubIOp>(exponentX, exponentY));
    Value result = join(rest, exponentY);
    result = select(op<arith::CmpIOp>(CmpIPredicate::ult, sizeX, sizeY), sizeX,
                    result);
    Value remainder = floatOf(op<arith::OrIOp>(result, sign));
    // x / 0, infinite x and NaN.
    Value infinity =
        number(((int64_t(1) << (width - 1 - digits)) - 1) << digits);
    Value isNaN = op<arith::OrIOp>(
        op<arith::OrIOp>(
            op<arith::CmpIOp>(CmpIPredicate::eq, sizeY, number(0)),
            op<arith::CmpIOp>(CmpIPredicate::uge, sizeX, infinity)),
        op<arith::CmpIOp>(CmpIPredicate::ugt, sizeY, infinity));
    Value product = op<arith::MulFOp>(x, y);
    return select(isNaN, op<arith::DivFOp>(product, product), remainder);
  }

private:
  template <typename Op, typename... Args> Value op(Args... args) {
    return Op::create(b, args...);
  }
  Value select(Value condition, Value yes, Value no) {
    return op<arith::SelectOp>(condition, yes, no);
  }
  Value number(int64_t value) {
    return arith::ConstantIntOp::create(b, i64, value);
  }

  Value bitsOf(Value x) {
    Value bits = op<arith::BitcastOp>(b.getIntegerType(width), x);
    return width < 64 ? op<arith::ExtUIOp>(i64, bits) : bits;
  }

  Value floatOf(Value bits) {
    if (width < 64)
      bits = op<arith::TruncIOp>(b.getIntegerType(width), bits);
    return op<arith::BitcastOp>(type, bits);
  }

  /// The exponent counts from 1, for subnormal numbers too.
  std::pair<Value, Value> split(Value size) {
    Value field = op<arith::ShRUIOp>(size, number(digits));
    Value mantissa =
        op<arith::AndIOp>(size, number((int64_t(1) << digits) - 1));
    Value whole = op<arith::OrIOp>(mantissa, number(int64_t(1) << digits));
    Value isNormal = op<arith::CmpIOp>(CmpIPredicate::ne, field, number(0));
    return {select(isNormal, whole, mantissa),
            op<arith::MaxUIOp>(field, number(1))};
  }

  Value shiftAndDivide(Value rest, Value divisor, Value count) {
    int64_t most = 63 - digits;
    auto loop =
        scf::WhileOp::create(b, TypeRange{i64, i64}, ValueRange{rest, count});
    OpBuilder::InsertionGuard guard(b);
    SmallVector<Type> types(2, i64);
    SmallVector<Location> locs(2, b.getLoc());
    Block *before = b.createBlock(&loop.getBefore(), {}, types, locs);
    Value isLeft = op<arith::CmpIOp>(CmpIPredicate::sgt, before->getArgument(1),
                                     number(0));
    scf::ConditionOp::create(b, isLeft, before->getArguments());
    Block *after = b.createBlock(&loop.getAfter(), {}, types, locs);
    Value left = after->getArgument(1);
    Value by = op<arith::MinSIOp>(left, number(most));
    Value shifted = op<arith::ShLIOp>(after->getArgument(0), by);
    Value next = op<arith::RemUIOp>(shifted, divisor);
    scf::YieldOp::create(b, ValueRange{next, op<arith::SubIOp>(left, by)});
    return loop.getResult(0);
  }

  /// The bits of a mantissa times a power of two.
  Value join(Value mantissa, Value exponent) {
    Value zeros = op<math::CountLeadingZerosOp>(mantissa);
    Value by = op<arith::MinSIOp>(op<arith::SubIOp>(zeros, number(63 - digits)),
                                  op<arith::SubIOp>(exponent, number(1)));
    Value shifted = op<arith::ShLIOp>(mantissa, by);
    // The bit that is not stored counts as one of the exponent.
    Value field = op<arith::SubIOp>(op<arith::SubIOp>(exponent, by), number(1));
    Value bits =
        op<arith::AddIOp>(shifted, op<arith::ShLIOp>(field, number(digits)));
    Value isZero = op<arith::CmpIOp>(CmpIPredicate::eq, mantissa, number(0));
    return select(isZero, number(0), bits);
  }

  ImplicitLocOpBuilder &b;
  FloatType type;
  Type i64;
  int64_t digits, width;
};

class ExpandRemainders final
    : public weft::impl::ExpandRemaindersBase<ExpandRemainders> {
  void runOnOperation() override {
    SymbolTable symbols(getOperation());
    getOperation()->walk([&](arith::RemFOp op) {
      auto type = dyn_cast<FloatType>(op.getType());
      if (!type || (!type.isF32() && !type.isF64()))
        return;
      OpBuilder b(op);
      auto call = func::CallOp::create(b, op.getLoc(), build(type, op, symbols),
                                       op->getOperands());
      op.replaceAllUsesWith(call.getResult(0));
      op.erase();
    });
  }

  /// The function, built when it is first needed.
  static func::FuncOp build(FloatType type, Operation *op,
                            SymbolTable &symbols) {
    StringRef name = type.isF32() ? "weft_fmod_f32" : "weft_fmod_f64";
    if (auto found = symbols.lookup<func::FuncOp>(name))
      return found;
    Location loc = op->getParentOfType<FunctionOpInterface>().getLoc();
    ImplicitLocOpBuilder b(loc, op->getContext());
    auto function = func::FuncOp::create(
        b, name, b.getFunctionType(TypeRange{type, type}, type));
    function.setPrivate();
    symbols.insert(function);
    b.setInsertionPointToStart(function.addEntryBlock());
    Value result = Remainder(b, type).emit(function.getArgument(0),
                                           function.getArgument(1));
    func::ReturnOp::create(b, result);
    return function;
  }
};

} // namespace
