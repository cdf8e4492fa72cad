#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Builds the private copies of onnx, protobuf-lite, Highway, RE2 and OpenBLAS into PREFIX (default: build/third_party in this checkout).
# usage: packaging/third_party.sh [PREFIX]
#   ORTRUN_CACHE_DIR  where finished builds are kept for other checkouts (default ~/.cache/ortrun)
#   ORTRUN_JOBS       parallel compile jobs (default: all processors)
# Needs: apt-get and dpkg-source with a Debian source mirror, unicode-data, python3-six, protoc 3.21.12, pip, CMake >= 3.26, Ninja, g++ (packaging/setup.sh installs them).
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
prefix=${1:-$root/build/third_party}
cache=${ORTRUN_CACHE_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/ortrun}
jobs=${ORTRUN_JOBS:-$(nproc)}
onnx_version=1.23.2
protobuf_version=3.21.12
openblas_version=0.3.21
highway_version=1.0.3
re2_version=20220601

# One key names the recipe, the versions and the compiler: a prefix with the same key is up to date.
key=$(cat "$root/cmake/third_party/CMakeLists.txt" "${BASH_SOURCE[0]}" <("${CXX:-c++}" --version) | sha256sum | cut -c1-16)

if [[ -f $prefix/.key && $(<"$prefix/.key") == "$key" ]]; then
  echo "third_party: up to date in $prefix"
  exit 0
fi

publish() {  # publish FROM TO: a whole folder or none, also when two builds race
  local staging
  mkdir -p "$(dirname "$2")"
  staging=$(mktemp -d "$(dirname "$2")/.third_party.XXXXXX")
  cp -a "$1/." "$staging/"
  chmod 755 "$staging"
  rm -rf "$2"
  mv -T "$staging" "$2"
}

if [[ -f $cache/third_party-$key/.key ]]; then
  publish "$cache/third_party-$key" "$prefix"
  echo "third_party: taken from $cache/third_party-$key"
  exit 0
fi

work=$(mktemp -d "${TMPDIR:-/tmp}/ortrun-third-party.XXXXXX")
trap 'rm -rf "$work"' EXIT

echo "third_party: fetching onnx $onnx_version"
(
  cd "$work"
  python3 -m pip download --quiet --no-deps --no-binary onnx --no-build-isolation "onnx==$onnx_version" >pip.log 2>&1 ||
    python3 -m pip download --quiet --no-deps --no-binary onnx "onnx==$onnx_version" >pip.log 2>&1 ||
    { cat pip.log >&2; exit 1; }
  tar xzf "onnx-$onnx_version.tar.gz"
)

echo "third_party: fetching Debian's sources of protobuf, Highway, RE2 and OpenBLAS"
(
  # A private apt state with the machine's own mirrors as source mirrors: nothing of the system's configuration changes.
  cd "$work"
  mkdir -p apt/lists/partial apt/parts
  for list in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
    [[ -f $list ]] && sed -n 's/^deb\(-src\)\?[[:space:]]/deb-src /p' "$list" | sort -u >"apt/parts/$(basename "$list" .list).list"
  done
  for list in /etc/apt/sources.list.d/*.sources; do
    [[ -f $list ]] && sed 's/^Types:.*/Types: deb-src/' "$list" >"apt/parts/$(basename "$list")"
  done
  options=(-o "Dir::Etc::SourceList=/dev/null" -o "Dir::Etc::SourceParts=$work/apt/parts" -o "Dir::State::Lists=$work/apt/lists"
    -o "APT::Sandbox::User=$(id -un)")
  apt-get "${options[@]}" update -qq >apt.log 2>&1 || { cat apt.log >&2; exit 1; }
  # The release's own version may carry security fixes on top of the upstream number: take what the release has and check that number.
  apt-get "${options[@]}" source -qq protobuf highway re2 openblas >>apt.log 2>&1 || { cat apt.log >&2; exit 1; }
  for folder in "protobuf-$protobuf_version" "highway-$highway_version" "re2-$re2_version+dfsg" "openblas-$openblas_version+ds"; do
    [[ -d $folder ]] || { echo "third_party: the mirror's sources are not those expected ($folder):" [a-z]*-[0-9]*/ >&2; exit 1; }
  done
  mv "openblas-$openblas_version+ds" openblas
  # Debian's source has RE2's tables as the scripts that make them (from its packages unicode-data and python3-six).
  cd "re2-$re2_version+dfsg/re2"
  perl make_perl_groups.pl >perl_groups.cc
  /usr/bin/python3 make_unicode_casefold.py >unicode_casefold.cc
  /usr/bin/python3 make_unicode_groups.py >unicode_groups.cc
)

