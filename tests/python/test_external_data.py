# SPDX-License-Identifier: Apache-2.0
"""Where a model's weights come from: its own file, files beside it, memory, the caller."""

import io
import os
import subprocess
import sys

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper, numpy_helper

CPU = ["CPUExecutionProvider"]
W = np.arange(4096, dtype=np.float32)
X = np.ones(4096, np.float32)


def external(name, location, offset=0, length=W.nbytes, shape=(4096,)):
    tensor = TensorProto(name=name, data_type=TensorProto.FLOAT, dims=shape, data_location=TensorProto.EXTERNAL)
    for key, value in (("location", location), ("offset", offset), ("length", length)):
        if value is not None:
            entry = tensor.external_data.add()
            entry.key, entry.value = key, str(value)
    return tensor


def model_of(*tensors, nodes=None, dense=()):
    nodes = nodes or [helper.make_node("Add", ["x", "w"], ["y"])]
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [4096])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [4096])],
        [*tensors, *dense],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()


def run(source, options=None):
    source = source if isinstance(source, bytes) else str(source)
    return ort.InferenceSession(source, options, providers=CPU).run(None, {"x": X})[0]


@pytest.fixture
def folder(tmp_path):
    """A folder 'm' with a model 'm.onnx' whose weight lies in 'w.bin'."""
    (tmp_path / "m/sub").mkdir(parents=True)
    (tmp_path / "m/w.bin").write_bytes(W.tobytes())
    (tmp_path / "out.bin").write_bytes(W.tobytes())
    (tmp_path / "m/m.onnx").write_bytes(model_of(external("w", "w.bin")))
    return tmp_path


@pytest.mark.ours
def test_a_hard_linked_file_is_one_of_the_folder(folder):
    os.link(folder / "m/w.bin", folder / "cached")
    np.testing.assert_array_equal(run(folder / "m/m.onnx"), W + 1)


def test_a_link_may_lead_within_the_folder(folder):
    os.rename(folder / "m/w.bin", folder / "m/sub/real.bin")
    (folder / "m/w.bin").symlink_to("sub/real.bin")
    np.testing.assert_array_equal(run(folder / "m/m.onnx"), W + 1)


@pytest.mark.ours
def test_a_cache_may_link_model_and_data_alike(folder):
    (folder / "blobs").mkdir()
    for name in ("m.onnx", "w.bin"):
        os.rename(folder / "m" / name, folder / "blobs" / name)
        (folder / "m" / name).symlink_to(f"../blobs/{name}")
    np.testing.assert_array_equal(run(folder / "m/m.onnx"), W + 1)
    (folder / "m/other.onnx").write_bytes((folder / "blobs/m.onnx").read_bytes())
    with pytest.raises(Exception, match="outside the model's folder"):
        run(folder / "m/other.onnx")


OUTSIDE = [
    "../out.bin",
    "sub/../../out.bin",
    "link.bin",
    "up/out.bin",
    "absolute",
    "sub",
    "",
    "no.bin",
    "fifo",
    "w.bin/",
]


