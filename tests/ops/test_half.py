# SPDX-License-Identifier: Apache-2.0
"""Every operator family in float16 and bfloat16: the result in float, rounded once, to the type's precision."""

import ml_dtypes
import numpy as np
import pytest
from onnx import TensorProto, defs
from onnx.reference import ReferenceEvaluator
from reference import feeds_of, model_of, run

TYPES = {"float16": np.dtype(np.float16), "bfloat16": np.dtype(ml_dtypes.bfloat16)}
EPSILON = {"float16": 2.0**-11, "bfloat16": 2.0**-8}  # of rounding to nearest
CODES = {"float16": TensorProto.FLOAT16, "bfloat16": TensorProto.BFLOAT16}
RNG = np.random.default_rng(23)


def normal(*shape):
    return RNG.standard_normal(shape).astype(np.float32)


def positive(*shape):
    return np.abs(normal(*shape)) + np.float32(0.5)


I64 = np.int64
X4 = (2, 6, 5, 7)
RESIZE = [normal(1, 2, 4, 5), None, np.array([1, 1, 1.5, 2], np.float32)]
# Operator, inputs (float32 ones are given in the 16-bit type), attributes and how many outputs there are.
CASES = [
    ("MatMul", [normal(3, 40), normal(40, 7)], {}),
    ("MatMul", [normal(2, 3, 4, 9), normal(3, 9, 5)], {}),
    ("MatMul", [normal(9), normal(9, 5)], {}),
    ("Gemm", [normal(5, 30), normal(30, 6), normal(6)], {"alpha": 0.5, "beta": 2.0}),
    ("Gemm", [normal(30, 5), normal(6, 30), normal(5, 1)], {"transA": 1, "transB": 1}),
    ("Conv", [normal(2, 4, 8, 9), normal(6, 4, 3, 3), normal(6)], {"pads": [1, 1, 1, 1], "strides": [2, 1]}),
    ("Conv", [normal(1, 4, 8, 8), normal(4, 1, 3, 3)], {"group": 4, "dilations": [2, 2]}),
    ("Conv", [normal(2, 3, 17), normal(5, 3, 4), normal(5)], {}),
    ("Conv", [normal(1, 2, 5, 6, 7), normal(3, 2, 2, 3, 2), normal(3)], {}),
    ("ConvTranspose", [normal(2, 4, 5, 6), normal(4, 3, 3, 3), normal(3)], {"strides": [2, 2]}),
    ("ConvTranspose", [normal(1, 4, 5, 6), normal(4, 2, 3, 2)], {"pads": [1, 0, 1, 0]}),
    ("MaxPool", [normal(*X4)], {"kernel_shape": [3, 2], "strides": [2, 2]}),
    ("AveragePool", [normal(*X4)], {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1]}),
    ("LpPool", [normal(*X4)], {"kernel_shape": [2, 2]}),
    ("GlobalAveragePool", [normal(*X4)], {}),
    ("GlobalMaxPool", [normal(*X4)], {}),
    ("BatchNormalization", [normal(*X4), normal(6), normal(6), normal(6), positive(6)], {}),
    ("InstanceNormalization", [normal(*X4), normal(6), normal(6)], {}),
    ("GroupNormalization", [normal(*X4), normal(6), normal(6)], {"num_groups": 3}),
    ("LayerNormalization", [normal(4, 5, 33), normal(33), normal(33)], {}),
    ("RMSNormalization", [normal(4, 5, 33), normal(33)], {}),
    ("LpNormalization", [normal(4, 33)], {}),
    ("MeanVarianceNormalization", [normal(*X4)], {}),
    ("LRN", [normal(*X4)], {"size": 3}),
    ("Softmax", [normal(4, 33)], {}),
    ("LogSoftmax", [normal(4, 33)], {"axis": 0}),
    ("Hardmax", [normal(4, 33)], {}),
    *(
        (f"Reduce{name}", [normal(4, 33, 3), np.array([1], I64)], {})
        for name in ("Sum", "Mean", "L1", "L2", "Max", "Min")
    ),
    *(
        (f"Reduce{name}", [positive(4, 9), np.array([1], I64)], {})
        for name in ("LogSum", "SumSquare", "LogSumExp", "Prod")
    ),
    ("Einsum", [normal(3, 9), normal(9, 4)], {"equation": "ij,jk->ik"}),
    ("TopK", [normal(4, 33), np.array([5], I64)], {"outputs": 2}),
    ("ArgMax", [normal(4, 33)], {"axis": 1}),
    ("ArgMin", [normal(4, 33)], {"axis": 0}),
    ("CumSum", [normal(4, 9), np.array(1, I64)], {}),
    ("Clip", [normal(4, 9), np.float32(-0.5), np.float32(0.25)], {}),
    ("Where", [normal(4, 9) > 0, normal(4, 9), normal(9)], {}),
    *((op, [np.round(normal(4, 9)), np.round(normal(9))], {}) for op in ("Equal", "Less", "Greater", "LessOrEqual")),
    *((op, [normal(4, 9), positive(9)], {}) for op in ("Add", "Sub", "Mul", "Div")),
    ("Mod", [normal(4, 9) * 5, positive(9)], {"fmod": 1}),
    ("Pow", [positive(4, 9), normal(9)], {}),
    ("PRelu", [normal(4, 9), normal(9)], {}),
    *(
        (op, [normal(4, 33)], {})
        for op in ("Abs", "Neg", "Relu", "Sign", "Ceil", "Floor", "Round", "Exp", "Sin", "Cos")
    ),
    *(
        (op, [normal(4, 33)], {})
        for op in ("Tanh", "Erf", "Sigmoid", "Softplus", "Softsign", "HardSwish", "Mish", "Elu")
    ),
    *(
        (op, [normal(4, 33)], {})
        for op in ("Gelu", "Selu", "Celu", "LeakyRelu", "HardSigmoid", "ThresholdedRelu", "Shrink")
    ),
    *((op, [positive(4, 33)], {}) for op in ("Sqrt", "Log", "Reciprocal")),
    *((op, [normal(4, 33)], {}) for op in ("IsNaN", "IsInf")),
    *((op, [normal(4, 9), normal(9), normal(4, 1)], {}) for op in ("Max", "Min", "Sum", "Mean")),
    *(("Resize", RESIZE, {"mode": mode}) for mode in ("nearest", "linear", "cubic")),
    ("GridSample", [normal(1, 2, 5, 6), (normal(1, 3, 4, 2) / 3).clip(-1, 1)], {"mode": "linear"}),
    ("DepthToSpace", [normal(1, 8, 3, 4)], {"blocksize": 2}),
    ("SpaceToDepth", [normal(1, 2, 4, 6)], {"blocksize": 2}),
    ("Pad", [normal(3, 4), np.array([1, 0, 0, 2], I64), np.float32(0.5)], {}),
    ("Trilu", [normal(5, 6)], {}),
    ("Gather", [normal(5, 6), np.array([3, 0], I64)], {}),
    ("Concat", [normal(2, 6), normal(3, 6)], {"axis": 0}),
    ("ScatterElements", [normal(4, 3), np.array([[1, 0, 2]], I64), normal(1, 3)], {"reduction": "add"}),
    ("Det", [normal(3, 4, 4)], {}),
    ("NegativeLogLikelihoodLoss", [normal(5, 4), np.array([0, 3, 1, 2, 2], I64)], {}),
    ("SoftmaxCrossEntropyLoss", [normal(5, 4), np.array([0, 3, 1, 2, 2], I64)], {}),
]
RECURRENT = [("RNN", 1, 2), ("GRU", 3, 2), ("LSTM", 4, 3)]


