# SPDX-License-Identifier: Apache-2.0
"""Operators that move elements, over random shapes and over indices that must be refused."""

import itertools

import numpy as np
import pytest
from reference import check, refused, run

RNG = np.random.default_rng(11)


def words(*shape):
    return np.array([f"w{i}" for i in range(int(np.prod(shape)))], object).reshape(shape)


@pytest.mark.parametrize("perm", list(itertools.permutations(range(4))), ids=str)
@pytest.mark.parametrize("dtype", ["uint8", "float16", "float32", "float64"])
def test_transpose(perm, dtype):
    x = RNG.integers(0, 100, (3, 17, 1, 35)).astype(dtype)
    check("Transpose", [x], perm=perm)


@pytest.mark.parametrize("channels", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("dtype", ["uint8", "float32", "float64"])
def test_transpose_of_images(channels, dtype):
    x = RNG.integers(0, 100, (2, channels, 37, 61)).astype(dtype)
    check("Transpose", [x], perm=[0, 2, 3, 1])
    check("Transpose", [x.reshape(2, 37, 61, channels)], perm=[0, 3, 1, 2])


def test_transpose_large_and_text():
    check("Transpose", [RNG.random((130, 517), np.float32)], perm=[1, 0])
    check("Transpose", [words(2, 3)], perm=[1, 0], expected=[words(2, 3).T])


@pytest.mark.parametrize("axis", [0, 1, 2, -1])
def test_concat_split_return(axis):
    shape = [4, 3, 5]
    parts = []
    for n in (1, 4, 2):
        shape[axis] = n
        parts.append(RNG.random(shape, np.float32))
    whole = run("Concat", parts, axis=axis)[0]
    np.testing.assert_array_equal(whole, np.concatenate(parts, axis))
    back = run("Split", [whole, np.array([1, 4, 2])], outputs=3, axis=axis)
    for want, got in zip(parts, back):
        np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize(
    ("starts", "ends", "axes", "steps"),
    [
        ([0], [3], [1], [1]),
        ([-3], [2**62], [0], [2]),
        ([5], [-(2**63)], [0], [-1]),
        ([4, -1], [0, -9], [0, 1], [-2, -3]),
        ([3], [1], [0], [1]),
        ([100], [-100], [1], [-1]),
        ([0, 1, 2], [6, 7, 9], [0, 1, 2], [1, 1, 3]),
    ],
)
def test_slice(starts, ends, axes, steps):
    x = RNG.random((6, 7, 9), np.float32)
    index = [slice(None)] * 3
    for start, end, axis, step in zip(starts, ends, axes, steps):
        index[axis] = slice(start, None if step < 0 and end < -x.shape[axis] else end, step)
    check("Slice", [x] + [np.array(v, np.int64) for v in (starts, ends, axes, steps)], expected=[x[tuple(index)]])


def test_gather_family_refuses_bad_indices():
    x = RNG.random((3, 4), np.float32)
    refused("Gather", [x, np.array([3])], "index 3|out of|bounds")
    refused("GatherElements", [x, np.array([[-4]])], "index -4|out of|bounds", axis=0)
    refused("GatherND", [x, np.array([[0, 4]])], "index 4|invalid|bounds")
    refused("ScatterND", [x, np.array([[5]]), np.zeros((1, 4), np.float32)], "index 5|invalid|bounds")


def test_gather_text_and_negative():
    x = words(3, 2)
    check("Gather", [x, np.array([[-1, 0]])], axis=0, expected=[x[[[-1, 0]]]])


@pytest.mark.parametrize("mode", ["constant", "reflect", "edge", "wrap"])
def test_pad(mode):
    x = RNG.random((3, 4, 5), np.float32)
    pads = np.array([0, 2, 1, 1, 0, 3])
    want = np.pad(x, list(zip(pads[:3], pads[3:])), mode=mode)
    check("Pad", [x, pads], mode=mode, expected=[want])


def test_pad_negative():
    x = RNG.random((5, 6), np.float32)
    check(
        "Pad",
        [x, np.array([-1, 2, 0, -3]), np.array(7, np.float32)],
        expected=[np.pad(x[1:, :3], [(0, 0), (2, 0)], constant_values=7)],
    )


@pytest.mark.parametrize("repeats", [(1, 1, 1), (2, 1, 3), (0, 1, 1), (3, 2, 1)])
def test_tile(repeats):
    x = RNG.random((2, 3, 4), np.float32)
    check("Tile", [x, np.array(repeats)], expected=[np.tile(x, repeats)])


@pytest.mark.parametrize(("shape", "target"), [((3, 1), (2, 3, 4)), ((1,), (0,)), ((), (2, 2)), ((2, 1, 3), (1, 5, 1))])
def test_expand(shape, target):
    x = RNG.random(shape, np.float32)
    want = x * np.ones(target, np.float32)
    check("Expand", [x, np.array(target, np.int64)], expected=[want])


def test_reshape_refuses():
    x = np.zeros((2, 3), np.float32)
    refused("Reshape", [x, np.array([4, -1])], "")
    refused("Reshape", [x, np.array([-1, -1])], "")
    refused("ConstantOfShape", [np.array([2**40, 2**40])], "", types=[1])
    refused("Range", [np.array(0), np.array(10), np.array(0)], "")


def test_depth_to_space_returns():
    x = RNG.random((2, 12, 3, 5), np.float32)
    up = run("DepthToSpace", [x], blocksize=2)[0]
    np.testing.assert_array_equal(run("SpaceToDepth", [up], blocksize=2)[0], x)


@pytest.mark.parametrize(
    ("shape", "target", "want"),
    [
        ((0, 3), [0, 1, -1, 1], (0, 1, 3, 1)),
        ((0, 12, 64), [0, -1], (0, 768)),
        ((2, 0, 6), [-1, 0, 3], (4, 0, 3)),
        ((0, 4), [-1, 2, 2], (0, 2, 2)),
    ],
    ids=str,
)
def test_reshape_of_an_empty_tensor(shape, target, want):
    check("Reshape", [np.zeros(shape, np.float32), np.array(target)], expected=[np.zeros(want, np.float32)])
