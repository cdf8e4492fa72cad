# SPDX-License-Identifier: Apache-2.0
"""Tensors of which only some elements are stored."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from onnxruntime.capi import onnxruntime_pybind11_state as C
from onnxruntime.capi._devices import OrtDevice

if TYPE_CHECKING:
    import numpy.typing as npt


class SparseTensor:
    """A sparse tensor in COO, CSR or block format."""

    def __init__(self, sparse_tensor: C.SparseTensor) -> None:
        """Internal constructor; use the static methods."""
        if not isinstance(sparse_tensor, C.SparseTensor):
            raise ValueError(
                "`Provided object` needs to be of type `onnxruntime.capi.onnxruntime_pybind11_state.SparseTensor`"
            )
        self._tensor = sparse_tensor

    def _get_c_tensor(self) -> C.SparseTensor:
        return self._tensor

    @staticmethod
    def sparse_coo_from_numpy(
        dense_shape: Sequence[int] | npt.NDArray[np.int64],
        values: np.ndarray,
        coo_indices: npt.NDArray[np.int64],
        ort_device: OrtDevice,
    ) -> SparseTensor:
        """A tensor of values with an index into the flattened tensor or a (row, column) pair for each.

        Memory of numeric arrays is used as it is; strings are copied.
        """
        device = ort_device._get_c_device()
        return SparseTensor(C.SparseTensor.sparse_coo_from_numpy(dense_shape, values, coo_indices, device))

    @staticmethod
    def sparse_csr_from_numpy(
        dense_shape: Sequence[int] | npt.NDArray[np.int64],
        values: np.ndarray,
        inner_indices: npt.NDArray[np.int64],
        outer_indices: npt.NDArray[np.int64],
        ort_device: OrtDevice,
    ) -> SparseTensor:
        """A tensor of values by rows: the column of each value, and where each row begins and the last one ends."""
        device = ort_device._get_c_device()
        return SparseTensor(
            C.SparseTensor.sparse_csr_from_numpy(dense_shape, values, inner_indices, outer_indices, device)
        )

    def values(self) -> np.ndarray:
        """The stored values: the same memory for numbers, a copy for strings."""
        return self._tensor.values()

    def as_coo_view(self) -> C.SparseCooView:
        """Access to the indices in COO format; RuntimeError for a tensor of another format."""
        return self._tensor.get_coo_data()

    def as_csrc_view(self) -> C.SparseCsrView:
        """Access to the indices in CSR format; RuntimeError for a tensor of another format."""
        return self._tensor.get_csrc_data()

    def as_blocksparse_view(self) -> C.SparseBlockSparseView:
        """Access to the indices in block format; RuntimeError for a tensor of another format."""
        return self._tensor.get_blocksparse_data()

    def to_cuda(self, ort_device: OrtDevice) -> SparseTensor:
        """A copy on a device whose provider takes sparse tensors."""
        return SparseTensor(self._tensor.to_cuda(ort_device._get_c_device()))

    def format(self) -> C.OrtSparseFormat:
        """How the tensor is stored."""
        return self._tensor.format()

    def dense_shape(self) -> list[int]:
        """The shape with all elements."""
        return self._tensor.dense_shape()

    def data_type(self) -> str:
        """The type as ONNX writes it: sparse_tensor(float)."""
        return self._tensor.data_type()

    def device_name(self) -> str:
        """Where the data is."""
        return self._tensor.device_name().lower()
