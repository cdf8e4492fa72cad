# SPDX-License-Identifier: Apache-2.0
"""float8, float4, int4 and int2: Cast in every direction, and the operators that only move elements."""

import ml_dtypes
import numpy as np
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper
from provider_under_test import NotRegistered, session

FLOATS = {
    "FLOAT8E4M3FN": ml_dtypes.float8_e4m3fn,
    "FLOAT8E4M3FNUZ": ml_dtypes.float8_e4m3fnuz,
    "FLOAT8E5M2": ml_dtypes.float8_e5m2,
    "FLOAT8E5M2FNUZ": ml_dtypes.float8_e5m2fnuz,
    "FLOAT4E2M1": ml_dtypes.float4_e2m1fn,
}
INTEGERS = {
    "INT4": ml_dtypes.int4,
    "UINT4": ml_dtypes.uint4,
    "INT2": ml_dtypes.int2,
    "UINT2": ml_dtypes.uint2,
}
POWERS = {"FLOAT8E8M0": ml_dtypes.float8_e8m0fnu}
NARROW = FLOATS | INTEGERS | POWERS
WIDE = {
    "FLOAT": np.float32,
    "DOUBLE": np.float64,
    "FLOAT16": np.float16,
    "BFLOAT16": ml_dtypes.bfloat16,
    "INT8": np.int8,
    "UINT8": np.uint8,
    "INT16": np.int16,
    "UINT16": np.uint16,
    "INT32": np.int32,
    "UINT32": np.uint32,
    "INT64": np.int64,
    "UINT64": np.uint64,
    "BOOL": np.bool_,
}
ALL = NARROW | WIDE
RNG = np.random.default_rng(29)


def evaluate(nodes, x, code, out, opset=25):
    """The result of a chain of nodes from `x` to `y`; `out` is the type of the result."""
    graph = helper.make_graph(
        nodes,
        "chain",
        [helper.make_tensor_value_info("x", getattr(TensorProto, code), x.shape)],
        [helper.make_tensor_value_info("y", getattr(TensorProto, out), None)],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=12)
    try:
        runner = session(model.SerializeToString())
    except NotRegistered as reason:
        pytest.skip(f"not selected: {reason}")
    got = runner.run(None, {"x": x})[0]
    want = np.dtype(ALL[out])
    return got if got.dtype == want or got.dtype.itemsize != want.itemsize else got.view(want)


def cast(x, code, to, **attributes):
    return evaluate([helper.make_node("Cast", ["x"], ["y"], to=getattr(TensorProto, to), **attributes)], x, code, to)


def numbers(code):
    """Values that both ends of a cast hold or round, the type's own extremes left aside."""
    if code == "BOOL":
        return np.array([True, False, True, True, False])
    if code in POWERS:
        return np.float32([0.25, 1, 2, 4, 1]).astype(ALL[code])
    low = 0 if code.startswith("U") else -2
    values = np.array([0, 1, 1, low, 1, 0, low], np.float32)
    if code in FLOATS or code in ("FLOAT", "DOUBLE", "FLOAT16", "BFLOAT16"):
        values = np.concatenate([values, np.float32([0.5, 1.5, -1.5, 0.26, 0.75])])
    return values.astype(ALL[code])


def same(got, want):
    assert got.dtype == want.dtype
    np.testing.assert_array_equal(got.astype(np.float64), want.astype(np.float64))


def expected(x, to):
    """ml_dtypes' value, integers cut to their low bits as the standard says."""
    wide = x.astype(np.float64)
    if to in INTEGERS or np.dtype(ALL[to]).kind in "iu":
        return np.trunc(wide).astype(np.int64).astype(ALL[to])
    if to == "BOOL":
        return wide != 0
    return wide.astype(ALL[to])


@pytest.mark.parametrize("to", ALL)
@pytest.mark.parametrize("code", NARROW)
def test_cast_from(code, to):
    x = numbers(code)
    if to in POWERS:
        x = x[x.astype(np.float32) > 0]
        want = np.exp2(np.ceil(np.log2(x.astype(np.float64)))).astype(ALL[to])  # up, by default
    else:
        want = expected(x, to)
    same(cast(x, code, to), want)


@pytest.mark.parametrize("to", [t for t in NARROW if t not in POWERS])
@pytest.mark.parametrize("code", WIDE)
def test_cast_to(code, to):
    x = numbers(code)
    same(cast(x, code, to), expected(x, to))


