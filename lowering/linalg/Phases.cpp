// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lowering/linalg/Phases.h"

using namespace mlir;
using weft::Part;
using weft::Phase;
using weft::Phases;
using weft::Windows;

bool weft::havePhases(const Windows &windows) {
  bool isDilated = false;
  for (size_t dim = 0; dim < windows.rank(); ++dim) {
    if (windows.baseDilation[dim] == 1)
      continue;
    isDilated = true;
    if (windows.strides[dim] != 1 || windows.windowDilation[dim] != 1)
      return false;
  }
  return isDilated;
}

static SmallVector<Phase> phasesOf(const Windows &windows, size_t dim,
                                   int64_t size, int64_t results) {
  int64_t dilation = windows.baseDilation[dim], low = windows.low[dim],
          window = windows.window[dim];
  if (dilation == 1)
    return {{0, results, 0, window, low, windows.high[dim]}};
  SmallVector<Phase> phases;
  for (int64_t first = 0; first < std::min(dilation, results); ++first) {
    Phase phase;
    phase.first = first;
    phase.count = llvm::divideCeil(results - first, dilation);
    phase.window = ((low - first) % dilation + dilation) % dilation;
    if (phase.window >= window)
      continue; // what is between elements
    phase.taps = llvm::divideCeil(window - phase.window, dilation);
    phase.low = (low - first - phase.window) / dilation;
    phase.high = Phases::length(phase) - size - phase.low;
    phases.push_back(phase);
  }
  return phases;
}

Phases::Phases(const Windows &windows, ArrayRef<int64_t> operand,
               ArrayRef<int64_t> results)
    : windows(windows), padded(windows) {
  for (size_t dim = 0; dim < windows.rank(); ++dim) {
    auto &own =
        phases.emplace_back(phasesOf(windows, dim, operand[dim], results[dim]));
    if (windows.baseDilation[dim] == 1)
      continue;
    padded.baseDilation[dim] = 1;
    if (own.empty())
      continue;
    int64_t &low = padded.low[dim], &high = padded.high[dim];
    low = high = std::numeric_limits<int64_t>::min();
    for (const Phase &phase : own) {
      low = std::max(low, phase.low);
      high = std::max(high, phase.high);
    }
  }
}

bool Phases::haveAll(ArrayRef<int64_t> results) const {
  return llvm::all_of(llvm::zip_equal(phases, results), [](auto each) {
    auto &[own, wanted] = each;
    int64_t count = 0;
    for (const Phase &phase : own)
      count += phase.count;
    return count == wanted;
  });
}

void Phases::visit(VisitFn visit) const {
  SmallVector<Phase> chosen;
  auto next = [&](auto &self) -> void {
    if (chosen.size() == phases.size())
      return visit(chosen);
    for (const Phase &phase : phases[chosen.size()]) {
      chosen.push_back(phase);
      self(self);
      chosen.pop_back();
    }
  };
  next(next);
}

Part::Part(Value array) : array(array) {
  auto type = cast<RankedTensorType>(array.getType());
  offsets.assign(type.getRank(), 0);
  llvm::append_range(sizes, type.getShape());
  steps.assign(type.getRank(), 1);
}

void Part::cut(int64_t dim, int64_t first, int64_t count, int64_t step) {
  offsets[dim] = first;
  sizes[dim] = count;
  steps[dim] = step;
}

static SmallVector<OpFoldResult> indices(OpBuilder &b,
                                         ArrayRef<int64_t> values) {
  return getAsIndexOpFoldResult(b.getContext(), values);
}

Value Part::read(OpBuilder &b, Location loc) const {
  return tensor::ExtractSliceOp::create(b, loc, array, indices(b, offsets),
                                        indices(b, sizes), indices(b, steps));
}

Value Part::replaced(OpBuilder &b, Location loc, Value part) const {
  return tensor::InsertSliceOp::create(b, loc, part, array, indices(b, offsets),
                                       indices(b, sizes), indices(b, steps));
}
