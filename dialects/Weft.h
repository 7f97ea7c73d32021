// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The `weft` dialect: its types, ops and interfaces, and the questions about
// array types that everything else asks.

#ifndef WEFT_DIALECTS_WEFT_H
#define WEFT_DIALECTS_WEFT_H

#include "dialects/Kernel.h"
#include "dialects/Places.h"
#include "dialects/Transformer.h"
#include "dialects/Windows.h"
#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/IR/TypeUtilities.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"
#include "mlir/Interfaces/DestinationStyleOpInterface.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

namespace weft {

/// Whether a type is an array of the dialect: a ranked tensor of static shape
/// without an encoding, whose size in bytes can be counted.
bool isArray(mlir::Type type);
bool isBoolArray(mlir::Type type);
bool isIntArray(mlir::Type type);
bool isUI64Array(mlir::Type type);
bool isIndicesArray(mlir::Type type);
bool isBoolOrIntArray(mlir::Type type);
bool isFloatArray(mlir::Type type);
bool isComplexArray(mlir::Type type);
/// Floats that may be parts of complex numbers.
bool isPartArray(mlir::Type type);
/// Floats or complex that numerical libraries compute with.
bool isLibraryArray(mlir::Type type);
/// Floats or complex: what has derivatives.
bool isInexactArray(mlir::Type type);
/// Integers or floats, and bools and stored floats too: what can be ordered.
bool isRealArray(mlir::Type type);
bool isOrderedArray(mlir::Type type);
bool isNumericArray(mlir::Type type);
/// Whether a type is that of one i64.
bool isIndexArray(mlir::Type type);

/// Whether a type is a tape: arrays of one type along a leading dimension
/// whose size is known at run time only.
bool isTape(mlir::Type type);

/// Whether tangents and cotangents of a value of this type exist: floats
/// or complex.
bool hasTangent(mlir::Type type);

/// The bool array of the shape of `type`; `type` itself if it is no array.
mlir::Type boolLike(mlir::Type type);
/// The array of the parts of complex numbers, and of the complex numbers with
/// parts of the type; `type` itself if it is neither.
mlir::Type realLike(mlir::Type type);
mlir::Type complexLike(mlir::Type type);

/// The type of an element inside scalar bodies: without its sign, ui8 -> i8,
/// and the bits of a float of 8 bits, i8.
mlir::Type signless(mlir::Type elementType);

/// Whether an element type is a float of 8 bits, which is only stored.
bool isFloat8(mlir::Type elementType);

/// The type that an element is computed and accumulated in: f32 for floats of 8
/// and 16 bits, else its own.
mlir::Type computedElement(mlir::Type elementType);

/// An op without a derivative; see NotDifferentiable in Weft.td.
template <typename ConcreteOp>
class NotDifferentiable
    : public mlir::OpTrait::TraitBase<ConcreteOp, NotDifferentiable> {};

/// An op whose results are dear to compute again; see Contraction in Weft.td.
template <typename ConcreteOp>
class Contraction : public mlir::OpTrait::TraitBase<ConcreteOp, Contraction> {};

/// The tangents of the results of an op that is linear in its inexact operands
/// together: the op again, of the tangents, zeros where those are null.
llvm::SmallVector<mlir::Value> applyToTangents(mlir::Operation *op,
                                               mlir::OpBuilder &b,
                                               mlir::Location loc,
                                               mlir::ValueRange tangents);

/// The sum of two arrays or tapes, and an array or a tape of zeros like `x`.
mlir::Value sumOf(mlir::OpBuilder &b, mlir::Location loc, mlir::Value x,
                  mlir::Value y);
mlir::Value zerosLike(mlir::OpBuilder &b, mlir::Location loc, mlir::Value x);

/// An elementwise op, of stacks; see Batchable.
llvm::SmallVector<mlir::Value> widen(mlir::Operation *op, mlir::OpBuilder &b,
                                     mlir::Location loc,
                                     mlir::ValueRange operands,
                                     const llvm::SmallBitVector &batched,
                                     int64_t size);

/// `x` repeated `size` times along a new leading axis.
mlir::Value stack(mlir::OpBuilder &b, mlir::Location loc, mlir::Value x,
                  int64_t size);
/// The type of `size` stacked arrays of `type`, or of the tape of stacks.
mlir::RankedTensorType stacked(mlir::Type type, int64_t size);
/// Where the dimensions of an array are in a stack of such arrays.
llvm::SmallVector<int64_t> dimsInStack(llvm::ArrayRef<int64_t> dims);
/// What is said of each dimension of an array, and `first` of the stack's.
llvm::SmallVector<int64_t> behind(int64_t first,
                                  llvm::ArrayRef<int64_t> values);

/// Adds the dialect, and what it says of functions and calls.
void registerWeftDialect(mlir::DialectRegistry &registry);

} // namespace weft

#include "dialects/Interfaces.h.inc"
#include "dialects/WeftDialect.h.inc"

#define GET_TYPEDEF_CLASSES
#include "dialects/WeftTypes.h.inc"

#define GET_OP_CLASSES
#include "dialects/Ops.h.inc"

#endif // WEFT_DIALECTS_WEFT_H
