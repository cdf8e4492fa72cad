# SPDX-License-Identifier: Apache-2.0
"""Models in float16 and bfloat16: what runs in float as a whole, what keeps its rounding, and that both are right."""

import ml_dtypes
import numpy as np
import onnxruntime as ort
import ortrun
import pytest
from onnx import TensorProto, helper, numpy_helper

CPU = ["CPUExecutionProvider"]
LEVELS = ort.GraphOptimizationLevel
TYPES = {"float16": (np.float16, TensorProto.FLOAT16), "bfloat16": (ml_dtypes.bfloat16, TensorProto.BFLOAT16)}
pytestmark = pytest.mark.ours


def model_of(nodes, inputs, outputs, constants, code):
    """`inputs` and `outputs` are names to shapes or to whole value infos."""

    def info(name, shape):
        return (
            shape
            if isinstance(shape, type(helper.make_tensor_value_info("", 1, [])))
            else (helper.make_tensor_value_info(name, code, shape))
        )

    graph = helper.make_graph(
        nodes,
        "g",
        [info(*i) for i in inputs.items()],
        [info(*o) for o in outputs.items()],
        [numpy_helper.from_array(np.asarray(a), k) for k, a in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 22)], ir_version=10).SerializeToString()


def session(model, level=LEVELS.ORT_ENABLE_ALL):
    options = ort.SessionOptions()
    options.graph_optimization_level = level
    return ort.InferenceSession(model, options, providers=CPU)


def operators(made):
    return [node["op"] for node in ortrun.explain(made)["nodes"]]


