// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lowering/Stages.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;

std::string weft::Stage::pipeline() const {
  if (passes.empty())
    return "";
  std::string text = "weft-check-types, ";
  // One line, as a command line wants it.
  SmallVector<StringRef> lines;
  StringRef(passes).split(lines, "\n", -1, /*KeepEmpty=*/false);
  for (StringRef line : lines)
    text += line.trim().str() + " ";
  SmallVector<StringRef> dialects;
  StringRef(legal).split(dialects, ", ");
  return text + ", weft-check-stage{stage=" + name.str() +
         " legal=" + llvm::join(dialects, ",") + "}";
}

/// Registers a pipeline of stages, each from the one before it.
static void registerPipeline(StringRef name, StringRef doc,
                             ArrayRef<weft::Stage> stages) {
  registerPassPipeline(
      name, doc,
      [stages](OpPassManager &passes, StringRef,
               function_ref<LogicalResult(const Twine &)> onError) {
        for (const weft::Stage &stage : stages)
          if (!stage.passes.empty() &&
              failed(parsePassPipeline(stage.pipeline(), passes)))
            return onError("malformed pipeline of stage " + stage.name);
        return success();
      },
      [](function_ref<void(const detail::PassOptions &)>) {});
}

void weft::registerStages(StringRef target, StringRef prefix, StringRef doc,
                          ArrayRef<Stage> stages) {
  for (const Stage &stage : stages)
    if (!stage.passes.empty())
      registerPipeline((prefix + stage.name).str(), stage.doc, stage);
  registerPipeline(("weft-" + target).str(), doc, stages);
}
