# SPDX-License-Identifier: Apache-2.0
"""SessionOptions and RunOptions."""

import gc

import numpy as np
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper
from onnxruntime.capi import onnxruntime_pybind11_state as C

CPU = ["CPUExecutionProvider"]
DEFAULTS = {
    "enable_cpu_mem_arena": True,
    "enable_mem_pattern": True,
    "enable_mem_reuse": True,
    "enable_profiling": False,
    "execution_mode": ort.ExecutionMode.ORT_SEQUENTIAL,
    "execution_order": ort.ExecutionOrder.DEFAULT,
    "graph_optimization_level": ort.GraphOptimizationLevel.ORT_ENABLE_ALL,
    "inter_op_num_threads": 0,
    "intra_op_num_threads": 0,
    "log_severity_level": -1,
    "log_verbosity_level": 0,
    "logid": "",
    "optimized_model_filepath": "",
    "profile_file_prefix": "onnxruntime_profile_",
    "use_deterministic_compute": False,
    "use_per_session_threads": True,
}
CHANGED = {
    "enable_cpu_mem_arena": False,
    "enable_mem_pattern": False,
    "enable_mem_reuse": False,
    "execution_mode": ort.ExecutionMode.ORT_PARALLEL,
    "execution_order": ort.ExecutionOrder.PRIORITY_BASED,
    "graph_optimization_level": ort.GraphOptimizationLevel.ORT_DISABLE_ALL,
    "inter_op_num_threads": 1,
    "intra_op_num_threads": 1,
    "log_severity_level": 3,
    "log_verbosity_level": 1,
    "logid": "me",
    "use_deterministic_compute": True,
}


def test_defaults():
    options = ort.SessionOptions()
    assert {name: getattr(options, name) for name in DEFAULTS} == DEFAULTS


@pytest.mark.parametrize(("name", "value"), CHANGED.items())
def test_a_session_takes_each_setting(add_model, add_feed, name, value):
    options = ort.SessionOptions()
    setattr(options, name, value)
    assert getattr(options, name) == value
    session = ort.InferenceSession(add_model, options, providers=CPU)
    np.testing.assert_array_equal(session.run(None, add_feed)[0], add_feed["x"] + add_feed["y"])
    assert getattr(session.get_session_options(), name) == value


@pytest.mark.parametrize(
    ("name", "value"),
    [("intra_op_num_threads", "two"), ("graph_optimization_level", 99), ("profile_file_prefix", 5), ("logid", None)],
)
def test_wrong_types(name, value):
    with pytest.raises(TypeError):
        setattr(ort.SessionOptions(), name, value)


def test_unknown_settings():
    with pytest.raises(AttributeError):
        ort.SessionOptions().no_such_setting = 1


def test_config_entries():
    options = ort.SessionOptions()
    options.add_session_config_entry("session.some_key", "1")
    options.add_session_config_entry("session.some_key", "2")
    assert options.get_session_config_entry("session.some_key") == "2"
    with pytest.raises(RuntimeError, match="no.such.key"):
        options.get_session_config_entry("no.such.key")
    with pytest.raises(RuntimeError):
        options.add_session_config_entry("", "x")
    with pytest.raises(RuntimeError):
        options.add_session_config_entry("k" * 2000, "x")
    with pytest.raises(TypeError):
        options.add_session_config_entry("key", 1)


def test_free_dimension_overrides(add_model):
    options = ort.SessionOptions()
    options.add_free_dimension_override_by_name("N", 4)
    options.add_free_dimension_override_by_denotation("DATA_BATCH", 4)
    session = ort.InferenceSession(add_model, options, providers=CPU)
    assert session.get_inputs()[0].shape == [4, 2]


def test_optimized_model_is_written(add_model, tmp_path, add_feed):
    options = ort.SessionOptions()
    options.optimized_model_filepath = str(tmp_path / "optimized.onnx")
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_BASIC
    ort.InferenceSession(add_model, options, providers=CPU)
    again = ort.InferenceSession(options.optimized_model_filepath, providers=CPU)
    np.testing.assert_array_equal(again.run(None, add_feed)[0], add_feed["x"] + add_feed["y"])


