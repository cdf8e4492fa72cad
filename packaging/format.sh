#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Formats the sources as the test command checks them. usage: packaging/format.sh [PATH...]   (default: the whole tree)
# The C headers of the ABI are left as they are: their lines follow the tables of the interface.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
git ls-files -z --cached --others --exclude-standard -- "${@:-.}" | while IFS= read -r -d '' file; do
  [[ -f $file ]] || continue
  case $file in
    plugin-api/include/onnxruntime*) ;;
    *.h | *.cc | *.c) clang-format -i "$file" ;;
    *.py | *.pyi) .venv/bin/ruff format --quiet "$file" && .venv/bin/ruff check --fix --quiet "$file" ;;
  esac
done
