# SPDX-License-Identifier: Apache-2.0
"""What the system refuses (threads, memory) is an error of one request, or done without; the next request works."""

import subprocess
import sys
import time

import numpy as np
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper, numpy_helper

CPU = ["CPUExecutionProvider"]
pytestmark = pytest.mark.ours

PRELUDE = r"""
import os, resource, sys, time
import numpy as np, onnxruntime as ort
from onnxruntime.capi.onnxruntime_pybind11_state import Fail
model = open(sys.argv[1], "rb").read()
def session(threads):
    options = ort.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = threads, 3
    return ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
x = np.ones((512, 512), np.float32)
def right(made): return made.run(None, {"x": x})[0][3, 5] == 512
def threads(): return len(os.listdir("/proc/self/task"))
def leave(bytes):  # of address space
    used = int(open("/proc/self/statm").read().split()[0]) * 4096
    resource.setrlimit(resource.RLIMIT_AS, (used + bytes, resource.getrlimit(resource.RLIMIT_AS)[1]))
def lift(): resource.setrlimit(resource.RLIMIT_AS, (resource.getrlimit(resource.RLIMIT_AS)[1],) * 2)
"""

FEW_THREADS = """
made = session(64)
leave(64 << 20)
for _ in range(3):
    try: assert right(made)
    except Fail: pass
lift()
time.sleep(1.1)  # then the pool asks for the missing ones again
assert right(made) and right(made)
assert threads() >= 64, threads()
"""

NO_THREAD_AT_ALL = """
made = session(4)
x = np.ones((128, 512), np.float32)
before = threads()
leave(6 << 20)  # less than a thread's stack
ran = 0
for _ in range(2):
    try: ran += right(made)
    except Fail: pass
assert threads() == before and ran == 2, (threads(), ran)
lift()
assert right(session(2))
"""

ASYNC_WITHOUT_THREADS = """
made = session(2)
leave(6 << 20)
said = []
try: made.run_async(None, {"x": x[:8]}, lambda results, data, error: said.append(error), None)
except Fail as error: said.append(str(error))
lift()
for _ in range(100):
    if said: break
    time.sleep(0.05)
assert said
assert right(made)
"""

NO_MEMORY_FOR_THE_PROVIDER = """
failed = 0
for megabytes in (1, 2, 4, 8, 12, 16, 24):
    leave(megabytes << 20)
    try: session(1)
    except Exception: failed += 1
    lift()
assert failed > 0
assert right(session(1))
"""


@pytest.fixture(scope="module")
def model_file(tmp_path_factory):
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 512]) for name in "xy")
    w = numpy_helper.from_array(np.ones((512, 512), np.float32), "w")
    graph = helper.make_graph([helper.make_node("MatMul", ["x", "w"], ["y"])], "g", [x], [y], [w])
    path = tmp_path_factory.mktemp("scarcity") / "model.onnx"
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    path.write_bytes(model.SerializeToString())
    return str(path)


@pytest.mark.parametrize(
    "code",
    [FEW_THREADS, NO_THREAD_AT_ALL, ASYNC_WITHOUT_THREADS, NO_MEMORY_FOR_THE_PROVIDER],
    ids=["few threads", "no thread at all", "async without threads", "no memory for the provider"],
)
def test_the_process_goes_on(model_file, code):
    done = subprocess.run(
        [sys.executable, "-c", PRELUDE + code + "\nprint('done')", model_file],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0 and done.stdout == "done\n", done.stderr[-2000:]


def test_absurd_numbers_of_threads_are_bounded(model_file, capfd):
    options = ort.SessionOptions()
    options.intra_op_num_threads = 100_000
    started = time.monotonic()
    session = ort.InferenceSession(model_file, options, providers=CPU)
    assert session.run(None, {"x": np.ones((4, 512), np.float32)})[0][0, 0] == 512
    assert time.monotonic() - started < 20
    assert "intra_op_num_threads is 100000: no more than" in capfd.readouterr().err
    options.intra_op_num_threads = -1  # as many as without a number
    assert ort.InferenceSession(model_file, options, providers=CPU).run(None, {"x": np.ones((1, 512), np.float32)})


def refusal(nodes, inputs):
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
    graph = helper.make_graph(nodes, "g", inputs, [y])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()
    started = time.monotonic()
    with pytest.raises(Exception) as refused:
        ort.InferenceSession(model, providers=CPU)
    return time.monotonic() - started, str(refused.value)


def test_names_of_any_length_and_number_in_errors():
    """The nearest name is looked for in time proportional to the number of names, and messages stay readable."""
    value = helper.make_tensor_value_info
    many = [value("x" * 1000 + str(i), TensorProto.FLOAT, [1]) for i in range(500)]
    took, text = refusal([helper.make_node("Relu", ["z" * 1000], ["y"])], many)
    assert took < 1 and len(text) < 100_000
    one = [value("x", TensorProto.FLOAT, [1])]
    took, text = refusal([helper.make_node("Q" * 100_000, ["x"], ["y"])], one)
    assert took < 1 and len(text) < 100_000
    alike = [value(f"layer_{i}_hidden_state", TensorProto.FLOAT, [1]) for i in range(20_000)]
    took, text = refusal([helper.make_node("Relu", ["layer_77_hidden_stata"], ["y"])], alike)
    assert took < 5 and "layer_77_hidden_state" in text


def test_long_names_in_the_errors_of_a_run(make_identity):
    session = make_identity(TensorProto.FLOAT)
    started = time.monotonic()
    for name in ("z" * 1_000_000, "x" * 1_000_000):
        with pytest.raises(Exception) as refused:
            session.run(None, {name: np.ones(1, np.float32)})
        assert len(str(refused.value)) < 10_000
        with pytest.raises(Exception) as refused:
            session.run([name], {"x": np.ones(1, np.float32)})
        assert len(str(refused.value)) < 10_000
    assert time.monotonic() - started < 1
