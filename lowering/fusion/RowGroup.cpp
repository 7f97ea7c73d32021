// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lowering/fusion/RowGroup.h"
#include "lowering/Passes.h"
#include "lowering/fusion/ContractionPlan.h"
#include "lowering/memory/Buffers.h"
#include "lowering/schedule/Schedule.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include <numeric>

using namespace mlir;
using linalg::LinalgOp;
using weft::Access;
using weft::Nest;
using weft::RowGroup;
using Member = RowGroup::Member;

linalg::GenericOp weft::sumAfter(LinalgOp op) {
  if (!isa<linalg::FillOp>(op))
    return {};
  Operation *next = op->getNextNode();
  while (next && isMemoryEffectFree(next))
    next = next->getNextNode();
  if (!isSumOfProducts(next))
    return {};
  auto sum = cast<linalg::GenericOp>(next);
  return isSameBuffer(sum.getDpsInits()[0], op.getDpsInits()[0])
             ? sum
             : linalg::GenericOp();
}

linalg::FillOp weft::moveFillTo(linalg::GenericOp sum) {
  Value sums = sum.getDpsInits()[0];
  for (Operation *op = sum->getPrevNode(); op; op = op->getPrevNode()) {
    auto fill = dyn_cast<linalg::FillOp>(op);
    if (fill && isSameBuffer(fill.getOutputs()[0], sums)) {
      fill->moveBefore(sum);
      return fill;
    }
    bool isOther = isa<LinalgOp, memref::CopyOp, memref::LoadOp,
                       memref::StoreOp, scf::ForOp, scf::IfOp>(op) &&
                   !touches(op, baseOf(sums));
    if (!isOther && !isMemoryEffectFree(op) &&
        !isa<memref::AllocOp, memref::AllocaOp>(op))
      return {};
  }
  return {};
}

unsigned Member::numLeading() const {
  unsigned count = 0;
  while (count < nest.depth() && nest.isParallel(count))
    ++count;
  return count;
}

//===----------------------------------------------------------------------===//
// Membership
//===----------------------------------------------------------------------===//

/// Whether an access stays in a part of the buffer that is its row's alone.
static bool isRow(const Nest &nest, const Access &access, unsigned count) {
  if (!access.panels.empty() || access.offset < 0)
    return false;
  int64_t reach = access.offset;
  for (unsigned loop = count; loop < nest.depth(); ++loop) {
    if (access.strides[loop] < 0)
      return false;
    reach += access.strides[loop] * (nest.extents[loop] - 1);
  }
  for (unsigned loop = count; loop-- > 0;) {
    if (nest.extents[loop] == 1)
      continue;
    if (access.strides[loop] <= reach)
      return false;
    reach += access.strides[loop] * (nest.extents[loop] - 1);
  }
  return true;
}

/// Whether each place of an access depends on the row or on the other loops.
static bool isSeparable(AffineMap map, unsigned count) {
  return llvm::all_of(map.getResults(), [&](AffineExpr expr) {
    bool inRow = false, ofRow = false;
    for (unsigned loop = 0; loop < map.getNumDims(); ++loop)
      if (expr.isFunctionOfDim(loop))
        (loop < count ? ofRow : inRow) = true;
    return !inRow || !ofRow;
  });
}

using Use = std::pair<const Member *, unsigned>;

static Value operandOf(Use use) {
  auto [member, number] = use;
  return LinalgOp(member->op)->getOperand(number);
}

/// Whether two uses of one buffer never are of the same element: as of parts
/// that lie in turn, so many apart.
static bool areApart(Use one, Use other) {
  Value a = operandOf(one), b = operandOf(other);
  auto offsetIsKnown = [](Value buffer) {
    auto [strides, offset] =
        cast<MemRefType>(buffer.getType()).getStridesAndOffset();
    return !ShapedType::isDynamic(offset);
  };
  if (weft::ownBufferOf(a) != weft::ownBufferOf(b) || !offsetIsKnown(a) ||
      !offsetIsKnown(b))
    return false;
  int64_t step = 0, between = 0;
  for (auto [use, sign] : {std::pair(one, 1), std::pair(other, -1)}) {
    const Nest &nest = use.first->nest;
    const Access &access = nest.accesses[use.second];
    if (!access.panels.empty())
      return false;
    between += sign * access.offset;
    for (auto [stride, extent] : llvm::zip_equal(access.strides, nest.extents))
      if (extent > 1)
        step = std::gcd(step, stride);
  }
  return step != 0 && between % step != 0;
}

