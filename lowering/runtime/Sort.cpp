// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The kernels of weft.sort and argsort. Elements become items, unsigned
// integers in the order wanted: a key, and below it the place an element comes
// from where that is asked for. So no two items that differ are equal, and any
// way of sorting them, in however many threads, gives the same.

#include "lowering/runtime/Buffers.h"
#include "lowering/runtime/Kernels.h"
#include "lowering/runtime/SortItems.h"
#include "lowering/runtime/Threads.h"
#include <algorithm>
#include <atomic>
#include <new>
#include <numeric>
#include <type_traits>
#include <utility>
#include <vector>

using namespace weft::runtime;

namespace {

//===----------------------------------------------------------------------===//
// Keys
//===----------------------------------------------------------------------===//

template <typename T> constexpr int bitsOf = 8 * sizeof(T);
template <typename T> constexpr T signOf = T(T(1) << (bitsOf<T> - 1));

/// Integers, of which the signed ones begin with what has the sign.
template <typename T, T first> struct IntegerKey {
  using Word = T;
  static T of(T x) { return x ^ first; }
  static T back(T key) { return key ^ first; }
  /// Whether others, or other bits, have the key of x.
  static bool isShared(T) { return false; }
};

/// Floats, which are a sign and a magnitude: that of the greatest number, and
/// NaN beyond it. All NaN have one key, and so have both zeros.
template <typename T, T greatest> struct FloatKey {
  using Word = T;
  static constexpr T sign = signOf<T>;
  static constexpr T nan = T(~T(0));

  static T of(T x) {
    T number = x == sign ? T(0) : x;
    T key = number & sign ? T(~number) : T(number | sign);
    return isNan(x) ? nan : key;
  }
  static T back(T key) { return key & sign ? T(key ^ sign) : T(~key); }
  static bool isShared(T x) { return (x == sign) | isNan(x); }
  static bool isNan(T x) { return T(x & T(~sign)) > greatest; }
};

//===----------------------------------------------------------------------===//
// Threads
//===----------------------------------------------------------------------===//

/// So many elements are worth the waking of threads.
constexpr int64_t shareFrom = 1 << 14;
/// Pieces of work for each thread, as one may have less time than another, of
/// at least so many elements.
constexpr int64_t piecesPerThread = 4, smallestPiece = 1 << 12;

/// Calls f(i) for each i below `count`, in any order and any thread.
template <typename Function> void share(int64_t count, Function f) {
  if (count == 1)
    return f(0);
  Task task = [](void *f, int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i)
      (*static_cast<Function *>(f))(i);
  };
  runInParallel(task, &f, count);
}

/// Memory that is given back at the end of a scope.
class Scratch {
public:
  explicit Scratch(size_t bytes) : bytes(bytes), memory(takeBuffer(bytes)) {}
  ~Scratch() { giveBuffer(memory, bytes); }
  Scratch(const Scratch &) = delete;
  Scratch &operator=(const Scratch &) = delete;
  char *data() const { return static_cast<char *>(memory); }

private:
  size_t bytes;
  void *memory;
};

/// f(i, begin, end) for `pieces` of about one length, which make up `size`.
template <typename Function>
void sharePieces(int64_t size, int64_t pieces, Function f) {
  share(pieces,
        [&](int64_t i) { f(i, size * i / pieces, size * (i + 1) / pieces); });
}

//===----------------------------------------------------------------------===//
// One row, many threads
//===----------------------------------------------------------------------===//

