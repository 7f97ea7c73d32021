// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the families of ToLinalg*.cpp share: how types change, and how to write
// a linalg.generic.

#ifndef WEFT_LOWERING_LINALG_TOLINALG_H
#define WEFT_LOWERING_LINALG_TOLINALG_H

#include "dialects/Windows.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Transforms/DialectConversion.h"

namespace weft {

using ScalarBodyFn = llvm::function_ref<llvm::SmallVector<mlir::Value>(
    mlir::OpBuilder &, mlir::Location, mlir::ValueRange)>;

/// i1 -> i8, uiN -> iN, f8 -> i8; every other element type stays.
mlir::Type storedElement(mlir::Type element);

/// The type that a weft array has from `linalg` on.
mlir::RankedTensorType storedType(mlir::Type array);

/// Turns a stored scalar into one of the body, i8 -> i1 for a bool, and back.
mlir::Value loadScalar(mlir::OpBuilder &b, mlir::Location loc,
                       mlir::Value stored, mlir::Type element);
mlir::Value storeScalar(mlir::OpBuilder &b, mlir::Location loc,
                        mlir::Value scalar);

/// The zero of a stored element type, as an attribute and as a constant.
mlir::Attribute zeroOf(mlir::Type stored);
mlir::Value buildZero(mlir::OpBuilder &b, mlir::Location loc,
                      mlir::Type stored);

/// An uninitialised tensor, and one filled with a scalar of stored type.
mlir::Value buildEmpty(mlir::OpBuilder &b, mlir::Location loc,
                       mlir::RankedTensorType type);
mlir::Value buildFilled(mlir::OpBuilder &b, mlir::Location loc,
                        mlir::RankedTensorType type, mlir::Value scalar);

/// A linalg.generic that writes each element of `type` once; `maps` has one map
/// for each input.
mlir::Value buildParallel(mlir::OpBuilder &b, mlir::Location loc,
                          mlir::RankedTensorType type, mlir::ValueRange inputs,
                          llvm::ArrayRef<mlir::AffineMap> maps,
                          ScalarBodyFn body);

/// The type of what is accumulated into an array: of 16-bit floats, f32.
mlir::RankedTensorType accumulatorType(mlir::Type array);

/// What is accumulated, rounded to the elements of `array`, and elements as
/// what is accumulated; `x` itself where both are of one type.
mlir::Value buildRounded(mlir::OpBuilder &b, mlir::Location loc, mlir::Value x,
                         mlir::Type array);
mlir::Value buildAccumulator(mlir::OpBuilder &b, mlir::Location loc,
                             mlir::Value x, mlir::Type array);

/// Copies `x` into an array of `type`, reading it through `map`.
mlir::Value buildRemapped(mlir::OpBuilder &b, mlir::Location loc,
                          mlir::RankedTensorType type, mlir::Value x,
                          mlir::AffineMap map);

/// Two stored operands, their element types in `weft`, and for each and for the
/// result the loops that walk through it.
struct SumOfProducts {
  mlir::Value lhs, rhs;
  mlir::Type lhsElement, rhsElement;
  llvm::SmallVector<mlir::AffineMap> maps;
  llvm::SmallVector<mlir::utils::IteratorType> loops;
  /// What factors may be rounded to, if to anything.
  mlir::StringAttr precision;
};
/// The sums, accumulated in what elements of `type` are computed in.
mlir::Value buildSumOfProducts(mlir::OpBuilder &b, mlir::Location loc,
                               mlir::RankedTensorType type,
                               const SumOfProducts &sum);

/// `x` with what `windows` put around and between its elements along `dims`,
/// each of them `value`.
mlir::Value buildPadded(mlir::OpBuilder &b, mlir::Location loc, mlir::Value x,
                        llvm::ArrayRef<int64_t> dims, const Windows &windows,
                        mlir::Attribute value);

/// Whether sums may become others that are sooner done: a schedule is told of
/// what the program has.
bool mayRearrange(mlir::Operation *op);

/// The dimensions of a convolution's operands that the other has not.
llvm::SmallVector<int64_t> freeOfLhs(ConvolutionOp op);
llvm::SmallVector<int64_t> freeOfRhs(ConvolutionOp op);

/// Where each of some dimensions is in a list of dimensions.
llvm::SmallVector<int64_t> placesIn(llvm::ArrayRef<int64_t> list,
                                    llvm::ArrayRef<int64_t> dims);

/// Whether a convolution has so many products that a rearrangement of its
/// operands, or a loop for each of its phases, is of little account.
bool hasManyProducts(ConvolutionOp op);

/// Loops from 0 up to each of `bounds`, the last innermost, around a `body`
/// that maps the loops' indices and the arrays so far to the arrays after it.
using LoopBodyFn = llvm::function_ref<llvm::SmallVector<mlir::Value>(
    mlir::OpBuilder &, mlir::ValueRange indices, mlir::ValueRange arrays)>;
llvm::SmallVector<mlir::Value> buildLoops(mlir::OpBuilder &b,
                                          mlir::Location loc,
                                          llvm::ArrayRef<int64_t> bounds,
                                          mlir::ValueRange arrays,
                                          LoopBodyFn body);

/// One loop, from `lower` to `upper` by `step`.
llvm::SmallVector<mlir::Value>
buildLoop(mlir::OpBuilder &b, mlir::Location loc, mlir::Value lower,
          mlir::Value upper, mlir::Value step, mlir::ValueRange arrays,
          llvm::function_ref<llvm::SmallVector<mlir::Value>(
              mlir::OpBuilder &, mlir::Value index, mlir::ValueRange arrays)>
              body);

/// Whether a stored scalar must stand before another in ascending order, NaN
/// last: not where they are equal.
mlir::Value buildIsBefore(mlir::OpBuilder &b, mlir::Location loc,
                          mlir::Type element, mlir::Value x, mlir::Value y);

/// Allows every float op of `block` what `flags` allow.
void setFastMath(mlir::Block &block, mlir::arith::FastMathFlags flags);

void populateCumulativeToLinalg(const mlir::TypeConverter &types,
                                mlir::RewritePatternSet &patterns);
void populateIndexToLinalg(const mlir::TypeConverter &types,
                           mlir::RewritePatternSet &patterns);
void populateLibraryToLinalg(const mlir::TypeConverter &types,
                             mlir::RewritePatternSet &patterns);
void populateSortToLinalg(const mlir::TypeConverter &types,
                          mlir::RewritePatternSet &patterns);
void populateShapeToLinalg(const mlir::TypeConverter &types,
                           mlir::RewritePatternSet &patterns);
void populateReductionsToLinalg(const mlir::TypeConverter &types,
                                mlir::RewritePatternSet &patterns);
void populateControlToLinalg(const mlir::TypeConverter &types,
                             mlir::RewritePatternSet &patterns);
void populatePointConvolutions(const mlir::TypeConverter &types,
                               mlir::RewritePatternSet &patterns);
void populateChannelsLast(const mlir::TypeConverter &types,
                          mlir::RewritePatternSet &patterns);
void populateConvolutionToLinalg(const mlir::TypeConverter &types,
                                 mlir::RewritePatternSet &patterns);
void populateWindowsToLinalg(const mlir::TypeConverter &types,
                             mlir::RewritePatternSet &patterns);
void populateContractionsToLinalg(const mlir::TypeConverter &types,
                                  mlir::RewritePatternSet &patterns);

} // namespace weft

#endif // WEFT_LOWERING_LINALG_TOLINALG_H
