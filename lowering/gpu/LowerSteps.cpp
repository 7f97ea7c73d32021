// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft-lower-steps: kernels of linalg ops -> kernels whose threads share the
// elements of each op, with barriers between ops of which one needs what
// another does.

#include "lowering/Passes.h"
#include "lowering/fusion/RowGroup.h"
#include "lowering/gpu/Device.h"
#include "lowering/gpu/RowRegisters.h"
#include "lowering/gpu/Slots.h"
#include "lowering/gpu/Step.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Complex/IR/Complex.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

namespace weft {
#define GEN_PASS_DEF_LOWERSTEPS
#include "lowering/Passes.h.inc"
} // namespace weft

using namespace mlir;
using linalg::LinalgOp;
using weft::Slicing;
using weft::Team;

namespace {

constexpr int64_t mostThreads = 256;

/// Whether a loop only loads, computes and stores: one thread can do it.
bool onlyComputes(Operation *loop) {
  return !loop->walk([](Operation *inner) {
                bool isPlain =
                    isMemoryEffectFree(inner) ||
                    isa<memref::LoadOp, memref::StoreOp, scf::ForOp, scf::IfOp,
                        scf::YieldOp, scf::WhileOp, scf::ConditionOp>(inner);
                return isPlain ? WalkResult::advance()
                               : WalkResult::interrupt();
              })
              .wasInterrupted();
}

/// Whether a loop says which of some buffers is used: all threads are to know.
bool yieldsBuffers(scf::ForOp loop) {
  return llvm::any_of(loop.getResults(), [](Value result) {
    return isa<MemRefType>(result.getType()) && !result.use_empty();
  });
}

/// Barriers that stand between what one thread does to memory and what another
/// finds there.
class Order {
public:
  /// Before an op that touches memory.
  void before(OpBuilder &b, Location loc, bool reads, bool writes) {
    if ((reads && hasWritten) || (writes && (hasRead || hasWritten)))
      meet(b, loc);
    hasRead |= reads;
    hasWritten |= writes;
  }

  /// Where control goes elsewhere: what is there begins afresh.
  void end(OpBuilder &b, Location loc) {
    if (hasRead || hasWritten)
      meet(b, loc);
  }

private:
  void meet(OpBuilder &b, Location loc) {
    gpu::BarrierOp::create(b, loc);
    hasRead = hasWritten = false;
  }

  bool hasRead = false, hasWritten = false;
};

/// The ops of a block that its threads follow together.
class BlockLowering {
public:
  /// Of a kernel's blocks each does this alone.
  BlockLowering(const Team &kernelTeam, weft::SharedMemory &shared)
      : team(kernelTeam), shared(shared) {
    team.blocks = 1;
  }

  void lower(Block &block) {
    for (Operation &op : llvm::make_early_inc_range(block)) {
      if (isMemoryEffectFree(&op) && op.getNumRegions() == 0)
        continue;
      OpBuilder b(&op);
      if (auto linalgOp = dyn_cast<LinalgOp>(op))
        lowerStep(linalgOp);
      else if (isa<memref::AllocaOp>(op))
        placeInSharedMemory(cast<memref::AllocaOp>(op));
      else if (isa<memref::LoadOp>(op))
        order.before(b, op.getLoc(), /*reads=*/true, /*writes=*/false);
      else if (isa<memref::StoreOp>(op))
        storeOnce(cast<memref::StoreOp>(op));
      else if (auto loop = dyn_cast<scf::ForOp>(op);
               loop && onlyComputes(loop) && !yieldsBuffers(loop))
        loop->hasAttr(weft::parallelAttr) && loop->getNumResults() == 0
            ? shareLoop(loop)
            : leaveToOne(loop);
      else if (op.getNumRegions() > 0)
        follow(op);
    }
  }

private:
  void lowerStep(LinalgOp op) {
    OpBuilder b(op);
    bool reads = llvm::any_of(op.getDpsInputs(), [](Value input) {
      return isa<MemRefType>(input.getType());
    });
    order.before(b, op.getLoc(), reads || op.getNumReductionLoops() > 0,
                 /*writes=*/true);
    if (op.getNumReductionLoops() == 0)
      return weft::lowerElementwise(op, team);
    weft::lowerReduction(op, /*fill=*/{}, team,
                         Slicing::choose(op, team.threads, /*blocks=*/1),
                         shared);
  }

