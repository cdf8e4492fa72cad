# SPDX-License-Identifier: Apache-2.0
"""Elementwise operators over every way that shapes broadcast, beyond the cases of onnx's own suite."""

import math

import numpy as np
import pytest
from reference import check, refused, run

RNG = np.random.default_rng(7)

SHAPES = [
    ((), ()),
    ((5,), ()),
    ((), (3, 4)),
    ((7,), (7,)),
    ((4, 5), (5,)),
    ((4, 5), (4, 1)),
    ((2, 3, 4, 5), (3, 1, 5)),
    ((2, 1, 4, 1), (3, 1, 5)),
    ((1, 1), (1,)),
    ((0, 3), (1, 3)),
    ((3, 1), (1, 0)),
    ((33, 1030), (33, 1030)),
    ((33, 1, 70), (1, 9, 70)),
    ((1, 3, 1, 1), (2, 3, 50, 60)),
]


FORMULAS = {
    "Add": np.add,
    "Sub": np.subtract,
    "Mul": np.multiply,
    "Div": np.divide,
    "Pow": np.power,
    "Max": np.maximum,
    "Min": np.minimum,
    "Sum": np.add,
    "Mean": lambda a, b: (a + b) / np.float32(2),
    "Less": np.less,
    "Equal": np.equal,
}


def numbers(shape, dtype):
    if np.dtype(dtype).kind == "f":
        return np.asarray(RNG.random(shape) * 4 + 0.5, dtype)
    return np.asarray(RNG.integers(1, 7, shape), dtype)


@pytest.mark.parametrize("shapes", SHAPES, ids=str)
@pytest.mark.parametrize("op", sorted(FORMULAS))
def test_broadcast_float(op, shapes):
    a, b = (numbers(s, np.float32) for s in shapes)
    check(op, [a, b], expected=[FORMULAS[op](a, b)])


@pytest.mark.parametrize(
    "dtype", ["float64", "float16", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]
)
@pytest.mark.parametrize("op", ["Add", "Sub", "Mul", "Div", "Max", "GreaterOrEqual"])
def test_types(op, dtype):
    check(op, [numbers((3, 4), dtype), numbers((4,), dtype)], rtol=1e-3 if dtype == "float16" else 1e-6)


@pytest.mark.parametrize("dtype", ["int8", "int32", "int64"])
def test_integer_division_never_traps(dtype):
    lowest = np.iinfo(dtype).min
    x = np.array([lowest, 7, -7, lowest], dtype)
    y = np.array([-1, 0, 2, 0], dtype)
    got = run("Div", [x, y])[0]
    assert got.tolist() == [lowest, 0, -3, 0]
    assert run("Mod", [x, y])[0].tolist()[:3] == [0, 0, 1]


@pytest.mark.parametrize("count", [1, 3, 8, 15, 16, 17, 100, 4097, 100_003])
@pytest.mark.parametrize(
    "op",
    [
        "Abs",
        "Neg",
        "Exp",
        "Log",
        "Sigmoid",
        "Tanh",
        "Erf",
        "Sqrt",
        "Reciprocal",
        "Relu",
        "HardSwish",
        "Softplus",
        "Sign",
    ],
)
def test_unary_lengths(op, count):
    x = (RNG.random(count) * 8 - 4).astype(np.float32)
    if op in ("Log", "Sqrt"):
        x = np.abs(x) + np.float32(1e-3)
    check(op, [x], rtol=2e-6, atol=1e-6)


def test_nan_and_infinity():
    x = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0], np.float32)
    for op in ("Exp", "Tanh", "Sigmoid", "Erf", "Relu", "Abs", "Floor"):
        check(op, [x])
    got = run("Max", [x, np.zeros_like(x)])[0]
    assert np.isnan(got[0]) and got[1] == np.inf and got[2] == 0


