// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft-describe-machine, and how the host is found out.

#include "lowering/Machine.h"
#include "lowering/Passes.h"
#include "lowering/gpu/Device.h"
#include "lowering/jit/Jit.h"
#include "mlir/IR/Builders.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/Triple.h"
#include "llvm/TargetParser/X86TargetParser.h"
#include <unistd.h>

namespace weft {
#define GEN_PASS_DEF_DESCRIBEMACHINE
#include "lowering/Passes.h.inc"
} // namespace weft

using namespace mlir;
using weft::Machine;

static llvm::StringSet<> featuresOfHost() {
  const weft::HostCpu &cpu = weft::hostCpu();
  llvm::StringSet<> features;
  SmallVector<StringRef> names;
  StringRef(cpu.features).split(names, ',', -1, /*KeepEmpty=*/false);
  for (StringRef name : names)
    if (name.consume_front("+"))
      features.insert(name);
  if (!names.empty())
    return features;
  names.clear();
  llvm::X86::getFeaturesForCPU(cpu.name, names);
  for (StringRef name : names)
    features.insert(name);
  return features;
}

static Machine describeHost() {
  Machine machine;
  llvm::Triple triple(llvm::sys::getProcessTriple());
  if (triple.isX86()) {
    llvm::StringSet<> features = featuresOfHost();
    machine.hasFma = features.contains("fma");
    machine.hasTiles = weft::hostCpu().mayUseTiles &&
                       features.contains("amx-bf16") &&
                       features.contains("amx-int8");
    machine.hasDots = features.contains(
        features.contains("avx512f") ? "avx512vnni" : "avxvnni");
    machine.hasBFloat16Dots = features.contains("avx512bf16");
    if (features.contains("avx512f"))
      machine.vectorBytes = 64, machine.vectorRegisters = 32;
    else if (features.contains("avx"))
      machine.vectorBytes = 32;
  } else if (triple.isAArch64()) {
    machine.hasFma = true;
    machine.vectorRegisters = 32;
  }
  auto size = [](int name, int64_t fallback) {
    long bytes = sysconf(name);
    return bytes > 0 ? static_cast<int64_t>(bytes) : fallback;
  };
  machine.l1Bytes = size(_SC_LEVEL1_DCACHE_SIZE, machine.l1Bytes);
  machine.l2Bytes = size(_SC_LEVEL2_CACHE_SIZE, machine.l2Bytes);
  return machine;
}

const Machine &Machine::host() {
  static const Machine machine = describeHost();
  return machine;
}

DictionaryAttr Machine::asAttribute(MLIRContext *context) const {
  Builder b(context);
  return b.getDictionaryAttr({
      b.getNamedAttr("bfloat16_dots", b.getBoolAttr(hasBFloat16Dots)),
      b.getNamedAttr("fma", b.getBoolAttr(hasFma)),
      b.getNamedAttr("l1_bytes", b.getI64IntegerAttr(l1Bytes)),
      b.getNamedAttr("l2_bytes", b.getI64IntegerAttr(l2Bytes)),
      b.getNamedAttr("matrix_tiles", b.getBoolAttr(hasTiles)),
      b.getNamedAttr("share_from", b.getI64IntegerAttr(shareFrom)),
      b.getNamedAttr("vector_bytes", b.getI64IntegerAttr(vectorBytes)),
      b.getNamedAttr("vector_dots", b.getBoolAttr(hasDots)),
      b.getNamedAttr("vector_registers", b.getI64IntegerAttr(vectorRegisters)),
  });
}

Machine Machine::of(Operation *op) {
  Machine machine = host();
  auto module = dyn_cast<ModuleOp>(op);
  if (!module)
    module = op->getParentOfType<ModuleOp>();
  auto stated = module
                    ? module->getAttrOfType<DictionaryAttr>(weft::machineAttr)
                    : nullptr;
  if (!stated)
    return machine;
  auto read = [&](StringRef name, int64_t least, int64_t &value) {
    if (auto number = stated.getAs<IntegerAttr>(name))
      value = std::max(number.getInt(), least);
  };
  read("l1_bytes", 1, machine.l1Bytes);
  read("l2_bytes", 1, machine.l2Bytes);
  read("share_from", 1, machine.shareFrom);
  // A vector has a lane at least, of the widest element.
  read("vector_bytes", 8, machine.vectorBytes);
  read("vector_registers", 4, machine.vectorRegisters);
  machine.vectorBytes =
      std::min<int64_t>(llvm::bit_floor<uint64_t>(machine.vectorBytes), 256);
  machine.vectorRegisters = std::min<int64_t>(machine.vectorRegisters, 64);
  if (auto fma = stated.getAs<BoolAttr>("fma"))
    machine.hasFma = fma.getValue();
  if (auto tiles = stated.getAs<BoolAttr>("matrix_tiles"))
    machine.hasTiles = tiles.getValue();
  if (auto dots = stated.getAs<BoolAttr>("vector_dots"))
    machine.hasDots = dots.getValue();
  if (auto dots = stated.getAs<BoolAttr>("bfloat16_dots"))
    machine.hasBFloat16Dots = dots.getValue();
  return machine;
}

namespace {

class DescribeMachine final
    : public weft::impl::DescribeMachineBase<DescribeMachine> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    if (weft::isForGpu(module)) {
      module.emitError("the program is for a GPU, as its attribute '")
          << weft::gpuAttr << "' says: compile it for one, or take that out";
      return signalPassFailure();
    }
    if (!module->hasAttr(weft::machineAttr))
      module->setAttr(weft::machineAttr,
                      Machine::host().asAttribute(&getContext()));
  }
};

} // namespace