  /// Rows that only this block sees.
  void placeInSharedMemory(memref::AllocaOp op) {
    OpBuilder b(op);
    Value own = shared.keep(b, op.getLoc(), op.getType());
    Value generic =
        memref::MemorySpaceCastOp::create(b, op.getLoc(), op.getType(), own);
    op.replaceAllUsesWith(generic);
    op.erase();
  }

  Value isFirstThread(OpBuilder &b, Location loc) {
    return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, team.thread,
                                 arith::ConstantIndexOp::create(b, loc, 0));
  }

  void storeOnce(memref::StoreOp op) {
    OpBuilder b(op);
    order.before(b, op.getLoc(), /*reads=*/false, /*writes=*/true);
    auto branch =
        scf::IfOp::create(b, op.getLoc(), isFirstThread(b, op.getLoc()), false);
    op->moveBefore(branch.thenBlock()->getTerminator());
  }

  /// Each thread does some of the steps.
  void shareLoop(scf::ForOp op) {
    OpBuilder b(op);
    Location loc = op.getLoc();
    order.before(b, loc, /*reads=*/true, /*writes=*/true);
    auto constant = [&](int64_t value) {
      return arith::ConstantIndexOp::create(b, loc, value);
    };
    Value begin = arith::MulIOp::create(b, loc, team.thread, op.getStep());
    op.getLowerBoundMutable().assign(
        arith::AddIOp::create(b, loc, op.getLowerBound(), begin));
    op.getStepMutable().assign(
        arith::MulIOp::create(b, loc, op.getStep(), constant(team.threads)));
  }

  /// The first thread does it, and leaves the results in shared memory.
  void leaveToOne(scf::ForOp op) {
    OpBuilder b(op);
    Location loc = op.getLoc();
    order.before(b, loc, /*reads=*/true, /*writes=*/true);
    auto branch =
        scf::IfOp::create(b, loc, isFirstThread(b, loc), /*withElse=*/false);
    op->moveBefore(branch.thenBlock()->getTerminator());
    SmallVector<Value> results, places;
    for (Value result : op->getResults())
      if (!result.use_empty())
        results.push_back(result);
    if (results.empty())
      return;
    b.setInsertionPoint(branch);
    for (Value result : results)
      places.push_back(shared.keep(
          b, loc, MemRefType::get({}, weft::typeInMemory(result.getType()))));
    b.setInsertionPointAfter(branch);
    gpu::BarrierOp::create(b, loc);
    order = Order();
    for (auto [result, place] : llvm::zip_equal(results, places)) {
      b.setInsertionPointAfter(branch->getNextNode());
      Value all = weft::loadNumber(b, loc, result.getType(), place);
      result.replaceAllUsesWith(all);
      b.setInsertionPointAfter(op);
      weft::storeNumber(b, loc, result, place);
    }
    order.before(b, loc, /*reads=*/true, /*writes=*/false);
  }

  /// A loop or a branch that all threads take together.
  void follow(Operation &op) {
    OpBuilder b(&op);
    order.end(b, op.getLoc());
    for (Region &region : op.getRegions())
      for (Block &block : region) {
        lower(block);
        b.setInsertionPoint(block.getTerminator());
        order.end(b, op.getLoc());
      }
  }

  Team team;
  weft::SharedMemory &shared;
  Order order;
};

