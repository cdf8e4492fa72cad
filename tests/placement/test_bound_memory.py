# SPDX-License-Identifier: Apache-2.0
"""Inputs and outputs bound to the accelerator's memory or to the CPU's."""

import gc

import numpy as np
import onnxruntime as ort
import ortrun
import pytest
from onnx import helper

VENDOR = 0xACCE
X = np.linspace(-1, 1, 12, dtype=np.float32).reshape(3, 4)


def on_device(array):
    return ort.OrtValue.ortvalue_from_numpy(array, "npu", 0, VENDOR)


def empty_on_device(shape):
    return ort.OrtValue.ortvalue_from_shape_and_type(shape, np.float32, "npu", 0, VENDOR)


@pytest.fixture(params=["Tanh", "Sin"], ids=["made on the accelerator", "made on the cpu"])
def op(request):
    return request.param


@pytest.fixture
def session(build_split, split, op):
    """y = op(tanh(x)): the last node runs on one side or the other."""
    nodes = [helper.make_node("Tanh", ["x"], ["a"]), helper.make_node(op, ["a"], ["y"])]
    return split(build_split(nodes, {"x": ["n", 4]}, {"y": ["n", 4]}))


@pytest.fixture
def want(op):
    return {"Tanh": np.tanh, "Sin": np.sin}[op](np.tanh(X))


def copies_of(session, binding):
    before = ortrun.counters(session)["copies"]
    session.run_with_iobinding(binding)
    return ortrun.counters(session)["copies"] - before


def test_values_come_and_go(split):
    value = on_device(X)
    assert value.device_name() == "npu" and value.shape() == [3, 4]
    np.testing.assert_array_equal(value.numpy(), X)


@pytest.mark.parametrize("place", ["cpu", "npu"])
@pytest.mark.parametrize("source", ["cpu", "npu"])
def test_output_bound_to_a_device(session, op, want, source, place):
    binding = session.io_binding()
    if source == "cpu":
        binding.bind_cpu_input("x", X)
    else:
        binding.bind_ortvalue_input("x", on_device(X))
    binding.bind_output("y", place, 0)
    needed = (source == "cpu") + (op == "Sin") + ((place == "cpu") != (op == "Sin"))
    for _ in range(3):
        assert copies_of(session, binding) == needed
        (y,) = binding.get_outputs()
        assert y.device_name() == place
        np.testing.assert_allclose(y.numpy(), want, 1e-5, 1e-6)
        np.testing.assert_allclose(binding.copy_outputs_to_cpu()[0], want, 1e-5, 1e-6)


@pytest.mark.parametrize("place", ["cpu", "npu"])
def test_output_bound_to_a_value(session, op, want, place):
    binding = session.io_binding()
    target = empty_on_device([3, 4]) if place == "npu" else ort.OrtValue.ortvalue_from_numpy(np.zeros_like(X))
    address = target.data_ptr()
    binding.bind_ortvalue_output("y", target)
    for _ in range(3):
        binding.bind_ortvalue_input("x", on_device(X))
        needed = (op == "Sin") + ((place == "cpu") != (op == "Sin"))
        assert copies_of(session, binding) == needed
        np.testing.assert_allclose(target.numpy(), want, 1e-5, 1e-6)
        assert binding.get_outputs()[0].data_ptr() == address


def test_plain_runs_between_bound_ones(session, want):
    """A run that leaves its output on the device, and one that does not, take turns."""
    binding = session.io_binding()
    binding.bind_ortvalue_input("x", on_device(X))
    target = empty_on_device([3, 4])
    binding.bind_ortvalue_output("y", target)
    for _ in range(3):
        session.run_with_iobinding(binding)
        np.testing.assert_allclose(session.run(None, {"x": 2 * X})[0].shape, (3, 4))
        np.testing.assert_allclose(session.run(None, {"x": X})[0], want, 1e-5, 1e-6)
        np.testing.assert_allclose(target.numpy(), want, 1e-5, 1e-6)


def test_an_output_that_the_cpu_reads_too(build_split, split):
    nodes = [helper.make_node("Tanh", ["x"], ["y"]), helper.make_node("Sin", ["y"], ["z"])]
    session = split(build_split(nodes, {"x": [3, 4]}, {"y": [3, 4], "z": [3, 4]}))
    for target in (None, empty_on_device([3, 4])):
        binding = session.io_binding()
        binding.bind_cpu_input("x", X)
        if target is None:
            binding.bind_output("y", "npu", 0)
        else:
            binding.bind_ortvalue_output("y", target)
        binding.bind_output("z", "npu", 0)
        assert copies_of(session, binding) == 3  # x in, y out for Sin, z in
        y, z = binding.get_outputs()
        assert y.device_name() == z.device_name() == "npu"
        np.testing.assert_allclose(y.numpy(), np.tanh(X), 1e-5, 1e-6)
        np.testing.assert_allclose(z.numpy(), np.sin(np.tanh(X)), 1e-5, 1e-6)


