#!/usr/bin/env bash
# Brings a machine from nothing to a built Weft. Each step named on the command
# line prints one line, runs only if what it depends on has changed since it last
# succeeded, and can be interrupted and run again.
#
#   third_party/setup.sh packages python bindings build
#
# Variables, for machines that are not Debian 12 or where nothing may be installed:
#   MLIR_DIR     the lib/cmake/mlir folder of an LLVM and MLIR 22.1 installation
#   LLVM_SOURCE  the matching llvm-project source tree (mlir/, cmake/, llvm/cmake/)
#   PYTHON       the Python to build for, 3.11 or later (default: python3)
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build=$root/build
venv=$root/.venv
log_dir=$build/log
readonly root build venv log_dir

PYTHON=${PYTHON:-python3}
MLIR_DIR=${MLIR_DIR:-}
LLVM_SOURCE=${LLVM_SOURCE:-}
OS_RELEASE=${OS_RELEASE:-/etc/os-release}
JOBS=${JOBS:-}

readonly debian_packages=(
  build-essential clang-22 make cmake ninja-build ccache git xz-utils
  ca-certificates python3 python3-dev python3-venv
  libmlir-22-dev mlir-22-tools llvm-22-dev libomp-22-dev
  zlib1g-dev libzstd-dev libedit-dev libxml2-dev libffi-dev libz3-dev
)

# ---------------------------------------------------------------- reporting ----

number=0 total=$#

die() {
  printf '%s\n' "$@" >&2
  exit 1
}

# announce TITLE: opens the progress line of the next step.
announce() {
  number=$((number + 1))
  printf '[%d/%d] %s ... ' "$number" "$total" "$1"
}

# logged NAME COMMAND...: runs a command into build/log/NAME.log and closes the
# progress line with the time it took, or with the end of the log if it failed.
logged() {
  local log=$log_dir/$1.log start=$SECONDS status
  shift
  # Not `|| status=$?`, under which bash would ignore failures inside the command.
  set +e
  (set -e; "$@") >"$log" 2>&1 </dev/null 9>&-
  status=$?
  set -e
  if ((status)); then
    printf 'failed\n'
    grep -m 5 'error:' "$log" >&2 || true
    tail -n 30 "$log" >&2
    die "" "The whole output is in $log"
  fi
  printf '%d s\n' $((SECONDS - start))
}

# once STAMP KEY NAME COMMAND...: `logged`, unless STAMP already holds KEY.
once() {
  local stamp=$1 key=$2
  shift 2
  if [[ -f $stamp && $(<"$stamp") == "$key" ]]; then
    echo ready
    return
  fi
  logged "$@"
  mkdir -p "$(dirname "$stamp")"
  printf '%s\n' "$key" >"$stamp.part"
  mv "$stamp.part" "$stamp"
}

hash_of_input() { sha256sum | cut -d' ' -f1; }

# ----------------------------------------------------------------- packages ----

missing_packages() {
  local package
  for package in "${debian_packages[@]}"; do
    [[ $(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null) == installed ]] ||
      printf '%s ' "$package"
  done
}

# os_release FIELD: what the system says of itself.
os_release() { sed -n "s/^$1=\"\?\([^\"]*\)\"\?$/\1/p" "$OS_RELEASE" 2>/dev/null; }

other_system() {
  local name
  name=$(os_release PRETTY_NAME)
  printf 'not installed\n'
  cat >&2 <<END

Packages are installed only on Debian 12; this is ${name:-$OSTYPE}.
Install these yourself:
  - LLVM and MLIR 22.1, shared libraries and development files, with RTTI
    (-DLLVM_ENABLE_PROJECTS=mlir -DLLVM_BUILD_LLVM_DYLIB=ON -DLLVM_LINK_LLVM_DYLIB=ON
    -DMLIR_LINK_MLIR_DYLIB=ON -DLLVM_ENABLE_RTTI=ON -DLLVM_TARGETS_TO_BUILD='host;NVPTX')
  - the source tree they were built from
  - Clang, with which that LLVM must have been built too (CXX may name it)
  - CMake 3.22 or later, Ninja
  - Python 3.11 or later with its headers and venv
then say where they are:
  make MLIR_DIR=/path/to/lib/cmake/mlir LLVM_SOURCE=/path/to/llvm-project PYTHON=python3.11 $goal
END
  exit 1
}

# As root, or as a user whom sudo lets through without a question.
as_root() {
  if ((EUID == 0)); then
    "$@"
  else
    sudo -n "$@"
  fi
}

install_packages() {
  as_root apt-get update
  as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y --no-install-recommends "$@"
}

check_tools() {
  local tool
  for tool in cmake ninja; do
    command -v "$tool" >/dev/null ||
      die "failed" "" "$tool is missing; with MLIR_DIR set, nothing is installed for you."
  done
  [[ -n ${CXX:-} ]] || command -v clang++-22 clang++ >/dev/null ||
    die "failed" "" "Clang is missing; with MLIR_DIR set, nothing is installed for you."
  [[ -f $MLIR_DIR/MLIRConfig.cmake ]] ||
    die "failed" "" "MLIR_DIR=$MLIR_DIR holds no MLIRConfig.cmake:" \
      "it is the lib/cmake/mlir folder of an installation of MLIR 22.1."
  [[ -z $LLVM_SOURCE || -d $LLVM_SOURCE/mlir/python ]] ||
    die "failed" "" "LLVM_SOURCE=$LLVM_SOURCE holds no mlir/python: it is the llvm-project tree."
  echo "ready (MLIR_DIR=$MLIR_DIR)"
}

