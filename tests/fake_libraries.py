"""cuSOLVER, cuBLAS and cuFFT over the host's memory, by LAPACK and NumPy.

They have C's calling convention, with signatures of their own, and check what the real
ones' documentation asks for: handles, streams, leading dimensions, sizes of scratch,
alignment. What is wrong is a status, and the reason is kept in `complaints`.
"""

import ctypes

import numpy as np
import scipy.linalg
from scipy.linalg import lapack

INVALID = {"cusolver": 3, "cublas": 7, "cufft": 4}
TYPES = dict(zip("SDCZ", map(np.dtype, ("f4", "f8", "c8", "c16")), strict=True))
# What scratch and what a library destroys is filled with.
WORK = 3.5


class WrongCall(Exception):
    """Arguments that the real library refuses, or must not be given."""


def expect(fits, what):
    if not fits:
        raise WrongCall(what)


def vector(pointer, size, dtype):
    """The elements at an address."""
    dtype = np.dtype(dtype)
    raw = (ctypes.c_char * max(size * dtype.itemsize, 1)).from_address(pointer)
    return np.frombuffer(raw, dtype, size)


def matrix(pointer, rows, columns, ld, dtype):
    """A matrix in column-major order."""
    expect(rows >= 0 and columns >= 0, "a negative size")
    expect(ld >= max(1, rows), f"ld {ld} of {rows} rows")
    expect(pointer, "no matrix")
    size = ld * (columns - 1) + rows if rows and columns else 0
    flat = vector(pointer, size, dtype)
    strides = (flat.itemsize, ld * flat.itemsize)
    return np.lib.stride_tricks.as_strided(flat, (rows, columns), strides)


SIGNATURES = {
    "p": ctypes.c_void_p, "i": ctypes.c_int, "c": ctypes.c_byte, "l": ctypes.c_longlong,
}  # fmt: skip


def c(signature, types=""):
    """Marks the method that is a C function, or one for each type: its signature."""

    def mark(function):
        function.signature, function.types = signature, types
        return function

    return mark


class Fake:
    """A library: each function is an attribute, made when it is asked for."""

    kind = ""
    prefix = ""

    def __init__(self):
        self._functions = {}
        self.begin(None)

    def begin(self, driver):
        """As a process has it that has loaded it for a driver."""
        self.driver, self.missing = driver, ()
        self.complaints, self.calls = [], []
        self.fails, self.streams, self.created = {}, {}, None

    def __getattr__(self, name):
        if name.startswith("_") or name in self.missing:
            raise AttributeError(name)
        if name not in self._functions:
            self._functions[name] = self._made(name)
        return self._functions[name]

    def _made(self, name):
        short = name.removeprefix(self.prefix)
        own, dtype = getattr(type(self), short, None), ()
        if own is None and short[0] in TYPES:
            dtype = (TYPES[short[0]],)
            plain = short[1:]
            if short[0] in "CZ":
                plain = plain.replace("ungqr", "orgqr").replace("heevd", "syevd")
                if plain == short[1:] and plain.startswith(("orgqr", "syevd")):
                    raise AttributeError(name)
            own = getattr(type(self), plain, None)
        if own is None or not name.startswith(self.prefix):
            raise AttributeError(name)

        def call(*args):
            self.calls.append(short)
            if short in self.fails:
                return self.fails.pop(short)
            try:
                own(self, *dtype, *args)
            except Exception as error:
                self.complaints.append(f"{name}: {error!r}")
                return INVALID[self.kind]
            return 0

        arguments = [SIGNATURES[letter] for letter in own.signature]
        return ctypes.CFUNCTYPE(ctypes.c_int, *arguments)(call)

    def open(self, handle):
        vector(handle, 1, np.int64)[0] = self.created = 0x1000 + len(self.streams)

    def in_stream(self, handle):
        expect(handle in self.streams, "a handle that was not created, or no stream")
        expect(self.streams[handle] == 1, "another stream than the device's")
        expect(self.driver.capture is None, "a call while a graph is captured")

    def scratch(self, pointer, size):
        expect(self.driver.covers(pointer, size), "scratch that was not allocated")

    def number(self, pointer, number):
        expect(self.driver.covers(pointer, 4), "an info that is not on the device")
        vector(pointer, 1, np.int32)[0] = number


