# SPDX-License-Identifier: Apache-2.0
"""Patterns of the passes that make fused operators."""

import numpy as np
from pass_patterns import EVERY, FLOATS, HALVES, SIGNED, UNSIGNED, Pattern


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def erf(x):
    from math import erf as one

    return np.vectorize(one)(x)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def normalised(x, epsilon, centred=True):
    d = x - x.mean(-1, keepdims=True) if centred else x
    return d / np.sqrt((d * d).mean(-1, keepdims=True) + epsilon)


def rotated(x, cos, sin):
    half = x.shape[-1] // 2
    c, s = np.concatenate([cos, cos], -1)[:, None], np.concatenate([sin, sin], -1)[:, None]
    return x * c + np.concatenate([-x[..., half:], x[..., :half]], -1) * s


XW = {"inputs": {"x": "N,8"}, "y": "[N,5]"}
XWS = {"inputs": {"x": "N,S,8"}, "y": "[N,S,5]"}
LAYER = (
    "m = ReduceMean <keepdims = 1> (x, last) d = Sub(x, m) p = Mul(d, d) v = ReduceMean <keepdims = 1> (p, last) "
    "e = Add(v, eps) r = Sqrt(e) n = Div(d, r) s = Mul(n, g) y = Add(s, b)"
)
EPS = 2.0**-17
ATTENTION = (
    "kt = Transpose <perm = [0,1,3,2]> (k) s = MatMul(q, kt) t = Mul(s, c) p = Softmax <axis = -1> (t) y = MatMul(p, v)"
)
QKV = dict.fromkeys("qkv", "N,2,L,8")

