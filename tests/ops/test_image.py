# SPDX-License-Identifier: Apache-2.0
"""Resize, Upsample and NonMaxSuppression: every mode, layout and type, and what must be refused."""

import numpy as np
import pytest
from reference import check, refused, run

RNG = np.random.default_rng(11)
COORDINATES = ["half_pixel", "half_pixel_symmetric", "pytorch_half_pixel", "align_corners", "asymmetric"]


def normal(*shape, dtype=np.float32):
    return RNG.standard_normal(shape).astype(dtype)


def floats(*values):
    return np.array(values, np.float32)


def sizes(*values):
    return np.array(values, np.int64)


def resize(x, *, roi=None, scales=None, size=None, **attributes):
    check("Resize", [x, roi, scales, size], rtol=1e-4, atol=2e-5, **attributes)


@pytest.mark.parametrize("coordinates", COORDINATES)
@pytest.mark.parametrize("mode", ["nearest", "linear", "cubic"])
@pytest.mark.parametrize(
    ("shape", "to"),
    [
        ((2, 3, 5, 7), (2, 3, 10, 14)),
        ((1, 2, 9, 8), (1, 2, 4, 13)),
        ((1, 40, 33), (1, 40, 50)),
        ((3, 4), (3, 9)),
        ((2, 4, 5, 11), (2, 9, 12, 11)),
        ((6, 5, 4), (2, 5, 9)),
        ((1, 2, 3, 4, 5), (1, 2, 6, 5, 8)),
        ((7,), (1,)),
        ((2, 3, 4, 4), (3, 5, 7, 2)),
    ],
    ids=str,
)
def test_sizes(mode, coordinates, shape, to):
    x = normal(*shape)
    if coordinates == "pytorch_half_pixel" and 1 in to and mode == "cubic":
        pytest.skip("the reference evaluator leaves out the text's rule for one sample")
    resize(x, size=sizes(*to), mode=mode, coordinate_transformation_mode=coordinates)


@pytest.mark.parametrize("coordinates", COORDINATES)
@pytest.mark.parametrize("mode", ["nearest", "linear", "cubic"])
@pytest.mark.parametrize("scales", [(1, 1, 2, 2), (1, 1, 0.5, 0.5), (1, 1, 1.5, 0.75), (1, 1, 3, 1)], ids=str)
def test_scales(mode, coordinates, scales):
    resize(normal(2, 5, 8, 20), scales=floats(*scales), mode=mode, coordinate_transformation_mode=coordinates)


@pytest.mark.parametrize("nearest", ["round_prefer_floor", "round_prefer_ceil", "floor", "ceil"])
@pytest.mark.parametrize("coordinates", COORDINATES)
@pytest.mark.parametrize("to", [(4, 9), (8, 18), (3, 5), (13, 6)], ids=str)
def test_nearest_modes(nearest, coordinates, to):
    resize(
        normal(2, 3, 4, 9),
        size=sizes(2, 3, *to),
        mode="nearest",
        nearest_mode=nearest,
        coordinate_transformation_mode=coordinates,
    )


@pytest.mark.parametrize("mode", ["linear", "cubic"])
@pytest.mark.parametrize("antialias", [0, 1])
@pytest.mark.parametrize("exclude", [0, 1])
@pytest.mark.parametrize("to", [(3, 4), (20, 6), (30, 40)], ids=str)
def test_antialias_and_exclude_outside(mode, antialias, exclude, to):
    resize(normal(1, 3, 17, 19), size=sizes(1, 3, *to), mode=mode, antialias=antialias, exclude_outside=exclude)


def test_cubic_coefficient():
    resize(normal(1, 2, 6, 7), scales=floats(1, 1, 2.5, 1.5), mode="cubic", cubic_coeff_a=-0.5)


