# SPDX-License-Identifier: Apache-2.0
"""Copies between the memories: no more than the split needs."""

import numpy as np
import ortrun
import pytest
from onnx import helper


def node(op, inputs, output, **attributes):
    return helper.make_node(op, inputs, [output], name=f"{op}_{output}", **attributes)


# The accelerator has Add, Mul, Relu, Sigmoid, Sqrt, Tanh ...; Sin, Cos, Neg and Shape are the cpu's.
CASES = {
    "neighbours of one provider": (
        [node("Sigmoid", ["x"], "a"), node("Tanh", ["a"], "b"), node("Relu", ["b"], "c"), node("Mul", ["c", "a"], "y")],
        2,  # the input in, the output out
    ),
    "nothing for the accelerator": ([node("Sin", ["x"], "a"), node("Cos", ["a"], "y")], 0),
    "one value for several nodes of the device": (
        [node("Sin", ["x"], "a"), node("Tanh", ["a"], "b"), node("Relu", ["a"], "c"), node("Mul", ["b", "c"], "y")],
        2,
    ),
    "one value for several nodes of the host": (
        [node("Tanh", ["x"], "a"), node("Sin", ["a"], "b"), node("Cos", ["a"], "c"), node("Min", ["b", "c"], "y")],
        2,
    ),
    "a value for both sides": (
        [node("Tanh", ["x"], "a"), node("Sin", ["a"], "b"), node("Relu", ["a"], "c"), node("Add", ["b", "c"], "y")],
        4,  # x in, a out, b in, y out
    ),
    "there and back": (
        [node("Tanh", ["x"], "a"), node("Sin", ["a"], "b"), node("Tanh", ["b"], "c"), node("Sin", ["c"], "y")],
        4,
    ),
    "constants": ([node("Add", ["x", "k"], "a"), node("Mul", ["a", "k"], "b"), node("Add", ["b", "k"], "y")], 2),
    "an input for both sides": (
        [node("Tanh", ["x"], "a"), node("Sin", ["x"], "b"), node("Add", ["a", "b"], "y")],
        3,
    ),
    "the shape of a value on the device": (
        [
            node("Tanh", ["x"], "a"),
            node("Shape", ["a"], "s"),
            node("Expand", ["k", "s"], "e"),
            node("Add", ["a", "e"], "y"),
        ],
        2,  # the shape-only part is done when the plan is made, see below
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_counted(build_split, assert_same, case):
    nodes, most = CASES[case]
    model = build_split(nodes, {"x": [3, 4]}, {"y": [3, 4]}, {"k": np.linspace(0, 1, 4, dtype=np.float32)})
    feed = {"x": np.linspace(-1, 1, 12, dtype=np.float32).reshape(3, 4)}
    session = assert_same(model, feed)
    before = ortrun.counters(session)["copies"]
    session.run(None, feed)
    counted = ortrun.counters(session)["copies"] - before
    explained = ortrun.explain(session)["copies"]
    if case == "the shape of a value on the device":
        assert counted <= 3 and explained <= 3  # Expand runs on the cpu: what it makes goes in
    else:
        assert counted == explained == most


def test_an_output_used_on_both_sides(build_split, assert_same):
    """The output is brought to the CPU once, for the caller and for the nodes there."""
    nodes = [node("Tanh", ["x"], "y"), node("Sin", ["y"], "z"), node("Relu", ["y"], "w")]
    model = build_split(nodes, {"x": [4]}, {"y": [4], "z": [4], "w": [4]})
    session = assert_same(model, {"x": np.linspace(-1, 1, 4, dtype=np.float32)})
    assert ortrun.explain(session)["copies"] == 3  # x in, y and w out


def test_outputs_that_nobody_asks_for_are_not_copied(build_split, split):
    nodes = [node("Tanh", ["x"], "y"), node("Relu", ["y"], "w")]
    session = split(build_split(nodes, {"x": [4]}, {"y": [4], "w": [4]}))
    feed = {"x": np.linspace(-1, 1, 4, dtype=np.float32)}
    for _ in range(2):
        before = ortrun.counters(session)["copies"]
        (w,) = session.run(["w"], feed)
        np.testing.assert_allclose(w, np.maximum(np.tanh(feed["x"]), 0), 1e-5)
        assert ortrun.counters(session)["copies"] - before == 2


def test_constants_are_moved_at_load(build_split, split):
    nodes = [node("Add", ["x", "k"], "a"), node("Sin", ["a"], "b"), node("Mul", ["b", "k"], "y")]
    session = split(build_split(nodes, {"x": [4]}, {"y": [4]}, {"k": np.ones(4, np.float32)}))
    assert ortrun.counters(session)["copies"] == 0
    for runs in range(1, 4):
        session.run(None, {"x": np.zeros(4, np.float32)})
        assert ortrun.counters(session)["copies"] == runs * ortrun.explain(session)["copies"] == runs * 4


@pytest.mark.slow
def test_full_size(bench_model, split):
    """In ResNet-50 each Relu and Add stands between convolutions: a copy for each value that changes sides."""
    model = bench_model("resnet50")
    session = split(str(model.path))
    explained = ortrun.explain(session)
    session.run(None, model.feeds)
    assert ortrun.counters(session)["copies"] == explained["copies"]
    on_device = sum(node["provider"] == "SimulatedAccelerator" for node in explained["nodes"])
    assert 0 < explained["copies"] <= 2 * on_device + 2
