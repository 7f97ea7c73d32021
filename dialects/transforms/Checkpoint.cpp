// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The function is taken apart as usual; then the ops that make the residuals
// are repeated in front of the backward part. They read what is kept through a
// barrier together with the cotangents: neither are they merged with the first
// computation nor do they run before the backward pass.

#include "dialects/transforms/Checkpoint.h"
#include "dialects/transforms/CustomRules.h"
#include "dialects/transforms/Inlining.h"
#include "dialects/transforms/ReverseMode.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;
using namespace weft;

FailureOr<Kept> weft::readCheckpointPolicy(func::FuncOp function) {
  Attribute attribute = function->getAttr(checkpointPolicy);
  if (!attribute)
    return Kept::everything;
  StringRef name;
  if (auto text = dyn_cast<StringAttr>(attribute))
    name = text.getValue();
  if (name == "nothing_saveable")
    return Kept::nothing;
  if (name == "dots_saveable")
    return Kept::contractions;
  if (name == "everything_saveable")
    return Kept::everything;
  return function.emitOpError()
         << "has the checkpoint policy " << attribute
         << ": there are \"nothing_saveable\", \"dots_saveable\" and "
            "\"everything_saveable\"";
}

namespace {

class CheckpointBuilder {
public:
  CheckpointBuilder(func::FuncOp function, const Selection &selection,
                    Kept kept, SymbolTable &symbols, Transformer &transformer)
      : function(function), selection(selection), kept(kept), symbols(symbols),
        transformer(transformer), b(function.getContext()) {}

  FailureOr<Reversed> run();

private:
  func::FuncOp createOffering();
  void findNeeded(func::FuncOp keeping);
  func::FuncOp createForward(func::FuncOp offering);
  func::FuncOp createBackward(func::FuncOp keeping, func::FuncOp backward);
  ValueRange residualsOf(func::FuncOp keeping);

  func::FuncOp function;
  const Selection &selection;
  Kept kept;
  SymbolTable &symbols;
  Transformer &transformer;
  OpBuilder b;
  unsigned numOffered = 0;
  /// Arguments of the function, and results of the offering one: what is kept.
  SmallVector<unsigned> arguments, offered;
  llvm::DenseSet<Operation *> repeated;
};

} // namespace

static void setResults(func::FuncOp function, ValueRange results) {
  Block &body = function.getBody().front();
  body.getTerminator()->setOperands(results);
  function.setFunctionType(
      FunctionType::get(function.getContext(), body.getArgumentTypes(),
                        body.getTerminator()->getOperandTypes()));
}

/// The function that also returns the values which may be kept.
func::FuncOp CheckpointBuilder::createOffering() {
  func::FuncOp offering = function.clone();
  offering.setName((function.getName() + ".fwd").str());
  offering.removeResAttrsAttr();
  offering.removeArgAttrsAttr();
  offering.setPrivate();
  symbols.insert(offering, std::next(Block::iterator(function)));
  if (kept == Kept::contractions)
    inlineCalls(offering, symbols, [](func::FuncOp callee) {
      return !hasCustomRules(callee) && !callee->hasAttr(checkpointPolicy);
    });
  Block &body = offering.getBody().front();
  SmallVector<Value> results(body.getTerminator()->getOperands());
  if (kept == Kept::contractions)
    for (Operation &op : body)
      if (op.hasTrait<Contraction>())
        llvm::append_range(results, op.getResults());
  numOffered = results.size() - function.getNumResults();
  setResults(offering, results);
  return offering;
}

/// The values that `keeping` returns for its backward part.
ValueRange CheckpointBuilder::residualsOf(func::FuncOp keeping) {
  Operation *terminator = keeping.getBody().front().getTerminator();
  return terminator->getOperands().drop_front(function.getNumResults() +
                                              numOffered);
}