step_packages() {
  announce "Debian packages"
  if [[ -n $MLIR_DIR ]]; then
    check_tools
    return
  fi
  [[ $(os_release ID)$(os_release VERSION_ID) == debian12 ]] || other_system
  local missing
  read -ra missing <<<"$(missing_packages)"
  if ((${#missing[@]} == 0)); then
    echo ready
  elif as_root true 2>/dev/null; then
    logged packages install_packages "${missing[@]}"
  else
    die "not installed" "" "Installing packages needs root. Run this once as root, then make again:" \
      "  apt-get update && apt-get install -y --no-install-recommends ${missing[*]}" \
      "Or point at an installation of your own:" \
      "  make MLIR_DIR=/path/to/lib/cmake/mlir LLVM_SOURCE=/path/to/llvm-project $goal"
  fi
}

# ------------------------------------------------------------------- python ----

python_identity() {
  "$1" -c 'import sys; print(sys.version, sys.base_prefix)' 2>/dev/null
}

check_python() {
  command -v "$PYTHON" >/dev/null ||
    die "failed" "" "There is no $PYTHON here; name one with make PYTHON=/path/to/python3.11 $goal"
  "$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    die "failed" "" "$("$PYTHON" --version) is too old: Weft needs Python 3.11 or later." \
      "Name one with make PYTHON=/path/to/python3.11 $goal"
  "$PYTHON" -c 'import ensurepip, venv' 2>/dev/null ||
    die "failed" "" "$PYTHON has no venv module; install it (Debian: python3-venv)."
}

# The packages that pyproject.toml names, but for the bindings, which are built here.
requirements() {
  "$PYTHON" - "$root/pyproject.toml" <<'END'
import sys, tomllib
project = tomllib.load(open(sys.argv[1], "rb"))
for line in project["project"]["dependencies"] + project["dependency-groups"]["dev"]:
    if not line.startswith("mlir-python-bindings"):
        print(line)
END
}

install_python_packages() {
  if [[ $(python_identity "$venv/bin/python") != "$(python_identity "$PYTHON")" ]] ||
    ! "$venv/bin/python" -m pip --version; then
    "$PYTHON" -m venv --clear "$venv"
  fi
  requirements >"$build/requirements.txt"
  "$venv/bin/python" -m pip install --upgrade pip
  "$venv/bin/python" -m pip install -r "$build/requirements.txt"
  use_in_place
}

# The package is used where it stands: the folder is on the path, and the programs
# that the build makes are on .venv/bin.
use_in_place() {
  local site
  site=$("$venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
  echo "$root/python" >"$site/weft.pth"
  ln -sf "$build/bin/weft-opt" "$build/bin/weft-lsp-server" "$venv/bin/"
  cat >"$venv/bin/weft" <<END
#!$venv/bin/python
import sys
from weft.cli import main
sys.exit(main())
END
  chmod +x "$venv/bin/weft"
}

step_python() {
  announce "Python environment"
  check_python
  local key
  key=$({
    python_identity "$PYTHON"
    requirements
    declare -f use_in_place
  } | hash_of_input)
  once "$venv/.stamps/python" "$key" python install_python_packages
}

# ----------------------------------------------------------------- bindings ----

step_bindings() {
  announce "MLIR's Python bindings"
  local key
  key=$({
    echo "$MLIR_DIR" "$LLVM_SOURCE"
    cat "$root"/third_party/mlir-python-bindings/*
  } | hash_of_input)
  once "$venv/.stamps/bindings" "$key" bindings \
    env PYTHON="$venv/bin/python" MLIR_DIR="$MLIR_DIR" LLVM_SOURCE="$LLVM_SOURCE" JOBS="$JOBS" \
    "$root/third_party/mlir-python-bindings/build.sh" "$build/third_party"
}

# -------------------------------------------------------------------- build ----

# As many compilers as there are processors, if each can have 2 GB.
jobs() {
  local gigabytes
  gigabytes=$(awk '/^MemAvailable/ { print int($2 / 1048576) }' /proc/meminfo)
  printf '%s\n' "$(nproc)" $((gigabytes / 2 > 0 ? gigabytes / 2 : 1)) | sort -n | head -n 1
}

configure() {
  local options=("-DPython_EXECUTABLE=$venv/bin/python")
  [[ -z $MLIR_DIR ]] || options+=("-DMLIR_DIR=$MLIR_DIR")
  rm -f "$build/CMakeCache.txt"
  cmake -G Ninja -S "$root" -B "$build" "${options[@]}"
}

configure_and_build() {
  local stamp=$build/configured key
  key="$(python_identity "$venv/bin/python") $MLIR_DIR $(hash_of_input <"$root/CMakeLists.txt")"
  if [[ ! -f $stamp || $(<"$stamp") != "$key" ]]; then
    rm -f "$stamp"
    configure
    echo "$key" >"$stamp"
  fi
  cmake --build "$build" -j "$JOBS"
}

step_build() {
  announce "Weft"
  logged build configure_and_build
}

# -------------------------------------------------------------------- wheel ----

step_wheel() {
  announce "Wheels"
  logged wheel env JOBS="$JOBS" MLIR_DIR="$MLIR_DIR" "$root/third_party/make-wheels.sh"
  (cd "$root" && du -h dist/*.whl)
}

# --------------------------------------------------------------------- main ----

readonly goal=${GOAL:-test}
JOBS=${JOBS:-$(jobs)}
mkdir -p "$log_dir"
trap 'printf "interrupted\n"; exit 130' INT
exec 9>"$build/setup.lock"
flock 9
for step in "$@"; do
  "step_$step"
done
