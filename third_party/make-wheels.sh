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

rm -rf "$work/repaired" "$work/unpacked" "$work/plain"
mkdir -p "$work/repaired" "$work/unpacked" "$work/plain" "$root/dist"

# libraries_of FILE: what the loader finds for FILE, one "NAME PATH" a line.
libraries_of() { ldd "$1" | awk '$2 == "=>" { print $1, $3 }'; }

bundle_mlir() {
  local wheel package library path
  wheel=$(echo "$root"/build/third_party/wheels/mlir_python_bindings-*.whl)
  "$bin/python" -m zipfile -e "$wheel" "$work/unpacked"
  package=$work/unpacked/mlir/_mlir_libs
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
  "$bin/python" -m wheel pack --dest-dir "$work/plain" "$work/unpacked"
  auditwheel repair --strip -w "$work/repaired" "$work"/plain/mlir_python_bindings-*.whl
}

build_weft() {
  local settings=(
    --config-settings=build-dir="$work/weft-{wheel_tag}"
    --config-settings=cmake.define.Python_EXECUTABLE="$bin/python"
  )
  [[ -z ${MLIR_DIR:-} ]] || settings+=(--config-settings=cmake.define.MLIR_DIR="$MLIR_DIR")
  export CMAKE_BUILD_PARALLEL_LEVEL=$JOBS
  "$bin/python" -m pip wheel "$root" --no-build-isolation --no-deps -v -w "$work/plain" "${settings[@]}"
  auditwheel repair -w "$work/repaired" "$work"/plain/weft-*.whl \
    --exclude 'libMLIR.so.*' --exclude 'libLLVM.so.*' --exclude libMLIRPythonCAPI.so
}

bundle_mlir
build_weft
rm -f "$root"/dist/*.whl
mv "$work"/repaired/*.whl "$root/dist"
