// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Linear algebra: the types of results, and the library's kernels. The last two
// dimensions are those of a matrix.

#include "dialects/Calculus.h"
#include "dialects/Folding.h"

using namespace mlir;
using namespace weft;

//===----------------------------------------------------------------------===//
// Types
//===----------------------------------------------------------------------===//

namespace {
/// The type of a stack of matrices.
struct Matrices {
  RankedTensorType type;

  explicit operator bool() const { return static_cast<bool>(type); }
  int64_t rows() const { return type.getShape().end()[-2]; }
  int64_t columns() const { return type.getShape().back(); }
  int64_t smaller() const { return std::min(rows(), columns()); }
  ArrayRef<int64_t> stack() const { return type.getShape().drop_back(2); }
  int64_t count() const { return ShapedType::getNumElements(stack()); }

  /// A stack of matrices, or of vectors, as many as these.
  RankedTensorType with(ArrayRef<int64_t> dims) const {
    SmallVector<int64_t> shape(stack());
    llvm::append_range(shape, dims);
    return type.clone(shape);
  }
  /// The same of the parts of complex elements, and of elements with such
  /// parts.
  RankedTensorType reals(ArrayRef<int64_t> dims) const {
    return with(dims).clone(part());
  }
  RankedTensorType complexes(ArrayRef<int64_t> dims) const {
    return with(dims).clone(ComplexType::get(part()));
  }
  Type part() const {
    auto complex = dyn_cast<ComplexType>(type.getElementType());
    return complex ? complex.getElementType() : type.getElementType();
  }
  RankedTensorType indices(ArrayRef<int64_t> dims) const {
    return with(dims).clone(IntegerType::get(type.getContext(), 64));
  }
};
} // namespace

static Matrices matrices(Value value) {
  return {cast<RankedTensorType>(value.getType())};
}

/// Matrices of floats, if there are `count` operands, and all are arrays.
static Matrices inferMatrices(std::optional<Location> loc, ValueRange operands,
                              unsigned count = 1) {
  RankedTensorType type = firstOperandType(loc, operands, count);
  // matrix_c1: at least two dimensions, of floats.
  if (type && (type.getRank() < 2 || !isLibraryArray(type))) {
    (void)emitOptionalError(
        loc, "needs matrices of f32, f64 or complex of those, got ", type);
    return {};
  }
  return {type};
}

static Matrices inferSquare(std::optional<Location> loc, ValueRange operands,
                            unsigned count = 1) {
  Matrices x = inferMatrices(loc, operands, count);
  // matrix_c2: as many rows as columns.
  if (x && x.rows() != x.columns()) {
    (void)emitOptionalError(loc, "needs square matrices, got ", x.type);
    return {};
  }
  return x;
}

/// Whether `b` are as many matrices as `a`, of that element type and as many
/// rows, or columns, as `a` has of both.
static LogicalResult verifyRightSide(std::optional<Location> loc, Matrices a,
                                     RankedTensorType b, bool right) {
  // solve_c1: stacks of one shape, of one element type.
  if (b.getRank() != a.type.getRank() ||
      b.getElementType() != a.type.getElementType() ||
      Matrices{b}.stack() != a.stack())
    return emitOptionalError(loc,
                             "needs stacks of one shape and element type, "
                             "got ",
                             a.type, " and ", b);
  // solve_c2: sizes match.
  if ((right ? Matrices{b}.columns() : Matrices{b}.rows()) != a.rows())
    return emitOptionalError(loc, "has ", right ? "columns" : "rows", " of ", b,
                             " that do not match ", a.type);
  return success();
}

using Types = SmallVectorImpl<Type>;

LogicalResult CholeskyOp::inferTypes(std::optional<Location> loc,
                                     ValueRange operands, OpaqueProperties,
                                     Types &types) {
  Matrices x = inferSquare(loc, operands);
  if (!x)
    return failure();
  types.push_back(x.type);
  return success();
}

LogicalResult TriangularSolveOp::inferTypes(std::optional<Location> loc,
                                            ValueRange operands,
                                            OpaqueProperties properties,
                                            Types &types) {
  auto *given = properties.as<Properties *>();
  Matrices a = inferSquare(loc, operands, 2);
  if (!a)
    return failure();
  auto b = cast<RankedTensorType>(operands[1].getType());
  if (failed(verifyRightSide(loc, a, b, given && given->right)))
    return failure();
  types.push_back(b);
  return success();
}

LogicalResult LuOp::inferTypes(std::optional<Location> loc, ValueRange operands,
                               OpaqueProperties, Types &types) {
  Matrices x = inferMatrices(loc, operands);
  if (!x)
    return failure();
  types.append({x.type, x.indices({x.smaller()}), x.indices({x.rows()})});
  return success();
}

