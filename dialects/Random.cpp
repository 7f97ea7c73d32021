// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Scalar bodies that random numbers need: the counter-based generator, and the
// inverse error function, which makes normal numbers of uniform ones. Both are
// straight lines of exactly defined operations, so that every target gives the
// same bits.

#include "dialects/Special.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
namespace weft::scalar {

//===----------------------------------------------------------------------===//
// Threefry-2x32, 20 rounds
//===----------------------------------------------------------------------===//

// J. K. Salmon, M. A. Moraes, R. O. Dror, D. E. Shaw: Parallel random numbers:
// as easy as 1, 2, 3. SC 2011.
constexpr unsigned rotations[2][4] = {{13, 15, 26, 6}, {17, 29, 16, 24}};
constexpr double parity = 0x1BD11BDA;

static Scalar shiftedBy(Scalar x, unsigned amount) {
  return apply<arith::ShRUIOp>(x, constant(x, amount));
}
static Scalar rotated(Scalar x, unsigned amount) {
  Scalar high = apply<arith::ShLIOp>(x, constant(x, amount));
  return high | shiftedBy(x, x.width() - amount);
}

/// A pair of words, the high one first.
using Words = std::array<Scalar, 2>;

static Words wordsOf(Scalar x) {
  Type word = IntegerType::get(x.b->getContext(), 32, IntegerType::Unsigned);
  return {convert(shiftedBy(x, 32), word), convert(x, word)};
}
static Scalar joined(Words x, Type type) {
  Scalar high = convert(x[0], type), low = convert(x[1], type);
  return apply<arith::ShLIOp>(high, constant(high, 32)) | low;
}

Scalar threefry(Scalar key, Scalar counter) {
  auto [k0, k1] = wordsOf(key);
  Scalar schedule[] = {k0, k1, k0 ^ k1 ^ constant(k0, parity)};
  auto [x0, x1] = wordsOf(counter);
  x0 = x0 + k0, x1 = x1 + k1;
  for (unsigned group = 0; group < 5; ++group) {
    for (unsigned amount : rotations[group % 2]) {
      x0 = x0 + x1;
      x1 = rotated(x1, amount) ^ x0;
    }
    x0 = x0 + schedule[(group + 1) % 3];
    x1 = x1 + (schedule[(group + 2) % 3] + constant(x1, group + 1));
  }
  return joined({x0, x1}, key.type);
}

//===----------------------------------------------------------------------===//
// Inverse error function
//===----------------------------------------------------------------------===//

/// A number and what rounding it has lost.
struct Rounded {
  Scalar value, rest;
};

/// -log(x) of an f64 in (0, 1), after fdlibm's e_log.c (Sun Microsystems,
/// 1993): x = 2^k m with m about 1, and log(m) = 2 atanh((m - 1) / (m + 1)).
static Rounded negativeLog(Scalar x) {
  constexpr double kernel[] = {
      6.666666666666735130e-01, 3.999999999940941908e-01,
      2.857142874366239149e-01, 2.222219843214978396e-01,
      1.818357216161805012e-01, 1.531383769920937332e-01,
      1.479819860511658591e-01};
  constexpr int64_t one = 0x3ff0000000000000, rootHalf = 0x3fe6a09e00000000;
  Type i64 = x.b->getI64Type(), i32 = x.b->getI32Type();
  Scalar bits = bitcast(x, i64);
  auto integer = [&](int64_t value) {
    return bits.with(
        arith::ConstantOp::create(*x.b, x.loc, x.b->getI64IntegerAttr(value)));
  };
  bits = bits + integer(one - rootHalf);
  Scalar exponent = shiftedBy(bits, 52) - integer(1023);
  Scalar k = convert(convert(exponent, i32), x.type);
  Scalar mantissa =
      (bits & integer((int64_t(1) << 52) - 1)) + integer(rootHalf);

  Scalar f = bitcast(mantissa, x.type) - 1.0;
  Scalar s = f / (2.0 + f), square = s * s, half = 0.5 * f * f;
  Scalar rest = square * horner(square, kernel);
  Scalar low = s * (half + rest) + 1.90821492927058770002e-10 * k;
  Scalar high = 6.93147180369123816490e-01 * k;
  Scalar fraction = (half - low) - f;
  Scalar log = fraction - high;
  return {log, fraction - (log + high)};
}

/// The square root, and a tenth of an ulp of it: Dekker's exact square.
static Rounded squareRoot(Rounded x) {
  Scalar root = apply<math::SqrtOp>(x.value);
  Scalar bits = bitcast(root, x.value.b->getI64Type());
  Scalar head = bitcast(bits & constant(bits, -0x8000000), root.type);
  Scalar tail = root - head;
  Scalar rest = (x.value - head * head) - 2.0 * head * tail;
  rest = (rest - tail * tail) + x.rest;
  return {root, rest / (2.0 * root)};
}

namespace {
/// Numerators and denominators, in powers of 41/64 - x^2 about the centre and
/// of s - 5/4, s = sqrt(-log(1 - |x|)), in the tails. The split and the second
/// variable are those of M. J. Wichura, Algorithm AS 241 (Applied Statistics
/// 37, 1988). The coefficients are minimax fits of erfinv(x) / x - 1 and of
/// erfinv(x) - (s - 9/32), both so small that their errors hardly count.
struct Rationals {
  ArrayRef<double> centre[2], tail[2];
};
} // namespace

// Accurate to 2e-10.
constexpr double centreOver32[] = {0.1331732187214469, -0.04385304333482406,
                                   -1.387592753848504, -1.550521304698648,
                                   -0.3053080793995102};
constexpr double centreUnder32[] = {1.0, 4.85316263783925, 7.284012331160792,
                                    3.6139663992953075, 0.40452853640969677};
constexpr double tailOver32[] = {-0.08158926946086321, -0.09210021566745344,
                                 0.027265680629467996, 0.022642012282104888,
                                 0.001382266063454969};
constexpr double tailUnder32[] = {1.0, 1.3772092873306856, 0.6973966399446755,
                                  0.12356877880680908, 0.0050255366992885304};
// Accurate to 4e-17.
constexpr double centreOver64[] = {0.1331732187669858,  0.44338920688277833,
                                   -1.1475174431595654, -6.719008523433703,
                                   -10.172313336469884, -6.169396872896534,
                                   -1.3911722042443362, -0.07709921677541094};
constexpr double centreUnder64[] = {1.0,
                                    8.51187325574096,
                                    28.047839052632906,
                                    45.16209094964807,
                                    36.939671893892374,
                                    14.482544817681179,
                                    2.2864637048871246,
                                    0.09202235434078745};
constexpr double tailOver64[] = {
    -0.08158926932147917,  -0.2014234447666688,    -0.15111932161531463,
    -0.012261423962025614, 0.03928243913634914,    0.019887285691286612,
    0.0036322405172434535, 0.00023843162858492973, 3.867106108129288e-06};
constexpr double tailUnder64[] = {1.0,
                                  2.7171307045370505,
                                  3.21659189008019,
                                  2.1009300772773476,
                                  0.8017150702327078,
                                  0.17490316332855074,
                                  0.019987905889738814,
                                  0.000990206495445002,
                                  1.3894482971603577e-05};

// The same beyond s = 6, where 1 - |x| is smaller than any f64 about 1; in
// powers of s - 6, accurate to 4e-18.
constexpr double farOver[] = {
    0.0825610350155432,     0.08230595992362853,    0.03269002318437416,
    0.006789147881803592,   0.0008068248932500053,  5.6264346253738106e-05,
    2.273107684056179e-06,  5.0789852827526274e-08, 5.733106625905994e-10,
    2.7521319493195828e-12, 3.771901372783779e-15};
constexpr double farUnder[] = {1.0,
                               0.7604520455232197,
                               0.24207882587768226,
                               0.04186781530249333,
                               0.00427879030042201,
                               0.000264002249256648,
                               9.682606316824974e-06,
                               2.0100765758764512e-07,
                               2.1520615119810186e-09,
                               9.97857587486442e-12,
                               1.3425230294426726e-14};

/// erfinv of an f64 that is not negative, before the centre and the tails are
/// told apart from what lies outside.
static Scalar inverse(Scalar x, Rounded s, const Rationals &by) {
  Scalar square = x * x, edge = constant(x, 0.640625);
  Scalar isCentre = lt(square, edge);
  Scalar at = select(isCentre, edge - square, s.value - 1.25);
  Scalar over =
      select(isCentre, horner(at, by.centre[0]), horner(at, by.tail[0]));
  Scalar under =
      select(isCentre, horner(at, by.centre[1]), horner(at, by.tail[1]));
  Scalar ratio = over / under;
  return select(isCentre, x + x * ratio,
                (s.value - 0.28125) + (s.rest + ratio));
}

Scalar erfinv(Scalar x) {
  bool wide = x.width() == 64;
  Rationals by =
      wide
          ? Rationals{{centreOver64, centreUnder64}, {tailOver64, tailUnder64}}
          : Rationals{{centreOver32, centreUnder32}, {tailOver32, tailUnder32}};
  Scalar size = convert(absolute(x), x.b->getF64Type());
  Rounded s = squareRoot(negativeLog(1.0 - size));
  Scalar inf = infinity(size);
  Scalar outside = select(eq(size, 1.0), inf, inf - inf);
  Scalar result = select(lt(size, 1.0), inverse(size, s, by), outside);
  return copysign(convert(result, x.type), x);
}

Scalar erfcinv(Scalar x) {
  // Subnormal numbers have no exponent to take the logarithm by.
  Scalar isTiny = lt(x, 0x1p-1000);
  Rounded log = negativeLog(select(isTiny, x * 0x1p60, x));
  log.value = select(isTiny, log.value + 60 * llvm::numbers::ln2, log.value);
  Rounded s = squareRoot(log);
  Scalar near = inverse(
      1.0 - x, s, {{centreOver64, centreUnder64}, {tailOver64, tailUnder64}});
  Scalar at = s.value - 6.0;
  Scalar far = (s.value - 0.28125) +
               (s.rest + horner(at, farOver) / horner(at, farUnder));
  Scalar inside = select(lt(s.value, 6.0), near, far);
  Scalar inf = infinity(x);
  Scalar outside = select(eq(x, 0.0), inf, inf - inf);
  return select(lt(0.0, x), inside, outside);
}

} // namespace weft::scalar
