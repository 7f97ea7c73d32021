// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A kernel has the shared variables that it, or what it calls, names. Those of
// one kernel lie apart; those of different ones may lie in the same place, as
// no two kernels run at once.

#include "lowering/emulator/SharedVariables.h"
#include "llvm/ADT/SmallPtrSet.h"
#include "llvm/IR/Constants.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/InstrTypes.h"
#include "llvm/IR/Module.h"

using namespace weft::emulator;
using namespace llvm;

namespace {

// Apart from each other, so that none is overrun unnoticed.
constexpr size_t gap = 64;

struct Variable {
  GlobalVariable *global;
  size_t bytes;
  Align alignment;
};

/// A kernel, what it calls, and how far its shared memory reaches.
struct Reach {
  SmallPtrSet<const Function *, 8> functions;
  Kernel *kernel;
  size_t end = 0;
};

void addCallees(const Function &function,
                SmallPtrSetImpl<const Function *> &found) {
  if (!found.insert(&function).second)
    return;
  for (const Instruction &instruction : instructions(function))
    if (auto *call = dyn_cast<CallBase>(&instruction))
      if (const Function *callee = call->getCalledFunction())
        addCallees(*callee, found);
}

/// The functions that name a variable, also within constants.
void addUsers(const Value &value, SmallPtrSetImpl<const Function *> &found) {
  for (const User *user : value.users())
    if (auto *instruction = dyn_cast<Instruction>(user))
      found.insert(instruction->getFunction());
    else
      addUsers(*user, found);
}

class SharedPlacer {
public:
  SharedPlacer(Module &module, Program &program)
      : module(module), program(program) {}

  void run(ArrayRef<Function *> kernels) {
    for (Function *kernel : kernels) {
      Reach &reach = reaches.emplace_back();
      addCallees(*kernel, reach.functions);
      reach.kernel = &program.kernels[kernel->getName()];
    }
    SmallVector<Variable> fixed, dynamic;
    for (GlobalVariable &global : module.globals())
      if (global.getAddressSpace() == sharedSpace) {
        Variable variable = describe(global);
        (variable.bytes ? fixed : dynamic).push_back(variable);
      }
    for (const Variable &variable : fixed)
      placeFixed(variable);
    placeDynamic(dynamic);
  }

private:
  Variable describe(GlobalVariable &global) const {
    const DataLayout &layout = module.getDataLayout();
    Type *type = global.getValueType();
    return {&global, layout.getTypeAllocSize(type).getFixedValue(),
            global.getAlign().value_or(layout.getABITypeAlign(type))};
  }

  SmallVector<Reach *> thoseWith(const Variable &variable) {
    SmallPtrSet<const Function *, 4> users;
    addUsers(*variable.global, users);
    SmallVector<Reach *> found;
    for (Reach &reach : reaches)
      if (any_of(users, [&](const Function *user) {
            return reach.functions.contains(user);
          }))
        found.push_back(&reach);
    return found;
  }

  /// An odd multiple of the alignment behind what all of these have: nothing
  /// may rely on a greater one.
  static size_t placeBehind(ArrayRef<Reach *> all, Align alignment) {
    size_t end = 0;
    for (const Reach *reach : all)
      end = std::max(end, reach->end);
    size_t offset = alignTo(end + gap, alignment);
    return offset / alignment.value() % 2 ? offset : offset + alignment.value();
  }

  void placeFixed(const Variable &variable) {
    SmallVector<Reach *> all = thoseWith(variable);
    size_t offset = placeBehind(all, variable.alignment);
    for (Reach *reach : all) {
      reach->kernel->shared.push_back(
          {variable.global->getName().str(), offset, variable.bytes});
      reach->kernel->sharedBytes += variable.bytes;
      reach->end = offset + variable.bytes;
    }
    replace(*variable.global, offset);
  }

  /// All of them begin where the dynamic memory does.
  void placeDynamic(ArrayRef<Variable> dynamic) {
    Align greatest(16);
    SmallVector<Reach *> all;
    for (const Variable &variable : dynamic) {
      greatest = std::max(greatest, variable.alignment);
      all.append(thoseWith(variable));
    }
    program.dynamicOffset = placeBehind(all, greatest);
    for (const Variable &variable : dynamic)
      replace(*variable.global, program.dynamicOffset);
  }

  void replace(GlobalVariable &global, size_t offset) {
    LLVMContext &context = module.getContext();
    auto address = reinterpret_cast<uintptr_t>(sharedWindow() + offset);
    global.replaceAllUsesWith(ConstantExpr::getIntToPtr(
        ConstantInt::get(Type::getInt64Ty(context), address),
        PointerType::get(context, sharedSpace)));
    global.eraseFromParent();
  }

  Module &module;
  Program &program;
  std::vector<Reach> reaches;
};

} // namespace

void weft::emulator::placeSharedVariables(Module &module,
                                          ArrayRef<Function *> kernels,
                                          Program &program) {
  SharedPlacer(module, program).run(kernels);
}
