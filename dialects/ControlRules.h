// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the rules of the ops with bodies share. New bodies only call the
// functions that a `Transformer` gives; the inliner does the rest.

#ifndef WEFT_DIALECTS_CONTROLRULES_H
#define WEFT_DIALECTS_CONTROLRULES_H

#include "dialects/Weft.h"

namespace weft {

/// Reads a list of values part by part.
class Parts {
public:
  explicit Parts(mlir::ValueRange values) : values(values) {}
  mlir::ValueRange take(size_t count) {
    mlir::ValueRange part = values.take_front(count);
    values = values.drop_front(count);
    return part;
  }
  mlir::ValueRange rest() const { return values; }

private:
  mlir::ValueRange values;
};

/// Lists of values, one after the other.
llvm::SmallVector<mlir::Value> joined(llvm::ArrayRef<mlir::ValueRange> lists);
llvm::SmallVector<mlir::Value> pick(mlir::ValueRange values,
                                    const llvm::SmallBitVector &which);
/// The values that are not null.
llvm::SmallVector<mlir::Value> present(mlir::ValueRange values);
llvm::SmallBitVector presence(mlir::ValueRange values);

/// The members from number `begin` on, and before `end`.
llvm::SmallBitVector subset(const llvm::SmallBitVector &bits, unsigned begin,
                            unsigned end);
llvm::SmallVector<int64_t> numbers(const llvm::SmallBitVector &bits);

mlir::ValueRange call(mlir::OpBuilder &b, mlir::Location loc,
                      mlir::func::FuncOp function, mlir::ValueRange operands);
mlir::Value zeros(mlir::OpBuilder &b, mlir::Location loc, mlir::Type type);
/// An i64.
mlir::Value number(mlir::OpBuilder &b, mlir::Location loc, int64_t value);
/// An array of stacks as a stack of arrays, and the other way round: the first
/// two axes swapped. A tape is one of stacks already.
mlir::Value swapAxes(mlir::OpBuilder &b, mlir::Location loc, mlir::Value x);
/// Elements of `x` where `condition`, one for each of a stack, holds, else of
/// `y`.
mlir::Value selectInStack(mlir::OpBuilder &b, mlir::Location loc,
                          mlir::Value condition, mlir::Value x, mlir::Value y);

/// Whether derivatives are yet to be taken of the program in reverse.
bool isToBeReversed(mlir::Operation *op);
/// The arrays, with derivatives by those parts of stacks only for which
/// `condition`, one for each, holds.
llvm::SmallVector<mlir::Value> differentiateWhere(mlir::OpBuilder &b,
                                                  mlir::Location loc,
                                                  mlir::Value condition,
                                                  mlir::ValueRange arrays);

/// What a body does to its arguments.
using BuildBody =
    llvm::function_ref<llvm::SmallVector<mlir::Value>(mlir::ValueRange)>;
/// Makes a body in an empty region; `b` builds in it meanwhile.
void fill(mlir::Region &region, mlir::OpBuilder &b, mlir::Location loc,
          mlir::TypeRange arguments, BuildBody build);

/// A residual of a function that is one of its operands, else none.
std::optional<unsigned> operandAsResult(mlir::func::FuncOp function,
                                        unsigned result);

/// `function` taken apart; if it would keep tapes, which loops cannot hand on,
/// it keeps its operands and computes the rest again.
mlir::FailureOr<Reversed> reverseBody(Transformer &transformer,
                                      mlir::Operation *user,
                                      mlir::func::FuncOp function,
                                      const Selection &selection);

/// Adds to `operands` of a loop's body the first ones, its carries, that come
/// to depend on them, and returns the results that do.
llvm::SmallBitVector followCarries(Transformer &transformer,
                                   mlir::func::FuncOp body, unsigned numCarries,
                                   llvm::SmallBitVector &operands);

/// A loop over slices whose body is a function of carries, slices of `xs`, and
/// constants.
struct Steps {
  mlir::Operation *op = nullptr;
  mlir::func::FuncOp body;
  mlir::IntegerAttr length;
  bool reverse = false;
  int64_t unroll = 1;
  mlir::Value trips;
  mlir::ValueRange inits, xs, consts;

  unsigned numYs() { return body.getNumResults() - inits.size(); }
};

/// Reverse mode of a loop; see ControlFlow::buildReverse. `active` are operands
/// of the body.
mlir::FailureOr<ReversedOp>
reverseSteps(Transformer &transformer, const Steps &steps,
             mlir::OpBuilder &forward, mlir::OpBuilder &backward,
             mlir::Location loc, llvm::SmallBitVector active,
             mlir::ValueRange cotangents);

} // namespace weft

#endif // WEFT_DIALECTS_CONTROLRULES_H
