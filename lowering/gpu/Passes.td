// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The passes that take a program on buffers to kernels for NVIDIA GPUs. In which
// order, and why, is Gpu.cpp's to say.

#ifndef WEFT_LOWERING_GPU_PASSES_TD
#define WEFT_LOWERING_GPU_PASSES_TD

include "mlir/Pass/PassBase.td"

def DescribeGpu : Pass<"weft-describe-gpu", "::mlir::ModuleOp"> {
  let summary = "States the GPU that code is made for";
  let description = [{
    Adds `weft.gpu` to a module that has none, and, for the passes that serve
    CPUs too, a `weft.machine` that describes it in their terms.

    ```mlir
    module attributes {weft.gpu = {block_work = 32768 : i64, chip = "sm_90a",
      multiprocessors = 132 : i64, shared_bytes = 232448 : i64}}
    ```
  }];
  let options = [
    Option<"chip", "chip", "std::string", "\"sm_90a\"",
           "The GPU, as ptxas names it">
  ];
}

def RecognizeBfloat16 : Pass<"weft-recognize-bfloat16", "::mlir::func::FuncOp"> {
  let summary = "Uses instructions that convert bfloat16";
  let description = [{
    For CPUs, which lack them or flush subnormal numbers, conversions are spelled
    in the bits of integers.

    ```mlir
    %1 = arith.extui %bits : i16 to i32
    %2 = arith.shli %1, %c16 : i32
    %3 = arith.bitcast %2 : i32 to f32
    ```
    becomes
    ```mlir
    %1 = arith.bitcast %bits : i16 to bf16
    %3 = arith.extf %1 : bf16 to f32
    ```
    and what rounds an f32 to the nearest bfloat16 becomes `arith.truncf`.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect"];
}

def OutlineLaunches : Pass<"weft-outline-launches", "::mlir::ModuleOp"> {
  let summary = "Makes kernels of a program, and a host function that launches "
                "them";
  let description = [{
    An op that is large, or a loop over rows, is a kernel of its own. What is
    small is done by one block together with what stands beside it, loops and
    branches too, so that a small program is one kernel. A fill of what a reduction
    is reduced into is in its kernel, which begins with the number.

    ```mlir
    linalg.generic ... ins(%x) outs(%y)
    ```
    becomes
    ```mlir
    gpu.launch_func @kernels::@f_kernel blocks in (%c1, %c1, %c1)
        threads in (%c1, %c1, %c1) args(%x : memref<4xf32>, %y : memref<4xf32>)
    gpu.module @kernels {
      gpu.func @f_kernel(%x: memref<4xf32>, %y: memref<4xf32>) kernel
          attributes {weft.class = "elementwise"} {
        linalg.generic ... ins(%x) outs(%y)
        gpu.return
      }
    }
    ```
    How many blocks and threads there are, the kernel says once it is lowered.
    A number that one kernel leaves to others (`weft.slot`), or that the host
    reads to decide about a loop (`weft.host`), has a place at the end of the
    arena.
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::gpu::GPUDialect",
    "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect"
  ];
}

def LowerWarpgroupProducts
    : Pass<"weft-lower-warpgroup-products", "::mlir::ModuleOp"> {
  let summary = "Multiplies 16-bit floats in Hopper's warpgroups";
  let description = [{
    A kernel of class "product" for an sm_90a chip whose factors are bf16 or f16,
    or f32 that may be rounded to tf32 and consecutive in what is summed over,
    and whose sums are f32 becomes persistent: each block computes one tile after
    another. One warpgroup has the copy engine bring the factors into a ring of
    stages in shared memory, two others multiply and do the epilogue in their
    registers. Where there are few tiles, the blocks of a cluster share what
    each sums over, and add it in a fixed order. A result of 16-bit elements is stored by the copy engine. What
    has another form is left alone, and so is what the engine cannot walk
    through: lines of which the length is no multiple of 16 bytes.

    The tensor maps are parameters after the others. A launch passes, for each,
    the pointer of the buffer that the map is of.

    ```mlir
    gpu.func @f(%a: memref<256x64xbf16>, ...) kernel
        attributes {weft.class = "product"} {
      linalg.fill ...
      linalg.generic ...
    }
    gpu.launch_func @kernels::@f ... args(%x : memref<256x64xbf16>, ...)
    ```
    becomes
    ```mlir
    gpu.func @f(%a: memref<256x64xbf16>, ...,
        %map: !llvm.ptr {llvm.byval = ..., llvm.align = 64,
          weft.tensor_map = {dims = array<i64: 64, 256>, ...}}, ...) kernel
        attributes {known_block_size = array<i32: 384, 1, 1>, ...} {
      scf.if %copies { ... } else { ... nvvm.wgmma.mma_async ... }
    }
    %i = memref.extract_aligned_pointer_as_index %x
    %p = llvm.inttoptr ...
    gpu.launch_func @kernels::@f ... args(%x, ..., %p : !llvm.ptr, ...)
    ```
  }];
  let options = [
    Option<"rows", "rows", "int64_t", "0", "Rows of a tile; 0 to choose">,
    Option<"columns", "columns", "int64_t", "0", "Columns of a tile">,
    Option<"stages", "stages", "int64_t", "0", "Stages of the ring">,
    Option<"raster", "raster", "int64_t", "0",
           "Rows of tiles that are gone through together">,
    Option<"splits", "splits", "int64_t", "0",
           "Blocks that share what a tile sums over">,
    Option<"neighbours", "neighbours", "int64_t", "0",
           "Blocks that copy the same columns to each other">,
    Option<"copyResults", "copy-results", "bool", "true",
           "Whether the copy engine stores results">
  ];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::gpu::GPUDialect",
    "::mlir::LLVM::LLVMDialect", "::mlir::NVVM::NVVMDialect",
    "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect"
  ];
}

def LowerSteps : Pass<"weft-lower-steps", "::mlir::ModuleOp"> {
  let summary = "Has the threads of each kernel share the elements of its ops";
  let description = [{
    ```mlir
    gpu.func @f_kernel(%x: memref<1024xf32>, %y: memref<1024xf32>) kernel
        attributes {weft.class = "elementwise"} {
      linalg.generic ... ins(%x) outs(%y)
    ```
    becomes
    ```mlir
    gpu.func @f_kernel(%x: memref<1024xf32>, %y: memref<1024xf32>) kernel
        attributes {known_block_size = array<i32: 256, 1, 1>,
                    known_grid_size = array<i32: 1, 1, 1>, ...} {
      %t = gpu.thread_id x
      ... four elements a thread ...
    ```
    Within a block, ops follow each other with barriers between them; a loop
    that only computes is left to one thread, unless its steps may run at once;
    all threads follow every other loop and branch. What is reduced in a free
    order is shared among threads, which combine what they have in shared
    memory, in an order that is always the same; each reads 16 bytes at once, of a
    result or of several side by side. Of a loop over rows whose ops
    all walk through one row, each thread keeps the same elements of all of the
    row's values in registers, and lanes of a warp exchange what they reduced.
  }];
  let dependentDialects = [
    "::mlir::affine::AffineDialect", "::mlir::arith::ArithDialect",
    "::mlir::complex::ComplexDialect", "::mlir::gpu::GPUDialect",
    "::mlir::memref::MemRefDialect", "::mlir::NVVM::NVVMDialect",
    "::mlir::scf::SCFDialect", "::mlir::vector::VectorDialect"
  ];
}

def SizeLaunches : Pass<"weft-size-launches", "::mlir::ModuleOp"> {
  let summary = "Launches each kernel with the blocks and threads that it states";
  let description = [{
    ```mlir
    gpu.launch_func @kernels::@f_kernel blocks in (%c1, %c1, %c1)
        threads in (%c1, %c1, %c1) args(...)
    ```
    becomes, by `known_grid_size`, `known_block_size` and `weft.shared_bytes`,
    ```mlir
    gpu.launch_func @kernels::@f_kernel blocks in (%c64, %c1, %c1)
        threads in (%c256, %c1, %c1) dynamic_shared_memory_size %c4096 args(...)
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect"];
}

def ExpandRemainders : Pass<"weft-expand-remainders"> {
  let summary = "Computes remainders of floats by integer arithmetic";
  let description = [{
    Exactly, for all arguments, as C's `fmod`.

    ```mlir
    %1 = arith.remf %x, %y : f32
    ```
    becomes
    ```mlir
    %1 = func.call @weft_fmod_f32(%x, %y) : (f32, f32) -> f32
    ```
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::func::FuncDialect",
    "::mlir::math::MathDialect", "::mlir::scf::SCFDialect"
  ];
}

def ConvertKernels : Pass<"weft-convert-kernels", "::mlir::gpu::GPUModuleOp"> {
  let summary = "Converts kernels to LLVM and NVIDIA's intrinsics";
  let description = [{
    As upstream's `convert-gpu-to-nvvm`, with bare pointers, and without a
    library of functions that would have to be linked.

    ```mlir
    gpu.func @f_kernel(%x: memref<4xf32>) kernel { %t = gpu.thread_id x ... }
    ```
    becomes
    ```mlir
    llvm.func @f_kernel(%x: !llvm.ptr) attributes {nvvm.kernel} {
      %t = nvvm.read.ptx.sreg.tid.x : i32
    ```
  }];
  let dependentDialects = [
    "::mlir::LLVM::LLVMDialect", "::mlir::NVVM::NVVMDialect"
  ];
}

def FinishKernels : Pass<"weft-finish-kernels", "::mlir::ModuleOp"> {
  let summary = "Tells LLVM what it can rely on in kernels";
  let description = [{
    Buffers are aligned to 16 bytes at least, and where a kernel has no barrier
    no two of its arguments overlap. Dynamic shared memory is one external
    array.

    ```mlir
    llvm.func @f_kernel(%x: !llvm.ptr)
    ```
    becomes
    ```mlir
    llvm.func @f_kernel(%x: !llvm.ptr {llvm.align = 16 : i64, llvm.noalias})
    ```
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect"];
}

def LowerTiledProducts : Pass<"weft-lower-tiled-products",
                              "::mlir::gpu::GPUModuleOp"> {
  let summary = "Computes sums of products on a GPU in tiles of threads";
  let description = [{
    The loops of a product are those of its rows (in the first factor and the
    result), its columns (in the second one and the result), its batch (in all
    three) and its sum; each group is one long loop, so that a convolution is a
    matrix product whose factors lie in memory in a peculiar way. A block of
    threads computes a tile of the result: both factors pass by in shared
    memory, and each thread, or each warp by `mma.sync`, keeps its part of the
    sums in registers, where the epilogue finds them. Vectors and thin matrices
    are left to lanes that share a sum, and what has no tiles to threads that
    compute an element each.

    ```mlir
    gpu.func @f(%a: memref<64x32xf32>, ...) kernel attributes {weft.class = "product"} {
      linalg.fill ins(%zero) outs(%c)
      linalg.generic ... ins(%a, %b) outs(%c) { s + a * b }
    ```
    becomes
    ```mlir
    gpu.func @f(...) kernel attributes {known_block_size = array<i32: 256, 1, 1>,
                                        known_grid_size = array<i32: 4, 1, 1>} {
      scf.for ... iter_args(%sums...) { gpu.barrier ... llvm.intr.fma }
      llvm.store
    ```
  }];
  let dependentDialects = [
    "::mlir::affine::AffineDialect", "::mlir::arith::ArithDialect",
    "::mlir::LLVM::LLVMDialect", "::mlir::memref::MemRefDialect",
    "::mlir::NVVM::NVVMDialect", "::mlir::scf::SCFDialect"
  ];
}

def SplitSorts : Pass<"weft-split-sorts", "::mlir::func::FuncOp"> {
  let summary = "Sorts rows in steps that a GPU does";
  let description = [{
    Blocks sort tiles of rows, then launch by launch two runs each are merged,
    until a row is one run. Stands before buffers are placed: what a step leaves
    to the next has room in the arena.

    ```mlir
    %y = weft.library_call "sort_f32" [1, 4000, 0] (%x) into(%e)
    ```
    becomes
    ```mlir
    %runs = weft.library_call "sort_tiles_f32" [1, 4000, 0, 2304] (%x) into(%empty)
    %y = weft.library_call "merge_f32" [1, 4000, 0, 2304] (%runs) into(%e)
    ```
    Where an order is asked for, places go along with the elements, and the last
    step writes them alone.
  }];
  let dependentDialects = ["::mlir::tensor::TensorDialect"];
}

def LowerSorts : Pass<"weft-lower-sorts", "::mlir::gpu::GPUModuleOp"> {
  let summary = "Has threads sort and merge runs of elements";
  let description = [{
    A thread sorts a few elements in registers; then teams of twice as many
    threads each time merge their elements in shared memory. Of two runs in the
    device's memory, each block merges a tile: it finds by bisection which
    elements of both are in it. The order is that of the kernels of the CPU, and
    elements that are equal in it stay as they are.

    ```mlir
    gpu.func @f(%x: memref<8x1000xf32>, %y: memref<8x1000xf32>) kernel
        attributes {weft.class = "sort"} {
      weft.library_call "sort_tiles_f32" [8, 1000, 0, 2304] (%x) into(%y)
    ```
    becomes
    ```mlir
    gpu.func @f(...) kernel attributes {known_block_size = array<i32: 256, 1, 1>,
                                        known_grid_size = array<i32: 4, 1, 1>} {
      llvm.load ... arith.cmpf ult ... gpu.barrier
      scf.for ... { scf.while ... gpu.barrier }
      llvm.store
    ```
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::LLVM::LLVMDialect",
    "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect"
  ];
}

def LowerScans : Pass<"weft-lower-scans", "::mlir::gpu::GPUModuleOp"> {
  let summary = "Has threads compute running values of tiles of rows";
  let description = [{
    A thread walks along a few elements in registers, lanes of a warp exchange
    what theirs come to, and warps leave it in shared memory. Neighbours are
    always combined in the same way, so results do not depend on a run. A tile
    begins with what the tiles before it come to, which steps before it have
    computed.

    ```mlir
    gpu.func @f(%x: memref<5000xf32>, %before: memref<1x2xf32>, %y: memref<5000xf32>)
        kernel attributes {weft.class = "scan"} {
      weft.library_call "scan_tiles_cumsum_f32" [1, 5000, 1, 0] (%x, %before) into(%y)
    ```
    becomes
    ```mlir
    gpu.func @f(...) kernel attributes {known_block_size = array<i32: 256, 1, 1>,
                                        known_grid_size = array<i32: 3, 1, 1>} {
      llvm.load ... gpu.barrier
      arith.addf ... nvvm.shfl.sync up ... gpu.barrier
      llvm.store
    ```
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::complex::ComplexDialect",
    "::mlir::LLVM::LLVMDialect", "::mlir::math::MathDialect",
    "::mlir::memref::MemRefDialect", "::mlir::NVVM::NVVMDialect",
    "::mlir::scf::SCFDialect"
  ];
}

def LowerTransposes : Pass<"weft-lower-transposes", "::mlir::gpu::GPUModuleOp"> {
  let summary = "Has blocks turn tiles of what is read across its lines";
  let description = [{
    An elementwise op whose operands are not all consecutive along one loop, as
    a transposition is, would read or write one element of a line of memory at a
    time. Each block takes a tile of two loops: it reads what lies across into
    shared memory, along its own lines, and computes along the result's. Lines
    of a tile are an odd number of words apart, so that neither way do threads
    meet in a bank.

    ```mlir
    gpu.func @f(%x: memref<640x480xf32>, %y: memref<480x640xf32>) kernel
        attributes {weft.class = "elementwise"} {
      linalg.generic ... ins(%x) outs(%y) // (i, j) -> (j, i)
    ```
    becomes
    ```mlir
    gpu.func @f(...) kernel attributes {known_block_size = array<i32: 256, 1, 1>,
                                        known_grid_size = array<i32: 300, 1, 1>} {
      memref.load %x ... memref.store ... #gpu.address_space<workgroup>>
      gpu.barrier
      memref.load ... #gpu.address_space<workgroup>> ... memref.store %y
    ```
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::gpu::GPUDialect",
    "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect",
    "::mlir::vector::VectorDialect"
  ];
}

def PlaceTensorMaps : Pass<"weft-place-tensor-maps"> {
  let summary = "Passes tensor maps to kernels by value";
  let description = [{
    The conversion of kernels to LLVM functions drops what their parameters
    carry. The last parameters are tensor maps again: the copy engine reads
    them where the launch has put them.

    ```mlir
    llvm.func @f(%a: !llvm.ptr, %map: !llvm.ptr)
        attributes {weft.tensor_maps = ...}
    ```
    becomes
    ```mlir
    llvm.func @f(%a: !llvm.ptr, %map: !llvm.ptr {llvm.align = 64,
        llvm.byval = !llvm.array<128 x i8>, nvvm.grid_constant,
        weft.tensor_map = ...}) attributes {...}
    ```
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect",
                           "::mlir::NVVM::NVVMDialect"];
}

def SplitProducts : Pass<"weft-split-products", "::mlir::func::FuncOp"> {
  let summary = "Sums products up in parts where a GPU has room for more blocks";
  let description = [{
    A small result of long sums, such as the gradient of a convolution's window,
    has few tiles. How many parts there are follows from the shapes and from the
    device that the module states, so results do not depend on a run. Stands
    before fusion: what follows the product is then fused with the addition of
    the parts.

    ```mlir
    linalg.generic ... ins(%a, %b : tensor<64x65536xf32>, tensor<65536x64xf32>) outs(%zeros : tensor<64x64xf32>) { s + a * b }
    ```
    becomes
    ```mlir
    %x = tensor.expand_shape %a [[0], [1, 2]] : ... into tensor<64x32x2048xf32>
    %y = tensor.expand_shape %b [[0, 1], [2]] : ... into tensor<32x2048x64xf32>
    %parts = linalg.generic ... ins(%x, %y) outs(%more_zeros : tensor<32x64x64xf32>) { s + a * b }
    linalg.generic ... ins(%parts) outs(%zeros : tensor<64x64xf32>) { add }
    ```
  }];
  let dependentDialects = [
    "::mlir::linalg::LinalgDialect", "::mlir::tensor::TensorDialect"
  ];
}

#endif // WEFT_LOWERING_GPU_PASSES_TD
