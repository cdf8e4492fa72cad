# SPDX-License-Identifier: Apache-2.0
"""`ortrun explain`: for each node of the cpu, why the accelerator did not take it."""

import json
import subprocess
from pathlib import Path

import onnxruntime as ort
import ortrun
import pytest
from onnx import TensorProto, helper

ACCELERATOR = "SimulatedAccelerator"
CPU = "CPUExecutionProvider"


@pytest.fixture
def explain(accelerator_library, tmp_path, monkeypatch):
    """Runs the command with the accelerator found in a folder."""
    folder = tmp_path / "found"
    folder.mkdir()
    (folder / accelerator_library.name).symlink_to(accelerator_library)
    monkeypatch.setenv("ORTRUN_PROVIDER_PATH", str(folder))
    command = Path(ort.__file__).parents[1] / "ortrun" / "bin" / "ortrun"

    def run(model, *words):
        (tmp_path / "model.onnx").write_bytes(model)
        done = subprocess.run(
            [command, "explain", tmp_path / "model.onnx", "--providers", f"{ACCELERATOR},{CPU}", *words],
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0 and done.stderr == "", done.stderr
        return done.stdout

    return run


@pytest.fixture
def model():
    """Each node but the first is refused for another reason."""
    nodes = [
        helper.make_node("Tanh", ["x"], ["a"], name="taken"),
        helper.make_node("Sin", ["a"], ["b"], name="no kernel"),
        helper.make_node("Cast", ["b"], ["c"], name="", to=TensorProto.DOUBLE),
        helper.make_node("Add", ["c", "c"], ["y"], name="wrong type"),
    ]
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [4])],
        [helper.make_tensor_value_info("y", TensorProto.DOUBLE, [4])],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()


def test_json(explain, model):
    explained = json.loads(explain(model, "--json", "--optimization", "0"))
    assert explained["providers"] == [ACCELERATOR, CPU] and explained["copies"] == 2
    placed = {node["op"]: node for node in explained["nodes"]}
    assert placed["Tanh"]["provider"] == ACCELERATOR and placed["Tanh"]["declined"] == []
    reasons = {op: node["declined"] for op, node in placed.items() if node["provider"] == CPU}
    assert reasons["Sin"] == [{"provider": ACCELERATOR, "reason": "it has no kernel for Sin"}]
    assert reasons["Cast"] == [{"provider": ACCELERATOR, "reason": "it has no kernel for Cast"}]
    (refusal,) = reasons["Add"]
    assert refusal["provider"] == ACCELERATOR
    assert "its kernel for Add does not serve these types" in refusal["reason"]
    assert "double" in refusal["reason"] and "float" in refusal["reason"]


def test_text(explain, model):
    text = explain(model, "--optimization", "0")
    assert f"providers in order: {ACCELERATOR} {CPU}" in text
    assert f"{ACCELERATOR}  Tanh  'taken'" in text
    assert f"{CPU}  Sin  'no kernel'\n    not on {ACCELERATOR}: it has no kernel for Sin\n" in text


def test_versions(build_split, split):
    """The accelerator's Softmax begins with version 13."""
    model = build_split([helper.make_node("Softmax", ["x"], ["y"])], {"x": [2, 4]}, {"y": [2, 4]}, opset=12)
    (node,) = ortrun.explain(split(model))["nodes"]
    assert node["provider"] == CPU
    assert "serve versions 13-24, the node is of version" in node["declined"][0]["reason"]


def test_nodes_without_names_and_bodies_of_one_name(build_split, split):
    """Reasons are those of the node itself, also where names repeat."""

    def body(op):
        info = helper.make_tensor_value_info("out", TensorProto.FLOAT, [4])
        return helper.make_graph([helper.make_node(op, ["x"], ["out"])], "body", [], [info])

    nodes = [
        helper.make_node("Cast", ["flag"], ["condition"], to=TensorProto.BOOL),
        helper.make_node("If", ["condition"], ["y"], then_branch=body("Sin"), else_branch=body("Cos")),
    ]
    session = split(build_split(nodes, {"x": [4], "flag": []}, {"y": [4]}))
    for node in ortrun.explain(session)["nodes"]:
        assert node["declined"] == [{"provider": ACCELERATOR, "reason": f"it has no kernel for {node['op']}"}]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["resnet50", "bert_base"])
def test_every_node_of_the_cpu_has_a_reason(bench_model, split, name):
    """Fused ones too: they stand for nodes that were refused."""
    for node in ortrun.explain(split(str(bench_model(name).path)))["nodes"]:
        assert (node["provider"] == ACCELERATOR) == (node["declined"] == []), node
