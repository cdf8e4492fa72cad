# SPDX-License-Identifier: Apache-2.0
"""Operators between tensors and maps, and Identity of what is no plain tensor."""

from __future__ import annotations

import numpy as np
import pytest
from onnx import TensorProto, helper
from provider_under_test import NotRegistered, session

FLOAT, DOUBLE, STRING, INT64 = TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.STRING, TensorProto.INT64


def tensor(element_type, shape=None):
    return helper.make_tensor_type_proto(element_type, shape)


def mapping(key, value):
    return helper.make_map_type_proto(key, tensor(value, []))


def run(op, x, given, made, domain="ai.onnx.ml", **attributes):
    graph = helper.make_graph(
        [helper.make_node(op, ["x"], ["y"], domain=domain, **attributes)],
        "one_node",
        [helper.make_value_info("x", given)],
        [helper.make_value_info("y", made)],
    )
    imports = [helper.make_opsetid("", 21), helper.make_opsetid("ai.onnx.ml", 3)]
    model = helper.make_model(graph, opset_imports=imports, ir_version=10)
    try:
        runner = session(model.SerializeToString())
    except NotRegistered as reason:
        pytest.skip(f"not selected: {reason}")
    return runner.run(None, {"x": x})[0]


def zip_map(x, key=STRING, **attributes):
    return run("ZipMap", x, tensor(FLOAT), helper.make_sequence_type_proto(mapping(key, FLOAT)), **attributes)


def test_zip_map_of_texts():
    x = np.array([[0.25, 0.75], [1, 0]], np.float32)
    rows = zip_map(x, classlabels_strings=["dog", "cat"])
    assert rows == [{"cat": 0.75, "dog": 0.25}, {"cat": 0, "dog": 1}]
    assert list(rows[0]) == ["cat", "dog"]
    assert zip_map(x[:0], classlabels_strings=["dog", "cat"]) == []


def test_zip_map_of_integers():
    x = np.array([0.25, 0.75], np.float32)
    assert zip_map(x, INT64, classlabels_int64s=[7, -3]) == [{-3: 0.75, 7: 0.25}]
    assert zip_map(x, INT64, classlabels_int64s=[7, 7]) == [{7: 0.75}]


@pytest.mark.parametrize("shape", [(2, 3), (1, 2, 2), ()])
def test_zip_map_refuses(shape):
    with pytest.raises(Exception, match=r"class labels|1D or 2D"):
        zip_map(np.ones(shape, np.float32), INT64, classlabels_int64s=[1, 2])


@pytest.mark.parametrize("given", [{}, {"classlabels_strings": ["a"], "classlabels_int64s": [1]}])
def test_zip_map_needs_labels(given):
    with pytest.raises(Exception, match="classlabels"):
        zip_map(np.ones((1, 1), np.float32), INT64, **given)


@pytest.mark.parametrize(
    ("key", "value", "x", "vocabulary", "expected"),
    [
        (STRING, FLOAT, {"b": 2.5, "z": 3.0}, {"string_vocabulary": ["a", "b", "c"]}, [[0, 2.5, 0]]),
        (STRING, INT64, {"c": 2, "a": 3}, {"string_vocabulary": ["a", "b", "c"]}, [[3, 0, 2]]),
        (STRING, DOUBLE, {}, {"string_vocabulary": ["a", "b"]}, [[0, 0]]),
        (INT64, DOUBLE, {5: 1.5, 9: 2.0}, {"int64_vocabulary": [1, 5]}, [[0, 1.5]]),
        (INT64, STRING, {5: "x", 9: "q"}, {"int64_vocabulary": [1, 5]}, [["", "x"]]),
    ],
)
def test_dict_vectorizer(key, value, x, vocabulary, expected):
    assert run("DictVectorizer", x, mapping(key, value), tensor(value), **vocabulary).tolist() == expected


