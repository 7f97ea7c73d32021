// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The parser of inline PTX: statements, labels and predicates, no declarations.

#include "lowering/emulator/InlineCode.h"
#include "lowering/emulator/Block.h"
#include "lowering/emulator/Handlers.h"
#include "llvm/ADT/StringExtras.h"

using namespace weft::emulator;
using llvm::StringRef;

//===----------------------------------------------------------------------===//
// Text
//===----------------------------------------------------------------------===//

namespace {

bool isWordLetter(char letter) {
  return llvm::isAlnum(letter) || letter == '_' || letter == '$' ||
         letter == '%' || letter == '.' || letter == ':';
}

class Parser {
public:
  Parser(StringRef text, InlineCode &code, unsigned numBound)
      : rest(text), code(code), numBound(numBound) {
    code.numRegisters = numBound;
  }

  void run() {
    for (skip(); !rest.empty(); skip()) {
      if (rest.consume_front("{") || rest.consume_front("}") ||
          rest.consume_front(";"))
        continue;
      if (startsLabel())
        continue;
      auto [statement, after] = rest.split(';');
      rest = after;
      parseStatement(statement);
    }
  }

private:
  void skip() {
    for (;;) {
      rest = rest.ltrim();
      if (!rest.starts_with("//"))
        return;
      rest = rest.drop_until([](char letter) { return letter == '\n'; });
    }
  }

  /// "name:", but not the "::" of an opcode.
  bool startsLabel() {
    size_t end = rest.find_if_not([](char letter) {
      return llvm::isAlnum(letter) || letter == '_' || letter == '$' ||
             letter == '%';
    });
    if (end == 0 || end == StringRef::npos || rest[end] != ':' ||
        rest.substr(end + 1).starts_with(":"))
      return false;
    code.labels[rest.take_front(end)] = code.statements.size();
    rest = rest.drop_front(end + 1);
    return true;
  }

  void parseStatement(StringRef text) {
    text = text.trim();
    if (text.empty())
      return;
    line = text;
    InlineStatement statement;
    if (line.consume_front("@")) {
      bool isNegated = line.consume_front("!");
      statement.predicate.push_back(parseRegister(takeWord()));
      statement.predicate.back().isNegated = isNegated;
      line = line.ltrim();
    }
    statement.opcode = takeWord().str();
    if (StringRef(statement.opcode).starts_with(".reg"))
      return;
    if (StringRef(statement.opcode).starts_with("bra"))
      statement.label = line.trim().str();
    else
      statement.operands = parseList('\0');
    statement.action = findAction(statement.opcode);
    statement.site.name = statement.opcode;
    statement.site.numbers = numbersIn(statement.opcode);
    code.statements.push_back(std::move(statement));
  }

  StringRef takeWord() {
    line = line.ltrim();
    StringRef word = line.take_while(isWordLetter);
    // "${3:n}" is "$3" in another form.
    if (word == "$" && line.starts_with("${")) {
      size_t end = line.find('}');
      word = line.substr(2, end - 2).split(':').first;
      line = line.substr(end == StringRef::npos ? line.size() : end + 1);
      return word;
    }
    line = line.drop_front(word.size());
    return word;
  }

  std::vector<InlineOperand> parseList(char end) {
    std::vector<InlineOperand> operands;
    for (;;) {
      line = line.ltrim();
      if (line.empty())
        return operands;
      if (end && line.front() == end) {
        line = line.drop_front();
        return operands;
      }
      if (line.consume_front(",") || line.consume_front("|"))
        continue;
      operands.push_back(parseOperand());
    }
  }

  InlineOperand parseOperand() {
    InlineOperand operand;
    if (line.consume_front("[")) {
      operand.kind = InlineOperand::Kind::Address;
      operand.parts = parseList(']');
      return operand;
    }
    if (line.starts_with("{") && !line.starts_with("${")) {
      line = line.drop_front();
      operand.kind = InlineOperand::Kind::Group;
      operand.parts = parseList('}');
      return operand;
    }
    bool isNegated = line.consume_front("!");
    bool isMinus = line.consume_front("-");
    bool isBound = line.starts_with("${");
    StringRef word = takeWord();
    if (word.empty()) {
      line = line.drop_front(); // a sign of its own: "a + 4"
      return parseOperand();
    }
    operand = isBound ? boundAt(word) : parseWord(word);
    operand.isNegated = isNegated;
    if (isMinus)
      operand.number = -operand.number;
    // What is added to an address.
    line = line.ltrim();
    if (operand.kind == InlineOperand::Kind::Register &&
        line.consume_front("+"))
      operand.number = parseWord(takeWord()).number;
    return operand;
  }

  InlineOperand boundAt(StringRef number) {
    InlineOperand operand;
    operand.kind = InlineOperand::Kind::Register;
    if (number.getAsInteger(10, operand.index) || operand.index >= numBound)
      operand.index = 0;
    return operand;
  }

  InlineOperand parseWord(StringRef word) {
    StringRef digits = word;
    if (digits.consume_front("$"))
      return boundAt(digits);
    InlineOperand operand;
    if (digits.consume_front("0f") || digits.consume_front("0F") ||
        digits.consume_front("0d")) {
      uint64_t bits;
      if (!digits.getAsInteger(16, bits)) {
        operand.number = bits;
        return operand;
      }
    }
    // Unsigned numbers end with a letter.
    StringRef plain = word;
    plain.consume_back("U");
    if (!plain.getAsInteger(0, operand.number))
      return operand;
    return parseRegister(word);
  }

  InlineOperand parseRegister(StringRef word) {
    if (word.starts_with("$"))
      return parseWord(word);
    auto [found, isNew] = registers.try_emplace(word, code.numRegisters);
    if (isNew)
      ++code.numRegisters;
    InlineOperand operand;
    operand.kind = InlineOperand::Kind::Register;
    operand.index = found->second;
    return operand;
  }

  StringRef rest, line;
  InlineCode &code;
  unsigned numBound;
  llvm::StringMap<unsigned> registers;
};

} // namespace

InlineCode::InlineCode(StringRef text, StringRef constraints) {
  llvm::SmallVector<StringRef> parts;
  constraints.split(parts, ',', -1, false);
  unsigned numBound = 0;
  for (StringRef part : parts) {
    if (part.starts_with("~"))
      continue;
    ++numBound;
    if (part.starts_with("=") || part.starts_with("+")) {
      ++numResults;
      continue;
    }
    int tie = -1;
    if (part.getAsInteger(10, tie))
      tie = -1;
    ties.push_back(tie);
  }
  Parser(text, *this, numBound).run();
}

void InlineCode::setPlace(const Site &site) {
  for (InlineStatement &statement : statements) {
    statement.site.index = site.index;
    statement.site.place = site.place;
  }
}

std::string InlineCode::name() const {
  std::string longest = "inline PTX";
  bool isFirst = true;
  for (const InlineStatement &statement : statements)
    if (isFirst || statement.opcode.size() > longest.size()) {
      longest = statement.opcode;
      isFirst = false;
    }
  return longest;
}
