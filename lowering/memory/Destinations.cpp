// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Loops and choices of tensors become loops and choices that write into
// buffers:
//
//   %r = scf.for ... iter_args(%x = %init) { ... yield %y }
//
// becomes, where %y may overwrite %x,
//
//   materialize %init in %buffer
//   scf.for ... { %x = to_tensor %buffer ... materialize %y in %buffer }
//   %r = to_tensor %buffer
//
// and else two buffers that change places: iter_args(%now = %a, %next = %b).

#include "lowering/memory/Destinations.h"
#include "lowering/memory/Buffers.h"
#include "lowering/memory/CutUpdates.h"
#include "lowering/memory/InPlace.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using bufferization::ToTensorOp;
using weft::BufferPlan;

bool weft::hasNoElements(Type tensor) {
  return llvm::is_contained(cast<RankedTensorType>(tensor).getShape(), 0);
}

MemRefType weft::bufferType(Type tensor) {
  auto type = cast<RankedTensorType>(tensor);
  if (hasNoElements(type))
    return MemRefType::get({0}, type.getElementType());
  return MemRefType::get(type.getShape(), type.getElementType());
}

ToTensorOp weft::startOf(Value tensor, bool followsUpdates) {
  while (Operation *op = tensor.getDefiningOp()) {
    if (Value reshaped = reshapedValue(tensor)) {
      tensor = reshaped;
      continue;
    }
    if (Value before = beforeCut(tensor)) {
      tensor = before;
      continue;
    }
    if (auto slice = dyn_cast<tensor::ExtractSliceOp>(op)) {
      tensor = slice.getSource();
      continue;
    }
    OpOperand *init =
        followsUpdates ? findInit(cast<OpResult>(tensor)) : nullptr;
    if (!init)
      return dyn_cast<ToTensorOp>(op);
    tensor = init->get();
  }
  return {};
}

unsigned weft::numTensorsOf(Value buffer) {
  unsigned count = 0;
  for (Operation *user : buffer.getUsers())
    if (isa<bufferization::ToTensorOp>(user))
      ++count;
    else if (isa<ViewLikeOpInterface>(user) && user->getNumResults() == 1)
      count += numTensorsOf(user->getResult(0));
  return count;
}

