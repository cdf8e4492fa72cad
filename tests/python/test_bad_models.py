# SPDX-License-Identifier: Apache-2.0
"""Models and inputs that are wrong: each is refused with an error that programs for ONNX Runtime catch.

A case has the class of the error and, for this runtime, what its message says: what is wrong, where, how to mend it.
"""

import os
import subprocess
import sys

import numpy as np
import onnxruntime as ort
import pytest
from bad_models import BOOL, FLOAT, INT64, external, info, model, nested, relu, tensor, write
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.capi import onnxruntime_pybind11_state as C
from runtime_under_test import OURS

CPU = ["CPUExecutionProvider"]
ONES = np.ones(4, np.float32).tobytes()


def load(source):
    return ort.InferenceSession(source, providers=CPU)


def refuse(source, error, *words):
    with pytest.raises(error, match=r"^\[ONNXRuntimeError\] : \d+ : [A-Z_]+ : ") as raised:
        load(source)
    if OURS:
        for word in words:
            assert word in str(raised.value), f"{word!r} is not in: {raised.value}"


# Files


def test_a_missing_file(tmp_path):
    refuse(str(tmp_path / "no.onnx"), C.NoSuchFile, "no.onnx", "File doesn't exist")


def test_an_empty_file(tmp_path):
    (tmp_path / "empty.onnx").touch()
    refuse(str(tmp_path / "empty.onnx"), C.InvalidArgument, "empty.onnx", "No graph was found", "the file is empty")
    refuse(b"", C.InvalidArgument, "No graph was found", "there are no bytes")


def test_a_message_without_a_graph():
    refuse(b"\x08\x08", C.InvalidArgument, "No graph was found in the protobuf")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"these are some words\n", "a text file"),
        (b"<!DOCTYPE html><html></html>", "an HTML or XML page"),
        (b'{"message": "not found"}', "JSON text"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "git lfs pull"),
        (b"PK\x03\x04" + bytes(64), "a zip archive"),
        (b"\xff\x00" * 32, "damaged, cut off, or no ONNX model"),
    ],
)
def test_a_file_that_is_no_model(tmp_path, content, words):
    (tmp_path / "m.onnx").write_bytes(content)
    refuse(str(tmp_path / "m.onnx"), C.InvalidProtobuf, "m.onnx", "Protobuf parsing failed", words)


def test_a_folder(tmp_path):
    refuse(str(tmp_path), C.InvalidProtobuf, "It is a folder")


# Nodes


@pytest.mark.parametrize(
    ("node", "words"),
    [
        (helper.make_node("Rellu", ["x"], ["y"], name="n"), ["Rellu", "node 'n'", "Did you mean 'Relu'?"]),
        (helper.make_node("Gelu", ["x"], ["y"], name="n"), ["node 'n' (Gelu)", "needs opset 20", "opset 17"]),
        (helper.make_node("Foo", ["x"], ["y"], name="n", domain="a.b"), ["node 'n' (a.b.Foo)", "no opset import"]),
        (
            helper.make_node("Add", ["x"], ["y"], name="n"),
            ["node 'n' (Add)", "input size 1 not in range [min=2, max=2]"],
        ),
        (helper.make_node("Add", ["x", ""], ["y"], name="n"), ["node 'n' (Add)", "input 1 is marked single"]),
        (helper.make_node("Relu", ["x", "x"], ["y"], name="n"), ["node 'n' (Relu)", "input size 2 not in range"]),
        (helper.make_node("Relu", ["x"], ["y", "z"], name="n"), ["node 'n' (Relu)", "output size 2 not in range"]),
        (helper.make_node("Relu", ["x"], ["y"], name="n", to=1), ["node 'n' (Relu)", "Unrecognized attribute: to"]),
        (helper.make_node("Cast", ["x"], ["y"], name="n"), ["node 'n' (Cast)", "Required attribute 'to' is missing"]),
        (
            helper.make_node("LeakyRelu", ["x"], ["y"], name="n", alpha=[1.0]),
            ["node 'n' (LeakyRelu)", "alpha", "Expected: 'FLOAT', actual: 'FLOATS'"],
        ),
        (helper.make_node("Not", ["x"], ["y"], name="n"), ["'tensor(float)'", "(x)", "(Not) in node (n)"]),
        (helper.make_node("Shape", ["x"], ["y"], name="n"), ["output", "(y)", "node (n)"]),
        (
            helper.make_node("Add", ["x", "i"], ["y"], name="n"),
            ["different types (tensor(float) and tensor(int64))", "node (n)"],
        ),
        (helper.make_node("SequenceLength", ["x"], ["y"], name="n"), ["(x)", "(SequenceLength) in node (n)"]),
    ],
    ids=lambda value: getattr(value, "op_type", None),
)
def test_a_node_that_its_operator_does_not_allow(node, words):
    made = model([node], inputs=[info("x", FLOAT, [2, 3]), info("i", INT64, [2, 3])])
    refuse(made, C.Fail if node.op_type == "Shape" and not OURS else (C.InvalidGraph, C.Fail), *words)


