# SPDX-License-Identifier: Apache-2.0
"""The table of operators: name -> a function that adds one node of it to a builder."""

from __future__ import annotations

from collections.abc import Callable

import ml_dtypes
import numpy as np

from ..builder import Builder

OPERATORS: dict[str, Callable[[Builder], None]] = {}  # "Op" or "domain.Op"
PATTERNS: dict[str, Callable[[Builder], None]] = {}  # several nodes that a pass looks for

FLOATS = [np.dtype(t) for t in ("float16", "float32", "float64", ml_dtypes.bfloat16)]
IEEE = [np.dtype(t) for t in ("float16", "float32", "float64")]
INTEGERS = [np.dtype(t) for t in ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")]
BOOL, STRING, INT64, FLOAT = np.dtype(bool), np.dtype(object), np.dtype(np.int64), np.dtype(np.float32)
NUMBERS = FLOATS + INTEGERS


def operator(*names: str):
    def register(function):
        for name in names:
            OPERATORS[name] = function if len(names) == 1 else (lambda b, n=name: function(b, n))
        return function

    return register


def pattern(function):
    PATTERNS[function.__name__] = function
    return function


def normal_axis(b: Builder, rank: int) -> int:
    """An axis, sometimes counted from the end."""
    axis = b.integer(0, rank - 1)
    return axis - rank if b.chance(0.4) else axis


def some_axes(b: Builder, rank: int) -> list[int]:
    count = b.integer(1, rank)
    axes = [int(a) for a in b.random.permutation(rank)[:count]]
    return [a - rank if b.chance(0.3) else a for a in axes]
