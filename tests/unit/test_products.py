"""Products and Einstein sums against NumPy: shapes, dtypes, derivatives, stacks."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import weft

pytestmark = pytest.mark.thorough

DTYPES = ["bool", "int8", "int32", "int64", "uint8", "uint64", "float32", "float64"]
Case = tuple[Callable[..., Any], Callable[..., Any], tuple[np.ndarray, ...]]


def drawn(shape: tuple[int, ...], dtype: str = "float64", seed: int = 0) -> np.ndarray:
    """Small whole numbers, so that sums are exact in every order."""
    random = np.random.default_rng([seed, *shape])
    if dtype == "bool":
        return np.asarray(random.random(shape) < 0.3)
    low = 0 if dtype.startswith("u") else -4
    return np.asarray(random.integers(low, 5, shape)).astype(dtype)


def check(cases: Sequence[Case]) -> None:
    """Computes all eagerly, and by one compiled program, and compares with NumPy."""
    wants = [np.asarray(theirs(*args)) for _, theirs, args in cases]
    eager = [ours(*args) for ours, _, args in cases]
    program = weft.jit(
        lambda all_args: [
            ours(*args) for (ours, _, _), args in zip(cases, all_args, strict=True)
        ]
    )
    compiled = program([args for _, _, args in cases])
    for (_, _, args), want, *gots in zip(cases, wants, eager, compiled, strict=True):
        for got in gots:
            np.testing.assert_array_equal(
                np.asarray(got), want, err_msg=str([x.shape for x in args])
            )
            assert got.dtype == want.dtype


def same(name: str, *args: np.ndarray, **options: Any) -> Case:
    """A function that both have."""
    return (
        lambda *xs: getattr(weft, name)(*xs, **options),
        lambda *xs: getattr(np, name)(*xs, **options),
        args,
    )


MATMUL = [
    ((3,), (3,)), ((2, 3), (3,)), ((3,), (3, 2)), ((2, 3), (3, 4)),
    ((5, 2, 3), (3, 4)), ((2, 3), (5, 3, 4)), ((5, 2, 3), (5, 3, 4)),
    ((1, 2, 3), (5, 3, 4)), ((5, 1, 2, 3), (1, 6, 3, 4)), ((5, 2, 3), (3,)),
    ((3,), (5, 3, 4)), ((6, 1, 2, 3), (5, 3, 1)), ((2, 0), (0, 3)), ((0, 3), (3, 2)),
    ((0, 2, 3), (1, 3, 2)), ((1, 1), (1, 1)), ((4, 1, 1), (1, 3)),
]  # fmt: skip
DOT = [
    ((), ()), ((), (2, 3)), ((2, 3), ()), ((3,), (3,)), ((2, 3), (3,)),
    ((3,), (2, 3, 4)), ((2, 3), (3, 4)), ((5, 2, 3), (6, 3, 4)), ((2, 0), (0, 3)),
]  # fmt: skip
INNER = [
    ((), (2,)), ((3,), (3,)), ((2, 3), (4, 3)), ((2, 5, 3), (3,)), ((2, 0), (3, 0)),
    ((2, 3), ()),
]  # fmt: skip
PAIRS = [((), ()), ((2,), (3,)), ((2, 3), (2, 2)), ((0,), (3,)), ((2, 1, 3), (4, 2))]


@pytest.mark.parametrize("dtype", DTYPES)
def test_products_equal_numpys(dtype: str) -> None:
    def operands(shapes: Any) -> tuple[np.ndarray, ...]:
        return tuple(drawn(shape, dtype, i) for i, shape in enumerate(shapes))

    cases = [same("matmul", *operands(shapes)) for shapes in MATMUL]
    cases += [same("dot", *operands(shapes)) for shapes in DOT]
    cases += [same("inner", *operands(shapes)) for shapes in INNER]
    cases += [same(n, *operands(p)) for n in ("outer", "kron") for p in PAIRS]
    cases += [same("vdot", *operands(((2, 3), (2, 3))))]
    check(cases)


def test_products_of_two_dtypes_are_promoted() -> None:
    x, y = drawn((2, 3), "int8"), drawn((3, 2), "int32")
    check([same("matmul", x, y), same("outer", x, y.astype("float64"))])


VECTORS = [
    ("vecdot", (2, 3), (2, 3), "ik,ik->i"), ("vecdot", (3,), (4, 3), "k,ik->i"),
    ("vecdot", (2, 1, 3), (5, 3), "ijk,jk->ij"), ("matvec", (2, 3), (3,), "mk,k->m"),
    ("matvec", (4, 2, 3), (3,), "imk,k->im"), ("matvec", (2, 3), (4, 3), "mk,ik->im"),
    ("matvec", (4, 2, 3), (1, 3), "imk,ik->im"), ("vecmat", (3,), (3, 2), "k,kn->n"),
    ("vecmat", (4, 3), (3, 2), "ik,kn->in"), ("vecmat", (3,), (4, 3, 2), "k,ikn->in"),
]  # fmt: skip


def test_products_of_vectors() -> None:
    def case(name: str, shape: Any, other: Any, subscripts: str) -> Case:
        return (
            getattr(weft, name),
            lambda x, y: np.einsum(subscripts, x, y),
            (drawn(shape), drawn(other, seed=1)),
        )

    check([case(*row) for row in VECTORS])
    x, y = drawn((3, 2)), drawn((3, 4, 2))
    got = weft.vecdot(x[:, None, :], y, axis=0)
    np.testing.assert_array_equal(got, np.einsum("iaj,ibj->bj", x[:, None, :], y))


AXES: list[tuple[Any, Any, Any]] = [
    ((2, 3), (3, 4), 1), ((2, 3), (2, 3), 2), ((2, 3), (4,), 0), ((2, 3, 4), (4, 3), 2),
    ((2, 3), (4, 3), (1, 1)), ((2, 3), (4, 3), (-1, -1)), ((2, 3), (4, 3), ([1], [1])),
    ((2, 3, 4), (4, 2), ([0, 2], [1, 0])), ((2, 3), (3, 2), ((0, 1), (1, 0))),
    ((0, 3), (3, 2), 1), ((2, 0), (0, 2), 1), ((2,), (3,), ((), ())),
]  # fmt: skip


def test_tensordot() -> None:
    cases = []
    for shape, other, axes in AXES:
        theirs = lambda x, y, axes=axes: np.tensordot(x, y, axes)  # noqa: E731
        if axes == 2 and (shape, other) == ((2, 3, 4), (4, 3)):
            continue  # its sizes differ: below
        ours = lambda x, y, axes=axes: weft.tensordot(x, y, axes)  # noqa: E731
        cases.append((ours, theirs, (drawn(shape), drawn(other, seed=1))))
    check(cases)


# ---- the dtype of the sums ----

WIDER = [
    ("int8", "int32"), ("int8", "float32"), ("uint8", "int32"), ("uint8", "uint64"),
    ("float32", "float64"), ("int64", "float64"), ("int32", "int32"),
]  # fmt: skip


@pytest.mark.parametrize(("dtype", "wider"), WIDER)
def test_sums_are_of_the_dtype_that_is_asked_for(dtype: str, wider: str) -> None:
    x, y = drawn((3, 40), dtype), drawn((40, 2), dtype, 1)
    if dtype != "float32":  # far beyond the range of the operands
        limits = np.iinfo(dtype)
        x[0], y[:, 0] = min(limits.max, 2**20), min(limits.max, 2**20)
    wide = x.astype(wider), y.astype(wider)
    check(
        [
            (lambda x, y: weft.matmul(x, y, preferred_element_type=wider),
             lambda *_: wide[0] @ wide[1], (x, y)),
            (lambda x, y: weft.einsum("ij,jk->k", x, y, preferred_element_type=wider),
             lambda *_: np.sum(wide[0] @ wide[1], axis=0, dtype=wider), (x, y)),
            (lambda x, y: weft.tensordot(x, y, 1, preferred_element_type=wider),
             lambda *_: wide[0] @ wide[1], (x, y)),
            (lambda x: weft.einsum("ij->j", x, preferred_element_type=wider),
             lambda _: np.sum(wide[0], axis=0, dtype=wider), (x,)),
        ]
    )  # fmt: skip


def test_sums_in_float64_keep_what_float32_loses() -> None:
    x = np.array([1e8, 1.0, -1e8], "float32")
    ones = np.ones(3, "float32")
    got = weft.jit(lambda x: weft.dot(x, ones, preferred_element_type=weft.float64))(x)
    assert got.dtype == weft.float64
    assert float(got) == 1.0


def test_derivatives_of_wider_sums_are_of_the_operands_dtypes() -> None:
    x, y = drawn((2, 3), "float32"), drawn((3, 4), "float32", 1)

    def loss(x: Any, y: Any) -> Any:
        product = weft.matmul(x, y, preferred_element_type=weft.float64)
        return weft.sum(product * product)

    def batched(x: Any, y: Any) -> Any:
        return weft.vmap(loss, in_axes=(0, None))(weft.stack([x, 2 * x]), y)

    for run in (lambda f: f, weft.jit):
        dx, dy = run(weft.grad(loss, argnums=(0, 1)))(x, y)
        assert (dx.dtype, dy.dtype) == (weft.float32, weft.float32)
        np.testing.assert_allclose(dx, 2 * (x @ y) @ y.T)
        np.testing.assert_allclose(dy, 2 * x.T @ (x @ y))
        primal, tangent = weft.jvp(run(loss), (x, y), (x, np.zeros_like(y)))
        assert tangent.dtype == weft.float64
        np.testing.assert_allclose(tangent, 2 * primal)
        np.testing.assert_allclose(run(batched)(x, y), [primal, 4 * primal])


@pytest.mark.parametrize(
    ("dtype", "chosen"),
    [("int32", "int8"), ("float32", "int32"), ("int8", "uint8"), ("int8", "uint32"),
     ("float64", "float32"), ("int8", "bool")],
)  # fmt: skip
def test_sums_cannot_be_of_a_dtype_that_does_not_fit(dtype: str, chosen: str) -> None:
    x = drawn((2, 2), dtype)
    with pytest.raises(weft.DTypeError, match=f"products of {dtype} cannot be summed"):
        weft.matmul(x, x, preferred_element_type=chosen)


def test_dot_general_takes_jaxs_dimension_numbers() -> None:
    x, y = drawn((5, 2, 3)), drawn((3, 5, 4), seed=1)
    got = weft.dot_general(x, y, (((2,), (0,)), ((0,), (1,))))
    np.testing.assert_array_equal(got, np.einsum("bik,kbj->bij", x, y))
    with pytest.raises(weft.ArgumentError, match="dimension_numbers"):
        weft.dot_general(x, y, ((2,), (0,), (1,)))  # type: ignore[arg-type]


# ---- einsum ----

EINSUMS = [
    ("ij,jk->ik", (2, 3), (3, 4)), ("ij,jk", (2, 3), (3, 4)), ("ba,bc", (2, 3), (2, 4)),
    ("ij->ji", (2, 3)), ("ij", (2, 3)), ("ji", (2, 3)), ("ij->", (2, 3)),
    ("ij->j", (2, 3)), ("ii->i", (3, 3)), ("ii", (3, 3)), ("ii->", (3, 3)),
    ("iij->ij", (2, 2, 3)), ("iji->j", (2, 3, 2)), ("iii->i", (2, 2, 2)),
    ("i,i->i", (3,), (3,)), ("i,i", (3,), (3,)), ("i,j->ij", (2,), (3,)),
    ("i,j->ji", (2,), (3,)), ("i,j->", (2,), (3,)), (",ij->ij", (), (2, 3)),
    (",", (), ()), ("->", ()), ("ij,ij->i", (2, 3), (2, 3)),
    ("bij,bjk->bik", (5, 2, 3), (5, 3, 4)), ("bij,jk->bik", (5, 2, 3), (3, 4)),
    ("...ij,...jk->...ik", (5, 2, 3), (3, 4)),
    ("...ij,...jk", (5, 2, 3), (6, 5, 3, 4)), ("i...,i...->...", (3, 2), (3, 4, 2)),
    ("...,...", (2, 3), (3,)), ("...->...", (2, 3)), ("i...->...i", (2, 3, 4)),
    ("...ii->...i", (4, 3, 3)), ("...ii->...", (4, 3, 3)), ("ij...->...", (2, 3, 4)),
    ("ij,jk,kl->il", (2, 3), (3, 4), (4, 5)), ("ij,jk,kl,lm", (2, 3), (3, 4), (4, 2),
                                               (2, 3)),
    ("i,i,i->i", (3,), (3,), (3,)), ("ij,ij,ij->", (2, 3), (2, 3), (2, 3)),
    ("ij,ik,il->jkl", (2, 3), (2, 2), (2, 4)),
    ("ab,cd,ef->ace", (2, 3), (1, 2), (2, 2)),
    ("ij,jk->ik", (1, 3), (3, 1)), ("ij,ij->ij", (1, 3), (2, 1)),
    ("ij,ij->", (1, 3), (2, 1)), ("ij,jk->ik", (2, 1), (3, 4)),
    ("ij,jk->", (2, 0), (0, 3)),
    ("ij,jk->ik", (2, 0), (0, 3)), ("ij->i", (2, 0)), ("ij,jk->ik", (0, 3), (3, 2)),
    ("ii", (0, 0)), ("aab,bcc->ac", (2, 2, 3), (3, 4, 4)), ("bB,Bb->", (2, 3), (3, 2)),
    ("...i,...i", (1, 3), (2, 3)), (" i j , j k -> i k ", (2, 3), (3, 4)),
]  # fmt: skip


@pytest.mark.parametrize("dtype", DTYPES)
def test_einsum_equals_numpys(dtype: str) -> None:
    check(
        [
            same_einsum(text, *(drawn(s, dtype, i) for i, s in enumerate(shapes)))
            for text, *shapes in EINSUMS
        ]
    )


def same_einsum(text: str, *args: np.ndarray, **options: Any) -> Case:
    return (
        lambda *xs: weft.einsum(text, *xs, **options),
        lambda *xs: np.einsum(text, *xs),
        args,
    )


def test_einsum_takes_operands_and_lists_of_labels() -> None:
    x, y = drawn((2, 3)), drawn((3, 4), seed=1)
    both = [
        lambda m, x, y: m.einsum(x, [0, 1], y, [1, 2], [0, 2]),
        lambda m, x, y: m.einsum(x, [0, 1], y, [1, 2]),
        lambda m, x, y: m.einsum(x, [0, 1], y, [1, 2], [2, 0]),
        lambda m, x, y: m.einsum(x, [Ellipsis, 5], y, [5, 7], [7, Ellipsis]),
        lambda m, x, y: m.einsum(x, [3, 1], [1]),
        lambda m, x, y: m.einsum(x, [12, 3]),
    ]
    for function in both:
        np.testing.assert_array_equal(function(weft, x, y), function(np, x, y))


@pytest.mark.parametrize(
    "optimize", [True, False, "greedy", "optimal", "dp", ("greedy", 100),
                 ["einsum_path", (0, 1), (0, 1)], [(0, 2), (0, 1)], [(0, 1, 2)]],
)  # fmt: skip
def test_einsum_along_any_path(optimize: Any) -> None:
    args = drawn((2, 3)), drawn((3, 4), seed=1), drawn((4, 2), seed=2)
    got = weft.einsum("ij,jk,kl->li", *args, optimize=optimize)
    np.testing.assert_array_equal(got, np.einsum("ij,jk,kl->li", *args))


def test_einsum_path() -> None:
    args = drawn((2, 9)), drawn((9, 9), seed=1), drawn((9, 1), seed=2)
    path, description = weft.einsum_path("ij,jk,kl->il", *args, optimize="optimal")
    assert path == ["einsum_path", (1, 2), (0, 1)]
    assert "Optimized FLOP count" in description
    got = weft.einsum("ij,jk,kl->il", *args, optimize=path)
    np.testing.assert_array_equal(got, args[0] @ args[1] @ args[2])


MISTAKES: list[tuple[str, tuple[Any, ...], type[Exception], str]] = [
    ("ij,jk->ik", ((2, 3), (4, 5)), weft.ShapeError, "'j' has the sizes 3 and 4"),
    ("ij,jk->ik", ((2, 3),), weft.ArgumentError, "2 terms for 1 operands"),
    ("ij->ik", ((2, 3),), weft.ArgumentError, "the result names 'k', which no"),
    ("ij->ii", ((2, 3),), weft.ArgumentError, "the result names 'i' twice"),
    ("ijk->i", ((2, 3),), weft.ShapeError, "has 2 axes, and its term names 3"),
    ("i->i", ((2, 3),), weft.ShapeError, "has 2 axes, and its term names 1"),
    ("i1->i", ((2, 3),), weft.ArgumentError, "has '1' in a term"),
    ("i->j->k", ((2,),), weft.ArgumentError, "has '-' in a term"),
    ("...i...->i", ((2, 3),), weft.ArgumentError, "has '.' in a term"),
    ("ii->i", ((2, 3),), weft.ShapeError, "'i' has the sizes 2 and 3"),
    ("...i,...i", ((2, 3), (4, 3)), weft.ShapeError, "an axis of '...' has the sizes"),
]


@pytest.mark.parametrize(("text", "shapes", "error", "match"), MISTAKES)
def test_einsum_says_what_is_wrong(
    text: str, shapes: Any, error: type[Exception], match: str
) -> None:
    with pytest.raises(error, match=match.replace("...", r"\.\.\.")):
        weft.einsum(text, *(np.ones(shape) for shape in shapes))


@st.composite
def einsums(draw: Any) -> tuple[str, list[tuple[int, ...]]]:
    """Random subscripts and shapes that fit them."""
    sizes = {letter: draw(st.integers(0, 3)) for letter in "abcd"}
    terms, shapes = [], []
    dots = draw(st.lists(st.integers(1, 2), max_size=2))
    for _ in range(draw(st.integers(1, 4))):
        term = draw(st.text("abcd", max_size=3))
        shape = [sizes[letter] for letter in term]
        if len(set(term)) == len(term):  # NumPy repeats no axis of a diagonal
            shape = [1 if n and draw(st.integers(0, 9)) == 0 else n for n in shape]
        if draw(st.booleans()):
            at, count = draw(st.integers(0, len(term))), draw(st.integers(0, len(dots)))
            term = f"{term[:at]}...{term[at:]}"
            shape[at:at] = dots[len(dots) - count :]
        terms.append(term)
        shapes.append(tuple(shape))
    text = ",".join(terms)
    if draw(st.booleans()) or ("..." in text and draw(st.booleans())):
        letters = sorted(set(text) - set(".,"))
        kept = draw(st.permutations(letters))[: draw(st.integers(0, len(letters)))]
        text += "->" + "..." * ("..." in text) + "".join(kept)
    return text, shapes


@settings(max_examples=150, deadline=None)
@given(einsums())
def test_random_einsums(case: tuple[str, list[tuple[int, ...]]]) -> None:
    text, shapes = case
    args = [drawn(shape, seed=i) for i, shape in enumerate(shapes)]
    want = np.einsum(text, *args, optimize=False)
    np.testing.assert_array_equal(weft.einsum(text, *args), want)


def test_random_einsums_compiled() -> None:
    random = np.random.default_rng(5)
    cases = []
    for seed in range(40):
        letters = "".join(random.choice(list("abcde"), 5, replace=False))
        cut = int(random.integers(1, 4))
        terms = [letters[:cut], letters[cut - 1 : cut + 2], letters[cut:]]
        sizes = {letter: int(random.integers(1, 4)) for letter in "abcde"}
        kept = "".join(random.permutation(sorted({*"".join(terms)}))[:2])
        shapes = [tuple(sizes[letter] for letter in term) for term in terms]
        args = [drawn(shape, seed=seed + i) for i, shape in enumerate(shapes)]
        cases.append(same_einsum(f"{','.join(terms)}->{kept}", *args))
    check(cases)


# ---- derivatives and stacks ----

SMOOTH = [
    ("ij,jk->ik", (2, 3), (3, 2)), ("ii->i", (3, 3)), ("ij->i", (2, 3)),
    ("ij,jk,kl->il", (2, 2), (2, 3), (3, 2)), ("...ij,...jk->...ik", (2, 2, 2), (2, 2)),
    ("ij,ij->j", (1, 3), (2, 3)),
]  # fmt: skip


def test_derivatives_of_einsums() -> None:
    groups = [
        tuple(weft.asarray(drawn(shape, seed=i)) for i, shape in enumerate(shapes))
        for _, *shapes in SMOOTH
    ]

    def products(groups: Any) -> list[Any]:
        return [
            weft.einsum(text, *args)
            for (text, *_), args in zip(SMOOTH, groups, strict=True)
        ]

    weft.testing.check_grads(products, (groups,), order=1)


def test_stacks_of_products() -> None:
    x, y = drawn((4, 2, 3)), drawn((3, 2), seed=1)
    for in_axes, args in (((0, None), (x, y)), ((None, 0), (x[0], np.stack([y] * 4)))):
        for ours, theirs in ((weft.matmul, np.matmul), (weft.kron, np.kron),
                             (weft.outer, np.outer)):  # fmt: skip
            got = weft.jit(weft.vmap(ours, in_axes=in_axes))(*args)
            rows = range(4)
            want = [
                theirs(*(a if axis is None else a[i] for a, axis in zip(args, in_axes,
                                                                        strict=True)))
                for i in rows
            ]  # fmt: skip
            np.testing.assert_array_equal(got, np.stack(want))


@pytest.mark.parametrize("device", ["cpu", "cuda-sim"])
@pytest.mark.parametrize("dtype", ["float32", "int8", "complex64"])
@pytest.mark.parametrize("rows", [1, 3, 4])
def test_transposed_factors_of_few_rows(rows: int, dtype: str, device: str) -> None:
    """Which are read where they lie if each element is read fewer than 4 times."""
    x, y = drawn((2, rows, 9), dtype), drawn((2, 21, 9), dtype)
    if dtype == "complex64":
        x, y = x + 1j * x[..., ::-1], y - 1j * y[..., ::-1]
    a, b = (weft.asarray(z).to(device) for z in (x, y))

    def products(m: Any, x: Any, y: Any) -> Any:
        yield x @ m.swapaxes(y, 1, 2)
        yield y @ m.swapaxes(x, 1, 2)
        yield x[0] @ y[0].T
        yield m.swapaxes(y, 1, 2) @ y[:, :, :1]
        yield y[1].T @ y[1, :, 0]

    got = weft.jit(lambda x, y: tuple(products(weft, x, y)))(a, b)
    for one, want in zip(got, products(np, x, y), strict=True):
        np.testing.assert_array_equal(np.asarray(one), want)


@pytest.mark.parametrize(
    "dtype", ["float32", "float64", "int32", "int8", "bfloat16", "float16"]
)
@pytest.mark.parametrize(
    ("rows", "steps", "columns"),
    [(1, 600, 5000), (3, 1000, 700), (20, 600, 1003), (100, 777, 300), (513, 64, 200),
     (16, 16, 16), (30, 17, 4100), (7, 1030, 70), (2, 900, 1500), (5, 900, 1501)],
)  # fmt: skip
def test_rows_by_a_factor_that_is_much_larger(
    rows: int, steps: int, columns: int, dtype: str
) -> None:
    """Read along by few, copied block by block for some, turned if transposed."""
    x, y, bias = drawn((rows, steps)), drawn((steps, columns)), drawn((columns,))

    @weft.jit
    def program(x: Any, y: Any, turned: Any, bias: Any) -> Any:
        def step(i: Any, sums: Any) -> Any:
            return sums + x @ turned.T

        twice = weft.fori_loop(0, 2, step, weft.zeros((rows, columns), x.dtype))
        bent = weft.where(x @ y + bias > 0, 1, -1)
        stack = weft.stack([x, 2 * x]) @ weft.stack([turned, turned]).mT
        return x @ y, x @ turned.T, (turned @ x.T).T, stack[0], twice - x @ y, bent

    args = (weft.asarray(a).astype(dtype) for a in (x, y, y.T, bias))
    *products, bent = (np.asarray(a).astype(float) for a in program(*args))
    want = x @ y
    if dtype == "int8":
        want = want.astype(np.int8).astype(float)
        bias = (want + bias).astype(np.int8) - want
    rounds = {"bfloat16": 2.0**-7, "float16": 2.0**-10}.get(dtype, 0)
    for product in products:
        np.testing.assert_allclose(product, want, rtol=rounds, atol=rounds)
    np.testing.assert_array_equal(bent, np.where(want + bias > 0, 1, -1))


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "bfloat16"])
@pytest.mark.parametrize(
    ("steps", "rows", "columns"),
    [(300, 1001, 64), (37, 1024, 33), (700, 515, 200), (256, 640, 8)],
)
def test_factors_whose_rows_lie_side_by_side(
    steps: int, rows: int, columns: int, dtype: str
) -> None:
    """Blocks of them are copied before they are read."""
    x, y = drawn((2, steps, rows)), drawn((2, steps, columns), seed=1)
    bias = drawn((columns,), seed=2)

    @weft.jit
    def program(x: Any, y: Any, bias: Any) -> Any:
        wider = weft.einsum("bkm,bkn->bmn", x, y, preferred_element_type="float64")
        return weft.matmul(x.mT, y), wider, weft.tanh(weft.matmul(x.mT, y) + bias)

    args = (weft.asarray(a).astype(dtype) for a in (x, y, bias))
    plain, wider, bent = (np.asarray(a).astype(float) for a in program(*args))
    want = x.mT @ y
    rounds = 2.0**-8 if dtype == "bfloat16" else 0
    np.testing.assert_allclose(plain, want, rtol=rounds, atol=0)
    np.testing.assert_array_equal(wider, want)
    np.testing.assert_array_equal(bent > 0, want + bias > 0)


ERRORS: list[tuple[Callable[[], Any], type[Exception], str]] = [
    (lambda: weft.dot(np.ones((2, 3)), np.ones((2, 3))), weft.ShapeError,
     "axis -1 of the left operand has 3 elements and axis -2 of the right one has 2"),
    (lambda: weft.inner(np.ones(2), np.ones(3)), weft.ShapeError, "must be equal"),
    (lambda: weft.vdot(np.ones(2), np.ones(3)), weft.ShapeError, "must be equal"),
    (lambda: weft.matvec(np.ones(3), np.ones(3)), weft.ShapeError, "no axis -2"),
    (lambda: weft.matmul(np.ones((2, 2, 3)), np.ones((4, 3, 2))), weft.ShapeError,
     "do not broadcast"),
    (lambda: weft.tensordot(np.ones((2, 3, 4)), np.ones((4, 3))), weft.ShapeError,
     "have the sizes"),
    (lambda: weft.tensordot(np.ones(2), np.ones(2), axes=2), weft.ArgumentError,
     "2 axes cannot be contracted"),
    (lambda: weft.tensordot(np.ones((2, 3)), np.ones(3), axes=([0, 1], [0])),
     weft.ArgumentError, "names 2 axes of the left operand and 1"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "error", "match"), ERRORS)
def test_errors_name_the_shapes(
    call: Callable[[], Any], error: type[Exception], match: str
) -> None:
    with pytest.raises(error, match=match):
        call()


@pytest.mark.parametrize("registers", [4, 8, 16])
@pytest.mark.parametrize(("rows", "steps", "columns"), [(2, 18, 16), (5, 1025, 1000)])
def test_few_rows_where_registers_are_fewer(
    rows: int, steps: int, columns: int, registers: int
) -> None:
    x, y = drawn((rows, steps)), drawn((columns, steps), seed=1)
    text = weft.jit(lambda x, y: x @ y.T).lower(x, y).text("expanded", locations=False)
    machine = (
        f"attributes {{weft.machine = {{vector_registers = {registers} : i64}}}} {{"
    )
    run = weft.parse(text.replace("module {", f"module {machine}", 1)).compile()
    np.testing.assert_array_equal(np.asarray(run(x, y)), x @ y.T)


# Of factors that no vectors can be read of as they lie, or short ones.
ORDERS: list[tuple[str, dict[str, int]]] = [
    ("cb,abc->a", {"a": 40, "b": 30, "c": 32}),
    ("dc,abcd->ab", {"a": 9, "b": 13, "c": 5, "d": 48}),
    ("acd,bdc->ba", {"a": 33, "b": 20, "c": 7, "d": 40}),
    ("acd,cbd->ba", {"a": 32, "b": 128, "c": 5, "d": 256}),
    ("bda,cd->abc", {"a": 12, "b": 5, "c": 64, "d": 70}),
    ("abce,dae->dacb", {"a": 8, "b": 2, "c": 64, "d": 31, "e": 5}),
    ("bfea,cefd->bacd", {"a": 2, "b": 10, "c": 4, "d": 2, "e": 20, "f": 33}),
    ("bae,cde->dabc", {"a": 64, "b": 2, "c": 4, "d": 50, "e": 4}),
    ("facb,edaf->dcaeb", {"a": 3, "b": 3, "c": 20, "d": 5, "e": 9, "f": 32}),
    ("cad,dcba->ba", {"a": 4, "b": 50, "c": 12, "d": 32}),
]  # fmt: skip


@pytest.mark.parametrize("dtype", ["float32", "float64", "bfloat16", "int8", "int32"])
@pytest.mark.parametrize(("spec", "extents"), ORDERS, ids=[s for s, _ in ORDERS])
def test_factors_in_any_order(spec: str, extents: dict[str, int], dtype: str) -> None:
    rng = np.random.default_rng(0)
    terms = spec.split("->")[0].split(",")
    x, y = (rng.integers(-1, 2, [extents[c] for c in term]) for term in terms)

    def results(x: Any, y: Any) -> Any:
        product = weft.einsum(spec, x, y)
        return product, weft.maximum(product, 0) + 1

    given = [weft.asarray(array).astype(dtype) for array in (x, y)]
    wanted = np.einsum(spec, x, y)
    assert np.abs(wanted).max() < 127
    for found, one in zip(
        weft.jit(results)(*given), (wanted, np.maximum(wanted, 0) + 1), strict=True
    ):
        np.testing.assert_array_equal(np.asarray(found).astype(np.int64), one)


PARTS: dict[str, Callable[[Any], Any]] = {
    "whole": lambda x: x[:32, :32],
    "columns": lambda x: x[:32, 1:64:2],
    "rows": lambda x: x[1:64:2, :32],
    "both": lambda x: x[:64:2, 1:64:2],
    "backwards": lambda x: x[::-1, ::-1][:32, :32],
    "transposed": lambda x: x[:64:2, ::2].T,
}


@pytest.mark.parametrize("dtype", ["float32", "float64", "bfloat16", "int8"])
@pytest.mark.parametrize("first", PARTS)
def test_factors_with_gaps(first: str, dtype: str) -> None:
    """And one channel of several, and results that are put into such parts."""
    rng = np.random.default_rng(0)
    x = rng.integers(-1, 2, (64, 64))
    images = rng.integers(-1, 2, (32, 48, 3))

    def results(x: Any, images: Any) -> list[Any]:
        f, found = PARTS[first], []
        for name in ("columns", "both", "transposed"):
            second = PARTS[name](x)
            found += [f(x)[:, :32] @ second, second @ f(x)[:32].T]
        found.append(f(x)[:32, :32] @ images[:, :, 1])
        whole = 0 * images if isinstance(x, np.ndarray) else weft.zeros_like(images)
        if isinstance(x, np.ndarray):
            whole[:, :, 2] = found[-1]
        else:
            whole = whole.at[:, :, 2].set(found[-1])
        return [*found, whole]

    given = [weft.asarray(array).astype(dtype) for array in (x, images)]
    for found, one in zip(weft.jit(results)(*given), results(x, images), strict=True):
        np.testing.assert_array_equal(np.asarray(found).astype(np.int64), one)


def test_derivatives_of_factors_with_gaps() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((64, 100)), rng.standard_normal((100, 64, 3))

    def loss(x: Any, y: Any) -> Any:
        return ((x[::2, 1::2].T @ y[:64:2, :, 1]) ** 2).sum()

    found = weft.jit(weft.grad(loss, argnums=(0, 1)))(x, y)
    wanted = [np.zeros_like(x), np.zeros_like(y)]
    first, second = x[::2, 1::2], y[:64:2, :, 1]
    product = 2 * (first.T @ second)
    wanted[0][::2, 1::2] = second @ product.T
    wanted[1][:64:2, :, 1] = first @ product
    for array, one in zip(found, wanted, strict=True):
        np.testing.assert_allclose(np.asarray(array), one, rtol=1e-12, atol=1e-12)


def test_derivatives_of_factors_in_any_order() -> None:
    rng = np.random.default_rng(0)
    for spec, extents in ORDERS:
        terms = spec.split("->")[0].split(",")
        x, y = (rng.standard_normal([extents[c] for c in term]) for term in terms)
        found = weft.grad(
            lambda x, y, spec=spec: (weft.einsum(spec, x, y) ** 2).sum(), argnums=(0, 1)
        )(x, y)
        product = 2 * np.einsum(spec, x, y)
        out = spec.split("->")[1]
        wanted = (
            np.einsum(f"{out},{terms[1]}->{terms[0]}", product, y),
            np.einsum(f"{out},{terms[0]}->{terms[1]}", product, x),
        )
        for one, other in zip(found, wanted, strict=True):
            np.testing.assert_allclose(np.asarray(one), other, rtol=1e-10, atol=1e-10)
