"""The emulator of a GPU: right kernels give the right numbers, wrong ones are told."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import subprocess
import sys
from typing import Any

import ml_dtypes
import numpy as np
import pytest

from emulated import Run, run
from weft.cuda.device import TensorMap
from weft.cuda.simulator import Simulator
from weft.errors import CompileError, KernelError

F32 = np.float32
RNG = np.random.default_rng(0)


def floats(*shape: int) -> np.ndarray:
    return RNG.standard_normal(shape).astype(F32)


def fails(pattern: str) -> Any:
    return pytest.raises(KernelError, match=pattern)


# ---- elementwise, and where its accesses may lie ----

ADD = """
gpu.func @f(%a: memref<1000xf32>, %b: memref<1000xf32>, %c: memref<1000xf32>) kernel {
  %n = arith.constant COUNT : index
  %block = gpu.block_id x
  %size = gpu.block_dim x
  %thread = gpu.thread_id x
  %0 = arith.muli %block, %size : index
  %i = arith.addi %0, %thread : index
  %inside = arith.cmpi ult, %i, %n : index
  scf.if %inside {
    %x = memref.load %a[%i] : memref<1000xf32> !3
    %y = memref.load %b[%i] : memref<1000xf32> !4
    %z = arith.addf %x, %y : f32
    memref.store %z, %c[%i] : memref<1000xf32> !5
  }
  gpu.return
}
"""


def test_elementwise() -> None:
    a, b = floats(1000), floats(1000)
    body = ADD.replace("COUNT", "1000")
    result = run(body, [a, b], (1000, F32), threads=256, blocks=4)
    np.testing.assert_array_equal(result, a + b)


@pytest.mark.parametrize("schedules", [2, 4])
def test_each_schedule_finds_the_memory_as_it_was(schedules: int) -> None:
    body = """
    gpu.func @f(%a: memref<64xf32>) kernel {
      %i = gpu.thread_id x
      %x = memref.load %a[%i] : memref<64xf32>
      %y = arith.addf %x, %x : f32
      memref.store %y, %a[%i] : memref<64xf32>
      gpu.return
    }"""
    runner = Run(body, Simulator(schedules=schedules, thorough=True))
    a = floats(64)
    pointer = runner.upload(a)
    runner.launch(pointer)
    np.testing.assert_array_equal(runner.download(pointer, 64), a + a)


def test_out_of_bounds() -> None:
    body = ADD.replace("COUNT", "1001")
    with fails(r"user.py:3: out of bounds: reads 4 bytes at byte 4000 of the buffer of "
               r"argument 0 \(4000 bytes\), in kernel f, block \(3, 0, 0\), "
               r"thread \(232, 0, 0\)"):  # fmt: skip
        run(body, [floats(1000), floats(1000)], (1000, F32), threads=256, blocks=4)


def test_use_after_free() -> None:
    runner = Run(ADD.replace("COUNT", "1000"))
    a, b, c = (runner.upload(floats(1000)) for _ in range(3))
    runner.device.free(b)
    with fails("user.py:4: use after free: reads 4 bytes"):
        runner.launch(a, b, c)
    with fails("frees what is no buffer"):
        runner.device.free(b)


def test_no_buffer_at_all() -> None:
    runner = Run(ADD.replace("COUNT", "1000"))
    a = runner.upload(floats(1000))
    with fails("user.py:5: out of bounds: writes 4 bytes at address 0x"):
        runner.launch(a, a, 64)


def test_misaligned() -> None:
    body = """
    gpu.func @f(%a: memref<64xf32>, %c: memref<64xf32>) kernel {
      %i = gpu.thread_id x
      %place = memref.extract_aligned_pointer_as_index %a : memref<64xf32> -> index
      %four = arith.constant 4 : index
      %offset = arith.muli %i, %four : index
      %sum = arith.addi %place, %offset : index
      %bits = arith.index_cast %sum : index to i64
      %p = llvm.inttoptr %bits : i64 to !llvm.ptr
      %x = llvm.load %p {alignment = 16 : i64} : !llvm.ptr -> vector<4xf32> !8
      %y = vector.extract %x[0] : f32 from vector<4xf32>
      memref.store %y, %c[%i] : memref<64xf32>
      gpu.return
    }"""
    with fails(r"user.py:8: misaligned: reads 16 bytes at byte 4 of the buffer of "
               r"argument 0 .*, which must be a multiple of 16"):  # fmt: skip
        run(body, [floats(64)], (64, F32), threads=2)


def test_unwritten_device_memory() -> None:
    runner = Run(ADD.replace("COUNT", "1000"))
    a, c = runner.upload(floats(1000)), runner.device.allocate(4000)
    b = runner.device.allocate(4000)
    with fails(r"user.py:4: uninitialised: reads byte \d+ of the buffer of argument 1"):
        runner.launch(a, b, c, threads=250, blocks=4)
    with fails("uninitialised: the host reads 4000 bytes, 4000 of which"):
        runner.download(b, 1000)
    # Copies pass on what was never written.
    runner.device.copy(c, b, 4000)
    with fails("uninitialised"):
        runner.download(c, 1000)


def test_a_wrong_launch() -> None:
    runner = Run(ADD.replace("COUNT", "1000"))
    a = runner.upload(floats(1000))
    with fails("no kernel g"):
        runner.launch(a, a, a, kernel="g")
    with fails("kernel f takes 3 arguments, not 1"):
        runner.launch(a)
    with fails("2000 threads are more than 1024 a block"):
        runner.launch(a, a, a, threads=2000)
    with fails("bytes of shared memory are more than"):
        runner.launch(a, a, a, shared=300_000)
    with fails("argument 1 of kernel f is a float"):
        runner.launch(a, ("f32", 1.0), a)


def test_before_a_buffer() -> None:
    """It is named, not the one that lies before it."""
    body = """
    gpu.func @f(%a: memref<64xf32>, %c: memref<4xf32>) kernel {
      %x = arith.constant 1.0 : f32
      %i = arith.constant -1 : index
      memref.store %x, %c[%i] : memref<4xf32> !6
      gpu.return
    }"""
    with fails(r"user.py:6: out of bounds: writes 4 bytes at byte -4 of the buffer of "
               r"argument 1 \(16 bytes\)"):  # fmt: skip
        run(body, [floats(64)], (4, F32), threads=1)


def test_calls_without_end() -> None:
    device = Simulator()
    module = device.load("""gpu.module @k {
      llvm.func @g(%x: !llvm.ptr) {
        llvm.call @g(%x) : (!llvm.ptr) -> () loc("user.py":7:1)
        llvm.return
      }
      llvm.func @f(%x: !llvm.ptr) attributes {nvvm.kernel} {
        llvm.call @g(%x) : (!llvm.ptr) -> ()
        llvm.return
      }
    }""")
    with fails("user.py:7: calls are nested too deep: each thread has a stack of"):
        device.launch(module, "f", (1, 1, 1), (4, 1, 1), 0, [device.allocate(4)])


def test_a_wrong_text() -> None:
    with pytest.raises(CompileError, match="no module of stage 'nvvm'"):
        Simulator().load("gpu.module @k { nonsense }")


# ---- shared memory, barriers, shuffles ----

SUM = """
gpu.func @f(%a: memref<64xf32>, %c: memref<1xf32>) workgroup(%s: memref<64xf32, 3>)
    kernel {
  %i = gpu.thread_id x
  %x = memref.load %a[%i] : memref<64xf32>
  memref.store %x, %s[%i] : memref<64xf32, 3> !10
  gpu.barrier !11
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %n = arith.constant 64 : index
  %first = arith.cmpi eq, %i, %c0 : index
  scf.if %first {
    %zero = arith.constant 0.0 : f32
    %sum = scf.for %k = %c0 to %n step %c1 iter_args(%so = %zero) -> f32 {
      %v = memref.load %s[%k] : memref<64xf32, 3> !12
      %next = arith.addf %so, %v : f32
      scf.yield %next : f32
    }
    memref.store %sum, %c[%c0] : memref<1xf32>
  }
  gpu.return
}
"""


def test_each_block_has_shared_memory_of_its_own() -> None:
    body = SUM.replace("memref.store %sum, %c[%c0] : memref<1xf32>", "")
    runner = Run(body)
    runner.launch(runner.upload(floats(64)), runner.device.allocate(4), blocks=4)


def test_shared_memory_is_the_kernels_own() -> None:
    """Of twenty kernels each has 16 KiB, of which no launch needs more."""
    large = SUM.replace("%s: memref<64xf32, 3>", "%s: memref<4096xf32, 3>")
    large = large.replace(": memref<64xf32, 3> !", ": memref<4096xf32, 3> !")
    kernels = "\n".join(large.replace("@f(", f"@f{i}(") for i in range(20))
    a = floats(64)
    runner = Run(large + kernels)
    pointers = runner.upload(a), runner.device.allocate(4)
    runner.launch(*pointers)
    np.testing.assert_allclose(runner.download(pointers[1], 1), a.sum(), rtol=1e-5)


def test_local_memory() -> None:
    body = """
    gpu.func @f(%a: memref<4xf32>, %c: memref<4xf32>) kernel {
      %i = gpu.thread_id x
      %n = llvm.mlir.constant(SIZE : i64) : i64
      %p = llvm.alloca %n x f32 : (i64) -> !llvm.ptr
      %x = memref.load %a[%i] : memref<4xf32>
      %j = arith.index_cast %i : index to i64
      %at = llvm.getelementptr %p[%j] : (!llvm.ptr, i64) -> !llvm.ptr, f32
      llvm.store %x, %at : f32, !llvm.ptr
      %y = llvm.load %at : !llvm.ptr -> f32
      memref.store %y, %c[%i] : memref<4xf32>
      gpu.return
    }"""
    a = floats(4)
    result = run(body.replace("SIZE", "1000"), [a], (4, F32), threads=4)
    np.testing.assert_array_equal(result, a)
    with fails("kernel f cannot be launched: its local memory is larger"):
        run(body.replace("SIZE", "1000000"), [a], (4, F32), threads=4)


@pytest.mark.parametrize("thorough", [False, True])
def test_shared_memory(thorough: bool) -> None:
    a = floats(64)
    for seed in range(5):
        simulator = Simulator(seed=seed, thorough=thorough)
        result = run(SUM, [a], (1, F32), simulator=simulator)
        np.testing.assert_allclose(result[0], a.sum(), rtol=1e-5)


def test_a_missing_barrier() -> None:
    """Whatever the order: the bytes are not written yet, or by nobody ordered."""
    body = SUM.replace("gpu.barrier !11", "")
    for seed in range(5):
        with fails(r"user.py:12: (data race: reads byte \d+ of shared variable .*, "
                   r"which thread \(\d+, 0, 0\) wrote at user.py:10, with no barrier|"
                   r"uninitialised: reads byte)"):  # fmt: skip
            run(body, [floats(64)], (1, F32), simulator=Simulator(seed=seed))


def test_a_race_of_writes() -> None:
    body = SUM.replace("%s[%i] : memref<64xf32, 3> !10",
                       "%s[%zero] : memref<64xf32, 3> !10")  # fmt: skip
    body = body.replace("  %x =", "  %zero = arith.constant 0 : index\n  %x =", 1)
    body = body.replace("%zero = arith.constant 0.0", "%z = arith.constant 0.0")
    body = body.replace("%so = %zero)", "%so = %z)")
    with fails(r"user.py:10: data race: writes byte 0 of shared variable .*, which "
               r"thread .* wrote at user.py:10"):  # fmt: skip
        run(body, [floats(64)], (1, F32))


READ_AND_WRITE = """
gpu.func @f(%a: memref<2xf32>, %c: memref<1xf32>) workgroup(%s: memref<2xf32, 3>)
    kernel {
  %i = gpu.thread_id x
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %x = memref.load %a[%i] : memref<2xf32>
  memref.store %x, %s[%i] : memref<2xf32, 3>
  gpu.barrier
  %first = arith.cmpi eq, %i, %c0 : index
  scf.if %first {
    %v = memref.load %s[%c1] : memref<2xf32, 3> !14
    memref.store %v, %c[%c0] : memref<1xf32>
  } else {
    %v = memref.load %s[%c1] : memref<2xf32, 3> !15
    %d = arith.addf %v, %v : f32
    memref.store %d, %s[%c1] : memref<2xf32, 3> !16
  }
  gpu.return
}
"""


def test_a_race_with_who_reads_before_it_writes() -> None:
    """In either order: its own read does not hide the other thread's."""
    for seed in range(20):
        with fails(r"user.py:1[46]: data race: (reads|writes) byte 4 of shared"):
            run(READ_AND_WRITE, [floats(2)], (1, F32), threads=2,
                simulator=Simulator(seed=seed))  # fmt: skip


