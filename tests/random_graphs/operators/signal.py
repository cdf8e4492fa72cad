# SPDX-License-Identifier: Apache-2.0
"""Spectra and windows."""

import numpy as np

from .table import operator


@operator("DFT")
def dft(b):
    n = b.integer(2, 9)
    x = b.new(b.array(b.choose([np.float32, np.float64]), (b.integer(1, 2), n, b.choose([1, 2]))))
    inputs = [x] + ([b.constant(np.int64(b.integer(1, n)))] if b.chance(0.4) else [])
    b.add("DFT", inputs, axis=1 if b.opset < 20 else None, inverse=b.integer(0, 1))


@operator("HannWindow", "HammingWindow", "BlackmanWindow")
def windows(b, op):
    b.add(op, [b.new(np.array(b.integer(2, 9)), 0.6)], periodic=b.integer(0, 1))


@operator("MelWeightMatrix")
def mel(b):
    numbers = [np.int64(b.integer(4, 8)), np.int64(64), np.int64(8192), np.float32(0), np.float32(4096)]
    b.add("MelWeightMatrix", [b.constant(np.array(n)) for n in numbers])


@operator("STFT")
def stft(b):
    signal = b.new(b.array(np.float32, (1, b.integer(12, 20), 1)))
    b.add(
        "STFT",
        [signal, b.constant(np.int64(4)), b.constant(b.array(np.float32, (8,), 0.1, 1))],
        onesided=b.integer(0, 1),
    )
