# SPDX-License-Identifier: Apache-2.0
"""The command `ortrun`, from the outside: words in, exit code and two streams out."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper, numpy_helper

OK, FAILED, USAGE, NO_MODEL, NO_PROVIDER, BAD_INPUT = range(6)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if hasattr(ort.capi.onnxruntime_pybind11_state, "ortrun_tools"):
        return
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.skip(reason="beyond ONNX Runtime"))


@dataclasses.dataclass
class Done:
    code: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)

    def failed(self, code: int, *parts: str) -> None:
        """It failed so: nothing on standard output, one message on standard error that says these things."""
        assert self.code == code, (self.code, self.err)
        assert self.out == ""
        assert self.err.startswith("ortrun: "), self.err
        for part in parts:
            assert part in self.err


@pytest.fixture
def program() -> Path:
    return Path(ort.__file__).parents[1] / "ortrun" / "bin" / "ortrun"


@pytest.fixture
def ortrun(program, tmp_path):
    """Runs the command in an empty folder."""

    def run(*words, **env) -> Done:
        done = subprocess.run(
            [program, *map(str, words)], capture_output=True, text=True, cwd=tmp_path, env=os.environ | env, timeout=120
        )
        return Done(done.returncode, done.stdout, done.stderr)

    return run


def save(path: Path, nodes, inputs, outputs, constants=None) -> Path:
    graph = helper.make_graph(
        nodes,
        "main",
        [helper.make_tensor_value_info(*entry) for entry in inputs],
        [helper.make_tensor_value_info(*entry) for entry in outputs],
        [numpy_helper.from_array(array, name) for name, array in (constants or {}).items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8, producer_name="tests")
    helper.set_model_props(model, {"author": "someone"})
    onnx.checker.check_model(model)
    onnx.save(model, path)
    return path


@pytest.fixture
def save_model():
    return save


@pytest.fixture
def model(tmp_path) -> Path:
    """total = left + right and count = shape of left; left: [batch, 2], right: [1, 2]."""
    return save(
        tmp_path / "model.onnx",
        [
            helper.make_node("Add", ["left", "right"], ["total"], name="sum"),
            helper.make_node("Shape", ["left"], ["count"]),
        ],
        [("left", TensorProto.FLOAT, ["batch", 2]), ("right", TensorProto.FLOAT, [1, 2])],
        [("total", TensorProto.FLOAT, ["batch", 2]), ("count", TensorProto.INT64, [2])],
    )


@pytest.fixture
def doubling(tmp_path) -> Path:
    """y = 2 x, with one input of any batch."""
    return save(
        tmp_path / "doubling.onnx",
        [helper.make_node("Mul", ["x", "two"], ["y"])],
        [("x", TensorProto.FLOAT, ["batch", 2])],
        [("y", TensorProto.FLOAT, ["batch", 2])],
        {"two": np.float32([2])},
    )


@pytest.fixture
def left() -> np.ndarray:
    return np.float32([[1, 2], [3, 4], [5, 6]])


@pytest.fixture
def right() -> np.ndarray:
    return np.float32([[10, 20]])
