# SPDX-License-Identifier: Apache-2.0
"""Operators from element to element."""

import numpy as np
from onnx import TensorProto

from ..builder import Rejected
from ..graph import element_type
from .table import BOOL, FLOATS, IEEE, INTEGERS, NUMBERS, STRING, normal_axis, operator

# Operator: the numbers it takes.
UNARY = {
    "Abs": (-3, 3), "Neg": (-3, 3), "Sign": (-3, 3), "Relu": (-3, 3), "Ceil": (-3, 3), "Floor": (-3, 3),
    "Round": (-3, 3), "Sqrt": (0, 9), "Reciprocal": (0.2, 4), "Exp": (-3, 3), "Log": (0.1, 9), "Sigmoid": (-6, 6),
    "Tanh": (-4, 4), "Erf": (-3, 3), "Softplus": (-5, 5), "Softsign": (-5, 5), "HardSwish": (-5, 5), "Mish": (-5, 5),
    "Sin": (-6, 6), "Cos": (-6, 6), "Tan": (-1.3, 1.3), "Asin": (-0.99, 0.99), "Acos": (-0.99, 0.99),
    "Atan": (-5, 5), "Sinh": (-3, 3), "Cosh": (-3, 3), "Asinh": (-5, 5), "Acosh": (1.01, 6), "Atanh": (-0.95, 0.95),
    "IsNaN": (-3, 3), "Identity": (-3, 3), "Not": (0, 1), "BitwiseNot": (-9, 9),
}  # fmt: skip
ATTRIBUTES = {
    "Elu": {"alpha": (0.2, 2)}, "Selu": {"alpha": (0.5, 2), "gamma": (0.5, 2)}, "Celu": {"alpha": (0.3, 2)},
    "LeakyRelu": {"alpha": (-0.5, 0.5)}, "ThresholdedRelu": {"alpha": (-1, 1)}, "Swish": {"alpha": (0.5, 2)},
    "HardSigmoid": {"alpha": (0.1, 0.5), "beta": (0.2, 0.8)}, "Shrink": {"bias": (-1, 1), "lambd": (0.1, 1)},
}  # fmt: skip
BINARY = ("Add", "Sub", "Mul", "Div", "PRelu", "Pow", "Mod")
COMPARE = ("Equal", "Less", "Greater", "LessOrEqual", "GreaterOrEqual")


def within(low, high):
    return lambda a: a.size == 0 or bool(((a >= low) & (a <= high)).all())


@operator(*UNARY)
def unary(b, op):
    low, high = UNARY[op]
    types = b.types(op)
    test = None if (low, high) in ((-3, 3), (0, 1)) else within(low, high)
    if test and (STRING in types or any(t.kind == "c" for t in types)):
        types = [t for t in types if t in NUMBERS]
    b.add(op, [b.pick(types, low=low, high=high, where=test)])


@operator(*ATTRIBUTES)
def activation(b, op):
    values = {name: float(np.float32(b.random.uniform(*ends))) for name, ends in ATTRIBUTES[op].items()}
    b.add(op, [b.pick(b.types(op))], **{name: v for name, v in values.items() if b.chance(0.7)})


@operator("Gelu")
def gelu(b):
    b.add("Gelu", [b.pick(b.types("Gelu"))], approximate=b.choose(["none", "tanh"]))


@operator(*BINARY)
def binary(b, op):
    low, high = {"Div": (0.5, 4), "Mod": (1, 5), "Pow": (0, 3)}.get(op, (-3, 3))
    first = b.pick(b.types(op), where=within(0.1, 9) if op == "Pow" else None, low=0.1 if op == "Pow" else -3)
    a = b.value(first)
    if op == "Pow" and a.dtype.kind != "f":
        low, high = 0, 2
    second = b.partner(a, low, high, within(low, high) if op in ("Div", "Mod", "Pow") else None)
    names = [first, second]
    if op in ("Add", "Mul", "Sub") and b.chance(0.4):
        names.reverse()
    shapes = a.shape, b.value(second).shape
    if op == "PRelu" and np.broadcast_shapes(*shapes) != a.shape:
        raise Rejected("the slope is larger than x")
    fmod = int(a.dtype in FLOATS or b.chance(0.4)) if op == "Mod" else None
    b.add(op, names, fmod=fmod)


@operator(*COMPARE)
def compare(b, op):
    first = b.pick(b.types(op))
    b.add(op, [first, b.partner(b.value(first))])


@operator("And", "Or", "Xor")
def logic(b, op):
    first = b.pick([BOOL])
    b.add(op, [first, b.partner(b.value(first))])


@operator("BitwiseAnd", "BitwiseOr", "BitwiseXor")
def bits(b, op):
    first = b.pick(INTEGERS)
    b.add(op, [first, b.partner(b.value(first), -9, 9)])


@operator("BitShift")
def shift(b):
    first = b.pick(b.types("BitShift"))
    b.add("BitShift", [first, b.partner(b.value(first), 0, 5, within(0, 5))], direction=b.choose(["LEFT", "RIGHT"]))


@operator("Max", "Min", "Sum", "Mean")
def variadic(b, op):
    first = b.pick([t for t in b.types(op) if t in NUMBERS])
    names, shape = [first], b.value(first).shape
    for _ in range(b.integer(0, 2)):
        name = b.partner(b.value(first))
        try:
            shape = np.broadcast_shapes(shape, b.value(name).shape)
        except ValueError:
            continue
        names.append(name)
    b.add(op, names)


