// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//   %x = load float, ptr %p    ->  call @checkAccess(site, %p, 4, load)
//                                  %x = load float, ptr %p
//   %i = call @llvm.nvvm.f(%a) ->  store %a, %operands
//                                  call handler(site, %operands, %result)
//                                  %i = load %result
//   @s = addrspace(3) global   ->  a place in the window of shared memory

#include "lowering/emulator/Instrument.h"
#include "lowering/emulator/Handlers.h"
#include "lowering/emulator/InlineCode.h"
#include "lowering/emulator/Runtime.h"
#include "lowering/emulator/SharedVariables.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Analysis/CFG.h"
#include "llvm/Analysis/ValueTracking.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/InlineAsm.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/IntrinsicInst.h"
#include "llvm/IR/Module.h"
#include "llvm/Transforms/Utils/BasicBlockUtils.h"

using namespace weft::emulator;
using namespace llvm;

namespace {

constexpr unsigned slotBytes = sizeof(Slot);

Constant *constantPointer(LLVMContext &context, const void *address) {
  auto *number = ConstantInt::get(Type::getInt64Ty(context),
                                  reinterpret_cast<uintptr_t>(address));
  return ConstantExpr::getIntToPtr(number, PointerType::get(context, 0));
}

bool isKernel(const Function &function) {
  return function.getCallingConv() == CallingConv::PTX_Kernel ||
         function.hasFnAttribute("nvvm.kernel");
}

//===----------------------------------------------------------------------===//
// Instructions
//===----------------------------------------------------------------------===//

/// One function's.
class Instrumenter {
public:
  Instrumenter(Function &function, ArrayRef<std::string> places,
               Program &program)
      : function(function), places(places), program(program),
        layout(function.getParent()->getDataLayout()),
        context(function.getContext()), builder(context) {}

  void run() {
    SmallVector<Instruction *> instructions;
    for (Instruction &instruction : instructions_(function))
      instructions.push_back(&instruction);
    hasFence = any_of(instructions, isFence);
    for (Instruction *instruction : instructions)
      rewrite(*instruction);
    fillFrame();
    countTurnsOfLoops();
    if (!isKernel(function))
      checkDepth();
  }

private:
  static iterator_range<inst_iterator> instructions_(Function &function) {
    return llvm::instructions(function);
  }

  static StringRef calleeOf(const Instruction &instruction) {
    auto *call = dyn_cast<CallInst>(&instruction);
    Function *callee = call ? call->getCalledFunction() : nullptr;
    return callee ? callee->getName() : "";
  }

  static bool isFence(const Instruction *instruction) {
    StringRef callee = calleeOf(*instruction);
    return isa<FenceInst>(instruction) ||
           callee.starts_with("llvm.nvvm.membar") ||
           callee.starts_with("llvm.nvvm.fence.acq_rel");
  }

  Site &addSite(const Instruction &instruction, StringRef name) {
    Site &site = program.sites.emplace_back();
    site.index = program.sites.size() - 1;
    site.name = name.str();
    const DebugLoc &location = instruction.getDebugLoc();
    unsigned line = location ? location.getLine() : 0;
    if (line > 0 && line <= places.size())
      site.place = places[line - 1];
    return site;
  }

  Value *pointerTo(const void *address) {
    return constantPointer(context, address);
  }

  template <typename Result, typename... Types>
  CallInst *call(Result (*function)(Types...), ArrayRef<Value *> arguments) {
    SmallVector<Type *> types;
    for (Value *argument : arguments)
      types.push_back(argument->getType());
    return builder.CreateCall(
        FunctionType::get(builder.getVoidTy(), types, false),
        pointerTo(reinterpret_cast<const void *>(function)), arguments);
  }

