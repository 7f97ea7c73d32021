// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Derivatives and batched versions of the ops with bodies. What a body does to
// tangents, cotangents and stacks is a function that the `Transformer` makes.

#include "dialects/Weft.h"

using namespace mlir;
using namespace weft;

#define PENDING(Op)                                                            \
  llvm::SmallBitVector Op::dependentResults(Transformer &,                     \
                                            const llvm::SmallBitVector &) {    \
    return llvm::SmallBitVector(getNumResults());                              \
  }                                                                            \
  FailureOr<ReversedOp> Op::buildReverse(                                      \
      Transformer &, OpBuilder &, OpBuilder &, Location,                       \
      const llvm::SmallBitVector &, ValueRange) {                              \
    return emitOpError() << "has no derivative rule";                          \
  }                                                                            \
  FailureOr<ForwardedOp> Op::buildForward(Transformer &, OpBuilder &,          \
                                          Location, ValueRange) {              \
    return emitOpError() << "has no derivative rule";                          \
  }                                                                            \
  FailureOr<BatchedOp> Op::buildBatched(                                       \
      Transformer &, OpBuilder &, Location, ValueRange,                        \
      const llvm::SmallBitVector &, int64_t) {                                 \
    return emitOpError() << "has no batching rule";                            \
  }
PENDING(SwitchOp)
PENDING(WhileOp)
PENDING(ScanOp)
