# SPDX-License-Identifier: Apache-2.0
"""A quiet guest: what the library does to the process that it is loaded into."""

import os
import re
import shutil
import statistics
import subprocess
import sys
import time

import pytest
from runtime_under_test import OURS

MODEL = """
import numpy as np, onnxruntime as ort, sys
def make(threads=2):
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    return ort.InferenceSession(sys.argv[1], options, providers=["CPUExecutionProvider"])
feed = {"x": np.ones((256, 256), np.float32)}
"""


@pytest.fixture(scope="module")
def model_file(tmp_path_factory):
    """Enough work to use every thread: a matrix product and a chain on its result."""
    import numpy as np
    from bad_models import FLOAT, info, model, tensor, write
    from onnx import helper

    nodes = [helper.make_node("MatMul", ["x", "w"], ["p"]), helper.make_node("Tanh", ["p"], ["y"])]
    weights = [tensor("w", np.ones((256, 256), np.float32) / 256)]
    square = [256, 256]
    made = model(nodes, [info("x", FLOAT, square)], [info("y", FLOAT, square)], weights)
    return write(tmp_path_factory.mktemp("process") / "model.onnx", made)


def python(code, *arguments, command=(), **options):
    """Runs `code` in a new interpreter that writes no bytecode."""
    return subprocess.run(
        [*command, sys.executable, "-B", "-c", code, *arguments], capture_output=True, text=True, timeout=120, **options
    )


def quiet(code, *arguments, **options):
    done = python(MODEL + code, *arguments, **options)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return done.stdout


@pytest.mark.ours
def test_import_and_run_use_no_network_and_write_nothing(model_file, tmp_path):
    assert shutil.which("strace"), "strace is needed: packaging/setup.sh installs it"
    trace = tmp_path / "trace"
    code = MODEL + "session = make(); session.run(None, feed); session.run(None, feed)"
    calls = "%network,open,openat,openat2,creat,mkdir,mkdirat,rename,renameat2,unlink,unlinkat,truncate,link,symlink"
    done = python(code, model_file, command=["strace", "-f", "-qq", "-e", f"trace={calls}", "-o", str(trace)])
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    lines = [line.split(maxsplit=1)[1] for line in trace.read_text().splitlines()]
    assert any(model_file in line for line in lines), "the trace does not show the model being opened"
    reads = re.compile(r"^open(at2?)?\(.*O_RDONLY|^(---|\+\+\+)|^<\.\.\. open\w* resumed")
    harmless = re.compile(r'"/dev/null"')
    others = [line for line in lines if not reads.search(line) and not harmless.search(line)]
    assert others == []
    assert [line for line in lines if re.search(r"O_CREAT|O_TRUNC|O_APPEND", line)] == []


def test_import_prints_nothing():
    done = python("import onnxruntime, ortrun" if OURS else "import onnxruntime")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.ours
def test_no_thread_spins_when_idle(model_file):
    out = quiet(
        """
import time
sessions = [make(4), make(3)]
for session in sessions:
    session.run(None, feed)
time.sleep(0.05)
before = time.process_time()
time.sleep(1)
print(time.process_time() - before)
""",
        model_file,
    )
    assert float(out) < 0.05


DEFAULT_THREADS = """
import os
session = ort.InferenceSession(sys.argv[1], providers=["CPUExecutionProvider"])
before = len(os.listdir("/proc/self/task"))
for _ in range(3):
    session.run(None, feed)
print(1 + len(os.listdir("/proc/self/task")) - int(sys.argv[2]))
"""


@pytest.mark.ours
def test_default_threads_follow_the_affinity_mask(model_file):
    """The threads of the process, less those that it had before the library started any."""
    code = "import numpy, os; print(len(os.listdir('/proc/self/task')))"
    for cpus in ({min(os.sched_getaffinity(0))}, os.sched_getaffinity(0)):
        mask = ",".join(map(str, sorted(cpus)))
        environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
        command = ["taskset", "-c", mask]
        without = python(code, command=command, env=environment).stdout.strip()
        out = quiet(DEFAULT_THREADS, model_file, without, command=command, env=environment)
        assert int(out) == len(cpus)


EXITS = {
    "live session": "session = make(); session.run(None, feed)",
    "several sessions": "sessions = [make(n) for n in (1, 2, 3)]; [s.run(None, feed) for s in sessions]",
    "a session in a cycle": "class A: pass\na = A(); a.a = a; a.s = make(); a.s.run(None, feed)",
    "a binding": "s = make(); b = s.io_binding(); b.bind_cpu_input('x', feed['x']); b.bind_output('y');"
    "s.run_with_iobinding(b); out = b.get_outputs()",
    "results outlive the session": "s = make(); y = s.run(None, feed)[0]; del s; assert y.shape == (256, 256)",
    "a run in another thread": """
import threading
session = make()
def work():
    while True:
        session.run(None, feed)
threading.Thread(target=work, daemon=True).start()
import time
time.sleep(0.2)
""",
    "an asynchronous run": "session = make(); session.run_async(None, feed, lambda *a: None, None)",
}


@pytest.mark.ours
@pytest.mark.parametrize("name", EXITS)
def test_exit_is_clean(name, model_file):
    assert quiet(EXITS[name], model_file) == ""


@pytest.mark.ours
def test_a_child_of_fork_has_threads_of_its_own(model_file):
    out = quiet(
        """
import os
session = make(4)
want = session.run(None, feed)[0]
child = os.fork()
if child == 0:
    for _ in range(3):
        assert (session.run(None, feed)[0] == want).all()
    again = make(3)
    assert (again.run(None, feed)[0] == want).all()
    print(len(os.listdir("/proc/self/task")) >= 6, flush=True)
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
assert (session.run(None, feed)[0] == want).all()
""",
        model_file,
    )
    assert out == "True\n"


@pytest.mark.ours
def test_import_takes_no_longer_than_onnx_runtimes(record_property):
    """Against PyPI's package in the interpreter ORTRUN_REFERENCE_PYTHON, in turn; a wide bound, for busy machines."""
    reference = os.environ.get("ORTRUN_REFERENCE_PYTHON")
    if not reference or not os.path.exists(reference):
        pytest.skip("ORTRUN_REFERENCE_PYTHON names no interpreter with PyPI's onnxruntime")

    def seconds(interpreter, environment):
        start = time.perf_counter()
        subprocess.run([interpreter, "-c", "import onnxruntime"], check=True, env=environment, capture_output=True)
        return time.perf_counter() - start

    alone = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}
    times = {"ours": [], "reference": []}
    for _ in range(5):
        times["ours"].append(seconds(sys.executable, dict(os.environ)))
        times["reference"].append(seconds(reference, alone))
    ours, theirs = (statistics.median(times[name]) for name in ("ours", "reference"))
    print(f"import: {ours * 1e3:.0f} ms, ONNX Runtime {theirs * 1e3:.0f} ms, ratio {ours / theirs:.2f}")
    record_property("ratio", ours / theirs)
    assert ours < 2 * theirs
