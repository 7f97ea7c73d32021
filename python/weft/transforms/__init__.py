"""Transformations of functions, which nest in any order and to any depth."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from .batching import vmap
from .checkpoint import checkpoint
from .common import Transformed
from .custom import custom_jvp, custom_vjp
from .forward import jvp
from .jacobian import hessian, jacfwd, jacrev
from .reverse import grad, linearize, value_and_grad, vjp

__all__ = [
    "Transformed",
    "checkpoint",
    "custom_jvp",
    "custom_vjp",
    "grad",
    "hessian",
    "jacfwd",
    "jacrev",
    "jvp",
    "linearize",
    "value_and_grad",
    "vjp",
    "vmap",
]
