// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Narrow floats by tables and by LLVM.

#include "lowering/emulator/Floats.h"
#include "llvm/ADT/APFloat.h"
#include "llvm/ADT/bit.h"
#include <vector>

using namespace weft::emulator;

static const llvm::fltSemantics &semanticsOf(Number type) {
  return type == Number::BFloat16 ? llvm::APFloat::BFloat()
                                  : llvm::APFloat::IEEEhalf();
}

/// All there are: matrix instructions read millions.
static const float *halves() {
  static const std::vector<float> table = [] {
    std::vector<float> values(1 << 16);
    for (uint32_t bits = 0; bits < values.size(); ++bits)
      values[bits] =
          llvm::APFloat(llvm::APFloat::IEEEhalf(), llvm::APInt(16, bits))
              .convertToFloat();
    return values;
  }();
  return table.data();
}

float weft::emulator::widenHalf(uint16_t bits) { return halves()[bits]; }

uint16_t weft::emulator::narrow(float value, Number type) {
  llvm::APFloat number(value);
  bool inexact;
  number.convert(semanticsOf(type), llvm::APFloat::rmNearestTiesToEven,
                 &inexact);
  return number.bitcastToAPInt().getZExtValue();
}
