# SPDX-License-Identifier: Apache-2.0
"""Fixtures of all folders."""

from __future__ import annotations

import functools
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "data"))
import recipes


@pytest.fixture(scope="session")
def bench_model():
    """bench_model("resnet50"): a full-size model file with inputs for it, see data/recipes.py."""
    return functools.lru_cache(maxsize=None)(recipes.bench_model)