/// Whether all uses of a buffer are of the same rows of it, or of elements that
/// others do not use.
static bool isWalkedAlike(ArrayRef<Use> uses, unsigned count) {
  return llvm::all_of(uses, [&](Use use) {
    auto [member, number] = use;
    const Nest &nest = member->nest;
    const Access &access = nest.accesses[number];
    auto isAlike = [&](Use other) {
      if (operandOf(other) != operandOf(use))
        return areApart(use, other);
      const Access &expected = other.first->nest.accesses[other.second];
      for (unsigned loop = 0; loop < count; ++loop)
        if (nest.extents[loop] > 1 &&
            access.strides[loop] != expected.strides[loop])
          return false;
      return true;
    };
    return isRow(nest, access, count) && llvm::all_of(uses, isAlike);
  });
}

bool RowGroup::add(LinalgOp op, unsigned least, unsigned most) {
  std::optional<Nest> nest =
      op.hasPureBufferSemantics() ? Nest::of(op) : std::nullopt;
  if (!nest || op->hasAttr(weft::keepAttr))
    return false;
  ops.push_back({op, std::move(*nest)});
  most = std::min(most, ops.back().numLeading());
  if (ops.size() > 1)
    most = std::min(most, sharedLoops());
  for (unsigned count = most; count >= least; --count)
    if (keepsToRows(count)) {
      loops = count;
      return true;
    }
  ops.pop_back();
  return false;
}

bool RowGroup::widen() {
  while (--loops > 0)
    if (keepsToRows(loops))
      return true;
  return false;
}

/// How many of the leading loops are alike in the last member and in all.
unsigned RowGroup::sharedLoops() const {
  const Member &last = ops.back();
  unsigned count = std::min(loops, last.numLeading());
  for (unsigned loop = 0; loop < count; ++loop)
    if (ops.front().nest.extents[loop] != last.nest.extents[loop])
      return loop;
  return count;
}

/// Whether all members can run row by row, the rows being told apart by the
/// first `count` loops.
bool RowGroup::keepsToRows(unsigned count) const {
  DenseMap<Value, SmallVector<Use>> uses;
  llvm::SmallDenseSet<Value> written;
  for (const Member &member : ops) {
    LinalgOp op = member.op;
    for (AffineMap map : op.getIndexingMapsArray())
      if (!isSeparable(map, count))
        return false;
    for (OpOperand &operand : op->getOpOperands()) {
      if (!isa<MemRefType>(operand.get().getType()))
        continue;
      Value base = baseOf(operand.get());
      uses[base].push_back({&member, operand.getOperandNumber()});
      if (op.isDpsInit(&operand))
        written.insert(base);
    }
  }
  return llvm::all_of(
             written,
             [&](Value base) { return isWalkedAlike(uses[base], count); }) &&
         readsNoneOf(written);
}

/// Whether a body reads what lies side by side in steps of its last loop.
static bool readsAlong(memref::LoadOp load, unsigned depth) {
  if (load.getIndices().empty())
    return false;
  SmallVector<Value> terms{load.getIndices().back()};
  while (!terms.empty()) {
    Value term = terms.pop_back_val();
    if (auto index = term.getDefiningOp<linalg::IndexOp>())
      return index.getDim() + 1 == depth;
    if (auto sum = term.getDefiningOp<arith::AddIOp>())
      terms.append({sum.getLhs(), sum.getRhs()});
  }
  return false;
}

