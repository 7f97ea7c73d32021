// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A rule speaks of all floating operands and results; where some of them are
// asked for, a function around it fills in zeros and leaves out the rest.

#include "dialects/transforms/CustomRules.h"
#include "dialects/Calculus.h"
#include "dialects/transforms/Derivatives.h"

using namespace mlir;
using namespace weft;

//===----------------------------------------------------------------------===//
// Reading
//===----------------------------------------------------------------------===//

static SmallVector<int64_t> floating(TypeRange types) {
  SmallVector<int64_t> positions;
  for (auto [i, type] : llvm::enumerate(types))
    if (isInexactArray(type))
      positions.push_back(i);
  return positions;
}

/// Those of the floating operands of `function` that its rule covers: the first
/// so many. The others are what it uses without having them as arguments.
static SmallVector<int64_t> covered(func::FuncOp function, CustomRules rules) {
  SmallVector<int64_t> positions = floating(function.getArgumentTypes());
  positions.resize(rules.forward ? rules.backward.getNumResults()
                                 : rules.jvp.getNumArguments() -
                                       function.getNumArguments());
  return positions;
}

static LogicalResult verifyCovered(func::FuncOp function, CustomRules rules,
                                   ArrayRef<int64_t> operands) {
  SmallVector<int64_t> positions = covered(function, rules);
  for (int64_t operand : operands)
    if (!llvm::is_contained(positions, operand))
      return function.emitError()
             << "@" << function.getName()
             << " has a rule of its own and uses an "
             << "array that is differentiated without having it as an "
             << "argument; pass it as one";
  return success();
}

static void appendFloating(SmallVectorImpl<Type> &types, TypeRange from) {
  llvm::append_range(types, llvm::make_filter_range(from, isInexactArray));
}

bool weft::hasCustomRules(func::FuncOp function) {
  return function->hasAttr(customVjp) || function->hasAttr(customJvp);
}

static func::FuncOp lookupRule(func::FuncOp function, StringRef name,
                               Attribute reference, SymbolTable &symbols) {
  auto symbol = dyn_cast_or_null<FlatSymbolRefAttr>(reference);
  auto rule =
      symbol ? symbols.lookup<func::FuncOp>(symbol.getAttr()) : func::FuncOp();
  if (!rule)
    function.emitOpError() << "needs functions of this module for " << name
                           << ", got " << function->getAttr(name);
  return rule;
}

static LogicalResult verifyRule(func::FuncOp function, StringRef name,
                                func::FuncOp rule, StringRef what,
                                TypeRange got, TypeRange wanted) {
  if (got == wanted)
    return success();
  InFlightDiagnostic diag = function.emitOpError()
                            << "needs a " << name << " whose @"
                            << rule.getName() << " " << what << " (";
  llvm::interleaveComma(wanted, diag);
  diag << "), got (";
  llvm::interleaveComma(got, diag);
  return diag << ")";
}

/// The first types of a list, or all of them if there are fewer.
static TypeRange firstOf(TypeRange types, size_t count) {
  return types.take_front(std::min(count, types.size()));
}

static LogicalResult verifyVjp(func::FuncOp function, CustomRules rules) {
  ArrayRef<Type> results = function.getResultTypes();
  auto verify = [&](func::FuncOp rule, StringRef what, TypeRange got,
                    TypeRange wanted) {
    return verifyRule(function, customVjp, rule, what, got, wanted);
  };
  TypeRange given = rules.forward.getResultTypes();
  if (failed(verify(rules.forward, "takes", rules.forward.getArgumentTypes(),
                    function.getArgumentTypes())) ||
      failed(verify(rules.forward, "first returns",
                    firstOf(given, results.size()), results)))
    return failure();
  SmallVector<Type> taken(given.drop_front(results.size())), returned;
  appendFloating(taken, results);
  appendFloating(returned, function.getArgumentTypes());
  returned.resize(
      std::min<size_t>(returned.size(), rules.backward.getNumResults()));
  return success(succeeded(verify(rules.backward, "takes",
                                  rules.backward.getArgumentTypes(), taken)) &&
                 succeeded(verify(rules.backward, "returns",
                                  rules.backward.getResultTypes(), returned)));
}

static LogicalResult verifyJvp(func::FuncOp function, func::FuncOp rule) {
  SmallVector<Type> taken(function.getArgumentTypes());
  SmallVector<Type> returned(function.getResultTypes());
  appendFloating(taken, function.getArgumentTypes());
  taken.resize(
      std::max<size_t>(function.getNumArguments(),
                       std::min<size_t>(taken.size(), rule.getNumArguments())));
  appendFloating(returned, function.getResultTypes());
  return success(succeeded(verifyRule(function, customJvp, rule, "takes",
                                      rule.getArgumentTypes(), taken)) &&
                 succeeded(verifyRule(function, customJvp, rule, "returns",
                                      rule.getResultTypes(), returned)));
}