  void rewrite(Instruction &instruction) {
    builder.SetInsertPoint(&instruction);
    if (auto *load = dyn_cast<LoadInst>(&instruction))
      return check(*load, load->getPointerOperand(), load->getType(),
                   load->getAlign(),
                   load->isAtomic() ? Access::Atomic : Access::Load);
    if (auto *store = dyn_cast<StoreInst>(&instruction))
      return check(*store, store->getPointerOperand(),
                   store->getValueOperand()->getType(), store->getAlign(),
                   store->isAtomic() ? Access::AtomicStore : Access::Store);
    if (auto *update = dyn_cast<AtomicRMWInst>(&instruction))
      return checkAtomic(*update, update->getPointerOperand(),
                         update->getType(), update->getAlign(),
                         update->getOrdering());
    if (auto *exchange = dyn_cast<AtomicCmpXchgInst>(&instruction))
      return checkAtomic(*exchange, exchange->getPointerOperand(),
                         exchange->getCompareOperand()->getType(),
                         exchange->getAlign(), exchange->getMergedOrdering());
    if (auto *division = dyn_cast<BinaryOperator>(&instruction))
      return guardDivision(*division);
    if (isa<FPToSIInst, FPToUIInst>(instruction))
      return saturate(cast<CastInst>(instruction));
    if (isa<UnreachableInst>(instruction)) {
      Site &site = addSite(instruction, "unreachable");
      site.handler = failTrap;
      callHandler(site, {}, nullptr);
      return;
    }
    if (auto *called = dyn_cast<CallInst>(&instruction))
      rewriteCall(*called);
  }

  //===--------------------------------------------------------------------===//
  // Memory
  //===--------------------------------------------------------------------===//

  void check(Instruction &instruction, Value *pointer, Value *bytes,
             Align alignment, Access kind) {
    if (isa<AllocaInst>(getUnderlyingObject(pointer)))
      return;
    Site &site = addSite(instruction, instruction.getOpcodeName());
    site.alignment = alignment.value();
    call(checkAccess, {pointerTo(&site), generic(pointer), bytes,
                       builder.getInt32(static_cast<int>(kind))});
  }

  void check(Instruction &instruction, Value *pointer, Type *type,
             Align alignment, Access kind) {
    uint64_t bytes = layout.getTypeStoreSize(type);
    check(instruction, pointer, builder.getInt64(bytes), alignment, kind);
  }

  Value *generic(Value *pointer) {
    return builder.CreateAddrSpaceCast(pointer, builder.getPtrTy());
  }

  void checkAtomic(Instruction &instruction, Value *pointer, Type *type,
                   Align alignment, AtomicOrdering ordering) {
    check(instruction, pointer, type, alignment, Access::Atomic);
    bool acquires = hasFence || isAcquireOrStronger(ordering);
    bool releases = hasFence || isReleaseOrStronger(ordering);
    if (!acquires && !releases)
      return;
    Site &site = addSite(instruction, instruction.getOpcodeName());
    call(synchronizeAccess,
         {pointerTo(&site), generic(pointer), builder.getInt32(acquires),
          builder.getInt32(releases)});
  }

  void checkTransfer(MemIntrinsic &transfer) {
    Value *bytes =
        builder.CreateZExtOrTrunc(transfer.getLength(), builder.getInt64Ty());
    if (auto *copy = dyn_cast<MemTransferInst>(&transfer))
      check(transfer, copy->getRawSource(), bytes,
            copy->getSourceAlign().valueOrOne(), Access::Load);
    check(transfer, transfer.getRawDest(), bytes,
          transfer.getDestAlign().valueOrOne(), Access::Store);
  }

  //===--------------------------------------------------------------------===//
  // Numbers: where a CPU would stop, or give another one than a GPU
  //===--------------------------------------------------------------------===//

  void guardDivision(BinaryOperator &division) {
    auto opcode = division.getOpcode();
    bool isSigned = opcode == Instruction::SDiv || opcode == Instruction::SRem;
    bool isQuotient =
        opcode == Instruction::SDiv || opcode == Instruction::UDiv;
    if (!isSigned && opcode != Instruction::UDiv && opcode != Instruction::URem)
      return;
    Value *divisor = division.getOperand(1), *dividend = division.getOperand(0);
    if (auto *constant = dyn_cast<ConstantInt>(divisor))
      if (!constant->isZero() && !constant->isMinusOne())
        return;
    Type *type = division.getType();
    Value *one = ConstantInt::get(type, 1);
    Value *allOnes = Constant::getAllOnesValue(type);
    Value *isZero = builder.CreateICmpEQ(divisor, Constant::getNullValue(type));
    Value *safe = builder.CreateSelect(isZero, one, divisor);
    Value *isMinusOne = builder.CreateICmpEQ(divisor, allOnes);
    if (isSigned)
      safe = builder.CreateSelect(isMinusOne, one, safe);
    Value *result = builder.CreateBinOp(opcode, dividend, safe);
    if (isSigned && isQuotient)
      result =
          builder.CreateSelect(isMinusOne, builder.CreateNeg(dividend), result);
    result =
        builder.CreateSelect(isZero, isQuotient ? allOnes : dividend, result);
    division.replaceAllUsesWith(result);
    division.eraseFromParent();
  }

