// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How the bodies of ops are spelled. The generated parsers would free those of
// a text with an error while ops elsewhere in it still name their values.

#ifndef WEFT_DIALECTS_BODIES_H
#define WEFT_DIALECTS_BODIES_H

#include "mlir/IR/OpImplementation.h"

namespace weft {

/// `{ ... }`
mlir::ParseResult parseBody(mlir::OpAsmParser &parser, mlir::Region &body);
void printBody(mlir::OpAsmPrinter &printer, mlir::Operation *op,
               mlir::Region &body);

/// `cond { ... } do { ... }`
mlir::ParseResult parseCondAndBody(mlir::OpAsmParser &parser,
                                   mlir::Region &cond, mlir::Region &body);
void printCondAndBody(mlir::OpAsmPrinter &printer, mlir::Operation *op,
                      mlir::Region &cond, mlir::Region &body);

/// `{ ... }, { ... }`, as many as there are.
mlir::ParseResult
parseBodies(mlir::OpAsmParser &parser,
            llvm::SmallVectorImpl<std::unique_ptr<mlir::Region>> &bodies);
void printBodies(mlir::OpAsmPrinter &printer, mlir::Operation *op,
                 mlir::RegionRange bodies);

} // namespace weft

#endif // WEFT_DIALECTS_BODIES_H
