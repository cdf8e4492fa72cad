# SPDX-License-Identifier: Apache-2.0
"""Scan's first version, with its batch and its sequences of different lengths, by its definition."""

import numpy as np
import pytest
from onnx import TensorProto, helper
from onnx_cases import assert_same
from provider_under_test import NotRegistered, session

RNG = np.random.default_rng(31)
FLOAT = TensorProto.FLOAT


def model(lengths, directions=None, shapes=((2, 3), (2, 5, 3), (2, 5, 3))):
    """The state sums the slices of `a` times those of `b`; scanned are the sums, and the negatives of `b`."""
    body = helper.make_graph(
        [
            helper.make_node("Mul", ["a", "b"], ["product"]),
            helper.make_node("Add", ["state", "product"], ["sum"]),
            helper.make_node("Identity", ["sum"], ["kept"]),
            helper.make_node("Neg", ["b"], ["negative"]),
        ],
        "body",
        [helper.make_tensor_value_info(name, FLOAT, [3]) for name in ("state", "a", "b")],
        [helper.make_tensor_value_info(name, FLOAT, [3]) for name in ("sum", "kept", "negative")],
    )
    given = {} if directions is None else {"directions": directions}
    names = ["lengths" if lengths else "", "start", "x", "y"]
    outputs = ["last", "sums", "negatives"]
    node = helper.make_node("Scan", names, outputs, body=body, num_scan_inputs=2, **given)
    inputs = [helper.make_tensor_value_info(n, FLOAT, shape) for n, shape in zip(names[1:], shapes)]
    if lengths:
        inputs.append(helper.make_tensor_value_info("lengths", TensorProto.INT64, ["batch"]))
    results = [helper.make_tensor_value_info(name, FLOAT, None) for name in outputs]
    graph = helper.make_graph([node], "scan", inputs, results)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 8)], ir_version=7)
    return made.SerializeToString()


def runner(*args, **kwargs):
    try:
        return session(model(*args, **kwargs))
    except NotRegistered as reason:
        pytest.skip(f"not selected: {reason}")


def expected(start, x, y, lengths, directions):
    last, sums, negatives = start.copy(), np.zeros_like(x), np.zeros_like(x)
    for batch, length in enumerate(lengths):
        for step in range(length):
            a, b = (
                v[batch, length - 1 - step if backwards else step] for v, backwards in zip((x, y), directions or (0, 0))
            )
            last[batch] += a * b
            sums[batch, step] = last[batch]
            negatives[batch, step] = -b
    return last, sums, negatives


@pytest.mark.parametrize("lengths", [None, [5, 2], [0, 1], [0, 0]], ids=str)
@pytest.mark.parametrize("directions", [None, [1, 0], [1, 1]], ids=str)
def test_scan_of_a_batch(lengths, directions):
    start, x, y = (RNG.standard_normal(shape).astype(np.float32) for shape in ((2, 3), (2, 5, 3), (2, 5, 3)))
    feeds = {"start": start, "x": x, "y": y} | ({"lengths": np.array(lengths)} if lengths else {})
    got = runner(lengths, directions).run(None, feeds)
    for want, have in zip(expected(start, x, y, lengths or [5, 5], directions), got):
        assert_same(want, have, 1e-6, 1e-6)


def test_scan_of_no_batch():
    feeds = {"start": np.zeros((0, 3), np.float32), "x": np.zeros((0, 5, 3), np.float32)}
    feeds["y"] = feeds["x"]
    got = runner(None, shapes=((0, 3), (0, 5, 3), (0, 5, 3))).run(None, feeds)
    assert [v.shape for v in got] == [(0, 3), (0, 5, 3), (0, 5, 3)]


@pytest.mark.parametrize(
    ("lengths", "shapes", "match"),
    [
        ([6, 1], None, "sequence_lens has 6 for a sequence of 5"),
        ([-1, 1], None, "sequence_lens has -1"),
        ([1], None, "one for each sequence of the batch"),
        (None, ((2, 3), (3, 5, 3), (2, 5, 3)), "batches of 2 and 3"),
        (None, ((2, 3), (2, 5, 3), (2, 4, 3)), "5 and 4 slices"),
    ],
)
def test_scan_of_a_batch_refuses(lengths, shapes, match):
    given = shapes or ((2, 3), (2, 5, 3), (2, 5, 3))
    feeds = {name: np.zeros(shape, np.float32) for name, shape in zip(("start", "x", "y"), given)}
    if lengths:
        feeds["lengths"] = np.array(lengths)
    open_shapes = [["b", 3], ["c", "m", 3], ["d", "n", 3]]
    with pytest.raises(Exception, match=match):
        runner(lengths, shapes=open_shapes).run(None, feeds)
