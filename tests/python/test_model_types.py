# SPDX-License-Identifier: Apache-2.0
"""Models whose nodes do not agree with their operators' schemas are refused when they are loaded."""

from __future__ import annotations

import numpy as np
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper
from onnxruntime.capi import onnxruntime_pybind11_state as C

CPU = ["CPUExecutionProvider"]
FLOAT, DOUBLE, STRING, INT64 = TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.STRING, TensorProto.INT64


def model_of(nodes, inputs, outputs, *, opset=20, initializers=()) -> bytes:
    """Unlike `build`, does not ask onnx whether the model is valid. Inputs and outputs are {name: type}."""

    def info(name, kind):
        return helper.make_value_info(name, kind) if not isinstance(kind, int) else tensor(name, kind)

    def tensor(name, element_type):
        return helper.make_tensor_value_info(name, element_type, [2])

    graph = helper.make_graph(
        nodes, "g", [info(*i) for i in inputs.items()], [info(*o) for o in outputs.items()], list(initializers)
    )
    imports = [
        helper.make_opsetid("", opset),
        helper.make_opsetid("com.microsoft", 1),
        helper.make_opsetid("ai.onnx.ml", 3),
    ]
    return helper.make_model(graph, opset_imports=imports, ir_version=10).SerializeToString()


def node(op, inputs, outputs=("c",), **attributes):
    return helper.make_node(op, inputs, list(outputs), name="nn", **attributes)


def load(model: bytes) -> ort.InferenceSession:
    return ort.InferenceSession(model, providers=CPU)


def sequence(element_type):
    return helper.make_sequence_type_proto(helper.make_tensor_type_proto(element_type, None))


@pytest.mark.parametrize(
    ("made", "inputs"),
    [
        (node("Add", ["a", "b"]), {"a": FLOAT, "b": DOUBLE}),
        (node("Concat", ["a", "b"], axis=0), {"a": FLOAT, "b": DOUBLE}),
        (node("Where", ["k", "a", "b"]), {"k": TensorProto.BOOL, "a": FLOAT, "b": DOUBLE}),
        (node("FusedMatMul", ["a", "b"], domain="com.microsoft"), {"a": FLOAT, "b": DOUBLE}),
    ],
    ids=["Add", "Concat", "Where", "FusedMatMul"],
)
def test_one_type_parameter_with_two_types(made, inputs):
    with pytest.raises(C.Fail) as refused:
        load(model_of([made], inputs, {"c": FLOAT}))
    assert f"Type Error: Type parameter (T) of Optype ({made.op_type}) bound to different types" in str(refused.value)
    assert "(tensor(float) and tensor(double)" in str(refused.value) and "in node (nn)" in str(refused.value)


def test_two_types_from_an_initializer():
    weights = [helper.make_tensor("b", DOUBLE, [2], [1.0, 2.0])]
    with pytest.raises(C.Fail, match="bound to different types"):
        load(model_of([node("Add", ["a", "b"])], {"a": FLOAT}, {"c": FLOAT}, initializers=weights))


def test_two_types_in_a_body():
    branches = {
        name: helper.make_graph(
            [helper.make_node(op, inputs, [name], name="inner")],
            name,
            [],
            [helper.make_tensor_value_info(name, FLOAT, [2])],
        )
        for name, op, inputs in (("then_branch", "Add", ["a", "b"]), ("else_branch", "Identity", ["a"]))
    }
    inputs = {"k": helper.make_tensor_type_proto(TensorProto.BOOL, []), "a": FLOAT, "b": DOUBLE}
    with pytest.raises(C.Fail, match=r"Type parameter \(T\) of Optype \(Add\) bound to different types.*\(inner\)"):
        load(model_of([node("If", ["k"], **branches)], inputs, {"c": FLOAT}))


@pytest.mark.parametrize(
    ("made", "inputs", "kind", "parameter"),
    [
        (node("Add", ["a", "b"]), {"a": STRING, "b": STRING}, "tensor(string)", "a"),
        (node("Reshape", ["a", "b"]), {"a": FLOAT, "b": FLOAT}, "tensor(float)", "b"),
        (node("Relu", ["a"]), {"a": sequence(FLOAT)}, "seq(tensor(float))", "a"),
        (node("SequenceLength", ["a"]), {"a": FLOAT}, "tensor(float)", "a"),
        (node("FusedMatMul", ["a", "b"], domain="com.microsoft"), {"a": INT64, "b": INT64}, "tensor(int64)", "a"),
    ],
    ids=["Add", "Reshape", "Relu", "SequenceLength", "FusedMatMul"],
)
def test_type_that_the_operator_does_not_take(made, inputs, kind, parameter):
    with pytest.raises(C.InvalidGraph) as refused:
        load(model_of([made], inputs, {"c": FLOAT}))
    message = f"Type Error: Type '{kind}' of input parameter ({parameter}) of operator ({made.op_type}) in node (nn)"
    assert message + " is invalid." in str(refused.value)


