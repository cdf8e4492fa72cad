# SPDX-License-Identifier: Apache-2.0
"""Shows a real model at work through the wheel: magika on files of the repository, then `ortrun` on its model.

Ends with an error when magika's answers are not what those files are.
"""

import subprocess
import sys
import time
from pathlib import Path

import magika
import onnxruntime

ROOT = Path(__file__).resolve().parent.parent
EXPECTED = {
    "README.md": "markdown",
    "pyproject.toml": "toml",
    "CMakePresets.json": "json",
    "packaging/setup.sh": "shell",
    "packaging/demo.py": "python",
    "tests/package/consumer/consumer.c": "c",
    "core/base/nearest.cc": "cpp",
}


def identify_files() -> bool:
    print(f"onnxruntime {onnxruntime.__version__} from {Path(onnxruntime.__file__).parent}")
    print(f"providers: {', '.join(onnxruntime.get_available_providers())}")
    start = time.perf_counter()
    identifier = magika.Magika()
    loaded = time.perf_counter()
    answers = identifier.identify_paths([ROOT / name for name in EXPECTED])
    done = time.perf_counter()
    print(f"\nmagika {magika.__version__}: model loaded in {(loaded - start) * 1e3:.0f} ms, ", end="")
    print(f"{len(EXPECTED)} files in {(done - loaded) * 1e3:.1f} ms")
    right = True
    for (name, expected), answer in zip(EXPECTED.items(), answers, strict=True):
        label = answer.output.label
        print(f"  {name:36} {label:10} {answer.score:.3f}{'' if label == expected else f'  expected {expected}'}")
        right = right and label == expected
    return right


def run_command(*arguments: str) -> bool:
    command = Path(sys.executable).parent / "ortrun"
    print(f"\n$ ortrun {' '.join(arguments)}", flush=True)
    return subprocess.run([command, *arguments], check=False).returncode == 0


def main() -> int:
    model = next(Path(magika.__file__).parent.glob("models/*/model.onnx"))
    right = identify_files()
    right = run_command("run", str(model), "--repeat", "20") and right
    right = run_command("explain", str(model)) and right
    return 0 if right else 1


if __name__ == "__main__":
    sys.exit(main())