  void saturate(CastInst &convert) {
    Intrinsic::ID id = isa<FPToSIInst>(convert) ? Intrinsic::fptosi_sat
                                                : Intrinsic::fptoui_sat;
    Value *operand = convert.getOperand(0);
    Value *result = builder.CreateIntrinsic(
        id, {convert.getType(), operand->getType()}, {operand});
    convert.replaceAllUsesWith(result);
    convert.eraseFromParent();
  }

  //===--------------------------------------------------------------------===//
  // Calls
  //===--------------------------------------------------------------------===//

  void rewriteCall(CallInst &called) {
    if (auto *transfer = dyn_cast<MemIntrinsic>(&called))
      return checkTransfer(*transfer);
    if (auto *assembly = dyn_cast<InlineAsm>(called.getCalledOperand()))
      return rewriteAssembly(called, *assembly);
    Function *callee = called.getCalledFunction();
    if (!callee || !callee->isDeclaration())
      return;
    StringRef name = callee->getName();
    if (name.consume_front("llvm.nvvm.")) {
      if (replaceRegister(called, name))
        return;
      Site &site = addSite(called, name);
      site.numbers = numbersIn(name);
      site.handler = Handlers::ofIntrinsics().find(name);
      return replaceCall(called, site);
    }
    bool isTrap = name == "llvm.trap" || name == "llvm.debugtrap" ||
                  name == "__assertfail";
    if (!isTrap && name.starts_with("llvm."))
      return;
    Site &site = addSite(called, name);
    site.handler = isTrap ? failTrap : nullptr;
    replaceCall(called, site);
  }

  void rewriteAssembly(CallInst &called, const InlineAsm &assembly) {
    Site &site = addSite(called, "inline PTX");
    auto code = std::make_shared<InlineCode>(assembly.getAsmString(),
                                             assembly.getConstraintString());
    site.name = code->name();
    code->setPlace(site);
    site.code = std::move(code);
    site.handler = runInlineCode;
    replaceCall(called, site);
  }

  /// Special registers that are somewhere in memory.
  bool replaceRegister(CallInst &called, StringRef name) {
    if (!name.consume_front("read.ptx.sreg."))
      return false;
    if (name == "warpsize") {
      called.replaceAllUsesWith(builder.getInt32(32));
      called.eraseFromParent();
      return true;
    }
    auto offsetOfThread = StringSwitch<int>(name)
                              .Case("tid.x", offsetof(Thread, tid))
                              .Case("tid.y", offsetof(Thread, tid) + 4)
                              .Case("tid.z", offsetof(Thread, tid) + 8)
                              .Case("laneid", offsetof(Thread, lane))
                              .Case("warpid", offsetof(Thread, warp))
                              .Default(-1);
    const int32_t *shared = StringSwitch<const int32_t *>(name)
                                .Case("ctaid.x", &blockRegisters.ctaid[0])
                                .Case("ctaid.y", &blockRegisters.ctaid[1])
                                .Case("ctaid.z", &blockRegisters.ctaid[2])
                                .Case("nctaid.x", &blockRegisters.nctaid[0])
                                .Case("nctaid.y", &blockRegisters.nctaid[1])
                                .Case("nctaid.z", &blockRegisters.nctaid[2])
                                .Case("ntid.x", &blockRegisters.ntid[0])
                                .Case("ntid.y", &blockRegisters.ntid[1])
                                .Case("ntid.z", &blockRegisters.ntid[2])
                                .Default(nullptr);
    Value *place;
    if (shared) {
      place = pointerTo(shared);
    } else if (offsetOfThread >= 0) {
      Value *thread =
          builder.CreateLoad(builder.getPtrTy(), pointerTo(&current));
      place = builder.CreateConstGEP1_32(builder.getInt8Ty(), thread,
                                         offsetOfThread);
    } else {
      return false;
    }
    Value *value = builder.CreateLoad(builder.getInt32Ty(), place);
    called.replaceAllUsesWith(value);
    called.eraseFromParent();
    return true;
  }

