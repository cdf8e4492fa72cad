# SPDX-License-Identifier: Apache-2.0
"""ONNX's backend interface."""

import unittest

import numpy as np
import onnx
import onnxruntime.backend as backend
import pytest
from onnxruntime.backend.backend import OnnxRuntimeBackend


def test_devices():
    assert backend.supports_device("CPU")
    assert not backend.supports_device("ABACUS")
    assert backend.is_compatible(None)
    assert backend.is_compatible(None, "CPU")


def test_prepare_and_run(add_model, add_feed, tmp_path):
    file = tmp_path / "add.onnx"
    file.write_bytes(add_model)
    want = add_feed["x"] + add_feed["y"]
    for model in (add_model, str(file), onnx.load_from_string(add_model)):
        prepared = backend.prepare(model, "CPU", intra_op_num_threads=1)
        np.testing.assert_array_equal(prepared.run([add_feed["x"], add_feed["y"]])[0], want)
        assert backend.prepare(prepared) is prepared
    np.testing.assert_array_equal(backend.run(add_model, [add_feed["x"], add_feed["y"]])[0], want)


def test_one_input_without_a_list(build_model, add_model):
    model = build_model(
        [onnx.helper.make_node("Neg", ["x"], ["y"])],
        [("x", onnx.TensorProto.FLOAT, [2])],
        [("y", onnx.TensorProto.FLOAT, [2])],
    )
    assert backend.run(model, np.array([1, 2], np.float32))[0].tolist() == [-1, -2]
    with pytest.raises(RuntimeError):
        backend.run(add_model, np.ones((3, 2), np.float32))


def test_settings_that_write_files_are_refused(add_model):
    with pytest.raises(RuntimeError, match="optimized_model_filepath"):
        backend.prepare(add_model, optimized_model_filepath="x")
    with pytest.raises(RuntimeError, match="terminate"):
        backend.prepare(add_model).run([], terminate=True)
    backend.prepare(add_model, no_such_setting=1)


def test_wrong_device(add_model):
    with pytest.raises(RuntimeError, match="Incompatible device"):
        backend.prepare(add_model, "ABACUS")


def test_unreleased_operator_sets(add_model):
    model = onnx.load_from_string(add_model)
    model.opset_import[0].version = 1000
    assert not OnnxRuntimeBackend.is_opset_supported(model)[0]
    with pytest.raises((unittest.SkipTest, onnx.checker.ValidationError)):
        backend.prepare(model)


def test_single_nodes_are_not_run():
    with pytest.raises(NotImplementedError):
        OnnxRuntimeBackend.run_node(None, [])
