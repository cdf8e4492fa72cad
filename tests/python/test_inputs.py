# SPDX-License-Identifier: Apache-2.0
"""What may be fed to a run, and what is said about the rest."""

import collections

import ml_dtypes
import numpy as np
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper
from onnxruntime.capi import onnxruntime_pybind11_state as C

CPU = ["CPUExecutionProvider"]
NUMBERS = [
    (TensorProto.FLOAT, np.float32, "tensor(float)"),
    (TensorProto.DOUBLE, np.float64, "tensor(double)"),
    (TensorProto.FLOAT16, np.float16, "tensor(float16)"),
    (TensorProto.INT8, np.int8, "tensor(int8)"),
    (TensorProto.INT16, np.int16, "tensor(int16)"),
    (TensorProto.INT32, np.int32, "tensor(int32)"),
    (TensorProto.INT64, np.int64, "tensor(int64)"),
    (TensorProto.UINT8, np.uint8, "tensor(uint8)"),
    (TensorProto.UINT16, np.uint16, "tensor(uint16)"),
    (TensorProto.UINT32, np.uint32, "tensor(uint32)"),
    (TensorProto.UINT64, np.uint64, "tensor(uint64)"),
    (TensorProto.BOOL, np.bool_, "tensor(bool)"),
]


@pytest.mark.parametrize(("element", "dtype", "text"), NUMBERS)
def test_element_types(make_identity, element, dtype, text):
    session = make_identity(element)
    assert session.get_inputs()[0].type == text
    x = np.array([0, 1, 1], dtype)
    (y,) = session.run(None, {"x": x})
    assert y.dtype == x.dtype
    np.testing.assert_array_equal(y, x)


@pytest.mark.ours
@pytest.mark.parametrize(
    ("element", "dtype"),
    [(TensorProto.BFLOAT16, ml_dtypes.bfloat16), (TensorProto.FLOAT8E4M3FN, ml_dtypes.float8_e4m3fn)],
)
def test_element_types_of_ml_dtypes(make_identity, element, dtype):
    x = np.array([0, 1.5, -2], dtype)
    (y,) = make_identity(element).run(None, {"x": x})
    assert y.dtype == x.dtype and y.tolist() == x.tolist()


def test_empty_and_scalar_tensors(make_identity):
    assert make_identity(TensorProto.FLOAT).run(None, {"x": np.zeros(0, np.float32)})[0].shape == (0,)
    (y,) = make_identity(TensorProto.FLOAT, shape=()).run(None, {"x": np.array(3, np.float32)})
    assert y.shape == () and y.item() == 3


def test_arrays_that_are_not_plain(make_identity):
    session = make_identity(TensorProto.FLOAT, shape=("N", "M"))
    base = np.arange(6, dtype=np.float32).reshape(2, 3)
    for x in (base.T, base[:, ::2], base[::-1], np.asfortranarray(base)):
        np.testing.assert_array_equal(session.run(None, {"x": x})[0], x)
    unaligned = np.frombuffer(b"\0" + base.tobytes(), np.uint8)[1:].view(np.float32).reshape(2, 3)
    np.testing.assert_array_equal(session.run(None, {"x": unaligned})[0], base)


@pytest.mark.ours
def test_other_byte_order(make_identity):
    x = np.arange(3).astype(">f4")
    np.testing.assert_array_equal(make_identity(TensorProto.FLOAT).run(None, {"x": x})[0], x)


def test_lists_become_arrays(add_session, add_feed):
    got = add_session.run(None, {"x": add_feed["x"].tolist(), "y": add_feed["y"]})[0]
    np.testing.assert_array_equal(got, add_feed["x"] + add_feed["y"])


def test_values_as_inputs(add_session, add_feed):
    feed = {"x": ort.OrtValue.ortvalue_from_numpy(add_feed["x"]), "y": add_feed["y"]}
    np.testing.assert_array_equal(add_session.run(None, feed)[0], add_feed["x"] + add_feed["y"])


@pytest.mark.ours
def test_objects_with_dlpack_or_array(add_session, add_feed):
    class Dlpack:
        def __dlpack__(self, **_):
            return add_feed["x"].__dlpack__()

    class Array:
        def __array__(self, dtype=None, copy=None):
            return add_feed["x"]

    for x in (Dlpack(), Array()):
        np.testing.assert_array_equal(add_session.run(None, {**add_feed, "x": x})[0], add_feed["x"] + add_feed["y"])


def test_any_mapping_is_a_feed(add_session, add_feed):
    for mapping in (collections.OrderedDict(add_feed), collections.UserDict(add_feed)):
        assert add_session.run(None, mapping)[0].shape == (3, 2)


@pytest.mark.parametrize(
    "x",
    [
        np.array(["a", "bé", ""]),
        np.array(["a", "bé", ""], dtype=object),
        np.array(["a", "bé", ""]).astype(object).tolist(),
        np.array([b"a", "bé".encode(), b""]),
    ],
    ids=["str", "object", "list", "bytes"],
)
def test_strings(make_identity, x):
    (y,) = make_identity(TensorProto.STRING).run(None, {"x": x})
    assert y.dtype == object and y.tolist() == ["a", "bé", ""]
    assert all(type(text) is str for text in y)