  void replaceCall(CallInst &called, Site &site) {
    Type *type = called.getType();
    bool isTooWide = any_of(called.args(), [&](Value *operand) {
      return layout.getTypeStoreSize(operand->getType()) > slotBytes;
    });
    if (!site.handler || isTooWide)
      site.handler = failUnknown;
    describeResult(site, type);
    SmallVector<Value *> operands;
    if (site.handler != failUnknown)
      operands.assign(called.arg_begin(), called.arg_end());
    Value *result = callHandler(site, operands, type);
    if (result)
      called.replaceAllUsesWith(result);
    called.eraseFromParent();
  }

  void describeResult(Site &site, Type *type) {
    if (type->isVoidTy())
      return;
    site.resultBytes = layout.getTypeAllocSize(type);
    auto *record = dyn_cast<StructType>(type);
    if (!record) {
      site.resultOffsets.push_back(0);
      return;
    }
    const StructLayout *parts = layout.getStructLayout(record);
    for (unsigned i = 0; i < record->getNumElements(); ++i)
      site.resultOffsets.push_back(parts->getElementOffset(i));
  }

  Value *callHandler(Site &site, ArrayRef<Value *> operands, Type *type) {
    for (auto [i, operand] : enumerate(operands)) {
      Value *value = operand;
      if (value->getType()->isIntegerTy(1))
        value = builder.CreateZExt(value, builder.getInt8Ty());
      Value *slot = builder.CreateConstGEP1_32(
          builder.getInt8Ty(), frame(), static_cast<unsigned>(i) * slotBytes);
      // Inline PTX takes all operands as 64 bits.
      if (site.code && layout.getTypeStoreSize(value->getType()) < 8)
        builder.CreateAlignedStore(builder.getInt64(0), slot, Align(1));
      builder.CreateAlignedStore(value, slot, Align(1));
    }
    numSlots = std::max<unsigned>(numSlots, operands.size());
    bool hasResult = type && !type->isVoidTy();
    Value *result = hasResult ? resultFrame() : pointerTo(nullptr);
    resultBytes = std::max(resultBytes, site.resultBytes);
    call(runHandler, {pointerTo(&site), frame(), result});
    return hasResult ? loadResult(site, type, result) : nullptr;
  }

  Value *loadResult(const Site &site, Type *type, Value *result) {
    auto load = [&](Type *part, unsigned offset) -> Value * {
      Value *place =
          builder.CreateConstGEP1_32(builder.getInt8Ty(), result, offset);
      if (!part->isIntegerTy(1))
        return builder.CreateAlignedLoad(part, place, Align(1));
      return builder.CreateTrunc(builder.CreateLoad(builder.getInt8Ty(), place),
                                 part);
    };
    auto *record = dyn_cast<StructType>(type);
    if (!record)
      return load(type, 0);
    Value *all = PoisonValue::get(record);
    for (auto [i, part] : enumerate(record->elements()))
      all = builder.CreateInsertValue(all, load(part, site.resultOffsets[i]),
                                      static_cast<unsigned>(i));
    return all;
  }

  //===--------------------------------------------------------------------===//
  // Frames: operands and results, which no two calls need at once
  //===--------------------------------------------------------------------===//

  Value *frame() { return placeholder(slots); }
  Value *resultFrame() { return placeholder(results); }

  AllocaInst *placeholder(AllocaInst *&place) {
    if (!place) {
      IRBuilder<> entry(&function.getEntryBlock(),
                        function.getEntryBlock().begin());
      place = entry.CreateAlloca(builder.getInt8Ty(), builder.getInt64(1));
      place->setAlignment(Align(16));
    }
    return place;
  }

