// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// y[i] = a[i] y[i-1] + b[i] along long rows: threads walk along parts of a row.
// What a part does to the value before it is known without that, A y + B;
// which one thread follows from part to part, before each walks again.
//
// A may overflow where no y does, and A y + B may cancel where y's own steps do
// not. Of parts where that may be, the one thread takes the steps themselves.

#ifndef WEFT_LOWERING_GPU_RECURRENCEPARTS_H
#define WEFT_LOWERING_GPU_RECURRENCEPARTS_H

#include "lowering/gpu/Device.h"
#include "lowering/gpu/RowWalk.h"

namespace weft {

class RecurrenceParts {
public:
  RecurrenceParts(const RowWalk &walk);

  /// Whether it is sooner done than a thread walks along each row.
  bool isFaster(const Gpu &gpu) const;
  mlir::Value build(mlir::OpBuilder &b) const;

private:
  struct Effects;
  struct Part;

  Effects buildEffects(mlir::OpBuilder &b) const;
  mlir::Value buildBefore(mlir::OpBuilder &b, const Effects &effects) const;
  mlir::Value buildValues(mlir::OpBuilder &b, mlir::Value before) const;
  mlir::Value buildStep(mlir::OpBuilder &b, mlir::ValueRange row, mlir::Value i,
                        mlir::Value before) const;
  mlir::RankedTensorType typeOfParts() const;

  const RowWalk &walk;
  mlir::Location loc;
  /// Elements of the first operand, and what running values are computed in.
  mlir::Type element, computed;
  /// How many parts a row has, and how many steps each but the last.
  int64_t parts, steps;
};

} // namespace weft

#endif // WEFT_LOWERING_GPU_RECURRENCEPARTS_H
