# SPDX-License-Identifier: Apache-2.0
"""Threads, asynchronous runs, logging from threads, pickling, and the end of the process."""

import concurrent.futures
import copy
import gc
import pickle
import subprocess
import sys
import threading

import numpy as np
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper
from onnxruntime.capi import onnxruntime_pybind11_state as C

CPU = ["CPUExecutionProvider"]


def with_threads(count: int) -> ort.SessionOptions:
    options = ort.SessionOptions()
    options.intra_op_num_threads = count
    return options


def test_concurrent_runs_of_one_session(add_session):
    def work(number: int) -> bool:
        x = np.full((5, 2), number, np.float32)
        y = np.full((1, 2), 2 * number, np.float32)
        return all((add_session.run(None, {"x": x, "y": y})[0] == 3 * number).all() for _ in range(50))

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(16)))


def test_the_feed_may_change_during_a_run(add_session):
    feed = {"x": np.ones((1000, 2), np.float32), "y": np.ones((1, 2), np.float32)}
    stop = threading.Event()

    def change():
        while not stop.is_set():
            feed["x"] = np.ones((1000, 2), np.float32)

    thread = threading.Thread(target=change)
    thread.start()
    try:
        for _ in range(200):
            assert (add_session.run(None, feed)[0] == 2).all()
    finally:
        stop.set()
        thread.join()


def test_sessions_are_made_in_several_threads(add_model, add_feed):
    def make(_: int) -> tuple[int, ...]:
        return ort.InferenceSession(add_model, providers=CPU).run(None, add_feed)[0].shape

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        assert set(pool.map(make, range(8))) == {(3, 2)}


def test_run_async(add_model, add_feed):
    session = ort.InferenceSession(add_model, with_threads(2), providers=CPU)
    done, answers = threading.Event(), []

    def callback(results, user_data, error):
        answers.append((results, user_data, error))
        done.set()

    session.run_async(["z"], add_feed, callback, "data")
    assert done.wait(30)
    ((results, user_data, error),) = answers
    assert user_data == "data" and error == ""
    np.testing.assert_array_equal(results[0], add_feed["x"] + add_feed["y"])


def test_many_async_runs(add_model, add_feed):
    session = ort.InferenceSession(add_model, with_threads(2), providers=CPU)
    count, done, lock, errors = 50, threading.Event(), threading.Lock(), []

    def callback(results, number, error):
        with lock:
            errors.append(error or ("" if (results[0] == add_feed["x"] * number + add_feed["y"]).all() else "wrong"))
            if len(errors) == count:
                done.set()

    for number in range(count):
        session.run_async(None, {**add_feed, "x": add_feed["x"] * number}, callback, number)
    assert done.wait(60)
    assert set(errors) == {""}


def test_session_may_go_during_an_async_run(add_model, add_feed):
    session = ort.InferenceSession(add_model, with_threads(2), providers=CPU)
    done = threading.Event()
    session.run_async(None, add_feed, lambda *_: done.set(), None)
    del session
    gc.collect()
    assert done.wait(30)


def test_async_checks_before_it_starts(add_model, add_feed):
    session = ort.InferenceSession(add_model, with_threads(2), providers=CPU)
    with pytest.raises(ValueError):
        session.run_async(None, {"x": add_feed["x"]}, print, None)
    single = ort.InferenceSession(add_model, with_threads(1), providers=CPU)
    with pytest.raises(C.InvalidArgument, match="thread"):
        single.run_async(None, add_feed, print, None)


def test_async_needs_the_inputs_of_the_wanted_outputs():
    nodes = [helper.make_node("Neg", ["a"], ["x"]), helper.make_node("Abs", ["b"], ["y"])]
    infos = {name: helper.make_tensor_value_info(name, TensorProto.FLOAT, [None]) for name in "abxy"}
    graph = helper.make_graph(nodes, "g", [infos["a"], infos["b"]], [infos["x"], infos["y"]])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()
    session = ort.InferenceSession(model, with_threads(2), providers=CPU)
    values = {"a": np.float32([1, -2]), "b": np.float32([-3])}
    right = {"x": np.float32([-1, 2]), "y": np.float32([3])}
    for given, wanted in (("a", "x"), ("b", "y"), ("a", "x")):
        done, answers = threading.Event(), []

        def callback(results, _, error, answers=answers, done=done):
            answers.append((results, error))
            done.set()

        session.run_async([wanted], {given: values[given]}, callback, None)
        assert done.wait(30)
        ((results, error),) = answers
        assert error == ""
        np.testing.assert_array_equal(results[0], right[wanted])
    for wanted in (["y"], ["x", "y"], None):
        with pytest.raises(ValueError, match="b"):
            session.run_async(wanted, {"a": values["a"]}, print, None)


