# SPDX-License-Identifier: Apache-2.0
"""What onnx's reference evaluator, or a formula where the standard has no such operator, makes of one node."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import ml_dtypes
import numpy as np
import onnx
from onnx import helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from .graph import IMPORTS, IR_VERSION, reads, type_of

FORMULAS: dict[str, Callable] = {}  # com.microsoft operators: f(inputs, attributes) -> outputs
OVER_LATER_AXES = {"Softmax", "LogSoftmax", "Hardmax"}  # before opset 13: all axes from the given one on are one


def evaluate(node: onnx.NodeProto, values: dict[str, Any], opset: int) -> list[Any]:
    """The outputs of a node, None for those that it leaves out. Raises whatever the evaluator raises."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        if node.domain == "com.microsoft":
            return by_formula(node, values)
        if node.op_type in OVER_LATER_AXES and opset < 13:
            raise NotImplementedError("the evaluator has the newer meaning alone")
        if node.op_type in OWN:
            return OWN[node.op_type](node, values, opset)
        results = by_evaluator(node, values, opset)
        if node.op_type == "OptionalGetElement" and isinstance(results[0], list):
            return results[0]  # an optional is a list here
        return results


def by_evaluator(node: onnx.NodeProto, values: dict[str, Any], opset: int) -> list[Any]:
    model = single(node, values, opset, [name for name in node.output if name])
    results = iter(ReferenceEvaluator(model).run(None, {name: values[name] for name in reads(node)}))
    return [plain(next(results)) if name else None for name in node.output]


def loop(node: onnx.NodeProto, values: dict[str, Any], opset: int) -> list[Any]:
    """By the standard's text: the evaluator joins what is gathered of scalars wrongly."""
    trips, condition, *state = (values[name] if name else None for name in node.input)
    body = body_of(node)
    gathered: list[list[Any]] = [[] for _ in body.output[1 + len(state) :]]
    for count in range(10**6 if trips is None else int(trips)):
        if condition is not None and not condition:
            break
        given = [np.array(count), np.array(True) if condition is None else condition, *state]
        condition, *results = run_body(body, values | dict(zip([i.name for i in body.input], given)), opset)
        state = results[: len(state)]
        for rows, row in zip(gathered, results[len(state) :]):
            rows.append(row)
    return [*state, *(np.stack(rows) for rows in gathered)]  # none at all has no known shape: an error


def scan(node: onnx.NodeProto, values: dict[str, Any], opset: int) -> list[Any]:
    """Along the first axis; the evaluator has no directions."""
    attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
    body, count = body_of(node), attributes["num_scan_inputs"]
    state = [values[name] for name in node.input[:-count]]
    rows = [values[name] for name in node.input[-count:]]
    backwards = attributes.get("scan_input_directions", [0] * count)
    gathered: list[list[Any]] = [[] for _ in body.output[len(state) :]]
    for place in range(len(rows[0])):
        given = [*state, *(np.asarray(r[-1 - place if back else place]) for r, back in zip(rows, backwards))]
        results = run_body(body, values | dict(zip([i.name for i in body.input], given)), opset)
        state = results[: len(state)]
        for made, row in zip(gathered, results[len(state) :]):
            made.append(row)
    return [*state, *(np.stack(made) for made in gathered)]


def body_of(node: onnx.NodeProto) -> onnx.GraphProto:
    return next(a.g for a in node.attribute if a.name == "body")


def run_body(body: onnx.GraphProto, values: dict[str, Any], opset: int) -> list[Any]:
    values = values | {w.name: plain(numpy_helper.to_array(w)) for w in body.initializer}
    for node in body.node:
        values.update(zip(node.output, evaluate(node, values, opset)))
    return [values[o.name] for o in body.output]


def gather_elements(node: onnx.NodeProto, values: dict[str, Any], opset: int) -> list[Any]:
    """The evaluator wants indices of the data's sizes."""
    data, indices = (values[name] for name in node.input)
    places = list(np.indices(indices.shape))
    places[next((a.i for a in node.attribute if a.name == "axis"), 0)] = indices
    return [np.asarray(data[tuple(places)])]


def global_max_pool(node: onnx.NodeProto, values: dict[str, Any], opset: int) -> list[Any]:
    """The evaluator knows two axes of space alone."""
    x = values[node.input[0]]
    return [x.max(axis=tuple(range(2, x.ndim)), keepdims=True)]


