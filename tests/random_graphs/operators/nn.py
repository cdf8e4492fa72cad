# SPDX-License-Identifier: Apache-2.0
"""Products, convolutions, pools, normalisations, recurrent networks, attention."""

import numpy as np

from ..builder import Rejected
from .table import FLOAT, FLOATS, IEEE, NUMBERS, normal_axis, operator


@operator("MatMul")
def matmul(b):
    name = b.pick([t for t in b.types("MatMul") if t in NUMBERS], rank=(1, 2, 3, 4), where=lambda a: a.shape[-1] <= 40)
    x = b.value(name)
    k = x.shape[-1]

    def fits(a):
        if a.ndim == 0 or (a.shape[-2] if a.ndim > 1 else a.shape[0]) != k:
            return False
        try:
            np.broadcast_shapes(a.shape[:-2], x.shape[:-2])
        except ValueError:
            return False
        return True

    def make(dtype):
        if b.chance(0.15):
            return b.array(dtype, (k,))
        batch = x.shape[:-2] if b.chance(0.3) else ()
        return b.array(dtype, (*batch, k, b.choose([1, 2, 3, 5, 8, 17])))

    other = b.pick([x.dtype], where=fits, make=make, fresh=0.5, constant=0.8)
    b.add("MatMul", [name, other])


@operator("Gemm")
def gemm(b):
    name = b.pick(b.types("Gemm"), rank=2)
    x = b.value(name)
    trans_a, trans_b = b.integer(0, 1), b.integer(0, 1)
    m, k = x.shape[::-1] if trans_a else x.shape
    n = b.choose([1, 2, 4, 9])
    w = b.pick(
        [x.dtype],
        rank=2,
        where=lambda a: a.shape[1 if trans_b else 0] == k,
        make=lambda d: b.array(d, (n, k) if trans_b else (k, n)),
        fresh=0.5,
        constant=0.8,
    )
    n = b.value(w).shape[0 if trans_b else 1]
    inputs = [name, w]
    if b.chance(0.7):
        inputs.append(b.new(b.array(x.dtype, b.choose([(), (1,), (n,), (1, n), (m, 1), (m, n)])), 0.8))
    numbers = {n: b.choose([1.0, 0.5, 2.0]) for n in ("alpha", "beta")} if b.chance(0.5) else {}
    if x.dtype.kind in "iu":
        numbers = {n: float(int(v) or 1) for n, v in numbers.items()}
    b.add("Gemm", inputs, transA=trans_a, transB=trans_b, **numbers)


@operator("Einsum")
def einsum(b):
    equation = b.choose(["ij,jk->ik", "ij->ji", "ij->i", "bij,bjk->bik", "ii->i", "i,j->ij", "ij,ij->", "...i->..."])
    sizes = {letter: b.integer(1, 4) for letter in "bijk"}
    dtype = b.choose([np.float32, np.float64, np.int32])
    names = []
    for term in equation.split("->")[0].split(","):
        shape = tuple(sizes[letter] for letter in term.replace("...", "bk"))
        names.append(b.pick([dtype], where=lambda a, s=shape: a.shape == s, make=lambda d, s=shape: b.array(d, s)))
    b.add("Einsum", names, equation=equation)


@operator("Det")
def det(b):
    n = b.integer(1, 4)
    batch = b.shape(b.integer(0, 1), 3)
    b.add(
        "Det", [b.pick(IEEE[1:], where=lambda a: a.shape == (*batch, n, n), make=lambda d: b.array(d, (*batch, n, n)))]
    )


def image(b, op, channels=None, rank=None, types=None):
    """A value with channels and one to three axes of space."""
    ranks = (3, 4, 5) if rank is None else (rank,)
    channels = b.choose([1, 2, 3, 4, 8]) if channels is None else channels

    def make(dtype):
        space = [b.integer(3, 7) for _ in range(b.choose([3, 4, 4, 4, 5] if rank is None else [rank]) - 2)]
        return b.array(dtype, (b.integer(1, 2), channels, *space))

    return b.pick(
        types or b.types(op),
        rank=ranks,
        where=lambda a: min(a.shape[2:]) >= 3 and max(a.shape[2:]) < 20 and 0 not in a.shape and a.shape[1] <= 16,
        make=make,
    )


