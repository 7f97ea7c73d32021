// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the passes know of the machine that code is made for. It stands in the
// text of a module, so that another machine's code can be had by an edit.

#ifndef WEFT_LOWERING_MACHINE_H
#define WEFT_LOWERING_MACHINE_H

#include "mlir/IR/BuiltinOps.h"

namespace weft {

struct Machine {
  /// Bytes of a line of the caches.
  static constexpr int64_t lineBytes = 64;

  /// Bytes of a vector register, and how many of them there are.
  int64_t vectorBytes = 16, vectorRegisters = 16;
  /// Whether one instruction multiplies and adds, rounding once.
  bool hasFma = false;
  /// Whether there are instructions that multiply tiles of matrices of bfloat16
  /// and of bytes, and the process may use them.
  bool hasTiles = false;
  /// Whether one instruction adds four products of bytes to each 32-bit lane.
  bool hasDots = false;
  /// Whether one adds two products of bfloat16 to each.
  bool hasBFloat16Dots = false;
  /// Bytes of a core's first and second cache.
  int64_t l1Bytes = 32 << 10, l2Bytes = 1 << 20;
  /// The simple operations that take longer than to wake a thread: what is less
  /// is not shared.
  int64_t shareFrom = 1 << 18;

  /// The one that `hostCpu` names.
  static const Machine &host();
  /// The one that the module of `op` is for, by its attribute `weft.machine`;
  /// the host where it has none.
  static Machine of(mlir::Operation *op);

  mlir::DictionaryAttr asAttribute(mlir::MLIRContext *context) const;

  /// The lanes of a register of elements of a type.
  int64_t lanes(mlir::Type element) const {
    return vectorBytes * 8 / element.getIntOrFloatBitWidth();
  }
};

/// Where a module keeps its machine.
inline constexpr llvm::StringLiteral machineAttr = "weft.machine";

} // namespace weft

#endif // WEFT_LOWERING_MACHINE_H
