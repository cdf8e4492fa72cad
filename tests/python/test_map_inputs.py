# SPDX-License-Identifier: Apache-2.0
"""Maps given as dicts, and lists: what is taken, and what is refused instead of being turned into something else."""

import numpy as np
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper
from onnxruntime.capi.onnxruntime_pybind11_state import InvalidArgument

CPU = ["CPUExecutionProvider"]
KEYS = {TensorProto.STRING: {"string_vocabulary": ["a", "b", "1"]}, TensorProto.INT64: {"int64_vocabulary": [1, 2, 3]}}
REFUSED = (RuntimeError, InvalidArgument)


def session_of(nodes, inputs, outputs):
    graph = helper.make_graph(nodes, "g", inputs, outputs)
    imports = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 1)]
    model = helper.make_model(graph, opset_imports=imports, ir_version=8)
    return ort.InferenceSession(model.SerializeToString(), providers=CPU)


def vectorizer(key, value=TensorProto.FLOAT):
    node = helper.make_node("DictVectorizer", ["x"], ["y"], domain="ai.onnx.ml", **KEYS[key])
    kind = helper.make_map_type_proto(key, helper.make_tensor_type_proto(value, []))
    outputs = [helper.make_tensor_value_info("y", value, None)]
    return session_of([node], [helper.make_value_info("x", kind)], outputs)


def identity(element):
    """Of any shape."""
    infos = [helper.make_tensor_value_info(name, element, None) for name in "xy"]
    return session_of([helper.make_node("Identity", ["x"], ["y"])], infos[:1], infos[1:])


class Index:
    def __index__(self):
        return 1


@pytest.mark.parametrize(
    ("key", "feed", "wanted"),
    [
        (TensorProto.STRING, {"a": 1.0, "1": 2.0}, [1, 0, 2]),
        (TensorProto.STRING, {np.str_("b"): 3}, [0, 3, 0]),
        (TensorProto.STRING, {"a": True, "b": np.float32(2)}, [1, 2, 0]),
        (TensorProto.STRING, {"a": np.int64(2), "unknown": 7}, [2, 0, 0]),
        (TensorProto.INT64, {1: 1.0, 3: 2.0}, [1, 0, 2]),
        (TensorProto.INT64, {np.int64(1): 1.0, np.int32(2): 2.0, np.uint8(3): 3.0}, [1, 2, 3]),
        (TensorProto.INT64, {True: 4.0}, [4, 0, 0]),
        (TensorProto.INT64, {Index(): 5.0}, [5, 0, 0]),
        (TensorProto.INT64, {1: np.array(6.0)}, [6, 0, 0]),
    ],
)
def test_what_a_map_takes(key, feed, wanted):
    assert vectorizer(key).run(None, {"x": feed})[0].ravel().tolist() == wanted


@pytest.mark.parametrize(
    ("key", "feed"),
    [
        (TensorProto.STRING, {1: 1.0}),
        (TensorProto.STRING, {True: 1.0}),
        (TensorProto.STRING, {np.int64(1): 1.0}),
        (TensorProto.STRING, {b"a": 1.0}),
        (TensorProto.STRING, {1.5: 1.0}),
        (TensorProto.STRING, {None: 1.0}),
        (TensorProto.STRING, {"a": "1.5"}),
        (TensorProto.STRING, {"a": None}),
        (TensorProto.STRING, {"a": [1.0]}),
        (TensorProto.STRING, {"a": 1j}),
        (TensorProto.INT64, {"a": 1.0}),
        (TensorProto.INT64, {"1": 1.0}),
        (TensorProto.INT64, {1.0: 1.0}),
        (TensorProto.INT64, {1.5: 1.0}),
        (TensorProto.INT64, {np.float32(1): 1.0}),
        (TensorProto.INT64, {1: 1.0, "a": 2.0}),
        (TensorProto.INT64, {2**70: 1.0}),
        (TensorProto.INT64, {1: b"x"}),
        (TensorProto.INT64, {1: np.array(["x"])}),
    ],
)
def test_what_a_map_refuses(key, feed):
    session = vectorizer(key)
    with pytest.raises(REFUSED) as refused:
        session.run(None, {"x": feed})
    if "1.32" not in ort.__version__:
        assert session.get_inputs()[0].type in str(refused.value)


