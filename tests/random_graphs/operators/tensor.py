# SPDX-License-Identifier: Apache-2.0
"""Operators that move elements: shapes, slices, gathers, concatenations."""

import numpy as np
from onnx import helper, numpy_helper

from ..builder import Rejected
from .table import INT64, NUMBERS, STRING, normal_axis, operator, some_axes

ANY = [*NUMBERS, np.dtype(bool), STRING]
INDICES = [np.int32, np.int64]


def ints(b, values, constant=0.85):
    return b.new(np.asarray(values, np.int64), constant)


def picked(b, op, rank=(1, 2, 3, 4), place=0, **kwargs):
    known = b.types(op, place)  # what the schema takes at this opset
    return b.pick([t for t in ANY if t in known], rank=rank, **kwargs)


@operator("Shape")
def shape(b):
    name = b.pick(ANY)
    rank = b.value(name).ndim
    ends = {"start": b.integer(-rank, rank), "end": b.integer(-rank, rank)} if b.opset >= 15 and b.chance(0.4) else {}
    b.add("Shape", [name], **ends)


@operator("Size")
def size(b):
    b.add("Size", [b.pick(ANY)])


@operator("Reshape")
def reshape(b):
    name = picked(b, "Reshape", None)
    x = b.value(name)
    if x.size == 0:
        target = list(x.shape)
    else:
        target, left = [], x.size
        for _ in range(b.integer(0, 3)):
            divisor = b.choose([d for d in range(1, left + 1) if left % d == 0])
            target.append(divisor)
            left //= divisor
        target.append(left)
        if b.chance(0.4):
            target[b.integer(0, len(target) - 1)] = -1
        elif b.chance(0.3):
            target = [0 if i < x.ndim and x.shape[i] == t else t for i, t in enumerate(target)]
    b.add("Reshape", [name, ints(b, target)])


@operator("Flatten")
def flatten(b):
    name = picked(b, "Flatten", None)
    rank = b.value(name).ndim
    b.add("Flatten", [name], axis=b.integer(-rank, rank))


@operator("Transpose")
def transpose(b):
    name = picked(b, "Transpose")
    rank = b.value(name).ndim
    b.add("Transpose", [name], perm=[int(i) for i in b.random.permutation(rank)] if b.chance(0.9) else None)


@operator("Unsqueeze")
def unsqueeze(b):
    name = picked(b, "Unsqueeze", (0, 1, 2, 3))
    count = b.integer(1, 2)
    rank = b.value(name).ndim + count
    axes = [int(a) - (rank if b.chance(0.3) else 0) for a in b.random.permutation(rank)[:count]]
    b.add("Unsqueeze", [name, ints(b, axes)])


@operator("Squeeze")
def squeeze(b):
    def make(dtype):
        s = list(b.shape(b.integer(1, 3)))
        s.insert(b.integer(0, len(s)), 1)
        return b.array(dtype, s)

    name = picked(b, "Squeeze", where=lambda a: 1 in a.shape, make=make)
    ones = [i for i, s in enumerate(b.value(name).shape) if s == 1]
    if b.chance(0.2):
        b.add("Squeeze", [name])
    else:
        b.add("Squeeze", [name, ints(b, [b.choose(ones)])])


@operator("Concat")
def concat(b):
    first = picked(b, "Concat")
    x = b.value(first)
    axis = normal_axis(b, x.ndim)

    def fits(a):
        return all(i == axis % x.ndim or m == n for i, (m, n) in enumerate(zip(a.shape, x.shape)))

    def make(dtype):
        s = list(x.shape)
        s[axis] = b.integer(0 if b.chance(0.2) else 1, 4)
        return b.array(dtype, s)

    names = [first] + [b.pick([x.dtype], rank=x.ndim, where=fits, make=make) for _ in range(b.integer(0, 2))]
    if b.chance(0.5):
        names = [names[i] for i in b.random.permutation(len(names))]
    b.add("Concat", names, axis=axis)