class Solver(Fake):
    """cuSOLVER's dense functions; workspaces have sizes of their own."""

    kind, prefix = "cusolver", "cusolverDn"

    def begin(self, driver):
        super().begin(driver)
        self.nan_fails = False

    def size_of(self, *numbers):
        return 7 + sum(numbers)

    @c("p")
    def Create(self, handle):
        self.open(handle)

    @c("pp")
    def SetStream(self, handle, stream):
        expect(handle == self.created, "no handle")
        self.streams[handle] = stream

    def ask(self, pointer, *numbers):
        vector(pointer, 1, np.int32)[0] = self.size_of(*numbers)

    def work(self, pointer, given, dtype, *numbers):
        expect(given >= self.size_of(*numbers), f"{given} is too little scratch")
        self.scratch(pointer, given * dtype.itemsize)
        vector(pointer, given, dtype)[...] = WORK

    # ---- Cholesky ----

    @c("piipip")
    def potrf_bufferSize(self, dtype, handle, uplo, n, a, lda, size):
        self.in_stream(handle)
        self.ask(size, n)

    @c("piipipip")
    def potrf(self, dtype, handle, uplo, n, a, lda, work, lwork, info):
        self.in_stream(handle)
        self.work(work, lwork, dtype, n)
        self.number(info, self._cholesky(uplo, matrix(a, n, n, lda, dtype)))

    @c("piipipi")
    def potrfBatched(self, dtype, handle, uplo, n, a, lda, infos, count):
        self.in_stream(handle)
        self.scratch(a, 8 * count)
        for k, each in enumerate(vector(a, count, np.int64).tolist()):
            x = matrix(each, n, n, lda, dtype)
            self.number(infos + 4 * k, self._cholesky(uplo, x))

    def _cholesky(self, uplo, x):
        expect(uplo in (0, 1), "uplo")
        (potrf,) = lapack.get_lapack_funcs(("potrf",), (x,))
        if np.isnan(x).any() and self.nan_fails:
            return 1 + int(np.argmax(np.isnan(np.diagonal(x))))
        factor, info = potrf(x, lower=uplo == 0, clean=0)
        keep = np.tril if uplo == 0 else np.triu
        part = keep(np.ones(x.shape, bool))
        x[part] = factor[part]
        return info

    # ---- LU ----

    @c("piipip")
    def getrf_bufferSize(self, dtype, handle, m, n, a, lda, size):
        self.in_stream(handle)
        self.ask(size, m, n)

    @c("piipippp")
    def getrf(self, dtype, handle, m, n, a, lda, work, pivots, info):
        self.in_stream(handle)
        self.work(work, self.size_of(m, n), dtype, m, n)
        x = matrix(a, m, n, lda, dtype)
        expect(self.driver.covers(pivots, 4 * min(m, n)), "pivots")
        self.number(info, factored(x, vector(pivots, min(m, n), np.int32)))

    @c("piiipippip")
    def getrs(self, dtype, handle, trans, n, nrhs, a, lda, pivots, b, ldb, info):
        self.in_stream(handle)
        solved(trans, n, nrhs, a, lda, vector(pivots, n, np.int32), b, ldb, dtype)
        self.number(info, 0)

    # ---- QR ----

    @c("piipip")
    def geqrf_bufferSize(self, dtype, handle, m, n, a, lda, size):
        self.in_stream(handle)
        matrix(a, m, n, lda, dtype)
        self.ask(size, m, n)

    @c("piipippip")
    def geqrf(self, dtype, handle, m, n, a, lda, tau, work, lwork, info):
        self.in_stream(handle)
        self.work(work, lwork, dtype, m, n)
        x = matrix(a, m, n, lda, dtype)
        (geqrf,) = lapack.get_lapack_funcs(("geqrf",), (x,))
        x[...], scales, _, status = geqrf(x)
        vector(tau, min(m, n), dtype)[...] = scales
        self.number(info, status)

    @c("piiipipp")
    def orgqr_bufferSize(self, dtype, handle, m, n, k, a, lda, tau, size):
        self.in_stream(handle)
        expect(m >= n >= k >= 0, "m >= n >= k")
        self.ask(size, m, n, k)

    @c("piiipippip")
    def orgqr(self, dtype, handle, m, n, k, a, lda, tau, work, lwork, info):
        self.in_stream(handle)
        expect(m >= n >= k >= 0, "m >= n >= k")
        self.work(work, lwork, dtype, m, n, k)
        x = matrix(a, m, n, lda, dtype)
        name = "ungqr" if dtype.kind == "c" else "orgqr"
        (orgqr,) = lapack.get_lapack_funcs((name,), (x,))
        x[...], _, status = orgqr(x, vector(tau, k, dtype))
        self.number(info, status)

    # ---- values ----

    @c("piip")
    def gesvd_bufferSize(self, dtype, handle, m, n, size):
        self.in_stream(handle)
        expect(m >= n, "gesvd supports m >= n alone")
        self.ask(size, m, n)

    @c("pcciipippipipipp")
    def gesvd(
        self, dtype, handle, jobu, jobvt, m, n, a, lda, s, u, ldu, vt, ldvt, work,
        lwork, rwork, info,
    ):  # fmt: skip
        self.in_stream(handle)
        jobs = chr(jobu) + chr(jobvt)
        expect(jobs in ("AA", "SS", "NN"), f"jobs {jobs!r}")
        expect(m >= n, "gesvd supports m >= n alone")
        expect(ldu >= m and ldvt >= n, "ldu or ldvt")
        self.work(work, lwork, dtype, m, n)
        real = np.zeros(0, dtype).real.dtype
        self.scratch(rwork, (n - 1) * real.itemsize)
        x = matrix(a, m, n, lda, dtype)
        values = vector(s, n, real)
        try:
            expect(np.isfinite(x).all(), "no convergence")
            left, values[...], right = scipy.linalg.svd(x, jobs == "AA")
        except WrongCall:
            values[...] = np.nan
            self.number(info, n - 1 if self.nan_fails else 0)
            return
        x[...] = WORK
        if jobs != "NN":
            width = m if jobs == "AA" else n
            matrix(u, m, width, ldu, dtype)[...] = left
            matrix(vt, n, n, ldvt, dtype)[...] = right
        self.number(info, 0)

    @c("piiipipp")
    def syevd_bufferSize(self, dtype, handle, job, uplo, n, a, lda, w, size):
        self.in_stream(handle)
        expect(job in (0, 1), "jobz")
        self.ask(size, n, job)

    @c("piiipippip")
    def syevd(self, dtype, handle, job, uplo, n, a, lda, w, work, lwork, info):
        self.in_stream(handle)
        self.work(work, lwork, dtype, n, job)
        x = matrix(a, n, n, lda, dtype)
        values = vector(w, n, np.zeros(0, dtype).real.dtype)
        if not np.isfinite(np.tril(x) if uplo == 0 else np.triu(x)).all():
            values[...] = np.nan
            self.number(info, n if self.nan_fails else 0)
            return
        values[...], vectors = scipy.linalg.eigh(x, lower=uplo == 0, check_finite=False)
        x[...] = vectors if job else WORK
        self.number(info, 0)