@pytest.fixture
def weighted_model(build_model) -> bytes:
    """y = x + w with an initializer w."""
    return build_model(
        [helper.make_node("Add", ["x", "w"], ["y"])],
        [("x", TensorProto.FLOAT, [2])],
        [("y", TensorProto.FLOAT, [2])],
        [helper.make_tensor("w", TensorProto.FLOAT, [2], [1, 1])],
    )


def test_initializers_from_outside(weighted_model):
    value = ort.OrtValue.ortvalue_from_numpy(np.array([5, 6], np.float32))
    options = ort.SessionOptions()
    options.add_initializer("w", value)
    session = ort.InferenceSession(weighted_model, options, providers=CPU)
    assert session.run(None, {"x": np.zeros(2, np.float32)})[0].tolist() == [5, 6]


@pytest.mark.ours
def test_initializers_stay_alive(weighted_model):
    options = ort.SessionOptions()
    options.add_initializer("w", ort.OrtValue.ortvalue_from_numpy(np.array([5, 6], np.float32)))
    gc.collect()
    session = ort.InferenceSession(weighted_model, options, providers=CPU)
    del options
    gc.collect()
    assert session.run(None, {"x": np.zeros(2, np.float32)})[0].tolist() == [5, 6]


def test_providers_in_options(add_model):
    options = ort.SessionOptions()
    assert not options.has_providers()
    options.add_provider("CPUExecutionProvider", {})
    assert options.has_providers()
    assert ort.InferenceSession(add_model, options).get_providers() == CPU
    with pytest.raises(RuntimeError):
        options.add_provider("NoSuchExecutionProvider", {})


def test_missing_custom_op_library():
    with pytest.raises(C.Fail, match="no/such/library.so"):
        ort.SessionOptions().register_custom_ops_library("no/such/library.so")


def test_cancelled_load(add_model):
    options = ort.SessionOptions()
    options.set_load_cancellation_flag(True)
    with pytest.raises(C.ModelLoadCanceled, match="12 : MODEL_LOAD_CANCELED"):
        ort.InferenceSession(add_model, options, providers=CPU)


def test_run_options():
    options = ort.RunOptions()
    assert options.log_severity_level == -1 and options.log_verbosity_level == 0 and options.logid == ""
    assert options.terminate is False and options.only_execute_path_to_fetches is False
    options.log_severity_level, options.log_verbosity_level, options.logid = 3, 1, "me"
    assert (options.log_severity_level, options.log_verbosity_level, options.logid) == (3, 1, "me")
    options.only_execute_path_to_fetches = True
    assert options.only_execute_path_to_fetches is True
    options.add_run_config_entry("key", "value")
    assert options.get_run_config_entry("key") == "value"
    with pytest.raises(RuntimeError, match="no.such.key"):
        options.get_run_config_entry("no.such.key")


def test_only_execute_path_to_fetches(two_output_model):
    session = ort.InferenceSession(two_output_model, providers=CPU)
    options = ort.RunOptions()
    options.only_execute_path_to_fetches = True
    feed = {"a": np.array([3], np.float32), "b": np.array([1], np.float32)}
    assert session.run(["sum"], feed, options)[0].item() == 4


def test_enumerations():
    assert int(ort.GraphOptimizationLevel.ORT_ENABLE_ALL) == 99
    assert ort.GraphOptimizationLevel(1) == ort.GraphOptimizationLevel.ORT_ENABLE_BASIC
    assert ort.ExecutionMode.ORT_PARALLEL.name == "ORT_PARALLEL" and ort.ExecutionMode.ORT_PARALLEL.value == 1
    assert int(ort.OrtMemType.CPU_INPUT) == -2 and int(ort.OrtAllocatorType.INVALID) == -1
    assert int(ort.OrtSparseFormat.ORT_SPARSE_BLOCK_SPARSE) == 4
    assert int(ort.OrtDeviceMemoryType.HOST_ACCESSIBLE) == 5
    assert int(ort.OrtMemoryInfoDeviceType.NPU) == 3 and int(ort.OrtHardwareDeviceType.NPU) == 2
    flags = ort.OrtCompileApiFlags
    assert flags.ERROR_IF_NO_NODES_COMPILED | flags.ERROR_IF_OUTPUT_FILE_EXISTS == 3
    assert "ORT_ENABLE_LAYOUT" in ort.GraphOptimizationLevel.__members__
