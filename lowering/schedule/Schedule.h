// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A program's schedule: a module within its own, of sequences in the transform
// dialect that are named for the stages at whose end they change it.

#ifndef WEFT_LOWERING_SCHEDULE_SCHEDULE_H
#define WEFT_LOWERING_SCHEDULE_SCHEDULE_H

#include "mlir/IR/BuiltinOps.h"

namespace weft {

/// The name of the module that is a schedule.
inline constexpr llvm::StringLiteral scheduleName = "schedule";
/// Marks an op that no pass but a schedule is to change before it is lowered.
inline constexpr llvm::StringLiteral keepAttr = "weft.keep";

/// What the op of `weft` is called that an op is made of. Only programs with a
/// schedule have it.
inline constexpr llvm::StringLiteral originAttr = "weft.op";

/// The schedule of a program, if it has one.
mlir::ModuleOp findSchedule(mlir::ModuleOp program);

/// Whether it is the module of sequences rather than of a program.
bool isSchedule(mlir::Operation *op);

/// Adds to a program a schedule that text spells, of named sequences or of the
/// module around them; `source` is what errors call the text.
mlir::LogicalResult addSchedule(mlir::ModuleOp program, llvm::StringRef text,
                                llvm::StringRef source);

} // namespace weft

#endif // WEFT_LOWERING_SCHEDULE_SCHEDULE_H
