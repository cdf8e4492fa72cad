# SPDX-License-Identifier: Apache-2.0
"""Casts between numbers and text."""

import ml_dtypes
import numpy as np
import onnx
import pytest
from onnx import helper
from reference import refused, run

T = onnx.TensorProto
RNG = np.random.default_rng(3)


def cast(x, to):
    return run("Cast", [x], to=to, types=[to])[0]


def texts(*values):
    return np.array(values, object)


@pytest.mark.parametrize(
    ("values", "want"),
    [
        (np.array([True, False]), ["1", "0"]),
        (np.array([0, -128, 127], np.int8), ["0", "-128", "127"]),
        (np.array([2**64 - 1, 0], np.uint64), ["18446744073709551615", "0"]),
        (np.array([-(2**63)], np.int64), ["-9223372036854775808"]),
        (np.array([0.1, 1, -0.0, 1e6, 1.5e-7], np.float32), ["0.1", "1", "-0", "1000000", "1.5e-07"]),
        (np.array([0.1, 1 / 3, 1e22], np.float64), ["0.1", "0.3333333333333333", "1e+22"]),
        (np.array([np.float32(0.1)], np.float64), ["0.10000000149011612"]),
        (np.array([0.1, 1, 65504, 6e-8], np.float16), ["0.1", "1", "65504", "6e-08"]),
        (np.array([0.1, -3], ml_dtypes.bfloat16), ["0.1", "-3"]),
        (np.array([np.nan, np.inf, -np.inf], np.float32), ["NaN", "INF", "-INF"]),
        (np.array([np.nan, np.inf, -np.inf], np.float16), ["NaN", "INF", "-INF"]),
    ],
    ids=str,
)
def test_numbers_as_text(values, want):
    assert cast(values, T.STRING).tolist() == want


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
def test_text_reads_back(dtype):
    """The text of any number is that number's again, by our reading and by Python's."""
    bits = RNG.integers(0, 256, (2000, np.dtype(dtype).itemsize), np.uint8).view(dtype).ravel()
    x = bits[np.isfinite(bits)]
    text = cast(x, T.STRING)
    with np.errstate(over="ignore"):
        assert (np.array([float(t) for t in text]).astype(dtype) == x).all()
    back = cast(text, helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))
    np.testing.assert_array_equal(back.view(np.uint8), x.view(np.uint8))


FLOAT_TEXTS = {
    "+inf": np.inf,
    "-INF": -np.inf,
    "Infinity": np.inf,
    "nan": np.nan,
    " 1.5": 1.5,
    "2 ": 2,
    "\t-3\n": -3,
    "+5": 5,
    "0x10": 16,
    "1e400": np.inf,
    "-1e400": -np.inf,
    "1e-400": 0,
    "-0": -0.0,
}


@pytest.mark.parametrize("to", [T.FLOAT, T.DOUBLE, T.FLOAT16])
@pytest.mark.parametrize("text", FLOAT_TEXTS)
def test_text_as_floating_point(text, to):
    got = cast(texts(text), to)
    want = np.array([FLOAT_TEXTS[text]], got.dtype)
    np.testing.assert_array_equal(got, want)
    assert np.isnan(want[0]) or np.signbit(got[0]) == np.signbit(want[0])


def test_text_is_rounded_once():
    """Half-way between two floats but for a digit that a double cannot hold."""
    text = "1.000000059604644775390625000000000000000001"
    assert cast(texts(text), T.FLOAT)[0] == np.nextafter(np.float32(1), np.float32(2))
    assert cast(texts("4.9e-324"), T.DOUBLE)[0] == 5e-324


@pytest.mark.parametrize(
    ("text", "to", "want"),
    [
        ("1.5", T.INT32, 1),
        ("-1.5", T.INT8, -1),
        ("1e3", T.INT16, 1000),
        (" 7 ", T.UINT8, 7),
        ("+7", T.INT64, 7),
        ("18446744073709551615", T.UINT64, 2**64 - 1),
        ("-9223372036854775808", T.INT64, -(2**63)),
        ("True", T.BOOL, True),
        ("false", T.BOOL, False),
        ("0", T.BOOL, False),
        ("2", T.BOOL, True),
        ("0.0", T.BOOL, False),
    ],
)
def test_text_as_whole_number(text, to, want):
    assert cast(texts(text), to).tolist() == [want]


@pytest.mark.parametrize(
    ("text", "to"),
    [
        ("", T.FLOAT),
        ("  ", T.DOUBLE),
        ("1abc", T.FLOAT),
        ("1,5", T.DOUBLE),
        ("1_000", T.INT32),
        ("0x", T.FLOAT16),
        ("+-1", T.INT32),
        ("- 1", T.INT32),
        ("300", T.INT8),
        ("-1", T.UINT8),
        ("-1", T.UINT64),
        ("3000000000", T.INT32),
        ("99999999999999999999", T.INT64),
        ("nan", T.INT32),
        ("inf", T.UINT64),
        ("yes", T.BOOL),
        ("", T.BOOL),
    ],
)
def test_text_that_is_no_such_number(text, to):
    refused("Cast", [texts(text)], "cannot be cast", to=to, types=[to])
