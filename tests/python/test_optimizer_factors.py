# SPDX-License-Identifier: Apache-2.0
"""Constants that go into others or into attributes of type float stay the numbers that they are.

In double none is rounded; in float a product of two that are in its range may leave it, where the nodes one after the
other did not.
"""

import numpy as np
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper, numpy_helper

CPU = ["CPUExecutionProvider"]
LEVELS = ort.GraphOptimizationLevel
pytestmark = pytest.mark.ours
RANDOM = np.random.default_rng(7)


def check(nodes, feed, weights, want, opset=18, rtol=1e-13):
    """Every run at every level gives `want`."""
    value = helper.make_tensor_value_info
    dtype = next(iter(feed.values())).dtype
    kind = helper.np_dtype_to_tensor_dtype(dtype)
    graph = helper.make_graph(
        nodes,
        "g",
        [value(name, kind, array.shape) for name, array in feed.items()],
        [value("y", kind, want.shape)],
        [numpy_helper.from_array(np.asarray(array), name) for name, array in weights.items()],
    )
    imports = [helper.make_opsetid("", opset), helper.make_opsetid("com.microsoft", 1)]
    model = helper.make_model(graph, opset_imports=imports, ir_version=9).SerializeToString()
    for level in (LEVELS.ORT_DISABLE_ALL, LEVELS.ORT_ENABLE_BASIC, LEVELS.ORT_ENABLE_EXTENDED, LEVELS.ORT_ENABLE_ALL):
        options = ort.SessionOptions()
        options.graph_optimization_level = level
        session = ort.InferenceSession(model, options, providers=CPU)
        for _ in range(2):
            (got,) = session.run(None, feed)
            np.testing.assert_allclose(got, want, rtol=rtol, atol=rtol * np.abs(want).max(), err_msg=str(level))


def node(op, inputs, output, **attributes):
    return helper.make_node(op, inputs.split(), [output], **attributes)


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


X = RANDOM.normal(size=(3, 4))
W = RANDOM.normal(size=(4, 5))
THIRD = 1 / 3  # which no float is


@pytest.mark.parametrize("constant", [True, False])
@pytest.mark.parametrize("domain", ["", "com.microsoft"])
def test_double_scale_of_a_product(constant, domain):
    op, attributes = ("MatMul", {}) if not domain else ("FusedMatMul", {"domain": domain, "alpha": 0.7})
    nodes = [node(op, "x w", "p", **attributes), node("Mul", "p s", "y")]
    feed, weights = {"x": X}, {"s": np.array(THIRD)}
    (weights if constant else feed)["w"] = W
    check(nodes, feed, weights, X @ W * THIRD * float(np.float32(attributes.get("alpha", 1))))


def test_double_scale_and_bias_of_a_product():
    bias, scale = RANDOM.normal(size=5), RANDOM.normal(size=5)
    nodes = [node("MatMul", "x w", "p"), node("Add", "p b", "q"), node("Mul", "q s", "y")]
    check(nodes, {"x": X}, {"w": W, "b": bias, "s": scale}, (X @ W + bias) * scale)


@pytest.mark.parametrize("how", ["Mul", "Div", "query", "key"])
def test_double_scale_of_attention(how):
    q, k, v = (RANDOM.normal(size=(2, 3, 4, 8)) for _ in range(3))
    nodes = [node("Transpose", "k", "t", perm=[0, 1, 3, 2])]
    names = {"query": "q s", "key": "t s"}
    if how in names:
        nodes.append(node("Mul", names[how], "scaled"))
        nodes.append(node("MatMul", "scaled t" if how == "query" else "q scaled", "scores"))
    else:
        nodes += [node("MatMul", "q t", "product"), node(how, "product s", "scores")]
    nodes += [node("Softmax", "scores", "p", axis=-1), node("MatMul", "p v", "y")]
    scale = 1 / THIRD**0.5 if how == "Div" else THIRD
    want = softmax(q @ k.swapaxes(-1, -2) * (1 / scale if how == "Div" else scale)) @ v
    check(nodes, {"q": q, "k": k, "v": v}, {"s": np.array(scale)}, want)


