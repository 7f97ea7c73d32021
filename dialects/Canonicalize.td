// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Equations of the dialect, one a line, applied from left to right. Each holds
// for all IEEE values: no x * 0 -> 0, no x - x -> 0.

#ifndef WEFT_CANONICALIZE_TD
#define WEFT_CANONICALIZE_TD

include "mlir/IR/PatternBase.td"
include "dialects/Ops.td"

// The composition of two lists of dimensions: i -> second[first[i]].
def Then : NativeCodeCall<"composeDims($_builder, $0, $1)">;

class Equation<dag source, dag result> : Pat<source, result>;
// One that does not hold for complex numbers: of those that it makes an
// operation of other types, or zeros of other signs.
def IsReal : Constraint<CPred<"::weft::isRealArray($0.getType())">>;
class RealEquation<dag source, dag result>
    : Pat<source, result, [(IsReal $x)]>;

// Signs.
def : Equation<(Weft_AddOp $x, (Weft_NegativeOp $y)), (Weft_SubtractOp $x, $y)>;
def : Equation<(Weft_SubtractOp $x, (Weft_NegativeOp $y)), (Weft_AddOp $x, $y)>;
def : Equation<(Weft_MultiplyOp (Weft_NegativeOp $x), (Weft_NegativeOp $y)), (Weft_MultiplyOp $x, $y)>;
def : RealEquation<(Weft_DivideOp (Weft_NegativeOp $x), (Weft_NegativeOp $y)), (Weft_DivideOp $x, $y)>;
def : Equation<(Weft_AbsOp (Weft_NegativeOp $x)), (Weft_AbsOp $x)>;
def : RealEquation<(Weft_AbsOp (Weft_AbsOp $x)), (Weft_AbsOp $x)>;
def : RealEquation<(Weft_SignOp (Weft_SignOp $x)), (Weft_SignOp $x)>;
def : Equation<(Weft_SquareOp (Weft_NegativeOp $x)), (Weft_SquareOp $x)>;
def : RealEquation<(Weft_SquareOp (Weft_AbsOp $x)), (Weft_SquareOp $x)>;

// Choice.
def : Equation<(Weft_SelectOp (Weft_LogicalNotOp $c), $x, $y), (Weft_SelectOp $c, $y, $x)>;

// Shape.
def : Equation<(Weft_ReshapeOp (Weft_ReshapeOp $x)), (Weft_ReshapeOp $x)>;
def : Equation<(Weft_TransposeOp (Weft_TransposeOp $x, $p), $q), (Weft_TransposeOp $x, (Then $q, $p))>;
def : Equation<(Weft_BroadcastOp (Weft_BroadcastOp $x, $a), $b), (Weft_BroadcastOp $x, (Then $a, $b))>;

#endif // WEFT_CANONICALIZE_TD
