"""Plans and their running on NVIDIA GPUs, for machines with no compiler too.

Nothing here needs more than NumPy and `cuda.bindings`, and that not before a device is
asked for.
"""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
