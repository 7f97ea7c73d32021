// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Functions of f32 by two instructions of NVIDIA GPUs: ex2.approx, 2^x within 2
// ulps, and rcp.approx, 1 / x within one (PTX ISA, "Floating Point
// Instructions"). What these lose is what a result may be off by, so arguments
// are reduced as exactly as elsewhere.

#include "lowering/math/ExpandMath.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

using namespace mlir;

namespace weft::expand {

// log2 e as f32 and the rest.
constexpr double log2eParts[] = {0x1.715476p+0, 0x1.4ae0c0p-26};
// (tanh(x) - x) / x^3 by x^2, |x| <= 0.6: 2^-28.4 of tanh(x).
constexpr double tanhF32[] = {-0.333332986, 0.133319363, -0.0537847169,
                              0.0207986254, -0.00589796668};

bool isOnNvidia(Scalar x) {
  Block *block = x.b->getInsertionBlock();
  return isF32(x) && block && block->getParentOp() &&
         block->getParentOp()->getParentOfType<gpu::GPUModuleOp>();
}

Scalar exp2Approx(Scalar x) {
  auto y = LLVM::CallIntrinsicOp::create(
      *x.b, x.loc, x.type, x.b->getStringAttr("llvm.nvvm.ex2.approx.ftz.f32"),
      ValueRange(x.value));
  return x.with(y.getResult(0));
}

/// 1 / x, where neither is subnormal.
static Scalar reciprocalApprox(Scalar x) {
  return x.with(NVVM::RcpApproxFtzF32Op::create(*x.b, x.loc, x.type, x.value));
}

/// 2^n 2^r of n + r, where `rest` gives r by n, whose power is a number. Beyond
/// these r has what is left, to where its power overflows or vanishes; what is
/// subnormal is rounded by the product.
static Scalar exp2ByParts(Scalar x, llvm::function_ref<Scalar(Scalar n)> rest) {
  // Numbers of this size are integers, 127 of them more than 1.5 2^23: their
  // low bits are exponents.
  Scalar magic = constant(x, 0x1.8p23 + 127);
  Scalar shifted = atLeast(atMost(x, 127), -126) + magic;
  Scalar power = floatOf(shiftLeft(bitsOf(shifted), digits(x.type)));
  return exp2Approx(rest(shifted - magic)) * power;
}

Scalar expandExpOnNvidia(Scalar x) {
  const auto &[high, low] = log2eParts;
  return exp2ByParts(x * high, [&](Scalar n) {
    return fma(x, low, fma(x, constant(x, high), -n));
  });
}

Scalar expandExp2OnNvidia(Scalar x) {
  return exp2ByParts(x, [&](Scalar n) { return x - n; });
}

/// 1 - 2 / (exp(2 x) + 1) of large |x|, which loses digits of small ones.
Scalar expandTanhOnNvidia(Scalar x) {
  Scalar size = absolute(x), square = size * size;
  Scalar small = fma(size * square, polynomial(square, tanhF32), size);
  Scalar power = exp2Approx(size * (2 * log2eParts[0]));
  Scalar large = fma(reciprocalApprox(power + 1.0), -2.0, 1.0);
  return copysign(select(lt(size, 0.6), small, large), x);
}

} // namespace weft::expand
