// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dialects/Bodies.h"

using namespace mlir;

/// Ends a parse that failed: nothing names a value of the bodies any more.
static ParseResult abandon(Region &body) {
  for (Block &block : body)
    block.dropAllDefinedValueUses();
  return failure();
}

ParseResult weft::parseBody(OpAsmParser &parser, Region &body) {
  if (parser.parseRegion(body))
    return abandon(body);
  return success();
}

void weft::printBody(OpAsmPrinter &printer, Operation *, Region &body) {
  printer.printRegion(body);
}

ParseResult weft::parseCondAndBody(OpAsmParser &parser, Region &cond,
                                   Region &body) {
  if (parser.parseKeyword("cond") || parseBody(parser, cond))
    return failure();
  if (parser.parseKeyword("do") || parseBody(parser, body))
    return abandon(cond);
  return success();
}

void weft::printCondAndBody(OpAsmPrinter &printer, Operation *op, Region &cond,
                            Region &body) {
  printer << "cond ";
  printBody(printer, op, cond);
  printer << " do ";
  printBody(printer, op, body);
}

ParseResult
weft::parseBodies(OpAsmParser &parser,
                  SmallVectorImpl<std::unique_ptr<Region>> &bodies) {
  auto region = std::make_unique<Region>();
  OptionalParseResult first = parser.parseOptionalRegion(*region);
  if (!first.has_value())
    return success();
  ParseResult result = *first;
  while (true) {
    bodies.push_back(std::move(region));
    if (result) {
      for (std::unique_ptr<Region> &body : bodies)
        (void)abandon(*body);
      return failure();
    }
    if (failed(parser.parseOptionalComma()))
      return success();
    region = std::make_unique<Region>();
    result = parser.parseRegion(*region);
  }
}

void weft::printBodies(OpAsmPrinter &printer, Operation *, RegionRange bodies) {
  llvm::interleaveComma(bodies, printer,
                        [&](Region *body) { printer.printRegion(*body); });
}
