# SPDX-License-Identifier: Apache-2.0
"""Models split between two providers compute what one computes alone."""

import collections
import importlib.util
from pathlib import Path

import numpy as np
import onnxruntime as ort
import ortrun
import pytest
from onnx import TensorProto, helper

ACCELERATOR = "SimulatedAccelerator"
CPU = "CPUExecutionProvider"


def providers_of(session):
    return collections.Counter(node["provider"] for node in ortrun.explain(session)["nodes"])


def random(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape, dtype=np.float32)


def residual_net(build_split):
    """Three blocks of convolutions with residuals, then a classifier."""
    nodes, constants, last = [], {}, "x"
    for i in range(3):
        constants |= {f"w{i}": random(8, 8, 3, 3, seed=i) * 0.1, f"v{i}": random(8, 8, 1, 1, seed=i) * 0.1}
        nodes += [
            helper.make_node("Conv", [last, f"w{i}"], [f"a{i}"], name=f"conv{i}", pads=[1, 1, 1, 1]),
            helper.make_node("Relu", [f"a{i}"], [f"b{i}"], name=f"relu{i}"),
            helper.make_node("Conv", [f"b{i}", f"v{i}"], [f"c{i}"], name=f"project{i}"),
            helper.make_node("Add", [f"c{i}", last], [f"d{i}"], name=f"residual{i}"),
            helper.make_node("Relu", [f"d{i}"], [f"e{i}"], name=f"out{i}"),
        ]
        last = f"e{i}"
    constants |= {"w": random(8, 5)}
    nodes += [
        helper.make_node("GlobalAveragePool", [last], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["flat"]),
        helper.make_node("MatMul", ["flat", "w"], ["scores"]),
        helper.make_node("Softmax", ["scores"], ["y"]),
    ]
    return build_split(nodes, {"x": ["n", 8, 12, 12]}, {"y": ["n", 5]}, constants)


def test_residual_net(build_split, assert_same):
    session = assert_same(residual_net(build_split), {"x": random(2, 8, 12, 12)})
    assert providers_of(session).keys() == {ACCELERATOR, CPU}


def test_shapes_change_between_runs(build_split, assert_same):
    model = residual_net(build_split)
    session = assert_same(model, {"x": random(1, 8, 12, 12)})
    alone = ort.InferenceSession(model, providers=[CPU])
    for batch in (3, 1, 7, 2, 3):
        feed = {"x": random(batch, 8, 12, 12, seed=batch)}
        np.testing.assert_allclose(session.run(None, feed)[0], alone.run(None, feed)[0], 1e-4, 1e-5)


def attention_block(build_split):
    """One head of attention with a layer normalisation and a gelu, shapes taken from the input."""
    width = 16
    constants = {name: random(width, width, seed=i) * 0.2 for i, name in enumerate(["wq", "wk", "wv", "wo"])}
    constants |= {"scale": np.float32([4.0]), "one": np.float32([1.0]), "half": np.float32([0.5])}
    constants |= {"root": np.float32([2**0.5]), "gamma": np.ones(width, np.float32), "all": np.int64([0, 0, -1])}
    nodes = [
        helper.make_node("MatMul", ["x", "wq"], ["q"]),
        helper.make_node("MatMul", ["x", "wk"], ["k"]),
        helper.make_node("MatMul", ["x", "wv"], ["v"]),
        helper.make_node("Transpose", ["k"], ["kt"], perm=[0, 2, 1]),
        helper.make_node("MatMul", ["q", "kt"], ["raw"]),
        helper.make_node("Div", ["raw", "scale"], ["scaled"]),
        helper.make_node("Softmax", ["scaled"], ["weights"], axis=-1),
        helper.make_node("MatMul", ["weights", "v"], ["mixed"]),
        helper.make_node("MatMul", ["mixed", "wo"], ["projected"]),
        helper.make_node("Add", ["projected", "x"], ["sum"]),
        helper.make_node("LayerNormalization", ["sum", "gamma"], ["normal"]),
        helper.make_node("Div", ["normal", "root"], ["g1"]),
        helper.make_node("Erf", ["g1"], ["g2"]),
        helper.make_node("Add", ["g2", "one"], ["g3"]),
        helper.make_node("Mul", ["normal", "g3"], ["g4"]),
        helper.make_node("Mul", ["g4", "half"], ["gelu"]),
        helper.make_node("Shape", ["gelu"], ["shape"]),
        helper.make_node("Reshape", ["gelu", "shape"], ["y"]),
    ]
    return build_split(nodes, {"x": ["n", "s", width]}, {"y": ["n", "s", width]}, constants)


def test_transformer(build_split, assert_same):
    session = assert_same(attention_block(build_split), {"x": random(2, 6, 16)})
    assert providers_of(session).keys() == {ACCELERATOR, CPU}


