# SPDX-License-Identifier: Apache-2.0
"""Models that the standard does not allow, or no longer, and that tools write all the same: taken, with a warning.

ONNX Runtime takes them too, so the tests hold for both.
"""

import subprocess
import sys

import numpy as np
import onnxruntime as ort
import pytest
from bad_models import BOOL, FLOAT, INT64, info, model, tensor
from onnx import ModelProto, TensorProto, helper

CPU = ["CPUExecutionProvider"]
X = np.random.default_rng(0).normal(size=(2, 3)).astype(np.float32)
IMAGE = np.random.default_rng(1).normal(size=(2, 3, 4, 4)).astype(np.float32)
ONE = np.float32([[1, 1, 1], [1, 1, 1]])


def run(made, **feeds):
    session = ort.InferenceSession(made, providers=CPU)
    return session.run(None, feeds or {"x": X})


def imports(made, *pairs):
    """The model with these imports alone, in this order."""
    proto = ModelProto.FromString(made)
    del proto.opset_import[:]
    proto.opset_import.extend(helper.make_opsetid(*pair) for pair in pairs)
    return proto.SerializeToString()


def warnings_of(made):
    """What a session of the model says on standard error, in a process of its own."""
    code = "import sys, onnxruntime; onnxruntime.InferenceSession(sys.stdin.buffer.read())"
    done = subprocess.run([sys.executable, "-c", code], input=made, capture_output=True, check=True)
    return [line for line in done.stderr.decode().splitlines() if "[W:" in line or "warning" in line.lower()]


# Imports


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


QUICK_GELU = helper.make_node("QuickGelu", ["x"], ["y"], domain="com.microsoft", alpha=1.0)
SCALER = helper.make_node("Scaler", ["x"], ["y"], domain="ai.onnx.ml", offset=[1.0] * 3, scale=[2.0] * 3)
NEG = helper.make_node("Neg", ["x"], ["y"])


@pytest.mark.parametrize(
    ("node", "pairs", "expected"),
    [
        (QUICK_GELU, [("", 17)], X * sigmoid(X)),
        (SCALER, [("", 17)], (X - 1) * 2),
        (NEG, [("com.microsoft", 1)], -X),
        (NEG, [("", 0), ("", 17)], -X),
        (NEG, [("", 17), ("com.microsoft", 0)], -X),
        (NEG, [("", 9), ("ai.onnx", 17)], -X),
        (NEG, [("ai.onnx", 17)], -X),
    ],
)
def test_imports_that_are_missing_or_odd(node, pairs, expected):
    np.testing.assert_allclose(run(imports(model([node]), *pairs))[0], expected, rtol=1e-5)


def test_the_later_import_of_a_domain_counts():
    gelu = helper.make_node("Gelu", ["x"], ["y"])
    run(imports(model([gelu]), ("", 17), ("ai.onnx", 20)))
    with pytest.raises(Exception, match="Gelu"):
        run(imports(model([gelu]), ("", 20), ("ai.onnx", 17)))


@pytest.mark.ours
def test_a_missing_import_is_warned_of_once():
    two = [
        helper.make_node("QuickGelu", ["x"], ["t"], domain="com.microsoft"),
        helper.make_node("QuickGelu", ["t"], ["y"], domain="com.microsoft"),
    ]
    warnings = warnings_of(model(two))
    assert len(warnings) == 1 and "com.microsoft" in warnings[0] and "import" in warnings[0]


@pytest.mark.ours
def test_a_missing_import_inside_a_body():
    gelu = helper.make_node("QuickGelu", ["x"], ["o"], domain="com.microsoft", alpha=1.0)
    body = helper.make_graph([gelu], "body", [], [info("o", FLOAT, None)])
    node = helper.make_node("If", ["c"], ["y"], then_branch=body, else_branch=body)
    made = model([node], inputs=[info("x", FLOAT, [2, 3]), info("c", BOOL, [])])
    np.testing.assert_allclose(run(made, x=X, c=np.array(True))[0], X * sigmoid(X), rtol=1e-5)


# Names that are given twice


def constant(name, array, **extra):
    node = helper.make_node("Constant", [], [name])
    node.attribute.append(helper.make_attribute("value", tensor("", array)))
    node.attribute.extend(helper.make_attribute(key, value) for key, value in extra.items())
    return node


ADD = helper.make_node("Add", ["x", "k"], ["y"])


