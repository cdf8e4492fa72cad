# SPDX-License-Identifier: Apache-2.0
"""Reductions, ArgMax, ArgMin, CumSum and CumProd against numpy."""

import numpy as np
import pytest
from reference import check, refused, run

RNG = np.random.default_rng(13)
TYPES = ["float32", "float64", "float16", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]
SHAPES = [((5,), 0), ((3, 70), 1), ((3, 70), 0), ((2, 9, 300), 1), ((2, 3, 4, 5), -2), ((1, 1), 0), ((2, 1000), -1)]


def numbers(shape, dtype="float32", spread=6.0):
    x = np.round(RNG.standard_normal(shape) * spread)
    return (np.abs(x) if dtype.startswith("u") else x).astype(dtype)


def axes_of(*axes):
    return np.array(axes, np.int64)


FOLDS = {
    "ReduceSum": np.sum,
    "ReduceMean": np.mean,
    "ReduceMax": np.max,
    "ReduceMin": np.min,
    "ReduceProd": np.prod,
    "ReduceL1": lambda x, **kw: np.sum(np.abs(x), **kw),
    "ReduceL2": lambda x, **kw: np.sqrt(np.sum(np.square(x), **kw)),
    "ReduceSumSquare": lambda x, **kw: np.sum(np.square(x), **kw),
    "ReduceLogSum": lambda x, **kw: np.log(np.sum(x, **kw)),
    "ReduceLogSumExp": lambda x, **kw: np.log(np.sum(np.exp(x), **kw)),
}


@pytest.mark.parametrize("op", FOLDS)
@pytest.mark.parametrize("keep", [0, 1])
@pytest.mark.parametrize(
    ("shape", "axes"),
    [
        ((40,), (0,)),
        ((3, 50), (1,)),
        ((30, 5), (0,)),
        ((2, 3, 4, 5), (1, 3)),
        ((2, 3, 4, 5), (0, -2)),
        ((4, 6), ()),
        ((2, 1, 300), (1, 2)),
        ((3, 4, 5), (2, 0, 1)),
    ],
    ids=str,
)
def test_reduce(op, keep, shape, axes):
    x = RNG.uniform(0.5, 1.5, shape).astype(np.float32)
    want = FOLDS[op](x.astype(np.float64), axis=axes or None, keepdims=bool(keep)).astype(np.float32)
    check(op, [x, axes_of(*axes)], keepdims=keep, rtol=1e-4, atol=1e-5, expected=[want])
    if axes:
        check(op, [x], opset=11, keepdims=keep, axes=list(axes), rtol=1e-4, atol=1e-5, expected=[want])


def test_reduce_without_axes():
    x = numbers((3, 4))
    check("ReduceSum", [x, axes_of()], noop_with_empty_axes=1, expected=[x])
    check("ReduceSum", [x], keepdims=0, expected=[np.sum(x)])


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int32", "uint32", "int64", "uint64", "bool", "float32", "float16"])
@pytest.mark.parametrize("shape", [(0,), (2, 0, 3), (2, 0, 1)], ids=str)
def test_extreme_of_nothing(dtype, shape):
    """The largest of nothing is the least number of the type, the smallest the greatest one."""
    if dtype == "bool":
        least, greatest = False, True
    elif dtype.startswith("float"):
        least, greatest = -np.inf, np.inf
    else:
        least, greatest = np.iinfo(dtype).min, np.iinfo(dtype).max
    axis = len(shape) // 2
    kept = shape[:axis] + (1,) + shape[axis + 1 :]
    for op, value in (("ReduceMax", least), ("ReduceMin", greatest)):
        check(op, [np.zeros(shape, dtype), axes_of(axis)], opset=20, expected=[np.full(kept, value, dtype)])


@pytest.mark.parametrize("dtype", ["int32", "int64"])
def test_log_sum_of_nothing(dtype):
    """No integer is -infinity: the least one stands for it."""
    least = np.array([np.iinfo(dtype).min], dtype)
    for op in ("ReduceLogSum", "ReduceLogSumExp"):
        check(op, [np.zeros((0,), dtype)], expected=[least])


def test_reduce_refuses():
    x = numbers((3, 4))
    refused("ReduceSum", [x, axes_of(2)], "axis")
    refused("ReduceSum", [x, axes_of(-3)], "axis")
    refused("ReduceMax", [x], "axis", opset=11, axes=[5])


def extreme(x, axis, keep, last, largest):
    pick = np.argmax if largest else np.argmin
    if last:
        at = x.shape[axis] - 1 - pick(np.flip(x, axis), axis)
    else:
        at = pick(x, axis)
    return np.expand_dims(at, axis) if keep else at


@pytest.mark.parametrize("op", ["ArgMax", "ArgMin"])
@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("last", [0, 1])
@pytest.mark.parametrize(("shape", "axis"), SHAPES, ids=str)
def test_arg_extreme(op, dtype, last, shape, axis):
    x = numbers(shape, dtype)
    for keep in (0, 1):
        check(
            op,
            [x],
            axis=axis,
            keepdims=keep,
            select_last_index=last,
            expected=[extreme(x, axis, keep, last, op == "ArgMax")],
        )


