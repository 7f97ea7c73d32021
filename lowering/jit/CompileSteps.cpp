// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Takes the time of passes, and counts the ops that they are given and leave.

#include "lowering/jit/CompileSteps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

using namespace mlir;

/// The ops in `op`, itself among them unless it is the module.
static int64_t countOps(Operation *op) {
  int64_t count = isa<ModuleOp>(op) ? -1 : 0;
  op->walk([&](Operation *) { ++count; });
  return count;
}

/// What runs the passes of a nested pipeline is itself a pass, without a name.
static bool isAdaptor(Pass *pass) { return pass->getArgument().empty(); }

void weft::PassRecorder::runBeforePass(Pass *pass, Operation *op) {
  if (isAdaptor(pass) || depth++ > 0)
    return;
  auto [entry, isNew] = numbers.try_emplace(pass, steps.size());
  if (isNew)
    steps.push_back({pass->getArgument().str()});
  steps[entry->second].before += countOps(op);
  watch = Stopwatch();
}

void weft::PassRecorder::runAfterPass(Pass *pass, Operation *op) {
  if (isAdaptor(pass) || --depth > 0)
    return;
  CompileStep &step = steps[numbers.lookup(pass)];
  step.milliseconds += watch.milliseconds();
  step.after += countOps(op);
}

void weft::PassRecorder::runAfterPassFailed(Pass *pass, Operation *op) {
  runAfterPass(pass, op);
}
