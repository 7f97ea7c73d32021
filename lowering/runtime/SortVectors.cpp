// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Sorting of unsigned integers in vectors of AVX-512: a quicksort whose parts
// are packed by the compress instructions, down to some vectors, which a
// bitonic network sorts.

#include "lowering/runtime/SortItems.h"
#include <cstdlib>
#include <cstring>
#include <utility>

#if defined(__x86_64__)
#include <immintrin.h>

// The file is compiled for every machine, and what follows runs on some.
#pragma clang attribute push(                                                  \
    __attribute__((target("avx512f,avx512dq,avx512bw,avx512vl,popcnt"))),      \
    apply_to = function)

namespace {

template <typename Item>
using Vector [[gnu::aligned(1)]] =
    Item __attribute__((ext_vector_type(64 / sizeof(Item))));
template <typename Item> constexpr int lanes = 64 / sizeof(Item);
/// The vectors that one network sorts.
constexpr int mostVectors = 16;

//===----------------------------------------------------------------------===//
// Vectors
//===----------------------------------------------------------------------===//

/// The first lanes, at most all.
__mmask16 lanesUpTo(uint32_t, int64_t count) {
  return count <= 0 ? 0 : count >= 16 ? 0xffff : (1u << count) - 1;
}
__mmask8 lanesUpTo(uint64_t, int64_t count) {
  return count <= 0 ? 0 : count >= 8 ? 0xff : (1u << count) - 1;
}

/// The first items of a vector, the others greatest.
Vector<uint32_t> loadSome(const uint32_t *from, __mmask16 mask) {
  return (Vector<uint32_t>)_mm512_mask_loadu_epi32(_mm512_set1_epi32(-1), mask,
                                                   from);
}
Vector<uint64_t> loadSome(const uint64_t *from, __mmask8 mask) {
  return (Vector<uint64_t>)_mm512_mask_loadu_epi64(_mm512_set1_epi64(-1), mask,
                                                   from);
}
void storeSome(uint32_t *to, __mmask16 mask, Vector<uint32_t> x) {
  _mm512_mask_storeu_epi32(to, mask, (__m512i)x);
}
void storeSome(uint64_t *to, __mmask8 mask, Vector<uint64_t> x) {
  _mm512_mask_storeu_epi64(to, mask, (__m512i)x);
}

template <typename Item> Vector<Item> load(const Item *from) {
  Vector<Item> x;
  std::memcpy(&x, from, sizeof(x));
  return x;
}
template <typename Item> void store(Item *to, Vector<Item> x) {
  std::memcpy(to, &x, sizeof(x));
}

template <bool orEqual>
__mmask16 isBefore(Vector<uint32_t> x, Vector<uint32_t> y) {
  return _mm512_cmp_epu32_mask((__m512i)x, (__m512i)y,
                               orEqual ? _MM_CMPINT_LE : _MM_CMPINT_LT);
}
template <bool orEqual>
__mmask8 isBefore(Vector<uint64_t> x, Vector<uint64_t> y) {
  return _mm512_cmp_epu64_mask((__m512i)x, (__m512i)y,
                               orEqual ? _MM_CMPINT_LE : _MM_CMPINT_LT);
}
/// The lanes of a mask, packed.
Vector<uint32_t> pack(__mmask16 mask, Vector<uint32_t> x) {
  return (Vector<uint32_t>)_mm512_maskz_compress_epi32(mask, (__m512i)x);
}
Vector<uint64_t> pack(__mmask8 mask, Vector<uint64_t> x) {
  return (Vector<uint64_t>)_mm512_maskz_compress_epi64(mask, (__m512i)x);
}

//===----------------------------------------------------------------------===//
// Networks
//===----------------------------------------------------------------------===//

// Item e of `count` vectors is in lane e / count of vector e % count: most that
// a network puts in order is in the same lane, in two vectors.

template <typename Item>
using Lanes = std::make_integer_sequence<int, lanes<Item>>;

/// Lane i from lane i ^ change.
template <int change, typename V, int... i>
V changed(V x, std::integer_sequence<int, i...>) {
  return __builtin_shufflevector(x, x, (i ^ change)...);
}
/// Lane i of `low`, where it has `bit` of `high`.
template <int bit, typename V, int... i>
V mixed(V low, V high, std::integer_sequence<int, i...>) {
  return __builtin_shufflevector(low, high,
                                 (i & bit ? i + int(sizeof...(i)) : i)...);
}
/// Lanes of x and y in turn, beginning with the `begin`-th of each.
template <int begin, typename V, int... i>
V zipped(V x, V y, std::integer_sequence<int, i...>) {
  return __builtin_shufflevector(
      x, y, (begin + i / 2 + i % 2 * int(sizeof...(i)))...);
}

template <typename Item> void exchange(Vector<Item> &x, Vector<Item> &y) {
  Vector<Item> least = __builtin_elementwise_min(x, y);
  y = __builtin_elementwise_max(x, y);
  x = least;
}

/// Puts lane i of x and lane i ^ change of y in order, that with `bit` last.
template <typename Item, int change, int bit>
void exchangeLanes(Vector<Item> &x, Vector<Item> &y) {
  Vector<Item> z = changed<change>(y, Lanes<Item>());
  Vector<Item> low = __builtin_elementwise_min(x, z);
  Vector<Item> high = __builtin_elementwise_max(x, z);
  x = mixed<bit>(low, high, Lanes<Item>());
  if (&x != &y)
    y = changed<change>(mixed<bit>(high, low, Lanes<Item>()), Lanes<Item>());
}

/// Sorts bitonic sequences of 2 * distance items.
template <typename Item, int count, int distance>
void mergeHalves(Vector<Item> *x) {
  if constexpr (distance >= count) {
    constexpr int change = distance / count;
#pragma clang loop unroll(full)
    for (int i = 0; i < count; ++i)
      exchangeLanes<Item, change, change>(x[i], x[i]);
  } else if constexpr (distance > 0) {
#pragma clang loop unroll(full)
    for (int i = 0; i < count; ++i)
      if (!(i & distance))
        exchange<Item>(x[i], x[i + distance]);
  }
  if constexpr (distance > 1)
    mergeHalves<Item, count, distance / 2>(x);
}

/// Merges neighbours of length / 2 sorted items, of which the second are taken
/// from the end on, into sequences twice as long, as long as there are two.
template <typename Item, int count, int length>
void sortSequences(Vector<Item> *x) {
  if constexpr (length <= count) {
#pragma clang loop unroll(full)
    for (int i = 0; i < count; ++i)
      if (int other = i ^ (length - 1); i < other)
        exchange<Item>(x[i], x[other]);
  } else {
    constexpr int change = length / count - 1, bit = length / count / 2;
#pragma clang loop unroll(full)
    for (int i = 0; i < (count + 1) / 2; ++i)
      exchangeLanes<Item, change, bit>(x[i], x[count - 1 - i]);
  }
  mergeHalves<Item, count, length / 4>(x);
  if constexpr (length < count * lanes<Item>)
    sortSequences<Item, count, 2 * length>(x);
}

/// Puts items one behind the other: each round takes the first bit of the
/// number of the vector that an item is in, as the last one of its lane's.
template <typename Item, int count, int rounds = count>
void putInRows(Vector<Item> *x) {
  if constexpr (rounds > 1) {
    Vector<Item> y[count];
#pragma clang loop unroll(full)
    for (int i = 0; i < count / 2; ++i) {
      y[2 * i] = zipped<0>(x[i], x[i + count / 2], Lanes<Item>());
      y[2 * i + 1] =
          zipped<lanes<Item> / 2>(x[i], x[i + count / 2], Lanes<Item>());
    }
#pragma clang loop unroll(full)
    for (int i = 0; i < count; ++i)
      x[i] = y[i];
    putInRows<Item, count, rounds / 2>(x);
  }
}

/// Sorts at most as many items as there are in `count` vectors.
template <typename Item, int count> void sortFew(Item *items, int64_t size) {
  Vector<Item> x[count];
#pragma clang loop unroll(full)
  for (int i = 0; i < count; ++i)
    x[i] = loadSome(items + i * lanes<Item>,
                    lanesUpTo(Item(), size - i * lanes<Item>));
  sortSequences<Item, count, 2>(x);
  putInRows<Item, count>(x);
#pragma clang loop unroll(full)
  for (int i = 0; i < count; ++i)
    storeSome(items + i * lanes<Item>,
              lanesUpTo(Item(), size - i * lanes<Item>), x[i]);
}

//===----------------------------------------------------------------------===//
// Quicksort
//===----------------------------------------------------------------------===//

/// Of some items, about as many are less as are greater.
template <typename Item> Item middleOf(const Item *items, int64_t size) {
  constexpr int most = mostVectors * lanes<Item>;
  Item sample[most];
  int count = size < 16 * most ? lanes<Item> : most;
  for (int i = 0; i < count; ++i)
    sample[i] = items[size / count * i + size / count / 2];
  if (count == most)
    sortFew<Item, mostVectors>(sample, count);
  else
    sortFew<Item, 1>(sample, count);
  return sample[count / 2];
}

/// What is left between two parts, which grow into it.
template <bool orEqual, typename Item> struct Gap {
  Item *begin, *end;
  Vector<Item> pivot;

  /// A whole vector is written at either end, which must be apart.
  void put(Vector<Item> x) {
    auto less = isBefore<orEqual>(x, pivot);
    std::make_integer_sequence<int, lanes<Item>> all;
    store(begin, pack(less, x));
    store(end - lanes<Item>,
          changed<lanes<Item> - 1>(pack(decltype(less)(~less), x), all));
    int count = __builtin_popcount(less);
    begin += count;
    end -= lanes<Item> - count;
  }

  template <typename Mask> void putSome(Vector<Item> x, Mask exists) {
    Mask less = isBefore<orEqual>(x, pivot) & exists, rest = ~less & exists;
    int count = __builtin_popcount(less), others = __builtin_popcount(rest);
    storeSome(begin, lanesUpTo(Item(), count), pack(less, x));
    begin += count;
    end -= others;
    storeSome(end, lanesUpTo(Item(), others), pack(rest, x));
  }
};

/// Moves the items that are less than `pivot`, or not greater, in front of the
/// others, and says how many they are. Those at either end are held, which
/// makes a gap; what is moved next is read where the gap is short.
template <bool orEqual, typename Item>
int64_t divide(Item *items, int64_t size, Item pivot) {
  constexpr int64_t step = 8 * lanes<Item>;
  Item held[3 * step];
  int64_t ends = size / 2 < step ? size / 2 : step;
  std::memcpy(held, items, ends * sizeof(Item));
  std::memcpy(held + ends, items + size - ends, ends * sizeof(Item));
  Gap<orEqual, Item> gap{items, items + size, pivot};
  Item *next = items + ends, *last = items + size - ends;
  while (last - next >= step) {
    const Item *from = next;
    if (gap.end - last < next - gap.begin)
      from = last -= step;
    else
      next += step;
    Vector<Item> x[8];
    for (int i = 0; i < 8; ++i)
      x[i] = load(from + i * lanes<Item>);
    for (int i = 0; i < 8; ++i)
      gap.put(x[i]);
  }
  std::memcpy(held + 2 * ends, next, (last - next) * sizeof(Item));
  int64_t rest = 2 * ends + (last - next);
  int64_t i = 0;
  for (; rest - i >= 2 * lanes<Item>; i += lanes<Item>)
    gap.put(load(held + i));
  for (; i < rest; i += lanes<Item>) {
    auto exists = lanesUpTo(Item(), rest - i);
    gap.putSome(loadSome(held + i, exists), exists);
  }
  return gap.begin - items;
}

/// `deeper` parts may be divided before this is given up for what takes as long
/// for any items.
template <typename Item>
void sortParts(Item *items, Item *other, int64_t size, int deeper) {
  while (size > mostVectors * lanes<Item>) {
    if (deeper-- == 0)
      return weft::runtime::sortInWords(items, other, size);
    Item pivot = middleOf(items, size);
    int64_t first = divide<true>(items, size, pivot);
    // The greatest item was chosen: all that equal it are in place.
    if (first == size) {
      size = divide<false>(items, size, pivot);
      continue;
    }
    sortParts(items + first, other, size - first, deeper);
    size = first;
  }
  if (size > 8 * lanes<Item>)
    sortFew<Item, 16>(items, size);
  else if (size > 4 * lanes<Item>)
    sortFew<Item, 8>(items, size);
  else if (size > 2 * lanes<Item>)
    sortFew<Item, 4>(items, size);
  else if (size > lanes<Item>)
    sortFew<Item, 2>(items, size);
  else if (size > 1)
    sortFew<Item, 1>(items, size);
}

template <typename Item>
void sortWhole(Item *items, Item *other, int64_t size) {
  int depth = 8;
  for (int64_t rest = size; rest > 0; rest /= 2)
    depth += 2;
  sortParts(items, other, size, depth);
}

} // namespace

