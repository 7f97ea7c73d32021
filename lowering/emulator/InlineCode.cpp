#include "lowering/emulator/InlineCode.h"
#include "lowering/emulator/Runtime.h"
using namespace weft::emulator;
InlineCode::InlineCode(llvm::StringRef text, llvm::StringRef) : error(text) {}
std::string InlineCode::name() const { return error; }
void weft::emulator::runInlineCode(const Site &site, Slot *o, void *r) {
  failUnknown(site, o, r);
}
