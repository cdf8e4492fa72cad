# SPDX-License-Identifier: Apache-2.0
"""Values of the runtime."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from onnxruntime.capi import onnxruntime_pybind11_state as C
from onnxruntime.capi._devices import OrtDevice, OrtDeviceVendorId
from onnxruntime.capi._sparse import SparseTensor

if TYPE_CHECKING:
    import numpy.typing as npt


class OrtValue:
    """A tensor, sequence, map or optional in the runtime's memory, on the CPU or on a device."""

    def __init__(
        self,
        ortvalue: C.OrtValue,
        numpy_obj: np.ndarray | None = None,
        session: C.InferenceSession | None = None,
    ) -> None:
        """Internal constructor; use the static methods."""
        if not isinstance(ortvalue, C.OrtValue):
            raise ValueError(
                "`Provided ortvalue` needs to be of type `onnxruntime.capi.onnxruntime_pybind11_state.OrtValue`"
            )
        self._ortvalue = ortvalue
        self._numpy_obj = numpy_obj
        self._session = session

    def _get_c_value(self) -> C.OrtValue:
        return self._ortvalue

    @staticmethod
    def ortvalue_from_numpy(
        numpy_obj: np.ndarray,
        /,
        device_type: str = "cpu",
        device_id: int = 0,
        vendor_id: int | OrtDeviceVendorId = -1,
    ) -> OrtValue:
        """A tensor with an array's data. On the CPU a contiguous array's own memory is used, elsewhere it is copied."""
        device = OrtDevice.make(device_type, device_id, vendor_id)._get_c_device()
        value = C.OrtValue.ortvalue_from_numpy(numpy_obj, device)
        return OrtValue(value, numpy_obj if device_type == "cpu" else None)

    @staticmethod
    def ortvalue_from_numpy_with_onnx_type(data: np.ndarray, /, onnx_element_type: int) -> OrtValue:
        """A tensor over an array's bytes, taken as another element type of the same size (bfloat16 from uint16)."""
        return OrtValue(C.OrtValue.ortvalue_from_numpy_with_onnx_type(data, onnx_element_type), data)

    @staticmethod
    def ortvalue_from_shape_and_type(
        shape: Sequence[int],
        element_type: npt.DTypeLike | int,
        device_type: str = "cpu",
        device_id: int = 0,
        vendor_id: int | OrtDeviceVendorId = -1,
        memory_info: C.OrtMemoryInfo | None = None,
    ) -> OrtValue:
        """A tensor in new memory whose content is undefined. `element_type` is a numpy type or a number of ONNX."""
        if memory_info is not None:
            value = C.OrtValue.ortvalue_from_shape_and_type_for_memory_info(shape, element_type, memory_info)
        else:
            device = OrtDevice.make(device_type, device_id, vendor_id)._get_c_device()
            value = C.OrtValue.ortvalue_from_shape_and_type(shape, element_type, device)
        return OrtValue(value)

    @staticmethod
    def from_dlpack(data: Any, /) -> OrtValue:
        """A tensor over the memory of any object with __dlpack__, or of a DLPack capsule."""
        return OrtValue(C.OrtValue.from_dlpack(data))

    @staticmethod
    def ort_value_from_sparse_tensor(sparse_tensor: SparseTensor) -> OrtValue:
        """A value that holds the sparse tensor."""
        return OrtValue(C.OrtValue.ort_value_from_sparse_tensor(sparse_tensor._get_c_tensor()))

    def as_sparse_tensor(self) -> SparseTensor:
        """The sparse tensor in this value."""
        return SparseTensor(self._ortvalue.as_sparse_tensor())

    def data_ptr(self) -> int:
        """The address of the first element."""
        return self._ortvalue.data_ptr()

    def device_name(self) -> str:
        """Where the data is: cpu, cuda ..."""
        return self._ortvalue.device_name().lower()

    def shape(self) -> Sequence[int]:
        """The tensor's shape."""
        return self._ortvalue.shape()

    def data_type(self) -> str:
        """The type as ONNX writes it: tensor(float), seq(tensor(int64)) ..."""
        return self._ortvalue.data_type()

    def element_type(self) -> int:
        """The number of the element type in ONNX."""
        return self._ortvalue.element_type()

    def tensor_size_in_bytes(self) -> int:
        """Bytes of the tensor's data."""
        return self._ortvalue.tensor_size_in_bytes()

    def has_value(self) -> bool:
        """False for an optional without content."""
        return self._ortvalue.has_value()

    def is_tensor(self) -> bool:
        """Whether this is a tensor."""
        return self._ortvalue.is_tensor()

    def is_sparse_tensor(self) -> bool:
        """Whether this is a sparse tensor."""
        return self._ortvalue.is_sparse_tensor()

    def is_tensor_sequence(self) -> bool:
        """Whether this is a sequence of tensors."""
        return self._ortvalue.is_tensor_sequence()

    def numpy(self) -> np.ndarray:
        """The tensor as an array: the same memory on the CPU, a copy from elsewhere."""
        return self._ortvalue.numpy()

    def update_inplace(self, data: np.ndarray | OrtValue) -> None:
        """Copies new data into the tensor's memory; the number of elements must be the same."""
        self._ortvalue.update_inplace(data._ortvalue if isinstance(data, OrtValue) else data)

    def __array__(self, dtype: npt.DTypeLike | None = None, copy: bool | None = None) -> np.ndarray:
        array = self.numpy()
        if dtype is not None and array.dtype != np.dtype(dtype):
            if copy is False:
                raise ValueError(f"an array of {np.dtype(dtype)} needs a copy of this tensor of {array.dtype}")
            return array.astype(dtype)
        return array.copy() if copy else array

    def __dlpack__(self, *, stream: Any = None, **_: Any) -> Any:
        return self._ortvalue.__dlpack__(stream=stream)

    def __dlpack_device__(self) -> tuple[int, int]:
        return self._ortvalue.__dlpack_device__()


def copy_tensors(src: Sequence[OrtValue], dst: Sequence[OrtValue], stream: C.OrtSyncStream | None = None) -> None:
    """Copies tensors between memories; all sources must be in one memory and all targets in one."""
    C.copy_tensors([value._ortvalue for value in src], [value._ortvalue for value in dst], stream)


def model_source(path_or_bytes: str | bytes | os.PathLike) -> tuple[str | None, bytes | None]:
    """(path, None) or (None, bytes) for what users give as a model; TypeError for anything else."""
    if isinstance(path_or_bytes, bytes):
        return None, path_or_bytes
    if isinstance(path_or_bytes, (str, os.PathLike)):
        return os.fsdecode(path_or_bytes), None
    raise TypeError(f"Unable to load from type '{type(path_or_bytes)}'")
