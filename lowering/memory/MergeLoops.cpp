// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft-merge-loops: two loops over dimensions that follow each other in every
// array are one, so that short rows are no obstacle to vectors.

#include "lowering/OptimizationLevel.h"
#include "lowering/Passes.h"
#include "lowering/memory/Buffers.h"
#include "lowering/memory/LoopAccesses.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

namespace weft {
#define GEN_PASS_DEF_MERGELOOPS
#include "lowering/Passes.h.inc"
} // namespace weft

using namespace mlir;
using linalg::GenericOp;

namespace {

/// The number of steps of a loop from 0 that carries nothing and that nobody
/// has said anything about, or nothing.
std::optional<int64_t> stepsOf(scf::ForOp loop) {
  if (loop->getNumResults() != 0 || !loop->getDiscardableAttrs().empty())
    return std::nullopt;
  return weft::stepsFromZero(loop);
}

SmallVector<ReassociationIndices> groupsOf(Value array, unsigned dim) {
  SmallVector<ReassociationIndices> groups;
  int64_t rank = cast<MemRefType>(array.getType()).getRank();
  for (int64_t i = 0; i < rank; ++i) {
    if (i != dim + 1)
      groups.emplace_back();
    groups.back().push_back(i);
  }
  return groups;
}

/// Whether loops of so many steps go along all of a dimension and the next.
bool isOneRow(Value array, unsigned dim, int64_t rows, int64_t steps) {
  auto type = cast<MemRefType>(array.getType());
  return type.getDimSize(dim) == rows && type.getDimSize(dim + 1) == steps &&
         memref::CollapseShapeOp::isGuaranteedCollapsible(type,
                                                          groupsOf(array, dim));
}

/// A loop and the one that is all of its body.
class Loops {
public:
  static std::optional<Loops> match(scf::ForOp outer) {
    Block &body = *outer.getBody();
    auto inner = dyn_cast<scf::ForOp>(body.front());
    if (!inner || body.getOperations().size() != 2)
      return std::nullopt;
    auto rows = stepsOf(outer), steps = stepsOf(inner);
    if (!rows || !steps)
      return std::nullopt;
    Loops loops{outer, inner, *rows, *steps};
    if (!loops.findAccesses(outer.getInductionVar()) ||
        !loops.findAccesses(inner.getInductionVar()))
      return std::nullopt;
    return loops;
  }

  /// Puts nothing before the loop, which may be all of another loop's body. The
  /// views are within it: what is outlined has one name for an array.
  void merge(RewriterBase &rewriter) {
    Location loc = inner.getLoc();
    rewriter.setInsertionPointToStart(
        &outer->getParentOfType<func::FuncOp>().getBody().front());
    Value end = arith::ConstantIndexOp::create(rewriter, loc, rows * steps);
    rewriter.setInsertionPoint(outer);
    auto merged = scf::ForOp::create(rewriter, loc, outer.getLowerBound(), end,
                                     outer.getStep());
    for (const auto &access : accesses) {
      Operation *op = access.first;
      unsigned dim = access.second;
      auto isLoad = isa<memref::LoadOp>(op);
      OpOperand &array = op->getOpOperand(isLoad ? 0 : 1);
      unsigned index = array.getOperandNumber() + 1 + dim;
      if (isOutside(array.get()))
        rewriter.setInsertionPointToStart(inner.getBody());
      else
        rewriter.setInsertionPointAfterValue(array.get());
      Value collapsed = memref::CollapseShapeOp::create(
          rewriter, loc, array.get(), groupsOf(array.get(), dim));
      rewriter.modifyOpInPlace(op, [&] {
        array.set(collapsed);
        op->setOperand(index, merged.getInductionVar());
        op->eraseOperand(index + 1);
      });
    }
    rewriter.eraseOp(inner.getBody()->getTerminator());
    rewriter.inlineBlockBefore(inner.getBody(),
                               merged.getBody()->getTerminator(),
                               merged.getInductionVar());
    rewriter.eraseOp(outer);
  }

private:
  Loops(scf::ForOp outer, scf::ForOp inner, int64_t rows, int64_t steps)
      : outer(outer), inner(inner), rows(rows), steps(steps) {}

  bool isOutside(Value array) {
    return !outer->isAncestor(array.getParentBlock()->getParentOp());
  }