class LowerSteps final : public weft::impl::LowerStepsBase<LowerSteps> {
  void runOnOperation() override {
    SmallVector<gpu::GPUFuncOp> kernels;
    getOperation().walk([&](gpu::GPUFuncOp kernel) {
      // One that has its size has been lowered.
      if (kernel->hasAttr(weft::classAttr) && !kernel.getKnownGridSizeAttr())
        kernels.push_back(kernel);
    });
    for (gpu::GPUFuncOp kernel : kernels)
      if (failed(verify(kernel)))
        return signalPassFailure();
    for (gpu::GPUFuncOp kernel : kernels)
      lower(kernel);
  }

  /// The op, or the loop, that a kernel is made of.
  template <typename Op> static Op only(gpu::GPUFuncOp kernel) {
    auto ops = kernel.front().getOps<Op>();
    return ops.empty() ? Op() : *ops.begin();
  }

  /// The op that a kernel is made of, and the fill of what that reduces into.
  static std::pair<linalg::FillOp, LinalgOp> opsOf(gpu::GPUFuncOp kernel) {
    auto ops = llvm::to_vector(kernel.front().getOps<LinalgOp>());
    if (ops.size() == 1)
      return {{}, ops[0]};
    auto fill =
        ops.size() == 2 ? dyn_cast<linalg::FillOp>(*ops[0]) : linalg::FillOp();
    if (!fill || ops[1].getNumReductionLoops() == 0 ||
        ops[1].getNumDpsInits() != 1 ||
        !weft::isSameBuffer(fill.getOutputs()[0], ops[1].getDpsInits()[0]))
      return {};
    return {fill, ops[1]};
  }

  /// Whether a kernel is what its class says: it may be written by hand.
  static LogicalResult verify(gpu::GPUFuncOp kernel) {
    auto kind = kernel->getAttrOfType<StringAttr>(weft::classAttr);
    if (!kind || kernel.isExternal())
      return kernel.emitError("a kernel has a body, and a text for its '")
             << weft::classAttr << "'";
    auto hasLength = [](scf::ForOp loop) {
      return loop && loop.getStaticTripCount().has_value();
    };
    if (kind == "rows" || kind == "loop") {
      if (!hasLength(only<scf::ForOp>(kernel)))
        return kernel.emitError("a kernel of class ")
               << kind << " is a loop of known length";
    } else if (kind != "block" && !opsOf(kernel).second) {
      return kernel.emitError("a kernel of class ")
             << kind
             << " is one linalg op, or a reduction after a fill of its result";
    }
    WalkResult walk = kernel.walk([](LinalgOp op) {
      return failed(weft::verifyKnownShape(op)) ? WalkResult::interrupt()
                                                : WalkResult::advance();
    });
    return failure(walk.wasInterrupted());
  }

  static void lower(gpu::GPUFuncOp kernel) {
    StringRef kind =
        kernel->getAttrOfType<StringAttr>(weft::classAttr).getValue();
    weft::SharedMemory shared(kernel);
    auto [fill, op] = opsOf(kernel);
    if (kind == "rows")
      lowerRows(kernel, shared);
    else if (kind == "loop")
      lowerLoop(kernel);
    else if (kind != "block" && op.getNumReductionLoops() == 0)
      lowerGrid(kernel, op);
    else if (kind != "block")
      lowerReductionGrid(kernel, op, fill, shared);
    else
      lowerBlock(kernel, shared);
    shared.close();
  }

  /// The threads of a kernel of one dimension.
  static Team makeTeam(gpu::GPUFuncOp kernel, int64_t threads, int64_t blocks) {
    OpBuilder b = OpBuilder::atBlockBegin(&kernel.front());
    Location loc = kernel.getLoc();
    blocks = std::max<int64_t>(blocks, 1);
    Team team;
    team.thread = gpu::ThreadIdOp::create(b, loc, gpu::Dimension::x);
    team.block = gpu::BlockIdOp::create(b, loc, gpu::Dimension::x);
    team.threads = threads;
    team.blocks = blocks;
    weft::stateSize(kernel, blocks, threads);
    return team;
  }

