// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The numbers that matrix instructions multiply, as floats.

#ifndef WEFT_LOWERING_EMULATOR_FLOATS_H
#define WEFT_LOWERING_EMULATOR_FLOATS_H

#include <cstdint>
#include <cstring>

namespace weft::emulator {

enum class Number { Float16, BFloat16, Tf32, Float32, Int8, UInt8 };

inline unsigned bytesOf(Number type) {
  switch (type) {
  case Number::Float16:
  case Number::BFloat16:
    return 2;
  case Number::Int8:
  case Number::UInt8:
    return 1;
  default:
    return 4;
  }
}

/// To 10 bits of mantissa, ties to even; infinities and NaN stay.
inline uint32_t roundToTf32(uint32_t bits) {
  bool isFinite = (bits >> 23 & 0xFF) != 0xFF;
  return isFinite ? (bits + 0xFFF + (bits >> 13 & 1)) & ~0x1FFFu : bits;
}

float widenHalf(uint16_t bits);
/// To the nearest, ties to even.
uint16_t narrow(float value, Number type);

/// Of tf32 the bits that the hardware does not look at are left out.
inline float widen(const void *data, Number type) {
  uint32_t bits;
  uint16_t half;
  float value;
  switch (type) {
  case Number::Float16:
    std::memcpy(&half, data, 2);
    return widenHalf(half);
  case Number::BFloat16:
    std::memcpy(&half, data, 2);
    bits = uint32_t(half) << 16;
    break;
  case Number::Tf32:
    std::memcpy(&bits, data, 4);
    bits &= ~0x1FFFu;
    break;
  case Number::Float32:
    std::memcpy(&bits, data, 4);
    break;
  case Number::Int8:
    return *static_cast<const int8_t *>(data);
  case Number::UInt8:
    return *static_cast<const uint8_t *>(data);
  }
  std::memcpy(&value, &bits, 4);
  return value;
}

} // namespace weft::emulator

#endif // WEFT_LOWERING_EMULATOR_FLOATS_H
