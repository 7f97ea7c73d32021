// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft-group-rows: linalg ops on buffers that follow each other, and of which
// each computes a row from rows of the ones before it, become one loop over the
// rows. What one writes the next reads from a cache, and what nothing else
// reads needs no more than a row.

#include "lowering/ContractionPlan.h"
#include "lowering/Passes.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

namespace weft {
#define GEN_PASS_DEF_GROUPROWS
#include "lowering/Passes.h.inc"
} // namespace weft

using namespace mlir;
using linalg::LinalgOp;
using weft::Access;
using weft::Machine;
using weft::Nest;

namespace {

/// Bodies beyond this take long to compile as one function.
constexpr size_t mostMembers = 16;
/// Shorter rows are not worth a loop of their own, and fewer of them leave
/// threads without work.
int64_t leastSteps(const Machine &machine) {
  return std::min<int64_t>(32, machine.shareFrom);
}
int64_t leastRows(const Machine &machine) {
  return std::min<int64_t>(16, machine.shareFrom);
}
/// Bytes of the rows that a thread keeps on its stack.
constexpr int64_t mostPrivateBytes = 128 << 10;

struct Member {
  LinalgOp op;
  Nest nest;

  /// The leading loops that are parallel.
  unsigned numLeading() const {
    unsigned count = 0;
    while (count < nest.depth() && nest.isParallel(count))
      ++count;
    return count;
  }
};

/// The buffer that a value is, or is a view of.
Value baseOf(Value buffer) {
  while (auto view = buffer.getDefiningOp<ViewLikeOpInterface>())
    buffer = view.getViewSource();
  return buffer;
}

class Group {
public:
  explicit Group(const Machine &machine) : machine(machine) {}

  /// Whether the op can join; if so, it has.
  bool add(LinalgOp op) {
    std::optional<Nest> nest =
        op.hasPureBufferSemantics() ? Nest::of(op) : std::nullopt;
    if (!nest || members.size() == mostMembers || isContraction(op) ||
        op->hasAttr(weft::epilogueAttr) || nest->hasPanels())
      return false;
    members.push_back({op, std::move(*nest)});
    unsigned most = members.back().numLeading();
    if (members.size() > 1)
      most = std::min(most, sharedLoops());
    for (unsigned count = most; count > 0; --count)
      if (keepsToRows(count)) {
        rows = count;
        return true;
      }
    members.pop_back();
    return false;
  }

  void build() {
    while (rows > 0 &&
           (stepsPerRow() < leastSteps(machine) || !keepsToRows(rows)))
      --rows;
    if (members.size() > 1 && rows > 0 && numRows() >= leastRows(machine))
      wrap();
    members.clear();
    privateRows.clear();
  }

private:
  static bool isContraction(LinalgOp op) {
    auto generic = dyn_cast<linalg::GenericOp>(op.getOperation());
    return generic && op.getNumReductionLoops() > 0 &&
           weft::MultiplyAdd::match(generic);
  }

  /// How many of the leading loops are alike in the last member and in all.
  unsigned sharedLoops() const {
    const Member &last = members.back();
    unsigned count = std::min(rows, last.numLeading());
    for (unsigned loop = 0; loop < count; ++loop)
      if (members.front().nest.extents[loop] != last.nest.extents[loop])
        return loop;
    return count;
  }

