# SPDX-License-Identifier: Apache-2.0
"""Devices by the names that users give them."""

from __future__ import annotations

from enum import IntEnum

from onnxruntime.capi import onnxruntime_pybind11_state as C


class OrtDeviceVendorId(IntEnum):
    """PCI ids of makers of processors."""

    NONE = 0x0000
    AMD = 0x1002
    NVIDIA = 0x10DE
    ARM = 0x13B5
    MICROSOFT = 0x1414
    HUAWEI = 0x19E5
    QUALCOMM = 0x5143
    INTEL = 0x8086


# Name -> (device type of the C interface, its maker where the name says it).
_DEVICES = {
    "cpu": (C.OrtDevice.cpu(), None),
    "cuda": (C.OrtDevice.cuda(), OrtDeviceVendorId.NVIDIA),
    "cann": (C.OrtDevice.cann(), OrtDeviceVendorId.HUAWEI),
    "dml": (C.OrtDevice.dml(), OrtDeviceVendorId.MICROSOFT),
    "webgpu": (C.OrtDevice.webgpu(), OrtDeviceVendorId.NONE),
    "gpu": (C.OrtDevice.gpu(), None),
    "npu": (C.OrtDevice.npu(), None),
}


def get_ort_device_type(device_type: str) -> int:
    """The number of a device type; an Exception that lists the names for an unknown one."""
    if device_type not in _DEVICES:
        raise Exception(f"Unsupported device type: {device_type}. Known are {', '.join(_DEVICES)}")
    return _DEVICES[device_type][0]


def get_vendor_id_for_device_type(device_type: str) -> OrtDeviceVendorId | None:
    """The maker that a device's name implies."""
    return _DEVICES.get(device_type, (0, None))[1]


class OrtDevice:
    """A device and one of its memories."""

    def __init__(self, c_ort_device: C.OrtDevice) -> None:
        """Internal constructor; see make()."""
        if not isinstance(c_ort_device, C.OrtDevice):
            raise ValueError(
                "`Provided object` needs to be of type `onnxruntime.capi.onnxruntime_pybind11_state.OrtDevice`"
            )
        self._ort_device = c_ort_device

    def _get_c_device(self) -> C.OrtDevice:
        return self._ort_device

    @staticmethod
    def make(ort_device_name: str, device_id: int, vendor_id: int | OrtDeviceVendorId = -1) -> OrtDevice:
        """The device of this name ('cpu', 'cuda', 'gpu' ...), id and, unless -1, maker."""
        number = get_ort_device_type(ort_device_name)
        if vendor_id < 0:
            vendor_id = get_vendor_id_for_device_type(ort_device_name) or 0
        if number == C.OrtDevice.dml():
            number = C.OrtDevice.gpu()  # told apart by the maker
        return OrtDevice(C.OrtDevice(number, C.OrtDevice.default_memory(), int(vendor_id), device_id))

    def device_id(self) -> int:
        """The device's number among those of its type."""
        return self._ort_device.device_id()

    def device_type(self) -> int:
        """The number of the device's type."""
        return self._ort_device.device_type()

    def device_vendor_id(self) -> int:
        """The PCI id of the device's maker; 0 for any."""
        return self._ort_device.vendor_id()

    def device_mem_type(self) -> int:
        """The number of the memory's type."""
        return self._ort_device.mem_type()
