// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The host function of a module at stage `nvvm` -> JSON: buffers by name and
// offset, steps in order. Whoever runs it needs no compiler.

#include "dialects/Weft.h"
#include "lowering/Passes.h"
#include "lowering/gpu/Device.h"
#include "lowering/gpu/EmitPtx.h"
#include "lowering/memory/Buffers.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Interfaces/ViewLikeInterface.h"
#include "llvm/Support/JSON.h"

using namespace mlir;
namespace json = llvm::json;
using llvm::Expected;

static std::string lineOf(Location loc) {
  auto place = loc->findInstanceOf<FileLineColLoc>();
  if (!place)
    return "";
  return place.getFilename().str() + ":" + std::to_string(place.getLine());
}

/// Whether NumPy has such elements: not those of an index, nor vectors.
static bool hasDtype(Type type) {
  return type.isIntOrFloat() || isa<ComplexType>(type);
}

/// As NumPy names the elements of buffers.
static std::string dtypeOf(Type type) {
  if (auto complex = dyn_cast<ComplexType>(type))
    return complex.getElementType().isF32() ? "complex64" : "complex128";
  if (type.isBF16())
    return "bfloat16";
  unsigned bits = type.getIntOrFloatBitWidth();
  return (isa<FloatType>(type) ? "float" : "int") + std::to_string(bits);
}

namespace {

class PlanEmitter {
public:
  PlanEmitter(ModuleOp module, func::FuncOp func)
      : module(module), func(func) {}

  Expected<std::string> emit() {
    name();
    json::Array arguments;
    for (BlockArgument argument : func.getArguments().drop_back()) {
      auto type = dyn_cast<MemRefType>(argument.getType());
      if (!type || !hasDtype(type.getElementType()))
        return llvm::createStringError(
            llvm::inconvertibleErrorCode(),
            lineOf(func.getLoc()) +
                ": an argument of a plan is no array of numbers");
      arguments.push_back(json::Object{
          {"shape", json::Array(type.getShape())},
          {"dtype", dtypeOf(type.getElementType())},
      });
    }
    json::Array steps = stepsOf(func.front());
    if (!error.empty())
      return llvm::createStringError(llvm::inconvertibleErrorCode(), error);
    auto bytes = func->getAttrOfType<IntegerAttr>(weft::arenaBytesAttr);
    json::Object plan{
        {"name", entry},
        {"chip", weft::Gpu::of(module).chip},
        {"arena", bytes ? bytes.getInt() : 0},
        {"arguments", std::move(arguments)},
        {"kernels", kernels()},
        {"steps", std::move(steps)},
    };
    if (auto reuses = func->getAttr(weft::reusesAttr)) {
      json::Array numbers;
      if (auto array = dyn_cast<DenseI64ArrayAttr>(reuses))
        for (int64_t number : array.asArrayRef())
          numbers.push_back(number);
      plan["reuses"] = std::move(numbers);
    }
    std::string text;
    llvm::raw_string_ostream(text) << json::Value(std::move(plan));
    return text;
  }

private:
  void name() {
    entry = func.getSymName().str();
    auto arguments = func.getArguments();
    for (BlockArgument argument : arguments.drop_back())
      names[argument] = "arg" + std::to_string(argument.getArgNumber());
    names[arguments.back()] = "arena";
  }

  std::string fresh(Value value) {
    return names[value] = "r" + std::to_string(++numRegisters);
  }

  /// The first failure is told.
  void fail(Operation *op, const Twine &message) {
    if (error.empty())
      llvm::raw_string_ostream(error) << op->getLoc() << ": " << message;
  }

  //===--------------------------------------------------------------------===//
  // Kernels
  //===--------------------------------------------------------------------===//

  json::Object kernels() {
    json::Object all;
    for (auto own : module.getOps<gpu::GPUModuleOp>())
      for (auto kernel : own.getOps<LLVM::LLVMFuncOp>())
        if (sizes.contains(kernel.getSymName()))
          all[kernel.getSymName()] = kernelOf(kernel);
    return all;
  }

  json::Object kernelOf(LLVM::LLVMFuncOp kernel) {
    json::Array parameters;
    for (unsigned i = 0; i < kernel.getNumArguments(); ++i)
      parameters.push_back(parameterOf(kernel, i));
    json::Object object = std::move(sizes[kernel.getSymName()]);
    object["line"] = lineOf(kernel.getLoc());
    object["parameters"] = std::move(parameters);
    return object;
  }