def halved(inputs, dtype):
    return [x.astype(TYPES[dtype]) if x is not None and x.dtype == np.float32 else x for x in inputs]


def widened(inputs):
    return [x.astype(np.float32) if x is not None and x.dtype in TYPES.values() else x for x in inputs]


OPSET = 28


def allowed(op, dtype):
    """Whether the standard has the operator's first type in `dtype`."""
    schema = defs.get_schema(op, OPSET)
    name = schema.inputs[1 if op == "Where" else 0].type_str
    types = next(c.allowed_type_strs for c in schema.type_constraints if c.type_param_str == name)
    return f"tensor({dtype})" in types


def check_half(op, inputs, dtype, *, opset=OPSET, outputs=1, steps=1, constants=(), **attributes):
    """Against the reference in float on the same numbers: `steps` roundings of the result away at most."""
    narrow = halved(inputs, dtype)
    kept = [] if op != "Resize" else [2]  # scales are float whatever the data are
    for i in kept:
        narrow[i] = inputs[i]
    wide = widened(narrow)
    common = {"opset": opset, "outputs": outputs, **attributes}
    expected = ReferenceEvaluator(model_of(op, wide, **common)).run(None, feeds_of(wide))
    got = run(op, narrow, constants=constants, **common)
    for want, have in zip(expected, got):
        if want.dtype != np.float32:
            np.testing.assert_array_equal(have, want)
            continue
        assert have.dtype == TYPES[dtype]
        scale = EPSILON[dtype] * steps
        np.testing.assert_allclose(have.astype(np.float64), want, rtol=1.01 * scale, atol=1e-5)