LogicalResult SolveOp::inferTypes(std::optional<Location> loc,
                                  ValueRange operands, OpaqueProperties,
                                  Types &types) {
  Matrices a = inferSquare(loc, operands, 4);
  if (!a)
    return failure();
  auto b = cast<RankedTensorType>(operands[3].getType());
  if (failed(verifyRightSide(loc, a, b, /*right=*/false)))
    return failure();
  // solve_c3: the factors are those of a.
  if (operands[1].getType() != a.type ||
      operands[2].getType() != a.indices({a.rows()}))
    return emitOptionalError(loc, "needs the factors of ", a.type, ", got ",
                             operands[1].getType(), " and ",
                             operands[2].getType());
  types.push_back(b);
  return success();
}

LogicalResult QrOp::inferTypes(std::optional<Location> loc, ValueRange operands,
                               OpaqueProperties properties, Types &types) {
  auto *given = properties.as<Properties *>();
  Matrices x = inferMatrices(loc, operands);
  if (!x)
    return failure();
  int64_t size = given && given->full ? x.rows() : x.smaller();
  types.append({x.with({x.rows(), size}), x.with({size, x.columns()})});
  return success();
}

LogicalResult SvdOp::inferTypes(std::optional<Location> loc,
                                ValueRange operands,
                                OpaqueProperties properties, Types &types) {
  auto *given = properties.as<Properties *>();
  Matrices x = inferMatrices(loc, operands);
  if (!x)
    return failure();
  bool full = given && given->full;
  types.append({x.with({x.rows(), full ? x.rows() : x.smaller()}),
                x.reals({x.smaller()}),
                x.with({full ? x.columns() : x.smaller(), x.columns()})});
  return success();
}

LogicalResult SvdvalsOp::inferTypes(std::optional<Location> loc,
                                    ValueRange operands, OpaqueProperties,
                                    Types &types) {
  Matrices x = inferMatrices(loc, operands);
  if (!x)
    return failure();
  types.push_back(x.reals({x.smaller()}));
  return success();
}

LogicalResult EighOp::inferTypes(std::optional<Location> loc,
                                 ValueRange operands, OpaqueProperties,
                                 Types &types) {
  Matrices x = inferSquare(loc, operands);
  if (!x)
    return failure();
  types.append({x.reals({x.rows()}), x.type});
  return success();
}

LogicalResult EigvalshOp::inferTypes(std::optional<Location> loc,
                                     ValueRange operands, OpaqueProperties,
                                     Types &types) {
  Matrices x = inferSquare(loc, operands);
  if (!x)
    return failure();
  types.push_back(x.reals({x.rows()}));
  return success();
}

LogicalResult EigOp::inferTypes(std::optional<Location> loc,
                                ValueRange operands, OpaqueProperties,
                                Types &types) {
  Matrices x = inferSquare(loc, operands);
  if (!x)
    return failure();
  types.append({x.complexes({x.rows()}), x.complexes({x.rows(), x.columns()})});
  return success();
}

LogicalResult EigvalsOp::inferTypes(std::optional<Location> loc,
                                    ValueRange operands, OpaqueProperties,
                                    Types &types) {
  Matrices x = inferSquare(loc, operands);
  if (!x)
    return failure();
  types.push_back(x.complexes({x.rows()}));
  return success();
}

LogicalResult PinvOp::inferTypes(std::optional<Location> loc,
                                 ValueRange operands, OpaqueProperties,
                                 Types &types) {
  Matrices x = inferMatrices(loc, operands, 2);
  if (!x)
    return failure();
  // pinv_c1: one cutoff for each matrix.
  if (operands[1].getType() != x.reals({}))
    return emitOptionalError(loc, "needs a cutoff of type ", x.reals({}),
                             ", got ", operands[1].getType());
  types.push_back(x.with({x.columns(), x.rows()}));
  return success();
}

//===----------------------------------------------------------------------===//
// Kernels
//===----------------------------------------------------------------------===//

Kernel CholeskyOp::getKernel() {
  Matrices x = matrices(getX());
  return {"cholesky", {getX()}, {x.count(), x.rows()}};
}

Kernel TriangularSolveOp::getKernel() {
  Matrices b = matrices(getB());
  return {"triangular_solve",
          {getA(), getB()},
          {b.count(), b.rows(), b.columns(), getRight(), getUpper(),
           getTranspose(), getUnit()}};
}

Kernel LuOp::getKernel() {
  Matrices x = matrices(getX());
  return {"lu", {getX()}, {x.count(), x.rows(), x.columns(), getNonsingular()}};
}

Kernel SolveOp::getKernel() {
  Matrices b = matrices(getB());
  return {"solve",
          {getLu(), getPermutation(), getB()},
          {b.count(), b.rows(), b.columns(), getTranspose()}};
}

Kernel QrOp::getKernel() {
  Matrices x = matrices(getX());
  return {"qr", {getX()}, {x.count(), x.rows(), x.columns(), getFull()}};
}

