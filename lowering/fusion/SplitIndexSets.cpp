// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft-split-index-sets: what reads arrays that are put together of others, as
// rolled and padded ones are, is computed part by part, each from the others.

#include "lowering/OptimizationLevel.h"
#include "lowering/Passes.h"
#include "lowering/fusion/Boxes.h"
#include "lowering/fusion/FusionPlan.h"
#include "lowering/gpu/Device.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/SetVector.h"

namespace weft {
#define GEN_PASS_DEF_SPLITINDEXSETS
#include "lowering/Passes.h.inc"
} // namespace weft

using namespace mlir;
using linalg::GenericOp;
using tensor::ExtractSliceOp;
using tensor::InsertSliceOp;
using weft::Box;

namespace {

/// Elements of a result below which a copy of an operand costs less than the
/// call of a kernel.
constexpr int64_t minElements = 1 << 11;
/// A stencil of three dimensions, whose first and last places along each are
/// apart.
constexpr unsigned maxParts = 27;
/// Ops in the bodies of all parts of an op, for the sake of the time to
/// compile.
constexpr size_t maxOps = 1 << 11;

/// Whether an op computes elements of results from those of operands alone,
/// each once, and is free to be changed.
bool maySplit(GenericOp op) {
  return weft::isFreeElementwise(op) &&
         llvm::product_of(op.getStaticLoopRanges()) >= minElements &&
         llvm::all_of(
             op.getIndexingMapsArray(),
             [](AffineMap map) { return map.isProjectedPermutation(); }) &&
         llvm::none_of(op.getBody()->getOperations(), [](Operation &inner) {
           return isa<linalg::IndexOp>(inner);
         });
}

/// Arrays that are put together of others, and parts of such, none of which is
/// needed if the ops that read them are split.
class Joins {
public:
  Joins(ArrayRef<Operation *> found, const llvm::SetVector<Operation *> &ops)
      : joins(llvm::from_range, found) {
    bool changes = true;
    while (changes) {
      changes = false;
      for (Operation *op : found)
        if (joins.contains(op) && !isJoin(op, ops))
          changes = joins.erase(op);
    }
  }

  bool contains(Value value) const {
    return joins.contains(value.getDefiningOp());
  }

  bool areReadBy(Operation *op) const {
    return llvm::any_of(op->getOperands(),
                        [&](Value value) { return contains(value); });
  }

  /// The elements copied to make an array, other than by ops of `seen`.
  int64_t copied(Value value, DenseSet<Operation *> &seen) const {
    Operation *op = value.getDefiningOp();
    if (!contains(value) || !seen.insert(op).second)
      return 0;
    if (auto extract = dyn_cast<ExtractSliceOp>(op))
      return copied(extract.getSource(), seen);
    auto insert = cast<InsertSliceOp>(op);
    Value source = insert.getSource();
    int64_t before = copied(insert.getDest(), seen) + copied(source, seen);
    // What an op computes for this place only is computed there.
    bool isThere = !contains(source) && source.hasOneUse() &&
                   isa_and_nonnull<linalg::LinalgOp>(source.getDefiningOp());
    return before + (isThere ? 0 : insert.getSourceType().getNumElements());
  }

  /// The first dimension of an array along which a box of it is to be cut, to
  /// lie in one of the arrays that it is put together of, and where.
  std::optional<std::pair<unsigned, int64_t>> seam(Value value,
                                                   const Box &box) const {
    if (!contains(value))
      return std::nullopt;
    if (auto extract = value.getDefiningOp<ExtractSliceOp>()) {
      ArrayRef<int64_t> place = extract.getStaticOffsets();
      auto found = seam(extract.getSource(), box.shiftedBy(place));
      if (found)
        found->second -= place[found->first];
      return found;
    }
    auto insert = value.getDefiningOp<InsertSliceOp>();
    ArrayRef<int64_t> place = insert.getStaticOffsets();
    std::optional<Box> common = box.overlap(*weft::boxOf(insert));
    if (!common)
      return seam(insert.getDest(), box);
    if (*common == box) {
      auto found = seam(insert.getSource(), box.from(place));
      if (found)
        found->second += place[found->first];
      return found;
    }
    for (unsigned dim = 0;; ++dim) {
      if (common->offsets[dim] != box.offsets[dim])
        return std::pair(dim, common->offsets[dim]);
      if (common->end(dim) != box.end(dim))
        return std::pair(dim, common->end(dim));
    }
  }

  /// A part of an array, from what it is put together of.
  Value partOf(OpBuilder &b, Location loc, Value value, const Box &box) const {
    auto extract = value.getDefiningOp<ExtractSliceOp>();
    if (extract && weft::boxOf(extract))
      return partOf(b, loc, extract.getSource(),
                    box.shiftedBy(extract.getStaticOffsets()));
    if (!contains(value)) {
      auto type = cast<RankedTensorType>(value.getType());
      if (isa_and_nonnull<tensor::EmptyOp, linalg::FillOp>(
              value.getDefiningOp()))
        return buildNew(b, loc, value, box.sizes);
      return box == Box::whole(type.getShape())
                 ? value
                 : weft::extractBox(b, loc, value, box);
    }
    auto insert = value.getDefiningOp<InsertSliceOp>();
    std::optional<Box> common = box.overlap(*weft::boxOf(insert));
    if (!common)
      return partOf(b, loc, insert.getDest(), box);
    Value part = partOf(b, loc, insert.getSource(),
                        common->from(insert.getStaticOffsets()));
    if (*common == box)
      return part;
    Value rest = partOf(b, loc, insert.getDest(), box);
    return weft::insertBox(b, loc, part, rest, common->from(box.offsets));
  }

private:
  static Value buildNew(OpBuilder &b, Location loc, Value value,
                        ArrayRef<int64_t> sizes) {
    Value empty = tensor::EmptyOp::create(
        b, loc, sizes, getElementTypeOrSelf(value.getType()));
    auto fill = value.getDefiningOp<linalg::FillOp>();
    return fill ? linalg::FillOp::create(b, loc, fill.getInputs(), empty)
                      .getResult(0)
                : empty;
  }