def test_shared_memory_is_left_behind() -> None:
    body = SUM.replace("%n = arith.constant 64", "%n = arith.constant 65")
    with fails(r"user.py:12: out of bounds: reads 4 bytes at byte 256 of shared "
               r"variable .* \(256 bytes\)"):  # fmt: skip
        run(body, [floats(64)], (1, F32))


def test_unwritten_shared_memory() -> None:
    body = SUM.replace("gpu.barrier !11", "gpu.barrier").replace(
        "memref.store %x, %s[%i] : memref<64xf32, 3> !10",
        "%odd = arith.constant 40 : index\n"
        "%few = arith.cmpi ult, %i, %odd : index\n"
        "scf.if %few { memref.store %x, %s[%i] : memref<64xf32, 3> }",
    )
    with fails("user.py:12: uninitialised: reads byte 160 of shared variable"):
        run(body, [floats(64)], (1, F32))


def test_a_barrier_that_not_all_reach() -> None:
    body = SUM.replace(
        "gpu.barrier !11",
        "%limit = arith.constant 32 : index\n"
        "%few = arith.cmpi ult, %i, %limit : index\n"
        "scf.if %few {\n gpu.barrier !11\n }",
    )
    with fails(r"user.py:11: thread \(\d+, 0, 0\) waits for good at barrier 0 for 64 "
               r"threads; thread \(\d+, 0, 0\) has exited"):  # fmt: skip
        run(body, [floats(64)], (1, F32))