/// Whether no body reads memory but through its operands, and what no member
/// writes, along rows of that.
bool RowGroup::readsNoneOf(const llvm::SmallDenseSet<Value> &written) const {
  return llvm::all_of(ops, [&](const Member &member) {
    return llvm::all_of(*LinalgOp(member.op).getBlock(), [&](Operation &inner) {
      if (auto load = dyn_cast<memref::LoadOp>(inner))
        return readsAlong(load, member.nest.depth()) &&
               !written.contains(baseOf(load.getMemref()));
      return isMemoryEffectFree(&inner);
    });
  });
}

int64_t RowGroup::numRows() const {
  return llvm::product_of(ArrayRef(ops.front().nest.extents).take_front(loops));
}

int64_t RowGroup::stepsPerRow() const {
  int64_t most = 1;
  for (const Member &member : ops)
    most = std::max(most, llvm::product_of(
                              ArrayRef(member.nest.extents).drop_front(loops)));
  return most;
}

bool RowGroup::canBlock() const {
  AffineExpr last =
      getAffineDimExpr(loops - 1, LinalgOp(ops[0].op).getContext());
  return llvm::all_of(ops, [&](const Member &member) {
    return llvm::all_of(
        LinalgOp(member.op).getIndexingMapsArray(), [&](AffineMap map) {
          return llvm::all_of(map.getResults(), [&](AffineExpr expr) {
            return expr == last || !expr.isFunctionOfDim(loops - 1);
          });
        });
  });
}

//===----------------------------------------------------------------------===//
// Building
//===----------------------------------------------------------------------===//

namespace {

/// The part of a buffer that a step of the loop is about: its size along each
/// dimension, and which of these are left.
struct Part {
  llvm::SmallBitVector kept;
  SmallVector<int64_t> sizes;

  SmallVector<int64_t> shape() const {
    return llvm::map_to_vector(kept.set_bits(),
                               [&](unsigned dim) { return sizes[dim]; });
  }
};

/// Rows or blocks of rows: the first `dropped` loops are gone from the ops; the
/// next one is walked along in blocks, if `block` is not 0.
struct Step {
  unsigned dropped;
  int64_t block;

  bool isBlocked(AffineExpr expr) const {
    auto dim = dyn_cast<AffineDimExpr>(expr);
    return block > 0 && dim && dim.getPosition() == dropped;
  }

  Part partOf(MemRefType type, AffineMap map) const {
    Part part{llvm::SmallBitVector(map.getNumResults()), {}};
    for (auto [dim, expr] : llvm::enumerate(map.getResults())) {
      part.kept[dim] = varies(expr);
      part.sizes.push_back(!varies(expr)     ? 1
                           : isBlocked(expr) ? block
                                             : type.getDimSize(dim));
    }
    return part;
  }

  /// Whether a place depends on a loop that is left.
  bool varies(AffineExpr expr) const {
    bool found = false;
    expr.walk([&](AffineExpr inner) {
      auto loop = dyn_cast<AffineDimExpr>(inner);
      found |= loop && loop.getPosition() >= dropped;
    });
    return found;
  }
};

class Wrapper {
public:
  Wrapper(ArrayRef<Member> members, Step step, ArrayRef<Value> own)
      : members(members), step(step), own(own.begin(), own.end()),
        b(FusedLoc::get(LinalgOp(members.back().op).getContext(),
                        linesOf(members)),
          LinalgOp(members.back().op)) {}

  void wrap(bool isShared) {
    ArrayRef<int64_t> extents = members.front().nest.extents;
    SmallVector<int64_t> counts(extents.take_front(step.dropped));
    if (step.block > 0)
      counts.push_back(extents[step.dropped] / step.block);
    auto index = [&](int64_t value) -> Value {
      return arith::ConstantIndexOp::create(b, value);
    };
    auto loop = scf::ForOp::create(b, index(0), index(llvm::product_of(counts)),
                                   index(1));
    loop->setAttr(weft::rowsAttr, b.getUnitAttr());
    if (isShared)
      loop->setAttr(weft::parallelAttr, b.getUnitAttr());
    b.setInsertionPointToStart(loop.getBody());
    at = weft::splitDigits(b, loop.getInductionVar(), counts);
    if (step.block > 0)
      at.back() = arith::MulIOp::create(b, at.back(), index(step.block));
    for (const Member &member : members)
      findParts(member.op);
    for (const Member &member : members)
      buildPart(member.op);
    for (const Member &member : members)
      LinalgOp(member.op)->erase();
    for (Value buffer : own)
      buffer.getDefiningOp()->erase();
  }

private:
  static SmallVector<Location> linesOf(ArrayRef<Member> members) {
    return llvm::map_to_vector(members, [](const Member &member) {
      return LinalgOp(member.op).getLoc();
    });
  }