/// Sorts items in parts of about one size, a thread for each: pieces of the row
/// are divided in the same places, and what belongs together is put together.
template <typename Item> class SharedSort {
public:
  SharedSort(Item *items, Item *other, int64_t size, int64_t parts)
      : items(items), other(other), size(size), parts(parts),
        counts(parts * parts), begins(parts + 1) {}

  /// The sorted items are in `other`.
  void run() {
    chooseBounds();
    sharePieces(size, parts, [&](int64_t piece, int64_t begin, int64_t end) {
      divide(items + begin, end - begin, 0, parts, &counts[piece * parts]);
    });
    std::vector<int64_t> places = addUp();
    sharePieces(size, parts, [&](int64_t piece, int64_t begin, int64_t) {
      const Item *from = items + begin;
      for (int64_t part = 0; part < parts; ++part) {
        int64_t count = counts[piece * parts + part];
        std::copy_n(from, count, other + places[piece * parts + part]);
        from += count;
      }
    });
    share(parts, [&](int64_t part) {
      int64_t begin = begins[part];
      sortItems(other + begin, items + begin, begins[part + 1] - begin);
    });
  }

private:
  /// The greatest items of all parts but the last, by a sample.
  void chooseBounds() {
    constexpr int64_t perPart = 32;
    int64_t count = parts * perPart;
    std::vector<Item> sample(count), beside(count);
    for (int64_t i = 0; i < count; ++i)
      sample[i] = items[size / count * i];
    sortItems(sample.data(), beside.data(), count);
    for (int64_t part = 1; part < parts; ++part)
      bounds.push_back(sample[part * perPart]);
  }

  void divide(Item *items, int64_t size, int64_t first, int64_t last,
              int64_t *counts) {
    if (last - first == 1) {
      counts[first] = size;
      return;
    }
    int64_t middle = (first + last) / 2;
    int64_t count = divideItems(items, size, bounds[middle - 1]);
    divide(items, count, first, middle, counts);
    divide(items + count, size - count, middle, last, counts);
  }

  /// Where the items of each piece belong, by their part.
  std::vector<int64_t> addUp() {
    std::vector<int64_t> places(counts.size());
    int64_t place = 0;
    for (int64_t part = 0; part < parts; ++part) {
      begins[part] = place;
      for (int64_t piece = 0; piece < parts; ++piece) {
        places[piece * parts + part] = place;
        place += counts[piece * parts + part];
      }
    }
    begins[parts] = place;
    return places;
  }

  Item *items, *other;
  int64_t size, parts;
  std::vector<Item> bounds;
  /// How many items each piece has for each part, and where parts begin.
  std::vector<int64_t> counts, begins;
};

//===----------------------------------------------------------------------===//
// Rows
//===----------------------------------------------------------------------===//

/// How many rows, of what size, and how threads share them: the rows are in
/// `blocks`, or each row is cut into `pieces`.
struct Plan {
  int64_t rows, size;
  int64_t blocks = 1, pieces = 1;

  Plan(int64_t rows, int64_t size) : rows(rows), size(size) {
    int64_t most = numThreads() * piecesPerThread;
    if (numThreads() == 1 || rows * size < shareFrom)
      return;
    if (rows >= numThreads())
      blocks = std::min(rows, most);
    else if (size >= shareFrom)
      pieces = std::min(most, size / smallestPiece);
  }
};

/// Calls run(row, scratch) for each row, with memory that is its own.
template <typename Function>
void eachRow(const Plan &plan, size_t scratchBytes, Function run) {
  scratchBytes = (scratchBytes + bufferAlignment - 1) & -bufferAlignment;
  Scratch scratch(plan.blocks * scratchBytes);
  sharePieces(plan.rows, plan.blocks,
              [&](int64_t block, int64_t row, int64_t end) {
                for (; row < end; ++row)
                  run(row, scratch.data() + block * scratchBytes);
              });
}

/// The sorted items of a row, which load(items, begin, end) makes of elements.
/// They are in either memory.
template <typename Item, typename Load>
Item *sortRow(const Plan &plan, Item *items, Item *other, Load load) {
  sharePieces(plan.size, plan.pieces, [&](int64_t, int64_t begin, int64_t end) {
    load(items, begin, end);
  });
  if (plan.pieces == 1) {
    sortItems(items, other, plan.size);
    return items;
  }
  SharedSort<Item>(items, other, plan.size, plan.pieces).run();
  return other;
}

/// Runs what may find no memory.
template <typename Function> void reportingMemory(Function f) {
  try {
    f();
  } catch (const std::bad_alloc &) {
    CallReport::failForMemory();
  }
}