FailureOr<CustomRules>
weft::readCustomRules(func::FuncOp function, SymbolTable &symbols,
                      llvm::function_ref<LogicalResult(func::FuncOp)> expand) {
  CustomRules rules;
  if (Attribute attribute = function->getAttr(customVjp)) {
    auto pair = dyn_cast<ArrayAttr>(attribute);
    if (!pair || pair.size() != 2)
      return function.emitOpError() << "needs two functions for " << customVjp
                                    << ", got " << attribute;
    rules.forward = lookupRule(function, customVjp, pair[0], symbols);
    rules.backward = lookupRule(function, customVjp, pair[1], symbols);
    if (!rules.forward || !rules.backward || failed(expand(rules.forward)) ||
        failed(expand(rules.backward)) || failed(verifyVjp(function, rules)))
      return failure();
  }
  if (Attribute attribute = function->getAttr(customJvp)) {
    rules.jvp = lookupRule(function, customJvp, attribute, symbols);
    if (!rules.jvp || failed(expand(rules.jvp)) ||
        failed(verifyJvp(function, rules.jvp)))
      return failure();
  }
  return rules;
}

//===----------------------------------------------------------------------===//
// Functions around rules
//===----------------------------------------------------------------------===//

namespace {
/// A private function under construction, beside another one.
struct Around {
  Around(func::FuncOp beside, StringRef suffix, TypeRange arguments)
      : b(beside.getContext()), loc(beside.getLoc()) {
    function = func::FuncOp::create(b, loc, (beside.getName() + suffix).str(),
                                    b.getFunctionType(arguments, {}));
    function.setPrivate();
    Block *block = function.addEntryBlock();
    b.setInsertionPointToEnd(block);
    this->arguments = block->getArguments();
  }
  /// One value for each of `positions`: the next of `given` for those that
  /// `selected` lists, else zero.
  void appendOrZero(SmallVectorImpl<Value> &values, ArrayRef<int64_t> positions,
                    TypeRange types, ArrayRef<int64_t> selected,
                    ValueRange given) {
    for (int64_t position : positions) {
      const auto *found = llvm::find(selected, position);
      values.push_back(found == selected.end()
                           ? zeroOf(b, loc, types[position])
                           : given[found - selected.begin()]);
    }
  }
  func::CallOp call(func::FuncOp callee, ValueRange operands) {
    return func::CallOp::create(b, loc, callee, operands);
  }
  func::FuncOp finish(ValueRange results, SymbolTable &symbols,
                      func::FuncOp beside) {
    func::ReturnOp::create(b, loc, results);
    function.setFunctionType(
        b.getFunctionType(function.getArgumentTypes(), results.getTypes()));
    symbols.insert(function, std::next(Block::iterator(beside)));
    return function;
  }

  OpBuilder b;
  Location loc;
  func::FuncOp function;
  ValueRange arguments;
};
} // namespace

/// The values at the positions of `selected` within `positions`.
static SmallVector<Value> selectedOf(ValueRange values,
                                     ArrayRef<int64_t> positions,
                                     ArrayRef<int64_t> selected) {
  SmallVector<Value> found;
  for (auto [value, position] : llvm::zip_equal(values, positions))
    if (llvm::is_contained(selected, position))
      found.push_back(value);
  return found;
}

FailureOr<Reversed> weft::reverseByVjp(func::FuncOp function, CustomRules rules,
                                       const Selection &selection,
                                       SymbolTable &symbols) {
  if (failed(verifyCovered(function, rules, selection.operands)))
    return failure();
  auto forward = rules.forward, backward = rules.backward;
  SmallVector<int64_t> inputs = covered(function, rules);
  SmallVector<int64_t> outputs = floating(function.getResultTypes());
  if (inputs == selection.operands && outputs == selection.results)
    return Reversed{forward, backward};
  unsigned numSaved = forward.getNumResults() - function.getNumResults();
  SmallVector<Type> taken(backward.getArgumentTypes().take_front(numSaved));
  for (int64_t result : selection.results)
    taken.push_back(function.getResultTypes()[result]);
  Around around(function, ".bwd", taken);
  SmallVector<Value> values(around.arguments.take_front(numSaved));
  around.appendOrZero(values, outputs, function.getResultTypes(),
                      selection.results, around.arguments.drop_front(numSaved));
  auto all = around.call(backward, values);
  SmallVector<Value> wanted =
      selectedOf(all.getResults(), inputs, selection.operands);
  return Reversed{forward, around.finish(wanted, symbols, function)};
}

