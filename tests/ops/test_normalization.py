# SPDX-License-Identifier: Apache-2.0
"""Normalisations over channels, groups and axes, against formulas in double."""

import numpy as np
import pytest
from reference import check, refused, run

RNG = np.random.default_rng(5)
TOLERANCE = {
    "float32": {"rtol": 1e-4, "atol": 1e-5},
    "float64": {"rtol": 1e-9, "atol": 1e-10},
    "float16": {"rtol": 5e-3, "atol": 5e-3},
}
SHAPES = [(2, 6, 5, 7), (1, 4, 1, 1), (3, 8), (2, 12, 33), (1, 2, 3, 4, 5), (0, 4, 3), (2, 4, 0)]


def normal(*shape, dtype="float64"):
    return RNG.standard_normal(shape).astype(dtype)


def per_channel(values, rank):
    return values.reshape((1, -1) + (1,) * (rank - 2))


def batch_norm(x, scale, bias, mean, variance, epsilon=1e-5):
    wide = [per_channel(v.astype(np.float64), x.ndim) for v in (scale, bias, mean, variance)]
    return (x.astype(np.float64) - wide[2]) / np.sqrt(wide[3] + epsilon) * wide[0] + wide[1]


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("opset", [7, 9, 14, 15])
def test_batch_normalization(dtype, shape, opset):
    c = shape[1]
    inputs = [normal(*shape), normal(c), normal(c), normal(c), np.abs(normal(c)) + 0.5]
    inputs = [v.astype(dtype) for v in inputs]
    want = batch_norm(*inputs).astype(dtype)
    check("BatchNormalization", inputs, opset=opset, expected=[want], **TOLERANCE[dtype])


def test_batch_normalization_training():
    inputs = [normal(3, 5, 4, 6) * 3 + 1, normal(5), normal(5), normal(5), np.abs(normal(5))]
    inputs = [v.astype(np.float32) for v in inputs]
    x = inputs[0].astype(np.float64)
    mean, variance = x.mean((0, 2, 3)), x.var((0, 2, 3))
    want = [
        batch_norm(x, inputs[1], inputs[2], mean, variance),
        0.8 * inputs[3] + 0.2 * mean,
        0.8 * inputs[4] + 0.2 * variance,
    ]
    check(
        "BatchNormalization",
        inputs,
        outputs=3,
        opset=15,
        training_mode=1,
        momentum=0.8,
        rtol=1e-4,
        atol=1e-5,
        expected=[w.astype(np.float32) for w in want],
    )


def test_batch_normalization_not_spatial():
    inputs = [normal(3, 2, 4), normal(2, 4), normal(2, 4), normal(2, 4), np.abs(normal(2, 4)) + 0.5]
    x, scale, bias, mean, variance = inputs = [v.astype(np.float32) for v in inputs]
    want = (x - mean) / np.sqrt(variance + 1e-5) * scale + bias
    check("BatchNormalization", inputs, opset=7, spatial=0, rtol=1e-4, atol=1e-5, expected=[want])


def test_batch_normalization_refuses():
    x, c = normal(1, 3, 2, dtype="float32"), normal(3, dtype="float32")
    short = normal(2, dtype="float32")
    refused("BatchNormalization", [x, short, c, c, c], "scale|shape|channel", opset=15)
    refused("BatchNormalization", [x, c, c, c, c], "training_mode", opset=15, outputs=3)
    refused("BatchNormalization", [x, c, c, c, c], "training mode", opset=9, outputs=5)


