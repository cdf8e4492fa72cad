# SPDX-License-Identifier: Apache-2.0
"""Kernels that serve double compute in it, with attributes of type float as the numbers that they are.

Against formulas: onnx's reference evaluator has some of these operators no nearer than float32.
"""

import math

import numpy as np
import pytest
from reference import check

RNG = np.random.default_rng(3)
X = RNG.normal(size=(2, 6, 5, 5))
ROWS, OTHER = RNG.normal(size=(2, 2, 5, 30))
SCALE, BIAS, MEAN = RNG.normal(size=(3, 6))
VARIANCE = RNG.uniform(0.5, 2, 6)
ROW_SCALE, ROW_BIAS = RNG.normal(size=(2, 30))
EPSILON = 1e-3
MICROSOFT = {"domain": "com.microsoft"}


def as_float(number):
    return float(np.float32(number))


def erf(x):
    return np.vectorize(math.erf)(x)


def channels(numbers):
    return numbers[:, None, None]


def gelu(x):
    return x * (1 + erf(x / math.sqrt(2))) / 2


def gelu_by_tanh(x):
    return 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


def swish(x, alpha):
    return x / (1 + np.exp(-as_float(alpha) * x))


def normal(x, axes, epsilon=EPSILON):
    centred = x - x.mean(axes, keepdims=True)
    return centred / np.sqrt((centred**2).mean(axes, keepdims=True) + as_float(epsilon))


def response():
    sums = np.stack([(X[:, max(0, c - 2) : c + 3] ** 2).sum(1) for c in range(6)], 1)
    return X / (as_float(1.1) + as_float(0.3) / 5 * sums) ** as_float(0.7)


def selu(x):
    return as_float(1.0507009873554805) * np.where(x > 0, x, as_float(1.6732632423543772) * np.expm1(x))


def power_mean(x, p):
    return (np.abs(x) ** p).sum((2, 3), keepdims=True) ** (1 / p)


ELEMENTWISE = [
    ("Elu", {"alpha": 0.3}, lambda x: np.where(x > 0, x, as_float(0.3) * np.expm1(x))),
    ("Erf", {}, erf),
    ("Gelu", {}, gelu),
    ("Gelu", {"approximate": "tanh"}, gelu_by_tanh),
    ("Gelu", MICROSOFT, gelu),
    ("FastGelu", MICROSOFT, gelu_by_tanh),
    ("QuickGelu", MICROSOFT, lambda x: swish(x, 1.702)),
    ("QuickGelu", {"alpha": 0.3, **MICROSOFT}, lambda x: swish(x, 0.3)),
    ("HardSigmoid", {"alpha": 0.3, "beta": 0.7}, lambda x: np.clip(as_float(0.3) * x + as_float(0.7), 0, 1)),
    ("HardSwish", {}, lambda x: x * np.clip(x / 6 + 0.5, 0, 1)),
    ("LeakyRelu", {"alpha": 0.3}, lambda x: np.where(x > 0, x, as_float(0.3) * x)),
    ("Mish", {}, lambda x: x * np.tanh(np.log1p(np.exp(x)))),
    ("Selu", {}, selu),
    ("Shrink", {"lambd": 0.3, "bias": 0.1}, lambda x: np.sign(x) * (abs(x) - as_float(0.1)) * (abs(x) > as_float(0.3))),
    ("Sigmoid", {}, lambda x: 1 / (1 + np.exp(-x))),
    ("Softplus", {}, lambda x: np.log1p(np.exp(x))),
    ("Softsign", {}, lambda x: x / (1 + abs(x))),
    ("Swish", {"alpha": 1.7, "opset": 24}, lambda x: swish(x, 1.7)),
    ("Tanh", {}, np.tanh),
    ("ThresholdedRelu", {"alpha": 0.3}, lambda x: np.where(x > as_float(0.3), x, 0)),
]


@pytest.mark.parametrize(("op", "attributes", "formula"), ELEMENTWISE, ids=[f"{c[0]}{c[1]}" for c in ELEMENTWISE])
def test_elementwise(op, attributes, formula):
    check(op, [X], expected=[formula(X)], rtol=1e-13, atol=1e-14, **attributes)


GROUPS = normal(X.reshape(2, 3, -1), -1).reshape(X.shape) * channels(SCALE) + channels(BIAS)
STILL = (X - channels(MEAN)) / np.sqrt(channels(VARIANCE) + as_float(EPSILON)) * channels(SCALE) + channels(BIAS)
ROOTS = ROWS / np.sqrt((ROWS**2).mean(-1, keepdims=True) + as_float(EPSILON)) * ROW_SCALE
NORMALIZATIONS = {
    "BatchNormalization": ([X, SCALE, BIAS, MEAN, VARIANCE], {}, STILL),
    "GroupNormalization": ([X, SCALE, BIAS], {"num_groups": 3}, GROUPS),
    "InstanceNormalization": ([X, SCALE, BIAS], {}, normal(X, (2, 3)) * channels(SCALE) + channels(BIAS)),
    "LayerNormalization": ([ROWS, ROW_SCALE, ROW_BIAS], {}, normal(ROWS, -1) * ROW_SCALE + ROW_BIAS),
    "RMSNormalization": ([ROWS, ROW_SCALE], {"opset": 23}, ROOTS),
}


