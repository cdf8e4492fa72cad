# SPDX-License-Identifier: Apache-2.0
"""Providers, devices and memory."""

import numpy as np
import onnxruntime as ort
import pytest
from onnxruntime.capi import onnxruntime_pybind11_state as C
from onnxruntime.capi.onnxruntime_inference_collection import check_and_normalize_provider_args

CPU = "CPUExecutionProvider"


def test_names():
    available = ort.get_available_providers()
    assert CPU in available
    assert set(available) <= set(ort.get_all_providers())
    assert "CUDAExecutionProvider" in ort.get_all_providers()
    assert ort.get_device() in ("CPU", "GPU")


def test_providers_of_a_session(add_model):
    for given in (None, [], [CPU], [(CPU, {})], (CPU,)):
        assert CPU in ort.InferenceSession(add_model, providers=given).get_providers()
    session = ort.InferenceSession(add_model, providers=[CPU])
    assert session.get_providers() == [CPU]
    assert list(session.get_provider_options()) == [CPU]


def test_options_become_text():
    names, options = check_and_normalize_provider_args([(CPU, {"a": 1, 2: True})], None, [CPU])
    assert (names, options) == ([CPU], [{"a": "1", "2": "True"}])
    names, options = check_and_normalize_provider_args([CPU], [{"a": 1}], [CPU])
    assert (names, options) == ([CPU], [{"a": "1"}])
    assert check_and_normalize_provider_args(None, None, [CPU]) == ([], [])


@pytest.mark.parametrize(
    ("providers", "options"),
    [
        (3, None),
        ([3], None),
        ([(CPU, "x")], None),
        ([(CPU, {}, 1)], None),
        ([CPU], 3),
        ([CPU], [{}, {}]),
        ([(CPU, {})], [{}]),
        ([CPU], ["x"]),
    ],
)
def test_wrong_types_are_value_errors(providers, options):
    with pytest.raises(ValueError):
        check_and_normalize_provider_args(providers, options, [CPU])


def test_names_given_twice():
    with pytest.warns(UserWarning, match=f"Duplicate provider '{CPU}'"):
        assert check_and_normalize_provider_args([CPU, (CPU, {"a": 1})], None, [CPU]) == ([CPU], [{}])


def test_a_provider_that_is_not_here_is_passed_over(add_model, add_feed):
    with pytest.warns(UserWarning, match="'CANNExecutionProvider' is not in available provider names"):
        session = ort.InferenceSession(add_model, providers=["CANNExecutionProvider", CPU])
    assert session.get_providers() == [CPU]
    assert session.run(None, add_feed)[0].shape == (3, 2)


def test_unknown_provider_falls_back(add_model, add_feed):
    with pytest.warns(UserWarning, match="'CPUExecutionprovider' is not in available provider names"):
        session = ort.InferenceSession(add_model, providers=["CPUExecutionprovider"])
    assert session.get_providers() == [CPU]


@pytest.mark.ours
def test_unknown_provider_is_answered_with_the_nearest_name(add_model):
    with pytest.warns(UserWarning, match=f"Did you mean '{CPU}'"):
        ort.InferenceSession(add_model, providers=["CPUExecutionprovider"])
    with (
        pytest.warns(UserWarning, match="is not in available"),
        pytest.raises(RuntimeError, match=f"Unknown Provider Type.*'{CPU}'"),
    ):
        ort.InferenceSession(add_model, providers=["CPUExecutionprovider"], enable_fallback=0)


def test_set_providers(add_session, add_feed):
    add_session.set_providers([CPU])
    assert add_session.get_providers() == [CPU]
    add_session.set_providers()
    assert add_session.run(None, add_feed)[0].shape == (3, 2)
    with (
        pytest.warns(UserWarning, match="is not in available"),
        pytest.raises(RuntimeError, match="Unknown Provider Type"),
    ):
        add_session.set_providers(["NoSuchExecutionProvider"])


@pytest.mark.ours
def test_failed_set_providers_leaves_the_session(add_session, add_feed):
    with pytest.warns(UserWarning, match="is not in available"), pytest.raises(RuntimeError):
        add_session.set_providers(["NoSuchExecutionProvider"])
    assert add_session.run(None, add_feed)[0].shape == (3, 2)


