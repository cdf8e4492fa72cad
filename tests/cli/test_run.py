# SPDX-License-Identifier: Apache-2.0
"""`ortrun run`: inputs, outputs, repetition, profile."""

import json

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper


@pytest.fixture
def files(tmp_path, left, right):
    np.save(tmp_path / "left.npy", left)
    np.save(tmp_path / "right.npy", right)
    np.savez(tmp_path / "both.npz", left=left, right=right)
    np.savez_compressed(tmp_path / "packed.npz", left=left, right=right)
    (tmp_path / "both.json").write_text(json.dumps({"left": left.tolist(), "right": right.tolist()}))
    (tmp_path / "left.json").write_text(json.dumps(left.tolist()))


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize(
    "inputs",
    [
        ("left=left.npy", "right=right.npy"),
        ("both.npz",),
        ("packed.npz",),
        ("both.json",),
        ("left=left.json", "right=right.npy"),
    ],
)
def test_inputs_from_files_and_saved_outputs(ortrun, model, tmp_path, left, right, inputs):
    words = [word for given in inputs for word in ("--input", given)]
    done = ortrun("run", model, *words, "--save", "results/here", "--json")
    assert done.code == 0 and done.err == ""
    np.testing.assert_array_equal(np.load(tmp_path / "results/here/total.npy"), left + right)
    np.testing.assert_array_equal(np.load(tmp_path / "results/here/count.npy"), [3, 2])
    total = done.json["outputs"]["total"]
    assert total["type"] == "float32" and total["shape"] == [3, 2] and total["first"][0] == 11
    assert (total["min"], total["max"]) == (11, 26)


@pytest.mark.usefixtures("files")
def test_the_only_input_needs_no_name(ortrun, doubling, model):
    assert ortrun("run", doubling, "-i", "left.npy", "--json").json["outputs"]["y"]["max"] == 12
    ortrun("run", model, "-i", "left.npy").failed(5, "2 inputs", "NAME=left.npy")


def test_random_inputs(ortrun, model):
    first = ortrun("run", model, "--dim", "batch=5", "--json").json
    assert first["inputs"]["left"]["shape"] == [5, 2] and first["outputs"]["total"]["shape"] == [5, 2]
    assert first["outputs"] == ortrun("run", model, "-d", "batch=5", "--seed", "0", "--json").json["outputs"]
    assert first["outputs"] != ortrun("run", model, "-d", "batch=5", "--seed", "1", "--json").json["outputs"]
    assert ortrun("run", model, "--json").json["inputs"]["left"]["shape"] == [1, 2]


def test_wrong_dimensions(ortrun, model):
    ortrun("run", model, "--dim", "bach=5").failed(5, "no free dimension 'bach'", "Did you mean 'batch'?")
    ortrun("explain", model, "--dim", "bach=5").failed(5, "Did you mean 'batch'?")


@pytest.mark.usefixtures("files")
def test_wrong_inputs(ortrun, model, doubling, tmp_path):
    ortrun("run", model, "-i", "lft=left.npy").failed(5, "no input 'lft'", "Did you mean 'left'?", "left, right")
    ortrun("run", model, "-i", "left=missing.npy").failed(5, "missing.npy")
    ortrun("run", model, "-i", "left=left.txt").failed(5, ".npy, .npz or .json")
    ortrun("run", doubling, "-i", "both.npz").failed(5, "no input 'left'", "Its inputs are: x")
    np.save(tmp_path / "doubles.npy", np.zeros((1, 2)))
    ortrun("run", doubling, "-i", "doubles.npy").failed(5, "x", "double", "float")
    np.save(tmp_path / "wide.npy", np.zeros((1, 3), np.float32))
    ortrun("run", doubling, "-i", "wide.npy").failed(5, "x", "3", "2")
    for name, content in {
        "cut.npy": (tmp_path / "left.npy").read_bytes()[:140],
        "text.npy": b"no array",
        "text.npz": b"no archive",
        "text.json": b"{",
        "list.json": b"[[1, 2]]",
        "ragged.json": b'{"x": [[1, 2], [3]]}',
        "words.json": b'{"x": [["a", "b"]]}',
        "huge.json": b'{"x": [[1e999, 2]]}',
    }.items():
        (tmp_path / name).write_bytes(content)
        ortrun("run", doubling, "-i", name).failed(5, "x" if name[:3] in ("rag", "wor") else name)


def test_repeat_and_text(ortrun, doubling):
    done = ortrun("run", doubling, "--repeat", "7")
    assert done.code == 0 and done.err == "" and "median of 7" in done.out and "output  y  float32[1,2]" in done.out
    report = ortrun("run", doubling, "--repeat", "7", "--json").json
    assert report["runs"] == 7 and report["time_ms"]["min"] <= report["time_ms"]["median"] <= report["time_ms"]["max"]
    assert report["providers"] == {"CPUExecutionProvider": {"Mul": 1}}


def test_profile(ortrun, doubling, tmp_path):
    done = ortrun("run", doubling, "--profile=trace", "--json")
    assert done.code == 0 and done.err == ""
    profile = done.json["profile"]
    assert profile.startswith("trace")
    events = json.loads((tmp_path / profile).read_text())
    assert any(event.get("args", {}).get("op_name") == "Mul" for event in events)
    assert ortrun("run", doubling, "--profile").code == 0


def test_threads_optimization_and_config(ortrun, doubling):
    done = ortrun("run", doubling, "-t", "2", "-O", "0", "-c", "session.intra_op.allow_spinning=0", "--json")
    assert done.code == 0 and done.json["outputs"]["y"]["shape"] == [1, 2]


def test_a_folder_that_cannot_be_made(ortrun, doubling, tmp_path):
    (tmp_path / "file").touch()
    done = ortrun("run", doubling, "--save", "file/folder")
    assert done.code == 1 and "file/folder" in done.err


def test_names_of_outputs_that_are_no_file_names(ortrun, tmp_path):
    graph = helper.make_graph(
        [helper.make_node("Identity", ["x"], ["a/b:0"])],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.INT64, [2])],
        [helper.make_tensor_value_info("a/b:0", TensorProto.INT64, [2])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, tmp_path / "m.onnx")
    assert ortrun("run", "m.onnx", "--save", "out").code == 0
    assert np.load(tmp_path / "out" / "a_b_0.npy").shape == (2,)


@pytest.mark.parametrize("kind", ["float32", "float64", "float16", "int8", "uint8", "int32", "int64", "bool", "object"])
def test_element_types(ortrun, tmp_path, kind):
    dtype = np.dtype(kind)
    onnx_type = TensorProto.STRING if kind == "object" else helper.np_dtype_to_tensor_dtype(dtype)
    graph = helper.make_graph(
        [helper.make_node("Identity", ["x"], ["y"])],
        "g",
        [helper.make_tensor_value_info("x", onnx_type, [2])],
        [helper.make_tensor_value_info("y", onnx_type, [2])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, tmp_path / "m.onnx")
    x = np.array(["one", "zwölf"]) if kind == "object" else np.array([0, 1], dtype)
    np.save(tmp_path / "x.npy", x)
    for source in ("x=x.npy", None):
        words = ("-i", source) if source else ()
        done = ortrun("run", "m.onnx", *words, "--save", ".")
        assert done.code == 0, done.err
        if source:
            np.testing.assert_array_equal(np.load(tmp_path / "y.npy"), x)