FailureOr<Reversed> weft::reverseByJvp(func::FuncOp function, CustomRules rules,
                                       const Selection &selection,
                                       SymbolTable &symbols,
                                       Transformer &transformer) {
  if (failed(verifyCovered(function, rules, selection.operands)))
    return failure();
  SmallVector<int64_t> inputs = covered(function, rules);
  SmallVector<int64_t> outputs = floating(function.getResultTypes());
  Selection ofTangents;
  for (auto [i, input] : llvm::enumerate(inputs))
    if (llvm::is_contained(selection.operands, input))
      ofTangents.operands.push_back(function.getNumArguments() + i);
  for (auto [i, output] : llvm::enumerate(outputs))
    if (llvm::is_contained(selection.results, output))
      ofTangents.results.push_back(function.getNumResults() + i);
  FailureOr<Reversed> parts =
      transformer.reverse(function, rules.jvp, ofTangents);
  if (failed(parts))
    return failure();
  // What the tangents are does not matter to a map that is linear in them.
  Around around(function, ".fwd", function.getArgumentTypes());
  SmallVector<Value> values(around.arguments);
  around.appendOrZero(values, inputs, function.getArgumentTypes(), {}, {});
  auto both = around.call(parts->forward, values);
  SmallVector<Value> results(
      both.getResults().take_front(function.getNumResults()));
  llvm::append_range(results, both.getResults().drop_front(
                                  function.getNumResults() + outputs.size()));
  return Reversed{around.finish(results, symbols, function), parts->backward};
}

FailureOr<Forwarded> weft::forwardByJvp(func::FuncOp function,
                                        CustomRules rules,
                                        ArrayRef<int64_t> operands,
                                        SymbolTable &symbols) {
  if (failed(verifyCovered(function, rules, operands)))
    return failure();
  SmallVector<int64_t> inputs = covered(function, {{}, {}, rules.jvp});
  SmallVector<int64_t> outputs = floating(function.getResultTypes());
  if (ArrayRef(inputs) == operands)
    return Forwarded{rules.jvp, outputs};
  SmallVector<Type> taken(function.getArgumentTypes());
  for (int64_t operand : operands)
    taken.push_back(function.getArgumentTypes()[operand]);
  Around around(function, ".jvp", taken);
  unsigned numInputs = function.getNumArguments();
  SmallVector<Value> values(around.arguments.take_front(numInputs));
  around.appendOrZero(values, inputs, function.getArgumentTypes(), operands,
                      around.arguments.drop_front(numInputs));
  auto all = around.call(rules.jvp, values);
  return Forwarded{around.finish(all.getResults(), symbols, function), outputs};
}

//===----------------------------------------------------------------------===//
// Batching
//===----------------------------------------------------------------------===//

/// Gradients of operands that all inputs share are summed over the inputs.
static FailureOr<func::FuncOp>
batchBackward(func::FuncOp function, CustomRules rules,
              const llvm::SmallBitVector &operands,
              const llvm::SmallBitVector &saved, int64_t size,
              SymbolTable &symbols, Transformer &transformer) {
  func::FuncOp backward = rules.backward;
  llvm::SmallBitVector taken = saved;
  taken.resize(backward.getNumArguments(), true);
  FailureOr<Batched> wide =
      transformer.batch(function, backward, taken, size,
                        llvm::SmallBitVector(backward.getNumResults(), true));
  if (failed(wide))
    return failure();
  Around around(backward, ".vmap", wide->function.getArgumentTypes());
  auto stacks = around.call(wide->function, around.arguments);
  SmallVector<Value> gradients;
  calculus::TensorOperands tensor(around.b, around.loc);
  for (auto [input, gradient] :
       llvm::zip_equal(covered(function, rules), stacks.getResults()))
    gradients.push_back(operands[input]
                            ? gradient
                            : calculus::sum(tensor(gradient), {0}).value);
  return around.finish(gradients, symbols, backward);
}

LogicalResult weft::batchRules(func::FuncOp function, CustomRules rules,
                               func::FuncOp batched,
                               const llvm::SmallBitVector &operands,
                               int64_t size, SymbolTable &symbols,
                               Transformer &transformer) {
  Builder b(function.getContext());
  if (rules.forward) {
    llvm::SmallBitVector required(function.getNumResults(), true);
    required.resize(rules.forward.getNumResults());
    FailureOr<Batched> forward =
        transformer.batch(function, rules.forward, operands, size, required);
    if (failed(forward))
      return failure();
    llvm::SmallBitVector saved = forward->results;
    saved >>= function.getNumResults();
    saved.resize(rules.forward.getNumResults() - function.getNumResults());
    FailureOr<func::FuncOp> backward = batchBackward(
        function, rules, operands, saved, size, symbols, transformer);
    if (failed(backward))
      return failure();
    batched->setAttr(customVjp,
                     b.getArrayAttr({FlatSymbolRefAttr::get(forward->function),
                                     FlatSymbolRefAttr::get(*backward)}));
  }
  if (rules.jvp) {
    llvm::SmallBitVector taken = operands;
    for (int64_t input : covered(function, {{}, {}, rules.jvp})) {
      taken.resize(taken.size() + 1);
      taken[taken.size() - 1] = operands[input];
    }
    FailureOr<Batched> jvp = transformer.batch(
        function, rules.jvp, taken, size,
        llvm::SmallBitVector(rules.jvp.getNumResults(), true));
    if (failed(jvp))
      return failure();
    batched->setAttr(customJvp, FlatSymbolRefAttr::get(jvp->function));
  }
  return success();
}