namespace {

Value buildTensor(OpBuilder &b, Location loc, Type type, Value buffer,
                  bool writable) {
  return bufferization::ToTensorOp::create(b, loc, type, buffer,
                                           /*restrict=*/true, writable);
}

void buildMaterialize(OpBuilder &b, Location loc, Value value, Value buffer) {
  if (!value.getDefiningOp<tensor::EmptyOp>())
    bufferization::MaterializeInDestinationOp::create(
        b, loc, /*result=*/Type(), value, buffer, /*restrict=*/true,
        /*writable=*/true);
}

bool isChoice(Operation *op) { return isa<scf::IfOp, scf::IndexSwitchOp>(op); }

/// Whether an op can be told where to put this.
bool isMadeInPlace(Value value) {
  auto result = dyn_cast<OpResult>(value);
  return result && (isChoice(result.getOwner()) || weft::findInit(result));
}

bool isViewOf(Value tensor, Value buffer) {
  auto view = tensor.getDefiningOp<bufferization::ToTensorOp>();
  return view && view.getBuffer() == buffer;
}

/// Where views of a buffer can be built for the ops of a block.
void setAfter(OpBuilder &b, Value buffer, Block *block) {
  if (buffer.getParentBlock() == block && buffer.getDefiningOp())
    b.setInsertionPointAfterValue(buffer);
  else
    b.setInsertionPointToStart(block);
}

/// If `value` is a reshape, replaces it by what is reshaped, and `buffer` by a
/// view of the same shape.
bool lookThroughReshape(OpBuilder &b, Value &value, Value &buffer) {
  Location loc = value.getLoc();
  Value source = weft::reshapedValue(value);
  if (!source || weft::hasNoElements(source.getType()))
    return false;
  MemRefType type = weft::bufferType(source.getType());
  if (auto expand = value.getDefiningOp<tensor::ExpandShapeOp>())
    buffer = memref::CollapseShapeOp::create(b, loc, type, buffer,
                                             expand.getReassociationIndices());
  else
    buffer = memref::ExpandShapeOp::create(
        b, loc, type, buffer,
        value.getDefiningOp<tensor::CollapseShapeOp>()
            .getReassociationIndices());
  value = source;
  return true;
}

/// A buffer for a tensor like `init`, for what the block of `op` computes.
Value allocate(Operation *op, Value init) {
  auto tensor = cast<RankedTensorType>(init.getType());
  auto type = MemRefType::get(tensor.getShape(), tensor.getElementType());
  OpBuilder b(op);
  if (type.hasStaticShape()) {
    b.setInsertionPointToStart(op->getBlock());
    return memref::AllocOp::create(b, op->getLoc(), type);
  }
  SmallVector<Value> sizes;
  for (auto [dim, size] : llvm::enumerate(type.getShape()))
    if (ShapedType::isDynamic(size))
      sizes.push_back(tensor::DimOp::create(b, op->getLoc(), init, dim));
  return memref::AllocOp::create(b, op->getLoc(), type, sizes);
}

//===----------------------------------------------------------------------===//
// Loops
//===----------------------------------------------------------------------===//

/// The parts of a loop that have to do with the tensors it carries.
class LoopParts {
public:
  explicit LoopParts(Operation *op) : op(op) {
    if (auto loop = dyn_cast<scf::ForOp>(op)) {
      inits = loop.getInitArgs();
      blocks = {loop.getBody()};
    } else {
      auto whileLoop = cast<scf::WhileOp>(op);
      inits = whileLoop.getInits();
      blocks = {whileLoop.getBeforeBody(), whileLoop.getAfterBody()};
    }
    for (auto [number, init] : llvm::enumerate(inits))
      if (isa<RankedTensorType>(init.getType()))
        positions.push_back(number);
  }

  Block &body() { return *blocks.back(); }
  size_t size() const { return positions.size(); }
  Value init(unsigned i) { return inits[positions[i]]; }
  Value yielded(unsigned i) {
    return body().getTerminator()->getOperand(positions[i]);
  }

  /// What `init(i)` is called in the body, and which result it is; the loop of
  /// a while may have dropped either.
  LogicalResult findNames() {
    arguments.resize(size());
    results.resize(size());
    if (auto loop = dyn_cast<scf::ForOp>(op)) {
      for (auto [i, position] : llvm::enumerate(positions)) {
        arguments[i] = loop.getRegionIterArg(position);
        results[i] = loop.getResult(position);
      }
      return success();
    }
    return findNamesOf(cast<scf::WhileOp>(op));
  }

  /// How many steps it takes, if that is known.
  std::optional<uint64_t> steps() {
    auto loop = dyn_cast<scf::ForOp>(op);
    std::optional<APInt> count =
        loop ? loop.getStaticTripCount() : std::nullopt;
    if (!count || count->getActiveBits() > 63)
      return std::nullopt;
    return count->getZExtValue();
  }

