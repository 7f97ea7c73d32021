// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which build this is, for which machine it compiles, and what tells one code
// from another.

#include "Build.h"
#include "lowering/Machine.h"
#include "lowering/jit/Jit.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Config/llvm-config.h"
#include "llvm/Support/BLAKE3.h"
#include "llvm/Support/ErrorHandling.h"
#include <link.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

namespace nb = nanobind;
using namespace nb::literals;
using llvm::StringRef;

namespace {

/// The linker's hash of the library that holds `inside`: another for each
/// build.
struct BuildIdSearch {
  const void *inside;
  std::string id;
};

void readBuildId(const char *notes, size_t size, BuildIdSearch &search) {
  const char *end = notes + size;
  while (notes + sizeof(ElfW(Nhdr)) <= end) {
    auto *note = reinterpret_cast<const ElfW(Nhdr) *>(notes);
    const char *name = notes + sizeof(*note);
    const char *id = name + llvm::alignTo(note->n_namesz, 4);
    if (note->n_type == NT_GNU_BUILD_ID && StringRef(name) == "GNU")
      search.id = llvm::toHex(StringRef(id, note->n_descsz), true);
    notes = id + llvm::alignTo(note->n_descsz, 4);
  }
}

int visitObject(dl_phdr_info *object, size_t, void *data) {
  auto &search = *static_cast<BuildIdSearch *>(data);
  auto address = reinterpret_cast<ElfW(Addr)>(search.inside);
  auto headers = llvm::ArrayRef(object->dlpi_phdr, object->dlpi_phnum);
  bool holds = llvm::any_of(headers, [&](const ElfW(Phdr) & header) {
    ElfW(Addr) start = object->dlpi_addr + header.p_vaddr;
    return header.p_type == PT_LOAD && address >= start &&
           address < start + header.p_memsz;
  });
  if (!holds)
    return 0;
  for (const ElfW(Phdr) &header : headers)
    if (header.p_type == PT_NOTE)
      readBuildId(
          reinterpret_cast<const char *>(object->dlpi_addr + header.p_vaddr),
          header.p_memsz, search);
  return 1;
}

template <typename Function> std::string buildIdAround(Function *function) {
  BuildIdSearch search{reinterpret_cast<const void *>(function), ""};
  dl_iterate_phdr(visitObject, &search);
  return search.id;
}

/// Of Weft, of MLIR and of LLVM.
std::string buildId() {
  return "LLVM " LLVM_VERSION_STRING " " + buildIdAround(&buildId) + " " +
         buildIdAround(&mlir::registerPassManagerCLOptions) + " " +
         buildIdAround(&llvm::install_fatal_error_handler);
}

std::pair<std::string, std::string> hostCpu() {
  const weft::HostCpu &cpu = weft::hostCpu();
  return {cpu.name, cpu.features};
}

std::vector<std::pair<std::string, int64_t>> hostMachine() {
  const weft::Machine &machine = weft::Machine::host();
  return {{"fma", machine.hasFma},
          {"l1_bytes", machine.l1Bytes},
          {"l2_bytes", machine.l2Bytes},
          {"matrix_tiles", machine.hasTiles},
          {"share_from", machine.shareFrom},
          {"vector_bytes", machine.vectorBytes},
          {"vector_registers", machine.vectorRegisters}};
}

/// 64 hexadecimal digits of BLAKE3.
std::string digest(nb::bytes data) {
  llvm::ArrayRef<uint8_t> bytes(static_cast<const uint8_t *>(data.data()),
                                data.size());
  return llvm::toHex(llvm::BLAKE3::hash<32>(bytes), /*LowerCase=*/true);
}

} // namespace

void weft::defineBuild(nb::module_ &module) {
  module.def("build_id", buildId,
             "Differs from one build of Weft, MLIR or LLVM to the next.");
  module.def("host_cpu", ::hostCpu, "The name and features of this CPU.");
  module.def("host_machine", hostMachine,
             "What the passes know of this machine.");
  module.def("digest", digest, "data"_a, "64 digits that no other bytes have.");
}
