// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Sums of products that have no tiles, such as a matrix by a vector: a sum's
// steps are shared among lanes, which read neighbours, or each thread computes
// an element whose neighbours the others have.

#include "lowering/gpu/ProductOperands.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using weft::KernelBuilder;
using weft::ProductKernel;
using weft::ProductOperands;
using weft::ProductPlan;

namespace {

using Values = SmallVector<Value>;

constexpr int64_t warpLanes = 32;
/// Sums short enough to be written out.
constexpr int64_t shortSum = 32;

class Emitter {
public:
  Emitter(const ProductKernel &kernel, const ProductPlan &plan)
      : kernel(kernel), plan(plan), k(kernel.func, kernel.last(), plan.isWide),
        operands(k, kernel, plan) {
    int64_t atOnce = plan.sumLanes * plan.stepVector;
    int64_t rounds = llvm::divideCeil(plan.summed.extent, atOnce);
    unroll = plan.sumLanes == 1 && rounds <= shortSum
                 ? rounds
                 : std::min<int64_t>(rounds, 4);
  }

  void emit() {
    weft::stateSize(kernel.func, plan.blocks(), plan.threads());
    Value thread = k.thread();
    if (plan.sumFastest) {
      lane = k.remainder(thread, plan.sumLanes);
      element = k.divide(thread, plan.sumLanes);
    } else {
      lane = k.divide(thread, plan.elements);
      element = k.remainder(thread, plan.elements);
    }
    Value column = k.add(k.multiply(k.block(), plan.elements), element);
    Value valid = plan.columns.extent % plan.elements
                      ? k.least(column, plan.columns.extent - 1)
                      : column;
    for (unsigned factor : {0, 1})
      begins[factor] = k.at(operands.pointer(factor), operands.element(factor),
                            operands.offset(factor, plan.columns, valid));
    Value total = reduce(sumUp());
    Value isFirst = plan.sumLanes > 1 ? k.isEqual(lane, 0) : Value();
    k.onlyIf(isFirst,
             [&] { operands.store({{k.number(0)}, {column}, 1, {total}}); });
  }

private:
  Value sumUp() {
    int64_t apart = plan.sumLanes * plan.stepVector;
    int64_t count = llvm::divideCeil(plan.summed.extent, apart * unroll);
    bool isRagged = plan.summed.extent % (apart * unroll) != 0;
    Value first = k.multiply(lane, plan.stepVector);
    Values zeros(unroll, k.zero(plan.compute));
    auto round = [&](Value number, ArrayRef<Value> carried) {
      Values sums(carried);
      Value begin = k.add(first, k.multiply(number, apart * unroll));
      for (int64_t u = 0; u < unroll; ++u) {
        Value step = k.add(begin, u * apart), exists;
        if (isRagged) {
          exists = k.isLess(step, plan.summed.extent);
          step = k.least(step, plan.summed.extent - plan.stepVector);
        }
        Values x = read(0, step, exists), y = read(1, step, exists);
        for (auto [a, c] : llvm::zip_equal(x, y))
          sums[u] = k.multiplyAdd(a, c, sums[u]);
      }
      return sums;
    };
    Values sums =
        count == 1 ? round(k.number(0), zeros) : k.loop(count, zeros, round);
    for (Value sum : llvm::drop_begin(sums))
      sums.front() = k.sum(sums.front(), sum);
    return sums.front();
  }

  /// The steps of a lane that are read at once; zeros beyond the last.
  Values read(unsigned factor, Value step, Value exists) {
    Type type = operands.element(factor);
    int64_t width = plan.stepVector;
    Value begin =
        k.at(begins[factor], type, operands.offset(factor, plan.summed, step));
    Values values;
    if (plan.consecutive(factor, plan.summed, width) == width)
      values = k.unpack(k.load(begin, type, width));
    else
      for (int64_t i = 0; i < width; ++i)
        values.push_back(k.load(
            k.at(begin, type, i * plan.step(factor, plan.summed)), type));
    for (Value &value : values) {
      value = operands.convert(factor, value);
      if (exists)
        value = k.select(exists, value, k.zero(value.getType()));
    }
    return values;
  }

  Value reduce(Value sum) {
    int64_t parts = plan.sumLanes;
    Value part = lane, isFirst;
    if (plan.sumFastest) {
      int64_t lanes = std::min(parts, warpLanes);
      for (int64_t apart = lanes / 2; apart > 0; apart /= 2)
        sum = k.sum(sum, shuffle(sum, apart));
      parts /= lanes;
      part = k.divide(lane, lanes);
      isFirst = k.isEqual(k.remainder(lane, lanes), 0);
    }
    if (parts == 1)
      return sum;
    Value memory = k.shared(parts * plan.elements * plan.computeBytes());
    Value own = k.at(memory, plan.compute, element);
    k.onlyIf(isFirst, [&] {
      k.store(sum, k.at(own, plan.compute, k.multiply(part, plan.elements)));
    });
    k.barrier();
    // All lanes read: the ones that need not do so wait for the others.
    for (int64_t other = 0; other < parts; ++other) {
      Value read =
          k.load(k.at(own, plan.compute, other * plan.elements), plan.compute);
      sum = other == 0 ? read : k.sum(sum, read);
    }
    return sum;
  }

  /// The value of the lane so far apart.
  Value shuffle(Value value, int64_t apart) {
    Type type = value.getType();
    if (type.getIntOrFloatBitWidth() == 32)
      return gpu::ShuffleOp::create(k.b, value, apart, warpLanes,
                                    gpu::ShuffleMode::XOR)
          .getShuffleResult();
    Type halves = VectorType::get({2}, k.b.getI32Type());
    Values parts = k.unpack(LLVM::BitcastOp::create(k.b, halves, value));
    for (Value &part : parts)
      part = shuffle(part, apart);
    return LLVM::BitcastOp::create(k.b, type, k.pack(parts));
  }

  const ProductKernel &kernel;
  const ProductPlan &plan;
  KernelBuilder k;
  ProductOperands operands;
  int64_t unroll;
  Value lane, element;
  Value begins[2];
};

} // namespace

void weft::emitLaneProduct(const ProductKernel &kernel,
                           const ProductPlan &plan) {
  Emitter(kernel, plan).emit();
  kernel.erase();
}