def test_clip_bounds():
    x = RNG.standard_normal((5, 7)).astype(np.float32)
    low, high = np.float32(-0.5), np.float32(0.25)
    check("Clip", [x, np.array(low), np.array(high)])
    check("Clip", [x, None, np.array(high)])
    check("Clip", [x])
    check("Clip", [x], opset=6, min=-0.5, max=0.25, expected=[np.clip(x, low, high)])


def test_legacy_broadcast_axis():
    a = RNG.standard_normal((2, 3, 4, 5)).astype(np.float32)
    b = RNG.standard_normal((3, 4)).astype(np.float32)
    check("Add", [a, b], opset=6, broadcast=1, axis=1, expected=[a + b[None, :, :, None]])


def test_cast_text():
    words = np.array(["1.5", "-2", "1e3"], object)
    check("Cast", [words], to=1, types=[1], expected=[np.array([1.5, -2, 1000], np.float32)])
    refused("Cast", [np.array(["word"], object)], "word", to=1, types=[1])


def test_shapes_that_do_not_broadcast():
    refused("Add", [np.zeros((2, 3), np.float32), np.zeros((4,), np.float32)], "")


def chain(ops, args, params, inputs, expected):
    check(
        "ElementwiseChain",
        inputs,
        domain="ortrun",
        ops=ops,
        args=args,
        params=params,
        types=[1],
        expected=[expected],
        rtol=1e-5,
        atol=1e-6,
    )


@pytest.mark.parametrize(
    "shapes", [((16,), ()), ((3, 700), (700,)), ((2, 3, 5, 7), (3, 1, 1)), ((4, 1), (1, 6))], ids=str
)
def test_chain(shapes):
    a, b = (RNG.standard_normal(s).astype(np.float32) for s in shapes)
    inner = np.maximum(a * b, 0) + b
    chain(
        ["Mul", "Relu", "Add", "Tanh", "Where"],
        [0, 1, -1, 2, -1, -1, 3, 1, -1, 4, -1, -1, 3, 5, 1],
        [0.0] * 10,
        [a, b],
        np.where(np.maximum(a * b, 0) != 0, np.tanh(inner), b).astype(np.float32),
    )


QUICK_ALPHA = float(np.float32(1.702))  # the attribute is a float


def gelu(x, form, alpha=QUICK_ALPHA):
    x = x.astype(np.float64)
    if form == "erf":
        return 0.5 * x * (1 + np.vectorize(math.erf)(x / math.sqrt(2)))
    if form == "tanh":
        return 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))
    return x / (1 + np.exp(-alpha * x))


@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 2e-6), ("float64", 1e-12), ("float16", 2e-3)])
@pytest.mark.parametrize(
    ("op", "form", "bias"),
    [
        ("Gelu", "erf", 0),
        ("BiasGelu", "erf", 1),
        ("FastGelu", "tanh", 0),
        ("FastGelu", "tanh", 1),
        ("QuickGelu", "quick", 0),
    ],
)
def test_contrib_gelus(op, form, bias, dtype, tolerance):
    x = (RNG.standard_normal((5, 37)) * 3).astype(dtype)
    added = RNG.standard_normal(37).astype(dtype)
    want = gelu(x + added if bias else x, form).astype(dtype)
    element = {"float32": 1, "float64": 11, "float16": 10}[dtype]
    check(
        op,
        [x, added] if bias else [x],
        domain="com.microsoft",
        types=[element],
        expected=[want],
        rtol=tolerance,
        atol=tolerance,
    )


@pytest.mark.parametrize("power", [0.5, 2.0, 3.0, -1.5])
def test_pow_of_one_exponent(power):
    x = np.abs(RNG.standard_normal((7, 33)).astype(np.float32)) + np.float32(0.1)
    check("Pow", [x, np.array(power, np.float32)], expected=[np.power(x, np.float32(power))])


MODULI = [5.5, -5.5, 3, -3, 0.0, -0.0, np.inf, -np.inf, np.nan, 1e30, -1e-30, 2, 1]