def test_an_operator_that_nobody_has():
    node = helper.make_node("Foo", ["x"], ["y"], name="n", domain="a.b")
    refuse(
        model([node], domains=["a.b"]),
        C.Fail,
        "node 'n' (a.b.Foo)",
        "domain 'a.b' is not known",
        "register the library",
    )


@pytest.mark.parametrize(("domain", "name"), [("", "ai.onnx"), ("ai.onnx.ml", "ai.onnx.ml")])
def test_an_opset_that_is_too_new(domain, name):
    refuse(model([relu()], opsets={"": 17, domain: 9999}), C.Fail, "opset 9999", f"'{name}'", "newer runtime")


def test_an_ir_version_that_is_too_new():
    refuse(model([relu()], ir_version=9999), C.Fail, "Unsupported model IR version: 9999, max supported IR version")


# Graphs


def test_a_cycle():
    nodes = [helper.make_node("Add", ["x", "b"], ["a"], name="p"), helper.make_node("Relu", ["a"], ["b"], name="q")]
    made = model([*nodes, helper.make_node("Relu", ["a"], ["y"])])
    refuse(made, C.Fail, "the graph is not acyclic", "node 'p' (Add)", "node 'q' (Relu)", "Break the cycle")


def test_a_node_that_reads_itself_through_its_body():
    body = helper.make_graph([helper.make_node("Relu", ["y"], ["w"])], "b", [], [info("w", FLOAT, None)])
    made = model(
        [helper.make_node("If", ["c"], ["y"], name="n", then_branch=body, else_branch=body)],
        inputs=[info("c", BOOL, [])],
    )
    refuse(made, (C.Fail, C.InvalidGraph, C.InvalidArgument), "node 'n' (If)")


def test_a_value_that_is_made_twice():
    made = model([relu(), helper.make_node("Abs", ["x"], ["y"], name="again")])
    refuse(made, C.Fail, "'y' is made more than once", "'again' (Abs)")


def test_two_inputs_of_one_name():
    made = model([relu()], inputs=[info("x", FLOAT, [2, 3]), info("x", FLOAT, [2, 3])])
    refuse(made, C.Fail, "two inputs", "'x'")


def test_an_output_that_nobody_makes():
    refuse(model([relu()], outputs=[info("q", FLOAT, [2, 3])]), C.Fail, "output 'q' is made by no node")


def test_an_input_that_nobody_makes():
    made = model([helper.make_node("Relu", ["xx"], ["y"], name="n")])
    refuse(made, C.InvalidArgument, "Node input 'xx'", "node 'n' (Relu)", "Did you mean 'x'?")


def branch(count=1, op="Relu", **attributes):
    element = attributes.get("to", FLOAT)
    outputs = [f"{op}{i}" for i in range(count)]
    nodes = [helper.make_node(op, ["x"], [name], **attributes) for name in outputs]
    return helper.make_graph(nodes, "branch", [], [info(name, element, None) for name in outputs])


