# SPDX-License-Identifier: Apache-2.0
"""The C headers against the facts that binaries built for ONNX Runtime rely on (data/ort_c_abi.json).

A C program made from the facts prints what the headers give: sizes, offsets, values, whether a type is the one
expected. A field is [name, offset, type], or [name, offset, type returned, types of the parameters] for a function, or
[name, offset] where its type has no name.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
INCLUDE = ROOT / "plugin-api" / "include"
FACTS = json.loads((ROOT / "tests" / "data" / "ort_c_abi.json").read_text())
HEADER = "onnxruntime_c_api.h"
LEAST_CHECKS = 1641


def function_pointer(returns: str, parameters: list[str]) -> str:
    return f"{returns} (*)({', '.join(parameters) or 'void'})"


def has_type(expression: str, expected: str) -> str:
    return f"_Generic({expression}, {expected}: 1, default: 0)"


def checks() -> list[tuple[str, str, int, bool]]:
    """(what is checked, its C expression, the expected value, whether a larger one is right too)"""
    found = []
    for struct, body in FACTS["structs"].items():
        found.append((f"size of {struct}", f"sizeof(struct {struct})", body["size"], body["grows"]))
        for name, offset, *declared in body["fields"]:
            found.append((f"offset of {struct}.{name}", f"offsetof(struct {struct}, {name})", offset, False))
            if not declared:
                continue
            expected = function_pointer(*declared) if len(declared) == 2 else declared[0]
            field = f"((struct {struct}*)0)->{name}"
            found.append((f"type of {struct}.{name}, {expected}", has_type(field, expected), 1, False))
    for enum, values in FACTS["enums"].items():
        found += [(f"{enum}.{name}", name, value, False) for name, value in values.items()]
    for name, declared in FACTS["function_types"].items():
        expected = function_pointer(*declared)
        found.append((f"{name}, {expected}", has_type(f"({name})0", expected), 1, False))
    for name, expected in FACTS["aliases"].items():
        found.append((f"{name}, {expected}", has_type(f"({name})0", expected), 1, False))
    for name in FACTS["opaque_types"]:
        found.append((f"struct {name}", has_type(f"({name}*)0", f"struct {name}*"), 1, False))
    for name, declared in FACTS["functions"].items():
        expected = function_pointer(*declared)
        found.append((f"{name}, {expected}", has_type(f"&{name}", expected), 1, False))
    found.append(("ORT_API_VERSION", "ORT_API_VERSION", FACTS["api_version"], False))
    return found


def compiler(variable: str, *names: str) -> str:
    named = os.environ.get(variable) or next(filter(shutil.which, names), None)
    assert named, f"no compiler: none of {', '.join(names)} is installed and {variable} is not set"
    return named


def compiled(source: Path, *arguments: str, language: str = "c") -> None:
    name = compiler("CC", "cc", "gcc", "clang") if language == "c" else compiler("CXX", "c++", "g++", "clang++")
    command = [name, "-x", language, f"-I{INCLUDE}", *arguments, str(source)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_headers_follow_the_facts(tmp_path):
    asked = checks()
    lines = [f'#include "{HEADER}"', "#include <stddef.h>", "#include <stdio.h>", "int main(void) {"]
    lines += [f'  printf("%lld\\n", (long long)({expression}));' for _, expression, _, _ in asked]
    source, program = tmp_path / "facts.c", tmp_path / "facts"
    source.write_text("\n".join([*lines, "  return 0;", "}", ""]))
    compiled(source, "-std=c11", "-O0", "-o", str(program))
    answers = subprocess.run([program], check=True, capture_output=True, text=True).stdout.split()
    assert len(answers) == len(asked)
    wrong = [
        f"{what}: {answer}, expected {expected}"
        for (what, _, expected, or_larger), answer in zip(asked, map(int, answers))
        if answer != expected and not (or_larger and answer > expected)
    ]
    assert not wrong, "\n".join(wrong)
    print(f"{len(asked)} checks passed")
    assert len(asked) >= LEAST_CHECKS


def test_every_slot_of_a_table_is_known():
    for table in ("OrtApi", "OrtEpApi", "OrtModelEditorApi", "OrtCompileApi", "OrtInteropApi"):
        body = FACTS["structs"][table]
        assert [offset for _, offset, *_ in body["fields"]] == list(range(0, body["size"], 8)), table
        assert max(Counter(name for name, *_ in body["fields"]).values()) == 1, table


@pytest.mark.parametrize(
    ("language", "standard"), [("c", "c99"), ("c", "c11"), ("c++", "c++11"), ("c++", "c++17"), ("c++", "c++20")]
)
def test_the_headers_compile_alone_without_warnings(tmp_path, language, standard):
    for header in (HEADER, "onnxruntime_ep_c_api.h"):
        source = tmp_path / f"{header}.source"
        source.write_text(f'#include "{header}"\n')
        strict = ("-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only")
        compiled(source, f"-std={standard}", *strict, language=language)
