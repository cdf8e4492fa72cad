# SPDX-License-Identifier: Apache-2.0
"""Every node case of onnx's backend suite that the provider has kernels for. No case is excepted by name."""

import ml_dtypes
import numpy as np
import onnxruntime as ort
import pytest
from onnx_cases import assert_same, node_cases, to_python
from provider_under_test import NotRegistered, session

SUB_BYTE = ("float4", "int4", "uint4", "int2", "uint2")
# The standard does not say which numbers these give: their outputs are compared in shape and type alone.
RANDOM = {"Bernoulli", "Multinomial", "RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike"}


def resizes_to_fraction(case, feeds) -> bool:
    """Resize with align_corners where length * scale is no whole number: the expected outputs divide by the fraction,
    the standard's text by the whole length of the output. test_resize_coordinates.py has the text's values."""
    node = case.model.graph.node[0]
    modes = {a.s for a in node.attribute if a.name == "coordinate_transformation_mode"}
    if node.op_type != "Resize" or b"align_corners" not in modes or "scales" not in feeds:
        return False
    lengths = np.array(feeds["X"].shape) * feeds["scales"].astype(np.float64)
    return bool((np.abs(lengths - np.round(lengths)) > 1e-5).any())


def is_extra(value) -> bool:
    """Types that numpy lacks; a runtime may want them as OrtValue."""
    return isinstance(value, np.ndarray) and (
        value.dtype.kind == "V" or value.dtype.name.startswith(("bfloat", "float8", *SUB_BYTE))
    )


def run(runner, feeds, types):
    try:
        if not any(is_extra(v) for v in feeds.values()):
            return runner.run(None, feeds)
        return run_values(runner, feeds, types)
    except RuntimeError as error:
        if "No corresponding Numpy type" in str(error):
            pytest.skip(f"not selected: this runtime's Python cannot hand the result out: {error}")
        raise


def value_of(value, element_type):
    if not is_extra(value) or value.dtype.name.startswith(SUB_BYTE):  # those are packed by the binding
        return ort.OrtValue.ortvalue_from_numpy(value)
    return ort.OrtValue.ortvalue_from_numpy_with_onnx_type(value, element_type)


def resolution(want) -> float:
    """Two units in the last place of the largest element: the expected outputs, rounded step by step, are no better."""
    if not isinstance(want, np.ndarray) or want.size == 0 or want.dtype.name not in ("float32", "float16", "bfloat16"):
        return 0.0
    wide = want.astype(np.float64)
    largest = float(np.abs(wide[np.isfinite(wide)]).max(initial=0))
    return float(ml_dtypes.finfo(want.dtype).eps) * 2.0 ** np.ceil(np.log2(largest)) if largest else 0.0


def run_values(runner, feeds, types):
    values = {name: value_of(v, types[name].tensor_type.elem_type) for name, v in feeds.items()}
    return [output.numpy() for output in runner.run_with_ort_values(None, values)]


@pytest.mark.parametrize("case", node_cases(), ids=lambda case: case.name)
def test_node(case, record_property):
    record_property("operators", case.operators)
    try:
        runner = session(case.model.SerializeToString())
    except NotRegistered as reason:
        pytest.skip(f"not selected: {reason}")
    types = {i.name: i.type for i in case.model.graph.input}
    for inputs, outputs in case.data_sets:
        feeds = {i.name: to_python(x) for i, x in zip(case.model.graph.input, inputs)}
        feeds = {name: value for name, value in feeds.items() if value is not None}
        got = run(runner, feeds, types)
        for want, have in zip(outputs, got):
            want = to_python(want)
            if RANDOM.intersection(case.operators) or resizes_to_fraction(case, feeds):
                assert (have.shape, have.dtype) == (want.shape, want.dtype)
            else:
                assert_same(want, have, case.rtol, max(case.atol, resolution(want)))