def if_node(then_branch, else_branch):
    return helper.make_node("If", ["c"], ["y"], name="n", then_branch=then_branch, else_branch=else_branch)


@pytest.mark.parametrize("constant", [False, True])
@pytest.mark.parametrize(
    ("other", "words"),
    [
        (branch(2, "Abs"), ["node 'n' (If)", "else_branch gives 2 outputs but 1 are taken"]),
        (branch(0), ["node 'n' (If)", "else_branch gives 0 outputs but 1 are taken"]),
        (branch(1, "Cast", to=INT64), ["output 'y' of node 'n' (If) is tensor(float)", "else_branch", "tensor(int64)"]),
    ],
    ids=["more", "none", "type"],
)
def test_branches_that_differ(other, words, constant):
    flag = [tensor("c", np.array(False))] if constant else []
    inputs = [info("x", FLOAT, [2, 3]), *([] if constant else [info("c", BOOL, [])])]
    refuse(model([if_node(branch(), other)], inputs=inputs, initializers=flag), (C.Fail, C.InvalidGraph), *words)


def test_a_branch_is_missing():
    node = helper.make_node("If", ["c"], ["y"], name="n", then_branch=branch())
    made = model([node], inputs=[info("x", FLOAT, [2, 3]), info("c", BOOL, [])])
    refuse(made, C.InvalidGraph, "node 'n' (If)", "Required attribute 'else_branch' is missing")


LOOP_INPUTS = [info("i", INT64, []), info("go", BOOL, []), info("v", FLOAT, None)]


@pytest.mark.parametrize(
    ("inputs", "outputs", "words"),
    [
        (LOOP_INPUTS, ["w"], ["node 'n' (Loop)", "gives 1 outputs but 2 are taken"]),
        (LOOP_INPUTS[:2], ["go", "go"], ["node 'n' (Loop)"]),
        ([*LOOP_INPUTS, info("u", FLOAT, None)], ["go", "w"], ["node 'n' (Loop)"]),
        ([*LOOP_INPUTS[:2], info("v", TensorProto.DOUBLE, None)], ["go", "w"], ["Loop", "n"]),
    ],
    ids=["outputs", "inputs", "too many inputs", "type"],
)
def test_a_loop_whose_body_does_not_fit(inputs, outputs, words):
    types = {"go": BOOL, "w": next((i.type.tensor_type.elem_type for i in inputs if i.name == "v"), FLOAT)}
    nodes = [helper.make_node("Relu", ["v"], ["w"])] if len(inputs) > 2 else []
    body = helper.make_graph(nodes, "body", inputs, [info(name, types[name], None) for name in outputs])
    node = helper.make_node("Loop", ["t", "", "x"], ["y"], name="n", body=body)
    made = model([node], inputs=[info("x", FLOAT, [2, 3]), info("t", INT64, [])])
    refuse(made, (C.Fail, C.InvalidGraph), *words)


@pytest.mark.ours
@pytest.mark.parametrize("depth", [65, 90, 2000])
def test_graphs_that_nest_too_deep(depth):
    refuse(nested(depth), C.InvalidGraph, "graphs nest")


def test_graphs_that_nest_deep_enough_for_anybody():
    feed = {"x": np.full((2, 3), -1, np.float32), "c": np.array(True)}
    np.testing.assert_array_equal(load(nested(20)).run(None, feed)[0], np.zeros((2, 3), np.float32))


# Functions


def function(name, calls, count=1):
    values = ["a", *[f"v{i}" for i in range(count - 1)], "b"]
    nodes = [
        helper.make_node(calls, [p], [q], domain="f" if calls[0] == "F" else "") for p, q in zip(values, values[1:])
    ]
    return helper.make_function(
        "f", name, ["a"], ["b"], nodes, [helper.make_opsetid("", 17), helper.make_opsetid("f", 1)]
    )


def with_functions(functions):
    return model([helper.make_node("F0", ["x"], ["y"], domain="f")], domains=["f"], functions=functions)


