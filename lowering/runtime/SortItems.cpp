// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Sorting of unsigned integers without vectors: few of them are merged, many
// are put in order by their digits, the least first.

#include "lowering/runtime/SortItems.h"
#include <algorithm>
#include <utility>

using namespace weft::runtime;

namespace {

//===----------------------------------------------------------------------===//
// Merging
//===----------------------------------------------------------------------===//

template <typename Item> void putInOrder(Item &x, Item &y) {
  Item least = y < x ? y : x;
  y = y < x ? x : y;
  x = least;
}

/// Batcher's network.
template <typename Item> void sortEight(Item *items) {
  constexpr int pairs[][2] = {{0, 1}, {2, 3}, {4, 5}, {6, 7}, {0, 2},
                              {1, 3}, {4, 6}, {5, 7}, {1, 2}, {5, 6},
                              {0, 4}, {1, 5}, {2, 6}, {3, 7}, {2, 4},
                              {3, 5}, {1, 2}, {3, 4}, {5, 6}};
  Item x[8];
  std::copy_n(items, 8, x);
  for (auto [i, j] : pairs)
    putInOrder(x[i], x[j]);
  std::copy_n(x, 8, items);
}

template <typename Item> void sortByInsertion(Item *items, int64_t size) {
  for (int64_t i = 1; i < size; ++i) {
    Item item = items[i];
    int64_t to = i;
    for (; to > 0 && item < items[to - 1]; --to)
      items[to] = items[to - 1];
    items[to] = item;
  }
}

/// Merges what is in order from `from` to `fromEnd`, and from `with` to
/// `withEnd`.
template <typename Item>
void mergeItems(const Item *from, const Item *fromEnd, const Item *with,
                const Item *withEnd, Item *to) {
  while (from < fromEnd && with < withEnd) {
    Item x = *from, y = *with;
    bool takesWith = y < x;
    *to++ = takesWith ? y : x;
    with += takesWith;
    from += !takesWith;
  }
  while (from < fromEnd)
    *to++ = *from++;
  while (with < withEnd)
    *to++ = *with++;
}

template <typename Item>
void sortByMerging(Item *items, Item *other, int64_t size) {
  int64_t length = 8, whole = size / length * length;
  for (int64_t i = 0; i < whole; i += length)
    sortEight(items + i);
  sortByInsertion(items + whole, size - whole);
  Item *here = items;
  for (; length < size; length *= 2, std::swap(here, other))
    for (int64_t i = 0; i < size; i += 2 * length) {
      int64_t middle = std::min(i + length, size);
      int64_t end = std::min(middle + length, size);
      mergeItems(here + i, here + middle, here + middle, here + end, other + i);
    }
  if (here != items)
    std::copy_n(here, size, items);
}

//===----------------------------------------------------------------------===//
// Digits
//===----------------------------------------------------------------------===//

/// So many items are worth the counting of the values of their digits.
constexpr int64_t countFrom = 200;
/// Digits have fewer values where there are fewer items.
constexpr int64_t wideFrom = 4096;
constexpr int narrowDigit = 8, wideDigit = 11;

/// Moves items in the order of one digit, that of equal ones unchanged. False,
/// and nothing moves, if it tells none apart.
template <typename Item>
bool sortByDigit(const Item *from, Item *to, int64_t size, int shift,
                 int width) {
  int64_t next[1 << wideDigit];
  int64_t values = int64_t(1) << width;
  auto digitOf = [&](Item item) {
    return int64_t(item >> shift) & (values - 1);
  };
  std::fill_n(next, values, 0);
  for (int64_t i = 0; i < size; ++i)
    ++next[digitOf(from[i])];
  if (next[digitOf(from[0])] == size)
    return false;
  int64_t place = 0;
  for (int64_t value = 0; value < values; ++value)
    place += std::exchange(next[value], place);
  for (int64_t i = 0; i < size; ++i)
    to[next[digitOf(from[i])]++] = from[i];
  return true;
}

template <typename Item>
void sortByDigits(Item *items, Item *other, int64_t size) {
  Item varying = 0;
  for (int64_t i = 1; i < size; ++i)
    varying |= items[i] ^ items[0];
  if (!varying)
    return;
  int low = 0, high = 8 * sizeof(Item);
  while (!(varying >> low & 1))
    ++low;
  while (!(varying >> (high - 1) & 1))
    --high;
  // Digits of one width, between the first and the last bit in which any two
  // differ.
  int widest = size < wideFrom ? narrowDigit : wideDigit;
  int count = (high - low + widest - 1) / widest;
  int width = (high - low + count - 1) / count;
  Item *here = items;
  for (int digit = 0; digit < count; ++digit)
    if (sortByDigit(here, other, size, low + digit * width, width))
      std::swap(here, other);
  if (here != items)
    std::copy_n(here, size, items);
}

template <typename Item>
void sortWords(Item *items, Item *other, int64_t size) {
  if (size < countFrom)
    sortByMerging(items, other, size);
  else
    sortByDigits(items, other, size);
}

/// Without a branch that depends on an item.
template <typename Item>
int64_t divideWords(Item *items, int64_t size, Item pivot) {
  int64_t first = 0;
  for (int64_t i = 0; i < size; ++i) {
    Item item = items[i];
    items[i] = items[first];
    items[first] = item;
    first += item <= pivot;
  }
  return first;
}

} // namespace

void weft::runtime::sortInWords(uint32_t *items, uint32_t *other,
                                int64_t size) {
  sortWords(items, other, size);
}
void weft::runtime::sortInWords(uint64_t *items, uint64_t *other,
                                int64_t size) {
  sortWords(items, other, size);
}

void weft::runtime::sortItems(uint32_t *items, uint32_t *other, int64_t size) {
  hasVectors() ? sortInVectors(items, other, size)
               : sortInWords(items, other, size);
}
void weft::runtime::sortItems(uint64_t *items, uint64_t *other, int64_t size) {
  hasVectors() ? sortInVectors(items, other, size)
               : sortInWords(items, other, size);
}

int64_t weft::runtime::divideItems(uint32_t *items, int64_t size,
                                   uint32_t pivot) {
  return hasVectors() ? divideInVectors(items, size, pivot)
                      : divideWords(items, size, pivot);
}
int64_t weft::runtime::divideItems(uint64_t *items, int64_t size,
                                   uint64_t pivot) {
  return hasVectors() ? divideInVectors(items, size, pivot)
                      : divideWords(items, size, pivot);
}
