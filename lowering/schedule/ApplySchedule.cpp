// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft-apply-schedule: runs the sequence of a program's schedule that is named
// for a stage, and takes it out of the text; the schedule with its last one.

#include "lowering/Passes.h"
#include "lowering/schedule/Schedule.h"
#include "mlir/Dialect/Linalg/TransformOps/LinalgTransformOps.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Transform/IR/TransformDialect.h"
#include "mlir/Dialect/Transform/IR/TransformOps.h"
#include "mlir/Dialect/Transform/IR/TransformTypes.h"
#include "mlir/Dialect/Transform/Transforms/TransformInterpreterUtils.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"

namespace weft {
#define GEN_PASS_DEF_APPLYSCHEDULE
#include "lowering/Passes.h.inc"
} // namespace weft

using namespace mlir;
using transform::NamedSequenceOp;

namespace {

/// The first error of some that are reported while a schedule runs: what it
/// says, and of which line of the schedule, and of the program.
struct FirstError {
  FirstError(ModuleOp schedule, Location sequence) : place(sequence) {
    schedule.walk([&](Operation *op) { lines.insert(op->getLoc()); });
    schedule.walk([&](Block *block) {
      for (BlockArgument argument : block->getArguments())
        lines.insert(argument.getLoc());
    });
  }

  LogicalResult watch(llvm::function_ref<LogicalResult()> run) {
    ScopedDiagnosticHandler handler(
        place.getContext(), [&](Diagnostic &diagnostic) {
          if (diagnostic.getSeverity() != DiagnosticSeverity::Error)
            return failure(); // which is for others to handle
          if (text.empty())
            take(diagnostic);
          return success();
        });
    return run();
  }

  Location place;
  std::string text;

private:
  void take(Diagnostic &diagnostic) {
    // Some print all of a program after what they say.
    text = StringRef(diagnostic.str()).split('\n').first.str();
    SmallVector<Location> places{diagnostic.getLocation()};
    for (Diagnostic &note : diagnostic.getNotes())
      places.push_back(note.getLocation());
    auto *own = llvm::find_if(
        places, [&](Location loc) { return lines.contains(loc); });
    if (own != places.end())
      place = *own;
    for (Location loc : places)
      if (auto line = loc->findInstanceOf<FileLineColLoc>();
          line && !lines.contains(loc)) {
        text += llvm::formatv(" (on what {0}:{1} computes)",
                              line.getFilename().getValue(), line.getLine());
        return;
      }
  }

  llvm::SmallDenseSet<Location> lines;
};

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
    WalkResult wrong = schedule.walk([](transform::TileUsingForallOp op) {
      return failed(checkSizes(op)) ? WalkResult::interrupt()
                                    : WalkResult::advance();
    });
    return failure(wrong.wasInterrupted());
  }

  /// What upstream's op builds a loop of, which it cannot be.
  static LogicalResult checkSizes(transform::TileUsingForallOp op) {
    ArrayRef<int64_t> sizes = op.getStaticTileSizes(),
                      threads = op.getStaticNumThreads();
    auto isNone = [](int64_t count) { return count == 0; };
    auto isWrong = [](int64_t count) {
      return count < 0 && !ShapedType::isDynamic(count);
    };
    for (ArrayRef<int64_t> counts : {sizes, threads})
      if (!counts.empty() &&
          (llvm::all_of(counts, isNone) || llvm::any_of(counts, isWrong)))
        return op.emitError("it says no loop: of sizes and numbers of threads, "
                            "which are 0 for a loop that stays whole, one must "
                            "be positive and none negative");
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
    int64_t allocs = countAllocs(program);
    auto schedule = sequence->getParentOfType<ModuleOp>();
    FirstError error(schedule, sequence.getLoc());
    LogicalResult applied = error.watch([&] {
      // With the checks, what uses an op that is gone is an error.
      auto options = transform::TransformOptions().enableExpensiveChecks();
      return success(succeeded(transform::applyTransformNamedSequence(
                         program, sequence, schedule, options)) &&
                     succeeded(verify(program)));
    });
    if (failed(applied))
      return emitError(error.place)
             << "the schedule's sequence @" << sequence.getSymName()
             << " failed: " << error.text;
    // Whoever frees buffers has been.
    if (later.empty() && countAllocs(program) > allocs)
      return sequence.emitError("the sequence @")
             << sequence.getSymName() << " allocates buffers, which have their "
             << "places by now; have an earlier one do it";
    return success();
  }

  static int64_t countAllocs(ModuleOp program) {
    int64_t count = 0;
    program.walk([&](memref::AllocOp) { ++count; });
    return count;
  }

  /// What no later pass knows becomes what they do.
  void generalize() {
    IRRewriter rewriter(&getContext());
    auto rewrite = [&](auto each) {
      using Op = decltype(each);
      SmallVector<Op> ops;
      getOperation().walk([&](Op op) { ops.push_back(op); });
      for (Op op : ops) {
        rewriter.setInsertionPoint(op);
        if constexpr (std::is_same_v<Op, linalg::PackOp>)
          (void)linalg::lowerPack(rewriter, op);
        else if constexpr (std::is_same_v<Op, linalg::UnPackOp>)
          (void)linalg::lowerUnPack(rewriter, op);
        else if (!isa<linalg::GenericOp, linalg::FillOp>(op))
          (void)linalg::generalizeNamedOp(rewriter, op);
      }
    };
    rewrite(linalg::PackOp());
    rewrite(linalg::UnPackOp());
    rewrite(linalg::LinalgOp());
  }

  LogicalResult cleanUp() {
    generalize();
    // It may free what it allocates, whose place is yet to be settled.
    if (stage == "memref")
      getOperation().walk([](memref::DeallocOp dealloc) { dealloc.erase(); });
    OpPassManager passes(ModuleOp::getOperationName());
    OpPassManager &nested = passes.nest<func::FuncOp>();
    nested.addPass(createCanonicalizerPass());
    nested.addPass(createCSEPass());
    return runPipeline(passes, getOperation());
  }
};

} // namespace