def test_an_input_for_both_sides(build_split, split):
    """It is on the device: the cpu's node needs one copy, the accelerator's none."""
    nodes = [
        helper.make_node("Tanh", ["x"], ["a"]),
        helper.make_node("Sin", ["x"], ["b"]),
        helper.make_node("Min", ["a", "b"], ["y"]),
    ]
    session = split(build_split(nodes, {"x": [3, 4]}, {"y": [3, 4]}))
    binding = session.io_binding()
    binding.bind_ortvalue_input("x", on_device(X))
    binding.bind_output("y")
    for _ in range(2):
        assert copies_of(session, binding) == 2  # x for Sin, a for Min
        np.testing.assert_allclose(binding.get_outputs()[0].numpy(), np.minimum(np.tanh(X), np.sin(X)), 1e-5, 1e-6)


def test_an_input_that_is_an_output(build_split, split):
    nodes = [helper.make_node("Identity", ["x"], ["same"]), helper.make_node("Tanh", ["x"], ["y"])]
    session = split(build_split(nodes, {"x": [3, 4]}, {"same": [3, 4], "y": [3, 4]}))
    binding = session.io_binding()
    binding.bind_ortvalue_input("x", on_device(X))
    binding.bind_output("same", "npu", 0)
    binding.bind_output("y", "cpu", 0)
    session.run_with_iobinding(binding)
    same, y = binding.get_outputs()
    assert same.device_name() == "npu" and y.device_name() == "cpu"
    np.testing.assert_array_equal(same.numpy(), X)
    np.testing.assert_allclose(y.numpy(), np.tanh(X), 1e-5, 1e-6)


def test_the_result_of_one_run_is_the_input_of_the_next(build_split, split):
    session = split(build_split([helper.make_node("Tanh", ["x"], ["y"])], {"x": [3, 4]}, {"y": [3, 4]}))
    binding = session.io_binding()
    binding.bind_ortvalue_input("x", on_device(X))
    want = X
    for _ in range(4):
        binding.bind_output("y", "npu", 0)
        assert copies_of(session, binding) == 0
        (y,) = binding.get_outputs()
        binding.bind_ortvalue_input("x", y)
        want = np.tanh(want)
        np.testing.assert_allclose(y.numpy(), want, 1e-5, 1e-6)


def test_a_buffer_of_another_shape(session):
    binding = session.io_binding()
    binding.bind_cpu_input("x", X)
    binding.bind_ortvalue_output("y", empty_on_device([2, 4]))
    with pytest.raises(Exception, match=r"output 'y'.*\{3,4\}.*\{2,4\}"):
        session.run_with_iobinding(binding)


def test_memory_that_no_provider_serves(build_split):
    model = build_split([helper.make_node("Tanh", ["x"], ["y"])], {"x": [3, 4]}, {"y": [3, 4]})
    session = ort.InferenceSession(model, providers=["CPUExecutionProvider"])
    binding = session.io_binding()
    binding.bind_cpu_input("x", X)
    binding.bind_output("y", "npu", 0)
    with pytest.raises(Exception, match="output 'y' is wanted in memory 'SimAcc', which no provider of this session"):
        session.run_with_iobinding(binding)


def test_outputs_outlive_the_session(build_split, split):
    session = split(build_split([helper.make_node("Tanh", ["x"], ["y"])], {"x": [3, 4]}, {"y": [3, 4]}))
    binding = session.io_binding()
    binding.bind_cpu_input("x", X)
    binding.bind_output("y", "npu", 0)
    session.run_with_iobinding(binding)
    (y,) = binding.get_outputs()
    del binding, session
    gc.collect()
    np.testing.assert_allclose(y.numpy(), np.tanh(X), 1e-5, 1e-6)


def test_where_inputs_and_outputs_are_wanted(session, op):
    assert session.get_input_memory_infos()[0].name == "SimAcc"
    assert session.get_output_memory_infos()[0].name == ("SimAcc" if op == "Tanh" else "Cpu")
    assert session.get_input_epdevices()[0].ep_name == "SimulatedAccelerator"
