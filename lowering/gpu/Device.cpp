// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft-describe-gpu, and how a pass reads what it states.

#include "lowering/gpu/Device.h"
#include "lowering/Machine.h"
#include "lowering/Passes.h"
#include "mlir/IR/Builders.h"
#include "mlir/Interfaces/FunctionInterfaces.h"

namespace weft {
#define GEN_PASS_DEF_DESCRIBEGPU
#include "lowering/Passes.h.inc"
} // namespace weft

using namespace mlir;
using weft::Gpu;

DictionaryAttr Gpu::asAttribute(MLIRContext *context) const {
  Builder b(context);
  return b.getDictionaryAttr({
      b.getNamedAttr("block_work", b.getI64IntegerAttr(blockWork)),
      b.getNamedAttr("chip", b.getStringAttr(chip)),
      b.getNamedAttr("multiprocessors", b.getI64IntegerAttr(multiprocessors)),
      b.getNamedAttr("shared_bytes", b.getI64IntegerAttr(sharedBytes)),
  });
}

static DictionaryAttr statedOf(Operation *op) {
  auto module = dyn_cast<ModuleOp>(op);
  if (!module)
    module = op->getParentOfType<ModuleOp>();
  return module ? module->getAttrOfType<DictionaryAttr>(weft::gpuAttr)
                : nullptr;
}

bool weft::isForGpu(Operation *op) { return static_cast<bool>(statedOf(op)); }

Gpu Gpu::of(Operation *op) {
  Gpu gpu;
  DictionaryAttr stated = statedOf(op);
  if (!stated)
    return gpu;
  auto read = [&](StringRef name, int64_t &value) {
    if (auto number = stated.getAs<IntegerAttr>(name))
      value = std::max<int64_t>(number.getInt(), 1);
  };
  read("block_work", gpu.blockWork);
  read("multiprocessors", gpu.multiprocessors);
  read("shared_bytes", gpu.sharedBytes);
  if (auto chip = stated.getAs<StringAttr>("chip"))
    gpu.chip = chip.getValue().str();
  return gpu;
}

unsigned Gpu::capability() const {
  StringRef digits = chip;
  unsigned number = 80;
  if (digits.consume_front("sm_"))
    (void)digits.take_while(llvm::isDigit).getAsInteger(10, number);
  return number;
}

int64_t Gpu::stepsOf(Operation *op, int64_t launches, int64_t bytes) const {
  // A loop without launches may be one kernel, which never waits for the host.
  if (!isa<FunctionOpInterface>(op->getParentOp()))
    launches *= 4;
  // What the memory moves, and the simple operations of a block, in the time of
  // one step.
  constexpr int64_t bytesPerStep = 1 << 20, workPerStep = 1 << 11;
  int64_t steps = launches * (blockWork / workPerStep) + bytes / bytesPerStep;
  return std::max<int64_t>(steps, 1);
}

LogicalResult weft::verifyKnownShape(linalg::LinalgOp op) {
  if (!op.hasDynamicShape())
    return success();
  return op.emitError(
      "the shapes of a kernel's ops must be known; a schedule's "
      "tiles must divide what they are tiles of");
}

void weft::stateSize(gpu::GPUFuncOp kernel, int64_t blocks, int64_t threads) {
  auto size = [&](int64_t x) {
    return Builder(kernel.getContext())
        .getDenseI32ArrayAttr({static_cast<int32_t>(x), 1, 1});
  };
  kernel.setKnownGridSizeAttr(size(blocks));
  kernel.setKnownBlockSizeAttr(size(threads));
}

namespace {

class DescribeGpu final : public weft::impl::DescribeGpuBase<DescribeGpu> {
public:
  using DescribeGpuBase::DescribeGpuBase;

private:
  void runOnOperation() override {
    ModuleOp module = getOperation();
    // What is not stated yet is as it usually is.
    Gpu gpu = Gpu::of(module);
    if (!weft::isForGpu(module))
      gpu.chip = chip;
    module->setAttr(weft::gpuAttr, gpu.asAttribute(&getContext()));
    if (module->hasAttr(weft::machineAttr))
      return;
    // What passes that serve CPUs too ask for.
    weft::Machine machine;
    machine.hasFma = true;
    machine.hasTiles = machine.hasDots = machine.hasBFloat16Dots = false;
    machine.vectorBytes = 16;
    machine.vectorRegisters = 64;
    machine.l1Bytes = 128 << 10;
    machine.l2Bytes = 32 << 20;
    machine.shareFrom = Gpu::of(module).blockWork;
    module->setAttr(weft::machineAttr, machine.asAttribute(&getContext()));
  }
};

} // namespace
