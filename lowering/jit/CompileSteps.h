// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What each step of a compilation takes, for those who ask.

#ifndef WEFT_LOWERING_JIT_COMPILESTEPS_H
#define WEFT_LOWERING_JIT_COMPILESTEPS_H

#include "mlir/Pass/PassInstrumentation.h"
#include "llvm/ADT/DenseMap.h"
#include <chrono>
#include <string>
#include <vector>

namespace weft {

/// A pass of MLIR's or a part of LLVM's work.
struct CompileStep {
  std::string name;
  double milliseconds = 0;
  /// How much there was to work on, and is afterwards: ops, or instructions.
  int64_t before = 0, after = 0;
};

using CompileSteps = std::vector<CompileStep>;

class Stopwatch {
public:
  double milliseconds() const {
    std::chrono::duration<double, std::milli> passed = Clock::now() - start;
    return passed.count();
  }

private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point start = Clock::now();
};

/// Adds a step for each pass of a pipeline. A pass that runs on each function
/// is one step; so is one with all that it runs in turn.
class PassRecorder final : public mlir::PassInstrumentation {
public:
  explicit PassRecorder(CompileSteps &steps) : steps(steps) {}

private:
  void runBeforePass(mlir::Pass *pass, mlir::Operation *op) override;
  void runAfterPass(mlir::Pass *pass, mlir::Operation *op) override;
  void runAfterPassFailed(mlir::Pass *pass, mlir::Operation *op) override;

  CompileSteps &steps;
  llvm::DenseMap<mlir::Pass *, size_t> numbers;
  Stopwatch watch;
  unsigned depth = 0;
};

} // namespace weft

#endif // WEFT_LOWERING_JIT_COMPILESTEPS_H