@pytest.mark.parametrize("mode", ["nearest", "linear", "cubic"])
def test_crop_and_resize(mode):
    x = normal(2, 3, 6, 7)
    for roi in [(0, 0, 0.21, 0.1, 1, 1, 0.83, 0.9), (0, 0, -0.5, 0.3, 1, 1, 1.5, 1.4), (0, 0, 0, 0, 1, 1, 1, 1)]:
        for inputs in ({"size": sizes(2, 3, 5, 9)}, {"scales": floats(1, 1, 0.5, 2)}):
            resize(
                x,
                roi=floats(*roi),
                mode=mode,
                coordinate_transformation_mode="tf_crop_and_resize",
                extrapolation_value=10.0,
                **inputs,
            )
    half = np.array([0.25, 0, 0.75, 1], np.float16)
    resize(x, roi=half, size=sizes(4, 9), axes=[2, 3], mode=mode, coordinate_transformation_mode="tf_crop_and_resize")


@pytest.mark.parametrize("policy", ["stretch", "not_larger", "not_smaller"])
@pytest.mark.parametrize("mode", ["nearest", "linear"])
def test_axes_and_aspect(policy, mode):
    x = normal(2, 3, 6, 7)
    for axes, to in (([2, 3], (9, 21)), ([3, 2], (5, 12)), ([-1], (11,)), ([1, 3], (5, 4))):
        resize(x, size=sizes(*to), axes=[a % 4 for a in axes], mode=mode, keep_aspect_ratio_policy=policy)
    got = run("Resize", [x, None, floats(2), None], axes=[-1], mode=mode)[0]
    assert got.shape == (2, 3, 6, 14)


@pytest.mark.parametrize("mode", ["nearest", "linear", "cubic"])
@pytest.mark.parametrize(
    "dtype", ["float64", "float16", "uint8", "int8", "int32", "int64", "uint16", "int16", "uint32", "uint64"]
)
def test_types(mode, dtype):
    x = (normal(1, 2, 5, 6) * 40).clip(0 if dtype.startswith("u") else -100, 100).astype(dtype)
    tolerance = {"rtol": 2e-3, "atol": 1e-2} if dtype == "float16" else {"rtol": 1e-5, "atol": 1e-4}
    check("Resize", [x, None, None, sizes(1, 2, 9, 4)], mode=mode, **tolerance)


def test_integers_saturate():
    x = np.array([[[[0, 255, 0, 255, 255]]]], np.uint8)
    resize(x, scales=floats(1, 1, 1, 3), mode="cubic")


@pytest.mark.parametrize("mode", ["nearest", "linear", "cubic"])
@pytest.mark.parametrize("to", [(10, 14), (3, 12), (5, 7)], ids=str)
@pytest.mark.parametrize("channels", [1, 3, 8, 40])
def test_channels_last(mode, to, channels):
    """The form on channels-last data has its sizes in the order of that data."""
    x = normal(2, channels, 5, 7)
    want = run("Resize", [x, None, None, sizes(2, channels, *to)], mode=mode)[0]
    got = run(
        "Resize",
        [np.moveaxis(x, 1, -1).copy(), None, None, sizes(2, *to, channels)],
        domain="com.ms.internal.nhwc",
        domain_opset=21,
        types=[1],
        mode=mode,
    )[0]
    np.testing.assert_allclose(got, np.moveaxis(want, 1, -1), rtol=1e-4, atol=1e-5)


def upsampled(x, scales, mode):
    """Asymmetric coordinates, nearest to the lower element."""
    for axis, scale in enumerate(scales):
        length = x.shape[axis]
        at = np.arange(int(np.floor(np.float32(length) * np.float32(scale)))) / scale
        low = np.minimum(np.floor(at).astype(int), length - 1)
        if mode == "nearest":
            x = np.take(x, low, axis)
        else:
            part = (at - low).reshape((-1,) + (1,) * (x.ndim - 1 - axis))
            x = np.take(x, low, axis) * (1 - part) + np.take(x, np.minimum(low + 1, length - 1), axis) * part
    return x


