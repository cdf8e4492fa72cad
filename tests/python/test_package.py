# SPDX-License-Identifier: Apache-2.0
"""The package itself: its names, its import, its clash with other distributions."""

import ast
import inspect
import json
import pathlib
import subprocess
import sys

import onnxruntime as ort
import pytest
from onnxruntime.capi import _pybind_state
from onnxruntime.capi import onnxruntime_pybind11_state as C

INTERFACE = json.loads((pathlib.Path(__file__).parent / "interface.json").read_text())
ERRORS = {
    "Fail": 1,
    "InvalidArgument": 2,
    "NoSuchFile": 3,
    "NoModel": 4,
    "EngineError": 5,
    "RuntimeException": 6,
    "InvalidProtobuf": 7,
    "ModelLoaded": 8,
    "NotImplemented": 9,
    "InvalidGraph": 10,
    "EPFail": 11,
    "ModelLoadCanceled": 12,
    "ModelRequiresCompilation": 13,
    "NotFound": 14,
    "DeviceReset": 15,
}


@pytest.mark.parametrize("name", ERRORS)
def test_exception_classes(name):
    error = getattr(C, name)
    assert issubclass(error, Exception) and getattr(_pybind_state, name) is error
    assert f"{error.__module__}.{error.__name__}" == f"onnxruntime.capi.onnxruntime_pybind11_state.{name}"


@pytest.mark.parametrize("name", INTERFACE)
def test_public_names_and_members(name):
    thing = getattr(ort, name)
    for member, parameters in (INTERFACE[name] or {}).items():
        assert hasattr(thing, member), f"{name}.{member}"
        if parameters is not None:
            got = list(inspect.signature(getattr(thing, member)).parameters)
            assert got[: len(parameters)] == parameters, f"{name}.{member}{got}"


def test_versions():
    assert ort.__version__ == ort.version and isinstance(ort.get_build_info(), str)
    assert int(ort.get_version_string().split(".")[1]) >= 30
    assert ort.package_name == "onnxruntime" and ort.cuda_version == ""
    assert ort.has_collective_ops() is False


def test_switches_that_do_nothing():
    assert ort.disable_telemetry_events() is None
    assert ort.enable_telemetry_events() is None
    assert ort.set_seed(3) is None
    assert ort.preload_dlls(cuda=False, cudnn=False, msvc=False) is None


def run_python(code: str, *arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, timeout=120)


def test_import_prints_nothing():
    done = run_python("import onnxruntime")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.ours
def test_import_starts_no_thread():
    count = "print(len(os.listdir('/proc/self/task')))"
    alone = run_python(f"import os, numpy; {count}").stdout  # numpy's own library may have threads
    assert run_python(f"import os, onnxruntime; {count}").stdout == alone


@pytest.mark.ours
def test_import_loads_only_what_it_needs():
    code = (
        "import sys, numpy; before = set(sys.modules); import onnxruntime; "
        "print(' '.join(sorted(m for m in set(sys.modules) - before if m.split('.')[0] != 'onnxruntime')))"
    )
    assert set(run_python(code).stdout.split()) <= {"__future__", "atexit"}


@pytest.mark.ours
def test_onnx_and_onnxruntime_live_in_one_process(add_model):
    code = (
        "import sys; names = sys.argv[2].split(); "
        "[__import__(n) for n in names]; import onnx, onnxruntime; m = bytes.fromhex(sys.argv[1]); "
        "onnx.checker.check_model(m); onnxruntime.InferenceSession(m, providers=['CPUExecutionProvider'])"
    )
    for order in ("onnx onnxruntime", "onnxruntime onnx"):
        done = run_python(code, add_model.hex(), order)
        assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.ours
def test_debug_info(capsys):
    ort.print_debug_info()
    text = capsys.readouterr().out
    assert "runtime:" in text and "CPUExecutionProvider" in text


@pytest.mark.ours
def test_clash_with_another_distribution(tmp_path):
    from onnxruntime.capi import _clash

    capi = tmp_path / "capi"
    capi.mkdir()
    own = "onnxruntime_pybind11_state.cpython-311-x86_64-linux-gnu.so"
    for name in ("libonnxruntime.so.1.30.0", own):
        (capi / name).touch()
    assert _clash.foreign_files(str(tmp_path), own) == []
    for name in ("libonnxruntime.so.1.32.0", "onnxruntime_pybind11_state.abi3.so"):
        (capi / name).touch()
    (tmp_path / "ThirdPartyNotices.txt").touch()
    assert sorted(_clash.foreign_files(str(tmp_path), own)) == [
        "ThirdPartyNotices.txt",
        "capi/libonnxruntime.so.1.32.0",
        "capi/onnxruntime_pybind11_state.abi3.so",
    ]
    with pytest.warns(RuntimeWarning, match="libonnxruntime.so.1.32.0.*pip uninstall"):
        _clash.warn_about_clash(str(tmp_path), own)


@pytest.mark.ours
def test_types_are_published():
    """The stub names everything that the binding has, and nothing else."""
    folder = pathlib.Path(ort.__file__).parent
    assert (folder / "py.typed").exists()
    stub = ast.parse((folder / "capi" / "onnxruntime_pybind11_state.pyi").read_text())
    described = {}
    for node in stub.body:
        if isinstance(node, ast.ClassDef):
            described[node.name] = {
                getattr(entry, "name", None) or entry.target.id
                for entry in node.body
                if isinstance(entry, (ast.FunctionDef, ast.AnnAssign))
            }
        elif isinstance(node, (ast.FunctionDef, ast.AnnAssign)):
            described[getattr(node, "name", None) or node.target.id] = None
    described.pop("_Enum")
    assert set(described) == {name for name in vars(C) if not name.startswith("_")}
    for name, members in described.items():
        thing = getattr(C, name)
        if not isinstance(thing, type) or issubclass(thing, Exception):
            continue
        if hasattr(thing, "__members__"):
            assert set(thing.__members__) <= members, name
            continue
        public = {member for member in vars(thing) if not member.startswith("_")}
        assert {member for member in members if not member.startswith("_")} == public, name
