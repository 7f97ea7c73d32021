// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lowering/gpu/RowPlan.h"
#include "lowering/fusion/LaneReduction.h"
#include "lowering/gpu/Alignment.h"
#include "lowering/gpu/Shuffles.h"
#include "lowering/memory/Buffers.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

using namespace mlir;
using linalg::LinalgOp;
using weft::RowPlace;
using weft::RowPlan;
using weft::warpLanes;

/// Threads of a block in which each warp or part of it has rows of its own.
static constexpr int64_t sharedThreads = 128;
/// The bytes of a row that a thread of a warp has at most, and those that one
/// of a block is to have: enough loads on their way, and enough threads.
static constexpr int64_t mostBytes = 128, blockBytes = 64;
static constexpr int64_t mostThreads = 1024;

//===----------------------------------------------------------------------===//
// Places
//===----------------------------------------------------------------------===//

Type RowPlace::element() const {
  return cast<MemRefType>(operand->get().getType()).getElementType();
}

bool RowPlace::isSame(const RowPlace &other) const {
  if (base != other.base || offset != other.offset || stride != other.stride ||
      !view != !other.view)
    return false;
  if (!view || view == other.view)
    return true;
  memref::SubViewOp a = view, b = other.view;
  return isEqualConstantIntOrValueArray(a.getMixedOffsets(),
                                        b.getMixedOffsets());
}

/// The buffer a value is a view of, and the view; false if it is neither a
/// whole buffer nor one view of one.
static bool resolve(Value buffer, RowPlace &place) {
  while (Operation *op = buffer.getDefiningOp()) {
    if (isa<memref::CastOp, memref::CollapseShapeOp, memref::ExpandShapeOp>(
            op)) {
      buffer = op->getOperand(0);
    } else if (auto view = dyn_cast<memref::SubViewOp>(op);
               view && !place.view) {
      place.view = view;
      buffer = view.getSource();
    } else {
      break;
    }
  }
  place.base = buffer;
  bool isWhole =
      isa<BlockArgument>(buffer) || buffer.getDefiningOp<memref::AllocaOp>();
  return isWhole && cast<MemRefType>(buffer.getType()).getLayout().isIdentity();
}

//===----------------------------------------------------------------------===//
// Ops
//===----------------------------------------------------------------------===//

bool RowPlan::addOperand(OpOperand &operand, const Access &access) {
  if (!isa<MemRefType>(operand.get().getType()))
    return true;
  RowPlace place;
  if (!resolve(operand.get(), place))
    return false;
  place.offset = access.offset;
  place.stride = access.strides.empty() ? 0 : access.strides[0];
  auto *known = llvm::find_if(
      places, [&](const RowPlace &other) { return place.isSame(other); });
  unsigned step = ops.size() - 1;
  if (known == places.end()) {
    place.operand = &operand;
    place.firstUse = step;
    places.push_back(place);
    known = &places.back();
  }
  known->lastUse = step;
  if (ops.back().isDpsInit(&operand))
    known->lastWriter = step;
  placeOf[&operand] = known - places.begin();
  return known->element() ==
         cast<MemRefType>(operand.get().getType()).getElementType();
}

/// Whether threads can reduce their own elements, and then exchange what they
/// have.
static bool canBeShared(LinalgOp op) {
  return weft::LaneReduction::match(op, /*inVectors=*/false) &&
         weft::canExchange(op.getBlock()->getArguments().back().getType());
}

bool RowPlan::add(LinalgOp op) {
  auto nest = Nest::of(op);
  if (!nest || nest->hasPanels())
    return false;
  // Those that read it ask for the index of a loop of the op.
  if (!op.hasIndexSemantics())
    nest->simplify();
  if (nest->depth() > 1)
    return false;
  ops.push_back(op);
  bool isReduction = false;
  if (nest->depth() == 1) {
    if (length != 1 && length != nest->extents[0])
      return false;
    length = nest->extents[0];
    isReduction = !nest->isParallel(0);
    if (isReduction && !canBeShared(op))
      return false;
    for (OpOperand &init : op.getDpsInitsMutable())
      if (nest->stride(init.getOperandNumber(), 0) != (isReduction ? 0 : 1))
        return false;
  }
  return llvm::all_of(op->getOpOperands(), [&](OpOperand &operand) {
    return addOperand(operand, nest->accesses[operand.getOperandNumber()]);
  });
}

