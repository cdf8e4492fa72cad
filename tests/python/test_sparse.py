# SPDX-License-Identifier: Apache-2.0
"""SparseTensor."""

import gc

import numpy as np
import onnxruntime as ort
import pytest

CPU = ort.OrtDevice.make("cpu", 0)
VALUES = np.array([1, 2, 3], np.float32)
DIAGONAL = np.array([0, 4, 8], np.int64)


def diagonal() -> ort.SparseTensor:
    return ort.SparseTensor.sparse_coo_from_numpy([3, 3], VALUES.copy(), DIAGONAL.copy(), CPU)


def test_coo():
    tensor = diagonal()
    gc.collect()
    assert tensor.format() == ort.OrtSparseFormat.ORT_SPARSE_COO
    assert list(tensor.dense_shape()) == [3, 3]
    assert tensor.data_type() == "sparse_tensor(float)" and tensor.device_name() == "cpu"
    np.testing.assert_array_equal(tensor.values(), VALUES)
    np.testing.assert_array_equal(tensor.as_coo_view().indices(), DIAGONAL)


def test_coo_with_pairs_of_indices():
    pairs = np.array([[0, 0], [1, 1], [2, 2]], np.int64)
    tensor = ort.SparseTensor.sparse_coo_from_numpy(np.array([3, 3]), VALUES, pairs, CPU)
    np.testing.assert_array_equal(tensor.as_coo_view().indices(), pairs)


def test_csr():
    inner, outer = np.array([0, 1, 2], np.int64), np.array([0, 1, 2, 3], np.int64)
    tensor = ort.SparseTensor.sparse_csr_from_numpy([3, 3], VALUES, inner, outer, CPU)
    assert tensor.format() == ort.OrtSparseFormat.ORT_SPARSE_CSRC
    np.testing.assert_array_equal(tensor.as_csrc_view().inner(), inner)
    np.testing.assert_array_equal(tensor.as_csrc_view().outer(), outer)


def test_strings():
    tensor = ort.SparseTensor.sparse_coo_from_numpy([3, 3], np.array(["a", "bé", "c"]), DIAGONAL, CPU)
    assert tensor.data_type() == "sparse_tensor(string)"
    assert tensor.values().tolist() == ["a", "bé", "c"]
    np.testing.assert_array_equal(tensor.as_coo_view().indices(), DIAGONAL)


def test_views_keep_the_tensor_alive():
    indices, values = diagonal().as_coo_view().indices(), diagonal().values()
    gc.collect()
    np.testing.assert_array_equal(indices, DIAGONAL)
    np.testing.assert_array_equal(values, VALUES)


def test_inside_a_value():
    value = ort.OrtValue.ort_value_from_sparse_tensor(diagonal())
    assert value.is_sparse_tensor() and not value.is_tensor() and value.has_value()
    assert value.data_type() == "sparse_tensor(float)" and list(value.shape()) == [3, 3] and value.element_type() == 1
    assert value.device_name() == "cpu"
    np.testing.assert_array_equal(value.as_sparse_tensor().values(), VALUES)
    with pytest.raises(RuntimeError):
        ort.OrtValue.ortvalue_from_numpy(VALUES).as_sparse_tensor()


def test_wrong_arguments():
    tensor = diagonal()
    for view in (tensor.as_csrc_view, tensor.as_blocksparse_view):
        with pytest.raises(RuntimeError):
            view()
    with pytest.raises(RuntimeError):
        tensor.to_cuda(CPU)
    with pytest.raises(RuntimeError):
        ort.SparseTensor.sparse_coo_from_numpy([3, 3], VALUES, DIAGONAL[:2], CPU)
    with pytest.raises(RuntimeError):
        ort.SparseTensor.sparse_coo_from_numpy([3, 3], VALUES.reshape(1, 3), DIAGONAL, CPU)
    with pytest.raises(RuntimeError):
        ort.SparseTensor.sparse_csr_from_numpy([3, 3], VALUES, DIAGONAL[:2], np.arange(4), CPU)
    with pytest.raises(ValueError):
        ort.SparseTensor(3)
