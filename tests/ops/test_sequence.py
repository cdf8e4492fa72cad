# SPDX-License-Identifier: Apache-2.0
"""Sequences and optionals in models of several nodes."""

import numpy as np
import pytest
from onnx import TensorProto, helper
from onnx_cases import assert_same
from provider_under_test import NotRegistered, session

X = [np.arange(6, dtype=np.float32).reshape(2, 3), np.ones((1, 3), np.float32), np.zeros((4, 3), np.float32)]


def run(nodes, result, feeds):
    inputs = [
        helper.make_tensor_value_info(
            name, TensorProto.STRING if v.dtype == object else helper.np_dtype_to_tensor_dtype(v.dtype), v.shape
        )
        for name, v in feeds.items()
    ]
    graph = helper.make_graph(nodes, "sequence", inputs, [result])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    try:
        runner = session(model.SerializeToString())
    except NotRegistered as reason:
        pytest.skip(f"not selected: {reason}")
    return runner.run(None, feeds)[0]


def tensor(name="y", element=TensorProto.FLOAT):
    return helper.make_tensor_value_info(name, element, None)


def sequence(name="y", element=TensorProto.FLOAT):
    return helper.make_tensor_sequence_value_info(name, element, None)


CONSTRUCT = helper.make_node("SequenceConstruct", ["a", "b", "c"], ["s"])
FEEDS = dict(zip("abc", X))


def test_construct():
    assert_same(X, run([helper.make_node("SequenceConstruct", ["a", "b", "c"], ["y"])], sequence(), FEEDS), 0, 0)


@pytest.mark.parametrize("position", [0, 2, -1, -3])
def test_at(position):
    nodes = [CONSTRUCT, helper.make_node("SequenceAt", ["s", "p"], ["y"])]
    assert_same(X[position], run(nodes, tensor(), FEEDS | {"p": np.array(position)}), 0, 0)


@pytest.mark.parametrize("position", [3, -4])
@pytest.mark.parametrize("op", ["SequenceAt", "SequenceErase"])
def test_position_refused(op, position):
    nodes = [CONSTRUCT, helper.make_node(op, ["s", "p"], ["y"])]
    with pytest.raises(Exception, match=f"position {position} is outside"):
        run(nodes, tensor() if op == "SequenceAt" else sequence(), FEEDS | {"p": np.array(position)})


@pytest.mark.parametrize("position", [None, 0, 3, -1])
def test_insert_and_erase(position):
    names, feeds = ["s", "d"], FEEDS | {"d": np.full((1, 1), 9, np.float32)}
    want = list(X)
    want.insert(len(X) if position is None else position, feeds["d"])
    if position is not None:
        names, feeds = [*names, "p"], feeds | {"p": np.array(position)}
    insert = helper.make_node("SequenceInsert", names, ["y"])
    assert_same(want, run([CONSTRUCT, insert], sequence(), feeds), 0, 0)
    erase = helper.make_node("SequenceErase", ["s"], ["y"])
    assert_same(X[:2], run([CONSTRUCT, erase], sequence(), FEEDS), 0, 0)


def test_empty_and_length():
    empty = helper.make_node("SequenceEmpty", [], ["s"])
    length = helper.make_node("SequenceLength", ["s"], ["y"])
    assert run([empty, length], tensor(element=TensorProto.INT64), {}) == 0
    assert run([CONSTRUCT, length], tensor(element=TensorProto.INT64), FEEDS) == 3
    insert = helper.make_node("SequenceInsert", ["s", "a"], ["y"])
    assert_same(X[:1], run([empty, insert], sequence(), {"a": X[0]}), 0, 0)


@pytest.mark.parametrize("axis", [0, 1, -1])
@pytest.mark.parametrize(("split", "pieces"), [(np.array(2), None), (np.array([1, 2]), [1, 3]), (None, None)], ids=str)
@pytest.mark.parametrize("keep", [0, 1])
def test_split_and_concat(axis, split, pieces, keep):
    x = np.arange(9, dtype=np.float32).reshape(3, 3)
    feeds = {"x": x} | ({} if split is None else {"n": split})
    node = helper.make_node("SplitToSequence", list(feeds), ["y"], axis=axis, keepdims=keep)
    if split is None:
        want = [np.take(x, i, axis) if not keep else np.take(x, [i], axis) for i in range(3)]
    else:
        want = np.split(x, [2] if pieces is None else pieces[:1], axis)
    assert_same(want, run([node], sequence(), feeds), 0, 0)
    stack = split is None and not keep
    node.output[0] = "s"
    join = helper.make_node("ConcatFromSequence", ["s"], ["y"], axis=axis, new_axis=int(stack))
    assert_same(x, run([node, join], tensor(), feeds), 0, 0)


def test_strings():
    x = np.array(["a", "bc", "", "d"], dtype=object)
    split = helper.make_node("SplitToSequence", ["x"], ["s"])
    join = helper.make_node("ConcatFromSequence", ["s"], ["y"], axis=0)
    assert_same(x, run([split, join], tensor(element=TensorProto.STRING), {"x": x}), 0, 0)


def test_split_refused():
    feeds = {"x": np.zeros((3, 3), np.float32), "n": np.array([1, 1])}
    node = helper.make_node("SplitToSequence", ["x", "n"], ["y"])
    with pytest.raises(Exception, match="add up to 2"):
        run([node], sequence(), feeds)
    feeds["n"] = np.array(0)
    with pytest.raises(Exception, match="split=0"):
        run([node], sequence(), feeds)


def test_concat_refused():
    join = helper.make_node("ConcatFromSequence", ["s"], ["y"], axis=1)
    with pytest.raises(Exception, match="differ along axis 0"):
        run([CONSTRUCT, join], tensor(), FEEDS)
    with pytest.raises(Exception, match="empty sequence"):
        run([helper.make_node("SequenceEmpty", [], ["s"]), join], tensor(), {})


def test_optional():
    make = helper.make_node("Optional", ["a"], ["o"])
    get = helper.make_node("OptionalGetElement", ["o"], ["y"])
    has = helper.make_node("OptionalHasElement", ["o"], ["y"])
    assert_same(X[0], run([make, get], tensor(), {"a": X[0]}), 0, 0)
    assert run([make, has], tensor(element=TensorProto.BOOL), {"a": X[0]})
    contained = helper.make_tensor_type_proto(TensorProto.FLOAT, None)
    empty = helper.make_node("Optional", [], ["o"], type=contained)
    assert not run([empty, has], tensor(element=TensorProto.BOOL), {})
    with pytest.raises(Exception, match="no element"):
        run([empty, get], tensor(), {})