def factored(x, pivots):
    """LU in place; the pivots are counted from one."""
    (getrf,) = lapack.get_lapack_funcs(("getrf",), (x,))
    x[...], found, info = getrf(x)
    pivots[...] = found + 1
    return info


def solved(trans, n, nrhs, a, lda, pivots, b, ldb, dtype):
    expect(trans in (0, 1, 2), "trans")
    expect(pivots.min() >= 1 and pivots.max() <= n, "pivots are counted from one")
    x, y = matrix(a, n, n, lda, dtype), matrix(b, n, nrhs, ldb, dtype)
    (getrs,) = lapack.get_lapack_funcs(("getrs",), (x,))
    y[...], _ = getrs(x, pivots - 1, y, trans=trans)


def turned(op, x):
    return (x, x.T, x.conj().T)[op]


class Blas(Fake):
    """cuBLAS."""

    kind, prefix = "cublas", "cublas"

    @c("p")
    def Create_v2(self, handle):
        self.open(handle)

    @c("pp")
    def SetStream_v2(self, handle, stream):
        expect(handle == self.created, "no handle")
        self.streams[handle] = stream

    @c("piiiiiippipi")
    def trsm_v2(
        self, dtype, handle, side, uplo, trans, diag, m, n, alpha, a, lda, b, ldb
    ):
        self.in_stream(handle)
        expect(vector(alpha, 1, dtype)[0] == 1, "alpha")
        size = n if side else m
        x, y = matrix(a, size, size, lda, dtype), matrix(b, m, n, ldb, dtype)
        keep = np.tril if uplo == 0 else np.triu
        x = keep(x)
        if diag:
            np.fill_diagonal(x, 1)
        with np.errstate(all="ignore"):
            trsm = scipy.linalg.get_blas_funcs("trsm", (x,))
            y[...] = trsm(1, x, y, side, uplo == 0, trans, diag)

    @c("piiiiiippipii")
    def trsmBatched(
        self, dtype, handle, side, uplo, trans, diag, m, n, alpha, a, lda, b, ldb, count
    ):
        for x, y in zip(
            vector(a, count, np.int64).tolist(), vector(b, count, np.int64).tolist(),
            strict=True,
        ):  # fmt: skip
            Blas.trsm_v2(
                self,
                dtype,
                handle,
                side,
                uplo,
                trans,
                diag,
                m,
                n,
                alpha,
                x,
                lda,
                y,
                ldb,
            )

    @c("piiiiippipippi")
    def gemm_v2(
        self, dtype, handle, ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, cc, ldc
    ):
        self.in_stream(handle)
        expect(vector(alpha, 1, dtype)[0] == 1, "alpha")
        expect(vector(beta, 1, dtype)[0] == 0, "beta")
        x = matrix(a, *((m, k) if ta == 0 else (k, m)), lda, dtype)
        y = matrix(b, *((k, n) if tb == 0 else (n, k)), ldb, dtype)
        matrix(cc, m, n, ldc, dtype)[...] = turned(ta, x) @ turned(tb, y)

    @c("piiiippippipi")
    def geam(self, dtype, handle, ta, tb, m, n, alpha, a, lda, beta, b, ldb, cc, ldc):
        self.in_stream(handle)
        expect(vector(alpha, 1, dtype)[0] == 1, "alpha")
        expect(vector(beta, 1, dtype)[0] == 0, "beta")
        x = matrix(a, *((m, n) if ta == 0 else (n, m)), lda, dtype)
        matrix(b, *((m, n) if tb == 0 else (n, m)), ldb, dtype)
        expect(b != cc or (ldb == ldc and tb == 0), "in place with another layout")
        expect(a != cc, "in place")
        matrix(cc, m, n, ldc, dtype)[...] = turned(ta, x)

    @c("piiipipipi")
    def dgmm(self, dtype, handle, side, m, n, a, lda, x, step, cc, ldc):
        self.in_stream(handle)
        expect(side == 1 and step == 1, "side or step")
        expect(a != cc or lda == ldc, "in place with another layout")
        scaled = matrix(a, m, n, lda, dtype) * vector(x, n, dtype)
        matrix(cc, m, n, ldc, dtype)[...] = scaled

    @c("piipip")
    def trttp(self, dtype, handle, uplo, n, a, lda, packed):
        self.in_stream(handle)
        self.scratch(packed, n * (n + 1) // 2 * dtype.itemsize)
        x = matrix(a, n, n, lda, dtype)
        vector(packed, n * (n + 1) // 2, dtype)[...] = x[triangle(uplo, n)]

    @c("piippi")
    def tpttr(self, dtype, handle, uplo, n, packed, a, lda):
        self.in_stream(handle)
        x = matrix(a, n, n, lda, dtype)
        x[triangle(uplo, n)] = vector(packed, n * (n + 1) // 2, dtype)

    @c("pipippi")
    def getrfBatched(self, dtype, handle, n, a, lda, pivots, infos, count):
        self.in_stream(handle)
        for k, each in enumerate(vector(a, count, np.int64).tolist()):
            x = matrix(each, n, n, lda, dtype)
            own = vector(pivots + 4 * n * k, n, np.int32)
            self.number(infos + 4 * k, factored(x, own))

    @c("piiipippipi")
    def getrsBatched(
        self, dtype, handle, trans, n, nrhs, a, lda, pivots, b, ldb, info, count
    ):
        self.in_stream(handle)
        pairs = zip(
            vector(a, count, np.int64).tolist(), vector(b, count, np.int64).tolist(),
            strict=True,
        )  # fmt: skip
        for k, (x, y) in enumerate(pairs):
            own = vector(pivots + 4 * n * k, n, np.int32)
            solved(trans, n, nrhs, x, lda, own, y, ldb, dtype)
        expect(not self.driver.covers(info, 4), "info is one on the host")
        vector(info, 1, np.int32)[0] = 0


def triangle(uplo, n):
    """The places of a triangle, column by column."""
    columns, rows = np.nonzero(np.tri(n) if uplo else np.tri(n).T)
    return rows, columns


class Fourier(Fake):
    """cuFFT, of one dimension."""

    kind, prefix = "cufft", "cufft"

    def begin(self, driver):
        super().begin(driver)
        self.plans, self.destroyed = {}, []

    @c("p")
    def Create(self, plan):
        number = len(self.plans) + len(self.destroyed) + 1
        vector(plan, 1, np.int32)[0] = number
        self.plans[number] = {"auto": 1}

    @c("i")
    def Destroy(self, plan):
        del self.plans[plan]
        self.destroyed.append(plan)

    @c("ip")
    def SetStream(self, plan, stream):
        self.plans[plan]["stream"] = stream

    @c("ii")
    def SetAutoAllocation(self, plan, auto):
        expect("type" not in self.plans[plan], "after the plan was made")
        self.plans[plan]["auto"] = auto

    @c("iippllpllilp")
    def MakePlanMany64(
        self, plan, rank, n, inembed, istride, idist, onembed, ostride, odist, kind,
        batch, size,
    ):  # fmt: skip
        expect(rank == 1 and inembed and onembed, "rank or embed")
        (length,) = vector(n, 1, np.int64).tolist()
        vector(size, 1, np.int64)[0] = needed = 16 * length * batch
        self.plans[plan] |= {
            "type": kind, "n": length, "in": (istride, idist), "out": (ostride, odist),
            "batch": batch, "size": needed,
        }  # fmt: skip

    @c("ip")
    def SetWorkArea(self, plan, pointer):
        expect(self.driver.covers(pointer, self.plans[plan]["size"]), "scratch")
        self.plans[plan]["area"] = pointer

    def transform(self, plan, kind, x, y, complex_, function, real=""):
        made = self.plans[plan]
        expect(made["stream"] == 1, "the stream")
        expect(made["type"] == kind, "another kind of plan")
        expect(made["auto"] or made.pop("area", 0), "no scratch for this call")
        # Real elements too are to lie where complex ones could.
        item = np.dtype(complex_).itemsize
        expect(x % item == 0 and y % item == 0, "alignment")
        n, half = made["n"], made["n"] // 2 + 1
        lengths = {"": (n, n), "in": (n, half), "out": (half, n)}[real]
        dtypes = [
            np.zeros(0, complex_).real.dtype if side == real else np.dtype(complex_)
            for side in ("in", "out")
        ]
        views = []
        for pointer, side, length, dtype in zip(
            (x, y), ("in", "out"), lengths, dtypes, strict=True
        ):
            stride, distance = made[side]
            size = (length - 1) * stride + (made["batch"] - 1) * distance + 1
            flat = vector(pointer, size, dtype)
            strides = (distance * dtype.itemsize, stride * dtype.itemsize)
            views.append(
                np.lib.stride_tricks.as_strided(flat, (made["batch"], length), strides)
            )
        given, result = views
        if real == "out":
            ends = given[:, [0, -1] if n % 2 == 0 else [0]]
            expect((ends.imag == 0).all(), "no transform of real elements")
        result[...] = function(given, n)
        if real == "out":
            given[...] = WORK  # it may be overwritten

    @c("ippi")
    def ExecC2C(self, plan, x, y, direction):
        self.both(plan, 0x29, x, y, "c8", direction)

    @c("ippi")
    def ExecZ2Z(self, plan, x, y, direction):
        self.both(plan, 0x69, x, y, "c16", direction)

    def both(self, plan, kind, x, y, dtype, direction):
        expect(direction in (-1, 1), "direction")

        def function(given, n):
            if direction == -1:
                return np.fft.fft(given, axis=1)
            return np.fft.ifft(given, axis=1, norm="forward")

        self.transform(plan, kind, x, y, dtype, function)

    @c("ipp")
    def ExecR2C(self, plan, x, y):
        self.transform(plan, 0x2A, x, y, "c8", np.fft.rfft, "in")

    @c("ipp")
    def ExecD2Z(self, plan, x, y):
        self.transform(plan, 0x6A, x, y, "c16", np.fft.rfft, "in")

    @c("ipp")
    def ExecC2R(self, plan, x, y):
        self.transform(plan, 0x2C, x, y, "c8", inverse, "out")

    @c("ipp")
    def ExecZ2D(self, plan, x, y):
        self.transform(plan, 0x6C, x, y, "c16", inverse, "out")


def inverse(given, n):
    return np.fft.irfft(given, n, norm="forward")
