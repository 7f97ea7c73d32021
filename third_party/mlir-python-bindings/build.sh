#!/usr/bin/env bash
# Makes the mlir-python-bindings wheel in WORK/wheels and installs it into the
# environment of $PYTHON.
#
#   PYTHON=.venv/bin/python third_party/mlir-python-bindings/build.sh WORK
#
# The source is $LLVM_SOURCE or, if that is empty, Debian's upstream tarball of the
# same version. Everything is kept in WORK, so that an interrupted build resumes.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
mkdir -p "$1"
work=$(cd "$1" && pwd)
version=$(sed -n 's/^version = "\(.*\)"/\1/p' "$here/pyproject.toml")
readonly here work version
readonly tarball=llvm-toolchain-22_$version.orig.tar.xz
readonly checksum=b49b9277aef97616320b2da259e1f8174c65b0ce2fbe2e8629644a97693402fe

# The archive that this machine installs Debian from, whatever its name.
debian_archive() {
  apt-get update --print-uris | sed -n "s|^'\(.*\)/dists/bookworm/InRelease'.*|\1|p" | head -n 1
}

# Downloads the tarball with apt's own verification. Debian 12's security suite names
# this source package without carrying it; the next release does carry it. The
# machine's own source lists stay as they are.
download() {
  local apt=$work/apt keyring=/usr/share/keyrings/debian-archive-keyring.gpg
  mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial" "$apt/source"
  echo "deb-src [signed-by=$keyring] $(debian_archive) trixie main" >"$apt/sources.list"
  local options=(
    -o "Dir::Etc::SourceList=$apt/sources.list" -o Dir::Etc::SourceParts=/dev/null
    -o "Dir::State::Lists=$apt/lists" -o "Dir::Cache=$apt/cache"
    -o "APT::Sandbox::User=$(id -un)" -o Acquire::Retries=3
  )
  apt-get "${options[@]}" update
  (cd "$apt/source" &&
    apt-get "${options[@]}" source --download-only --tar-only "llvm-toolchain-22")
  echo "$checksum  $apt/source/$tarball" | sha256sum --check || {
    echo "Debian's archive no longer has $tarball; set LLVM_SOURCE to an LLVM $version source tree"
    return 1
  }
  mv "$apt/source/$tarball" "$work/$tarball"
}

extract() {
  rm -rf "$work/source.part"
  mkdir "$work/source.part"
  tar -xf "$work/$tarball" -C "$work/source.part" --strip-components=1 \
    --wildcards --no-wildcards-match-slash '*/mlir' '*/cmake' '*/llvm/cmake'
  mv "$work/source.part" "$work/llvm-$version"
}

if [[ -z ${LLVM_SOURCE:-} ]]; then
  LLVM_SOURCE=$work/llvm-$version
  [[ -d $LLVM_SOURCE || -f $work/$tarball ]] || download
  [[ -d $LLVM_SOURCE ]] || extract
  rm -f "$work/$tarball"
fi

export CMAKE_BUILD_PARALLEL_LEVEL=${JOBS:-$(nproc)}
settings=(
  --config-settings=build-dir="$work/bindings-{wheel_tag}"
  --config-settings=cmake.define.LLVM_SOURCE="$LLVM_SOURCE"
  --config-settings=cmake.define.CMAKE_CXX_COMPILER_LAUNCHER="$(command -v ccache || true)"
)
[[ -z ${MLIR_DIR:-} ]] || settings+=(--config-settings=cmake.define.MLIR_DIR="$MLIR_DIR")
"$PYTHON" -m pip wheel "$here" --no-build-isolation --no-deps -v \
  -w "$work/wheels.part" "${settings[@]}"
rm -rf "$work/wheels"
mv "$work/wheels.part" "$work/wheels"
"$PYTHON" -m pip install --force-reinstall --no-deps "$work"/wheels/mlir_python_bindings-*.whl
"$PYTHON" -c 'import mlir.ir as ir; print(ir.Module.parse("func.func private @f()", ir.Context()))'
