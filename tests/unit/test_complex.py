"""Complex numbers: promotion, Python's numbers, special values, derivatives."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import cmath
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import weft
from weft.errors import DTypeError, TransformError
from weft.ops.parts import join
from weft.testing import check_grads

pytestmark = pytest.mark.thorough

Z = np.array([1 + 2j, -0.5 + 0.3j, 2 - 1.5j], np.complex128)
INF, NAN = float("inf"), float("nan")


# ---- dtypes ----


@pytest.mark.parametrize(
    ("x", "y", "want"),
    [
        (weft.float32, weft.complex64, "complex64"),
        (weft.float64, weft.complex64, "complex128"),
        (weft.int32, weft.complex64, "complex128"),
        (weft.int16, weft.complex64, "complex64"),
        (weft.bool, weft.complex64, "complex64"),
        (weft.float16, weft.complex64, "complex64"),
        (weft.complex64, weft.complex128, "complex128"),
    ],
)
def test_promotion_is_numpys(x: Any, y: Any, want: str) -> None:
    assert weft.result_type(x, y) == np.dtype(want) == weft.result_type(y, x)
    assert np.result_type(x, y) == np.dtype(want)


@pytest.mark.parametrize(
    ("dtype", "want"),
    [
        ("bool", "complex64"),
        ("int64", "complex64"),
        ("float16", "complex64"),
        ("float32", "complex64"),
        ("float64", "complex128"),
        ("complex64", "complex64"),
        ("complex128", "complex128"),
    ],
)
def test_python_numbers_are_weak(dtype: str, want: str) -> None:
    x = weft.ones(2, dtype=dtype)
    for product in (x * 1j, 1j * x, weft.jit(lambda x: x * 1j)(x)):
        assert product.dtype == np.dtype(want)
    traced = weft.jit(lambda x, y: (x * y, y))(x, 2j)
    assert [str(y.dtype) for y in traced] == [want, "complex64"]


def test_python_numbers_keep_their_precision() -> None:
    third = weft.jit(lambda x, y: x * (y / 3))(np.complex128(1), 1j)
    assert third.item() == 1j / 3


def test_python_sees_complex_numbers() -> None:
    z = weft.asarray(1 + 2j)
    assert (z.item(), complex(z), z.dtype) == (1 + 2j, 1 + 2j, weft.complex64)
    assert weft.asarray([[1, 2j]]).dtype == weft.complex64
    assert repr(weft.asarray([1j])) == "Array([0.+1.j], dtype=complex64)"
    assert weft.jit(lambda: 1j)().dtype == weft.complex64
    assert (z.real.item(), z.imag.item(), z.conj().item()) == (1, 2, 1 - 2j)
    with pytest.raises(TypeError):
        float(z)


def test_questions_about_dtypes() -> None:
    assert weft.isdtype(weft.complex64, "complex floating")
    assert weft.isdtype(weft.complex128, "numeric")
    assert not weft.isdtype(weft.complex64, "real floating")
    assert weft.finfo(weft.complex128).eps == np.finfo(np.float64).eps
    assert weft.can_cast(weft.float32, weft.complex64)
    assert not weft.can_cast(weft.complex64, weft.float64)


def test_memory_is_shared_through_dlpack() -> None:
    assert np.shares_memory(np.from_dlpack(weft.asarray(Z)), Z)
    np.testing.assert_array_equal(weft.from_dlpack(Z).data, Z)


REFUSED: list[tuple[Callable[..., Any], str]] = [
    (lambda z: weft.astype(z, "float32"), "weft.imag"),
    (lambda z: weft.convert(z, "int64"), "weft.real"),
    (lambda z: weft.full(2, 1j, dtype="float32"), "weft.real"),
    (lambda z: weft.reduce_window_max(z, 2), "window_max does not take complex128"),
    (weft.argmax, "argmax does not take complex128"),
    (weft.max, "max does not take complex128"),
    (weft.cummax, "cummax does not take complex128"),
    (weft.floor, "floor does not take complex128"),
    (weft.erf, "erf does not take complex128"),
    (lambda z: z < 1, "less does not take complex128"),
    (lambda z: weft.maximum(z, 1), "maximum does not take complex128"),
    (lambda z: z % 2, "remainder does not take complex128"),
    (lambda z: weft.clip(z, 0, 1), "does not take complex128"),
    (lambda z: weft.bitcast(z, "int64"), "bitcast does not take complex128"),
]


@pytest.mark.parametrize(("function", "message"), REFUSED)
def test_what_has_no_meaning_is_refused(
    function: Callable[..., Any], message: str
) -> None:
    for call in (function, weft.jit(function)):
        with pytest.raises(DTypeError, match=message):
            call(weft.asarray(Z))


# ---- values ----


def test_functions_of_the_namespace_mean_numpys() -> None:
    m = np.arange(12.0).reshape(3, 4) * (1 + 0.5j) + 1j
    pairs: list[tuple[Callable[[Any], Any], Any]] = [
        (weft.mean, np.mean(m)),
        (weft.var, np.var(m)),
        (weft.std, np.std(m)),
        (lambda z: weft.sum(z, axis=0), np.sum(m, axis=0)),
        (weft.prod, np.prod(m)),
        (lambda z: z @ z.T, m @ m.T),
        (lambda z: weft.vecdot(z, 2j * z), np.vecdot(m, 2j * m)),
        (lambda z: weft.outer(z[0], z[1]), np.outer(m[0], m[1])),
        (weft.angle, np.angle(m)),
        (lambda z: weft.cumsum(z, 0), np.cumsum(m, 0)),
        (lambda z: weft.cumprod(z, 1), np.cumprod(m, 1)),
        (weft.linalg.norm, np.linalg.norm(m)),
        (lambda z: weft.linalg.norm(z, 1), np.linalg.norm(m, 1)),
        (lambda z: weft.linalg.vector_norm(z, ord=3), np.linalg.vector_norm(m, ord=3)),
        (weft.count_nonzero, np.count_nonzero(m)),
        (weft.any, np.any(m)),
        (lambda z: weft.take(z, weft.asarray([2, 0]), axis=0), m[[2, 0]]),
        (lambda z: z.at[1, 2].add(1j), m + 1j * np.eye(3, 4, 1) * [0, 0, 1, 0]),
        (lambda z: weft.where(weft.real(z) > 3, z, 0), np.where(m.real > 3, m, 0)),
        (lambda z: weft.linspace(z[0, 0], z[2, 3], 5),
         np.linspace(m[0, 0], m[2, 3], 5)),
        (lambda z: weft.concatenate([z, weft.conj(z)]),
         np.concatenate([m, m.conj()])),
        (lambda z: z ** 2, m * m),
        (lambda z: weft.exp(z / 4), np.exp(m / 4)),
    ]  # fmt: skip
    values = weft.jit(lambda z: [f(z) for f, _ in pairs])(m)
    for (f, want), got in zip(pairs, values, strict=True):
        np.testing.assert_allclose(np.asarray(got), want, 1e-12, 1e-12)
        np.testing.assert_allclose(np.asarray(f(weft.asarray(m))), want, 1e-12, 1e-12)


def test_loops_and_branches_carry_complex_numbers() -> None:
    @weft.jit
    def spiral(z: Any) -> Any:
        total = weft.fori_loop(0, 5, lambda i, c: c * z + 1, 0j * z)
        kept = weft.cond(weft.abs(z) > 1, lambda z: z / weft.abs(z), lambda z: z, z)
        last = weft.while_loop(lambda c: weft.abs(c) < 9, lambda c: c * (1 + 1j), z)
        return total, kept, last

    z = 1.2 - 0.7j
    total, kept, last = spiral(z)
    want = 0j
    for _ in range(5):
        want = want * z + 1
    ends = z
    while abs(ends) < 9:
        ends *= 1 + 1j
    np.testing.assert_allclose(total.item(), want, 1e-5)
    np.testing.assert_allclose(kept.item(), z / abs(z), 1e-6)
    np.testing.assert_allclose(last.item(), ends, 1e-5)


# C99, Annex G (and F for functions that NumPy lacks): what each is at awkward numbers.
LN2 = cmath.log(2).real
SPECIAL: list[tuple[str, complex, complex]] = [
    ("sqrt", complex(-4, 0.0), complex(0, 2)),
    ("sqrt", complex(-4, -0.0), complex(0, -2)),
    ("sqrt", complex(-0.0, 0.0), complex(0.0, 0.0)),
    ("sqrt", complex(-0.0, -0.0), complex(0.0, -0.0)),
    ("sqrt", complex(NAN, INF), complex(INF, INF)),
    ("sqrt", complex(-INF, 1), complex(0, INF)),
    ("sqrt", complex(INF, -1), complex(INF, -0.0)),
    ("sqrt", complex(1e308, 1e308), cmath.sqrt(1 + 1j) * 1e154),
    ("log", complex(0.0, 0.0), complex(-INF, 0.0)),
    ("log", complex(-0.0, 0.0), complex(-INF, cmath.pi)),
    ("log", complex(-1, -0.0), complex(0.0, -cmath.pi)),
    ("log", complex(INF, NAN), complex(INF, NAN)),
    ("log", complex(-INF, INF), complex(INF, 3 * cmath.pi / 4)),
    ("exp", complex(-INF, INF), complex(0, 0)),
    ("exp", complex(INF, 0.0), complex(INF, 0.0)),
    ("exp", complex(710, 1), cmath.exp(complex(709, 1)) * cmath.e),
    ("exp2", complex(-INF, INF), complex(0, 0)),
    ("exp2", complex(INF, 0.0), complex(INF, 0.0)),
    ("exp2", complex(3, -0.0), complex(8, -0.0)),
    ("exp2", complex(1024, 1), cmath.exp(1j * LN2) * 2.0**1023 * 2),
    ("asin", complex(2, 0.0), complex(cmath.pi / 2, 1.3169578969248167)),
    ("asin", complex(2, -0.0), complex(cmath.pi / 2, -1.3169578969248167)),
    ("acos", complex(-2, 0.0), complex(cmath.pi, -1.3169578969248167)),
    ("acos", complex(INF, INF), complex(cmath.pi / 4, -INF)),
    ("atan", complex(0.0, 2), complex(cmath.pi / 2, 0.5493061443340549)),
    ("atan", complex(-0.0, 2), complex(-cmath.pi / 2, 0.5493061443340549)),
    ("atanh", complex(1, 0.0), complex(INF, 0.0)),
    ("atanh", complex(INF, 1), complex(0, cmath.pi / 2)),
    ("atanh", complex(1, 1e-200), complex(230.60508288968455, cmath.pi / 4)),
    ("acosh", complex(-1, 0.0), complex(0.0, cmath.pi)),
    ("acosh", complex(0.5, -0.0), complex(0.0, -1.0471975511965976)),
    ("asinh", complex(0.0, 2), complex(1.3169578969248166, cmath.pi / 2)),
    ("asinh", complex(1e300, 1e300), complex(691.8152486690535, cmath.pi / 4)),
    ("tanh", complex(INF, 1), complex(1, 0.0)),
    ("tanh", complex(1000, 1), complex(1, 0.0)),
    ("tanh", complex(0.0, INF), complex(0.0, NAN)),
    ("sinh", complex(0.0, -0.0), complex(0.0, -0.0)),
    ("cosh", complex(0.0, -0.0), complex(1.0, -0.0)),
    ("reciprocal", complex(1e300, 1e300), complex(5e-301, -5e-301)),
    ("sign", complex(0, 0), complex(0, 0)),
    ("sign", complex(1e308, 1e308), complex(0.5**0.5, 0.5**0.5)),
    ("sign", complex(-INF, 3), complex(-1, 0)),
    ("log1p", complex(1e-20, 1e-20), complex(1e-20, 1e-20)),
    ("expm1", complex(1e-20, -1e-20), complex(1e-20, -1e-20)),
    ("log1p", complex(-2, -0.0), complex(0, -cmath.pi)),
]  # fmt: skip


def _is(got: float, want: float) -> bool:
    """Whether a part is what it must be: a zero by its sign, else to 14 digits."""
    if want == 0 or np.isinf(want):
        return got == want and np.signbit(got) == np.signbit(want)
    return bool(np.isclose(got, want, 1e-14, 0, equal_nan=True))


def test_special_values() -> None:
    points = [np.complex128(z) for _, z, _ in SPECIAL]
    names = [name for name, _, _ in SPECIAL]
    run = weft.jit(
        lambda zs: [getattr(weft, f)(z) for f, z in zip(names, zs, strict=True)]
    )
    for (name, z, want), got in zip(SPECIAL, run(points), strict=True):
        value = got.item()
        assert _is(value.real, want.real), (name, z, value)
        assert _is(value.imag, want.imag), (name, z, value)


def test_quotients_are_numpys() -> None:
    rng = np.random.default_rng(3)
    x, y = (join(*rng.standard_normal((2, 999))) for _ in range(2))
    for narrow in (np.complex64, np.complex128):
        a, b = x.astype(narrow), y.astype(narrow)
        got = weft.jit(lambda a, b: (a / b, a / 0j, a / weft.inf))(a, b)
        with np.errstate(all="ignore"):
            for quotient, want in zip(got, (a / b, a / 0j, a / np.inf), strict=True):
                np.testing.assert_array_equal(quotient.data, want.astype(narrow))


def test_small_powers_are_products() -> None:
    z = Fraction(3, 4), Fraction(-1, 2)  # what multiplications do not round
    want = (Fraction(1), Fraction(0))
    for _ in range(7):
        want = want[0] * z[0] - want[1] * z[1], want[0] * z[1] + want[1] * z[0]
    got = weft.jit(lambda z: z**7)(np.complex128(0.75 - 0.5j)).item()
    assert (Fraction(got.real), Fraction(got.imag)) == want


def test_random_numbers() -> None:
    key = weft.random.key(7)
    z = weft.random.normal(key, (20_000,), dtype=weft.complex64)
    assert z.dtype == weft.complex64
    real, imag = np.real(z.data), np.imag(z.data)
    assert abs(np.var(real) - 0.5) < 0.02
    assert abs(np.var(imag) - 0.5) < 0.02
    assert abs(np.mean(real * imag)) < 0.01
    traced = weft.jit(lambda k: weft.random.normal(k, (20_000,), dtype="complex64"))
    np.testing.assert_array_equal(traced(key).data, z.data)


def test_constants_and_captured_arrays() -> None:
    table = np.exp(1j * np.arange(100))
    few = np.array([1j, complex(-0.0, NAN)])

    @weft.jit
    def with_constants(i: Any) -> Any:
        return weft.asarray(table)[i], weft.asarray(few) + 0, weft.full(3, 2 - 1j)

    for run in (with_constants, with_constants.interpret):
        picked, pair, full = run(40)
        assert picked.item() == table[40]
        np.testing.assert_array_equal(pair.data, few + 0)
        np.testing.assert_array_equal(full.data, np.full(3, 2 - 1j, np.complex64))


# ---- derivatives ----


def _through_parts(f: Callable[[Any], Any]) -> Callable[[Any, Any], Any]:
    return lambda x, y: f(weft.complex(x, y))


REAL_VALUED = [
    lambda z: weft.sum(weft.abs(z) ** 2),
    lambda z: weft.real(weft.sum(weft.exp(z) * weft.conj(z))),
    lambda z: weft.sum(weft.imag(z * z) * weft.angle(z)),
    lambda z: weft.linalg.norm(z),
]


@pytest.mark.parametrize("f", REAL_VALUED)
def test_gradient_is_the_conjugate_of_the_direction_uphill(f: Any) -> None:
    dx, dy = weft.grad(_through_parts(f), argnums=(0, 1))(Z.real, Z.imag)
    for grad in (weft.grad(f), weft.jit(weft.grad(f)), weft.jacrev(f)):
        np.testing.assert_allclose(grad(Z).data, dx.data - 1j * dy.data, 1e-12)


def test_pullback_transposes_without_a_conjugation() -> None:
    ct = np.array([1 - 1j, 2j, 0.5], np.complex128)
    value, pullback = weft.vjp(weft.sin, Z)
    np.testing.assert_allclose(value.data, np.sin(Z), 1e-14)
    np.testing.assert_allclose(pullback(ct)[0].data, ct * np.cos(Z), 1e-13)
    moved = weft.jvp(weft.sin, (Z,), (ct,))[1]
    np.testing.assert_allclose(moved.data, ct * np.cos(Z), 1e-13)
    _, derivative = weft.linearize(weft.conj, Z)
    np.testing.assert_array_equal(derivative(ct).data, ct.conj())
    assert weft.vjp(weft.conj, Z)[1](ct)[0].data.tolist() == ct.conj().tolist()


def test_holomorphic() -> None:
    z = np.complex128(0.3 + 0.4j)
    grad = weft.grad(lambda z: weft.exp(z) * z, holomorphic=True)
    np.testing.assert_allclose(grad(z).item(), np.exp(z) * (1 + z), 1e-13)
    second = weft.grad(grad, holomorphic=True)
    np.testing.assert_allclose(second(z).item(), np.exp(z) * (2 + z), 1e-13)
    value, slope = weft.value_and_grad(lambda z: z**2, holomorphic=True)(z)
    assert (value.item(), slope.item()) == (z * z, 2 * z)
    square = np.diag(2 * Z)
    for jacobian in (weft.jacrev, weft.jacfwd):
        made = jacobian(lambda z: z * z, holomorphic=True)(Z)
        np.testing.assert_allclose(made.data, square, 1e-14)
    cube = weft.hessian(lambda z: weft.sum(z * z * z), holomorphic=True)(Z)
    np.testing.assert_allclose(cube.data, np.diag(6 * Z), 1e-13)
    curve = weft.jacfwd(lambda t: weft.exp(1j * t))(np.array([0.0, 1.0]))
    np.testing.assert_allclose(curve.data, np.diag(1j * np.exp([0, 1j])), 1e-14)


WITHOUT_GRADIENT = [
    (weft.grad, lambda z: z * z, 1j, "the result is complex64"),
    (weft.value_and_grad, lambda z: z * z, 1j, "holomorphic=True"),
    (weft.jacrev, lambda z: z * z, Z, "a result is complex128"),
    (weft.jacfwd, weft.abs, Z, "an argument is complex128"),
    (weft.hessian, lambda z: weft.sum(weft.abs(z)), Z, "an argument is complex128"),
]


@pytest.mark.parametrize(("transform", "f", "z", "message"), WITHOUT_GRADIENT)
def test_complex_results_have_no_gradient(
    transform: Any, f: Any, z: Any, message: str
) -> None:
    with pytest.raises(TransformError, match=message):
        transform(f)(z)


@pytest.mark.parametrize(
    ("transform", "f", "x", "message"),
    [
        (weft.grad, lambda x: x * x, 1.0, "an argument is"),
        (weft.grad, weft.abs, 1j, "the result is"),
        (weft.jacfwd, weft.abs, Z, "a result is"),
        (weft.jacrev, weft.abs, Z, "a result is"),
    ],
)
def test_holomorphic_is_of_complex_numbers(
    transform: Any, f: Any, x: Any, message: str
) -> None:
    with pytest.raises(TransformError, match=message):
        transform(f, holomorphic=True)(x)


def _polynomial(z: Any) -> Any:
    return weft.scan(lambda c, x: (c * x + 1, weft.conj(c)), 0j * z[0] + 0.5, z)


def _grown(z: Any) -> Any:
    """A loop of a length that is not known: its reverse reads a tape."""
    return weft.while_loop(
        lambda c: weft.sum(weft.abs(c)) < 30, lambda c: c * (1 + 0.5j) + weft.conj(z), z
    )


CHECKED = [
    lambda z: weft.conj(z) * z + weft.exp(1j * z),
    lambda z: weft.abs(z) * weft.sign(z) + weft.sqrt(z),
    lambda z: z @ weft.conj(z) / weft.sum(z),
    lambda z: weft.complex(weft.real(z), weft.abs(z)) * weft.imag(z),
    pytest.param(
        lambda z: weft.cumprod(z) + weft.prod(z) * weft.flip(z), marks=pytest.mark.slow
    ),
    lambda z: weft.where(weft.real(z) > 0, z**2, weft.log(z)),
    lambda z: weft.checkpoint(lambda z: weft.tan(z) * weft.conj(z))(z),
    lambda z: weft.cond(weft.abs(z[0]) > 1, weft.conj, weft.sin, z),
    _polynomial,
    _grown,
]  # fmt: skip


@pytest.mark.parametrize("f", CHECKED)
def test_derivatives_agree_with_differences(f: Any) -> None:
    check_grads(f, (Z,))
    check_grads(f, (Z.astype(np.complex64),), order=1)


def test_checks_of_derivatives_find_a_missing_conjugate() -> None:
    @weft.custom_jvp
    def conjugate(z: Any) -> Any:
        return weft.conj(z)

    conjugate.defjvp(lambda primals, tangents: (weft.conj(primals[0]), tangents[0]))
    with pytest.raises(AssertionError, match="forward mode"):
        check_grads(conjugate, (Z,), order=1)


def test_custom_rules_of_complex_functions() -> None:
    @weft.custom_vjp
    def exp(z: Any) -> Any:
        return weft.exp(z)

    exp.defvjp(lambda z: (weft.exp(z), weft.exp(z)), lambda kept, ct: (ct * kept,))
    check_grads(exp, (Z,), modes=("rev",))
