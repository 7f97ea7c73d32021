// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft-lower-transposes: an elementwise op that reads across the lines of an
// operand -> tiles that blocks turn in shared memory.

#include "lowering/OptimizationLevel.h"
#include "lowering/Passes.h"
#include "lowering/gpu/Device.h"
#include "lowering/gpu/Step.h"
#include "lowering/gpu/StepOperands.h"
#include "lowering/memory/Buffers.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

namespace weft {
#define GEN_PASS_DEF_LOWERTRANSPOSES
#include "lowering/Passes.h.inc"
} // namespace weft

using namespace mlir;
using linalg::LinalgOp;
using weft::StepOperands;

namespace {

constexpr int64_t threads = 256;
/// Shorter lines are read whole, or nearly so, whatever their order.
constexpr int64_t shortest = 16;

//===----------------------------------------------------------------------===//
// The plan
//===----------------------------------------------------------------------===//

/// The loops that a tile spans: results are consecutive along the first one,
/// and what is turned along the other.
struct TilePlan {
  unsigned along, across;
  int64_t alongExtent, acrossExtent;
  /// The size of a tile, in powers of two.
  int64_t alongTile, acrossTile;
  /// The inputs that are turned.
  SmallVector<OpOperand *> turned;
  /// Elements of a result that a thread computes at once.
  int64_t width;

  static std::optional<TilePlan> make(const StepOperands &operands,
                                      const weft::Gpu &gpu);

  int64_t alongTiles() const {
    return llvm::divideCeil(alongExtent, alongTile);
  }
  int64_t acrossTiles() const {
    return llvm::divideCeil(acrossExtent, acrossTile);
  }
  int64_t tileElements() const { return alongTile * acrossTile; }
  bool isRagged() const {
    return alongExtent % alongTile || acrossExtent % acrossTile;
  }

  /// Elements of an operand that are read or written at once along a loop of
  /// a tile: 16 bytes, if they are aligned, and no more than leaves all threads
  /// something to do.
  int64_t widthOf(const StepOperands &operands, OpOperand &operand,
                  unsigned loop) const;

private:
  bool findLoops(const StepOperands &operands);
  void chooseTile(const StepOperands &operands, const weft::Gpu &gpu);
};

int64_t bytesOf(OpOperand &operand) {
  return weft::bytesOf(getElementTypeOrSelf(operand.get().getType()));
}

bool TilePlan::findLoops(const StepOperands &operands) {
  const weft::Nest &nest = *operands.nest;
  LinalgOp op = operands.op;
  std::optional<unsigned> first, other;
  unsigned result = op.getDpsInitsMutable()[0].getOperandNumber();
  for (unsigned loop = 0; loop < nest.depth(); ++loop)
    if (nest.stride(result, loop) == 1)
      first = loop;
  if (!first)
    return false;
  auto isTurnedBy = [&](OpOperand *input, unsigned loop) {
    int64_t stride = nest.stride(input->getOperandNumber(), *first);
    return loop != *first && stride != 0 && stride != 1 &&
           nest.stride(input->getOperandNumber(), loop) == 1;
  };
  // Of several loops, that of the most elements that are turned.
  int64_t most = 0;
  for (unsigned loop = 0; loop < nest.depth(); ++loop) {
    int64_t count = llvm::count_if(op.getDpsInputOperands(), [&](auto *input) {
      return isTurnedBy(input, loop);
    });
    count *= nest.extents[loop];
    if (count > most)
      most = count, other = loop;
  }
  if (!other)
    return false;
  along = *first, across = *other;
  alongExtent = nest.extents[along], acrossExtent = nest.extents[across];
  for (OpOperand *input : op.getDpsInputOperands())
    if (isTurnedBy(input, across) &&
        !op.getMatchingBlockArgument(input).use_empty())
      turned.push_back(input);
  return !turned.empty() && std::min(alongExtent, acrossExtent) >= shortest;
}

void TilePlan::chooseTile(const StepOperands &operands, const weft::Gpu &gpu) {
  int64_t widest = 1;
  for (OpOperand &operand : operands.op->getOpOperands())
    if (isa<MemRefType>(operand.get().getType()))
      widest = std::max(widest, bytesOf(operand));
  auto choose = [&](int64_t most) {
    auto size = [&](int64_t extent) {
      return std::min<int64_t>(most, llvm::bit_ceil<uint64_t>(extent));
    };
    alongTile = size(alongExtent), acrossTile = size(acrossExtent);
  };
  // Lines of 256 bytes; shorter ones where all blocks would run at once.
  constexpr int64_t large = 64, small = 32;
  choose(widest > 4 || turned.size() > 2 ? small : large);
  int64_t tiles =
      llvm::divideCeil(llvm::product_of(operands.extents), tileElements());
  if (tiles < 4 * gpu.multiprocessors)
    choose(small);
}

int64_t TilePlan::widthOf(const StepOperands &operands, OpOperand &operand,
                          unsigned loop) const {
  if (isa<ComplexType>(getElementTypeOrSelf(operand.get().getType())))
    return 1;
  int64_t width = std::min(std::max<int64_t>(16 / bytesOf(operand), 1),
                           tileElements() / threads);
  for (; width > 1; width /= 2)
    if (operands.extents[loop] % width == 0 &&
        operands.isAligned(operand, loop, width))
      break;
  return width;
}

std::optional<TilePlan> TilePlan::make(const StepOperands &operands,
                                       const weft::Gpu &gpu) {
  TilePlan plan;
  LinalgOp op = operands.op;
  if (!operands.nest || op.hasIndexSemantics() || op.getNumDpsInits() == 0 ||
      !plan.findLoops(operands))
    return std::nullopt;
  plan.chooseTile(operands, gpu);
  plan.width = plan.tileElements();
  for (OpOperand &result : op.getDpsInitsMutable())
    plan.width =
        std::min(plan.width, plan.widthOf(operands, result, plan.along));
  return plan;
}

//===----------------------------------------------------------------------===//
// The code
//===----------------------------------------------------------------------===//

class TileEmitter {
public:
  TileEmitter(gpu::GPUFuncOp kernel, StepOperands &operands,
              const TilePlan &plan)
      : b(operands.op.getLoc(), operands.op), kernel(kernel),
        operands(operands), plan(plan), shared(kernel) {}