/// The ops that make the residuals, back to what may be kept.
void CheckpointBuilder::findNeeded(func::FuncOp keeping) {
  Block &body = keeping.getBody().front();
  DenseMap<Value, unsigned> offers;
  for (unsigned i = 0; i < numOffered; ++i) {
    unsigned result = function.getNumResults() + i;
    offers.insert({body.getTerminator()->getOperand(result), result});
  }
  llvm::DenseSet<Value> needed;
  for (Value residual : residualsOf(keeping))
    needed.insert(residual);
  for (Operation &op : llvm::reverse(body.without_terminator())) {
    bool isNeeded = llvm::any_of(op.getResults(), [&](Value result) {
      return needed.contains(result) && !offers.contains(result);
    });
    if (!isNeeded)
      continue;
    repeated.insert(&op);
    needed.insert(op.operand_begin(), op.operand_end());
  }
  for (BlockArgument argument : body.getArguments())
    if (needed.contains(argument))
      arguments.push_back(argument.getArgNumber());
  for (auto [value, result] : offers)
    if (needed.contains(value))
      offered.push_back(result);
  llvm::sort(offered);
}

/// The function, which also returns what is kept.
func::FuncOp CheckpointBuilder::createForward(func::FuncOp offering) {
  Block &body = offering.getBody().front();
  Operation *terminator = body.getTerminator();
  SmallVector<Value> results(
      terminator->getOperands().take_front(function.getNumResults()));
  for (unsigned argument : arguments)
    results.push_back(body.getArgument(argument));
  for (unsigned result : offered)
    results.push_back(terminator->getOperand(result));
  setResults(offering, results);
  return offering;
}

/// f.bwd(kept..., cts...): barrier, then the residuals anew, then the backward
/// part.
func::FuncOp CheckpointBuilder::createBackward(func::FuncOp keeping,
                                               func::FuncOp backward) {
  Location loc = function.getLoc();
  Block &body = keeping.getBody().front();
  SmallVector<Value> originals;
  for (unsigned argument : arguments)
    originals.push_back(body.getArgument(argument));
  for (unsigned result : offered)
    originals.push_back(body.getTerminator()->getOperand(result));
  SmallVector<Type> types(ValueRange(originals).getTypes());
  for (int64_t result : selection.results)
    types.push_back(function.getResultTypes()[result]);

  auto again =
      func::FuncOp::create(b, loc, (function.getName() + ".bwd").str(),
                           b.getFunctionType(types, backward.getResultTypes()));
  again.setPrivate();
  symbols.insert(again, std::next(Block::iterator(keeping)));
  Block *block = again.addEntryBlock();
  b.setInsertionPointToEnd(block);
  auto barrier = BarrierOp::create(b, loc, types, block->getArguments());
  IRMapping mapping;
  mapping.map(originals, barrier.getResults().take_front(originals.size()));
  for (Operation &op : body.without_terminator())
    if (repeated.contains(&op)) {
      // A kept result stays what it is, though its op is repeated for another.
      Operation *copy = b.clone(op);
      for (OpOperand &operand : copy->getOpOperands())
        operand.set(mapping.lookup(operand.get()));
      for (auto [result, copied] :
           llvm::zip_equal(op.getResults(), copy->getResults()))
        if (!mapping.contains(result))
          mapping.map(result, copied);
    }
  SmallVector<Value> operands;
  for (Value residual : residualsOf(keeping))
    operands.push_back(mapping.lookup(residual));
  llvm::append_range(operands,
                     barrier.getResults().drop_front(originals.size()));
  auto gradients = func::CallOp::create(b, loc, backward, operands);
  func::ReturnOp::create(b, loc, gradients.getResults());
  return again;
}

FailureOr<Reversed> CheckpointBuilder::run() {
  func::FuncOp offering = createOffering();
  FailureOr<Reversed> parts =
      weft::reverse(offering, selection, symbols, transformer);
  if (failed(parts)) {
    symbols.erase(offering);
    return failure();
  }
  findNeeded(parts->forward);
  func::FuncOp backward = createBackward(parts->forward, parts->backward);
  symbols.erase(parts->forward);
  return Reversed{createForward(offering), backward};
}

FailureOr<Reversed> weft::reverseCheckpointed(func::FuncOp function,
                                              const Selection &selection,
                                              Kept kept, SymbolTable &symbols,
                                              Transformer &transformer) {
  return CheckpointBuilder(function, selection, kept, symbols, transformer)
      .run();
}