# How many roundings: 1 but where the float reference is itself an approximation, and for the softmax, which rounds
# each of its steps: the difference from the largest, up to 8 in size here, is an exponent, the sum has many terms.
STEPS = {"Einsum": 2, "Erf": 2, "Gelu": 2, "LRN": 2, "Mish": 2, "CumSum": 2, "Softmax": 12}


@pytest.mark.parametrize(
    ("op", "inputs", "attributes", "dtype"),
    [
        pytest.param(*case, dtype, id=f"{i}-{case[0]}-{dtype}")
        for i, case in enumerate(CASES)
        for dtype in TYPES
        if allowed(case[0], dtype)
    ],
)
def test_operator(op, inputs, attributes, dtype):
    check_half(op, inputs, dtype, steps=STEPS.get(op, 1), **attributes)


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("constants", [(1,), (1, 2)], ids=str)
@pytest.mark.parametrize(
    ("op", "inputs", "attributes"), [c for c in CASES if c[0] in ("Gemm", "Conv", "ConvTranspose") and len(c[1]) == 3]
)
def test_constant_weights(op, inputs, attributes, constants, dtype):
    check_half(op, inputs, dtype, constants=constants, **attributes)


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize(("op", "gates", "outputs"), RECURRENT)
def test_recurrent(op, gates, outputs, dtype):
    hidden = 8
    inputs = [normal(5, 2, 6), normal(1, gates * hidden, 6) / 3, normal(1, gates * hidden, hidden) / 3]
    check_half(op, inputs, dtype, outputs=outputs, steps=2, hidden_size=hidden)


def test_old_versions():
    """Tile counts in its own type before version 6; Pow had one type before version 12."""
    x = normal(2, 3).astype(np.float16)
    got = run("Tile", [x, np.float16(3), np.float16(1)], opset=5)[0]
    np.testing.assert_array_equal(got, np.tile(x, (1, 3)))
    base, power = positive(2, 3).astype(np.float16), normal(3).astype(np.float16)
    got = run("Pow", [base, power], opset=7)[0]
    want = np.power(base.astype(np.float64), power.astype(np.float64))
    np.testing.assert_allclose(got.astype(np.float64), want, rtol=1.01 * EPSILON["float16"])


@pytest.mark.parametrize("depth", [np.int64, np.float32, np.float16])
@pytest.mark.parametrize("index", [np.int64, np.float32, np.float16])
def test_one_hot(index, depth):
    got = run("OneHot", [np.array([2, 0, 1], index), np.array(4, depth), np.float32([0, 1])], opset=17)[0]
    np.testing.assert_array_equal(got, np.eye(4)[[2, 0, 1]])


@pytest.mark.parametrize("dtype", TYPES)
def test_rounding_at_the_ends(dtype):
    """Ties to even, subnormal numbers, what is too large, infinity and NaN, in vectors and in what is left of them."""
    with np.errstate(over="ignore"):
        special = np.float32([0, -0.0, 1e-8, 6e-8, 65519, 65520, 1e39, -1e39, np.inf, -np.inf, np.nan, 3.38e38, 3.4e38])
        values = np.concatenate([special, 1 + np.arange(64, dtype=np.float32) / 2**13, normal(51) * 1e-7])
        want = values.astype(TYPES[dtype])
    for count in (len(values), 3, 1):
        got = run("Cast", [values[:count]], to=CODES[dtype], opset=21)[0]
        number = ~np.isnan(want[:count].astype(np.float32))
        np.testing.assert_array_equal(got.view(np.uint16)[number], want[:count].view(np.uint16)[number])
        assert np.isnan(got.astype(np.float32)[~number]).all()
        back = run("Cast", [want[:count]], to=TensorProto.FLOAT, opset=21)[0]
        np.testing.assert_array_equal(back, want[:count].astype(np.float32))


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize(("shape", "axis"), [((3, 5), -1), ((3, 7, 4), 2), ((2, 40), -1)], ids=str)
def test_softmax_rounds_its_steps(dtype, shape, axis):
    """As the standard's reference does in the type itself, bit by bit."""
    x = normal(*shape).astype(TYPES[dtype])
    model = model_of("Softmax", [x], opset=13, axis=axis)
    want = ReferenceEvaluator(model).run(None, {"x0": x})[0]
    got = run("Softmax", [x], opset=13, axis=axis)[0]
    np.testing.assert_array_equal(got.astype(np.float32), want.astype(np.float32))


@pytest.mark.parametrize("dtype", TYPES)
def test_long_softmax_sums_to_one(dtype):
    """A sum kept in so few digits would stand still."""
    x = np.zeros((2, 3000), TYPES[dtype])
    got = run("Softmax", [x], opset=13)[0].astype(np.float64)
    np.testing.assert_allclose(got, 1 / 3000, rtol=2 * EPSILON[dtype])
