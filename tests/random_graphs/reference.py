# SPDX-License-Identifier: Apache-2.0
"""What onnx's reference evaluator, or a formula where the standard has no such operator, makes of one node."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import ml_dtypes
import numpy as np
import onnx
from onnx import helper
from onnx.reference import ReferenceEvaluator

from .graph import IMPORTS, IR_VERSION, reads, type_of

FORMULAS: dict[str, Callable] = {}  # com.microsoft operators: f(inputs, attributes) -> outputs
NARROW = {"float16", "bfloat16"}


def evaluate(node: onnx.NodeProto, values: dict[str, Any], opset: int) -> list[Any]:
    """The outputs of a node, None for those that it leaves out. Raises whatever the evaluator raises."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        if node.domain == "com.microsoft":
            return by_formula(node, values)
        names = [name for name in node.output if name]
        model = single(node, values, opset, names)
        results = iter(ReferenceEvaluator(model).run(None, {name: values[name] for name in reads(node)}))
        return [plain(next(results)) if name else None for name in node.output]


def single(node: onnx.NodeProto, values: dict[str, Any], opset: int, names: list[str]) -> onnx.ModelProto:
    inputs = [helper.make_value_info(n, type_of(values[n], getattr(values[n], "shape", None))) for n in reads(node)]
    graph = helper.make_graph([node], "node", inputs, [onnx.ValueInfoProto(name=n) for n in names])
    imports = [helper.make_opsetid("", opset)] + [helper.make_opsetid(*i) for i in IMPORTS.items()]
    return helper.make_model(graph, opset_imports=imports, ir_version=IR_VERSION)


def by_formula(node: onnx.NodeProto, values: dict[str, Any]) -> list[Any]:
    inputs = [values[name] if name else None for name in node.input]
    attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
    dtype = next(v.dtype for v in inputs if v is not None)
    wide = [v.astype(np.float64) if v is not None and is_float(v) else v for v in inputs]
    results = FORMULAS[node.op_type](wide, attributes)
    return [r.astype(dtype) if is_float(r) else r for r in results]


def is_float(value: Any) -> bool:
    return isinstance(value, np.ndarray) and (value.dtype.kind == "f" or value.dtype == ml_dtypes.bfloat16)


def plain(value: Any) -> Any:
    """Texts as objects, scalars as arrays, lists of arrays as lists."""
    if value is None:
        return None
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    if isinstance(value, dict):
        return value
    value = np.asarray(value)
    return value.astype(object) if value.dtype.kind in "US" else value
