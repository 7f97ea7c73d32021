"""Compiled code on disk: found by another process, whole or not at all."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import os
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

import weft
from weft import _weft, cache

x = np.linspace(0.5, 1.5, 6, dtype=np.float32).reshape(2, 3)

# Each function of this program is compiled, and run; two processes must agree.
PROGRAM = """
import os, sys
import numpy as np
import weft
from weft import _weft

if "--found" in sys.argv:
    def refuse(*args):
        raise AssertionError("compiled, and not found")
    _weft.compile_object = refuse

x = np.linspace(0.5, 1.5, 6, dtype=np.float32).reshape(2, 3)
square = np.asarray([[2.0, 1.0], [1.0, 3.0]], np.float32)

@weft.jit
def tree(arguments):
    return {key: weft.sin(value) * 2 for key, value in arguments.items()}

@weft.jit
def loop(x):
    return weft.while_loop(lambda c: weft.sum(c) < 50, lambda c: c * 1.5 + 1, x)

@weft.jit
def step(x, y):
    def loss(x, y):
        return weft.sum(weft.nn.softmax(x @ weft.permute_dims(y, (1, 0))) * 2)
    value, slopes = weft.value_and_grad(loss, argnums=(0, 1))(x, y)
    return value, [a - 0.1 * b for a, b in zip((x, y), slopes)]

@weft.jit
def tape(x):
    def loss(x):
        last, _ = weft.scan(lambda c, _: (weft.sin(c), None), x, None, length=5)
        return weft.sum(last)
    return weft.grad(loss)(x)

donated = weft.jit(lambda x, y: (x + y, y * 2), donate_argnums=0)

@weft.jit
def factor(a):
    return weft.linalg.cholesky(a)

results = [tree({k: x for k in ("b", "a", "c")}), loop(x), step(x, x), tape(x),
           factor(square), donated(weft.asarray(x), x)]
print(results)
try:
    factor(-square)
except weft.LinAlgError as error:
    print(str(error).rpartition("program.py")[2])