def test_a_barrier_within_a_divided_warp() -> None:
    body = SUM.replace(
        "gpu.barrier !11",
        "%limit = arith.constant 16 : index\n"
        "%few = arith.cmpi ult, %i, %limit : index\n"
        "scf.if %few {\n nvvm.barrier0 !11\n } else {\n"
        "memref.store %x, %s[%i] : memref<64xf32, 3>\n nvvm.barrier0 !13\n }",
    )
    with fails("user.py:1[13]: barrier divergence: thread .* of the same warp waits"):
        run(body, [floats(64)], (1, F32))


NAMED = """
gpu.func @f(%a: memref<128xf32>, %c: memref<128xf32>)
    workgroup(%s: memref<128xf32, 3>) kernel {
  %i = gpu.thread_id x
  %half = arith.constant 64 : index
  %id = arith.constant 1 : i32
  %other = arith.constant 2 : i32
  %count = arith.constant COUNT : i32
  %x = memref.load %a[%i] : memref<128xf32>
  memref.store %x, %s[%i] : memref<128xf32, 3>
  %low = arith.cmpi ult, %i, %half : index
  scf.if %low {
    "nvvm.barrier"(%id, %count) <{operandSegmentSizes = array<i32: 1, 1, 0>}>
      : (i32, i32) -> () !20
  } else {
    "nvvm.barrier"(%other, %count) <{operandSegmentSizes = array<i32: 1, 1, 0>}>
      : (i32, i32) -> () !21
  }
  %mask = arith.constant MASK : index
  %j = arith.xori %i, %mask : index
  %y = memref.load %s[%j] : memref<128xf32, 3> !22
  memref.store %y, %c[%i] : memref<128xf32>
  gpu.return
}
"""


def test_named_barriers() -> None:
    body = NAMED.replace("COUNT", "64").replace("MASK", "63")
    a = floats(128)
    result = run(body, [a], (128, F32), threads=128)
    np.testing.assert_array_equal(result, a[np.arange(128) ^ 63])


def test_a_named_barrier_orders_only_its_own() -> None:
    body = NAMED.replace("COUNT", "64").replace("MASK", "127")
    with fails("user.py:22: (data race: reads|uninitialised)"):
        run(body, [floats(128)], (128, F32), threads=128)


def test_a_named_barrier_of_too_many() -> None:
    body = NAMED.replace("COUNT", "96").replace("MASK", "63")
    with fails("user.py:2[01]: thread .* waits for good at barrier [12] for 96"):
        run(body, [floats(128)], (128, F32), threads=128)


SHUFFLE = """
gpu.func @f(%a: memref<32xf32>, %c: memref<32xf32>) kernel {
  %i = gpu.thread_id x
  %by = arith.constant BY : i32
  %width = arith.constant 32 : i32
  %x = memref.load %a[%i] : memref<32xf32>
  %y, %valid = gpu.shuffle KIND %x, %by, %width : f32
  %z = arith.select %valid, %y, %x : f32
  memref.store %z, %c[%i] : memref<32xf32>
  gpu.return
}
"""