  Operation *op;
  ValueRange inits;
  SmallVector<Block *> blocks;
  SmallVector<unsigned> positions;
  SmallVector<Value> arguments, results;

private:
  LogicalResult findNamesOf(scf::WhileOp loop) {
    scf::ConditionOp condition = loop.getConditionOp();
    SmallVector<Value> before;
    for (unsigned position : positions)
      before.push_back(loop.getBeforeArguments()[position]);
    for (auto [number, passed] : llvm::enumerate(condition.getArgs())) {
      if (!isa<RankedTensorType>(passed.getType()))
        continue;
      auto *found = llvm::find(before, passed);
      if (found == before.end())
        return loop.emitError("the condition of this loop computes a tensor "
                              "for its body; compute it in the body");
      unsigned i = found - before.begin();
      Value argument = loop.getAfterArguments()[number];
      Value result = loop.getResult(number);
      if (arguments[i]) {
        argument.replaceAllUsesWith(arguments[i]);
        result.replaceAllUsesWith(results[i]);
        continue;
      }
      arguments[i] = argument;
      results[i] = result;
    }
    for (unsigned i = 0; i < size(); ++i)
      if (!arguments[i]) // computed in each step, and read by the condition
        arguments[i] = before[i];
    return success();
  }
};

/// Rewrites one loop, its plan and its buffers being chosen.
class LoopBuilder {
public:
  LoopBuilder(LoopParts &loop, const BufferPlan &plan, ArrayRef<Value> buffers)
      : loop(loop), plan(plan), buffers(buffers) {}

  bool moves(unsigned slot) const { return plan.source[slot] != slot; }

  /// Builds the loop over what is no tensor and over the buffers that change
  /// places; `after` are the buffers that hold the results.
  Operation *build(SmallVector<Value> &after) {
    OpBuilder b(loop.op);
    SmallVector<Value> inits = others(loop.inits);
    for (unsigned slot = 0; slot < buffers.size(); ++slot)
      if (moves(slot))
        inits.push_back(buffers[slot]);
    Operation *built =
        isa<scf::ForOp>(loop.op) ? buildFor(b, inits) : buildWhile(b, inits);
    after.assign(buffers.begin(), buffers.end());
    unsigned moving = llvm::count_if(llvm::seq<unsigned>(0, buffers.size()),
                                     [&](unsigned s) { return moves(s); });
    auto results = built->getResults().take_back(moving).begin();
    for (unsigned slot = 0; slot < buffers.size(); ++slot)
      if (moves(slot))
        after[slot] = *results++;
    replaceOthers(built);
    return built;
  }

  /// The tensors that the body yields, and where they have to be then.
  SmallVector<std::pair<Value, Value>> yields;

private:
  static SmallVector<Value> others(ValueRange values) {
    return llvm::filter_to_vector(values, [](Value value) {
      return !isa<RankedTensorType>(value.getType());
    });
  }

  Operation *buildFor(OpBuilder &b, ValueRange inits) {
    auto old = cast<scf::ForOp>(loop.op);
    auto built = scf::ForOp::create(b, old.getLoc(), old.getLowerBound(),
                                    old.getUpperBound(), old.getStep(), inits,
                                    nullptr, old.getUnsignedCmp());
    built->setDiscardableAttrs(old->getDiscardableAttrDictionary());
    built.getRegion().takeBody(old.getRegion());
    Block &body = *built.getBody();
    readBuffers(body, loop.arguments, /*mayWrite=*/true);
    endBody(body.getTerminator());
    eraseTensors(body);
    return built;
  }

  Operation *buildWhile(OpBuilder &b, ValueRange inits) {
    auto old = cast<scf::WhileOp>(loop.op);
    SmallVector<Value> passed = others(old.getConditionOp().getArgs());
    SmallVector<Type> types(ValueRange(passed).getTypes());
    for (unsigned slot = 0; slot < buffers.size(); ++slot)
      if (moves(slot))
        types.push_back(buffers[slot].getType());
    auto built = scf::WhileOp::create(b, old.getLoc(), types, inits);
    built.getBefore().takeBody(old.getBefore());
    built.getAfter().takeBody(old.getAfter());

    Block &before = *built.getBeforeBody();
    SmallVector<Value> arguments;
    for (unsigned position : loop.positions)
      arguments.push_back(before.getArgument(position));
    SmallVector<Value> moved = readBuffers(before, arguments, false);
    llvm::append_range(passed, moved);
    built.getConditionOp().getArgsMutable().assign(passed);
    Block &body = *built.getAfterBody();
    SmallVector<Value> inBody(loop.arguments);
    for (Value &argument : inBody)
      if (argument.getParentBlock() != &body)
        argument = Value();
    eraseTensors(before);

    readBuffers(body, inBody, /*mayWrite=*/true);
    endBody(body.getTerminator());
    eraseTensors(body);
    return built;
  }

