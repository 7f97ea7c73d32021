// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How the Tensor Memory Accelerator sees a buffer.

#ifndef WEFT_LOWERING_EMULATOR_TENSORMAP_H
#define WEFT_LOWERING_EMULATOR_TENSORMAP_H

#include <cstdint>
#include <string>
#include <vector>

namespace weft::emulator {

struct TensorMap {
  char *data = nullptr;
  /// The innermost dimension first; strides in bytes, from dimension 1 on.
  std::vector<uint64_t> dims, strides, box;
  /// The bytes of a row that are permuted; 0 for none.
  unsigned swizzle = 0;
  std::string type;
  unsigned elementBytes = 0;
};

/// The bytes of an element of a type such as "bf16"; 0 if there is none such.
unsigned elementBytesOf(const std::string &type);

} // namespace weft::emulator

#endif // WEFT_LOWERING_EMULATOR_TENSORMAP_H