@pytest.mark.parametrize("op", NORMALIZATIONS)
def test_normalization(op):
    inputs, attributes, want = NORMALIZATIONS[op]
    check(op, inputs, expected=[want], rtol=1e-12, atol=1e-13, epsilon=EPSILON, **attributes)


def test_statistics_of_a_batch():
    mean, variance, momentum = X.mean((0, 2, 3)), X.var((0, 2, 3)), as_float(0.9)
    want = [normal(X, (0, 2, 3)) * channels(SCALE) + channels(BIAS)]
    want += [MEAN * momentum + mean * (1 - momentum), VARIANCE * momentum + variance * (1 - momentum)]
    attributes = {"training_mode": 1, "momentum": 0.9, "epsilon": EPSILON, "outputs": 3}
    check(
        "BatchNormalization",
        [X, SCALE, BIAS, MEAN, VARIANCE],
        expected=want,
        rtol=1e-12,
        atol=1e-13,
        types=[11] * 3,
        **attributes,
    )


A, B, C = RNG.normal(size=(3, 4)), RNG.normal(size=(4, 5)), RNG.normal(size=(3, 5))
Q, K, V = RNG.normal(size=(3, 1, 2, 4, 3))


def attention(scale, cap=0.0):
    scores = Q @ K.swapaxes(-1, -2) * scale
    weights = np.exp(cap * np.tanh(scores / cap) if cap else scores)
    return weights / weights.sum(-1, keepdims=True) @ V


OTHERS = {
    "LRN": ([X], {"size": 5, "alpha": 0.3, "beta": 0.7, "bias": 1.1}, response()),
    "Gemm": ([A, B, C], {"alpha": 0.3, "beta": 0.7}, as_float(0.3) * A @ B + as_float(0.7) * C),
    "FusedMatMul": ([A, B], {"alpha": 0.3, **MICROSOFT}, as_float(0.3) * (A @ B)),
    "BiasGelu": ([ROWS, ROW_BIAS], MICROSOFT, gelu(ROWS + ROW_BIAS)),
    "GlobalLpPool": ([X], {"p": 3}, power_mean(X, 3)),
    "LpPool": ([X], {"p": 3, "kernel_shape": [5, 5]}, power_mean(X, 3)),
    "AveragePool": ([X], {"kernel_shape": [5, 5]}, X.mean((2, 3), keepdims=True)),
    "Attention": ([Q, K, V], {"opset": 23}, attention(1 / math.sqrt(3))),
    "Attention of a scale": (
        [Q, K, V],
        {"opset": 23, "scale": 0.3, "softcap": 0.9},
        attention(as_float(0.3), as_float(0.9)),
    ),
    "Pow": ([abs(X), np.array(0.3, np.float32)], {}, abs(X) ** as_float(0.3)),
}


@pytest.mark.parametrize("case", OTHERS)
def test_other_operators(case):
    inputs, attributes, want = OTHERS[case]
    check(case.split()[0], inputs, expected=[want], rtol=1e-12, atol=1e-13, **attributes)


def linear_weight(distance):
    return np.maximum(0, 1 - abs(distance))


def cubic_weight(distance, a):
    d = abs(distance)
    inner, outer = ((a + 2) * d - (a + 3)) * d * d + 1, ((a * d - 5 * a) * d + 8 * a) * d - 4 * a
    return np.where(d <= 1, inner, np.where(d < 2, outer, 0))


def resized(line, scale, weight):
    """Half-pixel, with the ends repeated."""
    places = (np.arange(int(len(line) * scale)) + 0.5) / scale - 0.5
    near = np.floor(places).astype(int)[:, None] + np.arange(-1, 3)
    return (weight(places[:, None] - near) * line[np.clip(near, 0, len(line) - 1)]).sum(1)


@pytest.mark.parametrize("coefficient", [None, -0.75, -0.6])
def test_resize(coefficient):
    line, scales = RNG.normal(size=9), np.array([1, 1, 1.7], np.float32)
    if coefficient is None:
        weight, attributes = linear_weight, {"mode": "linear"}
    else:
        weight = lambda d: cubic_weight(d, as_float(coefficient))  # noqa: E731
        attributes = {"mode": "cubic", "cubic_coeff_a": coefficient}
    want = resized(line, as_float(1.7), weight).reshape(1, 1, -1)
    inputs = [line.reshape(1, 1, 9), None, scales]
    check("Resize", inputs, expected=[want], rtol=1e-12, atol=1e-13, constants=(2,), **attributes)


@pytest.mark.parametrize("mode", ["linear", "cubic"])
def test_grid_sample(mode):
    weight = linear_weight if mode == "linear" else lambda d: cubic_weight(d, -0.75)
    grid = RNG.uniform(-0.9, 0.9, (2, 3, 4, 2))
    places = ((grid + 1) * 5 - 1) / 2
    near = np.arange(5)
    along_x, along_y = (weight(places[..., i, None] - near) for i in (0, 1))  # zeros outside
    want = np.einsum("nhwx,nhwy,ncyx->nchw", along_x, along_y, X)
    check("GridSample", [X, grid], expected=[want], rtol=1e-12, atol=1e-13, mode=mode)
