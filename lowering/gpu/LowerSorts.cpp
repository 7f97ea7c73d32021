// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft-lower-sorts: a kernel that is a step of sorting -> code for the threads
// of blocks. Each thread sorts a few elements in registers, then the threads of
// ever larger teams merge what they have: a thread finds, by bisection, which
// elements of both runs the ones before its own are, and merges on from there.
// As equal elements keep their order everywhere, nothing depends on a place.

#include "lowering/Passes.h"
#include "lowering/gpu/Device.h"
#include "lowering/gpu/KernelBuilder.h"
#include "lowering/gpu/SortStep.h"
#include "lowering/linalg/ToLinalg.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

namespace weft {
#define GEN_PASS_DEF_LOWERSORTS
#include "lowering/Passes.h.inc"
} // namespace weft

using namespace mlir;
using weft::KernelBuilder;
using weft::sortedPerThread;
using weft::SortStep;
using weft::sortThreads;
using weft::sortTile;

namespace {

using Values = SmallVector<Value>;

/// Elements that follow each other in memory, and their places if asked for;
/// or those of a thread, in registers.
struct Items {
  Value words, places;
};
struct OwnItems {
  Values words, places;
};

/// Two runs that are merged: the second one begins where the first one ends.
struct Runs {
  Items begin;
  Value first, both;
};

class Emitter {
public:
  Emitter(gpu::GPUFuncOp func, weft::LibraryCallOp call, const SortStep &step)
      : func(func), call(call), step(step),
        k(func, call, step.rows * (step.size + sortTile) > INT32_MAX) {
    auto type = cast<MemRefType>(call.getInputs()[0].getType());
    stored = type.getElementType();
    word = k.b.getIntegerType(stored.getIntOrFloatBitWidth());
    if (step.kind == SortStep::Kind::TilesWithPlaces)
      place = k.word;
    else if (call.getInputs().size() > 1)
      place = elementOf(call.getInputs()[1]);
  }

  void emit() {
    if (step.kind == SortStep::Kind::Merge)
      emitMerge();
    else
      emitTiles();
    call.erase();
  }

private:
  //===--------------------------------------------------------------------===//
  // Order
  //===--------------------------------------------------------------------===//

  Value isBefore(Value x, Value y) {
    if (step.descending)
      std::swap(x, y);
    auto asStored = [&](Value bits) -> Value {
      return k.b.createOrFold<arith::BitcastOp>(stored, bits);
    };
    return weft::buildIsBefore(k.b, k.b.getLoc(), step.element, asStored(x),
                               asStored(y));
  }

  /// What no element is after. Where it stands behind all elements it stays
  /// there, whatever they are.
  Value last() {
    Type type = step.element;
    if (auto real = dyn_cast<FloatType>(type)) {
      const llvm::fltSemantics &format = real.getFloatSemantics();
      APFloat value = step.descending
                          ? APFloat::getLargest(format, /*Negative=*/true)
                          : APFloat::getNaN(format);
      if (step.descending && APFloat::semanticsHasInf(format))
        value = APFloat::getInf(format, /*Negative=*/true);
      return constant(value.bitcastToAPInt());
    }
    unsigned width = word.getWidth();
    bool isSigned = !type.isUnsignedInteger();
    if (step.descending)
      return constant(isSigned ? APInt::getSignedMinValue(width)
                               : APInt::getMinValue(width));
    return constant(isSigned ? APInt::getSignedMaxValue(width)
                             : APInt::getMaxValue(width));
  }

  Value constant(const APInt &bits) {
    return arith::ConstantOp::create(k.b, k.b.getIntegerAttr(word, bits));
  }

  //===--------------------------------------------------------------------===//
  // Memory
  //===--------------------------------------------------------------------===//

  static Type elementOf(Value buffer) {
    return cast<MemRefType>(buffer.getType()).getElementType();
  }

  Value pointer(Value buffer) {
    int64_t offset =
        cast<MemRefType>(buffer.getType()).getStridesAndOffset().second;
    Value begin = k.pointer(buffer);
    return ShapedType::isDynamic(offset)
               ? begin
               : k.at(begin, elementOf(buffer), offset);
  }

  Items shared(int64_t count) {
    Items items;
    items.words = k.shared(count * word.getWidth() / 8);
    if (place)
      items.places = k.shared(count * place.getIntOrFloatBitWidth() / 8);
    return items;
  }

  Items at(const Items &items, Value index) {
    Items moved;
    moved.words = k.at(items.words, word, index);
    if (items.places)
      moved.places = k.at(items.places, place, index);
    return moved;
  }

  Value wordAt(Value words, Value index) {
    return k.load(k.at(words, word, index), word);
  }