/// Threads keep what they have written to themselves: nobody else reads it.
bool RowPlan::isConsistent() const {
  for (const RowPlace &place : places) {
    if (place.isPrivate() && !place.lastWriter)
      return false;
    if (!place.lastWriter)
      continue;
    for (const RowPlace &other : places)
      if (&other != &place && other.base == place.base)
        return false;
  }
  return true;
}

std::optional<RowPlan> RowPlan::of(scf::ForOp loop) {
  RowPlan plan;
  auto count = loop.getStaticTripCount();
  if (!count || loop->getNumResults() != 0)
    return std::nullopt;
  plan.rows = count->getSExtValue();
  for (Operation &op : loop.getBody()->without_terminator()) {
    if (auto linalgOp = dyn_cast<LinalgOp>(op)) {
      if (!plan.add(linalgOp))
        return std::nullopt;
    } else if (!isa<memref::AllocaOp>(op) &&
               (!isMemoryEffectFree(&op) || op.getNumRegions() > 0)) {
      return std::nullopt;
    }
  }
  if (plan.length < 2 || !plan.isConsistent())
    return std::nullopt;
  plan.width = plan.chooseWidth();
  if (!plan.chooseThreads())
    return std::nullopt;
  return plan;
}

//===----------------------------------------------------------------------===//
// Layout
//===----------------------------------------------------------------------===//

/// The bytes of the widest element of a row.
static int64_t widestOf(ArrayRef<RowPlace> places) {
  int64_t widest = 1;
  for (const RowPlace &place : places)
    if (place.stride != 0)
      widest = std::max(widest, weft::bytesOf(place.element()));
  return widest;
}

int64_t RowPlan::chooseWidth() const {
  int64_t width = std::max<int64_t>(16 / widestOf(places), 1);
  auto fits = [&](const RowPlace &place) {
    if (place.stride == 0 || place.isPrivate())
      return true;
    if (isa<ComplexType>(place.element()))
      return width == 1;
    return place.stride != 1 ||
           (place.offset % width == 0 &&
            weft::multipleOf(place.operand->get()) % width == 0);
  };
  while (width > 1 && (length % width != 0 || !llvm::all_of(places, fits)))
    width /= 2;
  return width;
}

int64_t RowPlan::rowsPerBlock() const {
  return threads <= warpLanes ? sharedThreads / threads : 1;
}

int64_t RowPlan::mostLive() const {
  int64_t most = 0;
  for (unsigned step = 0; step < ops.size(); ++step)
    most = std::max<int64_t>(
        most, llvm::count_if(places, [&](const RowPlace &place) {
          return place.stride != 0 && place.firstUse <= step &&
                 step <= place.lastUse;
        }));
  return most;
}

/// A multiprocessor has 65536 registers; some are for all else.
bool RowPlan::fitsRegisters() const {
  int64_t words = llvm::divideCeil(widestOf(places), 4);
  int64_t own = std::min<int64_t>(65536 / threads, 255) - 24;
  return mostLive() * each() * words <= own;
}

bool RowPlan::chooseThreads() {
  int64_t bytes = length * std::max<int64_t>(widestOf(places), 4);
  if (bytes <= warpLanes * mostBytes) {
    threads = std::min<int64_t>(warpLanes, llvm::bit_ceil<uint64_t>(vectors()));
    // All lanes of a warp meet where any of them exchanges something.
    if (rows % (warpLanes / threads) != 0)
      threads = warpLanes;
  } else {
    threads = llvm::bit_ceil<uint64_t>(llvm::divideCeil(bytes, blockBytes));
    threads = std::clamp<int64_t>(threads, sharedThreads, mostThreads);
  }
  while (true) {
    slots = llvm::divideCeil(vectors(), threads);
    if (fitsRegisters())
      return true;
    if (threads == mostThreads || threads >= vectors())
      return false;
    threads *= 2;
  }
}
