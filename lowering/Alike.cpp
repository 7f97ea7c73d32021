// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lowering/Alike.h"

using namespace mlir;

/// Of the ops and their attributes, and not of what they read.
static size_t hashOf(FunctionOpInterface kernel) {
  llvm::hash_code hash = hash_value(kernel.getFunctionType());
  kernel.getFunctionBody().walk([&](Operation *op) {
    hash =
        llvm::hash_combine(hash, OperationEquivalence::computeHash(
                                     op, OperationEquivalence::ignoreHashValue,
                                     OperationEquivalence::ignoreHashValue,
                                     OperationEquivalence::IgnoreLocations));
  });
  return hash;
}

FunctionOpInterface weft::KnownKernels::findAlike(FunctionOpInterface kernel) {
  auto &alike = known[hashOf(kernel)];
  for (FunctionOpInterface other : alike)
    if (OperationEquivalence::isRegionEquivalentTo(
            &kernel.getFunctionBody(), &other.getFunctionBody(),
            OperationEquivalence::IgnoreLocations))
      return other;
  alike.push_back(kernel);
  return kernel;
}
