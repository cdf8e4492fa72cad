# SPDX-License-Identifier: Apache-2.0
"""Models written through optimized_model_filepath load again and mean the same, here and in ONNX Runtime."""

import os
import pickle
import re
import subprocess
import sys

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper, numpy_helper
from savable_models import MODELS, TOLERANCES, model_of

CPU = ["CPUExecutionProvider"]
LEVELS = [
    getattr(ort.GraphOptimizationLevel, "ORT_" + name)
    for name in ("DISABLE_ALL", "ENABLE_BASIC", "ENABLE_EXTENDED", "ENABLE_ALL")
]
ONLY = "ortrun.save.onnxruntime_operators_only"
EXTERNAL = "session.optimized_model_external_initializers_file_name"
THRESHOLD = "session.optimized_model_external_initializers_min_size_in_bytes"


def make(source, level=ort.GraphOptimizationLevel.ORT_ENABLE_ALL, save=None, **config):
    options = ort.SessionOptions()
    options.graph_optimization_level = level
    if save is not None:
        options.optimized_model_filepath = str(save)
    for key, value in config.items():
        options.add_session_config_entry(key, value)
    return ort.InferenceSession(source, options, providers=CPU)


def shown(session):
    return [
        [(value.name, value.type, value.shape) for value in values]
        for values in (session.get_inputs(), session.get_outputs(), session.get_overridable_initializers())
    ]


def all_nodes(graph):
    for node in graph.node:
        yield node
        for attribute in node.attribute:
            if attribute.HasField("g"):
                yield from all_nodes(attribute.g)


def domains(path):
    model = onnx.load(path, load_external_data=False)
    used = {node.domain for node in all_nodes(model.graph)}
    assert used <= {opset.domain for opset in model.opset_import}
    return used


def assert_alike(name, got, want):
    for a, b in zip(got, want, strict=True):
        if b.dtype.kind in "OUSbiu":
            np.testing.assert_array_equal(a, b)
        else:
            np.testing.assert_allclose(a, b, **TOLERANCES.get(name, {"atol": 1e-4, "rtol": 1e-4}))


@pytest.mark.ours
@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("level", LEVELS, ids=lambda level: level.name)
def test_a_saved_model_loads_again(tmp_path, name, level):
    model, feed = model_of(name)
    want = make(model, ort.GraphOptimizationLevel.ORT_DISABLE_ALL).run(None, feed)
    session = make(model, level, tmp_path / "m.onnx")
    assert os.listdir(tmp_path) == ["m.onnx"]
    domains(tmp_path / "m.onnx")
    for again in (ort.GraphOptimizationLevel.ORT_DISABLE_ALL, ort.GraphOptimizationLevel.ORT_ENABLE_ALL):
        loaded = make(tmp_path / "m.onnx", again)
        assert_alike(name, loaded.run(None, feed), want)
        assert shown(loaded)[0] == shown(session)[0] and shown(loaded)[2] == shown(session)[2]
        assert [v[:2] for v in shown(loaded)[1]] == [v[:2] for v in shown(session)[1]]
        meta, own = loaded.get_modelmeta(), session.get_modelmeta()
        for what in ("producer_name", "graph_name", "domain", "description", "version", "custom_metadata_map"):
            assert getattr(meta, what) == getattr(own, what)


REFERENCE = """
import pickle, sys
import onnxruntime
onnxruntime.set_default_logger_severity(4)
results = {}
for path, feed in pickle.load(sys.stdin.buffer).items():
    try:
        results[path] = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"]).run(None, feed)
    except Exception as error:
        results[path] = str(error)
sys.stdout.buffer.write(pickle.dumps(results))
"""


@pytest.fixture(scope="module")
def in_onnx_runtime():
    """Runs files in PyPI's package, in the interpreter ORTRUN_REFERENCE_PYTHON: {path: feed} -> {path: results}."""
    reference = os.environ.get("ORTRUN_REFERENCE_PYTHON")
    if not reference:
        pytest.skip("ORTRUN_REFERENCE_PYTHON names no interpreter with PyPI's onnxruntime")

    def run(files):
        environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "LD_LIBRARY_PATH")}
        done = subprocess.run(
            [reference, "-c", REFERENCE], input=pickle.dumps(files), capture_output=True, env=environment, timeout=120
        )
        assert done.returncode == 0, done.stderr.decode()
        return pickle.loads(done.stdout)

    return run