@pytest.mark.parametrize("mode", ["nearest", "linear"])
@pytest.mark.parametrize("scales", [(1, 1, 2, 2), (1, 1, 1.5, 3), (1, 2, 1, 4)], ids=str)
def test_old_versions(mode, scales):
    x = normal(2, 3, 4, 6)
    want = [upsampled(x, scales, mode).astype(np.float32)]
    check("Upsample", [x], opset=7, scales=[float(s) for s in scales], mode=mode, expected=want)
    check("Upsample", [x, floats(*scales)], opset=9, mode=mode, expected=want)
    check("Resize", [x, floats(*scales)], opset=10, mode=mode, expected=want)


def test_version_11_takes_empty_scales_for_omitted():
    x = normal(1, 1, 4, 4)
    got = run(
        "Resize",
        [x, floats(), floats(), sizes(1, 1, 8, 8)],
        opset=11,
        mode="nearest",
        coordinate_transformation_mode="asymmetric",
        nearest_mode="floor",
    )[0]
    np.testing.assert_array_equal(got, x.repeat(2, 2).repeat(2, 3))


def test_resize_refuses():
    x = normal(1, 2, 4, 4)
    refused("Resize", [x, None, floats(1, 1, 0, 2)], "scales.*positive")
    refused("Resize", [x, None, floats(1, 1, -1, 2)], "scales.*positive")
    refused("Resize", [x, None, floats(1, 1, np.nan, 2)], "scales.*positive")
    refused("Resize", [x, None, floats(1, 1, 1e30, 2)], "elements")
    refused("Resize", [x, None, floats(1, 1, 2)], "3 values for 4 axes")
    refused("Resize", [x, None, None, sizes(1, 1, 2)], "3 values for 4 axes")
    refused("Resize", [x, None, None, sizes(1, 2, -4, 4)], "must not be negative")
    refused("Resize", [x, None, None, sizes(1 << 40, 1 << 40, 4, 4)], "64 bits")
    refused("Resize", [x, None, None, sizes(1, 2, 1 << 40, 1 << 30)], "64 bits")
    refused("Resize", [x, None, None, sizes(1, 2, 1 << 25, 1 << 25)], "could not be allocated", mode="linear")
    refused("Resize", [x, None, floats(1, 1, 2, 2), sizes(1, 2, 8, 8)], "only one")
    refused("Resize", [x, None, floats(2, 2)], "axis 4", axes=[2, 4])
    refused("Resize", [x, None, floats(2, 2)], "twice", axes=[2, 2])
    refused("Resize", [x, None, floats(1, 1, 2, 2)], "mode", mode="sharp")
    refused("Resize", [x, None, floats(1, 1, 2, 2)], "antialias", antialias=1)
    crop = {"coordinate_transformation_mode": "tf_crop_and_resize"}
    refused("Resize", [x, None, floats(1, 1, 2, 2)], "roi", **crop)
    refused("Resize", [x, floats(0, 0, 1, 1), floats(1, 1, 2, 2)], "roi", **crop)
    refused("Upsample", [x, floats(1, 1, 0.5, 2)], "at least 1", opset=9)
    refused("Resize", [normal(1, 0, 4, 4), None, None, sizes(1, 2, 4, 4)], "empty")


def test_resize_of_nothing():
    got = run("Resize", [normal(0, 2, 4, 4), None, floats(1, 1, 2, 2)], mode="linear")[0]
    assert got.shape == (0, 2, 8, 8)
    got = run("Resize", [normal(1, 2, 4, 4), None, floats(1, 1, 0.1, 2)], mode="linear")[0]
    assert got.shape == (1, 2, 0, 8)


def test_roi_that_is_not_a_number():
    crop = {"coordinate_transformation_mode": "tf_crop_and_resize", "extrapolation_value": 3.0}
    roi = floats(0, 0, np.nan, -1e30, 1, 1, 1, 1e30)
    for mode in ("nearest", "linear", "cubic"):
        got = run("Resize", [normal(1, 1, 4, 4), roi, None, sizes(1, 1, 3, 3)], mode=mode, **crop)[0]
        assert (got == 3).all()


