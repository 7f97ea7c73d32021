// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft-expand-math: math functions -> private functions of straight-line
// arithmetic, which LLVM inlines into loops and vectorises with them.

#include "lowering/math/ExpandMath.h"
#include "lowering/Machine.h"
#include "lowering/Passes.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/IR/Matchers.h"

namespace weft {
#define GEN_PASS_DEF_EXPANDMATH
#include "lowering/Passes.h.inc"
} // namespace weft

using namespace mlir;
using namespace weft::expand;

//===----------------------------------------------------------------------===//
// The steps
//===----------------------------------------------------------------------===//

Scalar weft::expand::polynomial(Scalar x, Coefficients coefficients) {
  Scalar sum = constant(x, coefficients.back());
  for (double next : llvm::reverse(coefficients.drop_back()))
    sum = fma(sum, x, next);
  return sum;
}

Scalar weft::expand::bitsOf(Scalar x) {
  return bitcast(x, x.b->getIntegerType(x.width()));
}

Scalar weft::expand::floatOf(Scalar bits) {
  return bitcast(bits, bits.width() == 32 ? Type(bits.b->getF32Type())
                                          : Type(bits.b->getF64Type()));
}

Scalar weft::expand::signOf(Scalar x) {
  Scalar bits = bitsOf(x);
  return bits & smallest(bits);
}

Scalar weft::expand::flipSign(Scalar x, Scalar sign) {
  return floatOf(bitsOf(x) ^ sign);
}

Sum weft::expand::exactSum(Scalar a, Scalar b) {
  Scalar high = a + b, ofB = high - a;
  return {high, (a - (high - ofB)) + (b - ofB)};
}

Sum weft::expand::exactOrderedSum(Scalar a, Scalar b) {
  Scalar high = a + b;
  return {high, b - (high - a)};
}

Sum weft::expand::exactProduct(Scalar a, Scalar b) {
  Scalar high = a * b;
  return {high, fma(a, b, -high)};
}

Rounded weft::expand::roundToInteger(Scalar x, Scalar factor) {
  Scalar magic = constant(x, std::ldexp(1.5, digits(x.type)));
  Scalar shifted = fma(x, factor, magic);
  return {shifted - magic, bitsOf(shifted) - bitsOf(magic)};
}

Scalar weft::expand::powerOfTwo(Scalar n, Type type) {
  return floatOf(shiftLeft(n + constant(n, bias(type)), digits(type)));
}

Scalar weft::expand::scale(Scalar x, Scalar n) {
  Scalar half = shiftRight(n, 1);
  return x * powerOfTwo(half, x.type) * powerOfTwo(n - half, x.type);
}

//===----------------------------------------------------------------------===//
// The pass
//===----------------------------------------------------------------------===//