def test_declared_output_type():
    with pytest.raises(C.Fail) as refused:
        load(model_of([node("Add", ["a", "a"])], {"a": FLOAT}, {"c": DOUBLE}))
    assert (
        "Type Error: Type (tensor(double)) of output arg (c) of node (nn) does not match expected type (tensor(float))."
        in str(refused.value)
    )


@pytest.mark.parametrize(
    ("made", "inputs", "declared"),
    [
        (node("Cast", ["a"], to=DOUBLE), {"a": FLOAT}, FLOAT),
        (node("ZipMap", ["a"], domain="ai.onnx.ml", classlabels_int64s=[1, 2]), {"a": FLOAT}, sequence(FLOAT)),
    ],
    ids=["Cast", "ZipMap"],
)
def test_output_type_that_attributes_contradict(made, inputs, declared):
    with pytest.raises(C.Fail, match="Type Error"):
        load(model_of([made], inputs, {"c": declared}))


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (node("Relu", ["a", "a"]), "Node(nn) with schema(::Relu:14) has input size 2 not in range [min=1, max=1]."),
        (node("Add", ["a"]), "Node(nn) with schema(::Add:14) has input size 1 not in range [min=2, max=2]."),
        (node("Add", ["a", ""]), "Node (nn)'s input 1 is marked single but has an empty string in the graph"),
        (node("Relu", ["a"], ["c", "d"]), "has output size 2 not in range [min=1, max=1]."),
        (node("Concat", ["a", "a"], axis=0.5), "Mismatched attribute type in 'nn : axis'."),
        (node("Concat", ["a", "a"], axis=0, foo=1), "Unrecognized attribute: foo for operator Concat"),
        (node("Concat", ["a", "a"]), "Required attribute 'axis' is missing."),
    ],
    ids=[
        "too many inputs",
        "too few inputs",
        "omitted input",
        "too many outputs",
        "attribute of another type",
        "unknown attribute",
        "missing attribute",
    ],
)
def test_node_that_does_not_fit_its_operator(made, message):
    with pytest.raises(C.InvalidGraph) as refused:
        load(model_of([made], {"a": FLOAT}, {"c": FLOAT}))
    assert message in str(refused.value)


def test_types_that_may_differ():
    """Pow takes two types, and a loop carries values of any."""
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["more"], ["again"]),
            helper.make_node("Identity", ["v"], ["w"]),
            helper.make_node("Identity", ["n"], ["m"]),
        ],
        "body",
        [
            helper.make_tensor_value_info("i", INT64, []),
            helper.make_tensor_value_info("more", TensorProto.BOOL, []),
            helper.make_tensor_value_info("v", FLOAT, [2]),
            helper.make_tensor_value_info("n", INT64, [2]),
        ],
        [
            helper.make_tensor_value_info("again", TensorProto.BOOL, []),
            helper.make_tensor_value_info("w", FLOAT, [2]),
            helper.make_tensor_value_info("m", INT64, [2]),
        ],
    )
    nodes = [helper.make_node("Pow", ["a", "b"], ["p"]), node("Loop", ["", "", "p", "b"], ["c", "d"], body=body)]
    trips = helper.make_tensor("trips", INT64, [], [1])
    nodes[1].input[0] = "trips"
    session = load(model_of(nodes, {"a": FLOAT, "b": INT64}, {"c": FLOAT, "d": INT64}, initializers=[trips]))
    c, d = session.run(None, {"a": np.array([2, 3], np.float32), "b": np.array([3, 2])})
    assert c.tolist() == [8, 9] and d.tolist() == [3, 2]


@pytest.mark.parametrize("opset", [13, 16])
def test_identity_of_sequences(opset):
    if opset < 14:
        with pytest.raises(C.InvalidGraph, match=r"Type 'seq\(tensor\(float\)\)' of input parameter \(a\)"):
            load(model_of([node("Identity", ["a"])], {"a": sequence(FLOAT)}, {"c": sequence(FLOAT)}, opset=opset))
        return
    session = load(model_of([node("Identity", ["a"])], {"a": sequence(FLOAT)}, {"c": sequence(FLOAT)}, opset=opset))
    given = [np.ones(2, np.float32), np.zeros((1, 3), np.float32)]
    (made,) = session.run(None, {"a": given})
    given[0][0] = 5
    assert [x.tolist() for x in made] == [[1, 1], [[0, 0, 0]]]


def test_identity_of_optionals():
    kind = helper.make_optional_type_proto(helper.make_tensor_type_proto(FLOAT, None))
    session = load(model_of([node("Identity", ["a"])], {"a": kind}, {"c": kind}, opset=16))
    assert session.run(None, {"a": np.ones(2, np.float32)})[0].tolist() == [1, 1]
    assert session.run(None, {"a": None})[0] is None
