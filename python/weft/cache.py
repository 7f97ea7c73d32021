"""Code on disk, found again by what decides it: by this process or another.

The directory is WEFT_CACHE_DIR, which may be empty for none, or else `weft` in the
user's cache. Code that is read will be run, so nobody else may write there.
"""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import contextlib
import functools
import json
import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from . import _weft
from .errors import warn

LIMIT: Final = 1 << 30
_SUFFIX: Final = ".weft"
# Digits of a digest.
_DIGEST: Final = 64


def key_of(*parts: str) -> str:
    """The key of code that these texts decide, and with them this build and machine."""
    whole = "".join(f"{len(part)}:{part}" for part in (*_surroundings(), *parts))
    return _weft.digest(whole.encode())


@functools.cache
def _surroundings() -> tuple[str, ...]:
    return (_weft.build_id(), *_weft.host_cpu(), str(_weft.host_machine()))


def find(key: str) -> _weft.ObjectCode | None:
    """The code that was kept under a key, if it is there and whole."""
    payload = _find(key)
    return None if payload is None else _decoded(key, payload)


def keep(key: str, code: _weft.ObjectCode) -> None:
    """Writes code where `find` finds it; where that cannot be done, does nothing."""
    _keep(key, _encoded(key, code))


def find_texts(key: str) -> list[str] | None:
    """The texts that were kept under a key, if they are there and whole."""
    payload = _find(key)
    if payload is None:
        return None
    try:
        own, *texts = json.loads(payload)
    except ValueError:  # what is kept there is code
        return None
    return texts if own == key else None


def keep_texts(key: str, texts: Sequence[str]) -> None:
    """Writes texts where `find_texts` finds them, as `keep` does code."""
    _keep(key, json.dumps([key, *texts]).encode())


def _find(key: str) -> bytes | None:
    folder = _directory()
    if folder is None:
        return None
    path = folder / f"{key}{_SUFFIX}"
    try:
        # To read a pipe would be to wait for what is written into it.
        if not _is_safe(folder) or not path.is_file():
            return None
        content = path.read_bytes()
        with contextlib.suppress(OSError):
            os.utime(path)  # the last to be deleted
    except OSError:
        return None
    digest, payload = content[:_DIGEST], content[_DIGEST:]
    return payload if _weft.digest(payload).encode() == digest else None


def _keep(key: str, payload: bytes) -> None:
    folder = _directory()
    if folder is None:
        return
    with contextlib.suppress(OSError):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not _is_safe(folder):
            return
        content = _weft.digest(payload).encode() + payload
        _replace(folder / f"{key}{_SUFFIX}", content)
        # It takes a while to look at all files, so only one in 16 has it done.
        if key.startswith("0"):
            _shrink(folder)


def _directory() -> Path | None:
    named = os.environ.get("WEFT_CACHE_DIR")
    if named is not None:
        return Path(named) if named else None
    home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return Path(home) / "weft" if os.path.isabs(home) else None


def _is_safe(folder: Path) -> bool:
    """Whether only this user, or root, writes there; warns if it is not so."""
    status = folder.stat()
    if status.st_uid in (0, os.geteuid()) and not status.st_mode & 0o022:
        return True
    warn(
        f"compiled code is not kept in {folder}, where others may write; have it owned "
        "by you with mode 700, or name another directory by WEFT_CACHE_DIR",
        RuntimeWarning,
    )
    return False


# ---- files ----


def _encoded(key: str, code: _weft.ObjectCode) -> bytes:
    sizes = ",".join(str(len(file)) for file in code.files)
    fields = (
        key, code.pointer_count, code.arena_bytes, int(code.may_stop),
        int(code.uses_kernels), int(code.uses_routines), int(code.is_short),
        sizes, ",".join(map(str, code.reuses)),
        code.entry.encode("unicode_escape").decode(),
    )  # fmt: skip
    header = " ".join(map(str, fields)).encode()
    return b"".join((header, b"\n", *code.files))


def _decoded(key: str, payload: bytes) -> _weft.ObjectCode | None:
    line, _, code = payload.partition(b"\n")
    fields = line.decode().split(" ", 9)
    own, pointers, arena, stop, kernels, routines, short, sizes, reused, entry = fields
    if own != key:
        return None
    files, start = [], 0
    for size in map(int, sizes.split(",")):
        files.append(code[start : start + size])
        start += size
    name = entry.encode().decode("unicode_escape")
    reuses = [int(number) for number in reused.split(",") if number]
    return _weft.ObjectCode(
        name,
        files,
        int(pointers),
        int(arena),
        stop == "1",
        kernels == "1",
        routines == "1",
        short == "1",
        reuses,
    )


def _replace(path: Path, content: bytes) -> None:
    """Writes a file that others see whole or not at all."""
    number, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")
    try:
        with os.fdopen(number, "wb") as file:
            file.write(content)
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise


def _shrink(folder: Path) -> None:
    """Deletes what was not used for longest, until a quarter of the limit is free."""
    files = sorted(_files(folder), reverse=True)
    if sum(size for _, size, _ in files) <= LIMIT:
        return
    left = LIMIT - LIMIT // 4
    for _, size, path in files:
        left -= size
        if left < 0:
            with contextlib.suppress(OSError):
                os.unlink(path)


def _files(folder: Path) -> Iterator[tuple[int, int, str]]:
    """When each file was last used, its size and its path."""
    for file in os.scandir(folder):
        if file.name.endswith((_SUFFIX, ".part")):
            with contextlib.suppress(OSError):
                status = file.stat(follow_symlinks=False)
                yield status.st_mtime_ns, status.st_size, file.path
