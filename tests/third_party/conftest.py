# SPDX-License-Identifier: Apache-2.0
"""Programs and libraries that others built for ONNX Runtime, run on ortrun unchanged (packaging/setup.sh --tests
installs them)."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

CPU = "CPUExecutionProvider"


def float_model(nodes, weights, input_shape, output_shape) -> tuple[bytes, np.ndarray]:
    """The bytes of a model from "x" to "y" over float weights {name: array}, and an input for it."""

    def value(name, shape):
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)

    constants = [numpy_helper.from_array(array.astype(np.float32), name) for name, array in weights.items()]
    graph = helper.make_graph(nodes, "g", [value("x", input_shape)], [value("y", output_shape)], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    return model.SerializeToString(), np.random.default_rng(1).standard_normal(input_shape, dtype=np.float32)


@pytest.fixture(scope="session")
def sequence_model():
    """A 1-D convolution, then over each place: a linear layer, layer normalisation, a classifier."""
    random = np.random.default_rng(0)

    def weight(*shape):
        return random.standard_normal(shape) * 0.2

    nodes = [
        helper.make_node("Conv", ["x", "W", "B"], ["c"], kernel_shape=[3], pads=[1, 1], strides=[1], name="conv"),
        helper.make_node("Relu", ["c"], ["r"], name="relu"),
        helper.make_node("MatMul", ["r", "M"], ["m"], name="linear"),
        helper.make_node("Add", ["m", "C"], ["a"], name="bias"),
        helper.make_node("LayerNormalization", ["a", "scale", "shift"], ["l"], axis=-1, name="normalise"),
        helper.make_node("MatMul", ["l", "K"], ["k"], name="classes"),
        helper.make_node("Softmax", ["k"], ["y"], axis=-1, name="softmax"),
    ]
    weights = {
        "W": weight(8, 3, 3),
        "B": weight(8),
        "M": weight(16, 32),
        "C": weight(32),
        "scale": weight(32) + 1,
        "shift": weight(32),
        "K": weight(32, 5),
    }
    return float_model(nodes, weights, [1, 3, 16], [1, 8, 5])
