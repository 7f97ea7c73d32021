// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Derivative rules of linear algebra build ops on matrices here.

#include "dialects/MatrixCalculus.h"

using namespace mlir;
namespace weft::calculus {

template <typename Op, typename... Args>
static Tensor build(Tensor x, Args &&...args) {
  return x.with(x.b->createOrFold<Op>(x.loc, std::forward<Args>(args)...));
}

int64_t rows(Tensor x) { return x.type().getShape().end()[-2]; }
int64_t columns(Tensor x) { return x.type().getShape().back(); }

static SmallVector<int64_t> upTo(int64_t end) {
  return llvm::to_vector(llvm::seq<int64_t>(0, end));
}

Tensor matmul(Tensor x, Tensor y) {
  if (!x || !y)
    return none;
  int64_t rank = x.type().getRank();
  SmallVector<int64_t> batch = upTo(rank - 2), left{rank - 1}, right{rank - 2};
  return build<DotGeneralOp>(x, x.value, y.value, batch, batch, left, right);
}

static bool isComplex(Tensor x) {
  return isa<ComplexType>(x.type().getElementType());
}
Tensor conjugate(Tensor x) { return x && isComplex(x) ? conj(x) : x; }
Tensor realPart(Tensor x) { return x && isComplex(x) ? real(x) : x; }
Tensor adjoint(Tensor x) { return conjugate(transposed(x)); }
Tensor promote(Tensor real, Tensor x) {
  if (!real || !isComplex(x) || isComplex(real))
    return real;
  return complexOf(real, zeros(real));
}

Tensor transposed(Tensor x) {
  if (!x)
    return none;
  SmallVector<int64_t> permutation = upTo(x.type().getRank());
  std::swap(permutation.end()[-1], permutation.end()[-2]);
  return transpose(x, permutation);
}

//===----------------------------------------------------------------------===//
// Triangles and diagonals
//===----------------------------------------------------------------------===//

/// The number of the row, or of the column, of each element.
static Tensor numbers(Tensor x, bool ofColumns) {
  int64_t rank = x.type().getRank();
  auto type = x.type().clone(IntegerType::get(x.value.getContext(), 64));
  return x.with(
      IotaOp::create(*x.b, x.loc, type, ofColumns ? rank - 1 : rank - 2));
}

Tensor lower(Tensor x, int64_t offset) {
  if (!x)
    return none;
  Tensor row = numbers(x, false), column = numbers(x, true);
  return select(greater(column, row + double(offset)), zeros(x), x);
}
Tensor upper(Tensor x, int64_t offset) {
  if (!x)
    return none;
  Tensor row = numbers(x, false), column = numbers(x, true);
  return select(greater(row + double(offset), column), zeros(x), x);
}

static Tensor onDiagonal(Tensor x) {
  return equal(numbers(x, false), numbers(x, true));
}

Tensor identityLike(Tensor x) {
  return select(onDiagonal(x), constant(x, 1.0), zeros(x));
}

Tensor halfLower(Tensor x) {
  if (!x)
    return none;
  return lower(select(onDiagonal(x), x * 0.5, x));
}

Tensor symmetricFromLower(Tensor x) {
  if (!x)
    return none;
  Tensor half = halfLower(x);
  return half + adjoint(half);
}

/// A vector as a matrix like `x`, along its rows or along its columns.
static Tensor spread(Tensor v, Tensor x, bool ofColumns) {
  SmallVector<int64_t> dims = upTo(x.type().getRank() - 2);
  dims.push_back(x.type().getRank() - (ofColumns ? 1 : 2));
  return broadcast(v, x.type().getShape(), dims);
}
Tensor scaleColumns(Tensor x, Tensor v) {
  if (!x || !v)
    return none;
  return x * spread(promote(v, x), x, /*ofColumns=*/true);
}
Tensor scaleRows(Tensor v, Tensor x) {
  if (!x || !v)
    return none;
  return x * spread(promote(v, x), x, /*ofColumns=*/false);
}

/// A square matrix whose columns are `v`.
static Tensor repeated(Tensor v) {
  SmallVector<int64_t> shape(v.type().getShape());
  shape.push_back(shape.back());
  return broadcast(v, shape, upTo(v.type().getRank()));
}

Tensor diagonalMatrix(Tensor v) {
  if (!v)
    return none;
  Tensor columns = repeated(v);
  return select(onDiagonal(columns), columns, zeros(columns));
}

Tensor diagonalOfProduct(Tensor x, Tensor y) {
  return sum(x * transposed(y), {x.type().getRank() - 1});
}

Tensor reciprocalDifferences(Tensor x) {
  Tensor below = repeated(x), diagonal = onDiagonal(below);
  Tensor difference = transposed(below) - below;
  // The inner choice keeps derivatives away from 1 / 0.
  Tensor safe = select(diagonal, constant(below, 1.0), difference);
  return select(diagonal, zeros(below), 1.0 / safe);
}

//===----------------------------------------------------------------------===//
// Parts
//===----------------------------------------------------------------------===//

static Tensor take(Tensor x, int64_t dim, int64_t start, int64_t size) {
  if (!x || x.type().getDimSize(dim) == size)
    return x;
  SmallVector<int64_t> from(x.type().getRank(), 0), to(x.type().getShape()),
      step(x.type().getRank(), 1);
  from[dim] = start;
  to[dim] = start + size;
  return slice(x, from, to, step);
}
Tensor takeRows(Tensor x, int64_t start, int64_t size) {
  return x ? take(x, x.type().getRank() - 2, start, size) : none;
}
Tensor takeColumns(Tensor x, int64_t start, int64_t size) {
  return x ? take(x, x.type().getRank() - 1, start, size) : none;
}
Tensor joinRows(Tensor x, Tensor y) {
  return concatenate(x, y, x.type().getRank() - 2);
}
Tensor joinColumns(Tensor x, Tensor y) {
  return concatenate(x, y, x.type().getRank() - 1);
}

Tensor permuteRows(Tensor x, Value permutation) {
  if (!x || rows(x) == 0)
    return x;
  int64_t rank = x.type().getRank(), dim = rank - 2;
  SmallVector<int64_t> sizes(rank, 1);
  sizes.back() = columns(x);
  return build<GatherOp>(x, x.value, permutation, dim, sizes, dim, upTo(dim),
                         /*clip=*/true);
}
Tensor unpermuteRows(Tensor x, Value permutation) {
  if (!x || rows(x) == 0)
    return x;
  int64_t dim = x.type().getRank() - 2;
  return build<ScatterAddOp>(x, zeros(x).value, x.value, permutation, dim, dim,
                             upTo(dim), /*clip=*/true);
}

Tensor triangularSolve(Tensor a, Tensor b, unsigned triangle) {
  if (!b)
    return none;
  // a^H y = b is conj(a^T conj(y) = conj(b)).
  if (triangle & isAdjoint)
    return conjugate(
        triangularSolve(a, conjugate(b), triangle ^ isAdjoint ^ isTransposed));
  return build<TriangularSolveOp>(
      b, a.value, b.value, bool(triangle & onRight), bool(triangle & isUpper),
      bool(triangle & isTransposed), bool(triangle & hasUnitDiagonal));
}

} // namespace weft::calculus
