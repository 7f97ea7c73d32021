// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the statements of inline PTX do: those that NVVM has an intrinsic for,
// what that does.

#include "lowering/emulator/Handlers.h"
#include "lowering/emulator/InlineCode.h"
#include "lowering/emulator/Mbarriers.h"
#include "lowering/emulator/WarpGroups.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringSwitch.h"

using namespace weft::emulator;
using llvm::StringRef;

//===----------------------------------------------------------------------===//
// A run
//===----------------------------------------------------------------------===//

InlineRun::InlineRun(const Site &site, const InlineCode &code)
    : site(site), code(code), registers(code.numRegisters) {}

void InlineRun::run(Slot *operands, void *result) {
  for (size_t i = 0; i < code.ties.size(); ++i) {
    auto given = operands[i].get<uint64_t>();
    registers[code.numResults + i] = given;
    if (code.ties[i] >= 0)
      registers[code.ties[i]] = given;
  }
  uint64_t turns = 0;
  while (next < code.statements.size()) {
    const InlineStatement &statement = code.statements[next++];
    if (!statement.predicate.empty() && !value(statement.predicate.front()))
      continue;
    if (!statement.action)
      refuse(statement);
    statement.action(*this, statement);
    if (++turns % 256 == 0)
      block->countSteps(site, 256);
  }
  for (unsigned i = 0; i < code.numResults; ++i) {
    unsigned start = site.resultOffsets[i];
    unsigned end =
        i + 1 < code.numResults ? site.resultOffsets[i + 1] : site.resultBytes;
    std::memcpy(static_cast<char *>(result) + start, &registers[i],
                std::min<unsigned>(end - start, 8));
  }
}

uint64_t InlineRun::value(const InlineOperand &operand) const {
  if (operand.kind == InlineOperand::Kind::Number)
    return operand.number;
  if (operand.kind == InlineOperand::Kind::Address)
    return value(operand.parts.front());
  uint64_t bits = registers[operand.index] + operand.number;
  return operand.isNegated ? !bits : bits;
}

char *InlineRun::shared(const InlineOperand &operand) const {
  uint64_t address = value(operand);
  auto window = reinterpret_cast<uintptr_t>(sharedWindow());
  // Of a register of 32 bits the upper half is not there.
  if (static_cast<uint32_t>(address) - static_cast<uint32_t>(window) <
      sharedWindowBytes)
    return sharedWindow() + static_cast<uint32_t>(address - window);
  return reinterpret_cast<char *>(address);
}

void InlineRun::set(const InlineOperand &operand, uint64_t value) {
  if (operand.kind == InlineOperand::Kind::Register)
    registers[operand.index] = value;
}

void InlineRun::jump(StringRef label) {
  auto found = code.labels.find(label);
  if (found == code.labels.end())
    block->fail(site, "inline PTX has no label " + label.str());
  next = found->second;
}

void InlineRun::refuse(const InlineStatement &statement) {
  block->fail(site, "the emulator does not know the instruction " +
                        statement.opcode + " in inline PTX");
}

void weft::emulator::runInlineCode(const Site &site, Slot *operands,
                                   void *result) {
  InlineRun(site, *site.code).run(operands, result);
}

//===----------------------------------------------------------------------===//
// Registers
//===----------------------------------------------------------------------===//

