# SPDX-License-Identifier: Apache-2.0
"""Models that are cut off or damaged at random: refused or run, never a crash.

Each loop runs in a process of its own, so that a crash shows as its exit code, with the seed of the last model.
"""

import os
import pathlib
import subprocess
import sys
import textwrap

import pytest

PRELUDE = """
import faulthandler, random, resource, sys, threading
import numpy as np
import onnxruntime as ort
from bad_models import damaged_samples

faulthandler.enable()
resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))  # a model that asks for more is refused, not served
TYPES = {"tensor(float)": np.float32, "tensor(int64)": np.int64, "tensor(bool)": np.bool_}

def attempt(data):
    try:
        session = ort.InferenceSession(data, options, providers=["CPUExecutionProvider"])
        feed = {}
        for arg in session.get_inputs():
            shape = [dim if isinstance(dim, int) else 2 for dim in arg.shape]
            if arg.type not in TYPES or np.prod(shape, dtype=float) > 1e6 or len(shape) > 32:
                return "refused"
            feed[arg.name] = np.ones(shape, TYPES[arg.type])
        run_options = ort.RunOptions()
        run_options.log_severity_level = 4
        stop = threading.Timer(2, setattr, (run_options, "terminate", True))  # a loop may be told to go on for ever
        stop.start()
        try:
            session.run(None, feed, run_options)
        finally:
            stop.cancel()
        return "run"
    except Exception as error:
        text = str(error)
        assert "ONNXRuntimeError" in text or isinstance(error, (ValueError, UnicodeDecodeError)), repr(error)
        return "refused"

options = ort.SessionOptions()
options.log_severity_level = 4
options.intra_op_num_threads = 1
samples = damaged_samples()
"""


def run(body, *arguments):
    folder = str(pathlib.Path(__file__).parent)
    path = os.pathsep.join([folder, *filter(None, [os.environ.get("PYTHONPATH")])])
    done = subprocess.run(
        [sys.executable, "-c", PRELUDE + textwrap.dedent(body), *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, f"exit code {done.returncode} after {done.stdout[-200:]!r}\n{done.stderr[-3000:]}"
    return done.stdout.split()


pytestmark = pytest.mark.ours


def test_models_cut_off_anywhere():
    outcomes = run(
        """
        for name, data in samples.items():
            assert attempt(data) == "run", name
            cuts = sorted({*range(0, len(data), max(1, len(data) // 150)), *range(max(0, len(data) - 30), len(data))})
            for cut in cuts:
                print(name, cut, flush=True)
                print(attempt(data[:cut]), flush=True)
        """
    )
    assert outcomes.count("refused") > 200


@pytest.mark.parametrize("seed", range(4))
def test_models_with_damaged_bytes(seed):
    outcomes = run(
        """
        random.seed(int(sys.argv[1]))
        for name, data in samples.items():
            for trial in range(150):
                damaged = bytearray(data)
                for _ in range(random.choice([1, 1, 2, 5])):
                    byte = random.choice([0, 1, 0x7F, 0x80, 0xFF, random.randrange(256)])
                    damaged[random.randrange(len(damaged))] = byte
                print(name, trial, flush=True)
                print(attempt(bytes(damaged)), flush=True)
        """,
        seed,
    )
    assert outcomes.count("refused") > 50 and outcomes.count("run") > 10


@pytest.mark.parametrize("seed", range(2))
def test_models_with_exchanged_parts(seed):
    outcomes = run(
        """
        import onnx
        random.seed(int(sys.argv[1]))

        def nodes_of(graph):
            for node in graph.node:
                yield node
                for attribute in node.attribute:
                    if attribute.HasField("g"):
                        yield from nodes_of(attribute.g)

        def exchange(proto):
            nodes = list(nodes_of(proto.graph))
            names = [name for node in nodes for name in [*node.input, *node.output]] + [""]
            node = random.choice(nodes)
            kind = random.randrange(8)
            if kind == 0 and node.input:
                node.input[random.randrange(len(node.input))] = random.choice(names)
            elif kind == 1 and node.output:
                node.output[random.randrange(len(node.output))] = random.choice(names)
            elif kind == 2:
                node.op_type = random.choice(nodes).op_type
            elif kind == 3 and node.attribute:
                attribute = random.choice(node.attribute)
                attribute.i = random.choice([-(2**63), -1, 0, 1, 7, 100, 2**31, 2**63 - 1])
                if attribute.ints:
                    attribute.ints[random.randrange(len(attribute.ints))] = attribute.i
            elif kind == 4 and proto.graph.initializer:
                tensor = random.choice(proto.graph.initializer)
                dims = list(tensor.dims)
                random.shuffle(dims)
                del tensor.dims[:]
                tensor.dims.extend(dims + random.choice([[], [1], [0]]))
            elif kind == 5 and proto.graph.initializer:
                tensor = random.choice(proto.graph.initializer)
                if tensor.data_type == onnx.TensorProto.INT64 and tensor.raw_data:
                    array = np.frombuffer(tensor.raw_data, np.int64).copy()
                    if array.size:
                        array.flat[random.randrange(array.size)] = random.choice([-(2**63), -1, 0, 5, 2**31, 2**62])
                    tensor.raw_data = array.tobytes()
                else:
                    tensor.data_type = random.randrange(1, 24)
            elif kind == 6:
                info = random.choice([*proto.graph.input, *proto.graph.output])
                info.type.tensor_type.elem_type = random.choice([1, 6, 7, 9, 11])
            else:
                other = random.choice(nodes)
                del node.input[:]
                node.input.extend(other.input)

        for name, data in samples.items():
            for trial in range(200):
                proto = onnx.load_from_string(data)
                for _ in range(random.choice([1, 1, 2, 3])):
                    exchange(proto)
                print(name, trial, flush=True)
                print(attempt(proto.SerializeToString()), flush=True)
        """,
        seed,
    )
    assert outcomes.count("refused") > 50 and outcomes.count("run") > 10
