# SPDX-License-Identifier: Apache-2.0
"""Operators on images and regions of them."""

import numpy as np

from ..builder import Rejected
from .nn import image
from .table import FLOAT, operator


@operator("Resize")
def resize(b):
    name = image(b, "Resize", rank=4, types=[FLOAT, np.dtype(np.float64)])
    x = b.value(name)
    mode = b.choose(["nearest", "linear", "cubic"])
    to = b.choose(["half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel"])
    extra = {"nearest_mode": b.choose(["floor", "ceil", "round_prefer_floor"])} if mode == "nearest" else {}
    if b.chance(0.5):
        inputs = [name, "", b.constant(np.float32([1, 1, b.choose([0.5, 2]), b.choose([1, 2, 3])]))]
    else:
        inputs = [name, "", "", b.constant(np.int64([*x.shape[:2], b.integer(1, 9), b.integer(1, 9)]))]
    b.add("Resize", inputs, mode=mode, coordinate_transformation_mode=to, **extra)


@operator("GridSample")
def grid_sample(b):
    name = image(b, "GridSample", rank=4, types=[FLOAT, np.dtype(np.float64)])
    x = b.value(name)
    grid = b.new(b.array(np.float32 if b.opset < 16 else x.dtype, (x.shape[0], 3, 2, 2), -1.1, 1.1))
    modes = ["bilinear", "nearest", "bicubic"] if b.opset < 20 else ["linear", "nearest", "cubic"]
    b.add(
        "GridSample",
        [name, grid],
        mode=b.choose(modes),
        padding_mode=b.choose(["zeros", "border"]),
        align_corners=b.integer(0, 1),
    )


@operator("AffineGrid")
def affine_grid(b):
    theta = b.new(b.array(b.choose([np.float32, np.float64]), (2, 2, 3), -1, 1))
    b.add(
        "AffineGrid",
        [theta, b.constant(np.int64([2, 3, b.integer(2, 4), b.integer(2, 4)]))],
        align_corners=b.integer(0, 1),
    )


@operator("Col2Im")
def col2im(b):
    kernel, space, c = [b.integer(1, 2), b.integer(1, 3)], [b.integer(3, 5), b.integer(3, 5)], b.integer(1, 2)
    count = int(np.prod([s - k + 1 for s, k in zip(space, kernel)]))
    x = b.new(b.array(b.choose([np.float32, np.float64]), (1, c * int(np.prod(kernel)), count)))
    b.add("Col2Im", [x, b.constant(np.int64(space)), b.constant(np.int64(kernel))])


@operator("NonMaxSuppression")
def non_max_suppression(b):
    corners = np.sort(b.array(np.float32, (1, 5, 2, 2), 0, 4), axis=2).reshape(1, 5, 4)
    scores = b.array(np.float32, (1, 2, 5), 0, 1)
    limits = [b.constant(np.array(v)) for v in (np.int64([2]), np.float32([0.4]), np.float32([0.1]))]
    b.add("NonMaxSuppression", [b.new(corners), b.new(scores), *limits])


@operator("RoiAlign")
def roi_align(b):
    name = image(b, "RoiAlign", rank=4, types=[FLOAT, np.dtype(np.float64)])
    x = b.value(name)
    rois = np.sort(b.array(x.dtype, (2, 2, 2), 0, 3), axis=1).reshape(2, 4)
    where = b.constant(b.array(np.int64, (2,), 0, x.shape[0] - 1))
    b.add(
        "RoiAlign",
        [name, b.new(rois), where],
        output_height=2,
        output_width=2,
        sampling_ratio=2,
        mode=b.choose(["avg", "max"]),
    )


@operator("MaxUnpool")
def max_unpool(b):
    name = image(b, "MaxPool", rank=4, types=[FLOAT])
    if any(size % 2 for size in b.value(name).shape[2:]):
        raise Rejected("what is pooled away at the end has indices outside what is put back")
    values, indices = b.add("MaxPool", [name], 2, kernel_shape=[2, 2], strides=[2, 2])
    b.add("MaxUnpool", [values, indices], kernel_shape=[2, 2], strides=[2, 2])


@operator("Upsample")
def upsample(b):
    name = image(b, "Upsample", rank=4, types=[FLOAT])
    scales = b.constant(np.float32([1, 1, b.integer(1, 3), b.integer(1, 2)]))
    b.add("Upsample", [name, scales], mode=b.choose(["nearest", "linear"]))
