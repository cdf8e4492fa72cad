# SPDX-License-Identifier: Apache-2.0
"""dlopen and dlclose of the runtime, as bindings of other languages do between their tests, and two of it at once."""

import glob
import os
import shutil
import subprocess
import sys

import onnxruntime
import pytest
from onnx import TensorProto, helper
from runtime_under_test import OURS

CAPI = os.path.join(os.path.dirname(onnxruntime.__file__), "capi")
(LIBRARY,) = glob.glob(os.path.join(CAPI, "libonnxruntime.so.1.*"))

# The C interface by the places of its slots in the table.
CALLS = r"""
import ctypes as c, _ctypes, mmap, sys, threading
GET_ERROR, CREATE_ENV, CREATE_SESSION, RUN, CREATE_OPTIONS, TENSOR, DATA, CPU_INFO = 2, 3, 8, 9, 10, 49, 51, 69
FREE_ENV, FREE_INFO, FREE_SESSION, FREE_VALUE, FREE_OPTIONS = 92, 94, 95, 96, 100
P = c.c_void_p
model = open(sys.argv[1], "rb").read()

class Runtime:
    def __init__(self, path):
        self.library = c.CDLL(path)
        self.library.OrtGetApiBase.restype = c.POINTER(P)
        self.api = c.CFUNCTYPE(c.POINTER(P), c.c_uint32)(self.library.OrtGetApiBase()[0])(24)
        self.env = self.made(CREATE_ENV, c.c_int(4), c.c_char_p(b"test"))
    def call(self, slot, *args):
        status = c.CFUNCTYPE(P, *map(type, args))(self.api[slot])(*args)
        if status and slot < FREE_ENV: raise RuntimeError(c.CFUNCTYPE(c.c_char_p, P)(self.api[GET_ERROR])(status))
    def made(self, slot, *args):
        handle = P()
        self.call(slot, *args, c.cast(c.byref(handle), P))
        return handle
    def session(self):
        options = self.made(CREATE_OPTIONS)
        try: return self.made(CREATE_SESSION, self.env, c.c_char_p(model), c.c_size_t(len(model)), options)
        finally: self.call(FREE_OPTIONS, options)
    def run(self, session):
        data, shape = (c.c_float * 2)(1, -2), (c.c_int64 * 1)(2)
        info = self.made(CPU_INFO, c.c_int(0), c.c_int(0))
        x = self.made(TENSOR, info, c.cast(data, P), c.c_size_t(8), c.cast(shape, P), c.c_size_t(1), c.c_int(1))
        y = P()
        self.call(RUN, session, P(), c.cast((c.c_char_p * 1)(b"x"), P), c.cast((P * 1)(x), P), c.c_size_t(1),
                  c.cast((c.c_char_p * 1)(b"y"), P), c.c_size_t(1), c.cast(c.byref(y), P))
        out = self.made(DATA, y)
        assert c.cast(out, c.POINTER(c.c_float))[:2] == [-1, 2]
        for slot, handle in ((FREE_VALUE, x), (FREE_VALUE, y), (FREE_INFO, info)): self.call(slot, handle)
    def close(self):
        self.call(FREE_ENV, self.env)
        _ctypes.dlclose(self.library._handle)
"""

ROUNDS = """
for _ in range(4):
    runtime = Runtime(sys.argv[2])
    session = runtime.session()
    runtime.run(session)
    runtime.call(FREE_SESSION, session)
    runtime.close()
    taken = [mmap.mmap(-1, 1 << 20) for _ in range(64)]  # another round would lie at other addresses
"""
LEFT_OPEN = """
sessions = []
for _ in range(3):
    runtime = Runtime(sys.argv[2])
    sessions.append((runtime, runtime.session()))
    runtime.close()
for runtime, session in sessions: runtime.run(session)
"""
THREADS = """
def work():
    for _ in range(5):
        runtime = Runtime(sys.argv[2])
        session = runtime.session()
        runtime.run(session)
        runtime.call(FREE_SESSION, session)
        runtime.close()
threads = [threading.Thread(target=work) for _ in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
"""
TWO_COPIES = """
for _ in range(2):
    both = [Runtime(path) for path in sys.argv[2:4]]
    assert both[0].api[0] != both[1].api[0]
    sessions = [runtime.session() for runtime in both]
    for runtime, session in zip(both, sessions): runtime.run(session)
    for runtime, session in zip(both, sessions): runtime.call(FREE_SESSION, session)
    for runtime in both: runtime.close()
"""


@pytest.fixture(scope="module")
def model_file(tmp_path_factory):
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [2]) for name in "xy")
    graph = helper.make_graph([helper.make_node("Neg", ["x"], ["y"])], "g", [x], [y])
    path = tmp_path_factory.mktemp("reload") / "model.onnx"
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    path.write_bytes(model.SerializeToString())
    return str(path)


def run(code, *arguments, **environment):
    done = subprocess.run(
        [sys.executable, "-c", CALLS + code + "\nprint('done')", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        env=os.environ | environment,
    )
    assert done.returncode == 0 and done.stdout == "done\n", done.stderr[-2000:]


@pytest.mark.skipif(not OURS, reason="the library of this build")
@pytest.mark.parametrize("code", [ROUNDS, LEFT_OPEN, THREADS], ids=["rounds", "left open", "threads"])
def test_load_and_unload(model_file, code):
    run(code, model_file, LIBRARY)


@pytest.mark.skipif(not OURS, reason="the library of this build")
def test_two_copies_use_one_provider_library(model_file, tmp_path):
    """Each has tables of its own; the provider, which is one in the process, keeps them apart."""
    copies = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        copies.append(shutil.copy(LIBRARY, tmp_path / name))
    run(TWO_COPIES, model_file, *copies, ORTRUN_PROVIDER_PATH=os.path.join(CAPI, "providers"))
