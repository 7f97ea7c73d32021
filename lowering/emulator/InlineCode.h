// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// PTX that stands in the program as text.

#ifndef WEFT_LOWERING_EMULATOR_INLINECODE_H
#define WEFT_LOWERING_EMULATOR_INLINECODE_H

#include "lowering/emulator/Program.h"
#include "llvm/ADT/StringRef.h"

namespace weft::emulator {

/// One operand: what a constraint binds, a register of the text itself, a
/// number, an address, or several in braces.
struct InlineOperand {
  enum class Kind { Bound, Register, Number, Group } kind = Kind::Number;
  /// Which operand of the constraints or which register.
  unsigned index = 0;
  int64_t number = 0;
  bool isAddress = false, isNegated = false;
  /// What is added to an address.
  int64_t offset = 0;
  std::vector<InlineOperand> parts;
};

struct InlineStatement {
  std::string opcode;
  /// The register that says whether it is done, or -1.
  int predicate = -1;
  bool isNegated = false;
  InlineOperand predicateOperand;
  std::vector<InlineOperand> operands;
  /// Where a branch leads.
  std::string label;
  size_t target = 0;
  Handler handler = nullptr;
};

class InlineCode {
public:
  InlineCode(llvm::StringRef text, llvm::StringRef constraints);

  /// That of the instruction that matters.
  std::string name() const;

  std::vector<InlineStatement> statements;
  /// The letter of each bound operand, results first.
  std::vector<char> constraints;
  unsigned numResults = 0, numRegisters = 0;
  /// Why it cannot be run, or nothing.
  std::string error;

private:
  friend class InlineParser;
};

void runInlineCode(const Site &site, Slot *operands, void *result);

} // namespace weft::emulator

#endif // WEFT_LOWERING_EMULATOR_INLINECODE_H