@pytest.mark.ours
@pytest.mark.parametrize("location", OUTSIDE)
@pytest.mark.parametrize("place", ["initializer", "constant", "attribute", "body", "function", "sparse values"])
def test_what_lies_elsewhere_is_refused_wherever_the_tensor_stands(folder, location, place):
    (folder / "m/link.bin").symlink_to("../out.bin")
    (folder / "m/up").symlink_to("..")
    os.mkfifo(folder / "m/fifo")
    tensor = external("w", str(folder / "out.bin") if location == "absolute" else location)
    add, constant = helper.make_node("Add", ["x", "w"], ["y"]), helper.make_node("Constant", [], ["w"], value=tensor)
    info = helper.make_tensor_value_info
    if place == "initializer":
        model = model_of(tensor)
    elif place == "constant":
        model = model_of(nodes=[constant, add])
    elif place == "attribute":
        tensor.dims[:] = [1]
        tensor.external_data[2].value = "4"
        model = model_of(
            nodes=[
                helper.make_node("Shape", ["x"], ["s"]),
                add,
                helper.make_node("ConstantOfShape", ["s"], ["w"], value=tensor),
            ]
        )
    elif place == "body":
        body = helper.make_graph(
            [helper.make_node("Add", ["x", "w"], ["z"])], "b", [], [info("z", TensorProto.FLOAT, [4096])], [tensor]
        )
        nodes = [helper.make_node("If", ["c"], ["y"], then_branch=body, else_branch=body)]
        model = model_of(nodes=nodes, dense=[numpy_helper.from_array(np.array(True), "c")])
    elif place == "function":
        function = helper.make_function("l", "f", ["x"], ["y"], [constant, add], [helper.make_opsetid("", 17)])
        whole = onnx.ModelProto.FromString(model_of(nodes=[helper.make_node("f", ["x"], ["y"], domain="l")]))
        whole.functions.append(function)
        whole.opset_import.append(helper.make_opsetid("l", 1))
        model = whole.SerializeToString()
    else:
        whole = onnx.ModelProto.FromString(model_of())
        indices = numpy_helper.from_array(np.arange(4096), "i")
        whole.graph.sparse_initializer.append(helper.make_sparse_tensor(tensor, indices, [4096]))
        model = whole.SerializeToString()
    (folder / "m/bad.onnx").write_bytes(model)
    with pytest.raises(Exception, match=r"External data of tensor '.*' is refused"):
        run(folder / "m/bad.onnx")


@pytest.mark.ours
@pytest.mark.parametrize(
    ("offset", "length"),
    [
        (4, W.nbytes),
        (0, W.nbytes - 4),
        (-4, W.nbytes),
        (2**63, W.nbytes),
        (2**64 - 4, W.nbytes),
        ("1x", W.nbytes),
        ("", W.nbytes),
        (" 0", W.nbytes),
        (0, 2**64 - 1),
        (0, "many"),
    ],
)
def test_places_that_do_not_fit_are_refused(folder, offset, length):
    (folder / "m/bad.onnx").write_bytes(model_of(external("w", "w.bin", offset, length)))
    with pytest.raises(Exception, match="'w'"):
        run(folder / "m/bad.onnx")