def encoder_layer(dtype, code, rng, width=64, heads=4):
    """A layer of an encoder with its weights, and its formula in float64."""
    N = helper.make_node
    shapes = {f"w{c}": (width, width) for c in "qkvo"} | {f"b{c}": (width,) for c in "qkvo"}
    weights = {k: (rng.normal(size=s) * 0.15).astype(dtype) for k, s in (shapes | {"g": width, "b": width}).items()}
    nodes = []
    for c in "qkv":
        perm = [0, 2, 3, 1] if c == "k" else [0, 2, 1, 3]
        nodes += [
            N("MatMul", ["x", "w" + c], [c + "0"]),
            N("Add", [c + "0", "b" + c], [c + "1"]),
            N("Reshape", [c + "1", "split"], [c + "2"]),
            N("Transpose", [c + "2"], [c], perm=perm),
        ]
    nodes += [
        N("MatMul", ["q", "k"], ["s0"]),
        N("Mul", ["s0", "factor"], ["s1"]),
        N("Softmax", ["s1"], ["p"], axis=-1),
        N("MatMul", ["p", "v"], ["c0"]),
        N("Transpose", ["c0"], ["c1"], perm=[0, 2, 1, 3]),
        N("Reshape", ["c1", "join"], ["c2"]),
        N("MatMul", ["c2", "wo"], ["o0"]),
        N("Add", ["o0", "bo"], ["o1"]),
        N("Add", ["o1", "x"], ["o2"]),
        N("LayerNormalization", ["o2", "g", "b"], ["y"]),
    ]
    constants = weights | {
        "factor": np.asarray(0.25, dtype),
        "split": np.array([0, 0, heads, width // heads]),
        "join": np.array([0, 0, width]),
    }
    model = model_of(nodes, {"x": ["n", "s", width]}, {"y": ["n", "s", width]}, constants, code)

    def formula(x):
        w = {k: a.astype(np.float64) for k, a in weights.items()}
        x = x.astype(np.float64)
        n, s, _ = x.shape
        q, k, v = (
            (x @ w["w" + c] + w["b" + c]).reshape(n, s, heads, width // heads).transpose(0, 2, 1, 3) for c in "qkv"
        )
        scores = np.exp(q @ k.transpose(0, 1, 3, 2) * 0.25)
        mixed = (scores / scores.sum(-1, keepdims=True) @ v).transpose(0, 2, 1, 3).reshape(x.shape)
        o = mixed @ w["wo"] + w["bo"] + x
        return (o - o.mean(-1, keepdims=True)) / np.sqrt(o.var(-1, keepdims=True) + 1e-5) * w["g"] + w["b"]

    return model, formula


@pytest.mark.parametrize("name", TYPES)
@pytest.mark.parametrize("level", [LEVELS.ORT_DISABLE_ALL, LEVELS.ORT_ENABLE_BASIC, LEVELS.ORT_ENABLE_ALL])
def test_encoder_layer(name, level):
    dtype, code = TYPES[name]
    rng = np.random.default_rng(5)
    model, formula = encoder_layer(dtype, code, rng)
    made = session(model, level)
    for shape in ((2, 5, 64), (1, 9, 64), (2, 5, 64), (2, 5, 64)):
        x = rng.normal(size=shape).astype(dtype)
        y = made.run(None, {"x": x})[0]
        assert y.dtype == np.dtype(dtype)
        want = formula(x)
        limit = {"float16": 2e-3, "bfloat16": 2e-2}[name] * (1 if level == LEVELS.ORT_ENABLE_ALL else 3)
        assert np.abs(y.astype(np.float64) - want).max() < limit * np.abs(want).max()


@pytest.mark.parametrize("name", TYPES)
def test_fusions_see_float(name):
    dtype, code = TYPES[name]
    model, _ = encoder_layer(dtype, code, np.random.default_rng(5))
    ops = operators(session(model))
    assert ops.count("Cast") == 2 and "Attention" in ops
    assert "Cast" not in operators(session(model, LEVELS.ORT_DISABLE_ALL))


@pytest.mark.parametrize("name", TYPES)
def test_convolution_with_constants_around_it(name):
    """BatchNormalization goes into the widened weights, too."""
    dtype, code = TYPES[name]
    rng = np.random.default_rng(7)
    w, scale, bias, mean = (rng.normal(size=s).astype(dtype) for s in ((8, 3, 3, 3), (8,), (8,), (8,)))
    var = (np.abs(rng.normal(size=8)) + 0.5).astype(dtype)
    N = helper.make_node
    nodes = [
        N("Conv", ["x", "w"], ["c"], pads=[1, 1, 1, 1]),
        N("BatchNormalization", ["c", "scale", "bias", "mean", "var"], ["n"]),
        N("Relu", ["n"], ["y"]),
    ]
    constants = {"w": w, "scale": scale, "bias": bias, "mean": mean, "var": var}
    model = model_of(nodes, {"x": ["n", 3, 32, 32]}, {"y": ["n", 8, 32, 32]}, constants, code)
    made = session(model)
    assert "BatchNormalization" not in operators(made)
    x = rng.normal(size=(2, 3, 32, 32)).astype(dtype)
    wide = {k: a.astype(np.float64).reshape(-1, 1, 1) for k, a in constants.items() if k != "w"}
    padded = np.pad(x.astype(np.float64), [(0, 0), (0, 0), (1, 1), (1, 1)])
    want = np.zeros((2, 8, 32, 32))
    for i in range(3):
        for j in range(3):
            window = padded[:, :, i : i + 32, j : j + 32]
            want += np.einsum("nchw,oc->nohw", window, w.astype(np.float64)[:, :, i, j])
    want = (want - wide["mean"]) / np.sqrt(wide["var"] + 1e-5) * wide["scale"] + wide["bias"]
    y = made.run(None, {"x": x})[0].astype(np.float64)
    limit = {"float16": 2e-3, "bfloat16": 2e-2}[name]
    assert np.abs(y - np.maximum(want, 0)).max() < limit * np.abs(want).max()


def test_rounding_that_the_model_asks_for_stays():
    """Casts to float16 in a float model round, whether or not what is between them runs in float."""
    rng = np.random.default_rng(3)
    float_info = helper.make_tensor_value_info
    N = helper.make_node
    nodes = [
        N("Cast", ["x"], ["h"], to=TensorProto.FLOAT16),
        N("MatMul", ["h", "eye"], ["p"]),
        N("Relu", ["p"], ["q"]),
        N("Cast", ["q"], ["y"], to=TensorProto.FLOAT),
    ]
    model = model_of(
        nodes,
        {"x": float_info("x", TensorProto.FLOAT, ["n", 64])},
        {"y": float_info("y", TensorProto.FLOAT, ["n", 64])},
        {"eye": np.eye(64, dtype=np.float16)},
        TensorProto.FLOAT16,
    )
    made = session(model)
    x = rng.normal(size=(70, 64)).astype(np.float32)
    np.testing.assert_array_equal(made.run(None, {"x": x})[0], np.maximum(x.astype(np.float16), 0).astype(np.float32))


def test_steps_over_rounded_values_are_kept():
    """Floor, Equal and a Cast to an integer see what float16 holds."""
    N = helper.make_node
    third = np.full((64, 64), 1 / 3, np.float16)
    nodes = [
        N("MatMul", ["x", "eye"], ["p"]),
        N("Mul", ["p", "three"], ["q"]),  # 0.9998 in float, 1 in float16
        N("Mul", ["q", "one"], ["r"]),
        N("Floor", ["r"], ["y"]),
        N("Cast", ["r"], ["i"], to=TensorProto.INT32),
        N("Equal", ["r", "one"], ["e"]),
    ]
    model = model_of(
        nodes,
        {"x": ["n", 64]},
        {
            "y": ["n", 64],
            "i": helper.make_tensor_value_info("i", TensorProto.INT32, ["n", 64]),
            "e": helper.make_tensor_value_info("e", TensorProto.BOOL, ["n", 64]),
        },
        {"eye": np.eye(64, dtype=np.float16), "three": np.float16(3), "one": np.float16(1)},
        TensorProto.FLOAT16,
    )
    y, i, e = session(model).run(None, {"x": third})
    assert (third[0, 0] * np.float16(3)) == 1
    assert (y == 1).all() and (i == 1).all() and e.all()
