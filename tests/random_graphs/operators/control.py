# SPDX-License-Identifier: Apache-2.0
"""If, Loop and Scan, whose bodies take values of the graph around them."""

import numpy as np
from onnx import helper

from ..builder import Rejected
from ..graph import tensor, type_of
from .table import BOOL, FLOAT, NUMBERS, OPERATORS, operator

INSIDE = (
    "Add", "Sub", "Mul", "Relu", "Abs", "Neg", "Identity", "MatMul", "Shape", "Reshape", "Transpose", "Unsqueeze",
    "Concat", "Where", "Cast", "ReduceSum", "ReduceMax", "Less", "Equal", "Slice", "Gather", "Softmax", "Max", "Tanh",
    "Expand", "LayerNormalization", "Sigmoid", "Gemm", "Split",
)  # fmt: skip


def fill(body, count):
    """Some nodes; those that cannot be made are left out."""
    for _ in range(count * 3):
        if len(body.nodes) >= count:
            return
        try:
            OPERATORS[body.choose(INSIDE)](body)
        except Rejected:
            continue


def graph_of(body, inputs, outputs):
    """The body as a graph from (name, value) to names."""
    infos = [helper.make_value_info(n, type_of(v, None if v.ndim else [])) for n, v in inputs]
    ends = [helper.make_value_info(n, type_of(body.value(n), None if body.value(n).ndim else [])) for n in outputs]
    weights = [tensor(body.values[n], n) for n in body.constants]
    return helper.make_graph(body.nodes, "body", infos, ends, weights)


def ends(body, like=None):
    """Arrays that the body made, or where there is none of that type and shape, a copy of what is there."""
    return [
        n
        for n, v in body.values.items()
        if isinstance(v, np.ndarray) and (like is None or (v.dtype == like.dtype and v.shape == like.shape))
    ]


@operator("If")
def branch(b):
    condition = b.pick([BOOL], where=lambda a: a.size == 1 and a.ndim == 0, make=lambda d: np.array(b.chance(0.5)))
    kinds, graphs = None, []
    for _ in range(2):
        body = b.body()
        fill(body, b.integer(1, 3))
        if kinds is None:
            outputs = [body.choose(ends(body)) for _ in range(b.integer(1, 2))]
            outputs = list(dict.fromkeys(outputs))
            if b.chance(0.2):  # a value of the graph around
                (copy,) = body.add(
                    "Identity", [b.choose([n for n, v in b.visible().items() if isinstance(v, np.ndarray)])]
                )
                outputs.append(copy)
            kinds = [body.value(n) for n in outputs]
        else:
            outputs = []
            for kind in kinds:
                fits = [
                    n
                    for n in ends(body)
                    if body.value(n).dtype == kind.dtype and body.value(n).ndim == kind.ndim and n not in outputs
                ]
                outputs.append(body.choose(fits) if fits else body.constant(body.array(kind.dtype, kind.shape)))
            if outputs[0] in body.constants and b.chance(0.5):
                (outputs[0],) = body.add("Identity", [outputs[0]])
        graphs.append(graph_of(body, [], outputs))
    b.add("If", [condition], len(kinds), then_branch=graphs[0], else_branch=graphs[1])


def carried(b, body):
    """A value that goes round: its name outside, inside, and the name of what it becomes."""
    outside = b.pick([t for t in NUMBERS if t.name != "bfloat16"], where=lambda a: a.size < 100)
    inside = b.name("carried")
    body.values[inside] = b.value(outside)
    return outside, inside


def becomes(body, inside):
    value = body.values[inside]
    fits = [n for n in ends(body, value) if n != inside and n not in body.constants]
    if fits and body.chance(0.7):
        return body.choose(fits)
    op = body.choose(["Identity", "Add"]) if value.dtype in NUMBERS else "Identity"
    if op == "Add":
        return body.add("Add", [inside, body.constant(body.array(value.dtype, (), 0, 1))])[0]
    return body.add("Identity", [inside])[0]


@operator("Loop")
def loop(b):
    body = b.body()
    count, condition = b.name("i"), b.name("go")
    body.values[count], body.values[condition] = np.array(0), np.array(True)
    states = [carried(b, body) for _ in range(b.integer(0 if b.opset >= 11 else 1, 2))]
    fill(body, b.integer(1, 3))
    after = [becomes(body, inside) for _, inside in states]
    scanned = [body.choose(ends(body))] if not states or b.chance(0.6) else []
    if scanned and scanned[0] in (*after, count, condition):
        scanned = body.add("Identity", scanned)
    (more,) = body.add("Identity", [condition])
    after = [n if after.index(n) == k else body.add("Identity", [n])[0] for k, n in enumerate(after)]
    given = [(count, body.values[count]), (condition, body.values[condition])]
    given += [(inside, body.values[inside]) for _, inside in states]
    graph = graph_of(body, given, [more, *after, *scanned])
    trips = b.new(np.array(b.integer(0 if not scanned else 1, 3)), 0.6)
    start = b.choose(["", b.constant(np.array(True))])
    outputs = len(after) + len(scanned)
    b.add("Loop", [trips, start, *(outside for outside, _ in states)], outputs, body=graph)


@operator("Scan")
def scan(b):
    body = b.body()
    states = [carried(b, body) for _ in range(b.integer(0, 1))]
    rows = b.pick([FLOAT, np.dtype(np.int64), np.dtype(np.float64)], rank=(1, 2, 3), where=lambda a: a.shape[0] > 0)
    array = b.value(rows)
    if 0 in array.shape:
        raise Rejected("nothing to scan")
    row = b.name("row")
    body.values[row] = np.asarray(array[0])
    fill(body, b.integer(1, 3))
    after = [becomes(body, inside) for _, inside in states]
    scanned = body.add("Identity", [body.choose(ends(body))])
    given = [(inside, body.values[inside]) for _, inside in states] + [(row, body.values[row])]
    graph = graph_of(body, given, [*after, *scanned])
    directions = [b.integer(0, 1)] if b.chance(0.4) else None
    inputs = [*(outside for outside, _ in states), rows]
    b.add("Scan", inputs, len(after) + 1, body=graph, num_scan_inputs=1, scan_input_directions=directions)
