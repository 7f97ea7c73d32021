// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How a pass reads what a module states of its GPU.

#include "lowering/gpu/Device.h"
#include "mlir/IR/Builders.h"

using namespace mlir;
using weft::Gpu;

Gpu Gpu::of(Operation *op) {
  Gpu gpu;
  auto module = dyn_cast<ModuleOp>(op);
  if (!module)
    module = op->getParentOfType<ModuleOp>();
  auto stated =
      module ? module->getAttrOfType<DictionaryAttr>(weft::gpuAttr) : nullptr;
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
