// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lowering/gpu/ScanStep.h"
#include "lowering/linalg/ToLinalg.h"
#include "lowering/memory/Buffers.h"
#include "mlir/AsmParser/AsmParser.h"

using namespace mlir;
using weft::ScanStep;
using weft::scalar::Scalar;

/// By kind, what the names of calls begin with.
static constexpr llvm::StringLiteral prefixes[] = {"scan_tiles_",
                                                   "scan_totals_"};

namespace {

/// Ops of which two running values combine as an element does with one.
struct Combiner {
  llvm::StringLiteral name;
  Scalar (*combine)(Scalar, Scalar);
};

constexpr Combiner combiners[] = {
    {"cumsum", [](Scalar x, Scalar y) { return x + y; }},
    {"cumprod", [](Scalar x, Scalar y) { return x * y; }},
    {"cummax", weft::scalar::maximum},
    {"cummin", weft::scalar::minimum},
    {"cumlogsumexp", weft::scalar::logaddexp},
};

const Combiner *combinerOf(StringRef name) {
  const auto *found = llvm::find_if(
      combiners, [&](const Combiner &known) { return known.name == name; });
  return found == std::end(combiners) ? nullptr : found;
}

} // namespace

std::optional<ScanStep> ScanStep::of(Operation *op) {
  auto call = dyn_cast<weft::LibraryCallOp>(op);
  if (!call)
    return std::nullopt;
  ArrayRef<int64_t> sizes = call.getSizes();
  if (sizes.size() != 4 ||
      llvm::any_of(sizes, [](int64_t size) { return size < 0; }))
    return std::nullopt;
  for (auto [kind, prefix] : llvm::enumerate(prefixes)) {
    StringRef name = call.getKernel();
    if (!name.consume_front(prefix))
      continue;
    auto [combined, element] = name.split('_');
    Type type = parseType(element, op->getContext());
    if (!type || !combinerOf(combined))
      return std::nullopt;
    return ScanStep{static_cast<Kind>(kind),
                    combined.str(),
                    type,
                    sizes[0],
                    sizes[1],
                    sizes[2],
                    sizes[3] != 0};
  }
  return std::nullopt;
}

std::optional<ScanStep> ScanStep::first(weft::Cumulative op) {
  StringRef name = op->getName().stripDialect();
  if (!combinerOf(name))
    return std::nullopt;
  auto type = cast<RankedTensorType>(op->getResult(0).getType());
  ArrayRef<int64_t> shape = type.getShape();
  int64_t axis = op.getCumulatedAxis();
  return ScanStep{
      Kind::Tiles,           name.str(),
      type.getElementType(), llvm::product_of(shape.take_front(axis)),
      shape[axis],           llvm::product_of(shape.drop_front(axis + 1)),
      op.isBackwards()};
}

Value ScanStep::build(OpBuilder &b, Location loc, ValueRange inputs,
                      RankedTensorType result) const {
  std::string call = prefixes[static_cast<int>(kind)].str() + name + "_";
  llvm::raw_string_ostream(call) << element;
  Value empty = weft::buildEmpty(b, loc, result);
  return weft::LibraryCallOp::create(b, loc, result, call,
                                     {outer, length, inner, int64_t(reverse)},
                                     inputs, empty)
      .getResult(0);
}

Scalar ScanStep::combine(Scalar left, Scalar right) const {
  return combinerOf(name)->combine(left, right);
}

bool ScanStep::isFaster(weft::Cumulative op, const weft::Gpu &gpu) const {
  int64_t passes = tiles() == 1 ? 2 : 3;
  // Its own, and one more of what stands beside it.
  int64_t launches = tiles() == 1 ? 2 : 4;
  // Rows that are apart are read at full speed by threads that walk along
  // neighbours, too; tiles are read twice.
  int64_t bytes = rows() * length * bytesOf(storedElement(element));
  int64_t moved = inner == 1 ? 0 : passes * bytes;
  return length > gpu.stepsOf(op, launches, moved);
}