@pytest.mark.parametrize(
    ("kind", "by", "source"),
    [
        ("xor", 5, lambda i: i ^ 5),
        ("down", 3, lambda i: i + 3),
        ("up", 7, lambda i: i - 7),
        ("idx", 9, lambda i: 0 * i + 9),
    ],
)
def test_shuffles(kind: str, by: int, source: Any) -> None:
    a, lanes = floats(32), np.arange(32)
    result = run(
        SHUFFLE.replace("KIND", kind).replace("BY", str(by)), [a], (32, F32), threads=32
    )
    taken = source(lanes)
    inside = (taken >= 0) & (taken < 32)
    np.testing.assert_array_equal(result, a[np.where(inside, taken, lanes)])


WARP = """
gpu.func @f(%a: memref<32xi32>, %c: memref<32xi32>)
    workgroup(%s: memref<32xi32, 3>) kernel {
  %i = gpu.thread_id x
  %all = arith.constant -1 : i32
  %x = memref.load %a[%i] : memref<32xi32>
  %sum = nvvm.redux.sync add %x, %all : i32 -> i32
  memref.store %sum, %s[%i] : memref<32xi32, 3>
  SYNC
  %mask = arith.constant 31 : index
  %j = arith.xori %i, %mask : index
  %y = memref.load %s[%j] : memref<32xi32, 3> !30
  memref.store %y, %c[%i] : memref<32xi32>
  gpu.return
}
"""


def test_a_warp_orders_its_lanes() -> None:
    a = np.arange(32, dtype=np.int32)
    body = WARP.replace("SYNC", "nvvm.bar.warp.sync %all : i32")
    assert (run(body, [a], (32, np.int32), threads=32) == a.sum()).all()
    with fails("user.py:30: (data race: reads|uninitialised)"):
        run(WARP.replace("SYNC", ""), [a], (32, np.int32), threads=32)


# ---- device memory ----

BETWEEN = """
gpu.func @f(%a: memref<64xf32>, %c: memref<1xf32>) kernel {
  %i = gpu.thread_id x
  %zero = arith.constant 0 : index
  %x = memref.load %a[%i] : memref<64xf32>
  UPDATE
  gpu.return
}
"""


def test_atomics_do_not_race() -> None:
    body = BETWEEN.replace(
        "UPDATE",
        "%old = memref.atomic_rmw addf %x, %c[%zero] : (f32, memref<1xf32>) -> f32",
    )
    runner = Run(body)
    a = floats(64)
    pointer, total = runner.upload(a), runner.upload(np.zeros(1, F32))
    runner.launch(pointer, total, blocks=3)
    np.testing.assert_allclose(runner.download(total, 1)[0], 3 * a.sum(), rtol=1e-5)


def test_a_race_in_device_memory() -> None:
    body = BETWEEN.replace("UPDATE", "memref.store %x, %c[%zero] : memref<1xf32> !40")
    with fails(r"user.py:40: data race: writes byte 0 of the buffer of argument 1 .*, "
               r"which thread \(\d+, 0, 0\) wrote at user.py:40"):  # fmt: skip
        run(body, [floats(64)], (1, F32))


def test_a_race_between_blocks() -> None:
    body = BETWEEN.replace(
        "UPDATE",
        "%first = arith.cmpi eq, %i, %zero : index\n"
        "scf.if %first {\n memref.store %x, %c[%zero] : memref<1xf32> !41\n}",
    )
    assert run(body, [np.ones(64, F32)], (1, F32))[0] == 1
    with fails(r"user.py:41: data race: writes byte 0 of .*, which block "
               r"\([01], 0, 0\) wrote at user.py:41, and nothing orders blocks"
               ):  # fmt: skip
        run(body, [floats(64)], (1, F32), blocks=2)


# ---- loops, numbers, locations ----


def test_a_loop_without_end() -> None:
    body = """
    gpu.func @f(%c: memref<1xi32>) kernel {
      %zero = arith.constant 0 : index
      scf.while : () -> () {
        %x = memref.load %c[%zero] : memref<1xi32> !50
        %none = arith.constant 0 : i32
        %goes = arith.cmpi eq, %x, %none : i32
        scf.condition(%goes) !51
      } do {
        scf.yield !52
      }
      gpu.return
    }"""
    runner = Run(body, Simulator(steps=100_000))
    with fails(r"user.py:5\d: this loop does not end"):
        runner.launch(runner.upload(np.zeros(1, np.int32)))


def test_a_division_by_zero_goes_on() -> None:
    body = """
    gpu.func @f(%a: memref<4xi32>, %c: memref<4xi32>) kernel {
      %i = gpu.thread_id x
      %x = memref.load %a[%i] : memref<4xi32>
      %least = arith.constant -2147483648 : i32
      %y = arith.divsi %least, %x : i32
      memref.store %y, %c[%i] : memref<4xi32>
      gpu.return
    }"""
    a = np.array([0, -1, 2, 5], np.int32)
    result = run(body, [a], (4, np.int32), threads=4)
    assert result[2:].tolist() == [-(2**30), -429496729]


def test_the_line_is_the_innermost_one() -> None:
    call = 'loc(callsite("user.py":60:1 at "main.py":2:1))'
    body = ADD.replace("COUNT", "1001").replace("!3", call)
    with fails("user.py:60: out of bounds"):
        run(body, [floats(1000), floats(1000)], (1000, F32), threads=256, blocks=4)


def test_an_instruction_that_is_not_known() -> None:
    body = """
    gpu.func @f(%c: memref<1xi32>) kernel {
      llvm.inline_asm has_side_effects "wmma.strange.b32 0;", "" : () -> () !61
      gpu.return
    }"""
    with fails("user.py:61: the emulator does not know the instruction wmma.strange"):
        run(body, [], (1, np.int32))