echo "third_party: building protobuf-lite, onnx, Highway and RE2 with $jobs jobs (some minutes)"
launcher=()
command -v ccache >/dev/null && launcher=(-DCMAKE_C_COMPILER_LAUNCHER=ccache -DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
# The sources lie in a folder with a new name each time; ccache finds its objects again when paths are seen relative to it.
export CCACHE_BASEDIR=$work CCACHE_NOHASHDIR=1
{
  cmake -S "$root/cmake/third_party" -B "$work/build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DCMAKE_INSTALL_PREFIX="$work/prefix" \
    -DPROTOBUF_SOURCE_DIR="$work/protobuf-$protobuf_version" -DONNX_SOURCE_DIR="$work/onnx-$onnx_version" \
    -DHIGHWAY_SOURCE_DIR="$work/highway-$highway_version" -DRE2_SOURCE_DIR="$work/re2-$re2_version+dfsg" "${launcher[@]}" &&
    cmake --build "$work/build" --parallel "$jobs" --target onnx libprotobuf-lite hwy re2 &&
    cmake --install "$work/build"
} >"$work/build.log" 2>&1 || { tail -50 "$work/build.log" >&2; exit 1; }

# OpenBLAS behind the cpu provider's own matrix product: real types only, no threads of its own (the caller's pool splits the work),
# a kernel for any x86-64 and two for newer machines. NUM_THREADS bounds the calls in flight, not threads.
echo "third_party: building OpenBLAS with $jobs jobs"
{
  PATH=/usr/lib/ccache:$PATH make -C "$work/openblas" -j "$jobs" libs DYNAMIC_ARCH=1 TARGET=PRESCOTT DYNAMIC_LIST="HASWELL SKYLAKEX" \
    NO_LAPACK=1 NOFORTRAN=1 ONLY_CBLAS=1 BUILD_SINGLE=1 BUILD_DOUBLE=1 USE_THREAD=0 USE_OPENMP=0 USE_LOCKING=1 NUM_THREADS=128 \
    NO_AFFINITY=1 NO_WARMUP=1 CC=gcc COMMON_OPT="-O2 -fPIC -fvisibility=hidden -ffunction-sections -w" &&
    install -D -m 644 "$work"/openblas/libopenblas-r*.a "$work/prefix/lib/libopenblas.a" &&
    install -D -m 644 "$work/openblas/cblas.h" "$work/prefix/include/openblas/cblas.h" &&
    # cblas.h includes the build's configuration under this name when it is used from outside the source tree.
    { echo "#include <stddef.h>"; sed 's/^#define \([A-Z0-9_]*\)/#define OPENBLAS_\1/' "$work/openblas/config_last.h"
      cat "$work/openblas/openblas_config_template.h"; } >"$work/prefix/include/openblas/openblas_config.h" &&
    sed -i 's/"common.h"/"openblas_config.h"/' "$work/prefix/include/openblas/cblas.h" &&
    install -D -m 644 "$work/openblas/LICENSE" "$work/prefix/licenses/openblas.txt"
} >"$work/openblas.log" 2>&1 || { tail -50 "$work/openblas.log" >&2; exit 1; }

echo "$key" >"$work/prefix/.key"
publish "$work/prefix" "$cache/third_party-$key"
publish "$work/prefix" "$prefix"
echo "third_party: built into $prefix"
