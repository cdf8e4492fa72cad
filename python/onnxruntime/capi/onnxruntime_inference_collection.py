# SPDX-License-Identifier: Apache-2.0
"""The classes that programs use, under the name that packages import them from."""

from onnxruntime.capi import onnxruntime_pybind11_state as C
from onnxruntime.capi._binding import IOBinding
from onnxruntime.capi._devices import (
    OrtDevice,
    OrtDeviceVendorId,
    get_ort_device_type,
    get_vendor_id_for_device_type,
)
from onnxruntime.capi._providers import check_and_normalize_provider_args
from onnxruntime.capi._session import InferenceSession, Session
from onnxruntime.capi._sparse import SparseTensor
from onnxruntime.capi._values import OrtValue, copy_tensors

# Programs print and compare where these come from.
for _class in (IOBinding, InferenceSession, OrtDevice, OrtDeviceVendorId, OrtValue, Session, SparseTensor):
    _class.__module__ = __name__

__all__ = [
    "C",
    "IOBinding",
    "InferenceSession",
    "OrtDevice",
    "OrtDeviceVendorId",
    "OrtValue",
    "Session",
    "SparseTensor",
    "check_and_normalize_provider_args",
    "copy_tensors",
    "get_ort_device_type",
    "get_vendor_id_for_device_type",
]
