# SPDX-License-Identifier: Apache-2.0
"""The classes and functions of the binding, under the name that packages import them from."""

from onnxruntime.capi import onnxruntime_pybind11_state as _state
from onnxruntime.capi.onnxruntime_pybind11_state import *  # noqa: F403

__doc__ = _state.__doc__
