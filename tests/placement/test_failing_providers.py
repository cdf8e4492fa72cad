# SPDX-License-Identifier: Apache-2.0
"""Providers that fail, in every way that they can: a clear message, and the others go on."""

import json
import threading
import warnings

import numpy as np
import onnxruntime as ort
import ortrun
import pytest
from onnx import helper
from onnxruntime.capi import onnxruntime_pybind11_state as C

ACCELERATOR = "SimulatedAccelerator"
CPU = "CPUExecutionProvider"
FAIL = "ORTRUN_TEST_ACCELERATOR_FAIL"
X = np.linspace(-1, 1, 4, dtype=np.float32)
FEED = {"x": X}
WANT = np.sin(np.tanh(X))


@pytest.fixture
def model(build_split):
    nodes = [helper.make_node("Tanh", ["x"], ["a"], name="squash"), helper.make_node("Sin", ["a"], ["y"], name="wave")]
    return build_split(nodes, {"x": [4]}, {"y": [4]})


def strict(model, providers=(ACCELERATOR, CPU)):
    return ort.InferenceSession(model, providers=list(providers), enable_fallback=0)


@pytest.mark.parametrize("ran_before", [False, True], ids=["at the first run", "at a later run"])
def test_while_running(model, split, monkeypatch, ran_before):
    session = split(model)
    if ran_before:
        np.testing.assert_allclose(session.run(None, FEED)[0], WANT, 1e-5)
    monkeypatch.setenv(FAIL, "run")
    with pytest.warns(UserWarning, match=f"Provider {ACCELERATOR} failed.*was lost") as told:
        np.testing.assert_allclose(session.run(None, FEED)[0], WANT, 1e-5)
    assert len(told) == 1
    assert session.get_providers() == [CPU]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_allclose(session.run(None, FEED)[0], WANT, 1e-5)


def test_while_running_without_fallback(model, split, monkeypatch):
    session = split(model)
    session.disable_fallback()
    monkeypatch.setenv(FAIL, "run")
    with pytest.raises(C.EPFail) as error:
        session.run(None, FEED)
    for part in ("squash", "Tanh", ACCELERATOR, "was lost"):
        assert part in str(error.value)
    monkeypatch.delenv(FAIL)
    np.testing.assert_allclose(session.run(None, FEED)[0], WANT, 1e-5)  # the session is as good as before
    monkeypatch.setenv(FAIL, "run")
    session.enable_fallback()
    with pytest.warns(UserWarning, match="Falling back"):
        np.testing.assert_allclose(session.run(None, FEED)[0], WANT, 1e-5)


def test_it_hears_of_the_end_of_a_run_that_fails(model, split, monkeypatch, tmp_path):
    session = split(model)
    session.disable_fallback()
    monkeypatch.setenv("ORTRUN_TEST_ACCELERATOR_RUNS", str(tmp_path / "runs"))
    for failing in (False, True, True, False):
        monkeypatch.setenv(FAIL, "run" if failing else "")
        if failing:
            with pytest.raises(C.EPFail):
                session.run(None, FEED)
        else:
            session.run(None, FEED)
    assert (tmp_path / "runs").read_text().split() == ["start", "end"] * 4


def test_in_the_middle_of_queued_work(build_split, split, monkeypatch):
    """What was queued before reads the caller's input: it is waited for before the error is out."""
    monkeypatch.setenv("ORTRUN_TEST_ACCELERATOR_DELAY_US", "2000")
    nodes = [
        helper.make_node("Tanh", ["x"], ["a"]),
        helper.make_node("Relu", ["a"], ["b"]),
        helper.make_node("Softsign", ["b"], ["y"], name="loses the device"),
    ]
    session = split(build_split(nodes, {"x": ["n"]}, {"y": ["n"]}))
    session.disable_fallback()
    for n in (1, 1000, 100000):
        with pytest.raises(C.EPFail, match="loses the device"):
            session.run(None, {"x": np.ones(n, np.float32)})
    session.enable_fallback()
    with pytest.warns(UserWarning, match="Falling back"):
        np.testing.assert_allclose(session.run(None, {"x": np.ones(3, np.float32)})[0], np.tanh(1) / (1 + np.tanh(1)))


def test_while_running_with_a_binding(model, split, monkeypatch):
    session = split(model)
    binding = session.io_binding()
    binding.bind_ortvalue_input("x", ort.OrtValue.ortvalue_from_numpy(X, "npu", 0, 0xACCE))
    binding.bind_output("y")
    session.run_with_iobinding(binding)
    monkeypatch.setenv(FAIL, "run")
    with pytest.warns(UserWarning, match="Falling back"):
        session.run_with_iobinding(binding)
    np.testing.assert_allclose(binding.copy_outputs_to_cpu()[0], WANT, 1e-5)


