// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which of the ways to transform a function is taken, and what has been made.

#include "dialects/transforms/FunctionTransformer.h"
#include "dialects/transforms/Batching.h"
#include "dialects/transforms/Checkpoint.h"
#include "dialects/transforms/Derivatives.h"
#include "dialects/transforms/ForwardMode.h"
#include "dialects/transforms/ReverseMode.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;
using namespace weft;

/// On an op with bodies: the functions of those.
static constexpr llvm::StringLiteral outlined = "weft.outlined";

static Attribute setOf(MLIRContext *context, const llvm::SmallBitVector &bits) {
  SmallVector<int64_t> members(bits.set_bits_begin(), bits.set_bits_end());
  return DenseI64ArrayAttr::get(context, members);
}

//===----------------------------------------------------------------------===//
// Bodies
//===----------------------------------------------------------------------===//

/// The function of a body, if `op` names the ones of its bodies as they are.
static func::FuncOp knownBody(Operation *op, Region &region,
                              SymbolTable &symbols) {
  auto names = op->getAttrOfType<ArrayAttr>(outlined);
  if (!names || names.size() != op->getNumRegions())
    return {};
  auto name = dyn_cast<FlatSymbolRefAttr>(names[region.getRegionNumber()]);
  auto function =
      name ? symbols.lookup<func::FuncOp>(name.getAttr()) : func::FuncOp();
  Operation *terminator = region.front().getTerminator();
  if (!function ||
      TypeRange(function.getArgumentTypes()) != region.getArgumentTypes() ||
      TypeRange(function.getResultTypes()) != terminator->getOperandTypes())
    return {};
  return function;
}

/// ^body(%x) { yield %y } -> func.func private @f.scan_body(%x) { return %y }
static func::FuncOp outlineBody(Region &region, SymbolTable &symbols) {
  Operation *op = region.getParentOp();
  auto enclosing = op->getParentOfType<func::FuncOp>();
  std::string name =
      (enclosing.getName() + "." + op->getName().stripDialect() + "_body")
          .str();
  if (op->getNumRegions() > 1)
    name += std::to_string(region.getRegionNumber());
  OpBuilder b(op->getContext());
  Operation *yield = region.front().getTerminator();
  auto function = func::FuncOp::create(
      b, op->getLoc(), name,
      b.getFunctionType(region.getArgumentTypes(), yield->getOperandTypes()));
  function.setPrivate();
  IRMapping mapping;
  region.cloneInto(&function.getBody(), mapping);
  Operation *end = function.getBody().front().getTerminator();
  b.setInsertionPoint(end);
  func::ReturnOp::create(b, end->getLoc(), end->getOperands());
  end->erase();
  symbols.insert(function, std::next(Block::iterator(enclosing)));
  return function;
}

func::FuncOp FunctionTransformer::outline(Region &region) {
  Operation *op = region.getParentOp();
  if (func::FuncOp known = knownBody(op, region, symbols))
    return known;
  SmallVector<Attribute> names;
  for (Region &body : op->getRegions())
    names.push_back(FlatSymbolRefAttr::get(outlineBody(body, symbols)));
  op->setAttr(outlined, ArrayAttr::get(op->getContext(), names));
  return knownBody(op, region, symbols);
}

/// Bodies are outlined before the function is cloned: so all clones share them.
void FunctionTransformer::outlineBodies(func::FuncOp function) {
  for (Block &block : function.getBody())
    for (Operation &op : block)
      if (isa<ControlFlow>(op))
        for (Region &region : op.getRegions())
          outline(region);
}

llvm::SmallBitVector
FunctionTransformer::dependentResults(func::FuncOp function,
                                      const llvm::SmallBitVector &operands) {
  Key key{function, setOf(function.getContext(), operands)};
  auto known = dependencies.find(key);
  if (known != dependencies.end())
    return known->second;
  llvm::SmallBitVector results(function.getNumResults());
  bool isOpaque =
      hasCustomRules(function) || !llvm::hasSingleElement(function.getBody());
  llvm::DenseSet<Value> active;
  if (!isOpaque) {
    outlineBodies(function);
    Block &body = function.getBody().front();
    for (unsigned operand : operands.set_bits())
      active.insert(body.getArgument(operand));
    markActive(body, active, symbols, *this);
    for (auto [i, result] :
         llvm::enumerate(body.getTerminator()->getOperands()))
      results[i] = active.contains(result);
  } else if (operands.any()) {
    for (auto [i, type] : llvm::enumerate(function.getResultTypes()))
      results[i] = hasTangent(type);
  }
  dependencies[key] = results;
  return results;
}

//===----------------------------------------------------------------------===//
// Derivatives
//===----------------------------------------------------------------------===//

FailureOr<CustomRules> FunctionTransformer::rulesOf(func::FuncOp function) {
  return readCustomRules(function, symbols, [&](func::FuncOp rule) {
    return expand(function, rule);
  });
}

static InFlightDiagnostic emitRecursion(Operation *user,
                                        func::FuncOp function) {
  return emitError(user->getLoc())
         << "the derivative rule of @" << function.getName()
         << " needs the derivative of @" << function.getName() << " itself";
}