  /// What is left of temporaries. All accesses to one are to the same part of
  /// it, whichever of them walk along dimensions of one element.
  void findParts(LinalgOp op) {
    for (OpOperand &operand : op->getOpOperands()) {
      if (!own.contains(operand.get()))
        continue;
      Part part = step.partOf(cast<MemRefType>(operand.get().getType()),
                              op.getMatchingIndexingMap(&operand));
      Part &all = parts.try_emplace(operand.get(), part).first->second;
      all.kept |= part.kept;
      for (auto [size, other] : llvm::zip_equal(all.sizes, part.sizes))
        size = std::max(size, other);
    }
  }

  /// What of a buffer is left.
  Part keptOf(Value buffer, AffineMap map) {
    return own.contains(buffer)
               ? parts.lookup(buffer)
               : step.partOf(cast<MemRefType>(buffer.getType()), map);
  }

  /// The part of an operand that belongs to the step.
  Value partOf(Value buffer, AffineMap map) {
    auto type = dyn_cast<MemRefType>(buffer.getType());
    if (!type)
      return buffer;
    Part part = keptOf(buffer, map);
    if (own.contains(buffer)) {
      Value &row = rows[buffer];
      if (!row)
        row = weft::onStack(
            b, MemRefType::get(part.shape(), type.getElementType()));
      return row;
    }
    if (part.kept.all() && llvm::none_of(map.getResults(), [&](AffineExpr e) {
          return step.isBlocked(e);
        }))
      return buffer;
    SmallVector<OpFoldResult> offsets, sizes,
        steps(type.getRank(), b.getIndexAttr(1));
    for (auto [dim, expr] : llvm::enumerate(map.getResults())) {
      // Of a single one, always by the same words, whatever walks along it.
      bool isWhole = type.getDimSize(dim) == 1 ||
                     (part.kept[dim] && !step.isBlocked(expr));
      offsets.push_back(isWhole ? OpFoldResult(b.getIndexAttr(0))
                                : placeOf(expr));
      sizes.push_back(b.getIndexAttr(part.sizes[dim]));
    }
    // One value for one part: later passes tell parts apart by their values.
    for (memref::SubViewOp view : views)
      if (view.getSource() == buffer &&
          view.getType().getShape() == ArrayRef(part.shape()) &&
          isEqualConstantIntOrValueArray(view.getMixedOffsets(), offsets) &&
          isEqualConstantIntOrValueArray(view.getMixedSizes(), sizes))
        return view;
    MemRefType view = memref::SubViewOp::inferRankReducedResultType(
        part.shape(), type, offsets, sizes, steps);
    views.push_back(
        memref::SubViewOp::create(b, view, buffer, offsets, sizes, steps));
    return views.back();
  }

  OpFoldResult placeOf(AffineExpr expr) {
    if (auto constant = dyn_cast<AffineConstantExpr>(expr))
      return b.getIndexAttr(constant.getValue());
    if (auto dim = dyn_cast<AffineDimExpr>(expr))
      return at[dim.getPosition()];
    return affine::AffineApplyOp::create(b, AffineMap::get(at.size(), 0, expr),
                                         at)
        .getResult();
  }

  /// An access's place as a function of the loops that are left.
  AffineExpr shifted(AffineExpr expr, unsigned depth) const {
    SmallVector<AffineExpr> left;
    for (unsigned loop = 0; loop < depth; ++loop)
      left.push_back(getAffineDimExpr(
          loop < step.dropped ? 0 : loop - step.dropped, expr.getContext()));
    return expr.replaceDims(left);
  }