def test_several_threads_fail_at_once(model, split, monkeypatch):
    session = split(model)
    monkeypatch.setenv(FAIL, "run")
    results, errors = [], []

    def work():
        try:
            results.append(session.run(None, FEED)[0])
        except Exception as error:
            errors.append(error)

    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert not errors and len(results) == 8
    for result in results:
        np.testing.assert_allclose(result, WANT, 1e-5)
    assert sum("Falling back" in str(warning.message) for warning in told) == 1


@pytest.mark.parametrize(
    ("way", "message"),
    [
        ("ep", f"provider '{ACCELERATOR}' could not be made: .*in use elsewhere"),
        ("capability", f"provider '{ACCELERATOR}' failed when asked which nodes it takes: .*does not know"),
        ("kernel", f"provider '{ACCELERATOR}' could not make a kernel for .*squash.*: .*makes no kernels"),
    ],
)
def test_while_a_session_is_made(model, monkeypatch, way, message):
    monkeypatch.setenv(FAIL, way)
    with pytest.raises(C.EPFail, match=message):
        strict(model)
    # Behind the cpu, which takes every node, it is made but asked for nothing.
    for order in ([ACCELERATOR, CPU], [CPU, ACCELERATOR]) if way == "ep" else ([ACCELERATOR, CPU],):
        with pytest.warns(UserWarning, match=f"Provider {ACCELERATOR} failed") as told:
            session = ort.InferenceSession(model, providers=order)
        assert len(told) == 1 and session.get_providers() == [CPU]
        np.testing.assert_allclose(session.run(None, FEED)[0], WANT, 1e-5)


def test_claims_what_it_has_no_kernel_for(model, monkeypatch):
    monkeypatch.setenv(FAIL, "claim")
    session = strict(model)
    np.testing.assert_allclose(session.run(None, FEED)[0], WANT, 1e-5)
    wave = next(node for node in ortrun.explain(session)["nodes"] if node["name"] == "wave")
    assert wave["provider"] == CPU
    assert wave["declined"] == [{"provider": ACCELERATOR, "reason": "it claims the node, but it has no kernel for Sin"}]


def test_a_node_that_nobody_takes(build_split, monkeypatch):
    options = ort.SessionOptions()
    options.add_session_config_entry("session.disable_cpu_ep_fallback", "1")
    model = build_split([helper.make_node("Sin", ["x"], ["y"], name="wave")], {"x": [4]}, {"y": [4]})
    with pytest.raises(C.NotImplemented, match=f"wave.*\n?.*{ACCELERATOR}: it has no kernel for Sin"):
        ort.InferenceSession(model, options, providers=[ACCELERATOR], enable_fallback=0)


LISTED = """
import json, ortrun, onnxruntime as ort
print(json.dumps([ort.get_available_providers(), ortrun.providers()]))
"""


def test_create_ep_factories_fails(accelerator_library, run_python, tmp_path, monkeypatch):
    monkeypatch.setenv(FAIL, "factories")
    with pytest.raises(C.Fail, match="libtest_accelerator.so' cannot be used: .*driver is too old"):
        ort.register_execution_provider_library("second", accelerator_library)
    (tmp_path / accelerator_library.name).symlink_to(accelerator_library)
    code, out, err = run_python(LISTED, {FAIL: "factories", "ORTRUN_PROVIDER_PATH": str(tmp_path)})
    assert code == 0, err
    available, listed = json.loads(out)
    assert available == [CPU]
    entry = next(entry for entry in listed if "accelerator" in entry["file"])
    assert entry["status"] == "unusable" and "driver is too old" in entry["reason"]


def test_a_library_that_does_not_load(tmp_path):
    (tmp_path / "libgarbage.so").write_bytes(b"\x7fELF and then nothing")
    with pytest.raises(C.Fail, match="libgarbage.so' cannot be used: the library could not be loaded"):
        ort.register_execution_provider_library("garbage", tmp_path / "libgarbage.so")
    assert "garbage" not in str(ort.get_available_providers())


def test_a_library_that_is_no_provider():
    library = C.ortrun_tools.runtime_path()
    with pytest.raises(C.Fail, match="does not export CreateEpFactories"):
        ort.register_execution_provider_library("itself", library)


def test_registered_twice(accelerator_library):
    with pytest.raises(C.InvalidArgument, match="'accelerator' already"):
        ort.register_execution_provider_library("accelerator", accelerator_library)


def test_a_provider_that_nobody_asked_for(accelerator_library, run_python, tmp_path, model):
    """Found in a folder and broken: sessions that do not name it are made without a word."""
    (tmp_path / accelerator_library.name).symlink_to(accelerator_library)
    (tmp_path / "model.onnx").write_bytes(model)
    program = "import onnxruntime as ort; print(ort.InferenceSession('model.onnx').get_providers())"
    code, out, err = run_python(program, {FAIL: "ep", "ORTRUN_PROVIDER_PATH": str(tmp_path)})
    assert code == 0 and CPU in out and err == ""
