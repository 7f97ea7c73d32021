// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The CPU pipeline: the stages in their order, what each is for, and why its
// passes stand where they stand. There is no other list of them.

#include "lowering/Cpu.h"

using namespace mlir;

namespace {

// The inliner stands first: whatever follows sees whole programs and no calls.
// What joined arrays are split into fuses with what computes the parts.
// Clean-up follows fusion, which leaves empty tensors and equal constants.
constexpr llvm::StringLiteral fusedPasses = R"(
  inline, symbol-dce, weft-describe-machine,
  func.func(weft-transpose-sums, weft-pack-contractions,
            weft-hoist-invariants, weft-fuse-elementwise,
            weft-fuse-epilogues, weft-split-index-sets,
            weft-fuse-elementwise, weft-copy-margins,
            weft-split-reductions, canonicalize, cse),
  weft-apply-schedule{stage=fused later=memref,loops})";

// Barriers go when all that they keep apart has been through its last clean-up
// as tensors. Destinations must be in the text before bufferization decides
// what is copied. Loops are unrolled over buffers: their bodies work in place
// by then. Blocks and rows are grouped before it is settled which buffers share
// bytes, blocks first: within them, rows are grouped too. Sums
// that are left and converted need no room of their own, which is settled
// before. Loops are merged when nothing else is grouped by them. The arena is
// planned when clean-up has left only the buffers that are needed, and a second
// canonicalization removes the copies that CSE showed to be of a buffer to
// itself.
constexpr llvm::StringLiteral memrefPasses = R"(
  func.func(weft-erase-barriers, weft-lower-foralls), weft-destination-passing,
  one-shot-bufferize{buffer-alignment=64},
  func.func(canonicalize, cse, canonicalize, weft-unroll-loops,
            weft-pad-blocks, weft-group-blocks, weft-group-rows,
            weft-merge-loops, weft-jam-rows, weft-share-updates),
  weft-apply-schedule{stage=memref later=loops},
  func.func(weft-lower-foralls, weft-block-sums, weft-plan-arena, canonicalize,
            cse, weft-mark-short))";

// Copies become linalg ops, so they stand before what is done to those. What is
// a kernel's loop is decided op by op: sums of products first, in the
// CPU's matrix tiles if it has such, then whatever is
// walked through in steps of fixed size, then the rest. A kernel is shared
// among threads when its outermost loop is known.
constexpr llvm::StringLiteral loopsPasses = R"(
  func.func(weft-lower-copies), weft-outline-kernels,
  func.func(weft-lower-vectors, weft-lower-matrix-tiles, weft-lower-contractions,
            weft-lower-loops, convert-linalg-to-loops),
  weft-share-kernels, func.func(canonicalize, cse),
  weft-apply-schedule{stage=loops})";

// Loops look for signals while they are loops. Libraries are called with
// plain pointers, computed by ops of memref. Affine maps are in loops and
// strided views alike: lower-affine follows both. Loops of one iteration go
// before they become blocks. Functions become arithmetic where we have
// written it. For the others libm is called, of which LLVM lacks some,
// before convert-math-to-llvm would replace those by something worse. Tapes
// are allocated by functions that the JIT provides, which can fail.
// Functions come last, so that bare pointers are known to be enough.
constexpr llvm::StringLiteral llvmPasses = R"(
  weft-poll-signals, weft-lower-library-calls,
  expand-strided-metadata, lower-affine,
  func.func(canonicalize, cse),
  convert-scf-to-cf, convert-vector-to-llvm, convert-ub-to-llvm,
  weft-expand-math, weft-lower-math, convert-math-to-llvm,
  expand-strided-metadata, convert-complex-to-llvm,
  arith-expand, convert-arith-to-llvm, convert-index-to-llvm,
  weft-lower-branches, finalize-memref-to-llvm{use-generic-functions=1},
  convert-func-to-llvm{use-bare-ptr-memref-call-conv=1},
  reconcile-unrealized-casts, weft-move-as-integers, canonicalize, cse,
  weft-call-in-parallel, weft-wrap-entries, weft-place-locations,
  ensure-debug-info-scope-on-llvm-func)";

constexpr weft::Stage stages[] = {
    weft::tracedStage,
    weft::expandedStage,
    weft::linalgStage,
    {"fused",
     "Chains of elementwise ops are one loop nest each; operands are packed.",
     fusedPasses,
     "func, linalg, tensor, arith, math, complex, scf, affine, vector, ub, "
     "bufferization.alloc_tensor, bufferization.materialize_in_destination, "
     "weft.barrier, weft.library_call"},
    {"memref",
     "Tensors are buffers: inputs, results and one arena; rows are grouped.",
     memrefPasses,
     "func, linalg, memref, arith, math, complex, scf, affine, vector, ub, "
     "weft.library_call"},
    {"loops", "Each kernel is a function of loops, elements and vectors.",
     loopsPasses,
     "func, memref, vector, amx, arith, math, complex, scf, affine, cf, ub, "
     "llvm.call_intrinsic, weft.library_call"},
    {"llvm", "Blocks, branches and pointers, with one C entry point.",
     llvmPasses, "llvm"},
    {"llvmir", "LLVM IR.", "", ""},
    {"asm", "The assembly that runs.", "", ""},
};

} // namespace

ArrayRef<weft::Stage> weft::cpuStages() { return stages; }

void weft::registerCpuPipelines() {
  registerStages("cpu", "weft-to-",
                 "All stages for the CPU, from weft to llvm.", cpuStages());
}
