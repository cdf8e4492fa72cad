#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Builds both wheels into dist/ and installs them into .venv. usage: packaging/wheel.sh (after packaging/setup.sh)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# The compilers by the names that CMake finds elsewhere, so that the compiler cache knows the objects again.
export CC=${CC:-cc} CXX=${CXX:-c++} PATH=$PWD/.venv/bin:$PATH CMAKE_GENERATOR=Ninja CMAKE_BUILD_PARALLEL_LEVEL=${ORTRUN_JOBS:-$(nproc)}

rm -f dist/*.whl
mkdir -p dist build
log=build/wheel.log
echo "wheel: building (the log is $log)"
pip() { .venv/bin/python -m pip --disable-pip-version-check "$@"; }
build() { pip wheel -v --no-deps --no-build-isolation --wheel-dir dist "$1" >>"$log" 2>&1 || { tail -60 "$log" >&2; exit 1; }; }
: >"$log"
build .
build packaging/onnxruntime-alias

# A reinstall each time: the version stays while the content changes.
pip install --quiet --no-deps --force-reinstall dist/*.whl
for file in dist/*.whl; do echo "wheel: $file, $(stat -c %s "$file" | numfmt --to=iec)"; done
