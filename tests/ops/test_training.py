# SPDX-License-Identifier: Apache-2.0
"""Steps of gradient descent against their formulas."""

import numpy as np
import pytest
from reference import check, refused

RNG = np.random.default_rng(29)
DOMAIN = {"domain": "ai.onnx.preview.training", "domain_opset": 1}


def normal(*shape, dtype="float32"):
    return RNG.standard_normal(shape).astype(dtype)


def inputs_of(shapes, states, dtype, count, rate=0.1):
    """R, T, tensors, gradients, states; and the last three by kind."""
    kinds = [[normal(*s, dtype=dtype) for s in shapes] for _ in range(2 + states)]
    kinds[2:] = [[np.abs(v) for v in kind] for kind in kinds[2:]]
    return [np.array(rate, dtype), np.array(count), *sum(kinds, [])], kinds


SHAPES = [[(3,)], [(), (2, 3)], [(40_000,), (5,), (0,)]]
TOLERANCE = {"float32": 1e-5, "float64": 1e-12}


def expect(new, dtype):
    """Per tensor (x, states...) as the node orders them: all tensors, then state by state."""
    return [np.asarray(v, dtype) for kind in zip(*new) for v in kind]


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("shapes", SHAPES, ids=str)
@pytest.mark.parametrize("count", [0, 3])
def test_adam(dtype, shapes, count):
    given = {"alpha": 0.5, "beta": 0.75, "epsilon": 0.0625, "norm_coefficient": 0.25, "norm_coefficient_post": 0.125}
    inputs, (xs, gs, vs, hs) = inputs_of(shapes, 2, dtype, count)
    rate = 0.1 * np.sqrt(1 - 0.75**count) / (1 - 0.5**count) if count else 0.1
    new = []
    for x, g, v, h in zip(xs, gs, vs, hs):
        g = 0.25 * x.astype(np.float64) + g
        v, h = 0.5 * v + 0.5 * g, 0.75 * h + 0.25 * g * g
        new.append(((1 - 0.125) * (x - rate * v / (np.sqrt(h) + 0.0625)), v, h))
    tolerance = {"rtol": TOLERANCE[dtype], "atol": TOLERANCE[dtype]}
    check("Adam", inputs, outputs=3 * len(shapes), expected=expect(new, dtype), **tolerance, **given, **DOMAIN)


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("shapes", SHAPES, ids=str)
@pytest.mark.parametrize("count", [0, 3])
def test_adagrad(dtype, shapes, count):
    given = {"decay_factor": 0.5, "epsilon": 0.0625, "norm_coefficient": 0.25}
    inputs, (xs, gs, hs) = inputs_of(shapes, 1, dtype, count)
    new = []
    for x, g, h in zip(xs, gs, hs):
        g = 0.25 * x.astype(np.float64) + g
        h = h + g * g
        new.append((x - 0.1 / (1 + 0.5 * count) * g / (np.sqrt(h) + 0.0625), h))
    tolerance = {"rtol": TOLERANCE[dtype], "atol": TOLERANCE[dtype]}
    check("Adagrad", inputs, outputs=2 * len(shapes), expected=expect(new, dtype), **tolerance, **given, **DOMAIN)


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("mode", ["standard", "nesterov"])
@pytest.mark.parametrize("shapes", SHAPES, ids=str)
@pytest.mark.parametrize("count", [0, 3])
def test_momentum(dtype, shapes, mode, count):
    given = {"alpha": 0.5, "beta": 0.75, "norm_coefficient": 0.25, "mode": mode}
    inputs, (xs, gs, vs) = inputs_of(shapes, 1, dtype, count)
    new = []
    for x, g, v in zip(xs, gs, vs):
        g = 0.25 * x.astype(np.float64) + g
        v = 0.5 * v + (0.75 if count else 1) * g
        new.append((x - 0.1 * (g + 0.5 * v if mode == "nesterov" else v), v))
    tolerance = {"rtol": TOLERANCE[dtype], "atol": TOLERANCE[dtype]}
    check("Momentum", inputs, outputs=2 * len(shapes), expected=expect(new, dtype), **tolerance, **given, **DOMAIN)


def test_refuses():
    inputs, _ = inputs_of([(3,)], 2, "float32", 0)
    refused("Adam", [*inputs, normal(3)], "4 inputs for each tensor", outputs=3, types=[1, 1, 1], **DOMAIN)
    refused("Adam", [*inputs[:3], normal(4), *inputs[4:]], "gradient", outputs=3, **DOMAIN)
    given = {"alpha": 0.5, "beta": 0.75, "norm_coefficient": 0.25}
    refused("Momentum", inputs[:5], "standard or nesterov", outputs=2, mode="fast", **given, **DOMAIN)
