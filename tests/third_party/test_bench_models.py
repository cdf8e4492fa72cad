# SPDX-License-Identifier: Apache-2.0
"""Full-size models, quantised and half-precision ones too, against PyPI's ONNX Runtime: the same outputs at each level
of optimisation, and at the second run."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest

SCRIPT = Path(__file__).with_name("run_model.py")
LEVELS = ort.GraphOptimizationLevel
# By case: the largest difference that other arithmetic explains, relative to the largest output. Integer models round
# to whole steps, so that a difference in the last place becomes one of a step.
CASES = {
    "resnet50": 1e-4,
    "bert_base": 1e-4,
    "bert_fp16": 1e-2,
    "bert_dynint8": 5e-2,
    "resnet50_qdq": 5e-2,
    "whisper_tiny_encoder_int4": 1e-3,
}


def reference_python() -> str:
    named = os.environ.get("ORTRUN_REFERENCE_PYTHON")
    return named or str(Path(__file__).parents[2] / "build" / "reference" / "bin" / "python")


@pytest.fixture(scope="module")
def expected(bench_model, tmp_path_factory):
    """expected(name): the outputs of ONNX Runtime, which runs in a process of its own."""
    folder = tmp_path_factory.mktemp("expected")

    def run(name: str) -> list[np.ndarray]:
        model, feeds, outputs = bench_model(name), folder / "feeds.npz", folder / f"{name}.npz"
        np.savez(feeds, **model.feeds)
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        command = [reference_python(), SCRIPT, model.path, feeds, outputs]
        done = subprocess.run(command, check=False, capture_output=True, text=True, env=environment)
        assert done.returncode == 0, done.stderr
        assert done.stdout.strip() != ort.__version__, "the other runtime is another one"
        with np.load(outputs) as arrays:
            return [arrays[str(place)] for place in range(len(arrays.files))]

    return run


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_same_as_onnx_runtime(bench_model, expected, name):
    model, want = bench_model(name), expected(name)
    for level in (LEVELS.ORT_ENABLE_ALL, LEVELS.ORT_DISABLE_ALL):
        options = ort.SessionOptions()
        options.graph_optimization_level = level
        session = ort.InferenceSession(str(model.path), options, providers=["CPUExecutionProvider"])
        first, second = session.run(None, model.feeds), session.run(None, model.feeds)
        for w, f, s in zip(want, first, second, strict=True):
            assert (f.dtype, f.shape) == (w.dtype, w.shape)
            np.testing.assert_array_equal(f, s, err_msg=f"{level}: the second run")
            off = np.abs(f.astype(np.float64) - w.astype(np.float64)).max() / np.abs(w.astype(np.float64)).max()
            assert off <= CASES[name], f"{level}: {off:.2g} of the largest output"
