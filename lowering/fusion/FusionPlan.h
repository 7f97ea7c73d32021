// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Decides which elementwise ops are computed together, before any is touched.

#ifndef WEFT_LOWERING_FUSION_FUSIONPLAN_H
#define WEFT_LOWERING_FUSION_FUSIONPLAN_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "llvm/ADT/SetVector.h"

namespace weft {

/// A value that a group reads, by the map from the loops of the group's root.
using Read = std::pair<mlir::Value, mlir::AffineMap>;

/// A root, and the producers that are computed inside its loops instead of in
/// their own.
struct FusionGroup {
  explicit FusionGroup(mlir::linalg::GenericOp root) : root(root) {}

  mlir::linalg::GenericOp root;
  /// Results of the producers that moved in.
  llvm::SmallSetVector<Read, 8> absorbed;
  /// What is read from memory.
  llvm::SmallSetVector<Read, 8> inputs;
  /// Whether splats are read as scalars.
  bool takesSplats = true;
  size_t size = 0;
};

/// The scalar of which `value` consists, if it is a splat: an attribute, or the
/// value that a linalg.fill fills with.
mlir::OpFoldResult splatOf(mlir::Value value);

/// Whether the op computes each element of its one result by itself.
bool canMove(mlir::linalg::GenericOp op);

/// Whether the op computes each element of its results by itself, in loops of
/// which neither a sum of products nor a schedule disposes.
bool isFreeElementwise(mlir::linalg::GenericOp op);

/// Whether to compute an element again costs no more than to read it: one step
/// from one element that is not larger. An array of them is never worth it.
bool costsARead(mlir::linalg::GenericOp op);

/// Whether the op of a body is simple arithmetic: no division, no function.
bool takesOneStep(mlir::Operation &op);

/// Whether the op computes integers in a few steps, as those of an index are:
/// within a row they are the same, and to have them again costs less than an
/// array of them.
bool computesIndex(mlir::linalg::GenericOp op);

/// Groups in reverse program order: consumers before producers. Without
/// `absorbs` each is one op, which only reads splats as scalars.
std::vector<std::unique_ptr<FusionGroup>> planFusion(mlir::Block &block,
                                                     bool absorbs);

} // namespace weft

#endif // WEFT_LOWERING_FUSION_FUSIONPLAN_H
