"""What all tests start from."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import os

# Each test compiles for itself, here and in the processes that it starts.
os.environ["WEFT_CACHE_DIR"] = ""
# And each pass is checked, not only each stage.
os.environ["WEFT_VERIFY_EACH"] = "1"
