#!/usr/bin/env bash
# Proves that the wheels in dist/ need nothing but Python: installs them in a new
# environment of a bare Debian root, without network, and runs README.md's first
# program and weft-opt there. Needs root, for debootstrap and chroot.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
bare=$root/build/bare
readonly root bare
readonly suite=bookworm

if ((EUID != 0)); then
  echo "$0 needs root, for debootstrap and chroot" >&2
  exit 1
fi

make_bare_root() {
  local archive
  command -v debootstrap >/dev/null || apt-get install -y --no-install-recommends debootstrap
  archive=$(apt-get update --print-uris |
    sed -n "s|^'\(.*\)/dists/$suite/InRelease'.*|\1|p" | head -n 1)
  rm -rf "$bare.part"
  debootstrap --variant=minbase --include=python3,python3-venv "$suite" "$bare.part" "$archive"
  mv "$bare.part" "$bare"
}

# The wheels of both packages and of all that they depend on.
collect_wheels() {
  rm -rf "$bare/wheels"
  "$root/.venv/bin/python" -m pip download --quiet --only-binary=:all: \
    --find-links "$root/dist" --dest "$bare/wheels" "$root"/dist/*.whl
}

first_program() {
  awk '/^```python/ { inside = 1; next } /^```/ && inside { exit } inside' "$root/README.md"
}

in_bare_root() {
  # shellcheck disable=SC2016  # expanded by the inner shell
  unshare --mount bash -euc '
    mount -t proc proc "$0/proc"
    exec chroot "$0" env -i PATH=/venv/bin:/usr/bin:/bin HOME=/root "$@"' "$bare" "$@"
}

[[ -x $bare/usr/bin/python3 ]] || make_bare_root
if find "$bare/usr/lib" -name 'libMLIR*' -o -name 'libLLVM*' -o -name 'libz3*' \
  -o -name 'libxml2*' -o -name 'libicu*' -o -name 'libedit*' -o -name 'libbsd*' | grep .; then
  echo "the root is not bare" >&2
  exit 1
fi

collect_wheels
first_program >"$bare/root/readme.py"
[[ -s $bare/root/readme.py ]] || {
  echo "README.md has no python block" >&2
  exit 1
}
cat >"$bare/root/one_copy.py" <<'END'
"""Runs the program again and counts the copies of MLIR and LLVM in the process."""
import re
import runpy
import sys

runpy.run_path("/root/readme.py", run_name="__main__")
maps = open("/proc/self/maps").read()
libraries = sorted(set(re.findall(r"/\S*lib(?:MLIR|LLVM)\S*\.so\.\S*", maps)))
print(*libraries, sep="\n", file=sys.stderr)
assert len(libraries) == 2, "more than one MLIR or LLVM"
END

in_bare_root python3 -m venv --clear /venv
in_bare_root pip install --quiet --no-index --find-links /wheels weft
in_bare_root python /root/readme.py
in_bare_root python /root/one_copy.py >/dev/null
in_bare_root sh -c 'echo "func.func private @f()" | weft-opt'
du -h "$root"/dist/*.whl
echo "The README's program runs on a bare Debian with these wheels."