void weft::runtime::sortInVectors(uint32_t *items, uint32_t *other,
                                  int64_t size) {
  sortWhole(items, other, size);
}
void weft::runtime::sortInVectors(uint64_t *items, uint64_t *other,
                                  int64_t size) {
  sortWhole(items, other, size);
}
int64_t weft::runtime::divideInVectors(uint32_t *items, int64_t size,
                                       uint32_t pivot) {
  return divide<true>(items, size, pivot);
}
int64_t weft::runtime::divideInVectors(uint64_t *items, int64_t size,
                                       uint64_t pivot) {
  return divide<true>(items, size, pivot);
}

#pragma clang attribute pop

bool weft::runtime::hasVectors() {
  static const bool has =
      !std::getenv("WEFT_CPU") && __builtin_cpu_supports("avx512f") &&
      __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
  return has;
}

#else

bool weft::runtime::hasVectors() { return false; }
void weft::runtime::sortInVectors(uint32_t *, uint32_t *, int64_t) {}
void weft::runtime::sortInVectors(uint64_t *, uint64_t *, int64_t) {}
int64_t weft::runtime::divideInVectors(uint32_t *, int64_t, uint32_t) {
  return 0;
}
int64_t weft::runtime::divideInVectors(uint64_t *, int64_t, uint64_t) {
  return 0;
}

#endif
