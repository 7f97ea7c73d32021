// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// PTX that stands in the program as text: its statements, one after the other.

#ifndef WEFT_LOWERING_EMULATOR_INLINECODE_H
#define WEFT_LOWERING_EMULATOR_INLINECODE_H

#include "lowering/emulator/Program.h"
#include "llvm/ADT/StringRef.h"

namespace weft::emulator {

/// A register, a number, an address in brackets with what else stands there, or
/// several in braces.
struct InlineOperand {
  enum class Kind { Register, Number, Address, Group } kind = Kind::Number;
  unsigned index = 0;
  int64_t number = 0;
  bool isNegated = false;
  std::vector<InlineOperand> parts;
};

class InlineRun;

struct InlineStatement {
  using Action = void (*)(InlineRun &run, const InlineStatement &statement);

  std::string opcode;
  std::vector<InlineOperand> operands;
  /// The register that says whether it is done, if any.
  std::vector<InlineOperand> predicate;
  /// Where a branch leads.
  std::string label;
  Action action = nullptr;
  /// What handlers are called with.
  Site site;
};

/// Registers are those that the constraints bind, results first, then those of
/// the text.
class InlineCode {
public:
  InlineCode(llvm::StringRef text, llvm::StringRef constraints);

  /// Gives each statement the place of the instruction.
  void setPlace(const Site &site);
  /// Of the instruction that matters most.
  std::string name() const;

  std::vector<InlineStatement> statements;
  llvm::StringMap<size_t> labels;
  unsigned numRegisters = 0, numResults = 0;
  /// The result that an input begins as, or -1; of every input.
  std::vector<int> ties;
};

/// What a statement is done by.
InlineStatement::Action findAction(llvm::StringRef opcode);

void runInlineCode(const Site &site, Slot *operands, void *result);

/// One thread's way through the text.
class InlineRun {
public:
  InlineRun(const Site &site, const InlineCode &code);
  void run(Slot *operands, void *result);

  uint64_t value(const InlineOperand &operand) const;
  /// An address's first part, with what is added to it.
  template <typename T = char> T *pointer(const InlineOperand &operand) const {
    return reinterpret_cast<T *>(value(operand.parts.front()));
  }
  /// Of shared memory: in 32 bits or more.
  char *shared(const InlineOperand &operand) const;
  void set(const InlineOperand &operand, uint64_t value);
  void jump(llvm::StringRef label);
  [[noreturn]] void refuse(const InlineStatement &statement);

  const Site &site;

private:
  const InlineCode &code;
  std::vector<uint64_t> registers;
  size_t next = 0;
};

} // namespace weft::emulator

#endif // WEFT_LOWERING_EMULATOR_INLINECODE_H