namespace {

using Statement = InlineStatement;

bool isShared(const Statement &statement) {
  return StringRef(statement.opcode).contains(".shared");
}

/// The last part of an opcode, which is the type it works on.
StringRef typeOf(const Statement &statement) {
  return StringRef(statement.opcode).rsplit('.').second;
}

uint64_t truncated(uint64_t value, StringRef type) {
  if (type == "pred")
    return value & 1;
  unsigned bits = 64;
  type.drop_front().getAsInteger(10, bits);
  return bits < 64 ? value & ((uint64_t(1) << bits) - 1) : value;
}

int64_t extended(uint64_t value, StringRef type) {
  unsigned bits = 64;
  type.drop_front().getAsInteger(10, bits);
  if (bits >= 64)
    return value;
  return static_cast<int64_t>(value << (64 - bits)) >> (64 - bits);
}

void move(InlineRun &run, const Statement &s) {
  run.set(s.operands[0], truncated(run.value(s.operands[1]), typeOf(s)));
}

void compare(InlineRun &run, const Statement &s) {
  StringRef type = typeOf(s);
  uint64_t a = truncated(run.value(s.operands[1]), type);
  uint64_t b = truncated(run.value(s.operands[2]), type);
  int64_t signedA = extended(a, type), signedB = extended(b, type);
  bool isSigned = type.starts_with("s"),
       isLess = isSigned ? signedA < signedB : a < b;
  StringRef how = StringRef(s.opcode).split('.').second.split('.').first;
  bool result = llvm::StringSwitch<bool>(how)
                    .Case("eq", a == b)
                    .Case("ne", a != b)
                    .Cases({"lt", "lo"}, isLess)
                    .Cases({"le", "ls"}, isLess || a == b)
                    .Cases({"gt", "hi"}, !isLess && a != b)
                    .Cases({"ge", "hs"}, !isLess)
                    .Default(false);
  if (type.starts_with("f"))
    run.refuse(s);
  run.set(s.operands[0], result);
}

void select(InlineRun &run, const Statement &s) {
  bool first = run.value(s.operands[3]) & 1;
  run.set(s.operands[0], run.value(s.operands[first ? 1 : 2]));
}

void calculate(InlineRun &run, const Statement &s) {
  StringRef type = typeOf(s), name = StringRef(s.opcode).split('.').first;
  if (type.starts_with("f") || type.starts_with("bf"))
    run.refuse(s);
  uint64_t a = run.value(s.operands[1]), b = run.value(s.operands[2]);
  unsigned shift = std::min<uint64_t>(truncated(b, "u32"), 63);
  uint64_t right = type.starts_with("s")
                       ? static_cast<uint64_t>(extended(a, type) >> shift)
                       : truncated(a, type) >> shift;
  uint64_t result = llvm::StringSwitch<uint64_t>(name)
                        .Case("add", a + b)
                        .Case("sub", a - b)
                        .Case("mul", a * b)
                        .Case("and", a & b)
                        .Case("or", a | b)
                        .Case("xor", a ^ b)
                        .Case("shl", a << shift)
                        .Default(right);
  run.set(s.operands[0], truncated(result, type));
}

void branch(InlineRun &run, const Statement &s) { run.jump(s.label); }

void nothing(InlineRun &, const Statement &) {}

void fenceProxies(InlineRun &, const Statement &) { block->fenceProxies(); }

/// cvta and its like: all spaces have the same addresses here.
void passOn(InlineRun &run, const Statement &s) {
  run.set(s.operands[0], run.value(s.operands[1]));
}

//===----------------------------------------------------------------------===//
// What an intrinsic does
//===----------------------------------------------------------------------===//

/// The registers of an operand, one after the other.
void append(std::vector<const InlineOperand *> &all,
            const InlineOperand &operand) {
  if (operand.kind != InlineOperand::Kind::Group) {
    all.push_back(&operand);
    return;
  }
  for (const InlineOperand &part : operand.parts)
    append(all, part);
}

Slot slotOf(const InlineRun &run, const InlineOperand &operand,
            const Statement &s) {
  Slot slot = {};
  if (operand.kind == InlineOperand::Kind::Address && isShared(s))
    slot.set(run.shared(operand));
  else
    slot.set(run.value(operand));
  return slot;
}

/// Calls an intrinsic's handler with all operands but the first `numResults`,
/// which are set to its results of so many bytes each.
void callHandler(InlineRun &run, const Statement &s, StringRef intrinsic,
                 unsigned numResults, unsigned each = 4) {
  Handler handler = Handlers::ofIntrinsics().find(intrinsic);
  if (!handler || s.operands.size() < numResults)
    run.refuse(s);
  std::vector<const InlineOperand *> results, given;
  for (unsigned i = 0; i < s.operands.size(); ++i)
    append(i < numResults ? results : given, s.operands[i]);
  std::vector<Slot> slots;
  for (const InlineOperand *operand : given)
    slots.push_back(slotOf(run, *operand, s));
  std::vector<char> bytes(results.size() * 8 + 16);
  handler(s.site, slots.data(), bytes.data());
  for (auto [i, operand] : llvm::enumerate(results)) {
    uint64_t value = 0;
    std::memcpy(&value, bytes.data() + i * each, each);
    run.set(*operand, value);
  }
}

/// One number from one to three.
void function(InlineRun &run, const Statement &s) {
  StringRef type = typeOf(s);
  unsigned bits = 32;
  type.drop_front(type.find_first_of("0123456789")).getAsInteger(10, bits);
  // Intrinsics tell floats by a letter: "rcp.rn.f32" is "rcp.rn.f".
  StringRef name = StringRef(s.opcode);
  std::string intrinsic = name.drop_back(type.size()).str();
  intrinsic += bits == 64 ? "d" : "f";
  if (bits != 32 && bits != 64)
    run.refuse(s);
  callHandler(run, s, intrinsic, 1, bits / 8);
}

/// Two values a handler gives at 0 and 4: a number and whether it counts.
void withPredicate(InlineRun &run, const Statement &s) {
  StringRef name = s.opcode;
  bool isShuffle = name.starts_with("shfl");
  bool hasTwo = s.operands.size() > (isShuffle ? 5u : 2u);
  Statement call = s;
  // Shuffles name the mask last, intrinsics first.
  if (isShuffle) {
    InlineOperand mask = call.operands.back();
    call.operands.pop_back();
    call.operands.insert(call.operands.begin() + (hasTwo ? 2 : 1), mask);
    call.site.resultBytes = 8;
  }
  std::string intrinsic =
      isShuffle ? name.rsplit('.').first.str() + ".i32" : name.str();
  // The handlers of a warp keep the site as long as lanes wait.
  callHandler(run, call, intrinsic, hasTwo ? 2 : 1);
}

void synchronizeWarp(InlineRun &run, const Statement &s) {
  callHandler(run, s, "bar.warp.sync", 0);
}

void barrier(InlineRun &run, const Statement &s) {
  bool arrives = StringRef(s.opcode).contains("arrive");
  std::string form = s.operands.size() > 1 ? "count" : "all";
  callHandler(
      run, s,
      std::string("barrier.cta.") + (arrives ? "arrive." : "sync.") + form, 0);
}

void sameName(InlineRun &run, const Statement &s) {
  callHandler(run, s, s.opcode, 0);
}

void matrixLoad(InlineRun &run, const Statement &s) {
  callHandler(run, s, s.opcode, 1);
}

/// D, A, B, C; the intrinsic's name has no ".sync.aligned".
void matrixProduct(InlineRun &run, const Statement &s) {
  callHandler(run, s, s.opcode, 1, StringRef(s.opcode).contains("f64") ? 8 : 4);
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

struct Width {
  unsigned count, bytes;
};

Width widthOf(const Statement &s) {
  StringRef name = s.opcode;
  unsigned bits = 32, count = name.contains(".v4")   ? 4
                              : name.contains(".v2") ? 2
                                                     : 1;
  StringRef type = typeOf(s);
  bool isPair = type.consume_back("x2");
  type.drop_front(type.find_first_of("0123456789")).getAsInteger(10, bits);
  return {count, (isPair ? 2 : 1) * bits / 8};
}

char *addressIn(InlineRun &run, const InlineOperand &operand,
                const Statement &s) {
  return isShared(s) ? run.shared(operand) : run.pointer(operand);
}

void load(InlineRun &run, const Statement &s) {
  auto [count, bytes] = widthOf(s);
  char *address = addressIn(run, s.operands[1], s);
  if (!isLocal(address))
    block->access(run.site, address, count * bytes, count * bytes,
                  Access::Load);
  std::vector<const InlineOperand *> results;
  append(results, s.operands[0]);
  for (auto [i, operand] : llvm::enumerate(results)) {
    uint64_t value = 0;
    std::memcpy(&value, address + i * bytes, bytes);
    run.set(*operand, value);
  }
}

void store(InlineRun &run, const Statement &s) {
  auto [count, bytes] = widthOf(s);
  char *address = addressIn(run, s.operands[0], s);
  if (!isLocal(address))
    block->access(run.site, address, count * bytes, count * bytes,
                  Access::Store);
  std::vector<const InlineOperand *> given;
  append(given, s.operands[1]);
  for (auto [i, operand] : llvm::enumerate(given)) {
    uint64_t value = run.value(*operand);
    std::memcpy(address + i * bytes, &value, bytes);
  }
}

uint64_t sumOfHalves(uint64_t a, uint64_t b, Number type) {
  uint64_t sum = 0;
  for (int half = 0; half < 2; ++half) {
    uint16_t x = a >> (16 * half), y = b >> (16 * half);
    sum |= uint64_t(narrow(widen(&x, type) + widen(&y, type), type))
           << (16 * half);
  }
  return sum;
}

uint64_t combined(InlineRun &run, const Statement &s, uint64_t old,
                  uint64_t given) {
  StringRef type = typeOf(s), name = s.opcode;
  bool isSigned = type.starts_with("s");
  int64_t a = isSigned ? extended(old, type) : int64_t(truncated(old, type));
  int64_t b =
      isSigned ? extended(given, type) : int64_t(truncated(given, type));
  if (name.contains(".add")) {
    if (type == "f32") {
      float x, y;
      std::memcpy(&x, &old, 4);
      std::memcpy(&y, &given, 4);
      x += y;
      uint32_t bits;
      std::memcpy(&bits, &x, 4);
      return bits;
    }
    if (type == "f64") {
      double x, y;
      std::memcpy(&x, &old, 8);
      std::memcpy(&y, &given, 8);
      x += y;
      std::memcpy(&old, &x, 8);
      return old;
    }
    if (type.starts_with("f16") || type.starts_with("bf16"))
      return sumOfHalves(old, given,
                         type.starts_with("f16") ? Number::Float16
                                                 : Number::BFloat16);
    return a + b;
  }
  if (name.contains(".exch"))
    return given;
  if (type.contains("f"))
    run.refuse(s);
  if (name.contains(".and"))
    return a & b;
  if (name.contains(".xor"))
    return a ^ b;
  if (name.contains(".or"))
    return a | b;
  bool isLess = isSigned ? a < b : uint64_t(a) < uint64_t(b);
  if (name.contains(".min"))
    return isLess ? a : b;
  if (name.contains(".max"))
    return isLess ? b : a;
  run.refuse(s);
}

/// red, and atom, which gives what was there before.
void update(InlineRun &run, const Statement &s) {
  bool hasResult = StringRef(s.opcode).starts_with("atom");
  size_t at = hasResult ? 1 : 0;
  if (StringRef(s.opcode).contains(".cas"))
    run.refuse(s);
  auto [count, bytes] = widthOf(s);
  char *address = addressIn(run, s.operands[at], s);
  block->access(run.site, address, count * bytes, count * bytes,
                Access::Atomic);
  StringRef name = s.opcode;
  bool releases = name.contains(".release") || name.contains(".acq_rel");
  bool acquires = name.contains(".acquire") || name.contains(".acq_rel");
  if (releases || acquires)
    block->synchronizeAtomic(address, acquires, releases);
  std::vector<const InlineOperand *> given, results;
  append(given, s.operands[at + 1]);
  if (hasResult)
    append(results, s.operands[0]);
  for (auto [i, operand] : llvm::enumerate(given)) {
    uint64_t old = 0;
    std::memcpy(&old, address + i * bytes, bytes);
    uint64_t value = combined(run, s, old, run.value(*operand));
    std::memcpy(address + i * bytes, &value, bytes);
    if (i < results.size())
      run.set(*results[i], old);
  }
}

//===----------------------------------------------------------------------===//
// Copies and mbarriers
//===----------------------------------------------------------------------===//

void copyAsync(InlineRun &run, const Statement &s) {
  size_t size = run.value(s.operands[2]);
  size_t bytes = s.operands.size() > 3 ? run.value(s.operands[3]) : size;
  startAsyncCopy(run.site, run.shared(s.operands[0]),
                 run.pointer(s.operands[1]), size, bytes);
}

/// "cp.async.wait_group 0" is "cp.async.wait.group".
void group(InlineRun &run, const Statement &s) {
  std::string intrinsic = s.opcode;
  std::replace(intrinsic.begin(), intrinsic.end(), '_', '.');
  callHandler(run, s, intrinsic, 0);
}

std::vector<int> coordinatesIn(InlineRun &run, const InlineOperand &address) {
  std::vector<int> coordinates;
  for (const InlineOperand &part : address.parts.back().parts)
    coordinates.push_back(static_cast<int>(run.value(part)));
  return coordinates;
}

void copyTensor(InlineRun &run, const Statement &s) {
  StringRef name = s.opcode;
  if (name.contains(".global.shared"))
    return storeTensor(run.site, run.shared(s.operands[1]),
                       run.pointer(s.operands[0]),
                       coordinatesIn(run, s.operands[0]));
  loadTensor(run.site, run.shared(s.operands[0]), run.shared(s.operands[2]),
             run.pointer(s.operands[1]), coordinatesIn(run, s.operands[1]));
}

void mbarrier(InlineRun &run, const Statement &s) {
  StringRef name = s.opcode;
  bool isFirst = s.operands[0].kind == InlineOperand::Kind::Address;
  size_t at = isFirst ? 0 : 1;
  const char *address = run.shared(s.operands[at]);
  auto operand = [&](size_t i, uint64_t otherwise) {
    return s.operands.size() > at + i ? run.value(s.operands[at + i])
                                      : otherwise;
  };
  if (name.contains(".init"))
    return initMbarrier(run.site, address, operand(1, 0));
  if (name.contains(".inval"))
    return invalidateMbarrier(run.site, address);
  Mbarrier &barrier = findMbarrier(run.site, address);
  uint64_t result = 1;
  bool isParity = name.contains(".parity");
  if (name.contains("expect_tx"))
    expectBytes(run.site, barrier, static_cast<int32_t>(operand(1, 0)));
  if (name.contains(".arrive"))
    result = arriveAt(run.site, barrier,
                      name.contains("expect_tx") ? 1 : operand(1, 1));
  else if (name.contains("try_wait") && isParity)
    waitParity(run.site, barrier, operand(1, 0));
  else if (name.contains("try_wait"))
    waitPhase(run.site, barrier, operand(1, 0));
  else if (name.contains("test_wait"))
    result = isParity ? testParity(barrier, operand(1, 0))
                      : testPhase(barrier, operand(1, 0));
  else if (!name.contains("expect_tx"))
    run.refuse(s);
  if (!isFirst)
    run.set(s.operands[0], result);
}

//===----------------------------------------------------------------------===//
// wgmma
//===----------------------------------------------------------------------===//

void groupProduct(InlineRun &run, const Statement &s) {
  StringRef name = s.opcode;
  GroupProduct product;
  product.columns = s.site.numbers[1];
  product.depth = s.site.numbers[2];
  product.type = name.ends_with(".bf16")   ? Number::BFloat16
                 : name.ends_with(".f16")  ? Number::Float16
                 : name.ends_with(".tf32") ? Number::Tf32
                                           : Number::Float32;
  if (product.type == Number::Float32 || !name.contains(".f32.") ||
      s.operands.size() < 6)
    run.refuse(s);
  const auto &sums = s.operands[0].parts;
  for (const InlineOperand &part : sums)
    product.sums.push_back(run.value(part));
  bool isInRegisters = s.operands[1].kind == InlineOperand::Kind::Group;
  if (isInRegisters)
    for (const InlineOperand &part : s.operands[1].parts)
      product.left.push_back(run.value(part));
  else
    product.leftDescriptor = run.value(s.operands[1]);
  product.rightDescriptor = run.value(s.operands[2]);
  product.adds = run.value(s.operands[3]) & 1;
  product.negatesLeft = static_cast<int32_t>(run.value(s.operands[4])) < 0;
  product.negatesRight = static_cast<int32_t>(run.value(s.operands[5])) < 0;
  size_t transposed = 6;
  if (!isInRegisters && s.operands.size() > transposed + 1)
    product.isLeftTransposed = run.value(s.operands[transposed++]);
  if (s.operands.size() > transposed)
    product.isRightTransposed = run.value(s.operands[transposed]);
  multiplyTogether(run.site, product);
  for (size_t i = 0; i < sums.size(); ++i)
    run.set(sums[i], product.sums[i]);
}

void waitProducts(InlineRun &run, const Statement &s) {
  waitForProducts(run.site, run.value(s.operands[0]));
}

void commitProduct(InlineRun &, const Statement &) { commitProducts(); }

struct Family {
  StringRef prefix;
  Statement::Action action;
};

// The longest prefix that fits counts.
const Family families[] = {
    {"mov.", move},
    {"setp.", compare},
    {"selp.", select},
    {"add.", calculate},
    {"sub.", calculate},
    {"mul.lo.", calculate},
    {"and.", calculate},
    {"or.", calculate},
    {"xor.", calculate},
    {"shl.", calculate},
    {"shr.", calculate},
    {"bra", branch},
    {"cvta", passOn},
    {"ld.", load},
    {"st.", store},
    {"atom.", update},
    {"red.", update},
    {"ex2.", function},
    {"lg2.", function},
    {"sin.", function},
    {"cos.", function},
    {"tanh.", function},
    {"rcp.", function},
    {"rsqrt.", function},
    {"sqrt.", function},
    {"div.", function},
    {"fma.", function},
    {"min.f", function},
    {"max.f", function},
    {"shfl.sync.", withPredicate},
    {"elect.sync", withPredicate},
    {"bar.warp.sync", synchronizeWarp},
    {"bar.", barrier},
    {"barrier.", barrier},
    {"barrier.cluster.", nothing},
    {"fence", nothing},
    {"fence.proxy.async", fenceProxies},
    {"membar", nothing},
    {"setmaxnreg", nothing},
    {"prefetch", nothing},
    {"nanosleep", nothing},
    {"griddepcontrol", nothing},
    {"ldmatrix.", matrixLoad},
    {"stmatrix.", sameName},
    {"mma.sync", matrixProduct},
    {"cp.async.", copyAsync},
    {"cp.async.commit_group", group},
    {"cp.async.wait_", group},
    {"cp.async.bulk.tensor.", copyTensor},
    {"cp.async.bulk.commit_group", group},
    {"cp.async.bulk.wait_group", group},
    {"mbarrier.", mbarrier},
    {"wgmma.mma_async.", groupProduct},
    {"wgmma.fence", nothing},
    {"wgmma.commit_group", commitProduct},
    {"wgmma.wait_group", waitProducts},
};

} // namespace

Statement::Action weft::emulator::findAction(StringRef opcode) {
  const Family *best = nullptr;
  for (const Family &family : families)
    if (opcode.starts_with(family.prefix) &&
        (!best || family.prefix.size() > best->prefix.size()))
      best = &family;
  return best ? best->action : nullptr;
}