def overlap(a, b):
    height = min(a[2], b[2]) - max(a[0], b[0])
    width = min(a[3], b[3]) - max(a[1], b[1])
    if height <= 0 or width <= 0:
        return 0.0
    common = height * width
    return common / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - common)


def suppressed(boxes, scores, most, limit, lowest, centre=False):
    result = []
    for batch, per_class in enumerate(scores):
        corners = boxes[batch].astype(np.float64)
        if centre:
            x, y, w, h = corners.T
            corners = np.stack([y - h / 2, x - w / 2, y + h / 2, x + w / 2], 1)
        else:
            corners = np.concatenate(
                [np.minimum(corners[:, :2], corners[:, 2:]), np.maximum(corners[:, :2], corners[:, 2:])], 1
            )
        for label, row in enumerate(per_class):
            taken = []
            for i in np.argsort(-row, kind="stable"):
                if len(taken) >= most or (lowest is not None and not row[i] > lowest):
                    break
                if all(overlap(corners[i], corners[j]) <= limit for j in taken):
                    taken.append(i)
            result += [(batch, label, i) for i in taken]
    return np.array(result, np.int64).reshape(-1, 3)


@pytest.mark.parametrize("centre", [0, 1])
@pytest.mark.parametrize(("batches", "classes", "count"), [(1, 1, 6), (2, 3, 50), (1, 4, 300)])
@pytest.mark.parametrize(("most", "limit", "lowest"), [(5, 0.5, None), (1000, 0.3, 0.4), (20, 0.0, 0.9), (3, 1.0, 0.0)])
def test_non_max_suppression(centre, batches, classes, count, most, limit, lowest):
    boxes = RNG.uniform(0, 10, (batches, count, 4)).astype(np.float32)
    scores = RNG.uniform(0, 1, (batches, classes, count)).round(2).astype(np.float32)  # with ties
    inputs = [boxes, scores, sizes(most), floats(limit)] + ([] if lowest is None else [floats(lowest)])
    want = suppressed(boxes, scores, most, limit, lowest, centre == 1)
    check("NonMaxSuppression", inputs, center_point_box=centre, expected=[want])


def test_non_max_suppression_of_nothing():
    boxes, scores = np.zeros((1, 4, 4), np.float32), np.ones((1, 1, 4), np.float32)
    assert run("NonMaxSuppression", [boxes, scores])[0].shape == (0, 3)
    assert run("NonMaxSuppression", [boxes, scores, sizes(-1)])[0].shape == (0, 3)
    assert run("NonMaxSuppression", [boxes, scores, sizes(2)])[0].shape == (2, 3)  # no area, no overlap
    empty = [np.zeros((1, 0, 4), np.float32), np.zeros((1, 2, 0), np.float32), sizes(3)]
    assert run("NonMaxSuppression", empty)[0].shape == (0, 3)


def test_non_max_suppression_refuses():
    boxes, scores = normal(1, 4, 4), normal(1, 2, 4)
    refused("NonMaxSuppression", [normal(1, 4, 5), scores, sizes(2)], "boxes")
    refused("NonMaxSuppression", [normal(4, 4), scores, sizes(2)], "boxes must have the shape")
    refused("NonMaxSuppression", [boxes, normal(1, 2, 5), sizes(2)], "boxes")
    refused("NonMaxSuppression", [boxes, normal(2, 2, 4), sizes(2)], "batches")
    refused("NonMaxSuppression", [boxes, scores, sizes(2, 3)], "max_output_boxes_per_class")
    refused("NonMaxSuppression", [boxes, scores, sizes(2), floats(1.5)], "iou_threshold")
    refused("NonMaxSuppression", [boxes, scores, sizes(2), floats(np.nan)], "iou_threshold")
    refused("NonMaxSuppression", [boxes, scores, sizes(2)], "center_point_box", center_point_box=2)


