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


@pytest.mark.parametrize("mode", ["constant", "reflect", "edge", "wrap"])
def test_pad_text(mode):
    """Only a constant is ever padded with, and it is empty where none is given."""
    x = words(3, 4)
    x[0, 0] = "ł" * 40  # longer than what strings hold in themselves
    pads = np.array([1, 2, 0, 3])
    places = np.pad(np.arange(1, 13).reshape(3, 4), [(1, 0), (2, 3)], mode=mode)
    check("Pad", [x, pads], mode=mode, expected=[np.array(["", *x.ravel()], object)[places]])
    given = np.array("-", object)
    check("Pad", [x, pads, given], mode=mode, expected=[np.array(["-", *x.ravel()], object)[places]])


def test_center_crop_pad_text():
    x = words(2, 4)
    want = np.array([["w1", "w2"], ["w5", "w6"], ["", ""]], object)
    check("CenterCropPad", [x, np.array([3, 2])], expected=[want])


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


def put(cache, update, at, axis, mode):
    """The definition of TensorScatter."""
    y = cache.copy()
    for prefix in np.ndindex(*cache.shape[:axis]):
        for i in range(update.shape[axis]):
            place = at[prefix[0]] + i
            y[(*prefix, place % cache.shape[axis] if mode == "circular" else place)] = update[(*prefix, i)]
    return y


CACHE_TYPES = ["uint8", "float16", "float32", "float64", "bool", "complex64", "complex128", "bfloat16", "float8_e4m3fn"]


@pytest.mark.parametrize("dtype", [*CACHE_TYPES, "int4", "uint4", "float4_e2m1fn", "text"])
@pytest.mark.parametrize(
    ("mode", "at"), [("linear", [0, 3]), ("circular", [4, 1]), ("circular", [9, 5]), ("linear", None)]
)
@pytest.mark.parametrize(
    ("shape", "axis", "count"), [((2, 5, 3), 1, 2), ((2, 2, 5, 3), -2, 2), ((2, 3, 5), 2, 1)], ids=str
)
def test_tensor_scatter(dtype, mode, at, shape, axis, count):
    axis %= len(shape)
    fresh = (*shape[:axis], count, *shape[axis + 1 :])
    if dtype == "text":
        cache, update = words(*shape), np.char.add("new ", words(*fresh).astype(str)).astype(object)
    else:
        cache = RNG.integers(0, 2, shape).astype(dtype)
        update = RNG.integers(0, 2, fresh).astype(dtype)
    inputs = [cache, update] + ([] if at is None else [np.array(at)])
    want = put(cache, update, at or [0, 0], axis, mode)
    check("TensorScatter", inputs, opset=24, axis=axis, mode=mode, expected=[want])


def test_tensor_scatter_refuses():
    cache, update = np.zeros((2, 5, 3), np.float32), np.ones((2, 2, 3), np.float32)
    refused("TensorScatter", [cache, update, np.array([0, 4])], "leaves no room", opset=24)
    refused("TensorScatter", [cache, update, np.array([-1, 0])], "leaves no room", opset=24)
    refused("TensorScatter", [cache, update, np.array([0])], "write_indices", opset=24)
    refused("TensorScatter", [cache, update], "axis", opset=24, axis=0)
    refused("TensorScatter", [cache, np.ones((2, 6, 3), np.float32)], "update|compatible", opset=24)
    refused("TensorScatter", [cache, update], "linear or circular", opset=24, mode="round")


@pytest.mark.parametrize(
    ("given", "to"),
    [
        ("float32", "int32"),
        ("float32", "uint32"),
        ("int64", "float64"),
        ("float16", "bfloat16"),
        ("bfloat16", "int16"),
        ("uint8", "float8_e5m2"),
        ("int8", "uint8"),
        ("complex64", "uint64"),
        ("int4", "uint4"),
        ("uint4", "float4_e2m1fn"),
    ],
)
@pytest.mark.parametrize("shape", [(), (3, 5), (0,)], ids=str)
def test_bit_cast(given, to, shape):
    import ml_dtypes
    from onnx import helper

    source, target = (np.dtype(getattr(ml_dtypes, name, name)) for name in (given, to))
    bits = 4 if "4" in given[-6:] and "int4" in given else 8 * source.itemsize
    x = RNG.integers(0, 2 ** min(bits, 8), (*shape, source.itemsize)).astype(np.uint8).view(source).reshape(shape)
    element = helper.np_dtype_to_tensor_dtype(target)
    got = run("BitCast", [x], opset=26, to=element, types=[element])[0]
    assert got.shape == x.shape
    assert got.tobytes() == x.tobytes()


def test_bit_cast_refuses():
    refused("BitCast", [np.zeros(3, np.float32)], "bits|width", opset=26, to=7, types=[7])