  /// Whether inner loops have been merged before.
  bool isMerged(Value array) {
    auto view = array.getDefiningOp<memref::CollapseShapeOp>();
    return view && (isOutside(view.getSrc()) || isMerged(view.getSrc()));
  }

  /// Finds the loads and stores that a loop's index is for, and whether there
  /// is nothing else.
  bool findAccesses(Value index) {
    return llvm::all_of(index.getUses(), [&](OpOperand &use) {
      Operation *op = use.getOwner();
      if (isa<memref::LoadOp>(op))
        return addAccess(op, cast<memref::LoadOp>(op).getMemRef(),
                         cast<memref::LoadOp>(op).getIndices());
      auto store = dyn_cast<memref::StoreOp>(op);
      return store && use.getOperandNumber() > 0 &&
             addAccess(op, store.getMemRef(), store.getIndices());
    });
  }

  /// Whether the loops walk along all of a dimension and the one before it.
  bool addAccess(Operation *op, Value array, OperandRange indices) {
    Value row = outer.getInductionVar(), step = inner.getInductionVar();
    unsigned dim = llvm::find(indices, row) - indices.begin();
    if (dim + 1 >= indices.size() || indices[dim + 1] != step ||
        llvm::count(indices, row) != 1 || llvm::count(indices, step) != 1 ||
        !(isOutside(array) || isMerged(array)) ||
        !isOneRow(array, dim, rows, steps))
      return false;
    accesses.insert({op, dim});
    return true;
  }

  scf::ForOp outer, inner;
  int64_t rows, steps;
  /// What is loaded and stored at the loops' place, and along which dimensions.
  llvm::SetVector<std::pair<Operation *, unsigned>> accesses;
};

/// Two loops of an elementwise op that reads elsewhere, as a gather does, along
/// rows of two whole dimensions.
class OpLoops {
public:
  /// Of the loops `dim` and `dim + 1`.
  static std::optional<OpLoops> match(GenericOp op, unsigned dim) {
    SmallVector<int64_t> extents = op.getStaticLoopRanges();
    OpLoops loops(op, dim, extents[dim], extents[dim + 1]);
    return loops.mergesOperands() && loops.findReads() ? std::optional(loops)
                                                       : std::nullopt;
  }

  GenericOp merge(RewriterBase &rewriter) {
    rewriter.setInsertionPoint(op);
    for (const auto &read : reads) {
      auto load = cast<memref::LoadOp>(read.first);
      unsigned place = read.second;
      Value rows = collapse(rewriter, load.getMemRef(), place);
      rewriter.modifyOpInPlace(load, [&] {
        load.getMemrefMutable().assign(rows);
        load->eraseOperand(1 + place + 1);
      });
    }
    SmallVector<Value> operands;
    SmallVector<AffineMap> maps;
    for (auto [operand, map] :
         llvm::zip_equal(op->getOperands(), op.getIndexingMapsArray())) {
      std::optional<unsigned> place =
          map.getResultPosition(rewriter.getAffineDimExpr(dim));
      operands.push_back(place ? collapse(rewriter, operand, *place) : operand);
      maps.push_back(mergedMap(map));
    }
    SmallVector<utils::IteratorType> kinds = op.getIteratorTypesArray();
    kinds.erase(kinds.begin() + dim);
    ValueRange all(operands);
    auto merged = GenericOp::create(
        rewriter, op.getLoc(), all.take_front(op.getNumDpsInputs()),
        all.drop_front(op.getNumDpsInputs()), maps, kinds);
    for (auto index : llvm::to_vector(op.getBody()->getOps<linalg::IndexOp>()))
      if (index.getDim() == dim + 1)
        rewriter.eraseOp(index);
      else if (index.getDim() > dim)
        rewriter.modifyOpInPlace(index,
                                 [&] { index.setDim(index.getDim() - 1); });
    rewriter.inlineRegionBefore(op.getRegion(), merged.getRegion(),
                                merged.getRegion().begin());
    rewriter.eraseOp(op);
    return merged;
  }

private:
  OpLoops(GenericOp op, unsigned dim, int64_t rows, int64_t steps)
      : op(op), dim(dim), rows(rows), steps(steps) {}

  static Value collapse(RewriterBase &rewriter, Value array, unsigned place) {
    return memref::CollapseShapeOp::create(rewriter, array.getLoc(), array,
                                           groupsOf(array, place));
  }