  static json::Object parameterOf(LLVM::LLVMFuncOp kernel, unsigned number) {
    if (auto map = kernel.getArgAttrOfType<DictionaryAttr>(number,
                                                           "weft.tensor_map")) {
      json::Object object{{"kind", "tensor_map"}};
      for (NamedAttribute each : map)
        object[each.getName().strref()] = valueOf(each.getValue());
      return object;
    }
    Type type = kernel.getArgument(number).getType();
    if (isa<LLVM::LLVMPointerType>(type))
      return json::Object{{"kind", "pointer"}};
    std::string kind = type.isF32() ? "f32"
                       : type.isF64()
                           ? "f64"
                           : "i" + std::to_string(type.getIntOrFloatBitWidth());
    return json::Object{{"kind", kind}};
  }

  static json::Value valueOf(Attribute attribute) {
    if (auto array = dyn_cast<DenseI64ArrayAttr>(attribute))
      return json::Array(array.asArrayRef());
    if (auto number = dyn_cast<IntegerAttr>(attribute))
      return number.getInt();
    if (auto text = dyn_cast<StringAttr>(attribute))
      return text.getValue();
    return nullptr;
  }

  //===--------------------------------------------------------------------===//
  // Values
  //===--------------------------------------------------------------------===//

  /// A buffer by its name, and where in it.
  json::Object pointerOf(Value value) {
    int64_t offset = 0;
    json::Array terms;
    // A pointer that stands for the beginning of a buffer.
    while (Operation *op = value.getDefiningOp()) {
      if (isa<LLVM::IntToPtrOp, arith::IndexCastOp, arith::IndexCastUIOp,
              memref::ExtractAlignedPointerAsIndexOp, memref::CastOp>(op)) {
        value = op->getOperand(0);
      } else if (auto view = dyn_cast<memref::ViewOp>(op)) {
        offset += constantOf(view.getByteShift());
        value = view.getSource();
      } else if (auto view = dyn_cast<memref::SubViewOp>(op)) {
        addOffset(view, offset, terms);
        value = view.getSource();
      } else if (auto view = dyn_cast<ViewLikeOpInterface>(op)) {
        value = view.getViewSource();
      } else {
        break;
      }
    }
    auto name = names.find(value);
    if (name == names.end()) {
      fail(value.getDefiningOp() ? value.getDefiningOp() : func,
           "the host cannot say where this buffer is");
      return {};
    }
    json::Object pointer{{"buffer", name->second}, {"offset", offset}};
    if (!terms.empty())
      pointer["terms"] = std::move(terms);
    return pointer;
  }

  void addOffset(memref::SubViewOp view, int64_t &offset, json::Array &terms) {
    auto source = view.getSourceType();
    auto strides = source.getStridesAndOffset().first;
    int64_t bytes = weft::bytesOf(source.getElementType());
    for (auto [place, stride] :
         llvm::zip_equal(view.getMixedOffsets(), strides)) {
      if (auto fixed = getConstantIntValue(place))
        offset += *fixed * stride * bytes;
      else
        terms.push_back(
            json::Array{scalarOf(cast<Value>(place)), stride * bytes});
    }
  }

  int64_t constantOf(Value value) {
    APInt number;
    if (matchPattern(value, m_ConstantInt(&number)))
      return number.getSExtValue();
    fail(value.getDefiningOp() ? value.getDefiningOp() : func,
         "the host needs a constant here");
    return 0;
  }

  /// A number that the host knows, by a register or as what it is; arithmetic
  /// becomes steps of its own.
  json::Value scalarOf(Value value) {
    APInt number;
    if (matchPattern(value, m_ConstantInt(&number)))
      return number.getSExtValue();
    auto name = names.find(value);
    if (name != names.end())
      return name->second;
    Operation *op = value.getDefiningOp();
    if (op && (isa<arith::IndexCastOp, arith::TruncIOp, arith::ExtUIOp,
                   arith::ExtSIOp>(op)))
      return scalarOf(op->getOperand(0));
    if (op && op->getNumOperands() == 2 && op->getNumResults() == 1)
      return computed(op);
    fail(op ? op : func, "the host cannot compute this number");
    return 0;
  }

  /// {"do": "compute", "op": "addi", "args": [...], "into": "r1"}
  json::Value computed(Operation *op) {
    StringRef name = op->getName().stripDialect();
    std::string kind = name.str();
    if (auto compare = dyn_cast<arith::CmpIOp>(op))
      kind = stringifyCmpIPredicate(compare.getPredicate()).str();
    json::Array arguments{scalarOf(op->getOperand(0)),
                          scalarOf(op->getOperand(1))};
    std::string result = fresh(op->getResult(0));
    steps->push_back(json::Object{{"do", "compute"},
                                  {"op", kind},
                                  {"args", std::move(arguments)},
                                  {"into", result}});
    return result;
  }

