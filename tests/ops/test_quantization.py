# SPDX-License-Identifier: Apache-2.0
"""Conversions to and from quantised numbers, and their products."""

import numpy as np
import pytest
from onnx import TensorProto
from reference import check, refused

RNG = np.random.default_rng(11)
INTEGERS = ["int8", "uint8", "int16", "uint16"]


def normal(*shape, dtype=np.float32):
    return RNG.standard_normal(shape).astype(dtype)


def integers(dtype, *shape):
    limits = np.iinfo(dtype)
    return RNG.integers(limits.min, limits.max, shape, endpoint=True).astype(dtype)


def spread(values, shape, axis, block):
    """One scale for each element."""
    if values.ndim == 0:
        return np.broadcast_to(values, shape)
    if block:
        return np.repeat(values, block, axis).take(range(shape[axis]), axis)
    return np.broadcast_to(values.reshape([-1 if i == axis % len(shape) else 1 for i in range(len(shape))]), shape)


# x, scale, axis, block
GRANULARITIES = [
    ((3, 50, 7), (), 1, 0),
    ((3, 50, 7), (50,), 1, 0),
    ((3, 50, 7), (7,), -1, 0),
    ((40,), (40,), 0, 0),
    ((3, 50, 7), (3, 4, 7), 1, 16),
    ((3, 50), (3, 4), 1, 16),
    ((6, 5), (2, 5), 0, 3),
    ((0, 4), (4,), 1, 0),
    ((), (), 1, 0),
]


@pytest.mark.parametrize("dtype", INTEGERS)
@pytest.mark.parametrize(("x", "scale", "axis", "block"), GRANULARITIES, ids=str)
@pytest.mark.parametrize("zero", [False, True])
def test_quantize_linear(dtype, x, scale, axis, block, zero):
    data, scales = normal(*x) * 300, (np.abs(normal(*scale)) + np.float32(0.5)).astype(np.float32)
    zeros = integers(dtype, *scale)
    limits = np.iinfo(dtype)
    quotient = np.rint(data / spread(scales, x, axis, block))
    want = np.clip(quotient + (spread(zeros, x, axis, block) if zero else 0), limits.min, limits.max).astype(dtype)
    attributes = {"axis": axis, "block_size": block} | (
        {} if zero else {"output_dtype": getattr(TensorProto, dtype.upper())}
    )
    check("QuantizeLinear", [data, scales] + ([zeros] if zero else []), expected=[want], rtol=0, atol=0, **attributes)


@pytest.mark.parametrize("dtype", [*INTEGERS, "int32"])
@pytest.mark.parametrize(("x", "scale", "axis", "block"), GRANULARITIES, ids=str)
@pytest.mark.parametrize("to", ["float32", "float16"])
def test_dequantize_linear(dtype, x, scale, axis, block, to):
    data, zeros = integers(dtype, *x) // 2, integers(dtype, *scale) // 2
    scales = (np.abs(normal(*scale)) * 1e-3).astype(to)
    away = data.astype(np.int64) - spread(zeros, x, axis, block)
    with np.errstate(over="ignore"):
        want = (away.astype(np.float32) * spread(scales, x, axis, block).astype(np.float32)).astype(to)
    check("DequantizeLinear", [data, scales, zeros], axis=axis, block_size=block, expected=[want], rtol=1e-6, atol=0)


def test_quantize_old_versions():
    x, scale, zero = normal(2, 3, 4) * 50, np.array([0.7, 2, 0.1], np.float32), np.array([3, 0, 255], np.uint8)
    column = (scale.reshape(3, 1), zero.reshape(3, 1).astype(np.float32))
    want = np.clip(np.rint(x / scale[0]) + 3, 0, 255).astype(np.uint8)
    check("QuantizeLinear", [x, scale[0], zero[0]], opset=10, expected=[want])
    want = np.clip(np.rint(x / column[0]) + column[1], 0, 255).astype(np.uint8)
    check("QuantizeLinear", [x, scale, zero], opset=13, expected=[want])
    x = integers("uint8", 2, 3, 4)
    check("DequantizeLinear", [x, scale[0], zero[0]], opset=10, expected=[(x - np.float32(3)) * scale[0]])
    check(
        "DequantizeLinear",
        [x, scale, zero],
        opset=13,
        expected=[(x.astype(np.float32) - column[1]) * column[0]],
        rtol=1e-6,
    )


