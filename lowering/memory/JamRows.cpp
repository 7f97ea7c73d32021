// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft-jam-rows: rows along which each element needs the one before it, as of a
// running sum -> several rows side by side, whose steps need not wait for each
// other.

#include "lowering/OptimizationLevel.h"
#include "lowering/Passes.h"
#include "lowering/memory/LoopAccesses.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

namespace weft {
#define GEN_PASS_DEF_JAMROWS
#include "lowering/Passes.h.inc"
} // namespace weft

using namespace mlir;

namespace {

/// Rows that are enough for the processor to be busy, and not too many for its
/// registers, and the ops of a step, of which there are that many.
constexpr int64_t mostRows = 8, mostOps = 16;

/// Bytes from one element to the next that falls into the same ways of the
/// first cache, how much more is as good as none for a few rows, and the rows
/// that there is room for.
constexpr int64_t waysApart = 4096, nextWay = 32, mostInWays = 3;

/// Steps that LLVM writes out, and the bits of their elements.
constexpr int64_t mostStepsWritten = 7, mostBitsWritten = 384;

/// Blocks of rows that there should be for threads.
constexpr int64_t leastBlocks = 4;

class Rows {
public:
  static std::optional<Rows> match(scf::ForOp row) {
    auto around = dyn_cast<scf::ForOp>(row->getParentOp());
    std::optional<int64_t> count =
        around ? weft::stepsFromZero(around) : std::nullopt;
    if (!count || *count < 2 || around.getNumResults() != 0 ||
        row.getNumResults() == 0 ||
        llvm::range_size(row.getBody()->without_terminator()) > mostOps)
      return std::nullopt;
    auto isOutside = [&](Value x) {
      return !around->isAncestor(x.getParentBlock()->getParentOp());
    };
    weft::LoopAccesses accesses;
    for (Operation &op : around.getBody()->without_terminator())
      if (&op != row && !accesses.add(op))
        return std::nullopt;
    for (Operation &op : row.getBody()->without_terminator())
      if (!accesses.add(op))
        return std::nullopt;
    if (accesses.areAllReads() || !accesses.areApart(around) ||
        !llvm::all_of(row.getResultTypes(),
                      [](Type type) { return type.isIntOrIndexOrFloat(); }) ||
        !isOutside(row.getLowerBound()) || !isOutside(row.getUpperBound()) ||
        !isOutside(row.getStep()))
      return std::nullopt;
    // Where steps take long, neither vectors nor caches are what matters.
    bool isLight = llvm::none_of(*row.getBody(), [](Operation &op) {
      return isa<math::MathDialect>(op.getDialect());
    });
    if (isLight && isWrittenOut(row))
      return std::nullopt;
    int64_t together = 0, least = 0, most = std::min(*count, mostRows);
    if (isLight && areInWays(accesses.distanceOfSteps(around)))
      most = std::min(most, mostInWays);
    if (!around->getParentOfType<scf::ForOp>())
      most = std::min(most, std::max<int64_t>(2, *count / leastBlocks));
    for (int64_t each = most; each >= 2; --each) {
      int64_t all = llvm::alignTo(*count, each);
      // What is written where it is read is written once.
      if (all != *count && accesses.readsWritten())
        continue;
      if (together == 0 || all < least)
        together = each, least = all;
    }
    if (together == 0)
      return std::nullopt;
    return Rows{around, row, *count, together};
  }