@pytest.mark.parametrize(
    ("nodes", "initializers"),
    [
        ([constant("k", ONE), constant("k", 2 * ONE), ADD], []),
        ([constant("k", ONE), ADD, constant("k", 2 * ONE)], []),
        ([ADD], [tensor("k", ONE), tensor("k", 2 * ONE)]),
        ([constant("k", 2 * ONE), ADD], [tensor("k", ONE)]),
    ],
    ids=["constants", "a constant behind the reader", "initializers", "a constant and an initializer"],
)
def test_the_later_of_two_constants_counts(nodes, initializers):
    np.testing.assert_array_equal(run(model(nodes, initializers=initializers))[0], X + 2)


@pytest.mark.parametrize(
    ("nodes", "initializers"),
    [
        ([constant("k", ONE), helper.make_node("Neg", ["x"], ["k"]), ADD], []),
        ([helper.make_node("Neg", ["x"], ["k"]), constant("k", ONE), ADD], []),
        ([helper.make_node("Neg", ["x"], ["k"]), ADD], [tensor("k", ONE)]),
        ([ADD], [tensor("k", ONE), tensor("k", ONE[:1])]),
        ([ADD], [tensor("k", ONE), tensor("k", ONE.astype(np.int64))]),
    ],
)
def test_names_that_stand_for_different_things_are_refused(nodes, initializers):
    with pytest.raises(Exception, match="'?k'?"):
        run(model(nodes, initializers=initializers))


@pytest.mark.parametrize("extra", [{"note": "by hand"}, {"dtype": 1}, {"_id": 3}, {"value_int": 5}])
def test_a_constant_with_notes(extra):
    np.testing.assert_array_equal(run(model([constant("k", ONE, **extra), ADD]))[0], X + 1)


@pytest.mark.ours
def test_a_constant_whose_notes_come_first():
    node = helper.make_node("Constant", [], ["k"], note="by hand")
    node.attribute.append(helper.make_attribute("value", tensor("", ONE)))
    np.testing.assert_array_equal(run(model([node, ADD]))[0], X + 1)


# Operators before their time


def early(op, opset, shape, inputs=("x",), initializers=(), element=FLOAT, **attributes):
    return model(
        [helper.make_node(op, list(inputs), ["y"], **attributes)],
        inputs=[info("x", element, shape)],
        outputs=[info("y", element, None)],
        initializers=initializers,
        opsets={"": opset},
        ir_version=3,
    )


def normalized(x, axes, variance=True):
    centered = x - x.mean(axes, keepdims=True)
    return centered / x.std(axes, keepdims=True) if variance else centered


EARLY = [
    ("Affine", {"alpha": 2.0, "beta": 1.0}, lambda x: 2 * x + 1),
    ("Affine", {}, lambda x: x),
    ("Scale", {"scale": 3.0}, lambda x: 3 * x),
    ("ScaledTanh", {"alpha": 2.0, "beta": 0.5}, lambda x: 2 * np.tanh(0.5 * x)),
    ("ParametricSoftplus", {"alpha": 2.0, "beta": 0.5}, lambda x: 2 * np.log1p(np.exp(0.5 * x))),
    (
        "ImageScaler",
        {"scale": 2.0, "bias": [1.0, 2.0, 3.0]},
        lambda x: 2 * x + np.array([1, 2, 3], x.dtype).reshape(3, 1, 1),
    ),
    ("Crop", {"border": [1, 0, 2, 1]}, lambda x: x[:, :, 0:3, 1:2]),
    ("Crop", {"border": [1, 1, 1, 1], "scale": [1, 2]}, lambda x: x[:, :, 1:2, 1:3]),
    ("MeanVarianceNormalization", {}, lambda x: normalized(x, (0, 2, 3))),
    ("MeanVarianceNormalization", {"across_channels": 1}, lambda x: normalized(x, (0, 1, 2, 3))),
    ("MeanVarianceNormalization", {"normalize_variance": 0}, lambda x: normalized(x, (0, 2, 3), False)),
    ("ThresholdedRelu", {"alpha": 0.5}, lambda x: np.where(x > 0.5, x, 0)),
]


@pytest.mark.parametrize("opset", [1, 7, 8])
@pytest.mark.parametrize(
    ("op", "attributes", "formula"), EARLY, ids=lambda value: value if isinstance(value, str) else ""
)
def test_an_operator_of_the_first_opsets(op, attributes, formula, opset):
    made = early(op, opset, IMAGE.shape, **attributes)
    np.testing.assert_allclose(run(made, x=IMAGE)[0], formula(IMAGE), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("op", "attributes", "formula"), EARLY[:6])
def test_an_operator_of_the_first_opsets_in_half(op, attributes, formula):
    x = IMAGE.astype(np.float16)
    result = run(early(op, 7, x.shape, element=TensorProto.FLOAT16, **attributes), x=x)[0]
    assert result.dtype == np.float16
    np.testing.assert_allclose(result, formula(x.astype(np.float32)), rtol=1e-2, atol=1e-2)


