// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lowering/schedule/Schedule.h"
#include "mlir/Dialect/Transform/IR/TransformDialect.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Parser/Parser.h"

using namespace mlir;
using transform::TransformDialect;

bool weft::isSchedule(Operation *op) {
  auto module = dyn_cast<ModuleOp>(op);
  return module && module->getParentOp() && module.getSymName() == scheduleName;
}

ModuleOp weft::findSchedule(ModuleOp program) {
  for (auto module : program.getOps<ModuleOp>())
    if (isSchedule(module))
      return module;
  return {};
}

LogicalResult weft::addSchedule(ModuleOp program, StringRef text,
                                StringRef source) {
  MLIRContext *context = program.getContext();
  if (ModuleOp known = findSchedule(program))
    return known.emitError("the program has a schedule already");
  // Sequences alone are valid only in the module that is made of them.
  OwningOpRef<ModuleOp> parsed = parseSourceString<ModuleOp>(
      text, ParserConfig(context, /*verifyAfterParse=*/false), source);
  if (!parsed)
    return failure();
  Block *body = parsed->getBody();
  ModuleOp schedule = *parsed;
  if (llvm::hasSingleElement(*body) && isa<ModuleOp>(body->front()))
    schedule = cast<ModuleOp>(body->front());
  auto loc = FileLineColLoc::get(context, source, 1, 1);
  if (schedule.getBody()->empty())
    return emitError(loc, "the schedule has no sequence; it is MLIR text of "
                          "`transform.named_sequence @STAGE`");
  if (schedule == *parsed)
    schedule->setLoc(loc);
  schedule.setSymName(scheduleName);
  schedule->setAttr(TransformDialect::kWithNamedSequenceAttrName,
                    UnitAttr::get(context));
  if (failed(verify(schedule)))
    return failure();
  schedule == *parsed ? (void)parsed.release() : schedule->remove();
  program.push_back(schedule);
  return success();
}