def test_dict_vectorizer_of_the_wrong_vocabulary():
    with pytest.raises(Exception, match="keys are no strings"):
        run("DictVectorizer", {5: 1.5}, mapping(INT64, DOUBLE), tensor(DOUBLE), string_vocabulary=["a"])


@pytest.mark.parametrize(
    ("value", "x", "to", "expected"),
    [
        (FLOAT, {5: 1.5, 2: -2.75}, "TO_FLOAT", [[-2.75, 1.5]]),
        (FLOAT, {5: 1.5, 2: -2.75}, "TO_INT64", [[-2, 1]]),
        (FLOAT, {5: 1.5, 2: -2.75}, "TO_STRING", [["-2.750000", "1.500000"]]),
        (FLOAT, {0: np.inf, 1: np.nan, 2: 1e30}, "TO_INT64", [[2**63 - 1, -(2**63), 2**63 - 1]]),
        (STRING, {5: "15", 2: "7"}, "TO_FLOAT", [[7, 15]]),
        (STRING, {5: "15", 2: "7"}, "TO_INT64", [[7, 15]]),
        (STRING, {5: "15", 2: "x"}, "TO_STRING", [["x", "15"]]),
        (FLOAT, {}, "TO_FLOAT", [[]]),
    ],
)
def test_cast_map(value, x, to, expected):
    made = {"TO_FLOAT": FLOAT, "TO_INT64": INT64, "TO_STRING": STRING}[to]
    assert run("CastMap", x, mapping(INT64, value), tensor(made), cast_to=to).tolist() == expected


@pytest.mark.parametrize(
    ("x", "expected"), [({5: 1.5, 2: -2.75}, [[0, 0, -2.75, 0, 0, 1.5]]), ({9: 1.0}, [[0, 0, 0, 0, 0, 0]])]
)
def test_sparse_cast_map(x, expected):
    attributes = {"cast_to": "TO_FLOAT", "map_form": "SPARSE", "max_map": 6}
    assert run("CastMap", x, mapping(INT64, FLOAT), tensor(FLOAT), **attributes).tolist() == expected


@pytest.mark.parametrize(
    ("value", "x", "attributes", "message"),
    [
        (STRING, {1: "x"}, {"cast_to": "TO_FLOAT"}, "'x' is no number"),
        (STRING, {1: "9" * 30}, {"cast_to": "TO_INT64"}, "is no number"),
        (FLOAT, {-1: 1.0}, {"map_form": "SPARSE", "max_map": 3}, "keys are places"),
        (FLOAT, {1: 1.0}, {"map_form": "SPARSE", "max_map": -3}, "max_map=-3"),
        (FLOAT, {1: 1.0}, {"map_form": "SQUARE"}, "map_form='SQUARE'"),
    ],
)
def test_cast_map_refuses(value, x, attributes, message):
    made = INT64 if attributes.get("cast_to") == "TO_INT64" else FLOAT
    with pytest.raises(Exception, match=message):
        run("CastMap", x, mapping(INT64, value), tensor(made), **attributes)


def test_identity_of_a_map():
    kind = mapping(STRING, FLOAT)
    with pytest.raises(Exception, match="is invalid"):  # Identity takes sequences and optionals, but no map
        run("Identity", {"a": 1.0}, kind, kind, domain="")


@pytest.mark.parametrize("op", ["Identity", "Flatten"])
@pytest.mark.parametrize(
    "name", ["float8_e4m3fn", "float8_e4m3fnuz", "float8_e5m2", "float8_e5m2fnuz", "int4", "uint4"]
)
def test_small_types_are_handed_on(op, name):
    ml_dtypes = pytest.importorskip("ml_dtypes")
    x = np.array([[1, 2, 3], [4, 5, 7]]).astype(getattr(ml_dtypes, name))
    kind = helper.np_dtype_to_tensor_dtype(x.dtype)
    y = run(op, x, tensor(kind, [2, 3]), tensor(kind, [2, 3]), domain="")
    assert y.tobytes() == x.tobytes()
