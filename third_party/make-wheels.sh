#!/usr/bin/env bash
# Makes dist/mlir_python_bindings-*.whl and dist/weft-*.whl, for systems without LLVM.
#
# The bindings' wheel carries libMLIR and libLLVM under their own names, beside the
# extensions, and auditwheel adds what those two need and manylinux does not promise.
# Weft's wheel carries no library: its extension and its programs find MLIR in the
# bindings' package, so that a process has one copy.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
work=$root/build/wheels
bin=$root/.venv/bin
export PATH=$bin:$PATH
readonly root work bin

mkdir -p "$root/dist"

# libraries_of FILE: what the loader finds for FILE, one "NAME PATH" a line.
libraries_of() { ldd "$1" | awk '$2 == "=>" { print $1, $3 }'; }

bundle_mlir() {
  local wheel=$1 unpacked=$work/unpacked package library path
  package=$unpacked/mlir/_mlir_libs
  rm -rf "$unpacked" "$work/bundled" "$work/bindings.part"
  mkdir -p "$work/bundled"
  "$bin/python" -m zipfile -e "$wheel" "$unpacked"
  libraries_of "$package/libMLIRPythonCAPI.so" | while read -r library path; do
    case $library in
      libMLIR.so.* | libLLVM.so.*)
        cp -L "$path" "$package/$library"
        strip --strip-unneeded "$package/$library"
        ;;
    esac
  done
  for path in "$package"/*.so "$package"/*.so.*; do
    # shellcheck disable=SC2016  # the loader expands it
    patchelf --set-rpath '$ORIGIN' "$path"
  done
  "$bin/python" -m wheel pack --dest-dir "$work/bundled" "$unpacked"
  auditwheel repair --strip -w "$work/bindings.part" "$work"/bundled/*.whl
  rm -rf "$unpacked" "$work/bundled"
}

# A minute's work, done again only if the bindings have changed.
bindings_wheel() {
  local wheel key
  wheel=$(echo "$root"/build/third_party/wheels/mlir_python_bindings-*.whl)
  key=$(cat "$wheel" "$root/third_party/make-wheels.sh" | sha256sum | cut -c-16)
  if [[ ! -d $work/bindings-$key ]]; then
    bundle_mlir "$wheel"
    rm -rf "$work"/bindings-*
    mv "$work/bindings.part" "$work/bindings-$key"
  fi
  cp "$work/bindings-$key"/*.whl "$root/dist"
}

# Installs from the development build, whose settings are the same.
weft_wheel() {
  local settings=(
    --config-settings=build-dir="$root/build"
    --config-settings=cmake.define.Python_EXECUTABLE="$bin/python"
  )
  [[ -z ${MLIR_DIR:-} ]] || settings+=(--config-settings=cmake.define.MLIR_DIR="$MLIR_DIR")
  export CMAKE_BUILD_PARALLEL_LEVEL=$JOBS
  rm -rf "$work/weft"
  "$bin/python" -m pip wheel "$root" --no-build-isolation --no-deps -v \
    -w "$work/weft" "${settings[@]}"
  auditwheel repair -w "$root/dist" "$work"/weft/*.whl \
    --exclude 'libMLIR.so.*' --exclude 'libLLVM.so.*' --exclude libMLIRPythonCAPI.so
}

rm -f "$root"/dist/*.whl
bindings_wheel
weft_wheel