@operator("IsInf")
def is_inf(b):
    def make(dtype):
        a = b.array(dtype, b.shape())
        a.ravel()[: a.size // 2] = b.choose([np.inf, -np.inf, np.nan])
        return a

    types = [t for t in b.types("IsInf") if t in FLOATS]
    b.add("IsInf", [b.pick(types, make=make)], detect_negative=b.integer(0, 1), detect_positive=b.integer(0, 1))


@operator("Clip")
def clip(b):
    name = b.pick(b.types("Clip"))
    dtype = b.value(name).dtype
    low, high = (b.constant(b.array(dtype, (), *ends)) if b.chance(0.8) else "" for ends in ((-2, 0), (1, 2)))
    b.add("Clip", [name, low, high][: 3 if high else 2 if low else 1])


@operator("Where")
def where(b):
    name = b.pick(b.types("Where", 1))
    x = b.value(name)
    other = b.partner(x)
    shape = np.broadcast_shapes(x.shape, b.value(other).shape)
    condition = b.partner(np.zeros(shape, bool))
    b.add("Where", [condition, name, other])


CAST = [*NUMBERS, BOOL]


@operator("Cast")
def cast(b):
    name = b.pick(CAST)
    dtype = b.favourite(CAST)
    a = b.value(name)
    if dtype.kind in "iu" and a.dtype.kind not in "b" and a.size:  # out of range is not defined
        limits, wide = np.iinfo(dtype), a.astype(np.float64)
        if not np.isfinite(wide).all() or wide.min() < max(limits.min, -1e9) or wide.max() > min(limits.max, 1e9):
            raise Rejected("out of range")
    b.add("Cast", [name], to=element_type(np.zeros(0, dtype)))


@operator("CastLike")
def cast_like(b):
    name = b.pick([*IEEE, BOOL])
    b.add("CastLike", [name, b.pick([*IEEE, BOOL])])


@operator("Dropout")
def dropout(b):
    name = b.pick(b.types("Dropout"))
    inputs = [name] + ([b.constant(np.float32(0.3))] if b.chance(0.5) else [])
    outputs = b.integer(1, 2)
    b.add("Dropout", inputs, outputs)


@operator("Softmax", "LogSoftmax", "Hardmax")
def softmax(b, op):
    name = b.pick(b.types(op), rank=(1, 2, 3, 4))
    b.add(op, [name], axis=normal_axis(b, b.value(name).ndim) if b.chance(0.8) else None)


@operator("CumSum", "CumProd")
def cumulative(b, op):
    name = b.pick(b.types(op), rank=(1, 2, 3))
    kind = b.choose([np.int32, np.int64])
    axis = b.constant(np.array(normal_axis(b, b.value(name).ndim), kind))
    b.add(op, [name, axis], exclusive=b.integer(0, 1), reverse=b.integer(0, 1))


@operator("QuantizeLinear")
def quantize(b):
    name = b.pick([np.float32, np.float16] if b.opset >= 19 else [np.float32])
    x = b.value(name)
    to = b.choose([np.uint8, np.int8] + ([np.uint16, np.int16] if b.opset >= 21 else []))
    # Before opset 13 there is one scale for all.
    axis = b.integer(0, x.ndim - 1) if x.ndim and b.chance(0.5) and b.opset >= 13 else None
    scale = b.array(x.dtype, () if axis is None else (x.shape[axis],), 0.05, 0.5)
    zero = b.array(to, scale.shape, 0, 9)
    inputs = [name, b.constant(scale)] + ([b.constant(zero)] if b.chance(0.8) else [])
    b.add("QuantizeLinear", inputs, axis=axis)


@operator("DequantizeLinear")
def dequantize(b):
    types = [np.uint8, np.int8, np.int32] + ([np.uint16, np.int16] if b.opset >= 21 else [])
    name = b.pick(types, low=-100, high=100)
    x = b.value(name)
    # Before opset 13 there is one scale for all.
    axis = b.integer(0, x.ndim - 1) if x.ndim and b.chance(0.5) and b.opset >= 13 else None
    scale = b.array(
        b.choose([np.float32, np.float16]) if b.opset >= 19 else np.float32,
        () if axis is None else (x.shape[axis],),
        0.05,
        0.5,
    )
    inputs = [name, b.constant(scale)]
    if b.chance(0.7):
        inputs.append(b.constant(b.array(x.dtype, scale.shape, 0, 0 if x.dtype == np.int32 else 9)))
    b.add("DequantizeLinear", inputs, axis=axis)


@operator("DynamicQuantizeLinear")
def dynamic_quantize(b):
    b.add("DynamicQuantizeLinear", [b.pick([np.float32], where=lambda a: a.size > 0)], 3)


@operator("StringConcat")
def string_concat(b):
    first = b.pick([STRING])
    b.add("StringConcat", [first, b.partner(b.value(first))])


@operator("RegexFullMatch")
def regex(b):
    b.add("RegexFullMatch", [b.pick([STRING])], pattern=b.choose(["a.*", "[a-z]+", "-?[0-9.]+", ""]))


@operator("RandomNormal", "RandomUniform")
def random_numbers(b, op):
    # The numbers themselves are not defined: what is built on is their shape.
    (name,) = b.add(op, [], shape=list(b.shape(2)), seed=1.0, dtype=TensorProto.FLOAT)
    b.nodes[-1].output[0] = b.name("drawn")
    b.values[b.nodes[-1].output[0]] = b.values.pop(name)
    b.add("Shape", [b.nodes[-1].output[0]])
