# SPDX-License-Identifier: Apache-2.0
"""Inputs and outputs bound to memory."""

import gc

import numpy as np
import onnxruntime as ort
import pytest


@pytest.fixture
def want(add_feed):
    return add_feed["x"] + add_feed["y"]


def test_arrays_in_and_device_out(add_session, add_feed, want):
    binding = add_session.io_binding()
    for name, array in add_feed.items():
        binding.bind_cpu_input(name, array)
    binding.bind_output("z")
    add_session.run_with_iobinding(binding)
    (value,) = binding.get_outputs()
    assert isinstance(value, ort.OrtValue) and value.device_name() == "cpu"
    np.testing.assert_array_equal(value.numpy(), want)
    np.testing.assert_array_equal(binding.copy_outputs_to_cpu()[0], want)
    assert len(binding.get_outputs_as_ortvaluevector()) == 1


def test_bound_memory_is_read_at_each_run(add_session, add_feed):
    x = add_feed["x"]
    binding = add_session.io_binding()
    binding.bind_cpu_input("x", x)
    binding.bind_cpu_input("y", add_feed["y"])
    binding.bind_output("z")
    for _ in range(3):
        x += 1
        add_session.run_with_iobinding(binding)
        np.testing.assert_array_equal(binding.copy_outputs_to_cpu()[0], x + add_feed["y"])


def test_memory_by_address(add_session, add_feed, want):
    x, y, z = add_feed["x"], add_feed["y"], np.zeros((3, 2), np.float32)
    for element in (np.float32, "float32", 1):
        binding = add_session.io_binding()
        binding.bind_input("x", "cpu", 0, element, [3, 2], x.ctypes.data)
        binding.bind_input("y", "cpu", 0, element, (1, 2), y.ctypes.data)
        binding.bind_output("z", "cpu", 0, element, [3, 2], z.ctypes.data)
        z[:] = 0
        add_session.run_with_iobinding(binding)
        np.testing.assert_array_equal(z, want)


def test_values(add_session, add_feed, want):
    binding = add_session.io_binding()
    for name, array in add_feed.items():
        binding.bind_ortvalue_input(name, ort.OrtValue.ortvalue_from_numpy(array.copy()))
    target = ort.OrtValue.ortvalue_from_shape_and_type([3, 2], np.float32)
    binding.bind_ortvalue_output("z", target)
    gc.collect()
    add_session.run_with_iobinding(binding)
    np.testing.assert_array_equal(target.numpy(), want)
    assert binding.get_outputs()[0].data_ptr() == target.data_ptr()


def test_bound_temporaries_stay_alive(add_session, add_feed, want):
    binding = add_session.io_binding()
    for name, array in add_feed.items():
        binding.bind_cpu_input(name, array.copy())
    binding.bind_output("z")
    gc.collect()
    add_session.run_with_iobinding(binding)
    np.testing.assert_array_equal(binding.copy_outputs_to_cpu()[0], want)


def test_outputs_outlive_binding_and_session(add_session, add_feed, want):
    binding = add_session.io_binding()
    for name, array in add_feed.items():
        binding.bind_cpu_input(name, array)
    binding.bind_output("z")
    add_session.run_with_iobinding(binding)
    value = binding.get_outputs()[0]
    del binding, add_session
    gc.collect()
    np.testing.assert_array_equal(value.numpy(), want)


def test_wrong_bindings(add_session, add_feed):
    binding = add_session.io_binding()
    with pytest.raises(RuntimeError, match="At least one output|no output"):
        add_session.run_with_iobinding(binding)
    with pytest.raises(RuntimeError, match="'?q'?"):
        binding.bind_cpu_input("q", add_feed["x"])
    with pytest.raises(RuntimeError):
        binding.bind_input("x", "cpu", 0, np.str_, [3, 2], add_feed["x"].ctypes.data)
    with pytest.raises(ValueError, match="`element_type` and `shape`"):
        binding.bind_output("z", "cpu", 0, np.float32, None, 16)
    binding.bind_cpu_input("x", add_feed["x"])
    binding.bind_cpu_input("y", add_feed["y"].astype(np.float64))
    binding.bind_output("z")
    with pytest.raises(RuntimeError, match="Error in execution"):
        add_session.run_with_iobinding(binding)


@pytest.mark.ours
def test_outputs_before_a_run(add_session):
    binding = add_session.io_binding()
    binding.bind_output("z")
    assert binding.get_outputs() == [] and binding.copy_outputs_to_cpu() == []


def test_clear_and_synchronize(add_session, add_feed, want):
    binding = add_session.io_binding()
    binding.bind_cpu_input("x", add_feed["x"])
    binding.bind_output("z")
    binding.clear_binding_inputs()
    binding.clear_binding_outputs()
    for name, array in add_feed.items():
        binding.bind_cpu_input(name, array)
    binding.bind_output("z")
    binding.synchronize_inputs()
    add_session.run_with_iobinding(binding)
    binding.synchronize_outputs()
    np.testing.assert_array_equal(binding.copy_outputs_to_cpu()[0], want)


def test_session_io_binding_class(add_session, add_feed, want):
    binding = ort.SessionIOBinding(add_session._sess)
    for name, array in add_feed.items():
        binding.bind_input(name, array)
    binding.bind_output("z", ort.OrtDevice.make("cpu", 0)._get_c_device())
    add_session._sess.run_with_iobinding(binding, None)
    np.testing.assert_array_equal(binding.copy_outputs_to_cpu()[0], want)