def branches(build_split):
    """Both branches read values of the outer graph that either provider made, and hold an If of their own."""

    def body(name, nodes, output):
        info = helper.make_tensor_value_info(output, TensorProto.FLOAT, ["n", 4])
        return helper.make_graph(nodes, name, [], [info])

    inner_then = body("inner_then", [helper.make_node("Mul", ["squashed", "rooted"], ["i1"])], "i1")
    inner_else = body("inner_else", [helper.make_node("Cos", ["squashed"], ["i2"])], "i2")
    then_branch = body(
        "then_branch",
        [
            helper.make_node("Sin", ["squashed"], ["t1"]),
            helper.make_node("Add", ["t1", "w"], ["t2"]),
            helper.make_node("If", ["second"], ["t3"], then_branch=inner_then, else_branch=inner_else),
            helper.make_node("Add", ["t2", "t3"], ["t"]),
        ],
        "t",
    )
    else_branch = body("else_branch", [helper.make_node("Identity", ["squashed"], ["e"])], "e")
    nodes = [
        helper.make_node("Sigmoid", ["x"], ["squashed"]),
        helper.make_node("Abs", ["x"], ["positive"]),
        helper.make_node("Sqrt", ["positive"], ["rooted"]),
        helper.make_node("Greater", ["first_flag", "zero"], ["first"]),
        helper.make_node("Greater", ["second_flag", "zero"], ["second"]),
        helper.make_node("If", ["first"], ["chosen"], then_branch=then_branch, else_branch=else_branch),
        helper.make_node("Mul", ["chosen", "rooted"], ["y"]),
    ]
    constants = {"w": random(4), "zero": np.float32(0)}
    inputs = {"x": ["n", 4], "first_flag": [], "second_flag": []}
    return build_split(nodes, inputs, {"y": ["n", 4]}, constants)


@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize("second", [0, 1])
@pytest.mark.parametrize("delay", ["0", "2000"])
def test_branches(build_split, assert_same, monkeypatch, first, second, delay):
    monkeypatch.setenv("ORTRUN_TEST_ACCELERATOR_DELAY_US", delay)
    feed = {"x": random(3, 4), "first_flag": np.float32(first), "second_flag": np.float32(second)}
    session = assert_same(branches(build_split), feed)
    assert providers_of(session).keys() == {ACCELERATOR, CPU}


@pytest.mark.parametrize("delay", ["0", "2000"])
def test_loop(build_split, assert_same, monkeypatch, delay):
    """The body runs on both, reads a value made on the accelerator outside, carries one and collects another."""
    monkeypatch.setenv("ORTRUN_TEST_ACCELERATOR_DELAY_US", delay)
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["going"], ["still_going"]),
            helper.make_node("Tanh", ["carried"], ["l1"]),
            helper.make_node("Sin", ["l1"], ["l2"]),
            helper.make_node("Add", ["l2", "squashed"], ["next"]),
            helper.make_node("Mul", ["next", "l1"], ["seen"]),
        ],
        "body",
        [
            helper.make_tensor_value_info("i", TensorProto.INT64, []),
            helper.make_tensor_value_info("going", TensorProto.BOOL, []),
            helper.make_tensor_value_info("carried", TensorProto.FLOAT, [4]),
        ],
        [
            helper.make_tensor_value_info("still_going", TensorProto.BOOL, []),
            helper.make_tensor_value_info("next", TensorProto.FLOAT, [4]),
            helper.make_tensor_value_info("seen", TensorProto.FLOAT, [4]),
        ],
    )
    nodes = [
        helper.make_node("Sigmoid", ["x"], ["squashed"]),
        helper.make_node("Loop", ["trips", "", "squashed"], ["last", "all"], body=body),
        helper.make_node("Relu", ["last"], ["y"]),
    ]
    model = build_split(nodes, {"x": [4]}, {"y": [4], "all": [5, 4]}, {"trips": np.int64(5)})
    assert_same(model, {"x": random(4)}, runs=2)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["resnet50", "bert_base"])
def test_full_size(bench_model, assert_same, name):
    model = bench_model(name)
    session = assert_same(str(model.path), model.feeds, runs=2, rtol=1e-2, atol=1e-3)
    assert providers_of(session).keys() == {ACCELERATOR, CPU}


def test_voice_detector(assert_same):
    """PyPI's silero-vad: 25 Ifs, in branches of branches."""
    package = importlib.util.find_spec("silero_vad")
    model = str(Path(package.origin).parent / "data" / "silero_vad.onnx")
    for rate, samples in ((16000, 576), (8000, 288)):
        feed = {"input": random(1, samples) * 0.1, "state": np.zeros((2, 1, 128), np.float32), "sr": np.int64(rate)}
        session = assert_same(model, feed)
        assert providers_of(session).keys() == {ACCELERATOR, CPU}
