# SPDX-License-Identifier: Apache-2.0
"""Chains of nodes that the optimizer's passes look for, written as exporters write them, in every type."""

import math

import numpy as np

from ..builder import Rejected
from ..graph import element_type
from .nn import convolution, image
from .table import FLOATS, IEEE, NUMBERS, pattern
from .tensor import ints


def full(b, array, number):
    return b.constant(np.asarray(number, array.dtype))


@pattern
def linear(b):
    """A product, then any of bias, activation and residual."""
    types = [t for t in b.types("MatMul") if t in NUMBERS]
    name = b.pick(types, rank=(2, 3), where=lambda a: 0 < a.shape[-1] <= 40)
    x = b.value(name)
    n = b.choose([1, 4, 8, x.shape[-1]])
    w = b.constant(b.array(x.dtype, (x.shape[-1], n), -1, 1))
    (y,) = b.add("MatMul", [name, w])
    if b.chance(0.7):
        bias = b.constant(b.array(x.dtype, b.choose([(n,), (1, n), (1,), ()])))
        (y,) = b.add("Add", [y, bias] if b.chance(0.7) else [bias, y])
    if b.chance(0.6):
        activation = b.choose(["Relu", "Relu", "Tanh", "Sigmoid", "LeakyRelu"])
        if b.value(y).dtype not in b.types(activation):
            activation = "Relu"
        (y,) = b.add(activation, [y])
    if b.chance(0.5):
        other = b.pick(
            [x.dtype], where=lambda a: a.shape == b.value(y).shape, make=lambda d: b.array(d, b.value(y).shape)
        )
        (y,) = b.add("Add", [y, other] if b.chance(0.5) else [other, y])
    if b.chance(0.3):
        b.add("Relu", [y])


@pattern
def scaled_product(b):
    name = b.pick(FLOATS, rank=(2, 3), where=lambda a: 0 < a.shape[-1] <= 40)
    x = b.value(name)
    (y,) = b.add("MatMul", [name, b.constant(b.array(x.dtype, (x.shape[-1], 5), -1, 1))])
    b.add(b.choose(["Mul", "Div"]), [y, b.constant(b.array(x.dtype, b.choose([(), (5,), (1, 5)]), 0.5, 2))])


@pattern
def transposed_product(b):
    name = b.pick(FLOATS, rank=2)
    (t,) = b.add("Transpose", [name], perm=[1, 0])
    other = b.pick(
        [b.value(name).dtype],
        rank=2,
        where=lambda a: a.shape[0] == b.value(t).shape[1],
        make=lambda d: b.array(d, (b.value(t).shape[1], 3)),
    )
    b.add("MatMul", [t, other])


@pattern
def convolution_block(b):
    """Convolution, normalisation or scaling, activation, residual."""
    name = image(b, "Conv", rank=4)
    x = b.value(name)
    if b.chance(0.2):
        (name,) = b.add("Pad", [name, ints(b, [0, 0, 1, 0, 0, 0, 0, 1])])
        x = b.value(name)
    attributes, shape = convolution(b, name)
    d, c = x.dtype, shape[0]
    inputs = [name, b.constant(b.array(d, shape, -1, 1))] + ([b.constant(b.array(d, (c,)))] if b.chance(0.5) else [])
    (y,) = b.add("Conv", inputs, **attributes)
    kind = b.choose(["norm", "mul", "add", "none"])
    if kind == "norm":
        numbers = [b.array(d, (c,), 0.5, 2) for _ in range(4)]
        (y,) = b.add("BatchNormalization", [y, *(b.constant(v) for v in numbers)])
    elif kind != "none":
        (y,) = b.add(
            {"mul": "Mul", "add": "Add"}[kind], [y, b.constant(b.array(d, b.choose([(c, 1, 1), (1, c, 1, 1), ()])))]
        )
    if b.chance(0.7):
        op = b.choose(["Relu", "Clip", "HardSwish", "Sigmoid", "LeakyRelu", "silu"])
        if op == "silu":
            (s,) = b.add("Sigmoid", [y])
            (y,) = b.add("Mul", [y, s])
        elif op == "Clip":
            (y,) = b.add("Clip", [y, full(b, x, 0), full(b, x, 6)])
        else:
            (y,) = b.add(op, [y])
    if b.chance(0.4):
        other = b.new(b.array(d, b.value(y).shape))
        (y,) = b.add("Add", [y, other])
        b.add("Relu", [y])


