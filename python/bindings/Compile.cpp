// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From a module to code: runs pipelines, makes object code and links it.

#include "Compile.h"
#include "Failure.h"
#include "lowering/Cpu.h"
#include "lowering/Gpu.h"
#include "lowering/gpu/EmitPtx.h"
#include "lowering/jit/EmitCode.h"
#include "lowering/jit/Jit.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"
#include <cstdlib>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/unique_ptr.h>
#include <nanobind/stl/vector.h>

namespace nb = nanobind;
using namespace nb::literals;
using namespace mlir;
using weft::Failure;

namespace {

using StepTuple = std::tuple<std::string, double, int64_t, int64_t>;

std::vector<StepTuple> asTuples(const weft::CompileSteps &steps) {
  std::vector<StepTuple> tuples;
  for (const weft::CompileStep &step : steps)
    tuples.emplace_back(step.name, step.milliseconds, step.before, step.after);
  return tuples;
}

//===----------------------------------------------------------------------===//
// Passes
//===----------------------------------------------------------------------===//

/// Records the passes in `steps`, if given.
std::optional<Failure> runPipelineOn(ModuleOp module,
                                     const std::string &pipeline,
                                     weft::CompileSteps *steps) {
  weft::DiagnosticCollector diagnostics(module.getContext());
  PassManager passes(module.getContext());
  StringRef text = StringRef(pipeline).trim();
  StringRef inner = text;
  if (inner.consume_front("builtin.module(") && inner.consume_back(")"))
    text = inner;
  std::string error;
  llvm::raw_string_ostream stream(error);
  if (failed(parsePassPipeline(text, passes, stream)))
    return Failure{"malformed pipeline: " + StringRef(error).trim().str(),
                   diagnostics.reports()};
  // To see after each pass that the module is valid takes as long as the
  // passes.
  passes.enableVerifier(std::getenv("WEFT_VERIFY_EACH") != nullptr);
  if (steps)
    passes.addInstrumentation(std::make_unique<weft::PassRecorder>(*steps));
  if (failed(passes.run(module)) || failed(verify(module)))
    return weft::failureOf(diagnostics.reports(),
                           "a pass failed and did not say why");
  return std::nullopt;
}

void runPipeline(MlirModule module, const std::string &pipeline) {
  weft::runUnlocked(
      [&] { return runPipelineOn(unwrap(module), pipeline, nullptr); });
}

std::vector<StepTuple> measurePipeline(MlirModule module,
                                       const std::string &pipeline) {
  weft::CompileSteps steps;
  weft::runUnlocked(
      [&] { return runPipelineOn(unwrap(module), pipeline, &steps); });
  return asTuples(steps);
}

void verifyModule(MlirModule wrapped) {
  ModuleOp module = unwrap(wrapped);
  weft::runUnlocked([&]() -> std::optional<Failure> {
    weft::DiagnosticCollector diagnostics(module.getContext());
    if (succeeded(verify(module)))
      return std::nullopt;
    return weft::failureOf(diagnostics.reports(), "the module is not valid");
  });
}

using StageTuple = std::tuple<std::string, std::string, std::string>;

std::vector<StageTuple> stageTuples(llvm::ArrayRef<weft::Stage> stages) {
  std::vector<StageTuple> tuples;
  for (const weft::Stage &stage : stages)
    tuples.emplace_back(stage.name.str(), stage.pipeline(), stage.doc.str());
  return tuples;
}

/// The stages for a target: "cpu" or "cuda".
std::vector<StageTuple> stagesOf(const std::string &target) {
  if (target == "cpu")
    return stageTuples(weft::cpuStages());
  if (target == "cuda")
    return stageTuples(weft::gpuStages());
  weft::raise(
      {"there is no target '" + target + "'; they are cpu and cuda", {}});
}

//===----------------------------------------------------------------------===//
// Code
//===----------------------------------------------------------------------===//

std::string llvmIROf(MlirModule module) {
  return weft::makeUnlocked<std::string>(module, weft::translateToLLVMIR);
}

std::string ptxOf(MlirModule module) {
  return weft::makeUnlocked<std::string>(module, weft::emitPtx);
}

std::string planOf(MlirModule module) {
  return weft::makeUnlocked<std::string>(module, weft::emitPlan);
}

std::string assemblyOf(MlirModule module) {
  return weft::makeUnlocked<std::string>(module, weft::emitAssembly);
}

weft::ObjectCode compileObject(MlirModule module, const std::string &entry) {
  return weft::makeUnlocked<weft::ObjectCode>(module, [&](ModuleOp module) {
    return weft::ObjectCode::compile(module, entry);
  });
}

std::pair<weft::ObjectCode, std::vector<StepTuple>>
measureCompile(MlirModule module, const std::string &entry) {
  weft::CompileSteps steps;
  auto object =
      weft::makeUnlocked<weft::ObjectCode>(module, [&](ModuleOp module) {
        return weft::ObjectCode::compile(module, entry, &steps);
      });
  return {std::move(object), asTuples(steps)};
}

std::unique_ptr<weft::Executable> linkObject(const weft::ObjectCode &object) {
  std::unique_ptr<weft::Executable> executable;
  weft::runUnlocked([&]() -> std::optional<Failure> {
    auto linked = weft::Executable::link(object);
    if (!linked)
      return Failure{llvm::toString(linked.takeError()), {}};
    executable = std::move(*linked);
    return std::nullopt;
  });
  return executable;
}

std::unique_ptr<weft::Executable> compileAndLink(MlirModule module,
                                                 const std::string &entry) {
  return linkObject(compileObject(module, entry));
}

void makeObject(weft::ObjectCode *object, std::string entry,
                const std::vector<nb::bytes> &files, size_t pointerCount,
                int64_t arenaBytes, bool mayStop, bool usesKernels,
                bool usesRoutines, bool isShort, std::vector<int64_t> reuses) {
  std::vector<std::string> copies;
  for (const nb::bytes &file : files)
    copies.emplace_back(file.c_str(), file.size());
  new (object)
      weft::ObjectCode{std::move(entry), std::move(copies), pointerCount,
                       arenaBytes,       mayStop,           usesKernels,
                       usesRoutines,     isShort,           std::move(reuses)};
}

std::vector<nb::bytes> filesOf(const weft::ObjectCode &object) {
  std::vector<nb::bytes> files;
  for (const std::string &file : object.files)
    files.emplace_back(file.data(), file.size());
  return files;
}

} // namespace

