// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The emulator as its users see it: buffers, and launches one at a time.

#include "lowering/emulator/Emulator.h"
#include "llvm/ADT/ScopeExit.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/ADT/Twine.h"
#include <mutex>

using namespace weft::emulator;

namespace {

/// The block that runs, its stacks and its shared memory are the process's. A
/// signal's handler may use memory in the thread that launched the block.
std::recursive_mutex &inUse() {
  static std::recursive_mutex mutex;
  return mutex;
}
using Lock = std::lock_guard<std::recursive_mutex>;

/// Whether a block runs, of this thread if it has the lock.
bool runs = false;

Failure outside(const char *verb, const char *address, size_t bytes) {
  auto number = reinterpret_cast<uintptr_t>(address);
  return {"", std::string("the host ") + verb + " " + std::to_string(bytes) +
                  " bytes at 0x" + llvm::utohexstr(number) +
                  ", which are not in one buffer of the device"};
}

std::optional<Range> findRange(const Memory &memory, const char *address,
                               size_t bytes) {
  Allocation *allocation = memory.find(address);
  if (!allocation || !allocation->holds(address, bytes))
    return std::nullopt;
  return Range{allocation, size_t(address - allocation->data), bytes};
}

} // namespace

unsigned weft::emulator::elementBytesOf(const std::string &type) {
  return llvm::StringSwitch<unsigned>(type)
      .Cases({"i8", "ui8", "u8", "f8E4M3FN", "f8E5M2"}, 1)
      .Cases({"f16", "bf16", "i16", "ui16", "u16"}, 2)
      .Cases({"f32", "tf32", "i32", "ui32", "u32"}, 4)
      .Cases({"f64", "i64", "ui64", "u64"}, 8)
      .Default(0);
}

//===----------------------------------------------------------------------===//
// Buffers
//===----------------------------------------------------------------------===//

char *Emulator::allocate(size_t bytes) {
  Lock lock(inUse());
  return memory.allocate(bytes);
}

bool Emulator::free(char *data) {
  Lock lock(inUse());
  return memory.free(data);
}

std::optional<Failure> Emulator::write(char *to, const void *from,
                                       size_t bytes) {
  Lock lock(inUse());
  if (bytes == 0)
    return std::nullopt;
  auto range = findRange(memory, to, bytes);
  if (!range)
    return outside("writes", to, bytes);
  std::memcpy(to, from, bytes);
  range->allocation->setWritten(range->offset, bytes);
  return std::nullopt;
}

std::optional<Failure> Emulator::read(const char *from, void *to,
                                      size_t bytes) {
  Lock lock(inUse());
  if (bytes == 0)
    return std::nullopt;
  auto range = findRange(memory, from, bytes);
  if (!range)
    return outside("reads", from, bytes);
  if (size_t missing = range->allocation->countUnwritten(range->offset, bytes))
    return Failure{"", "uninitialised: the host reads " +
                           std::to_string(bytes) + " bytes, " +
                           std::to_string(missing) +
                           " of which no kernel or copy has written"};
  std::memcpy(to, from, bytes);
  return std::nullopt;
}

std::optional<Failure> Emulator::copy(char *to, const char *from,
                                      size_t bytes) {
  Lock lock(inUse());
  if (bytes == 0)
    return std::nullopt;
  auto source = findRange(memory, from, bytes);
  if (!source)
    return outside("copies", from, bytes);
  auto target = findRange(memory, to, bytes);
  if (!target)
    return outside("copies to", to, bytes);
  std::memmove(to, from, bytes);
  target->allocation->copyWritten(target->offset, *source->allocation,
                                  source->offset, bytes);
  return std::nullopt;
}

//===----------------------------------------------------------------------===//
// Launches
//===----------------------------------------------------------------------===//

namespace {

/// The memory before a launch, to run it again on.
class Snapshot {
public:
  explicit Snapshot(Memory &memory) {
    memory.forEachLive([&](Allocation &allocation) {
      saved.push_back({&allocation,
                       std::string(allocation.data, allocation.bytes),
                       allocation.writtenMarks()});
    });
  }

  void restore() const {
    for (const auto &[allocation, bytes, marks] : saved) {
      std::memcpy(allocation->data, bytes.data(), bytes.size());
      allocation->setWrittenMarks(marks);
    }
  }

private:
  struct Saved {
    Allocation *allocation;
    std::string bytes, marks;
  };
  std::vector<Saved> saved;
};

/// An argument as a parameter takes it; what is wrong with it, if anything.
std::string fill(Slot &slot, const Parameter &parameter,
                 const Argument &argument, Launch &launch) {
  bool isRecord = parameter.kind == Parameter::Kind::Record;
  if (auto *map = std::get_if<TensorMap>(&argument)) {
    if (!isRecord)
      return "is a tensor map where the kernel takes none";
    if (!map->elementBytes)
      return "is a tensor map of unknown type '" + map->type + "'";
    launch.maps.push_back(std::make_unique<TensorMap>(*map));
    slot.set(launch.maps.back().get());
    return "";
  }
  if (isRecord)
    return "must be a tensor map";
  bool isFloat = parameter.kind == Parameter::Kind::Float;
  if (auto *number = std::get_if<double>(&argument)) {
    if (!isFloat)
      return "is a float where the kernel takes none";
    if (parameter.bits == 64)
      slot.set(*number);
    else if (parameter.bits == 32)
      slot.set(static_cast<float>(*number));
    else
      return "is a float of " + std::to_string(parameter.bits) +
             " bits, which kernels are not given";
    return "";
  }
  if (isFloat)
    return "must be a float";
  slot.set(std::get<uint64_t>(argument));
  return "";
}

} // namespace

std::optional<Failure>
Emulator::launch(Program &program, const std::string &name, Dim3 grid,
                 Dim3 threads, size_t sharedBytes,
                 const std::vector<Argument> &arguments,
                 const std::vector<Schedule> &schedules) {
  Lock lock(inUse());
  if (runs)
    return Failure{"", "kernel " + name +
                           " is launched while another one runs in the same "
                           "thread, as by the handler of a signal"};
  runs = true;
  llvm::scope_exit done([] { runs = false; });
  auto found = program.kernels.find(name);
  if (found == program.kernels.end())
    return Failure{"", "the module has no kernel " + name};
  const Kernel &kernel = found->second;
  if (arguments.size() != kernel.parameters.size())
    return Failure{kernel.place, "kernel " + name + " takes " +
                                     std::to_string(kernel.parameters.size()) +
                                     " arguments, not " +
                                     std::to_string(arguments.size())};
  std::optional<Snapshot> before;
  if (schedules.size() > 1)
    before.emplace(memory);
  for (size_t i = 0; i < schedules.size(); ++i) {
    if (i > 0)
      before->restore();
    Launch launch{memory, program, name, kernel, grid, threads, sharedBytes};
    launch.schedule = schedules[i];
    launch.arguments.resize(arguments.size());
    for (size_t j = 0; j < arguments.size(); ++j) {
      std::string wrong =
          fill(launch.arguments[j], kernel.parameters[j], arguments[j], launch);
      if (!wrong.empty())
        return Failure{kernel.place, "argument " + std::to_string(j) +
                                         " of kernel " + name + " " + wrong};
    }
    if (auto failure = run(launch))
      return failure;
  }
  return std::nullopt;
}
