// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft-lower-scans: a kernel that is a step of running values -> code for the
// threads of blocks. A team of threads has a tile of a row: each walks along a
// few elements, then lanes and warps find out what stands before them. What is
// read beyond a row is its last element again, and is before no other.

#include "lowering/Passes.h"
#include "lowering/gpu/Device.h"
#include "lowering/gpu/KernelBuilder.h"
#include "lowering/gpu/ScanStep.h"
#include "lowering/gpu/Shuffles.h"
#include "lowering/linalg/ToLinalg.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Complex/IR/Complex.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

namespace weft {
#define GEN_PASS_DEF_LOWERSCANS
#include "lowering/Passes.h.inc"
} // namespace weft

using namespace mlir;
using weft::KernelBuilder;
using weft::scannedPerThread;
using weft::ScanStep;
using weft::scanThreads;
using weft::warpLanes;
using weft::scalar::Scalar;

namespace {

using Values = SmallVector<Value>;

/// What stands before something, if anything does: `exists` is null where that
/// is known.
struct Before {
  Value value, exists;
};

/// The tile of a team, in the numbers of the thread that asks.
struct Tile {
  /// Whether there is one; other teams read the last one again.
  Value exists;
  Value row, number;
  /// The row's first element in memory, and the tile's first in the row.
  Value origin, begin;
};

class Emitter {
public:
  Emitter(gpu::GPUFuncOp func, weft::LibraryCallOp call, const ScanStep &step)
      : func(func), call(call), step(step),
        k(func, call,
          2 * step.rows() * (step.length + step.tile()) > INT32_MAX),
        stored(weft::storedElement(step.element)),
        computed(weft::computedElement(step.element)),
        hasTotals(step.kind == ScanStep::Kind::Totals),
        perRow(hasTotals ? step.tiles() - 1 : step.tiles()),
        all(step.rows() * perRow) {
    int64_t length = std::min(step.length, step.tile());
    team = llvm::PowerOf2Ceil(llvm::divideCeil(length, scannedPerThread));
    teams = std::clamp<int64_t>(llvm::PowerOf2Ceil(all),
                                std::max<int64_t>(warpLanes / team, 1),
                                scanThreads / team);
    // Threads that take elements of several teams in turn meet no other in a
    // bank.
    pitch = team * scannedPerThread + (step.inner == 1 ? 0 : 1);
  }

  void emit() {
    weft::stateSize(func, llvm::divideCeil(all, teams), team * teams);
    thread = k.thread();
    block = k.block();
    memory = k.shared(teams * pitch * bytesOf(stored));
    Value input = pointer(call.getInputs()[0]);
    move([&](const Tile &tile, Value index, Value place) {
      Value at = k.add(tile.begin, index);
      at = k.least(at, step.length - 1);
      store(load(input, offset(tile, at), stored), memory, place, stored);
    });
    k.barrier();

    Value number = k.divide(thread, team);
    lane = k.remainder(thread, team);
    own = k.add(k.multiply(number, pitch), k.multiply(lane, scannedPerThread));
    Tile tile = tileOf(number);
    Values values = walk();
    Before before = combined(carried(tile), beforeThread(values.back()));
    if (hasTotals)
      writeTotal(tile, with(before, values.back()));
    else
      writeTile(before, values);
    call.erase();
  }

private:
  //===--------------------------------------------------------------------===//
  // Elements
  //===--------------------------------------------------------------------===//

  static int64_t bytesOf(Type type) {
    if (auto complex = dyn_cast<ComplexType>(type))
      return 2 * bytesOf(complex.getElementType());
    return type.getIntOrFloatBitWidth() / 8;
  }

  static Type elementOf(Value buffer) {
    return cast<MemRefType>(buffer.getType()).getElementType();
  }

  /// Where a buffer begins.
  Value pointer(Value buffer) {
    int64_t offset =
        cast<MemRefType>(buffer.getType()).getStridesAndOffset().second;
    Value begin = k.pointer(buffer);
    if (ShapedType::isDynamic(offset) || offset == 0)
      return begin;
    return at(begin, k.number(offset), elementOf(buffer));
  }

  Value at(Value begin, Value index, Type type) {
    if (auto complex = dyn_cast<ComplexType>(type))
      return k.at(begin, complex.getElementType(), k.multiply(index, 2));
    return k.at(begin, type, index);
  }

