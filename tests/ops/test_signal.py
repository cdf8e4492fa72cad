# SPDX-License-Identifier: Apache-2.0
"""Fourier transforms and windows against numpy."""

import numpy as np
import pytest
from reference import check, refused, run

RNG = np.random.default_rng(17)


def parts(spectrum, dtype):
    return np.stack([spectrum.real, spectrum.imag], -1).astype(dtype)


def normal(*shape, dtype="float32"):
    return RNG.standard_normal(shape).astype(dtype)


LENGTHS = [1, 2, 3, 8, 15, 17, 64, 100, 257]


@pytest.mark.parametrize("n", LENGTHS)
@pytest.mark.parametrize("inverse", [0, 1])
@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-4), ("float64", 1e-10)])
def test_dft(n, inverse, dtype, tolerance):
    x = normal(2, n, 3, 2, dtype=dtype)
    signal = x[..., 0] + 1j * x[..., 1]
    want = np.fft.ifft(signal, axis=1) if inverse else np.fft.fft(signal, axis=1)
    check(
        "DFT",
        [x, None, np.array(1)],
        opset=20,
        inverse=inverse,
        rtol=tolerance,
        atol=tolerance * 10,
        expected=[parts(want, dtype)],
    )


@pytest.mark.parametrize("n", LENGTHS)
def test_dft_one_sided(n):
    x = normal(2, n, 1)
    check("DFT", [x], opset=20, onesided=1, rtol=1e-4, atol=1e-3, expected=[parts(np.fft.rfft(x[..., 0]), "float32")])


@pytest.mark.parametrize("length", [5, 9, 16])
def test_dft_length(length):
    x = normal(3, 9, 1)
    want = parts(np.fft.fft(x[..., 0], length, axis=1), "float32")
    check("DFT", [x, np.array(length)], opset=17, axis=1, rtol=1e-4, atol=1e-3, expected=[want])


@pytest.mark.parametrize("n", [2, 3, 8, 9])
def test_dft_to_real(n):
    half = parts(np.fft.rfft(normal(2, n)), "float32")
    want = np.fft.irfft(half[..., 0] + 1j * half[..., 1], n)[..., None].astype(np.float32)
    check("DFT", [half, np.array(n)], opset=20, inverse=1, onesided=1, rtol=1e-4, atol=1e-5, expected=[want])


def test_dft_refuses():
    refused("DFT", [normal(2, 8, 3)], "1 .real. or 2", opset=20)
    refused("DFT", [normal(2, 8, 2)], "onesided", opset=20, onesided=1)
    refused("DFT", [normal(2, 8, 1), np.array(0)], "length", opset=20)
    refused("DFT", [normal(2, 8, 1), None, np.array(2)], "axis", opset=20)
    refused("DFT", [normal(2, 8, 1), np.array(1 << 62)], "64 bits|not served|memory", opset=20)


@pytest.mark.parametrize(("frame", "step"), [(16, 8), (9, 4), (40, 1)])
@pytest.mark.parametrize("one_sided", [0, 1])
@pytest.mark.parametrize("windowed", [False, True])
def test_stft(frame, step, one_sided, windowed):
    x = normal(2, 40, 1)
    window = np.hanning(frame).astype(np.float32) if windowed else None
    starts = range(0, 40 - frame + 1, step)
    frames = np.stack([x[:, s : s + frame, 0] * (window if windowed else 1) for s in starts], 1)
    want = parts(np.fft.rfft(frames) if one_sided else np.fft.fft(frames), "float32")
    inputs = [x, np.array(step), window] + ([] if windowed else [np.array(frame)])
    check("STFT", inputs, opset=17, onesided=one_sided, rtol=1e-4, atol=1e-4, expected=[want])


def test_stft_refuses():
    x = normal(1, 20, 1)
    refused("STFT", [x, np.array(0), None, np.array(8)], "frame_step=0")
    refused("STFT", [x, np.array(2), None, np.array(21)], "21")
    refused("STFT", [x, np.array(2), normal(9), np.array(8)], "window")


@pytest.mark.parametrize(("op", "formula"), [("HannWindow", np.hanning), ("BlackmanWindow", np.blackman)])
@pytest.mark.parametrize("size", [2, 10, 33])
def test_windows(op, formula, size):
    check(op, [np.array(size)], periodic=0, rtol=1e-5, atol=1e-6, expected=[formula(size).astype(np.float32)])
    check(op, [np.array(size)], rtol=1e-5, atol=1e-6, expected=[formula(size + 1)[:-1].astype(np.float32)])
    refused(op, [np.array(-1)], "size=-1")