def test_a_function_that_calls_itself():
    refuse(with_functions([function("F0", "F0")]), C.InvalidGraph, "f.F0", "recursive")
    refuse(with_functions([function("F0", "F1"), function("F1", "F0")]), C.InvalidGraph, "f.F0", "recursive")


@pytest.mark.ours
def test_functions_that_explode():
    functions = [function(f"F{i}", f"F{i + 1}" if i < 40 else "Relu", 2) for i in range(41)]
    refuse(with_functions(functions), C.InvalidGraph, "more than 4194304 nodes")


@pytest.mark.ours
def test_functions_that_call_too_deep():
    functions = [function(f"F{i}", f"F{i + 1}" if i < 3000 else "Relu") for i in range(3001)]
    refuse(with_functions(functions), C.InvalidGraph, "more than 256 others")
    refuse(with_functions(functions[::-1]), C.InvalidGraph, "more than 256 others")


# Tensors

ADD = [helper.make_node("Add", ["x", "w"], ["y"], name="add")]


def broken(dims, raw=None, kind=FLOAT, **fields):
    made = TensorProto(name="w", data_type=kind, dims=dims, **fields)
    if raw is not None:
        made.raw_data = raw
    return model(ADD, inputs=[info("x", FLOAT, [4])], outputs=[info("y", FLOAT, None)], initializers=[made])


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (broken([4], ONES[:-1]), ["need 16 bytes but it holds 15"]),
        (broken([4], ONES + b"1"), ["need 16 bytes but it holds 17"]),
        (broken([4], float_data=[1.0]), ["needs 4 numbers but it holds 1"]),
        (broken([4]), ["needs 4 elements but it holds 0"]),
        (broken([1 << 40]), ["needs 1099511627776 elements but it holds 0"]),
        (broken([-4], ONES), ["-4"]),
        (broken([1 << 32, 1 << 32], ONES), ["4294967296"]),
        (broken([1 << 62], ONES), ["4611686018427387904"]),
        (broken([4], ONES, kind=99), ["element type 99 is not known"]),
        (broken([4], kind=TensorProto.STRING, string_data=[b"a"]), ["needs 4 strings but it holds 1"]),
    ],
)
def test_a_tensor_that_is_not_what_it_declares(source, words):
    refuse(source, (C.Fail, C.InvalidGraph, C.InvalidProtobuf), "'w'", *words)


@pytest.mark.ours
def test_a_tensor_of_a_huge_rank():
    refuse(broken([1] * 1000, ONES[:4]), C.Fail, "'w'", "its rank is 1000, more than 64")


@pytest.mark.parametrize(
    ("array", "words"), [(np.ones((2, 3), np.int8), "tensor(int8)"), (np.ones(5, np.float32), "{5}")]
)
def test_a_default_that_is_not_what_its_input_declares(array, words):
    refuse(model([relu()], initializers=[tensor("x", array)]), C.Fail, "input 'x'", words, "{2,3}")


# External data


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "model"
    (made / "sub").mkdir(parents=True)
    (made / "in.bin").write_bytes(ONES)
    (made / "sub" / "in.bin").write_bytes(ONES)
    (made / "short.bin").write_bytes(ONES[:8])
    (tmp_path / "out.bin").write_bytes(ONES)
    (made / "link_out").symlink_to("../out.bin")
    (made / "link_in").symlink_to("sub/in.bin")
    (made / "sub_out").symlink_to("..")
    os.mkfifo(made / "fifo")
    return made


@pytest.mark.parametrize("location", ["in.bin", "sub/in.bin", "./in.bin", "sub/../in.bin", "link_in"])
def test_external_data_inside_the_folder(folder, location, monkeypatch):
    path = write(folder / "m.onnx", external(location))
    feed = {"x": np.arange(4, dtype=np.float32)}
    np.testing.assert_array_equal(load(path).run(None, feed)[0], feed["x"] + 1)
    monkeypatch.chdir(folder)
    np.testing.assert_array_equal(load("m.onnx").run(None, feed)[0], feed["x"] + 1)