  /// Adds an argument for each buffer that moves, and replaces the arguments
  /// that are tensors, those that the block has, by what the buffers hold.
  /// Returns what it added.
  SmallVector<Value> readBuffers(Block &block, ArrayRef<Value> arguments,
                                 bool mayWrite) {
    current.assign(buffers.begin(), buffers.end());
    SmallVector<Value> added;
    for (unsigned slot = 0; slot < buffers.size(); ++slot) {
      if (!moves(slot))
        continue;
      current[slot] =
          block.addArgument(buffers[slot].getType(), loop.op->getLoc());
      added.push_back(current[slot]);
    }
    OpBuilder b = OpBuilder::atBlockBegin(&block);
    for (unsigned i = 0; i < loop.size(); ++i) {
      Value argument = arguments[i];
      if (!argument)
        continue;
      Value tensor = buildTensor(b, argument.getLoc(), argument.getType(),
                                 current[i], mayWrite && !keptAsIs(i));
      argument.replaceAllUsesWith(tensor);
    }
    return added;
  }

  /// Whether the next step finds the elements of carried tensor `i` somewhere.
  bool keptAsIs(unsigned i) const {
    for (unsigned to = 0; to < loop.size(); ++to)
      if (plan.source[to] == i)
        return !plan.written[to];
    return false;
  }

  void endBody(Operation *yield) {
    for (unsigned i = 0; i < loop.size(); ++i)
      if (plan.written[i])
        yields.emplace_back(yield->getOperand(loop.positions[i]),
                            current[plan.source[i]]);
    SmallVector<Value> operands = others(yield->getOperands());
    for (unsigned slot = 0; slot < buffers.size(); ++slot)
      if (moves(slot))
        operands.push_back(current[plan.source[slot]]);
    yield->setOperands(operands);
  }

  static void eraseTensors(Block &block) {
    block.eraseArguments([](BlockArgument argument) {
      return isa<RankedTensorType>(argument.getType());
    });
  }

  void replaceOthers(Operation *built) {
    unsigned number = 0;
    for (Value result : loop.op->getResults())
      if (!isa<RankedTensorType>(result.getType()))
        result.replaceAllUsesWith(built->getResult(number++));
  }

  LoopParts &loop;
  const BufferPlan &plan;
  ArrayRef<Value> buffers;
  SmallVector<Value> current;
};

Block &bodyOf(Operation *loop) { return loop->getRegions().back().front(); }

/// The same choice, of what is no tensor.
Operation *rebuildChoice(Operation *op, TypeRange types) {
  OpBuilder b(op);
  OperationState state(op->getLoc(), op->getName(), op->getOperands(), types,
                       op->getAttrs());
  for (Region &region : op->getRegions())
    state.addRegion()->takeBody(region);
  return b.create(state);
}

/// Replaces the results of a choice by those of the one that was built for it,
/// and by what the buffers hold.
void replaceResults(Operation *op, Operation *built, ArrayRef<Value> buffers) {
  OpBuilder b(op);
  unsigned number = 0;
  for (auto [result, buffer] : llvm::zip_equal(op->getResults(), buffers)) {
    Value replacement =
        buffer ? buildTensor(b, result.getLoc(), result.getType(), buffer,
                             /*writable=*/true)
               : built->getResult(number++);
    result.replaceAllUsesWith(replacement);
  }
  op->erase();
}

/// Which buffer has to be given to a loop, so that after its last step it is
/// that of carried tensor `i`.
std::optional<unsigned> startingSlot(const BufferPlan &plan, unsigned i,
                                     std::optional<uint64_t> steps) {
  SmallVector<unsigned> cycle{i};
  for (unsigned slot = plan.source[i]; slot != i; slot = plan.source[slot])
    cycle.push_back(slot);
  if (cycle.size() == 1)
    return i;
  if (!steps)
    return std::nullopt;
  return cycle[*steps % cycle.size()];
}

} // namespace