  void store(const OwnItems &own, const Items &to) {
    for (int64_t i = 0; i < sortedPerThread; ++i) {
      k.store(own.words[i], k.at(to.words, word, i));
      if (place)
        k.store(own.places[i], k.at(to.places, place, i));
    }
  }

  OwnItems load(const Items &from) {
    OwnItems own;
    for (int64_t i = 0; i < sortedPerThread; ++i) {
      own.words.push_back(k.load(k.at(from.words, word, i), word));
      if (place)
        own.places.push_back(k.load(k.at(from.places, place, i), place));
    }
    return own;
  }

  Value isBelow(Value x, Value y) {
    return arith::CmpIOp::create(k.b, arith::CmpIPredicate::slt, x, y);
  }

  /// The elements of a team of `threads`, neighbours by neighbours.
  void forEachOf(Value lane, int64_t threads, Value count,
                 llvm::function_ref<void(Value)> body) {
    for (int64_t i = 0; i < sortedPerThread; ++i) {
      Value index = k.add(lane, i * threads);
      k.onlyIf(isBelow(index, count), [&] { body(index); });
    }
  }

  /// Writes what is wanted of sorted items, from `begin` of the results on.
  void write(Value lane, int64_t threads, Value count, const Items &items,
             Value begin) {
    Values outputs = call.getOutputs();
    // Places alone are all that is wanted in the end.
    bool hasWords = !place || outputs.size() > 1;
    Values to = llvm::map_to_vector(outputs, [&](Value output) {
      return k.at(pointer(output), elementOf(output), begin);
    });
    forEachOf(lane, threads, count, [&](Value index) {
      if (hasWords)
        k.store(wordAt(items.words, index), k.at(to.front(), word, index));
      if (!place)
        return;
      Value from = k.load(k.at(items.places, place, index), place);
      Type wanted = elementOf(outputs.back());
      k.store(resized(from, wanted), k.at(to.back(), wanted, index));
    });
  }

  Value resized(Value number, Type type) {
    unsigned from = number.getType().getIntOrFloatBitWidth();
    unsigned to = type.getIntOrFloatBitWidth();
    if (from < to)
      return arith::ExtUIOp::create(k.b, type, number);
    return from > to ? arith::TruncIOp::create(k.b, type, number).getResult()
                     : number;
  }

  //===--------------------------------------------------------------------===//
  // Sorting and merging
  //===--------------------------------------------------------------------===//

  /// Neighbours change places where they are not in order, as often as an
  /// element may have to go.
  void sortOwn(OwnItems &own) {
    for (int64_t round = 0; round < sortedPerThread; ++round)
      for (int64_t i = round % 2; i + 1 < sortedPerThread; i += 2) {
        Value swap = isBefore(own.words[i + 1], own.words[i]);
        exchange(own.words, i, swap);
        if (place)
          exchange(own.places, i, swap);
      }
  }

  void exchange(Values &values, int64_t i, Value swap) {
    Value low = values[i], high = values[i + 1];
    values[i] = k.select(swap, high, low);
    values[i + 1] = k.select(swap, low, high);
  }

  /// How many of the first `count` items of two runs in order are of the first
  /// one; of such that are equal, those are first.
  Value countOfFirst(Value first, Value firstCount, Value second,
                     Value secondCount, Value count) {
    ImplicitLocOpBuilder &b = k.b;
    Value low = arith::SubIOp::create(b, count, secondCount);
    low = arith::MaxSIOp::create(b, low, k.number(0));
    Value high = arith::MinSIOp::create(b, count, firstCount);
    auto loop = scf::WhileOp::create(
        b, TypeRange{k.word, k.word}, ValueRange{low, high},
        [&](OpBuilder &inner, Location loc, ValueRange bounds) {
          Value goesOn = arith::CmpIOp::create(
              inner, loc, arith::CmpIPredicate::slt, bounds[0], bounds[1]);
          scf::ConditionOp::create(inner, loc, goesOn, bounds);
        },
        [&](OpBuilder &, Location, ValueRange) {});
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToEnd(loop.getAfterBody());
    Value from = loop.getAfterArguments()[0], to = loop.getAfterArguments()[1];
    Value middle = k.divide(k.add(from, to), 2);
    Value other = k.add(arith::SubIOp::create(b, count, middle), -1);
    Value isSecond = isBefore(wordAt(second, other), wordAt(first, middle));
    scf::YieldOp::create(b, {k.select(isSecond, from, k.add(middle, 1)),
                             k.select(isSecond, middle, to)});
    return loop.getResult(0);
  }

