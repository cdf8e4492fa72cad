#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Installs what building and testing need and this machine lacks: Debian packages with apt-get (as root or through sudo), Python
# packages into .venv, the private third-party libraries into build/third_party. Running it again does nothing.
# usage: packaging/setup.sh [--tests]      --tests adds what only the tests need
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

build_packages=(build-essential ca-certificates ccache dpkg-dev protobuf-compiler python3 python3-dev python3-pip python3-six python3-venv
  libboost-dev libboost-filesystem-dev libboost-program-options-dev libboost-system-dev
  libminizip-dev nlohmann-json3-dev unicode-data zlib1g-dev)
test_packages=(clang clang-format clang-tidy libbenchmark-dev libgtest-dev strace)
build_wheels=("cmake>=3.26,<5" "ninja>=1.11" "scikit-build-core>=0.10" "pybind11>=2.12" "numpy>=1.26")
test_wheels=("pytest>=8" "pytest-timeout>=2.3" "ruff>=0.9" "onnx==1.23.2" "ml-dtypes" "click>=8.1.7")
# Programs that the tests run on ortrun. They are installed alone, since some require PyPI's onnxruntime; click is what magika needs beside it.
program_wheels=("onnxruntime-extensions==0.15.2" "onnxruntime-ggml==0.2.0" "magika==1.0.3" "silero-vad==6.2.3")

packages=("${build_packages[@]}")
wheels=("${build_wheels[@]}")
programs=()
if [[ ${1:-} == --tests ]]; then
  packages+=("${test_packages[@]}")
  wheels+=("${test_wheels[@]}")
  programs=("${program_wheels[@]}")
elif [[ $# -gt 0 ]]; then
  echo "usage: packaging/setup.sh [--tests]" >&2
  exit 2
fi

as_root() {
  if [[ $(id -u) == 0 ]]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    echo "setup: '$*' needs root, and there is no sudo: run this script as root once" >&2
    exit 1
  fi
}

quiet() {  # quiet COMMAND...: its output is shown only when it fails
  local log
  log=$(mktemp)
  "$@" >"$log" 2>&1 || {
    local code=$?
    cat "$log" >&2
    rm -f "$log"
    echo "setup: '$*' ended with $code" >&2
    exit 1
  }
  rm -f "$log"
}

missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
done
if ((${#missing[@]})); then
  echo "setup: installing ${missing[*]}"
  quiet as_root apt-get -o DPkg::Lock::Timeout=300 update
  quiet as_root env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install -y --no-install-recommends "${missing[@]}"
fi

if [[ ! -x .venv/bin/python ]]; then
  python=${ORTRUN_PYTHON:-python3}
  "$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))' || {
    echo "setup: Python 3.10 or newer is needed, $python is $("$python" --version); name another in ORTRUN_PYTHON" >&2
    exit 1
  }
  echo "setup: making .venv with $("$python" --version)"
  "$python" -m venv .venv
fi
export PATH=$PWD/.venv/bin:$PATH

# What is asked for is written down once installed, so that a second run needs no network.
install_wheels() {  # install_wheels PIP_OPTION WHEEL...: PIP_OPTION may be empty
  local option=$1 asked
  shift
  asked=$(printf '%s\n' "$@")
  if [[ ! -f .venv/.ortrun-setup ]] || [[ -n $(comm -23 <(sort <<<"$asked") <(sort .venv/.ortrun-setup)) ]]; then
    echo "setup: installing into .venv: $*"
    quiet .venv/bin/python -m pip install --quiet --disable-pip-version-check ${option:+"$option"} "$@"
    { cat .venv/.ortrun-setup 2>/dev/null || true; echo "$asked"; } | sort -u >.venv/.ortrun-setup.new
    mv .venv/.ortrun-setup.new .venv/.ortrun-setup
  fi
}
install_wheels "" "${wheels[@]}"
((${#programs[@]} == 0)) || install_wheels --no-deps "${programs[@]}"

packaging/third_party.sh

# PyPI's ONNX Runtime owns the same module name, so the tests that compare with it get an environment of their own.
if [[ ${1:-} == --tests && ! -f build/reference/.ready ]]; then
  echo "setup: making build/reference with onnxruntime 1.32.0"
  quiet .venv/bin/python -m venv build/reference
  quiet build/reference/bin/python -m pip install --quiet --disable-pip-version-check onnxruntime==1.32.0 numpy onnx==1.23.2
  touch build/reference/.ready
fi
echo "setup: ready"
