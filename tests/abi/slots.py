# SPDX-License-Identifier: Apache-2.0
"""Writes the slots of all tables as SLOT(table, name) lines, for tables_test.cc. usage: slots.py FACTS OUTPUT"""

import json
import sys
from pathlib import Path

TABLES = ("OrtApi", "OrtEpApi", "OrtModelEditorApi", "OrtCompileApi", "OrtInteropApi")


def main(facts: str, output: str) -> None:
    structs = json.loads(Path(facts).read_text())["structs"]
    lines = [f"SLOT({table}, {name})" for table in TABLES for name, *_ in structs[table]["fields"]]
    Path(output).write_text("\n".join([*lines, ""]))


if __name__ == "__main__":
    main(*sys.argv[1:])