  //===--------------------------------------------------------------------===//
  // Steps
  //===--------------------------------------------------------------------===//

  json::Array stepsOf(Block &block) {
    json::Array own;
    json::Array *outer = std::exchange(steps, &own);
    for (Operation &op : block.without_terminator())
      add(&op);
    steps = outer;
    return own;
  }

  void add(Operation *op) {
    if (auto launch = dyn_cast<gpu::LaunchFuncOp>(op))
      return addLaunch(launch);
    if (auto copy = dyn_cast<memref::CopyOp>(op))
      return addCopy(copy);
    if (auto loop = dyn_cast<scf::ForOp>(op))
      return addFor(loop);
    if (auto loop = dyn_cast<scf::WhileOp>(op))
      return addWhile(loop);
    if (auto branch = dyn_cast<scf::IfOp>(op))
      return addIf(branch);
    if (auto load = dyn_cast<memref::LoadOp>(op))
      return addRead(load);
    if (auto alloc = dyn_cast<memref::AllocOp>(op))
      return addAlloc(alloc);
    if (auto dealloc = dyn_cast<memref::DeallocOp>(op)) {
      steps->push_back(
          json::Object{{"do", "free"}, {"buffer", names[dealloc.getMemref()]}});
      return;
    }
    if (auto call = dyn_cast<weft::LibraryCallOp>(op))
      return addCall(call);
    if (!isMemoryEffectFree(op))
      fail(op, "the host does not know '" + op->getName().getStringRef() + "'");
  }

  void addLaunch(gpu::LaunchFuncOp launch) {
    std::string kernel = launch.getKernelName().str();
    auto dims = [&](gpu::KernelDim3 size) {
      return json::Array{constantOf(size.x), constantOf(size.y),
                         constantOf(size.z)};
    };
    Value shared = launch.getDynamicSharedMemorySize();
    sizes[kernel] = json::Object{
        {"grid", dims(launch.getGridSizeOperandValues())},
        {"block", dims(launch.getBlockSizeOperandValues())},
        {"shared", shared ? constantOf(shared) : 0},
    };
    json::Array arguments;
    for (Value operand : launch.getKernelOperands()) {
      bool isPointer =
          isa<MemRefType, LLVM::LLVMPointerType>(operand.getType());
      if (isPointer)
        arguments.push_back(pointerOf(operand));
      else
        arguments.push_back(scalarOf(operand));
    }
    steps->push_back(json::Object{
        {"do", "launch"}, {"kernel", kernel}, {"args", std::move(arguments)}});
  }

  void addCopy(memref::CopyOp copy) {
    auto type = cast<MemRefType>(copy.getSource().getType());
    int64_t bytes =
        type.getNumElements() * weft::bytesOf(type.getElementType());
    steps->push_back(json::Object{{"do", "copy"},
                                  {"to", pointerOf(copy.getTarget())},
                                  {"from", pointerOf(copy.getSource())},
                                  {"bytes", bytes}});
  }

  void addRead(memref::LoadOp load) {
    if (load->use_empty())
      return;
    json::Object from = pointerOf(load.getMemref());
    std::string dtype = dtypeOf(load.getType());
    steps->push_back(json::Object{{"do", "read"},
                                  {"from", std::move(from)},
                                  {"dtype", dtype},
                                  {"into", fresh(load.getResult())}});
  }

  void addAlloc(memref::AllocOp alloc) {
    MemRefType type = alloc.getType();
    int64_t bytes = weft::bytesOf(type.getElementType());
    for (int64_t size : type.getShape().drop_front())
      bytes *= size;
    json::Value rows = alloc.getDynamicSizes().empty()
                           ? json::Value(type.getDimSize(0))
                           : scalarOf(alloc.getDynamicSizes()[0]);
    steps->push_back(json::Object{{"do", "alloc"},
                                  {"into", fresh(alloc)},
                                  {"row_bytes", bytes},
                                  {"rows", std::move(rows)}});
  }

  json::Array pointersOf(ValueRange values) {
    json::Array pointers;
    for (Value value : values)
      pointers.push_back(pointerOf(value));
    return pointers;
  }

  json::Array freshNames(ValueRange values) {
    json::Array fresh;
    for (Value value : values)
      fresh.push_back(this->fresh(value));
    return fresh;
  }