  Value load(Value begin, Value index, Type type) {
    Value from = at(begin, index, type);
    auto complex = dyn_cast<ComplexType>(type);
    if (!complex)
      return k.load(from, type);
    Values parts = k.unpack(k.load(from, complex.getElementType(), 2));
    return complex::CreateOp::create(k.b, type, parts[0], parts[1]);
  }

  void store(Value value, Value begin, Value index, Type type) {
    if (isa<ComplexType>(type))
      value = k.pack({complex::ReOp::create(k.b, value),
                      complex::ImOp::create(k.b, value)});
    k.store(value, at(begin, index, type));
  }

  Scalar scalar(Value value, Type type) {
    return {value, type, &k.b, k.b.getLoc()};
  }

  Value combine(Value left, Value right) {
    return step.combine(scalar(left, computed), scalar(right, computed)).value;
  }

  /// What a lane so far before has.
  Value ofLaneBefore(Value value, int64_t distance) {
    if (!isa<ComplexType>(value.getType()))
      return weft::ofLaneBefore(k.b, value, distance);
    Value re = complex::ReOp::create(k.b, value);
    Value im = complex::ImOp::create(k.b, value);
    return complex::CreateOp::create(k.b, value.getType(),
                                     weft::ofLaneBefore(k.b, re, distance),
                                     weft::ofLaneBefore(k.b, im, distance));
  }

  //===--------------------------------------------------------------------===//
  // What stands before
  //===--------------------------------------------------------------------===//

  /// `value`, with what stands before it.
  Value with(const Before &before, Value value) {
    if (!before.value)
      return value;
    return k.select(before.exists, combine(before.value, value), value);
  }

  /// What stands before both.
  Before combined(const Before &first, const Before &second) {
    if (!first.value || !second.value)
      return first.value ? first : second;
    Value both = with(first, second.value);
    if (!second.exists)
      return {both, Value()};
    Value exists = first.exists
                       ? arith::OrIOp::create(k.b, first.exists, second.exists)
                       : Value();
    return {k.select(second.exists, both, first.value), exists};
  }

  Value isAtLeast(Value x, int64_t y) {
    return arith::CmpIOp::create(k.b, arith::CmpIPredicate::sge, x,
                                 k.number(y));
  }

  /// What the tiles before come to.
  Before carried(const Tile &tile) {
    if (call.getInputs().size() == 1)
      return {};
    // The first tile reads what stands before the second.
    Value before =
        arith::MaxSIOp::create(k.b, k.add(tile.number, -1), k.number(0));
    Value index = k.add(k.multiply(tile.row, step.tiles() - 1), before);
    Value sums = pointer(call.getInputs()[1]);
    return {load(sums, index, weft::storedElement(computed)),
            isAtLeast(tile.number, 1)};
  }

  /// What the threads of the team before this one come to: lanes of a warp at
  /// ever larger distances, then warps.
  Before beforeThread(Value total) {
    if (team == 1)
      return {};
    int64_t lanes = std::min(team, warpLanes);
    Value inWarp = k.remainder(lane, lanes);
    for (int64_t distance = 1; distance < lanes; distance *= 2)
      total = with({ofLaneBefore(total, distance), isAtLeast(inWarp, distance)},
                   total);
    Before before{ofLaneBefore(total, 1), isAtLeast(inWarp, 1)};
    return team == lanes ? before : combined(beforeWarp(total), before);
  }

  Before beforeWarp(Value total) {
    Type type = weft::storedElement(computed);
    int64_t warps = team / warpLanes;
    Value sums = k.shared(teams * warps * bytesOf(type));
    Value number = k.divide(thread, warpLanes);
    k.onlyIf(k.isEqual(k.remainder(thread, warpLanes), warpLanes - 1),
             [&] { store(total, sums, number, type); });
    k.barrier();
    Value inTeam = k.remainder(number, warps);
    Value first = arith::SubIOp::create(k.b, number, inTeam);
    Value sum = load(sums, first, type);
    if (warps > 2)
      sum = k.loop(warps - 2, sum, [&](Value i, ArrayRef<Value> sum) {
        Value next = k.add(i, 1);
        Value other = load(sums, k.add(first, next), type);
        Value isBefore =
            arith::CmpIOp::create(k.b, arith::CmpIPredicate::slt, next, inTeam);
        return Values{k.select(isBefore, combine(sum[0], other), sum[0])};
      })[0];
    return {sum, isAtLeast(inTeam, 1)};
  }

