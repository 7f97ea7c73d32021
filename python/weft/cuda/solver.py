"""The routines of linear algebra and Fourier transforms that a GPU's libraries have.

They run in the stream of the device, on its memory. A plan asks when it is made ready;
what no library does runs on the host.
"""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import ctypes
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from ..errors import DeviceError
from . import factors, fourier, spectral
from .bindings import bindings, check
from .calls import Call, Pointers
from .fourier import FourierPlans, Key
from .libraries import Library, find
from .routines import split

if TYPE_CHECKING:
    from .driver import CudaDevice

# Takes the numbers of a call, where its inputs and outputs are, and "file:line".
DeviceRoutine: TypeAlias = Callable[[Sequence[int], Pointers, Pointers, str], None]

_MATRICES: Final = ("cublas", "cusolver")
_TRANSFORMS: Final = ("cufft",)
# What does a kernel, and the libraries that it needs.
_ROUTINES: Final[Mapping[str, tuple[Callable[..., None], Sequence[str]]]] = {
    "cholesky": (factors.cholesky, _MATRICES),
    "triangular_solve": (factors.triangular_solve, _MATRICES),
    "lu": (factors.lu, _MATRICES),
    "solve": (factors.solve, _MATRICES),
    "qr": (factors.qr, _MATRICES),
    "eigh": (spectral.eigh, _MATRICES),
    "eigvalsh": (spectral.eigvalsh, _MATRICES),
    "svd": (spectral.svd, _MATRICES),
    "svdvals": (spectral.svdvals, _MATRICES),
    "pinv": (spectral.pinv, _MATRICES),
    "fft": (fourier.fft, _TRANSFORMS),
    "rfft": (fourier.rfft, _TRANSFORMS),
    "irfft": (fourier.irfft, _TRANSFORMS),
}


# The functions that begin work with a library, and that say in which stream it is.
_CREATE: Final = {"cublas": "cublasCreate_v2", "cusolver": "cusolverDnCreate"}
_STREAM: Final = {"cublas": "cublasSetStream_v2", "cusolver": "cusolverDnSetStream"}


class Libraries:
    """NVIDIA's libraries for one device, opened when a plan first needs them."""

    def __init__(self, device: CudaDevice) -> None:
        self.device = device
        self._opened: dict[str, tuple[Library, Any]] = {}
        self._missing: dict[str, str] = {}

    def find(self, name: str) -> DeviceRoutine | str:
        """A routine on the device, or why there is none; empty where none could be."""
        kernel, kind = split(name)
        if kernel not in _ROUTINES or kind is None:
            return "cuSOLVER has none for it" if kernel in ("eig", "eigvals") else ""
        run, needed = _ROUTINES[kernel]
        reasons = [reason for each in needed if (reason := self._reason(each))]
        if reasons:
            return reasons[0]

        def routine(
            numbers: Sequence[int], ins: Pointers, outs: Pointers, line: str
        ) -> None:
            call = Call(self, kernel, kind, line)
            try:
                run(call, numbers, ins, outs)
            finally:
                call.release()

        return routine

    def _reason(self, kind: str) -> str:
        """Why a library cannot be used; opens it where it can."""
        if kind not in self._opened and kind not in self._missing:
            try:
                with self.device.activated():
                    self._opened[kind] = self._open(kind)
            except DeviceError as error:
                self._missing[kind] = error.message
        return self._missing.get(kind, "")

    def _open(self, kind: str) -> tuple[Library, Any]:
        version = check(bindings().cuDriverGetVersion(), self.device.name)
        library = find(kind, version)
        if kind == "cufft":
            return library, FourierPlans(library, self.device.stream)
        handle = ctypes.c_void_p(0)
        library(_CREATE[kind], ctypes.byref(handle))
        library(_STREAM[kind], handle, self.device.stream)
        return library, handle

    # ---- what calls use (see `calls.Opened`) ----

    def blas(self, name: str, *args: Any) -> None:
        library, handle = self._opened["cublas"]
        library(name, handle, *args)

    def lapack(self, name: str, *args: Any) -> None:
        library, handle = self._opened["cusolver"]
        library(name, handle, *args)

    def transform(self, call: Call, key: Key) -> Callable[..., None]:
        _, plans = self._opened["cufft"]
        return plans.ready(call, key)
