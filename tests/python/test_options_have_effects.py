# SPDX-License-Identifier: Apache-2.0
"""Every option works, or its documentation says that it has no effect here."""

import glob
import json
import subprocess
import sys

import numpy as np
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper
from onnxruntime.capi.onnxruntime_pybind11_state import Fail

CPU = ["CPUExecutionProvider"]
pytestmark = pytest.mark.ours


@pytest.fixture(scope="module")
def model():
    """y = -(x + x), with an Identity that the optimizer takes out."""
    nodes = [
        helper.make_node("Identity", ["x"], ["a"], name="nothing"),
        helper.make_node("Add", ["a", "x"], ["b"], name="sum"),
        helper.make_node("Neg", ["b"], ["y"], name="turned"),
    ]
    infos = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n"]) for name in "xy"]
    graph = helper.make_graph(nodes, "g", infos[:1], infos[1:])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()


def run(model, run_options=None, **settings):
    options = ort.SessionOptions()
    for name, value in settings.items():
        setattr(options, name, value)
    session = ort.InferenceSession(model, options, providers=CPU)
    (y,) = session.run(None, {"x": np.float32([1, 2])}, run_options)
    assert y.tolist() == [-2, -4]
    return session


def profiled_nodes(model, folder, **settings):
    run(model, enable_profiling=True, profile_file_prefix=str(folder / "profile"), **settings)
    (file,) = glob.glob(str(folder / "profile_*.json"))
    with open(file) as events:
        return [event["name"] for event in json.load(events) if event["cat"] == "Node"]


def profiling(model, folder, capfd):
    assert not glob.glob(str(folder / "*"))
    assert any("turned" in name for name in profiled_nodes(model, folder))


def optimization(model, folder, capfd):
    level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    (folder / "off").mkdir()
    assert any("nothing" in name for name in profiled_nodes(model, folder / "off", graph_optimization_level=level))
    assert not any("nothing" in name for name in profiled_nodes(model, folder))


def optimized_model(model, folder, capfd):
    run(model, optimized_model_filepath=str(folder / "optimized.onnx"))
    assert (folder / "optimized.onnx").stat().st_size > 0


def severity(model, folder, capfd):
    run(model, log_severity_level=4)
    assert capfd.readouterr().err == ""
    run(model, log_severity_level=0)
    assert "[V:" in capfd.readouterr().err


def logid(model, folder, capfd):
    run(model, log_severity_level=0, logid="a name")
    assert ":a name" in capfd.readouterr().err


THREADS = """
import os, sys, numpy as np, onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper
infos = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 256]) for name in "xy"]
w = numpy_helper.from_array(np.ones((256, 256), np.float32), "w")
graph = helper.make_graph([helper.make_node("MatMul", ["x", "w"], ["y"])], "g", infos[:1], infos[1:], [w])
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()
before = len(os.listdir("/proc/self/task"))
ort.set_global_thread_pool_sizes(3, 0)
options = ort.SessionOptions()
options.intra_op_num_threads, options.use_per_session_threads = 6, sys.argv[1] == "own"
session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
session.run(None, {"x": np.ones((256, 256), np.float32)})
print(len(os.listdir("/proc/self/task")) - before)
"""


def threads(model, folder, capfd):
    for whose, wanted in (("own", 5), ("global", 2)):
        done = subprocess.run([sys.executable, "-c", THREADS, whose], capture_output=True, text=True, check=True)
        assert int(done.stdout) == wanted, whose


def terminate(model, folder, capfd):
    options = ort.RunOptions()
    options.terminate = True
    with pytest.raises(Fail, match="terminate"):
        run(model, options)
    options.terminate = False
    run(model, options)


# None: tested where memory is planned, or not visible from outside.
SESSION = {
    "enable_cpu_mem_arena": None,
    "enable_mem_pattern": None,
    "enable_mem_reuse": None,
    "enable_profiling": profiling,
    "graph_optimization_level": optimization,
    "intra_op_num_threads": threads,
    "log_severity_level": severity,
    "logid": logid,
    "optimized_model_filepath": optimized_model,
    "profile_file_prefix": profiling,
    "use_per_session_threads": threads,
}
RUN = {"only_execute_path_to_fetches": None, "terminate": terminate}


@pytest.mark.parametrize(("kind", "effects"), [(ort.SessionOptions, SESSION), (ort.RunOptions, RUN)])
def test_what_has_no_effect_says_so(kind, effects):
    properties = {name: value.__doc__ or "" for name, value in vars(kind).items() if isinstance(value, property)}
    assert properties
    silent = {name for name, text in properties.items() if "no effect here" not in text.lower()}
    assert silent <= set(effects), "options without a test of their effect and without a word that they have none"


@pytest.mark.parametrize("name", [name for name, probe in (SESSION | RUN).items() if probe])
def test_the_others_have_one(name, model, tmp_path, capfd):
    (SESSION | RUN)[name](model, tmp_path, capfd)


def test_a_session_that_goes_writes_its_profile(model, tmp_path):
    for _ in range(3):  # within one second
        run(model, enable_profiling=True, profile_file_prefix=str(tmp_path / "profile"))
    files = sorted(tmp_path.iterdir())
    assert len(files) == 3
    for file in files:
        assert any("turned" in event["name"] for event in json.loads(file.read_text()))
    session = run(model, enable_profiling=True, profile_file_prefix=str(tmp_path / "ended"))
    path = session.end_profiling()
    written = open(path).read()
    del session
    assert open(path).read() == written and len(list(tmp_path.glob("ended*"))) == 1


def test_denormals_are_zero_where_asked_for(model):
    tiny = np.float32([1e-40, 2e-38])
    for setting, wanted in (("0", -2 * tiny), ("1", np.float32([0, -4e-38]))):
        options = ort.SessionOptions()
        options.add_session_config_entry("session.set_denormal_as_zero", setting)
        session = ort.InferenceSession(model, options, providers=CPU)
        np.testing.assert_array_equal(session.run(None, {"x": tiny})[0], wanted)
    assert np.float32(1e-40) * np.float32(1) != 0, "the caller's thread computes as before"


LOGGER = """
import sys, onnxruntime as ort
model = open(sys.argv[1], "rb").read()
def make(): return ort.InferenceSession(model, providers=["CPUExecutionProvider"])
said = []
ort.set_default_logger_callback(lambda severity, category, logid, location, message: said.append(severity), 3)
make()
assert not said, said
ort.set_default_logger_severity(0)
make()
assert 0 in said
said.clear()
ort.set_default_logger_severity(4)
make()
assert not said
ort.set_default_logger_callback(None)
ort.set_default_logger_verbosity(2)
"""


def test_the_default_logger(model, tmp_path):
    (tmp_path / "model.onnx").write_bytes(model)
    subprocess.run([sys.executable, "-c", LOGGER, str(tmp_path / "model.onnx")], check=True)
    assert "no effect here" in ort.set_default_logger_verbosity.__doc__