@pytest.mark.ours
def test_models_of_onnx_runtimes_operators_load_there(tmp_path, in_onnx_runtime):
    files, right, kept = {}, {}, set()
    for name in MODELS:
        model, feed = model_of(name)
        want = make(model, ort.GraphOptimizationLevel.ORT_DISABLE_ALL).run(None, feed)
        for level in LEVELS:
            for only in "01":
                path = str(tmp_path / f"{name}_{level.name}_{only}.onnx")
                if only == "1" and name == "function_of_another_opset":
                    with pytest.raises(Exception, match="cannot keep to the operators of ONNX Runtime"):
                        make(model, level, path, **{ONLY: only})
                    continue
                make(model, level, path, **{ONLY: only})
                own = any(re.match(r"ortrun|com\.ms\.internal", domain) for domain in domains(path))
                assert not (own and only == "1"), "the setting keeps to operators of ONNX Runtime"
                if not own:
                    files[path], right[path] = feed, (name, want)
                    kept.add((name, only))
    for path, got in in_onnx_runtime(files).items():
        assert not isinstance(got, str), (path, got)
        assert_alike(right[path][0], [np.asarray(value) for value in got], right[path][1])
    assert len(kept) > 1.4 * len(MODELS)


@pytest.mark.ours
@pytest.mark.parametrize("external", [False, True])
def test_fusions_happen_with_the_setting_too(tmp_path, external):
    model, _ = model_of("convolutions_relu")
    config = {ONLY: "1"} | ({EXTERNAL: "w.bin", THRESHOLD: "0"} if external else {})
    make(model, save=tmp_path / "m.onnx", **config)
    assert "com.microsoft" in domains(tmp_path / "m.onnx")
    make(model, save=tmp_path / "own.onnx")
    assert "com.ms.internal.nhwc" in domains(tmp_path / "own.onnx")


def versions(path):
    model = onnx.load(path, load_external_data=False)
    return {opset.domain: opset.version for opset in model.opset_import}


@pytest.mark.ours
def test_the_import_is_raised_only_where_all_nodes_keep_their_meaning(tmp_path):
    for opset, raised in ((13, 17), (17, 17)):
        model, _ = model_of(f"layer_normalization_{opset}")
        make(model, save=tmp_path / "m.onnx")
        assert "LayerNormalization" in {n.op_type for n in onnx.load(tmp_path / "m.onnx").graph.node}
        assert versions(tmp_path / "m.onnx")[""] == raised
    model, feed = model_of("function_of_another_opset")
    make(model, ort.GraphOptimizationLevel.ORT_DISABLE_ALL, tmp_path / "m.onnx")
    imports = versions(tmp_path / "m.onnx")
    assert imports[""] == 18 and imports["ortrun.opset.11"] == 11


@pytest.mark.ours
@pytest.mark.parametrize("threshold", ["", "0", "1024", "1000000"])
def test_weights_may_stand_beside_the_model(tmp_path, threshold):
    model, feed = model_of("large_weight")
    want = make(model).run(None, feed)
    config = {EXTERNAL: "weights é.bin"} | ({THRESHOLD: threshold} if threshold else {})
    make(model, save=tmp_path / "m.onnx", **config)
    saved = onnx.load(tmp_path / "m.onnx", load_external_data=False)
    least = int(threshold or 1024)
    outside = [t for t in saved.graph.initializer if t.data_location == TensorProto.EXTERNAL]
    sizes = {t.name: numpy_helper.to_array(t).nbytes for t in onnx.load(tmp_path / "m.onnx").graph.initializer}
    assert {t.name for t in outside} == {name for name, size in sizes.items() if size >= least}
    for tensor in outside:
        places = {entry.key: entry.value for entry in tensor.external_data}
        assert places["location"] == "weights é.bin" and int(places["offset"]) % 64 == 0
    assert_alike("large_weight", make(tmp_path / "m.onnx").run(None, feed), want)


@pytest.mark.ours
@pytest.mark.parametrize("name", ["../w.bin", "sub/w.bin", "/tmp/w.bin", "..", ".", "m.onnx"])
def test_weights_must_stand_beside_the_model(tmp_path, name):
    model, _ = model_of("large_weight")
    (tmp_path / "m").mkdir()
    with pytest.raises(Exception, match="external file"):
        make(model, save=tmp_path / "m/m.onnx", **{EXTERNAL: name})
    assert os.listdir(tmp_path / "m") == [] and os.listdir(tmp_path) == ["m"]


@pytest.mark.ours
def test_a_link_at_the_place_of_the_weights_is_replaced_not_followed(tmp_path):
    (tmp_path / "m").mkdir()
    (tmp_path / "out").write_bytes(b"precious")
    (tmp_path / "m/w.bin").symlink_to(tmp_path / "out")
    model, feed = model_of("large_weight")
    make(model, save=tmp_path / "m/m.onnx", **{EXTERNAL: "w.bin"})
    assert (tmp_path / "out").read_bytes() == b"precious"
    make(tmp_path / "m/m.onnx").run(None, feed)


