// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lowering/fusion/ElementwiseGroup.h"

#include "mlir/IR/IRMapping.h"

using namespace mlir;
using linalg::LinalgOp;
using weft::RowGroup;
using Member = RowGroup::Member;

namespace {

/// Whether a map gives loops, in their order. Where all uses of a buffer agree
/// in their strides, such maps of them are of the same element.
bool isInOrder(AffineMap map) {
  int64_t last = -1;
  for (AffineExpr expr : map.getResults()) {
    auto dim = dyn_cast<AffineDimExpr>(expr);
    if (!dim || dim.getPosition() <= last)
      return false;
    last = dim.getPosition();
  }
  return true;
}

bool canMerge(const RowGroup &group) {
  ArrayRef<int64_t> extents = group.members().front().nest.extents;
  llvm::SmallDenseSet<Value> written;
  for (const Member &member : group.members()) {
    // Steps that are rows of their own are those of one element.
    if (ArrayRef(member.nest.extents) != extents ||
        group.numLoops() != member.nest.depth())
      return false;
    for (Value init : LinalgOp(member.op).getDpsInits())
      written.insert(init);
  }
  return llvm::all_of(group.members(), [&](const Member &member) {
    LinalgOp op = member.op;
    return llvm::all_of(op->getOpOperands(), [&](OpOperand &operand) {
      return !written.contains(operand.get()) ||
             isInOrder(op.getMatchingIndexingMap(&operand));
    });
  });
}

class Merger {
public:
  explicit Merger(ArrayRef<Member> members)
      : members(members), b(LinalgOp(members.back().op)) {}

  void merge(const llvm::SetVector<Value> &own) {
    for (const Member &member : members)
      collect(member.op);
    results.remove_if(
        [&](const auto &result) { return own.contains(result.first); });
    SmallVector<Value> ins, outs;
    SmallVector<AffineMap> maps;
    SmallVector<Location> lines;
    for (auto [operand, map] : inputs)
      ins.push_back(operand), maps.push_back(map);
    for (auto [buffer, map] : results)
      outs.push_back(buffer), maps.push_back(map);
    for (const Member &member : members)
      lines.push_back(LinalgOp(member.op).getLoc());
    LinalgOp first = members.front().op;
    linalg::GenericOp::create(
        b, FusedLoc::get(b.getContext(), lines), TypeRange{}, ins, outs, maps,
        first.getIteratorTypesArray(),
        [&](OpBuilder &inner, Location loc, ValueRange arguments) {
          emitBody(inner, loc, arguments);
        });
    for (const Member &member : members)
      LinalgOp(member.op)->erase();
    for (Value buffer : own)
      buffer.getDefiningOp()->erase();
  }

private:
  using Input = std::pair<Value, AffineMap>;

  /// What the op finds in an operand that an earlier one wrote is a value.
  static bool isRead(LinalgOp op, OpOperand &operand) {
    return op.isDpsInput(&operand) ||
           !op.getMatchingBlockArgument(&operand).use_empty();
  }

  void collect(LinalgOp op) {
    for (OpOperand &operand : op->getOpOperands())
      if (isRead(op, operand) && !results.contains(operand.get()))
        inputs.insert({operand.get(), op.getMatchingIndexingMap(&operand)});
    for (OpOperand &init : op.getDpsInitsMutable())
      results.insert({init.get(), op.getMatchingIndexingMap(&init)});
  }

  void emitBody(OpBuilder &inner, Location loc, ValueRange arguments) {
    llvm::SmallDenseMap<Value, Value> written;
    for (const Member &member : members) {
      LinalgOp op = member.op;
      IRMapping mapping;
      for (OpOperand &operand : op->getOpOperands()) {
        if (!isRead(op, operand))
          continue;
        Value value = written.lookup(operand.get());
        if (!value) {
          Input input{operand.get(), op.getMatchingIndexingMap(&operand)};
          value = arguments[std::distance(inputs.begin(),
                                          llvm::find(inputs, input))];
        }
        mapping.map(op.getMatchingBlockArgument(&operand), value);
      }
      for (Operation &part : op.getBlock()->without_terminator())
        inner.clone(part, mapping);
      ValueRange yielded = op.getBlock()->getTerminator()->getOperands();
      for (auto [init, value] : llvm::zip_equal(op.getDpsInits(), yielded))
        written[init] = mapping.lookupOrDefault(value);
    }
    SmallVector<Value> values;
    for (auto [buffer, map] : results)
      values.push_back(written.lookup(buffer));
    linalg::YieldOp::create(inner, loc, values);
  }

  ArrayRef<Member> members;
  OpBuilder b;
  llvm::SetVector<Input> inputs;
  llvm::MapVector<Value, AffineMap> results;
};

} // namespace

bool weft::mergeElementwise(const RowGroup &group) {
  if (!canMerge(group))
    return false;
  llvm::SetVector<Value> own;
  for (auto [buffer, bytes] : group.findPrivate())
    own.insert(buffer);
  bool isDead = llvm::all_of(group.members(), [&](const Member &member) {
    return llvm::all_of(LinalgOp(member.op).getDpsInits(),
                        [&](Value init) { return own.contains(init); });
  });
  if (isDead)
    return false;
  Merger(group.members()).merge(own);
  return true;
}
