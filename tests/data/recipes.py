# SPDX-License-Identifier: Apache-2.0
"""Full-size models from small files: a graph without its large weights and a recipe for each of them.

models/NAME.json          a case: the model it runs ("model") and how to make each input ("inputs")
models/NAME.onnx          the graph; large tensors have their type and shape only
models/NAME.recipe.json   for each large tensor its path in the graph and how to make it: a seed and the spread of the
                          weights it stands for, or the data itself

A tensor's path is "I/name" for an initialiser and "Nindex/attribute" for an attribute of a node, in a subgraph behind
the path of the attribute that holds it. A case is added by adding these files.
"""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import json
import os
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
from onnx import helper

MODELS = Path(__file__).parent / "models"
CACHE = Path(__file__).parents[2] / "build" / "test_models"


@dataclasses.dataclass(frozen=True)
class BenchModel:
    """A model file and inputs for it."""

    name: str
    path: Path
    feeds: dict[str, np.ndarray]


def bench_model(name: str) -> BenchModel:
    """The case NAME, its model made at the first call and kept under build/."""
    case = json.loads((MODELS / f"{name}.json").read_text())
    return BenchModel(name, _materialised(MODELS / case["model"]), make_feeds(case["inputs"]))


def make_feeds(inputs: list[dict]) -> dict[str, np.ndarray]:
    """Arrays for inputs described by name, dtype, shape and fill; the same at every call."""
    return {entry["name"]: _filled(entry) for entry in inputs}


def fill_weights(model: onnx.ModelProto, recipes: list[dict]) -> None:
    """Gives each tensor that a recipe names its data. Raises KeyError when the graph lacks one of them."""
    tensors = dict(_tensors(model.graph))
    for recipe in recipes:
        tensors[recipe["path"]].raw_data = _weight(recipe)


def _materialised(graph: Path) -> Path:
    recipe = graph.with_suffix(".recipe.json")
    key = hashlib.sha256(graph.read_bytes() + recipe.read_bytes() + Path(__file__).read_bytes()).hexdigest()[:16]
    made = CACHE / f"{graph.stem}-{key}.onnx"
    if not made.exists():
        model = onnx.load(graph)
        fill_weights(model, json.loads(recipe.read_text()))
        CACHE.mkdir(parents=True, exist_ok=True)
        partial = made.with_name(f"{made.name}.{os.getpid()}")  # two test runs may make it at a time
        onnx.save(model, partial)
        partial.replace(made)
    return made


def _tensors(graph: onnx.GraphProto, prefix: str = "") -> Iterator[tuple[str, onnx.TensorProto]]:
    for tensor in graph.initializer:
        yield f"{prefix}I/{tensor.name}", tensor
    for index, node in enumerate(graph.node):
        for attribute in node.attribute:
            path = f"{prefix}N{index}/{attribute.name}"
            if attribute.HasField("t"):
                yield path, attribute.t
            if attribute.HasField("g"):
                yield from _tensors(attribute.g, f"{path}/")
            for position, body in enumerate(attribute.graphs):
                yield from _tensors(body, f"{path}{position}/")


def _weight(recipe: dict) -> bytes:
    kind = recipe["kind"]
    if kind == "raw":
        return zlib.decompress(base64.b64decode(recipe["z"]))
    random, count = np.random.default_rng(recipe["seed"]), int(np.prod(recipe["shape"]))
    if kind == "uniform":
        values = random.uniform(recipe["min"], recipe["max"], count)
    elif kind == "iuniform":
        values = random.integers(recipe["min"], recipe["max"] + 1, count, dtype=np.int32)
    else:  # normal, and inormal: rounded and clipped
        values = random.standard_normal(count, dtype=np.float32)
        values = values * np.float32(recipe["std"]) + np.float32(recipe["mean"])
        if kind == "inormal":
            values = np.clip(np.rint(values), recipe["min"], recipe["max"])
    return np.ascontiguousarray(values.astype(helper.tensor_dtype_to_np_dtype(recipe["dtype"]), copy=False)).tobytes()


def _filled(entry: dict) -> np.ndarray:
    shape, fill = entry["shape"], entry["fill"]
    random = np.random.default_rng(zlib.crc32(entry["name"].encode()))
    count = int(np.prod(shape))
    kind = fill["kind"]
    if kind == "normal":
        values = random.standard_normal(shape, dtype=np.float32) * fill.get("std", 1.0) + fill.get("mean", 0.0)
    elif kind == "uniform":
        values = random.uniform(fill.get("low", 0.0), fill.get("high", 1.0), shape)
    elif kind == "int":
        values = random.integers(fill.get("low", 0), fill["high"], shape)
    elif kind == "arange":
        values = np.arange(count).reshape(shape) + fill.get("start", 0)
    elif kind == "strings":
        texts = fill["values"]
        return np.array([texts[i % len(texts)] for i in range(count)], dtype=object).reshape(shape)
    elif kind in ("zeros", "ones"):
        values = np.full(shape, 1 if kind == "ones" else 0)
    else:
        raise ValueError(f"{entry['name']}: unknown fill '{kind}'")
    return np.ascontiguousarray(values, dtype=np.dtype(entry["dtype"]))
