"""Mistakes: one exception at the user's own line, and no frame of Weft's."""

# ruff: noqa: E501
import copy
import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import weft

pytestmark = pytest.mark.thorough

PACKAGE = str(Path(weft.__file__).parent)

# Each program: its name, the last line (the mistake's own is marked `# here`), and
# what the message must say.
PROGRAMS = {
    "shape": ("weft.ones((2, 3)) @ weft.ones((2, 3))  # here", "must be equal"),
    "shape in jit": ("f = weft.jit(lambda x: x + weft.ones(4))  # here\nf(weft.ones(3))",
                     "do not broadcast"),
    "dtype": ("weft.bitwise_and(weft.ones(3), 1)  # here", "does not take float32"),
    "axis": ("weft.ones(3).sum(axis=2)  # here", "axis 2 is out of range"),
    "negative size": ("weft.zeros((2, -3))  # here", "negative size"),
    "reshape": ("weft.ones(6).reshape(4, -1)  # here", "do not make"),
    "if": ("@weft.jit\ndef f(x):\n    if x > 0:  # here\n        return x\n    return -x\n"
           "f(1.0)", "weft.where"),
    "while": ("@weft.jit\ndef f(x):\n    while x < 0:  # here\n        x = x + 1\n"
              "    return x\nf(1.0)", "weft.where"),
    "range": ("@weft.jit\ndef f(n):\n    for i in range(n):  # here\n        pass\nf(3)",
              "static_argnums"),
    "float": ("@weft.jit\ndef f(x):\n    return float(x)  # here\nf(1.0)", "a Python float"),
    "numpy": ("@weft.jit\ndef f(x):\n    return np.asarray(x)  # here\nf(1.0)",
              "a NumPy array"),
    "leak": ("kept = []\n@weft.jit\ndef f(x):\n    kept.append(x * 2)\n    return x\n"
             "f(1.0)\nkept[0] + 1  # here", "made at program.py:7"),
    "leak to jit": ("kept = []\n@weft.jit\ndef f(x):\n    kept.append(x * 2)\n    return x\n"
                    "f(1.0)\nweft.jit(lambda y: y + kept[0])(1.0)  # here",
                    "made at program.py:7"),
    "leak to print": ("kept = []\n@weft.jit\ndef f(x):\n    kept.append(x * 2)\n    return x\n"
                      "f(1.0)\nprint(kept[0].item())  # here", "made at program.py:7"),
    "argument type": ("weft.jit(lambda x: x)('hello')  # here", "argument `x`"),
    "result type": ("weft.jit(lambda x: {'a': 'b'})(1.0)  # here", "result['a']"),
    "too many arguments": ("weft.jit(lambda x: x)(1.0, 2.0)  # here", "too many positional"),
    "unhashable": ("weft.jit(lambda x, n: x, static_argnums=1)(1.0, [1])  # here",
                   "cannot be hashed"),
    "unknown static": ("weft.jit(lambda x: x, static_argnames='n')  # here", "no parameter"),
    "parse": ("weft.parse('func.func @f() {\\n  weft.sine\\n}')  # here", "<string>:2:3"),
    "invalid": ("weft.parse('''func.func @f(%x: tensor<2xf32>, %y: tensor<3xf32>) {\n"
                "  %z = \"weft.add\"(%x, %y) : (tensor<2xf32>, tensor<3xf32>)"
                " -> tensor<2xf32>\n  return\n}''')  # here", "<string>:2:8"),
    "no entry": ("weft.parse('')  # here", "0 public functions"),
    "stage": ("weft.jit(lambda x: x).lower(1.0).text('foo')  # here", "weft, expanded"),
    "structure": ("f = weft.jit(lambda x: x).lower(1.0).compile()\nf(1.0, 2.0)  # here",
                  "structure"),
    "lowered shape": ("f = weft.jit(lambda x: x).lower(weft.ones(3)).compile()\n"
                      "f(weft.ones(4))  # here", "lowered for float32[3]"),
    "rows of none": ("weft.jit(weft.vstack)(1.0)  # here", "Write vstack([x])"),
    "no elements for memory": ("weft.zeros((2**40, 2**40))  # here", "memory has addresses"),
    "no numbers for memory": ("weft.jit(lambda: weft.arange(2**63))()  # here", "(9223372036854775808,)"),
    "no steps for memory": ("weft.scan(lambda c, x: (c, c), 0.0, length=2**63)  # here", "scan: (9223"),
    "no tiles for memory": ("weft.tile(weft.ones(2), (2**40, 2**40))  # here", "tile: (1099"),
    "no copies for memory": ("weft.jit(lambda x: weft.broadcast_to(x, (2**40, 2**40)))(1.0)  # here",
                             "memory has addresses"),
    "no argument for memory": ("s = weft.ShapeDtypeStruct((2**63,), 'float32')\n"
                               "weft.jit(lambda x: x + 1).lower(s)  # here", "memory has addresses"),
    "no sum for memory": ("s = [weft.ShapeDtypeStruct(s, 'float32') for s in ((2**40, 1), (2**40,))]\n"
                          "weft.jit(lambda x, y: x + y).lower(*s)  # here", "memory has addresses"),
    "no end": ("weft.arange(float('inf'))  # here", "no number of elements"),
    "dimensions": ("weft.ones((1,) * 65)  # here", "at most 64 dimensions"),
    "load of a number": ("weft.load(3)  # here", "not 'int'"),
    "load of a tracer": ("weft.jit(lambda x: weft.load(x))(1.0)  # here", "not 'Tracer'"),
    "too many operands": ("weft.jit(weft.sinc)(1.0, 1.0)  # here", "takes 1 array, not 2"),
    "list in itself": ("x = [1.0]\nx.append(x)\nweft.jit(lambda x: 0.0)(x)  # here",
                       "contains itself"),
    "array in itself": ("x = [1.0]\nx.append(x)\nweft.asarray(x)  # here", "contains itself"),
    "nesting": ("def f(x):\n    return weft.cond(x > 0, f, f, x)  # here\nweft.jit(f)(1.0)",
                "sys.setrecursionlimit"),
    "hash": ("import functools\nf = functools.lru_cache(lambda x: x + 1)\n"
             "weft.jit(lambda x: f(x))(1.0)  # here", "under lru_cache"),
    "edges": ("weft.histogram(weft.ones(3), bins=weft.ones(0))  # here", "bins has no edges"),
    "a coefficient": ("weft.polyval(2.0, weft.ones(3))  # here", "write polyval([p], x)"),
    "index": ("weft.ones(3)[5]  # here", "out of range"),
    "mask": ("weft.jit(lambda x: x[x > 0])(weft.ones(3))  # here", "weft.where"),
    "assignment": ("x = weft.ones(3)\nx[0] = 1  # here", "immutable"),
    "list": ("weft.ones(3) + [1, 2, 3]  # here", "weft.asarray"),
    "complex": ("weft.max(weft.ones(3) * 1j)  # here", "complex64"),
    "longdouble": ("weft.asarray(np.ones(3, np.longdouble))  # here", "not supported"),
    "truth": ("bool(weft.ones(3))  # here", "weft.any"),
    "overflow": ("weft.ones(3, dtype='int8') + 300  # here", "out of the range of int8"),
    "gradient": ("weft.grad(lambda x: x)(weft.ones(3))  # here", "weft.sum"),
    "integers": ("weft.grad(lambda x: x)(3)  # here", "write 1.0 for 1"),
    "keyword": ("weft.dot_general(weft.ones(3), weft.ones(3), contract=0)  # here",
                "lhs_contract"),
    "parsed program": ("p = weft.parse('func.func @f(%x: tensor<2xf32>) { return }')\n"
                       "p.compile()(weft.ones(3))  # here", "argument 0 of @f"),
    "recursion": ("@weft.jit\ndef f(x):\n    return f(x)  # here\nf(1.0)", "calls itself"),
    "memory": ("f = weft.jit(lambda x: weft.broadcast_to(x, (10**7, 10**6)))\n"
               "f(1.0)  # here", "GiB"),
    "memory at once": ("weft.zeros((10**7, 10**6)) + 1  # here", "in parts"),
    "what Python raised": ("weft.transpose(weft.ones((2, 3)), 1)  # here",
                           "transpose(float32[2,3], 1): 'int' object is not iterable"),
    "help": ("weft.fft.fftn(weft.ones((2, 3)), 2)  # here", "see help(weft.fft.fftn)"),
    "what NumPy raised": ("weft.delete(weft.ones(3), 1.5)  # here", "delete(float32[3], 1.5)"),
    "a body's arguments": ("weft.scan(lambda c: c, 0.0, weft.ones(3))  # here",
                           "takes 1 positional argument but 2 were given"),
    "called by NumPy": ("np.sum(weft.ones(3), out=np.zeros(()))  # here", "no `out`"),
    "NumPy within grad": ("@weft.grad\ndef f(x):\n"
                          "    return weft.sum(np.concatenate([x, x]))  # here\n"
                          "f(weft.ones(3))", "weft.stop_gradient"),
    "ints of a list": ("weft.asarray([300, 1], dtype='uint8')  # here",
                       "300 is out of the range of uint8"),
    "an int of many bits": ("weft.ones(2) + 10**400  # here", "an int of 1,329 bits"),
    "an argument twice": ("weft.grad(lambda x, y: x * y, argnums=(0, 0))(1.0, 2.0)  # here",
                          "twice"),
    "thread": ("from concurrent.futures import ThreadPoolExecutor\n@weft.jit\ndef f(x):\n"
               "    return ThreadPoolExecutor().submit(lambda: x * 2).result()  # here\n"
               "f(1.0)", "another thread"),
    "nested": ("@weft.jit\ndef f(x):\n    return weft.grad(g)(x)\ndef g(x):\n"
               "    return weft.sum(x @ x)  # here\nf(weft.ones((2, 3)))", "matmul"),
}  # fmt: skip


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory):
    """Each program's line of the mistake, exit status and what it printed."""
    folder = tmp_path_factory.mktemp("programs")
    started = {}
    for name, (body, _) in PROGRAMS.items():
        path = folder / name.replace(" ", "_") / "program.py"
        path.parent.mkdir()
        path.write_text(f"import numpy as np\nimport weft\n\n{body}\n")
        started[name] = subprocess.Popen(
            [sys.executable, "program.py"], cwd=path.parent,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        if len(started) % 4 == 0:
            started[name].wait(60)
    return {name: (p.communicate(timeout=60)[0], p.returncode)
            for name, p in started.items()}  # fmt: skip


@pytest.mark.parametrize("name", PROGRAMS)
def test_message_begins_with_the_line_and_no_frame_is_ours(outcomes, name):
    body, message = PROGRAMS[name]
    line = 4 + body[: body.index("# here")].count("\n")
    first = 4 + body[: body.rindex("\n", 0, body.index("# here"))].count("\n") if (
        "'''" in body) else line  # fmt: skip
    printed, status = outcomes[name]
    assert status == 1
    assert PACKAGE not in printed
    places = {f": program.py:{n}: " for n in (line, 4 if "'''" in body else first)}
    assert any(place in printed for place in places), printed
    assert message in printed
    assert printed.startswith("Traceback (most recent call last):\n")
    assert printed.count("Traceback") == 1


def test_exceptions_of_the_user_pass_through_without_our_frames():
    @weft.jit
    def f(x):
        raise KeyError("mine")

    with pytest.raises(KeyError) as caught:
        f(1.0)
    files = {entry.path for entry in caught.traceback}
    assert not [file for file in files if str(file).startswith(PACKAGE)]


def test_a_program_goes_on_after_an_exception_within():
    wrong = lambda x: x @ weft.ones((7, 7))  # noqa: E731
    ways = [
        weft.vmap, weft.jit, weft.checkpoint,
        lambda f: weft.grad(lambda x: weft.sum(f(x))),
        lambda f: lambda x: weft.jvp(f, (x,), (x,)),
        lambda f: lambda x: weft.vjp(f, x),
        lambda f: weft.jit(weft.vmap(f)),
    ]  # fmt: skip
    for way in ways:

        def f(x, way=way):
            with pytest.raises(weft.ShapeError):
                way(wrong)(x)
            return x + 1

        np.testing.assert_array_equal(
            weft.jit(f)(weft.ones((2, 3))), np.full((2, 3), 2)
        )


def test_warnings_are_of_the_users_line():
    f = weft.jit(lambda x: weft.sum(x), donate_argnums=0)
    with pytest.warns(UserWarning, match="donated") as found:
        f(weft.ones(3))
    assert found[0].filename == __file__


def test_str_begins_with_file_and_line():
    with pytest.raises(weft.ShapeError) as caught:
        weft.ones(3).reshape(2)
    assert str(caught.value).startswith(caught.value.position + ": reshape")
    assert caught.value.position.rpartition(":")[0].endswith("test_errors.py")


def test_errors_are_of_pythons_kinds_too():
    for error, kind in [
        (weft.ShapeError, ValueError), (weft.DTypeError, TypeError),
        (weft.IndexingError, IndexError), (weft.TracerError, TypeError),
        (weft.ParseError, ValueError), (weft.CompileError, RuntimeError),
    ]:  # fmt: skip
        assert issubclass(error, kind)
        assert issubclass(error, weft.WeftError)


def _pickled(error):
    return pickle.loads(pickle.dumps(error))


@pytest.mark.parametrize("again", [_pickled, copy.copy, copy.deepcopy])
def test_errors_of_other_processes_say_the_same(again):
    with pytest.raises(weft.ShapeError) as caught:
        weft.ones(3) + weft.ones(4)
    error = caught.value
    error.add_note("told in a worker")
    copied = again(again(error))
    assert type(copied) is weft.ShapeError
    assert (str(copied), copied.args) == (str(error), error.args)
    assert vars(copied) == vars(error)


def test_what_is_no_path_is_left_open():
    reader, writer = os.pipe()
    with pytest.raises(weft.UnsupportedTypeError, match="not 'int'"):
        weft.load(reader)
    os.fstat(reader)
    os.close(reader)
    os.close(writer)


def test_arrays_of_as_many_dimensions_as_numpy_has():
    x = np.arange(2.0).reshape((1,) * 63 + (2,))
    f = weft.jit(lambda x: x[..., ::-1] + weft.ones((1,) * 63 + (2,)))
    assert f(x).shape == (weft.asarray(x) + 1).shape == x.shape
    np.testing.assert_array_equal(np.ravel(f(x)), [2, 1])


def test_what_is_called_when_python_ends():
    program = """
import weft
f = weft.jit(lambda x: weft.sin(x) + 1)
class Last:
    def __del__(self):
        for call in (lambda: f(0.5), lambda: weft.ones(3) * 2):
            try:
                call()
            except weft.CompileError as error:
                print(error)
last = Last()
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    lines = done.stdout.splitlines()
    assert [line[:12] for line in lines] == ["<string>:6: "] * 2
    assert all("atexit.register" in line for line in lines)