//===----------------------------------------------------------------------===//
// Elements
//===----------------------------------------------------------------------===//

/// How many values there are of elements that are counted rather than sorted,
/// in rows that are not short beside it; else 0.
template <typename Word>
constexpr int64_t valuesOf =
    sizeof(Word) < 4 ? int64_t(1) << (bitsOf<Word> % 32) : 0;
template <typename Word> bool isCounted(int64_t size) {
  return valuesOf<Word> > 0 && size >= valuesOf<Word> / 4;
}

/// Makes items of elements, and says whether any shares its key with others.
/// The bits in `flip` change the order.
template <typename Key, typename Item, typename Word = typename Key::Word>
bool makeItems(const Word *x, Item *__restrict items, int64_t size, Word flip) {
  Word isShared = 0;
  for (int64_t i = 0; i < size; ++i) {
    items[i] = Key::of(x[i]) ^ flip;
    isShared |= Key::isShared(x[i]);
  }
  return isShared;
}

/// Makes elements of sorted items, which may lie where they go.
template <typename Key, typename Item, typename Word = typename Key::Word>
void makeElements(const Item *items, Word *y, int64_t size, Word flip) {
  if (static_cast<const void *>(items) == y)
    for (int64_t i = 0; i < size; ++i)
      y[i] = Key::back(Word(y[i] ^ flip));
  else
    for (int64_t i = 0; i < size; ++i)
      y[i] = Key::back(Word(items[i]) ^ flip);
}

/// A row of elements and where its sorted ones go.
template <typename Key> struct Row {
  using Word = typename Key::Word;
  const Word *x;
  Word *y;
  int64_t size;
  /// The bits to change for the order that is wanted.
  Word flip;

  Word keyOf(Word element) const { return Key::of(element) ^ flip; }

  void sortByCounting(char *scratch) const {
    auto *counts = reinterpret_cast<int64_t *>(scratch);
    std::fill_n(counts, valuesOf<Word>, 0);
    Word isShared = 0;
    for (int64_t i = 0; i < size; ++i) {
      ++counts[keyOf(x[i])];
      isShared |= Key::isShared(x[i]);
    }
    Word *to = y;
    for (int64_t value = 0; value < valuesOf<Word>; ++value)
      to = std::fill_n(to, counts[value], Key::back(Word(value) ^ flip));
    if (isShared)
      restore();
  }

  template <typename Item> void sort(const Plan &plan, char *scratch) const {
    std::atomic<bool> isShared{false};
    auto *other = reinterpret_cast<Item *>(scratch), *items = other + size;
    if constexpr (std::is_same_v<Item, Word>)
      items = y;
    Item *sorted = sortRow(
        plan, items, other, [&](Item *items, int64_t begin, int64_t end) {
          if (makeItems<Key>(x + begin, items + begin, end - begin, flip))
            isShared = true;
        });
    sharePieces(size, plan.pieces, [&](int64_t, int64_t begin, int64_t end) {
      makeElements<Key>(sorted + begin, y + begin, end - begin, flip);
    });
    if (isShared)
      restore();
  }

private:
  /// What shares a key with others is sorted, but as the bits of the key: puts
  /// it where it belongs as it stands in the row.
  void restore() const {
    Word zero = keyOf(signOf<Word>), nan = keyOf(Word(~signOf<Word>));
    Word *zeros = beginOf(zero), *nans = beginOf(nan);
    for (int64_t i = 0; i < size; ++i)
      if (keyOf(x[i]) == zero)
        *zeros++ = x[i];
      else if (keyOf(x[i]) == nan)
        *nans++ = x[i];
  }

  Word *beginOf(Word key) const {
    return std::lower_bound(y, y + size, key, [&](Word element, Word key) {
      return keyOf(element) < key;
    });
  }
};