  void emit() {
    placeBlock();
    operands.begin(b);
    // All is on its way before the first thing has to be there.
    SmallVector<Tile> tiles;
    for (OpOperand *operand : plan.turned)
      tiles.push_back(read(*operand));
    for (Tile &tile : tiles)
      leave(tile);
    gpu::BarrierOp::create(b);
    compute(tiles);
    shared.close();
    operands.op->erase();
  }

private:
  /// Elements of a tile that a thread moves at once, by their places in it.
  struct Piece {
    Value along, across;
  };
  /// What of an operand a thread has read, and where it belongs: the lines of
  /// its tile are an odd number of words apart.
  struct Tile {
    OpOperand *operand;
    Value memory;
    int64_t pitch;
    SmallVector<Piece> pieces;
    SmallVector<SmallVector<Value>> values;
  };

  Value number(int64_t value) {
    return arith::ConstantIndexOp::create(b, value);
  }
  Value sum(Value x, Value y) { return arith::AddIOp::create(b, x, y); }

  void placeBlock() {
    int64_t blocks = plan.alongTiles() * plan.acrossTiles();
    SmallVector<int64_t> counts;
    for (unsigned loop = 0; loop < operands.extents.size(); ++loop)
      if (loop != plan.along && loop != plan.across) {
        counts.push_back(operands.extents[loop]);
        blocks *= operands.extents[loop];
      }
    llvm::append_range(
        counts, ArrayRef<int64_t>{plan.acrossTiles(), plan.alongTiles()});
    weft::stateSize(kernel, blocks, threads);
    thread = gpu::ThreadIdOp::create(b, gpu::Dimension::x);
    Value block = gpu::BlockIdOp::create(b, gpu::Dimension::x);
    SmallVector<Value> digits = weft::splitDigits(b, block, counts);
    size_t next = 0;
    for (unsigned loop = 0; loop < operands.extents.size(); ++loop)
      first.push_back(
          loop == plan.along || loop == plan.across ? Value() : digits[next++]);
    first[plan.across] =
        arith::MulIOp::create(b, digits[next], number(plan.acrossTile));
    first[plan.along] =
        arith::MulIOp::create(b, digits[next + 1], number(plan.alongTile));
  }