namespace {

using Arguments = ArrayRef<Scalar>;

/// A function of an op, for f32 and f64.
struct Expansion {
  StringLiteral op;
  Scalar (*expand)(Arguments);
};

template <Scalar (*function)(Scalar)> Scalar unary(Arguments x) {
  return function(x[0]);
}
template <Scalar (*function)(Scalar, Scalar)> Scalar binary(Arguments x) {
  return function(x[0], x[1]);
}

constexpr Expansion expansions[] = {
    {"math.exp", unary<expandExp>},      {"math.exp2", unary<expandExp2>},
    {"math.expm1", unary<expandExpM1>},  {"math.sinh", unary<expandSinh>},
    {"math.cosh", unary<expandCosh>},    {"math.tanh", unary<expandTanh>},
    {"math.log", unary<expandLog>},      {"math.log2", unary<expandLog2>},
    {"math.log10", unary<expandLog10>},  {"math.log1p", unary<expandLog1p>},
    {"math.erf", unary<expandErf>},      {"math.erfc", unary<expandErfc>},
    {"math.cbrt", unary<expandCbrt>},    {"math.asin", unary<expandAsin>},
    {"math.acos", unary<expandAcos>},    {"math.atan", unary<expandAtan>},
    {"math.asinh", unary<expandAsinh>},  {"math.acosh", unary<expandAcosh>},
    {"math.atanh", unary<expandAtanh>},  {"math.powf", binary<expandPow>},
    {"math.atan2", binary<expandAtan2>}, {"math.sin", unary<expandSin>},
    {"math.cos", unary<expandCos>},      {"math.tan", unary<expandTan>},
};

/// Those of f32 alone.
constexpr Expansion ofF32[] = {{"arith.remf", binary<expandRemainder>}};

/// Those of f32 that GPUs have instructions for.
constexpr Expansion onNvidia[] = {
    {"math.exp", unary<expandExpOnNvidia>},
    {"math.exp2", unary<expandExp2OnNvidia>},
    {"math.tanh", unary<expandTanhOnNvidia>},
};

class ExpandMath final : public weft::impl::ExpandMathBase<ExpandMath> {
  void runOnOperation() override {
    if (!weft::Machine::of(getOperation()).hasFma)
      return;
    SymbolTable symbols(getOperation());
    getOperation()->walk([&](Operation *op) {
      const Expansion *expansion = find(op);
      if (!expansion)
        return;
      if (replaceSmallPower(op))
        return;
      OpBuilder b(op);
      func::FuncOp function = build(*expansion, op, symbols);
      auto call =
          func::CallOp::create(b, op->getLoc(), function, op->getOperands());
      op->replaceAllUsesWith(call);
      op->erase();
    });
  }

  static const Expansion *find(Operation *op) {
    auto among = [&](ArrayRef<Expansion> list) -> const Expansion * {
      const auto *found = llvm::find_if(list, [&](const Expansion &e) {
        return e.op == op->getName().getStringRef();
      });
      return found == list.end() ? nullptr : found;
    };
    if (op->getNumResults() != 1)
      return nullptr;
    Type type = op->getResult(0).getType();
    const Expansion *general = among(expansions);
    if (!general && type.isF32())
      general = among(ofF32);
    if (!general)
      return nullptr;
    if (type.isF32() && op->getParentOfType<gpu::GPUModuleOp>())
      if (const Expansion *own = among(onNvidia))
        return own;
    return type.isF32() || type.isF64() ? general : nullptr;
  }

  // Pattern: powf(x, 2) -> mulf(x, x), and so on.
  static bool replaceSmallPower(Operation *op) {
    APFloat exponent(0.0);
    if (!isa<math::PowFOp>(op) ||
        !matchPattern(op->getOperand(1), m_ConstantFloat(&exponent)))
      return false;
    OpBuilder b(op);
    Value x = op->getOperand(0);
    auto power = expandSmallPower({x, x.getType(), &b, op->getLoc()},
                                  exponent.convertToDouble());
    if (!power)
      return false;
    op->replaceAllUsesWith(ValueRange(power->value));
    op->erase();
    return true;
  }

  /// The function, built when it is first needed.
  static func::FuncOp build(const Expansion &expansion, Operation *op,
                            SymbolTable &symbols) {
    Type type = op->getResult(0).getType();
    std::string name = ("weft_" + op->getName().stripDialect() +
                        (type.isF32() ? "_f32" : "_f64"))
                           .str();
    if (auto found = symbols.lookup<func::FuncOp>(name))
      return found;
    OpBuilder b(op->getContext());
    Location loc = op->getParentOfType<FunctionOpInterface>().getLoc();
    auto function = func::FuncOp::create(
        b, loc, name, b.getFunctionType(op->getOperandTypes(), type));
    function.setPrivate();
    // As an attribute of llvm.func, which it will be.
    function->setAttr("always_inline", b.getUnitAttr());
    symbols.insert(function);
    b.setInsertionPointToStart(function.addEntryBlock());
    auto arguments =
        llvm::map_to_vector<2>(function.getArguments(), [&](Value x) {
          return Scalar{x, type, &b, loc};
        });
    Scalar result = expansion.expand(arguments);
    func::ReturnOp::create(b, loc, result.value);
    return function;
  }
};

} // namespace