@pytest.mark.parametrize("mode", ["nearest", "linear", "cubic"])
@pytest.mark.parametrize("padding", ["zeros", "border", "reflection"])
@pytest.mark.parametrize("align", [0, 1])
@pytest.mark.parametrize(
    ("x", "grid"), [((2, 3, 5, 4), (2, 3, 6, 2)), ((1, 2, 7), (1, 9, 1)), ((1, 2, 3, 4, 3), (1, 2, 2, 3, 3))]
)
def test_grid_sample(mode, padding, align, x, grid):
    points = RNG.uniform(-1.6, 1.6, grid).astype(np.float32)
    check(
        "GridSample",
        [normal(*x), points],
        opset=22,
        mode=mode,
        padding_mode=padding,
        align_corners=align,
        rtol=1e-3,
        atol=1e-4,
    )


def test_grid_sample_far_away():
    """Coordinates that no image has must not be read there."""
    points = floats(1e30, -1e30, np.inf, -np.inf, np.nan, 0, 3, 1e9).reshape(1, 2, 2, 2)
    for mode in ("nearest", "linear", "cubic"):
        for padding in ("zeros", "border", "reflection"):
            for align in (0, 1):
                for x in (normal(1, 1, 4, 5), normal(1, 1, 1, 1)):
                    attributes = {"mode": mode, "padding_mode": padding, "align_corners": align}
                    assert run("GridSample", [x, points], opset=22, **attributes)[0].shape == (1, 1, 2, 2)


def test_grid_sample_refuses():
    x = normal(1, 2, 4, 4)
    refused("GridSample", [x, normal(1, 3, 3, 3)], "last dimension of grid")
    refused("GridSample", [x, normal(2, 3, 3, 2)], "images")
    refused("GridSample", [x, normal(1, 3, 2)], "rank")
    refused("GridSample", [x, normal(1, 3, 3, 2)], "mode", mode="sharp")
    refused("GridSample", [x, normal(1, 3, 3, 2)], "padding_mode", padding_mode="wrap")
    refused("GridSample", [normal(1, 2, 0, 4), normal(1, 3, 3, 2)], "empty")


@pytest.mark.parametrize("mode", ["avg", "max"])
@pytest.mark.parametrize("coordinates", ["half_pixel", "output_half_pixel"])
@pytest.mark.parametrize("ratio", [0, 1, 3])
def test_roi_align(mode, coordinates, ratio):
    x = normal(2, 3, 12, 9)
    rois = floats(0, 0, 7, 9, 2.5, 1.25, 18, 12, -3, -4, 5, 6, 30, 30, 40, 40).reshape(4, 4)
    check(
        "RoiAlign",
        [x, rois, sizes(0, 1, 0, 1)],
        opset=22,
        mode=mode,
        sampling_ratio=ratio,
        output_height=4,
        output_width=3,
        spatial_scale=0.5,
        coordinate_transformation_mode=coordinates,
        rtol=1e-4,
        atol=1e-5,
    )


def test_roi_align_refuses():
    x, rois = normal(2, 3, 12, 9), floats(0, 0, 7, 9).reshape(1, 4)
    refused("RoiAlign", [x, rois, sizes(2)], "batch_indices")
    refused("RoiAlign", [x, rois, sizes(-1)], "batch_indices")
    refused("RoiAlign", [x, rois, sizes(0, 1)], "batch_indices")
    refused("RoiAlign", [x, normal(1, 5), sizes(0)], "rois")
    refused("RoiAlign", [x[0], rois, sizes(0)], "rank 4")
    refused("RoiAlign", [x, rois * np.float32(1e30), sizes(0)], "too long")
    refused("RoiAlign", [x, rois * np.float32(np.nan), sizes(0)], "too long")
    refused("RoiAlign", [x, rois, sizes(0)], "output_height", output_height=0)
    refused("RoiAlign", [x, rois, sizes(0)], "mode", mode="min")


@pytest.mark.parametrize("align", [0, 1])
@pytest.mark.parametrize("size", [(2, 3, 4, 5), (1, 1, 3, 4, 2)], ids=str)
def test_affine_grid(align, size):
    axes = len(size) - 2
    check("AffineGrid", [normal(size[0], axes, axes + 1), sizes(*size)], align_corners=align, rtol=1e-4, atol=1e-5)


