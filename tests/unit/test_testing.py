"""check_grads: it passes what is right, and finds what is wrong."""

import subprocess
import sys

import numpy as np
import pytest

import weft
from weft.testing import DerivativeError, check_grads

pytestmark = pytest.mark.thorough

X = np.array([0.3, -1.2, 2.0])


@pytest.mark.parametrize("dtype", [weft.float32, weft.float64])
@pytest.mark.parametrize("order", [1, 2, 3])
def test_right(dtype, order):
    def f(p, n):
        return {"y": weft.tanh(p["a"]) * n, "m": weft.sum(p["b"] * p["a"]), "i": n + 1}

    p = {"a": X.astype(dtype), "b": (X + 1).astype(dtype)}
    check_grads(f, (p, np.arange(3)), order)


def wrong_vjp(x):
    f = weft.custom_vjp(weft.sin)
    f.defvjp(lambda x: (weft.sin(x), x), lambda x, ct: (ct * 1.01 * weft.cos(x),))
    return f(x)


def wrong_jvp(x):
    f = weft.custom_jvp(weft.sin)
    f.defjvps(lambda t, y, x: t * y)
    return f(x)


def wrong_second(x):
    f = weft.custom_jvp(weft.sin)

    @weft.custom_jvp
    def slope(x):
        return weft.cos(x)

    slope.defjvps(lambda t, y, x: t * 0.5)
    f.defjvps(lambda t, y, x: t * slope(x))
    return f(x)


@pytest.mark.parametrize(
    ("f", "options", "words"),
    [
        (wrong_vjp, {"modes": ("rev",)}, "reverse mode: <J^T ct, t> differs"),
        (wrong_jvp, {}, "forward mode: J t differs from the difference quotient"),
        (wrong_jvp, {"modes": ("rev",)}, "reverse mode"),
        (wrong_second, {}, "mode of"),
    ],
)
def test_wrong(f, options, words):
    with pytest.raises(DerivativeError) as error:
        check_grads(f, (X,), **options)
    assert words in str(error.value)
    assert "wrong_" in str(error.value)
    if f is wrong_second:
        check_grads(f, (X,), order=1)


@pytest.mark.parametrize(
    ("call", "kind", "words"),
    [
        (lambda: check_grads(weft.sin, X), weft.ArgumentError, "tuple of the arg"),
        (lambda: check_grads(weft.sin, (X,), modes=("up",)), weft.ArgumentError, "up"),
        (lambda: check_grads(3, (X,)), weft.TransformError, "takes a function"),
        (lambda: check_grads(lambda n: n, (np.arange(2),)), weft.TransformError,
         "no argument is floating"),
        (lambda: check_grads(weft.argmax, (X,)), weft.TransformError,
         "no result is floating"),
    ],
)  # fmt: skip
def test_mistakes(call, kind, words):
    with pytest.raises(kind, match=words):
        call()


def command(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "weft.cli", "check-grad", *map(str, arguments)],
        capture_output=True, text=True,
    )  # fmt: skip


def test_command_line(tmp_path):
    path = tmp_path / "model.py"
    path.write_text(
        "import weft\n"
        "def f(x, n):\n    return weft.sum(weft.sin(x)) * n\n"
        "g = weft.custom_vjp(weft.sin)\n"
        "g.defvjp(lambda x: (weft.sin(x), x), lambda x, ct: (ct,))\n"
        "def bad(x):\n    return g(x)\n"
    )
    done = command(f"{path}:f", "--arg", "f32[4]", "--arg", "n=i64")
    assert done.returncode == 0, done.stderr
    assert "derivatives agree to order 2" in done.stdout
    done = command(f"{path}:bad", "--arg", "f64[4]", "--modes", "rev")
    assert done.returncode == 1
    assert "reverse mode" in done.stderr
    assert done.stderr.count("\n") == 1
    done = command(f"{path}:bad", "--arg", "f32[4]", "--modes", "sideways")
    assert done.returncode == 2
    assert "sideways" in done.stderr
