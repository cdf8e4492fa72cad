#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Installs what is missing and runs all tests: formatting and lint, the C++ tests (ctest), the Python tests (pytest).
# usage: packaging/test.sh [--fast] [--full]
#   --fast  leaves out the tests marked slow and clang-tidy
#   --full  adds the sanitizer builds (address+undefined, thread), which run the unit and operator tests, and clang-tidy's analyzer
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

fast=0 full=0
for argument in "$@"; do
  case $argument in
    --fast) fast=1 ;;
    --full) full=1 ;;
    *) echo "usage: packaging/test.sh [--fast] [--full]" >&2; exit 2 ;;
  esac
done
jobs=${ORTRUN_JOBS:-$(nproc)}

packaging/setup.sh --tests || exit 1
export PATH=$PWD/.venv/bin:$PATH
export ORTRUN_REFERENCE_PYTHON=$PWD/build/reference/bin/python

results=()
failed=0
step() {  # step NAME COMMAND...: runs it, shows its output, remembers how it ended; a later step runs all the same
  local name=$1 start=$SECONDS
  shift
  echo "== $name"
  if "$@"; then
    results+=("ok      $name ($((SECONDS - start)) s)")
  else
    results+=("FAILED  $name ($((SECONDS - start)) s)")
    failed=1
  fi
}

sources() { git ls-files -z --cached --others --exclude-standard -- "$@"; }

check_format() { sources '*.h' '*.cc' '*.c' ':!plugin-api/include/onnxruntime' ':!plugin-api/include/onnxruntime_*' |
  xargs -0 --no-run-if-empty clang-format --dry-run -Werror; }
check_lint() { ruff check . && ruff format --check .; }
build() {  # build PRESET
  cmake --preset "$1" >"build/$1-configure.log" 2>&1 || { tail -40 "build/$1-configure.log"; return 1; }
  cmake --build --preset "$1" --parallel "$jobs" >"build/$1-build.log" 2>&1 || { grep -E -A5 'error|FAILED' "build/$1-build.log" | head -80; return 1; }
}
test_cpp() {
  local exclude=()
  ((fast)) && exclude=(-LE slow)
  ctest --preset "$1" --parallel "$jobs" --timeout 600 --progress "${exclude[@]}"
}
sanitized() {  # sanitized PRESET RUNTIME: the C++ tests, and the operator suite in a Python that has the sanitizer's RUNTIME loaded first
  local preload
  preload=$(g++ -print-file-name="$2"):$(g++ -print-file-name=libstdc++.so.6)  # what it intercepts must be there when it starts; numpy's own
  # BLAS threads are not built with it
  build "$1" && test_cpp "$1" &&
    env ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1 TSAN_OPTIONS=halt_on_error=1:allocator_may_return_null=1 \
      OPENBLAS_NUM_THREADS=1 PYTHONPATH="build/$1" LD_PRELOAD="$preload" python -m pytest -q -s --timeout 600 -p no:cacheprovider tests/ops
}
test_python() {
  # Tests run apart from the source tree's packages: what is tested is the installed wheel.
  local markers=()
  ((fast)) && markers=(-m "not slow")
  python -m pytest -q --timeout 600 "${markers[@]}" tests
}
check_tidy() {
  # The build is GCC's; clang does not know two of its flags, and has warnings of its own. The analyzer takes five times as long as the rest.
  local checks=()
  ((full)) || checks=(--checks='-clang-analyzer-*')
  mkdir -p build/tidy
  sed 's/ -fno-gnu-unique//g; s/ -Wno-restrict//g; s/ -Werror//g' build/ci/compile_commands.json >build/tidy/compile_commands.json
  sources 'core/*.cc' 'plugins/*.cc' 'cli/*.cc' 'python/*.cc' |
    xargs -0 --no-run-if-empty -n 4 -P "$jobs" clang-tidy --quiet -p build/tidy "${checks[@]}" >build/tidy/report 2>&1 ||
    { grep -E -A4 'error:' build/tidy/report | head -80; return 1; }
}

step "clang-format" check_format
step "ruff" check_lint
step "build" build ci
# With the same switches as the build above, the compiler cache has every object already.
step "wheel" env SKBUILD_CMAKE_DEFINE=ORTRUN_WERROR=ON packaging/wheel.sh
step "ctest" test_cpp ci
step "pytest" test_python
((fast)) || step "clang-tidy" check_tidy
if ((full)); then
  step "address and undefined-behaviour sanitizers" sanitized asan libasan.so
  step "thread sanitizer" sanitized tsan libtsan.so
fi

echo "== summary"
printf '%s\n' "${results[@]}"
exit "$failed"
