# SPDX-License-Identifier: Apache-2.0
"""Operators of com.microsoft, by their formulas."""

import math

import numpy as np

from ..builder import Rejected
from ..reference import FORMULAS
from .table import FLOATS, IEEE, operator

MS = "com.microsoft"
erf = np.vectorize(math.erf, otypes=[np.float64])


def formula(function):
    FORMULAS["".join(part.capitalize() for part in function.__name__.split("_"))] = function
    return function


def gelu_of(x):
    return 0.5 * x * (1 + erf(x / math.sqrt(2)))


FORMULAS["Gelu"] = lambda v, a: [gelu_of(v[0])]
FORMULAS["BiasGelu"] = lambda v, a: [gelu_of(v[0] + v[1])]
FORMULAS["QuickGelu"] = lambda v, a: [v[0] / (1 + np.exp(-a.get("alpha", np.float32(1.702)) * v[0]))]


@formula
def fast_gelu(v, a):
    x = v[0] + (v[1] if len(v) > 1 else 0)
    return [0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))]


ACTIVATIONS = {
    "Relu": lambda x, a: np.maximum(x, 0),
    "Tanh": lambda x, a: np.tanh(x),
    "Sigmoid": lambda x, a: 1 / (1 + np.exp(-x)),
    "LeakyRelu": lambda x, a: np.where(x < 0, a["activation_alpha"] * x, x),
}


def swapped(x, flag):
    return np.swapaxes(x, -1, -2) if flag else x


FORMULAS["FusedMatMul"] = lambda v, a: [
    a.get("alpha", 1.0) * (swapped(v[0], a.get("transA")) @ swapped(v[1], a.get("transB")))
]


@formula
def fused_gemm(v, a):
    y = a.get("alpha", 1.0) * (swapped(v[0], a.get("transA")) @ swapped(v[1], a.get("transB")))
    if len(v) > 2:
        y = y + a.get("beta", 1.0) * v[2]
    return [ACTIVATIONS[a["activation"].decode()](y, a)]


@formula
def skip_layer_normalization(v, a):
    total = v[0] + v[1] + (v[4] if len(v) > 4 and v[4] is not None else 0)
    mean, variance = total.mean(-1, keepdims=True), total.var(-1, keepdims=True)
    y = (total - mean) / np.sqrt(variance + a["epsilon"]) * v[2] + (v[3] if v[3] is not None else 0)
    return [y, None, None, total]


@formula
def skip_simplified_layer_normalization(v, a):
    total = v[0] + v[1] + (v[3] if len(v) > 3 else 0)
    y = total / np.sqrt((total**2).mean(-1, keepdims=True) + a["epsilon"]) * v[2]
    return [y, None, None, total]


@operator("com.microsoft.Gelu", "com.microsoft.QuickGelu")
def gelus(b, op):
    b.add(op.split(".")[-1], [b.pick(FLOATS)], domain=MS)


@operator("com.microsoft.BiasGelu", "com.microsoft.FastGelu")
def bias_gelus(b, op):
    name = b.pick(FLOATS, rank=(1, 2, 3))
    x = b.value(name)
    inputs = [name] + ([b.constant(b.array(x.dtype, x.shape[-1:]))] if "Bias" in op or b.chance(0.5) else [])
    b.add(op.split(".")[-1], inputs, domain=MS)


@operator("com.microsoft.FusedMatMul")
def fused_matmul(b):
    name = b.pick(FLOATS, rank=(2, 3), where=lambda a: max(a.shape) <= 40)
    x = b.value(name)
    trans_a, trans_b = b.integer(0, 1), b.integer(0, 1)
    k = x.shape[-2 if trans_a else -1]
    n = b.choose([1, 3, 8])
    w = b.new(b.array(x.dtype, (n, k) if trans_b else (k, n)), 0.7)
    b.add("FusedMatMul", [name, w], domain=MS, transA=trans_a, transB=trans_b, alpha=b.choose([1.0, 0.5]))


@operator("com.microsoft.FusedGemm")
def fused_gemm_node(b):
    name = b.pick([np.float32], rank=2)
    x = b.value(name)
    n = b.integer(1, 6)
    inputs = [name, b.constant(b.array(x.dtype, (x.shape[1], n))), b.constant(b.array(x.dtype, (n,)))]
    b.add(
        "FusedGemm",
        inputs,
        domain=MS,
        activation=(name := b.choose([*ACTIVATIONS])),
        activation_alpha=0.25 if name == "LeakyRelu" else None,
    )


@operator("com.microsoft.SkipLayerNormalization", "com.microsoft.SkipSimplifiedLayerNormalization")
def skip_normalization(b, op):
    types = IEEE[:2]
    name = b.pick(
        types, rank=3, where=lambda a: a.shape[-1] > 1 and 0 not in a.shape, make=lambda d: b.array(d, (2, 3, 8))
    )
    x = b.value(name)
    if 0 in x.shape:
        raise Rejected("nothing to normalise")
    skip = b.pick([x.dtype], where=lambda a: a.shape == x.shape, make=lambda d: b.array(d, x.shape))
    vectors = 2 if op.endswith("SkipLayerNormalization") else 1
    inputs = [name, skip, *(b.constant(b.array(x.dtype, x.shape[-1:], 0.5, 2)) for _ in range(vectors))]
    if b.chance(0.4):
        inputs.append(b.constant(b.array(x.dtype, x.shape[-1:])))
    outputs = 4 if b.chance(0.5) else 1
    b.add(
        op.split(".")[-1],
        inputs,
        outputs,
        domain=MS,
        keep=[True, False, False, True][:outputs],
        epsilon=float(np.float32(1e-5)),
    )
