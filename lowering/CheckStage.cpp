// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft-check-stage: changes nothing; an op of a dialect that the stage does not
// declare is an error at the op's own location, and so is a level of
// optimisation that is none. weft-check-types: the same of arrays whose
// elements are no numbers, and of calls of kernels that would read or write
// past their operands.

#include "dialects/Weft.h"
#include "lowering/OptimizationLevel.h"
#include "lowering/Passes.h"
#include "lowering/gpu/Device.h"
#include "lowering/gpu/ScanStep.h"
#include "lowering/gpu/SortStep.h"
#include "lowering/memory/Buffers.h"
#include "lowering/runtime/Kernels.h"
#include "lowering/schedule/Schedule.h"
#include "llvm/ADT/StringExtras.h"

namespace weft {
#define GEN_PASS_DEF_CHECKSTAGE
#define GEN_PASS_DEF_CHECKTYPES
#include "lowering/Passes.h.inc"
} // namespace weft

using namespace mlir;

namespace {

class CheckStage final : public weft::impl::CheckStageBase<CheckStage> {
public:
  using CheckStageBase::CheckStageBase;

private:
  void runOnOperation() override {
    if (failed(weft::verifyOptimizationLevel(getOperation())))
      return signalPassFailure();
    WalkResult walk =
        getOperation().walk<WalkOrder::PreOrder>([&](Operation *op) {
          if (weft::isSchedule(op)) // what later stages will run
            return WalkResult::skip();
          StringRef dialect = op->getName().getDialectNamespace();
          if (dialect == "builtin" || llvm::is_contained(legal, dialect) ||
              llvm::is_contained(legal, op->getName().getStringRef()))
            return WalkResult::advance();
          op->emitError("'")
              << op->getName() << "' is left at stage '" << stage
              << "', which consists of " << llvm::join(legal, ", ");
          return WalkResult::interrupt();
        });
    if (walk.wasInterrupted())
      signalPassFailure();
    markAllAnalysesPreserved();
  }
};

/// Whether a type is no array, or one of elements that can be computed with.
bool isSupported(Type type) {
  if (!isa<TensorType, BaseMemRefType>(type))
    return true;
  Type element = cast<ShapedType>(type).getElementType();
  if (auto complex = dyn_cast<ComplexType>(element))
    element = complex.getElementType();
  return element.isIntOrIndexOrFloat();
}

const weft::runtime::Kernel *findKernel(StringRef name) {
  std::string symbol = (weft::kernelPrefix + name).str();
  for (const weft::runtime::Kernel &kernel : weft::runtime::kernels())
    if (kernel.symbol == symbol)
      return &kernel;
  return nullptr;
}

int64_t bytesOf(Type operand) {
  auto type = cast<ShapedType>(operand);
  return type.getNumElements() * weft::bytesOf(type.getElementType());
}

std::string list(ArrayRef<int64_t> numbers) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  llvm::interleaveComma(numbers, stream);
  return text;
}

/// Kernels believe what sizes they are told.
LogicalResult verifyCall(weft::LibraryCallOp call) {
  if (weft::SortStep::of(call) || weft::ScanStep::of(call))
    return success();
  const weft::runtime::Kernel *kernel = findKernel(call.getKernel());
  if (!kernel)
    return call.emitError("there is no kernel '") << call.getKernel() << "'";
  std::vector<int64_t> wanted =
      weft::runtime::operandBytes(*kernel, call.getSizes().vec());
  auto given = llvm::map_to_vector(call->getOperandTypes(),
                                   [](Type type) { return bytesOf(type); });
  // A GPU's sorts give keys and places, or places of 32 bits, as well.
  bool isSplit = !kernel->callsRoutines && weft::isForGpu(call);
  if (isSplit && !wanted.empty()) {
    wanted.resize(1);
    given.resize(1);
  }
  if (ArrayRef(wanted) == ArrayRef(given))
    return success();
  auto error = call.emitError("kernel '") << call.getKernel() << "' takes ";
  if (wanted.empty())
    error << "no sizes like " << "[" << list(call.getSizes()) << "]";
  else
    error << "operands of " << list(wanted) << " bytes with sizes "
          << "[" << list(call.getSizes()) << "], not of " << list(given);
  return error;
}

class CheckTypes final : public weft::impl::CheckTypesBase<CheckTypes> {
  void runOnOperation() override {
    WalkResult walk = getOperation().walk([](Operation *op) {
      SmallVector<Type> types(op->getResultTypes());
      for (Region &region : op->getRegions())
        for (Block &block : region)
          llvm::append_range(types, block.getArgumentTypes());
      for (Type type : types)
        if (!isSupported(type)) {
          op->emitError("arrays have integers, floats or complex numbers for "
                        "elements, not those of ")
              << type;
          return WalkResult::interrupt();
        }
      return WalkResult::advance();
    });
    if (walk.wasInterrupted() || failed(verifyArenas()) ||
        failed(verifyCalls()))
      signalPassFailure();
    markAllAnalysesPreserved();
  }

  LogicalResult verifyCalls() {
    WalkResult walk = getOperation().walk(
        [](weft::LibraryCallOp call) { return WalkResult(verifyCall(call)); });
    return failure(walk.wasInterrupted());
  }

  /// Whoever calls a function gives it as much as it states.
  LogicalResult verifyArenas() {
    for (auto func : getOperation().getOps<func::FuncOp>()) {
      Attribute stated = func->getAttr(weft::arenaBytesAttr);
      if (!stated)
        continue;
      auto bytes = dyn_cast<IntegerAttr>(stated);
      auto arena = func.getNumArguments() > 0
                       ? dyn_cast<MemRefType>(func.getArgumentTypes().back())
                       : MemRefType();
      if (!bytes || !arena || !arena.hasStaticShape() ||
          !arena.getElementType().isInteger(8) ||
          arena.getNumElements() != bytes.getValue().getSExtValue())
        return func.emitError("'")
               << weft::arenaBytesAttr << "' must be the size of the last "
               << "argument, an array of bytes; it is " << stated;
    }
    return success();
  }
};

} // namespace