def window(b, space, smallest=0):
    """Attributes of a window over axes of space."""
    axes = len(space)
    kernel = [b.integer(1, min(3, s)) for s in space]
    attributes = {"kernel_shape": kernel}
    if b.chance(0.5):
        attributes["strides"] = [b.integer(1, 2) for _ in range(axes)]
    if b.chance(0.2):
        attributes["auto_pad"] = b.choose(["SAME_UPPER", "SAME_LOWER", "VALID"])
    elif b.chance(0.5):
        attributes["pads"] = [b.integer(0, k - 1) for k in kernel * 2]
    return attributes


def convolution(b, name, out=None):
    x = b.value(name)
    c = x.shape[1]
    group = b.choose([g for g in range(1, c + 1) if c % g == 0]) if b.chance(0.4) else 1
    attributes = window(b, x.shape[2:])
    if b.chance(0.2) and "auto_pad" not in attributes:
        attributes["dilations"] = [2 if k * 2 - 1 <= s else 1 for k, s in zip(attributes["kernel_shape"], x.shape[2:])]
    out = group * b.integer(1, 4) if out is None else out
    return attributes | {"group": group}, (out, c // group, *attributes["kernel_shape"])


@operator("Conv")
def conv(b):
    name = image(b, "Conv")
    x = b.value(name)
    attributes, shape = convolution(b, name)
    inputs = [name, b.new(b.array(x.dtype, shape, -1, 1), 0.85)]
    if b.chance(0.6):
        inputs.append(b.new(b.array(x.dtype, (shape[0],)), 0.85))
    return b.add("Conv", inputs, **attributes)


@operator("ConvTranspose")
def conv_transpose(b):
    name = image(b, "ConvTranspose")
    x = b.value(name)
    attributes = window(b, x.shape[2:])
    attributes.pop("auto_pad", None)
    out = b.integer(1, 3)
    inputs = [name, b.new(b.array(x.dtype, (x.shape[1], out, *attributes["kernel_shape"]), -1, 1), 0.85)]
    if b.chance(0.5):
        inputs.append(b.constant(b.array(x.dtype, (out,))))
    b.add("ConvTranspose", inputs, **attributes)


@operator("MaxPool", "AveragePool", "LpPool")
def pool(b, op):
    name = image(b, op, types=[t for t in b.types(op) if t in (*FLOATS, np.dtype(np.int8), np.dtype(np.uint8))])
    attributes = window(b, b.value(name).shape[2:])
    if op == "AveragePool":
        attributes["count_include_pad"] = b.integer(0, 1)
    if b.chance(0.3) and "auto_pad" not in attributes:
        attributes["ceil_mode"] = 1
        attributes.setdefault("strides", [1] * len(attributes["kernel_shape"]))  # the evaluator needs them there
    if op == "LpPool":
        attributes["p"] = b.integer(1, 3)
    b.add(op, [name], b.integer(1, 2) if op == "MaxPool" and "ceil_mode" not in attributes else 1, **attributes)


@operator("GlobalAveragePool", "GlobalMaxPool", "GlobalLpPool")
def global_pool(b, op):
    b.add(op, [image(b, op)])


@operator("BatchNormalization")
def batch_normalization(b):
    name = image(b, "BatchNormalization")
    x = b.value(name)
    c, d = x.shape[1], x.dtype
    params = [b.array(d, (c,), 0.5, 2), b.array(d, (c,)), b.array(d, (c,)), b.array(d, (c,), 0.5, 2)]
    return b.add("BatchNormalization", [name, *(b.constant(p) for p in params)], epsilon=b.choose([1e-5, 1e-3]))


@operator("InstanceNormalization")
def instance_normalization(b):
    name = image(b, "InstanceNormalization")
    x = b.value(name)
    b.add("InstanceNormalization", [name, *(b.constant(b.array(x.dtype, (x.shape[1],), 0.5, 2)) for _ in range(2))])


@operator("GroupNormalization")
def group_normalization(b):
    name = image(b, "GroupNormalization", b.choose([2, 4]))
    x = b.value(name)
    groups = b.choose([g for g in (1, 2) if x.shape[1] % g == 0])
    count = groups if b.opset < 21 else x.shape[1]
    scale = [b.constant(b.array(x.dtype, (count,), 0.5, 2)) for _ in range(2)]
    b.add("GroupNormalization", [name, *scale], num_groups=groups)


@operator("LayerNormalization", "RMSNormalization")
def layer_normalization(b, op):
    name = b.pick(b.types(op), rank=(1, 2, 3, 4), where=lambda a: 0 not in a.shape)
    x = b.value(name)
    if 0 in x.shape:
        raise Rejected("nothing to normalise")
    axis = normal_axis(b, x.ndim)
    inputs = [name, b.new(b.array(x.dtype, x.shape[axis:], 0.5, 2), 0.85)]
    if op == "LayerNormalization" and b.chance(0.7):
        inputs.append(b.constant(b.array(x.dtype, x.shape[axis:])))
    outputs = 3 if op == "LayerNormalization" and x.dtype == FLOAT and b.chance(0.2) else 1
    b.add(op, inputs, outputs, axis=axis, epsilon=b.choose([1e-5, 1e-2]))


@operator("LpNormalization")
def lp_normalization(b):
    name = b.pick(b.types("LpNormalization"), rank=(1, 2, 3))
    b.add("LpNormalization", [name], axis=normal_axis(b, b.value(name).ndim), p=b.integer(1, 2))


@operator("MeanVarianceNormalization")
def mean_variance(b):
    name = b.pick(
        b.types("MeanVarianceNormalization"),
        rank=4,
        where=lambda a: a.size > 8,
        make=lambda d: b.array(d, (2, 3, 3, 2)),
    )
    axes = b.choose([None, [0, 2, 3], [2, 3], [-1]])
    x, over = b.value(name), tuple(axes or [0, 2, 3])
    if x.dtype == np.float16 and (x.max(over) == x.min(over)).any():
        # The 1e-9 that keeps these from 0 / 0 is none in float16: in that type's steps not a number, in wider ones 0.
        raise Rejected("equal elements in float16")
    b.add("MeanVarianceNormalization", [name], axes=axes)


@operator("LRN")
def lrn(b):
    b.add("LRN", [image(b, "LRN", rank=4)], size=b.choose([1, 3, 5]), alpha=0.02, beta=0.7, bias=1.5)


@operator("RNN", "GRU", "LSTM")
def recurrent(b, op):
    gates = {"RNN": 1, "GRU": 3, "LSTM": 4}[op]
    name = b.pick(
        [np.float32, np.float64],
        rank=3,
        where=lambda a: 0 not in a.shape and a.size < 300,
        make=lambda d: b.array(d, (b.integer(1, 3), b.integer(1, 2), b.integer(1, 4))),
    )
    x = b.value(name)
    if 0 in x.shape:
        raise Rejected("nothing")
    hidden, directions = b.integer(1, 4), b.integer(1, 2) if op != "GRU" else 1
    inputs = [name] + [
        b.constant(b.array(x.dtype, (directions, gates * hidden, k), -1, 1)) for k in (x.shape[2], hidden)
    ]
    if b.chance(0.6):
        inputs.append(b.constant(b.array(x.dtype, (directions, 2 * gates * hidden), -1, 1)))
    extra = {"linear_before_reset": b.integer(0, 1)} if op == "GRU" else {}
    b.add(
        op, inputs, b.integer(1, 2), hidden_size=hidden, direction=["forward", "bidirectional"][directions - 1], **extra
    )


@operator("Attention")
def attention(b):
    dtype = b.choose([np.float32, np.float64, np.float16])
    heads, kv, size = b.choose([(1, 1), (2, 2), (4, 2)]) + (b.choose([2, 4, 8]),)
    batch, queries, keys = b.integer(1, 2), b.integer(1, 4), b.integer(1, 5)
    if b.chance(0.5):
        shapes = [(batch, heads, queries, size), (batch, kv, keys, size), (batch, kv, keys, size)]
        attributes = {}
    else:
        shapes = [(batch, queries, heads * size), (batch, keys, kv * size), (batch, keys, kv * size)]
        attributes = {"q_num_heads": heads, "kv_num_heads": kv}
    names = [
        b.pick([dtype], where=lambda a, s=s: a.shape == s, make=lambda d, s=s: b.array(d, s, -1, 1)) for s in shapes
    ]
    if b.chance(0.4):
        names.append(b.new(b.array(b.choose([bool, dtype]), (queries, keys))))
        if b.value(names[-1]).dtype == bool:
            raise Rejected("a row without keys has no defined result")
    b.add(
        "Attention",
        names,
        is_causal=b.integer(0, 1) if len(names) == 3 else 0,
        scale=b.choose([None, 0.5]),
        **attributes,
    )


@operator("RotaryEmbedding")
def rotary(b):
    dtype = b.choose([np.float32, np.float16])
    batch, heads, length, size = b.integer(1, 2), b.integer(1, 2), b.integer(1, 3), b.choose([4, 8])
    x = b.pick(
        [dtype],
        where=lambda a: a.shape == (batch, heads, length, size),
        make=lambda d: b.array(d, (batch, heads, length, size)),
    )
    caches = [b.constant(b.array(dtype, (5, size // 2), -1, 1)) for _ in range(2)]
    places = b.new(b.array(np.int64, (batch, length), 0, 4))
    b.add("RotaryEmbedding", [x, *caches, places], interleaved=b.integer(0, 1))


@operator("MatMulInteger")
def matmul_integer(b):
    m, k, n = b.integer(1, 4), b.integer(1, 9), b.integer(1, 5)
    a, w = b.choose([np.uint8, np.int8]), b.choose([np.uint8, np.int8])
    x = b.pick([a], where=lambda v: v.ndim == 2 and v.shape[1] == k, make=lambda d: b.array(d, (m, k), -100, 100))
    inputs = [x, b.new(b.array(w, (k, n), -100, 100), 0.8)]
    if b.chance(0.6):
        inputs += [b.constant(b.array(a, (), 0, 9)), b.constant(b.array(w, b.choose([(), (n,)]), 0, 9))]
    b.add("MatMulInteger", inputs)


@operator("ConvInteger")
def conv_integer(b):
    name = image(b, "ConvInteger", types=[np.dtype(np.uint8), np.dtype(np.int8)], rank=4)
    attributes, shape = convolution(b, name)
    w = b.constant(b.array(b.value(name).dtype, shape, -9, 9))
    zero = [b.constant(b.array(b.value(name).dtype, (), 0, 9))] if b.chance(0.5) else []
    b.add("ConvInteger", [name, w, *zero], **attributes)


@operator("QLinearMatMul")
def qlinear_matmul(b):
    m, k, n = b.integer(1, 4), b.integer(1, 9), b.integer(1, 5)
    dtype = b.choose([np.uint8, np.int8])

    def scaled(array):
        return [
            b.new(array, 0.5),
            b.constant(np.float32(b.random.uniform(0.02, 0.2))),
            b.constant(b.array(dtype, (), 0, 9)),
        ]

    b.add(
        "QLinearMatMul",
        scaled(b.array(dtype, (m, k), -50, 50))
        + scaled(b.array(dtype, (k, n), -50, 50))
        + scaled(b.array(dtype, ()))[1:],
    )


@operator("QLinearConv")
def qlinear_conv(b):
    name = image(b, "QLinearConv", types=[np.dtype(np.uint8), np.dtype(np.int8)], rank=4)
    dtype = b.value(name).dtype
    attributes, shape = convolution(b, name)

    def scale():
        return [b.constant(np.float32(b.random.uniform(0.02, 0.2))), b.constant(b.array(dtype, (), 0, 9))]

    inputs = [name, *scale(), b.constant(b.array(dtype, shape, -9, 9)), *scale(), *scale()]
    if b.chance(0.5):
        inputs.append(b.constant(b.array(np.int32, (shape[0],), -50, 50)))
    b.add("QLinearConv", inputs, **attributes)


@operator("SwiGLU")
def swiglu(b):
    name = b.pick(b.types("SwiGLU"))
    x = b.value(name)
    other = b.pick([x.dtype], where=lambda a: a.shape == x.shape, make=lambda d: b.array(d, x.shape))
    b.add("SwiGLU", [name, other], alpha=b.choose([None, 0.5]))


@operator("DeformConv")
def deform_conv(b):
    name = image(b, "DeformConv", rank=4, types=[FLOAT, np.dtype(np.float64)])
    x = b.value(name)
    kernel = [b.integer(1, min(3, s)) for s in x.shape[2:]]
    space = [s - k + 1 for s, k in zip(x.shape[2:], kernel)]
    w = b.constant(b.array(x.dtype, (b.integer(1, 3), x.shape[1], *kernel), -1, 1))
    offset = b.new(b.array(x.dtype, (x.shape[0], 2 * int(np.prod(kernel)), *space), -1, 1))
    inputs = [name, w, offset]
    if b.chance(0.4):
        inputs.append(b.constant(b.array(x.dtype, (b.value(w).shape[0],))))
    b.add("DeformConv", inputs, kernel_shape=kernel)


@operator("TensorScatter")
def tensor_scatter(b):
    dtype = b.choose([np.float32, np.float16, np.int64, np.uint8])
    batch, length, count = b.integer(1, 2), b.integer(3, 5), b.integer(1, 3)
    past = b.new(b.array(dtype, (batch, 2, length, 3)))
    update = b.new(b.array(dtype, (batch, 2, count, 3)))
    circular = b.chance(0.4)
    places = b.new(b.array(np.int64, (batch,), 0, length - 1 if circular else length - count))
    inputs = [past, update] + ([places] if b.chance(0.7) else [])
    b.add("TensorScatter", inputs, mode="circular" if circular else "linear")


@operator("CausalConvWithState")
def causal_conv(b):
    dtype = b.choose([np.float32, np.float16])
    batch, channels, length, kernel = b.integer(1, 2), b.integer(1, 4), b.integer(1, 5), b.integer(2, 3)
    x = b.new(b.array(dtype, (batch, channels, length)))
    inputs = [x, b.constant(b.array(dtype, (channels, 1, kernel), -1, 1))]
    if b.chance(0.6):
        inputs.append(b.constant(b.array(dtype, (channels,))))
        if b.chance(0.5):
            inputs.append(b.constant(b.array(dtype, (batch, channels, kernel - 1))))
    b.add("CausalConvWithState", inputs, 2, activation=b.choose([None, "silu", "swish"]))


@operator("LinearAttention")
def linear_attention(b):
    dtype, heads, size = np.float32, b.choose([1, 2]), b.choose([2, 4])
    batch, length = b.integer(1, 2), b.integer(1, 4)
    names = [b.new(b.array(dtype, (batch, length, heads * size), -1, 1)) for _ in range(3)]
    rule = b.choose(["linear", "gated", "delta", "gated_delta"])
    decay = b.new(b.array(dtype, (batch, length, heads), -1, 0)) if "gated" in rule else ""
    beta = b.new(b.array(dtype, (batch, length, heads), 0, 1)) if "delta" in rule else ""
    inputs = [*names, "", decay, beta] if beta else [*names, "", decay] if decay else names
    b.add("LinearAttention", inputs, 2, q_num_heads=heads, kv_num_heads=heads, update_rule=rule, scale=0.5)
