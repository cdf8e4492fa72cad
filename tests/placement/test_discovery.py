# SPDX-License-Identifier: Apache-2.0
"""Providers are files: found where they lie, missed where they are taken away."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import onnxruntime as ort
import pytest
from onnx import helper

CPU = "CPUExecutionProvider"
CPU_FILE = "libonnxruntime_providers_cpu.so"
NAMES = "import onnxruntime as ort; print(ort.get_available_providers())"
RUN = """
import numpy as np, onnxruntime as ort
session = ort.InferenceSession("model.onnx")
print(session.get_providers(), session.run(None, {"x": np.ones(4, np.float32)})[0].tolist())
"""
LISTED = "import json, ortrun; print(json.dumps(ortrun.providers()))"


@pytest.fixture
def installation(tmp_path) -> Path:
    """A copy of the packages, whose files can be taken away."""
    top = tmp_path / "packages"
    for name in ("onnxruntime", "ortrun"):
        source = Path(ort.__file__).parents[1] / name
        shutil.copytree(source, top / name, ignore=shutil.ignore_patterns("__pycache__"))
    return top


@pytest.fixture
def providers(installation) -> Path:
    return installation / "onnxruntime" / "capi" / "providers"


@pytest.fixture
def run(installation, run_python, tmp_path, build_split):
    model = build_split([helper.make_node("Tanh", ["x"], ["y"])], {"x": [4]}, {"y": [4]})
    (tmp_path / "model.onnx").write_bytes(model)

    def run(program, **env):
        return run_python(program, env, installation)

    return run


def test_the_cpu_provider_is_taken_away(run, providers):
    code, out, err = run(NAMES)
    assert (code, out.strip()) == (0, str([CPU])), err
    (providers / CPU_FILE).unlink()
    (providers / "notes.txt").write_text("no library")
    code, out, err = run(NAMES)
    assert (code, out.strip()) == (0, "[]"), err
    code, out, err = run(RUN)
    assert code == 1 and "no execution provider is available, so no model can run" in err
    assert f"searched: '{providers}' (found: " in err and "ORTRUN_PROVIDER_PATH" in err


def test_it_lies_in_another_folder(run, providers, tmp_path):
    other = tmp_path / "elsewhere"
    other.mkdir()
    (providers / CPU_FILE).rename(other / CPU_FILE)
    missing = tmp_path / "missing"
    code, _, err = run(RUN, ORTRUN_PROVIDER_PATH=str(missing))
    assert code == 1 and f"'{missing}' (no such folder)" in err and f"'{providers}' (found: none)" in err
    code, out, err = run(RUN, ORTRUN_PROVIDER_PATH=f"{missing}:{other}")
    assert code == 0 and CPU in out, err
    code, out, err = run(RUN, ORTRUN_PROVIDER_PATH=os.path.relpath(other, tmp_path))
    assert code == 0 and CPU in out, err


def test_garbage_beside_it(run, providers):
    (providers / "libgarbage.so").write_bytes(b"no library at all")
    (providers / "libempty.so").touch()
    (providers / "libdangling.so").symlink_to("nothing")
    (providers / "folder.so").mkdir()
    code, out, err = run(RUN)
    assert code == 0 and CPU in out and err == ""
    code, out, err = run(LISTED)
    listed = {entry["name"]: entry for entry in json.loads(out)}
    assert listed[CPU]["status"] == "ready"
    for name in ("libgarbage", "libempty"):
        assert listed[name]["status"] == "unusable" and "could not be loaded" in listed[name]["reason"]
        assert listed[name]["file"] == str(providers / f"{name}.so")


def test_only_garbage(run, providers):
    (providers / CPU_FILE).write_bytes(b"cut off")
    code, _, err = run(RUN)
    assert code == 1 and "no execution provider is available" in err
    assert f"'{providers / CPU_FILE}' is not usable: the library could not be loaded" in err


def test_the_command_lists_it_with_the_reason(providers, installation):
    (providers / "libgarbage.so").write_bytes(b"no library at all")
    command = installation / "ortrun" / "bin" / "ortrun"
    done = subprocess.run([command, "providers"], capture_output=True, text=True)
    assert done.returncode == 0 and f"{CPU}  " in done.stdout
    assert "libgarbage" in done.stdout and "could not be loaded" in done.stdout
    (providers / CPU_FILE).unlink()
    done = subprocess.run([command, "providers", "--json"], capture_output=True, text=True)
    assert done.returncode == 4 and [entry["status"] for entry in json.loads(done.stdout)] == ["unusable"]


def test_a_mistyped_name(run):
    program = """
import onnxruntime as ort
options = ort.SessionOptions()
options.add_provider("CPUExecutionProvidr", {})
"""
    code, _, err = run(program)
    assert code == 1 and f"Did you mean '{CPU}'?" in err and "searched: " in err
