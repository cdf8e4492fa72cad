# SPDX-License-Identifier: Apache-2.0
"""Reductions over axes, and losses."""

import numpy as np

from .table import FLOATS, normal_axis, operator, some_axes
from .tensor import ints

REDUCE = (
    "ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL1", "ReduceL2", "ReduceSumSquare",
    "ReduceLogSum", "ReduceLogSumExp",
)  # fmt: skip


@operator(*REDUCE)
def reduce(b, op):
    where = None
    low = -3
    if op == "ReduceLogSum":
        low, where = 0.1, (lambda a: a.size > 0 and bool((a > 0).all()))
    elif op in ("ReduceMax", "ReduceMin", "ReduceMean", "ReduceLogSumExp"):
        where = lambda a: a.size > 0  # noqa: E731
    # How the logarithm of integers rounds is not said.
    types = [t for t in b.types(op) if "Log" not in op or t in FLOATS]
    name = b.pick(types, rank=(0, 1, 2, 3, 4), where=where, low=low)
    rank = b.value(name).ndim
    axes = some_axes(b, rank) if rank and b.chance(0.8) else None
    keep = b.integer(0, 1)
    if "axes" in b.schema(op).attributes:
        b.add(op, [name], axes=axes, keepdims=keep)
    else:
        nothing = int(axes is None and b.chance(0.3))
        b.add(op, [name] + ([ints(b, axes)] if axes else []), keepdims=keep, noop_with_empty_axes=nothing)


@operator("ArgMax", "ArgMin")
def arg(b, op):
    name = b.pick(b.types(op), rank=(1, 2, 3), where=lambda a: a.size > 0)
    axis = normal_axis(b, b.value(name).ndim)
    b.add(op, [name], axis=axis, keepdims=b.integer(0, 1), select_last_index=b.integer(0, 1))


@operator("NegativeLogLikelihoodLoss", "SoftmaxCrossEntropyLoss")
def loss(b, op):
    dtype = b.choose([np.float32, np.float64, np.float16])
    n, c, rest = b.integer(1, 3), b.integer(2, 5), b.shape(b.integer(0, 2), 3)
    scores = b.pick([dtype], where=lambda a: a.shape == (n, c, *rest), make=lambda d: b.array(d, (n, c, *rest)))
    labels = b.new(b.array(b.choose([np.int32, np.int64]), (n, *rest), 0, c - 1))
    inputs = [scores, labels] + ([b.input(b.array(dtype, (c,), 0.2, 2))] if b.chance(0.5) else [])
    ignore = b.integer(0, c - 1) if b.chance(0.3) else None
    outputs = b.integer(1, 2) if op == "SoftmaxCrossEntropyLoss" else 1
    b.add(op, inputs, outputs, reduction=b.choose(["none", "mean", "sum"]), ignore_index=ignore)
