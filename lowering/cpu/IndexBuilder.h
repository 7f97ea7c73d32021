// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Builds what loops over memory consist of: counts, masks, loads, loops and
// branches.

#ifndef WEFT_LOWERING_CPU_INDEXBUILDER_H
#define WEFT_LOWERING_CPU_INDEXBUILDER_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace weft {

class IndexBuilder {
public:
  explicit IndexBuilder(mlir::ImplicitLocOpBuilder &b) : b(b) {}

  mlir::Value index(int64_t value) {
    return mlir::arith::ConstantIndexOp::create(b, value);
  }
  mlir::Value add(mlir::Value x, mlir::Value y) {
    return mlir::arith::AddIOp::create(b, x, y);
  }
  mlir::Value add(mlir::Value x, int64_t y) {
    return y == 0 ? x : add(x, index(y));
  }
  mlir::Value subtract(mlir::Value x, mlir::Value y) {
    return mlir::arith::SubIOp::create(b, x, y);
  }
  mlir::Value multiply(mlir::Value x, int64_t y) {
    return mlir::arith::MulIOp::create(b, x, index(y));
  }
  mlir::Value isAtLeast(mlir::Value x, int64_t y) {
    return mlir::arith::CmpIOp::create(b, mlir::arith::CmpIPredicate::sge, x,
                                       index(y));
  }
  mlir::Value least(mlir::Value x, mlir::Value y) {
    return mlir::arith::MinSIOp::create(b, x, y);
  }
  mlir::Value most(mlir::Value x, mlir::Value y) {
    return mlir::arith::MaxSIOp::create(b, x, y);
  }

  mlir::Value maskOf(mlir::Value valid, int64_t lanes) {
    return mlir::vector::CreateMaskOp::create(
        b, mlir::VectorType::get({lanes}, b.getI1Type()), valid);
  }
  /// Lanes of a row of elements; zeros where a mask says so.
  mlir::Value load(mlir::Value row, int64_t lanes, mlir::Value at,
                   mlir::Value mask) {
    auto type = mlir::VectorType::get(
        {lanes}, mlir::getElementTypeOrSelf(row.getType()));
    if (!mask)
      return mlir::vector::LoadOp::create(b, type, row, at);
    mlir::Value nothing =
        mlir::arith::ConstantOp::create(b, b.getZeroAttr(type));
    return mlir::vector::MaskedLoadOp::create(b, type, row, at, mask, nothing);
  }

  void loop(mlir::Value first, mlir::Value last, int64_t step,
            llvm::function_ref<void(mlir::Value)> build) {
    auto loop = mlir::scf::ForOp::create(b, first, last, index(step));
    mlir::OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    build(loop.getInductionVar());
  }
  void either(mlir::Value condition, llvm::function_ref<void()> then,
              llvm::function_ref<void()> otherwise) {
    auto branch =
        mlir::scf::IfOp::create(b, condition, /*withElseRegion=*/true);
    mlir::OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(branch.thenBlock());
    then();
    b.setInsertionPointToStart(branch.elseBlock());
    otherwise();
  }

private:
  mlir::ImplicitLocOpBuilder &b;
};

} // namespace weft

#endif // WEFT_LOWERING_CPU_INDEXBUILDER_H
