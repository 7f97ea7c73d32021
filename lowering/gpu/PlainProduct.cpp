// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Sums in their own order, one thread for each element of the result: for what
// has no tiles, such as complex numbers and sums whose order matters.

#include "lowering/gpu/ProductKernel.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;
using weft::ProductKernel;

namespace {

constexpr int64_t threads = 128;

class Emitter {
public:
  explicit Emitter(const ProductKernel &kernel)
      : kernel(kernel), op(kernel.sum), b(op.getLoc(), kernel.last()),
        extents(op.getStaticLoopRanges()), loops(extents.size()) {}

  void emit() {
    SmallVector<unsigned> parallel = parallelLoops();
    int64_t total = 1;
    for (unsigned loop : parallel)
      total *= extents[loop];
    int64_t blocks = std::max<int64_t>(llvm::divideCeil(total, threads), 1);
    weft::stateSize(kernel.func, blocks, threads);
    Value thread = gpu::ThreadIdOp::create(b, gpu::Dimension::x);
    Value block = gpu::BlockIdOp::create(b, gpu::Dimension::x);
    Value number = arith::AddIOp::create(
        b, arith::MulIOp::create(b, block, index(threads)), thread);
    Value isWithin = arith::CmpIOp::create(b, arith::CmpIPredicate::ult, number,
                                           index(total));
    auto branch = scf::IfOp::create(b, isWithin, /*withElseRegion=*/false);
    b.setInsertionPointToStart(branch.thenBlock());
    SmallVector<int64_t> counts = llvm::map_to_vector(
        parallel, [&](unsigned loop) { return extents[loop]; });
    for (auto [loop, at] :
         llvm::zip_equal(parallel, weft::splitDigits(b, number, counts)))
      loops[loop] = at;
    emitElement();
  }

private:
  Value index(int64_t value) {
    return arith::ConstantIndexOp::create(b, value);
  }

  /// In the order of the result, so that neighbours store to neighbours.
  SmallVector<unsigned> parallelLoops() {
    SmallVector<unsigned> order, all;
    op.getParallelDims(all);
    for (AffineExpr expr : kernel.sumMap().getResults())
      for (unsigned loop : all)
        if (expr.isFunctionOfDim(loop) && !llvm::is_contained(order, loop))
          order.push_back(loop);
    for (unsigned loop : all)
      if (!llvm::is_contained(order, loop))
        order.insert(order.begin(), loop);
    return order;
  }

  SmallVector<Value> places(AffineMap map) {
    SmallVector<Value> result;
    for (unsigned i = 0; i < map.getNumResults(); ++i)
      result.push_back(affine::AffineApplyOp::create(b, map.getSubMap(i),
                                                     placesOfLoops(map)));
    return result;
  }
  /// Loops that a map does not use may not have begun.
  SmallVector<Value> placesOfLoops(AffineMap map) {
    SmallVector<Value> result(loops.begin(), loops.end());
    for (Value &value : result)
      if (!value)
        value = index(0);
    return result;
  }
  Value read(Value operand, AffineMap map) {
    if (!isa<MemRefType>(operand.getType()))
      return operand;
    return memref::LoadOp::create(b, operand, places(map));
  }

  void emitElement() {
    Value start = kernel.start();
    if (!start)
      start = read(op.getDpsInits()[0], kernel.sumMap());
    SmallVector<unsigned> summed;
    op.getReductionDims(summed);
    Value sum = emitSum(summed, start);
    Value changed = kernel.change(b, sum, [&](unsigned number, unsigned input) {
      linalg::GenericOp epilogue = kernel.epilogues[number].op;
      OpOperand &operand = epilogue->getOpOperand(input);
      return read(operand.get(),
                  epilogue.getMatchingIndexingMap(&operand).compose(
                      kernel.epilogues[number].loops));
    });
    AffineMap map = kernel.sumMap();
    if (!kernel.epilogues.empty()) {
      linalg::GenericOp last = kernel.epilogues.back().op;
      map = last.getMatchingIndexingMap(&last.getDpsInitsMutable()[0])
                .compose(kernel.epilogues.back().loops);
    }
    memref::StoreOp::create(b, changed, kernel.result(), places(map));
  }

  Value emitSum(ArrayRef<unsigned> summed, Value sum) {
    if (summed.empty())
      return emitStep(sum);
    auto loop = scf::ForOp::create(b, index(0), index(extents[summed.front()]),
                                   index(1), sum);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    loops[summed.front()] = loop.getInductionVar();
    Value inner = emitSum(summed.drop_front(), loop.getRegionIterArg(0));
    scf::YieldOp::create(b, inner);
    loops[summed.front()] = Value();
    return loop.getResult(0);
  }

  Value emitStep(Value sum) {
    IRMapping mapping;
    for (auto [argument, input] :
         llvm::zip(op.getRegionInputArgs(), op.getDpsInputOperands()))
      mapping.map(argument,
                  read(input->get(), op.getMatchingIndexingMap(input)));
    mapping.map(op.getRegionOutputArgs()[0], sum);
    for (Operation &inner : op.getBody()->without_terminator())
      b.clone(inner, mapping);
    return mapping.lookupOrDefault(
        op.getBody()->getTerminator()->getOperand(0));
  }

  const ProductKernel &kernel;
  linalg::GenericOp op;
  ImplicitLocOpBuilder b;
  SmallVector<int64_t> extents;
  /// Where each loop of the sum stands.
  SmallVector<Value> loops;
};

} // namespace

void weft::emitPlainProduct(const ProductKernel &kernel) {
  Emitter(kernel).emit();
  kernel.erase();
}