  /// A thread's pieces of `width` elements, of which neighbouring threads have
  /// neighbouring ones of a line.
  SmallVector<Piece> piecesOf(bool linesAreAlong, int64_t width) {
    int64_t perLine =
        (linesAreAlong ? plan.alongTile : plan.acrossTile) / width;
    Value within = arith::MulIOp::create(
        b, arith::RemUIOp::create(b, thread, number(perLine)), number(width));
    Value line = arith::DivUIOp::create(b, thread, number(perLine));
    SmallVector<Piece> pieces;
    for (int64_t i = 0; i < plan.tileElements() / width / threads; ++i) {
      Value each = sum(line, number(i * (threads / perLine)));
      pieces.push_back(linesAreAlong ? Piece{within, each}
                                     : Piece{each, within});
    }
    return pieces;
  }

  /// The loops' steps at a place of the tile.
  SmallVector<Value> stepsAt(const Piece &piece) {
    SmallVector<Value> steps(first);
    steps[plan.along] = sum(steps[plan.along], piece.along);
    steps[plan.across] = sum(steps[plan.across], piece.across);
    return steps;
  }

  Tile read(OpOperand &operand) {
    Type type = getElementTypeOrSelf(operand.get().getType());
    int64_t bytes = bytesOf(operand);
    int64_t width = plan.widthOf(operands, operand, plan.across);
    Tile tile{&operand, {}, {}, {}, {}};
    tile.pitch = plan.acrossTile + std::max<int64_t>(4 / bytes, 1);
    tile.memory = shared.keep(
        b, b.getLoc(), MemRefType::get({plan.alongTile * tile.pitch}, type));
    tile.pieces = piecesOf(/*linesAreAlong=*/false, width);
    for (const Piece &piece : tile.pieces) {
      SmallVector<Value> steps = stepsAt(piece);
      // Beyond the last ones these are read again, so that no branch keeps the
      // others waiting; nothing is computed of them.
      auto clamp = [&](unsigned loop, int64_t extent, int64_t size,
                       int64_t last) {
        if (extent % size)
          steps[loop] =
              arith::MinUIOp::create(b, steps[loop], number(extent - last));
      };
      clamp(plan.along, plan.alongExtent, plan.alongTile, 1);
      clamp(plan.across, plan.acrossExtent, plan.acrossTile, width);
      if (width > 1)
        tile.values.push_back(operands.loadWide(b, operand, steps, width));
      else
        tile.values.push_back({operands.load(b, operand, steps)});
    }
    return tile;
  }

  Value placeIn(const Tile &tile, Value along, Value across) {
    return sum(arith::MulIOp::create(b, along, number(tile.pitch)), across);
  }

  void leave(const Tile &tile) {
    for (auto [piece, values] : llvm::zip_equal(tile.pieces, tile.values)) {
      Value place = placeIn(tile, piece.along, piece.across);
      for (auto [i, value] : llvm::enumerate(values))
        memref::StoreOp::create(b, value, tile.memory,
                                ValueRange{sum(place, number(i))});
    }
  }

  Value isWithin(ArrayRef<Value> steps) {
    auto isLess = [&](unsigned loop, int64_t extent) -> Value {
      return arith::CmpIOp::create(b, arith::CmpIPredicate::ult, steps[loop],
                                   number(extent));
    };
    return arith::AndIOp::create(b, isLess(plan.along, plan.alongExtent),
                                 isLess(plan.across, plan.acrossExtent));
  }

  void compute(ArrayRef<Tile> tiles) {
    for (const Piece &piece : piecesOf(/*linesAreAlong=*/true, plan.width)) {
      OpBuilder::InsertionGuard guard(b);
      SmallVector<Value> steps = stepsAt(piece);
      if (plan.isRagged()) {
        auto branch = scf::IfOp::create(b, TypeRange{}, isWithin(steps),
                                        /*withElse=*/false);
        b.setInsertionPointToStart(branch.thenBlock());
      }
      computePiece(tiles, piece, steps);
    }
  }

