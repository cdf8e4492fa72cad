# SPDX-License-Identifier: Apache-2.0
"""One weight under many nodes and names: right values, and one copy of what kernels make of it."""

import subprocess
import sys

import numpy as np
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper, numpy_helper

CPU = ["CPUExecutionProvider"]
K = 96  # large enough to be packed, and for its pages to be given back
LEVELS = [ort.GraphOptimizationLevel.ORT_DISABLE_ALL, ort.GraphOptimizationLevel.ORT_ENABLE_ALL]


def weight(seed=0, shape=(K, K)):
    return (np.random.default_rng(seed).standard_normal(shape) / np.sqrt(K)).astype(np.float32)


def session_of(nodes, outputs, initializers, level, options=None):
    infos = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs]
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", K])
    graph = helper.make_graph(nodes, "g", [x], infos, [numpy_helper.from_array(w, name) for name, w in initializers])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    options = options or ort.SessionOptions()
    options.graph_optimization_level = level
    return model.SerializeToString(), options


def check(nodes, initializers, wanted, level, tmp_path, runs=3):
    """`wanted` maps outputs to values; from memory and from a file, and run after run."""
    data, options = session_of(nodes, list(wanted), initializers, level)
    path = tmp_path / "model.onnx"
    path.write_bytes(data)
    x = weight(9, (5, K))
    for source in (data, str(path)):
        session = ort.InferenceSession(source, options, providers=CPU)
        for _ in range(runs):
            for name, got in zip(wanted, session.run(None, {"x": x}), strict=True):
                np.testing.assert_allclose(got, wanted[name](x.astype(np.float64)), rtol=1e-4, atol=1e-5, err_msg=name)


N = helper.make_node


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("names", ["identities", "one name", "identities of identities", "two initializers"])
def test_layers_that_share_a_weight(tmp_path, level, names):
    w = weight()
    nodes, value = [], "x"
    initializers = [("w", w)]
    if names == "two initializers":
        initializers.append(("w1", w))
    for i in range(4):
        shared = "w"
        if names.startswith("identities"):
            source = f"w{i - 1}" if names == "identities of identities" and i > 0 else "w"
            nodes.append(N("Identity", [source], [f"w{i}"]))
            shared = f"w{i}"
        elif names == "two initializers" and i % 2:
            shared = "w1"
        nodes += [N("MatMul", [value, shared], [f"m{i}"]), N("Relu", [f"m{i}"], [f"y{i}"])]
        value = f"y{i}"

    def layers(x):
        for _ in range(4):
            x = np.maximum(x @ w, 0)
        return x

    check(nodes, initializers, {value: layers}, level, tmp_path)


@pytest.mark.parametrize("level", LEVELS)
def test_a_packed_weight_is_read_in_other_ways_too(tmp_path, level):
    """Products pack it, a Gather, an Add and an output read it as it is."""
    w = weight()
    rows = np.array([3, 1, 7], np.int64)
    nodes = [
        N("Identity", ["w"], ["a"]),
        N("Identity", ["w"], ["b"]),
        N("MatMul", ["x", "a"], ["product"]),
        N("Gather", ["b", "rows"], ["gathered"], axis=0),
        N("Identity", ["w"], ["itself"]),
        N("Add", ["x1", "w"], ["sum"]),
        N("Slice", ["x", "zero", "one", "zero"], ["x1"]),
    ]
    initializers = [("w", w), ("rows", rows), ("zero", np.array([0], np.int64)), ("one", np.array([1], np.int64))]
    wanted = {
        "product": lambda x: x @ w,
        "gathered": lambda x: w[rows],
        "itself": lambda x: w,
        "sum": lambda x: x[:1] + w,
    }
    nodes = nodes[:5] + [nodes[6], nodes[5]]
    check(nodes, initializers, wanted, level, tmp_path, runs=1)


@pytest.mark.parametrize("level", LEVELS)
def test_other_forms_of_one_weight(tmp_path, level):
    """As it is, transposed by a node, by Gemm, and in another shape."""
    w = weight()
    nodes = [
        N("Transpose", ["w"], ["t"]),
        N("Reshape", ["w", "shape"], ["r"]),
        N("MatMul", ["x", "w"], ["plain"]),
        N("MatMul", ["x", "t"], ["turned"]),
        N("Gemm", ["x", "w"], ["gemm"], transB=1),
        N("MatMul", ["x", "r"], ["reshaped"]),
        N("Transpose", ["w"], ["t2"]),
        N("MatMul", ["x", "t2"], ["turned again"]),
    ]
    initializers = [("w", w), ("shape", np.array([1, K, K], np.int64))]
    wanted = {
        "plain": lambda x: x @ w,
        "turned": lambda x: x @ w.T,
        "gemm": lambda x: x @ w.T,
        "reshaped": lambda x: (x @ w)[None],
        "turned again": lambda x: x @ w.T,
    }
    check(nodes, initializers, wanted, level, tmp_path)


