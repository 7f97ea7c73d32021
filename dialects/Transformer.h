// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the rules of ops with bodies share with the passes that transform them:
// a body is a function, and a `Transformer` gives its derivatives and its
// batched versions, each made once.

#ifndef WEFT_DIALECTS_TRANSFORMER_H
#define WEFT_DIALECTS_TRANSFORMER_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/SmallBitVector.h"

namespace weft {

/// Which derivative of a function is meant: by which operands (floating,
/// ascending), and from which results cotangents come (floating, ascending).
struct Selection {
  llvm::SmallVector<int64_t> operands, results;
};

/// A function taken apart. `forward` returns the results, then the residuals;
/// `backward` maps the residuals and one cotangent for each selected result to
/// one cotangent for each selected operand.
struct Reversed {
  mlir::func::FuncOp forward, backward;
};

/// `function` takes the operands, then one tangent for each operand that was
/// asked for; it returns the results, then one tangent for each of `results`
/// (floating, ascending); the tangents of the others are zero.
struct Forwarded {
  mlir::func::FuncOp function;
  llvm::SmallVector<int64_t> results;
};

/// `function` takes and returns stacks in place of arrays, where asked for
/// operands and in `results`.
struct Batched {
  mlir::func::FuncOp function;
  llvm::SmallBitVector results;
};

/// What ControlFlow::buildReverse built: replacements of the results, and one
/// cotangent per operand (null: zero).
struct ReversedOp {
  llvm::SmallVector<mlir::Value> results, cotangents;
};
/// What ControlFlow::buildForward built; a null tangent is zero.
struct ForwardedOp {
  llvm::SmallVector<mlir::Value> results, tangents;
};
/// What ControlFlow::buildBatched built.
struct BatchedOp {
  llvm::SmallVector<mlir::Value> results;
  llvm::SmallBitVector batched;
};

/// The transformation that a rule is part of. Functions are those of the
/// module, without transformation ops; `user` is where errors are reported.
/// Equal requests give the same function.
class Transformer {
public:
  virtual ~Transformer() = default;

  /// A private function of what `region` does to its arguments; its
  /// terminator's operands are the results.
  virtual mlir::func::FuncOp outline(mlir::Region &region) = 0;
  /// The floating results of `function` that depend on `operands` by floats.
  virtual llvm::SmallBitVector
  dependentResults(mlir::func::FuncOp function,
                   const llvm::SmallBitVector &operands) = 0;
  virtual mlir::FailureOr<Reversed> reverse(mlir::Operation *user,
                                            mlir::func::FuncOp function,
                                            const Selection &selection) = 0;
  /// Reverse mode that keeps the operands only and computes the rest again.
  virtual mlir::FailureOr<Reversed>
  reverseCheckpointed(mlir::Operation *user, mlir::func::FuncOp function,
                      const Selection &selection) = 0;
  /// `operands` are floating and ascending.
  virtual mlir::FailureOr<Forwarded>
  forward(mlir::Operation *user, mlir::func::FuncOp function,
          llvm::ArrayRef<int64_t> operands) = 0;
  /// Results in `required` are stacked even if they do not depend on a stack.
  virtual mlir::FailureOr<Batched>
  batch(mlir::Operation *user, mlir::func::FuncOp function,
        const llvm::SmallBitVector &operands, int64_t size,
        const llvm::SmallBitVector &required) = 0;
};

} // namespace weft

#endif // WEFT_DIALECTS_TRANSFORMER_H