void weft::defineCompile(nb::module_ &module) {
  nb::class_<ObjectCode>(module, "ObjectCode",
                         "A function in machine code that is not linked yet.")
      .def("__init__", makeObject, "entry"_a, "files"_a, "pointer_count"_a,
           "arena_bytes"_a, "may_stop"_a, "uses_kernels"_a, "uses_routines"_a,
           "is_short"_a, "reuses"_a)
      .def_prop_ro("files", filesOf, "The bytes of object files.")
      .def_ro("entry", &ObjectCode::entry)
      .def_ro("pointer_count", &ObjectCode::pointerCount)
      .def_ro("arena_bytes", &ObjectCode::arenaBytes)
      .def_ro("may_stop", &ObjectCode::mayStop)
      .def_ro("uses_kernels", &ObjectCode::usesKernels)
      .def_ro("uses_routines", &ObjectCode::usesRoutines)
      .def_ro("is_short", &ObjectCode::isShort)
      .def_ro("reuses", &ObjectCode::reuses);

  module.def("run_pipeline", runPipeline, "module"_a, "pipeline"_a,
             "Runs a textual pass pipeline on a module, in place.");
  module.def("measure_pipeline", measurePipeline, "module"_a, "pipeline"_a,
             "run_pipeline, and (pass, ms, ops before, ops after) of each.");
  module.def("verify", verifyModule, "module"_a,
             "Raises Error if the module is not valid.");
  module.def("emit_ptx", ptxOf, "module"_a,
             "The kernels of a module at stage nvvm, in PTX.");
  module.def("emit_plan", planOf, "module"_a,
             "What the host does to run a module at stage nvvm, as JSON.");
  module.def(
      "stages", stagesOf, "target"_a,
      "(name, pipeline, doc) of each stage for a target, cpu or cuda, in "
      "order; the pipeline leads there from the stage before, and is "
      "empty where no pass does.");
  module.def("translate_llvmir", llvmIROf, "module"_a,
             "LLVM IR, not yet optimised, of a module at stage llvm.");
  module.def("emit_asm", assemblyOf, "module"_a,
             "The assembly that would run, of a module at stage llvm.");
  module.def("compile_object", compileObject, "module"_a, "entry"_a,
             "Compiles a function of a module at stage llvm for this CPU.");
  module.def(
      "measure_compile", measureCompile, "module"_a, "entry"_a,
      "compile_object, and (step, ms, before, after) of each of LLVM's steps; "
      "they count ops, instructions and bytes.");
  module.def("link", linkObject, "object"_a,
             "Links object code into this process.");
  module.def("compile", compileAndLink, "module"_a, "entry"_a,
             "compile_object and link.");
}