FUSED = {
    "bias": Pattern(
        "matmul_fusion",
        "p = MatMul(x, w) y = Add(p, b)",
        **XWS,
        want=lambda x, w, b: x @ w + b,
        fires=EVERY,
        inner="p",
        weights={"w": (8, 5), "b": (5,)},
    ),
    "relu": Pattern(
        "matmul_fusion",
        "p = MatMul(x, w) y = Relu(p)",
        **XW,
        want=lambda x, w: np.maximum(x @ w, 0),
        fires=(*FLOATS, *SIGNED),
        inner="p",
        weights={"w": (8, 5)},
    ),
    "clip": Pattern(
        "matmul_fusion",
        "p = MatMul(x, w) a = Add(b, p) y = Clip(a, low, high)",
        **XW,
        want=lambda x, w, b, low, high: np.clip(x @ w + b, low, high),
        fires=EVERY,
        inner="p",
        weights={"w": (8, 5), "b": (1, 5), "low": 1, "high": 3},
    ),
    "sigmoid": Pattern(
        "matmul_fusion",
        "p = MatMul(x, w) y = Sigmoid(p)",
        **XW,
        want=lambda x, w: sigmoid(x @ w),
        fires=FLOATS,
        inner="p",
        weights={"w": (8, 5)},
    ),
    "silu": Pattern(
        "matmul_fusion",
        "p = MatMul(x, w) s = Sigmoid(p) y = Mul(p, s)",
        **XW,
        want=lambda x, w: (x @ w) * sigmoid(x @ w),
        fires=FLOATS,
        inner="s",
        weights={"w": (8, 5)},
    ),
    "residual": Pattern(
        "matmul_fusion",
        "p = MatMul(x, w) a = Add(p, b) r = Relu(a) y = Add(r, z)",
        {"x": "N,S,8", "z": "N,S,5"},
        "[N,S,5]",
        want=lambda x, z, w, b: np.maximum(x @ w + b, 0) + z,
        fires=(*FLOATS, *SIGNED),
        weights={"w": (8, 5), "b": (5,)},
    ),
    "transposed": Pattern(
        "matmul_fusion",
        "t = Transpose <perm = [0,2,1]> (x) p = MatMul(t, w) y = Add(z, p)",
        {"x": "N,8,S", "z": "N,S,5"},
        "[N,S,5]",
        want=lambda x, z, w: x.swapaxes(1, 2) @ w + z,
        fires=EVERY,
        weights={"w": (8, 5)},
    ),
    "gemm": Pattern(
        "matmul_fusion",
        "g = Gemm <transB = 1> (x, w, b) y = Add(g, z)",
        {"x": "N,8", "z": "N,5"},
        "[N,5]",
        want=lambda x, z, w, b: x @ w.T + b + z,
        fires=EVERY,
        weights={"w": (5, 8), "b": (5,)},
    ),
    "gemm_of_one": Pattern(
        "matmul_fusion",
        "y = Gemm(x, w, b)",
        **XW,
        want=lambda x, w, b: x @ w + b,
        fires=EVERY,
        weights={"w": (8, 5), "b": 2},
    ),
    "scale": Pattern(
        "matmul_fusion",
        "p = MatMul(x, w) y = Mul(p, k)",
        **XW,
        want=lambda x, w, k: (x @ w) * k,
        fires=FLOATS,
        not_in=(*SIGNED, *UNSIGNED),
        inner="p",
        weights={"w": (8, 5), "k": 2},
    ),
    "scale_of_double": Pattern(
        "matmul_fusion",
        "p = MatMul(x, w) y = Mul(p, k)",
        **XW,
        want=lambda x, w, k: (x @ w) * k,
        fires=("float", *HALVES),
        not_in=("double",),
        weights={"w": (8, 5), "k": 0.1},
    ),
    "gelu": Pattern(
        "gelu_fusion",
        "d = Div(x, root) e = Erf(d) a = Add(e, one) m = Mul(x, a) y = Mul(m, half)",
        {"x": "N,8"},
        "[N,8]",
        want=lambda x, root, one, half: x * (1 + erf(x / 2**0.5)) / 2,
        fires=FLOATS,
        inner="a",
        weights={"root": 2**0.5, "one": 1, "half": 0.5},
    ),
    "gelu_by_another_constant": Pattern(
        "gelu_fusion",
        "d = Div(x, root) e = Erf(d) a = Add(e, one) m = Mul(x, a) y = Mul(m, half)",
        {"x": "N,8"},
        "[N,8]",
        want=lambda x, root, one, half: x * (1 + erf(x / 1.5)) / 2,
        fires=(),
        not_in=FLOATS,
        weights={"root": 1.5, "one": 1, "half": 0.5},
    ),
    "layer_normalization": Pattern(
        "layer_normalization_fusion",
        LAYER,
        {"x": "N,S,16"},
        "[N,S,16]",
        want=lambda x, eps, g, b: normalised(x, EPS) * g + b,
        fires=FLOATS,
        inner="n",
        weights={"eps": EPS, "g": (16,), "b": (16,)},
        plain={"last": [-1]},
    ),
    "layer_normalization_of_double": Pattern(
        "layer_normalization_fusion",
        LAYER,
        {"x": "N,S,16"},
        "[N,S,16]",
        want=lambda x, eps, g, b: normalised(x, 1e-5) * g + b,
        fires=("float",),
        not_in=("double",),
        weights={"eps": 1e-5, "g": (16,), "b": (16,)},
        plain={"last": [-1]},
    ),
    "rms_normalization": Pattern(
        "simplified_layer_normalization_fusion",
        "s = Mul(x, x) m = ReduceMean <keepdims = 1> (s, last) e = Add(m, eps) r = Sqrt(e) n = Div(x, r) y = Mul(n, g)",
        {"x": "N,S,16"},
        "[N,S,16]",
        want=lambda x, eps, g: normalised(x, EPS, False) * g,
        fires=FLOATS,
        inner="n",
        weights={"eps": EPS, "g": (16,)},
        plain={"last": [-1]},
    ),
    "skip_normalization": Pattern(
        "skip_normalization_fusion",
        "s = Add(x, z) y = LayerNormalization <axis = -1> (s, g, b)",
        {"x": "N,S,16", "z": "N,S,16"},
        "[N,S,16]",
        want=lambda x, z, g, b: normalised(x + z, 1e-5) * g + b,
        fires=("float", *HALVES),
        not_in=("double",),
        weights={"g": (16,), "b": (16,)},
    ),
    "attention": Pattern(
        "attention_fusion",
        ATTENTION,
        QKV,
        "[N,2,L,8]",
        want=lambda q, k, v, c: softmax(q @ k.swapaxes(2, 3) * c) @ v,
        fires=FLOATS,
        inner="p",
        weights={"c": 0.25},
    ),
    "attention_of_double": Pattern(
        "attention_fusion",
        ATTENTION,
        QKV,
        "[N,2,L,8]",
        want=lambda q, k, v, c: softmax(q @ k.swapaxes(2, 3) * c) @ v,
        fires=("float",),
        not_in=("double",),
        weights={"c": 8**-0.5},
    ),
    "quick_gelu": Pattern(
        "activation_forms",
        "s = Mul(x, a) g = Sigmoid(s) y = Mul(x, g)",
        {"x": "N,8"},
        "[N,8]",
        want=lambda x, a: x * sigmoid(a * x),
        fires=FLOATS,
        inner="g",
        weights={"a": 1.75},
    ),
    "hard_swish": Pattern(
        "activation_forms",
        "a = Add(x, three) c = Clip(a, zero, six) m = Mul(x, c) y = Div(m, six)",
        {"x": "N,8"},
        "[N,8]",
        want=lambda x, three, zero, six: x * np.clip(x + 3, 0, 6) / 6,
        fires=("float", "double", "float16"),
        not_in=("bfloat16",),
        inner="c",
        weights={"three": 3, "zero": 0, "six": 6},
    ),
    "convolution": Pattern(
        "convolution_fusion",
        "c = Conv(x, w, b) y = Relu(c)",
        {"x": "N,3,4,4"},
        "[N,4,4,4]",
        want=lambda x, w, b: np.maximum(np.einsum("nchw,oc->nohw", x, w[:, :, 0, 0]) + b[:, None, None], 0),
        fires=("float",),
        not_in=("double",),
        inner="c",
        weights={"w": (4, 3, 1, 1), "b": (4,)},
    ),
    "chain": Pattern(
        "elementwise_chains",
        "a = Exp(x) b = Add(a, z) y = Sqrt(b)",
        {"x": "N,8", "z": "N,8"},
        "[N,8]",
        want=lambda x, z: np.sqrt(np.exp(x) + z),
        fires=("float",),
        inner="",
        least=0.0,
    ),
    "rotary": Pattern(
        "rotary_embedding_fusion",
        "c2 = Concat <axis = -1> (cos, cos) s2 = Concat <axis = -1> (sin, sin) c = Unsqueeze(c2, one) "
        "s = Unsqueeze(s2, one) low = Slice(x, zero, half, last) high = Slice(x, half, size, last) minus = Neg(high) "
        "turned = Concat <axis = -1> (minus, low) a = Mul(x, c) b = Mul(turned, s) y = Add(a, b)",
        {"x": "N,2,S,8", "cos": "N,S,4", "sin": "N,S,4"},
        "[N,2,S,8]",
        want=rotated,
        fires=("float", *HALVES),
        inner="turned",
        plain={"zero": [0], "one": [1], "half": [4], "size": [8], "last": [3]},
    ),
}