@operator("Split")
def split(b):
    name = picked(b, "Split", where=lambda a: a.shape[0] > 0)
    x = b.value(name)
    axis = normal_axis(b, x.ndim)
    total = x.shape[axis]
    if total == 0:
        raise Rejected("nothing to split")
    if b.opset >= 18 and b.chance(0.4):
        parts = b.integer(1, min(3, total))
        if -(-total // parts) * (parts - 1) > total:
            raise Rejected("no part for each")
        b.add("Split", [name], parts, axis=axis, num_outputs=parts)
        return
    cuts = sorted(b.integer(0, total) for _ in range(b.integer(0, 2)))
    parts = np.diff([0, *cuts, total])
    b.add("Split", [name, ints(b, parts)], len(parts), axis=axis)


@operator("Slice")
def slice_(b):
    name = picked(b, "Slice")
    x = b.value(name)
    axes = some_axes(b, x.ndim)
    steps = [b.choose([1, 1, 1, 2, -1, -2]) for _ in axes]
    starts = [b.integer(-x.shape[a] - 1, x.shape[a] + 1) for a in axes]
    ends = [
        b.choose([b.integer(-x.shape[a] - 1, x.shape[a] + 1), 2**63 - 1 if s > 0 else -(2**63)])
        for a, s in zip(axes, steps)
    ]
    dtype = b.choose(INDICES)
    if dtype == np.int32:
        starts, ends = np.clip(starts, -(2**31), 2**31 - 1), np.clip(ends, -(2**31), 2**31 - 1)
    inputs = [name] + [b.new(np.array(v, dtype), 0.85) for v in (starts, ends, axes, steps)]
    b.add("Slice", inputs[: b.choose([4, 5, 5])])


@operator("Gather")
def gather(b):
    name = picked(b, "Gather", where=lambda a: 0 not in a.shape)
    x = b.value(name)
    if 0 in x.shape:
        raise Rejected("nothing to gather")
    axis = normal_axis(b, x.ndim)
    n = x.shape[axis]
    indices = b.pick(
        INDICES,
        where=lambda a: a.size < 50 and (a.size == 0 or (a.min() >= -n and a.max() < n)),
        make=lambda d: b.array(d, b.shape(b.integer(0, 2), 3), -n, n - 1),
        fresh=0.6,
        constant=0.6,
    )
    b.add("Gather", [name, indices], axis=axis)


@operator("GatherElements")
def gather_elements(b):
    name = picked(b, "GatherElements", where=lambda a: 0 not in a.shape)
    x = b.value(name)
    if 0 in x.shape:
        raise Rejected("nothing to gather")
    axis = normal_axis(b, x.ndim)
    shape = [b.integer(1, s) for s in x.shape]
    shape[axis] = b.integer(1, 4)
    b.add(
        "GatherElements", [name, b.new(b.array(b.choose(INDICES), shape, -x.shape[axis], x.shape[axis] - 1))], axis=axis
    )


@operator("GatherND")
def gather_nd(b):
    name = picked(b, "GatherND", where=lambda a: 0 not in a.shape)
    x = b.value(name)
    if 0 in x.shape:
        raise Rejected("nothing to gather")
    batch = b.integer(0, min(1, x.ndim - 1)) if b.chance(0.3) else 0
    depth = b.integer(1, x.ndim - batch)
    shape = (*x.shape[:batch], *b.shape(b.integer(1 if batch == 0 else 0, 2), 3), depth)
    index = np.zeros(shape, np.int64)
    for k in range(depth):
        index[..., k] = b.array(np.int64, shape[:-1], -x.shape[batch + k], x.shape[batch + k] - 1)
    b.add("GatherND", [name, b.new(index)], batch_dims=batch)


@operator("ScatterElements", "Scatter")
def scatter_elements(b, op):
    name = picked(b, op, where=lambda a: 0 not in a.shape)
    x = b.value(name)
    if 0 in x.shape:
        raise Rejected("nowhere to scatter")
    axis = normal_axis(b, x.ndim)
    reduction = b.choose(["none", "add", "mul", "max", "min"]) if b.opset >= 18 and x.dtype in NUMBERS else "none"
    shape = [b.integer(1, s) for s in x.shape]
    lines = np.argsort(b.random.random([x.shape[axis] if i == axis % x.ndim else s for i, s in enumerate(shape)]), axis)
    index = np.take(lines, range(shape[axis]), axis).astype(b.choose(INDICES))  # each place once
    updates = b.new(b.array(x.dtype, shape))
    b.add(op, [name, b.new(index), updates], axis=axis, reduction=None if reduction == "none" else reduction)


@operator("ScatterND")
def scatter_nd(b):
    name = picked(b, "ScatterND", where=lambda a: 0 not in a.shape)
    x = b.value(name)
    if 0 in x.shape:
        raise Rejected("nowhere to scatter")
    depth = b.integer(1, x.ndim)
    places = np.array(list(np.ndindex(*x.shape[:depth])))
    chosen = places[b.random.permutation(len(places))[: b.integer(1, min(4, len(places)))]]
    reduction = b.choose(["none", "add", "mul", "max", "min"]) if b.opset >= 18 and x.dtype in NUMBERS else "none"
    updates = b.new(b.array(x.dtype, (len(chosen), *x.shape[depth:])))
    b.add(
        "ScatterND",
        [name, b.new(chosen.astype(np.int64)), updates],
        reduction=None if reduction == "none" else reduction,
    )


@operator("Expand")
def expand(b):
    name = picked(b, "Expand", (0, 1, 2, 3))
    x = b.value(name)
    target = [b.integer(1, 4) if s == 1 else b.choose([s, 1]) for s in x.shape]
    if b.chance(0.4):
        target = [b.integer(1, 3), *target]
    b.add("Expand", [name, ints(b, target)])


@operator("Tile")
def tile(b):
    name = picked(b, "Tile")
    b.add("Tile", [name, ints(b, [b.choose([0, 1, 1, 2, 3]) for _ in b.value(name).shape])])


@operator("Pad")
def pad(b):
    name = picked(b, "Pad")
    x = b.value(name)
    mode = b.choose(["constant", "constant", "edge", "reflect"] + (["wrap"] if b.opset >= 19 else []))
    if mode != "constant" and 0 in x.shape:
        raise Rejected("nothing to repeat")
    room = [s - 1 if mode == "reflect" else s if mode == "wrap" else 3 for s in x.shape]
    if mode == "constant" and b.chance(0.2):
        room = [-min(1, s) for s in x.shape]
    pads = [int(np.sign(r)) * b.integer(0, min(2, abs(r))) for r in [*room, *room]]
    if any(s + lo + hi < 0 for s, lo, hi in zip(x.shape, pads, pads[x.ndim :])):
        raise Rejected("more than there is")
    inputs = [name, ints(b, pads)]
    if mode == "constant" and b.chance(0.5):
        inputs.append(b.constant(b.array(x.dtype, ())))
    b.add("Pad", inputs, mode=mode)


@operator("Trilu")
def trilu(b):
    name = picked(b, "Trilu", (2, 3, 4))
    inputs = [name] + ([ints(b, b.integer(-3, 3))] if b.chance(0.6) else [])
    b.add("Trilu", inputs, upper=b.integer(0, 1))


@operator("EyeLike")
def eye_like(b):
    b.add(
        "EyeLike", [b.pick([np.dtype(t) for t in ("float32", "float64", "int32", "int64")], rank=2)], k=b.integer(-2, 2)
    )


@operator("ConstantOfShape")
def constant_of_shape(b):
    target = b.pick(
        [INT64],
        rank=1,
        where=lambda a: a.size < 5 and (a.size == 0 or (a.min() >= 0 and np.prod(a) < 500)),
        make=lambda d: np.array(b.shape(None, 4), np.int64),
    )
    dtype = b.favourite([t for t in NUMBERS if t.name != "bfloat16"])
    value = numpy_helper.from_array(b.array(dtype, (1,))) if b.chance(0.8) else None
    b.add("ConstantOfShape", [target], value=value)


@operator("Range")
def range_(b):
    dtype = b.favourite([t for t in b.types("Range") if t.name in ("float32", "float64", "int16", "int32", "int64")])
    start, step = b.integer(-3, 3), b.choose([1, 2, -1, -2])
    b.add("Range", [b.new(np.array(v, dtype), 0.6) for v in (start, start + step * b.integer(0, 5), step)])


@operator("OneHot")
def one_hot(b):
    indices = b.pick(
        [np.int64, np.int32, np.float32],
        where=lambda a: a.size < 100 and bool((a == np.rint(a)).all()),
        rank=(0, 1, 2),
        make=lambda d: b.array(np.int64, b.shape(b.integer(0, 2)), -4, 3).astype(d),
    )
    depth = b.constant(np.array(b.integer(2, 5), np.int64))
    values = b.constant(b.array(b.choose([np.float32, np.int64, np.int32, np.float64]), (2,)))
    b.add("OneHot", [indices, depth, values], axis=b.integer(-1, b.value(indices).ndim))


@operator("NonZero")
def non_zero(b):
    b.add("NonZero", [picked(b, "NonZero")])


@operator("Compress")
def compress(b):
    name = picked(b, "Compress", where=lambda a: 0 not in a.shape)
    x = b.value(name)
    axis = normal_axis(b, x.ndim) if b.chance(0.7) else None
    count = x.size if axis is None else x.shape[axis]
    b.add("Compress", [name, b.new(b.array(bool, (b.integer(0, min(count, 20)),)))], axis=axis)


@operator("DepthToSpace")
def depth_to_space(b):
    block = b.integer(1, 2)
    name = picked(
        b,
        "DepthToSpace",
        4,
        where=lambda a: a.shape[1] % (block * block) == 0,
        make=lambda d: b.array(d, (b.integer(1, 2), block * block * b.integer(1, 2), 2, 3)),
    )
    b.add("DepthToSpace", [name], blocksize=block, mode=b.choose(["DCR", "CRD"]))


@operator("SpaceToDepth")
def space_to_depth(b):
    block = b.integer(1, 2)
    name = picked(
        b,
        "SpaceToDepth",
        4,
        where=lambda a: a.shape[2] % block == 0 and a.shape[3] % block == 0,
        make=lambda d: b.array(d, (1, b.integer(1, 3), block * 2, block)),
    )
    b.add("SpaceToDepth", [name], blocksize=block)


@operator("ReverseSequence")
def reverse_sequence(b):
    name = picked(b, "ReverseSequence", (2, 3), where=lambda a: 0 not in a.shape)
    x = b.value(name)
    if 0 in x.shape:
        raise Rejected("nothing to reverse")
    time = b.integer(0, 1)
    lengths = b.constant(b.array(np.int64, (x.shape[1 - time],), 1, x.shape[time]))
    b.add("ReverseSequence", [name, lengths], time_axis=time, batch_axis=1 - time)


@operator("TopK")
def top_k(b):
    # Elements that differ: the order of equal ones is defined, but not their choice.
    name = b.pick(
        b.types("TopK"),
        rank=(1, 2, 3),
        where=lambda a: len(np.unique(a)) == a.size and a.size > 0,
        make=lambda d: distinct(b, d),
    )
    x = b.value(name)
    axis = normal_axis(b, x.ndim)
    k = ints(b, [b.integer(0, x.shape[axis])])
    b.add("TopK", [name, k], 2, axis=axis, largest=b.integer(0, 1))


def distinct(b, dtype):
    shape = b.shape(b.integer(1, 2), 4)
    return np.asarray(b.random.permutation(int(np.prod(shape))).reshape(shape)).astype(dtype)


@operator("Unique")
def unique(b):
    name = b.pick(
        [t for t in b.types("Unique") if t.name in ("float32", "float64", "int64", "int8", "object")],
        rank=(1, 2),
        where=lambda a: a.size > 0,
    )
    x = b.value(name)
    if x.size == 0:
        raise Rejected("nothing")
    axis = normal_axis(b, x.ndim) if b.chance(0.4) and x.dtype != object else None
    b.add("Unique", [name], b.integer(1, 4), axis=axis, sorted=b.integer(0, 1))


@operator("CenterCropPad")
def center_crop_pad(b):
    name = picked(b, "CenterCropPad")
    rank = b.value(name).ndim
    axes = sorted(int(a) for a in b.random.permutation(rank)[: b.integer(1, rank)]) if b.chance(0.6) else None
    b.add("CenterCropPad", [name, ints(b, [b.integer(1, 6) for _ in (axes or range(rank))])], axes=axes)


@operator("BitCast")
def bit_cast(b):
    name = b.pick([np.float32, np.int32, np.uint32, np.float64, np.int64, np.uint64])
    wide = b.value(name).dtype.itemsize == 8
    to = b.choose([np.float64, np.int64, np.uint64] if wide else [np.int32, np.uint32])  # no odd bits of a float32
    b.add("BitCast", [name], to=helper.np_dtype_to_tensor_dtype(np.dtype(to)))