@pytest.mark.ours
def test_a_failing_provider_is_followed_by_the_next(add_session, add_feed, monkeypatch):
    """The first provider fails while running; the answer comes from the next and the user is told once."""

    class Failing:
        def run(self, *_):
            raise C.EPFail("[ONNXRuntimeError] : 11 : EP_FAIL : the device is gone")

    monkeypatch.setattr(add_session, "_sess", Failing())
    monkeypatch.setattr(add_session, "get_providers", lambda: ["Broken", CPU])
    monkeypatch.setattr(add_session, "get_provider_options", lambda: {CPU: {}})
    with pytest.warns(UserWarning, match="Provider Broken failed.*the device is gone") as told:
        (z,) = add_session.run(None, add_feed)
    np.testing.assert_array_equal(z, add_feed["x"] + add_feed["y"])
    assert len(told) == 1
    monkeypatch.setattr(add_session, "_sess", Failing())
    add_session.disable_fallback()
    with pytest.raises(C.EPFail, match="the device is gone"):
        add_session.run(None, add_feed)
    add_session.enable_fallback()
    monkeypatch.setattr(add_session, "get_providers", lambda: [CPU])
    with pytest.raises(C.EPFail, match="the device is gone"):
        add_session.run(None, add_feed)


def test_provider_libraries():
    with pytest.raises(C.Fail, match="no/such/provider.so"):
        ort.register_execution_provider_library("none", "no/such/provider.so")
    with pytest.raises(C.Fail, match="none"):
        ort.unregister_execution_provider_library("none")


def test_ep_devices(add_model, add_feed):
    device = next(d for d in ort.get_ep_devices() if d.ep_name == CPU)
    assert isinstance(device, ort.OrtEpDevice)
    assert device.device.type == ort.OrtHardwareDeviceType.CPU
    assert isinstance(device.ep_vendor, str) and isinstance(device.device.vendor, str)
    assert isinstance(device.device.vendor_id, int) and isinstance(device.device.device_id, int)
    assert isinstance(device.ep_metadata, dict) and isinstance(device.ep_options, dict)
    assert isinstance(device.device.metadata, dict)
    options = ort.SessionOptions()
    options.add_provider_for_devices([device], {})
    assert options.has_providers()
    session = ort.InferenceSession(add_model, options)
    np.testing.assert_array_equal(session.run(None, add_feed)[0], add_feed["x"] + add_feed["y"])
    assert session.get_input_epdevices()[0].ep_name == CPU


def test_providers_given_twice(add_model):
    device = next(d for d in ort.get_ep_devices() if d.ep_name == CPU)
    options = ort.SessionOptions()
    options.add_provider_for_devices([device], {})
    with pytest.warns(UserWarning, match="providers"):
        assert ort.InferenceSession(add_model, options, providers=[CPU]).get_providers() == [CPU]


@pytest.mark.parametrize("policy", ort.OrtExecutionProviderDevicePolicy.__members__.values(), ids=str)
def test_selection_policy(add_model, add_feed, policy):
    options = ort.SessionOptions()
    options.set_provider_selection_policy(policy)
    session = ort.InferenceSession(add_model, options)
    assert session.get_providers()[-1] == CPU
    assert session.run(None, add_feed)[0].shape == (3, 2)


def test_selection_delegate(add_model, add_feed):
    seen = []

    def choose(devices, model_metadata, runtime_metadata, max_selections):
        seen.append((len(devices), type(model_metadata), max_selections))
        return [d for d in devices if d.ep_name == CPU]

    options = ort.SessionOptions()
    options.set_provider_selection_policy_delegate(choose)
    assert ort.InferenceSession(add_model, options).run(None, add_feed)[0].shape == (3, 2)
    assert len(seen) == 1 and seen[0][0] >= 1 and seen[0][1] is dict and seen[0][2] >= 1


def test_selection_delegate_knows_the_model(add_model):
    seen = {}

    def choose(devices, model_metadata, runtime_metadata, max_selections):
        seen.update(model_metadata)
        assert runtime_metadata == {}
        return devices[:1]

    options = ort.SessionOptions()
    options.set_provider_selection_policy_delegate(choose)
    metadata = ort.InferenceSession(add_model, options).get_modelmeta()
    assert seen["producer_name"] == metadata.producer_name and seen["domain"] == metadata.domain
    assert seen["graph_name"] == metadata.graph_name and seen["model_version"] == str(metadata.version)
    assert seen["doc_string"] == metadata.description and seen["graph_description"] == metadata.graph_description
    assert metadata.custom_metadata_map.items() <= seen.items()


