// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What folders and type inference of the families share.

#ifndef WEFT_DIALECTS_FOLDING_H
#define WEFT_DIALECTS_FOLDING_H

#include "dialects/Weft.h"

namespace weft {

/// Whether an attribute (null: unknown) is an array of one repeated value.
bool isZero(mlir::Attribute attr);
bool isPositiveZero(mlir::Attribute attr);
bool isNegativeZero(mlir::Attribute attr);
bool isOne(mlir::Attribute attr);
bool isIntegerOne(mlir::Attribute attr);
std::optional<bool> splatBool(mlir::Attribute attr);

/// The repeated value of `attr` as an array of another shape, else null.
mlir::DenseElementsAttr resplat(mlir::Attribute attr, mlir::Type type);
/// An array of one number, for every element type.
mlir::DenseElementsAttr splatOf(mlir::RankedTensorType type, double value);

/// Runs the scalar body on constants that repeat one value; null if an operand
/// is no such constant or an op of the body has no folder.
mlir::OpFoldResult foldElementwise(ScalarBody op,
                                   llvm::ArrayRef<mlir::Attribute> operands);
/// x ? x for integers and bools.
mlir::DenseElementsAttr foldSelfComparison(mlir::Operation *op, bool onSelf);
mlir::OpFoldResult foldArgReduction(mlir::Value x, int64_t axis,
                                    mlir::RankedTensorType type);

/// The operand of an op under construction, if there are `count` operands and
/// all are arrays; else null, with a diagnostic.
mlir::RankedTensorType firstOperandType(std::optional<mlir::Location> loc,
                                        mlir::ValueRange operands,
                                        unsigned count);
/// Whether `axes` ascend strictly within `rank`; else a diagnostic.
llvm::LogicalResult verifyAxes(std::optional<mlir::Location> loc,
                               llvm::StringRef name,
                               mlir::DenseI64ArrayAttr axes, int64_t rank);

llvm::LogicalResult inferReduction(std::optional<mlir::Location> loc,
                                   mlir::ValueRange operands,
                                   mlir::DenseI64ArrayAttr axes,
                                   bool needsElements,
                                   llvm::SmallVectorImpl<mlir::Type> &types);
llvm::LogicalResult inferArgReduction(std::optional<mlir::Location> loc,
                                      mlir::ValueRange operands,
                                      mlir::IntegerAttr axis,
                                      llvm::SmallVectorImpl<mlir::Type> &types);

/// Operands of one type, with an axis: the type of the result is theirs.
llvm::LogicalResult inferAlongAxis(std::optional<mlir::Location> loc,
                                   mlir::ValueRange operands, unsigned count,
                                   mlir::IntegerAttr axis,
                                   llvm::SmallVectorImpl<mlir::Type> &types);
/// How many windows there are along each of some dimensions of an array.
llvm::FailureOr<llvm::SmallVector<int64_t>>
inferWindowCounts(std::optional<mlir::Location> loc,
                  mlir::RankedTensorType type, llvm::ArrayRef<int64_t> dims,
                  const Windows &windows);
/// The windows of an array; `attributes` are in the order of `Windows`.
llvm::LogicalResult
inferWindows(std::optional<mlir::Location> loc, mlir::ValueRange operands,
             unsigned count, llvm::ArrayRef<mlir::DenseI64ArrayAttr> attributes,
             llvm::SmallVectorImpl<mlir::Type> &types);
llvm::LogicalResult inferScatter(std::optional<mlir::Location> loc,
                                 mlir::ValueRange operands,
                                 mlir::DenseI64ArrayAttr dims,
                                 mlir::DenseI64ArrayAttr collapsed,
                                 mlir::DenseI64ArrayAttr batch,
                                 llvm::SmallVectorImpl<mlir::Type> &types);

} // namespace weft

#endif // WEFT_DIALECTS_FOLDING_H
