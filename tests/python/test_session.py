# SPDX-License-Identifier: Apache-2.0
"""Making sessions, asking them and running them."""

import pathlib

import numpy as np
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper
from onnxruntime.capi import onnxruntime_pybind11_state as C

CPU = ["CPUExecutionProvider"]


def test_runs_a_model_from_bytes_and_from_paths(add_model, add_feed, tmp_path):
    file = tmp_path / "add.onnx"
    file.write_bytes(add_model)
    want = add_feed["x"] + add_feed["y"]
    for source in (add_model, str(file), pathlib.Path(file)):
        session = ort.InferenceSession(source, providers=CPU)
        (got,) = session.run(None, add_feed)
        np.testing.assert_array_equal(got, want)
        assert got.dtype == np.float32


@pytest.mark.parametrize("source", [3, None, bytearray(b"x"), memoryview(b"x"), object()])
def test_refuses_other_sources(source):
    with pytest.raises(TypeError, match="Unable to load from type"):
        ort.InferenceSession(source, providers=CPU)


def test_wrong_options_are_a_type_error(add_model):
    with pytest.raises(TypeError):
        ort.InferenceSession(add_model, "options")


def test_missing_file():
    with pytest.raises(C.NoSuchFile, match=r"^\[ONNXRuntimeError\] : 3 : NO_SUCHFILE : .*no/such/model.onnx"):
        ort.InferenceSession("no/such/model.onnx", providers=CPU)


@pytest.mark.parametrize("data", [b"these are no protobuf bytes", b"\x08\x08:\xff\xff\xff"])
def test_broken_bytes(data):
    with pytest.raises(C.InvalidProtobuf, match=r"^\[ONNXRuntimeError\] : 7 : INVALID_PROTOBUF : "):
        ort.InferenceSession(data, providers=CPU)


def test_empty_bytes_and_empty_file(tmp_path):
    (tmp_path / "empty.onnx").write_bytes(b"")
    for source in (b"", str(tmp_path / "empty.onnx")):
        with pytest.raises((C.InvalidArgument, C.InvalidProtobuf, C.NoModel), match="ONNXRuntimeError"):
            ort.InferenceSession(source, providers=CPU)


def test_inputs_and_outputs_are_described(add_session):
    inputs = [(arg.name, arg.type, arg.shape) for arg in add_session.get_inputs()]
    assert inputs == [("x", "tensor(float)", ["N", 2]), ("y", "tensor(float)", [1, 2])]
    assert [(arg.name, arg.type, arg.shape) for arg in add_session.get_outputs()] == [("z", "tensor(float)", ["N", 2])]
    assert str(add_session.get_inputs()[0]) == "NodeArg(name='x', type='tensor(float)', shape=['N', 2])"
    assert add_session.get_overridable_initializers() == []


def test_free_dimensions(build_model):
    model = build_model(
        [helper.make_node("Identity", ["x"], ["y"])],
        [("x", TensorProto.FLOAT, ["batch", None, 3])],
        [("y", TensorProto.FLOAT, ["batch", None, 3])],
    )
    session = ort.InferenceSession(model, providers=CPU)
    assert session.get_inputs()[0].shape == ["batch", None, 3]


def test_model_metadata(add_session):
    meta = add_session.get_modelmeta()
    assert meta.producer_name == "tests"
    assert meta.graph_name == "graph"
    assert meta.domain == "org.example"
    assert meta.description == "a model of the tests"
    assert meta.version == 7
    assert meta.graph_description == ""
    assert meta.custom_metadata_map == {"author": "someone", "licence": "free"}


def test_wanted_outputs(two_output_model):
    session = ort.InferenceSession(two_output_model, providers=CPU)
    feed = {"a": np.array([3], np.float32), "b": np.array([1], np.float32)}
    assert [a.item() for a in session.run(None, feed)] == [4, 2]
    assert [a.item() for a in session.run([], feed)] == [4, 2]
    assert [a.item() for a in session.run(["difference"], feed)] == [2]
    assert [a.item() for a in session.run(("difference", "sum"), feed)] == [2, 4]


def test_wrong_output_names(add_session, add_feed):
    with pytest.raises(C.InvalidArgument, match="Invalid output name"):
        add_session.run(["w"], add_feed)
    for names in ("z", [1]):
        with pytest.raises(TypeError):
            add_session.run(names, add_feed)


def test_outputs_own_their_memory(add_session, add_feed):
    (first,) = add_session.run(None, add_feed)
    copy = first.copy()
    for _ in range(10):
        add_session.run(None, {"x": add_feed["x"] * 0, "y": add_feed["y"] * 0})
    np.testing.assert_array_equal(first, copy)
    assert first.flags.writeable and first.flags.c_contiguous
    del add_session
    np.testing.assert_array_equal(first, copy)