@pytest.mark.ours
@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize(
    ("value", "good", "bad"),
    [
        (TensorProto.INT64, 2, [2.0, 2.5, "2", None, 2**70]),
        (TensorProto.DOUBLE, 2.5, ["2", None, b"2"]),
        (TensorProto.STRING, "two", [2, 2.0, None, b"two"]),
    ],
)
def test_values_of_a_maps_own_type(key, value, good, bad):
    if key == value:  # from text to text, or from integers to integers
        pytest.skip("DictVectorizer has no such form")
    session = vectorizer(key, value)
    first = {TensorProto.STRING: "a", TensorProto.INT64: 1}[key]
    assert session.run(None, {"x": {first: good}})[0].ravel().tolist()[0] == good
    for wrong in bad:
        with pytest.raises(REFUSED, match="value"):
            session.run(None, {"x": {first: wrong}})


@pytest.mark.ours
def test_a_dict_for_something_else(make_identity):
    with pytest.raises(REFUSED, match="expected: tensor"):
        make_identity(TensorProto.FLOAT).run(None, {"x": {"a": 1.0}})


@pytest.mark.parametrize(
    ("element", "given"),
    [
        (TensorProto.FLOAT, ["a"]),
        (TensorProto.INT64, [None]),
        (TensorProto.INT64, [2**70]),
        (TensorProto.UINT8, [300]),
        (TensorProto.UINT8, [-1]),
        (TensorProto.FLOAT, [[1, 2], [3]]),
    ],
)
def test_lists_that_are_no_tensor(element, given):
    with pytest.raises(RuntimeError, match="Could not create tensor from given input list"):
        identity(element).run(None, {"x": given})


@pytest.mark.parametrize("dtype", [np.int64, np.float64, np.bool_, "U1", "S1"])
def test_arrays_of_another_type_are_not_converted(make_identity, dtype):
    with pytest.raises(InvalidArgument, match="Unexpected input data type"):
        make_identity(TensorProto.FLOAT).run(None, {"x": np.zeros(1, dtype)})


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (np.array([b"left", b"hand"], np.void), ["left", "hand"]),
        (np.array([b"a\0b\0", b"c\0d\0"], np.void), ["a\0b\0", "c\0d\0"]),
        (np.array([[b"ab", b"cd"], [b"ef", b"gh"]], np.void).T, [["ab", "ef"], ["cd", "gh"]]),
        (np.array([], "V3"), []),
    ],
)
def test_strings_as_bytes_of_a_fixed_width(given, wanted):
    (y,) = identity(TensorProto.STRING).run(None, {"x": given})
    assert y.tolist() == wanted and y.shape == given.shape


@pytest.mark.ours
def test_records_are_no_strings(make_identity):
    records = np.zeros(2, [("a", np.int32), ("b", np.float32)])
    with pytest.raises(RuntimeError, match="no ONNX element type"):
        make_identity(TensorProto.STRING).run(None, {"x": records})
    scalar = np.array(b"abc", np.void)
    assert make_identity(TensorProto.STRING, shape=()).run(None, {"x": scalar})[0].item() == "abc"


@pytest.mark.ours
@pytest.mark.parametrize("shape", [(1, 8, 0, 128), (0, 3), (2, 0, 3), (0,)])
def test_empty_arrays_through_dlpack(shape):
    value = ort.OrtValue.from_dlpack(np.zeros(shape, np.float32))
    assert value.shape() == list(shape) and value.numpy().shape == shape
    assert np.from_dlpack(value).shape == shape if hasattr(value, "__dlpack__") else True