  /// Whether an access stays in a part of the buffer that is its row's alone.
  static bool isRow(const Nest &nest, const Access &access, unsigned count) {
    int64_t reach = access.offset;
    for (unsigned loop = count; loop < nest.depth(); ++loop) {
      if (access.strides[loop] < 0)
        return false;
      reach += access.strides[loop] * (nest.extents[loop] - 1);
    }
    if (access.offset < 0)
      return false;
    for (unsigned loop = count; loop-- > 0;) {
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

  /// Whether all members can run row by row, the rows being told apart by the
  /// first `count` loops.
  bool keepsToRows(unsigned count) {
    for (Member &member : members)
      for (AffineMap map : member.op.getIndexingMapsArray())
        if (!isSeparable(map, count))
          return false;
    DenseMap<Value, SmallVector<std::pair<const Member *, unsigned>>> uses;
    llvm::SmallDenseSet<Value> written;
    for (Member &member : members)
      for (OpOperand &operand : member.op->getOpOperands()) {
        if (!isa<MemRefType>(operand.get().getType()))
          continue;
        Value base = baseOf(operand.get());
        uses[base].push_back({&member, operand.getOperandNumber()});
        if (member.op.isDpsInit(&operand))
          written.insert(base);
      }
    return llvm::all_of(written,
                        [&](Value base) {
                          auto [first, number] = uses[base].front();
                          Value buffer = first->op->getOperand(number);
                          ArrayRef<int64_t> strides =
                              ArrayRef(first->nest.accesses[number].strides)
                                  .take_front(count);
                          return llvm::all_of(uses[base], [&](auto use) {
                            auto [member, operand] = use;
                            const Access &access =
                                member->nest.accesses[operand];
                            return member->op->getOperand(operand) == buffer &&
                                   ArrayRef(access.strides).take_front(count) ==
                                       strides &&
                                   isRow(member->nest, access, count);
                          });
                        }) &&
           readsNothingElse();
  }

  /// Whether no body reads memory but through its operands.
  bool readsNothingElse() {
    return llvm::all_of(members, [](Member &member) {
      return llvm::all_of(*member.op.getBlock(), [](Operation &inner) {
        return isMemoryEffectFree(&inner);
      });
    });
  }

  int64_t numRows() const {
    int64_t count = 1;
    for (int64_t extent :
         ArrayRef(members.front().nest.extents).take_front(rows))
      count *= extent;
    return count;
  }
  /// The steps of the longest row.
  int64_t stepsPerRow() const {
    int64_t most = 1;
    for (const Member &member : members) {
      int64_t steps = 1;
      for (int64_t extent : ArrayRef(member.nest.extents).drop_front(rows))
        steps *= extent;
      most = std::max(most, steps);
    }
    return most;
  }

  // ---- building ----

  void wrap() {
    SmallVector<Location> lines;
    for (Member &member : members)
      lines.push_back(member.op.getLoc());
    ImplicitLocOpBuilder b(
        FusedLoc::get(members.front().op.getContext(), lines),
        members.back().op);
    findPrivate();
    auto index = [&](int64_t value) -> Value {
      return arith::ConstantIndexOp::create(b, value);
    };
    auto loop = scf::ForOp::create(b, index(0), index(numRows()), index(1));
    loop->setAttr(weft::rowsAttr, b.getUnitAttr());
    if (work() >= machine.shareFrom)
      loop->setAttr(weft::parallelAttr, b.getUnitAttr());
    b.setInsertionPointToStart(loop.getBody());
    ArrayRef<int64_t> extents =
        ArrayRef(members.front().nest.extents).take_front(rows);
    SmallVector<Value> row =
        weft::splitDigits(b, loop.getInductionVar(), extents);
    for (Member &member : members)
      buildRow(b, member.op, row);
    for (Member &member : members)
      member.op.erase();
    for (auto [buffer, own] : privateRows)
      buffer.getDefiningOp()->erase();
  }

  double work() const {
    double sum = 0;
    for (const Member &member : members)
      sum += weft::workOf(member.op, member.nest);
    return sum;
  }

  /// The temporaries that the group alone uses, as long as their rows are
  /// small.
  void findPrivate() {
    llvm::SmallDenseSet<Operation *> own;
    for (Member &member : members)
      own.insert(member.op);
    int64_t bytes = 0;
    for (Member &member : members)
      for (OpOperand &init : member.op.getDpsInitsMutable()) {
        auto alloc = init.get().getDefiningOp<memref::AllocOp>();
        // What is allocated outside of a loop lives from step to step.
        if (!alloc || alloc->getBlock() != member.op->getBlock() ||
            privateRows.contains(alloc) ||
            !llvm::all_of(alloc->getUsers(),
                          [&](Operation *user) { return own.contains(user); }))
          continue;
        auto kept = keptDims(alloc, member.op.getMatchingIndexingMap(&init));
        // An element has 16 bytes at most.
        bytes += 16 * llvm::product_of(keptSizes(alloc.getType(), kept));
        if (bytes <= mostPrivateBytes)
          privateRows[alloc] = {kept, Value()};
      }
  }

  /// Whether a place of an access is the same for a whole row.
  bool isOfRow(AffineExpr expr) const {
    bool varies = false;
    expr.walk([&](AffineExpr part) {
      auto dim = dyn_cast<AffineDimExpr>(part);
      varies |= dim && dim.getPosition() >= rows;
    });
    return !varies;
  }

  /// Which dimensions of a buffer are in a row of it, as an access sees it.
  llvm::SmallBitVector keptDims(Value buffer, AffineMap map) const {
    if (auto known = privateRows.find(buffer); known != privateRows.end())
      return known->second.kept;
    llvm::SmallBitVector kept(map.getNumResults());
    for (auto [dim, expr] : llvm::enumerate(map.getResults()))
      kept[dim] = !isOfRow(expr);
    return kept;
  }

  static SmallVector<int64_t> keptSizes(MemRefType type,
                                        const llvm::SmallBitVector &kept) {
    SmallVector<int64_t> sizes;
    for (unsigned dim : kept.set_bits())
      sizes.push_back(type.getDimSize(dim));
    return sizes;
  }

  /// The part of an operand that belongs to a row.
  Value rowOf(ImplicitLocOpBuilder &b, Value buffer, AffineMap map,
              ArrayRef<Value> row) {
    auto type = dyn_cast<MemRefType>(buffer.getType());
    if (!type)
      return buffer;
    llvm::SmallBitVector kept = keptDims(buffer, map);
    SmallVector<int64_t> shape = keptSizes(type, kept);
    if (auto known = privateRows.find(buffer); known != privateRows.end()) {
      Value &own = known->second.row;
      if (!own)
        own = memref::AllocaOp::create(
            b, MemRefType::get(shape, type.getElementType()));
      return own;
    }
    if (kept.all())
      return buffer;
    SmallVector<OpFoldResult> offsets, sizes,
        steps(type.getRank(), b.getIndexAttr(1));
    for (auto [dim, expr] : llvm::enumerate(map.getResults())) {
      offsets.push_back(kept[dim] ? OpFoldResult(b.getIndexAttr(0))
                                  : placeOf(b, expr, row));
      sizes.push_back(b.getIndexAttr(kept[dim] ? type.getDimSize(dim) : 1));
    }
    MemRefType part = memref::SubViewOp::inferRankReducedResultType(
        shape, type, offsets, sizes, steps);
    return memref::SubViewOp::create(b, part, buffer, offsets, sizes, steps);
  }

  static OpFoldResult placeOf(ImplicitLocOpBuilder &b, AffineExpr expr,
                              ArrayRef<Value> row) {
    if (auto constant = dyn_cast<AffineConstantExpr>(expr))
      return b.getIndexAttr(constant.getValue());
    if (auto dim = dyn_cast<AffineDimExpr>(expr))
      return row[dim.getPosition()];
    return affine::AffineApplyOp::create(b, AffineMap::get(row.size(), 0, expr),
                                         row)
        .getResult();
  }

  /// An access's place as a function of the loops that are left.
  AffineExpr shifted(AffineExpr expr, unsigned depth) const {
    SmallVector<AffineExpr> left;
    for (unsigned loop = 0; loop < depth; ++loop)
      left.push_back(
          getAffineDimExpr(loop < rows ? 0 : loop - rows, expr.getContext()));
    return expr.replaceDims(left);
  }

  /// The op for one row: the loops that tell rows apart are gone.
  void buildRow(ImplicitLocOpBuilder &b, LinalgOp op, ArrayRef<Value> row) {
    SmallVector<Value> operands;
    SmallVector<AffineMap> maps;
    unsigned depth = op.getNumLoops() - rows;
    for (OpOperand &operand : op->getOpOperands()) {
      AffineMap map = op.getMatchingIndexingMap(&operand);
      operands.push_back(rowOf(b, operand.get(), map, row));
      SmallVector<AffineExpr> exprs;
      llvm::SmallBitVector kept;
      if (isa<MemRefType>(operand.get().getType()))
        kept = keptDims(operand.get(), map);
      for (unsigned dim : kept.set_bits())
        exprs.push_back(shifted(map.getResult(dim), op.getNumLoops()));
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
        ArrayRef(op.getIteratorTypesArray()).drop_front(rows));
    IRMapping mapping;
    op->getRegion(0).cloneInto(&part.getRegion(), mapping);
    SmallVector<linalg::IndexOp> indices;
    part.getRegion().walk(
        [&](linalg::IndexOp number) { indices.push_back(number); });
    for (linalg::IndexOp number : indices) {
      if (number.getDim() >= rows) {
        number.setDim(number.getDim() - rows);
      } else {
        number.replaceAllUsesWith(row[number.getDim()]);
        number.erase();
      }
    }
  }

  const Machine &machine;
  SmallVector<Member, 4> members;
  unsigned rows = 0;
  /// A temporary that only the group uses, of which a row is enough.
  struct PrivateRow {
    llvm::SmallBitVector kept;
    Value row;
  };
  llvm::MapVector<Value, PrivateRow> privateRows;
};

class GroupRows final : public weft::impl::GroupRowsBase<GroupRows> {
  void runOnOperation() override {
    Machine machine = Machine::of(getOperation());
    SmallVector<Block *> blocks;
    getOperation().walk([&](Block *block) {
      if (!block->getParentOp()->getParentOfType<LinalgOp>() &&
          !isa<LinalgOp>(block->getParentOp()))
        blocks.push_back(block);
    });
    for (Block *block : blocks)
      groupIn(*block, machine);
  }

  static LinalgOp computed(Operation *op) {
    if (isa<linalg::GenericOp, linalg::FillOp>(op))
      return cast<LinalgOp>(op);
    return {};
  }

  static void groupIn(Block &block, const Machine &machine) {
    Group group(machine);
    for (Operation &op : llvm::make_early_inc_range(block)) {
      LinalgOp linalgOp = computed(&op);
      if (linalgOp && group.add(linalgOp))
        continue;
      // What touches no memory of theirs may stand between them.
      if (isMemoryEffectFree(&op) || isa<memref::AllocOp>(op))
        continue;
      group.build();
      if (linalgOp)
        group.add(linalgOp);
    }
    group.build();
  }
};

} // namespace
