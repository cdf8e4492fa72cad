# SPDX-License-Identifier: Apache-2.0
"""Where the samples of a Resize lie, by the standard's text: it decides where onnx's reference evaluator differs."""

import numpy as np
import pytest
from reference import check

RNG = np.random.default_rng(41)


def floats(*values):
    return np.array(values, np.float32)


def sizes(*values):
    return np.array(values, np.int64)


@pytest.mark.parametrize(
    ("mode", "formula"),
    [("linear", lambda x: x), ("nearest", lambda x: np.ceil(x - 0.5))],  # nearest: round_prefer_floor
)
@pytest.mark.parametrize(("length", "scale"), [(7, 1.7), (5, 1.3), (9, 0.6), (4, 2.9)])
def test_align_corners_with_fraction(mode, formula, length, scale):
    """The last sample is the last element, whatever the scale cuts off: length_resized is a whole number."""
    x = np.arange(length, dtype=np.float32)
    out = int(length * scale)
    want = formula(np.arange(out) * (length - 1) / (out - 1)).astype(np.float32)
    attributes = {"mode": mode, "coordinate_transformation_mode": "align_corners"}
    check("Resize", [x, None, floats(scale)], rtol=1e-5, atol=1e-5, expected=[want], **attributes)


@pytest.mark.parametrize(("length", "scale"), [(7, 1.7), (5, 1.3), (9, 0.6)])
def test_crop_and_resize_with_fraction(length, scale):
    x = np.arange(length, dtype=np.float32)
    out = int(length * scale)
    want = (0.25 + 0.5 * np.arange(out) / (out - 1)) * (length - 1)
    check(
        "Resize",
        [x, floats(0.25, 0.75), floats(scale)],
        rtol=1e-5,
        atol=1e-5,
        expected=[want.astype(np.float32)],
        mode="linear",
        coordinate_transformation_mode="tf_crop_and_resize",
    )


def test_pytorch_half_pixel_of_one_sample():
    """A length of one is the first element, in cubic too."""
    x = RNG.standard_normal((1, 5)).astype(np.float32)
    attributes = {"mode": "cubic", "coordinate_transformation_mode": "pytorch_half_pixel"}
    check("Resize", [x, None, None, sizes(1, 1)], rtol=1e-5, atol=1e-6, expected=[x[:, :1]], **attributes)


def test_tf_half_pixel_for_nn():
    """x = (i + 0.5) / scale, without the half that others take back."""
    x = np.arange(6, dtype=np.float32)
    attributes = {"mode": "nearest", "nearest_mode": "floor", "coordinate_transformation_mode": "tf_half_pixel_for_nn"}
    empty = np.zeros(0, np.float32)
    want = np.floor((np.arange(4) + 0.5) * 6 / 4).astype(np.float32)
    check("Resize", [x, empty, empty, sizes(4)], opset=11, expected=[want], **attributes)
    linear = attributes | {"mode": "linear"}
    want = np.minimum((np.arange(12) + 0.5) / 2, 5).astype(np.float32)
    check("Resize", [x, empty, empty, sizes(12)], opset=11, rtol=1e-5, atol=1e-5, expected=[want], **linear)
