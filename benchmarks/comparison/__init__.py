"""What `peers.py` compares, how frameworks run it, and how that is timed."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
