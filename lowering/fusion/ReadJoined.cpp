// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft-read-joined: what reads an array that is put together of others reads
// the one in which each element lies.

#include "dialects/Scalar.h"
#include "lowering/OptimizationLevel.h"
#include "lowering/Passes.h"
#include "lowering/fusion/Boxes.h"
#include "lowering/fusion/ComputeInLoops.h"
#include "lowering/fusion/FusionPlan.h"
#include "lowering/fusion/PartReads.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Complex/IR/Complex.h"
#include "mlir/IR/IRMapping.h"

namespace weft {
#define GEN_PASS_DEF_READJOINED
#include "lowering/Passes.h.inc"
} // namespace weft

using namespace mlir;
using linalg::GenericOp;
using tensor::ExtractOp;
using tensor::ExtractSliceOp;
using tensor::InsertSliceOp;
using weft::insertsOf;
using weft::isBox;
using weft::isPart;

namespace {

/// The arrays of which one array is put together. More of them take longer to
/// tell apart than to copy.
constexpr int64_t maxParts = 4;
/// The elements that are read for one of an op's.
constexpr int64_t maxReads = 16;

/// Whether an array may have elements that nothing has put there.
bool hasGaps(Value array) {
  while (auto insert = array.getDefiningOp<InsertSliceOp>())
    array = insert.getDest();
  return array.getDefiningOp<tensor::EmptyOp>() != nullptr;
}

/// Whether the elements that follow each other along a loop do so in an array,
/// too, or are one.
bool readsInOrder(AffineMap map, AffineExpr loop) {
  return map.getNumResults() == 0 ||
         llvm::none_of(map.getResults().drop_back(), [&](AffineExpr expr) {
           return expr.isFunctionOfDim(cast<AffineDimExpr>(loop).getPosition());
         });
}

/// An array that is put together, and how its elements are read.
class Join {
public:
  explicit Join(InsertSliceOp last) : array(last), whole(last.getResult()) {
    Value base;
    areFew = insertsOf(last.getResult(), base).size() <=
             (weft::splatOf(base) ? 2 : 1);
    areReaders = findReaders(last);
    areComputed = areFew && uses.size() == 1 && readsOnce(*uses.front());
  }

  /// Whether all that use the array can read its parts instead.
  bool canBeRead() {
    if (!areReaders || uses.empty())
      return false;
    llvm::SmallDenseMap<Operation *, int64_t> reads;
    for (OpOperand *use : uses)
      if ((reads[use->getOwner()] += count(use->get())) > maxReads)
        return false;
    return true;
  }

  /// Whether to compute the array by one op, not to fill it and copy parts into
  /// it. A part that an op writes to its place is no copy.
  bool shouldBeComputed() {
    areComputed = areFew;
    Value base;
    SmallVector<InsertSliceOp> inserts = insertsOf(whole, base);
    return weft::splatOf(base) && count(whole) <= maxReads &&
           llvm::none_of(inserts, [&](InsertSliceOp insert) {
             Value part = insert.getSource();
             Operation *op = part.getDefiningOp();
             return op && part.hasOneUse() && !isComputed(part) &&
                    !op->hasTrait<OpTrait::ConstantLike>() &&
                    !isa<InsertSliceOp, ExtractSliceOp>(op);
           });
  }

  void read(RewriterBase &rewriter) {
    llvm::SetVector<Operation *> ops;
    for (OpOperand *use : uses)
      ops.insert(use->getOwner());
    for (Operation *op : ops)
      readInBody(cast<GenericOp>(op), rewriter);
  }

  void compute(RewriterBase &rewriter) {
    Location loc = array.getLoc();
    auto type = array.getType();
    rewriter.setInsertionPointAfter(array);
    Value empty = tensor::EmptyOp::create(rewriter, loc, type.getShape(),
                                          type.getElementType());
    SmallVector<utils::IteratorType> loops(type.getRank(),
                                           utils::IteratorType::parallel);
    AffineMap map = rewriter.getMultiDimIdentityMap(type.getRank());
    ExtractOp read;
    auto op = GenericOp::create(
        rewriter, loc, TypeRange(type), ValueRange(), empty, map, loops,
        [&](OpBuilder &b, Location at, ValueRange) {
          SmallVector<Value> indices;
          for (int64_t dim = 0; dim < type.getRank(); ++dim)
            indices.push_back(linalg::IndexOp::create(b, at, dim));
          read = ExtractOp::create(b, at, whole, indices);
          linalg::YieldOp::create(b, at, read.getResult());
        });
    rewriter.replaceAllUsesExcept(whole, op->getResult(0), read);
    resolve(read, rewriter);
  }

private:
  /// Finds what uses an array, and whether elementwise ops alone do.
  bool findReaders(Operation *op) {
    return llvm::all_of(op->getUses(), [&](OpOperand &use) {
      Operation *user = use.getOwner();
      if (user->getBlock() != array->getBlock())
        return false;
      if (auto extract = dyn_cast<ExtractSliceOp>(user))
        return isBox(extract) && findReaders(extract);
      auto generic = dyn_cast<GenericOp>(user);
      if (!generic || !weft::isFreeElementwise(generic) ||
          generic.isDpsInit(&use) ||
          !readsInOrder(generic.getMatchingIndexingMap(&use),
                        lastLoop(generic)))
        return false;
      uses.push_back(&use);
      return true;
    });
  }

