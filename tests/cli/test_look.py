# SPDX-License-Identifier: Apache-2.0
"""`ortrun providers`, `ortrun info`, `ortrun explain`."""

CPU = "CPUExecutionProvider"


def test_providers(ortrun):
    done = ortrun("providers")
    assert done.code == 0 and done.err == ""
    assert done.out.startswith(f"{CPU}  ") and "ready" in done.out and "file" in done.out and "device  CPU" in done.out
    (entry,) = ortrun("providers", "--json").json
    assert entry["name"] == CPU and entry["status"] == "ready" and entry["file"].endswith(".so")
    assert entry["devices"][0]["type"] == "CPU" and entry["version"] and entry["reason"] == ""


def test_info(ortrun, model):
    done = ortrun("info", model)
    assert done.code == 0 and done.err == ""
    for part in ("model.onnx", "tests", "ai.onnx 17", "left", "batch", "total", "Addx1", "Shapex1", "author = someone"):
        assert part in done.out
    info = ortrun("info", model, "--json").json
    assert info["inputs"][0] == {"name": "left", "type": "tensor(float)", "shape": ["batch", 2]}
    assert info["operators"] == {"Add": 1, "Shape": 1} and info["nodes"] == 2 and info["opsets"] == {"": 17}
    assert info["metadata"] == {"author": "someone"} and info["producer"] == "tests"


def test_explain(ortrun, model):
    done = ortrun("explain", model)
    assert done.code == 0 and done.err == "" and f"{CPU}  Add  'sum'" in done.out
    explained = ortrun("explain", model, "--json").json
    assert explained["providers"] == [CPU] and explained["copies"] == 0
    assert {node["op"]: node["provider"] for node in explained["nodes"]} == {"Add": CPU, "Shape": CPU}
