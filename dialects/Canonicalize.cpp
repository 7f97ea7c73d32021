// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Hands the equations of Canonicalize.td to the canonicaliser.

#include "dialects/Weft.h"

using namespace mlir;
using namespace weft;

/// i -> second[first[i]].
static DenseI64ArrayAttr composeDims(Builder &b, DenseI64ArrayAttr first,
                                     DenseI64ArrayAttr second) {
  SmallVector<int64_t> dims;
  for (int64_t dim : first.asArrayRef())
    dims.push_back(second[dim]);
  return b.getDenseI64ArrayAttr(dims);
}

namespace {
#include "dialects/Canonicalize.inc"
} // namespace

void WeftDialect::getCanonicalizationPatterns(
    RewritePatternSet &patterns) const {
  populateWithGenerated(patterns);
}