  /// Whether an op is such an array, and read by such and by ops to be split.
  bool isJoin(Operation *op, const llvm::SetVector<Operation *> &ops) const {
    if (auto extract = dyn_cast<ExtractSliceOp>(op)) {
      if (!contains(extract.getSource()))
        return false;
    } else {
      Value into = cast<InsertSliceOp>(op).getDest();
      if (!contains(into) && !into.getDefiningOp<tensor::EmptyOp>() &&
          !into.getDefiningOp<linalg::FillOp>())
        return false;
    }
    return llvm::all_of(op->getUsers(), [&](Operation *user) {
      return user->getBlock() == op->getBlock() &&
             (joins.contains(user) || ops.contains(user));
    });
  }

  DenseSet<Operation *> joins;
};

/// The parts that an op's loops are cut into, where the arrays change of which
/// its operands are put together.
class Parts {
public:
  Parts(GenericOp op, const Joins &joins) : op(op), joins(joins) {
    areFew = cut(Box::whole(op.getStaticLoopRanges()));
  }

  bool areWorthwhile() {
    if (!areFew || boxes.size() < 2 ||
        boxes.size() * op.getBody()->getOperations().size() > maxOps)
      return false;
    // Parts of one size are one kernel, others as many launches.
    if (weft::isForGpu(op) && !llvm::all_of(boxes, [&](const Box &box) {
          return box.sizes == boxes.front().sizes;
        }))
      return false;
    int64_t copied = 0;
    DenseSet<Operation *> seen;
    for (Value input : op.getDpsInputs())
      copied += joins.copied(input, seen);
    return 2 * copied >=
           cast<ShapedType>(op->getResult(0).getType()).getNumElements();
  }

  void build() {
    OpBuilder b(op);
    SmallVector<Value> results(op.getDpsInits());
    for (const Box &box : boxes)
      buildPart(b, box, results);
    op->replaceAllUsesWith(results);
  }

private:
  /// Whether few enough parts are left of a box.
  bool cut(const Box &box) {
    for (OpOperand *input : op.getDpsInputOperands()) {
      AffineMap map = op.getMatchingIndexingMap(input);
      auto found = joins.seam(input->get(), box.along(map));
      if (!found)
        continue;
      auto [dim, place] = *found;
      unsigned loop = map.getDimPosition(dim);
      Box first = box, second = box;
      first.sizes[loop] = place - box.offsets[loop];
      second.offsets[loop] = place;
      second.sizes[loop] = box.end(loop) - place;
      return cut(first) && cut(second);
    }
    boxes.push_back(box);
    return boxes.size() <= maxParts;
  }

  void buildPart(OpBuilder &b, const Box &box, SmallVector<Value> &results) {
    Location loc = op.getLoc();
    SmallVector<Value> operands;
    for (OpOperand *input : op.getDpsInputOperands()) {
      AffineMap map = op.getMatchingIndexingMap(input);
      operands.push_back(
          isa<RankedTensorType>(input->get().getType())
              ? joins.partOf(b, loc, input->get(), box.along(map))
              : input->get());
    }
    SmallVector<Box> places;
    SmallVector<Value> inits;
    for (auto [init, result] :
         llvm::zip_equal(op.getDpsInitsMutable(), results)) {
      places.push_back(box.along(op.getMatchingIndexingMap(&init)));
      inits.push_back(tensor::EmptyOp::create(
          b, loc, places.back().sizes, getElementTypeOrSelf(result.getType())));
    }
    llvm::append_range(operands, inits);
    GenericOp part = mlir::clone(b, op, TypeRange(inits), operands);
    for (auto [i, result] : llvm::enumerate(results))
      result = weft::insertBox(b, loc, part->getResult(i), result, places[i]);
  }

  GenericOp op;
  const Joins &joins;
  SmallVector<Box> boxes;
  bool areFew;
};

class SplitIndexSets final
    : public weft::impl::SplitIndexSetsBase<SplitIndexSets> {
  void runOnOperation() override {
    if (!weft::isOptimized(getOperation()))
      return;
    llvm::SetVector<Operation *> ops;
    SmallVector<Operation *> slices;
    getOperation().walk([&](Operation *op) {
      if (auto generic = dyn_cast<GenericOp>(op); generic && maySplit(generic))
        ops.insert(op);
      else if (auto insert = dyn_cast<InsertSliceOp>(op);
               insert && weft::boxOf(insert))
        slices.push_back(op);
      else if (auto extract = dyn_cast<ExtractSliceOp>(op);
               extract && weft::boxOf(extract))
        slices.push_back(op);
    });
    // An array that an op reads which is not split is put together anyway, for
    // others too.
    while (true) {
      Joins joins(slices, ops);
      bool areAll = true;
      SmallVector<Parts> split;
      for (Operation *op : ops.getArrayRef().vec()) {
        if (!joins.areReadBy(op))
          continue;
        Parts parts(cast<GenericOp>(op), joins);
        if (parts.areWorthwhile())
          split.push_back(std::move(parts));
        else
          areAll = !ops.remove(op);
      }
      if (!areAll)
        continue;
      for (Parts &parts : split)
        parts.build();
      return;
    }
  }
};

} // namespace
