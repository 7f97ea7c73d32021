// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The pipeline for NVIDIA GPUs: the stages in their order, what each is for,
// and why its passes stand where they stand. There is no other list of them.

#include "lowering/Gpu.h"

using namespace mlir;

namespace {

// As for the CPU, less what serves caches and vectors: a block of threads reads
// an operand in any layout by its shared memory.
constexpr llvm::StringLiteral fusedPasses = R"(
  inline, symbol-dce,
  func.func(weft-recognize-bfloat16, weft-split-sorts, weft-split-products,
            weft-fuse-elementwise, weft-fuse-epilogues, weft-split-index-sets,
            weft-read-joined, weft-fuse-elementwise, weft-split-reductions,
            canonicalize, cse),
  weft-apply-schedule{stage=fused later=memref})";

// As for the CPU. Rows are grouped before it is settled which buffers share
// bytes.
constexpr llvm::StringLiteral memrefPasses = R"(
  func.func(weft-erase-barriers, weft-lower-foralls), weft-destination-passing,
  one-shot-bufferize{buffer-alignment=64},
  func.func(canonicalize, cse, canonicalize, weft-unroll-loops,
            weft-group-rows),
  weft-apply-schedule{stage=memref},
  func.func(weft-lower-foralls, weft-plan-arena, canonicalize, cse))";

// Copies become ops, so they stand before what makes kernels of those.
constexpr llvm::StringLiteral kernelsPasses = R"(
  func.func(weft-lower-copies), weft-outline-launches, canonicalize, cse)";

// A pass for each class of kernels; what none of them takes, the last does.
// Launches are sized when all kernels have said their sizes.
constexpr llvm::StringLiteral gpuPasses = R"(
  weft-lower-warpgroup-products,
  gpu.module(weft-lower-tiled-products, weft-lower-scans, weft-lower-sorts,
             weft-lower-transposes),
  weft-lower-steps, weft-size-launches, canonicalize, cse)";

// Within the kernels alone: the host's function is read by the plan as it is.
// Functions become arithmetic before upstream would call a library for them.
constexpr llvm::StringLiteral nvvmPasses = R"(
  gpu.module(expand-strided-metadata, lower-affine, canonicalize, cse,
             weft-expand-remainders, convert-scf-to-cf, convert-vector-to-llvm,
             weft-expand-math, expand-strided-metadata, arith-expand,
             weft-convert-kernels, weft-place-tensor-maps, convert-nvvm-to-llvm,
             reconcile-unrealized-casts, canonicalize, cse),
  weft-finish-kernels, weft-place-locations)";

// Ops are lowered to loops by what the device is.
constexpr llvm::StringLiteral expandedPasses =
    "weft-describe-gpu, weft-expand-transforms";

constexpr weft::Stage stages[] = {
    weft::tracedStage,
    {weft::expandedStage.name, weft::expandedStage.doc, expandedPasses,
     weft::expandedStage.legal},
    weft::linalgStage,
    {"fused", "Chains of elementwise ops are one loop nest each.", fusedPasses,
     "func, linalg, tensor, arith, math, complex, scf, affine, weft.barrier, "
     "weft.library_call"},
    {"memref",
     "Tensors are buffers: inputs, results and one arena; rows are grouped.",
     memrefPasses,
     "func, linalg, memref, arith, math, complex, scf, affine, "
     "weft.library_call"},
    {"kernels", "Kernels are functions, which the host launches in order.",
     kernelsPasses,
     "func, gpu, linalg, memref, arith, math, complex, scf, affine, "
     "weft.library_call"},
    {"gpu", "Kernels are the code of one thread.", gpuPasses,
     "func, gpu, nvgpu, nvvm, llvm, memref, vector, arith, math, complex, scf, "
     "affine, cf, weft.library_call"},
    {"nvvm", "Kernels are blocks, branches, pointers and NVIDIA's intrinsics.",
     nvvmPasses,
     "func, gpu, nvvm, llvm, memref, arith, scf, weft.library_call"},
    {"plan", "What the host does: buffers, launches, loops.", "", ""},
    {"ptx", "The kernels in NVIDIA's assembly.", "", ""},
};

} // namespace

ArrayRef<weft::Stage> weft::gpuStages() { return stages; }

void weft::registerGpuPipelines() {
  registerStages("cuda", "weft-to-gpu-",
                 "All stages for NVIDIA GPUs, from weft to nvvm.", gpuStages());
}