template <typename Key, typename Word = typename Key::Word>
void sort(const char *, const Word *x, Word *y, int64_t rows, int64_t size,
          int64_t descending) {
  using Item = std::conditional_t<sizeof(Word) == 8, uint64_t, uint32_t>;
  Word flip = descending ? Word(~Word(0)) : Word(0);
  size_t bytes = isCounted<Word>(size)
                     ? valuesOf<Word> * sizeof(int64_t)
                     : (1 + !std::is_same_v<Item, Word>)*size * sizeof(Item);
  Plan plan(rows, size);
  reportingMemory([&] {
    eachRow(plan, bytes, [&](int64_t row, char *scratch) {
      Row<Key> one{x + row * size, y + row * size, size, flip};
      if (isCounted<Word>(size))
        one.sortByCounting(scratch);
      else
        one.template sort<Item>(plan, scratch);
    });
  });
}

//===----------------------------------------------------------------------===//
// Places
//===----------------------------------------------------------------------===//

/// Half of an item is a place, the other half so many bits of its key: all that
/// differ, or the first of them.
constexpr int halfBits = 32;
constexpr int64_t mostPlaces = int64_t(1) << halfBits;

/// How far keys are shifted for their first bits that differ to be half an
/// item.
template <typename KeyAt> int findShift(const Plan &plan, KeyAt key) {
  std::atomic<uint64_t> all{0};
  uint64_t first = key(0);
  sharePieces(plan.size, plan.pieces, [&](int64_t, int64_t begin, int64_t end) {
    uint64_t varying = 0;
    for (int64_t i = begin; i < end; ++i)
      varying |= key(i) ^ first;
    all.fetch_or(varying);
  });
  int shift = 0;
  while (all.load() >> shift >> halfBits)
    ++shift;
  return shift;
}

/// Items of one half that begin in a piece are sorted by all of their keys.
template <typename KeyAt>
void sortAlike(const Plan &plan, uint64_t *items, KeyAt key) {
  auto isBefore = [&](uint64_t x, uint64_t y) {
    int64_t xPlace = x % mostPlaces, yPlace = y % mostPlaces;
    auto xKey = key(xPlace), yKey = key(yPlace);
    return xKey != yKey ? xKey < yKey : xPlace < yPlace;
  };
  auto isAlike = [&](int64_t i) {
    return items[i] / mostPlaces == items[i - 1] / mostPlaces;
  };
  // A piece begins with the first that is not like the one before it. That is
  // known before any piece is sorted, as sorting does not change it.
  sharePieces(plan.size, plan.pieces, [&](int64_t, int64_t begin, int64_t end) {
    while (begin > 0 && begin < end && isAlike(begin))
      ++begin;
    for (int64_t next; begin < end; begin = next) {
      next = begin + 1;
      while (next < plan.size && isAlike(next))
        ++next;
      if (next - begin > 1)
        std::sort(items + begin, items + next, isBefore);
    }
  });
}

/// Sorts the places of a row by key(i), and writes place(i) of each.
template <typename Word, typename KeyAt, typename PlaceAt>
void sortPlaces(const Plan &plan, char *scratch, int64_t *y, KeyAt key,
                PlaceAt place) {
  int shift = sizeof(Word) > 4 ? findShift(plan, key) : 0;
  auto *items = reinterpret_cast<uint64_t *>(scratch);
  uint64_t *sorted =
      sortRow(plan, items, items + plan.size,
              [=](uint64_t *items, int64_t begin, int64_t end) {
                for (int64_t i = begin; i < end; ++i)
                  items[i] =
                      uint64_t(key(i)) >> shift << halfBits | uint64_t(i);
              });
  if (shift > 0)
    sortAlike(plan, sorted, key);
  sharePieces(plan.size, plan.pieces, [&](int64_t, int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i)
      y[i] = place(sorted[i] % mostPlaces);
  });
}

/// The same where places do not fit in half an item.
template <typename KeyAt, typename PlaceAt>
void sortMostPlaces(int64_t size, int64_t *y, KeyAt key, PlaceAt place) {
  std::iota(y, y + size, 0);
  std::sort(y, y + size, [&](int64_t i, int64_t j) {
    return key(i) != key(j) ? key(i) < key(j) : i < j;
  });
  std::transform(y, y + size, y, place);
}