def test_inline_code() -> None:
    body = """
    gpu.func @f(%a: memref<32xf32>, %c: memref<32xf32>) kernel {
      %i = gpu.thread_id x
      %x = memref.load %a[%i] : memref<32xf32>
      %e = llvm.inline_asm "ex2.approx.ftz.f32 $0, $1;", "=f,f" %x : (f32) -> f32
      %y = llvm.inline_asm
        "{ .reg .pred p; setp.lt.s32 p, $1, 0; selp.b32 $0, $2, $1, p; }",
        "=r,r,r" %bits, %none : (i32, i32) -> i32
      %r = arith.bitcast %y : i32 to f32
      memref.store %r, %c[%i] : memref<32xf32>
      gpu.return
    }"""
    body = body.replace(
        "%y = llvm", "%bits = arith.bitcast %e : f32 to i32\n"
        "%none = arith.constant 0 : i32\n%y = llvm", 1
    )  # fmt: skip
    a = floats(32)
    np.testing.assert_allclose(run(body, [a], (32, F32), threads=32), 2**a, rtol=1e-6)


# ---- asynchronous copies ----

ASYNC = """
gpu.func @f(%a: memref<128xf32>, %c: memref<128xf32>)
    workgroup(%s: memref<128xf32, 3> {llvm.align = 16 : i64}) kernel {
  %i = gpu.thread_id x
  %four = arith.constant 4 : index
  %j = arith.muli %i, %four : index
  %sp = memref.extract_aligned_pointer_as_index %s : memref<128xf32, 3> -> index
  %ap = memref.extract_aligned_pointer_as_index %a : memref<128xf32> -> index
  %sixteen = arith.constant 16 : index
  %off = arith.muli %i, %sixteen : index
  %st = arith.addi %sp, %off : index
  %at = arith.addi %ap, %off : index
  %s64 = arith.index_cast %st : index to i64
  %a64 = arith.index_cast %at : index to i64
  %to = llvm.inttoptr %s64 : i64 to !llvm.ptr<3>
  %from = llvm.inttoptr %a64 : i64 to !llvm.ptr<1>
  nvvm.cp.async.shared.global %to, %from, 16, cache = cg
      : !llvm.ptr<3>, !llvm.ptr<1> !70
  nvvm.cp.async.commit.group
  nvvm.cp.async.wait.group 0
  BARRIER
  %one = arith.constant 124 : index
  %k = arith.subi %one, %j : index
  %x = memref.load %s[%k] : memref<128xf32, 3> !71
  memref.store %x, %c[%j] : memref<128xf32>
  gpu.return
}
"""


def run_async(body: str) -> np.ndarray:
    runner = Run(body)
    a = np.arange(128, dtype=F32)
    pointer, out = runner.upload(a), runner.upload(np.zeros(128, F32))
    runner.launch(pointer, out, threads=32)
    return runner.download(out, 128)


def test_asynchronous_copies() -> None:
    result = run_async(ASYNC.replace("BARRIER", "gpu.barrier"))
    assert result[::4].tolist() == list(range(124, -4, -4))


@pytest.mark.parametrize("barrier", ["gpu.barrier", ""])
def test_a_copy_that_nobody_waits_for(barrier: str) -> None:
    body = ASYNC.replace("BARRIER", barrier).replace("nvvm.cp.async.wait.group 0", "")
    with fails("user.py:71: (data race: reads .* while cp.async.* of user.py:70 may "
               "still write it: wait for its group first|uninitialised)"):  # fmt: skip
        run_async(body)


def test_a_copy_that_others_wait_for() -> None:
    with fails("user.py:71: (data race: reads|uninitialised)"):
        run_async(ASYNC.replace("BARRIER", ""))


# ---- matrices of a warp ----

MATRIX = """
gpu.func @f(%a: memref<16x16xf16>, %b: memref<16x8xf16>, %c: memref<16x8xf32>)
    workgroup(%s: memref<16x16xf16, 3> {llvm.align = 16 : i64}) kernel {
  %i = gpu.thread_id x
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c4 = arith.constant 4 : index
  %c8 = arith.constant 8 : index
  %c9 = arith.constant 9 : index
  %c16 = arith.constant 16 : index
  %c0 = arith.constant 0 : index
  %row = arith.remui %i, %c16 : index
  %half = arith.divui %i, %c16 : index
  %column = arith.muli %half, %c8 : index
  %v = vector.load %a[%row, %column] : memref<16x16xf16>, vector<8xf16>
  vector.store %v, %s[%row, %column] : memref<16x16xf16, 3>, vector<8xf16>
  gpu.barrier
  %sp = memref.extract_aligned_pointer_as_index %s : memref<16x16xf16, 3> -> index
  %r16 = arith.muli %row, %c16 : index
  %e = arith.addi %r16, %column : index
  %bytes = arith.muli %e, %STEP : index
  %at = arith.addi %sp, %bytes : index
  %at64 = arith.index_cast %at : index to i64
  %p = llvm.inttoptr %at64 : i64 to !llvm.ptr<3>
  %f = nvvm.ldmatrix %p {num = 4 : i32, layout = #nvvm.mma_layout<row>,
    shape = #nvvm.ld_st_matrix_shape<m = 8, n = 8>,
    eltType = #nvvm.ld_st_matrix_elt_type<b16>}
    : (!llvm.ptr<3>) -> !llvm.struct<(i32, i32, i32, i32)> !80
  %f0 = llvm.extractvalue %f[0] : !llvm.struct<(i32, i32, i32, i32)>
  %f1 = llvm.extractvalue %f[1] : !llvm.struct<(i32, i32, i32, i32)>
  %f2 = llvm.extractvalue %f[2] : !llvm.struct<(i32, i32, i32, i32)>
  %f3 = llvm.extractvalue %f[3] : !llvm.struct<(i32, i32, i32, i32)>
  %a0 = llvm.bitcast %f0 : i32 to vector<2xf16>
  %a1 = llvm.bitcast %f1 : i32 to vector<2xf16>
  %a2 = llvm.bitcast %f2 : i32 to vector<2xf16>
  %a3 = llvm.bitcast %f3 : i32 to vector<2xf16>
  %q = arith.divui %i, %c4 : index
  %l = arith.remui %i, %c4 : index
  %k0 = arith.muli %l, %c2 : index
  %k1 = arith.addi %k0, %c1 : index
  %k8 = arith.addi %k0, %c8 : index
  %k9 = arith.addi %k0, %c9 : index
  %b0 = memref.load %b[%k0, %q] : memref<16x8xf16>
  %b1 = memref.load %b[%k1, %q] : memref<16x8xf16>
  %b8 = memref.load %b[%k8, %q] : memref<16x8xf16>
  %b9 = memref.load %b[%k9, %q] : memref<16x8xf16>
  %bl = vector.from_elements %b0, %b1 : vector<2xf16>
  %bh = vector.from_elements %b8, %b9 : vector<2xf16>
  %z = arith.constant 0.0 : f32
  %d = nvvm.mma.sync A[%a0, %a1, %a2, %a3] B[%bl, %bh] C[%z, %z, %z, %z]
    {layoutA = #nvvm.mma_layout<row>, layoutB = #nvvm.mma_layout<col>,
     shape = #nvvm.shape<m = 16, n = 8, k = 16>}
    : (vector<2xf16>, vector<2xf16>, f32) -> !llvm.struct<(f32, f32, f32, f32)>
  %d0 = llvm.extractvalue %d[0] : !llvm.struct<(f32, f32, f32, f32)>
  %d1 = llvm.extractvalue %d[1] : !llvm.struct<(f32, f32, f32, f32)>
  %d2 = llvm.extractvalue %d[2] : !llvm.struct<(f32, f32, f32, f32)>
  %d3 = llvm.extractvalue %d[3] : !llvm.struct<(f32, f32, f32, f32)>
  %q8 = arith.addi %q, %c8 : index
  memref.store %d0, %c[%q, %k0] : memref<16x8xf32>
  memref.store %d1, %c[%q, %k1] : memref<16x8xf32>
  memref.store %d2, %c[%q8, %k0] : memref<16x8xf32>
  memref.store %d3, %c[%q8, %k1] : memref<16x8xf32>
  gpu.return
}
"""


