"""The array namespace: every op of the dialect and the functions composed of them."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np

from . import (
    arithmetic,
    arranging,
    choice,
    choosing,
    comparing,
    contract,
    convolutions,
    create,
    cumulative,
    joining,
    logic,
    nan_reductions,
    numerics,
    padding,
    parts,
    products,
    quantiles,
    reduce,
    searching,
    sets,
    shape,
    slices,
    sorting,
    special,
    statistics,
    subscripts,
    taking,
    transcendental,
    triangles,
    windows,
)
from . import (
    fourier as fourier,
)
from . import (
    matrices as matrices,
)
from .arithmetic import *  # noqa: F403
from .arranging import *  # noqa: F403
from .at import Indexer as Indexer
from .choice import *  # noqa: F403
from .choosing import *  # noqa: F403
from .comparing import *  # noqa: F403
from .contract import *  # noqa: F403
from .convolutions import *  # noqa: F403
from .create import *  # noqa: F403
from .create import placed as placed
from .cumulative import *  # noqa: F403
from .index import getitem as getitem
from .joining import *  # noqa: F403
from .logic import *  # noqa: F403
from .nan_reductions import *  # noqa: F403
from .numerics import *  # noqa: F403
from .padding import *  # noqa: F403
from .parts import *  # noqa: F403
from .products import *  # noqa: F403
from .quantiles import *  # noqa: F403
from .reduce import *  # noqa: F403
from .registry import REGISTRY as REGISTRY
from .searching import *  # noqa: F403
from .sets import *  # noqa: F403
from .shape import *  # noqa: F403
from .slices import *  # noqa: F403
from .sorting import *  # noqa: F403
from .special import *  # noqa: F403
from .statistics import *  # noqa: F403
from .subscripts import *  # noqa: F403
from .taking import *  # noqa: F403
from .transcendental import *  # noqa: F403
from .triangles import *  # noqa: F403
from .windows import *  # noqa: F403

# A module lists what it gives to users once; nothing repeats these lists.
__all__: list[str] = []
__all__ += arithmetic.__all__
__all__ += choice.__all__
__all__ += contract.__all__
__all__ += convolutions.__all__
__all__ += create.__all__
__all__ += cumulative.__all__
__all__ += slices.__all__
__all__ += logic.__all__
__all__ += padding.__all__
__all__ += products.__all__
__all__ += parts.__all__
__all__ += numerics.__all__
__all__ += reduce.__all__
__all__ += searching.__all__
__all__ += shape.__all__
__all__ += sorting.__all__
__all__ += taking.__all__
__all__ += arranging.__all__
__all__ += joining.__all__
__all__ += triangles.__all__
__all__ += nan_reductions.__all__
__all__ += quantiles.__all__
__all__ += statistics.__all__
__all__ += sets.__all__
__all__ += choosing.__all__
__all__ += comparing.__all__
__all__ += subscripts.__all__
__all__ += special.__all__
__all__ += transcendental.__all__
__all__ += windows.__all__

# The function of the same name for each of NumPy's universal functions.
BY_UFUNC: Final[dict[np.ufunc, Callable[..., Any]]] = {
    ufunc: globals()[name]
    for name in __all__
    if isinstance(ufunc := getattr(np, name, None), np.ufunc)
}