/// keyOf(row) and placeOf(row) are functions of what stands in a place of it.
template <typename Word, typename KeyOf, typename PlaceOf>
void sortPlacesOfRows(int64_t *y, int64_t rows, int64_t size, KeyOf keyOf,
                      PlaceOf placeOf) {
  Plan plan(rows, size);
  reportingMemory([&] {
    eachRow(plan, 2 * size * sizeof(uint64_t), [&](int64_t row, char *scratch) {
      int64_t *to = y + row * size;
      if (size > mostPlaces)
        sortMostPlaces(size, to, keyOf(row), placeOf(row));
      else
        sortPlaces<Word>(plan, scratch, to, keyOf(row), placeOf(row));
    });
  });
}

template <typename Key, typename Word = typename Key::Word>
void argsort(const char *, const Word *x, int64_t *y, int64_t rows,
             int64_t size, int64_t descending) {
  Word flip = descending ? Word(~Word(0)) : Word(0);
  sortPlacesOfRows<Word>(
      y, rows, size,
      [=](int64_t row) {
        return [=, keys = x + row * size](int64_t i) {
          return Word(Key::of(keys[i]) ^ flip);
        };
      },
      [](int64_t) { return [](int64_t i) { return i; }; });
}

/// As argsort, of elements that `before` has put in order: that of those which
/// are equal stays.
template <typename Key, typename Word = typename Key::Word>
void argsortAgain(const char *, const Word *x, const int64_t *before,
                  int64_t *y, int64_t rows, int64_t size, int64_t descending) {
  Word flip = descending ? Word(~Word(0)) : Word(0);
  sortPlacesOfRows<Word>(
      y, rows, size,
      [=](int64_t row) {
        return [=, keys = x + row * size, from = before + row * size](
                   int64_t i) { return Word(Key::of(keys[from[i]]) ^ flip); };
      },
      [=](int64_t row) {
        return [from = before + row * size](int64_t i) { return from[i]; };
      });
}

template <typename Key>
void add(std::vector<Kernel> &kernels, const char *element) {
  auto addOne = [&](const char *name, auto *address, const char *operands) {
    kernels.push_back({std::string("weft_") + name + "_" + element,
                       reinterpret_cast<void *>(address),
                       {"cm-", operands},
                       sizeof(typename Key::Word),
                       /*isComplex=*/false,
                       /*callsRoutines=*/false});
  };
  addOne("sort", &sort<Key>, "Xcm Xcm");
  addOne("argsort", &argsort<Key>, "Xcm Icm");
  addOne("argsort_again", &argsortAgain<Key>, "Xcm Icm Icm");
}

} // namespace

void weft::runtime::addSortKernels(std::vector<Kernel> &kernels) {
  add<IntegerKey<uint8_t, 0>>(kernels, "ui8");
  add<IntegerKey<uint16_t, 0>>(kernels, "ui16");
  add<IntegerKey<uint32_t, 0>>(kernels, "ui32");
  add<IntegerKey<uint64_t, 0>>(kernels, "ui64");
  add<IntegerKey<uint8_t, signOf<uint8_t>>>(kernels, "i8");
  add<IntegerKey<uint16_t, signOf<uint16_t>>>(kernels, "i16");
  add<IntegerKey<uint32_t, signOf<uint32_t>>>(kernels, "i32");
  add<IntegerKey<uint64_t, signOf<uint64_t>>>(kernels, "i64");
  add<FloatKey<uint8_t, 0x7e>>(kernels, "f8E4M3FN");
  add<FloatKey<uint8_t, 0x7c>>(kernels, "f8E5M2");
  add<FloatKey<uint16_t, 0x7c00>>(kernels, "f16");
  add<FloatKey<uint16_t, 0x7f80>>(kernels, "bf16");
  add<FloatKey<uint32_t, 0x7f800000>>(kernels, "f32");
  add<FloatKey<uint64_t, 0x7ff0000000000000>>(kernels, "f64");
}