@pattern
def layer_norm(b):
    name = b.pick(
        IEEE, rank=(2, 3), where=lambda a: a.shape[-1] > 1 and 0 not in a.shape, make=lambda d: b.array(d, (2, 8))
    )
    x = b.value(name)

    def mean(y):
        if "axes" in b.schema("ReduceMean").attributes:
            return b.add("ReduceMean", [y], axes=[-1])[0]
        return b.add("ReduceMean", [y, ints(b, [-1])])[0]

    rms = b.chance(0.4)
    (centred,) = (name,) if rms else b.add("Sub", [name, mean(name)])
    square = b.add("Pow", [centred, full(b, x, 2)]) if b.chance(0.5) else b.add("Mul", [centred, centred])
    (shifted,) = b.add("Add", [mean(square[0]), full(b, x, 1e-3)])
    (root,) = b.add("Sqrt", [shifted])
    if b.chance(0.6):
        (y,) = b.add("Div", [centred, root])
    else:
        (inverse,) = b.add("Reciprocal", [root])
        (y,) = b.add("Mul", [centred, inverse])
    (y,) = b.add("Mul", [y, b.constant(b.array(x.dtype, x.shape[-1:], 0.5, 2))])
    if not rms:
        b.add("Add", [y, b.constant(b.array(x.dtype, x.shape[-1:]))])


@pattern
def gelu(b):
    name = b.pick(FLOATS, rank=(1, 2, 3))
    x = b.value(name)
    if b.chance(0.5):
        (e,) = b.add("Erf", b.add("Div", [name, full(b, x, math.sqrt(2))]))
    else:
        (cube,) = (
            b.add("Pow", [name, full(b, x, 3)]) if b.chance(0.5) else b.add("Mul", [name, *b.add("Mul", [name, name])])
        )
        (small,) = b.add("Mul", [cube, full(b, x, 0.044715)])
        (total,) = b.add("Add", [name, small])
        (e,) = b.add("Tanh", b.add("Mul", [total, full(b, x, math.sqrt(2 / math.pi))]))
    (one,) = b.add("Add", [e, full(b, x, 1)])
    if b.chance(0.5):
        b.add("Mul", [*b.add("Mul", [name, one]), full(b, x, 0.5)])
    else:
        b.add("Mul", [*b.add("Mul", [name, full(b, x, 0.5)]), one])


@pattern
def attention(b):
    """Scores, scale, mask, softmax and values, over heads that were split off."""
    dtype = b.choose(IEEE)
    batch, length, heads, size = b.integer(1, 2), b.integer(1, 4), b.choose([1, 2]), b.choose([2, 4])
    name = b.pick(
        [dtype],
        where=lambda a: a.shape == (batch, length, heads * size),
        make=lambda d: b.array(d, (batch, length, heads * size)),
    )
    parts = []
    for k in range(3):
        (p,) = b.add("MatMul", [name, b.constant(b.array(dtype, (heads * size, heads * size), -1, 1))])
        if b.chance(0.5):
            (p,) = b.add("Add", [p, b.constant(b.array(dtype, (heads * size,)))])
        (p,) = b.add("Reshape", [p, ints(b, [0, 0, heads, size])])
        parts += b.add("Transpose", [p], perm=[0, 2, 3, 1] if k == 1 else [0, 2, 1, 3])
    (scores,) = b.add("MatMul", parts[:2])
    array = b.value(scores)
    (scores,) = (
        b.add("Div", [scores, full(b, array, math.sqrt(size))])
        if b.chance(0.5)
        else b.add("Mul", [scores, full(b, array, 0.5)])
    )
    if b.chance(0.5):
        (scores,) = b.add("Add", [scores, b.new(b.array(dtype, (batch, 1, 1, length)))])
    (weights,) = b.add("Softmax", [scores], axis=-1)
    (y,) = b.add("Transpose", b.add("MatMul", [weights, parts[2]]), perm=[0, 2, 1, 3])
    b.add("Reshape", [y, ints(b, [0, 0, heads * size])])


@pattern
def neutral(b):
    """Arithmetic that changes nothing."""
    name = b.pick(NUMBERS)
    for _ in range(b.integer(1, 3)):
        x = b.value(name)
        op, number = b.choose(
            [
                ("Mul", 1),
                ("Add", 0),
                ("Sub", 0),
                ("Div", 1),
                ("Pow", 1),
                ("Identity", None),
                ("Mul", 0),
                ("Pow", 2),
                ("Add", -0.0),
            ]
        )
        if x.dtype not in b.types(op):
            continue
        inputs = (
            [name]
            if number is None
            else [name, b.constant(np.full(b.choose([(), (1,), (1, 1)]), number).astype(x.dtype))]
        )
        if op in ("Add", "Mul") and b.chance(0.3):
            inputs.reverse()
        (name,) = b.add(op, inputs)


@pattern
def casts(b):
    name = b.pick([*IEEE, np.int32, np.int64])
    for _ in range(b.integer(2, 3)):
        (name,) = b.add("Cast", [name], to=element_type(np.zeros(0, b.choose([*IEEE, np.int32, np.int64]))))
        if b.chance(0.3):
            (name,) = b.add("Abs", [name])