def deform_conv(node: onnx.NodeProto, values: dict[str, Any], opset: int) -> list[Any]:
    """The evaluator goes element by element, which takes seconds where a graph's noise is asked for, and in float32."""
    x, w, offset, bias, mask = [values[name] if name else None for name in node.input] + [None] * (5 - len(node.input))
    attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
    if x.ndim != 4:
        raise NotImplementedError("two axes of space alone")
    kernel, groups, offset_groups = w.shape[2:], attributes.get("group", 1), attributes.get("offset_group", 1)
    pads, strides, dilations = (
        attributes.get(n, d) for n, d in (("pads", [0] * 4), ("strides", [1] * 2), ("dilations", [1] * 2))
    )
    n, c, out = len(x), x.shape[1], offset.shape[2:]
    moves = offset.reshape(n, offset_groups, *kernel, 2, *out).astype(np.float64)
    taps = np.indices((*kernel, *out))
    at = [
        taps[2 + i] * strides[i] - pads[i] + taps[i] * dilations[i] + moves[:, :, :, :, i] for i in range(2)
    ]  # each (n, offset group, tap, tap, row, column)
    images = x.reshape(n, offset_groups, c // offset_groups, *x.shape[2:]).astype(np.float64)
    image, group = (np.arange(k).reshape(s) for k, s in ((n, (n, 1, 1, 1, 1, 1)), (offset_groups, (1, -1, 1, 1, 1, 1))))
    taken = 0.0
    for corner in np.ndindex(2, 2):
        place = [np.floor(a).astype(np.int64) + k for a, k in zip(at, corner)]
        weight = np.prod([1 - np.abs(a - p) for a, p in zip(at, place)], axis=0)
        weight *= np.all([(p >= 0) & (p < s) for p, s in zip(place, x.shape[2:])], axis=0)
        inside = [np.clip(p, 0, s - 1) for p, s in zip(place, x.shape[2:])]
        taken = taken + images[image, group, :, inside[0], inside[1]] * weight[..., None]
    if mask is not None:
        taken = taken * mask.reshape(n, offset_groups, *kernel, *out)[..., None]
    # Channels before taps and places, and then by the groups of the weights.
    taken = np.moveaxis(taken, -1, 2).reshape(n, groups, c // groups, *kernel, *out)
    weights = w.reshape(groups, -1, c // groups, *kernel).astype(np.float64)
    y = np.einsum("ngcklhw,gmckl->ngmhw", taken, weights).reshape(n, -1, *out)
    return [(y if bias is None else y + bias.astype(np.float64)[:, None, None]).astype(x.dtype)]


def grid_sample(node: onnx.NodeProto, values: dict[str, Any], opset: int) -> list[Any]:
    """Version 20 gave the modes other names, and the evaluator knows those alone."""
    renamed = onnx.NodeProto()
    renamed.CopyFrom(node)
    for attribute in renamed.attribute:
        if attribute.name == "mode":
            attribute.s = {b"bilinear": b"linear", b"bicubic": b"cubic"}.get(attribute.s, attribute.s)
    return by_evaluator(renamed, values, max(opset, 20))


def pad(node: onnx.NodeProto, values: dict[str, Any], opset: int) -> list[Any]:
    """Where no constant is given the evaluator pads texts with the number 0, which is none of them."""
    padded = by_evaluator(node, values, opset)[0]
    if padded.dtype == object:
        padded = np.where(np.equal(padded, 0), "", padded).astype(object)
    return [padded]


def max_pool(node: onnx.NodeProto, values: dict[str, Any], opset: int) -> list[Any]:
    """By the standard's text: the evaluator counts fewer windows in ceil mode and of SAME_LOWER, and has no pads that
    differ. Of elements that are equal the first one has the index."""
    x = values[node.input[0]]
    attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
    kernel = np.array(attributes["kernel_shape"])
    extent, axes = np.array(x.shape[2:]), len(kernel)
    strides, dilations = (np.array(attributes.get(name, [1] * axes)) for name in ("strides", "dilations"))
    before, after = np.array(attributes.get("pads", [0] * 2 * axes)).reshape(2, axes)
    reach = dilations * (kernel - 1) + 1
    automatic = attributes.get("auto_pad", b"NOTSET").decode()
    if automatic.startswith("SAME"):
        sizes = -(-extent // strides)
        total = np.maximum((sizes - 1) * strides + reach - extent, 0)
        before = total // 2 if automatic == "SAME_UPPER" else total - total // 2
    else:
        room = extent + before + after - reach
        if (room < 0).any():
            raise ValueError("a window is larger than the image")
        sizes = (-(-room // strides) if attributes.get("ceil_mode") else room // strides) + 1
        if attributes.get("ceil_mode"):
            sizes -= (sizes - 1) * strides >= extent + before  # no window starts in the padding at the end
    largest = np.empty((*x.shape[:2], *sizes), x.dtype)
    indices = np.empty(largest.shape, np.int64)
    numbers = np.arange(x.size).reshape(x.shape)
    for place in np.ndindex(*sizes):
        seen = [at * s - b + d * np.arange(k) for at, s, b, d, k in zip(place, strides, before, dilations, kernel)]
        seen = [s[(s >= 0) & (s < e)] for s, e in zip(seen, extent)]
        at = (slice(None), slice(None), *np.ix_(*seen))
        window, number = (a[at].reshape(*x.shape[:2], -1) for a in (x, numbers))
        if window.shape[2] == 0:
            raise NotImplementedError("the largest of nothing")
        first = window.argmax(2)[..., None]
        largest[(..., *place)] = np.take_along_axis(window, first, 2)[..., 0]
        indices[(..., *place)] = np.take_along_axis(number, first, 2)[..., 0]
    return [largest, indices][: len(node.output)]


# What the evaluator does not do right is done here by the standard's text.
OWN = {"Loop": loop, "Scan": scan, "GatherElements": gather_elements, "GlobalMaxPool": global_max_pool}
OWN |= {"DeformConv": deform_conv, "GridSample": grid_sample, "MaxPool": max_pool, "Pad": pad, "CenterCropPad": pad}


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
    return [None if r is None else np.asarray(r).astype(dtype) for r in results]


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