  /// The loop along which the elements of a result follow each other.
  static AffineExpr lastLoop(GenericOp op) {
    AffineMap map = op.getMatchingIndexingMap(op.getDpsInitOperand(0));
    return map.getNumResults() == 0 ? getAffineDimExpr(0, op.getContext())
                                    : map.getResults().back();
  }

  /// Whether an op reads each element of an operand once at most.
  static bool readsOnce(OpOperand &use) {
    auto op = cast<GenericOp>(use.getOwner());
    return op.getMatchingIndexingMap(&use).isPermutation();
  }

  /// Whether an array is put into one other alone, but for the reads that are
  /// built here.
  bool isUsedOnce(Value value) const {
    SmallVector<Operation *> users;
    for (Operation *user : value.getUsers())
      if (!built.contains(user))
        users.push_back(user);
    if (users.size() != 1)
      return false;
    auto extract = dyn_cast<ExtractSliceOp>(users.front());
    return !extract || isUsedOnce(extract.getResult());
  }

  /// Whether each element of an array is needed for one of this one.
  bool isReadOnce(Value value) const {
    while (value != whole) {
      if (!isUsedOnce(value))
        return false;
      Operation *user = *llvm::find_if(
          value.getUsers(), [&](Operation *op) { return !built.contains(op); });
      if (!isa<InsertSliceOp, ExtractSliceOp, GenericOp>(user))
        return false;
      value = user->getResult(0);
    }
    return true;
  }

  /// Whether an op is not too much to be done for each element of this array,
  /// also where it has others.
  bool isCheap(GenericOp op) const {
    constexpr size_t fewSteps = 32;
    Block &body = *op.getBody();
    bool isShort = body.getOperations().size() <= fewSteps &&
                   llvm::none_of(body, [](Operation &inner) {
                     return inner.getNumRegions() > 0;
                   });
    return isShort ||
           2 * cast<ShapedType>(op.getResult(0).getType()).getNumElements() >=
               cast<ShapedType>(whole.getType()).getNumElements();
  }

  /// Whether an op divides rows by their sum or the like: it is done with what
  /// computes that.
  static bool isOfRows(GenericOp op) {
    return llvm::any_of(op.getDpsInputs(), [](Value input) {
      auto sum = input.getDefiningOp<linalg::LinalgOp>();
      return sum && sum.getNumReductionLoops() > 0;
    });
  }

  /// Whether an array is not there: its elements are computed where they are
  /// read.
  bool isComputed(Value value) const {
    auto op = value.getDefiningOp<GenericOp>();
    if (!op || op->getBlock() != Value(whole).getParentBlock() ||
        !isUsedOnce(value) || !weft::canMove(op) || isOfRows(op))
      return false;
    bool isChosen = weft::costsARead(op) ||
                    (areComputed && isCheap(op) && isReadOnce(value));
    return isChosen &&
           llvm::all_of(op.getDpsInputOperands(), [&](OpOperand *input) {
             return readsInOrder(op.getMatchingIndexingMap(input),
                                 lastLoop(op));
           });
  }

  /// Whether an array is needed for this one alone, whatever parts of it are
  /// put there.
  bool isOwn(Value value) const {
    auto [known, isNew] = own.try_emplace(value, value == whole);
    if (!isNew || known->second)
      return known->second;
    bool is = llvm::all_of(value.getUsers(), [&](Operation *user) {
      return built.contains(user) ||
             (isa<InsertSliceOp, ExtractSliceOp>(user) &&
              isOwn(user->getResult(0)));
    });
    return own[value] = is;
  }

  /// Whether an array is put together of others for one use, or is this one or
  /// for this one.
  bool isJoined(Value value) const {
    auto insert = value.getDefiningOp<InsertSliceOp>();
    return insert && isPart(insert) && (isUsedOnce(value) || isOwn(value));
  }

  /// How many elements are read or computed to have one of an array, or more
  /// than there may be.
  int64_t count(Value value) const {
    if (weft::splatOf(value) || value.getDefiningOp<tensor::EmptyOp>())
      return 0;
    if (auto extract = value.getDefiningOp<ExtractSliceOp>();
        extract && isBox(extract))
      return count(extract.getSource());
    if (isComputed(value))
      return countAll(value.getDefiningOp<GenericOp>().getDpsInputs(), 1);
    if (!isJoined(value))
      return 1;
    Value base;
    SmallVector<InsertSliceOp> inserts = insertsOf(value, base);
    if (inserts.size() > maxParts ||
        (base.getDefiningOp<InsertSliceOp>() && hasGaps(base)))
      return maxReads + 1;
    SmallVector<Value> parts{base};
    for (InsertSliceOp insert : inserts)
      parts.push_back(insert.getSource());
    // Of arrays within arrays there may be many that read nothing.
    return countAll(parts, value == whole ? 0 : 1);
  }

