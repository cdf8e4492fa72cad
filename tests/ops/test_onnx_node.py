# SPDX-License-Identifier: Apache-2.0
"""Every node case of onnx's backend suite that the provider has kernels for. No case is excepted by name."""

import numpy as np
import pytest
from onnx_cases import RANDOM, assert_same, node_cases, to_python
from provider_under_test import NotRegistered, session
from ways import assert_like, is_not_in_python, resolution


def resizes_to_fraction(case, feeds) -> bool:
    """Resize with align_corners where length * scale is no whole number: the expected outputs divide by the fraction,
    the standard's text by the whole length of the output. test_resize_coordinates.py has the text's values."""
    node = case.model.graph.node[0]
    modes = {a.s for a in node.attribute if a.name == "coordinate_transformation_mode"}
    if node.op_type != "Resize" or b"align_corners" not in modes or "scales" not in feeds:
        return False
    lengths = np.array(feeds["X"].shape) * feeds["scales"].astype(np.float64)
    return bool((np.abs(lengths - np.round(lengths)) > 1e-5).any())


def rounding(want) -> float:
    """Two units in the last place of the largest element: the expected outputs, rounded step by step, are no better."""
    return 0.0 if isinstance(want, np.ndarray) and want.dtype == np.float64 else resolution(want)


@pytest.mark.parametrize("case", node_cases(), ids=lambda case: case.name)
def test_node(case, record_property):
    record_property("operators", case.operators)
    try:
        runner = session(case.model.SerializeToString())
    except NotRegistered as reason:
        pytest.skip(f"not selected: {reason}")
    for inputs, outputs in case.data_sets:
        feeds = {i.name: to_python(x) for i, x in zip(case.model.graph.input, inputs)}
        try:
            runner.run(None, feeds)
        except RuntimeError as error:
            if is_not_in_python(error):
                pytest.skip(f"not selected: this runtime's Python lacks a type of the case: {error}")
            raise
        values_known = not RANDOM.intersection(case.operators) and not resizes_to_fraction(case, feeds)
        for level, got in runner.results:
            for want, have in zip(outputs, got):
                check(case, level, to_python(want), have, values_known)


def check(case, level, want, have, values_known):
    try:
        if not values_known:
            assert_like(want, have)
        else:
            assert_same(want, have, case.rtol, max(case.atol, rounding(want)))
    except AssertionError as error:
        raise AssertionError(f"optimisation {level}: {error}") from error
