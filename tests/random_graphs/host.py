# SPDX-License-Identifier: Apache-2.0
"""ONNX Runtime in a process of its own, for graphs that onnx's reference evaluator cannot run.

As a program it answers requests (model bytes, feeds) with outputs or the text of an error, pickled, over its pipes.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import select
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import onnx

PYTHON = Path(__file__).parents[2] / "build" / "reference" / "bin" / "python"
PATIENCE = 20  # seconds


class Host:
    """Starts at the first request, and again after a crash or a hang."""

    def __init__(self, python: str | None = None):
        self.python = python or os.environ.get("ORTRUN_REFERENCE_PYTHON") or str(PYTHON)
        self.process: subprocess.Popen | None = None

    @property
    def available(self) -> bool:
        return Path(self.python).exists()

    def run(self, model: onnx.ModelProto, feeds: dict[str, Any]) -> list[Any] | str:
        """The outputs, or why there are none."""
        if self.process is None or self.process.poll() is not None:
            environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
            self.process = subprocess.Popen(
                [self.python, __file__],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=environment,
            )
        try:
            send(self.process.stdin, (model.SerializeToString(), feeds))
            if not select.select([self.process.stdout], [], [], PATIENCE)[0]:
                self.close()
                return "ONNX Runtime does not end"
            return receive(self.process.stdout)
        except (EOFError, BrokenPipeError):
            self.close()
            return "ONNX Runtime crashed"

    def close(self) -> None:
        if self.process is not None:
            with contextlib.suppress(OSError):
                self.process.kill()
            self.process.wait()
            self.process = None


def send(stream, value: Any) -> None:
    data = pickle.dumps(value)
    stream.write(struct.pack("<Q", len(data)) + data)
    stream.flush()


def receive(stream) -> Any:
    head = stream.read(8)
    if len(head) < 8:
        raise EOFError
    return pickle.loads(stream.read(struct.unpack("<Q", head)[0]))


def serve() -> None:
    import ml_dtypes
    import onnxruntime as ort

    names = ("bfloat16", "float8_e4m3fn", "float8_e4m3fnuz", "float8_e5m2", "float8_e5m2fnuz")
    types = {f"tensor({name.replace('_', '')})": getattr(ml_dtypes, name) for name in names}
    options = ort.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what libraries print does not come between
    while True:
        try:
            model, feeds = receive(sys.stdin.buffer)
        except EOFError:
            return
        try:
            session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
            if any(v.dtype.name in names for v in feeds.values()):
                raise TypeError("a type that this Python cannot hand over")
            outputs = session.run(None, feeds)
            kinds = [types.get(o.type) for o in session.get_outputs()]
            answer = [o.view(k) if k and o.dtype.itemsize == k().itemsize else o for o, k in zip(outputs, kinds)]
        except Exception as error:
            answer = f"{type(error).__name__}: {error}"
        send(answers, answer)


if __name__ == "__main__":
    serve()
