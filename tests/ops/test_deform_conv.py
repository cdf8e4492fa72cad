# SPDX-License-Identifier: Apache-2.0
"""DeformConv against its definition: each tap is sampled linearly where its offset puts it, 0 outside."""

import itertools

import numpy as np
import pytest
from reference import check, refused

RNG = np.random.default_rng(31)
TOLERANCE = {"float32": 1e-4, "float64": 1e-10, "float16": 2e-2}


def sample(plane, at):
    """Linear interpolation at a point of a plane of any rank."""
    low = [int(np.floor(v)) for v in at]
    total = 0.0
    for corner in itertools.product(*[(v, v + 1) for v in low]):
        if all(0 <= c < extent for c, extent in zip(corner, plane.shape)):
            total += plane[corner] * np.prod([1 - abs(v - c) for v, c in zip(at, corner)])
    return total


def deform_conv(x, w, offset, bias, mask, *, strides, dilations, pads, group, offset_group):
    axes = x.ndim - 2
    kernel, out = w.shape[2:], offset.shape[2:]
    offset = offset.reshape(x.shape[0], offset_group, *kernel, axes, *out)
    mask = (
        np.ones_like(offset[(slice(None),) * (2 + axes) + (0,)])
        if mask is None
        else mask.reshape(x.shape[0], offset_group, *kernel, *out)
    )
    y = np.zeros((x.shape[0], w.shape[0], *out)) + (0 if bias is None else bias.reshape(-1, *(1,) * axes))
    per_group, per_offset = x.shape[1] // group, x.shape[1] // offset_group
    for n, c in np.ndindex(*x.shape[:2]):
        outs = [o for o in range(w.shape[0]) if o // (w.shape[0] // group) == c // per_group]
        for place, tap in itertools.product(np.ndindex(*out), np.ndindex(*kernel)):
            here = (n, c // per_offset, *tap)
            at = [
                p * s - b + t * d + offset[(*here, k, *place)]
                for k, (p, s, b, t, d) in enumerate(zip(place, strides, pads, tap, dilations))
            ]
            value = sample(x[n, c], at) * mask[(*here, *place)]
            for o in outs:
                y[(n, o, *place)] += w[(o, c % per_group, *tap)] * value
    return y


def problem(spatial, kernel, *, channels=2, out=3, group=1, offset_group=1, strides=None, dilations=None, pads=None):
    axes = len(spatial)
    attributes = {
        "strides": strides or [1] * axes,
        "dilations": dilations or [1] * axes,
        "pads": pads or [0] * 2 * axes,
        "group": group,
        "offset_group": offset_group,
    }
    places = [
        (n + b + e - (k - 1) * d - 1) // s + 1
        for n, k, s, d, b, e in zip(
            spatial,
            kernel,
            attributes["strides"],
            attributes["dilations"],
            attributes["pads"],
            attributes["pads"][axes:],
        )
    ]
    taps = int(np.prod(kernel))
    shapes = [
        (2, channels, *spatial),
        (out, channels // group, *kernel),
        (2, offset_group * taps * axes, *places),
        (out,),
        (2, offset_group * taps, *places),
    ]
    return [RNG.standard_normal(s) for s in shapes], attributes


PROBLEMS = {
    "plain": (((5, 5), (2, 2)), {}),
    "large kernel": (((6, 7), (3, 3)), {"channels": 3, "out": 4, "pads": [1, 1, 1, 1]}),
    "uneven": (((7, 6), (3, 2)), {"strides": [2, 1], "dilations": [1, 2], "pads": [0, 1, 2, 1]}),
    "groups": (((5, 4), (2, 2)), {"channels": 4, "out": 6, "group": 2}),
    "offset groups": (((5, 4), (2, 2)), {"channels": 4, "out": 2, "offset_group": 2}),
    "both": (((4, 4), (2, 2)), {"channels": 6, "out": 4, "group": 2, "offset_group": 3}),
    "one row": (((1, 6), (1, 3)), {"pads": [0, 1, 0, 1]}),
    "line": (((9,), (3,)), {"pads": [1, 1]}),
    "volume": (((3, 4, 3), (2, 2, 2)), {"channels": 1, "out": 2}),
}


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("name", PROBLEMS)
@pytest.mark.parametrize(("has_bias", "has_mask"), [(False, False), (True, True)])
def test_deform_conv(name, dtype, has_bias, has_mask):
    shape, given = PROBLEMS[name]
    inputs, attributes = problem(*shape, **given)
    inputs = [v.astype(dtype) for v in inputs]
    inputs[3] = inputs[3] if has_bias else None
    inputs[4] = inputs[4] if has_mask else None
    wide = [None if v is None else v.astype(np.float64) for v in inputs]
    want = deform_conv(*wide, **attributes).astype(dtype)
    while inputs[-1] is None:
        inputs.pop()
    check(
        "DeformConv",
        inputs,
        opset=22,
        expected=[want],
        rtol=TOLERANCE[dtype],
        atol=TOLERANCE[dtype],
        kernel_shape=list(shape[1]),
        **attributes,
    )


def test_version_19_and_defaults():
    inputs, attributes = problem((5, 5), (2, 2))
    inputs = [v.astype(np.float32) for v in inputs[:3]]
    want = deform_conv(*[v.astype(np.float64) for v in inputs], None, None, **attributes).astype(np.float32)
    check("DeformConv", inputs, opset=19, expected=[want], rtol=1e-4, atol=1e-4)


def test_offsets_far_outside():
    """Points beyond the input are 0, whatever lies inside: infinities there too."""
    x = np.full((1, 1, 3, 3), np.inf, np.float32)
    w = np.ones((1, 1, 1, 1), np.float32)
    for value in (50, -50, 1e30, -np.inf, np.nan):
        offset = np.full((1, 2, 3, 3), value, np.float32)
        check("DeformConv", [x, w, offset], opset=22, expected=[np.zeros((1, 1, 3, 3), np.float32)])


def test_many_places():
    """More places than a task samples at a time: without offsets it is a convolution."""
    x, w = RNG.standard_normal((1, 40, 40, 50)), RNG.standard_normal((5, 40, 3, 3))
    patches = np.lib.stride_tricks.sliding_window_view(x[0], (3, 3), (1, 2))
    want = np.einsum("cpqij,ocij->opq", patches, w)[None]
    offset = np.zeros((1, 18, 38, 48))
    check("DeformConv", [x, w, offset], opset=22, expected=[want], rtol=1e-9, atol=1e-9)


def test_refuses():
    inputs, _ = problem((5, 5), (2, 2))
    x, w, offset, bias, mask = (v.astype(np.float32) for v in inputs)
    refused("DeformConv", [x, w, offset[:, :6]], "offset must have 8", opset=22)
    refused("DeformConv", [x, w, offset, bias[:2]], "B must have 3", opset=22)
    refused("DeformConv", [x, w, offset, bias, mask[:, :3]], "mask must have 4", opset=22)
    refused("DeformConv", [x, w, offset], "offset_group", opset=22, offset_group=3)
    refused("DeformConv", [x, w[:, :1], offset], "channels", opset=22)
