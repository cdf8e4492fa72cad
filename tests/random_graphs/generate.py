# SPDX-License-Identifier: Apache-2.0
"""A random graph from a seed."""

from __future__ import annotations

import collections

from .builder import Builder, Rejected
from .graph import Graph
from .operators import OPERATORS, PATTERNS

OPERATOR_NAMES, PATTERN_NAMES = sorted(OPERATORS), sorted(PATTERNS)
RARE = {"If", "Loop", "Scan"}  # these come by a chance of their own


def random_graph(seed: int, cannot: collections.Counter | None = None) -> Graph:
    """2 to 12 nodes, constants apart. `cannot` counts what onnx's reference evaluator could not run."""
    builder = Builder(seed)
    wanted = builder.integer(2, 12)
    for _ in range(wanted * 6):
        made = sum(node.op_type != "Constant" for node in builder.nodes)
        if made >= wanted:
            break
        draw = builder.random.random()
        if draw < 0.06:
            add = OPERATORS[builder.choose(sorted(RARE))]
        elif draw < 0.25 and made + 3 <= wanted:
            add = PATTERNS[builder.choose(PATTERN_NAMES)]
        else:
            add = OPERATORS[builder.choose([n for n in OPERATOR_NAMES if n not in RARE])]
        try:
            add(builder)
        except Rejected:
            continue
    if cannot is not None:
        cannot.update(builder.cannot)
    return builder.graph()