def test_strings_with_nul_and_shape(make_identity):
    x = np.array([["a\0b", "c"], ["", "日本"]], dtype=object)
    (y,) = make_identity(TensorProto.STRING, shape=("N", "M")).run(None, {"x": x})
    assert y.tolist() == x.tolist()


def test_strings_that_are_not_utf8(make_identity):
    with pytest.raises(UnicodeDecodeError):
        make_identity(TensorProto.STRING).run(None, {"x": np.array([b"\xff"])})


def sequence_info(name):
    tensor = helper.make_tensor_type_proto(TensorProto.FLOAT, [None])
    return helper.make_value_info(name, helper.make_sequence_type_proto(tensor))


def test_sequences(build_model):
    construct = build_model(
        [helper.make_node("SequenceConstruct", ["x", "x"], ["s"])],
        [("x", TensorProto.FLOAT, ["N"])],
        [sequence_info("s")],
    )
    session = ort.InferenceSession(construct, providers=CPU)
    assert session.get_outputs()[0].type == "seq(tensor(float))"
    (sequence,) = session.run(None, {"x": np.ones(2, np.float32)})
    assert isinstance(sequence, list) and [a.tolist() for a in sequence] == [[1, 1], [1, 1]]
    (value,) = session.run_with_ort_values(None, {"x": ort.OrtValue.ortvalue_from_numpy(np.ones(2, np.float32))})
    assert value.is_tensor_sequence() and not value.is_tensor() and value.data_type() == "seq(tensor(float))"
    for method in ("numpy", "shape", "data_ptr"):
        with pytest.raises(RuntimeError):
            getattr(value, method)()


def test_sequences_as_inputs(build_model):
    length = build_model(
        [helper.make_node("SequenceLength", ["s"], ["n"])], [sequence_info("s")], [("n", TensorProto.INT64, [])]
    )
    session = ort.InferenceSession(length, providers=CPU)
    for count in (0, 1, 3):
        assert session.run(None, {"s": [np.ones(2, np.float32)] * count})[0].item() == count
    with pytest.raises(RuntimeError):
        session.run(None, {"s": [np.ones(2, np.float64)]})
    with pytest.raises(C.InvalidArgument):
        session.run(None, {"s": np.ones(2, np.float32)})


def test_optional_inputs(build_model):
    tensor = helper.make_tensor_type_proto(TensorProto.FLOAT, [None])
    model = build_model(
        [helper.make_node("OptionalHasElement", ["o"], ["b"])],
        [helper.make_value_info("o", helper.make_optional_type_proto(tensor))],
        [("b", TensorProto.BOOL, [])],
        opset=18,
    )
    session = ort.InferenceSession(model, providers=CPU)
    assert session.get_inputs()[0].type == "optional(tensor(float))"
    assert session.run(None, {"o": np.ones(2, np.float32)})[0].item() is True
    assert session.run(None, {"o": None})[0].item() is False
    assert session.run(None, {})[0].item() is False


def test_missing_inputs(add_session, add_feed):
    with pytest.raises(ValueError, match="'y'"):
        add_session.run(None, {"x": add_feed["x"]})
    with pytest.raises(ValueError, match="'x'.*'y'|'y'.*'x'"):
        add_session.run(None, {})


@pytest.mark.parametrize(
    "wrong",
    [
        {"xx": np.ones((3, 2), np.float32)},
        {"x": np.ones((3, 2), np.float64)},
        {"x": np.array([["a", "b"]])},
        {"x": np.ones(2, np.float32)},
        {"x": np.ones((3, 5), np.float32)},
    ],
    ids=["name", "type", "strings", "rank", "dimension"],
)
def test_wrong_inputs(add_session, add_feed, wrong):
    with pytest.raises(C.InvalidArgument, match=r"^\[ONNXRuntimeError\] : 2 : INVALID_ARGUMENT : "):
        add_session.run(None, {**add_feed, **wrong})


@pytest.mark.parametrize("value", [1.0, object(), "text"])
def test_objects_that_are_no_tensors(add_session, add_feed, value):
    with pytest.raises(RuntimeError):
        add_session.run(None, {**add_feed, "x": value})


def test_keys_must_be_str(add_session, add_feed):
    with pytest.raises(TypeError):
        add_session.run(None, {**add_feed, 1: add_feed["x"]})


@pytest.mark.ours
def test_all_that_is_wrong_is_said_at_once(two_output_model):
    session = ort.InferenceSession(two_output_model, providers=CPU)
    with pytest.raises(ValueError) as error:
        session.run(None, {"a": np.ones((2, 2), np.float64), "bb": np.ones(1, np.float32)})
    text = str(error.value)
    assert "4 wrong inputs" in text
    assert "required input 'b' tensor(float) ['N'] is missing" in text
    assert "'bb', did you mean 'b'?" in text
    assert "got tensor(double), expected tensor(float)" in text
    assert "got 2 [2, 2], expected 1 ['N']" in text


@pytest.mark.ours
def test_nearest_names(add_session, add_feed):
    with pytest.raises(C.InvalidArgument, match="Invalid input name: 'X2', did you mean 'x'"):
        add_session.run(None, {**add_feed, "X2": add_feed["x"]})
    with pytest.raises(C.InvalidArgument, match="Invalid output name: Z, did you mean 'z'"):
        add_session.run(["Z"], add_feed)