def test_model_and_data_of_a_download_cache(tmp_path):
    """A folder of links, for the model as for its data, into one folder of files."""
    blobs, snapshot = tmp_path / "blobs", tmp_path / "snapshots" / "main"
    blobs.mkdir()
    snapshot.mkdir(parents=True)
    write(blobs / "0", external("w.bin"))
    (blobs / "1").write_bytes(ONES)
    (snapshot / "m.onnx").symlink_to("../../blobs/0")
    (snapshot / "w.bin").symlink_to("../../blobs/1")
    session = load(str(snapshot / "m.onnx"))
    np.testing.assert_array_equal(session.run(None, {"x": np.zeros(4, np.float32)})[0], np.ones(4, np.float32))


@pytest.mark.parametrize(
    ("location", "words"),
    [
        ("../out.bin", "leaves the model's folder"),
        ("sub/../../out.bin", "leaves the model's folder"),
        ("link_out", "outside the model's folder"),
        ("sub_out/../../out.bin", "leaves the model's folder"),
        ("/etc/passwd", "must be a path relative to the model's folder"),
        ("", "must be a path relative to the model's folder"),
        ("no.bin", "there is no such file"),
        ("sub", "it is no regular file"),
        ("fifo", "it is no regular file"),
        ("short.bin", "needs 16 bytes at offset 0 but the file has 8"),
    ],
)
def test_external_data_is_refused(folder, location, words):
    if not OURS and location in ("fifo", "sub", ""):
        pytest.skip("a folder or pipe is read, an empty name taken for data inside the model")
    refuse(write(folder / "m.onnx", external(location)), C.Fail, "'w'", location, words)


def test_external_data_through_a_link_to_a_folder(folder, tmp_path):
    (folder / "up").symlink_to(tmp_path)
    refuse(write(folder / "m.onnx", external("up/out.bin")), C.Fail, "'w'", "outside the model's folder")


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ({"offset": "-4"}, "offset '-4', which is no number"),
        ({"offset": " -4"}, "offset"),
        ({"offset": "4"}, "needs 16 bytes at offset 4 but the file has 16"),
        ({"offset": str(1 << 62)}, "at offset 4611686018427387904"),
        ({"offset": str(1 << 63)}, "an impossible offset"),
        ({"offset": str(1 << 70)}, "offset"),
        ({"offset": "four"}, "offset 'four', which is no number"),
        ({"length": "-1"}, "length '-1', which is no number"),
        ({"length": "8"}, "has 8 bytes but its type and shape need 16"),
        ({"length": str(1 << 62)}, "has 4611686018427387904 bytes but its type and shape need 16"),
    ],
)
def test_external_data_with_a_wrong_place(folder, place, words):
    refuse(write(folder / "m.onnx", external("in.bin", **place)), C.Fail, *(["'w'", words] if OURS else []))


def test_external_data_of_a_model_from_bytes(folder, monkeypatch):
    refuse(external("in.bin"), C.Fail, "'w'", "from memory", "session.model_external_initializers_file_folder_path")
    options = ort.SessionOptions()
    options.add_session_config_entry("session.model_external_initializers_file_folder_path", str(folder))
    session = ort.InferenceSession(external("in.bin"), options, providers=CPU)
    np.testing.assert_array_equal(session.run(None, {"x": np.zeros(4, np.float32)})[0], np.ones(4, np.float32))


# Inputs of a run


@pytest.fixture(scope="module")
def two_inputs():
    inputs = [info("pixels", FLOAT, ["N", 3]), info("mask", INT64, [2])]
    nodes = [helper.make_node("Relu", ["pixels"], ["y"]), helper.make_node("Neg", ["mask"], ["z"])]
    return load(model(nodes, inputs=inputs, outputs=[info("y", FLOAT, None), info("z", INT64, None)]))


PIXELS = np.ones((2, 3), np.float32)
MASK = np.ones(2, np.int64)


