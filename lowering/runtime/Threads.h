// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The threads that compiled code shares its loops among.

#ifndef WEFT_LOWERING_RUNTIME_THREADS_H
#define WEFT_LOWERING_RUNTIME_THREADS_H

#include <cstdint>
#include <functional>

namespace weft::runtime {

/// Steps `begin` to `end` of a loop.
using Task = void (*)(void *arguments, int64_t begin, int64_t end);

/// Runs the steps 0 to `count`, in pieces, in this thread and in as many others
/// as `numThreads` allows. Alone in this thread if the others are busy with
/// another loop, of which this one may be a part.
void runInParallel(Task task, void *arguments, int64_t count);

/// Runs compiled code in this thread, or in another one if the stack of this
/// one has too little room for what code keeps there. Throws what `work`
/// throws, and bad_alloc where there is no other thread.
void runWithRoom(const std::function<void()> &work);

/// How many threads a loop may run in, this one included: at first as many as
/// the process has processors, or as the environment variable WEFT_NUM_THREADS
/// says. A number below 1 counts as 1.
int64_t numThreads();
void setNumThreads(int64_t count);

} // namespace weft::runtime

#endif // WEFT_LOWERING_RUNTIME_THREADS_H