@pytest.mark.parametrize("axes", [(), ("a",)])
def test_dynamic_slice(axes):
    given = [tensor("s", np.int64([0, 1])), tensor("e", np.int64([2, 3])), tensor("a", np.int64([1, 3]))]
    made = early("DynamicSlice", 7, IMAGE.shape, ["x", "s", "e", *axes], given[: 2 + len(axes)])
    expected = IMAGE[:, 0:2, :, 1:3] if axes else IMAGE[0:2, 1:3]
    np.testing.assert_array_equal(run(made, x=IMAGE)[0], expected)


def test_an_early_operator_in_a_branch_and_its_shape():
    scale = helper.make_graph([helper.make_node("Scale", ["x"], ["o"], scale=3.0)], "b", [], [info("o", FLOAT, None)])
    branch = helper.make_node("If", ["c"], ["y"], then_branch=scale, else_branch=scale)
    inputs = [info("x", FLOAT, [2, 3]), info("c", BOOL, [])]
    made = model([branch], inputs=inputs, outputs=[info("y", FLOAT, None)], opsets={"": 7})
    assert ort.InferenceSession(made, providers=CPU).get_outputs()[0].shape == [2, 3]
    np.testing.assert_allclose(run(made, x=X, c=np.array(False))[0], 3 * X)


@pytest.mark.parametrize("op", ["Affine", "Crop", "ScaledTanh", "DynamicSlice"])
def test_an_experimental_operator_after_its_time(op):
    with pytest.raises(Exception, match=op):
        run(early(op, 17, [2, 3, 4, 4]), x=IMAGE)


@pytest.mark.parametrize("opset", [1, 9, 12, 16])
@pytest.mark.parametrize("element", [np.float32, np.float64])
def test_layer_normalization_before_opset_17(opset, element):
    rng = np.random.default_rng(2)
    x, g, b = (rng.normal(size=size).astype(element) for size in ((2, 8), 8, 8))
    node = helper.make_node("LayerNormalization", ["x", "g", "b"], ["y"], axis=-1, epsilon=1e-5)
    kind = helper.np_dtype_to_tensor_dtype(np.dtype(element))
    made = model(
        [node],
        inputs=[info("x", kind, ["n", 8])],
        outputs=[info("y", kind, None)],
        initializers=[tensor("g", g), tensor("b", b)],
        opsets={"": opset},
    )
    expected = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-5) * g + b
    np.testing.assert_allclose(run(made, x=x)[0], expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("opset", [7, 13, 17, 21])
def test_simplified_layer_normalization_in_the_standard_domain(opset):
    g = np.random.default_rng(3).normal(size=3).astype(np.float32)
    node = helper.make_node("SimplifiedLayerNormalization", ["x", "g"], ["y"], axis=-1, epsilon=1e-5)
    made = model([node], outputs=[info("y", FLOAT, None)], initializers=[tensor("g", g)], opsets={"": opset})
    np.testing.assert_allclose(run(made)[0], X / np.sqrt((X * X).mean(-1, keepdims=True) + 1e-5) * g, rtol=1e-4)
    assert ort.InferenceSession(made, providers=CPU).get_outputs()[0].shape == [2, 3]


# What is declared and what is found


@pytest.mark.parametrize(
    ("node", "element", "expected"),
    [
        (helper.make_node("Concat", ["x", "x"], ["y"], axis=0), FLOAT, [None, 3]),
        (helper.make_node("NonZero", ["x"], ["y"]), INT64, [2, None]),
        (helper.make_node("Reshape", ["x", "to"], ["y"]), FLOAT, [None, 1, 3]),
        (helper.make_node("Neg", ["x"], ["y"]), FLOAT, ["n", 3]),
        (helper.make_node("QuickGelu", ["x"], ["y"], domain="com.microsoft"), FLOAT, ["n", 3]),
    ],
    ids=lambda value: getattr(value, "op_type", None),
)
def test_an_unknown_dimension_has_no_name(node, element, expected):
    to = tensor("to", np.int64([-1, 1, 3]))
    made = model([node], inputs=[info("x", FLOAT, ["n", 3])], outputs=[info("y", element, None)], initializers=[to])
    assert ort.InferenceSession(made, providers=CPU).get_outputs()[0].shape == expected


@pytest.mark.parametrize("declared", [[4, 3], ["m", 3], [6], [1, 6], None])
def test_a_shape_declared_otherwise_than_found(declared):
    made = model(
        [NEG, helper.make_node("Abs", ["y"], ["z"])], outputs=[info("y", FLOAT, declared), info("z", FLOAT, None)]
    )
    y, z = run(made)
    np.testing.assert_array_equal(y, -X)
    np.testing.assert_array_equal(z, abs(X))