@pytest.mark.parametrize("periodic", [0, 1])
def test_hamming_window(periodic):
    angle = 2 * np.pi * np.arange(12) / (12 if periodic else 11)
    want = (25 / 46 - 21 / 46 * np.cos(angle)).astype(np.float32)
    check("HammingWindow", [np.array(12)], periodic=periodic, rtol=1e-5, atol=1e-6, expected=[want])


def test_mel_weight_matrix():
    inputs = [np.int64(8), np.int64(64), np.int64(8192), np.float32(0), np.float32(4000)]
    check("MelWeightMatrix", [np.array(v) for v in inputs], opset=17, rtol=1e-5, atol=1e-6)
    inputs[4] = np.float32(9000)
    refused("MelWeightMatrix", [np.array(v) for v in inputs], "upper_edge_hertz", opset=17)


# Lengths whose factors are small, mixed, prime and large prime.
ODD_LENGTHS = [2, 6, 10, 12, 15, 20, 31, 37, 49, 62, 74, 97, 128, 400, 1009, 1024]


@pytest.mark.parametrize("n", ODD_LENGTHS)
@pytest.mark.parametrize("inverse", [0, 1])
@pytest.mark.parametrize("stored", ["real", "complex"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_dft_of_real_signal_is_symmetric(n, inverse, stored, dtype):
    """A signal without an imaginary part: halves are conjugates, and bins 0 and n / 2 are real, to the bit."""
    x = normal(2, n, 1, dtype=dtype)
    signal = x if stored == "real" else np.concatenate([x, np.zeros_like(x)], -1)
    y = run("DFT", [signal, None, np.array(1)], opset=20, inverse=inverse)[0].astype(np.float64)
    spectrum = y[..., 0] + 1j * y[..., 1]
    assert not spectrum[:, 0].imag.any()
    assert n % 2 or not spectrum[:, n // 2].imag.any()
    assert (spectrum[:, 1:] == spectrum[:, :0:-1].conj()).all()
    want = (np.fft.ifft if inverse else np.fft.fft)(x[..., 0].astype(np.float64), axis=1)
    error = np.abs(spectrum - want).max() / np.abs(want).max()
    assert error < (2e-7 if dtype == "float32" else 1e-14)


@pytest.mark.parametrize("n", ODD_LENGTHS)
def test_dft_there_and_back(n):
    x = normal(3, n, 2, dtype="float64")
    there = run("DFT", [x, None, np.array(1)], opset=20)[0]
    back = run("DFT", [there, None, np.array(1)], opset=20, inverse=1)[0]
    np.testing.assert_allclose(back, x, rtol=0, atol=1e-14 * 30)


@pytest.mark.parametrize(("axis", "opset"), [(1, 17), (2, 17), (0, 20), (-2, 20), (-3, 20)])
@pytest.mark.parametrize("length", [None, 3, 7, 20])
@pytest.mark.parametrize("one_sided", [0, 1])
def test_dft_axes_and_lengths(axis, opset, length, one_sided):
    x = normal(5, 7, 6, 1)
    by_input = opset == 20
    inputs = [x, None if length is None else np.array(length)] + ([np.array(axis)] if by_input else [])
    at = axis if axis >= 0 else axis + 4
    want = (np.fft.rfft if one_sided else np.fft.fft)(x[..., 0], length, axis=at)
    extra = {} if by_input else {"axis": axis}
    check(
        "DFT",
        inputs,
        opset=opset,
        onesided=one_sided,
        rtol=1e-5,
        atol=1e-5,
        expected=[parts(want, "float32")],
        **extra,
    )


@pytest.mark.parametrize("frame", [7, 20, 37])
@pytest.mark.parametrize("rank", [2, 3])
def test_stft_of_real_signal(frame, rank):
    """A real signal may lack its last axis; bins 0 and n / 2 have no imaginary part."""
    x = normal(2, 80)
    window = np.hanning(frame).astype(np.float32)
    y = run("STFT", [x if rank == 2 else x[..., None], np.array(5), window], opset=17)[0]
    frames = np.stack([x[:, i : i + frame] * window for i in range(0, 80 - frame + 1, 5)], 1)
    np.testing.assert_allclose(y, parts(np.fft.rfft(frames.astype(np.float64)), "float32"), rtol=1e-5, atol=1e-5)
    assert not y[..., 0, 1].any()
    assert frame % 2 or not y[..., frame // 2, 1].any()


def test_stft_of_two_short_signals_without_last_axis():
    """[batch, 2] is a signal of length 2, not a complex number."""
    x = normal(3, 2)
    y = run("STFT", [x, np.array(1), None, np.array(2)], opset=17)[0]
    np.testing.assert_allclose(y, parts(np.fft.rfft(x)[:, None], "float32"), rtol=1e-5, atol=1e-6)
