// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The passes that take a program from weft ops on tensors to LLVM on pointers.
// In which order, and why, is Cpu.cpp's to say.

#ifndef WEFT_LOWERING_PASSES_TD
#define WEFT_LOWERING_PASSES_TD

include "mlir/Pass/PassBase.td"
include "lowering/gpu/Passes.td"

def LowerToLinalg : Pass<"weft-lower-to-linalg", "::mlir::ModuleOp"> {
  let summary = "Rewrites weft ops as linalg.generic and tensor ops";
  let description = [{
    Bool tensors become `i8` holding 0 or 1, unsigned ones lose their sign;
    `i1` lives on only inside the bodies.

    ```mlir
    %0 = weft.sin %x : tensor<4xf32>
    ```
    becomes
    ```mlir
    %e = tensor.empty() : tensor<4xf32>
    %0 = linalg.generic {indexing_maps = [#id, #id],
                         iterator_types = ["parallel"]}
        ins(%x : tensor<4xf32>) outs(%e : tensor<4xf32>) {
    ^bb0(%in: f32, %out: f32):
      %s = math.sin %in : f32
      linalg.yield %s : f32
    } -> tensor<4xf32>
    ```
    On CPUs a convolution whose window has one place, or moves to one place, is a
    product of matrices, and others are computed of arrays whose channels come last
    where these fill vectors better than the places of a row do.

    A scatter is a loop over its updates. Where the module states a GPU, it is
    such a loop for each column that no index chooses, or the updates are sorted
    by their places first, and each element of the result takes its own:

    ```mlir
    %0 = weft.scatter_add %x, %y[%i] dims [0] collapsed [0] batch []
    ```
    becomes
    ```mlir
    %keys = linalg.generic ins(%i) { where each goes }
    %sorted, %order = weft.library_call "argsort_i32" [1, 5000, 0] (%keys)
    %begins = linalg.generic { how many of %sorted are less than each place }
    %0 = linalg.generic ins(%x) {
      scf.for %k = %begin to %end iter_args(%sum = %in) { %sum + %y[%order[%k]] }
    }
    ```
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::complex::ComplexDialect",
    "::mlir::func::FuncDialect",
    "::mlir::linalg::LinalgDialect", "::mlir::math::MathDialect",
    "::mlir::scf::SCFDialect", "::mlir::tensor::TensorDialect"
  ];
}

def ApplySchedule : Pass<"weft-apply-schedule", "::mlir::ModuleOp"> {
  let summary = "Runs what a program's schedule has for a stage";
  let description = [{
    A schedule is a module within the program's, of sequences in the transform
    dialect. The one that is named for the stage is run, with the program as its
    argument, and then taken out. The schedule goes with the last stage
    for which it may have one. `--weft-apply-schedule="stage=fused"`:

    ```mlir
    module {
      func.func @f(...) { ... linalg.generic ... }
      module @schedule attributes {transform.with_named_sequence} {
        transform.named_sequence @fused(%program: !transform.any_op) {
          %op = transform.structured.match ops{["linalg.generic"]} in %program
              : (!transform.any_op) -> !transform.any_op
          %tiled, %loop = transform.structured.tile_using_for %op
              tile_sizes [8] : ...
          transform.yield
    ```
    becomes
    ```mlir
    module {
      func.func @f(...) { ... scf.for ... { linalg.generic ... } }
    ```
  }];
  let options = [
    Option<"stage", "stage", "std::string", "", "The stage that is reached">,
    ListOption<"later", "later", "std::string",
               "The later stages that a schedule may have sequences for">
  ];
}

def DescribeMachine : Pass<"weft-describe-machine", "::mlir::ModuleOp"> {
  let summary = "States the machine that code is made for";
  let description = [{
    Adds `weft.machine` to a module that has none: what this process runs on.
    Sizes of vectors, tiles and blocks follow from it. A module that states its GPU
    (`weft.gpu`) is an error: earlier passes have done what is right on that alone.

    ```mlir
    module attributes {weft.machine = {bfloat16_dots = true, fma = true,
      l1_bytes = 49152 : i64, l2_bytes = 2097152 : i64, matrix_tiles = true,
      share_from = 262144 : i64, vector_bytes = 64 : i64, vector_dots = true,
      vector_registers = 32 : i64}}
    ```
  }];
}

def FuseElementwise : Pass<"weft-fuse-elementwise", "::mlir::func::FuncOp"> {
  let summary = "Merges each chain of elementwise linalg.generic into one";
  let description = [{
    A producer moves into its consumers' loop nest where no element is computed
    twice: they are in one nest, which needs each element once. Broadcasts and
    transposes compute nothing and move always, but never into a contraction, or
    windows that overlap, which read their operands many times. What elementwise
    ops alone read in other dimensions (`tensor.expand_shape`,
    `tensor.collapse_shape`) is computed in these. Splat constants become scalars.
    A few arrays that are stacked for a reduction are combined element by element.
    Groups are planned first and have a bounded size. Ops on scalars within loops
    become scalar code. The few steps of an index are taken where a gather reads
    it, and the loops of a scatter compute indices and updates themselves.

    ```mlir
    %0 = linalg.generic ... ins(%x) outs(%e0) { math.sin }
    %1 = linalg.generic ... ins(%0) outs(%e1) { math.exp }
    ```
    becomes
    ```mlir
    %1 = linalg.generic ... ins(%x) outs(%e1) { math.sin, math.exp }
    ```
  }];
  let dependentDialects = [
    "::mlir::affine::AffineDialect", "::mlir::linalg::LinalgDialect",
    "::mlir::tensor::TensorDialect"
  ];
}

def TransposeSums : Pass<"weft-transpose-sums", "::mlir::func::FuncOp"> {
  let summary = "Computes sums of products in the order in which they are wanted";
  let description = [{
    The derivative of a product by its second factor is often the transpose of a
    product. Its elements are written where they belong instead. What is transposed
    twice is transposed once, or not at all.

    ```mlir
    %c = linalg.generic {indexing_maps = [..., (m, n, k) -> (m, n)]}
        ins(%a, %b) outs(%zeros : tensor<64x1024xf32>)
    %t = linalg.generic {indexing_maps = [(n, m) -> (m, n), (n, m) -> (n, m)]}
        ins(%c) outs(%empty : tensor<1024x64xf32>) { yield }
    ```
    becomes
    ```mlir
    %t = linalg.generic {indexing_maps = [..., (m, n, k) -> (n, m)]}
        ins(%a, %b) outs(%zeros : tensor<1024x64xf32>)
    ```
  }];
  let dependentDialects = [
    "::mlir::linalg::LinalgDialect", "::mlir::tensor::TensorDialect"
  ];
}

def HoistInvariants : Pass<"weft-hoist-invariants", "::mlir::func::FuncOp"> {
  let summary = "Computes before a loop what none of its steps changes";
  let description = [{
    As upstream's loop-invariant-code-motion, and also the kernels of libraries.
    These may fail, so they leave loops that are known to take a step.

    ```mlir
    scf.for %i = %c0 to %c10 step %c1 iter_args(%x = %x0) {
      %e = tensor.empty() : tensor<3x3xf64>
      %l = weft.library_call "cholesky_f64" [1, 3] (%a) into(%e) ...
      ...
    ```
    becomes
    ```mlir
    %e = tensor.empty() : tensor<3x3xf64>
    %l = weft.library_call "cholesky_f64" [1, 3] (%a) into(%e) ...
    scf.for %i = %c0 to %c10 step %c1 iter_args(%x = %x0) {
      ...
    ```
  }];
}

def PackContractions : Pass<"weft-pack-contractions", "::mlir::func::FuncOp"> {
  let summary = "Copies an operand of a sum of products into panels";
  let description = [{
    Of the operand that is read in vectors, a tile reads a few vectors of each
    row. Panels have these in one piece. Only where each element is read by very
    many rows, or in each step of a loop that does not change it: others are
    copied block by block where they are read (`weft-lower-contractions`).
    Factors of 16-bit floats that are read often are widened before, on the way
    into panels where they go there. Factors of which no vectors can be read as
    they lie, or short ones, are copied in another order first, and the sum is
    computed in another one and copied back, where that is sooner done. So are
    factors whose elements are not next to each other, such as every second one.

    ```mlir
    linalg.generic {indexing_maps = [(m, n, k) -> (m, k), (m, n, k) -> (k, n), ...]}
        ins(%a, %b : tensor<1024x512xf32>, tensor<512x640xf32>) ...
    ```
    becomes
    ```mlir
    %panels = linalg.generic {indexing_maps = [(k, p, l) -> (k, p * 64 + l),
                                               (k, p, l) -> (p, k, l)]}
        ins(%b) outs(%empty : tensor<10x512x64xf32>)
    linalg.generic {indexing_maps = [(m, n, k) -> (m, k),
                                     (m, n, k) -> (n floordiv 64, k, n mod 64), ...]}
        ins(%a, %panels) ...
    ```
    Where the CPU multiplies tiles, a convolution's kernel of bfloat16 or of bytes
    becomes panels of 32 columns, in which the steps that fill 32 bits are side by
    side. Zeros fill up what is no whole tile. So does one of bfloat16 where the CPU
    has dot products of these, and there a factor of a sum of few steps, too.

    ```mlir
    linalg.generic {indexing_maps = [..., (n, y, x, i, j, c, o) -> (i, j, c, o), ...]}
        ins(%x, %kernel : tensor<8x58x58x64xbf16>, tensor<3x3x64x128xbf16>) ...
    ```
    becomes
    ```mlir
    %panels = linalg.generic ins(%row) outs(%empty : tensor<4x3x3x32x32x2xbf16>)
    linalg.generic {indexing_maps = [..., (n, y, x, i, j, c, o) ->
        (o floordiv 32, i, j, c floordiv 2, o mod 32, c mod 2), ...]}
        ins(%x, %panels) ...
    ```
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::bufferization::BufferizationDialect",
    "::mlir::linalg::LinalgDialect", "::mlir::tensor::TensorDialect"
  ];
}

def FuseEpilogues : Pass<"weft-fuse-epilogues", "::mlir::func::FuncOp"> {
  let summary = "Changes the elements of a sum of products where they are computed";
  let description = [{
    What adds a bias to the result of a product or a convolution, and applies an
    activation, is done block by block, while a block is in the cache. It changes
    the sums in place and is marked, so that it is computed in the same loops;
    without the mark it would be a loop of its own. An op whose results are of another type is
    marked too: it reads the sums. Not where it overwrites another operand, which a
    loop carries or a caller has donated.

    ```mlir
    %c = linalg.generic ins(%a, %b) outs(%zeros) { ... }
    %y = linalg.generic ins(%c, %bias) outs(%empty) {
      ^bb0(%sum: f32, %b: f32, %out: f32): ...
    ```
    becomes
    ```mlir
    %c = linalg.generic ins(%a, %b) outs(%zeros) { ... }
    %y = linalg.generic ins(%bias) outs(%c) attrs = {weft.epilogue} {
      ^bb0(%b: f32, %sum: f32): ...
    ```
  }];
  let dependentDialects = ["::mlir::linalg::LinalgDialect"];
}

def CopyMargins : Pass<"weft-copy-margins", "::mlir::func::FuncOp"> {
  let summary = "Makes an array of what is computed inside and of its margins";
  let description = [{
    What is computed of an element's neighbours cannot be written over it. An
    update of nearly all of an array that a loop carries, or that is an argument,
    would be computed elsewhere and copied. It is computed in its place in a new
    array, to which only the margins are copied; of a loop, the two arrays change
    places.

    ```mlir
    %y = linalg.generic ... ins(%x[0] [n - 2], %x[2] [n - 2])
    %z = tensor.insert_slice %y into %x[1] [n - 2]
    ```
    becomes
    ```mlir
    %a = tensor.insert_slice %x[0] [1] into %e[0] [1]
    %b = tensor.insert_slice %x[n - 1] [1] into %a[n - 1] [1]
    %z = tensor.insert_slice %y into %b[1] [n - 2]
    ```
  }];
  let dependentDialects = ["::mlir::tensor::TensorDialect"];
}

def SplitIndexSets : Pass<"weft-split-index-sets", "::mlir::func::FuncOp"> {
  let summary = "Computes what reads joined arrays part by part";
  let description = [{
    An array that is put together of others, as `roll`, `concatenate` and `pad`
    make it, is a copy of them. Where elementwise ops alone read it, their loops
    are split where it changes from one array to the next, and each part reads
    that array: nothing is copied. Done if that saves half as many elements as
    the op computes, and with few enough parts; for a GPU, with parts of one size.

    ```mlir
    %a = tensor.insert_slice %x[1] into %e[0] [n - 1]
    %rolled = tensor.insert_slice %x[0] into %a[n - 1] [1]
    %y = linalg.generic ... ins(%x, %rolled) outs(%e)
    ```
    becomes
    ```mlir
    %p = linalg.generic ... ins(%x[0], %x[1]) outs(%e[0] [n - 1])
    %q = linalg.generic ... ins(%x[n - 1], %x[0]) outs(%e[n - 1] [1])
    %b = tensor.insert_slice %p into %e[0] [n - 1]
    %y = tensor.insert_slice %q into %b[n - 1] [1]
    ```
  }];
  let dependentDialects = [
    "::mlir::linalg::LinalgDialect", "::mlir::tensor::TensorDialect"
  ];
}

def ReadJoined : Pass<"weft-read-joined", "::mlir::func::FuncOp"> {
  let summary = "Has what reads joined arrays read what they are made of";
  let description = [{
    For a GPU, to which each part of an op that `weft-split-index-sets` makes is
    a launch. Where elementwise ops alone read an array that is put together of a
    few others, they find the one in which an element lies, and read that; of the
    rest they read the first element, which all threads share. Parts that nothing
    else needs are computed there. A fill into which others are put is one op
    whoever reads it, but for parts that an op can write to their place.

    ```mlir
    %f = linalg.fill ins(%c) outs(%e)
    %p = tensor.insert_slice %x into %f[1] [n]
    %y = linalg.generic ... ins(%p) outs(%e) { math.exp %in }
    ```
    becomes
    ```mlir
    %y = linalg.generic ... outs(%e) {
      %i = linalg.index 0
      %k = arith.subi %i, 1
      %is = arith.cmpi ult, %k, n
      %at = arith.select %is, %k, 0
      %in = arith.select %is, (tensor.extract %x[%at]), %c
      math.exp %in
    }
    ```
  }];
  let dependentDialects = [
    "::mlir::affine::AffineDialect", "::mlir::arith::ArithDialect",
    "::mlir::complex::ComplexDialect", "::mlir::linalg::LinalgDialect",
    "::mlir::tensor::TensorDialect"
  ];
}

def EraseBarriers : Pass<"weft-erase-barriers", "::mlir::func::FuncOp"> {
  let summary = "Replaces what a barrier returns by what it was given";
  let description = [{
    By then nothing that could merge the recomputation behind the barrier with
    the first computation looks at tensors any more.

    ```mlir
    %0 = weft.barrier %x : tensor<4xf32> to tensor<4xf32>
    ```
    becomes `%x`.
  }];
}

def DestinationPassing
    : Pass<"weft-destination-passing", "::mlir::ModuleOp"> {
  let summary = "Makes functions write their results into buffers of the caller";
  let description = [{
    ```mlir
    func.func @f(%x: tensor<4xf32>) -> tensor<4xf32> {
      ...
      return %y : tensor<4xf32>
    }
    ```
    becomes
    ```mlir
    func.func @f(%in: memref<4xf32>, %out: memref<4xf32>) {
      %x = bufferization.to_tensor %in restrict
      ...
      bufferization.materialize_in_destination %y in restrict writable %out
      return
    }
    ```
    Where `%y` began as a `tensor.empty`, that becomes
    `bufferization.to_tensor %out restrict writable`: the ops write into the
    buffer itself. The same value twice, an argument and a constant are copied.

    An argument may be donated. Where a result of its type can be computed in
    its buffer, as a loop's body would compute what it carries, it needs none of
    its own: `weft.reuses` has for each result the argument that it is left in.
    ```mlir
    func.func @f(%x: tensor<4xf32> {weft.donated}) -> tensor<4xf32>
    ```
    becomes
    ```mlir
    func.func @f(%in: memref<4xf32>) attributes {weft.reuses = array<i64: 0>}
    ```

    A long chain of updates of one tensor passes through its buffer every few
    links, since the analysis for bufferization compares all of a chain's reads
    with all of its writes.

    Loops carry no tensors either: a body writes into the buffer of what it
    carries where all that reads it has been computed, or else into a second one,
    and the two change places.
    ```mlir
    %r = scf.for ... iter_args(%x = %init) -> (tensor<4xf32>) {
      %y = ...
      scf.yield %y
    }
    ```
    becomes
    ```mlir
    bufferization.materialize_in_destination %init in restrict writable %a
    scf.for ... {
      %x = bufferization.to_tensor %a restrict writable
      %y = ...
      bufferization.materialize_in_destination %y in restrict writable %a
    }
    %r = bufferization.to_tensor %a restrict writable
    ```
  }];
  let dependentDialects = [
    "::mlir::bufferization::BufferizationDialect",
    "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect",
    "::mlir::tensor::TensorDialect"
  ];
}

def UnrollLoops : Pass<"weft-unroll-loops", "::mlir::func::FuncOp"> {
  let summary = "Repeats the bodies of loops that take several steps at a time";
  let description = [{
    How many is the loop's attribute `weft.unroll`. The steps that are left over
    are taken one at a time. By then all is in buffers, so that no step copies
    what the next one changes.

    ```mlir
    scf.for %i = %c0 to %c10 step %c1 { ... } {weft.unroll = 4 : i64}
    ```
    becomes
    ```mlir
    scf.for %i = %c0 to %c8 step %c4 { ... ... ... ... }
    scf.for %i = %c8 to %c10 step %c1 { ... }
    ```
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::scf::SCFDialect"
  ];
}

def MergeLoops : Pass<"weft-merge-loops", "::mlir::func::FuncOp"> {
  let summary = "Walks along two dimensions that follow each other in one loop";
  let description = [{
    A slice of several whole dimensions is one row: the updates of a scatter are,
    and what a gather reads.

    ```mlir
    scf.for %i = %c0 to %c196 step %c1 {
      scf.for %j = %c0 to %c10 step %c1 {
        %0 = memref.load %x[%k, %i, %j] : memref<56x196x10xf32>
        ...
      }
    }
    ```
    becomes
    ```mlir
    scf.for %j = %c0 to %c1960 step %c1 {
      %rows = memref.collapse_shape %x [[0], [1, 2]]
          : memref<56x196x10xf32> into memref<56x1960xf32>
      %0 = memref.load %rows[%k, %j] : memref<56x1960xf32>
      ...
    }
    ```
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::memref::MemRefDialect"
  ];
}

def JamRows : Pass<"weft-jam-rows", "::mlir::func::FuncOp"> {
  let summary = "Has rows with running values be computed side by side";
  let description = [{
    An element of a running sum waits for the one before it, but not for those of
    other rows. The order in which a row is added up does not change.

    ```mlir
    scf.for %i = %c0 to %c64 step %c1 {
      %0 = memref.load %x[%i, %c0] : memref<64x24xf32>
      memref.store %0, %y[%i, %c0] : memref<64x24xf32>
      scf.for %j = %c1 to %c24 step %c1 iter_args(%s = %0) -> (f32) { ... }
    }
    ```
    becomes
    ```mlir
    scf.for %block = %c0 to %c8 step %c1 {
      %i = arith.muli %block, %c8 : index
      %i1 = arith.addi %i, %c1 : index
      ...
      scf.for %j = %c1 to %c24 step %c1 iter_args(%s = %0, %s1 = %1, ...)
          -> (f32, f32, f32, f32, f32, f32, f32, f32) { ... }
    }
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect"];
}

def ShareUpdates : Pass<"weft-share-updates", "::mlir::func::FuncOp"> {
  let summary = "Has threads share updates by the elements of what is updated";
  let description = [{
    Which elements a step of a scatter updates is known when it runs, and steps may
    update the same ones: their order matters. Along a dimension that each of them
    walks, what one thread updates is no other's. Where that is not the last one, a
    row has all of its updates before the next.

    ```mlir
    scf.for %i = %c0 to %c1000 step %c1 {
      %row = memref.load %rows[%i] : memref<1000xindex>
      scf.for %j = %c0 to %c1536 step %c1 {
        %0 = memref.load %y[%i, %j] : memref<1000x1536xf32>
        %1 = memref.load %x[%row, %j] : memref<256x1536xf32>
        ...
        memref.store %2, %x[%row, %j] : memref<256x1536xf32>
      }
    }
    ```
    becomes
    ```mlir
    scf.for %block = %c0 to %c8 step %c1 {
      %first = arith.muli %block, %c192 : index
      %end = arith.addi %first, %c192 : index
      scf.for %i = %c0 to %c1000 step %c1 {
        %row = memref.load %rows[%i] : memref<1000xindex>
        scf.for %j = %first to %end step %c1 { ... }
      }
    } {weft.parallel}
    ```
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::scf::SCFDialect"
  ];
}

def SplitReductions : Pass<"weft-split-reductions", "::mlir::func::FuncOp"> {
  let summary = "Reduces long arrays to a few numbers in parts";
  let description = [{
    How many parts follows from the shape alone, so that a result does not depend
    on the number of threads. Few rows by a large matrix are such a reduction too:
    each part is some of its rows. Where rows of a few elements are added up, several
    that follow each other are one row, which fills vectors. On CPUs the index of the
    best element of a long row is looked for in the first block of it that has one,
    and where short rows and arrays of them are reduced with others between them, the
    arrays are first.

    ```mlir
    linalg.generic ... ins(%x : tensor<1048576xf32>) outs(%zero : tensor<f32>) { add }
    ```
    becomes
    ```mlir
    %parts = tensor.expand_shape %x [[0, 1]] : tensor<1048576xf32> into tensor<64x16384xf32>
    %sums = linalg.generic ... ins(%parts) outs(%zeros : tensor<64xf32>) { add }
    linalg.generic ... ins(%sums) outs(%zero : tensor<f32>) { add }
    ```
  }];
  let dependentDialects = [
    "::mlir::linalg::LinalgDialect", "::mlir::tensor::TensorDialect"
  ];
}

def PadBlocks : Pass<"weft-pad-blocks", "::mlir::func::FuncOp"> {
  let summary = "Pads an array block by block, as windows of it are read";
  let description = [{
    A convolution or a pooling of a padded array writes a copy of all of it to
    memory, and reads it again. In blocks, each pads what it reads on its stack.
    Only where the padded array is larger than the second cache.

    ```mlir
    linalg.fill ins(%zero) outs(%padded : memref<8x58x58x64xf32>)
    memref.copy %x, %inside
    linalg.generic ... ins(%padded, %kernel) outs(%y : memref<8x56x56x64xf32>)
    ```
    becomes
    ```mlir
    scf.for %block = %c0 to %c32 step %c1 {
      %part = memref.alloca() : memref<1x16x58x64xf32>
      scf.for %place = %c0 to %c16 step %c1 {
        scf.if %inside { /* copy a row of %x between its margins */ }
        else { linalg.fill ins(%zero) outs(%row) }
      }
      linalg.generic ... ins(%part, %kernel) outs(%y_rows : memref<1x14x56x64xf32, ...>)
    } {weft.parallel, weft.rows}
    ```
  }];
  let dependentDialects = [
    "::mlir::affine::AffineDialect", "::mlir::arith::ArithDialect",
    "::mlir::linalg::LinalgDialect", "::mlir::memref::MemRefDialect",
    "::mlir::scf::SCFDialect"
  ];
}

def GroupBlocks : Pass<"weft-group-blocks", "::mlir::func::FuncOp"> {
  let summary = "Has sums of products and what is done with them run block by block";
  let description = [{
    As `weft-group-rows`, but with sums of products, and for blocks of rows, so
    that the tiles of a product are whole. Only where what they write and read
    again is larger than the second cache, and what all blocks read is smaller. A
    temporary that nothing else reads becomes a block; an array that something
    does is read where it is in the cache still.

    ```mlir
    linalg.generic ... ins(%q, %k) outs(%scores : memref<8x1024x1024xf32>)
    linalg.generic ... ins(%scores) outs(%weights : memref<8x1024x1024xf32>)
    linalg.generic ... ins(%weights, %v) outs(%y : memref<8x1024x64xf32>)
    ```
    becomes
    ```mlir
    scf.for %block = %c0 to %c256 step %c1 {
      %scores = memref.alloca() : memref<32x1024xf32>
      %weights = memref.alloca() : memref<32x1024xf32>
      linalg.generic ... ins(%q_rows, %k_head) outs(%scores)
      linalg.generic ... ins(%scores) outs(%weights)
      linalg.generic ... ins(%weights, %v_head) outs(%y_rows)
    } {weft.parallel, weft.rows}
    ```
  }];
  let dependentDialects = [
    "::mlir::affine::AffineDialect", "::mlir::arith::ArithDialect",
    "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect"
  ];
}

def GroupRows : Pass<"weft-group-rows", "::mlir::func::FuncOp"> {
  let summary = "Has ops that work on the same rows run row by row";
  let description = [{
    Of ops that follow each other, each may read what the ones before it write
    in its own row only. A temporary that they alone use becomes one row of it.
    The loop may be shared among threads. Functions of one number a row that end
    the group, as the logarithm of a sum, stay behind it, where many of them are
    computed in vectors. Elementwise ops that write elements of one array in turn, as
    the parts of a stack along its last axis, become one op of several results.

    ```mlir
    linalg.generic ... ins(%x : memref<64x512xf32>) outs(%max : memref<64xf32>)
    linalg.generic ... ins(%x, %max) outs(%y : memref<64x512xf32>)
    ```
    becomes
    ```mlir
    scf.for %row = %c0 to %c64 step %c1 {
      %max = memref.alloca() : memref<f32>
      %x_row = memref.subview %x[%row, 0] [1, 512] [1, 1]
      %y_row = memref.subview %y[%row, 0] [1, 512] [1, 1]
      linalg.generic ... ins(%x_row) outs(%max)
      linalg.generic ... ins(%x_row, %max) outs(%y_row)
    } {weft.parallel}
    ```
  }];
  let dependentDialects = [
    "::mlir::affine::AffineDialect", "::mlir::arith::ArithDialect",
    "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect"
  ];
}

def BlockSums : Pass<"weft-block-sums", "::mlir::func::FuncOp"> {
  let summary = "Takes sums that are only converted out of the arena";
  let description = [{
    What reads the sums of a product and makes numbers of another type of them is
    computed in the same loops, block by block, and nothing else needs the sums.
    They are freed, which keeps them out of the arena, and in the loops they are a
    block on the stack of each thread.

    ```mlir
    %sums = memref.alloc() : memref<1024x1024xf32>
    linalg.fill ins(%zero) outs(%sums)
    linalg.generic ins(%a, %b : memref<..xbf16>, memref<..xbf16>) outs(%sums) { ... }
    linalg.generic ins(%sums, %bias) outs(%y : memref<..xbf16>) attrs = {weft.epilogue}
    ```
    is followed by
    ```mlir
    memref.dealloc %sums
    ```
  }];
  let dependentDialects = ["::mlir::memref::MemRefDialect"];
}

def PlanArena : Pass<"weft-plan-arena", "::mlir::func::FuncOp"> {
  let summary = "Gives every temporary buffer a fixed place in one arena";
  let description = [{
    Adds a last argument, the arena, and replaces each allocation by a view into
    it. Buffers that are never alive at the same time share bytes. The arena's
    size is also the function's attribute `weft.arena_bytes`. A buffer with a
    dynamic number of rows stays where it is, and is freed after its last use, as does
    one that is freed already.

    ```mlir
    %0 = memref.alloc() : memref<4xf32>
    ```
    becomes
    ```mlir
    %0 = memref.view %arena[%c64][] : memref<128xi8> to memref<4xf32>
    ```
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::memref::MemRefDialect"
  ];
}

def MarkShort : Pass<"weft-mark-short", "::mlir::func::FuncOp"> {
  let summary = "Marks a function that is over in about a microsecond";
  let description = [{
    A function of a few thousand operations on elements, whose loops all have a
    known number of steps, gets the attribute `weft.short`: it is called without
    giving the interpreter's lock away. Without it the lock is free while the
    function runs.
  }];
}

def CheckStage : Pass<"weft-check-stage", "::mlir::ModuleOp"> {
  let summary = "Reports each op that does not belong to a stage";
  let description = [{
    Ends the pipeline of a stage. `--weft-check-stage="stage=linalg
    legal=func,linalg"` accepts `func.return` and reports `math.sin`.
  }];
  let options = [
    Option<"stage", "stage", "std::string", "",
           "The name of the stage, for the message">,
    ListOption<"legal", "legal", "std::string",
               "The dialects, or single ops, that the stage may contain (besides "
               "builtin)">
  ];
}

def CheckTypes : Pass<"weft-check-types", "::mlir::ModuleOp"> {
  let summary = "Reports arrays of what is no number, wrong arenas and calls";
  let description = [{
    Begins the pipeline of a stage, whose text may have been written by hand:
    `tensor<4x!llvm.ptr>` and `memref<4xvector<2xf32>>` are reported, a
    `weft.arena_bytes` that is not the size of the function's last argument, and
    a `weft.library_call` whose operands its kernel does not take.
  }];
}

def LowerCopies : Pass<"weft-lower-copies", "::mlir::func::FuncOp"> {
  let summary = "Rewrites memref.copy as a loop nest that LLVM understands";
  let description = [{
    `memref.copy` would become a call to MLIR's C runtime library.

    ```mlir
    memref.copy %a, %b : memref<4xf32> to memref<4xf32>
    ```
    becomes
    ```mlir
    linalg.generic ... ins(%a) outs(%b) { linalg.yield %in }
    ```
  }];
  let dependentDialects = ["::mlir::linalg::LinalgDialect"];
}

def OutlineKernels : Pass<"weft-outline-kernels", "::mlir::ModuleOp"> {
  let summary = "Moves each linalg op on buffers, and each loop that only "
                "computes, into a function of its own";
  let description = [{
    ```mlir
    linalg.fill ins(%zero : f32) outs(%a : memref<4xf32>)
    ```
    becomes
    ```mlir
    func.call @f_kernel(%a) : (memref<4xf32>) -> ()
    ```
    A slice at a place that a loop computes is passed as its buffer and a number.
    Ops that are alike share a kernel, and a sum of products has one with what
    fills the array that it is added to. Results that are parts of one array are
    views that the kernel makes of it.
  }];
  let dependentDialects = [
    "::mlir::func::FuncDialect", "::mlir::memref::MemRefDialect"
  ];
}

def LowerMatrixTiles : Pass<"weft-lower-matrix-tiles", "::mlir::func::FuncOp"> {
  let summary = "Computes sums of products of narrow numbers in matrix tiles";
  let description = [{
    Where the machine has instructions that multiply tiles, or that add to lanes of
    vectors the dot products of four bytes or two numbers of bfloat16, and the factors
    are such. Both are copied into panels first, in the order in which tiles have them
    and with zeros after the last product: that of the columns once for all rows of a
    block. Four tiles of sums stay in registers while what is summed over passes by.

    ```mlir
    linalg.generic ... ins(%a, %b : memref<..xbf16>, memref<..xbf16>)
                       outs(%c : memref<..xf32>) { s + extend(a) * extend(b) }
    ```
    becomes
    ```mlir
    scf.for %task = ... {
      scf.for %k = ... {
        scf.for ... { vector.store %columns }
        scf.for %row = ... {
          scf.for ... { vector.store %rows }
          scf.for %column = ... {
            %sums:4 = scf.for ... { amx.tile_load, amx.tile_mulf }
            amx.tile_store %sums
            scf.for ... { vector.load, vector.maskedstore }
    ```
    Columns that `weft-pack-contractions` has put in panels stay there, and tiles have
    rows of the other factor as they lie, where these are whole: nothing is copied,
    and four tiles of sums stay in registers over all that is summed over. Images
    with margins between their rows are walked through as one; the sums of what
    lies between are left alone.

    ```mlir
    scf.for %task = ... {
      scf.for %column = ... { scf.for %row = ... {
        %sums:4 = scf.for %i = ... { scf.for %j = ... { scf.for %k = ... {
          amx.tile_load %panels, amx.tile_load %x, amx.tile_mulf
        amx.tile_store %sums
    ```
    The loop marked `weft.parallel` may be shared among threads.
  }];
  let dependentDialects = [
    "::mlir::amx::AMXDialect", "::mlir::LLVM::LLVMDialect",
    "::mlir::arith::ArithDialect",
    "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect",
    "::mlir::vector::VectorDialect"
  ];
}

def LowerContractions : Pass<"weft-lower-contractions", "::mlir::func::FuncOp"> {
  let summary = "Computes sums of products in tiles of vector registers";
  let description = [{
    The loops of a matrix product, a convolution or the like are classified by
    the steps in which they walk through each operand. A tile of the result, so
    many rows of so many vectors, stays in registers while all that is summed
    over passes by. What is left over at the edges has tiles of its own, and
    masks. A block of a factor is copied to the stack before its tiles are
    computed if they read it in pieces far apart; for a few rows, what comes from
    memory is read row by row, a few of them side by side. Panels that the first
    cache has no room for are fetched a few steps before they are read. A short
    epilogue changes sums that are complete while they are in registers.

    ```mlir
    linalg.generic ... ins(%a, %b) outs(%c) { s + a * b }
    ```
    becomes
    ```mlir
    scf.for %task = ... {
      scf.for %column = ... { scf.for %row = ... {
        %sums:24 = scf.for %k = ... { vector.load, memref.load, vector.fma }
        vector.store %sums
    ```
    The loop marked `weft.parallel` may be shared among threads.
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::LLVM::LLVMDialect",
    "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect",
    "::mlir::vector::VectorDialect"
  ];
}

def LowerLoops : Pass<"weft-lower-loops", "::mlir::func::FuncOp"> {
  let summary = "Runs linalg ops as loops in the order of memory";
  let description = [{
    Loops that walk through every operand as one would are made one. Innermost
    is a loop along which operands are consecutive. Blocks keep partial sums in
    the first cache, and have a transposition read and write whole cache lines.
    Up to four steps of a sum are done at once for each element of the loop within.
    LLVM makes vectors of the innermost loop, and is told to keep a short one
    (`loop_annotation`), which it would unroll before. A loop of much work is marked `weft.parallel`, and may be shared among
    threads. Where much is computed of each element of arrays that no cache
    holds, the innermost loop runs in chunks of a kilobyte, and each asks for what
    is needed later (`memref.prefetch`): the chunk after the next, or that of the
    next row, where a row was read before or rows are added.

    ```mlir
    linalg.generic ... ins(%a : memref<64x32xf32>) outs(%b : memref<64x32xf32>)
    ```
    becomes
    ```mlir
    scf.for %i = %c0 to %c2048 step %c1 { memref.load, ..., memref.store }
    ```
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::LLVM::LLVMDialect",
    "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect",
    "::mlir::vector::VectorDialect"
  ];
}

def PollSignals : Pass<"weft-poll-signals", "::mlir::ModuleOp"> {
  let summary = "Lets the loops of a program look for signals";
  let description = [{
    ```mlir
    scf.while ... { %0 = arith.cmpf olt, %x, %y : f32 ... }
    ```
    becomes
    ```mlir
    scf.while ... {
      %n = memref.load %left[]; memref.store %n - 1, %left[]
      scf.if %n - 1 <= 0 { memref.store llvm.call @_weft_poll(), %left[] }
      ...
    }
    ```
    So do `scf.for` of 1,000 steps or more, or of an unknown number. Only those
    of entry points: loops of kernels are as long as arrays are. The runtime
    says after how many steps to call it next, or does not return.
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::LLVM::LLVMDialect",
    "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect"
  ];
}

def LowerLibraryCalls
    : Pass<"weft-lower-library-calls", "::mlir::ModuleOp"> {
  let summary = "Calls the kernels of numerical libraries by pointer";
  let description = [{
    ```mlir
    weft.library_call "cholesky_f64" [1, 3] (%x) into(%y)
        : (memref<3x3xf64>, memref<3x3xf64>) -> ()
    ```
    becomes
    ```mlir
    llvm.call @weft_cholesky_f64(%place, %p, %q, %c1, %c3)
        : (!llvm.ptr, !llvm.ptr, !llvm.ptr, i64, i64) -> ()
    ```
    `%place` points to the text "file:line" of the op, for a failure to name.
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::LLVM::LLVMDialect",
    "::mlir::memref::MemRefDialect"
  ];
}

def ExpandMath : Pass<"weft-expand-math"> {
  let summary = "Computes math functions by arithmetic that LLVM can vectorise";
  let description = [{
    ```mlir
    %1 = math.exp %0 : f32
    ```
    becomes
    ```mlir
    %1 = func.call @weft_exp_f32(%0) : (f32) -> f32
    ```
    of a private function that LLVM is told to inline, in the module, or the
    `gpu.module`, that the pass runs on. It has no branches and no
    calls, so that a loop with it is vectorised as one of sums is, and what it
    returns depends on nothing but its argument.

    In a `gpu.module`, `exp`, `exp2`, `tanh` and `erf` of f32 are computed by
    the approximations that NVIDIA's GPUs have of 2^x and 1 / x.

    Remainders of f32 (`arith.remf`) are computed so as well, exactly.

    The expansions need an FMA instruction: on a `weft.machine` without one, all
    functions are left to libm. So are those of f64 that are not written here.
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::func::FuncDialect",
    "::mlir::memref::MemRefDialect", "::mlir::LLVM::LLVMDialect",
    "::mlir::NVVM::NVVMDialect"
  ];
}

def LowerForalls : Pass<"weft-lower-foralls", "::mlir::func::FuncOp"> {
  let summary = "Makes one loop, whose steps threads share, of an scf.forall";
  let description = [{
    A schedule's `scf.forall` is a kernel: what is within is computed by one
    function, which threads call for some steps each.

    ```mlir
    scf.forall (%i, %j) in (8, 4) shared_outs(%y = %empty) {
      %part = ...
      scf.forall.in_parallel {
        tensor.parallel_insert_slice %part into %y[%i, %j] [1, 1] [1, 1]
    ```
    becomes
    ```mlir
    scf.for %step = %c0 to %c32 step %c1 iter_args(%y = %empty) {
      %i, %j = affine.delinearize_index %step into (8, 4)
      %part = ...
      %next = tensor.insert_slice %part into %y[%i, %j] [1, 1] [1, 1]
      scf.yield %next
    } {weft.parallel, weft.rows}
    ```
  }];
  let dependentDialects = [
    "::mlir::affine::AffineDialect", "::mlir::arith::ArithDialect",
    "::mlir::scf::SCFDialect", "::mlir::tensor::TensorDialect"
  ];
}

def LowerVectors : Pass<"weft-lower-vectors", "::mlir::func::FuncOp"> {
  let summary = "Computes in vectors of one dimension what a schedule has in more";
  let description = [{
    ```mlir
    %c = vector.contract ... %a, %b, %sums
        : vector<4x8xf32>, vector<8x16xf32> into vector<4x16xf32>
    ```
    becomes
    ```mlir
    %0 = vector.fma %a_00, %b_0, %sums_0 : vector<16xf32>
    ...
    ```
    and a transfer of several dimensions one for each row.
  }];
  let dependentDialects = [
    "::mlir::affine::AffineDialect", "::mlir::arith::ArithDialect",
    "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect",
    "::mlir::vector::VectorDialect"
  ];
}

def ShareKernels : Pass<"weft-share-kernels", "::mlir::ModuleOp"> {
  let summary = "Lets the caller of a kernel say which steps of its loop to run";
  let description = [{
    ```mlir
    func.func private @kernel(%a: memref<64xf32>) {
      scf.for %i = %c0 to %c64 step %c1 { ... } {weft.parallel}
    ```
    becomes
    ```mlir
    func.func private @kernel(%a: memref<64xf32>, %begin: index, %end: index)
        attributes {weft.tasks = 64 : i64} {
      scf.for %i = %begin to %end step %c1 { ... }
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect"];
}

def CallInParallel : Pass<"weft-call-in-parallel", "::mlir::ModuleOp"> {
  let summary = "Has the threads of the runtime call each shared kernel";
  let description = [{
    ```mlir
    llvm.call @kernel(%a, %c0, %c64) : (!llvm.ptr, i64, i64) -> ()
    ```
    becomes
    ```mlir
    llvm.store %a, %shared : !llvm.ptr, !llvm.ptr
    llvm.call @_weft_run_in_parallel(%kernel_task, %shared, %c64)
    ```
    and `@kernel_task` passes on to `@kernel` what is stored, and the steps that
    it is called for.
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect"];
}

def LowerMath : Pass<"weft-lower-math", "::mlir::ModuleOp"> {
  let summary = "Calls libm for the functions that LLVM has no intrinsic for";
  let description = [{
    ```mlir
    %1 = math.expm1 %0 : f32
    ```
    becomes
    ```mlir
    %1 = func.call @expm1f(%0) : (f32) -> f32
    ```
    What remains is lowered by upstream's `convert-math-to-llvm`, which for
    these functions would either fail or lose digits. An f16 that is rounded to
    an integer in 32 bits is given its sign again (`math.copysign`), lest LLVM
    round it in 16 bits, lane by lane.
  }];
  let dependentDialects = [
    "::mlir::func::FuncDialect", "::mlir::LLVM::LLVMDialect"
  ];
}

def MoveAsIntegers : Pass<"weft-move-as-integers", "::mlir::ModuleOp"> {
  let summary = "Loads, stores and chooses 16-bit floats as integers";
  let description = [{
    On a CPU without arithmetic of theirs, LLVM would go through the lanes one
    by one where there is a mask, or a choice (`llvm.select`). All loads and
    stores of bf16 are those of integers too, since a choice between what is
    loaded would become one of floats again.

    ```mlir
    %0 = llvm.intr.masked.load %p, %mask, %z : ... into vector<16xbf16>
    ```
    becomes
    ```mlir
    %z2 = llvm.bitcast %z : vector<16xbf16> to vector<16xi16>
    %1 = llvm.intr.masked.load %p, %mask, %z2 : ... into vector<16xi16>
    %0 = llvm.bitcast %1 : vector<16xi16> to vector<16xbf16>
    ```
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect"];
}

def LowerBranches : Pass<"weft-lower-branches", "::mlir::ModuleOp"> {
  let summary = "Converts branches to LLVM, those that carry matrix tiles too";
  let description = [{
    Upstream's `convert-cf-to-llvm` knows no tiles, which loops carry from step to
    step.

    ```mlir
    cf.br ^loop(%i, %sums : index, !amx.tile<16x16xf32>)
    ```
    becomes
    ```mlir
    llvm.br ^loop(%i, %sums : i64, !llvm.x86_amx)
    ```
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect"];
}

def WrapEntries : Pass<"weft-wrap-entries", "::mlir::ModuleOp"> {
  let summary = "Adds a C entry point that takes all pointers in one array";
  let description = [{
    ```mlir
    llvm.func @f(%in: !llvm.ptr, %out: !llvm.ptr, %arena: !llvm.ptr)
    ```
    becomes internal, its pointers `noalias`, as every function with a body does,
    and gets a companion
    ```mlir
    llvm.func @weft_entry_f(%arguments: !llvm.ptr)
    ```
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect"];
}

def PlaceLocations : Pass<"weft-place-locations", "::mlir::ModuleOp"> {
  let summary = "Makes locations such that LLVM's debug information can hold";
  let description = [{
    Upstream's `ensure-debug-info-scope-on-llvm-func` follows call sites without
    asking whether they are in a file or, for a global, in a function at all.
    ```mlir
    %0 = llvm.fneg %x : f32 loc(callsite(unknown at "f.py":3:1))
    ```
    becomes
    ```mlir
    %0 = llvm.fneg %x : f32 loc("f.py":3:1)
    ```
  }];
}

#endif // WEFT_LOWERING_PASSES_TD