"""


def run(folder, program, *options, seed="0", cwd, **variables):
    environment = os.environ | {
        "WEFT_CACHE_DIR": str(folder),
        "PYTHONHASHSEED": seed,
    }
    done = subprocess.run(
        [sys.executable, str(program), *options],
        capture_output=True,
        text=True,
        cwd=cwd,
        env=environment | variables,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def program(tmp_path):
    path = tmp_path / "program.py"
    path.write_text(PROGRAM)
    return path


@pytest.fixture
def folder(tmp_path, monkeypatch):
    path = tmp_path / "cache"
    monkeypatch.setenv("WEFT_CACHE_DIR", str(path))
    return path


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def compiled_sine():
    return weft.jit(lambda x: weft.sin(x) * 3)(x)


def no_compiler(*args):
    raise AssertionError("compiled, and not found")


# ---- two processes ----


def test_another_process_finds_what_one_compiled(tmp_path, program):
    folder = tmp_path / "cache"
    first = run(folder, program, cwd=tmp_path)
    assert len(contents(folder)) == 6
    assert run(folder, program, "--found", seed="7", cwd=tmp_path) == first


def test_the_same_source_is_the_same_bytes(tmp_path, program):
    run(tmp_path / "one", program, seed="1", cwd=tmp_path)
    run(tmp_path / "other", program, seed="2", cwd=tmp_path)
    assert contents(tmp_path / "one") == contents(tmp_path / "other")


def test_code_for_another_cpu_has_another_key(tmp_path, program):
    run(tmp_path / "cache", program, cwd=tmp_path)
    run(tmp_path / "cache", program, cwd=tmp_path, WEFT_CPU="x86-64-v2")
    assert len(contents(tmp_path / "cache")) == 12


def test_writers_at_once_leave_whole_files(tmp_path, program):
    folder = tmp_path / "cache"
    threads = [
        threading.Thread(target=run, args=(folder, program), kwargs={"cwd": tmp_path})
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {name.endswith(".weft") for name in contents(folder)} == {True}
    run(folder, program, "--found", cwd=tmp_path)


def test_who_reads_while_another_writes_sees_all_or_nothing(folder):
    objects = [
        _weft.ObjectCode(
            "f", [bytes([n]) * 100_000], n, 2 * n, False, True, True, False, []
        )
        for n in range(2)
    ]
    key, done, seen = cache.key_of("f"), threading.Event(), []

    def write(code):
        while not done.is_set():
            cache.keep(key, code)

    writers = [threading.Thread(target=write, args=(code,)) for code in objects]
    for writer in writers:
        writer.start()
    end = time.monotonic() + 60
    while len(seen) < 300 and time.monotonic() < end:
        found = cache.find(key)
        if found is not None:
            seen.append(found)
            assert found.files == [bytes([found.pointer_count]) * 100_000]
            assert found.arena_bytes == 2 * found.pointer_count
    done.set()
    for writer in writers:
        writer.join()
    assert seen
    assert len(contents(folder)) == 1


# ---- what is not whole ----


def test_what_is_kept_comes_back(folder):
    for flags in [(False, True, False, True), (True, False, True, False)]:
        files = [b"a\nb\0c" * 10, b"", b"d"]
        code = _weft.ObjectCode("en\ntry é", files, 3, 1 << 40, *flags, [1, -1])
        cache.keep("ab", code)
        found = cache.find("ab")
        assert found.files == code.files
        assert found.reuses == [1, -1]
        assert (found.entry, found.pointer_count) == ("en\ntry é", 3)
        assert found.arena_bytes == 1 << 40
        assert (
            found.may_stop,
            found.uses_kernels,
            found.uses_routines,
            found.is_short,
        ) == flags
    assert cache.find("cd") is None


DAMAGES = {
    "empty": lambda content: b"",
    "short": lambda content: content[:20],
    "truncated": lambda content: content[:-1],
    "longer": lambda content: content + b"\0",
    "a changed bit": lambda content: content[:-9] + b"\xff" + content[-8:],
    "a changed header": lambda content: content.replace(b" 3 ", b" 2 ", 1),
    "text": lambda content: b"no code",
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_file_is_compiled_again(folder, damage):
    expected = np.asarray(compiled_sine())
    (path,) = folder.iterdir()
    good = path.read_bytes()
    assert damage(good) != good
    path.write_bytes(damage(good))
    assert cache.find(path.stem) is None
    np.testing.assert_array_equal(np.asarray(compiled_sine()), expected)
    assert path.read_bytes() == good


def test_a_pipe_in_the_directory_is_not_read(folder):
    compiled_sine()
    (path,) = folder.iterdir()
    path.unlink()
    os.mkfifo(path)
    assert cache.find(path.stem) is None


def test_a_file_under_the_wrong_name_is_not_taken(folder):
    cache.keep(
        "ab", _weft.ObjectCode("f", [b"code"], 1, 0, False, False, False, False, [])
    )
    (folder / "ab.weft").rename(folder / "cd.weft")
    assert cache.find("cd") is None


# ---- keys ----


def test_what_decides_the_code_decides_the_key():
    keys = {
        cache.key_of("f", "weft", "text"),
        cache.key_of("g", "weft", "text"),
        cache.key_of("f", "linalg", "text"),
        cache.key_of("f", "weft", "text "),
        cache.key_of("fw", "eft", "text"),
    }
    assert len(keys) == 5
    assert cache.key_of("f", "weft", "text") in keys


def test_an_edited_stage_is_not_taken_for_the_original(folder):
    lowered = weft.jit(lambda x: x * 3).lower(x)
    np.testing.assert_array_equal(lowered.compile()(x), x * 3)
    edited = lowered.text("linalg").replace("3.0000", "4.0000")
    edited = edited.replace("3.0", "4.0")
    np.testing.assert_array_equal(lowered.replace("linalg", edited).compile()(x), x * 4)


def test_the_build_has_an_id():
    assert all(len(part) >= 16 for part in _weft.build_id().split()[2:])
    assert len(_weft.build_id().split()) == 5


# ---- the directory ----


def test_code_is_found_again_within_a_process(folder, monkeypatch):
    expected = np.asarray(compiled_sine())
    monkeypatch.setattr(_weft, "compile_object", no_compiler)
    np.testing.assert_array_equal(np.asarray(compiled_sine()), expected)


def test_the_directory_is_the_users_alone(folder):
    compiled_sine()
    assert folder.stat().st_mode & 0o777 == 0o700
    (path,) = folder.iterdir()
    assert path.stat().st_mode & 0o777 == 0o600


def test_the_default_is_in_the_users_cache(tmp_path, monkeypatch):
    monkeypatch.delenv("WEFT_CACHE_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    compiled_sine()
    assert len(contents(tmp_path / "weft")) == 1
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    compiled_sine()
    assert len(contents(tmp_path / "home" / ".cache" / "weft")) == 1


def test_an_empty_name_switches_it_off(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("WEFT_CACHE_DIR", "")
    compiled_sine()
    assert not contents(tmp_path)


@pytest.mark.parametrize("name", ["/proc/no/such", "/dev/null/cache"])
def test_without_a_directory_it_works(monkeypatch, name):
    monkeypatch.setenv("WEFT_CACHE_DIR", name)
    compiled_sine()


def test_a_directory_without_space_or_permission_is_only_read(folder, monkeypatch):
    compiled_sine()

    def refuse(*args, **kwargs):
        raise PermissionError

    monkeypatch.setattr(os, "replace", refuse)
    monkeypatch.setattr(os, "utime", refuse)
    weft.jit(lambda x: x * 7)(x)
    assert len(contents(folder)) == 1
    monkeypatch.setattr(_weft, "compile_object", no_compiler)
    compiled_sine()


def test_where_others_write_no_code_is_kept_or_taken(folder):
    compiled_sine()
    folder.chmod(0o777)
    for function in (compiled_sine, lambda: weft.jit(lambda x: x * 7)(x)):
        with pytest.warns(RuntimeWarning, match="others may write"):
            function()
    assert len(contents(folder)) == 1


def test_what_was_not_used_for_longest_goes_first(folder, monkeypatch):
    monkeypatch.setattr(cache, "LIMIT", 100_000)
    code = _weft.ObjectCode("f", [bytes(20_000)], 1, 0, False, False, False, False, [])
    for n in range(1, 5):
        cache.keep(f"1{n}", code)
        os.utime(folder / f"1{n}.weft", ns=(n, n))
    assert cache.find("11") is not None
    cache.keep("05", code)
    assert set(contents(folder)) == {"05.weft", "11.weft", "14.weft"}
    monkeypatch.setattr(cache, "LIMIT", 10)
    cache.keep("06", code)
    assert not contents(folder)


def test_code_where_texts_should_be(tmp_path, monkeypatch):
    """A file that was given another one's name."""
    monkeypatch.setenv("WEFT_CACHE_DIR", str(tmp_path))
    cache._keep("texts", b"\x7fELF\x00\xff")
    assert cache.find_texts("texts") is None
    cache.keep_texts("texts", ["a", "b"])
    assert cache.find_texts("texts") == ["a", "b"]
