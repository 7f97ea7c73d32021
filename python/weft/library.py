"""The libraries that compiled code calls: SciPy's LAPACK and NumPy's pocketfft."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import functools

from . import _weft

# A kernel that has no result: a message, and the "file:line" that called it.
KernelError: type[Exception] = _weft.KernelError  # pyright: ignore


@functools.cache
def provide() -> None:
    """Tells the runtime where each routine is; importing SciPy waits until then.

    SciPy keeps the addresses in capsules, for Cython to link against. NumPy's
    transforms are universal functions, whose inner loops need no Python.
    """
    from numpy.fft import _pocketfft_umath  # pyright: ignore
    from scipy.linalg import cython_blas, cython_lapack  # pyright: ignore

    capsules = cython_lapack.__pyx_capi__ | cython_blas.__pyx_capi__
    for name in _weft.routines():
        _weft.provide(name, capsules[name])
    _weft.provide_transforms(_pocketfft_umath)
