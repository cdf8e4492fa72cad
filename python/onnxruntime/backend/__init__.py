# SPDX-License-Identifier: Apache-2.0
"""ONNX's backend interface; needs the package `onnx`."""

from onnxruntime.backend.backend import is_compatible, prepare, run, supports_device

__all__ = ["is_compatible", "prepare", "run", "supports_device"]
