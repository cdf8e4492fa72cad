# SPDX-License-Identifier: Apache-2.0
"""TopK and Unique against numpy."""

import numpy as np
import pytest
from reference import check, refused, run

RNG = np.random.default_rng(12)
TYPES = ["float32", "float64", "float16", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]


def numbers(shape, dtype="float32", spread=20.0):
    """Numbers with ties."""
    x = np.round(RNG.standard_normal(shape) * spread)
    return (np.abs(x) if dtype.startswith("u") else x).astype(dtype)


def k_of(k):
    return np.array([k], np.int64)


def top(x, k, axis, largest):
    """The lower index comes first among equal elements."""
    wide = x.astype(np.float64)
    order = np.argsort(-wide if largest else wide, axis, kind="stable")
    order = np.take(order, np.arange(k), axis)
    return [np.take_along_axis(x, order, axis), order]


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("largest", [0, 1])
@pytest.mark.parametrize(
    ("shape", "axis", "k"),
    [
        ((7,), 0, 3),
        ((3, 50), -1, 50),
        ((2, 500), 1, 5),
        ((4, 9, 6), 1, 4),
        ((130, 3), 0, 100),
        ((2, 3, 4), 0, 1),
        ((3, 300), 1, 290),
        ((5, 1), 1, 1),
    ],
    ids=str,
)
def test_top_k(dtype, largest, shape, axis, k):
    x = numbers(shape, dtype)
    check("TopK", [x, k_of(k)], outputs=2, axis=axis, largest=largest, expected=top(x, k, axis, largest))


@pytest.mark.parametrize("largest", [0, 1])
@pytest.mark.parametrize("k", [0, 1, 10, 1000, 20000])
def test_large_slices(largest, k):
    x = RNG.standard_normal((3, 20000)).astype(np.float32)
    check("TopK", [x, k_of(k)], outputs=2, largest=largest, expected=top(x, k, 1, largest))


def test_extreme_integers():
    for dtype in ("int64", "uint64", "int32"):
        info = np.iinfo(dtype)
        x = np.array([info.max, info.min, 7, info.max - 1, info.min + 1], dtype)
        check("TopK", [x, k_of(5)], outputs=2, expected=[np.sort(x)[::-1], np.argsort(x)[::-1]])


def test_zeros_and_not_a_number():
    x = np.array([-0.0, 1.0, 0.0, np.nan, -np.inf, np.inf, -np.nan], np.float32)
    check("TopK", [x, k_of(7)], outputs=2, expected=[x[[3, 6, 5, 1, 0, 2, 4]], np.array([3, 6, 5, 1, 0, 2, 4])])


def test_unsorted_has_the_same_elements():
    x = numbers((4, 100))
    values, indices = run("TopK", [x, k_of(30)], outputs=2, sorted=0)
    want = top(x, 30, 1, True)
    np.testing.assert_array_equal(np.sort(values, 1)[:, ::-1], want[0])
    np.testing.assert_array_equal(np.sort(indices, 1), np.sort(want[1], 1))


def test_old_versions():
    x = numbers((3, 9))
    check("TopK", [x], outputs=2, opset=1, k=4, expected=top(x, 4, 1, True))
    check("TopK", [x, k_of(2)], outputs=2, opset=10, axis=0, expected=top(x, 2, 0, True))
    check("TopK", [x, k_of(2)], outputs=2, opset=24, axis=0, expected=top(x, 2, 0, True))


def test_top_k_refuses():
    x = numbers((3, 9))
    refused("TopK", [x, k_of(10)], "k=10 must be in", outputs=2)
    refused("TopK", [x, k_of(-1)], "k=-1 must be in", outputs=2)
    refused("TopK", [x, k_of(1 << 62)], "k=.* must be in", outputs=2)
    refused("TopK", [x, np.array([1, 2], np.int64)], "input k", outputs=2)
    refused("TopK", [x, k_of(1)], "axis", outputs=2, axis=2)
    refused("TopK", [np.array(1.0, np.float32), k_of(1)], "rank 1", outputs=2)


def unique(x, axis, is_sorted):
    values, first, inverse, count = np.unique(x, True, True, True, axis=axis)
    inverse = inverse.reshape(-1)
    if not is_sorted:
        order = np.argsort(first)
        place = np.argsort(order)
        values = np.take(values, order, 0 if axis is None else axis)
        first, inverse, count = first[order], place[inverse], count[order]
    return [values, first, inverse, count]


@pytest.mark.parametrize("dtype", [*TYPES, "bool"])
@pytest.mark.parametrize("axis", [None, 0, 1, -1])
@pytest.mark.parametrize("is_sorted", [0, 1])
def test_unique(dtype, axis, is_sorted):
    x = numbers((6, 4, 3), dtype, 0.6)
    attributes = {} if axis is None else {"axis": axis}
    check("Unique", [x], outputs=4, sorted=is_sorted, expected=unique(x, axis, is_sorted), **attributes)


@pytest.mark.parametrize("is_sorted", [0, 1])
def test_unique_strings(is_sorted):
    x = np.array(["pear", "", "fig", "pear", "apple", "fig"], object)
    check("Unique", [x], outputs=4, sorted=is_sorted, expected=unique(x, None, is_sorted))


def test_unique_edges():
    assert [y.shape for y in run("Unique", [np.zeros((0,), np.float32)], outputs=4)] == [(0,)] * 4
    x = np.array([np.nan, 1, np.nan, -0.0, 0.0], np.float32)
    check(
        "Unique",
        [x],
        outputs=4,
        expected=[
            np.array([-0.0, 1, np.nan], np.float32),
            np.array([3, 1, 0]),
            np.array([2, 1, 2, 0, 0]),
            np.array([2, 1, 2]),
        ],
    )
    assert len(run("Unique", [x], outputs=1)) == 1


def test_unique_refuses():
    refused("Unique", [numbers((3, 2))], "axis", outputs=4, axis=2)
