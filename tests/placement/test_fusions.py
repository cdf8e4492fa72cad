# SPDX-License-Identifier: Apache-2.0
"""A provider gets the fusions that it has kernels for, in the types that they name.

The accelerator has one, in double.
"""

import collections

import numpy as np
import onnxruntime as ort
import ortrun
import pytest
from onnx import helper, numpy_helper

PROVIDERS = ["SimulatedAccelerator", "CPUExecutionProvider"]


def accelerated(nodes, dtype, weights):
    kind = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", kind, ["N", 8])],
        [helper.make_tensor_value_info("y", kind, ["N", 8])],
        [numpy_helper.from_array(np.array(value, dtype), name) for name, value in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()
    session = ort.InferenceSession(model, providers=PROVIDERS)
    found = collections.Counter()
    for node in ortrun.explain(session)["nodes"]:
        found[node["op"], node["provider"]] += 1
    return session, found


QUICK_GELU = [
    helper.make_node("Mul", ["x", "a"], ["s"]),
    helper.make_node("Sigmoid", ["s"], ["g"]),
    helper.make_node("Mul", ["x", "g"], ["y"]),
]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_registered_type_is_fused(dtype):
    session, found = accelerated(QUICK_GELU, dtype, {"a": 1.75})
    if dtype == np.float64:
        assert found["QuickGelu", "SimulatedAccelerator"] == 1 and found["Mul", "SimulatedAccelerator"] == 0
    else:
        assert found["Mul", "SimulatedAccelerator"] == 2 and found["Sigmoid", "SimulatedAccelerator"] == 1
    assert not any(op == "QuickGelu" and provider != "SimulatedAccelerator" for op, provider in found)
    x = np.linspace(-3, 3, 16).reshape(2, 8).astype(dtype)
    np.testing.assert_allclose(session.run(None, {"x": x})[0], x / (1 + np.exp(-1.75 * x)), rtol=1e-5)


def test_other_fusions_are_not_made():
    """Gelu and chains of elementwise operators: all nodes are the accelerator's, which has no kernel for either."""
    nodes = [
        helper.make_node("Div", ["x", "root"], ["d"]),
        helper.make_node("Erf", ["d"], ["e"]),
        helper.make_node("Add", ["e", "one"], ["a"]),
        helper.make_node("Mul", ["x", "a"], ["m"]),
        helper.make_node("Mul", ["m", "half"], ["y"]),
    ]
    _, found = accelerated(nodes, np.float32, {"root": 2**0.5, "one": 1, "half": 0.5})
    assert {op for op, _ in found} <= {"Div", "Erf", "Add", "Mul", "Copy"}
    assert all(provider == "SimulatedAccelerator" for op, provider in found if op != "Copy")