def matrices() -> tuple[np.ndarray, np.ndarray]:
    return floats(16, 16).astype(np.float16), floats(16, 8).astype(np.float16)


def test_matrices_of_a_warp() -> None:
    a, b = matrices()
    result = run(MATRIX.replace("STEP", "c2"), [a, b], ((16, 8), F32), threads=32)
    expected = a.astype(F32) @ b.astype(F32)
    np.testing.assert_allclose(result, expected, rtol=1e-4, atol=1e-4)


def test_a_matrix_that_is_misaligned() -> None:
    body = MATRIX.replace("STEP", "c1")
    with fails("user.py:80: misaligned: reads 16 bytes at byte 8 of shared variable"):
        run(body, matrices(), ((16, 8), F32), threads=32)


def test_matrices_need_whole_warps() -> None:
    body = MATRIX.replace("STEP", "c2")
    with fails("user.py:80: ldmatrix.* in a warp of fewer than 32 threads"):
        run(body, matrices(), ((16, 8), F32), threads=16)


# ---- tensor maps, mbarriers and warp groups ----


def group_product(**changed: str) -> str:
    """64 x 64 x 64 of bf16, by one warp group: both factors come by tensor maps."""
    text = {
        "fence": "nvvm.barrier0",
        "expect": "16384",
        "wait": "nvvm.mbarrier.try_wait.parity %bar, %zero, %ticks "
        ": !llvm.ptr<3>, i32, i32 !91",
        "products": "nvvm.wgmma.wait.group.sync.aligned 0",
        "again": "",
    } | changed
    sums = "!llvm.struct<(" + ", ".join(["f32"] * 32) + ")>"
    lines = [
        "llvm.mlir.global external @dynamic() {addr_space = 3 : i32, "
        "alignment = 1024 : i64} : !llvm.array<0 x i8>",
        "llvm.func @f(%a: !llvm.ptr {llvm.byval = !llvm.array<128 x i8>}, "
        "%b: !llvm.ptr {llvm.byval = !llvm.array<128 x i8>}, %c: !llvm.ptr) "
        "attributes {gpu.kernel, nvvm.kernel} {",
        "%zero = llvm.mlir.constant(0 : i32) : i32",
        "%one = llvm.mlir.constant(1 : i32) : i32",
        "%ticks = llvm.mlir.constant(10000000 : i32) : i32",
        f"%bytes = llvm.mlir.constant({text['expect']} : i32) : i32",
        "%sm = llvm.mlir.addressof @dynamic : !llvm.ptr<3>",
        "%right = llvm.getelementptr %sm[8192] : (!llvm.ptr<3>) -> !llvm.ptr<3>, i8",
        "%bar = llvm.getelementptr %sm[16384] : (!llvm.ptr<3>) -> !llvm.ptr<3>, i8",
        "%sm7 = llvm.addrspacecast %sm : !llvm.ptr<3> to !llvm.ptr<7>",
        "%right7 = llvm.addrspacecast %right : !llvm.ptr<3> to !llvm.ptr<7>",
        "%tid = nvvm.read.ptx.sreg.tid.x : i32",
        '%first = llvm.icmp "eq" %tid, %zero : i32',
        "llvm.cond_br %first, ^init, ^ready",
        "^init:",
        "nvvm.mbarrier.init %bar, %one : !llvm.ptr<3>, i32 !89",
        "llvm.br ^ready",
        "^ready:",
        text["fence"],
        "llvm.cond_br %first, ^load, ^loaded",
        "^load:",
        "nvvm.mbarrier.arrive.expect_tx %bar, %bytes : !llvm.ptr<3>, i32",
        "nvvm.cp.async.bulk.tensor.shared.cluster.global %sm7, %a, %bar, "
        "box[%zero, %zero] : !llvm.ptr<7>, !llvm.ptr !90",
        "nvvm.cp.async.bulk.tensor.shared.cluster.global %right7, %b, %bar, "
        "box[%zero, %zero] : !llvm.ptr<7>, !llvm.ptr !90",
        "llvm.br ^loaded",
        "^loaded:",
        text["wait"],
        "%smi = llvm.ptrtoint %sm : !llvm.ptr<3> to i64",
        "%four = llvm.mlir.constant(4 : i64) : i64",
        "%low = llvm.mlir.constant(16383 : i64) : i64",
        "%units = llvm.lshr %smi, %four : i64",
        "%place = llvm.and %units, %low : i64",
        # Both are swizzled; the left is summed along its rows, the right across.
        f"%kl = llvm.mlir.constant({1 << 62 | 64 << 32 | 1 << 16} : i64) : i64",
        f"%kr = llvm.mlir.constant({(1 << 62 | 64 << 32 | 512 << 16) + 512} : i64) "
        ": i64",
        "%dl0 = llvm.or %place, %kl : i64",
        "%dr0 = llvm.add %place, %kr : i64",
        "%two = llvm.mlir.constant(2 : i64) : i64",
        "%step = llvm.mlir.constant(128 : i64) : i64",
        "%z = llvm.mlir.constant(0.0 : f32) : f32",
        f"%u = llvm.mlir.undef : {sums}",
    ]
    current = "%u"
    for i in range(32):
        lines.append(f"%s{i} = llvm.insertvalue %z, {current}[{i}] : {sums}")
        current = f"%s{i}"
    lines.append("nvvm.wgmma.fence.aligned")
    for k in range(4):
        lines.append(
            f"%w{k} = nvvm.wgmma.mma_async %dl{k}, %dr{k}, {current}, "
            "#nvvm.shape<m = 64, n = 64, k = 16>, "
            "D [<f32>, #nvvm.wgmma_scale_out<one>], "
            "A [<bf16>, #nvvm.wgmma_scale_in<one>, <row>], "
            f"B [<bf16>, #nvvm.wgmma_scale_in<one>, <row>] : {sums} -> {sums} !92"
        )
        lines.append(f"%dl{k + 1} = llvm.add %dl{k}, %two : i64")
        lines.append(f"%dr{k + 1} = llvm.add %dr{k}, %step : i64")
        current = f"%w{k}"
    lines += [
        "nvvm.wgmma.commit.group.sync.aligned",
        text["products"],
        text["again"],
        "%c31 = llvm.mlir.constant(31 : i32) : i32",
        "%c5 = llvm.mlir.constant(5 : i32) : i32",
        "%c2 = llvm.mlir.constant(2 : i32) : i32",
        "%c3 = llvm.mlir.constant(3 : i32) : i32",
        "%c16 = llvm.mlir.constant(16 : i32) : i32",
        "%c64 = llvm.mlir.constant(64 : i32) : i32",
        "%lane = llvm.and %tid, %c31 : i32",
        "%warp = llvm.lshr %tid, %c5 : i32",
        "%q = llvm.lshr %lane, %c2 : i32",
        "%l = llvm.and %lane, %c3 : i32",
        "%w16 = llvm.mul %warp, %c16 : i32",
        "%row = llvm.add %w16, %q : i32",
        "%column = llvm.mul %l, %c2 : i32",
        "%r64 = llvm.mul %row, %c64 : i32",
        "%start = llvm.add %r64, %column : i32",
        "%out = llvm.getelementptr %c[%start] : (!llvm.ptr, i32) -> !llvm.ptr, f32",
    ]
    for i in range(32):
        offset = i // 4 * 8 + (i >> 1 & 1) * 8 * 64 + (i & 1)
        lines.append(f"%v{i} = llvm.extractvalue {current}[{i}] : {sums}")
        lines.append(
            f"%o{i} = llvm.getelementptr %out[{offset}] : (!llvm.ptr) -> !llvm.ptr, f32"
        )
        lines.append(f"llvm.store %v{i}, %o{i} : f32, !llvm.ptr")
    lines.append("llvm.return\n}")
    return "\n".join(lines)


