"""NVIDIA's cuSOLVER, cuBLAS and cuFFT: found where a machine has them, and called.

None of them is required. Each function has its C prototype here, so that a call with
other arguments is an error and no crash.
"""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import ctypes
import functools
import importlib.util
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from ..errors import DeviceError


class MissingLibraryError(DeviceError):
    """A library that this machine has not, or not one that can be used."""


# ---- prototypes ----


class _Count:
    """A C `int` that is no negative number: sizes, leading dimensions, enumerations."""

    @classmethod
    def from_param(cls, value: int) -> Any:
        if not 0 <= value < 2**31:
            raise OverflowError(f"{value:,} is no size that fits into 32 bits")
        return ctypes.c_int(value)


# What the letters of a prototype stand for: `p` is a handle, a stream, or an address on
# the device; `s` a scalar on the host; `n` and `z` where an int or a size_t is left.
_KINDS: Final[dict[str, Any]] = {
    "p": ctypes.c_void_p,
    "i": _Count,
    "c": ctypes.c_byte,
    "d": ctypes.c_int,
    "l": ctypes.c_longlong,
    "s": ctypes.c_void_p,
    "n": ctypes.POINTER(ctypes.c_int),
    "z": ctypes.POINTER(ctypes.c_size_t),
    "a": ctypes.POINTER(ctypes.c_longlong),
    "h": ctypes.POINTER(ctypes.c_void_p),
}

LETTERS: Final = "SDCZ"


def _spelled(prefix: str, prototypes: str) -> dict[str, str]:
    """By name, one letter for each argument; `?` in a name is that of a type."""
    made = {}
    for line in prototypes.strip().splitlines():
        name, letters = line.split()
        for letter in LETTERS if "?" in name else ("",):
            made[prefix + _real_or_complex(name, letter)] = letters
    return made


def _real_or_complex(name: str, letter: str) -> str:
    """A name for a type: of `or|un` and `sy|he` the latter are complex."""
    for pair in ("or|un", "sy|he"):
        real, complex_ = pair.split("|")
        name = name.replace(pair, complex_ if letter in "CZ" else real)
    return name.replace("?", letter)


PROTOTYPES: Final[Mapping[str, Mapping[str, str]]] = {
    "cusolver": _spelled(
        "cusolverDn",
        """
        Create              h
        SetStream           pp
        ?potrf_bufferSize   piipin
        ?potrf              piipipip
        ?potrfBatched       piipipi
        ?getrf_bufferSize   piipin
        ?getrf              piipippp
        ?getrs              piiipippip
        ?geqrf_bufferSize   piipin
        ?geqrf              piipippip
        ?or|ungqr_bufferSize piiipipn
        ?or|ungqr           piiipippip
        ?gesvd_bufferSize   piin
        ?gesvd              pcciipippipipipp
        ?sy|heevd_bufferSize piiipipn
        ?sy|heevd           piiipippip
        """,
    ),
    "cublas": _spelled(
        "cublas",
        """
        Create_v2           h
        SetStream_v2        pp
        ?trsm_v2            piiiiiispipi
        ?trsmBatched        piiiiiispipii
        ?gemm_v2            piiiiispipispi
        ?geam               piiiispispipi
        ?dgmm               piiipipipi
        ?trttp              piipip
        ?tpttr              piippi
        ?getrfBatched       pipippi
        ?getrsBatched       piiipippini
        """,
    ),
    "cufft": _spelled(
        "cufft",
        """
        Create              n
        Destroy             i
        SetStream           ip
        SetAutoAllocation   ii
        SetWorkArea         ip
        MakePlanMany64      iiaallallilz
        ExecC2C             ippd
        ExecZ2Z             ippd
        ExecR2C             ipp
        ExecD2Z             ipp
        ExecC2R             ipp
        ExecZ2D             ipp
        """,
    ),
}

# Of the numbers by which functions fail, those that mean something to the user.
_STATUS: Final[Mapping[str, Mapping[int, str]]] = {
    "cusolver": {
        1: "NOT_INITIALIZED", 2: "ALLOC_FAILED", 3: "INVALID_VALUE",
        4: "ARCH_MISMATCH", 6: "EXECUTION_FAILED", 7: "INTERNAL_ERROR",
        9: "NOT_SUPPORTED",
    },
    "cublas": {
        1: "NOT_INITIALIZED", 3: "ALLOC_FAILED", 7: "INVALID_VALUE",
        8: "ARCH_MISMATCH", 13: "EXECUTION_FAILED", 14: "INTERNAL_ERROR",
        15: "NOT_SUPPORTED",
    },
    "cufft": {
        1: "INVALID_PLAN", 2: "ALLOC_FAILED", 4: "INVALID_VALUE",
        5: "INTERNAL_ERROR", 6: "EXEC_FAILED", 7: "SETUP_FAILED", 8: "INVALID_SIZE",
        13: "NO_WORKSPACE",
    },
}  # fmt: skip


