// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Derivative rules that a function brings along, as attributes that name other
// functions.

#ifndef WEFT_DIALECTS_TRANSFORMS_CUSTOMRULES_H
#define WEFT_DIALECTS_TRANSFORMS_CUSTOMRULES_H

#include "dialects/Weft.h"

namespace weft {

inline constexpr llvm::StringLiteral customVjp = "weft.custom_vjp";
inline constexpr llvm::StringLiteral customJvp = "weft.custom_jvp";
inline constexpr llvm::StringLiteral checkpointPolicy = "weft.checkpoint";

/// The functions that the attributes of a function name; null ones are absent.
/// `forward` maps the operands to the results and residuals, `backward` those
/// and one cotangent for each floating result to one for each floating
/// operand, or the first of those: with respect to the others the function may
/// not be differentiated. `jvp` maps the operands and one tangent for each
/// floating one to the results and one tangent for each floating result.
struct CustomRules {
  mlir::func::FuncOp forward, backward, jvp;
  explicit operator bool() const { return forward || jvp; }
};

/// Whether a function has a rule, right or wrong.
bool hasCustomRules(mlir::func::FuncOp function);

/// Reads the attributes; `expand` is called for each function that they name
/// before its type is compared. Fails with a diagnostic.
mlir::FailureOr<CustomRules> readCustomRules(
    mlir::func::FuncOp function, mlir::SymbolTable &symbols,
    llvm::function_ref<mlir::LogicalResult(mlir::func::FuncOp)> expand);

/// Reverse mode by `forward` and `backward`.
mlir::FailureOr<Reversed> reverseByVjp(mlir::func::FuncOp function,
                                       CustomRules rules,
                                       const Selection &selection,
                                       mlir::SymbolTable &symbols);
/// Reverse mode by the reverse mode of `jvp`.
mlir::FailureOr<Reversed> reverseByJvp(mlir::func::FuncOp function,
                                       CustomRules rules,
                                       const Selection &selection,
                                       mlir::SymbolTable &symbols,
                                       Transformer &transformer);
/// Forward mode by `jvp`.
mlir::FailureOr<Forwarded> forwardByJvp(mlir::func::FuncOp function,
                                        CustomRules rules,
                                        llvm::ArrayRef<int64_t> operands,
                                        mlir::SymbolTable &symbols);
/// Gives the batched function the batched rules.
mlir::LogicalResult batchRules(mlir::func::FuncOp function, CustomRules rules,
                               mlir::func::FuncOp batched,
                               const llvm::SmallBitVector &operands,
                               int64_t size, mlir::SymbolTable &symbols,
                               Transformer &transformer);

} // namespace weft

#endif // WEFT_DIALECTS_TRANSFORMS_CUSTOMRULES_H