  int64_t countAll(ValueRange values, int64_t reads) const {
    for (Value value : values)
      if (reads <= maxReads)
        reads += count(value);
    return reads;
  }

  /// Replaces the operands of an op that are such arrays by reads in its body.
  void readInBody(GenericOp op, RewriterBase &rewriter) {
    rewriter.setInsertionPoint(op);
    SmallVector<Value> inputs;
    SmallVector<AffineMap> maps;
    SmallVector<OpOperand *> kept, read;
    for (OpOperand *input : op.getDpsInputOperands())
      (llvm::is_contained(uses, input) ? read : kept).push_back(input);
    for (OpOperand *input : kept) {
      inputs.push_back(input->get());
      maps.push_back(op.getMatchingIndexingMap(input));
    }
    for (OpOperand &init : op.getDpsInitsMutable())
      maps.push_back(op.getMatchingIndexingMap(&init));
    SmallVector<ExtractOp> reads;
    auto built = GenericOp::create(
        rewriter, op.getLoc(), op->getResultTypes(), inputs, op.getOutputs(),
        maps, op.getIteratorTypesArray(),
        [&](OpBuilder &b, Location, ValueRange args) {
          IRMapping mapping;
          for (auto [input, arg] : llvm::zip(kept, args))
            mapping.map(op.getMatchingBlockArgument(input), arg);
          for (OpOperand *input : read) {
            reads.push_back(weft::readAt(b, op, *input));
            mapping.map(op.getMatchingBlockArgument(input),
                        reads.back().getResult());
          }
          for (Operation &inner : *op.getBody())
            b.clone(inner, mapping);
        });
    rewriter.replaceOp(op, built);
    for (ExtractOp each : reads)
      resolve(each, rewriter);
  }

  /// Reads what an array is made of instead, for as long as it is.
  void resolve(ExtractOp first, RewriterBase &rewriter) {
    SmallVector<ExtractOp> reads{first};
    while (!reads.empty()) {
      built.insert_range(reads);
      ExtractOp read = reads.pop_back_val();
      Value value = read.getTensor();
      rewriter.setInsertionPoint(read);
      OpFoldResult splat = weft::splatOf(value);
      auto extract = value.getDefiningOp<ExtractSliceOp>();
      bool isPartRead = extract && isBox(extract), isOp = isComputed(value);
      if (!splat && !isPartRead && !isOp && !isJoined(value))
        continue;
      built.erase(read);
      if (splat)
        rewriter.replaceOp(read, scalarOf(read, splat, rewriter));
      else if (isPartRead)
        reads.push_back(weft::readWhole(read, rewriter));
      else if (isOp)
        weft::computeElement(read, rewriter, reads);
      else
        weft::readParts(read, rewriter, reads);
    }
  }

  static Value scalarOf(ExtractOp read, OpFoldResult splat, OpBuilder &b) {
    if (auto value = dyn_cast<Value>(splat))
      return value;
    return weft::scalar::buildConstant(b, read.getLoc(), read.getType(),
                                       cast<Attribute>(splat));
  }

  InsertSliceOp array;
  Value whole;
  /// The operands of elementwise ops that are the array or parts of it.
  SmallVector<OpOperand *> uses;
  bool areReaders;
  /// Whether it is made of one array that is there, and of others' splats.
  bool areFew;
  /// Whether what ops compute as parts is computed where it is read, in more
  /// than the one step that a read costs: each element is read once.
  bool areComputed;
  /// Reads of what is not resolved yet, and of arrays that are there.
  llvm::SmallPtrSet<Operation *, 8> built;
  /// What `isOwn` has found.
  mutable llvm::SmallDenseMap<Value, bool> own;
};

class ReadJoined final : public weft::impl::ReadJoinedBase<ReadJoined> {
  void runOnOperation() override {
    if (!weft::isOptimized(getOperation()))
      return;
    SmallVector<InsertSliceOp> inserts;
    getOperation().walk([&](InsertSliceOp op) {
      if (isPart(op))
        inserts.push_back(op);
    });
    IRRewriter rewriter(&getContext());
    // What is read last comes first: what it is made of may be such, too.
    for (InsertSliceOp insert : llvm::reverse(inserts)) {
      if (!insert->use_empty() && !isPutOver(insert)) {
        Join join(insert);
        if (join.canBeRead())
          join.read(rewriter);
        else if (join.shouldBeComputed())
          join.compute(rewriter);
      }
      if (isOpTriviallyDead(insert))
        rewriter.eraseOp(insert);
    }
  }

  /// Whether an array is only there for more to be put into it.
  static bool isPutOver(InsertSliceOp insert) {
    return insert->hasOneUse() && isa<InsertSliceOp>(*insert->user_begin()) &&
           cast<InsertSliceOp>(*insert->user_begin()).getDest() ==
               insert.getResult();
  }
};

} // namespace
