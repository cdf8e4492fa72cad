#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Installs what is missing and runs all tests: formatting and lint, the C++ tests (ctest), the Python tests (pytest).
# usage: packaging/test.sh [--fast] [--full]
#   --fast  leaves out the tests marked slow
#   --full  adds the sanitizer builds (address+undefined, thread) and clang-tidy
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
build_and_test() { build "$1" && test_cpp "$1"; }
test_python() {
  # Tests run apart from the source tree's packages: what is tested is the installed wheel.
  local markers=()
  ((fast)) && markers=(-m "not slow")
  python -m pytest -q --timeout 600 "${markers[@]}" tests
}
check_tidy() { sources 'core/*.cc' 'plugins/*.cc' 'cli/*.cc' 'python/*.cc' |
  xargs -0 --no-run-if-empty -n 8 -P "$jobs" clang-tidy --quiet -p build/ci; }

step "clang-format" check_format
step "ruff" check_lint
step "build" build ci
# With the same switches as the build above, the compiler cache has every object already.
step "wheel" env SKBUILD_CMAKE_DEFINE=ORTRUN_WERROR=ON packaging/wheel.sh
step "ctest" test_cpp ci
step "pytest" test_python
if ((full)); then
  step "address and undefined-behaviour sanitizers" build_and_test asan
  step "thread sanitizer" build_and_test tsan
  step "clang-tidy" check_tidy
fi

echo "== summary"
printf '%s\n' "${results[@]}"
exit "$failed"
