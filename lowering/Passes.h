// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The lowering passes, and what a tool must register to run them.

#ifndef WEFT_LOWERING_PASSES_H
#define WEFT_LOWERING_PASSES_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

namespace weft {

#define GEN_PASS_DECL
#include "lowering/Passes.h.inc"

/// Where a lowered function keeps the size of its arena.
inline constexpr llvm::StringLiteral arenaBytesAttr = "weft.arena_bytes";
/// Marks a function that is over in about a microsecond.
inline constexpr llvm::StringLiteral shortAttr = "weft.short";
/// Marks an argument whose buffer results may be computed in.
inline constexpr llvm::StringLiteral donatedAttr = "weft.donated";
/// For each result of a function, the argument that it is left in, or -1.
inline constexpr llvm::StringLiteral reusesAttr = "weft.reuses";
/// How many steps a loop is to take at a time.
inline constexpr llvm::StringLiteral unrollAttr = "weft.unroll";
/// Marks an op that changes each element of a sum as soon as it is computed.
inline constexpr llvm::StringLiteral epilogueAttr = "weft.epilogue";
/// On a multiplication of floats: what its factors may be rounded to ("tf32").
inline constexpr llvm::StringLiteral precisionAttr = "weft.precision";
/// Marks a loop over the rows of several ops.
inline constexpr llvm::StringLiteral rowsAttr = "weft.rows";
/// Marks a loop whose steps may run at once.
inline constexpr llvm::StringLiteral parallelAttr = "weft.parallel";
/// How many steps a kernel's loop has that its last two arguments are bounds
/// of.
inline constexpr llvm::StringLiteral tasksAttr = "weft.tasks";
/// The symbol of runtime::runInParallel.
inline constexpr llvm::StringLiteral runInParallelName =
    "_weft_run_in_parallel";
/// The symbol of what a loop calls to look for signals.
inline constexpr llvm::StringLiteral pollName = "_weft_poll";
/// What the name of a function ends with that an entry point calls. A function
/// `sin` or `memcpy` would be called in the place of the C library's.
inline constexpr llvm::StringLiteral bodySuffix = ".body";
/// The prefix of the C entry point of a function.
inline constexpr llvm::StringLiteral entryPrefix = "weft_entry_";
/// The prefix of the symbols of a library's kernels.
inline constexpr llvm::StringLiteral kernelPrefix = "weft_";

/// Registers the lowering passes and one pipeline for each stage.
void registerLoweringPasses();

/// Registers the upstream dialects that the stages use, with the interfaces and
/// translations that their passes need.
void registerLoweringDialects(mlir::DialectRegistry &registry);
/// Lets weft.library_call be bufferized.
void registerLibraryCallBufferization(mlir::DialectRegistry &registry);

} // namespace weft

#endif // WEFT_LOWERING_PASSES_H
