// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The derivatives and batched versions of the functions of a module, each made
// once: by a rule of the function's own, or op by op.

#ifndef WEFT_DIALECTS_TRANSFORMS_FUNCTIONTRANSFORMER_H
#define WEFT_DIALECTS_TRANSFORMS_FUNCTIONTRANSFORMER_H

#include "dialects/transforms/Checkpoint.h"
#include "dialects/transforms/CustomRules.h"
#include "mlir/IR/BuiltinOps.h"

namespace weft {

class FunctionTransformer final : public Transformer {
public:
  /// `expand` removes the transformation ops of a function that `user` names,
  /// before it is looked into.
  using Expand = llvm::function_ref<mlir::LogicalResult(
      mlir::Operation *user, mlir::func::FuncOp function)>;
  FunctionTransformer(mlir::SymbolTable &symbols, Expand expand)
      : symbols(symbols), expand(expand) {}

  mlir::func::FuncOp outline(mlir::Region &region) final;
  llvm::SmallBitVector
  dependentResults(mlir::func::FuncOp function,
                   const llvm::SmallBitVector &operands) final;
  mlir::FailureOr<Reversed> reverse(mlir::Operation *user,
                                    mlir::func::FuncOp function,
                                    const Selection &selection) final;
  mlir::FailureOr<Reversed>
  reverseCheckpointed(mlir::Operation *user, mlir::func::FuncOp function,
                      const Selection &selection) final;
  mlir::FailureOr<Forwarded> forward(mlir::Operation *user,
                                     mlir::func::FuncOp function,
                                     llvm::ArrayRef<int64_t> operands) final;
  mlir::FailureOr<Batched> batch(mlir::Operation *user,
                                 mlir::func::FuncOp function,
                                 const llvm::SmallBitVector &operands,
                                 int64_t size,
                                 const llvm::SmallBitVector &required) final;

private:
  /// A function and how it is transformed.
  using Key = std::pair<mlir::Operation *, mlir::Attribute>;

  mlir::FailureOr<Reversed> reverse(mlir::Operation *user,
                                    mlir::func::FuncOp function,
                                    const Selection &selection, Kept kept);
  mlir::FailureOr<Reversed> buildReverse(mlir::func::FuncOp function,
                                         const Selection &selection, Kept kept);
  mlir::FailureOr<Forwarded> buildForward(mlir::Operation *user,
                                          mlir::func::FuncOp function,
                                          llvm::ArrayRef<int64_t> operands);
  mlir::FailureOr<CustomRules> rulesOf(mlir::func::FuncOp function);
  void outlineBodies(mlir::func::FuncOp function);

  mlir::SymbolTable &symbols;
  Expand expand;
  mlir::DenseMap<Key, Reversed> reversals;
  mlir::DenseMap<Key, Forwarded> forwards;
  mlir::DenseMap<Key, Batched> batches;
  mlir::DenseMap<Key, llvm::SmallBitVector> dependencies;
  /// Derivatives under construction: a rule may not need itself.
  llvm::DenseSet<Key> inProgress;
};

/// Removes what transformations wrote on functions and ops of a module for each
/// other, and the custom rules, which have been used.
void removeTransformationAttributes(mlir::ModuleOp module);

} // namespace weft

#endif // WEFT_DIALECTS_TRANSFORMS_FUNCTIONTRANSFORMER_H