@pytest.mark.ours
@pytest.mark.parametrize("external", [False, True])
def test_saving_over_its_own_source(tmp_path, external):
    """The session that saves, older ones and newer ones compute the same; weights are embedded or beside the model."""
    model, feed = model_of("large_weight")
    path = tmp_path / "m.onnx"
    config = {EXTERNAL: "w.bin", THRESHOLD: "64"} if external else {}
    make(model, ort.GraphOptimizationLevel.ORT_DISABLE_ALL, path, **config)
    older = make(path)
    want = older.run(None, feed)
    for _ in range(2):
        saver = make(path, ort.GraphOptimizationLevel.ORT_ENABLE_ALL, path, **config)
        for session in (saver, older, make(path)):
            assert_alike("large_weight", session.run(None, feed), want)
    assert sorted(os.listdir(tmp_path)) == (["m.onnx", "w.bin"] if external else ["m.onnx"])


@pytest.mark.ours
def test_a_failed_save_leaves_the_old_files(tmp_path):
    model, feed = model_of("large_weight")
    path = tmp_path / "m.onnx"
    make(model, save=path, **{EXTERNAL: "w.bin"})
    before = {name: (tmp_path / name).read_bytes() for name in os.listdir(tmp_path)}
    program = f"""
import resource, onnxruntime as ort
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
options = ort.SessionOptions()
options.optimized_model_filepath = {str(path)!r}
options.add_session_config_entry({EXTERNAL!r}, EXTERNAL)
ort.InferenceSession({str(path)!r}, options, providers={CPU!r})
"""
    for external in ("w.bin", ""):
        code = program.replace("EXTERNAL)", f"{external!r})")
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
        assert "cannot be written: File too large" in done.stderr, done.stderr
        assert {name: (tmp_path / name).read_bytes() for name in os.listdir(tmp_path)} == before
    assert make(path).run(None, feed)


@pytest.mark.ours
def test_where_a_file_may_be_written(tmp_path):
    model, feed = model_of("large_weight")
    (tmp_path / "folder").mkdir()
    for place, message in ((tmp_path / "folder", "Is a directory"), (tmp_path / "no/m.onnx", "No such file")):
        with pytest.raises(Exception, match=message):
            make(model, save=place)
    make(model, save="/dev/null")
    assert not os.path.isfile("/dev/null"), "a device is written, not replaced"
    (tmp_path / "link.onnx").symlink_to(tmp_path / "folder/real.onnx")
    make(model, save=tmp_path / "link.onnx")
    assert (tmp_path / "link.onnx").is_symlink() and make(tmp_path / "folder/real.onnx").run(None, feed)
    os.chmod(tmp_path / "folder/real.onnx", 0o640)
    make(model, save=tmp_path / "link.onnx")
    assert os.stat(tmp_path / "folder/real.onnx").st_mode & 0o777 == 0o640


@pytest.mark.ours
@pytest.mark.parametrize(
    ("path", "config"), [("m.ort", {}), ("m.onnx", {"session.save_model_format": "ORT"}), ("m.onnx", {THRESHOLD: "x"})]
)
def test_what_cannot_be_written_is_refused(tmp_path, path, config):
    model, _ = model_of("large_weight")
    with pytest.raises(Exception, match="ORT format|number of bytes"):
        make(model, save=tmp_path / path, **config)
    assert os.listdir(tmp_path) == []


@pytest.mark.ours
def test_given_weights_are_saved(tmp_path):
    model, feed = model_of("large_weight")
    w = np.full((256, 256), 0.5, np.float32)
    options = ort.SessionOptions()
    options.add_initializer("w", ort.OrtValue.ortvalue_from_numpy(w))
    options.optimized_model_filepath = str(tmp_path / "m.onnx")
    want = ort.InferenceSession(model, options, providers=CPU).run(None, feed)
    assert_alike("large_weight", make(tmp_path / "m.onnx").run(None, feed), want)


@pytest.mark.ours
def test_a_session_entry_that_is_a_constant_output(tmp_path):
    graph = helper.make_graph(
        [helper.make_node("Identity", ["w"], ["y"]), helper.make_node("Identity", ["x"], ["z"])],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [2])],
        [helper.make_tensor_value_info(o, TensorProto.FLOAT, [2]) for o in ("y", "w", "z")],
        [numpy_helper.from_array(np.float32([3, 4]), "w")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()
    for level in LEVELS:
        make(model, level, tmp_path / "m.onnx")
        y, w, z = make(tmp_path / "m.onnx").run(None, {"x": np.float32([1, 2])})
        assert (y.tolist(), w.tolist(), z.tolist()) == ([3, 4], [3, 4], [1, 2])