def test_quantize_special_values():
    x = np.array([np.inf, -np.inf, 3e38, -3e38, 0.5, 1.5, 2.5, -0.5, -1.5], np.float32)
    want = np.array([255, 0, 255, 0, 128, 130, 130, 128, 126], np.uint8)
    check("QuantizeLinear", [x, np.float32(1), np.uint8(128)], expected=[want])


def test_quantize_refuses():
    x = normal(2, 3)
    refused("QuantizeLinear", [x, normal(4), integers("int8", 4)], "3, one for each index of axis 1")
    refused("QuantizeLinear", [x, normal(2, 2), integers("int8", 2, 2)], "blocks of 1", block_size=1)
    refused("QuantizeLinear", [x, normal(3), integers("int8", 3)], "axis 2", axis=2)
    refused("DequantizeLinear", [integers("int8", 2, 3), normal(3), integers("int8", 2)], "zero point has 2")


@pytest.mark.parametrize("shape", [(1,), (33, 7), (4, 5000)], ids=str)
@pytest.mark.parametrize("shift", [0.0, 5.0, -5.0])
def test_dynamic_quantize_linear(shape, shift):
    x = normal(*shape) + np.float32(shift)
    low, high = min(0, x.min()), max(0, x.max())
    scale = np.float32((high - low) / np.float32(255))
    zero = np.clip(np.rint(-low / scale), 0, 255)
    want = np.clip(np.rint(x / scale) + zero, 0, 255).astype(np.uint8)
    check("DynamicQuantizeLinear", [x], outputs=3, expected=[want, scale, np.uint8(zero)], rtol=1e-6, atol=0)


def test_dynamic_quantize_linear_of_zeros():
    check(
        "DynamicQuantizeLinear",
        [np.zeros((3, 4), np.float32)],
        outputs=3,
        expected=[np.zeros((3, 4), np.uint8), np.float32(1), np.uint8(0)],
    )


PRODUCTS = [
    ((1, 1), (1, 1)),
    ((3, 5), (5, 7)),
    ((65, 131), (131, 33)),
    ((4,), (4,)),
    ((4,), (4, 6)),
    ((2, 3, 4), (4,)),
    ((2, 1, 3, 4), (5, 4, 2)),
    ((6, 7, 8), (8, 19)),
    ((3, 0), (0, 2)),
    ((0, 4), (4, 2)),
]


@pytest.mark.parametrize(("a", "b"), PRODUCTS, ids=str)
@pytest.mark.parametrize("a_type", ["int8", "uint8"])
@pytest.mark.parametrize("b_type", ["int8", "uint8"])
@pytest.mark.parametrize("constants", [(), (1,), (1, 3)], ids=str)
def test_matmul_integer(a, b, a_type, b_type, constants):
    inputs = [integers(a_type, *a), integers(b_type, *b), integers(a_type), integers(b_type)]
    want = np.matmul(inputs[0].astype(np.int32) - inputs[2], inputs[1].astype(np.int32) - inputs[3])
    check("MatMulInteger", inputs, constants=constants, expected=[want.astype(np.int32)], rtol=0, atol=0)


def test_matmul_integer_zero_points_by_line():
    a, b = integers("uint8", 5, 9), integers("int8", 9, 20)
    a_zero, b_zero = integers("uint8", 5), integers("int8", 20)
    want = (a.astype(np.int32) - a_zero[:, None]) @ (b.astype(np.int32) - b_zero)
    for constants in ((), (1, 3)):
        check("MatMulInteger", [a, b, a_zero, b_zero], constants=constants, expected=[want], rtol=0, atol=0)
    refused("MatMulInteger", [a, b, a_zero[:3], b_zero], "a_zero_point has 3")
    refused("MatMulInteger", [a, b, a_zero, b_zero[:3]], "b_zero_point has 3")
    refused("MatMulInteger", [a, b[:4]], "dimension")