  /// The items of a thread, of which `before` come before in both runs.
  OwnItems merge(const Runs &runs, Value before) {
    ImplicitLocOpBuilder &b = k.b;
    Value words = runs.begin.words, all = runs.both;
    Value second = k.at(words, word, runs.first);
    Value ofSecond = arith::SubIOp::create(b, all, runs.first);
    Value x = countOfFirst(words, runs.first, second, ofSecond, before);
    Value y = k.add(runs.first, Value(arith::SubIOp::create(b, before, x)));
    // Reads stay within the runs; what is read beyond one is not taken.
    Value most = k.add(all, -1);
    auto read = [&](Value index) {
      return wordAt(words, arith::MinSIOp::create(b, index, most));
    };
    Value xWord = read(x), yWord = read(y);
    OwnItems own;
    for (int64_t i = 0; i < sortedPerThread; ++i) {
      Value yes = k.zero(b.getI1Type());
      yes = arith::CmpIOp::create(b, arith::CmpIPredicate::eq, yes, yes);
      Value isX = arith::XOrIOp::create(b, isBefore(yWord, xWord), yes);
      isX = arith::AndIOp::create(b, isX, isBelow(x, runs.first));
      Value yIsOver =
          arith::CmpIOp::create(b, arith::CmpIPredicate::sge, y, all);
      isX = arith::OrIOp::create(b, isX, yIsOver);
      Value from = k.select(isX, x, y);
      own.words.push_back(k.select(isX, xWord, yWord));
      if (place)
        own.places.push_back(k.load(k.at(runs.begin.places, place,
                                         arith::MinSIOp::create(b, from, most)),
                                    place));
      if (i + 1 == sortedPerThread)
        break;
      Value next = k.add(from, 1), nextWord = read(next);
      x = k.select(isX, next, x);
      y = k.select(isX, y, next);
      xWord = k.select(isX, nextWord, xWord);
      yWord = k.select(isX, yWord, nextWord);
    }
    return own;
  }

  //===--------------------------------------------------------------------===//
  // Tiles
  //===--------------------------------------------------------------------===//

  /// Blocks of teams of threads, of which each sorts a row or a run of it.
  void emitTiles() {
    int64_t length = std::min(step.size, step.run);
    int64_t team =
        llvm::PowerOf2Ceil(llvm::divideCeil(length, sortedPerThread));
    int64_t runs = step.rows * llvm::divideCeil(step.size, step.run);
    int64_t teams = std::clamp<int64_t>(llvm::PowerOf2Ceil(runs),
                                        std::max<int64_t>(32 / team, 1),
                                        sortThreads / team);
    int64_t threads = team * teams;
    weft::stateSize(func, llvm::divideCeil(runs, teams), threads);

    Value thread = k.thread(), lane = k.remainder(thread, team);
    Value number = k.divide(thread, team);
    Items all = shared(threads * sortedPerThread);
    Items items = at(all, k.multiply(number, team * sortedPerThread));
    Value run = k.add(k.multiply(k.block(), teams), number);
    Value row, begin, count;
    locate(run, runs, row, begin, count);

    read(lane, team, row, begin, count, items);
    k.barrier();
    Value own = k.multiply(lane, sortedPerThread);
    OwnItems sorted = load(at(items, own));
    sortOwn(sorted);
    store(sorted, at(items, own));
    k.barrier();
    k.loop(llvm::Log2_64(team), {}, [&](Value round, ArrayRef<Value>) {
      mergeTeams(lane, round, items);
      return Values{};
    });
    write(lane, team, count, items, k.add(k.multiply(row, step.size), begin));
  }

  /// Where a run is, and how long: there are threads for more of them than
  /// there are.
  void locate(Value run, int64_t runs, Value &row, Value &begin, Value &count) {
    int64_t perRow = llvm::divideCeil(step.size, step.run);
    row = k.divide(run, perRow);
    begin = k.multiply(k.remainder(run, perRow), step.run);
    Value rest = arith::SubIOp::create(k.b, k.number(step.size), begin);
    count = k.least(rest, step.run);
    count = k.select(k.isLess(run, runs), count, k.number(0));
  }

  void read(Value lane, int64_t team, Value row, Value begin, Value count,
            const Items &items) {
    Value before;
    Value from = k.add(k.multiply(row, step.size), begin);
    Value keys = pointer(call.getInputs()[0]);
    if (call.getInputs().size() > 1)
      before = k.at(pointer(call.getInputs()[1]), k.b.getI64Type(), from);
    for (int64_t i = 0; i < sortedPerThread; ++i) {
      Value index = k.add(lane, i * team);
      Value origin = k.add(begin, index);
      Values none{last()};
      if (place)
        none.push_back(origin);
      Values found = k.onlyIf(isBelow(index, count), none, [&] {
        Values found;
        Value source = k.add(from, index);
        if (before) {
          origin = resized(
              k.load(k.at(before, k.b.getI64Type(), index), k.b.getI64Type()),
              place);
          source = k.add(k.multiply(row, step.size), origin);
        }
        found.push_back(wordAt(keys, source));
        if (place)
          found.push_back(origin);
        return found;
      });
      k.store(found[0], k.at(items.words, word, index));
      if (place)
        k.store(found[1], k.at(items.places, place, index));
    }
  }

