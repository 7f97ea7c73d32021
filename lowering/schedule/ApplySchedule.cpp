// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft-apply-schedule: runs the sequence of a program's schedule that is named
// for a stage, and takes it out of the text; the schedule with its last one.

#include "lowering/Passes.h"
#include "lowering/schedule/Schedule.h"
#include "mlir/Dialect/Transform/IR/TransformDialect.h"
#include "mlir/Dialect/Transform/IR/TransformOps.h"
#include "mlir/Dialect/Transform/IR/TransformTypes.h"
#include "mlir/Dialect/Transform/Transforms/TransformInterpreterUtils.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"
#include "llvm/ADT/StringExtras.h"

namespace weft {
#define GEN_PASS_DEF_APPLYSCHEDULE
#include "lowering/Passes.h.inc"
} // namespace weft

using namespace mlir;
using transform::NamedSequenceOp;

namespace {

class ApplySchedule final
    : public weft::impl::ApplyScheduleBase<ApplySchedule> {
public:
  using ApplyScheduleBase::ApplyScheduleBase;

private:
  void runOnOperation() override {
    ModuleOp program = getOperation();
    ModuleOp schedule = weft::findSchedule(program);
    if (!schedule)
      return markAllAnalysesPreserved();
    if (failed(check(schedule)))
      return signalPassFailure();
    // What a sequence is told to change is the program, and never itself.
    schedule->remove();
    OwningOpRef<ModuleOp> detached(schedule);
    auto sequence = schedule.lookupSymbol<NamedSequenceOp>(stage);
    if (sequence && (failed(apply(program, sequence)) || failed(cleanUp())))
      return signalPassFailure();
    if (sequence)
      sequence->erase();
    if (!later.empty())
      program.push_back(detached.release());
  }

  /// Sequences that others may call are private; each of the rest must be for a
  /// stage that is yet to come.
  LogicalResult check(ModuleOp schedule) {
    for (Operation &op : *schedule.getBody()) {
      auto sequence = dyn_cast<NamedSequenceOp>(op);
      if (!sequence)
        return op.emitError("a schedule consists of named sequences; this is '")
               << op.getName() << "'";
      if (sequence.isPrivate())
        continue;
      StringRef name = sequence.getSymName();
      if (name != stage && !llvm::is_contained(later, name))
        return sequence.emitError("the sequence @")
               << name << " would never run: of stages to come there are '"
               << stage << "'"
               << llvm::join(llvm::map_range(later,
                                             [](const std::string &other) {
                                               return ", '" + other + "'";
                                             }),
                             "")
               << "; name it for one of them, or make it private if others "
               << "call it";
      if (failed(checkSignature(sequence)))
        return failure();
    }
    return success();
  }

  static LogicalResult checkSignature(NamedSequenceOp sequence) {
    FunctionType type = sequence.getFunctionType();
    bool takesProgram =
        type.getNumInputs() == 1 &&
        isa<transform::TransformHandleTypeInterface>(type.getInput(0));
    if (sequence.isExternal() || !takesProgram || type.getNumResults() != 0)
      return sequence.emitError("the sequence @")
             << sequence.getSymName() << " must have a body, one argument of "
             << "type !transform.any_op, which is the program, and no results";
    return success();
  }

  LogicalResult apply(ModuleOp program, NamedSequenceOp sequence) {
    // With the checks, what uses an op that is gone is an error.
    if (failed(transform::applyTransformNamedSequence(
            program, sequence, sequence->getParentOfType<ModuleOp>(),
            transform::TransformOptions().enableExpensiveChecks())))
      return failure();
    if (succeeded(verify(program)))
      return success();
    return sequence.emitError("the sequence @")
           << sequence.getSymName() << " leaves a program that is not valid";
  }

  LogicalResult cleanUp() {
    OpPassManager passes(ModuleOp::getOperationName());
    OpPassManager &nested = passes.nest<func::FuncOp>();
    nested.addPass(createCanonicalizerPass());
    nested.addPass(createCSEPass());
    return runPipeline(passes, getOperation());
  }
};

} // namespace