@pytest.mark.parametrize(("a", "b"), PRODUCTS, ids=str)
@pytest.mark.parametrize("per_column", [False, True])
@pytest.mark.parametrize("to", ["int8", "uint8"])
def test_qlinear_matmul(a, b, per_column, to):
    columns = (b[-1],) if per_column and len(b) > 1 else ()
    x, y = integers("uint8", *a), integers("int8", *b)
    b_scale, b_zero = (np.abs(normal(*columns)) + np.float32(0.1)).astype(np.float32), integers("int8", *columns)
    zero, out_scale = integers(to), np.float32(50 + 20 * a[-1])
    sums = np.matmul(x.astype(np.int32) - 7, y.astype(np.int32) - b_zero)
    limits = np.iinfo(to)
    want = np.clip(np.rint(sums * (np.float32(0.5) * b_scale / out_scale)) + zero, limits.min, limits.max)
    inputs = [x, np.float32(0.5), np.uint8(7), y, b_scale, b_zero, out_scale, zero]
    for constants in ((), (3, 5)):
        check("QLinearMatMul", inputs, constants=constants, expected=[want.astype(to)], rtol=0, atol=1)


CONVOLUTIONS = [
    ((1, 3, 17, 19), (8, 3, 3, 3), {"pads": [1, 1, 1, 1]}),
    ((2, 8, 9, 11), (16, 8, 1, 1), {"strides": [2, 2]}),
    ((1, 6, 14, 13), (6, 1, 3, 3), {"group": 6, "pads": [1, 1, 1, 1]}),
    ((1, 8, 12, 12), (12, 4, 3, 3), {"group": 2, "strides": [2, 1], "dilations": [1, 2], "pads": [0, 1, 2, 3]}),
    ((2, 4, 30), (6, 4, 5), {"pads": [2, 2]}),
    ((1, 2, 6, 7, 8), (4, 2, 3, 3, 3), {"strides": [1, 2, 1]}),
]


def convolve(x, w, attributes):
    """In double by the reference's Conv, a group at a time; exact for these sizes."""
    from onnx.reference import ReferenceEvaluator
    from reference import feeds_of, model_of

    inputs = [x.astype(np.float64), w.astype(np.float64)]
    return ReferenceEvaluator(model_of("Conv", inputs, **attributes)).run(None, feeds_of(inputs))[0].astype(np.int64)


@pytest.mark.parametrize(("x", "w", "attributes"), CONVOLUTIONS, ids=lambda v: str(v))
@pytest.mark.parametrize("dtype", ["int8", "uint8"])
def test_conv_integer(x, w, attributes, dtype):
    inputs = [integers(dtype, *x), integers("int8", *w), integers(dtype), integers("int8", w[0])]
    weights = inputs[1].astype(np.int32) - inputs[3].reshape([-1] + [1] * (len(w) - 1))
    want = convolve(inputs[0].astype(np.int32) - inputs[2], weights, attributes)
    check("ConvInteger", inputs, expected=[want.astype(np.int32)], rtol=0, atol=0, **attributes)


@pytest.mark.parametrize(("x", "w", "attributes"), CONVOLUTIONS, ids=lambda v: str(v))
@pytest.mark.parametrize("per_channel", [False, True])
def test_qlinear_conv(x, w, attributes, per_channel):
    channels = (w[0],) if per_channel else ()
    column = [-1] + [1] * (len(w) - 2)
    data, weights, bias = integers("uint8", *x), integers("int8", *w), RNG.integers(-999, 999, w[0]).astype(np.int32)
    w_scale = (np.abs(normal(*channels)) + np.float32(0.1)).astype(np.float32)
    sums = convolve(data.astype(np.int32) - 9, weights, attributes) + bias.reshape(column)
    factor = np.float32(0.5) * w_scale / np.float32(40)
    want = np.clip(np.rint(sums * (factor.reshape(column) if per_channel else factor)) + 100, 0, 255)
    inputs = [
        data,
        np.float32(0.5),
        np.uint8(9),
        weights,
        w_scale,
        np.zeros(channels, np.int8),
        np.float32(40),
        np.uint8(100),
        bias,
    ]
    check("QLinearConv", inputs, expected=[want.astype(np.uint8)], rtol=0, atol=1, **attributes)


def test_conv_integer_refuses():
    x, w = integers("uint8", 1, 4, 5, 5), integers("int8", 6, 4, 3, 3)
    refused("ConvInteger", [x, w, np.uint8(1), integers("int8", 5)], "zero point of w has 5")
    refused("ConvInteger", [x, w], "group=0", group=0)
    refused("ConvInteger", [x, w], "group", group=4)
