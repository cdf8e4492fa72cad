# SPDX-License-Identifier: Apache-2.0
"""The page on fused operators says what the schemas say."""

import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE = ROOT / "plugin-api/include/ortrun/fused_operators.md"
pytestmark = pytest.mark.ours


def schemas():
    """By operator: since, inputs, outputs, types, as the core has them; its marks for inferring shapes are not here."""
    found = {}
    for line in (ROOT / "core/graph/contrib_schemas.inc").read_text().splitlines():
        if line.startswith('"'):
            domain, name, *rest = line.strip('",').replace("~", "").split("|")
            found[f"{domain}.{name}" if domain else name] = rest
    return found


def test_the_table_is_that_of_the_schemas():
    known = schemas()
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in PAGE.read_text().splitlines() if "|" in line
    ]
    rows = [row for row in rows if re.fullmatch(r"[\w.]+", row[0]) and row[0] != "operator"]
    assert len(rows) >= 9
    for name, *facts in rows:
        said = [fact.replace(", ", ";").replace("; ", ";") for fact in facts]
        assert said == known[name], name


def test_every_operator_that_a_pass_makes_is_on_the_page():
    page = PAGE.read_text()
    made = set()
    for source in (ROOT / "core/optimizer").glob("*.cc"):
        text = source.read_text()
        if "PassStage::kProvider" in text:
            made.update(re.findall(r'patch_?\.(?:Add|Make)\("(\w+)", "[\w.]*", [1-9]', text))
            made.update(re.findall(r'op = "(\w+)"', text))
    assert {"FusedMatMul", "ElementwiseChain", "FusedConv", "Attention", "FastGelu"} <= made
    for operator in made:
        assert operator in page, operator