@pytest.mark.ours
def test_async_callback_must_be_callable(add_model, add_feed):
    session = ort.InferenceSession(add_model, with_threads(2), providers=CPU)
    with pytest.raises(TypeError, match="callable"):
        session.run_async(None, add_feed, None, None)


@pytest.mark.ours
def test_pickle_from_bytes_and_path(add_model, add_feed, tmp_path):
    file = tmp_path / "add.onnx"
    file.write_bytes(add_model)
    options = with_threads(1)
    options.add_session_config_entry("session.some_key", "1")
    options.add_free_dimension_override_by_name("N", 3)
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_BASIC
    for source in (add_model, file):
        session = pickle.loads(pickle.dumps(ort.InferenceSession(source, options, providers=CPU)))
        np.testing.assert_array_equal(session.run(None, add_feed)[0], add_feed["x"] + add_feed["y"])
        again = session.get_session_options()
        assert again.intra_op_num_threads == 1 and again.get_session_config_entry("session.some_key") == "1"
        assert again.graph_optimization_level == ort.GraphOptimizationLevel.ORT_ENABLE_BASIC
        assert session.get_inputs()[0].shape == [3, 2] and session.get_providers() == CPU


@pytest.mark.ours
def test_options_that_hold_memory_cannot_be_pickled():
    options = ort.SessionOptions()
    options.add_initializer("w", ort.OrtValue.ortvalue_from_numpy(np.ones(1, np.float32)))
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(options)


@pytest.mark.ours
def test_copies_of_options_are_apart():
    options = with_threads(1)
    for other in (copy.copy(options), copy.deepcopy(options)):
        assert other.intra_op_num_threads == 1
        other.intra_op_num_threads = 5
        assert options.intra_op_num_threads == 1


EXIT = """
import sys, threading, numpy as np, onnxruntime as ort
model = bytes.fromhex(sys.argv[1])
options = ort.SessionOptions(); options.intra_op_num_threads = 2
session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
feed = {"x": np.ones((3, 2), np.float32), "y": np.ones((1, 2), np.float32)}
binding = session.io_binding()
for name, value in feed.items(): binding.bind_cpu_input(name, value)
binding.bind_output("z"); session.run_with_iobinding(binding)
kept = [session.run(None, feed), ort.OrtValue.ortvalue_from_numpy(feed["x"]), binding, ort.RunOptions()]
capsule = kept[1].__dlpack__()
done = threading.Event(); session.run_async(None, feed, lambda *a: done.set(), None); done.wait()
ort.set_default_logger_callback(lambda *a: None)
sys.leaked = (session, kept, capsule); session.itself = session
"""


@pytest.mark.ours
def test_exit_waits_for_asynchronous_runs(add_model):
    code = EXIT + "[session.run_async(None, feed, lambda *a: print(len(a)), None) for _ in range(20)]"
    done = subprocess.run([sys.executable, "-c", code, add_model.hex()], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr, done.stdout.split()) == (0, "", ["3"] * 20)


def test_exit_with_live_sessions_is_clean(add_model):
    done = subprocess.run([sys.executable, "-c", EXIT, add_model.hex()], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr, done.stdout) == (0, "", "")


LOGGING = """
import sys, numpy as np, onnxruntime as ort
model = bytes.fromhex(sys.argv[1])
lines = []
ort.set_default_logger_callback(lambda *message: lines.append(message), 0)
session = ort.InferenceSession(model, providers=["CPUExecutionProvider"])
feed = {"x": np.ones((3, 2), np.float32), "y": np.ones((1, 2), np.float32)}
session.run(None, feed)
assert lines, "no message arrived"
severity, category, logid, location, text = lines[0]
assert isinstance(severity, int) and all(isinstance(t, str) for t in (category, logid, location, text))
ort.set_default_logger_callback(None)
ort.set_default_logger_severity(3)
count = len(lines)
del session
ort.InferenceSession(model, providers=["CPUExecutionProvider"]).run(None, feed)
assert len(lines) == count
"""


def test_messages_go_to_a_callback(add_model):
    done = subprocess.run([sys.executable, "-c", LOGGING, add_model.hex()], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


def test_logger_arguments():
    with pytest.raises(RuntimeError):
        ort.set_default_logger_severity(9)
    with pytest.raises(RuntimeError):
        ort.set_default_logger_callback(3)
    assert ort.set_default_logger_severity(2) is None
    assert ort.set_default_logger_verbosity(0) is None
