// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lowering/fusion/LaneReduction.h"
#include "lowering/fusion/Lanes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using weft::LaneReduction;

/// Whether combining the same value twice changes nothing.
static bool isIdempotent(Operation *op) {
  return isa<arith::MaximumFOp, arith::MinimumFOp, arith::MaxSIOp,
             arith::MinSIOp, arith::MaxUIOp, arith::MinUIOp, arith::AndIOp,
             arith::OrIOp>(op);
}

/// Whether the elements may be combined in any order.
static bool hasFreeOrder(Operation *op) {
  if (isIdempotent(op) || isa<arith::AddIOp, arith::MulIOp, arith::XOrIOp>(op))
    return true;
  auto floating = dyn_cast<arith::ArithFastMathInterface>(op);
  return isa<arith::AddFOp, arith::MulFOp>(op) &&
         bitEnumContainsAll(floating.getFastMathFlagsAttr().getValue(),
                            arith::FastMathFlags::reassoc);
}

std::optional<LaneReduction> LaneReduction::match(linalg::LinalgOp op,
                                                  bool inVectors) {
  if (op.getNumDpsInits() != 1)
    return std::nullopt;
  Block *body = op.getBlock();
  BlockArgument accumulated = body->getArguments().back();
  Operation *combine = body->getTerminator()->getOperand(0).getDefiningOp();
  if (!combine || combine->getNumOperands() != 2 || !hasFreeOrder(combine) ||
      !accumulated.hasOneUse() || combine->getNumResults() != 1 ||
      !combine->getResult(0).hasOneUse())
    return std::nullopt;
  for (Operation &inner : body->without_terminator())
    if (inVectors && !worksInLanes(&inner) && !isa<linalg::IndexOp>(inner))
      return std::nullopt;
  for (unsigned i : {0, 1})
    if (combine->getOperand(i) == accumulated)
      return LaneReduction(op, combine, combine->getOperand(1 - i));
  return std::nullopt;
}

unsigned LaneReduction::width() const {
  return combine->getResult(0).getType().getIntOrFloatBitWidth();
}

Value LaneReduction::combined(ImplicitLocOpBuilder &b, Value x, Value y) const {
  OperationState state(b.getLoc(), combine->getName(), {x, y}, x.getType(),
                       combine->getAttrs());
  return b.create(state)->getResult(0);
}

Value LaneReduction::step(ImplicitLocOpBuilder &b, Value accumulated, Value at,
                          bool asVector, const Source &source) {
  IRMapping mapping;
  for (auto [number, argument] :
       llvm::enumerate(op.getBlock()->getArguments().drop_back()))
    if (!argument.use_empty())
      mapping.map(argument, source.load(number, at, asVector));
  for (Operation &inner : op.getBlock()->without_terminator()) {
    if (auto index = dyn_cast<linalg::IndexOp>(inner)) {
      Value known = source.index(index.getDim());
      if (!known && asVector)
        known = arith::AddIOp::create(
            b, splatLanes(b, at, source.lanes),
            vector::StepOp::create(
                b, VectorType::get({source.lanes}, b.getIndexType())));
      mapping.map(index.getResult(), known ? known : at);
    } else if (&inner != combine) {
      cloneInLanes(b, inner, mapping, source.lanes);
    }
  }
  Value own = mapping.lookupOrDefault(element);
  if (asVector)
    own = splatLanes(b, own, source.lanes);
  return combined(b, accumulated, own);
}

Value LaneReduction::neutral(ImplicitLocOpBuilder &b, Value accumulated) const {
  if (isIdempotent(combine))
    return accumulated;
  Type type = accumulated.getType();
  bool isProduct = isa<arith::MulFOp, arith::MulIOp>(combine);
  TypedAttr neutral = isProduct ? b.getOneAttr(type) : b.getZeroAttr(type);
  // Nothing but -0 leaves a sum of -0 as it is.
  if (isa<arith::AddFOp>(combine))
    neutral = b.getFloatAttr(type, -0.0);
  return arith::ConstantOp::create(b, neutral);
}

Value LaneReduction::build(ImplicitLocOpBuilder &b, Value accumulated,
                           int64_t extent, int64_t lanes, LoadFn load,
                           IndexFn indexOf) {
  Source source{lanes, load, indexOf};
  auto index = [&](int64_t value) -> Value {
    return arith::ConstantIndexOp::create(b, value);
  };
  // Independent sums, so that none waits for the one before it.
  int64_t vectors = extent / lanes, chains = std::min<int64_t>(4, vectors);
  Value at = index(0);
  if (chains > 0) {
    SmallVector<Value> sums(chains,
                            splatLanes(b, neutral(b, accumulated), lanes));
    int64_t width = chains * lanes, whole = extent / width * width;
    auto loop = scf::ForOp::create(b, at, index(whole), index(width), sums);
    {
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPointToStart(loop.getBody());
      for (int64_t chain = 0; chain < chains; ++chain) {
        Value place = arith::AddIOp::create(b, loop.getInductionVar(),
                                            index(chain * lanes));
        sums[chain] = step(b, loop.getRegionIterArg(chain), place,
                           /*asVector=*/true, source);
      }
      scf::YieldOp::create(b, sums);
    }
    sums.assign(loop.getResults().begin(), loop.getResults().end());
    for (int64_t place = whole; place + lanes <= extent; place += lanes)
      sums[0] = step(b, sums[0], index(place), /*asVector=*/true, source);
    Value all = sums[0];
    for (Value other : ArrayRef(sums).drop_front())
      all = combined(b, all, other);
    for (int64_t half = lanes / 2; half > 0; half /= 2) {
      auto part = [&](int64_t first) -> Value {
        return vector::ExtractStridedSliceOp::create(
            b, all, ArrayRef<int64_t>{first}, ArrayRef<int64_t>{half},
            ArrayRef<int64_t>{1});
      };
      all = combined(b, part(0), part(half));
    }
    accumulated =
        combined(b, accumulated,
                 vector::ExtractOp::create(b, all, ArrayRef<int64_t>{0}));
    at = index(extent / lanes * lanes);
  }
  if (extent % lanes == 0)
    return accumulated;
  auto loop = scf::ForOp::create(b, at, index(extent), index(1), accumulated);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  scf::YieldOp::create(b,
                       step(b, loop.getRegionIterArg(0), loop.getInductionVar(),
                            /*asVector=*/false, source));
  return loop.getResult(0);
}