@pytest.mark.parametrize(
    ("feed", "error", "words"),
    [
        ({"pixel": PIXELS, "mask": MASK}, ValueError, ["'pixel'", "did you mean 'pixels'", "'pixels' tensor(float)"]),
        ({"pixels": PIXELS}, ValueError, ["required input 'mask'", "is missing"]),
        ({}, ValueError, ["'pixels'", "'mask'", "missing"]),
        ({"pixels": PIXELS, "mask": MASK, "q": MASK}, C.InvalidArgument, ["'q'", "'pixels'", "'mask'"]),
        ({"pixels": PIXELS.astype(np.float64), "mask": MASK}, C.InvalidArgument, ["'pixels'", "double", "float"]),
        ({"pixels": PIXELS[0], "mask": MASK}, C.InvalidArgument, ["'pixels'", "Invalid rank", "got 1", "expected 2"]),
        ({"pixels": PIXELS[:, :2], "mask": MASK}, C.InvalidArgument, ["'pixels'", "[2, 2]", "['N', 3]"]),
        (
            {"pixels": PIXELS[0], "mask": MASK.astype(np.int32)},
            C.InvalidArgument,
            ["2 wrong inputs", "'pixels': Invalid rank", "'mask': Unexpected input data type"],
        ),
    ],
    ids=["name", "missing", "none", "unknown", "type", "rank", "dimension", "several"],
)
def test_inputs_that_do_not_fit(two_inputs, feed, error, words):
    with pytest.raises(error) as raised:
        two_inputs.run(None, feed)
    if OURS:
        for word in words:
            assert word in str(raised.value)


def test_an_output_of_another_name(two_inputs):
    with pytest.raises((C.InvalidArgument, ValueError), match="Y"):
        two_inputs.run(["Y"], {"pixels": PIXELS, "mask": MASK})


@pytest.mark.ours
def test_a_sequence_of_other_elements():
    sequence = helper.make_tensor_sequence_value_info("s", FLOAT, None)
    made = helper.make_tensor_sequence_value_info("y", FLOAT, None)
    session = load(model([helper.make_node("Identity", ["s"], ["y"])], inputs=[sequence], outputs=[made]))
    with pytest.raises((C.InvalidArgument, RuntimeError), match="tensor.int8."):
        session.run(None, {"s": [np.ones(3, np.int8)]})


# The shell


@pytest.mark.ours
def test_the_shell_says_what_is_wrong(tmp_path):
    command = [sys.executable, "-c", "from ortrun._command import main; main()", "run"]

    def run(*arguments):
        return subprocess.run([*command, *arguments], capture_output=True, text=True, timeout=60)

    good = write(tmp_path / "good.onnx", model([relu()]))
    assert run(good).returncode == 0
    bad = run(write(tmp_path / "bad.onnx", model([helper.make_node("Rellu", ["x"], ["y"], name="n")])))
    assert bad.returncode not in (0, -6, -11)
    assert "Did you mean 'Relu'?" in bad.stderr and "node 'n'" in bad.stderr
    missing = run(str(tmp_path / "no.onnx"))
    assert missing.returncode not in (0, -6, -11)
    assert "no.onnx" in missing.stderr
    np.save(tmp_path / "x.npy", np.ones(3, np.float64))
    wrong = run(good, "--input", f"x={tmp_path / 'x.npy'}")
    assert wrong.returncode not in (0, -6, -11)
    assert "x" in wrong.stderr


def test_numbers_in_any_field_are_taken(tmp_path):
    """The counterpart of the broken tensors: the same tensors, whole."""
    array = np.arange(4, dtype=np.float32)
    for made in (
        TensorProto(name="w", data_type=FLOAT, dims=[4], float_data=array),
        numpy_helper.from_array(array, "w"),
    ):
        source = model(ADD, inputs=[info("x", FLOAT, [4])], outputs=[info("y", FLOAT, [4])], initializers=[made])
        np.testing.assert_array_equal(load(source).run(None, {"x": array})[0], 2 * array)
