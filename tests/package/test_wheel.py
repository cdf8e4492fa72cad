# SPDX-License-Identifier: Apache-2.0
"""What the installed wheel carries: its files, its exports, what it needs, its notices, its size."""

import importlib.metadata as metadata
import re
import subprocess
import sys
from pathlib import Path

import pytest

# Of the machine the libraries need no more than the C and C++ run time.
ALLOWED_NEEDED = {"ld-linux-x86-64.so.2", "libc.so.6", "libgcc_s.so.1", "libm.so.6", "libstdc++.so.6"}
SIZE_BUDGET = 24 * 1024 * 1024  # of everything unpacked


def site_file(name: str) -> Path:
    return Path(metadata.distribution("ortrun").locate_file(name))


def carried() -> list[Path]:
    return [site_file(str(file)) for file in metadata.distribution("ortrun").files or []]


def binaries() -> list[Path]:
    return [file for file in carried() if file.is_file() and file.read_bytes()[:4] == b"\x7fELF"]


def read_elf(*arguments: str) -> str:
    return subprocess.run(arguments, check=True, capture_output=True, text=True).stdout


def exported(file: Path) -> set[str]:
    return {line.split()[-1] for line in read_elf("nm", "-D", "--defined-only", str(file)).splitlines()}


def needed(file: Path) -> set[str]:
    return set(re.findall(r"\(NEEDED\).*\[(.+)\]", read_elf("readelf", "-d", str(file))))


def test_the_core_shows_its_c_entry_points_without_versions():
    library = site_file("onnxruntime/capi/libonnxruntime.so.1.30.0")
    assert exported(library) == {"OrtGetApiBase", "OrtSessionOptionsAppendExecutionProvider_CPU"}
    assert "[libonnxruntime.so.1]" in read_elf("readelf", "-d", str(library))


def test_a_provider_shows_the_plugin_interface_and_does_not_link_the_core():
    library = site_file("onnxruntime/capi/providers/libonnxruntime_providers_cpu.so")
    assert exported(library) == {"CreateEpFactories", "ReleaseEpFactory"}
    assert needed(library) <= ALLOWED_NEEDED


def test_the_extension_module_shows_its_initialiser_alone():
    (module,) = site_file("onnxruntime/capi").glob("onnxruntime_pybind11_state*.so")
    assert exported(module) == {"PyInit_onnxruntime_pybind11_state"}


def test_binaries_need_nothing_but_the_system_and_each_other():
    files = binaries()
    assert len(files) >= 4
    own = {file.name for file in files}
    for file in files:
        assert needed(file) <= ALLOWED_NEEDED | own, file


def test_no_text_relocations_and_no_executable_stack():
    for file in binaries():
        assert "TEXTREL" not in read_elf("readelf", "-d", str(file)), file
        (stack,) = [line for line in read_elf("readelf", "-lW", str(file)).splitlines() if "GNU_STACK" in line]
        assert "RWE" not in stack, file


def test_the_wheel_stays_within_its_size():
    sizes = {str(file): file.stat().st_size for file in carried() if file.is_file() and file.suffix != ".pyc"}
    assert sum(sizes.values()) < SIZE_BUDGET, sorted(sizes.items(), key=lambda item: -item[1])[:5]


def test_run_time_requirements():
    wanted = [r for r in metadata.requires("ortrun") or [] if "extra ==" not in r]
    assert [re.match(r"[A-Za-z0-9_.-]+", r)[0] for r in wanted] == ["numpy"]


def test_the_alias_satisfies_packages_that_require_onnxruntime():
    alias = metadata.distribution("onnxruntime")
    assert alias.version == metadata.version("ortrun")
    assert alias.requires == [f"ortrun=={alias.version}"]
    assert not [file for file in alias.files or [] if ".dist-info" not in str(file)]


@pytest.mark.parametrize("library", ["onnx", "Protocol Buffers", "Boost", "Highway", "OpenBLAS", "RE2", "pybind11"])
def test_notices_of_carried_libraries(library):
    (notice,) = [file for file in carried() if file.name == "NOTICE"]
    assert re.search(rf"^{library}$", notice.read_text(), re.MULTILINE)


def test_the_command_is_installed():
    command = Path(sys.executable).parent / "ortrun"
    done = subprocess.run([command, "--help"], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "ortrun" in done.stdout


@pytest.mark.parametrize("order", [("onnx", "onnxruntime"), ("onnxruntime", "onnx")])
def test_onnx_and_ours_share_a_process(order):
    lines = [f"import {name}" for name in order] + [
        "from onnx import TensorProto, helper",
        "node = helper.make_node('Abs', ['x'], ['y'])",
        "value = lambda name: helper.make_tensor_value_info(name, TensorProto.FLOAT, [2])",
        "graph = helper.make_graph([node], 'g', [value('x')], [value('y')])",
        "model = helper.make_model(graph, opset_imports=[helper.make_opsetid('', 21)], ir_version=10)",
        "onnx.checker.check_model(model)",
        "onnx.shape_inference.infer_shapes(model)",
        "import numpy as np",
        "session = onnxruntime.InferenceSession(model.SerializeToString())",
        "print(session.run(None, {'x': np.array([-1, 2], np.float32)})[0].tolist())",
    ]
    done = subprocess.run([sys.executable, "-c", "\n".join(lines)], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[1.0, 2.0]"