  static int64_t threadsFor(int64_t work) {
    return std::clamp<int64_t>(llvm::alignTo(work, 32), 32, mostThreads);
  }

  static void lowerGrid(gpu::GPUFuncOp kernel, LinalgOp op) {
    int64_t groups = weft::numGroups(op);
    int64_t blocks = llvm::divideCeil(groups, mostThreads);
    weft::lowerElementwise(op, makeTeam(kernel, mostThreads, blocks));
  }

  static void lowerReductionGrid(gpu::GPUFuncOp kernel, LinalgOp op,
                                 linalg::FillOp fill,
                                 weft::SharedMemory &shared) {
    weft::Gpu gpu = weft::Gpu::of(kernel);
    Slicing slicing = Slicing::choose(op, mostThreads, gpu.multiprocessors * 4);
    int64_t blocks = llvm::divideCeil(slicing.numColumns, slicing.columns);
    Team team = makeTeam(kernel, slicing.threads(), blocks);
    weft::lowerReduction(op, fill, team, slicing, shared);
  }

  /// In registers where the row fits; else one block for each row.
  static void lowerRows(gpu::GPUFuncOp kernel, weft::SharedMemory &shared) {
    if (weft::lowerRowsInRegisters(kernel, shared))
      return;
    auto loop = only<scf::ForOp>(kernel);
    int64_t steps = 1;
    loop.walk([&](LinalgOp op) {
      steps = std::max(steps, llvm::product_of(op.getStaticLoopRanges()));
    });
    int64_t rows = loop.getStaticTripCount()->getSExtValue();
    Team team = makeTeam(kernel, threadsFor(llvm::divideCeil(steps, 4)), rows);
    OpBuilder b(loop);
    Location loc = loop.getLoc();
    Value row = arith::MulIOp::create(b, loc, team.block, loop.getStep());
    row = arith::AddIOp::create(b, loc, row, loop.getLowerBound());
    loop.getInductionVar().replaceAllUsesWith(row);
    loop.getBody()->getTerminator()->erase();
    kernel.front().getOperations().splice(loop->getIterator(),
                                          loop.getBody()->getOperations());
    loop.erase();
    BlockLowering(team, shared).lower(kernel.front());
  }

  /// One thread for each step.
  static void lowerLoop(gpu::GPUFuncOp kernel) {
    auto loop = only<scf::ForOp>(kernel);
    int64_t steps = loop.getStaticTripCount()->getSExtValue();
    int64_t threads = threadsFor(steps);
    int64_t blocks = llvm::divideCeil(steps, threads);
    Team team = makeTeam(kernel, threads, blocks);
    OpBuilder b(loop);
    Location loc = loop.getLoc();
    Value all = arith::ConstantIndexOp::create(b, loc, threads * blocks);
    Value first = arith::ConstantIndexOp::create(b, loc, threads);
    first = arith::MulIOp::create(b, loc, team.block, first);
    first = arith::AddIOp::create(b, loc, first, team.thread);
    first = arith::MulIOp::create(b, loc, first, loop.getStep());
    loop.getLowerBoundMutable().assign(
        arith::AddIOp::create(b, loc, loop.getLowerBound(), first));
    loop.getStepMutable().assign(
        arith::MulIOp::create(b, loc, loop.getStep(), all));
  }

  static void lowerBlock(gpu::GPUFuncOp kernel, weft::SharedMemory &shared) {
    int64_t most = 1;
    kernel.walk([&](LinalgOp op) {
      most = std::max(most, llvm::product_of(op.getStaticLoopRanges()));
    });
    kernel.walk([&](scf::ForOp op) {
      if (op->hasAttr(weft::parallelAttr))
        if (auto steps = op.getStaticTripCount())
          most = std::max(most, steps->getSExtValue());
    });
    Team team = makeTeam(kernel, threadsFor(most), /*blocks=*/1);
    BlockLowering(team, shared).lower(kernel.front());
  }
};

} // namespace
