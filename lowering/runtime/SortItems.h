// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Sorting of unsigned integers in one thread, which sorts everything else.

#ifndef WEFT_LOWERING_RUNTIME_SORTITEMS_H
#define WEFT_LOWERING_RUNTIME_SORTITEMS_H

#include <cstdint>

namespace weft::runtime {

/// Sorts items with the help of memory for as many.
void sortItems(uint32_t *items, uint32_t *other, int64_t size);
void sortItems(uint64_t *items, uint64_t *other, int64_t size);

/// Moves the items that are not greater than `pivot` in front of the others,
/// and says how many they are.
int64_t divideItems(uint32_t *items, int64_t size, uint32_t pivot);
int64_t divideItems(uint64_t *items, int64_t size, uint64_t pivot);

/// The same in vectors, on machines that have AVX-512, unless WEFT_CPU says for
/// which machine code is compiled.
bool hasVectors();
void sortInVectors(uint32_t *items, uint32_t *other, int64_t size);
void sortInVectors(uint64_t *items, uint64_t *other, int64_t size);
int64_t divideInVectors(uint32_t *items, int64_t size, uint32_t pivot);
int64_t divideInVectors(uint64_t *items, int64_t size, uint64_t pivot);

/// Without: few items are merged, many are sorted by their digits. It takes as
/// long for any items.
void sortInWords(uint32_t *items, uint32_t *other, int64_t size);
void sortInWords(uint64_t *items, uint64_t *other, int64_t size);

} // namespace weft::runtime

#endif // WEFT_LOWERING_RUNTIME_SORTITEMS_H