def run_group(body: str, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    runner = Run(body, Simulator(seed=seed))
    a, b = (floats(64, 64).astype(ml_dtypes.bfloat16) for _ in range(2))
    how = TensorMap((64, 64), (128,), (64, 64), 128, "bf16")
    out = runner.device.allocate(64 * 64 * 4)
    maps = [(runner.upload(each.view(np.uint16)), how) for each in (a, b)]
    runner.launch(*maps, out, threads=128, shared=16392)
    return runner.download(out, (64, 64)), a.astype(F32) @ b.astype(F32)


@pytest.mark.parametrize("seed", range(4))
def test_warp_groups(seed: int) -> None:
    result, expected = run_group(group_product(), seed)
    np.testing.assert_allclose(result, expected, rtol=1e-4, atol=1e-4)


def test_a_tensor_that_nobody_waits_for() -> None:
    for seed in range(4):
        with fails("user.py:92: (data race: reads .*(may still write it: wait for its "
                   "mbarrier first|this thread has not waited for it)|uninitialised)"
                   ):  # fmt: skip
            run_group(group_product(wait=""), seed)


def test_an_mbarrier_that_is_not_initialised_yet() -> None:
    with fails("user.py:91: (uninitialised: there is no mbarrier|data race: uses the "
               "mbarrier)"):  # fmt: skip
        run_group(group_product(fence=""))


@pytest.mark.parametrize("expect", ["16000", "16512"])
def test_an_mbarrier_that_expects_other_bytes(expect: str) -> None:
    with fails(r"user.py:91: thread .* waits for good at an mbarrier for 0 more "
               r"arrivals and -?\d+ more bytes"):  # fmt: skip
        run_group(group_product(expect=expect))


def test_products_that_nobody_waits_for() -> None:
    again = (
        "llvm.cond_br %first, ^more, ^on\n^more:\n"
        "nvvm.cp.async.bulk.tensor.shared.cluster.global %sm7, %a, %bar, "
        "box[%zero, %zero] : !llvm.ptr<7>, !llvm.ptr !93\nllvm.br ^on\n^on:"
    )
    run_group(group_product(again=again))
    with fails("user.py:93: data race: writes byte 0 of dynamic shared memory .* while "
               "wgmma.* of user.py:92 may still read it: wait for wgmma's group"
               ):  # fmt: skip
        run_group(group_product(again=again, products=""))


def test_a_tensor_map_that_the_driver_refuses() -> None:
    runner = Run(group_product())
    how = TensorMap((64, 64), (130,), (64, 64), 128, "bf16")
    a = runner.upload(np.zeros(64 * 64, np.uint16))
    with fails("user.py:90: a tensor map's strides must be multiples of 16 bytes"):
        runner.launch((a, how), (a, how), a, threads=128, shared=16392)


STORE = """
llvm.mlir.global external @dynamic() {addr_space = 3 : i32, alignment = 128 : i64}
  : !llvm.array<0 x i8>
llvm.func @f(%a: !llvm.ptr, %c: !llvm.ptr) attributes {gpu.kernel, nvvm.kernel} {
  %sm = llvm.mlir.addressof @dynamic : !llvm.ptr<3>
  %tid = nvvm.read.ptx.sreg.tid.x : i32
  %zero = llvm.mlir.constant(0 : i32) : i32
  %size = llvm.mlir.constant(256 : i32) : i32
  %from = llvm.getelementptr %a[%tid] : (!llvm.ptr, i32) -> !llvm.ptr, f32
  %x = llvm.load %from : !llvm.ptr -> f32
  %to = llvm.getelementptr %sm[%tid] : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, f32
  llvm.store %x, %to : f32, !llvm.ptr<3> !95
  FENCE
  nvvm.barrier0
  %first = llvm.icmp "eq" %tid, %zero : i32
  llvm.cond_br %first, ^store, ^end
^store:
  %out = llvm.addrspacecast %c : !llvm.ptr to !llvm.ptr<1>
  nvvm.cp.async.bulk.global.shared.cta %out, %sm, %size
    : !llvm.ptr<1>, !llvm.ptr<3> !96
  nvvm.cp.async.bulk.commit.group
  WAIT
  llvm.store %x, %sm : f32, !llvm.ptr<3> !97
  llvm.br ^end
^end:
  llvm.return
}
"""
FENCE = (
    'llvm.inline_asm has_side_effects "fence.proxy.async.shared::cta;", "" : () -> ()'
)
WAIT = "nvvm.cp.async.bulk.wait_group 0 {read}"


def test_bulk_stores() -> None:
    a = floats(64)
    body = STORE.replace("FENCE", FENCE).replace("WAIT", WAIT)
    np.testing.assert_array_equal(run(body, [a], (64, F32), shared=256), a)


def test_a_missing_fence_between_proxies() -> None:
    body = STORE.replace("FENCE", "").replace("WAIT", WAIT)
    with fails(r"user.py:96: data race: reads byte 0 of dynamic shared memory .*, "
               r"which thread .* wrote at user.py:95, with no fence.proxy.async"
               ):  # fmt: skip
        run(body, [floats(64)], (64, F32), shared=256)


def test_a_bulk_store_that_nobody_waits_for() -> None:
    body = STORE.replace("FENCE", FENCE).replace("WAIT", "")
    with fails("user.py:97: data race: writes byte 0 of .* of user.py:96 may still "
               "read it: wait for its group first"):  # fmt: skip
        run(body, [floats(64)], (64, F32), shared=256)


def test_ctrl_c_ends_a_launch() -> None:
    """Of a loop without end, in a process of its own; it goes on after that."""
    code = """
import os, signal, threading
import weft

# What begins this in the background may have it ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)

def endless(x):
    return weft.while_loop(lambda c: weft.all(c < 1e9), weft.sin, x)

x = weft.ones(10, device="cuda-sim")
f = weft.jit(endless).lower(x).compile()
threading.Timer(1, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
try:
    f(x)
except KeyboardInterrupt:
    print("interrupted", float(weft.sum(weft.jit(lambda x: x + 1)(x))))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=100,
        check=False,
    )  # fmt: skip
    assert done.stdout == "interrupted 20.0\n", done.stderr


def outcome(code: str) -> str:
    """What a program prints that would not end if threads waited for each other."""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=100,
        check=False,
    )  # fmt: skip
    return done.stdout or done.stderr


def test_threads_use_memory_while_a_kernel_runs() -> None:
    """A launch takes the interpreter's lock, to look for signals."""
    code = """
import threading
import weft

f = weft.jit(weft.cumsum)
x = weft.ones(30_000, device="cuda-sim")
f(x)
thread = threading.Thread(target=lambda: [f(x) for _ in range(20)])
thread.start()
while thread.is_alive():
    weft.ones(3).to("cuda-sim")
print("done")
"""
    assert outcome(code) == "done\n"


def test_a_signal_handler_uses_memory_while_a_kernel_runs() -> None:
    """It launches nothing then, which is said."""
    code = """
import signal, time
import weft

found = set()

def handle(*_):
    y = weft.ones(3).to("cuda-sim")
    found.add(str(y.tolist()))
    try:
        y + y
    except weft.WeftError as error:
        found.add(str(error).partition("while ")[2].partition(" in ")[0])

f = weft.jit(weft.cumsum)
x = weft.ones(100_000, device="cuda-sim")
y = x + x
f(x)
signal.signal(signal.SIGALRM, handle)
signal.setitimer(signal.ITIMER_REAL, 0.05, 0.05)
end = time.monotonic() + 60
while len(found) < 2 and time.monotonic() < end:
    last = float(f(x)[-1])
signal.setitimer(signal.ITIMER_REAL, 0)
print(last, sorted(found))
"""
    said = "100000.0 ['[1.0, 1.0, 1.0]', 'another one runs']\n"
    assert outcome(code) == said