  //===--------------------------------------------------------------------===//
  // Tiles
  //===--------------------------------------------------------------------===//

  /// The tiles of neighbouring rows follow each other.
  Tile tileOf(Value team) {
    Value tile = k.add(k.multiply(block, teams), team);
    Value exists = all % teams == 0 ? Value() : k.isLess(tile, all);
    tile = exists ? k.least(tile, all - 1) : tile;
    Value column = k.remainder(tile, step.inner);
    Value rest = k.divide(tile, step.inner);
    Value number = k.remainder(rest, perRow), outer = k.divide(rest, perRow);
    Value row = k.add(k.multiply(outer, step.inner), column);
    Value origin = k.add(k.multiply(outer, step.length * step.inner), column);
    return {exists, row, number, origin, k.multiply(number, step.tile())};
  }

  /// Where an element of a row is in memory.
  Value offset(const Tile &tile, Value index) {
    if (step.reverse)
      index = arith::SubIOp::create(k.b, k.number(step.length - 1), index);
    return k.add(tile.origin, k.multiply(index, step.inner));
  }

  /// Each thread moves elements whose neighbours in memory others move: `body`
  /// is given a tile, the place in it, and that in shared memory.
  void move(llvm::function_ref<void(const Tile &, Value, Value)> body) {
    bool alongRow = step.inner == 1;
    Value number =
        alongRow ? k.divide(thread, team) : k.remainder(thread, teams);
    Value first =
        alongRow ? k.remainder(thread, team) : k.divide(thread, teams);
    Tile tile = tileOf(number);
    Value begin = k.multiply(number, pitch);
    for (int64_t i = 0; i < scannedPerThread; ++i) {
      Value index = k.add(first, i * team);
      body(tile, index, k.add(begin, index));
    }
  }

  /// The running values of a thread's own elements.
  Values walk() {
    Values values;
    for (int64_t i = 0; i < scannedPerThread; ++i) {
      Value element = load(memory, k.add(own, i), stored);
      element = weft::scalar::widen(scalar(element, step.element)).value;
      values.push_back(i == 0 ? element : combine(values.back(), element));
    }
    return values;
  }

  void writeTotal(const Tile &tile, Value total) {
    Value output = call.getOutputs()[0];
    Value isLast = k.both(k.isEqual(lane, team - 1), tile.exists);
    k.onlyIf(isLast, [&] {
      Value index = k.add(k.multiply(tile.row, perRow), tile.number);
      store(total, pointer(output), index, elementOf(output));
    });
  }

  void writeTile(const Before &before, ArrayRef<Value> values) {
    for (auto [i, value] : llvm::enumerate(values)) {
      Value element = with(before, value);
      if (computed != step.element)
        element =
            weft::scalar::narrow(scalar(element, computed), step.element).value;
      store(element, memory, k.add(own, static_cast<int64_t>(i)), stored);
    }
    k.barrier();
    Value output = pointer(call.getOutputs()[0]);
    move([&](const Tile &tile, Value index, Value place) {
      Value at = k.add(tile.begin, index);
      k.onlyIf(k.both(k.isLess(at, step.length), tile.exists), [&] {
        store(load(memory, place, stored), output, offset(tile, at), stored);
      });
    });
  }

  gpu::GPUFuncOp func;
  weft::LibraryCallOp call;
  const ScanStep &step;
  KernelBuilder k;
  /// Elements in memory, and what they are computed in, as `weft` has it.
  Type stored, computed;
  bool hasTotals;
  /// Tiles of a row that are walked through, and of all rows.
  int64_t perRow, all;
  /// Threads of a team, teams of a block, and elements between two of them in
  /// shared memory.
  int64_t team, teams, pitch;
  Value thread, block, memory, lane, own;
};

class LowerScans final : public weft::impl::LowerScansBase<LowerScans> {
  void runOnOperation() override {
    for (auto func : getOperation().getOps<gpu::GPUFuncOp>())
      for (auto call :
           llvm::make_early_inc_range(func.getOps<weft::LibraryCallOp>()))
        if (auto step = ScanStep::of(call))
          Emitter(func, call, *step).emit();
  }
};

} // namespace
