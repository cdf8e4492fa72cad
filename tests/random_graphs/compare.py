# SPDX-License-Identifier: Apache-2.0
"""When two values count as the same."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np

# By type: what the rounding of a chain of operators may do, relative to the element and to the largest element.
TOLERANCE = {"float64": (1e-9, 1e-10), "float32": (1e-4, 2e-5), "float16": (1e-2, 4e-3), "bfloat16": (6e-2, 3e-2)}
TOLERANCE |= {"complex64": TOLERANCE["float32"], "complex128": TOLERANCE["float64"]}


def widened(array: np.ndarray) -> np.ndarray:
    return array.astype(np.complex128 if array.dtype.kind == "c" else np.float64)


def tolerance(want: np.ndarray) -> np.ndarray:
    """How far each element may be off; 0 for types that do not round."""
    if want.dtype.name not in TOLERANCE:
        return np.zeros(want.shape)
    of_element, of_largest = TOLERANCE[want.dtype.name]
    magnitude = np.abs(widened(want))
    finite = np.where(np.isfinite(magnitude), magnitude, 0)
    real = np.dtype(f"f{want.itemsize // 2}") if want.dtype.kind == "c" else want.dtype
    unit = 4 * float(ml_dtypes.finfo(real).eps)  # what is 0 by cancellation is so but for the rounding of its terms
    return of_element * finite + of_largest * finite.max(initial=0) + unit


def difference(want: Any, got: Any, allowed: np.ndarray | None = None) -> str | None:
    """What differs, or None. `allowed` is by how much each element may, beyond what its type allows."""
    if isinstance(want, list):
        if not isinstance(got, list) or len(got) != len(want):
            return f"a sequence of {len(want)} is expected, got {type(got).__name__} of {len(got)}"
        return next((d for d in map(difference, want, got) if d), None)
    if not isinstance(want, np.ndarray):
        return None if want == got else f"{want!r} is expected, got {got!r}"
    if not isinstance(got, np.ndarray) or got.shape != want.shape:
        return f"shape {want.shape} is expected, got {getattr(got, 'shape', got)}"
    if want.dtype.kind in "OUS":
        same = want.astype(str) == got.astype(str)
    elif got.dtype != want.dtype:
        return f"type {want.dtype} is expected, got {got.dtype}"
    elif want.dtype.name in TOLERANCE:
        w, g = widened(want), widened(got)
        with np.errstate(all="ignore"):
            close = np.abs(w - g) <= tolerance(want) + (0 if allowed is None else allowed)
        same = close | (w == g) | (np.isnan(w) & np.isnan(g))
    else:
        same = want == got
        if allowed is not None:
            same |= allowed > 0
    if np.all(same):
        return None
    wrong = ~np.asarray(same)
    at = tuple(int(i) for i in np.argwhere(wrong)[0])
    which = f"{int(wrong.sum())} of {want.size} elements of {want.dtype}{list(want.shape)}, the first at {at}"
    return f"{which}: {want[at]} is expected, got {got[at]}"
