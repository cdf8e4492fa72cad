#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Installs, builds, and shows a real model at work: PyPI's magika, unchanged, tells the types of this repository's files through ortrun,
# then `ortrun run` runs magika's own model file. Everything is installed into .venv.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

packaging/setup.sh
packaging/wheel.sh
echo "run: installing magika into .venv"
.venv/bin/python -m pip install --quiet --disable-pip-version-check magika
exec .venv/bin/python packaging/demo.py