class Library:
    """The functions of one library, by name; what fails is a `DeviceError`."""

    def __init__(self, kind: str, soname: str, loaded: Any) -> None:
        self.kind, self.soname = kind, soname
        self._functions = {
            name: self._bound(loaded, name, letters)
            for name, letters in PROTOTYPES[kind].items()
        }

    def _bound(self, loaded: Any, name: str, letters: str) -> Callable[..., int]:
        function = getattr(loaded, name, None)
        if function is None:
            raise MissingLibraryError(f"{self.soname} is too old: it has no {name}")
        function.argtypes = [_KINDS[letter] for letter in letters]
        function.restype = ctypes.c_int
        return function

    def __call__(self, name: str, *args: Any) -> None:
        """Calls a function, of which success is asked."""
        try:
            status = self._functions[name](*args)
        except ctypes.ArgumentError as error:
            raise DeviceError(
                f"{name} of {self.soname} is not called: {error}"
            ) from None
        if status:
            meaning = _STATUS[self.kind].get(status, "")
            reason = f"status {status}" + (f", {meaning}" if meaning else "")
            raise DeviceError(f"{name} of {self.soname} failed ({reason})")


# ---- where they are ----


@dataclass(frozen=True, slots=True)
class Release:
    """What libraries of one major version of CUDA are called, and their packages."""

    cuda: int
    versions: Mapping[str, int]
    folder: str
    package: str

    def soname(self, name: str) -> str:
        """The file of a library."""
        return f"lib{name}.so.{self.versions[name]}"


# The newest first. What others need comes before them.
RELEASES: Final = (
    Release(
        13,
        {"cublasLt": 13, "cublas": 13, "nvJitLink": 13, "cusparse": 12,
         "cusolver": 12, "cufft": 12},
        "cu13", "nvidia-{}",
    ),
    Release(
        12,
        {"cublasLt": 12, "cublas": 12, "nvJitLink": 12, "cusparse": 12,
         "cusolver": 11, "cufft": 11},
        "", "nvidia-{}-cu12",
    ),
)  # fmt: skip
_NEEDED: Final[Mapping[str, Sequence[str]]] = {
    "cublas": ("cublasLt",),
    "cusolver": ("cublasLt", "cublas", "nvJitLink", "cusparse"),
    "cufft": (),
}


def find(kind: str, driver: int) -> Library:
    """A library for a driver of some version of CUDA, as 12040 is 12.4.

    Raises `MissingLibraryError`, which says what to install.
    """
    releases = [each for each in RELEASES if 1000 * each.cuda <= driver]
    if not releases:
        version = f"{driver // 1000}.{driver % 1000 // 10}"
        raise MissingLibraryError(
            f"the driver is of CUDA {version}, and lib{kind} needs one of "
            f"{RELEASES[-1].cuda}.0"
        )
    reasons = []
    for release in releases:
        for name in _NEEDED[kind]:
            _load(release, name)  # the system's loader looks elsewhere
        loaded, reason = _load(release, kind)
        try:
            if loaded is not None:
                return Library(kind, release.soname(kind), loaded)
        except MissingLibraryError as error:
            reason = str(error)
        reasons.append(reason or f"{release.soname(kind)} is not found")
    # The package of cuSOLVER brings cuBLAS.
    package = releases[0].package.format("cufft" if kind == "cufft" else "cusolver")
    raise MissingLibraryError(f"{'; '.join(reasons)} (pip install {package})")


def _load(release: Release, name: str) -> tuple[Any, str]:
    """A library of a release, or why one that is there cannot be loaded."""
    reason = ""
    for folder in ("", *_folders(release, name)):
        path = os.path.join(folder, release.soname(name))
        if folder and not os.path.exists(path):
            continue
        try:
            return ctypes.CDLL(path), ""
        except OSError as error:
            reason = str(error) if folder else reason
    return None, reason


@functools.cache
def _packages() -> tuple[str, ...]:
    """The folders named `nvidia`, in which packages of pip have their libraries."""
    spec = importlib.util.find_spec("nvidia")
    return tuple(spec.submodule_search_locations or ()) if spec else ()


def _folders(release: Release, name: str) -> list[str]:
    """Where a library may be, besides where the system looks."""
    inner = release.folder or name.removesuffix("Lt").lower()
    own = [os.path.join(each, inner, "lib") for each in _packages()]
    roots = [
        os.environ.get("CUDA_HOME"),
        os.environ.get("CUDA_PATH"),
        "/usr/local/cuda",
    ]
    return [*own, *(os.path.join(root, "lib64") for root in roots if root)]
