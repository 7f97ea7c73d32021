"""Linear algebra in the words of the array API, NumPy and SciPy.

The last two axes are those of matrices, all others are stacks of them. Integers and
bools become float32. A matrix that has no result, being singular or not positive
definite, raises `weft.LinAlgError`, from compiled code too; with NaN and infinities
each function does what NumPy's does.
"""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

from ..errors import LinAlgError
from ..ops import matmul, matrix_transpose, outer, tensordot, vecdot
from .factors import (
    cho_factor,
    cholesky,
    eig,
    eigh,
    eigvals,
    eigvalsh,
    lu,
    lu_factor,
    qr,
    svd,
    svdvals,
)
from .functions import expm, matrix_power
from .norms import cond, matrix_norm, matrix_rank, norm, vector_norm
from .solutions import (
    cho_solve,
    det,
    inv,
    lstsq,
    lu_solve,
    pinv,
    slogdet,
    solve,
    solve_triangular,
    tensorinv,
    tensorsolve,
)
from .vectors import cross, diagonal, multi_dot, trace

__all__ = [
    "LinAlgError",
    "cho_factor",
    "cho_solve",
    "cholesky",
    "cond",
    "cross",
    "det",
    "diagonal",
    "eig",
    "eigh",
    "eigvals",
    "eigvalsh",
    "expm",
    "inv",
    "lstsq",
    "lu",
    "lu_factor",
    "lu_solve",
    "matmul",
    "matrix_norm",
    "matrix_power",
    "matrix_rank",
    "matrix_transpose",
    "multi_dot",
    "norm",
    "outer",
    "pinv",
    "qr",
    "slogdet",
    "solve",
    "solve_triangular",
    "svd",
    "svdvals",
    "tensordot",
    "tensorinv",
    "tensorsolve",
    "trace",
    "vecdot",
    "vector_norm",
]