@pytest.mark.parametrize("alpha", [1.702, 1.0, THIRD, 2.0])
def test_double_gelu_by_sigmoid(alpha):
    nodes = [node("Mul", "x a", "s"), node("Sigmoid", "s", "g"), node("Mul", "x g", "y")]
    check(nodes, {"x": X}, {"a": np.array(alpha)}, X / (1 + np.exp(-alpha * X)))


def test_quick_gelu_of_double_takes_its_default_as_float():
    alpha = float(np.float32(1.702))
    check([node("QuickGelu", "x", "y", domain="com.microsoft")], {"x": X}, {}, X / (1 + np.exp(-alpha * X)))


@pytest.mark.parametrize("epsilon", [1e-3, 2.0**-10])
@pytest.mark.parametrize("centred", [True, False])
def test_double_epsilon_of_a_normalization(epsilon, centred):
    x = X * 0.03
    scale = RANDOM.normal(size=4)
    nodes = [node("Pow", "d two", "s"), node("ReduceMean", "s", "v", axes=[-1]), node("Add", "v e", "w")]
    nodes += [node("Sqrt", "w", "r"), node("Div", "d r", "n"), node("Mul", "n g", "y")]
    if centred:
        nodes = [node("ReduceMean", "x", "m", axes=[-1]), node("Sub", "x m", "d"), *nodes]
    else:
        nodes = [node(n.op_type, " ".join("x" if i == "d" else i for i in n.input), n.output[0]) for n in nodes]
        nodes[1].attribute.append(helper.make_attribute("axes", [-1]))
    d = x - x.mean(-1, keepdims=True) if centred else x
    want = d / np.sqrt((d**2).mean(-1, keepdims=True) + epsilon) * scale
    check(nodes, {"x": x}, {"two": np.array(2.0), "e": np.array(epsilon), "g": scale}, want, opset=17)


@pytest.mark.parametrize("op", ["Clip", "LeakyRelu"])
def test_double_activation_after_a_product(op):
    p = X @ W
    if op == "Clip":
        last, want = node("Clip", "p low high", "y"), np.clip(p, -THIRD, THIRD)
    else:
        last, want = node("LeakyRelu", "p", "y", alpha=0.3), np.where(p > 0, p, p * float(np.float32(0.3)))
    check(
        [node("MatMul", "x w", "p"), last], {"x": X}, {"w": W, "low": np.array(-THIRD), "high": np.array(THIRD)}, want
    )


BIG, SMALL = np.float32(1e25), np.float32(1e-30)


def test_scales_of_a_product_beyond_float():
    x, w = X.astype(np.float32) * SMALL, W.astype(np.float32)
    nodes = [node("MatMul", "x w", "p"), node("Mul", "p s", "q"), node("Mul", "q s", "y")]
    want = (x.astype(np.float64) @ w * float(BIG) ** 2).astype(np.float32)
    check(nodes, {"x": x, "w": w}, {"s": np.array(BIG)}, want, rtol=1e-5)
    check(nodes, {"x": x}, {"w": w, "s": np.array(BIG)}, want, rtol=1e-5)


def test_scales_of_a_product_below_float():
    x, w = X.astype(np.float32) * BIG, W.astype(np.float32)
    nodes = [node("MatMul", "x w", "p"), node("Mul", "p s", "q"), node("Mul", "q s", "y")]
    want = (x.astype(np.float64) @ w * float(SMALL) ** 2).astype(np.float32)
    check(nodes, {"x": x, "w": w}, {"s": np.array(SMALL)}, want, rtol=1e-5)


def test_scales_of_attention_beyond_float():
    q, k, v = (RANDOM.normal(size=(1, 2, 4, 8)).astype(np.float32) for _ in range(3))
    q = q * SMALL * np.float32(1e-20)
    nodes = [node("Transpose", "k", "t", perm=[0, 1, 3, 2]), node("MatMul", "q t", "a"), node("Mul", "a s", "b")]
    nodes += [node("Mul", "b s", "c"), node("Softmax", "c", "p", axis=-1), node("MatMul", "p v", "y")]
    q *= 0
    want = softmax(np.zeros((1, 2, 4, 4))) @ v.astype(np.float64)
    check(nodes, {"q": q, "k": k, "v": v}, {"s": np.array(BIG)}, want.astype(np.float32), rtol=1e-5)


