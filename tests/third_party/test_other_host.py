# SPDX-License-Identifier: Apache-2.0
"""The other side of the boundary: our cpu provider as a plugin of PyPI's ONNX Runtime."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

SCRIPT = Path(__file__).with_name("other_host.py")
LIBRARY = Path(onnxruntime.__file__).parent / "capi" / "providers" / "libonnxruntime_providers_cpu.so"
TOLERANCE = 1e-4


def reference_python() -> str:
    named = os.environ.get("ORTRUN_REFERENCE_PYTHON")
    return named or str(Path(__file__).parents[2] / "build" / "reference" / "bin" / "python")


def run_in_other_host(model: Path, feeds: dict[str, np.ndarray], folder: Path) -> dict:
    feeds_file = folder / "feeds.npz"
    np.savez(feeds_file, **feeds)
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [reference_python(), SCRIPT, LIBRARY, model, feeds_file]
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def check(answer: dict) -> None:
    assert len(answer["devices"]) == 1
    assert list(answer["nodes"]) == answer["devices"], "every node is ours"
    assert answer["difference"] <= TOLERANCE


def test_a_small_model(sequence_model, tmp_path):
    model, x = sequence_model
    path = tmp_path / "model.onnx"
    path.write_bytes(model)
    answer = run_in_other_host(path, {"x": x}, tmp_path)
    assert answer["version"] != onnxruntime.__version__, "the host is another runtime"
    check(answer)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["resnet50", "bert_base"])
def test_a_whole_model(bench_model, name, tmp_path):
    model = bench_model(name)
    check(run_in_other_host(model.path, model.feeds, tmp_path))