  void fillFrame() {
    if (slots)
      slots->setOperand(0,
                        builder.getInt64(std::max(1u, numSlots) * slotBytes));
    if (results)
      results->setOperand(0, builder.getInt64(std::max(16u, resultBytes)));
  }

  //===--------------------------------------------------------------------===//
  // Loops
  //===--------------------------------------------------------------------===//

  void countTurnsOfLoops() {
    SmallVector<std::pair<const BasicBlock *, const BasicBlock *>> edges;
    FindFunctionBackedges(function, edges);
    SmallPtrSet<const BasicBlock *, 8> latches;
    for (auto [from, to] : edges)
      if (latches.insert(from).second)
        countTurn(*const_cast<BasicBlock *>(from)->getTerminator());
  }

  void countTurn(Instruction &end) {
    builder.SetInsertPoint(&end);
    Value *counter = pointerTo(&turnsLeft);
    Value *left = builder.CreateSub(
        builder.CreateLoad(builder.getInt32Ty(), counter), builder.getInt32(1));
    builder.CreateStore(left, counter);
    Value *isOver = builder.CreateICmpSLE(left, builder.getInt32(0));
    Site &site = addSite(end, "loop");
    Instruction *then = SplitBlockAndInsertIfThen(isOver, &end, false);
    builder.SetInsertPoint(then);
    call(countTurns, {pointerTo(&site)});
  }

  /// A function may call itself without end.
  void checkDepth() {
    BasicBlock &entry = function.getEntryBlock();
    builder.SetInsertPoint(entry.getFirstNonPHIOrDbgOrAlloca());
    Site &site = addSite(entry.front(), "call");
    call(enterFunction, {pointerTo(&site)});
  }