//===----------------------------------------------------------------------===//
// Destinations
//===----------------------------------------------------------------------===//

void weft::Destinations::compute(OpBuilder &end, Value value, Value destination,
                                 bool exclusive) {
  Block *block = end.getInsertionBlock();
  Location loc = value.getLoc();
  bool isStatic = cast<MemRefType>(destination.getType()).hasStaticShape();
  auto mayTake = [&](Value part) {
    return isStatic && part.getParentBlock() == block &&
           (!exclusive || part.hasOneUse());
  };
  OpBuilder views(end.getContext());
  setAfter(views, destination, block);
  while (mayTake(value) && lookThroughReshape(views, value, destination)) {
  }
  if (mayTake(value))
    redirect(value, destination, block);
  buildMaterialize(end, loc, value, destination);
}

/// Follows `value` back through the ops that update it in place to where it
/// began. Nothing else may see what is overwritten.
void weft::Destinations::redirect(Value value, Value destination,
                                  Block *block) {
  while (auto result = dyn_cast<OpResult>(value)) {
    Operation *op = result.getOwner();
    if (op->getBlock() != block)
      return;
    if (isa<scf::ForOp, scf::WhileOp>(op) || isChoice(op)) {
      chosen.try_emplace(value, destination);
      return;
    }
    OpOperand *init = findInit(result);
    if (!init || isViewOf(init->get(), destination) ||
        starts.contains(init->get()))
      return;
    Value source = init->get();
    if (!source.hasOneUse() || pending.contains(source) ||
        source.getParentBlock() != block || !isMadeInPlace(source)) {
      OpBuilder b(op);
      buildMaterialize(b, source.getLoc(), source, destination);
      // Early, so that what is inserted into it can be computed there.
      if (source.getDefiningOp<tensor::EmptyOp>())
        setAfter(b, destination, block);
      Value start = buildTensor(b, op->getLoc(), source.getType(), destination,
                                /*writable=*/true);
      init->set(start);
      starts.insert(start);
      return;
    }
    value = source;
  }
}

LogicalResult weft::Destinations::convert(Block &block) {
  // Users first: they know where a result has to be.
  for (Operation &op : llvm::make_early_inc_range(llvm::reverse(block))) {
    LogicalResult converted = success();
    if (isChoice(&op))
      converted = convertChoice(&op);
    else if (isa<scf::ForOp, scf::WhileOp>(op))
      converted = convertLoop(&op);
    if (failed(converted))
      return failure();
  }
  return success();
}

LogicalResult weft::Destinations::convertWithin(Operation *op) {
  for (Region &region : op->getRegions())
    for (Block &block : region)
      if (failed(convert(block)))
        return failure();
  return success();
}

LogicalResult weft::Destinations::convertChoice(Operation *op) {
  // The buffer of each result, or null for what is no tensor.
  SmallVector<Value> buffers;
  SmallVector<Type> types;
  for (Value result : op->getResults()) {
    auto type = dyn_cast<RankedTensorType>(result.getType());
    if (!type) {
      types.push_back(result.getType());
      buffers.push_back({});
      continue;
    }
    if (!type.hasStaticShape())
      return op->emitError("a branch yields a ")
             << type << ", whose size is not known outside";
    Value buffer = chosen.lookup(result);
    buffers.push_back(buffer ? buffer : allocate(op, result));
  }
  for (Region &region : op->getRegions())
    if (!region.empty())
      yieldInto(region.front(), buffers);
  Operation *built = rebuildChoice(op, types);
  replaceResults(op, built, buffers);
  return convertWithin(built);
}