def test_given_providers_come_before_the_selection(add_model):
    options = ort.SessionOptions()
    options.set_provider_selection_policy_delegate(lambda *_: 1 / 0)
    options.add_provider(CPU, {})
    assert ort.InferenceSession(add_model, options).get_providers() == [CPU]


@pytest.mark.parametrize(
    ("choose", "message"),
    [
        (lambda *_: 1 / 0, "EP selection delegate failed: .*ZeroDivisionError"),
        (lambda *_: [], "EP selection delegate did not select anything"),
        (lambda devices, *_: devices[:1] * 9, "EP selection delegate failed: .* more devices|too many EP devices"),
        (lambda *_: None, "EP selection delegate failed"),
    ],
    ids=["raises", "chooses nothing", "chooses too much", "answers None"],
)
def test_failing_selection_delegate(add_model, choose, message):
    options = ort.SessionOptions()
    options.set_provider_selection_policy_delegate(choose)
    with pytest.raises(C.Fail, match=message):
        ort.InferenceSession(add_model, options)


def test_ort_device():
    device = ort.OrtDevice.make("cpu", 0)
    assert (device.device_id(), device.device_type(), device.device_vendor_id(), device.device_mem_type()) == (
        0,
        0,
        0,
        0,
    )
    cuda = ort.OrtDevice.make("cuda", 1)
    assert (cuda.device_id(), cuda.device_type(), cuda.device_vendor_id()) == (1, 1, 0x10DE)
    dml, npu = ort.OrtDevice.make("dml", 0), ort.OrtDevice.make("cann", 0)
    assert (dml.device_type(), dml.device_vendor_id()) == (1, ort.OrtDeviceVendorId.MICROSOFT)
    assert (npu.device_type(), npu.device_vendor_id()) == (3, ort.OrtDeviceVendorId.HUAWEI)
    assert ort.OrtDevice.make("gpu", 0, ort.OrtDeviceVendorId.AMD).device_vendor_id() == 0x1002
    with pytest.raises(Exception, match="Unsupported device type: abacus"):
        ort.OrtDevice.make("abacus", 0)
    with pytest.raises(ValueError):
        ort.OrtDevice(3)


def test_memory_info():
    kinds = ort.OrtAllocatorType
    info = ort.OrtMemoryInfo("Cpu", kinds.ORT_ARENA_ALLOCATOR, 0, ort.OrtMemType.DEFAULT)
    assert (info.name, info.device_id, info.mem_type, info.allocator_type) == (
        "Cpu",
        0,
        ort.OrtMemType.DEFAULT,
        kinds.ORT_ARENA_ALLOCATOR,
    )
    assert info.device_mem_type == ort.OrtDeviceMemoryType.DEFAULT and info.device_vendor_id == 0
    with pytest.raises(RuntimeError):
        ort.OrtMemoryInfo("abacus", kinds.ORT_ARENA_ALLOCATOR, 0, ort.OrtMemType.DEFAULT)
    other = ort.OrtMemoryInfo.create_v2(
        "other",
        ort.OrtMemoryInfoDeviceType.GPU,
        0x10DE,
        1,
        ort.OrtDeviceMemoryType.HOST_ACCESSIBLE,
        64,
        kinds.ORT_DEVICE_ALLOCATOR,
    )
    assert (other.name, other.device_id, other.device_vendor_id) == ("other", 1, 0x10DE)
    assert other.device_mem_type == ort.OrtDeviceMemoryType.HOST_ACCESSIBLE


def test_arena_settings():
    arena = ort.OrtArenaCfg(1 << 20, 1, 256, 512)
    assert (arena.max_mem, arena.arena_extend_strategy) == (1 << 20, 1)
    assert (arena.initial_chunk_size_bytes, arena.max_dead_bytes_per_chunk) == (256, 512)
    assert arena.initial_growth_chunk_size_bytes == -1 and arena.max_power_of_two_extend_bytes == -1
    assert ort.OrtArenaCfg({"max_mem": 16}).max_mem == 16
    with pytest.raises(RuntimeError, match="no_such_setting"):
        ort.OrtArenaCfg({"no_such_setting": 1})


def test_allocators():
    info = ort.OrtMemoryInfo("Cpu", ort.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, ort.OrtMemType.DEFAULT)
    assert ort.create_and_register_allocator(info, ort.OrtArenaCfg(0, -1, -1, -1)) is None
    assert ort.create_and_register_allocator_v2(CPU, info, {}, ort.OrtArenaCfg(0, -1, -1, -1)) is None
