# SPDX-License-Identifier: Apache-2.0
"""The node cases of onnx's own backend suite as (name, model, feeds, expected outputs, tolerances)."""

import dataclasses
import functools
import warnings
from typing import Any

import numpy as np
import onnx
from onnx import numpy_helper
from onnx.backend.test.loader import load_model_tests

SUB_BYTE = ("float4", "int4", "uint4", "int2", "uint2")
# The standard does not say which numbers these give: their outputs are compared in shape and type.
RANDOM = {"Bernoulli", "Multinomial", "RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike"}


def is_extra(value: Any) -> bool:
    """Of a type that numpy lacks; a runtime may want it as OrtValue."""
    return isinstance(value, np.ndarray) and (
        value.dtype.kind == "V" or value.dtype.name.startswith(("bfloat", "float8", *SUB_BYTE))
    )


def is_sub_byte(value: np.ndarray) -> bool:
    return value.dtype.name.startswith(SUB_BYTE)


@dataclasses.dataclass
class Case:
    name: str
    model: onnx.ModelProto
    data_sets: list
    rtol: float
    atol: float

    @property
    def operators(self) -> list[str]:
        return sorted({(n.domain + "." if n.domain else "") + n.op_type for n in self.model.graph.node})


def to_python(value: Any) -> Any:
    if isinstance(value, onnx.TensorProto):
        return numpy_helper.to_array(value)
    if isinstance(value, onnx.SequenceProto):
        return numpy_helper.to_list(value)
    if isinstance(value, onnx.OptionalProto):
        return numpy_helper.to_optional(value)
    return value if value is None or isinstance(value, (list, dict)) else np.asarray(value)


@functools.lru_cache(maxsize=1)
def node_cases() -> list[Case]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        loaded = load_model_tests(kind="node")
    return [Case(c.name, c.model, c.data_sets, c.rtol, c.atol) for c in loaded if c.model is not None and c.data_sets]


def assert_same(want: Any, got: Any, rtol: float, atol: float) -> None:
    if isinstance(want, list):
        assert isinstance(got, list) and len(got) == len(want), f"a sequence of {len(want)}, got {got!r}"
        for w, g in zip(want, got):
            assert_same(w, g, rtol, atol)
        return
    if want is None or isinstance(want, dict):
        assert got == want
        return
    want, got = np.asarray(want), np.asarray(got)
    assert got.shape == want.shape, f"shape {got.shape}, expected {want.shape}"
    if want.dtype.kind in "OUS":
        assert (got.astype(str) == want.astype(str)).all(), f"{got}, expected {want}"
        return
    if is_extra(want):
        if got.dtype != want.dtype and got.dtype.itemsize == want.dtype.itemsize:
            got = got.view(want.dtype)
    assert got.dtype == want.dtype, f"type {got.dtype}, expected {want.dtype}"
    wide = np.complex128 if want.dtype.kind == "c" else np.float64
    np.testing.assert_allclose(got.astype(wide), want.astype(wide), rtol=rtol, atol=atol, equal_nan=True)