  json::Array carriedOf(ValueRange arguments, ValueRange inits) {
    json::Array carried;
    for (auto [argument, init] : llvm::zip_equal(arguments, inits)) {
      json::Object first = pointerOf(init);
      carried.push_back(json::Array{fresh(argument), std::move(first)});
    }
    return carried;
  }

  void addFor(scf::ForOp loop) {
    json::Value from = scalarOf(loop.getLowerBound());
    json::Value to = scalarOf(loop.getUpperBound());
    json::Value step = scalarOf(loop.getStep());
    json::Array carried =
        carriedOf(loop.getRegionIterArgs(), loop.getInitArgs());
    std::string index = fresh(loop.getInductionVar());
    json::Array body = stepsOf(*loop.getBody());
    json::Array yields =
        pointersOf(loop.getBody()->getTerminator()->getOperands());
    steps->push_back(json::Object{{"do", "for"},
                                  {"index", index},
                                  {"from", std::move(from)},
                                  {"to", std::move(to)},
                                  {"step", std::move(step)},
                                  {"carried", std::move(carried)},
                                  {"steps", std::move(body)},
                                  {"yields", std::move(yields)},
                                  {"results", freshNames(loop.getResults())}});
  }

  void addWhile(scf::WhileOp loop) {
    json::Array carried = carriedOf(loop.getBeforeArguments(), loop.getInits());
    json::Array before = stepsOf(*loop.getBeforeBody());
    json::Array *outer = std::exchange(steps, &before);
    json::Value condition = scalarOf(loop.getConditionOp().getCondition());
    steps = outer;
    json::Array passed = pointersOf(loop.getConditionOp().getArgs());
    json::Array arguments = freshNames(loop.getAfterArguments());
    json::Array body = stepsOf(*loop.getAfterBody());
    json::Array yields = pointersOf(loop.getYieldOp().getOperands());
    steps->push_back(json::Object{{"do", "while"},
                                  {"carried", std::move(carried)},
                                  {"before", std::move(before)},
                                  {"condition", std::move(condition)},
                                  {"passed", std::move(passed)},
                                  {"arguments", std::move(arguments)},
                                  {"steps", std::move(body)},
                                  {"yields", std::move(yields)},
                                  {"results", freshNames(loop.getResults())}});
  }

  void addIf(scf::IfOp branch) {
    json::Value condition = scalarOf(branch.getCondition());
    json::Array then = stepsOf(*branch.thenBlock()), otherwise;
    json::Array yieldsThen =
        pointersOf(branch.thenBlock()->getTerminator()->getOperands());
    json::Array yieldsElse;
    if (branch.elseBlock()) {
      otherwise = stepsOf(*branch.elseBlock());
      yieldsElse =
          pointersOf(branch.elseBlock()->getTerminator()->getOperands());
    }
    steps->push_back(
        json::Object{{"do", "if"},
                     {"condition", std::move(condition)},
                     {"then", std::move(then)},
                     {"else", std::move(otherwise)},
                     {"yields_then", std::move(yieldsThen)},
                     {"yields_else", std::move(yieldsElse)},
                     {"results", freshNames(branch.getResults())}});
  }

  void addCall(weft::LibraryCallOp call) {
    auto described = [&](ValueRange values) {
      json::Array all;
      for (Value value : values) {
        auto type = cast<MemRefType>(value.getType());
        all.push_back(json::Object{{"pointer", pointerOf(value)},
                                   {"shape", json::Array(type.getShape())},
                                   {"dtype", dtypeOf(type.getElementType())}});
      }
      return all;
    };
    steps->push_back(json::Object{{"do", "call"},
                                  {"name", call.getKernel()},
                                  {"numbers", json::Array(call.getSizes())},
                                  {"inputs", described(call.getInputs())},
                                  {"outputs", described(call.getOutputs())},
                                  {"line", lineOf(call.getLoc())}});
  }

  ModuleOp module;
  func::FuncOp func;
  std::string entry;
  DenseMap<Value, std::string> names;
  llvm::StringMap<json::Object> sizes;
  json::Array *steps = nullptr;
  unsigned numRegisters = 0;
  std::string error;
};

} // namespace

Expected<std::string> weft::emitPlan(ModuleOp module) {
  for (auto func : module.getOps<func::FuncOp>())
    if (func->hasAttr(weft::arenaBytesAttr))
      return PlanEmitter(module, func).emit();
  return llvm::createStringError(
      llvm::inconvertibleErrorCode(),
      "the module has no function that is at stage 'nvvm'");
}
