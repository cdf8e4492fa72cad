# SPDX-License-Identifier: Apache-2.0
"""Several threads run one session that is split over both providers."""

import concurrent.futures
import gc
import threading

import numpy as np
import onnxruntime as ort
import pytest
from onnx import helper

DELAY = "ORTRUN_TEST_ACCELERATOR_DELAY_US"


@pytest.fixture(params=["0", "2000"], ids=["no delay", "delay"])
def delay(request, monkeypatch, steady_accelerator):
    monkeypatch.setenv(DELAY, request.param)


@pytest.fixture
def session(delay, build_split, split):
    """Values go back and forth, some of them wait on the other side for long."""
    nodes = [
        helper.make_node("Tanh", ["x"], ["a"]),
        helper.make_node("Sin", ["a"], ["b"]),
        helper.make_node("Sigmoid", ["a"], ["c"]),
        helper.make_node("Mul", ["c", "w"], ["d"]),
        helper.make_node("Add", ["b", "d"], ["e"]),
        helper.make_node("Relu", ["e"], ["f"]),
        helper.make_node("Cos", ["f"], ["g"]),
        helper.make_node("Mul", ["g", "a"], ["y"]),
    ]
    weights = {"w": np.linspace(0.5, 2, 64, dtype=np.float32)}
    return split(build_split(nodes, {"x": ["n", 64]}, {"y": ["n", 64]}, weights))


def want(x):
    a = np.tanh(x)
    w = np.linspace(0.5, 2, 64, dtype=np.float32)
    return np.cos(np.maximum(np.sin(a) + w / (1 + np.exp(-a)), 0)) * a


def feed_of(seed):
    rows = 1 + seed % 5
    return np.random.default_rng(seed).standard_normal((rows, 64), dtype=np.float32)


def test_threads(session):
    def work(thread):
        for i in range(12):
            x = feed_of(thread * 100 + i)
            np.testing.assert_allclose(session.run(None, {"x": x})[0], want(x), 1e-4, 1e-5)

    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        for done in [pool.submit(work, thread) for thread in range(6)]:
            done.result()


def test_threads_with_bindings(session):
    def work(thread):
        for i in range(6):
            x = feed_of(thread * 100 + i)
            binding = session.io_binding()
            binding.bind_ortvalue_input("x", ort.OrtValue.ortvalue_from_numpy(x, "npu", 0, 0xACCE))
            binding.bind_output("y", "npu" if i % 2 else "cpu", 0)
            session.run_with_iobinding(binding)
            np.testing.assert_allclose(binding.get_outputs()[0].numpy(), want(x), 1e-4, 1e-5)

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(work, thread) for thread in range(4)]:
            done.result()


def test_destroyed_after_asynchronous_runs(delay, build_split):
    """The caller lets go of the session while runs are under way."""
    model = build_split(
        [helper.make_node("Tanh", ["x"], ["a"]), helper.make_node("Sin", ["a"], ["y"])], {"x": ["n"]}, {"y": ["n"]}
    )
    options = ort.SessionOptions()
    options.intra_op_num_threads = 2
    for _ in range(5):
        session = ort.InferenceSession(model, options, providers=["SimulatedAccelerator", "CPUExecutionProvider"])
        results, arrived = {}, threading.Semaphore(0)

        def callback(outputs, number, error, results=results, arrived=arrived):
            results[number] = error or outputs[0]
            arrived.release()

        for number in range(8):
            session.run_async(None, {"x": np.full(number + 1, number, np.float32)}, callback, number)
        del session
        gc.collect()
        for _ in range(8):
            assert arrived.acquire(timeout=60)
        for number, y in results.items():
            np.testing.assert_allclose(y, np.sin(np.tanh(np.full(number + 1, number, np.float32))), 1e-5)
