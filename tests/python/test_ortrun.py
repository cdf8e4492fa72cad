# SPDX-License-Identifier: Apache-2.0
"""The package `ortrun`: what goes beyond ONNX Runtime."""

import onnxruntime as ort
import pytest

pytestmark = pytest.mark.ours


@pytest.fixture
def ortrun():
    import ortrun

    return ortrun


@pytest.fixture
def host_has_tools():
    if not ort.capi.onnxruntime_pybind11_state.ortrun_tools.has("ortrun.ListProviders"):
        pytest.skip("the library beside the binding is not this project's")


@pytest.mark.usefixtures("host_has_tools")
def test_providers(ortrun):
    found = {entry["name"]: entry for entry in ortrun.providers()}
    cpu = found["CPUExecutionProvider"]
    assert cpu["status"] == "ready" and cpu["file"].endswith(".so") and cpu["devices"][0]["type"] == "CPU"


@pytest.mark.usefixtures("host_has_tools")
def test_explain(ortrun, add_model, add_session):
    for source in (add_model, add_session):
        explained = ortrun.explain(source)
        assert explained["providers"] == ["CPUExecutionProvider"]
        assert [(n["op"], n["provider"]) for n in explained["nodes"]] == [("Add", "CPUExecutionProvider")]


@pytest.mark.usefixtures("host_has_tools")
def test_model_info(ortrun, add_model, tmp_path):
    file = tmp_path / "add.onnx"
    file.write_bytes(add_model)
    info = ortrun.model_info(file)
    assert info["producer"] == "tests" and info["operators"] == {"Add": 1} and info["nodes"] == 1
    assert info["inputs"][0]["name"] == "x" and info["inputs"][0]["shape"] == ["N", 2]
    with pytest.raises(Exception, match="no/such/model.onnx"):
        ortrun.model_info("no/such/model.onnx")


@pytest.mark.usefixtures("host_has_tools")
def test_counters(ortrun, add_session, add_feed):
    for _ in range(3):
        add_session.run(None, add_feed)
    assert ortrun.counters(add_session)["runs"] == 3


def test_a_host_without_the_functions_is_named(ortrun, monkeypatch):
    tools = ort.capi.onnxruntime_pybind11_state.ortrun_tools
    if tools.has("ortrun.ListProviders"):
        assert isinstance(ortrun.providers(), list)
    else:
        with pytest.raises(
            ort.capi.onnxruntime_pybind11_state.NotImplemented, match="does not offer ortrun.ListProviders"
        ):
            ortrun.providers()