  void computePiece(ArrayRef<Tile> tiles, const Piece &piece,
                    ArrayRef<Value> steps) {
    SmallVector<SmallVector<Value>> arguments(plan.width), places;
    for (int64_t i = 0; i < plan.width; ++i) {
      places.emplace_back(steps);
      places.back()[plan.along] = sum(steps[plan.along], number(i));
    }
    for (OpOperand &operand : operands.op->getOpOperands()) {
      auto tile = llvm::find_if(
          tiles, [&](const Tile &each) { return each.operand == &operand; });
      SmallVector<Value> values =
          operands.op.getMatchingBlockArgument(&operand).use_empty()
              ? SmallVector<Value>(plan.width)
          : tile != tiles.end() ? turned(*tile, piece)
                                : straight(operand, places);
      for (auto [of, value] : llvm::zip_equal(arguments, values))
        of.push_back(value);
    }
    SmallVector<SmallVector<Value>> results;
    for (auto [of, at] : llvm::zip_equal(arguments, places))
      results.push_back(operands.compute(b, of, at));
    for (auto [i, result] : llvm::enumerate(operands.op.getDpsInitsMutable())) {
      SmallVector<Value> values = llvm::map_to_vector(
          results, [&, i = i](ArrayRef<Value> of) { return of[i]; });
      if (plan.width > 1)
        operands.storeWide(b, values, result, steps);
      else
        operands.store(b, values[0], result, steps);
    }
  }

  /// A piece of a result's line, out of a tile's lines.
  SmallVector<Value> turned(const Tile &tile, const Piece &piece) {
    Value place = placeIn(tile, piece.along, piece.across);
    SmallVector<Value> values;
    for (int64_t i = 0; i < plan.width; ++i)
      values.push_back(memref::LoadOp::create(
          b, tile.memory, ValueRange{sum(place, number(i * tile.pitch))}));
    return values;
  }

  /// Elements of what is not turned.
  SmallVector<Value> straight(OpOperand &operand,
                              ArrayRef<SmallVector<Value>> places) {
    int64_t stride =
        operands.nest->stride(operand.getOperandNumber(), plan.along);
    if (stride == 0)
      return SmallVector<Value>(plan.width,
                                operands.load(b, operand, places[0]));
    if (plan.width > 1 &&
        !isa<ComplexType>(getElementTypeOrSelf(operand.get().getType())) &&
        operands.isAligned(operand, plan.along, plan.width))
      return operands.loadWide(b, operand, places[0], plan.width);
    return llvm::map_to_vector(places, [&](ArrayRef<Value> place) {
      return operands.load(b, operand, place);
    });
  }

  ImplicitLocOpBuilder b;
  gpu::GPUFuncOp kernel;
  StepOperands &operands;
  const TilePlan &plan;
  weft::SharedMemory shared;
  Value thread;
  /// The steps at which the block's tile begins.
  SmallVector<Value> first;
};

class LowerTransposes final
    : public weft::impl::LowerTransposesBase<LowerTransposes> {
  void runOnOperation() override {
    if (!weft::isOptimized(getOperation()))
      return;
    weft::Gpu gpu = weft::Gpu::of(getOperation());
    for (auto kernel : getOperation().getOps<gpu::GPUFuncOp>()) {
      auto kind = kernel->getAttrOfType<StringAttr>(weft::classAttr);
      if (!kind || kind.getValue() != "elementwise" ||
          kernel.getKnownGridSizeAttr())
        continue;
      auto ops = kernel.front().getOps<LinalgOp>();
      if (llvm::hasSingleElement(ops))
        lower(kernel, *ops.begin(), gpu);
    }
  }

  static void lower(gpu::GPUFuncOp kernel, LinalgOp op, const weft::Gpu &gpu) {
    if (op.getNumReductionLoops() > 0)
      return;
    StepOperands operands(op, /*mayMerge=*/true);
    if (auto plan = TilePlan::make(operands, gpu))
      TileEmitter(kernel, operands, *plan).emit();
  }
};

} // namespace
