# SPDX-License-Identifier: Apache-2.0
"""onnxruntime-ggml: a provider that compiles subgraphs; its weights are float16 inside."""

import gc
import json

import numpy as np
import onnxruntime as ort
import onnxruntime_ggml
import pytest

CPU = "CPUExecutionProvider"
REGISTRATION = onnxruntime_ggml.EP_NAME  # the provider takes the name that it is registered under


@pytest.fixture
def device():
    ort.register_execution_provider_library(REGISTRATION, onnxruntime_ggml.library_path())
    yield next(d for d in ort.get_ep_devices() if d.ep_name == onnxruntime_ggml.EP_NAME)
    gc.collect()  # sessions on it end before it goes
    ort.unregister_execution_provider_library(REGISTRATION)


@pytest.fixture
def options(device):
    options = ort.SessionOptions()
    options.add_session_config_entry("session.record_ep_graph_assignment_info", "1")
    options.add_provider_for_devices([device], {"device": "cpu", "threads": "2"})
    return options


def test_it_computes_what_the_cpu_provider_computes(options, sequence_model):
    model, x = sequence_model
    (expected,) = ort.InferenceSession(model, providers=[CPU]).run(None, {"x": x})
    (got,) = ort.InferenceSession(model, options).run(None, {"x": x})
    np.testing.assert_allclose(got, expected, atol=2e-3)


def test_it_takes_all_nodes(options, sequence_model):
    session = ort.InferenceSession(sequence_model[0], options)
    taken = {
        part.ep_name: [node.op_type for node in part.get_nodes()]
        for part in session.get_provider_graph_assignment_info()
    }
    assert list(taken) == [onnxruntime_ggml.EP_NAME]
    assert {"Conv", "Relu", "LayerNormalization", "Softmax"} <= set(taken[onnxruntime_ggml.EP_NAME])


def test_its_part_runs_as_one_kernel(options, sequence_model, tmp_path):
    model, x = sequence_model
    options.enable_profiling = True
    options.profile_file_prefix = str(tmp_path / "profile")
    session = ort.InferenceSession(model, options)
    session.run(None, {"x": x})
    events = json.loads(open(session.end_profiling()).read())
    kernels = [e for e in events if e.get("cat") == "Node" and e["name"].endswith("_kernel_time")]
    assert [kernel["args"]["provider"] for kernel in kernels] == [onnxruntime_ggml.EP_NAME]


def test_it_is_gone_after_unregistering(device, sequence_model):
    assert device.ep_name == onnxruntime_ggml.EP_NAME
    ort.unregister_execution_provider_library(REGISTRATION)
    try:
        assert all(d.ep_name != onnxruntime_ggml.EP_NAME for d in ort.get_ep_devices())
    finally:
        ort.register_execution_provider_library(REGISTRATION, onnxruntime_ggml.library_path())
