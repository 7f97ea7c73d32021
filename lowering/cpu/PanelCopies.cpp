// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lowering/Passes.h"
#include "lowering/cpu/IndexBuilder.h"
#include "lowering/cpu/PackedTiles.h"
#include "lowering/cpu/TileCopies.h"

using namespace mlir;
using weft::Machine;
using weft::TilePlan;

namespace {

constexpr int64_t tileRows = TilePlan::tileRows, panel = TilePlan::panel;

/// A copy into panels: its last three loops are lines, columns and the steps of
/// a group.
class PanelCopy {
public:
  PanelCopy(linalg::GenericOp op, const Machine &machine)
      : op(op), machine(machine), b(op.getLoc(), op), n(b) {}

  bool match() {
    if (!op.hasPureBufferSemantics() || op.getNumDpsInputs() != 1 ||
        op.getNumDpsInits() != 1 || op.getNumReductionLoops() > 0 ||
        op.getBody()->getTerminator()->getOperand(0) !=
            op.getBody()->getArgument(0))
      return false;
    std::optional<weft::Nest> found = weft::Nest::of(op);
    if (!found || found->hasPanels() || found->depth() < 4)
      return false;
    nest = std::move(*found);
    Type element = getElementTypeOrSelf(op.getDpsInits()[0].getType());
    if (!element.isBF16() && !element.isInteger(8))
      return false;
    group = 32 / element.getIntOrFloatBitWidth();
    steps = nest.depth() - 1, columns = steps - 1, lines = columns - 1;
    isAlong = nest.stride(0, steps) == 1 && nest.stride(0, lines) == group &&
              nest.extents[lines] % tileRows == 0;
    return nest.extents[steps] == group && nest.extents[columns] == panel &&
           nest.stride(1, steps) == 1 && nest.stride(1, columns) == group &&
           nest.stride(1, lines) == panel * group &&
           (isAlong || nest.stride(0, columns) == 1);
  }

  void build() {
    auto [from, fromBegin] =
        weft::flatten(b, op.getDpsInputs()[0], nest.accesses[0].offset);
    auto [to, toBegin] =
        weft::flatten(b, op.getDpsInits()[0], nest.accesses[1].offset);
    source = from, target = to;
    int64_t linesAtOnce = isAlong ? tileRows : 1;
    SmallVector<int64_t> counts(nest.extents.begin(),
                                nest.extents.begin() + columns);
    counts.back() /= linesAtOnce;
    auto loop = scf::ForOp::create(
        b, n.index(0), n.index(llvm::product_of(counts)), n.index(1));
    if (weft::workOf(op, nest) / panel >= machine.shareFrom)
      loop->setAttr(weft::parallelAttr, b.getUnitAttr());
    b.setInsertionPointToStart(loop.getBody());
    SmallVector<Value> at =
        weft::splitDigits(b, loop.getInductionVar(), counts);
    at.back() = n.multiply(at.back(), linesAtOnce);
    Value read = fromBegin, written = toBegin;
    for (auto [number, step] : llvm::enumerate(at)) {
      read = weft::advance(b, read, step, nest.stride(0, number));
      written = weft::advance(b, written, step, nest.stride(1, number));
    }
    isAlong ? copyAlong(read, written) : copyAcross(read, written);
    op.erase();
  }

private:
  /// A line, of as many rows as it has steps: what they have in a column is
  /// side by side.
  void copyAcross(Value read, Value written) {
    SmallVector<Value> rows;
    for (int64_t i = 0; i < group; ++i)
      rows.push_back(
          n.load(source, panel, n.add(read, i * nest.stride(0, steps)), {}));
    for (int64_t count = group; count > 1; count /= 2)
      for (int64_t i = 0; i < count / 2; ++i)
        rows[i] = vector::InterleaveOp::create(b, rows[i], rows[count / 2 + i]);
    vector::StoreOp::create(b, rows[0], target, written);
  }

  /// The lines of two tiles, from columns that are consecutive along them.
  void copyAlong(Value read, Value written) {
    auto words = VectorType::get({weft::TileCopies::lineWords}, b.getI32Type());
    for (int64_t half = 0; half < panel; half += tileRows) {
      SmallVector<Value> lines;
      Type narrow;
      for (int64_t i = 0; i < tileRows; ++i) {
        Value at = n.add(read, (half + i) * nest.stride(0, columns));
        Value line = n.load(source, tileRows * group, at, {});
        narrow = line.getType();
        lines.push_back(vector::BitCastOp::create(b, words, line));
      }
      for (auto [i, line] : llvm::enumerate(weft::transposeLines(b, lines)))
        vector::StoreOp::create(
            b, vector::BitCastOp::create(b, cast<VectorType>(narrow), line),
            target, n.add(written, (i * panel + half) * group));
    }
  }

  linalg::GenericOp op;
  const Machine &machine;
  ImplicitLocOpBuilder b;
  weft::IndexBuilder n;
  weft::Nest nest;
  Value source, target;
  int64_t group = 0;
  unsigned steps = 0, columns = 0, lines = 0;
  /// Whether columns are consecutive along their steps.
  bool isAlong = false;
};

} // namespace

void weft::lowerPanelCopy(linalg::GenericOp op, const Machine &machine) {
  PanelCopy copy(op, machine);
  if (copy.match())
    copy.build();
}