@pattern
def moves(b):
    """Transposes, reshapes and their like one after the other."""
    name = b.pick(NUMBERS, rank=(2, 3, 4), where=lambda a: 0 not in a.shape)
    for _ in range(b.integer(2, 4)):
        x = b.value(name)
        kind = b.choose(["Transpose", "Transpose", "Reshape", "Unsqueeze", "Squeeze", "Relu", "Flatten"])
        if kind == "Transpose":
            (name,) = b.add(kind, [name], perm=[int(i) for i in b.random.permutation(x.ndim)])
        elif kind == "Reshape" and x.ndim:
            (name,) = b.add(
                kind, [name, ints(b, b.choose([[-1], [x.shape[0], -1], [1, *x.shape], [0, -1]][: 3 + (x.ndim > 1)]))]
            )
        elif kind == "Unsqueeze" and x.ndim < 5:
            (name,) = b.add(kind, [name, ints(b, [b.integer(0, x.ndim)])])
        elif kind == "Squeeze" and 1 in x.shape:
            (name,) = b.add(kind, [name, ints(b, [x.shape.index(1)])])
        elif kind == "Flatten":
            (name,) = b.add(kind, [name], axis=b.integer(0, x.ndim))
        elif kind == "Relu" and x.dtype in b.types("Relu"):
            (name,) = b.add(kind, [name])


@pattern
def shape_arithmetic(b):
    """A target made from sizes: Shape, Gather, arithmetic, Concat, Reshape or Expand."""
    name = b.pick(NUMBERS, rank=(2, 3), where=lambda a: 0 not in a.shape)
    x = b.value(name)
    if 0 in x.shape:
        raise Rejected("a size of 0 in a target means another thing")
    (sizes,) = b.add("Shape", [name])
    parts = []
    for axis in range(x.ndim):
        (n,) = b.add("Gather", [sizes, b.constant(np.int64(axis if b.chance(0.7) else axis - x.ndim))])
        if b.chance(0.3):
            (n,) = b.add("Mul", [n, b.constant(np.int64(1))])
        parts += b.add("Unsqueeze", [n, ints(b, [0], 1)])
    first, *rest = parts
    if b.chance(0.5):
        (product,) = b.add("Mul", [first, rest[0]])
        parts = [product, *rest[1:]]
    elif b.chance(0.5):
        parts[-1] = ints(b, [-1], 1)
    (target,) = b.add("Concat", parts, axis=0)
    b.add("Reshape", [name, target])


@pattern
def quantised(b):
    """Quantise, dequantise, a product or convolution, quantise again."""
    dtype = b.choose([np.uint8, np.int8])

    def fake(y):
        scale, zero = b.constant(np.float32(b.random.uniform(0.02, 0.2))), b.constant(b.array(dtype, (), 0, 9))
        return b.add("DequantizeLinear", [*b.add("QuantizeLinear", [y, scale, zero]), scale, zero])[0]

    def weight(shape):
        scale = b.constant(np.float32(0.05))
        return b.add("DequantizeLinear", [b.constant(b.array(np.int8, shape, -20, 20)), scale, b.constant(np.int8(0))])[
            0
        ]

    if b.chance(0.5):
        name = b.pick([np.float32], rank=(2, 3), where=lambda a: 0 < a.shape[-1] <= 40)
        (y,) = b.add("MatMul", [fake(name), weight((b.value(name).shape[-1], 4))])
    else:
        name = image(b, "Conv", rank=4, types=[np.float32])
        attributes, shape = convolution(b, name)
        (y,) = b.add("Conv", [fake(name), weight(shape)], **attributes)
    if b.chance(0.4):
        (y,) = b.add("Relu", [y])
    fake(y)


@pattern
def repeated(b):
    """The same node twice, and both results together."""
    name = b.pick(FLOATS)
    op = b.choose(["Exp", "Tanh", "Neg", "Abs"])
    if op == "Exp" and np.abs(b.value(name).astype(float)).max(initial=0) > 8:
        raise Rejected("too large")
    (first,), (second,) = b.add(op, [name]), b.add(op, [name])
    b.add(b.choose(["Add", "Mul", "Sub"]), [first, second])


@pattern
def constants_only(b):
    """Nodes that hang on constants alone."""
    dtype = b.choose(NUMBERS)
    first = b.constant(b.array(dtype, b.shape()))
    (y,) = b.add(b.choose(["Add", "Mul", "Sub"]), [first, b.partner(b.value(first))])
    b.add(b.choose(["Identity", "Neg" if dtype in b.types("Neg") else "Identity"]), [y])
