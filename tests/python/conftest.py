# SPDX-License-Identifier: Apache-2.0
"""Small models for the tests of the Python interface.

The tests describe what programs written for ONNX Runtime rely on; those marked `ours` describe what goes beyond.
"""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper
from runtime_under_test import OURS


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "ours: what goes beyond ONNX Runtime; left out when the tests run on it")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if OURS:
        return
    for item in items:
        if item.get_closest_marker("ours"):
            item.add_marker(pytest.mark.skip(reason="beyond ONNX Runtime"))


def build(nodes, inputs, outputs, initializers=(), opset=17, metadata=None) -> bytes:
    """The bytes of a model; inputs and outputs are (name, element type, shape) or value infos."""

    def info(entry):
        return helper.make_tensor_value_info(*entry) if isinstance(entry, tuple) else entry

    graph = helper.make_graph(nodes, "graph", [info(i) for i in inputs], [info(o) for o in outputs], list(initializers))
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8, producer_name="tests"
    )
    model.model_version = 7
    model.domain = "org.example"
    model.doc_string = "a model of the tests"
    if metadata:
        helper.set_model_props(model, metadata)
    onnx.checker.check_model(model)
    return model.SerializeToString()


@pytest.fixture(scope="session")
def add_model() -> bytes:
    """z = x + y with x: ['N', 2] and y: [1, 2]."""
    return build(
        [helper.make_node("Add", ["x", "y"], ["z"], name="add")],
        [("x", TensorProto.FLOAT, ["N", 2]), ("y", TensorProto.FLOAT, [1, 2])],
        [("z", TensorProto.FLOAT, ["N", 2])],
        metadata={"author": "someone", "licence": "free"},
    )


@pytest.fixture
def add_session(add_model) -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(add_model, providers=["CPUExecutionProvider"])


@pytest.fixture
def add_feed() -> dict[str, np.ndarray]:
    return {"x": np.arange(6, dtype=np.float32).reshape(3, 2), "y": np.full((1, 2), 10, np.float32)}


@pytest.fixture(scope="session")
def two_output_model() -> bytes:
    """sum = a + b, difference = a - b."""
    return build(
        [
            helper.make_node("Add", ["a", "b"], ["sum"]),
            helper.make_node("Sub", ["a", "b"], ["difference"]),
        ],
        [("a", TensorProto.FLOAT, ["N"]), ("b", TensorProto.FLOAT, ["N"])],
        [("sum", TensorProto.FLOAT, ["N"]), ("difference", TensorProto.FLOAT, ["N"])],
    )


@pytest.fixture(scope="session")
def make_identity():
    """A session of Identity for an element type."""

    def make(element_type: int, shape=("N",), opset: int = 21) -> onnxruntime.InferenceSession:
        model = build(
            [helper.make_node("Identity", ["x"], ["y"])],
            [("x", element_type, list(shape))],
            [("y", element_type, list(shape))],
            opset=opset,
        )
        return onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])

    return make


@pytest.fixture(scope="session")
def build_model():
    return build
