# SPDX-License-Identifier: Apache-2.0
"""Sessions split between the simulated accelerator (tests/accelerator) and the cpu provider."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper, numpy_helper

ACCELERATOR = "SimulatedAccelerator"
CPU = "CPUExecutionProvider"
DELAY = "ORTRUN_TEST_ACCELERATOR_DELAY_US"
FAIL = "ORTRUN_TEST_ACCELERATOR_FAIL"
VENDOR = 0xACCE


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if hasattr(ort.capi.onnxruntime_pybind11_state, "ortrun_tools"):
        return
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.skip(reason="beyond ONNX Runtime"))


def build(nodes, inputs, outputs, constants=None, opset=17) -> bytes:
    """The bytes of a model of float tensors; inputs and outputs by name with their shapes, constants as arrays."""

    def info(name, shape):
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)

    graph = helper.make_graph(
        nodes,
        "main",
        [info(*entry) for entry in inputs.items()],
        [info(*entry) for entry in outputs.items()],
        [numpy_helper.from_array(array, name) for name, array in (constants or {}).items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    onnx.checker.check_model(model)
    return model.SerializeToString()


@pytest.fixture(scope="session")
def build_split():
    return build


@pytest.fixture(scope="session")
def accelerator_library() -> Path:
    """The newest build of the accelerator, or the one that ORTRUN_TEST_ACCELERATOR names."""
    if named := os.environ.get("ORTRUN_TEST_ACCELERATOR"):
        return Path(named)
    built = (Path(__file__).parents[2] / "build").glob("*/tests/libtest_accelerator.so")
    return max(built, key=lambda file: file.stat().st_mtime)


@pytest.fixture(scope="session", autouse=True)
def registered_accelerator(accelerator_library):
    ort.register_execution_provider_library("accelerator", accelerator_library)
    yield
    ort.unregister_execution_provider_library("accelerator")


@pytest.fixture(autouse=True)
def steady_accelerator(monkeypatch):
    """No delay and no failure unless a test asks for them."""
    monkeypatch.setenv(DELAY, "0")
    monkeypatch.delenv(FAIL, raising=False)


@pytest.fixture
def split():
    """A session on the accelerator with the cpu provider behind it."""

    def make(model, **config):
        options = ort.SessionOptions()
        for key, value in config.items():
            setattr(options, key, value)
        return ort.InferenceSession(model, options, providers=[ACCELERATOR, CPU])

    return make


@pytest.fixture
def assert_same(split):
    """Runs a model split and on the cpu alone, some times each, and compares; answers the split session."""

    def check(model, feed, runs=3, rtol=1e-4, atol=1e-5):
        session = split(model)
        want = ort.InferenceSession(model, providers=[CPU]).run(None, feed)
        for _ in range(runs):
            for got, wanted in zip(session.run(None, feed), want):
                np.testing.assert_allclose(got, wanted, rtol, atol)
        return session

    return check


@pytest.fixture
def run_python(tmp_path):
    """Runs a program in a process of its own and answers (exit code, stdout, stderr)."""

    def run(program: str, env: dict[str, str] | None = None, path: Path | None = None):
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)} | (env or {})
        if path is not None:
            environment["PYTHONPATH"] = os.pathsep.join([str(path), *sys.path])
        done = subprocess.run(
            [sys.executable, "-c", program], env=environment, capture_output=True, text=True, cwd=tmp_path, timeout=120
        )
        return done.returncode, done.stdout, done.stderr

    return run


@pytest.fixture
def accelerator_memory() -> ort.OrtDevice:
    return ort.OrtDevice.make("npu", 0, VENDOR)