  /// Whether all operands are walked along by both loops, or by neither.
  bool mergesOperands() {
    return llvm::all_of(
        llvm::zip_equal(op->getOperands(), op.getIndexingMapsArray()),
        [&](auto each) {
          auto [operand, map] = each;
          if (!map.isFunctionOfDim(dim) && !map.isFunctionOfDim(dim + 1))
            return true;
          std::optional<unsigned> place =
              map.getResultPosition(getAffineDimExpr(dim, op.getContext()));
          return map.isProjectedPermutation() && place &&
                 *place + 1 < map.getNumResults() &&
                 map.getDimPosition(*place + 1) == dim + 1 &&
                 isOneRow(operand, *place, rows, steps);
        });
  }

  /// Finds the loads that the loops' indices are for, and whether there is
  /// nothing else.
  bool findReads() {
    auto isAlong = [&](Value index, unsigned loop) {
      auto op = index.getDefiningOp<linalg::IndexOp>();
      return op && op.getDim() == loop;
    };
    for (auto index : op.getBody()->getOps<linalg::IndexOp>()) {
      if (index.getDim() != dim && index.getDim() != dim + 1)
        continue;
      for (Operation *user : index->getUsers()) {
        auto read = dyn_cast<memref::LoadOp>(user);
        if (!read)
          return false;
        OperandRange indices = read.getIndices();
        auto isRow = [&](Value i) { return isAlong(i, dim); };
        auto isStep = [&](Value i) { return isAlong(i, dim + 1); };
        unsigned place = llvm::find_if(indices, isRow) - indices.begin();
        if (llvm::count_if(indices, isRow) != 1 ||
            llvm::count_if(indices, isStep) != 1 ||
            place + 1 >= indices.size() || !isStep(indices[place + 1]) ||
            !isOneRow(read.getMemRef(), place, rows, steps) ||
            op->isAncestor(read.getMemRef().getParentBlock()->getParentOp()) ||
            isWritten(read.getMemRef()))
          return false;
        reads.insert({user, place});
      }
    }
    return !reads.empty();
  }

  /// Whether the op writes an array: its kernel must have one name for it.
  bool isWritten(Value array) {
    return llvm::any_of(op.getDpsInits(), [&](Value init) {
      return weft::ownBufferOf(init) == weft::ownBufferOf(array);
    });
  }

  /// Dimension `dim + 1` is left out, and those after it follow.
  AffineMap mergedMap(AffineMap map) const {
    SmallVector<AffineExpr> exprs;
    for (AffineExpr expr : map.getResults()) {
      SmallVector<AffineExpr> dims;
      for (unsigned i = 0; i < map.getNumDims(); ++i)
        dims.push_back(getAffineDimExpr(i > dim ? i - 1 : i, map.getContext()));
      if (expr != getAffineDimExpr(dim + 1, map.getContext()))
        exprs.push_back(expr.replaceDims(dims));
    }
    return AffineMap::get(map.getNumDims() - 1, 0, exprs, map.getContext());
  }

  GenericOp op;
  unsigned dim;
  int64_t rows, steps;
  /// What is loaded at the loops' place, and along which dimensions.
  llvm::SetVector<std::pair<Operation *, unsigned>> reads;
};

/// Whether an op may be one over rows of several dimensions.
bool mayMerge(GenericOp op) {
  return op.hasPureBufferSemantics() && op.getNumReductionLoops() == 0 &&
         !op.hasDynamicShape() && op.hasIndexSemantics() &&
         op->getDiscardableAttrs().empty();
}

class MergeLoops final : public weft::impl::MergeLoopsBase<MergeLoops> {
  void runOnOperation() override {
    if (!weft::isOptimized(getOperation()))
      return;
    IRRewriter rewriter(&getContext());
    // Inner loops come first: what they become may be one with those around it.
    getOperation().walk([&](scf::ForOp outer) {
      if (std::optional<Loops> loops = Loops::match(outer))
        loops->merge(rewriter);
    });
    SmallVector<GenericOp> ops;
    getOperation().walk([&](GenericOp op) { ops.push_back(op); });
    for (GenericOp op : ops)
      for (int64_t dim = int64_t(op.getNumLoops()) - 2;
           dim >= 0 && mayMerge(op); --dim)
        if (std::optional<OpLoops> loops = OpLoops::match(op, dim))
          op = loops->merge(rewriter);
  }
};

} // namespace