  Function &function;
  ArrayRef<std::string> places;
  Program &program;
  const DataLayout &layout;
  LLVMContext &context;
  IRBuilder<> builder;
  bool hasFence = false;
  AllocaInst *slots = nullptr, *results = nullptr;
  unsigned numSlots = 0, resultBytes = 0;
};

//===----------------------------------------------------------------------===//
// Kernels
//===----------------------------------------------------------------------===//

Parameter parameterOf(const llvm::Argument &argument,
                      const DataLayout &layout) {
  Type *type = argument.getType();
  if (argument.hasByValAttr())
    return {Parameter::Kind::Record,
            unsigned(layout.getTypeSizeInBits(argument.getParamByValType()))};
  unsigned bits = layout.getTypeSizeInBits(type);
  if (type->isPointerTy())
    return {Parameter::Kind::Pointer, bits};
  if (type->isFloatingPointTy())
    return {Parameter::Kind::Float, bits};
  return {Parameter::Kind::Integer, bits};
}

/// The three numbers of "128,1,1".
std::array<int, 3> blockOf(const Function &function) {
  std::array<int, 3> block = {0, 0, 0};
  StringRef text = function.getFnAttribute("nvvm.reqntid").getValueAsString();
  if (text.empty())
    return block;
  SmallVector<StringRef, 3> parts;
  text.split(parts, ',');
  block = {1, 1, 1};
  for (size_t i = 0; i < std::min<size_t>(parts.size(), 3); ++i)
    parts[i].trim().getAsInteger(10, block[i]);
  return block;
}

void addEntry(Function &kernel) {
  LLVMContext &context = kernel.getContext();
  auto *pointer = PointerType::get(context, 0);
  auto *entry = Function::Create(
      FunctionType::get(Type::getVoidTy(context), {pointer}, false),
      GlobalValue::ExternalLinkage, entryPrefix + kernel.getName(),
      kernel.getParent());
  IRBuilder<> builder(BasicBlock::Create(context, "", entry));
  SmallVector<Value *> arguments;
  for (auto [i, argument] : enumerate(kernel.args())) {
    Value *slot =
        builder.CreateConstGEP1_32(builder.getInt8Ty(), entry->getArg(0),
                                   static_cast<unsigned>(i) * slotBytes);
    arguments.push_back(builder.CreateLoad(argument.getType(), slot));
  }
  builder.CreateCall(&kernel, arguments);
  builder.CreateRetVoid();
}

/// Has bfloat16 loaded as integers: LLVM's code for a CPU loses signs
/// otherwise.
void loadAsIntegers(Function &function) {
  SmallVector<LoadInst *> loads;
  for (Instruction &instruction : llvm::instructions(function))
    if (isa<LoadInst>(instruction) &&
        instruction.getType()->getScalarType()->isBFloatTy())
      loads.push_back(cast<LoadInst>(&instruction));
  for (LoadInst *load : loads) {
    Type *type = load->getType();
    IRBuilder<> b(load);
    LoadInst *bits =
        b.CreateAlignedLoad(type->getWithNewType(b.getInt16Ty()),
                            load->getPointerOperand(), load->getAlign());
    bits->setDebugLoc(load->getDebugLoc());
    SmallVector<ExtractElementInst *> elements;
    for (User *user : load->users())
      if (auto *element = dyn_cast<ExtractElementInst>(user))
        elements.push_back(element);
    for (ExtractElementInst *element : elements) {
      b.SetInsertPoint(element);
      Value *own = b.CreateExtractElement(bits, element->getIndexOperand());
      element->replaceAllUsesWith(b.CreateBitCast(own, element->getType()));
      element->eraseFromParent();
    }
    b.SetInsertPoint(load);
    if (!load->use_empty())
      load->replaceAllUsesWith(b.CreateBitCast(bits, type));
    load->eraseFromParent();
  }
}

/// The same of copysign, where the sign is that of a widened bfloat16.
void copySignsOfIntegers(Function &function) {
  SmallVector<IntrinsicInst *> calls;
  for (Instruction &instruction : llvm::instructions(function))
    if (auto *call = dyn_cast<IntrinsicInst>(&instruction))
      if (call->getIntrinsicID() == Intrinsic::copysign &&
          call->getType()->isFloatingPointTy())
        calls.push_back(call);
  for (IntrinsicInst *call : calls) {
    IRBuilder<> b(call);
    unsigned width = call->getType()->getScalarSizeInBits();
    Type *integer = b.getIntNTy(width);
    APInt sign = APInt::getSignMask(width);
    auto bits = [&](unsigned operand, const APInt &mask) {
      Value *own = b.CreateBitCast(call->getArgOperand(operand), integer);
      return b.CreateAnd(own, b.getInt(mask));
    };
    Value *both = b.CreateOr(bits(0, ~sign), bits(1, sign));
    call->replaceAllUsesWith(b.CreateBitCast(both, call->getType()));
    call->eraseFromParent();
  }
}

/// What only a GPU understands.
void dropAttributes(Function &function) {
  function.setCallingConv(CallingConv::C);
  function.setAttributes({});
  if (!function.isDeclaration())
    function.addFnAttr(Attribute::NoUnwind);
  for (Instruction &instruction : instructions(function))
    if (auto *called = dyn_cast<CallInst>(&instruction)) {
      called->setCallingConv(CallingConv::C);
      if (!isa<IntrinsicInst>(called))
        called->setAttributes({});
    }
}

} // namespace

void weft::emulator::instrument(Module &module, ArrayRef<std::string> places,
                                Program &program) {
  SmallVector<Function *> kernels;
  SmallVector<Function *> functions;
  for (Function &function : module) {
    if (function.isDeclaration())
      continue;
    functions.push_back(&function);
    if (isKernel(function))
      kernels.push_back(&function);
  }
  for (Function *function : kernels) {
    Kernel &kernel = program.kernels[function->getName()];
    for (const llvm::Argument &argument : function->args())
      kernel.parameters.push_back(
          parameterOf(argument, module.getDataLayout()));
    kernel.block = blockOf(*function);
    if (DISubprogram *scope = function->getSubprogram())
      if (scope->getLine() > 0 && scope->getLine() <= places.size())
        kernel.place = places[scope->getLine() - 1];
  }
  placeSharedVariables(module, kernels, program);
  for (Function *function : functions) {
    loadAsIntegers(*function);
    copySignsOfIntegers(*function);
    Instrumenter(*function, places, program).run();
  }
  for (Function *function : kernels)
    addEntry(*function);
  for (Function &function : module)
    if (!function.isIntrinsic())
      dropAttributes(function);
}