void weft::Destinations::yieldInto(Block &branch, ArrayRef<Value> buffers) {
  Operation *yield = branch.getTerminator();
  OpBuilder end(yield);
  SmallVector<Value> others;
  for (auto [value, buffer] : llvm::zip_equal(yield->getOperands(), buffers)) {
    if (buffer)
      compute(end, value, buffer);
    else
      others.push_back(value);
  }
  yield->setOperands(others);
}

/// Whether a tensor is what a buffer holds, or a part of it.
static bool liesIn(Value tensor, Value buffer) {
  ToTensorOp start = weft::startOf(tensor, /*followsUpdates=*/false);
  return start && weft::baseOf(start.getBuffer()) == weft::baseOf(buffer);
}

LogicalResult weft::Destinations::convertLoop(Operation *op) {
  LoopParts loop(op);
  if (loop.size() == 0)
    return convertWithin(op);
  if (failed(loop.findNames()))
    return failure();
  SmallVector<Value> yielded;
  for (unsigned i = 0; i < loop.size(); ++i)
    yielded.push_back(loop.yielded(i));
  copyPartsReadByUpdates(loop.body());
  sinkUpdates(loop.body());
  BufferPlan plan = planBuffers(loop.body(), loop.arguments, yielded);

  std::optional<uint64_t> steps = loop.steps();
  SmallVector<Value> buffers(plan.source.size());
  // Nothing is written to where the loop begins to read something else. What
  // changes places comes about before the loop, where a buffer that holds
  // something may still be read.
  auto mayHold = [&](Value buffer, unsigned slot, unsigned result) {
    if (slot != result && weft::numTensorsOf(weft::baseOf(buffer)) > 0)
      return false;
    for (unsigned other = 0; other < loop.size(); ++other)
      if (other != slot && liesIn(loop.init(other), buffer))
        return false;
    return true;
  };
  for (unsigned i = 0; i < loop.size(); ++i) {
    Value destination =
        loop.results[i] ? chosen.lookup(loop.results[i]) : Value();
    std::optional<unsigned> slot = startingSlot(plan, i, steps);
    if (destination && slot && !buffers[*slot] &&
        mayHold(destination, *slot, i))
      buffers[*slot] = destination;
  }
  for (unsigned slot = 0; slot < buffers.size(); ++slot) {
    unsigned like = slot < loop.size() ? slot : plan.spares[slot - loop.size()];
    if (!buffers[slot])
      buffers[slot] = allocate(op, loop.init(like));
  }
  OpBuilder before(op);
  for (unsigned i = 0; i < loop.size(); ++i)
    compute(before, loop.init(i), buffers[i], /*exclusive=*/true);

  LoopBuilder builder(loop, plan, buffers);
  SmallVector<Value> after;
  Operation *built = builder.build(after);
  // What is still to be yielded has that use, though no op tells of it.
  for (auto [value, buffer] : builder.yields)
    pending.insert(value);
  for (auto [value, buffer] : builder.yields) {
    OpBuilder end(bodyOf(built).getTerminator());
    compute(end, value, buffer);
  }
  for (auto [value, buffer] : builder.yields)
    pending.erase(value);
  OpBuilder b(op->getContext());
  b.setInsertionPointAfter(built);
  for (unsigned i = 0; i < loop.size(); ++i) {
    Value result = loop.results[i];
    if (!result)
      continue;
    // Where it is known which one it is, a copy into it can be seen to be none.
    std::optional<unsigned> slot = startingSlot(plan, i, steps);
    result.replaceAllUsesWith(buildTensor(b, result.getLoc(), result.getType(),
                                          slot ? buffers[*slot] : after[i],
                                          /*writable=*/true));
  }
  op->erase();
  return convertWithin(built);
}