def test_overridable_initializer(build_model):
    model = build_model(
        [helper.make_node("Add", ["x", "w"], ["y"])],
        [("x", TensorProto.FLOAT, [1]), ("w", TensorProto.FLOAT, [1])],
        [("y", TensorProto.FLOAT, [1])],
        [helper.make_tensor("w", TensorProto.FLOAT, [1], [5.0])],
    )
    options = ort.SessionOptions()
    options.log_severity_level = 3
    session = ort.InferenceSession(model, options, providers=CPU)
    assert [arg.name for arg in session.get_inputs()] == ["x"]
    assert [arg.name for arg in session.get_overridable_initializers()] == ["w"]
    x = np.ones(1, np.float32)
    assert session.run(None, {"x": x})[0].item() == 6
    assert session.run(None, {"x": x, "w": x * 2})[0].item() == 3
    with pytest.raises(C.InvalidArgument):
        session.run(None, {"x": x, "w": np.ones(2, np.float32)})


def test_run_with_ort_values(add_session, add_feed):
    feed = {name: ort.OrtValue.ortvalue_from_numpy(value) for name, value in add_feed.items()}
    for names in (None, ["z"]):
        (value,) = add_session.run_with_ort_values(names, feed)
        assert isinstance(value, ort.OrtValue)
        np.testing.assert_array_equal(value.numpy(), add_feed["x"] + add_feed["y"])
    with pytest.raises(ValueError):
        add_session.run_with_ort_values(None, {"x": feed["x"]})
    with pytest.raises(AttributeError):
        add_session.run_with_ort_values(None, add_feed)


def test_run_with_vectors(add_session, add_feed):
    feeds, fetches = C.OrtValueVector(), C.OrtValueVector()
    for name in ("x", "y"):
        feeds.push_back(ort.OrtValue.ortvalue_from_numpy(add_feed[name])._ortvalue)
    device = ort.OrtDevice.make("cpu", 0)._get_c_device()
    add_session.run_with_ortvaluevector(ort.RunOptions(), ["x", "y"], feeds, ["z"], fetches, [device])
    assert len(fetches) == 1 and fetches.element_type_at(0) == TensorProto.FLOAT
    np.testing.assert_array_equal(fetches[0].numpy(), add_feed["x"] + add_feed["y"])


def test_terminated_run(add_session, add_feed):
    options = ort.RunOptions()
    options.terminate = True
    with pytest.raises(C.Fail, match="(?i)terminate"):
        add_session.run(None, add_feed, options)
    options.terminate = False
    assert len(add_session.run(None, add_feed, options)) == 1


def test_wrong_run_options(add_session, add_feed):
    with pytest.raises(TypeError):
        add_session.run(None, add_feed, "options")


def test_profiling(add_model, add_feed, tmp_path):
    options = ort.SessionOptions()
    options.enable_profiling = True
    options.profile_file_prefix = str(tmp_path / "profile")
    session = ort.InferenceSession(add_model, options, providers=CPU)
    assert session.get_profiling_start_time_ns() > 0
    session.run(None, add_feed)
    file = pathlib.Path(session.end_profiling())
    assert file.parent == tmp_path and '"Add"' in file.read_text()


def test_without_profiling(add_session):
    assert add_session.get_profiling_start_time_ns() == 0
    assert add_session.end_profiling() == ""


def test_assignment_of_nodes(add_model):
    options = ort.SessionOptions()
    options.add_session_config_entry("session.record_ep_graph_assignment_info", "1")
    session = ort.InferenceSession(add_model, options, providers=CPU)
    (subgraph,) = session.get_provider_graph_assignment_info()
    assert subgraph.ep_name == "CPUExecutionProvider"
    assert [(n.name, n.op_type, n.domain) for n in subgraph.get_nodes()] == [("add", "Add", "")]
    plain = ort.InferenceSession(add_model, providers=CPU)
    with pytest.raises(C.Fail, match="record_ep_graph_assignment_info"):
        plain.get_provider_graph_assignment_info()


def test_session_options_of_a_session_are_a_copy(add_model):
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    session = ort.InferenceSession(add_model, options, providers=CPU)
    options.intra_op_num_threads = 2
    assert session.get_session_options().intra_op_num_threads == 1


def test_memory_of_inputs_and_outputs(add_session):
    infos = list(add_session.get_input_memory_infos()) + list(add_session.get_output_memory_infos())
    assert [info.name for info in infos] == ["Cpu"] * 3
    assert {info.device_id for info in infos} == {0}
    assert {info.device_mem_type for info in infos} == {ort.OrtDeviceMemoryType.DEFAULT}


def test_value_in_a_sessions_memory(add_session):
    value = add_session.create_ortvalue_from_shape_and_type([2, 3], np.float32, "cpu")
    assert value.shape() == [2, 3]
    value.update_inplace(np.ones((2, 3), np.float32))
    del add_session
    assert value.numpy().sum() == 6
