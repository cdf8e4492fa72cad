#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Builds the private protobuf-lite and onnx libraries into PREFIX (default: build/third_party in this checkout).
# usage: packaging/third_party.sh [PREFIX]
#   ORTRUN_CACHE_DIR  where finished builds are kept for other checkouts (default ~/.cache/ortrun)
#   ORTRUN_JOBS       parallel compile jobs (default: all processors)
# Needs: apt-get and dpkg-source with a Debian source mirror, protoc 3.21.12, pip, CMake >= 3.26, Ninja, g++ (packaging/setup.sh installs them).
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
prefix=${1:-$root/build/third_party}
cache=${ORTRUN_CACHE_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/ortrun}
jobs=${ORTRUN_JOBS:-$(nproc)}
onnx_version=1.23.2
protobuf_version=3.21.12

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

echo "third_party: fetching Debian's protobuf source"
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
  apt-get "${options[@]}" source -qq protobuf >>apt.log 2>&1 || { cat apt.log >&2; exit 1; }
  [[ -d protobuf-$protobuf_version ]] || {
    echo "third_party: the mirror's protobuf source is not $protobuf_version: $(ls -d protobuf-* 2>/dev/null)" >&2
    exit 1
  }
)

echo "third_party: building protobuf-lite and onnx with $jobs jobs (some minutes)"
launcher=()
command -v ccache >/dev/null && launcher=(-DCMAKE_C_COMPILER_LAUNCHER=ccache -DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
# The sources lie in a folder with a new name each time; ccache finds its objects again when paths are seen relative to it.
export CCACHE_BASEDIR=$work CCACHE_NOHASHDIR=1
{
  cmake -S "$root/cmake/third_party" -B "$work/build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DCMAKE_INSTALL_PREFIX="$work/prefix" \
    -DPROTOBUF_SOURCE_DIR="$work/protobuf-$protobuf_version" -DONNX_SOURCE_DIR="$work/onnx-$onnx_version" "${launcher[@]}" &&
    cmake --build "$work/build" --parallel "$jobs" --target onnx libprotobuf-lite &&
    cmake --install "$work/build"
} >"$work/build.log" 2>&1 || { tail -50 "$work/build.log" >&2; exit 1; }

echo "$key" >"$work/prefix/.key"
publish "$work/prefix" "$cache/third_party-$key"
publish "$work/prefix" "$prefix"
echo "third_party: built into $prefix"
