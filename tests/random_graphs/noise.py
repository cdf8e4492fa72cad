# SPDX-License-Identifier: Apache-2.0
"""How far rounding alone can carry the values of a graph: it is run again with what each node takes a little off."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np

from .compare import TOLERANCE, widened
from .graph import Graph, reads
from .reference import evaluate

ROUNDS = 6
UNITS = 4  # in the last place, by which what a node takes is off
FACTOR = 8  # a difference may be so many times what the rounds show


def disturbed(value: Any, random: np.random.Generator) -> Any:
    """Numbers that are no integers move by some units. Integers are mostly constants, and exact, but for those so large
    that their type has no others."""
    if not isinstance(value, np.ndarray) or value.dtype.name not in TOLERANCE or value.dtype.kind == "c":
        return value
    wide = value.astype(np.float64)
    unit = float(ml_dtypes.finfo(value.dtype).eps)
    step = UNITS * unit
    with np.errstate(all="ignore"):
        moved = (wide * (1 + step * random.uniform(-1, 1, value.shape))).astype(value.dtype)
        return np.where((wide == np.rint(wide)) & (np.abs(wide) * unit < 1), value, moved)


def spread(graph: Graph, nodes: list | None = None) -> dict[str, np.ndarray | None]:
    """By name, how far each element moves; None where even the shape does."""
    nodes = graph.nodes if nodes is None else nodes
    found: dict[str, np.ndarray | None] = {}
    for round_ in range(ROUNDS):
        random = np.random.default_rng(round_)
        values = dict(graph.values)
        for node in nodes:
            known = values | {name: disturbed(values[name], random) for name in reads(node)}
            try:
                results = evaluate(node, known, graph.opset)
            except Exception:
                results = [None] * len(node.output)  # the disturbed values do not suit it
            for name, result in zip(node.output, results):
                if name and result is not None:
                    values[name] = disturbed(result, random)
                    _widen(found, name, graph.values[name], result)
    return found


def _widen(found: dict, name: str, value: Any, result: Any) -> None:
    if not isinstance(value, np.ndarray) or found.get(name, 0) is None:
        return
    if not isinstance(result, np.ndarray) or result.shape != value.shape or result.dtype != value.dtype:
        found[name] = None
        return
    if value.dtype.name in TOLERANCE:
        with np.errstate(all="ignore"):
            moved = np.abs(widened(result) - widened(value)) * FACTOR
        # What is finite in one round and not in another is on an edge.
        moved = np.where(
            np.isfinite(widened(result)) == np.isfinite(widened(value)), np.nan_to_num(moved, nan=0), np.inf
        )
    else:
        moved = (result != value).astype(np.float64)
    found[name] = np.maximum(found.get(name, 0), moved)


def allowed(graph: Graph, node: Any, name: str) -> np.ndarray | None:
    """How far each element of one result may be off when the node is run by itself; None where even the shape may."""
    return spread(graph, [node]).get(name, np.zeros(np.shape(graph.values[name])))