@pytest.mark.parametrize("to", FLOATS)
@pytest.mark.parametrize("code", ["FLOAT", "DOUBLE", "FLOAT16", "BFLOAT16"])
def test_every_number_between(code, to):
    """Random numbers over the type's whole range, its own numbers, and the ties between them."""
    own = np.arange(256, dtype=np.uint8)
    own = (own if to != "FLOAT4E2M1" else own[:16]).view(FLOATS[to]).astype(np.float64)
    own = np.sort(own[np.isfinite(own)])
    ties = (own[1:] + own[:-1]) / 2
    near = np.concatenate([np.nextafter(ties, np.inf), np.nextafter(ties, -np.inf)])
    x = np.concatenate([own, ties, near, RNG.standard_normal(500) * 8, RNG.standard_normal(500) * own[-1] / 4])
    x = x.clip(own[0], own[-1]).astype(ALL[code])
    same(cast(x, code, to), x.astype(FLOATS[to]))


@pytest.mark.parametrize("to", [t for t in FLOATS if t != "FLOAT4E2M1"])
def test_out_of_range(to):
    limit = np.float32(ml_dtypes.finfo(FLOATS[to]).max)
    x = np.float32([limit, limit * 1.5, -limit * 1.5, 1e38, -1e38, np.inf, -np.inf, np.nan])
    clipped = np.clip(x, -limit, limit).astype(FLOATS[to])
    same(cast(x, "FLOAT", to), clipped)
    with np.errstate(over="ignore"):
        same(cast(x, "FLOAT", to, saturate=0), x.astype(FLOATS[to]))