@pytest.mark.parametrize("fmod", [0, 1])
@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
def test_mod_of_floats(dtype, fmod):
    """fmod=0 (from version 28 on) has the divisor's sign, its zeros too; fmod=1 the dividend's."""
    with np.errstate(all="ignore"):
        a, b = (v.ravel().astype(dtype) for v in np.meshgrid(MODULI, MODULI))
        want = (np.fmod if fmod else np.mod)(a, b)
    y = run("Mod", [a, b], fmod=fmod, opset=28)[0]
    np.testing.assert_array_equal(y, want)
    number = ~np.isnan(want)
    np.testing.assert_array_equal(np.signbit(y)[number], np.signbit(want)[number])


@pytest.mark.parametrize("dtype", ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"])
@pytest.mark.parametrize("fmod", [0, 1])
def test_mod_of_integers(dtype, fmod):
    limits = np.iinfo(dtype)
    values = [limits.min, limits.max, limits.max - 1, 1, 2, 7] + ([-1, -2, -7] if limits.min else [])
    a, b = (v.ravel() for v in np.meshgrid(np.array([*values, 0], dtype), np.array(values, dtype)))
    a, b = a[b != 0], b[b != 0]
    want = [int(p) - int(q) * (int(p) // int(q)) for p, q in zip(a, b)]
    if fmod:
        want = [w - int(q) if w and (int(p) < 0) != (int(q) < 0) else w for w, p, q in zip(want, a, b)]
    assert run("Mod", [a, b], fmod=fmod)[0].tolist() == want


@pytest.mark.parametrize("dtype", ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"])
@pytest.mark.parametrize("direction", ["LEFT", "RIGHT"])
def test_shift_beyond_the_width(dtype, direction):
    """Signed numbers, and shifts by a negative number, since version 28."""
    limits = np.iinfo(dtype)
    values = [1, 0x61, limits.max] + ([-1, -0x51, limits.min] if limits.min else [])
    shifts = [*range(limits.bits + 3), *([-1, limits.min] if limits.min else [])]
    a, b = (v.ravel() for v in np.meshgrid(np.array(values, dtype), np.array(shifts, dtype)))
    want = []
    for x, by in zip(a.tolist(), b.tolist()):
        shift = by if 0 <= by < limits.bits else limits.bits
        want.append(x << shift if direction == "LEFT" else x >> shift)
    wrapped = np.array([w & ((1 << limits.bits) - 1) for w in want], f"uint{limits.bits}").view(dtype)
    assert run("BitShift", [a, b], direction=direction, opset=28)[0].tolist() == wrapped.tolist()


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
def test_power_with_large_whole_exponents(dtype):
    """An odd exponent that float cannot hold stays odd, a tiny one stays more than 0."""
    base = np.array([-1, -1, -2, 2], dtype)
    exponent = np.array([2**31 - 1, -(2**31) + 1, 3, -1], np.int64)
    assert run("Pow", [base, exponent])[0].tolist() == [-1, -1, -8, 0.5]
    assert run("Pow", [np.array([0], dtype), np.array([1e-300])])[0].tolist() == [0]


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
@pytest.mark.parametrize("op", ["Softmax", "LogSoftmax"])
@pytest.mark.parametrize("axis", [0, 1])
def test_softmax_of_infinities(op, axis, dtype):
    x = np.array([[np.inf, 1, 2], [-np.inf, 0, 0], [-np.inf] * 3, [np.nan, 0, 1], [1, 1, 1]], dtype)
    y = run(op, [x.T.copy() if axis == 0 else x], axis=axis)[0]
    y = y.T if axis == 0 else y
    assert np.isnan(y[[0, 2, 3]]).all()
    want = np.array([[0, 0.5, 0.5], [1 / 3] * 3])
    with np.errstate(divide="ignore"):
        want = np.log(want) if op == "LogSoftmax" else want
    np.testing.assert_allclose(y[[1, 4]].astype(np.float64), want, rtol=1e-3)


def test_celu_of_nan():
    y = run("Celu", [np.array([np.nan, -1, 2], np.float32)])[0]
    np.testing.assert_allclose(y, np.array([np.nan, np.expm1(-1), 2]), rtol=1e-6)
