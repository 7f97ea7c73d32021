// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What bufferization has to know of weft.library_call: it reads its inputs,
// overwrites its outputs, and wants both in row-major order, without gaps.

#include "dialects/Weft.h"
#include "lowering/Passes.h"
#include "lowering/gpu/Device.h"
#include "lowering/memory/Buffers.h"
#include "mlir/Dialect/Bufferization/IR/DstBufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;
using namespace mlir::bufferization;

namespace {

/// Whether the elements follow each other, wherever they begin.
bool isContiguous(MemRefType type) {
  SmallVector<int64_t> strides;
  int64_t offset, expected = 1;
  if (failed(type.getStridesAndOffset(strides, offset)))
    return false;
  for (auto [size, stride] :
       llvm::reverse(llvm::zip_equal(type.getShape(), strides))) {
    if (size != 1 && stride != expected)
      return false;
    expected *= size;
  }
  return true;
}

/// Whether elements are a constant's, which the code of a GPU's kernels has and
/// its memory has not.
bool isConstantOfKernels(weft::LibraryCallOp call, Value buffer) {
  Value base = weft::baseOf(buffer);
  if (auto tensor = base.getDefiningOp<ToBufferOp>())
    base = tensor.getTensor();
  Operation *op = base.getDefiningOp();
  return op &&
         (isa<memref::GetGlobalOp>(op) ||
          op->hasTrait<OpTrait::ConstantLike>()) &&
         weft::isForGpu(call);
}

struct LibraryCallModel final
    : DstBufferizableOpInterfaceExternalModel<LibraryCallModel,
                                              weft::LibraryCallOp> {
  bool bufferizesToMemoryRead(Operation *op, OpOperand &operand,
                              const AnalysisState &) const {
    return !cast<weft::LibraryCallOp>(op).isDpsInit(&operand);
  }

  LogicalResult bufferize(Operation *op, RewriterBase &rewriter,
                          const BufferizationOptions &options,
                          BufferizationState &state) const {
    auto call = cast<weft::LibraryCallOp>(op);
    OpBuilder::InsertionGuard guard(rewriter);
    rewriter.setInsertionPoint(op);
    Location loc = op->getLoc();
    // What is not contiguous goes through a temporary.
    auto temporaryFor = [&](Value buffer) -> Value {
      auto type = cast<MemRefType>(buffer.getType());
      return memref::AllocOp::create(
          rewriter, loc,
          MemRefType::get(type.getShape(), type.getElementType()));
    };
    auto isDirect = [](Value buffer) {
      return isContiguous(cast<MemRefType>(buffer.getType()));
    };

    SmallVector<Value> inputs, outputs, written;
    for (Value value : call.getInputs()) {
      FailureOr<Value> buffer = getBuffer(rewriter, value, options, state);
      if (failed(buffer))
        return failure();
      if (!isDirect(*buffer) || isConstantOfKernels(call, *buffer)) {
        Value temporary = temporaryFor(*buffer);
        memref::CopyOp::create(rewriter, loc, *buffer, temporary);
        buffer = temporary;
      }
      inputs.push_back(*buffer);
    }
    for (Value value : call.getOutputs()) {
      FailureOr<Value> buffer = getBuffer(rewriter, value, options, state);
      if (failed(buffer))
        return failure();
      outputs.push_back(*buffer);
      written.push_back(isDirect(*buffer) ? *buffer : temporaryFor(*buffer));
    }
    weft::LibraryCallOp::create(rewriter, loc, TypeRange{}, call.getKernel(),
                                call.getSizes(), inputs, written);
    for (auto [buffer, temporary] : llvm::zip_equal(outputs, written))
      if (buffer != temporary)
        memref::CopyOp::create(rewriter, loc, temporary, buffer);
    replaceOpWithBufferizedValues(rewriter, op, outputs);
    return success();
  }
};

} // namespace

void weft::registerLibraryCallBufferization(DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *context, weft::WeftDialect *) {
    weft::LibraryCallOp::attachInterface<LibraryCallModel>(*context);
  });
}
