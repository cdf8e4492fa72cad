# SPDX-License-Identifier: Apache-2.0
"""Random operators: same numbers for a seed, others without, and the moments of the distributions."""

import numpy as np
import pytest
from onnx import TensorProto
from reference import refused, run

LIKE = np.zeros((200, 100), np.float32)


def draw(op, **attributes):
    return run(op, [LIKE], **attributes)[0] if op.endswith("Like") else run(op, [], shape=[200, 100], **attributes)[0]


@pytest.mark.parametrize("op", ["RandomUniform", "RandomUniformLike", "RandomNormal", "RandomNormalLike"])
@pytest.mark.parametrize("dtype", [TensorProto.FLOAT, TensorProto.DOUBLE])
def test_seeds(op, dtype):
    one, same, other = (draw(op, seed=seed, dtype=dtype) for seed in (7.0, 7.0, 8.0))
    assert one.shape == (200, 100) and np.array_equal(one, same) and not np.array_equal(one, other)
    assert not np.array_equal(draw(op, dtype=dtype), draw(op, dtype=dtype))


@pytest.mark.parametrize("suffix", ["", "Like"])
def test_moments(suffix):
    uniform = draw("RandomUniform" + suffix, seed=1.0, low=-2.0, high=4.0)
    assert uniform.min() >= -2 and uniform.max() < 4
    np.testing.assert_allclose([uniform.mean(), uniform.std()], [1, 6 / np.sqrt(12)], atol=0.05)
    normal = draw("RandomNormal" + suffix, seed=1.0, mean=3.0, scale=2.0)
    np.testing.assert_allclose([normal.mean(), normal.std()], [3, 2], atol=0.06)


def test_bernoulli():
    x = np.repeat(np.array([0, 0.25, 1], np.float32), 4000).reshape(3, 4000)
    y = run("Bernoulli", [x], seed=3.0, dtype=TensorProto.INT32)[0]
    assert y.dtype == np.int32 and y[0].sum() == 0 and y[2].sum() == 4000 and abs(y[1].mean() - 0.25) < 0.03
    refused("Bernoulli", [x + 1], "no probability")


def test_multinomial():
    x = np.log(np.array([[0.2, 0.5, 0.3, 1e-30]], np.float32))
    y = run("Multinomial", [x], seed=3.0, sample_size=20000)[0]
    assert y.dtype == np.int32 and y.shape == (1, 20000)
    np.testing.assert_allclose(np.bincount(y[0], minlength=4) / 20000, [0.2, 0.5, 0.3, 0], atol=0.02)
    refused("Multinomial", [np.full((1, 3), -np.inf, np.float32)], "log-probability")
    refused("Multinomial", [x], "sample_size=0", sample_size=0)