def group_norm(x, scale, bias, groups, epsilon=1e-5):
    wide = x.astype(np.float64).reshape(x.shape[0], groups, x[:1].size // groups if x.size else 0)
    mean = wide.mean(2, keepdims=True) if wide.size else 0
    variance = wide.var(2, keepdims=True) if wide.size else 1
    y = ((wide - mean) / np.sqrt(variance + epsilon)).reshape(x.shape)
    return y * per_channel(scale, x.ndim) + per_channel(bias, x.ndim)


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("shape", [s for s in SHAPES if len(s) > 2], ids=str)
def test_instance_normalization(dtype, shape):
    x, scale, bias = [v.astype(dtype) for v in (normal(*shape) * 2 + 3, normal(shape[1]), normal(shape[1]))]
    want = group_norm(x, scale, bias, shape[1]).astype(dtype)
    check("InstanceNormalization", [x, scale, bias], expected=[want], **TOLERANCE[dtype])


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize(
    ("shape", "groups"), [((2, 6, 5, 7), 3), ((1, 4, 9), 1), ((2, 12, 3, 3), 12), ((3, 8), 2)], ids=str
)
@pytest.mark.parametrize("opset", [18, 21])
def test_group_normalization(dtype, shape, groups, opset):
    channels = shape[1]
    count = groups if opset == 18 else channels
    x, scale, bias = [v.astype(dtype) for v in (normal(*shape) * 2 + 3, normal(count), normal(count))]
    each = channels // count
    want = group_norm(x, np.repeat(scale, each), np.repeat(bias, each), groups).astype(dtype)
    check("GroupNormalization", [x, scale, bias], opset=opset, num_groups=groups, expected=[want], **TOLERANCE[dtype])


def test_group_normalization_refuses():
    x, c = normal(1, 6, 2, dtype="float32"), normal(6, dtype="float32")
    refused("GroupNormalization", [x, c, c], "num_groups=4", num_groups=4)
    refused("GroupNormalization", [x, c, c], "num_groups=0", num_groups=0)
    refused("GroupNormalization", [x, c[:5], c], "6 are needed", num_groups=2)
    refused("InstanceNormalization", [x, c[:5], c], "6 are needed")


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("axis", [0, 1, -1])
@pytest.mark.parametrize("p", [1, 2])
def test_lp_normalization(dtype, axis, p):
    x = normal(4, 9, 300).astype(dtype)
    x[:, :, 7] = 0
    wide = x.astype(np.float64)
    norm = np.linalg.norm(wide, p, axis=axis, keepdims=True)
    want = (wide / np.where(norm == 0, 1, norm)).astype(dtype)
    check("LpNormalization", [x], opset=22, axis=axis, p=p, expected=[want], **TOLERANCE[dtype])


def test_lp_normalization_refuses():
    x = normal(2, 3, dtype="float32")
    refused("LpNormalization", [x], "p=3", p=3)
    refused("LpNormalization", [x], "axis 2", axis=2)


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("size", [1, 2, 3, 5, 40])
def test_lrn(dtype, size):
    x = (normal(2, 7, 19, 17) * 3).astype(dtype)
    wide = x.astype(np.float64)
    sums = np.zeros_like(wide)
    for c in range(7):
        sums[:, c] = (wide[:, max(0, c - (size - 1) // 2) : c + (size - 1) - (size - 1) // 2 + 1] ** 2).sum(1)
    want = (wide / (1.5 + 0.25 / size * sums) ** 0.625).astype(dtype)
    check("LRN", [x], size=size, alpha=0.25, beta=0.625, bias=1.5, expected=[want], **TOLERANCE[dtype])


def test_lrn_refuses():
    refused("LRN", [normal(2, 3, 4, dtype="float32")], "size=0", size=0)
    refused("LRN", [normal(5, dtype="float32")], "rank 1", size=3)


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("axes", [None, (0, 2, 3), (1,), (-1,), (0, 1, 2, 3), (0, 2)], ids=str)
def test_mean_variance_normalization(dtype, axes):
    x = (normal(2, 3, 5, 4) * 2 + 1).astype(dtype)
    wide, over = x.astype(np.float64), axes or (0, 2, 3)
    want = (wide - wide.mean(over, keepdims=True)) / (wide.std(over, keepdims=True) + 1e-9)
    attributes = {} if axes is None else {"axes": axes}
    check("MeanVarianceNormalization", [x], expected=[want.astype(dtype)], **attributes, **TOLERANCE[dtype])


def test_mean_variance_normalization_refuses():
    refused("MeanVarianceNormalization", [normal(2, 3, dtype="float32")], "axis 2", axes=[0, 2])


def centred(op, value, dtype, shape=(2, 4, 33)):
    """Inputs and attributes of a normalisation whose groups all hold `value` alone."""
    c = shape[1]
    x = np.full(shape, value, dtype)
    scale, bias = normal(c).astype(dtype), np.arange(c).astype(dtype)
    if op == "BatchNormalization":
        return [x, scale, bias, np.full(c, value, dtype), np.zeros(c, dtype)], {}
    if op == "LayerNormalization":
        return [x, normal(shape[-1]).astype(dtype), np.arange(shape[-1]).astype(dtype)], {}
    if op == "GroupNormalization":
        return [x, scale, bias], {"num_groups": 2}
    return ([x, scale, bias], {}) if op == "InstanceNormalization" else ([x], {"axes": [0, 2]})


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
@pytest.mark.parametrize("value", [3e6, 0.1, -7.3, 1e30])
@pytest.mark.parametrize("shape", [(2, 4, 33), (1, 4, 5000), (6, 4)], ids=str)
@pytest.mark.parametrize(
    "op",
    [
        "BatchNormalization",
        "GroupNormalization",
        "InstanceNormalization",
        "LayerNormalization",
        "MeanVarianceNormalization",
    ],
)
def test_constant_groups_become_the_bias(op, value, dtype, shape):
    if dtype == "float16" and abs(value) > 1e4:
        value = 3e4 if value < 1e9 else 6e4
    if op == "MeanVarianceNormalization" and len(shape) != 3:
        pytest.skip("needs three axes")
    inputs, attributes = centred(op, value, dtype, shape)
    y = run(op, inputs, opset=21, **attributes)[0]
    if op == "MeanVarianceNormalization":
        want = np.zeros_like(y)
    elif op == "LayerNormalization":
        want = np.broadcast_to(inputs[2], y.shape)
    else:
        want = np.broadcast_to(inputs[2].reshape((1, -1) + (1,) * (len(shape) - 2)), y.shape)
    np.testing.assert_array_equal(y, want)


@pytest.mark.parametrize("op", ["GroupNormalization", "InstanceNormalization", "LayerNormalization"])
@pytest.mark.parametrize("offset", [0, 1e3, 1e6])
def test_far_from_zero(op, offset):
    """Small deviations from a large mean keep the digits that the input has."""
    x = (normal(2, 4, 20000) + offset).astype(np.float32)
    inputs = [x, np.ones(4, np.float32), np.zeros(4, np.float32)]
    attributes = {"num_groups": 4} if op == "GroupNormalization" else {}
    if op == "LayerNormalization":
        inputs = [x, np.ones(20000, np.float32)]
    wide = x.astype(np.float64)
    want = (wide - wide.mean(2, keepdims=True)) / np.sqrt(wide.var(2, keepdims=True) + 1e-5)
    y = run(op, inputs, opset=21, **attributes)[0]
    np.testing.assert_allclose(y, want, rtol=1e-5, atol=2e-6)


def test_batch_normalization_training_of_constant_channels():
    x = np.full((3, 2, 40), 0.1, np.float32)
    one, zero = np.ones(2, np.float32), np.zeros(2, np.float32)
    y = run("BatchNormalization", [x, one, zero, zero, one], outputs=3, opset=15, training_mode=1)
    assert not y[0].any()
    np.testing.assert_allclose(y[1], np.full(2, 0.01), rtol=1e-6)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("axis", [0, 1])
def test_softmax_of_infinity(dtype, axis):
    """A slice with +inf is not a number, one with -inf alone besides finite numbers is theirs."""
    x = np.array([[1, np.inf, 2], [0.5, 3, -np.inf], [0, 1, 1]], dtype)
    with np.errstate(invalid="ignore"):
        e = np.exp(x.astype(np.float64) - x.max(axis, keepdims=True))
    want = e / e.sum(axis, keepdims=True)
    assert np.isnan(want).sum() == 3
    check("Softmax", [x], axis=axis, rtol=2e-3, expected=[want.astype(dtype)])