  /// The op for one step: the loops that tell rows apart are gone.
  void buildPart(LinalgOp op) {
    SmallVector<Value> operands;
    SmallVector<AffineMap> maps;
    unsigned depth = op.getNumLoops() - step.dropped;
    for (OpOperand &operand : op->getOpOperands()) {
      AffineMap map = op.getMatchingIndexingMap(&operand);
      operands.push_back(partOf(operand.get(), map));
      SmallVector<AffineExpr> exprs;
      llvm::SmallBitVector kept;
      if (isa<MemRefType>(operand.get().getType()))
        kept = keptOf(operand.get(), map).kept;
      for (unsigned dim : kept.set_bits())
        exprs.push_back(step.varies(map.getResult(dim))
                            ? shifted(map.getResult(dim), op.getNumLoops())
                            : b.getAffineConstantExpr(0));
      maps.push_back(AffineMap::get(depth, 0, exprs, op.getContext()));
    }
    if (auto fill = dyn_cast<linalg::FillOp>(op.getOperation())) {
      linalg::FillOp::create(b, op.getLoc(), operands[0], operands[1]);
      return;
    }
    ValueRange all(operands);
    auto part = linalg::GenericOp::create(
        b, op.getLoc(), TypeRange{}, all.take_front(op.getNumDpsInputs()),
        all.drop_front(op.getNumDpsInputs()), maps,
        ArrayRef(op.getIteratorTypesArray()).drop_front(step.dropped));
    part->setDiscardableAttrs(op->getDiscardableAttrDictionary());
    IRMapping mapping;
    op->getRegion(0).cloneInto(&part.getRegion(), mapping);
    SmallVector<linalg::IndexOp> indices;
    part.getRegion().walk(
        [&](linalg::IndexOp number) { indices.push_back(number); });
    for (linalg::IndexOp number : indices)
      renumber(number);
  }

  void renumber(linalg::IndexOp number) {
    uint64_t loop = number.getDim();
    if (loop < step.dropped) {
      number.replaceAllUsesWith(at[loop]);
      number.erase();
      return;
    }
    number.setDim(loop - step.dropped);
    if (step.block == 0 || loop != step.dropped)
      return;
    OpBuilder inner(number->getContext());
    inner.setInsertionPointAfter(number);
    auto sum = arith::AddIOp::create(inner, number.getLoc(), number, at.back());
    number.getResult().replaceAllUsesExcept(sum, sum);
  }

  ArrayRef<Member> members;
  Step step;
  llvm::SetVector<Value> own;
  ImplicitLocOpBuilder b;
  /// Which row it is, or where the block of rows begins.
  SmallVector<Value> at;
  DenseMap<Value, Value> rows;
  DenseMap<Value, Part> parts;
  SmallVector<memref::SubViewOp> views;
};

} // namespace

llvm::MapVector<Value, int64_t> RowGroup::findPrivate() const {
  llvm::SmallDenseSet<Operation *> members;
  for (const Member &member : ops)
    members.insert(member.op);
  llvm::MapVector<Value, int64_t> found;
  for (const Member &member : ops) {
    LinalgOp op = member.op;
    for (OpOperand &init : op.getDpsInitsMutable()) {
      Operation *alloc = init.get().getDefiningOp();
      // What is allocated outside of a loop lives from step to step.
      if (!isa_and_nonnull<memref::AllocOp, memref::AllocaOp>(alloc) ||
          alloc->getBlock() != op->getBlock() ||
          !llvm::all_of(alloc->getUsers(), [&](Operation *user) {
            return members.contains(user);
          }))
        continue;
      auto type = cast<MemRefType>(init.get().getType());
      Part part = Step{loops, 0}.partOf(type, op.getMatchingIndexingMap(&init));
      found.insert({init.get(), bytesOf(type.getElementType()) *
                                    llvm::product_of(part.sizes)});
    }
  }
  return found;
}

void RowGroup::wrap(int64_t block, ArrayRef<Value> own) {
  double work = 0;
  for (const Member &member : ops)
    work += workOf(member.op, member.nest);
  Step step{block > 0 ? loops - 1 : loops, block};
  Wrapper(ops, step, own).wrap(work >= machine->shareFrom);
}
