// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Numbers: the approximations of the GPU, of which 2^x and 1 / x are as far off
// as they may be and others exact results, rounded; and what needs nothing done
// here.

#include "lowering/emulator/Floats.h"
#include "lowering/emulator/Handlers.h"
#include "llvm/ADT/bit.h"
#include <cmath>

using namespace weft::emulator;

namespace {

void doNothing(const Site &, Slot *, void *) {}

template <typename T> T &resultOf(void *result) {
  return *static_cast<T *>(result);
}

template <typename T, T (*function)(T)>
void unary(const Site &, Slot *operands, void *result) {
  resultOf<T>(result) = function(operands[0].get<T>());
}

template <typename T, T (*function)(T, T)>
void binary(const Site &, Slot *operands, void *result) {
  resultOf<T>(result) = function(operands[0].get<T>(), operands[1].get<T>());
}

template <typename T>
void multiplyAdd(const Site &, Slot *operands, void *result) {
  resultOf<T>(result) = std::fma(operands[0].get<T>(), operands[1].get<T>(),
                                 operands[2].get<T>());
}

template <typename T> T reciprocal(T x) { return 1 / x; }
template <typename T> T rootReciprocal(T x) { return 1 / std::sqrt(x); }
template <typename T> T quotient(T x, T y) { return x / y; }

/// An approximation that may be so many ulps off: it is, up or down by the
/// argument's bits, unless the result is a power of two.
template <float (*function)(float), int ulps> float approximate(float x) {
  float y = function(x);
  int exponent;
  if (!std::isnormal(y) || std::fabs(std::frexp(y, &exponent)) == 0.5f)
    return y;
  uint32_t mixed = llvm::bit_cast<uint32_t>(x) * 0x9E3779B9u;
  int32_t off = int32_t((mixed >> 16) % (2 * ulps + 1)) - ulps;
  return llvm::bit_cast<float>(llvm::bit_cast<int32_t>(y) + off);
}

float saturate(float x) { return x != x ? 0 : std::fmin(std::fmax(x, 0), 1); }

/// A NaN of one operand is the result, unlike fmax's.
template <float (*choose)(float, float)> float strict(float x, float y) {
  return x != x ? x : y != y ? y : choose(x, y);
}
float least(float x, float y) { return std::fmin(x, y); }
float most(float x, float y) { return std::fmax(x, y); }

void addFunctions(Handlers &handlers) {
  handlers.addFamily("ex2.approx", unary<float, approximate<std::exp2, 2>>);
  handlers.addFamily("lg2.approx", unary<float, std::log2>);
  handlers.addFamily("sin.approx", unary<float, std::sin>);
  handlers.addFamily("cos.approx", unary<float, std::cos>);
  handlers.addFamily("tanh.approx", unary<float, std::tanh>);
  for (const char *name : {"rcp.approx.f", "rcp.approx.ftz.f"})
    handlers.add(name, unary<float, approximate<reciprocal<float>, 1>>);
  handlers.addFamily("rcp.", unary<float, reciprocal<float>>);
  handlers.addFamily("rsqrt.", unary<float, rootReciprocal<float>>);
  handlers.addFamily("sqrt.", unary<float, std::sqrt>);
  handlers.addFamily("div.", binary<float, quotient<float>>);
  handlers.addFamily("saturate.", unary<float, saturate>);
  for (const char *name : {"rcp.rn.d", "rcp.approx.ftz.d"})
    handlers.add(name, unary<double, reciprocal<double>>);
  for (const char *name : {"rsqrt.approx.d", "rsqrt.approx.ftz.d"})
    handlers.add(name, unary<double, rootReciprocal<double>>);
  handlers.add("sqrt.rn.d", unary<double, std::sqrt>);
  handlers.add("div.rn.d", binary<double, quotient<double>>);
  handlers.add("lg2.approx.d", unary<double, std::log2>);
  for (const char *flush : {"", ".ftz"}) {
    handlers.add(std::string("fma.rn") + flush + ".f", multiplyAdd<float>);
    std::string least_ = std::string("fmin") + flush;
    std::string most_ = std::string("fmax") + flush;
    handlers.add(least_ + ".f", binary<float, least>);
    handlers.add(most_ + ".f", binary<float, most>);
    handlers.add(least_ + ".nan.f", binary<float, strict<least>>);
    handlers.add(most_ + ".nan.f", binary<float, strict<most>>);
  }
  handlers.add("fma.rn.d", multiplyAdd<double>);
}

//===----------------------------------------------------------------------===//
// Conversions
//===----------------------------------------------------------------------===//

/// 10 bits of mantissa, ties away from zero.
void toTf32(const Site &, Slot *operands, void *result) {
  auto bits = operands[0].get<uint32_t>();
  float value = operands[0].get<float>();
  if (std::isfinite(value))
    bits = (bits + 0x1000) & ~0x1FFFu;
  resultOf<uint32_t>(result) = bits;
}

void toTf32Even(const Site &, Slot *operands, void *result) {
  resultOf<uint32_t>(result) = roundToTf32(operands[0].get<uint32_t>());
}

template <Number type> void toHalf(const Site &, Slot *operands, void *result) {
  resultOf<uint16_t>(result) = narrow(operands[0].get<float>(), type);
}

/// The second operand is the lower half.
template <Number type>
void toHalves(const Site &, Slot *operands, void *result) {
  auto *halves = static_cast<uint16_t *>(result);
  halves[0] = narrow(operands[1].get<float>(), type);
  halves[1] = narrow(operands[0].get<float>(), type);
}

void addConversions(Handlers &handlers) {
  handlers.add("f2tf32.rna", toTf32);
  handlers.add("f2tf32.rn", toTf32Even);
  handlers.add("f2bf16.rn", toHalf<Number::BFloat16>);
  handlers.add("f2f16.rn", toHalf<Number::Float16>);
  handlers.add("f2h.rn", toHalf<Number::Float16>);
  handlers.add("ff2bf16x2.rn", toHalves<Number::BFloat16>);
  handlers.add("ff2f16x2.rn", toHalves<Number::Float16>);
}

//===----------------------------------------------------------------------===//
// Integers
//===----------------------------------------------------------------------===//

/// A byte of two words, for each digit of the selector.
void permuteBytes(const Site &, Slot *operands, void *result) {
  uint64_t words =
      operands[0].get<uint32_t>() | uint64_t(operands[1].get<uint32_t>()) << 32;
  auto selector = operands[2].get<uint32_t>();
  uint32_t chosen = 0;
  for (int i = 0; i < 4; ++i) {
    uint32_t digit = selector >> (4 * i) & 15;
    auto byte = static_cast<uint8_t>(words >> (8 * (digit & 7)));
    if (digit & 8)
      byte = byte & 0x80 ? 0xFF : 0;
    chosen |= uint32_t(byte) << (8 * i);
  }
  resultOf<uint32_t>(result) = chosen;
}

template <typename T, typename Wide>
void multiplyHigh(const Site &, Slot *operands, void *result) {
  Wide product = Wide(operands[0].get<T>()) * operands[1].get<T>();
  resultOf<T>(result) = product >> (8 * sizeof(T));
}

void addIntegers(Handlers &handlers) {
  handlers.add("prmt", permuteBytes);
  handlers.add("mulhi.i", multiplyHigh<int32_t, int64_t>);
  handlers.add("mulhi.ui", multiplyHigh<uint32_t, uint64_t>);
  handlers.add("mulhi.ll", multiplyHigh<int64_t, __int128>);
  handlers.add("mulhi.ull", multiplyHigh<uint64_t, unsigned __int128>);
}

//===----------------------------------------------------------------------===//
// Fences and hints
//===----------------------------------------------------------------------===//

void fenceProxies(const Site &, Slot *, void *) { block->fenceProxies(); }

void addHints(Handlers &handlers) {
  handlers.addFamily("fence.proxy.async", fenceProxies);
  for (const char *prefix :
       {"fence.", "membar.", "setmaxnreg.", "prefetch", "nanosleep",
        "griddepcontrol.", "applypriority.", "discard.", "pm.event",
        "barrier.cluster.arrive", "cp.async.bulk.prefetch",
        "cp.async.bulk.tensor.prefetch"})
    handlers.addFamily(prefix, doNothing);
}

void zero(const Site &site, Slot *, void *result) {
  std::memset(result, 0, site.resultBytes);
}

void clock(const Site &site, Slot *, void *result) {
  uint64_t time = block->tick();
  std::memcpy(result, &time, site.resultBytes);
}

void dynamicBytes(const Site &, Slot *, void *result) {
  resultOf<uint32_t>(result) = block->launch.dynamicBytes;
}

template <uint32_t (*function)(int)>
void laneMask(const Site &, Slot *, void *result) {
  resultOf<uint32_t>(result) = function(current->lane);
}
uint32_t maskEqual(int lane) { return 1u << lane; }
uint32_t maskLess(int lane) { return (1u << lane) - 1; }
uint32_t maskLessEqual(int lane) { return maskLess(lane) | maskEqual(lane); }
uint32_t maskGreater(int lane) { return ~maskLessEqual(lane); }
uint32_t maskGreaterEqual(int lane) { return ~maskLess(lane); }

/// The special registers that are not read in place: see Instrument.cpp.
void addRegisters(Handlers &handlers) {
  const std::string prefix = "read.ptx.sreg.";
  handlers.addFamily(prefix + "cluster.", zero);
  handlers.addFamily(prefix + "smid", zero);
  handlers.addFamily(prefix + "gridid", zero);
  handlers.addFamily(prefix + "clock", clock);
  handlers.addFamily(prefix + "globaltimer", clock);
  handlers.add(prefix + "dynamic.smem.size", dynamicBytes);
  handlers.add(prefix + "lanemask.eq", laneMask<maskEqual>);
  handlers.add(prefix + "lanemask.lt", laneMask<maskLess>);
  handlers.add(prefix + "lanemask.le", laneMask<maskLessEqual>);
  handlers.add(prefix + "lanemask.gt", laneMask<maskGreater>);
  handlers.add(prefix + "lanemask.ge", laneMask<maskGreaterEqual>);
}

} // namespace

void weft::emulator::addArithmetic(Handlers &handlers) {
  addFunctions(handlers);
  addConversions(handlers);
  addIntegers(handlers);
  addHints(handlers);
  addRegisters(handlers);
}