@pytest.mark.parametrize("op", ["ArgMax", "ArgMin"])
@pytest.mark.parametrize("length", [10, 500])
def test_arg_extreme_not_a_number(op, length):
    x = RNG.standard_normal((4, length)).astype(np.float32)
    x[1, 3] = x[1, 7] = np.nan
    x[2, 0] = x[3, length - 1] = np.nan
    check(op, [x], axis=1, keepdims=0, expected=[(np.argmax if op == "ArgMax" else np.argmin)(x, 1)])
    x[0] = -np.inf
    assert run(op, [x], axis=1, keepdims=0)[0][0] == 0


def test_arg_extreme_old_versions():
    x = numbers((3, 8))
    for opset in (1, 11, 12):
        check("ArgMax", [x], opset=opset, axis=1, expected=[extreme(x, 1, 1, 0, True)])
    check("ArgMin", [x], axis=0, expected=[extreme(x, 0, 1, 0, False)])


def test_arg_extreme_refuses():
    refused("ArgMax", [numbers((3, 4))], "axis", axis=2)
    refused("ArgMin", [numbers((3, 4))], "axis", axis=-3)
    refused("ArgMax", [np.zeros((3, 0), np.float32)], "empty", axis=1)
    assert run("ArgMax", [np.zeros((0, 3), np.float32)], axis=1)[0].shape == (0, 1)


def cumulative(x, axis, exclusive, reverse, product):
    y = np.flip(x, axis) if reverse else x
    if exclusive:
        start = np.full_like(np.take(y, [0], axis), 1 if product else 0)
        y = np.concatenate([start, np.take(y, np.arange(y.shape[axis] - 1), axis)], axis)
    y = (np.cumprod if product else np.cumsum)(y, axis, dtype=np.float32 if x.dtype == np.float16 else x.dtype)
    return (np.flip(y, axis) if reverse else y).astype(x.dtype)


@pytest.mark.parametrize(("op", "opset"), [("CumSum", 14), ("CumProd", 26)])
@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "int32", "int64", "uint32", "uint64"])
@pytest.mark.parametrize("exclusive", [0, 1])
@pytest.mark.parametrize("reverse", [0, 1])
def test_cumulative(op, opset, dtype, exclusive, reverse):
    for shape, axis in SHAPES:
        x = numbers(shape, dtype, 2.0)
        if op == "CumProd":
            x = np.where(x == 0, 1, np.sign(x)).astype(dtype)
        want = cumulative(x, axis, exclusive, reverse, op == "CumProd")
        for index in (np.array(axis, np.int64), np.array([axis], np.int32)):
            check(
                op, [x, index], opset=opset, exclusive=exclusive, reverse=reverse, rtol=1e-3, atol=1e-3, expected=[want]
            )


def test_cumulative_wraps_around():
    x = np.array([2**31 - 1, 1, 1], np.int32)
    check("CumSum", [x, np.array(0, np.int64)], expected=[np.cumsum(x, dtype=np.int32)])


def test_cumulative_refuses():
    x = numbers((3, 4))
    refused("CumSum", [x, np.array(2, np.int64)], "axis")
    refused("CumSum", [x, np.array([0, 1], np.int64)], "axis")
    refused("CumSum", [np.array(1.0, np.float32), np.array(0, np.int64)], "rank 1")
    assert run("CumSum", [np.zeros((0, 3), np.float32), np.array(0, np.int64)])[0].shape == (0, 3)


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
@pytest.mark.parametrize("value", [3e6 + 0.25, 0.1, -7.3])
@pytest.mark.parametrize(
    ("shape", "axes"),
    [
        ((3, 5000), [1]),
        ((5000, 3), [0]),
        ((100_003,), [0]),
        ((7, 40, 7), [1]),
        ((5, 6, 30, 4), [0, 2]),
        ((1000, 300), [0]),
    ],
    ids=str,
)
def test_mean_of_one_value_is_that_value(dtype, value, shape, axes):
    """So that what deviates from it is exactly 0."""
    x = np.full(shape, min(value, 3e4) if dtype == "float16" else value, dtype)
    y = run("ReduceMean", [x, np.array(axes)], opset=18)[0]
    assert (y == x.ravel()[0]).all()


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_mean_of_infinities_and_of_the_largest(axis, dtype):
    largest = np.finfo(dtype).max
    rows = [[np.inf, 1, 2], [1, np.inf, 2], [np.inf, -np.inf, 0], [np.nan, 1, 2], [-np.inf, -np.inf, 1]]
    x = np.array([*rows, [largest, -largest, 0], [largest / 8, largest / 8, largest / 8]], dtype)
    y = run("ReduceMean", [x if axis else x.T.copy(), np.array([axis])], opset=18, keepdims=0)[0]
    want = np.array([np.inf, np.inf, np.nan, np.nan, -np.inf, 0, largest / 8], dtype)
    np.testing.assert_array_equal(y, want)


def test_mean_of_nothing():
    assert np.isnan(run("ReduceMean", [np.zeros((2, 0), np.float32), np.array([1])], opset=18)[0]).all()
    assert np.isnan(run("ReduceMean", [np.zeros((0, 2), np.float32), np.array([0])], opset=18)[0]).all()
