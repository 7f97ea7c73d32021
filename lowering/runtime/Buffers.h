// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The memory of results and of scratch: taken for a call, given back when
// nobody sees it any more, and kept for the next, since the page faults of
// fresh memory cost more than most kernels.

#ifndef WEFT_LOWERING_RUNTIME_BUFFERS_H
#define WEFT_LOWERING_RUNTIME_BUFFERS_H

#include <cstddef>

namespace weft::runtime {

constexpr size_t bufferAlignment = 64;

/// At least `bytes` and one byte of memory, of undefined content. Throws
/// std::bad_alloc when there is none even after all idle memory was freed.
void *takeBuffer(size_t bytes);

/// Ends the use of what `takeBuffer(bytes)` returned.
void giveBuffer(void *buffer, size_t bytes);

/// Frees what nobody uses, and says how many bytes those were.
size_t freeIdleBuffers();

/// The bytes that nobody uses and that are kept.
size_t idleBufferBytes();

} // namespace weft::runtime

#endif // WEFT_LOWERING_RUNTIME_BUFFERS_H