@pytest.mark.parametrize("scale", [0.0, -0.5])
def test_scale_of_attention_that_is_no_default(scale):
    q, k, v = (RANDOM.normal(size=(1, 2, 4, 8)).astype(np.float32) for _ in range(3))
    nodes = [node("Transpose", "k", "t", perm=[0, 1, 3, 2]), node("MatMul", "q t", "a"), node("Mul", "a s", "b")]
    nodes += [node("Softmax", "b", "p", axis=-1), node("MatMul", "p v", "y")]
    want = softmax(q.astype(np.float64) @ k.swapaxes(-1, -2) * scale) @ v
    check(nodes, {"q": q, "k": k, "v": v}, {"s": np.array(scale, np.float32)}, want.astype(np.float32), rtol=1e-5)


def test_bias_of_a_product_beyond_float_when_scaled():
    """(xW + b) s, where xW takes b away but for a little; b s is beyond float."""
    b = np.full(5, 1e20, np.float32)
    x, w = np.full((3, 1), -1, np.float32), b.reshape(1, 5)
    nodes = [node("MatMul", "x w", "p"), node("Add", "p b", "q"), node("Mul", "q s", "y")]
    check(nodes, {"x": x}, {"w": w, "b": b, "s": np.full(5, BIG)}, np.zeros((3, 5), np.float32), rtol=1e-5)
    w = np.ones((1, 5), np.float32)
    check(nodes, {"x": x * b[0]}, {"w": w, "b": b, "s": np.full(5, BIG)}, np.zeros((3, 5), np.float32), rtol=1e-5)


@pytest.mark.parametrize("bias", [False, True])
def test_weights_of_a_convolution_beyond_float_when_scaled(bias):
    w = np.array([1e20, -2e20], np.float32).reshape(2, 1, 1)
    x = RANDOM.uniform(1, 2, (1, 1, 6)).astype(np.float32) * np.float32(1e-30)
    nodes = [node("Conv", "x w b" if bias else "x w", "c"), node("Mul", "c s", "y")]
    s = np.array([BIG, 1], np.float32).reshape(1, 2, 1)
    want = x.astype(np.float64) * w.reshape(1, 2, 1).astype(np.float64) * s
    weights = {"w": w, "s": s} | ({"b": np.zeros(2, np.float32)} if bias else {})
    check(nodes, {"x": x}, weights, want.astype(np.float32), rtol=1e-5)


def test_bias_of_a_convolution_beyond_float_when_scaled():
    w, b = np.ones((1, 1, 1), np.float32), np.array([1e20], np.float32)
    x = np.full((1, 1, 6), -1e20, np.float32)
    nodes = [node("Conv", "x w b", "c"), node("Mul", "c s", "y")]
    check(nodes, {"x": x}, {"w": w, "b": b, "s": np.full((1, 1, 1), BIG)}, np.zeros((1, 1, 6), np.float32))


def test_types_behind_operators_that_are_functions():
    """What a function of the standard makes has a type where the next operator must know it."""
    value = helper.make_tensor_value_info
    functions = [("MeanVarianceNormalization", {"axes": [-1]}), ("HardSwish", {}), ("Mish", {}), ("Celu", {})]
    for op, attributes in functions:
        kind = TensorProto.FLOAT
        nodes = [node(op, "x", "a", **attributes), node("SequenceConstruct", "a x", "s")]
        nodes += [node("ConcatFromSequence", "s", "y", axis=0)]
        graph = helper.make_graph(nodes, "g", [value("x", kind, [2, 3])], [value("y", kind, None)])
        for opset in (14 if op == "HardSwish" else 18 if op == "Mish" else 13, 18, 22, 23):
            model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=10)
            session = ort.InferenceSession(model.SerializeToString(), providers=CPU)
            x = X[:2, :3].astype(np.float32)
            (y,) = session.run(None, {"x": x})
            assert y.shape == (4, 3)
            np.testing.assert_array_equal(y[2:], x)
