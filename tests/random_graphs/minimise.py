# SPDX-License-Identifier: Apache-2.0
"""Drops nodes while the graph still shows the same kind of fault, and writes it as a program."""

from __future__ import annotations

import base64
import dataclasses
import zlib
from collections.abc import Callable

import numpy as np
import onnx

from .graph import Graph, tensor


def minimised(graph: Graph, fails: Callable[[Graph], bool]) -> Graph:
    """The smallest graph found by leaving out one node after another, then outputs."""
    index = len(graph.nodes) - 1
    while index >= 0:
        smaller = graph.without(index) if len(graph.nodes) > 1 else None
        if smaller is not None and smaller.nodes and smaller.outputs and fails(smaller):
            graph = smaller
            index = min(index, len(graph.nodes))  # constants may have gone with it
        index -= 1
    for name in list(graph.outputs):
        ends = [o for o in graph.outputs if o != name]
        read = {r for n in graph.nodes for r in n.input}
        if ends and name in read:
            fewer = dataclasses.replace(graph, outputs=ends)
            if fails(fewer):
                graph = fewer
    if graph.symbols:
        plain = dataclasses.replace(graph, symbols={})
        if fails(plain):
            graph = plain
    return graph


PROGRAM = """# {title}
# {detail}
#
{text}
import base64
import sys
import zlib

import numpy as np
import onnx
import onnxruntime as ort
from onnx import numpy_helper

MODEL = "{model}"
FEEDS = {feeds}
EXPECTED = {expected}


def load(kind, text):
    made = kind()
    made.ParseFromString(zlib.decompress(base64.b64decode(text)))
    return made


model = load(onnx.ModelProto, MODEL).SerializeToString()
feeds = {{name: numpy_helper.to_array(load(onnx.TensorProto, text)) for name, text in FEEDS.items()}}
expected = {{name: numpy_helper.to_array(load(onnx.TensorProto, text)) for name, text in EXPECTED.items()}}
types = {{i.name: i.type.tensor_type.elem_type for i in onnx.load_from_string(model).graph.input}}
values = {{
    name: ort.OrtValue.ortvalue_from_numpy(v) if v.dtype.kind in "fiubc" or "int4" in v.dtype.name
    else ort.OrtValue.ortvalue_from_numpy_with_onnx_type(v, types[name])
    for name, v in feeds.items() if v.dtype.kind not in "OUS"
}}
for level in ("ORT_DISABLE_ALL", "ORT_ENABLE_ALL"):
    options = ort.SessionOptions()
    options.graph_optimization_level = getattr(ort.GraphOptimizationLevel, level)
    session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    names = [o.name for o in session.get_outputs()]
    for run in (1, 2, 3):
        if len(values) == len(feeds):
            outputs = [v.numpy() if v.is_tensor() else v for v in session.run_with_ort_values(names, values)]
        else:
            texts = {{name: v.astype(object) for name, v in feeds.items() if v.dtype.kind in "OUS"}}
            outputs = session.run(names, feeds | texts)
        for name, got in zip(names, outputs):
            print(level, "run", run, name, getattr(got, "dtype", ""), got, "expected", expected.get(name), sep="  ")
"""


def program(graph: Graph, title: str, detail: str) -> str:
    """A program that runs the graph at both levels, thrice, and prints what is expected beside it."""

    def packed(proto) -> str:
        return base64.b64encode(zlib.compress(proto.SerializeToString(), 9)).decode()

    def table(values: dict) -> str:
        return (
            "{"
            + "".join(f"\n    {n!r}: {packed(tensor(v, n))!r}," for n, v in values.items() if isinstance(v, np.ndarray))
            + "}"
        )

    model = graph.model()
    text = "\n".join("# " + line for line in onnx.printer.to_text(model).splitlines())
    known = {name: graph.values[name] for name in graph.outputs if name not in graph.unknown}
    return PROGRAM.format(
        title=title,
        detail=detail.replace("\n", "\n# "),
        text=text,
        model=packed(model),
        feeds=table(graph.feeds()),
        expected=table(known),
    )