  void jam() {
    OpBuilder b(around);
    Location loc = around.getLoc();
    int64_t blocks = llvm::divideCeil(count, together);
    auto number = [&](int64_t value) -> Value {
      return arith::ConstantIndexOp::create(b, loc, value);
    };
    Value zero = number(0), end = number(blocks), one = number(1),
          length = number(together), last = number(count - together);
    SmallVector<Value> offsets;
    for (int64_t each = 1; each < together; ++each)
      offsets.push_back(number(each));
    auto outer = scf::ForOp::create(b, loc, zero, end, one);
    outer->setDiscardableAttrs(around->getDiscardableAttrDictionary());
    b.setInsertionPointToStart(outer.getBody());
    Value first =
        arith::MulIOp::create(b, loc, outer.getInductionVar(), length);
    // The last rows are some of those before them again.
    if (blocks * together != count)
      first = arith::MinUIOp::create(b, loc, first, last);
    SmallVector<IRMapping> copies(together);
    for (auto [each, copy] : llvm::enumerate(copies))
      copy.map(around.getInductionVar(),
               each == 0
                   ? first
                   : arith::AddIOp::create(b, loc, first, offsets[each - 1]));
    auto behind = std::next(row->getIterator());
    repeat(b, around.getBody()->begin(), row->getIterator(), copies);
    buildRows(b, copies);
    repeat(b, behind, around.getBody()->getTerminator()->getIterator(), copies);
    around.erase();
  }

private:
  Rows(scf::ForOp around, scf::ForOp row, int64_t count, int64_t together)
      : around(around), row(row), count(count), together(together) {}

  /// Whether rows that are so far apart fall into the same ways of the first
  /// cache, or next to them.
  static bool areInWays(int64_t distance) {
    int64_t rest = std::abs(distance) % waysApart;
    return std::min(rest, waysApart - rest) < nextWay;
  }

  /// Whether LLVM writes out the steps of a row, of which several rows are
  /// vectors then.
  static bool isWrittenOut(scf::ForOp row) {
    auto steps = row.getStaticTripCount();
    Type type = row.getResultTypes().front();
    return steps && type.isIntOrFloat() && steps->sle(mostStepsWritten) &&
           steps->getSExtValue() * type.getIntOrFloatBitWidth() <=
               mostBitsWritten;
  }

  /// Each op as often as there are rows, so that those of a step are next to
  /// each other.
  static void repeat(OpBuilder &b, Block::iterator begin, Block::iterator end,
                     MutableArrayRef<IRMapping> copies) {
    for (Operation &op : llvm::make_range(begin, end))
      for (IRMapping &copy : copies)
        b.clone(op, copy);
  }

  void buildRows(OpBuilder &b, MutableArrayRef<IRMapping> copies) {
    SmallVector<Value> inits;
    for (IRMapping &copy : copies)
      for (Value init : row.getInitArgs())
        inits.push_back(copy.lookupOrDefault(init));
    auto all = scf::ForOp::create(b, row.getLoc(), row.getLowerBound(),
                                  row.getUpperBound(), row.getStep(), inits);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(all.getBody());
    Block &body = *row.getBody();
    unsigned carried = row.getNumResults();
    for (auto [each, copy] : llvm::enumerate(copies)) {
      copy.map(row.getInductionVar(), all.getInductionVar());
      copy.map(row.getRegionIterArgs(),
               all.getRegionIterArgs().slice(each * carried, carried));
    }
    repeat(b, body.begin(), body.getTerminator()->getIterator(), copies);
    SmallVector<Value> yielded;
    for (auto [each, copy] : llvm::enumerate(copies)) {
      for (Value value : body.getTerminator()->getOperands())
        yielded.push_back(copy.lookupOrDefault(value));
      copy.map(row.getResults(),
               all.getResults().slice(each * carried, carried));
    }
    scf::YieldOp::create(b, row.getLoc(), yielded);
  }

  scf::ForOp around, row;
  /// The rows that there are, and those that are done side by side.
  int64_t count, together;
};

class JamRows final : public weft::impl::JamRowsBase<JamRows> {
  void runOnOperation() override {
    if (!weft::isOptimized(getOperation()))
      return;
    SmallVector<scf::ForOp> loops;
    getOperation().walk([&](scf::ForOp loop) {
      if (loop.getNumResults() != 0)
        loops.push_back(loop);
    });
    for (scf::ForOp loop : loops)
      if (std::optional<Rows> rows = Rows::match(loop))
        rows->jam();
  }
};

} // namespace
