# SPDX-License-Identifier: Apache-2.0
"""`ortrun bisect`, and what `ortrun explain` shows of an optimizer that stops early."""

import numpy as np
import pytest
from onnx import TensorProto, helper


@pytest.fixture
def gelu(save_model, tmp_path):
    """Gelu as exporters spell it, behind an Identity: two patches, of which the second one changes the last bits."""
    return save_model(
        tmp_path / "gelu.onnx",
        [
            helper.make_node("Identity", ["x"], ["i"], name="same"),
            helper.make_node("Div", ["i", "root"], ["d"], name="divide"),
            helper.make_node("Erf", ["d"], ["e"]),
            helper.make_node("Add", ["e", "one"], ["a"]),
            helper.make_node("Mul", ["i", "a"], ["m"]),
            helper.make_node("Mul", ["m", "half"], ["y"], name="last"),
        ],
        [("x", TensorProto.FLOAT, ["batch", 64])],
        [("y", TensorProto.FLOAT, ["batch", 64])],
        {"root": np.float32(2**0.5), "one": np.float32(1), "half": np.float32(0.5)},
    )


def test_nothing_differs(ortrun, gelu):
    done = ortrun("bisect", gelu, "-d", "batch=64")
    assert done.code == 0 and done.err == "" and "none of 2 patches" in done.out
    assert ortrun("bisect", gelu, "--json").json == {"patches": 2, "first": None}


def test_the_first_patch_that_differs(ortrun, gelu):
    done = ortrun("bisect", gelu, "-d", "batch=64", "--tolerance", "0", "--json")
    assert done.code == 1 and done.json["first"] == 2 and done.json["output"] == "y"
    assert "gelu_fusion" in done.json["patch"] and "'divide'" in done.json["patch"]
    assert "from patch 2 of 2 on" in ortrun("bisect", gelu, "-d", "batch=64", "--tolerance", "0").out
    ortrun("bisect", gelu, "--tolerance", "-1").failed(2, "--tolerance")


def test_explain_stops_after_so_many(ortrun, gelu):
    for most, operators in ((0, 6), (1, 5), (2, 1)):
        explained = ortrun("explain", gelu, "--stop-after", most, "--json").json
        assert len(explained["nodes"]) == operators