@pytest.mark.parametrize(("to", "high"), [("INT4", 16), ("UINT4", 16), ("INT2", 4), ("UINT2", 4)])
def test_integers_keep_their_low_bits(to, high):
    x = np.arange(-40, 41, dtype=np.int32)
    want = x & (high - 1)
    if not to.startswith("U"):
        want = np.where(want >= high // 2, want - high, want)
    same(cast(x, "INT32", to), want.astype(ALL[to]))


@pytest.mark.parametrize(
    ("mode", "want"),
    [
        ("up", [2.0**-127, 2.0**-126, 1, 2, 2, 4, 4, 2.0**127]),
        ("down", [2.0**-127, 2.0**-127, 1, 1, 1, 2, 2, 2.0**127]),
        ("nearest", [2.0**-127, 2.0**-126, 1, 1, 2, 2, 4, 2.0**127]),
    ],
)
def test_powers_of_two(mode, want):
    x = np.float32([0, 2.0**-127 * 1.5, 1, 1.25, 1.5, 2.5, 3.5, 2.0**127])
    same(cast(x, "FLOAT", "FLOAT8E8M0", round_mode=mode), np.array(want).astype(ml_dtypes.float8_e8m0fnu))


def test_powers_of_two_out_of_range():
    x = np.float32([0, np.inf, np.nan, 3.0e38])
    largest = 2.0**127
    got = cast(x, "FLOAT", "FLOAT8E8M0").astype(np.float64)
    np.testing.assert_array_equal(got, [2.0**-127, largest, np.nan, largest])
    got = cast(x, "FLOAT", "FLOAT8E8M0", saturate=0, round_mode="nearest").astype(np.float64)
    np.testing.assert_array_equal(got, [np.nan] * 4)


@pytest.mark.parametrize("code", NARROW)
def test_text(code):
    x = numbers(code)
    nodes = [
        helper.make_node("Cast", ["x"], ["s"], to=TensorProto.STRING),
        helper.make_node("Cast", ["s"], ["y"], to=getattr(TensorProto, code)),
    ]
    same(evaluate(nodes, x, code, code), x)


@pytest.mark.parametrize("code", NARROW)
def test_cast_like(code):
    x = numbers("FLOAT")
    x = np.abs(x[x != 0]) if code in POWERS or code.startswith("U") else x
    nodes = [
        helper.make_node("Cast", ["x"], ["like"], to=getattr(TensorProto, code)),
        helper.make_node("CastLike", ["x", "like"], ["y"]),
    ]
    want = np.exp2(np.ceil(np.log2(x))).astype(ALL[code]) if code in POWERS else expected(x, code)
    same(evaluate(nodes, x, "FLOAT", code), want)


def filled(code, *shape):
    return numbers(code)[RNG.integers(0, 5, shape)]


@pytest.mark.parametrize("code", NARROW)
@pytest.mark.parametrize("shape", [(3, 5), (1, 7), (4, 2), (0, 3)], ids=str)
def test_transpose(code, shape):
    x = filled(code, *shape)
    same(evaluate([helper.make_node("Transpose", ["x"], ["y"], perm=[1, 0])], x, code, code), x.T)


@pytest.mark.parametrize("code", NARROW)
def test_views(code):
    """Reshape, Unsqueeze, Squeeze, Flatten and Identity keep the elements."""
    x = filled(code, 3, 5)
    nodes = [
        helper.make_node("Constant", [], ["target"], value_ints=[5, 3]),
        helper.make_node("Constant", [], ["axes"], value_ints=[0]),
        helper.make_node("Reshape", ["x", "target"], ["a"]),
        helper.make_node("Unsqueeze", ["a", "axes"], ["b"]),
        helper.make_node("Squeeze", ["b", "axes"], ["c"]),
        helper.make_node("Flatten", ["c"], ["d"], axis=0),
        helper.make_node("Identity", ["d"], ["y"]),
    ]
    same(evaluate(nodes, x, code, code), x.reshape(1, 15))


@pytest.mark.parametrize("code", NARROW)
def test_shape_and_size(code):
    x = filled(code, 3, 5)
    same(evaluate([helper.make_node("Shape", ["x"], ["y"])], x, code, "INT64"), np.int64([3, 5]))
    same(evaluate([helper.make_node("Size", ["x"], ["y"])], x, code, "INT64"), np.int64(15))


@pytest.mark.parametrize("code", [c for c in NARROW if c not in POWERS])
@pytest.mark.parametrize("mode", ["constant", "edge"])
def test_pad(code, mode):
    x = filled(code, 3, 5)
    nodes = [
        helper.make_node("Constant", [], ["pads"], value_ints=[1, 0, 0, 2]),
        helper.make_node("Pad", ["x", "pads"], ["y"], mode=mode),
    ]
    same(evaluate(nodes, x, code, code), np.pad(x.astype(np.float32), [(1, 0), (0, 2)], mode).astype(ALL[code]))


@pytest.mark.parametrize("code", NARROW)
def test_constant_of_shape(code):
    value = helper.make_tensor("value", getattr(TensorProto, code), [1], [1.0])
    node = helper.make_node("ConstantOfShape", ["x"], ["y"], value=value)
    same(evaluate([node], np.int64([3, 5]), "INT64", code), np.ones((3, 5), np.float32).astype(ALL[code]))


@pytest.mark.parametrize("code", [c for c in FLOATS if c != "FLOAT4E2M1"])
def test_is_nan_and_is_inf(code):
    x = np.arange(256, dtype=np.uint8).view(FLOATS[code])
    wide = x.astype(np.float32)
    same(evaluate([helper.make_node("IsNaN", ["x"], ["y"])], x, code, "BOOL"), np.isnan(wide))
    same(evaluate([helper.make_node("IsInf", ["x"], ["y"])], x, code, "BOOL"), np.isinf(wide))


@pytest.mark.parametrize("scale", ["FLOAT", "FLOAT16", "BFLOAT16"])
@pytest.mark.parametrize("code", [c for c in NARROW if c not in POWERS])
def test_quantize_and_dequantize(code, scale):
    x = filled(code, 3, 5)
    nodes = [
        helper.make_node("Constant", [], ["one"], value_float=0.5),
        helper.make_node("Cast", ["one"], ["scale"], to=getattr(TensorProto, scale)),
        helper.make_node("DequantizeLinear", ["x", "scale"], ["y"]),
    ]
    wide = evaluate(nodes, x, code, scale)
    same(wide, (x.astype(np.float32) / 2).astype(ALL[scale]))
    nodes[-1] = helper.make_node("QuantizeLinear", ["x", "scale"], ["y"], output_dtype=getattr(TensorProto, code))
    same(evaluate(nodes, wide, scale, code), x)


@pytest.mark.parametrize("code", ["FLOAT8E8M0", "FLOAT8E4M3FN", "FLOAT8E5M2"])
def test_values_by_the_number_of_their_type(code):
    """onnx's numbers, which for the youngest types are not those of the C interface."""
    number = getattr(TensorProto, code)
    value = ort.OrtValue.ortvalue_from_numpy_with_onnx_type(numbers(code), number)
    assert value.data_type() == f"tensor({code.lower()})"
    assert value.element_type() == number