FailureOr<Reversed> FunctionTransformer::reverse(Operation *user,
                                                 func::FuncOp function,
                                                 const Selection &selection) {
  FailureOr<Kept> kept = readCheckpointPolicy(function);
  if (failed(kept))
    return failure();
  return reverse(user, function, selection, *kept);
}

FailureOr<Reversed>
FunctionTransformer::reverseCheckpointed(Operation *user, func::FuncOp function,
                                         const Selection &selection) {
  return reverse(user, function, selection, Kept::nothing);
}

FailureOr<Reversed> FunctionTransformer::reverse(Operation *user,
                                                 func::FuncOp function,
                                                 const Selection &selection,
                                                 Kept kept) {
  Builder b(function.getContext());
  Key key{function,
          b.getArrayAttr({b.getDenseI64ArrayAttr(selection.operands),
                          b.getDenseI64ArrayAttr(selection.results),
                          b.getI32IntegerAttr(static_cast<int>(kept))})};
  auto known = reversals.find(key);
  if (known != reversals.end())
    return known->second;
  if (!inProgress.insert(key).second)
    return emitRecursion(user, function);
  FailureOr<Reversed> parts = buildReverse(function, selection, kept);
  inProgress.erase(key);
  if (failed(parts))
    return emitError(user->getLoc())
           << "cannot differentiate @" << function.getName();
  reversals[key] = *parts;
  return parts;
}

FailureOr<Reversed>
FunctionTransformer::buildReverse(func::FuncOp function,
                                  const Selection &selection, Kept kept) {
  FailureOr<CustomRules> rules = rulesOf(function);
  if (failed(rules))
    return failure();
  if (rules->forward)
    return reverseByVjp(function, *rules, selection, symbols);
  if (rules->jvp)
    return reverseByJvp(function, *rules, selection, symbols, *this);
  if (failed(verifyDifferentiable(function)))
    return failure();
  outlineBodies(function);
  if (kept == Kept::everything)
    return weft::reverse(function, selection, symbols, *this);
  return weft::reverseCheckpointed(function, selection, kept, symbols, *this);
}

FailureOr<Forwarded> FunctionTransformer::forward(Operation *user,
                                                  func::FuncOp function,
                                                  ArrayRef<int64_t> operands) {
  Key key{function, DenseI64ArrayAttr::get(function.getContext(), operands)};
  auto known = forwards.find(key);
  if (known != forwards.end())
    return known->second;
  FailureOr<Forwarded> made = buildForward(user, function, operands);
  if (failed(made))
    return emitError(user->getLoc())
           << "cannot differentiate @" << function.getName();
  forwards[key] = *made;
  return made;
}

FailureOr<Forwarded>
FunctionTransformer::buildForward(Operation *user, func::FuncOp function,
                                  ArrayRef<int64_t> operands) {
  FailureOr<CustomRules> rules = rulesOf(function);
  if (failed(rules))
    return failure();
  if (rules->jvp)
    return forwardByJvp(function, *rules, operands, symbols);
  if (rules->forward)
    return emitError(user->getLoc())
           << "@" << function.getName()
           << " has a custom_vjp rule and no custom_jvp; give one with defjvp, "
              "or use reverse mode";
  if (failed(verifyDifferentiable(function)))
    return failure();
  outlineBodies(function);
  return weft::forward(function, operands, symbols, *this);
}

//===----------------------------------------------------------------------===//
// Batching
//===----------------------------------------------------------------------===//

FailureOr<Batched>
FunctionTransformer::batch(Operation *user, func::FuncOp function,
                           const llvm::SmallBitVector &operands, int64_t size,
                           const llvm::SmallBitVector &required) {
  Builder b(function.getContext());
  FailureOr<CustomRules> rules = rulesOf(function);
  if (failed(rules))
    return failure();
  llvm::SmallBitVector stacked = required;
  if (*rules)
    stacked.set();
  Key key{function, b.getArrayAttr({setOf(b.getContext(), operands),
                                    b.getI64IntegerAttr(size),
                                    setOf(b.getContext(), stacked)})};
  auto known = batches.find(key);
  if (known != batches.end())
    return known->second;
  outlineBodies(function);
  FailureOr<Batched> made =
      weft::batch(function, operands, size, stacked, symbols, *this);
  if (failed(made))
    return emitError(user->getLoc()) << "cannot batch @" << function.getName();
  // Known before its rules are, which may call the function.
  batches[key] = *made;
  if (Attribute policy = function->getAttr(checkpointPolicy))
    made->function->setAttr(checkpointPolicy, policy);
  if (failed(batchRules(function, *rules, made->function, operands, size,
                        symbols, *this)))
    return failure();
  return made;
}

void weft::removeTransformationAttributes(ModuleOp module) {
  module.walk([](Operation *op) {
    op->removeDiscardableAttr(outlined);
    if (isa<func::FuncOp>(op))
      for (StringRef name : {customVjp, customJvp, checkpointPolicy})
        op->removeDiscardableAttr(name);
  });
}