@pytest.mark.ours
def test_where_there_is_no_proc(folder):
    """In a root of its own, in a process that has its provider already."""
    program = f"""
import os, onnxruntime as ort, numpy as np
os.chroot({str(folder)!r}); os.chdir("/")
assert not os.path.exists("/proc")
s = ort.InferenceSession("/m/m.onnx", providers={CPU!r})
print(s.run(None, {{"x": np.ones(4096, np.float32)}})[0][-1])
"""
    if os.geteuid() != 0:
        pytest.skip("only root may change its root")
    warm = "import onnxruntime as ort\n" + f"ort.InferenceSession({str(folder / 'm/m.onnx')!r}, providers={CPU!r})\n"
    done = subprocess.run([sys.executable, "-c", warm + program], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "4096.0", done.stderr


def test_bytes_have_no_folder_but_the_one_that_is_named(folder):
    model = (folder / "m/m.onnx").read_bytes()
    options = ort.SessionOptions()
    options.add_session_config_entry("session.model_external_initializers_file_folder_path", str(folder / "m"))
    np.testing.assert_array_equal(run(model, options), W + 1)
    before = os.getcwd()
    os.chdir(folder / "m")
    try:
        with pytest.raises(Exception, match=r"no folder|External"):
            ort.InferenceSession(model_of(external("w", "../out.bin")), options, providers=CPU)
    finally:
        os.chdir(before)


GIVE = {
    "add_initializer": lambda options, name, value: options.add_initializer(name, value),
    "add_external_initializers": lambda options, name, value: options.add_external_initializers([name], [value]),
}


@pytest.mark.ours
@pytest.mark.parametrize("way", GIVE)
@pytest.mark.parametrize("source", ["path", "bytes"])
@pytest.mark.parametrize("location", ["w.bin", "../out.bin", ""])
def test_a_given_weight_needs_no_file(folder, way, source, location):
    os.remove(folder / "m/w.bin")
    (folder / "m/m.onnx").write_bytes(model_of(external("w", location)))
    options, value = ort.SessionOptions(), ort.OrtValue.ortvalue_from_numpy(np.full(4096, 5, np.float32))
    GIVE[way](options, "w", value)
    path = folder / "m/m.onnx"
    assert run(path if source == "path" else path.read_bytes(), options).tolist() == [6] * 4096


@pytest.mark.ours
@pytest.mark.parametrize("way", GIVE)
def test_a_given_weight_must_be_like_the_models(folder, way):
    for wrong in (np.zeros(4095, np.float32), np.zeros((1, 4096), np.float32), np.zeros(4096)):
        options = ort.SessionOptions()
        value = ort.OrtValue.ortvalue_from_numpy(wrong)
        GIVE[way](options, "w", value)
        with pytest.raises(Exception, match="the initializer given for 'w' is"):
            run(folder / "m/m.onnx", options)


def test_a_given_weight_that_the_model_has_not(folder):
    value = ort.OrtValue.ortvalue_from_numpy(W)
    for name in ("nope", "x", "y"):
        options = ort.SessionOptions()
        options.add_external_initializers([name], [value])
        with pytest.raises(Exception, match=f"Failed to find existing initializer with name {name}"):
            run(folder / "m/m.onnx", options)
        options = ort.SessionOptions()
        options.log_severity_level = 4
        options.add_initializer(name, value)
        np.testing.assert_array_equal(run(folder / "m/m.onnx", options), W + 1)


def test_a_constant_may_be_given():
    constant = helper.make_node("Constant", [], ["w"], value=numpy_helper.from_array(W, "w"))
    options, value = ort.SessionOptions(), ort.OrtValue.ortvalue_from_numpy(W * 2)
    options.add_initializer("w", value)
    model = model_of(nodes=[constant, helper.make_node("Add", ["x", "w"], ["y"])])
    np.testing.assert_array_equal(run(model, options), W * 2 + 1)


@pytest.mark.parametrize("given", ["w.bin", "./w.bin"])
@pytest.mark.parametrize("offset", [0, 3, 64])
def test_files_may_be_given_in_memory(folder, given, offset):
    os.remove(folder / "m/w.bin")
    data = b"\0" * offset + W.tobytes()
    model = model_of(external("w", "w.bin", offset))
    (folder / "m/m.onnx").write_bytes(model)
    for source in (model, folder / "m/m.onnx"):
        options = ort.SessionOptions()
        options.add_external_initializers_from_files_in_memory([given], [data], [len(data)])
        np.testing.assert_array_equal(run(source, options), W + 1)
    options = ort.SessionOptions()
    options.add_external_initializers_from_files_in_memory([given], [data], [len(data) - 1])
    with pytest.raises(Exception, match="w"):
        run(model, options)


CHANGED = r"""
import os, sys
import numpy as np, onnxruntime as ort
path, what, level, key = sys.argv[1:]
options = ort.SessionOptions()
options.graph_optimization_level = ort.GraphOptimizationLevel(int(level))
if key: options.add_session_config_entry(key, "1")
model = sys.argv[1].replace("w.bin", "m.onnx")
session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
size = os.path.getsize(path)
if what == "truncated": os.truncate(path, 0)
elif what == "written over": open(path, "r+b").write(b"A" * size)
elif what == "saved anew": open(path, "wb").write(b"another")
else: os.remove(path)
feed = {i.name: np.ones([d if isinstance(d, int) else 2 for d in i.shape], np.float32) for i in session.get_inputs()}
for _ in range(2): results = session.run(None, feed)
np.save(sys.stdout.buffer, np.concatenate([r.ravel() for r in results]))
"""


def after(path, what, level, key=""):
    done = subprocess.run(
        [sys.executable, "-c", CHANGED, str(path), what, str(level), key], capture_output=True, timeout=60
    )
    assert done.returncode == 0, (done.returncode, done.stderr.decode()[-300:])
    return np.load(io.BytesIO(done.stdout))


@pytest.mark.parametrize("level", [0, 99])
@pytest.mark.parametrize("what", ["truncated", "written over", "saved anew", "removed"])
def test_a_session_keeps_the_weights_of_its_models_file(tmp_path, what, level):
    """Read where they stand, packed, in a body, in an attribute; aligned in the file or not."""
    random, info = np.random.default_rng(0), helper.make_tensor_value_info
    w = random.standard_normal((64, 64)).astype(np.float32)
    weights = [numpy_helper.from_array(w + i, f"w{i}") for i in range(3)]
    body = helper.make_graph(
        [helper.make_node("Add", ["p", "inner"], ["z"])],
        "b",
        [],
        [info("z", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(w * 2, "inner")],
    )
    nodes = [
        helper.make_node("MatMul", ["x", "w0"], ["p"]),
        helper.make_node("Add", ["p", "w1"], ["q"]),
        helper.make_node("If", ["c"], ["y"], then_branch=body, else_branch=body),
        helper.make_node("Mul", ["x", "w2"], ["r"]),
        helper.make_node("Constant", [], ["k"], value=numpy_helper.from_array(w * 3)),
        helper.make_node("Mul", ["q", "k"], ["s"]),
    ]
    for pad in range(4):
        graph = helper.make_graph(
            nodes,
            "g" * (1 + pad),
            [info("x", TensorProto.FLOAT, [64, 64])],
            [info(o, TensorProto.FLOAT, None) for o in "yrs"],
            [*weights, numpy_helper.from_array(np.array(True), "c")],
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        onnx.save(model, tmp_path / "m.onnx")
        p = np.ones((64, 64), np.float32) @ w
        right = np.concatenate([v.ravel() for v in (p + w * 2, w + 2, (p + w + 1) * w * 3)])
        np.testing.assert_allclose(after(tmp_path / "m.onnx", what, level), right, rtol=1e-4, atol=1e-4)


@pytest.mark.ours
@pytest.mark.parametrize("offset", [0, 4, 3])
@pytest.mark.parametrize("what", ["truncated", "written over", "saved anew", "removed"])
def test_external_data_is_kept_where_it_is_asked_to_be_copied(folder, what, offset):
    (folder / "m/w.bin").write_bytes(b"\0" * offset + W.tobytes())
    (folder / "m/m.onnx").write_bytes(model_of(external("w", "w.bin", offset)))
    np.testing.assert_array_equal(after(folder / "m/w.bin", what, 99, "ortrun.copy_external_data"), W + 1)


@pytest.mark.ours
@pytest.mark.parametrize("key", ["", "ortrun.copy_external_data"])
def test_a_file_for_each_of_many_tensors(tmp_path, key):
    """Neither way holds a descriptor for each."""
    count = 200
    tensors = []
    for i in range(count):
        (tmp_path / f"w{i}").write_bytes((W + i).tobytes())
        tensors.append(external(f"w{i}", f"w{i}"))
    nodes = [helper.make_node("Sum", ["x", *(f"w{i}" for i in range(count))], ["y"])]
    (tmp_path / "m.onnx").write_bytes(model_of(*tensors, nodes=nodes))
    program = f"""
import resource, onnxruntime as ort, numpy as np
options = ort.SessionOptions()
if {key!r}: options.add_session_config_entry({key!r}, "1")
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
s = ort.InferenceSession({str(tmp_path / "m.onnx")!r}, options, providers={CPU!r})
print(s.run(None, {{"x": np.ones(4096, np.float32)}})[0][0])
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == str(float(1 + sum(range(count)))), done.stderr