Kernel SvdOp::getKernel() {
  Matrices x = matrices(getX());
  return {"svd", {getX()}, {x.count(), x.rows(), x.columns(), getFull()}};
}

Kernel SvdvalsOp::getKernel() {
  Matrices x = matrices(getX());
  return {"svdvals", {getX()}, {x.count(), x.rows(), x.columns()}};
}

Kernel EighOp::getKernel() {
  Matrices x = matrices(getX());
  return {"eigh", {getX()}, {x.count(), x.rows()}};
}

Kernel EigvalshOp::getKernel() {
  Matrices x = matrices(getX());
  return {"eigvalsh", {getX()}, {x.count(), x.rows()}};
}

Kernel EigOp::getKernel() {
  Matrices x = matrices(getX());
  return {"eig", {getX()}, {x.count(), x.rows()}};
}

Kernel EigvalsOp::getKernel() {
  Matrices x = matrices(getX());
  return {"eigvals", {getX()}, {x.count(), x.rows()}};
}

Kernel PinvOp::getKernel() {
  Matrices x = matrices(getX());
  return {"pinv", {getX(), getCutoff()}, {x.count(), x.rows(), x.columns()}};
}

//===----------------------------------------------------------------------===//
// Batching
//===----------------------------------------------------------------------===//

/// The permutation that moves one dimension to another place.
static SmallVector<int64_t> moving(int64_t rank, int64_t from, int64_t to) {
  auto order = llvm::to_vector(llvm::seq<int64_t>(0, rank));
  order.erase(order.begin() + from);
  order.insert(order.begin() + to, from);
  return order;
}

/// A stack of right sides of the same matrices: further columns of them, or
/// rows, so that nothing is repeated. `solve` maps such to the solution.
static Value solveStack(OpBuilder &b, Location loc, Value stack, bool right,
                        llvm::function_ref<Operation *(Value)> solve) {
  calculus::Tensor x = calculus::TensorOperands(b, loc)(stack);
  int64_t rank = x.type().getRank(), place = rank - (right ? 3 : 2);
  x = calculus::transpose(x, moving(rank, 0, place));
  SmallVector<int64_t> apart(x.type().getShape()), joined(apart);
  joined[place + 1] *= joined[place];
  joined.erase(joined.begin() + place);
  Operation *solved = solve(calculus::reshape(x, joined).value);
  solved->setLoc(loc);
  for (Value result : solved->getResults())
    result.setType(x.type().clone(joined));
  x = calculus::reshape(x.with(solved->getResult(0)), apart);
  return calculus::transpose(x, moving(rank, place, 0)).value;
}

SmallVector<Value>
TriangularSolveOp::buildBatched(OpBuilder &b, Location loc, ValueRange operands,
                                const llvm::SmallBitVector &batched,
                                int64_t size) {
  if (batched[0])
    return widen(*this, b, loc, operands, batched, size);
  return {solveStack(b, loc, operands[1], getRight(), [&](Value x) {
    Operation *made = b.clone(**this);
    made->setOperands({operands[0], x});
    return made;
  })};
}

SmallVector<Value> SolveOp::buildBatched(OpBuilder &b, Location loc,
                                         ValueRange operands,
                                         const llvm::SmallBitVector &batched,
                                         int64_t size) {
  if (batched[0] || batched[1] || batched[2])
    return widen(*this, b, loc, operands, batched, size);
  return {solveStack(b, loc, operands[3], /*right=*/false, [&](Value x) {
    Operation *made = b.clone(**this);
    made->setOperands({operands[0], operands[1], operands[2], x});
    return made;
  })};
}

//===----------------------------------------------------------------------===//
// Calls of kernels
//===----------------------------------------------------------------------===//

LogicalResult LibraryCallOp::verify() {
  // library_call_c1: all are tensors, or all are buffers.
  bool buffers = llvm::any_of((*this)->getOperandTypes(),
                              [](Type type) { return isa<MemRefType>(type); });
  for (Type type : (*this)->getOperandTypes())
    if (isa<MemRefType>(type) != buffers)
      return emitOpError() << "takes either tensors or buffers, got " << type;
  // library_call_c2: of static shape.
  for (Type type : (*this)->getOperandTypes())
    if (!cast<ShapedType>(type).hasStaticShape())
      return emitOpError() << "needs a static shape, got " << type;
  return success();
}

void LibraryCallOp::getEffects(
    SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>>
        &effects) {
  auto add = [&](MutableOperandRange operands, auto *effect) {
    for (OpOperand &operand : operands)
      if (isa<MemRefType>(operand.get().getType()))
        effects.emplace_back(effect, &operand,
                             SideEffects::DefaultResource::get());
  };
  add(getInputsMutable(), MemoryEffects::Read::get());
  add(getOutputsMutable(), MemoryEffects::Write::get());
}
