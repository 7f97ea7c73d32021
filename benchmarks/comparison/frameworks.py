"""How each framework runs a program, as a call without arguments."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import functools
import os
import sys
import warnings
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import ml_dtypes
import numpy as np

from .case import Case, Function, leaves, map_leaves
from .spaces import jax_space, weft_space

Call = Callable[[], Any]
BFLOAT16 = np.dtype(ml_dtypes.bfloat16)
# Largest relative error, as of norms, by the dtype of a result.
TOLERANCES = {"float32": 2e-5, "float64": 1e-12, "bfloat16": 1e-2}


class DisagreementError(Exception):
    """A framework computes something else than the reference."""


# ---- frameworks ----


def weft_call(case: Case) -> Call:
    import weft

    function = weft.jit(whole(case, weft_space()))
    arrays = map_leaves(weft.asarray, case.args)
    return lambda: function(*arrays)


def numpy_call(case: Case) -> Call | None:
    if case.numpy is None:
        return None
    return functools.partial(repeated(case.numpy, case.steps), *case.args)


def jax_call(case: Case) -> Call:
    import jax  # pyright: ignore
    import jax.numpy as jnp  # pyright: ignore

    function = jax.jit(whole(case, jax_space()))
    arrays = map_leaves(jnp.asarray, case.args)
    return lambda: jax.block_until_ready(function(*arrays))


def torch_call(case: Case, compiled: bool = False) -> Call | None:
    if case.torch is None or (compiled and not case.compiled):
        return None
    import torch  # pyright: ignore

    function = functools.partial(case.torch, torch)
    if compiled:
        torch.compiler.reset()
        function = torch.compile(function, dynamic=False)
    function = repeated(function, case.steps)
    args = map_leaves(as_tensor, case.args)
    if case.layout:
        args = case.layout.arguments(*args)
    if not case.wrt:
        return functools.partial(without_gradients, function, *args)
    tracked = [x.requires_grad_() for i in case.wrt for x in leaves(args[i])]

    def step() -> Any:
        loss = function(*args)
        gradients = torch.autograd.grad(loss, tracked)
        if case.rate:
            with torch.no_grad():
                gradients = torch._foreach_add(tracked, gradients, alpha=-case.rate)
        return loss, gradients

    return step


FRAMEWORKS: dict[str, Callable[[Case], Call | None]] = {
    "weft": weft_call,
    "numpy": numpy_call,
    "jax": jax_call,
    "torch": torch_call,
    "compile": functools.partial(torch_call, compiled=True),
}
MODULES = {"compile": "torch"}


def present(with_compile: bool) -> list[str]:
    """The frameworks that are installed."""
    return [
        name
        for name in FRAMEWORKS
        if find_spec(MODULES.get(name, name)) and (with_compile or name != "compile")
    ]


def prepare(names: list[str], threads: int) -> None:
    """Their threads; what they need once is not part of a first call."""
    import weft

    weft.set_num_threads(threads)
    weft.jit(lambda x: x + 1)(np.ones(2, np.float32))
    if "jax" in names:
        import jax  # pyright: ignore

        jax.config.update("jax_enable_x64", True)
        jax.jit(lambda x: x + 1)(np.ones(2, np.float32))
    if "torch" in names:
        import torch  # pyright: ignore

        torch.set_num_threads(threads)
        warnings.filterwarnings("ignore", module="torch")
        if "compile" in names:
            torch.compile(lambda x: x + 1)(torch.ones(2))


def release() -> None:
    """Gives back what is kept for later calls, so that it is seen to be taken again."""
    import weft

    weft.empty_cache()


def limit_threads(count: int) -> None:
    """Begins anew with what the libraries look at when they are loaded."""
    names = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
    wanted: dict[str, str] = {name: str(count) for name in names}
    many = "true" if count > 1 else "false"
    wanted["XLA_FLAGS"] = (
        f"--xla_cpu_multi_thread_eigen={many} intra_op_parallelism_threads={count}"
    )
    # PyTorch's threads look out for work so long that, where one of them has lost its
    # core, the others wait milliseconds for it.
    wanted["GOMP_SPINCOUNT"] = "10000"
    # What an earlier run compiled would make a first call a second one.
    wanted["TORCHINDUCTOR_FORCE_DISABLE_CACHES"] = "1"
    wanted["WEFT_CACHE_DIR"] = ""
    if any(os.environ.get(name) != value for name, value in wanted.items()):
        os.environ.update(wanted)
        os.execv(sys.executable, [sys.executable, *sys.argv])


# ---- programs of a case ----


def whole(case: Case, space: Any) -> Function:
    """The program for Weft or JAX."""
    function = functools.partial(case.array, space)
    if not case.wrt:
        return function
    derived = space.value_and_grad(function, argnums=case.wrt)
    if not case.rate:
        return derived

    def step(*args: Any) -> Any:
        loss, gradients = derived(*args)
        old = [x for i in case.wrt for x in leaves(args[i])]
        pairs = zip(old, leaves(gradients), strict=True)
        return loss, [x - case.rate * gradient for x, gradient in pairs]

    return step


def repeated(function: Function, steps: int) -> Function:
    """A function whose results are its next arguments, some times."""
    if steps == 1:
        return function

    def run(*args: Any) -> Any:
        for _ in range(steps):
            args = function(*args)
        return args

    return run


def without_gradients(function: Function, *args: Any) -> Any:
    import torch  # pyright: ignore

    with torch.no_grad():
        return function(*args)


# ---- arrays ----


def as_tensor(x: np.ndarray) -> Any:
    import torch  # pyright: ignore

    if x.dtype == BFLOAT16:
        return torch.from_numpy(x.view(np.int16)).view(torch.bfloat16)
    return torch.from_numpy(np.asarray(x))


def as_numpy(x: Any) -> np.ndarray:
    if hasattr(x, "detach"):
        x = x.detach()
        x = x.float() if str(x.dtype) == "torch.bfloat16" else x
    return np.asarray(x)


def check(case: Case, name: str, result: Any, reference: Any) -> None:
    """Raises `DisagreementError` where results are not the reference's."""
    ours, theirs = ([as_numpy(x) for x in leaves(y)] for y in (result, reference))
    if len(ours) != len(theirs):
        raise DisagreementError(
            f"{case.name}: {name} gives {len(ours)} arrays, not {len(theirs)}"
        )
    for i, (x, y) in enumerate(zip(ours, theirs, strict=True)):
        allowed = case.tolerance or max(TOLERANCES.get(z.dtype.name, 0) for z in (x, y))
        if x.shape != y.shape:
            raise DisagreementError(
                f"{case.name}: result {i} of {name} is {x.shape}, not {y.shape}"
            )
        error = relative_error(x, y)
        if not error <= allowed:
            raise DisagreementError(
                f"{case.name}: result {i} of {name} is off by {error:.2g} of its norm"
            )


def relative_error(x: np.ndarray, y: np.ndarray) -> float:
    if np.array_equal(x, y):
        return 0.0
    x, y = (z.astype(np.float64) for z in (x, y))
    return float(np.linalg.norm(x - y) / max(np.linalg.norm(y), 1e-300))