  /// Each 2^(round + 1) threads merge what both halves of them have.
  void mergeTeams(Value lane, Value round, const Items &items) {
    ImplicitLocOpBuilder &b = k.b;
    Value half = arith::ShLIOp::create(b, k.number(1), round);
    Value both = k.add(half, half);
    Value inTeam = arith::AndIOp::create(b, lane, k.add(both, -1));
    Value first = arith::SubIOp::create(b, lane, inTeam);
    Runs runs{at(items, k.multiply(first, sortedPerThread)),
              k.multiply(half, sortedPerThread),
              k.multiply(both, sortedPerThread)};
    OwnItems own = merge(runs, k.multiply(inTeam, sortedPerThread));
    k.barrier();
    store(own, at(items, k.multiply(lane, sortedPerThread)));
    k.barrier();
  }

  //===--------------------------------------------------------------------===//
  // Runs in the device's memory
  //===--------------------------------------------------------------------===//

  /// A block merges a tile of the result.
  void emitMerge() {
    ImplicitLocOpBuilder &b = k.b;
    int64_t tiles = step.tiles();
    weft::stateSize(func, step.rows * tiles, sortThreads);
    Value thread = k.thread(), block = k.block();
    Value row = k.divide(block, tiles);
    Value tile = k.multiply(k.remainder(block, tiles), sortTile);
    // Two runs, of which the last ones of a row may be short, or not exist.
    Value inPair = k.remainder(tile, 2 * step.run);
    Value pair = arith::SubIOp::create(b, tile, inPair);
    Value rest = arith::SubIOp::create(b, k.number(step.size), pair);
    Value firstCount = k.least(rest, step.run);
    Value bothCount = k.least(rest, 2 * step.run);
    Value secondCount = arith::SubIOp::create(b, bothCount, firstCount);

    Value origin = k.add(k.multiply(row, step.size), pair);
    Items all{pointer(call.getInputs()[0]), Value()};
    if (place)
      all.places = pointer(call.getInputs()[1]);
    Items first = at(all, origin), second = at(first, firstCount);

    // Two threads find where the tile begins and ends in the first run.
    Value bounds = k.shared(2 * k.word.getWidth() / 8);
    Value end = arith::MinSIOp::create(b, k.add(inPair, sortTile), bothCount);
    k.onlyIf(k.isLess(thread, 2), [&] {
      Value count = k.select(k.isEqual(thread, 0), inPair, end);
      Value found = countOfFirst(first.words, firstCount, second.words,
                                 secondCount, count);
      k.store(found, k.at(bounds, k.word, thread));
    });
    k.barrier();
    Value begin = k.load(bounds, k.word);
    Value stop = k.load(k.at(bounds, k.word, 1), k.word);
    Value count = arith::SubIOp::create(b, end, inPair);
    Value ofFirst = arith::SubIOp::create(b, stop, begin);

    Items items = shared(sortTile);
    // What stands in the second run, less what of the tile is of the first.
    Value beforeSecond = arith::SubIOp::create(b, inPair, begin);
    beforeSecond =
        arith::SubIOp::create(b, k.add(firstCount, beforeSecond), ofFirst);
    forEachOf(thread, sortThreads, count, [&](Value index) {
      Value from =
          k.add(index, k.select(isBelow(index, ofFirst), begin, beforeSecond));
      k.store(wordAt(first.words, from), k.at(items.words, word, index));
      if (place)
        k.store(k.load(k.at(first.places, place, from), place),
                k.at(items.places, place, index));
    });
    k.barrier();
    Value own = k.multiply(thread, sortedPerThread);
    Value before = arith::MinSIOp::create(b, own, count);
    OwnItems merged = merge({items, ofFirst, count}, before);
    k.barrier();
    store(merged, at(items, own));
    k.barrier();
    write(thread, sortThreads, count, items, k.add(origin, inPair));
  }

  gpu::GPUFuncOp func;
  weft::LibraryCallOp call;
  const SortStep &step;
  KernelBuilder k;
  Type stored;
  IntegerType word;
  /// Of places; null where only elements are sorted.
  Type place;
};

class LowerSorts final : public weft::impl::LowerSortsBase<LowerSorts> {
  void runOnOperation() override {
    for (auto func : getOperation().getOps<gpu::GPUFuncOp>())
      for (auto call :
           llvm::make_early_inc_range(func.getOps<weft::LibraryCallOp>()))
        if (auto step = SortStep::of(call))
          Emitter(func, call, *step).emit();
  }
};

} // namespace