@pytest.mark.parametrize("level", LEVELS)
def test_bodies_share_the_weight(tmp_path, level):
    w = weight()
    out = helper.make_tensor_value_info("then_y", TensorProto.FLOAT, None)
    then = helper.make_graph(
        [N("Identity", ["w"], ["inner"]), N("MatMul", ["x", "inner"], ["then_y"])], "then", [], [out]
    )
    out = helper.make_tensor_value_info("else_y", TensorProto.FLOAT, None)
    other = helper.make_graph([N("MatMul", ["x", "w"], ["m"]), N("Neg", ["m"], ["else_y"])], "else", [], [out])
    nodes = [
        N("ReduceSum", ["x"], ["s"], keepdims=0),
        N("Greater", ["s", "limit"], ["condition"]),
        N("If", ["condition"], ["branch"], then_branch=then, else_branch=other),
        N("MatMul", ["x", "w"], ["plain"]),
    ]
    initializers = [("w", w), ("limit", np.float32(0))]
    wanted = {"branch": lambda x: x @ w if x.sum() > 0 else -(x @ w), "plain": lambda x: x @ w}
    check(nodes, initializers, wanted, level, tmp_path)


@pytest.mark.parametrize("level", LEVELS)
def test_convolutions_share_their_weights(level):
    w = np.random.default_rng(0).standard_normal((16, 16, 3, 3)).astype(np.float32) / 12
    nodes = [
        N("Identity", ["w"], ["a"]),
        N("Conv", ["x", "a"], ["m"], pads=[1, 1, 1, 1]),
        N("Conv", ["m", "w"], ["y"], pads=[1, 1, 1, 1]),
    ]
    x = np.random.default_rng(1).standard_normal((1, 16, 8, 8)).astype(np.float32)

    def convolve(image):
        padded = np.pad(image.astype(np.float64), ((0, 0), (0, 0), (1, 1), (1, 1)))
        windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), (2, 3))
        return np.einsum("nchwij,ocij->nohw", windows, w)

    for shape in ([1, 16, 8, 8], ["N", 16, "H", "W"]):
        info = [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)]
        result = [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)]
        graph = helper.make_graph(nodes, "g", info, result, [numpy_helper.from_array(w, "w")])
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        options = ort.SessionOptions()
        options.graph_optimization_level = level
        session = ort.InferenceSession(model.SerializeToString(), options, providers=CPU)
        for _ in range(2):
            np.testing.assert_allclose(session.run(None, {"x": x})[0], convolve(convolve(x)), rtol=1e-3, atol=1e-4)


def test_a_weight_of_the_callers_is_not_touched():
    """add_initializer lends memory: two sessions pack it, the caller's array and a third session still have it."""
    w = weight()
    kept = w.copy()
    nodes = [N("MatMul", ["x", "w"], ["y"])]
    x = weight(9, (5, K))
    value = ort.OrtValue.ortvalue_from_numpy(w)
    for _ in range(3):
        options = ort.SessionOptions()
        options.add_initializer("w", value)
        data, options = session_of(nodes, ["y"], [("w", np.zeros_like(w))], LEVELS[1], options=options)
        session = ort.InferenceSession(data, options, providers=CPU)
        np.testing.assert_allclose(session.run(None, {"x": x})[0], x @ kept, rtol=1e-4, atol=1e-5)
        np.testing.assert_array_equal(w, kept)


PEAK = """
import sys, onnxruntime as ort
options = ort.SessionOptions()
options.intra_op_num_threads = 1
session = ort.InferenceSession(sys.argv[1], options, providers=["CPUExecutionProvider"])
print([line for line in open("/proc/self/status") if line.startswith("VmHWM")][0].split()[1])
"""


def layered(path, layers, size, change):
    """Layers that read one weight of size x size, each through a node of its own."""
    nodes, value = [], "x"
    for i in range(layers):
        inputs = ["w", "shape"] if change == "Reshape" else ["w"]
        nodes += [N(change, inputs, [f"w{i}"]), N("MatMul", [value, f"w{i}"], [f"y{i}"])]
        value = f"y{i}"
    w = np.arange(size * size, dtype=np.float32).reshape(size, size) % 7
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", size])],
        [helper.make_tensor_value_info(value, TensorProto.FLOAT, ["n", size])],
        [numpy_helper.from_array(w, "w"), numpy_helper.from_array(np.array([size, size], np.int64), "shape")],
    )
    path.write_bytes(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()
    )


@pytest.mark.parametrize("change", ["Identity", "Transpose", "Reshape"])
def test_a_shared_weight_is_packed_once(tmp_path, change):
    def peak(layers):
        path = tmp_path / f"{layers}.onnx"
        layered(path, layers, 1024, change)  # 4 MB
        done = subprocess.run([sys.executable, "-c", PEAK, str(path)], capture_output=True, text=True, check=True)
        return int(done.stdout) / 1024

    assert peak(16) - peak(1) < 16, "sixteen layers over one weight of 4 MB"