def test_affine_grid_refuses():
    refused("AffineGrid", [normal(1, 2, 3), sizes(1, 1, 4)], "size")
    refused("AffineGrid", [normal(1, 2, 3), sizes(2, 1, 4, 4)], "images")
    refused("AffineGrid", [normal(1, 3, 4), sizes(1, 1, 4, 4)], "theta")
    refused("AffineGrid", [normal(1, 2, 3), sizes(1, 1, -4, 4)], "negative")
    refused("AffineGrid", [normal(1, 2, 3), sizes(1, 1, 1 << 40, 1 << 40)], "64 bits")


@pytest.mark.parametrize("dtype", ["float32", "int8", "bool", "float64"])
@pytest.mark.parametrize(
    ("shape", "to", "axes"),
    [
        ((5, 7), (3, 9), None),
        ((4, 6, 3), (7, 3), [0, 1]),
        ((4, 5), (4, 2), [-2, -1]),
        ((6,), (1,), None),
        ((2, 3, 4), (6,), [1]),
        ((3, 3), (0, 5), None),
        ((0, 3), (2, 3), None),
    ],
    ids=str,
)
def test_center_crop_pad(dtype, shape, to, axes):
    attributes = {} if axes is None else {"axes": axes}
    check("CenterCropPad", [(normal(*shape) * 9).astype(dtype), sizes(*to)], **attributes)


def test_center_crop_pad_refuses():
    x = normal(3, 4)
    refused("CenterCropPad", [x, sizes(2)], "1 values for 2 axes")
    refused("CenterCropPad", [x, sizes(2, 2)], "twice", axes=[1, -1])
    refused("CenterCropPad", [x, sizes(2)], "axis", axes=[2])
    refused("CenterCropPad", [x, sizes(-2, 2)], "negative")
    refused("CenterCropPad", [x, sizes(1 << 40, 1 << 40)], "64 bits")


@pytest.mark.parametrize(
    ("image", "block", "attributes"),
    [
        ((5, 6), (2, 3), {}),
        ((5, 5), (3, 2), {"pads": [1, 0, 1, 2]}),
        ((6, 7), (2, 2), {"strides": [2, 3]}),
        ((7, 6), (3, 2), {"dilations": [2, 3], "strides": [1, 2]}),
        ((9,), (4,), {"pads": [2, 1]}),
        ((4, 3, 5), (2, 2, 3), {"pads": [1, 0, 1, 0, 1, 1]}),
    ],
    ids=str,
)
def test_col2im(image, block, attributes):
    rank = len(image)
    pads = attributes.get("pads", [0] * 2 * rank)
    steps, gaps = attributes.get("strides", [1] * rank), attributes.get("dilations", [1] * rank)
    blocks = [(image[i] + pads[i] + pads[rank + i] - gaps[i] * (block[i] - 1) - 1) // steps[i] + 1 for i in range(rank)]
    x = normal(2, 3 * int(np.prod(block)), int(np.prod(blocks)))
    check("Col2Im", [x, sizes(*image), sizes(*block)], **attributes)


def test_col2im_refuses():
    x, image, block = normal(1, 8, 9), sizes(4, 4), sizes(2, 2)
    refused("Col2Im", [normal(1, 7, 9), image, block], "no multiple")
    refused("Col2Im", [normal(1, 8, 8), image, block], "has 9 blocks")
    refused("Col2Im", [x, image, sizes(5, 2)], "larger than")
    refused("Col2Im", [x, image, sizes(2, 0)], "positive")
    refused("Col2Im", [x, image, sizes(2, 2, 2)], "block_shape")
    refused("Col2Im", [x, image, block], "strides", strides=[1])
    refused("Col2Im", [x, image, block], "positive", strides=[0, 1])
    refused("Col2Im", [x, image, block], "pad", pads=[-1, 0, 0, 0])
